# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process with a library that contains Wasmtime: compiles something, says how that went, or stays."""

from __future__ import annotations

import ctypes
import json
import os
import re
import sys
from typing import Any

MODULE = bytes.fromhex("0061736d010000000104016000000302010007050101660000" + "0a040102000b")
POINTER = ctypes.c_void_p


class Bytes(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("data", ctypes.POINTER(ctypes.c_char))]


def message(library: Any, error: Any) -> str:
    said = Bytes()
    library.wasmtime_error_message.argtypes = [POINTER, POINTER]
    library.wasmtime_error_message(error, ctypes.byref(said))
    return said.data[: said.size].decode()  # type: ignore[no-any-return]


def with_library(path: str, config: str) -> dict[str, Any]:
    library: Any = ctypes.CDLL(path)
    for name, arguments in (
        ("wasm_config_new", []),
        ("wasmtime_config_cache_config_load", [POINTER, ctypes.c_char_p]),
        ("wasm_engine_new_with_config", [POINTER]),
        ("wasmtime_module_new", [POINTER, ctypes.c_char_p, ctypes.c_size_t, POINTER]),
        ("wasmtime_module_serialize", [POINTER, POINTER]),
    ):
        getattr(library, name).restype = POINTER
        getattr(library, name).argtypes = arguments
    settings = library.wasm_config_new()
    if config:
        error = library.wasmtime_config_cache_config_load(settings, config.encode())
        if error:
            return {"error": message(library, error), "version": None}
    module, made = POINTER(), Bytes()
    engine = library.wasm_engine_new_with_config(settings)
    assert not library.wasmtime_module_new(engine, MODULE, len(MODULE), ctypes.byref(module))
    assert not library.wasmtime_module_serialize(module, ctypes.byref(made))
    # The version, with its length before it, stands before the name of the platform.
    text = made.data[: made.size]
    found = re.search(rb"[\x02\x06]([0-9.]+)\x18\0*(?:x86_64|aarch64)-", text)
    return {"error": None, "version": found and found.group(1).decode()}


def with_extism(path: str, config: str) -> dict[str, Any]:
    os.environ["EXTISM_CACHE_CONFIG"] = config
    library: Any = ctypes.CDLL(path)
    new = library.extism_plugin_new
    new.restype = POINTER
    new.argtypes = [ctypes.c_char_p, ctypes.c_uint64, POINTER, ctypes.c_uint64, ctypes.c_bool, POINTER]
    error = ctypes.c_char_p()
    plugin = new(MODULE, len(MODULE), None, 0, False, ctypes.byref(error))
    return {"error": None if plugin else (error.value or b"").decode(), "version": None}


def main(how: str, path: str, config: str) -> None:
    if how == "stay":
        ctypes.CDLL(path)
        print("ready", flush=True)
        sys.stdin.read()
        return
    print(json.dumps((with_extism if how == "extism" else with_library)(path, config)))


main(*sys.argv[1:])
