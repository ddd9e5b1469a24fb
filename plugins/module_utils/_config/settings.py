# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the twelve settings, and how their values are read.

Everything else in the collection that knows a setting by name, kind or default
takes it from C(SETTINGS) or is tested against it.
Source of every rule here: Wasmtime's C(crates/cache/src/config.rs).
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional, Union

U64_MAX = 2**64 - 1
LEVEL_MIN = 0
LEVEL_MAX = 21
PERCENT_MAX = 100
SMALL_QUEUE = 3


_SI = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}


class Kind(NamedTuple):
    """A format of values: what a person may write, and in which base unit it counts."""

    name: str
    base_unit: str
    units: Dict[str, int]
    example: str
    rule: str


KINDS = {
    kind.name: kind
    for kind in (
        Kind("path", "", {}, "/var/cache/wasmtime", "an absolute path"),
        Kind("level", "", {}, "3", "a whole number from 0 to 21 without quotes"),
        Kind("count", "", _SI, "100K", "a whole number, alone or followed by K, M, G, T or P"),
        Kind(
            "size",
            "bytes",
            {**_SI, **_BINARY},
            "512Mi",
            "a whole number of bytes, alone or followed by K, Ki, M, Mi, G, Gi, T, Ti, P or Pi",
        ),
        Kind(
            "duration",
            "seconds",
            {"s": 1, "m": 60, "h": 3600, "d": 86400},
            "1h",
            "a whole number followed by s, m, h or d",
        ),
        Kind("percent", "percent", {"%": 1}, "70%", "a whole number from 0 to 100 followed by %"),
    )
}


class Setting(NamedTuple):
    """One key of C([cache]): C(default) is in base units; C(None) is the user's own directory."""

    name: str
    kind: Kind
    default: Optional[int]

    @property
    def option(self) -> str:
        """The name in Ansible."""
        return self.name.replace("-", "_")


# In the order of the engine's own structure, which is the order of its documentation.
SETTINGS: Dict[str, Setting] = {
    name: Setting(name, KINDS[kind], default)
    for name, kind, default in (
        ("directory", "path", None),
        ("worker-event-queue-size", "count", 16),
        ("baseline-compression-level", "level", 3),
        ("optimized-compression-level", "level", 20),
        ("optimized-compression-usage-counter-threshold", "count", 256),
        ("cleanup-interval", "duration", 3600),
        ("optimizing-compression-task-timeout", "duration", 1800),
        ("allowed-clock-drift-for-files-from-future", "duration", 86400),
        ("file-count-soft-limit", "count", 65536),
        ("files-total-size-soft-limit", "size", 512 * 2**20),
        ("file-count-limit-percent-if-deleting", "percent", 70),
        ("files-total-size-limit-percent-if-deleting", "percent", 70),
    )
}

# A soft limit and the percent it is multiplied by at cleanup.
LIMITS = (
    ("file-count-soft-limit", "file-count-limit-percent-if-deleting"),
    ("files-total-size-soft-limit", "files-total-size-limit-percent-if-deleting"),
)

TomlValue = Union[str, int]


class BadValue(Exception):
    """A value outside its format: C(code) of the problem, what is wrong, what would be right."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy


def is_integer(value: Any) -> bool:
    """Whether a value is a TOML integer; a boolean is one in Python only."""
    return isinstance(value, int) and not isinstance(value, bool)
