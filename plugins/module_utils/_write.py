# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes a host: the config file put in place, and the way in which directories are changed, too.

The process may be root in directories that belong to others, who can put something else
in the place of any name there, at any moment. So no path is looked up a second time:
everything is done in directories that are held open and were proven to be the ones that
were judged, by names that are never followed if they are links, and owners and modes are
given to open files. What is new is made with no right for others and gets its own last.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from typing import Iterator, Optional, Tuple

from ._access import ACCESS_ACL
from ._directory import Walk, hold
from ._files import Changed, Place
from ._obstacles import swappable, unsafe_link

# How the names of temporary directories begin.
TEMPORARY = ".ansible_tmp"
_CLOSE = getattr(os, "O_CLOEXEC", 0)
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | _CLOSE
_REPLACED = (errno.ELOOP, errno.ENOTDIR, errno.ESTALE, errno.ENOENT)
_NOT_REPLACEABLE = (errno.EACCES, errno.EBUSY, errno.EPERM, errno.EROFS)
_KEPT_ATTRIBUTES = (ACCESS_ACL, "security.selinux", "user.")


class CannotWrite(Exception):
    """Nothing of the kind can be written; the text is the sentence for the user."""


@contextlib.contextmanager
def _told(failure: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _REPLACED:
            reason = "a part of the path was replaced meanwhile"
        raise CannotWrite("%s: %s" % (failure, reason)) from error


def close(handle: int) -> None:
    """Close what was only read, or a directory: nothing is lost if that fails, and what was done is done."""
    with contextlib.suppress(OSError):
        os.close(handle)


@contextlib.contextmanager
def held(way: Walk, failure: str) -> Iterator[int]:
    """The directory in which the way ended, open; C(failure) begins the sentence for what fails."""
    unsafe = unsafe_link(way)
    if unsafe:
        raise CannotWrite(unsafe)
    with _told(failure):
        handle = hold(way)
        try:
            yield handle
        finally:
            close(handle)


@contextlib.contextmanager
def private_directory(directory: int) -> Iterator[int]:
    """A new directory that nobody else may enter, open; gone afterwards, if it is empty then."""
    name = "%s%s" % (TEMPORARY, os.urandom(8).hex())
    os.mkdir(name, 0o700, dir_fd=directory)
    try:
        handle = os.open(name, DIRECTORY, dir_fd=directory)
        try:
            new = os.fstat(handle)
            # What others put in its place is not like it.
            if new.st_uid != os.geteuid() or new.st_mode & 0o077 or os.listdir(handle):
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
            yield handle
        finally:
            close(handle)
    finally:
        with contextlib.suppress(OSError):
            os.rmdir(name, dir_fd=directory)


def own(handle: int, uid: int, gid: int, mode: int) -> None:
    """Give what is open an owner, group and mode, or leave it as it was; C(uid) and C(gid) of -1 keep what is there."""
    status = os.fstat(handle)
    before = stat.S_IMODE(status.st_mode)
    if uid in (-1, status.st_uid):
        uid = -1
    if gid in (-1, status.st_gid):
        gid = -1
    try:
        if uid != -1 or gid != -1:
            # What the old owner's group could do is not meant for the new one, not even for an instant.
            os.fchmod(handle, before & mode)
            os.fchown(handle, uid, gid)
        if stat.S_IMODE(os.fstat(handle).st_mode) != mode:
            os.fchmod(handle, mode)
    except OSError:
        with contextlib.suppress(OSError):
            if uid != -1 or gid != -1:
                os.fchown(handle, status.st_uid, status.st_gid)
            os.fchmod(handle, before)
        raise


def write(
    place: Place,
    seen: Optional[os.stat_result],
    data: bytes,
    uid: int,
    gid: int,
    mode: int,
    *,
    in_place: bool,
    keep: Optional[bytes],
) -> Optional[str]:
    """Put the file with these bytes, owner, group and mode in its place in one step.

    C(seen): what the file was when it was read, None for no file. Its extended attributes
    stay. C(uid) and C(gid) of -1 keep its owner and group, too, as far as this user may.
    C(in_place): overwrite the file where it cannot be replaced. C(keep): its old bytes, to
    make a backup of them; returns the backup's path.
    Raises CannotWrite, and Changed if the file is no longer the one that was seen.
    """
    name = place.name
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(held(place.way, "it cannot be written"))
        old = None if seen is None else stack.enter_context(opened(directory, name, seen))
        kept = None
        undone = stack.enter_context(contextlib.ExitStack())
        if keep is not None and seen is not None and old is not None:
            kept = back_up(undone, place, directory, old, seen, keep)
        try:
            with _prepared(directory, name, data, old, uid, gid, mode) as prepared:
                prove_unchanged(directory, name, seen)
                os.rename(name, name, src_dir_fd=prepared, dst_dir_fd=directory)
        except OSError as error:
            if not in_place or seen is None or error.errno not in _NOT_REPLACEABLE:
                raise
            new = stack.enter_context(opened(directory, name, seen, os.O_WRONLY))
            _refuse_other_names(place.way, new)
            # From here on the backup may be all that is left of the old text.
            undone.pop_all()
            with _told("it may have been written in part%s" % ("" if kept is None else ", and %s is as it was" % kept)):
                _write_all(new, data)
                os.ftruncate(new, len(data))
                os.fsync(new)
                own(new, uid, gid, mode)
        undone.pop_all()
    return kept


def settle(place: Place, seen: os.stat_result, uid: int, gid: int, mode: int) -> None:
    """Give the file that was seen an owner, group and mode. Raises CannotWrite and Changed."""
    failure = "its owner, group or mode cannot be changed"
    with held(place.way, failure) as directory, opened(directory, place.name, seen) as handle:
        _refuse_other_names(place.way, handle)
        own(handle, uid, gid, mode)


def back_up(
    undone: contextlib.ExitStack, place: Place, directory: int, old: int, seen: os.stat_result, data: bytes
) -> str:
    """Copy the file that was seen, with its bytes, beside itself; return the copy's path.

    C(undone) removes it, for the case that what is done next fails.
    """
    name = "%s.%d.%s" % (place.name, os.getpid(), time.strftime("%Y-%m-%d@%H:%M:%S~"))
    mode, times = stat.S_IMODE(seen.st_mode), (seen.st_atime_ns, seen.st_mtime_ns)
    with _told("no backup can be made"), _prepared(directory, name, data, old, -1, -1, mode, times) as prepared:
        os.rename(name, name, src_dir_fd=prepared, dst_dir_fd=directory)
        undone.callback(_remove_file, directory, name)
    return os.path.join(place.way.real, name)


def _remove_file(directory: int, name: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=directory)


@contextlib.contextmanager
def opened(directory: int, name: str, seen: os.stat_result, flags: int = os.O_RDONLY) -> Iterator[int]:
    """The file that was seen, open. Raises Changed."""
    try:
        handle = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | _CLOSE, dir_fd=directory)
    except FileNotFoundError:
        raise Changed from None
    try:
        _prove_same(seen, os.fstat(handle))
        yield handle
    finally:
        close(handle)


