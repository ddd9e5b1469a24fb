# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The standing of a host, and how hosts, paths and problems are named in summaries."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._standings import (
    advice,
    are_results,
    named,
    number_of,
    one_or_several,
    standing,
    total,
)

PROBLEM = {"code": "x", "severity": "error", "message": "wrong", "remedy": "mend it", "line": 3, "column": 1}
GOOD: dict[str, Any] = {"valid": True, "safe": True, "exists": True, "problems": []}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "good"),
        ({"exists": False}, "good without a config file"),
        ({"problems": [PROBLEM]}, "with warnings"),
        ({"problems": [PROBLEM], "exists": False}, "with warnings"),
        ({"safe": False}, "dangerous"),
        ({"safe": False, "problems": [PROBLEM]}, "dangerous"),
        ({"valid": False}, "refused by Wasmtime"),
        ({"valid": False, "safe": False, "problems": [PROBLEM]}, "refused by Wasmtime"),
    ],
    ids=str,
)
def test_the_standing_of_a_host_is_the_worst_that_was_found(changes: dict[str, Any], expected: str) -> None:
    result = {**GOOD, **changes}
    assert standing({**result, "other": 1}) == (expected, "", result)


@pytest.mark.parametrize(
    ("result", "expected", "why"),
    [
        (None, "not looked at", "malformed result: it is not a dictionary"),
        ([GOOD], "not looked at", "malformed result: it is not a dictionary"),
        ({}, "not looked at", ""),
        ({"changed": True, "problems": []}, "not looked at", ""),
        ({"failed": True, "msg": "no\nlibrary"}, "not looked at", "no library"),
        ({**GOOD, "failed": True, "msg": "no library"}, "not looked at", "no library"),
        ({"valid": True}, "not looked at", "malformed result: problems is missing"),
        ({"safe": True}, "not looked at", "malformed result: problems is missing"),
        ({"exists": True}, "not looked at", "malformed result: problems is missing"),
        ({**GOOD, "valid": "yes"}, "not looked at", "malformed result: valid is not true or false"),
        ({"unreachable": True, "msg": "no route"}, "unreachable", "no route"),
        ({**GOOD, "unreachable": True, "failed": True, "msg": "no route"}, "unreachable", "no route"),
    ],
    ids=str,
)
def test_a_host_that_could_not_be_checked_has_a_reason_and_no_result(result: Any, expected: str, why: str) -> None:
    assert standing(result) == (expected, why, {})


def test_a_total_counts_from_the_best_to_the_worst() -> None:
    numbers = {
        "unreachable": 7,
        "not looked at": 6,
        "refused by Wasmtime": 5,
        "dangerous": 4,
        "with warnings": 3,
        "good without a config file": 2,
        "good": 1,
    }
    assert total(numbers) == (
        "28 hosts: 1 good, 2 good without a config file, 3 with warnings, 4 dangerous, 5 refused by Wasmtime,"
        " 6 not looked at, 7 unreachable"
    )
    assert total({"good": 0, "dangerous": 1}) == "1 host: 1 dangerous"


@pytest.mark.parametrize(("number", "words"), [(0, "0 hosts"), (1, "1 host"), (2, "2 hosts"), (47, "47 hosts")])
def test_one_host_is_no_hosts(number: int, words: str) -> None:
    assert number_of(number) == words


@pytest.mark.parametrize(
    ("hosts", "text"),
    [(["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b and 1 more"), ([*"abcd"], "a, b and 2 more")],
)
def test_the_first_hosts_are_named_and_the_others_counted(hosts: list[str], text: str) -> None:
    assert named(hosts, 2) == text


@pytest.mark.parametrize(
    ("paths", "text"),
    [
        ([], "content"),
        (["/b"], "/b"),
        (["/b", "/a"], "2 files, such as /b"),
        (["/c", "/b", "/a"], "3 files, such as /c"),
    ],
)
def test_of_several_paths_the_first_is_named(paths: list[str], text: str) -> None:
    assert one_or_several(paths, "files") == text


def test_a_problem_has_its_place_if_it_has_one() -> None:
    assert advice(PROBLEM) == "line 3, column 1: wrong; mend it"
    assert advice({**PROBLEM, "line": None}) == "wrong; mend it"


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ({}, True),
        ({"a": {}}, True),
        ({"a": None, "b": {}}, True),
        ({"a": None}, False),
        ({"a": 1, "b": [{}]}, False),
        ([], False),
        ([{}], False),
        (None, False),
        ("", False),
    ],
    ids=str,
)
def test_results_are_a_dictionary_with_one_of_a_host_at_least(results: Any, expected: bool) -> None:
    assert are_results(results) is expected
