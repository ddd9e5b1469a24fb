# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The owners, groups and modes of the options."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from typing import Any

from .._config.printable import shown
from .._config.settings import is_integer
from .._files.access import own_groups
from .refused import Refused

# The highest number means "no change" to the system.
_NO_CHANGE = 2**32 - 1


def user_id(name: str) -> int | None:
    """Return the number of a user; None if the user does not exist yet."""
    try:
        return pwd.getpwnam(name).pw_uid
    except (KeyError, ValueError):  # ValueError: no name of a user, such as one with a NUL
        return _numeric_id(name)


def group_id(name: str) -> int | None:
    """Return the number of a group; None if the group does not exist yet."""
    try:
        return grp.getgrnam(name).gr_gid
    except (KeyError, ValueError):
        return _numeric_id(name)


def _numeric_id(name: str) -> int | None:
    number = int(name) if len(name) <= 10 and name.isascii() and name.isdigit() else _NO_CHANGE
    return number if number < _NO_CHANGE else None


def planned(
    module: Any, prefix: str, kind: int, uid: int | None, gid: int | None, mode: int
) -> tuple[int | None, int | None, int]:
    """Return the owner, group and mode by the options with this prefix, given the present ones and the type of file.

    None in check mode for a user or a group that does not exist yet. Raises Refused.
    """
    before = uid, gid
    if module.params[prefix + "owner"] is not None:
        uid = _owner(module, prefix + "owner", uid)
    if module.params[prefix + "group"] is not None:
        gid = _group(module, prefix + "group", gid)
    if (uid, gid) != before:
        # The old owner may have set them for another purpose.
        mode &= ~(stat.S_ISUID | stat.S_ISGID)
    if module.params[prefix + "mode"] is not None:
        mode = _mode(module, prefix + "mode", kind, mode)
    return uid, gid, mode


def _owner(module: Any, option: str, current: int | None) -> int | None:
    name = module.params[option]
    uid = user_id(name)
    if uid is None:
        _absent_yet(module, option, "user")
    elif uid != current and os.geteuid() != 0:
        raise Refused("%s: only root can give a file to %s" % (option, _printable(name)))
    return uid


def _group(module: Any, option: str, current: int | None) -> int | None:
    name = module.params[option]
    gid = group_id(name)
    if gid is None:
        _absent_yet(module, option, "group")
    elif gid != current and os.geteuid() != 0 and gid not in own_groups():
        raise Refused(
            "%s: only root can give a file to the group %s, as this user is not a member of it"
            % (option, _printable(name))
        )
    return gid


def _absent_yet(module: Any, option: str, kind: str) -> None:
    """Refuse a missing user or group; in check mode only warn, as another task may create it before the real run."""
    sentence = "%s: there is no %s %s" % (option, kind, _printable(module.params[option]))
    if not module.check_mode:
        raise Refused("%s; create it first" % sentence)
    module.warn("%s yet; this assumes that it is created before the real run" % sentence)


def _printable(name: str) -> str:
    return name if name.isprintable() else shown(name)


def _mode(module: Any, option: str, kind: int, current: int) -> int:
    wanted = module.params[option]
    if is_integer(wanted) and _looks_octal(wanted):
        raise Refused(
            '%s: %d without quotes is a decimal number, mode %04o; write "%04o"'
            % (option, wanted, wanted, int(str(wanted), 8))
        )
    try:
        mode = wanted if is_integer(wanted) else int(str(wanted), 8)
    except ValueError:
        try:
            mode = module._symbolic_mode_to_octal(os.stat_result((kind | current,) + (0,) * 9), str(wanted))
        except ValueError:
            mode = -1
    if not 0 <= mode <= 0o7777:
        raise Refused('%s: %s is not a mode; write octal digits in quotes, like "0700"' % (option, shown(wanted)))
    return int(mode)


def _looks_octal(number: int) -> bool:
    """Return whether the decimal digits of a number were probably meant to be octal.

    YAML reads 0644 as octal and 644 as decimal, and gives a number in both cases: 420 or 644.
    The digits look like a mode if the owner may read, and no class has a right that the one before lacks;
    of the numbers from octal digits, only those of 0620, 0764, 0776 and 0777 look like that.
    """
    digits = str(number)
    if not set(digits) <= set("01234567") or len(digits) > 4:
        return False
    mode = int(digits, 8)
    owner, group, others = mode >> 6 & 7, mode >> 3 & 7, mode & 7
    return bool(owner & 4) and not group & ~owner and not others & ~group
