# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ACLs allow, by each of their entries."""

from __future__ import annotations

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.acls import allows, grants, spares_nobody
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.acls import (
    GROUP,
    GROUP_OBJ,
    MASK,
    OTHER,
    OWNER,
    USER,
    packed,
)

APP, FRIEND, TEAM, GUESTS, ELSE = 70001, 70002, 70003, 70004, 70005
RIGHTS = range(1, 8)
NONE: set[int] = set()
ALL = set(RIGHTS)


def whole(bits):
    """The rights that are in these bits as a whole."""
    return {right for right in RIGHTS if bits & right == right}


def parts(bits):
    """The rights of which a part is in these bits."""
    return {right for right in RIGHTS if bits & right}


@pytest.mark.parametrize(
    ("entries", "given"),
    [
        # One who is named has the rights of that entry, as far as the mask lets pass, and no others.
        ([(USER, 6, APP), (GROUP_OBJ, 7, 0), (MASK, 7, 0), (OTHER, 7, 0)], whole(6)),
        ([(USER, 6, APP), (GROUP_OBJ, 7, 0), (MASK, 3, 0), (OTHER, 7, 0)], whole(2)),
        ([(USER, 0, APP), (GROUP_OBJ, 7, 0), (MASK, 7, 0), (OTHER, 7, 0)], NONE),
        ([(USER, 1, FRIEND), (USER, 4, APP), (GROUP_OBJ, 0, 0), (MASK, 7, 0), (OTHER, 0, 0)], whole(4)),
        # One group is enough, but rights of several groups do not add up.
        ([(GROUP_OBJ, 5, 0), (MASK, 7, 0), (OTHER, 0, 0)], whole(5)),
        ([(GROUP_OBJ, 5, 0), (MASK, 6, 0), (OTHER, 7, 0)], whole(4)),
        ([(GROUP_OBJ, 0, 0), (GROUP, 3, TEAM), (MASK, 7, 0), (OTHER, 0, 0)], whole(3)),
        ([(GROUP_OBJ, 4, 0), (GROUP, 2, TEAM), (MASK, 7, 0), (OTHER, 0, 0)], {2, 4}),
        ([(GROUP_OBJ, 0, 0), (GROUP, 7, GUESTS), (MASK, 7, 0), (OTHER, 7, 0)], NONE),
        ([(USER, 7, FRIEND), (GROUP_OBJ, 0, 0), (MASK, 7, 0), (OTHER, 7, 0)], NONE),
        # Numbers of users are not those of groups, and the other entries have no number that counts.
        ([(USER, 7, TEAM), (GROUP_OBJ, 0, 0), (GROUP, 7, APP), (MASK, 7, 0), (OTHER, 0, 0)], NONE),
        ([(OWNER, 7, APP), (GROUP_OBJ, 0, APP), (MASK, 7, APP), (OTHER, 7, APP)], NONE),
        ([(OWNER, 7, TEAM), (GROUP_OBJ, 0, TEAM), (MASK, 7, TEAM), (OTHER, 7, TEAM)], NONE),
        # Without a mask, nothing is held back.
        ([(OWNER, 0, 0), (GROUP_OBJ, 7, 0), (OTHER, 0, 0)], ALL),
    ],
)
def test_who_is_in_a_group_of_the_file_has_what_the_first_entry_that_fits_gives(entries, given):
    found = {right for right in RIGHTS if allows(packed(*entries), ELSE, APP, frozenset([TEAM, ELSE]), right)}
    assert found == given


@pytest.mark.parametrize("other", [0, 3, 4, 7])
def test_who_is_named_in_no_way_has_the_rights_of_others_without_a_mask(other):
    entries = [
        (OWNER, 7, APP),
        (USER, 7, FRIEND),
        (GROUP_OBJ, 7, TEAM),
        (GROUP, 7, GUESTS),
        (MASK, 0, TEAM),
        (OTHER, other, TEAM),
    ]
    found = {right for right in RIGHTS if allows(packed(*entries), ELSE, APP, frozenset([TEAM]), right)}
    assert found == whole(other)


@pytest.mark.parametrize(
    ("entries", "given"),
    [
        ([(OWNER, 0, 0), (GROUP_OBJ, 7, 0), (OTHER, 7, 0)], ALL),
        ([(OWNER, 7, 0), (GROUP_OBJ, 6, 0), (OTHER, 7, 0)], whole(6)),
        ([(OWNER, 7, 0), (GROUP_OBJ, 7, 0), (OTHER, 5, 0)], whole(5)),
        ([(OWNER, 7, 0), (USER, 6, APP), (GROUP_OBJ, 7, 0), (MASK, 7, 0), (OTHER, 7, 0)], whole(6)),
        ([(OWNER, 7, 0), (GROUP_OBJ, 7, 0), (GROUP, 3, TEAM), (MASK, 7, 0), (OTHER, 7, 0)], whole(3)),
        ([(OWNER, 7, 0), (USER, 7, APP), (USER, 4, FRIEND), (GROUP_OBJ, 7, 0), (MASK, 7, 0), (OTHER, 7, 0)], whole(4)),
        ([(OWNER, 7, 0), (USER, 7, APP), (GROUP_OBJ, 7, 0), (MASK, 4, 0), (OTHER, 7, 0)], whole(4)),
        ([(OWNER, 7, 0), (USER, 0, APP), (GROUP_OBJ, 7, 0), (MASK, 7, 0), (OTHER, 7, 0)], NONE),
    ],
)
def test_nobody_is_spared_by_the_rights_that_every_entry_gives(entries, given):
    assert {right for right in RIGHTS if spares_nobody(packed(*entries), right)} == given


