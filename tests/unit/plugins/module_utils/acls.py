# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""POSIX ACLs for the tests, written as the kernel keeps them."""

from __future__ import annotations

import os
import struct

import pytest

OWNER, USER, GROUP_OBJ, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
ANY = 0xFFFFFFFF
ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"

needs_acls = pytest.mark.skipif(not hasattr(os, "setxattr"), reason="this system has no extended attributes")


def packed(*entries):
    """An ACL as the kernel keeps it."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def set_acl(path, name, *entries):
    """Give a path an ACL; skip the test where the file system takes none."""
    try:
        os.setxattr(str(path), name, packed(*entries))
    except OSError as error:
        pytest.skip("the file system of %s takes no ACLs: %s" % (path, error.strerror))


def entries(mask, *extra, owner=7, group=0, other=0):
    """All that an ACL needs, and the extra entries, in the kernel's order."""
    return [(OWNER, owner, ANY), *(e for e in extra if e[0] == USER), (GROUP_OBJ, group, ANY)] + [
        *(e for e in extra if e[0] == GROUP),
        (MASK, mask, ANY),
        (OTHER, other, ANY),
    ]
