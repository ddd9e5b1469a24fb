# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the bytes of a program to what is known of its Wasmtime."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import DIALECTS, MAJOR_MAX, for_version
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines import binary
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.binary import Changing, Engine, TimeOver
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.binaries import (
    BUG,
    CONFIG,
    FIELDS,
    WITH_ENABLED,
    WITHOUT_ENABLED,
    crates,
    elf,
    fat,
    mach_o,
    pe,
    sbom,
)

FROM_49 = for_version("49").name
LATEST = [dialect.name for dialect in DIALECTS if dialect.first >= 49]
REVISION = b"6844a83b530f86ad13a65175282fe2dbcd33cad1"
FORMATS = {
    "elf": lambda texts, packages=b"": elf(texts, packages=packages),
    "elf-32": lambda texts, packages=b"": elf(texts, packages=packages, wide=False),
    "elf-big": lambda texts, packages=b"": elf(texts, packages=packages, order=">"),
    "pe": pe,
    "mach-o": mach_o,
    "mach-o-32": lambda texts, packages=b"": mach_o(texts, packages, wide=False),
    "fat": lambda texts, packages=b"": fat(mach_o(texts, packages)),
}


@pytest.fixture
def look(tmp_path):
    def in_file(data: bytes, **options: Any) -> Engine | None:
        path = tmp_path / "program"
        path.write_bytes(data)
        handle = os.open(str(path), os.O_RDONLY)
        try:
            return binary.engine_in(handle, **options)
        finally:
            os.close(handle)

    return in_file


def known(engine):
    return engine and (engine.version, engine.rule)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("texts", "answer"),
    [
        (WITHOUT_ENABLED + crates(b"48.0.5"), ("48.0.5", "cache-path")),
        (WITHOUT_ENABLED + crates(b"48.0.5", separator=b"\\"), ("48.0.5", "cache-path")),
        (WITH_ENABLED + crates(b"30.0.2", cache=b"wasmtime-cache"), ("30.0.2", "cache-path")),
        (b"\0%s\0/wasmtime-46.0.1/src" % (BUG % b"46.0.1"), ("46.0.1", "crate-path")),
        (WITHOUT_ENABLED + BUG % b"50.0.0", ("50.0.0", "panic-text")),
        (WITHOUT_ENABLED + BUG % b"51.0.0-rc.1", ("51.0.0-rc.1", "panic-text")),
        (
            WITHOUT_ENABLED + b"Wasmtime WebAssembly Runtime42.0.1 (6844a83b5 2026-02-25)If a",
            ("42.0.1", "command-line"),
        ),
        (WITH_ENABLED + b"x13.0.0WASMTIME_BACKTRACE_DETAILS", ("13.0.0", "neighbour-text")),
        (WITH_ENABLED + b"x18.0.2Module was compiled with incompatible", ("18.0.2", "neighbour-text")),
        (WITHOUT_ENABLED + b"x38.0.1package version must be", ("38.0.1", "neighbour-text")),
        (WITH_ENABLED + b"wasmtime-aot0.28.0x", ("0.28.0", "neighbour-text")),
    ],
)
def test_each_text_tells_the_version(look, form, texts, answer):
    assert known(look(FORMATS[form](texts))) == answer


@pytest.mark.parametrize("form", FORMATS)
def test_the_list_of_packages_goes_first(look, form):
    packages = sbom(
        ("wasmtime", "42.0.2"), ("toml", "0.9.12"), ("toml_parser", "1.0.9"), ("wasmtime", "41.0.0", "build")
    )
    engine = look(FORMATS[form](WITHOUT_ENABLED + b"/toml_parser-1.0.4/", packages))
    assert known(engine) == ("42.0.2", "sbom")
    assert engine.grammars == ("1.1",)


@pytest.mark.parametrize(
    "texts",
    [
        b"",
        b"/wasmtime-42.0.1/src",  # of a tool that knows of it
        CONFIG,  # of a tool that writes configs
        b"WASMTIME_BACKTRACE_DETAILS",
        crates(b"42.0.1"),  # no part of Wasmtime itself
    ],
)
def test_no_wasmtime(look, texts):
    assert look(elf(texts)) is None
    assert look(texts + WITHOUT_ENABLED + BUG % b"50.0.0") is None  # no executable


def test_what_stands_in_machine_code_is_none(look):
    assert look(elf(code=WITHOUT_ENABLED + BUG % b"50.0.0")) is None


