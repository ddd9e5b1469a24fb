# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The value formats, held against the rules of Wasmtime's config.rs."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import shown
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.problems import CODES, sentence_on
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import (
    KINDS,
    LIMITS,
    SETTINGS,
    U64_MAX,
    BadValue,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.values import (
    WHITE_SPACE,
    base_value,
    from_option,
    parse_text,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.words import format_value, type_name

COUNT, SIZE, DURATION, PERCENT = (KINDS[name] for name in ("count", "size", "duration", "percent"))
TEXT_KINDS = (COUNT, SIZE, DURATION, PERCENT)
ALL_UNITS = ("", "K", "Ki", "M", "Mi", "G", "Gi", "T", "Ti", "P", "Pi", "s", "m", "h", "d", "%")
FACTORS = {
    "count": {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15},
    "size": {
        "": 1,
        "K": 10**3,
        "Ki": 1024,
        "M": 10**6,
        "Mi": 1024**2,
        "G": 10**9,
        "Gi": 1024**3,
        "T": 10**12,
        "Ti": 1024**4,
        "P": 10**15,
        "Pi": 1024**5,
    },
    "duration": {"s": 1, "m": 60, "h": 3600, "d": 86400},
    "percent": {"%": 1},
}
MOST = {"count": U64_MAX, "size": U64_MAX, "duration": U64_MAX, "percent": 255}
# U+0009-000D 0020 0085 00A0 1680 2000-200A 2028 2029 202F 205F 3000
RUST_WHITE_SPACE = "".join(
    chr(number)
    for number in (
        *range(0x9, 0xE),
        *(0x20, 0x85, 0xA0, 0x1680),
        *range(0x2000, 0x200B),
        *(0x2028, 0x2029, 0x202F, 0x205F, 0x3000),
    )
)
NOT_WHITE_SPACE = "\x1c\x1d\x1e\x1f\u180e\u200b\u200c\u200d\u2060\ufeff"


def code_of(function, *args):
    with pytest.raises(BadValue) as caught:
        function(*args)
    assert sentence_on("option", args[-1], caught.value)
    return CODES[caught.value.name]


def any_kind():
    return st.sampled_from(TEXT_KINDS)


@given(any_kind().flatmap(lambda k: st.tuples(st.just(k), st.integers(0, MOST[k.name]))))
def test_every_value_survives_being_written_and_read(kind_and_value):
    kind, value = kind_and_value
    assert parse_text(kind, format_value(kind, value)) == value


@given(
    any_kind(),
    st.integers(0, 2**20),
    st.sampled_from(sorted({f for units in FACTORS.values() for f in units.values()})),
)
@example(DURATION, 0, 1)
@example(COUNT, 0, 1)
def test_no_exact_text_is_shorter_than_the_one_written(kind, number, factor):
    value = number * factor if kind is not PERCENT else number % 256
    written = format_value(kind, value)
    for unit, size in FACTORS[kind.name].items():
        if value % size == 0:
            assert len(written.rstrip("i")) <= len("%d%s" % (value // size, unit.rstrip("i")))


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (SIZE, 512 * 2**20, "512Mi"),
        (SIZE, 2**30, "1Gi"),
        (SIZE, 10**9, "1G"),
        (SIZE, 1024 * 10**3, "1000Ki"),
        (SIZE, 1, "1"),
        (SIZE, 0, "0"),
        (COUNT, 65536, "65536"),
        (COUNT, 100_000, "100K"),
        (COUNT, 0, "0"),
        (DURATION, 0, "0s"),
        (DURATION, 60, "1m"),
        (DURATION, 86400, "1d"),
        (DURATION, 90, "90s"),
        (PERCENT, 70, "70%"),
        (KINDS["level"], 3, "3"),
        (KINDS["path"], "/x", "/x"),
        (SIZE, "1Gi", "1Gi"),
    ],
)
def test_values_are_written_as_people_would(kind, value, text):
    assert format_value(kind, value) == text


@pytest.mark.parametrize("kind", TEXT_KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("unit", ALL_UNITS)
def test_each_kind_knows_exactly_its_own_units(kind, unit):
    if unit in FACTORS[kind.name]:
        assert parse_text(kind, "3" + unit) == 3 * FACTORS[kind.name][unit]
    else:
        assert code_of(parse_text, kind, "3" + unit) == "invalid-value"


@pytest.mark.parametrize("unit", ["k", "ki", "KI", "KiB", "B", "KB", "S", "H", "D", "ms", "w", "min", "％"])
@pytest.mark.parametrize("kind", TEXT_KINDS, ids=lambda kind: kind.name)
def test_units_are_case_sensitive_and_never_longer(kind, unit):
    assert code_of(parse_text, kind, "1" + unit) == "invalid-value"


@pytest.mark.parametrize(
    ("kind", "unit"),
    [(kind, unit) for kind in (COUNT, SIZE) for unit in FACTORS[kind.name]],
    ids=lambda part: part if isinstance(part, str) else part.name,
)
def test_the_last_number_that_fits_u64_is_taken_and_the_next_one_not(kind, unit):
    factor = FACTORS[kind.name][unit]
    most = U64_MAX // factor
    assert parse_text(kind, "%d%s" % (most, unit)) == most * factor
    assert code_of(parse_text, kind, "%d%s" % (most + 1, unit)) == "overflow"


@pytest.mark.parametrize("unit", ["s", "m", "h", "d"])
def test_a_duration_comes_back_exact_beyond_u64(unit):
    factor = FACTORS["duration"][unit]
    assert parse_text(DURATION, "%d%s" % (U64_MAX, unit)) == U64_MAX * factor
    assert code_of(parse_text, DURATION, "%d%s" % (U64_MAX + 1, unit)) == "overflow"


def test_a_percent_is_read_up_to_255():
    assert parse_text(PERCENT, "255%") == 255
    assert code_of(parse_text, PERCENT, "256%") == "overflow"


@pytest.mark.parametrize("zeros", [1, 25, 10_000])
def test_leading_zeros_never_count(zeros):
    assert parse_text(COUNT, "0" * zeros + "7K") == 7000
    assert parse_text(COUNT, "0" * zeros) == 0
    assert parse_text(PERCENT, "0" * zeros + "100%") == 100


def test_a_number_of_thousands_of_digits_is_refused_at_once():
    assert code_of(parse_text, COUNT, "9" * 10_000) == "overflow"


@pytest.mark.parametrize("text", ["", " ", "\u3000"])
@pytest.mark.parametrize("kind", TEXT_KINDS, ids=lambda kind: kind.name)
def test_an_empty_value_is_called_empty(kind, text):
    with pytest.raises(BadValue, match="empty"):
        parse_text(kind, text)


@pytest.mark.parametrize(
    "text", ["-1", "+1", "1.5", "1_000", "1e3", "0x10", "K", "K1", "1K1", "1 2", "1Ki Mi", "٣", "３", "²"]
)
@pytest.mark.parametrize("kind", TEXT_KINDS, ids=lambda kind: kind.name)
def test_anything_but_ascii_digits_and_one_unit_is_refused(kind, text):
    assert code_of(parse_text, kind, text) == "invalid-value"


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        (DURATION, "60", '"60" has no unit; write "60s" or "1m"'),
        (DURATION, "61", '"61" has no unit; write "61s"'),
        (DURATION, "1" + "0" * 19, '"10000000000000000000" has no unit; write "10000000000000000000s"'),
        (PERCENT, "70", '"70" has no unit; write "70%"'),
        (SIZE, "1GB", '"1GB" has the unknown unit "GB"; write "1G" (10^9 bytes) or "1Gi" (2^30 bytes)'),
        (SIZE, "3k", '"3k" has the unknown unit "k"; write "3K" (10^3 bytes) or "3Ki" (2^10 bytes)'),
        (SIZE, "2PiB", '"2PiB" has the unknown unit "PiB"; write "2Pi" (2^50 bytes)'),
        (COUNT, "1Ki", '"1Ki" has the unknown unit "Ki"; write "1K"'),
        (COUNT, "9" * 21 + "k", None),
        (DURATION, "1w", None),
        (DURATION, "1m ago", None),
        (SIZE, "1x", None),
        (DURATION, "0.5h", '"0.5h" is not a whole number with a unit; write one number and one unit, like "1h"'),
        (COUNT, "many", None),
        (COUNT, "1.5", None),
        (COUNT, "", None),
        (COUNT, "99999999999999999999", None),
        (PERCENT, "300%", None),
    ],
    ids=lambda part: str(part)[:30],
)
def test_the_sentence_says_what_is_wrong_and_what_would_be_right(kind, value, sentence):
    with pytest.raises(BadValue) as caught:
        parse_text(kind, value)
    message, remedy = sentence_on("option", value, caught.value).split("; ")
    if sentence is not None:
        assert "%s; %s" % (message, remedy) == "option: " + sentence
        # What is advised is taken.
        for text in re.findall('"([^"]*)"', remedy):
            assert parse_text(kind, text) > 0
    elif "unit" not in message or "ago" in value:
        assert remedy in (
            'write %s, like "%s"' % (kind.rule, kind.example),
            'write one number and one unit, like "%s"' % kind.example,
        )
    else:
        assert remedy == 'write %s, like "%s"' % (kind.rule, kind.example)
    assert parse_text(kind, kind.example) > 0


def test_white_space_is_exactly_that_of_rust():
    assert sorted(WHITE_SPACE) == sorted(RUST_WHITE_SPACE)


@pytest.mark.parametrize("blank", RUST_WHITE_SPACE, ids=ascii)
def test_rust_white_space_around_number_and_unit_is_ignored(blank):
    assert parse_text(DURATION, blank + "2" + blank + "h" + blank) == 7200


@pytest.mark.parametrize("other", NOT_WHITE_SPACE, ids=ascii)
@pytest.mark.parametrize("template", ["%s2h", "2%sh", "2h%s"])
def test_what_python_or_people_take_for_white_space_is_refused(other, template):
    assert code_of(parse_text, DURATION, template % other) == "invalid-value"


ODD_TEXT = st.lists(
    st.sampled_from([*"0123456789", *ALL_UNITS, " ", "\t", "\x85", "\u3000", "\x1c", "\ufeff", "-", "_", ".", "٣"]),
    max_size=8,
).map("".join)


@given(any_kind(), ODD_TEXT | st.text(max_size=6))
def test_texts_are_taken_or_refused_as_one_pattern_says(kind, text):
    units = "|".join(sorted(map(re.escape, FACTORS[kind.name]), key=len, reverse=True))
    blank = "[%s]*" % RUST_WHITE_SPACE
    match = re.match("%s([0-9]+)%s(%s)%s\\Z" % (blank, blank, units, blank), text)
    if match is None:
        assert code_of(parse_text, kind, text) == "invalid-value"
    else:
        number, unit = int(match.group(1)), match.group(2)
        value = number * FACTORS[kind.name][unit]
        if number > MOST[kind.name] or (value > U64_MAX and kind is not DURATION):
            assert code_of(parse_text, kind, text) == "overflow"
        else:
            assert parse_text(kind, text) == value


TOML_TYPES = [
    (True, "a boolean"),
    (16, "an integer"),
    (1.0, "a float"),
    ("x", "a string"),
    ([], "an array"),
    ({}, "a table"),
    (dt.date(2026, 1, 1), "a date or time"),
]


@pytest.mark.parametrize(("value", "name"), TOML_TYPES)
def test_types_have_the_names_of_toml(value, name):
    assert type_name(value) == name


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda setting: setting.name)
@pytest.mark.parametrize(("value", "name"), TOML_TYPES, ids=str)
def test_a_value_of_another_toml_type_is_refused(setting, value, name):
    right = "an integer" if setting.kind.name == "level" else "a string"
    if name == right:
        # "x" is no number, but of the right type
        if setting.kind.name in ("path", "level"):
            assert base_value(setting, value) == value
        else:
            assert code_of(base_value, setting, value) == "invalid-value"
        return
    with pytest.raises(BadValue) as caught:
        base_value(setting, value)
    assert CODES[caught.value.name] == "wrong-type"
    message = sentence_on("option", value, caught.value).partition(";")[0]
    unquoted = name == "an integer" and setting.kind.name != "path"
    assert message == (
        "option must be a string" if unquoted else "option: %s is %s, not %s" % (shown(value), name, right)
    )


