# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change settings in the text of a config, and leave all other characters unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Mapping

from .layout import Statement, find_statements

if TYPE_CHECKING:
    from .toml_error import Loads

HEADER = """\
# Wasmtime compilation cache, provisioned by Ansible (wasmops.wasmtime.cache_config).
# Settings that are not named below keep Wasmtime's defaults. Wasmtime refuses the
# whole file for one unknown key; lines and comments added by hand are kept.
# All settings: https://docs.wasmtime.dev/cli-cache.html

[cache]
"""

NewValues = Mapping[str, Any]
"""Keys of C([cache]) and their wanted TOML values; C(None) removes the key."""


class CannotEdit(Exception):
    """The layout of the text has no safe place for the change."""


def merge(table: Mapping[str, Any], changes: NewValues) -> dict[str, Any]:
    """Return the table that the edited text must parse to."""
    wanted = {key: value for key, value in table.items() if changes.get(key, value) is not None}
    wanted.update((key, value) for key, value in changes.items() if value is not None)
    return wanted


def same(left: Any, right: Any) -> bool:
    """Return whether values are equal in TOML, where C(true) is not C(1) and C("16") is not C(16)."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


def toml(value: Any) -> str:
    """Return a value as TOML. Raises ImportError without tomli-w."""
    import tomli_w

    return tomli_w.dumps({"x": value})[len("x = ") : -1]


def as_json(value: Any) -> str:
    """Return a value as JSON, which is TOML for most values: for check mode if tomli-w is not installed yet."""
    import json

    return json.dumps(value, ensure_ascii=False)


def new_text(values: Mapping[str, Any], write: Callable[[Any], str] = toml) -> str:
    """Return a whole config with these values and a comment for readers."""
    return HEADER + "".join("%s = %s\n" % (key, write(value)) for key, value in values.items() if value is not None)


def edit(text: str, changes: NewValues, loads: Loads, write: Callable[[Any], str] = toml) -> str:
    """Return the text with its C([cache]) settings changed.

    C(text) is a valid config without its BOM. Raises CannotEdit, and ImportError without tomli-w.
    """
    statements, complete = find_statements(text, loads)
    pairs = {entry.path[1]: entry for entry in statements if len(entry.path) == 2 and not entry.header}
    opening = [entry for entry in statements if entry.path == ("cache",)]
    if not complete or not (pairs or opening):
        raise CannotEdit
    edits: list[tuple[int, int, str]] = []
    removed = {key for key, value in changes.items() if value is None and key in pairs}
    added = [
        "%s = %s" % (key, write(value)) for key, value in changes.items() if value is not None and key not in pairs
    ]
    for key, value in changes.items():
        if value is not None and key in pairs:
            edits.append(pairs[key].value + (write(value),))
    if opening and not opening[0].header:
        edits += _inline(text, opening[0], pairs, removed, added)
    else:
        edits += _lines(text, opening, pairs, removed, added)
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def _lines(
    text: str,
    opening: list[Statement],
    pairs: dict[str, Statement],
    removed: Any,
    added: list[str],
) -> list[tuple[int, int, str]]:
    """Return the edits of a table with a line for each setting, below a header or with dotted keys."""
    newline = "\r\n" if "\r\n" in text else "\n"
    edits = [(pairs[key].start, pairs[key].end, "") for key in removed]
    if not opening and len(removed) == len(pairs) and not added:
        # Without its last dotted key, the table would be gone.
        start, end, _nothing = min(edits)
        edits[edits.index((start, end, ""))] = (start, end, "[cache]" + newline)
    if added:
        last = max([*opening, *pairs.values()], key=lambda entry: entry.start)
        line = text[last.start : last.end]
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        if not opening:
            indent += text[last.key[0] : last.parts[-1]]
        block = newline.join(indent + pair for pair in added)
        gone = not last.header and last.path[1] in removed
        if line.endswith("\n"):
            block += newline
        elif not gone:
            block = newline + block
        edits.append((last.end, last.end, block))
    return edits


def _inline(
    text: str,
    table: Statement,
    pairs: dict[str, Statement],
    removed: Any,
    added: list[str],
) -> list[tuple[int, int, str]]:
    """Return the edits of an inline table. Raises CannotEdit if a comment would get lost, or stand beside another setting."""
    order = sorted(pairs.values(), key=lambda entry: entry.key)
    kept = [entry for entry in order if entry.path[1] not in removed]
    # Between the values there are blanks, commas and, in TOML 1.1, line breaks and comments.
    ends = [table.value[0] + 1] + [entry.value[1] for entry in order]
    starts = [entry.key[0] for entry in order] + [table.value[1] - 1]
    between = [text[end:start] for end, start in zip(ends, starts)]
    if not kept:
        if "#" in "".join(between):
            raise CannotEdit
        return [table.value + ("{ " + ", ".join(added) + " }" if added else "{}",)]
    edits: list[tuple[int, int, str]] = []
    # Whether what stays before an entry ends with a comma, or with the brace.
    comma = True
    for index, entry in enumerate(order):
        before, after = between[index : index + 2]
        line = after.split("\n")[0].split("#")[0]
        last = entry is order[-1] and "," not in after
        if entry in kept:
            comma = False
        elif before.rstrip(" \t").endswith("\n") and "\n" in after and ("," in line or last):
            # Its lines go, with the comment at their end.
            edits.append((ends[index] + before.rindex("\n") + 1, ends[index + 1] + after.index("\n") + 1, ""))
            comma = True
        elif "#" in (after if comma else before) or ("\n" in before and "#" in after.split("\n")[0]):
            raise CannotEdit
        elif comma:
            edits.append((entry.key[0], starts[index + 1], ""))
        else:
            edits.append((ends[index], entry.value[1], ""))
    if added:
        edits.append((kept[-1].value[1], kept[-1].value[1], "".join(", " + pair for pair in added)))
    return edits
