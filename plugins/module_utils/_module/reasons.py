# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of all reasons why something cannot be done; a run without one never loads them."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, Callable

from .._config.printable import printable, quoted
from .._files.access import group_name, user_name

if TYPE_CHECKING:
    from .._config.check import Finding
    from .._files.access import Reason
    from .._files.config_file import Unreadable

# By the code of a C(Reason).
REASON_TEXTS = {
    "at": "%(path)s: %(reason)s",
    "system-error": "%(text)s",
    # Paths
    "dangling-link": "%(path)s is a symbolic link whose target does not exist",
    "too-many-links": "%(path)s has too many symbolic links",
    "not-a-directory": "%(path)s is not a directory",
    "changing": "it changed while it was examined",
    "not-entered": "the user %(user)s may not enter %(path)s, which belongs to %(owner)s%(limit)s",
    "path-too-long": "its path has %(size)d bytes, and the system takes at most %(most)d",
    "name-too-long": "the name %(path)s has more than %(most)d bytes",
    # Who may do what
    "belongs-to": "%(path)s belongs to %(owner)s",
    "link-belongs-to": "the symbolic link %(path)s belongs to %(owner)s",
    "others-write": "other users can write to %(path)s",
    "others-create": "any user can create it first in %(path)s",
    "no-right-to-write": "the user %(user)s may not write in %(path)s%(limit)s",
    "no-right-to-read": "%(user)s may not read it",
    "sticky": "only its owner may replace or remove it in %(path)s, which is sticky",
    "read-only": "%(path)s is on a read-only file system",
    "append-only": "%(path)s is append-only; see lsattr",
    "denied": "the system denies writing to %(path)s although its mode allows it; see lsattr",
    "denied-to-root": "the system denies writing to %(path)s although its mode allows it; see lsattr, or on a share with"
    " root_squash become its owner %(owner)s with become_user",
    "mount-point": "it is a mount point, which cannot be replaced or removed",
    "one-owner": "%(path)s is on a file system of type %(kind)s, where all files have one owner and mode; use another file"
    " system",
    # What root may not do
    "root-owner-unknown": " (its owner is unknown in this user namespace)",
    "root-without-override": " (root lacks CAP_DAC_OVERRIDE)",
    "root-squash": " (probably a share with root_squash)",
    "denied-even-to-root": "%(reason)s, even for root: a share with root_squash or a missing capability can cause this; use"
    " become_user",
    "only-owner": "only its owner %(owner)s may do that",
    "only-owner-sets-special-bits": "only its owner %(owner)s may set its setuid and setgid bits",
    "owner-unknown": "its owner or group is unknown in this user namespace",
    "new-owner-unknown": "its new owner or group is unknown in this user namespace",
    "needs-chown": "%(user)s may not give it to %(owner)s without CAP_CHOWN",
    "needs-chown-for-group": "%(user)s may not give it to %(group)s without CAP_CHOWN",
    "needs-fsetid": "%(user)s may not set the setgid bit for %(group)s without CAP_FSETID",
    "needs-linux-immutable": "%(user)s may not do that without CAP_LINUX_IMMUTABLE",
    # What root must not do
    "link-with-other-names": "%(path)s is a symbolic link with other names (hard links), and other users can create names in"
    " %(where)s: root does not follow it",
    "link-may-have-been-moved": "%(path)s is a symbolic link that a user may have moved to %(where)s: root does not follow it",
    "link-into-other-directory": "%(path)s is a symbolic link of %(user)s into %(where)s, which belongs to %(owner)s: root"
    " does not follow it",
    "link-of-system": "%(path)s is a link of the system, as in /proc: root does not follow it",
    "link-barred": "%(path)s is a symbolic link of %(user)s, who may not enter where it leads: root does not follow it",
    "chosen-by-barred-user": "%(user)s can write to the config that names %(path)s and may not enter a directory on this path",
    "names-replaceable": "other users can replace what is in %(path)s",
    "other-names": "it has other names (hard links), and %(reason)s; remove the other"
    " names, or become the owner of that directory with become_user",
    "secret": "it is a file of %(owner)s that other users may not read, and some of them can replace what is in"
    " %(path)s",
    "secret-with-other-names": "it is a file of %(owner)s with other names (hard links), and %(reason)s",
    "chosen-by-user-who-cannot-list": "%(user)s can write to the config that names it but cannot list it",
    "chosen-by-user": "%(user)s can write to the config and so choose the directory %(path)s, on which root does not act:"
    " %(reason)s; name it in directory if it is the right one, or become the user of the cache with become_user",
    "not-in-directory-of": "it is not in a directory of %(owner)s",
    "not-in-directory-of-one-user": "it is not in a directory that belongs to one user",
    "may-have-been-moved": "it belongs to %(owner)s and may have been moved there, as other users can replace what is in"
    " %(path)s; find out who owned it before, or become its owner with become_user",
    # Programs
    "size": "%(size)d bytes",
    "stalled": "nothing of it could be read for %(seconds)d seconds",
    "not-through-process": "it cannot be opened through its process and is no longer at its path",
    # Cached modules
    "empty-file": "the file is empty",
    "truncated-file": "the file ends too early",
    "zstd-error": "%(text)s",
    "not-a-regular-file": "it is not a regular file",
    "unreadable-file": "it cannot be read: %(reason)s",
    # Failures
    "locked": "nothing was changed: another process has held the lock on %(path)s for %(seconds)d seconds; run again when it"
    " has ended (lslocks names it)",
    "not-locked": "its directory cannot be locked: %(reason)s",
    "path-replaced": "another process has replaced a part of the path",
    "new-directory-differs": "a directory that was made there belongs to %(owner)s and has the mode %(mode)04o: either the file system"
    " gives files an owner or a mode of its own, as a share with root_squash does, or another process has replaced a part of"
    " the path; become the owner of the directory above with become_user",
    "not-written": "it cannot be written: %(reason)s",
    "not-removed": "it cannot be removed: %(reason)s",
    "no-backup": "no backup can be made: %(reason)s",
    "owner-not-changed": "its owner, group or mode cannot be changed: %(reason)s",
    "directory-not-made": "the directory %(path)s cannot be created or changed: %(reason)s",
    "partly-written": "it may have been written in part: %(reason)s",
    "partly-written-after-backup": "it may have been written in part, and %(path)s has the old text: %(reason)s",
    "partly-changed": "its owner, group and mode were changed in part: %(reason)s",
    "directory-partly-changed": "the owner, group and mode of the directory %(path)s were changed in part: %(reason)s",
    "directory-created-without-owner": "the directory %(path)s was created, but without its owner and mode: %(reason)s",
    "written-path-replaced": "it was written, but another process has replaced a part of its path",
    "written-not-synced": "it was written, but may not survive a power cut: %(reason)s",
    "removed-not-synced": "it was removed, but may not survive a power cut: %(reason)s",
    "owner-not-synced": "its owner, group or mode was changed, but may not survive a power cut: %(reason)s",
    "directory-created-not-synced": "the directory %(path)s was created, but may not survive a power cut: %(reason)s",
    "directory-changed-not-synced": "the directory %(path)s was changed, but may not survive a power cut: %(reason)s",
    "replaced-while-removed": "it was not removed: another process has made a new one meanwhile; the old one is %(path)s now",
}

