# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine accepts the files that cache_config writes, and applies every setting in them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import printable
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import common as _common
from ansible_collections.wasmops.wasmtime.tests.engine.engines import ACCEPT, HOME, VERSIONS, Engine, NotHere
from ansible_collections.wasmops.wasmtime.tests.engine.live import (
    ENDS,
    Process,
    configure,
    date,
    entries,
    public_place,
    stats,
    until,
)
from ansible_collections.wasmops.wasmtime.tests.engine.statements import proves
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.documents import (
    DECOYS,
    KNOWN_TO_ALL,
    TEXTS,
    documents,
    good_values,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# --- The engine accepts the result of every task with every file ---

LATER = tuple(version for version in VERSIONS if int(version.partition(".")[0]) >= 33)
U64_MAX = 2**64 - 1


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, Engine]]:
    """All engines, each locked into a directory of its own."""
    started: dict[str, Engine] = {}
    try:
        for version in VERSIONS:
            started[version] = Engine(version)
    except NotHere as error:
        pytest.skip(str(error))
    else:
        yield started
    finally:
        for engine in started.values():
            engine.close()


def toml_values(key: str) -> st.SearchStrategy[str]:
    """Values in files, C(enabled) included."""
    return st.sampled_from(["true", "true", "false"]) if key == "enabled" else good_values(key)


@st.composite
def option_values(draw: st.DrawFn, option: str) -> Any:
    """A value as a playbook gives it, numbers and texts of all lengths."""
    kind = SETTINGS[option.replace("_", "-")].kind
    if kind.name == "level":
        return draw(st.integers(0, 21))
    if kind.name == "path":
        names = st.lists(
            st.sampled_from(DECOYS) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
        )
        return "/d" + "".join(draw(names))[:60]
    if kind.name == "percent":
        return draw(st.integers(0, 100) | st.sampled_from(TEXTS["percent"]))
    text: st.SearchStrategy[Any] = st.sampled_from(TEXTS[kind.name])
    unit = draw(st.sampled_from(list(kind.units)))
    most = 10**6 if option == "worker_event_queue_size" else U64_MAX // kind.units[unit]
    number = st.integers(0, most)
    if kind.name != "duration":
        text |= number
    return draw(text | number.map(lambda n: "%d%s" % (n, unit)) | number.map(lambda n: " 0%d %s\t" % (n, unit)))


@st.composite
def tasks(draw: st.DrawFn, old: bool) -> dict[str, Any]:
    """The options of a task."""
    names = [SETTINGS[name].option for name in KNOWN_TO_ALL]
    chosen = draw(st.lists(st.sampled_from(names), unique=True, max_size=6))
    options = {name: draw(option_values(name)) for name in chosen}
    unset = draw(st.lists(st.sampled_from(names), unique=True, max_size=2))
    options["unset"] = [name for name in unset if name not in options]
    options["exclusive"] = draw(st.sampled_from([False, False, True]))
    options["force"] = draw(st.booleans())
    if old:
        options["enabled"] = draw(st.sampled_from([None, True, False]))
    return options


@st.composite
def files(draw: st.DrawFn, version: str | None) -> bytes | None:
    """What may be there before: nothing, a config as people leave it behind, or something else."""
    styles = ("header", "dotted", "inline") + (("inline-1.1",) if version == VERSIONS[-1] else ())
    known = (*KNOWN_TO_ALL, "enabled") if draw(st.booleans()) else KNOWN_TO_ALL
    document = documents(styles, toml_values, known).map(lambda d: d.text.encode())
    with_mark = document.map(lambda text: b"\xef\xbb\xbf" + text)
    drawn: bytes | None = draw(st.one_of(document, document, document, with_mark, st.none(), st.binary(max_size=20)))
    return drawn


