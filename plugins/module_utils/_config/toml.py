# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TOML libraries of this host, and the grammars that they read."""

from __future__ import annotations

import re
from typing import Any, Callable

from .toml_error import Loads, TomlError
from .versions import TOML_1_0, TOML_1_1

# The libraries need quadratic time and memory for a dotted key, and the engine refuses more than 128 parts.
DOTS_MAX = 500


class NoLibrary(Exception):
    """No library on this host can read TOML."""


class Library:
    """The TOML parsers of this host, found when first needed.

    C(finders) import a parser or raise ImportError; in order of preference.
    """

    def __init__(self, finders: list[Callable[[], Loads]] | None = None) -> None:
        self._finders = [_tomllib, _tomli] if finders is None else list(finders)
        self._parsers: dict[str, Loads] = {}
        self._read: tuple[str, Loads] | None = None

    def parser(self, grammar: str) -> Loads | None:
        """Return the parser of exactly this grammar, or None."""
        while grammar not in self._parsers and self._finders:
            try:
                loads = self._finders.pop(0)()
            except ImportError:
                continue
            self._parsers.setdefault(TOML_1_1 if _reads(loads, "a = {b = 1,}") else TOML_1_0, loads)
        return self._parsers.get(grammar)

    def any(self) -> Loads:
        """Return any parser. Raises NoLibrary."""
        loads = self.parser(TOML_1_0) or self.parser(TOML_1_1)
        if loads is None:
            raise NoLibrary("tomli")
        return loads

    def reader(self, text: str) -> Loads:
        """Return the parser that has read this text; any one if none has read it yet. Raises NoLibrary."""
        return self._read[1] if self._read and self._read[0] == text else self.any()

    def read(self, text: str, grammar: str) -> tuple[dict[str, Any], bool]:
        """Parse a text by a grammar; return the data and whether it is proven to be of this grammar.

        TOML 1.1 contains 1.0, so the parser of the other grammar often proves it, too. It is not
        proven if only that parser is installed, it accepts the text, and this grammar may refuse it.
        Raises TomlError, with a name of its own in the opposite case, and NoLibrary.
        """
        loads = self.parser(grammar)
        exact = loads is not None
        if loads is None:
            loads = self.any()
        try:
            data = parse(loads, text)
        except TomlError as error:
            if error.name == "toml-syntax" and not exact and grammar == TOML_1_1 and may_differ(text):
                error.name = "toml-syntax-unsure"
            raise
        self._read = (text, loads)
        return data, exact or grammar == TOML_1_1 or not newer(text, loads)


def _tomllib() -> Loads:
    import tomllib

    return tomllib.loads


def _tomli() -> Loads:
    import tomli

    return tomli.loads


def _reads(loads: Loads, text: str) -> bool:
    try:
        loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def may_differ(text: str) -> bool:
    """Return whether TOML 1.0 and 1.1 could disagree about a text. Errs towards yes."""
    # All that TOML 1.1 adds needs one of these: an inline table, the escapes \e and \x, a time without seconds.
    return re.search(r"\{|\\[ex]|[0-9]:[0-9]{2}(?!:)", text) is not None


def newer(text: str, loads: Loads) -> bool:
    """Return whether a text that a parser of TOML 1.1 has read may be more than TOML 1.0. Errs towards yes."""
    if not may_differ(text):
        return False
    from .syntax import newer_syntax

    return newer_syntax(text, loads)


def parse(loads: Loads, text: str) -> dict[str, Any]:
    """Parse a text. Raises TomlError for every error that the library raises on bad input."""
    if text.count(".") > DOTS_MAX:
        for number, content in enumerate(text.split("\n"), 1):
            if content.count(".") > DOTS_MAX and not content.lstrip().startswith("#"):
                raise TomlError("too many dots in one line", number, 1, "too-many-dots")
    try:
        return loads(text)
    except (ValueError, RecursionError) as error:
        from .syntax import refusal

        raise refusal(error, loads, text) from None
