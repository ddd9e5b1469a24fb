# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolve the path of a file or a directory, link by link, and open exactly what was resolved."""

from __future__ import annotations

import errno
import os
import stat
from typing import AbstractSet, NamedTuple, Sequence, Tuple

from .access import ENTER, Reason, certainly_may, everybody_may, may, others_may, system_error

LINKS_MAX = 40

# Who can write a config besides root, if it is not one user: see C(chooser.chooser).
ANYONE = -1
"""More than one user, or an unknown one."""

UNREACHED = -2
"""Users who have the right by modes and ACLs, but cannot enter the directories above."""

# Reasons for root to examine nothing that a path leads to.
NOT_FOLLOWED = ("link-of-system", "link-barred", "chosen-by-barred-user")

Link = Tuple[str, os.stat_result, int]


class ResolvedPath(NamedTuple):
    """The path from C(/) to a directory, symbolic links resolved one by one."""

    real: str
    """The deepest existing directory on the path."""
    visited: list[tuple[str, os.stat_result]]
    """Every directory entered, the last one included."""
    links: list[Link]
    """Every link followed, with its status and the owner of the directory that contains it."""
    missing: list[str]
    """Names below C(real) that do not exist."""
    error: Reason | None
    """Why the path cannot be resolved any further, unless the rest is only missing."""
    denied: bool = False
    """Whether this user may not enter C(real)."""
    detour: str | None = None
    """The directory that lacks a name from which C(..) leads back: the path exists only once that is a directory."""

    @property
    def target(self) -> str:
        """The path of the directory without links, whether it exists or not."""
        return os.path.join(self.real, *self.missing)

    def status(self) -> os.stat_result:
        """Return the status of C(real) when it was visited."""
        return next(status for path, status in reversed(self.visited) if path == self.real)

    def above(self) -> list[tuple[str, os.stat_result]]:
        """Return the existing directories above the directory."""
        return [entry for entry in self.visited if self.missing or entry[0] != self.real]

    def public(self) -> bool:
        """Return whether everybody may enter every directory on the path."""
        return all(everybody_may(path, status, ENTER) for path, status in self.visited)

    def reached(self, directory: str) -> bool:
        """Return whether users other than the owners may enter this directory on the path and each one above it."""
        return all(
            others_may(path, status.st_mode, status.st_uid, ENTER)
            for path, status in self.visited
            if ("%s/" % directory).startswith("%s/" % path.rstrip("/"))
        )


def resolve(path: str, led: AbstractSet[int] = frozenset()) -> ResolvedPath:
    """Resolve an absolute path as the kernel would. Never raises OSError.

    For root, links of other users lead only where these may go, and links of the system, as in C(/proc), nowhere: they
    lead into mounts of other processes, and tell what their owners do not. C(led): users whose links have led here.
    """
    root = os.geteuid() == 0
    users = set(led)
    todo = path.split("/")[::-1]
    # How much is left to do when the target of a link, and of those that it leads to, has been resolved, and that link.
    within: tuple[int, str] | None = None
    current = "/"
    # Each directory once, however often a link leads back to it.
    statuses = {"/": os.stat("/")}
    links: list[Link] = []
    missing: list[str] = []
    error: Reason | None = None
    denied = False
    detour: str | None = None
    while todo and error is None:
        name = todo.pop()
        if within and len(todo) < within[0]:
            within = None
        if name in ("", "."):
            continue
        if name == "..":
            if missing:
                missing.pop()
                detour = detour or current
            else:
                current = os.path.dirname(current)
            continue
        if missing:
            missing.append(name)
            continue
        full = os.path.join(current, name)
        if root and users:
            error = link_barred(path, links, (current, statuses[current]), users)
            if error:
                denied = True
                continue
        try:
            status = os.lstat(full)
            if stat.S_ISLNK(status.st_mode):
                target = os.readlink(full)
                if root and of_system(status, target):
                    error, denied = Reason("link-of-system", path=full), True
                    continue
                above = os.lstat(current).st_uid
                links.append((full, status, above))
                if len(links) > LINKS_MAX:
                    error = Reason("too-many-links", path=path)
                    continue
                users |= {status.st_uid, above}
                within = within or (len(todo), full)
                if target.startswith("/"):
                    current = "/"
                todo.extend(target.split("/")[::-1])
            elif stat.S_ISDIR(status.st_mode):
                current = full
                statuses.setdefault(full, status)
            else:
                error = Reason("not-a-directory", path=full)
        except FileNotFoundError:
            if within:
                error = Reason("dangling-link", path=within[1])
            else:
                missing.append(name)
        except OSError as failed:
            denied = failed.errno == errno.EACCES
            if denied:
                from .rights import not_entered

                cause = not_entered(current, statuses[current].st_uid)
            else:
                cause = Reason("changing") if failed.errno == errno.EINVAL else system_error(failed)
            error = Reason("at", path=full, reason=cause)
    return ResolvedPath(current, list(statuses.items()), links, missing, error, denied, detour)


