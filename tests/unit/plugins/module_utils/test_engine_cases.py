# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""We say of every document on record what seven engines say; and no bytes are too odd to be judged.

The engines themselves are asked in tests/engine.
"""

from __future__ import annotations

import random
import time
import warnings
from collections import Counter

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.config import read_config
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import CURRENT, TOML_1_0, for_version
from ansible_collections.wasmops.wasmtime.tests.engine import agreement, cases
from ansible_collections.wasmops.wasmtime.tests.engine.engines import ACCEPT, CRASH, DIRECTORY, ENGINES
from ansible_collections.wasmops.wasmtime.tests.engine.generate import config, mutated

CASES = cases.load()
MUTATIONS = 4000


def judged(document, version):
    return read_config(document, [agreement.dialect_of(version)], agreement.SURELY_TOO_MUCH, agreement.LIBRARY)


@pytest.mark.parametrize("version", ENGINES)
def test_every_case(version, record_property):
    """Verdict, effective settings, and the place of the first problem."""
    different = []
    refused: Counter[str] = Counter()
    for case in CASES:
        answer, document = case.answer(version), case.document(version)
        verdict = agreement.compare(document, version, answer)
        if verdict.difference:
            different.append("%s: %s; %s" % (case.name, verdict.difference, verdict.detail))
        if verdict.quirk:
            refused[verdict.quirk] += 1
            assert case.is_quirk(version) or verdict.quirk == agreement.UNPROVEN, case.name
            # Who wrote it is told how to write it.
            assert all(problem.remedy for problem in judged(document, version).problems)
        elif answer.verdict in (ACCEPT, CRASH):
            ours, theirs = judged(document, version).effective, case.effective(version)
            assert theirs is not None, case.name
            differing = {name: (ours[name], value) for name, value in theirs.items() if ours[name] != value}
            if differing:
                different.append("%s: (ours, the engine's): %s" % (case.name, differing))
    assert not different, "\n".join(different)
    for quirk, count in sorted(refused.items()):
        record_property("refused, taken by Wasmtime %s: %s" % (version, quirk), count)
    if refused:
        warnings.warn(
            "Wasmtime %s takes %d of %d documents that we refuse: %s"
            % (version, sum(refused.values()), len(CASES), ", ".join(sorted(refused))),
            stacklevel=1,
        )


def test_the_record_is_worth_its_name():
    """Documents of all kinds, for every version."""
    assert len({case.name for case in CASES}) == len(CASES) > 750
    for version in ENGINES:
        verdicts = Counter(case.answer(version).verdict for case in CASES)
        assert set(verdicts) == set(cases.LETTERS.values())
        assert verdicts[ACCEPT] > 150
        assert all(
            case.effective(version) for case in CASES if case.answer(version).verdict in (ACCEPT, CRASH, DIRECTORY)
        )


def test_mutated_files_are_judged_in_no_time():
    """Whatever the bytes are: an answer, and soon."""
    rng = random.Random(1)
    dialects = [[for_version(version)] for version in ENGINES] + [list(CURRENT)]
    codes: Counter[str] = Counter()
    slowest = 0.0
    for _number in range(MUTATIONS):
        document = mutated(rng, config(rng, rng.choice((32, 50)), rng.choice((0.0, 0.0, 0.1))).encode("utf-8"))
        start = time.process_time()
        ours = read_config(document, rng.choice(dialects), agreement.SURELY_TOO_MUCH, agreement.LIBRARY)
        slowest = max(slowest, time.process_time() - start)
        codes.update(problem.code for problem in ours.problems)
        assert ours.valid or all(problem.sentence() for problem in ours.problems)
    assert slowest < 2
    # They are odd in many ways.
    assert len(codes) > 10


def test_a_host_without_a_parser_for_the_grammar_says_so():
    """The only excuse that is not the engine's."""
    document = b"cache = {enabled = true\n}"
    unproven = "toml-unproven" in [problem.code for problem in judged(document, "32").problems]
    assert unproven == (agreement.LIBRARY.parser(TOML_1_0) is None)
