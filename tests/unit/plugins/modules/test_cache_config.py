# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that writes, run in process on real files."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config import edit as _edit
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import MAX_BYTES
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.edit import HEADER
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import DIALECTS, MAJOR_MAX
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.words import format_value, versions_of
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import directory as _directory
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import make_directory as _make_directory
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import write as _write
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import common as _common
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import config_info
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import installed_version as _installed_version
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import plan as _plan
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import remove as _remove
from ansible_collections.wasmops.wasmtime.plugins.modules import cache_config, cache_config_info
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.documents import READS_1_0, READS_1_1
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    NOBODY,
    STRANGER,
    give,
    place,
    without_root,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import (
    World,
    execute_without_root,
    warnings_of,
)

ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="only root can give files to others")
EVERYTHING = {
    "worker_event_queue_size": "32",
    "baseline_compression_level": 1,
    "optimized_compression_level": 19,
    "optimized_compression_usage_counter_threshold": "1K",
    "cleanup_interval": "2h",
    "optimizing_compression_task_timeout": "45m",
    "allowed_clock_drift_for_files_from_future": "2d",
    "file_count_soft_limit": 100000,
    "files_total_size_soft_limit": "2Gi",
    "file_count_limit_percent_if_deleting": 80,
    "files_total_size_limit_percent_if_deleting": "90%",
}


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


# Creating


def test_a_new_file_has_a_comment_and_what_is_asked_for(world):
    result = world.both(**EVERYTHING)
    assert result["changed"] is True
    assert result["created"] is True
    assert world.config.read_text() == HEADER + (
        'directory = "%s"\n'
        'worker-event-queue-size = "32"\n'
        "baseline-compression-level = 1\n"
        "optimized-compression-level = 19\n"
        'optimized-compression-usage-counter-threshold = "1K"\n'
        'cleanup-interval = "2h"\n'
        'optimizing-compression-task-timeout = "45m"\n'
        'allowed-clock-drift-for-files-from-future = "2d"\n'
        'file-count-soft-limit = "100000"\n'
        'files-total-size-soft-limit = "2Gi"\n'
        'file-count-limit-percent-if-deleting = "80%%"\n'
        'files-total-size-limit-percent-if-deleting = "90%%"\n' % world.cache
    )
    assert mode_of(world.config) == 0o644
    assert mode_of(world.cache) == 0o700
    assert result["effective"] == {
        "directory": str(world.cache),
        "worker_event_queue_size": 32,
        "baseline_compression_level": 1,
        "optimized_compression_level": 19,
        "optimized_compression_usage_counter_threshold": 1000,
        "cleanup_interval": 7200,
        "optimizing_compression_task_timeout": 2700,
        "allowed_clock_drift_for_files_from_future": 172800,
        "file_count_soft_limit": 100000,
        "files_total_size_soft_limit": 2147483648,
        "file_count_limit_percent_if_deleting": 80,
        "files_total_size_limit_percent_if_deleting": 90,
    }
    assert result["settings"] == dict(
        EVERYTHING,
        directory=str(world.cache),
        file_count_soft_limit="100000",
        file_count_limit_percent_if_deleting="80%",
    )
    assert result["changed_settings"]["cleanup_interval"] == {"before": None, "after": "2h"}
    assert result["removed"] == result["problems"] == []
    assert result["wasmtime_version"] is None
    assert result["path"] == str(world.config)
    assert "warnings" not in result


def test_without_options_the_user_s_own_paths_are_used(world):
    result = world.both(path=..., directory=...)
    assert result["path"] == str(world.home / ".config" / "wasmtime" / "config.toml")
    assert (world.home / ".config" / "wasmtime" / "config.toml").read_text() == HEADER
    assert result["directory"]["path"] == str(world.home / ".cache" / "wasmtime")
    assert mode_of(world.home / ".cache" / "wasmtime") == 0o700
    assert mode_of(world.home / ".cache") == mode_of(world.home / ".config") == 0o755


def test_a_tilde_is_the_home_of_the_user_that_the_task_runs_as(world):
    result = world.both(path="~/c/config.toml", directory="$HOME/d")
    assert result["path"] == str(world.home / "c" / "config.toml")
    assert result["settings"] == {"directory": str(world.home / "d")}


def test_the_alias_dest_is_path(world):
    assert world.both(path=..., dest=str(world.config))["path"] == str(world.config)
    assert world.config.exists()


@pytest.mark.parametrize(
    ("above", "wanted"), [(0o755, 0o755), (0o700, 0o700), (0o750, 0o750), (0o711, 0o711), (0o777, 0o755)]
)
@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_missing_parents_get_the_mode_above_and_are_never_open_to_others(world, above, wanted, umask):
    world.tree.chmod(above)
    world.config = world.tree / "new" / "deep" / "config.toml"
    world.cache = world.tree / "other" / "deep" / "cache"
    os.umask(umask)
    world.both(ignore_dangers=["directory-replaceable"])
    expected = wanted if ROOT else wanted & ~umask
    for name in ("new", "other"):
        assert mode_of(world.tree / name) == mode_of(world.tree / name / "deep") == expected
    assert mode_of(world.cache) == 0o700
    # As for every new file, the umask says who reads it, and nobody else writes it.
    assert mode_of(world.config) == 0o644 & ~umask


@as_root
def test_missing_parents_belong_to_the_owner_of_the_directory_above(world):
    home = world.tree / "user"
    home.mkdir()
    os.chown(str(home), STRANGER, STRANGER)
    world.config, world.cache = home / "c" / "config.toml", home / "d" / "cache"
    world.both()
    for path in (home / "c", home / "d", home / "d" / "cache"):
        assert (path.stat().st_uid, path.stat().st_gid) == (STRANGER, STRANGER)


def test_a_new_file_has_a_diff_of_its_text_and_of_the_directory(world):
    result = world.both()
    text, directory = result["diff"]
    assert (text["before"], text["after"]) == ("", world.config.read_text())
    assert text["before_header"] == text["after_header"] == str(world.config)
    assert directory["before_header"] == "%s (cache directory)" % world.cache
    assert directory["before"]["exists"] is False
    assert directory["after"]["mode"] == "0700"


def test_without_diff_mode_there_is_no_diff(world):
    options = {"path": str(world.config), "directory": str(world.cache)}
    assert "diff" not in world.execute(cache_config, True, options, diff=False)


# Merging


MESSY = (
    "\ufeff# kept\r\n"
    "[cache]   # kept too\r\n"
    "\tcleanup-interval='60m' # an hour\r\n"
    "\r\n"
    '# cleanup-interval = "9h"\r\n'
    '"file-count-soft-limit" =  "5"'
)


