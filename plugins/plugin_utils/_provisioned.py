# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Summarize the results of C(cache_config) on many hosts as lines of text.

Hosts with the same result, apart from the paths of their files and directories, share their lines.
Every step takes time in proportion to the number of hosts.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Mapping, NamedTuple

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import printable
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.words import format_value
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import (
    CHANGED,
    LIBRARIES,
    SEVERITIES,
    Malformed,
    list_of,
    one_of,
)
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._standings import (
    UNREACHABLE,
    advice,
    named,
    number_of,
    one_or_several,
)

FAILED = "failed"
NOT_RUN = "not run"
UNCHANGED = "unchanged"
# What counts as changed. For a host without the libraries, check mode may know nothing else.
CREATED, CHANGED_THERE, REMOVED, INSTALLED = "created", "changed", "removed", "without the libraries"
CHANGES = (CREATED, CHANGED_THERE, REMOVED, INSTALLED)
# The order of the lines. Hosts that could not be provisioned come first.
OUTCOMES = (FAILED, UNREACHABLE, NOT_RUN, *CHANGES, UNCHANGED)
# The most hosts that are named; the recap has all.
MOST_NAMES = 10


class Group(NamedTuple):
    """Equal hosts."""

    hosts: list[str]
    paths: dict[str, None]
    directories: dict[str, None]


def provisioned(results: Mapping[str, Any], check_mode: bool) -> list[str]:
    """Return the lines for these results by host name: each group of equal hosts once, and the totals at the end."""
    groups: dict[tuple[int, tuple[str, ...]], Group] = {}
    counted: Counter[str] = Counter()
    for name, result in results.items():
        outcome, lines, path, directory = _host(result, check_mode)
        counted[CHANGED_THERE if outcome in CHANGES else outcome] += 1
        group = groups.setdefault((OUTCOMES.index(outcome), lines), Group([], {}, {}))
        group.hosts.append(printable(str(name)))
        if path is not None:
            group.paths[path] = None
        if directory is not None:
            group.directories[directory] = None
    would = "would be " if check_mode else ""
    found = []
    for (index, lines), group in sorted(groups.items(), key=lambda item: item[0]):
        heading = OUTCOMES[index]
        if heading in CHANGES[:3]:
            heading = would + heading
        found.append("%s, %s: %s" % (heading, number_of(len(group.hosts)), named(group.hosts, MOST_NAMES)))
        places = {"path": one_or_several(group.paths, "files"), "directory": one_or_several(group.directories, "paths")}
        found += ["  " + line % places for line in lines]
    parts = [(UNCHANGED, UNCHANGED), (CHANGED_THERE, would + "changed")]
    parts += [(outcome, outcome) for outcome in (FAILED, UNREACHABLE, NOT_RUN)]
    numbers = ["%d %s" % (counted[outcome], word) for outcome, word in parts if counted[outcome]]
    return [*found, "%s: %s" % (number_of(len(results)), ", ".join(numbers))]


def _host(result: Any, check_mode: bool) -> tuple[str, tuple[str, ...], str | None, str | None]:
    """Return the outcome on a host, its lines, the path of the config, and the cache directory that it names.

    In the lines, C(%(path)s) and C(%(directory)s) stand for these two.
    """
    try:
        if not isinstance(result, Mapping):
            raise Malformed("is not a dictionary")
        if result.get("unreachable"):
            return UNREACHABLE, (), None, None
        if result.get("failed"):
            return FAILED, (), None, None  # Ansible has shown why
        missing = list_of(one_of(LIBRARIES))(result.get("missing_libraries", []))
        libraries = ("libraries that would be installed: %s" % ", ".join(missing),) if missing else ()
        if "problems" not in result:
            if missing:
                return (INSTALLED, libraries, None, None) if check_mode else (FAILED, (), None, None)
            return NOT_RUN, (), None, None
        found = CHANGED(result)
        changed = result.get("changed") is True
    except Malformed as error:
        return FAILED, (_escaped(str(error)),), None, None
    path = found.get("path")
    if "effective" not in found:
        return (REMOVED if changed else UNCHANGED), ("%(path)s", *libraries), path, None
    outcome = CREATED if found.get("created") else CHANGED_THERE if changed else UNCHANGED
    changes: Mapping[str, Any] = found.get("changed_settings", {})
    settings = _settings(found["effective"], found.get("settings", {}), {} if outcome == CREATED else changes)
    if outcome == CREATED and "enabled" in changes:
        # It is in files for Wasmtime up to 32 only.
        settings.append("enabled = %s" % _escaped(_said(changes["enabled"]["after"])))
    lines = ["%(path)s: " + (", ".join(settings) or "Wasmtime's defaults")]
    if outcome == CHANGED_THERE and not changes:
        lines.append("the text of the file stays as it is; its owner or mode, or the cache directory, changes")
    lines += [
        _escaped("%s: %s [%s]" % (problem["severity"], advice(problem), problem["code"]))
        for problem in sorted(found["problems"], key=lambda problem: SEVERITIES.index(problem["severity"]))
    ]
    directory = found["effective"].get("directory") if "directory" in found.get("settings", {}) else None
    return outcome, (*lines, *libraries), path, directory


def _settings(effective: Mapping[str, Any], there: Mapping[str, Any], changes: Mapping[str, Any]) -> list[str]:
    """Return the settings that differ from the defaults, and those that change."""
    found = []
    for setting in SETTINGS.values():
        option, value = setting.option, effective.get(setting.option)
        if value is None or not (option in changes or (option in there and value != setting.default)):
            continue
        text = "%(directory)s" if setting.kind.name == "path" and option in there else ""
        text = text or _escaped(format_value(setting.kind, value))
        found.append("%s = %s%s" % (setting.name, text, _before(changes.get(option))))
    if "enabled" in changes:
        after = changes["enabled"]["after"]
        text = "enabled removed" if after is None else "enabled = %s" % _escaped(_said(after))
        found.append(text + _before(changes["enabled"]))
    return found


def _before(change: Mapping[str, Any] | None) -> str:
    if change is None:
        return ""
    removed = "default, " if change["after"] is None else ""
    return " (%s%s)" % (removed, "new" if change["before"] is None else _escaped("was %s" % _said(change["before"])))


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
