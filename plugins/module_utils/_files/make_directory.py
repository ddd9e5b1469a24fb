# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make or change the cache directory, and make missing directories above it and above the config."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, Callable

from .access import Reason, system_error, umask
from .config_file import ChangedMeanwhile, ResolvedFile
from .path import OPEN_TO_LIST, resolve
from .rename import rename_new
from .rights import DAC_OVERRIDE, capable, owner_of_new
from .write import (
    NOT_WRITTEN,
    WRITTEN,
    CannotWrite,
    close,
    create,
    opened_directory,
    private_directory,
    set_owner_and_mode,
    sync,
    sync_names,
)

if TYPE_CHECKING:
    from .directory import State

Fill = Callable[[contextlib.ExitStack, int], None]


def make(state: State, uid: int, gid: int, mode: int) -> None:
    """Create the directory and its parents, or give an existing one its owner, group and mode.

    C(uid) and C(gid) of -1 keep the owner and group; a new directory gets those of the directory
    above it, as do new parents. No directory ever gives more rights than C(mode), and new
    directories appear all at once, finished.
    Raises CannotWrite, and ChangedMeanwhile if another process has made one of them or changed
    the existing one.
    """
    resolved = state.resolved
    path = resolved.target
    with opened_directory(resolved, Reason("directory-not-made", path=path)) as directory:
        if resolved.missing:
            _make(directory, resolved.missing, uid, gid, mode, path)
            return
        handle = os.open(".", OPEN_TO_LIST, dir_fd=directory)
        try:
            now = os.fstat(handle)
            if (now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode)) != (state.uid, state.gid, state.mode):
                raise ChangedMeanwhile
            set_owner_and_mode(handle, uid, gid, mode, path)
            _sync_changed(handle, path)
        finally:
            close(handle)


def _sync_changed(handle: int, path: str) -> None:
    try:
        sync(handle)
    except OSError as error:
        failure = Reason("directory-changed-not-synced", path=path)
        raise CannotWrite(failure.because(system_error(error)), True) from error


def _make(directory: int, missing: list[str], uid: int, gid: int, mode: int, path: str) -> None:
    like_uid, like_gid = owner_of_new(os.fstat(directory))
    uid, gid = like_uid if uid == -1 else uid, like_gid if gid == -1 else gid
    # To move a directory, a process needs the right to write in it.
    alone = len(missing) == 1 and not capable(DAC_OVERRIDE)
    late = alone and (not mode & stat.S_IWUSR or uid not in (-1, os.geteuid()))

    def fill(_undone: contextlib.ExitStack, handle: int) -> None:
        if late:
            set_owner_and_mode(handle, -1, -1, 0o700)
        else:
            set_owner_and_mode(handle, uid, gid, mode)

    def complete(handle: int) -> None:
        set_owner_and_mode(handle, uid, gid, mode)
        sync(handle)

    _appear(directory, missing, fill, path, complete if late else None)
    sync_names(directory, Reason("directory-created-not-synced", path=path))


def make_with_file(place: ResolvedFile, data: bytes, uid: int, gid: int, mode: int) -> ResolvedFile:
    """Create the file and the missing directories above it, all at once; return its place then.

    C(uid) and C(gid) of -1 are those of a new file of this user. Raises CannotWrite, and
    ChangedMeanwhile if another process has made one of the directories.
    """
    with opened_directory(place.resolved, NOT_WRITTEN) as directory:
        above = os.fstat(directory)

        def fill(undone: contextlib.ExitStack, handle: int) -> None:
            # The directories above are still private, and may pass on a group that they lose later.
            create(undone, handle, place.name, data, None, uid, os.getegid() if gid == -1 else gid, mode)
            _own_parent(handle, above)

        _appear(directory, place.resolved.missing, fill, place.resolved.target)
        sync_names(directory, WRITTEN)
    resolved = resolve(place.resolved.target)
    if resolved.error or resolved.missing or resolved.links:
        raise CannotWrite(Reason("written-path-replaced"), changed=True)
    return ResolvedFile(resolved, place.name)


def _appear(
    directory: int, missing: list[str], fill: Fill, path: str, complete: Callable[[int], None] | None = None
) -> None:
    """Make nested directories in a private one, and move them into place at once.

    C(fill) finishes the innermost one before the move, C(complete) after it. A failure leaves none of them.
    """
    above = os.fstat(directory)
    with contextlib.ExitStack() as closed, contextlib.ExitStack() as undone:
        private = handle = closed.enter_context(private_directory(directory))
        handles = []
        for part in missing:
            os.mkdir(part, 0o700, dir_fd=handle)
            undone.callback(_remove_directory, handle, part)
            handle = os.open(part, OPEN_TO_LIST, dir_fd=handle)
            closed.callback(close, handle)
            handles.append(handle)
        fill(undone, handle)
        # From the innermost to the outermost: this process may not enter directories that it has given away.
        for parent in handles[-2::-1]:
            _own_parent(parent, above)
        for made in reversed(handles):
            sync(made)
        try:
            rename_new(private, missing[0], directory, missing[0])
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise ChangedMeanwhile from None
            raise
        undone.pop_all()
        if complete is not None:
            try:
                complete(handle)
            except OSError as error:
                _remove_directory(directory, missing[0])
                if os.fstat(handle).st_nlink:
                    failure = Reason("directory-created-without-owner", path=path)
                    raise CannotWrite(failure.because(system_error(error)), changed=True) from error
                raise


def _own_parent(handle: int, above: os.stat_result) -> None:
    set_owner_and_mode(handle, *owner_of_new(above), parent_mode(above.st_mode))


def _remove_directory(directory: int, name: str) -> None:
    with contextlib.suppress(OSError):
        os.rmdir(name, dir_fd=directory)


def parent_mode(above: int) -> int:
    """Return the mode of a new parent directory, by the mode of the directory above it.

    Root makes it for other users, who must be able to enter it; for users other than root, the umask counts, too.
    """
    mode = above & 0o755 | 0o700
    return mode if os.geteuid() == 0 else mode & ~umask()
