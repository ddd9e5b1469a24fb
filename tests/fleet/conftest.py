# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the scenarios: the ansible-cores, and a lab for each test."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ansible_collections.wasmops.wasmtime.tests.fleet.lab import RELEASES, Lab, provide_roots
from ansible_collections.wasmops.wasmtime.tests.fleet.runner import Ansible

if TYPE_CHECKING:
    from collections.abc import Iterator

# Version and folder of programs of each, from the nox session: {"2.19": "/.../bin"}.
CORES: dict[str, str] = json.loads(os.environ["FLEET_CORES"])


@pytest.fixture(params=CORES)
def ansible(request: pytest.FixtureRequest, tmp_path: Path) -> Ansible:
    """Provide each ansible-core in turn."""
    return Ansible(Path(CORES[request.param]), tmp_path)


@pytest.fixture
def newest_ansible(tmp_path: Path) -> Ansible:
    """Provide the newest ansible-core, for tests that do not depend on it."""
    return Ansible(Path(list(CORES.values())[-1]), tmp_path)


@pytest.fixture(scope="session")
def roots() -> None:
    """Build the roots of all releases at once, and report errors once."""
    provide_roots(RELEASES)


@pytest.fixture
def lab(roots: None) -> Iterator[Lab]:
    """Provide a lab without hosts."""
    with Lab() as new:
        yield new
