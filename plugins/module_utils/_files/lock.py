# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let one run at a time change the files in a directory, by an advisory lock on the directory itself.

The lock is C(flock(2)) on an open directory: it leaves no file behind, and the system releases it
when the process ends for any reason. A run without changes takes no lock.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from typing import TYPE_CHECKING

from .access import Reason
from .path import OPEN_TO_LIST
from .write import CannotWrite, close, opened_directory

if TYPE_CHECKING:
    from .path import ResolvedPath

# Seconds. Every user who may read a directory can keep its lock for ever.
WAIT = 30.0
# Seconds between two attempts, at first and at most.
_SHORTEST, _LONGEST = 0.001, 0.05
_NO_LOCKS = (errno.ENOTSUP, errno.ENOSYS)


class Lock:
    """The lock on one directory at a time, until C(release) or the end of the process."""

    def __init__(self) -> None:
        self._handle = -1
        self._of: tuple[int, int] | None = None
        # One deadline for all attempts: replacing the directory does not extend it.
        self._end: float | None = None

    def take(self, resolved: ResolvedPath) -> bool:
        """Lock C(real) of a resolved path; return False if this object has locked it already.

        Files read before that may have changed. A directory that this user may not open, or that is
        on a file system without such locks, counts as locked. Raises CannotWrite.
        """
        status = resolved.status()
        if self._of == (status.st_dev, status.st_ino):
            return False
        self.release()
        with opened_directory(resolved, Reason("not-locked")) as directory:
            try:
                handle = os.open(".", OPEN_TO_LIST, dir_fd=directory)
            except PermissionError:
                handle = -1
            try:
                if handle != -1:
                    self._wait_for(handle, resolved.real)
            except BaseException:
                close(handle)
                raise
        self._handle, self._of = handle, (status.st_dev, status.st_ino)
        return True

    def release(self) -> None:
        """Unlock the directory."""
        if self._handle != -1:
            close(self._handle)
        self._handle, self._of = -1, None

    def _wait_for(self, handle: int, path: str) -> None:
        end = self._end = self._end or time.monotonic() + WAIT
        pause = _SHORTEST
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() >= end:
                    raise CannotWrite(Reason("locked", path=path, seconds=int(WAIT))) from None
            except OSError as error:
                if error.errno in _NO_LOCKS:
                    return
                raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST)
