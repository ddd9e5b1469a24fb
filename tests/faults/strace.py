# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system calls of a run, and faults put into them, with strace."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Optional, Tuple

if TYPE_CHECKING:
    from ansible_collections.wasmops.wasmtime.tests.faults.runs import Outcome, Run

# Whatever is not known to leave everything as it is counts as a change.
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


class Call(NamedTuple):
    """A system call that a run makes."""

    name: str
    nth: int
    """Its number among those of the same name, from 1."""
    paths: Tuple[str, ...]
    changes: bool
    """Whether it can change anything."""
    line: str

    def __str__(self) -> str:
        return "%s #%d (%s)" % (self.name, self.nth, ", ".join(self.paths))


def parse(log: str) -> List[Call]:
    """The calls in a log of strace, in their order."""
    seen: Dict[str, int] = {}
    calls = []
    for line in log.splitlines():
        match = _LINE.match(line)
        if not match:
            continue
        name = match["name"] or match["last"]
        seen[name] = seen.get(name, 0) + 1
        arguments = match["arguments"] or line
        paths = []
        for found in _PATH.finditer("" if name in _ASKING else arguments):
            if found["handle"]:
                paths.append(found["handle"])
            elif found["base"] or found["path"]:  # else an answer that is empty
                paths.append(os.path.normpath(Path("/", found["base"] or "", found["path"])))
        looks = not _CREATES.search(arguments) if name in _OPENING else name in _READING
        calls.append(Call(name, seen[name], tuple(paths), not looks, line))
    return calls


def concerns(call: Call, root: Path) -> bool:
    """Whether a call has to do with a directory, or with what is below it."""
    return any(root in (Path(path), *Path(path).parents) for path in call.paths)


def watch(run: Run, *options: str) -> Tuple[Outcome, str]:
    """Let a run go under strace; its outcome and the log. Raises NotHere."""
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


def inject(run: Run, call: Call, fault: str) -> Tuple[Outcome, Optional[Call]]:
    """Let a run go and put a fault into one of its calls; its outcome, and the call that was hit."""
    outcome, log = watch(run, "-e", "trace=%s" % call.name, "-e", "inject=%s:%s:when=%d" % (call.name, fault, call.nth))
    hit = [made for made in parse(log) if made.nth == call.nth]
    return outcome, hit[0] if hit else None
