# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that only looks, run in process on real files."""

from __future__ import annotations

import errno
import os
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import CURRENT, MAJOR_MAX
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import common as _common
from ansible_collections.wasmops.wasmtime.plugins.modules import cache_config_info
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    STRANGER,
    as_root,
    place,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import execute_without_root

# What every version knows that reads a config unless wasmtime_version says which one does.
KNOWN = [setting for setting in SETTINGS.values() if setting.known_to(33, MAJOR_MAX)]
KEYS = {
    "path",
    "exists",
    "valid",
    "safe",
    "problems",
    "settings",
    "effective",
    "defaults",
    "accepted_by",
    "directory",
    "wasmtime_version",
}


def look(world, **options):
    """The result for a config, which is the same in check mode, and nothing has changed."""
    before = world.snapshot()
    if "content" not in options and "path" not in options:
        options["path"] = str(world.config)
    result = world.info(**options)
    assert world.info(check=True, **options) == result
    assert world.snapshot() == before
    assert result["changed"] is False
    return result


def codes(result):
    return [problem["code"] for problem in result["problems"]]


def test_a_good_file(world):
    world.write("[cache]\ndirectory = '%s'\ncleanup-interval = '60m'\n" % world.cache)
    result = look(world)
    assert set(result) >= KEYS
    assert result["path"] == str(world.config)
    assert result["exists"] is result["valid"] is result["safe"] is True
    assert result["problems"] == []
    assert result["settings"] == {"directory": str(world.cache), "cleanup_interval": "60m"}
    assert result["effective"]["cleanup_interval"] == 3600
    assert result["defaults"] == [
        setting.option for setting in KNOWN if setting.name not in ("directory", "cleanup-interval")
    ]
    assert result["accepted_by"] == [dialect.name for dialect in CURRENT]
    assert result["directory"] == {
        "path": str(world.cache),
        "exists": False,
        "owner": None,
        "group": None,
        "mode": None,
        "dangers": [],
    }
    assert result["wasmtime_version"] is None


def test_a_text_instead_of_a_file(world):
    result = look(world, content="[cache]\ndirectory = '%s'\n" % world.cache)
    assert (result["path"], result["exists"], result["valid"]) == (None, False, True)


def test_a_text_and_a_file_exclude_each_other(world):
    result = world.info(content="", path="/x")
    assert "mutually exclusive" in result["msg"]


def test_without_options_the_user_s_own_paths_are_looked_at(world):
    result = look(world, path=None)
    assert result["path"] == str(world.home / ".config" / "wasmtime" / "config.toml")
    assert result["directory"]["path"] == str(world.home / ".cache" / "wasmtime")
    # The engine does without a file there.
    assert (result["exists"], result["valid"], result["safe"]) == (False, True, True)
    assert result["defaults"] == [setting.option for setting in KNOWN]


def test_a_dangling_link_at_the_default_path_is_taken_for_no_file(world):
    (world.home / ".config" / "wasmtime").mkdir(parents=True)
    (world.home / ".config" / "wasmtime" / "config.toml").symlink_to("no")
    assert look(world, path=None)["valid"] is True


def test_an_empty_file_at_the_default_path_is_refused(world):
    (world.home / ".config" / "wasmtime").mkdir(parents=True)
    (world.home / ".config" / "wasmtime" / "config.toml").write_text("")
    result = look(world, path=None)
    assert (result["exists"], result["valid"]) == (True, False)
    assert codes(result) == ["cache-missing"]


@pytest.mark.parametrize(
    ("spoil", "code", "exists"),
    [
        (lambda world: None, "missing", False),
        (lambda world: world.config.symlink_to("no"), "dangling-link", False),
        (lambda world: world.config.mkdir(), "not-a-file", True),
        (lambda world: os.mkfifo(str(world.config)), "not-a-file", True),
        (lambda world: world.config.symlink_to("config.toml"), "unreadable", True),
        (lambda world: world.write(b"#" * (10 * 2**20)), "too-large", True),
        (lambda world: world.write(b"[cache]\n\xff"), "not-utf-8", True),
        (lambda world: world.write("[cache"), "toml-syntax", True),
        (lambda world: world.write(""), "cache-missing", True),
    ],
    ids=["missing", "dangling", "directory", "pipe", "loop", "huge", "bytes", "broken", "empty"],
)
def test_a_file_that_cannot_be_is_a_result_and_no_failure(world, spoil, code, exists):
    spoil(world)
    result = look(world)
    assert codes(result) == [code]
    assert (result["exists"], result["valid"], result["safe"]) == (exists, False, True)
    assert result["settings"] == {}
    assert result["accepted_by"] == []


