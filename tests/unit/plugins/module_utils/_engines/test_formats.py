# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of the headers of executables, at the places that the formats define, and at the limits."""

from __future__ import annotations

import json
import os
import struct
import zlib

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.formats import Headers, headers_of
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.binaries import elf, fat, mach_o, pe, sbom

CODE = b"\x90" * 64
LIST = b"list of packages"
NOTHING = Headers(False, False, None, None)
# Fills the bytes that are not read.
FILL = 0x70707070
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
PIE = (0x6FFFFFFB, 0x08000000)
ELFS = [(wide, order) for wide in (True, False) for order in "<>"]


@pytest.fixture
def read(tmp_path):
    def in_file(data, size=None):
        path = tmp_path / "program"
        path.write_bytes(data)
        handle = os.open(str(path), os.O_RDONLY)
        try:
            return headers_of(handle, len(data) if size is None else size)
        finally:
            os.close(handle)

    return in_file


@pytest.fixture
def listed(tmp_path):
    def in_list(data, before=b"x" * 9, behind=b"x" * 9):
        path = tmp_path / "program"
        path.write_bytes(before + data + behind)
        handle = os.open(str(path), os.O_RDONLY)
        try:
            return Headers(False, False, None, (len(before), len(data))).packages(handle)
        finally:
            os.close(handle)

    return in_list


def an_elf(
    sections=(), segments=(), wide=True, order="<", kind=3, sizes=None, counts=None, names=None, names_at=0, cut=0
):
    """An ELF file with sections of a name, an offset and a size, and segments of a kind and their bytes.

    C(sizes) are those of an entry for a segment and for a section, C(counts) how many the header claims, C(names) the text of
    the names, C(names_at) the place of their section behind the others. The table of sections is the last, without C(cut) bytes.
    """
    word, start = ("Q", 64) if wide else ("I", 52)
    segment_size, section_size = sizes or ((56, 64) if wide else (32, 40))
    texts = b"".join(name + b"\0" for name, _offset, _size in sections) if names is None else names
    data = bytes([FILL & 0xFF]) * 5
    table = []
    for segment, content in segments:
        facts = [start + len(data), FILL, FILL, len(content)]
        data += content
        form, front = ("II", [segment, FILL]) if wide else ("I", [segment])
        entry = struct.pack(order + form + word * 4, *front, *facts)
        table.append(entry.ljust(max(segment_size, len(entry)), b"\x70")[:segment_size])
    entries = []
    for name, offset, size in (*sections, (b"names", start + len(data), len(texts))):
        place = texts.find(name + b"\0") if name != b"names" else len(texts)
        entry = struct.pack(order + "II" + word * 4, place, FILL, FILL, FILL, offset, size)
        entries.append(entry.ljust(max(section_size, len(entry)), b"\x70")[:section_size])
    data += texts
    segments_at = start + len(data)
    data += b"".join(table)
    sections_at = start + len(data)
    data += b"".join(entries)
    numbers = counts or (len(table), len(entries))
    header = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2]) + b"\x70" * 10
    header += struct.pack(order + "HHI" + word * 3, kind, 0x7070, FILL, FILL, segments_at, sections_at)
    header += struct.pack(
        order + "IHHHHHH", FILL, 0x7070, segment_size, numbers[0], section_size, numbers[1], len(sections) + names_at
    )
    return (header + data)[: -cut or None]


def dynamic(*pairs, wide=True, order="<"):
    return b"".join(struct.pack(order + ("QQ" if wide else "II"), *pair) for pair in pairs)


@pytest.mark.parametrize(
    "data",
    [
        *(elf(b"texts", CODE, LIST, wide=wide, order=order) for wide, order in ELFS),
        *(pe(b"texts", LIST, start=start) for start in (64, 120)),
        *(mach_o(b"texts", LIST, wide=wide) for wide in (True, False)),
        *(fat(mach_o(b"texts", LIST, wide=wide)) for wide in (True, False)),
    ],
)
def test_the_machine_code_and_the_list_of_packages_are_found_where_they_are(read, data):
    where = [(data.index(part), len(part)) for part in (CODE, LIST)]
    assert read(data) == Headers(False, False, *where)
    # Neither goes beyond the end of the file.
    end = sum(where[1])
    assert read(data, end).sbom == where[1]
    assert read(data, end - 1) == Headers(False, False, where[0], None)


