#!/usr/bin/python
# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: engine_info
short_description: Find every Wasmtime on a host, and check a cache config for each
version_added: 0.2.0
author: wasmops contributors (@wasmops)
description:
  - Finds the Wasmtimes in programs and shared libraries, in given or usual places and in running processes. Returns
    the version of each, whether it can read a cache config, which rules apply to that config, and which config its
    processes were started with.
  - Reads the files and executes none. It knows executables and libraries in the formats ELF, PE and Mach-O.
  - The contents of a file can be forged. The result helps to choose settings, but does not prove what a file is.
  - Of the arguments and the environment of a process it only uses the options that name a cache config, and the variables
    E(EXTISM_CACHE_CONFIG), E(WASMTIME_CACHE_FILE), E(DISABLE_WASMTIME_CACHE), E(XDG_CONFIG_HOME) and E(HOME). It returns
    only the config paths that follow from them.
  - It cannot examine scripts, archives and packed files, and cannot know which library a program will load later.
    RV(notes) lists such files, and those that it had no permission or no time to read.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - wasmops.wasmtime._attributes
options:
  paths:
    description:
      - Absolute paths of programs and libraries, and of directories to search.
      - "Without it, the directories of E(PATH) and of a login shell's E(PATH), C($WASMTIME_HOME/bin), C(~/.wasmtime/bin),
        C(~/.cargo/bin), C(~/.local/bin), C(~/.local/lib), C(~/bin), C(/usr/local/bin), C(/usr/local/lib) and C(/opt), for the
        user that the task runs as."
    type: list
    elements: path
  running:
    description:
      - Whether to examine the files that running processes have mapped, including libraries. Needs Linux; only root can
        examine the processes of other users.
    type: bool
    default: true
  path:
    description:
      - The absolute path of a cache config to check by the rules of each Wasmtime that is found.
    type: path
  depth:
    description:
      - How many levels of directories to search below those of O(paths), V(0) to V(100). Symbolic links to directories are
        not followed.
    type: int
    default: 8
  size_limit:
    description:
      - Larger files are not examined. A whole number of bytes, alone or followed by K, Ki, M, Mi, G, Gi, T, Ti, P or Pi.
    type: str
    default: 1Gi
  time_limit:
    description:
      - Time limit in seconds, V(1) to V(86400). When it is reached, the module returns what it has found.
    type: int
    default: 60
requirements:
  - tomli on Python 3.10 and older, for O(path) only; tomli 2.4 or newer for the syntax of TOML 1.1
  - platformdirs, for O(path) only, unless the config names the cache directory
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
  - module: wasmops.wasmtime.cache_config_info
  - module: wasmops.wasmtime.cache_config
"""

EXAMPLES = r"""
- name: Find every Wasmtime on the host
  wasmops.wasmtime.engine_info:
  become: true
  register: engines

- name: Fail if a program on the host would refuse a config
  wasmops.wasmtime.engine_info:
    path: /etc/wasmtime/config.toml
  become: true
  register: engines
  failed_when: engines.engines | selectattr('reads_config') | rejectattr('accepts') | list | length > 0

- name: Show which Wasmtime one program contains
  wasmops.wasmtime.engine_info:
    paths: [/opt/app/bin/app]
    running: false
  register: engines
