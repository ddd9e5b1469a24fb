# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate documents to compare: realistic configs with faults, mutations of them, and noise.

Everything follows from the random numbers given. Also used by unit tests: runs on Python 3.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence, TypeVar

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS

if TYPE_CHECKING:
    from random import Random

T = TypeVar("T")

# Repeated here to detect errors in the collection's own tables, from which only the names are taken.
UNITS = {
    "count": {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15},
    "size": {
        "": 1,
        "K": 10**3,
        "M": 10**6,
        "G": 10**9,
        "T": 10**12,
        "P": 10**15,
        "Ki": 2**10,
        "Mi": 2**20,
        "Gi": 2**30,
        "Ti": 2**40,
        "Pi": 2**50,
    },
    "duration": {"s": 1, "m": 60, "h": 3600, "d": 86400},
    "percent": {"%": 1},
}
WRONG_UNITS = (
    *("k", "g", "KB", "KiB", "ki", "KI", "mi", "kI", "E", "Ei", "B", "b", "iK", "i"),
    *("S", "H", "D", "ms", "us", "ns", "w", "y", "min", "sec", "hr", "day", "hh", "%%", "\uff05", "percent", "e3", "x"),
)
U64_MAX = 2**64 - 1
WHITE_SPACE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
# Look like white space to some, not to the engine.
NOT_WHITE = "\x1c\x1d\x1e\x1f\u180e\u200b\u200c\u200d\u2060\ufeff"
ODD = (
    NOT_WHITE
    + WHITE_SPACE
    + "\x00\x01\x07\x08\x1b\x7f\x80\x9f\xa1é缓٣½\u0301\ud7ff\ue000\ufffd\uffff\U0001f980\U0010ffff"
)
DIRECTORIES = (
    "/var/cache/wasmtime",
    "/var/cache/wasmtime",
    "/srv/cache",
    "/d",
    "/d/",
    "//d///e",
    "/d/../e",
    "/d/./e/..",
    "/",
    "/d with blanks/ é缓",
    "/d/" + "x" * 255,
    "/d\\e",
    '/d"e',
    "/d'e",
    "/d#e = [cache]",
    "/d\ne",
    "/d\n\n[cache]\n",
    "/d\te",
    "/\U0001f980",
    ("/" + "x" * 255) * 15 + "/" + "x" * 254,
)
BAD_DIRECTORIES = (
    "",
    ".",
    "..",
    "d/e",
    "~",
    "~/cache",
    "$HOME/cache",
    " /d",
    "\ufeff/d",
    "C:\\d",
    "file:///d",
    "/d\0e",
    "/d/" + "x" * 256,
    "/" + "é" * 128,
    ("/" + "x" * 255) * 16,
    "/config.toml",
    "/config.toml/d",
)
# Values of types that are wrong for most settings, and some that no TOML has.
LITERALS = (
    "0", "1", "3", "-1", "21", "22", "20", "+3", "-0", "+0", "0x3", "0o3", "0b11", "0X3", "1_0", "1__0", "_1", "1_",
    "03", "00", "+_3", "-_0", "+_03", "+0x3", "-0x3", "+0o3", "+0b1", "+-0", "0x", "0o", "0b", "0x_3", "0xf", "0xF",
    "2147483647", "2147483648", "-2147483648", "-2147483649", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "99999999999999999999", "0x7fffffff", "0xffffffff", "0xffffffffffffffff",
    "3.0", "3e0", "3.", ".3", "1e400", "inf", "-inf", "+nan", "nan", "1_0.0", "3.0_1",
    "true", "false", "True", "TRUE", "yes", "null", "None", "3h", "70%", "512Mi", "/d", "x",
    "1979-05-27", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00", "07:32:00", "07:32", "07:32:60", "24:00:00",
    "1979-05-27T07:32Z", "1979-02-30", "0000-01-01", "07:32:00.1234567890123",
    "[]", "{}", "[1, 2]", '["1h"]', "[1, 2,]", "[1 2]", "[\n1,\n# c\n2\n]", '{ a = "1h" }', "{a.b = 1}", "{a = 1,}",
    "{a = 1\n}", "{\n# c\na = 1\n}", "[[]]", "{a = {}, b = []}", "", '"', "'", '"""', "'''", '"\\', "'a'b", '"a" b',
    "3 # c", "3 3", "3,", "=", "= 3", "3\r",
)  # fmt: skip
UNKNOWN = (
    "enabled", "Directory", "dir", "worker_event_queue_size", "cleanup_interval", "cache", "x", "1", "-", "cleanup-intervall",
    "file-count-soft-limit ", "", "é", "a\nb", "directory.x", "CACHE", "\x7f", "$__toml_private_datetime",
)  # fmt: skip
COMMENTS = (
    "# c", "#", "# [cache]", "#\x7f", "#\tx", "# é缓 \x80", '# "', "# '''", "#\x7f", "#\x00", "# a\rb", "#\ufeff", "#\x1b", "# cleanup-interval = '1h'",
)  # fmt: skip
HEADERS = (
    "[cache]", "[cache]", "[cache]", "[cache]", "[ cache ]", "[\tcache\t]", '["cache"]', "['cache']", '["c\\u0061che"]',
    "  [cache]", "\t[cache]  ",
)  # fmt: skip
BAD_HEADERS = (
    "[[cache]]", "[cache", "cache]", "[Cache]", "[ca che]", "[cache] x", "[cache]]", "[]", "[cache.]", "[.cache]", "[cache.x]",
    "[x]", "[cache.directory]", '["""cache"""]', '["c\\x61che"]', "[cache]\n[cache]", "[\ncache]", "[x.cache]", "[cache]=",
    "{cache}", "(cache)", "cache:", "[\u200bcache]",
)  # fmt: skip
EQUALS = ("=", " = ", " = ", " = ", "\t=  ", "= ", " =")
BAD_EQUALS = ("", ":", "==", " = = ", "=\n", "\n=", " =\r", "=\u00a0", "->")
TOKENS = (
    "[", "]", "[[", "]]", "{", "}", "=", ",", ".", '"', "'", '"""', "'''", "#", "\n", "\n", "\r\n", "\r", " ", "\t", "\\", "\\\n",
    "\\u0041", "\\U0001F980", "\\ud800", "\\x41", "\\e", "\\n", "cache", "[cache]\n", "cache.", "cache = ", "directory", '"/d"', "0", "1",
    "_", "+", "-", ":", "%", "true", "false", "e", "0x", "1979-05-27", "07:32", "\ufeff", "\x00", "\x7f", "enabled = true\n", '"1h"', "é",
    *SETTINGS,
)  # fmt: skip


