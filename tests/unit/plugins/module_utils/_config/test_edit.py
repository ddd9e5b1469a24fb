# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits change what they have to and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.config import read_config
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.edit import (
    CannotEdit,
    as_json,
    edit,
    merge,
    new_text,
    same,
    toml,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml import Library
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import CURRENT
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.documents import (
    HOST,
    KNOWN_TO_ALL,
    READS_1_1,
    documents,
    reader,
)

STYLES = ("header", "dotted", "inline") + (("inline-1.1",) if READS_1_1 else ())


def loads(text):
    return reader(text)(text)


def edited(text, changes):
    return edit(text, changes, reader(text))


def new_values(key):
    if SETTINGS[key].kind.name == "level":
        return st.integers(0, 21)
    return st.text(alphabet="/ab#=[]{},\"'\\\n\r é\t\x7f\u2028", max_size=8)


CHANGES = st.lists(st.sampled_from(KNOWN_TO_ALL), unique=True, max_size=5).flatmap(
    lambda names: st.fixed_dictionaries({name: st.none() | new_values(name) for name in names})
)


@given(documents(STYLES), CHANGES)
@settings(max_examples=150)
def test_the_result_means_what_was_intended(document, changes):
    table = loads(document.text)["cache"]
    try:
        after = loads(edited(document.text, changes))
    except CannotEdit:
        # A comment would get lost.
        assert document.style == "inline-1.1"
        assert "#" in document.text
        return
    assert same(after, {"cache": merge(table, changes)})


@given(documents(("header", "dotted")), CHANGES)
@settings(max_examples=150)
def test_every_other_character_stays_where_it_was(document, changes):
    kept = list(document.chunks)
    starts = [len("".join(kept[:number])) for number in range(len(kept))]
    for pair in document.pairs:
        if pair.key in changes:
            chunk, start = kept[pair.chunk], starts[pair.chunk]
            value = changes[pair.key]
            kept[pair.chunk] = (
                "" if value is None else chunk[: pair.value[0] - start] + toml(value) + chunk[pair.value[1] - start :]
            )
    expected = "".join(kept)
    after = edited(document.text, changes)
    added = [key for key, value in changes.items() if value is not None and key not in loads(document.text)["cache"]]
    emptied = document.style == "dotted" and all(changes.get(pair.key, "") is None for pair in document.pairs)
    if not added and not emptied:
        assert after == expected
        return
    # What is new stands in one place: without it nothing differs.
    head = 0
    while head < min(len(after), len(expected)) and after[head] == expected[head]:
        head += 1
    tail = len(expected) - head
    assert after.startswith(expected[:head])
    assert tail == 0 or after.endswith(expected[-tail:])
    assert len(after) > len(expected)


@given(documents(("inline", "inline-1.1") if READS_1_1 else ("inline",)), CHANGES)
def test_an_inline_table_keeps_the_pairs_that_stay_and_all_around_it(document, changes):
    try:
        after = edited(document.text, changes)
    except CannotEdit:
        # A comment would get lost.
        assert document.style == "inline-1.1"
        assert "#" in document.text
        return
    number = next(i for i, c in enumerate(document.chunks) if "{" in c and not c.lstrip().startswith("#"))
    before, table = "".join(document.chunks[:number]), document.chunks[number]
    assert after.startswith(before + table[: table.index("{") + 1])
    assert after.endswith(table[table.rindex("}") :] + "".join(document.chunks[number + 1 :]))
    for pair in document.pairs:
        if pair.key not in changes:
            assert document.text[pair.key_at : pair.value[1]] in after


@given(documents(STYLES))
def test_no_change_is_no_difference(document):
    assert edited(document.text, {}) == document.text


@given(documents(STYLES), st.sampled_from(KNOWN_TO_ALL), st.data())
def test_what_was_added_can_be_removed_without_a_trace(document, key, data):
    table = loads(document.text)["cache"]
    assume(key not in table and (table or document.style == "header"))
    there = edited(document.text, {key: data.draw(new_values(key))})
    back = edited(there, {key: None})
    if document.text.endswith("\n"):
        assert back == document.text
    else:
        # The line above the new one got an end, and keeps it.
        assert back in (document.text, document.text + "\n", document.text + "\r\n")


@given(documents(STYLES, least=1))
def test_a_value_of_its_own_changes_only_its_spelling(document):
    table = loads(document.text)["cache"]
    assert same(loads(edited(document.text, table)), {"cache": table})


ONE = {"cleanup-interval": "2h"}
NONE = {"cleanup-interval": None}
TWO = {"cleanup-interval": "2h", "baseline-compression-level": 1}


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        # a header
        ("[cache]\n", ONE, '[cache]\ncleanup-interval = "2h"\n'),
        ("[cache]", ONE, '[cache]\ncleanup-interval = "2h"'),
        ("[cache]\r\n", TWO, '[cache]\r\ncleanup-interval = "2h"\r\nbaseline-compression-level = 1\r\n'),
        ("[cache] # x\n# y\n", ONE, '[cache] # x\ncleanup-interval = "2h"\n# y\n'),
        ("  [cache]\n", ONE, '  [cache]\n  cleanup-interval = "2h"\n'),
        ('[cache]\n\tdirectory = "/d"\n', ONE, '[cache]\n\tdirectory = "/d"\n\tcleanup-interval = "2h"\n'),
        ("[cache]\ndirectory = '/d'", ONE, "[cache]\ndirectory = '/d'\ncleanup-interval = \"2h\""),
        ("[cache]\ncleanup-interval='1h'#x\n", ONE, '[cache]\ncleanup-interval="2h"#x\n'),
        ('[cache]\n"cleanup\\u002dinterval" = "1h"\n', ONE, '[cache]\n"cleanup\\u002dinterval" = "2h"\n'),
        ("[cache]\n# a\ncleanup-interval = '1h' # b\n# c\n", NONE, "[cache]\n# a\n# c\n"),
        ("[cache]\ncleanup-interval = '''\n1h\n'''\n# c\n", NONE, "[cache]\n# c\n"),
        ("[cache]\ncleanup-interval = '''\n1h\n''' # c\n", ONE, '[cache]\ncleanup-interval = "2h" # c\n'),
        (
            "[cache]\ndirectory = '/d'\ncleanup-interval = '1h'",
            {"cleanup-interval": None, "file-count-soft-limit": "9"},
            "[cache]\ndirectory = '/d'\nfile-count-soft-limit = \"9\"",
        ),
        # dotted keys
        ("cache.directory = '/d'\n", ONE, "cache.directory = '/d'\ncache.cleanup-interval = \"2h\"\n"),
        (
            "'cache' . directory = '/d' # x\n\n# y\n",
            ONE,
            "'cache' . directory = '/d' # x\n'cache' . cleanup-interval = \"2h\"\n\n# y\n",
        ),
        ("cache.cleanup-interval = '1h'\n", ONE, 'cache.cleanup-interval = "2h"\n'),
        ("# x\ncache.cleanup-interval = '1h'\n# y\n", NONE, "# x\n[cache]\n# y\n"),
        (
            "cache.directory = '/d'\n# x\ncache.cleanup-interval = '1h'\n",
            {"cleanup-interval": None, "directory": None},
            "[cache]\n# x\n",
        ),
        ("cache.cleanup-interval = '1h'\n", {**NONE, "directory": "/d"}, 'cache.directory = "/d"\n'),
        (
            "  cache.directory = '/d'\n  cache . file-count-soft-limit = '9'",
            ONE,
            "  cache.directory = '/d'\n  cache . file-count-soft-limit = '9'\n  cache . cleanup-interval = \"2h\"",
        ),
        ("cache.cleanup-interval = '1h'\r\ncache.directory='/d'\r\n", NONE, "cache.directory='/d'\r\n"),
        # an inline table
        ("cache = {}\n", ONE, 'cache = { cleanup-interval = "2h" }\n'),
        ("cache = { cleanup-interval = '1h' } # x\n", NONE, "cache = {} # x\n"),
        (
            "cache = { directory = '/d', cleanup-interval = '1h' }",
            ONE,
            "cache = { directory = '/d', cleanup-interval = \"2h\" }",
        ),
        ("cache = { directory = '/d', cleanup-interval = '1h' }", NONE, "cache = { directory = '/d' }"),
        ("cache = { cleanup-interval = '1h', directory = '/d' }", NONE, "cache = { directory = '/d' }"),
        (
            "cache = { cleanup-interval = '1h', directory = '/d', file-count-soft-limit = '9' }",
            {"cleanup-interval": None, "directory": None},
            "cache = { file-count-soft-limit = '9' }",
        ),
        (
            "cache = { file-count-soft-limit = '9', cleanup-interval = '1h' ,directory = '/d' }",
            {"cleanup-interval": None, "directory": None},
            "cache = { file-count-soft-limit = '9' }",
        ),
        (
            "cache = { directory = '/d', cleanup-interval = '1h', file-count-soft-limit = '9' } # x",
            {"cleanup-interval": None, "baseline-compression-level": 1},
            "cache = { directory = '/d', file-count-soft-limit = '9', baseline-compression-level = 1 } # x",
        ),
        (
            "cache={directory='/d'}",
            TWO,
            "cache={directory='/d', cleanup-interval = \"2h\", baseline-compression-level = 1}",
        ),
    ],
)
def test_edits_look_as_if_made_by_hand(before, changes, after):
    assert edited(before, changes) == after


