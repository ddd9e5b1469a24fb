# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time changes the files in a directory: an advisory lock on the directory itself.

It is C(flock(2)) on an open directory: no file stays behind, and the system releases it when the
process ends, whatever ends it. A run that has nothing to change takes no lock.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from typing import TYPE_CHECKING

from .._config.printable import quoted
from .write import DIRECTORY, CannotWrite, close, held_directory

if TYPE_CHECKING:
    from .path import ResolvedPath

# Seconds. Whoever may read a directory can hold its lock for ever.
WAIT = 30.0
# Seconds between two attempts, at first and at most.
_SHORTEST, _LONGEST = 0.001, 0.05
_NO_LOCKS = (errno.ENOTSUP, errno.ENOSYS)


class Lock:
    """The lock of one directory at a time, held until the process ends or C(release)."""

    def __init__(self) -> None:
        self._handle = -1
        self._of: tuple[int, int] | None = None
        # One wait for all: who swaps the directory does not get another.
        self._end: float | None = None

    def take(self, resolved: ResolvedPath) -> bool:
        """Lock the directory in which the way ends; return whether that took place only now.

        What was read before that may have changed. A directory that this user may not open, and one
        on a file system without such locks, is taken for locked. Raises CannotWrite.
        """
        status = resolved.status()
        if self._of == (status.st_dev, status.st_ino):
            return False
        self.release()
        with held_directory(resolved, "its directory cannot be locked") as directory:
            try:
                handle = os.open(".", DIRECTORY, dir_fd=directory)
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
        """Let others have it."""
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
                    raise CannotWrite(
                        "nothing was changed: another process has had the lock of %s for %d seconds; run again when none does"
                        " (lslocks names it)" % (quoted(path), WAIT)
                    ) from None
            except OSError as error:
                if error.errno in _NO_LOCKS:
                    return
                raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST)
