# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache directory: how it stands, what is dangerous about it, and its creation.

Whoever can write to it, or put another directory in its place, runs native code in
every process that loads the cache; and the engine deletes what it finds there and
does not know. Every rule here follows from one of these two facts.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from itertools import islice
from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

from ._access import ENTER, WRITE, group_name, may, others_may, user_name
from ._config import DANGER, ERROR, WARNING, Problem
from ._settings import quoted

SETTING = "directory"
DEFAULT_MODE = 0o700
LINKS_MAX = 40
_EXAMPLES = 3

# What the engine itself makes (C(crates/cache/src/worker.rs)).
_LOCK = re.compile(r"\.cleanup\.wip-")
_COMPILER = re.compile(r"wasmtime-")
_ENTRY = re.compile(r"[A-Za-z0-9_-]{43}(\.stats|\.wip-.*)?\Z")

_SYSTEM = frozenset(
    path
    for line in (
        "/ /bin /boot /dev /etc /home /lib /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /var",
        "/usr/bin /usr/lib /usr/local /usr/sbin /usr/share /usr/src /run/user /dev/shm",
        "/var/cache /var/lib /var/local /var/log /var/mail /var/opt /var/spool /var/tmp",
        "/Users /Library /System /Applications /private /private/tmp /private/var",
    )
    for path in line.split()
)


Link = Tuple[str, os.stat_result, int]


class Walk(NamedTuple):
    """The way from C(/) to a directory, symbolic links resolved one by one."""

    real: str
    """The deepest existing directory on the way."""
    visited: List[Tuple[str, os.stat_result]]
    """Every directory entered, the last one included."""
    links: List[Link]
    """Every link followed, and the owner of the directory that it stands in."""
    missing: List[str]
    """Names below C(real) that do not exist."""
    error: Optional[str]
    """Why the way ends, where more than the directory's absence ends it."""

    @property
    def target(self) -> str:
        """The directory's path without links, whether it exists or not."""
        return os.path.join(self.real, *self.missing)

    def status(self) -> os.stat_result:
        """What C(real) was when it was visited."""
        return next(status for path, status in reversed(self.visited) if path == self.real)

    def above(self) -> List[Tuple[str, os.stat_result]]:
        """The existing directories on the way to the directory, without itself."""
        return [entry for entry in self.visited if self.missing or entry[0] != self.real]


def walk(path: str) -> Walk:
    """Follow an absolute path as the kernel would. Never raises OSError."""
    todo = path.split("/")[::-1]
    current = "/"
    visited = [("/", os.stat("/"))]
    links: List[Link] = []
    missing: List[str] = []
    while todo:
        name = todo.pop()
        if name in ("", "."):
            continue
        if name == "..":
            if missing:
                missing.pop()
            else:
                current = os.path.dirname(current)
            continue
        if missing:
            missing.append(name)
            continue
        full = os.path.join(current, name)
        try:
            status = os.lstat(full)
            if stat.S_ISLNK(status.st_mode):
                target = os.readlink(full)
                if not os.path.exists(full):
                    return Walk(current, visited, links, missing, "%s is a symbolic link to nowhere" % quoted(full))
                links.append((full, status, os.lstat(current).st_uid))
                if len(links) > LINKS_MAX:
                    return Walk(current, visited, links, missing, "%s has too many symbolic links" % quoted(path))
                if target.startswith("/"):
                    current = "/"
                todo.extend(target.split("/")[::-1])
                continue
        except FileNotFoundError:
            missing.append(name)
            continue
        except OSError as error:
            reason = "it changes meanwhile" if error.errno == errno.EINVAL else error.strerror
            return Walk(current, visited, links, missing, "%s: %s" % (quoted(full), reason))
        if not stat.S_ISDIR(status.st_mode):
            return Walk(current, visited, links, missing, "%s is not a directory" % quoted(full))
        current = full
        visited.append((full, status))
    return Walk(current, visited, links, missing, None)


class State(NamedTuple):
    """A cache directory as it is, or as it is going to be."""

    path: str
    way: Walk
    exists: bool
    uid: Optional[int]
    """The owner; None where it will be a user that does not exist yet."""
    gid: Optional[int]
    mode: Optional[int]

    def as_dict(self) -> Dict[str, Any]:
        """The directory as the modules return it."""
        return {
            "path": self.path,
            "exists": self.exists,
            "owner": user_name(self.uid) if self.exists else None,
            "group": group_name(self.gid) if self.exists else None,
            "mode": "%04o" % self.mode if self.exists and self.mode is not None else None,
        }


