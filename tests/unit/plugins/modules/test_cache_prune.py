# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that removes from a cache, run in process on real directories."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
import zstandard

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.config import Config
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import shown
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines import inventory as _inventory
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines import processes as _processes
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.directory import SYSTEM
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.path import resolve
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import prune as _prune
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage import judge as _judge
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage.scan import Budget, open_directory
from ansible_collections.wasmops.wasmtime.plugins.modules import cache_prune
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.binaries import (
    BUG,
    CONFIG,
    FIELDS,
    WITHOUT_ENABLED,
    elf,
    mapping,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.caches import (
    COMPILER,
    DAY,
    PLENTY,
    Cache,
    Clock,
    name_of,
    put,
    relative,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    NOBODY,
    ROOT,
    STRANGER,
    as_root,
    give,
    handles,
    without_root,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import execute_without_root

GOOD = zstandard.ZstdCompressor().compress(b"123" * 1000)


def execute(world, check=False, **options):
    before = handles()
    result = world.execute(cache_prune, check, {"path": str(world.config), **options})
    assert handles() == before
    return result


def both(world, **options):
    """Check, run, and run again: the first two say the same, and the last one changes nothing."""
    before = world.snapshot()
    foretold = execute(world, check=True, **options)
    assert world.snapshot() == before
    done = execute(world, **options)
    assert "failed" not in done, done["msg"]
    for name in set(done) - {"invocation", "backup_directory"}:
        assert done[name] == foretold[name], name
    assert foretold["backup_directory"] is None
    assert execute(world, **options)["changed"] is False
    return done


def refused(world, **options):
    """Why the module does nothing, in check mode, too."""
    before = world.snapshot()
    foretold = execute(world, check=True, **options)
    result = execute(world, **options)
    assert world.snapshot() == before
    assert result["failed"] is True
    assert result["msg"] == foretold["msg"]
    return result["msg"]


def fill(world, settings=""):
    """A cache with something of each kind, and a config."""
    cache = Cache(world.cache)
    cache.module(1, data=GOOD, age=60)
    cache.module(2, data=b"broken", age=60)
    cache.module(3, data=GOOD, age=40 * DAY)
    cache.module(4, data=GOOD, age=60).chmod(0o666)
    put(cache.top / "junk", b"12345")
    put(cache.top / ".cleanup.wip-1", age=9 * DAY)
    world.write("[cache]\ndirectory = '%s'\n%s" % (world.cache, settings))
    return cache


def test_each_kind_goes_and_the_rest_stays(world):
    cache = fill(world, "file-count-soft-limit = '0'\n")
    for kind, name in (
        ("untrusted", relative(name_of(4))),
        ("broken", relative(name_of(2))),
        ("stale_locks", ".cleanup.wip-1"),
        ("foreign", "junk"),
    ):
        done = both(world, remove=[kind])
        assert done["changed"] is True
        assert list(done["removed"]) == [kind]
        assert done["removed"][kind]["names"] == [name]
        assert not (cache.top / name).exists()
    assert both(world, unused_for="30d")["removed"]["unused"]["names"] == [relative(name_of(3))]
    done = both(world, remove=["over_limits"])
    assert done["removed"]["over_limits"]["names"] == [relative(name_of(1))]
    assert done["left"] == {"entries": 0, "size": 0}
    put(cache.top / "junk")
    done = both(world, remove=["all"])
    assert done["removed"]["all"]["count"] == 3
    assert list(cache.top.iterdir()) == []


def test_the_diff_shows_what_goes(world):
    cache = fill(world)
    for number in range(200, 320):
        cache.module(number, data=GOOD, age=40 * DAY)
    done = both(world, remove=["foreign"], unused_for="30d")
    lines = done["diff"]["before"].splitlines()
    assert lines[0].startswith("modules/%s/" % COMPILER)
    assert lines[100:] == ["and 21 more", "junk"]
    assert done["diff"]["after"] == ""
    assert done["diff"]["before_header"] == str(world.cache)
    assert done["removed"]["unused"]["names_left_out"] == 21
    assert execute(world, remove=["foreign"])["diff"]["before"] == ""


def test_what_is_returned_is_what_is_documented(world):
    fill(world)
    os.link(str(world.cache / "junk"), str(world.tree / "other"))
    backup = world.root / "backup"
    backup.mkdir(mode=0o700)
    described = yaml.safe_load(cache_prune.RETURN)
    documentation = yaml.safe_load(cache_prune.DOCUMENTATION)
    kinds = documentation["options"]["remove"]["choices"]
    assert kinds == [kind for kind in _judge.REMOVABLE if kind != "unused"]
    result = execute(world, remove=[kind for kind in kinds if kind != "orphans"], unused_for="30d", backup=str(backup))
    assert set(result) - {"changed", "invocation", "diff", "warnings", "deprecations"} == set(described)
    assert set(result["removed"]) == set(_judge.REMOVABLE) - {"orphans"}
    for figures in [*result["removed"].values(), *result["kept"].values()]:
        assert set(figures) == set(described["removed"]["contains"]["untrusted"]["contains"])
    assert list(result["kept"]) == ["other_names"]
    for reason in ("changed", "denied", "foreign", "in_use", "mount_point", "other_names"):
        assert any("V(%s)" % reason in line for line in described["kept"]["description"]), reason


def test_a_directory_that_is_not_there_has_nothing_to_remove(world):
    world.write("[cache]\ndirectory = '%s'\n" % world.cache)
    done = both(world, remove=["all"], wasmtime_version=["42.0.2"])
    nothing = {"count": 0, "entries": 0, "size": 0, "size_on_disk": 0, "names": [], "names_left_out": 0}
    assert {name: value for name, value in done.items() if name not in ("invocation", "diff")} == {
        "changed": False,
        "path": str(world.config),
        "directory": str(world.cache),
        "wasmtime_version": "42.0.2",
        "exists": False,
        "complete": True,
        "stopped_by": None,
        "unreadable": [],
        "notes": [],
        "backup_directory": None,
        "removed": {"all": nothing},
        "kept": {},
        "freed": 0,
        "left": {"entries": 0, "size": 0},
    }
    Cache(world.cache).module(1, size=100)
    done = execute(world, remove=["foreign"])
    assert (done["exists"], done["complete"], done["left"]) == (True, True, {"entries": 1, "size": 100})


def test_the_diff_is_shown_where_it_is_wanted(world):
    fill(world)
    options = {"path": str(world.config), "remove": ["foreign"]}
    with_diff, without = (world.execute(cache_prune, True, options, diff=diff) for diff in (True, False))
    diff = with_diff.pop("diff")
    assert with_diff == without
    assert diff == {
        "before_header": str(world.cache),
        "after_header": str(world.cache),
        "before": "junk\n",
        "after": "",
    }


def test_a_path_that_leads_to_no_directory_is_refused(world):
    world.write("[cache]\ndirectory = '%s'\n" % (world.config / "cache"))
    said = 'the directory "%s" cannot be pruned: "%s" is not a directory' % (world.config / "cache", world.config)
    assert refused(world, remove=["all"]) == said


@as_root
def test_root_does_not_tell_a_user_by_the_config_what_is_where_that_user_may_not_enter(public_world):
    world = public_world
    file = put(world.tree / "private" / "file")
    file.parent.chmod(0o700)
    world.write("[cache]\ndirectory = '%s/cache'\n" % file)
    give(world.config, STRANGER)
    message = refused(world, remove=["foreign"])
    assert "%d can write to the config" % STRANGER in message
    assert "not a directory" not in message
    message = refused(world, remove=["foreign"], directory="%s/cache" % file)
    assert message == 'the directory "%s/cache" cannot be pruned: "%s" is not a directory' % (file, file)


def test_the_directory_of_the_task_comes_before_that_of_the_config(world):
    fill(world)
    other = Cache(world.tree / "other")
    other.module(1)
    done = both(world, remove=["all"], directory=str(other.top))
    assert done["directory"] == str(other.top)
    assert list(other.top.iterdir()) == []
    assert (world.cache / "junk").exists()


def test_a_config_that_wasmtime_refuses_names_no_directory_and_no_limits(world):
    cache = fill(world, "no-such-setting = 1\n")
    assert "refuses the config" in refused(world, remove=["foreign"])
    message = refused(world, remove=["over_limits", "stale_locks"], directory=str(cache.top))
    assert "remove without over_limits and stale_locks" in message
    assert both(world, remove=["foreign"], directory=str(cache.top))["removed"]["foreign"]["names"] == ["junk"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"remove": ["all"], "time_limit": 0}, "time_limit is 0; write 1 to 86400"),
        (
            {"remove": ["all"], "memory_limit": "1GB"},
            'memory_limit: "1GB" has the unknown unit "GB"; write "1G" (10^9 bytes) or "1Gi" (2^30 bytes)',
        ),
        # Ansible makes one that is just relative an absolute path before 2.22.
        (
            {"remove": ["all"], "directory": "/nul\0"},
            'directory is "/nul\\x00", which is not an absolute path; write an absolute path',
        ),
        ({"unused_for": "30"}, 'unused_for: "30" has no unit; write "30s"'),
        (
            {"remove": ["all"], "keep": ["modules/x"]},
            'keep has "modules/x", which is not the name of a directory of a compiler version; write one like wasmtime-42.0.2',
        ),
        (
            {"remove": ["all"], "keep": ["wasmtime-1", "wasmtime-1/x"]},
            'keep has "wasmtime-1/x", which is not the name of a directory of a compiler version; write one like wasmtime-42.0.2',
        ),
        (
            {"remove": ["all"], "keep": ["42.0.2"]},
            'keep has "42.0.2", which is not the name of a directory of a compiler version; write one like wasmtime-42.0.2',
        ),
        ({"remove": ["all"], "backup": "relative"}, 'backup is "relative", which is not an absolute path; give one'),
        (
            {"remove": ["none"]},
            (
                "value of remove must be one or more of: "
                "untrusted, orphans, broken, stale_locks, foreign, over_limits, all. Got no match for: none"
            ),
        ),
        ({}, "one of the following is required: remove, unused_for"),
    ],
)
def test_options_that_make_no_sense_are_refused(world, options, said):
    fill(world)
    assert refused(world, **options) == said


