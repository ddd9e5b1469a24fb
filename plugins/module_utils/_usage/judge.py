# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Select the files in a cache directory that are of a kind to remove. Nothing is changed.

Each directory is opened through the one above it. No link is followed, and no mount point is crossed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from array import array
from typing import TYPE_CHECKING, Any, Callable, Iterator, NamedTuple

from .._files.access import ENTER, WRITE, others_may
from .._files.path import open_to_judge
from .._files.rights import FOWNER, overrides
from .cleanup import crashes, kept, order
from .scan import (
    DEPTH_MAX,
    GONE,
    LISTED,
    Entry,
    Stopped,
    expired,
    is_directory,
    open_directory,
    open_file,
    parts,
    shown_path,
)

if TYPE_CHECKING:
    from .scan import Budget, CleanupRules

# The kinds; a file that belongs to several counts for the first of them.
UNTRUSTED, ORPHANS, UNUSED, BROKEN, STALE, FOREIGN, OVER_LIMITS, ALL = (
    "untrusted",
    "orphans",
    "unused",
    "broken",
    "stale_locks",
    "foreign",
    "over_limits",
    "all",
)
REMOVABLE = (UNTRUSTED, ORPHANS, UNUSED, BROKEN, STALE, FOREIGN, OVER_LIMITS, ALL)

# Reasons to keep a file of such a kind; FOREIGN is another one.
CHANGED_MEANWHILE, DENIED, IN_USE, MOUNT_POINT, OTHER_NAMES = (
    "changed",
    "denied",
    "in_use",
    "mount_point",
    "other_names",
)

# Why the cached modules cannot be compared with the limits, apart from a cleanup that crashes.
LINKS, NOT_SEEN, CRASHES = "links", "not-seen", "cleanup-crashes"

# Why nothing at all is removed.
APART, STRANGERS = "apart", "strangers"

# Roles of directories.
TOP, MODULES, COMPILER, ASIDE, FOLDER, TREE = range(6)
"""The cache directory; C(modules) in it; C(wasmtime-*) in that; others on these two levels; all deeper ones."""
_OWN_ROLES = (TOP, MODULES, COMPILER)
# Those in which the engine treats files as cached modules.
_COUNTED = (COMPILER, FOLDER)
# Those in which the engine follows links to directories.
_FOLLOWED = (TOP, MODULES, ASIDE)

_OWN = re.compile(r"[A-Za-z0-9_-]{43}(\.stats|\.wip-[^\udc80-\udcff]*)?\Z")
_LOCK = re.compile(r"\.cleanup\.wip-[^.\udc80-\udcff]*\Z")
# C(Files.kind) of a file that is kept.
_STAYS = -1


class NotToPrune(Exception):
    """A directory from which nothing may be removed; the text is APART or STRANGERS, by C(Wanted)."""


class Wanted(NamedTuple):
    """The kinds of files to remove."""

    kinds: frozenset[str]
    used: Callable[[str], bool] | None = None
    """Returns whether a Wasmtime uses the directory of this name in C(modules); None if this is unknown."""
    unused_before: int | None = None
    """Modules that were last used before this time are unused; nanoseconds since 1970."""
    backup: bool = False
    """Whether foreign files are moved to a backup, apart from those with other names."""
    apart: frozenset[tuple[int, int]] = frozenset()
    """Directories, by device and inode, that no cache has in it: homes, for example."""
    no_strangers: bool = False
    """Whether what belongs to others than root and the owner of the cache is not to be touched."""

    def counted(self) -> list[str]:
        """Return the kinds that are counted, in their order."""
        return [kind for kind in REMOVABLE if kind in self.kinds or (kind == UNUSED and self.unused_before is not None)]


class Directory:
    """A directory that was entered, or whose contents cannot be examined."""

    __slots__ = (
        "above",
        "blocks",
        "device",
        "exposed",
        "inode",
        "kind",
        "name",
        "orphan",
        "owner",
        "role",
        "shut",
        "stays",
        "sticky",
        "theirs",
    )

    def __init__(self, name: str, above: int, role: int, status: os.stat_result) -> None:
        self.name = name
        self.above = above
        """The number of the directory above; -1 for the first one."""
        self.role = role
        self.device = status.st_dev
        self.inode = status.st_ino
        self.owner = status.st_uid
        self.blocks = status.st_blocks
        self.theirs = False
        """Whether it, or one above it, belongs to a user other than root and the owner of the cache."""
        self.exposed = False
        """Whether other users can replace the files in it."""
        self.orphan = False
        self.shut = False
        """Whether this user may not remove anything in it."""
        self.sticky = False
        """Whether this user may only remove its own files in it."""
        self.kind: str | None = None
        """The kind for which it is removed once it is empty."""
        self.stays = False
        """Whether something in it is kept."""


