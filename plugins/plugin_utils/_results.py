# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate results of the modules at the border between hosts and the controller.

A user who can write to a home directory can forge the answer of a module that runs as the owner. So every result is read
by one of the schemas below, which keep the keys that they name; a value of another type, a number that is not valid JSON,
or a text that is too long makes the result malformed. All texts come out printable, and as text only: Ansible acts on
the tags of its own texts.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import fields, is_dataclass, replace
from typing import Any, Callable, Collection, Mapping

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import (
    printable,
    printable_lines,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import (
    LEVEL_MAX,
    LEVEL_MIN,
    LIMITS,
    SETTINGS,
    BadValue,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.values import base_value
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import DIALECTS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.words import format_value

# What cache_usage_info may suggest: the limits and the levels.
SUGGESTIBLE = {s.option: s for s in SETTINGS.values() if s.kind.name == "level" or s.name in dict(LIMITS)}
SEVERITIES = ("error", "danger", "warning")
# The libraries that cache_config and cache_usage_info may need; the role installs these and nothing else.
LIBRARIES = ("tomli", "tomli-w", "platformdirs", "zstandard")

# Lists in results of modules have at most 100 entries, only those of programs 500. The longest answer is that of cache_prune
# in diff mode, if a user has made names of 4,096 characters in the cache: some 1,500 names.
MOST_ANSWER = 2**23  # characters of JSON
MOST_TEXT = 100_000  # characters: three paths of 4,095 bytes, each of which is escaped with six characters
MOST_ITEMS = 1_000
MOST_PROBLEMS = 200  # twice as many as a check lists of the same file
# A diff has the file, its attributes and the directory. A config has at most 64 KiB; the names of cache_prune are more.
MOST_DIFFS = 10
MOST_DIFF = 2**22  # characters
MOST_LINES = 10_000  # Python compares them in a third of a second, and twice as many in more than twice the time
MOST_NUMBER = 2**80  # more than the sum of all sizes of files
MOST_REASON = 1_000  # characters that are kept of the message of a failure
# The limits for values without a schema, which come from files.
MOST_SAID = 10_000  # characters
MOST_SAID_ITEMS = 100
DEEPEST = 20  # levels

Reader = Callable[[Any], Any]
"""Returns a value that the controller may use. Raises Malformed."""


class Malformed(Exception):
    """A result that no module of this collection returns: the error and its place."""

    def __init__(self, wrong: str, place: str = "") -> None:
        self.wrong = wrong
        self.place = place
        super().__init__("malformed result: %s %s" % (place or "it", wrong))

    def inside(self, name: str) -> Malformed:
        """Return the same error for a value at C(name) in another one."""
        return Malformed(self.wrong, name + ("." + self.place if self.place else ""))


def text(value: Any) -> str:
    """Read a text of one line."""
    if not isinstance(value, str):
        raise Malformed("is not text")
    if len(value) > MOST_TEXT:
        raise Malformed("has more than %d characters" % MOST_TEXT)
    return printable(str(value))


_CODE = re.compile("[a-z0-9-]{1,100}")


def code(value: Any) -> str:
    """Read the code of a problem or a note."""
    found = text(value)
    if not _CODE.fullmatch(found):
        raise Malformed("is not a code")
    return found


def lines(value: Any) -> str:
    """Read a text of several lines."""
    if not isinstance(value, str):
        raise Malformed("is not text")
    return printable_lines(str(value))


def flag(value: Any) -> bool:
    """Read a boolean."""
    if not isinstance(value, bool):
        raise Malformed("is not true or false")
    return value


def integer(value: Any) -> int:
    """Read a whole number."""
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > MOST_NUMBER:
        raise Malformed("is not a whole number within 2^80")
    return int(value)


def real(value: Any) -> float:
    """Read a number, except infinity and NaN, which JSON lacks."""
    if isinstance(value, float) and math.isfinite(value) and abs(value) <= MOST_NUMBER:
        return float(value)
    return integer(value)


def count(value: Any) -> int:
    """Read a whole number that is not negative."""
    number = integer(value)
    if number < 0:
        raise Malformed("is less than 0")
    return number


def share(value: Any) -> float:
    """Read a number that is not negative."""
    number = real(value)
    if number < 0:
        raise Malformed("is less than 0")
    return number


def one_of(values: Collection[str]) -> Reader:
    """Read one of these texts."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in values:
            raise Malformed("is not one of " + ", ".join(values))
        return str(value)

    return read


def nullable(reader: Reader) -> Reader:
    """Read null, or what another reader reads."""
    return lambda value: None if value is None else reader(value)


def list_of(reader: Reader, most: int = MOST_ITEMS) -> Reader:
    """Read a list."""

    def read(value: Any) -> list[Any]:
        if not isinstance(value, (list, tuple)) or len(value) > most:
            raise Malformed("is not a list of at most %d entries" % most)
        found = []
        for place, part in enumerate(value):
            try:
                found.append(reader(part))
            except Malformed as error:
                raise error.inside(str(place)) from None
        return found

    return read


def dict_of(reader: Reader) -> Reader:
    """Read a dictionary whose keys are text."""

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping) or len(value) > MOST_ITEMS:
            raise Malformed("is not a dictionary of at most %d entries" % MOST_ITEMS)
        found = {}
        for key, part in value.items():
            name = text(key)
            try:
                found[name] = reader(part)
            except Malformed as error:
                raise error.inside(name[:100]) from None
        return found

    return read


class Record:
    """Reads a dictionary with these keys; others are left out."""

    def __init__(self, required: Mapping[str, Reader], optional: Mapping[str, Reader] | None = None) -> None:
        self.required = required
        self.readers = {**(optional or {}), **required}

    def __call__(self, value: Any) -> dict[str, Any]:
        """Read the dictionary. Raises Malformed."""
        if not isinstance(value, Mapping):
            raise Malformed("is not a dictionary")
        found = {}
        for name, reader in self.readers.items():
            try:
                if name in value:
                    found[name] = reader(value[name])
                elif name in self.required:
                    raise Malformed("is missing")
            except Malformed as error:
                raise error.inside(name) from None
        return found


def anything(value: Any, depth: int = DEEPEST) -> Any:
    """Read any JSON data, which a file may contain. Values that are too long or too deep are cut."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text(value[:MOST_SAID])
    if isinstance(value, int):
        return int(value) if abs(value) <= MOST_NUMBER else "a number beyond 2^80"
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if not depth:
        return "..."
    if isinstance(value, Mapping):
        pairs = itertools.islice(value.items(), MOST_SAID_ITEMS)
        return {text(str(key)[:MOST_SAID]): anything(part, depth - 1) for key, part in pairs}
    if isinstance(value, (list, tuple)):
        return [anything(part, depth - 1) for part in value[:MOST_SAID_ITEMS]]
    raise Malformed("is not JSON data")


def table(value: Any) -> dict[str, Any]:
    """Read a table of a file, as C(anything)."""
    if not isinstance(value, Mapping):
        raise Malformed("is not a dictionary")
    found: dict[str, Any] = anything(value)
    return found


def _setting(name: str) -> Reader:
    return nullable(text if SETTINGS[name].kind.name == "path" else integer)


PROBLEM = Record(
    {
        "code": code,
        "severity": one_of(SEVERITIES),
        "message": text,
        "remedy": text,
        "line": nullable(integer),
        "column": nullable(integer),
    },
    {"setting": nullable(text), "value": nullable(text)},
)
PROBLEMS = list_of(PROBLEM, MOST_PROBLEMS)
DIRECTORY = Record(
    {"path": text, "exists": flag},
    {
        "owner": nullable(text),
        "group": nullable(text),
        "mode": nullable(text),
        "dangers": list_of(text),
    },
)
# A program that reads the config.
PROGRAM = Record(
    {
        "path": text,
        "version": nullable(text),
        "versions": list_of(text),
        "program": nullable(text),
        "toml": nullable(text),
        "dialect": nullable(text),
    },
    {"accepts": flag},
)
# The common part of cache_config and cache_config_info.
CONFIG: dict[str, Reader] = {
    "path": nullable(text),
    "settings": table,
    "effective": Record({}, {setting.option: _setting(name) for name, setting in SETTINGS.items()}),
    "directory": nullable(DIRECTORY),
    "wasmtime_version": nullable(text),
    "programs": list_of(PROGRAM),
}
# Ansible adds these for the path.
FILE: dict[str, Reader] = {
    **dict.fromkeys(("owner", "group", "mode", "state", "secontext"), text),
    **dict.fromkeys(("uid", "gid", "size"), integer),
}
CHANGED = Record(
    {"problems": PROBLEMS},
    {
        **CONFIG,
        **FILE,
        "created": flag,
        "changed_settings": dict_of(Record({"before": anything, "after": anything})),
        "removed": list_of(text),
        "backup_file": text,
    },
)
_ACCEPTED = [name for dialect in DIALECTS for name in (dialect.name, dialect.with_1_1)]
CHECKED: dict[str, Reader] = {
    "problems": PROBLEMS,
    "valid": flag,
    "safe": flag,
    "exists": flag,
    "defaults": list_of(text),
    "accepted_by": list_of(one_of(_ACCEPTED), len(_ACCEPTED)),
}
_VERDICT = ("problems", "valid", "safe", "exists")
LOOKED_AT = Record({name: CHECKED[name] for name in _VERDICT}, {**CHECKED, **CONFIG, **FILE})
_LIMIT = Record({"limit": nullable(count), "used": count, "percent": nullable(share)})
_USAGES = Record({"total": integer, "least": nullable(integer), "most": nullable(integer)}, {"unknown": integer})
END = Record({"name": text, "time": integer})
COMPILER = Record(
    {"name": text, **dict.fromkeys(("entries", "size", "usages"), count), "newest": nullable(integer)},
    {"size_on_disk": count, "oldest": nullable(integer)},
)
CLEANUP = Record(
    {
        "limit_exceeded": flag,
        "deleted": list_of(text),
        **dict.fromkeys(
            (
                *("entries_deleted", "bytes_deleted", "entries_left", "bytes_left"),
                *("foreign_deleted", "leftovers_deleted"),
            ),
            count,
        ),
    },
    {"blocked_until": nullable(integer)},
)
VERIFIED = Record(
    {
        **dict.fromkeys(("entries", "broken_count", "compressed", "uncompressed"), count),
        "broken": list_of(Record({"name": text, "reason": text})),
        "ratio": nullable(share),
        "complete": flag,
    }
)
LEVEL = Record(
    {"level": count, **dict.fromkeys(("ratio", "compress_mb_per_s", "decompress_mb_per_s"), nullable(share))}
)


def _text_or_number(value: Any) -> Any:
    return text(value) if isinstance(value, str) else real(value)


def suggestion(value: Any) -> dict[str, Any]:
    """Read a suggested setting, whose value people paste: it is one of that setting in its shortest form, and no template."""
    found = Record({"setting": one_of(SUGGESTIBLE), "value": _text_or_number, "reason": text})(value)
    setting = SUGGESTIBLE[found["setting"]]
    try:
        base = base_value(setting, found["value"])
        if setting.kind.name == "level" and not LEVEL_MIN <= int(base) <= LEVEL_MAX:
            raise Malformed("is no level", "value")
    except BadValue:
        raise Malformed("is not valid", "value") from None
    if str(found["value"]) != format_value(setting.kind, base):
        raise Malformed("is not in its shortest form", "value")
    return found


def limit(value: Any) -> dict[str, Any]:
    """Read how much of a limit is used."""
    found = _LIMIT(value)
    if found["limit"] is None and found["percent"] is not None:
        raise Malformed("is a part of no limit", "percent")
    return found


def usages(value: Any) -> dict[str, Any]:
    """Read how often entries were used."""
    found = _USAGES(value)
    if found["total"] and None in (found["least"], found["most"]):
        raise Malformed("has no least or no most")
    return found


# The parts of a result of cache_usage_info that the report keeps.
MEASURED: dict[str, Reader] = {
    "directory": nullable(text),
    "exists": flag,
    "complete": flag,
    "stopped_by": nullable(text),
    "entries": count,
    "size": count,
    "size_on_disk": count,
    "limits": Record({}, {SETTINGS[name].option: limit for name, _percent in LIMITS}),
    "compilers": list_of(COMPILER),
    "next_cleanup": nullable(CLEANUP),
    "foreign": Record({"count": count, "size": count, "names": list_of(text)}),
    "verified": nullable(VERIFIED),
    "levels": nullable(list_of(LEVEL)),
    "suggested": list_of(suggestion),
}
MEASURED_TOO: dict[str, Reader] = {
    "unreadable": list_of(text),
    "links": list_of(text),
    "oldest": nullable(END),
    "newest": nullable(END),
    "usages": usages,
    "recorded_levels": dict_of(integer),
    "sample": nullable(Record({"entries": integer, "size": integer})),
}
USAGE = Record(
    {**MEASURED, "locks": list_of(Record({"name": text, "stale": nullable(flag)}, {"age": integer}))},
    {**MEASURED_TOO, "path": text, "wasmtime_version": nullable(text)},
)

ENGINE = Record(
    {
        "path": text,
        "version": nullable(text),
        "versions": list_of(text),
        "rule": nullable(text),
        "program": nullable(text),
        "reads_config": flag,
        "toml": nullable(text),
        "dialect": nullable(text),
        "compiler_directory": nullable(text),
        "deleted": flag,
        "pids": list_of(integer),
        "configs": list_of(Record({"path": nullable(text), "source": text, "pids": list_of(integer)})),
    },
    {"accepts": nullable(flag), "problems": PROBLEMS},
)
FOUND = Record(
    {
        "engines": list_of(ENGINE),
        "notes": list_of(Record({"code": code, "message": text, "count": integer, "examples": list_of(text)})),
        "complete": flag,
    }
)

# What cache_prune has removed, or left, for one reason.
PRUNED_FOR = Record(
    {
        **dict.fromkeys(("count", "entries", "size", "size_on_disk", "names_left_out"), count),
        "names": list_of(text),
    }
)
PRUNED = Record(
    {
        "directory": text,
        "exists": flag,
        "complete": flag,
        "stopped_by": nullable(text),
        "removed": dict_of(PRUNED_FOR),
        "kept": dict_of(PRUNED_FOR),
        "freed": count,
        "left": Record({"entries": count, "size": count}),
        "notes": list_of(Record({"code": code, "message": text})),
    },
    {
        "path": text,
        "unreadable": list_of(text),
        "backup_directory": nullable(text),
        "wasmtime_version": nullable(text),
    },
)


def reason(result: Mapping[str, Any]) -> str:
    """Return the message of a failure in one line, not too long."""
    message = result.get("msg", "")
    if not isinstance(message, str):
        return str(Malformed("is not text", "msg"))
    line = " ".join(message[: 2 * MOST_REASON].split())
    return printable(line if len(line) <= MOST_REASON else line[:MOST_REASON] + "...")


# --- The result of a module's task for Ansible ---

# The keys of failures, beside any part of a result. Ansible acts on others: facts become variables of the host, for example.
_FAILURE: dict[str, Reader] = {"missing_libraries": list_of(one_of(LIBRARIES)), "details": text}
# Not whether the module was skipped or runs in the background: it never does, and its host would count as good.
_ANSIBLE: dict[str, Reader] = {**dict.fromkeys(("changed", "failed"), flag), "rc": integer}


def _compared(value: Any) -> Any:
    """Read a side of a diff: the text of a file, or facts about it."""
    if not isinstance(value, str):
        return _FACTS(value)
    if len(value) > MOST_DIFF or value.count("\n") > MOST_LINES:
        # A config may have more lines, and the run has succeeded.
        return "text of more than %d characters or %d lines, which is not shown\n" % (MOST_DIFF, MOST_LINES)
    return lines(value)


def _fact(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return list_of(text, 10)(value)  # such as an SELinux context
    return value if value is None or isinstance(value, bool) else _text_or_number(value)


_FACTS = dict_of(_fact)
_DIFF = Record({}, {"before_header": text, "after_header": text, "before": _compared, "after": _compared})
_DIFFS = list_of(_DIFF, MOST_DIFFS)


def answered(answer: Mapping[str, Any], schema: Record) -> dict[str, Any]:
    """Return the part of a host's answer that Ansible may read; C(schema) is that of the module. Raises Malformed.

    Ansible shows warnings, and values of a type that it does not expect, before C(received) has them.
    """
    Record({}, {**_ANSIBLE, **_READ_AT_ONCE})(answer)
    known = {**schema.readers, **_FAILURE, **_SHOWN, **_ANSIBLE}
    return {name: _MESSAGES.get(name, _same)(part) for name, part in answer.items() if name in known}


def received(result: Mapping[str, Any], schema: Record) -> dict[str, Any]:
    """Return the part of a module's answer that the controller accepts; C(schema) is that of the module.

    A malformed answer becomes a failure, which counts as a change if the answer does.
    """
    # These are from Ansible itself, which has removed those from the host.
    kept = {name: value for name, value in result.items() if name.startswith("_ansible_")}
    facts = result.get("ansible_facts")
    if isinstance(facts, Mapping):
        found = {name: value for name, value in facts.items() if name.startswith("discovered_interpreter_")}
        if found:
            kept["ansible_facts"] = found
    try:
        answer = Record({}, {**schema.readers, **_FAILURE}) if result.get("failed") else schema
        return {**kept, **Record({}, {**_SHOWN, **_ANSIBLE})(result), **answer(result)}
    except (Malformed, RecursionError) as error:
        wrong = error if isinstance(error, Malformed) else Malformed("has too many levels")
        return {**kept, **failure(wrong, result.get("changed") is True)}


def failure(wrong: Malformed, changed: bool) -> dict[str, Any]:
    """Return the result for a malformed one. C(changed): whether that says so of the host."""
    said = "%s; the host may have been changed" % wrong if changed else str(wrong)
    return {"failed": True, "changed": changed, "msg": said}


def _message(shown: Callable[[str], str]) -> Reader:
    """Read JSON data, or messages in classes of Ansible. C(shown) returns the text that Ansible may show."""

    def read(value: Any) -> Any:
        if isinstance(value, str):
            return shown(str(value))
        if isinstance(value, (list, tuple)):
            return type(value)(map(read, value))
        if isinstance(value, dict):
            return {printable(str(key)): read(part) for key, part in value.items()}
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{field.name: read(getattr(value, field.name)) for field in fields(value)})
        return value

    return read


def _indented(value: str) -> str:
    # At the start of a line, a text could pass for one of Ansible's own, such as the result of another host.
    return re.sub("\n(?! )", "\n  ", printable_lines(value))


def _same(value: Any) -> Any:
    return value


def _of_type(name: str, or_text: bool = False) -> Reader:
    """Read an object of this type as Ansible's modules write it. C(or_text): or a text."""

    def read(value: Any) -> Any:
        if (isinstance(value, Mapping) and value.get("__ansible_type") == name) or (or_text and isinstance(value, str)):
            return value
        raise Malformed("is no " + name)

    return read


_READ_AT_ONCE: dict[str, Reader] = {
    "deprecations": list_of(_of_type("DeprecationSummary")),
    "warnings": list_of(_of_type("WarningSummary", or_text=True)),
}
_MESSAGES: dict[str, Reader] = {
    **dict.fromkeys(("deprecations", "warnings"), _message(printable)),
    "exception": _message(_indented),
}
# What Ansible shows. It puts the message of a failure behind the host's name, or into JSON.
_SHOWN: dict[str, Reader] = {
    **_MESSAGES,
    "diff": lambda value: (_DIFF if isinstance(value, Mapping) else _DIFFS)(value),
    "invocation": table,
    **dict.fromkeys(("module_stderr", "module_stdout", "msg"), lines),
}