def test_a_home_and_a_directory_of_the_system_are_refused(world):
    Cache(world.home).module(1)
    Cache(world.root / "above").module(1)
    world.write("[cache]\n")
    for directory in (world.home, world.root, "/", "/tmp", "/var/cache", "/usr/lib"):
        assert "directory of the system, or is or contains a home" in refused(
            world, remove=["all"], directory=str(directory)
        )


def test_the_home_of_any_user_is_refused(world, monkeypatch):
    """Also one that belongs to root, as those in which SFTP locks up its users do."""
    cache = fill(world)
    above = Cache(world.root / "above")
    above.module(1)
    (above.top / "locked" / "up").mkdir(parents=True)
    users = [pwd.getpwuid(0)]
    monkeypatch.setattr(pwd, "getpwall", lambda: users)
    homes = ["", "/", "/nonexistent", "relative", "/dev/null", str(above.top / "locked" / "up"), str(cache.top)]
    users += [pwd.struct_passwd(("u", "x", 12345, 12345, "", home, "/bin/sh")) for home in homes]
    for directory in (cache.top, above.top, above.top / "locked", above.top / "locked" / "up"):
        assert "is or contains a home" in refused(world, remove=["all"], directory=str(directory))
    del users[-2:]
    assert both(world, remove=["foreign"])["changed"] is True


