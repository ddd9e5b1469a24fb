# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every measurement needs: groups of processes whose use of the machine is counted, and runs of Ansible."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ansible_collections.wasmops.wasmtime.tests.fleet.lab import Host, Lab

HERE = Path(__file__).parent
COLLECTIONS = HERE.parents[4]
PLAYBOOKS = HERE / "playbooks"
CONTROL_GROUP = "wasmops-wasmtime-benchmark"
# How long processes that were killed may take to leave their control group, in seconds.
PATIENCE = 10.0
# How long hosts take to be done with connections that were closed, in seconds.
SETTLE = 0.2
# How often memory is looked at, in seconds.
INTERVAL = 0.1


class BenchmarkError(Exception):
    """A measurement cannot be made."""


def control_groups() -> Path | None:
    """Find where the control groups of version 2 are mounted; next to version 1 they count CPU time as well."""
    mounts = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    return next((Path(folder) for _source, folder, kind, *_others in mounts if kind == "cgroup2"), None)


class Group:
    """A control group: some processes, all that they start, and the groups in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    @property
    def counter(self) -> Path:
        """The file whose first line is the CPU time."""
        return self.path / "cpu.stat"

    @property
    def members(self) -> Path:
        """The file with the process ids."""
        return self.path / "cgroup.procs"

    def cpu(self) -> float:
        """The CPU time that has been used here so far, in seconds."""
        return int(self.counter.read_text().split(None, 2)[1]) / 1e6

    def memory(self) -> int:
        """The memory that is in use here, in KiB; what several processes share is counted once."""
        total = 0
        for pid in self.members.read_text().split():
            with contextlib.suppress(OSError):  # has ended
                lines = Path("/proc", pid, "smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total


class Used(NamedTuple):
    """What a run of ansible-playbook took."""

    seconds: float
    controller_cpu: float  # with its workers and ssh
    main_cpu: float  # of the one process that hands out all work
    host_cpu: float  # of all hosts
    memory: int | None  # greatest that the controller had in use, in KiB, if somebody has looked
    changed: int
    lines: list[dict[str, Any]]  # tasks, if they were measured


class Site:
    """The lab with the counters that belong to it, and a folder for what belongs to this run of the benchmark."""

    def __init__(self, lab: Lab, groups: Path, folder: Path, collections: Iterable[Path]) -> None:
        self.lab = lab
        self.folder = folder
        self.collections = os.pathsep.join(map(str, [COLLECTIONS, *collections]))
        self.controller = Group(groups / "controller")
        self.hosts = Group(groups / "hosts")
        (folder / "ansible.cfg").touch()  # so that nobody's own is read

    def watch(self, hosts: Iterable[Host]) -> None:
        """Count what these hosts use."""
        for host in hosts:
            self.group_of(host).members.write_text(str(host.pid))

    def group_of(self, host: Host) -> Group:
        """The group of all processes of a host."""
        return Group(self.hosts.path / host.name)

    def hang_up(self) -> None:
        """Close the connections that the last run has left open for the next one."""
        for control in (self.lab.state / "control").iterdir():
            command = ["ssh", "-o", f"ControlPath={control}", "-O", "exit", "host"]
            subprocess.run(command, capture_output=True, check=False)
        time.sleep(SETTLE)

    def run(
        self,
        programs: str,
        playbook: Path,
        inventory: Path | str,
        *options: str,
        settings: Mapping[str, Any] | None = None,
        counters: Mapping[str, str] | None = None,
        look_at_memory: bool = False,
    ) -> Used:
        """Run a playbook with the Ansible in a folder of programs.

        Settings are those of ansible.cfg by the names of their environment variables, without ANSIBLE_. Counters
        are files, see plugins/callback/clock.py.
        """
        lines = self.folder / "lines.jsonl"
        lines.write_text("")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.folder / ".ansible"),
            "ANSIBLE_COLLECTIONS_PATH": self.collections,
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "plugins" / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "clock",
            "ANSIBLE_CONNECTION_PLUGINS": str(HERE / "plugins" / "connection"),
            "ANSIBLE_NOCOLOR": "1",
            "BENCHMARK_LINES": str(lines),
            "BENCHMARK_COUNTERS": json.dumps(counters or {}),
            **{f"ANSIBLE_{name}": str(value) for name, value in (settings or {}).items()},
        }
        # The shell joins the group, and becomes Ansible.
        join = ["sh", "-c", 'echo $$ >"$0" && exec "$@"', str(self.controller.members)]
        command = [*join, f"{programs}/ansible-playbook", "-i", str(inventory), str(playbook), *options]
        before = self.controller.cpu(), self.hosts.cpu()
        with (self.folder / "output").open("w+", encoding="utf-8") as output:
            started = time.perf_counter()
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                with self._watched(look_at_memory) as seen:
                    status = process.wait()
                seconds = time.perf_counter() - started
            finally:
                process.terminate()  # in case that this one was told to end
            memory = max(seen, default=None)
            output.seek(0)
            if status:
                raise BenchmarkError(f"{' '.join(command)}\n{output.read()[-4000:]}\nexit status {status}")
        *measured, last = map(json.loads, lines.read_text().splitlines())
        return Used(
            seconds=seconds,
            controller_cpu=self.controller.cpu() - before[0],
            main_cpu=last["main_cpu"],
            host_cpu=self.hosts.cpu() - before[1],
            memory=memory,
            changed=last["changed"],
            lines=measured,
        )

    @contextlib.contextmanager
    def _watched(self, look: bool) -> Iterator[list[int]]:
        seen: list[int] = []
        if not look:
            yield seen
            return
        done = threading.Event()

        def watch() -> None:
            while not done.wait(INTERVAL):
                seen.append(self.controller.memory())

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield seen
        finally:
            done.set()
            thread.join()


@contextlib.contextmanager
def counted() -> Iterator[Path]:
    """Make a place for control groups, and remove it when all that ran in them has ended."""
    root = control_groups()
    if root is None:
        raise BenchmarkError("control groups of version 2 are not mounted")
    place = root / CONTROL_GROUP
    try:
        yield place
    finally:
        deadline = time.monotonic() + PATIENCE
        for folder in sorted(place.rglob("*/"), reverse=True) + [place]:  # children before their parents
            while folder.exists():
                try:
                    folder.rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)
