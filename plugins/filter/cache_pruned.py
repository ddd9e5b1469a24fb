# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cache_pruned
short_description: Summarize what was removed from the caches of many hosts
version_added: 0.2.0
author: wasmops contributors (@wasmops)
description:
  - Formats the results of M(wasmops.wasmtime.cache_prune) on many hosts as lines of text. Hosts with equal results share a
    line.
  - The last line has the bytes on all hosts, by kind, and the number of hosts that failed or were unreachable.
positional: _input
options:
  _input:
    description:
      - A dictionary with the result of M(wasmops.wasmtime.cache_prune) for each host name.
      - Results of failed tasks and of unreachable hosts are allowed.
      - A host with a malformed result, which the module cannot have returned, counts as failed.
    type: dict
    required: true
  check_mode:
    description: Whether the results are those of a run in check mode, which removed nothing.
    type: bool
    default: false
seealso:
  - module: wasmops.wasmtime.cache_prune
"""

EXAMPLES = r"""
- name: Show what was removed on all hosts of the play
  ansible.builtin.debug:
    msg: "{{ dict(names | zip(results)) | wasmops.wasmtime.cache_pruned(check_mode=ansible_check_mode) }}"
  vars:
    names: "{{ ansible_play_hosts_all }}"
    results: "{{ names | map('extract', hostvars) | map(attribute='pruned', default={}) }}"
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

from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._pruned import summary
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._standings import are_results


def cache_pruned(results: Mapping[str, Any], check_mode: bool = False) -> list[str]:
    """Return lines for these results of cache_prune by host. Raises AnsibleFilterError for other input."""
    if not are_results(results):
        raise AnsibleFilterError("cache_pruned takes a dictionary of results by host")
    return summary(results, check_mode)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"cache_pruned": cache_pruned}