def test_two_answers_are_none(look):
    engine = look(elf(WITHOUT_ENABLED + crates(b"41.0.0") + crates(b"43.0.1")))
    assert engine.version is None
    assert engine.possible_versions() == ["41.0.0", "43.0.1"]
    assert [dialect.name for dialect in engine.dialects()] == ["33-47"]
    engine = look(elf(WITHOUT_ENABLED + crates(b"41.0.0") + BUG % b"50.0.0"))
    assert engine.possible_versions() == ["41.0.0", "50.0.0"]
    assert {dialect.name for dialect in engine.dialects()} == {"33-47", "48", FROM_49}


def test_a_neighbour_counts_only_where_nothing_else_speaks_and_nothing_speaks_against_it(look):
    beside = b"x13.0.0WASMTIME_BACKTRACE_DETAILS"
    assert look(elf(WITHOUT_ENABLED + BUG % b"50.0.0" + beside)).version == "50.0.0"
    engine = look(elf(WITHOUT_ENABLED + beside + b"/toml-0.8.10/"))
    assert (engine.version, engine.rule, engine.possible_versions()) == (None, "config-fields", ["33-38"])


@pytest.mark.parametrize(
    "text",
    [
        b"version: 1.2.3 This is no bug in Wasmtime",
        b"44.0.0",
        b"Wasmtime WebAssembly Runtime 42.0.1 (",
        b"Wasmtime WebAssembly Runtime42.0.1 (",
        b"1.42.0.1WASMTIME_BACKTRACE_DETAILS",
        b"042.0.1WASMTIME_BACKTRACE_DETAILS",
        b"/wasmtime-wasi-42.0.1/",
        b"_wasmtime-42.0.1/",
        b"/wasmtime-42.0.1x",
        b"/wasmtime-42.0/",
        b"/wasmtime-99999.0.0/",
    ],
)
def test_a_version_elsewhere_is_none(look, text):
    assert look(elf(WITHOUT_ENABLED + b"\0" + text)).version is None


@pytest.mark.parametrize(
    ("texts", "versions", "dialect", "grammars"),
    [
        (WITH_ENABLED + b"/toml-0.5.9/", ["<=18"], ["<=32"], ("1.0",)),
        (WITH_ENABLED + b"/toml-0.8.10/", ["19-32"], ["<=32"], ("1.0",)),
        (WITHOUT_ENABLED + b"/toml-0.8.10/", ["33-38"], ["33-47"], ("1.0",)),
        (WITHOUT_ENABLED + b"/toml-0.9.8//toml_parser-1.0.4/", ["39-42"], ["33-47"], ("1.0",)),
        (WITHOUT_ENABLED + b"/toml-0.9.12//toml_parser-1.0.6/", ["39-42"], ["33-47"], ("1.1",)),
        (WITHOUT_ENABLED + b"/toml-0.9.12+spec-1.1.0/", ["39-42"], ["33-47"], ("1.1",)),
        (WITHOUT_ENABLED + b"/toml-0.9.8/", ["39-42"], ["33-47"], ("1.0", "1.1")),
        (WITHOUT_ENABLED + b"/toml-0.9.8/" + BUG % b"", ["39-48"], ["33-47", "48"], ("1.0", "1.1")),
        (WITHOUT_ENABLED + b"/toml-1.1.4/", [FROM_49], [FROM_49], ("1.1",)),
        # Another part of the program uses that.
        (WITHOUT_ENABLED + b"/toml-0.5.11//toml-0.8.10/", ["33-38"], ["33-47"], ("1.0",)),
    ],
)
def test_without_a_version_there_is_a_range(look, texts, versions, dialect, grammars):
    engine = look(elf(texts))
    assert (engine.version, engine.rule, engine.possible_versions()) == (None, "config-fields", versions)
    assert list(dict.fromkeys(found.name for found in engine.dialects())) == dialect
    assert engine.grammars == grammars


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_the_number_of_fields_alone_tells_the_versions_that_have_as_many(look, dialect):
    engine = look(elf(FIELDS % dialect.fields))
    equal = [other for other in DIALECTS if other.fields == dialect.fields]
    assert (engine.version, engine.first, engine.last) == (None, equal[0].first, equal[-1].last)
    between = [other.name for other in DIALECTS if equal[0].first <= other.first <= equal[-1].first]
    assert list(dict.fromkeys(found.name for found in engine.dialects())) == between
    assert engine.grammars == (("1.0",) if engine.last <= 32 else ("1.0", "1.1"))


