# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Summarize which programs refuse their config, now or after an upgrade of their Wasmtime."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Iterable, Mapping

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import DIALECTS, TOML_1_1

MOST_NAMES = 5  # of hosts that are kept for a program; their number is kept as well


def version_of(program: Mapping[str, Any]) -> str:
    """Return the possible versions as text."""
    return " or ".join(program["versions"]) or "unknown"


def name_of(program: Mapping[str, Any]) -> str:
    """Return a program with its version."""
    return "%s (Wasmtime %s)" % (program["path"], version_of(program))


def broken_from(program: Mapping[str, Any], accepted_by: Iterable[str]) -> int | None:
    """Return the first major version that refuses the config if the program accepts it now; None if there is none.

    C(accepted_by) is that of C(cache_config_info) for the config.
    """
    names = [dialect.name for dialect in DIALECTS]
    if not program.get("accepts") or program["dialect"] not in names:
        return None
    accepted = set(accepted_by)
    for dialect in DIALECTS[names.index(program["dialect"]) + 1 :]:
        with_1_1 = program["toml"] == TOML_1_1 and dialect.with_1_1 in accepted
        if dialect.name not in accepted and not with_1_1:
            return dialect.first
    return None


def engines(hosts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each version that programs have, on how many C(hosts), and on how many of them one refuses the config.

    C(upgrades) are how many hosts have one that accepts it until it is upgraded, by the version that refuses it.
    """
    found: dict[str, dict[str, Any]] = {}
    for host in hosts:
        seen = set()
        for program in host["programs"]:
            version = version_of(program)
            row = found.setdefault(version, {"hosts": 0, "refuse": 0, "upgrades": Counter()})
            since = broken_from(program, host["accepted_by"])
            facts = {"hosts", "refuse" if program.get("accepts") is False else "", since}
            for fact in facts - {"", None}:
                if (version, fact) not in seen:
                    seen.add((version, fact))
                    counted = row["upgrades"] if isinstance(fact, int) else row
                    counted[str(fact)] += 1
    return [
        {
            "version": version,
            **found[version],
            "upgrades": dict(sorted(found[version]["upgrades"].items(), key=lambda pair: int(pair[0]))),
        }
        for version in sorted(found, key=_order)
    ]


def refusals(hosts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each program that refuses the config of its host: now (C(since) is null), or from a later version on."""
    found: dict[tuple[str, str, int], list[str]] = {}
    for host in hosts:
        keys: dict[tuple[str, str, int], None] = {}  # each once, in their order
        for program in host["programs"]:
            since = 0 if program.get("accepts") is False else broken_from(program, host["accepted_by"])
            if since is not None:
                keys[program["path"], version_of(program), since] = None
        for key in keys:
            found.setdefault(key, []).append(host["name"])
    rows = []
    for path, version, since in sorted(found, key=lambda key: (key[2], key[0], _order(key[1]))):
        names = found[path, version, since]
        row = {"path": path, "version": version, "since": since or None, "hosts": len(names)}
        rows.append({**row, "names": names[:MOST_NAMES]})
    return rows


def _order(version: str) -> tuple[list[int], str]:
    return [int(number[:9]) for number in re.findall(r"[0-9]+", version)][:4], version
