# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets in all kinds of conditions, of any size, as the two modules would have found them.

The same size and seed make the same fleet, so that pictures and measurements can be repeated.
"""

from __future__ import annotations

import random
from typing import Any, Dict

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import CURRENT, MAJOR_MAX
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._fleet import fleet

NOW = 1795000000  # 2026-11-18 11:06:40 UTC
MADE = "2026-11-18 11:06 UTC"
VERSIONS = ("36.0.3", "42.0.2", "48.0.0")
FROM_33 = [dialect.name for dialect in CURRENT]
MIB = 2**20

Record = Dict[str, Any]


def problem(severity: str, code: str, message: str, remedy: str, **more: Any) -> Record:
    return {
        "code": code,
        "severity": severity,
        "setting": None,
        "value": None,
        "line": None,
        "column": None,
        "message": message,
        "remedy": remedy,
        **more,
    }


NO_UNIT = problem(
    "error",
    "invalid-value",
    'cleanup-interval = "60" has no unit',
    'write a whole number followed by s, m, h or d, like "1h"',
    setting="cleanup-interval",
    value="60",
    line=3,
    column=20,
)
BELOW = problem(
    "error",
    "optimized-below-baseline",
    "optimized-compression-level = 2 is below baseline-compression-level, which is 3",
    "set both levels, the optimized one at least as high as the baseline",
    setting="optimized-compression-level",
    value="2",
    line=4,
    column=31,
)
ENABLED = problem(
    "error",
    "enabled-refused",
    "enabled is refused by Wasmtime 33 and later",
    "remove the line: the cache is on without it",
    value="true",
    line=2,
    column=1,
)
OPEN = problem(
    "danger",
    "directory-writable-by-others",
    "every user can write to /srv/shared/wasmtime, as its mode is 0777",
    "set directory_mode to 0700, and remove ACLs",
    setting="directory",
    value="/srv/shared/wasmtime",
)
FOREIGN = problem(
    "danger",
    "directory-foreign-files",
    "/srv/shared/wasmtime holds build.log, which Wasmtime would delete",
    "set directory to an empty directory that nothing else uses",
    setting="directory",
    value="/srv/shared/wasmtime",
)
QUEUE = problem(
    "warning",
    "small-queue",
    'worker-event-queue-size = "2" drops events',
    "write 3 or more",
    setting="worker-event-queue-size",
    value="2",
    line=2,
    column=27,
)


def effective(home: str, **changed: Any) -> Record:
    values = {s.option: s.default for s in SETTINGS.values() if s.known_to(33, MAJOR_MAX)}
    return {**values, "directory": home + "/.cache/wasmtime", **changed}


def program(accepted: list[str]) -> Record:
    """The program that reads a config, as cache_config_info would have found it."""
    old = accepted == ["<=32"]
    version = "30.0.2" if old else "48.0.5"
    return {
        "path": "/opt/app/lib/libextism.so",
        "version": version,
        "versions": [version],
        "program": "extism",
        "toml": "1.0" if old else "1.1",
        "dialect": "<=32" if old else "48",
        "accepts": bool(accepted),
    }


def config(home: str = "/home/ci", problems: list[Record] | None = None, exists: bool = True, **changed: Any) -> Record:
    """The result of cache_config_info for a file that changes these settings."""
    problems = problems or []
    severities = {found["severity"] for found in problems}
    values = effective(home, **changed)
    refused = "error" in severities
    accepted = ["<=32"] if ENABLED in problems else [] if refused else FROM_33
    open_to_all = OPEN in problems
    return {
        "changed": False,
        "path": home + "/.config/wasmtime/config.toml",
        "exists": exists,
        "valid": not refused,
        "safe": "danger" not in severities,
        "problems": problems,
        "settings": {name: str(value) for name, value in changed.items()},
        "effective": values,
        "defaults": [name for name in values if name not in changed],
        "accepted_by": accepted,
        "programs": [program(accepted)],
        "directory": {
            "path": values["directory"],
            "exists": exists,
            "owner": "ci",
            "group": "ci",
            "mode": "0777" if open_to_all else "0700",
            "dangers": [OPEN["code"]] if open_to_all else [],
        },
        "wasmtime_version": None,
    }


def entry(chance: random.Random, compiler: str) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return "modules/%s/%s" % (compiler, "".join(chance.choices(letters, k=43)))


def share(used: int, limit: int) -> Record:
    return {"limit": limit, "used": used, "percent": round(100 * used / limit, 1)}


def usage(chance: random.Random, values: Record, full: float) -> Record:
    """The result of cache_usage_info for a cache with these effective settings, full to this part of its size."""
    size = int(values["files_total_size_soft_limit"] * full)
    entries = size // chance.randrange(150_000, 320_000)
    newer, older = chance.choice((VERSIONS[:2], VERSIONS[1:], VERSIONS[2:] + VERSIONS[:1]))
    compilers = []
    for name, part in (("wasmtime-" + newer, 0.8), ("wasmtime-" + older, 0.2)):
        if int(entries * part):
            compilers.append(
                {
                    "name": name,
                    "entries": int(entries * part),
                    "size": int(size * part),
                    "size_on_disk": int(size * part * 1.03),
                    "oldest": NOW - chance.randrange(20, 90) * 86400,
                    "newest": NOW - chance.randrange(86400),
                    "usages": int(entries * part) * chance.randrange(2, 40),
                }
            )
    exceeded = full > 1
    left = int(entries * 0.7 / full) if exceeded else entries
    deleted = [entry(chance, "wasmtime-" + older) for _place in range(min(entries - left, 100))]
    optimized = entries // chance.randrange(3, 30)
    return {
        "changed": False,
        "path": "/home/ci/.config/wasmtime/config.toml",
        "directory": values["directory"],
        "exists": True,
        "complete": True,
        "stopped_by": None,
        "entries": entries,
        "size": size,
        "size_on_disk": int(size * 1.03),
        "limits": {
            "file_count_soft_limit": share(entries, values["file_count_soft_limit"]),
            "files_total_size_soft_limit": share(size, values["files_total_size_soft_limit"]),
        },
        "compilers": compilers,
        "next_cleanup": {
            "entries_deleted": entries - left,
            "bytes_deleted": int(size * (1 - 0.7 / full)) if exceeded else 0,
            "entries_left": left,
            "bytes_left": int(values["files_total_size_soft_limit"] * 0.7) if exceeded else size,
            "limit_exceeded": exceeded,
            "foreign_deleted": 0,
            "leftovers_deleted": 0,
            "blocked_until": None,
            "deleted": deleted,
        },
        "oldest": {"name": entry(chance, "wasmtime-" + older), "time": NOW - 90 * 86400} if entries else None,
        "newest": {"name": entry(chance, "wasmtime-" + newer), "time": NOW - 60} if entries else None,
        "usages": {"total": entries * 9, "least": 1, "most": chance.randrange(300, 9000), "unknown": 0},
        "recorded_levels": {"3": entries - optimized, "20": optimized} if entries else {},
        "locks": [],
        "foreign": {"count": 0, "size": 0, "names": []},
        "links": [],
        "unreadable": [],
        "verified": None,
        "levels": None,
        "suggested": [],
        "sample": None,
    }


def prunable(measured: Record) -> Record:
    """The result of cache_prune in check mode for a cache of which cache_usage_info found this."""
    cleanup, old = measured["next_cleanup"], measured["compilers"][1:]
    kinds = {
        "untrusted": (0, 0),
        "orphans": (sum(part["entries"] for part in old), sum(part["size_on_disk"] for part in old)),
        "stale_locks": (len(measured["locks"]), 0),
        "foreign": (measured["foreign"]["count"], measured["foreign"]["size"]),
        "over_limits": (cleanup["entries_deleted"], cleanup["bytes_deleted"]),
    }
    return {
        "changed": any(number for number, _size in kinds.values()),
        "directory": measured["directory"],
        "exists": True,
        "complete": True,
        "stopped_by": None,
        "removed": {
            kind: dict.fromkeys(("count", "entries", "names_left_out"), number)
            | {"size": size, "size_on_disk": size, "names": []}
            for kind, (number, size) in kinds.items()
        },
        "kept": {},
        "freed": sum(size for _number, size in kinds.values()),
        "left": {"entries": measured["entries"], "size": measured["size"]},
        "notes": [],
    }


def nothing(chance: random.Random, values: Record) -> Record:
    """The result of cache_usage_info for a config that the engine refuses: there is no cache, and there are no limits."""
    empty = usage(chance, values, 0)
    limits = {name: {"limit": None, "used": 0, "percent": None} for name in empty["limits"]}
    return {**empty, "directory": None, "exists": False, "size_on_disk": 0, "limits": limits, "next_cleanup": None}


def host(chance: random.Random, kind: str) -> Record:
    """What both modules found on a host of this kind."""
    changed: Record = {"directory": "/var/cache/wasmtime", "files_total_size_soft_limit": 2048 * MIB}
    full = min(chance.lognormvariate(-1.0, 0.6), 0.99)
    if kind == "unreachable":
        message = "Failed to connect to the host via ssh: ssh: connect to host port 22: Connection timed out"
        return {"config": {"unreachable": True, "changed": False, "msg": message}, "usage": {"skipped": True}}
    if kind == "without library":
        message = "Failed to import the required Python library (platformdirs) on /usr/bin/python3.9."
        return {"config": {"failed": True, "changed": False, "msg": message}, "usage": {"skipped": True}}
    if kind == "no file":
        found = config(exists=False)
        found["settings"], found["defaults"] = {}, list(found["effective"])
        return {"config": found, "usage": usage(chance, found["effective"], 0.0)}
    if kind in ("no unit", "enabled", "below"):
        broken = {"no unit": NO_UNIT, "enabled": ENABLED, "below": BELOW}[kind]
        found = config(problems=[broken], **changed)
        if kind == "no unit":
            found["effective"]["cleanup_interval"] = None
            found["defaults"].remove("cleanup_interval")
        return {"config": found, "usage": nothing(chance, found["effective"])}
    if kind == "not measured":
        message = "/var/cache/wasmtime cannot be listed: Permission denied"
        return {"config": config(**changed), "usage": {"failed": True, "changed": False, "msg": message}}
    if kind == "open":
        found = config(problems=[OPEN, FOREIGN], **{**changed, "directory": "/srv/shared/wasmtime"})
        measured = usage(chance, found["effective"], full)
        measured["foreign"] = {"count": 12, "size": 3 * MIB, "names": ["build-%d.log" % number for number in range(12)]}
        return {"config": found, "usage": measured}
    if kind == "small queue":
        found = config(problems=[QUEUE], **changed, worker_event_queue_size=2)
    elif kind == "tuned":
        found = config(
            **{**changed, "cleanup_interval": 7200, "file_count_soft_limit": 100000, "baseline_compression_level": 1}
        )
    else:
        found = config(**changed)
    measured = usage(chance, found["effective"], chance.uniform(1.02, 1.4) if kind == "over" else full)
    if kind == "stale lock":
        measured["locks"] = [{"name": ".cleanup.wip-4711", "age": 90000, "stale": True}]
    if kind == "verified":
        measured["verified"] = {
            "entries": measured["entries"],
            "broken": [{"name": measured["newest"]["name"], "reason": "the data ends early"}],
            "broken_count": 1,
            "compressed": measured["size"],
            "uncompressed": measured["size"] * 4,
            "ratio": 4.0,
            "complete": True,
        }
        measured["levels"] = [
            {"level": level, "ratio": ratio, "compress_mb_per_s": speed, "decompress_mb_per_s": 880}
            for level, ratio, speed in ((1, 3.1, 410), (3, 3.6, 260), (9, 4.2, 61), (19, 4.9, 4.2))
        ]
        measured["sample"] = {"entries": 40, "size": 9 * MIB}
        reason = "level 9 compresses 4.20 to 1 at 61.0 MB/s, level 3 compresses 3.60 to 1 at 260.0 MB/s"
        measured["suggested"] = [{"setting": "baseline_compression_level", "value": 9, "reason": reason}]
    return {"config": found, "usage": measured, "prunable": prunable(measured)}


# Every kind once, then as often as the numbers say.
SMALL = ("good", "tuned", "over", "open", "no unit")
KINDS = {
    "good": 700, "tuned": 60, "over": 40, "stale lock": 10, "verified": 10, "no file": 50, "small queue": 25,
    "no unit": 12, "enabled": 20, "below": 4, "not measured": 4, "open": 10, "without library": 10, "unreachable": 20,
}  # fmt: skip


def fleet_of(found: dict[str, Record]) -> Record:
    """The data of the report on these results."""
    configs = {name: pair["config"] for name, pair in found.items()}
    usages = {name: pair["usage"] for name, pair in found.items()}
    return fleet(configs, usages, MADE, {name: pair.get("prunable", {}) for name, pair in found.items()})


def results(number: int, seed: int = 5) -> dict[str, Record]:
    """The results of that many hosts, by name."""
    chance = random.Random(seed)
    kinds = list(SMALL if number <= len(SMALL) else KINDS)[:number]
    kinds += chance.choices(list(KINDS), list(KINDS.values()), k=number - len(kinds))
    names = ["%s%d.%s.example.net" % (chance.choice(("runner", "edge", "build")), place, chance.choice(("fra", "ams", "iad")))
             for place in range(1, number + 1)]  # fmt: skip
    return {name: host(chance, kind) for name, kind in zip(names, kinds)}
