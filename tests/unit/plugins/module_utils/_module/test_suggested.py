# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Suggestions in words."""

from __future__ import annotations

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.suggested import _short, suggested
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage.suggest import (
    BASELINE,
    COUNT,
    OPTIMIZED,
    SIZE,
    Suggestion,
)

NOW = {"level": 3, "ratio": 2.0, "compress_mb_per_s": 100.0}
BETTER = {"level": 6, "ratio": 2.555, "compress_mb_per_s": 60.04}


@pytest.mark.parametrize(
    ("suggestion", "setting", "value", "reason"),
    [
        (
            Suggestion(SIZE, 2**30, "small", {"used": 3 * 2**29, "percent": 70, "limit": 2**29}),
            "files_total_size_soft_limit",
            "1Gi",
            "modules with 1.5 GiB were used in the last 7 days, and a cleanup leaves 70% of the limit 512Mi",
        ),
        (
            Suggestion(COUNT, 5, "small", {"used": 2000, "percent": 7, "limit": 2}),
            "file_count_soft_limit",
            "5",
            "2000 modules were used in the last 7 days, and a cleanup leaves 7% of the limit 2",
        ),
        (
            Suggestion(SIZE, 2**20, "large", {"most": 1500, "limit": 2**40}),
            "files_total_size_soft_limit",
            "1Mi",
            "the cache and the free space of its file system are 1.5 KiB, less than the limit 1Ti",
        ),
        *(
            (
                Suggestion(name, 6, "measured", {"better": BETTER, "now": NOW}),
                option,
                6,
                "level 6 compresses 2.56 to 1 at 60.0 MB/s, level 3 compresses 2.00 to 1 at 100.0 MB/s",
            )
            for name, option in (
                (BASELINE, "baseline_compression_level"),
                (OPTIMIZED, "optimized_compression_level"),
            )
        ),
    ],
)
def test_a_suggestion_has_an_option_its_value_and_a_reason(suggestion, setting, value, reason):
    row = {"setting": setting, "value": value, "reason": reason}
    assert suggested([suggestion]) == [row]
    assert suggested([suggestion] * 2) == [row, row]
    assert type(suggested([suggestion])[0]["value"]) is type(value)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (2**20 - 1, "1024.0 KiB"),
        (2**20, "1.0 MiB"),
        (3 * 2**29, "1.5 GiB"),
        (2**40, "1.0 TiB"),
        (2**50, "1.0 PiB"),
        (2**62, "4096.0 PiB"),
    ],
)
def test_a_size_is_in_the_largest_unit_that_keeps_it_above_1(size, text):
    assert _short(size) == text
