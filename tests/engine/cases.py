# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documents in data/cases.jsonl, with the verdict of every engine.

The first line names the versions, every other one is a document:

- C(document), or C(base64) where it is not UTF-8. In it, C(@E) stands for C(enabled = true) up to 32 and for nothing
  later, C(@I) for C(enabled = true, ), C(@K) for C(cache.enabled = true), C(@D) for the path of a directory;
- C(verdict): a letter for each version, see C(LETTERS); measured by measure.py;
- C(place): line and column that the engine names, for all versions or for each;
- C(effective): the values that differ from the defaults, in base units; for all versions or for each;
- C(quirk): versions that accept it because of a quirk; the collection refuses it.

Also used by unit tests: runs on Python 3.8.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.tests.engine.engines import (
    ACCEPT,
    CRASH,
    DATA,
    DIRECTORY,
    ENGINES,
    RANGE,
    RELATIVE,
    SYNTAX,
    Answer,
)

PATH = Path(__file__).with_name("data") / "cases.jsonl"
LETTERS = {"a": ACCEPT, "s": SYNTAX, "d": DATA, "p": RELATIVE, "r": RANGE, "m": DIRECTORY, "c": CRASH}
HERE = "/cache/of the/case"


class Case(NamedTuple):
    """A document on record."""

    fields: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.fields["id"])

    def document(self, version: str) -> bytes:
        """Return the document as it is for this version."""
        data = (
            base64.b64decode(self.fields["base64"])
            if "base64" in self.fields
            else self.fields["document"].encode("utf-8")
        )
        old = int(version.partition(".")[0]) <= 32
        for mark, text in ((b"@E", b"enabled = true"), (b"@I", b"enabled = true, "), (b"@K", b"cache.enabled = true")):
            data = data.replace(mark, text if old else b"")
        return bytes(data.replace(b"@D", HERE.encode("utf-8")))

    def answer(self, version: str) -> Answer:
        """Return the answer of the engine."""
        at = ENGINES.index(version)
        verdict = LETTERS[self.fields["verdict"][at]]
        place = self._at("place", at)
        return Answer(verdict, None if place is None else (place[0], place[1]), self._at("reason", at) or "")

    def effective(self, version: str) -> dict[str, Any] | None:
        """Return the effective settings, without C(directory) if the document does not set it; None if not on record."""
        own = self._at("effective", ENGINES.index(version))
        if own is None:
            return None
        major = int(version.partition(".")[0])
        known = (setting for setting in SETTINGS.values() if setting.known_to(major, major))
        defaults = {setting.name: setting.default for setting in known if setting.default is not None}
        return {**defaults, **{k: v.replace("@D", HERE) if isinstance(v, str) else v for k, v in own.items()}}

    def is_quirk(self, version: str) -> bool:
        """Return whether the engine accepts it because of a quirk."""
        return version in self.fields.get("quirk", ())

    def _at(self, field: str, at: int) -> Any:
        value = self.fields.get(field)
        return value[at] if isinstance(value, list) and len(value) == len(ENGINES) else value


def load() -> list[Case]:
    """Return all cases."""
    lines = PATH.read_text(encoding="utf-8").splitlines()
    assert tuple(json.loads(lines[0])["versions"]) == ENGINES
    return [Case(json.loads(line)) for line in lines[1:]]


def packed(values: tuple[Any, ...]) -> Any:
    """Return one value for all versions, or one for each."""
    return values[0] if all(value == values[0] for value in values) else list(values)


def save(cases: list[Case]) -> None:
    """Write the file."""
    lines = [{"versions": list(ENGINES)}, *(case.fields for case in cases)]
    text = "".join(json.dumps(line, ensure_ascii=True) + "\n" for line in lines)
    PATH.write_text(text, encoding="utf-8")