def test_a_number_of_fields_that_no_known_version_has_tells_nothing(look):
    engine = look(elf(FIELDS % 99))
    assert (engine.version, engine.rule, engine.possible_versions(), engine.reads_config) == (None, None, [], True)
    assert list(dict.fromkeys(found.name for found in engine.dialects())) == [dialect.name for dialect in DIALECTS]


@pytest.mark.parametrize("texts", [b"Wasmtime WebAssembly Runtime", FIELDS % 99])
def test_without_any_hint_every_version_is_possible(look, texts):
    engine = look(elf(texts))
    assert (engine.first, engine.last) == (0, MAJOR_MAX)
    assert (engine.version, engine.rule, engine.possible_versions()) == (None, None, [])


@pytest.mark.parametrize(
    ("version", "parser", "grammars"),
    [
        (b"38.0.1", b"1.1.4", ("1.0",)),
        (b"39.0.0", b"1.0.5", ("1.0",)),
        (b"39.0.0", b"1.0.6", ("1.1",)),
        (b"48.0.5", b"1.1.4+spec-1.1.0", ("1.1",)),
        (b"49.0.0", b"1.0.4", ("1.1",)),
    ],
)
def test_the_grammar_follows_the_parser_from_39_to_48(look, version, parser, grammars):
    engine = look(elf(WITHOUT_ENABLED + crates(version, parser=parser)))
    assert engine.grammars == grammars


@pytest.mark.parametrize(
    ("texts", "library", "time", "name"),
    [
        (b"x-%smodulesget_data() for path: " % REVISION + crates(b"42.0.1"), False, 1, "wasmtime-" + REVISION.decode()),
        (b"\xc0)-%s\0" % REVISION + BUG % b"45.0.0", True, None, "wasmtime-" + REVISION.decode()),
        (b"\xc0)-%s\0" % REVISION + BUG % b"46.0.0", False, 1999999, "wasmtime-%s-1" % REVISION.decode()),
        (b"\xc0)-%s\0" % REVISION + BUG % b"46.0.0", False, -1999999, "wasmtime-%s-m1" % REVISION.decode()),
        (b"\xc0)-%s\0" % REVISION + BUG % b"46.0.0", True, None, None),
        (b"/toml-1.1.4/\xc0)-%s\0" % REVISION, False, 10**6, "wasmtime-%s-1" % REVISION.decode()),
        # From 33 on is on both sides of 46.
        (b"\xc0)-%s\0" % REVISION, False, 1, None),
        (b"x-modulesget_data() for path: " + crates(b"30.0.2"), False, 1, "wasmtime-"),
        (b"x-0.40.0modulesget_data() for path: " + crates(b"0.40.0"), False, 1, "wasmtime-0.40.0"),
        (crates(b"48.0.5"), True, None, "wasmtime-48.0.5"),
        (crates(b"45.0.0"), False, 1, None),
        # Of the compiler, and two of them.
        (b"/rustc/-%s/library" % REVISION + BUG % b"46.0.0", False, 1, None),
        (b"\xc0)-%s\0\xc0)-%s\0" % (REVISION, REVISION[::-1]) + BUG % b"46.0.0", False, 1, None),
    ],
)
def test_the_directory_in_a_cache(look, texts, library, time, name):
    kind = 3 if library else 2
    engine = look(elf(WITHOUT_ENABLED + texts, kind=kind, interpreter=not library))
    assert engine.library is library
    assert engine.directory(time) == name


@pytest.mark.parametrize(
    ("text", "program"),
    [
        (b"EXTISM_CACHE_CONFIG", "extism"),
        (b"WASMTIME_CACHE_FILE", "spin"),
        (b"wizer.initialize", "wizer"),
        (b"Wasmtime WebAssembly Runtime", "wasmtime"),
        (b"", None),
    ],
)
def test_the_programs_that_are_known(look, text, program):
    assert look(elf(WITHOUT_ENABLED + BUG % b"50.0.0" + text)).program == program


def test_a_wasmtime_that_reads_no_config(look):
    engine = look(elf(BUG % b"50.0.0"))
    assert (engine.version, engine.reads_config, engine.grammars, engine.dialects()) == ("50.0.0", False, (), ())
    assert engine.directory(1) is None


