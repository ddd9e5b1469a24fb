# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load configs with a real engine, one after the other; report its messages, and the directories that it creates.

Started by engines.py with the engine on PYTHONPATH; arguments: an empty directory, bytes of memory.
Reads a document in base64 per line, answers with a line of JSON: [error or null, directories].

The engine creates any cache directory that a document names. So this process confines itself to
its own empty directory and to the rights of the user nobody.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import importlib.util
import json
import os
import resource
import sys
from pathlib import Path
from typing import Callable, Optional

Load = Callable[[str], Optional[str]]
"""Loads a config with the engine; returns its message if it refuses the config."""

CONFIG = "/config.toml"
NOBODY = 65534
CLONE_NEWUSER = 0x10000000


# Extism would write its profile to a file of this name; where that is a directory, it fails before it compiles anything.
PROFILE = "/jit-%d.dump" % os.getpid()
BARRED = "Is a directory (os error 21)"


def wasmtime() -> Load:
    """Return the package of Wasmtime itself."""
    from wasmtime import Config, WasmtimeError

    def load(path: str) -> str | None:
        try:
            config = Config()
            config.cache = path
        except WasmtimeError as error:
            return str(error)
        return None

    return load


def extism(library: Path) -> Load:
    """Return the library of Extism."""
    loaded = ctypes.CDLL(str(library))
    new, free = loaded.extism_compiled_plugin_new, loaded.extism_plugin_new_error_free
    new.restype = ctypes.c_void_p
    new.argtypes = [ctypes.c_char_p, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_bool, ctypes.c_void_p]
    free.argtypes = [ctypes.c_void_p]
    os.environ["EXTISM_PROFILE"] = "jitdump"

    def load(path: str) -> str | None:
        os.environ["EXTISM_CACHE_CONFIG"] = path
        words = ctypes.c_void_p()
        new(b"", 0, None, 0, False, ctypes.byref(words))
        assert words.value
        cause = ctypes.string_at(words.value).decode()
        free(words)
        return None if cause.endswith(BARRED) else cause

    return load


def engine() -> Load:
    """Return the installed engine."""
    found = importlib.util.find_spec("extism_sys")
    return extism(Path(str(found.origin)).with_name("libextism_sys.so")) if found else wasmtime()


def confine(root: str, memory: int) -> None:
    """Confine this process to a directory."""
    if os.geteuid() == 0:
        os.chown(root, NOBODY, NOBODY)
    elif ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "no user namespace")
    os.chroot(root)
    os.chdir("/")
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def made() -> list[str]:
    """Return all directories, and remove them. They can be nested too deep for shutil."""
    found, ahead = [], ["/"]
    while ahead:
        with os.scandir(ahead.pop()) as entries:
            for entry in entries:
                if entry.path == PROFILE:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    ahead.append(entry.path)
                    found.append(entry.path)
                else:
                    Path(entry.path).unlink()
    for path in reversed(found):
        Path(path).rmdir()
    return found


def main(root: str, memory: str) -> None:
    """Answer all requests."""
    load = engine()
    load("/nonexistent")  # loads everything that is loaded late
    try:
        confine(root, int(memory))
    except OSError as error:
        print(json.dumps("it takes root or a user namespace to lock the engine in (%s)" % error), flush=True)
        return
    Path(PROFILE).mkdir()
    print(json.dumps(None), flush=True)
    for line in sys.stdin.buffer:
        Path(CONFIG).write_bytes(base64.b64decode(line))
        words = load(CONFIG)
        print(json.dumps([words, made()]), flush=True)


with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
    main(*sys.argv[1:])
