# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An AnsibleModule whose results cannot control a terminal."""

from __future__ import annotations

import contextlib
import math
import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._config.printable import printable, visible
from .._files.path import NOT_FOLLOWED, resolve

# No meaningful number has more digits.
_DIGITS = 100


def _countable(value: Any) -> bool:
    """Return whether Ansible can convert the value of an option to an integer, or reports itself why not."""
    if isinstance(value, list):
        return all(map(_countable, value))
    return math.isfinite(value) if isinstance(value, float) else len(str(value)) < _DIGITS


def _may_be_examined(path: Any) -> bool:
    """Return whether Ansible may examine a path: it follows all links, which root must not."""
    if os.geteuid() != 0 or not isinstance(path, str) or not path.startswith("/") or "\0" in path:
        return True
    error = resolve(path).error
    return error is None or error.code not in NOT_FOLLOWED


def _encodable(value: Any) -> bool:
    """Return whether a value can be encoded as UTF-8; surrogates for bytes that are not UTF-8 are accepted."""
    try:
        str(value).encode("utf-8", "surrogateescape")
    except UnicodeError:
        return False
    return True


class Module(AnsibleModule):  # type: ignore[misc]
    """An AnsibleModule whose results and warnings are printable, whatever the names of files are."""

    params: dict[str, Any]

    def __init__(self, *arguments: Any, path_info: bool = True, **options: Any) -> None:
        """C(path_info): whether Ansible adds the owner, mode and size of the path to the result."""
        self._path_info = path_info
        try:
            super().__init__(*arguments, **options)
        except (OverflowError, ValueError):
            # Ansible before 2.22 raises these for Infinity and for thousands of digits.
            name = next((name for name in self._of_type("int") if not _countable(self.params.get(name))), "an option")
            self.fail_json(msg="%s is not a whole number of a usual size; write one like 10" % name)
        for name, value in self.params.items():
            if not _encodable(value):
                self.fail_json(msg="%s has a character that is not text; remove it" % name)

    def _of_type(self, kind: str) -> list[str]:
        """Return the options whose values have a type, or are lists of it."""
        return [name for name, spec in self.argument_spec.items() if kind in (spec.get("type"), spec.get("elements"))]

    def _log_invocation(self) -> None:
        """Log the options as Ansible does, but printable: Ansible fails on bytes that are not UTF-8."""
        params = self.params
        self.params = visible(params)
        try:
            super()._log_invocation()
        finally:
            self.params = params

    def add_path_info(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Make a result printable.

        Every result passes here, also for failures of Ansible itself, and later steps do not need the exact path.
        """
        if self._path_info and _may_be_examined(kwargs.get("path")):
            # The file may be gone by now.
            with contextlib.suppress(OSError):
                super().add_path_info(kwargs)
        shown = visible(kwargs)
        kwargs.clear()
        kwargs.update(shown)
        return kwargs

    def warn(self, warning: str, **options: Any) -> None:
        """Add a warning to the result."""
        super().warn(printable(warning), **options)
