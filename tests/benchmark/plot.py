# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plot of the results: docs/benchmark.svg, which has the same bytes for the same results."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

from .report import PLAYBOOKS, cell, matching, middle, ratio
from .tasks import CANDIDATES, PING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

# Stand-ins for colours that depend on what the reader prefers; they are replaced in the text of the plot.
INK, FAINT, *SERIES = (f"#{number:02x}fe01" for number in range(5))
COLOURS = {  # light, dark
    INK: ("#1f2328", "#e6edf3"),
    FAINT: ("#d1d9e0", "#3d444d"),
    SERIES[0]: ("#0969da", "#4493f8"),
    SERIES[1]: ("#bc4c00", "#f0883e"),
    SERIES[2]: ("#8250df", "#ab7df8"),
}
LIMIT = 1.10


def tasks_plot(axes: Axes, records: list[dict[str, Any]]) -> None:
    """Time of tasks as a multiple of ping's, with quartiles."""
    names = [name for name in reversed(CANDIDATES) if name != PING]
    for offset, way, title, colour in (
        (0.15, "ssh", "SSH", SERIES[0]),
        (-0.15, "pipelining", "SSH, pipelining", SERIES[1]),
    ):
        ping = matching(records, way=way, task=PING)
        found = [ratio(matching(records, way=way, task=name), ping, "seconds") for name in names]
        errors = [[f.median - f.low for f in found], [f.high - f.median for f in found]]
        places = [place + offset for place in range(len(names))]
        axes.errorbar([f.median for f in found], places, xerr=errors, fmt="o", color=colour, label=title, markersize=5)
    axes.axvline(LIMIT, color=INK, linewidth=0.8, linestyle="--")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlim(left=0.8)
    axes.set_title("One task: time, ping = 1", loc="left")
    axes.legend(frameon=False)


def runs_plot(axes: Axes, runs: list[dict[str, Any]]) -> None:
    """Time of whole runs over the number of hosts."""
    for (playbook, title), colour, marker in zip(PLAYBOOKS.items(), SERIES, "osD"):
        points = {}
        for hosts in sorted({run["hosts"] for run in runs}):
            found = cell(runs, playbook, hosts=hosts)
            if found:
                points[hosts] = middle(found, "seconds")
        axes.loglog(points.keys(), points.values(), marker=marker, markersize=5, color=colour, label=title)
        axes.set_xticks(list(points), [str(hosts) for hosts in points])
    seconds = [1, 3, 10, 30, 100]
    axes.set_yticks(seconds, [str(number) for number in seconds])
    axes.minorticks_off()
    axes.set_xlabel("hosts")
    axes.set_title("Unchanged run, 10 forks: seconds", loc="left")
    axes.legend(frameon=False)


def plot(results: Mapping[str, Any]) -> str:
    """Draw it."""
    style: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "benchmark",
        "font.family": "sans-serif",
        "axes.spines.top": False,
        "axes.spines.right": False,
        **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK),
        "axes.grid": True,
        "grid.color": FAINT,
        "axes.axisbelow": True,
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=(11, 4.2), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
        tasks_plot(left, results["tasks"][-1]["records"])
        runs_plot(right, results["runs"])
        for axes in (left, right):
            axes.patch.set_visible(False)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = re.sub(r"[ \t]+$", "", drawn.getvalue(), flags=re.MULTILINE)
    rules = ["", ""]
    for number, (stand_in, pair) in enumerate(COLOURS.items()):
        text = text.replace(stand_in, f"var(--c{number})")
        for index, colour in enumerate(pair):
            rules[index] += f" --c{number}: {colour};"
    sheet = f":root {{{rules[0]} }}\n@media (prefers-color-scheme: dark) {{ :root {{{rules[1]} }} }}"
    licence = [line[2:] for line in Path(__file__).read_text(encoding="utf-8").splitlines()[:4]]
    text = text.replace("<!DOCTYPE", "\n".join(["<!--", *licence, "-->", "<!DOCTYPE"]), 1)
    return text.replace("<defs>", f'<style type="text/css">\n{sheet}\n</style>\n <defs>', 1)
