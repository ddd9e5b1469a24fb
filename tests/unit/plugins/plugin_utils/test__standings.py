# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How hosts are named in summaries."""

from __future__ import annotations

import pytest

from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._standings import named


@pytest.mark.parametrize(
    ("hosts", "text"),
    [(["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c"], "a, b and 1 more"), ([*"abcd"], "a, b and 2 more")],
)
def test_the_first_hosts_are_named_and_the_others_counted(hosts: list[str], text: str) -> None:
    assert named(hosts, 2) == text
