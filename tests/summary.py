# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Summarize a run of nox: a table, the skipped tests, the failures with their places, and the last line.

That line is `N passed, N failed, N skipped`.

Usage: summary.py REPORT.json... (written by nox --report). Tests are counted from the JUnit files
in tests/output/<session>/junit; a session without any counts as one.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

RESULTS = Path(__file__).resolve().parent / "output"
# A sanity test for a kind of file that is missing; a task, or its whole loop, whose `when` is false.
NOT_MEANT_TO_RUN = ("No tests applicable.", "Conditional result was False", "skipped")
# The prefix of messages of the integration tests about things that cannot be tested.
NOT_TESTED = "NOT TESTED: "


class Tests(NamedTuple):
    """The results of some tests."""

    passed: int
    failed: list[str]  # each with its file and the first line of its error
    skipped: list[str]  # reasons


class Row(NamedTuple):
    """The result of one session."""

    name: str
    result: str
    seconds: float
    tests: Tests


def first_line(element: ET.Element) -> str:
    """Return the first line with information about a failed or skipped test."""
    said = f"{element.get('message') or ''}\n{element.text or ''}"
    return next((line.strip() for line in said.splitlines() if line.strip()), "no reason given")


def named(case: ET.Element) -> str:
    """Return the file and the name of a test: pytest writes modules, ansible-test paths."""
    place, name = case.get("file") or case.get("classname") or "", case.get("name") or ""
    if re.fullmatch(r"tests(\.\w+)+", place):
        place = place.replace(".", "/") + ".py"
    return f"{place}: {name.splitlines()[0] if name else 'no name'}"


def not_meant_to_run(skip: ET.Element) -> bool:
    """Return whether ansible-test has skipped a missing kind of file, or a task whose `when` is false.

    Its JUnit files have this only as text; pytest puts every reason into an attribute.
    """
    return skip.get("message") is None and (skip.text or "").strip() in NOT_MEANT_TO_RUN


def count_tests(folder: Path) -> Tests:
    """Read the JUnit files of a folder."""
    tests = Tests(0, [], [])
    for path in sorted(folder.glob("*.xml")):
        try:
            cases = list(ET.parse(path).iter("testcase"))
        except ET.ParseError:  # its writer was stopped
            tests.failed.append(f"{path.name}: its end is missing")
            continue
        for case in cases:
            problem, skip = case.find("failure"), case.find("skipped")
            if problem is None:
                problem = case.find("error")
            if problem is not None:
                tests.failed.append(f"{named(case)}: {first_line(problem)}")
            elif skip is None:
                name = case.get("name", "")
                if NOT_TESTED in name:
                    tests.skipped.append(name[name.index(NOT_TESTED) :].splitlines()[0])
                else:
                    tests = tests._replace(passed=tests.passed + 1)
            elif not not_meant_to_run(skip):
                reason = first_line(skip)
                missing = re.search(r"on (Python \S+) because it could not be found", reason)
                tests.skipped.append(f"not run here, because there is no working {missing[1]}" if missing else reason)
    return tests


def row(session: dict[str, object]) -> Row:
    """Return the row for an entry in nox's report."""
    name, result = str(session["name"]), str(session["result"])
    tests = count_tests(RESULTS / name / "junit")
    if result == "skipped":
        tests.skipped.append(str(session["reason"]))
    elif result != "success":
        # The session itself may have failed, without a failed test.
        if not tests.failed:
            tests.failed.append(f"the session itself has failed; make nox ARGS='-s {name}' runs it again")
    elif not any(tests):
        tests = tests._replace(passed=1)
    return Row(name, result, float(str(session["duration"])), tests)


def main(reports: list[str]) -> int:
    """Print the table and the line; return the exit status."""
    rows = []
    for report in reports:
        try:
            sessions = json.loads(Path(report).read_text())["sessions"]
        except (OSError, ValueError, KeyError):
            print(f"{report}: nox has left no report")
            rows.append(Row(Path(report).stem, "failed", 0, Tests(0, ["nox has left no report"], [])))
            continue
        rows += [row(session) for session in sessions]

    width = max(len(row.name) for row in rows)
    print(f"\n{'session':{width}}  result   seconds  passed  failed  skipped")
    for r in rows:
        counts = f"{r.tests.passed:6}  {len(r.tests.failed):6}  {len(r.tests.skipped):7}"
        print(f"{r.name:{width}}  {r.result:8} {r.seconds:6.0f}  {counts}")

    skips = Counter(reason for r in rows for reason in r.tests.skipped)
    if skips:
        print("\nSkipped:")
    for reason, times in skips.items():
        sessions = ", ".join(r.name for r in rows if reason in r.tests.skipped)
        print(f"{reason} ({sessions}" + (f": {times} tests)" if times > 1 else ")"))

    failures = [f"{r.name}: {failure}" for r in rows for failure in r.tests.failed]
    if failures:
        print("\nFailed:")
    for failure in failures:
        print(failure)

    passed, skipped = sum(r.tests.passed for r in rows), skips.total()
    print(f"\n{passed} passed, {len(failures)} failed, {skipped} skipped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
