# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what tasks and whole runs cost, over real SSH, and write docs/benchmark.md.

    make benchmark                  # everything
    make benchmark ARGS=--quick     # only what was promised, and no documents
    make benchmark ARGS=--parts     # only what it costs to look into programs and to prune, and their sections
    make benchmark ARGS=--report    # the documents once more, from what was measured last

The nox session "benchmark" says in the environment variable BENCHMARK what there is to work with.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import re
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ansible_collections.wasmops.wasmtime.tests.engine.engines import NotHere
from ansible_collections.wasmops.wasmtime.tests.fleet.lab import RELEASES, Lab, LabError, Spec

from . import engines, parsing, plot, pruning, report, runs, tasks
from .controller import BenchmarkError, Site, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ansible_collections.wasmops.wasmtime.tests.fleet.lab import Host

# A machine that does this much beside the benchmark spoils it.
BUSY = 0.05


class Given(NamedTuple):
    """What the nox session has prepared."""

    root: str  # the checkout
    cores: dict[str, str]  # ansible-cores, the oldest first, and the folders with their programs
    general: str  # folder of collections with community.general
    pulled: str  # an ansible-core for hosts of RELEASE


# Debian's stable release for nearly all, the oldest for the old ansible-core.
RELEASE, OLD_RELEASE = "trixie", "bullseye"


def title_of(core: str, release: str) -> str:
    """For people."""
    return f"ansible-core {core}, Python {RELEASES[release].python} on the host"


def busy() -> float:
    """Tell how much of this machine is in use, from 0 to 1, by looking at it for a while."""

    def look() -> tuple[int, int]:
        times = list(map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]))
        return sum(times), times[3] + times[4]  # idle, and waiting for disks

    before = look()
    time.sleep(3)
    total, idle = (after - earlier for after, earlier in zip(look(), before))
    return 1 - idle / total


def facts(given: Given, used: float) -> dict[str, str]:
    """What is measured, on what, and when."""
    model = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    manifest = Path(given.general, "ansible_collections", "community", "general", "MANIFEST.json")
    general = json.loads(manifest.read_text())["collection_info"]["version"]
    cores = []
    for programs in given.cores.values():
        (metadata,) = Path(programs).parent.glob("lib/python3.*/site-packages/ansible_core-*.dist-info")
        cores.append(f"{metadata.stem.split('-', 1)[1]} on Python {metadata.parent.parent.name[6:]}")
    machine = f"{os.cpu_count()} cores ({model[1] if model else platform.machine()}), {memory:.0f} GiB"
    python, old_python = (RELEASES[release].python for release in (RELEASE, OLD_RELEASE))
    return {
        "Date": dt.datetime.now(dt.timezone.utc).date().isoformat(),
        "Machine": f"{machine}; {used:.0%} in use before the start",
        "ansible-core": " and ".join(reversed(cores)),
        "Hosts": f"Debian {RELEASE}, Python {python}; for the older ansible-core {OLD_RELEASE}, Python {old_python}",
        "Local connection": f"Python {platform.python_version()}",
        "community.general": general,
    }


