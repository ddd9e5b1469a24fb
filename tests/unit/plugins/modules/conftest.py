# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of both modules begin with."""

from __future__ import annotations

import os

import pytest

from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A new world."""
    umask = os.umask(0o022)
    made = World(tmp_path)
    monkeypatch.setenv("HOME", str(made.home))
    # Where Ansible's own controller code, if something imports it, makes its directories.
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "ansible"))
    monkeypatch.setenv("PATH", "%s%s/usr/bin%s/bin" % (made.bin, os.pathsep, os.pathsep))
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    yield made
    os.umask(umask)
