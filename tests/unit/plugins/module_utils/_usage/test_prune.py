# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is removed from a cache, kind by kind and in caches made by chance."""

from __future__ import annotations

import errno
import json
import os
import random
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard

from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage import judge as _judge
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage import prune as _prune
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage.cleanup import next_cleanup
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage.scan import (
    SECOND,
    Budget,
    open_directory,
    open_file,
    shown_path,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.acls import (
    ACCESS,
    USER,
    entries,
    set_acl,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.caches import (
    COMPILER,
    DAY,
    DEFAULTS,
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
    Opened,
    as_root,
    give,
    handles,
    place,
    snapshot,
    without_root,
)

CASES = 500
OLD = "wasmtime-41.0.0"
GOOD = zstandard.ZstdCompressor().compress(b"123" * 1000)
HOUR = 3600


class Pruned:
    """What a run of the library has done, or foretold."""

    def __init__(self, judged, outcome, moved):
        self.judged = judged
        self.kept = {reason: figures.as_dict() for reason, figures in outcome.kept.items()}
        self.removed = {kind: figures.as_dict() for kind, figures in outcome.removed.items()}
        self.freed = outcome.freed
        self.left = (outcome.left, outcome.left_size)
        self.moved = moved

    def same_as(self, other):
        return (self.removed, self.kept, self.freed, self.left) == (
            other.removed,
            other.kept,
            other.freed,
            other.left,
        )

    def names(self, kind):
        """The paths of what was removed for this kind."""
        assert not self.removed[kind]["names_left_out"]
        return sorted(self.removed[kind]["names"])

    def all_names(self):
        return sorted(name for kind in self.removed for name in self.names(kind))


def judge(top, *kinds, used=(COMPILER,), unused=None, backup=None, rules=DEFAULTS, now=None, budget=None):
    """Judge a cache directory through an open handle."""
    now = now or time.time_ns()
    uses = None if used is None else set(used).__contains__
    wanted = _judge.Wanted(
        frozenset(kinds), uses, None if unused is None else now - unused * SECOND, backup is not None
    )
    return _judge.judge(top, wanted, rules, now, budget or Budget(60, PLENTY))


def prune(path, *kinds, check=False, backup=None, **options):
    """Prune a cache directory."""
    top = open_directory(str(path))
    into = None if backup is None else open_directory(str(backup))
    try:
        judged = judge(top, *kinds, backup=backup, **options)
        if check:
            return Pruned(judged, _prune.carry_out(judged, _prune.Foretelling(judged)), None)
        moving = None if into is None else _prune.Backup(into, judged.now)
        outcome = _prune.carry_out(judged, _prune.Removal(judged, moving))
        return Pruned(judged, outcome, moving and moving.name)
    finally:
        for handle in (top, into):
            if handle is not None:
                os.close(handle)


def both(path, *kinds, **options):
    """Foretell, run, and run again: the first two say the same, and the last one does nothing."""
    options.setdefault("now", time.time_ns())
    before = snapshot(path)
    foretold = prune(path, *kinds, check=True, **options)
    assert snapshot(path) == before
    done = prune(path, *kinds, **options)
    assert done.same_as(foretold), (done.__dict__, foretold.__dict__)
    if "other_names" in done.kept:
        return done  # of which there may be fewer by now
    again = prune(path, *kinds, **options)
    found = {kind: figures["names"] for kind, figures in again.removed.items() if figures["count"]}
    assert not found, (found, done.kept, done.removed)
    return done


def listing(path):
    """Everything below a directory."""
    return sorted(os.path.relpath(each, path) for each in Path(path).rglob("*"))


@pytest.fixture
def cache(tmp_path):
    """A cache with one module in use."""
    made = Cache(tmp_path / "cache")
    made.module(1, data=GOOD, age=DAY)
    return made


@pytest.fixture(autouse=True)
def _nothing_stays_open():
    before = handles()
    yield
    assert handles() == before


class Numbers:
    """Gives files and directories other numbers of devices and mounts than the system does."""

    def __init__(self, monkeypatch):
        self.devices: dict[int, int] = {}
        self.mounts: dict[int, bytes | None] = {}
        stats, fstat, mount = os.stat, os.fstat, _judge._mount
        monkeypatch.setattr(os, "stat", lambda *given, **options: self.changed(stats(*given, **options)))
        monkeypatch.setattr(os, "fstat", lambda *given: self.changed(fstat(*given)))
        monkeypatch.setattr(_judge, "_mount", lambda handle: self.mounts.get(fstat(handle).st_ino, mount(handle)))

    def changed(self, status):
        make, (fields, more) = status.__reduce__()
        device = self.devices.get(status.st_ino, status.st_dev)
        # Never the same object.
        return make((*fields[:2], int(str(device)), *fields[3:]), more)


FIGURES = {"count": 0, "entries": 0, "size": 0, "size_on_disk": 0, "names": [], "names_left_out": 0}


def test_nothing_is_removed_that_was_not_named(cache):
    put(cache.top / "junk")
    put(cache.folder / "README")
    put(cache.top / ".cleanup.wip-1", age=2 * DAY)
    put(cache.top / "modules" / OLD / name_of(2), b"broken")
    before = snapshot(cache.top)
    assert both(cache.top).removed == {}
    assert snapshot(cache.top) == before


def test_all_leaves_an_empty_directory_and_nothing_behind_a_link(cache, tmp_path):
    elsewhere = put(tmp_path / "elsewhere" / "file").parent
    (cache.top / "link").symlink_to(elsewhere)
    (cache.top / "modules" / "link").symlink_to(elsewhere)
    (cache.folder / "link").symlink_to(elsewhere)
    (cache.folder / name_of(5)).symlink_to(elsewhere / "file")
    put(cache.folder / "tree" / "deep" / "file")
    os.mkfifo(str(cache.folder / name_of(6)))
    put(cache.top / ".cleanup.wip-1")
    put(cache.folder / (name_of(7) + ".wip-1"))
    done = both(cache.top, "all")
    assert listing(cache.top) == []
    assert listing(elsewhere) == ["file"]
    assert done.left == (0, 0)
    assert done.judged.complete


def test_a_module_goes_with_its_statistics_and_counts_once(cache):
    freed = sum(disk(cache.top).values())
    done = both(cache.top, "all")
    assert done.freed == done.removed["all"]["size_on_disk"] == freed
    assert done.removed["all"]["count"] == 3
    assert done.removed["all"]["entries"] == 1
    assert done.removed["all"]["names"] == ["modules/", "modules/%s/" % COMPILER, relative(name_of(1))]
    assert done.removed["all"]["size"] == len(GOOD) + len(b"usages = 1\noptimized-compression = 3\n")


def test_orphans_are_directories_that_no_engine_uses(cache):
    for name in (OLD, "wasmtime-"):
        put(cache.top / "modules" / name / name_of(1))
        put(cache.top / "modules" / name / (name_of(1) + ".stats"))
        put(cache.top / "modules" / name / (name_of(2) + ".wip-1"), age=2 * DAY)
    (cache.top / "modules" / "wasmtime-empty").mkdir()
    put(cache.top / "modules" / "other" / "file")
    done = both(cache.top, "orphans")
    assert listing(cache.top / "modules") == sorted(
        ["other", "other/file", COMPILER, COMPILER + "/" + name_of(1), COMPILER + "/" + name_of(1) + ".stats"]
    )
    assert done.removed["orphans"]["count"] == 3 + 2 * 2
    assert done.removed["orphans"]["entries"] == 2


def test_nothing_is_an_orphan_where_the_engines_are_not_known(cache):
    put(cache.top / "modules" / OLD / name_of(1))
    assert both(cache.top, "orphans", used=None).removed["orphans"]["count"] == 0


def test_an_orphan_stays_with_what_is_foreign_and_what_is_in_use(cache):
    folder = cache.top / "modules" / OLD
    put(folder / name_of(1))
    put(folder / "README", b"12")
    put(folder / (name_of(2) + ".wip-1"))
    done = both(cache.top, "orphans")
    assert done.names("orphans") == ["modules/%s/%s" % (OLD, name_of(1))]
    assert listing(folder) == sorted(["README", name_of(2) + ".wip-1"])
    assert done.kept["foreign"]["names"] == ["modules/%s/README" % OLD]
    assert done.kept["foreign"]["size"] == 2
    assert done.kept["in_use"]["names"] == ["modules/%s/%s.wip-1" % (OLD, name_of(2))]
    assert both(cache.top, "orphans", "foreign").names("foreign") == ["modules/%s/README" % OLD]


def test_broken_is_what_cannot_be_decompressed(cache):
    cache.module(2, data=b"broken")
    cache.module(3, data=GOOD[:-4])
    cache.module(4, data=b"")
    put(cache.folder / "README", b"no module")
    os.mkfifo(str(cache.folder / name_of(5)))
    (cache.folder / name_of(6)).symlink_to("README")
    # For the engine, this is no module.
    (cache.folder / name_of(7)).symlink_to(cache.top)
    watch = Opened(cache.folder / name_of(5))
    prune(cache.top, "broken", check=True)
    assert watch.times() == 0
    watch.close()
    done = both(cache.top, "broken")
    assert done.names("broken") == [relative(name_of(number)) for number in range(2, 8)]
    assert done.removed["broken"]["entries"] == 5
    assert done.left == (2, len(GOOD) + len("no module"))
    assert done.kept == {}
    assert listing(cache.folder) == sorted([name_of(1), name_of(1) + ".stats", "README"])


@pytest.mark.parametrize(
    ("names", "known"),
    [
        ([], False),
        (["modules/"], True),
        (["modules"], False),
        (["modules/wasmtime-1/"], True),
        (["modules/wasmtime-1"], False),
        (["modules/other/"], False),
        ([".cleanup.wip-1"], True),
        ([".cleanup.wip-1", "modules/other/"], True),
        ([".cleanup.wip-1.old"], False),
        (["modules/.cleanup.wip-1"], False),
        (["other/.cleanup.wip-1"], False),
        (["other/modules/", "wasmtime-1/", name_of(1)], False),
        (["other/wasmtime-1/" + name_of(1)], False),
    ],
)
def test_a_cache_is_known_by_what_only_the_engine_makes(tmp_path, names, known):
    for name in names:
        if name.endswith("/"):
            (tmp_path / name).mkdir(parents=True)
        else:
            put(tmp_path / name)
    assert prune(tmp_path, "all", check=True).judged.is_cache is known


def test_a_tree_is_entered_a_hundred_levels_down(cache):
    deepest = put(cache.top.joinpath(*["d"] * 100, "file")).parent
    done = prune(cache.top, "foreign", check=True)
    assert done.judged.complete
    assert done.removed["foreign"]["count"] == 101
    (deepest / "d").mkdir()
    done = prune(cache.top, "foreign", check=True)
    assert done.judged.unreadable == ["/".join("d" * 101)]
    assert not done.judged.complete
    # The file, and none of the directories.
    assert done.names("foreign") == ["d/" * 100 + "file"]
    assert done.kept == {}


@as_root
def test_what_this_user_may_not_list_is_named_and_stays():
    with place() as there:
        cache = Cache(there / "cache")
        cache.module(1)
        for number in range(102):
            put(cache.top / ("other%03d" % number) / "file").parent.chmod(0o700)
        with without_root():
            done = prune(cache.top, "foreign", check=True)
            assert len(done.judged.unreadable) == 100
            assert all(name.startswith("other") for name in done.judged.unreadable)
            assert not done.judged.complete
            assert done.removed["foreign"] == FIGURES


def test_what_this_user_may_list_but_not_enter_is_named_and_stays_in_a_dry_run_too():
    with place() as there, without_root():
        cache = Cache(there / "cache")
        cache.module(1)
        shut = put(cache.top / "tree" / "file").parent
        put(cache.top / "other" / "file")
        shut.chmod(0o600)
        foretold = prune(cache.top, "foreign", check=True)
        done = prune(cache.top, "foreign")
        shut.chmod(0o700)
        assert done.same_as(foretold)
        assert done.judged.unreadable == ["tree"]
        assert not done.judged.complete
        assert done.names("foreign") == ["other/", "other/file"]
        assert done.kept == {}
        assert [path.name for path in shut.iterdir()] == ["file"]


@pytest.mark.parametrize(("name", "told"), [("ENOENT", []), ("EIO", ["tree"])])
def test_a_directory_that_cannot_be_listed_stays_and_is_told_unless_it_has_gone(cache, monkeypatch, name, told):
    folder = put(cache.top / "tree" / "file").parent
    put(cache.top / "other" / "file")
    real = os.scandir

    def fails(handle):
        if os.fstat(handle).st_ino == folder.stat().st_ino:
            raise OSError(getattr(errno, name), os.strerror(getattr(errno, name)))
        return real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", fails)
        done = prune(cache.top, "foreign", check=True)
    assert done.judged.unreadable == told
    assert done.names("foreign") == ["other/", "other/file"]
    assert done.kept == {}


@pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="there is no handle that cannot be listed")
def test_a_cache_that_cannot_be_listed_is_told(cache):
    top = os.open(str(cache.top), os.O_PATH | os.O_DIRECTORY)
    try:
        judged = judge(top, "all")
    finally:
        os.close(top)
    assert judged.unreadable == ["."]
    assert list(judged.planned()) == []


def test_what_ends_while_a_directory_is_listed_hides_nothing_else(cache, monkeypatch):
    for number in range(2, 9):
        put(cache.folder / ("junk%d" % number))
    first, *others = [path.name for path in cache.folder.iterdir() if path.name.startswith("junk")]
    real = os.stat

    def gone(path, **options):
        if path == first:
            raise FileNotFoundError(2, "")
        return real(path, **options)

    monkeypatch.setattr(os, "stat", gone)
    assert prune(cache.top, "foreign", check=True).names("foreign") == sorted(map(relative, others))


@pytest.mark.skipif(sys.platform != "linux", reason="mounts are only numbered on Linux")
def test_files_may_have_devices_of_their_own(cache, tmp_path, monkeypatch):
    """As on overlayfs and btrfs, where the same inode is another file on another device."""
    size = 2**13
    paths = [cache.module(number, data=os.urandom(size), stats=None) for number in (2, 3)]
    os.link(str(paths[0]), str(cache.folder / name_of(4)))
    os.link(str(paths[1]), str(tmp_path / "outside"))
    kept = cache.module(5, data=GOOD)
    numbers = Numbers(monkeypatch)
    device = cache.top.stat().st_dev
    numbers.devices = {
        paths[0].stat().st_ino: device + 10**6,
        paths[1].stat().st_ino: device + 10**7,
        kept.stat().st_ino: 0,
    }
    done = both(cache.top, "broken")
    assert done.names("broken") == [relative(name_of(number)) for number in (2, 3, 4)]
    assert done.kept == {}
    assert done.freed == size
    assert both(cache.top, "all").kept == {}


@pytest.mark.skipif(sys.platform != "linux", reason="mounts are only numbered on Linux")
@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("mounted/", False),
        ("modules/mounted/", False),
        (relative("mounted/"), False),
        ("other/mounted/", False),
        ("other/folder/mounted/", False),
        ("other/folder/tree/mounted/", True),
        (relative("tree/mounted/"), True),
    ],
)
def test_a_mount_is_kept_and_may_have_modules_where_the_engine_looks(cache, monkeypatch, name, seen):
    put(cache.top / name / "file")
    put(cache.top / "foreign")
    numbers = Numbers(monkeypatch)
    numbers.mounts = {(cache.top / name).stat().st_ino: b"12345"}
    done = both(cache.top, "over_limits", "foreign", rules=DEFAULTS._replace(file_count=0))
    assert done.judged.not_limited == (None if seen else _judge.NOT_SEEN)
    assert done.kept == {"mount_point": {**FIGURES, "count": 1, "names": [name]}}
    assert done.names("foreign") == ["foreign"]
    assert done.removed["over_limits"]["count"] == seen
    assert (cache.top / name / "file").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="mounts are only numbered on Linux")
