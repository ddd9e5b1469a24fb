# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen in a cache directory, and that nothing is done to it."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import sys
import threading
import tracemalloc
from typing import TYPE_CHECKING, Any, Callable

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml import Library
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage import scan as _scan
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage.scan import (
    Budget,
    CleanupRules,
    Stopped,
    expired,
    open_file,
    open_folder,
    parts,
    resident,
    shown_path,
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
    put_at,
    relative,
    use_memory,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    Opened,
    handles,
    needs_handles,
    place,
    snapshot,
    without_root,
)

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 10**9
NOW = 1_800_000_000 * SECOND


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


def test_what_the_system_does_not_tell_the_kind_of_is_no_directory() -> None:
    class Item:
        name = "x"

        def is_symlink(self) -> bool:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    assert _scan.is_directory(Item(), 0) is False  # type: ignore[arg-type]


@pytest.mark.parametrize(("platform", "unit"), [("aix7", 1024), ("darwin", 1), ("linux", 1024)])
def test_without_proc_the_memory_is_the_maximum_so_far(
    monkeypatch: pytest.MonkeyPatch, platform: str, unit: int
) -> None:
    """It is in KiB on all systems but one (getrusage(2))."""

    def no_file(*_arguments: object) -> None:
        raise FileNotFoundError

    def maximum() -> int:
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    monkeypatch.setattr(_scan, "open", no_file, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    assert maximum() <= resident() <= maximum()


@pytest.mark.parametrize(
    ("name", "stem", "extension"),
    [
        ("a", "a", None),
        ("a.b", "a", "b"),
        ("a.b.c", "a.b", "c"),
        (".a", ".a", None),
        (".a.b", ".a", "b"),
        ("..a", ".", "a"),
        ("a.", "a", ""),
    ],
)
def test_extensions_are_those_of_rust(name, stem, extension):
    assert parts(name) == (stem, extension)


@pytest.mark.parametrize(
    ("age", "threshold", "drift", "gone"),
    [
        (0, 1, 0, False),
        (SECOND - 1, 1, 0, False),
        (SECOND, 1, 0, True),
        (0, 0, 0, True),
        (-1, 0, 0, True),
        (-1, 0, 1, False),
        (-SECOND, 0, 1, False),
        (-SECOND - 1, 10, 1, True),
        (10**18 - 1, 1, 0, True),
        (-(10**18), 10, 1, True),
    ],
)
def test_a_lock_expires_to_the_nanosecond(age, threshold, drift, gone):
    assert expired(10**18, 10**18 - age, threshold, drift) is gone


def test_an_empty_directory(cache):
    look = cache.look()
    assert look.complete
    assert (look.all.entries, look.all.size, look.folders, look.removals) == (0, 0, [], [])


def test_modules_and_their_statistics(cache):
    cache.module(1, 100, age=DAY)
    cache.module(2, 50, stats=b"usages = 7\noptimized-compression = 20\nmore = 'x'\n")
    cache.module(3, 10, stats=None)
    look = cache.look()
    assert sorted(entry.name for entry in look.entries) == [name_of(number) for number in (1, 2, 3)]
    figures = look.all
    assert (figures.entries, figures.size, figures.usages, figures.least, figures.most) == (3, 160, 8, 1, 7)
    assert figures.unknown == 1
    assert look.levels == {"3": 1, "20": 1}
    assert look.removals == []
    assert look.foreign == []


def test_the_time_is_that_of_the_statistics(cache):
    path = cache.module(1)
    put(path.with_name(path.name + ".stats"), b"", age=DAY)
    (entry,) = cache.look().entries
    assert path.stat().st_mtime_ns - entry.time > (DAY - 10) * SECOND


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"usages = 1\n",
        b"usages = -1\noptimized-compression = 3\n",
        b"usages = 1.0\noptimized-compression = 3\n",
        b"usages = true\noptimized-compression = 3\n",
        b"usages = 9223372036854775808\noptimized-compression = 3\n",
        b"usages = 1\noptimized-compression = 2147483648\n",
        b"usages = 1\noptimized-compression = 3\n\xff",
        b"usages = 1\noptimized-compression = 3\n" + b"#" * 5000,
        b"usages",
        b"usages = 1\noptimized-compression = 3\n" + b"a." * 1990 + b"a = 1\n",
        b"usages = 1\noptimized-compression = 3\na = " + b"[" * 3000,
    ],
)
def test_statistics_that_the_engine_does_not_read(cache, data):
    cache.module(1, stats=data)
    look = cache.look()
    assert (look.all.entries, look.all.unknown, look.all.usages, look.levels) == (1, 1, 0, {})


def test_levels_that_no_config_has_are_taken_together(cache):
    for number, level in enumerate((-5, 22, 21, 0)):
        cache.module(number, stats=b"usages = 1\noptimized-compression = %d\n" % level)
    assert cache.look().levels == {"other": 2, "21": 1, "0": 1}


