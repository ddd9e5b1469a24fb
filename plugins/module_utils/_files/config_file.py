# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a config file and telling beforehand whether it can be written."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, Any, NamedTuple

from .._config.check import MAX_BYTES, Finding
from .access import READ, WRITE, everybody_may, may, others_may, user_name
from .path import (
    ANYONE,
    LINKS_MAX,
    UNREACHED,
    Link,
    ResolvedPath,
    barred_by,
    hold_directory,
    open_to_judge,
    reopen,
    resolve,
)

if TYPE_CHECKING:
    from .._config.problems import Problem


class Unreadable(Exception):
    """A file that cannot be read as a whole: the name of a text in C(problems), and what else that text says."""

    def __init__(self, name: str, **facts: Any) -> None:
        super().__init__(name)
        self.finding = Finding(name, facts=facts)

    @property
    def problem(self) -> Problem:
        """Why, in words."""
        from .._config.problems import to_problem

        return to_problem(self.finding)


class ChangedMeanwhile(Exception):
    """Another process has written the file since it was read."""

    def __str__(self) -> str:
        return "another process has written it meanwhile; run again when none does"


def failure(path: str, error: OSError) -> str:
    """The sentence for what fails when it is looked at, most often as it was there a moment ago."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE, errno.EINVAL):
        return "%s: another process changes it or what is above it meanwhile; run again when none does" % path
    where = "" if error.filename in (None, path) else " (%s)" % os.fsdecode(error.filename)
    return "%s: the system fails: %s%s; correct that first" % (path, error.strerror, where)


class ResolvedFile(NamedTuple):
    """Where a file is, or would be: no link is left to follow."""

    resolved: ResolvedPath
    """The way to its directory, with all links that were followed."""
    name: str
    """Its name there."""

    @property
    def path(self) -> str:
        """Its path without links."""
        return os.path.join(self.resolved.target, self.name)

    def names(self) -> list[str]:
        """Every name without links above it that leads to the file: those of links, then its own."""
        return [link for link, _status, _owner in self.resolved.links] + [self.path]


def resolve_file(path: str) -> ResolvedFile:
    """Follow an absolute path to a config file, links included.

    Raises Unreadable where the way does not lead to a place for a file.
    """
    links: list[Link] = []
    visited: list[tuple[str, os.stat_result]] = []
    target = ""
    for _hop in range(LINKS_MAX):
        resolved = resolve(os.path.dirname(path))
        name = os.path.basename(path)
        resolved.links[:0] = links
        resolved.visited[:0] = visited
        if resolved.error:
            raise Unreadable("denied" if resolved.denied else "unreadable", reason=resolved.error)
        if name in ("", ".", ".."):
            raise Unreadable("is-a-directory")
        full = os.path.join(resolved.real, name)
        status = None
        if not resolved.missing:
            with contextlib.suppress(FileNotFoundError):
                status = os.lstat(full)
        if status is None or not stat.S_ISLNK(status.st_mode):
            if links and status is None:
                raise Unreadable("dangling-link", target=target)
            return ResolvedFile(resolved, name)
        links = [*resolved.links, (full, status, resolved.status().st_uid)]
        visited = resolved.visited
        target = os.readlink(full)
        path = os.path.join(resolved.real, target)
    raise Unreadable("too-many-links")


def read(place: ResolvedFile) -> tuple[bytes, os.stat_result] | None:
    """The bytes of a config file, and what the file was when it was read; None where there is none.

    Raises Unreadable for a directory, a file that is no regular file, too large, not
    permitted, that changes while it is read, or that a user's link wants root to read.
    """
    if place.resolved.missing:
        return None
    with contextlib.ExitStack() as stack:
        try:
            directory = hold_directory(place.resolved)
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
            raise Unreadable("unreadable", reason=error.strerror) from None
    if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size) or len(data) != after.st_size:
        raise Unreadable("changing")
    return data, after


def _judge(place: ResolvedFile, status: os.stat_result) -> None:
    """Raise Unreadable for what is not to be opened."""
    if stat.S_ISLNK(status.st_mode):
        raise Unreadable("changing")
    if stat.S_ISDIR(status.st_mode):
        raise Unreadable("is-a-directory")
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("not-a-file")
    if os.geteuid() == 0 and not (everybody_may(place.path, status.st_mode, READ) and place.resolved.public()):
        from .guards import secret

        unsafe = secret(place.path, place.resolved, status)
        if unsafe:
            raise Unreadable("secret", reason=unsafe)
    if status.st_size > MAX_BYTES:
        raise Unreadable("too-large", size=status.st_size)


def _whole(handle: int) -> bytes:
    """The bytes of an open file, and no more than tell that it is too large. Raises OSError."""
    data = b""
    while len(data) <= MAX_BYTES:
        more = os.read(handle, MAX_BYTES + 1 - len(data))
        if not more:
            break
        data += more
    return data


def chooser(place: ResolvedFile, seen: os.stat_result | None) -> int | None:
    """Who else than root can write the config, and with it choose the directory.

    A user, C(ANYONE), C(UNREACHED), or None for nobody, and where this is not root: the kernel keeps other users.
    C(seen): what the file was when it was read, None for no file.
    """
    if os.geteuid() != 0:
        return None
    resolved = place.resolved
    users = {uid for _path, status, parent in resolved.links for uid in (status.st_uid, parent)}
    for path, status in resolved.visited:
        users.add(status.st_uid)
        # In a sticky directory anyone can put what is not there yet, or a file that has other names.
        creates = path == resolved.real and (seen is None or seen.st_nlink > 1)
        if (creates or not status.st_mode & stat.S_ISVTX) and others_may(path, status.st_mode, status.st_uid, WRITE):
            if resolved.reached(path):
                return ANYONE
            users.add(UNREACHED)
    if seen is not None:
        users.add(seen.st_uid)
        if others_may(place.path, seen.st_mode, seen.st_uid, WRITE):
            users.add(ANYONE if resolved.reached(resolved.real) else UNREACHED)
    users.discard(0)
    return None if not users else users.pop() if len(users) == 1 else ANYONE


def file_findings(place: ResolvedFile, mode: int, uid: int | None, gid: int | None, user: int) -> list[Finding]:
    """What is wrong with a config file of this mode, owner and group for processes of C(user)."""
    found = []
    name = user_name(user)
    barred = barred_by(place.resolved.visited, user)
    if barred:
        found.append(Finding("file-barred", facts={"user": name, "above": barred}))
    elif not may(place.path, mode, uid, gid, user, READ):
        found.append(Finding("file-unreadable", facts={"user": name}))
    owners = [(place.path, uid)] + [(path, status.st_uid) for path, status in place.resolved.visited]
    strangers = [(path, owner) for path, owner in owners if owner not in (0, user, None)]
    # Root looks at files for users whom it does not know.
    if user != 0 and strangers:
        path, owner = strangers[0]
        found.append(Finding("file-owned", facts={"user": name, "owner": user_name(owner), "owned": path}))
    if others_may(place.path, mode, uid, WRITE):
        found.append(Finding("file-writable"))
    for path, status in place.resolved.visited:
        # In a sticky directory only the owner of a file that is there can put another one in its place.
        if status.st_mode & stat.S_ISVTX or not others_may(path, status.st_mode, status.st_uid, WRITE):
            continue
        if place.resolved.reached(path):
            found.append(Finding("file-replaceable", facts={"above": path}))
            break
    return found
