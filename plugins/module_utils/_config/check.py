# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the data of a config: return the effective values, and what Wasmtime refuses or accepts although it is harmful.

The rules are those of Wasmtime's C(crates/cache/src/config.rs); nothing here depends on Ansible. The
texts for findings are in C(problems), which a run without problems never loads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, Mapping, NamedTuple, Optional, Sequence

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

# The codes of these severities in C(problems), for files that must not load it. After a change there: make generate.
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
WARNINGS = (
    "directory-dynamic-user",
    "directory-line-break",
    "directory-not-looked-at",
    "directory-owner",
    "directory-placeholder",
    "directory-unwritable",
    "empties-itself",
    "limit-beyond-file-system",
    "small-queue",
)

# Larger files are refused unread: no real config comes near, and a parser in Python takes minutes and gigabytes for a
# mebibyte of the worst, which is keys with thousands of dots.
MAX_BYTES = 2**16

# A file with more problems than this is no cache config; the rest is counted, not listed.
MAX_PROBLEMS = 100
_UNKNOWN = ("unknown-table", "unknown-setting")

# Names of settings in 2019 (C(wasmtime-environ/src/cache/config.rs)), and their present names.
KEYS_OF_2019 = {
    "cleanup-interval-in-seconds": "cleanup-interval",
    "optimizing-compression-task-timeout-in-seconds": "optimizing-compression-task-timeout",
    "files-count-soft-limit": "file-count-soft-limit",
    "files-count-limit-percent-if-deleting": "file-count-limit-percent-if-deleting",
}
# Every placeholder has one of these.
MARKS = frozenset("~$%{<@")

QUEUE_ENTRY_BYTES = 40
# The engine keeps file times as signed seconds and panics where adding the drift leaves them.
CLOCK_MAX = 2**63 - 1
# In bytes, without the NUL at the end (limits.h).
NAME_MAX = 255
PATH_MAX = 4095

Effective = Dict[str, Optional[TomlValue]]


class Finding(NamedTuple):
    """Something that Wasmtime refuses, or accepts although it is harmful; its texts are in C(problems)."""

    name: str
    """Of the text; what Wasmtime takes has the name of its code."""
    path: tuple[str, ...] = ()
    """The key that has the problem; empty for the whole file."""
    value: Any = None
    facts: Mapping[str, Any] = {}
    """What else the text says; C(line) and C(column) where the place is known already."""


class Host(NamedTuple):
    """The facts about the host and the user that the checks need."""

    default_directory: Callable[[], str | None]
    """Returns the engine's own cache directory for the user; None if the user has no home."""
    memory: int
    """Bytes of memory."""
    now: int
    """Seconds since 1970."""
    capacity: Callable[[str], int | None] = lambda _directory: None
    """Returns the size in bytes of the file system of an absolute path; None if unknown."""


class CommonRules(NamedTuple):
    """The combined rules of several dialects: they refuse what one of the dialects refuses."""

    grammars: tuple[str, ...]
    enabled_mandatory: bool
    enabled_refused: bool
    refuses_overflow: bool
    sorts_keys: bool
    keeps_crlf: bool
    settings: dict[str, Setting]


def common_rules(dialects: Sequence[Dialect]) -> CommonRules:
    """Return the combined rules of these dialects, which are given oldest first."""
    since_39 = dialects[-1].reader >= 39
    return CommonRules(
        grammars=tuple(sorted({grammar for d in dialects for grammar in d.grammars})),
        enabled_mandatory=any(d.enabled for d in dialects),
        enabled_refused=any(not d.enabled for d in dialects),
        refuses_overflow=any(not d.wraps for d in dialects),
        sorts_keys=since_39,
        keeps_crlf=since_39,
        settings={
            name: setting
            for name, setting in SETTINGS.items()
            if all(setting.known_to(d.first, d.last) for d in dialects)
        },
    )


class Checked(NamedTuple):
    """The result of the check."""

    effective: Effective
    findings: list[Finding]

    @property
    def refused(self) -> bool:
        """Whether Wasmtime refuses it."""
        return any(finding.name not in DANGERS and finding.name not in WARNINGS for finding in self.findings)


