# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cache_config: The versions of Wasmtime that read the config."""

from __future__ import annotations

import pytest


def test_moving_on_from_32_removes_enabled(world):
    world.write("# mine\n[cache]\nenabled = true # old\ncleanup-interval = '2h'\n")
    result = world.both(directory=..., wasmtime_version="42.0.2")
    assert world.config.read_text() == "# mine\n[cache]\ncleanup-interval = '2h'\n"
    assert result["removed"] == ["enabled"]
    assert result["wasmtime_version"] == "42.0.2"


def test_going_back_to_32_adds_enabled(world):
    world.write("[cache]\ncleanup-interval = '2h'\n")
    result = world.both(directory=..., wasmtime_version="32.0.0")
    assert world.config.read_text() == "[cache]\ncleanup-interval = '2h'\nenabled = true\n"
    assert result["changed_settings"] == {"enabled": {"before": None, "after": True}}


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("before", [None, "true", "false"])
def test_enabled_is_set_for_32(world, enabled, before):
    if before is not None:
        world.write("[cache]\nenabled = %s\n" % before)
    world.both(wasmtime_version="32", enabled=enabled)
    assert ("enabled = true" in world.config.read_text()) is enabled
    assert ("enabled = false" in world.config.read_text()) is not enabled


def test_a_switch_that_32_has_off_stays_off(world):
    world.write("[cache]\nenabled = false\n")
    assert world.both(directory=..., wasmtime_version="32", create_directory=False)["changed"] is False


def test_exclusive_keeps_what_32_demands(world):
    world.write("[cache]\nenabled = false\ncleanup-interval = '2h'\n")
    world.both(wasmtime_version="32", exclusive=True)
    assert "enabled = false" in world.config.read_text()
    assert "cleanup-interval" not in world.config.read_text()


def test_a_switch_that_is_off_cannot_move_on(world):
    world.write("[cache]\nenabled = false\n")
    assert "switch the cache off in the program" in world.refused()


@pytest.mark.parametrize("version", ["33", "42.0.2", "50"])
def test_what_the_cache_would_be_without_that_switch_is_reported_with_it(world, version):
    world.cache.mkdir(0o700)
    (world.cache / "notes.txt").touch()
    world.write("[cache]\nenabled = false\ndirectory = '%s'\ncleanup-interval = '1h'\n" % world.cache)
    result = world.both(directory=..., wasmtime_version=version)
    assert [problem["code"] for problem in result["problems"]] == ["enabled-refused", "directory-foreign-files"]
    assert "notes.txt" in result["msg"]
    # Another directory has nothing to do with that one.
    result = world.both(directory=str(world.tree / "other"), wasmtime_version=version)
    assert [problem["code"] for problem in result["problems"]] == ["enabled-refused"]
    # What is refused for another reason than the switch is no cache yet.
    world.write("[cache]\nzzz = 1\ndirectory = '%s'\n" % world.cache)
    result = world.both(directory=..., wasmtime_version=version)
    assert [problem["code"] for problem in result["problems"]] == ["unknown-key"]


@pytest.mark.parametrize(("enabled", "named"), [(True, False), (False, True)])
def test_the_option_names_what_does_switch_the_cache_off(world, enabled, named):
    text = world.refused(enabled=enabled, wasmtime_version="42.0.2")
    assert text.startswith("enabled: Wasmtime 33 and later refuse this setting")
    for switch in ("-C cache=n", "DISABLE_WASMTIME_CACHE=1", "EXTISM_CACHE_CONFIG="):
        assert (switch in text) is named


def test_a_switch_that_is_no_boolean_is_refused_everywhere(world):
    world.write("[cache]\nenabled = 1\n")
    assert "enabled = 1" in world.refused(wasmtime_version="32") or "enabled is an integer" in world.refused(
        wasmtime_version="32"
    )
    assert "enabled is refused" in world.refused()
    world.write("[cache]\nenabled = 'true'\n")
    assert "enabled is a string, not a boolean" in world.refused(wasmtime_version="32", enabled=True)


def test_several_versions_are_suited_at_once(world):
    result = world.both(wasmtime_version=["50", "42.0.2", " 48 "])
    assert result["wasmtime_version"] == "50, 42.0.2, 48"
    long = {"cleanup_interval": "307445734561825861m"}
    assert "is more than 2^64-1 seconds" in world.refused(wasmtime_version="42, 48", **long)


def test_no_file_suits_versions_before_and_after_33(world):
    assert "no file suits both; give each a file of its own" in world.refused(wasmtime_version=["42", "32"])


def test_a_version_may_be_written_like_the_tag_of_a_release(world):
    world.write("[cache]\nenabled = true\n")
    assert world.both(directory=..., wasmtime_version="v42.0.2")["removed"] == ["enabled"]
