# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `prune`: check mode predicts the run, failed hosts are shown as failed, one line has the total."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.wasmops.wasmtime.tests.fleet.lab import Lab, Spec
from ansible_collections.wasmops.wasmtime.tests.fleet.parts import PIPELINING, inventory_of, touched
from ansible_collections.wasmops.wasmtime.tests.fleet.runner import Ansible, snapshot

if TYPE_CHECKING:
    from ansible_collections.wasmops.wasmtime.tests.fleet.runner import Run

PRUNE = "wasmops.wasmtime.prune"
MODULE = "wasmops.wasmtime.cache_prune"
MODULE_DIRECTORY = "/var/cache/%s/modules/wasmtime-42.0.2"
# A cache with one module, which is kept, and leftovers; each config at its own path below /etc/wasmtime.
FILL = """
mkdir -p /etc/wasmtime {directory}
printf '[cache]\\ndirectory = "/var/cache/{part}"\\n' >/etc/wasmtime/{part}.toml
head -c 100000 /dev/zero >{directory}/0000000000000000000000000000000000000000001
chmod -R go-w /var/cache/{part}
"""
LEFT_OVER = "touch -d '2 hours ago' /var/cache/left/.cleanup.wip-1; head -c 50000 /dev/zero >/var/cache/left/notes"
PARTS = {part: {"wasmtime_cache_path": "/etc/wasmtime/%s.toml" % part} for part in ("clean", "left", "system")}
KINDS = '{"wasmtime_cache_prune": ["stale_locks", "foreign"]}'


def summary(run: Run) -> list[str]:
    (lines,) = (result.data["msg"] for result in run.results if result.action == "ansible.builtin.debug")
    assert all("\n" not in line for line in lines)
    return lines


def test_a_fleet_is_pruned_as_the_dry_run_said(newest_ansible: Ansible, lab: Lab) -> None:
    hosts = lab.start_all(Spec(release, name=release) for release in ("bullseye", "trixie"))
    gone = lab.start("forky", name="gone")
    for host in hosts:
        for part in ("clean", "left"):
            host.sh(FILL.format(part=part, directory=MODULE_DIRECTORY % part))
        host.sh(LEFT_OVER)
        host.sh("printf '[cache]\\ndirectory = \"/etc\"\\n' >/etc/wasmtime/system.toml")
    inventory = inventory_of(lab, PARTS, variables={"gone": {"ansible_timeout": 2}}, alone=[gone])
    gone.stop()
    before = snapshot(lab)

    foretold = newest_ansible.playbook(PRUNE, inventory, "--check", "-e", KINDS, settings=PIPELINING)
    assert foretold.status == 4
    assert touched(before, snapshot(lab)) == []
    run = newest_ansible.playbook(PRUNE, inventory, "-e", KINDS, settings=PIPELINING)
    assert run.status == 4

    lines, others = summary(run), summary(foretold)
    assert [line.replace("would remove", "removed").replace("would be freed", "freed") for line in others] == lines
    said = dict(line.split(": ", 1) for line in lines[:-1])
    assert said["bullseye.clean, trixie.clean"] == "nothing to remove"
    assert said["bullseye.left, trixie.left"].startswith("removed stale_locks: 1 (0 Bytes), foreign: 1 (")
    assert said["bullseye.system, trixie.system"].startswith("failed: ")
    assert said["gone"].startswith("unreachable: ")
    assert lines[-1].startswith("7 hosts: ")
    assert lines[-1].endswith("; 2 with nothing to remove; 2 failed; 1 unreachable")

    wrong = {result.host for result in run.results if result.status in {"failed", "unreachable"}}
    assert wrong == {"bullseye.system", "trixie.system", "gone"}
    for host in hosts:
        assert (
            foretold.module(host.name + ".left", MODULE).data["removed"]
            == (run.module(host.name + ".left", MODULE).data["removed"])
        )
    gone_files = {path.split(":")[1] for path in before.keys() - snapshot(lab).keys()}
    assert gone_files == {"/var/cache/left/.cleanup.wip-1", "/var/cache/left/notes"}

    again = newest_ansible.playbook(PRUNE, inventory, "-e", KINDS, "--limit", "*.left,*.clean", settings=PIPELINING)
    assert again.status == 0
    assert not any(again.changes.values())
