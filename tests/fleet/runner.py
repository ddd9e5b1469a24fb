# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run playbooks on a fleet, and return their results as data.

    run = ansible.playbook("wasmops.wasmtime.provision", lab.inventory(), "--check", "--diff")
    assert run.status == 0
    assert run.module("bookworm-1").changed

pytest shows the output of the runs of a failed test. The fixtures are in conftest.py: there is one
`ansible` for each ansible-core, and a new `lab` for each test.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ansible_collections.wasmops.wasmtime.tests.fleet.lab import Lab

HERE = Path(__file__).parent
COLLECTIONS = HERE.parents[4]
MODULE = "wasmops.wasmtime.cache_config"


class Result(NamedTuple):
    """The result of a task on a host."""

    host: str
    task: str
    action: str  # with its collection: ansible.builtin.package
    status: str  # ok, changed, failed, unreachable, skipped
    data: dict[str, Any]  # all that the module returned

    @property
    def changed(self) -> bool:
        return self.status == "changed"

    @property
    def diff(self) -> Any:
        return self.data.get("diff")

    @property
    def message(self) -> str:
        return str(self.data.get("msg", ""))


class Run:
    """A run of ansible-playbook that has ended."""

    def __init__(self, status: int, output: str, results: list[Result]) -> None:
        self.status = status  # exit status: 2 when a task has failed, 4 when a host could not be reached
        self.output = output  # the output on the screen
        self.results = results  # of all tasks on all hosts, the skipped ones as well

    def of(self, host: str) -> list[Result]:
        """Return the results on a host, in order."""
        return [result for result in self.results if result.host == host and result.status != "skipped"]

    def module(self, host: str, action: str = MODULE) -> Result:
        """Return the last result of a module on a host."""
        return [result for result in self.of(host) if result.action == action][-1]

    @property
    def changes(self) -> dict[str, list[Any]]:
        """The tasks that changed something, or would, by host: name and diff of each."""
        hosts = sorted({result.host for result in self.results})
        return {host: [(result.task, result.diff) for result in self.of(host) if result.changed] for host in hosts}


class Ansible:
    """An installed ansible-core, which runs playbooks of this checkout's collection."""

    def __init__(self, bin_folder: Path, folder: Path) -> None:
        self.bin_folder = bin_folder
        self.folder = folder  # for what belongs to a run; playbooks of a test may lie there, too
        self.runs = 0

    def playbook(
        self, playbook: str | Path, inventory: Path, *options: str, settings: Mapping[str, str] | None = None
    ) -> Run:
        """Run a playbook, and wait for it.

        It is named with its collection, or as a path, relative ones in tests/fleet/playbooks. Settings
        are those of ansible.cfg by the names of their environment variables: ANSIBLE_PIPELINING.
        """
        self.runs += 1
        lines = self.folder / ("results-%d.jsonl" % self.runs)
        lines.touch()
        config = self.folder / "ansible.cfg"  # ignores the user's own
        config.touch()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_CONFIG": str(config),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "plugins" / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "results",
            "ANSIBLE_FORKS": "10",
            "ANSIBLE_NOCOLOR": "1",
            "FLEET_RESULTS": str(lines),
            **(settings or {}),
        }
        if str(playbook).endswith(".yml"):
            playbook = HERE / "playbooks" / playbook
        command = [str(self.bin_folder / "ansible-playbook"), "-i", str(inventory), str(playbook), *options]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        results = [Result(**json.loads(line)) for line in lines.read_text(encoding="utf-8").splitlines()]
        print("$ %s\n%s[exit status %d]" % (shlex.join(command), done.stdout, done.returncode))
        return Run(done.returncode, done.stdout, results)


# Run in a host. A login and Ansible itself leave traces of their own: logs, ~/.ansible, and the times of what these
# lie in.
SNAPSHOT = """
import json, os, stat, sys, zlib
homes = "/home/deploy", "/root", "/var/lib/wasm"
ignored = {"/var/log", "/var/lib/wtmpdb", *(home + "/.ansible" for home in homes)}
timeless = {"/tmp", "/var", "/var/lib", *homes}
found = {}
for top in "etc", "home", "opt", "root", "srv", "tmp", "var":
    for folder, folders, files in os.walk("/" + top):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in ignored]
        for path in [folder, *(os.path.join(folder, name) for name in files)]:
            s = os.lstat(path)
            facts = [oct(s.st_mode), s.st_uid, s.st_gid]
            if path not in timeless:
                facts += [s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns]
            if stat.S_ISREG(s.st_mode):
                with open(path, "rb") as file:
                    facts.append(zlib.crc32(file.read()))
            found[path] = facts
json.dump(found, sys.stdout)
"""


def snapshot(lab: Lab) -> dict[str, list[Any]]:
    """Return inode, mode, owner, times and content of all files on all hosts except in /usr, by host:path."""
    with ThreadPoolExecutor(4) as pool:
        looks = pool.map(lambda host: (host.name, host.run("python3", "-c", SNAPSHOT).stdout), lab.hosts.values())
        return {"%s:%s" % (name, path): facts for name, look in looks for path, facts in json.loads(look).items()}


def written(before: Mapping[str, list[Any]], after: Mapping[str, list[Any]]) -> list[str]:
    """Return as host:path all files that are new, gone or changed between two snapshots."""
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
