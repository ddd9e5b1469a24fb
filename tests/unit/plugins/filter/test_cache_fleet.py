# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of the report."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.wasmops.wasmtime.plugins.filter.cache_fleet import FilterModule, cache_fleet
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import CURRENT
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._fleet import again

FROM_33 = [dialect.name for dialect in CURRENT]
DEFAULTS = {"directory": "/var/cache/wasmtime", "cleanup_interval": 3600, "file_count_soft_limit": 65536}
GOOD: dict[str, Any] = {
    "changed": False,
    "path": "/c.toml",
    "exists": True,
    "valid": True,
    "safe": True,
    "problems": [],
    "effective": DEFAULTS,
    "accepted_by": FROM_33,
    "directory": {"path": "/var/cache/wasmtime", "exists": True},
    "wasmtime_version": None,
}
PROBLEM = {
    "code": "small-queue",
    "severity": "warning",
    "message": "few",
    "remedy": "more",
    "line": None,
    "column": None,
}
REFUSED = {"code": "overflow", "severity": "error", "message": "much", "remedy": "less", "line": 2, "column": 1}
CLEANUP: dict[str, Any] = {
    "limit_exceeded": False,
    "entries_deleted": 0,
    "bytes_deleted": 0,
    "entries_left": 20,
    "bytes_left": 2000,
    "foreign_deleted": 0,
    "leftovers_deleted": 0,
    "blocked_until": None,
    "deleted": [],
}
VERIFIED: dict[str, Any] = {
    "entries": 20,
    "broken": [],
    "broken_count": 0,
    "compressed": 2000,
    "uncompressed": 8000,
    "ratio": 4.0,
    "complete": True,
}
USAGE: dict[str, Any] = {
    "changed": False,
    "directory": "/var/cache/wasmtime",
    "exists": True,
    "complete": True,
    "stopped_by": None,
    "entries": 20,
    "size": 2000,
    "size_on_disk": 4096,
    "limits": {
        "file_count_soft_limit": {"limit": 65536, "used": 20, "percent": 0.1},
        "files_total_size_soft_limit": {"limit": 4000, "used": 2000, "percent": 50.0},
    },
    "compilers": [],
    "next_cleanup": CLEANUP,
    "oldest": None,
    "newest": None,
    "usages": {"total": 0, "least": 0, "most": 0, "unknown": 0},
    "recorded_levels": {"3": 20},
    "locks": [],
    "foreign": {"count": 0, "size": 0, "names": []},
    "verified": None,
    "levels": None,
    "suggested": [],
    "sample": None,
}
SILENT = {"unreachable": True, "changed": False, "msg": "no route"}
SKIPPED = {"skipped": True, "changed": False}


def host(config, usage):
    """What is made of one host."""
    (found,) = cache_fleet({"one": config}, {"one": usage}, "now")["hosts"]
    return found


def full(percent):
    """The usage of a cache that has this much of one limit, and less of the other."""
    limit = dict(USAGE["limits"]["files_total_size_soft_limit"], percent=percent)
    return dict(USAGE, limits=dict(USAGE["limits"], files_total_size_soft_limit=limit))


def test_a_host_has_its_verdict_and_what_was_found():
    found = host(GOOD, USAGE)
    assert found["name"] == "one"
    assert found["verdict"] == "good"
    assert found["message"] is None
    for name in ("path", "accepted_by", "effective", "directory", "wasmtime_version", "problems"):
        assert found[name] == GOOD[name]
    assert found["usage"]["size_on_disk"] == 4096
    assert found["usage_message"] is None
    assert (found["percent"], found["fullness"], found["notes"]) == (50.0, "50% to 75%", [])


