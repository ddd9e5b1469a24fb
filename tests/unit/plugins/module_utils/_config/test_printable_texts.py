# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is printed is one line, or the lines of a text that has some."""

from __future__ import annotations

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import (
    printable,
    printable_lines,
    quoted,
    visible,
)

BOM = "\ufeff"


@pytest.mark.parametrize(
    ("text", "kept", "shown"),
    [
        ("", "", ""),
        ('größe "x" \\n 全', "", 'größe "x" \\n 全'),
        ("a\x1b\n\t\u202e\udc9b\U000e0001", "", "a\\x1b\\n\\t\\u202e\\udc9b\\U000e0001"),
        ("ä\n\t\r", "\n\t", "ä\n\t\\r"),
    ],
    ids=ascii,
)
def test_what_is_not_printable_is_an_escape_unless_it_is_kept(text, kept, shown):
    assert printable(text, kept) == shown


def test_a_text_in_quotes_is_one_line():
    assert quoted('a\n"') == '"a\\n""'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\r\n\tc\n", "a\nb\r\n\tc\n"),
        (BOM + "a" + BOM + "\r\n", BOM + "a\\ufeff\r\n"),
        ("a" + BOM, "a\\ufeff"),
        ("a\rb\r\r\n\x85", "a\\rb\\r\r\n\\x85"),
        ("", ""),
    ],
    ids=ascii,
)
def test_the_lines_of_a_text_stay(text, shown):
    assert printable_lines(text) == shown


def test_data_has_lines_only_in_the_texts_that_may_have_some():
    text = BOM + "a\nb\x1b"
    line, lines = "\\ufeffa\\nb\\x1b", BOM + "a\nb\\x1b"
    assert visible(text) == line
    assert visible(text, lines=True) == lines
    several = dict.fromkeys(("after", "before", "exception", "module_stderr", "module_stdout", "msg"), text)
    assert visible(several) == dict.fromkeys(several, lines)
    assert visible({"a\n": text, "diff": [several], "msg": [text, {"msg": text}]}) == {
        "a\\n": line,
        "diff": [dict.fromkeys(several, lines)],
        "msg": [line, {"msg": lines}],
    }
    assert visible((text, 1, None, True, 1.5)) == [line, 1, None, True, 1.5]
    assert visible({1: ()}) == {1: []}
