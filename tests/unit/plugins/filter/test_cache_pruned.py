# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of what was pruned on many hosts."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.wasmops.wasmtime.plugins.filter.cache_pruned import FilterModule, cache_pruned
from ansible_collections.wasmops.wasmtime.plugins.modules import cache_prune
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._pruned import KEPT, REMOVABLE

MIB = 2**20


def part(count: int, size: int, *names: str) -> dict[str, Any]:
    return {
        "count": count,
        "entries": count,
        "size": size,
        "size_on_disk": size,
        "names": list(names),
        "names_left_out": count - len(names),
    }


NOTHING = part(0, 0)


def result(**changes: Any) -> dict[str, Any]:
    plain = {
        "changed": False,
        "path": "/etc/wasmtime/config.toml",
        "directory": "/var/cache/wasmtime",
        "exists": True,
        "complete": True,
        "stopped_by": None,
        "unreadable": [],
        "removed": {"orphans": NOTHING, "stale_locks": NOTHING},
        "kept": {},
        "freed": 0,
        "left": {"entries": 1, "size": 1},
        "backup_directory": None,
        "notes": [],
        "wasmtime_version": None,
    }
    return {**plain, **changes}


OLD = result(
    changed=True,
    removed={"stale_locks": part(2, 0, "a"), "orphans": part(121, 31 * MIB, "b")},
    freed=31 * MIB,
)


def test_equal_hosts_share_a_line_and_the_last_one_has_the_total() -> None:
    results = {
        "app1": OLD,
        "app2": result(),
        "app3": OLD,
        "app4": {"failed": True, "msg": "no\n  right"},
        "app5": {"unreachable": True, "changed": False, "msg": "no route"},
        "app6": result(exists=False),
        "app7": {},
        "app8": result(removed={"foreign": part(1, MIB, "x")}, freed=MIB),
    }
    first = "orphans: 121 (31.0 MiB), stale_locks: 2 (0 Bytes)"
    others = [
        "app2: nothing to remove",
        "app4: failed: no right",
        "app5: unreachable: no route",
        "app6: /var/cache/wasmtime does not exist",
        "app7: not run: the host was not looked at",
    ]
    ends = "(orphans 62.0 MiB, foreign 1.0 MiB); 2 with nothing to remove; 1 not run; 1 failed; 1 unreachable"
    assert cache_pruned(results) == [
        "app1, app3: removed " + first,
        *others,
        "app8: removed foreign: 1 (1.0 MiB)",
        "8 hosts: 63.0 MiB freed " + ends,
    ]
    assert cache_pruned(results, check_mode=True) == [
        "app1, app3: would remove " + first,
        *others,
        "app8: would remove foreign: 1 (1.0 MiB)",
        "8 hosts: 63.0 MiB would be freed " + ends,
    ]


def test_what_stays_is_said_with_the_reason() -> None:
    results = {
        "app1": result(
            complete=False,
            stopped_by="time_limit",
            kept={"in_use": part(5, MIB, "a", "b", "c", "d"), "changed": NOTHING},
            notes=[{"code": "engines-unknown", "message": "nothing is an orphan: so and so"}],
        ),
        "app2": result(
            failed=True,
            msg="1 file cannot be removed",
            complete=False,
            removed={"orphans": part(1, MIB, "z")},
            kept={"denied": part(1, MIB, "y")},
            freed=MIB,
        ),
    }
    assert cache_pruned(results) == [
        "app1: nothing to remove",
        "  kept (in_use): 5 (1.0 MiB), such as a, b, c",
        "  not everything was examined: time_limit was reached",
        "  nothing is an orphan: so and so",
        "app2: failed: 1 file cannot be removed",
        "  removed orphans: 1 (1.0 MiB)",
        "  kept (denied): 1 (1.0 MiB), such as y",
        "  not everything was examined",
        "2 hosts: 1.0 MiB freed (orphans 1.0 MiB); 1 with nothing to remove; 1 failed",
    ]


def test_nonsense_of_one_host_is_said_of_that_host() -> None:
    hostile = "a\x1b[2J\u202e{{ 1 }}"
    results = {
        "good": OLD,
        "none": None,
        "text": result(freed="1"),
        "less": result(freed=-1),
        "kind": result(removed={hostile: part(1, 1, "x"), "orphans": part(1, 1, hostile)}, freed=1),
        hostile: {"failed": True, "msg": hostile},
    }
    lines = cache_pruned(results)
    assert all(line.isprintable() for line in lines)
    assert lines[0] == "good: removed orphans: 121 (31.0 MiB), stale_locks: 2 (0 Bytes)"
    assert "none: failed: malformed result: it is not a dictionary" in lines
    assert "text: failed: malformed result: freed is not a whole number within 2^80" in lines
    assert "less: failed: malformed result: freed is less than 0" in lines
    assert "kind: removed orphans: 1 (1 Byte)" in lines
    assert lines[-1].startswith("6 hosts: 31.0 MiB freed (orphans 31.0 MiB); 4 failed")


