# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate results of the modules at the border between hosts and the controller.

A user who can write to a home directory can forge the answer of a module that runs as the owner. So every result is read
by one of the schemas below, which keep the keys that they name; a value of another type, a number that is not valid JSON,
or a text that is too long makes the result malformed. All texts come out printable.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import fields, is_dataclass, replace
from typing import Any, Callable, Collection, Mapping

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import (
    printable,
    printable_lines,
    visible,
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

# Results of modules are far smaller: lists have at most 100 entries, paths 4 KiB.
MOST_TEXT = 100_000  # characters
MOST_ITEMS = 1_000
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
    return printable(value)


def flag(value: Any) -> bool:
    """Read a boolean."""
    if not isinstance(value, bool):
        raise Malformed("is not true or false")
    return value


def integer(value: Any) -> int:
    """Read a whole number."""
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > MOST_NUMBER:
        raise Malformed("is not a whole number within 2^80")
    return value


def real(value: Any) -> float:
    """Read a number, except infinity and NaN, which JSON lacks."""
    if isinstance(value, float) and math.isfinite(value) and abs(value) <= MOST_NUMBER:
        return value
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


def list_of(reader: Reader) -> Reader:
    """Read a list."""

    def read(value: Any) -> list[Any]:
        if not isinstance(value, (list, tuple)) or len(value) > MOST_ITEMS:
            raise Malformed("is not a list of at most %d entries" % MOST_ITEMS)
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
        return value if abs(value) <= MOST_NUMBER else "a number beyond 2^80"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
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
        "code": text,
        "severity": one_of(SEVERITIES),
        "message": text,
        "remedy": text,
        "line": nullable(integer),
        "column": nullable(integer),
    },
    {"setting": nullable(text), "value": nullable(text)},
)
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
    {"problems": list_of(PROBLEM)},
    {
        **CONFIG,
        **FILE,
        "created": flag,
        "changed_settings": dict_of(Record({"before": anything, "after": anything})),
        "removed": list_of(text),
        "backup_file": text,
    },
)
CHECKED: dict[str, Reader] = {
    "problems": list_of(PROBLEM),
    "valid": flag,
    "safe": flag,
    "exists": flag,
    "defaults": list_of(text),
    "accepted_by": list_of(one_of([name for dialect in DIALECTS for name in (dialect.name, dialect.with_1_1)])),
}
_VERDICT = ("problems", "valid", "safe", "exists")
LOOKED_AT = Record({name: CHECKED[name] for name in _VERDICT}, {**CHECKED, **CONFIG, **FILE})
LIMIT = Record({"limit": nullable(count), "used": count, "percent": nullable(share)})
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


def suggestion(value: Any) -> dict[str, Any]:
    """Read a suggested setting, whose value people paste: it is one of that setting in its shortest form, and no template."""
    found = Record({"setting": one_of(SUGGESTIBLE), "value": lambda value: value, "reason": text})(value)
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


# The parts of a result of cache_usage_info that the report keeps.
MEASURED: dict[str, Reader] = {
    "directory": nullable(text),
    "exists": flag,
    "complete": flag,
    "stopped_by": nullable(text),
    "entries": count,
    "size": count,
    "size_on_disk": count,
    "limits": Record({}, {SETTINGS[limit].option: LIMIT for limit, _percent in LIMITS}),
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
    "usages": Record({"total": integer, "least": nullable(integer), "most": nullable(integer)}, {"unknown": integer}),
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
    {"accepts": nullable(flag), "problems": list_of(PROBLEM)},
)
FOUND = Record(
    {
        "engines": list_of(ENGINE),
        "notes": list_of(Record({"code": text, "message": text, "count": integer, "examples": list_of(text)})),
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
        "notes": list_of(Record({"code": text, "message": text})),
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
_ANSIBLE: dict[str, Reader] = {
    **dict.fromkeys(("changed", "failed", "skipped"), flag),
    **dict.fromkeys(("rc", "started", "finished"), integer),
    **dict.fromkeys(("ansible_job_id", "results_file"), text),
}
_SHOWN = ("deprecations", "diff", "exception", "invocation", "module_stderr", "module_stdout", "msg", "warnings")


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
        ended = not any(result.get(name) for name in ("failed", "skipped", "ansible_job_id"))
        answer = schema if ended else Record({}, {**schema.readers, **_FAILURE})
        shown = {name: _shown(result[name], name) for name in _SHOWN if name in result}
        return {**kept, **shown, **Record({}, _ANSIBLE)(result), **answer(result)}
    except (Malformed, RecursionError) as error:
        wrong = error if isinstance(error, Malformed) else Malformed("has too many levels")
        changed = result.get("changed") is True
        said = "%s; the host may have been changed" % wrong if changed else str(wrong)
        return {**kept, "failed": True, "changed": changed, "msg": said}


def _shown(value: Any, name: str) -> Any:
    """Read the values that Ansible shows: JSON data, or messages in classes of Ansible."""
    if name in ("msg", "module_stderr", "module_stdout") and not isinstance(value, str):
        raise Malformed("is not text", name)
    return _message(visible(value, name not in ("deprecations", "diff", "invocation", "warnings")))


def _message(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_message(part) for part in value)
    if isinstance(value, dict):
        return {key: _message(part) for key, part in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _field(getattr(value, field.name)) for field in fields(value)})
    return value


def _field(value: Any) -> Any:
    return printable_lines(value) if isinstance(value, str) else _message(value)
