# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every statement of the collection about Wasmtime is proven with a real one, or marked as read from its source."""

from __future__ import annotations

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import DANGERS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.problems import PROBLEMS, PROVEN, TABLE
from ansible_collections.wasmops.wasmtime.tests.engine.statements import (
    FROM_SOURCE,
    OURS,
    SOURCE,
    about,
    proven,
    statements,
)


def test_every_problem_is_proven() -> None:
    """Dangers must have a test."""
    tests = proven()
    without = {entry.code for entry in TABLE if entry.source == PROVEN and entry.code not in tests}
    assert not without, "mark a test with proves(CODE), or give the entry of the table another source"
    assert set(DANGERS) <= set(tests)


def test_every_statement_is_proven() -> None:
    known = [*proven(), *SOURCE, *OURS]
    without = [
        statement
        for statement in statements()
        if FROM_SOURCE not in statement.text and not any(about(words, statement.text) for words in known)
    ]
    assert not without, "mark a test with proves(WORDS):\n" + "\n".join(map(str, without))


def test_no_mark_is_stale() -> None:
    codes = set(PROBLEMS)
    texts = [statement.text for statement in statements()]
    stale = [
        words
        for words in (*proven(), *SOURCE, *OURS)
        if words not in codes and not any(about(words, text) for text in texts)
    ]
    assert not stale