@pytest.mark.parametrize(
    ("value", "taken"), [(2**31 - 1, True), (-(2**31), True), (2**31, False), (-(2**31) - 1, False)]
)
def test_levels_are_32_bit_numbers(value, taken):
    level = SETTINGS["baseline-compression-level"]
    if taken:
        assert base_value(level, value) == value
    else:
        assert code_of(base_value, level, value) == "overflow"


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("file-count-soft-limit", 100_000, "100000"),
        ("file-count-soft-limit", "100K", "100K"),
        ("file-count-soft-limit", " 100 K ", " 100 K "),
        ("files-total-size-soft-limit", 0, "0"),
        ("files-total-size-soft-limit", U64_MAX, str(U64_MAX)),
        ("file-count-limit-percent-if-deleting", 70, "70%"),
        ("file-count-limit-percent-if-deleting", "70", "70%"),
        ("file-count-limit-percent-if-deleting", "70%", "70%"),
        ("baseline-compression-level", 3, 3),
        ("directory", "/x", "/x"),
        ("cleanup-interval", "60m", "60m"),
    ],
)
def test_an_option_becomes_the_text_of_the_file(name, value, wanted):
    taken = from_option(SETTINGS[name], value)
    assert (type(taken), taken) == (type(wanted), wanted)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("cleanup-interval", 60, "invalid-value"),
        ("cleanup-interval", "60", "invalid-value"),
        ("file-count-soft-limit", -1, "invalid-value"),
        ("file-count-soft-limit", U64_MAX + 1, "overflow"),
        ("file-count-soft-limit", 10**5000, "invalid-value"),
        ("file-count-soft-limit", True, "wrong-type"),
        ("file-count-soft-limit", 1.5, "wrong-type"),
        ("file-count-soft-limit", ["1"], "wrong-type"),
        ("file-count-limit-percent-if-deleting", 256, "overflow"),
        ("file-count-limit-percent-if-deleting", "", "invalid-value"),
        ("file-count-limit-percent-if-deleting", "٣", "invalid-value"),
        ("baseline-compression-level", "3", "wrong-type"),
        ("baseline-compression-level", 2**31, "overflow"),
        ("directory", 1, "wrong-type"),
    ],
    ids=lambda part: str(part)[:40] if not isinstance(part, int) else "number",
)
def test_an_option_that_the_file_could_not_hold_is_refused(name, value, code):
    assert code_of(from_option, SETTINGS[name], value) == code


