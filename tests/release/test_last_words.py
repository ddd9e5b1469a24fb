# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The last words of `make test` and `make release-check`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TREE = Path(__file__).parents[2]
CASES = {
    "passed": "<testcase name='a'/>",
    "failed": "<testcase classname='a.py' name='b'><failure/></testcase>",
    "failed by pytest": "<testcase classname='tests.unit.test_a' name='test_b[c]'>"
    "<failure message='AssertionError: assert 1 == 2&#10;  +1'>def test_b():</failure></testcase>",
    "failed by ansible-test": "<testcase classname='sanity' name='yamllint'>"
    "<failure>The test `ansible-test sanity --test yamllint` failed with 1 error:&#10;a.yml:1:1</failure></testcase>",
    "cut off": "<testcase",
    "no root": "<testcase name='c'><skipped message='needs root'/></testcase>",
    "a task's when": "<testcase name='d'><skipped>Conditional result was False</skipped></testcase>",
    "a loop's when": "<testcase name='e'><skipped>skipped</skipped></testcase>",
    "no such files": "<testcase name='f'><skipped>No tests applicable.</skipped></testcase>",
    "it skipped": "<testcase name='g'><skipped message='the mount was skipped'>a.py:1: skipped</skipped></testcase>",
    "it was false": "<testcase name='h'><skipped message='Conditional result was False'/></testcase>",
    "no module": "<testcase name='i'><skipped>could not import 'x': skipped</skipped></testcase>",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with the programs that speak, a version that can be released, and the built file."""
    for name in ("tests/summary.py", "tests/release/__main__.py", "tests/release/ready.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TREE / name, tmp_path / name)
    (tmp_path / "galaxy.yml").write_text("version: 1.2.0\n", encoding="utf-8")
    (tmp_path / "changelogs").mkdir()
    notes = "releases: {1.2.0: {release_date: '2026-11-22'}}\n"
    (tmp_path / "changelogs" / "changelog.yaml").write_text(notes, encoding="utf-8")
    (tmp_path / "tests" / "output" / "galaxy-importer").mkdir(parents=True)
    (tmp_path / "tests" / "output" / "galaxy-importer" / "a-b-1.2.0.tar.gz").touch()
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgSign=false")
    for command in (("init", "--quiet"), ("add", "."), (*who, "commit", "--quiet", "--message", "a")):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def said(root: Path, program: str, sessions: dict[str, list[str] | None]) -> tuple[int, list[str]]:
    """The status and the lines of a program after sessions that had these cases; [] is one check of its own, None one that has failed."""
    report = []
    for name, cases in sessions.items():
        failed = cases is None or any(case.startswith("failed") for case in cases)
        report.append({"name": name, "result": "failed" if failed else "success", "duration": 1.5})
        junit = root / "tests" / "output" / name / "junit"
        junit.mkdir(parents=True)
        suite = "".join(CASES[case] for case in cases or [])
        (junit / "a.xml").write_text(f"<testsuite>{suite}</testsuite>", encoding="utf-8")
    (root / "report.json").write_text(json.dumps({"sessions": report}), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", program, "report.json"], cwd=root, stdout=subprocess.PIPE, text=True, check=False
    )
    return done.returncode, done.stdout.splitlines()


def test_equal_reasons_for_skipping_are_said_once(root: Path) -> None:
    sessions = {"units": ["passed", "no root"], "faults": ["no root", "no root"], "ruff": []}
    status, lines = said(root, "tests.summary", sessions)
    assert status == 0
    assert lines[lines.index("Skipped:") + 1 :] == [
        "needs root (units, faults: 3 tests)",
        "",
        "2 passed, 0 failed, 3 skipped",
    ]


def test_each_failed_test_is_named_with_its_file_right_before_the_last_line(root: Path) -> None:
    sessions = {"units": ["passed", "failed", "failed by pytest", "no root"], "sanity": ["failed by ansible-test"]}
    status, lines = said(root, "tests.summary", {**sessions, "typing": None})
    assert status == 1
    assert lines[lines.index("Failed:") :] == [
        "Failed:",
        "units: a.py: b: no reason given",
        "units: tests/unit/test_a.py: test_b[c]: AssertionError: assert 1 == 2",
        "sanity: sanity: yamllint: The test `ansible-test sanity --test yamllint` failed with 1 error:",
        "typing: the session itself has failed; make nox ARGS='-s typing' runs it again",
        "",
        "1 passed, 4 failed, 1 skipped",
    ]


def test_results_that_end_too_early_are_a_failure(root: Path) -> None:
    status, lines = said(root, "tests.summary", {"units": ["passed", "cut off"]})
    assert status == 1
    assert lines[-3:] == ["units: a.xml: its end is missing", "", "0 passed, 1 failed, 0 skipped"]


def test_only_what_ansible_test_passes_over_is_left_out(root: Path) -> None:
    cases = ["a task's when", "a loop's when", "no such files", "it skipped", "it was false", "no module"]
    status, lines = said(root, "tests.summary", {"units": cases})
    assert status == 0
    assert lines[lines.index("Skipped:") + 1 :] == [
        "the mount was skipped (units)",
        "Conditional result was False (units)",
        "could not import 'x': skipped (units)",
        "",
        "0 passed, 0 failed, 3 skipped",
    ]


def test_what_can_be_released(root: Path) -> None:
    status, lines = said(root, "tests.release", {"changelog": [], "artifact": ["passed", "passed"]})
    assert status == 0
    assert lines[-1] == "Ready for release: tests/output/galaxy-importer/a-b-1.2.0.tar.gz"
    table = {line[:16].strip(): line[16:].split(None, 1) for line in lines[1:-2]}
    assert table == {
        "version": ["ok", "1.2.0, not tagged yet"],
        "release notes": ["ok", "1.2.0 of 2026-11-22, no fragment left"],
        "changelog": ["ok", "1 check"],
        "artifact": ["ok", "2 checks"],
    }


@pytest.mark.parametrize(
    ("cases", "reason"),
    [
        ("failed", "the session artifact has failed, see above; make nox ARGS='-s artifact' runs it again"),
        ("no root", "the session artifact has not checked everything: needs root"),
    ],
)
def test_a_session_that_stands_in_the_way(root: Path, cases: str, reason: str) -> None:
    status, lines = said(root, "tests.release", {"changelog": [], "artifact": ["passed", cases]})
    assert (status, lines[-1]) == (1, f"Not ready for release: {reason}.")


def test_nothing_is_released_on_a_report_that_is_not_there(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.release", "none.json"], cwd=root, stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == "Not ready for release: nox has left no report in none.json, see above.\n"