def test_an_executable_that_can_be_anywhere_is_no_library(look):
    assert look(elf(BUG % b"50.0.0", kind=3)).library is False
    assert look(elf(BUG % b"50.0.0", kind=3, interpreter=False)).library is True
    for interpreter in (True, False):
        assert look(elf(BUG % b"50.0.0", kind=3, interpreter=interpreter, wide=False)).library is not interpreter
    for start in (64, 68, 80, 120, 124):
        assert look(pe(BUG % b"50.0.0", library=True, start=start)).library is True
        assert look(pe(BUG % b"50.0.0", start=start)).library is False
    for wide in (True, False):
        assert look(mach_o(BUG % b"50.0.0", library=True, wide=wide)).library is True
        assert look(mach_o(BUG % b"50.0.0", wide=wide)).library is False


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("dynamic", "library"),
    [
        ([(1, 7), (0x6FFFFFFB, 0x08000001), (0, 0)], False),  # DT_FLAGS_1 with DF_1_PIE and DF_1_NOW
        ([(0x6FFFFFFB, 0x08000000)], False),
        ([(0x6FFFFFFB, 0x10000001)], True),
        ([(0x6FFFFFFC, 0x08000000), (0x6FFFFFFA, 0x08000000)], True),
        ([(0, 0)], True),
    ],
)
def test_an_executable_without_an_interpreter_has_a_flag(look, wide, order, dynamic, library):
    engine = look(elf(BUG % b"50.0.0", kind=3, interpreter=False, wide=wide, order=order, dynamic=dynamic))
    assert engine.library is library


@pytest.mark.parametrize("shift", range(-80, 81, 5))
def test_texts_across_pieces(look, shift):
    texts = WITHOUT_ENABLED + crates(b"48.0.5") + BUG % b"48.0.5"
    at = binary.PIECE + shift - len(texts) // 2
    engine = look(elf(b"\0" * at + texts + b"\0" * 100))
    assert engine.possible_versions() == ["48.0.5"]
    assert engine.grammars == ("1.0",)


MIB = 2**20


