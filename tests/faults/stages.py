# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run scenes, two at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Sequence, TypeVar

import pytest

from ansible_collections.wasmops.wasmtime.tests.faults import strace
from ansible_collections.wasmops.wasmtime.tests.faults.scenes import (
    IS_ROOT,
    SCENES,
    Picture,
    Place,
    Scene,
    Story,
    picture,
    tell,
)

if TYPE_CHECKING:
    from ansible_collections.wasmops.wasmtime.tests.faults.runs import Outcome, Program
    from ansible_collections.wasmops.wasmtime.tests.faults.strace import Aim, Call

T = TypeVar("T")
# How often a run may make other calls than the one before it.
ATTEMPTS = 10

each_scene = pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)


class OutOfStep(Exception):
    """A run has not made the same calls as the one before."""


class Stage:
    """A program, a place for it, and the stories of the scenes that have run there."""

    def __init__(self, program: Program, place: Place) -> None:
        self.program = program
        self.place = place
        self._stories: dict[str, Story] = {}
        self._calls: dict[str, list[Call]] = {}

    def story(self, scene: Scene) -> Story:
        """Return the story of a scene."""
        if scene.name not in self._stories:
            self._stories[scene.name] = tell(self.program, self.place, scene)
        return self._stories[scene.name]

    def _all_calls(self, scene: Scene) -> list[Call]:
        if scene.name not in self._calls:
            traces: list[list[Call]] = []
            shapes: list[list[Aim]] = []
            while not (len(traces) > 1 and shapes[-1] == shapes[-2]):
                if len(traces) == ATTEMPTS:
                    raise OutOfStep("%s: it makes other calls every time" % scene.name)
                scene.set_up(self.place)
                outcome, log = strace.watch(scene.hold(self.program, self.place))
                assert outcome.status == 0, outcome
                assert picture(self.place).entries == self.story(scene).after.entries
                calls = strace.parse(log, self._plain(scene))
                traces.append([call for call in calls if strace.concerns(call, self.place.root)])
                shapes.append([call.aim for call in traces[-1]])
            self._calls[scene.name] = traces[-1]
        return self._calls[scene.name]

    def calls(self, scene: Scene) -> list[Call]:
        """Return the calls of a scene that concern the tree. Raises NotHere, OutOfStep."""
        return [call for call in self._all_calls(scene) if strace.concerns(call, self.place.tree)]

    def writes(self, scene: Scene) -> list[Call]:
        """Return the calls of a scene that put data into files, wherever."""
        return [call for call in self._all_calls(scene) if call.name in strace.WRITING]

    def play(self, scene: Scene, call: Call, fault: str, limit: int | None = None) -> tuple[Outcome, Picture]:
        """Run a scene with a fault in the call with this aim; return the outcome.

        strace can only count, and runs may differ by a call. If the fault hits another call, the
        number of the right one is determined, and the scene runs again. Raises OutOfStep.
        """
        nth: int | None = call.nth
        for _attempt in range(ATTEMPTS):
            if nth is None:
                break
            scene.set_up(self.place)
            outcome, log = strace.inject(scene.hold(self.program, self.place, limit), call.name, nth, fault)
            hit = self._number(scene, log, nth)
            if hit is not None and hit.aim == call.aim:
                assert not fault.startswith("error=") or "(INJECTED)" in hit.line, hit.line
                return outcome, picture(self.place)
            scene.set_up(self.place)
            _outcome, log = strace.watch(scene.hold(self.program, self.place, limit), "-e", "trace=%s" % call.name)
            calls = strace.parse(log, self._plain(scene))
            nth = next((made.nth for made in calls if made.aim == call.aim), None)
        raise OutOfStep("%s: a call that was there is not there any more: %s" % (scene.name, call.line))

    def _number(self, scene: Scene, log: str, nth: int) -> Call | None:
        """Return the nth call in a log of calls with one name."""
        return next((made for made in strace.parse(log, self._plain(scene)) if made.nth == nth), None)

    def _plain(self, scene: Scene) -> Callable[[str], str]:
        """Return a function that takes the names from a path that no run but this one makes up."""
        story = self.story(scene)
        known = {self.place.root, *(self.place.tree / name for name in {**story.before.entries, **story.after.entries})}

        def plain(text: str) -> str:
            path, made_up = Path(text), 0
            while self.place.root in path.parents and path not in known:
                path, made_up = path.parent, made_up + 1
            return "%s%s" % (path, "/?" * made_up)

        return plain


def ready(scene: Scene) -> None:
    """Skip the test of a scene that cannot be played."""
    if scene.needs_root and not IS_ROOT:
        pytest.skip("not run here, because it needs root")


def side_by_side(stages: Sequence[Stage], work: Callable[[Stage, int], list[T]]) -> list[T]:
    """Share work: each stage gets its number, and does its part. Skip the test if nothing can be traced."""
    with ThreadPoolExecutor(len(stages)) as threads:
        parts = [threads.submit(work, stage, number) for number, stage in enumerate(stages)]
        try:
            return [item for part in parts for item in part.result()]
        except strace.NotHere as reason:
            pytest.skip("not run here, because %s" % reason)


def fail_for(found: Sequence[str], place: Place) -> None:
    """Fail with these complaints, if there are any."""
    if found:
        lines = "\n".join(found).replace(str(place.root), "")
        pytest.fail("%d times:\n%s" % (len(found), lines), pytrace=False)
