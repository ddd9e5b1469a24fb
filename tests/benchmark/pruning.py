# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long it takes to prune a large cache, and how much memory: a process of its own for each run."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

ENTRIES = 200_000
SIZE = 100  # bytes of a module: that of its contents does not matter, as none is read
STATISTICS = b"usages = 1\noptimized-compression = 3\n"
# The options of each run; the next one has what this one leaves.
RUNS: dict[str, dict[str, Any]] = {
    "see what `all` removes, in check mode": {"remove": ["all"], "_ansible_check_mode": True},
    "see what is over the limits, in check mode": {"remove": ["over_limits"], "_ansible_check_mode": True},
    "remove what is over the limits": {"remove": ["over_limits", "stale_locks"]},
    "remove the rest": {"remove": ["all"]},
}
_CHILD = (
    "import json, sys, ansible.module_utils.basic as basic\n"
    "basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = sys.argv[1].encode(), 'legacy'\n"
    "from ansible_collections.wasmops.wasmtime.plugins.modules import cache_prune\n"
    "cache_prune.main()\n"
)


def fill(top: Path, entries: int) -> None:
    """Make a cache of so many modules, each with its statistics, a second older than the one before."""
    folder = top / "modules" / "wasmtime-42.0.2"
    folder.mkdir(parents=True)
    now = time.time()
    for number in range(entries):
        for name, data in (("%043d" % number, bytes(SIZE)), ("%043d.stats" % number, STATISTICS)):
            path = folder / name
            path.write_bytes(data)
            os.utime(path, (now - number, now - number))


def measure(python: str, entries: int = ENTRIES) -> list[dict[str, Any]]:
    """Measure, in seconds and bytes; with the limits of a config that says nothing of them, and all the time it takes.

    C(python): an interpreter that has ansible-core.
    """
    found = []
    with tempfile.TemporaryDirectory(prefix="wasmtime-benchmark-") as name:
        there = Path(name)
        fill(there / "cache", entries)
        (there / "config.toml").write_text('[cache]\ndirectory = "%s/cache"\n' % name, encoding="utf-8")
        for what, options in RUNS.items():
            arguments = {"path": name + "/config.toml", "time_limit": 600, **options, "_ansible_tmpdir": name}
            started = time.perf_counter()
            process = subprocess.Popen(
                [python, "-c", _CHILD, json.dumps({"ANSIBLE_MODULE_ARGS": arguments})], stdout=subprocess.PIPE
            )
            assert process.stdout is not None
            result = json.loads(process.stdout.read())
            _pid, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0, result
            found.append(
                {
                    "run": what,
                    "entries": sum(figures["entries"] for figures in result["removed"].values()),
                    "seconds": seconds,
                    "cpu": used.ru_utime + used.ru_stime,
                    "memory": used.ru_maxrss * 1024,
                }
            )
    return found
