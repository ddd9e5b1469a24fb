# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for people."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.wasmops.wasmtime.plugins.filter.cache_fleet import cache_fleet
from ansible_collections.wasmops.wasmtime.plugins.filter.cache_report import FilterModule, cache_report

EFFECTIVE = {
    "directory": "/var/cache/wasmtime",
    "worker_event_queue_size": 16,
    "baseline_compression_level": 3,
    "optimized_compression_level": 20,
    "optimized_compression_usage_counter_threshold": 256,
    "cleanup_interval": None,
    "optimizing_compression_task_timeout": 1800,
    "allowed_clock_drift_for_files_from_future": 86400,
    "file_count_soft_limit": 100000,
    "files_total_size_soft_limit": 536870912,
    "file_count_limit_percent_if_deleting": 70,
    "files_total_size_limit_percent_if_deleting": 70,
}
PROBLEM = {
    "code": "invalid-value",
    "severity": "error",
    "setting": "cleanup-interval",
    "value": "60",
    "line": 3,
    "column": 20,
    "message": 'cleanup-interval = "60" has no unit',
    "remedy": 'write a whole number followed by s, m, h or d, like "1h"',
}
SENTENCE = (
    '/c.toml: error: line 3, column 20: cleanup-interval = "60" has no unit;'
    ' write a whole number followed by s, m, h or d, like "1h" [invalid-value]'
)
RESULT = {
    "path": "/c.toml",
    "effective": EFFECTIVE,
    "settings": {"cleanup_interval": "60", "directory": "/var/cache/wasmtime"},
    "problems": [PROBLEM],
}


def test_a_report_has_every_setting_and_every_problem():
    lines = cache_report(RESULT)
    assert lines[0] == "/c.toml"
    assert [line.split() for line in lines[1:13]] == [
        ["directory", "/var/cache/wasmtime", "file"],
        ["worker-event-queue-size", "16", "16", "default"],
        ["baseline-compression-level", "3", "3", "default"],
        ["optimized-compression-level", "20", "20", "default"],
        ["optimized-compression-usage-counter-threshold", "256", "256", "default"],
        ["cleanup-interval", "invalid", "file"],
        ["optimizing-compression-task-timeout", "30m", "1800", "seconds", "default"],
        ["allowed-clock-drift-for-files-from-future", "1d", "86400", "seconds", "default"],
        ["file-count-soft-limit", "100K", "100000", "default"],
        ["files-total-size-soft-limit", "512Mi", "536870912", "bytes", "default"],
        ["file-count-limit-percent-if-deleting", "70%", "70", "percent", "default"],
        ["files-total-size-limit-percent-if-deleting", "70%", "70", "percent", "default"],
    ]
    assert lines[13:] == [SENTENCE]


@pytest.mark.parametrize("directory", ["/c", "/var/cache/of/a/path/that/is/longer/than/any/value/wasmtime", None])
def test_the_columns_of_a_report_are_aligned(directory):
    lines = cache_report(dict(RESULT, effective=dict(EFFECTIVE, directory=directory)))[1:13]
    values = {line.index(line.split()[1]) for line in lines}
    sources = {line.rindex(line.split()[-1]) for line in lines}
    assert (len(values), len(sources)) == (1, 1)


def test_a_report_without_long_values_has_columns_of_a_fixed_width():
    effective = {"cleanup_interval": None, "file_count_soft_limit": 1, "files_total_size_soft_limit": 536870912}
    found: dict[str, Any] = {
        "path": None,
        "effective": effective,
        "settings": {"file_count_soft_limit": "1"},
        "problems": [],
    }
    assert cache_report(found) == [
        "content",
        "cleanup-interval                               invalid                         default",
        "file-count-soft-limit                          1          1                    file",
        "files-total-size-soft-limit                    512Mi      536870912 bytes      default",
        "no problems",
    ]
    longer = dict(found, effective=dict(effective, directory="/" + "d" * 31))
    assert [line[47:] for line in cache_report(longer)[1:4]] == [
        "/" + "d" * 31 + " default",
        "invalid                          default",
        "1          1                     file",
    ]


