# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The places of errors of TOML libraries, and the syntax that only TOML 1.1 has."""

from __future__ import annotations

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.syntax import newer_syntax
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml import Library, newer, parse
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml_error import TomlError
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.documents import READS_1_1

LOADS = Library().any()


def error_in(text, loads=LOADS):
    with pytest.raises(TomlError) as caught:
        parse(loads, text)
    return caught.value


def place_in(text):
    error = error_in(text)
    return error.line, error.column


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("\n", None),
        ("[cache", (1, 7)),
        ("[cache\n", (1, 7)),
        ("\n[cache", (2, 7)),
        ("\n\n[cache", (3, 7)),
        ('\nx = """\n\n', (3, 1)),
        ('x = "a', (1, 7)),
        # A backslash at the end of a line is no escape in a string of one line.
        ('x = "a\\\n"', (1, 8)),
        ('y = 1\nx = "a\\\nb"\n', (2, 8)),
        ('y = 1\n\nx = "\\\n', (3, 7)),
        ('y = 1\nx = """\nb\\ c"""\n', (3, 4)),
    ],
    ids=ascii,
)
def test_the_place_of_an_error_is_that_of_the_text(text, place):
    if place is None:
        assert parse(LOADS, text) == {}
    else:
        assert place_in(text) == place


@pytest.mark.parametrize("text", ["[cache", "x = 1\nx = 2\n", "x ="])
def test_the_message_of_a_library_begins_small_and_has_no_place(text):
    with pytest.raises(ValueError, match=r" \(at ") as caught:
        LOADS(text)
    message = str(caught.value).partition(" (at ")[0]
    assert error_in(text).message == message[0].lower() + message[1:]


@pytest.mark.parametrize("lines", range(1, 8))
@pytest.mark.parametrize("end", ["\n", ""])
def test_a_literal_string_is_open_in_the_line_that_opens_it(lines, end):
    for opened in range(1, lines + 1):
        before = ["k%d = %d" % (number, number) for number in range(opened - 1)]
        after = ["l%d = %d" % (number, number) for number in range(lines - opened)]
        assert place_in("\n".join([*before, "x = 'ab", *after]) + end) == (opened, 8)


def test_the_place_of_an_open_literal_string_is_found_past_pieces_that_are_no_toml():
    assert place_in("a = [\n1,\n2,\n]\nx = 'ab\nb = 1\n") == (5, 8)
    assert place_in("a = '''\n\n'''\nx = 'ab\n'c\n") == (4, 8)
    assert place_in("b = 1\nx = ['''\n\n\n''', 'ab\n]\n") == (5, 9)


def test_a_text_that_is_nested_too_deeply_has_its_first_place():
    def deep(_text):
        raise RecursionError

    error = error_in("a = 1\nb = 2\n", deep)
    assert (error.message, error.line, error.column) == ("nested too deeply", 1, 1)


def test_the_end_of_an_open_string_is_looked_for_past_pieces_that_are_nested_too_deeply():
    whole = "a = 1\nb = 2\nc = 'x\nd = 3\n"

    def loads(text):
        if text in ("a = 1\n", "a = 1\nb = 2\n"):
            raise RecursionError
        raise ValueError('Expected "\'" (at end of document)')

    error = error_in(whole, loads)
    assert (error.message, error.line, error.column) == ('expected "\'"', 3, 7)


ONLY_1_1 = [
    'a = "\\e"',
    'a = "\\x41"',
    '"\\x41" = 1',
    'a = 1\nb."\\e" = 1',
    "a = 12:30",
    "a = [12:30, 1]",
    "a = {\nb = 1}",
    "a = {b = 1\n}",
    "a = {b = 1,}",
    "a = {b = 1, }",
    "a = {b = 12:30}",
    'a = {b = "\\e"}',
]
BOTH = [
    'a = "12:30"',
    "a = '12:30'",
    "a = '\\e \\x41'",
    'a = "{,}"',
    "a = '{,}'",
    "a = 1 # \\e 12:30 {, }\n",
    "# \\e\n[a] # 12:30\n",
    "a = {b = 1}\n",
    "a = {b = [1, 2]}\n",
    "a = '''\n{\n}'''\n",
]


@pytest.mark.skipif(not READS_1_1, reason="needs a parser for TOML 1.1")
@pytest.mark.parametrize("text", ONLY_1_1, ids=ascii)
def test_what_only_toml_1_1_has_is_newer(text):
    loads = Library().parser("1.1")
    assert loads is not None
    assert loads(text)
    assert newer(text, loads)
    assert newer_syntax(text, loads)


@pytest.mark.parametrize("text", BOTH, ids=ascii)
def test_what_both_have_is_not_newer(text):
    assert LOADS(text)
    assert not newer(text, LOADS)
    assert not newer_syntax(text, LOADS)


def test_a_text_that_is_too_complex_may_be_newer():
    def loads(piece):
        raise ValueError

    assert newer_syntax("x = [\n1\n]\n", loads)
    assert not newer_syntax("# x\n", loads)
