# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cache_config: Files that are in the way, and files that are removed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.edit import HEADER
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import common as _common
from ansible_collections.wasmops.wasmtime.plugins.modules import cache_config, cache_config_info
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.documents import READS_1_0, READS_1_1
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    NOBODY,
    ROOT,
    STRANGER,
    as_root,
    give,
    mode_of,
    new,
    place,
    without_capabilities,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import (
    absent,
    execute_without_root,
    run_without_root,
)


def many(world):
    world.write(b"# \n" * (10 * 2**20 // 3))


def unlink_parent(world):
    world.config.parent.rmdir()
    world.config.parent.write_bytes(b"")


@pytest.mark.parametrize(
    ("content", "sentences"),
    [
        ("[cache\n", ["line 1, column 7: not valid TOML: "]),
        (b"[cache]\n\xff", ["line 2, column 1: byte 0xff is not valid UTF-8; save the file as UTF-8"]),
        ("", ["the table [cache] is missing; add a line [cache]"]),
        ("[cache]\nfoo = 1\n", ['line 2, column 1: "foo" is not a setting of [cache]; remove it']),
        (
            "[cache]\ncleanup-interval = 60\n",
            ['line 2, column 20: cleanup-interval must be a string; write "60s" or "1m" with quotes'],
        ),
        ("[cache]\ncleanup-interval = '60'\n", ['line 2, column 20: cleanup-interval = "60" has no unit; write']),
        (
            "[cache]\nfile-count-soft-limit = '99999P'\n",
            ['file-count-soft-limit = "99999P" is more than 2^64-1; write'],
        ),
        (
            "[cache]\nbaseline-compression-level = 22\n",
            ["line 2, column 30: baseline-compression-level = 22 is outside 0..21"],
        ),
        (
            "[cache]\nenabled = false\n",
            ["line 2, column 1: enabled is refused by Wasmtime 33 and later; switch the cache off in the program"],
        ),
        (
            "[cache]\nfoo = 1\nbar = 2\ncleanup-interval = 1\n",
            [
                '\n- line 2, column 1: "foo"',
                '\n- line 3, column 1: "bar"',
                "\n- line 4, column 20: cleanup-interval must be a string",
            ],
        ),
        ("x = " + "[" * 5000, ["not valid TOML"]),
        ("[cache]\nbaseline-compression-level = " + "9" * 5000, ["line 2"]),
    ],
    ids=lambda part: ascii(part)[:40] if isinstance(part, (str, bytes)) else "",
)
def test_an_invalid_file_is_refused_with_every_problem_and_left_as_it_is(world, content, sentences):
    world.write(content)
    message = world.refused(cleanup_interval="1h")
    assert message.startswith("%s: Wasmtime refuses this file, so nothing was changed:" % world.config)
    for sentence in sentences:
        assert sentence in message
    result = world.run()
    points = [line for line in message.split("\n- ")[1:] if not line.startswith("or replace the file")]
    assert len(result["problems"]) == max(1, len(points))
    assert result["path"] == str(world.config)


def test_the_way_out_takes_the_place_of_what_else_to_do_or_comes_last(world):
    way = "or replace the file: force=true, in the role wasmtime_cache_force=true (keeps a backup)"
    beginning = "%s: Wasmtime refuses this file, so nothing was changed:" % world.config
    world.write("[cache]\nfoo = 1\n")
    one = 'line 2, column 1: "foo" is not a setting of [cache]; remove it'
    assert world.refused() == "%s %s; %s" % (beginning, one, way)
    world.write("[cache]\nfoo = 1\nbar = 2\n")
    assert world.refused() == "\n- ".join([beginning, one, one.replace("2, c", "3, c").replace("foo", "bar"), way])
    world.write("[cache]\nfoo = 1\nenabled = false\n")
    told = world.refused().split("\n- ")
    assert told[:2] == [beginning, one]
    assert told[2].startswith("line 3, column 1: enabled is refused by Wasmtime 33 and later; switch the cache off")
    assert len(told) == 3


def test_force_replaces_a_refused_file_even_if_nothing_else_is_asked_for(world):
    world.write("[cache")
    result = world.run(force=True, directory=..., create_directory=False)
    assert (result["changed"], result["changed_settings"]) == (True, {})
    assert world.config.read_text() == HEADER
    assert Path(result["backup_file"]).read_text() == "[cache"


def test_the_way_out_of_an_invalid_file_leads_out(world):
    world.write("[cache]\nfoo = 1\nbar = 2\n")
    assert world.refused(cleanup_interval="1h").endswith(
        "\n- or replace the file: force=true, in the role wasmtime_cache_force=true (keeps a backup)"
    )
    result = world.run(cleanup_interval="1h", force=True)
    assert result["changed"] and not result["problems"]
    assert Path(result["backup_file"]).read_text(encoding="utf-8") == "[cache]\nfoo = 1\nbar = 2\n"


def test_no_way_out_switches_the_cache_on(world):
    world.write("[cache]\nenabled = false\nfoo = 1\n")
    assert "replace the file" not in world.refused(cleanup_interval="1h")


@pytest.mark.skipif(not READS_1_0 or not READS_1_1, reason="takes a parser for TOML 1.0 alone and one for TOML 1.1")
@pytest.mark.parametrize("version", ["36", "42", "48", None])
def test_a_file_that_only_some_programs_take_is_left_as_it_is(world, version):
    world.write("cache = {\n  cleanup-interval = '2h',\n}\n")
    options = {} if version is None else {"wasmtime_version": version}
    message = world.refused(cleanup_interval="1h", **options)
    who = "Wasmtime refuses" if version == "36" else "not every Wasmtime takes"
    assert message.startswith(
        "%s: %s this file, so nothing was changed: line 1, column 10: valid" % (world.config, who)
    )
    assert world.run(wasmtime_version="49")["changed_settings"].keys() == {"directory"}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda world: world.config.mkdir(), "it is a directory; name the config file in it"),
        (lambda world: world.config.symlink_to("no"), "it is a symbolic link to no, which does not exist; name"),
        (lambda world: world.config.symlink_to("config.toml"), "it cannot be read: too many symbolic links"),
        (lambda world: os.mkfifo(str(world.config)), "it is not a regular file"),
        (many, "the file has %d bytes, and at most 65536 are read; name the cache config" % (10 * 2**20 // 3 * 3)),
        (unlink_parent, "is not a directory; correct that first"),
    ],
    ids=["directory", "dangling", "loop", "pipe", "huge", "parent-is-a-file"],
)
@pytest.mark.parametrize("force", [False, True])
def test_what_is_no_readable_file_is_refused_whatever_is_asked(world, spoil, message, force):
    spoil(world)
    told = world.refused(cleanup_interval="1h", force=force)
    assert told.startswith("%s: nothing was changed: " % world.config)
    assert message in told


@pytest.mark.parametrize("deep", [False, True])
def test_a_missing_file_is_an_error_if_it_must_not_be_created(world, deep):
    world.config = world.tree / "deep" / "config.toml" if deep else world.config
    assert (
        world.refused(create=False)
        == "%s: there is no such file, and create is false; correct the path, or set create to true" % world.config
    )


def test_an_unreadable_file_is_refused():
    with place() as there:
        (there / "config.toml").write_text("[cache]\n")
        (there / "config.toml").chmod(0)
        result = run_without_root(there)
        assert result["msg"].endswith("nothing was changed: it cannot be read: Permission denied; correct that first")
        assert not (there / "cache").exists()


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("content", ["[cache]\n", None])
def test_a_read_only_directory_is_told_before_anything_is_written(check, content):
    with place() as there:
        (there / "etc").mkdir()
        if content:
            (there / "etc" / "config.toml").write_text(content)
        (there / "etc").chmod(0o555)
        result = run_without_root(there, path=str(there / "etc" / "config.toml"), check=check)
        assert "config.toml: it cannot be written: " in result["msg"]
        assert result["msg"].endswith(
            'may not write in "%s"; become a user who may, with become_user, or choose another path' % (there / "etc")
        )
        assert not (there / "cache").exists()


@pytest.mark.parametrize("check", [True, False])
def test_a_file_in_a_read_only_directory_is_overwritten_if_that_is_allowed_and_possible(check):
    with place() as there:
        config = new(there / "etc") / "config.toml"

        def run(mode, options, owner=NOBODY):
            config.parent.chmod(0o755)
            if config.exists():
                config.unlink()
            config.write_text("[cache]\n")
            config.chmod(mode)
            if ROOT:
                give(config, owner)
            config.parent.chmod(0o555)
            options = dict({"cleanup_interval": "2h", "directory": str(there / "cache"), "check": check}, **options)
            return run_without_root(there, path=str(config), **options)

        if ROOT:
            give(config.parent, NOBODY)
        refused = run(0o644, {})
        assert "config.toml: it cannot be written: the user " in refused["msg"]
        assert 'may not write in "%s"; become a user' % config.parent in refused["msg"]
        assert run(0o444, {"unsafe_writes": True})["msg"] == refused["msg"]
        said = run(0o644, {"unsafe_writes": True, "backup": True})["msg"]
        assert "config.toml: it cannot be written: no backup can be made: the user " in said
        if ROOT:
            said = run(0o666, {"unsafe_writes": True, "mode": "0644"}, owner=0)["msg"]
            assert "config.toml: it cannot be written: only its owner root may do that; become that owner" in said
        assert not (there / "cache").exists()
        result = run(0o644, {"unsafe_writes": True, "mode": "0600"})
        assert result["changed"] is True
        assert ('cleanup-interval = "2h"' in config.read_text()) is not check
        assert mode_of(config) == (0o644 if check else 0o600)
        config.parent.chmod(0o755)
        config.unlink()
        config.parent.chmod(0o555)
        options = {"unsafe_writes": True, "cleanup_interval": "2h", "check": check}
        assert 'may not write in "%s"' % config.parent in run_without_root(there, path=str(config), **options)["msg"]


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"path": None, "directory": None}, "set directory and path to where that is possible"),
        ({"directory": None}, "set directory to where that is possible"),
        ({"path": None}, "set path to where that is possible"),
    ],
)
def test_a_user_whose_home_cannot_be_created_is_told_what_to_do(monkeypatch, options, remedy):
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    with place() as there:
        (there / "closed").mkdir(0o555)
        monkeypatch.setenv("HOME", str(there / "closed" / "home"))
        result = run_without_root(there, **options)
        assert result["failed"] is True
        assert result["msg"].endswith(' may not write in "%s"; %s' % (there / "closed", remedy))