def test_the_number_of_a_mount_is_that_of_the_kernel(cache):
    top = open_directory(str(cache.top))
    number = _judge._mount(top)
    os.close(top)
    assert number in {line.split()[0] for line in Path("/proc/self/mountinfo").read_bytes().splitlines()}
    assert _judge._mount(top) is None


def test_the_engine_takes_all_but_directories_for_files(cache):
    names = ["file", "link-to-file", "dangling", "pipe"]
    put(cache.top / "file")
    (cache.top / "link-to-file").symlink_to("file")
    (cache.top / "dangling").symlink_to("nothing")
    os.mkfifo(str(cache.top / "pipe"))
    (cache.top / "link-to-directory").symlink_to("modules")
    top = open_directory(str(cache.top))
    try:
        found = {
            name: _judge.beside(top, name)
            for name in [*names, "link-to-directory", "link-to-directory/x", "modules", "nothing"]
        }
    finally:
        os.close(top)
    inodes = {name: status.st_ino for name, status in found.items() if status is not None}
    assert inodes == {name: (cache.top / name).lstat().st_ino for name in names}


def test_where_mounts_have_no_numbers_another_device_is_one(cache, monkeypatch):
    folder = put(cache.top / "other" / "file").parent
    same = put(cache.top / "same" / "file").parent
    alone = cache.module(2)
    numbers = Numbers(monkeypatch)
    device = cache.top.stat().st_dev
    monkeypatch.setattr(_judge, "_mount", lambda _handle: None)
    for other in (device + 1, 0):
        numbers.devices = {folder.stat().st_ino: other, alone.stat().st_ino: other}
        done = prune(cache.top, "all", check=True)
        assert done.kept == {"mount_point": {**FIGURES, "count": 2, "names": ["other/", relative(name_of(2))]}}
        assert done.names("all") == [relative(name_of(1)), "same/", "same/file"]
    assert same.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="mounts are only numbered on Linux")
def test_a_file_on_another_device_and_another_mount_is_kept(cache, monkeypatch):
    path = cache.module(2, stats=None)
    numbers = Numbers(monkeypatch)
    numbers.devices = {path.stat().st_ino: 0}
    assert prune(cache.top, "all", check=True).kept == {}
    for mount in (b"", b"~"):
        numbers.mounts = {path.stat().st_ino: mount}
        done = both(cache.top, "orphans", used=())
        assert done.kept == {"mount_point": {**FIGURES, "count": 1, "names": [relative(name_of(2))]}}
    assert listing(cache.folder) == [name_of(2)]


