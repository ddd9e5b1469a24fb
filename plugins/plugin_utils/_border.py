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
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import (
    MOST_ANSWER,
    MOST_SAID,
    Malformed,
    Record,
    answered,
    failure,
    received,
)
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._variables import ROLE, unknown_variables

_PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"
# Never beyond the line: otherwise, many empty lines would take time in proportion to the square of their number.
_BEGIN = re.compile(r"^[^\S\n]*\{", re.MULTILINE)


class Border(Normal):  # type: ignore[misc] # Ansible has no types
    """Runs a module and validates its result by C(schema)."""

    schema: Record
    kept_empty: tuple[str, ...] = ()
    """Options of the collection's own tasks that are not taken as not given if they are empty."""

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Run the module on the host and return its result, or a failure if the result is malformed.

        Not in the background: the answer would come through C(async_status), which accepts any answer.
        A task of the role or of a playbook of the collection fails for an unknown variable of the role, and ignores empty
        strings, which surveys give for a question without an answer, and null, which YAML gives for a key without a value.
        """
        if self._task.async_val:
            return {
                "failed": True,
                "changed": False,
                "msg": "this module does not run in the background; remove async from the task",
            }
        variables = task_vars or {}
        self._task.args = self.options(variables)
        if self.is_ours:
            unknown = unknown_variables(variables)
            if unknown:
                return {"failed": True, "changed": False, "msg": "; ".join(unknown)}
            given = {name: "" if value is None else value for name, value in self._task.args.items()}
            self._task.args = {name: value for name, value in given.items() if value != "" or name in self.kept_empty}
        return received(super().run(tmp, task_vars), self.schema)

    def options(self, _variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of the module, for these variables of the host."""
        return dict(self._task.args)

    @property
    def is_ours(self) -> bool:
        """Whether this is a task of the collection's role or of one of its playbooks."""
        if self._task._role:
            return bool(self._task._role.get_name() == ROLE)
        return _PLAYBOOKS in Path(self._task.get_path() or "/").parents

    def _parse_returned_data(self, res: Mapping[str, Any], *more: Any) -> Any:
        """Read an answer as Ansible does, which shows its warnings and the text around it at once."""
        told = {**res, "stdout": bare(res["stdout"], self.schema), "stderr": _end(res["stderr"])}
        try:
            return super()._parse_returned_data(told, *more)
        except Exception:
            # Which error it is depends on the answer: for example, objects of Ansible can lack parts.
            told["stdout"] = _unread(Malformed("is no answer"), res["stdout"])
            return super()._parse_returned_data(told, *more)


def bare(output: str, schema: Record) -> str:
    """Return only the answer in the output of a module, with printable texts and without keys that it does not have.

    An answer that cannot be read becomes one of a failure: Ansible could read what this cannot, and would show it
    unchanged. An output without an answer stays, at most its end, and is no JSON.
    """
    if len(output) > MOST_ANSWER:
        return _unread(Malformed("has more than %d characters" % MOST_ANSWER), output)
    begin = _BEGIN.search(output)
    if begin is None:
        return _end(output)
    try:
        return json.dumps(answered(visible(json.JSONDecoder().raw_decode(output, begin.end() - 1)[0]), schema))
    except Malformed as error:
        return _unread(error, output)
    except RecursionError:
        return _unread(Malformed("has too many levels"), output)
    except ValueError:
        return _unread(Malformed("is not JSON"), output, module_stdout=_end(output))


def _unread(wrong: Malformed, output: str, **more: str) -> str:
    """Return the answer of a failure for an output that cannot be read."""
    # As modules write it: within a text, the quotes would be escaped.
    return json.dumps({**failure(wrong, '"changed": true' in output), **more})


def _end(output: str) -> str:
    """Return the end of an output, which has the error, printable."""
    # The dots keep a line that is cut from beginning with a brace, by which Ansible would take the rest for an answer.
    return printable(output if len(output) <= MOST_SAID else "..." + output[-MOST_SAID:], "\n\t")
