# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the bytes of a config to its settings, effective values and problems.

Knows the rules of Wasmtime's C(crates/cache/src/config.rs) and nothing of Ansible. What a
problem says, and where, is for C(problems), which a run without problems never loads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, NamedTuple, Optional, Sequence, Tuple

from .settings import (
    LEVEL_MAX,
    LEVEL_MIN,
    LIMITS,
    PERCENT_MAX,
    SETTINGS,
    SMALL_QUEUE,
    U64_MAX,
    BadValue,
    Setting,
    TomlValue,
    is_integer,
)
from .values import base_value

if TYPE_CHECKING:
    from .versions import Dialect

ERROR = "error"
DANGER = "danger"
WARNING = "warning"

# The codes of severity danger, from here, C(_files) and C(_module); what C(ignore_dangers) takes.
DANGERS = (
    "clock-overflow",
    "config-in-cache",
    "directory-foreign-files",
    "directory-not-dedicated",
    "directory-replaceable",
    "directory-symbolic-link",
    "directory-writable-by-others",
    "duration-wraps",
    "file-writable-by-others",
    "limit-overflow",
    "queue-memory",
)

# Larger files are refused unread: no real config comes near, and a parser in Python takes minutes and gigabytes for a
# mebibyte of the worst, which is keys with thousands of dots.
MAX_BYTES = 2**16

# A file with more problems than this is no cache config; the rest is counted, not listed.
MAX_PROBLEMS = 100

# What Wasmtime has called some of its settings in 2019 only (C(wasmtime-environ/src/cache/config.rs)), and calls them now.
KEYS_OF_2019 = {
    "cleanup-interval-in-seconds": "cleanup-interval",
    "optimizing-compression-task-timeout-in-seconds": "optimizing-compression-task-timeout",
    "files-count-soft-limit": "file-count-soft-limit",
    "files-count-limit-percent-if-deleting": "file-count-limit-percent-if-deleting",
}
# No placeholder is without one of these.
MARKS = frozenset("~$%{<@")

QUEUE_ENTRY_BYTES = 40
# The engine keeps file times as signed seconds and panics where adding the drift leaves them.
CLOCK_MAX = 2**63 - 1
NAME_MAX = 255
PATH_MAX = 4095

Effective = Dict[str, Optional[TomlValue]]

Finding = Tuple[str, str, Tuple[str, ...], Any, Dict[str, Any]]
"""A severity, the name of a text in C(problems), the path that it is about, the value there, and other facts."""


class Host(NamedTuple):
    """What the verdict needs to know of the host and the user."""

    default_directory: Callable[[], str | None]
    """Gives the engine's own cache directory for the user; None where the user has no home."""
    memory: int
    """Bytes of memory."""
    now: int
    """Seconds since 1970."""
    capacity: Callable[[str], int | None] = lambda _directory: None
    """Gives the bytes that the file system of an absolute path can hold, those in use included; None if not known."""


