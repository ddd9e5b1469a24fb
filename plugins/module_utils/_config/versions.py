# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules for a cache config by range of Wasmtime versions."""

from __future__ import annotations

import re
from typing import Collection, Iterable, NamedTuple

from .settings import SETTINGS, Setting

TOML_1_0 = "1.0"
TOML_1_1 = "1.1"


class Dialect(NamedTuple):
    """The rules of a range of Wasmtime versions, by major version, both ends included."""

    name: str
    first: int
    last: int
    grammars: tuple[str, ...]
    """The grammars of TOML in use. From 39 to 48 this depends on the program: official builds read 1.0; a program
    built from crates.io reads 1.1 if its own lock file has toml_parser 1.0.6 or later."""
    enabled: bool
    """Whether the boolean C(enabled) is mandatory; otherwise it is refused."""
    wraps: bool
    """Whether a duration over 2^64-1 seconds is reduced modulo 2^64; otherwise it is refused."""
    reader: int
    """The first version with the same reader of TOML: that of 39 meets the keys of a table in alphabetical
    order, not as written, and keeps CRLF in strings of several lines, where earlier ones make it LF."""

    @property
    def fields(self) -> int:
        """How many fields the engine's structure has: the settings, and C(enabled)."""
        return sum(setting.known_to(self.first, self.last) for setting in SETTINGS.values()) + self.enabled

    @property
    def with_1_1(self) -> str:
        """The name of the programs with these versions that read TOML 1.1, where others do not."""
        first = max(self.first, self.reader)
        return "%s with TOML %s" % (first if first == self.last else "%d-%d" % (first, self.last), TOML_1_1)


MAJOR_MAX = 10**8


def _name(first: int, last: int) -> str:
    if first == 0:
        return "<=%d" % last
    if last == MAJOR_MAX:
        return ">=%d" % first
    return "%d" % first if first == last else "%d-%d" % (first, last)


def cut(ranges: Iterable[Dialect], settings: Collection[Setting]) -> tuple[Dialect, ...]:
    """Return the ranges, split so that all versions in one know the same settings."""
    starts = {s.since for s in settings} | {s.until + 1 for s in settings if s.until is not None}
    dialects = []
    for whole in ranges:
        firsts = [whole.first, *sorted(start for start in starts if whole.first < start <= whole.last)]
        for first, following in zip(firsts, [*firsts[1:], whole.last + 1]):
            dialects.append(whole._replace(name=_name(first, following - 1), first=first, last=following - 1))
    return tuple(dialects)


DIALECTS = cut(
    (
        Dialect("", 0, 32, (TOML_1_0,), enabled=True, wraps=True, reader=0),
        Dialect("", 33, 47, (TOML_1_0, TOML_1_1), enabled=False, wraps=True, reader=39),
        Dialect("", 48, 48, (TOML_1_0, TOML_1_1), enabled=False, wraps=False, reader=39),
        Dialect("", 49, MAJOR_MAX, (TOML_1_1,), enabled=False, wraps=False, reader=39),
    ),
    SETTINGS.values(),
)

# The dialects for a config if the task names no version.
CURRENT = tuple(dialect for dialect in DIALECTS if not dialect.enabled)


class BadVersion(Exception):
    """A text that is not a Wasmtime version."""

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.version = version


def for_version(version: str) -> Dialect:
    """Return the dialect of a Wasmtime version such as C(42), C(42.0), C(42.0.2) or, like a release tag, C(v42.0.2).

    Raises BadVersion.
    """
    match = re.match(r"v?([0-9]{1,8})(\.[0-9]+){0,2}([-+][0-9A-Za-z.+-]+)?\Z", version)
    if not match:
        raise BadVersion(version)
    major = int(match.group(1))
    dialect = next(dialect for dialect in DIALECTS if major <= dialect.last)
    return dialect if major >= dialect.reader else dialect._replace(grammars=(TOML_1_0,), reader=0)
