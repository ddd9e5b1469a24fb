# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of a cache, and the cut that a cleanup makes."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import Host
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.config import read_config
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml import Library
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import for_version
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage import cleanup as _cleanup
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage.cleanup import (
    crashes,
    kept,
    limits,
    next_cleanup,
    order,
    rules_of,
    usage_result,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage.scan import (
    Budget,
    CleanupRules,
    Entry,
    Folder,
    Look,
    Stopped,
    look_into,
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

if TYPE_CHECKING:
    from pathlib import Path

NOW = 10**18
SECOND = 10**9


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


def entries_of(*sizes):
    return [Entry(NOW - number, size, 0, str(number)) for number, size in enumerate(sizes)]


def cut(sizes, rules):
    """How many of a cache's entries of these sizes, the newest first, a cleanup keeps, and their bytes."""
    look = look_into(None, rules, NOW, Budget(60, PLENTY), Library().any)
    look.folders.append(Folder("modules/" + COMPILER, False))
    for entry in entries_of(*sizes):
        look.entries.append(entry)
        look.all.add(entry.time, entry.size, None)
    cleanup = foreseen(look)
    assert cleanup["entries_deleted"] == len(sizes) - cleanup["entries_left"]
    assert cleanup["bytes_deleted"] == sum(sizes) - cleanup["bytes_left"]
    return cleanup["entries_left"], cleanup["bytes_left"], cleanup["limit_exceeded"]


@pytest.mark.parametrize(
    ("rules", "sizes", "expected"),
    [
        ((3, 70, 1000, 70), [], (0, 0, False)),
        ((3, 70, 1000, 70), [1, 1, 1], (3, 3, False)),
        ((3, 70, 1000, 70), [1, 1, 1, 1], (2, 2, True)),
        ((3, 100, 1000, 70), [1, 1, 1, 1], (3, 3, True)),
        ((9, 70, 100, 70), [50, 20, 30], (3, 100, False)),
        ((9, 70, 100, 70), [50, 20, 31], (2, 70, True)),
        ((9, 70, 100, 70), [50, 21, 30], (1, 50, True)),
        # The first that does not fit ends it, though later ones would.
        ((9, 70, 100, 70), [50, 51, 1], (1, 50, True)),
        ((9, 70, 100, 70), [101, 1], (0, 0, True)),
        ((0, 70, 100, 70), [0], (0, 0, True)),
        ((9, 70, 0, 70), [0, 0], (2, 0, False)),
        ((9, 0, 100, 0), [50, 50], (2, 100, False)),
        ((9, 100, 100, 0), [50, 51], (0, 0, True)),
        ((300, 100, 1000, 100), [1] * 301, (300, 300, True)),
        ((9, 100, 300, 100), [300, 1], (1, 300, True)),
    ],
)
def test_the_cut(rules, sizes, expected):
    assert cut(sizes, CleanupRules._make((*rules, 1, 1, 1))) == expected


@given(
    st.lists(st.integers(0, 50), max_size=20),
    st.integers(0, 20),
    st.integers(0, 100),
    st.integers(0, 400),
    st.integers(0, 100),
)
def test_the_cut_is_the_longest_that_fits(sizes, count, count_percent, size, size_percent):
    rules = CleanupRules(count, count_percent, size, size_percent, 1, 1, 1)
    stay, left, exceeded = cut(sizes, rules)
    assert left == sum(sizes[:stay])
    assert exceeded == (len(sizes) > count or sum(sizes) > size)
    if not exceeded:
        assert stay == len(sizes)
        return

    def fits(number):
        return number * 100 <= count * count_percent and sum(sizes[:number]) * 100 <= size * size_percent

    assert fits(stay)
    assert stay == len(sizes) or not fits(stay + 1)


def test_the_newest_come_first_and_those_from_far_off_last():
    times = {"old": -DAY, "new": -1, "soon": DAY, "far": DAY + 1}
    entries = [Entry(NOW + seconds * SECOND, 1, 0, name) for name, seconds in times.items()]
    order(entries, DEFAULTS, NOW, Budget(60, PLENTY))
    assert [entry.name for entry in entries] == ["soon", "new", "old", "far"]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 100])
