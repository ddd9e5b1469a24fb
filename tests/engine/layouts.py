# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generate random cache directories: modules, locks, foreign files, and a config for them."""

from __future__ import annotations

import base64
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from pathlib import Path

MINUTE, HOUR, DAY = 60, 3600, 86400
# Times this close to a time limit are not used, because the clock runs.
NEAR = 5 * MINUTE

INTERVALS = {"1h": HOUR, "2d": 2 * DAY}
TIMEOUTS = {"30m": 30 * MINUTE, "3h": 3 * HOUR}
DRIFTS = {"0s": 0, "1d": DAY}

# Beside the modules; {} is the name of a module that is there, or of one that is not.
BESIDE = (
    "README",
    "Makefile~",
    ".hidden",
    ".hidden.stats",
    "..a",
    "x.y",
    "x.",
    "x.y.stats",
    "{}.stats.bak",
    "{}.wip-4711",
    "{}.wip-4712",
    "{}.wip-atomic-write-mod",
    "{}.wip-atomic-write-stats",
    "{}.wip",
    "{}.wipe-1",
    "x.wip-1",
    "{}.\udcff",
    "x.\udcff",
    "{}.STATS",
    "{}.stäts",
)
# In the directory and on the level below.
ABOVE = (
    "README",
    "README.stats",
    ".cleanup",
    ".cleanup.",
    ".cleanup.wip-4711",
    ".cleanup.wip-4712",
    ".cleanup.wip-4713.old",
    ".cleanup.wipe-1",
    ".cleanup.else",
    ".cleanup.\udcff",
    "cleanup.wip-1",
    "A" * 43,
)


