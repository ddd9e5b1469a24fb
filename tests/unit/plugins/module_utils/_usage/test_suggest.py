# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Suggested settings: what speaks for them, and that following them is never wrong."""

from __future__ import annotations

import itertools
import os
from typing import Any, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import Effective, Host
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.config import Config, read_config
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS, U64_MAX
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml import Library
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import DIALECTS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.suggested import suggested
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage.cleanup import kept, order, rules_of
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage.scan import (
    Budget,
    CleanupRules,
    Entry,
    Folder,
    Look,
    open_directory,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage.suggest import (
    BASELINE,
    COUNT,
    OPTIMIZED,
    SAMPLE_LEAST,
    SIZE,
    Room,
    Suggestion,
    room_of,
    suggestions,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.caches import (
    COMPILER,
    DAY,
    DEFAULTS,
    PLENTY,
    Cache,
    name_of,
    put,
)

NOW = 1_800_000_000
SECOND = 10**9
GIB = 2**30
ROOMY = Room(2**60, 2**59, None)
LEVELS: Effective = {BASELINE: 3, OPTIMIZED: 20}


def look_of(rules: CleanupRules | None, entries: Sequence[tuple[float, int]] = ()) -> Look:
    """A look at a cache of modules with these ages in days and sizes."""
    look = Look(None, rules, NOW * SECOND, Budget(60, PLENTY))
    look.folders.append(Folder("modules/" + COMPILER, False))
    for number, (age, size) in enumerate(entries):
        entry = Entry(NOW * SECOND - int(age * DAY) * SECOND, size, 0, name_of(number))
        look.entries.append(entry)
        look.all.add(entry.time, size, None)
        look.all.size_on_disk += size
        if 0 <= age <= 7:
            look.recent_entries += 1
            look.recent_size += size
    return look


def row(level: int, ratio: float | None, speed: float | None) -> dict[str, Any]:
    return {"level": level, "ratio": ratio, "compress_mb_per_s": speed, "decompress_mb_per_s": 700.0}


def values(found: list[Suggestion]) -> dict[str, int]:
    return {suggestion.setting: suggestion.value for suggestion in found}


def limits(look: Look, room: Room | None = ROOMY) -> dict[str, int]:
    return values(suggestions(look, LEVELS, room, (), 0))


def levels(*rows: dict[str, Any], sampled: int = SAMPLE_LEAST, **current: int) -> dict[str, int]:
    effective: Any = {**LEVELS, **{name.replace("_", "-"): level for name, level in current.items()}}
    return values(suggestions(look_of(DEFAULTS), effective, ROOMY, rows, sampled))


# What is in use has room in what a cleanup leaves: 70% of each limit.
@pytest.mark.parametrize(
    ("used", "size", "wanted"),
    [
        (14, 70, {}),
        (15, 70, {COUNT: 50}),
        (36, 70, {COUNT: 100}),
        (71, 70, {COUNT: 200}),
        (1, 71, {SIZE: 128}),
        (1, 89, {SIZE: 128}),
        (1, 90, {SIZE: 256}),
        (15, 71, {COUNT: 50, SIZE: 128}),
    ],
)
def test_a_limit_that_has_no_room_for_what_is_in_use_is_raised(used: int, size: int, wanted: dict[str, int]) -> None:
    rules = DEFAULTS._replace(file_count=20, total_size=100)
    assert limits(look_of(rules, [(1, size)] + [(1, 0)] * (used - 1))) == wanted


def test_what_was_not_used_for_long_needs_no_room() -> None:
    rules = DEFAULTS._replace(file_count=20, total_size=100)
    assert limits(look_of(rules, [(8, 50)] * 100)) == {}


@pytest.mark.parametrize("room", [Room(2**40, GIB, None), Room(GIB, 2**40, None)])
def test_no_limit_is_raised_beyond_the_file_system(room: Room) -> None:
    rules = DEFAULTS._replace(total_size=GIB)
    look = look_of(rules, [(1, GIB + 1)])
    assert limits(look)[SIZE] == 2 * GIB
    assert limits(look, room) == {}
    assert limits(look, Room(2**40, 4 * GIB, None))[SIZE] == 2 * GIB


def test_no_number_of_files_is_suggested_that_the_file_system_does_not_hold() -> None:
    look = look_of(DEFAULTS._replace(file_count=20), [(1, 0)] * 20)
    # 30 more modules have 60 files.
    assert limits(look, Room(2**40, 2**40, 75))[COUNT] == 50
    assert limits(look, Room(2**40, 2**40, 74)) == {}
    look = look_of(DEFAULTS._replace(file_count=20, file_count_percent=100))
    look.recent_entries = 5000
    assert limits(look, Room(2**40, 2**40, 12500)) == {COUNT: 5000}
    assert limits(look, Room(2**40, 2**40, 12499)) == {}


def test_a_limit_that_the_file_system_does_not_hold_is_lowered() -> None:
    look = look_of(DEFAULTS._replace(total_size=8 * GIB), [(1, GIB)])
    assert limits(look, Room(4 * GIB, 2 * GIB, None)) == {SIZE: 2 * GIB}
    assert limits(look, Room(4 * GIB, 3 * GIB - 1, None)) == {SIZE: 2 * GIB}
    assert limits(look, Room(2**40, 7 * GIB, None)) == {}
    assert limits(look, Room(2**40, 7 * GIB - 1, None)) == {SIZE: 4 * GIB}
    # Not below what is in use.
    assert limits(look, Room(2 * GIB, GIB // 2, None)) == {}


@pytest.mark.parametrize("name", ["file_count_percent", "total_size_percent"])
def test_no_limit_helps_if_a_cleanup_leaves_nothing_of_it(name: str) -> None:
    rules = DEFAULTS._replace(file_count=1, total_size=1, **{name: 0})
    assert len(limits(look_of(rules, [(1, 50)] * 2))) == 1


def test_a_limit_that_aborts_the_engine_is_not_suggested() -> None:
    rules = DEFAULTS._replace(total_size=2**61, total_size_percent=2)
    room = Room(2**80, 2**80, None)
    assert limits(look_of(rules, [(1, 2**56)]), room) == {SIZE: 2**62}
    assert limits(look_of(rules, [(1, 2**57)]), room) == {}


def test_nothing_is_suggested_of_what_is_not_known() -> None:
    rules = DEFAULTS._replace(file_count=1)
    entries = [(1.0, 50)] * 5
    assert limits(look_of(rules, entries))
    assert limits(look_of(None, entries)) == {}
    assert limits(look_of(rules, entries), None) == {}
    for name, value in (("unreadable", ["x"]), ("stopped_by", "time_limit")):
        look = look_of(rules, entries)
        setattr(look, name, value)
        assert limits(look) == {}


# Like zstd's own figures for code of Cranelift.
ROWS = (row(1, 2.9, 400), row(3, 3.0, 250), row(9, 3.3, 60), row(15, 3.45, 10), row(19, 3.5, 3), row(20, 3.6, 0.9))


@pytest.mark.parametrize(
    ("rows", "current", "wanted"),
    [
        (ROWS, {}, {BASELINE: 9, OPTIMIZED: 15}),
        (ROWS, {"baseline_compression_level": 9, "optimized_compression_level": 15}, {}),
        (ROWS, {"baseline_compression_level": 15}, {BASELINE: 9, OPTIMIZED: 15}),
        # Every level is as good as the others: the fastest.
        ((row(1, 3.0, 400), row(3, 3.05, 150), row(20, 3.06, 2)), {}, {BASELINE: 1, OPTIMIZED: 3}),
        # Not clearly better.
        ((row(1, 3.0, 400), row(3, 3.05, 250), row(20, 3.06, 2)), {}, {OPTIMIZED: 3}),
        # The levels of the config were not measured, so there is nothing to compare with.
        ((row(1, 3.0, 400), row(9, 3.9, 100)), {}, {}),
        ((row(3, 3.0, None), row(9, 3.9, 100), row(20, None, 1)), {}, {}),
        # No level is fast enough.
        ((row(3, 3.0, 40), row(20, 3.3, 0.5), row(1, 1.5, 45)), {}, {OPTIMIZED: 3}),
        # Never a baseline above the optimized level, each suggestion alone included.
        (ROWS, {"baseline_compression_level": 3, "optimized_compression_level": 3}, {OPTIMIZED: 15}),
        ((row(0, 3.0, 250), row(3, 3.0, 251)), {"baseline_compression_level": 0, "optimized_compression_level": 3}, {}),
        ((row(0, 3.5, 900), row(3, 3.0, 250)), {"optimized_compression_level": 3}, {}),
    ],
)
def test_levels(rows: tuple[dict[str, Any], ...], current: dict[str, int], wanted: dict[str, int]) -> None:
    assert levels(*rows, **current) == wanted
    assert levels(*reversed(rows), **current) == wanted
    assert levels(*rows, sampled=SAMPLE_LEAST - 1, **current) == {}


# Every value in TOML as it is written, and its host.
CONFIGS = st.fixed_dictionaries(
    {
        COUNT: st.one_of(st.integers(0, 300), st.integers(0, U64_MAX // 100), st.integers(0, U64_MAX)),
        SIZE: st.one_of(st.integers(0, 300), st.integers(0, 2**40), st.integers(0, U64_MAX)),
        "file-count-limit-percent-if-deleting": st.integers(0, 100),
        "files-total-size-limit-percent-if-deleting": st.integers(0, 100),
        BASELINE: st.integers(0, 21),
        OPTIMIZED: st.integers(0, 21),
    }
)
ROWS_OF_ANY_KIND = st.lists(
    st.builds(
        row,
        st.integers(0, 21),
        st.one_of(st.none(), st.floats(0.5, 9)),
        st.one_of(st.none(), st.floats(0.1, 900)),
    ),
    max_size=22,
    unique_by=lambda found: int(found["level"]),
)
ROOMS = st.one_of(
    st.none(),
    st.builds(Room, st.integers(0, 2**50), st.integers(0, 2**50), st.one_of(st.none(), st.integers(0, 1000))),
)


def config_of(values: dict[str, Any], room: Room | None) -> Config:
    lines = []
    for name, value in values.items():
        kind = SETTINGS[name].kind.name
        text = str(value) if kind == "level" else '"%s%s"' % (value, "%" if kind == "percent" and value != "" else "")
        lines.append("%s = %s\n" % (name, text))
    host = Host(lambda: "/cache", 2**34, NOW, lambda _directory: None if room is None else room.capacity)
    return read_config(("[cache]\n" + "".join(lines)).encode(), DIALECTS[1:], host, Library())


@settings(max_examples=500, deadline=None)
@given(
    CONFIGS,
    st.lists(st.tuples(st.floats(-1, 30), st.one_of(st.integers(0, 100), st.integers(0, 2**40))), max_size=300),
    ROWS_OF_ANY_KIND,
    ROOMS,
)
def test_what_is_suggested_brings_no_new_problem_and_keeps_what_is_in_use(
    written: dict[str, int], entries: list[tuple[float, int]], rows: list[dict[str, Any]], room: Room | None
) -> None:
    """Random caches: each suggestion alone, some and all together, through the checker of configs."""
    config = config_of(written, room)
    before = {(problem.code, problem.setting) for problem in config.problems}
    look = look_of(rules_of(config), entries)
    found = suggested(suggestions(look, config.effective, room, rows, SAMPLE_LEAST))
    for number in range(1, len(found) + 1):
        for some in itertools.combinations(found, number):
            values = {row["setting"].replace("_", "-"): row["value"] for row in some}
            after = config_of({**written, **values}, room)
            assert {(problem.code, problem.setting) for problem in after.problems} <= before
            for row in some:
                assert after.effective[row["setting"].replace("_", "-")] != written[row["setting"].replace("_", "-")]
    rules = rules_of(config_of({**written, **{f["setting"].replace("_", "-"): f["value"] for f in found}}, room))
    if {row["setting"] for row in found} >= {"file_count_soft_limit", "files_total_size_soft_limit"}:
        assert rules is not None
        order(look.entries, rules, look.now, look.budget)
        number, _size = kept(look.entries, rules, look.budget)
        future = sum(age < 0 for age, _size in entries)
        assert number >= look.recent_entries or future


def test_the_reasons() -> None:
    rows = (row(3, 3.0, 250), row(9, 3.3, 60), row(20, 3.31, 2))
    look = look_of(DEFAULTS._replace(file_count=20, total_size=1000), [(1, 50)] * 24)
    assert suggested(suggestions(look, LEVELS, ROOMY, rows, SAMPLE_LEAST)) == [
        {
            "setting": "baseline_compression_level",
            "value": 9,
            "reason": "level 9 compresses 3.30 to 1 at 60.0 MB/s, level 3 compresses 3.00 to 1 at 250.0 MB/s",
        },
        {
            "setting": "optimized_compression_level",
            "value": 9,
            "reason": "level 9 compresses 3.30 to 1 at 60.0 MB/s, level 20 compresses 3.31 to 1 at 2.0 MB/s",
        },
        {
            "setting": "file_count_soft_limit",
            "value": "50",
            "reason": "24 modules were used in the last 7 days, and a cleanup leaves 70% of the limit 20",
        },
        {
            "setting": "files_total_size_soft_limit",
            "value": "2Ki",
            "reason": "modules with 1.2 KiB were used in the last 7 days, and a cleanup leaves 70% of the limit 1K",
        },
    ]
    look = look_of(DEFAULTS)
    (lower,) = suggested(suggestions(look, LEVELS, Room(2**28, 2**28, None), (), 0))
    assert lower == {
        "setting": "files_total_size_soft_limit",
        "value": "128Mi",
        "reason": "the cache and the free space of its file system are 256.0 MiB, less than the limit 512Mi",
    }


def test_what_is_in_use_is_what_the_engine_has_made_and_used_lately(tmp_path: Any) -> None:
    cache = Cache(tmp_path / "cache")
    cache.module(1, 100)
    cache.module(2, 10, age=6.9 * DAY)
    cache.module(3, 1000, age=7.1 * DAY)
    cache.module(4, 1000, age=-2 * DAY)
    cache.module(5, 1, age=-0.5 * DAY)
    # Used by its statistics, not by itself.
    put(cache.folder / name_of(6), bytes(1000))
    put(cache.folder / (name_of(6) + ".stats"), b"", age=8 * DAY)
    put(cache.folder / "README", bytes(1000))
    look = cache.look()
    assert (look.recent_entries, look.recent_size) == (3, 111)


def test_the_room_of_a_file_system(tmp_path: Any) -> None:
    handle = open_directory(str(tmp_path))
    room = room_of(handle)
    assert room is not None
    assert 0 < room.size <= room.capacity
    assert room_of(-1) is None


def test_no_limit_below_a_mebibyte_is_suggested() -> None:
    look = look_of(DEFAULTS._replace(total_size=GIB), [])
    assert limits(look, Room(GIB, 2**21, None)) == {SIZE: 2**20}
    assert limits(look, Room(GIB, 2**20, None)) == {}


@pytest.mark.parametrize(
    ("blocks", "files", "room"),
    [
        ((500, 40, 30), (90, 80, 70), Room(5000, 300, 70)),
        ((500, 0, 0), (90, 80, 0), Room(5000, 0, 0)),
        ((1, 1, 1), (0, 0, 0), Room(10, 10, None)),
        ((0, 0, 0), (90, 80, 70), None),
    ],
)
def test_the_room_is_what_users_other_than_root_can_write(
    monkeypatch: pytest.MonkeyPatch, blocks: tuple[int, ...], files: tuple[int, ...], room: Room | None
) -> None:
    """The fields are those of statvfs(3); some file systems have no limit of files, and some know nothing."""
    status = os.statvfs_result((4096, 10, *blocks, *files, 0, 255))
    monkeypatch.setattr(os, "fstatvfs", lambda _directory: status)
    assert room_of(3) == room


def test_levels_need_a_sample_of_a_mebibyte() -> None:
    for sampled in (2**20, 2**24):
        assert levels(*ROWS, sampled=sampled) == {BASELINE: 9, OPTIMIZED: 15}
    assert levels(*ROWS, sampled=2**20 - 1) == {}


@pytest.mark.parametrize(
    ("least", "value"),
    [
        (1, 1),
        (2, 2),
        (3, 5),
        (5, 5),
        (6, 10),
        (10, 10),
        (11, 20),
        (21, 50),
        (51, 100),
        (101, 200),
        (201, 500),
        (501, 1000),
    ],
)
def test_a_number_of_files_is_rounded_up_to_one_two_or_five(least: int, value: int) -> None:
    look = look_of(DEFAULTS._replace(file_count=0, file_count_percent=100))
    look.recent_entries = least
    room = Room(2**60, 2**59, 10**6)
    facts = {"used": least, "limit": 0, "percent": 100}
    assert suggestions(look, LEVELS, room, (), 0) == [Suggestion(COUNT, value, "small", facts)]


def test_a_number_of_files_that_aborts_the_engine_is_not_suggested() -> None:
    look = look_of(DEFAULTS._replace(file_count=1, file_count_percent=3))
    look.recent_entries = 15 * 10**16
    assert limits(look) == {COUNT: 5 * 10**18}
    look.recent_entries = 15 * 10**16 + 1
    assert limits(look) == {}


@pytest.mark.parametrize(("used", "wanted"), [(700, {}), (701, {SIZE: 1024}), (716, {SIZE: 1024}), (717, {SIZE: 2048})])
def test_a_size_is_rounded_up_to_a_power_of_two(used: int, wanted: dict[str, int]) -> None:
    look = look_of(DEFAULTS._replace(total_size=1000))
    look.recent_size = used
    found = suggestions(look, LEVELS, ROOMY, (), 0)
    assert values(found) == wanted
    assert [suggestion.facts for suggestion in found] == [{"used": used, "limit": 1000, "percent": 70}] * len(wanted)


def test_a_size_is_raised_to_four_fifths_of_the_room_at_most() -> None:
    look = look_of(DEFAULTS._replace(total_size=100))
    look.recent_size = 71
    assert limits(look, Room(160, 2**40, None)) == {SIZE: 128}
    assert limits(look, Room(159, 2**40, None)) == {}


def test_a_size_is_lowered_to_a_power_of_two_within_four_fifths_of_the_room() -> None:
    look = look_of(DEFAULTS._replace(total_size=2**40))
    look.all.size_on_disk = 10
    for room, most, value in (
        (Room(2**40, 10 * 2**20 - 10, None), 10 * 2**20, 8 * 2**20),
        (Room(2**40, 10 * 2**20 - 11, None), 10 * 2**20 - 1, 4 * 2**20),
        (Room(10 * 2**20, 2**39, None), 10 * 2**20, 8 * 2**20),
    ):
        facts = {"most": most, "limit": 2**40}
        assert suggestions(look, LEVELS, room, (), 0) == [Suggestion(SIZE, value, "large", facts)]
    # What is in use takes 70% of it.
    look.recent_size = 8 * 2**20 * 7 // 10
    assert limits(look, Room(10 * 2**20, 2**39, None)) == {SIZE: 8 * 2**20}
    look.recent_size += 1
    assert limits(look, Room(10 * 2**20, 2**39, None)) == {}
    look.recent_size = 0
    assert limits(look, Room(1, 0, None)) == {}
    assert limits(look, Room(2**40 - 10, 2**41, None)) == {SIZE: 2**39}
    assert limits(look, Room(2**40, 2**40 - 10, None)) == {}


# When the second of two levels is suggested; rows next to each other differ by one step of one number.
@pytest.mark.parametrize(
    ("now", "other", "better"),
    [
        # It compresses more than 3% better, and is fast enough.
        (row(3, 96.9, 250), row(9, 100.0, 50), True),
        (row(3, 96.9, 250), row(9, 100.0, 49.9), False),
        (row(3, 97.0, 250), row(9, 100.0, 50), False),
        (row(0, 97.0, 50), row(9, 100.0, 50), False),
        (row(0, 96.9, 50), row(9, 100.0, 50), True),
        # It is twice as fast, and compresses at most 3% worse.
        (row(3, 100.0, 100), row(9, 97.0, 200), True),
        (row(3, 100.0, 100), row(9, 97.0, 199.9), False),
        (row(3, 100.0, 100), row(9, 96.9, 200), False),
        (row(0, 100.0, 50), row(9, 97.0, 100), True),
        (row(0, 100.0, 50), row(9, 96.9, 100), False),
        (row(0, 100.0, 60), row(9, 96.9, 120), False),
        # It is twice as fast, where the level of the config is too slow.
        (row(3, 100.0, 49.9), row(9, 50.0, 99.8), True),
        (row(3, 100.0, 49.9), row(9, 50.0, 99.7), False),
        (row(3, 100.0, 50), row(9, 50.0, 100), False),
        # The optimized level of the config is an upper bound.
        (row(3, 90.0, 250), row(20, 100.0, 60), True),
        (row(3, 90.0, 250), row(21, 100.0, 60), False),
    ],
)
def test_when_a_baseline_level_is_better(now: dict[str, Any], other: dict[str, Any], better: bool) -> None:
    effective: Effective = {BASELINE: now["level"], OPTIMIZED: 20}
    wanted = [Suggestion(BASELINE, other["level"], "measured", {"now": now, "better": other})] if better else []
    for rows in ((now, other), (other, now)):
        found = suggestions(look_of(DEFAULTS), effective, ROOMY, rows, SAMPLE_LEAST)
        assert [suggestion for suggestion in found if suggestion.setting == BASELINE] == wanted


@pytest.mark.parametrize(
    ("now", "other", "better"),
    [
        (row(20, 96.9, 5), row(18, 100.0, 1), True),
        (row(20, 96.9, 5), row(18, 100.0, 0.9), False),
        (row(20, 97.0, 5), row(18, 100.0, 1), False),
        (row(20, 100.0, 0.9), row(18, 50.0, 1.8), True),
        (row(20, 100.0, 1), row(18, 50.0, 2), False),
        # The baseline level of the config is a lower bound.
        (row(20, 90.0, 5), row(10, 100.0, 5), True),
        (row(20, 90.0, 5), row(9, 100.0, 5), False),
        (row(10, 90.0, 5), row(20, 100.0, 5), True),
    ],
)
def test_when_an_optimized_level_is_better(now: dict[str, Any], other: dict[str, Any], better: bool) -> None:
    effective: Effective = {BASELINE: 10, OPTIMIZED: now["level"]}
    wanted = [Suggestion(OPTIMIZED, other["level"], "measured", {"now": now, "better": other})] if better else []
    for rows in ((now, other), (other, now)):
        assert suggestions(look_of(DEFAULTS), effective, ROOMY, rows, SAMPLE_LEAST) == wanted


def test_a_baseline_level_is_at_most_the_optimized_one_of_the_config_and_the_suggested_one() -> None:
    slow = row(20, 3.0, 0.5)
    # 15 is the fastest of those that compress well.
    rows = (row(3, 2.0, 300), row(9, 2.9, 60), row(15, 3.5, 55), row(16, 3.5, 54), slow)
    assert levels(*rows) == {BASELINE: 15, OPTIMIZED: 15}
    assert levels(*rows, optimized_compression_level=9) == {BASELINE: 9, OPTIMIZED: 15}
    assert levels(*rows, optimized_compression_level=15) == {BASELINE: 15}


@pytest.mark.parametrize("name", ["baseline_compression_level", "optimized_compression_level"])
def test_no_level_is_suggested_for_a_config_without_one(name: str) -> None:
    current: dict[str, Any] = {name: None}
    assert levels(*ROWS, **current) == {}
