# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ACLs of a path allow (C(linux/posix_acl_xattr.h))."""

from __future__ import annotations

import struct

USER, GROUP_OF_FILE, GROUP, MASK, OTHER = 0x02, 0x04, 0x08, 0x10, 0x20


def grants(access: bytes | None, default: bytes | None, mode: int, owner: int | None, right: int) -> bool:
    """Return whether a mode with these ACLs gives users other than the owner and root a right, also in new directories."""
    # With an ACL, the group bits of the mode are its mask.
    now = _grants(
        [] if access is None else _entries(access), mode >> 3, mode if access else mode | mode >> 3, owner, right
    )
    if now or default is None:
        return now
    # New directories inherit the default ACL.
    entries = _entries(default)
    permissions = _by_tag(entries)
    return _grants(entries, permissions.get(MASK, 7), permissions.get(OTHER, 0), owner, right)


def spares_nobody(access: bytes, right: int) -> bool:
    """Return whether everyone whom an ACL names and all others have a right, the owner not considered."""
    # A mask without the right takes it from the group of the file, which has an entry in every ACL.
    return all(
        granted & right == right
        for tag, granted, _id in _entries(access)
        if tag in (USER, GROUP_OF_FILE, GROUP, MASK, OTHER)
    )


def allows(access: bytes, group: int, user: int, groups: frozenset[int], right: int) -> bool:
    """Return whether this ACL gives a user in these groups, who is not the owner, a right (acl(5)).

    C(group): that of the file.
    """
    entries = _entries(access)
    permissions = _by_tag(entries)
    mask = permissions.get(MASK, 7)
    named = [granted for tag, granted, ident in entries if (tag, ident) == (USER, user)]
    of_groups = [
        granted
        for tag, granted, ident in entries
        if (tag == GROUP and ident in groups) or (tag == GROUP_OF_FILE and group in groups)
    ]
    if named or of_groups:
        return any(granted & mask & right == right for granted in named or of_groups)
    return permissions.get(OTHER, 0) & right == right


def _entries(data: bytes) -> list[tuple[int, int, int]]:
    # A version, then the tag, permissions and id of each entry.
    return [struct.unpack_from("<HHI", data, offset) for offset in range(4, len(data) - 7, 8)]


def _by_tag(entries: list[tuple[int, int, int]]) -> dict[int, int]:
    return {tag: granted for tag, granted, _id in entries}


def _grants(entries: list[tuple[int, int, int]], mask: int, other: int, owner: int | None, right: int) -> bool:
    return bool(other & right) or any(
        tag in (USER, GROUP_OF_FILE, GROUP)
        and permissions & mask & right
        and (tag, ident) not in ((USER, 0), (USER, owner))
        for tag, permissions, ident in entries
    )
