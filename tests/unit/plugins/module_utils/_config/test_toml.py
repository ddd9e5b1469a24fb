# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing among TOML parsers, and finding statements with their help."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.layout import find_statements, position
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml import (
    Library,
    NoLibrary,
    may_differ,
    newer,
    parse,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml_error import TomlError
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import TOML_1_0, TOML_1_1
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.documents import (
    READS_1_1,
    documents,
    reader,
)

ONLY_1_1 = ["a = {b = 1,}", "a = {\nb = 1}", 'a = "\\e"', 'a = "\\x41"', "a = 12:30"]
STYLES = ("header", "dotted", "inline") + (("inline-1.1",) if READS_1_1 else ())


def missing():
    raise ImportError


def finder(grammar):
    """What finds a parser of one grammar only, made of whatever this Python has."""
    library = Library()
    loads = library.any()

    def old(text):
        if may_differ(text) and any(new in text for new in (",}", "{\n", "\\e", "\\x", "12:30")):
            raise ValueError("not TOML 1.0 (at line 1, column 5)")
        return loads(text)

    def new(text):
        return {"a": {"b": 1}} if text in ONLY_1_1 else loads(text)

    return lambda: old if grammar == TOML_1_0 else new


def only(grammar):
    return Library([finder(grammar)])


def test_without_a_library_nothing_is_read():
    library = Library([missing, missing])
    assert library.parser(TOML_1_0) is None
    with pytest.raises(NoLibrary):
        library.any()
    with pytest.raises(NoLibrary):
        library.read("", TOML_1_0)
    with pytest.raises(NoLibrary):
        library.reader("")


def test_this_python_has_a_library():
    assert Library().read("[cache]", TOML_1_0) == ({"cache": {}}, True)


def test_a_missing_library_is_passed_over():
    assert Library([missing, finder(TOML_1_0)]).any()("a = 1") == {"a": 1}


def test_the_first_parser_of_a_grammar_is_taken_and_no_other_is_looked_for():
    first, second = finder(TOML_1_0), finder(TOML_1_0)
    taken = first()
    library = Library([lambda: taken, second])
    assert library.parser(TOML_1_0) is library.any() is taken
    assert library.parser(TOML_1_1) is None
    assert library.parser(TOML_1_0) is taken

    def unneeded():
        raise AssertionError

    assert Library([lambda: taken, unneeded]).any() is taken


def test_parsers_are_told_apart_by_what_they_read():
    both = Library([finder(TOML_1_1), finder(TOML_1_0), missing])
    for grammar in (TOML_1_0, TOML_1_1):
        assert both.parser(grammar) is not None
        assert only(grammar).parser(grammar) is not None
    assert only(TOML_1_0).parser(TOML_1_1) is None
    assert only(TOML_1_1).parser(TOML_1_0) is None
    assert both.parser(TOML_1_0) is not both.parser(TOML_1_1)


@pytest.mark.parametrize("text", ["[cache]\n", 'a = "b"', "a = [\n1,\n]", "a = 2026-01-01", ""])
@pytest.mark.parametrize("grammar", [TOML_1_0, TOML_1_1])
@pytest.mark.parametrize("there", [TOML_1_0, TOML_1_1])
def test_what_both_grammars_read_alike_is_proven_by_either(text, grammar, there):
    assert only(there).read(text, grammar)[1] is True


def test_an_inline_table_of_one_line_is_proven_by_either():
    text = "cache = {}"
    assert only(TOML_1_1).read(text, TOML_1_0) == ({"cache": {}}, True)
    assert only(TOML_1_1).read(text, TOML_1_1) == ({"cache": {}}, True)
    assert only(TOML_1_0).read(text, TOML_1_1) == ({"cache": {}}, True)


@pytest.mark.parametrize("text", ONLY_1_1)
def test_what_1_0_refuses_cannot_be_told_for_1_1_without_its_parser(text):
    with pytest.raises(TomlError) as caught:
        only(TOML_1_0).read(text, TOML_1_1)
    assert caught.value.name == "toml-syntax-unsure"
    with pytest.raises(TomlError) as caught:
        only(TOML_1_0).read(text, TOML_1_0)
    assert caught.value.name == "toml-syntax"
    assert only(TOML_1_1).read(text, TOML_1_1)[1] is True


def test_what_1_0_reads_is_1_1_even_if_it_looks_newer():
    text = "a = 13:30:00"
    assert newer(text, Library().any())
    assert only(TOML_1_0).read(text, TOML_1_1) == ({"a": dt.time(13, 30)}, True)


def test_what_neither_grammar_can_have_is_refused_plainly():
    with pytest.raises(TomlError) as caught:
        only(TOML_1_0).read("[cache", TOML_1_1)
    assert caught.value.name == "toml-syntax"


@pytest.mark.parametrize("text", ONLY_1_1)
def test_the_reader_of_a_text_is_the_parser_that_has_read_it(text):
    both = Library([finder(TOML_1_0), finder(TOML_1_1)])
    with pytest.raises(TomlError):
        both.read(text, TOML_1_0)
    assert both.reader(text) is both.any()
    both.read(text, TOML_1_1)
    assert both.reader(text) is both.parser(TOML_1_1)
    assert both.reader("".join(list(text))) is both.parser(TOML_1_1)
    both.read("a = 1", TOML_1_0)
    assert both.reader("a = 1") is both.parser(TOML_1_0)
    old = only(TOML_1_0)
    assert old.reader(text) is old.parser(TOML_1_0)


@pytest.mark.skipif(not READS_1_1, reason="needs a parser for TOML 1.1")
@pytest.mark.parametrize("text", ONLY_1_1)
def test_real_texts_of_1_1_may_differ_and_are_read(text):
    assert may_differ(text)
    assert Library().read(text, TOML_1_1)[1] is True


@given(st.text(alphabet="a=\"'{}[],:#\\ex0123456789 \n"))
def test_wherever_the_grammars_disagree_they_are_said_to_differ(text):
    library = Library()
    old, new = library.parser(TOML_1_0), library.parser(TOML_1_1)
    if old is None or new is None:
        old = new = library.any()
    results: list[object] = []
    for loads in (old, new):
        try:
            results.append(parse(loads, text))
        except TomlError:
            results.append(None)
    assert results[0] == results[1] or may_differ(text)
    if results[1] is not None and not newer(text, new):
        assert results[0] == results[1]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("[cache", 1, 7),
        ("[cache]\ncleanup-interval = 1h\n", 2, 21),
        ("a = 1\n\na = 2\n", 3, 6),
        ("[cache]\nx =", 2, 4),
        ("x = '''\n\n", 2, 1),
        ("é = 1", 1, 1),
        ("a = 1\r\nb\r\n", 2, 2),
    ],
)
def test_errors_have_their_line_and_column(text, line, column):
    with pytest.raises(TomlError) as caught:
        parse(Library().any(), text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert "(at " not in caught.value.message
    assert caught.value.message[0].islower()


def test_deep_nesting_is_an_error_like_others():
    with pytest.raises(TomlError):
        parse(Library().any(), "x = " + "[" * 100_000)


def test_a_parser_that_runs_out_of_stack_is_an_error_like_others():
    def deep(_text):
        raise RecursionError

    with pytest.raises(TomlError, match="nested too deeply"):
        parse(deep, "x")


def test_a_number_that_python_does_not_convert_is_an_error_like_others():
    def limited(_text):
        raise ValueError("Exceeds the limit (4300 digits) for integer string conversion")

    with pytest.raises(TomlError) as caught:
        parse(limited, "a = 1\nb = 9")
    assert (caught.value.message, caught.value.line, caught.value.column) == ("invalid value", 2, 6)


def layout(text):
    return find_statements(text, reader(text))


@given(documents(STYLES))
def test_statements_are_found_where_they_were_put(document):
    found = layout(document.text)
    assert found.complete
    entries = {entry.path[1]: entry for entry in found.statements if len(entry.path) == 2}
    assert set(entries) == {pair.key for pair in document.pairs}
    for pair in document.pairs:
        entry = entries[pair.key]
        assert entry.value == pair.value
        assert entry.parts[-1] == pair.key_at
        assert position(document.text, entry.value[0]) == document.place(pair.value[0])


@given(documents(("header", "dotted")))
def test_statements_span_their_lines(document):
    entries = {entry.path[1]: entry for entry in layout(document.text).statements if len(entry.path) == 2}
    for pair in document.pairs:
        entry = entries[pair.key]
        assert document.text[entry.start : entry.end] == document.chunks[pair.chunk]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("", []),
        ("# x", []),
        ("[cache]", [("cache",)]),
        ("[a.b]\nc = 1", [("a", "b"), ("a", "b", "c")]),
        ("[[a]]\nb = [\n1,\n2]\n", [("a",), ("a", "b")]),
        ("a = {b = {c = 1}, d = 2}", [("a",), ("a", "b"), ("a", "b", "c"), ("a", "d")]),
        ("a.b.c = {}", [("a", "b", "c")]),
        ('"a.b" . c = ", }"', [("a.b", "c")]),
        ("a = {b = ',', c = '}'}", [("a",), ("a", "b"), ("a", "c")]),
        ("a = { }\n", [("a",)]),
        ('"a = b" = 1', [("a = b",)]),
        ("a = {'=' = 1}", [("a",), ("a", "=")]),
    ],
)
def test_every_header_and_key_is_an_entry(text, paths):
    assert [entry.path for entry in layout(text).statements] == paths


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("cache.x = 1", [0, 6]),
        ("cache . x = 1", [0, 8]),
        ("cache .\tx = 1", [0, 8]),
        ('"a.b"."c".d = 1', [0, 6, 10]),
        ("'a.b' = 1", [0]),
        ("x = 'a.b'", [0]),
    ],
)
def test_dotted_keys_have_parts(text, parts):
    found = layout(text)
    assert found.statements[0].parts == tuple(parts)