def test_a_section_has_at_least_a_byte_and_can_be_the_whole_file(read):
    assert read(an_elf([(b".text", 0, 1), (b".dep-v0", 9, 0)])) == Headers(True, False, (0, 1), None)
    size = len(an_elf([(b".text", 0, 1)]))
    assert read(an_elf([(b".text", 0, size)])).code == (0, size)
    assert read(an_elf([(b".text", size - 1, 1)])).code == (size - 1, 1)
    assert read(an_elf([(b".text", size, 1)])).code is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x7fELE" + elf(code=CODE)[4:],
        b"\x7fELG" + elf(code=CODE)[4:],
        b"LZ" + pe()[2:],
        b"M[" + pe()[2:],
        pe().replace(b"PE\0\0", b"PE\0\1"),
        pe().replace(b"PE\0\0", b"NE\0\0"),
        pe()[:63],
        b"MZ",
        b"\xfe\xed\xfa\xcf" + mach_o()[4:],
        # The class of a program in Java has the version of its format where the number of processors would be.
        b"\xca\xfe\xba\xbe\0\0\0\x34" + b"\1" * 100,
        b"\xca\xfe\xba\xbe" + struct.pack(">IIIII", 20, 0, 0, 4096, 9),
        b"\xca\xfe\xba\xbe" + struct.pack(">IIIII", 0, 0, 0, 4096, 9),
        b"\xca\xfe\xba\xbe" + struct.pack(">IIIII", 1, 9, 9, 0, 9),
        b"\xca\xfe\xba\xbe",
        b"\xca\xfe\xba\xbd" + fat(mach_o())[4:],
        b"\xca\xfe\xba\xbf" + fat(mach_o())[4:],  # with offsets of 64 bits
    ],
)
def test_another_format_is_none(read, data):
    assert read(data) is None


@pytest.mark.parametrize("number", [1, 2, 19])
def test_a_file_for_several_processors_is_read_by_its_first_part(read, number):
    data = fat(mach_o(packages=LIST, library=True))
    found = Headers(True, False, (data.index(CODE), 64), (data.index(LIST), len(LIST)))
    assert read(data[:7] + bytes([number]) + data[8:]) == found


@pytest.mark.parametrize("size", [4, 5, 6, 17, 63])
@pytest.mark.parametrize("data", [elf(code=CODE, kind=3), mach_o(library=True)])
def test_of_a_header_that_ends_early_nothing_is_known(read, data, size):
    assert read(data[:size]) == NOTHING


@pytest.mark.parametrize("place", [2**63, 2**64 - 1])
def test_a_table_at_an_impossible_place_is_none(read, place):
    data = bytearray(elf(code=CODE, kind=3))
    struct.pack_into("<Q", data, 40, place)
    assert read(bytes(data)) == NOTHING


def test_packed_by_upx(read):
    """The mark is in the first 4 KiB."""
    data = elf(code=CODE).ljust(5000, b"\0")
    assert read(data[:4092] + b"UPX!") == read(data)._replace(packed=True)
    assert read(data[:4093] + b"UPX!") == read(data[:4097])


@pytest.mark.parametrize(("wide", "size", "found"), [(True, 39, False), (True, 40, True), (True, 41, True), (True, 64, True), (True, 65, False),
                                                     (False, 23, False), (False, 24, True), (False, 64, True), (False, 65, False)])  # fmt: skip
def test_an_entry_of_a_section_has_what_is_read_and_64_bytes_at_most(read, wide, size, found):
    data = an_elf([(b"", 0, 0), (b"", 0, 0), (b".text", 3, 9)], wide=wide, sizes=(56, size))
    assert read(data).code == ((3, 9) if found else None)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("wide", [True, False])
def test_a_table_of_sections_that_ends_early_has_those_before(read, wide, order):
    """Names first: they are needed for the others."""
    size = 40 if wide else 24
    data = an_elf(
        [(b".text", 3, 9), (b".dep-v0", 4, 8)],
        wide=wide,
        order=order,
        sizes=(56, size),
        names_at=-2,
        names=b".text\0.dep-v0\0",
    )
    # The table: names, code, packages.
    table = data[-3 * size :]
    data = data[: -3 * size] + table[2 * size :] + table[: 2 * size]
    assert read(data) == Headers(True, False, (3, 9), (4, 8))
    for cut in (1, size - 1):
        assert read(data[:-cut]) == Headers(True, False, (3, 9), None)
    assert read(data[: -size - 1]) == Headers(True, False, None, None)


