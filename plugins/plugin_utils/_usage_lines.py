# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a result of C(cache_usage_info) as lines of text for people."""

from __future__ import annotations

from typing import Any, Mapping

from jinja2.filters import do_filesizeformat

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.words import format_value


def usage_lines(usage: Mapping[str, Any]) -> list[str]:
    """Return the directory, its modules by Wasmtime version, the limits, and what the next cleanup deletes."""
    if usage["directory"] is None:
        return ["%s: there is no such file, or Wasmtime refuses it, so no cache directory is known" % usage.get("path")]
    if not usage["exists"]:
        return ["%s: does not exist yet" % usage["directory"]]
    lines = [
        "%s: %s, %s, %s on disk"
        % (usage["directory"], _modules(usage["entries"]), _bytes(usage["size"]), _bytes(usage["size_on_disk"]))
    ]
    if not usage["complete"]:
        reason = "not everything could be read" if usage["stopped_by"] is None else usage["stopped_by"] + " was reached"
        lines.append("%s; the figures are incomplete" % reason)
    lines += [_limit_line(option, usage["limits"][option]) for option in usage["limits"]]
    for compiler in usage["compilers"]:
        usages = "once" if compiler["usages"] == 1 else "%d times" % compiler["usages"]
        counted = (compiler["name"], _modules(compiler["entries"]), _bytes(compiler["size"]), usages)
        lines.append("%s: %s, %s, used %s" % counted)
    if usage["next_cleanup"] is not None:
        lines.append(_cleanup_line(usage["next_cleanup"]))
    if usage["foreign"]["count"]:
        names = ", ".join(usage["foreign"]["names"][:3])
        foreign = "foreign files, which Wasmtime deletes: %d (%s)" % (usage["foreign"]["count"], names)
        lines.append(foreign + "; cache_prune with remove=foreign and backup moves them away")
    stale = sum(1 for lock in usage["locks"] if lock["stale"])
    if stale:
        lines.append("locks left behind: %d; cache_prune with remove=stale_locks removes them" % stale)
    if usage["verified"] is not None:
        lines += _verified(usage["verified"])
    lines += [_level_line(level) for level in usage["levels"] or [] if None not in level.values()]
    if usage["suggested"]:
        lines.append("suggested, as variables of the role:")
        lines += ["wasmtime_cache_%(setting)s: %(value)s  # %(reason)s" % other for other in usage["suggested"]]
    return lines


def _limit_line(option: str, limit: Mapping[str, Any]) -> str:
    name = option.replace("_", "-")
    counts = SETTINGS[name].kind.name == "count"
    used = str(limit["used"]) if counts else _bytes(limit["used"])
    if limit["limit"] is None:
        return "%s: %s of an unknown limit" % (name, used)
    share = "" if limit["percent"] is None else " (%.1f%%)" % limit["percent"]
    return "%s: %s of %s%s" % (name, used, format_value(SETTINGS[name].kind, limit["limit"]), share)


def _cleanup_line(cleanup: Mapping[str, Any]) -> str:
    deleted = []
    if cleanup["entries_deleted"]:
        deleted.append("%s (%s)" % (_modules(cleanup["entries_deleted"]), _bytes(cleanup["bytes_deleted"])))
    for name, kind in (("leftovers_deleted", "leftover"), ("foreign_deleted", "foreign")):
        if cleanup[name]:
            deleted.append("%d %s file%s" % (cleanup[name], kind, "" if cleanup[name] == 1 else "s"))
    if not deleted:
        return "the next cleanup deletes nothing"
    *first, last = deleted
    return "the next cleanup deletes %s and leaves %s (%s)" % (
        " and ".join(filter(None, [", ".join(first), last])),
        _modules(cleanup["entries_left"]),
        _bytes(cleanup["bytes_left"]),
    )


def _verified(verified: Mapping[str, Any]) -> list[str]:
    part = "" if verified["complete"] else ", not all"
    ratio = "" if verified["ratio"] is None else ", compressed %.2f to 1" % verified["ratio"]
    said = "decompressed: %s%s%s; broken: %d" % (_modules(verified["entries"]), part, ratio, verified["broken_count"])
    if verified["broken_count"]:
        said += "; cache_prune with remove=broken removes them"
    return [said, *("broken: %s: %s" % (broken["name"], broken["reason"]) for broken in verified["broken"])]


def _level_line(level: Mapping[str, Any]) -> str:
    return "level %d: %.2f to 1, compresses %.1f MB/s, decompresses %.1f MB/s" % (
        level["level"],
        level["ratio"],
        level["compress_mb_per_s"],
        level["decompress_mb_per_s"],
    )


def _modules(number: int) -> str:
    return "1 module" if number == 1 else "%d modules" % number


def _bytes(size: int) -> str:
    return do_filesizeformat(size, binary=True)
