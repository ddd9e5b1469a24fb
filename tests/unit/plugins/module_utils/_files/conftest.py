# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of files begin with."""

from __future__ import annotations

import os

import pytest

from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import place


@pytest.fixture(autouse=True)
def _usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def public():
    """A directory of this user that everybody can enter; pytest's own are closed to others."""
    with place(os.geteuid()) as there:
        yield there
