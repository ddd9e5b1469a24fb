#!/usr/bin/python
# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_prune
short_description: Remove named kinds of files from Wasmtime's compilation cache
version_added: 0.2.0
author: wasmops contributors (@wasmops)
description:
  - Removes from the cache directory of a config what O(remove) and O(unused_for) name, and nothing else.
  - Processes that use the cache can go on meanwhile. Wasmtime compiles a module anew that is no longer in the cache.
  - In check mode, returns the same result and removes nothing.
  - Never follows a symbolic link, never leaves the directory, and never crosses a mount point in it. What has changed
    since it was judged stays and is listed in RV(kept).
  - Refuses directories of the system, homes, directories that contain a home or the config itself, and as root also a
    directory that a user may have put in the place of another one.
  - Each file is removed in one step. The cache is valid even if the module is killed.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - wasmops.wasmtime._attributes
  - wasmops.wasmtime._attributes.action_group
  - wasmops.wasmtime._settings
options:
  directory:
    description:
      - Prune this directory instead of the one that the config names. The limits are those of the config all the same.
    type: path
  remove:
    description:
      - What to remove. A cached module goes together with its statistics. What belongs to several kinds counts for
        the first of them in the order of this list, with O(unused_for) after V(orphans).
      - V(untrusted) removes what belongs to others than the owner of the cache directory and root, a directory with all
        that is in it, and those of Wasmtime's own files that others can write by their mode or ACL. In a directory that
        others can write, everything that Wasmtime uses goes. It does not matter whether others can get there now,
        because they may have been able to earlier.
      - V(orphans) removes the directories of compiler versions that no Wasmtime on this host uses. Wasmtimes are looked for
        in the usual places and in running processes, as M(wasmops.wasmtime.engine_info) does. If they cannot all be
        told, nothing is an orphan, and RV(notes) says why. O(keep) names directories that stay.
      - V(broken) removes cached modules that cannot be decompressed. What this user may not read stays.
      - V(stale_locks) removes locks, temporary files and statistics without a module that Wasmtime disregards.
      - V(foreign) removes everything that does not have the name of one of Wasmtime's own files. With O(backup) it is
        moved there. Only this and V(all) remove such files of the cache's owner.
      - V(over_limits) removes the cached modules that Wasmtime's next cleanup would delete, after all kinds before
        this one are gone.
      - V(all) removes everything else, so that the directory is empty.
    type: list
    elements: str
    choices: [untrusted, orphans, broken, stale_locks, foreign, over_limits, all]
  unused_for:
    description:
      - Remove cached modules that were last used before this time, such as V(30d). A whole number followed by s, m, h or d.
      - They are counted under C(unused) in RV(removed). At least one of this and O(remove) is required.
    type: str
  keep:
    description:
      - Names of directories of compiler versions, such as V(wasmtime-42.0.2), that are no orphans. Name those of Wasmtimes
        that are not on this host, for example because they run in containers that share the cache.
    type: list
    elements: str
    default: []
  backup:
    description:
      - Move what is foreign to a new directory in this one, instead of deleting it.
      - It must exist, on the same file system as the cache and outside of it, and nobody but this user and root may
        be able to write or swap it. Files with other names (hard links) stay where they are.
    type: path
  time_limit:
    description:
      - Time limit in seconds, V(1) to V(86400), for finding out what to remove. When it is reached, the module removes
        what is known by then. V(orphans) are looked for in at most half of this time.
    type: int
    default: 60
  memory_limit:
    description:
      - Memory limit of the whole process. Python and Ansible are part of it and take some 30 MiB.
        A whole number, alone or followed by K, Ki, M, Mi, G, Gi, T, Ti, P or Pi.
      - 100,000 modules take some 25 MiB. V(broken) takes 16 MiB more, and up to 64 MiB for highly compressed modules.
      - When it is reached, the module removes what is known by then.
    type: str
    default: 512Mi
requirements:
  - zstandard 0.18 or newer, for O(remove=broken) only
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Lists the first 100 of what is removed, of each kind.
  idempotent:
    support: full
  platform:
    platforms: posix
  safe_file_operations:
    support: N/A
    details: This module writes no files.
seealso:
  - module: wasmops.wasmtime.cache_usage_info
  - module: wasmops.wasmtime.engine_info
  - module: wasmops.wasmtime.cache_config
"""

EXAMPLES = r"""
- name: Remove what others may have planted, and what is broken
  wasmops.wasmtime.cache_prune:
    path: /etc/wasmtime/config.toml
    remove: [untrusted, broken]
  become: true

- name: Remove what earlier Wasmtimes have left, and modules that nobody has used for a month
  wasmops.wasmtime.cache_prune:
    remove: [orphans, stale_locks]
    unused_for: 30d

- name: See how much each kind would free
  wasmops.wasmtime.cache_prune:
    remove: [untrusted, orphans, broken, stale_locks, foreign, over_limits]
  check_mode: true
  register: prunable

- name: Move files that do not belong there out of the cache
  wasmops.wasmtime.cache_prune:
    directory: /var/cache/wasmtime
    remove: [foreign]
    backup: /var/backups
  become: true