def pick(rng: Random, *choices: T) -> T:
    """Return one of the arguments."""
    return choices[rng.randrange(len(choices))]


def some(rng: Random, choices: Sequence[T]) -> T:
    """Return one of a sequence."""
    return choices[rng.randrange(len(choices))]


def number(rng: Random, kind: str) -> str:
    """Digits, often at a limit of the kind."""
    if kind == "percent":
        return pick(
            rng, "0", "1", "70", "100", "0070", pick(rng, "101", "255", "256", "65606"), str(rng.randrange(101))
        )
    if rng.random() < 0.8:
        return pick(
            rng, "0", "1", "2", "3", "16", "256", "0042", "1000", str(rng.randrange(10**4)), str(rng.randrange(10**9))
        )
    factor = some(rng, list(UNITS[kind].values()))
    limit = pick(rng, U64_MAX, U64_MAX, 2**63 - 1, U64_MAX // 70, U64_MAX // 100)
    value = limit // factor + pick(rng, -1, 0, 1, rng.randrange(1000))
    return pick(rng, "", "", "", "0", "000000000000000000000000") + str(value) + pick(rng, "", "", "", "", "0", "000")


def value_text(rng: Random, key: str, fault: bool) -> str:
    """Return the text in the string of a setting."""
    kind = SETTINGS[key].kind.name if key in SETTINGS else some(rng, ("count", "duration", "percent"))
    if kind == "path":
        return some(rng, BAD_DIRECTORIES if fault else DIRECTORIES)
    if kind == "level":
        kind = "count"
    units = list(UNITS[kind])
    unit = some(rng, units)
    digits = number(rng, kind)
    if key == "worker-event-queue-size":
        # Those in between would be allocated for real, and those above kill the engine: few of them.
        digits, unit = pick(rng, "0", "1", "2", "3", "16", "1000", "0099"), pick(rng, "", "", "K")
        if rng.random() < 0.03:
            digits, unit = pick(rng, "18446744073709551615", "230584300921369395", "1000000000000"), ""
    blanks = [
        "".join(some(rng, WHITE_SPACE) for _n in range(rng.randrange(1, 3))) if rng.random() < 0.12 else ""
        for _n in range(3)
    ]
    if fault:
        what = rng.randrange(8)
        if what == 0:
            unit = pick(
                rng, unit.swapcase(), unit + unit, unit + "B", "k", "KiB", "ms", "w", "S", "%%", "％", "", "e3", "x"
            )
        elif what == 1:
            digits = pick(rng, "-1", "+1", "", "1_0", "1.5", "1e3", "0x10", "١", "１", "²", "½", "NaN", "1 0", "-0")
        elif what == 2:
            blanks[rng.randrange(3)] = some(rng, NOT_WHITE)
        elif what == 3:
            digits = str(U64_MAX + rng.randrange(1, 3))
        elif what == 4:
            digits, unit = unit, digits
        elif what == 5:
            blanks[rng.randrange(3)] = some(rng, ODD)
        elif what == 6:
            unit = some(rng, [u for units in UNITS.values() for u in units])
        else:
            return some(rng, ("", " ", "h", "%", "default", "none", "true", "3"))
    return blanks[0] + digits + blanks[1] + unit + blanks[2]


def escaped(rng: Random, text: str, keep: str = "") -> str:
    """Return the inside of a basic string."""
    named = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    spelled = []
    for character in text:
        if character in keep or (rng.random() > 0.03 and character not in named and (" " <= character != "\x7f")):
            spelled.append(character)
        elif character in named and rng.random() < 0.8:
            spelled.append(named[character])
        else:
            spelled.append("\\u%04X" % ord(character) if character < "\U00010000" else "\\U%08x" % ord(character))
    return "".join(spelled)


def string(rng: Random, text: str, fault: bool) -> str:
    """Return a TOML string; sometimes one with another text, or one that is not valid TOML."""
    style = rng.randrange(100 if fault or rng.random() < 0.05 else 86)
    if style < 55:
        return '"%s"' % escaped(rng, text)
    if style < 70:
        return "'%s'" % text if fault or not set(text) & set("'\n\0\x7f") else '"%s"' % escaped(rng, text)
    if style < 78:
        return '"""%s%s"""' % (pick(rng, "", "\n", "\\\n  ", "\\ \n\n\t"), escaped(rng, text, "\n"))
    if style < 86:
        return "'''%s%s'''" % (pick(rng, "", "\n"), text)
    if style < 90:
        return '"%s"' % text
    if style < 94:
        at = rng.randrange(len(text) + 1)
        extra = pick(
            rng,
            "\\e",
            "\\x41",
            "\\x00",
            "\\u12",
            "\\ud800",
            "\\U00110000",
            "\\q",
            "\\\n",
            "\n",
            "\\",
            '"',
            '""',
            "\r",
            "\r\n",
        )
        quote = pick(rng, '"', '"""')
        return quote + text[:at] + extra + text[at:] + quote
    if style < 97:
        at = rng.randrange(len(text) + 1)
        quote = pick(rng, '"', "'", '"""', "'''")
        return quote + text[:at] + some(rng, ODD) + text[at:] + quote
    return pick(
        rng, text, '"' + text, text + "'", "'''" + text, '"""' + text + '""', '"%s""' % text, "''''%s'''" % text
    )


def value(rng: Random, key: str, fault: bool) -> str:
    """Return the TOML value of a setting."""
    if fault and rng.random() < 0.35:
        return some(rng, LITERALS)
    if key == "enabled":
        return pick(rng, "1", '"true"', "True", "[]") if fault else pick(rng, "true", "true", "true", "false")
    if key in SETTINGS and SETTINGS[key].kind.name == "level":
        if fault:
            return some(rng, LITERALS)
        low = key.startswith("baseline")
        if rng.random() < 0.03:
            return (
                pick(rng, "+_3", "+_03", "-_0", "+0x3", "+0b11", "+-0") if low else pick(rng, "+_20", "+0o24", "+0x14")
            )
        return (
            pick(rng, "3", "0", "+3", "0x3", "0b11", "0o0", "-0")
            if low
            else pick(rng, "20", "21", "0x15", "+2_0", "2_1")
        )
    return string(rng, value_text(rng, key, fault), fault)


def key_text(rng: Random, key: str, fault: bool) -> str:
    """Return a key in one of its spellings."""
    style = rng.randrange(100)
    if fault and style < 30:
        return some(rng, UNKNOWN)
    if style < 85:
        return key
    if style < 90:
        return "'%s'" % key
    return '"%s"' % escaped(rng, key)


def pairs(rng: Random, major: int, faults: float, prefix: Sequence[str] = ("",), most: int = 6) -> list[str]:
    """Return settings with their values."""
    keys = rng.sample(list(SETTINGS), rng.randrange(most + 1))
    if major <= 32 and rng.random() < 0.97:
        keys.insert(rng.randrange(len(keys) + 1), "enabled")
    elif rng.random() < 0.03:
        keys.append("enabled")
    elif keys and rng.random() < faults / 4:
        keys.append(some(rng, keys))
    found = []
    for key in keys:
        fault = rng.random() < faults
        equals = some(rng, BAD_EQUALS) if fault and rng.random() < 0.15 else some(rng, EQUALS)
        spelled = key_text(rng, key, fault and rng.random() < 0.3)
        found.append(some(rng, prefix) + spelled + equals + value(rng, key, fault))
    return found


def comment(rng: Random, faults: float) -> str:
    """Return a comment, or in most cases nothing."""
    if rng.random() > 0.12:
        return ""
    return pick(rng, "", " ", "\t") + (some(rng, COMMENTS) if rng.random() < faults else "# c")


def config(rng: Random, major: int, faults: float) -> str:
    """Return a realistic config; C(faults) is how often each part of it is wrong."""
    layout = rng.randrange(100)
    lines: list[str] = []
    if layout < 60:
        lines.append(some(rng, BAD_HEADERS) if rng.random() < faults else some(rng, HEADERS))
        lines += [pick(rng, "", "", "", "  ", "\t") + pair for pair in pairs(rng, major, faults)]
        if rng.random() < faults / 2:
            lines.insert(rng.randrange(len(lines) + 1), some(rng, BAD_HEADERS))
        if rng.random() < faults / 3:
            lines.insert(0, pick(rng, "x = 1", "cache = {}", "cache.x = 1", "enabled = true"))
    elif layout < 78:
        tables: tuple[str, ...] = ("cache.", "cache.", "cache.", "cache . ", "'cache'.", '"c\\u0061che".')
        if rng.random() < faults:
            tables += ("", "Cache.", "cache..", "cache.cache.", "cache\n.", "cache.\n", ".")
        lines += pairs(rng, major, faults, tables)
        if rng.random() < faults:
            lines.insert(rng.randrange(len(lines) + 1), "[cache]")
    elif layout < 99:
        gaps = ["", " ", " "]
        inner = pairs(rng, major, faults, most=4)
        if rng.random() < (0.4 if major >= 49 else 0.1):  # TOML 1.1, or not even that
            gaps += ["\n", " # c\n", "\r\n\t"]
            if rng.random() < 0.1:
                inner = [pair.replace("=", pick(rng, "\n=", "= # c\n "), 1) for pair in inner]
        inside = ",".join(some(rng, gaps) + pair + some(rng, gaps) for pair in inner)
        inside += pick(rng, "", "", "", "", some(rng, gaps) + "," + some(rng, gaps), " # c")
        table = "cache" if rng.random() > faults / 4 else some(rng, UNKNOWN)
        lines.append(table + some(rng, EQUALS) + "{" + inside + "}" + comment(rng, faults))
    else:
        values = [
            '"/d"',
            '"16"',
            "3",
            "20",
            '"256"',
            '"1h"',
            '"30m"',
            '"1d"',
            '"65536"',
            '"512Mi"',
            '"70%"',
            '"70%"',
            "0x",
            "{}",
        ]
        if major <= 32:
            values.insert(0, "true")
        values = values[: rng.randrange(len(values) + 1)]
        if values and rng.random() < faults:
            values[rng.randrange(len(values))] = some(rng, LITERALS)
        lines.append("cache = [%s]" % pick(rng, ", ", ",\n # c\n").join(values))
    while rng.random() < 0.25:
        lines.insert(rng.randrange(len(lines) + 1), pick(rng, "", "  ", "\t", comment(rng, faults).lstrip()))
    text = "\n".join(line + comment(rng, faults) for line in lines) + pick(rng, "\n", "\n", "\n", "", "\n\n", " ")
    return finished(rng, text, faults)


def finished(rng: Random, text: str, faults: float) -> str:
    """Line ends and BOM."""
    ends = rng.randrange(100)
    if ends < 15:
        text = text.replace("\n", "\r\n")
    elif ends < 18:
        text = "".join(c if c != "\n" else pick(rng, "\n", "\r\n") for c in text)
    elif ends < 18 + 6 * faults:
        text = text.replace("\n", "\r")
    if rng.random() < 0.04:
        text = "\ufeff" + text
    if rng.random() < faults / 10:
        at = rng.randrange(len(text) + 1)
        text = text[:at] + some(rng, ODD) + text[at:]
    return text


def mutated(rng: Random, document: bytes) -> bytes:
    """Return the document after a few accidents: to bytes, characters or lines."""
    for _n in range(pick(rng, 1, 1, 1, 2, 3, 6)):
        at, to = sorted((rng.randrange(len(document) + 1), rng.randrange(len(document) + 1)))
        near = min(len(document), at + rng.randrange(1, 5))
        what = rng.randrange(14)
        if what == 0:
            document = document[:at] + document[near:]
        elif what == 1:
            document = document[:at] + bytes([rng.randrange(256)]) + document[at:]
        elif what == 2 and document:
            at = min(at, len(document) - 1)
            document = document[:at] + bytes([document[at] ^ 1 << rng.randrange(8)]) + document[at + 1 :]
        elif what == 3:
            document = document[:at] + some(rng, TOKENS).encode("utf-8") + document[near:]
        elif what in (4, 5):
            document = document[:at] + some(rng, TOKENS).encode("utf-8") + document[at:]
        elif what == 6:
            document = document[:at] + some(rng, ODD).encode("utf-8") + document[at:]
        elif what == 7:
            document = document[:at] + document[at:near] * 2 + document[near:]
        elif what == 8:
            document = document[:to] if rng.random() < 0.5 else document[at:]
        elif what == 9:
            document = document[:at] + some(rng, LITERALS).encode("utf-8") + document[near:]
        elif what == 10:
            document = document[:at] + document[to:]
        else:
            lines = document.splitlines(True)
            if lines:
                line = lines.pop(rng.randrange(len(lines)))
                if what == 11:
                    lines.insert(rng.randrange(len(lines) + 1), line)
                elif what == 12:
                    lines[rng.randrange(len(lines) + 1) : 0] = [line, line]
                document = b"".join(lines)
    return document


def probe(rng: Random, key: str) -> str:
    """Return the TOML value of a setting, close to a rule's edge on either side."""
    kind = SETTINGS[key].kind.name
    what = rng.randrange(10)
    if what == 0:
        return some(rng, LITERALS)
    if kind == "level":
        return pick(
            rng,
            "-1",
            "0",
            "2",
            "3",
            "20",
            "21",
            "22",
            "2147483647",
            "2147483648",
            "-2147483648",
            "-2147483649",
            "3.0",
            '"3"',
        )
    if kind == "path":
        return '"%s"' % escaped(rng, some(rng, DIRECTORIES if what < 5 else BAD_DIRECTORIES))
    if what < 3:
        blanks = ["", "", ""]
        blanks[rng.randrange(3)] = some(rng, WHITE_SPACE if rng.random() < 0.6 else NOT_WHITE)
        return '"%s"' % escaped(rng, blanks[0] + "7" + blanks[1] + some(rng, list(UNITS[kind])) + blanks[2])
    if what < 5:
        every = sorted({unit for units in UNITS.values() for unit in units})
        return '"7%s"' % some(rng, every if rng.random() < 0.5 else WRONG_UNITS)
    unit, factor = some(rng, list(UNITS[kind].items()))
    limit = pick(rng, 100, 255) if kind == "percent" else U64_MAX // factor
    if key == "worker-event-queue-size" and rng.random() < 0.9:
        return pick(rng, '"0"', '"2"', '"3"', '"18446744073709551616"', '"1K"')
    return '"%s%d%s"' % (pick(rng, "", "", "00"), limit + pick(rng, 0, 0, 1, 1, -1), unit)


def probing(rng: Random, major: int) -> str:
    """Return a config with one or two values at the edge of a rule, and otherwise valid."""
    lines = [some(rng, HEADERS)] + (["enabled = true"] if major <= 32 else [])
    lines += ["%s = %s" % (key, probe(rng, key)) for key in rng.sample(list(SETTINGS), pick(rng, 1, 1, 2))]
    if rng.random() < 0.2:
        lines += ["optimized-compression-level = %d" % rng.randrange(5)] * ("optimized" not in "".join(lines))
    return "\n".join(lines) + "\n"


def document(rng: Random, major: int) -> bytes:
    """Return a document for this major version of Wasmtime."""
    what = rng.randrange(100)
    if what < 30:
        return probing(rng, major).encode("utf-8")
    if what < 72:
        return config(rng, major, pick(rng, 0.0, 0.0, 0.0, 0.03, 0.1, 0.3)).encode("utf-8")
    if what < 88:
        return mutated(rng, config(rng, major, 0.0).encode("utf-8"))
    start = "[cache]\nenabled = true\n" if major <= 32 else pick(rng, "", "[cache]\n")
    if what < 96:
        text = start + "".join(some(rng, TOKENS) for _n in range(rng.randrange(12)))
        return finished(rng, text, 0.1).encode("utf-8")
    return start.encode("utf-8") + bytes(
        rng.randrange(256) if what < 98 else rng.randrange(128) for _n in range(rng.randrange(24))
    )
