# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the programs and libraries in running processes, and the cache configs these were started with (Linux).

Arguments and environments contain secrets. Only the variables in C(VARIABLES) and the arguments that name a cache config
leave this file.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import Iterator, NamedTuple, Sequence, Tuple

from .._files.path import reopen

PROC = "/proc"
VARIABLES = (
    "EXTISM_CACHE_CONFIG",
    "WASMTIME_CACHE_FILE",
    "DISABLE_WASMTIME_CACHE",
    "XDG_CONFIG_HOME",
    "HOME",
)

# A process can have 65,530 mappings, and some MiB of arguments and variables.
_READ_MAX = 2**24

ARGUMENT = "argument"
VARIABLE = "variable"
DEFAULT = "default"
OFF = "off"
BY_PROGRAM = "program"
UNKNOWN = "unknown"
SOURCES = (ARGUMENT, VARIABLE, DEFAULT, OFF, BY_PROGRAM, UNKNOWN)
"""Where the config of a process comes from. C(BY_PROGRAM): its code or another file names one, or none."""

Key = Tuple[bytes, bytes, str]
"""Device, inode and path of a file, as the kernel writes them in C(maps).

Where it writes the device of the whole file system, as on btrfs, two files can have the same device and inode.
"""


class Mapped(NamedTuple):
    """A file whose machine code a process has mapped."""

    path: str
    """Its path as the process sees it."""
    deleted: bool
    """Whether the file is no longer at this path."""
    range: str
    """The addresses, as in the names in C(map_files)."""
    inode: int


class Taken(NamedTuple):
    """The cache config that a process was started with."""

    source: str
    """One of C(SOURCES)."""
    path: str | None
    """Its path; None if it has none or the path is unknown."""


class Process(NamedTuple):
    """How a process was started, as far as it matters."""

    arguments: list[str]
    variables: dict[str, str]
    """Those of C(VARIABLES) that are set."""
    directory: str | None
    """The present working directory; None if unknown."""
    uid: int
    modified: int | None
    """The time of its executable, in nanoseconds since 1970; None if unknown."""


def processes() -> Iterator[int]:
    """Return the numbers of all other processes."""
    with contextlib.suppress(OSError), os.scandir(PROC) as entries:
        for entry in entries:
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                yield int(entry.name)


def mapped(pid: int) -> dict[Key, Mapped]:
    """Return the files whose machine code a process has mapped. Raises OSError."""
    found: dict[Key, Mapped] = {}
    for line in _read_proc(pid, "maps").split(b"\n"):
        fields = line.split(b" ", 5)
        if len(fields) < 6 or b"x" not in fields[1] or fields[4] == b"0":
            continue
        path = fields[5].lstrip(b" ").replace(b"\\012", b"\n")
        deleted = path.endswith(b" (deleted)")
        name = os.fsdecode(path[: -len(b" (deleted)")] if deleted else path)
        start, _dash, end = fields[0].partition(b"-")
        addresses = "%x-%x" % (int(start, 16), int(end, 16))
        found.setdefault((fields[3], fields[4], name), Mapped(name, deleted, addresses, int(fields[4])))
    return found


def open_mapped(pid: int, file: Mapped) -> int | None:
    """Open for reading exactly the regular file that a process has mapped; None if that is impossible.

    The links of the kernel lead to the file whatever its path leads to, but need the right to trace the process.
    """
    for place in ("%s/%d/map_files/%s" % (PROC, pid, file.range), "%s/%d/exe" % (PROC, pid)):
        with contextlib.suppress(OSError):
            found = os.open(place, os.O_PATH)
            try:
                status = os.fstat(found)
                if stat.S_ISREG(status.st_mode) and status.st_ino == file.inode:
                    return reopen(found, place)
            finally:
                os.close(found)
    return None


def started(pid: int, key: Key) -> Process:
    """Return how a process was started if it still has the file mapped. Raises OSError."""
    if key not in mapped(pid):
        raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
    variables: dict[str, str] = {}
    with contextlib.suppress(PermissionError):
        for item in _read_proc(pid, "environ").split(b"\0"):
            name, _sign, value = item.partition(b"=")
            if name.decode("latin-1") in VARIABLES:
                variables.setdefault(name.decode("latin-1"), os.fsdecode(value))
    directory = modified = None
    with contextlib.suppress(OSError):
        directory = os.readlink("%s/%d/cwd" % (PROC, pid))
    with contextlib.suppress(OSError):
        modified = os.stat("%s/%d/exe" % (PROC, pid)).st_mtime_ns
    arguments = os.fsdecode(_read_proc(pid, "cmdline")).split("\0")[:-1]
    # The engine uses the real user, which may differ from the owner of the directory.
    return Process(arguments, variables, directory, users_of(pid)[0], modified)


def users_of(pid: int) -> list[int]:
    """Return the users of a process: the real one, the effective one and others that it has. Raises OSError."""
    for line in _read_proc(pid, "status").split(b"\n"):
        if line.startswith(b"Uid:"):
            return list(map(int, line.split()[1:]))
    return [os.stat("%s/%d" % (PROC, pid)).st_uid]


