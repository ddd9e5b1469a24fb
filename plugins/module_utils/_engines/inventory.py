# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the Wasmtimes of this host in files and in processes.

Every file is examined before it is opened for reading: no FIFO or device is opened, and root reads no file that only a
link of another user leads to.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
import time
from typing import AbstractSet, Any, Callable, NamedTuple, Sequence, Tuple

from .._config.check import PATH_MAX
from .._files.access import READ, Reason, everybody_may, system_error
from .._files.config_file import Unreadable, resolve_file
from .._files.directory import hidden, led_by
from .._files.path import NOT_FOLLOWED, Link, open_resolved, open_to_judge, reopen, resolve
from .binary import Changing, Engine, TimeOver, engine_in
from .formats import headers_of
from .processes import (
    Key,
    Mapped,
    Process,
    Taken,
    config_taken,
    mapped,
    open_mapped,
    processes,
    started,
    users_of,
)

Id = Tuple[int, int]
"""A file, by device and inode."""

# How many examples a note has, and how many processes an engine.
EXAMPLES = 10
LISTED = 100
ENGINES_MAX = 500
SIZE_LIMIT = 2**30  # bytes of a file, unless the user sets another limit
# How many entries of a directory are read before they are examined, in the order of their names: it can have millions.
_AT_ONCE = 10_000
# A process may map a file anew just when it is to be opened.
_ATTEMPTS = 3
# How many seconds may pass before a process is given up, of which nothing can be read: a piece of a file takes milliseconds.
PATIENCE = 10.0

# Why files could not be read, or are without a visible Wasmtime; C(_module/reasons.py) has the texts.
NOTE_CODES = (
    "missing",
    "not-a-program",
    "no-engine",
    "script",
    "packed",
    "special-file",
    "too-large",
    "changing",
    "unreadable",
    "depth",
    "time-limit",
    "not-listed",
    "other-users",
    "not-on-this-system",
)

# The other reasons are normal for a file that a search has found.
_WORTH_A_NOTE = ("script", "packed", "too-large", "changing", "unreadable")

# Names of shared libraries, which need not be executable.
_LIBRARY = (".so", ".dylib", ".dll", ".node", ".pyd")


class NoEngine(Exception):
    """No Wasmtime was found; C(code) is one of C(NOTE_CODES), C(detail) the reason for it, if it needs one."""

    def __init__(self, code: str, detail: Reason | None = None) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


class Program(NamedTuple):
    """A file with a Wasmtime in it."""

    path: str
    engine: Engine
    modified: int
    """Its time, in nanoseconds since 1970."""
    deleted: bool = False
    """Whether only processes still have it."""


class Running(NamedTuple):
    """What is kept of a process: its arguments can have some MiB, and contain secrets."""

    modified: int | None
    """The time of its executable, in nanoseconds since 1970; None if unknown."""
    taken: Taken | None
    """The config that it was started with; None if its Wasmtime reads none."""


def leads_to_directory(path: str) -> bool:
    """Return whether an absolute path leads to a directory, or root must not follow it, which C(Inventory.search) notes.

    As C(os.path.isdir), but root follows no link of another user, or of the system, that C(resolve) does not follow:
    behind it can be a file system that never answers.
    """
    resolved = resolve(path)
    if resolved.error:
        return resolved.error.code in NOT_FOLLOWED
    return not resolved.missing and not resolved.detour


def program_at(path: str, size_limit: int, deadline: float) -> Program:
    """Return the program or library at an absolute path. Raises NoEngine, and TimeOver after C(deadline).

    C(size_limit) is in bytes, C(deadline) by C(time.monotonic()).
    """
    handle = _open(path)
    try:
        engine = _engine(handle, size_limit, lambda: time.monotonic() > deadline)
        return Program(path, engine, os.fstat(handle).st_mtime_ns)
    except OSError as error:
        raise NoEngine("unreadable", system_error(error)) from None
    finally:
        os.close(handle)