def users_of_links(links: Sequence[Link]) -> set[int]:
    """Return the users who can replace one of these links."""
    return {uid for _link, status, above in links for uid in (status.st_uid, above)}


def link_barred(
    path: str, links: Sequence[Link], directory: tuple[str, os.stat_result], users: AbstractSet[int]
) -> Reason | None:
    """Return why root must not look for a name in a directory: one of these users, whose links lead there, may not enter it."""
    where, status = directory
    for user in sorted(users):
        if not certainly_may(where, status, user, ENTER):
            own = [link for link, its, above in links if user in (its.st_uid, above)]
            return Reason("link-barred", path=own[0] if own else path, user=user)
    return None


def of_system(status: os.stat_result, target: str) -> bool:
    """Return whether a link is one that only the kernel can follow, as in C(/proc).

    Its size is not that of its text, unless by chance: that of a link to an open file is always 64, but it is private.
    """
    by_chance = status.st_size == 64 and not status.st_mode & 0o077
    return by_chance or status.st_size != len(os.fsencode(target))


def barred_by(visited: list[tuple[str, os.stat_result]], user: int) -> str | None:
    """Return the first of these directories that a user may not enter; None for the user of this process."""
    if user != os.geteuid():
        for path, status in visited:
            if not may(path, status.st_mode, status.st_uid, status.st_gid, user, ENTER):
                return path
    return None


def is_below(path: str, directory: str) -> bool:
    """Return whether a path is in a directory or in one below it, by their names alone."""
    return path.startswith(directory.rstrip("/") + "/")


# Handles that lead to a directory or a file without opening it, where the system has them.
_DIRECTORY_ONLY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW
_PATH_ONLY = getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK) | os.O_NOFOLLOW
# To list, sync or change a directory.
OPEN_TO_LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def open_resolved(resolved: ResolvedPath) -> int:
    """Open C(real) of a resolved path. The handle stays with this directory, whatever happens to its path.

    Follows no component that has become a link since.
    Raises OSError, ESTALE if the path now leads to another directory.
    """
    handle = os.open("/", _DIRECTORY_ONLY)
    try:
        for name in resolved.real.split("/"):
            if name:
                above, handle = handle, os.open(name, _DIRECTORY_ONLY, dir_fd=handle)
                os.close(above)
        if not os.path.samestat(os.fstat(handle), resolved.status()):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
    except BaseException:
        os.close(handle)
        raise
    return handle


def open_to_judge(name: str, directory: int | None = None) -> int:
    """Open what has a name in an open directory, only to examine it: a FIFO or a device is not affected. Raises OSError.

    Opens a link itself.
    """
    return os.open(name, _PATH_ONLY, dir_fd=directory)


def reopen(handle: int, name: str, directory: int | None = None, flags: int = os.O_RDONLY) -> int:
    """Open for use what C(open_to_judge) has opened under this name. Raises OSError."""
    # Another process can hold a lease on the file (fcntl(2)): do not wait for it.
    flags |= os.O_NONBLOCK
    try:
        return os.open("/proc/self/fd/%d" % handle, flags)
    except FileNotFoundError:  # no /proc
        again = os.open(name, flags | os.O_NOFOLLOW, dir_fd=directory)
        if not os.path.samestat(os.fstat(again), os.fstat(handle)):
            os.close(again)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE)) from None
        return again