@pytest.mark.parametrize(
    ("size", "claimed", "code", "pieces"),
    [
        (9, 9, None, [(0, 9)]),
        (MIB, MIB, None, [(0, MIB)]),
        (MIB + 1, MIB + 1, None, [(0, MIB), (MIB - 512, MIB + 1)]),
        (2 * MIB + 9, 2 * MIB + 9, None, [(0, MIB), (MIB - 512, 2 * MIB), (2 * MIB - 512, 2 * MIB + 9)]),
        # Without the machine code, and without what is before it.
        (MIB, MIB, (100, 900), [(0, 100), (1000, MIB)]),
        (2 * MIB + 9, 2 * MIB + 9, (1, 8), [(0, 1), (9, MIB + 9), (MIB - 503, 2 * MIB + 9)]),
        (1000, 1000, (0, 10), [(10, 1000)]),
        (1000, 1000, (990, 10), [(0, 990)]),
        # It has become shorter, and longer.
        (9, 3 * MIB, None, [(0, 9)]),
        (MIB, 3 * MIB, None, [(0, MIB)]),
        (MIB + 9, 3 * MIB, None, [(0, MIB), (MIB - 512, MIB + 9)]),
        (MIB + 9, MIB, None, [(0, MIB)]),
    ],
)
def test_a_file_is_read_in_pieces_of_1_mib_that_begin_in_the_one_before(tmp_path, size, claimed, code, pieces):
    data = b"".join(number.to_bytes(4, "big") for number in range(size // 4 + 1))[:size]
    (tmp_path / "file").write_bytes(data)
    with (tmp_path / "file").open("rb") as file:
        found = list(binary._pieces(file.fileno(), claimed, code, lambda: False))
    assert found == [data[start:end] for start, end in pieces]


def test_a_flood_of_texts_and_answers_has_an_end(look):
    flood = b"".join(b"/wasmtime-%d.0.0/" % (number % 1000) for number in range(100000))
    engine = look(elf(WITHOUT_ENABLED + flood))
    assert len(engine.versions) == binary._ANSWERS_MAX


@pytest.mark.parametrize("left", [0, 9, MIB - 513, MIB - 9, MIB])
def test_of_a_file_that_is_cut_meanwhile_nothing_more_is_read(tmp_path, left):
    (tmp_path / "file").write_bytes(b"x" * 3 * MIB)
    with (tmp_path / "file").open("rb") as file:
        pieces = binary._pieces(file.fileno(), 3 * MIB, None, lambda: False)
        assert next(pieces) == b"x" * MIB
        os.truncate(str(tmp_path / "file"), left)
        assert list(pieces) == []


def test_the_first_5000_hits_of_a_text_are_looked_at_and_8_answers_kept():
    hits = b"wasmtime- " * 4999
    version = b"/wasmtime-1.0.0/"
    assert binary._answers([hits + version + b"toml-/toml-1.2.3/"]) == {"crate-path": {"1.0.0"}, "toml": {"1.2.3"}}
    assert binary._answers([hits + b"wasmtime- " + version + b"/toml-1.2.3/"]) == {"toml": {"1.2.3"}}
    # All pieces together.
    assert binary._answers([hits, version]) == {"crate-path": {"1.0.0"}}
    assert binary._answers([hits, b"wasmtime- ", version]) == {}
    paths = [b"/wasmtime-%d.0.0/" % number for number in range(12)]
    first = {"%d.0.0" % number for number in range(8)}
    assert binary._answers([b"".join(paths[:8])]) == {"crate-path": first}
    assert binary._answers([b"".join(paths[:4] * 2 + paths[2:])]) == {"crate-path": first}


def test_what_is_before_a_text_is_in_64_bytes_and_may_be_at_the_beginning():
    longest = "1000.2000.3000-" + "a" * 20 + "+" + "b" * 15
    for version, answers in ((longest, {longest}), (longest + "b", None), ("1.0.0", {"1.0.0"})):
        text = b"version: " + version.encode() + b"\n\n\n\nThis is a bug in Wasmtime"
        for before in (b"", b"x", b"x" * 100):
            assert binary._answers([before + text]).get("panic-text") == answers
            assert binary._answers([before + text])["bug"] == {""}


REVISION_TEXT = b"-" + REVISION


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b")%s" % REVISION_TEXT, True),
        (b")%s\0a" % REVISION_TEXT, True),
        (b")%s-modules" % REVISION_TEXT, True),
        (b")%sg" % REVISION_TEXT, False),
        (b")%sg\0" % REVISION_TEXT, False),
        (b"%s" % REVISION_TEXT, False),
        (b"x)x%s\0" % REVISION_TEXT, False),
        (b"))%s0\0" % REVISION_TEXT, False),
        (b"x%smodules" % REVISION_TEXT, True),
        (b"%smodules" % REVISION_TEXT, True),
        (b"%smodulesget_data() for path" % REVISION_TEXT, True),
        (b"x%sModules" % REVISION_TEXT, False),
        (b"x%smodule" % REVISION_TEXT, False),
        (b"x%smodulet" % REVISION_TEXT, False),
    ],
)
def test_a_revision_stands_alone_behind_its_length_or_before_the_next_text(text, found):
    directory = binary._answers([text]).get("directory")
    assert directory == ({REVISION.decode()} if found else None)


def test_the_time_can_end(look):
    with pytest.raises(TimeOver):
        look(elf(WITHOUT_ENABLED), expired=lambda: True)


def test_a_file_that_changes_meanwhile_has_no_answer(tmp_path):
    path = tmp_path / "program"
    path.write_bytes(elf(WITHOUT_ENABLED + BUG % b"50.0.0" + b"\0" * 2 * binary.PIECE))

    def cut():
        os.truncate(str(path), 1000)
        return False

    handle = os.open(str(path), os.O_RDONLY)
    with pytest.raises(Changing):
        binary.engine_in(handle, cut)
    os.close(handle)


@pytest.mark.parametrize("text", [WITHOUT_ENABLED, b""])
def test_a_file_with_another_time_or_of_another_size_has_changed(tmp_path, text):
    path = tmp_path / "program"

    def touch():
        os.utime(str(path), ns=(0, 2 * 10**18))
        return False

    def touch_back():
        os.utime(str(path), ns=(0, 1))
        return False

    def lengthen():
        with path.open("ab") as file:
            file.write(b"x")
        return False

    for change in (touch, touch_back, lengthen):
        path.write_bytes(elf(text + b"x" * 2 * binary.PIECE))
        with path.open("rb") as file, pytest.raises(Changing):
            binary.engine_in(file.fileno(), change)


def test_a_sparse_file_takes_no_memory(tmp_path):
    import tracemalloc

    path = tmp_path / "program"
    path.write_bytes(elf(WITHOUT_ENABLED + BUG % b"50.0.0"))
    os.truncate(str(path), 2**26)
    handle = os.open(str(path), os.O_RDONLY)
    tracemalloc.start()
    engine = binary.engine_in(handle)
    assert engine is not None
    assert engine.version == "50.0.0"
    assert tracemalloc.get_traced_memory()[1] < 8 * binary.PIECE
    tracemalloc.stop()
    os.close(handle)