def test_hosts_that_could_not_be_looked_at_have_a_reason_and_no_notes():
    for config, verdict, message in (
        (SILENT, "unreachable", "no route"),
        ({"failed": True, "msg": "no\n  library"}, "not looked at", "no library"),
        ({}, "not looked at", ""),
    ):
        for usage in (SKIPPED, SILENT, {}):
            found = host(config, usage)
            assert (found["verdict"], found["message"]) == (verdict, message)
            assert (found["usage"], found["usage_message"], found["notes"]) == (None, None, [])
            assert (found["problems"], found["effective"], found["fullness"]) == ([], {}, "not known")


@pytest.mark.parametrize(
    "usage", [{"failed": True, "msg": "no right"}, dict(SILENT, msg="no right"), {"msg": "no right"}]
)
def test_a_cache_that_could_not_be_looked_at_is_noted(usage):
    found = host(GOOD, usage)
    assert found["verdict"] == "good"
    assert (found["usage"], found["usage_message"], found["notes"]) == (None, "no right", ["usage-unknown"])


@pytest.mark.parametrize(
    ("percent", "fullness"),
    [
        (0.2, "under 25%"),
        (24.9, "under 25%"),
        (0, "under 25%"),
        (25, "25% to 50%"),
        (49.9, "25% to 50%"),
        (50, "50% to 75%"),
        (74.9, "50% to 75%"),
        (75, "75% to 100%"),
        (100, "75% to 100%"),
        (100.1, "over a limit"),
        (None, "under 25%"),
    ],
)
def test_how_full_a_cache_is_goes_by_the_fuller_limit(percent, fullness):
    assert host(GOOD, full(percent))["fullness"] == fullness


def test_a_limit_that_is_not_known_is_not_full():
    limits = {name: {"limit": None, "used": 3, "percent": None} for name in USAGE["limits"]}
    assert host(GOOD, dict(USAGE, limits=limits))["fullness"] == "not known"


def test_notes_are_what_the_usage_has_of_remarkable():
    names = ["file-%d" % number for number in range(9)]
    locks = [{"name": name, "age": 1, "stale": name > "file-1"} for name in names]
    usage = dict(
        USAGE,
        complete=False,
        locks=locks,
        foreign={"count": 30, "size": 1, "names": names},
        next_cleanup=dict(CLEANUP, entries_deleted=300, limit_exceeded=True, deleted=names),
        verified=dict(VERIFIED, broken=[{"name": name, "reason": "short"} for name in names], broken_count=9),
    )
    found = host(GOOD, usage)
    assert found["notes"] == ["limit-exceeded", "entries-broken", "files-foreign", "locks-stale", "look-incomplete"]
    # Of names there are examples, and their number stays.
    usage = found["usage"]
    assert usage["next_cleanup"] == dict(CLEANUP, entries_deleted=300, limit_exceeded=True, deleted=names[:5])
    assert usage["foreign"] == {"count": 30, "size": 1, "names": names[:5]}
    assert usage["verified"]["broken_count"] == 9
    assert len(usage["verified"]["broken"]) == 5
    assert usage["stale_locks"] == {"count": 7, "names": names[2:7]}


@pytest.mark.parametrize(
    ("changes", "notes"),
    [
        ({}, []),
        ({"next_cleanup": dict(CLEANUP, limit_exceeded=True)}, ["limit-exceeded"]),
        ({"verified": dict(VERIFIED, broken_count=1)}, ["entries-broken"]),
        ({"verified": VERIFIED}, []),
        ({"foreign": {"count": 1, "size": 0, "names": []}}, ["files-foreign"]),
        ({"locks": [{"name": "a", "stale": True}]}, ["locks-stale"]),
        ({"locks": [{"name": "a", "stale": False}, {"name": "b", "stale": None}]}, []),
        ({"complete": False}, ["look-incomplete"]),
        ({"next_cleanup": None}, []),
    ],
    ids=str,
)
def test_each_note_has_its_own_reason(changes, notes):
    assert host(GOOD, dict(USAGE, **changes))["notes"] == notes


