# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The common parts of the modules: paths, versions, libraries, facts about the host, and the form of results."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any, List, Mapping, NamedTuple, Sequence

from .._config.check import DANGER, ERROR, Host
from .._config.config import Config, no_config, read_config, to_problems
from .._config.printable import quoted, shown
from .._config.settings import SETTINGS
from .._config.toml import Library, NoLibrary
from .._files.config_file import ResolvedFile, file_findings
from .._files.directory import State, findings, inspect
from .._files.path import NOT_FOLLOWED, open_resolved, resolve
from .refused import Refused

if TYPE_CHECKING:
    from .._config.problems import Problem
    from .._config.versions import Dialect
    from .._engines.inventory import Program

# The entries of each directory in the cache that C(cache_config) examines: a full cache has tens of thousands.
ENTRIES = 1000
# A day in seconds, the highest time limit.
TIME_MAX = 86400
NAME_A_VERSION = 'write a version like "42.0.2" or "42"'


Lacking = List[Refused]
"""The libraries that check mode does without, each as the failure of a real run."""


def user_default_paths(lacking: Lacking | None = None) -> tuple[str | None, str | None]:
    """Return the default config file and cache directory of the user; both None without a home.

    Raises Refused without platformdirs. A dry run that gives C(lacking) goes on with the usual places of Linux.
    """
    from .._config.default_paths import default_paths, usual_paths

    try:
        paths = default_paths()
    except ImportError as error:
        from .libraries import refuse_library, without_library

        needed_for = "the engine's default paths, unless path and directory are given"
        if lacking is None or not sys.platform.startswith("linux"):
            refuse_library("platformdirs", needed_for, error)
        lacking.append(without_library("platformdirs", needed_for))
        paths = default_paths(find=usual_paths)
    return (None, None) if paths is None else (paths.config, paths.directory)


def config_path(given: str | None, lacking: Lacking | None = None) -> str:
    """Return the absolute path of the config file. Raises Refused."""
    path = given
    if path is None:
        path = user_default_paths(lacking)[0]
        if path is None:
            raise Refused(
                "the user has no home directory, where the default config would be; set path to an absolute path"
            )
    if not path.startswith("/"):
        source = "path" if given is not None else "the default path, from HOME,"
        raise Refused('%s is "%s", which is not absolute; set path to an absolute path' % (source, path))
    if "\0" in path:
        raise Refused("path has a NUL character; set path to an absolute path")
    refuse_unnameable(path)
    return path


def refuse_unnameable(path: str) -> None:
    """End the run if Python would use other bytes for this path than the engine. Raises Refused.

    The engine always uses UTF-8; Python does, too, unless the environment sets another encoding.
    """
    encoding = sys.getfilesystemencoding()
    if encoding != "utf-8" and not path.isascii():
        raise Refused(
            "the path %s is not ASCII, and Python uses %s for file names here; use a UTF-8 locale, such as LC_ALL: C.UTF-8 in"
            " environment of the task" % (quoted(path), encoding)
        )


def host(lacking: Lacking | None = None) -> Host:
    """Return what a check needs to know about this host; the default directory is found when it is needed."""
    known: list[str | None] = []

    def default_directory() -> str | None:
        if not known:
            known.append(user_default_paths(lacking)[1])
        return known[0]

    capacities: dict[str, int | None] = {}

    def capacity(directory: str) -> int | None:
        if directory not in capacities:
            capacities[directory] = _file_system_size(directory)
        return capacities[directory]

    return Host(default_directory, _memory(), int(time.time()), capacity)


def _file_system_size(directory: str) -> int | None:
    """Return the size in bytes of the file system of an absolute path, which need not exist."""
    try:
        resolved = resolve(directory)
        if resolved.error and resolved.error.code in NOT_FOLLOWED:
            return None
        handle = open_resolved(resolved)
    except (OSError, ValueError):
        return None
    try:
        status = os.fstatvfs(handle)
    except OSError:
        return None
    finally:
        os.close(handle)
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


