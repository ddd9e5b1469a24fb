# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fault hits the intended call, whatever else a run does: the other tests rely on it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Iterator

import pytest

from ansible_collections.wasmops.wasmtime.tests.faults import strace
from ansible_collections.wasmops.wasmtime.tests.faults.scenes import SCENES
from ansible_collections.wasmops.wasmtime.tests.faults.stages import Stage, side_by_side

if TYPE_CHECKING:
    from ansible_collections.wasmops.wasmtime.tests.faults.runs import Outcome, Run

MADE_UP = r"(?<=tmp)\w{8,}"
SCENE = next(scene for scene in SCENES if scene.name == "change")


@pytest.fixture
def stage(stages: list[Stage]) -> Iterator[Stage]:
    """A stage that knows nothing yet."""
    yield Stage(stages[0].program, stages[0].place)
    stages[0].program.noise = 0


@pytest.fixture
def hit(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines of the calls that faults have hit."""
    found: list[str] = []
    inject = strace.inject

    def watched(run: Run, name: str, nth: int, fault: str) -> tuple[Outcome, str]:
        outcome, log = inject(run, name, nth, fault)
        found.extend(line for line in log.splitlines() if "(INJECTED)" in line)
        return outcome, log

    monkeypatch.setattr(strace, "inject", watched)
    return found


def test_other_calls_of_the_same_name_do_not_lead_astray(stage: Stage, hit: list[str]) -> None:
    def part(stage: Stage, _number: int) -> list[str]:
        calls = [call for call in stage.calls(SCENE) if call.name == "openat"]
        assert calls
        for noise, call in enumerate(calls):
            stage.program.noise = noise % 4
            stage.play(SCENE, call, "error=EIO")
            assert re.sub(MADE_UP, "", hit[-1].partition(" = ")[0]) == re.sub(
                MADE_UP, "", call.line.partition(" = ")[0]
            )
        return []

    side_by_side([stage], part)


def test_of_calls_that_look_the_same_the_one_is_hit_that_is_meant(
    stage: Stage, hit: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers: list[int] = []
    inject = strace.inject

    def watched(run: Run, name: str, nth: int, fault: str) -> tuple[Outcome, str]:
        numbers.append(nth)
        return inject(run, name, nth, fault)

    monkeypatch.setattr(strace, "inject", watched)

    def part(stage: Stage, _number: int) -> list[str]:
        calls = {call.aim: call for call in stage.calls(SCENE)}
        twins = [
            (calls[aim._replace(occurrence=aim.occurrence - 1)], call)
            for aim, call in calls.items()
            if aim.occurrence > 1
        ]
        assert twins
        for first, second in twins[:10]:
            stage.play(SCENE, second._replace(nth=first.nth), "error=EIO")
            assert numbers[-1] == second.nth
            assert len(hit) == len(numbers)
        return []

    side_by_side([stage], part)


def test_a_run_that_is_held_has_come_to_its_gate(stage: Stage) -> None:
    for _number in range(100):
        SCENE.set_up(stage.place)
        run = SCENE.hold(stage.program, stage.place)
        try:
            handles = Path("/proc", str(run.pid), "fd")
            assert [os.readlink(handles / "0")] == [os.devnull]
        finally:
            assert run.end().status == 0
