# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of both modules begin with."""

from __future__ import annotations

import contextlib
import os

import pytest

from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import place
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import World


@contextlib.contextmanager
def made_in(root, monkeypatch):
    """A world in a directory."""
    umask = os.umask(0o022)
    made = World(root)
    monkeypatch.setenv("HOME", str(made.home))
    # Where Ansible's own controller code, if something imports it, makes its directories.
    monkeypatch.setenv("ANSIBLE_HOME", str(root / "ansible"))
    monkeypatch.setenv("PATH", "%s%s/usr/bin%s/bin" % (made.bin, os.pathsep, os.pathsep))
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    try:
        yield made
    finally:
        os.umask(umask)


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A new world, closed to other users."""
    with made_in(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def public_world(monkeypatch):
    """A new world that other users can enter."""
    with place(os.geteuid()) as there, made_in(there, monkeypatch) as made:
        yield made
