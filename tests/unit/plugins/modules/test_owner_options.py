# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options make of owner, group and mode."""

from __future__ import annotations

import itertools
import os
import stat
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.owners import planned
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.refused import Refused
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    NOBODY,
    STRANGER,
    as_root,
    without_root,
)


class Options:
    """The options of a real run about owner, group and mode, as a module has them."""

    check_mode = False
    _symbolic_mode_to_octal = AnsibleModule._symbolic_mode_to_octal

    def __init__(self, owner: str | None = None, group: str | None = None, mode: Any = None) -> None:
        self.params = {"owner": owner, "group": group, "mode": mode}


def mode_by(wanted: Any, current: int = 0o644, kind: int = stat.S_IFREG) -> int:
    """The mode that the option makes of the present one."""
    return planned(Options(mode=wanted), "", kind, 0, 0, current)[2]


@as_root
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(), (STRANGER, STRANGER, 0o7755)),
        (Options(str(STRANGER), str(STRANGER)), (STRANGER, STRANGER, 0o7755)),
        (Options(owner=str(NOBODY)), (NOBODY, STRANGER, 0o1755)),
        (Options(group=str(NOBODY)), (STRANGER, NOBODY, 0o1755)),
        (Options(owner=str(NOBODY), mode="6750"), (NOBODY, STRANGER, 0o6750)),
        (Options(owner=str(NOBODY), mode="g+s,o-rx"), (NOBODY, STRANGER, 0o3750)),
        (Options(mode="o-rx"), (STRANGER, STRANGER, 0o7750)),
    ],
    ids=["nothing", "the same", "owner", "group", "owner and mode", "owner and change of mode", "change of mode"],
)
def test_another_owner_or_group_takes_the_bits_that_lend_rights(
    options: Options, expected: tuple[int, int, int]
) -> None:
    assert planned(options, "", stat.S_IFREG, STRANGER, STRANGER, 0o7755) == expected


@as_root
def test_others_than_root_may_name_the_owner_that_it_has_and_a_group_of_their_own() -> None:
    with without_root():
        mine, theirs = str(NOBODY), str(STRANGER)
        assert planned(Options(mine, mine), "", stat.S_IFREG, NOBODY, NOBODY, 0o644) == (NOBODY, NOBODY, 0o644)
        with pytest.raises(Refused, match=r"^owner: only root can give a file to 54321$"):
            planned(Options(owner=theirs), "", stat.S_IFREG, NOBODY, NOBODY, 0o644)
        with pytest.raises(Refused, match=r"^group: only root can give a file to the group 54321, as this user is not"):
            planned(Options(group=theirs), "", stat.S_IFREG, NOBODY, NOBODY, 0o644)
        # The group that it has already, of which this user is no member.
        assert planned(Options(group=theirs), "", stat.S_IFREG, NOBODY, STRANGER, 0o644)[1] == STRANGER
        # Its own group, without being named as a member.
        assert planned(Options(group=mine), "", stat.S_IFREG, NOBODY, STRANGER, 0o644)[1] == NOBODY
    groups = os.getgroups()
    os.setgroups([STRANGER])
    os.seteuid(NOBODY)
    try:
        assert planned(Options(group=theirs), "", stat.S_IFREG, NOBODY, NOBODY, 0o644)[1] == STRANGER
    finally:
        os.seteuid(0)
        os.setgroups(groups)


def test_a_mode_is_of_four_octal_digits_or_changes_the_present_one() -> None:
    assert [mode_by(wanted) for wanted in ("0", "7777", 0o7777, "640", 0)] == [0, 0o7777, 0o7777, 0o640, 0]
    assert mode_by("u+x,g-r,o+w", 0o1644) == 0o1706
    # This means the right to search, which only directories have anyway.
    assert (mode_by("a+X"), mode_by("a+X", kind=stat.S_IFDIR), mode_by("a+X", 0o744)) == (0o644, 0o755, 0o755)
    for wanted in ("10000", "-1", 0o10000, 77777, -1):
        with pytest.raises(Refused, match=r'^mode: .* is not a mode; write octal digits in quotes, like "0700"$'):
            mode_by(wanted)


def refused_as_octal(number: int) -> bool:
    """Whether a number without quotes is refused because its decimal digits look like a mode."""
    try:
        mode_by(number)
    except Refused as refused:
        return "without quotes is a decimal number" in str(refused)
    return False


def test_a_number_is_refused_as_octal_if_its_digits_give_no_class_more_than_the_one_before() -> None:
    usual = {
        "%o%o%o" % digits
        for digits in itertools.product(range(4, 8), range(8), range(8))
        if digits[0] | digits[1] == digits[0] and digits[1] | digits[2] == digits[1]
    }
    assert {"400", "600", "640", "644", "700", "750", "755", "775", "777"} <= usual
    expected = {int(special + mode) for special in ("", *"1234567") for mode in usual}
    assert {number for number in range(20000) if refused_as_octal(number)} == expected
    # What YAML makes of these with a zero before them.
    refused = {mode for mode in usual if refused_as_octal(int(mode, 8))}
    assert refused == {"620", "764", "776", "777"}
