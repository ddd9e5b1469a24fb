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
PROBLEM = {
    "code": "small-queue", "severity": "warning", "message": "100% few", "remedy": "more", "line": 2, "column": 27,
}  # fmt: skip


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


def test_the_worst_come_first_and_all_that_changes_counts_as_changed() -> None:
    change = {"cleanup_interval": {"before": "2h", "after": "60m"}}
    results: dict[str, Any] = {
        "same": provided(),
        "new": provided(changed=True, created=True, changed_settings=change),
        "other": provided(changed=True, changed_settings=change),
        "gone": {"changed": True, "path": "/c", "problems": []},
        "never": {"changed": False, "path": None, "problems": []},
        "bare": {"changed": False, "missing_libraries": ["tomli", "zstandard"], "msg": "no"},
        "idle": {},
        "lost": {"unreachable": True, "failed": True, "msg": "no route"},
        "bad": {"failed": True, "msg": "no right"},
        "a\x1b": {"failed": True, "msg": "no right"},
    }
    limit = "files-total-size-soft-limit = 2Gi"
    lines = [
        "failed, 2 hosts: bad, a\\x1b",
        "unreachable, 1 host: lost",
        "not run, 1 host: idle",
        "would be created, 1 host: new",
        "  /home/ci/c.toml: " + limit,
        "would be changed, 1 host: other",
        "  /home/ci/c.toml: cleanup-interval = 1h (was 2h), " + limit,
        "would be removed, 1 host: gone",
        "  /c",
        "without the libraries, 1 host: bare",
        "  libraries that would be installed: tomli, zstandard",
        "unchanged, 1 host: never",
        "  content",
        "unchanged, 1 host: same",
        "  /home/ci/c.toml: " + limit,
        "10 hosts: 2 unchanged, 4 would be changed, 2 failed, 1 unreachable, 1 not run",
    ]
    assert summary(results, check_mode=True) == lines
    lines = [line.replace("would be changed", "changed").replace("would be ", "") for line in lines]
    lines[0] = "failed, 3 hosts: bare, bad, a\\x1b"
    lines[-1] = "10 hosts: 2 unchanged, 3 changed, 3 failed, 1 unreachable, 1 not run"
    assert summary(results) == [*lines[:9], *lines[11:]]


@pytest.mark.parametrize(("number", "others"), [(9, ""), (10, ""), (11, " and 1 more")])
def test_ten_hosts_are_named(number: int, others: str) -> None:
    hosts = ["h%d" % host for host in range(number)]
    assert summary({host: {} for host in hosts})[0] == "not run, %d hosts: %s%s" % (
        number,
        ", ".join(hosts[:10]),
        others,
    )


def test_problems_come_by_severity_and_settings_in_the_order_of_the_table() -> None:
    settings = (
        "directory = /100% (new), worker-event-queue-size = 7, baseline-compression-level = 7,"
        " optimized-compression-level = 7, optimized-compression-usage-counter-threshold = 7,"
        " optimizing-compression-task-timeout = 7s, allowed-clock-drift-for-files-from-future = 7s,"
        ' file-count-soft-limit = 7 (was ["100%", {"a": null}]), files-total-size-soft-limit = 7,'
        " file-count-limit-percent-if-deleting = 7%, files-total-size-limit-percent-if-deleting = 7%,"
        " enabled = false (was 100%)"
    )
    names = [name for name in reversed(list(DEFAULTS)) if name.replace("_", "-") + " = " in settings]
    problems = [{**PROBLEM, "severity": severity, "line": None} for severity in ("warning", "danger", "error")]
    found = provided(
        changed=True,
        problems=problems,
        settings=dict.fromkeys([*names, "cleanup_interval"], "x"),
        effective={**dict.fromkeys(names, 7), "directory": "/100%", "cleanup_interval": None},
        changed_settings={
            "enabled": {"before": "100%", "after": False},
            "directory": {"before": None, "after": "/100%"},
            "file_count_soft_limit": {"before": ["100%", {"a": None}], "after": "7"},
        },
        missing_libraries=["tomli"],
    )
    assert summary({"h": found}) == [
        "changed, 1 host: h",
        "  /home/ci/c.toml: " + settings,
        "  error: 100% few; more [small-queue]",
        "  danger: 100% few; more [small-queue]",
        "  warning: 100% few; more [small-queue]",
        "  libraries that would be installed: tomli",
        "1 host: 1 changed",
    ]


def test_a_default_directory_of_a_user_is_said_only_if_it_changes() -> None:
    found = provided(settings={}, effective=dict(DEFAULTS, directory="/home/100%/.cache"))
    assert summary({"h": found})[1] == "  /home/ci/c.toml: Wasmtime's defaults"
    change = {"directory": {"before": "/srv", "after": None}}
    assert summary({"h": {**found, "changed": True, "changed_settings": change}})[1:] == [
        "  /home/ci/c.toml: directory = /home/100%/.cache (default, was /srv)",
        "1 host: 1 changed",
    ]
    # A file that is created has no settings that change.
    assert summary({"h": {**found, "changed": True, "created": True, "changed_settings": change}})[1:] == [
        "  /home/ci/c.toml: Wasmtime's defaults",
        "1 host: 1 changed",
    ]


def test_a_created_file_with_enabled_differs_from_one_without() -> None:
    created = provided(changed=True, created=True)
    results = {
        "new": created,
        "old": {**created, "changed_settings": {"enabled": {"before": None, "after": True}}},
        "odd": {**created, "changed_settings": {"enabled": {"before": None, "after": "5%"}}},
    }
    limit = "  /home/ci/c.toml: files-total-size-soft-limit = 2Gi"
    assert summary(results) == [
        "created, 1 host: new",
        limit,
        "created, 1 host: odd",
        limit + ", enabled = 5%",
        "created, 1 host: old",
        limit + ", enabled = true",
        "3 hosts: 3 changed",
    ]


@pytest.mark.parametrize("libraries", [["curl"], "tomli", None])
def test_only_libraries_of_the_table_are_named(libraries: Any) -> None:
    first, second = summary({"h": {"changed": False, "missing_libraries": libraries}}, check_mode=True)[:2]
    assert (first, second[:20]) == ("failed, 1 host: h", "  malformed result: ")


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