def prove_unchanged(directory: int, name: str, seen: Optional[os.stat_result]) -> None:
    """Raise Changed unless what has this name is what was seen; None for nothing."""
    try:
        now = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        if seen is not None:
            raise Changed from None
        return
    if seen is None:
        raise Changed
    _prove_same(seen, now)


def _prove_same(seen: os.stat_result, now: os.stat_result) -> None:
    if any(getattr(seen, field) != getattr(now, field) for field in ("st_dev", "st_ino", "st_size", "st_mtime_ns")):
        raise Changed


def _refuse_other_names(way: Walk, handle: int) -> None:
    # A name beside the config may have been given to any file of others.
    if os.fstat(handle).st_nlink > 1:
        reason = swappable(way)
        if reason:
            raise CannotWrite("it has other names, and %s; give it one name, or become that user" % reason)


@contextlib.contextmanager
def _prepared(
    directory: int,
    name: str,
    data: bytes,
    old: Optional[int],
    uid: int,
    gid: int,
    mode: int,
    times: Optional[Tuple[int, int]] = None,
) -> Iterator[int]:
    """A private directory with the finished file in it."""
    with private_directory(directory) as private:
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | _CLOSE, 0o600, dir_fd=private)
        try:
            try:
                _write_all(handle, data)
                _dress(handle, old, uid, gid, mode)
                if times is not None:
                    os.utime(handle, ns=times)
                os.fsync(handle)
            finally:
                os.close(handle)
            yield private
        finally:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=private)


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _dress(handle: int, old: Optional[int], uid: int, gid: int, mode: int) -> None:
    """Give a new file what is asked for, and what the old one has."""
    with contextlib.suppress(OSError, AttributeError):
        os.removexattr(handle, ACCESS_ACL)  # the directory's default
    if old is not None:
        status = os.fstat(old)
        for kept in ((status.st_uid, -1), (-1, status.st_gid)):
            try:
                os.fchown(handle, *kept)
            except PermissionError:
                # Who may write in the directory need not own the file, and only root can give the new one away.
                if os.geteuid() == 0:
                    raise
    os.fchown(handle, uid, gid)
    if old is not None:
        _copy_attributes(old, handle)
    os.fchmod(handle, mode)


def _copy_attributes(old: int, new: int) -> None:
    try:
        for name in os.listxattr(old):
            if name.startswith(_KEPT_ATTRIBUTES):
                os.setxattr(new, name, os.getxattr(old, name))
    except AttributeError:  # a system whose Python knows none
        return
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.EPERM, errno.ENODATA, errno.EINVAL):
            raise
