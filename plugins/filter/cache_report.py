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
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

from typing import Any, Callable, Dict, List, Mapping

from ansible.errors import AnsibleFilterError

from ansible_collections.wasmops.wasmtime.plugins.module_utils._settings import SETTINGS, format_value


def cache_report(result: Mapping[str, Any], only_problems: bool = False) -> List[str]:
    """The result of a module as lines. Raises AnsibleFilterError for what is no such result."""
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
    place = "" if problem["line"] is None else "line %s, column %s: " % (problem["line"], problem["column"])
    return "%s: %s%s; %s [%s]" % (problem["severity"], place, problem["message"], problem["remedy"], problem["code"])


class FilterModule:
    """The filters of this file."""

    def filters(self) -> Dict[str, Callable[..., List[str]]]:
        return {"cache_report": cache_report}
