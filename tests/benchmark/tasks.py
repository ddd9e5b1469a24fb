# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single tasks: time, CPU time, bytes and memory of each, in interleaved order, in one run of ansible-playbook."""

from __future__ import annotations

import json
import random
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from .controller import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ansible_collections.wasmops.wasmtime.tests.fleet.lab import Host

    from .controller import Site

# Rounds that are not counted: connections are made, bytecode is written, files come into being.
WARM_UP = 2
FOLDER = "/srv/benchmark"
# Instead of the host's Python: the same, and the memory it took at most, in KiB, on the record. Both programs begin
# as the smaller one, which therefore must be as small as can be.
MEASURED_PYTHON = f"""\
#!/usr/bin/python3 -IS
import os, sys
pid = os.posix_spawn("/usr/bin/python3", ["/usr/bin/python3", *sys.argv[1:]], os.environ)
_, status, used = os.wait4(pid, 0)
with open("{FOLDER}/memory", "a") as file:
    print(os.environ["BENCHMARK_TASK"], used.ru_maxrss, file=file)
sys.exit(os.waitstatus_to_exitcode(status))
"""

PING = "ping"
CONFIG = """\
[cache]
directory = "{folder}/cache"
cleanup-interval = "{value}"
files-total-size-soft-limit = "2Gi"
"""


def _cache_config(folder: str, value: str) -> dict[str, Any]:
    return {
        "path": f"{folder}/config.toml",
        "directory": f"{folder}/cache",
        "cleanup_interval": value,
        "files_total_size_soft_limit": "2Gi",
        "wasmtime_version": "42.0.2",
    }


class Candidate(NamedTuple):
    """A task to be measured, and whether it changes something each time."""

    action: str
    arguments: Callable[[str, str], dict[str, Any]]  # of a folder of its own and a value
    changes: bool = False
    program: Path | None = None  # a file that is in the folder as C(program)


def _copy(folder: str, value: str) -> dict[str, Any]:
    return {"dest": f"{folder}/config.toml", "content": CONFIG.format(folder=folder, value=value)}


def _ini_file(folder: str, value: str) -> dict[str, Any]:
    path = f"{folder}/config.toml"
    return {"path": path, "section": "cache", "option": "cleanup-interval", "value": f'"{value}"', "mode": "0644"}


def _default_paths(_folder: str, value: str) -> dict[str, Any]:
    return {"cleanup_interval": value}


def _info(folder: str, _value: str) -> dict[str, Any]:
    return {"path": f"{folder}/config.toml", "wasmtime_version": "42.0.2"}


CANDIDATES = {
    PING: Candidate("ansible.builtin.ping", lambda _folder, _value: {}),
    "cache_config, unchanged": Candidate("wasmops.wasmtime.cache_config", _cache_config),
    "cache_config, changed": Candidate("wasmops.wasmtime.cache_config", _cache_config, changes=True),
    "cache_config, default paths, unchanged": Candidate("wasmops.wasmtime.cache_config", _default_paths),
    "cache_config_info": Candidate("wasmops.wasmtime.cache_config_info", _info),
    "copy, unchanged": Candidate("ansible.builtin.copy", _copy),
    "copy, changed": Candidate("ansible.builtin.copy", _copy, changes=True),
    "ini_file, unchanged": Candidate("community.general.ini_file", _ini_file),
    "ini_file, changed": Candidate("community.general.ini_file", _ini_file, changes=True),
}


class Way(NamedTuple):
    """How a task reaches its host."""

    name: str
    folder: str
    keywords: dict[str, Any]


def ways(folder: Path) -> list[Way]:
    """Over SSH without and with pipelining, and none at all: a local connection with a folder to work in."""
    here = {"ansible_python_interpreter": sys.executable, "ansible_remote_tmp": str(folder / "remote")}
    return [
        Way("ssh", f"{FOLDER}/ssh", {"vars": {"ansible_pipelining": False}}),
        Way("pipelining", f"{FOLDER}/pipelining", {"vars": {"ansible_pipelining": True}}),
        Way("local", f"{folder}/local", {"connection": "local", "vars": here}),
    ]


