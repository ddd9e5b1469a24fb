# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons for root not to read or list what not everybody may: a user may have led it there."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from .access import READ, WRITE, Reason, everybody_may, has_acl, may, others_may
from .guards import swappable, unsafe_link
from .path import UNREACHED, barred_by, resolve

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
    readers = status.st_gid if status.st_mode & stat.S_IRGRP and not has_acl(path) else None
    for above, its in resolved.visited:
        stranger = its.st_uid not in (0, status.st_uid) and not _may_read(path, status, its.st_uid)
        if stranger or (resolved.reached(above) and _others_rename(above, its, readers, above == resolved.real)):
            return Reason("secret", owner=status.st_uid, path=above)
    return None


def _may_read(path: str, status: os.stat_result, user: int) -> bool:
    """Return whether a user certainly may read a file."""
    if user != status.st_uid and has_acl(path):
        return everybody_may(path, status.st_mode, READ)
    return may(path, status.st_mode, status.st_uid, status.st_gid, user, READ)


def _others_rename(path: str, status: os.stat_result, readers: int | None, holds: bool) -> bool:
    """Return whether a user outside the group that may read the file can rename what is in a directory.

    C(readers): that group, None if there is none. C(holds): whether the directory contains the file itself. Then a sticky
    directory does not protect it: the name may be left of a hard link.
    """
    if (status.st_mode & stat.S_ISVTX and not holds) or not others_may(path, status.st_mode, status.st_uid, WRITE):
        return False
    shared = status.st_gid == readers
    return not shared or others_may(path, status.st_mode & ~stat.S_IWGRP, status.st_uid, WRITE) or has_acl(path)


def private(resolved: ResolvedPath, chosen_by: int | None) -> Reason | None:
    """Return why root must not list a directory that not everybody may list; None if it may.

    C(chosen_by): who chooses the directory, see C(chooser.chooser).
    """
    unsafe = unsafe_link(resolved)
    if unsafe or chosen_by in (None, UNREACHED):
        return unsafe
    owner = resolved.status().st_uid
    if owner != chosen_by or barred_by(resolved.visited, chosen_by):
        return Reason("chosen-by-user-who-cannot-list", user=chosen_by)
    return None


def follows(link: os.stat_result, above: os.stat_result, handle: int) -> bool:
    """Return whether root may show the contents of an open directory behind a link; C(above): the link's directory."""
    end = os.fstat(handle)
    if os.geteuid() != 0 or {link.st_uid, above.st_uid} <= {0, end.st_uid}:
        return True
    resolved = resolve(os.readlink("/proc/self/fd/%d" % handle))
    known = os.path.samestat(resolved.status(), end)
    return known and everybody_may(resolved.target, end.st_mode, READ) and resolved.public()
