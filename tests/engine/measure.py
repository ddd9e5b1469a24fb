# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Record the answers of the real engines to the documents on record again.

Usage: python -m ....tests.engine.measure; git diff then shows what has changed.
"""

from __future__ import annotations

import sys

from ansible_collections.wasmops.wasmtime.tests.engine.agreement import compare
from ansible_collections.wasmops.wasmtime.tests.engine.cases import LETTERS, Case, load, packed, save
from ansible_collections.wasmops.wasmtime.tests.engine.engines import ENGINES, SYNTAX, Answer, Engine, NotHere


def measure(cases: list[Case]) -> tuple[list[Case], list[str]]:
    """Return the cases with new answers, and the disagreements of the collection with them."""
    answers: dict[str, list[Answer]] = {}
    differences = []
    for version in ENGINES:
        with Engine(version) as engine:
            answers[version] = [engine.ask(case.document(version)) for case in cases]
        for case, answer in zip(cases, answers[version]):
            verdict = compare(case.document(version), version, answer)
            if verdict.difference:
                differences.append(f"{case.name}, {version}: {verdict.difference}; {verdict.detail}")
    letters = {verdict: letter for letter, verdict in LETTERS.items()}
    measured = []
    for number, case in enumerate(cases):
        row = [answers[version][number] for version in ENGINES]
        fields = {k: v for k, v in case.fields.items() if k not in ("verdict", "place", "reason", "effective", "quirk")}
        fields["verdict"] = "".join(letters[answer.verdict] for answer in row)
        if any(answer.place for answer in row):
            fields["place"] = packed(tuple(list(answer.place) if answer.place else None for answer in row))
        if any(answer.verdict == SYNTAX for answer in row):
            # Problems of the data are known; the reason why a text cannot be read depends on the reader.
            fields["reason"] = packed(tuple(answer.reason if answer.verdict == SYNTAX else None for answer in row))
        fields.update((k, v) for k, v in case.fields.items() if k in ("effective", "quirk"))
        measured.append(Case(fields))
    return measured, differences


def main() -> int:
    """Measure and write."""
    try:
        cases, differences = measure(load())
    except NotHere as reason:
        print(f"not run here, because {reason}")
        return 2
    save(cases)
    print("\n".join([*differences, f"{len(cases)} documents, {len(ENGINES)} versions, {len(differences)} differences"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