GOOD = [
    elf(WITHOUT_ENABLED + crates(b"48.0.5"), packages=sbom(("wasmtime", "48.0.5"))),
    elf(WITH_ENABLED + crates(b"30.0.2"), wide=False, kind=3, interpreter=False),
    pe(WITHOUT_ENABLED + crates(b"48.0.5"), packages=sbom(("wasmtime", "48.0.5"))),
    mach_o(WITHOUT_ENABLED + crates(b"48.0.5"), packages=sbom(("wasmtime", "48.0.5"))),
    fat(mach_o(WITHOUT_ENABLED + BUG % b"50.0.0")),
]


@given(
    st.sampled_from(GOOD), st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=9)), max_size=8), st.integers(0)
)
def test_no_bytes_make_trouble(tmp_path_factory, data, changes, cut):
    damaged = bytearray(data)
    for place, new in changes:
        start = place % len(damaged)
        damaged[start : start + len(new)] = new
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(bytes(damaged[: cut % len(damaged)]) if cut % 3 == 0 else bytes(damaged))
    handle = os.open(str(path), os.O_RDONLY)
    try:
        engine = binary.engine_in(handle)
        assert engine is None or engine.possible_versions() is not None
        if engine:
            engine.dialects()
            engine.directory(1)
    finally:
        os.close(handle)


@pytest.mark.parametrize(
    "packages",
    [
        b"",
        b"no zlib",
        sbom(("wasmtime", "42.0.1"))[:-9],
        sbom(("wasmtime", "no version")),
        sbom(("wasmtime", 42)),
        __import__("zlib").compress(b"[" * 10**6),
        __import__("zlib").compress(b'{"packages": {"a": 1}}'),
        __import__("zlib").compress(b'{"packages": [{"name": "wasmtime"}]}'),
        __import__("zlib").compress(b"\xff"),
        __import__("zlib").compress(b"\0" * 10**8),
    ],
)
def test_a_list_of_packages_that_is_none(look, packages):
    assert known(look(elf(WITHOUT_ENABLED + BUG % b"50.0.0", packages=packages))) == ("50.0.0", "panic-text")


@pytest.mark.parametrize(
    ("first", "last", "parsers", "grammars"),
    [
        (30, 38, {"1.1.0"}, ("1.0",)),
        (38, 39, {"1.1.0"}, ("1.0", "1.1")),
        (38, 39, {"1.0.0"}, ("1.0",)),
        (39, 48, {"1.1.0"}, ("1.1",)),
        (48, 49, {"1.0.0"}, ("1.0", "1.1")),
        (48, 49, {"1.1.0"}, ("1.1",)),
        (49, 50, {"1.0.0"}, ("1.1",)),
        (38, 38, {"1.0.6"}, ("1.0",)),
        (39, 39, {"1.0.5"}, ("1.0",)),
        (39, 39, {"1.0.6"}, ("1.1",)),
        (39, 39, {"1.1.0"}, ("1.1",)),
        (39, 39, {"2.0.0"}, ("1.1",)),
        (39, 39, {"0.9.9"}, ("1.0",)),
        (39, 39, {"1.0.5", "1.0.6"}, ("1.0", "1.1")),
        (39, 39, {"no version"}, ("1.0", "1.1")),
        (0, 100, {"1.0.6"}, ("1.0", "1.1")),
        (0, 100, {"1.0.5"}, ("1.0", "1.1")),
        (39, 48, set(), ("1.0", "1.1")),
    ],
)
def test_the_grammars_of_a_range_of_versions_are_those_of_each(first, last, parsers, grammars):
    assert binary._grammars(first, last, set(), parsers) == grammars


@pytest.mark.parametrize(
    ("tomls", "parsers", "grammars"),
    [
        ({"0.9.12+spec-1.1.0"}, set(), ("1.1",)),
        ({"0.9.12+spec-1.1.0"}, {"1.0.5"}, ("1.0",)),
        ({"0.9.8+spec-1.0.0"}, set(), ("1.0", "1.1")),
        ({"0.9.8+spec-1.0.0"}, {"1.0.6"}, ("1.1",)),
    ],
)
def test_the_parser_goes_before_the_specification_in_a_version(tomls, parsers, grammars):
    assert binary._grammars(39, 48, tomls, parsers) == grammars


EVERY = (0, MAJOR_MAX)