def test_a_directory_that_ends_before_it_is_entered_is_neither_unreadable_nor_kept(cache, monkeypatch):
    (cache.top / "tree" / "folder").mkdir(parents=True)

    def ended(name, above):
        if name == "folder":
            (cache.top / "tree" / "folder").rmdir()
        return open_directory(name, above)

    monkeypatch.setattr(_judge, "open_directory", ended)
    done = prune(cache.top, "foreign")
    assert done.names("foreign") == ["tree/"]
    assert (done.judged.unreadable, done.judged.complete, done.kept) == ([], True, {})


def test_a_file_on_another_device_that_cannot_be_examined_is_taken_for_a_mount(cache, monkeypatch):
    numbers = Numbers(monkeypatch)
    path = put(cache.top / "file")
    numbers.devices = {path.stat().st_ino: 0}

    def fails(_name, _directory):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    monkeypatch.setattr(_judge, "open_to_judge", fails)
    done = prune(cache.top, "foreign", check=True)
    assert done.kept == {"mount_point": {**FIGURES, "count": 1, "names": ["file"]}}
    assert done.removed["foreign"] == FIGURES


def test_a_directory_that_is_replaced_before_it_is_entered_stays(cache, tmp_path, monkeypatch):
    put(cache.top / "tree" / "folder" / "file")
    new = put(tmp_path / "new" / "other").parent

    def swapped(name, above):
        if name == "folder" and new.exists():
            (cache.top / "tree" / "folder").rename(tmp_path / "aside")
            new.rename(cache.top / "tree" / "folder")
        return open_directory(name, above)

    monkeypatch.setattr(_judge, "open_directory", swapped)
    done = prune(cache.top, "foreign")
    assert done.removed["foreign"] == FIGURES
    assert done.kept == {}
    assert listing(cache.top / "tree") == ["folder", "folder/other"]


def ending_with(folder, names):
    """Remove files until the last one that the system lists has one of these names."""
    while True:
        listed = [path.name for path in folder.iterdir()]
        if listed[-1] in names:
            return [name for name in listed if name in names]
        (folder / listed[-1]).unlink()


def test_what_is_not_read_does_not_hide_what_is_broken(cache):
    """Files that are not the engine's, temporary ones, and what is removed for another kind."""
    put(cache.top / "junk")
    for number in range(2, 20):
        cache.module(number, data=b"broken", stats=None, age=(number % 4 == 3) * 9 * DAY)
        put(cache.folder / ("README%d" % number))
        put(cache.folder / (name_of(number) + ".wip-1"))
    names = {name_of(number) for number in range(2, 20) if number % 4 != 3}
    broken = ending_with(cache.folder, names)
    assert len(broken) < len(list(cache.folder.iterdir()))
    done = both(cache.top, "broken", unused=5 * DAY)
    assert done.names("broken") == sorted(map(relative, broken))


@as_root
def test_a_module_that_this_user_may_not_read_is_counted_and_stays():
    with place() as there:
        cache = Cache(there / "cache")
        paths = [cache.module(number, data=b"broken", stats=None) for number in range(1, 9)]
        names = [path.name for path in cache.folder.iterdir()]
        for path in paths:
            path.chmod(0o600 if path.name in names[:2] else 0o644)
        give(cache.folder, NOBODY)
        with without_root():
            done = prune(cache.top, "broken")
        assert done.judged.unread == 2
        assert done.judged.complete
        assert done.names("broken") == sorted(map(relative, names[2:]))


def test_what_changes_before_it_is_read_or_ends_is_not_broken(cache, monkeypatch):
    changed, ended = (cache.module(number, data=b"broken", stats=None) for number in (2, 3))

    def later(name, above):
        if name == changed.name:
            put(changed, b"also broken")
        if name == ended.name and ended.exists():
            ended.unlink()
        return open_file(name, above)

    monkeypatch.setattr(_judge, "open_file", later)
    done = prune(cache.top, "broken", check=True)
    assert done.removed["broken"] == FIGURES
    assert (done.judged.unread, done.judged.complete) == (0, True)


def test_a_file_counts_for_the_first_kind_that_it_belongs_to(cache):
    kinds = ["untrusted", "orphans", "unused", "broken", "over_limits", "all"]
    module = relative(name_of(2))
    cache.module(2, data=b"broken", age=9 * DAY).chmod(0o666)
    lock = relative(name_of(3) + ".wip-1")
    put(cache.top / lock, age=9 * DAY).chmod(0o666)
    pipe = relative(name_of(4) + ".wip-1")
    os.mkfifo(str(cache.top / pipe))
    os.utime(str(cache.top / pipe), (0, 0))
    junk = relative("README")
    put(cache.top / junk, age=9 * DAY)
    found = []
    for number in range(len(kinds)):
        wanted = kinds[number:]
        for more in ([], ["stale_locks"], ["foreign"]):
            done = prune(
                cache.top,
                *(kind for kind in [*wanted, *more] if kind != "unused"),
                check=True,
                used=(),
                unused=DAY if "unused" in wanted else None,
                rules=DEFAULTS._replace(file_count=0),
            )
            by_name = {name: kind for kind in done.removed for name in done.names(kind)}
            found.append([by_name.get(name) for name in (module, lock, pipe, junk)])
    assert found == [
        ["untrusted", "untrusted", "orphans", "all"],
        ["untrusted", "untrusted", "orphans", "all"],
        ["untrusted", "untrusted", "orphans", "foreign"],
        ["orphans", "orphans", "orphans", "all"],
        ["orphans", "orphans", "orphans", "all"],
        ["orphans", "orphans", "orphans", "foreign"],
        ["unused", "all", "broken", "all"],
        ["unused", "stale_locks", "broken", "all"],
        ["unused", "all", "broken", "foreign"],
        ["broken", "all", "broken", "all"],
        ["broken", "stale_locks", "broken", "all"],
        ["broken", "all", "broken", "foreign"],
        ["over_limits", "all", "all", "all"],
        ["over_limits", "stale_locks", "stale_locks", "all"],
        ["over_limits", "all", "all", "foreign"],
        ["all", "all", "all", "all"],
        ["all", "stale_locks", "stale_locks", "all"],
        ["all", "all", "all", "foreign"],
    ]


def test_all_takes_what_is_in_use_in_an_orphan(cache):
    folder = cache.top / "modules" / OLD
    fresh = put(folder / (name_of(2) + ".wip-1"))
    os.mkfifo(str(folder / (name_of(3) + ".wip-1")))
    (folder / (name_of(4) + ".wip-1")).symlink_to("nothing")
    done = both(cache.top, "orphans")
    assert done.names("orphans") == ["modules/%s/%s.wip-1" % (OLD, name_of(number)) for number in (3, 4)]
    assert done.kept == {"in_use": {**FIGURES, "count": 1, "names": ["modules/%s/%s" % (OLD, fresh.name)]}}
    done = both(cache.top, "orphans", "all")
    assert done.names("orphans") == ["modules/%s/" % OLD]
    assert "modules/%s/%s" % (OLD, fresh.name) in done.names("all")
    assert done.kept == {}


def test_without_a_backup_foreign_files_with_other_names_go(cache, tmp_path):
    os.link(str(put(cache.top / "junk")), str(tmp_path / "other"))
    top = open_directory(str(cache.top))
    try:
        judged = _judge.judge(top, _judge.Wanted(frozenset(["foreign"])), None, 0, Budget(60, PLENTY))
    finally:
        os.close(top)
    assert [judged.file(number) for number in judged.planned()] == ["junk"]
    assert judged.kept() == {}


def test_with_a_backup_a_file_stays_whose_statistics_have_another_name(cache, tmp_path):
    """The engine counts it as a module, although it does not make one there."""
    backup = tmp_path / "backup"
    backup.mkdir()
    for name in ("file", "other"):
        put(cache.top / "modules" / "folder" / name, b"123")
        put(cache.top / "modules" / "folder" / (name + ".stats"), b"12345")
    os.link(str(cache.top / "modules" / "folder" / "file.stats"), str(tmp_path / "elsewhere"))
    done = both(cache.top, "foreign", backup=backup)
    figures = {**FIGURES, "count": 1, "entries": 1, "size": 3, "names": ["modules/folder/file"]}
    assert done.kept == {"other_names": figures}
    assert done.names("foreign") == ["modules/folder/other"]
    assert done.removed["foreign"]["size"] == 8
    assert done.freed == 0
    there = backup / done.moved / "modules" / "folder"
    assert {path.name: path.read_bytes() for path in there.iterdir()} == {"other": b"123", "other.stats": b"12345"}
    done = both(cache.top, "all", backup=backup)
    assert done.kept == {"other_names": figures}
    assert done.names("all") == ["modules/%s/" % COMPILER, relative(name_of(1))]


def test_what_takes_too_long_to_read_stays(cache):
    for number in range(2, 50):
        cache.module(number, data=b"broken")
    clock = Clock(0)

    def tick():
        clock.step = 0.4
        return clock()

    done = prune(cache.top, "broken", check=True, budget=Budget(60, PLENTY, tick))
    assert done.judged.stopped_by == "time_limit"
    assert not done.judged.complete
    assert 0 < done.removed["broken"]["count"] < 48


