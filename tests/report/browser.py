# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Chromium of this machine, without a window, and the report's page in it."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._page import page
from ansible_collections.wasmops.wasmtime.tests.report.fleet import fleet_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HANG = 300.0  # seconds after which the browser is taken to hang


@contextmanager
def browser(width: int = 1440, height: int = 900) -> Iterator[webdriver.Chrome]:
    """A browser with a fresh profile, which keeps a log of its console and of its requests."""
    options = webdriver.ChromeOptions()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        raise RuntimeError("needs chromium and chromedriver on PATH")
    options.binary_location = program
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for argument in (
            "headless=new",
            f"window-size={width},{height}",
            f"user-data-dir={profile}",
            "force-color-profile=srgb",
            "hide-scrollbars",
            "disable-background-networking",
            "disable-dev-shm-usage",
        ):
            options.add_argument("--" + argument)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # which Chromium does not have for root
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        chrome = webdriver.Chrome(options=options, service=Service(driver))
        chrome.set_script_timeout(HANG)
        chrome.set_page_load_timeout(HANG)
        try:
            yield chrome
        finally:
            chrome.quit()


def prefer(chrome: webdriver.Chrome, scheme: str) -> None:
    """Let the system of the user prefer C(light) or C(dark)."""
    chrome.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )


def write_page(results: dict[str, Any], folder: Path) -> Path:
    """The page of these results, in a file of the folder."""
    path = folder / "report.html"
    path.write_text(page(fleet_of(results)), "utf-8")
    return path