@pytest.mark.parametrize(
    ("before", "options", "after"),
    [
        (MESSY, {"cleanup_interval": "2h"}, MESSY.replace("'60m'", '"2h"')),
        (MESSY, {"file_count_soft_limit": 6}, MESSY.replace('"5"', '"6"')),
        (MESSY, {"unset": ["cleanup_interval"]}, MESSY.replace("\tcleanup-interval='60m' # an hour\r\n", "")),
        (MESSY, {"unset": ["file-count-soft-limit"]}, MESSY.replace('"file-count-soft-limit" =  "5"', "")),
        (
            MESSY,
            {"exclusive": True, "cleanup_interval": "1h"},
            MESSY.replace('"file-count-soft-limit" =  "5"', ""),
        ),
        (
            MESSY,
            {"baseline_compression_level": 2},
            MESSY + "\r\nbaseline-compression-level = 2",
        ),
        ("cache = {}\n", {"cleanup_interval": "2h"}, 'cache = { cleanup-interval = "2h" }\n'),
        (
            "cache.cleanup-interval = '1h'\n# end",
            {"cleanup_interval": "2h"},
            'cache.cleanup-interval = "2h"\n# end',
        ),
        ("cache.cleanup-interval = '1h'", {"unset": ["cleanup_interval"]}, "[cache]\n"),
        ("[cache]\nenabled = true\n# x\n", {}, "[cache]\n# x\n"),
        ("[cache]\nenabled = true", {"unset": ["directory"]}, "[cache]\n"),
    ],
)
def test_only_what_is_asked_for_changes(world, before, options, after):
    world.write(before)
    options = dict({"directory": ...}, **options)
    result = world.both(create_directory=False, ignore_dangers=["directory-replaceable"], **options)
    assert result["changed"] is True
    assert result["created"] is False
    assert world.config.read_bytes().decode("utf-8") == after
    assert result["diff"][0]["before"] == before
    assert result["diff"][0]["after"] == after


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cleanup_interval": "1h"},
        {"cleanup_interval": "3600s"},
        {"cleanup_interval": " 60 m"},
        {"file_count_soft_limit": 5},
        {"file_count_soft_limit": "05"},
        {"unset": ["directory", "baseline-compression-level"]},
        {"exclusive": True, "cleanup_interval": "1h", "file_count_soft_limit": 5},
        {"mode": "0600"},
        {"mode": "u=rw,go="},
        {"wasmtime_version": "42.0.2"},
        {"wasmtime_version": "50"},
        {"create": False},
        {"backup": True},
        {"force": True},
    ],
    ids=str,
)
def test_what_is_so_already_is_left_as_it_is_spelled(world, options):
    world.write(MESSY, mode=0o600)
    result = world.both(directory=..., create_directory=False, **options)
    assert result["changed"] is False
    assert result["changed_settings"] == {}
    assert "backup_file" not in result
    assert world.config.read_bytes() == MESSY.encode("utf-8")


def test_the_changes_are_returned_with_both_values(world):
    world.write("[cache]\nenabled = true\ncleanup-interval = '1h'\nbaseline-compression-level = 1\n")
    result = world.both(cleanup_interval="2h", unset=["baseline_compression_level"])
    assert result["changed_settings"] == {
        "enabled": {"before": True, "after": None},
        "directory": {"before": None, "after": str(world.cache)},
        "baseline_compression_level": {"before": 1, "after": None},
        "cleanup_interval": {"before": "1h", "after": "2h"},
    }
    assert result["removed"] == ["enabled", "baseline_compression_level"]


def test_the_file_behind_a_link_is_written_and_the_link_stays(world):
    world.write("[cache]\n", mode=0o640)
    target = world.tree / "real" / "target.toml"
    target.parent.mkdir()
    world.config.rename(target)
    world.config.symlink_to("../real/target.toml")
    result = world.both(cleanup_interval="2h")
    assert result["changed"] is True
    assert os.readlink(str(world.config)) == "../real/target.toml"
    assert 'cleanup-interval = "2h"' in target.read_text()
    assert mode_of(target) == 0o640
    assert sorted(path.name for path in target.parent.iterdir()) == ["target.toml"]


def test_a_config_below_a_linked_directory_is_found(world):
    (world.tree / "link").symlink_to(world.config.parent)
    world.config = world.tree / "link" / "config.toml"
    world.both()
    assert (world.tree / "etc" / "config.toml").is_file()
    assert (world.tree / "link").is_symlink()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755])
def test_the_mode_of_the_file_is_kept(world, mode):
    world.write("[cache]\n", mode=mode)
    world.both(cleanup_interval="2h")
    assert mode_of(world.config) == mode


@as_root
def test_the_owner_of_the_file_is_kept(world):
    world.write("[cache]\n")
    os.chown(str(world.config), STRANGER, STRANGER)
    world.both(cleanup_interval="2h")
    assert (world.config.stat().st_uid, world.config.stat().st_gid) == (STRANGER, STRANGER)


def test_other_names_of_the_file_keep_the_old_text(world):
    world.write("[cache]\n")
    os.link(str(world.config), str(world.tree / "other"))
    world.run(cleanup_interval="2h")
    assert (world.tree / "other").read_text() == "[cache]\n"


def test_unsafe_writes_are_passed_on(world):
    world.write("[cache]\n")
    world.both(cleanup_interval="2h", unsafe_writes=True)
    assert 'cleanup-interval = "2h"' in world.config.read_text()


# Attributes


@pytest.mark.parametrize("mode", ["0600", "u=rw,go=", 0o600])
def test_the_mode_of_the_file_is_set_and_shown(world, mode):
    world.write("[cache]\n")
    world.cache.mkdir(0o700)
    world.run()
    result = world.both(mode=mode)
    assert result["changed"] is True
    assert mode_of(world.config) == 0o600
    (attributes,) = result["diff"]
    assert attributes["before_header"] == "%s (file attributes)" % world.config
    assert (attributes["before"]["mode"], attributes["after"]["mode"]) == ("0644", "0600")


@as_root
def test_the_owners_of_the_file_are_set_and_shown(world):
    world.cache.mkdir(0o700)
    world.run()
    result = world.both(owner=str(STRANGER), group=str(STRANGER + 1))
    status = world.config.stat()
    assert (status.st_uid, status.st_gid) == (STRANGER, STRANGER + 1)
    (attributes,) = result["diff"]
    assert (attributes["before"], attributes["after"]) == (
        {"owner": 0, "group": 0},
        {"owner": STRANGER, "group": STRANGER + 1},
    )
    world.both(owner="0", group="0", mode="0600", cleanup_interval="2h")
    status = world.config.stat()
    assert (status.st_uid, status.st_gid, mode_of(world.config)) == (0, 0, 0o600)


@as_root
def test_only_the_owner_changes_the_mode(monkeypatch):
    with place() as there:
        monkeypatch.setenv("HOME", str(there))
        config = there / "config.toml"
        config.write_text("[cache]\n")
        options = {"path": str(config), "directory": None, "create_directory": False, "mode": "0604"}
        for check in (True, False):
            result = run_without_root(there, check=check, **options)
            assert result["msg"].endswith(
                "it cannot be given another owner, group or mode: only its owner root may do that"
            )


@as_root
def test_root_sets_no_attributes_where_users_can_swap_files(world):
    world.write("[cache]\n")
    os.chown(str(world.config.parent), STRANGER, STRANGER)
    message = world.refused(attributes="+d", directory=..., create_directory=False)
    assert "it cannot be given attributes: others can swap what is in" in message


