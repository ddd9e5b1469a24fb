# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks of the modules, as the controller runs them: what a host answers is taken by a schema and by nothing else.

Ansible itself makes variables of facts that any answer has, and shows its messages as they are.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from ansible.plugins.action.normal import ActionModule as Normal

from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import Record, received


class Border(Normal):  # type: ignore[misc] # Ansible has no types
    """The usual way to run a module, with a border for what comes back; C(schema) is that of the module's result."""

    schema: Record

    def run(self, tmp: Optional[str] = None, task_vars: Optional[Mapping[str, Any]] = None) -> Dict[str, Any]:
        """Run the module on the host and return its result, or a failure if that is malformed.

        Not in the background: the answer would come through C(async_status), which takes whatever the host says.
        """
        if self._task.async_val:
            return {
                "failed": True,
                "changed": False,
                "msg": "this module does not run in the background; leave out async",
            }
        return received(super().run(tmp, task_vars), self.schema)