MOUNTED = """
import os, sys
from types import SimpleNamespace
from typing import Any
sys.path[:0] = %r
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.path import resolve
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import prune
module = SimpleNamespace(params={"directory": "/x", "remove": ["all"]})
for directory in sys.argv[2:]:
    try:
        print(prune.refuse_unsafe(module, resolve(directory), directory, sys.argv[1], None))
    except prune._refused.Refused as error:
        print(error)
"""


@as_root
def test_a_home_and_the_config_are_known_where_they_are_mounted_elsewhere(world):
    world.write("[cache]\n")
    (world.home / "file").touch()
    places = {world.root / "a": world.home, world.root / "b": "/usr", world.root / "c": world.config.parent}
    for path in places:
        path.mkdir()
    script = "".join("mount --bind %s %s && " % (source, path) for path, source in places.items())
    process = subprocess.run(
        [
            "unshare",
            "--mount",
            "sh",
            "-c",
            script + 'echo mounted && exec "$0" -c "$CODE" "$@"',
            sys.executable,
            str(world.config),
        ]
        + [str(path) for path in places],
        capture_output=True,
        env=dict(os.environ, CODE=MOUNTED % sys.path),
        check=False,
    )
    mounted, *said = process.stdout.decode().splitlines() or [""]
    if mounted != "mounted":
        assert b"ermi" in process.stderr, process.stderr
        pytest.skip("not run here, because nothing can be mounted")
    assert len(said) == 3, process.stderr
    assert "is or contains a home" in said[0]
    assert "is a directory of the system" in said[1]
    assert "is in its own cache directory" in said[2]


def test_a_config_in_the_cache_is_not_removed(world):
    cache = fill(world)
    inside = cache.top / "config.toml"
    shutil.copy(str(world.config), str(inside))
    assert "is in its own cache directory" in refused(world, path=str(inside), remove=["all"])