@proves("Never writes a file that Wasmtime would refuse", "A file that Wasmtime would refuse is never written")
@pytest.mark.parametrize("version", [*VERSIONS, None])
def test_the_engine_takes_what_is_written(
    engines: dict[str, Engine], version: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", HOME)  # as the locked-in engine has it
    # The directories named are the engine's, in its lock; they are not to be looked at here.
    monkeypatch.setattr(_common, "directory_of", lambda _config: None)
    monkeypatch.setattr(_common, "_memory", lambda: 64 * 2**20)
    readers = LATER if version is None else (version,)
    path = tmp_path / "config.toml"
    written = []

    @settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(files(version), tasks(old=version is not None and version not in LATER))
    def check(before: bytes | None, options: dict[str, Any]) -> None:
        path.unlink(missing_ok=True)
        if before is not None:
            path.write_bytes(before)
        outcome = configure(path, wasmtime_version=version, **options)
        if outcome.failed:
            event("refused")
            written.append(False)
            assert "Traceback" not in outcome.result["msg"]
            assert (path.read_bytes() if path.exists() else None) == before
            return
        event("written" if path.read_bytes() != before else "kept")
        written.append(path.read_bytes() != before)
        directory = os.path.normpath(outcome.result["effective"]["directory"])
        for reader in readers:
            answer = engines[reader].ask(path.read_bytes())
            assert (answer.verdict, answer.reason) == (ACCEPT, "")
            # The result has escapes for unprintable characters.
            assert directory in [printable(path) for path in answer.directories or ()]

    check()
    assert sum(written) > len(written) / 3, "most tasks were refused, so this shows little"


# --- The visible effect of each setting ---


@pytest.fixture
def place() -> Iterator[Path]:
    with public_place() as path:
        yield path


class Cache:
    """A config file written by cache_config, with its directory."""

    def __init__(self, place: Path, version: str, **options: Any) -> None:
        self.version = version
        self.path = place / "config.toml"
        self.directory = place / "cache"
        outcome = configure(self.path, wasmtime_version=version, directory=str(self.directory), **options)
        assert not outcome.failed, outcome.result["msg"]
        self.effective = outcome.result["effective"]

    def process(self) -> Process:
        """Return an engine that works with it."""
        process = Process(self.version)
        error = process.load(path=str(self.path))
        assert error is None, error
        return process

    def junk(self) -> Path:
        """Return a file that every cleanup deletes."""
        path = self.directory / "junk"
        path.touch()
        return path

    def cleaned(self) -> bool:
        """Return whether the first compilation of a new process comes with a cleanup."""
        junk = self.junk()
        with self.process() as process:
            process.settle(self.directory)
            return not junk.exists()


def until_stats(entry: Path, usages: int, level: int) -> None:
    """Wait until the engine has noted this."""
    expected = {"usages": usages, "optimized-compression": level}
    until(lambda: stats(entry) == expected, "%r" % expected)


def until_entries(directory: Path, expected: dict[Path, int]) -> None:
    """Wait until these are left."""
    until(lambda: entries(directory) == expected, "%d entries are left" % len(expected))


@proves(
    "keep Wasmtime's defaults.", "is Wasmtime's default.", "Wasmtime then uses their defaults.", "Wasmtime's default:"
)
@pytest.mark.parametrize("version", VERSIONS)
def test_directory_and_defaults(place: Path, version: str) -> None:
    cache = Cache(place, version)
    with cache.process() as process:
        entry = process.compiled(cache.directory, 1)
    assert entry.parts[: len(cache.directory.parts)] == cache.directory.parts
    assert stats(entry) == {"usages": 1, "optimized-compression": cache.effective["baseline_compression_level"]}
    assert sorted(path.name for path in place.iterdir()) == ["cache", "config.toml"]


@proves(
    "A module is compressed at the baseline level when it is compiled",
    "The number of uses after which a cache file is compressed again.",
)
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("baseline", "optimized", "threshold"), [(0, 21, 2), (5, 9, 4)])
def test_levels_and_threshold(place: Path, version: str, baseline: int, optimized: int, threshold: int) -> None:
    cache = Cache(
        place,
        version,
        baseline_compression_level=baseline,
        optimized_compression_level=optimized,
        optimized_compression_usage_counter_threshold=threshold,
    )
    with cache.process() as process:
        entry = process.compiled(cache.directory, 1)
        fresh = entry.read_bytes()
        for usages in range(1, threshold):
            until_stats(entry, usages, baseline)
            process.settle(cache.directory, 1000 * usages)
            assert entry.read_bytes() == fresh, "compressed anew before its time"
            process.compile(number=1)
        until_stats(entry, threshold, optimized)
        assert entry.stat().st_size < len(fresh)


