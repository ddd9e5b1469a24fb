# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built site: whole, without a dead link, and nothing in it is loaded from elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from ansible_collections.wasmops.wasmtime.tests.docs.blocks import ROOT
from ansible_collections.wasmops.wasmtime.tests.report.browser import browser

# From the nox session.
SITE = Path(os.environ["DOCS_SITE"])
PAGES = sorted(SITE.rglob("*.html"))
DOCSITE = ROOT / "docs" / "docsite"
# What a browser loads on its own: attributes of any tag, and relations of <link>.
LOADED = {"src", "srcset", "poster", "data", "background"}
RELATIONS = {"stylesheet", "icon", "preload", "prefetch", "modulepreload", "manifest", "preconnect", "dns-prefetch"}
# In style sheets, and in scripts.
IN_CSS = re.compile(r"""(?:url\(\s*|@import\s+)["']?([^"')\s]+)""")
IN_JS = re.compile(
    r"""(?:\bfetch|\bimport|\.open|\.src\s*=|importScripts|sendBeacon)\s*\(?\s*["'`](?:\w+["'],\s*["'])?(https?:)?//"""
)


class Page(NamedTuple):
    """What matters of a page."""

    loaded: list[str]
    links: list[str]
    places: set[str]


class Reader(HTMLParser):
    """Collects what a page loads, where it links to, and what can be linked to in it."""

    def __init__(self) -> None:
        super().__init__()
        self.page = Page([], [], set())
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.inside = tag
        self.page.loaded.extend(values[name] for name in LOADED.intersection(values))
        self.page.loaded.extend(IN_CSS.findall(values.get("style", "")))
        self.page.places.update(values[name] for name in ("id", "name") if name in values)
        if tag == "link" and RELATIONS.intersection(values.get("rel", "").split()):
            self.page.loaded.append(values["href"])
        elif tag in {"a", "area"} and "href" in values:
            self.page.links.append(values["href"])

    def handle_data(self, data: str) -> None:
        if self.inside == "style":
            self.page.loaded.extend(IN_CSS.findall(data))
        elif self.inside == "script":
            self.page.loaded.extend(found[0] for found in IN_JS.finditer(data))


@cache
def look(path: Path) -> Page:
    """Read a page."""
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader.page


def there(base: Path, address: str) -> bool:
    """Whether a relative address leads to something in the site."""
    parts = urlsplit(address)
    target = (base.parent / unquote(parts.path)).resolve() if parts.path else base
    if not target.is_relative_to(SITE) or not target.is_file():
        return False
    return not parts.fragment or target.suffix != ".html" or unquote(parts.fragment) in look(target).places


def foreign(address: str) -> bool:
    """Whether an address leads out of the site."""
    parts = urlsplit(address)
    return bool(parts.netloc or parts.scheme) and parts.scheme != "data"


def identify(path: Path) -> str:
    return str(path.relative_to(SITE))


@pytest.mark.parametrize("path", PAGES, ids=identify)
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    loaded = [address for address in look(path).loaded if not address.startswith("data:")]
    assert loaded
    assert [address for address in loaded if foreign(address) or not there(path, address.partition("?")[0])] == []


@pytest.mark.parametrize("path", sorted({*SITE.rglob("*.css"), *SITE.rglob("*.js")}), ids=identify)
def test_nor_by_what_was_loaded(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".css":
        found = IN_CSS.findall(re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))
        assert [address for address in found if foreign(address)] == []
    else:
        assert IN_JS.findall(text) == []