@pytest.mark.skipif(not READS_1_1, reason="needs a parser for TOML 1.1")
@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        (
            "cache = {\n  directory = '/d', # , }\n  cleanup-interval = '1h',\n}\n",
            NONE,
            "cache = {\n  directory = '/d', # , }\n}\n",
        ),
        # Each line goes with its comment, and no other one.
        (
            "cache = {\n  # a\n  cleanup-interval = '1h', # b\n  # c\n  directory = '/d' # d\n}\n",
            NONE,
            "cache = {\n  # a\n  # c\n  directory = '/d' # d\n}\n",
        ),
        (
            "cache = {\n  directory = '/d', # a\n  cleanup-interval = '1h' # b\n}\n",
            NONE,
            "cache = {\n  directory = '/d', # a\n}\n",
        ),
        (
            "cache = {\r\n  directory = '/d', # a\r\n  cleanup-interval = '1h'\r\n  # b\r\n}\r\n",
            NONE,
            "cache = {\r\n  directory = '/d', # a\r\n  # b\r\n}\r\n",
        ),
        (
            "cache = { directory = '/d', cleanup-interval = '1h' # a\n}\n",
            NONE,
            "cache = { directory = '/d' # a\n}\n",
        ),
        (
            "cache = { # a\n  cleanup-interval = '1h', directory = '/d' }\n",
            NONE,
            "cache = { # a\n  directory = '/d' }\n",
        ),
        (
            "cache = {\n  cleanup-interval = '1h',\n  file-count-soft-limit = '1', directory = '/d'\n}\n",
            {"cleanup-interval": None, "file-count-soft-limit": None},
            "cache = {\n  directory = '/d'\n}\n",
        ),
        (
            "cache = {\n  directory = '/d',\n  cleanup-interval = '1h',\n  file-count-soft-limit = '1' }\n",
            {"cleanup-interval": None, "file-count-soft-limit": None},
            "cache = {\n  directory = '/d',\n  }\n",
        ),
        (
            "cache = {\n  cleanup-interval = '1h', # , }\n}\n",
            ONE,
            'cache = {\n  cleanup-interval = "2h", # , }\n}\n',
        ),
    ],
)
def test_edits_of_toml_1_1_look_as_if_made_by_hand(before, changes, after):
    assert edited(before, changes) == after


