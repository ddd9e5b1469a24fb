# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of what is found about a directory is named."""

from __future__ import annotations

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.access import Reason
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.directory import UNCOUNTED
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.dangers import directory_to_problems


def message(name: str, parts: list[str | Reason]) -> str:
    """The message of the one problem that is found."""
    (problem,) = directory_to_problems([(name, parts)], "/cache", 10**9)
    assert problem.value == "/cache"
    return problem.message


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["b"], '"b"'),
        (["c", "a\n", "b"], r'"a\n", "b", "c"'),
        (["d", "c", "b", "a"], '"a", "b", "c" and 1 more'),
        ([*"fedcba"], '"a", "b", "c" and 3 more'),
        ([*"dcba", UNCOUNTED], '"a", "b", "c" and at least 1 more'),
        # The name of a directory stands for its contents.
        ([*"cba", UNCOUNTED], '"a", "b", "c"'),
        (["a", UNCOUNTED], '"a"'),
    ],
    ids=str,
)
def test_three_names_are_examples_of_all(names: list[str | Reason], said: str) -> None:
    assert message("foreign", names) == (
        '"/cache" holds files that are not the engine\'s (%s): a cleanup deletes them' % said
    )


@pytest.mark.parametrize(("number", "more"), [(1, ""), (9, ""), (10, ""), (11, "; and 1 more"), (25, "; and 15 more")])
def test_ten_reasons_are_told(number: int, more: str) -> None:
    reasons: list[str | Reason] = [Reason("others-write", path="/%d" % part) for part in range(number)]
    told = "; ".join('other users can write to "/%d"' % part for part in range(min(number, 10)))
    assert message("replaceable", reasons) == (
        'users other than root and its owner can put another directory in the place of "/cache": ' + told + more
    )


def test_the_first_part_is_what_is_in_the_way() -> None:
    said = '1000000000 may not enter "/a" and so cannot use the directory "/cache"'
    assert message("barred", ["/a", "/b"]) == said
    assert directory_to_problems([], "/cache", 0) == []
