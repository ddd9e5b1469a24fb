# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cache_fleet
short_description: Combine the results of the cache modules on many hosts
version_added: 0.1.0
author: wasmops contributors (@wasmops)
description:
  - Combines the results of M(wasmops.wasmtime.cache_config_info) and M(wasmops.wasmtime.cache_usage_info) on all hosts in
    one dictionary, with totals, and with the settings of each host that differ from most hosts.
  - The playbook C(wasmops.wasmtime.report) writes it as JSON.
positional: _input
options:
  _input:
    description:
      - A dictionary with the result of M(wasmops.wasmtime.cache_config_info) for each host name.
      - Results of failed tasks and of unreachable hosts are allowed. An empty dictionary means that the module did not run on
        the host.
      - A host with a malformed result, which the module cannot have returned, counts as not checked.
    type: dict
    required: true
  usages:
    description: The results of M(wasmops.wasmtime.cache_usage_info) in the same form.
    type: dict
    required: true
  made:
    description: The time at which the hosts were checked, as text for the report.
    type: str
    required: true
  prunable:
    description:
      - The results of M(wasmops.wasmtime.cache_prune) in check mode, in the same form.
      - With it, the data has the disk space that removing each kind would free.
    type: dict
    default: {}
    version_added: 0.2.0
seealso:
  - plugin: wasmops.wasmtime.cache_page
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write the data of all hosts in the play
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
      description: The version of this format.
      type: int
      sample: 1
    made:
      description: The time at which the hosts were checked.
      type: str
    versions:
      description: The ranges of Wasmtime versions, in ascending order.
      type: list
      elements: str
    totals:
      description:
        - The number of C(hosts); the number of hosts by verdict (C(verdicts)), by share of a limit (C(fullness)) and
          by note (C(notes)); the number of files that suit each range of Wasmtime versions (C(accepted_by)).
        - The sums of C(entries), C(size) and C(size_on_disk), with sizes in bytes.
        - In C(prunable), the number of C(hosts) for which this is known. In its C(kinds), by kind, the number of C(hosts) with
          something to remove, its amount (C(count)), and the bytes on disk that this would free (C(size_on_disk)).
      type: dict
    problems:
      description:
        - Each kind of problem with its C(code), C(severity) and the number of C(hosts) that have it, most severe first.
        - C(message) and C(remedy) are the most common ones; C(alike) is whether all hosts have the same ones.
      type: list
      elements: dict
    engines:
      description:
        - Each C(version) of Wasmtime in the programs that read the configs
          (RV(wasmops.wasmtime.cache_config_info#module:programs)), with the number of C(hosts) that have it, and of hosts
          where such a program refuses the config (C(refuse)).
        - C(upgrades) is the number of hosts where it accepts the config and a later version refuses it, by that version.
      type: list
      elements: dict
    refusals:
      description:
        - Each program that refuses the config, with its C(path), C(version), the number of C(hosts), and the C(names) of the
          first five.
        - C(since) is null if it refuses the config now, otherwise the first later version that does.
      type: list
      elements: dict
    common:
      description:
        - By setting, the most common effective C(value), the number of C(hosts) with this value, and the number of hosts with
          the setting (C(of)). A setting is left out if no two hosts have the same value.
        - The C(value) of C(directory) is null if the most common directory is the default.
      type: dict
    hosts:
      description:
        - For each host its C(name), C(verdict), C(problems), C(effective) settings and C(defaults), the cache C(directory),
          C(path), C(wasmtime_version), C(programs) and C(accepted_by), as M(wasmops.wasmtime.cache_config_info) returned them.
        - C(message) is why the host could not be checked, C(usage_message) why its cache could not be; otherwise null.
        - C(differs) names the settings whose values differ from those of more than half of the hosts.
        - C(usage) is the result of M(wasmops.wasmtime.cache_usage_info), with at most five names of files in each list; null
          without a result. C(percent) is the used share of the fuller of the two limits.
        - C(prunable) is what M(wasmops.wasmtime.cache_prune) would remove, by kind in C(kinds); null if that is not known.
        - C(notes) are the codes of notable facts about the usage.
      type: list
      elements: dict
"""

from typing import Any, Callable, Mapping

from ansible.errors import AnsibleFilterError

from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._fleet import fleet
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._standings import are_results


def cache_fleet(
    configs: Mapping[str, Any], usages: Mapping[str, Any], made: str, prunable: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the data of the report for these results by host. Raises AnsibleFilterError for other input."""
    for results in (configs, usages, prunable or {}):
        if not are_results(results):
            raise AnsibleFilterError("cache_fleet takes dictionaries of results by host")
    return fleet(configs, usages, made, prunable or {})


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"cache_fleet": cache_fleet}
