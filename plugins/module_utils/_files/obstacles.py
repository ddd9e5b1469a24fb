# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons why this process cannot write: what the system denies."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from typing import TYPE_CHECKING

from .._config.check import PATH_MAX
from .access import WRITE, Reason, may
from .path import open_to_judge, reopen
from .rights import DAC_OVERRIDE, FOWNER, overrides, root_denied, root_may

if TYPE_CHECKING:
    from .path import ResolvedPath

# FS_IOC_GETFLAGS and FS_APPEND_FL of linux/fs.h on most processors; others reject the call.
_GETFLAGS = 0x80086601
_APPEND = 0x20
# Types of file systems without owners and modes.
_ONE_OWNER = ("exfat", "msdos", "vfat")


def unwritable(path: str) -> Reason | None:
    """Return why a file at a real path cannot be replaced or created; None if nothing prevents it."""
    if _is_mount_point(path):
        return Reason("mount-point")
    parent = os.path.dirname(path)
    while not os.path.lexists(parent):
        parent = os.path.dirname(parent)
    if not os.path.isdir(parent):
        return Reason("not-a-directory", path=parent)
    reason = denied(parent) or denied(path)
    if reason:
        return reason
    above = os.stat(parent)
    sticky = above.st_mode & stat.S_ISVTX and os.path.lexists(path)
    if sticky and os.geteuid() not in (above.st_uid, os.lstat(path).st_uid) and not overrides(FOWNER, os.lstat(path)):
        return Reason("sticky", path=parent)
    if not os.access(parent, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        return Reason("no-right-to-write", user=os.geteuid(), path=parent, limit=root_denied(above.st_uid))
    return one_owner(parent, above)


def one_owner(path: str, status: os.stat_result) -> Reason | None:
    """Return why nothing can be written safely: the file system gives all files one owner and mode; None elsewhere."""
    if status.st_uid == os.geteuid() and not status.st_mode & 0o077:
        return None
    device = "%d:%d" % (os.major(status.st_dev), os.minor(status.st_dev))
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            kinds = {line.partition(" - ")[2].split(" ")[0] for line in file if line.split(" ")[2] == device}
    except OSError:  # not Linux
        return None
    for kind in kinds.intersection(_ONE_OWNER):
        return Reason("one-owner", path=path, kind=kind)
    return None


def denied(path: str) -> Reason | None:
    """Return why the system denies a change that the mode allows; None if it does not, or there is no such file."""
    if not os.path.lexists(path) or os.path.islink(path):
        return None
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return Reason("read-only", path=path)
    if os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        return Reason("append-only", path=path) if _append_only(path) else None
    status = os.stat(path)
    if os.geteuid() == 0 and not overrides(DAC_OVERRIDE, status):
        allowed = root_may(status, WRITE)
    else:
        allowed = may(path, status.st_mode, status.st_uid, status.st_gid, os.geteuid(), WRITE)
    if not allowed:
        return None
    if os.geteuid() == 0 and status.st_uid != 0:
        return Reason("denied-to-root", path=path, owner=status.st_uid)
    return Reason("denied", path=path)


def _append_only(path: str) -> bool:
    import fcntl

    with contextlib.ExitStack() as stack:
        try:
            found = open_to_judge(path)
            stack.callback(os.close, found)
            mode = os.fstat(found).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                return False
            handle = reopen(found, path)
            stack.callback(os.close, handle)
            flags = fcntl.ioctl(handle, _GETFLAGS, bytes(8))
        except OSError:  # not every file system has such flags
            return False
    return bool(int.from_bytes(flags[:4], sys.byteorder) & _APPEND)


def _is_mount_point(path: str) -> bool:
    # os.path.ismount misses a file that is bind-mounted within its file system.
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            points = [line.split(b" ")[4].decode("unicode_escape").encode("latin-1") for line in file]
    except OSError:  # not Linux
        return False
    return os.fsencode(path) in points


def too_long(resolved: ResolvedPath, name: str = "") -> Reason | None:
    """Return why the path, or that of a file of this name in it, is too long for the system; None if it is not."""
    path = os.fsencode(os.path.join(resolved.target, name) if name else resolved.target)
    if len(path) > PATH_MAX:
        return Reason("path-too-long", size=len(path), most=PATH_MAX)
    longest = os.pathconf(resolved.real, "PC_NAME_MAX")
    for part in (*resolved.missing, name):
        if len(os.fsencode(part)) > longest:
            return Reason("name-too-long", path=part, most=longest)
    return None
