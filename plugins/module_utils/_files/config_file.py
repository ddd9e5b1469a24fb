# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a config file, and find who may read, replace and write it."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import Any, NamedTuple

from .._config.check import MAX_BYTES, Finding
from .access import READ, WRITE, Reason, everybody_may, may, others_may, system_error, user_name
from .path import (
    LINKS_MAX,
    Link,
    ResolvedPath,
    barred_by,
    link_barred,
    of_system,
    open_resolved,
    open_to_judge,
    reopen,
    resolve,
    users_of_links,
)


class Unreadable(Exception):
    """A file that cannot be read as a whole: the name of a text in C(problems) and its values, of which one may be a reason."""

    def __init__(self, name: str, **facts: Any) -> None:
        super().__init__(name)
        self.finding = Finding(name, facts=facts)


class ChangedMeanwhile(Exception):
    """Another process has written the file since it was read."""


class ResolvedFile(NamedTuple):
    """The place of a file, which may not exist, with all links resolved."""

    resolved: ResolvedPath
    """The path to its directory, with all links that were followed."""
    name: str
    """Its name there."""

    @property
    def path(self) -> str:
        """Its path without links."""
        return os.path.join(self.resolved.target, self.name)

    def names(self) -> list[str]:
        """Return every name that leads to the file, without links above it: those of links, then its own."""
        return [link for link, _status, _owner in self.resolved.links] + [self.path]


def resolve_file(path: str) -> ResolvedFile:
    """Resolve an absolute path to a config file, links included.

    Raises Unreadable if the path cannot be that of a file.
    """
    links: list[Link] = []
    visited: list[tuple[str, os.stat_result]] = []
    target = ""
    while True:
        resolved = resolve(os.path.dirname(path), users_of_links(links))
        name = os.path.basename(path)
        unsafe = resolved.error
        if unsafe is None and os.geteuid() == 0:
            directory = (resolved.real, resolved.status())
            unsafe = link_barred(path, resolved.links, directory, users_of_links([*links, *resolved.links]))
        if unsafe:
            denied = resolved.denied or resolved.error is None
            raise Unreadable("denied" if denied else "unreadable", reason=unsafe)
        if resolved.detour:
            raise Unreadable("detour")
        resolved.links[:0] = links
        resolved.visited[:0] = visited
        if len(resolved.links) > LINKS_MAX:
            raise Unreadable("too-many-links")
        if name in ("", ".", ".."):
            raise Unreadable("is-a-directory")
        full = os.path.join(resolved.real, name)
        status = None
        if not resolved.missing:
            try:
                status = os.lstat(full)
            except FileNotFoundError:
                pass
            except OSError as error:
                raise Unreadable("unreadable", reason=system_error(error)) from None
        if status is None or not stat.S_ISLNK(status.st_mode):
            if links and status is None:
                raise Unreadable("dangling-link", target=target)
            return ResolvedFile(resolved, name)
        links = [*resolved.links, (full, status, resolved.status().st_uid)]
        visited = resolved.visited
        target = os.readlink(full)
        if os.geteuid() == 0 and of_system(status, target):
            raise Unreadable("denied", reason=Reason("link-of-system", path=full))
        path = os.path.join(resolved.real, target)


def read(place: ResolvedFile) -> tuple[bytes, os.stat_result] | None:
    """Return the bytes of a config file and its status when it was read; None if it does not exist.

    Raises Unreadable if it is not a regular file, too large, changes while it is read, may not be
    read, or if root must not read it because a link of another user leads there.
    """
    if place.resolved.missing:
        return None
    with contextlib.ExitStack() as stack:
        try:
            directory = open_resolved(place.resolved)
            stack.callback(os.close, directory)
            found = open_to_judge(place.name, directory)
            stack.callback(os.close, found)
            _judge(place, os.fstat(found))
            handle = reopen(found, place.name, directory)
            stack.callback(os.close, handle)
            before = os.fstat(handle)
            data = _whole(handle)
            after = os.fstat(handle)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ESTALE):
                raise Unreadable("changing") from None
            raise Unreadable("unreadable", reason=system_error(error)) from None
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size) or len(data) != after.st_size:
        raise Unreadable("changing")
    return data, after


def _judge(place: ResolvedFile, status: os.stat_result) -> None:
    """Raise Unreadable for a file that must not be opened."""
    if stat.S_ISLNK(status.st_mode):
        raise Unreadable("changing")
    if stat.S_ISDIR(status.st_mode):
        raise Unreadable("is-a-directory")
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("not-a-file")
    if os.geteuid() == 0 and not (everybody_may(place.path, status, READ) and place.resolved.public()):
        from .private import secret

        unsafe = secret(place.path, place.resolved, status)
        if unsafe:
            raise Unreadable("secret", reason=unsafe)
    if status.st_size > MAX_BYTES:
        raise Unreadable("too-large", size=status.st_size)


def _whole(handle: int) -> bytes:
    """Return the bytes of an open file; of one that is too large, only the first. Raises OSError."""
    data = b""
    while True:
        more = os.read(handle, MAX_BYTES + 1 - len(data))
        if not more:
            return data
        data += more


def file_findings(place: ResolvedFile, mode: int, uid: int | None, gid: int | None, user: int) -> list[Finding]:
    """Return what is wrong with a config file of this mode, owner and group for processes of C(user)."""
    found = []
    name = user_name(user)
    barred = barred_by(place.resolved.visited, user)
    if barred:
        found.append(Finding("file-barred", facts={"user": name, "above": barred}))
    elif not may(place.path, mode, uid, gid, user, READ):
        found.append(Finding("file-unreadable", facts={"user": name}))
    owners = [(place.path, uid)] + [(path, status.st_uid) for path, status in place.resolved.visited]
    strangers = [(path, owner) for path, owner in owners if owner not in (0, user, None)]
    # Root checks files for unknown users.
    if user != 0 and strangers:
        path, owner = strangers[0]
        found.append(Finding("file-owned", facts={"user": name, "owner": user_name(owner), "owned": path}))
    if others_may(place.path, mode, uid, WRITE):
        found.append(Finding("file-writable"))
    for path, status in place.resolved.visited:
        # In a sticky directory, only the owner of a file can replace it.
        if status.st_mode & stat.S_ISVTX or not others_may(path, status.st_mode, status.st_uid, WRITE):
            continue
        if place.resolved.reached(path):
            found.append(Finding("file-replaceable", facts={"above": path}))
            break
    return found
