# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inspect the cache directory, and find what is wrong with it.

A user who can write to it, or replace it by another directory, runs native code in every
process that loads the cache; and the engine deletes every file in it that is not its own.
Every rule here follows from one of these two facts.
"""

from __future__ import annotations

import os
import stat
from typing import Any, NamedTuple, Sequence, Tuple, Union

from .access import ENTER, READ, WRITE, Reason, certainly_may, everybody_may, group_name, may, others_may, user_name
from .path import (
    NOT_FOLLOWED,
    OPEN_TO_LIST,
    UNREACHED,
    ResolvedPath,
    barred_by,
    is_below,
    open_resolved,
    resolve,
    users_of_links,
)

DEFAULT_MODE = 0o700


# The names that the engine creates (C(crates/cache/src/worker.rs)): that of an entry is a hash of 43 characters.
_LOCK = ".cleanup.wip-"
_COMPILER = "modules/wasmtime-"
_HASH = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_HASH_LENGTH = 43

SYSTEM = frozenset(
    path
    for line in (
        "/ /bin /boot /dev /etc /home /lib /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /var",
        "/usr/bin /usr/lib /usr/local /usr/sbin /usr/share /usr/src /run/user /dev/shm",
        "/var/cache /var/lib /var/local /var/log /var/mail /var/opt /var/spool /var/tmp",
        "/Users /Library /System /Applications /private /private/tmp /private/var",
    )
    for path in line.split()
)


# systemd keeps CacheDirectory= and the like of units with DynamicUser= here: the usual path is a link into one of them.
_UNITS = ("/run/private", "/var/cache/private", "/var/lib/private", "/var/log/private")


class State(NamedTuple):
    """A cache directory as it is, or as planned."""

    path: str
    resolved: ResolvedPath
    exists: bool
    uid: int | None
    """The owner; None for a user that does not exist yet."""
    gid: int | None
    mode: int | None

    def as_dict(self) -> dict[str, Any]:
        """Return the directory as the modules do."""
        return {
            "path": self.path,
            "exists": self.exists,
            "owner": user_name(self.uid) if self.exists else None,
            "group": group_name(self.gid) if self.exists else None,
            "mode": "%04o" % self.mode if self.exists and self.mode is not None else None,
        }


def resolve_directory(path: str, chosen_by: int | None) -> ResolvedPath:
    """Resolve the path of a cache directory. For root, an error says nothing that who chose the path may not know.

    C(chosen_by): who chooses the directory, see C(chooser.chooser).
    """
    resolved = resolve(path)
    if resolved.error is None or chosen_by in (None, UNREACHED) or os.geteuid() != 0:
        return resolved
    if all(certainly_may(above, its, chosen_by, ENTER) for above, its in resolved.visited):
        return resolved
    return resolved._replace(error=Reason("chosen-by-barred-user", path=path, user=chosen_by), denied=True)


def inspect(path: str, chosen_by: int | None = None) -> State:
    """Return the directory at an absolute path as it is now; see C(resolve_directory)."""
    resolved = resolve_directory(path, chosen_by)
    if resolved.error or resolved.missing:
        return State(path, resolved, False, None, None, None)
    status = resolved.status()
    return State(path, resolved, True, status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode))


Found = Tuple[str, Sequence[Union[str, Reason]]]
"""The name of a text in C(_config/problems.py), and the paths, users or reasons for it."""

# If there is a limit to the entries of a directory: of how many directories all are examined.
_MANY = 10
STRAY_MAX = 3
# Among those paths: there are more, which are not counted.
UNCOUNTED = ""


def findings(
    state: State,
    user: int,
    owner: int | None = None,
    most: int | None = None,
    chosen_by: int | None = None,
    config: Sequence[str] = (),
) -> list[Found]:
    """Return what is wrong with the directory for processes of C(user), or of C(owner) if given.

    C(most): the number of entries that are examined in each directory, and of ten times as many in all; None for all.
    C(chosen_by): who chooses the directory, see C(chooser.chooser).
    C(config): the names that lead to the config file, without links above them.
    """
    meant = user if owner is None else owner
    unit = _kept_by_systemd(state.resolved)
    if state.resolved.error:
        if unit == state.resolved.real:
            return [("dynamic-user", [unit])]
        error = [state.resolved.error]
        if state.resolved.error.code in NOT_FOLLOWED:
            return [*_replaceable(state, meant), ("hidden", error)]
        return [("not-entered", error)] if state.resolved.denied else [("in-the-way", error)]
    found = _replaceable(state, meant)
    inside = [name for name in config if is_below(name, state.resolved.target)]
    if inside:
        found.append(("config", inside[-1:]))
    if not_dedicated(state.resolved.target, {user, owner, state.uid}):
        found.append(("not-dedicated", []))
    found += [("dynamic-user", [unit])] if unit else _unreachable(state, meant)
    if not state.exists:
        if others_may(state.resolved.real, 0, meant, WRITE, below=True):
            found.append(("inherits", [state.resolved.real]))
        return found
    if others_may(state.resolved.target, state.mode or 0, state.uid, WRITE, below=True):
        found.append(("writable", []))
    if state.uid not in (0, user, owner, None) and not unit:
        # Root checks directories for unknown users.
        whose = [str(user_name(state.uid))]
        found.append(("owned", whose) if meant else ("owner", whose))
    if not state.resolved.missing:
        closed = hidden(state.resolved, chosen_by)
        start = len(state.resolved.target.rstrip("/")) + 1
        known = [name[start:] for name in inside if not inspect(name).exists]
        found += [("hidden", [closed])] if closed else _contents(state, meant, most, known, chosen_by)
    system = _unwritable(state.resolved.real, meant)
    # A user that does not exist yet will own it; the user of a unit gets it when the unit starts.
    if not system and state.uid is not None and not unit and not _may(state, meant):
        found.append(("unwritable-by-root", []) if meant == 0 else ("unwritable", []))
    return found + system


def _kept_by_systemd(resolved: ResolvedPath) -> str | None:
    """Return the private directory of systemd for units with DynamicUser= that this path leads into, if any."""
    for path, status in resolved.visited:
        if path in _UNITS and status.st_uid == 0 and not status.st_mode & 0o077:
            return path
    return None


def _unwritable(path: str, user: int) -> list[Found]:
    """Return what prevents all writing, whatever the modes are."""
    try:
        system = os.statvfs(path)
    except OSError:
        return []
    if system.f_flag & os.ST_RDONLY:
        return [("read-only", [])]
    blocks, files = (system.f_bfree, system.f_ffree) if user == 0 else (system.f_bavail, system.f_favail)
    # Some file systems do not count blocks or files.
    if (system.f_blocks and not blocks) or (system.f_files and not files):
        return [("full", [])]
    return []


def not_dedicated(path: str, users: set[int | None]) -> bool:
    """Return whether a path without links is that of a directory of the system, or of a home of one of these users."""
    return path in SYSTEM or _is_home(path, users)


def _is_home(path: str, users: set[int | None]) -> bool:
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


def _replaceable(state: State, user: int) -> list[Found]:
    owner = state.uid if state.exists and state.uid is not None else user
    reasons: list[str | Reason] = []
    for path, status in state.resolved.above():
        if status.st_uid not in (0, owner):
            reasons.append(Reason("belongs-to", path=path, owner=status.st_uid))
        elif others_may(path, status.st_mode, owner, WRITE):
            if not status.st_mode & stat.S_ISVTX:
                reasons.append(Reason("others-write", path=path))
            elif not state.exists and path == state.resolved.real:
                reasons.append(Reason("others-create", path=path))
    for path, status, _parent in state.resolved.links:
        if status.st_uid not in (0, owner):
            reasons.append(Reason("link-belongs-to", path=path, owner=status.st_uid))
    return [("replaceable", reasons)] if reasons else []


def led_by(resolved: ResolvedPath, chosen_by: int | None) -> frozenset[int]:
    """Return the users who have led root to a directory, by a link or in the config; none if this process is not root.

    C(chosen_by): who chooses the directory, see C(chooser.chooser).
    """
    if os.geteuid() != 0:
        return frozenset()
    return frozenset(users_of_links(resolved.links) | {chosen_by or 0}) - {0, UNREACHED}


def hidden(resolved: ResolvedPath, chosen_by: int | None) -> Reason | None:
    """Return why root must not list the directory: a user who led it there may not list it; None if root may.

    C(chosen_by): who chooses the directory, see C(chooser.chooser).
    """
    if os.geteuid() != 0:
        return None
    # A user can rename a directory of root in a directory of the user.
    renamed = resolved.status().st_uid == 0 and any(status.st_uid for _path, status in resolved.above())
    if chosen_by is None and not resolved.links and not renamed:
        return None
    if everybody_may(resolved.target, resolved.status(), READ) and resolved.public():
        return None
    from .private import private

    return private(resolved, chosen_by)


def _contents(state: State, user: int, most: int | None, known: Sequence[str], chosen_by: int | None) -> list[Found]:
    """Return foreign files, which the engine would delete, and files that other users can replace.

    C(known): files below it that another finding already names.
    """
    led = led_by(state.resolved, chosen_by)
    used = False
    examined = 0
    # The kinds of files of which there are more than are named.
    uncounted: set[str] = set()
    foreign: list[str] = []
    links: list[str] = []
    exposed: list[str] = []
    planted: list[str] = []
    closed: list[str] = []
    trusted = (0, state.uid, user)
    # Writable files do no harm if other users cannot enter the directory.
    reachable = others_may(state.resolved.real, state.mode or 0, state.uid, ENTER)

    def scan(name: str, above: int, below: str, depth: int) -> None:
        try:
            handle = os.open(name, OPEN_TO_LIST, dir_fd=above)
        except OSError:
            return
        try:
            if led and depth:
                from .private import listable

                if not listable(handle, led):
                    closed.append(os.path.join(state.resolved.real, below))
                    return
            scan_open(handle, below, depth)
        finally:
            os.close(handle)

    def scan_open(handle: int, below: str, depth: int) -> None:
        nonlocal used, examined
        used = used or below.startswith(_COMPILER)
        try:
            with os.scandir(handle) as listed:
                for number, entry in enumerate(listed):
                    if most is not None and (number == most or examined == most * _MANY):
                        uncounted.update(("foreign", "links", "planted", "exposed"))
                        return
                    examined += 1
                    look(entry, handle, below, depth)
        except OSError:
            return

    def look(entry: os.DirEntry[str], handle: int, below: str, depth: int) -> None:
        name = os.path.join(below, entry.name)
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:  # gone meanwhile
            return
        directory = stat.S_ISDIR(status.st_mode)
        if status.st_uid not in trusted:
            planted.append(name)
        elif directory:
            path = os.path.join(state.resolved.real, name)
            if reachable and others_may(path, status.st_mode, state.uid, WRITE, below=True):
                exposed.append(name)
        elif reachable and stat.S_ISREG(status.st_mode) and status.st_mode & 0o022:
            exposed.append(name)
        if name in known or (depth == 2 and any(is_below(file, name) for file in known)):
            return
        if depth == 2:
            if directory or not (below.startswith(_COMPILER) and _is_entry(entry.name)):
                foreign.append(name)
            if directory:
                uncounted.add("foreign")
        elif stat.S_ISLNK(status.st_mode):
            links.append(name)
        elif directory:
            scan(entry.name, handle, name, depth + 1)
        elif depth or not entry.name.startswith(_LOCK):
            foreign.append(name)

    try:
        top = open_resolved(state.resolved)
    except OSError:
        return []
    try:
        scan(".", top, "", 0)
    finally:
        os.close(top)
    found = [("links", links), ("planted", planted), ("exposed", exposed), ("closed", closed)]
    # A few of them in a cache in use can be moved out of it; if there are more, the cache is in the wrong place.
    stray = used and len(foreign) <= STRAY_MAX and "foreign" not in uncounted
    found.insert(0, ("stray", foreign) if stray else ("foreign", foreign))
    return [(name, names + [UNCOUNTED] * (name in uncounted)) for name, names in found if names]


def _is_entry(name: str) -> bool:
    rest = name[_HASH_LENGTH:]
    return (
        len(name) >= _HASH_LENGTH
        and _HASH.issuperset(name[:_HASH_LENGTH])
        and (rest in ("", ".stats") or rest.startswith(".wip-"))
    )


def _may(state: State, user: int) -> bool:
    """Return whether a user may create files in the directory, or create the directory if it is missing."""
    real, status = state.resolved.real, state.resolved.status()
    now = (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    mode, uid, gid = (state.mode or 0, state.uid, state.gid) if state.exists else now
    planned = state.exists and (state.resolved.missing or (mode, uid, gid) != now)
    if user == os.geteuid() and not planned:
        # Respects read-only file systems and capabilities.
        return os.access(real, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)
    return may(real, mode, uid, gid, user, WRITE) and may(real, mode, uid, gid, user, ENTER)


def _unreachable(state: State, user: int) -> list[Found]:
    """Return what prevents the engine from using or creating the directory, so that it refuses the config."""
    resolved = state.resolved
    barred = barred_by(resolved.above(), user)
    if barred:
        return [("barred", [barred])]
    if resolved.detour is not None:
        # The engine makes every missing directory that the path names, one that it leaves again by ".." too.
        first = inspect(resolved.detour)
        return [] if _may(first, user) else [("cannot-create", [resolved.detour])]
    if state.exists:
        return []
    if ("read-only", []) in _unwritable(state.resolved.real, user):
        return [("cannot-create-read-only", [state.resolved.real])]
    if _may(state, user):
        return []
    above = [state.resolved.real]
    return [("cannot-create-by-root", above)] if user == 0 else [("cannot-create", above)]