def test_a_lack_of_memory_ends_the_search_and_not_the_run(cache):
    done = prune(cache.top, "all", budget=Budget(60, 1))
    assert done.judged.stopped_by == "memory_limit"
    assert done.removed["all"]["count"] == 0


def test_stale_locks_are_those_that_the_engine_disregards(cache):
    stale = [".cleanup.wip-1", relative(name_of(2) + ".wip-1"), relative(name_of(3) + ".wip-atomic-write-mod")]
    for name in stale:
        put(cache.top / name, age=2 * HOUR)
    future = ".cleanup.wip-2"
    put(cache.top / future, age=-2 * DAY)
    leftover = relative(name_of(4) + ".stats")
    put(cache.top / leftover)
    renamed = relative(name_of(5) + ".wip-1.old")
    put(cache.top / renamed)
    fresh = [".cleanup.wip-3", relative(name_of(2) + ".wip-2"), relative(name_of(3) + ".wip-atomic-write-stats")]
    for name in fresh:
        put(cache.top / name, age=60)
    done = both(cache.top, "stale_locks")
    assert done.names("stale_locks") == sorted([*stale, future, leftover, renamed])
    assert set(fresh) <= set(listing(cache.top))
    # What leads to a directory is no statistics.
    (cache.folder / (name_of(6) + ".stats")).symlink_to(cache.top)
    done = both(cache.top, "stale_locks")
    assert done.removed["stale_locks"] == FIGURES
    assert done.kept == {}


def test_no_lock_is_stale_under_rules_that_are_not_known(cache):
    put(cache.top / ".cleanup.wip-1", age=9 * DAY)
    assert both(cache.top, "stale_locks", rules=None).removed["stale_locks"]["count"] == 0


def test_foreign_is_what_has_no_name_of_the_engine(cache, tmp_path):
    foreign = [
        "README",
        ".cleanup.else",
        ".cleanup.wip-1.old",
        name_of(1),
        "modules/README",
        "modules/link",
        relative("README"),
        relative(name_of(1)[1:]),
        relative(name_of(1) + ".bak"),
        relative(name_of(1) + ".wipe"),
        relative("tree/file"),
        relative("tree/deep/" + name_of(1)),
        "other/a/b/c",
        "other/" + name_of(1),
        "modules/other/" + name_of(1),
    ]
    for name in foreign:
        if name.endswith("link"):
            (cache.top / name).symlink_to(tmp_path)
        else:
            put(cache.top / name)
    directories = [relative("tree/"), relative("tree/deep/"), "other/", "other/a/", "other/a/b/", "modules/other/"]
    own = [".cleanup.wip-1", relative(name_of(1) + ".wip-1")]
    for name in own:
        put(cache.top / name, age=9 * DAY)
    done = both(cache.top, "foreign")
    assert done.names("foreign") == sorted(foreign + directories)
    assert listing(cache.top) == sorted(
        [*own, "modules", "modules/" + COMPILER, relative(name_of(1)), relative(name_of(1) + ".stats")]
    )


def test_a_module_is_unused_if_its_last_use_is_before_the_time_and_not_at_it(cache):
    now = time.time_ns()
    for number, early in ((2, 1), (3, 0)):
        then = now - DAY * SECOND - early
        os.utime(str(cache.module(number, stats=None)), ns=(then, then))
    os.utime(str(cache.folder / (name_of(1) + ".stats")), ns=(now, now))
    assert both(cache.top, unused=DAY, now=now).names("unused") == [relative(name_of(2))]


def test_a_lock_of_a_cleanup_and_a_temporary_file_become_stale_by_their_own_settings(cache):
    names = [".cleanup.wip-1", relative(name_of(2) + ".wip-1")]
    for name in names:
        put(cache.top / name, age=1000)
    for interval, timeout, stale in ((900, 1100, names[:1]), (1100, 900, names[1:])):
        rules = DEFAULTS._replace(interval=interval, timeout=timeout)
        assert prune(cache.top, "stale_locks", check=True, rules=rules).names("stale_locks") == stale


def test_unused_goes_by_the_time_of_the_statistics(cache):
    cache.module(2, age=40 * DAY)
    put(cache.folder / (name_of(2) + ".stats"), age=DAY)
    cache.module(3, age=DAY)
    put(cache.folder / (name_of(3) + ".stats"), age=40 * DAY)
    cache.module(4, age=40 * DAY, stats=None)
    put(cache.folder / "README", age=40 * DAY)
    done = both(cache.top, unused=30 * DAY)
    assert done.names("unused") == [relative(name_of(3)), relative(name_of(4))]


@pytest.mark.parametrize("count", [0, 3, 5, 6, 9])
def test_over_limits_is_what_the_next_cleanup_would_delete(cache, count):
    for number in range(2, 10):
        cache.module(number, age=number * HOUR)
    rules = DEFAULTS._replace(file_count=count)
    forecast = next_cleanup(cache.look(rules))
    assert forecast is not None
    done = both(cache.top, "over_limits", rules=rules)
    assert done.names("over_limits") == sorted(forecast["deleted"])
    assert done.left == (forecast["entries_left"], forecast["bytes_left"])
    after = next_cleanup(cache.look(rules))
    assert after is not None
    assert (after["limit_exceeded"], after["deleted"]) == (False, [])


def test_over_limits_counts_what_is_left_of_other_kinds(cache):
    for number in range(2, 6):
        cache.module(number, age=number * HOUR)
    for number in range(9):
        put(cache.top / "modules" / OLD / name_of(number))
    done = both(cache.top, "orphans", "over_limits", rules=DEFAULTS._replace(file_count=5))
    assert done.removed["over_limits"]["count"] == 0
    assert done.left == (5, len(GOOD) + 400)


def test_foreign_files_over_the_limits_stay(cache):
    put(cache.folder / "README", age=9 * DAY)
    put(cache.folder / "README.stats", age=9 * DAY)
    done = both(cache.top, "over_limits", rules=DEFAULTS._replace(file_count=1, file_count_percent=0))
    assert done.names("over_limits") == [relative(name_of(1))]
    assert done.kept["foreign"]["names"] == [relative("README")]


@pytest.mark.parametrize(
    ("count", "size", "gone"), [(2, 300, 0), (1, 300, 1), (2, 299, 1), (2, 0, 2), (0, 300, 2), (3, 301, 0)]
)
def test_over_limits_begins_beyond_a_limit(tmp_path, count, size, gone):
    cache = Cache(tmp_path / "cache")
    cache.module(1, size=100, age=DAY)
    cache.module(2, size=200, age=HOUR)
    rules = DEFAULTS._replace(file_count=count, file_count_percent=100, total_size=size, total_size_percent=100)
    done = both(cache.top, "over_limits", rules=rules)
    assert done.names("over_limits") == [relative(name_of(number)) for number in range(1, gone + 1)]
    rules = DEFAULTS._replace(file_count=3, file_count_percent=0, total_size=301, total_size_percent=0)
    assert both(cache.top, "over_limits", rules=rules).removed["over_limits"] == FIGURES


def test_all_takes_what_is_foreign_and_over_the_limits(cache):
    put(cache.folder / "README", age=9 * DAY)
    done = both(cache.top, "over_limits", "all", rules=DEFAULTS._replace(file_count=0))
    assert done.names("over_limits") == [relative(name_of(1))]
    assert done.names("all") == ["modules/", "modules/%s/" % COMPILER, relative("README")]
    assert done.kept == {}


def test_limits_are_not_compared_if_something_was_not_seen(cache):
    """As when the time is over, be it while the modules are found or while they are compared."""
    for number in range(2, 300):
        cache.module(number)
    rules = DEFAULTS._replace(file_count=1)
    looks = Clock(1)
    assert prune(cache.top, "over_limits", check=True, rules=rules, budget=Budget(10**6, PLENTY, looks)).freed
    # Each check is a look at the clock; the last ones are those of the comparison.
    for seconds in (100, looks.now - 10):
        done = prune(cache.top, "over_limits", check=True, rules=rules, budget=Budget(seconds, PLENTY, Clock(1)))
        assert (done.judged.stopped_by, done.judged.not_limited) == ("time_limit", _judge.NOT_SEEN)
        assert done.removed["over_limits"] == FIGURES


@pytest.mark.parametrize(
    ("name", "followed"),
    [
        ("link", True),
        ("modules/link", True),
        ("other/link", True),
        (relative("link"), False),
        ("modules/other/link", False),
        ("other/folder/link", False),
        ("other/folder/tree/link", False),
    ],
)
def test_the_engine_follows_links_on_two_levels(cache, tmp_path, name, followed):
    link = cache.top / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(put(tmp_path / "elsewhere" / "file").parent)
    (link.parent / "link-to-file").symlink_to(tmp_path / "elsewhere" / "file")
    (link.parent / "dangling").symlink_to("nothing")
    done = prune(cache.top, "over_limits", check=True)
    assert done.judged.not_limited == (_judge.LINKS if followed else None)


def test_limits_are_not_compared_where_the_engine_counts_more(cache, tmp_path):
    rules = DEFAULTS._replace(file_count=0)
    link = cache.top / "modules" / "wasmtime-linked"
    link.symlink_to(put(tmp_path / "elsewhere" / name_of(1)).parent)
    assert both(cache.top, "over_limits", rules=rules).judged.not_limited == _judge.LINKS
    done = both(cache.top, "over_limits", "foreign", rules=rules)
    assert done.judged.not_limited is None
    assert done.removed["over_limits"]["count"] == 1
    crashing = DEFAULTS._replace(drift=2**63)
    assert both(cache.top, "over_limits", rules=crashing).judged.not_limited == _judge.CRASHES
    assert both(cache.top, "over_limits", rules=None).judged.not_limited == _judge.NOT_SEEN


