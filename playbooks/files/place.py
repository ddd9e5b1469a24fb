# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the files of the report and of lint to their targets, and replace existing files or links.

Usage: place.py SOURCE TARGET [SOURCE TARGET]..., all absolute

In a directory where everybody can create names, a link at the target may belong to another user, and Ansible's own copy
would open its target. The same is true of links in the path of the directory. Neither are followed. The new file gets an
unguessable temporary name and is created through a handle to the directory.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
from pathlib import Path

# The root of the collections, wherever they are installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[5]))

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import printable
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.path import open_resolved, resolve


def enter(folder: str) -> int:
    """Open a directory. Raises OSError, also if a link of a user other than root and this one leads to it."""
    resolved = resolve(folder)
    for path, status, above in resolved.links:
        if not {status.st_uid, above} <= {0, os.geteuid()}:
            raise OSError(errno.ELOOP, "%s is a symbolic link of another user" % printable(path))
    if resolved.missing or resolved.error:
        # Raises the system's own error.
        os.close(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
    return open_resolved(resolved)


def place(content: bytes, target: str, mode: int = 0o600) -> None:
    """Write the content to the target atomically. C(mode) is that of the new file, less the umask. Raises OSError."""
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
    """Copy all files in the arguments."""
    names = iter(sys.argv[1:])
    for source, target in zip(names, names):
        try:
            place(Path(source).read_bytes(), target)
        except OSError as error:
            sys.exit("the report cannot be written to %s: %s; name another file" % (printable(target), error.strerror))


if __name__ == "__main__":
    main()
