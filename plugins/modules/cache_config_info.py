#!/usr/bin/python
# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_config_info
short_description: Check a Wasmtime cache config and return its effective settings
version_added: 0.1.0
author: wasmops contributors (@wasmops)
description:
  - Reads the TOML file that configures Wasmtime's compilation cache, checks it by Wasmtime's own rules, and returns
    the effective settings and every problem, each with its line and a remedy.
  - Changes nothing and creates nothing, whereas Wasmtime creates the cache directory when it validates a config.
  - An invalid file does not make the module fail.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - wasmops.wasmtime._attributes
  - wasmops.wasmtime._attributes.action_group
  - wasmops.wasmtime._settings
  - wasmops.wasmtime._settings.programs
options:
  content:
    description:
      - The text of a config to check instead of a file, for example before it is deployed.
      - The module checks its cache directory on the host that the task runs on.
    type: str
  directory_owner:
    description:
      - The user that uses the cache, if it is not the user that the task runs as.
      - This user may own the cache directory.
    type: str
attributes:
  check_mode:
    support: full
    details: This module does not modify the target.
  diff_mode:
    support: N/A
    details: This module does not modify the target.
  idempotent:
    support: full
  platform:
    platforms: posix
  safe_file_operations:
    support: N/A
    details: This module does not modify the target.
seealso:
  - module: wasmops.wasmtime.cache_config
  - name: Wasmtime's documentation of the settings
    description: The settings of C([cache]) and what they do.
    link: https://docs.wasmtime.dev/cli-cache.html
"""

EXAMPLES = r"""
- name: Show the effective settings of the user's Wasmtime
  wasmops.wasmtime.cache_config_info:
  register: cache

- name: Fail if the next Wasmtime would refuse the file
  wasmops.wasmtime.cache_config_info:
    path: /etc/wasmtime/config.toml
    wasmtime_version: "42.0.2"
  register: cache
  failed_when: not cache.valid

- name: Fail if one of the programs that read the file would refuse it
  wasmops.wasmtime.cache_config_info:
    path: /etc/wasmtime/config.toml
    programs: [/usr/local/bin/wasmtime, /opt/app/lib/libextism.so]
  register: cache
  failed_when: cache.programs | rejectattr('accepts') | list | length > 0

- name: Check a file in the repository before it is deployed
  wasmops.wasmtime.cache_config_info:
    content: "{{ lookup('ansible.builtin.file', 'config.toml') }}"
  delegate_to: localhost
  register: cache
"""

RETURN = r"""
path:
  description: The config file; null if O(content) was given.
  returned: always
  type: str
  sample: /home/ci/.config/wasmtime/config.toml
exists:
  description: Whether the file exists.
  returned: always
  type: bool
  sample: true
valid:
  description: Whether every Wasmtime whose rules were used accepts the file. A missing file is accepted only at the default path.
  returned: always
  type: bool
  sample: false
safe:
  description: Whether no danger is known that later makes Wasmtime crash, lose data or run code of other users.
  returned: always
  type: bool
  sample: true
problems:
  description: The problems in the text, in the order of its lines, then those of the file and of the cache directory.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: The fixed code of the problem.
      type: str
      sample: invalid-value
    severity:
      description:
        - V(error) if Wasmtime refuses the file; V(danger) if it accepts the file and later crashes, loses data or runs
          code of other users; V(warning) if the file works, but is probably a mistake.
      type: str
      sample: error
    setting:
      description: The key in C([cache]) that has the problem, or null.
      type: str
      sample: cleanup-interval
    value:
      description: The value that has the problem, or null.
      type: str
      sample: "60"
    line:
      description: The line in the file, from 1, or null.
      type: int
      sample: 3
    column:
      description: The column in characters, from 1, or null.
      type: int
      sample: 20
    message:
      description: What is wrong.
      type: str
      sample: cleanup-interval = "60" has no unit
    remedy:
      description: What to do about it.
      type: str
      sample: write "60s" or "1m"
settings:
  description: The settings in the file, as it spells them.
  returned: always
  type: dict
  sample:
    cleanup_interval: 60m
effective:
  description:
    - All settings, including defaults, in seconds, bytes, counts and percent; null where the value is invalid.
    - Empty if the file is not valid TOML with a table C([cache]).
  returned: always
  type: dict
  sample:
    directory: /home/ci/.cache/wasmtime
    worker_event_queue_size: 16
    baseline_compression_level: 3
    optimized_compression_level: 20
    optimized_compression_usage_counter_threshold: 256
    cleanup_interval: 3600
    optimizing_compression_task_timeout: 1800
    allowed_clock_drift_for_files_from_future: 86400
    file_count_soft_limit: 65536
    files_total_size_soft_limit: 536870912
    file_count_limit_percent_if_deleting: 70
    files_total_size_limit_percent_if_deleting: 70
defaults:
  description: The names of the settings that have their default in RV(effective) because the file does not set them.
  returned: always
  type: list
  elements: str
  sample: [baseline_compression_level, optimized_compression_level]
accepted_by:
  description:
    - The ranges of Wasmtime versions that accept the file.
    - Official builds of 39 to 48 read TOML 1.0; a program with one of these versions reads TOML 1.1 if it was built with
      toml_parser 1.0.6 or later. If only programs that read TOML 1.1 accept the file, V(39-47 with TOML 1.1) and
      V(48 with TOML 1.1) are listed.
  returned: always
  type: list
  elements: str
  sample: ["33-47", "48", ">=49"]
directory:
  description: The effective cache directory; null if it is not known.
  returned: always
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
  returned: always
  type: str
  sample: 42.0.2
programs:
  description: The first 100 programs that read the file, from O(programs) and from the search of V(auto).
  returned: always
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
    accepts:
      description: Whether it accepts the file.
      type: bool
      sample: true
"""

from ansible_collections.wasmops.wasmtime.plugins.module_utils._start import all_imported, speed_up_imports

speed_up_imports()

from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.ansible_module import Module
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.config_info import run


def main() -> None:
    run(
        Module(
            argument_spec={
                "path": {"type": "path", "aliases": ["dest"]},
                "content": {"type": "str"},
                "wasmtime_version": {"type": "list", "elements": "str"},
                "programs": {"type": "list", "elements": "path"},
                "directory_owner": {"type": "str"},
            },
            mutually_exclusive=[("path", "content")],
            supports_check_mode=True,
        )
    )


if __name__ == "__main__":
    all_imported()
    main()
