# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache directory made or changed, and the directories on the way to it and to the config."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, Callable

from .._config.printable import quoted
from .access import umask
from .config_file import ChangedMeanwhile, ResolvedFile
from .path import resolve
from .rights import DAC_OVERRIDE, capable, owner_of_new
from .write import (
    DIRECTORY,
    CannotWrite,
    close,
    create,
    held_directory,
    private_directory,
    rename_new,
    set_owner_and_mode,
    sync,
    sync_names,
)

if TYPE_CHECKING:
    from .directory import State

Fill = Callable[[contextlib.ExitStack, int], None]


def make(state: State, uid: int, gid: int, mode: int) -> None:
    """Create the directory and its parents, or give an existing one its owner, group and mode.

    C(uid) and C(gid) of -1 keep what is there; a new directory gets those of the
    directory above it, as do new parents. None is ever wider open than asked for, and
    new ones appear all at once, as they are to be.
    Raises CannotWrite, and Changed if another process has made one of them meanwhile, or
    changed the existing one.
    """
    resolved = state.resolved
    name = "the directory %s" % quoted(resolved.target)
    with held_directory(resolved, "%s cannot be created or changed" % name) as directory:
        if resolved.missing:
            _make(directory, resolved.missing, uid, gid, mode, name)
            return
        handle = os.open(".", DIRECTORY, dir_fd=directory)
        try:
            now = os.fstat(handle)
            if (now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode)) != (state.uid, state.gid, state.mode):
                raise ChangedMeanwhile
            set_owner_and_mode(handle, uid, gid, mode, name)
            _sync_changed(handle, "%s was changed" % name)
        finally:
            close(handle)


def _sync_changed(handle: int, failure: str) -> None:
    try:
        sync(handle)
    except OSError as error:
        raise CannotWrite("%s, but may not survive a power cut: %s" % (failure, error.strerror), True) from error


def _make(directory: int, missing: list[str], uid: int, gid: int, mode: int, name: str) -> None:
    like_uid, like_gid = owner_of_new(os.fstat(directory))
    uid, gid = like_uid if uid == -1 else uid, like_gid if gid == -1 else gid
    # Moving a directory takes the right to write in it.
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

    _appear(directory, missing, fill, name, complete if late else None)
    sync_names(directory, "%s was created" % name)


def make_with_file(place: ResolvedFile, data: bytes, uid: int, gid: int, mode: int) -> ResolvedFile:
    """Create the file and the directories on the way to it, which appear all at once; return its place then.

    C(uid) and C(gid) of -1 are those of a new file of this user. Raises CannotWrite, and Changed
    if another process has made one of them meanwhile.
    """
    with held_directory(place.resolved, "it cannot be written") as directory:
        above = os.fstat(directory)

        def fill(undone: contextlib.ExitStack, handle: int) -> None:
            # The directories above are private still, and may pass on a group that they are not to have.
            create(undone, handle, place.name, data, None, uid, os.getegid() if gid == -1 else gid, mode)
            _own_parent(handle, above)

        _appear(directory, place.resolved.missing, fill, "it")
        sync_names(directory, "it was written")
    resolved = resolve(place.resolved.target)
    if resolved.error or resolved.missing or resolved.links:
        raise CannotWrite("it was written, but a part of its path was replaced meanwhile", changed=True)
    return ResolvedFile(resolved, place.name)


def _appear(
    directory: int, missing: list[str], fill: Fill, name: str, complete: Callable[[int], None] | None = None
) -> None:
    """Make directories, one in the other, where nobody sees them, and move them into their place at once.

    C(fill) finishes the innermost before that, C(complete) after that. What fails leaves none of them.
    """
    above = os.fstat(directory)
    with contextlib.ExitStack() as closed, contextlib.ExitStack() as undone:
        private = handle = closed.enter_context(private_directory(directory))
        handles = []
        for part in missing:
            os.mkdir(part, 0o700, dir_fd=handle)
            undone.callback(_remove_directory, handle, part)
            handle = os.open(part, DIRECTORY, dir_fd=handle)
            closed.callback(close, handle)
            handles.append(handle)
        fill(undone, handle)
        # From the innermost to the outermost: others may own them then.
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
                    raise CannotWrite(
                        "%s was created, but not with its owner and mode: %s" % (name, error.strerror), changed=True
                    ) from error
                raise


def _own_parent(handle: int, above: os.stat_result) -> None:
    set_owner_and_mode(handle, *owner_of_new(above), parent_mode(above.st_mode))


def _remove_directory(directory: int, name: str) -> None:
    with contextlib.suppress(OSError):
        os.rmdir(name, dir_fd=directory)


def parent_mode(above: int) -> int:
    """The mode of a new directory that is only on the way, by that of the directory above.

    Root makes them for others, who must be able to pass; else the user's umask counts too.
    """
    mode = above & 0o755 | 0o700
    return mode if os.geteuid() == 0 else mode & ~umask()
