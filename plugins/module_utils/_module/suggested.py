# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What C(_usage.suggest) suggests, in words."""

from __future__ import annotations

from typing import Any, Sequence

from .._config.settings import SETTINGS
from .._config.words import format_value
from .._usage.scan import RECENT_DAYS
from .._usage.suggest import COUNT, SIZE, Suggestion

_LEVEL = "level %(level)d compresses %(ratio).2f to 1 at %(compress_mb_per_s).1f MB/s"


def suggested(suggestions: Sequence[Suggestion]) -> list[dict[str, Any]]:
    """Return the suggestions as the module does."""
    return [
        {
            "setting": SETTINGS[suggestion.setting].option,
            "value": _value(suggestion.setting, suggestion.value),
            "reason": _reason(suggestion),
        }
        for suggestion in suggestions
    ]


def _value(name: str, value: int) -> str | int:
    """Return a value as a config has it: levels are integers in TOML, all else is text."""
    kind = SETTINGS[name].kind
    return value if kind.name == "level" else format_value(kind, value)


def _reason(suggestion: Suggestion) -> str:
    name, facts = suggestion.setting, suggestion.facts
    if suggestion.why == "measured":
        return "%s, %s" % (_LEVEL % facts["better"], _LEVEL % facts["now"])
    limit = format_value(SETTINGS[name].kind, facts["limit"])
    if suggestion.why == "large":
        return "the cache and the free space of its file system are %s, less than the limit %s" % (
            _short(facts["most"]),
            limit,
        )
    used = {SIZE: "modules with %s", COUNT: "%s modules"}[name] % (
        _short(facts["used"]) if name == SIZE else facts["used"]
    )
    return "%s were used in the last %d days, and a cleanup leaves %d%% of the limit %s" % (
        used,
        RECENT_DAYS,
        facts["percent"],
        limit,
    )


def _short(size: int) -> str:
    """Return bytes in the largest unit that keeps the number above 1."""
    value, unit = float(size), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return "%d bytes" % size if unit == "bytes" else "%.1f %s" % (value, unit)