def test_of_names_five_are_kept():
    six = ["name-%d" % number for number in range(6)]
    usage = dict(USAGE, links=six, unreadable=six[:5], locks=[{"name": name, "stale": True} for name in six])
    kept = host(GOOD, usage)["usage"]
    assert (kept["links"], kept["unreadable"]) == (six[:5], six[:5])
    assert kept["stale_locks"] == {"count": 6, "names": six[:5]}
    without = {name: value for name, value in USAGE.items() if name != "changed"}
    del without["locks"]
    assert host(GOOD, USAGE)["usage"] == {
        **without, "links": [], "unreadable": [], "stale_locks": {"count": 0, "names": []},
    }  # fmt: skip


@pytest.mark.parametrize("name", ["failed", "unreachable"])
def test_what_a_failure_found_out_does_not_count(name):
    found = host(GOOD, {**USAGE, name: True, "msg": "no right"})
    assert (found["usage"], found["usage_message"]) == (None, "no right")
    data = cache_fleet({"odd": GOOD, "one": GOOD}, {"odd": 5, "one": USAGE}, "now")
    assert [host["usage_message"] for host in data["hosts"]] == ["malformed result: it is not a dictionary", None]
    assert host(GOOD, {"entries": 1})["usage_message"] == "malformed result: directory is missing"


def test_only_a_directory_is_another_default_for_each_user():
    """Other defaults are of the engine, and they differ if its versions do."""
    configs = {
        "old": dict(GOOD, effective=dict(DEFAULTS, cleanup_interval=60), defaults=list(DEFAULTS)),
        "new": dict(GOOD, effective=dict(DEFAULTS, cleanup_interval=70), defaults=list(DEFAULTS)),
    }
    assert cache_fleet(configs, {}, "now")["common"] == {
        option: {"value": DEFAULTS[option], "hosts": 2, "of": 2} for option in ("directory", "file_count_soft_limit")
    }


@pytest.mark.parametrize("other", [60, 7200])
@pytest.mark.parametrize("first", [0, 1])
def test_the_default_of_wasmtime_is_the_most_common_of_equally_common_ones_wherever_it_is(other, first):
    values = [other, 3600, other, 3600, 5][first:] + [other][:first]
    configs = {
        "h%d" % number: dict(GOOD, effective=dict(DEFAULTS, cleanup_interval=value))
        for number, value in enumerate(values)
    }
    data = cache_fleet(configs, {}, "now")
    assert data["common"]["cleanup_interval"] == {"value": 3600, "hosts": 2, "of": 5}
    assert [host["differs"] for host in data["hosts"]] == [[]] * 5


def test_the_data_of_a_file_is_validated_host_by_host():
    data = cache_fleet({"one": GOOD, "two": GOOD}, {"one": USAGE}, "now\x1b")
    assert (data["format"], data["made"]) == (1, "now\\x1b")
    assert again(data) == data
    (good, *_others) = data["hosts"]
    hosts = [None, good, {"name": "bad"}, {"name": 5}, dict(good, fullness="x"), dict(good, notes=["x"])]
    found = again({"hosts": hosts, "made": 5})
    wrong = "malformed result: %s is missing"
    assert found["made"] == again({"hosts": []})["made"] == ""
    assert [(host["name"], host["verdict"], (host["message"] or "")[:40]) for host in found["hosts"]] == [
        ("host 0", "not looked at", "malformed result: it is not a dictionary"),
        ("one", "good", ""),
        ("bad", "not looked at", wrong % "verdict"),
        ("host 3", "not looked at", "malformed result: name is not text"),
        ("one", "not looked at", "malformed result: fullness is not one of"),
        ("one", "not looked at", "malformed result: notes.0 is not one of "),
    ]
    lost = found["hosts"][0]
    assert {name: value for name, value in lost.items() if value not in (None, [], {})} == {
        "name": "host 0",
        "verdict": "not looked at",
        "message": "malformed result: it is not a dictionary",
        "fullness": "not known",
    }