def inspect(path: str) -> State:
    """The directory at an absolute path as it is now."""
    way = walk(path)
    if way.error or way.missing:
        return State(path, way, False, None, None, None)
    status = os.stat(way.real)
    return State(path, way, True, status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode))


def problems(
    state: State, user: int, owner: Optional[int] = None, entries_looked_at: Optional[int] = None
) -> List[Problem]:
    """What is wrong with the directory for processes of C(user), or of C(owner) if given.

    C(entries_looked_at): at most so many in the directory and in each below it; None for all.
    """
    if state.way.error:
        text = "the directory %s cannot be used: %s" % (quoted(state.path), state.way.error)
        return [_problem("directory-unusable", ERROR, state, text, "set directory to a path that can be created")]
    meant = user if owner is None else owner
    found = _replaceable(state, meant)
    if state.way.target in _SYSTEM or _is_home(state.way.target, {user, owner, state.uid}):
        text = "%s is a directory of the system or a home: the engine deletes the files in it" % quoted(state.path)
        found.append(
            _problem(
                "directory-not-dedicated", DANGER, state, text, "use a directory of its own, like /var/cache/wasmtime"
            )
        )
    found += _unreachable(state, meant)
    if not state.exists:
        return found
    found += _writable(state)
    if state.uid not in (0, user, owner, None):
        text = "the directory %s belongs to %s" % (quoted(state.path), user_name(state.uid))
        found.append(
            _problem("directory-owner", WARNING, state, text, "if that is meant, name the owner in directory_owner")
        )
    if not state.way.missing:
        found += _contents(state, meant, entries_looked_at)
    # A user that does not exist yet will own it, and is meant.
    if state.uid is not None and not _may(state, meant):
        text = "the directory %s cannot be written by %s, so nothing is cached" % (
            quoted(state.path),
            user_name(meant),
        )
        found.append(_problem("directory-unwritable", WARNING, state, text, "give its user the right to write there"))
    return found


def _problem(code: str, severity: str, state: State, message: str, remedy: str) -> Problem:
    return Problem(code, severity, message, remedy, SETTING, state.path)


def _is_home(path: str, users: Set[Optional[int]]) -> bool:
    import pwd

    if os.path.dirname(path) in ("/home", "/Users"):
        return True
    for uid in users - {None}:
        try:
            if os.path.normpath(pwd.getpwuid(uid).pw_dir) == path:  # type: ignore[arg-type]
                return True
        except KeyError:
            continue
    return False


def _writable(state: State) -> List[Problem]:
    if not others_may(state.way.target, state.mode or 0, state.uid, WRITE):
        return []
    text = "others than its owner can write to %s: they run native code in every process that loads the cache" % quoted(
        state.path
    )
    return [
        _problem("directory-writable-by-others", DANGER, state, text, "set directory_mode to 0700, and remove ACLs")
    ]


def _replaceable(state: State, user: int) -> List[Problem]:
    owner = state.uid if state.exists and state.uid is not None else user
    reasons = []
    for path, status in state.way.above():
        if status.st_uid not in (0, owner):
            reasons.append("%s belongs to %s" % (quoted(path), user_name(status.st_uid)))
        elif others_may(path, status.st_mode, owner, WRITE):
            if not status.st_mode & stat.S_ISVTX:
                reasons.append("others can write to %s" % quoted(path))
            elif not state.exists and path == state.way.real:
                reasons.append("anyone can create it first in %s" % quoted(path))
    for path, status, _parent in state.way.links:
        if status.st_uid not in (0, owner):
            reasons.append("the symbolic link %s belongs to %s" % (quoted(path), user_name(status.st_uid)))
    if not reasons:
        return []
    text = "others than root and its owner can put another directory in the place of %s: %s" % (
        quoted(state.path),
        "; ".join(reasons),
    )
    remedy = "use a path of which every directory belongs to root or to the owner and nobody else can write to"
    return [_problem("directory-replaceable", DANGER, state, text, remedy)]


