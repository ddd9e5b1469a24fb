# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the programs of many hosts make of their configs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.wasmops.wasmtime.plugins.filter.cache_fleet import cache_fleet
from ansible_collections.wasmops.wasmtime.plugins.filter.cache_page import cache_page
from ansible_collections.wasmops.wasmtime.plugins.filter.cache_report import cache_report
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import DIALECTS, for_version
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._programs import broken_from

UP_TO_32, TO_47, ONLY_48 = (for_version(version).name for version in ("32", "42", "48"))
FROM_49 = [dialect.name for dialect in DIALECTS if dialect.first >= 49]
BY_OLD = [dialect.name for dialect in DIALECTS if dialect.enabled]
BY_NEW = [dialect.name for dialect in DIALECTS if not dialect.enabled]


def program(
    version: str | None, path: str = "/opt/app", accepts: bool = True, toml: str | None = "1.0"
) -> dict[str, Any]:
    dialect = for_version(version).name if version else None
    versions = [version] if version else []
    return {
        "path": path,
        "version": version,
        "versions": versions,
        "program": None,
        "toml": toml,
        "dialect": dialect,
        "accepts": accepts,
    }


def looked_at(accepted_by: list[str], *programs: dict[str, Any]) -> dict[str, Any]:
    return {
        "path": "/c.toml",
        "exists": True,
        "valid": True,
        "safe": True,
        "problems": [],
        "accepted_by": accepted_by,
        "programs": list(programs),
    }


@pytest.mark.parametrize(
    ("found", "accepted_by", "since"),
    [
        (program("30.0.2"), BY_OLD, for_version("33").first),
        (program("42.0.2"), BY_NEW, None),
        (program("42.0.2"), [TO_47, ONLY_48], 49),
        (program("42.0.2"), [TO_47], 48),
        (program("42.0.2"), [TO_47, *FROM_49], 48),
        (program("48.0.5", toml="1.1"), [for_version("48").with_1_1, *FROM_49], None),
        (program("42.0.2", toml="1.1"), [for_version("42").with_1_1, for_version("48").with_1_1, *FROM_49], None),
        (program("42.0.2", toml="1.0"), [TO_47, for_version("48").with_1_1, *FROM_49], 48),
        (program("50.0.0"), BY_NEW, None),
        # Only later versions count: that it accepts the config itself is known.
        (program("30.0.2"), [], 33),
        (program("42.0.2"), [], 48),
        (program("48.0.5"), [], 49),
        (program("50.0.0"), [], for_version("50").last + 1 if FROM_49[1:] else None),
        (program("42.0.2", accepts=False), BY_OLD, None),
        (program(None), BY_OLD, None),
    ],
)
def test_an_upgrade_breaks_a_program_that_accepts_what_later_ones_refuse(
    found: dict[str, Any], accepted_by: list[str], since: int | None
) -> None:
    assert broken_from(found, accepted_by) == since


HOSTS = {
    "app1": looked_at(BY_OLD, program("30.0.2"), program("50.0.0", "/opt/new", accepts=False, toml="1.1")),
    "app2": looked_at(BY_OLD, program("30.0.2"), program("30.0.2", "/opt/too")),
    "app3": looked_at(BY_NEW, program("50.0.0", "/opt/new", toml="1.1")),
    "app4": looked_at(BY_NEW, program("9.0.1", accepts=False), program(None, "/opt/any", accepts=False, toml=None)),
    "bare": looked_at(BY_NEW),
}


def test_the_summary_names_programs_that_refuse_the_file_and_what_an_upgrade_breaks() -> None:
    assert cache_report(HOSTS, by_host=True) == [
        "refused by programs, 2 hosts:",
        "  app1: /c.toml: /opt/new (Wasmtime 50.0.0)",
        "  app4: /c.toml: /opt/app (Wasmtime 9.0.1)",
        "  app4: /c.toml: /opt/any (Wasmtime unknown)",
        "refused after an upgrade, 2 hosts:",
        "  app1, app2: /c.toml: /opt/app (Wasmtime 30.0.2) accepts it, Wasmtime 33 and later refuse it",
        "  app2: /c.toml: /opt/too (Wasmtime 30.0.2) accepts it, Wasmtime 33 and later refuse it",
        "5 hosts: 5 good",
    ]


def test_the_report_of_a_host_names_its_programs() -> None:
    assert cache_report(HOSTS["app1"])[-3:] == [
        "read by /opt/app (Wasmtime 30.0.2)",
        "read by /opt/new (Wasmtime 50.0.0), which refuses it",
        "no problems",
    ]


