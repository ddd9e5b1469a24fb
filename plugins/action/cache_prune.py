# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._border import Border
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import PRUNED


class ActionModule(Border):
    """Runs cache_prune."""

    schema = PRUNED
    # Without it, what is to be moved would be deleted: the module refuses an empty one.
    kept_empty = ("backup",)
