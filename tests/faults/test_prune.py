# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run cache_prune as root while a user swaps names, and kill it at any moment.

A program that works by path is raced first: it must lose, otherwise the attack proves nothing.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.wasmops.wasmtime.plugins.modules import cache_prune
from ansible_collections.wasmops.wasmtime.tests.faults.scenes import place
from ansible_collections.wasmops.wasmtime.tests.faults.test_races import (
    Attack,
    Field,
    attacked,
    exchange,
    rest,
    touched,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils._usage.test_prune import listing, prune
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.caches import (
    COMPILER,
    DAY,
    Cache,
    name_of,
    put,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    STRANGER,
    Opened,
    as_root,
    give,
    new,
    snapshot,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 500
HANG = 100  # times as many, and the attacker or the module gets nowhere
KILLS = 300
FOLDER = Path("modules") / COMPILER
NAMES = [name_of(1), name_of(1) + ".stats", name_of(2), name_of(3) + ".wip-1", "README"]


@pytest.fixture
def field() -> Iterator[Field]:
    """Provide a home with a cache in it, and a tree of root with the same layout."""
    with place() as there:
        found = Field(new(there.root / "home", 0o755), new(there.root / "victim"))
        new(there.root / "backup")
        there.root.joinpath("config.toml").write_text("[cache]\n")
        for above in (found.home, found.victim):
            for name in NAMES:
                put(above / "a" / "cache" / FOLDER / name, b"of root", age=9 * DAY)
        os.mkfifo(found.victim / "pipe", 0o600)
        for path in (found.home, *found.home.rglob("*")):
            give(path, STRANGER)
        yield found


def fill(field: Field) -> None:
    """Create the missing files in the cache, as the user."""
    folder = field.cache / FOLDER
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        with contextlib.suppress(OSError):
            handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            os.utime(handle, (time.time() - 9 * DAY,) * 2)
            os.close(handle)


def swap_for_link(part: str) -> Attack:
    """Swap a part of the path for a link to root's own of the same shape, and fill the cache again."""

    def prepare(field: Field) -> Callable[[], bool]:
        path, decoy, target = field.home / part, field.home / "decoy", field.victim / part

        def swap() -> bool:
            if not path.is_symlink() and not decoy.is_symlink():
                # Root has removed the link, or the directory.
                with contextlib.suppress(OSError):
                    decoy.rename(path)
                with contextlib.suppress(OSError):
                    decoy.symlink_to(target)
            if not path.is_symlink():
                fill(field)
                rest()
            done = exchange(path, decoy)
            rest()
            return done

        return swap

    return prepare


def swap_for_hard_link(source: str) -> Attack:
    """Swap modules and foreign files for other names of root's own file or pipe."""

    def prepare(field: Field) -> Callable[[], bool]:
        spares = [field.home / ("spare-%d" % number) for number in range(ROUNDS * 20)]
        for spare in spares:
            os.link(field.victim / source, spare)
        inode = spares[0].lstat().st_ino
        names = itertools.cycle((name_of(2), "README"))
        decoy = field.home / "decoy"

        def swap() -> bool:
            fill(field)
            rest()
            target = field.cache / FOLDER / next(names)
            if not os.path.lexists(decoy) or decoy.lstat().st_ino != inode:
                spares.pop().rename(decoy)
            done = exchange(target, decoy)
            rest()
            return done

        return swap

    return prepare


ATTACKS = {
    "the directory above": swap_for_link("a"),
    "the cache directory": swap_for_link("a/cache"),
    "the directory of all modules": swap_for_link("a/cache/modules"),
    "the directory of a compiler": swap_for_link(str("a/cache" / FOLDER)),
    "files for hard links": swap_for_hard_link(str("a/cache" / FOLDER / name_of(1))),
    "files for a pipe": swap_for_hard_link("pipe"),
}
LINKED = (ATTACKS["files for hard links"], ATTACKS["files for a pipe"])


def by_path(field: Field) -> None:
    """Remove the contents of the cache in a naive way, by path."""
    for name in NAMES:
        path = field.cache / FOLDER / name
        if path.exists():
            rest()
            # With a copy, as of foreign files.
            path.rename(field.victim.parent / "backup" / name)


@as_root
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_who_goes_by_path_loses_to_the_attacker(field: Field, attack: Attack) -> None:
    backup = field.victim.parent / "backup"
    with attacked(field, attack):
        before = snapshot(field.victim)
        for _number in range(ROUNDS * HANG):
            with contextlib.suppress(OSError):
                by_path(field)
            if touched(field, before, attack in LINKED) or any(path.lstat().st_uid == 0 for path in backup.iterdir()):
                break
        else:
            pytest.fail("this hangs: the attacker never wins")


def options(field: Field, number: int) -> dict[str, Any]:
    """Return options with all kinds in turn, with and without a backup."""
    found: dict[str, Any] = {
        "path": str(field.victim.parent / "config.toml"),
        "directory": str(field.cache),
        "remove": [
            ["all"],
            ["foreign", "stale_locks"],
            ["broken"],
            ["all", "over_limits", "untrusted"],
        ][number % 4],
        "unused_for": "1d",
    }
    if number % 4 in (1, 3):
        found["backup"] = str(field.victim.parent / "backup")
    return found


@as_root
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_root_removes_and_moves_nothing_of_its_own(field: Field, attack: Attack) -> None:
    through = amid = 0
    backup = field.victim.parent / "backup"
    with contextlib.closing(Opened(field.victim / "pipe")) as opened, attacked(field, attack) as swaps:
        before = snapshot(field.victim)
        for number in itertools.count():
            if number >= ROUNDS and through and amid:
                moved = [path for path in backup.rglob("*") if not path.is_dir()]
                if moved:
                    break
            assert number < ROUNDS * HANG, "this hangs: %d got through, %d were raced" % (through, amid)
            earlier = swaps()
            result = World.execute(cache_prune, False, options(field, number))
            amid += swaps() != earlier
            through += any(figures["count"] for figures in result.get("removed", {}).values())
        assert touched(field, before, attack in LINKED) == []
        assert opened.times() == 0
        assert all(path.lstat().st_uid == STRANGER for path in moved)
    print("of %d runs %d removed something, %d were raced, %d files were moved" % (number, through, amid, len(moved)))


def test_a_kill_leaves_whole_modules_and_no_file_lost(tmp_path: Path) -> None:
    seed = os.environ.get("FAULTS_SEED") or str(random.SystemRandom().getrandbits(32))
    print("FAULTS_SEED=%s" % seed)
    chance = random.Random(seed)
    length = 0.0
    killed = amid = 0
    for number in itertools.count():
        if killed >= KILLS and amid >= KILLS / 3:
            break
        assert number < KILLS * HANG, "this hangs: of %d kills %d were amid" % (killed, amid)
        there = new(tmp_path / str(number))
        cache = Cache(there / "cache")
        backup = new(there / "backup")
        for each in range(20):
            cache.module(each, age=9 * DAY)
            put(cache.top / "modules" / "wasmtime-1" / name_of(each))
            put(cache.folder / ("junk-%d" % each), b"junk %d" % each)
        before = {path: path.read_bytes() for path in cache.top.rglob("*") if path.is_file()}
        kinds = ("foreign", "orphans", "all") if number % 2 else ("foreign", "orphans")
        start = time.monotonic()
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                prune(cache.top, *kinds, backup=backup, unused=DAY)
                os._exit(0)
            os._exit(1)
        if number >= 5:
            time.sleep(chance.uniform(0.1, 1.1) * length)
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, -signal.SIGKILL)
        if number < 5:
            length = time.monotonic() - start
        killed += status != 0
        now = {path: path.read_bytes() for path in cache.top.rglob("*") if path.is_file()}
        amid += status != 0 and len(now) < len(before) and bool(now)
        # Every file is complete, and foreign files are in at least one of the two places.
        assert all(before[path] == content for path, content in now.items())
        saved = {path.name: path.read_bytes() for path in backup.rglob("*") if path.is_file()}
        for each in range(20):
            junk = cache.folder / ("junk-%d" % each)
            assert junk in now or saved[junk.name] == before[junk]
        # No statistics are missing beside a module, and the next run goes on.
        for path in now:
            if path.parent == cache.folder and path.name == name_of(
                int(path.name[:43], 10) if path.name[:1] == "0" else 0
            ):
                assert path.with_name(path.name + ".stats") in now
        prune(cache.top, *kinds, unused=DAY)
        left = [] if "all" in kinds else ["modules", "modules/" + COMPILER]
        assert [name for name in listing(cache.top) if not name.endswith(".stats")] == left
    print("%d kills, %d of them amid the removal" % (killed, amid))