def test_a_directory_without_anything_of_wasmtime_is_refused(world):
    put(world.cache / "photos" / "cat", b"meow")
    put(world.cache / "modules" / "main.tf")
    world.write("[cache]\ndirectory = '%s'\n" % world.cache)
    assert "nothing that only Wasmtime makes" in refused(world, remove=["foreign"])
    assert "nothing that only Wasmtime makes" in refused(world, remove=["all"])
    assert both(world, remove=["stale_locks"])["changed"] is False


def test_foreign_files_go_to_the_backup(world):
    fill(world)
    backup = world.root / "backup"
    backup.mkdir(mode=0o700)
    done = both(world, remove=["foreign"], backup=str(backup))
    assert done["backup_directory"].startswith(str(backup) + "/wasmtime-cache-")
    assert Path(done["backup_directory"], "junk").read_bytes() == b"12345"
    assert execute(world, remove=["foreign"], backup=str(backup))["backup_directory"] is None
    assert len(list(backup.iterdir())) == 1


def test_a_backup_is_a_directory_outside_of_the_cache(world):
    fill(world)
    text = 'the directory "%s" for the backup cannot be used: %s; create it first'
    missing = str(world.root / "backup")
    assert refused(world, remove=["foreign"], backup=missing) == text % (missing, "it does not exist")
    file = str(world.config)
    assert refused(world, remove=["foreign"], backup=file) == text % (file, '"%s" is not a directory' % file)
    for inside in (world.cache, world.cache / "modules"):
        message = refused(world, remove=["foreign"], backup=str(inside))
        assert message == 'backup is "%s", which is in the cache directory; give one outside of it' % inside
    message = refused(world, remove=["foreign"], backup=missing + "\0")
    assert message == 'backup is "%s\\x00", which is not an absolute path; give one' % missing
    # Nothing is moved to it.
    assert both(world, remove=["stale_locks"], backup=missing)["changed"] is True


@as_root
def test_a_user_moves_foreign_files_to_a_backup_below_directories_of_root(public_world):
    world = public_world
    fill(world)
    backup = world.root / "backup"
    backup.mkdir(mode=0o700)
    for path in (backup, world.cache, *world.cache.rglob("*")):
        give(path, NOBODY)
    done = execute_without_root(cache_prune, path=str(world.config), remove=["foreign"], backup=str(backup))
    assert Path(done["backup_directory"], "junk").read_bytes() == b"12345"


def test_a_backup_that_others_can_write_is_refused(world):
    fill(world)
    backup = world.root / "backup"
    backup.mkdir(mode=0o700)
    for mode in (0o777, 0o1777):
        backup.chmod(mode)
        assert "can replace what is in" in refused(world, remove=["foreign"], backup=str(backup))
    backup.chmod(0o777)
    (backup / "below").mkdir(mode=0o700)
    assert "can replace what is in" in refused(world, remove=["foreign"], backup=str(backup / "below"))
    if ROOT:
        backup.chmod(0o700)
        give(backup, NOBODY)
        assert "can replace what is in" in refused(world, remove=["foreign"], backup=str(backup / "below"))


def test_a_backup_on_another_file_system_is_refused(world):
    fill(world)
    there = Path("/dev/shm")
    if not there.is_dir() or there.stat().st_dev == world.root.stat().st_dev:
        pytest.skip("not run here, because there is one file system")
    other = there / ("wasmtime-backup-%d" % os.getpid())
    other.mkdir(0o700)
    # Everybody may make names in /dev/shm, which is sticky.
    try:
        assert refused(world, remove=["foreign"], backup=str(other)) == (
            'backup is "%s", which is on a different file system from the cache; give one on the same, where moving a file'
            " is one step" % other
        )
    finally:
        other.rmdir()


def test_an_empty_backup_is_refused(world):
    """It deletes nothing that was to be moved."""
    fill(world)
    assert 'backup is ""' in refused(world, remove=["foreign"], backup="")


def test_a_name_may_be_as_long_as_the_system_lets_it_be(world):
    """The controller accepts the result: C(execute) sees to that."""
    cache = fill(world)
    handle = os.open(str(cache.top), os.O_RDONLY)
    for _level in range(99):
        os.mkdir(b"\xff" * 255, dir_fd=handle)
        above, handle = handle, os.open(b"\xff" * 255, os.O_RDONLY, dir_fd=handle)
        os.close(above)
    os.close(os.open(b"\xff" * 255, os.O_CREAT, dir_fd=handle))
    os.close(handle)
    done = execute(world, remove=["foreign"])
    assert done["removed"]["foreign"]["count"] == 101
    assert max(map(len, done["removed"]["foreign"]["names"])) < 5000