def test_the_fleet_has_each_version_and_each_program_that_refuses_its_config() -> None:
    fleet = cache_fleet(HOSTS, {}, "now")
    assert fleet["engines"] == [
        {"version": "unknown", "hosts": 1, "refuse": 1, "upgrades": {}},
        {"version": "9.0.1", "hosts": 1, "refuse": 1, "upgrades": {}},
        {"version": "30.0.2", "hosts": 2, "refuse": 0, "upgrades": {"33": 2}},
        {"version": "50.0.0", "hosts": 2, "refuse": 1, "upgrades": {}},
    ]
    assert [(row["path"], row["since"], row["hosts"], row["names"]) for row in fleet["refusals"]] == [
        ("/opt/any", None, 1, ["app4"]),
        ("/opt/app", None, 1, ["app4"]),
        ("/opt/new", None, 1, ["app1"]),
        ("/opt/app", 33, 2, ["app1", "app2"]),
        ("/opt/too", 33, 1, ["app2"]),
    ]
    assert fleet["hosts"][0]["programs"] == HOSTS["app1"]["programs"]


def test_versions_and_upgrades_have_the_order_of_numbers_and_hosts_count_once() -> None:
    later = [TO_47, ONLY_48]
    hosts = {
        "a": looked_at(later, program("42.0.2"), program("42.0.2", "/opt/too"), program("42.0.10", accepts=False)),
        "b": looked_at([TO_47], program("42.0.2"), program("42.0.2", accepts=False)),
        "c": looked_at([TO_47], program("42.0.2"), program("42.0.2", "/opt/too", accepts=False)),
        "d": looked_at(BY_NEW, program("42.0.9"), {**program("42.0.9", "/opt/any"), "versions": ["9", "10"]}),
    }
    del hosts["d"]["programs"][0]["accepts"]
    fleet = cache_fleet(hosts, {}, "now")
    assert [
        (row["version"], row["hosts"], row["refuse"], list(row["upgrades"].items())) for row in fleet["engines"]
    ] == [
        ("9 or 10", 1, 0, []),
        ("42.0.2", 3, 2, [("48", 2), ("49", 1)]),
        ("42.0.9", 1, 0, []),
        ("42.0.10", 1, 1, []),
    ]
    assert [tuple(row.values()) for row in fleet["refusals"]] == [
        ("/opt/app", "42.0.2", None, 1, ["b"]),
        ("/opt/app", "42.0.10", None, 1, ["a"]),
        ("/opt/too", "42.0.2", None, 1, ["c"]),
        ("/opt/app", "42.0.2", 48, 2, ["b", "c"]),
        ("/opt/app", "42.0.2", 49, 1, ["a"]),
        ("/opt/too", "42.0.2", 49, 1, ["a"]),
    ]


def test_versions_are_sorted_by_their_first_four_numbers_and_nine_digits_then_as_text() -> None:
    versions = [
        "unknown",
        "1.2.3 or 4.10.0",
        "1.2.3 or 4.9.0",
        "1.2.3 or 9.0.0",
        "1.2.3 or 10.0.0",
        "1000000000",
        "100000001",
        "b 100000001",
        "a 100000002",
    ]
    programs = [{**program("50.0.0"), "versions": [version]} for version in reversed(versions)]
    engines = cache_fleet({"host": looked_at(BY_NEW, *programs)}, {}, "now")["engines"]
    assert [row["version"] for row in engines] == versions


def test_five_hosts_of_a_program_are_named() -> None:
    for number in (5, 6):
        hosts = {"h%d" % host: looked_at(BY_OLD, program("30.0.2")) for host in range(number)}
        (row,) = cache_fleet(hosts, {}, "now")["refusals"]
        assert (row["hosts"], row["names"]) == (number, ["h0", "h1", "h2", "h3", "h4"])


def test_the_page_shows_them() -> None:
    whole = cache_page(cache_fleet(HOSTS, {}, "now"))
    # Without the titles that each value has on a phone.
    page = re.sub(r' data-label="[^"]*"', "", whole)
    assert page.split('id="engines-title"')[1].split("</section>")[0].count("<table") == 2
    for part in (
        '<bdi>30.0.2</bdi></th><td class="figure">2</td><td class="figure">0</td><td>33 and later refuse it on 2</td>',
        '<td>after an upgrade to 33 or later</td><td class="names"><bdi>app1, app2</bdi></td>',
        '<td>now</td><td class="names"><bdi>app1</bdi></td>',
    ):
        assert part in page
    many = {"host%d" % number: HOSTS["app2"] for number in range(7)}
    assert "host0, host1, host2, host3, host4</bdi> and 2 more</td>" in cache_page(cache_fleet(many, {}, "now"))
    assert "No program was named that reads a config." in cache_page(cache_fleet({"bare": HOSTS["bare"]}, {}, "now"))


def test_a_program_with_markup_and_numbers_without_end_is_only_text() -> None:
    hostile = {**program("30.0.2", "</script><b>\x1b[2J"), "versions": ["9" * 90000]}
    fleet = cache_fleet({"host": looked_at(BY_OLD, hostile)}, {}, "now")
    assert fleet["refusals"][0]["path"] == r"</script><b>\x1b[2J"
    assert "<b>" not in cache_page(fleet)
