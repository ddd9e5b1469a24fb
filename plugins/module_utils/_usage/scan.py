# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""List a cache directory as the engine's cleanup does (C(crates/cache/src/worker.rs)).

Nothing is changed, not even the time of access if the system allows that. Directories are
opened one below the other, so that nobody can replace one by a link. The engine follows
symbolic links to directories on the first two levels, and so does this; files behind them
are listed and never opened.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
import time
from typing import TYPE_CHECKING, Any, Callable, Iterator, NamedTuple

from .._config.printable import printable
from .._config.settings import is_integer
from .._files.path import open_to_judge, reopen

if TYPE_CHECKING:
    from .._config.toml_error import Loads

SECOND = 10**9
DAY = 86400

# The longest list of names in the result.
LISTED = 100
# The longest path in it, in characters. The controller accepts 100,000, when all of them are escaped.
_SHOWN_MAX = 4096

# The names that the engine creates below the directory; all others are foreign, even those that it treats as modules.
_OWN = re.compile(r"modules/wasmtime-[^/]*/[A-Za-z0-9_-]{43}(\.stats|\.wip-[^/]*)?\Z")
_OWN_FOLDER = re.compile(r"modules/wasmtime-[^/]*\Z")

# A module that was used within this number of days is in use.
RECENT_DAYS = 7

# The engine writes some 40 bytes.
STATS_MAX = 4096
# The libraries need quadratic time for a dotted key, and the engine refuses more than 128 parts.
_DOTS_MAX = 400
_LEVELS = range(22)
_I64_MAX = 2**63 - 1
# No cache has more different C(.stats) than this: a limit for the memory that they take.
_KINDS_MAX = 4096
# Each level of a foreign tree takes two handles.
DEPTH_MAX = 100
_MEMORY_EVERY = 256
# 31 years, more than threading can wait.
_SECONDS_MAX = 10**9
# The errors for directories that are gone or replaced since they were listed.
GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE)


class Stopped(Exception):
    """A limit is reached; C(reason) is C(time_limit) or C(memory_limit)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Budget:
    """The limits of a scan: seconds from now, and bytes of the whole process in memory.

    C(clock) returns seconds, as C(time.monotonic) does.
    """

    def __init__(self, seconds: float, memory: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.memory = memory
        self._seconds = seconds
        self._clock = clock
        self._start = clock()
        self._calls = 0

    def left(self) -> float:
        """Return the seconds that are left; negative after the time limit."""
        # A float cannot hold every number of seconds that a task can give.
        return min(self._seconds, _SECONDS_MAX) - (self._clock() - self._start)

    def check(self) -> None:
        """Raise Stopped if a limit is reached. Call this for each file or piece of one."""
        if self.left() < 0:
            raise Stopped("time_limit")
        if self._calls % _MEMORY_EVERY == 0:
            self.need(0)
        self._calls += 1

    def need(self, more: int) -> None:
        """Raise Stopped if C(more) bytes would exceed the limit."""
        if resident() + more > self.memory:
            raise Stopped("memory_limit")


def resident() -> int:
    """Return the bytes of this process in memory, or their maximum so far if the system has no present number."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


class CleanupRules(NamedTuple):
    """The settings that a cleanup uses, in base units: counts, bytes, percent, seconds."""

    file_count: int
    file_count_percent: int
    total_size: int
    total_size_percent: int
    interval: int
    timeout: int
    drift: int


def expired(now: int, then: int, threshold: int, drift: int) -> bool:
    """Return whether the engine ignores a lock of this time.

    C(now) and C(then) in nanoseconds since 1970, C(threshold) and C(drift) in seconds.
    """
    if then > now:
        return then - now > drift * SECOND
    return now - then >= threshold * SECOND


def parts(name: str) -> tuple[str, str | None]:
    """Return the stem and the extension of a file name by the rules of Rust: C(.x) and C(x) have no extension."""
    stem, _dot, extension = name.rpartition(".")
    return (stem, extension) if stem else (name, None)


def _is_counted_extension(extension: str | None) -> bool:
    """Return whether the engine counts a file with this extension as a module or as statistics."""
    return extension is None or extension == "stats" or not _is_text(extension)


