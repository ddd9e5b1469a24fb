# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections!

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
  diff_mode:
    description: Returns details on what has changed, or would change in C(check_mode), when in diff mode.
  idempotent:
    description:
      - When run twice in a row outside check mode, with the same arguments, the second run reports no change.
  platform:
    description: Target systems the module works on.
  safe_file_operations:
    description: Replaces files atomically and never grants more permissions in between, like Ansible's own file functions.
"""

    # For the modules in the action group, which share the options path and wasmtime_version.
    ACTION_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/wasmops.wasmtime.wasmtime) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - wasmops.wasmtime.wasmtime
"""
