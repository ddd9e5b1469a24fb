# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a host stands, by what C(cache_config_info) has found there: the words that all summaries share."""

from __future__ import annotations

from collections import Counter
from typing import Any, Iterable, Mapping

from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import LOOKED_AT, Malformed, reason

GOOD = "good"
DEFAULTS = "good without a config file"
WARNED = "with warnings"
REFUSED = "refused by Wasmtime"
DANGEROUS = "dangerous"
UNKNOWN = "not looked at"
UNREACHABLE = "unreachable"
# In the order in which they are counted: from the best to the worst, where errors are worse than dangers as in SEVERITIES.
STANDINGS = (GOOD, DEFAULTS, WARNED, DANGEROUS, REFUSED, UNKNOWN, UNREACHABLE)
VERDICT = ("valid", "safe", "exists")  # the keys that only a verdict has


def standing(result: Any) -> tuple[str, str, dict[str, Any]]:
    """Return the standing of a host, why it could not be looked at, and what was found there.

    C(result) is anything that the host has returned, or Ansible has for a module that failed or was not run.
    """
    if not isinstance(result, Mapping):
        return UNKNOWN, str(Malformed("is not a dictionary")), {}
    if result.get("unreachable"):
        return UNREACHABLE, reason(result), {}
    if result.get("failed") or not any(name in result for name in VERDICT):
        return UNKNOWN, reason(result), {}
    try:
        found = LOOKED_AT(result)
    except Malformed as error:
        return UNKNOWN, str(error), {}
    if not found["valid"]:
        return REFUSED, "", found
    if not found["safe"]:
        return DANGEROUS, "", found
    if found["problems"]:
        return WARNED, "", found
    return (GOOD if found["exists"] else DEFAULTS), "", found


def counts(standings: Iterable[str]) -> list[tuple[str, int]]:
    """Each standing that there is and how many hosts have it."""
    numbers = Counter(standings)
    return [(name, numbers[name]) for name in STANDINGS if numbers[name]]


def are_results(results: Any) -> bool:
    """Return whether this is a dictionary of results by the names of hosts; single ones may be malformed."""
    if not isinstance(results, Mapping):
        return False
    return not results or any(isinstance(result, Mapping) for result in results.values())
