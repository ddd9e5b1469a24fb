# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name the types of values, and format values as short texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .settings import Kind, Setting, TomlValue


def type_name(value: Any) -> str:
    """Return the name of a value's TOML type, with its article."""
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, float):
        return "a float"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, dict):
        return "a table"
    return "a date or time"


def versions_of(setting: Setting) -> str:
    """Return the Wasmtime versions that know a setting that not all versions know."""
    if setting.until is None:
        return "%d and later" % setting.since
    return "%d to %d" % (setting.since, setting.until) if setting.since else "up to %d" % setting.until


def format_value(kind: Kind, value: TomlValue) -> str:
    """Return the shortest exact text of a value in base units; of equally short ones, that with a binary unit."""
    if isinstance(value, str) or kind.name in ("path", "level"):
        return str(value)
    exact = (
        ("%d%s" % (value // factor, unit), factor)
        for unit, factor in kind.units.items()
        if value % factor == 0 and (value or factor == 1)
    )
    return min(exact, key=lambda item: (len(item[0].rstrip("i")), -item[1]))[0]
