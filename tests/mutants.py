# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change plugins/ at random places, one at a time, and list the changes that no unit test notices.

Usage: mutants.py [--count N] [--seed SEED] [--jobs N] [FILE...], in a copy of the collection below ansible_collections/.
cosmic-ray makes the changes. For each, the tests that cover the changed statement run, those of the same file first; if they
pass, those that start processes. A statement that runs on import is tested with all tests. A timeout counts as noticed. The
last line has the numbers.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from multiprocessing import Pool, Queue
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import coverage
from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator

COLLECTION = Path("ansible_collections", "wasmops", "wasmtime")
# A change can cause an endless loop: no test takes half as long, even on a busy machine.
PYTEST = "%s -m pytest -q -x --timeout 120 -p no:cacheprovider --import-mode importlib --rootdir . %s"
ALL = "tests/unit"
# Changes without an effect: nothing else equals None, and flags have no bits in common.
SAME = frozenset(
    "core/Replace" + name
    for name in (
        *(f"ComparisonOperator_{pair}" for pair in ("Is_Eq", "IsNot_NotEq")),
        *(f"BinaryOperator_BitOr_{other}" for other in ("Add", "BitXor")),
    )
)
# Tests that run plugins/ in other processes, in which no coverage is measured.
PROCESSES = re.compile(r"\b(subprocess|os\.fork)\b")


class Outcome(NamedTuple):
    """The result of the tests for one change."""

    place: str
    diff: str
    noticed: bool
    too_long: bool


def code() -> list[Path]:
    """Return the files of plugins/ with code, without documentation fragments."""
    return sorted(path for path in Path("plugins").rglob("*.py") if path.parts[1] != "doc_fragments")


def command(tests: str) -> str:
    """Return how to run these tests until the first one fails."""
    return PYTEST % (sys.executable, tests)


class Tests:
    """The lines of plugins/ that each test covers, measured by running all tests."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        data = str(Path(self.folder.name, "data"))
        wanted = ("--cov", "plugins", "--cov-context", "test", "--cov-report", "", "--durations", "0")
        measured = [*command(ALL).split(), *wanted]
        done = subprocess.run(
            measured, stdout=subprocess.PIPE, text=True, check=False, env={**os.environ, "COVERAGE_FILE": data}
        )
        if done.returncode:
            sys.exit(f"The unit tests fail without any change:\n{done.stdout}")
        self.data = coverage.CoverageData(data)
        self.data.read()
        self.seconds: dict[str, float] = defaultdict(float)
        for seconds, test in re.findall(r"^([0-9.]+)s \w+ +(\S+?)(?:\[.*)?$", done.stdout, re.MULTILINE):
            self.seconds[test] += float(seconds)
        files = (path for path in Path(ALL).rglob("test_*.py") if PROCESSES.search(path.read_text(encoding="utf-8")))
        self.processes = " ".join(sorted(map(str, files)))

    def of(self, mutation: MutationSpec) -> list[str]:
        """Return the tests to run for a change, in their order."""
        lines = self.data.contexts_by_lineno(str(Path.cwd() / mutation.module_path))
        statement = enclosing(mutation.module_path, mutation.start_pos[0])
        names = {name for line in statement for name in lines.get(line, ())}
        own = f"test_{mutation.module_path.name}"
        if "" in names or not names:
            return [" ".join([*map(str, Path(ALL).rglob(own)), ALL])]
        # A test with all of its parameters. The quick ones of the same file go first.
        found = {re.split(r"[\[|]", name)[0] for name in names}
        order = sorted(found, key=lambda test: (f"{own}::" not in test, self.seconds[test], test))
        return [" ".join(order), self.processes]


def enclosing(path: Path, line: int) -> range:
    """Return the lines of the innermost statement that has this line, without those of its body."""
    best = range(line, line + 1)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or 0):
            body = getattr(node, "body", None)
            end = body[0].lineno if body and body[0].lineno > line else node.end_lineno or 0
            # The walk goes from the outside to the inside.
            best = range(node.lineno, max(end, line) + 1) if not body or body[0].lineno > line else best
    return best


def unevaluated(path: Path) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Return where the annotations of a file begin and end; nothing evaluates them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for name in ("annotation", "returns"):
            part = getattr(node, name, None)
            if isinstance(part, ast.expr):
                yield (part.lineno, part.col_offset), (part.end_lineno or 0, part.end_col_offset or 0)


def choose(files: list[Path], count: int, seed: str) -> list[MutationSpec]:
    """Return this number of random changes, the same ones for the same seed."""
    with tempfile.TemporaryDirectory() as folder, use_db(str(Path(folder, "all")), WorkDB.Mode.create) as database:
        init(files, database, {})
        found = [mutation for item in database.work_items for mutation in item.mutations]
    unread = {path: list(unevaluated(path)) for path in files}
    found = [
        mutation
        for mutation in found
        if mutation.operator_name not in SAME
        and not any(start <= mutation.start_pos < end for start, end in unread[mutation.module_path])
    ]
    found.sort(key=lambda mutation: (mutation.module_path, mutation.operator_name, mutation.occurrence))
    return random.Random(seed).sample(found, min(count, len(found)))


def start(copies: Queue[str]) -> None:
    """Start a process in its own copy of the collection."""
    root = copies.get()
    os.environ["PYTHONPATH"] = root
    os.chdir(Path(root, COLLECTION))


def attempt(work: tuple[MutationSpec, list[str], float]) -> Outcome:
    """Make one change, and run these tests until some fail."""
    mutation, wanted, seconds = work
    place = f"{mutation.module_path}:{mutation.start_pos[0]}"
    result = None
    for tests in wanted:
        result = mutate_and_test([mutation], command(tests), seconds)
        if result.test_outcome != TestOutcome.SURVIVED:
            break
    assert result is not None
    if result.test_outcome not in (TestOutcome.SURVIVED, TestOutcome.KILLED):
        raise RuntimeError(f"{place}: {result.output}")
    diff = "\n".join((result.diff or "").splitlines()[3:])
    return Outcome(place, diff, result.test_outcome == TestOutcome.KILLED, result.output == "timeout")


def main() -> int:
    """Choose, try and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(10**6)))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("files", nargs="*", type=Path, default=code())
    given = parser.parse_args()
    chosen = choose(given.files, given.count, given.seed)
    began = time.monotonic()
    tests = Tests()
    # Allows for other load on this machine.
    seconds = 60 + 3 * given.jobs * (time.monotonic() - began)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies: Queue[str] = Queue()
        for number in range(given.jobs):
            shutil.copytree(Path.cwd(), Path(folder, str(number), COLLECTION), symlinks=True)
            copies.put(str(Path(folder, str(number))))
        outcomes = []
        with Pool(given.jobs, start, (copies,)) as pool:
            for outcome in pool.imap_unordered(
                attempt, [(mutation, tests.of(mutation), seconds) for mutation in chosen]
            ):
                outcomes.append(outcome)
                print(f"{len(outcomes)} of {len(chosen)}: {outcome.place}", file=sys.stderr)
                if not outcome.noticed:
                    print(f"\n{outcome.place}\n{outcome.diff}", flush=True)
                elif outcome.too_long:
                    print(f"\n{outcome.place}: the tests took too long\n{outcome.diff}", flush=True)
    noticed = sum(outcome.noticed for outcome in outcomes)
    share = 100 * noticed / len(outcomes) if outcomes else 0
    print(f"\nSeed {given.seed}: {noticed} of {len(outcomes)} mutants killed ({share:.1f} %)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
