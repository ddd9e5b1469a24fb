# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a config file and telling beforehand whether it can be written."""

from __future__ import annotations

import errno
import os
import stat
from typing import List, NamedTuple, Optional, Tuple

from ._access import READ, WRITE, may, others_may, user_name
from ._config import DANGER, ERROR, MAX_BYTES, Problem, too_large
from ._directory import LINKS_MAX, Link, Walk, barred_by, hold, swappable, unsafe_link, walk
from ._settings import quoted


class Unreadable(Exception):
    """A file that cannot be read as a whole; C(problem) says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.sentence())
        self.problem = problem


class Changed(Exception):
    """Another process has written the file since it was read."""

    def __str__(self) -> str:
        return "another process has written it meanwhile; run again when none does"


def _unreadable(code: str, message: str, remedy: str) -> Unreadable:
    return Unreadable(Problem(code, ERROR, message, remedy))


def meanwhile(error: OSError) -> str:
    """The sentence for what was there when it was looked for, and is not when it is looked at."""
    return "%s: %s: another process changes it meanwhile; run again when none does" % (error.filename, error.strerror)


class Place(NamedTuple):
    """Where a file is, or would be: no link is left to follow."""

    way: Walk
    """The way to its directory, with all links that were followed."""
    name: str
    """Its name there."""

    @property
    def path(self) -> str:
        """Its path without links."""
        return os.path.join(self.way.target, self.name)


def find(path: str) -> Place:
    """Follow an absolute path to a config file, links included.

    Raises Unreadable where the way does not lead to a place for a file.
    """
    links: List[Link] = []
    target = ""
    for _hop in range(LINKS_MAX):
        way = walk(os.path.dirname(path))
        name = os.path.basename(path)
        way.links[:0] = links
        if way.error:
            raise _unreadable("unreadable", "it cannot be read: %s" % way.error, "correct that first")
        if name in ("", ".", ".."):
            raise _unreadable("not-a-file", "it is a directory", "name the config file in it, like config.toml")
        full = os.path.join(way.real, name)
        if way.missing or not os.path.islink(full):
            if links and (way.missing or not os.path.lexists(full)):
                raise _unreadable(
                    "dangling-link",
                    "it is a symbolic link to %s, which does not exist" % target,
                    "remove the link or create its target",
                )
            return Place(way, name)
        links = [*way.links, (full, os.lstat(full), way.status().st_uid)]
        target = os.readlink(full)
        path = os.path.join(way.real, target)
    raise _unreadable("unreadable", "it cannot be read: too many symbolic links", "correct that first")


def read(place: Place) -> Optional[Tuple[bytes, os.stat_result]]:
    """The bytes of a config file, and what the file was when it was read; None where there is none.

    Raises Unreadable for a directory, a file that is no regular file, too large, not
    permitted, that changes while it is read, or that a user's link wants root to read.
    """
    if place.way.missing:
        return None
    try:
        directory = hold(place.way)
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
            handle = os.open(place.name, flags, dir_fd=directory)
        finally:
            os.close(directory)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ESTALE):
            raise _changing() from None
        raise _unreadable("unreadable", "it cannot be read: %s" % error.strerror, "correct that first") from None
    before = os.fstat(handle)
    if not stat.S_ISREG(before.st_mode):
        os.close(handle)
        if stat.S_ISDIR(before.st_mode):
            raise _unreadable("not-a-file", "it is a directory", "name the config file in it, like config.toml")
        raise _unreadable("not-a-file", "it is not a regular file", "name a regular file")
    with os.fdopen(handle, "rb") as file:
        unsafe = None if _public(place.way, before) else _secret(place.way, before)
        if unsafe:
            raise _unreadable("unreadable", unsafe, "become that user instead")
        if before.st_size > MAX_BYTES:
            raise Unreadable(too_large(before.st_size))
        try:
            data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise _unreadable("unreadable", "it cannot be read: %s" % error.strerror, "correct that first") from None
        after = os.fstat(handle)
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size) or len(data) != after.st_size:
        raise _changing()
    return data, after


def _secret(way: Walk, status: os.stat_result) -> Optional[str]:
    """Why root must not tell what is in a file: a user may have given it this name."""
    unsafe = unsafe_link(way)
    if unsafe is None and status.st_nlink > 1 and status.st_uid != way.status().st_uid:
        where = swappable(way)
        if where:
            return "it is a file of %s with other names, and %s" % (user_name(status.st_uid), where)
    return unsafe


def _public(way: Walk, status: os.stat_result) -> bool:
    return bool(status.st_mode & stat.S_IROTH) and all(above.st_mode & stat.S_IXOTH for _path, above in way.visited)


def _changing() -> Unreadable:
    return _unreadable("changing", "it changed while it was read", "run again when nothing else writes it")


def unwritable(path: str, in_place: bool) -> Optional[str]:
    """Why a file at a real path could not be replaced or created; None if nothing speaks against it.

    C(in_place): whether overwriting the existing file will do.
    """
    effective = os.access in os.supports_effective_ids
    if not in_place and _is_mount_point(path):
        return "it is a mount point, which can only be overwritten, as unsafe_writes does"
    if in_place and os.path.exists(path) and os.access(path, os.W_OK, effective_ids=effective):
        return None
    parent = os.path.dirname(path)
    while not os.path.lexists(parent):
        parent = os.path.dirname(parent)
    if not os.path.isdir(parent):
        return "%s is not a directory" % parent
    reason = denied(parent) or denied(path)
    if reason:
        return reason
    above = os.stat(parent)
    sticky = above.st_mode & stat.S_ISVTX and os.path.lexists(path)
    if sticky and os.geteuid() not in (0, above.st_uid, os.lstat(path).st_uid):
        return "only its owner may replace or remove it in %s, which is sticky" % parent
    if os.access(parent, os.W_OK | os.X_OK, effective_ids=effective):
        return None
    return "the user %s may not write in %s" % (user_name(os.geteuid()), parent)


def denied(path: str) -> Optional[str]:
    """Why the system denies a change that the mode allows; None if it does not, or there is no such file."""
    if not os.path.lexists(path) or os.path.islink(path):
        return None
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return "%s is on a read-only file system" % path
    if os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        return None
    status = os.stat(path)
    if may(path, status.st_mode, status.st_uid, status.st_gid, os.geteuid(), WRITE):
        return "the system denies writing %s although its mode allows it; see lsattr" % path
    return None


def _is_mount_point(path: str) -> bool:
    # os.path.ismount does not see a file that is bound to another of the same file system.
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            points = [line.split(b" ")[4].decode("unicode_escape").encode("latin-1") for line in file]
    except OSError:  # not Linux
        return False
    return os.fsencode(path) in points


def problems(place: Place, mode: int, uid: Optional[int], gid: Optional[int], user: int) -> List[Problem]:
    """What is wrong with a config file of this mode, owner and group for processes of C(user)."""
    found = []
    barred = barred_by(place.way.visited, user)
    if barred:
        text = "%s may not enter %s, and so not read the file" % (user_name(user), quoted(barred))
        found.append(Problem("unreadable", ERROR, text, "give it the right to enter, or use another path"))
    elif not may(place.path, mode, uid, gid, user, READ):
        text = "%s may not read the file" % user_name(user)
        found.append(Problem("unreadable", ERROR, text, "set mode to 0644, or group to one of its own"))
    if others_may(place.path, mode, uid, WRITE):
        text = "others than its owner can write to the file, and with it choose the cache directory, whose code is run"
        found.append(Problem("file-writable-by-others", DANGER, text, "set mode to 0644, and remove ACLs"))
    return found
