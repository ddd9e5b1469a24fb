# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a run from reading or writing: what the system denies, and what root must not do where users can swap names."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from typing import TYPE_CHECKING

from .._config.printable import quoted
from .access import READ, WRITE, everybody_may, has_acl, may, others_may, user_name
from .path import UNREACHED, barred_by, open_to_judge, reopen, resolve
from .rights import DAC_OVERRIDE, FOWNER, overrides, root_may, squashed

if TYPE_CHECKING:
    from .path import ResolvedPath

# FS_IOC_GETFLAGS and FS_APPEND_FL of linux/fs.h, as on most processors; others answer that they know no such call.
_GETFLAGS = 0x80086601
_APPEND = 0x20
# Types of file systems that know neither owners nor modes.
_ONE_OWNER = ("exfat", "msdos", "vfat")


def unsafe_link(resolved: ResolvedPath) -> str | None:
    """Why root must not follow this way: a link of one user that leads to another's directory."""
    if os.geteuid() != 0:
        return None
    end = resolved.status()
    for path, status, parent in resolved.links:
        # A name may be given to a link of root, too, where the system lets users make hard links to files of others.
        where = os.path.dirname(path)
        if status.st_nlink > 1 and others_may(where, os.lstat(where).st_mode, parent, WRITE):
            return (
                "%s is a symbolic link with other names, and others can make names in %s: root does not follow it"
                % (
                    quoted(path),
                    quoted(where),
                )
            )
        for uid in (status.st_uid, parent):
            if uid not in (0, end.st_uid):
                return "%s is a symbolic link of %s into %s, which belongs to %s: root does not follow it" % (
                    quoted(path),
                    user_name(uid),
                    quoted(resolved.real),
                    user_name(end.st_uid),
                )
    return None


def other_names(resolved: ResolvedPath, status: os.stat_result) -> str | None:
    """Why root must not change the owner, mode or text of a file itself: its name may be given to any file of others."""
    reason = swappable(resolved) if status.st_nlink > 1 else None
    return reason and "it has other names, and %s; give it one name, or become that user" % reason


def follows(link: os.stat_result, above: os.stat_result, handle: int) -> bool:
    """Whether root may tell what is in an open directory to which a link leads; C(above): the directory with the link."""
    end = os.fstat(handle)
    if os.geteuid() != 0 or {link.st_uid, above.st_uid} <= {0, end.st_uid}:
        return True
    resolved = resolve(os.readlink("/proc/self/fd/%d" % handle))
    known = os.path.samestat(resolved.status(), end)
    return known and everybody_may(resolved.target, end.st_mode, READ) and resolved.public()


def swappable(resolved: ResolvedPath, owner: int = 0) -> str | None:
    """Where others than root and this owner can give names to files, or swap them; None for other users than root."""
    if os.geteuid() == 0:
        for path, status in resolved.visited:
            # What is in a sticky directory stays there, but anyone may put another name beside it.
            kept = path != resolved.real and status.st_mode & stat.S_ISVTX
            if status.st_uid not in (0, owner) or (not kept and others_may(path, status.st_mode, status.st_uid, WRITE)):
                return "others can swap what is in %s" % quoted(path)
    return None


def secret(path: str, resolved: ResolvedPath, status: os.stat_result) -> str | None:
    """Why root must not tell what is in a file that not everybody may read: who may not may have given it this name."""
    unsafe = unsafe_link(resolved)
    if unsafe:
        return unsafe
    if status.st_nlink > 1:
        where = swappable(resolved, status.st_uid)
        return where and "it is a file of %s with other names, and %s" % (user_name(status.st_uid), where)
    # The bits of the group are the mask of an ACL.
    readers = status.st_gid if status.st_mode & stat.S_IRGRP and not has_acl(path) else None
    for above, its in resolved.visited:
        stranger = its.st_uid not in (0, status.st_uid) and not _reads(path, status, its.st_uid)
        if stranger or (resolved.reached(above) and _others_rename(above, its, readers, above == resolved.real)):
            return "it is a file of %s that others may not read, and they can swap what is in %s" % (
                user_name(status.st_uid),
                quoted(above),
            )
    return None


def _reads(path: str, status: os.stat_result, user: int) -> bool:
    """Whether a user surely may read a file."""
    if user != status.st_uid and has_acl(path):
        return everybody_may(path, status.st_mode, READ)
    return may(path, status.st_mode, status.st_uid, status.st_gid, user, READ)


def _others_rename(path: str, status: os.stat_result, readers: int | None, holds: bool) -> bool:
    """Whether somebody can rename what is in a directory, but for the members of the group that may read the file.

    C(readers): that group, None if there is none. C(holds): whether the file itself is in it. Even if it is sticky, the file may be the rest of a hard link.
    """
    if (status.st_mode & stat.S_ISVTX and not holds) or not others_may(path, status.st_mode, status.st_uid, WRITE):
        return False
    shared = status.st_gid == readers
    return not shared or others_may(path, status.st_mode & ~stat.S_IWGRP, status.st_uid, WRITE) or has_acl(path)


def private(resolved: ResolvedPath, chosen_by: int | None) -> str | None:
    """Why root must not tell what is in a directory that not everybody may list; None if it may.

    C(chosen_by): who chooses the directory, see C(config_file.chooser).
    """
    unsafe = unsafe_link(resolved)
    if unsafe or chosen_by in (None, UNREACHED):
        return unsafe
    owner = resolved.status().st_uid
    if owner != chosen_by or barred_by(resolved.visited, chosen_by):
        return "%s, who cannot list it, can write to the config that names it" % _called(chosen_by)
    return None


