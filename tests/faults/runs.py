# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module in separate processes that can be paused, watched and killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping, NamedTuple, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).with_name("program.py")


class Outcome(NamedTuple):
    """The outcome of a run, apart from its changes."""

    status: int
    """The exit status, or the number of the signal that ended it, negative."""
    output: str
    """The time of its start; the output of the module; the times of its changes, if requested, and of its end."""
    errors: str

    @property
    def result(self) -> dict[str, Any]:
        """The result of the module."""
        found: dict[str, Any] = json.loads("".join(self.output.splitlines()[1:-1]))
        return found

    @property
    def time(self) -> tuple[float, float]:
        """When it began and when it ended."""
        words = self.output.split()
        return float(words[0]), float(words[-1])

    @property
    def work(self) -> float:
        """How long it has been changing things, for a run whose life was limited."""
        moments = self.output.splitlines()[-1].split()
        return float(moments[-2]) - float(moments[0])

    @property
    def disorder(self) -> str | None:
        """The signs that it has not ended normally."""
        if not self.errors and self.status in (0, 1):
            return None
        lines = self.errors.strip().splitlines() or [""]
        frames = [line.strip() for line in lines if "/plugins/" in line]
        return "ends with status %d: %s (%s)" % (self.status, lines[-1], "; ".join(frames[-2:]))

    @property
    def killed(self) -> bool:
        return self.status == -signal.SIGKILL


class Run:
    """A run, which waits at its gate until go() is called."""

    def __init__(self, program: Program, pid: int, gate: int, output: int, errors: int) -> None:
        self.pid = pid
        self._program = program
        self._gate: int | None = gate
        self._output = output
        self._errors = errors

    def go(self) -> None:
        """Open the gate."""
        if self._gate is not None:
            os.close(self._gate)
            self._gate = None

    def kill(self) -> None:
        """Kill it, as the kernel does if memory runs out."""
        os.kill(self.pid, signal.SIGKILL)

    def end(self) -> Outcome:
        """Wait for the end."""
        self.go()
        output, errors = _all_of(self._output), _all_of(self._errors)
        status = os.waitstatus_to_exitcode(self._program.ask({"reap": self.pid})[0])
        return Outcome(status, output.decode(), errors.decode())


def _all_of(handle: int) -> bytes:
    with os.fdopen(handle, "rb") as file:
        return file.read()


class Program:
    """An interpreter that has imported everything, and forks a process for each run."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """C(environment) is added to that of this process."""
        self.noise = 0
        """How many additional files the next runs open before they start."""
        self._control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-B", str(PROGRAM)],
                stdin=other.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=dict(os.environ, **(environment or {})),
                cwd="/dev",  # not part of any path
            )
        if not self._control.recv(16):
            words, _none = self._process.communicate()
            raise RuntimeError("the program does not start: " + words)

    def close(self) -> None:
        """End it."""
        self._control.close()
        self._process.communicate()

    def ask(self, request: dict[str, Any], handles: Sequence[int] = ()) -> Any:
        """Send a request, and return its answer."""
        socket.send_fds(self._control, [json.dumps(request).encode()], handles)
        return json.loads(self._control.recv(4096))

    def hold(
        self,
        options: Mapping[str, Any],
        umask: int = 0o022,
        user: int | None = None,
        limit: int | None = None,
        life: float | None = None,
    ) -> Run:
        """Return a run that waits at its gate, after all system calls before it.

        C(limit) is the maximum size of files until SIGUSR1. C(life) is the number of seconds until
        it is killed after its first change.
        """
        request = {"options": options, "umask": umask, "user": user, "limit": limit, "life": life, "noise": self.noise}
        gate, opener = (end.detach() for end in socket.socketpair())
        output, to_output = os.pipe()
        errors, to_errors = os.pipe()
        (pid,) = self.ask(request, [gate, to_output, to_errors])
        for handle in (gate, to_output, to_errors):
            os.close(handle)
        run = Run(self, pid, opener, output, errors)
        if not os.read(opener, 1):
            raise RuntimeError("the run has not come to its gate: %s" % (run.end(),))
        return run

    def run(self, options: Mapping[str, Any], **kwargs: Any) -> Outcome:
        """Run the module, and return its outcome."""
        return self.hold(options, **kwargs).end()


@contextlib.contextmanager
def program(environment: Mapping[str, str] | None = None) -> Iterator[Program]:
    """Run a program while the block runs."""
    made = Program(environment)
    try:
        yield made
    finally:
        made.close()
