# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what tasks and runs cost as lines of JSON, for controller.py."""

from __future__ import annotations

import json
import os
import resource
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: clock
type: notification
short_description: Write what tasks and runs cost as lines of JSON
description:
  - The lines go to the file that the environment variable E(BENCHMARK_LINES) names.
  - Tasks are measured if E(BENCHMARK_COUNTERS) is an object of names and files, each with a number that grows. Only
    one host can be measured so.
"""

# Processes that a task leaves behind end within this time, in seconds, and are not counted as part of the next one.
SETTLE = 0.02


class CallbackModule(CallbackBase):  # type: ignore[misc] # has no types
    """The callback plugin."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "clock"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._counters: dict[str, str] = json.loads(os.environ["BENCHMARK_COUNTERS"])
        self._started = 0.0
        self._before: dict[str, int] = {}

    def _read(self) -> dict[str, int]:
        time.sleep(SETTLE)
        # A single number, or as in cpu.stat a table whose first line is "usage_usec 12345".
        return {name: int(Path(path).read_text().split("\n")[0].split()[-1]) for name, path in self._counters.items()}

    @staticmethod
    def _write(line: dict[str, Any]) -> None:
        with Path(os.environ["BENCHMARK_LINES"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        if self._counters:
            self._before = self._read()
            self._started = time.perf_counter()

    def v2_runner_on_ok(self, result: Any) -> None:
        if self._counters:
            seconds = time.perf_counter() - self._started
            used = {name: value - self._before[name] for name, value in self._read().items()}
            changed = bool(result._result.get("changed"))
            self._write({"task": result._task.name, "changed": changed, "seconds": seconds, **used})

    def v2_playbook_on_stats(self, stats: Any) -> None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        self._write({"main_cpu": used.ru_utime + used.ru_stime, "changed": sum(stats.changed.values())})