@pytest.mark.skipif(not READS_1_1, reason="needs a parser for TOML 1.1")
@pytest.mark.parametrize(
    "text",
    [
        "cache = { cleanup-interval = '1h', # a\n  directory = '/d' }\n",
        "cache = { directory = '/d', # a\n  cleanup-interval = '1h' }\n",
        "cache = {\n  directory = '/d'\n  , cleanup-interval = '1h' # a\n}\n",
        "cache = {\n  cleanup-interval = '1h', # a\n}\n",
        "cache = { # a\n  cleanup-interval = '1h' }\n",
        "cache = {\n  cleanup-interval = '1h' # a\n, directory = '/d' }\n",
    ],
)
def test_no_comment_gets_lost_or_stands_beside_another_setting(text):
    with pytest.raises(CannotEdit):
        edited(text, NONE)


def test_a_text_without_a_table_has_no_place_for_a_change():
    with pytest.raises(CannotEdit):
        edited("# nothing here\n", ONE)


def test_a_text_too_complex_to_understand_is_left_alone():
    text = "[cache]\nx = [\n" + "[1],\n" * 3000 + "]\n"

    def slow(piece):
        if piece != "[cache]\n":
            raise ValueError
        return {"cache": {}}

    with pytest.raises(CannotEdit):
        edit(text, ONE, slow)


