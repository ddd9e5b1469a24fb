# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove the config file."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING, Any, NamedTuple

from .._config.config import to_problems
from .._files.access import Reason
from .._files.config_file import ChangedMeanwhile, ResolvedFile, Unreadable, read, resolve_file
from .._files.guards import unsafe_link
from .._files.lock import Lock
from .._files.obstacles import unwritable
from .._files.path import NOT_FOLLOWED, resolve
from .._files.rename import rename_new
from .._files.rights import uncopyable
from .._files.write import (
    NO_BACKUP,
    NOT_REMOVED,
    REMOVED_NOT_SYNCED,
    CannotWrite,
    back_up,
    opened_directory,
    opened_file,
    private_directory,
    prove_bytes,
    prove_unchanged,
    put_beside,
    sync_names,
)
from .change import text_diff, undisturbed
from .common import ATTEMPTS
from .reasons import advice, finding_of
from .refused import Refused

if TYPE_CHECKING:
    from .task import Task


class Old(NamedTuple):
    """A file that was read, with its bytes."""

    place: ResolvedFile
    status: os.stat_result
    data: bytes


def remove(task: Task) -> dict[str, Any]:
    """Remove the file or the link; return the result. Raises Refused."""
    lock = task.progress.lock = Lock()
    for _attempt in range(ATTEMPTS):
        try:
            return _attempt_to_remove(task, lock)
        except ChangedMeanwhile:
            continue
        except CannotWrite as error:
            result = {} if error.backup is None else {"backup_file": error.backup}
            raise Refused(
                "%s: %s" % (task.path, advice(error.reason)),
                path=task.path,
                problems=[],
                changed=error.changed,
                **result,
            ) from error
    raise task.refused_for("another process keeps writing to it; run again when that has ended")


def _attempt_to_remove(task: Task, lock: Lock) -> dict[str, Any]:
    """Remove the file once. Raises CannotWrite, Refused, and ChangedMeanwhile if another process writes the file."""
    place = ResolvedFile(resolve(os.path.dirname(task.path)), os.path.basename(task.path))
    if place.resolved.error and place.resolved.error.code in NOT_FOLLOWED:
        raise task.refused_for("it cannot be removed: %s" % advice(place.resolved.error))
    result: dict[str, Any] = {"changed": True, "path": task.path, "problems": []}
    task.progress.diff = []
    try:
        status = os.lstat(task.path)
    except (FileNotFoundError, NotADirectoryError):
        return dict(result, changed=False)
    except OSError as error:
        raise task.refused_for("it cannot be removed: %s" % error.strerror) from error
    if stat.S_ISDIR(status.st_mode):
        raise task.refused_for("it is a directory, not a config file; name the file in it")
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISLNK(status.st_mode):
        raise task.refused_for("it is not a regular file, and so not a config; remove it by hand if nothing needs it")
    old = None
    try:
        real = resolve_file(task.path)
        found = read(real)
        if found:
            old = Old(real, found[1], found[0])
    except Unreadable as error:
        if task.params["backup"] and error.finding.name != "dangling-link":
            problems = to_problems([finding_of(error)])
            raise task.refused("no backup can be made, so nothing was changed", problems) from error
    # Only now, as it opens the file, which was examined before it was read.
    reason = unsafe_link(place.resolved) or unwritable(task.path)
    if reason:
        raise task.refused_for("it cannot be removed: %s" % advice(reason))
    backup = bool(task.params["backup"] and old)
    if backup and old:
        reason = unsafe_link(old.place.resolved) or unwritable(old.place.path + "~")
        reason = reason or uncopyable(old.status.st_uid, old.status.st_gid, old.status.st_mode)
        if reason:
            raise task.refused_for("no backup can be made, so nothing was changed: %s" % advice(reason))
    task.progress.diff.append(text_diff(task.path, old.data if old else b"", b""))
    if not task.module.check_mode:
        if lock.take(place.resolved):
            raise ChangedMeanwhile
        # A link is removed without regard to what it leads to, unless that gets a backup: root may not be allowed to open it.
        needed = old if backup or stat.S_ISREG(status.st_mode) else None
        with undisturbed():
            kept = unlink(place, status, needed, backup)
        if kept:
            result["backup_file"] = kept
    return result


def unlink(place: ResolvedFile, seen: os.stat_result, old: Old | None, backup: bool) -> str | None:
    """Remove the file or the link that was seen; return the path of the backup, if C(backup) asks for one.

    C(old): the file itself, or for a backup the one behind the link; None if it cannot be read.
    Raises CannotWrite, and ChangedMeanwhile if one of them has changed since.
    """
    kept = None
    with contextlib.ExitStack() as stack, contextlib.ExitStack() as undone:
        if old is not None:
            beside = stack.enter_context(opened_directory(old.place.resolved, NO_BACKUP if backup else NOT_REMOVED))
            handle = stack.enter_context(opened_file(beside, old.place.name, old.status))
            if backup:
                kept = back_up(undone, old.place, beside, handle, old.status, old.data)
        directory = stack.enter_context(opened_directory(place.resolved, NOT_REMOVED))
        if old is not None and backup and stat.S_ISREG(seen.st_mode):
            _unlink_kept(directory, place, seen, handle, old.data)
        else:
            if old is not None:
                prove_bytes(handle, old.data)
            prove_unchanged(directory, place.name, seen)
            os.unlink(place.name, dir_fd=directory)
        undone.pop_all()
        sync_names(directory, REMOVED_NOT_SYNCED, kept)
    return kept


def _unlink_kept(directory: int, place: ResolvedFile, seen: os.stat_result, handle: int, data: bytes) -> None:
    """Remove a file that has a backup, unless it has changed since.

    It is moved to a private directory, where no other user can replace it, compared there, and put back if it differs.
    """
    name = place.name
    with private_directory(directory) as private:
        prove_unchanged(directory, name, seen)
        os.rename(name, name, src_dir_fd=directory, dst_dir_fd=private)
        try:
            prove_unchanged(private, name, seen, moved=True)
            prove_bytes(handle, data)
            os.unlink(name, dir_fd=private)
        except (OSError, ChangedMeanwhile):
            _put_back(private, name, directory, place)
            raise


def _put_back(private: int, name: str, directory: int, place: ResolvedFile) -> None:
    try:
        rename_new(private, name, directory, name)
    except FileExistsError:
        new = put_beside(private, name, directory)
        reason = Reason("replaced-while-removed", path=os.path.join(place.resolved.real, new))
        raise CannotWrite(reason, changed=True) from None
