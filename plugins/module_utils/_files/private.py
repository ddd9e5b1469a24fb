# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons for root not to read or list what not everybody may: a user may have led it there."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, AbstractSet

from .access import ENTER, READ, WRITE, Reason, certainly_may, everybody_may, has_acl, others_may
from .guards import moved, swappable, unsafe_link
from .path import OPEN_TO_LIST, UNREACHED, barred_by, is_below, open_resolved, resolve, users_of_links

if TYPE_CHECKING:
    from .path import ResolvedPath


def secret(path: str, resolved: ResolvedPath, status: os.stat_result) -> Reason | None:
    """Return why root must not read a file that not everybody may read: a user who may not may have given it this name."""
    unsafe = unsafe_link(resolved)
    if unsafe:
        return unsafe
    if status.st_nlink > 1:
        where = swappable(resolved, status.st_uid)
        return where and Reason("secret-with-other-names", owner=status.st_uid, reason=where)
    # The group bits are the mask of an ACL.
    readers = status.st_gid if status.st_mode & stat.S_IRGRP and not has_acl(path, status) else None
    for above, its in resolved.visited:
        stranger = _may_reach(resolved, above, its.st_uid) and not _may_read(path, resolved, status, its.st_uid)
        if stranger or (resolved.reached(above) and _others_rename(above, its, readers, above == resolved.real)):
            return Reason("secret", owner=status.st_uid, path=above)
    return None


def _may_reach(resolved: ResolvedPath, directory: str, user: int) -> bool:
    """Return whether a user may enter every directory above one on the path: who may not cannot rename anything there."""
    above = [(path, its) for path, its in resolved.visited if is_below(directory, path)]
    return barred_by(above, user) is None


def _may_read(path: str, resolved: ResolvedPath, status: os.stat_result, user: int) -> bool:
    """Return whether a user certainly may read a file, and enter every directory above it."""
    return certainly_may(path, status, user, READ) and all(
        certainly_may(above, its, user, ENTER) for above, its in resolved.visited
    )


def _others_rename(path: str, status: os.stat_result, readers: int | None, holds: bool) -> bool:
    """Return whether a user outside the group that may read the file can rename what is in a directory.

    C(readers): that group, None if there is none. C(holds): whether the directory contains the file itself. Then a sticky
    directory does not protect it: the name may be left of a hard link.
    """
    if (status.st_mode & stat.S_ISVTX and not holds) or not others_may(path, status.st_mode, status.st_uid, WRITE):
        return False
    shared = status.st_gid == readers
    return not shared or others_may(path, status.st_mode & ~stat.S_IWGRP, status.st_uid, WRITE) or has_acl(path, status)


def private(resolved: ResolvedPath, chosen_by: int | None) -> Reason | None:
    """Return why root must not list a directory that not everybody may list; None if it may.

    C(chosen_by): who chooses the directory, see C(chooser.chooser).
    """
    unsafe = unsafe_link(resolved)
    owner = resolved.status().st_uid
    if unsafe or chosen_by in (None, UNREACHED):
        return unsafe or (None if owner else moved(resolved))
    enters = all(certainly_may(above, its, chosen_by, ENTER) for above, its in resolved.visited)
    if owner != chosen_by or not enters:
        return Reason("chosen-by-user-who-cannot-list", user=chosen_by)
    return None


def listable(handle: int, led: AbstractSet[int]) -> bool:
    """Return whether root may list an open directory below one that these users have led it to: what they may list, too.

    Everybody may list it, or it belongs to the only one of them.
    """
    status = os.fstat(handle)
    path = "/proc/self/fd/%d/." % handle
    everybody = everybody_may(path, status, READ) and everybody_may(path, status, ENTER)
    return everybody or led == {status.st_uid}


def behind(name: str, directory: int) -> ResolvedPath:
    """Resolve a link that has this name in an open directory. Raises OSError."""
    return resolve(os.path.join(os.readlink("/proc/self/fd/%d" % directory), name))


def leads_to_directory(name: str, directory: int) -> bool:
    """Return whether a link that has this name in an open directory leads to a directory, or root must not follow it."""
    try:
        if os.geteuid() != 0:
            return stat.S_ISDIR(os.stat(name, dir_fd=directory).st_mode)
        resolved = behind(name, directory)
    except OSError:
        return False
    return resolved.denied or not (resolved.error or resolved.missing)


def open_behind(name: str, directory: int) -> int:
    """Open the directory that a link in an open directory leads to, as root only if its contents may be shown.

    Raises OSError.
    """
    if os.geteuid() != 0:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=directory)
    resolved = behind(name, directory)
    if resolved.missing or (resolved.error and not resolved.denied):
        # It has led to a directory before.
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    end = resolved.status()
    shown = users_of_links(resolved.links) <= {0, end.st_uid} or (
        everybody_may(resolved.real, end, READ) and resolved.public()
    )
    if resolved.error or not shown:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    found = open_resolved(resolved)
    try:
        return os.open(".", OPEN_TO_LIST, dir_fd=found)
    finally:
        os.close(found)
