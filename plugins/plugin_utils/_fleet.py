# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Combine the results of many hosts into the data of the report.

Every step takes time in proportion to the number of hosts.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Mapping

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import printable
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import DIALECTS
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._programs import engines, refusals
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._pruned import REMOVABLE, read
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import (
    CHECKED,
    CONFIG,
    MEASURED,
    MEASURED_TOO,
    SEVERITIES,
    USAGE,
    Malformed,
    Record,
    count,
    flag,
    integer,
    list_of,
    nullable,
    one_of,
    real,
    reason,
    text,
)
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._standings import (
    NOT_LOOKED_AT,
    STANDINGS,
    UNREACHABLE,
    standing,
)

FORMAT = 1  # The version of the data's format: it increases with each incompatible change.
MOST_NAMES = 5  # that are kept of a kind of files; their number is kept as well

# By the fuller one of the two limits. The engine's cleanup deletes once more than the limit is used.
NOT_KNOWN = "not known"
OVER = "over a limit"
FULLNESS = ("under 25%", "25% to 50%", "50% to 75%", "75% to 100%", OVER, NOT_KNOWN)

# Notable facts about the usage that are not problems of the config.
HOST_NOTES = {
    "limit-exceeded": "The next cleanup deletes entries, as a limit is exceeded",
    "entries-broken": "Entries cannot be decompressed; wasmops.wasmtime.prune removes them with wasmtime_cache_prune=broken",
    "files-foreign": "Files are in the directory that Wasmtime deletes although they are not its own;"
    " wasmops.wasmtime.prune moves them away with wasmtime_cache_prune=foreign and wasmtime_cache_prune_backup",
    "locks-stale": "Locks were left behind by processes that ended early; wasmops.wasmtime.prune removes them with"
    " wasmtime_cache_prune=stale_locks",
    "look-incomplete": "A part of the directory could not be examined, and the numbers do not include it",
    "usage-unknown": "The cache directory could not be looked at",
}


_LOST = (NOT_LOOKED_AT, UNREACHABLE)


