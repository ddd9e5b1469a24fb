# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a config, in words, and where it stands in the text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Mapping, NamedTuple, Sequence

from .check import ERROR, KEYS_OF_2019, NAME_MAX, PATH_MAX, WARNING, Check, Problem
from .layout import Layout, Statement
from .lookalikes import placeholder
from .printable import quoted, shown
from .programs import SWITCH_OFF
from .settings import LEVEL_MAX, LEVEL_MIN, SETTINGS, U64_MAX, Setting
from .toml_error import Loads, TomlError
from .versions import TOML_1_1
from .words import format_value, type_name, versions_of

if TYPE_CHECKING:
    from .toml import Library


class ProblemText(NamedTuple):
    """What to say of a finding; C(_facts) are filled in."""

    code: str
    message: str
    remedy: str
    at_key: bool = False
    """Whether it is about the key, not about its value."""


_ABSOLUTE = 'write an absolute path, like "/var/cache/wasmtime"'
_SHORTER = "write a shorter duration"
_BOTH_LEVELS = "set both so that optimized-compression-level is not the lower one"
_CONTINUED = re.compile(r"(\\[ \t]*\r\n[ \t\r\n]*)|\\.")
_IN_1_0 = (
    "write it in TOML 1.0: Wasmtime up to 38 and official builds up to 48 read no other; of other programs with 39 to 48,"
    " those built with toml_parser 1.0.6 or later read TOML 1.1"
)
_UNDERSCORE = re.compile(r"[+-]_")
_STAYS_ON = SWITCH_OFF + ", and removing this line, or the file at the default path, switches the cache on"
_NO_COMMON_FILE = "no file suits both Wasmtime up to 32 and later ones: give each a file of its own"

