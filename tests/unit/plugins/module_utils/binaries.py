# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small executables of each format with the texts that a Wasmtime has, and processes that have them mapped."""

from __future__ import annotations

import contextlib
import json
import os
import struct
import subprocess
import sys
import zlib

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import for_version

CONFIG = b"\0optimized-compression-usage-counter-threshold\0"
FIELDS = CONFIG + b"struct CacheConfig with %d elements\0"
WITH_ENABLED = FIELDS % for_version("32").fields
WITHOUT_ENABLED = FIELDS % for_version("33").fields
BUG = b"\nversion: %s\n\nThis is a bug in Wasmtime that was not thought to be reachable."


def crates(version, toml=b"0.9.8", parser=b"1.0.4", cache=b"wasmtime-internal-cache", separator=b"/"):
    """The paths of source files in a program that was built from crates.io."""
    paths = [b"%s-%s" % (cache, version), b"wasmtime-" + version, b"toml-" + toml, b"toml_parser-" + parser]
    return b"\0".join(separator + path + separator + b"src" + separator + b"lib.rs" for path in paths)


def sbom(*packages):
    """What cargo-auditable adds; of (name, version) or (name, version, kind)."""
    listed = [dict(zip(("name", "version", "kind"), package), source="crates.io") for package in packages]
    return zlib.compress(json.dumps({"packages": listed}).encode())


def elf(texts=b"", code=b"\x90" * 64, packages=b"", kind=2, interpreter=True, wide=True, order="<", dynamic=()):
    """An ELF file; C(kind): 2 is an executable, 3 a library or an executable that can be anywhere.

    C(dynamic): pairs of a tag and a value, instead of an interpreter.
    """
    names = b"\0.text\0.rodata\0.dep-v0\0.shstrtab\0"
    header_size, segment_size, section_size = (64, 56, 64) if wide else (52, 32, 40)
    start = header_size + segment_size
    word = "Q" if wide else "I"
    pairs = b"".join(struct.pack(order + word * 2, *pair) for pair in dynamic)
    parts = [code, texts, packages, names, pairs]
    offsets = [start + sum(map(len, parts[:number])) for number in range(5)]
    table = offsets[4] + len(pairs)
    identity = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + b"\0" * 9
    header = identity + struct.pack(order + "HHI" + word * 3, kind, 62, 1, 0, header_size, table)
    header += struct.pack(order + "IHHHHHH", 0, header_size, segment_size, 1, section_size, 5, 4)
    segment = struct.pack(order + "I", 3 if interpreter else 1).ljust(segment_size, b"\0")
    if dynamic:
        # Type, flags, offset, two addresses, size in the file, size in memory, alignment; without the flags for 32 bits.
        form, start_of_it = ("II" + word * 6, [2, 6]) if wide else (word * 7, [2])
        segment = struct.pack(order + form, *start_of_it, offsets[4], *[0x70707070] * 2, len(pairs), *[0x70707070] * 2)
        segment = segment.ljust(segment_size, b"\x70")
    sections = [b"\0" * section_size]
    for name, offset, part in zip((b".text", b".rodata", b".dep-v0", b".shstrtab"), offsets, parts):
        fields = (names.index(name + b"\0"), 1, 0, 0, offset, len(part))
        sections.append(struct.pack(order + ("IIQQQQ" if wide else "IIIIII"), *fields).ljust(section_size, b"\0"))
    return header + segment + b"".join(parts) + b"".join(sections)


def pe(texts=b"", packages=b"", library=False, start=64):
    """A PE file; C(start): where its header begins, behind that of DOS."""
    header = (b"MZ".ljust(60, b"\0") + struct.pack("<I", start)).ljust(start, b"\0")
    parts = [(b".text", b"\x90" * 64), (b".rdata", texts), (b".dep-v0", packages)]
    header += b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, len(parts), 0, 0, 0, 0, 0x2000 if library else 2)
    offset = len(header) + 40 * len(parts)
    for name, part in parts:
        header += name.ljust(8, b"\0") + struct.pack("<IIII", len(part), 0, len(part), offset) + b"\0" * 16
        offset += len(part)
    return header + b"".join(part for _name, part in parts)


def mach_o(texts=b"", packages=b"", library=False, wide=True):
    """A Mach-O file, with a command that is not read before the one for its sections."""
    parts = [(b"__text", b"\x90" * 64), (b"__const", texts), (b".dep-v0", packages)]
    header_size, segment_size, section_size = (32, 72, 80) if wide else (28, 56, 68)
    word = "Q" if wide else "I"
    other = struct.pack("<II", 0x1B, 24) + b"\x70" * 16
    length = segment_size + section_size * len(parts)
    offset = header_size + len(other) + length
    command = struct.pack("<II", 0x19 if wide else 0x1, length) + b"__TEXT".ljust(16, b"\0")
    command += struct.pack("<" + word * 4 + "IIII", *(0,) * 6, 3, 0)
    for name, part in parts:
        section = name.ljust(16, b"\0") + b"__TEXT".ljust(16, b"\0")
        section += struct.pack("<" + word * 2 + "I", 0, len(part), offset)
        command += section.ljust(section_size, b"\0")
        offset += len(part)
    magic = b"\xcf\xfa\xed\xfe" if wide else b"\xce\xfa\xed\xfe"
    header = magic + struct.pack("<IIIIII", 0, 0, 6 if library else 2, 2, len(other) + length, 0)
    return header.ljust(header_size, b"\0") + other + command + b"".join(part for _name, part in parts)


def fat(part):
    """A Mach-O file for several processors, with this one for the first."""
    return (b"\xca\xfe\xba\xbe" + struct.pack(">IIIIII", 1, 0, 0, 4096, len(part), 12)).ljust(4096, b"\0") + part


MAPS = (
    "import mmap, os, sys;"
    "file = os.open(sys.argv[1], os.O_RDONLY);"
    "mapped = mmap.mmap(file, 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC);"
    "os.setuid(int(sys.argv[2]));"
    "print('ready', flush=True); sys.stdin.read()"
)


@contextlib.contextmanager
def mapping(path, uid=None):
    """A process that has a file mapped as code, which becomes another user."""
    user = os.getuid() if uid is None else uid
    command = [sys.executable, "-c", MAPS, str(path), str(user)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield process
        finally:
            process.kill()
