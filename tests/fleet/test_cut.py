# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""If connections break during a task, other hosts continue, and a config is the old or the new one, without leftovers.

With one ansible-core only: it has no influence on a host that it cannot reach.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from ansible_collections.wasmops.wasmtime.tests.fleet.lab import RELEASES, Lab, Spec, command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from ansible_collections.wasmops.wasmtime.tests.fleet.lab import Host
    from ansible_collections.wasmops.wasmtime.tests.fleet.runner import Ansible, Run

PROVISION = "wasmops.wasmtime.provision"
OLD = "[cache]\n"
NEW = '[cache]\ncleanup-interval = "2h"\n'
CONFIG = "/etc/wasmtime/config.toml"
VARIABLES = {
    "ansible_user": "deploy",
    "ansible_become": True,
    "ansible_timeout": 60,
    # What an administrator sets who does not want to wait for a quarter of an hour.
    "ansible_ssh_extra_args": "-o ServerAliveInterval=4 -o ServerAliveCountMax=3",
    "wasmtime_cache_path": CONFIG,
    "wasmtime_cache_cleanup_interval": "2h",
}
STOPS = {"ansible_python_interpreter": "/usr/local/bin/stopping-python"}
PREPARE = """
mkdir -p /etc/wasmtime ~root/.cache/wasmtime
printf '[cache]\\n' >/etc/wasmtime/config.toml
"""
# A Python that stops at a system call until SIGCONT: at fsync the new file is ready, at rename it is in place.
STOPPING = """
cat >/usr/local/bin/stopping-python <<'END'
#!/bin/sh
exec strace -DDD -qq -o /dev/null -e trace={0} -e inject={0}:signal=STOP:when=1 /usr/bin/python3 "$@"
END
chmod 755 /usr/local/bin/stopping-python
"""
BEFORE, AFTER = "fsync", "renameat,renameat2"
HANG = 600.0  # seconds after which nothing is waited for any more


def wait(until: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + HANG
    while not until():
        assert time.monotonic() < deadline, "this hangs: " + what
        time.sleep(0.1)


def prepare(host: Host, call: str) -> None:
    host.sh(PREPARE + STOPPING.format(call))


@contextlib.contextmanager
def stopped_run(ansible: Ansible, lab: Lab) -> Iterator[Future[Run]]:
    """Run the playbook until the module has stopped on all hosts."""
    inventory = lab.inventory(variables={"all": {**VARIABLES, **STOPS}}, name="stopping")

    def stopped(host: Host) -> bool:
        states = host.sh("ps -o state= -C python3 || :").split()
        return bool(states) and set(states) <= {"T", "t"} and bool(host.sh("ls -d /etc/wasmtime/.ansible_tmp* || :"))

    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(ansible.playbook, PROVISION, inventory)
        try:
            wait(lambda: all(map(stopped, lab.hosts.values())), "the module does not write")
            yield run
        except BaseException:
            for host in list(lab.hosts.values()):  # else the run never ends
                host.stop()
            raise


def settle(host: Host) -> str:
    """Let the module continue, and wait for its end; return the config, and check that nothing is beside it."""
    wait(lambda: not host.sh("pkill -CONT -x python3 || :; pgrep -x python3 || :"), "the module does not end")
    assert host.sh("ls -A /etc/wasmtime") == "config.toml\n"
    return host.sh("cat " + CONFIG)


def test_cable_cut(newest_ansible: Ansible, lab: Lab) -> None:
    """The cable is cut while the module writes, which continues before or after the cable is repaired."""
    cut = lab.start_all(Spec(release, name=release + "-cut") for release in RELEASES)
    whole = lab.start("bookworm", name="whole")
    for host in [*cut, whole]:
        prepare(host, BEFORE)
    with stopped_run(newest_ansible, lab) as running:
        for host in cut:
            command("ip", "link", "set", host.interface, "down")
        assert settle(whole) == NEW
        run = running.result()
    assert run.status == 4
    for host in cut:
        assert run.of(host.name)[-1].status == "unreachable"
    assert run.module("whole").changed
    assert run.of("whole")[-1].task == "Sum up what was done on all hosts"

    for host in cut[::2]:
        assert settle(host) == NEW
    for host in cut:
        command("ip", "link", "set", host.interface, "up")
    # A connection that was given up may be ended now, and so the module.
    configs = {host.name: settle(host) for host in cut}
    assert set(configs.values()) <= {OLD, NEW}
    again = newest_ansible.playbook(PROVISION, lab.inventory(variables={"all": VARIABLES}))
    assert again.status == 0
    changed = {name for name, changes in again.changes.items() if changes}
    assert changed == {name for name, config in configs.items() if config == OLD}
    for host in cut:
        assert settle(host) == NEW


def hung_up(host: Host) -> bool:
    """Return whether the stopped module has a pending SIGHUP."""
    statuses = host.sh("pgrep -x python3 | sed 's,.*,/proc/&/status,' | xargs -r grep -hs ^ShdPnd || :")
    return all(int(line.split()[1], 16) & 1 for line in statuses.splitlines())


def masters(lab: Lab) -> list[int]:
    """Return the processes that hold the lab's connections for all the others."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_text(encoding="utf-8")
        except OSError:
            continue
        if line.startswith("ssh: %s/" % (lab.state / "control")):
            found.append(int(folder.name))
    return found


def test_ssh_killed(newest_ansible: Ansible, lab: Lab) -> None:
    """The controller's ssh dies, and with it the terminal of the module: before the new file is in place, or after."""
    hosts = lab.start_all(
        Spec(release, name="%s-%s" % (release, n)) for release in RELEASES for n in ("before", "after")
    )
    for host in hosts:
        prepare(host, BEFORE if host.name.endswith("before") else AFTER)
    with stopped_run(newest_ansible, lab) as running:
        for pid in masters(lab):
            os.kill(pid, signal.SIGKILL)
        # sudo kills a process that has not ended two seconds after the first signal.
        for host in hosts:
            wait(functools.partial(hung_up, host), "the module is not told")
        configs = {host.name: settle(host) for host in hosts}
        run = running.result()
    assert run.status == 4
    for host in hosts:
        assert run.of(host.name)[-1].status == "unreachable"
    assert set(configs.values()) <= {OLD, NEW}
    again = newest_ansible.playbook(PROVISION, lab.inventory(variables={"all": VARIABLES}))
    assert again.status == 0
    changed = {name for name, changes in again.changes.items() if changes}
    assert changed == {name for name, config in configs.items() if config == OLD}
    for host in hosts:
        assert settle(host) == NEW
