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
    "failed": "<testcase name='b'><failure/></testcase>",
    "no root": "<testcase name='c'><skipped message='needs root'/></testcase>",
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


def said(root: Path, program: str, sessions: dict[str, list[str]]) -> tuple[int, list[str]]:
    """The status and the lines of a program after sessions that had these cases; none is one check of its own."""
    report = []
    for name, cases in sessions.items():
        report.append({"name": name, "result": "failed" if "failed" in cases else "success", "duration": 1.5})
        junit = root / "tests" / "output" / name / "junit"
        junit.mkdir(parents=True)
        suite = "".join(CASES[case] for case in cases)
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


def test_a_failure_is_in_the_summary(root: Path) -> None:
    status, lines = said(root, "tests.summary", {"units": ["passed", "failed"]})
    assert (status, lines[-1]) == (1, "1 passed, 1 failed")


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