def test_the_search_for_programs_takes_half_of_the_time(world, monkeypatch):
    cache = fill(world)
    clock = Clock()
    budget = Budget(60, PLENTY, clock)
    clock.now += 20
    monkeypatch.setattr(_prune, "engines_of", lambda _status, _directory, seconds: (None, "%g seconds" % seconds))
    top = open_directory(str(cache.top))
    module: Any = SimpleNamespace(params={"keep": []})
    try:
        judged, notes = _prune.judgement_for(
            module,
            _judge.Wanted(frozenset(["orphans"])),
            Config("", False),
            top,
            str(cache.top),
            time.time_ns(),
            budget,
        )
    finally:
        os.close(top)
    assert judged.complete
    text = "nothing is an orphan, because not every Wasmtime of this host is known: 20 seconds"
    assert notes == [{"code": "engines-unknown", "message": text}]


def test_over_limits_of_a_cache_that_is_switched_off(world):
    fill(world, "enabled = false\nfile-count-soft-limit = '0'\n")
    done = both(world, remove=["over_limits"], wasmtime_version=["30.0.0"])
    assert [note["code"] for note in done["notes"]] == ["disabled"]
    assert done["removed"]["over_limits"]["count"] == 0


def test_notes_say_what_could_not_be_judged(world):
    cache = fill(world)
    (cache.top / "link").symlink_to(world.home)
    cache.top.chmod(0o777)
    done = execute(world, remove=["over_limits", "untrusted"], check=True)
    assert [note["code"] for note in done["notes"]] == ["limits-links", "exposed"]
    assert all(note["message"] for note in done["notes"])
    assert execute(world, remove=["foreign"], check=True)["notes"] == []
    cache.top.chmod(0o755)
    assert execute(world, remove=["untrusted"], check=True)["notes"] == []


def test_every_reason_not_to_compare_with_the_limits_has_words():
    for reason in (_judge.LINKS, _judge.NOT_SEEN, _judge.CRASHES):
        assert "limits-" + reason in _prune.NOTE_MESSAGES


@as_root
def test_what_others_have_put_there_goes(world):
    cache = fill(world)
    give(cache.folder / name_of(1), STRANGER)
    done = both(world, remove=["untrusted"])
    assert sorted(done["removed"]["untrusted"]["names"]) == [relative(name_of(1)), relative(name_of(4))]


@as_root
def test_a_user_who_may_not_remove_it_learns_so(public_world):
    world = public_world
    fill(world)
    for path in (world.config.parent, world.tree, world.cache):
        path.chmod(0o755)
    give(world.home, NOBODY)
    result = execute_without_root(cache_prune, path=str(world.config), remove=["foreign"])
    assert result["failed"] is True
    assert "may not remove 1 of the entries to remove" in result["msg"]
    assert result["kept"]["denied"]["names"] == ["junk"]
    assert result["changed"] is False
    for number in range(4):
        put(world.cache / ("junk%d" % number))
    result = execute_without_root(cache_prune, path=str(world.config), remove=["foreign"])
    assert result["kept"]["denied"]["count"] == 5
    names = ", ".join('"%s"' % name for name in result["kept"]["denied"]["names"][:3])
    assert result["msg"] == (
        "%s may not remove 5 of the entries to remove (%s); become the owner of the cache with become_user, or root"
        % (pwd.getpwuid(NOBODY).pw_name, names)
    )


@as_root
def test_what_the_system_denies_is_told_with_the_path_that_was_named(public_world):
    world = public_world
    fill(world)
    give(world.cache, NOBODY)
    world.cache.chmod(0o300)
    for options, path in (({}, world.config), ({"directory": str(world.cache)}, world.cache)):
        result = execute_without_root(cache_prune, path=str(world.config), remove=["all"], **options)
        assert result["failed"] is True
        assert result["msg"] == "%s: system error: Permission denied (.); correct that first" % path


@as_root
def test_root_removes_nothing_where_a_user_leads_it(public_world):
    """By a config that names a directory of another user, by a link, and by moving one of root's."""
    world = public_world
    cache = fill(world)
    give(world.config, STRANGER)
    assert "can write to the config" in refused(world, remove=["all"])
    assert both(world, remove=["foreign"], directory=str(cache.top))["changed"] is True
    give(world.config, 0)
    user = world.tree / "user"
    user.mkdir(mode=0o755)
    give(user, STRANGER)
    (user / "link").symlink_to(cache.top)
    give(user / "link", STRANGER)
    assert "symbolic link" in refused(world, remove=["all"], directory=str(user / "link"))
    moved = Cache(user / "moved")
    moved.module(1)
    assert "may have been moved there" in refused(world, remove=["all"], directory=str(moved.top))
    for path in (moved.top, *moved.top.rglob("*")):
        give(path, STRANGER)
    assert both(world, remove=["all"], directory=str(moved.top))["changed"] is True


