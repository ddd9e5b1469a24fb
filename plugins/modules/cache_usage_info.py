#!/usr/bin/python
# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_usage_info
short_description: Examine Wasmtime's compilation cache
version_added: 0.1.0
author: wasmops contributors (@wasmops)
description:
  - Returns the contents of the cache directory of a config, how much of the limits is used, and the files that
    Wasmtime's next cleanup will delete, by Wasmtime's own rules.
  - Can also decompress every cached module to find broken ones, and recompress a sample of them to measure other
    compression levels.
  - Suggests other limits and levels where the measurements support them.
  - Changes nothing in the directory. Access times do not change either if the module runs as root or as the owner of the
    files.
  - Files may come, go and change while the module runs. It leaves out what it cannot examine within the limits of time
    and memory, and RV(complete) is then V(false).
  - Wasmtime follows symbolic links to directories on the first two levels of the cache directory, and deletes the files
    behind them. This module follows them to list these files, but never opens them, so usage counters and contents of
    such modules are not known. RV(links) names the links.
  - When it runs as root, it does not list a directory that a link or the config of another user leads to, unless that
    user may list it. RV(complete) is then V(false). Run the task as that user, or name the directory in O(directory).
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - wasmops.wasmtime._attributes
  - wasmops.wasmtime._attributes.action_group
  - wasmops.wasmtime._settings
options:
  directory:
    description:
      - Examine this directory instead of the one that the config names. The limits are still those of the config.
    type: path
  verify:
    description:
      - Whether to decompress every cached module, in pieces, and list those that are broken. Wasmtime compiles such a
        module again.
    type: bool
    default: false
  levels:
    description:
      - The zstd levels to measure, each V(0) to V(21) as in the config; V(0) is zstd's own default, which is 3.
      - A sample of at most 64 cached modules, 16 MiB in total, is recompressed in memory at each level. The sample is the
        same as long as the directory contains the same modules. It has no modules that cannot be decompressed.
    type: list
    elements: int
  time_limit:
    description:
      - Time limit in seconds, V(1) to V(86400). When it is reached, the module returns what it has found.
      - It applies to everything that the module does, whatever the directory contains. Only a file system that does not
        respond can delay the module further.
    type: int
    default: 60
  memory_limit:
    description:
      - Memory limit of the whole process. Python and Ansible are part of it and take some 30 MiB, so V(64Mi) is the
        smallest limit that leaves room for a cache.
        A whole number, alone or followed by K, Ki, M, Mi, G, Gi, T, Ti, P or Pi.
      - 100,000 modules take some 25 MiB. O(verify) takes 16 MiB more, and 2 MiB for modules compressed at level 3,
        32 MiB at level 20, 64 MiB at level 21. O(levels) takes up to 64 MiB more, and 82 MiB for level 19, 162 MiB for
        level 20, 322 MiB for level 21.
      - The module does not start a step that could exceed the limit, even if it might need less.
    type: str
    default: 512Mi
requirements:
  - zstandard 0.18 or newer, for O(verify) and O(levels) only
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
  - module: wasmops.wasmtime.cache_config_info
  - name: Wasmtime's documentation of the settings
    description: The settings of C([cache]) and what they do.
    link: https://docs.wasmtime.dev/cli-cache.html
"""

EXAMPLES = r"""
- name: Show how full the cache is, and what the next cleanup deletes
  wasmops.wasmtime.cache_usage_info:
    path: /etc/wasmtime/config.toml
  register: usage

- name: Fail if a cleanup would delete foreign files
  wasmops.wasmtime.cache_usage_info:
  register: usage
  failed_when: usage.foreign.count > 0

- name: Find broken modules, and measure other levels
  wasmops.wasmtime.cache_usage_info:
    path: /etc/wasmtime/config.toml
    verify: true
    levels: [1, 3, 9, 19]
    time_limit: 300
  register: usage

