# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that has imported the module, and forks a process for each run, which waits at a gate.

runs.py starts it with a socket as its standard input. It imports in advance what a run imports;
after the gate, a run is the module's own main(), until the process ends.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import io
import json
import os
import resource
import select
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.common import warnings
from ansible.module_utils.testing import patch_module_args

from ansible_collections.wasmops.wasmtime.plugins.modules import cache_config

PR_SET_PTRACER = 0x59616D61
ANY = ctypes.c_ulong(-1)


def warm_up() -> None:
    """Import the files that a run may import late; the users of some runs cannot read them."""
    plugins = Path(cache_config.__file__).parents[1]
    parts = [".".join(path.relative_to(plugins).with_suffix("").parts) for path in plugins.glob("module_utils/**/*.py")]
    package = cache_config.__name__.rpartition("modules.")[0]
    for name in ("grp", "pwd", "unittest.mock", *(package + part for part in parts)):
        importlib.import_module(name)
    # The rest comes with a run that creates a file, and one that merges into it.
    with tempfile.TemporaryDirectory() as scratch:
        options = {"path": scratch + "/config.toml", "directory": scratch + "/cache", "backup": True}
        for value in ("1h", "1d"):
            arguments = dict(options, cleanup_interval=value, _ansible_tmpdir=scratch, _ansible_diff=True)
            output = io.StringIO()
            with patch_module_args(arguments), contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
                cache_config.main()
            if json.loads(output.getvalue()).get("failed"):
                sys.exit("the module does not run at all: " + output.getvalue())
    warnings._global_warnings.clear()


def lift(*_signal: object) -> None:
    """Remove the limit on the size of files."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def become(request: dict[str, Any], gate: int, output: int, errors: int) -> None:
    """Turn this process into the requested one, and wait at the gate."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    os.umask(request["umask"])
    if request["user"] is not None:
        os.setgroups([])
        os.setresgid(*[request["user"]] * 3)
        os.setresuid(*[request["user"]] * 3)
    # Where a process may only be traced by its ancestors, strace is none.
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANY, 0, 0, 0)
    signal.signal(signal.SIGUSR1, lift)
    if request["limit"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["limit"], resource.RLIM_INFINITY))
    if request["life"] is not None:
        LIFE.append(Life(request["life"]))
    # The reader of this message counts the system calls from here on: nothing else may come before the wait.
    os.write(gate, b".")
    select.select([gate], [], [])
    for _number in range(request["noise"]):
        os.close(os.open(os.devnull, os.O_RDONLY))
    tell_time(time.monotonic())


class Event(ctypes.Structure):
    """C(struct sigevent)."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signal", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("rest", ctypes.c_char * 48),
    )


class Life:
    """Kills this process with SIGKILL a given number of seconds after its first change.

    Audit events of Python announce changes of files. The kernel kills the process, by its most exact
    clock; if permitted, the process is not interrupted until then.
    """

    CHANGES = frozenset(
        "os." + name
        for name in ("chmod", "chown", "link", "mkdir", "remove", "rename", "rmdir", "setxattr", "symlink", "truncate")
    )
    OPENS_TO_CHANGE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

    def __init__(self, seconds: float) -> None:
        self.changes: list[float] = []
        self.seconds = seconds
        # No interval, and the time until the end.
        self.times = (ctypes.c_long * 4)(0, 0, int(seconds), int(seconds % 1 * 1e9))
        self.library = ctypes.CDLL(None, use_errno=True)
        self.timer = ctypes.c_void_p()
        event = Event(signal=signal.SIGKILL)
        if self.library.timer_create(time.CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(self.timer)):
            raise OSError(ctypes.get_errno(), "no timer")
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        sys.addaudithook(self.watch)

    def watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Start the timer at the first change."""
        if event in self.CHANGES or (event == "open" and arguments[2] & self.OPENS_TO_CHANGE):
            if not self.changes:
                if self.seconds <= 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                self.library.timer_settime(self.timer, 0, ctypes.byref(self.times), None)
            self.changes.append(time.monotonic())


LIFE: list[Life] = []


def tell_time(*moments: float) -> None:
    """Write the time to the output."""
    os.write(1, b" ".join(b"%.6f" % moment for moment in moments) + b"\n")


def main() -> None:
    """Serve requests until the socket is closed; in a fork, run the module."""
    warm_up()
    gc.freeze()
    control = socket.socket(fileno=os.dup(0))
    control.send(b"{}")
    while True:
        message, handles, _flags, _address = socket.recv_fds(control, 65536, 3)
        if not message:
            return
        request: dict[str, Any] = json.loads(message)
        answer: list[int]
        if "reap" in request:
            answer = [os.waitpid(request["reap"], 0)[1]]
        else:
            child = os.fork()
            if child == 0:
                control.close()
                become(request, *handles)
                break
            for handle in handles:
                os.close(handle)
            answer = [child]
        control.send(json.dumps(answer).encode())
    try:
        with patch_module_args(request["options"]):
            cache_config.main()
    except SystemExit as end:
        # What an interpreter does at its end, but for taking itself apart: that takes as long as the run.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        tell_time(*[moment for life in LIFE for moment in life.changes], time.monotonic())
        os._exit(end.code if isinstance(end.code, int) else 1)


if __name__ == "__main__":
    main()
