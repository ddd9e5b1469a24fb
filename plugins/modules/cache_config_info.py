#!/usr/bin/python
# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_config_info
short_description: Tell what Wasmtime will make of a cache config
version_added: 0.1.0
author: wasmops contributors (@wasmops)
description:
  - Reads the TOML file that configures Wasmtime's compilation cache, holds it against Wasmtime's own rules, and returns
    the effective settings and every problem, each with its line and with what would be right.
  - Changes nothing and creates nothing, whereas Wasmtime creates the cache directory when it validates a config.
  - An invalid file is a result and not a failure.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - wasmops.wasmtime._attributes
  - wasmops.wasmtime._attributes.action_group
  - wasmops.wasmtime._settings
options:
  content:
    description:
      - The text of a config to judge instead of a file, before it is deployed anywhere.
      - The cache directory it names is looked at on the host that the task runs on.
    type: str
  directory_owner:
    description:
      - The user for whom the cache is meant, if that is not the user that the task runs as.
      - A directory that belongs to this user is then taken as meant.
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
seealso:
  - module: wasmops.wasmtime.cache_config
  - name: Wasmtime's documentation of the settings
    description: The settings of C([cache]) and what they do.
    link: https://docs.wasmtime.dev/cli-cache.html
"""

EXAMPLES = r"""
- name: See what the user's Wasmtime works with
  wasmops.wasmtime.cache_config_info:
  register: cache

- name: Stop before an upgrade that the file would not survive
  wasmops.wasmtime.cache_config_info:
    path: /etc/wasmtime/config.toml
    wasmtime_version: "42.0.2"
  register: cache
  failed_when: not cache.valid

- name: Judge a file of the repository before any host sees it
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
  description: Whether there is such a file.
  returned: always
  type: bool
  sample: true
valid:
  description: Whether every Wasmtime whose rules were used takes the file. A missing file is taken at the default path and nowhere else.
  returned: always
  type: bool
  sample: false
safe:
  description: Whether nothing is known by which Wasmtime later crashes, loses data or runs the code of others.
  returned: always
  type: bool
  sample: true
problems:
  description: All that is wrong, in the order of the lines of the file; then what is wrong with the file and the directory.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: A short fixed name of the problem.
      type: str
      sample: invalid-value
    severity:
      description:
        - V(error) if Wasmtime refuses the file, V(danger) if it takes it and then crashes, loses data or runs
          the code of others, V(warning) if it works and is probably not meant.
      type: str
      sample: error
    setting:
      description: The key in C([cache]) that it is about, or null.
      type: str
      sample: cleanup-interval
    value:
      description: The value that it is about, or null.
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
      description: What would be right.
      type: str
      sample: write a whole number followed by s, m, h or d, like "1h"
settings:
  description: The settings that the file names, as it spells them.
  returned: always
  type: dict
  sample:
    cleanup_interval: 60m
effective:
  description:
    - All settings with the defaults filled in, in seconds, bytes, counts and percent; null where the value is invalid.
    - Empty if the file could not be read as TOML with a table C([cache]).
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
  description: The names of the settings in RV(effective) that the file does not name.
  returned: always
  type: list
  elements: str
  sample: [baseline_compression_level, optimized_compression_level]
accepted_by:
  description:
    - Every range of Wasmtime versions that takes the file.
    - Official builds of 39 to 48 read TOML 1.0; a program with one of these versions reads TOML 1.1 if it was built with
      toml_parser 1.0.6 or later. For a file that only the latter take, V(39-47 with TOML 1.1) and V(48 with TOML 1.1) stand
      for them.
  returned: always
  type: list
  elements: str
  sample: ["33-47", "48", ">=49"]
directory:
  description: The effective cache directory as it is now; null if it is not known.
  returned: always
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
  returned: always
  type: str
  sample: 42.0.2
"""

import os
from typing import Any

from ansible_collections.wasmops.wasmtime.plugins.module_utils._start import hasten, loaded

hasten()

from ansible_collections.wasmops.wasmtime.plugins.module_utils import _common
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config import DANGER, ERROR, Config, Problem
from ansible_collections.wasmops.wasmtime.plugins.module_utils._directory import problems as directory_problems
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import Unreadable, chooser, failure, find, read
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import problems as file_problems
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import Module
from ansible_collections.wasmops.wasmtime.plugins.module_utils._printable import printable
from ansible_collections.wasmops.wasmtime.plugins.module_utils._toml import Library


def gather(module: Module, path: str | None) -> dict[str, Any]:
    """The result of the module for this file, or for the content given. Raises Refused."""
    dialects, version = _common.dialects_for(module)
    place, exists, data, status, trouble = None, False, None, None, None
    if path is None:
        data = module.params["content"].encode("utf-8", "surrogateescape")
    else:
        try:
            place = find(path)
            found = read(place)
            exists = found is not None
            if found:
                data, status = found
            else:
                trouble = Problem("missing", ERROR, "there is no such file", "create it, or correct path")
        except Unreadable as error:
            trouble = error.problem
            exists = trouble.code != "dangling-link"
        if trouble is not None and not exists and module.params["path"] is None:
            # At its default path the engine does without a file, and takes a dangling link for none.
            trouble = None
    if trouble is None:
        config = _common.judge(data, dialects, _common.host(), Library())
    else:
        config = Config("", False)
        config.problems.append(trouble)
    user, owner = os.geteuid(), None
    if module.params["directory_owner"] is not None:
        from ansible_collections.wasmops.wasmtime.plugins.module_utils._owners import user_id

        owner = user_id(module.params["directory_owner"])
    problems = list(config.problems)
    if place is not None and status is not None:
        reader = user if owner is None else owner
        of_file = file_problems(place, status.st_mode, status.st_uid, status.st_gid, reader)
        problems += config.that_matter(of_file)
    state = _common.directory_of(config)
    if state is not None:
        chosen_by = chooser(place, status) if place is not None and config.names_directory else None
        names = [] if place is None or status is None else place.names()
        problems += config.that_matter(directory_problems(state, user, owner, None, chosen_by, names))
    problems = _common.spoken(problems)
    return dict(
        _common.describe(config, state, problems),
        path=path,
        exists=exists,
        valid=not _common.severe(problems, ERROR),
        safe=not _common.severe(problems, DANGER),
        defaults=[name for name in _common.options(config.effective) if name not in _common.options(config.settings)],
        accepted_by=config.accepted_by,
        wasmtime_version=version,
    )


def main() -> None:
    module = Module(
        argument_spec={
            "path": {"type": "path", "aliases": ["dest"]},
            "content": {"type": "str"},
            "wasmtime_version": {"type": "list", "elements": "str"},
            "directory_owner": {"type": "str"},
        },
        mutually_exclusive=[("path", "content")],
        supports_check_mode=True,
    )
    path = None
    try:
        if module.params["content"] is None:
            path = _common.config_path(module.params["path"])
        result = gather(module, path)
    except _common.Refused as error:
        module.fail_json(msg=str(error), **error.result)
    except OSError as error:
        module.fail_json(msg=printable(failure(path or "content", error)))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    loaded()
    main()
