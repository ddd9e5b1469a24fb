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
from typing import Any, Iterator

from .access import ACCESS_ACL, DEFAULT_ACL, user_name
from .config_file import ChangedMeanwhile, ResolvedFile
from .guards import other_names, unsafe_link
from .path import ResolvedPath, hold_directory, open_to_judge, reopen
from .rights import FOWNER, capable

# How the names of temporary directories begin.
TEMPORARY = ".ansible_tmp"
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_REPLACED = (errno.ELOOP, errno.ENOTDIR, errno.ESTALE, errno.ENOENT)
# Some file systems cannot be told to write a directory at once.
_NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
# Old systems know no renameat2, some file systems no flags of it, and some no hard links.
_NO_FLAGS = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
_NO_LINKS = (errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
_NOREPLACE = 1  # RENAME_NOREPLACE of linux/fs.h
# What would make a program of a file run with the rights of its owner or group.
SPECIAL = stat.S_ISUID | stat.S_ISGID
_NOT_REPLACEABLE = (errno.EACCES, errno.EBUSY, errno.EPERM, errno.EROFS)
_NOT_OURS = (
    "a new directory there belongs to %s and has the mode %04o: either the file system gives files an owner or a mode of its"
    " own, as a share with root_squash does, or a part of the path was replaced meanwhile; become its owner with become_user"
)
_KEPT_ATTRIBUTES = (ACCESS_ACL, "security.selinux", "user.")


class CannotWrite(Exception):
    """Nothing of the kind can be written; the text is the sentence for the user."""

    def __init__(self, message: str, changed: bool = False, backup: str | None = None) -> None:
        """C(changed): whether something is not as it was; C(backup): the path of a copy that was made."""
        super().__init__(message)
        self.changed = changed
        self.backup = backup


@contextlib.contextmanager
def _reported(failure: str, changed: bool = False, backup: str | None = None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _REPLACED:
            reason = "a part of the path was replaced meanwhile"
        elif error.errno == errno.EPERM and os.geteuid() == 0:
            reason += ", even for root: a share with root_squash or a missing capability does that; use become_user"
        raise CannotWrite("%s: %s" % (failure, reason), changed, backup) from error


def close(handle: int) -> None:
    """Close what was only read, or a directory: nothing is lost if that fails, and what was done is done."""
    with contextlib.suppress(OSError):
        os.close(handle)


@contextlib.contextmanager
def held_directory(resolved: ResolvedPath, failure: str) -> Iterator[int]:
    """The directory in which the way ended, open; C(failure) begins the sentence for what fails."""
    unsafe = unsafe_link(resolved)
    if unsafe:
        raise CannotWrite(unsafe)
    with _reported(failure):
        handle = hold_directory(resolved)
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
                raise CannotWrite(_NOT_OURS % (user_name(new.st_uid), stat.S_IMODE(new.st_mode)))
            # What is made in it shall not inherit the rights that new files have around it.
            _remove_acls(handle)
            yield handle
        finally:
            close(handle)
    finally:
        with contextlib.suppress(OSError):
            os.rmdir(name, dir_fd=directory)


def _remove_acls(handle: int) -> None:
    for name in (DEFAULT_ACL, ACCESS_ACL):
        try:
            os.removexattr(handle, name)
        except AttributeError:  # a system whose Python knows none
            return
        except OSError as error:
            if error.errno not in (errno.ENODATA, errno.ENOTSUP):
                raise


def rename_new(source: int, name: str, target: int, new: str) -> None:
    """Move what has a name in the directory C(source) to a name in C(target) that nothing has.

    Raises OSError, FileExistsError where something has it.
    """
    error = _renameat2(source, name, target, new)
    if error == 0:
        return
    if error not in _NO_FLAGS:
        raise OSError(error, os.strerror(error))
    if not stat.S_ISDIR(os.stat(name, dir_fd=source, follow_symlinks=False).st_mode):
        try:
            os.link(name, new, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
        except OSError as refused:
            if refused.errno not in _NO_LINKS:
                raise
        else:
            os.unlink(name, dir_fd=source)
            return
    # As close as such a system comes to it.
    with contextlib.suppress(FileNotFoundError):
        os.stat(new, dir_fd=target, follow_symlinks=False)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    os.rename(name, new, src_dir_fd=source, dst_dir_fd=target)


def _renameat2(source: int, name: str, target: int, new: str) -> int:
    """The number of the error, 0 for none: Python knows this call only as one of the C library."""
    try:
        import ctypes  # Ansible has loaded it

        call: Any = ctypes.CDLL(None, use_errno=True).renameat2
    except (ImportError, OSError, AttributeError):
        return errno.ENOSYS
    if call(source, os.fsencode(name), target, os.fsencode(new), _NOREPLACE) == 0:
        return 0
    return ctypes.get_errno()


def sync(handle: int) -> None:
    """Have what is open survive a power cut; of a directory, the names in it. Raises OSError."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def sync_names(directory: int, failure: str, backup: str | None = None) -> None:
    """Have the names in a directory that is held survive a power cut, after something was changed there.

    C(failure) begins the sentence for what fails, C(backup) goes with it. Raises CannotWrite.
    """
    with _reported(failure + ", but may not survive a power cut", True, backup):
        _sync_names(directory)


def _sync_names(directory: int) -> None:
    try:
        handle = os.open(".", DIRECTORY, dir_fd=directory)
    except PermissionError:
        # Who may write in a directory need not be able to open it.
        os.sync()
        return
    try:
        sync(handle)
    finally:
        close(handle)


def set_owner_and_mode(handle: int, uid: int, gid: int, mode: int, name: str = "it") -> None:
    """Give what is open an owner, group and mode, or leave it as it was; C(uid) and C(gid) of -1 keep what is there.

    Raises OSError, and CannotWrite where it could not be left as it was; C(name) is its name in that sentence.
    """
    status = os.fstat(handle)
    before = stat.S_IMODE(status.st_mode)
    if uid in (-1, status.st_uid):
        uid = -1
    if gid in (-1, status.st_gid):
        gid = -1
    try:
        if (uid != -1 or gid != -1) and before & ~mode:
            # What the old owner's group could do is not meant for the new one, not even for an instant.
            os.fchmod(handle, before & mode)
        if uid != -1 and status.st_uid == os.geteuid() and not capable(FOWNER):
            # Once it is given away, this process may not set its mode.
            if gid != -1:
                os.fchown(handle, -1, gid)
            os.fchmod(handle, mode)
            os.fchown(handle, uid, -1)
        elif uid != -1 or gid != -1:
            os.fchown(handle, uid, gid)
        if stat.S_IMODE(os.fstat(handle).st_mode) != mode:
            os.fchmod(handle, mode)
    except OSError as error:
        if uid != -1 or gid != -1:
            with contextlib.suppress(OSError):
                os.fchown(handle, status.st_uid, status.st_gid)
        with contextlib.suppress(OSError):
            os.fchmod(handle, before)
        now = os.fstat(handle)
        if (now.st_uid, now.st_gid, now.st_mode) != (status.st_uid, status.st_gid, status.st_mode):
            text = "the owner, group and mode of %s were changed in part: %s" % (name, error.strerror)
            raise CannotWrite(text, changed=True) from error
        raise


def write(
    place: ResolvedFile,
    seen: os.stat_result | None,
    before: bytes | None,
    data: bytes,
    uid: int,
    gid: int,
    mode: int,
    *,
    in_place: bool,
    keep: bool,
) -> str | None:
    """Put the file with these bytes, owner, group and mode in its place in one step, in a directory that exists.

    C(seen), C(before): what the file was when it was read, and its bytes; None for no file. Its
    extended attributes stay. C(uid) and C(gid) of -1 keep its owner and group, too, as far as this
    user may. C(in_place): overwrite the file where it cannot be replaced. C(keep): make a backup of
    it; returns the backup's path.
    Raises CannotWrite, and Changed if the file is no longer the one that was seen.
    """
    name = place.name
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(held_directory(place.resolved, "it cannot be written"))
        if seen is None or before is None:
            with prepared(directory, name, data, None, uid, gid, mode) as private:
                try:
                    rename_new(private, name, directory, name)
                except FileExistsError:
                    raise ChangedMeanwhile from None
            sync_names(directory, "it was written")
            return None
        old = stack.enter_context(opened(directory, name, seen))
        kept = None
        undone = stack.enter_context(contextlib.ExitStack())
        if keep:
            kept = back_up(undone, place, directory, old, seen, before)
        try:
            with prepared(directory, name, data, old, uid, gid, mode) as private:
                prove_bytes(old, before)
                prove_unchanged(directory, name, seen)
                os.rename(name, name, src_dir_fd=private, dst_dir_fd=directory)
                undone.pop_all()
        except OSError as error:
            if not in_place or error.errno not in _NOT_REPLACEABLE:
                raise
            new = stack.enter_context(opened(directory, name, seen, os.O_WRONLY))
            _refuse_other_names(place.resolved, new)
            prove_bytes(old, before)
            # From here on the backup may be all that is left of the old text.
            undone.pop_all()
            failure = "it may have been written in part%s" % ("" if kept is None else ", and %s is as it was" % kept)
            with _reported(failure, True, kept):
                _write_all(new, data)
                os.ftruncate(new, len(data))
                set_owner_and_mode(new, uid, gid, mode)
                os.fsync(new)
            return kept
        sync_names(directory, "it was written", kept)
    return kept


def apply_ownership(place: ResolvedFile, seen: os.stat_result, uid: int, gid: int, mode: int) -> None:
    """Give the file that was seen an owner, group and mode. Raises CannotWrite and Changed."""
    failure = "its owner, group or mode cannot be changed"
    with held_directory(place.resolved, failure) as directory, opened(directory, place.name, seen) as handle:
        _refuse_other_names(place.resolved, handle)
        set_owner_and_mode(handle, uid, gid, mode)
        with _reported("its owner, group or mode were changed, but may not survive a power cut", True):
            sync(handle)


def back_up(
    undone: contextlib.ExitStack, place: ResolvedFile, directory: int, old: int, seen: os.stat_result, data: bytes
) -> str:
    """Copy the file that was seen, with its bytes, beside itself, so that it survives a power cut; return its path.

    C(undone) removes it, for the case that what is done next fails. Raises CannotWrite.
    """
    mode, times = stat.S_IMODE(seen.st_mode), (seen.st_atime_ns, seen.st_mtime_ns)
    with _reported("no backup can be made"), prepared(directory, place.name, data, old, -1, -1, mode, times) as private:
        name = put_beside(private, place.name, directory)
        undone.callback(_remove_file, directory, name)
        _sync_names(directory)
    return os.path.join(place.resolved.real, name)


def put_beside(private: int, name: str, directory: int) -> str:
    """Move a file into the directory, under the name of a backup that nothing has; return that. Raises OSError."""
    moment = time.strftime("%Y-%m-%d@%H:%M:%S~")
    new = "%s.%d.%s" % (name, os.getpid(), moment)
    try:
        rename_new(private, name, directory, new)
    except FileExistsError:
        # Of the same second and process number, or put there in advance; nobody can do that twice.
        new = "%s.%d-%s.%s" % (name, os.getpid(), os.urandom(8).hex(), moment)
        rename_new(private, name, directory, new)
    return new


def _remove_file(directory: int, name: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=directory)


@contextlib.contextmanager
def opened(directory: int, name: str, seen: os.stat_result, flags: int = os.O_RDONLY) -> Iterator[int]:
    """The file that was seen, open. Raises Changed."""
    with contextlib.ExitStack() as stack:
        try:
            found = open_to_judge(name, directory)
            stack.callback(close, found)
            _prove_same(seen, os.fstat(found))
            handle = reopen(found, name, directory, flags)
        except FileNotFoundError:
            raise ChangedMeanwhile from None
        stack.callback(close, handle)
        yield handle


def prove_unchanged(directory: int, name: str, seen: os.stat_result, moved: bool = False) -> None:
    """Raise Changed unless what has this name is what was seen; C(moved): under another name."""
    try:
        now = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        raise ChangedMeanwhile from None
    _prove_same(seen, now, moved)


def _prove_same(seen: os.stat_result, now: os.stat_result, moved: bool = False) -> None:
    fields = ("st_dev", "st_ino", "st_mode", "st_size", "st_mtime_ns") + (() if moved else ("st_ctime_ns",))
    if any(getattr(seen, field) != getattr(now, field) for field in fields):
        raise ChangedMeanwhile


def prove_bytes(handle: int, data: bytes) -> None:
    """Raise Changed unless an open file still has these bytes: times can be restored, and some clocks are coarse."""
    if os.pread(handle, len(data) + 1, 0) != data:
        raise ChangedMeanwhile


def _refuse_other_names(resolved: ResolvedPath, handle: int) -> None:
    reason = other_names(resolved, os.fstat(handle))
    if reason:
        raise CannotWrite(reason)


@contextlib.contextmanager
def prepared(
    directory: int,
    name: str,
    data: bytes,
    old: int | None,
    uid: int,
    gid: int,
    mode: int,
    times: tuple[int, int] | None = None,
) -> Iterator[int]:
    """A private directory with the finished file in it."""
    with private_directory(directory) as private, contextlib.ExitStack() as undone:
        create(undone, private, name, data, old, uid, gid, mode, times)
        yield private


def create(
    undone: contextlib.ExitStack,
    directory: int,
    name: str,
    data: bytes,
    old: int | None,
    uid: int,
    gid: int,
    mode: int,
    times: tuple[int, int] | None = None,
) -> None:
    """Make the finished file in a directory that nobody else can enter, so that it survives a power cut.

    C(old): an open file whose owners and attributes it gets. C(undone) removes it. Raises OSError.
    """
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=directory)
    undone.callback(_remove_file, directory, name)
    try:
        _write_all(handle, data)
        if times is not None:
            os.utime(handle, ns=times)
        _set_attributes(handle, old, uid, gid, mode)
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _set_attributes(handle: int, old: int | None, uid: int, gid: int, mode: int) -> None:
    """Give a new file what is asked for, and what the old one has.

    Its owner comes last: once it is given away, only some may still set the rest.
    """
    if old is not None:
        _copy_attributes(old, handle)
        status = os.fstat(old)
        if gid == -1 and not _kept(handle, -1, status.st_gid):
            mode &= ~SPECIAL
        if uid == -1 and os.geteuid() == 0:
            uid = status.st_uid
        elif uid == -1 and not _kept(handle, status.st_uid, -1):
            mode &= ~SPECIAL
    if gid != -1:
        os.fchown(handle, -1, gid)
    os.fchmod(handle, mode)
    if uid != -1:
        os.fchown(handle, uid, -1)
        if mode & SPECIAL:  # which the system has removed
            os.fchmod(handle, mode)


def _kept(handle: int, uid: int, gid: int) -> bool:
    try:
        os.fchown(handle, uid, gid)
    except PermissionError:
        # Who may write in the directory need not own the file, and only root can give the new one away.
        if os.geteuid() == 0:
            raise
        return False
    return True


def _copy_attributes(old: int, new: int) -> None:
    try:
        names = os.listxattr(old)
    except AttributeError:  # a system whose Python knows none
        return
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        return
    for name in names:
        if name.startswith(_KEPT_ATTRIBUTES):
            try:
                os.setxattr(new, name, os.getxattr(old, name))
            except OSError as error:
                # Without its ACL the file's group would get the rights of the ACL's mask.
                if name == ACCESS_ACL or error.errno not in (errno.ENOTSUP, errno.EPERM, errno.ENODATA, errno.EINVAL):
                    raise