@given(st.sampled_from(sorted(SETTINGS)), st.none() | st.booleans() | st.integers() | st.floats() | st.text())
def test_no_option_value_ever_raises_anything_else(name, value):
    try:
        taken = from_option(SETTINGS[name], value)
    except BadValue:
        return
    base_value(SETTINGS[name], taken)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (16, "16"),
        ("1h", '"1h"'),
        ("a\nb\x1b", r'"a\nb\x1b"'),
        ("\u200b", r'"\u200b"'),
        ("ä", '"ä"'),
        ([1], "[1]"),
        ("x" * 78, '"%s"' % ("x" * 78)),
        ("x" * 79, '"%s...%s"' % ("x" * 59, "x" * 14)),
        (10**79, "1" + "0" * 79),
        (10**80, "1" + "0" * 59 + "..." + "0" * 15),
    ],
    ids=lambda part: ascii(part)[:60],
)
def test_values_are_shown_in_one_line(value, text):
    assert shown(value) == text


def test_a_number_of_thousands_of_digits_is_shown_shortly():
    # Early 3.8 to 3.10 print any number, later ones refuse.
    assert shown(10**5000) in ("a number of thousands of digits", "1" + "0" * 59 + "..." + "0" * 15)


@given(st.text() | st.integers() | st.lists(st.text()))
def test_shown_values_are_short_and_in_one_line(value):
    text = shown(value)
    assert len(text) <= 80
    assert "\n" not in text


