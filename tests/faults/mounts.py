# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mount file systems in a private mount namespace, which always disappears with the process."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Sequence

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

CLONE_NEWNS = 0x00020000
MODE = 0o755  # otherwise other users could not reach the tests below it


class NotHere(Exception):
    """Why something cannot be mounted on this machine."""


def command(*words: str) -> None:
    """Run a program of the system. Raises AssertionError with its output if it fails."""
    result = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert result.returncode == 0, "%s: %s" % (" ".join(words), " ".join(result.stdout.split()))


def possible(*words: str) -> None:
    """Run a program that some machines lack or restrict. Raises NotHere if it fails."""
    if shutil.which(words[0]) is None:
        raise NotHere("there is no %s" % words[0])
    try:
        command(*words)
    except AssertionError as error:
        raise NotHere(str(error)) from None


@functools.lru_cache(maxsize=None)
def _namespace() -> str | None:
    """Move this process to its own mount namespace, once; return why that is impossible."""
    if os.geteuid() != 0:
        return "it needs root, to mount file systems"
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(CLONE_NEWNS) != 0:
        return "of the mount namespace: %s" % os.strerror(ctypes.get_errno())
    command("mount", "--make-rprivate", "/")
    return None


def enter_namespace() -> None:
    """Move this process to its own mount namespace; skip the test if that is impossible."""
    reason = _namespace()
    if reason:
        pytest.skip("not run here, because %s" % reason)


@functools.lru_cache(maxsize=None)
def _missing(kind: str, make: Sequence[str]) -> str | None:
    """Return why this machine cannot mount such a file system, which is tried once."""
    with tempfile.TemporaryDirectory(prefix="wasmtime-faults-") as name:
        there, source = Path(name, "there"), "none"
        options: list[str] = []
        for part in ("there", "lower", "upper", "work"):
            Path(name, part).mkdir()
        try:
            if kind == "overlay":
                # Its layers are those of another file system: a directory may itself be on an overlay.
                possible("mount", "-t", "tmpfs", "none", name)
                for part in ("there", "lower", "upper", "work"):
                    Path(name, part).mkdir()
                options = ["-o", "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work" % (name, name, name)]
            elif make:
                source, options = str(Path(name, "image")), ["-o", "loop"]
                command("truncate", "--size", "16M", source)
                possible(*make, source)
            possible("mount", "-t", kind, *options, source, str(there))
        except NotHere as reason:
            return str(reason)
        finally:
            # Those that there are, the last one first.
            for mounted_at in (str(there), name):
                if os.path.ismount(mounted_at):
                    command("umount", "--lazy", mounted_at)
    return None


def need(kind: str, make: Sequence[str] = ()) -> None:
    """Skip the test if this machine cannot mount such a file system; later failures are errors."""
    enter_namespace()
    reason = _missing(kind, tuple(make))
    if reason:
        pytest.skip("not run here, because of %s: %s" % (kind, reason))


@contextlib.contextmanager
def mounted(*options: str, kind: str, source: str = "none") -> Iterator[Path]:
    """Mount a file system while the block runs."""
    if source == "none":
        need(kind)
    with tempfile.TemporaryDirectory(prefix="wasmtime-faults-") as name:
        Path(name).chmod(MODE)
        command("mount", "-t", kind, *(["-o", ",".join(options)] if options else []), source, name)
        try:
            yield Path(name)
        finally:
            command("umount", "--lazy", name)


@contextlib.contextmanager
def image(*options: str, size: str = "16M", make: Sequence[str] = ("mkfs.ext4", "-q")) -> Iterator[Path]:
    """Mount a file system in a file while the block runs."""
    kind = make[0].partition(".")[2]
    need(kind, make)
    with tempfile.TemporaryDirectory(prefix="wasmtime-faults-") as folder:
        file = Path(folder, "image")
        command("truncate", "--size", size, str(file))
        command(*make, str(file))
        with mounted("loop", *options, kind=kind, source=str(file)) as there:
            yield there
