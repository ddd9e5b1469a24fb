# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule of the engine, and every problem with its place."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import (
    MAX_BYTES,
    MAX_PROBLEMS,
    Host,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.config import no_config, read_config
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS, U64_MAX
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml import Library, NoLibrary, parse
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml_error import TomlError
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.values import base_value
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import (
    CURRENT,
    DIALECTS,
    MAJOR_MAX,
    for_version,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.words import format_value, versions_of
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils._config.test_toml import missing, only
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.documents import (
    HOST,
    KNOWN_TO_ALL,
    READS_1_0,
    READS_1_1,
    documents,
    good_values,
    provable,
    reader,
)

LIBRARY = Library()
EVERY = [dialect.name for dialect in DIALECTS]
LATER = EVERY[1:]
# What some programs with 39 to 48 take, and all of 49 and later.
WITH_1_1 = ["39-47 with TOML 1.1", "48 with TOML 1.1", *(dialect.name for dialect in DIALECTS if dialect.first >= 49)]
# The settings that all of 33 and later know.
CURRENT_SETTINGS = [name for name, setting in SETTINGS.items() if setting.known_to(33, MAJOR_MAX)]
OLD, C, D, E, F = ((for_version(version),) for version in ("32", "38", "42.0.2", "48", "49"))
needs_1_0 = pytest.mark.skipif(not READS_1_0, reason="needs a parser for TOML 1.0 alone, as Python 3.11 has")
needs_1_1 = pytest.mark.skipif(not READS_1_1, reason="needs a parser for TOML 1.1")


def read(text, dialects=CURRENT, host=HOST, library=LIBRARY):
    data = text if isinstance(text, bytes) else text.encode("utf-8")
    return read_config(data, dialects, host, library)


def cache(*lines):
    return "[cache]\n" + "".join(line + "\n" for line in lines)


def codes(config):
    return [problem.code for problem in config.problems]


def the_problem(config):
    (problem,) = config.problems
    return problem


# What the engine takes


@pytest.mark.parametrize(
    "text",
    [
        "[cache]",
        "[cache]\n",
        "\ufeff[cache]\n",
        "[cache]\r\n# x\r\n",
        "cache = {}",
        "cache.cleanup-interval = '1h'",
        '["c\\u0061che"]\n',
        cache("directory = '/'"),
        cache("directory = '/a/../b//c/'"),
        cache('directory = "/\ufeff \\n\\u007f"'),
        cache("directory = '/%s'" % ("x" * 255)),
        cache("directory = '%s'" % ("/" + "é" * 127)),
        cache("directory = '/%s'" % ("x/" * 2047)),
        cache("baseline-compression-level = 0", "optimized-compression-level = 0"),
        cache("baseline-compression-level = 0x15", "optimized-compression-level = 2_1"),
        cache("file-count-limit-percent-if-deleting = ' 0100 % '"),
        cache("worker-event-queue-size = '3'"),
        cache("# \x80 \x9f"),
        "[cache]" + "#" * (2**16 - 7),
    ],
    ids=ascii,
)
def test_valid_configs_have_no_problem(text):
    config = read(text)
    assert codes(config) == []
    assert config.valid
    assert config.accepted_by == LATER
    assert list(config.effective) == CURRENT_SETTINGS


def test_defaults_fill_what_the_file_does_not_name():
    config = read(cache("cleanup-interval = '60m'"))
    assert config.settings == {"cleanup-interval": "60m"}
    assert {name: config.effective[name] for name in KNOWN_TO_ALL} == {
        "directory": "/home/u/.cache/wasmtime",
        "worker-event-queue-size": 16,
        "baseline-compression-level": 3,
        "optimized-compression-level": 20,
        "optimized-compression-usage-counter-threshold": 256,
        "cleanup-interval": 3600,
        "optimizing-compression-task-timeout": 1800,
        "allowed-clock-drift-for-files-from-future": 86400,
        "file-count-soft-limit": 65536,
        "files-total-size-soft-limit": 536870912,
        "file-count-limit-percent-if-deleting": 70,
        "files-total-size-limit-percent-if-deleting": 70,
    }


@given(documents())
def test_messy_but_valid_documents_are_taken_with_their_values(document):
    proven = provable(document.text)
    config = read(document.text, CURRENT if proven else F)
    table = parse(reader(document.text), document.text)["cache"]
    crlf = any(pair.key == "directory" and breaks_lines(document, pair) for pair in document.pairs)
    assert codes(config) == (["directory-line-break"] if crlf else [])
    assert config.accepted_by == (LATER if proven else WITH_1_1)
    assert config.settings == table
    assert set(table) == {pair.key for pair in document.pairs}
    for name, value in config.effective.items():
        default = HOST.default_directory() if name == "directory" else SETTINGS[name].default
        wanted = base_value(SETTINGS[name], table[name]) if name in table else default
        if crlf and name == "directory":
            wanted = str(wanted).replace("\n", "\r\n")
        assert value == wanted


def breaks_lines(document, pair):
    """Whether a value has CRLF in it, other than the breaks that TOML takes for layout."""
    inner = document.text[slice(*pair.value)][3:-3]
    for layout in ("\\\r\n   \r\n\t", "\r\n"):
        if inner.startswith(layout):
            inner = inner[len(layout) :]
    return "\r\n" in inner


def test_crlf_in_a_string_is_read_as_it_stands_since_39():
    text = "[cache]\r\ndirectory = '''\r\n/a\r\nb'''\r\n"
    old, new, both = read(text, C), read(text, D), read(text, (*C, *D))
    directories = [config.effective["directory"] for config in (old, new, both)]
    assert directories == ["/a\nb", "/a\r\nb", "/a\r\nb"]
    for config in (old, new, both):
        problem = the_problem(config)
        assert (problem.code, problem.severity, problem.line, problem.column) == (
            "directory-line-break",
            "warning",
            2,
            13,
        )
    assert codes(read('[cache]\r\ndirectory = """/a\\\r\n  b\\n"""\r\n')) == []
    # A backslash at the end of a line takes breaks of both kinds along.
    assert read('[cache]\ndirectory = """/a\\\n\r\n  b\r\nc"""\n', D).effective["directory"] == "/ab\r\nc"
    assert codes(read(text.replace("\r\n", "\n"))) == []


def test_without_a_file_everything_has_its_default():
    for dialects in (OLD, CURRENT, *([dialect] for dialect in DIALECTS)):
        config = no_config(dialects, HOST)
        assert config.valid
        assert (config.text, config.bom, config.table) == ("", False, None)
        assert config.accepted_by == EVERY
        text = cache("enabled = true") if dialects[0].enabled else cache()
        assert config.effective == read(text, dialects).effective
        assert config.settings == {}


@pytest.mark.parametrize("dialect", DIALECTS, ids=EVERY)
def test_each_version_has_its_settings(dialect):
    """What it knows has a value, what only others know is refused at its key."""
    known = {name: s for name, s in SETTINGS.items() if s.known_to(dialect.first, dialect.last)}
    first = ["enabled = true"] * dialect.enabled
    lines = first + [line(setting) for setting in known.values()]
    config = read(cache(*lines), [dialect])
    assert codes(config) == []
    assert dialect.name in config.accepted_by
    assert config.effective == {name: s.default or "/d" for name, s in known.items()}
    assert read(cache(*first), [dialect]).effective.keys() == known.keys()
    for name in SETTINGS.keys() - known.keys():
        config = read(cache(*lines, line(SETTINGS[name])), [dialect])
        problem = the_problem(config)
        assert (problem.code, problem.severity, problem.setting) == ("unknown-key", "error", name)
        assert (problem.line, problem.column) == (len(lines) + 2, 1)
        assert problem.message == "only Wasmtime %s knows %s" % (versions_of(SETTINGS[name]), name)
        assert config.effective.keys() == known.keys()
        assert not config.valid
        assert dialect.name not in config.accepted_by
        # What it does not know is not advised.
        problem = the_problem(read(cache(*lines, "%s = 1" % name.replace("-", "_")), [dialect]))
        assert (problem.code, problem.setting) == ("unknown-key", name.replace("-", "_"))
        assert name not in problem.remedy


def line(setting):
    """A setting with its default in a config."""
    if setting.kind.name == "level":
        return "%s = %d" % (setting.name, setting.default)
    return "%s = '%s'" % (setting.name, format_value(setting.kind, setting.default or "/d"))


# What it refuses, one problem at a time: text, code, setting, value, line, column, ranges that take it


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("", "cache-missing", 1, 1),
        ("# only a comment\n", "cache-missing", 1, 1),
        ("[Cache]\n", "unknown-key", 1, 2),
        ("[cache]\n[other]\n", "unknown-key", 2, 2),
        ("x = 1\n[cache]\n", "unknown-key", 1, 1),
        ("[cache]\n\n  [ other ]\n", "unknown-key", 3, 5),
        ("[[cache]]\n", "cache-not-a-table", 1, 1),
        ("\ncache = 1\n", "cache-not-a-table", 2, 9),
        ("cache = ['/dir']\n", "cache-not-a-table", 1, 9),
        (cache("cleanup_interval = '1h'"), "unknown-key", 2, 1),
        (cache("cleanup-intervall = '1h'"), "unknown-key", 2, 1),
        (cache("Directory = '/x'"), "unknown-key", 2, 1),
        (cache("  foo = 1"), "unknown-key", 2, 3),
        ("[cache]\n[cache.foo]\n", "unknown-key", 2, 8),
        ("[cache.foo]\n", "unknown-key", 1, 8),
        (cache("enabled = true"), "enabled-refused", 2, 1),
        (cache("enabled = false"), "enabled-refused", 2, 1),
        (cache("cleanup-interval = '1'"), "invalid-value", 2, 20),
        (cache("cleanup-interval = 1"), "wrong-type", 2, 20),
        ("[cache]\ncleanup-interval = 1h\n", "toml-syntax", 2, 21),
        ("[cache]\r# x\n", "toml-syntax", 1, 8),
        ("\ufeff\ufeff[cache]", "toml-syntax", 1, 1),
        (b"[cache]\n\xe9 = 1\n", "not-utf-8", 2, 1),
        (b"[cache]\ndirectory = '/\xff'\n", "not-utf-8", 2, 15),
        (b"\xff\xfe[\x00", "not-utf-8", 1, 1),
        (b"x" * (MAX_BYTES + 1), "too-large", None, None),
        (cache("directory = ''"), "directory-relative", 2, 13),
        (cache("directory = ' /x'"), "directory-relative", 2, 13),
        (cache("directory = '~/x'"), "directory-relative", 2, 13),
        (cache("directory = '$HOME/x'"), "directory-relative", 2, 13),
        (cache("directory = 'C:\\x'"), "directory-relative", 2, 13),
        (cache('directory = "/\\u0000"'), "directory-nul", 2, 13),
        (cache("directory = '/%s'" % ("x" * 256)), "directory-too-long", 2, 13),
        (cache("directory = '/%s'" % ("é" * 128)), "directory-too-long", 2, 13),
        (cache("directory = '%s'" % ("/x" * 2048)), "directory-too-long", 2, 13),
        (cache("directory = []"), "wrong-type", 2, 13),
        (cache("baseline-compression-level = 22", "optimized-compression-level = 21"), "out-of-range", 2, 30),
        (cache("baseline-compression-level = -1"), "out-of-range", 2, 30),
        (cache("optimized-compression-level = 22"), "out-of-range", 2, 31),
        (cache("optimized-compression-level = 3.0"), "wrong-type", 2, 31),
        (cache("optimized-compression-level = 2147483648"), "overflow", 2, 31),
        (cache("baseline-compression-level = 21"), "optimized-below-baseline", 2, 30),
        (cache("optimized-compression-level = 2"), "optimized-below-baseline", 2, 31),
        (
            cache("optimized-compression-level = 4", "baseline-compression-level = 5"),
            "optimized-below-baseline",
            2,
            31,
        ),
        (cache("file-count-limit-percent-if-deleting = '101%'"), "out-of-range", 2, 40),
        (cache("files-total-size-limit-percent-if-deleting = '255%'"), "out-of-range", 2, 46),
        (cache("files-total-size-limit-percent-if-deleting = '256%'"), "overflow", 2, 46),
        (cache("files-total-size-limit-percent-if-deleting = '-1%'"), "invalid-value", 2, 46),
        (cache("file-count-soft-limit = '18446744073709551616'"), "overflow", 2, 25),
        ("cache = { foo = 1 }", "unknown-key", 1, 11),
        ("cache.'foo' = 1", "unknown-key", 1, 7),
        ("cache . foo . bar = 1", "unknown-key", 1, 9),
        ("\ufeff[cache]\nfoo = 1", "unknown-key", 2, 1),
        ("\ufefffoo.bar = 1\n[cache]", "unknown-key", 1, 1),
    ],
    ids=lambda part: ascii(part)[:60],
)
def test_each_refusal_has_its_code_and_place(text, code, line, column):
    config = read(text)
    problem = next(p for p in config.problems if p.code == code)
    assert (problem.line, problem.column) == (line, column)
    assert set(codes(config)) <= {code, "cache-missing"}
    assert len(codes(config)) == len(set(codes(config)))
    assert not config.valid
    assert config.accepted_by == (["<=32"] if code == "enabled-refused" else [])
    assert problem.severity == "error"
    assert problem.remedy
    place = "" if problem.line is None else "line %d, column %d: " % (problem.line, problem.column)
    assert problem.sentence() == "%s%s; %s" % (place, problem.message, problem.remedy)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (
            ["cleanup-interval = '60'"],
            ('line 2, column 20: cleanup-interval = "60" has no unit; write "60s" or "1m"'),
        ),
        (
            ["cleanup-interval = 60"],
            ('line 2, column 20: cleanup-interval must be a string; write "60s" or "1m" with quotes'),
        ),
        (
            ["cleanup_interval = '1h'"],
            'line 2, column 1: "cleanup_interval" is not a setting of [cache]; write cleanup-interval',
        ),
        (
            ["cleanup-intervl = '1h'"],
            'line 2, column 1: "cleanup-intervl" is not a setting of [cache]; did you mean cleanup-interval?',
        ),
        (["zzz = '1h'"], 'line 2, column 1: "zzz" is not a setting of [cache]; remove it'),
        (
            ["directory = '~/x'"],
            (
                'line 2, column 13: directory = "~/x" is not absolute: the engine expands neither ~ nor variables;'
                ' write an absolute path, like "/var/cache/wasmtime"'
            ),
        ),
        (
            ["enabled = false"],
            (
                "line 2, column 1: enabled is refused by Wasmtime 33 and later;"
                " switch the cache off in the program: pass -C cache=n to wasmtime, set DISABLE_WASMTIME_CACHE=1 for Spin"
                " or EXTISM_CACHE_CONFIG= (empty) for Extism; no file can do that for Wasmtime 33 and later, and"
                " removing this line, or the file at the default path, switches the cache on"
            ),
        ),
        (
            ["enabled = true"],
            (
                "line 2, column 1: enabled is refused by Wasmtime 33 and later;"
                " remove the line: the cache is on without it"
            ),
        ),
        (
            ["baseline-compression-level = 21"],
            (
                "line 2, column 30: baseline-compression-level (21) is higher than optimized-compression-level (20),"
                " the default; set both, with optimized-compression-level not below baseline-compression-level"
            ),
        ),
        (
            ["optimized-compression-level = 2"],
            (
                "line 2, column 31: optimized-compression-level (2) is lower than baseline-compression-level (3),"
                " which is the default; set both, with optimized-compression-level not below baseline-compression-level"
            ),
        ),
        (
            ["baseline-compression-level = 5", "optimized-compression-level = 4"],
            (
                "line 3, column 31: optimized-compression-level (4) is lower than baseline-compression-level (5);"
                " set both, with optimized-compression-level not below baseline-compression-level"
            ),
        ),
        (
            ["optimized-compression-level = 22"],
            ("line 2, column 31: optimized-compression-level = 22 is outside 0..21; write a number from 0 to 21"),
        ),
    ],
)
def test_sentences_say_where_what_and_what_would_be_right(lines, sentence):
    assert the_problem(read(cache(*lines))).sentence() == sentence