@as_root
def test_root_neither_removes_nor_names_what_others_have_where_a_user_leads_it(public_world):
    """By the user's own config, and by the user's own link."""
    world = public_world
    alice = world.tree / "alice"
    cache = Cache(alice / "cache")
    cache.module(1)
    config = alice / "config.toml"
    config.write_text("[cache]\ndirectory = '%s'\n" % cache.top)
    (alice / "link").symlink_to("cache")
    for path in (alice, *alice.rglob("*")):
        give(path, STRANGER)
    cache.top.chmod(0o1777)
    private = put(cache.top / "private" / "secret").parent
    for path in (private, private / "secret"):
        give(path, NOBODY)
    private.chmod(0o700)
    world.write("[cache]\n")
    for options in ({"path": str(config)}, {"directory": str(alice / "link")}):
        message = refused(world, remove=["untrusted"], **options)
        assert "it has directories of users other than its owner, or files of users other than root" in message
        assert "private" not in message
    done = both(world, remove=["untrusted"], directory=str(cache.top))
    assert done["removed"]["untrusted"]["names"] == ["private/", "private/secret"]
    assert both(world, remove=["all"], path=str(config))["changed"] is True


@as_root
def test_what_others_have_may_go_where_only_root_leads_root(public_world):
    """By a link of root in a directory of root; either may be of the owner of the cache instead."""
    world = public_world
    cache = Cache(world.tree / "cache")
    give(put(cache.top / "junk"), NOBODY)
    cache.module(1)
    give(cache.top, STRANGER)
    cache.top.chmod(0o755)
    world.write("[cache]\n")
    for number, (owner, above) in enumerate(((STRANGER, 0), (0, STRANGER), (STRANGER, STRANGER), (0, 0))):
        link = world.root / str(number) / "link"
        link.parent.mkdir(mode=0o755)
        link.symlink_to(cache.top)
        give(link, owner)
        give(link.parent, above)
        if (owner, above) != (0, 0):
            message = refused(world, remove=["untrusted"], directory=str(link))
            assert "it has directories of users other than its owner, or files of users other than root" in message
    done = both(world, remove=["untrusted"], directory=str(link))
    assert done["removed"]["untrusted"]["names"] == ["junk"]


def test_homes_and_what_leads_to_the_config_are_known_by_their_numbers(world, monkeypatch):
    """No cache has one of them in it, wherever they are mounted."""
    cache = fill(world)
    homes = [str(world.home), str(world.root / "nothing"), "relative", ""]
    monkeypatch.setattr(
        pwd, "getpwall", lambda: [pwd.struct_passwd(("u", "x", 12345, 12345, "", home, "/bin/sh")) for home in homes]
    )
    monkeypatch.setenv("HOME", str(world.bin))
    link = world.root / "link"
    link.symlink_to(world.config.parent)
    module: Any = SimpleNamespace(params={"directory": str(cache.top), "remove": ["all"]})
    wanted = _prune.refuse_unsafe(
        module,
        resolve(str(cache.top)),
        str(cache.top),
        str(link / "config.toml"),
        None,
    )
    paths = [*filter(Path.is_dir, map(Path, SYSTEM)), world.home, world.bin, *world.config.parents]
    status = [path.stat() for path in paths]
    assert wanted == _judge.Wanted(frozenset(), apart=frozenset((each.st_dev, each.st_ino) for each in status))


@as_root
def test_a_config_of_a_user_does_not_steer_what_root_removes_elsewhere(public_world):
    world = public_world
    cache = fill(world, "file-count-soft-limit = '0'\n")
    give(world.config, STRANGER)
    for kind in ("over_limits", "stale_locks"):
        message = refused(world, remove=[kind], directory=str(cache.top))
        assert "which says what is stale and over the limits" in message
    assert both(world, remove=["foreign"], directory=str(cache.top))["changed"] is True
    for path in (cache.top, *cache.top.rglob("*")):
        give(path, STRANGER)
    assert both(world, remove=["over_limits"], directory=str(cache.top))["changed"] is True
    default = Cache(world.home / ".cache" / "wasmtime")
    default.module(1)
    world.write("[cache]\nfile-count-soft-limit = '0'\n")
    assert "root's own default cache" in refused(world, remove=["all"])
    give(world.config, 0)
    assert both(world, remove=["over_limits"])["directory"] == str(default.top)