def _is_text(extension: str) -> bool:
    try:
        os.fsencode(extension).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def shown_path(path: str) -> str:
    """Return a path as printable text for the result, without the middle of a long one."""
    text = printable(os.fsencode(path).decode("utf-8", "backslashreplace"))
    return text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX // 2] + "..." + text[-_SHOWN_MAX // 2 :]


class Entry(NamedTuple):
    """A file that the engine treats as a cached module. Newer ones are greater."""

    time: int
    """The time of its C(.stats), or else its own; nanoseconds since 1970."""
    size: int
    folder: int
    """The index of its folder in the list of all."""
    name: str


class LockFile(NamedTuple):
    """A file that the engine creates while it cleans up or recompresses."""

    path: str
    time: int
    stale: bool | None
    """Whether the engine ignores it; None if its rules are unknown."""
    of_cleanup: bool


class Deleted(NamedTuple):
    """A path that every cleanup deletes, with C(things) files, links and directories."""

    path: str
    things: int
    size: int


class Sum:
    """Figures about cached modules: number, size, age, usage."""

    def __init__(self) -> None:
        self.entries = 0
        self.size = 0
        self.size_on_disk = 0
        self.oldest: int | None = None
        self.newest: int | None = None
        self.usages = 0
        self.least: int | None = None
        self.most: int | None = None
        self.unknown = 0

    def add(self, then: int, size: int, usages: int | None) -> None:
        self.entries += 1
        self.size += size
        self.oldest = then if self.oldest is None else min(then, self.oldest)
        self.newest = then if self.newest is None else max(then, self.newest)
        if usages is None:
            self.unknown += 1
            return
        self.usages += usages
        self.least = usages if self.least is None else min(usages, self.least)
        self.most = usages if self.most is None else max(usages, self.most)


class Folder(Sum):
    """A directory on the second level: the modules of one compiler version."""

    def __init__(self, path: str, behind_link: bool) -> None:
        super().__init__()
        self.path = path
        self.behind_link = behind_link

    @property
    def matters(self) -> bool:
        """Whether it is a directory of the engine, or has files that the engine treats as modules."""
        return bool(self.entries) or _OWN_FOLDER.match(self.path) is not None


def open_directory(name: str, above: int | None = None) -> int:
    """Open a directory to list it. Raises OSError."""
    return _open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, above)


def open_file(name: str, above: int) -> int:
    """Open a file to read it, which was a regular file a moment ago.

    Raises OSError, ESTALE if it no longer is.
    """
    if os.geteuid() != 0:
        return _open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, above)
    # A user can replace it by a hard link to a pipe or a device of root, which must not be opened.
    found = open_to_judge(name, above)
    try:
        if not stat.S_ISREG(os.fstat(found).st_mode):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return reopen(found, name, above, os.O_RDONLY | getattr(os, "O_NOATIME", 0))
    finally:
        os.close(found)


def _open(name: str, flags: int, above: int | None) -> int:
    no_atime = getattr(os, "O_NOATIME", 0)
    try:
        return os.open(name, flags | no_atime, dir_fd=above)
    except PermissionError:
        # Only the owner and root may leave the time of access unchanged.
        if not no_atime:
            raise
    return os.open(name, flags, dir_fd=above)


def open_folder(top: int, path: str) -> int:
    """Open a directory below another one, without following links. Raises OSError."""
    handle = os.dup(top)
    try:
        for name in path.split("/"):
            above, handle = handle, -1
            try:
                handle = open_directory(name, above)
            finally:
                os.close(above)
    except BaseException:
        if handle >= 0:
            os.close(handle)
        raise
    return handle


