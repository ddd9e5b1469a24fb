# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the fault tests."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import pytest

from ansible_collections.wasmops.wasmtime.tests.faults.runs import program
from ansible_collections.wasmops.wasmtime.tests.faults.scenes import place
from ansible_collections.wasmops.wasmtime.tests.faults.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", autouse=True)
def usual_umask() -> None:
    """Set the usual umask, so that files are the same on every machine."""
    os.umask(0o022)


@pytest.fixture(scope="session")
def stages() -> Iterator[list[Stage]]:
    """Provide as many stages as are useful at once."""
    with contextlib.ExitStack() as stack:
        yield [
            Stage(stack.enter_context(program()), stack.enter_context(place()))
            for _number in range(min(2, os.cpu_count() or 1))
        ]