@pytest.mark.parametrize("attributes", ["+dA", "=dA"])
def test_attributes_are_set_once(world, attributes):
    world.write("[cache]\n")
    if subprocess.run(["chattr", "+d", world.config], check=False, capture_output=True).returncode:
        pytest.skip("there is no chattr, or the file system has no attributes")
    options = {"attributes": attributes, "directory": ..., "create_directory": False}
    result = world.both(**options)
    assert result["changed"] is True
    assert "d" in result["diff"][0]["before"]["attributes"]


def test_a_new_file_gets_its_mode(world):
    world.both(mode="0600")
    assert mode_of(world.config) == 0o600


@pytest.mark.parametrize("mode", ["0664", "0646", "0666", "g+w"])
@pytest.mark.parametrize("exists", [True, False])
def test_a_file_that_others_could_write_is_refused_and_taken_if_allowed(world, mode, exists):
    if exists:
        world.run()
    message = world.refused(mode=mode)
    assert "the change would be dangerous (ignore_dangers: [file-writable-by-others] allows it)" in message
    assert "choose the cache directory, whose code is run; set mode to 0644" in message
    result = world.both(mode=mode, ignore_dangers=["file-writable-by-others"])
    assert mode_of(world.config) & 0o022
    assert [(problem["code"], problem["severity"]) for problem in result["problems"]] == [
        ("file-writable-by-others", "danger")
    ]
    assert result["problems"][0]["message"] in str(warnings_of(result))
    # It is no danger of the directory.
    assert result["directory"]["dangers"] == []


def test_a_file_that_others_can_write_is_told_if_old_and_mended_if_asked(world):
    world.run()
    world.config.chmod(0o666)
    result = world.both(cleanup_interval="2h")
    assert result["changed"] is True
    assert [problem["code"] for problem in result["problems"]] == ["file-writable-by-others"]
    assert "others than its owner can write to the file" in str(warnings_of(result))
    assert mode_of(world.config) == 0o666
    # Another mode with the same danger is no new one.
    assert world.both(mode="0664")["changed"] is True
    result = world.both(mode="0644")
    assert (result["changed"], result["problems"]) == (True, [])
    assert "warnings" not in result


@pytest.mark.parametrize("exists", [True, False])
def test_a_file_that_others_can_replace_is_refused_if_new_and_told_if_old(public_world, exists):
    if exists:
        public_world.run()
    public_world.config.parent.chmod(0o777)
    if not exists:
        message = public_world.refused()
        assert "the change would be dangerous (ignore_dangers: [file-writable-by-others] allows it)" in message
        assert 'as they can write to "%s"' % public_world.config.parent in message
    ignored = [] if exists else ["file-writable-by-others"]
    result = public_world.both(cleanup_interval="2h", ignore_dangers=ignored)
    assert (result["changed"], [problem["code"] for problem in result["problems"]]) == (
        True,
        ["file-writable-by-others"],
    )


def test_all_that_is_wrong_is_told_together(world):
    world.cache.mkdir()
    world.cache.chmod(0o777)
    codes = ["file-writable-by-others", "directory-writable-by-others"]
    message = world.refused(mode="0666", file_count_soft_limit="0")
    assert "(ignore_dangers: [%s] allows it)" % ", ".join(sorted(codes)) in message
    result = world.both(mode="0666", file_count_soft_limit="0", ignore_dangers=codes)
    assert [problem["code"] for problem in result["problems"]] == ["empties-itself", *codes]
    assert result["directory"]["dangers"] == ["directory-writable-by-others"]


