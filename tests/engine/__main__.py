# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare any number of documents with the real engines.

Usage: python -m ....tests.engine [--count N] [--seed SEED] [--version VERSION]...
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from typing import NamedTuple

from ansible_collections.wasmops.wasmtime.tests.engine.agreement import compare
from ansible_collections.wasmops.wasmtime.tests.engine.engines import ENGINES, Engine, NotHere, install, reader
from ansible_collections.wasmops.wasmtime.tests.engine.generate import document
from ansible_collections.wasmops.wasmtime.tests.engine.shrink import shrink

PROCESSES = 2
CHUNK = 250
# Of one kind of difference, this many are shrunk and shown.
SHOWN = 3


class Difference(NamedTuple):
    """A document on which the engine and the collection disagree."""

    version: str
    number: int
    what: str
    detail: str
    document: bytes


class Outcome(NamedTuple):
    """The result for some documents."""

    version: str
    documents: int
    verdicts: Counter[str]
    quirks: Counter[str]
    elsewhere: Counter[str]
    differences: list[Difference]


def numbered(seed: str, number: int, version: str) -> bytes:
    """Return the document of this number; the same for all versions of the same dialect."""
    return document(random.Random(f"{seed}:{number}"), reader(version))


def run(engine: Engine, seed: str, numbers: range) -> Outcome:
    """Compare the documents of these numbers."""
    verdicts: Counter[str] = Counter()
    quirks: Counter[str] = Counter()
    elsewhere: Counter[str] = Counter()
    differences = []
    for number in numbers:
        text = numbered(seed, number, engine.version)
        answer = engine.ask(text)
        verdict = compare(text, engine.version, answer)
        verdicts[answer.verdict] += 1
        if verdict.quirk:
            quirks[verdict.quirk] += 1
        if verdict.elsewhere:
            elsewhere[verdict.elsewhere] += 1
        if verdict.difference:
            differences.append(Difference(engine.version, number, verdict.difference, verdict.detail, text))
    return Outcome(engine.version, len(numbers), verdicts, quirks, elsewhere, differences)


def smallest(engine: Engine, difference: Difference) -> Difference:
    """Return the same difference in the smallest document that can be found."""

    def shows(candidate: bytes) -> bool:
        return compare(candidate, engine.version, engine.ask(candidate)).difference == difference.what

    small = shrink(difference.document, shows)
    verdict = compare(small, engine.version, engine.ask(small))
    return difference._replace(document=small, detail=verdict.detail)


_engine: Engine | None = None


def _chunk(version: str, seed: str, numbers: range) -> Outcome:
    # Chunks are ordered by version, so that one engine serves many of them.
    global _engine  # noqa: PLW0603
    if _engine is None or _engine.version != version:
        if _engine:
            _engine.close()
        _engine = Engine(version)
    return run(_engine, seed, numbers)


class Progress:
    """A line with the progress: overwritten on a terminal, otherwise a new one from time to time."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.started = self.told = time.monotonic()
        self.terminal = sys.stdout.isatty()

    @property
    def rate(self) -> float:
        """Documents per second."""
        return self.done / max(0.001, time.monotonic() - self.started)

    def add(self, count: int, version: str, differences: int) -> None:
        """Count finished documents."""
        self.done += count
        now = time.monotonic()
        if self.done < self.total and now - self.told < (0.2 if self.terminal else 15):
            return
        self.told = now
        line = (
            f"Wasmtime {version}: {self.done} of {self.total} documents, {self.rate:.0f}/s, {differences} differences"
        )
        print(
            f"\r{line:78}" if self.terminal else line,
            end="\n" if not self.terminal or self.done >= self.total else "",
            flush=True,
        )


def compare_all(versions: list[str], seed: str, count: int) -> list[Outcome]:
    """Compare with all engines, two at a time."""
    chunks = [(v, range(at, min(at + CHUNK, count))) for v in versions for at in range(0, count, CHUNK)]
    totals = {version: Outcome(version, 0, Counter(), Counter(), Counter(), []) for version in versions}
    progress = Progress(count * len(versions))
    with ProcessPoolExecutor(PROCESSES) as pool:
        pending = {pool.submit(_chunk, version, seed, numbers) for version, numbers in chunks}
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for outcome in (future.result() for future in done):
                old = totals[outcome.version]
                totals[outcome.version] = Outcome(
                    outcome.version,
                    old.documents + outcome.documents,
                    old.verdicts + outcome.verdicts,
                    old.quirks + outcome.quirks,
                    old.elsewhere + outcome.elsewhere,
                    old.differences + outcome.differences,
                )
                progress.add(outcome.documents, outcome.version, sum(len(o.differences) for o in totals.values()))
    print(f"seed {seed}: {progress.done} documents, {progress.rate:.0f} per second")
    return list(totals.values())


def report(outcome: Outcome) -> str:
    """Return the result for a version's documents as lines of text; each difference in its smallest form."""
    lines = [f"Wasmtime {outcome.version}: {outcome.documents} documents, {len(outcome.differences)} differences"]
    lines += [f"  {count:7} {verdict}" for verdict, count in outcome.verdicts.most_common()]
    lines += [
        f"  {count:7} taken by the engine, refused by us: {quirk}" for quirk, count in outcome.quirks.most_common()
    ]
    lines += [f"  {count:7} refused by both, another place: {why}" for why, count in outcome.elsewhere.most_common()]
    kinds = Counter(difference.what for difference in outcome.differences)
    if kinds:
        with Engine(outcome.version) as engine:
            for what, count in kinds.most_common():
                lines.append(f"  {count:7} DIFFERENCE: {what}")
                some = [difference for difference in outcome.differences if difference.what == what][:SHOWN]
                found = {small.document: small for small in (smallest(engine, difference) for difference in some)}
                for small in found.values():
                    lines += [f"          number {small.number}: {small.document!r}", f"            {small.detail}"]
    return "\n".join(lines)


def main() -> int:
    """Run and report; return 1 if there is a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="documents per version (default: %(default)s)")
    parser.add_argument("--seed", default="", help="what the documents follow from (default: a new one)")
    parser.add_argument("--version", action="append", choices=ENGINES, help="only this one; may be repeated")
    arguments = parser.parse_args()
    versions = arguments.version or list(ENGINES)
    seed = arguments.seed or str(random.randrange(10**6))
    print(f"seed {seed}, {arguments.count} documents for each of Wasmtime {', '.join(versions)}", flush=True)
    try:
        for version in versions:
            install(version)
        outcomes = compare_all(versions, seed, arguments.count)
    except NotHere as reason:
        print(f"not run here, because {reason}")
        return 2
    for outcome in outcomes:
        print(report(outcome))
    return 1 if any(outcome.differences for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
