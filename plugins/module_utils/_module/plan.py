# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan a run of cache_config: everything is decided here, and nothing is changed."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any, Mapping, NamedTuple, Optional, Tuple

from .._config.check import DANGER, ERROR
from .._config.config import Config, to_problems
from .._config.printable import shown
from .._config.settings import SETTINGS, BadValue
from .._config.values import base_value, from_option
from .._files.access import umask
from .._files.config_file import ResolvedFile, Unreadable, read, resolve_file
from .._files.directory import DEFAULT_MODE, State
from .._files.path import NOT_FOLLOWED
from .common import (
    ENTRIES,
    config_from,
    directory_at,
    directory_chooser,
    directory_of,
    directory_problems,
    file_problems,
    severe,
)
from .refused import Refused

if TYPE_CHECKING:
    from .._config.problems import Problem
    from .common import Readers
    from .task import Task

OPTIONS = {setting.option: setting for setting in SETTINGS.values()}
ENABLED = "enabled"
# The errors of a file that some of the programs may accept.
UNSURE = ("toml-grammar", "toml-unproven")
# The mode of a new file, less the umask.
NEW_FILE = 0o666

Owners = Tuple[Optional[int], Optional[int], int]
"""Owner, group and mode; None for a user or a group that does not exist yet."""


class Plan(NamedTuple):
    """The state at one moment, and the state after the run."""

    place: ResolvedFile
    """The place of the config, which may not exist."""
    seen: os.stat_result | None
    """The status of the file when it was read; None for no file."""
    before: Config | None
    """The present config; None for a file that is created or replaced as a whole."""
    after: Config
    old: bytes | None
    new: bytes
    changes: Mapping[str, Any]
    """The keys that change, with their new values; None to remove a key."""
    directory: State
    new_directory: State
    owners: tuple[int, int, int]
    new_owners: Owners
    cache_owner: int | None
    """The user who uses the cache, if the task names one that exists."""
    chooser: int | None
    """Who besides the task and root can choose the directory, see C(chooser.chooser)."""
    problems: list[Problem]
    """The problems of the config, the file and the directory after the run."""

    @property
    def reader(self) -> int:
        """The user who reads the file."""
        return os.geteuid() if self.cache_owner is None else self.cache_owner

    @property
    def writes(self) -> bool:
        """Whether the text changes."""
        return self.new != self.old

    @property
    def changes_ownership(self) -> bool:
        """Whether the owner, group or mode of an existing file changes."""
        return self.seen is not None and self.owners != self.new_owners

    @property
    def changes_directory(self) -> bool:
        """Whether the directory is created, or changes its owner, group or mode."""
        return self.new_directory != self.directory


def plan(task: Task, readers: Readers) -> Plan:
    """Plan the run by the present state. Raises Refused."""
    params = task.params
    wanted = _wanted(task, readers)
    cache_owner = _cache_owner(params["directory_owner"])
    place, data, seen = _read_file(task)
    before = None if data is None else _existing(task, readers, (place, data, seen), wanted, cache_owner)
    table = {} if before is None else before.table or {}
    changes = _changes(readers, table, wanted, params["exclusive"])
    if data is None or before is None or changes:
        from .edited import edited

        new_data, after = edited(task, readers.dialects, before, changes)
    else:
        new_data, after = data, before
    owners = _owners(place, seen)
    new_owners = _asked(task, "", stat.S_IFREG, *owners)
    reader = os.geteuid() if cache_owner is None else cache_owner
    found = file_problems(place, new_owners[2], *new_owners[:2], reader)
    chosen_by = None
    if params["directory"] is None:
        # The task itself chooses a directory that it names.
        from .._files.chooser import chooser

        chosen_by = chooser(place, seen)
    led_by = chosen_by if after.names_directory else None
    now = directory_at(str(after.effective["directory"]), led_by)
    if now.resolved.error and now.resolved.error.code in NOT_FOLLOWED:
        from .reasons import advice

        raise task.refused_for("nothing was changed: %s" % advice(now.resolved.error))
    planned = _new_directory(task, now)
    found += directory_problems(planned, os.geteuid(), cache_owner, ENTRIES, led_by, place.names())
    errors = severe(found, ERROR)
    if errors:
        raise task.refused("nothing was changed", errors)
    problems = after.problems + after.relevant(found)
    return Plan(
        place,
        seen,
        before,
        after,
        data,
        new_data,
        changes,
        now,
        planned,
        owners,
        new_owners,
        cache_owner,
        chosen_by,
        problems,
    )


def _wanted(task: Task, readers: Readers) -> dict[str, Any]:
    """Return the keys that the options name, with their TOML values; None to remove a key."""
    given = [name for name in OPTIONS if task.params[name] is not None]
    wanted: dict[str, Any] = {}
    for name in task.params["unset"]:
        option = name.replace("-", "_")
        if option not in OPTIONS:
            raise Refused("unset: %s is not a setting; name one of %s" % (shown(name), ", ".join(OPTIONS)))
        if option in given:
            raise Refused("%s is set and also named in unset; leave one of them out" % option)
        wanted[OPTIONS[option].name] = None
    for option in given:
        setting = OPTIONS[option]
        if not all(setting.known_to(dialect.first, dialect.last) for dialect in readers.dialects):
            from .._config.words import versions_of

            raise Refused(
                "%s: only Wasmtime %s knows this setting; leave it out, or set wasmtime_version to the version that"
                " reads the file" % (option, versions_of(setting))
            )
        try:
            wanted[setting.name] = from_option(setting, task.params[option])
        except BadValue as bad:
            from .._config.problems import sentence_on

            raise Refused("%s: %s" % (task.path, sentence_on(option, task.params[option], bad))) from bad
    if task.params[ENABLED] is not None:
        if not readers.dialects[0].enabled:
            from .._config.programs import SWITCH_OFF

            remedy = "" if task.params[ENABLED] else "; or " + SWITCH_OFF
            raise Refused(
                "enabled: Wasmtime 33 and later refuse this setting; leave it out, or set wasmtime_version to the"
                " version up to 32 that reads the file%s" % remedy
            )
        wanted[ENABLED] = task.params[ENABLED]
    return wanted


