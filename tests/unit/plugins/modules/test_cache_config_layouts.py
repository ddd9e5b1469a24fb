# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cache_config: Layouts of a config that cannot be edited."""

from __future__ import annotations

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.edit import CannotEdit
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import edited as _edited


def test_a_layout_that_is_too_complex_is_left_alone(world, monkeypatch):
    def refuse(*_arguments):
        raise CannotEdit

    world.write("[cache]\n")
    monkeypatch.setattr(_edited, "edit", refuse)
    assert world.refused() == (
        "%s: the layout of the file is too unusual to edit in place; change it by hand" % world.config
    )


def test_an_edit_that_does_not_say_what_was_meant_is_not_written(world, monkeypatch):
    world.write("[cache]\n")
    monkeypatch.setattr(_edited, "edit", lambda text, changes, loads, write: text + "cleanup-interval = '9h'\n")
    assert "its layout does not allow this change in place" in world.refused()