def test_the_table_has_the_engine_s_settings_in_its_order():
    # That of 50.0.1, and those before it.
    assert [(s.name, s.kind.name, s.default) for s in SETTINGS.values() if s.known_to(0, 50)] == [
        ("directory", "path", None),
        ("worker-event-queue-size", "count", 16),
        ("baseline-compression-level", "level", 3),
        ("optimized-compression-level", "level", 20),
        ("optimized-compression-usage-counter-threshold", "count", 256),
        ("cleanup-interval", "duration", 3600),
        ("optimizing-compression-task-timeout", "duration", 1800),
        ("allowed-clock-drift-for-files-from-future", "duration", 86400),
        ("file-count-soft-limit", "count", 65536),
        ("files-total-size-soft-limit", "size", 536870912),
        ("file-count-limit-percent-if-deleting", "percent", 70),
        ("files-total-size-limit-percent-if-deleting", "percent", 70),
    ]
    assert all(name == setting.name for name, setting in SETTINGS.items())
    assert all(setting.option == setting.name.replace("-", "_") for setting in SETTINGS.values())


def test_each_limit_has_its_percent():
    for limit, percent in LIMITS:
        assert SETTINGS[limit].kind.name in ("count", "size")
        assert SETTINGS[percent].kind.name == "percent"
        assert percent.startswith(limit.rsplit("-soft-limit", 1)[0])


def test_the_largest_number_is_that_of_64_bits():
    for kind, text in (("count", "%d"), ("size", "%d"), ("duration", "%ds")):
        assert parse_text(KINDS[kind], text % 18446744073709551615) == 18446744073709551615
        with pytest.raises(BadValue) as bad:
            parse_text(KINDS[kind], text % 18446744073709551616)
        assert CODES[bad.value.name] == "overflow"