# By the names that C(Check) notes.
PROBLEM_TEXTS = {
    "unknown-table": ProblemText("unknown-key", "%(key)s is not known at the top level", "%(better)s", at_key=True),
    "unknown-setting": ProblemText("unknown-key", "%(key)s is not a setting of [cache]", "%(better)s", at_key=True),
    "other-file": ProblemText("not-a-cache-config", "%(what)s", "%(remedy)s", at_key=True),
    "keys-of-2019": ProblemText(
        "unknown-key",
        "the file is of 2019: Wasmtime has no %(old)s any more",
        'write it anew with %(new)s, which take texts with a unit, like "1h" or "70%%"',
        at_key=True,
    ),
    "setting-of-others": ProblemText(
        "unknown-key",
        "only Wasmtime %(known)s knows %(name)s",
        "remove it, or set wasmtime_version to the version that reads the file",
        at_key=True,
    ),
    "unlisted": ProblemText("unknown-key", "%(number)d more unknown keys", "remove every key that is not a setting"),
    "cache-missing": ProblemText("cache-missing", "the table [cache] is missing", "add a line [cache]"),
    "cache-not-a-table": ProblemText(
        "cache-not-a-table",
        "cache is %(type)s, not a table",
        "write a line [cache] and each setting on a line of its own below it%(elsewhere)s",
    ),
    "enabled-missing": ProblemText(
        "enabled-missing", "enabled is missing, which Wasmtime up to 32 requires", "add enabled = true"
    ),
    "enabled-refused": ProblemText(
        "enabled-refused",
        "enabled is refused by Wasmtime 33 and later",
        "%(remedy)s",
        at_key=True,
    ),
    "enabled-type": ProblemText(
        "wrong-type", "enabled is %(type)s, not a boolean", "write true or false without quotes"
    ),
    "overflow": ProblemText("overflow", "%(name)s = %(shown)s is more than 2^64-1 seconds", _SHORTER),
    "duration-wraps": ProblemText(
        "duration-wraps",
        "%(name)s = %(shown)s is more than 2^64-1 seconds, of which Wasmtime before 48 makes %(made)s",
        _SHORTER,
    ),
    "no-home": ProblemText(
        "no-home",
        "directory is not set and the user has no home directory to derive it from",
        "set directory to an absolute path",
        at_key=True,
    ),
    "directory-relative": ProblemText(
        "directory-relative", "directory = %(shown)s is not absolute%(unexpanded)s", _ABSOLUTE
    ),
    "directory-nul": ProblemText("directory-nul", "directory = %(shown)s has a NUL character", _ABSOLUTE),
    "directory-placeholder": ProblemText(
        "directory-placeholder",
        "directory = %(shown)s has the placeholder %(placeholder)s, which Wasmtime does not expand: it creates a"
        " directory of this name",
        "write the path that is meant",
    ),
    "directory-too-long": ProblemText(
        "directory-too-long",
        "directory = %(shown)s is too long",
        "no name in a path may have more than %d bytes and no path more than %d" % (NAME_MAX, PATH_MAX),
    ),
    "small-queue": ProblemText(
        "small-queue",
        "%(name)s = %(shown)s is small: events, and with them usage counts, get lost",
        "write 3 or more",
    ),
    "queue-memory": ProblemText(
        "queue-memory",
        "%(name)s = %(shown)s makes the process allocate %(bytes)d bytes at load and abort: the host has %(memory)d",
        'write a smaller size, like "1K"',
    ),
    "level-range": ProblemText(
        "out-of-range",
        "%%(name)s = %%(shown)s is not in %d..%d" % (LEVEL_MIN, LEVEL_MAX),
        "write a whole number from %d to %d, like %%(default)s" % (LEVEL_MIN, LEVEL_MAX),
    ),
    "levels": ProblemText("optimized-below-baseline", "%(levels)s", _BOTH_LEVELS),
    "percent-range": ProblemText(
        "out-of-range", "%(name)s = %(shown)s is more than 100%%", 'write 0%% to 100%%, like "70%%"'
    ),
    "empties-itself": ProblemText(
        "empties-itself",
        "%(name)s = %(shown)s makes every cleanup delete the whole cache",
        "write more than 0",
    ),
    "limit-overflow": ProblemText(
        "limit-overflow",
        "%(limit)s times %(percent_name)s is more than 2^64-1, at which the process aborts at its first cleanup",
        'write a smaller limit: at %(percent)d%% at most "%(most)d"%(or_size)s',
    ),
    "limit-beyond-file-system": ProblemText(
        "limit-beyond-file-system",
        "%(name)s (%(limit)d bytes) is more than the file system of the cache directory can hold (%(capacity)d bytes):"
        " the file system is full before a cleanup begins",
        'write a smaller limit, like "%(smaller)s"',
    ),
    "clock-overflow": ProblemText(
        "clock-overflow",
        "%(name)s = %(shown)s reaches beyond the system clock's range, at which the process aborts at its first cleanup",
        'write a shorter duration, like "1d"',
    ),
}


def not_utf_8(data: bytes, start: int) -> Problem:
    """The problem of bytes that are no text from C(start) on."""
    line = data.count(b"\n", 0, start) + 1
    column = start - data.rfind(b"\n", 0, start)
    message = "byte 0x%02x is not valid UTF-8" % data[start]
    return Problem("not-utf-8", ERROR, message, "save the file as UTF-8", line=line, column=column)