@as_root
@pytest.mark.parametrize(
    ("umask", "options", "readable"),
    [
        (0o022, {}, True),
        (0o077, {}, False),
        (0o027, {}, False),
        (0o077, {"mode": "0644"}, True),
        (0o022, {"mode": "0600"}, False),
        (0o022, {"mode": "0640"}, False),
        (0o022, {"mode": "0640", "group": str(NOBODY)}, True),
        (0o027, {"group": str(NOBODY)}, True),
        (0o077, {"owner": str(NOBODY)}, True),
        (0o022, {"mode": "0600", "owner": str(NOBODY)}, True),
        (0o022, {"mode": "0200", "owner": str(NOBODY)}, False),
        (0o022, {"mode": "0600", "owner": str(STRANGER)}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("exists", [True, False])
def test_a_file_that_the_directory_s_owner_could_not_read_is_refused(public_world, umask, options, readable, exists):
    world = public_world
    os.umask(umask)
    if exists:
        world.run()
        world.cache.rmdir()
    options = dict(options, directory_owner=str(NOBODY))
    if not readable:
        message = world.refused(**options)
        assert "nothing was changed: nobody may not read the file; set mode to 0644, or group" in message
        return
    assert world.both(**options)["problems"] == []
    with without_root():
        assert world.config.read_text().startswith(HEADER[:10])
        (world.cache / "modules").mkdir()


@as_root
@pytest.mark.parametrize("exists", [True, False])
def test_a_directory_that_its_owner_could_not_reach_is_refused(public_world, exists):
    world = public_world
    world.tree.chmod(0o700)
    world.config = world.root / "config.toml"
    if exists:
        world.cache.mkdir()
    message = world.refused(directory_owner=str(NOBODY))
    assert "nothing was changed: nobody may not enter " in message
    assert "use a directory that it can reach" in message
    world.tree.chmod(0o711)
    assert world.both(directory_owner=str(NOBODY))["problems"] == []


@as_root
def test_a_directory_that_its_owner_must_create_must_be_one_that_it_can(public_world):
    world = public_world
    options = {"directory_owner": str(NOBODY), "create_directory": False}
    assert "nobody cannot create it in" in world.refused(**options)
    os.chown(str(world.tree), NOBODY, NOBODY)
    result = world.both(**options)
    assert (result["problems"], result["directory"]["exists"]) == ([], False)


@as_root
def test_what_the_old_owner_left_in_a_directory_is_a_danger_to_the_new_one(public_world):
    world = public_world
    (world.cache / "modules").mkdir(parents=True)
    os.chown(str(world.cache), STRANGER, STRANGER)
    os.chown(str(world.cache / "modules"), STRANGER, STRANGER)
    world.cache.chmod(0o700)
    message = world.refused(directory_owner=str(NOBODY))
    assert 'holds what belongs to others ("modules")' in message
    assert "ignore_dangers: [directory-writable-by-others]" in message
    assert world.both(directory_owner=str(STRANGER))["problems"] == []


@as_root
def test_a_group_to_be_created_by_then_may_be_the_one_that_reads_the_file(public_world):
    world = public_world
    options = {"directory_owner": str(NOBODY), "group": "nobody-has-this-name"}
    assert world.run(check=True, mode="0640", **options)["changed"] is True
    assert "may not read the file" in world.run(check=True, mode="0600", **options)["msg"]


@as_root
def test_owner_and_group_are_set(public_world):
    world = public_world
    result = world.both(owner=str(STRANGER), group=str(STRANGER), directory_owner=str(STRANGER), directory_group="0")
    assert (world.config.stat().st_uid, world.config.stat().st_gid) == (STRANGER, STRANGER)
    assert (world.cache.stat().st_uid, world.cache.stat().st_gid) == (STRANGER, 0)
    assert result["directory"]["owner"] == str(STRANGER)
    world.config.chmod(0o600)
    assert world.both(owner="0", mode="0644")["changed"] is True


@pytest.mark.parametrize("option", ["owner", "group", "directory_owner", "directory_group"])
@pytest.mark.parametrize("exists", [True, False])
def test_an_owner_to_be_created_by_then_is_no_failure_in_a_dry_run(world, option, exists):
    if exists:
        world.run()
    before = world.snapshot()
    dry = world.run(check=True, **{option: "nobody-has-this-name"})
    assert world.snapshot() == before
    assert dry["changed"] is True
    kind = "group" if option.endswith("group") else "user"
    assert "%s: there is no %s nobody-has-this-name yet" % (option, kind) in str(warnings_of(dry))
    real = world.run(**{option: "nobody-has-this-name"})
    assert real["failed"] is True
    assert real["msg"] == "%s: there is no %s nobody-has-this-name; create it first" % (option, kind)
    assert world.snapshot() == before
    if option == "directory_owner":
        assert dry["diff"][-1]["after"]["owner"] == "nobody-has-this-name"
    if option == "directory_group":
        assert dry["diff"][-1]["after"]["group"] == "nobody-has-this-name"


@pytest.mark.parametrize("option", ["owner", "group", "directory_owner", "directory_group"])
def test_only_root_gives_files_away(option):
    with place() as there:
        result = run_without_root(there, **{option: "0"})
        assert "%s: only root can give a file to 0" % option in result["msg"]
        assert not list(there.iterdir())


def run_without_root(there, **options):
    """Run the module in a directory that belongs to whom root becomes."""
    options = dict({"path": str(there / "config.toml"), "directory": str(there / "cache")}, **options)
    return execute_without_root(cache_config, **options)


@pytest.mark.parametrize("option", ["mode", "directory_mode"])
@pytest.mark.parametrize("mode", ["rwxr-xr-x", "9", "77777", "-1", "preserve", 10**6, True, ["0700"], "u=rwq"], ids=str)
def test_what_is_no_mode_is_refused_before_anything_is_written(world, option, mode):
    said = world.refused(**{option: mode})
    assert "%s: " % option in said
    assert said.endswith(' is not a mode; write octal digits in quotes, like "0700"')


@pytest.mark.parametrize("option", ["mode", "directory_mode"])
@pytest.mark.parametrize(
    ("mode", "is_octal"), [(644, "1204"), (700, "1274"), (400, "0620"), (755, "1363"), (777, "1411")]
)
def test_a_mode_without_quotes_is_refused_with_the_one_that_was_meant(
    world: World, option: str, mode: int, is_octal: str
) -> None:
    said = world.refused(**{option: mode})
    assert '%s: %d without quotes is a decimal number, mode %s; write "0%d"' % (option, mode, is_octal, mode) in said


@pytest.mark.parametrize("mode", [0o700, 0o711, 0o750, 0o755, 0o1750, 0o2750])
def test_a_number_that_yaml_made_of_octal_digits_is_a_mode(world: World, mode: int) -> None:
    world.both(directory_mode=mode)
    assert mode_of(world.cache) == mode


# The directory


@pytest.mark.parametrize(
    ("mode", "option", "wanted"),
    [
        (0o755, None, 0o755),
        (0o755, "0700", 0o700),
        (0o755, "g-rx,o-rx", 0o700),
        (0o777, "0750", 0o750),
        (0o777, 0o700, 0o700),
        (None, "0750", 0o750),
        (None, "u=rwx,g=rx,o=", 0o750),
        (None, None, 0o700),
        (None, "2750", 0o2750),
    ],
)
def test_the_mode_of_the_directory(world, mode, option, wanted):
    if mode is not None:
        world.cache.mkdir()
        world.cache.chmod(mode)
    result = world.both(directory_mode=... if option is None else option)
    assert mode_of(world.cache) == wanted
    assert result["directory"]["mode"] == "%04o" % wanted


def test_a_directory_is_not_created_if_that_is_not_wanted(world):
    result = world.both(create_directory=False)
    assert result["directory"]["exists"] is False
    assert not world.cache.exists()


def test_a_directory_alone_is_a_change(world):
    world.run()
    world.cache.rmdir()
    result = world.both()
    assert result["changed"] is True
    assert world.cache.is_dir()
    assert [part["after_header"] for part in result["diff"]] == ["%s (cache directory)" % world.cache]


def test_a_default_directory_is_created_for_a_file_that_names_none(world):
    world.write("[cache]\n")
    result = world.both(directory=...)
    assert result["changed"] is True
    assert mode_of(world.home / ".cache" / "wasmtime") == 0o700
    assert world.config.read_text() == "[cache]\n"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda world: world.cache.chmod(0o777), "directory-writable-by-others"),
        (lambda world: (world.cache / "data").write_bytes(b""), "directory-foreign-files"),
        (lambda world: (world.cache / "link").symlink_to("/"), "directory-symbolic-link"),
        (lambda world: world.tree.chmod(0o777), "directory-replaceable"),
    ],
    ids=["writable", "foreign", "link", "replaceable"],
)
def test_a_dangerous_directory_is_refused_if_new_told_if_old_and_taken_if_allowed(world, spoil, code):
    world.cache.mkdir(0o700)
    spoil(world)
    message = world.refused()
    assert "the change would be dangerous (ignore_dangers: [%s] allows it)" % code in message
    result = world.both(ignore_dangers=[code])
    assert [problem["code"] for problem in result["problems"]] == [code]
    assert result["directory"]["dangers"] == [code]
    assert result["problems"][0]["message"] in warnings_of(result)[0]
    # By now it was there before.
    again = world.both(cleanup_interval="2h")
    assert again["changed"] is True
    assert result["problems"][0]["message"] in warnings_of(again)[0]


def test_another_dangerous_directory_is_not_what_was_there_before(world):
    for name in ("one", "two"):
        (world.tree / name).mkdir()
        (world.tree / name).chmod(0o777)
    world.write("[cache]\ndirectory = '%s'\n" % (world.tree / "one"))
    assert "directory-writable-by-others" in world.refused(directory=str(world.tree / "two"))


def test_a_system_directory_is_refused(world):
    assert "directory-not-dedicated" in world.refused(directory="/var/../usr")


# Dangers and errors of the settings


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"worker_event_queue_size": "1P"}, "queue-memory"),
        ({"files_total_size_soft_limit": "300Pi"}, "limit-overflow"),
        ({"allowed_clock_drift_for_files_from_future": "9223372036854775807s"}, "clock-overflow"),
        ({"cleanup_interval": "307445734561825861m", "wasmtime_version": "42"}, "duration-wraps"),
    ],
)
def test_a_dangerous_setting_is_refused_if_new_told_if_old_and_taken_if_allowed(world, options, code):
    version = {key: value for key, value in options.items() if key == "wasmtime_version"}
    assert "(ignore_dangers: [%s] allows it)" % code in world.refused(**options)
    result = world.both(ignore_dangers=[code], **options)
    assert [(problem["code"], problem["severity"]) for problem in result["problems"]] == [(code, "danger")]
    assert result["directory"]["dangers"] == []
    assert result["warnings"]
    again = world.both(baseline_compression_level=1, **version)
    assert again["changed"] is True
    assert again["problems"]