def test_a_problem_as_the_modules_return_it():
    assert the_problem(read(cache("cleanup-interval = '60'"))).as_dict() == {
        "code": "invalid-value",
        "severity": "error",
        "setting": "cleanup-interval",
        "value": "60",
        "line": 2,
        "column": 20,
        "message": 'cleanup-interval = "60" has no unit',
        "remedy": 'write "60s" or "1m"',
    }


@pytest.mark.parametrize(
    ("line", "value"),
    [("baseline-compression-level = true", "true"), ("cleanup-interval = 60", "60"), ("directory = []", "[]")],
)
def test_values_of_any_type_are_returned_as_text(line, value):
    assert the_problem(read(cache(line))).value == value


# Dangers and warnings


@pytest.mark.parametrize(
    ("lines", "code", "severity"),
    [
        (["worker-event-queue-size = '0'"], "small-queue", "warning"),
        (["worker-event-queue-size = '2'"], "small-queue", "warning"),
        (["worker-event-queue-size = '1G'"], "queue-memory", "danger"),
        (["file-count-soft-limit = '0'"], "empties-itself", "warning"),
        (["files-total-size-soft-limit = '0K'"], "empties-itself", "warning"),
        (["file-count-limit-percent-if-deleting = '0%'"], "empties-itself", "warning"),
        (["files-total-size-limit-percent-if-deleting = '0%'"], "empties-itself", "warning"),
        (["files-total-size-soft-limit = '235Pi'"], "limit-overflow", "danger"),
        (["file-count-soft-limit = '263524915338707881'"], "limit-overflow", "danger"),
        (
            ["file-count-soft-limit = '%d'" % (U64_MAX // 2 + 1), "file-count-limit-percent-if-deleting = '2%'"],
            "limit-overflow",
            "danger",
        ),
        (["allowed-clock-drift-for-files-from-future = '9223372036854775807s'"], "clock-overflow", "danger"),
    ],
)
def test_what_is_taken_and_hurts_later_is_told(lines, code, severity):
    config = read(cache(*lines))
    problem = the_problem(config)
    assert (problem.code, problem.severity) == (code, severity)
    assert problem.setting == lines[0].split(" ")[0]
    assert (problem.line, problem.column) == (2, lines[0].index("'") + 1)
    assert config.valid
    assert config.accepted_by == LATER


@pytest.mark.parametrize(
    "lines",
    [
        ["worker-event-queue-size = '3'"],
        ["worker-event-queue-size = '%d'" % (HOST.memory // 40)],
        ["files-total-size-soft-limit = '234Pi'"],
        ["file-count-soft-limit = '263524915338707880'"],
        ["file-count-soft-limit = '%d'" % U64_MAX, "file-count-limit-percent-if-deleting = '1%'"],
        ["file-count-soft-limit = '%d'" % (U64_MAX // 2), "file-count-limit-percent-if-deleting = '2%'"],
        ["allowed-clock-drift-for-files-from-future = '%ds'" % (2**63 - 1 - HOST.now)],
        ["cleanup-interval = '%ds'" % U64_MAX],
    ],
    ids=str,
)
def test_the_last_harmless_value_is_no_problem(lines):
    assert codes(read(cache(*lines))) == []


@pytest.mark.parametrize(
    "line",
    [
        "worker-event-queue-size = '%d'" % (HOST.memory // 40 + 1),
        "allowed-clock-drift-for-files-from-future = '%ds'" % (2**63 - HOST.now),
    ],
)
def test_the_first_harmful_value_is_a_danger(line):
    assert the_problem(read(cache(line))).severity == "danger"


def test_the_remedy_for_an_overflowing_limit_is_itself_right():
    problem = the_problem(read(cache("files-total-size-soft-limit = '300Pi'")))
    assert problem.remedy == 'write a smaller limit: at 70% at most "263524915338707880" ("234Pi")'
    assert codes(read(cache("files-total-size-soft-limit = '234Pi'"))) == []


def test_no_limit_is_multiplied_by_a_percent_out_of_range():
    config = read(cache("file-count-soft-limit = '%d'" % U64_MAX, "file-count-limit-percent-if-deleting = '101%'"))
    assert codes(config) == ["out-of-range"]


# Differences between versions


@pytest.mark.parametrize(
    ("dialects", "lines", "wanted"),
    [
        (OLD, [], ["enabled-missing"]),
        (OLD, ["enabled = true"], []),
        (OLD, ["enabled = false"], []),
        (OLD, ["enabled = 'true'"], ["wrong-type"]),
        (OLD, ["enabled = 1"], ["wrong-type"]),
        (D, ["enabled = true"], ["enabled-refused"]),
        (E, ["enabled = true"], ["enabled-refused"]),
        (F, ["enabled = 'x'"], ["enabled-refused"]),
        (DIALECTS, [], ["enabled-missing"]),
        (DIALECTS, ["enabled = true"], ["enabled-refused"]),
        (D, [], []),
        (E, [], []),
        (F, [], []),
    ],
)
def test_enabled_is_mandatory_up_to_32_and_refused_later(dialects, lines, wanted):
    config = read(cache(*lines), dialects)
    assert codes(config) == wanted
    assert config.accepted_by == (
        LATER if not lines else ["<=32"] if lines in (["enabled = true"], ["enabled = false"]) else []
    )


def test_a_setting_without_the_line_above_it_is_told_where_it_belongs():
    remedies = {p.value or p.message: p.remedy for p in read("cleanup-interval = '1h'\nzzz = 1\n").problems}
    assert remedies == {
        '"cleanup-interval" is not known at the top level': "write the line [cache] above it",
        '"zzz" is not known at the top level': "remove it: the only table is [cache]",
        "the table [cache] is missing": "add a line [cache]",
    }


def test_where_enabled_is_mandatory_its_place_and_spelling_are_told():
    remedies = [p.remedy for p in read("enabled = true\n[cache]\n", OLD).problems]
    assert remedies == ["move it into the table [cache]", "add enabled = true"]
    remedies = [p.remedy for p in read(cache("Enabled = true"), OLD).problems]
    assert remedies == ["write enabled", "add enabled = true"]
    assert [p.remedy for p in read(cache("Enabled = true")).problems] == ["remove it"]


@pytest.mark.parametrize(
    ("value", "remedy"),
    [("false", "switch the cache off"), ("0", "remove the line"), ("'false'", "remove the line")],
)
def test_only_what_switches_the_cache_off_needs_another_switch(value, remedy):
    problem = the_problem(read(cache("enabled = %s" % value)))
    assert (problem.code, problem.line, problem.column) == ("enabled-refused", 2, 1)
    assert problem.remedy.startswith(remedy)


def test_where_no_file_suits_all_versions_the_remedy_says_so():
    for lines in ([], ["enabled = true"]):
        assert "no file suits both" in the_problem(read(cache(*lines), DIALECTS)).remedy
    assert "no file suits both" not in the_problem(read(cache(), OLD)).remedy
    other = the_problem(read(cache("enabled = true", "zzz = 1"), OLD))
    assert other.code == "unknown-key"
    _enabled, same = read(cache("enabled = true", "zzz = 1"), DIALECTS).problems
    assert same.sentence() == other.sentence()


@pytest.mark.parametrize(
    ("text", "wrapped"),
    [
        ("307445734561825861m", 44),
        ("%dm" % U64_MAX, U64_MAX * 60 % 2**64),
        ("%dd" % U64_MAX, U64_MAX * 86400 % 2**64),
        ("5124095576030432h", 5124095576030432 * 3600 % 2**64),
    ],
)
def test_long_durations_wrap_before_48_and_are_refused_from_48_on(text, wrapped):
    document = cache("cleanup-interval = '%s'" % text)
    before = read(document, D)
    assert the_problem(before).code == "duration-wraps"
    assert the_problem(before).severity == "danger"
    assert (the_problem(before).line, the_problem(before).column) == (2, 20)
    assert before.effective["cleanup-interval"] == wrapped
    for dialects in (E, F, CURRENT):
        later = read(document, dialects)
        assert codes(later) == ["overflow"]
        assert later.effective["cleanup-interval"] is None
    assert before.accepted_by == later.accepted_by == ["33-47"]
    old = read(cache("enabled = true", "cleanup-interval = '%s'" % text), OLD)
    assert codes(old) == ["duration-wraps"]
    assert old.accepted_by == ["<=32"]


def test_a_wrapped_drift_is_judged_by_what_it_becomes():
    far = "allowed-clock-drift-for-files-from-future = '%dm'" % ((2**64 + 2**63) // 60)
    assert codes(read(cache(far), D)) == ["duration-wraps", "clock-overflow"]


@needs_1_0
@needs_1_1
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("cache = {\n}\n", (1, 10)),
        ('[cache]\ndirectory = "/\\e"\n', None),
        ('[cache]\ndirectory = "/\\x41"\n', None),
        ("cache = { cleanup-interval = '1h', }", None),
    ],
)
def test_toml_1_1_is_for_49_and_later_and_for_some_programs_with_39_to_48(text, place):
    assert codes(read(text, F)) == []
    for dialects in (C, D, E, CURRENT):
        config = read(text, dialects)
        problem = the_problem(config)
        assert problem.code == ("toml-syntax" if dialects == C else "toml-grammar")
        assert problem.message.startswith("valid TOML 1.1, but not TOML 1.0: ")
        assert problem.remedy.startswith("write it in TOML 1.0: ")
        assert not config.valid
        assert config.accepted_by == WITH_1_1
        assert place is None or (problem.line, problem.column) == place
        assert config.effective


@needs_1_0
@needs_1_1
@pytest.mark.parametrize("major", ["39", "47", "48"])
def test_where_the_program_is_known_its_grammar_decides(major):
    (dialect,) = (for_version(major),)
    text = "cache = { cleanup-interval = '1h', }"
    assert dialect.grammars == ("1.0", "1.1")
    assert read(text, [dialect._replace(grammars=("1.1",))]).valid
    assert codes(read(text, [dialect._replace(grammars=("1.0",))])) == ["toml-syntax"]


@needs_1_0
@needs_1_1
def test_a_mistake_by_every_grammar_comes_before_one_by_the_older_only():
    text = "cache = {\n  cleanup-interval = '1h',\n  directory = /d,\n}\n"
    for dialects in (D, E, CURRENT):
        problem = the_problem(read(text, dialects))
        assert (problem.code, problem.line) == ("toml-syntax", 3)


@needs_1_0
@needs_1_1
def test_a_long_duration_in_toml_1_1_is_for_some_programs_before_48():
    config = read("cache = { cleanup-interval = '307445734561825861m', }", D)
    assert codes(config) == ["toml-grammar", "duration-wraps"]
    assert config.accepted_by == ["39-47 with TOML 1.1"]


@pytest.mark.parametrize("number", ["+_3", "-_0", "+_03"])
def test_an_underscore_after_a_sign_depends_on_the_build(number):
    """Official builds of 39 to 48 take it, others with these versions do not."""
    for dialects in (D, E, CURRENT):
        config = read(cache("baseline-compression-level = %s" % number), dialects)
        problem = the_problem(config)
        assert (problem.code, problem.line) == ("toml-syntax", 2)
        assert problem.remedy.startswith("write the number without the underscore after its sign")
        assert config.accepted_by == []


@needs_1_0
@needs_1_1
def test_what_1_1_reads_is_judged_even_where_1_0_refuses_it():
    config = read("cache = {\n  foo = 1,\n  directory = 'x',\n}\n")
    assert codes(config) == ["toml-grammar", "unknown-key", "directory-relative"]
    assert [(p.line, p.column) for p in config.problems[1:]] == [(2, 3), (3, 15)]
    assert config.accepted_by == []


@needs_1_1
@pytest.mark.parametrize(
    "text", ["cache = {\n}", "cache = {cleanup-interval = '1h', }", 'cache = {"cleanup-int\\x65rval" = "1h"}']
)
def test_without_a_parser_for_1_0_what_may_be_newer_is_not_proven(text):
    config = read(text, D, library=Library([lambda: reader("a = {b = 1,}")]))
    assert codes(config) == ["toml-unproven"]
    assert not config.valid
    assert config.accepted_by == WITH_1_1
    assert codes(read(text, F, library=Library([lambda: reader("a = {b = 1,}")]))) == []


@pytest.mark.parametrize(
    "text", ["[cache]", "cache = {}", "cache = {cleanup-interval = '1h'} # {, }", "# \\e {\n[cache]\n# 1:20\n"]
)
def test_without_a_parser_for_1_0_all_else_is_proven(text):
    config = read(text, D, library=only("1.1"))
    assert (codes(config), config.accepted_by) == ([], LATER)


def test_without_a_parser_for_1_1_new_syntax_cannot_be_told():
    config = read("cache = {\n}", F, library=only("1.0"))
    assert codes(config) == ["toml-syntax"]
    assert "this host has no tomli 2.4 or newer to find out whether TOML 1.1 allows it" in config.problems[0].message
    assert config.accepted_by == []
    assert codes(read("cache = {}", F, library=only("1.0"))) == []


def test_without_a_library_reading_raises():
    with pytest.raises(NoLibrary):
        read("[cache]", library=Library([missing]))


# Several problems


def test_all_problems_are_told_in_the_order_of_engines_before_39():
    text = (
        "top = 1\n"
        "[cache]\n"
        "enabled = true\n"
        "file-count-limit-percent-if-deleting = '101%'\n"
        "foo = 1\n"
        "worker-event-queue-size = '1'\n"
        "cleanup-interval = '1'\n"
        "baseline-compression-level = 99\n"
        "directory = 'x'\n"
        "file-count-soft-limit = '0'\n"
    )
    assert [(p.code, p.line) for p in read(text, C).problems] == [
        ("unknown-key", 1),
        ("enabled-refused", 3),
        ("unknown-key", 5),
        ("invalid-value", 7),
        ("directory-relative", 9),
        ("small-queue", 6),
        ("out-of-range", 8),
        ("out-of-range", 4),
        ("empties-itself", 10),
    ]


def test_engines_since_39_meet_keys_in_alphabetical_order():
    text = cache("foo = 1", "directory = 1", "cleanup-interval = 1") + "[b]\n[a]\n"
    assert [p.line for p in read(text, C).problems] == [2, 3, 4, 5, 6]
    # The newest of several decides.
    for dialects in (D, F, CURRENT, (*C, *D)):
        assert [p.line for p in read(text, dialects).problems] == [6, 5, 4, 3, 2]


def test_a_file_of_something_else_has_a_limited_list_of_problems():
    top = "".join("k%d = 1\n" % number for number in range(500))
    for text in (top, "[cache]\n" + top, top + "[cache]\n" + top):
        config = read(text)
        assert len(config.problems) <= MAX_PROBLEMS + 5
        assert any("more unknown key" in problem.message for problem in config.problems)
        assert not config.valid


def test_what_is_wrong_with_known_settings_is_listed_beyond_the_limit():
    """Only unknown keys are counted and not listed, at the top level and below it."""
    below = "".join("k%d = 1\n" % number for number in range(99))
    text = "a = 1\nb = 1\n[cache]\n%scleanup-interval = '1'\nl = 1\nm = 1\n" % below
    problems = read(text, C).problems
    assert [(p.code, p.line) for p in problems[:2]] == [("unknown-key", 1), ("unknown-key", 2)]
    assert [(p.code, p.line) for p in problems[2:100]] == [("unknown-key", number) for number in range(4, 102)]
    assert [(p.code, p.line, p.message) for p in problems[100:]] == [
        ("invalid-value", 103, 'cleanup-interval = "1" has no unit'),
        ("unknown-key", None, "3 more unknown keys"),
    ]


def test_an_invalid_value_is_effective_nowhere():
    config = read(
        cache(
            "cleanup-interval = '1'",
            "directory = 1",
            "optimized-compression-level = 'x'",
            "worker-event-queue-size = 1",
            "file-count-soft-limit = ''",
        )
    )
    assert {name for name, value in config.effective.items() if value is None} == {
        "cleanup-interval",
        "directory",
        "optimized-compression-level",
        "worker-event-queue-size",
        "file-count-soft-limit",
    }


def test_a_user_without_home_needs_a_directory():
    host = HOST._replace(default_directory=lambda: None)
    problem = the_problem(read(cache(), host=host))
    assert (problem.code, problem.setting, problem.line, problem.column) == ("no-home", None, 1, 2)
    assert codes(no_config(CURRENT, host)) == ["no-home"]
    assert codes(read(cache("directory = '/x'"), host=host)) == []
    assert read(cache(), host=host).effective["directory"] is None


def test_the_default_directory_is_looked_up_only_if_needed():
    def fail():
        raise AssertionError

    host = Host(fail, HOST.memory, HOST.now)
    assert codes(read(cache("directory = '/x'"), host=host)) == []


def test_a_relative_default_directory_is_refused_like_any_other():
    host = HOST._replace(default_directory=lambda: "home/.cache/wasmtime")
    problem = the_problem(read(cache(), host=host))
    assert (problem.code, problem.line) == ("directory-relative", 1)


BAD = {
    "path": {"1": "wrong-type", "true": "wrong-type"},
    "count": {"16": "wrong-type", "'x'": "invalid-value", "'99999999999999999999'": "overflow"},
    "size": {"1.5": "wrong-type", "'1KB'": "invalid-value", '"""\n9999999Pi"""': "overflow"},
    "duration": {"[]": "wrong-type", "'60'": "invalid-value", "'''\n1w'''": "invalid-value"},
    "percent": {"70": "wrong-type", "'70'": "invalid-value", "'300%'": "overflow"},
    "level": {"'3'": "wrong-type", "3.0": "wrong-type", "99999999999": "overflow"},
}
UNKNOWN = {"foo": "unknown-key", "cleanup_interval": "unknown-key", "enabled": "enabled-refused"}


@st.composite
def mixed_values(draw, key):
    if key in UNKNOWN:
        return draw(st.sampled_from(["1", "true", "'''\nx\n'''"]))
    bad = st.sampled_from(sorted(BAD[SETTINGS[key].kind.name]))
    return draw(bad | good_values(key))


STYLES = ("header", "dotted", "inline") + (("inline-1.1",) if READS_1_1 else ())


@given(documents(STYLES, values=mixed_values, known=(*KNOWN_TO_ALL, *UNKNOWN)), st.booleans())
@settings(max_examples=200)
def test_every_problem_of_a_messy_document_stands_where_it_was_put(document, bom):
    wanted = []
    for pair in document.pairs:
        raw = document.text[slice(*pair.value)].replace("\r\n", "\n")
        if pair.key in UNKNOWN:
            wanted.append((UNKNOWN[pair.key], pair.key, *document.place(pair.key_at)))
        elif raw in BAD[SETTINGS[pair.key].kind.name]:
            code = BAD[SETTINGS[pair.key].kind.name][raw]
            wanted.append((code, pair.key, *document.place(pair.value[0])))
    for dialects in (C, F) if document.style != "inline-1.1" and provable(document.text) else (F,):
        config = read(("\ufeff" if bom else "") + document.text, dialects)
        assert config.bom is bom
        assert [(p.code, p.setting, p.line, p.column) for p in config.problems if p.code != "directory-line-break"] == (
            wanted if dialects is C else sorted(wanted, key=lambda problem: problem[1])
        )
        assert config.valid is not bool(wanted)


# No input breaks it


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"x = " + b"[" * 50_000)
@example(b"[cache]\nx = " + b"9" * 10_000)
@example(b"[cache]\nbaseline-compression-level = " + b"9" * 10_000)
@example(b"[cache]\nbaseline-compression-level = 0x" + b"f" * 10_000)
@example(b"cache" + b".a" * 400 + b" = 1")
@example(b"[cache]\n" + b"\xef\xbb\xbf")
@example(b"cache = {" + b"a={" * 90 + b"}" * 90 + b"}")
def test_no_bytes_raise_or_are_valid_without_being_toml(data):
    assert_sound(data, CURRENT)
    assert_sound(data, OLD)


PIECES = [
    "[cache]",
    "cache",
    "=",
    " ",
    "\n",
    "\r\n",
    "{",
    "}",
    "[",
    "]",
    ",",
    ".",
    "'",
    '"',
    "'''",
    '"""',
    "#",
    "\\",
    "1",
    "'1h'",
    "true",
]
PIECES += [*SETTINGS, "enabled", "\ufeff", "\x00", "é", "1979-05-27", "12:30", "nan"]


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
@settings(max_examples=150)
def test_no_heap_of_toml_pieces_raises_or_is_valid_without_being_toml(text):
    assert_sound(text.encode("utf-8"), CURRENT)


def assert_sound(data, dialects):
    config = read(data, dialects)
    assert config.valid or config.problems
    for problem in config.problems:
        assert "\n" not in problem.sentence()
        assert problem.line is None or problem.line >= 1
    if config.valid:
        text = data.decode("utf-8")
        text = text[1:] if text.startswith("\ufeff") else text
        assert isinstance(parse(reader(text), text)["cache"], dict)


@given(documents(STYLES), st.data())
def test_a_broken_document_is_never_valid_without_being_toml(document, data):
    at = data.draw(st.integers(0, len(document.text)))
    cut = data.draw(st.integers(0, 5))
    text = document.text[:at] + data.draw(st.sampled_from(PIECES)) + document.text[at + cut :]
    try:
        parse(reader(text), text)
        toml = True
    except TomlError:
        toml = False
    config = read(text, F)
    assert toml or not config.valid
    assert_sound(text.encode("utf-8"), F)


def test_a_text_too_complex_for_places_still_has_its_problems():
    config = read("[cache]\nx = [\n" + "[1],\n" * 3000 + "]\nfoo = 1\n")
    assert codes(config) == ["unknown-key", "unknown-key"]


# What looks like something else


@pytest.mark.parametrize(
    ("directory", "found"),
    [
        ("/home/$USER/.cache", "$USER"),
        ("/home/${USER}/.cache", "${USER}"),
        ("/home/$(whoami)/.cache", "$(whoami)"),
        ("/srv/{tenant_id}/cache", "{tenant_id}"),
        ("/srv/{{ tenant }}/cache", "{{ tenant }}"),
        ("/srv/{% raw %}/cache", "{% raw %}"),
        ("/var/cache/app-%i", "%i"),
        ("/var/cache/%h/x", "%h"),
        ("/var/cache/%USER%", "%USER%"),
        ("/srv/<name>/cache", "<name>"),
        ("/srv/<your name>", "<your name>"),
        ("/srv/@TENANT@/cache", "@TENANT@"),
        ("/home/ci/~/.cache", "~"),
        ("/home/~ci/.cache", "~ci"),
    ],
)
def test_what_nobody_expands_is_a_warning(directory, found):
    config = read(cache("directory = '%s'" % directory))
    problem = the_problem(config)
    assert (problem.code, problem.severity, problem.line, problem.column) == ("directory-placeholder", "warning", 2, 13)
    assert '"%s"' % found in problem.message
    assert config.valid
    assert config.effective["directory"] == directory


@pytest.mark.parametrize(
    "directory",
    [
        "/srv/caf%C3%A9/a%20b/%2F/%aF/%e4b%20",
        "/srv/100%/50%-x/C$/cost$/$/$5",
        "/srv/backup~/x~/~1/a~b/file~ci",
        "/srv/{3F2504E0-4F89-11D3-9A0C-0305E82C3301}/{F2504E0A-4F89-11D3-9A0C-0305E82C3301}/{}/{0}",
        "/srv/a<b/a>b/<3/jo@host@x/@scope/pkg@1.2@",
        "/srv/a{b/c}d/#{}",
    ],
)
def test_names_of_files_are_no_placeholders(directory):
    assert codes(read(cache("directory = '%s'" % directory))) == []


def test_a_default_directory_is_as_the_system_says():
    host = HOST._replace(default_directory=lambda: "/home/$USER/.cache/wasmtime")
    assert codes(read(cache(), host=host)) == []


@pytest.mark.parametrize(
    ("limit", "capacity", "said", "remedy"),
    [
        ("100Ti", 12 * 2**30, "(109951162777600 bytes) is more than", 'like "6Gi"'),
        ("%d" % (2**30 + 1), 2**30, "can hold (1073741824 bytes)", 'like "512Mi"'),
        ("%d" % 2**30, 2**30, None, None),
        ("100Ti", None, None, None),
    ],
)
def test_a_limit_that_the_file_system_cannot_hold_is_a_warning(limit, capacity, said, remedy):
    host = HOST._replace(capacity=lambda directory: capacity if directory == "/d" else 1)
    config = read(cache("directory = '/d'", "files-total-size-soft-limit = '%s'" % limit), host=host)
    assert config.valid
    if said is None:
        assert codes(config) == []
        return
    problem = the_problem(config)
    assert (problem.code, problem.severity, problem.line) == ("limit-beyond-file-system", "warning", 3)
    assert said in problem.message
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (["directory = 'd'"], ["directory-relative"]),
        (['directory = "/d\\u0000"'], ["directory-nul"]),
        (["directory = 1"], ["wrong-type"]),
        (["directory = '/d'", "files-total-size-soft-limit = '1'"], []),
        (["directory = '/d'", "files-total-size-soft-limit = '0'"], ["empties-itself"]),
        (["directory = '/d'", "files-total-size-soft-limit = '2'"], ["limit-beyond-file-system"]),
        (["directory = '/d'", "files-total-size-soft-limit = '235Pi'"], ["limit-overflow"]),
        (["directory = '/d'", "files-total-size-soft-limit = 'x'"], ["invalid-value"]),
    ],
)
def test_the_file_system_of_a_directory_that_cannot_be_is_not_asked(lines, wanted):
    """Nor does it limit the number of files."""

    def capacity(directory):
        assert directory == "/d"
        return 1

    assert codes(read(cache(*lines), host=HOST._replace(capacity=capacity))) == wanted


def test_the_queue_may_need_all_of_the_memory():
    host = HOST._replace(memory=40 * 1000)
    assert codes(read(cache("worker-event-queue-size = '1000'"), host=host)) == []
    assert codes(read(cache("worker-event-queue-size = '1001'"), host=host)) == ["queue-memory"]


def test_the_default_limit_may_be_too_large_too():
    config = read(cache("directory = '/d'"), host=HOST._replace(capacity=lambda _directory: 2**28))
    assert codes(config) == ["limit-beyond-file-system"]
    assert the_problem(config).remedy == 'write a smaller limit, like "128Mi"'


@pytest.mark.parametrize(
    ("text", "words", "place"),
    [
        ("[codegen]\ncache = true\n[wasm]\nfuel = 10\n", "wasmtime run --config ([codegen], [wasm])", (1, 2)),
        ("[optimize]\nopt-level = 2\n", "[optimize]", (1, 2)),
        ("cache = true\n[wasi]\nhttp = true\n", "[wasi]", (2, 2)),
        ("spin_manifest_version = 2\n[application]\nname = 'x'\n", "Spin manifest", None),
        ("spin_version = '1'\n", "Spin manifest", (1, 1)),
        ("[key_value_store.default]\ntype = 'redis'\n", "runtime config of Spin", (1, 2)),
        ("cache = []\n[package]\nname = 'x'\n", "Cargo.toml", (2, 2)),
        ("[dependencies]\nwasmtime = '42'\n", "Cargo.toml", (1, 2)),
        ("[build-system]\nrequires = []\n", "pyproject.toml", (1, 2)),
        ("\n [project]\nname = 'x'\n", "pyproject.toml", (2, 3)),
        ("version = 2\n[plugins.'io.containerd.grpc.v1.cri']\nx = 1\n", "containerd", None),
    ],
)
@pytest.mark.parametrize("dialects", [OLD, D, F, CURRENT])
def test_another_file_is_recognised_by_one_problem(text, words, place, dialects):
    config = read(text, dialects)
    problem = the_problem(config)
    assert (problem.code, problem.severity, problem.setting) == ("not-a-cache-config", "error", None)
    assert words in problem.message
    assert problem.line is not None
    assert place is None or (problem.line, problem.column) == place
    assert config.accepted_by == []
    assert config.effective == {}


def test_another_file_that_has_a_cache_table_too_is_judged_as_one():
    assert codes(read("[cache]\n[codegen]\ncache = true\n")) == ["unknown-key"]
    assert "[codegen]" in the_problem(read("cache = true\n")).remedy
    assert "[codegen]" not in the_problem(read("cache = 1\n")).remedy


def test_a_file_of_2019_has_one_problem():
    lines = (
        "worker-event-queue-size = 16",
        "cleanup-interval-in-seconds = 3600",
        "optimizing-compression-task-timeout-in-seconds = 1800",
        "files-count-soft-limit = 65536",
        "files-total-size-soft-limit = 536870912",
        "files-count-limit-percent-if-deleting = 70",
    )
    problem = the_problem(read(cache(*lines)))
    assert problem.code == "unknown-key"
    assert problem.message.startswith(
        "the file has settings of 2019 that Wasmtime no longer has: cleanup-interval-in-seconds, "
    )
    assert "replace them with cleanup-interval, optimizing" in problem.remedy
    assert (problem.line, problem.column) == (3, 1)
    # What was wrong then is still said.
    assert codes(read(cache("baseline-compression-level = 22", *lines))) == ["unknown-key", "out-of-range"]
    # A text in a file of that year is judged like any other; a setting's number is not, and has no value.
    config = read(cache(lines[1], "file-count-soft-limit = '1x'", "worker-event-queue-size = 16"))
    assert codes(config) == ["unknown-key", "invalid-value"]
    assert config.effective["worker-event-queue-size"] is None
    # Before 39, too, the first of them has the place.
    problem = the_problem(read(cache(*reversed(lines[1:4])), C))
    assert (problem.line, problem.column) == (2, 1)
    # The numbers alone are no sign of that year.
    assert codes(read(cache(lines[0]))) == ["wrong-type"]
