# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a value has one name for each kind, and the parts of the value that a text needs."""

from __future__ import annotations

import datetime as dt

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.bad_values import bad_number, bad_text, bad_type
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import KINDS, SETTINGS, BadValue
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.values import base_value, from_option

COUNT, SIZE, DURATION, PERCENT = (KINDS[name] for name in ("count", "size", "duration", "percent"))


@pytest.mark.parametrize(
    ("kind", "number", "unit", "name", "facts"),
    [
        (COUNT, "", "", "empty", {}),
        (COUNT, "", "K", "no-digit", {}),
        (DURATION, "1", "", "no-unit", {"number": "1"}),
        (PERCENT, "1", "", "no-unit", {"number": "1"}),
        (COUNT, "1", "_", "not-whole", {}),
        (SIZE, "1", ".5K", "not-whole", {}),
        (DURATION, "1", ".5h", "not-whole-with-unit", {}),
        (PERCENT, "1", "%%.", "not-whole-with-unit", {}),
        (COUNT, "1", "Ki", "unknown-unit", {"number": "1", "unit": "Ki"}),
        (DURATION, "1", "%", "unknown-unit", {"number": "1", "unit": "%"}),
        (COUNT, "9" * 30, "", "more-than-u64", {}),
        (SIZE, "9" * 20, "Ki", "more-than-u64", {}),
        (DURATION, "9" * 30, "s", "more-than-u64", {}),
        (PERCENT, "256", "%", "more-than-255", {}),
    ],
)
def test_a_text_that_is_no_value_has_the_name_of_its_mistake(kind, number, unit, name, facts):
    bad = bad_text(kind, number, unit)
    assert (bad.name, bad.facts) == (name, {"kind": kind, **facts})
    assert str(bad) == name


@pytest.mark.parametrize(
    ("value", "name", "facts"),
    [
        (-(2**70), "negative", {}),
        (-1, "negative", {}),
        (0, "no-unit", {"number": 0}),
        (2**64 - 1, "no-unit", {"number": 2**64 - 1}),
        (2**64, "more-than-u64", {}),
        (2**70, "more-than-u64", {}),
    ],
)
def test_a_number_without_its_unit_has_the_name_of_its_mistake(value, name, facts):
    bad = bad_number(DURATION, value)
    assert (bad.name, bad.facts) == (name, {"kind": DURATION, **facts})


@pytest.mark.parametrize(
    ("kind", "value", "name"),
    [
        ("level", 2**31, "level-overflow"),
        ("level", -(2**31) - 1, "level-overflow"),
        ("level", True, "not-an-integer"),
        ("level", "3", "not-an-integer"),
        ("path", 1, "path-not-a-string"),
        ("path", False, "path-not-a-string"),
        ("count", -1, "not-a-string"),
        ("count", 0, "not-quoted"),
        ("size", 2**64 - 1, "not-quoted"),
        ("size", 2**64, "not-a-string"),
        ("duration", 1.0, "not-a-string"),
        ("duration", True, "not-a-string"),
        ("percent", dt.date(2026, 1, 1), "not-a-string"),
    ],
)
def test_a_value_of_another_type_has_the_name_of_its_mistake(kind, value, name):
    bad = bad_type(KINDS[kind], value)
    facts = {"kind": KINDS[kind], "number": value} if name == "not-quoted" else {"kind": KINDS[kind]}
    assert (bad.name, bad.facts) == (name, facts)
    setting = next(setting for setting in SETTINGS.values() if setting.kind.name == kind)
    with pytest.raises(BadValue, match=name):
        base_value(setting, value)


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("cleanup-interval", -1, "negative"),
        ("cleanup-interval", 0, "no-unit"),
        ("cleanup-interval", 2**64, "more-than-u64"),
        ("cleanup-interval", "0", "no-unit"),
        ("file-count-soft-limit", -1, "negative"),
        ("file-count-soft-limit", 2**64, "more-than-u64"),
        ("file-count-limit-percent-if-deleting", -1, "negative"),
        ("file-count-limit-percent-if-deleting", "", "empty"),
        ("file-count-limit-percent-if-deleting", 256, "more-than-255"),
        ("file-count-limit-percent-if-deleting", True, "not-a-string"),
        ("directory", -1, "path-not-a-string"),
        ("directory", 0, "path-not-a-string"),
        ("baseline-compression-level", -(2**31) - 1, "level-overflow"),
    ],
)
def test_an_option_has_the_name_of_its_mistake(setting, value, name):
    with pytest.raises(BadValue) as caught:
        from_option(SETTINGS[setting], value)
    assert caught.value.name == name


def test_a_level_below_its_range_is_written_as_it_is():
    """Its range is checked with that of the other one."""
    assert from_option(SETTINGS["baseline-compression-level"], -1) == -1