def check(document: Mapping[str, Any], rules: CommonRules, host: Host) -> Checked:
    """Check the data of a config in the same order as Wasmtime."""
    cache = document.get("cache")
    keys = _in_order(document, rules)
    if not isinstance(cache, dict) and keys not in ([], ["cache"]):
        from .lookalikes import other_file

        other = other_file(list(document))
        if other is not None:
            # However long it is, one thing is wrong with it.
            first = next(key for key in keys if key != "cache")
            return Checked({}, [Finding(other[0], (first,), None, other[1])])
    effective: Effective = {}
    findings: list[Finding] = []
    for key in keys:
        if key != "cache":
            findings.append(Finding("unknown-table", (key,), None, {"known": _known(rules), "found": cache}))
        elif isinstance(cache, dict):
            findings += _settings(cache, rules, effective)
        else:
            # The command line program has an option with this name.
            name = "cache-boolean" if isinstance(cache, bool) else "cache-not-a-table"
            findings.append(Finding(name, ("cache",), None, {"found": cache}))
    more = [finding for finding in findings[MAX_PROBLEMS:] if finding.name not in _UNKNOWN]
    unlisted = len(findings[MAX_PROBLEMS:]) - len(more)
    findings[MAX_PROBLEMS:] = more
    if cache is None:
        findings.append(Finding("cache-missing", facts={"line": 1, "column": 1}))  # where Wasmtime says so
    elif isinstance(cache, dict):
        if "directory" not in cache:
            effective["directory"] = host.default_directory()
        effective = {name: effective.get(name, setting.default) for name, setting in rules.settings.items()}
        findings += _ranges(cache, effective, host)
    if unlisted:
        findings.append(Finding("unlisted", facts={"number": unlisted}))
    return Checked(effective, findings)


def has_line_break(effective: Effective, text: str) -> bool:
    """Return whether the directory may have a line break that some versions read as CRLF."""
    directory = effective.get("directory")
    return isinstance(directory, str) and "\n" in directory and "\r\n" in text


def _in_order(table: Mapping[str, Any], rules: CommonRules) -> list[str]:
    return sorted(table) if rules.sorts_keys else list(table)


def _known(rules: CommonRules) -> list[str]:
    return [*rules.settings, "enabled"] if rules.enabled_mandatory else list(rules.settings)


def _settings(cache: Mapping[str, Any], rules: CommonRules, effective: Effective) -> Iterator[Finding]:
    """Check each key on its own, and set the effective values; None for an invalid one."""
    old = [key for key in cache if key in KEYS_OF_2019]
    for key in _in_order(cache, rules):
        value, path = cache[key], ("cache", key)
        if old and key in SETTINGS and is_integer(value) and SETTINGS[key].kind.units:
            effective[key] = None  # as it was written then
        elif key in rules.settings:
            effective[key], findings = _setting(SETTINGS[key], value, rules)
            yield from findings
        elif key in SETTINGS:
            yield Finding("setting-of-others", path, value)
        elif key in old:
            if key == next((name for name in _in_order(cache, rules) if name in old), None):
                yield Finding("keys-of-2019", path, None, {"old": old, "found": cache})
        elif key != "enabled":
            yield Finding("unknown-setting", path, None, {"known": _known(rules), "found": cache})
        elif rules.enabled_refused:
            refused = "enabled-false-refused" if value is False else "enabled-refused"
            yield Finding("enabled-refused-by-some" if rules.enabled_mandatory else refused, path, value)
        elif not isinstance(value, bool):
            yield Finding("enabled-type", path, value)
    if rules.enabled_mandatory and "enabled" not in cache:
        yield Finding("enabled-missing-for-some" if rules.enabled_refused else "enabled-missing", ("cache",))


def _setting(setting: Setting, value: Any, rules: CommonRules) -> tuple[TomlValue | None, list[Finding]]:
    path = ("cache", setting.name)
    try:
        base = base_value(setting, value)
    except BadValue as bad:
        return None, [Finding(bad.name, path, value, bad.facts)]
    if not isinstance(base, int) or base <= U64_MAX:
        return base, []
    # Only a duration can be more.
    if rules.refuses_overflow:
        return None, [Finding("duration-overflow", path, value)]
    base %= U64_MAX + 1
    return base, [Finding("duration-wraps", path, value, {"wrapped": base})]


