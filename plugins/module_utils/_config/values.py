# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert texts and numbers to values in base units, by the engine's own formats."""

from __future__ import annotations

from typing import Any

from .printable import shown
from .settings import U64_MAX, Kind, Setting, TomlValue, is_integer

# What Rust's str::trim() removes (Unicode White_Space); Python's strip() removes more.
WHITE_SPACE = (
    "\t\n\x0b\x0c\r \x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


DIGITS = "0123456789"


def parse_text(kind: Kind, text: str) -> int:
    """Read a count, size, duration or percent into its base unit.

    Raises BadValue.
    A duration comes back exact and may exceed 2^64-1: whether the engine then wraps
    or refuses depends on its version.
    A percent comes back up to 255, the engine's type; its range is a rule of its own.
    """
    trimmed = text.strip(WHITE_SPACE)
    unit = trimmed.lstrip(DIGITS)
    number = trimmed[: len(trimmed) - len(unit)]
    unit = unit.strip(WHITE_SPACE)
    if number and unit in kind.units:
        significant = number.lstrip("0") or "0"
        most = 255 if kind.name == "percent" else U64_MAX
        # 20 digits hold every u64; longer ones are not worth converting.
        value = int(significant) if len(significant) <= 20 else most + 1
        if value <= most:
            value *= kind.units[unit]
            if value <= U64_MAX or kind.name == "duration":
                return value
    from .bad_values import bad_text

    raise bad_text(kind, number, unit)


def base_value(setting: Setting, value: Any) -> TomlValue:
    """Check the type and format of a TOML value and return it in base units.

    Raises BadValue. Ranges are not checked here.
    """
    kind = setting.kind
    if kind.name == "level":
        if is_integer(value) and -(2**31) <= value < 2**31:
            return value  # type: ignore[no-any-return]
    elif isinstance(value, str):
        return value if kind.name == "path" else parse_text(kind, value)
    from .bad_values import bad_type

    raise bad_type(kind, value)


def from_option(setting: Setting, value: Any) -> TomlValue:
    """Return the TOML value for a value from a playbook: a number is a number of base units.

    Text is kept unchanged, so the file has the spelling of the playbook.
    A duration needs its unit here, too, because seconds and minutes are easily confused.
    Raises BadValue.
    """
    kind = setting.kind
    if is_integer(value):
        if kind.name == "duration" or (value < 0 and kind.units):
            from .bad_values import bad_number

            raise bad_number(kind, value)
        if kind.units:
            value = shown(value)
    # Templating may turn a number into text before the module sees it.
    if kind.name == "percent" and isinstance(value, str) and value.strip(DIGITS) == "" and value:
        value += "%"
    base_value(setting, value)
    return value  # type: ignore[no-any-return]