def _read_proc(pid: int, name: str) -> bytes:
    with open("%s/%d/%s" % (PROC, pid, name), "rb", buffering=0) as file:
        parts = []
        size = 0
        while size < _READ_MAX:
            part = file.read(2**16)
            if not part:
                break
            parts.append(part)
            size += len(part)
        return b"".join(parts)


def config_taken(program: str | None, major: int, process: Process) -> Taken:
    """Return the config that a process of one of C(binary.PROGRAMS) reads, by how it was started.

    C(major) is the lowest possible version of its Wasmtime. Sources of the rules: the programs' own code, in
    Wasmtime C(crates/cli-flags/src/lib.rs), in Spin C(crates/trigger/src/cli.rs), in Extism C(runtime/src/plugin.rs),
    in Wizer C(src/lib.rs).
    """
    if program == "wasmtime":
        taken = _command_line(process.arguments[1:], major)
    elif program == "spin":
        taken = _spin(process)
    elif program == "extism":
        taken = _extism(process)
    elif program == "wizer":
        taken = Taken(DEFAULT, None)
    else:
        return Taken(BY_PROGRAM, None)
    path = _default(process) if taken.source == DEFAULT else taken.path
    if path is not None and not path.startswith("/"):
        known = process.directory is not None and process.directory.startswith("/")
        path = os.path.join(str(process.directory), path) if known else None
    if path is None and taken.source != OFF:
        return Taken(UNKNOWN, None)
    return Taken(taken.source, path)


def _default(process: Process) -> str | None:
    """Return the default path of the engine on Linux for a process; None without a home."""
    home = process.variables.get("HOME")
    if not home:
        import pwd

        try:
            home = pwd.getpwuid(process.uid).pw_dir
        except KeyError:
            return None
    base = process.variables.get("XDG_CONFIG_HOME", "")
    if not base.startswith("/"):
        base = os.path.join(home, ".config")
    return os.path.join(base, "wasmtime", "config.toml") if home else None


def _extism(process: Process) -> Taken:
    path = process.variables.get("EXTISM_CACHE_CONFIG")
    if path is None:
        return Taken(DEFAULT, None)
    return Taken(VARIABLE, path) if path else Taken(OFF, None)


def _spin(process: Process) -> Taken:
    arguments = process.arguments[1:]
    if "--" in arguments:
        arguments = arguments[: arguments.index("--")]
    for number, argument in enumerate(arguments):
        if argument == "--disable-cache":
            return Taken(OFF, None)
        if argument.startswith("--cache="):
            return Taken(ARGUMENT, argument[len("--cache=") :])
        if argument == "--cache" and number + 1 < len(arguments):
            return Taken(ARGUMENT, arguments[number + 1])
    off = process.variables.get("DISABLE_WASMTIME_CACHE")
    if off is not None and off.lower() not in ("n", "no", "f", "false", "off", "0"):
        return Taken(OFF, None)
    path = process.variables.get("WASMTIME_CACHE_FILE")
    return Taken(DEFAULT, None) if path is None else Taken(VARIABLE, path)


_COMMANDS = ("run", "serve", "compile", "wast", "explore")
# Options of the command line program whose value may be a separate argument, and options without a value.
_VALUED = frozenset(
    name
    for line in (
        "-O -C -D -W -S -R -g -H -o --optimize --codegen --debug --wasm --wasi --record --target --config --dir --env",
        "--invoke --preload --argv0 --addr --shutdown-addr --header --gdbstub --output --emit-clif --mapdir",
        "--max-instance-reuse-count --max-instance-concurrent-reuse-count --idle-instance-timeout",
        "--max-concurrent-requests --max-concurrent-connections",
    )
    for name in line.split()
)
_FLAGS = ("--allow-precompiled", "--no-logging-prefix", "--disable-cache")
# The first version with -C.
_GROUPED = 14


def _command_line(arguments: Sequence[str], major: int) -> Taken:
    """Read the arguments of the command line program up to the WebAssembly file: those after it belong to that file."""
    off, config = False, Taken(DEFAULT, None)
    todo = list(arguments)[::-1]
    if todo and todo[-1] in _COMMANDS:
        todo.pop()
    # "-" is standard input: a WebAssembly file.
    while todo and todo[-1].startswith("-") and todo[-1] not in ("-", "--"):
        argument = todo.pop()
        name, sign, value = argument.partition("=")
        if not argument.startswith("--"):
            name, sign = argument[:2], argument[2:]
            value = sign[1:] if sign.startswith("=") else sign
        if not sign and name in _VALUED:
            value = todo.pop() if todo else ""
        elif not sign and name not in _FLAGS and todo and not todo[-1].startswith("-"):
            # The next argument may be the value of an unknown option.
            return Taken(UNKNOWN, None)
        if name in ("-C", "--codegen"):
            for item in value.split(","):
                key, _sign, setting = item.partition("=")
                if key == "cache":
                    off = setting in ("n", "no", "false")
                elif key == "cache-config":
                    config = Taken(ARGUMENT, setting)
        elif name == "--config":
            # Up to 13 it names the cache config, later a file with options, which may name one.
            config = Taken(ARGUMENT, value) if major < _GROUPED else Taken(UNKNOWN, None)
        elif name == "--disable-cache":
            off = True
    return Taken(OFF, None) if off else config
