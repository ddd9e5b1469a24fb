# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what a TOML library refuses, and where, and the syntax that only newer ones accept."""

from __future__ import annotations

import re

from .toml_error import Loads, TomlError

# What TOML 1.1 adds, in the text of a key or a value, comments aside: two escapes, a time without seconds,
# and a line break or a last comma in an inline table.
_NEW_IN_KEY = re.compile(r"\\[ex]")
_NEW_IN_VALUE = re.compile(r"\\[ex]|[0-9]:[0-9]{2}(?!:)|\{[^\n]*\n|,\s*\}")
_AT = re.compile(r" \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)\Z")
_OPEN_LITERAL = 'expected "\'"'
_BAD_ESCAPE = "unescaped '\\'"


def refusal(error: Exception, loads: Loads, text: str) -> TomlError:
    """Return the error that a library has raised on bad input, with its place."""
    if isinstance(error, RecursionError):
        return TomlError("nested too deeply", 1, 1)
    message, place = _split(error)
    if place is None and message == _OPEN_LITERAL:
        text = _until_open(loads, text)
    line, column = place or _end(text)
    if message.startswith(_BAD_ESCAPE) and column == 1:
        # The library names the place behind a backslash and a line break.
        line, column = _end("\n".join(text.split("\n")[: line - 1]))
    return TomlError(message, line, column)


def _split(error: Exception) -> tuple[str, tuple[int, int] | None]:
    """Return a library's message without its place, and the place; None at the end of the text."""
    message = str(error)
    place = _AT.search(message)
    if place is None:  # an integer of thousands of digits
        return "invalid value", None
    message = message[:1].lower() + message[1 : place.start()]
    return message, (int(place.group(1)), int(place.group(2))) if place.group(1) else None


def _end(text: str) -> tuple[int, int]:
    end = len(text) - text.endswith("\n")
    return text.count("\n", 0, end) + 1, end - text.rfind("\n", 0, end)


def _until_open(loads: Loads, text: str) -> str:
    """Return the text up to the line that opens a literal string and does not close it.

    The libraries search the whole text for its end, and then report the end of the text as the place.
    """
    ends = [match.end() for match in re.finditer("\n|(?<=[^\n])\\Z", text)]
    low, high = 0, len(ends) - 1
    while low < high:
        middle = (low + high) // 2
        try:
            loads(text[: ends[middle]])
            found = False
        except RecursionError:
            found = False
        except ValueError as error:
            found = _split(error) == (_OPEN_LITERAL, None)
        low, high = (low, middle) if found else (middle + 1, high)
    return text[: ends[low]]


def newer_syntax(text: str, loads: Loads) -> bool:
    """Return whether a key or a value of a valid text has syntax that is new in TOML 1.1. Errs towards yes."""
    from .layout import find_statements

    statements, complete = find_statements(text, loads)
    for entry in statements:
        value = text[slice(*entry.value)]
        if _NEW_IN_KEY.search(text[slice(*entry.key)]):
            return True
        # A literal string has no escapes, and a string no syntax.
        if value[:1] != "'" and (_NEW_IN_KEY if value[:1] == '"' else _NEW_IN_VALUE).search(value):
            return True
    return not complete