def refuse_relative(name: str, paths: Sequence[str]) -> None:
    """End the run if the option with this name has a path that is not absolute. Raises Refused."""
    for path in paths:
        if not path.startswith("/") or "\0" in path:
            raise Refused('%s has "%s", which is not an absolute path; write an absolute path' % (name, path))
        refuse_unnameable(path)


class Readers(NamedTuple):
    """The Wasmtimes that read the file."""

    dialects: tuple[Dialect, ...]
    """The oldest first."""
    versions: str | None
    """With commas; None for every version from 33 on."""
    named: tuple[str, ...] = ()
    """The versions that the task names."""
    programs: tuple[Program, ...] = ()
    """The programs that the task names, or that C(auto) has found."""

    @property
    def apart(self) -> bool:
        """Whether no file suits them all: some require C(enabled), and others refuse it."""
        return self.dialects[0].enabled and not self.dialects[-1].enabled


def config_from(data: bytes | None, dialects: Sequence[Dialect], on: Host, library: Library) -> Config:
    """Check these bytes, or the absence of a file, as the engine does. Raises Refused without a TOML library."""
    if data is None:
        return no_config(dialects, on)
    try:
        return read_config(data, dialects, on, library)
    except NoLibrary as error:
        from .libraries import refuse_library

        refuse_library("tomli", "reading TOML before Python 3.11", error)


def directory_of(config: Config, chosen_by: int | None = None) -> State | None:
    """Return the effective cache directory as it is; None if the config has no valid one. Raises Refused.

    C(chosen_by): who chooses it, see C(chooser.chooser).
    """
    path = config.effective.get("directory")
    if path is None or any(p.severity == ERROR and p.code.startswith("directory-") for p in config.problems):
        return None
    return directory_at(str(path), chosen_by)


def directory_at(path: str, chosen_by: int | None = None) -> State:
    """Return the directory at an absolute path as it is. Raises Refused for a path that Python cannot use here."""
    refuse_unnameable(path)
    return inspect(path, chosen_by)


def file_problems(place: ResolvedFile, mode: int, uid: int | None, gid: int | None, user: int) -> list[Problem]:
    """Return what is wrong with a config file; the arguments are those of C(config_file.file_findings)."""
    return to_problems(file_findings(place, mode, uid, gid, user))


def directory_problems(
    state: State,
    user: int,
    owner: int | None = None,
    most: int | None = None,
    chosen_by: int | None = None,
    config: Sequence[str] = (),
) -> list[Problem]:
    """Return what is wrong with a cache directory; the arguments are those of C(directory.findings)."""
    found = findings(state, user, owner, most, chosen_by, config)
    if not found:
        return []
    from .dangers import directory_to_problems

    return directory_to_problems(found, state.path, user if owner is None else owner)


def directory_chooser(config: Config, place: ResolvedFile, seen: os.stat_result | None) -> int | None:
    """Return who besides root can choose the cache directory by writing the config; see C(chooser.chooser).

    Nobody if the file names none: then it is the default of the user who loads the file.
    """
    if not config.names_directory:
        return None
    from .._files.chooser import chooser

    return chooser(place, seen)


def spoken(problems: Sequence[Problem], ignored: Sequence[str] = ()) -> list[Problem]:
    """Return the problems by line, without those that another one causes; those without a line come last.

    All problems of a home or a system directory as a cache have one remedy: another directory. C(ignored): the codes
    that the task ignores; their consequences are reported.
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
    """Return the problems of one severity."""
    return [problem for problem in problems if problem.severity == severity]


def options(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by their names in Ansible."""
    return {SETTINGS[name].option: value for name, value in values.items()}


def config_result(config: Config, state: State | None, problems: Sequence[Problem]) -> dict[str, Any]:
    """Return the part of the result that both modules about configs have."""
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


# How often a run starts again because another process has written the file since it was read.
ATTEMPTS = 100
