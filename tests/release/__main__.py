# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say whether what is here can be released: a table of what was checked, and one sentence.

Usage: python -m tests.release REPORT (written by nox --report; each of its sessions is a check, too)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.release.ready import NotReady, check_changelog, check_version
from tests.summary import row

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "tests" / "output" / "galaxy-importer"


def check_session(session: dict[str, Any]) -> str:
    """What a session of nox has checked."""
    found = row(session)
    if found.tests.failed:
        raise NotReady(f"the session {found.name} has failed, see above; make nox ARGS='-s {found.name}' runs it again")
    if found.tests.skipped:
        raise NotReady(f"the session {found.name} has not checked everything: {found.tests.skipped[0]}")
    return "1 check" if found.tests.passed == 1 else f"{found.tests.passed} checks"


def main(report: str) -> int:
    """Print the table and the sentence; return the exit status."""
    try:
        sessions = json.loads(Path(report).read_text(encoding="utf-8"))["sessions"]
    except (OSError, ValueError, KeyError):
        print(f"Not ready for release: nox has left no report in {report}, see above.")
        return 1
    checks: list[tuple[str, Any, Any]] = [("version", check_version, ROOT), ("release notes", check_changelog, ROOT)]
    checks += [(str(session["name"]), check_session, session) for session in sessions]
    reasons = []
    print()
    for name, check, subject in checks:
        try:
            print(f"{name:16}  ok      {check(subject)}")
        except NotReady as reason:
            print(f"{name:16}  failed")
            reasons.append(str(reason))
    if reasons:
        print(f"\nNot ready for release: {reasons[0]}.")
        return 1
    (built,) = BUILT.glob("*.tar.gz")
    print(f"\nReady for release: {built.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
