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

    def complaints(self) -> list[str]:
        """All errors and warnings in the console since it was last asked."""
        return [entry["message"] for entry in self.chrome.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses of all that pages asked for since it was last asked."""
        events = [json.loads(entry["message"])["message"] for entry in self.chrome.get_log("performance")]
        asked = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        # The page with which the browser itself begins may still be loading.
        return [each["request"]["url"] for each in asked if not each["documentURL"].startswith("chrome:")]