def test_settings_are_held_against_those_of_most_hosts():
    other = dict(GOOD, effective=dict(DEFAULTS, cleanup_interval=60, directory="/a"))
    invalid = dict(GOOD, effective=dict(DEFAULTS, cleanup_interval=None))
    configs = {
        "other": other,
        "one": GOOD,
        "invalid": invalid,
        "two": GOOD,
        "three": GOOD,
        "unread": dict(GOOD, effective={}),
        "lost": SILENT,
    }
    data = cache_fleet(configs, {}, "now")
    assert data["common"] == {
        **{option: {"value": value, "hosts": 5, "of": 5} for option, value in DEFAULTS.items()},
        "cleanup_interval": {"value": 3600, "hosts": 3, "of": 5},
        "directory": {"value": DEFAULTS["directory"], "hosts": 4, "of": 5},
    }
    assert [found["differs"] for found in data["hosts"]] == [
        ["directory", "cleanup_interval"], [], ["cleanup_interval"], [], [], [], [],
    ]  # fmt: skip


def common_directory(*directories):
    """The most common directory, and whether each host's differs; None stands for the default of a user."""
    configs = {}
    for number, directory in enumerate(directories):
        effective = dict(DEFAULTS, directory=directory or "/home/u%d/.cache/wasmtime" % number)
        configs["host%d" % number] = dict(GOOD, effective=effective, defaults=[] if directory else ["directory"])
    data = cache_fleet(configs, {}, "now")
    # The data of a file gives the same.
    assert again(json.loads(json.dumps(data))) == data
    return data["common"].get("directory"), ["directory" in host["differs"] for host in data["hosts"]]


@pytest.mark.parametrize(
    ("directories", "common", "differing"),
    [
        (["/a"], None, [False]),
        (["/a", "/b", "/c"], None, [False, False, False]),
        # Two of five are the most common, and not most hosts.
        (["/a", "/a", "/b", "/c", "/d"], {"value": "/a", "hosts": 2, "of": 5}, [False] * 5),
        (["/a", "/a", "/b"], {"value": "/a", "hosts": 2, "of": 3}, [False, False, True]),
        ([None], None, [False]),
        ([None, None, None], {"value": None, "hosts": 3, "of": 3}, [False, False, False]),
        ([None, "/a", None], {"value": None, "hosts": 2, "of": 3}, [False, True, False]),
        (["/a", None, "/a"], {"value": "/a", "hosts": 2, "of": 3}, [False, True, False]),
    ],
)
def test_a_directory_is_common_if_two_hosts_share_it_or_the_default(directories, common, differing):
    assert common_directory(*directories) == (common, differing)


def test_the_default_directory_of_one_user_on_all_hosts_is_named():
    of_ci = dict(GOOD, effective=dict(DEFAULTS, directory="/home/ci/.cache/wasmtime"), defaults=["directory"])
    named = dict(of_ci, defaults=[])
    data = cache_fleet({"one": of_ci, "two": of_ci, "named": named}, {}, "now")
    assert data["common"]["directory"] == {"value": "/home/ci/.cache/wasmtime", "hosts": 2, "of": 3}
    assert [host["differs"] for host in data["hosts"]] == [[], [], []]


def test_of_equally_common_settings_the_default_of_wasmtime_is_the_most_common():
    other = dict(GOOD, effective=dict(DEFAULTS, cleanup_interval=60))
    data = cache_fleet({"other": other, "another": other, "one": GOOD, "two": GOOD}, {}, "now")
    assert data["common"]["cleanup_interval"] == {"value": 3600, "hosts": 2, "of": 4}
    assert [host["differs"] for host in data["hosts"]] == [[], [], [], []]


