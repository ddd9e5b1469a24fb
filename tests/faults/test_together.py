# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""After many simultaneous runs on one file, the result is that of some of them in sequence."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Any, Dict, NamedTuple

import pytest
import tomllib

from ansible_collections.wasmops.wasmtime.tests.faults.scenes import COMMENT, SCENES, Place, picture
from ansible_collections.wasmops.wasmtime.tests.faults.stages import fail_for

if TYPE_CHECKING:
    from ansible_collections.wasmops.wasmtime.tests.faults.runs import Outcome
    from ansible_collections.wasmops.wasmtime.tests.faults.stages import Stage

TOGETHER = 50
ROUNDS = 2
# Few runs at once, as often as it takes to meet any moment; FAULTS_ROUNDS says how often.
FEW_ROUNDS = int(os.environ.get("FAULTS_ROUNDS", "50"))
Table = Dict[str, Any]


class Part(NamedTuple):
    """One of the runs: its task and its outcome."""

    settings: dict[str, str]
    outcome: Outcome

    @property
    def wanted(self) -> Table:
        return {name.replace("_", "-"): value for name, value in self.settings.items()}

    def texts(self, place: Place) -> tuple[str | None, str | None]:
        """Return the text that the run says to have found, and the one that it says to have written."""
        for diff in self.outcome.result["diff"]:
            if diff["before_header"] == str(place.config):
                return diff["before"], diff["after"]
        return None, None


def settings(number: int, chance: random.Random) -> dict[str, str]:
    """Some settings, with values that no other run has."""
    every = {
        "cleanup_interval": "%dh" % (number + 3),
        "optimizing_compression_task_timeout": "%dm" % (number + 31),
        "allowed_clock_drift_for_files_from_future": "%dd" % (number + 2),
        "file_count_soft_limit": "%dK" % (number + 100),
        "files_total_size_soft_limit": "%dGi" % (number + 1),
        "worker_event_queue_size": str(number + 17),
    }
    return dict(chance.sample(sorted(every.items()), chance.randint(1, 4)))


def table(text: str) -> Table:
    """Return the settings in a config, without the directory."""
    found: Table = tomllib.loads(text).get("cache", {})
    return {name: value for name, value in found.items() if name != "directory"}


def is_an_order(beginning: Table, end: Table, parts: list[Part]) -> bool:
    """Return whether the end is what some of the runs, in some order, make of the beginning.

    Found from the end on: whichever run can have been the last has given what it sets its value,
    which leaves the rest to those before it. That one never stands in the way of another.
    """
    unexplained = set(beginning) | set(end)
    waiting = list(parts)
    while waiting:
        last = next(
            (part for part in waiting if all(end.get(n) == v for n, v in part.wanted.items() if n in unexplained)), None
        )
        if last is None:
            break
        unexplained -= set(last.wanted)
        waiting.remove(last)
    return all(end.get(name) == beginning.get(name) for name in unexplained)


def most_at_once(parts: list[Part]) -> int:
    """Return how many runs were under way at the busiest moment."""
    moments = sorted((moment, step) for part in parts for moment, step in zip(part.outcome.time, (1, -1)))
    now = most = 0
    for _moment, step in moments:
        now += step
        most = max(most, now)
    return most


def truth(part: Part, place: Place, known: list[str]) -> list[str]:
    """Return what is wrong with the result of a run."""
    if part.outcome.disorder:
        return [part.outcome.disorder]
    result = part.outcome.result
    if part.outcome.status == 1:
        return place.unclear(result["msg"])
    before, after = part.texts(place)
    if before is None or after is None:
        return ["changes nothing, which cannot be"]
    found = []
    if result["changed"] is not True:
        found.append("does not say that it has changed anything")
    if before not in known:
        found.append("has found a text that nobody has written: %r" % before)
    if table(after) != {**table(before), **part.wanted}:
        found.append("has not done what it was asked for")
    return found