# What to do about a reason, for a message that does not say it; by the code.
_BECOME_OR_MOVE = "become a user who may, with become_user, or choose another path"
_CAPABLE = "run the task as a user with this capability, or leave the %s as it is"
REMEDIES = {
    "not-entered": _BECOME_OR_MOVE,
    "no-right-to-write": _BECOME_OR_MOVE,
    "sticky": "become its owner with become_user",
    "read-only": "mount it writable, or choose a path on another file system",
    "mount-point": "unmount it, or set unsafe_writes to overwrite it",
    "only-owner": "become that owner with become_user",
    "root-squash": "become its owner %(owner)s with become_user",
    "root-without-override": "become its owner %(owner)s with become_user",
    "needs-chown": _CAPABLE % "owner",
    "needs-chown-for-group": _CAPABLE % "group",
    "link-of-system": "name what it leads to",
    "link-barred": "become the owner of the link with become_user",
    "chosen-by-barred-user": "become the user of the cache with become_user",
    "link-with-other-names": "name the target of the link",
    "link-may-have-been-moved": "name the target of the link",
    "link-into-other-directory": "name the target of the link, or become the owner of the link with become_user",
}

# By the codes of C(inventory.NOTE_CODES).
NOTE_TEXTS = {
    "missing": "there is no such file or directory",
    "not-a-program": "this is not an executable or a library (ELF, PE or Mach-O)",
    "no-engine": "there is no Wasmtime in this file; if it loads one from another file, name that file",
    "script": "this is a script, and the program that it starts is not examined; name the program",
    "packed": "this is packed by UPX, which hides its contents",
    "special-file": "this is a directory, a device, a FIFO or a socket, not a program",
    "too-large": "this is larger than size_limit",
    "changing": "this changed while it was read; run again when no other process writes to it",
    "unreadable": "this could not be opened or read",
    "depth": "directories below this are deeper than depth and were not searched",
    "time-limit": "the time_limit was reached: nothing from here on was examined",
    "not-listed": "more files contain a Wasmtime than can be listed, these among them; name fewer paths",
    "other-users": "this user may not see the files that these processes have mapped; become root",
    "not-on-this-system": "running programs can only be found on Linux",
}