class Progress:
    """Says what is being done, and for how long everything has been going on."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def __call__(self, text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        print(f"{minutes:3}:{seconds:02}  {text}", flush=True)


def measure(given: Given, quick: bool, folder: Path, results: dict[str, Any]) -> None:
    """Measure everything, or quickly what was promised, and add it to C(results)."""
    tell = Progress()
    used = busy()
    if used > BUSY:
        tell(f"this machine has other things to do: {used:.0%} of it is in use")
    results.update(facts=facts(given, used), tasks=[])
    newest = list(given.cores.values())[-1]
    with counted() as groups, Lab() as lab:
        site = Site(lab, groups, folder, [Path(given.general)])

        def start(release: str, number: int) -> list[Host]:
            hosts = lab.start_all([Spec(release)] * number)
            site.watch(hosts)
            return hosts

        for core, programs in given.cores.items():
            if quick and programs != newest:
                continue
            release, rounds = (RELEASE, 8 if quick else 25) if programs == newest else (OLD_RELEASE, 10)
            title = title_of(core, release)
            tell(f"single tasks: {title}")
            (host,) = start(release, 1)
            results["tasks"].append(
                {"title": title, "records": tasks.measure(site, programs, host, rounds, tasks.CANDIDATES)}
            )
            if not quick and programs == newest:
                results["module_memory"] = tasks.memory(site, programs, host)
            site.hang_up()
            host.stop()
        hosts: list[Host] = []
        inventories: dict[int, Path] = {}
        cells = runs.QUICK if quick else runs.CELLS
        for number in sorted({1, *(cell.hosts for cell in cells)}):
            hosts += start(RELEASE, number - len(hosts))
            inventories[number] = lab.inventory(name=f"fleet-{number}")
        results["runs"] = runs.measure(site, newest, hosts, inventories, cells, tell)
        if quick:
            return
        tell("memory of the controller")
        results["controller_memory"] = runs.memory(site, newest, inventories[30], (runs.ROLE, runs.BY_HAND))
        tell("a controller by itself")
        results["scale"] = runs.scale(site, newest, (1, 100, 1000))
        tell("hosts that provision themselves")
        results["pull"] = runs.pull(site, hosts[0], Path(given.pulled), rounds=5)
    tell("reading and judging")
    results["parsing"] = parsing.measure()
    results["parts"] = measure_parts(given, folder, tell)
    tell("done")


def measure_parts(given: Given, folder: Path, tell: Callable[[str], None]) -> dict[str, Any]:
    """Measure what it costs to find out which Wasmtime is in a program, and to prune a large cache."""
    tell("looking into programs")
    used = busy()
    newest = list(given.cores.values())[-1]
    with counted() as groups, Lab() as lab:
        site = Site(lab, groups, folder, [Path(given.general)])
        (host,) = lab.start_all([Spec(RELEASE)])
        site.watch([host])
        records = tasks.measure(site, newest, host, 15, engines.candidates())
    files = engines.files()
    tell("pruning a large cache")
    pruned = pruning.measure(str(Path(newest, "python")))
    return {"facts": facts(given, used), "records": records, "files": files, "pruning": pruned}


def main(argv: Sequence[str]) -> int:
    """Measure, and tell."""
    parser = argparse.ArgumentParser(
        prog="make benchmark ARGS=...", description="Measure what tasks and whole runs cost."
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--quick", action="store_true", help="measure what was promised, in some minutes, and write nothing"
    )
    what.add_argument(
        "--parts", action="store_true", help="measure programs and pruning alone, and write their sections anew"
    )
    what.add_argument("--report", action="store_true", help="write the documents from what was measured last")
    arguments = parser.parse_args(argv)
    # Whatever ends this shall leave nothing behind.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    given = Given(**json.loads(os.environ["BENCHMARK"]))
    root = Path(given.root)
    kept = root / "tests" / "output" / "benchmark" / "results.json"
    page = root / "docs" / "benchmark.md"
    if arguments.report:
        if not kept.exists():
            parser.error("nothing has been measured yet")
        results = json.loads(kept.read_text())
        if "parts" not in results:
            parser.error("the last measurement has not come to its end")
    else:
        results = {}
        with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
            try:
                if arguments.parts:
                    parts = report.parts(measure_parts(given, Path(folder), Progress()))
                    page.write_text(report.with_parts(page.read_text(encoding="utf-8"), parts), encoding="utf-8")
                    print(parts)
                    return 0
                measure(given, arguments.quick, Path(folder), results)
            except (BenchmarkError, LabError, NotHere) as error:
                print(error, file=sys.stderr)
                return 1
            finally:
                # An hour of work outlasts a mistake in its last minute.
                if results and not arguments.quick:
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    kept.write_text(json.dumps(results))
    if not arguments.quick:
        page.write_text(report.document(results), encoding="utf-8")
        (root / "docs" / "benchmark.svg").write_text(plot.plot(results), encoding="utf-8")
    print(report.summary(results))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
