# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a file or a directory, link by link, and handles that stay with what was judged."""

from __future__ import annotations

import errno
import os
import stat
from typing import NamedTuple, Tuple

from .._config.printable import quoted
from .access import ENTER, everybody_may, may, others_may

LINKS_MAX = 40


# Who else than root can write a config, where that is not one user: see C(config_file.chooser).
ANYONE = -1
"""More than one user, or nobody knows which."""


UNREACHED = -2
"""Users whom modes and ACLs allow it, but who cannot get there."""


Link = Tuple[str, os.stat_result, int]


class ResolvedPath(NamedTuple):
    """The way from C(/) to a directory, symbolic links resolved one by one."""

    real: str
    """The deepest existing directory on the way."""
    visited: list[tuple[str, os.stat_result]]
    """Every directory entered, the last one included."""
    links: list[Link]
    """Every link followed, and the owner of the directory that it stands in."""
    missing: list[str]
    """Names below C(real) that do not exist."""
    error: str | None
    """Why the way ends, where more than the directory's absence ends it."""
    denied: bool = False
    """Whether it ends as this user may not go on."""

    @property
    def target(self) -> str:
        """The directory's path without links, whether it exists or not."""
        return os.path.join(self.real, *self.missing)

    def status(self) -> os.stat_result:
        """What C(real) was when it was visited."""
        return next(status for path, status in reversed(self.visited) if path == self.real)

    def above(self) -> list[tuple[str, os.stat_result]]:
        """The existing directories on the way to the directory, without itself."""
        return [entry for entry in self.visited if self.missing or entry[0] != self.real]

    def public(self) -> bool:
        """Whether everybody may enter every directory on the way."""
        return all(everybody_may(path, status.st_mode, ENTER) for path, status in self.visited)

    def reached(self, directory: str) -> bool:
        """Whether others than the owners may enter this directory on the way, and each one above it."""
        return all(
            others_may(path, status.st_mode, status.st_uid, ENTER)
            for path, status in self.visited
            if ("%s/" % directory).startswith("%s/" % path.rstrip("/"))
        )


def resolve(path: str) -> ResolvedPath:
    """Follow an absolute path as the kernel would. Never raises OSError."""
    todo = path.split("/")[::-1]
    current = "/"
    # Each once, however often a link goes to and fro.
    statuses = {"/": os.stat("/")}
    links: list[Link] = []
    missing: list[str] = []
    while todo:
        name = todo.pop()
        if name in ("", "."):
            continue
        if name == "..":
            if missing:
                missing.pop()
            else:
                current = os.path.dirname(current)
            continue
        if missing:
            missing.append(name)
            continue
        full = os.path.join(current, name)
        try:
            status = os.lstat(full)
            if stat.S_ISLNK(status.st_mode):
                target = os.readlink(full)
                if not _leads_somewhere(full):
                    return ResolvedPath(
                        current,
                        list(statuses.items()),
                        links,
                        missing,
                        "%s is a symbolic link to nowhere" % quoted(full),
                    )
                links.append((full, status, os.lstat(current).st_uid))
                if len(links) > LINKS_MAX:
                    return ResolvedPath(
                        current, list(statuses.items()), links, missing, "%s has too many symbolic links" % quoted(path)
                    )
                if target.startswith("/"):
                    current = "/"
                todo.extend(target.split("/")[::-1])
                continue
        except FileNotFoundError:
            missing.append(name)
            continue
        except OSError as error:
            denied = error.errno == errno.EACCES
            reason = "it changes meanwhile" if error.errno == errno.EINVAL else error.strerror
            if denied:
                from .rights import not_entered

                reason = "%s: %s" % (reason, not_entered(current, statuses[current].st_uid))
            return ResolvedPath(
                current, list(statuses.items()), links, missing, "%s: %s" % (quoted(full), reason), denied
            )
        if not stat.S_ISDIR(status.st_mode):
            return ResolvedPath(current, list(statuses.items()), links, missing, "%s is not a directory" % quoted(full))
        current = full
        statuses.setdefault(full, status)
    return ResolvedPath(current, list(statuses.items()), links, missing, None)


def _leads_somewhere(link: str) -> bool:
    try:
        os.stat(link)
    except PermissionError:
        return True  # and the way tells where it ends
    except OSError:
        return False
    return True


def barred_by(visited: list[tuple[str, os.stat_result]], user: int) -> str | None:
    """The first of these directories that another user than the task's may not enter."""
    if user != os.geteuid():
        for path, status in visited:
            if not may(path, status.st_mode, status.st_uid, status.st_gid, user, ENTER):
                return path
    return None


_HOLD = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW


LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


_LOOK = getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK) | os.O_NOFOLLOW


def hold_directory(resolved: ResolvedPath) -> int:
    """Open the directory in which the way ended: whatever becomes of its path, the handle stays with it.

    No component is followed that has become a link since.
    Raises OSError, ESTALE where another directory is there now.
    """
    handle = os.open("/", _HOLD)
    try:
        for name in resolved.real.split("/"):
            if name:
                above, handle = handle, os.open(name, _HOLD, dir_fd=handle)
                os.close(above)
        now, seen = os.fstat(handle), resolved.status()
        if (now.st_dev, now.st_ino) != (seen.st_dev, seen.st_ino):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
    except BaseException:
        os.close(handle)
        raise
    return handle


def open_to_judge(name: str, directory: int | None = None) -> int:
    """Open what has a name, in an open directory, only to judge it: no FIFO or device notices. Raises OSError.

    A link is opened itself.
    """
    return os.open(name, _LOOK, dir_fd=directory)


def reopen(handle: int, name: str, directory: int | None = None, flags: int = os.O_RDONLY) -> int:
    """Open what C(open_to_judge) found under this name, once it is judged. Raises OSError."""
    # Whoever holds a lease on a file (fcntl(2)) would have this process wait.
    flags |= os.O_NONBLOCK
    try:
        return os.open("/proc/self/fd/%d" % handle, flags)
    except FileNotFoundError:  # no /proc
        again = os.open(name, flags | os.O_NOFOLLOW, dir_fd=directory)
        if not os.path.samestat(os.fstat(again), os.fstat(handle)):
            os.close(again)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE)) from None
        return again
