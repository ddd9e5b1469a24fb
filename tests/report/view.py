# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report's page as a person sees and handles it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

if TYPE_CHECKING:
    from selenium import webdriver
    from selenium.webdriver.remote.webelement import WebElement


class Row(NamedTuple):
    """The texts of one host in the table."""

    name: str
    verdict: str
    problems: str
    differs: str
    size: str
    entries: str
    versions: str


# Returns what cannot be read in full: what stands beyond the window or its box, and fields whose text is longer than they are.
CUT = """
const found = [], shown = (element) => element.checkVisibility() && !element.closest('.skip, noscript, svg')
    && getComputedStyle(element.closest('thead') ?? element).clipPath === 'none';
const tell = (element, why) => found.push(`${element.tagName} ${element.className}: ${why}: ${element.textContent.slice(0, 60)}`);
const width = document.documentElement.clientWidth;
if (document.documentElement.scrollWidth > width) found.push(`the page has ${document.documentElement.scrollWidth} pixels`);
for (const element of document.body.querySelectorAll('*')) {
    if (!shown(element) || element.matches('option, optgroup')) continue;
    if (element.clientWidth && element.scrollWidth > element.clientWidth + 1) tell(element, 'wider than its box');
    if (element.matches('input, select')) {
        const style = getComputedStyle(element), pen = document.createElement('canvas').getContext('2d');
        pen.font = style.font;
        const text = element.matches('select') ? element.selectedOptions[0].text : element.value || element.placeholder;
        const room = element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
        if (pen.measureText(text).width > room + 1) tell(element, `no room for ${text}`);
    }
}
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
while (walker.nextNode()) {
    if (!walker.currentNode.data.trim() || !shown(walker.currentNode.parentElement)) continue;
    if (walker.currentNode.parentElement.matches('script, style, option')) continue;
    range.selectNodeContents(walker.currentNode);
    const box = walker.currentNode.parentElement.closest('section, header, footer').getBoundingClientRect();
    for (const part of range.getClientRects()) {
        if (part.left < box.left - 1 || part.right > box.right + 1) tell(walker.currentNode.parentElement, 'beyond its card');
    }
}
return found;
"""
# Returns, for each line but the last of each path, the two characters around its end; not where not even one part fits.
BREAKS = """
const found = [], range = document.createRange();
const top = (node, place) => { range.setStart(node, place); range.setEnd(node, place + 1); return range.getClientRects()[0]?.top; };
for (const path of document.querySelectorAll('.path')) {
    if (!path.checkVisibility()) continue;
    const letters = [], walker = document.createTreeWalker(path, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) for (let place = 0; place < walker.currentNode.length; place += 1)
        letters.push([walker.currentNode.data[place], top(walker.currentNode, place)]);
    for (const [place, [letter, height]] of letters.entries())
        if (place && height > letters[place - 1][1] + 3) found.push([path.textContent, letters[place - 1][0] + letter]);
}
return found;
"""


class View:
    """A page that is open in the browser."""

    def __init__(self, chrome: webdriver.Chrome) -> None:
        self.chrome = chrome

    def one(self, selector: str) -> WebElement:
        return self.chrome.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.chrome.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector: str) -> list[str]:
        return [element.text for element in self.all(selector)]

    def rows(self) -> list[Row]:
        """The hosts on this page of the table, without what is open below them."""
        script = (
            "return [...document.querySelectorAll('#rows > tr:not(.details):has(> th)')]"
            ".map((row) => [...row.children].map((cell) => cell.innerText.trim().toWellFormed()))"
        )
        return [Row(*cells) for cells in self.chrome.execute_script(script)]

    def names(self) -> list[str]:
        return [row.name for row in self.rows()]

    def count(self) -> str:
        return self.one("#count").text

    def choose(self, name: str, value: str) -> None:
        Select(self.one("#" + name)).select_by_value(value)

    def search(self, text: str) -> None:
        box = self.one("#search")
        box.send_keys(Keys.CONTROL, "a")
        box.send_keys(Keys.DELETE)
        box.send_keys(text)

    def press(self, *keys: str) -> None:
        """Press keys wherever the focus is."""
        self.chrome.switch_to.active_element.send_keys(*keys)

    def focused(self) -> str:
        return str(self.chrome.execute_script("return document.activeElement.innerText.trim()"))

    def sort(self, key: str) -> None:
        self.one('[data-sort="%s"]' % key).click()

    def details(self, name: str) -> WebElement:
        """What is open below a host; it is opened if need be."""
        button = next(button for button in self.all(".host") if button.text == name)
        if button.get_attribute("aria-expanded") == "false":
            button.click()
        return self.one("#" + str(button.get_attribute("aria-controls")))

    def resize(self, width: int) -> None:
        """Give the window this width in CSS pixels; 0 is that with which the browser has started."""
        if width:
            size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
            self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        else:
            self.chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def cut(self) -> list[str]:
        """What cannot be read in full."""
        return list(self.chrome.execute_script(CUT))

    def breaks(self) -> list[tuple[str, str]]:
        """Each path that takes more than one line, with the characters at an end of a line and behind it."""
        return list(map(tuple, self.chrome.execute_script(BREAKS)))

    def complaints(self) -> list[str]:
        """All errors and warnings in the console since it was last asked."""
        return [entry["message"] for entry in self.chrome.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses of all that pages asked for since it was last asked."""
        events = [json.loads(entry["message"])["message"] for entry in self.chrome.get_log("performance")]
        asked = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        # The page with which the browser itself begins may still be loading.
        own = ("chrome:", "chrome-untrusted:")
        return [each["request"]["url"] for each in asked if not each["documentURL"].startswith(own)]