def last_with(fields: int) -> int:
    """The last version with this number of fields."""
    return max(dialect.last for dialect in DIALECTS if dialect.fields == fields)


@pytest.mark.parametrize(
    ("fields", "tomls", "bug", "versions"),
    [
        (None, (), False, EVERY),
        (None, ("no version", "0.7.1", "2.0.0", "0.10.1", "1"), False, EVERY),
        (None, ("0.5.9",), False, (0, 18)),
        (None, ("0.8.10",), False, (19, 38)),
        (None, ("0.9.8",), False, (39, 42)),
        (None, ("0.9.8",), True, (39, 48)),
        (None, ("1.0.0",), False, (49, MAJOR_MAX)),
        (None, ("1.9.3",), True, (49, MAJOR_MAX)),
        (None, ("0.5.9", "0.8.10"), False, (0, 38)),
        (None, ("0.5.9", "0.9.8"), False, (0, 48)),
        (None, ("0.8.1", "0.8.10"), False, (19, 38)),
        (None, ("0.5.9", "1.0.0"), False, EVERY),
        (13, (), False, (0, last_with(13))),
        (13, ("0.5.9",), False, (0, 18)),
        (13, ("0.8.1",), False, (19, 32)),
        (13, ("0.9.8",), False, (0, last_with(13))),
        (13, ("0.8.1", "0.9.8", "1.0.0"), False, (19, last_with(13))),
        (12, (), False, (33, last_with(12))),
        (12, ("0.5.9",), False, (33, last_with(12))),
        (12, ("0.8.1",), False, (33, 38)),
        (12, ("0.8.1", "0.9.8"), False, (33, 48)),
        (12, ("0.5.9", "0.9.8"), False, (39, 42)),
        (12, ("0.9.8",), True, (39, 48)),
        (12, ("1.0.0",), False, (49, last_with(12))),
        (11, ("0.8.1",), False, (19, 38)),
    ],
)
def test_the_range_of_versions_that_the_fields_and_the_crates_allow(fields, tomls, bug, versions):
    answers = {} if fields is None else {"fields": {str(fields)}}
    if bug:
        answers["bug"] = {""}
    assert binary._range(answers, set(tomls)) == versions


@pytest.mark.parametrize("numbers", [{"12", "13"}, {"9", "10"}])
def test_two_numbers_of_fields_tell_nothing(numbers):
    assert binary._range({"fields": numbers}, set()) == EVERY


@pytest.mark.parametrize(
    ("toml", "version", "known"),
    [(b"0.8.10", b"33.0.0", True), (b"0.8.10", b"38.0.9", True), (b"0.8.10", b"32.0.0", False), (b"0.8.10", b"39.0.0", False),
     (b"0.9.8", b"39.0.0", True), (b"0.9.8", b"42.0.0", True), (b"0.9.8", b"43.0.0", False)],
)  # fmt: skip
def test_a_neighbour_counts_within_the_range(look, toml, version, known):
    engine = look(elf(WITHOUT_ENABLED + b"x%sWASMTIME_BACKTRACE_DETAILS/toml-%s/" % (version, toml)))
    assert engine.version == (version.decode() if known else None)
    assert engine.rule == ("neighbour-text" if known else "config-fields")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (crates(b"20.0.0"), "cache-path"),
        (b"/wasmtime-20.0.0/", "crate-path"),
        (BUG % b"20.0.0", "panic-text"),
        (b"Wasmtime WebAssembly Runtime20.0.0 (6844a83b5 2026-02-25)", "command-line"),
    ],
)
def test_a_version_that_a_reliable_text_tells_counts_without_regard_to_the_range(look, text, rule):
    engine = look(elf(WITHOUT_ENABLED + text))
    assert (known(engine), engine.first, engine.last) == (("20.0.0", rule), 20, 20)
    both = look(elf(WITHOUT_ENABLED + text, packages=sbom(("wasmtime", "21.0.0"))))
    assert (both.versions, both.rule, both.first, both.last) == (("20.0.0", "21.0.0"), "sbom", 20, 21)
    neighbour = look(elf(WITHOUT_ENABLED + text + b"x40.0.0WASMTIME_BACKTRACE_DETAILS"))
    assert known(neighbour) == ("20.0.0", rule)


