# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give a file or a directory a new name, and never replace what has that name already."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import Any

# Old systems lack renameat2, some file systems lack its flags, and some lack hard links.
_NO_FLAGS = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)
_NO_LINKS = (errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
_NOREPLACE = 1  # RENAME_NOREPLACE of linux/fs.h


def rename_new(source: int, name: str, target: int, new: str) -> None:
    """Move what has a name in the directory C(source) to a name in C(target) that does not exist.

    Raises OSError, FileExistsError if the new name exists.
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
    # The closest that such a system allows.
    with contextlib.suppress(FileNotFoundError):
        os.stat(new, dir_fd=target, follow_symlinks=False)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    os.rename(name, new, src_dir_fd=source, dst_dir_fd=target)


def _renameat2(source: int, name: str, target: int, new: str) -> int:
    """Call renameat2 of the C library, which Python does not offer; return the error number, 0 for success."""
    try:
        import ctypes  # Ansible has loaded it

        call: Any = ctypes.CDLL(None, use_errno=True).renameat2
    except (ImportError, OSError, AttributeError):
        return errno.ENOSYS
    if call(source, os.fsencode(name), target, os.fsencode(new), _NOREPLACE) == 0:
        return 0
    return ctypes.get_errno()
