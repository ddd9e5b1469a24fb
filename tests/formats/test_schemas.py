# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schemas accept what the engine accepts, and editors read them."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from jsonschema import Draft7Validator

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import ERROR
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.config import read_config
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml_error import TomlError
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import DIALECTS, for_version
from ansible_collections.wasmops.wasmtime.tests.engine import agreement, cases
from ansible_collections.wasmops.wasmtime.tests.engine.engines import ACCEPT, CRASH, ENGINES
from ansible_collections.wasmops.wasmtime.tests.engine.generate import config
from ansible_collections.wasmops.wasmtime.tests.generate import SCHEMAS, schema_name

if TYPE_CHECKING:
    from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import Dialect

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "docsite" / "rst" / "editor_and_ci.rst"
GENERATED = 3000
# What a schema cannot say, by the code of the problem; the guide lists the same.
BEYOND = {
    "optimized-below-baseline",
    "overflow",
    "directory-nul",
    "directory-too-long",
    # 3.0 is an integer to a schema
    "wrong-type",
}


def schema_of(dialect: Dialect) -> dict[str, Any]:
    """The schema for the versions of a dialect."""
    first = next(d for d in DIALECTS if d.first <= dialect.first <= d.last)
    path = ROOT / SCHEMAS / schema_name(first)
    return dict(json.loads(path.read_text(encoding="utf-8")))


class Schema:
    """A schema, as two validators read it: their regular expressions are those of Python, and of Rust as in editors."""

    def __init__(self, dialect: Dialect) -> None:
        document = schema_of(dialect)
        Draft7Validator.check_schema(document)
        self.python = Draft7Validator(document)
        self.rust = jsonschema_rs.Draft7Validator(document)

    def accepts(self, data: Any) -> bool:
        """Whether both say that it is valid."""
        accepted = self.python.is_valid(data)
        try:
            assert self.rust.is_valid(data) == accepted
        except ValueError:  # dates and the like are no JSON
            assert not accepted
        return accepted


def parsed(document: bytes, version: str) -> Any:
    """The data of a document, None where it is not TOML to this version."""
    try:
        text = document.decode("utf-8").removeprefix("\ufeff")
        data, proven = agreement.LIBRARY.read(text, agreement.dialect_of(version).grammars[0])
    except (UnicodeDecodeError, TomlError):
        return None
    return data if proven else None


@pytest.mark.parametrize("version", ENGINES)
def test_what_the_engine_accepts_is_valid(version: str) -> None:
    """And what is not valid it refuses; what it refuses all the same is listed."""
    schema = Schema(for_version(version))
    counted: Counter[str] = Counter()
    for case in cases.load():
        data = parsed(case.document(version), version)
        if data is None or case.is_quirk(version):
            continue
        verdict, accepted = case.answer(version).verdict, schema.accepts(data)
        counted["%s %s" % (verdict, accepted)] += 1
        if verdict in {ACCEPT, CRASH}:
            assert accepted, case.name
        elif accepted:
            ours = read_config(
                case.document(version), [agreement.dialect_of(version)], agreement.SURELY_TOO_MUCH, agreement.LIBRARY
            )
            error = agreement.first_error(ours)
            # A directory that cannot be made is not a matter of the text.
            assert error is None or error.code in BEYOND, case.name
    assert counted[ACCEPT + " True"] > 150
    assert sum(number for name, number in counted.items() if name.endswith("False")) > 150


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_generated_documents(dialect: Dialect) -> None:
    """Whole documents with faults: the checker stands for the engine, whose word it is."""
    version = str(max(dialect.first, 20))
    schema, rng = Schema(dialect), random.Random(dialect.first)
    counted: Counter[bool] = Counter()
    for _number in range(GENERATED):
        document = config(rng, int(version), rng.choice((0.0, 0.1, 0.3))).encode("utf-8")
        data = parsed(document, version)
        if data is None:
            continue
        ours = read_config(document, [dialect], agreement.SURELY_TOO_MUCH, agreement.LIBRARY)
        errors = {problem.code for problem in ours.problems if problem.severity == ERROR}
        accepted = schema.accepts(data)
        counted[accepted] += 1
        assert accepted or errors, document
        assert not accepted or errors <= BEYOND, document
    assert min(counted.values()) > GENERATED / 20


