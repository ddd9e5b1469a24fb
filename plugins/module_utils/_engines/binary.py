# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Wasmtime is in an executable or a shared library, by its bytes. Nothing is executed.

The file is read in pieces and not mapped: a mapped file that another process truncates ends this one.
The texts can be forged. What is found here helps to choose rules; it proves nothing.
"""

from __future__ import annotations

import os
import re
from typing import Any, Callable, Dict, Iterable, Iterator, Mapping, NamedTuple, Set

from .._config.versions import DIALECTS, MAJOR_MAX, TOML_1_0, TOML_1_1, Dialect, for_version
from .formats import layout_of

PIECE = 2**20
# Each text fits in here, with all that stands before and behind it.
_OVERLAP = 512
_NEAR = 64
# Real files have some hundred hits for a text and one answer; a crafted one costs no more than this.
_HITS_MAX = 5000
_ANSWERS_MAX = 8

SBOM = "sbom"
CACHE_PATH = "cache-path"
CRATE_PATH = "crate-path"
PANIC_TEXT = "panic-text"
COMMAND_LINE = "command-line"
NEIGHBOUR = "neighbour-text"
CONFIG_FIELDS = "config-fields"
RULES = (SBOM, CACHE_PATH, CRATE_PATH, PANIC_TEXT, COMMAND_LINE, NEIGHBOUR, CONFIG_FIELDS)
"""What tells the version, the most reliable first. The last one only tells a range of versions."""

_CONFIG = b"optimized-compression-usage-counter-threshold"
_BUG = b"This is a bug in Wasmtime"
_BACKTRACE = b"WASMTIME_BACKTRACE_DETAILS"
_HELP = b"Wasmtime WebAssembly Runtime"
# Every Wasmtime has one of these.
_SIGNS = (_CONFIG, _BUG, _BACKTRACE, _HELP)

_NUMBERS = r"(?:0|[1-9][0-9]{0,3})(?:\.(?:0|[1-9][0-9]{0,3})){2}"
_VERSION = _NUMBERS + r"(?:-[0-9A-Za-z.]{1,20})?(?:\+[0-9A-Za-z.-]{1,20})?"


def _after(pattern: str) -> tuple[bool, re.Pattern[bytes]]:
    return True, re.compile(pattern.encode())


def _before(pattern: str) -> tuple[bool, re.Pattern[bytes]]:
    return False, re.compile((pattern + r"\Z").encode())


_DIRECTLY_BEFORE = (NEIGHBOUR, *_before("(?<![0-9.])(%s)" % _NUMBERS))

# Texts, and the answers that stand around them: a kind, whether it is behind the text, and a pattern.
_TEXTS = (
    (_CONFIG, (("config", *_after("()")),)),
    (_BUG, (("bug", *_after("()")), (PANIC_TEXT, *_before(r"version: (%s)\s{1,4}" % _VERSION)))),
    (
        b"wasmtime-",
        (
            (CACHE_PATH, *_after(r"(?:internal-)?cache-(%s)[/\\]" % _VERSION)),
            (CRATE_PATH, *_after(r"(?<=[/\\]wasmtime-)(%s)[/\\]" % _VERSION)),
            (NEIGHBOUR, *_after("aot(%s)(?![0-9.])" % _NUMBERS)),
        ),
    ),
    (
        _HELP,
        (
            ("wasmtime", *_after("()")),
            (COMMAND_LINE, *_after(r"(%s) \([0-9a-f]{9} [0-9]{4}-[0-9]{2}-[0-9]{2}\)" % _VERSION)),
        ),
    ),
    (_BACKTRACE, (_DIRECTLY_BEFORE,)),
    (b"Module was compiled with incompatible", (_DIRECTLY_BEFORE,)),
    (b"package version must be", (_DIRECTLY_BEFORE,)),
    (b"struct CacheConfig with ", (("fields", *_after("([0-9]{1,3}) ")),)),
    (b"toml-", (("toml", *_after(r"(?<=[/\\]toml-)(%s)[/\\]" % _VERSION)),)),
    (b"toml_parser-", (("toml_parser", *_after(r"(?<=[/\\]toml_parser-)(%s)[/\\]" % _VERSION)),)),
    # Up to 45 a build that asks git outside of a repository gets an empty answer, and takes it
    # (crates/cache/build.rs).
    (b"modulesget_data() for path", (("directory", *_before("-(%s|)" % _VERSION)),)),
    (b"EXTISM_CACHE_CONFIG", (("extism", *_after("()")),)),
    (b"WASMTIME_CACHE_FILE", (("spin", *_after("()")),)),
    (b"wizer.initialize", (("wizer", *_after("()")),)),
)  # fmt: skip

PROGRAMS = ("wasmtime", "spin", "extism", "wizer")
"""The programs and libraries of which it is known where they take a config from."""

# In the text of a format, the revision is followed by the next text, or has its length before it and no text behind it.
_REVISION = re.compile(rb"-([0-9a-f]{40})")

# The major versions of Wasmtime that ask for a series of the toml crate.
_TOML_SERIES = {"0.5": (0, 18), "0.8": (19, 38), "0.9": (39, 48), "1": (49, MAJOR_MAX)}
# From this version on the text of a panic says the version.
_SAYS_VERSION = 43
# From this version on the directory of a build from a git repository has the time of the executable in its name.
_DATED = 46
# The first toml_parser that reads TOML 1.1.
_PARSER_1_1 = (1, 0, 6)


class Stopped(Exception):
    """The time for the search is over."""


class Changing(Exception):
    """The file is being written while it is read."""


class Engine(NamedTuple):
    """A Wasmtime as its file tells it."""

    versions: tuple[str, ...]
    """All answers. The version is known if there is exactly one."""
    rule: str | None
    """The one of C(RULES) that told the versions, or the range of them; None if nothing did."""
    first: int
    """The lowest major version that is possible."""
    last: int
    """The highest one."""
    reads_config: bool
    """Whether it can read a cache config."""
    grammars: tuple[str, ...]
    """The grammars of TOML that are possible; none if it cannot read a config."""
    revision: str | None
    """What follows C(wasmtime-) in the name of its directory below C(modules/); None if that is not known."""
    library: bool
    """Whether the file is a shared library, so that the executable is another file."""
    program: str | None
    """One of C(PROGRAMS), or None."""

    @property
    def version(self) -> str | None:
        """The exact version, if it is known."""
        return self.versions[0] if len(self.versions) == 1 else None

    def told(self) -> list[str]:
        """The versions that are possible, as text: all answers, or else the range of major versions; empty if unknown."""
        if self.versions:
            return list(self.versions)
        if self.last == MAJOR_MAX:
            return [">=%d" % self.first] if self.first else []
        return ["%d-%d" % (self.first, self.last) if self.first else "<=%d" % self.last]

    def as_dict(self) -> dict[str, Any]:
        """Return what a module returns of it."""
        names = {dialect.name for dialect in self.dialects()}
        return {
            "version": self.version,
            "versions": self.told(),
            "rule": self.rule,
            "program": self.program,
            "reads_config": self.reads_config,
            "toml": self.grammars[0] if len(self.grammars) == 1 else None,
            "dialect": names.pop() if len(names) == 1 else None,
        }

    def dialects(self) -> tuple[Dialect, ...]:
        """The dialects that are possible, oldest first: a config is right if it suits each of them."""
        found = []
        starts = sorted({start for dialect in DIALECTS for start in (dialect.first, dialect.reader)})
        for start, following in zip(starts, [*starts[1:], MAJOR_MAX + 1]):
            if self.first < following and start <= self.last:
                rules = for_version(str(start))
                grammars = tuple(grammar for grammar in rules.grammars if grammar in self.grammars)
                found += [rules._replace(grammars=grammars)] if grammars else []
        return tuple(found)

    def directory(self, modified: int | None) -> str | None:
        """The name of its directory below C(modules/) in a cache; None if it is not known.

        C(modified) is the time of the executable of the process, in nanoseconds since 1970; None if it is not known.
        Source of the rule: C(crates/cache/build.rs) and C(crates/cache/src/lib.rs) of Wasmtime.
        """
        if self.revision is None:
            return None
        name = "wasmtime-" + self.revision
        if self.last < _DATED or len(self.revision) != 40:
            return name
        if self.first < _DATED or modified is None:
            return None
        return "%s-%s%d" % (name, "m" if modified < 0 else "", abs(modified) // 10**6)


def engine_in(handle: int, expired: Callable[[], bool] = lambda: False) -> Engine | None:
    """Return the Wasmtime in an open regular file; None if it has none, or is no executable and no library.

    Raises Stopped when C(expired()) is true, Changing if the file is being written, and OSError.
    """
    before = os.fstat(handle)
    layout = layout_of(handle, before.st_size)
    if layout is None:
        return None
    engine = None
    where = (handle, before.st_size, layout.code, expired)
    if any(sign in piece for piece in _pieces(*where) for sign in _SIGNS):
        answers = _answers(_pieces(*where))
        engine = _conclude(answers, layout.packages(handle), layout.library)
    after = os.fstat(handle)
    if any(getattr(before, name) != getattr(after, name) for name in ("st_size", "st_mtime_ns", "st_ctime_ns")):
        raise Changing
    return engine


def _pieces(handle: int, size: int, code: tuple[int, int] | None, expired: Callable[[], bool]) -> Iterator[bytes]:
    """The bytes of a file of this size without its machine code, in pieces that overlap."""
    start, length = code or (size, 0)
    for offset, end in ((0, start), (start + length, size)):
        read = offset
        while read < end:
            if expired():
                raise Stopped
            begin = max(offset, read - _OVERLAP)
            piece = os.pread(handle, min(read + PIECE, end) - begin, begin)
            if begin + len(piece) <= read:  # it has become shorter
                return
            yield piece
            read = begin + len(piece)


Answers = Dict[str, Set[str]]


def _answers(pieces: Iterable[bytes]) -> Answers:
    """What stands around the texts, by kind; a text that is there and says nothing gives an empty answer."""
    found: Answers = {}
    hits = dict.fromkeys((text for text, _kinds in _TEXTS), 0)

    def note(kind: str, answer: bytes) -> None:
        answers = found.setdefault(kind, set())
        if len(answers) < _ANSWERS_MAX:
            answers.add(answer.decode("ascii"))

    for piece in pieces:
        for text, kinds in _TEXTS:
            at = piece.find(text)
            while at >= 0 and hits[text] < _HITS_MAX:
                hits[text] += 1
                end = at + len(text)
                for kind, behind, pattern in kinds:
                    match = pattern.match(piece, end) if behind else pattern.search(piece[max(0, at - _NEAR) : at])
                    if match:
                        note(kind, match.group(1))
                at = piece.find(text, end)
        for match in _REVISION.finditer(piece):
            rest = piece[match.end() : match.end() + 7]
            alone = piece[match.start() - 1 : match.start()] == b")" and not rest[:1].isalnum()
            if alone or rest == b"modules":
                note("directory", match.group(1))
    return found


def _conclude(answers: Answers, packages: Mapping[str, set[str]], library: bool) -> Engine | None:
    """What the answers say together; None if they do not say that this is a Wasmtime."""
    told = dict(answers, **{SBOM: {version for version in packages.get("wasmtime", ()) if _numbers(version)}})
    versions: set[str] = set()
    rule = None
    for name in RULES:
        # What stands beside another text may do so by chance: it counts where nothing else speaks.
        if told.get(name) and not (versions and name == NEIGHBOUR):
            versions |= told[name]
            rule = rule or name
    reads_config = "config" in answers and ("fields" in answers or bool(versions))
    if not versions and not reads_config and "wasmtime" not in answers:
        return None
    tomls = packages.get("toml") or answers.get("toml", set())
    parsers = packages.get("toml_parser") or answers.get("toml_parser", set())
    first, last = _range(answers, tomls) if reads_config else (0, MAJOR_MAX)
    majors = [_numbers(version)[0] for version in versions]
    if rule == NEIGHBOUR and not first <= min(majors) <= max(majors) <= last:
        versions, majors, rule = set(), [], None
    if majors:
        first, last = min(majors), max(majors)
    elif (first, last) != (0, MAJOR_MAX):
        rule = CONFIG_FIELDS
    return Engine(
        versions=tuple(sorted(versions)),
        rule=rule,
        first=first,
        last=last,
        reads_config=reads_config,
        grammars=_grammars(first, last, tomls, parsers) if reads_config else (),
        revision=_revision(answers, versions, first) if reads_config else None,
        library=library,
        program=next((name for name in PROGRAMS if name in answers), None),
    )


def _numbers(version: str) -> tuple[int, ...]:
    """The three numbers of a version; empty if it is none."""
    match = re.match(r"([0-9]{1,8})[.]([0-9]{1,8})[.]([0-9]{1,8})(?![0-9])[0-9A-Za-z.+-]{,64}\Z", version)
    return tuple(map(int, match.groups())) if match else ()


def _range(answers: Answers, tomls: set[str]) -> tuple[int, int]:
    """The major versions that the fields of the config and the toml crates allow."""
    fields = answers.get("fields")
    ranges = [(d.first, d.last) for d in DIALECTS if fields == {str(d.fields)}] or [(0, MAJOR_MAX)]
    possible: list[tuple[int, int]] = []
    series = set()
    for numbers in filter(None, map(_numbers, tomls)):
        name = "%d.%d" % numbers[:2] if numbers[0] == 0 else "%d" % numbers[0]
        if name in _TOML_SERIES:
            start, end = _TOML_SERIES[name]
            both = [(max(first, start), min(last, end)) for first, last in ranges if first <= end and start <= last]
            # Other parts of a program may use another series.
            if both:
                series.add(name)
                possible += both
    first, last = min(possible or ranges)[0], max(last for _first, last in possible or ranges)
    if series == {"0.9"} and "bug" not in answers:
        last = _SAYS_VERSION - 1
    return first, last


def _grammars(first: int, last: int, tomls: set[str], parsers: set[str]) -> tuple[str, ...]:
    """The grammars of TOML that are possible: from 39 to 48 that depends on the crates of the program."""
    found = {TOML_1_1 if _numbers(version) >= _PARSER_1_1 else TOML_1_0 for version in filter(_numbers, parsers)}
    if not found and any("+spec-1.1" in version for version in tomls):
        found = {TOML_1_1}
    if not found:
        found = {TOML_1_0, TOML_1_1}
    if first < 39:
        found = found | {TOML_1_0} if last >= 39 else {TOML_1_0}
    if last > 48:
        found = found | {TOML_1_1} if first <= 48 else {TOML_1_1}
    return tuple(sorted(found))


def _revision(answers: Answers, versions: set[str], first: int) -> str | None:
    """What the name of its directory in a cache ends with, without the time; None if that is not known."""
    found = answers.get("directory", set())
    if not found and answers.get(CACHE_PATH) == versions and first >= _DATED:
        # Built from crates.io: it takes its version.
        found = versions
    return next(iter(found)) if len(found) == 1 else None
