# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the verdict of the collection on a document with that of the engine.

If the engine refuses a document, the collection must refuse it, for a reason of the same stage and in
the same place. If the engine accepts it, the collection must accept it, apart from a few known quirks.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Callable, NamedTuple

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import ERROR, Host
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.config import Config, read_config
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml import Library
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import (
    TOML_1_0,
    TOML_1_1,
    Dialect,
    for_version,
)
from ansible_collections.wasmops.wasmtime.tests.engine.engines import (
    ACCEPT,
    CRASH,
    DATA,
    DIRECTORY,
    HANG,
    HOME,
    MEMORY,
    RANGE,
    RELATIVE,
    SYNTAX,
    Answer,
    reader,
)

if TYPE_CHECKING:
    from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.problems import Problem

LIBRARY = Library()
# The engine's queue takes 32 or 40 bytes per entry, and other things need memory, too.
SURELY_TOO_MUCH = Host(lambda: HOME + "/.cache/wasmtime", MEMORY, 1_800_000_000)
PERHAPS_TOO_MUCH = SURELY_TOO_MUCH._replace(memory=MEMORY // 4)

# The stage in which the engine finds a problem with this code; for all others, the stage of the data.
STAGES = {
    "not-utf-8": SYNTAX,
    "toml-syntax": SYNTAX,
    "directory-relative": RELATIVE,
    "directory-nul": DIRECTORY,
    "directory-too-long": DIRECTORY,
    "out-of-range": RANGE,
    "optimized-below-baseline": RANGE,
}


def dialect_of(version: str) -> Dialect:
    """Return the rules of exactly this engine, whose grammar of TOML is known."""
    dialect = for_version(version)
    grammars = [grammar for grammar in dialect.grammars if (grammar == TOML_1_1) == (reader(version) >= 49)]
    return dialect._replace(grammars=tuple(grammars))


class Quirk(NamedTuple):
    """A quirk that some versions of the engine accept and the collection refuses: C(plain) is the spelling that it accepts."""

    name: str
    first: int
    last: int
    plain: Callable[[str], str]

    def applies(self, document: bytes, version: str) -> bool:
        """Return whether a document has it."""
        text = document.decode("utf-8", "surrogateescape")
        return self.first <= reader(version) <= self.last and self.plain(text) != text


def _comments_without_delete(text: str) -> str:
    return re.sub("#[^\n]*", lambda comment: comment[0].replace("\x7f", ""), text)


NEWEST = 10**8
QUIRKS = (
    Quirk("U+007F in a comment", 0, 18, _comments_without_delete),
    Quirk("+ before 0x, 0o, 0b", 0, 18, lambda text: re.sub(r"\+(?=0[xob])", "", text)),
    Quirk("- after +", 0, 18, lambda text: text.replace("+-", "-")),
    Quirk("_ after a sign", 39, 48, lambda text: re.sub(r"([+-])_0*(?=[0-9])", r"\1", text)),
    Quirk(
        "new line around = in an inline table",
        49,
        NEWEST,
        lambda text: re.sub(r"\s*(#[^\n]*\n\s*)*=\s*(#[^\n]*\n\s*)*", " = ", text),
    ),
    # After the last field, whose value is not read.
    Quirk(
        "numbers without digits or too large in the positional form",
        39,
        NEWEST,
        lambda text: re.sub(r"\b0[xob](?!\w)|\b[0-9]{19,}\b", "0", text),
    ),
)
# A host with only a parser of TOML 1.1 cannot prove everything, and reports this.
UNPROVEN = "not to be proven on this host"
POSITIONAL = "positional form (cache = [...])"


class Verdict(NamedTuple):
    """The result for a document: C(difference) is empty if both agree.

    C(quirk) names the quirk that the engine accepts and the collection refuses; C(elsewhere) is why both name another place.
    """

    difference: str = ""
    quirk: str = ""
    elsewhere: str = ""
    detail: str = ""


def first_error(config: Config) -> Problem | None:
    """Return the problem that makes the engine refuse the file."""
    return next((problem for problem in config.problems if problem.severity == ERROR), None)


def quirk_in(document: bytes, version: str) -> str:
    """Return the quirk without which the collection would accept the document; empty if there is none."""
    names = []
    for quirk in QUIRKS:
        if quirk.applies(document, version):
            names.append(quirk.name)
            document = quirk.plain(document.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    config = read_config(document, [dialect_of(version)], SURELY_TOO_MUCH, LIBRARY)
    if config.valid:
        return " and ".join(names)
    errors = [problem.code for problem in config.problems if problem.severity == ERROR]
    if errors == ["cache-not-a-table"]:
        for grammar in (TOML_1_0, TOML_1_1):
            try:
                if isinstance(LIBRARY.read(config.text, grammar)[0].get("cache"), list):
                    return POSITIONAL
            except ValueError:
                continue
    return ""


def compare(document: bytes, version: str, answer: Answer) -> Verdict:
    """Compare the verdicts of the collection and of the engine."""
    dialect = dialect_of(version)
    ours = read_config(document, [dialect], SURELY_TOO_MUCH, LIBRARY)
    error = first_error(ours)
    said = "valid" if error is None else error.code
    stage = STAGES.get(said, DATA)
    detail = "engine: %s %s %s; we: %s" % (
        answer.verdict, answer.place or "", answer.reason, error.sentence() if error else "valid",
    )  # fmt: skip

    def different(what: str) -> Verdict:
        return Verdict(what, detail=detail)

    contradiction = _contradiction(document, version, ours)
    if contradiction:
        return different(contradiction)
    taken = answer.verdict in (ACCEPT, CRASH, HANG)
    if said == "toml-unproven":
        return Verdict(quirk=UNPROVEN) if taken else Verdict(elsewhere=UNPROVEN)
    if taken:
        if error is None:
            return _taken(document, version, answer, ours, different)
        quirk = quirk_in(document, version)
        return Verdict(quirk=quirk) if quirk else different("we refuse (%s) what the engine takes" % said)
    if answer.verdict == DIRECTORY:
        # Whether a directory can be created does not follow from the file.
        if error is not None and stage in (SYNTAX, DATA, RELATIVE):
            return different("we refuse (%s) before the directory is made" % said)
        if error is None and re.search("too long|NUL", answer.reason):
            return different("we take a directory that cannot be")
        return Verdict()
    if error is None:
        return different("we take what the engine refuses (%s)" % answer.verdict)
    what = place_difference(answer, error, ours, version)
    if not what and stage != answer.verdict:
        what = "we refuse (%s) for another reason (%s)" % (said, answer.verdict)
    if not what:
        return Verdict()
    why = explanation(document, version, answer, error)
    return Verdict(elsewhere=why) if why else different(what)


def _contradiction(document: bytes, version: str, ours: Config) -> str:
    """Compare the verdict for this engine with that for all engines of its version, some of which read another grammar."""
    dialect = for_version(version)
    mine = dialect.with_1_1 if dialect_of(version).grammars == (TOML_1_1,) else ""
    if (dialect.name in ours.accepted_by or mine in ours.accepted_by) != ours.valid:
        return "accepted_by contradicts our verdict"
    if len(dialect.grammars) > 1:
        every = read_config(document, [dialect], SURELY_TOO_MUCH, LIBRARY)
        if every.valid != (dialect.name in every.accepted_by):
            return "valid for a version contradicts accepted_by"
        errors = {problem.code for problem in every.problems if problem.severity == ERROR}
        some = dialect.with_1_1 in every.accepted_by
        if some != (errors <= {"toml-grammar", "toml-unproven"} and bool(errors)) or (some and every.valid):
            return "we do not say that a version takes it in some programs only"
    return ""


def place_difference(answer: Answer, error: Problem, ours: Config, version: str) -> str:
    """Return how the place of the first problem differs from the engine's: the line, for data also the column."""
    if not answer.place or not error.line:
        return ""
    line, column = answer.place
    if reader(version) <= 18 and answer.verdict == DATA:
        return ""  # it names the line of the table
    if ours.bom and line == 1 and reader(version) >= 19:
        column = max(1, column - 1)  # editors do not count the BOM
    if answer.verdict == DATA and (error.line, error.column) != (line, column):
        return "another place (%s)" % error.code
    return "another line (%s)" % error.code if error.line != line else ""


def _line(answer: Answer) -> int:
    return answer.place[0] if answer.place else 0


_NUMBER = re.compile("number too (large|small)|number overflowed|invalid (number|floating-point|integer|date|time)")
_OPEN = re.compile("expected ['\"]{5}")
_CONTROL = re.compile(b"[\\0-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]")
_TIME = re.compile(b"[0-9]:[0-9]{2}|[0-9]{4}-[0-9]")


def explanation(document: bytes, version: str, answer: Answer, error: Problem) -> str:
    """Return why both refuse a document for different reasons or in different places, if that is correct."""
    major = reader(version)
    syntax = error.code == "toml-syntax"
    said = error.message.partition(": ")[2]
    if syntax and major <= 18 and said.startswith(("cannot ", "duplicate ")):
        return "18 looks for duplicates when it has read all the text"
    if (
        syntax
        and said.startswith(("cannot overwrite", "duplicate "))
        and answer.place
        and (error.line or 0) > answer.place[0]
    ):
        return "a key is named twice: the engine names the key or the table, we the end of the value"
    if syntax and major <= 18 and answer.reason.startswith("unterminated string"):
        return "18 names the start of an open string of several lines"
    if syntax and major <= 18 and answer.verdict == DATA:
        return "18 looks at a key before it reads what follows the value"
    if syntax and major <= 38 and _OPEN.match(said) and _CONTROL.search(document):
        return "up to 38 name the control character in a string of several lines that is left open"
    if syntax and 19 <= major <= 38 and said.startswith("unescaped"):
        return "19 to 38 name the line after a backslash at the end of a line"
    if syntax and major <= 18 and re.search(b"\"\"\"|'''", document) and (error.line or 0) < _line(answer):
        return "18 reads a string to its end before it sees that it cannot stand there"
    if syntax and ((major >= 39 and answer.reason.startswith("unclosed")) or "found eof" in answer.reason):
        return "an array or inline table is left open: its end is a matter of taste"
    if syntax and major >= 39 and answer.verdict == SYNTAX and (error.line or 0) < _line(answer):
        return "the engine names the last of several mistakes, we name the first"
    if (answer.verdict == SYNTAX and _NUMBER.search(answer.reason)) or _NUMBER.search(said) or _TIME.search(document):
        return "numbers and dates that one of the two readers refuses"
    if "recurs" in answer.reason:
        return "nested deeper than the engine's reader goes"
    if error.code == "cache-not-a-table":
        return POSITIONAL
    names = [quirk.name for quirk in QUIRKS if quirk.applies(document, version)]
    return names[0] if names else ""


def _taken(document: bytes, version: str, answer: Answer, ours: Config, different: Callable[[str], Verdict]) -> Verdict:
    """Compare the visible results for a config that both accept."""
    codes = {problem.code for problem in ours.problems}
    if answer.verdict == ACCEPT:
        if "queue-memory" in codes and ours.effective["worker-event-queue-size"] * 32 > MEMORY:  # type: ignore[operator]
            return different("we see too large a queue where the engine does not abort")
        if answer.directories is None:
            return Verdict()
        directory = posixpath.normpath(str(ours.effective["directory"]))
        if directory.lstrip("/") and "/" + directory.lstrip("/") not in answer.directories:
            return different("the engine makes another directory")
        return Verdict()
    if answer.verdict == HANG:
        return different("the engine hangs")
    cautious = read_config(document, [dialect_of(version)], PERHAPS_TOO_MUCH, LIBRARY)
    if "queue-memory" not in {problem.code for problem in cautious.problems}:
        return different("the engine aborts and we do not say so")
    return Verdict()