def test_problems_of_a_host_come_by_severity():
    danger = dict(PROBLEM, severity="danger", code="queue-memory")
    data = cache_fleet({"one": dict(GOOD, problems=[PROBLEM, danger, REFUSED])}, {}, "now")
    assert [problem["severity"] for problem in data["hosts"][0]["problems"]] == ["error", "danger", "warning"]
    assert [name for name in data["totals"]["verdicts"] if name in ("with warnings", "dangerous", "refused by Wasmtime")] == [
        "with warnings", "dangerous", "refused by Wasmtime",
    ]  # fmt: skip


def test_totals_count_every_host():
    bad = dict(GOOD, valid=False, accepted_by=["<=32"], problems=[REFUSED])
    configs = {"bad": bad, "one": GOOD, "two": GOOD, "lost": SILENT}
    usages = {"bad": {"failed": True, "msg": ""}, "one": USAGE, "two": full(120), "lost": SKIPPED}
    data = cache_fleet(configs, usages, "now")
    totals = data["totals"]
    assert data["format"] == 1
    assert data["made"] == "now"
    assert data["versions"] == ["<=32", *FROM_33]
    assert totals["hosts"] == 4
    assert {name: number for name, number in totals["verdicts"].items() if number} == {
        "good": 2, "refused by Wasmtime": 1, "unreachable": 1,
    }  # fmt: skip
    assert totals["accepted_by"] == {"<=32": 1, **dict.fromkeys(FROM_33, 2)}
    assert {name: number for name, number in totals["fullness"].items() if number} == {
        "50% to 75%": 1, "over a limit": 1, "not known": 2,
    }  # fmt: skip
    assert {name: number for name, number in totals["notes"].items() if number} == {"usage-unknown": 1}
    assert (totals["entries"], totals["size"], totals["size_on_disk"]) == (40, 4000, 8192)


def test_problems_are_listed_by_severity_and_number_of_hosts_in_their_most_common_words():
    danger = dict(PROBLEM, severity="danger", code="queue-memory")
    elsewhere = dict(PROBLEM, message="fewer")
    configs = {
        "one": dict(GOOD, problems=[PROBLEM, elsewhere, danger]),
        "two": dict(GOOD, problems=[PROBLEM]),
        "three": dict(GOOD, problems=[REFUSED]),
        "four": dict(GOOD, problems=[dict(REFUSED, code="missing")]),
        "five": dict(GOOD, problems=[dict(REFUSED, code="missing", line=7)]),
    }
    listed = [tuple(kind.values()) for kind in cache_fleet(configs, {}, "now")["problems"]]
    assert listed == [
        ("missing", "error", 2, "much", "less", True),
        ("overflow", "error", 1, "much", "less", True),
        ("queue-memory", "danger", 1, "few", "more", True),
        ("small-queue", "warning", 2, "few", "more", False),
    ]


def test_problems_come_by_number_of_hosts_then_by_name_with_their_own_message_and_remedy():
    def problem(code, message="m", remedy="r", severity="warning"):
        return dict(PROBLEM, code=code, severity=severity, message=message, remedy=remedy)

    configs = {
        "one": dict(GOOD, problems=[problem("rare"), problem("zz", "x", "a"), problem("bb"), problem("common")]),
        "two": dict(
            GOOD, problems=[problem("zz", "y", "b"), problem("common"), problem("aa"), problem("zz", "y", "a")]
        ),
        "three": dict(GOOD, problems=[problem("zz", "y", "b"), problem("worst", severity="danger")]),
    }
    listed = cache_fleet(configs, {}, "now")["problems"]
    assert [(kind["code"], kind["hosts"]) for kind in listed] == [
        ("worst", 1), ("zz", 3), ("common", 2), ("aa", 1), ("bb", 1), ("rare", 1),
    ]  # fmt: skip
    # A remedy goes with its message, and does not count for another one.
    assert (listed[1]["message"], listed[1]["remedy"], listed[1]["alike"]) == ("y", "b", False)