def test_a_browser_asks_for_nothing_else() -> None:
    """What scripts make of the pages is seen only by a real one."""
    if not (shutil.which("chromium") or shutil.which("google-chrome")) or not shutil.which("chromedriver"):
        pytest.skip("not run here, because chromium and chromedriver are not installed")
    with browser() as chrome:
        for path in PAGES:
            chrome.get(path.as_uri())
            assert [entry for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"] == []
        events = [json.loads(entry["message"])["message"] for entry in chrome.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert {path.as_uri() for path in PAGES} <= set(asked)
    # A new window shows a page of Chromium's own first.
    known = (SITE.as_uri() + "/", "data:", "chrome:", "chrome-untrusted:")
    assert [url for url in asked if not url.startswith(known)] == []


# What a page shows that it should not, in this window: errors of the theme, which are no text of the page but of the
# style; what is cut or must be scrolled sideways, but for code, and on a phone tables of many columns; titles and names of
# options that break within a word.
WRONG = """
const found = [], range = document.createRange(), page = document.documentElement;
const tell = (element, why) => found.push(`${element.tagName} ${element.className}: ${why}: ${element.textContent.trim().slice(0, 60)}`);
if (page.scrollWidth > page.clientWidth) found.push(`the page has ${page.scrollWidth} pixels`);
for (const element of document.querySelectorAll('*')) {
    for (const part of ['::before', '::after'])
        if (/error|warning/i.test(getComputedStyle(element, part).content)) tell(element, getComputedStyle(element, part).content);
}
const scrolls = innerWidth < 600 ? 'pre, svg, .table-wrapper:not(:has(.ansible-option-table))' : 'pre, svg';
for (const element of document.querySelectorAll('article *')) {
    if (!element.checkVisibility({ visibilityProperty: true }) || element.closest(scrolls)) continue;
    if (getComputedStyle(element).overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1) tell(element, 'is cut');
    if ([...element.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim())) {
        range.selectNodeContents(element);
        const edge = element.closest('article').getBoundingClientRect().right + 1;
        if ([...range.getClientRects()].some((part) => part.right > edge)) tell(element, 'is beyond the edge');
    }
}
for (const title of document.querySelectorAll('article :is(h1, h2, h3, .ansible-option-title)')) {
    const walker = document.createTreeWalker(title, NodeFilter.SHOW_TEXT);
    let before = null;
    while (walker.nextNode()) for (let place = 0; place < walker.currentNode.length; place += 1) {
        range.setStart(walker.currentNode, place);
        range.setEnd(walker.currentNode, place + 1);
        const top = range.getClientRects()[0]?.top ?? before?.top, letter = walker.currentNode.data[place];
        if (before && top > before.top + 9 && !/[\\s._\u2013-]/.test(before.letter + letter)) tell(title, `breaks after ${before.letter}`);
        before = { top, letter };
    }
}
return found;
"""


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_pages_can_be_read(width: int) -> None:
    if not (shutil.which("chromium") or shutil.which("google-chrome")) or not shutil.which("chromedriver"):
        pytest.skip("not run here, because chromium and chromedriver are not installed")
    wrong = {}
    with browser() as chrome:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        for path in PAGES:
            chrome.get(path.as_uri())
            wrong[identify(path)] = chrome.execute_script(WRONG)
    assert {page: found for page, found in wrong.items() if found} == {}


@pytest.mark.parametrize("path", PAGES, ids=identify)
def test_links_within_the_site_lead_somewhere(path: Path) -> None:
    links = [address for address in look(path).links if not foreign(address)]
    assert [address for address in links if not there(path, address)] == []


def test_every_page_is_in_the_table_of_contents() -> None:
    """That of the site, and of the index that Ansible's own documentation would make: the same pages in one order."""
    entries = re.findall(r"^   ([\w/]+)$", (DOCSITE / "index.rst").read_text(encoding="utf-8"), re.MULTILINE)
    guide = [entry.rpartition("/")[2] for entry in entries if entry.startswith("docsite/")]
    assert sorted(guide) == sorted(path.stem for path in (DOCSITE / "rst").glob("*.rst"))
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} <= set(entries)
    sections = yaml.safe_load((DOCSITE / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    assert [page for section in sections for page in section["toctree"]] == guide
    index = look(SITE / "index.html").links
    for path in PAGES:
        if path.parent in {SITE, SITE / "docsite"} and path.stem not in {"index", "search", "genindex"}:
            assert str(path.relative_to(SITE)) in index


def read_by_playbooks() -> set[str]:
    """The variables that playbooks take from their users: what is used in a template and set nowhere."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("playbooks/**/*.yml")))
    used = set(
        re.findall(r"\bwasmtime_cache_\w+(?=.{0,3}\|\s*default\()|\bwasmtime_cache_\w+(?= is (?:not )?defined)", text)
    )
    made = set(re.findall(r"^\s*register: (\w+)$|^\s*(wasmtime_cache_\w+): ", text, re.MULTILINE))
    return used - {name for names in made for name in names}


def test_the_page_of_playbooks_has_all_variables() -> None:
    specs = yaml.safe_load((ROOT / "roles/wasmtime_cache/meta/argument_specs.yml").read_text(encoding="utf-8"))
    of_role = {name for spec in specs["argument_specs"].values() for name in spec["options"]}
    page = (DOCSITE / "rst" / "playbooks.rst").read_text(encoding="utf-8")
    told = re.findall(r"^   \* - ``(wasmtime_cache_\w+)``$", page, re.MULTILINE)
    assert sorted(told) == sorted(read_by_playbooks() - of_role)
    playbooks = re.findall(r"^   \* - ``wasmops\.wasmtime\.(\w+)``$", page, re.MULTILINE)
    assert sorted(playbooks) == sorted(path.stem for path in ROOT.glob("playbooks/*.yml"))
