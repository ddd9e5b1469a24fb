# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trace the system calls of a run, and inject faults into them, with strace."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Callable, NamedTuple

if TYPE_CHECKING:
    from ansible_collections.wasmops.wasmtime.tests.faults.runs import Outcome, Run

# Every call that is not known to change nothing counts as a change.
_READING = frozenset(
    "access chdir close dup dup2 dup3 faccessat faccessat2 fadvise64 fchdir fcntl fgetxattr flistxattr flock fstat"  # noqa: SIM905
    " fstat64 fstatat64 fstatfs getcwd getdents getdents64 getxattr ioctl lgetxattr listxattr llistxattr lseek lstat"
    " lstat64 mmap newfstatat pread64 preadv read readlink readlinkat readv stat stat64 statfs statx".split()
)
WRITING = frozenset(["write", "writev", "pwrite64", "pwritev", "pwritev2", "sendfile", "copy_file_range", "splice"])
# Paths in these are answers.
_ASKING = frozenset(["getcwd"])
_OPENING = frozenset(["open", "openat", "openat2"])
_CREATES = re.compile(r"O_(CREAT|TRUNC|TMPFILE)")
_LINE = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>.*)$|(?P<last>\w+)\(")
# A path as such, or after the directory that it is relative to; or a handle alone. Data are cut off with dots.
_PATH = re.compile(
    r'(?:(?:AT_FDCWD|\d+)(?:<(?P<base>[^<>]*)>)?, )?"(?P<path>(?:[^"\\]|\\.)*)"(?!\.\.\.)|\d+<(?P<handle>/[^<>]*)>'
)


class NotHere(Exception):
    """Why nothing can be traced on this machine."""


class Aim(NamedTuple):
    """The identity of a system call, which is the same in every run of a scene."""

    name: str
    paths: tuple[str, ...]
    """Without names that differ each time."""
    occurrence: int
    """Its number among the calls with this name and these paths, from 1."""


class Call(NamedTuple):
    """A system call that a run makes."""

    name: str
    nth: int
    """Its number among those of the same name in this run, from 1: how strace finds it."""
    paths: tuple[str, ...]
    aim: Aim
    changes: bool
    """Whether it can change anything."""
    line: str

    def __str__(self) -> str:
        return "%s #%d (%s)" % (self.name, self.aim.occurrence, ", ".join(self.paths))


def parse(log: str, plain: Callable[[str], str]) -> list[Call]:
    """Return the calls in a log of strace, in their order.

    C(plain) removes the parts of a path that differ in every run.
    """
    seen: Counter[object] = Counter()
    calls = []
    for line in log.splitlines():
        match = _LINE.match(line)
        if not match:
            continue  # a signal, or the end
        name = match["name"] or match["last"]
        arguments = match["arguments"] or line
        paths = []
        for found in _PATH.finditer("" if name in _ASKING else arguments):
            if found["handle"]:
                paths.append(found["handle"])
            elif found["base"] or found["path"]:  # else an answer that is empty
                paths.append(os.path.normpath(Path("/", found["base"] or "", found["path"])))
        looks = not _CREATES.search(arguments) if name in _OPENING else name in _READING
        about = tuple(map(plain, paths))
        seen.update([name, (name, about)])
        calls.append(Call(name, seen[name], tuple(paths), Aim(name, about, seen[name, about]), not looks, line))
    return calls


def concerns(call: Call, root: Path) -> bool:
    """Return whether a call concerns a directory, or anything below it."""
    return any(root in (Path(path), *Path(path).parents) for path in call.paths)


def watch(run: Run, *options: str) -> tuple[Outcome, str]:
    """Continue a run under strace; return its outcome and the log. Raises NotHere."""
    strace = shutil.which("strace")
    if strace is None:
        raise NotHere("strace is not installed")
    with tempfile.NamedTemporaryFile(prefix="wasmtime-strace-") as log:
        command = [strace, "-y", "-s", "0", "-o", log.name, *options, "-p", str(run.pid)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
            assert tracer.stderr is not None
            word = tracer.stderr.readline()
            if "attached" not in word:
                run.kill()
                run.end()
                raise NotHere("strace cannot watch a process: %s" % word.strip())
            outcome = run.end()
            tracer.wait()
        log.seek(0)
        return outcome, log.read().decode(errors="surrogateescape")


def inject(run: Run, name: str, nth: int, fault: str) -> tuple[Outcome, str]:
    """Continue a run with a fault in its nth call of a name; return its outcome and the log of these calls."""
    return watch(run, "-e", "trace=%s" % name, "-e", "inject=%s:%s:when=%d" % (name, fault, nth))
