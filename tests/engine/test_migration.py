# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Migration between versions: the engine accepts the migrated file, and the cache keeps its directory."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import CURRENT
from ansible_collections.wasmops.wasmtime.tests.engine.engines import VERSIONS
from ansible_collections.wasmops.wasmtime.tests.engine.live import Process, configure, look, public_place
from ansible_collections.wasmops.wasmtime.tests.engine.statements import proves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    # The message of an engine about a file, empty if it accepts it; it must contain the expected text.
    Words = Callable[..., str]

OLD = tuple(version for version in VERSIONS if int(version.partition(".")[0]) <= 32)
NEW = tuple(version for version in VERSIONS if version not in OLD)
STYLES = {
    "header": '# ours\r\n[cache] # one\r\n{enabled}directory = "{directory}"\r\ncleanup-interval = "60 m" # kept',
    "dotted": "# ours\ncache.{enabled}cache.directory = '{directory}'\n\ncache.cleanup-interval = \"60m\"\n",
    "inline": 'cache = {{ {enabled}directory = "{directory}", cleanup-interval = "60m" }} # ours\n',
}
ENDS_OF_LINE = {"header": "\r\n", "dotted": "\n", "inline": ", "}


@pytest.fixture
def place() -> Iterator[Path]:
    with public_place() as path:
        yield path


@pytest.fixture(scope="module")
def processes() -> Iterator[dict[str, Process]]:
    with contextlib.ExitStack() as stack:
        yield {version: stack.enter_context(Process(version)) for version in VERSIONS}


@pytest.fixture
def words(processes: dict[str, Process]) -> Words:
    def say(version: str, path: Path, expected: str = "") -> str:
        said = processes[version].load(path=str(path)) or ""
        assert expected in said
        return said

    return say


def text(style: str, directory: Path, enabled: str) -> bytes:
    line = "enabled = %s%s" % (enabled, ENDS_OF_LINE[style]) if enabled else ""
    made = STYLES[style].format(enabled=line, directory=directory)
    if style == "dotted" and not enabled:
        made = made.replace("cache.cache.", "cache.", 1)
    return made.encode()


@proves("the file must change when the engine does.")
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("old", OLD)
@pytest.mark.parametrize("new", NEW)
def test_there_and_back(place: Path, words: Words, old: str, new: str, style: str) -> None:
    path = place / "config.toml"
    path.write_bytes(text(style, place / "cache", "true"))
    assert not words(old, path)
    words(new, path, "unknown field `enabled`")
    assert look(path=str(path), wasmtime_version=new).codes["enabled-refused"] == "error"
    assert look(path=str(path), wasmtime_version=new).result["accepted_by"] == ["<=32"]

    there = configure(path, wasmtime_version=new)
    assert (there.failed, there.result["changed"]) == (False, True)
    assert there.result["removed"] == ["enabled"]
    assert there.result["changed_settings"] == {"enabled": {"before": True, "after": None}}
    assert path.read_bytes() == text(style, place / "cache", "")
    assert not words(new, path)
    words(old, path, "missing field `enabled`")
    assert not configure(path, wasmtime_version=new).result["changed"]

    assert look(path=str(path), wasmtime_version=old).codes["enabled-missing"] == "error"
    back = configure(path, wasmtime_version=old)
    assert (back.failed, back.result["changed"]) == (False, True)
    assert back.result["removed"] == []
    assert back.result["changed_settings"] == {"enabled": {"before": None, "after": True}}
    assert not words(old, path)
    words(new, path, "unknown field `enabled`")
    assert back.result["effective"] == there.result["effective"]


@pytest.mark.parametrize("old", OLD)
@pytest.mark.parametrize("new", [*NEW, None])
def test_a_cache_switched_off_is_not_switched_on(place: Path, words: Words, old: str, new: str | None) -> None:
    path = place / "config.toml"
    before = text("header", place / "cache", "false")
    path.write_bytes(before)
    assert not words(old, path)
    outcome = configure(path, wasmtime_version=new, cleanup_interval="2h")
    assert outcome.failed
    assert outcome.codes == {"enabled-refused": "error"}
    assert "switch the cache off in the program" in outcome.result["msg"]
    assert path.read_bytes() == before
    # With the rules of its own version it stays switched off.
    assert not configure(path, wasmtime_version=old, cleanup_interval="2h").failed
    assert b"enabled = false" in path.read_bytes()
    assert not words(old, path)


def test_one_file_for_all_later_versions_and_none_for_older_ones(place: Path, words: Words) -> None:
    path = place / "config.toml"
    assert not configure(path, directory=str(place / "cache"), cleanup_interval="2h").failed
    for version in NEW:
        assert not words(version, path)
    for version in OLD:
        words(version, path, "missing field `enabled`")
    assert look(path=str(path)).result["accepted_by"] == [dialect.name for dialect in CURRENT]
