#!/usr/bin/python
# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_usage_info
short_description: Tell what is in Wasmtime's compilation cache
version_added: 0.1.0
author: wasmops contributors (@wasmops)
description:
  - Looks at the cache directory of a config and returns what is in it, how much of the limits is used, and what
    Wasmtime's next cleanup will delete, by Wasmtime's own rules.
  - Can also decompress every cached module to find broken ones, and measure on the host what other compression levels
    would make of its own modules.
  - Suggests other limits and levels where what was measured speaks for them.
  - Changes nothing in the directory. Times of access do not change either where the system allows it, which is for
    root and for the owner of the files.
  - What comes, goes or changes while it looks is normal. What cannot be looked at in the time and the memory allowed
    is left out, and RV(complete) tells so.
  - Wasmtime follows symbolic links to directories on the first two levels of the cache directory, and deletes what is
    behind them. This module follows them too, to list what is there, but never opens a file there, so usage counters
    and contents of such modules are not known. RV(links) names them.
  - As root, it does not list what a user who may not list it leads it to, by a link or in the config. RV(complete) is then
    false. Becoming that user helps, or naming the directory in O(directory).
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - wasmops.wasmtime._attributes
  - wasmops.wasmtime._attributes.action_group
  - wasmops.wasmtime._settings
options:
  directory:
    description:
      - Look at this directory instead of the one that the config names. The limits are those of the config all the same.
    type: path
  verify:
    description:
      - Decompress every cached module, in pieces, and name those that are broken. Wasmtime compiles such a module again.
    type: bool
    default: false
  levels:
    description:
      - The zstd levels to measure, each V(0) to V(21) as in the config; V(0) is zstd's own default, which is 3.
      - A sample of at most 64 cached modules, 16 MiB together, is recompressed in memory at each level. It is the same
        sample as long as the directory holds the same modules. Modules that cannot be decompressed are not in it.
    type: list
    elements: int
  time_limit:
    description:
      - Time limit in seconds, V(1) to V(86400). When it is reached, the module returns what it knows by then.
      - It covers everything that the module does, whatever the directory contains. Only a file system that does not
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
      - What could exceed the limit is not begun, even if it might have needed less.
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
- name: See how full the cache is, and what the next cleanup deletes
  wasmops.wasmtime.cache_usage_info:
    path: /etc/wasmtime/config.toml
  register: usage

- name: Stop if a cleanup would delete what is not Wasmtime's
  wasmops.wasmtime.cache_usage_info:
  register: usage
  failed_when: usage.foreign.count > 0

- name: Find broken modules, and measure what other levels would bring
  wasmops.wasmtime.cache_usage_info:
    path: /etc/wasmtime/config.toml
    verify: true
    levels: [1, 3, 9, 19]
    time_limit: 300
  register: usage

- name: Show the limits and levels that it suggests
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
    - The directory that was looked at, as the config, its default or O(directory) gives it.
    - Null if none is known, because Wasmtime refuses the config.
  returned: always
  type: str
  sample: /var/cache/wasmtime
exists:
  description: Whether there is such a directory.
  returned: always
  type: bool
  sample: true
complete:
  description: Whether all of the directory was seen. If not, all figures are those of what was seen.
  returned: always
  type: bool
  sample: true
stopped_by:
  description:
    - V(time_limit) or V(memory_limit) if one of them has stopped the look at the directory, RV(next_cleanup), O(verify) or
      O(levels).
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
entries:
  description: How many cached modules there are, in Wasmtime's eyes.
  returned: always
  type: int
  sample: 120
size:
  description: The bytes of all cached modules together, which is what a cleanup counts.
  returned: always
  type: int
  sample: 31457280
