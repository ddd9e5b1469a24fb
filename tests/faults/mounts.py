# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""File systems of our own, in a mount namespace of our own: nothing is left of them, whatever happens."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, List, Sequence

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

CLONE_NEWNS = 0x00020000
_entered: List[bool] = []


def enter_namespace() -> None:
    """Take this process away from the mounts of the machine, once and for all; skips the test if it cannot."""
    if not _entered:
        if os.geteuid() != 0:
            pytest.skip("not run here, because it needs root, to mount file systems")
        library = ctypes.CDLL(None, use_errno=True)
        if library.unshare(CLONE_NEWNS) != 0:
            pytest.skip("not run here, because of the mount namespace: %s" % os.strerror(ctypes.get_errno()))
        command("mount", "--make-rprivate", "/")
        _entered.append(True)


def command(*words: str) -> None:
    """Run a program of the system; skips the test if it cannot be done here."""
    try:
        result = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("not run here, because there is no %s" % words[0])
    if result.returncode:
        pytest.skip("not run here, because of %s: %s" % (words[0], " ".join(result.stdout.split())))


@contextlib.contextmanager
def mounted(*options: str, kind: str, source: str = "none") -> Iterator[Path]:
    """A file system for a while."""
    enter_namespace()
    with tempfile.TemporaryDirectory(prefix="wasmtime-faults-") as name:
        # Below it nobody could get to the tests otherwise.
        os.chmod(name, 0o755)  # noqa: PTH101
        command("mount", "-t", kind, *(["-o", ",".join(options)] if options else []), source, name)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "--lazy", name], check=True)


@contextlib.contextmanager
def image(*options: str, size: str = "16M", make: Sequence[str] = ("mkfs.ext4", "-q")) -> Iterator[Path]:
    """A file system in a file, for a while."""
    enter_namespace()
    with tempfile.TemporaryDirectory(prefix="wasmtime-faults-") as folder:
        file = Path(folder, "image")
        command("truncate", "--size", size, str(file))
        command(*make, str(file))
        with mounted("loop", *options, kind=make[0].partition(".")[2], source=str(file)) as there:
            yield there