def _open(path: str) -> int:
    """Open a regular file, as root only if it may. Raises NoEngine."""
    with contextlib.ExitStack() as stack:
        try:
            place = resolve_file(path)
            if place.resolved.missing:
                raise NoEngine("missing")
            directory = open_resolved(place.resolved)
            stack.callback(os.close, directory)
            found = open_to_judge(place.name, directory)
            stack.callback(os.close, found)
            status = os.fstat(found)
            if not stat.S_ISREG(status.st_mode):
                raise NoEngine("special-file")
            if os.geteuid() == 0 and not (everybody_may(place.path, status, READ) and place.resolved.public()):
                from .._files.private import secret

                unsafe = secret(place.path, place.resolved, status)
                if unsafe:
                    raise NoEngine("unreadable", unsafe)
            return reopen(found, place.name, directory)
        except Unreadable as error:
            codes = {"detour": "missing", "dangling-link": "missing", "is-a-directory": "special-file"}
            name, facts = error.finding.name, error.finding.facts
            raise NoEngine(codes.get(name, "unreadable"), facts.get("reason")) from None
        except FileNotFoundError:
            raise NoEngine("missing") from None
        except OSError as error:
            raise NoEngine("unreadable", system_error(error)) from None


def _engine(handle: int, size_limit: int, expired: Callable[[], bool]) -> Engine:
    """Return the Wasmtime in an open file. Raises NoEngine, TimeOver when C(expired()) is true, and OSError."""
    size = os.fstat(handle).st_size
    if size > size_limit:
        raise NoEngine("too-large", Reason("size", size=size))
    try:
        engine = engine_in(handle, expired)
    except Changing:
        raise NoEngine("changing") from None
    if engine is not None:
        return engine
    headers = headers_of(handle, size)
    if headers is not None:
        raise NoEngine("packed" if headers.packed else "no-engine")
    raise NoEngine("script" if os.pread(handle, 2, 0) == b"#!" else "not-a-program")


def _same_at_path(file: Mapped) -> int | None:
    """Open a mapped file by its path, as root only if it may, for a process that has no right to open it otherwise."""
    if not file.path.startswith("/") or file.deleted:
        return None
    try:
        handle = _open(file.path)
    except NoEngine:
        return None
    if os.fstat(handle).st_ino == file.inode:
        return handle
    os.close(handle)
    return None


class _News(NamedTuple):
    """What the examination of one process has added to an inventory."""

    programs: dict[Id, Program]
    processes: dict[Id, Running]
    without: dict[Id, NoEngine]
    noted: set[tuple[str, Key]]
    notes: dict[str, tuple[int, list[tuple[str, Reason | None]]]]
    """All notes so far."""
    stopped: bool


