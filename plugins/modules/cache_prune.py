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
  - Removes the files that O(remove) and O(unused_for) select from the cache directory of a config, and no others.
  - Processes can use the cache at the same time. If they need a removed module, Wasmtime compiles it again.
  - In check mode, returns the same result and removes nothing.
  - Never follows a symbolic link, never leaves the directory, and never crosses a mount point in it. Keeps everything
    that has changed since it was selected, and lists it in RV(kept).
  - Refuses system directories, home directories, and directories that contain a home directory or the config itself. When
    it runs as root, it also refuses a directory that another user may have replaced.
  - If another user can write to the config, root prunes only a directory of that user by it; if several can, none. Name the
    directory in O(directory) then. V(stale_locks) and V(over_limits) depend on the config, and root refuses them unless the
    directory belongs to the only user who can write to it.
  - Each file is removed in one step. The cache stays valid even if the module is killed.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - wasmops.wasmtime._attributes
  - wasmops.wasmtime._attributes.action_group
  - wasmops.wasmtime._settings
options:
  directory:
    description:
      - Prune this directory instead of the one that the config names. The limits are still those of the config.
    type: path
  remove:
    description:
      - The kinds of files to remove. A cached module is removed together with its statistics. Something that belongs to
        several kinds counts for the first of them in the order of this list, with O(unused_for) after V(orphans).
      - V(untrusted) removes files and whole directories of users other than the owner of the cache directory and root, and
        those of Wasmtime's own files that other users can write to by mode or ACL. In a directory that other users can
        write to, it removes everything that Wasmtime uses. It does not consider whether other users can reach the files
        now, because they may have been able to earlier.
      - V(orphans) removes the directories of compiler versions that no Wasmtime on this host uses. It searches for
        Wasmtimes in the usual places and in running processes, as M(wasmops.wasmtime.engine_info) does. If it cannot
        identify them all, nothing is an orphan, and RV(notes) says why. O(keep) names directories to keep.
      - V(broken) removes cached modules that cannot be decompressed. Modules that this user may not read are kept.
      - V(stale_locks) removes locks, temporary files and statistics without a module that Wasmtime ignores.
      - V(foreign) removes everything that does not have the name of one of Wasmtime's own files, or moves it to O(backup).
        Only this and V(all) remove such files of the cache's owner.
      - V(over_limits) removes the cached modules that Wasmtime's next cleanup would delete once the kinds above are gone.
      - V(all) removes everything else, so that the directory is empty.
    type: list
    elements: str
    choices: [untrusted, orphans, broken, stale_locks, foreign, over_limits, all]
  unused_for:
    description:
      - Remove cached modules that were last used before this time, such as V(30d). A whole number followed by s, m, h or d.
      - They count as C(unused) in RV(removed). At least one of this and O(remove) is required.
    type: str
  keep:
    description:
      - Names of directories of compiler versions, such as V(wasmtime-42.0.2), that are not orphans. Name the directories of
        Wasmtimes that are not on this host, for example those in containers that share the cache.
    type: list
    elements: str
    default: []
  backup:
    description:
      - Move foreign files and directories to a new directory in this one, instead of deleting them.
      - It must exist, on the same file system as the cache and outside of it, and only this user and root may
        be able to write to it or replace it. Files with other names (hard links) are kept in the cache.
    type: path
  time_limit:
    description:
      - Time limit in seconds, V(1) to V(86400), for the search. When it is reached, the module removes what it has found.
        The search for V(orphans) takes at most half of this time.
    type: int
    default: 60
  memory_limit:
    description:
      - Memory limit of the whole process. Python and Ansible are part of it and take some 30 MiB.
        A whole number, alone or followed by K, Ki, M, Mi, G, Gi, T, Ti, P or Pi.
      - 100,000 modules take some 25 MiB. V(broken) takes 16 MiB more, and up to 64 MiB for highly compressed modules.
      - When it is reached, the module removes what it has found.
    type: str
    default: 512Mi
requirements:
  - zstandard 0.18 or newer, for O(remove=broken) only
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Lists the first 100 removed paths of each kind.
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
- name: Remove untrusted and broken modules
  wasmops.wasmtime.cache_prune:
    path: /etc/wasmtime/config.toml
    remove: [untrusted, broken]
  become: true

- name: Remove the modules of earlier Wasmtimes, and modules that were not used for a month
  wasmops.wasmtime.cache_prune:
    remove: [orphans, stale_locks]
    unused_for: 30d

- name: Show how much each kind would free
  wasmops.wasmtime.cache_prune:
    remove: [untrusted, orphans, broken, stale_locks, foreign, over_limits]
  check_mode: true
  register: prunable

- name: Move foreign files out of the cache
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
  description: The pruned directory, from O(directory), the config or the default.
  returned: always
  type: str
  sample: /var/cache/wasmtime
exists:
  description: Whether the directory exists.
  returned: always
  type: bool
  sample: true
complete:
  description: Whether everything in the directory was examined. The rest is kept.
  returned: always
  type: bool
  sample: true
stopped_by:
  description:
    - V(time_limit) or V(memory_limit) if that limit ended the search.
    - Null if none did.
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
    - What was removed, or would be in check mode, by kind. The keys are the values of O(remove), and
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
      description: What was removed of this kind. Each kind that the task names has the same fields.
      returned: with this kind in O(remove)
      type: dict
      contains:
        count:
          description: The number of cached modules, other files, links and directories. A module and its statistics count as one.
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
          description: The disk space that this frees, in bytes. A file with other names (hard links) frees none until its last name is removed.
          type: int
          sample: 32559104
        names:
          description: The first 100 of their paths, relative to the directory; directories come first and end with C(/).
          type: list
          elements: str
          sample: [modules/wasmtime-41.0.0/]
        names_left_out:
          description: How many more paths there are.
          type: int
          sample: 21
kept:
  description:
    - What belongs to a kind to remove but was kept, by reason. The fields are those of RV(removed).
    - V(changed) was changed or used between the search and the removal.
    - V(denied) could not be removed because this user lacks the permission. The module fails if there is any.
    - V(foreign) is not Wasmtime's and prevents the removal of its directory, because V(foreign) is not in O(remove).
    - V(in_use) is a lock or temporary file in a directory of V(orphans) that has not expired, so that a Wasmtime may
      be using the directory.
    - V(mount_point) is a mount point.
    - V(other_names) is a foreign file with other names (hard links), which is not moved to O(backup).
  returned: always
  type: dict
  sample: {}
freed:
  description: The disk space that all kinds free, in bytes. The space of a file that a process has open is freed when it is closed.
  returned: always
  type: int
  sample: 32559104
left:
  description: The remaining cached modules.
  returned: always
  type: dict
  contains:
    entries:
      description: Their number, as Wasmtime counts them.
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
  description: The new directory in O(backup); null if nothing was moved, and in check mode.
  returned: always
  type: str
  sample: null
notes:
  description: What could not be examined, and why, and why removed files may come back.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: The fixed code of the reason.
      type: str
      sample: engines-unknown
    message:
      description: The reason, and what to do about it.
      type: str
      sample: >-
        nothing is an orphan, because the Wasmtimes of this host cannot all be told: a program has a Wasmtime that does not tell
        its version ("/opt/app/bin/app")
  sample: []
wasmtime_version:
  description: The version whose rules were used, or several, separated by commas; null for every version from 33 on.
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
            # Keeps the owner and the size of the config out of the result.
            path_info=False,
        )
    )


if __name__ == "__main__":
    all_imported()
    main()
