# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running engines are not disturbed when cache_prune removes their modules, and have nothing left to clean up."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.wasmops.wasmtime.tests.engine.engines import VERSIONS
from ansible_collections.wasmops.wasmtime.tests.engine.layouts import Layout, listing
from ansible_collections.wasmops.wasmtime.tests.engine.live import (
    Process,
    entries,
    prune,
    public_place,
    stats,
    until,
)
from ansible_collections.wasmops.wasmtime.tests.engine.statements import proves
from ansible_collections.wasmops.wasmtime.tests.engine.test_usage import Module, write_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CASES = 40
FIRST, SECOND = 1, 2
SECONDS = 30.0
MODULES = 12
RELOADED = 50  # compilations, before the engine's config is loaded anew and it cleans up once more
# So many modules at least are compiled or loaded by each engine, however busy the machine is, and so often is pruned.
LEAST = 100


@pytest.fixture
def place() -> Iterator[Path]:
    with public_place() as path:
        yield path


def run(version: str, config: Path, loads: dict[str, int], over: threading.Event, wrong: list[str]) -> None:
    """Compile modules, or load them from the cache, until the time is over; report errors."""
    chance = random.Random(version)
    try:
        with Process(version) as process:
            for count in itertools.count():
                if over.is_set() and count >= LEAST:
                    break
                if count % RELOADED == 0:
                    assert process.load(path=str(config)) is None
                number = chance.randrange(MODULES)
                answer = process.compile(number=number, size=number * 1000)
                if answer != number:
                    wrong.append("%s: module %d gives %s" % (version, number, answer))
                loads[version] = count + 1
    except BaseException as error:
        wrong.append("%s: %r" % (version, error))


@proves(
    "If they need a removed module, Wasmtime compiles it again.",
    "A running engine that misses a module compiles it again.",
)
def test_engines_of_six_versions_notice_nothing(place: Path) -> None:
    directory = place / "cache"
    settings = {
        "cleanup_interval": '"0s"',
        "file_count_soft_limit": '"40"',
        "optimized_compression_usage_counter_threshold": '"3"',
        "optimizing_compression_task_timeout": '"1s"',
    }
    configs = {}
    for version in VERSIONS:
        configs[version] = place / (version + ".toml")
        write_config(configs[version], version, directory, **settings)
    over = threading.Event()
    wrong: list[str] = []
    loads: dict[str, int] = {}
    threads = [
        threading.Thread(target=run, args=(version, configs[version], loads, over, wrong)) for version in VERSIONS
    ]
    for thread in threads:
        thread.start()
    kinds: list[dict[str, Any]] = [
        {"remove": ["all"]},
        {"remove": ["over_limits", "stale_locks", "foreign"]},
        {"remove": ["broken", "untrusted"]},
        {"remove": [], "unused_for": "1s"},
    ]
    until(lambda: wrong or len(loads) == len(VERSIONS), "all engines run")
    end = time.monotonic() + SECONDS
    removed = pruned = 0
    broken: list[str] = []
    try:
        for number in itertools.count():
            if time.monotonic() > end and number >= LEAST:
                break
            result = prune(
                path=str(configs[VERSIONS[-1]]),
                wasmtime_version=[VERSIONS[-1]],
                memory_limit="1Gi",
                **kinds[number % len(kinds)],
            )
            removed += sum(figures["entries"] for figures in result["removed"].values())
            broken += result["removed"].get("broken", {}).get("names", [])
            pruned += 1
    finally:
        over.set()
        for thread in threads:
            thread.join()
    print("%d prunes removed %d modules under %s" % (pruned, removed, loads))
    assert wrong == []
    # The engines never leave one half written.
    assert broken == []
    assert removed > len(VERSIONS)
    assert sorted(loads) == sorted(VERSIONS)


@proves("has enabled = false, so that Wasmtime never cleans up")
@pytest.mark.parametrize("version", VERSIONS[:2])
def test_a_cache_that_is_switched_off_is_never_cleaned_up(place: Path, version: str) -> None:
    config, directory = place / "config.toml", place / "cache"
    config.write_text('[cache]\nenabled = false\ndirectory = "%s"\ncleanup-interval = "0s"\n' % directory)
    directory.mkdir()
    (directory / "junk").touch()
    with Process(version) as process:
        assert process.load(path=str(config)) is None
        assert process.compile(number=FIRST) == FIRST
        assert process.compile(number=SECOND) == SECOND
    assert os.listdir(directory) == ["junk"]  # noqa: PTH208


@pytest.fixture(scope="module", params=VERSIONS)
def engine(request: pytest.FixtureRequest) -> Iterator[Process]:
    """A process of each version, for many caches."""
    with Process(request.param) as process:
        yield process


@pytest.fixture(scope="module")
def first(engine: Process) -> Module:
    return Module(engine, FIRST)


@pytest.fixture(scope="module")
def second(engine: Process) -> Module:
    return Module(engine, SECOND)


@proves(
    "temporary files and statistics without a module that Wasmtime ignores.",
    "that Wasmtime's next cleanup would delete",
)
@pytest.mark.parametrize("seed", range(CASES))
def test_the_next_cleanup_deletes_nothing(
    engine: Process, first: Module, second: Module, place: Path, seed: int
) -> None:
    layout = Layout(random.Random("%d" % seed), place, first.compiler)
    config = place / "config.toml"
    write_config(config, engine.version, layout.top, **{k: '"%s"' % v for k, v in layout.settings.items()})
    # The cleanup starts when the first module is there, and maybe the second one.
    for module in (first, second):
        module.put(layout.top / "modules")
    common = {"path": str(config), "wasmtime_version": [engine.version]}
    before = listing(layout.elsewhere)
    result = prune(remove=["foreign", "over_limits", "stale_locks"], **common)
    assert result["notes"] == []
    assert listing(layout.elsewhere) == before
    for path in [*first.files(layout.top / "modules"), *second.files(layout.top / "modules")]:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
    left = listing(place)
    assert engine.load(path=str(config)) is None
    engine.compile(number=FIRST)
    # Events are handled in turn: with this one, the first one and its cleanup are over.
    engine.compile(number=SECOND)
    until(lambda: stats(second.files(layout.top / "modules")[0]), "the engine works up what was compiled")
    assert left - listing(place) == set()
    assert layout.blocked or (layout.top / (".cleanup.wip-%d" % engine.pid)).exists()


@pytest.mark.parametrize("version", VERSIONS)
def test_an_engine_goes_on_in_an_empty_directory(place: Path, version: str) -> None:
    """It creates what it needs again, even if it was started before."""
    config, directory = place / "config.toml", place / "cache"
    write_config(config, version, directory)
    with Process(version) as process:
        assert process.load(path=str(config)) is None
        entry = process.compiled(directory, FIRST)
        assert prune(path=str(config), wasmtime_version=[version], remove=["all"])["left"]["entries"] == 0
        assert os.listdir(directory) == []  # noqa: PTH208
        assert process.compile(number=FIRST) == FIRST
        assert list(entries(directory)) == [entry]
