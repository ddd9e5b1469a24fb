# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real files and directories for the tests; works as root and as another user."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.write import CannotWrite
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.reasons import sentence

NOBODY = 65534  # in passwd on every system that matters
STRANGER = 54321  # in no passwd
ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="only root can give files to others")
IN_OPEN = 0x20  # of linux/inotify.h
HANDLES = Path("/proc/self/fd")
needs_handles = pytest.mark.skipif(not HANDLES.is_dir(), reason="this system does not tell which files are open")


def handles():
    """What this process has open, the handle for this look included; nothing where the system does not tell."""
    return sorted(path.name for path in HANDLES.iterdir()) if HANDLES.is_dir() else []


@contextlib.contextmanager
def without_root(uid=NOBODY):
    """Without root's rights inside the block: root becomes another user, others stay who they are."""
    if os.geteuid() != 0:
        yield
        return
    groups, group = os.getgroups(), os.getegid()
    os.setgroups([])
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


@contextlib.contextmanager
def without_capabilities(*numbers):
    """Root without some of its capabilities inside the block; by their numbers in linux/capability.h."""
    library = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3
    found = (ctypes.c_uint32 * 6)()
    assert library.capget(header, found) == 0
    without = (ctypes.c_uint32 * 6)(*found)
    without[0] &= ~sum(1 << number for number in numbers)
    assert library.capset(header, without) == 0
    try:
        yield
    finally:
        assert library.capset(header, found) == 0


@contextlib.contextmanager
def place(uid=NOBODY):
    """A new directory in /tmp that belongs to whom without_root() becomes, and that everybody can enter.

    pytest's own tmp_path is closed to everybody but the user who runs the tests.
    """
    path = Path(tempfile.mkdtemp(dir="/tmp")).resolve()
    path.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(str(path), uid, uid)
    try:
        yield path
    finally:
        path.chmod(0o700)
        for directory, names, _files in os.walk(str(path)):
            for below in (Path(directory, name) for name in names):
                if not below.is_symlink():
                    below.chmod(0o700)
        shutil.rmtree(str(path))


def new(path, mode=0o700):
    """A new directory of this mode."""
    path.mkdir()
    path.chmod(mode)
    return path


def give(path, uid):
    """Give a file, a directory or a link to a user, and to the group of the same number."""
    os.chown(str(path), uid, uid, follow_symlinks=False)


def mode_of(path):
    """The permissions of a file or a directory."""
    return stat.S_IMODE(path.stat().st_mode)


def snapshot(root):
    """Everything about a tree that a write would change, down to the times."""
    found = {}
    for path in [Path(root), *sorted(Path(root).rglob("*"))]:
        status = path.lstat()
        content = None
        if stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        elif stat.S_ISLNK(status.st_mode):
            content = os.fsencode(os.readlink(str(path)))
        found[str(path)] = (
            status.st_ino,
            status.st_mode,
            status.st_uid,
            status.st_gid,
            status.st_mtime_ns,
            status.st_ctime_ns,
            content,
        )
    return found


class Opened:
    """Notices each time that a file is opened: what O_PATH does, which opens nothing, is not noticed."""

    def __init__(self, path: Path) -> None:
        library = ctypes.CDLL(None)
        self.handle = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert library.inotify_add_watch(self.handle, os.fsencode(path), IN_OPEN) >= 0

    def times(self) -> int:
        """How many times since it was asked last."""
        try:
            return len(os.read(self.handle, 4096)) // 16
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Notice nothing any more."""
        os.close(self.handle)


@contextlib.contextmanager
def cannot_write(text, changed=False):
    """Expect CannotWrite inside the block, for a reason whose text matches; C(changed): whether something has changed."""
    with pytest.raises(CannotWrite) as caught:
        yield caught
    assert re.search(text, sentence(caught.value.reason))
    assert caught.value.changed is changed