@pytest.mark.parametrize(("names_at", "found"), [(-1, False), (0, True), (1, False), (2, False)])
def test_the_names_of_sections_are_in_the_section_that_the_header_names(read, names_at, found):
    data = an_elf([(b".text", 3, 9)], names_at=names_at)
    assert read(data) == Headers(True, False, (3, 9) if found else None, None)


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize(("number", "found"), [(4095, True), (4096, False)])
def test_of_many_sections_4096_are_read(read, wide, number, found):
    sections = [(b"x", 3, 9)] * number + [(b".text", 4, 8)]
    data = bytearray(an_elf(sections, wide=wide, sizes=(56, 64), names=b"x\0.text\0", names_at=-number))
    # The entry for the names changes its place with the second one, so that it is read.
    first = len(data) - 64 * (number + 2)
    data[first + 64 : first + 128], data[-64:] = data[-64:], data[first + 64 : first + 128]
    assert read(bytes(data)).code == ((4, 8) if found else None)


@pytest.mark.parametrize(("place", "found"), [(2**16 - 6, True), (2**16 - 5, False)])
def test_of_the_names_of_sections_64_kib_are_read(read, place, found):
    names = b"x" * (place - 1) + b"\0.text\0"
    assert read(an_elf([(b".text", 4, 8)], names=names)).code == ((4, 8) if found else None)


@pytest.mark.parametrize(("wide", "order"), ELFS)
@pytest.mark.parametrize(
    ("kind", "segments", "library"),
    [
        (3, [PT_LOAD, PT_NOTE, 0, 6], True),
        (3, [PT_LOAD, PT_INTERP, PT_NOTE], False),
        (3, [PT_NOTE, PT_LOAD, PT_DYNAMIC], False),
        (3, [], True),
        # An object file, an executable, a memory dump.
        (1, [], False),
        (2, [], False),
        (4, [], False),
    ],
)
def test_a_library_can_be_anywhere_and_is_no_executable(read, wide, order, kind, segments, library):
    content = dynamic((1, 1), PIE, (0, 0), wide=wide, order=order)
    data = an_elf([(b".text", 3, 9)], [(segment, content) for segment in segments], wide, order, kind)
    assert read(data) == Headers(library, False, (3, 9), None)


@pytest.mark.parametrize(("wide", "size", "library"), [(True, 55, True), (True, 56, False), (True, 57, False), (True, 64, False), (True, 65, True),
                                                       (False, 31, True), (False, 32, False), (False, 64, False), (False, 65, True)])  # fmt: skip
def test_an_entry_of_a_segment_has_what_is_defined_and_64_bytes_at_most(read, wide, size, library):
    data = an_elf((), [(PT_LOAD, b""), (PT_INTERP, b"")], wide, sizes=(size, 64))
    assert read(data).library is library


@pytest.mark.parametrize(("number", "library"), [(4095, False), (4096, True)])
def test_of_many_segments_4096_are_read(read, number, library):
    assert read(an_elf((), [(PT_LOAD, b"")] * number + [(PT_INTERP, b"")])).library is library


@pytest.mark.parametrize("wide", [True, False])
def test_a_table_of_segments_that_ends_early_has_those_before(read, wide):
    start, size, place = (64, 56, 32) if wide else (52, 32, 28)
    data = bytearray(an_elf([(b".text", 3, 9)], [], wide, counts=(3, 2)))
    struct.pack_into("<Q" if wide else "<I", data, place, len(data))
    (load, interpreter) = (struct.pack("<I", kind).ljust(size, b"\0") for kind in (PT_LOAD, PT_INTERP))
    assert data[start:]
    assert read(bytes(data) + load * 2 + interpreter).library is False
    for cut in (1, 30):
        assert read((bytes(data) + load * 2 + interpreter)[:-cut]) == Headers(True, False, (3, 9), None)
        assert read((bytes(data) + interpreter + load)[:-cut]) == Headers(False, False, (3, 9), None)


@pytest.mark.parametrize(("wide", "order"), ELFS)
def test_the_flags_of_an_executable_are_read_in_whole_pairs_of_64_kib(read, wide, order):
    step = 16 if wide else 8

    def library(content):
        return read(an_elf((), [(PT_DYNAMIC, content)], wide, order)).library

    pair = dynamic(PIE, wide=wide, order=order)
    for more in (1, step - 1):
        assert library(pair + b"\0" * more) is False
        assert library(b"\0" * step + pair[:-more]) is True
    assert library(b"\0" * (2**16 - step) + pair) is False
    assert library(b"\0" * 2**16 + pair) is True


def a_pe(sections, flags=0x2000, start=64, optional=0, count=None):
    """A PE file with sections of a name, a used size, a size and an offset."""
    data = (b"MZ".ljust(60, b"\x70") + struct.pack("<I", start)).ljust(start, b"\x70")
    number = len(sections) if count is None else count
    data += b"PE\0\0" + struct.pack("<HHIIIHH", 0x7070, number, FILL, FILL, FILL, optional, flags) + b"\x70" * optional
    for name, used, size, offset in sections:
        data += name.ljust(8, b"\0") + struct.pack("<IIII", used, FILL, size, offset) + b"\x70" * 16
    return data