def peak_of(cache: Cache) -> int:
    """The most bytes that Python holds at once during a look."""
    cache.look()  # what is imported late does not count
    tracemalloc.start()
    try:
        cache.look()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_statistics_of_all_kinds_do_not_fill_the_memory(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(500):
        cache.module(number, stats=b"usages = %d\noptimized-compression = 3\n#" % number + bytes(b"x" * 4000))
    assert cache.look().all.usages == sum(range(500))
    assert peak_of(cache) > 500 * 4000
    monkeypatch.setattr(_scan, "_KINDS_MAX", 3)
    assert cache.look().all.usages == sum(range(500))
    assert peak_of(cache) < 500 * 2000


def test_files_with_several_names_do_not_fill_the_memory() -> None:
    """The system does not make so many in a moment; what it says of them is enough."""
    look = _scan.Look(None, None, 0, Budget(1, resident() + 2**25, Clock()))
    scan = _scan._Scanner(look, Library().any)

    def count() -> None:
        for number in range(10**6):
            scan._count_on_disk(os.stat_result([0o100600, number, 1, 2, *[0] * 15]))

    with pytest.raises(Stopped, match="memory_limit"):
        count()
    assert len(scan._seen) < 10**6 // 4


def test_the_bound_on_kinds_of_statistics_is_some_megabytes() -> None:
    assert _scan._KINDS_MAX * _scan.STATS_MAX <= 2**24


def test_names_that_are_no_modules_do_not_fill_the_memory(cache: Cache) -> None:
    for number in range(3000):
        put(cache.folder / (name_of(number) + ".stats"))
        put(cache.folder / (name_of(number) + ".txt"))
        put(cache.top / ("%d" % number))
    for number in range(300):
        (cache.top / "modules" / str(number)).mkdir()
    look = cache.look()
    assert look.foreign_count == 6000
    assert [folder.path for folder in look.folders] == [relative("")[:-1]]
    assert peak_of(cache) < 2**17


def test_what_is_not_the_engine_s(cache):
    cache.module(1)
    for name in ("junk", "modules/junk", relative("junk.txt"), relative("README"), relative(name_of(2) + ".txt")):
        put(cache.top / name, b"12345")
    (cache.folder / "nested" / "deeper").mkdir(parents=True)
    put(cache.folder / "nested" / "deeper" / "file", b"123")
    look = cache.look()
    # Without an extension it counts as a module.
    assert look.all.entries == 2
    assert sorted(look.foreign) == sorted(
        ["junk", "modules/junk"] + [relative(name) for name in ("README", name_of(2) + ".txt", "junk.txt", "nested/")]
    )
    assert (look.foreign_count, look.foreign_size) == (8, 28)
    assert look.foreign_removed == 7
    removed = {removal.path: removal for removal in look.removals}
    assert set(removed) == set(look.foreign) - {relative("README")}
    assert removed[relative("nested/")][1:] == (3, 3)


def test_names_that_are_the_engine_s_elsewhere_are_foreign(cache):
    put(cache.top / "else" / COMPILER / name_of(1))
    put(cache.top / "modules" / "else" / name_of(1))
    look = cache.look()
    assert look.all.entries == look.foreign_count == 2
    assert look.removals == []


def test_what_the_engine_has_left_behind(cache):
    put(cache.folder / (name_of(1) + ".stats"))
    put(cache.folder / (name_of(2) + ".wip-77"), age=DAY)
    put(cache.folder / (name_of(3) + ".wip-78"), age=60)
    put(cache.folder / (name_of(3) + ".wip-79"), age=-2 * DAY)
    put(cache.top / ".cleanup.wip-1", age=DAY)
    put(cache.top / ".cleanup.wip-2", age=60)
    put(cache.top / ".cleanup.else", age=60)
    look = cache.look()
    assert (look.foreign, look.leftovers_removed) == ([], 4)
    assert {lock.path: (lock.stale, lock.of_cleanup) for lock in look.locks} == {
        ".cleanup.wip-1": (True, True),
        ".cleanup.wip-2": (False, True),
        relative(name_of(2) + ".wip-77"): (True, False),
        relative(name_of(3) + ".wip-78"): (False, False),
        relative(name_of(3) + ".wip-79"): (True, False),
    }
    assert look.blocked_until == (cache.top / ".cleanup.wip-2").stat().st_mtime_ns + 3600 * SECOND


def test_without_rules_no_lock_is_called_stale(cache):
    put(cache.folder / (name_of(2) + ".wip-77"), age=DAY)
    put(cache.top / ".cleanup.wip-1", age=DAY)
    look = cache.look(rules=None)
    assert [lock.stale for lock in look.locks] == [None, None]
    assert (look.removals, look.blocked_until) == ([], None)


def test_size_on_disk_counts_everything_once(cache):
    path = cache.module(1, 10_000)
    os.link(str(path), str(cache.folder / name_of(2)))
    put(cache.folder / "nested" / "file", bytes(9000))
    put(cache.top / "junk", bytes(9000))
    (cache.top / "empty").mkdir()
    seen = {path.lstat().st_ino: path.lstat().st_blocks * 512 for path in [cache.top, *cache.top.rglob("*")]}
    look = cache.look()
    assert look.all.size_on_disk == sum(seen.values())
    assert look.all.size == 20_000
    assert 0 < look.folders[0].size_on_disk < look.all.size_on_disk


def test_the_sparse_and_the_special_are_no_trouble(cache):
    cache.module(1)
    os.mkfifo(str(cache.folder / name_of(2)))
    os.mkfifo(str(cache.folder / (name_of(2) + ".stats")))
    with (cache.folder / name_of(3)).open("wb") as file:
        file.truncate(2**33)
    look = cache.look()
    assert (look.all.entries, look.all.size, look.all.unknown) == (3, 100 + 2**33, 2)
    assert look.all.size_on_disk < 2**20


def test_links_are_followed_where_the_engine_does_and_never_read(cache, tmp_path):
    behind = Cache(tmp_path / "behind")
    behind.module(1)
    put(behind.top / "junk", b"123")
    (cache.top / "modules").symlink_to(behind.top / "modules")
    (cache.top / "link").symlink_to(behind.top)
    look = cache.look()
    assert sorted(look.links) == ["link", "modules"]
    # Once as modules/wasmtime-42.0.2/..., and as link/modules/wasmtime-42.0.2, a directory too deep to be entered.
    assert look.all.entries == 1
    assert look.all.unknown == 1
    assert sorted(look.foreign) == ["link/junk", "link/modules/%s/" % COMPILER]
    assert look.folders[0].behind_link


def test_a_link_among_the_modules_is_only_a_link(cache, tmp_path):
    put(tmp_path / "outside" / "file", bytes(1000))
    cache.folder.mkdir(parents=True)
    (cache.folder / "to-folder").symlink_to(tmp_path / "outside")
    (cache.folder / "to-file").symlink_to(tmp_path / "outside" / "file")
    (cache.folder / "loop").symlink_to("loop")
    look = cache.look()
    assert [removal.path for removal in look.removals] == [relative("to-folder")]
    assert look.all.entries == 2
    assert look.all.size < 1000
    assert look.links == []


def test_a_loop_of_links_ends(cache):
    cache.module(1)
    (cache.top / "self").symlink_to(cache.top)
    look = cache.look()
    assert look.complete
    assert look.all.entries == 1
    assert "self/modules/%s/" % COMPILER in look.foreign


def test_a_deep_tree_is_told_not_followed_for_ever(cache):
    path = cache.folder / "deep"
    path.mkdir(parents=True)
    handle = os.open(str(path), os.O_RDONLY)
    for _level in range(150):
        os.mkdir("d", dir_fd=handle)  # the path is getting too long
        above, handle = handle, os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(above)
    os.close(handle)
    look = cache.look()
    assert not look.complete
    assert len(look.unreadable) == 1


def test_lists_are_cut_and_counts_are_not(cache):
    for number in range(30):
        put(cache.top / ("junk%d" % number))
        put(cache.top / (".cleanup.wip-%d" % number))
        put(cache.folder / ("junk%d.txt" % number))
    look = cache.look(listed=7)
    assert len(look.foreign) == len(look.locks) == len(look.removals) == 7
    assert look.foreign_count == look.foreign_removed == 60
    assert len(cache.look(listed=None).foreign) == 60


def test_names_that_are_no_text_are_shown_as_text(cache):
    put(cache.top / os.fsdecode(b"\xff<b>\n"))
    (shown_name,) = cache.look().foreign
    assert shown_name == "\\xff<b>\\n"
    assert shown_path("ä") == "ä"
    assert shown_path("a\n\udcff") == "a\\n\\xff"


def test_nothing_changes(cache):
    cache.module(1)
    put(cache.top / "junk")
    before = snapshot(cache.top)
    assert cache.look().all.usages == 1
    assert snapshot(cache.top) == before


@pytest.mark.skipif(not hasattr(os, "O_NOATIME"), reason="this system notes every access")
def test_not_even_a_time_of_access_changes(cache):
    cache.module(1)
    paths = [cache.top, *cache.top.rglob("*")]
    for path in paths:
        os.utime(str(path), (1, 1))
    assert cache.look().all.usages == 1
    assert [path.lstat().st_atime for path in paths] == [1] * len(paths)


def test_what_a_user_may_not_see_is_told():
    with place() as there:
        cache = Cache(there / "cache")
        cache.module(1)
        put(cache.top / "modules" / "wasmtime-closed" / name_of(1))
        for path in [cache.top, *cache.top.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o600)
        (cache.top / "modules" / "wasmtime-closed").chmod(0)
        with without_root():
            look = cache.look()
        assert look.unreadable == ["modules/wasmtime-closed"]
        assert not look.complete
        assert look.all.entries == 1
        # Statistics of another user can be counted, if not read.
        assert look.all.unknown == (1 if os.geteuid() == 0 else 0)


def test_a_directory_that_can_be_listed_and_no_more_is_told():
    with place() as there:
        cache = Cache(there / "cache")
        cache.module(1)
        cache.folder.chmod(0o444)
        with without_root():
            look = cache.look()
        assert look.unreadable == [relative("")[:-1]]
        assert not look.complete


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")
def test_a_file_of_another_user_is_read_with_a_trace_if_need_be():
    with place() as there:
        cache = Cache(there / "cache")
        cache.module(1)
        with without_root():
            assert cache.look().all.usages == 1


def many_modules(cache: Cache) -> None:
    for number in range(40):
        cache.module(number)


def many_statistics(cache: Cache) -> None:
    for number in range(40):
        put(cache.folder / (name_of(number) + ".stats"))


def many_files(cache: Cache) -> None:
    for number in range(40):
        put(cache.top / str(number))


def many_folders(cache: Cache) -> None:
    for number in range(40):
        (cache.top / "modules" / ("wasmtime-%d" % number)).mkdir(parents=True)


def many_links(cache: Cache) -> None:
    cache.folder.mkdir(parents=True)
    for number in range(40):
        (cache.top / str(number)).symlink_to(cache.top)


def many_special_files(cache: Cache) -> None:
    cache.folder.mkdir(parents=True)
    for number in range(40):
        os.mkfifo(str(cache.folder / name_of(number)))


def a_deep_tree(cache: Cache) -> None:
    (cache.folder / "/".join("d" * 40)).mkdir(parents=True)


def a_wide_tree(cache: Cache) -> None:
    for number in range(40):
        (cache.folder / "tree" / str(number)).mkdir(parents=True)


@pytest.mark.parametrize(
    "make",
    [
        many_modules,
        many_statistics,
        many_files,
        many_folders,
        many_links,
        many_special_files,
        a_deep_tree,
        a_wide_tree,
    ],
)
def test_a_look_at_anything_is_stopped_by_time(cache: Cache, make: Callable[[Cache], None]) -> None:
    make(cache)
    assert cache.look(clock=Clock()).complete
    look = cache.look(seconds=20, clock=Clock(step=1))
    assert (look.stopped_by, look.complete) == ("time_limit", False)


def test_the_figures_of_a_stopped_look_are_those_of_what_was_seen(cache: Cache) -> None:
    many_modules(cache)
    look = cache.look(seconds=20, clock=Clock(step=1))
    assert 0 < look.all.entries == len(look.entries) < 40


def test_a_budget_ends_after_its_time_and_not_before() -> None:
    clock = Clock()
    budget = Budget(5, 2**62, clock)
    clock.now = 5
    budget.check()
    assert budget.left() == 0
    clock.now = 5.001
    with pytest.raises(Stopped, match="time_limit"):
        budget.check()


def test_a_budget_of_more_seconds_than_a_float_holds_does_not_end() -> None:
    budget = Budget(10**400, 2**62, Clock())
    budget.check()
    assert budget.left() > 10**8


def test_memory_is_looked_at_at_once_and_again_and_again() -> None:
    with pytest.raises(Stopped, match="memory_limit"):
        Budget(1, resident() - 2**20, Clock()).check()
    budget = Budget(1, resident() + 2**25, Clock())
    budget.check()
    held = bytearray(os.urandom(1)) * 2**26
    with pytest.raises(Stopped, match="memory_limit"):
        exhaust(budget)
    assert held


def exhaust(budget: Budget) -> None:
    for _call in range(_scan._MEMORY_EVERY):
        budget.check()


def test_memory_is_not_looked_at_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading /proc for each file would cost more than the look."""
    opened = []

    def counted(path: str, mode: str) -> object:
        opened.append(path)
        return open(path, mode)  # noqa: PTH123 # it takes this one's place

    monkeypatch.setattr(_scan, "open", counted, raising=False)
    budget = Budget(1, 2**62, Clock())
    for _call in range(10 * _scan._MEMORY_EVERY):
        budget.check()
    assert len(opened) == 10
    # Nor for each file with several names.
    scan = _scan._Scanner(_scan.Look(None, None, 0, budget), Library().any)
    for number in range(10 * _scan._MEMORY_EVERY):
        scan._count_on_disk(os.stat_result([0o100600, number, 1, 2, *[0] * 15]))
    assert len(opened) == 20
    assert _scan._MEMORY_EVERY >= 100


def test_a_look_is_stopped_by_memory(cache):
    cache.module(1)
    assert cache.look(memory=resident() - 2**20).stopped_by == "memory_limit"
    assert cache.look(memory=resident() + 2**26).stopped_by is None


def test_memory_grows_with_what_is_held():
    before = resident()
    held = bytearray(os.urandom(1)) * 2**25
    assert resident() - before > 2**24
    with pytest.raises(Stopped, match="memory_limit"):
        Budget(10, resident() + 2**20).need(2**21)
    assert held


def test_what_comes_and_goes_meanwhile_is_no_error(cache):
    """A thread adds, replaces and deletes modules, directories and links all the time."""
    for number in range(50):
        cache.module(number)
    over = threading.Event()

    def disturb():
        step = 0
        while not over.is_set():
            step += 1
            number = step % 50
            path = cache.folder / name_of(number)
            for name in (path, path.with_name(path.name + ".stats")):
                if name.exists():
                    name.unlink()
            cache.module(number, step % 1000)
            other = cache.top / "modules" / ("wasmtime-%d" % (step % 3))
            if other.is_symlink():
                other.unlink()
                other.mkdir()
            elif other.is_dir():
                other.rmdir()
            else:
                other.symlink_to("/nonexistent" if step % 2 else str(cache.folder))

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        for _look in range(60):
            look = cache.look()
            assert look.complete
            assert look.all.entries > 40
    finally:
        over.set()
        thread.join()


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's pipes and devices do not concern those who are not root")
def test_a_pipe_put_in_the_place_of_a_file_does_not_notice(tmp_path):
    os.mkfifo(str(tmp_path / "f"))
    directory = os.open(str(tmp_path), os.O_RDONLY)
    with contextlib.closing(Opened(tmp_path / "f")) as opened:
        with pytest.raises(OSError, match=os.strerror(errno.ESTALE)):
            open_file("f", directory)
        assert opened.times() == 0
        (tmp_path / "f").unlink()
        (tmp_path / "f").write_bytes(b"text")
        handle = open_file("f", directory)
        assert os.read(handle, 9) == b"text"
        os.close(handle)
    os.close(directory)


def test_a_link_put_in_the_way_of_a_folder_is_not_followed(cache, tmp_path):
    cache.module(1)
    handle = os.open(str(cache.top), os.O_RDONLY)
    try:
        os.close(open_folder(handle, "modules/" + COMPILER))
        cache.folder.rename(tmp_path / "moved")
        cache.folder.symlink_to(tmp_path / "moved")
        with pytest.raises(OSError, match="directory"):
            open_folder(handle, "modules/" + COMPILER)
    finally:
        os.close(handle)


@needs_handles
def test_no_handle_is_left_open(cache, tmp_path):
    cache.module(1)
    put(cache.folder / "nested" / "file")
    (cache.top / "link").symlink_to(tmp_path)
    before = handles()
    cache.look()
    cache.look(seconds=0)
    assert handles() == before


def test_a_look_at_nothing_has_found_nothing() -> None:
    budget = Budget(1, PLENTY)
    look = _scan.look_into(None, None, NOW, budget, Library().any)
    found = vars(look)
    assert vars(found.pop("all")) == {
        "entries": 0,
        "size": 0,
        "size_on_disk": 0,
        "oldest": None,
        "newest": None,
        "usages": 0,
        "least": None,
        "most": None,
        "unknown": 0,
    }
    assert found == {
        "top": -1,
        "rules": None,
        "now": NOW,
        "budget": budget,
        "listed": 100,
        "entries": [],
        "folders": [],
        "recent_entries": 0,
        "recent_size": 0,
        "oldest": None,
        "newest": None,
        "levels": {},
        "locks": [],
        "blocked_until": None,
        "removals": [],
        "foreign": [],
        "foreign_count": 0,
        "foreign_size": 0,
        "foreign_removed": 0,
        "leftovers_removed": 0,
        "links": [],
        "unreadable": [],
        "stopped_by": None,
    }


def test_the_figures_of_modules_add_up() -> None:
    figures = _scan.Sum()
    for then, size, usages in ((50, 1, 6), (70, 20, None), (30, 300, 4), (60, 4000, 9), (40, 50_000, 0)):
        figures.add(then, size, usages)
    assert vars(figures) == {
        "entries": 5,
        "size": 54_321,
        "size_on_disk": 0,
        "oldest": 30,
        "newest": 70,
        "usages": 19,
        "least": 0,
        "most": 9,
        "unknown": 1,
    }


def test_every_folder_has_its_own_figures(cache: Cache) -> None:
    """The oldest and the newest module too; a folder without modules that is not the engine's is left out."""
    times = {"wasmtime-1": (6, 5), "wasmtime-2": (7, 9, 2, 3), "else": (4, 8), "wasmtime-3": ()}
    for folder, given in times.items():
        (cache.top / "modules" / folder).mkdir(parents=True)
        for then in given:
            put_at(cache.top / "modules" / folder / name_of(then), then * SECOND, bytes(then))
    for number in range(9):
        (cache.top / "modules" / str(number)).mkdir()
    look = cache.look(now=NOW)
    assert {
        folder.path: (folder.entries, folder.size, folder.oldest, folder.newest, folder.behind_link)
        for folder in look.folders
    } == {
        "modules/wasmtime-1": (2, 11, 5 * SECOND, 6 * SECOND, False),
        "modules/wasmtime-2": (4, 21, 2 * SECOND, 9 * SECOND, False),
        "modules/else": (2, 12, 4 * SECOND, 8 * SECOND, False),
        "modules/wasmtime-3": (0, 0, None, None, False),
    }
    assert {(look.path(entry), entry.time, entry.size) for entry in look.entries} == {
        ("modules/%s/%s" % (folder, name_of(then)), then * SECOND, then)
        for folder, given in times.items()
        for then in given
    }
    assert look.oldest is not None
    assert look.newest is not None
    assert look.path(look.oldest) == "modules/wasmtime-2/" + name_of(2)
    assert look.path(look.newest) == "modules/wasmtime-2/" + name_of(9)


@pytest.mark.parametrize(
    ("then", "rules", "recent"),
    [
        (NOW - 7 * 86400 * SECOND, DEFAULTS, 1),
        (NOW - 7 * 86400 * SECOND - 1, DEFAULTS, 0),
        (NOW + 86400 * SECOND, DEFAULTS, 1),
        (NOW + 86400 * SECOND + 1, DEFAULTS, 0),
        (NOW, None, 1),
        (NOW + 1, None, 0),
    ],
)
def test_a_module_is_in_use_for_seven_days_to_the_nanosecond(
    cache: Cache, then: int, rules: CleanupRules | None, recent: int
) -> None:
    put_at(cache.folder / name_of(1), then, bytes(10))
    look = cache.look(rules, now=NOW)
    assert (look.recent_entries, look.recent_size) == (recent, 10 * recent)


START = b"usages = 5\noptimized-compression = 3\n#"


@pytest.mark.parametrize(
    ("data", "usages"),
    [
        (START.ljust(4096), 5),
        (START.ljust(4097), None),
        (START + b"." * 400, 5),
        (START + b"." * 401, None),
        (b"usages = 0\noptimized-compression = -2147483648\n", 0),
        (b"usages = 0\noptimized-compression = -2147483649\n", None),
        (b"usages = 9223372036854775807\noptimized-compression = 2147483647\n", 2**63 - 1),
        (b"usages = 1\noptimized-compression = 2147483649\n", None),
        (b"usages = 1\noptimized-compression = 3.0\n", None),
        (b"usages = 1\noptimized-compression = false\n", None),
        (b"optimized-compression = 3\n", None),
    ],
)
def test_statistics_at_the_limits_of_the_engine(cache: Cache, data: bytes, usages: int | None) -> None:
    cache.module(1, stats=data)
    look = cache.look()
    assert (look.all.usages, look.all.least, look.all.unknown) == (usages or 0, usages, int(usages is None))
    assert sum(look.levels.values()) == (0 if usages is None else 1)


def test_equal_statistics_are_parsed_once(cache: Cache) -> None:
    """Most of those of a cache are equal; parsing them takes more time than all else."""
    loaded = []

    def loads() -> Any:
        loaded.append(1)
        return Library().any()

    for number in range(40):
        cache.module(number, stats=b"usages = %d\noptimized-compression = 3\n" % (number % 2))
    handle = _scan.open_directory(str(cache.top))
    look = _scan.look_into(handle, DEFAULTS, NOW, Budget(60, PLENTY), loads)
    os.close(handle)
    assert (look.all.entries, look.all.usages, len(loaded)) == (40, 20, 2)


def test_statistics_that_are_a_link_or_a_directory_are_not_read(cache: Cache, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        put_at(cache.folder / name_of(number), 10 * SECOND)
    good = put(tmp_path / "good", START)
    link = cache.folder / (name_of(1) + ".stats")
    link.symlink_to(good)
    os.utime(str(link), ns=(20 * SECOND, 20 * SECOND), follow_symlinks=False)
    (cache.folder / (name_of(2) + ".stats")).mkdir()
    (cache.folder / (name_of(3) + ".stats")).symlink_to(tmp_path)
    look = cache.look(now=NOW)
    assert {entry.name: entry.time for entry in look.entries} == {
        name_of(1): 20 * SECOND,
        name_of(2): 10 * SECOND,
        name_of(3): 10 * SECOND,
    }
    assert (look.all.unknown, look.levels) == (3, {})
    assert {removal.path: removal.things for removal in look.removals} == {
        relative(name_of(2) + ".stats/"): 1,
        relative(name_of(3) + ".stats"): 1,
    }


def test_statistics_without_a_module_are_deleted(cache: Cache, tmp_path: Path) -> None:
    """A directory, a link to one and a file with an extension are no modules; statistics are, for those of their own."""
    put(cache.folder / (name_of(1) + ".stats"), b"1")
    (cache.folder / name_of(2)).mkdir()
    put(cache.folder / (name_of(2) + ".stats"), b"12")
    (cache.folder / name_of(3)).symlink_to(tmp_path)
    put(cache.folder / (name_of(3) + ".stats"), b"123")
    put(cache.folder / "a.txt")
    put(cache.folder / "a.txt.stats", b"1234")
    put(cache.folder / "b")
    put(cache.folder / "b.bak", b"12345")
    put(cache.folder / "b.stats")
    put(cache.folder / "b.stats.stats")
    look = cache.look(now=NOW)
    assert sorted(entry.name for entry in look.entries) == ["b"]
    assert {removal.path: (removal.things, removal.size) for removal in look.removals} == {
        relative(name_of(1) + ".stats"): (1, 1),
        relative(name_of(2) + ".stats"): (1, 2),
        relative(name_of(2) + "/"): (1, 0),
        relative(name_of(3)): (1, len(str(tmp_path))),
        relative(name_of(3) + ".stats"): (1, 3),
        relative("a.txt"): (1, 0),
        relative("a.txt.stats"): (1, 4),
        relative("b.bak"): (1, 5),
    }
    assert look.leftovers_removed == 3
    # With b, which counts as a module.
    assert (look.foreign_removed, look.foreign_count) == (5, 6)


def test_an_extension_that_is_no_text_is_none_for_the_engine(cache: Cache) -> None:
    """It compares extensions as text, and takes others for modules, which it does not delete as such."""
    odd = os.fsdecode(b".\xff")
    put(cache.folder / name_of(1))
    put(cache.folder / (name_of(1) + odd), b"1")
    put(cache.folder / (name_of(2) + odd), b"12")
    put(cache.folder / (name_of(2) + odd + ".stats"), b"123")
    put(cache.folder / (name_of(3) + os.fsdecode(b".wip-\xff")), b"1234")
    look = cache.look(now=NOW)
    assert [entry.name for entry in look.entries] == [name_of(1)]
    assert look.locks == []
    assert {removal.path: removal.size for removal in look.removals} == {
        relative(name_of(2) + odd): 2,
        relative(name_of(3) + os.fsdecode(b".wip-\xff")): 4,
    }


HOUR_AGO = NOW - 3600 * SECOND
HALF_AN_HOUR_AGO = NOW - 1800 * SECOND


@pytest.mark.parametrize(
    ("name", "then", "rules", "lock", "leftovers", "foreign_removed", "foreign"),
    [
        (".cleanup.wip-1", HOUR_AGO, DEFAULTS, (True, True), 1, 0, 0),
        (".cleanup.wip-1", HOUR_AGO + 1, DEFAULTS, (False, True), 0, 0, 0),
        (".cleanup.wip-1", HOUR_AGO, None, (None, True), 0, 0, 0),
        (".cleanup.wip-" + os.fsdecode(b"\xff"), HOUR_AGO, DEFAULTS, None, 0, 1, 1),
        (".cleanup.wip-" + os.fsdecode(b"\xff"), HOUR_AGO + 1, DEFAULTS, None, 0, 0, 0),
        (".cleanup.else", HOUR_AGO, DEFAULTS, None, 0, 1, 1),
        (".cleanup.else", HOUR_AGO + 1, DEFAULTS, None, 0, 0, 0),
        (".cleanup.else", HOUR_AGO, None, None, 0, 0, 0),
        (".cleanup", NOW, DEFAULTS, None, 0, 1, 1),
        ("cleanup.wip-1", NOW, DEFAULTS, None, 0, 1, 1),
        ("-cleanup.wip-1", NOW, DEFAULTS, None, 0, 1, 1),
        ("modules/.cleanup.wip-1", NOW, DEFAULTS, None, 0, 1, 1),
        (".cleanup.wip-1/x", NOW, DEFAULTS, None, 0, 1, 1),
        (relative(name_of(1) + ".wip-1"), HALF_AN_HOUR_AGO, DEFAULTS, (True, False), 1, 0, 0),
        (relative(name_of(1) + ".wip-1"), HALF_AN_HOUR_AGO + 1, DEFAULTS, (False, False), 0, 0, 0),
        (relative(name_of(1) + ".wip-1"), HALF_AN_HOUR_AGO, None, (None, False), 0, 0, 0),
        (relative("x.wip-1"), HALF_AN_HOUR_AGO, DEFAULTS, (True, False), 0, 1, 1),
        (relative("x.wip-1"), HALF_AN_HOUR_AGO + 1, DEFAULTS, (False, False), 0, 0, 1),
        (relative("x.wip-1"), HALF_AN_HOUR_AGO, None, (None, False), 0, 0, 1),
        (relative("x.wip"), NOW, DEFAULTS, None, 0, 1, 1),
        (relative("x.wip"), NOW, None, None, 0, 1, 1),
    ],
)
def test_a_lock_is_told_and_deleted_when_it_has_expired(
    cache: Cache,
    name: str,
    then: int,
    rules: CleanupRules | None,
    lock: tuple[bool | None, bool] | None,
    leftovers: int,
    foreign_removed: int,
    foreign: int,
) -> None:
    put_at(cache.top / name, then, b"12345")
    look = cache.look(rules, now=NOW)
    assert look.locks == ([] if lock is None else [(name, then, *lock)])
    removed = leftovers + foreign_removed
    assert look.removals == [(name, 1, 5)] * removed
    assert (look.leftovers_removed, look.foreign_removed) == (leftovers, foreign_removed)
    assert (look.foreign, look.foreign_count, look.foreign_size) == ([shown_path(name)] * foreign, foreign, 5 * foreign)
    blocks = lock == (False, True)
    assert look.blocked_until == (then + 3600 * SECOND if blocks else None)


@pytest.mark.parametrize("ages", [(10, 20, 30), (30, 20, 10)])
def test_the_last_lock_that_expires_tells_when_a_cleanup_can_run(cache: Cache, ages: tuple[int, ...]) -> None:
    for number, age in enumerate(ages):
        put_at(cache.top / (".cleanup.wip-%d" % number), NOW - age * SECOND)
    look = cache.look(now=NOW)
    assert [lock.stale for lock in look.locks] == [False] * 3
    assert look.blocked_until == NOW + 3590 * SECOND


def test_a_tree_among_the_modules_is_counted_with_all_that_is_in_it(cache: Cache, tmp_path: Path) -> None:
    put(tmp_path / "outside" / "file", bytes(9000))
    tree = cache.folder / "tree"
    put(tree / "a", b"1")
    put(tree / "one" / "b", b"12")
    put(tree / "one" / "c", b"123")
    put(tree / "one" / "two" / "d", b"1234")
    put(tree / "other" / "e", b"12345")
    (tree / "link").symlink_to(tmp_path / "outside")
    (cache.folder / "link").symlink_to(tmp_path / "outside")
    link = len(str(tmp_path / "outside"))
    look = cache.look(now=NOW)
    assert sorted(look.removals) == [(relative("link"), 1, link), (relative("tree/"), 10, 15 + link)]
    assert sorted(look.foreign) == [relative("link"), relative("tree/")]
    assert (look.foreign_count, look.foreign_removed, look.foreign_size) == (11, 11, 15 + 2 * link)
    (folder,) = look.folders
    assert (folder.entries, folder.size) == (0, 0)
    assert folder.size_on_disk == on_disk([cache.folder, *cache.folder.rglob("*")])
    assert look.all.size_on_disk == on_disk([cache.top, *cache.top.rglob("*")])


def on_disk(paths: list[Path]) -> int:
    return sum(path.lstat().st_blocks * 512 for path in paths)


def deep(path: Path, depth: int) -> None:
    """A directory with others one in the other below it; their path can be too long for the system."""
    path.mkdir(parents=True)
    handle = os.open(str(path), os.O_RDONLY)
    for _level in range(depth):
        os.mkdir("d", dir_fd=handle)
        above, handle = handle, os.open("d", os.O_RDONLY, dir_fd=handle)
        os.close(above)
    os.close(handle)


def test_a_tree_of_a_hundred_levels_is_counted_and_no_deeper_one(cache: Cache) -> None:
    deep(cache.folder / "good", 99)
    look = cache.look()
    assert look.complete
    assert [removal[:2] for removal in look.removals] == [(relative("good/"), 100)]
    deep(cache.folder / "too-deep", 100)
    look = cache.look()
    assert look.unreadable == [relative("too-deep" + 100 * "/d")]
    assert {removal[:2] for removal in look.removals} == {(relative("good/"), 100), (relative("too-deep/"), 101)}


def test_a_long_path_is_shown_by_its_ends() -> None:
    start, end = "a" * 2000 + "b" * 48, "c" * 48 + "d" * 2000
    assert shown_path(start + end) == start + end
    assert shown_path(start + "x" + end) == start + "..." + end
    assert len(shown_path("\x1b" * 4000)) == 4096 + len("...")


def test_a_hundred_names_are_listed(cache: Cache) -> None:
    for number in range(101):
        put(cache.top / str(number))
    look = cache.look(now=NOW)
    assert (len(look.foreign), len(look.removals), look.foreign_count) == (100, 100, 101)


@pytest.mark.parametrize("code", [errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE])
def test_what_is_gone_or_replaced_is_not_called_unreadable(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    fail_for(monkeypatch, name_of(2), code)
    for number in (1, 2, 3):
        cache.module(number, stats=None)
    look = cache.look()
    assert look.complete
    assert sorted(entry.name for entry in look.entries) == [name_of(1), name_of(3)]


def fail_for(monkeypatch: pytest.MonkeyPatch, name: str, code: int) -> None:
    """Let the system have no status for one name."""
    status = os.stat

    def fail(path: Any, **options: Any) -> os.stat_result:
        if path == name:
            raise OSError(code, os.strerror(code))
        return status(path, **options)

    monkeypatch.setattr(os, "stat", fail)


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("top", "."),
        ("modules/middle", "modules"),
        (relative("beside.txt"), relative("")[:-1]),
        (relative("tree/below"), relative("tree")),
    ],
)
def test_a_directory_in_which_a_file_cannot_be_seen_is_told_once(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, name: str, where: str
) -> None:
    for number in range(9):
        cache.module(number)
    put(cache.folder / "tree" / "first")
    put(cache.top / name)
    put(cache.folder / "tree" / "last")
    fail_for(monkeypatch, name.rpartition("/")[2], errno.EIO)
    look = cache.look()
    assert look.unreadable == [where]
    assert not look.complete
    assert look.all.entries == 9
    assert {removal[:2] for removal in look.removals} == {(relative("tree/"), 3)}


def test_every_directory_that_cannot_be_listed_is_told() -> None:
    with place() as there:
        cache = Cache(there / "cache")
        for number in range(9):
            put(cache.top / "modules" / ("wasmtime-%d" % number) / name_of(number))
            put(cache.folder / ("tree-%d" % number) / "file")
        closed = [cache.folder / "tree-3", cache.folder / "tree-6", *(cache.top / "modules").glob("wasmtime-[258]")]
        for path in closed:
            path.chmod(0)
        with without_root():
            look = cache.look()
    assert sorted(look.unreadable) == sorted(str(path.relative_to(cache.top)) for path in closed)
    assert look.all.entries == 6
    assert {removal[:2] for removal in look.removals} == {
        (relative("tree-%d/" % number), 1 if number in (3, 6) else 2) for number in range(9)
    }


def test_a_directory_is_opened_and_nothing_else(cache: Cache) -> None:
    put(cache.top / "file")
    os.mkfifo(str(cache.top / "pipe"))
    (cache.top / "link").symlink_to(".")
    handle = _scan.open_directory(str(cache.top))
    try:
        for name in ("file", "pipe", "link"):
            with pytest.raises(OSError, match=r"directory|symbolic"):
                _scan.open_directory(name, handle)
        with without_root(), pytest.raises(OSError, match="symbolic"):
            open_file("link", handle)
    finally:
        os.close(handle)


def test_no_file_is_waited_for() -> None:
    with place() as there:
        put(there / "file", b"text").chmod(0o644)
        handle = _scan.open_directory(str(there))
        with without_root():
            file = open_file("file", handle)
        os.close(handle)
        assert not os.get_blocking(file)
        assert os.read(file, 9) == b"text"
        os.close(file)


def test_a_system_that_notes_every_access_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "O_NOATIME", raising=False)
    with place() as there:
        cache = Cache(there / "cache")
        cache.module(1)
        for path in [cache.top, *cache.top.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        assert cache.look().all.usages == 1
        with without_root():
            assert cache.look().all.usages == 1


@needs_handles
def test_a_folder_that_cannot_be_opened_leaves_no_handle_and_takes_none(cache: Cache) -> None:
    cache.module(1)
    handle = os.open(str(cache.top), os.O_RDONLY)
    before = handles()
    for path in ("modules/missing", "missing/modules", relative(name_of(1)) + "/x"):
        with pytest.raises(OSError, match="directory"):
            open_folder(handle, path)
        assert handles() == before
    opened = open_folder(handle, "modules/" + COMPILER)
    assert os.path.samestat(os.fstat(opened), cache.folder.stat())
    os.close(opened)
    os.close(handle)


def test_time_counts_from_the_start_of_a_budget() -> None:
    clock = Clock()
    clock.now = 1000.0
    budget = Budget(5, PLENTY, clock)
    assert budget.left() == 5
    clock.now = 1003.0
    assert budget.left() == 2
    assert Budget(10**400, PLENTY, Clock()).left() == Budget(10**9 + 1, PLENTY, Clock()).left() == 10**9
    assert Budget(10**9 - 1, PLENTY, Clock()).left() == 10**9 - 1


def test_memory_is_limited_to_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    use_memory(monkeypatch, 11)
    used = 11 * os.sysconf("SC_PAGE_SIZE")
    assert resident() == used
    Budget(1, used, Clock()).check()
    for more in (5, used):
        Budget(1, used + more, Clock()).need(more)
        with pytest.raises(Stopped, match="memory_limit"):
            Budget(1, used + more, Clock()).need(more + 1)
    with pytest.raises(Stopped, match="memory_limit"):
        Budget(1, used - 1, Clock()).check()


def test_only_files_with_several_names_are_remembered() -> None:
    scan = _scan._Scanner(_scan.Look(None, None, 0, Budget(1, PLENTY)), Library().any)
    for mode, number, links in (
        (0o100600, 1, 1),
        (0o040700, 2, 5),
        (0o120777, 3, 1),
        (0o100600, 4, 2),
        (0o120777, 5, 3),
    ):
        scan._count_on_disk(os.stat_result([mode, number, 7, links, *[0] * 15]))
    assert scan._seen == {(7, 4), (7, 5)}


def test_files_with_several_names_are_remembered_while_twice_their_set_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python copies a set that grows, so for a moment there are two."""
    use_memory(monkeypatch, 0)
    needed = 2 * sys.getsizeof(set(range(6000)))

    def count(memory: int) -> None:
        scan = _scan._Scanner(_scan.Look(None, None, 0, Budget(1, memory, Clock())), Library().any)
        for number in range(6000):
            scan._count_on_disk(os.stat_result([0o100600, number, 1, 2, *[0] * 15]))

    count(needed)
    with pytest.raises(Stopped, match="memory_limit"):
        count(needed - 1)
