# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nox session that measures what tasks and whole runs cost."""

from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.machine import ROOT, requirement
from tests.sessions import COLLECTION, NEW_CORE, both_cores, on_new_python, run_in_copy

if TYPE_CHECKING:
    import nox


# Not among the tests: other work on the machine would be measured, too.
@on_new_python
def benchmark(session: nox.Session) -> None:
    """Measure the time of tasks and whole runs over real SSH (`-- --quick`: in some minutes; needs root)."""
    session.install("matplotlib >= 3.10, < 4", "platformdirs >= 4.3.6, < 5", "tomli-w >= 1.0, < 2")
    pulled, general = (Path(session.virtualenv.location, name) for name in ("pulled", "general"))
    if not pulled.exists():
        # For a host with Debian's stable release, which runs it itself.
        suitable = ("--python-version", "3.13", "--only-binary", ":all:")
        session.install("--target", str(pulled), *suitable, requirement(NEW_CORE))
    with tempfile.TemporaryDirectory() as folder:
        # This package has 40,000 files, and only one collection is needed.
        session.run("python", "-m", "pip", "download", "--no-deps", "--dest", folder, "ansible")
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            wanted = [name for name in wheel.namelist() if name.startswith("ansible_collections/community/general/")]
            wheel.extractall(general, wanted)
    given = {"root": str(ROOT), "cores": both_cores(session), "general": str(general), "pulled": str(pulled)}
    run_in_copy(session, "python", "-m", f"{COLLECTION}.tests.benchmark", *session.posargs, BENCHMARK=json.dumps(given))