class Files:
    """All files that were found, in columns, because there may be very many.

    The statistics of a cached module follow it and have no name.
    """

    def __init__(self) -> None:
        self.names: list[str | None] = []
        self.folder = array("L")
        self.kind = array("b")
        self.counted = array("b")
        """Whether the engine treats it as a cached module."""
        self.regular = array("b")
        self.inode = array("Q")
        self.size = array("q")
        self.time = array("q")
        self.owner = array("L")
        self.blocks = array("q")
        self.links: dict[int, int] = {}
        """The number of names of a file that has more than one."""
        self.devices: dict[int, int] = {}
        """The device of a file, if it differs from that of its directory, as on some file systems."""

    def add(self, name: str | None, folder: int, status: os.stat_result, device: int, counted: bool = False) -> int:
        """Add a file, and return its number. C(device): that of its directory."""
        number = len(self.names)
        self.names.append(name)
        self.folder.append(folder)
        self.kind.append(_STAYS)
        self.counted.append(counted)
        self.regular.append(stat.S_ISREG(status.st_mode))
        self.inode.append(status.st_ino)
        self.size.append(status.st_size)
        self.time.append(status.st_mtime_ns)
        self.owner.append(status.st_uid)
        self.blocks.append(status.st_blocks)
        if status.st_nlink > 1:
            self.links[number] = status.st_nlink
        if status.st_dev != device:
            self.devices[number] = status.st_dev
        return number

    def is_same(self, number: int, device: int, status: os.stat_result) -> bool:
        """Return whether a file is the one that was found and is unchanged. C(device): that of its directory."""
        return (
            status.st_dev == self.devices.get(number, device)
            and status.st_ino == self.inode[number]
            and status.st_size == self.size[number]
            and status.st_mtime_ns == self.time[number]
            and status.st_uid == self.owner[number]
        )

    def has_statistics(self, number: int) -> bool:
        """Return whether the next file is the statistics of this one."""
        return number + 1 < len(self.names) and self.names[number + 1] is None

    def used(self, number: int) -> int:
        """Return when a cached module was last used, by the engine's rule; nanoseconds since 1970."""
        return self.time[number + 1 if self.has_statistics(number) else number]