class Layout:
    """A cache directory below C(place), and C(settings) for it as in a config."""

    def __init__(self, chance: random.Random, place: Path, compiler: str) -> None:
        self.chance = chance
        self.place = place
        self.top = place / "cache"
        self.elsewhere = place / "elsewhere"
        self.times: set[int] = set()
        interval, timeout, drift = (chance.choice(list(kind)) for kind in (INTERVALS, TIMEOUTS, DRIFTS))
        self.interval, self.timeout, self.drift = INTERVALS[interval], TIMEOUTS[timeout], DRIFTS[drift]
        # Rarely, because locks that prevent the cleanup leave nothing to observe.
        self.locked = chance.random() < 0.25
        self.blocked = False
        """Whether there is such a lock."""
        self.far = 0
        self.sizes: list[int] = []
        modules = self.top / "modules"
        for folder in [modules / compiler, modules / "wasmtime-1.2.3", self.top / "other" / "folder"]:
            if chance.random() < 0.7:
                self._folder(folder)
        for folder in (self.top, modules):
            self._above(folder)
        if chance.random() < 0.3:
            self._links()
        # Every cleanup deletes this one: that it has done its listing is seen by that.
        self._file(self.top / "junk", 0, 1)
        count, size = max(len(self.sizes), 1), max(sum(self.sizes), 1)
        self.settings: dict[str, str] = {
            "cleanup-interval": interval,
            "optimizing-compression-task-timeout": timeout,
            "allowed-clock-drift-for-files-from-future": drift,
            "file-count-soft-limit": str(chance.choice([0, count // 2, count, count + 1, 2 * count, 1000])),
            "files-total-size-soft-limit": str(chance.choice([0, size // 2, size, 2 * size, 10**9])),
            "file-count-limit-percent-if-deleting": "%d%%" % chance.choice([0, 30, 50, 70, 99, 100]),
            "files-total-size-limit-percent-if-deleting": "%d%%" % chance.choice([0, 30, 50, 70, 99, 100]),
        }

    def _date(self, path: Path, age: float) -> None:
        """Give a file a unique time."""
        then = int((time.time() - age) * 10**9)
        while then in self.times:
            then += 1
        self.times.add(then)
        os.utime(path, ns=(then, then), follow_symlinks=False)

    def _age(self) -> float:
        """Return the age of a module or its statistics: in the past, or in the future within the drift; once beyond it."""
        chance = self.chance
        kind = chance.random()
        if kind < 0.1 and not self.far:
            # The engine has no order among several of them.
            self.far = 1
            return -chance.uniform(self.drift + NEAR, self.drift + 9 * DAY)
        if kind < 0.25 and self.drift:
            return -chance.uniform(NEAR, self.drift - NEAR)
        return chance.uniform(1, 1000) if kind < 0.5 else chance.uniform(1, 90 * DAY)

    def _lock_age(self, threshold: int, live: bool) -> float:
        chance = self.chance
        ages = [chance.uniform(NEAR, threshold - NEAR)] if live else [chance.uniform(threshold + NEAR, 90 * DAY)]
        if live and self.drift:
            ages.append(-chance.uniform(NEAR, self.drift - NEAR))
        elif not live:
            ages.append(-chance.uniform(self.drift + NEAR, self.drift + 9 * DAY))
        return chance.choice(ages)

    def _file(self, path: Path, age: float, size: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.chance.randbytes(size))
        self._date(path, age)

    def _folder(self, folder: Path) -> None:
        chance = self.chance
        folder.mkdir(parents=True)
        names = [base64.urlsafe_b64encode(chance.randbytes(32)).decode().rstrip("=") for _number in range(12)]
        there = chance.randrange(len(names))
        for number, name in enumerate(names):
            if number < there:
                size = chance.choice([0, 1, 100, 1000, 1000, 5000])
                self.sizes.append(size)
                self._file(folder / name, self._age(), size)
            # Some have lost theirs, some theirs have lost them.
            if chance.random() < (0.8 if number < there else 0.2):
                self._file(folder / (name + ".stats"), self._age(), 40)
        for pattern in chance.sample(BESIDE, 8):
            name = pattern.format(chance.choice(names))
            extension = name.rpartition(".")[2]
            age = self._age() if "wip-" not in extension else self._lock_age(self.timeout, chance.random() < 0.5)
            self._file(folder / name, age, chance.randrange(100))
        if chance.random() < 0.4:
            self._odd(folder, names)

    def _odd(self, folder: Path, names: list[str]) -> None:
        """Create something other than a regular file."""
        nested = folder / "nested" / "deeper"
        nested.mkdir(parents=True)
        (folder / "empty").mkdir()
        self._file(nested / "file", 0, 1)
        (nested / "link").symlink_to(self.place)
        self._file(self.elsewhere / "target" / "file", 0, 10)
        (folder / "to-folder").symlink_to(self.elsewhere / "target")
        (folder / "to-folder.stats").symlink_to(self.elsewhere / "target")
        (folder / "to-file").symlink_to(self.elsewhere / "target" / "file")
        (folder / "to-file.stats").symlink_to(self.elsewhere / "target" / "file")
        (folder / "to-nothing").symlink_to("nothing")
        (folder / "to-nothing.txt").symlink_to("nothing")
        (folder / (names[-1] + ".stats")).unlink(missing_ok=True)
        (folder / (names[-1] + ".stats")).mkdir()
        os.mkfifo(folder / "pipe")
        os.mkfifo(folder / "pipe.stats")
        for name in ("to-file", "to-file.stats", "to-nothing", "pipe", "pipe.stats"):
            self._date(folder / name, self._age())

    def _above(self, folder: Path) -> None:
        chance = self.chance
        folder.mkdir(parents=True, exist_ok=True)
        for name in chance.sample(ABOVE, 6):
            holds_off = folder == self.top and name.startswith(".cleanup.wip-") and not name.endswith(".old")
            live = self.locked if holds_off else chance.random() < 0.5
            self.blocked |= holds_off and live
            self._file(folder / name, self._lock_age(self.interval, live), chance.randrange(100))
        if chance.random() < 0.3:
            (folder / ".cleanup.wip-9").mkdir()
            (folder / "nothing-in-it").mkdir()

    def _links(self) -> None:
        """Create links that the engine follows, and behind which it also deletes files."""
        for number, link in enumerate((self.top / "to-elsewhere", self.top / "modules" / "to-elsewhere")):
            target = self.elsewhere / str(number)
            (target / "sub").mkdir(parents=True)
            for name in ("file", "file.stats", "file.txt", "sub/file", "sub/file.stats", "sub/file.txt"):
                self._file(target / name, self._age(), 500)
            link.symlink_to(target)
        (self.top / "modules" / "to-file").symlink_to(self.elsewhere / "1" / "file")
        (self.top / "to-nothing").symlink_to("nothing")


def listing(place: Path) -> set[str]:
    """Return all paths below a folder, links not followed."""
    found: set[str] = set()
    for folder, folders, files in os.walk(place):
        found.update(os.path.join(folder, name) for name in folders + files)  # noqa: PTH118 # names may be no text
    return found


def without(paths: set[str], deleted: list[str], top: Path) -> set[str]:
    """Return the rest of these paths without those that the module names, through any link."""
    gone = set()
    for name in deleted:
        folder, last = os.path.split(os.path.join(top, name.rstrip("/")))  # noqa: PTH118
        gone.add(os.path.join(os.path.realpath(folder), last))  # noqa: PTH118
    return {path for path in paths if not any(path == name or path.startswith(name + "/") for name in gone)}


def unescaped(name: str) -> str:
    """Return a name from the result as in the file system."""
    return name.replace("\\xff", "\udcff")
