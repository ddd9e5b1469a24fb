# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the config file, and what all changes of files and directories share.

The process may be root in directories of other users, who can replace any name there at any
moment. So no path is resolved a second time: everything is done through handles of directories
that are proven to be the ones that were examined. Names in them are never followed if they are
links, and owners and modes are given to open files. New files give other users no right until
they get their own mode last.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from typing import Iterator

from .access import ACCESS_ACL, DEFAULT_ACL, Reason, system_error
from .config_file import ChangedMeanwhile, ResolvedFile
from .guards import other_names, unsafe_link
from .path import OPEN_TO_LIST, ResolvedPath, open_resolved, open_to_judge, reopen
from .rights import FOWNER, capable

# The names of temporary directories start with this.
TEMPORARY = ".ansible_tmp"
_REPLACED = (errno.ELOOP, errno.ENOTDIR, errno.ESTALE, errno.ENOENT)
# Some file systems cannot sync a directory.
_NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
# With these bits a program runs with the rights of its owner or group.
SPECIAL = stat.S_ISUID | stat.S_ISGID
_NOT_REPLACEABLE = (errno.EACCES, errno.EBUSY, errno.EPERM, errno.EROFS)
_KEPT_ATTRIBUTES = (ACCESS_ACL, "security.selinux", "user.")


# The subjects of failures.
NOT_WRITTEN = Reason("not-written")
NOT_REMOVED = Reason("not-removed")
NO_BACKUP = Reason("no-backup")
# Changes that are done, but may not survive a power cut.
WRITTEN = Reason("written-not-synced")
REMOVED_NOT_SYNCED = Reason("removed-not-synced")


class CannotWrite(Exception):
    """A change is refused or has failed."""

    def __init__(self, reason: Reason, changed: bool = False, backup: str | None = None) -> None:
        """C(changed): whether a file or a directory has changed; C(backup): the path of a copy that was made."""
        super().__init__(reason)
        self.reason = reason
        self.changed = changed
        self.backup = backup