def test_the_order_does_not_depend_on_how_it_is_made(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(_cleanup, "_SORTED_AT_ONCE", 2)
    entries = [Entry(NOW + (number * 37 % 11 - 5) * DAY * SECOND, number, 0, "x") for number in range(count)]
    newest = sorted(entries, reverse=True)
    expected = [e for e in newest if e.time <= NOW + DAY * SECOND] + [e for e in newest if e.time > NOW + DAY * SECOND]
    order(entries, DEFAULTS, NOW, Budget(60, PLENTY))
    assert entries == expected


def test_the_order_is_stopped_by_time_and_by_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cleanup, "_SORTED_AT_ONCE", 2)
    for step, seconds in ((1, 6), (1, 25), (1, 40)):
        entries = entries_of(*[1] * 20)[::-1]
        with pytest.raises(Stopped, match="time_limit"):
            order(entries, DEFAULTS._replace(drift=-1), NOW, Budget(seconds, PLENTY, Clock(step)))
    with pytest.raises(Stopped, match="time_limit"):
        kept(entries_of(*[1] * 20), DEFAULTS, Budget(10, PLENTY, Clock(1)))


def test_no_limit_is_exceeded_and_nothing_is_put_in_order() -> None:
    """What most looks find: it takes no time, however many modules there are."""
    look = look_into(None, DEFAULTS, NOW, Budget(0, PLENTY, Clock()), Library().any)
    look.entries = entries_of(*[1] * 9)[::-1]
    before = list(look.entries)
    foreseen(look)
    assert look.entries == before


def test_a_forecast_that_takes_too_long_is_left_out(cache: Cache) -> None:
    for number in range(30):
        cache.module(number)
    look = cache.look(DEFAULTS._replace(file_count=20), clock=Clock())
    look.budget = Budget(5, PLENTY, Clock(1))
    result, stopped = usage_result(look)
    assert (result["next_cleanup"], result["entries"], stopped) == (None, 30, "time_limit")
    assert look.complete


def described(look: Look) -> dict[str, Any]:
    result, stopped = usage_result(look)
    assert stopped is None
    return result


@pytest.mark.parametrize("count", [5, 130])
def test_the_largest_compilers_are_listed(cache: Cache, count: int) -> None:
    for number in range(count):
        put(cache.top / "modules" / ("wasmtime-%d" % number) / name_of(1), bytes(number))
    names = [compiler["name"] for compiler in described(cache.look())["compilers"]]
    assert names == ["wasmtime-%d" % number for number in reversed(range(count))][:100]


def foreseen(look: Look) -> dict[str, Any]:
    cleanup = next_cleanup(look)
    assert cleanup is not None
    return cleanup


def test_a_cleanup_in_full(cache):
    for number in range(5):
        cache.module(number, 100, age=60 * number)
    put(cache.top / "junk", b"1")
    put(cache.folder / (name_of(9) + ".stats"), b"1")
    put(cache.top / ".cleanup.wip-1", age=100)
    lock = (cache.top / ".cleanup.wip-1").stat().st_mtime
    look = cache.look(DEFAULTS._replace(file_count=4, file_count_percent=50))
    cleanup = foreseen(look)
    assert cleanup.pop("blocked_until") == pytest.approx(lock + 3600, abs=1)
    assert cleanup == {
        "limit_exceeded": True,
        "entries_deleted": 3,
        "bytes_deleted": 300,
        "entries_left": 2,
        "bytes_left": 200,
        "foreign_deleted": 1,
        "leftovers_deleted": 1,
        "deleted": [relative(name_of(number)) for number in (2, 3, 4)]
        + sorted(["junk", relative(name_of(9) + ".stats")], key=[r.path for r in look.removals].index),
    }


def test_what_is_deleted_is_listed_up_to_a_number(cache):
    for number in range(5):
        cache.module(number)
        put(cache.top / ("junk%d" % number))
    rules = DEFAULTS._replace(file_count=0)
    assert len(foreseen(cache.look(rules, listed=3))["deleted"]) == 3
    assert len(foreseen(cache.look(rules, listed=7))["deleted"]) == 7
    assert len(foreseen(cache.look(rules, listed=None))["deleted"]) == 10


