# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection agrees with the real engines on the documents on record, and on thousands of generated ones.

For any number of documents: make engine-test N=10000 [SEED=...].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ansible_collections.wasmops.wasmtime.tests.engine.__main__ import report, run
from ansible_collections.wasmops.wasmtime.tests.engine.cases import load
from ansible_collections.wasmops.wasmtime.tests.engine.engines import ACCEPT, ENGINES, Engine, NotHere

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = "collection"
COUNT = 2000


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Each of the engines, in turn."""
    try:
        started = Engine(request.param)
    except NotHere as reason:
        pytest.skip(f"not run here, because {reason}")
    with started:
        yield started


def test_the_record_is_true(engine: Engine) -> None:
    """The engine still gives the answers in data/cases.jsonl."""
    for case in load():
        answer, recorded = engine.ask(case.document(engine.version)), case.answer(engine.version)
        assert (answer.verdict, answer.place) == (recorded.verdict, recorded.place), case.name


def test_generated_documents(engine: Engine) -> None:
    """Every document that the engine refuses is invalid; every one that it accepts is valid, apart from known quirks."""
    outcome = run(engine, SEED, range(COUNT))
    text = report(outcome)
    print(text)
    assert not outcome.differences, text
    # Otherwise it would prove little.
    assert outcome.verdicts[ACCEPT] > COUNT / 4
    assert sum(outcome.quirks.values()) < COUNT / 20