def of_grammar(parsed: Mapping[str, Any], grammars: Sequence[str], text: str) -> Problem:
    """The problem of a text that is not proven to be TOML of all these grammars.

    C(parsed) says what reading it by each grammar gave: data and whether they are proven, or a TomlError.
    """
    # What no grammar allows comes before what only one of them does not.
    result = next(parsed[g] for g in reversed(grammars) if isinstance(parsed[g], TomlError) or not parsed[g][1])
    if not isinstance(result, TomlError):
        return Problem(
            "toml-unproven",
            ERROR,
            "the file has syntax that may be TOML 1.1 only, and this host has no parser for TOML 1.0 to tell",
            "write it without inline tables and without the escapes \\e and \\x, or use Python 3.11 or newer there",
        )
    message, remedy = "not valid TOML: %s" % result.message, "correct the TOML there"
    if not isinstance(parsed[TOML_1_1], TomlError):
        message, remedy = "valid TOML 1.1, but not TOML 1.0: %s" % result.message, _IN_1_0
        if TOML_1_1 in grammars:  # some of the programs in question read it
            return Problem("toml-grammar", ERROR, message, remedy, line=result.line, column=result.column)
    elif _UNDERSCORE.match(text.split("\n")[result.line - 1], result.column - 1):
        remedy = (
            "write the number without the underscore after its sign, which only some builds of Wasmtime 39 to 48 take"
        )
    return Problem("toml-syntax", ERROR, message, remedy, line=result.line, column=result.column)


def to_problems(check: Check) -> list[Problem]:
    """The problems that a check has found, without their places."""
    return [_tell(check, *finding) for finding in check.findings]


def _tell(check: Check, severity: str, text: str, path: tuple[str, ...], value: Any, facts: dict[str, Any]) -> Problem:
    setting = path[1] if len(path) > 1 else None
    given = value if value is None or isinstance(value, str) else shown(value)
    if text == "bad-value":
        bad = facts["bad"]
        message = "%s = %s %s" % (setting, shown(value), bad.message)
        return Problem(bad.code, severity, message, bad.remedy, setting, given)
    code, message, remedy, _at_key = PROBLEM_TEXTS[text]
    if code.startswith("enabled-") and check.rules.enabled_mandatory and check.rules.enabled_refused:
        remedy = _NO_COMMON_FILE
    said = _facts(check, text, path, value, facts)
    return Problem(code, severity, message % said, remedy % said, setting, given)


def _facts(check: Check, text: str, path: tuple[str, ...], value: Any, facts: dict[str, Any]) -> dict[str, Any]:
    name = path[-1] if path else ""
    said = dict(facts, name=name, shown=shown(value), type=type_name(facts.get("instead", value)))
    if text.startswith("unknown-"):
        said.update(
            key=shown(name), better=(_better if text == "unknown-setting" else _table)(name, check.rules.settings)
        )
    elif text == "setting-of-others":
        said["known"] = versions_of(SETTINGS[name])
    elif text == "enabled-refused":
        said["remedy"] = _STAYS_ON if value is False else "remove the line: the cache is on without it"
    elif text == "cache-not-a-table":
        # The command line program has an option of this name.
        option = isinstance(facts["instead"], bool)
        said["elsewhere"] = "; cache = true is for [codegen] of a file for wasmtime run --config" if option else ""
    elif text == "keys-of-2019":
        said.update(old=", ".join(facts["old"]), new=", ".join(KEYS_OF_2019[key] for key in facts["old"]))
    elif text == "directory-placeholder":
        said["placeholder"] = quoted(facts["placeholder"])
    elif text == "limit-beyond-file-system":
        said["smaller"] = _half(facts["capacity"])
    elif text == "duration-wraps":
        said["made"] = format_value(SETTINGS[name].kind, facts["wrapped"])
    elif text == "directory-relative":
        said["unexpanded"] = ": the engine expands neither ~ nor variables" if placeholder(value) else ""
    elif text == "queue-memory":
        said["memory"] = check.host.memory
    elif text == "level-range":
        said["default"] = SETTINGS[name].default
    elif text == "levels":
        said["levels"] = _levels(check.cache, **facts)
    elif text == "limit-overflow":
        most = U64_MAX // facts["percent"]
        sizes = SETTINGS[facts["limit"]].kind.name == "size"
        said.update(most=most, or_size=' ("%dPi")' % (most >> 50) if sizes else "")
    return said


def _levels(cache: dict[str, Any], baseline: int, optimized: int) -> str:
    """How the levels stand to each other, said of the one that the file names."""
    if "optimized-compression-level" not in cache:
        text = "baseline-compression-level (%d) is higher than optimized-compression-level (%d), the default"
        return text % (baseline, optimized)
    text = "optimized-compression-level (%d) is lower than baseline-compression-level (%d)"
    if "baseline-compression-level" not in cache:
        text += ", which is the default"
    return text % (optimized, baseline)


