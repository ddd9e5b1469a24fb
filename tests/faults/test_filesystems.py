# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""On real file systems that are full, closed or odd, the config is replaced as a whole, or kept with one clear sentence."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from typing import TYPE_CHECKING, Callable

import pytest

from ansible_collections.wasmops.wasmtime.tests.faults.mounts import command, enter_namespace, image, mounted
from ansible_collections.wasmops.wasmtime.tests.faults.runs import program
from ansible_collections.wasmops.wasmtime.tests.faults.scenes import (
    SCENES,
    Picture,
    Place,
    Scene,
    nothing,
    picture,
    tell,
)
from ansible_collections.wasmops.wasmtime.tests.faults.stages import each_scene, fail_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ansible_collections.wasmops.wasmtime.tests.faults.runs import Outcome, Program
    from ansible_collections.wasmops.wasmtime.tests.faults.stages import Stage

PAGE = 4096


@pytest.fixture(scope="module")
def inside() -> Iterator[Program]:
    """A program that sees our mounts."""
    enter_namespace()
    with program() as made:
        yield made


def refused(place: Place, before: Picture, outcome: Outcome, *reasons: str) -> list[str]:
    """Return what is wrong with a run that must fail without changes, for one of these reasons."""
    found = [] if picture(place) == before else ["has changed something"]
    if outcome.disorder:
        return [*found, outcome.disorder]
    if outcome.status == 0:
        return [*found, "reports success"]
    message = outcome.result["msg"]
    found += place.unclear(message)
    if not any(reason.lower() in message.lower() for reason in reasons):
        found.append("does not say what has failed: %s" % message)
    return found


# --- Full ---


