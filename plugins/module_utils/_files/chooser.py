# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who chooses the cache directory by writing the config, and where root must not act on that choice."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from .access import WRITE, Reason, others_may
from .path import ANYONE, UNREACHED, users_of_links

if TYPE_CHECKING:
    from .config_file import ResolvedFile
    from .path import ResolvedPath


def chooser(place: ResolvedFile, seen: os.stat_result | None) -> int | None:
    """Return who besides root can write the config, and so choose the directory.

    A user, C(ANYONE), C(UNREACHED), or None for nobody. None if this process is not root: then the kernel limits it.
    C(seen): the status of the file when it was read, None for no file.
    """
    if os.geteuid() != 0:
        return None
    resolved = place.resolved
    users = users_of_links(resolved.links)
    holding = {resolved.real, *(os.path.dirname(link) for link, _status, _parent in resolved.links)}
    for path, status in resolved.visited:
        users.add(status.st_uid)
        # In a sticky directory, anyone can create a missing file, and give its name to another file or link, even of root.
        if (path in holding or not status.st_mode & stat.S_ISVTX) and others_may(
            path, status.st_mode, status.st_uid, WRITE
        ):
            if resolved.reached(path):
                return ANYONE
            users.add(UNREACHED)
    if seen is not None:
        users.add(seen.st_uid)
        if seen.st_nlink > 1 and others_may(place.path, seen.st_mode, seen.st_uid, WRITE):
            # The directories above its other names are unknown.
            return ANYONE
        if others_may(place.path, seen.st_mode, seen.st_uid, WRITE):
            users.add(ANYONE if resolved.reached(resolved.real) else UNREACHED)
    users.discard(0)
    return None if not users else users.pop() if len(users) == 1 else ANYONE


def not_theirs(resolved: ResolvedPath, chosen_by: int) -> Reason | None:
    """Return why root must not create or change a directory that only a file of this user names; None if it may.

    It must be in a directory of that user. From C(/) to there, every directory must belong to root and nobody else may
    be able to replace names in it; from there on, every directory must belong to that user.
    C(chosen_by): see C(chooser.chooser).
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
        elif not status.st_mode & stat.S_ISVTX and others_may(path, status.st_mode, status.st_uid, WRITE):
            return Reason("names-replaceable", path=path)
    # The last one is the directory itself, if it exists.
    if theirs < (1 if resolved.missing else 2):
        if chosen_by in (ANYONE, UNREACHED):
            return Reason("not-in-directory-of-one-user")
        return Reason("not-in-directory-of", owner=chosen_by)
    return None


def chosen(resolved: ResolvedPath, path: str, chosen_by: int) -> Reason | None:
    """Return why root must not create or change a directory that a file of other users names; None if it may."""
    reason = not_theirs(resolved, chosen_by)
    return reason and Reason("chosen-by-user", user=chosen_by, path=path, reason=reason)
