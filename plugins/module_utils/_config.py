# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the bytes of a config to its settings, effective values and problems.

Knows the rules of Wasmtime's C(crates/cache/src/config.rs) and nothing of Ansible.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ._dialect import DIALECTS, Dialect
from ._settings import (
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
    base_value,
    format_value,
    shown,
    type_name,
)
from ._toml import TOML_1_0, TOML_1_1, Entry, Layout, Library, TomlError

ERROR = "error"
DANGER = "danger"
WARNING = "warning"

# The codes of severity danger, from here, C(_directory) and C(_files); what C(ignore_dangers) takes.
DANGERS = (
    "clock-overflow",
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

# Larger files are refused unread: no real config comes near, and a parser in Python is slow.
MAX_BYTES = 2**20

# A file with more problems than this is no cache config; the rest is counted, not listed.
MAX_PROBLEMS = 100

BOM = "\ufeff"
QUEUE_ENTRY_BYTES = 40
# The engine keeps file times as signed seconds and panics where adding the drift leaves them.
CLOCK_MAX = 2**63 - 1
NAME_MAX = 255
PATH_MAX = 4095

Effective = Dict[str, Optional[TomlValue]]


class Host(NamedTuple):
    """What the verdict needs to know of the host and the user."""

    default_directory: Callable[[], Optional[str]]
    """Gives the engine's own cache directory for the user; None where the user has no home."""
    memory: int
    """Bytes of memory."""
    now: int
    """Seconds since 1970."""


class Problem:
    """Something wrong with a config; its fields are the keys that the modules return."""

    def __init__(
        self,
        code: str,
        severity: str,
        message: str,
        remedy: str,
        setting: Optional[str] = None,
        value: Optional[str] = None,
        line: Optional[int] = None,
        column: Optional[int] = None,
    ) -> None:
        self.code = code
        self.severity = severity
        self.setting = setting
        self.value = value
        self.line = line
        self.column = column
        self.message = message
        self.remedy = remedy

    def as_dict(self) -> Dict[str, Any]:
        """The problem as the modules return it."""
        return dict(vars(self))

    def sentence(self) -> str:
        """The problem in one sentence: line, what is wrong, what would be right."""
        place = "" if self.line is None else "line %d, column %d: " % (self.line, self.column or 1)
        return "%s%s; %s" % (place, self.message, self.remedy)


class Config:
    """A config as read: the text, its data, and how it stands with the engine."""

    def __init__(self, text: str, bom: bool) -> None:
        self.text = text
        self.bom = bom
        self.table: Optional[Dict[str, Any]] = None
        """The C([cache]) table as the TOML library gives it; None where there is none."""
        self.problems: List[Problem] = []
        self.effective: Effective = {}
        self.accepted_by: List[str] = []

    @property
    def valid(self) -> bool:
        """Whether the engine takes the file."""
        return not any(p.severity == ERROR for p in self.problems)

    def that_matter(self, problems: Sequence[Problem]) -> List[Problem]:
        """The problems without those of a cache in use, if this config switches it off.

        Wasmtime up to 32 still validates such a config, creates the directory, and does no more.
        """
        off = (self.table or {}).get("enabled") is False
        return [problem for problem in problems if not off or problem.severity == ERROR]

    @property
    def settings(self) -> Dict[str, Any]:
        """The known settings that the file names, as it spells them."""
        return {k: v for k, v in (self.table or {}).items() if k in SETTINGS}


class _Rules:
    """The rules that several dialects have in common: what one refuses, all refuse."""

    def __init__(self, dialects: Sequence[Dialect]) -> None:
        self.grammars = sorted({d.toml for d in dialects})
        self.enabled_mandatory = any(d.enabled for d in dialects)
        self.enabled_refused = any(not d.enabled for d in dialects)
        self.wraps = any(d.wraps for d in dialects)
        self.refuses_overflow = any(not d.wraps for d in dialects)
        self.sorts_keys = self.keeps_crlf = dialects[-1].reader >= 39


def read_config(data: bytes, dialects: Sequence[Dialect], host: Host, library: Library) -> Config:
    """Judge a config by the rules of all given dialects at once.

    Never raises for what is in C(data); raises NoLibrary where the host reads no TOML.
    """
    if len(data) > MAX_BYTES:
        config = Config("", False)
        config.problems.append(too_large(len(data)))
        return config
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        config = Config("", False)
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        config.problems.append(
            Problem(
                "not-utf-8",
                ERROR,
                "byte 0x%02x is not valid UTF-8" % data[error.start],
                "save the file as UTF-8",
                line=line,
                column=column,
            )
        )
        return config
    bom = text.startswith(BOM)
    return judge(Config(text[1:] if bom else text, bom), dialects, host, library)


def no_config(host: Host) -> Config:
    """How the engine stands without a config file: every setting has its default."""
    config = Config("", False)
    # The engine takes a missing default file for an empty table, whatever its version.
    rules = _Rules([dialect for dialect in DIALECTS if not dialect.enabled])
    check = _Check({"cache": {}}, rules, host)
    config.problems = check.problems
    config.effective = check.effective
    config.accepted_by = [dialect.name for dialect in DIALECTS]
    return config


def too_large(size: int) -> Problem:
    """The problem of a file that is not read for its size in bytes."""
    return Problem(
        "too-large",
        ERROR,
        "the file has %d bytes" % size,
        "a cache config has some hundred bytes and at most %d are read" % MAX_BYTES,
    )


def judge(config: Config, dialects: Sequence[Dialect], host: Host, library: Library) -> Config:
    """Fill in data, problems, effective settings and C(accepted_by) of a config's text."""
    parsed: Dict[str, Any] = {}
    for grammar in (TOML_1_0, TOML_1_1):
        # What is TOML 1.0 is TOML 1.1 with the same meaning.
        if isinstance(parsed.get(TOML_1_0), tuple) and parsed[TOML_1_0][1]:
            parsed[grammar] = parsed[TOML_1_0]
            continue
        try:
            parsed[grammar] = library.read(config.text, grammar)
        except TomlError as error:
            parsed[grammar] = error
    rules = _Rules(dialects)
    readable = [r[0] for r in parsed.values() if not isinstance(r, TomlError)]
    for grammar in rules.grammars:
        problem = _grammar_problem(parsed[grammar], grammar, bool(readable))
        if problem:
            config.problems.append(problem)
            break
    if not readable:
        return config
    document = readable[0]
    cache = document.get("cache")
    if isinstance(cache, dict):
        config.table = cache
    check = _Check(document, rules, host)
    _locate(check, config, library)
    # A grammar problem comes first: the engine meets it before it looks at any setting.
    config.problems.extend(config.that_matter(check.problems))
    config.effective = check.effective
    for dialect in DIALECTS:
        if _grammar_problem(parsed[dialect.toml], dialect.toml, True) is None:
            alone = _Check(document, _Rules([dialect]), host)
            if not any(p.severity == ERROR for p in alone.problems):
                config.accepted_by.append(dialect.name)
    return config


def _grammar_problem(result: Any, grammar: str, other_reads: bool) -> Optional[Problem]:
    if isinstance(result, TomlError):
        if grammar == TOML_1_0 and other_reads:
            remedy = "Wasmtime up to 48 reads TOML 1.0, only later ones read 1.1: write it in TOML 1.0"
        else:
            remedy = "correct the TOML there"
        return Problem(
            "toml-syntax", ERROR, "not valid TOML: %s" % result.message, remedy, line=result.line, column=result.column
        )
    if not result[1]:
        return Problem(
            "toml-unproven",
            ERROR,
            "the file has syntax that may be TOML 1.1 only, and this host has no parser for TOML 1.0 to tell",
            "write it without inline tables and without the escapes \\e and \\x, or use Python 3.11 or newer there",
        )
    return None


class _Check:
    """One pass over the data by one set of rules; problems in the order the engine meets them.

    C(where) holds, for each problem, the path it is about and whether its value is meant.
    """

    def __init__(self, document: Dict[str, Any], rules: _Rules, host: Host) -> None:
        self.rules = rules
        self.host = host
        self.problems: List[Problem] = []
        self.where: List[Tuple[Tuple[str, ...], bool]] = []
        self.effective: Effective = {}
        self.unlisted = 0
        for key, value in self._in_order(document):
            if key == "cache":
                self._cache(value)
            elif self._full():
                self.unlisted += 1
            else:
                self._unknown((key,), "%s is not known at the top level" % shown(key), "the only table is [cache]")
        if "cache" not in document:
            self._add((), False, "cache-missing", ERROR, "the table [cache] is missing", "add a line [cache]")
        if isinstance(document.get("cache"), dict):
            self._ranges(document["cache"])
        if self.unlisted:
            text = "%d more unknown keys" % self.unlisted
            self._add((), False, "unknown-key", ERROR, text, "a cache config has at most 12 keys")

    def _in_order(self, table: Dict[str, Any]) -> List[Tuple[str, Any]]:
        return sorted(table.items()) if self.rules.sorts_keys else list(table.items())

    def _full(self) -> bool:
        return len(self.problems) >= MAX_PROBLEMS

    def _add(
        self,
        path: Tuple[str, ...],
        at_value: bool,
        code: str,
        severity: str,
        message: str,
        remedy: str,
        value: Any = None,
    ) -> None:
        setting = path[1] if len(path) > 1 else None
        text = None if value is None else value if isinstance(value, str) else shown(value)
        self.problems.append(Problem(code, severity, message, remedy, setting, text))
        self.where.append((path, at_value))

    def _unknown(self, path: Tuple[str, ...], message: str, remedy: str) -> None:
        self._add(path, False, "unknown-key", ERROR, message, remedy)

    def _cache(self, cache: Any) -> None:
        if not isinstance(cache, dict):
            self._add(
                ("cache",),
                True,
                "cache-not-a-table",
                ERROR,
                "cache is %s, not a table" % type_name(cache),
                "write a line [cache] and each setting on a line of its own below it",
            )
            return
        for key, value in self._in_order(cache):
            if key in SETTINGS:
                self._setting(SETTINGS[key], value)
            elif key == "enabled":
                self._enabled(value)
            elif self._full():
                self.unlisted += 1
            else:
                self._unknown_setting(key)
        if self.rules.enabled_mandatory and "enabled" not in cache:
            self._add(
                ("cache",),
                True,
                "enabled-missing",
                ERROR,
                "enabled is missing, which Wasmtime up to 32 requires",
                self._no_common_file() or "add enabled = true",
            )

    def _no_common_file(self) -> str:
        if self.rules.enabled_mandatory and self.rules.enabled_refused:
            return "no file suits both Wasmtime up to 32 and later ones: give each a file of its own"
        return ""

    def _enabled(self, value: Any) -> None:
        path = ("cache", "enabled")
        if self.rules.enabled_refused:
            if value is False:
                remedy = "remove it; these versions switch the cache off by loading no config"
            else:
                remedy = "remove it; these versions switch the cache on by loading a config"
            self._add(
                path,
                False,
                "enabled-refused",
                ERROR,
                "enabled is refused by Wasmtime 33 and later",
                self._no_common_file() or remedy,
                value,
            )
        elif not isinstance(value, bool):
            self._add(
                path,
                True,
                "wrong-type",
                ERROR,
                "enabled is %s, not a boolean" % type_name(value),
                "write true or false without quotes",
                value,
            )

    def _unknown_setting(self, key: str) -> None:
        if key.replace("_", "-").lower() in SETTINGS:
            remedy = "write %s" % key.replace("_", "-").lower()
        else:
            import difflib

            near = difflib.get_close_matches(key, SETTINGS, 1, 0.75)
            remedy = "did you mean %s?" % near[0] if near else "remove it"
        self._unknown(("cache", key), "%s is not a setting of [cache]" % shown(key), remedy)

    def _setting(self, setting: Setting, value: Any) -> None:
        path = ("cache", setting.name)
        self.effective[setting.name] = None
        try:
            base = base_value(setting, value)
        except BadValue as bad:
            text = "%s = %s %s" % (setting.name, shown(value), bad.message)
            self._add(path, True, bad.code, ERROR, text, bad.remedy, value)
            return
        if setting.kind.name == "duration" and isinstance(base, int) and base > U64_MAX:
            text = "%s = %s is more than 2^64-1 seconds" % (setting.name, shown(value))
            if self.rules.refuses_overflow:
                self._add(path, True, "overflow", ERROR, text, "write a shorter duration", value)
                return
            base %= U64_MAX + 1
            text += ", of which Wasmtime before 48 makes %s" % format_value(setting.kind, base)
            self._add(path, True, "duration-wraps", DANGER, text, "write a shorter duration", value)
        self.effective[setting.name] = base

    def _ranges(self, cache: Dict[str, Any]) -> None:
        self._directory(cache)
        for name, setting in SETTINGS.items():
            if name != "directory" and name not in cache:
                self.effective[name] = setting.default
        self.effective = {name: self.effective.get(name) for name in SETTINGS}
        self._queue(cache)
        self._levels(cache)
        for limit, percent in LIMITS:
            self._limit(cache, limit, percent)
        self._drift(cache)

    def _number(self, name: str) -> Optional[int]:
        value = self.effective[name]
        return value if isinstance(value, int) else None

    def _directory(self, cache: Dict[str, Any]) -> None:
        path = ("cache", "directory")
        directory: Optional[TomlValue]
        if "directory" not in cache:
            self.effective["directory"] = directory = self.host.default_directory()
            if directory is None:
                self._add(
                    ("cache",),
                    False,
                    "no-home",
                    ERROR,
                    "directory is not set and the user has no home directory to derive it from",
                    "set directory to an absolute path",
                )
                return
        else:
            directory = self.effective["directory"]
            if directory is None:
                return
        directory = str(directory)
        names = directory.encode("utf-8", "surrogateescape").split(b"/")
        remedy = 'write an absolute path, like "/var/cache/wasmtime"'
        if not directory.startswith("/"):
            text = "directory = %s is not absolute" % shown(directory)
            if directory[:1] in ("~", "$"):
                text += ": the engine expands neither ~ nor variables"
            self._add(path, True, "directory-relative", ERROR, text, remedy, directory)
        elif "\0" in directory:
            text = "directory = %s has a NUL character" % shown(directory)
            self._add(path, True, "directory-nul", ERROR, text, remedy, directory)
        elif max(map(len, names)) > NAME_MAX or sum(map(len, names)) + len(names) - 1 > PATH_MAX:
            text = "directory = %s is too long" % shown(directory)
            self._add(
                path,
                True,
                "directory-too-long",
                ERROR,
                text,
                "no name in a path may have more than %d bytes and no path more than %d" % (NAME_MAX, PATH_MAX),
                directory,
            )

    def _queue(self, cache: Dict[str, Any]) -> None:
        name = "worker-event-queue-size"
        size = self._number(name)
        if size is None:
            return
        if size < SMALL_QUEUE:
            text = "%s = %s is small: events, and with them usage counts, get lost" % (name, shown(cache[name]))
            self._add(("cache", name), True, "small-queue", WARNING, text, "write 3 or more", cache[name])
        elif size * QUEUE_ENTRY_BYTES > self.host.memory:
            text = "%s = %s makes the process allocate %d bytes at load and abort: the host has %d" % (
                name,
                shown(cache[name]),
                size * QUEUE_ENTRY_BYTES,
                self.host.memory,
            )
            self._add(
                ("cache", name), True, "queue-memory", DANGER, text, 'write a smaller size, like "1K"', cache[name]
            )

    def _levels(self, cache: Dict[str, Any]) -> None:
        names = ("baseline-compression-level", "optimized-compression-level")
        levels = [self._number(name) for name in names]
        in_range = True
        for name, level in zip(names, levels):
            if level is not None and not LEVEL_MIN <= level <= LEVEL_MAX:
                in_range = False
                text = "%s = %d is not in %d..%d" % (name, level, LEVEL_MIN, LEVEL_MAX)
                self._add(
                    ("cache", name),
                    True,
                    "out-of-range",
                    ERROR,
                    text,
                    "write a whole number from %d to %d, like %s" % (LEVEL_MIN, LEVEL_MAX, SETTINGS[name].default),
                    level,
                )
        baseline, optimized = levels
        if in_range and baseline is not None and optimized is not None and optimized < baseline:
            # Point at the one that the file names.
            name = names[1] if names[1] in cache else names[0]
            default = [n for n in names if n not in cache]
            text = "optimized-compression-level (%d) is lower than baseline-compression-level (%d)%s" % (
                optimized,
                baseline,
                ", which is the default" if default == [names[0]] else "",
            )
            if default == [names[1]]:
                text = (
                    "baseline-compression-level (%d) is higher than optimized-compression-level (%d), the default"
                    % (
                        baseline,
                        optimized,
                    )
                )
            self._add(
                ("cache", name),
                True,
                "optimized-below-baseline",
                ERROR,
                text,
                "set both so that optimized-compression-level is not the lower one",
                cache[name],
            )

    def _limit(self, cache: Dict[str, Any], limit_name: str, percent_name: str) -> None:
        limit, percent = self._number(limit_name), self._number(percent_name)
        if percent is not None and percent > PERCENT_MAX:
            text = "%s = %s is more than 100%%" % (percent_name, shown(cache[percent_name]))
            self._add(
                ("cache", percent_name),
                True,
                "out-of-range",
                ERROR,
                text,
                'write 0% to 100%, like "70%"',
                cache[percent_name],
            )
            percent = None
        for name, value in ((limit_name, limit), (percent_name, percent)):
            if value == 0:
                text = "%s = %s makes every cleanup delete the whole cache" % (name, shown(cache[name]))
                self._add(("cache", name), True, "empties-itself", WARNING, text, "write more than 0", cache[name])
        if limit is not None and percent is not None and limit * percent > U64_MAX:
            named = limit_name if limit_name in cache else percent_name
            text = "%s times %s is more than 2^64-1, at which the process aborts at its first cleanup" % (
                limit_name,
                percent_name,
            )
            kind = SETTINGS[limit_name].kind
            most = U64_MAX // percent
            remedy = 'write a smaller limit: at %d%% at most "%d"' % (percent, most)
            if kind.name == "size":
                remedy += ' ("%dPi")' % (most >> 50)
            self._add(("cache", named), True, "limit-overflow", DANGER, text, remedy, cache[named])

    def _drift(self, cache: Dict[str, Any]) -> None:
        name = "allowed-clock-drift-for-files-from-future"
        drift = self._number(name)
        if drift is not None and self.host.now + drift > CLOCK_MAX:
            text = (
                "%s = %s reaches beyond the system clock's range, at which the process aborts at its first cleanup"
                % (
                    name,
                    shown(cache[name]),
                )
            )
            self._add(
                ("cache", name),
                True,
                "clock-overflow",
                DANGER,
                text,
                'write a shorter duration, like "1d"',
                cache[name],
            )


def _locate(check: _Check, config: Config, library: Library) -> None:
    """Give the problems of a check their lines and columns, and the directory its line breaks."""
    for problem in check.problems:
        if problem.code == "cache-missing":
            problem.line = problem.column = 1  # where the engine says so
    directory = check.effective.get("directory")
    crlf = isinstance(directory, str) and "\n" in directory and "\r\n" in config.text
    if not crlf and not any(path for path, _at_value in check.where):
        return
    layout = Layout(config.text, library.reader(config.text))
    first: Dict[Tuple[str, ...], Entry] = {}
    for candidate in layout.entries:
        first.setdefault(candidate.path[:1], candidate)
        first.setdefault(candidate.path[:2], candidate)
    for problem, (path, at_value) in zip(check.problems, check.where):
        entry = first.get(path) or first.get(path[:1])
        if entry is None:  # the layout is too complex to find it
            continue
        if at_value and (entry.header or entry.path == path):
            offset = entry.value[0]
        else:
            parts = layout.key_parts(entry)
            # The part of a dotted key that names this path, counted from the end.
            part = len(parts) - 1 - (len(entry.path) - len(path))
            offset = parts[part] if 0 <= part < len(parts) else entry.key[0]
        problem.line, problem.column = layout.position(offset)
    if crlf and ("cache", "directory") in first:
        kept = layout.with_crlf(first["cache", "directory"])
        if kept != directory:
            text = "directory has a line break, which Wasmtime up to 38 reads as LF and later ones as CRLF"
            line, column = layout.position(first["cache", "directory"].value[0])
            check.problems.append(
                Problem(
                    "directory-line-break",
                    WARNING,
                    text,
                    "write the path without line breaks",
                    "directory",
                    str(directory),
                    line,
                    column,
                )
            )
            if check.rules.keeps_crlf:
                check.effective["directory"] = kept
