#!/usr/bin/python
# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_config
short_description: Manage the config and the directory of Wasmtime's compilation cache
version_added: 0.1.0
author: wasmops contributors (@wasmops)
description:
  - Creates the TOML file that configures Wasmtime's compilation cache, or merges settings into an existing one, and creates
    the cache directory.
  - Only what changes is touched. Comments, order, blank lines, quoting, line endings and the spelling of values that already
    mean what is asked for stay as they are.
  - Never writes a file that Wasmtime would refuse, nor one by which it would later crash, lose data or run the code of
    others, unless that was so before or is allowed with O(ignore_dangers).
  - Looks for dangers at the first 1000 entries of each directory in the cache; M(wasmops.wasmtime.cache_config_info) looks at
    all of them.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - ansible.builtin.files
  - wasmops.wasmtime._attributes
  - wasmops.wasmtime._settings
  - wasmops.wasmtime._settings.settings
requirements:
  - tomli-w, to write
options:
  state:
    description:
      - V(present) makes sure that the file exists and says what is asked for.
      - V(absent) removes the file. The cache directory stays.
    type: str
    choices: [present, absent]
    default: present
  create:
    description: Whether to create the file, and the directories above it, if it is missing. If not, a missing file is an error.
    type: bool
    default: true
  enabled:
    description:
      - The thirteenth setting of Wasmtime up to 32, where it is mandatory. Without this option it is kept as it is and set
        to V(true) if missing.
      - Wasmtime 33 and later refuse it. With their rules C(enabled = true) is removed, and C(enabled = false) is an error,
        as these versions switch the cache off by not loading a config.
    type: bool
  unset:
    description: Names of settings to remove from the file, which gives them Wasmtime's defaults.
    type: list
    elements: str
    default: []
  exclusive:
    description: Whether to remove the settings that this task does not name.
    type: bool
    default: false
  create_directory:
    description: Whether to create the cache directory if it is missing.
    type: bool
    default: true
  directory_mode:
    description:
      - The mode of the cache directory, as octal digits in quotes or symbolic.
      - Without it, the directory is created with V(0700), and an existing one keeps its mode.
    type: raw
  directory_owner:
    description: The user that owns the cache directory, and for whom the cache is meant.
    type: str
  directory_group:
    description: The group that owns the cache directory.
    type: str
  force:
    description: Whether to replace a file that Wasmtime would refuse. A backup of it is always kept.
    type: bool
    default: false
  ignore_dangers:
    description:
      - Codes of dangers to write nevertheless. They are still reported.
    type: list
    elements: str
    default: []
    choices:
      - clock-overflow
      - directory-foreign-files
      - directory-not-dedicated
      - directory-replaceable
      - directory-symbolic-link
      - directory-writable-by-others
      - duration-wraps
      - file-writable-by-others
      - limit-overflow
      - queue-memory
  backup:
    description: Whether to keep a copy of the file before it is changed or removed.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    platforms: posix
notes:
  - As root below a directory of another user, it changes nothing outside of that directory, whatever its owner does meanwhile.
    It is safer still to become that user, which C(become_user) does.
  - A symbolic link at O(path) is kept; the file behind it is written. With O(state=absent) the link itself is removed.
  - New directories above the file and above the cache directory get the owner, the group and the mode of the directory
    that they are created in, but never let others write.
  - To manage the files of a user, let the task become that user rather than O(owner) and O(directory_owner).
seealso:
  - module: wasmops.wasmtime.cache_config_info
  - name: Wasmtime's documentation of the settings
    description: The settings of C([cache]) and what they do.
    link: https://docs.wasmtime.dev/cli-cache.html
"""

EXAMPLES = r"""
- name: Cache for the user that the task runs as
  wasmops.wasmtime.cache_config:
    files_total_size_soft_limit: 2Gi
    cleanup_interval: 1d

