# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Suggest settings that suit the measurements of a cache better than those of its config.

Every suggestion is based on a measurement, and the engine accepts the result of following all or any of them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Sequence

from .._config.settings import U64_MAX

if TYPE_CHECKING:
    from .._config.check import Effective
    from .scan import CleanupRules, Look

# A limit takes at most this percentage of the room for a cache.
ROOM_PERCENT = 80
# A smaller sample, in bytes, does not show a speed.
SAMPLE_LEAST = 2**20
# The slowest compression in millions of bytes per second: a program waits only for that of a new module.
BASELINE_SPEED = 50
OPTIMIZED_SPEED = 1
# Ratios within this percentage of the best one are equally good; a speed is better if it is this many times as high.
RATIO_PERCENT = 3
SPEED_TIMES = 2

BASELINE = "baseline-compression-level"
OPTIMIZED = "optimized-compression-level"
COUNT = "file-count-soft-limit"
SIZE = "files-total-size-soft-limit"


class Room(NamedTuple):
    """The room that the file system of a cache has left for it."""

    capacity: int
    """Bytes, including those in use."""
    size: int
    """Bytes that users other than root can write."""
    files: int | None
    """Files that they can create; None if there is no limit."""


class Suggestion(NamedTuple):
    """Another value for a setting, in base units."""

    setting: str
    value: int
    why: str
    """C(small), C(large) or C(measured)."""
    facts: dict[str, Any]


def room_of(directory: int) -> Room | None:
    """Return the room that the file system of an open directory has left; None if it is not known."""
    try:
        status = os.fstatvfs(directory)
    except OSError:
        return None
    if not status.f_blocks:
        return None
    return Room(
        status.f_blocks * status.f_frsize,
        status.f_bavail * status.f_frsize,
        status.f_favail if status.f_files else None,
    )


def suggestions(
    look: Look, effective: Effective, room: Room | None, rows: Sequence[dict[str, Any]], sampled: int
) -> list[Suggestion]:
    """Return the suggestions for a cache, in the order of the settings.

    C(rows) are measured levels, C(sampled) the bytes that they were measured with; C(room) is None if it is not known.
    """
    if look.rules is None:
        return []
    found = _levels(effective, rows) if sampled >= SAMPLE_LEAST else []
    if look.complete and room is not None:
        found += _count(look, look.rules, room)
        found += _size(look, look.rules, room)
    return found


def _count(look: Look, rules: CleanupRules, room: Room) -> list[Suggestion]:
    limit, percent, used = rules.file_count, rules.file_count_percent, look.recent_entries
    least = _least(used, percent)
    if least is None or least <= limit:
        return []
    value = _round_count(least)
    # Each module has a file of statistics.
    files = None if room.files is None else room.files * ROOM_PERCENT // 100
    if not _adds_up(value, percent) or (files is not None and 2 * (value - look.all.entries) > files):
        return []
    return [Suggestion(COUNT, value, "small", {"used": used, "limit": limit, "percent": percent})]


def _size(look: Look, rules: CleanupRules, room: Room) -> list[Suggestion]:
    limit, percent, used = rules.total_size, rules.total_size_percent, look.recent_size
    least = _least(used, percent)
    if least is None:
        return []
    most = min(look.all.size_on_disk + room.size, room.capacity)
    fits = most * ROOM_PERCENT // 100
    if least > limit:
        value = 1 << (least - 1).bit_length()
        if value <= fits and _adds_up(value, percent):
            return [Suggestion(SIZE, value, "small", {"used": used, "limit": limit, "percent": percent})]
    elif limit > most and fits:
        value = 1 << (fits.bit_length() - 1)
        if value >= max(least, 2**20):
            return [Suggestion(SIZE, value, "large", {"most": most, "limit": limit})]
    return []


def _least(used: int, percent: int) -> int | None:
    """Return the smallest limit with which a cleanup leaves the modules in use; None if it always deletes everything."""
    return -(-100 * used // percent) if percent else None


def _adds_up(limit: int, percent: int) -> bool:
    """Return whether the engine can multiply a limit by its percentage without an overflow, at which it aborts."""
    return limit * percent <= U64_MAX


def _round_count(least: int) -> int:
    """Return the next number that is 1, 2 or 5 with zeros behind it."""
    step = 1
    while True:
        for digit in (1, 2, 5):
            if digit * step >= least:
                return digit * step
        step *= 10


def _levels(effective: Effective, rows: Sequence[dict[str, Any]]) -> list[Suggestion]:
    measured = {row["level"]: row for row in rows if None not in row.values()}
    baseline, optimized = effective.get(BASELINE), effective.get(OPTIMIZED)
    if not isinstance(baseline, int) or not isinstance(optimized, int):
        return []
    found = []
    better = _better(measured, optimized, OPTIMIZED_SPEED, lambda level: level >= baseline)
    if better is not None:
        found.append(_level(OPTIMIZED, measured[optimized], better))
    highest = optimized if better is None else min(optimized, better["level"])
    better = _better(measured, baseline, BASELINE_SPEED, lambda level: level <= highest)
    if better is not None:
        return [_level(BASELINE, measured[baseline], better), *found]
    return found


def _better(
    measured: dict[int, dict[str, Any]], current: int, speed: int, allowed: Callable[[int], bool]
) -> dict[str, Any] | None:
    """Return the measurement of a level that is clearly better than the current one; None if there is none.

    The best one is the fastest of the levels that compress as well as any level that is fast enough.
    """
    now = measured.get(current)
    # Level 0 is another name of another level.
    usable = [row for level, row in measured.items() if level and allowed(level) and row["compress_mb_per_s"] >= speed]
    if now is None or not usable:
        return None
    good = _within(max(row["ratio"] for row in usable))
    best = max((row for row in usable if row["ratio"] >= good), key=lambda row: row["compress_mb_per_s"])
    smaller = _within(best["ratio"]) > now["ratio"]
    faster = best["compress_mb_per_s"] >= SPEED_TIMES * now["compress_mb_per_s"] and (
        now["compress_mb_per_s"] < speed or best["ratio"] >= _within(now["ratio"])
    )
    return best if smaller or faster else None


def _within(ratio: float) -> float:
    return ratio * (100 - RATIO_PERCENT) / 100


def _level(setting: str, now: dict[str, Any], better: dict[str, Any]) -> Suggestion:
    return Suggestion(setting, better["level"], "measured", {"now": now, "better": better})