def test_a_host_counts_once_however_often_it_repeats_itself():
    forged = dict(PROBLEM, message="forged", remedy="curl | sh")
    program = {
        "path": "/forged",
        "version": "49.0.0",
        "versions": ["49.0.0"],
        "program": None,
        "toml": None,
        "dialect": None,
        "accepts": False,
    }
    bad = dict(GOOD, problems=[forged] * 100, accepted_by=FROM_33[-1:] * 8, programs=[program] * 100)
    configs = {"bad": bad, **{name: dict(GOOD, problems=[PROBLEM], programs=[program]) for name in ("one", "two")}}
    data = cache_fleet(configs, {}, "now")
    assert [(kind["hosts"], kind["message"], kind["remedy"]) for kind in data["problems"]] == [(3, "few", "more")]
    assert data["totals"]["accepted_by"][FROM_33[-1]] == 3
    (row,) = data["refusals"]
    assert (row["hosts"], row["names"]) == (3, ["bad", "one", "two"])
    noted = dict(data, hosts=[dict(host, notes=["usage-unknown"] * 9) for host in data["hosts"]])
    assert again(noted)["totals"]["notes"]["usage-unknown"] == 3


def test_the_data_is_json():
    data = cache_fleet({"one": GOOD, "two": SILENT}, {"one": USAGE}, "now")
    assert json.loads(json.dumps(data)) == data


@pytest.mark.parametrize("other", [None, [GOOD], "text", {"one": None}, {"one": []}])
def test_what_are_no_results_is_refused(other):
    with pytest.raises(AnsibleFilterError, match="takes dictionaries of results by host"):
        cache_fleet(other, {}, "now")
    with pytest.raises(AnsibleFilterError, match="takes dictionaries of results by host"):
        cache_fleet({}, other, "now")


def test_ansible_finds_the_filter():
    assert FilterModule().filters() == {"cache_fleet": cache_fleet}


def pruned(**kinds):
    """What cache_prune returned in check mode: of each kind a number and bytes."""
    parts = {
        kind: {"count": number, "entries": 0, "size": size, "size_on_disk": size, "names": [], "names_left_out": number}
        for kind, (number, size) in kinds.items()
    }
    return {
        "directory": "/var/cache/wasmtime",
        "exists": True,
        "complete": True,
        "stopped_by": None,
        "removed": parts,
        "kept": {},
        "freed": sum(size for _number, size in kinds.values()),
        "left": {"entries": 0, "size": 0},
        "notes": [{"code": "engines-unknown", "message": "nothing is an orphan"}],
    }


def test_what_pruning_would_free_is_summed_up_by_kind():
    configs = dict.fromkeys(("one", "two", "three", "failed", "skipped", "odd"), GOOD)
    results = {
        "one": pruned(foreign=(1, 10), orphans=(5, 1000)),
        "two": pruned(orphans=(1, 1), foreign=(0, 0)),
        "three": pruned(orphans=(0, 0)),
        "failed": {**pruned(orphans=(9, 9)), "failed": True, "msg": "no right"},
        "odd": dict(pruned(orphans=(9, 9)), freed="x"),
    }
    data = cache_fleet({**configs, "lost": SILENT}, {}, "now", {**results, "lost": results["one"]})
    found = {host["name"]: host["prunable"] for host in data["hosts"]}
    assert found["one"] == {
        "complete": True,
        "notes": ["nothing is an orphan"],
        "kinds": {"orphans": {"count": 5, "size_on_disk": 1000}, "foreign": {"count": 1, "size_on_disk": 10}},
    }
    assert [found[name] for name in ("failed", "skipped", "odd", "lost")] == [None] * 4
    assert data["totals"]["prunable"] == {
        "hosts": 3,
        "kinds": {
            "orphans": {"hosts": 2, "count": 6, "size_on_disk": 1001},
            "foreign": {"hosts": 1, "count": 1, "size_on_disk": 10},
        },
    }
    assert cache_fleet({"one": GOOD}, {}, "now")["totals"]["prunable"] == {"hosts": 0, "kinds": {}}