- name: Cache of a service, in the system
  wasmops.wasmtime.cache_config:
    path: /etc/wasmtime/config.toml
    directory: /var/cache/wasmtime/app
    directory_owner: app
    directory_group: app
    file_count_soft_limit: 100000
    file_count_limit_percent_if_deleting: 80
    wasmtime_version: "42.0.2"

- name: Take the rules of the wasmtime that is installed, and forget what others have set
  wasmops.wasmtime.cache_config:
    wasmtime_version: auto
    exclusive: true
    baseline_compression_level: 1

- name: Back to Wasmtime's default for one setting
  wasmops.wasmtime.cache_config:
    unset: [cleanup_interval]

- name: No config any more
  wasmops.wasmtime.cache_config:
    state: absent
    backup: true
"""

RETURN = r"""
path:
  description: The config file.
  returned: always
  type: str
  sample: /home/ci/.config/wasmtime/config.toml
created:
  description: Whether the file was created.
  returned: if O(state=present) succeeds
  type: bool
  sample: false
settings:
  description: The settings that the file names now, as it spells them.
  returned: if O(state=present) succeeds
  type: dict
  sample:
    cleanup_interval: 1d
    files_total_size_soft_limit: 2Gi
effective:
  description: All twelve settings with the defaults filled in, in seconds, bytes, counts and percent.
  returned: if O(state=present) succeeds
  type: dict
  sample:
    directory: /home/ci/.cache/wasmtime
    worker_event_queue_size: 16
    baseline_compression_level: 3
    optimized_compression_level: 20
    optimized_compression_usage_counter_threshold: 256
    cleanup_interval: 86400
    optimizing_compression_task_timeout: 1800
    allowed_clock_drift_for_files_from_future: 86400
    file_count_soft_limit: 65536
    files_total_size_soft_limit: 2147483648
    file_count_limit_percent_if_deleting: 70
    files_total_size_limit_percent_if_deleting: 70
changed_settings:
  description: The settings in the file that changed, C(enabled) included, each with its values before and after; null for not there.
  returned: if O(state=present) succeeds
  type: dict
  sample:
    cleanup_interval:
      before: 2h
      after: 1d
removed:
  description: The names of the settings that were removed from the file, C(enabled) included.
  returned: if O(state=present) succeeds
  type: list
  elements: str
  sample: [enabled]
