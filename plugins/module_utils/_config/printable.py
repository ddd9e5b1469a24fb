# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make texts from unknown sources safe to print.

The modules use it for their results, and the controller for the results of hosts.
"""

from __future__ import annotations

from typing import Any

BOM = "\ufeff"
# Keys of a result whose texts have several lines: sentences with a list, a traceback, the contents of a file in a diff.
_LINES = ("after", "before", "exception", "module_stderr", "module_stdout", "msg")


def printable(text: str, kept: str = "") -> str:
    """Return the text with an escape such as C(\\x1b) or C(\\u202e) for each character that is not printable.

    These are control characters, line breaks, marks that change the direction of a text, separators other than a space,
    and what stands for bytes that are no text. Those in C(kept) stay.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept else ascii(c)[1:-1] for c in text)


def printable_lines(text: str) -> str:
    """Return the text with its lines, tabs and byte order mark, and with escapes for all else that is not printable."""
    mark = BOM if text.startswith(BOM) else ""
    return mark + "\r\n".join(printable(part, "\n\t") for part in text[len(mark) :].split("\r\n"))


def visible(value: Any, lines: bool = False) -> Any:
    """Return JSON data with all its texts printable. C(lines): whether the value is a text of several lines."""
    if isinstance(value, str):
        return printable_lines(value) if lines else printable(value)
    if isinstance(value, dict):
        table: dict[Any, Any] = {visible(key): visible(part, key in _LINES) for key, part in value.items()}
        return table
    if isinstance(value, (list, tuple)):
        return [visible(part) for part in value]
    return value


def quoted(text: str) -> str:
    """Return a text in quotes and in one line."""
    return '"' + printable(text) + '"'


def shown(value: Any) -> str:
    """Return a value in a recognizable form for a message, in one line and not too long."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str):
        text = quoted(value)
    else:
        try:
            text = str(value)
        except ValueError:  # Python refuses to print integers of thousands of digits
            text = "a number of thousands of digits"
    return text if len(text) <= 80 else text[:60] + "..." + text[-15:]