@given(st.text())
def test_every_text_survives_as_a_value(text):
    # Lone surrogates are no text in TOML.
    assert loads("x = " + toml(text)) == {"x": text}


@given(CHANGES)
def test_a_new_file_says_what_is_asked_for(changes):
    text = new_text(changes)
    assert loads(text) == {"cache": merge({}, changes)}
    assert text.startswith("# ")
    assert text.endswith("\n")


@pytest.mark.parametrize("write", [toml, as_json])
def test_a_new_file_names_its_settings_in_their_order(write):
    values = {"directory": "/é\U0001f642", "cleanup-interval": None, "baseline-compression-level": 1}
    text = new_text(values, write)
    assert text == new_text({}) + 'directory = "/é\U0001f642"\nbaseline-compression-level = 1\n'
    assert new_text({}).endswith("\n\n[cache]\n")


def test_a_new_file_is_valid_as_it_is():
    config = read_config(new_text({}).encode(), CURRENT, HOST, Library())
    assert config.problems == []
    assert config.table == {}


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (1, 1, True),
        (1, True, False),
        ("16", 16, False),
        (1.0, 1, False),
        ({"a": {"b": 1}}, {"a": {"b": 1}}, True),
        ({"a": {"b": 1}}, {"a": {"b": True}}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1}, {}, False),
        ({}, {"a": 1}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        (1, 2, False),
        ("b", "a", False),
        ([1], [1], True),
    ],
)
def test_equality_is_as_strict_as_toml(left, right, equal):
    assert same(left, right) is equal


@pytest.mark.parametrize(
    ("table", "changes", "merged"),
    [
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1}, {"a": None}, {}),
        ({"a": 1}, {"b": None}, {"a": 1}),
        ({"a": 1}, {"a": 2, "b": 0}, {"a": 2, "b": 0}),
        ({"a": 0}, {"a": False}, {"a": False}),
    ],
)
def test_merging_sets_removes_and_keeps(table, changes, merged):
    assert same(merge(table, changes), merged)


@given(CHANGES)
def test_without_tomli_w_a_text_means_the_same_or_is_no_toml(changes):
    text = new_text(changes, as_json)
    usual = all(str(value).isascii() and str(value).isprintable() for value in changes.values())
    try:
        table = loads(text)["cache"]
    except ValueError:
        assert not usual
        return
    assert same(table, merge({}, changes))