class Look:
    """What a scan has found in a cache directory; if it was stopped, up to then."""

    def __init__(
        self, top: int | None, rules: CleanupRules | None, now: int, budget: Budget, listed: int | None = LISTED
    ) -> None:
        """The arguments are those of C(look_into)."""
        self.top = -1 if top is None else top
        self.rules = rules
        self.now = now
        self.budget = budget
        self.listed = listed
        self.entries: list[Entry] = []
        self.folders: list[Folder] = []
        self.all = Sum()
        self.recent_entries = 0
        """Those of the engine's own that are in use; C(recent_size) are their bytes."""
        self.recent_size = 0
        self.oldest: Entry | None = None
        self.newest: Entry | None = None
        self.levels: dict[str, int] = {}
        """The number of entries by the level in their C(.stats)."""
        self.locks: list[LockFile] = []
        self.blocked_until: int | None = None
        """When the locks that prevent a cleanup have expired, nanoseconds since 1970."""
        self.removals: list[Deleted] = []
        """What every cleanup deletes."""
        self.foreign: list[str] = []
        self.foreign_count = 0
        self.foreign_size = 0
        self.foreign_removed = 0
        self.leftovers_removed = 0
        self.links: list[str] = []
        """Symbolic links to directories that the engine follows."""
        self.unreadable: list[str] = []
        """Directories that could not be listed."""
        self.stopped_by: str | None = None

    @property
    def complete(self) -> bool:
        """Whether everything was listed."""
        return self.stopped_by is None and not self.unreadable

    def path(self, entry: Entry) -> str:
        """Return the path of an entry below the directory."""
        return self.folders[entry.folder].path + "/" + entry.name


def look_into(
    top: int | None,
    rules: CleanupRules | None,
    now: int,
    budget: Budget,
    loads: Callable[[], Loads],
    listed: int | None = LISTED,
    may_list: Callable[[int], bool] | None = None,
) -> Look:
    """Scan a cache directory. Does not raise Stopped, but notes it in the result.

    C(top): a handle to the directory, None if it does not exist. C(rules): None if the engine refuses the config.
    C(now): nanoseconds since 1970. C(loads): gives the TOML parser. C(listed): the longest list of names, None for all.
    C(may_list): returns whether an open directory below may be listed; None for all.
    """
    look = Look(top, rules, now, budget, listed)
    if top is not None:
        _Scanner(look, loads, may_list).run(top)
    return look


