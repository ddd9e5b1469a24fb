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
    the twelve effective settings with their values for people, their values in base units, and where they come from,
    and every problem.
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
      - Each line has a problem and the hosts that have it, the worst problems first. Below are the hosts that could not be
        looked at, and at the end the number of hosts in each condition.
      - The results are those of M(wasmops.wasmtime.cache_config_info), also where it failed or did not reach the host.
        An empty one is for a host that it was not run on.
    type: bool
    default: false
seealso:
  - module: wasmops.wasmtime.cache_config
  - module: wasmops.wasmtime.cache_config_info
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

from collections import Counter
from typing import Any, Callable, Dict, List, Mapping, Tuple

from ansible.errors import AnsibleFilterError

from ansible_collections.wasmops.wasmtime.plugins.module_utils._settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._words import format_value

# How a host can stand, in the order in which they are counted.
GOOD = "good"
DEFAULTS = "good without a config file"
WARNED = "with warnings"
REFUSED = "refused by Wasmtime"
DANGEROUS = "dangerous"
UNKNOWN = "not looked at"
UNREACHABLE = "unreachable"
STANDINGS = (GOOD, DEFAULTS, WARNED, REFUSED, DANGEROUS, UNKNOWN, UNREACHABLE)
SEVERITIES = ("error", "danger", "warning")


def cache_report(result: Mapping[str, Any], only_problems: bool = False, by_host: bool = False) -> List[str]:
    """Results of a module as lines. Raises AnsibleFilterError for what is no such result."""
    if by_host:
        if not isinstance(result, Mapping) or not all(isinstance(single, Mapping) for single in result.values()):
            raise AnsibleFilterError("cache_report takes a dictionary of results with by_host")
        return _summary(result)
    if not isinstance(result, Mapping) or "problems" not in result:
        raise AnsibleFilterError("cache_report takes what cache_config or cache_config_info returned")
    lines = []
    if not only_problems:
        lines += _settings(result)
    if result["problems"]:
        lines += ["%s: %s" % (result.get("path") or "content", _sentence(problem)) for problem in result["problems"]]
    elif not only_problems:
        lines.append("no problems")
    return lines


def _settings(result: Mapping[str, Any]) -> List[str]:
    effective: Mapping[str, Any] = result.get("effective") or {}
    named: Mapping[str, Any] = result.get("settings") or {}
    lines = [str(result.get("path") or "content")]
    for setting in SETTINGS.values():
        if setting.option not in effective:
            continue
        value = effective[setting.option]
        source = "file" if setting.option in named else "default"
        if value is None:
            texts = ("invalid", "")
        elif setting.kind.base_unit:
            texts = (format_value(setting.kind, value), "%s %s" % (value, setting.kind.base_unit))
        else:
            texts = (format_value(setting.kind, value), str(value))
        if setting.kind.name == "path":
            texts = (texts[0], "")
        lines.append(("%-46s %-10s %-20s %s" % (setting.name, texts[0], texts[1], source)).rstrip())
    return lines


def _sentence(problem: Mapping[str, Any]) -> str:
    return "%s: %s [%s]" % (problem["severity"], _advice(problem), problem["code"])


def _advice(problem: Mapping[str, Any]) -> str:
    place = "" if problem["line"] is None else "line %s, column %s: " % (problem["line"], problem["column"])
    return "%s%s; %s" % (place, problem["message"], problem["remedy"])


def _summary(results: Mapping[str, Mapping[str, Any]]) -> List[str]:
    standings = {host: _standing(result) for host, result in results.items()}
    # By severity and code, then by what is said: what many hosts share is said once.
    found: Dict[Tuple[int, str], Dict[str, List[str]]] = {}
    for host, result in results.items():
        if standings[host] in (UNKNOWN, UNREACHABLE):
            key = (len(SEVERITIES) + STANDINGS.index(standings[host]), standings[host])
            reason = " ".join(str(result.get("msg", "")).split())
            found.setdefault(key, {}).setdefault(reason, []).append(host)
            continue
        for problem in result["problems"]:
            key = (SEVERITIES.index(problem["severity"]), "%s %s" % (problem["severity"], problem["code"]))
            said = "%s: %s" % (result.get("path") or "content", _advice(problem))
            hosts = found.setdefault(key, {}).setdefault(said, [])
            if host not in hosts:
                hosts.append(host)
    lines = []
    for key in sorted(found):
        number = len({host for hosts in found[key].values() for host in hosts})
        lines.append("%s, %s:" % (key[1], _count(number)))
        lines += ["  %s" % ": ".join(filter(None, [", ".join(hosts), said])) for said, hosts in found[key].items()]
    counted = ["%d %s" % (number, standing) for standing, number in _counts(standings)]
    lines.append("%s: %s" % (_count(len(results)), ", ".join(counted)))
    return lines


def _standing(result: Mapping[str, Any]) -> str:
    if result.get("unreachable"):
        return UNREACHABLE
    if result.get("failed") or "valid" not in result:
        return UNKNOWN
    if not result["valid"]:
        return REFUSED
    if not result["safe"]:
        return DANGEROUS
    if result["problems"]:
        return WARNED
    return GOOD if result["exists"] else DEFAULTS


def _counts(standings: Mapping[str, str]) -> List[Tuple[str, int]]:
    numbers = Counter(standings.values())
    return [(standing, numbers[standing]) for standing in STANDINGS if numbers[standing]]


def _count(number: int) -> str:
    return "1 host" if number == 1 else "%d hosts" % number


class FilterModule:
    """The filters of this file."""

    def filters(self) -> Dict[str, Callable[..., List[str]]]:
        return {"cache_report": cache_report}
