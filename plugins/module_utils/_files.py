# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a config file and telling beforehand whether it can be written."""

from __future__ import annotations

import os
import stat
from typing import List, Optional

from ._access import READ, WRITE, may, others_may, user_name
from ._config import DANGER, ERROR, MAX_BYTES, Problem, too_large
from ._directory import barred_by, walk
from ._settings import quoted


class Unreadable(Exception):
    """A file that cannot be read as a whole; C(problem) says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.sentence())
        self.problem = problem


def _unreadable(code: str, message: str, remedy: str) -> Unreadable:
    return Unreadable(Problem(code, ERROR, message, remedy))


def read_file(path: str) -> Optional[bytes]:
    """The bytes of a config file; None where there is none.

    Raises Unreadable for a directory, a dangling link, a file that is no regular file,
    too large, not permitted, or that changes while it is read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        if os.path.islink(path):
            raise _unreadable(
                "dangling-link",
                "it is a symbolic link to %s, which does not exist" % os.readlink(path),
                "remove the link or create its target",
            ) from None
        return None
    except OSError as error:
        raise _unreadable("unreadable", "it cannot be read: %s" % error.strerror, "correct that first") from None
    before = os.fstat(handle)
    if not stat.S_ISREG(before.st_mode):
        os.close(handle)
        if stat.S_ISDIR(before.st_mode):
            raise _unreadable("not-a-file", "it is a directory", "name the config file in it, like config.toml")
        raise _unreadable("not-a-file", "it is not a regular file", "name a regular file")
    with os.fdopen(handle, "rb") as file:
        if before.st_size > MAX_BYTES:
            raise Unreadable(too_large(before.st_size))
        try:
            data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise _unreadable("unreadable", "it cannot be read: %s" % error.strerror, "correct that first") from None
        after = os.fstat(handle)
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size) or len(data) != after.st_size:
        raise _unreadable("changing", "it changed while it was read", "run again when nothing else writes it")
    return data


def status(path: str) -> os.stat_result:
    """What a file is that was there a moment ago. Raises Unreadable if it is gone."""
    try:
        return os.stat(path)
    except OSError:
        raise _unreadable("changing", "it is gone meanwhile", "run again when nothing else writes it") from None


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
    if os.access(parent, os.W_OK | os.X_OK, effective_ids=effective):
        return None
    if os.statvfs(parent).f_flag & os.ST_RDONLY:
        return "%s is on a read-only file system" % parent
    return "the user %s may not write in %s" % (user_name(os.geteuid()), parent)


def _is_mount_point(path: str) -> bool:
    # os.path.ismount does not see a file that is bound to another of the same file system.
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            points = [line.split(b" ")[4].decode("unicode_escape").encode("latin-1") for line in file]
    except OSError:  # not Linux
        return False
    return os.fsencode(path) in points


def problems(path: str, mode: int, uid: Optional[int], gid: Optional[int], user: int) -> List[Problem]:
    """What is wrong with a config file of this mode, owner and group for processes of C(user)."""
    found = []
    barred = barred_by(walk(os.path.dirname(path)).visited, user)
    if barred:
        text = "%s may not enter %s, and so not read the file" % (user_name(user), quoted(barred))
        found.append(Problem("unreadable", ERROR, text, "give it the right to enter, or use another path"))
    elif not may(path, mode, uid, gid, user, READ):
        text = "%s may not read the file" % user_name(user)
        found.append(Problem("unreadable", ERROR, text, "set mode to 0644, or group to one of its own"))
    if others_may(path, mode, uid, WRITE):
        text = "others than its owner can write to the file, and with it choose the cache directory, whose code is run"
        found.append(Problem("file-writable-by-others", DANGER, text, "set mode to 0644, and remove ACLs"))
    return found
