# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new name for a file, a directory or a link, with all that systems lack."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path
from typing import Callable, Iterator

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import rename as _rename
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import snapshot

KINDS: dict[str, Callable[[Path], object]] = {
    "file": lambda path: path.write_bytes(b"text"),
    "directory": Path.mkdir,
    "link": lambda path: path.symlink_to("nowhere"),
    "link to a directory": lambda path: path.symlink_to("."),
}


def refusing(error: int) -> Callable[..., None]:
    """A call of the system that fails."""

    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(error, os.strerror(error))

    return refuse


@pytest.fixture(params=["all", "no flags", "no links"])
def _system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system with all that there is, without the flags of renameat2, and without hard links either."""
    if request.param != "all":
        monkeypatch.setattr(_rename, "_renameat2", lambda *_arguments: errno.EINVAL)
    if request.param == "no links":
        monkeypatch.setattr(os, "link", refusing(errno.EPERM))


@pytest.fixture
def handles(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Two directories."""
    for name in ("from", "to"):
        (tmp_path / name).mkdir()
    opened = os.open(tmp_path / "from", os.O_RDONLY), os.open(tmp_path / "to", os.O_RDONLY)
    yield opened
    for handle in opened:
        os.close(handle)


@pytest.mark.usefixtures("_system")
@pytest.mark.parametrize("kind", KINDS)
def test_it_has_the_new_name_alone(tmp_path: Path, handles: tuple[int, int], kind: str) -> None:
    KINDS[kind](tmp_path / "from" / "one")
    before = (tmp_path / "from" / "one").lstat()
    _rename.rename_new(handles[0], "one", handles[1], "two")
    now = (tmp_path / "to" / "two").lstat()
    assert (now.st_ino, now.st_mode, now.st_nlink) == (before.st_ino, before.st_mode, before.st_nlink)
    assert not list((tmp_path / "from").iterdir())


@pytest.mark.usefixtures("_system")
@pytest.mark.parametrize("taken", KINDS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_has_the_name_already_stays(tmp_path: Path, handles: tuple[int, int], kind: str, taken: str) -> None:
    KINDS[kind](tmp_path / "from" / "one")
    KINDS[taken](tmp_path / "to" / "two")
    before = snapshot(tmp_path)
    with pytest.raises(FileExistsError):
        _rename.rename_new(handles[0], "one", handles[1], "two")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("flags", [errno.ENOSYS, errno.EINVAL, errno.ENOTSUP])
@pytest.mark.parametrize("links", [errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK])
def test_what_a_system_lacks_is_known_by_its_errors(
    tmp_path: Path, handles: tuple[int, int], monkeypatch: pytest.MonkeyPatch, flags: int, links: int
) -> None:
    monkeypatch.setattr(_rename, "_renameat2", lambda *_arguments: flags)
    monkeypatch.setattr(os, "link", refusing(links))
    (tmp_path / "from" / "one").write_bytes(b"text")
    _rename.rename_new(handles[0], "one", handles[1], "two")
    assert (tmp_path / "to" / "two").read_bytes() == b"text"
    assert not (tmp_path / "from" / "one").exists()


@pytest.mark.parametrize("call", ["renameat2", "link"])
@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, errno.EROFS])
def test_any_other_failure_ends_it(
    tmp_path: Path, handles: tuple[int, int], monkeypatch: pytest.MonkeyPatch, call: str, error: int
) -> None:
    monkeypatch.setattr(_rename, "_renameat2", lambda *_arguments: error if call == "renameat2" else errno.ENOSYS)
    if call == "link":
        monkeypatch.setattr(os, "link", refusing(error))
    (tmp_path / "from" / "one").write_bytes(b"text")
    before = snapshot(tmp_path)
    with pytest.raises(OSError, match=os.strerror(error)) as caught:
        _rename.rename_new(handles[0], "one", handles[1], "two")
    assert caught.value.errno == error
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("lacks", ["ctypes", "library", "call"])
def test_without_the_call_of_the_c_library_the_usual_ones_are_used(
    tmp_path: Path, handles: tuple[int, int], monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    if lacks == "ctypes":
        monkeypatch.setitem(sys.modules, "ctypes", None)
    elif lacks == "library":
        monkeypatch.setattr(ctypes, "CDLL", refusing(errno.ENOENT))
    else:
        monkeypatch.setattr(ctypes, "CDLL", lambda *_arguments, **_options: object())
    assert _rename._renameat2(handles[0], "one", handles[1], "two") == errno.ENOSYS
    (tmp_path / "from" / "one").write_bytes(b"text")
    _rename.rename_new(handles[0], "one", handles[1], "two")
    assert (tmp_path / "to" / "two").read_bytes() == b"text"