def test_every_problem_of_a_file_has_its_place(world):
    world.write("[cache]\nbar = 1\nfoo = 1\ncleanup-interval = '60'\nfile-count-soft-limit = '0'\n")
    result = look(world, wasmtime_version="38")
    assert [(p["severity"], p["line"], p["column"]) for p in result["problems"]] == [
        ("error", 2, 1),
        ("error", 3, 1),
        ("error", 4, 20),
        ("warning", 5, 25),
    ]
    assert result["effective"]["cleanup_interval"] is None
    assert result["problems"][2]["setting"] == "cleanup-interval"
    assert result["problems"][2]["value"] == "60"


@pytest.mark.parametrize(
    ("mode", "codes_wanted", "safe"), [(0o700, [], True), (0o777, ["directory-writable-by-others"], False)]
)
def test_the_directory_is_looked_at(world, mode, codes_wanted, safe):
    world.cache.mkdir()
    world.cache.chmod(mode)
    world.write("[cache]\ndirectory = '%s'\n" % world.cache)
    result = look(world)
    assert codes(result) == result["directory"]["dangers"] == codes_wanted
    assert result["directory"]["mode"] == "%04o" % mode
    assert result["valid"] is True
    assert result["safe"] is safe


def test_a_directory_that_cannot_be_makes_the_file_invalid(world):
    world.cache.write_bytes(b"")
    world.write("[cache]\ndirectory = '%s'\n" % world.cache)
    result = look(world)
    assert codes(result) == ["directory-unusable"]
    assert result["valid"] is False


@pytest.mark.parametrize("directory", ["relative", "/\\u0000", "/" + "x" * 300])
def test_a_path_that_cannot_be_is_not_looked_at(world, directory):
    world.write('[cache]\ndirectory = "%s"\n' % directory)
    result = look(world)
    assert result["directory"] is None
    assert result["valid"] is False


@as_root
def test_a_directory_for_another_user_is_meant_if_named(public_world):
    world = public_world
    world.cache.mkdir(0o700)
    os.chown(str(world.cache), STRANGER, STRANGER)
    world.write("[cache]\ndirectory = '%s'\n" % world.cache)
    assert codes(look(world)) == ["directory-owner"]
    assert codes(look(world, directory_owner=str(STRANGER))) == []
    world.tree.chmod(0o700)
    assert codes(look(world)) == ["directory-owner"]
    result = look(world, directory_owner=str(STRANGER))
    assert codes(result) == ["unreadable", "directory-unusable"]
    assert "%s may not enter" % STRANGER in result["problems"][0]["message"]
    assert (result["valid"], result["safe"]) == (False, True)
    assert result["directory"]["exists"] is True


@as_root
def test_a_missing_directory_must_be_one_that_its_user_can_create(public_world):
    world = public_world
    world.write("[cache]\ndirectory = '%s'\n" % (world.cache / "d"))
    assert codes(look(world)) == []
    result = look(world, directory_owner=str(STRANGER))
    assert (codes(result), result["valid"]) == (["directory-unusable"], False)
    world.cache.mkdir(0o755)
    os.chown(str(world.cache), STRANGER, STRANGER)
    result = look(world, directory_owner=str(STRANGER))
    assert (codes(result), result["valid"], result["safe"]) == ([], True, True)


@as_root
def test_what_others_planted_makes_the_directory_unsafe(public_world):
    world = public_world
    (world.cache / "modules").mkdir(parents=True)
    world.cache.chmod(0o700)
    world.write("[cache]\ndirectory = '%s'\n" % world.cache)
    assert codes(look(world)) == []
    os.chown(str(world.cache / "modules"), STRANGER, STRANGER)
    result = look(world)
    assert codes(result) == result["directory"]["dangers"] == ["directory-writable-by-others"]
    assert (result["valid"], result["safe"]) == (True, False)


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_can_write_is_unsafe(world, mode):
    world.write("[cache]\ndirectory = '%s'\n" % world.cache, mode)
    result = look(world)
    assert codes(result) == ["file-writable-by-others"]
    assert (result["valid"], result["safe"]) == (True, False)
    # It is no danger of the directory.
    assert result["directory"]["dangers"] == []