@as_root
def test_untrusted_is_what_others_own_or_can_write(cache):
    give(cache.top, NOBODY)
    for path in (cache.top / "modules", cache.folder, *cache.folder.iterdir()):
        give(path, NOBODY)
    for number in (2, 3, 4, 5, 6):
        give(cache.module(number), NOBODY)
        give(cache.folder / (name_of(number) + ".stats"), 0)
    give(cache.folder / name_of(2), STRANGER)
    (cache.folder / name_of(3)).chmod(0o666)
    (cache.folder / name_of(4)).chmod(0o664)
    give(cache.folder / (name_of(5) + ".stats"), STRANGER)
    give(cache.folder / name_of(6), 0)
    give(put(cache.top / ".cleanup.wip-1"), STRANGER)
    give(put(cache.top / "junk-of-a-stranger"), STRANGER)
    put(cache.top / "junk").chmod(0o666)
    theirs = put(cache.top / "modules" / OLD / name_of(1)).parent
    put(theirs / "README")
    give(theirs, STRANGER)
    done = both(cache.top, "untrusted")
    assert done.names("untrusted") == sorted(
        [relative(name_of(number)) for number in (2, 3, 4, 5)]
        + [".cleanup.wip-1", "junk-of-a-stranger"]
        + ["modules/%s/%s" % (OLD, name) for name in ("", "README", name_of(1))]
    )
    assert not theirs.exists()


def test_what_is_in_a_directory_that_others_can_write_is_untrusted(cache):
    put(cache.folder / "README")
    cache.folder.chmod(0o777)
    done = both(cache.top, "untrusted")
    assert done.names("untrusted") == [relative(name_of(1))]
    assert done.kept["foreign"]["names"] == [relative("README")]
    (cache.folder / "README").unlink()
    assert both(cache.top, "untrusted").names("untrusted") == ["modules/%s/" % COMPILER]
    assert not done.judged.exposed


def test_below_a_directory_that_others_can_write_all_of_the_engine_is_untrusted(cache, tmp_path):
    put(cache.top / "other" / "file")
    (cache.top / "other" / "link").symlink_to(tmp_path)
    (cache.top / "link").symlink_to(tmp_path)
    (cache.top / "modules" / OLD).symlink_to(tmp_path)
    (cache.top / "modules" / "other").symlink_to(tmp_path)
    assert both(cache.top, "untrusted").removed["untrusted"] == FIGURES
    (cache.top / "other").chmod(0o777)
    assert both(cache.top, "untrusted").removed["untrusted"] == FIGURES
    cache.top.chmod(0o775)
    foretold = prune(cache.top, "untrusted", "all", check=True)
    own = ["modules/%s/" % COMPILER, relative(name_of(1)), "modules/" + OLD]
    rest = ["link", "modules/other", "other/", "other/file", "other/link"]
    assert foretold.names("untrusted") == sorted([*own, "modules/"])
    assert foretold.names("all") == rest
    done = both(cache.top, "untrusted")
    assert done.names("untrusted") == sorted(own)
    assert done.kept == {"foreign": {**FIGURES, "count": 1, "names": ["modules/other"], "size": len(str(tmp_path))}}


def test_links_and_pipes_are_not_untrusted_by_their_modes(cache):
    (cache.folder / name_of(2)).symlink_to("nothing")
    os.mkfifo(str(cache.folder / name_of(3)))
    (cache.folder / name_of(3)).chmod(0o666)
    assert both(cache.top, "untrusted").removed["untrusted"] == FIGURES


def test_a_cache_is_private_to_its_owner_if_others_cannot_enter_it(cache):
    user = os.geteuid()
    for mode, private in ((0o700, True), (0o744, True), (0o701, False), (0o710, False), (0o755, False)):
        cache.top.chmod(mode)
        status = cache.top.stat()
        assert _judge.private_to(status, str(cache.top), user) is private
        assert _judge.private_to(status, str(cache.top), user + 1) is False


def test_a_sticky_directory_keeps_the_files_of_its_owner(cache):
    cache.folder.chmod(0o1777)
    assert both(cache.top, "untrusted").removed["untrusted"]["count"] == 0


def test_links_in_the_place_of_directories_are_untrusted_where_others_can_put_them(cache, tmp_path):
    (cache.top / "modules").rename(tmp_path / "moved")
    (cache.top / "modules").symlink_to(tmp_path / "moved")
    assert both(cache.top, "untrusted").removed["untrusted"]["count"] == 0
    cache.top.chmod(0o777)
    done = both(cache.top, "untrusted")
    assert done.names("untrusted") == ["modules"]
    assert done.judged.exposed
    assert len(listing(tmp_path / "moved")) == 3


def test_an_acl_lets_others_write(cache):
    path = cache.folder / name_of(1)
    try:
        ran = subprocess.Popen(["setfacl", "-m", "u:%d:rw" % STRANGER, str(path)]).wait()
    except FileNotFoundError:
        ran = 1
    if ran:
        pytest.skip("not run here, because there are no ACLs")
    assert both(cache.top, "untrusted").names("untrusted") == [relative(name_of(1))]


def test_an_acl_that_lets_nobody_write_makes_nothing_untrusted(cache):
    """The mode shows the most that it could give, as the rights of the group."""
    for path, mask in ((cache.top, 7), (cache.folder, 7), (cache.folder / name_of(1), 6)):
        set_acl(path, ACCESS, *entries(mask, (USER, 4, STRANGER), group=4, other=4))
        assert path.stat().st_mode & stat.S_IWGRP
    done = both(cache.top, "untrusted")
    assert done.removed["untrusted"] == FIGURES
    assert not done.judged.exposed


def test_freed_counts_a_file_once_its_last_name_goes(cache, tmp_path):
    size = 2**16
    inside = cache.module(2, data=os.urandom(size), stats=None)
    os.link(str(inside), str(cache.folder / name_of(3)))
    data = os.urandom(size)
    outside = cache.module(4, data=data, stats=None)
    os.link(str(outside), str(tmp_path / "outside"))
    done = both(cache.top, "broken")
    assert done.names("broken") == [relative(name_of(number)) for number in (2, 3, 4)]
    assert size <= done.freed < 2 * size
    assert done.removed["broken"]["size"] == 3 * size
    assert (tmp_path / "outside").read_bytes() == data


def test_foreign_files_move_to_a_new_directory_of_the_backup(cache, tmp_path):
    backup = tmp_path / "backup"
    backup.mkdir()
    put(cache.top / "junk", b"junk")
    put(cache.folder / "tree" / "deep" / "file", b"deep")
    (cache.top / "link").symlink_to("/etc")
    os.mkfifo(str(cache.top / "pipe"))
    shared = put(cache.top / "shared", b"shared")
    os.link(str(shared), str(tmp_path / "other"))
    done = both(cache.top, "foreign", backup=backup)
    assert done.kept["other_names"]["names"] == ["shared"]
    there = backup / done.moved
    assert listing(there) == sorted(
        ["junk", "link", "pipe", "modules", "modules/" + COMPILER]
        + [relative(name) for name in ("tree", "tree/deep", "tree/deep/file")]
    )
    assert (there / "junk").read_bytes() == b"junk"
    assert os.readlink(str(there / "link")) == "/etc"
    modes = [path.lstat().st_mode for path in (there, *there.rglob("*"))]
    assert {stat.S_IMODE(mode) for mode in modes if stat.S_ISDIR(mode)} == {0o700}
    assert done.freed == done.removed["foreign"]["size_on_disk"]
    put(cache.top / "junk", b"other junk")
    again = prune(cache.top, "foreign", backup=backup, now=done.judged.now)
    assert again.moved == done.moved + "-2"
    assert (there / "junk").read_bytes() == b"junk"
    assert (backup / again.moved / "junk").read_bytes() == b"other junk"


def test_all_moves_what_is_foreign_and_removes_the_rest(cache, tmp_path):
    backup = tmp_path / "backup"
    backup.mkdir()
    put(cache.top / "junk")
    done = both(cache.top, "all", backup=backup)
    assert listing(cache.top) == []
    assert listing(backup / done.moved) == ["junk"]


def raced(path, *kinds, between, backup=None, **options):
    """Judge, let something happen, and remove."""
    top = open_directory(str(path))
    into = None if backup is None else open_directory(str(backup))
    try:
        judged = judge(top, *kinds, backup=backup, **options)
        between()
        moving = None if into is None else _prune.Backup(into, judged.now)
        return Pruned(judged, _prune.carry_out(judged, _prune.Removal(judged, moving)), moving and moving.name)
    finally:
        for handle in (top, into):
            if handle is not None:
                os.close(handle)


