# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sum up what nox has run: a table, and as the last line `N passed, N failed[, N skipped]`.

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
# A sanity test for a kind of file that is not there; a task, or all of its loop, whose `when` does not hold.
NOT_MEANT_TO_RUN = ("No tests applicable.", "Conditional result was False", "skipped")
# How a task of the integration tests begins what it has to say of a thing that cannot be tested.
NOT_TESTED = "NOT TESTED: "


class Row(NamedTuple):
    """What one session has come to."""

    name: str
    result: str
    seconds: float
    passed: int
    failed: int
    skipped: list[str]  # reasons


def count_tests(folder: Path) -> tuple[int, int, list[str]]:
    """Count passed and failed test cases in the JUnit files of a folder, and list the skipped."""
    passed = failed = 0
    skipped = []
    for path in sorted(folder.glob("*.xml")):
        try:
            cases = list(ET.parse(path).iter("testcase"))
        except ET.ParseError:  # its writer was stopped
            failed += 1
            continue
        for case in cases:
            skip = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif skip is None:
                name = case.get("name", "")
                if NOT_TESTED in name:
                    skipped.append(name[name.index(NOT_TESTED) :].splitlines()[0])
                else:
                    passed += 1
            else:
                reason = (skip.get("message") or skip.text or "no reason given").strip()
                missing = re.search(r"on (Python \S+) because it could not be found", reason)
                if missing:
                    skipped.append(f"not run here, because there is no working {missing[1]}")
                elif not reason.endswith(NOT_MEANT_TO_RUN):
                    skipped.append(reason)
    return passed, failed, skipped


def row(session: dict[str, object]) -> Row:
    """Make a row of one entry in nox's report."""
    name, result = str(session["name"]), str(session["result"])
    passed, failed, skipped = count_tests(RESULTS / name / "junit")
    if result == "skipped":
        skipped.append(str(session["reason"]))
    elif result != "success":
        # Not every failure is that of a test: the session itself may have broken.
        failed = failed or 1
    elif not (passed or failed or skipped):
        passed = 1
    return Row(name, result, float(str(session["duration"])), passed, failed, skipped)


def main(reports: list[str]) -> int:
    """Print the table and the line; return the exit status."""
    rows = []
    for report in reports:
        try:
            sessions = json.loads(Path(report).read_text())["sessions"]
        except (OSError, ValueError, KeyError):
            print(f"{report}: nox has left no report")
            rows.append(Row(Path(report).stem, "failed", 0, 0, 1, []))
            continue
        rows += [row(session) for session in sessions]

    width = max(len(row.name) for row in rows)
    print(f"\n{'session':{width}}  result   seconds  passed  failed  skipped")
    for r in rows:
        counts = f"{r.passed:6}  {r.failed:6}  {len(r.skipped):7}"
        print(f"{r.name:{width}}  {r.result:8} {r.seconds:6.0f}  {counts}")

    skips = Counter(reason for r in rows for reason in r.skipped)
    if skips:
        print("\nSkipped:")
    for reason, times in skips.items():
        sessions = ", ".join(r.name for r in rows if reason in r.skipped)
        print(f"{reason} ({sessions}" + (f": {times} tests)" if times > 1 else ")"))

    passed, failed = sum(r.passed for r in rows), sum(r.failed for r in rows)
    skipped = sum(len(r.skipped) for r in rows)
    print(f"\n{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