@pytest.mark.parametrize("name", ["valid", "safe", "exists"])
def test_a_verdict_is_read_as_one(name):
    assert cache_report(dict(RESULT, **{name: True}))[0].startswith("malformed result: ")


def test_without_settings_there_are_the_path_the_programs_and_the_problems():
    program = {
        "path": "/opt/app",
        "version": None,
        "versions": ["42", "43"],
        "program": None,
        "toml": None,
        "dialect": None,
    }
    programs = [program, dict(program, accepts=False), dict(program, accepts=True)]
    assert cache_report({"path": "/c.toml", "programs": programs, "problems": [PROBLEM]}) == [
        "/c.toml",
        "read by /opt/app (Wasmtime 42 or 43)",
        "read by /opt/app (Wasmtime 42 or 43), which refuses it",
        "read by /opt/app (Wasmtime 42 or 43)",
        SENTENCE,
    ]
    assert cache_report({"path": "/c.toml", "programs": programs, "problems": [PROBLEM]}, only_problems=True) == [
        SENTENCE
    ]


def test_a_report_of_problems_alone():
    assert cache_report(RESULT, only_problems=True) == [SENTENCE]
    assert cache_report(dict(RESULT, problems=[]), only_problems=True) == []


def test_a_report_without_problems_says_so():
    assert cache_report(dict(RESULT, problems=[]))[-1] == "no problems"


def test_a_problem_without_a_place_and_a_text_without_a_file():
    problem = dict(PROBLEM, line=None, column=None)
    lines = cache_report({"problems": [problem], "path": None})
    assert lines == ["content", SENTENCE.replace("/c.toml", "content").replace("line 3, column 20: ", "")]


@pytest.mark.parametrize("other", [None, "text", [], {}, {"changed": True}])
def test_what_is_no_result_is_refused(other):
    with pytest.raises(
        AnsibleFilterError, match="takes what cache_config, cache_config_info or cache_usage_info returned"
    ):
        cache_report(other)


LOOK = {"path": "/c.toml", "valid": True, "safe": True, "exists": True, "problems": []}
WARNING = dict(PROBLEM, severity="warning", code="small-queue", message="few", remedy="more", line=None, column=None)
DANGER = dict(WARNING, severity="danger", code="queue-memory", message="many", remedy="fewer")
BROKEN = dict(LOOK, valid=False, problems=[PROBLEM])


def test_a_summary_of_hosts_has_each_problem_once_and_counts_at_the_end():
    other_line = dict(PROBLEM, line=4)
    hosts = {
        "warned": dict(LOOK, problems=[WARNING]),
        "lost": {"unreachable": True, "changed": False, "msg": "Failed to connect"},
        "first": BROKEN,
        "dangerous": dict(LOOK, safe=False, problems=[WARNING, DANGER]),
        "second": dict(BROKEN, safe=False, problems=[PROBLEM, other_line, DANGER, DANGER]),
        "good": LOOK,
        "bare": {"failed": True, "msg": "no library:\n  tomli"},
        "default": dict(LOOK, exists=False),
        "provisioned": dict(RESULT, changed=True),
        "not yet": {},
    }
    advice = SENTENCE[: -len(" [invalid-value]")].replace("error: ", "")
    assert cache_report(hosts, by_host=True) == [
        "5 of 10 hosts failed",
        "error invalid-value, 2 hosts:",
        "  first, second: " + advice,
        "  second: " + advice.replace("line 3", "line 4"),
        "danger queue-memory, 2 hosts:",
        "  dangerous, second: /c.toml: many; fewer",
        "warning small-queue, 2 hosts:",
        "  warned, dangerous: /c.toml: few; more",
        "not looked at, 3 hosts:",
        "  bare: no library: tomli",
        "  provisioned, not yet",
        "unreachable, 1 host:",
        "  lost: Failed to connect",
        "10 hosts: 1 good, 1 good without a config file, 1 with warnings, 1 dangerous, 2 refused by Wasmtime, 3 not looked at, 1 unreachable",
    ]