def not_theirs(resolved: ResolvedPath, chosen_by: int) -> str | None:
    """Why root must not create or change a directory that only a file of this user names; None if it may.

    It must be in a directory of that user, reached from C(/) through directories of root in which nobody else can
    swap names, and from there on through directories of that user alone. C(chosen_by): see C(config_file.chooser).
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
            return "%s belongs to %s" % (quoted(path), user_name(status.st_uid))
        elif not status.st_mode & stat.S_ISVTX and others_may(path, status.st_mode, 0, WRITE):
            return "others can swap what is in %s" % quoted(path)
    # The last one is the directory itself, if it exists.
    if theirs < (1 if resolved.missing else 2):
        return "it is not in a directory of %s" % ("one user" if chosen_by < 0 else user_name(chosen_by))
    return None


def chosen(resolved: ResolvedPath, path: str, chosen_by: int) -> str | None:
    """The sentence for what root must not do to a directory that a file of others names; None if it may."""
    reason = not_theirs(resolved, chosen_by)
    if reason is None:
        return None
    return (
        "%s can write to the config and so choose the directory %s, which root does not create or change: %s;"
        % (
            _called(chosen_by),
            quoted(path),
            reason,
        )
        + " name it in directory if it is the right one, or become the user of the cache with become_user"
    )


def moved(resolved: ResolvedPath) -> str | None:
    """Why root must not change the owner, group or mode of a directory that is there: it may have been put there.

    Whoever can make names in a directory above can move one of somebody else, such as a private one of root, to this
    name. Root and the directory's own owner gain nothing by that.
    """
    if os.geteuid() != 0:
        return None
    owner = resolved.status().st_uid
    for path, status in resolved.above():
        others = not status.st_mode & stat.S_ISVTX and others_may(path, status.st_mode, status.st_uid, WRITE)
        if status.st_uid not in (0, owner) or others:
            return (
                "it belongs to %s and may have been moved there, as others can swap what is in %s; look whose it was, or become"
                " its owner with become_user" % (user_name(owner), quoted(path))
            )
    return None


def _called(user: int) -> str:
    return "others than root" if user < 0 else str(user_name(user))


def unwritable(path: str) -> str | None:
    """Why a file at a real path could not be replaced or created; None if nothing speaks against it."""
    if _is_mount_point(path):
        return "it is a mount point, which can only be overwritten, as unsafe_writes does"
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
    if sticky and os.geteuid() not in (above.st_uid, os.lstat(path).st_uid) and not overrides(FOWNER, os.lstat(path)):
        return "only its owner may replace or remove it in %s, which is sticky" % parent
    if not os.access(parent, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        return "the user %s may not write in %s%s" % (user_name(os.geteuid()), parent, squashed(above.st_uid))
    return one_owner(parent, above)


def one_owner(path: str, status: os.stat_result) -> str | None:
    """Why nothing can be written safely on a file system that gives all files one owner and mode; None elsewhere."""
    if status.st_uid == os.geteuid() and not status.st_mode & 0o077:
        return None
    device = "%d:%d" % (os.major(status.st_dev), os.minor(status.st_dev))
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            kinds = {line.partition(" - ")[2].split(" ")[0] for line in file if line.split(" ")[2] == device}
    except OSError:  # not Linux
        return None
    for kind in kinds.intersection(_ONE_OWNER):
        return "%s is on a file system of type %s, where all files have one owner and mode; use another one" % (
            path,
            kind,
        )
    return None


def denied(path: str) -> str | None:
    """Why the system denies a change that the mode allows; None if it does not, or there is no such file."""
    if not os.path.lexists(path) or os.path.islink(path):
        return None
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return "%s is on a read-only file system" % path
    if os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        return "%s is append-only, see lsattr" % path if _append_only(path) else None
    status = os.stat(path)
    if os.geteuid() == 0 and not overrides(DAC_OVERRIDE, status):
        allowed = root_may(status, WRITE)
    else:
        allowed = may(path, status.st_mode, status.st_uid, status.st_gid, os.geteuid(), WRITE)
    if allowed:
        reason = "the system denies writing %s although its mode allows it; see lsattr" % path
        if os.geteuid() == 0 and status.st_uid != 0:
            reason += ", or on a share with root_squash become its owner %s with become_user" % user_name(status.st_uid)
        return reason
    return None


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
    # os.path.ismount does not see a file that is bound to another of the same file system.
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            points = [line.split(b" ")[4].decode("unicode_escape").encode("latin-1") for line in file]
    except OSError:  # not Linux
        return False
    return os.fsencode(path) in points


_PATH_MAX = 4095  # bytes, without the NUL at the end (limits.h)


def too_long(resolved: ResolvedPath, name: str = "") -> str | None:
    """Why the system would not find what is to be made at the end of a way, or a file of this name there."""
    path = os.fsencode(os.path.join(resolved.target, name) if name else resolved.target)
    if len(path) > _PATH_MAX:
        return "its path has %d bytes, and the system takes at most %d" % (len(path), _PATH_MAX)
    longest = os.pathconf(resolved.real, "PC_NAME_MAX")
    for part in (*resolved.missing, name):
        if len(os.fsencode(part)) > longest:
            return "the name %s has more than %d bytes" % (quoted(part), longest)
    return None