def test_broken_needs_zstandard(world, monkeypatch):
    fill(world)
    from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage import zstd

    monkeypatch.setattr(zstd, "MISSING", ImportError("No module named 'zstandard'"))
    result = execute(world, remove=["broken"])
    assert result["missing_libraries"] == ["zstandard"]
    assert "remove: broken" in result["msg"]
    assert execute(world, remove=["foreign"])["changed"] is True


@pytest.mark.skipif(sys.platform != "linux", reason="running programs can only be looked for on Linux")
def test_orphans_are_what_no_program_of_the_host_uses(world, monkeypatch):
    """Neither one in a usual place nor one that is running; the host here has one of each."""
    cache = fill(world)
    for version in ("42.0.2", "43.0.1", "2.0.77", "3.0.77"):
        put(cache.top / "modules" / ("wasmtime-" + version) / name_of(1))
    # What other users run does not matter where they cannot get.
    cache.top.chmod(0o700)
    for path, engine in ((world.bin / "program", b"42.0.2"), (world.tree / "running", b"43.0.1")):
        path.write_bytes(elf(FIELDS % 12 + CONFIG + b"-%smodulesget_data() for path" % engine))
        path.chmod(0o755)
    monkeypatch.setattr(_inventory, "usual_places", lambda: [str(world.bin)])
    with mapping(world.tree / "running") as process:
        monkeypatch.setattr(_inventory, "processes", lambda: iter([process.pid]))
        done = both(world, remove=["orphans"], keep=["wasmtime-3.0.77"], time_limit=600)
    assert done["notes"] == []
    assert [name for name in done["removed"]["orphans"]["names"] if name.endswith("/")] == ["modules/wasmtime-2.0.77/"]


def test_nothing_is_an_orphan_in_no_time(world):
    """The search takes at least a moment, and has none."""
    cache = fill(world)
    put(cache.top / "modules" / "wasmtime-2.0.77" / name_of(1))
    used, reason = _prune.engines_of(cache.top.stat(), str(cache.top), -1.0)
    assert used is None
    assert "time_limit" in reason


REVISION = "6844a83b530f86ad13a65175282fe2dbcd33cad1"


def uses(world, monkeypatch):
    """What uses compiler directories, by the programs in the usual places alone, and why that is not known."""
    monkeypatch.setattr(_inventory, "usual_places", lambda: [str(world.bin), str(world.root / "nothing")])
    monkeypatch.setattr(_inventory, "processes", lambda: iter(()))
    world.cache.mkdir(exist_ok=True)
    return _prune.engines_of(world.cache.stat(), str(world.cache), 600.0)


@pytest.mark.skipif(sys.platform != "linux", reason="running programs can only be looked for on Linux")
def test_a_library_uses_the_directories_of_its_revision_and_a_program_the_one_of_its_time(world, monkeypatch):
    texts = WITHOUT_ENABLED + b"\xc0)-%s\0" + BUG % b"46.0.0"
    other = REVISION[::-1]
    # It reads no cache config, so that it has no cache.
    world.program("a-program", elf(BUG % b"44.0.0"))
    world.program("library.so", elf(texts % REVISION.encode(), kind=3, interpreter=False))
    os.utime(world.program("program", elf(texts % other.encode())), ns=(0, 123456789 * 10**6))
    used, reason = uses(world, monkeypatch)
    assert reason == ""
    assert used is not None
    names = [REVISION, REVISION + "-1", REVISION + "-m1-2", other + "-123456789"]
    unused = [
        "",
        REVISION[:-1],
        REVISION + "0",
        REVISION[:-1] + "-1",
        other,
        other + "-123456780",
        other + "-123456789-1",
    ]
    assert [name for name in [*names, *unused, "44.0.0"] if used("wasmtime-" + name)] == names
    assert not used(REVISION + "-1")


@pytest.mark.skipif(sys.platform != "linux", reason="running programs can only be looked for on Linux")
@pytest.mark.parametrize("number", [0, 1, 3, 4])
def test_programs_of_an_unknown_version_are_named_up_to_three(world, monkeypatch, number):
    paths = [world.program("program%d" % each, elf(FIELDS % 12 + b"\0%d" % each)) for each in range(number)]
    names = ", ".join(map(shown, paths[:3])) + (" and 1 more" if number > 3 else "")
    used, reason = uses(world, monkeypatch)
    assert (used is None) is bool(number)
    assert reason == ("a program has a Wasmtime of an unknown version (%s)" % names if number else "")


