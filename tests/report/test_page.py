# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report's page shows, and how it is handled, in a real browser.

That nothing was written to the console and nothing asked of a network is a part of every test: see conftest.py.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import socket
from typing import TYPE_CHECKING, Any, Callable, Dict
from urllib.parse import unquote

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import printable
from ansible_collections.wasmops.wasmtime.tests.report.browser import prefer
from ansible_collections.wasmops.wasmtime.tests.report.fleet import (
    NO_UNIT,
    QUEUE,
    config,
    effective,
    fleet_of,
    problem,
    results,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium import webdriver

    from ansible_collections.wasmops.wasmtime.tests.report.view import View

    Open = Callable[[Dict[str, Any]], View]

MARKUP = "<img src=http://127.0.0.1:9/x onerror=alert(1)>"
END = "</script><script>alert(2)</script><!--<script>"
ODD = "\u2028\u2029\u202e&amp;'\"`${1}\ud800\x00"


@pytest.fixture
def scheme(chrome: webdriver.Chrome) -> Iterator[Callable[[str], None]]:
    yield lambda name: prefer(chrome, name)
    prefer(chrome, "")


def number(text: str) -> int:
    return int(text.replace(",", ""))


def visible(text: str) -> str:
    """A text as the browser gives it back: white space is folded."""
    return " ".join(text.split())


def test_the_page_itself_is_all_that_is_asked_for(view: Open, tmp_path: Path) -> None:
    page = view(results(5))
    assert page.requests() == [(tmp_path / "report.html").as_uri()]


# --- What it shows ---


def test_the_totals_are_those_of_the_data(view: Open) -> None:
    found = results(300)
    totals = fleet_of(found)["totals"]
    page = view(found)
    assert page.one("h1").text == "Wasmtime caches"
    assert page.one("header p").text.startswith("300 hosts, looked at ")
    tiles = {tile.get_attribute("data-value"): number(tile.text.splitlines()[0]) for tile in page.all(".tile")}
    assert tiles == {verdict: hosts for verdict, hosts in totals["verdicts"].items() if hosts}
    assert sum(tiles.values()) == 300
    fullness = dict(zip(page.texts("tr[data-fullness] button"), map(number, page.texts("tr[data-fullness] .figure"))))
    assert fullness == totals["fullness"]
    versions = page.all('button[data-filter="version"]')
    assert [button.text for button in versions] == ["up to 32", "33 to 47", "48", "from 49"]
    shown = [number(row.text.split()[-1]) for row in page.all("[aria-labelledby=versions-title] tbody tr")]
    assert shown == list(totals["accepted_by"].values())


def test_every_problem_of_the_fleet_is_listed_with_its_hosts_and_remedy(view: Open) -> None:
    found = results(300)
    data = fleet_of(found)
    rows = [row.text for row in view(found).all(".problems tbody tr")]
    notes = [(code, hosts) for code, hosts in data["totals"]["notes"].items() if hosts]
    assert len(rows) == len(data["problems"]) + len(notes)
    for row, kind in zip(rows, data["problems"]):
        assert visible(row).startswith("%(severity)s %(code)s %(hosts)d" % kind)
        assert kind["message"] in row
        assert kind["remedy"] in row
    for row, (code, hosts) in zip(rows[len(data["problems"]) :], notes):
        assert visible(row).startswith("note %s %d" % (code, hosts))


def test_every_host_is_in_the_table_with_its_own_numbers(view: Open) -> None:
    found = results(40)
    hosts = {host["name"]: host for host in fleet_of(found)["hosts"]}
    page = view(found)
    assert page.count() == "40 hosts"
    rows = page.rows()
    assert sorted(row.name for row in rows) == sorted(hosts)
    for row in rows:
        host = hosts[row.name]
        assert row.verdict == host["verdict"]
        if host["message"] is not None:
            assert row.problems == host["message"]
            continue
        codes = {kind["code"] for kind in host["problems"]}.union(host["notes"])
        assert set(row.problems.split()) == (codes or {"none"})
        lines = row.differs.splitlines()
        assert len(lines) == (min(len(host["differs"]), 3) + (len(host["differs"]) > 3) or 1)
        if host["percent"] is None:
            assert row.entries == row.size == "not known"
        else:
            used, limit, percent = re.fullmatch(r"([\d,]+) of ([\d,]+) \((.*)%\)", row.entries).groups()
            entries = host["usage"]["limits"]["file_count_soft_limit"]
            assert (number(used), number(limit)) == (entries["used"], entries["limit"])
            assert float(percent) == pytest.approx(entries["percent"], abs=0.06 if entries["percent"] < 10 else 0.51)
            size = host["usage"]["limits"]["files_total_size_soft_limit"]
            assert "(%.0f%%)" % size["percent"] in row.size or size["percent"] < 10 or size["percent"] % 1 == 0.5


def test_bars_are_as_long_as_what_is_used(view: Open) -> None:
    found = results(40)
    measured = [pair["usage"]["limits"] for pair in found.values() if pair["usage"].get("next_cleanup")]
    for limits, percent in zip(measured[-5:], (0.0, 74.9, 75.0, 100.0, 100.1)):
        limits["files_total_size_soft_limit"]["percent"] = percent
    hosts = {host["name"]: host for host in fleet_of(found)["hosts"] if host["percent"] is not None}
    page = view(found)
    script = """return [...document.querySelectorAll('#rows > tr')].map((row) => [
        row.querySelector('.host').innerText,
        ...[...row.querySelectorAll('.bar')].map((bar) => [bar.firstChild.offsetWidth / bar.offsetWidth, bar.className])])"""
    drawn = {name: bars for name, *bars in page.chrome.execute_script(script) if bars}
    assert set(drawn) == set(hosts)
    for name, bars in drawn.items():
        limits = hosts[name]["usage"]["limits"]
        for (length, kind), limit in zip(bars, ("files_total_size_soft_limit", "file_count_soft_limit")):
            percent = limits[limit]["percent"]
            assert length == pytest.approx(min(percent, 100) / 100, abs=0.02)
            assert kind == ("bar over" if percent > 100 else "bar much" if percent >= 75 else "bar")
    assert any("over" in kind for bars in drawn.values() for _length, kind in bars)


def test_a_host_opens_to_its_problems_settings_and_usage(view: Open) -> None:
    found = results(5)
    data = fleet_of(found)
    page = view(found)
    broken = next(host for host in data["hosts"] if host["problems"] == [NO_UNIT])
    text = page.details(broken["name"]).text
    assert "error invalid-value in line 3, column 20" in text
    assert NO_UNIT["message"] in text
    assert NO_UNIT["remedy"] in text
    assert "cleanup-interval invalid 1h (3 of 5)" in visible(text)
    assert broken["path"] in text
    tuned = next(host for host in data["hosts"] if len(host["differs"]) == 3)
    text = page.details(tuned["name"]).text
    assert "cleanup-interval 2h 1h (3 of 5)" in visible(text)
    assert "file-count-soft-limit 100K 65536 (4 of 5)" in visible(text)
    assert "baseline-compression-level 1 3 (4 of 5)" in visible(text)
    over = next(host for host in data["hosts"] if host["fullness"] == "over a limit")
    text = page.details(over["name"]).text
    cleanup = over["usage"]["next_cleanup"]
    assert "Deletes\n{:,} entries".format(cleanup["entries_deleted"]) in text
    assert "Leaves\n{:,} entries".format(cleanup["entries_left"]) in text
    for name in cleanup["deleted"]:
        assert name in text
    for compiler in over["usage"]["compilers"]:
        assert "{name} {entries:,}".format(**compiler) in visible(text)


def test_all_settings_of_a_host_can_be_seen(view: Open) -> None:
    page = view(results(1))
    details = page.details(page.names()[0])
    details.find_element("css selector", "summary").click()
    rows = details.find_elements("css selector", "details tbody tr")
    assert len(rows) == len(effective("/home/ci"))
    assert rows[0].text == "directory /var/cache/wasmtime none"
    assert rows[1].text == "worker-event-queue-size 16 (default) none"


def test_what_was_measured_on_a_host_is_shown(view: Open) -> None:
    found = {name: pair for name, pair in results(300).items() if pair["usage"].get("verified")}
    page = view(found)
    name = page.names()[0]
    text = visible(page.details(name).text)
    assert "Broken 1 " + found[name]["usage"]["verified"]["broken"][0]["name"] in text
    assert "19 4.9 4.2 MB/s 880 MB/s" in text
    assert "baseline-compression-level 9 level 9 compresses 4.20 to 1 at 61.0 MB/s" in text


def test_what_pruning_would_free_is_shown_of_all_and_of_each_host(view: Open) -> None:
    found = results(40)
    name = next(name for name, pair in found.items() if "prunable" in pair)
    note = "nothing is an orphan: so and so"
    found[name]["prunable"].update(complete=False, notes=[{"code": "engines-unknown", "message": note}])
    data = fleet_of(found)
    page = view(found)
    shown = visible(page.chrome.find_element("css selector", "section[aria-labelledby=prunable-title]").text)
    kinds = data["totals"]["prunable"]["kinds"]
    assert kinds["orphans"]["size_on_disk"]
    for kind, part in kinds.items():
        assert "{} {hosts:,} {count:,} ".format(kind, **part) in shown
    text = visible(page.details(name).text)
    for kind, part in next(host for host in data["hosts"] if host["name"] == name)["prunable"]["kinds"].items():
        assert ("{} {count:,} ".format(kind, **part) in text) == (part["count"] > 0)
    assert "Not everything was judged. " + note in text


def test_hosts_that_could_not_be_looked_at_say_why(view: Open) -> None:
    found = {
        name: pair
        for name, pair in results(300).items()
        if pair["config"].get("unreachable") or pair["config"].get("failed")
    }
    page = view(found)
    for row in page.rows():
        assert row.verdict == ("unreachable" if found[row.name]["config"].get("unreachable") else "not looked at")
        assert row.problems == found[row.name]["config"]["msg"]
        assert found[row.name]["config"]["msg"] in page.details(row.name).text
    assert "No two hosts have a value in common." in page.one("main").text


def test_an_empty_fleet(view: Open) -> None:
    page = view({})
    assert page.count() == "0 hosts"
    assert page.one("#rows").text == "There are no hosts."


def test_the_most_common_settings_say_of_how_many_hosts_they_are(view: Open) -> None:
    found = {"host%d" % number: {"config": config("/home/u%d" % number), "usage": {}} for number in range(4)}
    found["fast"] = {"config": config("/home/fast", cleanup_interval=60), "usage": {}}
    found["own"] = {"config": config("/home/own", directory="/srv/cache"), "usage": {}}
    page = view(found)
    rows = {row.text.split()[0]: visible(row.text) for row in page.all(".settings tbody tr")}
    assert rows["directory"] == "directory the default of each user 5 of 6 hosts"
    assert rows["cleanup-interval"] == "cleanup-interval 1h 5 of 6 hosts"
    assert rows["file-count-soft-limit"] == "file-count-soft-limit 65536 6 of 6 hosts"
    # A home of its own makes no host differ.
    assert {row.name: visible(row.differs) for row in page.rows()} == {
        **dict.fromkeys(["host0", "host1", "host2", "host3"], "nothing"),
        "fast": "cleanup-interval = 1m",
        "own": "directory = /srv/cache",
    }


def test_values_that_no_two_hosts_share_are_not_common(view: Open) -> None:
    paths = ("/srv/one", "/srv/two", "/srv/three")
    page = view({path[5:]: {"config": config(directory=path), "usage": {}} for path in paths})
    assert "directory" not in [cell.text for cell in page.all(".settings th[scope=row]")]
    assert page.all(".settings tbody tr")
    assert {row.differs for row in page.rows()} == {"nothing"}
    assert "directory" not in view({"one": {"config": config(), "usage": {}}}).one("main").text.split("Hosts")[0]


def test_there_is_one_order_of_severities(view: Open) -> None:
    """Errors, dangers, warnings: in the table of problems, in the filter, with each host, and in the order of hosts."""
    mixed = [QUEUE, problem("danger", "queue-memory", "m", "r"), NO_UNIT]
    pair = {"config": config(problems=mixed), "usage": {}}
    dangerous = {"config": config(problems=[mixed[1]]), "usage": {}}
    warned = {"config": config(problems=[QUEUE]), "usage": {}}
    page = view({"dangerous": dangerous, "warned": warned, "mixed": pair})
    order = ["error", "danger", "warning"]
    assert page.texts(".problems .severity") == [*order, "note"]
    assert [group.get_attribute("label") for group in page.all("#problem optgroup")] == [*order, "note"]
    assert page.names() == ["mixed", "dangerous", "warned"]
    codes = page.all("#rows .codes")[0].find_elements("css selector", ".code")
    assert [code.get_attribute("data-severity") for code in codes] == [*order, "note"]
    details = page.details("mixed").find_elements("css selector", ".severity")
    assert [chip.text for chip in details] == [*order, "note"]
    assert page.texts(".tile .verdict") == ["with warnings", "dangerous", "refused by Wasmtime"]


# --- Filters, search, order ---


@pytest.mark.parametrize("choice", ["select", "button"])
def test_filters_leave_the_hosts_that_they_name(view: Open, choice: str) -> None:
    found = results(200)
    hosts = fleet_of(found)["hosts"]
    known = [host for host in hosts if host["message"] is None]

    def having(code: str) -> set[str]:
        return {
            host["name"]
            for host in hosts
            if code in host["notes"] or code in [kind["code"] for kind in host["problems"]]
        }

    cases = [
        ("verdict", "dangerous", {host["name"] for host in hosts if host["verdict"] == "dangerous"}),
        ("problem", "enabled-refused", having("enabled-refused")),
        ("problem", "limit-exceeded", having("limit-exceeded")),
        ("version", "+48", {host["name"] for host in known if "48" in host["accepted_by"]}),
        ("version", "-<=32", {host["name"] for host in known if "<=32" not in host["accepted_by"]}),
        ("fullness", "over a limit", {host["name"] for host in hosts if host["fullness"] == "over a limit"}),
    ]
    page = view(found)
    page.choose("rows-per-page", "250")
    for name, value, expected in cases:
        if choice == "select":
            page.choose(name, value)
        elif value[0] == "-":
            continue  # there is no button for what does not suit
        else:
            page.one('button[data-filter="%s"][data-value="%s"]' % (name, value)).click()
            assert page.chrome.execute_script("return document.activeElement.id") == "hosts"
        assert expected
        assert set(page.names()) == expected
        assert page.count() == "%d %s of 200" % (len(expected), "host" if len(expected) == 1 else "hosts")
        pressed = page.all('button[data-filter][aria-pressed="true"]')
        assert [button.get_attribute("data-value") for button in pressed] == ([] if value[0] == "-" else [value])
        page.one("#reset").click()
        assert len(page.names()) == 200


def test_filters_add_up_and_a_button_pressed_again_lets_go(view: Open) -> None:
    found = results(200)
    page = view(found)
    page.choose("verdict", "good")
    page.choose("problem", "locks-stale")
    page.choose("fullness", "25% to 50%")
    expected = {
        host["name"]
        for host in fleet_of(found)["hosts"]
        if host["verdict"] == "good" and "locks-stale" in host["notes"] and host["fullness"] == "25% to 50%"
    }
    assert expected
    assert set(page.names()) == expected
    page.choose("verdict", "dangerous")
    assert page.names() == []
    assert page.one("#rows").text == "No host is like this."
    assert page.count() == "0 hosts of 200"
    page.one("#reset").click()
    tile = page.one('.tile[data-value="dangerous"]')
    tile.click()
    assert page.count() != "1 to 50 of 200 hosts"
    tile.click()
    assert page.count() == "1 to 50 of 200 hosts"


def test_search_finds_hosts_by_all_words_in_any_order_and_case(view: Open) -> None:
    found = results(200)
    page = view(found)
    name = list(found)[77]
    page.search(name.upper())
    assert name in page.names()
    page.search("FRA enabled")
    assert page.names()
    for row in page.rows():
        assert ".fra." in row.name
        assert "enabled-refused" in row.problems
    page.search("/srv/shared")
    assert {row.verdict for row in page.rows()} == {"dangerous"}
    page.search("cleanup-interval 2h")
    assert page.names()
    assert all("cleanup-interval = 2h" in row.differs for row in page.rows())
    page.search("no such host .* (")
    assert page.names() == []


def test_each_column_sorts_both_ways(view: Open) -> None:
    found = results(45)
    hosts = {host["name"]: host for host in fleet_of(found)["hosts"]}
    gravity = {
        "good": 0, "good without a config file": 1, "with warnings": 2, "dangerous": 4, "refused by Wasmtime": 5,
    }  # fmt: skip

    def used(host: dict[str, Any], limit: str) -> float:
        return -1 if host["percent"] is None else host["usage"]["limits"][limit]["percent"]

    keys = {
        "verdict": lambda host: gravity.get(host["verdict"], 3),
        "problems": lambda host: (len(host["problems"]), len(host["notes"])),
        "differs": lambda host: len(host["differs"]),
        "size": lambda host: used(host, "files_total_size_soft_limit"),
        "entries": lambda host: used(host, "file_count_soft_limit"),
        "versions": lambda host: len(host["accepted_by"]),
        # As people count: runner10 is behind runner9.
        "name": lambda host: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", host["name"])],
    }
    page = view(found)
    sorted_by = "th[aria-sort] button"
    assert page.one(sorted_by).get_attribute("data-sort") == "verdict"
    assert page.rows()[0].verdict == "refused by Wasmtime"
    page.sort("name")
    for name, key in keys.items():
        orders = []
        for _time in range(2):
            page.sort(name)
            orders.append(page.one("th[aria-sort]").get_attribute("aria-sort"))
            assert page.texts(sorted_by) == page.texts('[data-sort="%s"]' % name)
            shown = [key(hosts[host]) for host in page.names()]
            assert shown == sorted(shown, reverse=orders[-1] == "descending")
            assert shown[0] != shown[-1]
        assert orders == (["ascending", "descending"] if name == "name" else ["descending", "ascending"])


def test_a_link_leads_to_the_same_hosts(view: Open) -> None:
    """The fragment of the address has filters, search, order and page, also of a file that is opened from the disk."""
    found = results(200)
    page = view(found)
    chrome = page.chrome
    assert "#" not in chrome.current_url
    page.search("fra = & #")
    page.one("#reset").click()
    page.choose("verdict", "good")
    page.choose("version", "+>=49")
    page.sort("size")
    page.sort("size")
    page.choose("rows-per-page", "25")
    page.search("net")
    page.one('[data-page="next"]').click()
    names, count, address = page.names(), page.count(), chrome.current_url
    assert count.startswith("26 to ")
    chrome.get("about:blank")
    chrome.get(address)
    assert (page.names(), page.count(), chrome.current_url) == (names, count, address)
    assert page.one("#verdict").get_attribute("value") == "good"
    assert page.one("#search").get_attribute("value") == "net"
    assert page.one("th[aria-sort=ascending] button").text == "Size"
    # Another address is followed without a new page.
    chrome.execute_script("location.hash = 'problem=enabled-refused'")
    WebDriverWait(chrome, 10).until(lambda _chrome: page.one("#problem").get_attribute("value") == "enabled-refused")
    assert {"enabled-refused" in row.problems for row in page.rows()} == {True}
    assert page.one("#verdict").get_attribute("value") == ""
    page.one("#reset").click()
    assert page.count() == "1 to 50 of 200 hosts"
    page.requests()  # these were asked for, with their fragments


@pytest.mark.parametrize(
    ("fragment", "hosts"),
    [
        ("verdict=unreachable", 0),
        ("problem=%3Cimg%20src%3Dx%3E", 0),
        ("version=%2B7", 0),
        ("sort=__proto__&order=up&page=-3&rows=7&verdicts=good", 5),
        ("page=99&rows=25", 5),
        ("page=NaN", 5),
        ("hosts", 5),
        ("%", 5),
    ],
)
def test_an_address_that_fits_no_host_shows_none(view: Open, fragment: str, hosts: int) -> None:
    """What a filter names that this report does not have stays chosen: all hosts would be the wrong answer."""
    page = view(results(5))
    page.chrome.execute_script("location.hash = arguments[0]", fragment)
    expected = "5 hosts" if hosts else "0 hosts of 5"
    WebDriverWait(page.chrome, 10).until(lambda _chrome: page.count() == expected)
    assert len(page.names()) == hosts
    assert page.all("img") == []
    if not hosts:
        name, _sign, value = fragment.partition("=")
        assert page.one("#" + name).get_attribute("value") == unquote(value)


def saved(page: View, folder: Path) -> bytes:
    """The file that the page saves."""
    given = {"behavior": "allow", "downloadPath": str(folder)}
    page.chrome.execute_cdp_cmd("Browser.setDownloadBehavior", given)
    page.one("#csv").click()
    path = folder / "wasmtime-caches.csv"
    WebDriverWait(page.chrome, 30).until(lambda _chrome: path.exists() and not list(folder.glob("*.crdownload")))
    page.requests()  # the page itself made what was saved
    return path.read_bytes()


def test_the_table_can_be_saved_as_csv(view: Open, tmp_path: Path) -> None:
    found = results(200)
    hosts = {host["name"]: host for host in fleet_of(found)["hosts"]}
    page = view(found)
    page.choose("rows-per-page", "25")
    page.choose("version", "+>=49")
    page.sort("name")
    data = saved(page, tmp_path)
    assert data.startswith(codecs.BOM_UTF8)
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    # All that were found, not only those of this page, in their order.
    assert page.count() == "1 to 25 of %d hosts of 200" % len(rows)
    assert [row["host"] for row in rows[:25]] == page.names()
    for row in rows:
        host = hosts[row["host"]]
        assert row["verdict"] == host["verdict"]
        assert row["config"] == host["path"]
        assert row["directory"] == host["directory"]["path"]
        codes = [kind["code"] for kind in host["problems"]] + host["notes"]
        assert row["problems"].split() == codes
        if host["usage"]:
            assert int(row["bytes"]) == host["usage"]["size"]
            assert float(row["percent"]) == host["percent"]
        else:
            assert (row["bytes"], row["reason"]) == ("", host["usage_message"])


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_no_cell_of_the_csv_runs_in_a_spreadsheet(view: Open, tmp_path: Path, separator: str) -> None:
    """Whatever the program takes for the separator."""
    formula = 'HYPERLINK("http://127.0.0.1/?"&A1)'
    starts = ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", " =", '"=', '""=', "'=", "=="]
    names = [
        before + start + formula
        for start in starts
        for before in ("", *("a%s" % mark for mark in ',;|\t"'), 'a;"', "a; ")
    ]
    found = {name: {"config": {"unreachable": True, "msg": name}, "usage": {}} for name in names}
    text = saved(view(found), tmp_path).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    assert len(rows) == len(found) + 1
    for row in rows:
        for cell in row:
            assert not cell.lstrip(' "').startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")), cell
    if separator == ",":
        told = {row[0] for row in rows}
        assert {"'" + starts[0] + formula, "a,'=" + formula} <= told


def test_pages_show_each_host_once(view: Open) -> None:
    found = results(130)
    page = view(found)
    seen = page.names()
    assert page.count() == "1 to 50 of 130 hosts"
    assert page.one("#page").text == "Page 1 of 3"
    for start, end in ((51, 100), (101, 130)):
        page.one('[data-page="next"]').click()
        assert page.count() == "%d to %d of 130 hosts" % (start, end)
        seen += page.names()
    assert len(seen) == len(set(seen)) == 130
    page.one('[data-page="next"]').click()
    assert page.one("#page").text == "Page 3 of 3"
    page.one('[data-page="first"]').click()
    page.one('[data-page="previous"]').click()
    assert page.one("#page").text == "Page 1 of 3"
    page.one('[data-page="last"]').click()
    assert page.names() == seen[100:]
    # What is shown after a filter is its first page.
    page.choose("verdict", "good")
    assert page.one("#page").text.startswith("Page 1 of ")


def test_all_hosts_of_a_page_open_and_close_at_once(view: Open) -> None:
    page = view(results(30))
    page.one("#open").click()
    assert len(page.all(".details")) == 30
    page.one("#open").click()
    assert page.all(".details") == []


# --- Keys, and those who do not see the page ---


def test_it_can_be_handled_by_keys_alone(view: Open) -> None:
    page = view(results(130))
    page.press(Keys.TAB)
    assert page.focused() == "Skip to the hosts"
    page.press(Keys.ENTER)
    page.press(Keys.TAB)
    assert page.chrome.switch_to.active_element.get_attribute("id") == "search"
    page.press("dangerous")
    assert {row.verdict for row in page.rows()} == {"dangerous"}
    for _field in range(6):
        page.press(Keys.TAB)
    assert page.focused() == "Save these hosts as CSV"
    page.press(Keys.TAB)
    assert page.focused() == "Open all on this page"
    while page.focused() != page.names()[0]:
        page.press(Keys.TAB)
    page.press(Keys.ENTER)
    assert len(page.all(".details")) == 1
    assert page.focused() == page.names()[0]
    page.press(Keys.SPACE)
    assert page.all(".details") == []


def test_the_focus_stays_and_is_seen(view: Open) -> None:
    page = view(results(130))
    button = page.one('[data-page="next"]')
    for _page in range(3):
        button.send_keys(Keys.ENTER)
        assert page.focused() == "Next"
    page.one('[data-sort="size"]').send_keys(Keys.ENTER)
    assert page.focused() == "Size"
    outline = "return getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth"
    assert page.chrome.execute_script(outline) == "solid3px"


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("size", [5, 20])
def test_axe_finds_nothing_to_complain_of(view: Open, scheme: Callable[[str], None], name: str, size: int) -> None:
    """The rules of WCAG 2.2, A and AA, and axe's best practices; contrast is one of them."""
    package = pytest.importorskip(
        "axe_selenium_python", reason="not run here, because axe's rules of today need Python 3.12 or newer"
    )
    scheme(name)
    page = view(results(size))
    page.one("#open").click()
    axe = package.Axe(page.chrome)
    axe.inject()
    found = axe.run()
    assert [rule["id"] + ": " + node["html"] for rule in found["violations"] for node in rule["nodes"][:3]] == []
    assert {"color-contrast", "label", "aria-allowed-attr"}.issubset(rule["id"] for rule in found["passes"])


def test_what_a_screen_reader_is_told(view: Open) -> None:
    page = view(results(60))
    assert page.one("#count").get_attribute("role") == "status"
    assert page.one("html").get_attribute("lang") == "en"
    header = page.all(".hosts > thead th")
    assert [cell.get_attribute("scope") for cell in header] == ["col"] * 7
    tree = page.chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {(node["role"]["value"], node.get("name", {}).get("value")) for node in tree if not node["ignored"]}
    assert {
        ("heading", "Hosts"),
        ("search", "Hosts"),
        ("searchbox", "Search"),
        ("combobox", "Verdict"),
        ("navigation", "Pages of hosts"),
        ("button", "Next"),
        ("rowheader", page.names()[0]),
        ("columnheader", "Differs from most"),
    }.issubset(named)


# --- Themes ---


def test_it_is_light_or_dark_as_the_system_is_and_as_one_likes(view: Open, scheme: Callable[[str], None]) -> None:
    def brightness() -> float:
        colour = page.chrome.execute_script("return getComputedStyle(document.body).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour)[:3])) / 3

    scheme("dark")
    page = view(results(5))
    assert brightness() < 40
    scheme("light")
    assert brightness() > 230
    toggle = page.one("#theme")
    seen = []
    for _theme in range(3):
        toggle.click()
        seen.append((toggle.text, brightness() > 128))
    assert seen == [("Theme: light", True), ("Theme: dark", False), ("Theme: system", True)]


def test_it_prints_light_and_without_what_only_a_screen_can_do(view: Open, scheme: Callable[[str], None]) -> None:
    scheme("dark")
    page = view(results(5))
    page.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    for selector in (".tools", ".pager", "#theme", "#open"):
        assert not page.one(selector).is_displayed()
    assert page.chrome.execute_script("return getComputedStyle(document.body).colorScheme") == "light"
    page.chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


# --- Windows of all sizes ---

WIDTHS = (360, 390, 768, 900, 1025, 1280, 1440)


@pytest.fixture
def resize(chrome: webdriver.Chrome) -> Iterator[Callable[[View, int], None]]:
    yield lambda page, width: page.resize(width)
    chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def long_words(found: dict[str, Any]) -> dict[str, Any]:
    """The same fleet with a host whose paths and messages are long."""
    pair = next(pair for pair in results(300).values() if pair["usage"].get("verified"))
    deep = "/srv/" + "/".join(["build-artifacts"] * 9) + "/cache"
    codes = ("optimized-below-baseline", "directory-writable-by-others", "limit-beyond-file-system")
    problems = [problem("error", code, "%s is %s" % (deep, "x" * 90), "set %s" % deep) for code in codes]
    looked = config(home=deep, problems=problems, directory=deep, cleanup_interval=7200, file_count_soft_limit=10**18)
    usage = {
        **pair["usage"],
        "directory": deep,
        "foreign": {"count": 9, "size": 2**60, "names": [deep, "y" * 255]},
        "links": [deep],
        "unreadable": [deep + "/" + "z" * 255],
        "locks": [{"name": ".cleanup.wip-4711", "age": 90000, "stale": True}],
    }
    name = "a-host-with-a-rather-long-name.in-a-department.of-a-company.example.net"
    lost = {"config": {"unreachable": True, "msg": "ssh: %s: %s" % (deep, "w" * 200)}, "usage": {}}
    return {**found, name: {"config": looked, "usage": usage}, "b" * 63 + ".example.net": lost}


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut(view: Open, resize: Callable[[View, int], None], width: int) -> None:
    """Neither in the tables nor in what opens below the hosts: all of it can be read without scrolling sideways."""
    page = view(long_words(results(20)))
    resize(page, width)
    assert page.cut() == []
    page.one("#open").click()
    page.chrome.execute_script("for (const part of document.querySelectorAll('details')) part.open = true")
    assert len(page.all(".details")) == 22
    assert page.cut() == []
    page.choose("problem", "directory-writable-by-others")
    assert page.cut() == []


@pytest.mark.parametrize(("width", "cards"), [(360, True), (799, True), (1025, False), (1280, False)])
def test_rows_are_cards_below_50_rem(view: Open, resize: Callable[[View, int], None], width: int, cards: bool) -> None:
    page = view(results(5))
    resize(page, width)
    page.one("#open").click()
    script = """return [...document.querySelectorAll('table.cards > tbody > tr > td[data-label]')].map((cell) => [
        getComputedStyle(cell).display, getComputedStyle(cell, '::before').content, cell.dataset.label])"""
    cells = page.chrome.execute_script(script)
    assert {"Hosts", "Verdict", "Differs from most", "Here", "Newest"} <= {label for _display, _before, label in cells}
    for display, before, label in cells:
        assert (display == "table-cell") is not cards
        assert before in ('"%s"' % label, "attr(data-label)") if cards else before == "none"
    # The order can be chosen in both.
    page.sort("name")
    assert page.one("th[aria-sort] button").text == "Host"


@pytest.mark.parametrize("width", WIDTHS)
def test_paths_break_at_slashes(view: Open, resize: Callable[[View, int], None], width: int) -> None:
    changed = {"directory": "/srv/build/artifacts/of/the/nightly/wasmtime"}
    found = {"host%d" % number: {"config": config(**changed), "usage": {}} for number in range(3)}
    found["other"] = {"config": config(directory="/var/lib/runner/jobs/tmp/wasmtime"), "usage": {}}
    page = view({**results(20), **found})
    resize(page, width)
    page.one("#open").click()
    page.chrome.execute_script("for (const part of document.querySelectorAll('details')) part.open = true")
    # Names of entries have 43 characters, for which a phone has no line.
    breaks = [(path, around) for path, around in page.breaks() if "/" in path and "modules/" not in path]
    assert breaks
    assert [(path, around) for path, around in breaks if around[0] != "/"] == []


# --- What is not known of a host ---


# Changes what the schema guarantees: what is shown does not rely on it.
INCONSISTENT = """
const fromEntries = Object.fromEntries;
Object.fromEntries = (entries) => {
    const made = fromEntries(entries);
    if ("least" in made) Object.assign(made, { total: 5, least: null, most: null });
    if ("percent" in made && "used" in made) Object.assign(made, { limit: null, percent: 3 });
    if ("limit_exceeded" in made) made.deleted = null;
    return made;
};
"""


def test_data_of_a_host_that_is_not_expected_keeps_nothing_else_from_opening(
    view: Open, chrome: webdriver.Chrome
) -> None:
    script = chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": INCONSISTENT})
    try:
        page = view(results(20))
    finally:
        chrome.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)
    page.one("#open").click()
    details = page.all(".details")
    assert len(details) == 20
    # The next cleanup has no names.
    odd = [part.text for part in details if "A part cannot be shown: its data is malformed." in part.text]
    assert odd
    for text in odd:
        assert {"Problems", "Usage"} <= set(text.splitlines())
        assert "Next cleanup" not in text
        assert "null" not in text


def test_an_owner_without_a_known_group_and_one_byte(view: Open) -> None:
    found = {name: pair for name, pair in results(300).items() if pair["usage"].get("limits")}
    name, pair = next(iter(found.items()))
    pair["config"]["directory"].update(owner="u", group=None)
    pair["usage"]["size_on_disk"] = 1
    shown = view({name: pair}).details(name).text.splitlines()
    assert shown[shown.index("Owner") + 1] == "u"
    assert shown[shown.index("On disk") + 1] == "1 byte"


# --- What hosts say is text ---


@pytest.mark.parametrize("hostile", [MARKUP, END, ODD, MARKUP + END + ODD])
def test_markup_from_hosts_is_shown_as_text(view: Open, hostile: str) -> None:
    bad = problem("error", "invalid-value", "message " + hostile, "remedy " + hostile, line=1, column=1)
    one = {"config": config(home="/" + hostile, problems=[bad]), "usage": {"failed": True, "msg": "usage " + hostile}}
    pair = next(pair for pair in results(300).values() if pair["usage"].get("verified"))
    usage = pair["usage"]
    usage["directory"] = "/looked/" + hostile
    usage["compilers"][0]["name"] = "compiler " + hostile
    usage["foreign"] = {"count": 1, "size": 1, "names": ["foreign " + hostile]}
    usage["locks"] = [{"name": "lock " + hostile, "age": 1, "stale": True}]
    usage["verified"]["broken"] = [{"name": "broken " + hostile, "reason": "because " + hostile}]
    usage["next_cleanup"].update(deleted=["deleted " + hostile], entries_deleted=1)
    pair["prunable"]["notes"] = [{"code": "x", "message": "note " + hostile}]
    usage["suggested"][0]["reason"] = "suggested " + hostile
    usage["links"], usage["unreadable"] = ["link " + hostile], ["unreadable " + hostile]
    usage["recorded_levels"] = {hostile: 1}
    lost = {"config": {"unreachable": True, "msg": "lost " + hostile}, "usage": {}}
    page = view({"one " + hostile: one, "two " + hostile: pair, "three " + hostile: lost})
    page.one("#open").click()
    assert page.all("img") == []
    assert len(page.all("script")) == 2
    text = page.chrome.execute_script("return document.querySelector('main').textContent.toWellFormed()")
    text = " ".join(text.split())
    words = "one two three message remedy compiler foreign lock link unreadable broken because deleted note suggested"
    for word in words.split():
        assert visible(word + " " + printable(hostile)) in text, word
    # The messages of failures are folded into one line first.
    for word in ("usage", "lost"):
        assert printable(visible(word + " " + hostile)) in text, word
    page.search("three")
    assert [row.verdict for row in page.rows()] == ["unreachable"]


def test_keys_of_objects_are_no_way_in(view: Open) -> None:
    """Names that mean something in JavaScript are names like any other."""
    names = ("__proto__", "constructor", "toString", "valueOf")
    page = view({name: {"config": config(problems=[QUEUE]), "usage": {}} for name in names})
    assert sorted(page.names()) == sorted(names)


def test_its_policy_forbids_what_it_does_not_need(view: Open) -> None:
    page = view(results(5))
    policy = page.one("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    run = """
    const [address, done] = arguments;
    const seen = [];
    document.addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
    const script = document.createElement("script");
    try { script.textContent = "window.ran = true"; document.body.append(script); } catch (error) { seen.push(error.name); }
    const image = document.createElement("img");
    image.src = address;
    document.body.append(image);
    fetch(address).catch(() => 0);
    const wait = () => ["img-src", "connect-src"].every((part) => seen.includes(part))
        ? done([window.ran ?? false, seen]) : setTimeout(wait, 10);
    wait();
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        ran, seen = page.chrome.execute_async_script(run, "http://127.0.0.1:%d/" % server.getsockname()[1])
        # Whoever had connected would be waiting by now: the kernel takes connections without being asked.
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert ran is False
    assert {"img-src", "connect-src"}.issubset(seen)  # else this hangs, until the driver ends it
    # These complaints and attempts were wanted.
    assert page.complaints()
    page.requests()


def test_without_javascript_there_are_totals_and_problems(view: Open, chrome: webdriver.Chrome) -> None:
    chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page = view(results(60))
        assert page.one("noscript").text.startswith("This page needs JavaScript to list the hosts.")
        assert page.one(".tile .number").text
        assert page.one(".problems tbody tr").text
        assert not page.one("#hosts").is_displayed()
        assert not page.one("#theme").is_displayed()
    finally:
        chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


# --- Many hosts ---


def test_five_thousand_hosts(view: Open) -> None:
    """It is one file that can be sent by mail, is there within seconds on a slow machine, and answers at once."""
    found = results(5000)
    page = view(found)
    assert page.count() == "1 to 50 of 5,000 hosts"
    chrome = page.chrome
    path = chrome.execute_script("return performance.getEntriesByType('navigation')[0].decodedBodySize")
    assert path < 5 * 2**20
    assert chrome.execute_script("return performance.getEntriesByType('navigation')[0].loadEventEnd") < 5000
    assert len(page.names()) == 50
    assert chrome.execute_script("return document.querySelectorAll('*').length") < 5000
    assert (
        chrome.execute_script(
            "const start = performance.now(); document.querySelector('[data-sort=size]').click(); return performance.now() - start"
        )
        < 1000
    )
    page.search("runner4711")
    WebDriverWait(chrome, 10).until(lambda _chrome: len(page.names()) <= 1)
    page.one("#reset").click()
    page.one('[data-page="last"]').click()
    assert page.count() == "4,951 to 5,000 of 5,000 hosts"