@contextlib.contextmanager
def _reported(failure: Reason, changed: bool = False, backup: str | None = None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cause = system_error(error)
        if error.errno in _REPLACED:
            cause = Reason("path-replaced")
        elif error.errno == errno.EPERM and os.geteuid() == 0:
            cause = Reason("denied-even-to-root", reason=cause)
        raise CannotWrite(failure.because(cause), changed, backup) from error


def close(handle: int) -> None:
    """Close a file that was only read, or a directory: nothing is lost if that fails."""
    with contextlib.suppress(OSError):
        os.close(handle)


@contextlib.contextmanager
def opened_directory(resolved: ResolvedPath, failure: Reason) -> Iterator[int]:
    """Open C(real) of a resolved path, to change what is in it; C(failure): what cannot be done if something fails.

    Raises CannotWrite, also for each OSError in the block.
    """
    unsafe = resolved.error or unsafe_link(resolved)
    if unsafe:
        raise CannotWrite(unsafe)
    with _reported(failure):
        handle = open_resolved(resolved)
        try:
            yield handle
        finally:
            close(handle)


@contextlib.contextmanager
def private_directory(directory: int) -> Iterator[int]:
    """Make and open a new directory that nobody else may enter; remove it afterwards if it is empty."""
    name = "%s%s" % (TEMPORARY, os.urandom(8).hex())
    os.mkdir(name, 0o700, dir_fd=directory)
    try:
        handle = os.open(name, OPEN_TO_LIST, dir_fd=directory)
        try:
            new = os.fstat(handle)
            # A directory that another user has put in its place differs in one of these.
            if new.st_uid != os.geteuid() or new.st_mode & 0o077 or os.listdir(handle):
                raise CannotWrite(Reason("new-directory-differs", owner=new.st_uid, mode=stat.S_IMODE(new.st_mode)))
            # New files in it must not inherit the default ACL of the directory above.
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
        except AttributeError:  # Python has no such call on this system
            return
        except OSError as error:
            if error.errno not in (errno.ENODATA, errno.ENOTSUP):
                raise


def sync(handle: int) -> None:
    """Make an open file, or the names in an open directory, survive a power cut. Raises OSError."""
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def sync_names(directory: int, failure: Reason, backup: str | None = None) -> None:
    """Make the names in an open directory survive a power cut after a change there.

    C(failure): what may not survive; C(backup): a backup that was made before. Raises CannotWrite.
    """
    with _reported(failure, True, backup):
        _sync_names(directory)


def _sync_names(directory: int) -> None:
    try:
        handle = os.open(".", OPEN_TO_LIST, dir_fd=directory)
    except PermissionError:
        # A user may write in a directory without the right to open it.
        os.sync()
        return
    try:
        sync(handle)
    finally:
        close(handle)


def set_owner_and_mode(handle: int, uid: int, gid: int, mode: int, path: str | None = None) -> None:
    """Give an open file or directory an owner, group and mode, or leave it unchanged; C(uid) and C(gid) of -1 keep theirs.

    Raises OSError, and CannotWrite if a change could not be undone; C(path): the directory, None for the file of the task.
    """
    status = os.fstat(handle)
    before = stat.S_IMODE(status.st_mode)
    if uid in (-1, status.st_uid):
        uid = -1
    if gid in (-1, status.st_gid):
        gid = -1
    try:
        if (uid != -1 or gid != -1) and before & ~mode:
            # The new owner and group must not have the rights of the old ones, not even for an instant.
            os.fchmod(handle, before & mode)
        if uid != -1 and status.st_uid == os.geteuid() and not capable(FOWNER):
            # After the file is given away, this process may not set its mode.
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
            reason = Reason("partly-changed") if path is None else Reason("directory-partly-changed", path=path)
            raise CannotWrite(reason.because(system_error(error)), changed=True) from error
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
    exact: bool = False,
) -> str | None:
    """Create or replace the file atomically, with these bytes, owner, group and mode, in a directory that exists.

    C(seen), C(before): the status of the file when it was read, and its bytes; None for no file. Its
    extended attributes stay. C(uid) and C(gid) of -1 keep its owner and group, too, as far as this
    user may. C(in_place): overwrite the file if it cannot be replaced. C(keep): make a backup of
    it; returns the path of the backup. C(exact): see C(_set_attributes).
    Raises CannotWrite, and ChangedMeanwhile if the file is no longer the one that was read.
    """
    name = place.name
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(opened_directory(place.resolved, NOT_WRITTEN))
        if seen is None or before is None:
            with prepared(directory, name, data, None, uid, gid, mode) as private:
                from .rename import rename_new

                try:
                    rename_new(private, name, directory, name)
                except FileExistsError:
                    raise ChangedMeanwhile from None
            sync_names(directory, WRITTEN)
            return None
        old = stack.enter_context(opened_file(directory, name, seen))
        kept = None
        undone = stack.enter_context(contextlib.ExitStack())
        if keep:
            kept = back_up(undone, place, directory, old, seen, before)
        try:
            with prepared(directory, name, data, old, uid, gid, mode, exact=exact) as private:
                prove_bytes(old, before)
                prove_unchanged(directory, name, seen)
                os.rename(name, name, src_dir_fd=private, dst_dir_fd=directory)
                undone.pop_all()
        except OSError as error:
            if not in_place or error.errno not in _NOT_REPLACEABLE:
                raise
            new = stack.enter_context(opened_file(directory, name, seen, os.O_WRONLY))
            _refuse_other_names(place.resolved, new)
            prove_bytes(old, before)
            # From here on only the backup may still have the old text.
            undone.pop_all()
            failure = Reason("partly-written") if kept is None else Reason("partly-written-after-backup", path=kept)
            with _reported(failure, True, kept):
                _write_all(new, data)
                os.ftruncate(new, len(data))
                set_owner_and_mode(new, uid, gid, mode)
                os.fsync(new)
            return kept
        sync_names(directory, WRITTEN, kept)
    return kept


def apply_ownership(place: ResolvedFile, seen: os.stat_result, uid: int, gid: int, mode: int) -> None:
    """Give the file that was read an owner, group and mode. Raises CannotWrite and ChangedMeanwhile."""
    failure = Reason("owner-not-changed")
    with opened_directory(place.resolved, failure) as directory, opened_file(directory, place.name, seen) as handle:
        _refuse_other_names(place.resolved, handle)
        set_owner_and_mode(handle, uid, gid, mode)
        with _reported(Reason("owner-not-synced"), True):
            sync(handle)