- name: Show the suggested limits and levels
  ansible.builtin.debug:
    msg: "{{ usage.suggested | items2dict(key_name='setting', value_name='value') }}"
"""

RETURN = r"""
path:
  description: The config file.
  returned: always
  type: str
  sample: /etc/wasmtime/config.toml
directory:
  description:
    - The examined directory, from O(directory), the config or the default.
    - Null if it is not known because Wasmtime refuses the config.
  returned: always
  type: str
  sample: /var/cache/wasmtime
exists:
  description: Whether the directory exists.
  returned: always
  type: bool
  sample: true
complete:
  description: Whether the whole directory was examined. If not, all figures cover only the examined part.
  returned: always
  type: bool
  sample: true
stopped_by:
  description:
    - V(time_limit) or V(memory_limit) if that limit stopped the search of the directory, RV(next_cleanup), O(verify) or
      O(levels).
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
entries:
  description: The number of cached modules, as Wasmtime counts them.
  returned: always
  type: int
  sample: 120
size:
  description: The bytes of all cached modules, as a cleanup counts them.
  returned: always
  type: int
  sample: 31457280
size_on_disk:
  description: The disk space that everything in the directory uses, in bytes.
  returned: always
  type: int
  sample: 32563200
limits:
  description: How much of the limits is used.
  returned: always
  type: dict
  contains:
    file_count_soft_limit:
      description: The number of cached modules.
      type: dict
      contains: &limit
        limit:
          description: The limit of the config; null if Wasmtime refuses the config.
          type: int
          sample: 65536
        used:
          description: The amount in use.
          type: int
          sample: 120
        percent:
          description: The amount in use, in percent of the limit; null if the limit is 0 or not known.
          type: float
          sample: 0.2
      sample:
        limit: 65536
        used: 120
        percent: 0.2
    files_total_size_soft_limit:
      description: The bytes of all cached modules.
      type: dict
      contains: *limit
      sample:
        limit: 536870912
        used: 31457280
        percent: 5.9
compilers:
  description: The directories of the compiler versions, largest first; at most 100.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name of the directory, or its path if it is not in C(modules).
      type: str
      sample: wasmtime-42.0.2
    entries:
      description: The number of cached modules in it.
      type: int
      sample: 120
    size:
      description: The bytes of these modules.
      type: int
      sample: 31457280
    size_on_disk:
      description: The disk space that everything in it uses, in bytes.
      type: int
      sample: 32559104
    oldest:
      description: When its oldest module was last used, in seconds since 1970; null if there is none.
      type: int
      sample: 1790000000
    newest:
      description: When its newest module was last used, in seconds since 1970; null if there is none.
      type: int
      sample: 1795000000
    usages:
      description: The sum of the usages of its modules.
      type: int
      sample: 5120
next_cleanup:
  description:
    - The effect of a cleanup of the directory in its present state. Wasmtime starts one when it adds a module, unless the
      last one was less than C(cleanup-interval) ago.
    - Null if RV(complete) is V(false), if there was not enough time or memory to sort the modules, if Wasmtime
      refuses the config, if the config disables the cache (up to Wasmtime 32), or if a cleanup would crash.
  returned: always
  type: dict
  contains:
    limit_exceeded:
      description: Whether a limit is exceeded, so that modules are deleted.
      type: bool
      sample: false
    entries_deleted:
      description: How many cached modules it deletes. The cleanup after that deletes their statistics.
      type: int
      sample: 0
    bytes_deleted:
      description: The bytes of these modules.
      type: int
      sample: 0
    entries_left:
      description: How many cached modules it keeps.
      type: int
      sample: 120
    bytes_left:
      description: The bytes of the modules that it keeps.
      type: int
      sample: 31457280
    foreign_deleted:
      description: How many files, links and directories it deletes that are not Wasmtime's.
      type: int
      sample: 1
    leftovers_deleted:
      description: How many of Wasmtime's own files it deletes that are not modules; locks left behind, and statistics without a module.
      type: int
      sample: 0
    blocked_until:
      description: The time until which locks prevent a cleanup, in seconds since 1970; null if there is no such lock.
      type: int
      sample: 1795003600
    deleted:
      description:
        - The first 100 paths that it deletes, relative to the directory. Modules come first, in Wasmtime's order, then
          everything else.
        - Wasmtime itself has no order among modules with the same time, or with times too far in the future.
      type: list
      elements: str
      sample: [modules/README]
