# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove the files that a judgement has selected from a cache directory, or predict the result.

Names are removed only in open directories, and only while they lead to the files that were examined. A cached module
is removed before its statistics, so that the engine accepts the cache at any moment.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from typing import TYPE_CHECKING

from .judge import ALL, CHANGED_MEANWHILE, DENIED, FOREIGN, MOUNT_POINT, UNTRUSTED, Figures, Folders, beside
from .scan import GONE, SECOND, open_directory

if TYPE_CHECKING:
    from .judge import Directory, Judgement

_BLOCK = 512
_BACKUP_MODE = 0o700
_STATISTICS = ".stats"


class Kept(Exception):
    """Something is kept; the text is one of the reasons of C(judge)."""


class Outcome:
    """The files that a run has removed, or would remove."""

    def __init__(self, judged: Judgement) -> None:
        self.removed = {kind: Figures() for kind in judged.wanted.counted()}
        self.kept = judged.kept()
        self.freed = 0
        self.left, self.left_size = judged.left()

    def gone(self, kind: str, path: str, size: int, freed: int, is_entry: bool) -> None:
        """Record a removed file."""
        self.removed[kind].add(path, size, freed, is_entry)
        self.freed += freed

    def stays(self, reason: str, path: str, size: int, is_entry: bool) -> None:
        """Record a file of a kind to remove that is kept."""
        self.kept.setdefault(reason, Figures()).add(path, size, 0, is_entry)


