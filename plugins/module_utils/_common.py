# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both modules do with the host: paths, version, libraries, and the shape of the result."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, Dict, List, Mapping, NoReturn, Optional, Sequence, Tuple

from ._config import DANGER, ERROR, Config, Host, Problem, no_config, read_config
from ._dialect import CURRENT, Dialect
from ._directory import State, inspect
from ._printable import printable
from ._settings import SETTINGS, quoted
from ._toml import Library, NoLibrary

# How many entries of each directory in the cache a run of C(cache_config) looks at: a full cache has tens of thousands.
ENTRIES = 1000


class Refused(Exception):
    """The run ends here; the text is the sentence for the user, C(points) its list, C(result) goes with it.

    Only the list has lines: a line break in a name cannot make another one.
    """

    def __init__(self, message: str, *points: str, **result: Any) -> None:
        super().__init__("\n- ".join(map(printable, (message, *points))))
        self.result = result


def refuse_library(name: str, needed_for: str, error: BaseException) -> NoReturn:
    """End the run with Ansible's own sentence on missing Python libraries. Raises Refused.

    All that a run may need are named at once, so that they can be installed in one go.
    """
    import importlib.util

    from ansible.module_utils.basic import missing_required_lib

    modules = {"tomli": ("tomllib", "tomli"), "tomli-w": ("tomli_w",), "platformdirs": ("platformdirs",)}
    names = [name] + [
        library
        for library, any_of in modules.items()
        if library != name and not any(importlib.util.find_spec(module) for module in any_of)
    ]
    raise Refused(
        missing_required_lib(", ".join(names), reason="for " + needed_for), missing_libraries=names
    ) from error


def default_paths() -> Tuple[Optional[str], Optional[str]]:
    """The default config file and cache directory of the user; both None without a home.

    Raises Refused without platformdirs.
    """
    try:
        from ._paths import default_paths as find

        paths = find()
    except ImportError as error:
        refuse_library("platformdirs", "the engine's default paths, unless path and directory are given", error)
    return (None, None) if paths is None else (paths.config, paths.directory)


def config_path(given: Optional[str]) -> str:
    """The absolute path of the config file. Raises Refused."""
    path = given
    if path is None:
        path = default_paths()[0]
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
    known: List[Optional[str]] = []

    def default_directory() -> Optional[str]:
        if not known:
            known.append(default_paths()[1])
        return known[0]

    capacities: Dict[str, Optional[int]] = {}

    def capacity(directory: str) -> Optional[int]:
        if directory not in capacities:
            capacities[directory] = _capacity(directory)
        return capacities[directory]

    return Host(default_directory, _memory(), int(time.time()), capacity)


def _capacity(directory: str) -> Optional[int]:
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


def dialects_for(module: Any) -> Tuple[Tuple[Dialect, ...], Optional[str]]:
    """The dialects that the option C(wasmtime_version) means, oldest first, and the versions. Raises Refused."""
    versions = module.params["wasmtime_version"]
    if not versions:
        return CURRENT, None
    from ._versions import dialects_of

    return dialects_of(module, versions)


def judge(data: Optional[bytes], dialects: Sequence[Dialect], on: Host, library: Library) -> Config:
    """How the engine takes these bytes, or the absence of a file. Raises Refused without a TOML library."""
    if data is None:
        return no_config(dialects, on)
    try:
        return read_config(data, dialects, on, library)
    except NoLibrary as error:
        refuse_library("tomli", "reading TOML before Python 3.11", error)


def directory_of(config: Config) -> Optional[State]:
    """The effective cache directory as it is; None if the config gives none to look at. Raises Refused."""
    path = config.effective.get("directory")
    if path is None or any(p.severity == ERROR and p.code.startswith("directory-") for p in config.problems):
        return None
    return directory_at(str(path))


def directory_at(path: str) -> State:
    """The directory at an absolute path as it is. Raises Refused for a path that cannot be looked up here."""
    refuse_unnameable(path)
    return inspect(path)


def spoken(problems: Sequence[Problem], ignored: Sequence[str] = ()) -> List[Problem]:
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


def severe(problems: Sequence[Problem], severity: str) -> List[Problem]:
    """The problems of one severity."""
    return [problem for problem in problems if problem.severity == severity]


def options(values: Mapping[str, Any]) -> Dict[str, Any]:
    """Settings under their names in Ansible."""
    return {SETTINGS[name].option: value for name, value in values.items()}


def describe(config: Config, state: Optional[State], problems: Sequence[Problem]) -> Dict[str, Any]:
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
