# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this process may do with owners, groups and modes: root need not have all of root's rights (capabilities(7))."""

from __future__ import annotations

import contextlib
import os
import stat

from .._config.printable import quoted
from .access import group_name, user_name

# Numbers of linux/capability.h.
CHOWN, DAC_OVERRIDE, FOWNER, FSETID, LINUX_IMMUTABLE = 0, 1, 3, 4, 9

# The attributes of chattr(1) that only CAP_LINUX_IMMUTABLE sets.
_GUARDED = frozenset("ai")
_SPECIAL = stat.S_ISUID | stat.S_ISGID


def capable(capability: int) -> bool:
    """Whether this process has a capability; where the system has none, whether it is root."""
    with contextlib.suppress(OSError), open("/proc/self/status", "rb") as file:
        for line in file:
            if line.startswith(b"CapEff:"):
                return bool(int(line.split()[1], 16) >> capability & 1)
    return os.geteuid() == 0


def _mapped(kind: str, number: int) -> bool:
    """Whether a user (kind C(uid)) or a group (C(gid)) has a number in this user namespace (user_namespaces(7))."""
    try:
        with open("/proc/self/%s_map" % kind, "rb") as file:
            ranges = [[int(word) for word in line.split()] for line in file]
    except OSError:
        return True
    return any(first <= number < first + count for first, _outside, count in ranges)


def known(uid: int, gid: int) -> bool:
    """Whether both numbers mean a user and a group in this user namespace, so that files can be given to them."""
    return _mapped("uid", uid) and _mapped("gid", gid)


def overrides(capability: int, status: os.stat_result) -> bool:
    """Whether this process has a capability for a file: one whose owner or group it does not know is out of its reach."""
    return capable(capability) and known(status.st_uid, status.st_gid)


def root_may(status: os.stat_result, right: int) -> bool:
    """Whether the mode alone gives root a right, where CAP_DAC_OVERRIDE does not count."""
    if status.st_uid == 0:
        return bool(status.st_mode >> 6 & right)
    in_group = status.st_gid in {os.getegid(), *os.getgroups()}
    return bool((status.st_mode >> 3 if in_group else status.st_mode) & right)


def owner_of_new(above: os.stat_result) -> tuple[int, int]:
    """The owner and the group to give a new directory, by those of the directory above; -1 for those of this process.

    Only root with all of its rights gives directories away.
    """
    gives = os.geteuid() == 0 and all(map(capable, (CHOWN, DAC_OVERRIDE, FOWNER)))
    return (above.st_uid, above.st_gid) if gives and known(above.st_uid, above.st_gid) else (-1, -1)


def uncopyable(uid: int | None, gid: int | None, mode: int) -> str | None:
    """Why root cannot make a file that has this owner, group and mode; others than root make their own."""
    if os.geteuid() != 0:
        return None
    return forbidden((0, os.getegid(), 0), (uid, gid, mode & _SPECIAL)) or unkept(uid, mode)


def unkept(uid: int | None, mode: int) -> str | None:
    """Why a file cannot keep its setuid and setgid bits, which the system removes when it is given away or written."""
    if mode & _SPECIAL and uid not in (None, os.geteuid()) and not capable(FOWNER):
        return "only its owner %s may set its setuid and setgid bits" % user_name(uid)
    return None


def unlabelled(uid: int, gid: int, attributes: str) -> str | None:
    """Why a file of this owner and group cannot get attributes of the file system."""
    if uid != os.geteuid():
        if not capable(FOWNER):
            return "only its owner %s may do that" % user_name(uid)
        if not known(uid, gid):
            return "its owner or group is not known in this user namespace"
    if _GUARDED.intersection(attributes) and not capable(LINUX_IMMUTABLE):
        return "%s may not do that without CAP_LINUX_IMMUTABLE" % user_name(os.geteuid())
    return None


def labelled(there: str | None, attributes: str) -> bool:
    """Whether a file with the attributes C(there), as lsattr(1) tells them, has those asked for in the manner of chattr(1).

    C(there): None if they cannot be told.
    """
    if there is None:
        return False
    sign, wanted = (attributes[:1], attributes[1:]) if attributes[:1] in ("+", "-", "=") else ("=", attributes)
    if sign == "=":
        # How the blocks of a file are listed (e) is the file system's own matter.
        return set(there) ^ set(wanted) <= {"e"}
    return set(wanted) <= set(there) if sign == "+" else set(wanted).isdisjoint(there)


def forbidden(owners: tuple[int, int, int], wanted: tuple[int | None, int | None, int]) -> str | None:
    """Why what has this owner, group and mode cannot get others; None if nothing speaks against it.

    None among the wanted: a user or a group that does not exist yet.
    """
    uid, gid, mode = owners
    new_uid, new_gid, new_mode = wanted
    if wanted == owners:
        return None
    own = uid == os.geteuid()
    if not own and not capable(FOWNER) and (os.geteuid() != 0 or new_mode != mode):
        return "only its owner %s may do that" % user_name(uid)
    gives = new_uid != uid
    if gives or (new_gid != gid and not (own and new_gid in {os.getegid(), *os.getgroups()})):
        if not capable(CHOWN):
            whom = user_name(new_uid) if gives else "the group %s" % group_name(new_gid)
            return "%s may not give it to %s without CAP_CHOWN" % (user_name(os.geteuid()), whom)
        if not known(uid if new_uid is None else new_uid, gid if new_gid is None else new_gid):
            return "its new owner or group is not known in this user namespace"
    if new_mode & stat.S_ISGID and new_gid not in {os.getegid(), *os.getgroups()} and not capable(FSETID):
        return "%s may not set the setgid bit for the group %s without CAP_FSETID" % (
            user_name(os.geteuid()),
            group_name(gid if new_gid is None else new_gid),
        )
    if not own and not known(uid, gid):
        return "its owner or group is not known in this user namespace"
    return None


def squashed(owner: int) -> str:
    """What it looks like where root may not do something."""
    if os.geteuid() != 0:
        return ""
    if not known(owner, os.getegid()):
        return ", whose owner is not known in this user namespace"
    if not capable(DAC_OVERRIDE):
        return " without CAP_DAC_OVERRIDE; become its owner %s with become_user" % user_name(owner)
    return ", as on a share with root_squash; become its owner %s with become_user" % user_name(owner)


def not_entered(directory: str, owner: int) -> str:
    """The sentence for a directory that this user may not enter."""
    return "%s may not enter %s, which belongs to %s%s" % (
        user_name(os.geteuid()),
        quoted(directory),
        user_name(owner),
        squashed(owner),
    )
