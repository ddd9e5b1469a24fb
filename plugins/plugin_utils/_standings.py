# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a host stands, by what C(cache_config_info) has found there: the words that all summaries share."""

from __future__ import annotations

from collections import Counter
from typing import Any, Iterable, List, Mapping, Tuple

GOOD = "good"
DEFAULTS = "good without a config file"
WARNED = "with warnings"
REFUSED = "refused by Wasmtime"
DANGEROUS = "dangerous"
UNKNOWN = "not looked at"
UNREACHABLE = "unreachable"
# In the order in which they are counted.
STANDINGS = (GOOD, DEFAULTS, WARNED, REFUSED, DANGEROUS, UNKNOWN, UNREACHABLE)
SEVERITIES = ("error", "danger", "warning")


def standing(result: Mapping[str, Any]) -> str:
    """The standing of the host of this result, be it that of a module that failed or was not run."""
    if result.get("unreachable"):
        return UNREACHABLE
    if result.get("failed") or "valid" not in result:
        return UNKNOWN
    if not result["valid"]:
        return REFUSED
    if not result["safe"]:
        return DANGEROUS
    if result["problems"]:
        return WARNED
    return GOOD if result["exists"] else DEFAULTS


def counts(standings: Iterable[str]) -> List[Tuple[str, int]]:
    """Each standing that there is and how many hosts have it."""
    numbers = Counter(standings)
    return [(name, numbers[name]) for name in STANDINGS if numbers[name]]


def reason(result: Mapping[str, Any]) -> str:
    """Why a host could not be looked at, in one line."""
    return " ".join(str(result.get("msg", "")).split())
