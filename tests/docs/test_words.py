# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page on troubleshooting has the words of a real Wasmtime, next to the codes that this collection has for them."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import Host
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.config import read_config
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml import Library
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import for_version
from ansible_collections.wasmops.wasmtime.tests.docs.blocks import ROOT
from ansible_collections.wasmops.wasmtime.tests.docs.conftest import wasmtime

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = "32.0.0", "50.0.1"
# Configs for each line of the table: the code of what is wrong with it, and the file, if there is one.
EXAMPLES: list[tuple[str, str, bytes | None]] = [
    ("failed to read config file", "missing", None),
    ("failed to read config file", "not-utf-8", b"\xff"),
    ("missing field `cache`", "cache-missing", b""),
    ("missing field `enabled`", "enabled-missing", b"[cache]\n"),
    ("unknown field `enabled`", "enabled-refused", b"[cache]\nenabled = true\n"),
    ("unknown field", "unknown-key", b'[cache]\nfile_count_soft_limit = "1K"\n'),
    ("unknown field", "not-a-cache-config", b"[codegen]\n"),
    ("invalid type", "wrong-type", b"[cache]\ncleanup-interval = 60\n"),
    ("invalid type", "cache-not-a-table", b"cache = true\n"),
    ("invalid length", "cache-not-a-table", b"cache = []\n"),
    ("invalid value: integer", "overflow", b"[cache]\nbaseline-compression-level = 3000000000\n"),
    ("Invalid value, please refer to the documentation", "invalid-value", b'[cache]\ncleanup-interval = "60"\n'),
    ("Invalid value, please refer to the documentation", "overflow", b'[cache]\nfile-count-soft-limit = "99999P"\n'),
    ("Cache directory path has to be absolute", "directory-relative", b'[cache]\ndirectory = "cache"\n'),
    ("failed to create cache directory", "directory-unusable", b'[cache]\ndirectory = "/dev/null/cache"\n'),
    ("failed to create cache directory", "directory-too-long", b'[cache]\ndirectory = "/%s"\n' % (b"x" * 256)),
    ("failed to create cache directory", "directory-nul", b'[cache]\ndirectory = "/\\u0000"\n'),
    ("Invalid baseline compression level", "out-of-range", b"[cache]\nbaseline-compression-level = 22\n"),
    ("Invalid optimized compression level:", "out-of-range", b"[cache]\noptimized-compression-level = 22\n"),
    (
        "Invalid files count limit percent if deleting",
        "out-of-range",
        b'[cache]\nfile-count-limit-percent-if-deleting = "101%"\n',
    ),
    (
        "Invalid files total size limit percent if deleting",
        "out-of-range",
        b'[cache]\nfiles-total-size-limit-percent-if-deleting = "101%"\n',
    ),
    (
        "Invalid optimized compression level is lower than baseline",
        "optimized-below-baseline",
        b"[cache]\noptimized-compression-level = 2\n",
    ),
    ("failed to parse config file", "toml-syntax", b"[cache\n"),
]
# These are about what is on a host, not in a text.
OF_HOSTS = {"missing", "directory-unusable"}
ASK = "import sys, wasmtime; wasmtime.Config().cache = sys.argv[1]"


def table() -> dict[str, list[str]]:
    """Wasmtime's words and the codes beside them, from the page."""
    text = (ROOT / "docs" / "docsite" / "rst" / "troubleshooting.rst").read_text(encoding="utf-8")
    part = text[text.index("From what Wasmtime says") : text.index("From what happens")]
    rows = re.findall(r"^   \* - ``(.+?)``[^`\n]*\n     - (.+)$", part, re.MULTILINE)
    return {words: re.findall(r":ref:`([a-z0-9-]+)`", codes) for words, codes in rows}


def test_all_of_the_table_is_tried() -> None:
    assert set(table()) == {words for words, _code, _data in EXAMPLES}


@pytest.mark.parametrize(("words", "code", "data"), EXAMPLES)
def test_words(words: str, code: str, data: bytes | None, tmp_path: Path) -> None:
    version = OLD if code == "enabled-missing" else NEW
    assert code in table()[words]

    config = tmp_path / "config.toml"
    if data is not None:
        config.write_bytes(data)
    environment = {"HOME": str(tmp_path), "PYTHONPATH": str(wasmtime(version))}
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(config)], env=environment, stderr=subprocess.PIPE, text=True, check=False
    )
    assert words in done.stderr

    if code not in OF_HOSTS:
        host = Host(lambda: "/home/ann/.cache/wasmtime", 2**34, 1_800_000_000)
        judged = read_config(data or b"", [for_version(version)], host, Library())
        assert [problem.code for problem in judged.problems] == [code]