@proves(
    "the next cleanup deletes modules, least recently used first",
    "The number of cache files above which a cleanup deletes some.",
    "file_count_soft_limit) that a cleanup leaves.",
    "they are compiled again, and deleted again",
)
@pytest.mark.parametrize("version", ENDS)
@pytest.mark.parametrize(("limit", "percent"), [(4, 50), (3, 70), ("5", "100 %")])
def test_count_limit_and_percent(place: Path, version: str, limit: object, percent: object) -> None:
    cache = Cache(
        place,
        version,
        cleanup_interval="0s",
        file_count_soft_limit=limit,
        file_count_limit_percent_if_deleting=percent,
    )
    most = cache.effective["file_count_soft_limit"]
    kept = most * cache.effective["file_count_limit_percent_if_deleting"] // 100
    expected: dict[Path, int] = {}
    with cache.process() as process:
        for number in range(3 * most):
            new = process.compiled(cache.directory, number)
            expected[new] = new.stat().st_size
            if len(expected) > most:
                expected = dict(list(expected.items())[-kept:])  # the newest
            until_entries(cache.directory, expected)


@proves(
    "The size of all cache files above which a cleanup deletes some.",
    "files_total_size_soft_limit) that a cleanup leaves.",
)
@pytest.mark.parametrize("version", ENDS)
@pytest.mark.parametrize(("limit", "percent"), [("100K", 50), ("64 Ki", "70%"), (90000, 100)])
def test_size_limit_and_percent(place: Path, version: str, limit: object, percent: object) -> None:
    cache = Cache(
        place,
        version,
        cleanup_interval="0s",
        files_total_size_soft_limit=limit,
        files_total_size_limit_percent_if_deleting=percent,
    )
    most = cache.effective["files_total_size_soft_limit"]
    kept = most * cache.effective["files_total_size_limit_percent_if_deleting"] // 100
    expected: dict[Path, int] = {}
    cleanups = 0
    with cache.process() as process:
        for number in range(16):
            new = process.compiled(cache.directory, number, 12_000)
            expected[new] = new.stat().st_size
            if sum(expected.values()) > most:
                cleanups += 1
                while sum(expected.values()) > kept:
                    del expected[next(iter(expected))]  # the oldest
            until_entries(cache.directory, expected)
    assert cleanups >= 2


@proves("The time between two cleanups.")
@proves("Wasmtime starts one when it adds a module")
@pytest.mark.parametrize("version", ENDS)
@pytest.mark.parametrize(("interval", "cleans"), [("30s", True), ("90 s", False), ("1m", True), ("2m", False)])
def test_cleanup_interval(place: Path, version: str, interval: str, cleans: bool) -> None:
    cache = Cache(place, version, cleanup_interval=interval)
    assert (cache.effective["cleanup_interval"] <= 61) == cleans
    date(cache.directory / ".cleanup.wip-1", -61)
    assert cache.cleaned() == cleans


@proves("How far in the future the time of a lock may be before Wasmtime ignores the lock.")
@pytest.mark.parametrize("version", ENDS)
@pytest.mark.parametrize(("drift", "cleans"), [("500s", True), ("10m", True), ("1h", False)])
def test_allowed_clock_drift(place: Path, version: str, drift: str, cleans: bool) -> None:
    cache = Cache(place, version, allowed_clock_drift_for_files_from_future=drift)
    assert (cache.effective["allowed_clock_drift_for_files_from_future"] < 1000) == cleans
    date(cache.directory / ".cleanup.wip-1", 1000)
    assert cache.cleaned() == cleans


@proves("How long one worker's recompression of a file prevents other workers from recompressing it.")
@pytest.mark.parametrize("version", ENDS)
@pytest.mark.parametrize(("timeout", "compresses"), [("30s", True), ("1m", True), ("90s", False), ("1h", False)])
def test_optimizing_task_timeout(place: Path, version: str, timeout: str, compresses: bool) -> None:
    cache = Cache(
        place,
        version,
        optimizing_compression_task_timeout=timeout,
        optimized_compression_usage_counter_threshold=2,
    )
    assert (cache.effective["optimizing_compression_task_timeout"] <= 61) == compresses
    with cache.process() as process:
        entry = process.compiled(cache.directory, 1)
        process.settle(cache.directory)  # its cleanup is not to meet the lock
        date(entry.with_name(entry.name + ".wip-1"), -61)
        process.compile(number=1)
        until(lambda: stats(entry)["usages"] == 2, "it counts")
        process.settle(cache.directory, 10)
        assert stats(entry)["optimized-compression"] == (20 if compresses else 3)


@proves("The number of events that the cache worker can queue;")
@pytest.mark.parametrize("version", VERSIONS)
def test_queue_size(place: Path, version: str) -> None:
    cache = Cache(place, version, worker_event_queue_size="1M")
    with Process(version) as process:
        before = process.memory()
        assert process.load(path=str(cache.path)) is None
        entry_bytes = (process.memory() - before) / cache.effective["worker_event_queue_size"]
    assert 30 < entry_bytes < 60
