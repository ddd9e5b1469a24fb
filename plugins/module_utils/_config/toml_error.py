# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The type of a TOML parser, and the error for text that it refuses."""

from __future__ import annotations

from typing import Any, Callable, Dict

Loads = Callable[[str], Dict[str, Any]]


class TomlError(Exception):
    """Text that is not TOML, or is not read; C(line) and C(column) count from 1, in characters."""

    def __init__(self, message: str, line: int, column: int, name: str = "toml-syntax") -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.name = name
        """The name of a text in C(problems)."""
