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
  - Edits only the settings that change. Comments, order, blank lines, quoting, line endings and the spelling of values
    that are already equal stay as they are.
  - Never writes a file that Wasmtime would refuse, or one that would later make it crash, lose data or run code of other
    users, unless the old file has the same danger or O(ignore_dangers) allows it.
  - Checks the first 1000 entries of each directory in the cache for dangers; M(wasmops.wasmtime.cache_config_info) checks
    all of them.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - ansible.builtin.files
  - wasmops.wasmtime._attributes
  - wasmops.wasmtime._attributes.action_group
  - wasmops.wasmtime._settings
  - wasmops.wasmtime._settings.programs
  - wasmops.wasmtime._settings.settings
requirements:
  - tomli-w, to write
options:
  state:
    description:
      - V(present) makes sure that the file exists and has the settings of this task.
      - V(absent) removes the file. The cache directory stays.
    type: str
    choices: [present, absent]
    default: present
  create:
    description: Whether to create the file and its parent directories if it is missing. If V(false), a missing file is an error.
    type: bool
    default: true
  enabled:
    description:
      - A mandatory setting of Wasmtime up to 32. Without this option its value is left unchanged, and it is set to V(true)
        if missing.
      - Wasmtime 33 and later refuse it. With their rules C(enabled = true) is removed, and C(enabled = false) is an error.
        No config can disable the cache of these versions, and without a config at the default path it is on, too. Disable
        it in the program, for example with C(-C cache=n) of C(wasmtime), E(DISABLE_WASMTIME_CACHE) of Spin, or an
        empty E(EXTISM_CACHE_CONFIG) of Extism.
    type: bool
  unset:
    description: Names of settings to remove from the file. Wasmtime then uses their defaults.
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
      - The mode of the cache directory, as quoted octal digits or in symbolic form.
      - Without it, a new directory gets V(0700), and an existing one keeps its mode.
    type: raw
  directory_owner:
    description: The user that owns the cache directory and uses the cache.
    type: str
  directory_group:
    description: The group that owns the cache directory.
    type: str
  force:
    description: Whether to replace an existing file that Wasmtime would refuse. It is always backed up first.
    type: bool
    default: false
  ignore_dangers:
    description:
      - Codes of dangers that do not stop the task. They are still reported.
    type: list
    elements: str
    default: []
    choices:
      - clock-overflow
      - config-in-cache
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
  safe_file_operations:
    support: full
notes:
  - When it runs as root below a directory of another user, it changes nothing outside of that directory, even if that user
    changes it at the same time. It is safer to run the task as that user, with C(become_user).
  - When it runs as root and other users can write to the config, it creates the cache directory, or changes its owner, group
    or mode, only if O(directory) names it, or if one user alone can write to the config and the directory is below one of
    that user's directories.
  - A symbolic link at O(path) is kept; its target is written. With O(state=absent) the link itself is removed.
  - New parent directories of the file and of the cache directory get the owner, the group and the mode of the directory
    that they are created in, but are never writable by other users.
  - To manage the files of a user, run the task as that user instead of setting O(owner) and O(directory_owner).
seealso:
  - module: wasmops.wasmtime.cache_config_info
  - name: Wasmtime's documentation of the settings
    description: The settings of C([cache]) and what they do.
    link: https://docs.wasmtime.dev/cli-cache.html
"""

EXAMPLES = r"""
- name: Configure the cache of the user that the task runs as
  wasmops.wasmtime.cache_config:
    files_total_size_soft_limit: 2Gi
    cleanup_interval: 1d

- name: Configure the cache of a system service
  wasmops.wasmtime.cache_config:
    path: /etc/wasmtime/config.toml
    directory: /var/cache/wasmtime/app
    directory_owner: app
    directory_group: app
    file_count_soft_limit: 100000
    file_count_limit_percent_if_deleting: 80
    wasmtime_version: "42.0.2"

- name: Write one config for two programs with their own Wasmtime
  wasmops.wasmtime.cache_config:
    path: /etc/wasmtime/config.toml
    directory: /var/cache/wasmtime/shared
    programs:
      - /usr/local/bin/wasmtime
      - /opt/app/lib/libextism.so

