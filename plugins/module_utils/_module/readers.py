# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Wasmtimes read the config that a task is about."""

from __future__ import annotations

from typing import Any

from .._config.versions import CURRENT
from .common import Readers


def readers_for(module: Any) -> Readers:
    """Return the Wasmtimes that the options C(wasmtime_version) and C(programs) name. Raises Refused."""
    versions, programs = module.params["wasmtime_version"], module.params.get("programs")
    if not versions and not programs:
        return Readers(CURRENT, None)
    # A run that names neither never loads this.
    from .programs import readers

    return readers(versions or (), programs or ())