class _Scanner:
    """The pass over the directory that fills a C(Look)."""

    def __init__(self, look: Look, loads: Callable[[], Loads], may_list: Callable[[int], bool] | None = None) -> None:
        self.look = look
        self._loads = loads
        self._may_list = may_list
        self._kinds: dict[bytes, tuple[int, int] | None] = {}
        self._seen: set[tuple[int, int]] = set()
        self._recent_from = look.now - RECENT_DAYS * DAY * SECOND
        self._recent_until = look.now + (0 if look.rules is None else look.rules.drift * SECOND)

    def run(self, top: int) -> None:
        """Fill the C(Look), as far as its limits allow."""
        try:
            self._count_on_disk(os.fstat(top))
            self._level(top, "", False)
        except Stopped as stop:
            self.look.stopped_by = stop.reason

    def _append(self, names: list[Any], item: Any) -> None:
        if self.look.listed is None or len(names) < self.look.listed:
            names.append(item)

    def _items(self, handle: int, path: str) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(handle) as listed:
                for item in listed:
                    self.look.budget.check()
                    yield item
        except OSError as error:
            self._note_failure(path, error)

    def _note_failure(self, path: str, error: OSError) -> None:
        name = shown_path(path).rstrip("/") or "."
        if error.errno not in GONE and name not in self.look.unreadable:
            self._append(self.look.unreadable, name)

    def _status(self, name: str, handle: int, path: str) -> os.stat_result | None:
        """Return the status of a name in the directory of this path, links not followed; None if it is gone."""
        try:
            return os.stat(name, dir_fd=handle, follow_symlinks=False)
        except OSError as error:
            self._note_failure(path, error)
            return None

    def _count_on_disk(self, status: os.stat_result, folder: Folder | None = None) -> None:
        if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            if (status.st_dev, status.st_ino) in self._seen:
                return
            if len(self._seen) % _MEMORY_EVERY == 0:
                # A large set that grows is copied into one twice as large.
                self.look.budget.need(2 * sys.getsizeof(self._seen))
            self._seen.add((status.st_dev, status.st_ino))
        size = status.st_blocks * 512
        self.look.all.size_on_disk += size
        if folder is not None:
            folder.size_on_disk += size

    def _level(self, handle: int, above: str, behind: bool) -> None:
        """List the directory itself or one in it: the cleanup enters directories and deletes all else, except live locks."""
        for item in self._items(handle, above):
            path = above + item.name
            if not is_directory(item, handle):
                status = self._status(item.name, handle, above)
                if status is not None:
                    self._count_on_disk(status)
                    self._file_above_modules(path, status, above == "")
                continue
            link = item.is_symlink()
            if link:
                self._append(self.look.links, shown_path(path))
            try:
                below = self._behind(item.name, handle) if link else self._enter(item.name, handle)
            except OSError as error:
                self._note_failure(path, error)
                continue
            try:
                status = os.fstat(below)
                if above:
                    folder = Folder(path, behind or link)
                    self.look.folders.append(folder)
                    self._count_on_disk(status, folder)
                    self._modules(below, folder)
                    if not folder.matters:
                        self.look.folders.pop()
                else:
                    self._count_on_disk(status)
                    self._level(below, path + "/", behind or link)
            finally:
                os.close(below)

    def _enter(self, name: str, above: int) -> int:
        """Open a directory to list it. Raises OSError."""
        handle = open_directory(name, above)
        if self._may_list is not None and not self._may_list(handle):
            os.close(handle)
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return handle

    def _behind(self, name: str, handle: int) -> int:
        from .._files.private import open_behind

        return open_behind(name, handle)

    def _file_above_modules(self, path: str, status: os.stat_result, on_top: bool) -> None:
        stem, extension = parts(path)
        if on_top and stem == ".cleanup" and extension is not None:
            stale = None
            if self.look.rules is not None:
                stale = expired(self.look.now, status.st_mtime_ns, self.look.rules.interval, self.look.rules.drift)
            if extension.startswith("wip-") and _is_text(extension):
                self._append(self.look.locks, LockFile(path, status.st_mtime_ns, stale, True))
                if stale:
                    self._add_removal(path, 1, status.st_size, own=True)
                elif self.look.rules is not None:
                    end = status.st_mtime_ns + self.look.rules.interval * SECOND
                    self.look.blocked_until = max(end, self.look.blocked_until or end)
                return
            if not stale:
                return
        self._add_removal(path, 1, status.st_size)

    def _add_removal(self, path: str, count: int, size: int, own: bool = False) -> None:
        self._append(self.look.removals, Deleted(path, count, size))
        if own:
            self.look.leftovers_removed += count
        else:
            self.look.foreign_removed += count
            self._add_foreign(path, count, size)

    def _add_foreign(self, path: str, count: int, size: int) -> None:
        self._append(self.look.foreign, shown_path(path))
        self.look.foreign_count += count
        self.look.foreign_size += size

    def _modules(self, handle: int, folder: Folder) -> None:
        """List a directory on the second level: cached modules with their statistics, locks, and foreign files."""
        # The names are not collected first: those of millions of files would fill the memory.
        number = len(self.look.folders) - 1
        for item in self._items(handle, folder.path):
            if is_directory(item, handle):
                self._tree(handle, item, folder)
                continue
            stem, extension = parts(item.name)
            if extension == "stats" and self._is_counted(handle, folder, stem):
                continue  # counted with its module
            status = self._status(item.name, handle, folder.path)
            if status is None:
                continue
            self._count_on_disk(status, folder)
            path = folder.path + "/" + item.name
            if extension is None:
                self._module(handle, folder, number, item.name, status)
            elif not _is_counted_extension(extension):
                self._other_file(path, extension, status)
            elif not self._is_counted(handle, folder, stem):
                self._add_removal(path, 1, status.st_size, own=_OWN.match(path) is not None)

    def _is_counted(self, handle: int, folder: Folder, name: str) -> bool:
        """Return whether such a file exists, and the engine counts it as a module or as statistics."""
        return _is_counted_extension(parts(name)[1]) and self._status_of_file(handle, folder, name) is not None

    def _status_of_file(self, handle: int, folder: Folder, name: str) -> os.stat_result | None:
        """Return the status of a name among the modules, links not followed; None for a directory or a missing file."""
        status = self._status(name, handle, folder.path)
        if status is None or stat.S_ISDIR(status.st_mode):
            return None
        return None if stat.S_ISLNK(status.st_mode) and _leads_to_directory(name, handle) else status

    def _module(self, handle: int, folder: Folder, number: int, name: str, status: os.stat_result) -> None:
        then = status.st_mtime_ns
        stats = None
        of_stats = self._status_of_file(handle, folder, name + ".stats")
        if of_stats is not None:
            self._count_on_disk(of_stats, folder)
            then = of_stats.st_mtime_ns
            if stat.S_ISREG(of_stats.st_mode) and of_stats.st_size <= STATS_MAX and not folder.behind_link:
                stats = self._stats(handle, name + ".stats")
        for figures in (folder, self.look.all):
            figures.add(then, status.st_size, None if stats is None else stats[0])
        if stats is not None:
            level = str(stats[1]) if stats[1] in _LEVELS else "other"
            self.look.levels[level] = self.look.levels.get(level, 0) + 1
        entry = Entry(then, status.st_size, number, name)
        self.look.entries.append(entry)
        if self.look.oldest is None or entry < self.look.oldest:
            self.look.oldest = entry
        if self.look.newest is None or entry > self.look.newest:
            self.look.newest = entry
        path = folder.path + "/" + name
        if not _OWN.match(path):
            self._add_foreign(path, 1, status.st_size)
        elif self._recent_from <= then <= self._recent_until:
            self.look.recent_entries += 1
            self.look.recent_size += status.st_size

    def _stats(self, handle: int, name: str) -> tuple[int, int] | None:
        """Return the usages and the level in a C(.stats) file; None if the engine would read none."""
        try:
            file = open_file(name, handle)
            try:
                data = os.read(file, STATS_MAX)
            finally:
                os.close(file)
        except OSError:
            return None
        if data not in self._kinds:
            if len(self._kinds) >= _KINDS_MAX:
                self._kinds.clear()
            self._kinds[data] = _statistics(data, self._loads())
        return self._kinds[data]

    def _other_file(self, path: str, extension: str, status: os.stat_result) -> None:
        """Count a file beside the modules that has another extension."""
        own = _OWN.match(path) is not None
        stale: bool | None = True
        if extension.startswith("wip-"):
            stale = None
            if self.look.rules is not None:
                stale = expired(self.look.now, status.st_mtime_ns, self.look.rules.timeout, self.look.rules.drift)
            self._append(self.look.locks, LockFile(path, status.st_mtime_ns, stale, False))
        if stale:
            self._add_removal(path, 1, status.st_size, own)
        elif not own:
            self._add_foreign(path, 1, status.st_size)

    def _tree(self, handle: int, item: os.DirEntry[str], folder: Folder) -> None:
        """Count a directory among the modules with its contents, or a link to a directory without them."""
        status = self._status(item.name, handle, folder.path)
        if status is None:
            return
        self._count_on_disk(status, folder)
        path = folder.path + "/" + item.name
        if stat.S_ISDIR(status.st_mode):
            count, size = self._sum_below(handle, item.name, path, folder, 1)
            self._add_removal(path + "/", count + 1, size)
        else:
            self._add_removal(path, 1, status.st_size)

    def _sum_below(self, above: int, name: str, path: str, folder: Folder, depth: int) -> tuple[int, int]:
        count = size = 0
        if depth > DEPTH_MAX:
            self._append(self.look.unreadable, shown_path(path))
            return count, size
        try:
            handle = self._enter(name, above)
        except OSError as error:
            self._note_failure(path, error)
            return count, size
        try:
            for item in self._items(handle, path):
                status = self._status(item.name, handle, path)
                if status is None:
                    continue
                self._count_on_disk(status, folder)
                count += 1
                if stat.S_ISDIR(status.st_mode):
                    more, larger = self._sum_below(handle, item.name, path + "/" + item.name, folder, depth + 1)
                    count += more
                    size += larger
                else:
                    size += status.st_size
        finally:
            os.close(handle)
        return count, size


def is_directory(item: os.DirEntry[str], above: int) -> bool:
    """Return whether the engine treats an item of an open directory as a directory. Links are followed."""
    try:
        return _leads_to_directory(item.name, above) if item.is_symlink() else item.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _leads_to_directory(name: str, above: int) -> bool:
    # Late: few caches have links.
    from .._files.private import leads_to_directory

    return leads_to_directory(name, above)


def _statistics(data: bytes, loads: Loads) -> tuple[int, int] | None:
    if data.count(b".") > _DOTS_MAX:
        return None
    try:
        # Not C(toml.parse): finding the place of an error takes time, and it is not reported.
        table = loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    usages: Any = table.get("usages")
    level: Any = table.get("optimized-compression")
    if not is_integer(usages) or not is_integer(level):
        return None
    if not 0 <= usages <= _I64_MAX or not -(2**31) <= level < 2**31:
        return None
    return usages, level