- name: Follow the rules of every installed Wasmtime, and remove all other settings
  wasmops.wasmtime.cache_config:
    wasmtime_version: auto
    exclusive: true
    baseline_compression_level: 1

- name: Return one setting to Wasmtime's default
  wasmops.wasmtime.cache_config:
    unset: [cleanup_interval]

- name: Remove the config, and keep a backup
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
  description: The settings in the file, as it spells them.
  returned: if O(state=present) succeeds
  type: dict
  sample:
    cleanup_interval: 1d
    files_total_size_soft_limit: 2Gi
effective:
  description: All settings, including defaults, in seconds, bytes, counts and percent.
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
  description: The settings in the file that changed, including C(enabled), with their values before and after; null if not set.
  returned: if O(state=present) succeeds
  type: dict
  sample:
    cleanup_interval:
      before: 2h
      after: 1d
removed:
  description: The names of the settings that were removed from the file, including C(enabled).
  returned: if O(state=present) succeeds
  type: list
  elements: str
  sample: [enabled]
problems:
  description: All problems that did not stop the task. If problems of the file made the task fail, those problems.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: The fixed code of the problem.
      type: str
      sample: small-queue
    severity:
      description: V(error), V(danger) or V(warning), see RV(wasmops.wasmtime.cache_config_info#module:problems[].severity).
      type: str
      sample: warning
    setting:
      description: The key in C([cache]) that has the problem, or null.
      type: str
      sample: worker-event-queue-size
    value:
      description: The value that has the problem, or null.
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
      description: What to do about it.
      type: str
      sample: write 3 or more
directory:
  description: The effective cache directory after the task.
  returned: if O(state=present) succeeds
  type: dict
  contains:
    path:
      description: The path in the config, or the default path.
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
      description: The codes of the dangers in RV(problems) that the directory causes.
      type: list
      elements: str
      sample: []
wasmtime_version:
  description: The version whose rules were used, or several, separated by commas; null for every version from 33 on.
  returned: if O(state=present) succeeds
  type: str
  sample: 42.0.2
programs:
  description: The first 100 programs that read the file, from O(programs) and from the search of V(auto).
  returned: if O(state=present) succeeds
  type: list
  elements: dict
  contains:
    path:
      description: The path of the program.
      type: str
      sample: /usr/local/bin/wasmtime
    version:
      description: The version of its Wasmtime, or null if it is not known exactly.
      type: str
      sample: 42.0.1
    versions:
      description: The possible versions, see RV(wasmops.wasmtime.engine_info#module:engines[].versions).
      type: list
      elements: str
      sample: ["42.0.1"]
    program:
      description: The name of the program if it is known, see RV(wasmops.wasmtime.engine_info#module:engines[].program), or null.
      type: str
      sample: wasmtime
    toml:
      description: The version of TOML that it reads, or null if it is not known.
      type: str
      sample: "1.0"
    dialect:
      description: The range of versions with the same rules for a config, or null if more than one is possible.
      type: str
      sample: 33-47
backup_file:
  description: The backup of the old file.
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

from typing import Any

from ansible_collections.wasmops.wasmtime.plugins.module_utils._start import all_imported, speed_up_imports

speed_up_imports()

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import DANGERS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.ansible_module import Module
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.provision import run

OPTION_TYPES = {"path": "path", "level": "int"}


def argument_spec() -> dict[str, Any]:
    """Return the options; those for settings come from the table of settings."""
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
        programs={"type": "list", "elements": "path"},
        create_directory={"type": "bool", "default": True},
        directory_mode={"type": "raw"},
        directory_owner={"type": "str"},
        directory_group={"type": "str"},
        force={"type": "bool", "default": False},
        ignore_dangers={"type": "list", "elements": "str", "default": [], "choices": list(DANGERS)},
        backup={"type": "bool", "default": False},
    )
    return spec


def main() -> None:
    run(Module(argument_spec=argument_spec(), add_file_common_args=True, supports_check_mode=True))


if __name__ == "__main__":
    all_imported()
    main()