@pytest.mark.parametrize(
    ("first", "last", "possible", "dialects"),
    [
        (0, MAJOR_MAX, [], ["<=32", "33-47", "33-47", "48", *LATEST]),
        (1, MAJOR_MAX, [">=1"], ["<=32", "33-47", "33-47", "48", *LATEST]),
        (0, 32, ["<=32"], ["<=32"]),
        (0, 33, ["<=33"], ["<=32", "33-47"]),
        (0, 0, ["<=0"], ["<=32"]),
        (32, 33, ["32-33"], ["<=32", "33-47"]),
        (33, 38, ["33-38"], ["33-47"]),
        (38, 39, ["38-39"], ["33-47", "33-47"]),
        (39, 47, ["39-47"], ["33-47"]),
        (47, 48, ["47-48"], ["33-47", "48"]),
        (48, 48, ["48-48"], ["48"]),
        (48, 49, ["48-49"], ["48", FROM_49]),
        (49, MAJOR_MAX, [">=49"], LATEST),
        (MAJOR_MAX, MAJOR_MAX, [">=%d" % MAJOR_MAX], LATEST[-1:]),
    ],
)
def test_a_range_of_versions_has_these_dialects(first, last, possible, dialects):
    engine = Engine((), "config-fields", first, last, True, ("1.0", "1.1"), None, False, None)
    assert engine.possible_versions() == possible
    assert [dialect.name for dialect in engine.dialects()] == dialects
    assert engine.as_dict() == {
        "version": None,
        "versions": possible,
        "rule": "config-fields",
        "program": None,
        "reads_config": True,
        "toml": None,
        "dialect": dialects[0] if len(set(dialects)) == 1 else None,
    }


def test_the_grammars_of_a_dialect_are_those_of_the_program():
    engine = Engine(("38.0.0", "48.0.0"), "sbom", 38, 48, True, ("1.1",), None, False, "spin")
    assert [(dialect.name, dialect.grammars) for dialect in engine.dialects()] == [
        ("33-47", ("1.1",)),
        ("48", ("1.1",)),
    ]
    assert (engine.as_dict()["toml"], engine.as_dict()["dialect"]) == ("1.1", None)
    without = engine._replace(versions=("48.0.0",), reads_config=False, grammars=())
    assert without.as_dict() == {
        "version": "48.0.0",
        "versions": ["48.0.0"],
        "rule": "sbom",
        "program": "spin",
        "reads_config": False,
        "toml": None,
        "dialect": None,
    }


@pytest.mark.parametrize(
    ("first", "last", "time", "name"),
    [
        (45, 45, None, "wasmtime-%s"),
        (45, 46, 1, None),
        (46, 46, None, None),
        (46, 99, 1999999999999999999, "wasmtime-%s-1999999999999"),
        (46, 46, 0, "wasmtime-%s-0"),
        (46, 46, 999999, "wasmtime-%s-0"),
        (46, 46, 10**6, "wasmtime-%s-1"),
        (46, 46, -1, "wasmtime-%s-m0"),
        (46, 46, -(10**6), "wasmtime-%s-m1"),
        (46, 46, -1999999999999999999, "wasmtime-%s-m1999999999999"),
    ],
)
def test_from_46_on_the_directory_has_the_milliseconds_of_the_executable(first, last, time, name):
    revision = REVISION.decode()
    engine = Engine((), None, first, last, True, ("1.1",), revision, False, None)
    assert engine.directory(time) == (name and name % revision)
    for other in ("46.0.0", "", revision + "0"):
        assert engine._replace(revision=other).directory(time) == "wasmtime-" + other
    assert engine._replace(revision=None).directory(time) is None


@pytest.mark.parametrize(
    ("found", "paths", "first", "revision"),
    [
        ({"46.0.0"}, {"46.0.0"}, 46, "46.0.0"),
        (set(), {"46.0.0"}, 46, "46.0.0"),
        (set(), {"45.0.0"}, 45, None),
        (set(), {"47.0.0"}, 47, "47.0.0"),
        (set(), {"46.0.0", "47.0.0"}, 46, None),
        ({"abc"}, {"46.0.0"}, 46, "abc"),
        ({"abc", "def"}, {"46.0.0"}, 46, None),
        ({""}, {"45.0.0"}, 45, ""),
        (set(), set(), 46, None),
    ],
)
def test_the_directory_of_a_build_from_crates_io_has_the_version(found, paths, first, revision):
    answers = {"cache-path": paths}
    if found:
        answers["directory"] = found
    assert binary._revision(answers, paths, first) == revision
    assert binary._revision({"cache-path": {"1.0.0"}, **({"directory": found} if found else {})}, paths, first) == (
        revision if found else None
    )
