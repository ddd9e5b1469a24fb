# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the module as root in a user's directory while that user swaps names there for links, as fast as possible.

Nothing outside of the directory may be written, given away, opened or deleted, and no secret revealed.
A program that works by path is raced first: it must lose, otherwise the attack proves nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import mmap
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.write import TEMPORARY
from ansible_collections.wasmops.wasmtime.plugins.modules import cache_config_info, cache_usage_info
from ansible_collections.wasmops.wasmtime.tests.faults.runs import Program, program
from ansible_collections.wasmops.wasmtime.tests.faults.scenes import place
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    STRANGER,
    Opened,
    give,
    new,
    snapshot,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not run here, because it needs root, whom users race")

RUNS = 150
HANG = 200  # times as many runs without an end that every attack has brought about, and none is raced any more
PAUSE = 0.003  # seconds at most; a run takes some ten times as long, and some must get through
AT_CWD = -100
EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h
SECRET = "# the secret of root\n"
NAME = "name-that-only-root-knows"
RENAMEAT2 = ctypes.CDLL(None).renameat2
CONFIG = '[cache]\ncleanup-interval = "2h"\n'


class Field(NamedTuple):
    """The place of a race: a user's home, and beside it a tree of root."""

    home: Path
    victim: Path

    @property
    def config(self) -> Path:
        return self.home / "a" / "etc" / "config.toml"

    @property
    def cache(self) -> Path:
        return self.home / "a" / "cache"

    def options(self, number: int) -> dict[str, Any]:
        """Return the options that do most harm to a wrong file: everything is given to the user."""
        common = {
            "path": str(self.config),
            "_ansible_diff": True,
            "_ansible_tmpdir": str(self.victim.parent),
            "backup": True,
        }
        if number % 5 == 4:
            return dict(common, state="absent")
        if number % 5 != 3:
            # Otherwise the config names it.
            common["directory"] = str(self.cache)
        return dict(
            common,
            cleanup_interval="%dh" % (number + 3),
            owner=str(STRANGER),
            group=str(STRANGER),
            mode="0%d" % (604 + 40 * (number % 2)),
            directory_owner=str(STRANGER),
            directory_group=str(STRANGER),
            directory_mode="07%d0" % (number % 2 * 5),
            ignore_dangers=["directory-replaceable"],
            unsafe_writes=bool(number % 2),
            force=True,
        )


def put_config(directory: Path, mode: int, text: str = CONFIG) -> None:
    """Create a config with the owner of the directory."""
    path = directory / "config.toml"
    path.write_text(text)
    path.chmod(mode)
    give(path, directory.stat().st_uid)


@pytest.fixture
def field() -> Iterator[Field]:
    """Provide a home with a config and a cache in it, and a tree of root with the same layout."""
    with place() as there:
        found = Field(new(there.root / "home", 0o755), new(there.root / "victim"))
        for above in (found.home, found.victim):
            for path in (above / "a", above / "a" / "etc", above / "a" / "cache"):
                new(path, 0o755 if above == found.home else 0o700)
        put_config(found.victim / "a" / "etc", 0o600, SECRET + CONFIG)
        found.victim.joinpath("a", "cache", NAME).touch()
        os.mkfifo(found.victim / "pipe", 0o600)
        for path in (found.home, *found.home.rglob("*")):
            give(path, STRANGER)
        put_config(found.config.parent, 0o644)
        yield found


Attack = Callable[[Field], Callable[[], bool]]

# The attackers: each repeats one attack, and returns whether it was carried out.


def rest() -> None:
    """Leave things as they are for a moment."""
    time.sleep(random.random() * PAUSE)


def exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step, if both are there."""
    return bool(RENAMEAT2(AT_CWD, os.fsencode(one), AT_CWD, os.fsencode(other), EXCHANGE) == 0)


def swap_for_link(part: str) -> Attack:
    """Swap a part of the path for a link to root's own of the same shape."""

    def prepare(field: Field) -> Callable[[], bool]:
        path, decoy, target = field.home / part, field.home / "decoy", field.victim / part

        def swap() -> bool:
            if not path.is_symlink() and not decoy.is_symlink():
                # Root has put a file in the place of the link.
                with contextlib.suppress(OSError):
                    decoy.unlink()
                decoy.symlink_to(target)
            done = exchange(path, decoy)
            rest()
            return done

        return swap

    return prepare