size_on_disk:
  description: The bytes of everything in the directory, in blocks as they are used on disk.
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
          description: What there is.
          type: int
          sample: 120
        percent:
          description: What there is, in percent of the limit; null if the limit is 0 or not known.
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
  description: The directories of the compiler versions, the one with the most bytes first; at most 100.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The name of the directory, with its path where it is not in C(modules).
      type: str
      sample: wasmtime-42.0.2
    entries:
      description: How many cached modules it holds.
      type: int
      sample: 120
    size:
      description: The bytes of these modules.
      type: int
      sample: 31457280
    size_on_disk:
      description: The bytes of everything in it, in blocks as they are used on disk.
      type: int
      sample: 32559104
    oldest:
      description: When its oldest module was used last, in seconds since 1970; null if there is none.
      type: int
      sample: 1790000000
    newest:
      description: When its newest module was used last, in seconds since 1970; null if there is none.
      type: int
      sample: 1795000000
    usages:
      description: The usages of its modules, all together.
      type: int
      sample: 5120
next_cleanup:
  description:
    - What a cleanup would make of the directory as it is. Wasmtime starts one when it adds a module, unless an earlier
      one is less than C(cleanup-interval) ago.
    - Null if the look is not complete, if there was not enough time or memory to put the modules in order, if Wasmtime
      refuses the config, if the config switches the cache off (up to Wasmtime 32), or if a cleanup would crash.
  returned: always
  type: dict
  contains:
    limit_exceeded:
      description: Whether a limit is exceeded, so that modules are deleted.
      type: bool
      sample: false
    entries_deleted:
      description: How many cached modules it deletes. The statistics of each go with the cleanup after that.
      type: int
      sample: 0
    bytes_deleted:
      description: The bytes of these modules.
      type: int
      sample: 0
    entries_left:
      description: How many cached modules are left.
      type: int
      sample: 120
    bytes_left:
      description: The bytes of the modules that are left.
      type: int
      sample: 31457280
    foreign_deleted:
      description: How many files, links and directories it deletes that are not Wasmtime's.
      type: int
      sample: 1
    leftovers_deleted:
      description: How many of Wasmtime's own files it deletes that are no modules; locks left behind, and statistics without a module.
      type: int
      sample: 0
    blocked_until:
      description: The time before which locks there let no cleanup start, in seconds since 1970; null if there is no such lock.
      type: int
      sample: 1795003600
    deleted:
      description:
        - The first 100 paths that it deletes, below the directory. Modules come first, in Wasmtime's order, then
          what is no module.
        - Among modules with the same time, or with times too far in the future, Wasmtime itself has no order.
      type: list
      elements: str
      sample: [modules/README]
oldest:
  description: The module that was used longest ago; null if there is none.
  returned: always
  type: dict
  contains: &end
    name:
      description: Its path below the directory.
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
  description: The module that was used last; null if there is none.
  returned: always
  type: dict
  contains: *end
  sample:
    name: modules/wasmtime-42.0.2/Zp1mJj0Yv2lB9hRTk0cX4sWq8nA7uEoGdI5fKyNtLxQ
    time: 1795000000
usages:
  description: How often the modules were used, by their statistics. Wasmtime counts the compilation as the first time.
  returned: always
  type: dict
  contains:
    total:
      description: All usages together.
      type: int
      sample: 5120
    least:
      description: Those of the module that was used least; null if there is none.
      type: int
      sample: 1
    most:
      description: Those of the module that was used most; null if there is none.
      type: int
      sample: 256
    unknown:
      description: How many modules have no statistics that could be read.
      type: int
      sample: 0
recorded_levels:
  description: How many modules are compressed at which level, by their statistics; V(other) for levels that no config can set.
  returned: always
  type: dict
  sample:
    "3": 118
    "20": 2
locks:
  description: The files by which Wasmtime tells that it cleans up or recompresses, or has done so; the first 100.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its path below the directory.
      type: str
      sample: .cleanup.wip-4711
    age:
      description: Its age in seconds, negative if it is from the future.
      type: int
      sample: 1200
    stale:
      description:
        - Whether it has expired, so that Wasmtime disregards and deletes it.
        - Null if Wasmtime refuses the config, and with it the time after which that is.
      type: bool
      sample: false