def test_nothing_is_foretold_from_half_a_look(cache):
    cache.module(1)
    assert next_cleanup(cache.look(seconds=0)) is None
    assert next_cleanup(cache.look(rules=None)) is None
    look = cache.look()
    look.unreadable.append("modules")
    assert next_cleanup(look) is None


@pytest.mark.parametrize(
    ("changes", "crash"),
    [
        ({}, False),
        ({"total_size": 2**64 - 1, "total_size_percent": 1}, False),
        ({"total_size": 2**64 - 1, "total_size_percent": 2}, True),
        ({"file_count": 2**64 - 1, "file_count_percent": 1}, False),
        ({"file_count": 2**63, "file_count_percent": 2}, True),
        ({"drift": 2**63 - 1 - NOW // SECOND}, False),
        ({"drift": 2**63 - NOW // SECOND}, True),
    ],
)
def test_a_cleanup_that_would_crash_is_known(changes, crash):
    assert crashes(DEFAULTS._replace(**changes), NOW) is crash


def rules_from(text, version="42"):
    host = Host(lambda: "/cache", sys.maxsize, int(time.time()))
    return rules_of(read_config(text.encode(), [for_version(version)], host, Library()))


def test_the_rules_are_those_of_the_config():
    assert rules_from("[cache]\n") == DEFAULTS
    assert rules_from(
        "[cache]\nfile-count-soft-limit = '1K'\nfile-count-limit-percent-if-deleting = '1%'\n"
        "files-total-size-soft-limit = '2Ki'\nfiles-total-size-limit-percent-if-deleting = '2%'\ncleanup-interval = '3m'\n"
        "optimizing-compression-task-timeout = '4m'\nallowed-clock-drift-for-files-from-future = '5m'\n"
    ) == (1000, 1, 2048, 2, 180, 240, 300)


def test_a_config_that_is_refused_has_no_rules():
    assert rules_from("[cache]\nfile-count-soft-limit = '1X'\n") is None
    assert rules_from("[cache]\nunknown = '1'\n") is None
    assert rules_from("") is None


def test_a_duration_that_wraps_is_wrapped():
    assert rules_from("[cache]\ncleanup-interval = '307445734561825861m'\n").interval == 44
    assert rules_from("[cache]\ncleanup-interval = '307445734561825861m'\n", "48") is None


def test_limits_in_percent():
    assert limits(DEFAULTS, 120, 2**28) == {
        "file_count_soft_limit": {"limit": 65536, "used": 120, "percent": 0.2},
        "files_total_size_soft_limit": {"limit": 2**29, "used": 2**28, "percent": 50.0},
    }
    none = limits(DEFAULTS._replace(file_count=0), 120, 0)["file_count_soft_limit"]
    assert none == {"limit": 0, "used": 120, "percent": None}
    assert limits(None, 1, 2)["files_total_size_soft_limit"] == {"limit": None, "used": 2, "percent": None}


def test_the_description(cache):
    start = time.time()
    cache.module(1, 100, age=2 * DAY)
    cache.module(2, 50, age=DAY)
    put(cache.top / "modules" / "wasmtime-50.0.1" / name_of(3), bytes(500))
    (cache.top / "modules" / "wasmtime-1.0.0").mkdir()
    (cache.top / "modules" / "empty").mkdir()
    put(cache.top / "other" / "folder" / "x", bytes(1))
    put(cache.top / ".cleanup.wip-1", age=90)
    result = described(cache.look())
    assert [(c["name"], c["entries"], c["size"], c["usages"]) for c in result["compilers"]] == [
        ("wasmtime-50.0.1", 1, 500, 0),
        ("wasmtime-42.0.2", 2, 150, 2),
        ("other/folder", 1, 1, 0),
        ("wasmtime-1.0.0", 0, 0, 0),
    ]
    assert (result["entries"], result["size"]) == (4, 651)
    assert result["oldest"]["name"] == relative(name_of(1))
    assert result["oldest"]["time"] == pytest.approx(start - 2 * DAY, abs=time.time() - start + 1)
    newest = max(c["newest"] for c in result["compilers"] if c["entries"])
    assert result["newest"]["time"] == newest
    assert result["compilers"][3]["oldest"] is None
    assert result["compilers"][1]["oldest"] == result["oldest"]["time"]
    assert result["usages"] == {"total": 2, "least": 1, "most": 1, "unknown": 2}
    ((lock,)) = result["locks"]
    assert (lock["name"], lock["stale"]) == (".cleanup.wip-1", False)
    assert 90 <= lock["age"] <= 91 + time.time() - start


def test_the_description_of_nothing(cache):
    result = described(cache.look())
    assert (result["oldest"], result["newest"], result["compilers"]) == (None, None, [])
    assert result["usages"] == {"total": 0, "least": None, "most": None, "unknown": 0}
    assert result["next_cleanup"]["entries_left"] == 0


def test_the_order_if_all_are_from_far_off() -> None:
    entries = [Entry(NOW + (DAY + 1) * SECOND + number, 1, 0, str(number)) for number in (2, 1, 3)]
    order(entries, DEFAULTS, NOW, Budget(60, PLENTY))
    assert [entry.name for entry in entries] == ["3", "2", "1"]


def test_drift_is_allowed_to_the_nanosecond() -> None:
    times = {"within": NOW + DAY * SECOND, "beyond": NOW + DAY * SECOND + 1, "now": NOW}
    entries = [Entry(then, 1, 0, name) for name, then in times.items()]
    order(entries, DEFAULTS, NOW, Budget(60, PLENTY))
    assert [entry.name for entry in entries] == ["within", "now", "beyond"]


def test_those_from_far_off_are_moved_if_there_is_memory_for_two_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    use_memory(monkeypatch, 0)
    entries = entries_of(*[1] * 50)
    needed = 2 * sys.getsizeof(entries)
    order(entries, DEFAULTS, NOW, Budget(60, 0))
    rules = DEFAULTS._replace(drift=-1)
    order(entries, rules, NOW, Budget(60, needed))
    with pytest.raises(Stopped, match="memory_limit"):
        order(entries, rules, NOW, Budget(60, needed - 1))


def test_rules_of_zero_are_zero() -> None:
    rules = rules_from(
        "[cache]\nfile-count-soft-limit = '0'\nfile-count-limit-percent-if-deleting = '0%'\n"
        "files-total-size-soft-limit = '0'\nfiles-total-size-limit-percent-if-deleting = '0%'\ncleanup-interval = '0s'\n"
        "optimizing-compression-task-timeout = '0s'\nallowed-clock-drift-for-files-from-future = '0s'\n"
    )
    assert rules == (0, 0, 0, 0, 0, 0, 0)


def test_all_that_is_deleted_is_listed_if_no_number_is_given(cache: Cache) -> None:
    for number in range(130):
        put_at(cache.folder / name_of(number), NOW - number * SECOND)
    put(cache.top / "junk")
    rules = DEFAULTS._replace(file_count=10, file_count_percent=50)
    every = [relative(name_of(number)) for number in range(5, 130)] + ["junk"]
    assert foreseen(cache.look(rules, listed=None, now=NOW))["deleted"] == every
    assert foreseen(cache.look(rules, now=NOW))["deleted"] == every[:100]
    assert foreseen(cache.look(rules, listed=126, now=NOW))["deleted"] == every
    assert foreseen(cache.look(rules, listed=125, now=NOW))["deleted"] == every[:125]


def on_disk(path: Path) -> int:
    """The disk space of a directory and of what is in it."""
    return sum(one.lstat().st_blocks * 512 for one in [path, *path.rglob("*")] if not one.is_symlink())


def test_everything_is_described(cache: Cache, tmp_path: Path) -> None:
    """Times are cut to seconds, and the end of the locks is rounded up."""
    start = 1_800_000_000
    now = start * SECOND + 5
    modules = cache.top / "modules"
    for folder, number, age, size, usages, level in (
        ("wasmtime-1", 1, 100, 10, 4, 3),
        ("wasmtime-1", 2, 50, 20, 6, 20),
        ("wasmtime-2", 3, 70, 5, 1, 3),
    ):
        stats = b"usages = %d\noptimized-compression = %d\n" % (usages, level)
        put_at(modules / folder / name_of(number), now, bytes(size))
        put_at(modules / folder / (name_of(number) + ".stats"), now - age * SECOND - 6, stats)
    put_at(modules / "else" / "file", now - 60 * SECOND, bytes(5))
    put_at(cache.top / ".cleanup.wip-1", now - 10 * SECOND + 1, b"1")
    put_at(modules / "wasmtime-2" / (name_of(3) + ".wip-1"), now - 1800 * SECOND - 1, b"12")
    put(cache.top / os.fsdecode(b"\xff"), b"123")
    behind = tmp_path / "empty"
    behind.mkdir()
    (cache.top / "link").symlink_to(behind)
    result = described(cache.look(DEFAULTS._replace(file_count=3, file_count_percent=70, total_size=80), now=now))
    deleted = result["next_cleanup"].pop("deleted")
    assert deleted[:2] == ["modules/wasmtime-2/" + name_of(3), "modules/wasmtime-1/" + name_of(1)]
    assert sorted(deleted[2:]) == ["\\xff", "modules/wasmtime-2/" + name_of(3) + ".wip-1"]
    result["locks"].sort(key=lambda lock: lock["name"])
    result["foreign"]["names"].sort()
    assert result == {
        "entries": 4,
        "size": 40,
        "size_on_disk": on_disk(cache.top) + on_disk(behind),
        "limits": {
            "file_count_soft_limit": {"limit": 3, "used": 4, "percent": 133.3},
            "files_total_size_soft_limit": {"limit": 80, "used": 40, "percent": 50.0},
        },
        "compilers": [
            {
                "name": "wasmtime-1",
                "entries": 2,
                "size": 30,
                "size_on_disk": on_disk(modules / "wasmtime-1"),
                "oldest": start - 101,
                "newest": start - 51,
                "usages": 10,
            },
            {
                "name": "else",
                "entries": 1,
                "size": 5,
                "size_on_disk": on_disk(modules / "else"),
                "oldest": start - 60,
                "newest": start - 60,
                "usages": 0,
            },
            {
                "name": "wasmtime-2",
                "entries": 1,
                "size": 5,
                "size_on_disk": on_disk(modules / "wasmtime-2"),
                "oldest": start - 71,
                "newest": start - 71,
                "usages": 1,
            },
        ],
        "next_cleanup": {
            "limit_exceeded": True,
            "entries_deleted": 2,
            "bytes_deleted": 15,
            "entries_left": 2,
            "bytes_left": 25,
            "foreign_deleted": 1,
            "leftovers_deleted": 1,
            "blocked_until": start + 3591,
        },
        "oldest": {"name": "modules/wasmtime-1/" + name_of(1), "time": start - 101},
        "newest": {"name": "modules/wasmtime-1/" + name_of(2), "time": start - 51},
        "usages": {"total": 11, "least": 1, "most": 6, "unknown": 1},
        "recorded_levels": {"3": 2, "20": 1},
        "locks": [
            {"name": ".cleanup.wip-1", "age": 9, "stale": False},
            {"name": "modules/wasmtime-2/" + name_of(3) + ".wip-1", "age": 1800, "stale": True},
        ],
        "foreign": {"count": 2, "size": 8, "names": ["\\xff", "modules/else/file"]},
        "links": ["link"],
        "unreadable": [],
    }


@pytest.mark.parametrize(("count", "looks"), [(1, 1), (2**14, 1), (2**14 + 1, 3), (2**15, 3)])
def test_time_is_looked_at_for_every_16384_entries_that_are_sorted(count: int, looks: int) -> None:
    """Sorting so many takes some milliseconds; looking more often would make it slower."""
    clock = Clock(1)
    budget = Budget(100, PLENTY, clock)
    before = clock.now
    order(entries_of(*[1] * count), DEFAULTS, NOW, budget)
    assert clock.now - before == looks


def test_the_drift_is_added_to_the_seconds_of_the_clock() -> None:
    for seconds in (1, 5, 1_800_000_000):
        for drift, crash in ((2**63 - 1 - seconds, False), (2**63 - seconds, True)):
            assert crashes(DEFAULTS._replace(drift=drift), seconds * SECOND) is crash