def fleet(
    configs: Mapping[str, Any], usages: Mapping[str, Any], made: str, prunable: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the data of the report on these hosts.

    C(configs) has the results of cache_config_info by the names of hosts, C(usages) those of cache_usage_info, and
    C(prunable) those of cache_prune in check mode. Results of failures, empty and malformed ones are allowed: such a host
    counts as not checked.
    """
    hosts = [_host(name, config, usages.get(name, {}), prunable.get(name, {})) for name, config in configs.items()]
    return _data(hosts, made)


def again(data: Mapping[str, Any]) -> dict[str, Any]:
    """Validate the data of a report, for example from a file: a host with malformed data counts as not checked."""
    hosts = []
    for number, host in enumerate(data["hosts"]):
        try:
            hosts.append(_HOST(host))
        except Malformed as error:
            name = host.get("name") if isinstance(host, Mapping) else None
            hosts.append(_host(name if isinstance(name, str) else "host %d" % number, {"msg": str(error)}, {}, {}))
    return _data(hosts, data["made"] if isinstance(data.get("made"), str) else "")


def _data(hosts: list[dict[str, Any]], made: str) -> dict[str, Any]:
    common = _common(hosts)
    usual = {option: value for option, value in common.items() if 2 * value["hosts"] > value["of"]}
    for host in hosts:
        host["differs"] = [option for option in host["effective"] if option in usual and _differs(host, option, usual)]
    return {
        "format": FORMAT,
        "made": printable(made),
        "versions": [dialect.name for dialect in DIALECTS],
        "totals": _totals(hosts),
        "problems": _problems(hosts),
        "engines": engines(hosts),
        "refusals": refusals(hosts),
        "common": common,
        "hosts": hosts,
    }


_DEFAULT = object()  # the directory that Wasmtime takes by default: another one for each user


def _common(hosts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the most common effective value of each setting, if it is that of two hosts at least.

    C(hosts) is how many have it, C(of) how many have the setting. C(value) is null for the default directories of several
    users. Of equally common values it is the engine's default, or the first seen.
    """
    common = {}
    for setting in SETTINGS.values():
        option = setting.option
        having = [host for host in hosts if option in host["effective"]]
        numbers = Counter(value for value in (_value(host, option) for host in having) if value is not None)
        if not numbers:
            continue
        most = max(numbers, key=lambda value: (numbers[value], value == setting.default))
        if numbers[most] > 1:
            shown = {host["effective"][option] for host in having if _value(host, option) == most}
            value = shown.pop() if len(shown) == 1 else None
            common[option] = {"value": value, "hosts": numbers[most], "of": len(having)}
    return common


def _value(host: Mapping[str, Any], option: str) -> Any:
    """Return what hosts are compared by."""
    if option == "directory" and option in host["defaults"]:
        return _DEFAULT
    return host["effective"][option]


def _differs(host: Mapping[str, Any], option: str, usual: Mapping[str, Any]) -> bool:
    value = usual[option]["value"]
    if value is None:
        return _value(host, option) is not _DEFAULT
    return bool(host["effective"][option] != value)


def _host(name: str, config: Any, usage: Any, prunable: Any) -> dict[str, Any]:
    verdict, message, found = standing(config)
    lost = verdict in _LOST
    measured, usage_message = (None, None) if lost else _measured(usage)
    percent = _percent(measured)
    return {
        "name": printable(str(name)),
        "verdict": verdict,
        "message": message if lost else None,
        "path": found.get("path"),
        "wasmtime_version": found.get("wasmtime_version"),
        "accepted_by": found.get("accepted_by", []),
        "programs": found.get("programs", []),
        "problems": sorted(found.get("problems", []), key=lambda problem: SEVERITIES.index(problem["severity"])),
        "effective": found.get("effective", {}),
        "defaults": found.get("defaults", []),
        "differs": [],
        "directory": found.get("directory"),
        "usage": measured,
        "usage_message": usage_message,
        "percent": percent,
        "fullness": _fullness(percent),
        "prunable": None if lost else _prunable(prunable),
        "notes": [] if lost else _notes(measured),
    }


def _measured(usage: Any) -> tuple[dict[str, Any] | None, str | None]:
    """Return the part of a result of cache_usage_info for the report, or why there is none."""
    try:
        if not isinstance(usage, Mapping):
            raise Malformed("is not a dictionary")
        if usage.get("failed") or usage.get("unreachable") or not any(name in usage for name in MEASURED):
            return None, reason(usage)
        return _usage(USAGE(usage)), None
    except Malformed as error:
        return None, str(error)


def _usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result of cache_usage_info with some examples instead of long lists."""
    kept: dict[str, Any] = {name: usage.get(name) for name in (*MEASURED, *MEASURED_TOO)}
    for name, examples in (("next_cleanup", "deleted"), ("foreign", "names"), ("verified", "broken")):
        if kept[name]:
            kept[name] = dict(kept[name], **{examples: kept[name][examples][:MOST_NAMES]})
    for name in ("links", "unreadable"):
        kept[name] = (kept[name] or [])[:MOST_NAMES]
    stale = [lock for lock in usage["locks"] if lock["stale"]]
    kept["stale_locks"] = {"count": len(stale), "names": [lock["name"] for lock in stale[:MOST_NAMES]]}
    return kept


def _prunable(result: Any) -> dict[str, Any] | None:
    """Return what pruning would free by kind, from a result of cache_prune in check mode; None if it is not known."""
    found, _standing, why = read(result)
    if found is None or why:
        return None
    removed = found["removed"]
    return {
        "complete": found["complete"],
        "notes": [note["message"] for note in found["notes"]],
        "kinds": {
            kind: {name: removed[kind][name] for name in ("count", "size_on_disk")}
            for kind in REMOVABLE
            if kind in removed
        },
    }


# The data of a host, see _host.
_HOST = Record(
    {
        "name": text,
        "verdict": one_of(STANDINGS),
        "message": nullable(text),
        "path": CONFIG["path"],
        "wasmtime_version": CONFIG["wasmtime_version"],
        "programs": CONFIG["programs"],
        **{name: CHECKED[name] for name in ("accepted_by", "problems", "defaults")},
        "effective": CONFIG["effective"],
        "differs": list_of(text),
        "directory": CONFIG["directory"],
        "usage": nullable(
            Record(
                {**MEASURED, "stale_locks": Record({"count": integer, "names": list_of(text)})},
                {name: nullable(reader) for name, reader in MEASURED_TOO.items()},
            )
        ),
        "usage_message": nullable(text),
        "percent": nullable(real),
        "fullness": one_of(FULLNESS),
        "prunable": nullable(
            Record(
                {
                    "complete": flag,
                    "notes": list_of(text),
                    "kinds": Record({}, dict.fromkeys(REMOVABLE, Record({"count": count, "size_on_disk": count}))),
                }
            )
        ),
        "notes": list_of(one_of(HOST_NOTES)),
    }
)


def _percent(usage: Mapping[str, Any] | None) -> float | None:
    """Return how much of the fuller of the two limits is used."""
    limits: Mapping[str, Mapping[str, Any]] = (usage or {}).get("limits") or {}
    return max((limit["percent"] for limit in limits.values() if limit["percent"] is not None), default=None)


def _fullness(percent: float | None) -> str:
    if percent is None:
        return NOT_KNOWN
    return OVER if percent > 100 else FULLNESS[min(int(percent // 25), 3)]


def _notes(usage: Mapping[str, Any] | None) -> list[str]:
    if usage is None:
        return ["usage-unknown"]
    there = {
        "limit-exceeded": (usage["next_cleanup"] or {}).get("limit_exceeded"),
        "entries-broken": (usage["verified"] or {}).get("broken_count"),
        "files-foreign": (usage["foreign"] or {}).get("count"),
        "locks-stale": usage["stale_locks"]["count"],
        "look-incomplete": not usage["complete"],
    }
    return [note for note in HOST_NOTES if there.get(note)]


def _totals(hosts: list[dict[str, Any]]) -> dict[str, Any]:
    verdicts = Counter(host["verdict"] for host in hosts)
    fullness = Counter(host["fullness"] for host in hosts)
    # As sets, here and below: each host counts once, however often it says the same.
    accepted = Counter(version for host in hosts for version in set(host["accepted_by"]))
    notes = Counter(note for host in hosts for note in set(host["notes"]))
    usages = [host["usage"] for host in hosts if host["usage"]]
    return {
        "hosts": len(hosts),
        "verdicts": {name: verdicts[name] for name in STANDINGS},
        "accepted_by": {dialect.name: accepted[dialect.name] for dialect in DIALECTS},
        "fullness": {name: fullness[name] for name in FULLNESS},
        "notes": {name: notes[name] for name in HOST_NOTES},
        "entries": sum(usage["entries"] for usage in usages),
        "size": sum(usage["size"] for usage in usages),
        "size_on_disk": sum(usage["size_on_disk"] for usage in usages),
        "prunable": _prunable_of(hosts),
    }


def _prunable_of(hosts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the number of examined hosts, and by kind the numbers of C(hosts), files (C(count)) and C(size_on_disk)."""
    known = [host["prunable"]["kinds"] for host in hosts if host["prunable"]]
    return {
        "hosts": len(known),
        "kinds": {
            kind: {
                "hosts": sum(1 for part in parts if part["count"]),
                **{name: sum(part[name] for part in parts) for name in ("count", "size_on_disk")},
            }
            for kind in REMOVABLE
            for parts in [[kinds[kind] for kinds in known if kind in kinds]]
            if parts
        },
    }


def _problems(hosts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each kind of problem, most severe and most common first, with its most common message."""
    kinds: dict[tuple[int, str], Counter[tuple[str, str]]] = {}
    numbers: Counter[tuple[int, str]] = Counter()
    for host in hosts:
        # By kind, the texts of this host; not in sets, so that equally common ones come in the order of hosts.
        seen: dict[tuple[int, str], dict[tuple[str, str], None]] = {}
        for problem in host["problems"]:
            key = (SEVERITIES.index(problem["severity"]), problem["code"])
            seen.setdefault(key, {})[problem["message"], problem["remedy"]] = None
        numbers.update(seen.keys())
        for key, texts in seen.items():
            kinds.setdefault(key, Counter()).update(texts.keys())
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
