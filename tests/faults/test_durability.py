# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a power cut, all changes that a run has reported are there; before the report, everything is old or new."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ansible_collections.wasmops.wasmtime.tests.faults import strace
from ansible_collections.wasmops.wasmtime.tests.faults.mounts import command, enter_namespace, mounted
from ansible_collections.wasmops.wasmtime.tests.faults.runs import program
from ansible_collections.wasmops.wasmtime.tests.faults.scenes import Place, Scene, picture, tell
from ansible_collections.wasmops.wasmtime.tests.faults.stages import each_scene, fail_for, ready

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.wasmops.wasmtime.tests.faults.runs import Program
    from ansible_collections.wasmops.wasmtime.tests.faults.scenes import Picture
    from ansible_collections.wasmops.wasmtime.tests.faults.stages import Stage
    from ansible_collections.wasmops.wasmtime.tests.faults.strace import Call

# Their changes are on the disk after a sync of the directories with the changed names, and of the open file.
NAMES = frozenset(
    ["mkdir", "mkdirat", "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "rmdir"]
)
CONTENTS = frozenset(
    ["write", "pwrite64", "ftruncate", "fchmod", "fchown", "fsetxattr", "fremovexattr", "utimensat", "futimens"]
)
TEMPORARY = re.compile(r"/\.ansible_tmp[^/]*")


def pending(calls: list[Call], tree: Path) -> set[Path]:
    """Return what a power cut after these calls could undo: changed directories and files that were not synced since.

    Moved files still need the same syncs. Temporary directories and their contents may be lost.
    """
    changed: set[Path] = set()
    for call in calls:
        paths = [Path(path) for path in call.paths]
        if re.search(r"= -1 E", call.line):
            continue
        if call.name == "fsync":
            changed -= set(paths)
        elif call.name.startswith("rename"):
            source, target = paths
            changed = {target / path.relative_to(source) if is_below(path, source) else path for path in changed}
            changed |= {source.parent, target.parent}
        elif call.name.startswith(("unlink", "rmdir")):
            changed = {path for path in changed if not is_below(path, paths[0])}
            if not TEMPORARY.search(call.paths[0]):
                changed.add(paths[0].parent)
        elif call.name in NAMES:
            changed |= {*paths, *(path.parent for path in paths if not TEMPORARY.search(str(path)))}
            changed |= {path.parent for path in paths if TEMPORARY.search(str(path.parent))}
        elif call.name in CONTENTS:
            changed |= set(paths)
        elif call.name.startswith("open") and call.changes:
            changed |= {paths[0], paths[0].parent}
    return {path for path in changed if is_below(path, tree) and not TEMPORARY.search(str(path))}


def is_below(path: Path, above: Path) -> bool:
    return above in (path, *path.parents)


@each_scene
def test_what_is_changed_is_synced_before_it_is_said(stages: list[Stage], scene: Scene) -> None:
    ready(scene)
    stage = stages[0]
    story = stage.story(scene)
    scene.set_up(stage.place)
    try:
        outcome, log = strace.watch(scene.hold(stage.program, stage.place))
    except strace.NotHere as reason:
        pytest.skip("not run here, because %s" % reason)
    assert outcome.result["changed"] is True
    assert story.complete(picture(stage.place))
    calls = strace.parse(log, str)
    assert [call for call in calls if call.name in NAMES or call.name in CONTENTS]
    assert pending(calls, stage.place.tree) == set()


@each_scene
def test_the_new_text_is_synced_before_it_replaces_the_old(stages: list[Stage], scene: Scene) -> None:
    ready(scene)
    stage = stages[0]
    scene.set_up(stage.place)
    try:
        _outcome, log = strace.watch(scene.hold(stage.program, stage.place))
    except strace.NotHere as reason:
        pytest.skip("not run here, because %s" % reason)
    calls = strace.parse(log, str)
    for number, call in enumerate(calls):
        if call.name.startswith("rename") and TEMPORARY.search(call.paths[0]):
            moved = [
                earlier
                for earlier in calls[:number]
                if any(is_below(Path(path), Path(call.paths[0])) for path in earlier.paths)
            ]
            last = [earlier.name for earlier in moved if earlier.name in (*CONTENTS, *NAMES, "fsync")][-1:]
            assert last == ["fsync"], call.line


# --- On a disk ---


@pytest.fixture(scope="module")
def inside() -> Iterator[Program]:
    """A program that sees our mounts."""
    enter_namespace()
    with program() as made:
        yield made


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Place]]:
    """A disk, and a place on it; its file system writes nothing of its own accord for a long time."""
    enter_namespace()
    file = tmp_path_factory.mktemp("disk") / "disk"
    command("truncate", "--size", "16M", str(file))
    command("mkfs.ext4", "-q", str(file))
    with mounted("loop", "commit=3000", kind="ext4", source=str(file)) as root:
        yield file, Place(root)


def after_a_power_cut(file: Path) -> Picture:
    """What has reached the disk until now, as a system finds it that starts anew."""
    copy = file.with_name("copy")
    shutil.copyfile(str(file), str(copy))
    with mounted("loop", kind="ext4", source=str(copy)) as root:
        return picture(Place(root))


@each_scene
def test_what_is_said_to_be_changed_survives_a_power_cut(
    inside: Program, disk: tuple[Path, Place], scene: Scene
) -> None:
    file, place = disk
    scene.set_up(place)
    os.sync()
    outcome = scene.hold(inside, place).end()
    then = after_a_power_cut(file)
    assert outcome.result["changed"] is True, outcome
    now = picture(place)
    assert {path: then.entries.get(path) for path in now.entries} == now.entries
    assert then.entries.keys() - now.entries.keys() == {path for path in then.entries if TEMPORARY.search("/" + path)}
    assert then.backups == now.backups


@each_scene
@pytest.mark.parametrize("name", ["rename", "renameat2", "unlink", "fchmod", "fsync"])
def test_a_power_cut_amid_a_run_leaves_old_or_new(
    inside: Program, disk: tuple[Path, Place], scene: Scene, name: str
) -> None:
    file, place = disk
    story = tell(inside, place, scene)
    scene.set_up(place)
    os.sync()
    try:
        strace.watch(scene.hold(inside, place), "-e", "inject=%s:signal=KILL" % name)
    except strace.NotHere as reason:
        pytest.skip("not run here, because %s" % reason)
    fail_for(story.wrong(after_a_power_cut(file), exact=False), place)