foreign:
  description:
    - What is not Wasmtime's, but is or will be deleted by it. That is all that does not have the name of one of its own
      files. Wasmtime takes files without an extension, two levels below the directory, for cached modules, which go
      only when a limit is exceeded; each cleanup deletes all the rest.
  returned: always
  type: dict
  contains:
    count:
      description: How many files, links and directories; a directory that is deleted counts with all that is in it.
      type: int
      sample: 1
    size:
      description: The bytes of the files.
      type: int
      sample: 2048
    names:
      description: The first 100 of their paths below the directory; a directory ends with C(/).
      type: list
      elements: str
      sample: [modules/README]
links:
  description: Symbolic links in the directory that Wasmtime follows to delete what is behind them; the first 100.
  returned: always
  type: list
  elements: str
  sample: []
verified:
  description: What decompressing the modules has shown; null without O(verify).
  returned: always
  type: dict
  contains:
    entries:
      description: How many modules were decompressed.
      type: int
      sample: 120
    broken:
      description: The first 100 of which that failed.
      type: list
      elements: dict
      contains:
        name:
          description: The path of the module below the directory.
          type: str
          sample: modules/wasmtime-42.0.2/Zp1mJj0Yv2lB9hRTk0cX4sWq8nA7uEoGdI5fKyNtLxQ
        reason:
          description: What is wrong with it.
          type: str
          sample: the file ends too early
      sample: []
    broken_count:
      description: How many are broken.
      type: int
      sample: 0
    compressed:
      description: The bytes of those that are not broken.
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
      description: Whether it was done for every module. Those behind symbolic links are left out.
      type: bool
      sample: true
levels:
  description: What each of O(levels) would make of the sample; null without O(levels).
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
      description: Millions of bytes compressed per second on one processor; null as the ratio.
      type: float
      sample: 2.4
    decompress_mb_per_s:
      description: Millions of bytes decompressed, counted in their full size, per second on one processor; null as the ratio.
      type: float
      sample: 611.3
sample:
  description: The modules that RV(levels) were measured with; null if there were none.
  returned: always
  type: dict
  contains:
    entries:
      description: How many modules.
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
    - Other limits and levels that suit what was measured better than those of the config; empty where nothing that was
      measured speaks for a change. None of them is refused or dangerous, neither alone nor with the others.
    - A higher limit is suggested if what a cleanup leaves has less room than the modules that were used in the last 7 days,
      and if the file system has room for it; a lower size limit if the cache and the free space are less than the limit.
      Both take the whole directory, so RV(complete) has to be true.
    - A level is suggested if O(levels) has measured it and the level of the config, with a sample of 1 MiB or more. It is the
      fastest of those that compress within 3 percent of the best, at 50 MB/s or more for new modules and at 1 MB/s or more
      for those that are used often.
  returned: always
  type: list
  elements: dict
  contains:
    setting:
      description:
        - The setting, as an option of M(wasmops.wasmtime.cache_config). Its key in the file has C(-) instead of C(_), its
          variable of the role P(wasmops.wasmtime.wasmtime_cache#role) begins with C(wasmtime_cache_).
      type: str
      sample: files_total_size_soft_limit
    value:
      description: What to write in the config; levels are integers, all else is text.
      type: raw
      sample: 2Gi
    reason:
      description: What was measured.
      type: str
      sample: >-
        modules with 1.1 GiB were used in the last 7 days, and a cleanup leaves 70% of the limit 512Mi
wasmtime_version:
  description: The version whose rules were used, or several with commas; null for every version from 33 on.
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
            # Ansible would put the size of the config, and who owns it, among what is told of the cache.
            path_info=False,
        )
    )


if __name__ == "__main__":
    all_imported()
    main()
