# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the measurements come to: bars, tables, and docs/benchmark.md."""

from __future__ import annotations

import re
import statistics
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, NamedTuple

from .engines import WHOLE, WITH_LIBRARY, WITH_PROGRAM, WITHOUT
from .runs import BY_HAND, CHECKED, NOTHING, PROVISION, ROLE, VALIDATED
from .tasks import CANDIDATES, PING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TEMPLATE, PARTS = (Path(__file__).with_name(name) for name in ("benchmark.md", "parts.md"))
WAYS = {"ssh": "SSH", "pipelining": "SSH, pipelining", "local": "local"}
PLAYBOOKS = {ROLE: "role", BY_HAND: "by hand", CHECKED: "by hand, checked"}
FLEETS = (1000, 10000)
CORES = (1, 4, 16)

Record = dict[str, Any]


class Spread(NamedTuple):
    """The middle of some figures, and the quartiles."""

    low: float
    median: float
    high: float

    def text(self, pattern: str = "%.2f", factor: float = 1) -> str:
        """For people: 1.05 (1.03 to 1.06)."""
        low, median, high = (pattern % (value * factor) for value in self)
        return median if low == high else f"{median} ({low} to {high})"


def spread(values: Iterable[float]) -> Spread:
    """Find the median and the quartiles."""
    found = list(values)
    if len(found) == 1:
        return Spread(*found * 3)
    low, median, high = statistics.quantiles(found, n=4, method="inclusive")
    return Spread(low, median, high)


def matching(records: Iterable[Record], **wanted: Any) -> dict[int, Record]:
    """The records that have these values, by their rounds."""
    return {r["round"]: r for r in records if all(r[key] == value for key, value in wanted.items())}


def cell(runs: Iterable[Record], playbook: str, **wanted: Any) -> dict[int, Record]:
    """The runs of a playbook over 30 hosts, if nothing else is wanted, by their rounds."""
    usual = {"hosts": 30, "forks": 10, "pipelining": False, "connected": False, "strategy": "linear", "first": False}
    return matching(runs, playbook=playbook, **{**usual, **wanted})


def ratio(numerators: Mapping[int, Record], denominators: Mapping[int, Record], key: str) -> Spread:
    """The ratio of two things that were measured next to each other, in each round."""
    return spread(
        numerators[number][key] / denominators[number][key] for number in numerators if number in denominators
    )


def middle(records: Mapping[int, Record], key: str) -> float:
    """The median of something over all rounds."""
    return float(statistics.median(record[key] for record in records.values()))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown: the first column is text, the others are numbers."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


# --- Bars ---


class Bar(NamedTuple):
    """What was promised, and what has come of it."""

    name: str
    limit: float
    seconds: Spread
    host_cpu: Spread | None  # not over a local connection
    controller_cpu: Spread

    @property
    def passed(self) -> bool:
        return self.seconds.median <= self.limit


def bars(results: Record) -> list[Bar]:
    """Hold the results against what was promised, with the newest ansible-core."""
    found = []

    def add(name: str, limit: float, numerators: Mapping[int, Record], denominators: Mapping[int, Record]) -> None:
        if not numerators or not denominators:
            return
        seconds, controller = (ratio(numerators, denominators, key) for key in ("seconds", "controller_cpu"))
        on_host = all(record["host_cpu"] for record in denominators.values())
        found.append(
            Bar(name, limit, seconds, ratio(numerators, denominators, "host_cpu") if on_host else None, controller)
        )

    tasks = results["tasks"][-1]["records"]
    unchanged, changed = "cache_config, unchanged", "cache_config, changed"
    for first, second, limit in ((unchanged, PING, 1.05), (changed, PING, 1.08), (unchanged, changed, 1.00)):
        for way, title in WAYS.items():
            pair = (matching(tasks, way=way, task=task) for task in (first, second))
            add(f"`{first}` / `{second}`, {title}", limit, *pair)
    looked = results.get("parts", {}).get("records", [])
    for way, title in WAYS.items():
        pair = (matching(looked, way=way, task=task) for task in (WITH_LIBRARY, PING))
        add(f"`{WITH_LIBRARY}` / `{PING}`, {title}", 1.50, *pair)
    runs = results["runs"]
    for title, kind in ways_of_runs():
        provision, nothing = (cell(runs, name, **kind) for name in (PROVISION, NOTHING))
        add(f"`provision` / `ping` alone, unchanged, {title}", 1.10, provision, nothing)
        role = cell(runs, ROLE, **kind)
        for other, limit in ((BY_HAND, 0.35), (CHECKED, 0.25)):
            name = f"{PLAYBOOKS[ROLE]} / {PLAYBOOKS[other]}, unchanged, {title}"
            add(name, limit, role, cell(runs, other, **kind))
        add(f"{PLAYBOOKS[ROLE]}, unchanged / first run, {title}", 1.00, role, cell(runs, ROLE, **kind, first=True))
    return found


