# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole runs of ansible-playbook over many hosts: the role, and what people write by hand."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ansible_collections.wasmops.wasmtime.tests.fleet.lab import Host

from .controller import COLLECTIONS, PLAYBOOKS, BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from .controller import Site, Used

ROLE, VALIDATED, BY_HAND, CHECKED, NOTHING = "role", "role_validated", "by_hand", "by_hand_checked", "nothing"
# The collection's own playbook, with the variables of the one with the role.
PROVISION = "provision"
PROVISION_PLAYBOOK = COLLECTIONS / "ansible_collections/wasmops/wasmtime/playbooks/provision.yml"
PROVISION_OPTIONS = ("--extra-vars", f"@{PLAYBOOKS}/vars/role.yml")
# What the playbooks make.
MADE = {
    ROLE: "/etc/wasmtime-by-role /var/cache/wasmtime-by-role",
    VALIDATED: "/etc/wasmtime-by-role /var/cache/wasmtime-by-role",
    BY_HAND: "/etc/wasmtime-by-hand /var/cache/wasmtime-by-hand",
    CHECKED: "/etc/wasmtime-by-hand /var/cache/wasmtime-by-hand",
}


class Cell(NamedTuple):
    """What is run in turn, and how often."""

    hosts: int
    forks: int = 10
    pipelining: bool = False
    connected: bool = False  # whether the connections of the run before are still open
    playbooks: tuple[str, ...] = (ROLE, BY_HAND, CHECKED)
    strategy: str = "linear"
    rounds: int = 1
    first: int = 0  # rounds that begin with hosts that have nothing yet


BARS = (ROLE, PROVISION, BY_HAND, CHECKED, NOTHING)
EVERY = (*BARS, VALIDATED)
# What the bars need, and no more.
QUICK = [Cell(30, pipelining=p, connected=c, playbooks=BARS) for c in (False, True) for p in (False, True)]
CELLS = [
    Cell(1, rounds=3),
    Cell(1, pipelining=True, rounds=3),
    Cell(10, forks=5),
    Cell(10),
    Cell(10, pipelining=True),
    Cell(30, playbooks=EVERY, rounds=3, first=2),
    Cell(30, pipelining=True, playbooks=EVERY, rounds=3),
    Cell(30, connected=True, playbooks=BARS, rounds=3),
    Cell(30, pipelining=True, connected=True, playbooks=BARS, rounds=3),
    Cell(30, forks=5),
    Cell(30, forks=30),
    Cell(30, strategy="free", playbooks=(ROLE, BY_HAND)),
    Cell(100, forks=5, playbooks=(ROLE, BY_HAND)),
    Cell(100),
    Cell(100, forks=30, playbooks=(ROLE, BY_HAND)),
    Cell(100, pipelining=True, playbooks=(ROLE,)),
]


def everywhere(hosts: Iterable[Host], act: Callable[[Host], object]) -> None:
    """Do something on many hosts, without Ansible."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, hosts))


def spread(source: Host, hosts: Iterable[Host]) -> None:
    """Bring all hosts to where the first one is."""
    archive = source.run("sh", "-ec", "tar --create " + " ".join(set(MADE.values())), text=False).stdout
    command = ("tar", "--extract", "--directory", "/", "--same-permissions", "--same-owner")
    everywhere(hosts, lambda host: host.run(*command, input=archive, text=False))


def measure(
    site: Site,
    programs: str,
    hosts: Sequence[Host],
    inventories: Mapping[int, Path],
    cells: Sequence[Cell],
    tell: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Run all playbooks in all cells, one round after the other, in each round each in turn."""
    for name in (ROLE, BY_HAND):
        site.run(programs, PLAYBOOKS / f"{name}.yml", inventories[1])
    spread(hosts[0], hosts[1:])
    measured = []

    def play(cell: Cell, name: str) -> Used:
        settings = {"FORKS": cell.forks, "PIPELINING": cell.pipelining, "STRATEGY": cell.strategy}
        inventory = inventories[cell.hosts]
        if name == PROVISION:
            return site.run(programs, PROVISION_PLAYBOOK, inventory, *PROVISION_OPTIONS, settings=settings)
        return site.run(programs, PLAYBOOKS / f"{name}.yml", inventory, settings=settings)

    def run(number: int, cell: Cell, name: str, first: bool) -> None:
        if not cell.connected:
            site.hang_up()
        used = play(cell, name)
        if bool(used.changed) != first:
            raise BenchmarkError(f"{name}, {'first' if first else 'further'} run: it has changed {used.changed} things")
        measured.append(
            {
                **{key: value for key, value in cell._asdict().items() if key not in ("playbooks", "rounds", "first")},
                "playbook": name,
                "first": first,
                "round": number,
                **{key: value for key, value in used._asdict().items() if key not in ("memory", "changed", "lines")},
            }
        )

    for number in range(max(cell.rounds for cell in cells)):
        for cell in cells:
            if number >= cell.rounds:
                continue
            title = f"round {number + 1}, hosts: {cell.hosts}, forks: {cell.forks}, strategy: {cell.strategy}"
            tell(title + ", pipelining" * cell.pipelining + ", connected" * cell.connected)
            if cell.connected:
                play(cell, NOTHING)
            # What comes later in a round shall not always be the same.
            for first in (True, False) if number % 2 == 0 else (False, True):
                if first and number >= cell.first:
                    continue
                for name in cell.playbooks:
                    if not first:
                        run(number, cell, name, first=False)
                    elif name in MADE:
                        everywhere(hosts[: cell.hosts], partial(Host.sh, script=f"rm -r {MADE[name]}"))
                        run(number, cell, name, first=True)
    return measured