def _ranges(cache: Mapping[str, Any], effective: Effective, host: Host) -> Iterator[Finding]:
    """Check the effective values, with defaults, against each other and against the host."""
    numbers = {name: value for name, value in effective.items() if isinstance(value, int)}
    yield from _directory(effective["directory"], "directory" in cache)
    yield from _queue(cache, numbers, host)
    yield from _levels(cache, numbers)
    for names in LIMITS:
        yield from _soft_limit(cache, numbers, names, effective["directory"], host)
    name = "allowed-clock-drift-for-files-from-future"
    if host.now + numbers.get(name, 0) > CLOCK_MAX:
        yield _about(cache, name, "clock-overflow")


def _about(cache: Mapping[str, Any], name: str, text: str, **facts: Any) -> Finding:
    return Finding(text, ("cache", name), cache.get(name), facts)


def _directory(directory: Any, named: bool) -> Iterator[Finding]:
    """Check the directory; C(named): whether the file names it."""
    if directory is None:
        if not named:
            yield Finding("no-home", ("cache",))
        return
    path = ("cache", "directory")
    encoded = directory.encode("utf-8", "surrogateescape")
    found = None
    if not directory.startswith("/") or (named and not MARKS.isdisjoint(directory)):
        from .lookalikes import placeholder

        found = placeholder(directory)
    if not directory.startswith("/"):
        yield Finding("directory-unexpanded" if found else "directory-relative", path, directory)
    elif "\0" in directory:
        yield Finding("directory-nul", path, directory)
    elif max(map(len, encoded.split(b"/"))) > NAME_MAX or len(encoded) > PATH_MAX:
        yield Finding("directory-too-long", path, directory)
    elif found:
        yield Finding("directory-placeholder", path, directory, {"placeholder": found})


def _queue(cache: Mapping[str, Any], numbers: Mapping[str, int], host: Host) -> Iterator[Finding]:
    name = "worker-event-queue-size"
    size = numbers.get(name, SMALL_QUEUE)
    if size < SMALL_QUEUE:
        yield _about(cache, name, "small-queue")
    elif size * QUEUE_ENTRY_BYTES > host.memory:
        facts = {"bytes": size * QUEUE_ENTRY_BYTES, "memory": host.memory}
        yield _about(cache, name, "queue-memory", **facts)


def _levels(cache: Mapping[str, Any], numbers: Mapping[str, int]) -> Iterator[Finding]:
    names = ("baseline-compression-level", "optimized-compression-level")
    outside = [name for name in names if not LEVEL_MIN <= numbers.get(name, LEVEL_MIN) <= LEVEL_MAX]
    for name in outside:
        yield _about(cache, name, "level-range")
    baseline, optimized = map(numbers.get, names)
    if not outside and baseline is not None and optimized is not None and optimized < baseline:
        # Point at the one that the file names.
        named = [name for name in names if name in cache]
        text = (
            "levels"
            if len(named) == 2
            else "optimized-below-default"
            if named == [names[1]]
            else "baseline-above-default"
        )
        yield _about(cache, named[-1], text, baseline=baseline, optimized=optimized)


def _soft_limit(
    cache: Mapping[str, Any], numbers: Mapping[str, int], names: tuple[str, str], directory: Any, host: Host
) -> Iterator[Finding]:
    """Check a soft limit, and the percent of it that a cleanup leaves."""
    limit_name, percent_name = names
    is_size = SETTINGS[limit_name].kind.name == "size"
    limit, percent = map(numbers.get, names)
    if percent is not None and percent > PERCENT_MAX:
        yield _about(cache, percent_name, "percent-range")
        percent = None
    for name, value in zip(names, (limit, percent)):
        if value == 0:
            yield _about(cache, name, "empties-itself")
    if limit is None:
        return
    if percent is not None and limit * percent > U64_MAX:
        facts = {"limit": limit_name, "percent_name": percent_name, "percent": percent}
        yield _about(cache, limit_name if limit_name in cache else percent_name, "limit-overflow", **facts)
    elif is_size and directory is not None and directory.startswith("/") and "\0" not in directory:
        capacity = host.capacity(directory)
        if capacity is not None and limit > capacity:
            yield _about(cache, limit_name, "limit-beyond-file-system", limit=limit, capacity=capacity)
