# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The border of a module: what it returns cannot act on a terminal."""

from __future__ import annotations

import contextlib
import math
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._config.printable import printable, visible

# More than any number has that means something.
_DIGITS = 100


def _countable(value: Any) -> bool:
    """Whether Ansible can make a whole number of what an option has, or says itself why not."""
    if isinstance(value, list):
        return all(map(_countable, value))
    return math.isfinite(value) if isinstance(value, float) else len(str(value)) < _DIGITS


def _encodable(value: Any) -> bool:
    """Whether a value is in UTF-8, but for bytes that are none, for which Python has characters of its own."""
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
            # Of Ansible's own reading of numbers before 2.22: Infinity, and thousands of digits.
            name = next((name for name in self._of_type("int") if not _countable(self.params.get(name))), "an option")
            self.fail_json(msg="%s is no whole number of the usual size; write one, like 10" % name)
        for name, value in self.params.items():
            if not _encodable(value):
                self.fail_json(msg="%s has a character that stands for no text; write it without" % name)

    def _of_type(self, kind: str) -> list[str]:
        """The options with values of a type, or lists of them."""
        return [name for name, spec in self.argument_spec.items() if kind in (spec.get("type"), spec.get("elements"))]

    def _log_invocation(self) -> None:
        """Log what the task asks for, as Ansible does, but printable: it fails where there are bytes that are no UTF-8."""
        params = self.params
        self.params = visible(params)
        try:
            super()._log_invocation()
        finally:
            self.params = params

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
