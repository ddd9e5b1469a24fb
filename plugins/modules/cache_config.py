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

import os
import stat
from typing import Any, Callable, Mapping, NamedTuple, Optional, Sequence

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.wasmops.wasmtime.plugins.module_utils import _common, _directory, _files
from ansible_collections.wasmops.wasmtime.plugins.module_utils._access import umask, user_name
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config import (
    BOM,
    DANGER,
    DANGERS,
    ERROR,
    Config,
    Problem,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._settings import (
    SETTINGS,
    BadValue,
    base_value,
    from_option,
    is_integer,
    quoted,
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


class Attributes(NamedTuple):
    """The owner, group and mode of the config file."""

    uid: Optional[int]
    """None for a user that does not exist yet."""
    gid: Optional[int]
    mode: int


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

    # state: absent

    def remove(self) -> dict[str, Any]:
        """Remove the file or the link."""
        given = [name for name in list(OPTIONS) + [ENABLED] if self.params[name] is not None]
        given += [name for name in ("unset", "exclusive") if self.params[name]]
        if given:
            raise _common.Refused(
                "state is absent, which removes the whole file, and %s asks for its contents; do one of both" % given[0]
            )
        place = _files.Place(_directory.walk(os.path.dirname(self.path)), os.path.basename(self.path))
        result = {"changed": os.path.lexists(self.path), "path": self.path, "problems": []}
        if not result["changed"]:
            return result
        if os.path.isdir(self.path) and not os.path.islink(self.path):
            raise self.refused_for("it is a directory, not a config file; name the file in it")
        reason = _files.unwritable(self.path, in_place=False) or _directory.unsafe_link(place.way)
        if reason:
            raise self.refused_for("it cannot be removed: %s" % reason)
        found = real = None
        try:
            real = _files.find(self.path)
            found = _files.read(real)
        except _files.Unreadable as error:
            if self.params["backup"] and error.problem.code != "dangling-link":
                raise self.refused("no backup can be made, so nothing was changed", [error.problem]) from error
        self.file_diff(found[0] if found else b"", b"")
        if not self.module.check_mode:
            from ansible_collections.wasmops.wasmtime.plugins.module_utils import _write

            try:
                if self.params["backup"] and found and real:
                    result["backup_file"] = _write.backup(real, found[1], found[0])
                _write.remove(place)
            except (_write.CannotWrite, _files.Changed) as error:
                raise self.refused_for(str(error)) from error
        return result

    # state: present

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
        self.owner = _common.user_id(self.params["directory_owner"])
        data = self.read()
        before = None if data is None else self.existing(data, wanted)
        table = {} if before is None else before.table or {}
        changes = self.changes(table, wanted)
        if data is None or before is None or changes:
            new_data, after = self.edited(before, changes)
        else:
            new_data, after = data, before
        now = _directory.inspect(str(after.effective["directory"]))
        planned = self.planned_directory(now)
        planned_file, file_problems = self.planned_file()
        problems = after.problems + after.that_matter(file_problems + self.directory_problems(planned, now))
        self.refuse_new_dangers(before, problems)
        writes = new_data != data
        attributes = self.attributes_diff(planned_file)
        self.refuse_unwritable(writes, bool(attributes))

        result: dict[str, Any] = {
            "path": self.path,
            "created": data is None,
            "wasmtime_version": version,
            "changed_settings": {
                _option(name): {"before": table.get(name), "after": value} for name, value in changes.items()
            },
            "removed": [_option(name) for name, value in changes.items() if value is None],
        }
        if writes:
            self.file_diff(data or b"", new_data)
        if planned != now:
            self.directory_diff(now, planned)
        changed = bool(writes or attributes or planned != now or self.done)
        if changed and not self.module.check_mode:
            keep = data if self.params["backup"] or before is None else None
            result.update(self.carry_out(new_data if writes else None, keep, planned_file, now, planned))
        result["changed"] = self.set_labels(attributes, changed)
        if attributes:
            header = "%s (file attributes)" % self.path
            self.diff.append(dict(attributes, before_header=header, after_header=header))
        for problem in _common.severe(problems, DANGER):
            self.module.warn("%s: %s" % (self.path, problem.sentence()))
        result.update(_common.describe(after, planned, problems))
        result["directory"].update(self.names(planned))
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

    def edited(self, before: Config | None, changes: Mapping[str, Any]) -> tuple[bytes, Config]:
        """The new bytes and the config in them, which must be the intended one and valid."""
        from ansible_collections.wasmops.wasmtime.plugins.module_utils._edit import (
            CannotEdit,
            edit,
            merge,
            new_text,
            same,
        )

        try:
            text = new_text(changes) if before is None else edit(before.text, changes, self.library.reader(before.text))
        except ImportError as error:
            _common.refuse_library("tomli-w", "writing TOML", error)
        except CannotEdit as error:
            raise self.refused_for("%s; change it by hand" % error) from error
        bom = BOM if before is not None and before.bom else ""
        data = (bom + text).encode("utf-8", "surrogateescape")
        after = _common.judge(data, self.dialects, self.host, self.library)
        if not after.valid:
            raise self.refused(
                "Wasmtime would refuse the result, so nothing was changed", _common.severe(after.problems, ERROR)
            )
        if not same(after.table, merge(before.table or {} if before else {}, changes)):
            raise self.refused_for("its layout does not allow this change in place; change it by hand")
        return data, after

    # The directory

    def planned_directory(self, now: _directory.State) -> _directory.State:
        """The directory as it is to be after the run."""
        if now.way.error or not (now.exists or self.params["create_directory"]):
            return now
        if now.exists:
            uid, gid, mode = now.uid, now.gid, now.mode
        else:
            above = now.way.status()
            root = os.geteuid() == 0
            uid = above.st_uid if root else os.geteuid()
            gid = above.st_gid if root or above.st_mode & stat.S_ISGID else os.getegid()
            mode = _directory.DEFAULT_MODE
        if self.params["directory_owner"] is not None:
            uid = self.owner_id("directory_owner", uid)
        if self.params["directory_group"] is not None:
            gid = self.group_id("directory_group", gid)
        return now._replace(exists=True, uid=uid, gid=gid, mode=self.mode("directory_mode", mode or 0, stat.S_IFDIR))

    def directory_problems(self, planned: _directory.State, now: _directory.State) -> list[Problem]:
        """What is wrong with the directory as it is to be. Errors end the run."""
        found = _directory.problems(planned, os.geteuid(), self.owner)
        errors = _common.severe(found, ERROR)
        if errors:
            raise self.refused("nothing was changed", errors)
        if planned != now:
            unsafe = _directory.unsafe_link(now.way)
            if unsafe:
                raise self.refused_for("nothing was changed: %s" % unsafe)
            if not now.exists:
                reason = _files.unwritable(now.way.target, in_place=False)
                if reason:
                    raise self.refused_for("the directory %s cannot be created: %s" % (quoted(now.path), reason))
        return found

    def refuse_new_dangers(self, before: Config | None, problems: Sequence[Problem]) -> None:
        """End the run for a danger that was not there before and is not allowed."""
        found = []
        if self.seen is not None:
            found = _files.problems(self.place, self.seen.st_mode, self.seen.st_uid, self.seen.st_gid, self.reader())
        if before is not None:
            state = _common.directory_of(before)
            found += [] if state is None else _directory.problems(state, os.geteuid(), self.owner)
            found = before.problems + before.that_matter(found)
        known = {_subject(problem) for problem in found}
        new = [
            problem
            for problem in _common.severe(problems, DANGER)
            if problem.code not in self.params["ignore_dangers"] and _subject(problem) not in known
        ]
        if new:
            codes = ", ".join(sorted({problem.code for problem in new}))
            raise self.refused(
                "nothing was changed, for it would be dangerous (ignore_dangers: [%s] allows it)" % codes, new
            )

    def names(self, planned: _directory.State) -> dict[str, str]:
        """The owner and group of the directory that do not exist yet."""
        names = {}
        if planned.exists and planned.uid is None:
            names["owner"] = self.params["directory_owner"]
        if planned.exists and planned.gid is None:
            names["group"] = self.params["directory_group"]
        return names

    # Owners, groups and modes

    def owner_id(self, option: str, current: int | None) -> int | None:
        """The number of the user that an option names; None in check mode for one to be created."""
        uid = _common.user_id(self.params[option])
        if uid is None:
            self.absent_yet(option, "user")
        elif uid != current and os.geteuid() != 0:
            raise _common.Refused("%s: only root can give a file to %s" % (option, self.params[option]))
        return uid

    def group_id(self, option: str, current: int | None) -> int | None:
        """The number of the group that an option names; None in check mode for one to be created."""
        gid = _common.group_id(self.params[option])
        if gid is None:
            self.absent_yet(option, "group")
        elif gid != current and os.geteuid() != 0 and gid not in os.getgroups():
            raise _common.Refused(
                "%s: only root can give a file to %s, of which this user is no member" % (option, self.params[option])
            )
        return gid

    def absent_yet(self, option: str, kind: str) -> None:
        """What a missing user or group means: another task may create it before the real run."""
        sentence = "%s: there is no %s %s" % (option, kind, self.params[option])
        if not self.module.check_mode:
            raise _common.Refused("%s; create it first" % sentence)
        self.module.warn("%s yet; the run takes it to exist by then" % sentence)

    def mode(self, option: str, current: int, kind: int) -> int:
        """The mode that an option asks for, given the current one."""
        wanted = self.params[option]
        if wanted is None:
            return current
        try:
            mode = wanted if is_integer(wanted) else int(str(wanted), 8)
        except ValueError:
            try:
                mode = self.module._symbolic_mode_to_octal(os.stat_result((kind | current,) + (0,) * 9), str(wanted))
            except ValueError:
                mode = -1
        if not 0 <= mode <= 0o7777:
            raise _common.Refused(
                '%s: %s is not a mode; write octal digits in quotes, like "0700"' % (option, shown(wanted))
            )
        return mode

    def planned_file(self) -> tuple[Attributes, list[Problem]]:
        """The owner, group and mode that the file is to have, and what is wrong with the file then."""
        if self.seen is None:
            above = self.place.way.status()
            inherits = above.st_mode & stat.S_ISGID and not self.place.way.missing
            now = Attributes(os.geteuid(), above.st_gid if inherits else os.getegid(), NEW_FILE & ~umask())
        else:
            now = Attributes(self.seen.st_uid, self.seen.st_gid, stat.S_IMODE(self.seen.st_mode))
        planned = Attributes(
            now.uid if self.params["owner"] is None else self.owner_id("owner", now.uid),
            now.gid if self.params["group"] is None else self.group_id("group", now.gid),
            self.mode("mode", now.mode, stat.S_IFREG),
        )
        found = _files.problems(self.place, planned.mode, planned.uid, planned.gid, self.reader())
        errors = _common.severe(found, ERROR)
        if errors:
            raise self.refused("nothing was changed", errors)
        return planned, found

    def attributes_diff(self, planned: Attributes) -> dict[str, dict[str, Any]]:
        """What of owner, group and mode changes; those of a file that is created are part of its creation."""
        if self.seen is None:
            return {}
        before = {
            "owner": self.seen.st_uid,
            "group": self.seen.st_gid,
            "mode": "%04o" % stat.S_IMODE(self.seen.st_mode),
        }
        after = {
            "owner": self.params["owner"] if planned.uid is None else planned.uid,
            "group": self.params["group"] if planned.gid is None else planned.gid,
            "mode": "%04o" % planned.mode,
        }
        keys = [key for key in after if before[key] != after[key]]
        return (
            {"before": {key: before[key] for key in keys}, "after": {key: after[key] for key in keys}} if keys else {}
        )

    def reader(self) -> int:
        """The user for whom the cache is meant."""
        return os.geteuid() if self.owner is None else self.owner

    # Writing

    def refuse_unwritable(self, writes: bool, settles: bool) -> None:
        """End the run if the file cannot be written or changed, before anything else is."""
        reason = None
        if writes:
            failure = "written"
            in_place = self.seen is not None and self.params["unsafe_writes"]
            reason = _files.unwritable(self.place.path, in_place) or _directory.unsafe_link(self.place.way)
        elif settles and self.seen:
            failure = "given another owner, group or mode"
            reason = _files.denied(self.place.path) or _directory.unsafe_link(self.place.way)
            if not reason and os.geteuid() not in (0, self.seen.st_uid):
                reason = "only its owner %s may do that" % user_name(self.seen.st_uid)
        if reason is None and self.params["attributes"] is not None:
            failure = "given attributes"
            reason = _directory.swappable(self.place.way)
        if reason:
            raise self.refused_for("it cannot be %s: %s" % (failure, reason))

    def carry_out(
        self,
        data: bytes | None,
        keep: bytes | None,
        planned_file: Attributes,
        now: _directory.State,
        planned: _directory.State,
    ) -> dict[str, Any]:
        """Provide the directory, then the file. Raises Changed."""
        from ansible_collections.wasmops.wasmtime.plugins.module_utils import _write

        result = {}
        ids = self.ids("", planned_file.uid, planned_file.gid)
        try:
            if planned != now:
                _write.make(now, *self.ids("directory_", planned.uid, planned.gid), planned.mode or 0)
                self.done += self.diff[-1:]
            if data is not None:
                self.place = _write.make_parents(self.place)
                in_place = self.params["unsafe_writes"]
                kept = _write.write(self.place, self.seen, data, *ids, planned_file.mode, in_place=in_place, keep=keep)
                if kept:
                    result["backup_file"] = kept
            elif self.seen and self.attributes_diff(planned_file):
                _write.settle(self.place, self.seen, *ids, planned_file.mode)
        except _write.CannotWrite as error:
            also = "; the cache directory was made or changed before that" if self.done else ""
            raise _common.Refused(
                "%s: %s%s" % (self.path, error, also), path=self.path, problems=[], changed=bool(self.done)
            ) from error
        return result

    def ids(self, prefix: str, uid: int | None, gid: int | None) -> tuple[int, int]:
        """The owner and group to give; -1 to leave what is there."""
        return (
            -1 if self.params[prefix + "owner"] is None or uid is None else uid,
            -1 if self.params[prefix + "group"] is None or gid is None else gid,
        )

    def set_labels(self, diff: dict[str, dict[str, Any]], changed: bool) -> bool:
        """Set the SELinux context and the file system's attributes; return whether the run changes anything.

        Ansible sets them by path.
        """
        if self.params["attributes"] is None and not self.module.selinux_enabled():
            return changed
        if self.seen is None and self.module.check_mode:
            return changed
        args = self.module.load_file_common_arguments(self.params, path=self.place.path)
        directory = _directory.hold(self.place.way)
        # Whatever becomes of the way to it, this leads into the directory that was judged.
        path = "/proc/%d/fd/%d/%s" % (os.getpid(), directory, self.place.name)
        try:
            if self.seen is None:
                self.module.set_context_if_different(
                    path, self.module.selinux_default_context(self.place.path), changed
                )
            changed = self.module.set_context_if_different(path, args["secontext"], changed, diff)
            return bool(self.module.set_attributes_if_different(path, args["attributes"], changed, diff))
        finally:
            os.close(directory)

    # Differences

    def file_diff(self, before: bytes, after: bytes) -> None:
        """Note a change of the file's text."""
        texts = {"before": before.decode("utf-8", "replace"), "after": after.decode("utf-8", "replace")}
        self.diff.append(dict(texts, before_header=self.path, after_header=self.path))

    def directory_diff(self, now: _directory.State, planned: _directory.State) -> None:
        """Note a change of the directory."""
        header = "%s (cache directory)" % planned.path
        before, after = now.as_dict(), dict(planned.as_dict(), **self.names(planned))
        keys = [key for key in after if before[key] != after[key]]
        self.diff.append(
            {
                "before_header": header,
                "after_header": header,
                "before": {key: before[key] for key in keys},
                "after": {key: after[key] for key in keys},
            }
        )


def _option(name: str) -> str:
    return name if name == ENABLED else SETTINGS[name].option


def _means(name: str, value: Any) -> Any:
    # A boolean equals no text and no number here, as "true" and 1 do not mean true.
    return (type(value), value) if name == ENABLED else base_value(SETTINGS[name], value)


def _subject(problem: Problem) -> tuple[str, str | None]:
    return problem.code, problem.value if problem.code.startswith("directory-") else problem.setting


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
        result = run.remove() if module.params["state"] == "absent" else run.provide()
    except _common.Refused as error:
        leave(module.fail_json, dict(error.result, msg=str(error)))
    except OSError as error:
        module.fail_json(msg=_files.meanwhile(error))
    if module._diff:
        result["diff"] = run.diff
    leave(module.exit_json, result)


if __name__ == "__main__":
    main()
