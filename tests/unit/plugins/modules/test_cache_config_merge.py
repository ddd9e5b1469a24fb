# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cache_config: Settings that are merged into a config."""

from __future__ import annotations

import importlib
import os
import sys

import pytest

from ansible_collections.wasmops.wasmtime.plugins import module_utils as _module_utils
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    STRANGER,
    as_root,
    mode_of,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import MESSY


@pytest.mark.parametrize(
    ("before", "options", "after"),
    [
        (MESSY, {"cleanup_interval": "2h"}, MESSY.replace("'60m'", '"2h"')),
        (MESSY, {"file_count_soft_limit": 6}, MESSY.replace('"5"', '"6"')),
        (MESSY, {"unset": ["cleanup_interval"]}, MESSY.replace("\tcleanup-interval='60m' # an hour\r\n", "")),
        (MESSY, {"unset": ["file-count-soft-limit"]}, MESSY.replace('"file-count-soft-limit" =  "5"', "")),
        (
            MESSY,
            {"exclusive": True, "cleanup_interval": "1h"},
            MESSY.replace('"file-count-soft-limit" =  "5"', ""),
        ),
        (
            MESSY,
            {"baseline_compression_level": 2},
            MESSY + "\r\nbaseline-compression-level = 2",
        ),
        ("cache = {}\n", {"cleanup_interval": "2h"}, 'cache = { cleanup-interval = "2h" }\n'),
        (
            "cache.cleanup-interval = '1h'\n# end",
            {"cleanup_interval": "2h"},
            'cache.cleanup-interval = "2h"\n# end',
        ),
        ("cache.cleanup-interval = '1h'", {"unset": ["cleanup_interval"]}, "[cache]\n"),
        ("[cache]\nenabled = true\n# x\n", {}, "[cache]\n# x\n"),
        ("[cache]\nenabled = true", {"unset": ["directory"]}, "[cache]\n"),
    ],
)
def test_only_what_is_asked_for_changes(world, before, options, after):
    world.write(before)
    options = dict({"directory": ...}, **options)
    result = world.both(create_directory=False, ignore_dangers=["directory-replaceable"], **options)
    assert result["changed"] is True
    assert result["created"] is False
    assert world.config.read_bytes().decode("utf-8") == after
    assert result["diff"][0]["before"] == before
    assert result["diff"][0]["after"] == after


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cleanup_interval": "1h"},
        {"cleanup_interval": "3600s"},
        {"cleanup_interval": " 60 m"},
        {"file_count_soft_limit": 5},
        {"file_count_soft_limit": "05"},
        {"unset": ["directory", "baseline-compression-level"]},
        {"exclusive": True, "cleanup_interval": "1h", "file_count_soft_limit": 5},
        {"mode": "0600"},
        {"mode": "u=rw,go="},
        {"wasmtime_version": "42.0.2"},
        {"wasmtime_version": "50"},
        {"create": False},
        {"backup": True},
        {"force": True},
    ],
    ids=str,
)
def test_what_is_so_already_is_left_as_it_is_spelled(world, options):
    world.write(MESSY, mode=0o600)
    result = world.both(directory=..., create_directory=False, **options)
    assert result["changed"] is False
    assert result["changed_settings"] == {}
    assert "backup_file" not in result
    assert world.config.read_bytes() == MESSY.encode("utf-8")


def test_a_run_that_changes_nothing_loads_nothing_that_changes(world, monkeypatch):
    world.run(cleanup_interval="2h")
    prefix = _module_utils.__name__ + "."
    late = {"_config.edit", "_config.problems", "_files.write", "_module.change", "_module.edited", "_module.reasons"}
    for name in late:
        importlib.import_module(prefix + name)
        monkeypatch.delitem(sys.modules, prefix + name)
    result = world.run(cleanup_interval="2h")
    assert (result["changed"], result["problems"]) == (False, [])
    assert {name for name in late if prefix + name in sys.modules} == set()


def test_the_changes_are_returned_with_both_values(world):
    world.write("[cache]\nenabled = true\ncleanup-interval = '1h'\nbaseline-compression-level = 1\n")
    result = world.both(cleanup_interval="2h", unset=["baseline_compression_level"])
    assert result["changed_settings"] == {
        "enabled": {"before": True, "after": None},
        "directory": {"before": None, "after": str(world.cache)},
        "baseline_compression_level": {"before": 1, "after": None},
        "cleanup_interval": {"before": "1h", "after": "2h"},
    }
    assert result["removed"] == ["enabled", "baseline_compression_level"]


def test_the_file_behind_a_link_is_written_and_the_link_stays(world):
    world.write("[cache]\n", mode=0o640)
    target = world.tree / "real" / "target.toml"
    target.parent.mkdir()
    world.config.rename(target)
    world.config.symlink_to("../real/target.toml")
    result = world.both(cleanup_interval="2h")
    assert result["changed"] is True
    assert os.readlink(str(world.config)) == "../real/target.toml"
    assert 'cleanup-interval = "2h"' in target.read_text()
    assert mode_of(target) == 0o640
    assert sorted(path.name for path in target.parent.iterdir()) == ["target.toml"]


def test_a_config_below_a_linked_directory_is_found(world):
    (world.tree / "link").symlink_to(world.config.parent)
    world.config = world.tree / "link" / "config.toml"
    world.both()
    assert (world.tree / "etc" / "config.toml").is_file()
    assert (world.tree / "link").is_symlink()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755])
def test_the_mode_of_the_file_is_kept(world, mode):
    world.write("[cache]\n", mode=mode)
    world.both(cleanup_interval="2h")
    assert mode_of(world.config) == mode


@as_root
def test_the_owner_of_the_file_is_kept(world):
    world.write("[cache]\n")
    os.chown(str(world.config), STRANGER, STRANGER)
    world.both(cleanup_interval="2h")
    assert (world.config.stat().st_uid, world.config.stat().st_gid) == (STRANGER, STRANGER)


def test_other_names_of_the_file_keep_the_old_text(world):
    world.write("[cache]\n")
    os.link(str(world.config), str(world.tree / "other"))
    world.run(cleanup_interval="2h")
    assert (world.tree / "other").read_text() == "[cache]\n"


def test_unsafe_writes_are_passed_on(world):
    world.write("[cache]\n")
    world.both(cleanup_interval="2h", unsafe_writes=True)
    assert 'cleanup-interval = "2h"' in world.config.read_text()