def _cache_owner(name: str | None) -> int | None:
    if name is None:
        return None
    from .owners import user_id

    return user_id(name)


def _read_file(task: Task) -> tuple[ResolvedFile, bytes | None, os.stat_result | None]:
    """Return the place of the file, its bytes and its status; None for both of a missing file."""
    try:
        place = resolve_file(task.path)
        found = read(place)
    except Unreadable as error:
        from .reasons import finding_of

        raise task.refused("nothing was changed", to_problems([finding_of(error)])) from error
    if found is None and not task.params["create"]:
        raise task.refused_for("there is no such file, and create is false; correct the path, or set create to true")
    return (place, *found) if found else (place, None, None)


def _existing(
    task: Task,
    readers: Readers,
    file: tuple[ResolvedFile, bytes, os.stat_result | None],
    wanted: Mapping[str, Any],
    cache_owner: int | None,
) -> Config | None:
    """Return the config in the file; None to replace it. Raises Refused for errors, unless this run corrects them."""
    place, data, seen = file
    config = config_from(data, readers.dialects, task.host, task.library)
    errors = []
    for problem in severe(config.problems, ERROR):
        migrated = problem.code == "enabled-missing" or (
            problem.code == "enabled-refused" and config.table and config.table[ENABLED] is True
        )
        given = problem.code == "no-home" and wanted.get("directory") is not None
        if problem.code == "unknown-key" and problem.setting in SETTINGS:
            # Other versions know it. An option that names it removes it: none can set it here.
            migrated = problem.setting in wanted or task.params["exclusive"]
        if not migrated and not given:
            errors.append(problem)
    if not errors:
        return config
    if task.params["force"]:
        return None
    if errors[0].code in UNSURE:
        raise task.refused("not every Wasmtime takes this file, so nothing was changed", errors)
    if wanted.get("directory") is None and any(problem.code == "enabled-refused" for problem in errors):
        # Without that line, the cache is enabled in this directory.
        led_by = directory_chooser(config, place, seen)
        state = directory_of(config, led_by)
        found = list(config.problems)
        if state is not None:
            found += directory_problems(state, os.geteuid(), cache_owner, ENTRIES, led_by, place.names())
        errors += severe(found, DANGER)
    instead = "or replace the file: force=true, in the role wasmtime_cache_force=true (keeps a backup)"
    if any(problem.code in ("enabled-refused", "no-home") for problem in errors):
        instead = ""  # a new file would switch the cache on, or have the same problem
    raise task.refused("Wasmtime refuses this file, so nothing was changed", errors, instead)


def _changes(readers: Readers, table: Mapping[str, Any], wanted: Mapping[str, Any], exclusive: bool) -> dict[str, Any]:
    """Return the keys that differ from the wanted ones, in the engine's order of settings."""
    changes: dict[str, Any] = {}
    for name, value in wanted.items():
        if value is None:
            if name in table:
                changes[name] = None
        elif name not in table or _means(name, table[name]) != _means(name, value):
            changes[name] = value
    if exclusive:
        changes.update((name, None) for name in table if name in SETTINGS and name not in wanted)
    if not readers.dialects[0].enabled:
        if ENABLED in table:
            changes[ENABLED] = None
    elif ENABLED not in table:
        changes.setdefault(ENABLED, True)
    return {name: changes[name] for name in (ENABLED,) + tuple(SETTINGS) if name in changes}


def _means(name: str, value: Any) -> Any:
    # Compares the types, too: "true" and 1 are not true.
    return (type(value), value) if name == ENABLED else base_value(SETTINGS[name], value)


def _new_directory(task: Task, now: State) -> State:
    """Return the directory as it will be after the run."""
    if now.resolved.error or not (now.exists or task.params["create_directory"]):
        return now
    if now.exists:
        uid, gid, mode = now.uid, now.gid, now.mode or 0
    else:
        from .._files.rights import owner_of_new

        above = now.resolved.status()
        uid, gid = owner_of_new(above)
        if uid == -1:
            uid = os.geteuid()
            gid = above.st_gid if above.st_mode & stat.S_ISGID else os.getegid()
        mode = DEFAULT_MODE
    uid, gid, mode = _asked(task, "directory_", stat.S_IFDIR, uid, gid, mode)
    return now._replace(exists=True, uid=uid, gid=gid, mode=mode)


def _owners(place: ResolvedFile, seen: os.stat_result | None) -> tuple[int, int, int]:
    """Return the owner, group and mode of the file, or of a new file."""
    if seen is not None:
        return seen.st_uid, seen.st_gid, stat.S_IMODE(seen.st_mode)
    return os.geteuid(), group_of_new(place), NEW_FILE & ~umask()


def group_of_new(place: ResolvedFile) -> int:
    """Return the group of a new file of this user."""
    above = place.resolved.status()
    inherits = above.st_mode & stat.S_ISGID and not place.resolved.missing
    return above.st_gid if inherits else os.getegid()


def _asked(task: Task, prefix: str, kind: int, uid: int | None, gid: int | None, mode: int) -> Owners:
    """Return the owner, group and mode by the options with this prefix; the given ones without options."""
    if not task.gives(prefix):
        return uid, gid, mode
    from .owners import planned

    return planned(task.module, prefix, kind, uid, gid, mode)