def test_a_backup_has_the_time_for_its_name_and_a_number_if_that_is_taken(cache, tmp_path):
    backup = tmp_path / "backup"
    (backup / "wasmtime-cache-20010909T014639Z").mkdir(parents=True)
    for name in ("20010909T014639Z-2", "20010909T014639Z-3", "20010909T014640Z"):
        for path in ("junk", "folder/first", "folder/second", "folder/below/third", "other/fourth"):
            put(cache.top / path)
        now = 10**18 if name == "20010909T014640Z" else 10**18 - 1
        # All of them have been changed after that.
        done = prune(cache.top, "foreign", backup=backup, now=now)
        assert done.moved == "wasmtime-cache-" + name
        there = ["folder", "folder/below", "folder/below/third", "folder/first", "folder/second"]
        assert listing(backup / done.moved) == [*there, "junk", "other", "other/fourth"]
    assert len(list(backup.iterdir())) == 4


def test_what_cannot_be_moved_because_the_backup_is_gone_stays(cache, tmp_path):
    backup = tmp_path / "backup"
    backup.mkdir()
    put(cache.top / "folder" / "junk", b"12345")
    done = raced(cache.top, "foreign", "stale_locks", backup=backup, between=backup.rmdir)
    assert done.kept == {"denied": {**FIGURES, "count": 1, "size": 5, "names": ["folder/junk"]}}
    assert (cache.top / "folder" / "junk").read_bytes() == b"12345"
    assert done.moved is None


@pytest.mark.parametrize("reason", ["denied", "changed"])
def test_what_cannot_be_moved_any_more_stays(cache, tmp_path, monkeypatch, reason):
    """The backup is gone, or has a file where a directory is needed."""
    backup = tmp_path / "backup"
    backup.mkdir()
    for name in ("first", "second"):
        put(cache.top / name / "junk", b"12345")
    link = os.link

    def linked(*names, **options):
        link(*names, **options)
        (made,) = backup.iterdir()
        for name in {"first", "second"} - set(listing(made)):
            put(tmp_path / "in-the-way").rename(made / name)
        if reason == "denied":
            made.rename(tmp_path / "aside")

    monkeypatch.setattr(os, "link", linked)
    done = raced(cache.top, "foreign", backup=backup, between=lambda: None)
    (kept,) = {"first", "second"}.intersection(listing(cache.top))
    (moved,) = {"first", "second"} - {kept}
    assert done.kept == {reason: {**FIGURES, "count": 1, "size": 5, "names": [kept + "/junk"]}}
    assert done.names("foreign") == [moved + "/", moved + "/junk"]
    there = tmp_path / "aside" if reason == "denied" else backup / done.moved
    assert listing(there) == sorted([kept, moved, moved + "/junk"])


def test_what_changes_before_it_is_moved_stays(cache, tmp_path, monkeypatch):
    """The backup keeps nothing of it."""
    backup = tmp_path / "backup"
    backup.mkdir()
    junk = put(cache.top / "junk", b"12345")

    def renamed():
        junk.rename(tmp_path / "renamed")
        put(junk, b"new")

    changes = {
        "named": ((lambda: os.link(str(junk), str(tmp_path / "named"))), None),
        "named later": (None, (lambda: os.link(str(junk), str(tmp_path / "named later")))),
        "changed": ((lambda: put(junk, b"longer")), None),
        "renamed": (None, renamed),
        "removed": (None, junk.unlink),
    }
    link = os.link
    for name, (before, after) in changes.items():

        def linked(source, target, before=before, after=after, **options):
            for act in (before, (lambda: link(source, target, **options)), after):
                if act is not None:
                    monkeypatch.setattr(os, "link", link)
                    act()

        monkeypatch.setattr(os, "link", linked)
        done = raced(cache.top, "foreign", backup=backup, between=lambda: None)
        figures = {**FIGURES, "count": 1, "size": 5, "names": ["junk"]}
        assert done.kept == {"changed": figures}, name
        assert done.removed["foreign"] == FIGURES
        assert listing(backup / done.moved) == []
        assert junk.exists() == (name != "removed")
        for path in (junk, tmp_path / name):
            if path.exists():
                path.unlink()
        put(junk, b"12345")


def test_what_all_removes_may_change_if_it_is_of_the_engine(cache):
    junk = put(cache.top / "junk")
    cache.module(2)

    def change():
        put(cache.folder / name_of(1), b"changed")
        put(cache.folder / (name_of(2) + ".stats"), b"changed")
        put(junk, b"changed")

    done = raced(cache.top, "all", between=change)
    assert done.names("all") == [relative(name_of(1)), relative(name_of(2))]
    assert sorted(done.kept["changed"]["names"]) == ["junk", "modules/%s/" % COMPILER]
    assert listing(cache.folder) == [name_of(2) + ".stats"]
    assert done.left == (0, 0)


@pytest.mark.parametrize("instead", [None, "directory"])
def test_a_module_goes_whose_statistics_have_gone(cache, instead):
    statistics = cache.folder / (name_of(1) + ".stats")

    def change():
        statistics.unlink()
        if instead:
            statistics.mkdir()

    done = raced(cache.top, "orphans", used=(), between=change)
    assert relative(name_of(1)) in done.names("orphans")
    assert statistics.exists() == bool(instead)
    assert done.removed["orphans"]["entries"] == 1


def test_directories_that_have_gone_are_neither_removed_nor_kept(cache):
    def change():
        for path in (*cache.folder.iterdir(),):
            path.unlink()
        cache.folder.rmdir()

    done = raced(cache.top, "all", between=change)
    assert done.names("all") == ["modules/"]
    assert done.kept == {}
    assert done.left == (0, 0)


def test_a_directory_that_was_replaced_keeps_nothing_else(cache, tmp_path):
    folder = cache.top / "folder"
    for name in ("file", "replaced/file"):
        put(folder / name)
    (folder / "empty").mkdir()

    def change():
        (folder / "replaced").rename(tmp_path / "aside")
        put(folder / "replaced" / "new")

    done = raced(cache.top, "foreign", between=change)
    assert done.names("foreign") == ["folder/empty/", "folder/file"]
    assert done.kept == {"changed": {**FIGURES, "count": 1, "entries": 1, "names": ["folder/replaced/file"]}}
    assert listing(folder) == ["replaced", "replaced/new"]


def test_another_directory_in_the_place_of_an_empty_one_stays(cache, tmp_path):
    folder = cache.top / "modules" / OLD
    folder.mkdir()

    def change():
        folder.rename(tmp_path / "aside")
        folder.mkdir()

    done = raced(cache.top, "orphans", between=change)
    assert done.kept == {"changed": {**FIGURES, "count": 1, "names": ["modules/%s/" % OLD]}}
    assert folder.exists()


@pytest.mark.parametrize("number", ["device", "inode"])
@pytest.mark.parametrize("more", [-1, 1])
def test_an_empty_directory_of_another_number_stays(cache, number, more):
    folder = cache.top / "modules" / OLD
    folder.mkdir()
    top = open_directory(str(cache.top))
    try:
        judged = judge(top, "orphans")
        seen = next(directory for directory in judged.directories if directory.name == OLD)
        setattr(seen, number, getattr(seen, number) + more)
        done = _prune.carry_out(judged, _prune.Removal(judged, None))
    finally:
        os.close(top)
    assert Pruned(judged, done, None).kept == {"changed": {**FIGURES, "count": 1, "names": ["modules/%s/" % OLD]}}
    assert folder.exists()


@pytest.mark.parametrize("call", ["unlink", "rmdir"])
@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("ENOENT",), None),
        (("EBUSY", "EXDEV"), "mount_point"),
        (("ENOTDIR", "ELOOP", "ESTALE", "ENOTEMPTY", "EEXIST", "EISDIR"), "changed"),
        (("EPERM", "EACCES", "EROFS", "EIO"), "denied"),
    ],
)
def test_the_system_says_why_something_stays(cache, monkeypatch, call, names, reason):
    for path in cache.folder.iterdir():
        path.unlink()
    module = cache.module(1, size=100, stats=None)
    path = {"unlink": relative(name_of(1)), "rmdir": "modules/%s/" % COMPILER}[call]
    figures = {**FIGURES, "count": 1, "names": [path]}
    real = getattr(os, call)
    if call == "unlink":
        figures.update(entries=1, size=100)
    for name in names:

        def fails(what, name=name, **options):
            number = getattr(errno, name)
            if reason is None:
                real(what, **options)
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr(os, call, fails)
            done = prune(cache.top, "orphans", used=())
        assert done.kept == ({} if reason is None else {reason: figures}), name
        assert path not in done.names("orphans")
        assert done.left == ((1, 100) if call == "unlink" and reason else (0, 0))
        if not module.exists():
            cache.module(1, size=100, stats=None)


def test_a_file_is_the_same_as_long_as_its_place_text_and_owner_are(cache):
    status = (cache.folder / name_of(1)).stat()
    facts = {name: getattr(status, name) for name in dir(status) if name.startswith("st_")}
    found = _judge.Files()
    for device in (status.st_dev, status.st_dev + 1):
        number = found.add("file", 0, status, device)
        assert found.is_same(number, device, status)
        differs = {
            name
            for name, value in facts.items()
            if not found.is_same(number, device, SimpleNamespace(**{**facts, name: value + 1}))  # type: ignore[arg-type]
        }
        assert differs == {"st_dev", "st_ino", "st_size", "st_mtime_ns", "st_uid"}


