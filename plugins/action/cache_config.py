# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._border import Border
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import CHANGED
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._variables import OF_PROVISION, PREFIX


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
        """Return the options that the role's variables give.

        The task of the role names none: Ansible would render a template for each option on each host, although few are
        given, which takes about a tenth of a run's time.
        """
        given = {name[len(PREFIX) :]: variables[name] for name in OF_PROVISION if name in variables}
        # The task itself has only what module_defaults give.
        return {**super().options(variables), **self._templar.template(given)}
