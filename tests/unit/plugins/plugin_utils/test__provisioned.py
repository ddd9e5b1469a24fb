# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of what cache_config did on many hosts."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.wasmops.wasmtime.plugins.filter.cache_report import cache_report
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS

DEFAULTS = {setting.option: setting.default for setting in SETTINGS.values()}


def provided(user: str = "ci", changed: bool = False, **more: Any) -> dict[str, Any]:
    """What cache_config returned."""
    return {
        "changed": changed,
        "path": "/home/%s/c.toml" % user,
        "created": False,
        "changed_settings": {},
        "removed": [],
        "settings": {"files_total_size_soft_limit": "2Gi", "cleanup_interval": "60m"},
        "effective": {**DEFAULTS, "directory": "/home/%s/cache" % user, "files_total_size_soft_limit": 2**31},
        "problems": [],
        **more,
    }


def summary(results: dict[str, Any], check_mode: bool = False) -> list[str]:
    return cache_report(results, by_host=True, provisioned=True, check_mode=check_mode)


def test_equal_hosts_share_their_lines_whoever_the_user_is() -> None:
    results: dict[str, Any] = {"app%02d" % number: provided("u%d" % number) for number in range(47)}
    results["new"] = provided(changed=True, created=True)
    change = {"files_total_size_soft_limit": {"before": "1Gi", "after": "2Gi"}}
    results["old"] = provided(changed=True, changed_settings=change)
    results["bad"] = {"failed": True, "changed": False, "msg": "shown before", "problems": []}
    others = "app00, app01, app02, app03, app04, app05, app06, app07, app08, app09 and 37 more"
    limit = "files-total-size-soft-limit = 2Gi"
    assert summary(results) == [
        "failed, 1 host: bad",
        "created, 1 host: new",
        "  /home/ci/c.toml: " + limit,
        "changed, 1 host: old",
        "  /home/ci/c.toml: %s (was 1Gi)" % limit,
        "unchanged, 47 hosts: " + others,
        "  47 files, such as /home/u0/c.toml: " + limit,
        "50 hosts: 47 unchanged, 2 changed, 1 failed",
    ]
    assert [line for line in summary(results, check_mode=True) if "would" in line] == [
        "would be created, 1 host: new",
        "would be changed, 1 host: old",
        "50 hosts: 47 unchanged, 2 would be changed, 1 failed",
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cleanup_interval": {"before": None, "after": "60m"}}, "cleanup-interval = 1h (new)"),
        ({"cleanup_interval": {"before": "2h", "after": None}}, "cleanup-interval = 1h (default, was 2h)"),
        ({"baseline_compression_level": {"before": 4, "after": 3}}, "baseline-compression-level = 3 (was 4)"),
        ({"enabled": {"before": True, "after": None}}, "enabled removed (default, was true)"),
        ({"enabled": {"before": None, "after": True}}, "enabled = true (new)"),
    ],
)
def test_what_changes_is_said_with_what_it_was(changes: dict[str, Any], said: str) -> None:
    found = provided(changed=True, changed_settings=changes, settings={})
    assert said in summary({"host": found})[1]


def test_settings_that_are_the_defaults_are_not_said() -> None:
    found = provided(settings={"cleanup_interval": "60m"}, effective=dict(DEFAULTS, directory="/c"))
    assert summary({"host": found})[1] == "  /home/ci/c.toml: Wasmtime's defaults"


def test_directories_in_the_files_do_not_part_hosts() -> None:
    def found(user: str) -> dict[str, Any]:
        return provided(
            user, settings={"directory": "/home/%s/cache" % user}, effective=dict(DEFAULTS, directory="/%" + user)
        )

    assert summary({"a": found("ann"), "b": found("ben")})[1] == (
        "  2 files, such as /home/ann/c.toml: directory = 2 paths, such as /%ann"
    )


PROBLEM = {
    "code": "small-queue", "severity": "warning", "message": "100% few", "remedy": "more", "line": 2, "column": 27,
}  # fmt: skip


@pytest.mark.parametrize(
    ("result", "lines"),
    [
        (provided(changed=True), ["changed, 1 host: h", "the text of the file stays as it is; its owner or mode, or the cache directory, changes"]),
        (provided(problems=[PROBLEM]), ["unchanged, 1 host: h", "warning: line 2, column 27: 100% few; more [small-queue]"]),
        ({"changed": True, "path": "/c", "problems": []}, ["removed, 1 host: h", "  /c"]),
        ({"unreachable": True, "msg": "gone"}, ["unreachable, 1 host: h", "1 host: 1 unreachable"]),
        ({}, ["not run, 1 host: h", "1 host: 1 not run"]),
        (provided(effective={"cleanup_interval": "x"}), ["failed, 1 host: h", "  malformed result: effective.cleanup_interval"]),
        (5, ["failed, 1 host: h", "  malformed result: it is not a dictionary"]),
        ({"changed": False, "missing_libraries": ["tomli"], "msg": "no"}, ["failed, 1 host: h", "1 host: 1 failed"]),
    ],
    ids=str,
)  # fmt: skip
def test_hosts_of_other_kinds(result: Any, lines: list[str]) -> None:
    found = "\n".join(summary({"h": result, "other": {}}) if result == 5 else summary({"h": result}))
    for line in lines:
        assert line in found


def test_a_dry_run_names_the_libraries_that_are_to_come() -> None:
    assert summary({"h": {"changed": False, "missing_libraries": ["tomli"], "msg": "no"}}, check_mode=True) == [
        "without the libraries, 1 host: h",
        "  libraries that would be installed: tomli",
        "1 host: 1 would be changed",
    ]
    found = provided(changed=True, created=True, missing_libraries=["tomli-w"])
    assert summary({"h": found}, check_mode=True)[2] == "  libraries that would be installed: tomli-w"