@pytest.mark.parametrize("kind", ["broken", "unused", "over_limits", "orphans", "foreign", "stale_locks"])
def test_what_was_changed_since_it_was_judged_stays(cache, kind):
    target = cache.module(2, data=b"broken", age=9 * DAY, stats=None)
    used: tuple[str, ...] = (COMPILER,)
    if kind == "foreign":
        target = put(cache.folder / "README", age=DAY)
    if kind == "stale_locks":
        target = put(cache.folder / (name_of(2) + ".wip-1"), age=DAY)
    if kind == "orphans":
        used = ()
    rules = DEFAULTS._replace(file_count=1, file_count_percent=100)
    for change in (
        lambda: put(target, b"newer"),
        lambda: (target.unlink(), put(target, b"broken", age=9 * DAY)),
        lambda: (target.rename(cache.top / "aside"), subprocess.run(["mkfifo", target], check=True)),
        lambda: (target.unlink(), target.symlink_to("/etc/passwd")),
    ):
        done = raced(cache.top, kind, unused=DAY * 5, between=change, used=used, rules=rules)
        assert os.path.lexists(str(target))
        assert str(target.relative_to(cache.top)) in done.kept["changed"]["names"]
        target.unlink()
        put(target, b"broken", age=9 * DAY)


def test_a_module_that_was_used_since_it_was_judged_stays(cache):
    cache.module(2, age=9 * DAY)
    cache.module(3, age=9 * DAY, stats=None)

    def use():
        put(cache.folder / (name_of(2) + ".stats"), b"usages = 2")
        put(cache.folder / (name_of(3) + ".stats"), b"usages = 1")

    done = raced(cache.top, unused=DAY * 5, between=use)
    assert sorted(done.kept["changed"]["names"]) == [relative(name_of(2)), relative(name_of(3))]
    assert (cache.folder / name_of(2)).exists()
    assert (cache.folder / name_of(3)).exists()


def test_what_is_untrusted_goes_although_it_changes(cache):
    target = cache.folder / name_of(1)
    target.chmod(0o666)

    def change():
        target.write_bytes(b"newer")

    assert raced(cache.top, "untrusted", between=change).names("untrusted") == [relative(name_of(1))]
    target = cache.module(2)
    target.chmod(0o666)

    def repair():
        target.unlink()
        cache.module(2)

    assert raced(cache.top, "untrusted", between=repair).kept["changed"]["names"] == [relative(name_of(2))]


def test_what_is_gone_already_is_neither_removed_nor_kept(cache):
    (cache.folder / (name_of(1) + ".stats")).unlink()
    done = raced(cache.top, "all", between=(cache.folder / name_of(1)).unlink)
    assert done.removed["all"]["count"] == 2
    assert done.removed["all"]["entries"] == 0
    assert done.kept == {}
    assert done.left == (0, 0)


def test_another_directory_in_the_place_of_a_judged_one_is_not_touched(cache, tmp_path):
    other = put(tmp_path / "other" / name_of(1), GOOD)
    os.utime(str(other), ns=(0, 0))

    def swap():
        cache.folder.rename(tmp_path / "aside")
        (tmp_path / "other").rename(cache.folder)

    done = raced(cache.top, "all", between=swap)
    assert (cache.folder / name_of(1)).exists()
    assert len(listing(tmp_path / "aside")) == 2
    assert done.kept["changed"]["names"] == [relative(name_of(1))]

    def link():
        cache.folder.rename(tmp_path / "linked")
        cache.folder.symlink_to(tmp_path / "linked")

    done = raced(cache.top, "broken", "orphans", used=(), between=link)
    assert (tmp_path / "linked" / name_of(1)).exists()


def test_what_comes_meanwhile_keeps_its_directory(cache):
    done = raced(cache.top, "orphans", used=(), between=lambda: cache.module(2))
    assert done.names("orphans") == [relative(name_of(1))]
    assert done.kept["changed"]["names"] == ["modules/%s/" % COMPILER]
    assert (cache.folder / name_of(2)).exists()


def refused(path, limits):
    """Why a cache is not judged, so that nothing can be removed from it."""
    wanted = _judge.Wanted(frozenset(["all"]), **limits)
    top = open_directory(str(path))
    try:
        with pytest.raises(_judge.NotToPrune) as caught:
            _judge.judge(top, wanted, DEFAULTS, time.time_ns(), Budget(60, PLENTY))
    finally:
        os.close(top)
    return str(caught.value)


def test_a_cache_with_a_home_in_it_is_not_judged(cache):
    for home in (cache.folder, put(cache.top / "other" / "home" / "file").parent):
        status = home.stat()
        assert refused(cache.top, {"apart": frozenset([(status.st_dev, status.st_ino)])}) == _judge.APART


@as_root
@pytest.mark.parametrize("name", ["theirs/", "junk", relative(name_of(1)), relative(name_of(1) + ".stats")])
def test_a_cache_with_files_of_strangers_is_not_judged_where_a_user_has_led_root_there(cache, name):
    path = cache.top / name
    if name.endswith("/"):
        path.mkdir(mode=0o700)
    elif not path.exists():
        put(path)
    give(path, STRANGER)
    assert refused(cache.top, {"no_strangers": True}) == _judge.STRANGERS


@as_root
def test_what_a_stranger_puts_in_the_place_of_a_judged_file_stays(cache):
    top = open_directory(str(cache.top))
    try:
        wanted = _judge.Wanted(frozenset(["all"]), no_strangers=True)
        judged = _judge.judge(top, wanted, DEFAULTS, time.time_ns(), Budget(60, PLENTY))
        give(cache.folder / name_of(1), STRANGER)
        outcome = _prune.carry_out(judged, _prune.Removal(judged, None))
    finally:
        os.close(top)
    assert outcome.kept["changed"].as_dict()["names"][-1] == relative(name_of(1))
    assert (cache.folder / name_of(1)).exists()


def test_a_hundred_names_are_listed_with_directories_first():
    figures = _judge.Figures()
    assert figures.as_dict() == FIGURES
    for number in range(101):
        figures.add("%03d" % (100 - number), 3, 512, number % 2 == 0)
    figures.add("b/", 1, 1024, False)
    figures.add("a/", 0, 0, False)
    assert figures.as_dict() == {
        "count": 103,
        "entries": 51,
        "size": 304,
        "size_on_disk": 101 * 512 + 1024,
        "names": ["a/", "b/"] + ["%03d" % (100 - number) for number in range(98)],
        "names_left_out": 3,
    }
    for number in range(101):
        figures.add("c%03d/" % (100 - number), 0, 0, False)
    assert figures.as_dict()["names"] == ["a/", "b/"] + ["c%03d/" % number for number in range(3, 101)]


@as_root
@pytest.mark.parametrize("led", [False, True])
def test_what_changes_hands_goes_with_all_unless_a_user_has_led_root_there(cache, led):
    cache.module(2)
    top = open_directory(str(cache.top))
    try:
        wanted = _judge.Wanted(frozenset(["all"]), no_strangers=led)
        judged = _judge.judge(top, wanted, DEFAULTS, time.time_ns(), Budget(60, PLENTY))
        give(cache.folder / name_of(1), STRANGER)
        put(cache.folder / name_of(2), b"changed")
        _prune.carry_out(judged, _prune.Removal(judged, None))
    finally:
        os.close(top)
    assert (cache.folder / name_of(1)).exists() is led
    assert not (cache.folder / name_of(2)).exists()


def test_statistics_may_be_a_link(cache):
    cache.module(2, stats=None)
    (cache.folder / (name_of(2) + ".stats")).symlink_to("nothing")
    done = both(cache.top, "orphans", used=())
    assert done.removed["orphans"]["entries"] == 2
    assert done.kept == {}
    assert listing(cache.top) == ["modules"]


def test_a_long_path_is_cut_and_a_directory_still_ends_with_a_slash():
    figures = _judge.Figures()
    path = "/".join(["\udcff" * 255] * 99)
    figures.add(path, 0, 0, False)
    figures.add(path + "/", 0, 0, False)
    names = figures.as_dict()["names"]
    assert [len(name) for name in names] == [4099, 4099]
    assert [name[-1] for name in names] == ["/", "f"]


@as_root
def test_a_user_who_may_not_remove_is_told_beforehand():
    with place() as there:
        cache = Cache(there / "cache")
        cache.module(1, age=9 * DAY)
        cache.top.chmod(0o755)
        put(cache.top / ".cleanup.wip-1", age=9 * DAY)
        with without_root():
            before = snapshot(cache.top)
            done = both(cache.top, "all")
            assert snapshot(cache.top) == before
        assert done.kept["denied"]["count"] == 2
        # In a sticky directory each user removes only what is its own.
        for path in (cache.top, cache.top / "modules", cache.folder):
            path.chmod(0o1777)
        give(cache.module(2), NOBODY)
        give(cache.folder / (name_of(2) + ".stats"), NOBODY)
        with without_root():
            done = both(cache.top, "all")
        assert done.names("all") == [relative(name_of(2))]
        assert done.kept["denied"]["count"] == 2


