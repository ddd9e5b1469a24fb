# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons for root not to change a file or a directory: where users can replace names."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from .access import WRITE, Reason, others_may

if TYPE_CHECKING:
    from .path import ResolvedPath


def unsafe_link(resolved: ResolvedPath) -> Reason | None:
    """Return why root must not follow this path: a link of one user leads to the directory of another."""
    if os.geteuid() != 0:
        return None
    end = resolved.status()
    for path, status, parent in resolved.links:
        where = os.path.dirname(path)
        mode = os.lstat(where).st_mode
        if others_may(where, mode, parent, WRITE):
            # A link of root can get another name, too, where the system lets users make hard links to files of others.
            if status.st_nlink > 1:
                return Reason("link-with-other-names", path=path, where=where)
            # A user can move a link of root from a directory of the user to a sticky one.
            if mode & stat.S_ISVTX and status.st_uid == 0:
                return Reason("link-may-have-been-moved", path=path, where=where)
        for uid in (status.st_uid, parent):
            if uid not in (0, end.st_uid):
                return Reason("link-into-other-directory", path=path, user=uid, where=resolved.real, owner=end.st_uid)
    return None


def other_names(resolved: ResolvedPath, status: os.stat_result) -> Reason | None:
    """Return why root must not change the owner, mode or text of a file itself: users may give its name to another file."""
    reason = swappable(resolved) if status.st_nlink > 1 else None
    return reason and Reason("other-names", reason=reason)


def swappable(resolved: ResolvedPath, owner: int = 0) -> Reason | None:
    """Return where users other than root and this owner can replace names; None if this process is not root."""
    if os.geteuid() == 0:
        for path, status in resolved.visited:
            # Names in a sticky directory stay, but anyone may add another name beside them.
            kept = path != resolved.real and status.st_mode & stat.S_ISVTX
            if status.st_uid not in (0, owner) or (not kept and others_may(path, status.st_mode, status.st_uid, WRITE)):
                return Reason("names-replaceable", path=path)
    return None


def moved(resolved: ResolvedPath) -> Reason | None:
    """Return why root must not change the owner, group or mode of an existing directory: a user may have moved it there.

    A user who can create names in a directory above can move a directory of another user, such as a private one of root,
    to this name. Root and the owner of the directory gain nothing by that.
    """
    if os.geteuid() != 0:
        return None
    end = resolved.status()
    owner = end.st_uid
    # Only who may write in a directory can move it to another one (rename(2)).
    movable = others_may(resolved.real, end.st_mode, owner, WRITE)
    for path, status in resolved.above():
        # Names in a sticky directory stay, but anyone may add one.
        kept = status.st_mode & stat.S_ISVTX and not (movable and path == os.path.dirname(resolved.real))
        others = not kept and others_may(path, status.st_mode, status.st_uid, WRITE)
        if status.st_uid not in (0, owner) or others:
            return Reason("may-have-been-moved", owner=owner, path=path)
    return None
