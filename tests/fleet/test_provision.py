# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `provision` on every release, from scratch, with the libraries installed, available, or unavailable."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ansible_collections.wasmops.wasmtime.tests.fleet.lab import RELEASES, Lab, Spec
from ansible_collections.wasmops.wasmtime.tests.fleet.parts import PIPELINING
from ansible_collections.wasmops.wasmtime.tests.fleet.runner import MODULE, Ansible, snapshot, written

if TYPE_CHECKING:
    from ansible_collections.wasmops.wasmtime.tests.fleet.runner import Run

PROVISION = "wasmops.wasmtime.provision"
DEFAULT_PLACES = [
    "/root/" + path
    for path in (".cache", ".cache/wasmtime", ".config", ".config/wasmtime", ".config/wasmtime/config.toml")
]
SYSTEM_PLACES = ["/etc", "/etc/wasmtime", "/etc/wasmtime/config.toml", "/var/cache", "/var/cache/wasmtime"]
SYSTEM = {
    "wasmtime_cache_path": "/etc/wasmtime/config.toml",
    "wasmtime_cache_directory": "/var/cache/wasmtime",
    "wasmtime_cache_directory_owner": "wasm",
    "wasmtime_cache_directory_mode": "0750",
    "wasmtime_cache_files_total_size_soft_limit": "2Gi",
    "wasmtime_cache_cleanup_interval": "2h",
    "wasmtime_cache_wasmtime_version": "42.0.2",
}


def test_from_nothing(ansible: Ansible, lab: Lab) -> None:
    """Check mode predicts all changes, and a second run changes nothing."""
    plain = lab.start_all(Spec(release) for release in RELEASES)
    system = lab.start_all(Spec(release) for release in ("bullseye", "forky"))
    inventory = lab.inventory(groups={"system": system}, variables={"system": SYSTEM})

    def provision(*options: str) -> Run:
        run = ansible.playbook(PROVISION, inventory, "--diff", *options)
        assert run.status == 0
        assert "WARNING" not in run.output
        assert set(run.changes) == {host.name for host in (*plain, *system)}
        return run

    nothing = snapshot(lab)
    predicted = provision("--check")
    assert written(nothing, snapshot(lab)) == []

    done = provision()
    settled = snapshot(lab)
    for host, changes in done.changes.items():
        assert predicted.changes[host] == changes
        assert [task for task, diff in changes] == ["Provide the config and the cache directory"]
    wanted = [(host, path) for host in plain for path in DEFAULT_PLACES]
    wanted += [(host, path) for host in system for path in SYSTEM_PLACES]
    assert written(nothing, settled) == sorted("%s:%s" % (host.name, path) for host, path in wanted)

    for options in ["--check"], []:
        assert not any(provision(*options).changes.values())
        assert written(settled, snapshot(lab)) == []


def test_libraries_from_packages(ansible: Ansible, lab: Lab) -> None:
    """The role installs what is missing from the host's own packages in the same run; other hosts run one task.

    It does so as root even if the inventory sets another user for everything else.
    """
    releases = [release for release in RELEASES if RELEASES[release].packaged]
    bare = lab.start_all(Spec(release, libraries=False, packages=True) for release in releases)
    ready = lab.start("bookworm", name="ready")
    becoming = {"ansible_user": "deploy", "ansible_become": True, "ansible_become_user": "wasm"}
    inventory = lab.inventory(variables={"trixie": becoming})

    nothing = snapshot(lab)
    predicted = ansible.playbook(PROVISION, inventory, "--check", settings=PIPELINING)
    assert predicted.status == 0
    assert written(nothing, snapshot(lab)) == []
    for host in bare:
        planned, change = (result for result in predicted.of(host.name) if result.changed)
        assert planned.data["created"]
        assert change.message.startswith("Would install python3-platformdirs, python3-tomli-w if the host has")

    first, second = (ansible.playbook(PROVISION, inventory, settings=PIPELINING) for _round in range(2))
    assert (first.status, second.status) == (0, 0)
    for host in bare:
        actions = [result.action for result in first.of(host.name) if result.changed]
        assert actions == ["ansible.builtin.package", MODULE]
        user = "wasm" if host.release == "trixie" else "root"
        assert host.sh("cat ~%s/.config/wasmtime/config.toml" % user).endswith("[cache]\n")
    assert not any(second.changes.values())
    # What runs once runs on the same host in both rounds, and on no other.
    once = {"ansible.builtin.debug", "ansible.builtin.set_fact", "ansible.builtin.include_tasks"}
    chosen = {host.name for host in (ready, *bare) if any(result.action in once for result in second.of(host.name))}
    assert len(chosen) == 1
    for run, hosts in (first, [ready]), (second, [ready, *bare]):
        for host in hosts:
            actions = [result.action for result in run.of(host.name)]
            if host.name in chosen:
                actions = [action for action in actions if action not in once]
            assert actions == [MODULE]


def test_libraries_out_of_reach(ansible: Ansible, lab: Lab) -> None:
    """If no package is available, the last message on a host names the missing libraries and how to get them."""
    hosts = lab.start_all(Spec(release, libraries=False) for release in RELEASES)
    nothing = snapshot(lab)
    run = ansible.playbook(PROVISION, lab.inventory())
    assert run.status == 2
    for host in hosts:
        # The first host also has the summary of all.
        last = [result for result in run.of(host.name) if result.action != "ansible.builtin.debug"][-1]
        assert last.status == "failed"
        names = set(re.findall(r"[\w-]+", last.message.replace("python3-", "")))
        assert names > {"platformdirs", "tomli-w", *(["tomli"] if host.release == "bullseye" else [])}
        for resolved in "python3-tomli-w", "pip install", "ansible_python_interpreter":
            assert resolved in last.message
    # apt keeps an index of its packages.
    assert [path for path in written(nothing, snapshot(lab)) if ":/var/cache" not in path] == []
