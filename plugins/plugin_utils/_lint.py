# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check config files on the controller, without a host: find them, and read them within limits."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING, Iterator, NamedTuple

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import (
    DANGER,
    ERROR,
    KEYS_OF_2019,
    MAX_BYTES,
    Finding,
    Host,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.config import read_config, to_problems
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import BOM, quoted
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml import Library, parse
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml_error import TomlError
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import (
    CURRENT,
    BadVersion,
    Dialect,
    for_version,
)

if TYPE_CHECKING:
    from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.problems import Problem

# Without a host the user has a home, and neither memory nor file systems have a limit.
NO_HOST = Host(lambda: "/", 2**80, int(time.time()))
# Keys that a table [cache] of another program may have as well.
COMMON_KEYS = {"directory", "enabled"}
OWN_KEYS = {spelled for key in {*SETTINGS, *KEYS_OF_2019} - COMMON_KEYS for spelled in (key, key.replace("-", "_"))}


class BadInput(Exception):
    """A request that cannot be fulfilled; its own text is the sentence for the user."""


class CheckedFile(NamedTuple):
    """A config file and what is wrong with it."""

    path: str
    """As the user names it; for a file in a folder, the folder's name as given and the path below it."""
    text: str
    """The contents, without a byte order mark; bytes that are not UTF-8 are surrogates."""
    problems: list[Problem]

    @property
    def failed(self) -> bool:
        """Whether the engine refuses the file, or accepts it and fails later."""
        return any(problem.severity in (ERROR, DANGER) for problem in self.problems)

    def line(self, problem: Problem) -> str | None:
        """Return the line of the text that a problem is in; None for a problem of the file as a whole."""
        return None if problem.line is None or not self.text else self.text.split("\n")[problem.line - 1].rstrip("\r")


def parse_versions(text: str) -> tuple[Dialect, ...]:
    """Return the dialects of a comma-separated list of versions; an empty list means 33 and later. Raises BadInput."""
    versions = [version.strip() for version in text.split(",") if version.strip()]
    try:
        dialects = {for_version(version) for version in versions}
    except BadVersion as error:
        raise BadInput(
            '%s is not a Wasmtime version; write one like "42.0.2" or "42", or several like "36,42"'
            % quoted(error.version)
        ) from None
    return tuple(sorted(dialects, key=lambda dialect: (dialect.first, dialect.reader))) or CURRENT


def check(path: str, dialects: tuple[Dialect, ...]) -> list[CheckedFile]:
    """Check a file, or all cache configs in a folder and below it. Raises BadInput."""
    library = Library()
    try:
        if not stat.S_ISDIR(os.stat(path).st_mode):
            return [_judged(path, *_read(path, 0), dialects, library)]
        found = []
        for name in _names(path):
            data, size = _read(name, os.O_NOFOLLOW)
            if _is_config(name, data, library):
                found.append(_judged(name, data, size, dialects, library))
    except OSError as error:
        failing = os.fsdecode(error.filename or path)
        raise BadInput("%s cannot be read: %s" % (quoted(failing), error.strerror)) from None
    if not found:
        raise BadInput("there is no Wasmtime cache config in %s; name the file itself" % quoted(path))
    return found


def _names(folder: str) -> Iterator[str]:
    """Yield every regular file with a name like a TOML file, in the order of the names. Follows no link."""

    def fail(error: OSError) -> None:
        raise error

    for above, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(names):
            path = os.path.join(above, name)
            if name.lower().endswith(".toml") and stat.S_ISREG(os.lstat(path).st_mode):
                yield path[2:] if folder == "." else path


def _read(path: str, flags: int) -> tuple[bytes, int]:
    """Return the first bytes of a file, at most one more than a config may have, and its size. Raises BadInput."""
    # Opening a FIFO without a writer would block.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise BadInput("%s is not a regular file; name a file or a folder" % quoted(path))
        return file.read(MAX_BYTES + 1), status.st_size


def _is_config(path: str, data: bytes, library: Library) -> bool:
    """Return whether a TOML file in a folder is a cache config.

    A file at the engine's default path and a file with C(wasmtime) and C(cache) in its name are configs, whatever they
    contain. Other programs have a table [cache], too: what counts is a setting that only Wasmtime has, or nothing but
    the settings that others have as well.
    """
    folder, name = os.path.split(os.path.abspath(path).lower())
    if (os.path.basename(folder), name) == ("wasmtime", "config.toml") or ("wasmtime" in name and "cache" in name):
        return True
    if b"cache" not in data:
        return False
    text = data.decode("utf-8", "surrogateescape")
    try:
        document = parse(library.any(), text.removeprefix(BOM))
    except TomlError:
        return any(key in text for key in OWN_KEYS)
    table = document.get("cache")
    if not isinstance(table, dict):
        return False
    return not OWN_KEYS.isdisjoint(table) or (document.keys() == {"cache"} and table.keys() <= COMMON_KEYS)


def _judged(path: str, data: bytes, size: int, dialects: tuple[Dialect, ...], library: Library) -> CheckedFile:
    if len(data) > MAX_BYTES:
        return CheckedFile(path, "", to_problems([Finding("too-large", facts={"size": max(size, len(data))})]))
    text = data.decode("utf-8", "surrogateescape").removeprefix(BOM)
    problems = read_config(data, dialects, NO_HOST, library).problems
    for problem in problems:
        if problem.code == "not-utf-8" and problem.line and problem.column:
            # It counts bytes; up to the invalid one, the text can be decoded to characters.
            before = data.split(b"\n")[problem.line - 1][: problem.column - 1].decode("utf-8")
            problem.column = len(before.removeprefix(BOM) if problem.line == 1 else before) + 1
    problems.sort(key=lambda problem: (problem.line is None, problem.line or 0, problem.column or 0))
    return CheckedFile(path, text, problems)