"""

RETURN = r"""
path:
  description: The config file.
  returned: always
  type: str
  sample: /etc/wasmtime/config.toml
directory:
  description: The directory that was pruned, as the config, its default or O(directory) gives it.
  returned: always
  type: str
  sample: /var/cache/wasmtime
exists:
  description: Whether there is such a directory.
  returned: always
  type: bool
  sample: true
complete:
  description: Whether everything was judged. If not, what was not stays.
  returned: always
  type: bool
  sample: true
stopped_by:
  description:
    - V(time_limit) or V(memory_limit) if one of them has ended the search for what to remove.
    - Null if none has.
  returned: always
  type: str
  sample: null
unreadable:
  description:
    - Directories that could not be listed, or are nested more than 100 deep; the first 100.
    - RV(complete) is false if there are any.
  returned: always
  type: list
  elements: str
  sample: []
removed:
  description:
    - What was removed, or in check mode would be, by the kind that it counts for. The keys are the values of O(remove), and
      C(unused) with O(unused_for).
  returned: always
  type: dict
  sample:
    orphans:
      count: 121
      entries: 120
      size: 31463160
      size_on_disk: 32559104
      names: [modules/wasmtime-41.0.0/, modules/wasmtime-41.0.0/0l3SQ3hYFNZ0BUKxrYEV8Y1pLUnQh3ZvUzlBrOTMnA8]
      names_left_out: 119
    stale_locks:
      count: 0
      entries: 0
      size: 0
      size_on_disk: 0
      names: []
      names_left_out: 0
  contains:
    untrusted:
      description: What counts for this kind. Each kind that the task names has the same fields.
      returned: with this kind in O(remove)
      type: dict
      contains:
        count:
          description: How many cached modules, other files, links and directories. The statistics of a module are part of it.
          type: int
          sample: 121
        entries:
          description: How many of them are cached modules.
          type: int
          sample: 120
        size:
          description: The bytes of the files.
          type: int
          sample: 31463160
        size_on_disk:
          description: The bytes that this frees on disk. A file with other names (hard links) frees none before its last name goes.
          type: int
          sample: 32559104
        names:
          description: The first 100 of their paths below the directory; a directory ends with C(/) and comes first.
          type: list
          elements: str
          sample: [modules/wasmtime-41.0.0/]
        names_left_out:
          description: How many more there are.
          type: int
          sample: 21
kept:
  description:
    - What belongs to a kind to remove but stays, by the reason. The fields are those of RV(removed).
    - V(changed) was changed or used between judging and removing it.
    - V(denied) could not be removed, because the system does not let this user do so. The module fails if there is any.
    - V(foreign) is not Wasmtime's and keeps a directory from being removed, because V(foreign) is not in O(remove).
    - V(in_use) is a lock or temporary file in a directory of V(orphans) that has not expired, so that some Wasmtime may
      be using the directory.
    - V(mount_point) is another file system, or another part of one, mounted there.
    - V(other_names) is a foreign file with other names (hard links), which is not moved to O(backup).
  returned: always
  type: dict
  sample: {}
freed:
  description: The bytes that this frees on disk, of all kinds. Files that a process has open are freed when it closes them.
  returned: always
  type: int
  sample: 32559104
left:
  description: The cached modules that are left.
  returned: always
  type: dict
  contains:
    entries:
      description: How many there are, in Wasmtime's eyes.
      type: int
      sample: 120
    size:
      description: Their bytes.
      type: int
      sample: 31457280
  sample:
    entries: 120
    size: 31457280
backup_directory:
  description: The new directory in O(backup) with what was moved; null if nothing was, and in check mode.
  returned: always
  type: str
  sample: null
notes:
  description: What could not be judged, and why, and what will make the same things come again.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: A short fixed name of the reason.
      type: str
      sample: engines-unknown
    message:
      description: The reason, and what helps.
      type: str
      sample: "nothing is an orphan: the Wasmtime in /opt/app/bin/app does not tell the name of its directory"
  sample: []
wasmtime_version:
  description: The version whose rules were used, or several with commas; null for every version from 33 on.
  returned: always
  type: str
  sample: 42.0.2
"""

from ansible_collections.wasmops.wasmtime.plugins.module_utils._start import all_imported, speed_up_imports

speed_up_imports()

from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.ansible_module import Module
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.prune import run


def main() -> None:
    run(
        Module(
            argument_spec={
                "path": {"type": "path", "aliases": ["dest"]},
                "directory": {"type": "path"},
                "wasmtime_version": {"type": "list", "elements": "str"},
                "remove": {
                    "type": "list",
                    "elements": "str",
                    "choices": ["untrusted", "orphans", "broken", "stale_locks", "foreign", "over_limits", "all"],
                },
                "unused_for": {"type": "str"},
                "keep": {"type": "list", "elements": "str", "default": []},
                "backup": {"type": "path"},
                "time_limit": {"type": "int", "default": 60},
                "memory_limit": {"type": "str", "default": "512Mi"},
            },
            required_one_of=[("remove", "unused_for")],
            supports_check_mode=True,
            # Ansible would put the size of the config, and who owns it, among what is told of the cache.
            path_info=False,
        )
    )


if __name__ == "__main__":
    all_imported()
    main()
