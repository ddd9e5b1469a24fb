# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long it takes to read and judge a config, in this process."""

from __future__ import annotations

import statistics
import time
from typing import Any

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import MAX_BYTES
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml import Library
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import CURRENT
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import common as _common

from .tasks import CONFIG

TYPICAL = CONFIG.format(folder="/var/cache", value="1d")
REPETITIONS = 15


def filled(line: str) -> str:
    """The typical config, and numbered lines up to the greatest size that is read."""
    lines = [TYPICAL]
    size = len(TYPICAL)
    while True:
        more = line % len(lines)
        size += len(more)
        if size > MAX_BYTES:
            return "".join(lines)
        lines.append(more)


def measure() -> list[dict[str, Any]]:
    """Measure, in seconds, for a config as it should be and two that are absurd."""
    documents = {
        "typical": TYPICAL,
        "64 KiB, nearly all comments": filled("# comment %d\n"),
        "64 KiB, nearly all unknown settings": filled("unknown-%d = 1\n"),
    }
    found = []
    for name, text in documents.items():
        data = text.encode()
        times = []
        for _repetition in range(REPETITIONS):
            started = time.perf_counter()
            _common.config_from(data, CURRENT, _common.host(), Library())
            times.append(time.perf_counter() - started)
        found.append({"document": name, "bytes": len(data), "seconds": statistics.median(times)})
    return found
