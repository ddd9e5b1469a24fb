# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab itself: its hosts meet their specification, and always disappear completely."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from ansible_collections.wasmops.wasmtime.tests.fleet import lab as lab_module
from ansible_collections.wasmops.wasmtime.tests.fleet.lab import RELEASES, STATE, Lab, Lock, Spec, destroy

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER = """
import sys
from ansible_collections.wasmops.wasmtime.tests.fleet.lab import Lab, Spec
with Lab() as lab:
    lab.start_all([Spec("bookworm"), Spec("forky")])
    print(lab.number, lab.keeper.pid, flush=True)
    sys.stdin.read()
"""


def traces(number: int) -> Iterator[str]:
    """Return all traces of a lab on this machine."""
    yield from map("process {}".format, lab_module.processes(number))
    bridge = lab_module.BRIDGE + str(number)
    yield from (name for name in lab_module.interfaces() if name.partition("-")[0] == bridge)
    if (STATE / str(number)).exists():
        yield str(STATE / str(number))


def test_hosts_are_what_they_are_said_to_be(lab: Lab) -> None:
    """Each release has its Python; the libraries are there or not; both users get in by ssh, one becomes root."""
    specs = [Spec(release, libraries=libraries) for release in RELEASES for libraries in (True, False)]
    for host in lab.start_all(specs):
        assert host.sh("python3 --version").startswith("Python %s." % RELEASES[host.release].python)
        names = "platformdirs, tomli_w" if RELEASES[host.release].packaged else "platformdirs, tomli, tomli_w"
        assert (host.run("python3", "-c", "import " + names, check=False).returncode == 0) == host.spec.libraries
        for user, words in ("root", ["id", "-un"]), ("deploy", ["sudo", "-n", "id", "-un"]):
            done = subprocess.run(host.ssh(*words, user=user), capture_output=True, text=True, check=False)
            assert (done.stdout, done.stderr) == ("root\n", "")


def test_nothing_stays(roots: None) -> None:
    """A lab is gone when its block ends, open connections or not."""
    with Lab() as lab:
        for host in lab.start_all([Spec("bookworm"), Spec("forky")]):
            control = str(lab.state / "control" / host.name)
            subprocess.run([*host.ssh(), "-M", "-S", control, "-f", "-N"], check=True)
        assert len(list(traces(lab.number))) > 5
    assert list(traces(lab.number)) == []


@pytest.mark.parametrize("keeper_too", [False, True])
def test_nothing_stays_of_who_is_killed(keeper_too: bool, roots: None) -> None:
    """A lab disappears soon after its owner was killed; if its watcher was killed, too, after `lab.py down`."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with owner, owner.stdout as told:
        number, keeper = map(int, told.readline().split())
        if keeper_too:
            os.kill(keeper, signal.SIGKILL)
        owner.kill()
    if keeper_too:
        assert list(traces(number))
        lock = Lock(STATE / str(number))
        assert lock.acquire(wait=False)
        destroy(lock)
    deadline = time.monotonic() + lab_module.HANG
    while left := list(traces(number)):
        assert time.monotonic() < deadline, "this hangs: %s" % left
        time.sleep(0.1)
