# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The standing of a host, from its result of C(cache_config_info), and the words that all summaries share."""

from __future__ import annotations

from typing import Any, Collection, Mapping, Sequence

from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import LOOKED_AT, Malformed, reason

GOOD = "good"
DEFAULTS = "good without a config file"
WARNED = "with warnings"
REFUSED = "refused by Wasmtime"
DANGEROUS = "dangerous"
NOT_LOOKED_AT = "not looked at"
UNREACHABLE = "unreachable"
# In the order in which they are counted: from the best to the worst, where errors are worse than dangers as in SEVERITIES.
STANDINGS = (GOOD, DEFAULTS, WARNED, DANGEROUS, REFUSED, NOT_LOOKED_AT, UNREACHABLE)
# These fail a host.
BAD = (REFUSED, DANGEROUS, NOT_LOOKED_AT)
VERDICT = ("valid", "safe", "exists")  # the keys that only a verdict has


def standing(result: Any) -> tuple[str, str, dict[str, Any]]:
    """Return the standing of a host, why it could not be checked, and its valid result.

    C(result) is anything that the host has returned, or Ansible's result for a module that failed or was not run.
    """
    if not isinstance(result, Mapping):
        return NOT_LOOKED_AT, str(Malformed("is not a dictionary")), {}
    if result.get("unreachable"):
        return UNREACHABLE, reason(result), {}
    if result.get("failed") or not any(name in result for name in VERDICT):
        return NOT_LOOKED_AT, reason(result), {}
    try:
        found = LOOKED_AT(result)
    except Malformed as error:
        return NOT_LOOKED_AT, str(error), {}
    if not found["valid"]:
        return REFUSED, "", found
    if not found["safe"]:
        return DANGEROUS, "", found
    if found["problems"]:
        return WARNED, "", found
    return (GOOD if found["exists"] else DEFAULTS), "", found


def total(numbers: Mapping[str, int]) -> str:
    """Return the last line of a summary: how many hosts have each of these standings."""
    return "%s: %s" % (
        number_of(sum(numbers.values())),
        ", ".join("%d %s" % (numbers[name], name) for name in STANDINGS if numbers.get(name)),
    )


def number_of(hosts: int) -> str:
    """Return a number of hosts in words."""
    return "1 host" if hosts == 1 else "%d hosts" % hosts


def named(hosts: Sequence[str], most: int) -> str:
    """Return the names of hosts, or the first of them and the number of the others."""
    more = len(hosts) - most
    return ", ".join(hosts[:most]) + (" and %d more" % more if more > 0 else "")


def one_or_several(paths: Collection[str], kind: str) -> str:
    """Return the only path, or the number of paths and one of them."""
    first = next(iter(paths), "content")
    return first if len(paths) < 2 else "%d %s, such as %s" % (len(paths), kind, first)


def advice(problem: Mapping[str, Any]) -> str:
    """Return a problem in words: the place, what is wrong, and the remedy."""
    place = "" if problem["line"] is None else "line %s, column %s: " % (problem["line"], problem["column"])
    return "%s%s; %s" % (place, problem["message"], problem["remedy"])


def are_results(results: Any) -> bool:
    """Return whether this is a dictionary of results by the names of hosts; single ones may be malformed."""
    if not isinstance(results, Mapping):
        return False
    return not results or any(isinstance(result, Mapping) for result in results.values())
