# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run nothing, nowhere, and answer at once: what is left is what the controller does.

The answers are in a folder that the environment variable BENCHMARK_ANSWERS names, a file for each host with its answers
by the names of modules. Without it, all is as it should be.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: nowhere
short_description: Run nothing and say that all is as it should be
description: For every module that is run, the result of an unchanged C(cache_config) is returned, or an answer that is given.
options: {}
"""

SETTINGS = {
    "directory": "/var/cache/wasmtime",
    "worker_event_queue_size": 16,
    "baseline_compression_level": 3,
    "optimized_compression_level": 20,
    "optimized_compression_usage_counter_threshold": 256,
    "cleanup_interval": 86400,
    "optimizing_compression_task_timeout": 1800,
    "allowed_clock_drift_for_files_from_future": 86400,
    "file_count_soft_limit": 65536,
    "files_total_size_soft_limit": 2147483648,
    "file_count_limit_percent_if_deleting": 70,
    "files_total_size_limit_percent_if_deleting": 70,
}
RESULT = {
    "changed": False,
    "path": "/etc/wasmtime/config.toml",
    "created": False,
    "settings": {"cleanup_interval": "1d", "directory": "/var/cache/wasmtime", "files_total_size_soft_limit": "2Gi"},
    "effective": SETTINGS,
    "changed_settings": {},
    "removed": [],
    "problems": [],
    "directory": {
        "path": "/var/cache/wasmtime",
        "exists": True,
        "owner": "ci",
        "group": "ci",
        "mode": "0700",
        "dangers": [],
    },
    "wasmtime_version": "42.0.2",
}


class Connection(ConnectionBase):  # type: ignore[misc] # has no types
    """The connection plugin."""

    transport = "nowhere"
    has_pipelining = True

    def _connect(self) -> Connection:
        self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: Any = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        folder = os.environ.get("BENCHMARK_ANSWERS")
        if not folder:
            return 0, json.dumps(RESULT).encode(), b""
        answers = json.loads(Path(folder, self._play_context.remote_addr + ".json").read_text())
        # The module is in what is sent, below its name.
        name = next(name for name in answers if b"modules." + name.encode() + b"'" in in_data)
        return 0, json.dumps(answers[name]).encode(), b""

    def put_file(self, in_path: str, out_path: str) -> None:
        pass

    def fetch_file(self, in_path: str, out_path: str) -> None:
        pass

    def close(self) -> None:
        self._connected = False
