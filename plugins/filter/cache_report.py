# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cache_report
short_description: Write the result of the cache modules for a person
version_added: 0.1.0
author: wasmops contributors (@wasmops)
description:
  - Makes lines of text of what M(wasmops.wasmtime.cache_config) or M(wasmops.wasmtime.cache_config_info) returned, such as
    the effective settings with their values for people, their values in base units, and where they come from,
    and every problem.
  - Of what M(wasmops.wasmtime.cache_usage_info) returned, it makes lines on what the cache holds, how much of the limits that
    is, and what the next cleanup deletes.
positional: _input
options:
  _input:
    description: The result of one of the modules.
    type: dict
    required: true
  only_problems:
    description: Whether to leave out the settings.
    type: bool
    default: false
  by_host:
    description:
      - Whether the input is a dictionary of results by the names of hosts, which is then summed up.
      - Each line has a problem and the hosts that have it, the worst problems first. Below are the programs that refuse the
        file, now or after an upgrade, then the hosts that could not be looked at, and at the end the number of hosts in each
        condition.
      - The results are those of M(wasmops.wasmtime.cache_config_info), also where it failed or did not reach the host.
        An empty one is for a host that it was not run on.
      - A malformed one, that no such module returns, makes its host one that was not looked at.
    type: bool
    default: false
seealso:
  - module: wasmops.wasmtime.cache_config
  - module: wasmops.wasmtime.cache_config_info
  - module: wasmops.wasmtime.cache_usage_info
"""

EXAMPLES = r"""
- name: Look at the cache of a host
  wasmops.wasmtime.cache_config_info:
  register: cache

- name: Show what is in force
  ansible.builtin.debug:
    msg: "{{ cache | wasmops.wasmtime.cache_report }}"

- name: Sum up all hosts of the play
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

from typing import Any, Callable, Mapping

from ansible.errors import AnsibleFilterError

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import printable
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.words import format_value
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._programs import broken_from, name_of
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import (
    CHANGED,
    LOOKED_AT,
    SEVERITIES,
    USAGE,
    Malformed,
)
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._standings import (
    STANDINGS,
    UNKNOWN,
    UNREACHABLE,
    VERDICT,
    are_results,
    counts,
    standing,
)
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._usage_lines import usage_lines


def cache_report(result: Mapping[str, Any], only_problems: bool = False, by_host: bool = False) -> list[str]:
    """Results of a module as lines. Raises AnsibleFilterError for what is no such result."""
    if by_host:
        if not are_results(result):
            raise AnsibleFilterError("cache_report takes a dictionary of results with by_host")
        return _summary(result)
    try:
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
        # A path has no other form, and takes the place of both.
        if value is not None and setting.kind.name != "path":
            text = ("%-10s %s %s" % (text, value, setting.kind.base_unit)).rstrip()
        rows.append((setting.name, text, source))
    width = max([31, *(len(text) for _name, text, _source in rows)])
    lines = ["%-46s %-*s %s" % (name, width, text, source) for name, text, source in rows]
    return [str(result.get("path") or "content"), *lines]


def _sentence(problem: Mapping[str, Any]) -> str:
    return "%s: %s [%s]" % (problem["severity"], _advice(problem), problem["code"])


def _advice(problem: Mapping[str, Any]) -> str:
    place = "" if problem["line"] is None else "line %s, column %s: " % (problem["line"], problem["column"])
    return "%s%s; %s" % (place, problem["message"], problem["remedy"])


def _summary(results: Mapping[str, Any]) -> list[str]:
    # By severity and code, then by what is said: what many hosts share is said once.
    found: dict[tuple[int, str], dict[str, list[str]]] = {}
    standings = []
    for name, result in results.items():
        host = printable(str(name))
        verdict, message, config = standing(result)
        standings.append(verdict)
        if verdict in (UNKNOWN, UNREACHABLE):
            key = (len(SEVERITIES) + STANDINGS.index(verdict), verdict)
            found.setdefault(key, {}).setdefault(message, []).append(host)
            continue
        for problem in config["problems"]:
            key = (SEVERITIES.index(problem["severity"]), "%s %s" % (problem["severity"], problem["code"]))
            said = "%s: %s" % (config.get("path") or "content", _advice(problem))
            hosts = found.setdefault(key, {}).setdefault(said, [])
            if host not in hosts:
                hosts.append(host)
        for key, said in _refusals(config):
            found.setdefault(key, {}).setdefault(said, []).append(host)
    lines = []
    for key in sorted(found):
        number = len({host for hosts in found[key].values() for host in hosts})
        lines.append("%s, %s:" % (key[1], _count(number)))
        lines += ["  %s" % ": ".join(filter(None, [", ".join(hosts), said])) for said, hosts in found[key].items()]
    counted = ["%d %s" % (number, name) for name, number in counts(standings)]
    lines.append("%s: %s" % (_count(len(results)), ", ".join(counted)))
    return lines


def _refusals(config: Mapping[str, Any]) -> list[tuple[tuple[int, str], str]]:
    """The programs that refuse a config, now or after an upgrade, each below a title with its place among others."""
    lines = []
    for program in config.get("programs", []):
        said = "%s: %s" % (config.get("path") or "content", name_of(program))
        since = broken_from(program, config.get("accepted_by", []))
        if program.get("accepts") is False:
            lines.append(((len(SEVERITIES), "refused by programs"), said))
        elif since is not None:
            lines.append(
                (
                    (len(SEVERITIES) + 1, "refused after an upgrade"),
                    "%s accepts it, Wasmtime %d and later refuse it" % (said, since),
                )
            )
    return lines


def _count(number: int) -> str:
    return "1 host" if number == 1 else "%d hosts" % number


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"cache_report": cache_report}