class Figures:
    """The figures of the files that were removed, or kept, for one reason."""

    def __init__(self) -> None:
        self.count = self.entries = self.size = self.size_on_disk = 0
        self._files: list[str] = []
        self._directories: list[str] = []

    def add(self, path: str, size: int, size_on_disk: int, is_entry: bool) -> None:
        """Add a file of this path, or a directory of one that ends with C(/)."""
        self.count += 1
        self.entries += is_entry
        self.size += size
        self.size_on_disk += size_on_disk
        names = self._directories if path.endswith("/") else self._files
        if len(names) < LISTED:
            names.append(shown_path(path))

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as the module returns them."""
        names = (sorted(self._directories) + self._files)[:LISTED]
        return {
            "count": self.count,
            "entries": self.entries,
            "size": self.size,
            "size_on_disk": self.size_on_disk,
            "names": names,
            "names_left_out": self.count - len(names),
        }


class Judgement:
    """The examined files of a cache directory, and which of them to remove."""

    def __init__(self, top: int, wanted: Wanted, rules: CleanupRules | None, now: int, budget: Budget) -> None:
        self.top = top
        self.wanted = wanted
        self.rules = rules
        self.now = now
        self.budget = budget
        self.directories: list[Directory] = []
        self.found = Files()
        self.unreadable: list[str] = []
        self.unread = 0
        """How many cached modules could not be opened to verify them."""
        self.not_limited: str | None = None
        """Why the modules were not compared with the limits: LINKS, NOT_SEEN or CRASHES."""
        self.stopped_by: str | None = None
        self.is_cache = False
        """Whether the directory is empty, or contains something that only the engine creates."""
        self._kept: dict[int, str] = {}
        """Files of a kind to remove that are kept, with the reason."""
        self._kept_too: list[tuple[str, str]] = []
        """Reason and path of everything else that is kept."""
        self._linked: list[int] = []
        """Links that the engine follows."""
        self._unseen = False
        """Whether something is mounted there that may have modules for the engine."""
        status = os.fstat(top)
        self.trusted = (0, status.st_uid)
        self._mount = _mount(top)
        self.directories.append(Directory("", -1, TOP, status))

    def examine(self) -> None:
        """Examine everything, up to the limits of time and memory. Call this once. Raises NotToPrune."""
        try:
            self._rights(self.directories[0], self.top, os.fstat(self.top))
            self._walk(self.top, 0, 0)
            if BROKEN in self.wanted.kinds:
                self._verify()
        except Stopped as stop:
            self.stopped_by = stop.reason
        if OVER_LIMITS in self.wanted.kinds:
            self._limits()
        self._rest()

    @property
    def exposed(self) -> bool:
        """Whether other users can replace files in the cache directory itself."""
        return self.directories[0].exposed

    @property
    def complete(self) -> bool:
        """Whether everything was examined."""
        return self.stopped_by is None and not self.unreadable

    def path(self, number: int) -> str:
        """Return the path of a directory below the cache directory, with a slash at its end; empty for itself."""
        names = []
        while number > 0:
            names.append(self.directories[number].name)
            number = self.directories[number].above
        return "".join(name + "/" for name in reversed(names))

    def file(self, number: int) -> str:
        """Return the path of a file below the cache directory."""
        return self.path(self.found.folder[number]) + str(self.found.names[number])

    def kept(self) -> dict[str, Figures]:
        """The files of a kind to remove that are kept."""
        figures: dict[str, Figures] = {}
        for reason, path in self._kept_too:
            figures.setdefault(reason, Figures()).add(path, 0, 0, False)
        for number, reason in self._kept.items():
            is_entry = bool(self.found.counted[number])
            figures.setdefault(reason, Figures()).add(self.file(number), self.found.size[number], 0, is_entry)
        return figures

    def planned(self) -> Iterator[int]:
        """Return the numbers of the files to remove, grouped by directory."""
        found = self.found
        return (n for n, kind in enumerate(found.kind) if kind != _STAYS and found.names[n] is not None)

    def kind(self, number: int) -> str:
        """Return the kind for which a file is removed."""
        return REMOVABLE[self.found.kind[number]]

    def is_own(self, number: int) -> bool:
        """Return whether a file has the name of one of the engine's own files."""
        name = self.found.names[number]
        return name is not None and _is_own(self.directories[self.found.folder[number]].role, name)

    def left(self) -> tuple[int, int]:
        """Return the number of cached modules, including those to remove, and their bytes."""
        found = self.found
        numbers = [number for number, counted in enumerate(found.counted) if counted]
        return len(numbers), sum(found.size[number] for number in numbers)

    # --- the walk ---

    def _walk(self, handle: int, number: int, depth: int) -> None:
        """Examine an open directory, and everything below it."""
        place = self.directories[number]
        below: list[tuple[str, os.stat_result]] = []
        empty = True
        try:
            with os.scandir(handle) as listed:
                for item in listed:
                    empty = False
                    self.budget.check()
                    try:
                        status = os.stat(item.name, dir_fd=handle, follow_symlinks=False)
                    except OSError as error:
                        if error.errno in GONE:
                            continue
                        # Such as in a directory that this user may list but not enter.
                        raise
                    if stat.S_ISDIR(status.st_mode):
                        below.append((item.name, status))
                    elif status.st_dev != place.device and not self._is_here(item.name, handle):
                        self._mounted(number, item.name)
                    else:
                        self._file(handle, number, item, status)
        except OSError as error:
            self._unreadable(number, error.errno not in GONE)
        if empty and place.role == MODULES:
            self.is_cache = True
        for name, status in below:
            self.budget.check()
            self._directory(handle, number, name, status, depth + 1)

    def _directory(self, handle: int, above: int, name: str, status: os.stat_result, depth: int) -> None:
        self._refuse_strangers(status)
        upper = self.directories[above]
        number = len(self.directories)
        place = Directory(name, above, _role(upper.role, name), status)
        place.theirs = upper.theirs or status.st_uid not in self.trusted
        place.exposed = upper.exposed
        try:
            if depth > DEPTH_MAX:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
            below = open_directory(name, handle)
        except OSError as error:
            if depth > DEPTH_MAX or error.errno not in GONE:
                self.directories.append(place)
                self._unreadable(number, True)
            return
        try:
            now = os.fstat(below)
            if (now.st_dev, now.st_ino) != (status.st_dev, status.st_ino):
                upper.stays = True
                return
            mount = _mount(below)
            if mount != self._mount or (mount is None and now.st_dev != upper.device):
                self._mounted(above, name + "/")
                return
            if (now.st_dev, now.st_ino) in self.wanted.apart:
                raise NotToPrune(APART)
            self.directories.append(place)
            self._rights(place, below, now)
            if place.role == COMPILER:
                self.is_cache = True
                used = self.wanted.used
                place.orphan = used is not None and not used(name)
            place.kind = self._kind_of_directory(place)
            self._walk(below, number, depth)
        finally:
            os.close(below)

    def _rights(self, place: Directory, handle: int, status: os.stat_result) -> None:
        """Record who may do what in a directory."""
        own = "/proc/self/fd/%d" % handle
        kept_by_owner = bool(status.st_mode & stat.S_ISVTX)
        if not kept_by_owner and others_may(own + "/.", status.st_mode, status.st_uid, WRITE):
            place.exposed = True
        place.shut = not os.access(
            ".", os.W_OK | os.X_OK, dir_fd=handle, effective_ids=os.access in os.supports_effective_ids
        )
        place.sticky = kept_by_owner and os.geteuid() != status.st_uid and not overrides(FOWNER, status)

    def _kind_of_directory(self, place: Directory) -> str | None:
        kinds = self.wanted.kinds
        own = place.role in _OWN_ROLES
        if UNTRUSTED in kinds and (place.theirs or (own and place.exposed)):
            return UNTRUSTED
        if ORPHANS in kinds and place.orphan:
            return ORPHANS
        if FOREIGN in kinds and not own:
            return FOREIGN
        return ALL if ALL in kinds else None

    def _refuse_strangers(self, status: os.stat_result) -> None:
        # The owner of the cache may not list a directory of root, and could not remove what is in it.
        if self.wanted.no_strangers and stat.S_ISDIR(status.st_mode) and status.st_uid != self.trusted[1]:
            raise NotToPrune(STRANGERS)
        if self.wanted.no_strangers and status.st_uid not in self.trusted:
            raise NotToPrune(STRANGERS)

    def _mounted(self, number: int, name: str) -> None:
        place = self.directories[number]
        place.stays = True
        self._unseen = self._unseen or place.role != TREE
        self._kept_too.append((MOUNT_POINT, self.path(number) + name))

    def _is_here(self, name: str, handle: int) -> bool:
        """Return whether a file on a different device than its directory is not a mount point, as on overlayfs and btrfs."""
        try:
            file = open_to_judge(name, handle)
        except OSError:
            return False
        try:
            return self._mount is not None and _mount(file) == self._mount
        finally:
            os.close(file)

    def _unreadable(self, number: int, told: bool) -> None:
        self.directories[number].stays = True
        if told and len(self.unreadable) < LISTED:
            self.unreadable.append(shown_path(self.path(number)).rstrip("/") or ".")

    def _file(self, handle: int, number: int, item: os.DirEntry[str], status: os.stat_result) -> None:
        """Examine a file, a link, or anything else except a directory."""
        self._refuse_strangers(status)
        place, name = self.directories[number], item.name
        own = _is_own(place.role, name)
        stem, extension = parts(name)
        statistics = None
        counted = leftover = False
        link = stat.S_ISLNK(status.st_mode) and is_directory(item, handle)
        if place.role in _COUNTED and not link:
            if extension == "stats" and parts(stem)[1] is None:
                if beside(handle, stem) is not None:
                    return  # comes with its module
                leftover = True
            elif extension is None:
                counted = True
                statistics = beside(handle, name + ".stats")
        file = self.found.add(name, number, status, place.device, counted)
        if statistics is not None:
            self.found.add(None, number, statistics, place.device)
        if link and place.role in _FOLLOWED:
            self._linked.append(file)
        self.is_cache = self.is_cache or (own and place.role == TOP)
        expected = None
        if self.is_untrusted(place, own, handle, name, status) or (
            statistics is not None and self.is_untrusted(place, own, handle, name + ".stats", statistics)
        ):
            expected = UNTRUSTED if UNTRUSTED in self.wanted.kinds else None
        if expected is None:
            expected = self._kind_of(place, file, own, leftover)
        if expected is not None:
            self._plan(file, expected)

    def is_untrusted(self, place: Directory, own: bool, handle: int, name: str, status: os.stat_result) -> bool:
        """Return whether other users may have created or changed a file. C(handle): that of its directory."""
        if place.theirs or status.st_uid not in self.trusted:
            return True
        if place.exposed and stat.S_ISLNK(status.st_mode) and _role(place.role, name) in _OWN_ROLES:
            return True
        if not own or place.exposed:
            return own
        return stat.S_ISREG(status.st_mode) and others_may(
            "/proc/self/fd/%d/%s" % (handle, name), status.st_mode, status.st_uid, WRITE
        )

    def _kind_of(self, place: Directory, number: int, own: bool, leftover: bool) -> str | None:
        """Return the kind of a trusted file, as far as it follows from the file alone."""
        kinds, found = self.wanted.kinds, self.found
        if not own:
            if FOREIGN in kinds:
                return FOREIGN
            if ALL not in kinds and place.kind is not None:
                self._stays(FOREIGN, number)
            return None
        name = str(found.names[number])
        stale = leftover or self._is_stale(place, name, found.time[number])
        is_module = bool(found.counted[number])
        if ORPHANS in kinds and place.orphan:
            if is_module or stale or not found.regular[number]:
                return ORPHANS
            if ALL not in kinds:
                self._stays(IN_USE, number)
            return None
        before = self.wanted.unused_before
        if before is not None and is_module and found.used(number) < before:
            return UNUSED
        if BROKEN in kinds and not found.regular[number]:
            return BROKEN
        return STALE if STALE in kinds and stale else None

    def _is_stale(self, place: Directory, name: str, time: int) -> bool:
        """Return whether the engine ignores a lock or a temporary file."""
        extension = parts(name)[1]
        if extension is None or extension == "stats":
            return False
        if not extension.startswith("wip-"):
            return True
        if self.rules is None:
            return False
        threshold = self.rules.interval if place.role == TOP else self.rules.timeout
        return expired(self.now, time, threshold, self.rules.drift)

    def _stays(self, reason: str, number: int) -> None:
        self._kept[number] = reason

    def _plan(self, number: int, kind: str) -> bool:
        """Plan to remove a file; return whether that is possible."""
        found = self.found
        place = self.directories[found.folder[number]]
        last = number + 1 if found.has_statistics(number) else number
        if number in self._kept:
            return False
        if place.shut or (place.sticky and {found.owner[n] for n in range(number, last + 1)} != {os.geteuid()}):
            self._stays(DENIED, number)
            return False
        moves = self.wanted.backup and kind in (FOREIGN, ALL) and not self.is_own(number)
        if moves and any(n in found.links for n in range(number, last + 1)):
            self._stays(OTHER_NAMES, number)
            return False
        for n in range(number, last + 1):
            found.kind[n] = REMOVABLE.index(kind)
        return True

    # --- kinds that do not follow from each file alone ---

    def _verify(self) -> None:
        """Find the cached modules that are broken. Raises Stopped."""
        from .zstd import Broken, decompress

        found = self.found
        with contextlib.closing(Folders(self)) as folders:
            for number in range(len(found.names)):
                if not found.counted[number] or not found.regular[number] or found.kind[number] != _STAYS:
                    continue
                if not self.is_own(number):
                    continue
                self.budget.check()
                try:
                    file = open_file(str(found.names[number]), folders.handle(found.folder[number]))
                except OSError as error:
                    if error.errno not in GONE:
                        self.unread += 1
                    continue
                try:
                    if found.is_same(number, self.directories[found.folder[number]].device, os.fstat(file)):
                        for _piece in decompress(file, self.budget):
                            pass
                except (Broken, OSError):
                    self._plan(number, BROKEN)
                finally:
                    os.close(file)

    def _limits(self) -> None:
        """Find the modules that the next cleanup would delete after all planned removals."""
        rules, found = self.rules, self.found
        if rules is None or not self.complete or self._unseen:
            self.not_limited = NOT_SEEN
        elif any(found.kind[number] == _STAYS for number in self._linked):
            self.not_limited = LINKS
        elif crashes(rules, self.now):
            self.not_limited = CRASHES
        if rules is None or self.not_limited:
            return
        try:
            entries = []
            for number, counted in enumerate(found.counted):
                if counted and found.kind[number] == _STAYS:
                    self.budget.check()
                    entries.append(Entry(found.used(number), found.size[number], number, ""))
            if len(entries) > rules.file_count or sum(entry.size for entry in entries) > rules.total_size:
                order(entries, rules, self.now, self.budget)
                stay, _size = kept(entries, rules, self.budget)
                for entry in entries[stay:]:
                    if self.is_own(entry.folder):
                        self._plan(entry.folder, OVER_LIMITS)
                    elif ALL not in self.wanted.kinds:
                        self._stays(FOREIGN, entry.folder)
        except Stopped as stop:
            self.stopped_by = stop.reason
            self.not_limited = NOT_SEEN

    def _rest(self) -> None:
        """Plan to remove the rest if everything is to be removed, and find the directories that will be empty."""
        found = self.found
        everything = ALL in self.wanted.kinds
        for number, kind in enumerate(found.kind):
            if kind == _STAYS and found.names[number] is not None:
                if everything and self._plan(number, ALL):
                    continue
                self.directories[found.folder[number]].stays = True
        for number in range(len(self.directories) - 1, 0, -1):
            place = self.directories[number]
            upper = self.directories[place.above]
            goes = place.kind is not None and not place.stays
            if goes and (upper.shut or (upper.sticky and place.owner != os.geteuid())):
                place.stays = True
                self._kept_too.append((DENIED, self.path(number)))
            upper.stays = upper.stays or place.stays or place.kind is None