def _half(capacity: int) -> str:
    """Half of what a file system holds, at least, in a whole number of the largest binary unit."""
    for unit, factor in (("Ti", 2**40), ("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
        if capacity // 2 >= factor:
            return "%d%s" % (capacity // 2 // factor, unit)
    return str(capacity // 2)


def _table(key: str, known: Mapping[str, Setting]) -> str:
    """What to do about an unknown key at the top level."""
    return "write the line [cache] above it" if key in known else "the only table is [cache]"


def _better(key: str, known: Mapping[str, Setting]) -> str:
    """What to do about an unknown setting."""
    if key.replace("_", "-").lower() in known:
        return "write %s" % key.replace("_", "-").lower()
    import difflib

    near = difflib.get_close_matches(key, known, 1, 0.75)
    return "did you mean %s?" % near[0] if near else "remove it"


def located(check: Check, text: str, library: Library) -> list[Problem]:
    """The problems that a check of this text has found, with their places.

    Gives the directory its line breaks, and adds what is wrong with those.
    """
    problems = to_problems(check)
    for problem in problems:
        if problem.code == "cache-missing":
            problem.line = problem.column = 1  # where the engine says so
    line_break = check.has_line_break(text)
    if not line_break and not any(path for _severity, _text, path, _value, _facts in check.findings):
        return problems
    loads = library.reader(text)
    layout = Layout(text, loads)
    first: dict[tuple[str, ...], Statement] = {}
    for candidate in layout.entries:
        first.setdefault(candidate.path[:1], candidate)
        first.setdefault(candidate.path[:2], candidate)
    for problem, (_severity, name, path, _value, _facts) in zip(problems, check.findings):
        entry = first.get(path) or first.get(path[:1])
        if entry is not None:  # else the layout is too complex to find it
            at_key = name in PROBLEM_TEXTS and PROBLEM_TEXTS[name].at_key
            problem.line, problem.column = layout.position(_offset(layout, entry, path, at_key))
    if line_break and ("cache", "directory") in first:
        entry = first["cache", "directory"]
        directory, kept = check.effective["directory"], _with_crlf(text[slice(*entry.value)], loads)
        if kept != directory:
            message = "directory has a line break, which Wasmtime up to 38 reads as LF and later ones as CRLF"
            remedy = "write the path without line breaks"
            place = layout.position(entry.value[0])
            problems.append(
                Problem("directory-line-break", WARNING, message, remedy, "directory", str(directory), *place)
            )
            if check.rules.keeps_crlf:
                check.effective["directory"] = kept
    return problems


def _offset(layout: Layout, entry: Statement, path: tuple[str, ...], at_key: bool) -> int:
    if not at_key and (entry.header or entry.path == path):
        return entry.value[0]
    parts = layout.key_parts(entry)
    # The part of a dotted key that names this path, counted from the end.
    part = len(parts) - 1 - (len(entry.path) - len(path))
    return parts[part] if 0 <= part < len(parts) else entry.key[0]


def _with_crlf(text: str, loads: Loads) -> str | None:
    """A string in TOML with its line breaks as they stand; the libraries make LF of CRLF. None if it cannot be told."""
    if text[3:5] == "\r\n":
        text = text[:3] + text[4:]  # the break right after the opening quotes is not part of the string
    if text[:1] == '"':  # a backslash at the end of a line takes the blanks and breaks after it along
        text = _CONTINUED.sub(lambda match: "" if match.group(1) else match.group(), text)
    # A private character carries the CR past the library.
    try:
        kept = loads("x = " + text.replace("\r\n", "\ue000\n"))["x"]
    except (ValueError, RecursionError):
        return None
    return str(kept).replace("\ue000\n", "\r\n")
