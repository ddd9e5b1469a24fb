# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what `check` and `report` cost for many hosts beside their tasks: what sums them up, by Ansible's own code.

Usage, in a place that Ansible knows, ansible_collections/wasmops/wasmtime: python tests/benchmark/summing.py [HOSTS]

The expressions are those of the playbooks, over the variables of hosts as Ansible keeps them. CPU time and memory are those
of this process. With the connection plugin `nowhere` and BENCHMARK_ANSWERS, ansible-playbook runs the tasks as well.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from ansible._internal._datatag._tags import TrustedAsTemplate
from ansible._internal._templating._engine import TemplateEngine
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

ROOT = Path(__file__).resolve().parents[2]


def expressions() -> dict[str, tuple[str, dict[str, str]]]:
    """What the role's entry point check and the playbook report evaluate, each with its task's variables."""
    (check,) = [
        task
        for task in yaml.safe_load((ROOT / "roles/wasmtime_cache/tasks/check.yml").read_text(encoding="utf-8"))
        if "ansible.builtin.set_fact" in task
    ]
    (play,) = yaml.safe_load((ROOT / "playbooks/report.yml").read_text(encoding="utf-8"))
    report = play["tasks"][-1]["block"][0]
    return {
        "check": (check["ansible.builtin.set_fact"]["wasmtime_cache_summary"], check["vars"]),
        "report": (report["ansible.builtin.set_fact"]["wasmtime_cache_fleet"], report["vars"]),
    }


def measure(number: int) -> None:
    """Print what each expression takes for so many hosts."""
    init_plugin_loader([str(ROOT.parents[2])])
    # What comes from collections is Ansible's to import, from here on.
    sys.path.insert(0, str(ROOT.parents[2]))
    from ansible_collections.wasmops.wasmtime.tests.report.fleet import results

    loader = DataLoader()
    inventory = InventoryManager(loader, sources="localhost,")
    manager = VariableManager(loader, inventory)
    found = results(number)
    for host, pair in found.items():
        inventory.add_host(host)
        facts = {"wasmtime_cache_result": pair["config"], "wasmtime_cache_usage": pair["usage"]}
        manager.set_nonpersistent_facts(host, facts)
    known: dict[str, Any] = {
        "ansible_play_hosts_all": list(found),
        "hostvars": HostVars(inventory, manager, loader),
    }
    trusted = TrustedAsTemplate().tag
    for name, (expression, variables) in expressions().items():
        own = {key: trusted(value) for key, value in variables.items()}
        engine = TemplateEngine(loader=loader, variables={**known, **own})
        started = time.process_time()
        engine.template(trusted(expression))
        seconds = time.process_time() - started
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print("%s, %d hosts: %.1f s of CPU, %d MiB" % (name, number, seconds, memory), flush=True)


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
