# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cache directory for the tests, and looks at it."""

from __future__ import annotations

import io
import os
import time
from typing import TYPE_CHECKING

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml import Library
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage import scan as _scan
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage.scan import (
    Budget,
    CleanupRules,
    look_into,
    open_directory,
)

if TYPE_CHECKING:
    import pytest

COMPILER = "wasmtime-42.0.2"
DAY = 86400
PLENTY = 2**40

# The engine's defaults.
DEFAULTS = CleanupRules(65536, 70, 512 * 2**20, 70, 3600, 1800, DAY)


def name_of(number):
    """The file name of a module."""
    return "%043d" % number


def put(path, data=b"", age=0.0):
    """A file and what is above it, of an age in seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    then = time.time_ns() - int(age * 10**9)
    os.utime(str(path), ns=(then, then))
    return path


def put_at(path, then, data=b""):
    """A file of a time in nanoseconds since 1970."""
    put(path, data)
    os.utime(str(path), ns=(then, then))
    return path


class Cache:
    """A cache directory."""

    def __init__(self, top):
        self.top = top
        self.folder = top / "modules" / COMPILER
        top.mkdir(parents=True, exist_ok=True)

    def module(self, number, size=100, age=0.0, stats=b"usages = 1\noptimized-compression = 3\n", data=None):
        """A cached module with its statistics."""
        path = put(self.folder / name_of(number), bytes(size) if data is None else data, age)
        if stats is not None:
            put(self.folder / (name_of(number) + ".stats"), stats, age)
        return path

    def look(self, rules=DEFAULTS, seconds=60.0, memory=PLENTY, listed=100, clock=time.monotonic, now=None):
        """A look at it that needs no open handle afterwards."""
        handle = open_directory(str(self.top))
        try:
            now = time.time_ns() if now is None else now
            return look_into(handle, rules, now, Budget(seconds, memory, clock), Library().any, listed)
        finally:
            os.close(handle)


class Clock:
    """A clock for a budget: each look at it takes as many seconds as C(step) says."""

    def __init__(self, step: float = 0) -> None:
        self.now = 0.0
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def use_memory(monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
    """Let the system say that this process has so many pages in memory (proc_pid_statm(5))."""

    def statm(path: str, mode: str) -> io.BytesIO:
        assert (path, mode) == ("/proc/self/statm", "rb")
        return io.BytesIO(b"7000 %d 300 1 0 500 0\n" % pages)

    monkeypatch.setattr(_scan, "open", statm, raising=False)


def relative(name):
    """The path of what stands beside the modules."""
    return "modules/%s/%s" % (COMPILER, name)
