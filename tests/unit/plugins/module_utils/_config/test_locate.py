# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a problem stands, whatever the layout, and which of several problems with the TOML is told."""

from __future__ import annotations

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import Finding
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.locate import not_toml, not_utf_8
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml_error import TomlError
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils._config.test_check import (
    OLD,
    C,
    D,
    codes,
    read,
    the_problem,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.documents import HOST


@pytest.mark.parametrize(
    ("data", "start", "line", "column"),
    [
        (b"\xe9", 0, 1, 1),
        (b"\n\xe9", 1, 2, 1),
        (b"\n\nab\xe9", 4, 3, 3),
        (b"ab\xe9\n\xe9", 2, 1, 3),
    ],
)
def test_a_byte_that_is_no_text_has_its_place_in_bytes(data, start, line, column):
    facts = {"byte": 0xE9, "line": line, "column": column}
    assert not_utf_8(data, start) == Finding("not-utf-8", (), None, facts)


OLDER, NEWER = TomlError("older", 2, 5), TomlError("newer", 2, 7)
UNSURE = TomlError("unsure", 1, 2, "toml-syntax-unsure")
PROVEN: tuple[dict[str, object], bool] = ({}, True)
UNPROVEN: tuple[dict[str, object], bool] = ({}, False)
BY_OLDER, BY_NEWER, BY_UNSURE = (
    {"reason": error.message, "line": error.line, "column": error.column} for error in (OLDER, NEWER, UNSURE)
)


@pytest.mark.parametrize(
    ("parsed", "grammars", "text", "finding"),
    [
        ((OLDER, PROVEN), ("1.0",), "a\nb = +_3", Finding("toml-1-0", facts=BY_OLDER)),
        ((OLDER, PROVEN), ("1.0", "1.1"), "a\nb = +_3", Finding("toml-grammar", facts=BY_OLDER)),
        ((OLDER, NEWER), ("1.0",), "a\nb = +33", Finding("toml-syntax", facts=BY_OLDER)),
        # What no grammar takes comes first.
        ((OLDER, NEWER), ("1.0", "1.1"), "a\nb = +33", Finding("toml-syntax", facts=BY_NEWER)),
        ((OLDER, NEWER), ("1.1",), "a\nb = +33", Finding("toml-syntax", facts=BY_NEWER)),
        # The number must begin where the error is.
        ((OLDER, NEWER), ("1.0",), "a\nb = +_3", Finding("toml-underscore", facts=BY_OLDER)),
        ((OLDER, NEWER), ("1.0",), "a\nb = -_3", Finding("toml-underscore", facts=BY_OLDER)),
        ((OLDER, NEWER), ("1.0",), "a\nb =  +_3", Finding("toml-syntax", facts=BY_OLDER)),
        ((OLDER, NEWER), ("1.0",), "a\nb =+_3", Finding("toml-syntax", facts=BY_OLDER)),
        ((OLDER, NEWER), ("1.0",), "b = +_3\na = +33", Finding("toml-syntax", facts=BY_OLDER)),
        ((OLDER, NEWER), ("1.1",), "a\nb = 1 +_3", Finding("toml-underscore", facts=BY_NEWER)),
        ((OLDER, UNSURE), ("1.1",), "a\nb = +_3", Finding("toml-syntax-unsure", facts=BY_UNSURE)),
        ((UNPROVEN, PROVEN), ("1.0",), "a", Finding("toml-unproven")),
        ((UNPROVEN, PROVEN), ("1.0", "1.1"), "a", Finding("toml-unproven")),
    ],
)
def test_what_is_told_about_toml_is_what_the_engine_meets(parsed, grammars, text, finding):
    assert not_toml(dict(zip(("1.0", "1.1"), parsed)), grammars, text) == finding


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        # a key, in a header, dotted, and in an inline table
        ("\n[cache]\n foo = 1\n", 3, 2),
        ("[cache]\n[cache . foo . bar]\n", 2, 10),
        ("cache.foo.bar.baz = 1\n", 1, 7),
        ("cache.foo.bar = 1\ncache.foo.baz = 1\n", 1, 7),
        ("# x\ncache . cleanup-interval = '1h'\n\tcache . foo = 1\n", 3, 10),
        ("cache = { cleanup-interval = '1h', foo = { bar = 1 } }\n", 1, 36),
        ("cache.'foo' = { bar = 1 }\n", 1, 7),
        # a key at the top level
        ("[cache]\n[a.b]\n[a.c]\n", 2, 2),
        ("a.b = 1\na.c = 1\n[cache]\n", 1, 1),
        # a value
        ("[cache]\ncleanup-interval  =  1\n", 2, 22),
        ("cache.cleanup-interval = 1\n", 1, 26),
        ("cache = {cleanup-interval=1}\n", 1, 27),
        ("cache = { worker-event-queue-size = '9', cleanup-interval = '1' }\n", 1, 61),
    ],
    ids=ascii,
)
def test_a_problem_stands_at_its_key_or_its_value(text, line, column):
    problem = the_problem(read(text))
    assert (problem.line, problem.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("\n  [ cache ]\n", 2, 5),
        ("# x\n  cache . cleanup-interval = '1h'\n  cache.file-count-soft-limit = '9'\n", 2, 3),
        (" cache = { cleanup-interval = '1h' }\n", 1, 2),
    ],
    ids=ascii,
)
def test_what_is_missing_is_told_at_the_table(text, line, column):
    problem = the_problem(read(text, host=HOST._replace(default_directory=lambda: None)))
    assert (problem.code, problem.line, problem.column) == ("no-home", line, column)