def playbook(rounds: int, chosen: Sequence[Way], candidates: Mapping[str, Candidate]) -> list[dict[str, Any]]:
    """Make the playbook. Each round has an order of its own, so that nothing always comes after the same thing."""
    tasks = []
    for way in chosen:
        for number, candidate in enumerate(candidates.values()):
            folder = f"{way.folder}/{number}"
            cache = {"path": f"{folder}/cache", "state": "directory", "mode": "0700"}
            tasks.append({"ansible.builtin.file": cache, **way.keywords})
            tasks.append({"ansible.builtin.copy": {**_copy(folder, "1d"), "mode": "0644"}, **way.keywords})
            if candidate.program:
                program = {"src": str(candidate.program), "dest": f"{folder}/program", "mode": "0755"}
                tasks.append({"ansible.builtin.copy": program, **way.keywords})
    for number in range(rounds):
        turn = [(way, index, name) for way in chosen for index, name in enumerate(candidates)]
        random.Random(number).shuffle(turn)
        for way, index, name in turn:
            candidate = candidates[name]
            value = "2d" if candidate.changes and number % 2 else "1d"
            tasks.append(
                {
                    "name": json.dumps([number, way.name, name]),
                    candidate.action: candidate.arguments(f"{way.folder}/{index}", value),
                    "environment": {"BENCHMARK_TASK": index},
                    **way.keywords,
                }
            )
    return [{"name": "Single tasks", "hosts": "all", "gather_facts": False, "tasks": tasks}]


def measure(
    site: Site, programs: str, host: Host, rounds: int, candidates: Mapping[str, Candidate]
) -> list[dict[str, Any]]:
    """Measure all tasks in all ways on a host."""
    play = site.folder / "tasks.json"
    play.write_text(json.dumps(playbook(WARM_UP + rounds, ways(site.folder), candidates)))
    cable = f"/sys/class/net/{host.interface}/statistics"
    counters = {
        "host_cpu": str(site.group_of(host).counter),
        "controller_cpu": str(site.controller.counter),
        # Seen from this end of the cable.
        "sent": f"{cable}/tx_bytes",
        "received": f"{cable}/rx_bytes",
    }
    inventory = inventory_of(site, host)
    measured = []
    for line in site.run(programs, play, inventory, counters=counters).lines:
        task = line.pop("task")
        if not task.startswith("["):
            continue
        number, way, name = json.loads(task)
        if number < WARM_UP:
            continue
        if line.pop("changed") != candidates[name].changes:
            raise BenchmarkError(
                f"{name} ({way}): it should{'' if candidates[name].changes else ' not'} have changed something"
            )
        measured.append({"round": number, "way": way, "task": name, **line})
    return measured


def inventory_of(site: Site, host: Host) -> Path:
    """Write an inventory of a single host."""
    path = site.lab.inventory(name=f"only-{host.name}")
    content = json.loads(path.read_text())
    content["all"]["hosts"] = {host.name: content["all"]["hosts"][host.name]}
    del content["all"]["children"]
    path.write_text(json.dumps(content))
    return path


def memory(site: Site, programs: str, host: Host) -> dict[str, int]:
    """Measure the memory that each task takes at most on the host, in KiB."""
    host.run("mkdir", "-p", FOLDER)
    host.run("sh", "-ec", f"cat >{FOLDER}/python3; chmod 755 {FOLDER}/python3", input=MEASURED_PYTHON)
    way = Way("memory", f"{FOLDER}/memories", {"vars": {"ansible_python_interpreter": f"{FOLDER}/python3"}})
    play = site.folder / "memory.json"
    play.write_text(
        json.dumps(playbook(2, [way], CANDIDATES)).replace(
            '"gather_facts"', '"environment": {"BENCHMARK_TASK": "-"}, "gather_facts"'
        )
    )
    site.run(programs, play, inventory_of(site, host))
    found: dict[str, int] = {}
    names = list(CANDIDATES)
    for line in host.run("cat", f"{FOLDER}/memory").stdout.splitlines():
        index, size = line.split()
        if index != "-":
            found[names[int(index)]] = max(int(size), found.get(names[int(index)], 0))
    return found
