# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found on many hosts, in the form in which the report keeps it.

Every step takes time in proportion to the number of hosts.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.wasmops.wasmtime.plugins.module_utils._dialect import DIALECTS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._standings import (
    SEVERITIES,
    STANDINGS,
    UNKNOWN,
    UNREACHABLE,
    reason,
    standing,
)

FORMAT = 1  # of the data; another number for readers that would not understand the change
MOST_NAMES = 5  # that are kept of a kind of files; their number is kept as well

# By the fuller one of the two limits. The engine's cleanup deletes once more than the limit is used.
NOT_KNOWN = "not known"
OVER = "over a limit"
FULLNESS = ("under 25%", "25% to 50%", "50% to 75%", "75% to 100%", OVER, NOT_KNOWN)

# What the usage shows and no problem of the config says.
NOTES = {
    "limit-exceeded": "The next cleanup deletes entries, as a limit is exceeded",
    "entries-broken": "Entries cannot be decompressed",
    "files-foreign": "Files are in the directory that Wasmtime deletes although they are not its own",
    "locks-stale": "Locks were left behind by processes that ended early",
    "look-incomplete": "Not all of the directory was seen: the numbers are those of what was",
    "usage-unknown": "The cache directory could not be looked at",
}


def fleet(
    configs: Mapping[str, Mapping[str, Any]], usages: Mapping[str, Mapping[str, Any]], made: str
) -> Dict[str, Any]:
    """The data of the report on these hosts.

    C(configs) has the results of cache_config_info by the names of hosts, C(usages) those of cache_usage_info. Each may
    be one of a failure, or empty.
    """
    common = _common(list(configs.values()))  # in a play, those values can be gone through only once
    hosts = [_host(name, config, usages.get(name, {}), common) for name, config in configs.items()]
    return {
        "format": FORMAT,
        "made": made,
        "versions": [dialect.name for dialect in DIALECTS],
        "totals": _totals(hosts),
        "problems": _problems(hosts),
        "common": common,
        "hosts": hosts,
    }


def _common(configs: List[Mapping[str, Any]]) -> Dict[str, Any]:
    """The most common effective value of each setting; of equally common ones the engine's default, or the first seen."""
    common = {}
    for setting in SETTINGS.values():
        values = (_effective(config).get(setting.option) for config in configs)
        numbers = Counter(value for value in values if value is not None)
        if numbers:
            common[setting.option] = max(numbers, key=lambda value: (numbers[value], value == setting.default))
    return common


def _effective(config: Mapping[str, Any]) -> Mapping[str, Any]:
    return config.get("effective") or {}


def _host(name: str, config: Mapping[str, Any], usage: Mapping[str, Any], common: Mapping[str, Any]) -> Dict[str, Any]:
    verdict = standing(config)
    lost = verdict in (UNKNOWN, UNREACHABLE)
    effective = dict(_effective(config))
    measured = None if lost or usage.get("failed") or usage.get("unreachable") else _usage(usage)
    percent = _percent(measured)
    return {
        "name": name,
        "verdict": verdict,
        "message": reason(config) if lost else None,
        "path": config.get("path"),
        "wasmtime_version": config.get("wasmtime_version"),
        "accepted_by": config.get("accepted_by") or [],
        "problems": config.get("problems") or [],
        "effective": effective,
        "differs": [option for option, value in effective.items() if value != common.get(option)],
        "directory": config.get("directory"),
        "usage": measured,
        "usage_message": None if lost or measured else reason(usage),
        "percent": percent,
        "fullness": _fullness(percent),
        "notes": [] if lost else _notes(measured),
    }


def _usage(usage: Mapping[str, Any]) -> Optional[Dict[str, Any]]:
    """What cache_usage_info returned, with some examples instead of long lists; C(None) if it returned nothing."""
    if "entries" not in usage:
        return None
    names = (
        "directory exists complete stopped_by entries size size_on_disk limits compilers next_cleanup oldest newest"
        " usages recorded_levels foreign links unreadable verified levels sample"
    )
    kept: Dict[str, Any] = {name: usage.get(name) for name in names.split()}
    for name, examples in (("next_cleanup", "deleted"), ("foreign", "names"), ("verified", "broken")):
        if kept[name]:
            kept[name] = dict(kept[name], **{examples: kept[name][examples][:MOST_NAMES]})
    for name in ("links", "unreadable"):
        kept[name] = (kept[name] or [])[:MOST_NAMES]
    stale = [lock for lock in usage.get("locks") or [] if lock["stale"]]
    kept["stale_locks"] = {"count": len(stale), "names": [lock["name"] for lock in stale[:MOST_NAMES]]}
    return kept


def _percent(usage: Optional[Mapping[str, Any]]) -> Optional[float]:
    """How much of a limit is used, of the two limits the fuller one."""
    limits: Mapping[str, Mapping[str, Any]] = (usage or {}).get("limits") or {}
    return max((limit["percent"] for limit in limits.values() if limit["percent"] is not None), default=None)


def _fullness(percent: Optional[float]) -> str:
    if percent is None:
        return NOT_KNOWN
    return OVER if percent > 100 else FULLNESS[min(int(percent // 25), 3)]


def _notes(usage: Optional[Mapping[str, Any]]) -> List[str]:
    if usage is None:
        return ["usage-unknown"]
    there = {
        "limit-exceeded": (usage["next_cleanup"] or {}).get("limit_exceeded"),
        "entries-broken": (usage["verified"] or {}).get("broken_count"),
        "files-foreign": (usage["foreign"] or {}).get("count"),
        "locks-stale": usage["stale_locks"]["count"],
        "look-incomplete": not usage["complete"],
    }
    return [note for note in NOTES if there.get(note)]


def _totals(hosts: List[Dict[str, Any]]) -> Dict[str, Any]:
    verdicts = Counter(host["verdict"] for host in hosts)
    fullness = Counter(host["fullness"] for host in hosts)
    accepted = Counter(version for host in hosts for version in host["accepted_by"])
    notes = Counter(note for host in hosts for note in host["notes"])
    usages = [host["usage"] for host in hosts if host["usage"]]
    return {
        "hosts": len(hosts),
        "verdicts": {name: verdicts[name] for name in STANDINGS},
        "accepted_by": {dialect.name: accepted[dialect.name] for dialect in DIALECTS},
        "fullness": {name: fullness[name] for name in FULLNESS},
        "notes": {name: notes[name] for name in NOTES},
        "entries": sum(usage["entries"] for usage in usages),
        "size": sum(usage["size"] for usage in usages),
        "size_on_disk": sum(usage["size_on_disk"] for usage in usages),
    }


def _problems(hosts: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """Each kind of problem, the worst and most common first, with the most common words for it."""
    kinds: Dict[Tuple[int, str], Counter[Tuple[str, str]]] = {}
    numbers: Counter[Tuple[int, str]] = Counter()
    for host in hosts:
        seen = set()
        for problem in host["problems"]:
            key = (SEVERITIES.index(problem["severity"]), problem["code"])
            kinds.setdefault(key, Counter())[problem["message"], problem["remedy"]] += 1
            seen.add(key)
        numbers.update(seen)
    found = []
    for severity, code in sorted(kinds, key=lambda key: (key[0], -numbers[key], key[1])):
        ((message, remedy), _times), *others = kinds[severity, code].most_common(2)
        found.append(
            {
                "code": code,
                "severity": SEVERITIES[severity],
                "hosts": numbers[severity, code],
                "message": message,
                "remedy": remedy,
                "alike": not others,
            }
        )
    return found