class Problem:
    """Something wrong with a config; its fields are the keys that the modules return."""

    def __init__(
        self,
        code: str,
        severity: str,
        message: str,
        remedy: str,
        setting: str | None = None,
        value: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        self.code = code
        self.severity = severity
        self.setting = setting
        self.value = value
        self.line = line
        self.column = column
        self.message = message
        self.remedy = remedy

    def as_dict(self) -> dict[str, Any]:
        """The problem as the modules return it."""
        return dict(vars(self))

    def sentence(self) -> str:
        """The problem in one sentence: line, what is wrong, what would be right."""
        place = "" if self.line is None else "line %d, column %d: " % (self.line, self.column or 1)
        return "%s%s; %s" % (place, self.message, self.remedy)


class CommonRules:
    """The rules that several dialects have in common: what one refuses, all refuse."""

    def __init__(self, dialects: Sequence[Dialect]) -> None:
        self.grammars = sorted({grammar for d in dialects for grammar in d.grammars})
        self.enabled_mandatory = any(d.enabled for d in dialects)
        self.enabled_refused = any(not d.enabled for d in dialects)
        self.refuses_overflow = any(not d.wraps for d in dialects)
        self.sorts_keys = self.keeps_crlf = dialects[-1].reader >= 39
        self.settings = {
            name: setting
            for name, setting in SETTINGS.items()
            if all(setting.known_to(d.first, d.last) for d in dialects)
        }


def too_large(size: int) -> Problem:
    """The problem of a file that is not read for its size in bytes."""
    return Problem(
        "too-large",
        ERROR,
        "the file has %d bytes" % size,
        "a cache config has some hundred bytes and at most %d are read" % MAX_BYTES,
    )


class Check:
    """One pass over the data by one set of rules, in the order the engine goes."""

    def __init__(self, document: dict[str, Any], rules: CommonRules, host: Host) -> None:
        self.rules = rules
        self.host = host
        self.findings: list[Finding] = []
        self.effective: Effective = {}
        cache = document.get("cache")
        self.cache: dict[str, Any] = cache if isinstance(cache, dict) else {}
        self.unlisted = 0
        if cache is not self.cache and not document.keys() <= {"cache"}:
            from .lookalikes import other_file

            what = other_file(list(document))
            if what:
                # However long it is, one thing is wrong with it.
                first = next(key for key, _value in self._in_order(document) if key != "cache")
                self._note(ERROR, "other-file", (first,), what=what[0], remedy=what[1])
                return
        for key, value in self._in_order(document):
            if key != "cache":
                self._unknown("unknown-table", (key,))
            elif cache is self.cache:
                self._settings()
            else:
                self._note(ERROR, "cache-not-a-table", ("cache",), instead=value)
        if cache is None:
            self._note(ERROR, "cache-missing", ())
        if cache is self.cache:
            self._ranges()
        if self.unlisted:
            self._note(ERROR, "unlisted", (), number=self.unlisted)

    def has_line_break(self, text: str) -> bool:
        """Whether the directory may have a line break that some versions read as CRLF."""
        directory = self.effective.get("directory")
        return isinstance(directory, str) and "\n" in directory and "\r\n" in text

    def _in_order(self, table: dict[str, Any]) -> list[tuple[str, Any]]:
        return sorted(table.items()) if self.rules.sorts_keys else list(table.items())

    def _note(self, severity: str, text: str, path: tuple[str, ...], value: Any = None, **facts: Any) -> None:
        self.findings.append((severity, text, path, value, facts))

    def _about(self, name: str, severity: str, text: str, **facts: Any) -> None:
        self._note(severity, text, ("cache", name), self.cache[name], **facts)

    def _unknown(self, text: str, path: tuple[str, ...]) -> None:
        if len(self.findings) < MAX_PROBLEMS:
            self._note(ERROR, text, path)
        else:
            self.unlisted += 1

    def _settings(self) -> None:
        old = [key for key in self.cache if key in KEYS_OF_2019]
        told = False
        for key, value in self._in_order(self.cache):
            if old and key in SETTINGS and is_integer(value) and SETTINGS[key].kind.units:
                self.effective[key] = None  # as it was written then
            elif key in self.rules.settings:
                self._setting(SETTINGS[key], value)
            elif key in SETTINGS:
                self._note(ERROR, "setting-of-others", ("cache", key), value)
            elif key in old:
                if not told:
                    self._note(ERROR, "keys-of-2019", ("cache", key), old=old)
                told = True
            elif key != "enabled":
                self._unknown("unknown-setting", ("cache", key))
            elif self.rules.enabled_refused:
                self._note(ERROR, "enabled-refused", ("cache", key), value)
            elif not isinstance(value, bool):
                self._note(ERROR, "enabled-type", ("cache", key), value)
        if self.rules.enabled_mandatory and "enabled" not in self.cache:
            self._note(ERROR, "enabled-missing", ("cache",))

    def _setting(self, setting: Setting, value: Any) -> None:
        path = ("cache", setting.name)
        self.effective[setting.name] = None
        try:
            base = base_value(setting, value)
        except BadValue as bad:
            self._note(ERROR, "bad-value", path, value, bad=bad)
            return
        if setting.kind.name == "duration" and isinstance(base, int) and base > U64_MAX:
            if self.rules.refuses_overflow:
                self._note(ERROR, "overflow", path, value)
                return
            base %= U64_MAX + 1
            self._note(DANGER, "duration-wraps", path, value, wrapped=base)
        self.effective[setting.name] = base

    def _ranges(self) -> None:
        self._directory()
        self.effective = {
            name: self.effective.get(name, setting.default) for name, setting in self.rules.settings.items()
        }
        self._queue("worker-event-queue-size")
        self._levels("baseline-compression-level", "optimized-compression-level")
        for limit, percent in LIMITS:
            self._limit(limit, percent)
        name = "allowed-clock-drift-for-files-from-future"
        drift = self._number(name)
        if drift is not None and self.host.now + drift > CLOCK_MAX:
            self._about(name, DANGER, "clock-overflow")

    def _number(self, name: str) -> int | None:
        value = self.effective.get(name)
        return value if isinstance(value, int) else None

    def _directory(self) -> None:
        path = ("cache", "directory")
        if "directory" not in self.cache:
            self.effective["directory"] = self.host.default_directory()
            if self.effective["directory"] is None:
                self._note(ERROR, "no-home", ("cache",))
        if self.effective["directory"] is None:
            return
        directory = str(self.effective["directory"])
        encoded = directory.encode("utf-8", "surrogateescape")
        if not directory.startswith("/"):
            self._note(ERROR, "directory-relative", path, directory)
        elif "\0" in directory:
            self._note(ERROR, "directory-nul", path, directory)
        elif max(map(len, encoded.split(b"/"))) > NAME_MAX or len(encoded) > PATH_MAX:
            self._note(ERROR, "directory-too-long", path, directory)
        elif "directory" in self.cache and not MARKS.isdisjoint(directory):
            from .lookalikes import placeholder

            found = placeholder(directory)
            if found:
                self._note(WARNING, "directory-placeholder", path, directory, placeholder=found)

    def _capacity(self, name: str) -> None:
        limit, directory = self._number(name), self.effective["directory"]
        if limit is None or not isinstance(directory, str) or directory[:1] != "/" or "\0" in directory:
            return
        capacity = self.host.capacity(directory)
        if capacity is not None and limit > capacity:
            value = self.cache.get(name)
            self._note(WARNING, "limit-beyond-file-system", ("cache", name), value, limit=limit, capacity=capacity)

    def _queue(self, name: str) -> None:
        size = self._number(name)
        if size is not None and size < SMALL_QUEUE:
            self._about(name, WARNING, "small-queue")
        elif size is not None and size * QUEUE_ENTRY_BYTES > self.host.memory:
            self._about(name, DANGER, "queue-memory", bytes=size * QUEUE_ENTRY_BYTES)

    def _levels(self, *names: str) -> None:
        levels = {name: self._number(name) for name in names}
        outside = [name for name, level in levels.items() if level is not None and not LEVEL_MIN <= level <= LEVEL_MAX]
        for name in outside:
            self._about(name, ERROR, "level-range")
        baseline, optimized = levels.values()
        if not outside and baseline is not None and optimized is not None and optimized < baseline:
            # Point at the one that the file names.
            named = [name for name in names if name in self.cache]
            self._about(named[-1], ERROR, "levels", baseline=baseline, optimized=optimized)

    def _limit(self, limit_name: str, percent_name: str) -> None:
        limit, percent = self._number(limit_name), self._number(percent_name)
        if percent is not None and percent > PERCENT_MAX:
            self._about(percent_name, ERROR, "percent-range")
            percent = None
        for name, value in ((limit_name, limit), (percent_name, percent)):
            if value == 0:
                self._about(name, WARNING, "empties-itself")
        if limit is None or percent is None or limit * percent <= U64_MAX:
            if SETTINGS[limit_name].kind.name == "size":
                self._capacity(limit_name)
        else:
            name = limit_name if limit_name in self.cache else percent_name
            names = {"limit": limit_name, "percent_name": percent_name}
            self._about(name, DANGER, "limit-overflow", percent=percent, **names)