oldest:
  description: The module whose last use is longest ago; null if there is none.
  returned: always
  type: dict
  contains: &end
    name:
      description: Its path, relative to the directory.
      type: str
      sample: modules/wasmtime-42.0.2/0l3SQ3hYFNZ0BUKxrYEV8Y1pLUnQh3ZvUzlBrOTMnA8
    time:
      description: The time of its statistics, or of the module if it has none, in seconds since 1970.
      type: int
      sample: 1790000000
  sample:
    name: modules/wasmtime-42.0.2/0l3SQ3hYFNZ0BUKxrYEV8Y1pLUnQh3ZvUzlBrOTMnA8
    time: 1790000000
newest:
  description: The most recently used module; null if there is none.
  returned: always
  type: dict
  contains: *end
  sample:
    name: modules/wasmtime-42.0.2/Zp1mJj0Yv2lB9hRTk0cX4sWq8nA7uEoGdI5fKyNtLxQ
    time: 1795000000
usages:
  description: How often the modules were used, from their statistics. Wasmtime counts the compilation as the first use.
  returned: always
  type: dict
  contains:
    total:
      description: The sum of all usages.
      type: int
      sample: 5120
    least:
      description: The usages of the least used module; null if there is none.
      type: int
      sample: 1
    most:
      description: The usages of the most used module; null if there is none.
      type: int
      sample: 256
    unknown:
      description: How many modules have no readable statistics.
      type: int
      sample: 0
recorded_levels:
  description: The number of modules at each compression level, from their statistics; V(other) for levels that no config can set.
  returned: always
  type: dict
  sample:
    "3": 118
    "20": 2
locks:
  description: The first 100 lock files, which show that Wasmtime cleans up or recompresses, or has done so.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its path, relative to the directory.
      type: str
      sample: .cleanup.wip-4711
    age:
      description: Its age in seconds; negative if its time is in the future.
      type: int
      sample: 1200
    stale:
      description:
        - Whether it has expired, so that Wasmtime ignores and deletes it.
        - Null if Wasmtime refuses the config, which sets the time after which a lock expires.
      type: bool
      sample: false
foreign:
  description:
    - Foreign files, links and directories, which Wasmtime deletes. These are all whose names are not those of Wasmtime's own
      files. Wasmtime treats files without an extension, two levels below the directory, as cached modules, and deletes them
      only when a limit is exceeded; each cleanup deletes all the rest.
  returned: always
  type: dict
  contains:
    count:
      description: The number of files, links and directories; for a directory that is deleted, including everything in it.
      type: int
      sample: 1
    size:
      description: The bytes of the files.
      type: int
      sample: 2048
    names:
      description: The first 100 of their paths, relative to the directory; a directory ends with C(/).
      type: list
      elements: str
      sample: [modules/README]
links:
  description: The first 100 symbolic links in the directory that Wasmtime follows; it deletes the files behind them.
  returned: always
  type: list
  elements: str
  sample: []