class Backup:
    """Moves foreign files to a new directory in an open one to which only this user and root can write."""

    def __init__(self, handle: int, now: int) -> None:
        self._parent = handle
        self._now = now
        self._folder: str | None = None
        """Where the open handle leads; None if there is none."""
        self._handle = -1
        self.name: str | None = None
        """The name of the new directory; None before it is created."""

    def close(self) -> None:
        """Close what is open."""
        if self._folder is not None:
            os.close(self._handle)
            self._folder = None

    def move(self, name: str, handle: int, folder: str) -> tuple[int, os.stat_result]:
        """Add a second name here to a file in an open directory; return a handle to the directory with it, and its status.

        C(folder): the path of that directory, with a slash at its end. Overwrites nothing and follows no link. Raises Kept
        if the backup is gone, and OSError.
        """
        if self._folder != folder:
            self.close()
            try:
                self._handle = self._enter(folder)
            except FileNotFoundError:
                # Not the file: the backup is gone.
                raise Kept(DENIED) from None
            self._folder = folder
        os.link(name, name, src_dir_fd=handle, dst_dir_fd=self._handle, follow_symlinks=False)
        return self._handle, os.stat(name, dir_fd=self._handle, follow_symlinks=False)

    def _enter(self, folder: str) -> int:
        if self.name is None:
            self.name = self._make()
        handle = open_directory(self.name, self._parent)
        try:
            for name in filter(None, folder.split("/")):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, _BACKUP_MODE, dir_fd=handle)
                above, handle = handle, open_directory(name, handle)
                os.close(above)
        except BaseException:
            os.close(handle)
            raise
        return handle

    def _make(self) -> str:
        stem = name = time.strftime("wasmtime-cache-%Y%m%dT%H%M%SZ", time.gmtime(self._now // SECOND))
        number = 1
        while True:
            try:
                os.mkdir(name, _BACKUP_MODE, dir_fd=self._parent)
            except FileExistsError:
                number += 1
                name = "%s-%d" % (stem, number)
            else:
                return name


class Foretelling:
    """Removes nothing, and calculates what a removal would free."""

    def __init__(self, judged: Judgement) -> None:
        self._judged = judged
        self._left: dict[tuple[int, int], int] = {}
        """How many names are left of files that have several."""

    def close(self) -> None:
        """Do nothing."""

    def file(self, number: int) -> int:
        """Return the bytes that removing this file and its statistics would free."""
        found = self._judged.found
        if _moves(self._judged, number):
            return 0
        return sum(
            found.blocks[each] * _BLOCK for each in _with_statistics(self._judged, number) if self._is_last_name(each)
        )

    def _is_last_name(self, number: int) -> bool:
        found = self._judged.found
        if number not in found.links:
            return True
        key = (found.devices.get(number, self._judged.directories[found.folder[number]].device), found.inode[number])
        self._left[key] = self._left.get(key, found.links[number]) - 1
        return not self._left[key]

    def directory(self, number: int) -> None:
        """Do nothing."""


class Removal:
    """Removes the selected files."""

    def __init__(self, judged: Judgement, backup: Backup | None) -> None:
        self._judged = judged
        self._backup = backup
        self._folders = Folders(judged)

    def close(self) -> None:
        """Close what is open."""
        self._folders.close()
        if self._backup is not None:
            self._backup.close()

    def file(self, number: int) -> int:
        """Remove a file with its statistics; return the bytes freed. Raises Kept, and OSError if it is gone."""
        found = self._judged.found
        folder = found.folder[number]
        place = self._judged.directories[folder]
        handle = self._folders.handle(folder)
        name = str(found.names[number])
        status = os.stat(name, dir_fd=handle, follow_symlinks=False)
        self._compare(number, place, handle, name, status)
        with_statistics = found.has_statistics(number)
        if found.counted[number]:
            self._compare_statistics(number, place, handle, name + _STATISTICS, with_statistics)
        freed = self._remove(number, place, handle, name, status)
        if with_statistics:
            with contextlib.suppress(OSError, Kept):
                status = os.stat(name + _STATISTICS, dir_fd=handle, follow_symlinks=False)
                # The engine may have written a new module and its statistics already.
                if found.is_same(number + 1, place.device, status):
                    freed += self._remove(number + 1, place, handle, name + _STATISTICS, status)
        return freed

    def _compare(self, number: int, place: Directory, handle: int, name: str, status: os.stat_result) -> None:
        """Raise Kept if a file is no longer the one that was examined, unless it is removed in any case."""
        judged = self._judged
        if judged.found.is_same(number, place.device, status):
            return
        kind = judged.kind(number)
        own = judged.is_own(number)
        if judged.wanted.no_strangers and status.st_uid not in judged.trusted:
            raise Kept(CHANGED_MEANWHILE)
        if stat.S_ISDIR(status.st_mode) or not (
            (kind == ALL and own) or (kind == UNTRUSTED and judged.is_untrusted(place, own, handle, name, status))
        ):
            raise Kept(CHANGED_MEANWHILE)

    def _compare_statistics(self, number: int, place: Directory, handle: int, name: str, expected: bool) -> None:
        """Raise Kept if the engine has used a module since it was examined, unless that does not matter."""
        if self._judged.kind(number) in (ALL, UNTRUSTED):
            return
        status = beside(handle, name)
        if status is None:
            return
        if not expected or not self._judged.found.is_same(number + 1, place.device, status):
            raise Kept(CHANGED_MEANWHILE)

    def _remove(self, number: int, place: Directory, handle: int, name: str, status: os.stat_result) -> int:
        if self._backup is not None and _moves(self._judged, number):
            self._move(self._backup, number, place, handle, name)
            return 0
        os.unlink(name, dir_fd=handle)
        return self._judged.found.blocks[number] * _BLOCK if status.st_nlink <= 1 else 0

    def _move(self, backup: Backup, number: int, place: Directory, handle: int, name: str) -> None:
        there, status = backup.move(name, handle, self._judged.path(self._judged.found.folder[number]))
        found = self._judged.found
        try:
            # With more names, it may be the file of another user.
            if status.st_nlink != 2 or not found.is_same(number, place.device, status):
                raise Kept(CHANGED_MEANWHILE)
            if not os.path.samestat(os.stat(name, dir_fd=handle, follow_symlinks=False), status):
                raise Kept(CHANGED_MEANWHILE)
            os.unlink(name, dir_fd=handle)
        except BaseException:
            os.unlink(name, dir_fd=there)
            raise

    def directory(self, number: int) -> None:
        """Remove an empty directory. Raises Kept, and OSError if it is gone."""
        place = self._judged.directories[number]
        handle = self._folders.handle(place.above)
        status = os.stat(place.name, dir_fd=handle, follow_symlinks=False)
        if (status.st_dev, status.st_ino) != (place.device, place.inode):
            raise Kept(CHANGED_MEANWHILE)
        os.rmdir(place.name, dir_fd=handle)


def carry_out(judged: Judgement, by: Foretelling | Removal) -> Outcome:
    """Remove everything that was planned."""
    outcome = Outcome(judged)
    found = judged.found
    with contextlib.closing(by):
        for number in judged.planned():
            size = sum(found.size[each] for each in _with_statistics(judged, number))
            is_entry = bool(found.counted[number])
            try:
                freed = by.file(number)
            except (OSError, Kept) as error:
                reason = _reason(error)
                judged.directories[found.folder[number]].stays |= reason is not None
                if reason is not None:
                    outcome.stays(reason, judged.file(number), found.size[number], is_entry)
                    continue
                freed = None
            if freed is not None:
                outcome.gone(judged.kind(number), judged.file(number), size, freed, is_entry)
            if is_entry:
                outcome.left -= 1
                outcome.left_size -= found.size[number]
        for number in range(len(judged.directories) - 1, 0, -1):
            _directory(judged, number, by, outcome)
    return outcome


def _directory(judged: Judgement, number: int, by: Foretelling | Removal, outcome: Outcome) -> None:
    place = judged.directories[number]
    if place.kind is not None and not place.stays:
        try:
            by.directory(number)
        except (OSError, Kept) as error:
            reason = _reason(error)
            if reason is not None:
                place.stays = True
                outcome.stays(reason, judged.path(number), 0, False)
        else:
            outcome.gone(place.kind, judged.path(number), 0, place.blocks * _BLOCK, False)
    if place.stays:
        judged.directories[place.above].stays = True


def _reason(error: OSError | Kept) -> str | None:
    """Return why something is kept; None if it is gone."""
    if isinstance(error, Kept):
        return str(error)
    if error.errno == errno.ENOENT:
        return None
    if error.errno in (errno.EBUSY, errno.EXDEV):
        return MOUNT_POINT
    if error.errno in (*GONE, errno.ENOTEMPTY, errno.EEXIST, errno.EISDIR):
        return CHANGED_MEANWHILE
    return DENIED


def _with_statistics(judged: Judgement, number: int) -> range:
    return range(number, number + 1 + judged.found.has_statistics(number))


def _moves(judged: Judgement, number: int) -> bool:
    """Return whether a file is moved to the backup instead of being removed."""
    if judged.found.names[number] is None:
        number -= 1
    return judged.wanted.backup and judged.kind(number) in (FOREIGN, ALL) and not judged.is_own(number)