def test_a_file_that_others_can_replace_is_unsafe(public_world):
    public_world.write("[cache]\ndirectory = '%s'\n" % public_world.cache)
    public_world.config.parent.chmod(0o777)
    result = look(public_world)
    assert codes(result)[0] == "file-writable-by-others"
    assert (result["valid"], result["safe"]) == (True, False)
    public_world.config.parent.chmod(0o755)
    assert (codes(look(public_world)), look(public_world)["safe"]) == ([], True)


def test_what_others_can_write_is_the_file_behind_the_link(world):
    world.write("[cache]\ndirectory = '%s'\n" % world.cache, 0o666)
    link = world.tree / "link.toml"
    link.symlink_to(world.config)
    assert codes(look(world, path=str(link))) == ["file-writable-by-others"]
    world.config.chmod(0o644)
    assert codes(look(world, path=str(link))) == []


def test_problems_of_the_text_the_file_and_the_directory_are_told_together(world):
    world.cache.mkdir()
    world.cache.chmod(0o777)
    world.write("[cache]\ndirectory = '%s'\nfile-count-soft-limit = '0'\n" % world.cache, 0o666)
    result = look(world)
    assert codes(result) == ["empties-itself", "file-writable-by-others", "directory-writable-by-others"]
    assert result["directory"]["dangers"] == ["directory-writable-by-others"]


def test_a_text_has_no_mode(world):
    world.write("", 0o666)
    assert codes(look(world, content="[cache]\ndirectory = '%s'\n" % world.cache)) == []


def test_the_mode_of_a_broken_file_counts_too(world):
    world.write("[cache", 0o666)
    result = look(world)
    assert codes(result) == ["toml-syntax", "file-writable-by-others"]
    assert (result["valid"], result["safe"]) == (False, False)


@as_root
@pytest.mark.parametrize(
    ("mode", "uid", "gid", "wanted"),
    [
        (0o644, 0, 0, []),
        (0o640, 0, 0, ["unreadable"]),
        (0o600, STRANGER, 0, []),
        (0o600, STRANGER + 1, 0, ["unreadable", "file-writable-by-others", "directory-not-looked-at"]),
        (0o644, STRANGER + 1, 0, ["file-writable-by-others", "directory-not-looked-at"]),
        (0o620, 0, 0, ["unreadable", "file-writable-by-others", "directory-not-looked-at"]),
    ],
)
def test_the_file_must_be_readable_for_the_directory_s_owner(public_world, mode, uid, gid, wanted):
    world = public_world
    world.cache.mkdir(0o700)
    os.chown(str(world.cache), STRANGER, STRANGER)
    world.write("[cache]\ndirectory = '%s'\n" % world.cache, mode)
    os.chown(str(world.config), uid, gid)
    result = look(world, directory_owner=str(STRANGER))
    assert codes(result) == wanted
    assert result["valid"] is ("unreadable" not in wanted)
    # Root itself reads it, and for users whom it does not know.
    spared = {"unreadable"} if mode & 0o022 else {"unreadable", "file-writable-by-others"}
    assert sorted(codes(look(world))) == sorted({*wanted, "directory-owner"} - spared)


def test_an_unreadable_file_is_a_result():
    with place() as there:
        (there / "config.toml").write_text("[cache]\n")
        (there / "config.toml").chmod(0)
        result = execute_without_root(cache_config_info, path=str(there / "config.toml"))
    assert codes(result) == ["unreadable"]
    assert result["exists"] is True


