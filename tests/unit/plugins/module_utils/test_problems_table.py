# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/problems.md lists every code that the collection can report, and no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Iterator, NamedTuple

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import DANGERS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.problems import PROBLEM_TEXTS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import dangers as _dangers

ROOT = Path(__file__).parents[4]
SEVERITIES = {"ERROR": "error", "DANGER": "danger", "WARNING": "warning"}
# What makes a problem: where its code stands among the arguments, and the severity if it has but one.
MAKERS: dict[str, tuple[int, str]] = {
    "Problem": (0, ""),
    "_note": (1, ""),
    "_about": (2, ""),
    "_unknown": (0, "error"),
    "_unreadable": (0, "error"),
    "BadValue": (0, "error"),
}
# Those of them that name a text, which has the code.
NOTED = ("_note", "_about", "_unknown")


class Row(NamedTuple):
    """A line of the table."""

    code: str
    severity: str
    engine: str
    remedy: str


def rows() -> list[Row]:
    text = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [Row(*(cell.strip().strip("`") for cell in line.strip("|").split("|"))) for line in lines]


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call that makes a problem, and the name of what it calls."""
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
                if name in MAKERS:
                    yield name, node


def in_source() -> set[tuple[str, str]]:
    """Codes with their severities."""
    found = {(text.code, text.severity) for text in _dangers.DIRECTORY_TEXTS.values()}
    for name, node in calls():
        place, only = MAKERS[name]
        code = node.args[place]
        if isinstance(code, ast.Constant):
            noted = name in NOTED
            severity = only or SEVERITIES[node.args[place + (-1 if noted else 1)].id]  # type: ignore[attr-defined]
            if code.value != "bad-value":  # has the code of a BadValue
                found.add((PROBLEM_TEXTS[str(code.value)].code if noted else str(code.value), severity))
        else:
            # Passed on from where it is written out: a parameter, or what a BadValue holds.
            assert (getattr(code, "attr", None) or getattr(code, "id", "")) in ("code", "text"), ast.dump(node)
    return found


def test_the_source_is_understood() -> None:
    codes = {code for code, severity in in_source() if severity == "danger"}
    assert codes == set(DANGERS)
    assert {name for name, _node in calls()} == set(MAKERS)


def test_every_text_is_used() -> None:
    named = {node.args[MAKERS[name][0]] for name, node in calls() if name in NOTED}
    assert {code.value for code in named if isinstance(code, ast.Constant)} == set(PROBLEM_TEXTS) | {"bad-value"}
    # What is found about a directory is a pair: the name of the text, and what it names.
    directory = (ROOT / "plugins" / "module_utils" / "_files" / "directory.py").read_text(encoding="utf-8")
    assert set(re.findall(r'\("([a-z-]+)", (?:\[|[a-z]+\b)', directory)) == set(_dangers.DIRECTORY_TEXTS)


def test_the_table_has_every_code_of_the_source() -> None:
    documented = [(row.code, row.severity) for row in rows()]
    assert sorted(documented) == sorted(in_source())


def test_the_table_is_in_order() -> None:
    order = [(list(SEVERITIES.values()).index(row.severity), row.code) for row in rows()]
    assert order == sorted(order)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.code)
def test_every_row_says_something(row: Row) -> None:
    assert re.match("[a-z0-9]+(-[a-z0-9]+)*$", row.code)
    assert row.engine
    assert row.remedy