def memory(site: Site, programs: str, inventory: Path, playbooks: Sequence[str]) -> list[dict[str, Any]]:
    """Measure the memory that the controller takes at most, in KiB."""
    found = []
    for playbook in playbooks:
        for forks in (5, 10, 30):
            site.hang_up()
            path = PLAYBOOKS / f"{playbook}.yml"
            used = site.run(
                programs, path, inventory, settings={"FORKS": forks, "PIPELINING": True}, look_at_memory=True
            )
            found.append({"playbook": playbook, "forks": forks, "memory": used.memory})
    return found


def scale(site: Site, programs: str, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Measure what the controller does by itself for so many hosts: there are none behind the connections."""
    site.hang_up()
    found = []
    for number in numbers:
        inventory = site.folder / f"nowhere-{number}.json"
        hosts: dict[str, dict[str, str]] = {f"host{index}": {} for index in range(number)}
        variables = {"ansible_connection": "nowhere", "ansible_python_interpreter": "/usr/bin/python3"}
        inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": variables}}))
        settings = {"FORKS": 10, "PIPELINING": True}
        used = site.run(programs, PLAYBOOKS / "role.yml", inventory, settings=settings, look_at_memory=True)
        keys = ("seconds", "controller_cpu", "main_cpu", "memory")
        found.append({"hosts": number, **{key: getattr(used, key) for key in keys}})
    return found


# Run on a host: what another program takes, with all that it starts. CPU time and memory are as the kernel has
# them; memory is that of the largest process, in KiB.
MEASURE = """
import json, resource, subprocess, sys, time
started = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
seconds = time.perf_counter() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
output = done.stdout.decode()
json.dump([done.returncode, output, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss], sys.stdout)
"""


def pull(site: Site, host: Host, installed: Path, rounds: int) -> list[dict[str, Any]]:
    """Measure what a host takes that applies the role to itself, as ansible-pull does when it has fetched it."""
    for source, names, target in (
        (installed, ["."], "/opt/ansible"),
        (
            COLLECTIONS,
            ["ansible_collections/wasmops/wasmtime/" + name for name in ("plugins", "roles", "meta")],
            "/opt/collections",
        ),
        (PLAYBOOKS, ["."], "/opt/playbooks"),
    ):
        archive = subprocess.run(["tar", "--create", "-C", source, *names], stdout=subprocess.PIPE, check=True).stdout
        host.run("mkdir", "-p", target)
        host.run("tar", "--extract", "--no-same-owner", "-C", target, input=archive, text=False)
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": "/opt/ansible",
        "ANSIBLE_COLLECTIONS_PATH": "/opt/collections",
    }
    command = ["python3", "/opt/ansible/bin/ansible-playbook", "-i", "localhost,", "-c", "local"]
    command += ["-e", "ansible_python_interpreter=/usr/bin/python3", "/opt/playbooks/role.yml"]
    found = []
    for number in range(rounds + 1):
        said = host.run("python3", "-c", MEASURE, *command, env=environment).stdout
        status, output, seconds, cpu, size = json.loads(said)
        if status:
            raise BenchmarkError(output)
        if number:  # the first one has compiled Ansible
            found.append({"seconds": seconds, "cpu": cpu, "memory": size})
    return found