@pytest.mark.parametrize(
    ("version", "text", "valid", "used"),
    [
        ("32", "[cache]\nenabled = true\n", True, "32"),
        ("32", "[cache]\n", False, "32"),
        ("42.0.2", "[cache]\nenabled = true\n", False, "42.0.2"),
        ("v32.0.0", "[cache]\nenabled = true\n", True, "v32.0.0"),
        (["42", "31.0.0"], "[cache]\nenabled = true\n", False, "42, 31.0.0"),
        ([], "[cache]\n", True, None),
    ],
)
def test_the_rules_are_those_of_the_version(world, version, text, valid, used):
    result = look(world, content=text, wasmtime_version=version)
    assert (result["valid"], result["wasmtime_version"]) == (valid, used)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wasmtime_version": "abc", "content": ""}, 'wasmtime_version: "abc" is not a Wasmtime version'),
        ({"path": "x"}, 'path is "x", which is not absolute'),
        ({"path": "/x\0"}, "path has a NUL character"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_options_that_cannot_be_are_a_failure(world, options, message):
    result = world.info(**options)
    assert result["failed"] is True
    assert message in result["msg"]


def test_a_user_without_home_has_no_default_path(world, monkeypatch):
    monkeypatch.setattr(_common, "user_default_paths", lambda lacking=None: (None, None))
    assert "no home directory" in world.info()["msg"]
    assert codes(look(world, content="[cache]\n")) == ["no-home"]
    assert look(world, content="[cache]\n")["directory"] is None


def test_without_a_toml_library_ansible_s_words_are_used(world, monkeypatch):
    for name in ("tomllib", "tomli"):
        monkeypatch.setitem(sys.modules, name, None)
    result = world.info(content="[cache]\n")
    assert result["missing_libraries"] == ["tomli"]
    assert "Failed to import the required Python library (tomli)" in result["msg"]


@given(st.text(max_size=60) | st.text(alphabet="[]{}=#'\"\\\n cache.directory1h/", max_size=60))
@settings(max_examples=60)
def test_no_text_makes_it_fail(world, content):
    result = world.info(content=content)
    assert "failed" not in result
    assert result["valid"] or result["problems"]


@pytest.mark.parametrize(
    ("versions", "wanted"),
    [
        (["32"], []),
        (["42.0.2"], ["enabled-refused", "directory-not-dedicated"]),
        (["32", "42.0.2"], ["enabled-refused", "directory-not-dedicated"]),
        (None, ["enabled-refused", "directory-not-dedicated"]),
    ],
)
def test_a_directory_is_judged_once_no_file_switches_the_cache_off(world, versions, wanted):
    world.write("[cache]\nenabled = false\ndirectory = '/srv'\n")
    result = look(world, **({"wasmtime_version": versions} if versions else {}))
    # What else is wrong with it depends on the machine.
    assert [code for code in codes(result) if code in ("enabled-refused", "directory-not-dedicated")] == wanted
    assert result["safe"] is not bool(wanted)


def test_problems_come_in_the_order_of_the_lines(world):
    world.cache.mkdir()
    world.cache.chmod(0o777)
    lines = (
        "file-count-soft-limit = 5",
        "zzz = 1",
        "cleanup-interval = '1'",
        "baseline-compression-level = 30",
        "aaa = 1",
    )
    world.write("[cache]\ndirectory = '%s'\n%s\n" % (world.cache, "\n".join(lines)), 0o666)
    for version in ("33", "50"):
        result = look(world, wasmtime_version=[version])
        assert [problem["line"] for problem in result["problems"]] == [3, 4, 5, 6, 7, None, None]


def test_a_directory_of_the_system_has_one_remedy(world):
    world.write("[cache]\ndirectory = '/etc'\n")
    assert codes(look(world)) == ["directory-not-dedicated"]


def test_a_limit_is_held_against_the_file_system(world):
    status = os.statvfs(str(world.tree))
    capacity = status.f_blocks * status.f_frsize
    for limit, wanted in ((capacity, []), (capacity + 1, ["limit-beyond-file-system"])):
        world.write("[cache]\ndirectory = '%s/a/b/'\nfiles-total-size-soft-limit = '%d'\n" % (world.cache, limit))
        assert codes(look(world)) == wanted


@pytest.mark.parametrize(("character", "byte"), [("\udcff", "0xff"), ("\udc80", "0x80")])
def test_content_that_is_no_utf_8_is_a_problem_of_it(world, character, byte):
    result = look(world, content="[cache]\n# %s" % character)
    assert codes(result) == ["not-utf-8"]
    assert result["problems"][0]["message"] == "byte %s is not valid UTF-8" % byte
    assert (result["problems"][0]["line"], result["problems"][0]["column"]) == (2, 3)


@pytest.mark.parametrize("option", ["content", "path", "directory_owner"])
def test_what_stands_for_no_text_at_all_is_refused(world, option):
    result = world.info(**{option: "a\ud800"})
    assert result["msg"] == "%s has a character that is not text; remove it" % option


def test_what_ansible_cannot_log_is_looked_at_all_the_same(world):
    result = world.info(content="a\udcff", _ansible_no_log=False)
    assert codes(result) == ["not-utf-8"]


@pytest.mark.parametrize("content", ["[cache]\n", None])
def test_an_error_of_the_system_names_the_config_or_the_content(world, monkeypatch, content):
    def fails(*_arguments):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(_common, "directory_of", fails)
    options = {"path": str(world.config)} if content is None else {"content": content}
    result = world.info(**options)
    assert result["failed"] is True
    name = world.config if content is None else "content"
    assert result["msg"] == "%s: system error: Input/output error; correct that first" % name
