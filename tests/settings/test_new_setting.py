# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new setting is one entry in the table: with what is generated from it, all unit tests pass.

The setting is made up and only in a copy of the collection. A Wasmtime that is still to come is the first one that knows
it, so the rules of every version in use are those without it. No unit test is left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config import settings as _settings
from ansible_collections.wasmops.wasmtime.tests.generate import everything

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "ansible_collections.wasmops.wasmtime"
TABLE = str(Path(str(_settings.__file__)).relative_to(ROOT))
NAME = "compaction-interval"
OPTION = "compaction_interval"
SCHEMA = "docs/schemas/wasmtime-cache-from-60.json"
# These have the name as it is in the file; the one before says up to which version it is right.
SCHEMAS = {SCHEMA, SCHEMA + ".license", "docs/schemas/wasmtime-cache-from-49.json"}
# Not the last one, so that the order counts.
NEXT = """\
        Setting(
            "file-count-soft-limit",
"""
ENTRY = """\
        Setting(
            "compaction-interval",
            KINDS["duration"],
            7200,
            "The time between two compactions.",
            since=60,
        ),
"""


def run(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a copy, which is the collection that it finds."""
    environment = {**os.environ, "PYTHONPATH": str(tree.parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *words],
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def run_tests(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run unit tests in a copy."""
    plain = ("pytest", "-q", "-p", "no:cacheprovider", "--import-mode", "importlib", "--rootdir", ".")
    return run(tree, "-m", *plain, *words)


@pytest.fixture(scope="module", name="tree")
def _tree() -> Iterator[Path]:
    """A copy of the collection with the setting, and with all that the generator makes of it."""
    with tempfile.TemporaryDirectory(prefix="wasmtime-setting-") as root:
        Path(root).chmod(0o755)  # for unit tests that become another user
        tree = Path(root, *COLLECTION.split("."))
        ignored = shutil.ignore_patterns(".*", "__pycache__", "output", "build")
        shutil.copytree(ROOT, tree, ignore=ignored, symlinks=True)
        text = (tree / TABLE).read_text(encoding="utf-8")
        assert text.count(NEXT) == 1
        (tree / TABLE).write_text(text.replace(NEXT, ENTRY + NEXT), encoding="utf-8")
        generated = run(tree, "-m", COLLECTION + ".tests.generate", str(tree))
        assert generated.returncode == 0, generated.stdout
        yield tree


def test_all_else_is_generated(tree: Path) -> None:
    files = [path.relative_to(tree) for path in tree.rglob("*") if path.is_file()]
    # A version that knows one setting more has a schema of its own, where there was none.
    changed = {
        str(name)
        for name in files
        if not (ROOT / name).exists() or (tree / name).read_bytes() != (ROOT / name).read_bytes()
    }
    assert TABLE in changed
    assert changed - {TABLE} <= {*everything(), *SCHEMAS}
    assert SCHEMA in changed
    assert NAME in (tree / SCHEMA).read_text(encoding="utf-8")
    for name in changed - {TABLE, *SCHEMAS}:
        assert OPTION in (tree / name).read_text(encoding="utf-8")
    # The reference, the page that comes first, and the role.
    assert {
        "README.md",
        "roles/wasmtime_cache/meta/argument_specs.yml",
        "plugins/plugin_utils/_variables.py",
    } < changed
    assert "plugins/doc_fragments/_settings.py" in changed


def test_each_generated_file_that_is_stale_fails_a_unit_test(tree: Path) -> None:
    test = "tests/unit/plugins/test_one_table.py::test_what_is_generated_is_up_to_date"
    assert run_tests(tree, test).returncode == 0
    for name in everything():
        new = (tree / name).read_bytes()
        old = (ROOT / name).read_bytes() if (ROOT / name).exists() else b"{}"
        if new != old:
            (tree / name).write_bytes(old)
            try:
                done = run_tests(tree, test)
            finally:
                (tree / name).write_bytes(new)
            assert done.returncode == 1
            assert "make generate" in done.stdout
            assert name in done.stdout


def test_the_unit_tests_pass(tree: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    done = run_tests(tree, "--junit-xml=%s" % report, "tests/unit")
    assert done.returncode == 0, done.stdout[-20000:]
    names = [str(case.get("name")) for case in ET.parse(report).iter("testcase")]
    # It was there, and so was a version that knows it.
    assert len([name for name in names if NAME in name]) > 5
    assert [name for name in names if NAME in name and ">=60" in name]
