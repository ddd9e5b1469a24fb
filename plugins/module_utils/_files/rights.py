# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this process may do with owners, groups and modes: root may lack some capabilities (capabilities(7))."""

from __future__ import annotations

import contextlib
import os
import stat

from .access import Reason, own_groups

# Numbers of linux/capability.h.
CHOWN, DAC_OVERRIDE, FOWNER, FSETID, LINUX_IMMUTABLE = 0, 1, 3, 4, 9

_SPECIAL = stat.S_ISUID | stat.S_ISGID


def capable(capability: int) -> bool:
    """Return whether this process has a capability; on a system without capabilities, whether it is root."""
    with contextlib.suppress(OSError), open("/proc/self/status", "rb") as file:
        for line in file:
            if line.startswith(b"CapEff:"):
                return bool(int(line.split()[1], 16) >> capability & 1)
    return os.geteuid() == 0


def _has_number(kind: str, number: int) -> bool:
    """Return whether a user (kind C(uid)) or group (C(gid)) has a number in this user namespace (user_namespaces(7))."""
    try:
        with open("/proc/self/%s_map" % kind, "rb") as file:
            ranges = [[int(word) for word in line.split()] for line in file]
    except OSError:
        return True
    return any(first <= number < first + count for first, _outside, count in ranges)


def known(uid: int, gid: int) -> bool:
    """Return whether this user namespace has both the user and the group, so that files can be given to them."""
    return _has_number("uid", uid) and _has_number("gid", gid)


def overrides(capability: int, status: os.stat_result) -> bool:
    """Return whether this process has a capability for a file: none if its user namespace lacks the owner or group."""
    return capable(capability) and known(status.st_uid, status.st_gid)


def root_may(status: os.stat_result, right: int) -> bool:
    """Return whether the mode alone gives root a right, without CAP_DAC_OVERRIDE."""
    if status.st_uid == 0:
        return bool(status.st_mode >> 6 & right)
    in_group = status.st_gid in own_groups()
    return bool((status.st_mode >> 3 if in_group else status.st_mode) & right)


def owner_of_new(above: os.stat_result) -> tuple[int, int]:
    """Return the owner and group for a new directory, by those of the directory above; -1 for those of this process.

    Only root with all of these capabilities gives directories away.
    """
    gives = os.geteuid() == 0 and all(map(capable, (CHOWN, DAC_OVERRIDE, FOWNER)))
    return (above.st_uid, above.st_gid) if gives and known(above.st_uid, above.st_gid) else (-1, -1)


def uncopyable(uid: int | None, gid: int | None, mode: int) -> Reason | None:
    """Return why root cannot make a file with this owner, group and mode; other users make their own."""
    if os.geteuid() != 0:
        return None
    return forbidden((0, os.getegid(), 0), (uid, gid, mode & _SPECIAL)) or unkept(uid, mode)


def unkept(uid: int | None, mode: int) -> Reason | None:
    """Return why a file cannot keep its setuid and setgid bits, which the system removes when it is given away or written."""
    if mode & _SPECIAL and uid not in (None, os.geteuid()) and not capable(FOWNER):
        return Reason("only-owner-sets-special-bits", owner=uid)
    return None


def forbidden(owners: tuple[int, int, int], wanted: tuple[int | None, int | None, int]) -> Reason | None:
    """Return why a file with this owner, group and mode cannot get others; None if nothing prevents it.

    None among C(wanted): a user or a group that does not exist yet.
    """
    uid, gid, mode = owners
    new_uid, new_gid, new_mode = wanted
    if wanted == owners:
        return None
    user = os.geteuid()
    own = uid == user
    if not own and not capable(FOWNER) and (user != 0 or new_mode != mode):
        return Reason("only-owner", owner=uid)
    gives = new_uid != uid
    if gives or (new_gid != gid and not (own and new_gid in own_groups())):
        if not capable(CHOWN):
            if gives:
                return Reason("needs-chown", user=user, owner=new_uid)
            return Reason("needs-chown-for-group", user=user, group=new_gid)
        if not known(uid if new_uid is None else new_uid, gid if new_gid is None else new_gid):
            return Reason("new-owner-unknown")
    if new_mode & stat.S_ISGID and new_gid not in own_groups() and not capable(FSETID):
        return Reason("needs-fsetid", user=user, group=gid if new_gid is None else new_gid)
    if not own and not known(uid, gid):
        return Reason("owner-unknown")
    return None


def root_denied(owner: int) -> Reason | None:
    """Return what denies root an access that belongs to this owner; None for users other than root."""
    if os.geteuid() != 0:
        return None
    if not known(owner, os.getegid()):
        return Reason("root-owner-unknown")
    return Reason("root-squash" if capable(DAC_OVERRIDE) else "root-without-override", owner=owner)


def not_entered(directory: str, owner: int) -> Reason:
    """Return why this user may not enter a directory."""
    return Reason("not-entered", user=os.geteuid(), path=directory, owner=owner, limit=root_denied(owner))