GROUP_NOTHING, OTHER_ALL = (GROUP_OBJ, 0, 0), (OTHER, 7, 0)


@pytest.mark.parametrize(
    ("entries", "mode", "given"),
    [
        # Without an ACL, the group and all others have what their bits say.
        (None, 0o700, 0),
        (None, 0o750, 5),
        (None, 0o702, 2),
        (None, 0o041, 5),
        # With one, the group bits are its mask.
        ([(OWNER, 7, 0), (USER, 7, APP), GROUP_NOTHING, (MASK, 7, 0), OTHER_ALL], 0o750, 5),
        ([(OWNER, 7, 0), (USER, 3, APP), GROUP_NOTHING, (MASK, 7, 0), OTHER_ALL], 0o770, 3),
        ([(OWNER, 7, 0), (GROUP_OBJ, 6, 0), (MASK, 7, 0), OTHER_ALL], 0o770, 6),
        ([(OWNER, 7, 0), GROUP_NOTHING, (GROUP, 2, TEAM), (MASK, 7, 0), OTHER_ALL], 0o770, 2),
        ([(OWNER, 7, 0), (USER, 1, APP), GROUP_NOTHING, (GROUP, 4, TEAM), (MASK, 7, 0), OTHER_ALL], 0o770, 5),
        ([(OWNER, 7, 0), (USER, 1, APP), GROUP_NOTHING, (MASK, 7, 0), OTHER_ALL], 0o704, 4),
        ([(OWNER, 7, 0), GROUP_NOTHING, (MASK, 7, 0), OTHER_ALL], 0o770, 0),
        # The owner and root need no entry, but groups of their numbers are groups.
        ([(OWNER, 7, 0), (USER, 7, FRIEND), GROUP_NOTHING, (MASK, 7, 0), OTHER_ALL], 0o770, 0),
        ([(OWNER, 7, 0), (USER, 7, 0), GROUP_NOTHING, (MASK, 7, 0), OTHER_ALL], 0o770, 0),
        ([(OWNER, 7, 0), GROUP_NOTHING, (GROUP, 4, FRIEND), (MASK, 7, 0), OTHER_ALL], 0o770, 4),
        ([(OWNER, 7, 0), GROUP_NOTHING, (GROUP, 4, 0), (MASK, 7, 0), OTHER_ALL], 0o770, 4),
    ],
)
def test_what_others_than_the_owner_are_given(entries, mode, given):
    access = None if entries is None else packed(*entries)
    assert {right for right in RIGHTS if grants(access, None, mode, FRIEND, right)} == parts(given)


@pytest.mark.parametrize(
    ("entries", "given"),
    [
        ([(OWNER, 7, 0), (USER, 7, APP), GROUP_NOTHING, (MASK, 3, 0), (OTHER, 0, 0)], 3),
        ([(OWNER, 7, 0), (USER, 5, APP), GROUP_NOTHING, (MASK, 7, 0), (OTHER, 0, 0)], 5),
        ([(OWNER, 7, 0), (USER, 7, FRIEND), GROUP_NOTHING, (MASK, 7, 0), (OTHER, 0, 0)], 0),
        ([(OWNER, 7, 0), (GROUP_OBJ, 6, 0), (MASK, 7, 0), (OTHER, 1, 0)], 7),
        ([(OWNER, 7, 0), (GROUP_OBJ, 6, 0), (MASK, 4, 0), (OTHER, 1, 0)], 5),
        ([(OWNER, 7, 0), (GROUP_OBJ, 7, 0), (OTHER, 0, 0)], 7),
        ([(OWNER, 7, 0), GROUP_NOTHING, (OTHER, 2, 0)], 2),
    ],
)
def test_what_others_are_given_in_new_directories(entries, given):
    default = packed(*entries)
    closed = packed((OWNER, 7, 0), GROUP_NOTHING, (OTHER, 0, 0))
    for access in (None, closed):
        assert {right for right in RIGHTS if grants(access, default, 0o700, FRIEND, right)} == parts(given)
        # What they are given there, they need not be given here, and the other way round.
        assert grants(access, closed, 0o707, FRIEND, 2)
    assert not grants(closed, closed, 0o700, FRIEND, 7)


@pytest.mark.parametrize("missing", range(1, 9))
def test_an_entry_that_is_cut_off_is_none(missing):
    acl = packed((OWNER, 0, 0), (GROUP_OBJ, 6, 0), OTHER_ALL)[:-missing]
    assert {right for right in RIGHTS if allows(acl, TEAM, APP, frozenset(), right)} == NONE
    assert {right for right in RIGHTS if spares_nobody(acl, right)} == whole(6)
    assert {right for right in RIGHTS if grants(None, acl, 0, FRIEND, right)} == parts(6)