verified:
  description: The result of decompressing the modules; null without O(verify).
  returned: always
  type: dict
  contains:
    entries:
      description: How many modules were decompressed.
      type: int
      sample: 120
    broken:
      description: The first 100 modules that cannot be decompressed.
      type: list
      elements: dict
      contains:
        name:
          description: The path of the module, relative to the directory.
          type: str
          sample: modules/wasmtime-42.0.2/Zp1mJj0Yv2lB9hRTk0cX4sWq8nA7uEoGdI5fKyNtLxQ
        reason:
          description: What is wrong with it.
          type: str
          sample: the file ends too early
      sample: []
    broken_count:
      description: How many modules are broken.
      type: int
      sample: 0
    compressed:
      description: The bytes of the modules that are not broken.
      type: int
      sample: 31457280
    uncompressed:
      description: The bytes of their contents.
      type: int
      sample: 96468992
    ratio:
      description: How many times larger the contents are; null if there are none.
      type: float
      sample: 3.07
    complete:
      description: Whether every module was decompressed, apart from those behind symbolic links.
      type: bool
      sample: true
levels:
  description: The measurements of the sample at each of O(levels); null without O(levels).
  returned: always
  type: list
  elements: dict
  contains:
    level:
      description: The zstd level.
      type: int
      sample: 19
    ratio:
      description: How many times smaller the modules become; null if there was no sample, or not enough time or memory.
      type: float
      sample: 3.61
    compress_mb_per_s:
      description: Speed of compression on one processor, in millions of bytes per second; null if C(ratio) is null.
      type: float
      sample: 2.4
    decompress_mb_per_s:
      description: Speed of decompression on one processor, in millions of uncompressed bytes per second; null if C(ratio) is null.
      type: float
      sample: 611.3
sample:
  description: The modules that were measured for RV(levels); null if there were none.
  returned: always
  type: dict
  contains:
    entries:
      description: The number of modules.
      type: int
      sample: 64
    size:
      description: The bytes of their contents.
      type: int
      sample: 16777216
  sample:
    entries: 64
    size: 16777216
suggested:
  description:
    - Limits and levels that suit the measurements better than those of the config; empty if no measurement supports a
      change. None of them is refused or dangerous, neither alone nor together.
    - A higher limit is suggested if a cleanup leaves less than the modules that were used in the last 7 days, and if the
      file system has room for it; a lower size limit if the cache and the free space are less than the limit.
      Both require that RV(complete) is V(true).
    - A level is suggested if it and the level of the config are among O(levels), with a sample of 1 MiB or more. It is
      the fastest level that compresses within 3 percent of the best, at 50 MB/s or more for new modules and at 1 MB/s or
      more for those that are used often.
  returned: always
  type: list
  elements: dict
  contains:
    setting:
      description:
        - The setting, as an option of M(wasmops.wasmtime.cache_config). Its key in the file has C(-) instead of C(_); its
          variable of the role P(wasmops.wasmtime.wasmtime_cache#role) begins with C(wasmtime_cache_).
      type: str
      sample: files_total_size_soft_limit
    value:
      description: The value for the config; an integer for a level, otherwise a string.
      type: raw
      sample: 2Gi
    reason:
      description: The measurement that supports it.
      type: str
      sample: >-
        modules with 1.1 GiB were used in the last 7 days, and a cleanup leaves 70% of the limit 512Mi
wasmtime_version:
  description: The version whose rules were used, or several, separated by commas; null for every version from 33 on.
  returned: always
  type: str
  sample: 42.0.2
"""

from ansible_collections.wasmops.wasmtime.plugins.module_utils._start import all_imported, speed_up_imports

speed_up_imports()

from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.ansible_module import Module
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.usage_info import run


def main() -> None:
    run(
        Module(
            argument_spec={
                "path": {"type": "path", "aliases": ["dest"]},
                "directory": {"type": "path"},
                "wasmtime_version": {"type": "list", "elements": "str"},
                "verify": {"type": "bool", "default": False},
                "levels": {"type": "list", "elements": "int"},
                "time_limit": {"type": "int", "default": 60},
                "memory_limit": {"type": "str", "default": "512Mi"},
            },
            supports_check_mode=True,
            # Keeps the owner and the size of the config out of the result.
            path_info=False,
        )
    )


if __name__ == "__main__":
    all_imported()
    main()
