# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real engine refuses every config with an error of docs/problems.md, and files that it cannot read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import MAX_BYTES
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.config import read_config
from ansible_collections.wasmops.wasmtime.tests.engine.agreement import LIBRARY, SURELY_TOO_MUCH, dialect_of
from ansible_collections.wasmops.wasmtime.tests.engine.engines import (
    ACCEPT,
    DATA,
    DIRECTORY,
    ENGINES,
    RANGE,
    RELATIVE,
    SYNTAX,
    Engine,
    NotHere,
    reader,
)
from ansible_collections.wasmops.wasmtime.tests.engine.live import ENDS, Process, entries, look, public_place
from ansible_collections.wasmops.wasmtime.tests.engine.statements import proves

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A user that needs no account.
SOMEONE = 54321


class Example(NamedTuple):
    """A document, and what comes of it from the version C(first) to the version C(last)."""

    code: str
    verdict: str
    text: str
    """Below C([cache]); a whole document where it begins with C(!)."""
    first: int = 0
    last: int = 10**8

    def document(self, version: str) -> bytes:
        """Return the document for this version, which is valid apart from its subject."""
        if self.text.startswith("!"):
            return self.text[1:].encode("utf-8", "surrogateescape")
        enabled = "enabled = true\n" if int(version.partition(".")[0]) <= 32 and "enabled" not in self.code else ""
        return ("[cache]\n%s%s\n" % (enabled, self.text)).encode("utf-8", "surrogateescape")


