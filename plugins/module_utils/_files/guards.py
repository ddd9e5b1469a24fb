# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons for root not to read or write: where users can replace names."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from .access import READ, WRITE, Reason, everybody_may, has_acl, may, others_may
from .path import UNREACHED, barred_by, resolve

if TYPE_CHECKING:
    from .path import ResolvedPath


def unsafe_link(resolved: ResolvedPath) -> Reason | None:
    """Return why root must not follow this path: a link of one user leads to the directory of another."""
    if os.geteuid() != 0:
        return None
    end = resolved.status()
    for path, status, parent in resolved.links:
        # A link of root can get another name, too, where the system lets users make hard links to files of others.
        where = os.path.dirname(path)
        if status.st_nlink > 1 and others_may(where, os.lstat(where).st_mode, parent, WRITE):
            return Reason("link-with-other-names", path=path, where=where)
        for uid in (status.st_uid, parent):
            if uid not in (0, end.st_uid):
                return Reason("link-into-other-directory", path=path, user=uid, where=resolved.real, owner=end.st_uid)
    return None


def other_names(resolved: ResolvedPath, status: os.stat_result) -> Reason | None:
    """Return why root must not change the owner, mode or text of a file itself: users may give its name to another file."""
    reason = swappable(resolved) if status.st_nlink > 1 else None
    return reason and Reason("other-names", reason=reason)


def follows(link: os.stat_result, above: os.stat_result, handle: int) -> bool:
    """Return whether root may show the contents of an open directory behind a link; C(above): the link's directory."""
    end = os.fstat(handle)
    if os.geteuid() != 0 or {link.st_uid, above.st_uid} <= {0, end.st_uid}:
        return True
    resolved = resolve(os.readlink("/proc/self/fd/%d" % handle))
    known = os.path.samestat(resolved.status(), end)
    return known and everybody_may(resolved.target, end.st_mode, READ) and resolved.public()


def swappable(resolved: ResolvedPath, owner: int = 0) -> Reason | None:
    """Return where users other than root and this owner can replace names; None if this process is not root."""
    if os.geteuid() == 0:
        for path, status in resolved.visited:
            # Names in a sticky directory stay, but anyone may add another name beside them.
            kept = path != resolved.real and status.st_mode & stat.S_ISVTX
            if status.st_uid not in (0, owner) or (not kept and others_may(path, status.st_mode, status.st_uid, WRITE)):
                return Reason("names-replaceable", path=path)
    return None


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

    C(chosen_by): who chooses the directory, see C(config_file.chooser).
    """
    unsafe = unsafe_link(resolved)
    if unsafe or chosen_by in (None, UNREACHED):
        return unsafe
    owner = resolved.status().st_uid
    if owner != chosen_by or barred_by(resolved.visited, chosen_by):
        return Reason("chosen-by-user-who-cannot-list", user=chosen_by)
    return None


def not_theirs(resolved: ResolvedPath, chosen_by: int) -> Reason | None:
    """Return why root must not create or change a directory that only a file of this user names; None if it may.

    It must be in a directory of that user. From C(/) to there, every directory must belong to root and nobody else may
    be able to replace names in it; from there on, every directory must belong to that user.
    C(chosen_by): see C(config_file.chooser).
    """
    statuses = dict(resolved.visited)
    theirs = 0
    path = "/"
    for name in ["", *filter(None, resolved.real.split("/"))]:
        path = os.path.join(path, name)
        status = statuses[path]
        if status.st_uid == chosen_by:
            theirs += 1
        elif theirs or status.st_uid != 0:
            return Reason("belongs-to", path=path, owner=status.st_uid)
        elif not status.st_mode & stat.S_ISVTX and others_may(path, status.st_mode, 0, WRITE):
            return Reason("names-replaceable", path=path)
    # The last one is the directory itself, if it exists.
    if theirs < (1 if resolved.missing else 2):
        return (
            Reason("not-in-directory-of-one-user") if chosen_by < 0 else Reason("not-in-directory-of", owner=chosen_by)
        )
    return None


def chosen(resolved: ResolvedPath, path: str, chosen_by: int) -> Reason | None:
    """Return why root must not create or change a directory that a file of other users names; None if it may."""
    reason = not_theirs(resolved, chosen_by)
    return reason and Reason("chosen-by-user", user=chosen_by, path=path, reason=reason)


def moved(resolved: ResolvedPath) -> Reason | None:
    """Return why root must not change the owner, group or mode of an existing directory: a user may have moved it there.

    A user who can create names in a directory above can move a directory of another user, such as a private one of root,
    to this name. Root and the owner of the directory gain nothing by that.
    """
    if os.geteuid() != 0:
        return None
    owner = resolved.status().st_uid
    for path, status in resolved.above():
        others = not status.st_mode & stat.S_ISVTX and others_may(path, status.st_mode, status.st_uid, WRITE)
        if status.st_uid not in (0, owner) or others:
            return Reason("may-have-been-moved", owner=owner, path=path)
    return None
