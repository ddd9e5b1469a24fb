# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cache_config: Dangers and errors that a change would bring."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"worker_event_queue_size": "1P"}, "queue-memory"),
        ({"files_total_size_soft_limit": "300Pi"}, "limit-overflow"),
        ({"allowed_clock_drift_for_files_from_future": "9223372036854775807s"}, "clock-overflow"),
        ({"cleanup_interval": "307445734561825861m", "wasmtime_version": "42"}, "duration-wraps"),
    ],
)
def test_a_dangerous_setting_is_refused_if_new_told_if_old_and_taken_if_allowed(world, options, code):
    version = {key: value for key, value in options.items() if key == "wasmtime_version"}
    assert "(ignore_dangers: [%s] allows it)" % code in world.refused(**options)
    result = world.both(ignore_dangers=[code], **options)
    assert [(problem["code"], problem["severity"]) for problem in result["problems"]] == [(code, "danger")]
    assert result["directory"]["dangers"] == []
    assert result["warnings"]
    again = world.both(baseline_compression_level=1, **version)
    assert again["changed"] is True
    assert again["problems"]


def test_the_danger_of_another_setting_is_new(world):
    long, longer = "307445734561825861m", "307445734561825862m"
    world.run(cleanup_interval=long, wasmtime_version="42", ignore_dangers=["duration-wraps"])
    result = world.both(optimizing_compression_task_timeout=long, wasmtime_version="42")
    assert "the change would be dangerous (ignore_dangers: [duration-wraps] allows it): " in result["msg"]
    assert [problem["setting"] for problem in result["problems"]] == ["optimizing-compression-task-timeout"]
    # Another value with the same danger is no new one.
    result = world.both(cleanup_interval=longer, wasmtime_version="42")
    assert (result["changed"], [problem["code"] for problem in result["problems"]]) == (True, ["duration-wraps"])


def test_a_warning_is_returned_and_no_warning_of_ansible(world):
    result = world.both(worker_event_queue_size=1)
    assert [problem["code"] for problem in result["problems"]] == ["small-queue"]
    assert "warnings" not in result


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"cleanup_interval": "60"},
            'cleanup_interval: "60" has no unit; write "60s" or "1m"',
        ),
        ({"cleanup_interval": 60}, "cleanup_interval: 60 has no unit"),
        ({"cleanup_interval": "1w"}, 'cleanup_interval: "1w" has the unknown unit "w"'),
        ({"file_count_soft_limit": -1}, "file_count_soft_limit: -1 is negative"),
        ({"file_count_soft_limit": "1Ki"}, 'file_count_soft_limit: "1Ki" has the unknown unit "Ki"'),
        ({"file_count_soft_limit": 2**64}, "file_count_soft_limit: 18446744073709551616 is more than 2^64-1"),
        ({"file_count_soft_limit": 1.5}, "file_count_soft_limit: 1.5 is a float, not a string"),
        ({"file_count_soft_limit": ["1"]}, "is an array, not a string"),
        ({"files_total_size_soft_limit": "99999999Pi"}, "is more than 2^64-1"),
        ({"file_count_limit_percent_if_deleting": "70 percent"}, 'has the unknown unit "percent"'),
        ({"file_count_limit_percent_if_deleting": 300}, "is more than 255"),
        (
            {"file_count_limit_percent_if_deleting": 101},
            'file-count-limit-percent-if-deleting = "101%" is more than 100%',
        ),
        (
            {"baseline_compression_level": 22, "optimized_compression_level": 22},
            "baseline-compression-level = 22 is outside 0..21",
        ),
        (
            {"baseline_compression_level": 21},
            "baseline-compression-level (21) is higher than optimized-compression-level (20)",
        ),
        ({"baseline_compression_level": "many"}, "baseline_compression_level"),
        ({"baseline_compression_level": 2**31}, "baseline_compression_level: 2147483648 is out of range"),
        ({"cleanup_interval": "307445734561825861m"}, "is more than 2^64-1 seconds"),
        ({"directory": "relative/dir"}, 'directory = "relative/dir" is not absolute'),
        ({"directory": ""}, 'directory = "" is not absolute'),
        ({"directory": "/x\0y"}, 'directory = "/x\\x00y" has a NUL character'),
        ({"directory": "/" + "x" * 300}, "is too long"),
        ({"unset": ["nonsense"]}, 'unset: "nonsense" is not a setting; name one of directory, worker_event_queue_size'),
        ({"unset": ["enabled"]}, 'unset: "enabled" is not a setting'),
        (
            {"unset": ["cleanup-interval"], "cleanup_interval": "1h"},
            "cleanup_interval is set and also named in unset",
        ),
        ({"enabled": True}, "enabled: Wasmtime 33 and later refuse this setting"),
        (
            {"wasmtime_version": "abc"},
            'wasmtime_version: "abc" is not a Wasmtime version; write a version like "42.0.2"',
        ),
        ({"wasmtime_version": ""}, 'wasmtime_version: "" is not a Wasmtime version'),
        ({"ignore_dangers": ["nonsense"]}, "ignore_dangers"),
        ({"path": "relative.toml"}, 'path is "relative.toml", which is not absolute; set path to an absolute path'),
        ({"path": ""}, 'path is "", which is not absolute'),
        ({"path": "/x\0y"}, "path has a NUL character"),
        ({"nonsense": 1}, "nonsense"),
        ({"state": "nonsense"}, "state"),
        ({"create": "nonsense"}, "create"),
    ],
    ids=lambda part: ascii(part)[:50] if isinstance(part, dict) else "",
)
@pytest.mark.parametrize("exists", [True, False])
def test_options_that_cannot_be_are_refused_in_one_sentence(world, options, message, exists):
    if exists:
        world.write("[cache]\n# mine\n")
    told = world.refused(**options)
    assert message in told
    assert "\n" not in told or "\n- " in told