def ways_of_runs() -> Iterable[tuple[str, dict[str, bool]]]:
    """Over new and over open connections, without and with pipelining."""
    for connected in (False, True):
        for pipelining in (False, True):
            title = "30 hosts, " + WAYS["pipelining" if pipelining else "ssh"] + ", connected" * connected
            yield title, {"pipelining": pipelining, "connected": connected}


def floor(runs: Sequence[Record]) -> str:
    """What a playbook with a single task that does nothing comes to, next to those by hand."""
    rows = []
    for title, kind in ways_of_runs():
        nothing = cell(runs, NOTHING, **kind)
        others = (cell(runs, other, **kind) for other in (BY_HAND, CHECKED))
        rows.append((title, *(ratio(nothing, other, "seconds").text("%.3f") for other in others)))
    return table(("`ping` alone", f"/ {PLAYBOOKS[BY_HAND]}", f"/ {PLAYBOOKS[CHECKED]}"), rows)


def bars_table(found: Iterable[Bar]) -> str:
    """The bars for people."""
    rows = [
        (
            one.name,
            one.seconds.text("%.3f"),
            f"{one.limit:.2f}",
            "pass" if one.passed else "**fail**",
            one.host_cpu.text("%.3f") if one.host_cpu else "",
            one.controller_cpu.text("%.3f"),
        )
        for one in found
    ]
    return table(("Ratio", "time", "at most", "", "CPU time, host", "CPU time, controller"), rows)


def summary(results: Record) -> str:
    """What everybody wants to know first."""
    parts = [results["tasks"][-1]["title"], ratios_table(results["tasks"][-1]["records"])]
    parts += ["Unchanged runs", runs_table(results["runs"], first=False), "Bars", bars_table(bars(results))]
    parts += ["Floor", floor(results["runs"])]
    return "\n\n".join(parts)


# --- Tables ---


def ratios_table(records: Sequence[Record], tasks: Iterable[str] = tuple(CANDIDATES)) -> str:
    """Time of each task, as a multiple of ping's."""
    rows = []
    for name in tasks:
        row = [f"`{name}`"]
        for way in WAYS:
            found, ping = (matching(records, way=way, task=task) for task in (name, PING))
            row.append(
                f"{middle(found, 'seconds') * 1000:.0f} ms" if name == PING else ratio(found, ping, "seconds").text()
            )
        rows.append(row)
    return table(("Task", *WAYS.values()), rows)


def costs_table(records: Sequence[Record], memory: Mapping[str, int]) -> str:
    """What each task takes beside time."""
    rows = []
    for name in CANDIDATES:
        ssh, pipelining = (matching(records, way=way, task=name) for way in ("ssh", "pipelining"))
        ping = matching(records, way="pipelining", task=PING)
        rows.append(
            (
                f"`{name}`",
                f"{middle(ssh, 'host_cpu') / 1000:.0f} ms",
                f"{middle(pipelining, 'host_cpu') / 1000:.0f} ms",
                ratio(pipelining, ping, "host_cpu").text(),
                f"{middle(pipelining, 'controller_cpu') / 1000:.0f} ms",
                f"{middle(pipelining, 'sent') / 1000:.0f} + {middle(pipelining, 'received') / 1000:.1f} kB",
                f"{memory[name] / 1024:.1f} MiB" if name in memory else "",
            )
        )
    head = ("Task", "host, SSH", "host, pipelining", "ratio", "controller, pipelining", "sent + received", "memory")
    return table(head, rows)


def runs_table(runs: Sequence[Record], first: bool) -> str:
    """Time of whole runs."""
    keys = ("pipelining", "hosts", "strategy", "forks", "connected")
    rows = []
    places = {tuple(run[key] for key in keys) for run in runs if run["first"] == first}
    for place in sorted(places, key=lambda place: (*place[:2], place[2] == "free", *place[3:])):
        pipelining, hosts, strategy, forks, connected = place
        found = {name: cell(runs, name, **dict(zip(keys, place)), first=first) for name in PLAYBOOKS}
        title = f"{hosts} host{'s' * (hosts > 1)}, {forks} forks"
        row = [title + ", pipelining" * pipelining + ", free" * (strategy == "free") + ", connected" * connected]
        row += [f"{middle(records, 'seconds'):.1f} s" if records else "" for records in found.values()]
        for other in (BY_HAND, CHECKED):
            row.append(ratio(found[ROLE], found[other], "seconds").text() if found[other] else "")
        rows.append(row)
    names = list(PLAYBOOKS.values())
    return table(("", *names, *(f"{names[0]} / {name}" for name in names[1:])), rows)


