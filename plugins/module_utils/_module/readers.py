# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Wasmtimes read the config that a task is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._config.versions import CURRENT, BadVersion, for_version
from .common import NAME_A_VERSION, Readers
from .refused import Refused

if TYPE_CHECKING:
    from .._engines.inventory import Program

AUTO = "auto"


def readers_for(module: Any) -> Readers:
    """Return the Wasmtimes that the options C(wasmtime_version) and C(programs) name. Raises Refused."""
    versions, paths = module.params["wasmtime_version"] or (), module.params.get("programs") or ()
    if not versions and not paths:
        return Readers(CURRENT, None)
    named = tuple(version.strip() for version in versions if version != AUTO)
    try:
        dialects = {for_version(version) for version in named}
    except BadVersion as error:
        raise Refused(
            'wasmtime_version: "%s" is not a Wasmtime version; %s, or "auto" for those that are installed'
            % (error.version, NAME_A_VERSION)
        ) from error
    programs: list[Program] = []
    if paths or AUTO in versions:
        # A run that names versions alone never loads this.
        from .programs import programs_of

        programs = programs_of(paths, AUTO in versions)
    told = list(named)
    for program in programs:
        dialects.update(program.engine.dialects())
        told += program.engine.possible_versions()
    ordered = sorted(dialects, key=lambda dialect: (dialect.first, dialect.reader, dialect.grammars))
    return Readers(tuple(ordered), ", ".join(dict.fromkeys(told)) or None, named, tuple(programs))
