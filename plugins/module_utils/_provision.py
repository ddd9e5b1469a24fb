# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module cache_config does: decide everything, check it, and write only what is not so already."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence

from . import _common, _directory, _files
from ._access import umask
from ._config import DANGER, ERROR, Config, Problem
from ._settings import SETTINGS, BadValue, base_value, from_option, shown
from ._toml import Library

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

OPTIONS = {setting.option: setting for setting in SETTINGS.values()}
ENABLED = "enabled"
# The errors of a file that some of the programs in question may take.
UNSURE = ("toml-grammar", "toml-unproven")
# The mode of a new file, less the umask.
NEW_FILE = 0o666
# How often a run starts anew because another process has written the file since it was read.
ATTEMPTS = 100


class Run:
    """One run of the module: everything is decided and checked first, then written."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params = module.params
        self.path = _common.config_path(self.params["path"])
        self.library = Library()
        self.diff: list[dict[str, Any]] = []
        # The part of it that is done already when a run starts anew.
        self.done: list[dict[str, Any]] = []
        self.lock: Any = None

    def refused(self, summary: str, problems: Sequence[Problem]) -> _common.Refused:
        """The end of the run for these problems."""
        problems = _common.spoken(problems, self.params["ignore_dangers"])
        sentences = [problem.sentence() for problem in problems]
        if len(sentences) == 1:
            summary, sentences = "%s: %s" % (summary, sentences[0]), []
        else:
            summary += ":"
        return _common.Refused(
            "%s: %s" % (self.path, summary),
            *sentences,
            path=self.path,
            problems=[problem.as_dict() for problem in problems],
        )

    def refused_for(self, reason: str) -> _common.Refused:
        """The end of the run for a reason that is no problem of the config."""
        return _common.Refused("%s: %s" % (self.path, reason), path=self.path, problems=[])

    def result(self) -> dict[str, Any]:
        """Do what the task asks for. Raises Refused."""
        try:
            return self.remove() if self.params["state"] == "absent" else self.provide()
        except OSError as error:
            raise _common.Refused(
                _files.failure(self.path, error), path=self.path, problems=[], changed=bool(self.done)
            ) from error
        finally:
            if self.lock is not None:
                self.lock.release()

    def remove(self) -> dict[str, Any]:
        """Remove the file or the link."""
        given = [name for name in list(OPTIONS) + [ENABLED] if self.params[name] is not None]
        given += [name for name in ("unset", "exclusive") if self.params[name]]
        if given:
            raise _common.Refused(
                "state is absent, which removes the whole file, and %s asks for its contents; do one of both" % given[0]
            )
        from ._remove import remove

        return remove(self)

    def provide(self) -> dict[str, Any]:
        """Create or merge the file, and provide the directory."""
        self.dialects, self.version = _common.dialects_for(self.module)
        if self.dialects[0].enabled and not self.dialects[-1].enabled:
            raise _common.Refused(
                "wasmtime_version: %s: Wasmtime up to 32 requires enabled and later ones refuse it, so no file suits both;"
                " give each a file of its own" % self.version
            )
        self.host = _common.host()
        for _attempt in range(ATTEMPTS):
            try:
                return self.attempt()
            except _files.Changed:
                continue
        raise self.refused_for("another process keeps writing it; run again when none does")

    def attempt(self) -> dict[str, Any]:
        """Do it, if nobody else writes the file meanwhile. Raises Changed."""
        self.diff = list(self.done)
        wanted = self.wanted()
        self.owner = self.directory_owner()
        data = self.read()
        before = None if data is None else self.existing(data, wanted)
        table = {} if before is None else before.table or {}
        changes = self.changes(table, wanted)
        if data is None or before is None or changes:
            from ._change import edited

            new_data, after = edited(self, before, changes)
        else:
            new_data, after = data, before
        now = _common.directory_at(str(after.effective["directory"]))
        planned = self.planned_directory(now)
        owners = self.owners()
        planned_owners = self.asked("", stat.S_IFREG, *owners)
        found = _files.problems(self.place, planned_owners[2], *planned_owners[:2], self.reader())
        # A directory that the task names is the task's own choice.
        named = self.params["directory"] is not None
        self.chooser = None if named else _files.chooser(self.place, self.seen)
        config = self.place.names()
        led_by = self.chooser if after.names_directory else None
        found += _directory.problems(planned, os.geteuid(), self.owner, _common.ENTRIES, led_by, config)
        errors = _common.severe(found, ERROR)
        if errors:
            raise self.refused("nothing was changed", errors)
        problems = after.problems + after.that_matter(found)
        result: dict[str, Any] = {
            "changed": bool(self.done),
            "path": self.path,
            "created": data is None,
            "wasmtime_version": self.version,
            "changed_settings": {
                _option(name): {"before": table.get(name), "after": value} for name, value in changes.items()
            },
            "removed": [_option(name) for name, value in changes.items() if value is None],
        }
        names = {}
        if new_data != data or planned != now or planned_owners != owners or self.labels():
            from ._change import Change

            change = Change(self, before, after, (data, new_data), (now, planned), (owners, planned_owners))
            change.refuse(problems)
            # From here on no other run writes the file; what was decided without the lock is decided again.
            change.lock()
            result.update(change.carry_out())
            names = change.names()
        problems = _common.spoken(problems, self.params["ignore_dangers"])
        for problem in _common.severe(problems, DANGER):
            self.module.warn("%s: %s" % (self.path, problem.sentence()))
        result.update(_common.describe(after, planned, problems))
        result["directory"].update(names)
        return result

    def wanted(self) -> dict[str, Any]:
        """The keys that the options name, with their TOML values; None to remove a key."""
        given = [name for name in OPTIONS if self.params[name] is not None]
        wanted: dict[str, Any] = {}
        for name in self.params["unset"]:
            option = name.replace("-", "_")
            if option not in OPTIONS:
                raise _common.Refused("unset: %s is not a setting; name one of %s" % (shown(name), ", ".join(OPTIONS)))
            if option in given:
                raise _common.Refused("%s is given a value and also named in unset; do one of both" % option)
            wanted[OPTIONS[option].name] = None
        for option in given:
            setting = OPTIONS[option]
            if not all(setting.known_to(dialect.first, dialect.last) for dialect in self.dialects):
                from ._words import versions_of

                raise _common.Refused(
                    "%s: only Wasmtime %s knows this setting; leave it out, or set wasmtime_version to the version that"
                    " reads the file" % (option, versions_of(setting))
                )
            try:
                wanted[setting.name] = from_option(setting, self.params[option])
            except BadValue as bad:
                raise _common.Refused(
                    "%s: %s: %s %s; %s" % (self.path, option, shown(self.params[option]), bad.message, bad.remedy)
                ) from bad
        if self.params[ENABLED] is not None:
            if not self.dialects[0].enabled:
                from ._problems import SWITCH_OFF

                remedy = "" if self.params[ENABLED] else "; or " + SWITCH_OFF
                raise _common.Refused(
                    "enabled: Wasmtime 33 and later refuse this setting; leave it out, or set wasmtime_version to the"
                    " version up to 32 that reads the file%s" % remedy
                )
            wanted[ENABLED] = self.params[ENABLED]
        return wanted

    def read(self) -> bytes | None:
        """The bytes of the file; None to create it."""
        try:
            self.place = _files.find(self.path)
            found = _files.read(self.place)
        except _files.Unreadable as error:
            raise self.refused("nothing was changed", [error.problem]) from error
        self.seen = found[1] if found else None
        if found is None and not self.params["create"]:
            raise self.refused_for("there is no such file, and create is false")
        return found[0] if found else None

    def existing(self, data: bytes, wanted: Mapping[str, Any]) -> Config | None:
        """The config in the file; None to replace it. Its errors end the run, but for those that this run removes."""
        config = _common.judge(data, self.dialects, self.host, self.library)
        errors = []
        for problem in _common.severe(config.problems, ERROR):
            migrated = problem.code == "enabled-missing" or (
                problem.code == "enabled-refused" and config.table and config.table[ENABLED] is True
            )
            given = problem.code == "no-home" and wanted.get("directory") is not None
            if problem.code == "unknown-key" and problem.setting in SETTINGS:
                # Other versions know it; after this run it is gone, if the options say so.
                named = problem.setting in wanted
                migrated = wanted[problem.setting] is None if named else self.params["exclusive"]
            if not migrated and not given:
                errors.append(problem)
        if not errors:
            return config
        if self.params["force"]:
            return None
        if errors[0].code in UNSURE:
            raise self.refused("not every Wasmtime takes this file, so nothing was changed", errors)
        if wanted.get("directory") is None and any(problem.code == "enabled-refused" for problem in errors):
            # Without that line, the cache is on in this directory.
            state = _common.directory_of(config)
            found = list(config.problems)
            if state is not None:
                led_by = _files.chooser(self.place, self.seen) if config.names_directory else None
                names = self.place.names()
                found += _directory.problems(state, os.geteuid(), self.owner, _common.ENTRIES, led_by, names)
            errors += _common.severe(found, DANGER)
        raise self.refused("Wasmtime refuses this file, so nothing was changed", errors)

    def changes(self, table: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
        """What of the wanted is not so already, in the engine's order of settings."""
        changes: dict[str, Any] = {}
        for name, value in wanted.items():
            if value is None:
                if name in table:
                    changes[name] = None
            elif name not in table or _means(name, table[name]) != _means(name, value):
                changes[name] = value
        if self.params["exclusive"]:
            changes.update((name, None) for name in table if name in SETTINGS and name not in wanted)
        if not self.dialects[0].enabled:
            if ENABLED in table:
                changes[ENABLED] = None
        elif ENABLED not in table:
            changes.setdefault(ENABLED, True)
        return {name: changes[name] for name in (ENABLED,) + tuple(SETTINGS) if name in changes}

    def planned_directory(self, now: _directory.State) -> _directory.State:
        """The directory as it is to be after the run."""
        if now.way.error or not (now.exists or self.params["create_directory"]):
            return now
        if now.exists:
            uid, gid, mode = now.uid, now.gid, now.mode or 0
        else:
            from ._rights import owner_of_new

            above = now.way.status()
            uid, gid = owner_of_new(above)
            if uid == -1:
                uid = os.geteuid()
                gid = above.st_gid if above.st_mode & stat.S_ISGID else os.getegid()
            mode = _directory.DEFAULT_MODE
        uid, gid, mode = self.asked("directory_", stat.S_IFDIR, uid, gid, mode)
        return now._replace(exists=True, uid=uid, gid=gid, mode=mode)

    def owners(self) -> tuple[int, int, int]:
        """The owner, group and mode of the file, or of a new one."""
        if self.seen is not None:
            return self.seen.st_uid, self.seen.st_gid, stat.S_IMODE(self.seen.st_mode)
        above = self.place.way.status()
        inherits = above.st_mode & stat.S_ISGID and not self.place.way.missing
        return os.geteuid(), above.st_gid if inherits else os.getegid(), NEW_FILE & ~umask()

    def asked(
        self, prefix: str, kind: int, uid: Optional[int], gid: Optional[int], mode: int
    ) -> tuple[Optional[int], Optional[int], int]:
        """The owner, group and mode by the options with this prefix; those given where none is."""
        if all(self.params[prefix + name] is None for name in ("owner", "group", "mode")):
            return uid, gid, mode
        from ._owners import planned

        return planned(self.module, prefix, kind, uid, gid, mode)

    def directory_owner(self) -> Optional[int]:
        """The user for whom the cache is meant, if one is named and exists."""
        if self.params["directory_owner"] is None:
            return None
        from ._owners import user_id

        return user_id(self.params["directory_owner"])

    def reader(self) -> int:
        """The user who reads the file."""
        return os.geteuid() if self.owner is None else self.owner

    def labels(self) -> bool:
        """Whether the file has marks that Ansible sets by path: an SELinux context, or attributes asked for."""
        return self.params["attributes"] is not None or self.module.selinux_enabled()


def _option(name: str) -> str:
    return name if name == ENABLED else SETTINGS[name].option


def _means(name: str, value: Any) -> Any:
    # A boolean equals no text and no number here, as "true" and 1 do not mean true.
    return (type(value), value) if name == ENABLED else base_value(SETTINGS[name], value)
