# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what to a path, by its mode and its ACLs; and the form of a reason why something cannot be done."""

from __future__ import annotations

import errno
import functools
import os
from typing import Any

READ = 4
WRITE = 2
ENTER = 1
ACCESS_ACL = "system.posix_acl_access"
DEFAULT_ACL = "system.posix_acl_default"
# The number of no inode.
_NO_INODE = -1


class Reason:
    """Why something cannot be done: a code and the values for its text, which is in C(_module/reasons.py)."""

    def __init__(self, code: str, **values: Any) -> None:
        self.code = code
        self.values = values

    def __repr__(self) -> str:
        return "%s %r" % (self.code, self.values)

    def because(self, reason: Reason) -> Reason:
        """Return the same reason with its cause."""
        return Reason(self.code, **self.values, reason=reason)


def system_error(error: OSError) -> Reason:
    """Return the reason that the system gives."""
    return Reason("system-error", text=error.strerror or str(error))


def user_name(uid: int | None) -> str | None:
    """Return the name of a user, or the number if the user has no name."""
    import pwd

    if uid is None:
        return None
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int | None) -> str | None:
    """Return the name of a group, or the number if the group has no name."""
    import grp

    if gid is None:
        return None
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def umask() -> int:
    """Return the umask of this process."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def own_groups() -> frozenset[int]:
    """Return the groups of this process: the effective one need not be among the supplementary ones."""
    return frozenset([os.getegid(), *os.getgroups()])


def _groups(uid: int) -> frozenset[int]:
    return own_groups() if uid == os.geteuid() else _groups_in_database(uid)


# A directory service may take long to answer, and each directory of a path asks for the same users.
@functools.lru_cache(maxsize=None)
def _groups_in_database(uid: int) -> frozenset[int]:
    import pwd

    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return frozenset()
    return frozenset(os.getgrouplist(entry.pw_name, entry.pw_gid))


def may(path: str, mode: int, uid: int | None, gid: int | None, user: int, right: int) -> bool:
    """Return whether a user has a right, given the mode and owners.

    With an ACL or a group that does not exist yet, whether the user may have it.
    """
    if user not in (0, uid) and (gid is None or _acl(path, ACCESS_ACL) is not None):
        # The group bits are the mask of an ACL.
        return bool((mode >> 3 | mode) & right)
    return may_by_mode(mode, uid, gid, user, right)


def may_by_mode(mode: int, uid: int | None, gid: int | None, user: int, right: int) -> bool:
    """Return whether a user has a right to what has this mode and these owners, and no ACL."""
    if user == 0:
        return True
    if user == uid:
        return bool(mode >> 6 & right)
    return bool((mode >> 3 if gid in _groups(user) else mode) & right)


def planned_status(mode: int, uid: int, gid: int, seen: os.stat_result | None = None) -> os.stat_result:
    """Return the status that a file or a directory will have, to ask who may read it then.

    C(mode): with the type of file. C(seen): its present status; None if it does not exist yet, and so has no ACL.
    """
    inode, device = (_NO_INODE, 0) if seen is None else (seen.st_ino, seen.st_dev)
    return os.stat_result((mode, inode, device, 1, uid, gid, 0, 0, 0, 0))


def _acl(path: str, name: str) -> bytes | None:
    try:
        return os.getxattr(path, name, follow_symlinks=False)
    except (OSError, AttributeError):
        return None


def _acl_of(path: str, status: os.stat_result) -> bytes | None:
    """Return the ACL of what had this path and status, whatever has the path now. Raises OSError."""
    if not hasattr(os, "getxattr") or status.st_ino == _NO_INODE:
        return None
    handle = os.open(path, os.O_PATH | os.O_NOFOLLOW)
    try:
        if not os.path.samestat(os.fstat(handle), status):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return os.getxattr("/proc/self/fd/%d" % handle, ACCESS_ACL)
    except OSError as error:
        if error.errno not in (errno.ENODATA, errno.ENOTSUP):
            raise
        return None
    finally:
        os.close(handle)


def has_acl(path: str, status: os.stat_result) -> bool:
    """Return whether what had this path and status may have an ACL beyond its mode."""
    try:
        return _acl_of(path, status) is not None
    except OSError:
        return True


def certainly_may(path: str, status: os.stat_result, user: int, right: int) -> bool:
    """Return whether a user has a right to what had this path and status; not if its ACL is unknown."""
    if user not in (0, status.st_uid):
        try:
            access = _acl_of(path, status)
        except OSError:
            return False
        if access is not None:
            from .acls import allows

            return allows(access, status.st_gid, user, _groups(user), right)
    return may_by_mode(status.st_mode, status.st_uid, status.st_gid, user, right)


def everybody_may(path: str, status: os.stat_result, right: int) -> bool:
    """Return whether everybody certainly has a right: the group, all others, and everyone whom an ACL names.

    The owner is not considered: an owner can take the right at any time. C(status): that of the path when it was examined.
    """
    wanted = right << 3 | right
    if status.st_mode & wanted != wanted:
        return False
    try:
        access = _acl_of(path, status)
    except OSError:
        return False
    if access is None:
        return True
    from .acls import spares_nobody

    return spares_nobody(access, right)


def others_may(path: str, mode: int, owner: int | None, right: int, below: bool = False) -> bool:
    """Return whether users other than the owner and root have a right; C(below): also in new directories below."""
    # The group bits are the mask of an ACL: if neither they nor the bits of others give the right, no entry does.
    allowed = bool(mode & (right << 3 | right))
    access = _acl(path, ACCESS_ACL) if allowed else None
    default = _acl(path, DEFAULT_ACL) if below else None
    if access is None and default is None:
        return allowed
    from .acls import grants

    return grants(access, default, mode, owner, right)