def back_up(
    undone: contextlib.ExitStack, place: ResolvedFile, directory: int, old: int, seen: os.stat_result, data: bytes
) -> str:
    """Copy the file that was read beside itself, safe from a power cut; return the path of the copy.

    C(undone) removes the copy if the next step fails. Raises CannotWrite.
    """
    mode, times = stat.S_IMODE(seen.st_mode), (seen.st_atime_ns, seen.st_mtime_ns)
    with _reported(NO_BACKUP), prepared(directory, place.name, data, old, -1, -1, mode, times) as private:
        name = put_beside(private, place.name, directory)
        undone.callback(_remove_file, directory, name)
        _sync_names(directory)
    return os.path.join(place.resolved.real, name)


def put_beside(private: int, name: str, directory: int) -> str:
    """Move a file into the directory under an unused name of a backup; return the name. Raises OSError."""
    from .rename import rename_new

    moment = time.strftime("%Y-%m-%d@%H:%M:%S~")
    new = "%s.%d.%s" % (name, os.getpid(), moment)
    try:
        rename_new(private, name, directory, new)
    except FileExistsError:
        # It is of the same second and process number, or a user has guessed the name, which cannot happen twice.
        new = "%s.%d-%s.%s" % (name, os.getpid(), os.urandom(8).hex(), moment)
        rename_new(private, name, directory, new)
    return new


def _remove_file(directory: int, name: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=directory)


@contextlib.contextmanager
def opened_file(directory: int, name: str, seen: os.stat_result, flags: int = os.O_RDONLY) -> Iterator[int]:
    """Open the file that was read. Raises ChangedMeanwhile."""
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
    """Raise ChangedMeanwhile unless this name leads to the file that was seen; C(moved): under another name then."""
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
    """Raise ChangedMeanwhile unless an open file still has these bytes: times can be restored, and some clocks are coarse."""
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
    exact: bool = False,
) -> Iterator[int]:
    """Make the finished file in a private directory; yield the directory."""
    with private_directory(directory) as private, contextlib.ExitStack() as undone:
        create(undone, private, name, data, old, uid, gid, mode, times, exact)
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
    exact: bool = False,
) -> None:
    """Make the finished file in a directory that nobody else can enter, safe from a power cut.

    C(old): an open file whose owner, group and attributes it gets. C(undone) removes it. C(exact): see
    C(_set_attributes). Raises OSError.
    """
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=directory)
    undone.callback(_remove_file, directory, name)
    try:
        _write_all(handle, data)
        if times is not None:
            os.utime(handle, ns=times)
        _set_attributes(handle, old, uid, gid, mode, exact)
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _set_attributes(handle: int, old: int | None, uid: int, gid: int, mode: int, exact: bool) -> None:
    """Give a new file its owner, group and mode, and the attributes of the old file.

    The owner comes last: after the file is given away, this process may have no right to set the rest.
    C(exact): set the setuid and setgid bits of the mode even if the new file cannot keep the owner and group of the old one.
    """
    if old is not None:
        _copy_attributes(old, handle)
        status = os.fstat(old)
        lost = gid == -1 and not _kept(handle, -1, status.st_gid)
        if uid == -1 and os.geteuid() == 0:
            uid = status.st_uid
        elif uid == -1:
            lost = not _kept(handle, status.st_uid, -1) or lost
        if lost and not exact:
            mode &= ~SPECIAL
    if gid != -1:
        os.fchown(handle, -1, gid)
    os.fchmod(handle, mode)
    if uid != -1:
        os.fchown(handle, uid, -1)
        if mode & SPECIAL:  # the system has removed these bits
            os.fchmod(handle, mode)


def _kept(handle: int, uid: int, gid: int) -> bool:
    try:
        os.fchown(handle, uid, gid)
    except PermissionError:
        # A user may write in the directory without owning the file, and only root can give the new file away.
        if os.geteuid() == 0:
            raise
        return False
    return True


def _copy_attributes(old: int, new: int) -> None:
    try:
        names = os.listxattr(old)
    except AttributeError:  # Python has no such call on this system
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
                # Without its ACL, the group of the file would get the rights of the mask.
                if name == ACCESS_ACL or error.errno not in (errno.ENOTSUP, errno.EPERM, errno.ENODATA, errno.EINVAL):
                    raise