def judge(top: int, wanted: Wanted, rules: CleanupRules | None, now: int, budget: Budget) -> Judgement:
    """Examine a cache directory. Raises NotToPrune.

    Does not raise Stopped, but records it; the rest is then kept.

    C(top): an open handle to it. C(rules) is None if the config is refused: then no lock is known to have expired.
    C(now): nanoseconds since 1970.
    """
    judged = Judgement(top, wanted, rules, now, budget)
    judged.examine()
    return judged


class Folders:
    """Opens the directories of a judgement, each through the one above it, if they are still those that were examined."""

    def __init__(self, judged: Judgement) -> None:
        self._judged = judged
        self._number = -1
        self._handle = -1

    def close(self) -> None:
        """Close the last handle."""
        if self._number >= 0:
            os.close(self._handle)
            self._number = -1

    def handle(self, number: int) -> int:
        """Return a handle to a directory, which is valid until the next call. Raises OSError."""
        if number != self._number:
            self.close()
            self._handle = self._open(number)
            self._number = number
        return self._handle

    def _open(self, number: int) -> int:
        parents = []
        while number > 0:
            parents.append(self._judged.directories[number])
            number = parents[-1].above
        handle = os.dup(self._judged.top)
        try:
            for place in reversed(parents):
                above, handle = handle, open_directory(place.name, handle)
                os.close(above)
                now = os.fstat(handle)
                if (now.st_dev, now.st_ino) != (place.device, place.inode):
                    raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        except BaseException:
            os.close(handle)
            raise
        return handle


