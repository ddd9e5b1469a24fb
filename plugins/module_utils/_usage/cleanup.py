# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures about a cache directory, and a forecast of the engine's next cleanup."""

from __future__ import annotations

import heapq
import sys
from typing import TYPE_CHECKING, Any

from .._config.check import CLOCK_MAX
from .._config.settings import U64_MAX
from .scan import LISTED, SECOND, Budget, CleanupRules, Entry, Look, Stopped, shown_path

if TYPE_CHECKING:
    from .._config.config import Config

_SETTINGS = (
    "file-count-soft-limit",
    "file-count-limit-percent-if-deleting",
    "files-total-size-soft-limit",
    "files-total-size-limit-percent-if-deleting",
    "cleanup-interval",
    "optimizing-compression-task-timeout",
    "allowed-clock-drift-for-files-from-future",
)


def rules_of(config: Config) -> CleanupRules | None:
    """Return the rules of a cleanup under this config; None if the engine refuses it."""
    values = [value for value in map(config.effective.get, _SETTINGS) if isinstance(value, int)]
    return CleanupRules(*values) if config.valid and len(values) == len(_SETTINGS) else None


# Entries that one call sorts, which cannot be interrupted.
_SORTED_AT_ONCE = 2**14


def order(entries: list[Entry], rules: CleanupRules, now: int, budget: Budget) -> None:
    """Sort the entries as a cleanup does: the newest first, and last those in the future beyond the allowed drift.

    The engine has no order among those last ones. Raises Stopped.
    """
    width = _SORTED_AT_ONCE
    while True:
        for start in range(0, len(entries), width):
            budget.check()
            # From the second round on, these are two sorted parts, which Python recognizes and merges.
            entries[start : start + width] = sorted(entries[start : start + width], reverse=True)
        if width >= len(entries):
            break
        width *= 2
    latest = now + rules.drift * SECOND
    far = 0
    while far < len(entries) and entries[far].time > latest:
        budget.check()
        far += 1
    if far:
        budget.need(2 * sys.getsizeof(entries))
        entries[:] = entries[far:] + entries[:far]


def kept(ordered: list[Entry], rules: CleanupRules, budget: Budget) -> tuple[int, int]:
    """Return the number and the bytes of the entries that a cleanup keeps if a limit is exceeded. Raises Stopped.

    It keeps the first ones, as long as they are within the percentages of both limits.
    """
    most = rules.file_count * rules.file_count_percent // 100
    largest = rules.total_size * rules.total_size_percent // 100
    number = size = 0
    for entry in ordered:
        budget.check()
        if number >= most or size + entry.size > largest:
            break
        number += 1
        size += entry.size
    return number, size


def crashes(rules: CleanupRules, now: int) -> bool:
    """Return whether a cleanup aborts the process instead, because its sums overflow."""
    return (
        rules.file_count * rules.file_count_percent > U64_MAX
        or rules.total_size * rules.total_size_percent > U64_MAX
        or now // SECOND + rules.drift > CLOCK_MAX
    )


def next_cleanup(look: Look) -> dict[str, Any] | None:
    """Return what a cleanup would delete now; None if that is unknown or no cleanup will run. Raises Stopped."""
    rules = look.rules
    if rules is None or not look.complete or crashes(rules, look.now):
        return None
    entries = look.entries
    stay, size = len(entries), look.all.size
    exceeded = stay > rules.file_count or size > rules.total_size
    if exceeded:
        order(entries, rules, look.now, look.budget)
        stay, size = kept(entries, rules, look.budget)
    # Paths that every cleanup deletes come last, in no order.
    end = len(entries) if look.listed is None else stay + look.listed
    gone = [look.path(entry) for entry in entries[stay:end]]
    gone += [removal.path for removal in look.removals]
    return {
        "limit_exceeded": exceeded,
        "entries_deleted": len(entries) - stay,
        "bytes_deleted": look.all.size - size,
        "entries_left": stay,
        "bytes_left": size,
        "foreign_deleted": look.foreign_removed,
        "leftovers_deleted": look.leftovers_removed,
        "blocked_until": None if look.blocked_until is None else -(-look.blocked_until // SECOND),
        "deleted": [shown_path(path) for path in gone[: look.listed]],
    }


def _to_seconds(then: int | None) -> int | None:
    return None if then is None else then // SECOND


def _limit_use(limit: int | None, used: int) -> dict[str, Any]:
    return {"limit": limit, "used": used, "percent": round(100 * used / limit, 1) if limit else None}


def limits(rules: CleanupRules | None, entries: int, size: int) -> dict[str, Any]:
    """Return the two limits and how much of each is used."""
    return {
        "file_count_soft_limit": _limit_use(None if rules is None else rules.file_count, entries),
        "files_total_size_soft_limit": _limit_use(None if rules is None else rules.total_size, size),
    }


def usage_result(look: Look) -> tuple[dict[str, Any], str | None]:
    """Return the figures as the module does, None for unknown ones, and the limit that was reached."""
    cleanup, stopped = None, look.stopped_by
    try:
        cleanup = next_cleanup(look)
    except Stopped as stop:
        stopped = stop.reason
    # From here on, the time is short compared to the scan, whatever its size.
    folders = heapq.nsmallest(
        LISTED, (folder for folder in look.folders if folder.matters), key=lambda folder: (-folder.size, folder.path)
    )
    figures = look.all
    ends: dict[str, Any] = {"oldest": None, "newest": None}
    for name, entry in (("oldest", look.oldest), ("newest", look.newest)):
        if entry is not None:
            ends[name] = {"name": shown_path(look.path(entry)), "time": _to_seconds(entry.time)}
    return {
        "entries": figures.entries,
        "size": figures.size,
        "size_on_disk": figures.size_on_disk,
        "limits": limits(look.rules, figures.entries, figures.size),
        "compilers": [
            {
                "name": shown_path(
                    folder.path[len("modules/") :] if folder.path.startswith("modules/") else folder.path
                ),
                "entries": folder.entries,
                "size": folder.size,
                "size_on_disk": folder.size_on_disk,
                "oldest": _to_seconds(folder.oldest),
                "newest": _to_seconds(folder.newest),
                "usages": folder.usages,
            }
            for folder in folders
        ],
        "next_cleanup": cleanup,
        "usages": {
            "total": figures.usages,
            "least": figures.least,
            "most": figures.most,
            "unknown": figures.unknown,
        },
        "recorded_levels": look.levels,
        "locks": [
            {"name": shown_path(lock.path), "age": (look.now - lock.time) // SECOND, "stale": lock.stale}
            for lock in look.locks
        ],
        "foreign": {"count": look.foreign_count, "size": look.foreign_size, "names": look.foreign},
        "links": look.links,
        "unreadable": look.unreadable,
        **ends,
    }, stopped