def fill(place: Place, pages: int) -> None:
    """Fill the file system except for this space."""
    with place.root.joinpath("filler").open("wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(bytes(PAGE))
        file.truncate(max(0, file.tell() // PAGE - pages) * PAGE)


def use_up(place: Place, files: int) -> None:
    """Use all inodes except this number."""
    crowd = place.root / "crowd"
    crowd.mkdir()
    names: list[Path] = []
    with contextlib.suppress(OSError):
        while True:
            names.append(crowd / str(len(names)))
            names[-1].touch()
    for name in names[:files]:
        name.unlink()


FULL: dict[str, Callable[[], AbstractContextManager[Path]]] = {
    "tmpfs": lambda: mounted("size=512k", "nr_inodes=60", kind="tmpfs"),
    "ext4": lambda: image(
        size="2M", make=("mkfs.ext4", "-q", "-m", "0", "-b", "4096", "-N", "64", "-O", "^has_journal")
    ),
}


@each_scene
@pytest.mark.parametrize("shortage", [fill, use_up], ids=["space", "inodes"])
@pytest.mark.parametrize("kind", FULL)
def test_full(inside: Program, kind: str, shortage: Callable[[Place, int], None], scene: Scene) -> None:
    ends = set()
    found: list[str] = []
    with FULL[kind]() as root:
        place = Place(root)
        story = tell(inside, place, scene)
        # In between, all is like it was with one more or one less.
        for left in (0, 1, 2, 3, 5, 7, 9, 12, 16, 20):
            scene.set_up(place)
            shortage(place, left)
            outcome = scene.hold(inside, place).end()
            now = picture(place)
            ends.add(outcome.status)
            words = story.wrong(now, exact=False)
            words += ["left behind: %s: %s" % item for item in story.leftovers(now).items()]
            if outcome.disorder:
                words.append(outcome.disorder)
            elif outcome.status == 0:
                if not story.complete(now):
                    words.append("reports success")
            else:
                words += place.unclear(outcome.result["msg"])
                if os.strerror(errno.ENOSPC) not in outcome.result["msg"]:
                    words.append("does not say what has failed: %s" % outcome.result["msg"])
                if story.config(now) != story.config(story.before):
                    words.append("the config is %s" % (story.config(now),))
            found += ["%d left: %s" % (left, word) for word in words]
        fail_for(found, place)
    assert 0 in ends


# --- Closed ---


@each_scene
def test_read_only(inside: Program, scene: Scene) -> None:
    with mounted(kind="tmpfs") as root:
        place = Place(root)
        scene.set_up(place)
        before = picture(place)
        command("mount", "-o", "remount,ro", str(root))
        outcome = scene.hold(inside, place).end()
        fail_for(refused(place, before, outcome, os.strerror(errno.EROFS)), place)


@pytest.fixture(scope="module")
def ext4() -> Iterator[Path]:
    """A file system that knows immutable files."""
    with image() as root:
        yield root


# The immutable file of each scene: the config itself, or the directory in which something is created or removed.
IMMUTABLE = [
    *(
        ("file", scene)
        for scene in SCENES
        if scene.prepare is not nothing and scene.name not in ("directory", "absent-link")
    ),
    *(("directory", scene) for scene in SCENES if scene.name != "attributes"),
]


@pytest.mark.parametrize(("what", "scene"), IMMUTABLE, ids=lambda value: getattr(value, "name", value))
def test_immutable(inside: Program, ext4: Path, what: str, scene: Scene) -> None:
    place = Place(ext4)
    scene.set_up(place)
    before = picture(place)
    target = place.config.resolve()
    if what == "directory":
        target = {"directory": place.cache, "absent-link": place.config}.get(scene.name, target).parent
    while not target.exists():
        target = target.parent
    if shutil.which("chattr") is None:
        pytest.skip("not run here, because there is no chattr")
    command("chattr", "+i", str(target))
    try:
        outcome = scene.hold(inside, place).end()
        found = refused(place, before, outcome, os.strerror(errno.EPERM), "the system denies")
    finally:
        command("chattr", "-i", str(target))
    fail_for(found, place)


# --- Mounted over ---


@contextlib.contextmanager
def bound(place: Place, scene: Scene) -> Iterator[Path]:
    """The config of a scene, with another file mounted over it; that one."""
    scene.set_up(place)
    file = place.config.resolve()
    other = place.root / "other"
    other.write_bytes(file.read_bytes())
    command("mount", "--bind", str(other), str(file))
    try:
        yield other
    finally:
        command("umount", str(file))


@pytest.mark.parametrize("name", ["change", "backup", "link", "absent", "absent-backup", "owned-wider"])
def test_bind_mount(stages: list[Stage], inside: Program, name: str) -> None:
    place, scene = stages[0].place, next(scene for scene in SCENES if scene.name == name)
    with bound(place, scene) as other:
        before, old = picture(place), other.read_bytes()
        outcome = scene.hold(inside, place).end()
        found = refused(place, before, outcome, os.strerror(errno.EBUSY), "it is a mount point")
        assert other.read_bytes() == old
    fail_for(found, place)


@pytest.mark.parametrize("name", ["change", "backup", "link", "owned-wider"])
def test_bind_mount_with_unsafe_writes(stages: list[Stage], inside: Program, name: str) -> None:
    stage, scene = stages[0], next(scene for scene in SCENES if scene.name == name)
    story = stage.story(scene)
    with bound(stage.place, scene) as other:
        number = other.stat().st_ino
        outcome = scene.hold(inside, stage.place, unsafe_writes=True).end()
        assert outcome.status == 0, outcome
        assert outcome.result["changed"] is True
        assert other.stat().st_ino == number
        now = picture(stage.place)
        assert story.config(now) == story.config(story.after)
        assert now.entries == story.after.entries
        assert sorted(now.backups.values()) == sorted(story.after.backups.values())


# --- Odd ---


@contextlib.contextmanager
def overlay() -> Iterator[Path]:
    """A file system whose lower layer is something else."""
    with mounted(kind="tmpfs") as layers:
        for name in ("lower", "upper", "work"):
            layers.joinpath(name).mkdir()
        layers.chmod(0o755)
        options = ["lowerdir=%s/lower" % layers, "upperdir=%s/upper" % layers, "workdir=%s/work" % layers]
        with mounted(*options, kind="overlay") as root:
            yield root


ODD: dict[str, Callable[[], AbstractContextManager[Path]]] = {
    "ramfs": lambda: mounted(kind="ramfs"),  # knows neither ACLs nor any other extended attributes
    "overlay": overlay,
}


@pytest.fixture(scope="module", params=ODD)
def odd(request: pytest.FixtureRequest) -> Iterator[Path]:
    """An odd file system."""
    with ODD[request.param]() as root:
        root.chmod(0o755)
        yield root


@each_scene
def test_odd_file_system(stages: list[Stage], inside: Program, odd: Path, scene: Scene) -> None:
    usual, place = stages[0].story(scene), Place(odd)
    story = tell(inside, place, scene)

    def comparable(seen: Picture, root: Path) -> dict[str, object]:
        return {
            name: entry._replace(content=entry.content and entry.content.replace(os.fsencode(root), b""))
            for name, entry in seen.entries.items()
        }

    assert comparable(story.after, odd) == comparable(usual.after, usual.place.root)
