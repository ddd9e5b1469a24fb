# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explain why a text or a number is not a value of its kind."""

from __future__ import annotations

import re
from typing import Any

from .settings import BadValue, Kind, is_integer

_LETTERS = re.compile(r"[A-Za-z%]+\Z")


def bad_text(kind: Kind, number: str, unit: str) -> BadValue:
    """Return what is wrong with a text of this number and this unit."""
    if not number:
        return BadValue("no-digit" if unit else "empty", kind=kind)
    if not unit and unit not in kind.units:
        return BadValue("no-unit", kind=kind, number=number)
    if not _LETTERS.match(unit) and unit:
        return BadValue("not-whole" if "" in kind.units else "not-whole-with-unit", kind=kind)
    if unit not in kind.units:
        return BadValue("unknown-unit", kind=kind, number=number, unit=unit)
    return BadValue("more-than-255" if kind.name == "percent" else "more-than-u64", kind=kind)


def bad_number(kind: Kind, value: int) -> BadValue:
    """Return what is wrong with a number from a playbook: it has no unit, or is negative."""
    if value < 0:
        return BadValue("negative", kind=kind)
    if value >= 2**64:
        return BadValue("more-than-u64", kind=kind)
    return BadValue("no-unit", kind=kind, number=value)


def bad_type(kind: Kind, value: Any) -> BadValue:
    """Return what is wrong with a value of this TOML type."""
    if kind.name == "level":
        return BadValue("level-overflow" if is_integer(value) else "not-an-integer", kind=kind)
    if kind.name == "path":
        return BadValue("path-not-a-string", kind=kind)
    if is_integer(value) and 0 <= value < 2**64:
        return BadValue("not-quoted", kind=kind, number=value)
    return BadValue("not-a-string", kind=kind)