@pytest.mark.parametrize("backup", [False, True], ids=["plain", "backup"])
@pytest.mark.parametrize("name", ["create", "change"])
def test_many_runs_at_once(stages: list[Stage], name: str, backup: bool) -> None:
    stage = stages[0]
    place, scene = stage.place, next(scene for scene in SCENES if scene.name == name)
    alone = stage.story(scene)
    seed = os.environ.get("FAULTS_SEED") or str(random.SystemRandom().getrandbits(32))
    print("FAULTS_SEED=%s" % seed)
    chance = random.Random(seed)
    for _round in range(ROUNDS):
        scene.set_up(place)
        beginning = place.config.read_text(encoding="utf-8") if place.config.exists() else ""
        arguments = dict(scene.arguments(place), backup=backup)
        del arguments["cleanup_interval"]
        asked = [settings(number, chance) for number in range(TOGETHER)]
        runs = [stage.program.hold(dict(arguments, **options), umask=scene.umask) for options in asked]
        for run in runs:
            run.go()
        parts = [Part(options, run.end()) for options, run in zip(asked, runs)]
        now, end = picture(place), place.config.read_text(encoding="utf-8")

        done = [part for part in parts if part.outcome.status == 0]
        afters = [part.texts(place)[1] or "" for part in done]
        found = [
            "%s: %s" % (part.settings, words) for part in parts for words in truth(part, place, [beginning, *afters])
        ]
        if end not in afters:
            found.append("the end is what no run says to have written:\n%s" % end)
        lost = len(done) - len(set(afters))
        if lost:
            found.append("%d runs have written over another's text that they had not read" % lost)
        befores = [part.texts(place)[0] or "" for part in done]
        if len(set(befores)) != len(befores):
            found.append("two runs have changed one and the same text")
        if not is_an_order(table(beginning), table(end), done):
            found.append("no order of the runs ends like this: %s" % table(end))
        if (COMMENT in beginning) is not (COMMENT in end):
            found.append("the comment is not as it was")
        found += ["left behind: %s: %s" % item for item in alone.leftovers(now).items()]
        found += ["left behind: %s" % path for path in place.remote.iterdir()]
        for path, entry in alone.after.entries.items():
            if now.entries.get(path, entry)._replace(content=None) != entry._replace(content=None):
                found.append("%s: %s, and when alone %s" % (path, now.entries.get(path), entry))
        texts = {text.encode() for text in [beginning, *afters]}
        for path, entry in now.backups.items():
            if entry.content not in texts or not backup:
                found.append("%s is no copy of anything: %s" % (path, entry))
        print("%d at once, %d failed, %d lost" % (most_at_once(parts), TOGETHER - len(done), lost))
        fail_for(found, place)
        assert done
        assert most_at_once(parts) >= TOGETHER // 5


# What one of a few writes is its own: whatever the order, all of it must be there at the end.
OWN = (
    {"cleanup_interval": "5h"},
    {"file_count_soft_limit": "9K"},
    {"worker_event_queue_size": "33"},
    {"files_total_size_soft_limit": "7Gi"},
)


@pytest.mark.parametrize("together", [2, 3, 4])
@pytest.mark.parametrize("name", ["create", "create-deep", "change"])
def test_a_few_runs_at_once_lose_nothing(stages: list[Stage], name: str, together: int) -> None:
    stage = stages[0]
    place, scene = stage.place, next(scene for scene in SCENES if scene.name == name.partition("-")[0])
    wanted = [{key.replace("_", "-"): value for key, value in options.items()} for options in OWN[:together]]
    lost: list[str] = []
    overlaps = 0
    for _round in range(FEW_ROUNDS):
        scene.set_up(place)
        if name == "create":
            # Otherwise creating the directories takes most of the time.
            place.config.parent.mkdir(parents=True)
            place.cache.mkdir(parents=True, mode=0o700)
        arguments = dict(scene.arguments(place))
        del arguments["cleanup_interval"]
        runs = [stage.program.hold(dict(arguments, **options)) for options in OWN[:together]]
        for run in runs:
            run.go()
        parts = [Part(options, run.end()) for options, run in zip(OWN, runs)]
        overlaps += most_at_once(parts) > 1
        lost += [part.outcome.disorder or part.outcome.result["msg"] for part in parts if part.outcome.status]
        end = table(place.config.read_text(encoding="utf-8"))
        lost += [
            "%s of %s" % (settings, end)
            for settings, part in zip(wanted, parts)
            if not part.outcome.status and not settings.items() <= end.items()
        ]
        lost += ["left behind: %s" % path for path in place.tree.rglob(".*")]
    print("%d rounds of %d, %d of them at once: %d lost" % (FEW_ROUNDS, together, overlaps, len(lost)))
    fail_for(lost, place)
    assert overlaps