problems:
  description: All that is wrong and does not stop the run, or if it failed for problems of the file, those.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: A short fixed name of the problem.
      type: str
      sample: small-queue
    severity:
      description: V(error), V(danger) or V(warning), see RV(wasmops.wasmtime.cache_config_info#module:problems[].severity).
      type: str
      sample: warning
    setting:
      description: The key in C([cache]) that it is about, or null.
      type: str
      sample: worker-event-queue-size
    value:
      description: The value that it is about, or null.
      type: str
      sample: "2"
    line:
      description: The line in the file, from 1, or null.
      type: int
      sample: 3
    column:
      description: The column in characters, from 1, or null.
      type: int
      sample: 27
    message:
      description: What is wrong.
      type: str
      sample: "worker-event-queue-size = \"2\" is small: events, and with them usage counts, get lost"
    remedy:
      description: What would be right.
      type: str
      sample: write 3 or more
directory:
  description: The effective cache directory as it is after the run.
  returned: if O(state=present) succeeds
  type: dict
  contains:
    path:
      description: The path as the config or the default gives it.
      type: str
      sample: /home/ci/.cache/wasmtime
    exists:
      description: Whether it exists.
      type: bool
      sample: true
    owner:
      description: Its owner, or null.
      type: str
      sample: ci
    group:
      description: Its group, or null.
      type: str
      sample: ci
    mode:
      description: Its mode in octal digits, or null.
      type: str
      sample: "0700"
    dangers:
      description: The codes of the dangers in RV(problems) that come from the directory.
      type: list
      elements: str
      sample: []
wasmtime_version:
  description: The version whose rules were used, or several with commas; null for every version from 33 on.
  returned: if O(state=present) succeeds
  type: str
  sample: 42.0.2
backup_file:
  description: The copy of the file as it was.
  returned: when a backup was made
  type: str
  sample: /home/ci/.config/wasmtime/config.toml.4711.2026-11-22@12:00:00~
diff:
  description: What changed in the file, in its attributes, and in the cache directory.
  returned: in diff mode
  type: list
  elements: dict
  sample:
    - before_header: /home/ci/.config/wasmtime/config.toml
      after_header: /home/ci/.config/wasmtime/config.toml
      before: "[cache]\n"
      after: "[cache]\ncleanup-interval = \"1d\"\n"
"""

import gc
import os
import stat
from typing import Any, Callable, Mapping, Optional, Sequence

# The process ends before there is garbage worth collecting, and loads faster so.
gc.disable()

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.wasmops.wasmtime.plugins.module_utils import _common, _directory, _files
from ansible_collections.wasmops.wasmtime.plugins.module_utils._access import umask
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config import DANGER, DANGERS, ERROR, Config, Problem
from ansible_collections.wasmops.wasmtime.plugins.module_utils._settings import (
    SETTINGS,
    BadValue,
    base_value,
    from_option,
    shown,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._toml import Library

OPTIONS = {setting.option: setting for setting in SETTINGS.values()}
OPTION_TYPES = {"path": "path", "level": "int"}
ENABLED = "enabled"
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

    def refused(self, summary: str, problems: Sequence[Problem]) -> _common.Refused:
        """The end of the run for these problems."""
        sentences = [problem.sentence() for problem in problems]
        listed = " " + sentences[0] if len(sentences) == 1 else "".join("\n- " + sentence for sentence in sentences)
        return _common.Refused(
            "%s: %s:%s" % (self.path, summary, listed),
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

    def remove(self) -> dict[str, Any]:
        """Remove the file or the link."""
        given = [name for name in list(OPTIONS) + [ENABLED] if self.params[name] is not None]
        given += [name for name in ("unset", "exclusive") if self.params[name]]
        if given:
            raise _common.Refused(
                "state is absent, which removes the whole file, and %s asks for its contents; do one of both" % given[0]
            )
        from ansible_collections.wasmops.wasmtime.plugins.module_utils._change import remove

        return remove(self)

    def provide(self) -> dict[str, Any]:
        """Create or merge the file, and provide the directory."""
        for _attempt in range(ATTEMPTS):
            try:
                return self.attempt()
            except _files.Changed:
                continue
        raise self.refused_for("another process keeps writing it; run again when none does")

    def attempt(self) -> dict[str, Any]:
        """Do it, if nobody else writes the file meanwhile. Raises Changed."""
        self.diff = list(self.done)
        self.dialects, version = _common.dialects_for(self.module)
        if self.dialects[0].enabled and not self.dialects[-1].enabled:
            raise _common.Refused(
                "wasmtime_version: %s: Wasmtime up to 32 requires enabled and later ones refuse it, so no file suits both;"
                " give each a file of its own" % version
            )
        self.host = _common.host()
        wanted = self.wanted()
        self.owner = self.directory_owner()
        data = self.read()
        before = None if data is None else self.existing(data, wanted)
        table = {} if before is None else before.table or {}
        changes = self.changes(table, wanted)
        if data is None or before is None or changes:
            from ansible_collections.wasmops.wasmtime.plugins.module_utils._change import edited

            new_data, after = edited(self, before, changes)
        else:
            new_data, after = data, before
        now = _common.directory_at(str(after.effective["directory"]))
        planned = self.planned_directory(now)
        owners = self.owners()
        planned_owners = self.asked("", stat.S_IFREG, *owners)
        found = _files.problems(self.place, planned_owners[2], *planned_owners[:2], self.reader())
        found += _directory.problems(planned, os.geteuid(), self.owner, _common.ENTRIES)
        errors = _common.severe(found, ERROR)
        if errors:
            raise self.refused("nothing was changed", errors)
        problems = after.problems + after.that_matter(found)
        result: dict[str, Any] = {
            "changed": bool(self.done),
            "path": self.path,
            "created": data is None,
            "wasmtime_version": version,
            "changed_settings": {
                _option(name): {"before": table.get(name), "after": value} for name, value in changes.items()
            },
            "removed": [_option(name) for name, value in changes.items() if value is None],
        }
        names = {}
        if new_data != data or planned != now or planned_owners != owners or self.labels():
            from ansible_collections.wasmops.wasmtime.plugins.module_utils._change import Change

            change = Change(self, before, (data, new_data), (now, planned), (owners, planned_owners))
            change.refuse(problems)
            result.update(change.carry_out())
            names = change.names()
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
            try:
                wanted[OPTIONS[option].name] = from_option(OPTIONS[option], self.params[option])
            except BadValue as bad:
                raise _common.Refused(
                    "%s: %s: %s %s; %s" % (self.path, option, shown(self.params[option]), bad.message, bad.remedy)
                ) from bad
        if self.params[ENABLED] is not None:
            if not self.dialects[0].enabled:
                raise _common.Refused(
                    "enabled: Wasmtime 33 and later refuse this setting; leave it out, or set wasmtime_version to the"
                    " version up to 32 that reads the file; state: absent switches the cache off for later ones"
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
            if not migrated and not given:
                errors.append(problem)
        if not errors:
            return config
        if self.params["force"]:
            return None
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
            above = now.way.status()
            root = os.geteuid() == 0
            uid = above.st_uid if root else os.geteuid()
            gid = above.st_gid if root or above.st_mode & stat.S_ISGID else os.getegid()
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
        from ansible_collections.wasmops.wasmtime.plugins.module_utils._owners import planned

        return planned(self.module, prefix, kind, uid, gid, mode)

    def directory_owner(self) -> Optional[int]:
        """The user for whom the cache is meant, if one is named and exists."""
        if self.params["directory_owner"] is None:
            return None
        from ansible_collections.wasmops.wasmtime.plugins.module_utils._owners import user_id

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


def argument_spec() -> dict[str, Any]:
    """The options; those for settings follow from the table."""
    spec: dict[str, Any] = {
        setting.option: {"type": OPTION_TYPES.get(setting.kind.name, "raw")} for setting in SETTINGS.values()
    }
    spec.update(
        path={"type": "path", "aliases": ["dest"]},
        state={"type": "str", "choices": ["present", "absent"], "default": "present"},
        create={"type": "bool", "default": True},
        enabled={"type": "bool"},
        unset={"type": "list", "elements": "str", "default": []},
        exclusive={"type": "bool", "default": False},
        wasmtime_version={"type": "list", "elements": "str"},
        create_directory={"type": "bool", "default": True},
        directory_mode={"type": "raw"},
        directory_owner={"type": "str"},
        directory_group={"type": "str"},
        force={"type": "bool", "default": False},
        ignore_dangers={"type": "list", "elements": "str", "default": [], "choices": list(DANGERS)},
        backup={"type": "bool", "default": False},
    )
    return spec


def leave(end: Callable[..., None], result: dict[str, Any]) -> None:
    """End the module with a result."""
    try:
        end(**result)
    except OSError:
        # Ansible looks once more at the path, for its owners and its size, and takes it for as it was.
        end(**dict(result, path=None))


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), add_file_common_args=True, supports_check_mode=True)
    # What is created here is never writable by others, whatever the environment says.
    os.umask(os.umask(0o022) | 0o022)
    try:
        run = Run(module)
        result = run.result()
    except _common.Refused as error:
        leave(module.fail_json, dict(error.result, msg=str(error)))
    if module._diff:
        result["diff"] = run.diff
    leave(module.exit_json, result)


if __name__ == "__main__":
    main()
