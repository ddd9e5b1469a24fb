# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values in words: why one is bad, what type it has, and its shortest text."""

from __future__ import annotations

from typing import Any

from .printable import shown
from .settings import BadValue, Kind, Setting, TomlValue, is_integer


def _say(kind: Kind) -> str:
    return 'write %s, like "%s"' % (kind.rule, kind.example)


def bad_text(kind: Kind, number: str, unit: str) -> BadValue:
    """Why a text of this number and this unit is no value."""
    if not number:
        return BadValue("invalid-value", "does not start with a digit" if unit else "is empty", _say(kind))
    if unit not in kind.units:
        problem = "has the unknown unit %s" % shown(unit) if unit else "has no unit"
        return BadValue("invalid-value", problem, _say(kind))
    limit = "255" if kind.name == "percent" else "2^64-1"
    return BadValue("overflow", "is more than %s" % limit, _say(kind))


def bad_number(kind: Kind) -> BadValue:
    """Why a playbook may not give a duration without a unit, or a negative number."""
    return BadValue("invalid-value", "has no unit" if kind.name == "duration" else "is negative", _say(kind))


def bad_type(kind: Kind, value: Any) -> BadValue:
    """Why a value is none by its TOML type."""
    if kind.name == "level":
        remedy = "write %s, like %s" % (kind.rule, kind.example)
        if is_integer(value):
            return BadValue("overflow", "is out of range", remedy)
        return BadValue("wrong-type", "is %s, not an integer" % type_name(value), remedy)
    remedy = _say(kind) + " with the quotes"
    if kind.name == "path":
        remedy = 'write an absolute path in quotes, like "%s"' % kind.example
    return BadValue("wrong-type", "is %s, not a string" % type_name(value), remedy)


def type_name(value: Any) -> str:
    """TOML's word for the type of a parsed value, with its article."""
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
    """The Wasmtime versions that know a setting which not all know."""
    if setting.until is None:
        return "%d and later" % setting.since
    return "%d to %d" % (setting.since, setting.until) if setting.since else "up to %d" % setting.until


def format_value(kind: Kind, value: TomlValue) -> str:
    """The shortest exact text of a value in base units; binary units win a draw."""
    if isinstance(value, str) or kind.name in ("path", "level"):
        return str(value)
    exact = (
        ("%d%s" % (value // factor, unit), factor)
        for unit, factor in kind.units.items()
        if value % factor == 0 and (value or factor == 1)
    )
    return min(exact, key=lambda item: (len(item[0].rstrip("i")), -item[1]))[0]
