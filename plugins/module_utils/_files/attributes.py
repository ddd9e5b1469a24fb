# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes that file systems keep for a file, those of chattr(1)."""

from __future__ import annotations

import os

from .access import Reason
from .rights import FOWNER, LINUX_IMMUTABLE, capable, known

# Only CAP_LINUX_IMMUTABLE sets these.
_GUARDED = frozenset("ai")


def forbidden_attributes(uid: int, gid: int, attributes: str) -> Reason | None:
    """Return why a file of this owner and group cannot get attributes of the file system."""
    if uid != os.geteuid():
        if not capable(FOWNER):
            return Reason("only-owner", owner=uid)
        if not known(uid, gid):
            return Reason("owner-unknown")
    if _GUARDED.intersection(attributes) and not capable(LINUX_IMMUTABLE):
        return Reason("needs-linux-immutable", user=os.geteuid())
    return None


def has_attributes(there: str | None, attributes: str) -> bool:
    """Return whether a file with the attributes C(there) of lsattr(1) has those given in the form of chattr(1).

    C(there): None if they are unknown.
    """
    if there is None:
        return False
    sign, wanted = (attributes[:1], attributes[1:]) if attributes[:1] in ("+", "-", "=") else ("=", attributes)
    if sign == "=":
        # The file system alone sets e (extents).
        return set(there) ^ set(wanted) <= {"e"}
    return set(wanted) <= set(there) if sign == "+" else set(wanted).isdisjoint(there)