class Inventory:
    """The Wasmtimes found on this host, and what could not be read."""

    def __init__(self, size_limit: int, seconds: float) -> None:
        """C(size_limit): larger files, in bytes, are left out. The search ends C(seconds) from now."""
        self.programs: dict[Id, Program] = {}
        self.processes: dict[Id, dict[int, Running]] = {}
        """By the file with the Wasmtime, and by number."""
        self.notes: dict[str, tuple[int, list[tuple[str, Reason | None]]]] = {}
        """By code: how many, and the first of them with their reasons."""
        self._size_limit = size_limit
        self._deadline = time.monotonic() + seconds
        self._without: dict[Id, NoEngine] = {}
        self._noted: set[tuple[str, Key]] = set()
        self._stopped = False
        self._led: frozenset[int] = frozenset()
        """The users whose links have led root to the directory that is searched."""
        self._links: Sequence[Link] = ()
        self._goes_on: Callable[[], None] = lambda: None
        """Called before each piece of a file is read."""

    def note(self, code: str, name: str, detail: Reason | None = None) -> None:
        """Add a file, a directory or a process that could not be read."""
        number, examples = self.notes.get(code, (0, []))
        if number < EXAMPLES:
            examples = [*examples, (name, detail)]
        self.notes[code] = (number + 1, examples)

    def look_at(self, path: str) -> None:
        """Examine the file at an absolute path that the task names."""
        try:
            self._look(path)
        except NoEngine as no:
            self.note(no.code, path, no.detail)

    def search(self, path: str, depth: int) -> None:
        """Examine the programs and libraries in a directory and C(depth) levels below it.

        Links to files are followed, links to directories are not. If a link of a user has led root there, only the
        directories below it are searched that everybody may list, or that belong to that user.
        """
        resolved = resolve(path)
        if resolved.missing or resolved.error:
            return self.note("unreadable" if resolved.error else "missing", path, resolved.error)
        closed = hidden(resolved, None)
        if closed:
            return self.note("unreadable", path, closed)
        self._led, self._links = led_by(resolved, None), resolved.links
        try:
            directory = open_resolved(resolved)
            try:
                self._folder(path, os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=directory), depth)
            finally:
                os.close(directory)
        except OSError as error:
            self.note("unreadable", path, system_error(error))

    def _folder(self, path: str, handle: int, depth: int) -> None:
        """Search an open directory, and close it. Raises OSError."""
        try:
            closed = self._closed(path, handle)
            if closed:
                return self.note("unreadable", path, closed)
            with os.scandir(handle) as listed:
                while True:
                    entries = sorted(itertools.islice(listed, _AT_ONCE), key=lambda entry: entry.name)
                    for entry in entries:
                        if self._over(path):
                            return None
                        with contextlib.suppress(FileNotFoundError):
                            self._entry(os.path.join(path, entry.name), entry, handle, depth)
                    if len(entries) < _AT_ONCE:
                        return None
        finally:
            os.close(handle)

    def _closed(self, path: str, handle: int) -> Reason | None:
        """Return why root must not list an open directory: a user who may not list it has led root there by a link."""
        if not self._led:
            return None
        from .._files.private import listable

        if listable(handle, self._led):
            return None
        owner = os.fstat(handle).st_uid
        link, user = next(
            (link, uid) for link, its, above in self._links for uid in (its.st_uid, above) if uid not in (0, owner)
        )
        return Reason("link-into-other-directory", path=link, user=user, where=path, owner=owner)

    def _entry(self, path: str, entry: os.DirEntry[str], handle: int, depth: int) -> None:
        status = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            if not depth:
                return self.note("depth", path)
            try:
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
                self._folder(path, os.open(entry.name, flags, dir_fd=handle), depth - 1)
            except OSError as error:
                self.note("unreadable", path, system_error(error))
        elif stat.S_ISLNK(status.st_mode) or (stat.S_ISREG(status.st_mode) and _is_program(entry.name, status.st_mode)):
            try:
                self._look(path)
            except NoEngine as no:
                if no.code in _WORTH_A_NOTE and not (no.code == "unreadable" and stat.S_ISLNK(status.st_mode)):
                    self.note(no.code, path, no.detail)
        return None

    def _look(self, path: str) -> None:
        handle = _open(path)
        try:
            self._file(path, handle)
        except OSError as error:
            raise NoEngine("unreadable", system_error(error)) from None
        finally:
            os.close(handle)

    def _file(self, path: str, handle: int, deleted: bool = False) -> Id | None:
        """Examine an open file once. Raises NoEngine and OSError."""
        status = os.fstat(handle)
        known = (status.st_dev, status.st_ino)
        if known in self._without:
            raise self._without[known]
        if known not in self.programs:
            try:
                engine = _engine(handle, self._size_limit, self._expired)
            except TimeOver:
                self._over(path)
                return None
            except NoEngine as no:
                self._without[known] = no
                raise
            self.programs[known] = Program(path, engine, status.st_mtime_ns, deleted)
        return known

    def _expired(self) -> bool:
        self._goes_on()
        return time.monotonic() > self._deadline

    def _over(self, path: str) -> bool:
        over = self._expired()
        if over and not self._stopped:
            self._stopped = True
            self.note("time-limit", path)
        return over

    def look_at_processes(self, users: AbstractSet[int] | None = None) -> None:
        """Examine the files that the processes of this host have mapped, as far as this user may.

        C(users): only the processes of these users, None for all.
        """
        if not os.path.exists("/proc/self/maps"):
            return self.note("not-on-this-system", "/proc")
        waiting = list(processes())
        if os.geteuid() != 0:
            # The system protects this process from those of other users.
            return self._look_at(waiting, users, lambda _news: None)
        from .watched import Stalled, watched

        while waiting and not self._stopped:
            try:
                for news in watched(lambda tell: self._look_at(waiting, users, tell), self._patience):
                    if news is not None:
                        self._add(waiting.pop(0), news)
                return None
            except Stalled:
                if not waiting:  # it has told everything
                    return None
                stalled = waiting.pop(0)
                if not self._over("process %d" % stalled):
                    self.note("unreadable", "process %d" % stalled, Reason("stalled", seconds=int(PATIENCE)))
        return None

    def _patience(self) -> float:
        """Return the seconds to wait for news."""
        return min(PATIENCE, self._deadline - time.monotonic() + 1)

    def _look_at(
        self, pids: Sequence[int], users: AbstractSet[int] | None, tell: Callable[[_News | None], None]
    ) -> None:
        """Examine processes, and C(tell) what is new after each of them; None while one is examined."""
        self._goes_on = lambda: tell(None)
        for pid in pids:
            programs, without, noted = set(self.programs), set(self._without), set(self._noted)
            if not self._over("process %d" % pid):
                self._process(pid, users)
            tell(
                _News(
                    {key: self.programs[key] for key in self.programs if key not in programs},
                    {key: found[pid] for key, found in self.processes.items() if pid in found},
                    {key: self._without[key] for key in self._without if key not in without},
                    self._noted - noted,
                    self.notes,
                    self._stopped,
                )
            )
            if self._stopped:
                break
        self._goes_on = lambda: None

    def _add(self, pid: int, news: _News) -> None:
        self.programs.update(news.programs)
        for key, process in news.processes.items():
            self.processes.setdefault(key, {})[pid] = process
        self._without.update(news.without)
        self._noted |= news.noted
        self.notes = news.notes
        self._stopped = news.stopped

    def _process(self, pid: int, users: AbstractSet[int] | None) -> None:
        """Examine the files that a process has mapped."""
        try:
            if users is not None and users.isdisjoint(users_of(pid)):
                return None
            found = mapped(pid)
        except PermissionError:
            return self.note("other-users", str(pid))
        except OSError:  # it has ended
            return None
        for key, file in found.items():
            engine = self._mapped_file(pid, key, file)
            if engine is not None:
                with contextlib.suppress(OSError):
                    running = _running(self.programs[engine].engine, started(pid, key))
                    self.processes.setdefault(engine, {})[pid] = running
        return None

    def _mapped_file(self, pid: int, key: Key, file: Mapped) -> Id | None:
        """Examine a file that a process has mapped.

        Each process is asked for it: one that ends meanwhile says nothing about the files of the others.
        """
        handle = self._open_mapped(pid, key, file)
        if handle is None:
            return None
        try:
            return self._file(file.path, handle, file.deleted)
        except OSError as error:
            self._note_mapped("unreadable", key, system_error(error))
        except NoEngine as no:
            if no.code in _WORTH_A_NOTE:
                self._note_mapped(no.code, key, no.detail)
        finally:
            os.close(handle)
        return None

    def _open_mapped(self, pid: int, key: Key, file: Mapped) -> int | None:
        for _attempt in range(_ATTEMPTS):
            handle = open_mapped(pid, file) or _same_at_path(file)
            if handle is not None or ("unreadable", key) in self._noted:
                return handle
            try:
                now = mapped(pid)
            except PermissionError:
                break
            except OSError:  # it has ended
                return None
            if key not in now:
                if any(other[:2] == key[:2] for other in now):
                    break
                return None
            file = now[key]
        self._note_mapped("unreadable", key, Reason("not-through-process"))
        return None

    def _note_mapped(self, code: str, key: Key, detail: Reason | None) -> None:
        """Add a note for a file that processes have mapped, once."""
        if (code, key) not in self._noted:
            self._noted.add((code, key))
            self.note(code, key[2], detail)

    def results(self) -> list[dict[str, Any]]:
        """Return the engines as the module does, in the order of their paths, with C(dialects) for the caller."""
        # If there are too many, those in processes come first.
        found = sorted(self.programs.items(), key=lambda item: (item[0] not in self.processes, item[1].path, item[0]))
        for _key, program in found[ENGINES_MAX:]:
            self.note("not-listed", program.path)
        listed = sorted(found[:ENGINES_MAX], key=lambda item: (item[1].path, item[0]))
        return [self._engine_result(key, program) for key, program in listed]

    def _engine_result(self, key: Id, program: Program) -> dict[str, Any]:
        engine = program.engine
        running = self.processes.get(key, {})
        if engine.library:
            times = {process.modified for process in running.values()}
            modified = times.pop() if len(times) == 1 else None
        else:
            modified = program.modified
        configs: dict[Taken, list[int]] = {}
        for pid, process in sorted(running.items()):
            if process.taken is not None:
                configs.setdefault(process.taken, []).append(pid)
        return {
            "path": program.path,
            **engine.as_dict(),
            "compiler_directory": engine.directory(modified),
            "deleted": program.deleted,
            "pids": sorted(running)[:LISTED],
            "configs": [
                {"path": taken.path, "source": taken.source, "pids": pids[:LISTED]}
                for taken, pids in list(configs.items())[:LISTED]
            ],
            "dialects": engine.dialects(),
        }


