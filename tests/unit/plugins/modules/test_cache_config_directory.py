# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cache_config: The cache directory that is provided."""

from __future__ import annotations

import pytest

from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    mode_of,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import (
    warnings_of,
)


@pytest.mark.parametrize(
    ("mode", "option", "wanted"),
    [
        (0o755, None, 0o755),
        (0o755, "0700", 0o700),
        (0o755, "g-rx,o-rx", 0o700),
        (0o777, "0750", 0o750),
        (0o777, 0o700, 0o700),
        (None, "0750", 0o750),
        (None, "u=rwx,g=rx,o=", 0o750),
        (None, None, 0o700),
        (None, "2750", 0o2750),
    ],
)
def test_the_mode_of_the_directory(world, mode, option, wanted):
    if mode is not None:
        world.cache.mkdir()
        world.cache.chmod(mode)
    result = world.both(directory_mode=... if option is None else option)
    assert mode_of(world.cache) == wanted
    assert result["directory"]["mode"] == "%04o" % wanted


def test_a_directory_is_not_created_if_that_is_not_wanted(world):
    result = world.both(create_directory=False)
    assert result["directory"]["exists"] is False
    assert not world.cache.exists()


def test_a_directory_alone_is_a_change(world):
    world.run()
    world.cache.rmdir()
    result = world.both()
    assert result["changed"] is True
    assert world.cache.is_dir()
    assert [part["after_header"] for part in result["diff"]] == ["%s (cache directory)" % world.cache]


def test_a_default_directory_is_created_for_a_file_that_names_none(world):
    world.write("[cache]\n")
    result = world.both(directory=...)
    assert result["changed"] is True
    assert mode_of(world.home / ".cache" / "wasmtime") == 0o700
    assert world.config.read_text() == "[cache]\n"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda world: world.cache.chmod(0o777), "directory-writable-by-others"),
        (lambda world: (world.cache / "data").write_bytes(b""), "directory-foreign-files"),
        (lambda world: (world.cache / "link").symlink_to("/"), "directory-symbolic-link"),
        (lambda world: world.tree.chmod(0o777), "directory-replaceable"),
    ],
    ids=["writable", "foreign", "link", "replaceable"],
)
def test_a_dangerous_directory_is_refused_if_new_told_if_old_and_taken_if_allowed(world, spoil, code):
    world.cache.mkdir(0o700)
    spoil(world)
    message = world.refused()
    assert "the change would be dangerous (ignore_dangers: [%s] allows it)" % code in message
    result = world.both(ignore_dangers=[code])
    assert [problem["code"] for problem in result["problems"]] == [code]
    assert result["directory"]["dangers"] == [code]
    assert result["problems"][0]["message"] in warnings_of(result)[0]
    # By now it was there before.
    again = world.both(cleanup_interval="2h")
    assert again["changed"] is True
    assert result["problems"][0]["message"] in warnings_of(again)[0]


def test_another_dangerous_directory_is_not_what_was_there_before(world):
    for name in ("one", "two"):
        (world.tree / name).mkdir()
        (world.tree / name).chmod(0o777)
    world.write("[cache]\ndirectory = '%s'\n" % (world.tree / "one"))
    assert "directory-writable-by-others" in world.refused(directory=str(world.tree / "two"))


def test_a_system_directory_is_refused(world):
    assert "directory-not-dedicated" in world.refused(directory="/var/../usr")
