# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The border of a module: what it returns cannot act on a terminal."""

from __future__ import annotations

import contextlib
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._config.printable import printable, visible


class Module(AnsibleModule):  # type: ignore[misc]
    """An AnsibleModule whose results and warnings are printable, whatever the names of files are."""

    def __init__(self, *arguments: Any, path_info: bool = True, **options: Any) -> None:
        """C(path_info): whether Ansible adds the owner, mode and size of the path to the result."""
        self._path_info = path_info
        super().__init__(*arguments, **options)

    def add_path_info(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Make a result printable.

        Each result passes here, those of Ansible's own failures included. It is the last step that needs the exact path.
        """
        if self._path_info:
            # What was there a moment ago may be gone by now.
            with contextlib.suppress(OSError):
                super().add_path_info(kwargs)
        shown = visible(kwargs)
        kwargs.clear()
        kwargs.update(shown)
        return kwargs

    def warn(self, warning: str, **options: Any) -> None:
        """Add a warning to the result."""
        super().warn(printable(warning), **options)
