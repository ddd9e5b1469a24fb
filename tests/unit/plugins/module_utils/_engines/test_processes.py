# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of processes, and with which config they were started."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines import processes
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.processes import Process, Taken, config_taken

needs_linux = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux has such files")
SLEEPS = "import sys; print('ready', flush=True); sys.stdin.read()"


def process(*arguments, directory="/srv", uid=0, **variables):
    return Process(["program", *arguments], variables, directory, uid, None)


def command_line(*arguments, major=42):
    return config_taken("wasmtime", major, process(*arguments, HOME="/home/u"))


DEFAULT = Taken("default", "/home/u/.config/wasmtime/config.toml")
UNKNOWN = Taken("unknown", None)
OFF = Taken("off", None)


@pytest.mark.parametrize(
    ("arguments", "taken"),
    [
        ("", DEFAULT),
        ("run a.wasm", DEFAULT),
        ("serve --addr 0.0.0.0:80 -C cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run -C cache-config=/c a.wasm", Taken("argument", "/c")),
        ("-Ccache-config=/c a.wasm", Taken("argument", "/c")),
        ("run --codegen cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run --codegen=cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run -C parallel-compilation=n,cache-config=/c,cache=y a.wasm", Taken("argument", "/c")),
        ("run -C cache-config=/c -C cache-config=d/e a.wasm", Taken("argument", "/srv/d/e")),
        ("run -C cache=n a.wasm", OFF),
        ("run -C cache-config=/c,cache=no a.wasm", OFF),
        ("run -C cache=n -C cache a.wasm", DEFAULT),
        ("run --dir /x::/y --env A=B -W all-proposals=y -C cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run a.wasm -C cache-config=/secret", DEFAULT),
        ("run -- a.wasm -C cache-config=/secret", DEFAULT),
        ("a.wasm run -C cache-config=/secret", DEFAULT),
        ("run run -C cache-config=/secret", DEFAULT),
        ("run --new-option value -C cache-config=/c a.wasm", UNKNOWN),
        ("run --new-option=value -C cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run --config options.toml a.wasm", UNKNOWN),
        ("run -C", DEFAULT),
    ],
)
def test_the_command_line_program(arguments, taken):
    assert command_line(*arguments.split()) == taken


@pytest.mark.parametrize(
    ("arguments", "taken"),
    [
        ("run --config /c a.wasm", Taken("argument", "/c")),
        ("--config=/c a.wasm", Taken("argument", "/c")),
        ("run --disable-cache a.wasm", OFF),
    ],
)
def test_the_command_line_program_up_to_13(arguments, taken):
    assert command_line(*arguments.split(), major=13) == taken


@pytest.mark.parametrize(
    ("arguments", "variables", "taken"),
    [
        ("up", {}, DEFAULT),
        ("up --cache /c", {}, Taken("argument", "/c")),
        ("up --cache=/c", {"WASMTIME_CACHE_FILE": "/d"}, Taken("argument", "/c")),
        ("up", {"WASMTIME_CACHE_FILE": "d"}, Taken("variable", "/srv/d")),
        ("up --disable-cache", {"WASMTIME_CACHE_FILE": "/d"}, OFF),
        ("up", {"DISABLE_WASMTIME_CACHE": "1"}, OFF),
        ("up", {"DISABLE_WASMTIME_CACHE": "false"}, DEFAULT),
        ("up -- --cache /secret", {}, DEFAULT),
        ("up --cache", {}, DEFAULT),
    ],
)
def test_spin(arguments, variables, taken):
    assert config_taken("spin", 41, process(*arguments.split(), HOME="/home/u", **variables)) == taken


@pytest.mark.parametrize(
    ("variables", "taken"),
    [
        ({}, DEFAULT),
        ({"EXTISM_CACHE_CONFIG": ""}, OFF),
        ({"EXTISM_CACHE_CONFIG": "/c"}, Taken("variable", "/c")),
        ({"XDG_CONFIG_HOME": "/x"}, Taken("default", "/x/wasmtime/config.toml")),
        ({"XDG_CONFIG_HOME": "x"}, DEFAULT),
        ({"HOME": "h"}, Taken("default", "/srv/h/.config/wasmtime/config.toml")),
        ({"HOME": ""}, Taken("default", pwd.getpwuid(0).pw_dir + "/.config/wasmtime/config.toml")),
    ],
)
def test_extism_and_the_default_path(variables, taken):
    assert config_taken("extism", 48, process(**{"HOME": "/home/u", **variables})) == taken
    assert config_taken("wizer", 36, process("--cache", "/c", HOME="/home/u")) == DEFAULT


def test_what_is_not_known_is_said_to_be_so():
    assert config_taken(None, 42, process("-C", "cache-config=/c", HOME="/h")) == Taken("program", None)
    # Neither HOME nor a user with one, and a relative path without the directory.
    assert config_taken("extism", 42, process(uid=2**31 - 9)) == UNKNOWN
    assert config_taken("extism", 42, process(EXTISM_CACHE_CONFIG="c", directory=None)) == UNKNOWN
    assert config_taken("extism", 42, process(EXTISM_CACHE_CONFIG="c", directory="(unreachable)/x")) == UNKNOWN


@pytest.fixture
def sleeper(tmp_path):
    """A process with secrets in its arguments and its environment."""
    environment = {"HOME": "/home/s", "TOKEN": "hunter2", "XDG_CONFIG_HOME": "/x", "HOME2": "hunter2"}
    command = [sys.executable, "-c", SLEEPS, "--password", "hunter2"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=str(tmp_path)
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


@needs_linux
def test_a_real_process(sleeper, tmp_path):
    assert sleeper.pid in set(processes.processes())
    assert os.getpid() not in set(processes.processes())
    python = os.path.realpath(sys.executable)
    ((key, file),) = ((k, f) for k, f in processes.mapped(sleeper.pid).items() if f.path == python)
    assert not file.deleted
    handle = processes.open_mapped(sleeper.pid, file)
    assert handle is not None
    try:
        assert os.path.sameopenfile(handle, os.open(python, os.O_RDONLY))
    finally:
        os.close(handle)
    found = processes.started(sleeper.pid, key)
    assert found.variables == {"HOME": "/home/s", "XDG_CONFIG_HOME": "/x"}
    assert (found.directory, found.uid) == (str(tmp_path), os.getuid())
    assert found.modified == Path(python).stat().st_mtime_ns
    with pytest.raises(ProcessLookupError):
        processes.started(sleeper.pid, (b"00:00", b"1", "/"))


@needs_linux
def test_another_file_at_the_path_is_not_taken_for_the_mapped_one(sleeper, tmp_path):
    file = next(iter(processes.mapped(sleeper.pid).values()))
    other = tmp_path / "other"
    other.write_bytes(b"")
    gone = file._replace(path=str(other), range="1-2", inode=file.inode + 10**9)
    assert processes.open_mapped(sleeper.pid, gone) is None
    os.mkfifo(str(tmp_path / "fifo"))
    # Would wait for a writer if it were opened.
    assert processes.open_mapped(sleeper.pid, gone._replace(path=str(tmp_path / "fifo"))) is None