def only_first_line(text):
    """A parser that wastes no time on the array that no test lets end."""
    if not text.startswith("a "):
        raise ValueError
    return {"a": 1}


def test_a_text_of_very_long_statements_is_given_up():
    found = find_statements("a = 1\nx = [\n" + "[1],\n" * 3000 + "]\n", only_first_line)
    assert not found.complete
    assert [entry.path for entry in found.statements] == [("a",)]


def test_a_long_key_is_given_up_too():
    text = ".".join(["a"] * 3000) + " = 1\n"
    found = find_statements(text, lambda _text: {"a": 1})
    assert found.statements[0].parts[0] == 0


def test_a_date_is_a_value_like_others():
    found = layout("a = 2026-01-01 # x\n")
    assert found.statements[0].value == (4, 14)
    assert parse(Library().any(), "a = 2026-01-01") == {"a": dt.date(2026, 1, 1)}


def test_a_line_of_thousands_of_dots_is_refused_before_it_costs_memory():
    many = "a" + ".a" * 3000
    with pytest.raises(TomlError) as caught:
        parse(Library().any(), "x = 1\n" + many + " = 1\n")
    assert (caught.value.name, caught.value.line, caught.value.column) == ("too-many-dots", 2, 1)
    with pytest.raises(TomlError) as caught:
        only(TOML_1_0).read(many + " = {}\n", TOML_1_1)
    assert caught.value.name == "too-many-dots"
    # Those of a line count, as many as there may be.
    assert parse(Library().any(), "a" + ".a" * 500 + " = 1\nb.c = 1\n")["b"] == {"c": 1}
    with pytest.raises(TomlError, match="too many dots in one line"):
        parse(Library().any(), "a" + ".a" * 501 + " = 1\n")
    assert parse(Library().any(), "  # " + many + "\nx = 1\n" + "# a.b\n" * 3000) == {"x": 1}


@pytest.mark.parametrize("after", ["", "b = 1\n", "b = 1\nc = 2\n" * 20])
def test_an_open_literal_string_is_placed_in_the_line_that_opens_it(after):
    text = "[cache]\nx = 'abcd\n" + after
    with pytest.raises(TomlError) as error:
        parse(Library().any(), text)
    assert (error.value.line, error.value.column) == (2, 10)