@pytest.mark.skipif(sys.platform != "linux", reason="running programs can only be looked for on Linux")
def test_the_search_for_programs_ends_a_hundred_levels_down(world, monkeypatch):
    deepest = world.bin.joinpath(*["d"] * 100)
    deepest.mkdir(parents=True)
    (deepest / "program").write_bytes(elf(FIELDS % 12 + CONFIG + b"-42.0.2modulesget_data() for path"))
    (deepest / "program").chmod(0o755)
    used, reason = uses(world, monkeypatch)
    assert reason == ""
    assert used is not None
    assert [name for name in ("wasmtime-42.0.2", "wasmtime-42.0.3") if used(name)] == ["wasmtime-42.0.2"]
    (deepest / "d").mkdir()
    used, reason = uses(world, monkeypatch)
    assert used is None
    assert re.fullmatch(
        r'directories below this are nested more than 100 deep and were not searched \(".*/d/d/d"\)', reason
    )


@pytest.mark.skipif(sys.platform != "linux", reason="running programs can only be looked for on Linux")
def test_in_a_private_cache_only_the_processes_of_root_and_its_owner_matter(public_world, monkeypatch):
    """By the tables of some processes, as the kernel writes them."""
    world = public_world
    user = NOBODY if ROOT else os.geteuid()
    for pid, uid in ((1, 0), (2, user), (3, STRANGER), (4, STRANGER), (5, user)):
        path = Path(
            world.program("program%d" % pid, elf(FIELDS % 12 + CONFIG + b"-%d.0.0modulesget_data() for path" % pid))
        )
        process = world.root / "proc" / str(pid)
        put(process / "status", b"Uid:\t%d\t%d\t%d\t%d\n" % (uid, uid, uid, uid))
        maps = "1000-2000 r-xp 00000000 00:1f %d    %s\n" % (path.stat().st_ino, path)
        put(process / "maps", maps.encode()).chmod(0o644 if pid < 4 else 0)
        for name in ("cmdline", "environ"):
            put(process / name)
        (process / "map_files").mkdir()
        (process / "map_files" / "1000-2000").symlink_to(path)
    if ROOT:
        for path in (world.root / "proc").rglob("*"):
            give(path, user)
    monkeypatch.setattr(_processes, "PROC", str(world.root / "proc"))
    monkeypatch.setattr(_inventory, "processes", lambda: iter([1, 2, 3, 4, 5]))
    monkeypatch.setattr(_inventory, "usual_places", list)
    world.cache.mkdir(mode=0o700)
    if ROOT:
        give(world.cache, user)
    # What is imported late may be out of the user's reach.
    _prune.engines_of(world.cache.stat(), str(world.cache), 600.0)
    names = ["wasmtime-%d.0.0" % number for number in range(1, 6)]
    with without_root(user):
        used, reason = _prune.engines_of(world.cache.stat(), str(world.cache), 600.0)
        assert reason == ""
        assert used is not None
        assert [name for name in names if used(name)] == names[:2]
        world.cache.chmod(0o755)
        used, reason = _prune.engines_of(world.cache.stat(), str(world.cache), 600.0)
    assert used is None
    assert reason == 'this user may not see the files that these processes have mapped; become root ("4", "5")'


@as_root
@pytest.mark.skipif(sys.platform != "linux", reason="running programs can only be looked for on Linux")
def test_many_programs_make_a_short_note_and_those_of_others_do_not_matter_in_a_private_cache(world, monkeypatch):
    cache = fill(world)
    program = world.tree / "program"
    program.write_bytes(elf(FIELDS % 12))
    monkeypatch.setattr(_inventory, "usual_places", list)
    with mapping(program, STRANGER) as process:
        monkeypatch.setattr(_inventory, "processes", lambda: iter([process.pid]))
        cache.top.chmod(0o700)
        _used, reason = _prune.engines_of(cache.top.stat(), str(cache.top), 600.0)
        assert "of an unknown version" not in reason
        cache.top.chmod(0o755)
        _used, reason = _prune.engines_of(cache.top.stat(), str(cache.top), 600.0)
        assert "of an unknown version" in reason
    for number in range(150):
        path = world.bin / ("x" * 200 + str(number))
        path.write_bytes(elf(FIELDS % 12))
        path.chmod(0o755)
    monkeypatch.setattr(_inventory, "usual_places", lambda: [str(world.bin)])
    _used, reason = _prune.engines_of(cache.top.stat(), str(cache.top), 600.0)
    assert "and 147 more" in reason
    assert len(reason) < 2000
