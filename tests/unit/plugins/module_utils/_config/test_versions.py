# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ranges of Wasmtime versions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import (
    CURRENT,
    DIALECTS,
    MAJOR_MAX,
    BadVersion,
    cut,
    for_version,
)

EVERY = [dialect.name for dialect in DIALECTS]
FIRST, LAST = DIALECTS[0], DIALECTS[-1]


@given(st.integers(0, 10**8 - 1))
def test_every_version_has_exactly_one_dialect(major):
    dialect = for_version(str(major))
    assert dialect.first <= major <= dialect.last


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("0.28.0", "<=32"),
        ("18", "<=32"),
        ("32.0.1", "<=32"),
        ("33", "33-47"),
        ("42.0.2", "33-47"),
        ("42.0", "33-47"),
        ("47.9.9", "33-47"),
        ("48.0.0", "48"),
    ],
)
def test_versions_fall_into_their_range(version, name):
    assert for_version(version).name == name


@pytest.mark.parametrize("version", ["49.0.0-rc.1", "50.0.1+abc.2", "049"])
def test_the_last_rules_are_those_of_49(version):
    assert for_version(version) == for_version("49") == DIALECTS[EVERY.index("48") + 1]


def test_a_major_version_has_eight_digits_at_most():
    assert for_version("99999999") == DIALECTS[-1]
    assert MAJOR_MAX == 100_000_000


def name_of(first, last):
    return cut([DIALECTS[-1]._replace(first=first, last=last)], [])[0].name


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        (0, 32, "<=32"),
        (33, 47, "33-47"),
        (48, 48, "48"),
        (300, 300, "300"),
        (49, MAJOR_MAX, ">=49"),
        (0, MAJOR_MAX, "<=%d" % MAJOR_MAX),
    ],
)
def test_a_range_is_named_by_its_ends(first, last, name):
    assert name_of(first, last) == name


@pytest.mark.parametrize(
    ("since", "until", "names"),
    [
        (0, None, ["<=32", ">=33"]),
        (60, None, ["<=32", "33-59", ">=60"]),
        (0, 59, ["<=32", "33-59", ">=60"]),
        (40, 59, ["<=32", "33-39", "40-59", ">=60"]),
        (20, 20, ["<=19", "20", "21-32", ">=33"]),
        (32, None, ["<=31", "32", ">=33"]),
        (33, None, ["<=32", ">=33"]),
        (0, 31, ["<=31", "32", ">=33"]),
        (0, 32, ["<=32", ">=33"]),
        (0, 0, ["<=0", "1-32", ">=33"]),
    ],
)
def test_a_range_is_cut_where_a_setting_comes_or_goes(since, until, names):
    setting = SETTINGS["cleanup-interval"]._replace(since=since, until=until)
    whole = [FIRST._replace(name="", first=0, last=32), LAST._replace(name="", first=33, last=MAJOR_MAX)]
    ranges = cut(whole, [setting])
    assert [dialect.name for dialect in ranges] == names
    assert [dialect.first for dialect in ranges] == [0] + [dialect.last + 1 for dialect in ranges[:-1]]
    assert ranges[-1].last == MAJOR_MAX
    for dialect in ranges:
        known = [since <= major <= (MAJOR_MAX if until is None else until) for major in (dialect.first, dialect.last)]
        assert known == [setting.known_to(dialect.first, dialect.last)] * 2
        assert dialect.enabled == (dialect.last <= 32)


def test_the_rules_changed_with_33_and_48_and_49():
    assert [FIRST.first, *(dialect.first for dialect in DIALECTS if dialect.first in (33, 48, 49))] == [0, 33, 48, 49]
    assert [dialect.first for dialect in DIALECTS[1:]] == [dialect.last + 1 for dialect in DIALECTS[:-1]]


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [(33, 47, "39-47"), (39, 39, "39"), (33, 39, "39"), (48, 48, "48"), (300, int("300"), "300"), (60, 70, "60-70")],
)
def test_programs_with_toml_1_1_are_named_by_the_versions_that_may_read_it(first, last, name):
    assert DIALECTS[1]._replace(first=first, last=last).with_1_1 == name + " with TOML 1.1"


@pytest.mark.parametrize("dialect", DIALECTS, ids=EVERY)
def test_all_versions_in_a_range_know_the_same_settings(dialect):
    for setting in SETTINGS.values():
        known = {setting.known_to(major, major) for major in (dialect.first, dialect.last)}
        assert known == {setting.known_to(dialect.first, dialect.last)}


@pytest.mark.parametrize(("version", "fields"), [("18", 13), ("32", 13), ("33", 12), ("50", 12)])
def test_the_engine_s_structure_has_a_field_for_each_setting_and_one_for_enabled(version, fields):
    assert for_version(version).fields == fields


def test_a_setting_that_a_version_does_not_know_is_no_field_of_it(monkeypatch):
    setting = SETTINGS["cleanup-interval"]
    fields = [for_version(version).fields for version in ("32", "33")]
    monkeypatch.setitem(SETTINGS, setting.name, setting._replace(since=60))
    assert [for_version(version).fields for version in ("32", "33")] == [number - 1 for number in fields]


@pytest.mark.parametrize(
    ("version", "reader"),
    [("32", 0), ("33", 0), ("38.9", 0), ("39", 39), ("47", 39), ("48", 39), ("49", 39), ("50", 39)],
)
def test_the_reader_of_toml_changed_with_39(version, reader):
    assert for_version(version).reader == reader


@pytest.mark.parametrize(
    ("name", "enabled", "wraps", "grammars"),
    [
        ("<=32", True, True, ("1.0",)),
        ("33-47", False, True, ("1.0", "1.1")),
        ("48", False, False, ("1.0", "1.1")),
        (for_version("49").name, False, False, ("1.1",)),
        (DIALECTS[-1].name, False, False, ("1.1",)),
    ],
)
def test_each_range_has_its_rules(name, enabled, wraps, grammars):
    (dialect,) = (d for d in DIALECTS if d.name == name)
    assert (dialect.enabled, dialect.wraps, dialect.grammars) == (enabled, wraps, grammars)


def test_without_a_version_all_from_33_on_are_meant():
    assert [dialect.name for dialect in CURRENT] == EVERY[EVERY.index("33-47") :]


@pytest.mark.parametrize(
    "version",
    [
        "",
        "abc",
        "vv42",
        "V42",
        "v",
        "42.",
        "42..1",
        "42.0.2.1",
        "-1",
        " 42",
        "42 ",
        "42\n",
        "٤٢",
        "1e9",
        "999999999",
        "42.0.2-",
        "auto",
        "latest",
    ],
)
def test_what_is_no_version_is_named(version):
    with pytest.raises(BadVersion) as caught:
        for_version(version)
    assert caught.value.version == version
