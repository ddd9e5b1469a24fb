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
from typing import List

from ._access import umask
from ._directory import State, walk
from ._files import Changed, Place
from ._settings import quoted
from ._write import DIRECTORY, CannotWrite, close, held, own, private_directory, prove_unchanged


def make(state: State, uid: int, gid: int, mode: int) -> None:
    """Create the directory and its parents, or give an existing one its owner, group and mode.

    C(uid) and C(gid) of -1 keep what is there; a new directory gets those of the
    directory above it, as do new parents. None is ever wider open than asked for, and
    new ones appear all at once, as they are to be.
    Raises CannotWrite, and Changed if another process has made one of them meanwhile.
    """
    way = state.way
    with held(way, "the directory %s cannot be created or changed" % quoted(way.target)) as directory:
        if way.missing:
            _make(directory, way.missing, uid, gid, mode)
            return
        handle = os.open(".", DIRECTORY, dir_fd=directory)
        try:
            own(handle, uid, gid, mode)
        finally:
            close(handle)


def _make(directory: int, missing: List[str], uid: int, gid: int, mode: int) -> None:
    above = os.fstat(directory)
    # Only root can give directories away.
    like = (above.st_uid, above.st_gid) if os.geteuid() == 0 else (-1, -1)
    with contextlib.ExitStack() as closed, contextlib.ExitStack() as removed:
        private = handle = closed.enter_context(private_directory(directory))
        for name in missing:
            os.mkdir(name, 0o700, dir_fd=handle)
            removed.callback(_remove_directory, handle, name)
            handle = os.open(name, DIRECTORY, dir_fd=handle)
            closed.callback(close, handle)
            if name is not missing[-1]:
                own(handle, *like, parent_mode(above.st_mode))
        # A directory that its owner may not write in cannot be moved.
        own(handle, like[0] if uid == -1 else uid, like[1] if gid == -1 else gid, mode | stat.S_IWUSR)
        prove_unchanged(directory, missing[0], None)
        try:
            os.rename(missing[0], missing[0], src_dir_fd=private, dst_dir_fd=directory)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise Changed from None
            raise
        removed.pop_all()
        if not mode & stat.S_IWUSR:
            os.fchmod(handle, mode)


def _remove_directory(directory: int, name: str) -> None:
    with contextlib.suppress(OSError):
        os.rmdir(name, dir_fd=directory)


def parent_mode(above: int) -> int:
    """The mode of a new directory that is only on the way, by that of the directory above.

    Root makes them for others, who must be able to pass; else the user's umask counts too.
    """
    mode = above & 0o755 | 0o700
    return mode if os.geteuid() == 0 else mode & ~umask()


def make_parents(place: Place) -> Place:
    """Make what is missing on the way to the file; return its place then. Raises CannotWrite and Changed."""
    if not place.way.missing:
        return place
    missing = State(place.way.target, place.way, False, None, None, None)
    make(missing, -1, -1, parent_mode(place.way.status().st_mode))
    way = walk(place.way.target)
    if way.error or way.missing:
        raise CannotWrite("it cannot be written: %s" % (way.error or "its directory is gone again"))
    return Place(way, place.name)
