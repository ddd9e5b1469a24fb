# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What work in another process tells, and when it is given up."""

from __future__ import annotations

import contextlib
import os
import select
import time
from pathlib import Path

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.watched import Stalled, watched

LONG = 600.0
LARGE = "x" * 2**20


def test_what_is_told_arrives_in_order():
    def work(tell):
        for item in (1, None, LARGE, {"a": (2, b"3")}):
            tell(item)

    assert list(watched(work, lambda: LONG)) == [1, None, LARGE, {"a": (2, b"3")}]
    assert list(watched(lambda _tell: None, lambda: LONG)) == []


def test_the_work_changes_nothing_here_and_writes_nothing_there(capfd):
    done = []

    def work(tell):
        done.append(1)
        os.write(1, b"noise")
        tell(os.getpid())

    (pid,) = watched(work, lambda: LONG)
    assert done == []
    assert pid != os.getpid()
    assert capfd.readouterr() == ("", "")


def test_the_work_has_no_input_and_no_output():
    def work(tell):
        tell([os.fstat(handle).st_rdev for handle in (0, 1, 2)])
        tell(os.read(0, 1))

    assert list(watched(work, lambda: LONG)) == [[Path(os.devnull).stat().st_rdev] * 3, b""]


@pytest.mark.parametrize(("seconds", "told"), [(600.0, 600000), (2.5, 2500), (0.0, 0), (-1.0, 0)])
def test_the_system_is_told_how_long_to_wait(monkeypatch, seconds, told):
    """In milliseconds; below 0, it would wait for ever."""
    times = []

    class Poll:
        def register(self, handle, events):
            assert events == select.POLLIN

        def poll(self, milliseconds):
            times.append(milliseconds)
            return []

    monkeypatch.setattr(select, "poll", Poll)
    with pytest.raises(Stalled):
        list(watched(lambda _tell: None, lambda: seconds))
    assert times == [told]


def test_work_that_ends_early_is_an_error():
    def work(tell):
        tell(1)
        raise ValueError

    items = watched(work, lambda: LONG)
    assert next(items) == 1
    with pytest.raises(Stalled):
        next(items)


def test_work_that_tells_nothing_is_given_up_and_ended():
    def work(tell):
        tell(os.getpid())
        time.sleep(LONG)

    patience = [LONG]
    items = watched(work, lambda: patience[0])
    pid = next(items)
    patience[0] = 0.1
    with pytest.raises(Stalled):
        next(items)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_work_that_goes_on_is_not_given_up():
    def work(tell):
        for _step in range(20):
            time.sleep(0.05)
            tell(None)

    assert len(list(watched(work, lambda: 30.0))) == 20


def test_what_nobody_takes_any_more_is_no_error():
    def work(tell):
        while True:
            tell(LARGE)

    items = watched(work, lambda: LONG)
    assert next(items) == LARGE
    items.close()