def _contents(state: State, user: int, most: Optional[int]) -> List[Problem]:
    """Files that the engine would delete although they are not its own, and those that others can swap."""
    foreign: List[str] = []
    links: List[str] = []
    exposed: List[str] = []
    planted: List[str] = []
    trusted = (0, state.uid, user)
    # What others can write does no harm where they cannot get.
    reachable = others_may(state.way.real, state.mode or 0, state.uid, ENTER)

    def scan(below: str, depth: int) -> None:
        try:
            with os.scandir(os.path.join(state.way.real, below)) as listed:
                entries = list(islice(listed, most))
        except OSError:
            return
        for entry in entries:
            name = os.path.join(below, entry.name)
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:  # gone meanwhile
                continue
            directory = stat.S_ISDIR(status.st_mode)
            if status.st_uid not in trusted:
                planted.append(name)
            elif directory:
                if reachable and others_may(entry.path, status.st_mode, state.uid, WRITE):
                    exposed.append(name)
            elif reachable and stat.S_ISREG(status.st_mode) and status.st_mode & 0o022:
                exposed.append(name)
            if depth == 2:
                if directory or not (below.startswith("modules/wasmtime-") and _ENTRY.match(entry.name)):
                    foreign.append(name)
            elif stat.S_ISLNK(status.st_mode):
                links.append(name)
            elif directory:
                scan(name, depth + 1)
            elif depth or not _LOCK.match(entry.name):
                foreign.append(name)

    scan("", 0)
    found = []
    if foreign:
        text = "%s holds what is not the engine's (%s): its first cleanup deletes it" % (
            quoted(state.path),
            _some(foreign),
        )
        found.append(_problem("directory-foreign-files", DANGER, state, text, "use an empty directory of its own"))
    if links:
        text = "%s holds symbolic links (%s): a cleanup deletes them, and the files in the directories behind them" % (
            quoted(state.path),
            _some(links),
        )
        found.append(_problem("directory-symbolic-link", DANGER, state, text, "remove the links"))
    if planted:
        text = "%s holds what belongs to others (%s): they run native code in every process that loads the cache" % (
            quoted(state.path),
            _some(planted),
        )
        remedy = "empty the directory: the engine fills it again"
        found.append(_problem("directory-writable-by-others", DANGER, state, text, remedy))
    if exposed:
        text = "others than its owner can write to what is in %s (%s): they run native code in every process" % (
            quoted(state.path),
            _some(exposed),
        )
        remedy = "set directory_mode to 0700, or take the right to write from group and others there"
        found.append(_problem("directory-writable-by-others", DANGER, state, text, remedy))
    return found


def _some(names: List[str]) -> str:
    listed = ", ".join(quoted(name) for name in sorted(names)[:_EXAMPLES])
    return listed if len(names) <= _EXAMPLES else "%s and %d more" % (listed, len(names) - _EXAMPLES)


def _may(state: State, user: int) -> bool:
    """Whether a user may make files in the directory, or where it is missing, create it."""
    real, status = state.way.real, state.way.status()
    now = (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    mode, uid, gid = (state.mode or 0, state.uid, state.gid) if state.exists else now
    planned = state.exists and (state.way.missing or (mode, uid, gid) != now)
    if user == os.geteuid() and not planned:
        # Knows of read-only file systems and capabilities.
        return os.access(real, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)
    return may(real, mode, uid, gid, user, WRITE) and may(real, mode, uid, gid, user, ENTER)


def barred_by(visited: List[Tuple[str, os.stat_result]], user: int) -> Optional[str]:
    """The first of these directories that another user than the task's may not enter."""
    if user != os.geteuid():
        for path, status in visited:
            if not may(path, status.st_mode, status.st_uid, status.st_gid, user, ENTER):
                return path
    return None


def _unreachable(state: State, user: int) -> List[Problem]:
    """What keeps the engine from the directory, or from creating it, so that it refuses the config."""
    barred = barred_by(state.way.above(), user)
    if barred:
        text = "%s may not enter %s, and so not use the directory %s" % (
            user_name(user),
            quoted(barred),
            quoted(state.path),
        )
        remedy = "give it the right to enter, or use another directory"
        return [_problem("directory-unusable", ERROR, state, text, remedy)]
    if state.exists or _may(state, user):
        return []
    text = "the directory %s does not exist and %s cannot create it in %s" % (
        quoted(state.path),
        user_name(user),
        quoted(state.way.real),
    )
    return [_problem("directory-unusable", ERROR, state, text, "create it or give the right to create it")]


_HOLD = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | getattr(os, "O_CLOEXEC", 0)


def hold(way: Walk) -> int:
    """Open the directory in which the way ended: whatever becomes of its path, the handle stays with it.

    No component is followed that has become a link since.
    Raises OSError, ESTALE where another directory is there now.
    """
    handle = os.open("/", _HOLD)
    try:
        for name in way.real.split("/"):
            if name:
                above, handle = handle, os.open(name, _HOLD, dir_fd=handle)
                os.close(above)
        now, seen = os.fstat(handle), way.status()
        if (now.st_dev, now.st_ino) != (seen.st_dev, seen.st_ino):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
    except BaseException:
        os.close(handle)
        raise
    return handle