@as_root
def test_what_may_not_be_removed_is_told_with_its_figures():
    with place() as there:
        cache = Cache(there / "cache")
        cache.module(1, size=100)
        put(cache.top / "junk", b"12345")
        (cache.top / "modules" / OLD).mkdir()
        with without_root():
            done = both(cache.top, "orphans", "foreign", used=())
        names = ["modules/%s/" % OLD, "junk", relative(name_of(1))]
        assert done.kept == {"denied": {**FIGURES, "count": 3, "entries": 1, "size": 105, "names": names}}
        for path in (cache.top, cache.top / "modules", cache.folder, cache.top / "modules" / OLD):
            give(path, NOBODY)
            path.chmod(0o500)
        with without_root():
            assert both(cache.top, "orphans", "foreign", used=()).kept == done.kept
            (cache.top / "modules").chmod(0o700)
            assert both(cache.top, "orphans", "foreign", used=()).names("orphans") == names[:1]


@as_root
@pytest.mark.parametrize("owner", [0, NOBODY, NOBODY + 2])
def test_in_a_sticky_directory_of_another_only_what_belongs_to_this_user_goes(owner):
    with place() as there:
        cache = Cache(there / "cache")
        for number, uid in enumerate((NOBODY, STRANGER)):
            give(put(cache.top / ("file%d" % number)), uid)
            (cache.top / ("folder%d" % number)).mkdir()
            give(cache.top / ("folder%d" % number), uid)
        for number, (uid, other) in enumerate(((NOBODY, NOBODY), (NOBODY, STRANGER), (STRANGER, NOBODY))):
            give(cache.module(number), uid)
            give(cache.folder / (name_of(number) + ".stats"), other)
        give(cache.module(3, stats=None), NOBODY)
        for path in (cache.top, cache.top / "modules", cache.folder):
            give(path, owner)
            path.chmod(0o1777)
        with without_root():
            done = both(cache.top, "all")
        theirs = ["folder0/", "file0", relative(name_of(0)), relative(name_of(3))]
        others = ["folder1/", "file1", relative(name_of(1)), relative(name_of(2))]
        if owner == NOBODY:
            assert listing(cache.top) == []
        else:
            assert done.names("all") == sorted(theirs)
            assert sorted(done.kept["denied"]["names"]) == sorted(others)
            assert list(done.kept) == ["denied"]


@as_root
def test_a_mount_in_the_cache_is_not_entered(cache, tmp_path):
    """Neither another file system, nor a part of the same one, nor a single file."""
    bound = put(tmp_path / "elsewhere" / name_of(1), age=9 * DAY).parent
    targets = [cache.top / "modules" / "wasmtime-bound", cache.top / "modules" / "wasmtime-tmpfs"]
    for path in targets:
        path.mkdir()
    file = cache.module(2, stats=None, age=9 * DAY)
    script = "mount --bind %s %s && mount -t tmpfs none %s && touch %s/file && mount --bind %s %s && echo mounted" % (
        bound,
        targets[0],
        targets[1],
        targets[1],
        bound / name_of(1),
        file,
    )
    code = "\n".join(
        (
            "import os, sys",
            "sys.path[:0] = %r" % sys.path,
            "from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils._usage import test_prune",
            "import json, pathlib",
            "done = test_prune.prune(pathlib.Path(%r), 'all')" % str(cache.top),
            "print(json.dumps([done.kept, done.removed]))",
        )
    )
    process = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", script + ' && exec "$0" -c "$CODE"', sys.executable],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(os.environ, CODE=code),
    )
    output, errors = process.communicate()
    if not output.startswith(b"mounted\n"):
        assert b"ermi" in errors, errors
        pytest.skip("not run here, because nothing can be mounted")
    assert process.returncode == 0, errors
    kept, removed = json.loads(output.partition(b"\n")[2])
    assert sorted(kept["mount_point"]["names"]) == sorted(
        ["modules/wasmtime-bound/", "modules/wasmtime-tmpfs/", relative(name_of(2))]
    )
    assert (bound / name_of(1)).exists()
    assert removed["all"]["entries"] == 1


# --- by chance ---

NAMES = (
    "README",
    ".hidden",
    "x.y",
    "x.stats",
    ".cleanup",
    ".cleanup.wip-1",
    ".cleanup.wip-2",
    ".cleanup.wip-3.old",
    ".cleanup.else",
    "\udcff",
    *(name_of(number) for number in range(4)),
    *(name_of(number) + ".stats" for number in range(4)),
    *(name_of(number) + extension for number in range(2) for extension in (".wip-1", ".wip-\udcff", ".bak", ".\udcff")),
    name_of(1) + ".wip-atomic-write-mod",
    name_of(1) + ".wip-1.old",
)
FOLDERS = (
    *("modules", "modules/" + COMPILER, "modules/" + OLD, "modules/other", "other", "other/a", ""),
    *("modules/%s/tree" % COMPILER, "modules/%s/tree/deep" % OLD, "modules/wasmtime-empty"),
)


def by_chance(chance, there):
    """A cache with anything in it, and a directory outside of it that it has links to."""
    top, outside = there / "cache", there / "outside"
    put(outside / "modules" / COMPILER / name_of(1), GOOD)
    (top / "modules" / COMPILER).mkdir(parents=True)
    for folder in FOLDERS:
        if chance.random() < 0.7:
            (top / folder).mkdir(parents=True, exist_ok=True)
    places = [top, *(path for path in top.rglob("*"))]
    made: list[Path] = []
    for _number in range(chance.randrange(40)):
        path = chance.choice(places) / chance.choice(NAMES)
        if os.path.lexists(str(path)):
            continue
        kind = chance.random()
        age = chance.choice((60, 2 * HOUR, 9 * DAY, 50 * DAY, -60, -9 * DAY)) + chance.random() * 50
        if kind < 0.05:
            os.mkfifo(str(path))
        elif kind < 0.15:
            path.symlink_to(chance.choice((outside, outside / "modules", "nowhere", "README", name_of(0))))
        elif kind < 0.25 and made:
            os.link(str(chance.choice(made)), str(path), follow_symlinks=False)
        elif kind < 0.3:
            path.mkdir()
            places.append(path)
        else:
            put(path, chance.choice((GOOD, b"broken", b"", GOOD * 50)), age)
            if chance.random() < 0.1:
                os.link(str(path), str(outside / str(len(list(outside.iterdir())))))
        if not path.is_dir():
            made.append(path)
        if ROOT and chance.random() < 0.15:
            give(path, chance.choice((STRANGER, NOBODY)))
        if chance.random() < 0.1 and not path.is_symlink():
            path.chmod(chance.choice((0o666, 0o664, 0o600, 0o755)))
    for path in places:
        if chance.random() < 0.1 and path != top:
            path.chmod(chance.choice((0o777, 0o1777, 0o775)))
        if ROOT and chance.random() < 0.07:
            give(path, chance.choice((STRANGER, NOBODY)))
    return top, outside


def disk(*roots, directories=True):
    """The bytes on disk of all files and directories below, by their inodes."""
    found = {}
    for root in roots:
        for path in Path(root).rglob("*"):
            status = path.lstat()
            if directories or not stat.S_ISDIR(status.st_mode):
                found[status.st_dev, status.st_ino] = status.st_blocks * 512
    return found


@pytest.mark.parametrize("part", range(10))
def test_a_dry_run_tells_the_truth_on_caches_made_by_chance(tmp_path, part):
    for number in range(part, CASES, 10):
        chance = random.Random(number)
        there = tmp_path / str(number)
        there.mkdir()
        top, outside = by_chance(chance, there)
        backup = there / "backup"
        backup.mkdir()
        kinds = [
            kind for kind in _judge.REMOVABLE if kind != "unused" and chance.random() < (0.15 if kind == "all" else 0.5)
        ]
        options = {
            "used": chance.choice(((COMPILER,), (OLD,), (), None)),
            "unused": chance.choice((None, DAY, 30 * DAY)),
            "rules": chance.choice((DEFAULTS, DEFAULTS._replace(file_count=2), DEFAULTS._replace(total_size=4000))),
            "backup": chance.choice((None, backup)),
        }
        before, aside = set(listing(top)), snapshot(outside)
        blocks = disk(top, outside)
        done = both(top, *kinds, **options)
        after = set(listing(top))
        assert after <= before
        # What outside shares with the cache keeps all but the time at which its number of names changed.
        assert {name: facts[:5] + facts[6:] for name, facts in snapshot(outside).items()} == {
            name: facts[:5] + facts[6:] for name, facts in aside.items()
        }
        told = {name.rstrip("/") for name in done.all_names()}
        gone = {shown_path(name) for name in before - after}
        assert told <= gone
        # Beside what is named, only statistics go, each with its module.
        assert all(name[: -len(".stats")] in told for name in gone - told), gone - told
        # The new directories there may have the numbers of removed ones.
        left = {**disk(top, outside), **disk(backup, directories=False)}
        assert done.freed == sum(size for inode, size in blocks.items() if inode not in left), number
        if "all" in kinds:
            assert not done.kept or set(done.kept) == {"other_names"}, done.kept
            assert after == set() or done.kept
        if not {"foreign", "all", "untrusted"} & set(kinds):
            assert not [
                name for name in gone if not any(part in name for part in (name_of(0)[:39], ".cleanup.wip", "wasmtime"))
            ]
        if "over_limits" in kinds and "stale_locks" in kinds and done.judged.not_limited is None:
            look = Cache(top).look(options["rules"], listed=None)
            # The look takes names that are no UTF-8 for the engine's.
            deleted = {name for name in (next_cleanup(look) or {"deleted": ()})["deleted"] if "\\xff" not in name}
            assert deleted <= set(look.foreign), (number, deleted - set(look.foreign))