@pytest.mark.parametrize("optional", [0, 224, 240])
@pytest.mark.parametrize(
    ("flags", "library"), [(0x2000, True), (0x2022, True), (0xDFFF, False), (0x1000, False), (0, False)]
)
def test_a_dll_has_a_flag(read, flags, library, optional):
    sections = [(b".text", 5, 9, 3), (b".dep-v0", 9, 7, 4), (b".dep-v0x", 9, 6, 4)]
    # Of the sizes in memory and in the file, the smaller one is filled.
    assert read(a_pe(sections, flags, 80, optional)) == Headers(library, False, (3, 5), (4, 7))


def test_the_header_of_a_pe_file_can_be_in_that_of_dos(read):
    data = bytearray(64)
    data[:2] = b"MZ"
    struct.pack_into("<4sHHIIIHH", data, 4, b"PE\0\0", 0, 0, 0, 0, 0, 0, 0x2000)
    struct.pack_into("<I", data, 60, 4)
    assert read(bytes(data)) == Headers(True, False, None, None)


@pytest.mark.parametrize(
    ("start", "found"),
    [(4072, Headers(True, False, (3, 9), None)), (4073, NOTHING), (4092, NOTHING), (4093, None)],
)
def test_the_header_of_a_pe_file_is_in_the_first_4_kib(read, start, found):
    assert read(a_pe([(b".text", 9, 9, 3)], start=start)) == found


@pytest.mark.parametrize(("number", "found"), [(4095, True), (4096, False)])
def test_of_many_sections_of_a_pe_file_4096_are_read(read, number, found):
    data = a_pe([(b"x", 9, 9, 3)] * number + [(b".text", 9, 8, 4)])
    assert read(data).code == ((4, 8) if found else None)


def test_a_table_of_sections_of_a_pe_file_that_ends_early_has_those_before(read):
    data = a_pe([(b".text", 9, 9, 3), (b".dep-v0", 9, 9, 4)])
    assert read(data) == Headers(True, False, (3, 9), (4, 9))
    for cut in (1, 12, 39, 40):
        assert read(data[:-cut]) == Headers(True, False, (3, 9), None)
    assert read(data[:-41]) == Headers(True, False, None, None)
    assert read(a_pe([(b".text", 9, 9, 3), (b".dep-v0", 9, 9, 4)], count=1)) == Headers(True, False, (3, 9), None)


def segment(sections, wide=True, command=None, count=None):
    """A command of a Mach-O file for a segment, with sections of a name, an offset and a size."""
    word = "Q" if wide else "I"
    content = b"".join(
        struct.pack("<16s16s" + word * 2 + "I", name, b"__TEXT", FILL, size, offset).ljust(80 if wide else 68, b"\x70")
        for name, offset, size in sections
    )
    number = command or (0x19 if wide else 0x1)
    facts = [number, (72 if wide else 56) + len(content), b"__TEXT", *[FILL] * 6]
    numbers = (len(sections) if count is None else count, FILL)
    return struct.pack("<II16s" + word * 4 + "IIII", *facts, *numbers) + content


def a_mach_o(*commands, wide=True, kind=6, count=None, length=None):
    content = b"".join(commands)
    size = len(content) if length is None else length
    magic = b"\xcf\xfa\xed\xfe" if wide else b"\xce\xfa\xed\xfe"
    numbers = (FILL, FILL, kind, len(commands) if count is None else count, size, FILL)
    header = magic + struct.pack("<IIIIII", *numbers)
    return header + (b"\x70" * 4 if wide else b"") + content


@pytest.mark.parametrize(
    ("kind", "library"), [(1, False), (2, False), (5, False), (6, True), (7, False), (8, False), (10, False)]
)
@pytest.mark.parametrize("wide", [True, False])
def test_a_dylib_has_a_kind_of_its_own(read, wide, kind, library):
    data = a_mach_o(segment([(b"__text", 3, 9)], wide), wide=wide, kind=kind)
    assert read(data) == Headers(library, False, (3, 9), None)


@pytest.mark.parametrize("wide", [True, False])
def test_only_the_commands_for_segments_of_its_size_have_sections(read, wide):
    right = segment([(b"__const", 8, 1), (b"__text", 3, 9)], wide)
    for command in (0x2, 0x18, 0x1A, 0x1 if wide else 0x19, 0x80000019):
        other = segment([(b"__text", 4, 8)], wide, command)
        assert read(a_mach_o(other, right, other, wide=wide)) == Headers(True, False, (3, 9), None)


