# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report's page shows, and how it is handled, in a real browser.

That nothing was written to the console and nothing asked of a network is a part of every test: see conftest.py.
"""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, Any, Callable, Dict

import axe_selenium_python
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
    assert "cleanup-interval invalid 1h" in visible(text)
    assert broken["path"] in text
    tuned = next(host for host in data["hosts"] if len(host["differs"]) == 3)
    text = page.details(tuned["name"]).text
    assert "cleanup-interval 2h 1h" in visible(text)
    assert "file-count-soft-limit 100K 65536" in visible(text)
    assert "baseline-compression-level 1 3" in visible(text)
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
    assert rows[0].text == "directory /var/cache/wasmtime /var/cache/wasmtime"


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
    assert "No host has a config that could be read." in page.one("main").text


def test_an_empty_fleet(view: Open) -> None:
    page = view({})
    assert page.count() == "0 hosts"
    assert page.one("#rows").text == "There are no hosts."


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
    gravity = [
        "good", "good without a config file", "with warnings", "unreachable", "not looked at", "refused by Wasmtime", "dangerous",
    ]  # fmt: skip

    def used(host: dict[str, Any], limit: str) -> float:
        return -1 if host["percent"] is None else host["usage"]["limits"][limit]["percent"]

    keys = {
        "verdict": lambda host: gravity.index(host["verdict"]),
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
    assert page.rows()[0].verdict == "dangerous"
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
    assert page.focused() == "Open all on this page"
    page.press(Keys.TAB, Keys.TAB)  # the table, to scroll it
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
    scheme(name)
    page = view(results(size))
    page.one("#open").click()
    axe = axe_selenium_python.Axe(page.chrome)
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


def test_it_fits_a_narrow_window(view: Open, chrome: webdriver.Chrome) -> None:
    """Only the tables scroll sideways, each by itself."""
    page = view(results(5))
    chrome.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": False}
    )
    try:
        page.one("#open").click()
        assert chrome.execute_script("return document.documentElement.scrollWidth") <= 360
    finally:
        chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


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
