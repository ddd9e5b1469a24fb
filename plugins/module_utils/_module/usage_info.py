# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module cache_usage_info: list a cache and return what it contains."""

from __future__ import annotations

import errno
import functools
import os
import time
from typing import TYPE_CHECKING, Any

from .._config.config import Config
from .._config.printable import quoted
from .._config.settings import KINDS, LEVEL_MAX, LEVEL_MIN, BadValue
from .._config.toml import Library, NoLibrary
from .._config.values import parse_text
from .._files.chooser import chooser
from .._files.config_file import Unreadable, read, resolve_file
from .._files.directory import hidden, led_by, resolve_directory
from .._files.path import NOT_FOLLOWED, open_resolved
from .._files.private import listable
from .._usage.cleanup import rules_of, usage_result
from .._usage.scan import GONE, Budget, look_into, open_directory
from .._usage.suggest import room_of, suggestions
from . import common as _common
from . import refused as _refused
from .libraries import refuse_library
from .readers import readers_for
from .reasons import advice, failure, sentence
from .suggested import suggested

if TYPE_CHECKING:
    from .._config.toml_error import Loads
    from .ansible_module import Module


def budget_for(module: Module) -> Budget:
    """Check the options, and return the limits of the scan from now on. Raises Refused."""
    _common.refuse_outside(module, "time_limit", 1, _common.TIME_MAX)
    try:
        memory = parse_text(KINDS["size"], module.params["memory_limit"])
    except BadValue as error:
        from .._config.problems import sentence_on

        raise _refused.Refused(sentence_on("memory_limit", module.params["memory_limit"], error)) from error
    directory = module.params["directory"]
    if directory is not None and (not directory.startswith("/") or "\0" in directory):
        raise _refused.Refused('directory is "%s", which is not an absolute path; write an absolute path' % directory)
    for level in module.params.get("levels") or ():
        if not LEVEL_MIN <= level <= LEVEL_MAX:
            raise _refused.Refused("levels: %d is not a level; write %d to %d" % (level, LEVEL_MIN, LEVEL_MAX))
    return Budget(module.params["time_limit"], memory)


def compression(needed_for: str) -> Any:
    """Return the file that uses zstandard. Raises Refused without zstandard."""
    from .._usage import zstd as _zstd

    if _zstd.MISSING is not None:
        refuse_library("zstandard", needed_for, _zstd.MISSING)
    if not _zstd.new_enough():
        raise _refused.Refused(
            "zstandard 0.18 or newer is needed for %s; install that version for the Python of the host" % needed_for,
            missing_libraries=["zstandard"],
        )
    return _zstd


def config_of(module: Module, path: str, library: Library) -> tuple[Config, str | None, int | None]:
    """Return the config as the engine reads it, the versions whose rules were used, and who besides root can write it.

    Raises Refused.
    """
    dialects, version, *_named = readers_for(module)
    try:
        place = resolve_file(path)
        found = read(place)
    except Unreadable as error:
        if error.finding.name != "dangling-link":
            return Config("", False), version, None
        place, found = None, None
    if found is None and module.params["path"] is not None:
        return Config("", False), version, None
    # The engine needs no file at its default path, and ignores a dangling link there.
    data, status = found or (None, None)
    config = _common.config_from(data, dialects, _common.host(), library)
    return config, version, None if place is None else chooser(place, status)


# The errors of paths that lead to no directory.
_NO_DIRECTORY = ("dangling-link", "not-a-directory", "too-many-links")


def _exists(directory: str, chosen_by: int | None) -> bool:
    resolved = resolve_directory(directory, chosen_by)
    return not (resolved.error or resolved.missing)


def enter(module: Module, directory: str, chosen_by: int | None) -> tuple[int | None, frozenset[int]]:
    """Open the directory, following all links; None if it does not exist. Return it, and who has led root there.

    C(chosen_by): who can name the directory in the config; None if the task names it.
    Raises OSError, EACCES with a warning for a directory that may not be entered or that root must not list.
    """
    resolved = resolve_directory(directory, chosen_by)
    if resolved.missing or (resolved.error and resolved.error.code in _NO_DIRECTORY):
        return None, frozenset()
    if resolved.error and resolved.error.code not in NOT_FOLLOWED:
        module.warn("the directory %s cannot be listed: %s" % (quoted(directory), advice(resolved.error)))
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    closed = resolved.error or hidden(resolved, chosen_by)
    if closed:
        text = (
            "root does not look into the directory %s, which not everybody may list: %s; become the user of the cache"
        )
        module.warn(
            text % (quoted(directory), sentence(closed)) + " with become_user, or name the directory in directory"
        )
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    found = open_resolved(resolved)
    try:
        return open_directory(".", found), led_by(resolved, chosen_by)
    finally:
        os.close(found)


def gather(module: Module, path: str) -> dict[str, Any]:
    """Return the result of the module. Raises Refused and OSError."""
    budget = budget_for(module)
    verify, levels = module.params["verify"], module.params["levels"]
    # Refused before anything else, and only if it is needed.
    zstd = compression("verify and levels") if verify or levels else None
    library = Library()

    def loads() -> Loads:
        try:
            return library.any()
        except NoLibrary as error:
            refuse_library("tomli", "reading TOML before Python 3.11", error)

    config, version, writer = config_of(module, path, library)
    chosen_by = writer if config.names_directory else None
    directory = module.params["directory"]
    if directory is not None:
        chosen_by = None
    elif config.valid:
        directory = config.effective.get("directory")
    handle, barred, may_list = None, False, None
    if directory is not None:
        _common.refuse_unnameable(directory)
        try:
            handle, led = enter(module, directory, chosen_by)
            may_list = functools.partial(listable, led=led) if led else None
        except OSError as error:
            barred = error.errno not in GONE
    try:
        look = look_into(handle, rules_of(config), time.time_ns(), budget, loads, may_list=may_list)
        room = None if handle is None else room_of(handle)
        if barred:
            look.unreadable.append(".")
        described, stop = usage_result(look)
        result = dict(described, verified=None, levels=None, sample=None)
        stops = [stop]
        if zstd is not None and levels:
            result["sample"], result["levels"], stop = zstd.levels(look, levels)
            stops.append(stop)
        if zstd is not None and verify:
            verified, stop = zstd.verify(look)
            for broken in verified["broken"]:
                broken["reason"] = sentence(broken["reason"])
            result["verified"] = verified
            stops.append(stop)
    finally:
        if handle is not None:
            os.close(handle)
    sampled = (result["sample"] or {"size": 0})["size"]
    result["suggested"] = suggested(suggestions(look, config.effective, room, result["levels"] or (), sampled))
    if config.off:
        # Wasmtime up to 32 then does not use the directory.
        result["next_cleanup"] = None
    return dict(
        result,
        path=path,
        directory=directory,
        exists=handle is not None or (barred and _exists(directory, chosen_by)),
        complete=look.complete,
        stopped_by=next((stop for stop in stops if stop), None),
        wasmtime_version=version,
    )


def run(module: Module) -> None:
    """Run the module and end the process with the result."""
    path = None
    try:
        path = _common.config_path(module.params["path"])
        result = gather(module, path)
    except _refused.Refused as error:
        module.fail_json(msg=str(error), **error.result)
    except OSError as error:
        module.fail_json(msg=failure(module.params["directory"] or path or "path", error))
    module.exit_json(changed=False, **result)
