# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What problems say in whole sentences, with the values that are worked out for them."""

from __future__ import annotations

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import (
    MAX_BYTES,
    Finding,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.problems import (
    Problem,
    sentence_on,
    to_problem,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import (
    KINDS,
    SETTINGS,
    BadValue,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.values import base_value
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import CURRENT
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils._config.test_check import (
    OLD,
    D,
    cache,
    read,
    the_problem,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.documents import HOST

COUNT, SIZE, DURATION, PERCENT = (
    SETTINGS[name]
    for name in (
        "file-count-soft-limit",
        "files-total-size-soft-limit",
        "cleanup-interval",
        "file-count-limit-percent-if-deleting",
    )
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "line 1, column 1: the table [cache] is missing; add a line [cache]"),
        (
            "cache = 1",
            (
                "line 1, column 9: cache is an integer, not a table; write a line [cache] and each setting on a line of its own"
                " below it"
            ),
        ),
        (
            "cache = true",
            (
                "line 1, column 9: cache is a boolean, not a table; write a line [cache] and each setting on a line of its own"
                " below it; cache = true is for [codegen] of a file for wasmtime run --config"
            ),
        ),
        (b"\xe9", "line 1, column 1: byte 0xe9 is not valid UTF-8; save the file as UTF-8"),
        (
            "#" * (MAX_BYTES + 1),
            "the file has 65537 bytes, and at most 65536 are read; name the cache config, which has a few hundred bytes",
        ),
        (
            "[codegen]\n[wasm]\n",
            (
                "line 1, column 2: the file is not a cache config: it has options of wasmtime run --config ([codegen], [wasm]);"
                " put the settings of the cache under [cache] into a file of their own, and name that one: with"
                ' cache-config = "FILE" in [codegen], or with -C cache-config=FILE'
            ),
        ),
        (
            "spin_manifest_version = 2",
            (
                "line 1, column 1: the file is not a cache config but a Spin manifest (spin.toml);"
                " set path to the cache config; Spin takes it from spin up --cache FILE"
            ),
        ),
        (
            "[llm_compute]",
            (
                "line 1, column 2: the file is not a cache config but a runtime config of Spin;"
                " set path to the cache config; Spin takes it from spin up --cache FILE"
            ),
        ),
        (
            "[package]",
            "line 1, column 2: the file is not a cache config but a Cargo manifest (Cargo.toml); set path to the cache config",
        ),
        (
            "[project]",
            (
                "line 1, column 2: the file is not a cache config but a Python project (pyproject.toml);"
                " set path to the cache config"
            ),
        ),
        (
            "[plugins]",
            "line 1, column 2: the file is not a cache config but a config of containerd; set path to the cache config",
        ),
        (
            cache('directory = "/\\u0000"'),
            'line 2, column 13: directory = "/\\x00" has a NUL character; write an absolute path, like "/var/cache/wasmtime"',
        ),
        (
            cache("directory = 'x'"),
            'line 2, column 13: directory = "x" is not absolute; write an absolute path, like "/var/cache/wasmtime"',
        ),
        (
            cache("directory = '/%s'" % ("x" * 256)),
            'line 2, column 13: directory = "/%s...%s" is too long;'
            " use a path of at most 4095 bytes in which no name has more than 255" % ("x" * 58, "x" * 14),
        ),
        (
            cache("directory = '/$USER'"),
            (
                'line 2, column 13: directory = "/$USER" has the placeholder "$USER", which Wasmtime does not expand: it creates'
                " a directory of this name; write the path that is meant"
            ),
        ),
        (
            cache("directory = [1]"),
            (
                "line 2, column 13: directory = [1] is an array, not a string; write an absolute path in quotes, like"
                ' "/var/cache/wasmtime"'
            ),
        ),
        (
            cache("baseline-compression-level = '3'"),
            (
                'line 2, column 30: baseline-compression-level = "3" is a string, not an integer;'
                " write a whole number from 0 to 21 without quotes, like 3"
            ),
        ),
        (
            cache("baseline-compression-level = 2147483648"),
            (
                "line 2, column 30: baseline-compression-level = 2147483648 is out of range;"
                " write a whole number from 0 to 21 without quotes, like 3"
            ),
        ),
        (
            cache("cleanup-interval = 1.5"),
            (
                "line 2, column 20: cleanup-interval = 1.5 is a float, not a string;"
                ' write a whole number followed by s, m, h or d, like "1h" with the quotes'
            ),
        ),
        (
            cache("file-count-soft-limit = 100000"),
            'line 2, column 25: file-count-soft-limit must be a string; write "100000" with quotes',
        ),
        (
            cache("file-count-soft-limit = ''"),
            (
                'line 2, column 25: file-count-soft-limit = "" is empty;'
                ' write a whole number, alone or followed by K, M, G, T or P, like "100K"'
            ),
        ),
        (
            cache("file-count-limit-percent-if-deleting = '101%'"),
            'line 2, column 40: file-count-limit-percent-if-deleting = "101%" is more than 100%; write 0% to 100%, like "70%"',
        ),
        (
            cache("worker-event-queue-size = '2'"),
            (
                'line 2, column 27: worker-event-queue-size = "2" is small: events, and with them usage counts, get lost;'
                " write 3 or more"
            ),
        ),
        (
            cache("worker-event-queue-size = '1G'"),
            (
                'line 2, column 27: worker-event-queue-size = "1G" makes the process allocate 40000000000 bytes at load and abort:'
                ' the host has 17179869184 bytes; write a smaller size, like "1K"'
            ),
        ),
        (
            cache("file-count-soft-limit = '0'"),
            'line 2, column 25: file-count-soft-limit = "0" makes every cleanup delete the whole cache; write more than 0',
        ),
        (
            cache("file-count-soft-limit = '263524915338707881'"),
            (
                "line 2, column 25: file-count-soft-limit times file-count-limit-percent-if-deleting is more than 2^64-1:"
                ' from Wasmtime 15 on, the process aborts at its first cleanup; write a smaller limit: at 70% at most "263524915338707880"'
            ),
        ),
        (
            cache("files-total-size-soft-limit = '10Pi'", "files-total-size-limit-percent-if-deleting = '100%'"),
            None,
        ),
        (
            cache("files-total-size-soft-limit = '1000Pi'", "files-total-size-limit-percent-if-deleting = '17%'"),
            (
                "line 2, column 31: files-total-size-soft-limit times files-total-size-limit-percent-if-deleting is more than"
                ' 2^64-1: from Wasmtime 15 on, the process aborts at its first cleanup; write a smaller limit: at 17% at most "1085102592571150095"'
                ' ("963Pi")'
            ),
        ),
        (
            cache("allowed-clock-drift-for-files-from-future = '9223372036854775807s'"),
            (
                'line 2, column 45: allowed-clock-drift-for-files-from-future = "9223372036854775807s" reaches beyond the system'
                ' clock\'s range: from Wasmtime 15 on, the process aborts at its first cleanup; write a shorter duration, like "1d"'
            ),
        ),
        (
            cache("files-count-limit-percent-if-deleting = 70", "files-count-soft-limit = 65536"),
            (
                "line 2, column 1: the file has settings of 2019 that Wasmtime no longer has:"
                " files-count-limit-percent-if-deleting, files-count-soft-limit; replace them with"
                " file-count-limit-percent-if-deleting, file-count-soft-limit, whose values are strings, with a unit for durations"
                ' and percentages, like "1h" or "70%"'
            ),
        ),
        (
            cache("files-count-soft-limit = 65536", "cleanup-interval-in-seconds = 60", "file-count-soft-limit = '1K'"),
            (
                "line 3, column 1: the file has settings of 2019 that Wasmtime no longer has: files-count-soft-limit,"
                " cleanup-interval-in-seconds; replace them with cleanup-interval, whose values are strings, with a unit for"
                ' durations and percentages, like "1h" or "70%", and remove those whose new name is there, too'
            ),
        ),
        (
            cache("files-count-soft-limit = 65536", "file-count-soft-limit = '1K'"),
            (
                "line 2, column 1: the file has settings of 2019 that Wasmtime no longer has: files-count-soft-limit;"
                " remove them: the settings of today are there, too"
            ),
        ),
        (
            cache("directory = '%s'" % ("/." * 501)),
            "line 2, column 1: the line has more than 500 dots and is not read; shorten the path or the key in it",
        ),
        ("x = 1\n[cache]", 'line 1, column 1: "x" is not known at the top level; remove it: the only table is [cache]'),
        (
            "directory = '/x'\n[cache]",
            'line 1, column 1: "directory" is not known at the top level; move it into the table [cache]',
        ),
        (
            "cache = {}\ndirectory = '/x'",
            'line 2, column 1: "directory" is not known at the top level; move it into the table [cache]',
        ),
        (
            cache("cleanup_interval = '2h'", "cleanup-interval = '1h'"),
            (
                'line 2, column 1: "cleanup_interval" is not a setting of [cache]; remove it: cleanup-interval is set, too'
            ),
        ),
        (
            cache("cleanup-intervl = '2h'", "cleanup-interval = '1h'"),
            ('line 2, column 1: "cleanup-intervl" is not a setting of [cache]; remove it'),
        ),
    ],
    ids=lambda part: ascii(part)[:60],
)
def test_what_a_problem_says_is_whole(text, sentence):
    assert [problem.sentence() for problem in read(text).problems[:1]] == ([] if sentence is None else [sentence])


@pytest.mark.parametrize(
    ("dialects", "lines", "sentence"),
    [
        (OLD, [], "line 1, column 1: enabled is missing, which Wasmtime up to 32 requires; add enabled = true"),
        (
            OLD,
            ["enabled = 1"],
            "line 2, column 11: enabled is an integer, not a boolean; write true or false without quotes",
        ),
        (
            (*OLD, *D),
            ["enabled = true"],
            (
                "line 2, column 1: enabled is refused by Wasmtime 33 and later; no file suits both Wasmtime up to 32 and later"
                " ones: give each a file of its own"
            ),
        ),
        (
            D,
            ["cleanup-interval = '307445734561825861m'"],
            (
                'line 2, column 20: cleanup-interval = "307445734561825861m" is more than 2^64-1 seconds, and Wasmtime before 48'
                " uses 44s instead; write a shorter duration"
            ),
        ),
        (
            CURRENT,
            ["cleanup-interval = '307445734561825861m'"],
            'line 2, column 20: cleanup-interval = "307445734561825861m" is more than 2^64-1 seconds; write a shorter duration',
        ),
    ],
)
def test_what_differs_between_versions_is_said_with_them(dialects, lines, sentence):
    assert the_problem(read(cache(*lines), dialects)).sentence() == sentence


@pytest.mark.parametrize(
    ("since", "until", "versions"),
    [(60, None, "60 and later"), (None, 40, "up to 40"), (41, 45, "41 to 45")],
)
def test_a_setting_of_other_versions_is_named_with_them(monkeypatch, since, until, versions):
    setting = SETTINGS["cleanup-interval"]._replace(until=until)
    if since is not None:
        setting = setting._replace(since=since)
    monkeypatch.setitem(SETTINGS, setting.name, setting)
    config = read(cache("directory = '/d'", "cleanup-interval = '1h'"))
    problem = the_problem(config)
    assert (problem.code, problem.severity, problem.value) == ("unknown-key", "error", "1h")
    assert problem.sentence() == (
        "line 3, column 1: only Wasmtime %s knows cleanup-interval; remove it, or set wasmtime_version to the version that"
        " reads the file" % versions
    )
    assert setting.name not in config.effective


@pytest.mark.parametrize(
    ("number", "more"),
    [(100, []), (101, ["1 more unknown key"]), (102, ["2 more unknown keys"])],
)
def test_as_many_unknown_keys_as_the_limit_are_listed_and_the_rest_is_counted(number, more):
    problems = read("[cache]\n" + "".join("k%d = 1\n" % key for key in range(number))).problems
    assert [problem.line is not None for problem in problems] == [True] * 100 + [False] * len(more)
    assert [problem.message for problem in problems[100:]] == more


@pytest.mark.parametrize(
    ("capacity", "half"),
    [
        (3, "1"),
        (2**11 - 1, "1023"),
        (2**11, "1Ki"),
        (2**21 - 1, "1023Ki"),
        (2**21, "1Mi"),
        (2**31 - 1, "1023Mi"),
        (2**31, "1Gi"),
        (2**41 - 1, "1023Gi"),
        (2**41, "1Ti"),
        (5 * 2**41 + 2**40, "5Ti"),
        (2**52, "2048Ti"),
    ],
)
def test_half_of_a_file_system_is_advised_in_its_largest_unit(capacity, half):
    host = HOST._replace(capacity=lambda _directory: capacity)
    problem = the_problem(read(cache("files-total-size-soft-limit = '200Pi'"), host=host))
    assert problem.sentence() == (
        "line 2, column 31: files-total-size-soft-limit (225179981368524800 bytes) is more than the file system of the cache"
        " directory can hold (%d bytes): the file system is full before a cleanup begins;"
        ' write a smaller limit, like "%s"' % (capacity, half)
    )
    assert base_value(SIZE, half) <= capacity


@pytest.mark.parametrize(
    ("setting", "value", "remedy"),
    [
        (SIZE, "7k", 'write "7K" (10^3 bytes) or "7Ki" (2^10 bytes)'),
        (SIZE, "7mb", 'write "7M" (10^6 bytes) or "7Mi" (2^20 bytes)'),
        (SIZE, "7gB", 'write "7G" (10^9 bytes) or "7Gi" (2^30 bytes)'),
        (SIZE, "7TB", 'write "7T" (10^12 bytes) or "7Ti" (2^40 bytes)'),
        (SIZE, "7p", 'write "7P" (10^15 bytes) or "7Pi" (2^50 bytes)'),
        (SIZE, "7kib", 'write "7Ki" (2^10 bytes)'),
        (SIZE, "7MI", 'write "7Mi" (2^20 bytes)'),
        (SIZE, "7e", 'write %s, like "512Mi"' % KINDS["size"].rule),
        (COUNT, "7mib", 'write "7M"'),
        (COUNT, "18446744073709551k", 'write "18446744073709551K"'),
        (COUNT, "18446744073709552k", 'write %s, like "100K"' % KINDS["count"].rule),
        (DURATION, "7M", 'write %s, like "1h"' % KINDS["duration"].rule),
        (PERCENT, "7k", 'write %s, like "70%%"' % KINDS["percent"].rule),
        # Without a unit: the base unit, and a shorter text if there is one.
        (PERCENT, "7", 'write "7%"'),
        (DURATION, "7", 'write "7s"'),
        (DURATION, "86400", 'write "86400s" or "1d"'),
        (DURATION, "12" + "0" * 17, 'write "12%ss" or "2%sm"' % ("0" * 17, "0" * 16)),
        (DURATION, "18446744073709551615", 'write "18446744073709551615s"'),
        # What Wasmtime would refuse is not advised.
        (DURATION, "18446744073709551616", 'write %s, like "1h"' % KINDS["duration"].rule),
        (DURATION, "1" * 90, 'write %s, like "1h"' % KINDS["duration"].rule),
        (PERCENT, "100", 'write "100%"'),
        (PERCENT, "101", 'write %s, like "70%%"' % KINDS["percent"].rule),
        (SIZE, "16383pb", 'write "16383P" (10^15 bytes) or "16383Pi" (2^50 bytes)'),
        (SIZE, "16384pb", 'write %s, like "512Mi"' % KINDS["size"].rule),
        (SIZE, "16384PiB", 'write %s, like "512Mi"' % KINDS["size"].rule),
    ],
    ids=str,
)
def test_the_unit_that_was_meant_is_advised(setting, value, remedy):
    with pytest.raises(BadValue) as caught:
        base_value(setting, value)
    assert sentence_on("option", value, caught.value).partition("; ")[2] == remedy


def test_what_a_text_is_filled_with_is_one_line():
    facts = {"directory": "/a\n", "reasons": "b\x1b\u202e", "line": 3, "column": 4}
    assert to_problem(Finding("in-the-way", ("cache", "directory"), "/a\n", facts)).as_dict() == {
        "code": "directory-unusable",
        "severity": "error",
        "setting": "directory",
        "value": "/a\n",
        "line": 3,
        "column": 4,
        "message": 'the directory "/a\\n" cannot be used: b\\x1b\\u202e',
        "remedy": "set directory to a path that can be created",
    }
    assert sentence_on("unset", "a\n", BadValue("unknown-unit", kind=COUNT.kind, number="1", unit="\n")) == (
        'unset: "a\\n" has the unknown unit "\\n"; write %s, like "100K"' % COUNT.kind.rule
    )


def test_a_problem_of_a_line_is_at_its_beginning_and_one_of_no_line_nowhere():
    assert Problem("x", "error", "wrong", "correct it", line=3).sentence() == "line 3, column 1: wrong; correct it"
    assert (
        Problem("x", "error", "wrong", "correct it", line=3, column=5).sentence()
        == "line 3, column 5: wrong; correct it"
    )
    assert Problem("x", "error", "wrong", "correct it").sentence() == "wrong; correct it"
