# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the pictures of the report's page in docs/images, and measure the page of a large fleet.

Usage: python -m ansible_collections.wasmops.wasmtime.tests.report screenshots FOLDER | measure [HOSTS]
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selenium.webdriver.common.by import By

from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._page import page
from ansible_collections.wasmops.wasmtime.tests.report.browser import browser, prefer, write_page
from ansible_collections.wasmops.wasmtime.tests.report.fleet import fleet_of, results

if TYPE_CHECKING:
    from selenium import webdriver

LICENSE = Path(__file__).resolve().parents[2] / "CHANGELOG.md.license"
LARGE = 5000
TIMES = 5


def screenshots(folder: Path) -> None:
    """A small and a large fleet, light and dark; of each what is above, and the hosts."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work, browser(1280, 1000) as chrome:
        for name, number, above, below in (("small", 5, "light", "dark"), ("large", LARGE, "dark", "light")):
            prefer(chrome, above)
            chrome.get(write_page(results(number), Path(work)).as_uri())
            picture(chrome, folder, f"report-{name}-{above}")
            prefer(chrome, below)
            chrome.find_element(By.CSS_SELECTOR, ".host" if name == "small" else '[data-sort="size"]').click()
            picture(chrome, folder, f"report-{name}-{below}", "hosts")


def picture(chrome: webdriver.Chrome, folder: Path, name: str, element: str = "") -> None:
    """A picture of the window, from this element on."""
    chrome.execute_script(
        "document.activeElement.blur(); (document.getElementById(arguments[0]) ?? document.body).scrollIntoView()",
        element,
    )
    path = folder / (name + ".png")
    path.write_bytes(chrome.get_screenshot_as_png())
    shutil.copyfile(LICENSE, path.with_name(path.name + ".license"))
    print(f"{path}: {path.stat().st_size // 1024} KiB")


def measure(number: int) -> None:
    """Print how large the report on this many hosts is, and how long the steps take; times are medians."""

    def timed(step: Any, *arguments: Any) -> Any:
        start = time.perf_counter()
        result = step(*arguments)
        print(f"{step.__name__ + ':':12}{time.perf_counter() - start:8.2f} s")
        return result

    found = results(number)
    data = timed(fleet_of, found)
    text = timed(page, data)
    written = json.dumps(data, indent=1)
    print(f"HTML:       {len(text.encode()) / 2**20:8.2f} MiB")
    print(f"JSON:       {len(written) / 2**20:8.2f} MiB")
    with tempfile.TemporaryDirectory() as work, browser() as chrome:
        path = Path(work, "report.html")
        path.write_text(text, "utf-8")
        actions = {
            "load": "return performance.getEntriesByType('navigation')[0].loadEventEnd",
            "sort": by_hand("document.querySelector('[data-sort=size]').click()"),
            "search": by_hand("search.value = 'fra enabled'; search.dispatchEvent(new Event('input'))"),
            "filter": by_hand("verdict.value = 'good'; verdict.dispatchEvent(new Event('change'))"),
        }
        times: dict[str, list[float]] = {action: [] for action in actions}
        for _time in range(TIMES):
            chrome.get(path.as_uri())
            for action, script in actions.items():
                times[action].append(chrome.execute_script(script))
        for action, taken in times.items():
            print(f"{action + ':':12}{statistics.median(taken):8.0f} ms")


def by_hand(action: str) -> str:
    """A script that returns the milliseconds which an action takes, layout included."""
    return (
        "const search = document.getElementById('search'), verdict = document.getElementById('verdict');"
        f"const start = performance.now(); {action}; document.body.offsetHeight; return performance.now() - start"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("screenshots").add_argument("folder", type=Path)
    commands.add_parser("measure").add_argument("hosts", type=int, nargs="?", default=LARGE)
    given = parser.parse_args()
    if given.command == "screenshots":
        screenshots(given.folder)
    else:
        measure(given.hosts)


if __name__ == "__main__":
    sys.exit(main())
