# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements with all their places, and the limit of the work for them."""

from __future__ import annotations

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.layout import (
    Statement,
    find_statements,
    position,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.documents import READS_1_1, reader

# How many characters a parser may be given for one text; each call costs some on top.
ALLOWED = 1_000_000
CALL = 200


def whole(path, start, end, key, value, parts, header=False):
    return Statement(tuple(path.split("/")), header, start, end, key, value, parts)


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("a=1", [whole("a", 0, 3, (0, 1), (2, 3), (0,))]),
        ("\na=1\n", [whole("a", 1, 5, (1, 2), (3, 4), (1,))]),
        ("a.b.c=1", [whole("a/b/c", 0, 7, (0, 5), (6, 7), (0, 2, 4))]),
        ("  a . b . \t c=1", [whole("a/b/c", 0, 15, (2, 13), (14, 15), (2, 6, 12))]),
        (
            '  [[ a . "b.c" ]] # x.y\n',
            [whole("a/b.c", 0, 24, (5, 24), (2, 2), (5, 9), header=True)],
        ),
        (
            '[a]\r\n "b=c" . d = [\r\n "#",\r\n] # e\r\n# f\r\ng = 1 ## h',
            [
                whole("a", 0, 5, (1, 5), (0, 0), (1,), header=True),
                whole("a/b=c/d", 5, 35, (6, 15), (18, 29), (6, 14)),
                whole("a/g", 40, 50, (40, 41), (44, 45), (40,)),
            ],
        ),
        (
            "t={'a=b'=\"#\",c.d={e=1}} # {}",
            [
                whole("t", 0, 28, (0, 1), (2, 23), (0,)),
                whole("t/a=b", 0, 28, (3, 8), (9, 12), (3,)),
                whole("t/c/d", 0, 28, (13, 16), (17, 22), (13, 15)),
                whole("t/c/d/e", 0, 28, (18, 19), (20, 21), (18,)),
            ],
        ),
        (
            "'a='={b=','\t,c=[1,2]}\n",
            [
                whole("a=", 0, 22, (0, 4), (5, 21), (0,)),
                whole("a=/b", 0, 22, (6, 7), (8, 11), (6,)),
                whole("a=/c", 0, 22, (13, 14), (15, 20), (13,)),
            ],
        ),
    ],
    ids=ascii,
)
def test_a_statement_is_found_with_all_its_places(text, statements):
    assert find_statements(text, reader(text)) == (statements, True)


@pytest.mark.skipif(not READS_1_1, reason="needs a parser for TOML 1.1")
def test_a_statement_of_toml_1_1_is_found_with_all_its_places():
    text = "t = { # a, b = 1\n  c = 1, # d = 2\n #\n\te = { }, # f\n}\n"
    assert find_statements(text, reader(text)) == (
        [
            whole("t", 0, len(text), (0, 1), (4, 52), (0,)),
            whole("t/c", 0, len(text), (19, 20), (23, 24), (19,)),
            whole("t/e", 0, len(text), (38, 39), (42, 45), (38,)),
        ],
        True,
    )


@pytest.mark.parametrize(
    ("offset", "place"), [(0, (1, 1)), (1, (2, 1)), (2, (2, 2)), (3, (2, 3)), (4, (3, 1)), (5, (4, 1)), (6, (4, 2))]
)
def test_lines_and_columns_count_from_one(offset, place):
    assert position("\nab\n\nc", offset) == place


def one_statement(lines, after=""):
    """A statement of many lines of which only the last one ends it, and a parser for it that notes its work."""
    text = "a = [\n" + "# ]\n" * lines + "]\n"
    pieces = []

    def loads(piece):
        pieces.append(piece)
        if piece.startswith("a = [") and piece != text:
            raise ValueError
        return {"a": []}

    return text + after, loads, pieces


def work(pieces):
    return sum(len(piece) + CALL for piece in pieces)


@pytest.mark.parametrize("lines", [700, 701])
def test_the_work_for_a_text_is_limited(lines):
    text, loads, pieces = one_statement(lines, "#" * ALLOWED)
    found = find_statements(text, loads)
    assert found.complete
    assert [statement.path for statement in found.statements] == [("a",)]
    needed = work(pieces)
    # A comment at the end is within the limit, too, and costs nothing.
    comment = (needed - ALLOWED) // 2 - len(one_statement(lines)[0])
    assert comment > 1
    for length in (comment - 1, comment, comment + 1):
        text, loads, pieces = one_statement(lines, "#" * length)
        assert find_statements(text, loads).complete == (needed <= ALLOWED + 2 * len(text))
        assert work(pieces) <= needed


@pytest.mark.parametrize("dots", [930, 931])
def test_the_work_for_a_dotted_key_is_limited(dots):
    """The parts that fit are found, wherever the key begins."""
    key = " " * 100 + ".".join("a" * 960)
    needed = sum(2 * number - 1 + CALL for number in range(1, dots + 1))
    comment = (needed - ALLOWED) // 2 - len(key + " = 1\n")
    assert comment > 1
    for length in (comment - 1, comment, comment + 1):
        text = key + " = 1\n" + "#" * length
        found = find_statements(text, lambda _text: {"a": 1})
        enough = needed <= ALLOWED + 2 * len(text)
        assert found.statements[0].parts == tuple(range(100, 100 + 2 * (dots + enough), 2))


def test_a_piece_that_is_nested_too_deeply_is_no_statement():
    def loads(piece):
        if piece in ("a = [\n", "a = [\n]\n"):
            raise RecursionError
        return {"a": []}

    (statement,) = find_statements("a = [\n]\n]\n", loads).statements
    assert (statement.start, statement.end) == (0, 10)


def test_a_text_that_no_parser_takes_is_given_up():
    def loads(_piece):
        raise ValueError

    assert find_statements("a = [\n1\n]\n\n", loads) == ([], False)
    assert find_statements("a = [\n1\n]", loads) == ([], False)
