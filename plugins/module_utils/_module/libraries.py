# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""End a run for missing Python libraries."""

from __future__ import annotations

from typing import NoReturn

from .refused import Refused


def refuse_library(name: str, needed_for: str, error: BaseException) -> NoReturn:
    """End the run for a missing Python library. Raises Refused."""
    raise without_library(name, needed_for) from error


def without_library(name: str, needed_for: str) -> Refused:
    """Return the end of a run for a missing library, with Ansible's own sentence on those.

    It names all missing libraries that a run may need, so that one task can install them.
    """
    import importlib.util

    from ansible.module_utils.basic import missing_required_lib

    modules = {"tomli": ("tomllib", "tomli"), "tomli-w": ("tomli_w",), "platformdirs": ("platformdirs",)}
    names = [name] + [
        library
        for library, any_of in modules.items()
        if library != name and not any(importlib.util.find_spec(module) for module in any_of)
    ]
    return Refused(missing_required_lib(", ".join(names), reason="for " + needed_for), missing_libraries=names)
