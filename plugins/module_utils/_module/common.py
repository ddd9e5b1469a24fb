# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both modules do with the host: paths, version, libraries, and the shape of the result."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from .._config.check import DANGER, ERROR, Host
from .._config.config import Config, no_config, read_config, to_problems
from .._config.printable import quoted, shown
from .._config.settings import SETTINGS
from .._config.toml import Library, NoLibrary
from .._config.versions import CURRENT, Dialect
from .._files.config_file import ResolvedFile, chooser, file_findings
from .._files.directory import State, findings, inspect
from .refused import Refused, refuse_library

if TYPE_CHECKING:
    from .._config.problems import Problem

# How many entries of each directory in the cache a run of C(cache_config) looks at: a full cache has tens of thousands.
ENTRIES = 1000
# A day in seconds: the most that a look at a host may take.
TIME_MAX = 86400


def user_default_paths() -> tuple[str | None, str | None]:
    """The default config file and cache directory of the user; both None without a home.

    Raises Refused without platformdirs.
    """
    try:
        from .._config.default_paths import default_paths as find

        paths = find()
    except ImportError as error:
        refuse_library("platformdirs", "the engine's default paths, unless path and directory are given", error)
    return (None, None) if paths is None else (paths.config, paths.directory)


def config_path(given: str | None) -> str:
    """The absolute path of the config file. Raises Refused."""
    path = given
    if path is None:
        path = user_default_paths()[0]
        if path is None:
            raise Refused("the user has no home directory to find the default config in; set path to an absolute path")
    if not path.startswith("/"):
        source = "path" if given is not None else "the default path, from HOME,"
        raise Refused('%s is "%s", which is not absolute; set path to an absolute path' % (source, path))
    if "\0" in path:
        raise Refused("path has a NUL character; set path to an absolute path")
    refuse_unnameable(path)
    return path


def refuse_unnameable(path: str) -> None:
    """End the run if Python would call this path by other bytes than the engine does, or by none. Raises Refused.

    The engine's paths are UTF-8 whatever the locale is; Python's are too unless the environment insists on another one.
    """
    encoding = sys.getfilesystemencoding()
    if encoding != "utf-8" and not path.isascii():
        raise Refused(
            "the path %s is not ASCII, and Python has %s for the names of files here; run in a locale with UTF-8, such as"
            " with LC_ALL: C.UTF-8 in environment of the task" % (quoted(path), encoding)
        )


def host() -> Host:
    """What the verdict needs to know of this host; the default directory only when asked for."""
    known: list[str | None] = []

    def default_directory() -> str | None:
        if not known:
            known.append(user_default_paths()[1])
        return known[0]

    capacities: dict[str, int | None] = {}

    def capacity(directory: str) -> int | None:
        if directory not in capacities:
            capacities[directory] = _capacity(directory)
        return capacities[directory]

    return Host(default_directory, _memory(), int(time.time()), capacity)


def _capacity(directory: str) -> int | None:
    """The size in bytes of the file system that an absolute path is on, or will be when it is created."""
    while True:
        try:
            status = os.statvfs(directory)
        except FileNotFoundError:
            # A path that ends in slashes, or in a dangling link, goes on above, too.
            directory = os.path.dirname(directory.rstrip("/")) or "/"
        except (OSError, ValueError):
            return None
        else:
            return status.f_blocks * status.f_frsize or None


def _memory() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return sys.maxsize


def refuse_outside(module: Any, name: str, least: int, most: int) -> None:
    """End the run if the number that an option gives is not from C(least) to C(most). Raises Refused."""
    value = module.params[name]
    if not least <= value <= most:
        raise Refused("%s is %s; write %d to %d" % (name, shown(value), least, most))


def dialects_for(module: Any) -> tuple[tuple[Dialect, ...], str | None]:
    """The dialects that the option C(wasmtime_version) means, oldest first, and the versions. Raises Refused."""
    versions = module.params["wasmtime_version"]
    if not versions:
        return CURRENT, None
    from .installed_version import dialects_of

    return dialects_of(module, versions)


def config_from(data: bytes | None, dialects: Sequence[Dialect], on: Host, library: Library) -> Config:
    """How the engine takes these bytes, or the absence of a file. Raises Refused without a TOML library."""
    if data is None:
        return no_config(dialects, on)
    try:
        return read_config(data, dialects, on, library)
    except NoLibrary as error:
        refuse_library("tomli", "reading TOML before Python 3.11", error)


def directory_of(config: Config) -> State | None:
    """The effective cache directory as it is; None if the config gives none to look at. Raises Refused."""
    path = config.effective.get("directory")
    if path is None or any(p.severity == ERROR and p.code.startswith("directory-") for p in config.problems):
        return None
    return directory_at(str(path))


def directory_at(path: str) -> State:
    """The directory at an absolute path as it is. Raises Refused for a path that cannot be looked up here."""
    refuse_unnameable(path)
    return inspect(path)


def file_problems(place: ResolvedFile, mode: int, uid: int | None, gid: int | None, user: int) -> list[Problem]:
    """What is wrong with a config file, in words; the arguments are those of C(config_file.file_findings)."""
    return to_problems(file_findings(place, mode, uid, gid, user))


def directory_problems(
    state: State,
    user: int,
    owner: int | None = None,
    most: int | None = None,
    chosen_by: int | None = None,
    config: Sequence[str] = (),
) -> list[Problem]:
    """What is wrong with a cache directory, in words; the arguments are those of C(directory.findings)."""
    found = findings(state, user, owner, most, chosen_by, config)
    if not found:
        return []
    from .dangers import directory_to_problems

    return directory_to_problems(found, state.path, user if owner is None else owner)


def directory_chooser(config: Config, place: ResolvedFile, seen: os.stat_result | None) -> int | None:
    """Who else than root can choose the cache directory by writing the config; see C(config_file.chooser).

    Nobody where the file names none: then it is the default of whoever loads the file.
    """
    return chooser(place, seen) if config.names_directory else None


def spoken(problems: Sequence[Problem], ignored: Sequence[str] = ()) -> list[Problem]:
    """The problems in the order of their lines, without those that go with their cause; then those without a line.

    What is wrong with a home or a directory of the system as a cache has one remedy: another directory. C(ignored): the
    codes that the user ignores, so that what is behind them counts.
    """
    cause = "directory-not-dedicated"
    if cause not in ignored and any(problem.code == cause for problem in problems):
        problems = [
            problem
            for problem in problems
            if problem.severity == ERROR
            or problem.code == cause
            or problem.line is not None
            or not problem.code.startswith(("directory-", "config-"))
        ]
    return sorted(problems, key=lambda problem: (problem.line is None, problem.line or 0, problem.column or 0))


def severe(problems: Sequence[Problem], severity: str) -> list[Problem]:
    """The problems of one severity."""
    return [problem for problem in problems if problem.severity == severity]


def options(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings under their names in Ansible."""
    return {SETTINGS[name].option: value for name, value in values.items()}


def config_result(config: Config, state: State | None, problems: Sequence[Problem]) -> dict[str, Any]:
    """The part of the result that both modules have."""
    directory = None
    if state is not None:
        directory = state.as_dict()
        dangers = {problem.code for problem in severe(problems, DANGER)}
        directory["dangers"] = sorted(code for code in dangers if code.startswith("directory-"))
    return {
        "settings": options(config.settings),
        "effective": options(config.effective),
        "problems": [problem.as_dict() for problem in problems],
        "directory": directory,
    }


# How often a run starts anew because another process has written the file since it was read.
ATTEMPTS = 100