def _name_of_user(uid: int) -> str:
    # Those of C(_files/path.py) that mean more than one user are negative.
    return "users other than root" if uid < 0 else str(user_name(uid))


def _name_of_owner(uid: int | None) -> str:
    return "a user that does not exist yet" if uid in (None, -1) else str(user_name(uid))


def _name_of_group(gid: int | None) -> str:
    return "a group that does not exist yet" if gid in (None, -1) else "the group %s" % group_name(gid)


def sentence(reason: Reason | None) -> str:
    """Return the text of a reason, an empty one for none."""
    return "" if reason is None else _filled(REASON_TEXTS[reason.code], reason)


def advice(reason: Reason) -> str:
    """Return the text of a reason, with what to do about it or its cause, where that is known."""
    remedy = _remedy(reason)
    return sentence(reason) + ("; " + remedy if remedy else "")


def _remedy(reason: Reason | None) -> str | None:
    if reason is None:
        return None
    caused = _remedy(reason.values.get("limit")) or _remedy(reason.values.get("reason"))
    return caused or (_filled(REMEDIES[reason.code], reason) if reason.code in REMEDIES else None)


def _filled(text: str, reason: Reason) -> str:
    return text % {name: _FORMS[name](value) if name in _FORMS else value for name, value in reason.values.items()}


# How values are written, by their names; others as they are.
_FORMS: dict[str, Callable[[Any], str]] = {
    "path": quoted,
    "where": quoted,
    "user": _name_of_user,
    "owner": _name_of_owner,
    "group": _name_of_group,
    "limit": sentence,
    "reason": sentence,
}


def finding_of(error: Unreadable) -> Finding:
    """Return why a file cannot be read, with the reason in words."""
    reason = error.finding.facts.get("reason")
    return error.finding._replace(facts={"reason": sentence(reason)}) if reason else error.finding


def failure(path: str, error: OSError) -> str:
    """Return the message for an error of the system at a file, which most often has changed since it was found."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE, errno.EINVAL):
        text = "%s: another process is changing it or a directory above it; run again when that has ended" % path
    else:
        where = "" if error.filename in (None, path) else " (%s)" % os.fsdecode(error.filename)
        text = "%s: system error: %s%s; correct that first" % (path, error.strerror, where)
    return printable(text)