def swap_for_hard_link(field: Field) -> Callable[[], bool]:
    """Swap the file for another name of root's own file, as on systems that do not protect hard links."""
    secret = field.victim / "a" / "etc" / "config.toml"
    inode = secret.stat().st_ino
    spares = [field.home / ("spare-%d" % number) for number in range(RUNS * HANG)]
    for spare in spares:
        os.link(secret, spare)
    decoy = field.home / "decoy"

    def swap() -> bool:
        if inode not in [path.lstat().st_ino for path in (field.config, decoy) if path.exists()]:
            spares.pop().rename(decoy)
        done = exchange(field.config, decoy)
        rest()
        return done

    return swap


def swap_for_pipe(field: Field) -> Callable[[], bool]:
    """Swap the file for another name of a pipe of root's, whose writer would notice that it is opened."""
    pipe, decoy = field.victim / "pipe", field.home / "decoy"
    decoy.hardlink_to(pipe)
    spares = [field.home / ("spare-%d" % number) for number in range(RUNS * HANG)]
    for spare in spares:
        spare.hardlink_to(pipe)

    def swap() -> bool:
        if not any(path.is_fifo() for path in (field.config, decoy)):
            spares.pop().rename(decoy)
        done = exchange(field.config, decoy)
        rest()
        return done

    return swap


def swap_what_is_new(field: Field) -> Callable[[], bool]:
    """Swap every temporary directory for a link as soon as it appears."""
    directory, link = field.config.parent, field.config.with_name("link")
    link.symlink_to(field.victim / "a" / "etc")
    os.lchown(link, STRANGER, STRANGER)
    swapped = set()

    def swap() -> bool:
        done = False
        # Nothing is done before the exchange that can be done after it: root is quick.
        for name in os.listdir(directory):  # noqa: PTH208
            if name.startswith(TEMPORARY):
                if name not in swapped and exchange(directory / name, link):
                    done = True
                    swapped.add(name)
                    # A directory of root's.
                    link.rename(link.with_name("old-" + name))
                    link.symlink_to(field.victim / "a" / "etc")
            elif name.endswith("~"):
                # Among thousands of backups it would find nothing in time.
                os.unlink(directory / name)  # noqa: PTH108
        return done

    return swap


def swap_missing_parts(field: Field) -> Callable[[], bool]:
    """Remove the directories, and put links in their place for a while."""
    count = itertools.count()

    def swap() -> bool:
        for path in (field.config.parent, field.cache):
            away = path.with_name("away-%d" % next(count))
            path.rename(away)
            rest()
            with contextlib.suppress(OSError):
                path.symlink_to(field.victim / "a" / path.name)
                rest()
                path.unlink()
            rest()
            with contextlib.suppress(OSError):
                # Created by root in between.
                path.rename(path.with_name("made-%d" % next(count)))
            away.rename(path)
            rest()
        return True

    return swap


def swap_what_it_names(field: Field) -> Callable[[], bool]:
    """Swap the file for one that names root's own directory."""
    decoy, victim = field.home / "decoy", str(field.victim / "a" / "cache")

    def swap() -> bool:
        if not any(path.exists() and victim in path.read_text() for path in (field.config, decoy)):
            decoy.unlink(missing_ok=True)
            decoy.write_text(CONFIG + 'directory = "%s"\n' % victim)
        done = exchange(field.config, decoy)
        rest()
        return done

    return swap


ATTACKS = {
    "the directory above both": swap_for_link("a"),
    "the directory of the config": swap_for_link("a/etc"),
    "the config": swap_for_link("a/etc/config.toml"),
    "the cache directory": swap_for_link("a/cache"),
    "the config for a hard link": swap_for_hard_link,
    "the config for a pipe": swap_for_pipe,
    "the temporary directory": swap_what_is_new,
    "directories that are missing at times": swap_missing_parts,
    "the directory that the config names": swap_what_it_names,
}
# Those in which the user has other names of files of root.
LINKED = (swap_for_hard_link, swap_for_pipe)


@contextlib.contextmanager
def attacked(field: Field, attack: Attack) -> Iterator[Callable[[], int]]:
    """The user's process swaps, as long as the block lasts; how often it has done so."""
    swap = attack(field)
    count = mmap.mmap(-1, 8)
    child = os.fork()
    if child == 0:
        # This process must never continue with the tests.
        try:
            os.setgroups([])
            os.setresgid(STRANGER, STRANGER, STRANGER)
            os.setresuid(STRANGER, STRANGER, STRANGER)
            while True:
                with contextlib.suppress(OSError):
                    if swap():
                        count[:] = (int.from_bytes(count, sys.byteorder) + 1).to_bytes(8, sys.byteorder)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    try:
        yield lambda: int.from_bytes(count, sys.byteorder)
    finally:
        os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == -signal.SIGKILL, "the attacker has ended by itself"


