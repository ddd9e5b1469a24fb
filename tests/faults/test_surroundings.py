# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""In any environment of a run, the config and the directory get the same modes and bytes."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ansible_collections.wasmops.wasmtime.tests.faults.mounts import mounted
from ansible_collections.wasmops.wasmtime.tests.faults.runs import program
from ansible_collections.wasmops.wasmtime.tests.faults.scenes import Place, Scene, place, tell
from ansible_collections.wasmops.wasmtime.tests.faults.stages import each_scene, ready

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.wasmops.wasmtime.tests.faults.runs import Program
    from ansible_collections.wasmops.wasmtime.tests.faults.stages import Stage


@each_scene
@pytest.mark.parametrize("umask", [0o000, 0o077], ids="{:03o}".format)
def test_umask(stages: list[Stage], scene: Scene, umask: int) -> None:
    ready(scene)
    usual = stages[0].story(scene)
    story = tell(stages[0].program, stages[0].place, scene._replace(umask=umask))
    for name, entry in usual.after.entries.items():
        wanted = entry
        if name not in usual.before.entries:
            stated = name == "var/cache/app" or (name.endswith(".toml") and "mode" in scene.options)
            # Root creates parent directories for other users, too.
            if not stated and (scene.user is not None or stat.S_ISREG(entry.kind)):
                wanted = entry._replace(mode=entry.mode & ~umask)
        assert story.after.entries[name] == wanted
    assert story.after.entries.keys() == usual.after.entries.keys()
    assert sorted(story.after.backups.values()) == sorted(usual.after.backups.values())


LOCALES: dict[str, dict[str, str]] = {
    "C": {"LC_ALL": "C"},
    "ascii": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.fixture(scope="module", params=LOCALES)
def foreign(request: pytest.FixtureRequest) -> Iterator[Program]:
    """A program with another locale."""
    with program(LOCALES[request.param]) as made:
        yield made


@each_scene
def test_locale(stages: list[Stage], foreign: Program, scene: Scene) -> None:
    ready(scene)
    usual = stages[0].story(scene)
    story = tell(foreign, stages[0].place, scene)
    assert story.after.entries == usual.after.entries
    assert sorted(story.after.backups.values()) == sorted(usual.after.backups.values())


@pytest.fixture(scope="module")
def unspeakable() -> Iterator[tuple[Program, Place]]:
    """A program with the C locale, and a place whose path that cannot spell."""
    with program({"LC_ALL": "C"}) as made, place() as outer:
        root = outer.root / "größer"
        root.mkdir()
        yield made, Place(root)


@each_scene
def test_path_that_the_locale_cannot_spell(unspeakable: tuple[Program, Place], scene: Scene) -> None:
    ready(scene)
    made, there = unspeakable
    story = tell(made, there, scene)
    assert story.result["path"] == str(there.config)
    assert there.config.exists() is (scene.options.get("state") != "absent")


@pytest.fixture(scope="module")
def late() -> Iterator[Program]:
    """A program in the year 2040."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not libraries:
        pytest.skip("not run here, because libfaketime is not installed")
    clock = {"LD_PRELOAD": str(libraries[0]), "FAKETIME": "@2040-02-29 12:00:00", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with program(clock) as made:
        yield made


@each_scene
def test_clock(stages: list[Stage], late: Program, scene: Scene) -> None:
    ready(scene)
    usual = stages[0].story(scene)
    story = tell(late, stages[0].place, scene)
    assert story.after.entries == usual.after.entries
    assert sorted(story.after.backups.values()) == sorted(usual.after.backups.values())
    # It has been the year that was meant.
    assert all("2040-02-29" in name for name in story.after.backups)


def odd_temporary(stage: Stage, scene: Scene, made: Program, folder: str) -> None:
    """Play a scene with a temporary directory of no use, as Ansible names it with pipelining and without."""
    ready(scene)
    usual = stage.story(scene)
    for option in ("_ansible_tmpdir", "_ansible_remote_tmp"):
        story = tell(made, stage.place, scene, **{option: folder})
        assert story.after.entries == usual.after.entries


@pytest.fixture(scope="module")
def lost() -> Iterator[Program]:
    """A program without a temporary directory."""
    with program({"TMPDIR": "/nonexistent"}) as made:
        yield made


@each_scene
def test_no_temporary_directory(stages: list[Stage], lost: Program, scene: Scene) -> None:
    odd_temporary(stages[0], scene, lost, "/proc/nonexistent")


@pytest.fixture(scope="module")
def cramped() -> Iterator[tuple[Program, Path]]:
    """A program with a full temporary directory."""
    with mounted("size=4k", "mode=1777", kind="tmpfs") as full:
        full.joinpath("all").write_bytes(bytes(4096))
        with program({"TMPDIR": str(full)}) as made:
            yield made, full


@each_scene
def test_full_temporary_directory(stages: list[Stage], cramped: tuple[Program, Path], scene: Scene) -> None:
    made, full = cramped
    odd_temporary(stages[0], scene, made, str(full))
    assert [path.name for path in full.iterdir()] == ["all"]