def test_a_summary_goes_from_problems_over_programs_to_hosts_that_were_not_checked():
    program = {"version": "30", "versions": ["30"], "program": None, "toml": None, "dialect": "<=32"}
    refusing = dict(program, path="/opt/old", accepts=False)
    accepting = dict(program, path="/opt/app", accepts=True)
    hosts = {
        "lost": {"unreachable": True, "msg": "no route"},
        "bare": {"failed": True, "msg": "no library"},
        "upgrade": dict(LOOK, accepted_by=["<=32"], programs=[accepting, refusing]),
        "other": dict(LOOK, path=None, accepted_by=["<=32"], programs=[accepting]),
        "warned": dict(LOOK, path=None, problems=[WARNING]),
        "dangerous": dict(LOOK, safe=False, problems=[dict(DANGER, code="a"), dict(DANGER, code="b"), DANGER]),
        "broken": BROKEN,
    }
    advice = SENTENCE[: -len(" [invalid-value]")].replace("error: ", "")
    upgrade = "/opt/app (Wasmtime 30) accepts it, Wasmtime 33 and later refuse it"
    assert cache_report(hosts, by_host=True) == [
        "3 of 7 hosts failed",
        "error invalid-value, 1 host:",
        "  broken: " + advice,
        "danger a, 1 host:",
        "  dangerous: /c.toml: many; fewer",
        "danger b, 1 host:",
        "  dangerous: /c.toml: many; fewer",
        "danger queue-memory, 1 host:",
        "  dangerous: /c.toml: many; fewer",
        "warning small-queue, 1 host:",
        "  warned: content: few; more",
        "refused by programs, 1 host:",
        "  upgrade: /c.toml: /opt/old (Wasmtime 30)",
        "refused after an upgrade, 2 hosts:",
        "  upgrade, other: 2 files, such as /c.toml: " + upgrade,
        "not looked at, 1 host:",
        "  bare: no library",
        "unreachable, 1 host:",
        "  lost: no route",
        "7 hosts: 2 good, 1 with warnings, 1 dangerous, 1 refused by Wasmtime, 1 not looked at, 1 unreachable",
    ]


def test_a_host_that_was_not_looked_at_has_not_failed():
    assert cache_report({"idle": {}, "lost": {"unreachable": True}}, by_host=True) == [
        "not looked at, 1 host:",
        "  idle",
        "unreachable, 1 host:",
        "  lost",
        "2 hosts: 1 not looked at, 1 unreachable",
    ]


def test_what_was_provisioned_is_done_unless_it_was_checked():
    hosts = {"new": dict(RESULT, changed=True, created=True, settings={}, problems=[])}
    hosts["new"]["effective"] = {}
    wanted = ["created, 1 host: new", "  /c.toml: Wasmtime's defaults", "1 host: 1 changed"]
    assert cache_report(hosts, by_host=True, provisioned=True) == wanted


def test_what_many_users_share_is_said_once():
    hosts = {name: dict(LOOK, path="/home/%s/c.toml" % name, problems=[WARNING]) for name in ("ann", "ben", "eve")}
    assert cache_report(hosts, by_host=True) == [
        "warning small-queue, 3 hosts:",
        "  ann, ben, eve: 3 files, such as /home/ann/c.toml: few; more",
        "3 hosts: 3 with warnings",
    ]


def test_the_data_of_a_report_has_the_same_last_line():
    hosts = {
        "good": LOOK,
        "broken": BROKEN,
        "lost": {"unreachable": True, "changed": False, "msg": "Failed to connect"},
    }
    assert cache_report(cache_fleet(hosts, {}, "now")) == cache_report(hosts, by_host=True)[-1:]


def test_a_summary_of_one_good_host_is_one_line():
    assert cache_report({"localhost": LOOK}, by_host=True) == ["1 host: 1 good"]


@pytest.mark.parametrize("other", [None, [LOOK], LOOK, {"host": None}])
def test_what_are_no_results_by_host_is_refused(other):
    with pytest.raises(AnsibleFilterError, match="takes a dictionary of results with by_host"):
        cache_report(other, by_host=True)


def test_ansible_finds_the_filter():
    assert FilterModule().filters() == {"cache_report": cache_report}
