# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn findings about a cache directory into problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._config.check import Finding
from .._config.printable import quoted
from .._config.problems import Problem, to_problem
from .._files.access import user_name
from .._files.directory import UNCOUNTED
from .reasons import sentence

if TYPE_CHECKING:
    from .._files.directory import Found

_EXAMPLES = 3
_REASONS = 10


def directory_to_problems(found: list[Found], path: str, user: int) -> list[Problem]:
    """Return the findings about the directory at C(path), for processes of C(user), as problems."""
    problems = []
    for name, parts in found:
        named = [part if isinstance(part, str) else sentence(part) for part in parts]
        more = "; and %d more" % (len(named) - _REASONS) if named[_REASONS:] else ""
        facts = {
            "directory": path,
            "user": user_name(user),
            "reasons": "; ".join(named[:_REASONS]) + more,
            "first": named[0] if named else "",
            "some": _some(named),
        }
        problems.append(to_problem(Finding(name, ("cache", "directory"), path, facts)))
    return problems


def _some(names: list[str]) -> str:
    counted = sorted(name for name in names if name != UNCOUNTED)
    listed = ", ".join(quoted(name) for name in counted[:_EXAMPLES])
    more = len(counted) - _EXAMPLES
    if more <= 0:
        return listed  # the name of a directory stands for its contents
    return "%s and %s%d more" % (listed, "at least " if UNCOUNTED in names else "", more)