def test_a_warning_is_returned_and_no_warning_of_ansible(world):
    result = world.both(worker_event_queue_size=1)
    assert [problem["code"] for problem in result["problems"]] == ["small-queue"]
    assert "warnings" not in result


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"cleanup_interval": "60"},
            'cleanup_interval: "60" has no unit; write a whole number followed by s, m, h or d',
        ),
        ({"cleanup_interval": 60}, "cleanup_interval: 60 has no unit"),
        ({"cleanup_interval": "1w"}, 'cleanup_interval: "1w" has the unknown unit "w"'),
        ({"file_count_soft_limit": -1}, "file_count_soft_limit: -1 is negative"),
        ({"file_count_soft_limit": "1Ki"}, 'file_count_soft_limit: "1Ki" has the unknown unit "Ki"'),
        ({"file_count_soft_limit": 2**64}, "file_count_soft_limit: 18446744073709551616 is more than 2^64-1"),
        ({"file_count_soft_limit": 1.5}, "file_count_soft_limit: 1.5 is a float, not a string"),
        ({"file_count_soft_limit": ["1"]}, "is an array, not a string"),
        ({"files_total_size_soft_limit": "99999999Pi"}, "is more than 2^64-1"),
        ({"file_count_limit_percent_if_deleting": "70 percent"}, 'has the unknown unit "percent"'),
        ({"file_count_limit_percent_if_deleting": 300}, "is more than 255"),
        (
            {"file_count_limit_percent_if_deleting": 101},
            'file-count-limit-percent-if-deleting = "101%" is more than 100%',
        ),
        (
            {"baseline_compression_level": 22, "optimized_compression_level": 22},
            "baseline-compression-level = 22 is not in 0..21",
        ),
        (
            {"baseline_compression_level": 21},
            "baseline-compression-level (21) is higher than optimized-compression-level (20)",
        ),
        ({"baseline_compression_level": "many"}, "baseline_compression_level"),
        ({"baseline_compression_level": 2**31}, "baseline_compression_level: 2147483648 is out of range"),
        ({"cleanup_interval": "307445734561825861m"}, "is more than 2^64-1 seconds"),
        ({"directory": "relative/dir"}, 'directory = "relative/dir" is not absolute'),
        ({"directory": ""}, 'directory = "" is not absolute'),
        ({"directory": "/x\0y"}, 'directory = "/x\\x00y" has a NUL character'),
        ({"directory": "/" + "x" * 300}, "is too long"),
        ({"unset": ["nonsense"]}, 'unset: "nonsense" is not a setting; name one of directory, worker_event_queue_size'),
        ({"unset": ["enabled"]}, 'unset: "enabled" is not a setting'),
        (
            {"unset": ["cleanup-interval"], "cleanup_interval": "1h"},
            "cleanup_interval is given a value and also named in unset",
        ),
        ({"enabled": True}, "enabled: Wasmtime 33 and later refuse this setting"),
        (
            {"wasmtime_version": "abc"},
            'wasmtime_version: "abc" is not a Wasmtime version; write a version like "42.0.2"',
        ),
        ({"wasmtime_version": ""}, 'wasmtime_version: "" is not a Wasmtime version'),
        ({"ignore_dangers": ["nonsense"]}, "ignore_dangers"),
        ({"path": "relative.toml"}, 'path is "relative.toml", which is not absolute; set path to an absolute path'),
        ({"path": ""}, 'path is "", which is not absolute'),
        ({"path": "/x\0y"}, "path has a NUL character"),
        ({"nonsense": 1}, "nonsense"),
        ({"state": "nonsense"}, "state"),
        ({"create": "nonsense"}, "create"),
    ],
    ids=lambda part: ascii(part)[:50] if isinstance(part, dict) else "",
)
@pytest.mark.parametrize("exists", [True, False])
def test_options_that_cannot_be_are_refused_in_one_sentence(world, options, message, exists):
    if exists:
        world.write("[cache]\n# mine\n")
    told = world.refused(**options)
    assert message in told
    assert "\n" not in told or "\n- " in told


