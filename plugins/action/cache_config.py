# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Mapping

from ansible.errors import AnsibleActionFail, AnsibleError, AnsibleValueOmittedError

from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._border import Border
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import CHANGED
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._variables import AS_ROLE, OF_PROVISION, PREFIX


class ActionModule(Border):
    """Runs cache_config."""

    schema = CHANGED

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Run the module. In the role, missing libraries are no failure: the role installs them."""
        result = super().run(tmp, task_vars)
        if self.is_ours and result.get("missing_libraries"):
            # In check mode, the result still has the planned changes.
            return {**{name: value for name, value in result.items() if name != "exception"}, "failed": False}
        return result

    def options(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of the module; those of the role's task come from the variables of the role.

        As templates of that task, all would be rendered on the controller for each host, although few are given: with them,
        C(provision) takes 1.07 times the CPU time. What module_defaults say on them does not apply, as for templates with
        C(omit).
        Raises AnsibleActionFail if a variable cannot be rendered.
        """
        options = super().options(variables)
        # Only what the task itself says: the host can choose the other variables.
        if not self._task.vars.get(AS_ROLE):
            return options
        for name in OF_PROVISION:
            option = name[len(PREFIX) :]
            options.pop(option, None)
            try:
                if name in variables:
                    options[option] = self._templar.template(variables[name])
            except AnsibleValueOmittedError:
                pass
            except AnsibleError as error:
                raise AnsibleActionFail("%s cannot be rendered." % name) from error
        return options
