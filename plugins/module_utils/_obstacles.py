# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a run from reading or writing: what the system denies, and what root must not do where users can swap names."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING, Optional

from ._access import WRITE, may, others_may, user_name
from ._settings import quoted

if TYPE_CHECKING:
    from ._directory import Walk

# FS_IOC_GETFLAGS and FS_APPEND_FL of linux/fs.h, as on most processors; others answer that they know no such call.
_GETFLAGS = 0x80086601
_APPEND = 0x20


def unsafe_link(way: Walk) -> Optional[str]:
    """Why root must not follow this way: a link of one user that leads to another's directory."""
    if os.geteuid() != 0:
        return None
    end = way.status()
    for path, status, parent in way.links:
        for uid in (status.st_uid, parent):
            if uid not in (0, end.st_uid):
                return "%s is a symbolic link of %s into %s, which belongs to %s: root does not follow it" % (
                    quoted(path),
                    user_name(uid),
                    quoted(way.real),
                    user_name(end.st_uid),
                )
    return None


def swappable(way: Walk) -> Optional[str]:
    """Where others than root can put something else in the place of a name; None for other users than root."""
    if os.geteuid() == 0:
        for path, status in way.visited:
            if status.st_uid != 0 or (others_may(path, status.st_mode, 0, WRITE) and not status.st_mode & stat.S_ISVTX):
                return "others can swap what is in %s" % quoted(path)
    return None


def secret(way: Walk, status: os.stat_result) -> Optional[str]:
    """Why root must not tell what is in a file: a user may have given it this name."""
    unsafe = unsafe_link(way)
    if unsafe is None and status.st_nlink > 1 and status.st_uid != way.status().st_uid:
        where = swappable(way)
        if where:
            return "it is a file of %s with other names, and %s" % (user_name(status.st_uid), where)
    return unsafe


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
        return "%s is append-only, see lsattr" % path if _append_only(path) else None
    status = os.stat(path)
    if may(path, status.st_mode, status.st_uid, status.st_gid, os.geteuid(), WRITE):
        return "the system denies writing %s although its mode allows it; see lsattr" % path
    return None


def _append_only(path: str) -> bool:
    import fcntl

    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        flags = fcntl.ioctl(handle, _GETFLAGS, bytes(8))
    except OSError:  # not every file system has such flags
        return False
    finally:
        os.close(handle)
    return bool(int.from_bytes(flags[:4], sys.byteorder) & _APPEND)


def _is_mount_point(path: str) -> bool:
    # os.path.ismount does not see a file that is bound to another of the same file system.
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            points = [line.split(b" ")[4].decode("unicode_escape").encode("latin-1") for line in file]
    except OSError:  # not Linux
        return False
    return os.fsencode(path) in points
