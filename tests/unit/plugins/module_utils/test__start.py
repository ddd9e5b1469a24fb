# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules come to a host as a zip of sources, and each of their files is compiled once there."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils import _start

MODULES = sorted((Path(_start.__file__).parents[1] / "modules").glob("*.py"))
LOOK = """
import collections, json, sys
compiled = collections.Counter()
def look(event, details):
    if event == "compile" and isinstance(details[1], str):
        compiled[details[1].rpartition("/")[2]] += 1
sys.addaudithook(look)
sys.path.insert(0, sys.argv[1])
from package import _start
before = len(sys.meta_path)
_start.speed_up_imports()
added = len(sys.meta_path) - before
from package import ours
from package.inner import part
from package.inner.deeper.part import VALUE as deepest
from other import theirs
try:
    from package import missing
except ImportError:
    missing = None
try:
    import package.inner.missing as missing
except ImportError:
    pass
_start.all_imported()
import gc
print(json.dumps({
    "compiled": compiled, "added": added, "missing": missing, "file": ours.__file__, "value": ours.VALUE,
    "part": part.__file__, "paths": list(sys.modules["package.inner"].__path__), "deepest": deepest,
    "code": ours.function.__code__.co_filename, "frozen": gc.get_freeze_count() > 0, "enabled": gc.isenabled(),
}))
"""


def look(path: Path) -> dict[str, Any]:
    """What a new Python tells that finds the packages in this place."""
    out = subprocess.run([sys.executable, "-B", "-c", LOOK, str(path)], stdout=subprocess.PIPE, check=True).stdout
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "package/__init__.py": "",
        "package/_start.py": Path(_start.__file__).read_text(encoding="utf-8"),
        "package/ours.py": "VALUE = 42\ndef function(): pass\n",
        "package/inner/__init__.py": "",
        "package/inner/part.py": "from .. import ours\nfrom . import other\n",
        "package/inner/other.py": "",
        "package/inner/deeper/__init__.py": "",
        "package/inner/deeper/part.py": "from ..part import ours\nVALUE = ours.VALUE\n",
        "other/__init__.py": "",
        "other/theirs.py": "",
    }
    for name, text in files.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "folder"


def test_each_file_in_the_zip_is_compiled_once(folder: Path) -> None:
    place = folder.with_suffix(".zip")
    with zipfile.ZipFile(str(place), "w") as archive:
        for path in folder.rglob("*.py"):
            archive.write(str(path), str(path.relative_to(folder)))
    found = look(place)
    # Those that Ansible adds for packages without one are empty; part.py is there twice.
    assert found["compiled"]["ours.py"] == found["compiled"]["other.py"] == 1
    assert found["compiled"]["part.py"] == 2
    assert found["part"] == str(place / "package" / "inner" / "part.py")
    assert found["paths"] == [str(place / "package" / "inner")]
    assert found["deepest"] == 42
    assert found["file"] == found["code"] == str(place / "package" / "ours.py")
    assert found["value"] == 42
    assert found["missing"] is None
    assert found["added"] == 1
    assert not found["enabled"]
    assert found["frozen"]


def test_who_imports_the_files_from_a_folder_is_left_alone(folder: Path) -> None:
    found = look(folder)
    assert found["file"] == str(folder / "package" / "ours.py")
    assert found["part"] == str(folder / "package" / "inner" / "part.py")
    assert found["deepest"] == 42
    assert found["added"] == 0
    assert found["enabled"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_module_starts_so(path: Path) -> None:
    """Before any other file of the collection is imported."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    ours = [
        index
        for index, node in enumerate(body)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("ansible_collections.")
    ]
    first = body[ours[0]]
    assert isinstance(first, ast.ImportFrom)
    assert first.module == _start.__name__
    assert ast.dump(body[ours[0] + 1]) == ast.dump(ast.parse("speed_up_imports()").body[0])
    last = body[-1]
    assert isinstance(last, ast.If)
    assert ast.dump(last.body[0]) == ast.dump(ast.parse("all_imported()").body[0])