@pytest.fixture(scope="module")
def root_s_runs() -> Iterator[Program]:
    with program() as made:
        yield made


def touched(field: Field, before: dict[str, tuple[object, ...]], linked: bool) -> list[str]:
    """Return the files of root that have changed; C(linked): whether the user has names of them."""
    now = snapshot(field.victim)
    # A file is another one to the system when a name of it goes, which the user may always do to his own.
    kept = [0, 1, 2, 3, 4, 6] if linked else range(7)
    return sorted(
        path
        for path in {*before, *now}
        if path not in before or path not in now or any(before[path][at] != now[path][at] for at in kept)
    )


def named(field: Field) -> Path:
    """Return the directory that the config names, if it names one."""
    with contextlib.suppress(OSError):
        handle = os.open(field.config, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(handle, encoding="utf-8") as file:
            _before, found, after = file.read().partition('directory = "')
            if found:
                return Path(after.partition('"')[0])
    return field.cache


def by_path(field: Field) -> None:
    """Do the work of the module in a naive way, by path, and as slowly as on a busy host."""
    cache = named(field)
    for directory in (field.config.parent, field.cache):
        directory.mkdir(parents=True, exist_ok=True)
        rest()
    private = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=field.config.parent))
    rest()
    (private / "new").write_text(CONFIG)
    (private / "new").rename(field.config)
    private.rmdir()
    rest()
    give(field.config.resolve(), STRANGER)
    field.config.chmod(0o644)
    os.chown(cache, STRANGER, STRANGER)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_who_goes_by_path_loses_to_the_attacker(field: Field, attack: Attack) -> None:
    with attacked(field, attack):
        before = snapshot(field.victim)
        for _number in range(RUNS * HANG):
            with contextlib.suppress(OSError):
                by_path(field)
            if touched(field, before, attack in LINKED):
                break
        else:
            pytest.fail("this hangs: the attacker never wins")


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_root_touches_nothing_outside_of_the_user_s_directory(
    field: Field, root_s_runs: Program, attack: Attack
) -> None:
    through = amid = 0
    with contextlib.closing(Opened(field.victim / "pipe")) as opened, attacked(field, attack) as swaps:
        before = snapshot(field.victim)
        # Some are to get through, and amid some the attacker is to swap, or this is no race.
        for number in itertools.count():
            if number >= RUNS and through and amid:
                break
            assert number < RUNS * HANG, "this hangs: %d got through, %d were raced" % (through, amid)
            earlier = swaps()
            outcome = root_s_runs.run(field.options(number))
            assert outcome.disorder is None
            assert SECRET.strip() not in outcome.output
            assert NAME not in outcome.output
            amid += swaps() != earlier
            through += outcome.status == 0
            if number % 5 == 4:
                # The user puts a config there again, if there is none.
                with contextlib.suppress(OSError):
                    handle = os.open(field.config, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
                    os.write(handle, CONFIG.encode())
                    os.fchown(handle, STRANGER, STRANGER)
                    os.close(handle)
        assert touched(field, before, attack in LINKED) == []
        assert opened.times() == 0
    print("of %d runs %d got through, %d were raced" % (number, through, amid))


@pytest.mark.parametrize("module", [cache_config_info, cache_usage_info], ids=["info", "usage"])
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_root_tells_nothing_of_its_own_and_opens_no_pipe(field: Field, attack: Attack, module: Any) -> None:
    named = CONFIG + 'directory = "%s"\n' % field.cache
    field.config.write_text(named)
    own = field.cache / "own-name"
    own.touch()
    give(own, STRANGER)
    seen = amid = 0
    with contextlib.closing(Opened(field.victim / "pipe")) as opened, attacked(field, attack) as swaps:
        for number in itertools.count():
            if number >= RUNS and seen and (amid or attack is swap_what_is_new):
                break
            assert number < RUNS * HANG, "this hangs: %d saw the cache, %d were raced" % (seen, amid)
            earlier = swaps()
            said = str(World.execute(module, True, {"path": str(field.config)}))
            assert SECRET.strip() not in said
            assert NAME not in said
            amid += swaps() != earlier
            seen += own.name in said
        assert opened.times() == 0
