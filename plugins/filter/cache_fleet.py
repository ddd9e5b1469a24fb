# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cache_fleet
short_description: Put together what the cache modules found on many hosts
version_added: 0.1.0
author: wasmops contributors (@wasmops)
description:
  - Makes one structure of the results of M(wasmops.wasmtime.cache_config_info) and M(wasmops.wasmtime.cache_usage_info) on
    all hosts, with totals, and with what is unusual on each host.
  - The playbook C(wasmops.wasmtime.report) writes it as JSON.
positional: _input
options:
  _input:
    description:
      - The results of M(wasmops.wasmtime.cache_config_info) in a dictionary by the names of hosts.
      - Results of a module that failed or did not reach the host are taken as well. An empty one is for a host that it was
        not run on.
      - A malformed one, that no such module returns, makes its host one that was not looked at.
    type: dict
    required: true
  usages:
    description: The results of M(wasmops.wasmtime.cache_usage_info) in the same way.
    type: dict
    required: true
  made:
    description: When the hosts were looked at, as the report shall say it.
    type: str
    required: true
seealso:
  - plugin: wasmops.wasmtime.cache_page
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write what was found on all hosts of the play
  ansible.builtin.copy:
    content: "{{ dict(names | zip(configs)) | wasmops.wasmtime.cache_fleet(dict(names | zip(usages)), made='today') | to_json }}"
    dest: fleet.json
    mode: "0600"
  vars:
    names: "{{ ansible_play_hosts_all }}"
    configs: "{{ names | map('extract', hostvars) | map(attribute='cache_config', default={}) }}"
    usages: "{{ names | map('extract', hostvars) | map(attribute='cache_usage', default={}) }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
_value:
  description: The data of the report.
  type: dict
  contains:
    format:
      description: The number of this format.
      type: int
      sample: 1
    made:
      description: When the hosts were looked at.
      type: str
    versions:
      description: The ranges of Wasmtime versions, in their order.
      type: list
      elements: str
    totals:
      description:
        - The number of C(hosts); how many there are of each verdict (C(verdicts)), of each share of a limit (C(fullness)) and
          of each note (C(notes)); how many files suit each range of Wasmtime versions (C(accepted_by)).
        - The sums of C(entries), C(size) and C(size_on_disk), the sizes in bytes.
      type: dict
    problems:
      description:
        - Each kind of problem with its C(code), C(severity) and the number of C(hosts) that have it, the worst first.
        - C(message) and C(remedy) are the most common ones; C(alike) is whether there are no others.
      type: list
      elements: dict
    engines:
      description:
        - Each C(version) of Wasmtime in the programs that read the configs, as RV(wasmops.wasmtime.cache_config_info#module:programs)
          has them, with the number of C(hosts), and of those where such a program refuses the config (C(refuse)).
        - C(upgrades) is the number of hosts where it accepts the config and a later version refuses it, by that version.
      type: list
      elements: dict
    refusals:
      description:
        - Each program that refuses the config with its C(path), C(version), the number of C(hosts), and the C(names) of the
          first five.
        - C(since) is null if it refuses the config now, or else the first later version that does.
      type: list
      elements: dict
    common:
      description: The most common effective value of each setting.
      type: dict
    hosts:
      description:
        - Of each host its C(name), C(verdict), C(problems), C(effective) settings, the cache C(directory), C(path),
          C(wasmtime_version), C(programs) and C(accepted_by), as M(wasmops.wasmtime.cache_config_info) returned them.
        - C(message) is why the host could not be looked at, C(usage_message) why its cache could not be; else null.
        - C(differs) names the settings whose values are not the most common ones.
        - C(usage) is what M(wasmops.wasmtime.cache_usage_info) returned, with at most five names of files in each list; null if
          there is nothing. C(percent) is how much is used of that limit which is the fuller one.
        - C(notes) are the codes of what is remarkable in the usage.
      type: list
      elements: dict
"""

from typing import Any, Callable, Mapping

from ansible.errors import AnsibleFilterError

from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._fleet import fleet
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._standings import are_results


def cache_fleet(configs: Mapping[str, Any], usages: Mapping[str, Any], made: str) -> dict[str, Any]:
    """Results of the modules by host as the data of the report. Raises AnsibleFilterError for what are no such results."""
    for results in (configs, usages):
        if not are_results(results):
            raise AnsibleFilterError("cache_fleet takes two dictionaries of results by host")
    return fleet(configs, usages, made)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"cache_fleet": cache_fleet}