"""

RETURN = r"""
engines:
  description: Every file that contains a Wasmtime, sorted by path.
  returned: always
  type: list
  elements: dict
  contains:
    path:
      description: The path of the file. For a file that a process has mapped, the path in the process's file system.
      type: str
      sample: /usr/local/bin/wasmtime
    version:
      description: The version of its Wasmtime, or null if it is not known exactly.
      type: str
      sample: 42.0.1
    versions:
      description:
        - The possible versions. This is the exact version, a range of major versions such as V(39-42), or several if the file
          names several; empty if it names none.
      type: list
      elements: str
      sample: ["42.0.1"]
    rule:
      description:
        - Where the version was found; null if it was not.
        - V(sbom) is a list of packages that cargo-auditable adds; V(cache-path) and V(crate-path) are paths of source files;
          V(panic-text), V(command-line) and V(neighbour-text) are texts with the version; V(config-fields) is a range that
          follows from the settings that it knows and from its TOML library.
      type: str
      sample: command-line
    program:
      description:
        - V(wasmtime) (the command line program), V(spin), V(extism) (or a program with it) or V(wizer). The module knows where
          these read their config. Null for every other program.
      type: str
      sample: wasmtime
    reads_config:
      description: Whether it can read a cache config. Whether it does depends on the program.
      type: bool
      sample: true
    toml:
      description: The version of TOML that it reads; null if it is not known, or if it reads no config.
      type: str
      sample: "1.0"
    dialect:
      description:
        - The range of versions with the same rules for a config, as in RV(ignore:accepted_by) of
          M(wasmops.wasmtime.cache_config_info).
        - Null if more than one is possible, or if it reads no config.
      type: str
      sample: 33-47
    compiler_directory:
      description:
        - The name of the directory below C(modules) that it uses in a cache.
        - Null if it is not known, for example for a library whose directory depends on the executable.
      type: str
      sample: wasmtime-6844a83b530f86ad13a65175282fe2dbcd33cad1
    deleted:
      description:
        - Whether the file was deleted or replaced while processes run with it. They keep this Wasmtime until they are
          restarted.
      type: bool
      sample: false
    pids:
      description: The IDs of the first 100 processes that have it mapped. Empty without O(running).
      type: list
      elements: int
      sample: [4711]
    configs:
      description: The configs that these processes were started with.
      type: list
      elements: dict
      contains:
        path:
          description: The path; null if there is no config, or if its path is not known.
          type: str
          sample: /etc/wasmtime/config.toml
        source:
          description:
            - V(argument) or V(variable) if the process was started with the path; V(default) if it uses the default path
              of its user; V(off) if it was started without a cache.
            - V(program) if the program's own code decides; V(unknown) if the arguments do not show it.
          type: str
          sample: argument
        pids:
          description: The IDs of the first 100 of these processes.
          type: list
          elements: int
          sample: [4711]
    accepts:
      description: Whether it accepts the config at O(path); null if it reads no config. Returned with O(path).
      type: bool
      sample: false
    problems:
      description:
        - The problems of the config at O(path) for this Wasmtime. Returned with O(path).
        - M(wasmops.wasmtime.cache_config_info) describes the fields. It also checks the directory, and who may read and
          write the file.
      type: list
      elements: dict
      sample: []
notes:
  description: What could not be examined, and why.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: The fixed code of the reason.
      type: str
      sample: script
    message:
      description: The reason.
      type: str
      sample: "this is a script, and the program that it starts is not examined; name the program"
    count:
      description: How many files, directories or processes it applies to.
      type: int
      sample: 212
    examples:
      description: The first 10 of them.
      type: list
      elements: str
      sample: [/usr/bin/ldd]
complete:
  description: Whether the search was finished in time, and every file with a Wasmtime is listed.
  returned: always
  type: bool
  sample: true
"""

from ansible_collections.wasmops.wasmtime.plugins.module_utils._start import all_imported, speed_up_imports

speed_up_imports()

from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.ansible_module import Module
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.engine_info import run


def main() -> None:
    run(
        Module(
            argument_spec={
                "paths": {"type": "list", "elements": "path"},
                "running": {"type": "bool", "default": True},
                "path": {"type": "path"},
                "depth": {"type": "int", "default": 8},
                "size_limit": {"type": "str", "default": "1Gi"},
                "time_limit": {"type": "int", "default": 60},
            },
            supports_check_mode=True,
            # Keeps the owner and the size of the config out of the result.
            path_info=False,
        )
    )


if __name__ == "__main__":
    all_imported()
    main()