EXAMPLES = (
    Example("cache-missing", DATA, "!"),
    Example("cache-missing", DATA, "!# nothing\n"),
    Example("cache-not-a-table", DATA, "!cache = 1\n"),
    Example("cache-not-a-table", DATA, "![[cache]]\n"),
    Example("directory-nul", DIRECTORY, 'directory = "/d\\u0000e"'),
    Example("directory-relative", RELATIVE, 'directory = "d"'),
    Example("directory-relative", RELATIVE, 'directory = "~/d"'),
    Example("directory-relative", RELATIVE, 'directory = "$HOME/d"'),
    Example("directory-too-long", DIRECTORY, 'directory = "/%s"' % ("d" * 256)),
    Example("directory-too-long", DIRECTORY, 'directory = "%s"' % ("/d" * 2048)),
    Example("enabled-missing", DATA, "", last=32),
    Example("enabled-refused", DATA, "enabled = true", first=33),
    Example("enabled-refused", DATA, "enabled = false", first=33),
    Example("invalid-value", DATA, 'cleanup-interval = "60"'),
    Example("invalid-value", DATA, 'files-total-size-soft-limit = "1GB"'),
    Example("not-utf-8", SYNTAX, "# \udcff"),
    Example("optimized-below-baseline", RANGE, "baseline-compression-level = 21"),
    Example("optimized-below-baseline", RANGE, "optimized-compression-level = 2"),
    Example("out-of-range", RANGE, "baseline-compression-level = 22"),
    Example("out-of-range", RANGE, "optimized-compression-level = 22"),
    Example("out-of-range", RANGE, 'file-count-limit-percent-if-deleting = "101%"'),
    Example("overflow", DATA, 'file-count-soft-limit = "18446744073709551616"'),
    Example("overflow", DATA, "baseline-compression-level = 2147483648"),
    Example("overflow", DATA, 'file-count-limit-percent-if-deleting = "256%"'),
    Example("overflow", DATA, 'cleanup-interval = "307445734561825861m"', first=48),
    Example("toml-syntax", SYNTAX, "cleanup-interval = 1h"),
    Example("toml-syntax", SYNTAX, "!cache = {\n}\n", first=33, last=48),
    Example("unknown-key", DATA, 'file_count_soft_limit = "1K"'),
    Example("unknown-key", DATA, "[other]"),
    Example("unknown-key", DATA, '!cleanup-interval = "1h"\n'),
    Example("wrong-type", DATA, "cleanup-interval = 60"),
    Example("wrong-type", DATA, 'baseline-compression-level = "3"'),
)


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Each of the engines, in turn."""
    try:
        started = Engine(request.param)
    except NotHere as reason:
        pytest.skip(f"not run here, because {reason}")
    with started:
        yield started


@pytest.fixture
def place() -> Iterator[Path]:
    with public_place() as path:
        yield path


@proves(
    "cache-missing",
    "cache-not-a-table",
    "directory-nul",
    "directory-relative",
    "directory-too-long",
    "enabled-missing",
    "enabled-refused",
    "invalid-value",
    "not-utf-8",
    "optimized-below-baseline",
    "out-of-range",
    "overflow",
    "toml-syntax",
    "unknown-key",
    "wrong-type",
    "Up to Wasmtime 32 the file must set `enabled`;",
    "from Wasmtime 33 on it must not.",
    "A mandatory setting of Wasmtime up to 32.",
    "Wasmtime 33 and later refuse",
    "Wasmtime up to 32 requires",
    "later ones refuse it, so no file suits both",
    "no file suits both Wasmtime up to 32 and later ones",
    "enabled is refused by Wasmtime 33 and later",
    "Wasmtime expands neither",
    "the engine expands neither",
    "whole file for one unknown key;",
)
def test_what_is_an_error_is_refused(engine: Engine) -> None:
    """The engine refuses it at the expected stage, and the collection reports this code."""
    for example in EXAMPLES:
        document = example.document(engine.version)
        if example.first <= reader(engine.version) <= example.last:
            assert engine.ask(document).verdict == example.verdict, example
            problems = read_config(document, [dialect_of(engine.version)], SURELY_TOO_MUCH, LIBRARY).problems
            if not (reader(engine.version) <= 48 and LIBRARY.parser("1.0") is None):
                assert problems[0].code == example.code, example


@proves(
    "toml-grammar",
    "Official builds of Wasmtime 39 to 48 read TOML 1.0.",
    "Wasmtime up to 38 and official builds up to 48 read no other;",
)
def test_the_grammar_of_39_to_48_is_that_of_the_program(engine: Engine) -> None:
    old = int(engine.version.partition(".")[0]) <= 32
    document = b"cache = {%s\n}\n" % (b"enabled = true" if old else b"")
    assert engine.ask(document).verdict == (ACCEPT if reader(engine.version) >= 49 else SYNTAX)


@proves("the number without the underscore after its sign")
def test_an_underscore_after_a_sign_is_for_official_builds_of_39_to_48(engine: Engine) -> None:
    document = Example("", ACCEPT, "baseline-compression-level = +_3").document(engine.version)
    assert engine.ask(document).verdict == (ACCEPT if 39 <= reader(engine.version) <= 48 else SYNTAX)


@proves("directory-line-break", "directory has a line break, which Wasmtime up to 38")
def test_crlf_in_a_string_is_kept_from_39_on(engine: Engine) -> None:
    document = Example("", ACCEPT, "directory = '''/d\r\ne'''").document(engine.version)
    made = engine.ask(document).directories or ()
    assert [name for name in made if name.startswith("/d")] == ["/d\r\ne" if reader(engine.version) >= 39 else "/d\ne"]


@proves("too-large")
def test_a_file_of_any_size_is_read(engine: Engine) -> None:
    assert engine.ask(Example("", ACCEPT, "#" * (2 * MAX_BYTES)).document(engine.version)).verdict == ACCEPT


@proves("Wasmtime creates the cache directory when it validates a config")
def test_the_directory_is_made_when_the_config_is_read(engine: Engine) -> None:
    """The engine creates it before it checks the levels, even if it then refuses them."""
    text = 'directory = "/d/e"\nbaseline-compression-level = 22'
    answer = engine.ask(Example("", RANGE, text).document(engine.version))
    assert answer.verdict == RANGE
    assert "/d/e" in (answer.directories or ())


@proves("Wasmtime itself stops at the first error;")
def test_one_error_is_named(engine: Engine) -> None:
    answer = engine.ask(Example("", DATA, "foo = 1\nbar = 1").document(engine.version))
    assert answer.verdict == DATA
    assert ("`foo`" in answer.reason) != ("`bar`" in answer.reason)


@proves("directory-unusable")
def test_a_directory_that_cannot_be_made_is_refused(engine: Engine) -> None:
    document = Example("", DIRECTORY, 'directory = "/config.toml/d"').document(engine.version)
    assert engine.ask(document).verdict == DIRECTORY


@proves("missing", "unreadable", "not-a-file", "dangling-link")
@pytest.mark.parametrize("version", ENDS)
@pytest.mark.parametrize("what", ["missing", "unreadable", "not-a-file", "dangling-link"])
def test_a_file_that_cannot_be_read_is_refused(place: Path, version: str, what: str) -> None:
    path = place / "config.toml"
    if what == "unreadable":
        path.write_text("[cache]\n", encoding="utf-8")
        path.chmod(0)
    elif what == "not-a-file":
        path.mkdir()
    elif what == "dangling-link":
        path.symlink_to(place / "nothing")
    with Process(version) as process:
        if os.geteuid() == 0:
            process.become(uid=SOMEONE)
        assert "failed to read config file" in (process.load(path=str(path)) or "")


@proves("directory-owner")
@pytest.mark.parametrize("version", ENDS)
def test_a_directory_of_another_user_works(place: Path, version: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("it takes root to give a directory away")
    path, directory = place / "config.toml", place / "cache"
    directory.mkdir(mode=0o700)
    os.chown(directory, SOMEONE, SOMEONE)
    enabled = "enabled = true\n" if version == ENDS[0] else ""
    path.write_text('[cache]\n%sdirectory = "%s"\n' % (enabled, directory), encoding="utf-8")
    assert "directory-owner" in look(path=str(path), wasmtime_version=[version]).codes
    with Process(version) as process:
        assert process.load(path=str(path)) is None
        process.compiled(directory, 1)
    assert entries(directory)
