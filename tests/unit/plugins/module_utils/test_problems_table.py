# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of problems has a text for everything that is found, and nothing else."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from typing import Iterator

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config import lookalikes as _lookalikes
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import (
    DANGER,
    DANGERS,
    ERROR,
    WARNING,
    WARNINGS,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.problems import (
    _WORDS,
    CODES,
    FROM_SOURCE,
    OURS,
    PROBLEMS,
    PROVEN,
    TABLE,
    TEXTS,
    ProblemCode,
)

PLUGINS = Path(__file__).parents[4] / "plugins"
# What makes a finding, and where the name of its text stands among the arguments.
MAKERS = {"Finding": 0, "_about": 2, "Unreadable": 0, "BadValue": 0, "TomlError": 3}
# What to_problem and sentence_on give beside the facts.
ALWAYS = {"name", "value"}


def trees() -> Iterator[tuple[str, ast.Module]]:
    """All source, without the table."""
    for path in sorted(PLUGINS.rglob("*.py")):
        if path.name != "problems.py":
            yield path.name, ast.parse(path.read_text(encoding="utf-8"))


def names_in(node: ast.AST) -> set[str]:
    """The names that an expression can give, or the variable that it is."""
    if isinstance(node, ast.IfExp):
        return names_in(node.body) | names_in(node.orelse)
    return {str(node.value)} if isinstance(node, ast.Constant) else set()


def names_of(target: ast.AST) -> set[str]:
    """The name of a variable or an attribute."""
    return {str(getattr(target, "id", getattr(target, "attr", "")))}


def called(call: ast.Call) -> str:
    """The name of what is called, without that of its module."""
    return str(getattr(call.func, "attr", None) or getattr(call.func, "id", ""))


def found_in(tree: ast.Module) -> set[str]:
    """The names of texts in calls that make a finding, and in what is assigned to be one."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = called(node)
            if function in MAKERS and len(node.args) > MAKERS[function]:
                names |= names_in(node.args[MAKERS[function]])
        elif isinstance(node, ast.Assign) and names_of(node.targets[0]) & {"name", "text", "refused"}:
            names |= {name for name in names_in(node.value) if name in TEXTS}
    return names


def found() -> set[str]:
    """The names of texts that are found somewhere."""
    names = {name for name, _keys in _lookalikes._OTHER_FILES} | {"run-options"}
    for _file, tree in trees():
        names |= found_in(tree)
    # What is found about a directory is a pair: the name of the text, and what it names; reasons have texts of their own.
    directory = (PLUGINS / "module_utils" / "_files" / "directory.py").read_text(encoding="utf-8")
    return names | set(re.findall(r'(?<!Reason)\("([a-z-]+)", (?:\[|[a-z]+\b)', directory))


def keys_in(node: ast.AST) -> set[str]:
    """The keys and the names of keywords in an expression."""
    names = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Dict):
            names |= {str(key.value) for key in inner.keys if isinstance(key, ast.Constant)}
        elif isinstance(inner, ast.keyword) and inner.arg:
            names.add(inner.arg)
    return names


@functools.lru_cache(maxsize=None)
def facts() -> set[str]:
    """Every name that some finding gives to a fact, in the call or the pair that makes it, or in a variable."""
    names = set(ALWAYS)
    for _file, tree in trees():
        for node in ast.walk(tree):
            pair = isinstance(node, ast.Tuple) and node.elts and names_in(node.elts[0]) & set(TEXTS)
            if pair or (isinstance(node, ast.Call) and called(node) in MAKERS):
                names |= keys_in(node)
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "facts":
                names |= keys_in(node.value)
    return names


def test_what_is_found_has_a_text_and_every_text_is_found() -> None:
    assert found() == set(TEXTS)


def test_no_name_means_two_texts() -> None:
    assert len(PROBLEMS) == len(TABLE)
    assert len(TEXTS) == sum(len(entry.texts) for entry in TABLE)


def test_what_is_not_refused_is_known_by_its_code_while_the_text_is_checked() -> None:
    names = set().union(*(found_in(tree) for file, tree in trees() if file in ("check.py", "locate.py")))
    taken = {name for name in names if PROBLEMS[CODES[name]].severity != ERROR}
    assert taken
    assert taken <= {*DANGERS, *WARNINGS}
    assert names - taken == {name for name in names if name not in DANGERS and name not in WARNINGS}


def test_severities_are_those_of_the_table() -> None:
    for codes, severity in ((DANGERS, DANGER), (WARNINGS, WARNING)):
        assert sorted(codes) == sorted(entry.code for entry in TABLE if entry.severity == severity)


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: entry.code)
def test_every_entry_says_something(entry: ProblemCode) -> None:
    assert re.match("[a-z0-9]+(-[a-z0-9]+)*$", entry.code)
    assert entry.severity in (ERROR, DANGER, WARNING)
    assert entry.source in (PROVEN, FROM_SOURCE, OURS)
    assert entry.engine
    assert entry.helps
    assert " | " not in entry.engine + entry.helps
    for text in entry.texts:
        assert text.message
        assert text.remedy
        words = set(re.findall(r"%\((\w+)\)", text.message + text.remedy))
        assert words <= facts() | set(_WORDS)


def test_the_page_on_problems_has_the_table_with_the_worst_first() -> None:
    page = (PLUGINS.parent / "docs" / "problems.md").read_text(encoding="utf-8")
    order = (ERROR, DANGER, WARNING)
    assert [line for line in page.splitlines() if line.startswith("| `")] == [
        "| `%s` | %s | %s%s | %s |"
        % (
            entry.code,
            entry.severity,
            entry.engine,
            " (read from the source)" if entry.source == FROM_SOURCE else "",
            entry.helps,
        )
        for entry in sorted(TABLE, key=lambda entry: (order.index(entry.severity), entry.code))
    ]