@pytest.mark.parametrize("message", [{}, {"msg": ""}, {"msg": " \n"}])
def test_a_failure_without_a_message_is_one(message: dict[str, str]) -> None:
    assert cache_pruned({"h": {"unreachable": True, **message}}) == [
        "h: unreachable: no reason is known",
        "1 host: 0 Bytes freed; 1 unreachable",
    ]
    assert cache_pruned({"h": {**result(), "failed": True, **message}}) == [
        "h: failed: no reason is known",
        "1 host: 0 Bytes freed; 1 failed",
    ]


@pytest.mark.parametrize(("number", "last"), [(3, []), (4, ["  and 1 more note"]), (1000, ["  and 997 more notes"])])
def test_a_host_has_no_more_than_three_notes_of_some_length(number: int, last: list[str]) -> None:
    notes = [{"code": "x", "message": "%d " % i + "n" * 50_000} for i in range(number)]
    lines = cache_pruned({"h": result(notes=notes, exists=False, directory="/d" * 50_000)})
    assert [line[:5] for line in lines[:4]] == ["h: /d", "  0 n", "  1 n", "  2 n"]
    assert all(len(line) < 1_010 and line.endswith("...") for line in lines[:4])
    assert lines[4:-1] == last


def test_a_line_of_a_note_is_cut_after_a_thousand_characters() -> None:
    notes = [{"code": "x", "message": "n" * length} for length in (1000, 1001)]
    assert cache_pruned({"h": result(notes=notes)}) == [
        "h: nothing to remove",
        "  " + "n" * 1000,
        "  " + "n" * 1000 + "...",
        "1 host: 0 Bytes freed; 1 with nothing to remove",
    ]


def test_a_failure_says_what_was_done_before_and_not_that_there_was_nothing() -> None:
    failure = {"failed": True, "msg": "no right"}
    results = {
        "app1": result(**failure),
        "app2": result(**failure, exists=False),
        "app3": result(**failure, removed={"all": part(3, 5, "a"), "broken": part(1, 2**11, "b")}, freed=2053),
        "app4": {**failure, "removed": {}},
        "app5": {"failed": False, "changed": False},
        "app6": {**result(), "unreachable": True, "msg": "no route"},
    }
    assert cache_pruned(results) == [
        "app1: failed: no right",
        "app2: failed: no right",
        "  /var/cache/wasmtime does not exist",
        "app3: failed: no right",
        "  removed broken: 1 (2.0 KiB), all: 3 (5 Bytes)",
        "app4: failed: malformed result: directory is missing",
        "app5: failed: the host was not looked at",
        "app6: unreachable: no route",
        "6 hosts: 2.0 KiB freed (broken 2.0 KiB, all 5 Bytes); 5 failed; 1 unreachable",
    ]


def test_all_kinds_and_reasons_have_their_order() -> None:
    removed = {kind: part(1, number) for number, kind in enumerate(reversed(REMOVABLE))}
    kept = {why: part(2, 0, "a", "b") for why in reversed(KEPT)}
    kinds = ("untrusted", "orphans", "unused", "broken", "stale_locks", "foreign", "over_limits", "all")
    sizes = [(7 - number, "%d Byte%s" % (7 - number, "" if number == 6 else "s")) for number in range(8)]
    assert cache_pruned({"h": result(removed=removed, kept=kept, freed=28)}) == [
        "h: removed " + ", ".join("%s: 1 (%s)" % (kind, size) for kind, (_number, size) in zip(kinds, sizes)),
        *[
            "  kept (%s): 2 (0 Bytes), such as a, b" % why
            for why in ("changed", "denied", "foreign", "in_use", "mount_point", "other_names")
        ],
        "1 host: 28 Bytes freed (%s)"
        % ", ".join("%s %s" % (kind, size) for kind, (number, size) in zip(kinds, sizes) if number),
    ]


def test_no_number_of_a_host_is_absurd() -> None:
    most = 2**80
    results = {
        "app1": result(freed=most, removed={"orphans": part(most, most)}),
        "app2": result(freed=most, removed={"orphans": part(most, most)}),
        "app3": result(freed=10**4000),
        "app4": result(removed={"orphans": part(1, most + 1)}),
    }
    lines = cache_pruned(results)
    assert lines[-1] == "4 hosts: 2.0 YiB freed (orphans 2.0 YiB); 2 failed"
    assert max(map(len, lines)) < 100


def test_one_host_is_one_host() -> None:
    assert cache_pruned({"localhost": result()})[-1] == "1 host: 0 Bytes freed; 1 with nothing to remove"
    assert cache_pruned({}) == ["0 hosts: 0 Bytes freed"]


def test_kinds_and_reasons_are_those_of_the_module() -> None:
    options = yaml.safe_load(cache_prune.DOCUMENTATION)["options"]
    assert set(REMOVABLE) == {*options["remove"]["choices"], "unused"}
    assert [kind for kind in REMOVABLE if kind != "unused"] == options["remove"]["choices"]
    described = " ".join(yaml.safe_load(cache_prune.RETURN)["kept"]["description"])
    for reason in KEPT:
        assert "V(%s) " % reason in described


@pytest.mark.parametrize("other", [None, [OLD], {"host": None}])
def test_what_are_no_results_by_host_is_refused(other: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="takes a dictionary of results by host"):
        cache_pruned(other)


def test_ansible_finds_the_filter() -> None:
    assert FilterModule().filters() == {"cache_pruned": cache_pruned}
