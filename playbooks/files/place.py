# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the report in its place: what is at that name is replaced and never followed.

Usage: place.py SOURCE TARGET [SOURCE TARGET]..., all absolute

A link at the target may be another user's, in a directory where everybody can make names: Ansible's own copy opens what is
behind it. So may be a link on the way to the directory, which is not followed either. The new file is made under a name
that nobody can guess, below a handle to the directory, for its owner alone.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
from pathlib import Path

# Wherever the collection is installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[5]))

from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.path import open_resolved, resolve


def enter(folder: str) -> int:
    """Open a directory, or raise OSError: also where a link of another user than root and this one leads to it."""
    resolved = resolve(folder)
    for path, status, above in resolved.links:
        if not {status.st_uid, above} <= {0, os.geteuid()}:
            raise OSError(errno.ELOOP, "%s is a symbolic link of another user" % ascii(path)[1:-1])
    if resolved.missing or resolved.error:
        # Raises the error of the system.
        os.close(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
    return open_resolved(resolved)


def place(content: bytes, target: str, mode: int = 0o600) -> None:
    """Put a file with this content there, or raise OSError; the target is the old file or all of the new one."""
    folder, name = os.path.split(target)
    directory = enter(folder)
    try:
        with contextlib.suppress(FileNotFoundError):
            # A device would be replaced as well, and so would /dev/stdout, which is a link to one.
            if not stat.S_ISREG(os.stat(name, dir_fd=directory).st_mode):
                raise OSError(errno.EEXIST, "it is not a file")
        new = ".%s.%s" % (name[:100], secrets.token_hex(8))
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode, dir_fd=directory)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(new, name, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            os.unlink(new, dir_fd=directory)
            raise
    finally:
        os.close(directory)


def main() -> None:
    """Place all files that are named."""
    names = iter(sys.argv[1:])
    for source, target in zip(names, names):
        try:
            place(Path(source).read_bytes(), target)
        except OSError as error:
            sys.exit(
                "the report cannot be written to %s: %s; name another file" % (ascii(target)[1:-1], error.strerror)
            )


if __name__ == "__main__":
    main()
