# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Summarize the results of C(cache_prune) on many hosts."""

from __future__ import annotations

from collections import Counter
from typing import Any, Mapping

from jinja2.filters import do_filesizeformat

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import printable
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import MOST_REASON, PRUNED, Malformed, reason
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._standings import UNREACHABLE, number_of

# In their order: a file of several kinds counts for the first of them.
REMOVABLE = ("untrusted", "orphans", "unused", "broken", "stale_locks", "foreign", "over_limits", "all")
# Why a file of a kind to remove is kept.
KEPT = ("changed", "denied", "foreign", "in_use", "mount_point", "other_names")
PRUNABLE = "prunable"
CLEAN = "with nothing to remove"
FAILED = "failed"
NOT_RUN = "not run"
NO_REASON = "no reason is known"
# So many names are shown of each reason, and so many notes of each host.
NAMES = 3
MOST_NOTES = 3


def read(result: Any) -> tuple[dict[str, Any] | None, str, str]:
    """Return the valid part of a result, the standing of the host, and why if that is none of a run to its end.

    Raises no error for any other input. A run that has failed can have removed something before.
    """
    if not isinstance(result, Mapping):
        return None, FAILED, str(Malformed("is not a dictionary"))
    if not result:
        return None, NOT_RUN, "the host was not looked at"
    if result.get("unreachable"):
        return None, UNREACHABLE, reason(result) or NO_REASON
    failed = bool(result.get("failed"))
    if "removed" not in result:
        return None, FAILED, reason(result) or "the host was not looked at"
    try:
        found = PRUNED(result)
    except Malformed as error:
        return None, FAILED, str(error)
    if failed:
        return found, FAILED, reason(result) or NO_REASON
    return found, PRUNABLE if any(part["count"] for part in found["removed"].values()) else CLEAN, ""


def summary(results: Mapping[str, Any], check_mode: bool) -> list[str]:
    """Return what was removed on each host, equal hosts in one line, and a line with the total of all.

    C(check_mode): whether the results are those of a run in check mode, which removed nothing.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    standings: Counter[str] = Counter()
    freed: Counter[str] = Counter()
    total = 0
    for name, result in results.items():
        found, standing, why = read(result)
        standings[standing] += 1
        lines = ["%s: %s" % (standing, why)] if why else []
        if found is not None:
            lines += _lines(found, check_mode, bool(why))
            total += found["freed"]
            for kind in REMOVABLE:
                freed[kind] += found["removed"].get(kind, {"size_on_disk": 0})["size_on_disk"]
        groups.setdefault(tuple(lines), []).append(printable(str(name)))
    said = []
    for (first, *others), hosts in groups.items():
        said.append("%s: %s" % (", ".join(hosts), first))
        said += ["  " + line for line in others]
    return [*said, _total(standings, total, freed, check_mode)]


def _lines(found: Mapping[str, Any], check_mode: bool, failed: bool) -> list[str]:
    """Return the lines on one host."""
    removed = ["%s: %s" % (kind, _part(found["removed"][kind])) for kind in _some(found["removed"], REMOVABLE)]
    lines = []
    if not found["exists"]:
        lines.append("%s does not exist" % found["directory"])
    elif removed:
        lines.append("%s %s" % ("would remove" if check_mode else "removed", ", ".join(removed)))
    elif not failed:
        lines.append("nothing to remove")
    for why in _some(found["kept"], KEPT):
        kept = found["kept"][why]
        lines.append("kept (%s): %s, such as %s" % (why, _part(kept), ", ".join(kept["names"][:NAMES])))
    if not found["complete"]:
        stopped = found["stopped_by"]
        lines.append("not everything was examined%s" % ("" if stopped is None else ": %s was reached" % stopped))
    lines += [note["message"] for note in found["notes"][:MOST_NOTES]]
    lines = [line if len(line) <= MOST_REASON else line[:MOST_REASON] + "..." for line in lines]
    more = len(found["notes"]) - MOST_NOTES
    return lines + (["and %d more note%s" % (more, "" if more == 1 else "s")] if more > 0 else [])


def _some(parts: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    return [name for name in names if parts.get(name, {"count": 0})["count"]]


def _part(part: Mapping[str, Any]) -> str:
    return "%d (%s)" % (part["count"], do_filesizeformat(part["size_on_disk"], binary=True))


def _total(standings: Counter[str], total: int, freed: Counter[str], check_mode: bool) -> str:
    number = sum(standings.values())
    kinds = ["%s %s" % (kind, do_filesizeformat(freed[kind], binary=True)) for kind in REMOVABLE if freed[kind]]
    hosts = ["%d %s" % (standings[name], name) for name in (CLEAN, NOT_RUN, FAILED, UNREACHABLE) if standings[name]]
    return "%s: %s%s%s%s" % (
        number_of(number),
        do_filesizeformat(total, binary=True),
        " would be freed" if check_mode else " freed",
        " (%s)" % ", ".join(kinds) if kinds else "",
        "".join("; " + text for text in hosts),
    )
