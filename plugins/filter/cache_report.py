# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cache_report
short_description: Format results of the cache modules as text
version_added: 0.1.0
author: wasmops contributors (@wasmops)
description:
  - Formats the result of M(wasmops.wasmtime.cache_config) or M(wasmops.wasmtime.cache_config_info) as lines of text. These
    list the effective settings in units for people and in base units, the source of each setting, and all problems.
  - For a result of M(wasmops.wasmtime.cache_usage_info), the lines show the contents of the cache, how much of the limits is
    used, and what the next cleanup deletes.
  - For a result of P(wasmops.wasmtime.cache_fleet#filter), one line shows the number of hosts in each condition.
positional: _input
options:
  _input:
    description: The result of one of the modules or of P(wasmops.wasmtime.cache_fleet#filter), or results by host name.
    type: dict
    required: true
  only_problems:
    description: Whether to leave out the settings.
    type: bool
    default: false
  by_host:
    description:
      - Whether the input is a dictionary of results by host name, to be summarized.
      - The first line is the number of hosts that failed, if any. Each other line has a problem and the hosts that have it,
        most severe problems first. The programs that refuse the file, now or after an upgrade, follow, then the
        hosts that could not be checked, and at the end the number of hosts in each condition.
      - The results are those of M(wasmops.wasmtime.cache_config_info), including those of failed tasks and unreachable hosts.
        An empty dictionary means that the module did not run on the host.
      - A host with a malformed result, which the module cannot have returned, counts as not checked.
    type: bool
    default: false
  provisioned:
    description:
      - Whether the results by host name are those of M(wasmops.wasmtime.cache_config).
      - Hosts are then grouped by their changes, by their settings that differ from Wasmtime's defaults, and by their
        problems. The last line has the numbers of hosts that did not change, changed and failed.
    type: bool
    default: false
  check_mode:
    description: Whether the results are those of a run in check mode, so that O(provisioned) shows what would change.
    type: bool
    default: false
seealso:
  - module: wasmops.wasmtime.cache_config
  - module: wasmops.wasmtime.cache_config_info
  - module: wasmops.wasmtime.cache_usage_info
"""

EXAMPLES = r"""
- name: Check the cache config of a host
  wasmops.wasmtime.cache_config_info:
  register: cache

- name: Show the effective settings and all problems
  ansible.builtin.debug:
    msg: "{{ cache | wasmops.wasmtime.cache_report }}"

- name: Summarize all hosts in the play
  ansible.builtin.debug:
    msg: "{{ dict(ansible_play_hosts_all | zip(results)) | wasmops.wasmtime.cache_report(by_host=true) }}"
  vars:
    results: "{{ ansible_play_hosts_all | map('extract', hostvars) | map(attribute='cache', default={}) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

from collections import Counter
from typing import Any, Callable, Mapping

from ansible.errors import AnsibleFilterError

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import printable
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.words import format_value
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._programs import broken_from, name_of
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._provisioned import provisioned as _provisioned
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import (
    CHANGED,
    LOOKED_AT,
    SEVERITIES,
    USAGE,
    Malformed,
)
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._standings import (
    BAD,
    NOT_LOOKED_AT,
    STANDINGS,
    UNREACHABLE,
    VERDICT,
    advice,
    are_results,
    number_of,
    one_or_several,
    standing,
    total,
)
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._usage_lines import usage_lines


def cache_report(
    result: Mapping[str, Any],
    only_problems: bool = False,
    by_host: bool = False,
    provisioned: bool = False,
    check_mode: bool = False,
) -> list[str]:
    """Return lines for results of a module. Raises AnsibleFilterError for other input."""
    if by_host:
        if not are_results(result):
            raise AnsibleFilterError("cache_report takes a dictionary of results with by_host")
        return _provisioned(result, check_mode) if provisioned else _summary(result)
    try:
        if isinstance(result, Mapping) and "totals" in result:
            return [total(result["totals"]["verdicts"])]
        if isinstance(result, Mapping) and "next_cleanup" in result:
            return usage_lines(USAGE(result))
        if isinstance(result, Mapping) and "problems" in result:
            reader = LOOKED_AT if any(name in result for name in VERDICT) else CHANGED
            return _config(reader(result), only_problems)
    except Malformed as error:
        return [str(error)]
    raise AnsibleFilterError("cache_report takes what cache_config, cache_config_info or cache_usage_info returned")


def _config(result: Mapping[str, Any], only_problems: bool) -> list[str]:
    lines = []
    if not only_problems:
        lines += _settings(result)
        lines += [
            "read by %s%s" % (name_of(program), ", which refuses it" if program.get("accepts") is False else "")
            for program in result.get("programs", [])
        ]
    if result["problems"]:
        lines += ["%s: %s" % (result.get("path") or "content", _sentence(problem)) for problem in result["problems"]]
    elif not only_problems:
        lines.append("no problems")
    return lines


def _settings(result: Mapping[str, Any]) -> list[str]:
    effective: Mapping[str, Any] = result.get("effective") or {}
    named: Mapping[str, Any] = result.get("settings") or {}
    rows = []
    for setting in SETTINGS.values():
        if setting.option not in effective:
            continue
        value = effective[setting.option]
        source = "file" if setting.option in named else "default"
        text = "invalid" if value is None else format_value(setting.kind, value)
        # A path has only one form.
        if value is not None and setting.kind.name != "path":
            text = ("%-10s %s %s" % (text, value, setting.kind.base_unit)).rstrip()
        rows.append((setting.name, text, source))
    width = max([31, *(len(text) for _name, text, _source in rows)])
    lines = ["%-46s %-*s %s" % (name, width, text, source) for name, text, source in rows]
    return [str(result.get("path") or "content"), *lines]


def _sentence(problem: Mapping[str, Any]) -> str:
    return "%s: %s [%s]" % (problem["severity"], advice(problem), problem["code"])


def _summary(results: Mapping[str, Any]) -> list[str]:
    # By severity and code, then by text, so that hosts with the same problem share a line.
    found: dict[tuple[int, str], dict[str, tuple[dict[str, None], dict[str, None]]]] = {}
    standings: Counter[str] = Counter()
    bad = 0
    for name, result in results.items():
        host = printable(str(name))
        verdict, message, config = standing(result)
        standings[verdict] += 1
        bad += verdict in BAD and result != {}
        if verdict in (NOT_LOOKED_AT, UNREACHABLE):
            key = (len(SEVERITIES) + STANDINGS.index(verdict), verdict)
            found.setdefault(key, {}).setdefault(message, ({}, {}))[0][host] = None
            continue
        for problem in config["problems"]:
            key = (SEVERITIES.index(problem["severity"]), "%s %s" % (problem["severity"], problem["code"]))
            hosts, paths = found.setdefault(key, {}).setdefault(advice(problem), ({}, {}))
            hosts[host] = None
            paths[config.get("path") or "content"] = None
        for key, said in _refusals(config):
            hosts, paths = found.setdefault(key, {}).setdefault(said, ({}, {}))
            hosts[host] = None
            paths[config.get("path") or "content"] = None
    lines = ["%d of %s failed" % (bad, number_of(len(results)))] if bad else []
    for key in sorted(found):
        number = len({host for hosts, _paths in found[key].values() for host in hosts})
        lines.append("%s, %s:" % (key[1], number_of(number)))
        for said, (hosts, paths) in found[key].items():
            place = one_or_several(paths, "files") if paths else ""
            lines.append("  %s" % ": ".join(filter(None, [", ".join(hosts), place, said])))
    return [*lines, total(standings)]


def _refusals(config: Mapping[str, Any]) -> list[tuple[tuple[int, str], str]]:
    """Return the programs that refuse a config, now or after an upgrade, each with its rank and the title above it."""
    lines = []
    for program in config.get("programs", []):
        since = broken_from(program, config.get("accepted_by", []))
        if program.get("accepts") is False:
            lines.append(((len(SEVERITIES), "refused by programs"), name_of(program)))
        elif since is not None:
            said = "%s accepts it, Wasmtime %d and later refuse it" % (name_of(program), since)
            lines.append(((len(SEVERITIES) + 1, "refused after an upgrade"), said))
    return lines


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"cache_report": cache_report}
