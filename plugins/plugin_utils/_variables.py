# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the role and of the playbooks, to find misspelt ones."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import printable

ROLE = "wasmops.wasmtime.wasmtime_cache"
PREFIX = "wasmtime_cache_"
# `make generate` writes these: the variables that are options of cache_config, and all others.
OF_PROVISION = (
    "wasmtime_cache_allowed_clock_drift_for_files_from_future",
    "wasmtime_cache_backup",
    "wasmtime_cache_baseline_compression_level",
    "wasmtime_cache_cleanup_interval",
    "wasmtime_cache_create_directory",
    "wasmtime_cache_directory",
    "wasmtime_cache_directory_group",
    "wasmtime_cache_directory_mode",
    "wasmtime_cache_directory_owner",
    "wasmtime_cache_enabled",
    "wasmtime_cache_exclusive",
    "wasmtime_cache_file_count_limit_percent_if_deleting",
    "wasmtime_cache_file_count_soft_limit",
    "wasmtime_cache_files_total_size_limit_percent_if_deleting",
    "wasmtime_cache_files_total_size_soft_limit",
    "wasmtime_cache_force",
    "wasmtime_cache_group",
    "wasmtime_cache_ignore_dangers",
    "wasmtime_cache_mode",
    "wasmtime_cache_optimized_compression_level",
    "wasmtime_cache_optimized_compression_usage_counter_threshold",
    "wasmtime_cache_optimizing_compression_task_timeout",
    "wasmtime_cache_owner",
    "wasmtime_cache_path",
    "wasmtime_cache_programs",
    "wasmtime_cache_state",
    "wasmtime_cache_unsafe_writes",
    "wasmtime_cache_unset",
    "wasmtime_cache_wasmtime_version",
    "wasmtime_cache_worker_event_queue_size",
)  # fmt: skip
OF_THE_ROLE = (
    *OF_PROVISION,
    "wasmtime_cache_prune",
    "wasmtime_cache_prune_backup",
    "wasmtime_cache_prune_keep",
    "wasmtime_cache_prune_memory_limit",
    "wasmtime_cache_prune_time_limit",
    "wasmtime_cache_prune_unused_for",
    "wasmtime_cache_usage_levels",
    "wasmtime_cache_usage_memory_limit",
    "wasmtime_cache_usage_time_limit",
    "wasmtime_cache_usage_verify",
)  # fmt: skip
OF_THE_PLAYBOOKS = (
    "wasmtime_cache_hosts",
    "wasmtime_cache_lint_format",
    "wasmtime_cache_lint_output",
    "wasmtime_cache_lint_path",
    "wasmtime_cache_report_data",
    "wasmtime_cache_report_page",
)
# Of the task whose options come from the variables of the role.
AS_ROLE = "wasmtime_cache_as_role"
# Variables that the role and the playbooks set: lists and texts, and then dictionaries, among them the results of tasks.
_INTERNAL = (
    AS_ROLE,
    "wasmtime_cache_as_text",
    "wasmtime_cache_bare_hosts",
    "wasmtime_cache_found",
    "wasmtime_cache_missing_packages",
    "wasmtime_cache_pattern",
    "wasmtime_cache_speaker",
    "wasmtime_cache_summary",
)
_DICTIONARIES = (
    "wasmtime_cache_fleet",
    "wasmtime_cache_folder",
    "wasmtime_cache_installation",
    "wasmtime_cache_lint",
    "wasmtime_cache_packages",
    "wasmtime_cache_placed",
    "wasmtime_cache_prunable",
    "wasmtime_cache_pruned",
    "wasmtime_cache_result",
    "wasmtime_cache_usage",
)


def unknown_variables(variables: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each unknown variable that begins like those of the role.

    Dictionaries are ignored: no variable of the role takes one, and results that tasks register are dictionaries.
    """
    # The name first: a host has hundreds of other variables, and comparing with Mapping is slow.
    return unknown_names(
        name for name, value in variables.items() if name.startswith(PREFIX) and not isinstance(value, Mapping)
    )


def unknown_names(names: Iterable[str]) -> list[str]:
    """Return a sentence for each unknown one of these names of variables that begins like those of the role."""
    known = (*OF_THE_ROLE, *OF_THE_PLAYBOOKS)
    unknown = [name for name in names if name.startswith(PREFIX) and name not in (*known, *_INTERNAL, *_DICTIONARIES)]
    if not unknown:
        return []
    from difflib import get_close_matches

    return [
        "%s is not a variable of this role; the nearest name is %s"
        % (printable(name), *get_close_matches(name, known, n=1, cutoff=0))
        for name in sorted(unknown)
    ]
