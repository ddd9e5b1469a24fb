# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections!

from __future__ import annotations


class ModuleDocFragment:
    # The config file and the versions whose rules apply to it.
    DOCUMENTATION = r"""
options:
  path:
    description:
      - The absolute path of the config file.
      - Without it, the file that Wasmtime itself looks for when it runs as the user of the task,
        such as C(~/.config/wasmtime/config.toml) on Linux.
    type: path
    aliases: [dest]
  wasmtime_version:
    description:
      - The version of the Wasmtime that reads the file, such as V(42.0.2), V(v42.0.2) or V(42), or a list of versions. The
        rules differ between versions; for example, C(enabled) is mandatory up to 32 and refused from 33 on.
      - From 39 to 48 the version of TOML depends on how a program was built; the file must be valid TOML 1.0, which all accept.
      - V(auto) stands for every Wasmtime that reads a config and is in the places that M(wasmops.wasmtime.engine_info)
        searches by default. Their files are read, which takes seconds, and never executed.
      - Without it, the file must suit every Wasmtime from 33 on.
    type: list
    elements: str
requirements:
  - tomli on Python 3.10 and older (Python 3.11 and newer include C(tomllib)); tomli 2.4 or newer for the syntax of TOML 1.1
  - platformdirs, unless both the path of the file and the cache directory are given
"""

    # The programs that read the config.
    PROGRAMS = r"""
options:
  programs:
    description:
      - The absolute paths of the programs and shared libraries that read the file, 100 at most. The file must suit the
        Wasmtime in each of them, and the versions in O(wasmtime_version) if it is set.
      - They are read and not executed, as M(wasmops.wasmtime.engine_info) does. A program that is missing, cannot be read,
        or has no Wasmtime that reads a config, is an error.
      - For a script, name the program that it starts; for a program that loads Wasmtime from a library, such as Python,
        name the library.
    type: list
    elements: path
"""

    # The settings of [cache]; generated from the table of settings: make generate.
    SETTINGS = r"""
options:
  directory:
    description:
      - The cache directory, an absolute path. Whoever can write there runs native code in every process
        that loads the cache, and Wasmtime deletes every file there that it does not know.
      - In the file, Wasmtime expands neither C(~) nor variables; in this option they are expanded on the
        host before they are written.
      - "Wasmtime's default: C(~/.cache/wasmtime) on Linux."
    type: path
  worker_event_queue_size:
    description:
      - The number of events that the cache worker can queue; further events are dropped. A whole number,
        alone or followed by K, M, G, T or P.
      - "Wasmtime's default: V(16)."
    type: raw
  baseline_compression_level:
    description:
      - The zstd level of new cache files. From V(0) to V(21).
      - "Wasmtime's default: V(3)."
    type: int
  optimized_compression_level:
    description:
      - The zstd level of cache files that are used often. From V(0) to V(21), not below the baseline level.
      - "Wasmtime's default: V(20)."
    type: int
  optimized_compression_usage_counter_threshold:
    description:
      - The number of uses after which a cache file is compressed again. A whole number, alone or followed
        by K, M, G, T or P.
      - "Wasmtime's default: V(256)."
    type: raw
  cleanup_interval:
    description:
      - The time between two cleanups. A whole number followed by s, m, h or d.
      - "Wasmtime's default: V(1h)."
    type: raw
  optimizing_compression_task_timeout:
    description:
      - How long one worker's recompression of a file prevents other workers from recompressing it. A whole
        number followed by s, m, h or d.
      - "Wasmtime's default: V(30m)."
    type: raw
  allowed_clock_drift_for_files_from_future:
    description:
      - How far in the future the time of a lock may be before Wasmtime ignores the lock. A whole number
        followed by s, m, h or d.
      - "Wasmtime's default: V(1d)."
    type: raw
  file_count_soft_limit:
    description:
      - The number of cache files above which a cleanup deletes some. A whole number, alone or followed by
        K, M, G, T or P.
      - "Wasmtime's default: V(65536)."
    type: raw
  files_total_size_soft_limit:
    description:
      - The size of all cache files above which a cleanup deletes some. A whole number of bytes, alone or
        followed by K, Ki, M, Mi, G, Gi, T, Ti, P or Pi.
      - "Wasmtime's default: V(512Mi)."
    type: raw
  file_count_limit_percent_if_deleting:
    description:
      - The share of O(file_count_soft_limit) that a cleanup leaves. A whole number from 0 to 100, alone or
        followed by %.
      - "Wasmtime's default: V(70%)."
    type: raw
  files_total_size_limit_percent_if_deleting:
    description:
      - The share of O(files_total_size_soft_limit) that a cleanup leaves. A whole number from 0 to 100,
        alone or followed by %.
      - "Wasmtime's default: V(70%)."
    type: raw
"""