# --- What it means for more hosts ---


class Share(NamedTuple):
    """What a playbook costs for each host, in CPU seconds, and what it takes until that host is done."""

    start: float  # once for each run
    controller: float
    main: float
    host: float
    wait: float

    @property
    def forks(self) -> float:
        """How many hosts keep one core of the controller busy."""
        return self.wait / self.controller

    def seconds(self, hosts: int, cores: int, slices: int = 1) -> float:
        """How long a run takes, given hosts that are as quick as here, and forks enough."""
        return self.start + max(self.main, self.controller / cores) * hosts / slices


def share(runs: Sequence[Record], playbook: str, pipelining: bool) -> Share:
    """Tell what each further host costs, from unchanged runs over 1 and over 30 hosts."""
    one, many = (cell(runs, playbook, hosts=hosts, pipelining=pipelining) for hosts in (1, 30))

    def each(key: str) -> float:
        return (middle(many, key) - middle(one, key)) / 29

    start = middle(one, "controller_cpu") - each("controller_cpu")
    wait = middle(one, "seconds") - start
    return Share(start, each("controller_cpu"), each("main_cpu"), each("host_cpu"), wait)


def shares_table(shares: Mapping[tuple[str, bool], Share]) -> str:
    """What each host costs."""
    rows = [
        (
            PLAYBOOKS[playbook] + ", pipelining" * pipelining,
            f"{each.controller * 1000:.0f} ms",
            f"{each.main * 1000:.0f} ms",
            f"{each.host * 1000:.0f} ms",
            f"{60 / each.controller:.0f}",
            f"{each.forks:.0f}",
        )
        for (playbook, pipelining), each in shares.items()
    ]
    head = (
        "",
        "controller",
        "of that, main process",
        "host",
        "hosts a minute for a core",
        "forks that keep a core busy",
    )
    return table(head, rows)


