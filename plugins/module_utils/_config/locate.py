# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the places of findings in the bytes or the text of a config."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from .check import Checked, CommonRules, Finding, has_line_break
from .layout import Path, Statement, find_statements, position
from .problems import TEXTS
from .toml_error import Loads, TomlError
from .versions import TOML_1_1

if TYPE_CHECKING:
    from .toml import Library

_CONTINUED = re.compile(r"(\\[ \t]*\r?\n[ \t\r\n]*)|\\.")
_UNDERSCORE = re.compile(r"[+-]_")


def not_utf_8(data: bytes, start: int) -> Finding:
    """Return the finding for bytes that are not UTF-8 at C(start)."""
    line = data.count(b"\n", 0, start) + 1
    column = start - data.rfind(b"\n", 0, start)
    return Finding("not-utf-8", facts={"byte": data[start], "line": line, "column": column})


def not_toml(parsed: Mapping[str, Any], grammars: Sequence[str], text: str) -> Finding:
    """Return the finding for a text that is not proven to be TOML of all these grammars.

    C(parsed) says what reading it by each grammar gave: data and whether they are proven, or a TomlError.
    """
    # Errors in all grammars come before those in only one of them.
    result = next(parsed[g] for g in reversed(grammars) if isinstance(parsed[g], TomlError) or not parsed[g][1])
    if not isinstance(result, TomlError):
        return Finding("toml-unproven")
    if not isinstance(parsed[TOML_1_1], TomlError):
        name = "toml-grammar" if TOML_1_1 in grammars else "toml-1-0"  # some of the programs in question read it
    elif result.name != "toml-syntax":
        name = result.name
    elif _UNDERSCORE.match(text.split("\n")[result.line - 1], result.column - 1):
        name = "toml-underscore"
    else:
        name = "toml-syntax"
    return Finding(name, facts={"reason": result.message, "line": result.line, "column": result.column})


def located(checked: Checked, rules: CommonRules, text: str, library: Library) -> Checked:
    """Return the findings of a check with their places, and the directory with its line breaks.

    Adds findings about these line breaks.
    """
    effective, findings = checked
    line_break = has_line_break(effective, text)
    if not line_break and not any(finding.path for finding in findings):
        return checked
    loads = library.reader(text)
    first: dict[Path, Statement] = {}
    for candidate in find_statements(text, loads).statements:
        first.setdefault(candidate.path[:1], candidate)
        first.setdefault(candidate.path[:2], candidate)
    findings = [_with_place(finding, first, text) for finding in findings]
    statement = first.get(("cache", "directory"))
    if line_break and statement is not None:
        directory, kept = effective["directory"], _with_crlf(text[slice(*statement.value)], loads)
        if kept != directory:
            line, column = position(text, statement.value[0])
            facts = {"line": line, "column": column}
            findings.append(Finding("directory-line-break", statement.path, directory, facts))
            if rules.keeps_crlf:
                effective = dict(effective, directory=kept)
    return Checked(effective, findings)


def _with_place(finding: Finding, first: Mapping[Path, Statement], text: str) -> Finding:
    statement = first.get(finding.path) or first.get(finding.path[:1])
    if statement is None:  # about the whole file, or the layout is too complex to find it
        return finding
    line, column = position(text, _offset(statement, finding))
    return finding._replace(facts=dict(finding.facts, line=line, column=column))


def _offset(statement: Statement, finding: Finding) -> int:
    if not TEXTS[finding.name].at_key and (statement.header or statement.path == finding.path):
        return statement.value[0]
    # The part of a dotted key that names this path, counted from the end.
    after = len(statement.path) - len(finding.path)
    return statement.parts[-1 - after :][0]


def _with_crlf(text: str, loads: Loads) -> str:
    """Return a TOML string with its original line breaks; the libraries convert CRLF to LF."""
    if text[3:5] == "\r\n":
        text = text[:3] + text[4:]  # the break right after the opening quotes is not part of the string
    if text[:1] == '"':  # a backslash at the end of a line takes the blanks and breaks after it along
        text = _CONTINUED.sub(lambda match: "" if match.group(1) else match.group(), text)
    # A private character carries the CR past the library.
    kept = loads("x = " + text.replace("\r\n", "\ue000\n"))["x"]
    return str(kept).replace("\ue000\n", "\r\n")