def private_to(status: os.stat_result, path: str, user: int) -> bool:
    """Return whether a cache directory belongs to this user, and only root and the user can enter it."""
    return status.st_uid == user and not others_may(path, status.st_mode, user, ENTER)


def _role(above: int, name: str) -> int:
    if above == TOP:
        return MODULES if name == "modules" else ASIDE
    if above == MODULES:
        return COMPILER if name.startswith("wasmtime-") else FOLDER
    return FOLDER if above == ASIDE else TREE


def _is_own(role: int, name: str) -> bool:
    """Return whether the engine gives this name to a file in a directory of this role."""
    pattern = {TOP: _LOCK, COMPILER: _OWN}.get(role)
    return pattern is not None and pattern.match(name) is not None


def beside(handle: int, name: str) -> os.stat_result | None:
    """Return the status of a name that the engine treats as a file; None for a directory, a link to one, and nothing."""
    try:
        status = os.stat(name, dir_fd=handle, follow_symlinks=False)
    except OSError:
        return None
    if stat.S_ISDIR(status.st_mode):
        return None
    if stat.S_ISLNK(status.st_mode):
        from .._files.private import leads_to_directory

        return None if leads_to_directory(name, handle) else status
    return status


def _mount(handle: int) -> bytes | None:
    """Return the number of the mount that an open file is on; None if the system does not report it."""
    try:
        with open("/proc/self/fdinfo/%d" % handle, "rb") as file:
            for line in file:
                if line.startswith(b"mnt_id:"):
                    return line.split()[1]
    except OSError:  # not Linux
        pass
    return None
