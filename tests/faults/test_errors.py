# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every system call of the write path fails once: the old bytes stay, and one sentence says what is wrong."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Callable, Sequence

import pytest

from ansible_collections.wasmops.wasmtime.tests.faults.scenes import SCENES, Scene, Story, picture
from ansible_collections.wasmops.wasmtime.tests.faults.stages import Stage, each_scene, fail_for, ready, side_by_side

if TYPE_CHECKING:
    from ansible_collections.wasmops.wasmtime.tests.faults.runs import Outcome
    from ansible_collections.wasmops.wasmtime.tests.faults.scenes import Picture
    from ansible_collections.wasmops.wasmtime.tests.faults.strace import Call

ERRORS = ("ENOSPC", "EIO", "EPERM", "EROFS")
# Each call gets one of these, the next the next.
OTHER_ERRORS = ("EDQUOT", "EACCES", "EINTR", "ENOMEM")
LOOKING_ERRORS = ("EIO", "EACCES", "EPERM", "ENOMEM")
# A scene looks at much that others look at, too: it takes one call of so many, the next scene the ones next to them.
SHARE = int(os.environ.get("FAULTS_SHARE", "3"))
SYNC = ("fsync", "fdatasync", "sync_file_range", "syncfs")
# Bytes; every file in the scenes is longer.
LIMIT = 100
DENIALS = ("nothing was changed", "cannot be written", "cannot be created", "cannot be removed")


def complaints(story: Story, call: Call, error: str, outcome: Outcome, now: Picture) -> list[str]:
    """Return everything that is wrong after a call has failed."""
    found = story.wrong(now, exact=False)
    if not call.name.startswith(("unlink", "rmdir")):
        found += ["left behind: %s: %s" % item for item in story.leftovers(now).items()]
    if outcome.disorder:
        return [*found, outcome.disorder]
    if outcome.status == 0:
        result = outcome.result
        if not story.complete(now):
            found.append("reports success")
        if result["changed"] is not True:
            found.append("does not report the change")
        if call.name in SYNC and error != "EINTR":  # which is no error, but asks to try again
            found.append("takes no notice")
        return found
    result = outcome.result
    message = result["msg"]
    if outcome.status != 1 or result["failed"] is not True:
        found.append("neither fails nor succeeds: %d" % outcome.status)
    found += story.place.unclear(message)
    # A look that fails is often taken for the answer that there is nothing, or no right.
    if call.changes and os.strerror(getattr(errno, error)) not in message:
        found.append("does not say what has failed: %s" % message)
    if story.touched(now) and (result.get("changed") is False or DENIALS[0] in message):
        found.append("denies what it has changed: %s" % message)
    old, there = (entry and entry.content for entry in (story.config(story.before), story.config(now)))
    if there != old and any(denial in message for denial in DENIALS):
        found.append("denies that the file is the new one: %s" % message)
    if now.backups and "backup_file" not in result:
        found.append("leaves a backup without a word")
    return found


def sweep(stages: Sequence[Stage], scene: Scene, faults: Sequence[str], chosen: Callable[[int, Call], bool]) -> None:
    """Let the calls of a scene that are chosen fail in turn."""
    ready(scene)

    def part(stage: Stage, number: int) -> list[str]:
        story = stage.story(scene)
        calls = [call for place, call in enumerate(stage.calls(scene)) if chosen(place, call)]
        cases = [(call, faults[place % len(faults)]) for place, call in enumerate(calls)]
        assert cases
        found = []
        for call, error in cases[number :: len(stages)]:
            outcome, now = stage.play(scene, call, "error=" + error)
            found += ["%s %s: %s" % (error, call, words) for words in complaints(story, call, error, outcome, now)]
        return [words.replace(str(stage.place.root), "") for words in found]

    fail_for(side_by_side(stages, part), stages[0].place)


@pytest.mark.parametrize("errors", [*((error,) for error in ERRORS), OTHER_ERRORS], ids="-".join)
@each_scene
def test_every_call_that_changes_something_fails(stages: list[Stage], scene: Scene, errors: Sequence[str]) -> None:
    sweep(stages, scene, errors, lambda _place, call: call.changes)


@each_scene
def test_every_call_that_looks_fails(stages: list[Stage], scene: Scene) -> None:
    first = SCENES.index(scene)
    sweep(stages, scene, LOOKING_ERRORS, lambda place, call: not call.changes and (place + first) % SHARE == 0)


def writes_more_than_allowed(story: Story) -> bool:
    """Return whether a scene writes a file that is longer than LIMIT."""
    new = [entry for name, entry in story.after.entries.items() if story.before.entries.get(name) != entry]
    old = {entry.content for entry in story.before.entries.values()}
    return bool(story.after.backups) or any(
        entry.content not in old and len(entry.content or b"") > LIMIT and stat.S_ISREG(entry.kind) for entry in new
    )


@each_scene
def test_a_file_may_not_grow_that_long(stages: list[Stage], scene: Scene) -> None:
    """A write ends early, and writing the rest is refused."""
    ready(scene)
    stage = stages[0]
    story = stage.story(scene)
    scene.set_up(stage.place)
    outcome = scene.hold(stage.program, stage.place, limit=LIMIT).end()
    now = picture(stage.place)
    found = story.wrong(now, exact=False)
    found += ["left behind: %s: %s" % item for item in story.leftovers(now).items()]
    if outcome.disorder:
        found.append(outcome.disorder)
    elif outcome.status == 0:
        if now.entries != story.after.entries or writes_more_than_allowed(story):
            found.append("reports success")
    else:
        found += stage.place.unclear(outcome.result["msg"])
        if os.strerror(errno.EFBIG) not in outcome.result["msg"]:
            found.append("does not say what has failed: %s" % outcome.result["msg"])
    if outcome.status != 0 and story.config(now) != story.config(story.before):
        found.append("the config is %s" % (story.config(now),))
    fail_for(found, stage.place)


@each_scene
def test_the_first_write_ends_early(stages: list[Stage], scene: Scene) -> None:
    """The rest is still written, because it is allowed from then on."""
    ready(scene)

    def part(stage: Stage, _number: int) -> list[str]:
        story = stage.story(scene)
        calls = stage.writes(scene)
        assert bool(calls) is writes_more_than_allowed(story)
        found = []
        for call in calls[:1]:
            outcome, now = stage.play(scene, call, "signal=USR1", limit=LIMIT)
            found += story.wrong(now, exact=True)
            if outcome.status != 0:
                found.append(outcome.disorder or outcome.result["msg"])
            elif now.entries != story.after.entries:
                found.append("is not as it was to be")
        return found

    fail_for(side_by_side(stages[:1], part), stages[0].place)
