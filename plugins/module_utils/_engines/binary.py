# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the Wasmtime in an executable or a shared library by its bytes. Nothing is executed.

The file is read in pieces and not mapped: another process that truncates a mapped file would end this one.
The texts can be forged. The result helps to choose rules; it proves nothing.
"""

from __future__ import annotations

import os
import re
from typing import Any, Callable, Dict, Iterable, Iterator, Mapping, NamedTuple, Set

from .._config.versions import DIALECTS, MAJOR_MAX, TOML_1_0, TOML_1_1, Dialect, for_version
from .formats import headers_of

PIECE = 2**20
# Each text fits in here with everything that matters before and after it.
_OVERLAP = 512
_NEAR = 64
# Real files have some hundred hits for a text, and one version; these bound the cost of a crafted file.
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
"""The sources of a version, the most reliable first. The last one gives a range of versions."""

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

# Texts, and what stands around them: a kind, whether it is after the text, and a pattern.
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
    # Up to 45 a build outside of a git repository uses the empty answer of git (crates/cache/build.rs).
    (b"modulesget_data() for path", (("directory", *_before("-(%s|)" % _VERSION)),)),
    (b"EXTISM_CACHE_CONFIG", (("extism", *_after("()")),)),
    (b"WASMTIME_CACHE_FILE", (("spin", *_after("()")),)),
    (b"wizer.initialize", (("wizer", *_after("()")),)),
)  # fmt: skip

PROGRAMS = ("wasmtime", "spin", "extism", "wizer")
"""The programs and libraries for which the collection knows where they take a config from."""

# In a format string, the revision is followed by the next text, or has its length before it and no text after it.
_REVISION = re.compile(rb"-([0-9a-f]{40})")

# The major versions of Wasmtime that require a series of the toml crate.
_TOML_SERIES = {"0.5": (0, 18), "0.8": (19, 38), "0.9": (39, 48), "1": (49, MAJOR_MAX)}
# From this version on, the text of a panic contains the version.
_VERSION_IN_PANIC = 43
# From this version on, a build from a git repository adds the time of the executable to the name of its directory.
_DATED = 46
# The first toml_parser that reads TOML 1.1.
_PARSER_1_1 = (1, 0, 6)
_ANY_VERSION = (0, MAJOR_MAX)


class TimeOver(Exception):
    """The time limit of the search is reached."""


class Changing(Exception):
    """The file is being written while it is read."""


class Engine(NamedTuple):
    """A Wasmtime, as far as its file shows it."""

    versions: tuple[str, ...]
    """All versions found. The version is known if there is exactly one."""
    rule: str | None
    """The one of C(RULES) that gave the versions or their range; None if none did."""
    first: int
    """The lowest possible major version."""
    last: int
    """The highest possible major version."""
    reads_config: bool
    """Whether it can read a cache config."""
    grammars: tuple[str, ...]
    """The possible grammars of TOML; none if it cannot read a config."""
    revision: str | None
    """What follows C(wasmtime-) in the name of its directory below C(modules/); None if unknown."""
    library: bool
    """Whether the file is a shared library, so that the executable is another file."""
    program: str | None
    """One of C(PROGRAMS), or None."""

    @property
    def version(self) -> str | None:
        """The exact version, if it is known."""
        return self.versions[0] if len(self.versions) == 1 else None

    def possible_versions(self) -> list[str]:
        """Return the possible versions as text: all found, or the range of major versions; empty if unknown."""
        if self.versions:
            return list(self.versions)
        if self.last == MAJOR_MAX:
            return [">=%d" % self.first] if self.first else []
        return ["%d-%d" % (self.first, self.last) if self.first else "<=%d" % self.last]

    def as_dict(self) -> dict[str, Any]:
        """Return the engine in the form of a module's result."""
        names = {dialect.name for dialect in self.dialects()}
        return {
            "version": self.version,
            "versions": self.possible_versions(),
            "rule": self.rule,
            "program": self.program,
            "reads_config": self.reads_config,
            "toml": self.grammars[0] if len(self.grammars) == 1 else None,
            "dialect": names.pop() if len(names) == 1 else None,
        }

    def dialects(self) -> tuple[Dialect, ...]:
        """Return the possible dialects, oldest first: a config must suit each of them."""
        found = []
        starts = sorted({start for dialect in DIALECTS for start in (dialect.first, dialect.reader)})
        for start, following in zip(starts, [*starts[1:], MAJOR_MAX + 1]):
            if self.first < following and start <= self.last:
                rules = for_version(str(start))
                grammars = tuple(grammar for grammar in rules.grammars if grammar in self.grammars)
                found += [rules._replace(grammars=grammars)] if grammars else []
        return tuple(found)

    def directory(self, modified: int | None) -> str | None:
        """Return the name of its directory below C(modules/) in a cache; None if unknown.

        C(modified) is the time of the executable of the process, in nanoseconds since 1970; None if unknown.
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
    """Return the Wasmtime in an open regular file; None if it has none, or is neither an executable nor a library.

    Raises TimeOver when C(expired()) is true, Changing if the file is being written, and OSError.
    """
    before = os.fstat(handle)
    headers = headers_of(handle, before.st_size)
    if headers is None:
        return None
    engine = None
    where = (handle, before.st_size, headers.code, expired)
    if any(sign in piece for piece in _pieces(*where) for sign in _SIGNS):
        answers = _answers(_pieces(*where))
        engine = _conclude(answers, headers.packages(handle), headers.library)
    after = os.fstat(handle)
    if any(getattr(before, name) != getattr(after, name) for name in ("st_size", "st_mtime_ns", "st_ctime_ns")):
        raise Changing
    return engine


def _pieces(handle: int, size: int, code: tuple[int, int] | None, expired: Callable[[], bool]) -> Iterator[bytes]:
    """Read a file of this size without its machine code, in pieces that overlap."""
    start, length = code or (size, 0)
    for offset, end in ((0, start), (start + length, size)):
        read = offset
        while read < end:
            if expired():
                raise TimeOver
            begin = max(offset, read - _OVERLAP)
            piece = os.pread(handle, min(read + PIECE, end) - begin, begin)
            if begin + len(piece) <= read:  # it has become shorter
                return
            yield piece
            read = begin + len(piece)


Answers = Dict[str, Set[str]]


def _answers(pieces: Iterable[bytes]) -> Answers:
    """Return what stands around the texts, by kind; empty for a text with nothing around it."""
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
    """Combine the answers; None if they do not prove a Wasmtime."""
    by_rule = dict(answers, **{SBOM: {version for version in packages.get("wasmtime", ()) if _numbers(version)}})
    versions: set[str] = set()
    rule = None
    for name in RULES:
        # A version may stand beside another text by chance: it only counts without other sources.
        if by_rule.get(name) and not (versions and name == NEIGHBOUR):
            versions |= by_rule[name]
            rule = rule or name
    reads_config = "config" in answers and ("fields" in answers or bool(versions))
    if not versions and not reads_config and "wasmtime" not in answers:
        return None
    tomls = packages.get("toml") or answers.get("toml", set())
    parsers = packages.get("toml_parser") or answers.get("toml_parser", set())
    first, last = _range(answers, tomls) if reads_config else _ANY_VERSION
    majors = [_numbers(version)[0] for version in versions]
    if rule == NEIGHBOUR and not first <= min(majors) <= max(majors) <= last:
        versions, majors, rule = set(), [], None
    if majors:
        first, last = min(majors), max(majors)
    elif (first, last) != _ANY_VERSION:
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
    """Return the three numbers of a version; empty for another text."""
    match = re.match(r"([0-9]{1,8})[.]([0-9]{1,8})[.]([0-9]{1,8})(?![0-9])[0-9A-Za-z.+-]{,64}\Z", version)
    return tuple(map(int, match.groups())) if match else ()


def _range(answers: Answers, tomls: set[str]) -> tuple[int, int]:
    """Return the first and last major version that the fields of the config and the toml crates allow."""
    fields = answers.get("fields")
    ranges = [(d.first, d.last) for d in DIALECTS if fields == {str(d.fields)}] or [_ANY_VERSION]
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
        last = _VERSION_IN_PANIC - 1
    return first, last


def _grammars(first: int, last: int, tomls: set[str], parsers: set[str]) -> tuple[str, ...]:
    """Return the possible grammars of TOML: from 39 to 48 they depend on the crates of the program."""
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
    """Return the end of the name of its directory in a cache, without the time; None if unknown."""
    found = answers.get("directory", set())
    if not found and answers.get(CACHE_PATH) == versions and first >= _DATED:
        # Built from crates.io: the name has the version.
        found = versions
    return next(iter(found)) if len(found) == 1 else None