def test_what_a_schema_cannot_say_is_in_the_guide() -> None:
    text = PAGE.read_text(encoding="utf-8")
    part = text[text.index("Limits of a schema\n---") :]
    assert set(re.findall(r":ref:`([a-z0-9-]+)`", part)) == BEYOND - {"wrong-type"} | {"duration-wraps"}
    assert "``3.0``" in part


def test_the_guide_names_addresses_of_schemas() -> None:
    addresses = set(re.findall(r"https://raw\S+\.json", PAGE.read_text(encoding="utf-8")))
    assert addresses
    assert addresses <= {schema_of(dialect)["$id"] for dialect in DIALECTS}


# --- Editors ---

BAD = '[cache]\ncleanup-interval = "1"\nbaseline-compression-level = 22\ndirectory = "~/cache"\nno-such-setting = 1\n'


def test_taplo_checks_with_it(tmp_path: Path) -> None:
    """By the line in the file that the guide shows."""
    schema = (ROOT / SCHEMAS / schema_name(for_version("42"))).as_uri()
    taplo = Path(sys.executable).with_name("taplo")

    def lint(text: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "config.toml").write_text("#:schema %s\n%s" % (schema, text), encoding="utf-8")
        words = [str(taplo), "lint", "--no-auto-config", "--colors=never", "config.toml"]
        return subprocess.run(
            words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )

    good = lint('[cache]\ncleanup-interval = " 1\u2003h\u0085"\nbaseline-compression-level = 21\n')
    assert good.returncode == 0, good.stdout
    bad = lint(BAD)
    assert bad.returncode != 0
    # The patterns are short enough to be read.
    for said in (
        '"1" does not match "^ *[0-9]+ *(s|m|h|d) *$"',
        "22 is greater than the maximum of 21",
        '"~/cache" does not match "^/"',
        "'no-such-setting' was unexpected",
    ):
        assert said in bad.stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the language server of the extension "Even Better TOML" for VS Code, and a client for it."""
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("not run here, because npm is not installed")
    folder = tmp_path_factory.mktemp("server")
    done = subprocess.run(
        [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), "@taplo/lsp@0.8"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("not run here, because npm cannot install @taplo/lsp: %s" % done.stdout.strip()[-200:])
    shutil.copy(Path(__file__).with_name("editor.js"), folder)
    return folder


def edit(server: Path, text: str, line: int, column: int) -> dict[str, Any]:
    """What an editor shows at a place of a file."""
    path = server / "config.toml"
    done = subprocess.run(
        ["node", "editor.js", path.as_uri(), text, str(line), str(column)],
        cwd=server,
        stdout=subprocess.PIPE,
        timeout=120,
        check=True,
    )
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("version", ["32", "42"])
def test_an_editor_completes_the_settings(server: Path, version: str) -> None:
    schema = (ROOT / SCHEMAS / schema_name(for_version(version))).as_uri()
    seen = edit(server, "#:schema %s\n[cache]\n\n" % schema, 2, 0)
    names = [item["label"] for item in seen["completion"]]
    assert set(names) == {*SETTINGS, *(["enabled"] if version == "32" else [])}
    described = {item["label"]: item["documentation"]["value"] for item in seen["completion"]}
    assert described["cleanup-interval"].startswith(
        "The time between two cleanups. A whole number followed by s, m, h or d"
    )


def test_an_editor_shows_what_is_wrong_and_what_a_setting_does(server: Path) -> None:
    schema = (ROOT / SCHEMAS / schema_name(for_version("42"))).as_uri()
    seen = edit(server, "#:schema %s\n%s" % (schema, BAD), 2, 3)
    assert "The time between two cleanups" in json.dumps(seen["hover"])
    messages = {(item["range"]["start"]["line"], item["message"]) for item in seen["diagnostics"]}
    assert (3, "22 is greater than the maximum of 21") in messages
    good = '[cache]\ncleanup-interval = "1h"\n'
    assert edit(server, "#:schema %s\n%s" % (schema, good), 2, 3)["diagnostics"] == []
