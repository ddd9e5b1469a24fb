# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""After SIGKILL at any moment, everything is in its old or planned state, and the next run completes the rest."""

from __future__ import annotations

import os
import random
import re
import stat
import statistics
from pathlib import Path
from typing import NamedTuple

from ansible_collections.wasmops.wasmtime.tests.faults.scenes import IS_ROOT, SCENES, Scene, Story, picture
from ansible_collections.wasmops.wasmtime.tests.faults.stages import Stage, each_scene, fail_for, ready, side_by_side

KILLS = 1000
FOREVER = 3600.0
# How much of the length of the write phase comes before and after it, and where that is one call only.
MARGIN = 0.25
TICK = 0.0002
SOME = 0.1
RECOGNISABLE = re.compile(r"\.ansible_tmp[0-9a-f]{16}")


def complaints(stage: Stage, story: Story) -> list[str]:
    """Return everything that is wrong after a kill, and after the next run."""
    now = picture(stage.place)
    found = story.wrong(now, exact=True)
    left = story.leftovers(now)
    texts = [entry.content for entry in (story.config(story.before), story.config(story.after)) if entry is not None]
    user = os.geteuid() if story.scene.user is None else story.scene.user
    for name, entry in left.items():
        if not RECOGNISABLE.fullmatch(Path(name).name):
            found.append("left behind without a name that tells what it is: %s: %s" % (name, entry))
        if entry.kind != stat.S_IFDIR or entry.mode & 0o077 or entry.uid != user:
            found.append("left behind for all to see: %s: %s" % (name, entry))
    for name, entry in {**now.entries, **now.backups}.items():
        inside = any(name.startswith("%s/" % above) for above in left)
        part = entry.kind == stat.S_IFREG and any((text or b"").startswith(entry.content or b"") for text in texts)
        if inside and not part and entry.kind != stat.S_IFDIR:
            found.append("left behind, and neither the old config nor the new one: %s: %s" % (name, entry))
    if now not in (story.before, story.after):
        outcome = story.scene.hold(stage.program, stage.place).end()
        if outcome.status != 0:
            return [*found, "the next run fails: %s" % (outcome.disorder or outcome.result["msg"])]
        then = picture(stage.place)
        found += ["the next run adds %s: %s" % item for item in story.leftovers(then).items() if item[0] not in left]
        for name, entry in story.after.entries.items():
            if then.entries.get(name) != entry:
                found.append("the next run leaves %s as it is: %s, not %s" % (name, then.entries.get(name), entry))
    return found


@each_scene
def test_a_kill_before_and_after_every_call_that_changes_something(stages: list[Stage], scene: Scene) -> None:
    ready(scene)

    def part(stage: Stage, number: int) -> list[str]:
        story = stage.story(scene)
        calls = stage.calls(scene)
        moments = [call for call, last in zip(calls, [None, *calls]) if call.changes or (last and last.changes)]
        found = []
        for call in moments[number :: len(stages)]:
            outcome, _now = stage.play(scene, call, "signal=KILL")
            assert outcome.killed, outcome
            found += ["before %s: %s" % (call, words) for words in complaints(stage, story)]
        return [words.replace(str(stage.place.root), "") for words in found]

    fail_for(side_by_side(stages, part), stages[0].place)


class Kill(NamedTuple):
    """The state that a kill has left."""

    scene: str
    moment: float
    """Seconds after the first change; negative for just before it."""
    missed: bool
    """The run was over before."""
    touched: bool
    """Something was there that was not there before."""
    complete: bool
    """All was there."""
    complaints: list[str]


def kill(stage: Stage, story: Story, moment: float) -> Kill:
    """Run a scene, and kill it this number of seconds after its first change."""
    story.scene.set_up(stage.place)
    missed = not story.scene.hold(stage.program, stage.place, life=moment).end().killed
    now = picture(stage.place)
    return Kill(
        story.scene.name,
        moment,
        missed,
        now != story.before,
        story.complete(now),
        complaints(stage, story),
    )


def shoot(stage: Stage, scene: Scene, times: int, chance: random.Random) -> list[Kill]:
    """Kill runs at moments spread evenly over their write phase, and a little before and after it."""
    story = stage.story(scene)
    lengths = []
    for _number in range(5):
        scene.set_up(stage.place)
        lengths.append(scene.hold(stage.program, stage.place, life=FOREVER).end().work)
    length = statistics.median(lengths)
    kills: list[Kill] = []
    while sum(not shot.missed for shot in kills) < times:
        assert len(kills) < 10 * times, "too many runs are over before they are killed"
        kills.append(kill(stage, story, chance.uniform(-MARGIN * length - TICK, (1 + MARGIN) * length + TICK)))
    return kills


def test_a_thousand_kills(stages: list[Stage]) -> None:
    seed = os.environ.get("FAULTS_SEED") or str(random.SystemRandom().getrandbits(32))
    print("FAULTS_SEED=%s" % seed)
    scenes = [scene for scene in SCENES if IS_ROOT or not scene.needs_root]
    each = -(-KILLS // len(scenes))

    def part(stage: Stage, number: int) -> list[Kill]:
        chance = random.Random("%s/%d" % (seed, number))
        return [shot for scene in scenes[number :: len(stages)] for shot in shoot(stage, scene, each, chance)]

    shots = side_by_side(stages, part)
    kills = [shot for shot in shots if not shot.missed]
    untouched = sum(not shot.touched for shot in kills)
    complete = sum(shot.complete for shot in kills)
    found = ["%s: %s" % (shot.scene, complaint) for shot in shots for complaint in shot.complaints]
    counts = "%d kills: %d before anything was written, %d amid, %d when all was written" % (
        len(kills),
        untouched,
        len(kills) - untouched - complete,
        complete,
    )
    print(counts)
    fail_for(sorted(found), stages[0].place)
    assert len(kills) >= KILLS
    assert min(untouched, len(kills) - untouched - complete, complete) >= SOME * len(kills), counts