def test_a_command_has_at_least_its_kind_and_its_size(read):
    right = segment([(b"__text", 3, 9)])
    for size in (0, 4, 7, 8):
        assert read(a_mach_o(struct.pack("<II", 2, size), right)).code == (3, 9)
    assert read(a_mach_o(struct.pack("<II", 2, 9) + b"x", right)).code == (3, 9)


def test_of_many_commands_4096_are_read_and_no_more_than_there_are(read):
    right, other = segment([(b"__text", 3, 9)]), struct.pack("<II", 2, 8)
    assert read(a_mach_o(*[other] * 4095, right)).code == (3, 9)
    assert read(a_mach_o(*[other] * 4096, right)) == Headers(True, False, None, None)
    assert read(a_mach_o(other, right, count=1)) == Headers(True, False, None, None)
    assert read(a_mach_o(other, right, count=3)) == NOTHING


@pytest.mark.parametrize(
    ("before", "number", "found"), [(0, 4095, True), (0, 4096, False), (4000, 95, True), (4000, 96, False)]
)
def test_of_many_sections_of_all_segments_4096_are_read(read, before, number, found):
    first = segment([(b"a%d" % at, 4, 8) for at in range(before)])
    second = segment([*((b"b%d" % at, 4, 8) for at in range(number)), (b"__text", 3, 9)])
    assert read(a_mach_o(first, second)) == Headers(True, False, (3, 9) if found else None, None)


@pytest.mark.parametrize(("wide", "needed"), [(True, 72 + 52), (False, 56 + 44)])
def test_the_commands_have_the_length_in_the_header_and_1_mib_at_most(read, wide, needed):
    right = segment([(b"__text", 3, 9)], wide)
    assert read(a_mach_o(right, wide=wide, length=needed)) == Headers(True, False, (3, 9), None)
    assert read(a_mach_o(right, wide=wide, length=needed - 1)) == NOTHING
    for more, found in ((0, Headers(True, False, (3, 9), None)), (1, NOTHING)):
        size = 2**20 - needed + more
        other = struct.pack("<II", 2, size).ljust(size, b"\0")
        assert read(a_mach_o(other, right, wide=wide)) == found


def stored(data):
    """What zlib reads without compression; the sum at its end is left out."""
    blocks = [data[start : start + 65535] for start in range(0, len(data), 65535)]
    parts = [struct.pack("<?HH", block is blocks[-1], len(block), len(block) ^ 0xFFFF) + block for block in blocks]
    return b"\x78\x01" + b"".join(parts)


def test_the_packages_of_a_program_without_those_of_its_build(listed):
    packages = sbom(
        ("wasmtime", "42.0.1"),
        ("toml", "0.8.1", "runtime"),
        ("toml", "0.9.2", "a"),
        ("toml", "0.9.2", "z"),
        ("cc", "1.0.0", "build"),
        ("number", 1),
    )
    assert listed(packages) == {"wasmtime": {"42.0.1"}, "toml": {"0.8.1", "0.9.2"}, "number": {"1"}}


def test_a_program_without_a_list_has_no_packages():
    assert NOTHING.packages(-1) == {}


@pytest.mark.parametrize(
    "data",
    [
        b"no zlib",
        zlib.compress(b"\xff"),
        zlib.compress(b"no JSON"),
        zlib.compress(b"1"),
        zlib.compress(b"{}"),
        zlib.compress(b'{"packages": 1}'),
        zlib.compress(b'{"packages": ["wasmtime"]}'),
        zlib.compress(b'{"packages": [{"name": "wasmtime"}]}'),
        zlib.compress(b'{"packages": [{"version": "42.0.1"}]}'),
        zlib.compress(b'{"packages": [{"name": "wasmtime", "version": "42.0.1"}, 1]}'),
        zlib.compress(b'{"packages": ' + b"[" * 10**6),
    ],
)
def test_a_list_with_anything_else_has_no_packages(listed, data):
    assert listed(data) == {}


def test_1_mib_of_a_list_and_8_mib_of_its_text_are_read(listed):
    text = json.dumps({"packages": [{"name": "wasmtime", "version": "42.0.1"}]}).encode()
    assert listed(zlib.compress(text.rjust(2**23))) == {"wasmtime": {"42.0.1"}}
    assert listed(zlib.compress(text.rjust(2**23 + 1))) == {}
    size = 2**20 - 2 - 16 * 5
    assert len(stored(text.rjust(size))) == 2**20
    assert listed(stored(text.rjust(size))) == {"wasmtime": {"42.0.1"}}
    assert listed(stored(text.rjust(size + 1))) == {}
