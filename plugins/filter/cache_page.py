# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cache_page
short_description: Show the caches of many hosts on an HTML page
version_added: 0.1.0
author: wasmops contributors (@wasmops)
description:
  - Renders the result of P(wasmops.wasmtime.cache_fleet#filter) as an HTML page.
  - The page is self-contained. It can be opened from disk, loads nothing, and its content security policy only allows its own
    script.
positional: _input
options:
  _input:
    description: The result of P(wasmops.wasmtime.cache_fleet#filter).
    type: dict
    required: true
seealso:
  - plugin: wasmops.wasmtime.cache_fleet
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write the page
  ansible.builtin.copy:
    content: "{{ fleet | wasmops.wasmtime.cache_page }}"
    dest: cache-report.html
    mode: "0600"
"""

RETURN = r"""
_value:
  description: The page.
  type: str
"""

from typing import Any, Callable, Mapping

from ansible.errors import AnsibleFilterError

from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._fleet import FORMAT
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._page import page


def cache_page(fleet: Mapping[str, Any]) -> str:
    """Return the page for the data of a report. Raises AnsibleFilterError for other data."""
    if not isinstance(fleet, Mapping) or fleet.get("format") != FORMAT or not isinstance(fleet.get("hosts"), list):
        raise AnsibleFilterError("cache_page takes what cache_fleet returned")
    return page(fleet)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"cache_page": cache_page}