# Files that are in the way


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
            ["line 2, column 20: cleanup-interval = 60 is an integer, not a string; write a whole number followed by"],
        ),
        ("[cache]\ncleanup-interval = '60'\n", ['line 2, column 20: cleanup-interval = "60" has no unit; write']),
        (
            "[cache]\nfile-count-soft-limit = '99999P'\n",
            ['file-count-soft-limit = "99999P" is more than 2^64-1; write'],
        ),
        (
            "[cache]\nbaseline-compression-level = 22\n",
            ["line 2, column 30: baseline-compression-level = 22 is not in 0..21"],
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
                "\n- line 4, column 20: cleanup-interval = 1 is",
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
    assert len(result["problems"]) == max(1, message.count("\n- "))
    assert result["path"] == str(world.config)


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
        (many, "the file has %d bytes; a cache config has" % (10 * 2**20 // 3 * 3)),
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
    assert world.refused(create=False) == "%s: there is no such file, and create is false" % world.config


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
        assert result["msg"].endswith("may not write in %s" % (there / "etc"))
        assert not (there / "cache").exists()


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
        assert result["msg"].endswith(" may not write in %s; %s" % (there / "closed", remedy))


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


def test_a_directory_in_the_way_of_the_cache_is_refused(world):
    world.cache.write_bytes(b"")
    assert "is not a directory; set directory to a path that can be created" in world.refused()


def test_a_user_without_home_needs_both_paths(world, monkeypatch):
    monkeypatch.setattr(_common, "user_default_paths", lambda: (None, None))
    assert "no home directory to find the default config in; set path" in world.refused(path=...)
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
        message = "%s: nothing was changed: it changed while it was read; run again when nothing else writes it"
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


def absent(world, **options):
    """Remove, in the four ways."""
    return world.both(state="absent", **options)


def test_a_file_is_removed_and_the_directory_stays(world):
    world.run()
    text = world.config.read_text()
    result = absent(world)
    assert result["changed"] is True
    assert not world.config.exists()
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
    ],
)
def test_absent_and_contents_contradict_each_other(world, options):
    world.write("[cache]\n")
    message = world.refused(state="absent", **options)
    assert message == (
        "state is absent, which removes the whole file, and %s asks for its contents; do one of both"
        % next(iter(options))
    )


# Versions


def test_moving_on_from_32_removes_enabled(world):
    world.write("# mine\n[cache]\nenabled = true # old\ncleanup-interval = '2h'\n")
    result = world.both(directory=..., wasmtime_version="42.0.2")
    assert world.config.read_text() == "# mine\n[cache]\ncleanup-interval = '2h'\n"
    assert result["removed"] == ["enabled"]
    assert result["wasmtime_version"] == "42.0.2"


def test_going_back_to_32_adds_enabled(world):
    world.write("[cache]\ncleanup-interval = '2h'\n")
    result = world.both(directory=..., wasmtime_version="32.0.0")
    assert world.config.read_text() == "[cache]\ncleanup-interval = '2h'\nenabled = true\n"
    assert result["changed_settings"] == {"enabled": {"before": None, "after": True}}


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("before", [None, "true", "false"])
def test_enabled_is_set_for_32(world, enabled, before):
    if before is not None:
        world.write("[cache]\nenabled = %s\n" % before)
    world.both(wasmtime_version="32", enabled=enabled)
    assert ("enabled = true" in world.config.read_text()) is enabled
    assert ("enabled = false" in world.config.read_text()) is not enabled


def test_a_switch_that_32_has_off_stays_off(world):
    world.write("[cache]\nenabled = false\n")
    assert world.both(directory=..., wasmtime_version="32", create_directory=False)["changed"] is False


def test_exclusive_keeps_what_32_demands(world):
    world.write("[cache]\nenabled = false\ncleanup-interval = '2h'\n")
    world.both(wasmtime_version="32", exclusive=True)
    assert "enabled = false" in world.config.read_text()
    assert "cleanup-interval" not in world.config.read_text()


def test_a_switch_that_is_off_cannot_move_on(world):
    world.write("[cache]\nenabled = false\n")
    assert "switch the cache off in the program" in world.refused()


@pytest.mark.parametrize("version", ["33", "42.0.2", "50"])
def test_what_the_cache_would_be_without_that_switch_is_reported_with_it(world, version):
    world.cache.mkdir(0o700)
    (world.cache / "notes.txt").touch()
    world.write("[cache]\nenabled = false\ndirectory = '%s'\ncleanup-interval = '1h'\n" % world.cache)
    result = world.both(directory=..., wasmtime_version=version)
    assert [problem["code"] for problem in result["problems"]] == ["enabled-refused", "directory-foreign-files"]
    assert "notes.txt" in result["msg"]
    # Another directory has nothing to do with that one.
    result = world.both(directory=str(world.tree / "other"), wasmtime_version=version)
    assert [problem["code"] for problem in result["problems"]] == ["enabled-refused"]
    # What is refused for another reason than the switch is no cache yet.
    world.write("[cache]\nzzz = 1\ndirectory = '%s'\n" % world.cache)
    result = world.both(directory=..., wasmtime_version=version)
    assert [problem["code"] for problem in result["problems"]] == ["unknown-key"]


@pytest.mark.parametrize(("enabled", "named"), [(True, False), (False, True)])
def test_the_option_names_what_does_switch_the_cache_off(world, enabled, named):
    text = world.refused(enabled=enabled, wasmtime_version="42.0.2")
    assert text.startswith("enabled: Wasmtime 33 and later refuse this setting")
    for switch in ("-C cache=n", "DISABLE_WASMTIME_CACHE=1", "EXTISM_CACHE_CONFIG="):
        assert (switch in text) is named


def test_a_switch_that_is_no_boolean_is_refused_everywhere(world):
    world.write("[cache]\nenabled = 1\n")
    assert "enabled = 1" in world.refused(wasmtime_version="32") or "enabled is an integer" in world.refused(
        wasmtime_version="32"
    )
    assert "enabled is refused" in world.refused()
    world.write("[cache]\nenabled = 'true'\n")
    assert "enabled is a string, not a boolean" in world.refused(wasmtime_version="32", enabled=True)


def test_several_versions_are_suited_at_once(world):
    result = world.both(wasmtime_version=["50", "42.0.2", " 48 "])
    assert result["wasmtime_version"] == "50, 42.0.2, 48"
    long = {"cleanup_interval": "307445734561825861m"}
    assert "is more than 2^64-1 seconds" in world.refused(wasmtime_version="42, 48", **long)


def test_no_file_suits_versions_before_and_after_33(world):
    assert "no file suits both; give each a file of its own" in world.refused(wasmtime_version=["42", "32"])


@pytest.mark.parametrize(("printed", "kept"), [("wasmtime 32.0.0", True), ("wasmtime 42.0.2 (abc 2026-01-01)", False)])
def test_the_wasmtime_on_path_is_asked_for_its_version(world, printed, kept):
    world.program("echo '%s'" % printed)
    result = world.both(wasmtime_version="auto")
    assert result["wasmtime_version"] == printed.split()[1]
    assert ("enabled = true" in world.config.read_text()) is kept


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (None, 'there is no wasmtime on PATH; write a version like "42.0.2" or "42"'),
        ("echo garbage", 'answered "garbage\\n", which names no version'),
        ("echo broken >&2; exit 1", "ended with status 1: broken"),
        ("echo half; exit 3", "ended with status 3: half"),
        ("exec sleep 60", "gave no answer in 1 seconds"),
        ("", "answered"),
    ],
    ids=["none", "garbage", "fails", "fails-on-stdout", "sleeps", "silent"],
)
def test_a_wasmtime_that_cannot_tell_its_version_is_an_error(world, monkeypatch, script, message):
    monkeypatch.setattr(_installed_version, "VERSION_TIMEOUT", 1)
    if script is not None:
        world.program(script)
    told = world.refused(wasmtime_version="auto")
    assert told.startswith("wasmtime_version: auto: ")
    assert message in told


def test_a_wasmtime_that_does_not_run_is_an_error(world):
    world.program("")
    (world.bin / "wasmtime").write_text("#!/no/such/interpreter\n")
    assert "does not run: No such file or directory" in world.refused(wasmtime_version="auto")


# Missing libraries


def without(monkeypatch, *names):
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)


PLATFORMDIRS = ("platformdirs", "platformdirs.unix", "platformdirs.macos")
PARSERS = ("tomllib", "tomli")


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        (("tomli_w",), ["tomli-w"]),
        (PARSERS, ["tomli"]),
        ((*PARSERS, "tomli_w"), ["tomli", "tomli-w"]),
        (PLATFORMDIRS, ["platformdirs"]),
        ((*PARSERS, "tomli_w", *PLATFORMDIRS), ["platformdirs", "tomli", "tomli-w"]),
    ],
    ids=str,
)
def test_missing_libraries_are_named_in_ansible_s_words(world, monkeypatch, missing, named):
    world.write("[cache]\n")
    without(monkeypatch, *missing)
    before = world.snapshot()
    path = ... if "platformdirs" in named else str(world.config)
    result = world.run(path=path, cleanup_interval="2h")
    assert result["missing_libraries"] == named
    assert "Failed to import the required Python library (%s)" % ", ".join(named) in result["msg"]
    assert world.snapshot() == before


def test_what_needs_no_library_does_without(world, monkeypatch):
    world.run()
    without(monkeypatch, "tomli_w", *PLATFORMDIRS)
    assert world.both()["changed"] is False
    without(monkeypatch, *PARSERS)
    assert absent(world)["changed"] is True


# Layouts that cannot be edited


