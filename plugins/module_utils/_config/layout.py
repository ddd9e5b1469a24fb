# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the statements in a valid TOML text.

The boundaries are found by parsing pieces of the text with the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator, NamedTuple, Tuple

if TYPE_CHECKING:
    from .toml_error import Loads

Path = Tuple[str, ...]


class Statement(NamedTuple):
    """A header or a key with its value, as offsets into the text.

    C(start) and C(end) span whole lines; C(key) and C(value) are the spans of the two
    (C(value) of a header is empty and at its bracket).
    """

    path: Path
    header: bool
    start: int
    end: int
    key: tuple[int, int]
    value: tuple[int, int]
    parts: tuple[int, ...]
    """Where the parts of a dotted key begin; one for a plain key."""


class TooComplex(Exception):
    """Finding the ends of very long statements would take too much time."""


class Layout(NamedTuple):
    """The statements of a text, in their order."""

    statements: list[Statement]
    complete: bool
    """Whether these are all statements; otherwise the rest of the text is too complex."""


def find_statements(text: str, loads: Loads) -> Layout:
    """Find the statements of a valid TOML text.

    The shortest run of lines that parses alone is a statement: at the end of a
    complete statement the grammar always starts anew.
    """
    statements: list[Statement] = []
    try:
        statements.extend(_Scan(text, loads).statements())
    except TooComplex:
        return Layout(statements, False)
    return Layout(statements, True)


def position(text: str, offset: int) -> tuple[int, int]:
    """Return the line and column of an offset, from 1, in characters."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


class _Scan:
    """One pass over a text, and the rest of the library's time for it."""

    def __init__(self, text: str, loads: Loads) -> None:
        self.text = text
        self._loads = loads
        # A statement of n lines costs n attempts, a dotted key one for each dot; this bounds the sum of their lengths.
        self._budget = 2 * len(text) + 1_000_000
        self._budget_for_keys = self._budget

    def _try(self, text: str) -> dict[str, Any] | None:
        self._budget -= len(text) + 200  # the cost of a call, in characters
        if self._budget < 0:
            raise TooComplex
        return self._parsed(text)

    def _parsed(self, text: str) -> dict[str, Any] | None:
        try:
            return self._loads(text)
        except (ValueError, RecursionError):
            return None

    def statements(self) -> Iterator[Statement]:
        table: Path = ()
        offset = 0
        while offset < len(self.text):
            end = self._line_end(offset)
            first = self.text[offset:end].lstrip(" \t")[:1]
            if first in ("", "#", "\r", "\n"):
                offset = end
                continue
            data = self._try(self.text[offset:end])
            while data is None:
                end = self._next_end(end)
                data = self._try(self.text[offset:end])
            if first == "[":
                table = _only_path(data)
                line = self.text[offset:end]
                bracket, name = (end - len(line.lstrip(skipped)) for skipped in (" \t", "[ \t"))
                yield self._statement(table, True, (offset, end), (name, end), (bracket, bracket))
            else:
                yield from self._pairs(offset, end, table)
            offset = end

    def _line_end(self, offset: int) -> int:
        newline = self.text.find("\n", offset)
        return len(self.text) if newline < 0 else newline + 1

    def _next_end(self, end: int) -> int:
        # Only a line with a closing delimiter can complete a statement of several lines.
        while end < len(self.text):
            start, end = end, self._line_end(end)
            line = self.text[start:end]
            if "]" in line or "}" in line or '"""' in line or "'''" in line:
                return end
        raise TooComplex  # not reached for a valid text

    def _pairs(self, start: int, end: int, table: Path) -> Iterator[Statement]:
        """Return the pair in a statement, then those of its inline table."""
        key, data = self._key(start, end)
        path = table + _only_path(data)
        value = self._value(key[1], end)
        yield self._statement(path, False, (start, end), key, value)
        if self.text.startswith("{", value[0]):
            yield from self._inline(start, end, value, path)

    def _inline(self, start: int, end: int, span: tuple[int, int], table: Path) -> Iterator[Statement]:
        offset, close = span[0] + 1, span[1] - 1
        while offset < close:
            comma = offset
            data: dict[str, Any] | None = None
            while data is None and comma < close:
                comma = self.text.find(",", comma + 1, close)
                comma = close if comma < 0 else comma
                # A comma in a string or a comment leaves a rest that does not parse.
                data = self._try("x = {" + self.text[offset:comma] + "}")
            if data is None or not data["x"]:
                return
            key, data = self._key(offset, comma)
            value = self._value(key[1], comma)
            path = table + _only_path(data)
            yield self._statement(path, False, (start, end), key, value)
            if self.text.startswith("{", value[0]):
                yield from self._inline(start, end, value, path)
            offset = comma + 1

    def _key(self, start: int, end: int) -> tuple[tuple[int, int], dict[str, Any]]:
        equals = start
        while True:
            equals = self.text.find("=", equals + 1, end)
            if equals < 0:
                raise TooComplex  # not reached for a valid text
            # A pair of TOML 1.1's inline tables may have comments and lines before its key.
            data = self._try(self.text[start:equals].lstrip(" \t\r\n") + "= 0")
            if data:
                break
        first = start
        while self.text[first] in " \t\r\n#":
            first = self._line_end(first) if self.text[first] == "#" else first + 1
        return (first, start + len(self.text[start:equals].rstrip(" \t"))), data

    def _value(self, after: int, end: int) -> tuple[int, int]:
        first = self.text.index("=", after) + 1
        while self.text[first] in " \t\r\n":
            first += 1
        mark = first
        while True:
            mark = self.text.find("#", mark, end)
            mark = end if mark < 0 else mark
            if mark == end or self._try("x = " + self.text[first:mark]):
                return first, first + len(self.text[first:mark].rstrip(" \t\r\n"))
            mark += 1

    def _statement(
        self, path: Path, header: bool, lines: tuple[int, int], key: tuple[int, int], value: tuple[int, int]
    ) -> Statement:
        return Statement(path, header, *lines, key, value, tuple(self._parts(*key)))

    def _parts(self, first: int, last: int) -> list[int]:
        parts, dot = [first], first
        while True:
            dot = self.text.find(".", dot + 1, last)
            if dot < 0:
                return parts
            self._budget_for_keys -= dot - first + 200
            if self._budget_for_keys < 0:
                return parts
            if self._parsed(self.text[first:dot] + "= 0"):
                part = dot + 1
                while self.text[part] in " \t":
                    part += 1
                parts.append(part)


def _only_path(data: Any) -> Path:
    """Return the keys down to the only leaf of the data of one statement."""
    path: list[str] = []
    while isinstance(data, (dict, list)) and data:
        if isinstance(data, list):
            data = data[0]
        else:
            ((key, data),) = data.items()
            path.append(key)
    return tuple(path)
