# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible's own class does not do, or does differently in its releases."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.ansible_module import (
    _countable,
    _may_be_examined,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import STRANGER, as_root, give, new
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import World

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("value", "countable"),
    [
        (5, True),
        (1.5, True),
        ("many", True),
        (None, True),
        (float("inf"), False),
        (float("-inf"), False),
        (float("nan"), False),
        ("9" * 99, True),
        ("9" * 100, False),
        ([1, "2"], True),
        ([1, "9" * 100], False),
        ([1, [float("inf")]], False),
        ([], True),
    ],
    ids=lambda value: str(value)[:9],
)
def test_a_number_that_ansible_cannot_convert_is_not_finite_or_has_a_hundred_digits(
    value: Any, countable: bool
) -> None:
    assert _countable(value) is countable


@pytest.mark.parametrize("error", [OverflowError, ValueError])
@pytest.mark.parametrize(
    ("value", "named"),
    [(float("inf"), "baseline_compression_level"), ("9" * 5000, "baseline_compression_level"), (5, "an option")],
)
def test_a_release_that_fails_at_a_number_is_followed_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception], value: Any, named: str
) -> None:
    begin = AnsibleModule.__init__

    def old(module: AnsibleModule, *arguments: Any, **options: Any) -> None:
        begin(module, *arguments, **options)
        module.params["baseline_compression_level"] = value
        raise error

    monkeypatch.setattr(AnsibleModule, "__init__", old)
    result = World(tmp_path).run(baseline_compression_level=5)
    assert result["msg"] == "%s is not a whole number of a usual size; write one like 10" % named


@as_root
def test_root_lets_ansible_examine_only_what_it_follows_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new(tmp_path / "closed")
    (tmp_path / "closed" / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to("closed/file")
    assert _may_be_examined(str(tmp_path / "closed" / "file"))
    assert _may_be_examined(str(tmp_path / "missing" / "file"))
    assert _may_be_examined(str(tmp_path / "link"))
    give(tmp_path / "link", STRANGER)
    barred = [str(tmp_path / "link"), "/proc/self/root" + str(tmp_path / "closed")]
    assert [_may_be_examined(path) for path in barred] == [False, False]
    # What is no path of a file is not resolved.
    for path in (None, 5, "relative", barred[0] + "\0"):
        assert _may_be_examined(path)
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    assert all(map(_may_be_examined, barred))


def test_text_that_is_none_is_refused_and_bytes_that_are_no_text_are_taken(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert world.run(path=str(world.config) + "\ud800")["msg"] == "path has a character that is not text; remove it"
    result = world.run(path=str(world.config) + "\udc80")
    assert (result["changed"], result["path"]) == (True, str(world.config) + r"\udc80")