def test_a_layout_that_is_too_complex_is_left_alone(world, monkeypatch):
    def refuse(*_arguments):
        raise _edit.CannotEdit("the layout of the file is too unusual to edit in place")

    world.write("[cache]\n")
    monkeypatch.setattr(_edit, "edit", refuse)
    assert world.refused() == (
        "%s: the layout of the file is too unusual to edit in place; change it by hand" % world.config
    )


def test_an_edit_that_does_not_say_what_was_meant_is_not_written(world, monkeypatch):
    world.write("[cache]\n")
    monkeypatch.setattr(_edit, "edit", lambda text, changes, loads: text + "cleanup-interval = '9h'\n")
    assert "its layout does not allow this change in place" in world.refused()


# Failures while writing


def full(*_arguments, **_options):
    raise OSError(28, "No space left on device")


def test_a_failure_while_writing_is_told_and_leaves_the_old_file(world, monkeypatch):
    world.write("[cache]\n")
    world.cache.mkdir(0o700)
    before = {path: entry[:4] + entry[6:] for path, entry in world.snapshot().items()}
    monkeypatch.setattr(os, "fsync", full)
    result = world.run(cleanup_interval="2h")
    assert result["msg"] == "%s: it cannot be written: No space left on device" % world.config
    assert (result["failed"], result["changed"]) == (True, False)
    assert {path: entry[:4] + entry[6:] for path, entry in world.snapshot().items()} == before


def test_a_failure_after_the_directory_was_made_says_so(world, monkeypatch):
    monkeypatch.setattr(os, "write", full)
    result = world.run()
    assert result["msg"].endswith("No space left on device; the cache directory was made or changed before that")
    assert (result["failed"], result["changed"]) == (True, True)
    assert world.cache.is_dir()
    assert not world.config.exists()


def test_a_file_that_cannot_be_removed_is_told(world, monkeypatch):
    world.write("[cache]\n")
    monkeypatch.setattr(os, "unlink", full)
    result = world.run(state="absent")
    assert result["msg"] == "%s: it cannot be removed: No space left on device" % world.config
    assert world.config.exists()


def raced(monkeypatch, act):
    """Have something done right before each write of the file."""
    write = _write.write

    def other_first(*arguments, **options):
        act()
        return write(*arguments, **options)

    monkeypatch.setattr(_write, "write", other_first)


@pytest.mark.parametrize("exists", [True, False])
def test_what_another_process_writes_meanwhile_is_merged_into(world, monkeypatch, exists):
    if exists:
        world.write("[cache]\n")
    theirs = iter(["[cache]\nbaseline-compression-level = 1\n", None])

    def other():
        text = next(theirs)
        if text:
            world.write(text)

    raced(monkeypatch, other)
    result = world.run(cleanup_interval="2h", backup=True)
    assert result["changed"] is True
    text = world.config.read_text()
    assert "baseline-compression-level = 1\n" in text
    assert 'cleanup-interval = "2h"' in text
    # What was done in vain has left nothing, and what was done is told.
    assert len(list(world.config.parent.iterdir())) == 2
    assert [part["after_header"] for part in result["diff"]] == [
        "%s (cache directory)" % world.cache,
        str(world.config),
    ]


def test_a_run_that_finds_its_work_done_by_another_has_still_made_the_directory(world, monkeypatch):
    world.write("[cache]\n")
    text = '[cache]\ndirectory = "%s"\n' % world.cache
    raced(monkeypatch, lambda: world.write(text))
    result = world.run()
    assert result["changed"] is True
    assert result["changed_settings"] == {}
    assert world.config.read_text() == text


def test_a_file_that_never_rests_is_given_up(world, monkeypatch):
    count = iter(range(10**6))
    raced(monkeypatch, lambda: world.write("[cache]\n# %d\n" % next(count)))
    result = world.run(cleanup_interval="2h")
    assert result["msg"] == "%s: another process keeps writing it; run again when none does" % world.config


def test_a_file_that_changes_before_it_is_removed_is_kept_if_a_backup_is_asked_for(world, monkeypatch):
    world.write("[cache]\n")
    unlink = _remove.unlink

    theirs = iter(["[cache]\n# theirs\n"])

    def other_first(*arguments):
        for text in theirs:
            world.write(text)
        return unlink(*arguments)

    monkeypatch.setattr(_remove, "unlink", other_first)
    result = world.run(state="absent", backup=True)
    assert result["changed"] is True
    assert Path(result["backup_file"]).read_text() == "[cache]\n# theirs\n"
    assert not world.config.exists()
    assert [part["before"] for part in result["diff"]] == ["[cache]\n# theirs\n"]


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            FileNotFoundError(2, "No such file or directory", "/x"),
            "another process changes it or what is above it meanwhile; run again when none does",
        ),
        (OSError(5, "Input/output error"), "the system fails: Input/output error; correct that first"),
        (OSError(5, "Input/output error", b"/x"), "the system fails: Input/output error (/x); correct that first"),
    ],
    ids=["gone", "no-name", "name"],
)
def test_what_fails_between_two_looks_is_told(world, monkeypatch, state, error, words):
    def gone(_path):
        raise error

    world.write("[cache]\n")
    monkeypatch.setattr(_plan if state == "present" else _remove, "resolve_file", gone)
    results = [world.run(state=state, cleanup_interval="2h" if state == "present" else None)]
    if state == "present":
        monkeypatch.setattr(config_info, "resolve_file", gone)
        results.append(world.info(path=str(world.config)))
    for result in results:
        assert result["failed"] is True
        assert result["msg"] == ("%s: %s" % (world.config, words))


def test_a_file_that_goes_before_ansible_looks_at_it_once_more_is_no_failure(world, monkeypatch):
    add_path_info = AnsibleModule.add_path_info

    def late(module, result):
        if result.get("path"):
            raise FileNotFoundError(2, "No such file or directory")
        return add_path_info(module, result)

    monkeypatch.setattr(AnsibleModule, "add_path_info", late)
    result = world.run()
    assert (result["changed"], result["path"]) == (True, str(world.config))
    assert world.run(mode="9")["failed"] is True
    assert world.info(path=str(world.config))["valid"] is True


