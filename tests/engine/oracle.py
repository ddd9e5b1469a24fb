# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask one real engine about one config after another: what it says, and which directories it makes.

Started by engines.py with the engine on PYTHONPATH; arguments: an empty directory, bytes of memory.
Reads a document in base64 per line, answers with a line of JSON: [error or null, directories].

The engine creates the cache directory that a document names, whatever it is. So this process
leaves itself no more than its own empty directory, and the rights of nobody.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import os
import resource
import sys
from pathlib import Path

import wasmtime

CONFIG = "/config.toml"
NOBODY = 65534
CLONE_NEWUSER = 0x10000000


def load(path: str) -> str | None:
    """Give a config to the engine; its words where it refuses."""
    try:
        config = wasmtime.Config()
        config.cache = path
    except wasmtime.WasmtimeError as error:
        return str(error)
    return None


def confine(root: str, memory: int) -> None:
    """Make a directory all there is."""
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
    """All directories there are; they are removed. They can be nested deeper than shutil goes."""
    found, ahead = [], ["/"]
    while ahead:
        with os.scandir(ahead.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    ahead.append(entry.path)
                    found.append(entry.path)
                else:
                    Path(entry.path).unlink()
    for path in reversed(found):
        Path(path).rmdir()
    return found


def main(root: str, memory: str) -> None:
    """Answer until there are no more questions."""
    load("/nonexistent")  # whatever is loaded late is loaded now
    try:
        confine(root, int(memory))
    except OSError as error:
        print(json.dumps("it takes root or a user namespace to lock the engine in (%s)" % error), flush=True)
        return
    print(json.dumps(None), flush=True)
    for line in sys.stdin.buffer:
        Path(CONFIG).write_bytes(base64.b64decode(line))
        error = load(CONFIG)
        print(json.dumps([error, made()]), flush=True)


with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
    main(*sys.argv[1:])