def test_a_default_directory_that_cannot_be_created_is_told_with_what_to_do(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    with place() as there:
        (there / "closed").mkdir(0o555)
        monkeypatch.setenv("HOME", str(there / "closed" / "home"))
        remedy = ["set directory to a path that can be created, or create it beforehand for that user"]
        path = str(there / "config.toml")
        refused = execute_without_root(cache_config, path=path, create_directory=False)
        assert [problem["remedy"] for problem in refused["problems"]] == remedy
        assert refused["msg"].endswith('cannot create it in "%s"; %s' % (there / "closed", remedy[0]))
        seen = execute_without_root(cache_config_info, content="[cache]\n")
        assert [problem["remedy"] for problem in seen["problems"]] == remedy
        # It helps, the one as the other.
        named = execute_without_root(cache_config, path=path, directory=str(there / "cache"))
        assert (named["changed"], named["problems"]) == (True, [])
        (there / "config.toml").unlink()
        cache = there / "closed" / "home" / ".cache" / "wasmtime"
        (there / "closed").chmod(0o755)
        cache.mkdir(parents=True)
        if ROOT:
            give(cache, NOBODY)
        made = execute_without_root(cache_config, path=path, create_directory=False)
        assert (made["changed"], made["problems"]) == (True, [])


@pytest.mark.parametrize("check", [True, False])
def test_a_directory_that_cannot_be_created_is_told_before_anything_is_written(check):
    with place() as there:
        (there / "closed").mkdir(0o555)
        result = run_without_root(there, directory=str(there / "closed" / "cache"), check=check)
        assert 'closed/cache" cannot be created: the user ' in result["msg"]
        assert result["msg"].endswith("; set directory to where that is possible")
        assert not (there / "config.toml").exists()


CHOWN, FOWNER, FSETID = 0, 3, 4  # of linux/capability.h
OWNER, GROUP = {"owner": str(STRANGER)}, {"group": str(STRANGER)}
NOT_GIVEN = "root may not give it to 54321 without CAP_CHOWN"
NOT_GIVEN_TO_GROUP = "root may not give it to the group 54321 without CAP_CHOWN"
NO_SPECIAL_BIT = "root may not set the setgid bit for the group 54321 without CAP_FSETID"


@as_root
@pytest.mark.parametrize(
    ("lacks", "options", "said"),
    [
        (CHOWN, OWNER, NOT_GIVEN),
        (CHOWN, GROUP, NOT_GIVEN_TO_GROUP),
        (CHOWN, {**OWNER, "group": "0"}, NOT_GIVEN),
        (CHOWN, {"mode": "2750", "owner": "0", "group": "0"}, None),
        (FSETID, {**GROUP, "mode": "2750"}, NO_SPECIAL_BIT),
        (FSETID, {**GROUP, "mode": "0750"}, None),
        (FSETID, {**OWNER, "mode": "2750"}, None),
        (FOWNER, {**OWNER, **GROUP, "mode": "0750"}, None),
    ],
    ids=str,
)
@pytest.mark.parametrize("prefix", ["", "directory_"])
@pytest.mark.parametrize("exists", [False, True])
def test_root_that_lacks_rights_is_told_beforehand_what_it_cannot_give(
    public_world, lacks, options, said, prefix, exists
):
    world = public_world
    if exists:
        world.run()
    options = {prefix + name: value for name, value in options.items()}
    with without_capabilities(lacks):
        result = world.both(**options)
    path = world.cache if prefix else world.config
    if said is None:
        assert result["changed"]
        status = path.stat()
        assert status.st_uid == int(options.get(prefix + "owner", 0))
        assert status.st_gid == int(options.get(prefix + "group", 0))
        assert "%04o" % mode_of(path) == options[prefix + "mode"]
        return
    assert (result["failed"], result.get("changed", False)) == (True, False)
    if prefix:
        failed = 'the directory "%s" cannot be ' % world.cache
        failed += "given another owner, group or mode: " if exists else "created: "
    else:
        failed = "it cannot be " + ("given another owner, group or mode: " if exists else "written: ")
    assert failed + said in result["msg"]
    assert path.exists() is exists


@as_root
def test_root_that_may_not_change_files_of_others_is_told_beforehand(public_world):
    world = public_world
    world.run(directory_owner=str(STRANGER))
    give(world.config, STRANGER)
    for options in ({"mode": "0600"}, {"directory_mode": "0750"}):
        with without_capabilities(FOWNER):
            assert "only its owner 54321 may do that; become that owner with become_user" in world.refused(**options)
        assert world.both(**options)["changed"] is True


@as_root
@pytest.mark.parametrize("exists", [False, True])
def test_root_that_could_not_set_the_bits_of_a_file_that_it_has_given_away_is_told_beforehand(public_world, exists):
    world = public_world
    if exists:
        world.run()
    with without_capabilities(FOWNER):
        said = world.refused(mode="2750", **OWNER)
        assert "only its owner 54321 may set its setuid and setgid bits" in said
        for options in ({"mode": "2750", **GROUP}, {"mode": "2755", "owner": "0"}, {"mode": "0755", **OWNER}):
            assert world.both(**options)["changed"] is True
            world.config.unlink()


@as_root
def test_root_without_some_rights_changes_what_takes_none_of_them(public_world):
    world = public_world
    world.run(directory_group=str(STRANGER))
    with without_capabilities(CHOWN):
        # The group is the one that it has.
        assert world.both(directory_mode="0750")["changed"] is True
    give(world.cache, STRANGER)
    with without_capabilities(FOWNER):
        # The mode is the one that it has.
        assert world.both(directory_owner="0")["changed"] is True
    assert (world.cache.stat().st_uid, world.cache.stat().st_gid, mode_of(world.cache)) == (0, STRANGER, 0o750)


@as_root
def test_root_that_cannot_give_a_new_file_to_the_owner_of_the_old_one_is_told_beforehand(world):
    world.write("[cache]\n")
    give(world.config, STRANGER)
    with without_capabilities(CHOWN):
        said = world.refused(cleanup_interval="2h")
        assert "it cannot be written: root may not give it to 54321 without CAP_CHOWN" in said
        assert world.both(cleanup_interval="2h", owner="0", group="0")["changed"] is True


def test_a_directory_in_the_way_of_the_cache_is_refused(world):
    world.cache.write_bytes(b"")
    assert "is not a directory; set directory to a path that can be created" in world.refused()


def test_a_user_without_home_needs_both_paths(world, monkeypatch):
    monkeypatch.setattr(_common, "user_default_paths", lambda lacking=None: (None, None))
    assert "no home directory, where the default config would be; set path" in world.refused(path=...)
    assert "directory is not set and the user has no home directory" in world.refused(directory=...)
    # A file without a directory is repaired by naming one.
    world.write("[cache]\n")
    assert world.both()["changed"] is True


def test_a_relative_home_gives_no_default_path(world, monkeypatch):
    monkeypatch.setenv("HOME", "relative")
    assert world.refused(path=...) == (
        'the default path, from HOME, is "relative/.config/wasmtime/config.toml", which is not absolute;'
        " set path to an absolute path"
    )


def test_a_file_that_changes_while_it_is_read_is_refused(world, monkeypatch):
    world.write("[cache]\n")
    world.cache.mkdir(0o700)
    read = os.read

    def read_late(handle, size):
        data = read(handle, size)
        if not data and os.path.samestat(os.fstat(handle), world.config.stat()):
            with world.config.open("a") as file:
                file.write("# x\n")
        return data

    monkeypatch.setattr(os, "read", read_late)
    for check in (True, False):
        message = "%s: nothing was changed: the file changed while it was read; run again when nothing else writes it"
        assert world.run(check=check)["msg"] == message % world.config


# force and backup


@pytest.mark.parametrize("content", ["[cache\n", b"\xff", "[cache]\nfoo = 1\n", ""])
def test_force_replaces_a_refused_file_and_keeps_a_copy(world, content):
    world.write(content, mode=0o640)
    original = world.config.read_bytes()
    result = world.run(check=True, force=True, cleanup_interval="2h")
    assert result["changed"] is True
    assert world.config.read_bytes() == original
    result = world.run(force=True, cleanup_interval="2h")
    assert result["created"] is False
    assert open(result["backup_file"], "rb").read() == original  # noqa: PTH123, SIM115
    assert world.config.read_text().startswith(HEADER)
    assert result["diff"][0]["before"] == original.decode("utf-8", "replace")
    assert mode_of(world.config) == 0o640
    assert world.run(force=True, cleanup_interval="2h")["changed"] is False


def test_force_is_not_blamed_for_the_mode_that_the_file_had(world):
    world.write("[cache", mode=0o666)
    result = world.run(force=True, directory=str(world.cache))
    assert result["changed"] is True
    assert [problem["code"] for problem in result["problems"]] == ["file-writable-by-others"]


def test_a_backup_is_made_of_what_changes(world):
    world.write("[cache]\n")
    result = world.run(backup=True, cleanup_interval="2h")
    assert open(result["backup_file"]).read() == "[cache]\n"  # noqa: PTH123, SIM115
    assert "backup_file" not in world.run(backup=True, cleanup_interval="2h")


# absent


def test_a_file_is_removed_and_the_directory_stays(world):
    world.run()
    text = world.config.read_text()
    result = absent(world)
    assert result["changed"] is True
    assert list(world.config.parent.iterdir()) == []
    assert world.cache.is_dir()
    assert result["path"] == str(world.config)
    assert (result["diff"][0]["before"], result["diff"][0]["after"]) == (text, "")


def test_a_file_that_wasmtime_refuses_is_removed_too(world):
    world.write(b"\xff")
    assert absent(world)["diff"][0]["before"] == "\ufffd"


def test_an_empty_file_is_removed_with_a_diff(world):
    world.write("")
    assert absent(world)["changed"] is True


def test_a_link_is_removed_and_its_target_stays(world):
    target = world.tree / "target"
    target.write_text("[cache]\n")
    world.config.symlink_to(target)
    assert absent(world)["changed"] is True
    assert not world.config.is_symlink()
    assert target.read_text() == "[cache]\n"


def test_a_dangling_link_is_removed(world):
    world.config.symlink_to("no")
    assert absent(world, backup=True)["changed"] is True
    assert not world.config.is_symlink()


def test_what_is_not_there_is_not_removed(world):
    assert absent(world)["changed"] is False
    assert absent(world, path=str(world.tree / "no" / "config.toml"))["changed"] is False


@as_root
def test_root_removes_nothing_behind_a_link_of_the_system(world):
    world.write("[cache]\n")
    said = world.refused(path="/proc/self/root%s" % world.config, state="absent")
    assert said.endswith(
        ': it cannot be removed: "/proc/self" is a link of the system, as in /proc: root does not follow it; name what it'
        " leads to"
    )


@as_root
def test_what_of_a_file_cannot_be_kept_is_told_before_it_is_removed(world):
    world.write("[cache]\n", mode=0o640)
    give(world.config, STRANGER)
    with without_capabilities(CHOWN):
        said = world.refused(state="absent", backup=True)
        assert said.startswith("%s: no backup can be made, so nothing was changed: root may not give it" % world.config)
        # Without a backup, nothing has to be kept.
        assert absent(world)["changed"] is True


def test_a_file_whose_backup_cannot_be_beside_it_stays():
    with place() as there:
        target = new(there / "closed") / "target.toml"
        target.write_text("[cache]\n")
        (there / "config.toml").symlink_to(target)
        if ROOT:
            for path in (target, target.parent, there / "config.toml"):
                give(path, NOBODY)
        target.parent.chmod(0o555)
        options = {"state": "absent", "directory": None}
        for check in (True, False):
            said = run_without_root(there, check=check, backup=True, **options)["msg"]
            assert "config.toml: no backup can be made, so nothing was changed: the user " in said
            assert 'may not write in "%s"' % target.parent in said
        assert run_without_root(there, **options)["changed"] is True
        assert target.exists()


def test_a_removed_file_is_kept_as_a_backup(world):
    world.write("[cache]\n")
    assert "backup_file" not in world.run(check=True, state="absent", backup=True)
    result = world.run(state="absent", backup=True)
    assert open(result["backup_file"]).read() == "[cache]\n"  # noqa: PTH123, SIM115


def test_a_directory_is_not_removed(world):
    world.config.mkdir()
    assert "it is a directory, not a config file; name the file in it" in world.refused(state="absent")


def test_a_file_in_a_read_only_directory_is_not_removed():
    with place() as there:
        (there / "etc").mkdir()
        (there / "etc" / "config.toml").write_text("[cache]\n")
        (there / "etc").chmod(0o555)
        messages = {
            run_without_root(
                there, path=str(there / "etc" / "config.toml"), directory=None, state="absent", check=check
            )["msg"]
            for check in (True, False)
        }
        assert len(messages) == 1
        assert "it cannot be removed: the user " in messages.pop()


@as_root
def test_a_file_that_the_system_keeps_is_told():
    # In a sticky directory everybody may write, and only the owner may remove.
    with place() as there:
        (there / "config.toml").write_text("[cache]\n")
        os.chown(str(there), 0, 0)
        there.chmod(0o1777)
        messages = {
            run_without_root(there, directory=None, state="absent", check=check)["msg"] for check in (True, False)
        }
        assert len(messages) == 1
        assert "it cannot be removed: only its owner may replace or remove it in " in messages.pop()
        assert (there / "config.toml").exists()


@pytest.mark.parametrize(
    "options",
    [
        {"cleanup_interval": "1h"},
        {"enabled": False},
        {"unset": ["directory"]},
        {"exclusive": True},
        {"directory": "/x"},
        {"baseline_compression_level": 0},
        # The first of several, in the order of the documentation.
        {"cleanup_interval": "1h", "enabled": True, "unset": ["directory"], "exclusive": True},
    ],
)
def test_absent_and_contents_contradict_each_other(world, options):
    world.write("[cache]\n")
    message = world.refused(state="absent", **options)
    assert message == (
        "%s cannot be combined with state=absent, which removes the whole file; leave one of them out"
        % next(iter(options))
    )
