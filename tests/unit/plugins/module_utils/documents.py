# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configs as people leave them behind, built so that it is known where everything stands."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import Host
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml import Library, newer
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import MAJOR_MAX, TOML_1_0, TOML_1_1

KNOWN_TO_ALL = tuple(name for name, setting in SETTINGS.items() if setting.known_to(0, MAJOR_MAX))
HOST = Host(lambda: "/home/u/.cache/wasmtime", 16 * 2**30, 1_800_000_000)
_LIBRARY = Library()
READS_1_0 = _LIBRARY.parser(TOML_1_0) is not None
READS_1_1 = _LIBRARY.parser(TOML_1_1) is not None
_PARSERS = [parser for parser in map(_LIBRARY.parser, (TOML_1_0, TOML_1_1)) if parser is not None]

# Lines without a meaning, most of which look as if they had one.
FILLERS = (
    "",
    "  ",
    "\t",
    "#",
    '# cleanup-interval = "1h"',
    "  #directory = '/decoy'",
    "#[cache]",
    '# cache.cleanup-interval = "1h"',
    '# it\'s "quoted" [cache] {a = 1,}',
    "# päth: 缓存 = '''",
)
COMMENTS = ("", " # comment", "# [cache]", '\t# cleanup-interval = "2h"', " # ''' \"\"\"")
HEADERS = ("[cache]", "[ cache ]", '["cache"]', "['cache']", '[ "\\u0063ache" ]', "\t[cache]", "  [cache]")
TABLE_NAMES = ("cache", '"cache"', "'cache'", '"c\\u0061che"')
EQUALS = ("=", " = ", "\t=  ", "= ", " =")
INDENTS = ("", "", "", "  ", "\t")
DECOYS = (
    "",
    "x",
    "#",
    " = ",
    "[cache]",
    '\ncleanup-interval = "9h"\n',
    "\n[cache]\n",
    "\n# x\n",
    "'",
    '"',
    "\\",
    "{",
    "},",
    "é缓",
)


def reader(text):
    """A parser that reads the text, if there is one here."""
    for loads in _PARSERS:
        try:
            loads(text)
        except (ValueError, RecursionError):
            continue
        return loads
    return _PARSERS[0]


def provable(text):
    """Whether this Python can tell what TOML 1.0 makes of the text."""
    return READS_1_0 or not newer(text, reader(text))


class Pair(NamedTuple):
    """A setting in a document, with offsets into the text: of its key, and of its value from start to end."""

    key: str
    chunk: int
    key_at: int
    value: tuple[int, int]


class Document(NamedTuple):
    """A text without BOM, the same in pieces (a statement or a line without meaning each), and its settings."""

    text: str
    chunks: list[str]
    pairs: list[Pair]
    style: str

    def place(self, offset):
        """Line and column of an offset, as an editor counts them."""
        lines = self.text[:offset].split("\n")
        return len(lines), len(lines[-1]) + 1


def basic(text, keep=""):
    """A TOML basic string; C(keep) are characters that need no escape there."""
    named = {'"': '\\"', "\\": "\\\\"}
    return "".join(
        named.get(c) or ("\\u%04x" % ord(c) if (ord(c) < 32 or ord(c) == 127) and c not in keep else c) for c in text
    )


@st.composite
def strings(draw, text):
    """A text as a TOML string of any kind that can hold it."""
    spellings = ['"%s"' % basic(text), '"""%s"""' % basic(text, "\n"), '"""\n%s"""' % basic(text, "\n")]
    if not text[:1].isspace():
        spellings.append('"""\\\n   \n\t%s"""' % basic(text, "\n"))
    if all(c.isprintable() or c in "\t\n" for c in text) and "'" not in text:
        spellings.append("'''\n%s'''" % text)
        if "\n" not in text:
            spellings.append("'%s'" % text)
    return draw(st.sampled_from(spellings))


@st.composite
def keys(draw, key):
    """A key in one of its spellings."""
    return draw(st.sampled_from([key, key, key, '"%s"' % key, "'%s'" % key, '"\\u%04x%s"' % (ord(key[0]), key[1:])]))


DIRECTORIES = st.lists(st.sampled_from(DECOYS), max_size=4).map(lambda parts: "/d" + "".join(parts))
TEXTS = {
    "count": ["16", "100K", " 7 ", "1 M", "0042"],
    "size": ["1Gi", "512 Mi", "4096"],
    "duration": ["1h", "60m", "3600 s", "\u30002d"],
    "percent": ["70%", " 5 %", "100%"],
}


@st.composite
def good_values(draw, key):
    """A valid value of a setting, as TOML."""
    kind = SETTINGS[key].kind.name
    if key == "baseline-compression-level":
        return draw(st.sampled_from(["3", "+3", "0x3", "0"]))
    if kind == "level":
        return draw(st.sampled_from(["20", "21", "0b10101", "2_0"]))
    return draw(strings(draw(DIRECTORIES) if kind == "path" else draw(st.sampled_from(TEXTS[kind]))))


@st.composite
def documents(draw, styles=("header", "dotted", "inline"), values=good_values, known=KNOWN_TO_ALL, least=0):
    """A config in one of the styles; C(values) makes the TOML of a key's value."""
    style = draw(st.sampled_from(styles))
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    chosen = draw(st.lists(st.sampled_from(known), unique=True, min_size=max(least, style == "dotted"), max_size=6))
    chunks: list[str] = []
    pairs: list[Pair] = []
    length = 0

    def choose(*choices):
        return draw(st.sampled_from(choices))

    def add(chunk):
        nonlocal length
        chunks.append(chunk)
        length += len(chunk)

    def fillers():
        for filler in draw(st.lists(st.sampled_from(FILLERS), max_size=2)):
            add(filler + newline)

    def pair_text(key, before, after):
        spelled, value = draw(keys(key)), draw(values(key)).replace("\n", newline)
        equals = choose(*EQUALS)
        at = length + len(before)
        value_at = at + len(spelled) + len(equals)
        pairs.append(Pair(key, len(chunks), at, (value_at, value_at + len(value))))
        return before + spelled + equals + value + after

    fillers()
    if style in ("inline", "inline-1.1"):
        start = length
        text = choose(*TABLE_NAMES) + choose(*EQUALS) + "{"
        blanks = ("", " ", "\t") if style == "inline" else ("", " ", newline, newline + "  # , } x" + newline + "  ")
        for number, key in enumerate(chosen):
            text += "," if number else ""
            length = start + len(text)
            text += pair_text(key, choose(*blanks), choose(*blanks))
        if chosen and style == "inline-1.1" and choose(False, True):
            text += "," + choose(*blanks)
        length = start
        add(text + "}" + choose(*COMMENTS) + newline)
    else:
        if style == "header":
            add(choose(*HEADERS) + choose(*COMMENTS) + newline)
        for key in chosen:
            fillers()
            before = choose(*INDENTS)
            if style == "dotted":
                before += choose(*TABLE_NAMES) + choose(".", ".", " . ")
            add(pair_text(key, before, choose(*COMMENTS) + newline))
    fillers()
    if choose(False, False, True) and chunks[-1] != newline:
        chunks[-1] = chunks[-1][: -len(newline)]
    return Document("".join(chunks), chunks, pairs, style)
