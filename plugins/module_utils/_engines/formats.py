# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the headers of executables in the formats ELF, PE and Mach-O, as far as they matter.

Every number in a header may be wrong: all reads are bounded, and senseless entries are left out.
"""

from __future__ import annotations

import os
import struct
from typing import Any, Dict, NamedTuple, Tuple

ELF = b"\x7fELF"
_MACH_O = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe")
_FAT = b"\xca\xfe\xba\xbe"

# cargo-auditable writes it (https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md).
_SBOM = b".dep-v0"
_CODE = (b".text", b"__text")
_SBOM_MAX = 2**20
_JSON_MAX = 2**23

_SECTIONS_MAX = 4096
_NAMES_MAX = 2**16
_HEADER_MAX = 64  # bytes for a section or a segment; no format has more


class Headers(NamedTuple):
    """The headers of an executable or a library."""

    library: bool
    """Whether it is a shared library."""
    packed: bool
    """Whether it is packed by UPX, which hides its texts."""
    code: tuple[int, int] | None
    """Offset and size in bytes of the machine code, its largest part, which has no texts; None if unknown."""
    sbom: tuple[int, int] | None
    """Offset and size of the list of its packages; None if it has none."""

    def packages(self, handle: int) -> dict[str, set[str]]:
        """Return the versions by package in the list of packages, without those that only the build used."""
        if self.sbom is None:
            return {}
        import json
        import zlib

        offset, size = self.sbom
        found: dict[str, set[str]] = {}
        try:
            text = zlib.decompressobj().decompress(os.pread(handle, min(size, _SBOM_MAX), offset), _JSON_MAX)
            for package in json.loads(text.decode("utf-8"))["packages"]:
                if package.get("kind") != "build":
                    found.setdefault(str(package["name"]), set()).add(str(package["version"]))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, zlib.error):
            return {}
        return found


def headers_of(handle: int, size: int) -> Headers | None:
    """Return the headers of an open regular file of this size, or None if it has none of the formats."""
    head = os.pread(handle, 4096, 0)
    if head[:4] == ELF:
        read: Any = _elf
    elif head[:4] in _MACH_O or (head[:4] == _FAT and _fat(head) is not None):
        read = _mach_o
    elif head[:2] == b"MZ" and _pe_header(head) is not None:
        read = _pe
    else:
        return None
    try:
        library, sections = read(handle, head)
    except (struct.error, IndexError, OverflowError):
        library, sections = False, {}
    places = {name: (start, length) for name, (start, length) in sections.items() if 0 < length <= size - start}
    code = next((places[name] for name in _CODE if name in places), None)
    return Headers(library, b"UPX!" in head, code, places.get(_SBOM))


_Facts = Tuple[bool, Dict[bytes, Tuple[int, int]]]
"""Whether it is a library, and the sections by name."""


def _elf(handle: int, head: bytes) -> _Facts:
    wide, order = head[4] == 2, ">" if head[5] == 2 else "<"
    (kind,) = struct.unpack_from(order + "H", head, 16)
    if wide:
        segments, sections = struct.unpack_from(order + "QQ", head, 32)
        segment_size, segment_count, section_size, section_count, names = struct.unpack_from(order + "HHHHH", head, 54)
    else:
        segments, sections = struct.unpack_from(order + "II", head, 28)
        segment_size, segment_count, section_size, section_count, names = struct.unpack_from(order + "HHHHH", head, 42)
    library = kind == 3 and not _elf_runs(handle, order, wide, segments, segment_size, segment_count)
    table = []
    raw = os.pread(handle, min(section_size, _HEADER_MAX) * min(section_count, _SECTIONS_MAX), sections)
    form = order + ("IIQQQQ" if wide else "IIIIII")
    if section_size >= struct.calcsize(form):
        for start in range(0, len(raw) - section_size + 1, section_size):
            name, _kind, _flags, _address, offset, size = struct.unpack_from(form, raw, start)
            table.append((name, offset, size))
    if names >= len(table):
        return library, {}
    texts = os.pread(handle, min(table[names][2], _NAMES_MAX), table[names][1])
    return library, {texts[name : texts.find(b"\0", name)]: (offset, size) for name, offset, size in table}


def _elf_runs(handle: int, order: str, wide: bool, offset: int, size: int, count: int) -> bool:
    """Return whether a position-independent file is an executable: it names an interpreter or has the flag."""
    raw = os.pread(handle, min(size, _HEADER_MAX) * min(count, _SECTIONS_MAX), offset)
    if size < (56 if wide else 32):
        return False
    for start in range(0, len(raw) - size + 1, size):
        (kind,) = struct.unpack_from(order + "I", raw, start)
        if kind == 3:  # PT_INTERP
            return True
        if kind == 2:  # PT_DYNAMIC
            (where,) = struct.unpack_from(order + ("Q" if wide else "I"), raw, start + (8 if wide else 4))
            (length,) = struct.unpack_from(order + ("Q" if wide else "I"), raw, start + (32 if wide else 16))
            pairs = os.pread(handle, min(length, _NAMES_MAX), where)
            form = order + ("QQ" if wide else "II")
            step = struct.calcsize(form)
            for tag, value in struct.iter_unpack(form, pairs[: len(pairs) // step * step]):
                if tag == 0x6FFFFFFB and value & 0x08000000:  # DT_FLAGS_1, DF_1_PIE
                    return True
    return False


def _pe_header(head: bytes) -> int | None:
    if len(head) < 64:
        return None
    (offset,) = struct.unpack_from("<I", head, 60)
    return int(offset) if head[offset : offset + 4] == b"PE\0\0" else None


def _pe(handle: int, head: bytes) -> _Facts:
    start = _pe_header(head) or 0
    (count,) = struct.unpack_from("<H", head, start + 6)
    optional, flags = struct.unpack_from("<HH", head, start + 20)
    raw = os.pread(handle, 40 * min(count, _SECTIONS_MAX), start + 24 + optional)
    sections = {}
    for at in range(0, len(raw) - 39, 40):
        used, _address, size, offset = struct.unpack_from("<IIII", raw, at + 8)
        sections[raw[at : at + 8].rstrip(b"\0")] = (offset, min(used, size))
    return bool(flags & 0x2000), sections


def _fat(head: bytes) -> int | None:
    """Return the offset of the first file in a Mach-O file for several processors; a Java class has the same first bytes."""
    count, _processor, _variant, offset = struct.unpack_from(">IIII", head.ljust(24, b"\0"), 4)
    return offset if 0 < count < 20 and offset else None


def _mach_o(handle: int, head: bytes) -> _Facts:
    base = 0
    if head[:4] == _FAT:
        base = _fat(head) or 0
        head = os.pread(handle, 4096, base)
    wide = head[:4] == _MACH_O[0]
    kind, count, length = struct.unpack_from("<III", head, 12)
    library = kind == 6
    start = 32 if wide else 28
    commands = os.pread(handle, min(length, 2**20), base + start)
    found: dict[bytes, tuple[int, int]] = {}
    at = 0
    for _number in range(min(count, _SECTIONS_MAX)):
        command, size = struct.unpack_from("<II", commands, at)
        if command == (0x19 if wide else 0x1):  # LC_SEGMENT_64, LC_SEGMENT
            (sections,) = struct.unpack_from("<I", commands, at + (64 if wide else 48))
            first, step, form, place = (72, 80, "<QI", 40) if wide else (56, 68, "<II", 36)
            for number in range(min(sections, _SECTIONS_MAX - len(found))):
                section = at + first + number * step
                used, offset = struct.unpack_from(form, commands, section + place)
                found[commands[section : section + 16].rstrip(b"\0")] = (base + offset, used)
        at += max(size, 8)
    return library, found
