# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook `check`: its exit status, and a readable summary for any number of hosts."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ansible_collections.wasmops.wasmtime.tests.fleet.lab import RELEASES, Lab, Spec
from ansible_collections.wasmops.wasmtime.tests.fleet.parts import PIPELINING, inventory_of, touched
from ansible_collections.wasmops.wasmtime.tests.fleet.runner import Ansible, snapshot

if TYPE_CHECKING:
    from ansible_collections.wasmops.wasmtime.tests.fleet.lab import Host
    from ansible_collections.wasmops.wasmtime.tests.fleet.runner import Run

CHECK = "wasmops.wasmtime.check"
CONFIGS = {
    "valid": '[cache]\ncleanup-interval = "1h"\n',
    "warned": '[cache]\nworker-event-queue-size = "2"\n',
    "old": "[cache]\nenabled = true\n",
    "broken": '[cache]\ncleanup-interval = "60"\nfile_count_soft_limit = "1K"\n',
    "dangerous": '[cache]\ndirectory = "/var/cache/open"\nenabled = true\n',
}
PARTS = {
    # Each is at its path below /etc/wasmtime, but for these two, at which there is nothing.
    "default": {"ansible_become": True, "ansible_become_user": "wasm"},
    "missing": {"wasmtime_cache_path": "/etc/wasmtime/missing.toml"},
    **{part: {"wasmtime_cache_path": "/etc/wasmtime/%s.toml" % part} for part in CONFIGS},
}
PARTS["dangerous"]["wasmtime_cache_wasmtime_version"] = "32"


def prepare(hosts: list[Host]) -> None:
    for host in hosts:
        host.sh("mkdir /etc/wasmtime; install -d -m 777 /var/cache/open")
        for part, text in CONFIGS.items():
            host.run("tee", "/etc/wasmtime/%s.toml" % part, input=text)


def summaries(run: Run) -> list[list[str]]:
    """Return the summaries, one for each batch of hosts; each line must be on the screen, too."""
    found = []
    for result in run.results:
        if result.action == "ansible.builtin.debug" and result.status == "ok":
            found.append(result.data["msg"])
            assert all(json.dumps(line) in run.output for line in found[-1])
        # The first host that fails says it for all.
        elif result.action == "ansible.builtin.fail" and "\n" in result.message:
            found.append(result.message.splitlines())
            assert result.message in run.output
    return found


def test_a_fleet_in_all_conditions(ansible: Ansible, lab: Lab) -> None:
    """Every problem is one line with its hosts, file, place and remedy; the last line has totals; nothing is changed."""
    hosts = lab.start_all(Spec(release, name=release) for release in RELEASES)
    prepare(hosts)
    bare = lab.start("bullseye", name="bare", libraries=False)
    gone = lab.start("forky", name="gone")
    inventory = inventory_of(lab, PARTS, variables={"gone": {"ansible_timeout": 2}}, alone=[bare, gone])
    gone.stop()
    before = snapshot(lab)

    def named(part: str) -> str:
        return ", ".join("%s.%s" % (host.name, part) for host in hosts)

    run = ansible.playbook(CHECK, inventory, settings=PIPELINING)
    assert run.status == 4
    assert touched(before, snapshot(lab)) == []
    (lines,) = summaries(run)
    expected = [
        "17 of 30 hosts failed",
        "error enabled-refused, 4 hosts:",
        "  %s: /etc/wasmtime/old.toml: line 2, column 1: enabled is .*; remove the line: .*" % named("old"),
        "error invalid-value, 4 hosts:",
        '  %s: /etc/wasmtime/broken.toml: line 2, column 20: cleanup-interval = "60" has no unit; write .*'
        % named("broken"),
        "error missing, 4 hosts:",
        "  %s: /etc/wasmtime/missing.toml: there is no such file; create it.*" % named("missing"),
        "error unknown-key, 4 hosts:",
        "  %s: /etc/wasmtime/broken.toml: line 3, column 1: .*; write file-count-soft-limit" % named("broken"),
        "danger directory-writable-by-others, 4 hosts:",
        '  %s: /etc/wasmtime/dangerous.toml: .* write to "/var/cache/open": .*; set directory_mode to .*'
        % named("dangerous"),
        "warning small-queue, 4 hosts:",
        "  %s: /etc/wasmtime/warned.toml: line 2, column 27: .*; write 3 or more" % named("warned"),
        "not looked at, 1 host:",
        "  bare: .*platformdirs.*",
        "unreachable, 1 host:",
        "  gone: .*198[.]18[.].*",
        "30 hosts: 4 good, 4 good without a config file, 4 with warnings, 4 dangerous, 12 refused by Wasmtime, 1 not looked at, 1 unreachable",
    ]
    assert len(lines) == len(expected)
    for line, pattern in zip(lines, expected):
        assert re.fullmatch(pattern, line)
    wrong = {result.host for result in run.results if result.status in {"failed", "unreachable"}}
    assert wrong == {"bare", "gone", *(", ".join(map(named, ("broken", "dangerous", "missing", "old")))).split(", ")}


def test_some_of_a_fleet(ansible: Ansible, lab: Lab) -> None:
    """The exit status and the summary cover the selected hosts, in batches, and also if all of them fail."""
    hosts = lab.start_all(Spec(release, name=release) for release in ("bullseye", "forky"))
    prepare(hosts)
    gone = lab.start("bookworm", name="gone")
    parts = {part: PARTS[part] for part in ("valid", "broken")}
    inventory = inventory_of(lab, parts, variables={"gone": {"ansible_timeout": 2}}, alone=[gone])
    gone.stop()

    def check(limit: str, playbook: str = CHECK) -> tuple[int, list[list[str]]]:
        run = ansible.playbook(playbook, inventory, "--limit", limit, settings=PIPELINING)
        return run.status, summaries(run)

    assert check("*.valid") == (0, [["2 hosts: 2 good"]])

    status, (lines,) = check("*.broken")
    assert (status, lines[-1]) == (2, "2 hosts: 2 refused by Wasmtime")
    assert lines[:2] == ["2 of 2 hosts failed", "error invalid-value, 2 hosts:"]

    status, (first, last) = check("*.valid,*.broken", "check_in_batches.yml")
    assert status == 2
    assert first[-3:] == [
        "not looked at, 2 hosts:",
        "  forky.valid, forky.broken",
        "4 hosts: 1 good, 1 refused by Wasmtime, 2 not looked at",
    ]
    assert last[1] == "error invalid-value, 2 hosts:"
    assert last[-1] == "4 hosts: 2 good, 2 refused by Wasmtime"

    # No host is left for the summary.
    assert check("gone") == (4, [])
