# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cache_config: A config that is created."""

from __future__ import annotations

import os

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.edit import HEADER
from ansible_collections.wasmops.wasmtime.plugins.modules import cache_config
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    ROOT,
    STRANGER,
    as_root,
    mode_of,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import EVERYTHING


def test_a_new_file_has_a_comment_and_what_is_asked_for(world):
    result = world.both(**EVERYTHING)
    assert result["changed"] is True
    assert result["created"] is True
    assert world.config.read_text() == HEADER + (
        'directory = "%s"\n'
        'worker-event-queue-size = "32"\n'
        "baseline-compression-level = 1\n"
        "optimized-compression-level = 19\n"
        'optimized-compression-usage-counter-threshold = "1K"\n'
        'cleanup-interval = "2h"\n'
        'optimizing-compression-task-timeout = "45m"\n'
        'allowed-clock-drift-for-files-from-future = "2d"\n'
        'file-count-soft-limit = "100000"\n'
        'files-total-size-soft-limit = "2Gi"\n'
        'file-count-limit-percent-if-deleting = "80%%"\n'
        'files-total-size-limit-percent-if-deleting = "90%%"\n' % world.cache
    )
    assert mode_of(world.config) == 0o644
    assert mode_of(world.cache) == 0o700
    assert result["effective"] == {
        "directory": str(world.cache),
        "worker_event_queue_size": 32,
        "baseline_compression_level": 1,
        "optimized_compression_level": 19,
        "optimized_compression_usage_counter_threshold": 1000,
        "cleanup_interval": 7200,
        "optimizing_compression_task_timeout": 2700,
        "allowed_clock_drift_for_files_from_future": 172800,
        "file_count_soft_limit": 100000,
        "files_total_size_soft_limit": 2147483648,
        "file_count_limit_percent_if_deleting": 80,
        "files_total_size_limit_percent_if_deleting": 90,
    }
    assert result["settings"] == dict(
        EVERYTHING,
        directory=str(world.cache),
        file_count_soft_limit="100000",
        file_count_limit_percent_if_deleting="80%",
    )
    assert result["changed_settings"]["cleanup_interval"] == {"before": None, "after": "2h"}
    assert result["removed"] == result["problems"] == []
    assert result["wasmtime_version"] is None
    assert result["path"] == str(world.config)
    assert "warnings" not in result


def test_without_options_the_user_s_own_paths_are_used(world):
    result = world.both(path=..., directory=...)
    assert result["path"] == str(world.home / ".config" / "wasmtime" / "config.toml")
    assert (world.home / ".config" / "wasmtime" / "config.toml").read_text() == HEADER
    assert result["directory"]["path"] == str(world.home / ".cache" / "wasmtime")
    assert mode_of(world.home / ".cache" / "wasmtime") == 0o700
    assert mode_of(world.home / ".cache") == mode_of(world.home / ".config") == 0o755


def test_a_tilde_is_the_home_of_the_user_that_the_task_runs_as(world):
    result = world.both(path="~/c/config.toml", directory="$HOME/d")
    assert result["path"] == str(world.home / "c" / "config.toml")
    assert result["settings"] == {"directory": str(world.home / "d")}


def test_the_alias_dest_is_path(world):
    assert world.both(path=..., dest=str(world.config))["path"] == str(world.config)
    assert world.config.exists()


@pytest.mark.parametrize(
    ("above", "wanted"), [(0o755, 0o755), (0o700, 0o700), (0o750, 0o750), (0o711, 0o711), (0o777, 0o755)]
)
@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_missing_parents_get_the_mode_above_and_are_never_open_to_others(world, above, wanted, umask):
    world.tree.chmod(above)
    world.config = world.tree / "new" / "deep" / "config.toml"
    world.cache = world.tree / "other" / "deep" / "cache"
    os.umask(umask)
    world.both(ignore_dangers=["directory-replaceable"])
    expected = wanted if ROOT else wanted & ~umask
    for name in ("new", "other"):
        assert mode_of(world.tree / name) == mode_of(world.tree / name / "deep") == expected
    assert mode_of(world.cache) == 0o700
    # As for every new file, the umask says who reads it, and nobody else writes it.
    assert mode_of(world.config) == 0o644 & ~umask


@as_root
def test_missing_parents_belong_to_the_owner_of_the_directory_above(world):
    home = world.tree / "user"
    home.mkdir()
    os.chown(str(home), STRANGER, STRANGER)
    world.config, world.cache = home / "c" / "config.toml", home / "d" / "cache"
    world.both()
    for path in (home / "c", home / "d", home / "d" / "cache"):
        assert (path.stat().st_uid, path.stat().st_gid) == (STRANGER, STRANGER)


def test_a_new_file_has_a_diff_of_its_text_and_of_the_directory(world):
    result = world.both()
    text, directory = result["diff"]
    assert (text["before"], text["after"]) == ("", world.config.read_text())
    assert text["before_header"] == text["after_header"] == str(world.config)
    assert directory["before_header"] == "%s (cache directory)" % world.cache
    assert directory["before"]["exists"] is False
    assert directory["after"]["mode"] == "0700"


def test_without_diff_mode_there_is_no_diff(world):
    options = {"path": str(world.config), "directory": str(world.cache)}
    assert "diff" not in world.execute(cache_config, True, options, diff=False)
