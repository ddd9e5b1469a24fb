# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognize files of other programs, and paths with placeholders."""

from __future__ import annotations

import re
from typing import Any

# Placeholders of other programs and people: home directories and variables of a shell, braces of Jinja and of Python,
# specifiers of systemd, and names in angle brackets. It does not match parts of real file names: a percent sign before two
# hexadecimal digits (an encoded character), identifiers in braces with hyphens (GUIDs), a ~ after a name.
_PLACEHOLDER = re.compile(
    r"(?:(?<=/)|^)~(?:[A-Za-z_][A-Za-z0-9_-]*)?(?=/|$)"
    r"|\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[^{}/]+\}|\([^()]+\))"
    r"|\{\{.*?\}\}|\{%.*?%\}|\{[A-Za-z_][A-Za-z0-9_.]*\}"
    r"|%[A-Z_]{3,}%|%[a-zA-Z](?![A-Za-z0-9])"
    r"|<[A-Za-z%][^<>/]*>"
    r"|@[A-Z][A-Z0-9_]*@"
)


def placeholder(directory: str) -> str | None:
    """Return the first part of a path that looks like a placeholder, which the engine does not expand; None without."""
    found = _PLACEHOLDER.search(directory)
    return found.group() if found else None


_RUN = ("codegen", "debug", "optimize", "record", "wasi", "wasm")


# The top-level keys of other files, any of which identifies them. The names are those of texts in C(problems).
_OTHER_FILES = (
    ("spin-manifest", ("spin_manifest_version", "spin_version")),
    (
        "spin-runtime-config",
        ("llm_compute", "key_value_store", "sqlite_database", "variables_provider", "config_provider", "outbound_http"),
    ),
    ("cargo-manifest", ("package", "workspace", "dependencies")),
    ("python-project", ("build-system", "project")),
    ("containerd-config", ("plugins", "proxy_plugins", "grpc")),
)


def other_file(keys: list[str]) -> tuple[str, dict[str, Any]] | None:
    """Return which other file has these keys at its top level, and the facts; None if it is not known.

    For a file without a table C([cache]) only.
    """
    named = [key for key in keys if key in _RUN]
    if named:
        return "run-options", {"tables": ", ".join("[%s]" % key for key in named)}
    for name, signs in _OTHER_FILES:
        if any(key in signs for key in keys):
            return name, {}
    return None
