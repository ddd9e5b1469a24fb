# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the real engine in a process that reads one request per line from stdin, and answers each with a line.

It is started with the engine's package on PYTHONPATH and may be aborted by the engine at any time.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

import wasmtime


def wat(number: int, size: int) -> str:
    """Return a different module for each number, whose f() returns it. C(size) bytes of it are incompressible."""
    noise = b""
    while len(noise) < size:
        noise += hashlib.sha256(b"%d %d" % (number, len(noise))).digest()
    data = "".join("\\%02x" % byte for byte in noise[:size])
    return '(module (memory 16) (data (i32.const 0) "%s") (func (export "f") (result i32) i32.const %d))' % (
        data,
        number,
    )


def _load(name: str) -> Any:
    """Load a file of the collection that imports no other one."""
    path = Path(__file__).parents[2] / "plugins" / "module_utils" / "_config" / (name + ".py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Worker:
    """The requests, one method for each."""

    def __init__(self) -> None:
        self.engine: wasmtime.Engine | None = None
        # Loaded at once, as another user may not get at the files any more.
        self.paths = _load("default_paths")
        self.paths.default_paths()

    def become(self, uid: int) -> None:
        """Go on as another user, with no group of root's."""
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)

    def set_environment(self, names: dict[str, str | None]) -> None:
        """Set variables for all in this process; None to take one away."""
        for name, value in names.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    def give_account(self, home: str, scratch: str) -> str | None:
        """Show this process an account for its user, with this home; return the reason if that is impossible."""
        Path(scratch).write_text("someone:x:%d:%d::%s:/bin/sh\n" % (os.getuid(), os.getgid(), home), encoding="utf-8")
        libc = ctypes.CDLL(None, use_errno=True)
        uid = os.getuid()
        # CLONE_NEWNS, and CLONE_NEWUSER for who may not do so otherwise: nothing of this leaves the process.
        if libc.unshare(0x20000 if uid == 0 else 0x10020000) != 0:
            return os.strerror(ctypes.get_errno())
        if uid != 0:
            Path("/proc/self/uid_map").write_text("%d %d 1" % (uid, uid), encoding="ascii")
        private = libc.mount(b"none", b"/", None, 0x44000, None)  # MS_REC | MS_PRIVATE
        bound = libc.mount(scratch.encode(), b"/etc/passwd", None, 0x1000, None)  # MS_BIND
        return None if private == bound == 0 else os.strerror(ctypes.get_errno())

    def enter_unit(self, private: str, name: str, scratch: str) -> str | None:
        """See the directory of this name as processes of its systemd unit do, alone in one that all may enter.

        Returns the reason where that cannot be.
        """
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(0x20000) != 0:  # CLONE_NEWNS: nothing of this leaves the process
            return os.strerror(ctypes.get_errno())
        own = private + "/" + name
        failed = libc.mount(b"none", b"/", None, 0x44000, None)  # MS_REC | MS_PRIVATE
        failed = failed or libc.mount(own.encode(), scratch.encode(), None, 0x1000, None)  # MS_BIND
        failed = failed or libc.mount(b"none", private.encode(), b"tmpfs", 0, b"mode=755")
        if not failed:
            Path(own).mkdir()
            failed = libc.mount(scratch.encode(), own.encode(), None, 0x1000, None)
        return os.strerror(ctypes.get_errno()) if failed else None

    def paths_of_collection(self) -> tuple[str, str] | None:
        """Return the default paths of the collection in the same environment."""
        found: tuple[str, str] | None = self.paths.default_paths()
        return found

    def bound_memory(self, more: int) -> None:
        """Let the address space grow by this many bytes and no more."""
        most = self._pages(0) + more
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

    def memory(self) -> int:
        """Return bytes of memory in use."""
        return self._pages(1)

    @staticmethod
    def _pages(column: int) -> int:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[column]) * resource.getpagesize()

    def load(self, path: str | None) -> str | None:
        """Load a config file, or the default one; return the engine's message if it refuses."""
        config = wasmtime.Config()
        try:
            config.cache = True if path is None else path
        except wasmtime.WasmtimeError as error:
            return str(error)
        self.engine = wasmtime.Engine(config)
        return None

    def compile(self, number: int, size: int = 0) -> int:
        """Compile a module, or load it from the cache, and run it."""
        module = wasmtime.Module(self.engine, wat(number, size))
        store = wasmtime.Store(self.engine)
        function = wasmtime.Instance(store, module, []).exports(store)["f"]
        return int(function(store))

    def burst(self, first: int, count: int) -> None:
        """Compile modules as fast as possible."""
        texts = [wasmtime.wat2wasm(wat(number, 0)) for number in range(first, first + count)]
        for text in texts:
            wasmtime.Module(self.engine, text)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    worker = Worker()
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        answer = getattr(worker, request.pop("do"))(**request)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
