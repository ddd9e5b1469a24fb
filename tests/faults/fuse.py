# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file system that no longer answers, in the mount namespace of this process.

Usage: fuse.py FOLDER. Mounts it there, and prints the process number of its server when that has stopped; waits for the end
of its input.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import stat
import struct
import sys
import time
from pathlib import Path

CLONE_NEWNS = 0x00020000
# Requests of linux/fuse.h.
LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT, OPENDIR, RELEASEDIR, BATCH_FORGET = (
    1, 2, 3, 14, 15, 17, 18, 25, 26, 27, 29, 42,
)  # fmt: skip
TOP, FILE = 1, 2
SIZE = 8192
FOR_LONG = 3600


def attributes(node: int) -> bytes:
    """Return a struct fuse_attr."""
    mode, size = (stat.S_IFDIR | 0o755, 0) if node == TOP else (stat.S_IFREG | 0o755, SIZE)
    now = int(time.time())
    return struct.pack("=6Q3I7I", node, size, SIZE // 512, now, now, now, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(request: int, node: int, body: bytes) -> tuple[int, bytes] | None:
    """Return an error number and the data for a request; None if it has no answer."""
    if request in (FORGET, BATCH_FORGET):
        return None
    if request == INIT:
        return 0, struct.pack("=4I2H2I2H", 7, 31, 2**16, 0, 16, 12, 2**16, 1, 0, 0) + bytes(32)
    if request == LOOKUP:
        if body.rstrip(b"\0") != b"file":
            return errno.ENOENT, b""
        return 0, struct.pack("=4Q2I", FILE, 0, FOR_LONG, FOR_LONG, 0, 0) + attributes(FILE)
    if request == GETATTR:
        return 0, struct.pack("=Q2I", FOR_LONG, 0, 0) + attributes(node)
    if request in (OPEN, OPENDIR):
        return 0, struct.pack("=Q2I", 1, 0, 0)
    if request == READ:
        return 0, bytes(SIZE)
    if request == STATFS:
        return 0, bytes(80)
    return (0, b"") if request in (RELEASE, FLUSH, RELEASEDIR) else (errno.ENOSYS, b"")


def serve(device: int) -> None:
    """Answer requests until the file system is unmounted."""
    while True:
        try:
            data = os.read(device, 2**17)
        except OSError:
            return
        _length, request, unique, node = struct.unpack_from("=2I2Q", data)
        given = answer(request, node, data[40:])
        if given is not None:
            error, more = given
            os.write(device, struct.pack("=IiQ", 16 + len(more), -error, unique) + more)


def main() -> None:
    folder = sys.argv[1]
    library = ctypes.CDLL(None, use_errno=True)
    device = os.open("/dev/fuse", os.O_RDWR)
    options = b"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % device
    private = 0x44000  # MS_REC, MS_PRIVATE
    if (
        library.unshare(CLONE_NEWNS)
        or library.mount(None, b"/", None, private, None)
        or library.mount(b"silent", os.fsencode(folder), b"fuse", 0, options)
    ):
        sys.exit(os.strerror(ctypes.get_errno()))
    server = os.fork()
    if server == 0:
        serve(device)
        os._exit(0)
    os.close(device)
    assert (Path(folder) / "file").is_file()
    os.kill(server, signal.SIGSTOP)
    print(server, flush=True)
    sys.stdin.read()
    os.kill(server, signal.SIGKILL)


if __name__ == "__main__":
    main()
