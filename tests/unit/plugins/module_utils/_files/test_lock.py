# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock on a directory, which another open file holds meanwhile."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from typing import TYPE_CHECKING, Iterator

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.lock import WAIT, Lock
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.path import resolve
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    NOBODY,
    ROOT,
    cannot_write,
    give,
    handles,
    new,
    place,
    without_root,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def other(tmp_path: Path) -> Iterator[int]:
    """A handle of somebody else's to the directory."""
    handle = os.open(tmp_path, os.O_RDONLY)
    yield handle
    os.close(handle)


def is_free(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(handle, fcntl.LOCK_UN)
    return True


def test_a_directory_is_locked_once_and_until_it_is_released(tmp_path: Path, other: int) -> None:
    lock, resolved = Lock(), resolve(str(tmp_path))
    assert lock.take(resolved) is True
    assert lock.take(resolved) is False
    assert not is_free(other)
    lock.release()
    assert is_free(other)
    lock.release()


def test_another_directory_takes_its_place(tmp_path: Path, other: int) -> None:
    (tmp_path / "below").mkdir()
    lock = Lock()
    for _time in range(2):
        assert lock.take(resolve(str(tmp_path))) is True
        assert not is_free(other)
        assert lock.take(resolve(str(tmp_path / "below"))) is True
        assert is_free(other)
    lock.release()


def test_a_lock_that_is_not_held_closes_nothing(tmp_path: Path) -> None:
    before = handles()
    lock = Lock()
    lock.release()
    assert handles() == before
    lock.take(resolve(str(tmp_path)))
    assert len(handles()) == len(before) + bool(before)
    for _time in range(2):
        lock.release()
        assert handles() == before


def test_a_directory_that_this_user_may_not_open_is_taken_for_locked() -> None:
    with place() as there:
        path = new(there / "d")
        if ROOT:
            give(path, NOBODY)
        path.chmod(0o300)
        before = handles()
        with without_root():
            lock = Lock()
            assert [lock.take(resolve(str(path))) for _time in range(2)] == [True, False]
            lock.release()
            assert lock.take(resolve(str(path))) is True
            lock.release()
        assert handles() == before


def test_it_is_asked_for_less_and_less_often(tmp_path: Path, other: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl.flock(other, fcntl.LOCK_EX)
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 9:
            fcntl.flock(other, fcntl.LOCK_UN)

    monkeypatch.setattr(time, "sleep", sleep)
    lock = Lock()
    assert lock.take(resolve(str(tmp_path))) is True
    assert pauses == [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.05, 0.05, 0.05]
    lock.release()


def test_all_waits_of_a_run_end_at_one_time(tmp_path: Path, other: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl.flock(other, fcntl.LOCK_EX)
    now = 1000.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: now)
    lock = Lock()
    for _time in range(2):
        with cannot_write(r"another process has held the lock on .* for 30 seconds"):
            lock.take(resolve(str(tmp_path)))
        assert WAIT <= now - 1000 < WAIT + 0.1


def test_a_wait_ends_at_its_last_moment(tmp_path: Path, other: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl.flock(other, fcntl.LOCK_EX)
    times = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: times[-1])
    monkeypatch.setattr(time, "sleep", lambda _seconds: times.append(times[-1] + WAIT / 2))
    with cannot_write("for 30 seconds"):
        Lock().take(resolve(str(tmp_path)))
    assert times == [1000.0, 1015.0, 1030.0]


@pytest.mark.parametrize("error", [errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_locks_is_taken_for_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(fcntl, "flock", refuse)
    lock = Lock()
    assert lock.take(resolve(str(tmp_path))) is True
    lock.release()


def test_what_else_fails_leaves_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    before = handles()
    monkeypatch.setattr(fcntl, "flock", refuse)
    with cannot_write("its directory cannot be locked: Input/output error"):
        Lock().take(resolve(str(tmp_path)))
    assert handles() == before
