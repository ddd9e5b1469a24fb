# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the modules from the controller, and accept their answers only by a schema.

Ansible itself turns facts in any answer into variables, and shows messages unchanged.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Mapping

from ansible.plugins.action.normal import ActionModule as Normal

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import printable, visible
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import Record, received
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._variables import ROLE, unknown_variables

_PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"
_BEGIN = re.compile(r"^\s*\{", re.MULTILINE)


class Border(Normal):  # type: ignore[misc] # Ansible has no types
    """Runs a module and validates its result by C(schema)."""

    schema: Record
    kept_empty: tuple[str, ...] = ()
    """Options of the collection's own tasks that are not taken as not given if they are empty."""

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Run the module on the host and return its result, or a failure if the result is malformed.

        Not in the background: the answer would come through C(async_status), which accepts any answer.
        A task of the role or of a playbook of the collection fails for an unknown variable of the role, and ignores empty
        strings, which surveys give for a question without an answer.
        """
        if self._task.async_val:
            return {
                "failed": True,
                "changed": False,
                "msg": "this module does not run in the background; remove async from the task",
            }
        if self.is_ours:
            unknown = unknown_variables(task_vars or {})
            if unknown:
                return {"failed": True, "changed": False, "msg": "; ".join(unknown)}
            self._task.args = {
                name: value for name, value in self._task.args.items() if value != "" or name in self.kept_empty
            }
        return received(super().run(tmp, task_vars), self.schema)

    @property
    def is_ours(self) -> bool:
        """Whether this is a task of the collection's role or of one of its playbooks."""
        if self._task._role:
            return bool(self._task._role.get_name() == ROLE)
        return _PLAYBOOKS in Path(self._task.get_path() or "/").parents

    def _parse_returned_data(self, res: Mapping[str, Any], *more: Any) -> Any:
        """Read an answer as Ansible does, which shows its warnings and the text around it at once."""
        return super()._parse_returned_data({**res, "stdout": bare(res["stdout"])}, *more)


def bare(output: str) -> str:
    """Return only the answer in the output of a module, with printable texts; the whole output if it has no answer."""
    begin = _BEGIN.search(output)
    if begin:
        try:
            return json.dumps(visible(json.JSONDecoder().raw_decode(output, begin.end() - 1)[0]))
        except (ValueError, RecursionError):
            pass  # Ansible reports this
    return printable(output, "\n\t")
