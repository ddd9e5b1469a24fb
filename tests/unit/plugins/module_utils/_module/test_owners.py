# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users and groups by name and by number; what options make of them needs Ansible, see C(modules/test_owner_options.py)."""

from __future__ import annotations

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.owners import group_id, user_id


def test_names_and_numbers_of_users_and_groups():
    assert user_id("root") == 0
    assert user_id("12345") == group_id("12345") == 12345
    # The highest number of all means "no change" to the system.
    assert user_id("4294967294") == group_id("4294967294") == 4294967294
    assert user_id("nobody-has-this-name") is group_id("nobody-has-this-name") is None


@pytest.mark.parametrize(
    "name", ["", "-1", "\u00b2", "\u0663", "4294967295", "00000000012", "99999999999", "9" * 5000, "1.5"]
)
def test_what_is_no_number_of_a_user_is_a_user_that_does_not_exist(name):
    assert user_id(name) is group_id(name) is None
