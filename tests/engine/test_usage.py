# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine confirms the forecast of a cleanup and the figures of cache_usage_info."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ansible_collections.wasmops.wasmtime.tests.engine.engines import VERSIONS
from ansible_collections.wasmops.wasmtime.tests.engine.layouts import Layout, listing, unescaped, without
from ansible_collections.wasmops.wasmtime.tests.engine.live import (
    Process,
    date,
    entries,
    public_place,
    stats,
    until,
    usage,
)
from ansible_collections.wasmops.wasmtime.tests.engine.statements import proves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CASES = 40
# Modules: the one whose compilation starts a cleanup, and the one whose statistics show that it is over.
FIRST, SECOND = 1, 2


def write_config(path: Path, version: str, directory: Path, **settings: str) -> None:
    """A config of this version."""
    lines = ["[cache]", 'directory = "%s"' % directory]
    if int(version.partition(".")[0]) <= 32:
        lines.append("enabled = true")
    lines += ["%s = %s" % (name.replace("_", "-"), value) for name, value in settings.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def place() -> Iterator[Path]:
    with public_place() as path:
        yield path


@pytest.fixture(scope="module", params=VERSIONS)
def engine(request: pytest.FixtureRequest) -> Iterator[Process]:
    """A process of each version, for many caches."""
    with Process(request.param) as process:
        yield process


class Module:
    """A compiled module and its files in a cache."""

    def __init__(self, engine: Process, number: int) -> None:
        with public_place() as scratch:
            write_config(scratch / "config.toml", engine.version, scratch / "cache")
            assert engine.load(path=str(scratch / "config.toml")) is None
            entry = engine.compiled(scratch / "cache", number)
            self.compiler = entry.parent.name
            self.name = entry.name
            self.content = entry.read_bytes()
            self.stats = entry.with_name(entry.name + ".stats").read_bytes()

    def files(self, modules: Path) -> tuple[Path, Path]:
        """Return where the engine puts it and its statistics."""
        entry = modules / self.compiler / self.name
        return entry, entry.with_name(entry.name + ".stats")

    def put(self, modules: Path) -> None:
        """Create its files with the present time."""
        entry, of_entry = self.files(modules)
        entry.parent.mkdir(parents=True, exist_ok=True)
        entry.write_bytes(self.content)
        of_entry.write_bytes(self.stats)


@pytest.fixture(scope="module")
def first(engine: Process) -> Module:
    return Module(engine, FIRST)


@pytest.fixture(scope="module")
def second(engine: Process) -> Module:
    return Module(engine, SECOND)


def clean_up(engine: Process, config: Path, second: Module, directory: Path, wanted: set[str]) -> None:
    """Let the engine clean up once, if it does; check that the expected files are left, and stay."""
    assert engine.load(path=str(config)) is None
    mine = {str(path) for path in (*second.files(directory / "modules"), directory / (".cleanup.wip-%d" % engine.pid))}
    engine.compile(number=FIRST)
    with contextlib.suppress(AssertionError):
        until(lambda: listing(directory.parent) - mine == wanted, "what is left is what is wanted")
    # Events are handled in turn: with this one, the first one is over. The lock of its cleanup keeps off another.
    engine.compile(number=SECOND)
    until(lambda: stats(second.files(directory / "modules")[0]), "the engine works up what was compiled")
    assert listing(directory.parent) - mine == wanted


@proves(
    "The cleanup after that deletes their statistics.",
    "The time until which locks prevent a cleanup",
    "each cleanup deletes all the rest.",
    "Wasmtime also counts what is behind the symbolic links",
)
@proves(
    "as Wasmtime's own cleanup does",
    "by Wasmtime's own rules.",
    "that are not Wasmtime's.",
    "of Wasmtime's own files it deletes",
    "Modules come first, in Wasmtime's order",
    "which show that Wasmtime cleans up or recompresses",
    "Wasmtime ignores and deletes it",
    "Wasmtime treats files without an extension, two levels below",
    "Foreign files, links and directories, which Wasmtime deletes.",
)
@pytest.mark.parametrize("seed", range(CASES))
def test_the_next_cleanup_is_foretold(engine: Process, first: Module, second: Module, place: Path, seed: int) -> None:
    chance = random.Random("%d" % seed)
    layout = Layout(chance, place, first.compiler)
    config = place / "config.toml"
    write_config(config, engine.version, layout.top, **{k: '"%s"' % v for k, v in layout.settings.items()})
    # A cleanup starts when the next module is already there.
    first.put(layout.top / "modules")
    before = listing(place)
    result = usage(path=str(config), wasmtime_version=[engine.version])
    assert listing(place) == before
    for path in first.files(layout.top / "modules"):
        path.unlink()
    cleanup = result["next_cleanup"]
    assert cleanup is not None
    assert len(cleanup["deleted"]) < 100
    wanted = without(before, [unescaped(name) for name in cleanup["deleted"]], layout.top)
    gone = cleanup["entries_deleted"] + cleanup["foreign_deleted"] + cleanup["leftovers_deleted"]
    assert len(before) - len(wanted) == gone
    assert (cleanup["blocked_until"] is not None) == layout.blocked
    if layout.blocked:
        wanted = before
    clean_up(engine, config, second, layout.top, wanted)
    assert result["entries"] == cleanup["entries_deleted"] + cleanup["entries_left"]
    assert result["size"] == cleanup["bytes_deleted"] + cleanup["bytes_left"]


def test_the_cases_have_locks(place: Path) -> None:
    """Chance has made some of either kind."""
    layouts = [Layout(random.Random("%d" % seed), place / str(seed), "wasmtime-1") for seed in range(CASES)]
    assert CASES / 20 < sum(layout.blocked for layout in layouts) < CASES / 2


def put_entries(directory: Path, count: int, size: int) -> list[str]:
    """Modules, each older than the one before; their names."""
    folder = directory / "modules" / "wasmtime-1.2.3"
    folder.mkdir(parents=True)
    names = ["%043d" % number for number in range(count)]
    for number, name in enumerate(names):
        (folder / name).write_bytes(bytes(size))
        date(folder / name, -60 * (number + 1))
    return names


# Five modules of 100 bytes, and before them the first one: limits by number and bytes (beside the first one's), percent
# of each, and how many are left.
LIMITS = {
    "neither": (6, 500, 100, 100, 6),
    "the number": (5, 500, 100, 100, 5),
    "the bytes": (6, 499, 100, 100, 5),
    "the bytes of one": (6, 400, 100, 100, 5),
    "less than the bytes of one": (6, 399, 100, 100, 4),
    "half the number": (5, 500, 50, 100, 2),
    "all of the number": (6, 499, 50, 100, 3),
    "the percentage alone": (6, 500, 0, 0, 6),
    "no percent of the number": (5, 500, 0, 100, 0),
    "no percent of the bytes": (5, 500, 100, 0, 0),
}


@proves("as a cleanup counts them.", "The next cleanup deletes entries, as a limit is exceeded")
@proves("a cleanup leaves %d%% of the limit", "if a cleanup leaves less than the modules")
@pytest.mark.parametrize("case", LIMITS)
def test_limits_are_exact(engine: Process, first: Module, second: Module, place: Path, case: str) -> None:
    count, size, count_percent, size_percent, left = LIMITS[case]
    config, directory = place / "config.toml", place / "cache"
    names = put_entries(directory, 5, 100)
    write_config(
        config,
        engine.version,
        directory,
        file_count_soft_limit='"%d"' % count,
        files_total_size_soft_limit='"%d"' % (len(first.content) + size),
        file_count_limit_percent_if_deleting='"%d%%"' % count_percent,
        files_total_size_limit_percent_if_deleting='"%d%%"' % size_percent,
    )
    (directory / "junk").touch()
    first.put(directory / "modules")
    before = listing(place)
    cleanup = usage(path=str(config), wasmtime_version=[engine.version])["next_cleanup"]
    assert cleanup["limit_exceeded"] == (left < 6)
    assert (cleanup["entries_left"], cleanup["entries_deleted"]) == (left, 6 - left)
    assert cleanup["bytes_left"] == (len(first.content) + 100 * (left - 1) if left else 0)
    gone = ["modules/wasmtime-1.2.3/" + name for name in names[max(left - 1, 0) :]]
    if not left:
        gone.insert(0, "modules/%s/%s" % (first.compiler, first.name))
    assert cleanup["deleted"] == gone + ["junk"]
    for path in first.files(directory / "modules"):
        path.unlink()
    clean_up(engine, config, second, directory, without(before, cleanup["deleted"], directory))


@proves("Wasmtime counts the compilation as the first use.")
def test_usages_and_levels_are_what_the_engine_has_noted(engine: Process, place: Path) -> None:
    config, directory = place / "config.toml", place / "cache"
    settings = {"baseline_compression_level": "5", "optimized_compression_level": "7"}
    write_config(config, engine.version, directory, **settings, optimized_compression_usage_counter_threshold='"3"')
    assert engine.load(path=str(config)) is None
    for number in (FIRST, SECOND):
        engine.compiled(directory, number)
    # A module is recompressed when it is used the third time.
    for _usage in range(2):
        engine.compile(number=FIRST)
    expected = {"usages": 3, "optimized-compression": 7}
    until(lambda: any(stats(entry) == expected for entry in entries(directory)), "it recompresses one")
    until(lambda: not list(directory.glob("modules/*/*.wip-*")), "it is done")
    result = usage(path=str(config), wasmtime_version=[engine.version], verify=True)
    assert result["usages"] == {"total": 4, "least": 1, "most": 3, "unknown": 0}
    assert result["recorded_levels"] == {"5": 1, "7": 1}
    assert [(c["entries"], c["usages"]) for c in result["compilers"]] == [(2, 4)]
    assert result["size"] == result["compilers"][0]["size"] == sum(entries(directory).values())
    assert [lock["name"] for lock in result["locks"]] == [".cleanup.wip-%d" % engine.pid]
    assert result["locks"][0]["stale"] is False
    assert result["foreign"] == {"count": 0, "size": 0, "names": []}
    verified = result["verified"]
    assert (verified["entries"], verified["broken_count"], verified["complete"]) == (2, 0, True)
    assert verified["compressed"] == result["size"] < verified["uncompressed"]


@pytest.mark.parametrize("level", [1, 9, 20])
def test_a_level_makes_of_the_sample_what_the_engine_makes_of_it(engine: Process, place: Path, level: int) -> None:
    sizes = {}
    for baseline in (0, level):
        config, directory = place / ("%d.toml" % baseline), place / str(baseline)
        write_config(
            config,
            engine.version,
            directory,
            baseline_compression_level=str(baseline),
            optimized_compression_level="21",
        )
        assert engine.load(path=str(config)) is None
        for number, size in ((1, 0), (2, 3000), (3, 30_000)):
            engine.compiled(directory, number, size)
        sizes[baseline] = sum(entries(directory).values())
    result = usage(path=str(place / "0.toml"), wasmtime_version=[engine.version], levels=[level])
    assert result["sample"]["entries"] == 3
    (row,) = result["levels"]
    # Each has its own release of zstd.
    assert row["ratio"] == pytest.approx(result["sample"]["size"] / sizes[level], rel=0.02)
    assert row["compress_mb_per_s"] > 0
    assert row["decompress_mb_per_s"] > 0


def cut(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes()[:-1])


def scratch(entry: Path) -> None:
    data = bytearray(entry.read_bytes())
    data[:4] = b"none"
    entry.write_bytes(data)


def empty(entry: Path) -> None:
    entry.write_bytes(b"")


def add(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes() + b"more")


def again(entry: Path) -> None:
    entry.write_bytes(entry.read_bytes() * 2)


@proves("Wasmtime compiles a broken one again.", "Wasmtime compiles such a module again.")
@pytest.mark.parametrize("spoil", [cut, scratch, empty, add, again])
def test_what_is_broken_is_compiled_again(engine: Process, place: Path, spoil: Callable[[Path], None]) -> None:
    config, directory = place / "config.toml", place / "cache"
    write_config(config, engine.version, directory)
    assert engine.load(path=str(config)) is None
    entry = engine.compiled(directory, FIRST)
    good = entry.read_bytes()
    spoil(entry)
    spoiled = entry.read_bytes()
    verified = usage(path=str(config), wasmtime_version=[engine.version], verify=True)["verified"]
    # Two frames are read as one content, by zstd's rules; what they contain is for the engine to see.
    assert verified["broken_count"] == (spoil is not again)
    assert [broken["name"] for broken in verified["broken"]] == (
        [] if spoil is again else [str(entry.relative_to(directory))]
    )
    assert engine.compile(number=FIRST) == FIRST
    if spoil is again:
        assert entry.read_bytes() == spoiled
    else:
        until(lambda: entry.read_bytes() == good, "it is compiled again")
    engine.settle(directory)


# Runs the module with the arguments given, and says how much memory the process has had at its peak.
IN_A_PROCESS = """
import re, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.wasmops.wasmtime.plugins.modules import cache_usage_info
with patch_module_args({"path": sys.argv[1], "time_limit": 600}):
    try:
        cache_usage_info.main()
    except SystemExit:
        print(re.search(r"VmHWM:\\s+([0-9]+) kB", open("/proc/self/status").read())[1])
"""


def test_a_hundred_thousand_modules_take_some_megabytes(place: Path) -> None:
    config, directory = place / "config.toml", place / "cache"
    write_config(config, VERSIONS[-1], directory)
    folder = directory / "modules" / "wasmtime-1.2.3"
    folder.mkdir(parents=True)
    for number in range(100_000):
        source = place / ("%d" % (number // 10_000))
        if number % 10_000 == 0:
            # File systems bound how many names a file may have.
            source.write_bytes(bytes(10_000))
            source.with_suffix(".stats").write_text(
                "usages = %d\noptimized-compression = 3\n" % (number + 1), encoding="ascii"
            )
        name = str(folder / ("%043d" % number))
        os.link(source, name)
        os.link(source.with_suffix(".stats"), name + ".stats")
    process = subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS, str(config)], stdout=subprocess.PIPE, text=True, check=True
    )
    answer, peak = process.stdout.strip().splitlines()
    result = json.loads(answer)
    assert result["complete"] is True
    assert (result["entries"], result["size"]) == (100_000, 10**9)
    assert result["usages"]["unknown"] == 0
    assert result["next_cleanup"]["entries_deleted"] == 100_000 - min(65536 * 70 // 100, 2**29 * 70 // 100 // 10_000)
    assert int(peak) < 70 * 1024
