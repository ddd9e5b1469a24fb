# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the Wasmtimes in the programs that read a config. None is executed."""

from __future__ import annotations

import time
from typing import Any, Sequence

from .._config.printable import quoted
from .._config.programs import KNOWN, OTHERS
from .._config.versions import for_version
from .._engines.binary import TimeOver
from .._engines.inventory import (
    LISTED,
    SIZE_LIMIT,
    Inventory,
    NoEngine,
    Program,
    leads_to_directory,
    program_at,
    usual_places,
)
from .common import NAME_A_VERSION, Readers, refuse_relative
from .reasons import sentence
from .refused import Refused

# The limits of a search, as the defaults of engine_info.
TIME_LIMIT = 60  # seconds
DEPTH = 8

# The message about a program without a known Wasmtime, by the codes of C(NoEngine).
REASONS = {
    "missing": "there is no such file; correct the path, or install the program first",
    "not-a-program": "this is no executable and no shared library; name the program that reads the config",
    "no-engine": "there is no Wasmtime in this file; if it loads one from another file, name that file",
    "script": "this is a script; name the program that it starts",
    "packed": "this is packed by UPX and cannot be read; name the version in wasmtime_version instead",
    "special-file": "this is a directory, a device, a FIFO or a socket; name the program itself",
    "too-large": "this has more than 1 GiB and is not read; name the version in wasmtime_version instead",
    "changing": "this changed while it was read; run again when nothing writes it",
    "unreadable": "this cannot be read; run as a user who may read it, or name the version in wasmtime_version instead",
}
_NO_CONFIG = "the Wasmtime in this file cannot read a cache config; leave it out"
_SLOW = "this could not be read in %d seconds; name the version in wasmtime_version instead" % TIME_LIMIT
_NAME_IT = "write the version instead, or name the programs in programs"


def programs_of(paths: Sequence[str], auto: bool) -> list[Program]:
    """Return the programs at these paths and, with C(auto), those that are installed. Raises Refused."""
    found = _at(paths)
    if auto:
        known = {program.path for program in found}
        found += [program for program in _installed() if program.path not in known]
    return found


def _at(paths: Sequence[str]) -> list[Program]:
    """Return the programs at these paths; each must read a config."""
    refuse_relative("programs", paths)
    if len(paths) > LISTED:
        raise Refused("programs has %d paths; name %d at most" % (len(paths), LISTED))
    found = []
    deadline = time.monotonic() + TIME_LIMIT
    for path in dict.fromkeys(paths):
        detail = None
        try:
            program = program_at(path, SIZE_LIMIT, deadline)
        except NoEngine as error:
            reason, detail = REASONS[error.code], error.detail
        except TimeOver:
            reason = _SLOW
        else:
            if program.engine.reads_config:
                found.append(program)
                continue
            reason = _NO_CONFIG
        raise Refused("programs: %s: %s%s" % (quoted(path), reason, " (%s)" % sentence(detail) if detail else ""))
    return found


def _installed() -> list[Program]:
    """Return the programs in the usual places that read a config."""
    inventory = Inventory(SIZE_LIMIT, TIME_LIMIT)
    for place in usual_places():
        if leads_to_directory(place):
            inventory.search(place, DEPTH)
    if "time-limit" in inventory.notes:
        text = "wasmtime_version: auto: the usual places could not be searched in %d seconds; %s"
        raise Refused(text % (TIME_LIMIT, _NAME_IT))
    found = [program for program in inventory.programs.values() if program.engine.reads_config]
    if not found:
        text = "wasmtime_version: auto: no program in the usual places has a Wasmtime that reads a cache config; %s"
        raise Refused(text % NAME_A_VERSION)
    return sorted(found, key=lambda program: program.path)


def as_results(found: Readers) -> list[dict[str, Any]]:
    """Return the first programs that read the config, in the form of the result."""
    names = ("version", "versions", "program", "toml", "dialect")
    results = []
    for program in found.programs[:LISTED]:
        told = program.engine.as_dict()
        results.append({"path": program.path, **{name: told[name] for name in names}})
    return results


def apart(found: Readers) -> str:
    """Return why no file suits all of these, and what to do. They must be C(apart)."""
    if not found.programs:
        return (
            "wasmtime_version: %s: Wasmtime up to 32 requires enabled and later ones refuse it, so no file suits both;"
            " give each a file of its own" % found.versions
        )
    sides: dict[bool, list[str]] = {True: [], False: []}
    for version in found.named:
        sides[for_version(version).enabled].append("Wasmtime " + version)
    for program in found.programs:
        name = "%s (%s)" % (quoted(program.path), _version(program))
        enabled = {dialect.enabled for dialect in program.engine.dialects()}
        if len(enabled) > 1:
            return (
                "programs: %s: its version is not known, and no file suits both Wasmtime up to 32 and later ones;"
                " name the version in wasmtime_version instead" % name
            )
        sides[enabled.pop()].append(name)
    known = {program.engine.program for program in found.programs}
    ways = [KNOWN[name].file for name in KNOWN if name in known] + ([OTHERS] if None in known else [])
    return (
        "no file suits all that read it: enabled is required by %s and refused by %s;"
        " give each side a file of its own: %s" % (_some(sides[True]), _some(sides[False]), "; ".join(ways))
    )


def _version(program: Program) -> str:
    return "Wasmtime " + (" or ".join(program.engine.possible_versions()) or "of an unknown version")


def _some(names: Sequence[str], most: int = 10) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (" and %d more" % rest if rest > 0 else "")
