# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cache_config: Python libraries that are missing."""

from __future__ import annotations

import sys

import pytest

from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import (
    absent,
)


def without(monkeypatch, *names):
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)


PLATFORMDIRS = ("platformdirs", "platformdirs.unix", "platformdirs.macos")
PARSERS = ("tomllib", "tomli")


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        (("tomli_w",), ["tomli-w"]),
        (PARSERS, ["tomli"]),
        ((*PARSERS, "tomli_w"), ["tomli", "tomli-w"]),
        (PLATFORMDIRS, ["platformdirs"]),
        ((*PARSERS, "tomli_w", *PLATFORMDIRS), ["platformdirs", "tomli", "tomli-w"]),
    ],
    ids=str,
)
def test_missing_libraries_are_named_in_ansible_s_words(world, monkeypatch, missing, named):
    world.write("[cache]\n")
    without(monkeypatch, *missing)
    before = world.snapshot()
    path = ... if "platformdirs" in named else str(world.config)
    result = world.run(path=path, cleanup_interval="2h")
    assert result["missing_libraries"] == named
    assert "Failed to import the required Python library (%s)" % ", ".join(named) in result["msg"]
    assert world.snapshot() == before


def test_what_needs_no_library_does_without(world, monkeypatch):
    world.run()
    without(monkeypatch, "tomli_w", *PLATFORMDIRS)
    assert world.both()["changed"] is False
    without(monkeypatch, *PARSERS)
    assert absent(world)["changed"] is True