def test_a_default_that_is_wrong_is_told_at_the_table():
    host = HOST._replace(default_directory=lambda: "x")
    for text, place in (
        ("\n  [ cache ]\ncleanup-interval = '1h'\n", (2, 3)),
        (" cache = { cleanup-interval = '1h' }\n", (1, 2)),
    ):
        problem = the_problem(read(text, host=host))
        assert (problem.code, problem.line, problem.column) == ("directory-relative", *place)
    assert the_problem(read("[cache]\n", OLD)).code == "enabled-missing"
    for text, place in (
        ("\n [cache]\n", (2, 2)),
        (" cache = {}\n", (1, 10)),
        (" cache.cleanup-interval = '1h'\n", (1, 2)),
    ):
        problem = the_problem(read(text, OLD))
        assert (problem.code, problem.line, problem.column) == ("enabled-missing", *place)


@pytest.mark.parametrize(
    ("value", "since_39"),
    [
        # A break right after the opening quotes is not part of a string.
        ("'''\r\n/a\r\n'''", "/a\r\n"),
        ('"""\r\n/a\r\nb"""', "/a\r\nb"),
        ("'''/a\n\r\nb\n'''", "/a\n\r\nb\n"),
        # Nor are those after a backslash, and the blanks around them.
        ('"""\\\r\n  /a\\ \r\n\t\n b\r\n\r\nc"""', "/ab\r\n\r\nc"),
        ("'''/a\\\r\nb'''", "/a\\\r\nb"),
        ('"""/a\\\\\r\nb"""', "/a\\\r\nb"),
        # Those that are written as escapes are as they are written.
        ('"""/a\\n\\r\\n\r\nb"""', "/a\n\r\n\r\nb"),
    ],
    ids=ascii,
)
def test_line_breaks_in_a_directory_are_kept_since_39(value, since_39):
    text = "[cache]\r\n\r\n  directory = %s # x\r\n" % value
    for dialects, directory in ((C, None), (D, since_39)):
        config = read(text, dialects)
        problem = the_problem(config)
        assert (problem.code, problem.setting, problem.line, problem.column) == (
            "directory-line-break",
            "directory",
            3,
            15,
        )
        if directory is None:
            assert problem.value == config.effective["directory"]
            assert config.effective["directory"].startswith("/a")
        else:
            assert config.effective["directory"] == directory


@pytest.mark.parametrize("value", ['"/a\\r\\nb"', '"/a\\nb"', '"""/a\nb"""', "'''\r\n/a\nb'''"], ids=ascii)
def test_line_breaks_that_all_versions_read_alike_are_no_problem(value):
    config = read("[cache]\r\ndirectory = %s\r\n" % value)
    assert codes(config) == []
    assert config.effective["directory"] == ("/a\r\nb" if "\\r" in value else "/a\nb")


def test_a_line_break_right_after_the_first_one_is_kept():
    config = read("[cache]\r\ndirectory = '''\r\n\n/a\r\n'''\r\n")
    assert codes(config) == ["directory-relative", "directory-line-break"]
    assert config.effective["directory"] == "\n/a\r\n"
