# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One browser for all tests; a page of its own for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

import pytest

from ansible_collections.wasmops.wasmtime.tests.report.browser import browser, write_page
from ansible_collections.wasmops.wasmtime.tests.report.view import View

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium import webdriver


@pytest.fixture(scope="session")
def chrome() -> Iterator[webdriver.Chrome]:
    with browser() as started:
        yield started


@pytest.fixture
def view(chrome: webdriver.Chrome, tmp_path: Path) -> Iterator[Callable[[dict[str, Any]], View]]:
    """Opens the page of the results given. In the end nothing may have gone wrong in it, nor been asked of any network."""
    opened = []

    def see(results: dict[str, Any]) -> View:
        for kind in ("browser", "performance"):
            chrome.get_log(kind)  # what was before is none of ours
        path = write_page(results, tmp_path)
        chrome.get(path.as_uri())
        opened.append(path.as_uri())
        return View(chrome)

    yield see
    page = View(chrome)
    assert page.complaints() == []
    assert set(page.requests()) <= set(opened)
