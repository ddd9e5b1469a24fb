# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Use each host in several parts at once, and compare the outcomes of runs for each part."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ansible_collections.wasmops.wasmtime.tests.fleet.runner import MODULE, written

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from ansible_collections.wasmops.wasmtime.tests.fleet.lab import Host, Lab
    from ansible_collections.wasmops.wasmtime.tests.fleet.runner import Run

PIPELINING = {"ANSIBLE_PIPELINING": "1"}
# Only present if the file exists, or specific to the run.
NOT_COMPARED = {
    *("backup_file", "gid", "group", "mode", "owner", "secontext", "size", "state", "uid"),
    *("deprecations", "exception", "invocation", "warnings"),
}
# The directories of Ansible's own temporary files, also for users without a home.
WITH_TEMPORARY_FILES = {"/home", "/var/tmp"}


def inventory_of(
    lab: Lab,
    parts: Mapping[str, Mapping[str, Any]],
    variables: Mapping[str, Mapping[str, Any]] | None = None,
    alone: Collection[Host] = (),
) -> Path:
    """Write an inventory that has each host of a lab once for each part, as HOST.PART with the part's variables.

    Variables of all, of releases and of hosts are given as for the lab's own inventory. Hosts that are alone
    take no part.
    """
    names = {
        host.name: [host.name] if host in alone else ["%s.%s" % (host.name, part) for part in parts]
        for host in lab.hosts.values()
    }
    content = json.loads(lab.inventory(variables=variables).read_text(encoding="utf-8"))
    for group in [content["all"], *content["all"]["children"].values()]:
        group["hosts"] = {name: known for host, known in group["hosts"].items() for name in names[host]}
    for name, known in content["all"]["hosts"].items():
        content["all"]["hosts"][name] = {**known, **parts.get(name.partition(".")[2], {})}
    path = lab.state / "parts.json"
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
    return path


def outcomes(run: Run, action: str = MODULE) -> dict[str, dict[str, Any]]:
    """Return the results of a module on each host, as far as check mode can predict them."""
    return {
        result.host: {
            "status": result.status,
            **{k: v for k, v in result.data.items() if k not in NOT_COMPARED and not k.startswith("_ansible")},
        }
        for result in run.results
        if result.action == action and result.status != "skipped"
    }


def unlike(done: Run, predicted: Run) -> dict[str, Any]:
    """Return the wrong predictions by host: the key, the value of the run, and the predicted value."""
    ends, starts = outcomes(done), outcomes(predicted)
    found = {}
    for host in ends.keys() | starts.keys():
        end, start = ends.get(host, {}), starts.get(host, {})
        keys = sorted(key for key in end.keys() | start.keys() if end.get(key) != start.get(key))
        if keys:
            found[host] = [(key, end.get(key), start.get(key)) for key in keys]
    return found


def touched(before: Mapping[str, list[Any]], after: Mapping[str, list[Any]]) -> list[str]:
    """Return as host:path all files that changed between two snapshots, except Ansible's own temporary files."""
    return [path for path in written(before, after) if path.partition(":")[2] not in WITH_TEMPORARY_FILES]
