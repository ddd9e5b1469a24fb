# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report goes where it was told to, whatever links others have put in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import STRANGER

PROGRAM = Path(__file__).resolve().parents[3] / "playbooks" / "files" / "place.py"


def put(there: Path, target: Path) -> str:
    """What the program says when it puts a report there."""
    (there / "source").write_text("report", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-B", str(PROGRAM), str(there / "source"), str(target)],
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        check=False,
    )
    assert (done.returncode == 0) == (done.stderr == "")
    return done.stderr


@pytest.mark.parametrize("old", [None, "old"])
def test_a_report_replaces_what_was_there(tmp_path: Path, old: str | None) -> None:
    if old is not None:
        (tmp_path / "report.html").write_text(old, encoding="utf-8")
    assert put(tmp_path, tmp_path / "report.html") == ""
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "report"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "source"]


def test_a_link_at_its_name_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("victim", encoding="utf-8")
    (tmp_path / "report.html").symlink_to("victim")
    assert put(tmp_path, tmp_path / "report.html") == ""
    assert (tmp_path / "victim").read_text(encoding="utf-8") == "victim"
    assert not (tmp_path / "report.html").is_symlink()


@pytest.mark.parametrize("there", ["device", "link to a device"])
def test_no_device_is_replaced(tmp_path: Path, there: str) -> None:
    target = tmp_path / "report.html"
    if there == "device":
        os.mkfifo(target)
    else:
        target.symlink_to("/dev/null")
    before = target.lstat()
    assert "report.html: it is not a file; name another file" in put(tmp_path, target)
    assert target.lstat().st_ino == before.st_ino


def test_a_link_of_one_s_own_leads_to_its_directory(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "reports").symlink_to("real")
    assert put(tmp_path, tmp_path / "reports" / "report.html") == ""
    assert (tmp_path / "real" / "report.html").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make links of others")
@pytest.mark.parametrize("of", ["link", "directory"])
@pytest.mark.parametrize("below", ["", "deep"])
def test_a_link_of_another_user_is_not_followed(tmp_path: Path, of: str, below: str) -> None:
    (tmp_path / "victim" / "deep").mkdir(parents=True)
    (tmp_path / "shared").mkdir(mode=0o1777)
    (tmp_path / "shared" / "reports").symlink_to(tmp_path / "victim")
    os.chown(tmp_path / "shared" / ("reports" if of == "link" else ""), STRANGER, STRANGER, follow_symlinks=False)
    link = tmp_path / "shared" / "reports"
    message = put(tmp_path, link / below / "report.html")
    assert "%s is a symbolic link of another user; name another file" % link in message
    assert list((tmp_path / "victim" / "deep").iterdir()) == []
    assert [path.name for path in (tmp_path / "victim").iterdir()] == ["deep"]


def test_a_name_is_shown_as_it_is_without_escapes(tmp_path: Path) -> None:
    message = put(tmp_path, tmp_path / "'a\" \x1b" / "report.html")
    assert message.startswith("the report cannot be written to %s/'a\" \\x1b/report.html: No such file" % tmp_path)


def test_a_missing_directory_is_named_in_one_line(tmp_path: Path) -> None:
    message = put(tmp_path, tmp_path / "no" / "report.html")
    assert message == "the report cannot be written to %s: No such file or directory; name another file\n" % (
        tmp_path / "no" / "report.html"
    )