def duration(seconds: float) -> str:
    """For people, with two digits that matter."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def fleets_table(shares: Mapping[str, Share]) -> str:
    """How long many hosts take, as far as that can be derived."""
    rows = []
    for hosts in FLEETS:
        for playbook, each in shares.items():
            row = [f"{hosts:,} hosts, {PLAYBOOKS[playbook]}"]
            row += [duration(each.seconds(hosts, cores)) for cores in CORES]
            rows.append([*row, duration(each.seconds(hosts, 4, slices=8))])
    head = ["", *(f"{cores} core{'s' * (cores > 1)}" for cores in CORES), "8 slices of 4 cores"]
    return table(head, rows)


def scale_table(scale: Sequence[Record]) -> str:
    """What each further host costs the controller when nothing is behind the connections."""
    one, *others = scale
    rows = []
    for record in others:
        each = {key: (record[key] - one[key]) / (record["hosts"] - 1) * 1000 for key in ("controller_cpu", "main_cpu")}
        row = [f"{record['hosts']:,} hosts", f"{each['controller_cpu']:.0f} ms", f"{each['main_cpu']:.1f} ms"]
        rows.append([*row, f"{record['memory'] / 1024:.0f} MiB"])
    return table(("", "controller, each host", "of that, main process", "memory"), rows)


def memory_table(records: Sequence[Record]) -> str:
    """The memory of the controller."""
    forks = sorted({record["forks"] for record in records})
    rows = []
    for playbook in dict.fromkeys(record["playbook"] for record in records):
        found = {record["forks"]: record["memory"] for record in records if record["playbook"] == playbook}
        rows.append([PLAYBOOKS[playbook], *(f"{found[number] / 1024:.0f} MiB" for number in forks)])
    return table(("", *(f"{number} forks" for number in forks)), rows)


def parsing_table(records: Iterable[Record]) -> str:
    """The time that it takes to read and judge a config."""
    rows = [(record["document"], f"{record['bytes']:,}", f"{record['seconds'] * 1000:.2f} ms") for record in records]
    return table(("Config", "bytes", "time"), rows)


def files_table(records: Iterable[Record]) -> str:
    """The time that it takes to look into a file."""
    rows = []
    for record in records:
        size = record["bytes"] / 2**20
        speeds = [f"{size / record[key]:.0f} MiB/s" for key in ("seconds", "cpu")]
        rows.append((record["file"], record["found"], f"{size:.0f} MiB", *speeds))
    return table(("File", "Wasmtime", "size", "speed", "by CPU time"), rows)


def parts(results: Record) -> str:
    """The sections on programs and on pruning, which are also measured alone."""
    tasks = (PING, WITHOUT, WITH_LIBRARY, WITH_PROGRAM, WHOLE)
    values = {
        "facts": facts_list(results["facts"]),
        "tasks": ratios_table(results["records"], tasks),
        "files": files_table(results["files"]),
        "pruning": pruning_table(results["pruning"]),
    }
    _comment, template = PARTS.read_text(encoding="utf-8").split("-->\n\n", 1)
    return Template(template).substitute(values).rstrip()


def with_parts(page: str, sections: str) -> str:
    """Return the page with these sections instead of those that it has."""
    return re.sub(r"(?s)^## Reading programs\n.*?(?=^## )", lambda _match: sections + "\n\n", page, flags=re.MULTILINE)


def facts_list(facts: Mapping[str, str]) -> str:
    """What was measured, on what, and when."""
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def pruning_table(records: Iterable[Record]) -> str:
    """The time and the memory that it takes to prune a large cache."""
    rows = [
        (
            record["run"],
            f"{record['entries']:,}",
            f"{record['seconds']:.1f} s",
            f"{record['cpu']:.1f} s",
            f"{record['memory'] / 2**20:.0f} MiB",
        )
        for record in records
    ]
    return table(("Run", "modules", "time", "CPU time", "memory"), rows)


def document(results: Record) -> str:
    """Make docs/benchmark.md."""
    runs = results["runs"]
    newest, oldest = results["tasks"][-1], results["tasks"][0]
    shares = {
        (playbook, pipelining): share(runs, playbook, pipelining)
        for pipelining in (False, True)
        for playbook in PLAYBOOKS
    }
    piped = {playbook: shares[playbook, True] for playbook in PLAYBOOKS}
    role = piped[ROLE]
    few, most = (
        next(r["memory"] for r in results["controller_memory"] if (r["playbook"], r["forks"]) == (ROLE, n))
        for n in (5, 30)
    )
    pulled = {key: statistics.median(record[key] for record in results["pull"]) for key in ("seconds", "cpu", "memory")}
    slow, quick = (
        matching(newest["records"], task="cache_config, unchanged", way=way) for way in ("ssh", "pipelining")
    )
    saved_task = 1 - ratio(quick, slow, "seconds").median
    saved_run = 1 - ratio(cell(runs, ROLE, pipelining=True), cell(runs, ROLE), "seconds").median
    validated = [
        ratio(*(cell(runs, name, hosts=30, pipelining=True) for name in (VALIDATED, ROLE)), key)
        for key in ("seconds", "controller_cpu")
    ]
    free = ratio(cell(runs, BY_HAND, strategy="free"), cell(runs, BY_HAND), "seconds").median
    values = {
        "facts": facts_list(results["facts"]),
        "bars": bars_table(bars(results)),
        "floor": floor(results["runs"]),
        "rounds": str(len(matching(newest["records"], way="ssh", task=PING))),
        "newest": newest["title"],
        "oldest": oldest["title"],
        "tasks": ratios_table(newest["records"]),
        "old_tasks": ratios_table(oldest["records"]),
        "costs": costs_table(newest["records"], results["module_memory"]),
        "unchanged": runs_table(runs, first=False),
        "first": runs_table(runs, first=True),
        "validated": validated[0].text(),
        "validated_cpu": validated[1].text(),
        "controller_memory": memory_table(results["controller_memory"]),
        "parsing": parsing_table(results["parsing"]),
        "parts": parts(results["parts"]),
        "shares": shares_table(shares),
        "scale": scale_table(results["scale"]),
        "fleets": fleets_table(piped),
        "saved_task": f"{saved_task:.0%}",
        "saved_run": f"{saved_run:.0%}",
        "forks": f"{role.forks:.0f}",
        "forks_far": f"{(role.wait + 1) / role.controller:.0f}",
        "fork_memory": f"{(most - few) / 25 / 1024:.0f}",
        "minute": f"{60 / role.controller:.0f}",
        "minute_by_hand": f"{60 / piped[BY_HAND].controller:.0f}",
        "useful_cores": f"{role.controller / role.main:.0f}",
        "main": f"{role.main * 1000:.0f}",
        "free": f"{free:.2f}",
        "pull_seconds": f"{pulled['seconds']:.1f}",
        "pull_cpu": f"{pulled['cpu']:.1f}",
        "pull_memory": f"{pulled['memory'] / 1024:.0f}",
        "pull_ratio": f"{pulled['cpu'] / role.host:.0f}",
        **{f"time_{hosts}": duration(role.seconds(hosts, 4)) for hosts in FLEETS},
        **{f"by_hand_{hosts}": duration(piped[BY_HAND].seconds(hosts, 4)) for hosts in FLEETS},
        "sliced": duration(role.seconds(FLEETS[-1], 4, slices=8)),
    }
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(values)