@pytest.mark.parametrize("backup", [True, False])
@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
def test_what_is_no_file_is_not_removed(world, monkeypatch, kind, backup):
    if kind == "fifo":
        os.mkfifo(str(world.config))
    elif kind == "device":
        if not ROOT:
            pytest.skip("only root can make a device")
        os.mknod(str(world.config), 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    else:
        monkeypatch.chdir(world.config.parent)  # no path is short enough
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(world.config.name)
    message = world.refused(state="absent", backup=backup)
    assert message.endswith("it is not a regular file, so no config; remove it by hand if it is not needed")


def test_what_cannot_be_read_is_not_removed_if_a_backup_is_asked_for(world):
    world.write(b"#" * (MAX_BYTES + 1))
    assert "no backup can be made, so nothing was changed" in world.refused(state="absent", backup=True)
    absent(world)


@as_root
def test_root_creates_no_file_behind_a_user_s_link(world):
    link = world.tree / "link"
    link.symlink_to(world.config.parent)
    os.chown(str(link), STRANGER, STRANGER, follow_symlinks=False)
    assert "root does not follow it" in world.refused(path=str(link / "config.toml"))


@as_root
def test_root_creates_no_directory_behind_a_user_s_link(world):
    link = world.tree / "link"
    (world.tree / "real").mkdir()
    link.symlink_to(world.tree / "real")
    os.chown(str(link), STRANGER, STRANGER, follow_symlinks=False)
    message = world.refused(directory=str(link / "cache"), ignore_dangers=["directory-replaceable"])
    assert "root does not follow it" in message


def test_a_directory_that_another_process_makes_meanwhile_is_taken_as_it_is(world, monkeypatch):
    make = _make_directory.make

    def other_first(*arguments):
        if not world.cache.exists():
            world.cache.mkdir(0o750)
        make(*arguments)

    monkeypatch.setattr(_make_directory, "make", other_first)
    result = world.run()
    assert result["changed"] is True
    assert mode_of(world.cache) == 0o750
    assert world.config.exists()
    assert [part["after_header"] for part in result["diff"]] == [str(world.config)]


def test_what_may_not_be_looked_at_is_not_taken_for_absent():
    with place() as there:
        (there / "etc").mkdir()
        (there / "etc" / "config.toml").write_text("[cache]\n")
        (there / "etc").chmod(0o000)
        if os.geteuid() == 0:
            os.chown(str(there / "etc"), 0, 0)
        for check in (True, False):
            result = run_without_root(
                there, path=str(there / "etc" / "config.toml"), directory=None, state="absent", check=check
            )
            assert result["msg"].endswith("config.toml: it cannot be removed: Permission denied")


# Anything at all


TEXT = st.text(max_size=8) | st.sampled_from(
    ["1h", "70%", "16", "1Gi", "auto", "42", "0700", "/x", "present", "absent"]
)
ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT | st.lists(TEXT)
)
OPTIONS = sorted(set(cache_config.argument_spec()) - {"path", "directory", "create_directory", "wasmtime_version"})


@given(
    st.dictionaries(st.sampled_from(OPTIONS), ANYTHING, max_size=4),
    st.sampled_from([None, "[cache]\n", MESSY, "[cache]\nenabled = true\n", "", "[cache"]),
)
@settings(max_examples=80)
def test_no_options_raise_or_touch_what_a_dry_run_must_not(world, options, content):
    if content is None:
        if world.config.exists():
            world.config.unlink()
    else:
        world.write(content)
    before = world.snapshot()
    result = world.run(check=True, **options)
    assert world.snapshot() == before
    assert result.get("failed") or result["changed"] in (True, False)


def test_the_limit_of_size_is_the_engine_s_reader_s(world):
    world.write(b"[cache]\n#" + b"x" * (MAX_BYTES - 9))
    assert world.both(create_directory=False, directory=...)["changed"] is False


def test_a_cause_that_is_ignored_hides_nothing(world, monkeypatch):
    monkeypatch.setattr(_directory, "_SYSTEM", frozenset([str(world.cache)]))
    world.cache.mkdir(0o700)
    (world.cache / "notes.txt").touch()
    (world.cache / "link").symlink_to("nowhere")
    result = world.both()
    assert [problem["code"] for problem in result["problems"]] == ["directory-not-dedicated"]
    assert "ignore_dangers: [directory-not-dedicated]" in result["msg"]
    result = world.both(ignore_dangers=["directory-not-dedicated"])
    assert {problem["code"] for problem in result["problems"]} == {"directory-foreign-files", "directory-symbolic-link"}
    # A danger that is new is refused although its cause was there before.
    codes = ["directory-not-dedicated", "directory-foreign-files", "directory-symbolic-link"]
    assert world.both(ignore_dangers=codes)["changed"]
    result = world.both(directory_mode="0777")
    assert [problem["code"] for problem in result["problems"]] == ["directory-writable-by-others"]


@pytest.mark.parametrize("below", ["config.toml", "modules/x/config", "modules/x/y/config.toml"])
def test_a_config_in_its_own_cache_is_refused(world, below):
    path = str(world.cache / below)
    result = world.both(path=path)
    assert [problem["code"] for problem in result["problems"]] == ["config-in-cache"]
    assert not world.cache.exists()
    (world.cache / below).parent.mkdir(0o700, parents=True)
    world.cache.chmod(0o700)
    assert world.both(path=path, ignore_dangers=["config-in-cache"])["changed"]
    # It is known then, and named by nothing else.
    result = world.both(path=path, cleanup_interval="2h")
    assert [problem["code"] for problem in result["problems"]] == ["config-in-cache"]


# One that every version knows, and all that only some versions know.
SOME = [SETTINGS["cleanup-interval"], *(s for s in SETTINGS.values() if not s.known_to(0, MAJOR_MAX))]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("setting", SOME, ids=lambda setting: setting.name)
def test_a_setting_is_for_the_versions_that_know_it(world, setting, dialect):
    option, value, version = setting.option, format_value(setting.kind, setting.default), str(dialect.first)
    if not setting.known_to(dialect.first, dialect.last):
        refuses_the_setting(world, setting, value, version)
        return
    result = world.both(**{option: value}, wasmtime_version=version)
    assert result["changed_settings"][option] == {"before": None, "after": value}
    assert "%s = " % setting.name in world.config.read_text()
    assert result["effective"][option] == setting.default
    result = world.both(unset=[option], wasmtime_version=version)
    assert result["removed"] == [option]
    assert setting.name not in world.config.read_text()
    assert result["effective"][option] == setting.default


def refuses_the_setting(world, setting, value, version):
    """It is no value for this file, ends the run where it is there, and can be removed."""
    message = "%s: only Wasmtime %s knows this setting; leave it out, or set wasmtime_version to the version that reads the file"
    option, known = setting.option, versions_of(setting)
    before = world.snapshot()
    assert world.refused(**{option: value}, wasmtime_version=version) == message % (option, known)
    assert world.snapshot() == before
    assert option not in world.both(wasmtime_version=version)["effective"]
    good = world.config.read_text()
    bad = good + "%s = '%s'\n" % (setting.name, value)
    line = len(bad.splitlines())
    world.write(bad)
    refused = world.refused(wasmtime_version=version)
    assert "line %d, column 1: only Wasmtime %s knows %s; remove it" % (line, known, setting.name) in refused
    for removing in ({"unset": [option]}, {"exclusive": True}):
        world.write(bad)
        result = world.both(**removing, wasmtime_version=version)
        assert result["removed"] == [option]
        assert option not in result["effective"]
        assert world.config.read_text() == good
    # Without a version all have to know it.
    world.write(bad)
    assert setting.name in world.refused()


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda setting: setting.name)
def test_an_option_is_taken_without_a_version_if_all_from_33_on_know_it(world, setting):
    value = "/d" if setting.kind.name == "path" else format_value(setting.kind, setting.default)
    result = world.run(check=True, **{setting.option: value})
    assert result.get("failed", False) is not setting.known_to(33, MAJOR_MAX)