def _running(engine: Engine, process: Process) -> Running:
    """Return what is kept of a process with this Wasmtime."""
    taken = None
    if engine.reads_config:
        taken = config_taken(engine.program, engine.first, process)
        taken = taken._replace(path=taken.path and taken.path[:PATH_MAX])
    return Running(process.modified, taken)


def _is_program(name: str, mode: int) -> bool:
    return bool(mode & 0o111) or name.endswith(_LIBRARY) or ".so." in name


def usual_places() -> list[str]:
    """Return the directories of programs of the user of this process, those of a login shell included."""
    import pwd

    environ = os.environ
    home = environ.get("HOME") or ""
    with contextlib.suppress(KeyError):
        home = home or pwd.getpwuid(os.getuid()).pw_dir
    places = environ.get("PATH", "").split(os.pathsep) + _login_path()
    places += [os.path.join(environ.get("WASMTIME_HOME", ""), "bin")]
    places += [os.path.join(home, name) for name in (".wasmtime/bin", ".cargo/bin", ".local/bin", ".local/lib", "bin")]
    places += ["/usr/local/bin", "/usr/local/lib", "/opt"]
    return [place for place in dict.fromkeys(map(os.path.normpath, places)) if place.startswith("/")]


def _login_path() -> list[str]:
    """Return the PATH of a login, from the files that a login reads; nothing is executed."""
    names = ("ENV_SUPATH",) if os.geteuid() == 0 else ("ENV_PATH",)
    found = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    for file, keys in (("/etc/login.defs", names), ("/etc/environment", ("PATH",))):
        with contextlib.suppress(OSError), open(file, encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                # ENV_PATH PATH=/usr/bin:/bin, or PATH="/usr/bin:/bin"
                words = line.replace("=", " ").split()
                if words and words[0] in keys:
                    found += words[-1].strip("\"'").split(":")
    return found
