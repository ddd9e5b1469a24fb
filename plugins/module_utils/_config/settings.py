# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of settings, and the formats of their values.

Everything else in the collection that uses the name, kind or default of a setting
takes it from C(SETTINGS) or is tested against it.
Source of every rule here: Wasmtime's C(crates/cache/src/config.rs).
"""

from __future__ import annotations

from typing import Any, NamedTuple, Union

U64_MAX = 2**64 - 1
LEVEL_MIN = 0
LEVEL_MAX = 21
PERCENT_MAX = 100
SMALL_QUEUE = 3


_SI = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15}
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}


class Kind(NamedTuple):
    """A format of values, and its base unit."""

    name: str
    base_unit: str
    units: dict[str, int]
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
    """One key of C([cache])."""

    name: str
    kind: Kind
    default: int | None
    """In base units; None: the user's own directory."""
    about: str
    """What it does, for the documentation; each line is a paragraph."""
    bound: str = ""
    """A further condition for its value, for the documentation."""
    since: int = 0
    """The first major version of Wasmtime that knows the setting."""
    until: int | None = None
    """The last one; None while the newest one knows it."""

    @property
    def option(self) -> str:
        """The name in Ansible."""
        return self.name.replace("-", "_")

    def known_to(self, first: int, last: int) -> bool:
        """Return whether every major version from C(first) to C(last) knows the setting."""
        return self.since <= first and (self.until is None or last <= self.until)


# In the order of the engine's own structure and of its documentation. After a change: make generate.
SETTINGS: dict[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting(
            "directory",
            KINDS["path"],
            None,
            "The cache directory, an absolute path. Whoever can write there runs native code in every process that loads"
            " the cache, and Wasmtime deletes every file there that it does not know.\n"
            "In the file, Wasmtime expands neither C(~) nor variables; in this option they are expanded on the host before"
            " they are written.",
        ),
        Setting(
            "worker-event-queue-size",
            KINDS["count"],
            16,
            "The number of events that the cache worker can queue; further events are dropped.",
        ),
        Setting("baseline-compression-level", KINDS["level"], 3, "The zstd level of new cache files."),
        Setting(
            "optimized-compression-level",
            KINDS["level"],
            20,
            "The zstd level of cache files that are used often.",
            bound="not below the baseline level",
        ),
        Setting(
            "optimized-compression-usage-counter-threshold",
            KINDS["count"],
            256,
            "The number of uses after which a cache file is compressed again.",
        ),
        Setting("cleanup-interval", KINDS["duration"], 3600, "The time between two cleanups."),
        Setting(
            "optimizing-compression-task-timeout",
            KINDS["duration"],
            1800,
            "How long one worker's recompression of a file prevents other workers from recompressing it.",
        ),
        Setting(
            "allowed-clock-drift-for-files-from-future",
            KINDS["duration"],
            86400,
            "How far in the future the time of a lock may be before Wasmtime ignores the lock.",
        ),
        Setting(
            "file-count-soft-limit",
            KINDS["count"],
            65536,
            "The number of cache files above which a cleanup deletes some.",
        ),
        Setting(
            "files-total-size-soft-limit",
            KINDS["size"],
            512 * 2**20,
            "The size of all cache files above which a cleanup deletes some.",
        ),
        Setting(
            "file-count-limit-percent-if-deleting",
            KINDS["percent"],
            70,
            "The share of O(file_count_soft_limit) that a cleanup leaves.",
        ),
        Setting(
            "files-total-size-limit-percent-if-deleting",
            KINDS["percent"],
            70,
            "The share of O(files_total_size_soft_limit) that a cleanup leaves.",
        ),
    )
}

# A soft limit and the percent it is multiplied by at cleanup.
LIMITS = (
    ("file-count-soft-limit", "file-count-limit-percent-if-deleting"),
    ("files-total-size-soft-limit", "files-total-size-limit-percent-if-deleting"),
)

TomlValue = Union[str, int]


class BadValue(Exception):
    """A value that does not have its format: the name of a text in C(problems), and the values for it."""

    def __init__(self, name: str, **facts: Any) -> None:
        super().__init__(name)
        self.name = name
        self.facts = facts


def is_integer(value: Any) -> bool:
    """Return whether a value is a TOML integer; a boolean is one only in Python."""
    return isinstance(value, int) and not isinstance(value, bool)
