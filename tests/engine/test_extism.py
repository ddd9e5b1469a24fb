# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the library of Extism gets its config, and how its cache is disabled."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ansible_collections.wasmops.wasmtime.tests.engine.engines import EXTISM
from ansible_collections.wasmops.wasmtime.tests.engine.live import installed
from ansible_collections.wasmops.wasmtime.tests.engine.statements import proves

if TYPE_CHECKING:
    from pathlib import Path

# Compiles an empty WebAssembly module, as a program with the library does.
COMPILE = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
compiled = library.extism_compiled_plugin_new
compiled.restype = ctypes.c_void_p
compiled.argtypes = [ctypes.c_char_p, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_bool, ctypes.c_void_p]
words = ctypes.c_void_p()
module = b"\\0asm\\1\\0\\0\\0"
if not compiled(module, len(module), None, 0, False, ctypes.byref(words)):
    sys.exit(ctypes.string_at(words.value).decode())
"""


def compile_with(home: Path, **environment: str) -> str:
    """Compile a module for a user with this home; what the library says if it fails."""
    library = installed(EXTISM) / "extism_sys" / "libextism_sys.so"
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, str(library)],
        env={"HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr


def entries(directory: Path) -> list[Path]:
    """Return the cached modules below a directory."""
    return [path for path in directory.rglob("*") if path.is_file() and "modules" in path.parts]


@pytest.mark.parametrize("with_file", [False, True])
@proves(
    "an empty E(EXTISM_CACHE_CONFIG) of Extism",
    "EXTISM_CACHE_CONFIG= (empty) for Extism",
    "``EXTISM_CACHE_CONFIG=`` in the environment",
    "- ``EXTISM_CACHE_CONFIG=``, set and empty",
)
def test_an_empty_variable_switches_the_cache_off(tmp_path: Path, with_file: bool) -> None:
    config = tmp_path / ".config" / "wasmtime" / "config.toml"
    named = tmp_path / "named"
    if with_file:
        config.parent.mkdir(parents=True)
        config.write_text('[cache]\ndirectory = "%s"\n' % named, encoding="utf-8")
    assert compile_with(tmp_path, EXTISM_CACHE_CONFIG="") == ""
    assert entries(tmp_path) == []
    # Its neighbour: not set, it is the default path, and without a file there the default directory.
    assert compile_with(tmp_path) == ""
    assert entries(named if with_file else tmp_path / ".cache" / "wasmtime")


def test_a_variable_names_the_config(tmp_path: Path) -> None:
    config, named = tmp_path / "own.toml", tmp_path / "named"
    config.write_text('[cache]\ndirectory = "%s"\n' % named, encoding="utf-8")
    assert compile_with(tmp_path, EXTISM_CACHE_CONFIG=str(config)) == ""
    assert entries(named)
    config.write_text("[cache]\nenabled = false\n", encoding="utf-8")
    assert "enabled" in compile_with(tmp_path, EXTISM_CACHE_CONFIG=str(config))


@proves(
    "set EXTISM_CACHE_CONFIG=FILE for Extism",
    "``EXTISM_CACHE_CONFIG=FILE`` in the environment of a program with Extism",
    "- ``EXTISM_CACHE_CONFIG=FILE``, or the default path",
)
def test_the_variable_names_the_file(tmp_path: Path) -> None:
    config, named = tmp_path / "config.toml", tmp_path / "named"
    config.write_text('[cache]\ndirectory = "%s"\n' % named, encoding="utf-8")
    assert compile_with(tmp_path, EXTISM_CACHE_CONFIG=str(config)) == ""
    assert list(named.rglob("*"))
