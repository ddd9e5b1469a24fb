# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks of the module in the fault tests, and the states that are allowed at any moment of a run."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.wasmops.wasmtime.tests.faults.runs import Program, Run

# Longer than any buffer, so that a partial write is visible.
# What no sentence for a person has.
_NOISE = ("Traceback", "Errno", "Exception", "Error(", "\n", "b'", "<")
COMMENT = "".join("# line %d of a comment – größer than a page – that is to stay\n" % number for number in range(400))
IS_ROOT = os.geteuid() == 0


class Place:
    """A tree of directories for the runs, like any tree below /."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tree = root / "tree"
        self.remote = root / "remote"  # Ansible's own temporary directory
        self.config = self.tree / "etc" / "wasmtime" / "config.toml"
        self.cache = self.tree / "var" / "cache" / "app"
        self.behind = self.tree / "srv" / "wasmtime.toml"

    def text(self, **settings: str) -> str:
        """Return a config with these settings, after and before comments."""
        lines = ["%s = %s # as it was\n" % (name.replace("_", "-"), value) for name, value in settings.items()]
        return '%s[cache]\ndirectory = "%s"\n%s# the end\n' % (COMMENT, self.cache, "".join(lines))

    def clear(self) -> None:
        """Remove everything."""
        for path in self.root.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        self.tree.mkdir(mode=0o755)
        self.remote.mkdir()
        self.remote.chmod(0o1777)

    def old(self, **settings: str) -> None:
        """Create a config and its directory."""
        self.config.parent.mkdir(parents=True)
        text = self.text(**settings) if settings else self.text(cleanup_interval='"2h"')
        self.config.write_text(text, encoding="utf-8")
        self.config.chmod(0o644)
        self.cache.mkdir(parents=True)
        self.cache.chmod(0o700)

    def link(self) -> None:
        """Create the same, with a symbolic link to the config."""
        self.old()
        self.behind.parent.mkdir()
        self.config.rename(self.behind)
        self.config.symlink_to("../../srv/wasmtime.toml")

    def unclear(self, message: str) -> list[str]:
        """Return why a message is not one clear sentence about the config or its directory."""
        found = []
        if any(noise in message for noise in _NOISE):
            found.append("is not one clear sentence: %s" % message)
        if not any(str(path) in message for path in (self.config, self.cache)):
            found.append("does not name the file: %s" % message)
        return found


@contextlib.contextmanager
def place() -> Iterator[Place]:
    """Provide a place that every user can enter, in memory if possible, because disks may be busy."""
    parent = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else "/tmp"
    root = Path(tempfile.mkdtemp(prefix="wasmtime-faults-", dir=parent)).resolve()
    root.chmod(0o755)
    try:
        yield Place(root)
    finally:
        shutil.rmtree(root)


class Entry(NamedTuple):
    """The file, directory or link at a path."""

    kind: int
    mode: int
    uid: int
    gid: int
    content: bytes | None

    def grants_no_more_than(self, other: Entry) -> bool:
        """Return whether no user has a right here that they lack there, apart from the user who runs the tests."""
        return not self.mode & ~other.mode and (
            self[2:4] == other[2:4] or (self.uid in (other.uid, os.geteuid()) and not self.mode & 0o070)
        )

    def __str__(self) -> str:
        what = {stat.S_IFDIR: "directory", stat.S_IFLNK: "link", stat.S_IFREG: "file"}.get(self.kind, "thing")
        size = "" if self.content is None else " of %d bytes" % len(self.content)
        return "%s%s %04o %d:%d" % (what, size, self.mode, self.uid, self.gid)


class Picture(NamedTuple):
    """Everything in a tree except backups, whose names differ each time."""

    entries: dict[str, Entry]
    backups: dict[str, Entry]


_BACKUP = re.compile(r"(config|wasmtime)\.toml\..*~\Z")


def picture(place: Place) -> Picture:
    """Return the present state of the tree."""
    entries: dict[str, Entry] = {}
    backups: dict[str, Entry] = {}
    for path in [place.tree, *place.tree.rglob("*")]:
        status = path.lstat()
        content = None
        if stat.S_ISREG(status.st_mode):
            content = path.read_bytes()
        elif stat.S_ISLNK(status.st_mode):
            content = os.fsencode(os.readlink(path))
        kind, mode = stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode)
        beside = path.parent in (place.config.parent, place.behind.parent)
        seen = backups if beside and _BACKUP.match(path.name) else entries
        seen[str(path.relative_to(place.tree))] = Entry(kind, mode, status.st_uid, status.st_gid, content)
    return Picture(entries, backups)


class Scene(NamedTuple):
    """A task of the module, and the state before it."""

    name: str
    prepare: Callable[[Place], None]
    options: dict[str, Any]
    user: int | None = None
    umask: int = 0o022

    @property
    def needs_root(self) -> bool:
        return self.user is not None or any(name.endswith(("owner", "group")) for name in self.options)

    def set_up(self, place: Place) -> None:
        """Create the state before the task."""
        place.clear()
        self.prepare(place)
        if self.user is not None:
            for path in [place.tree, *place.tree.rglob("*")]:
                os.lchown(path, self.user, self.user)

    def arguments(self, place: Place) -> dict[str, Any]:
        """Return the module's arguments, including those that Ansible always adds."""
        given: dict[str, Any] = {"path": str(place.config)}
        if self.options.get("state") != "absent":
            given["directory"] = str(place.cache)
        given.update(self.options)
        return dict(given, _ansible_remote_tmp=str(place.remote), _ansible_diff=True)

    def hold(
        self, program: Program, place: Place, limit: int | None = None, life: float | None = None, **more: Any
    ) -> Run:
        """Return a run that waits at its gate. C(more) are arguments of the module."""
        options = dict(self.arguments(place), **more)
        return program.hold(options, umask=self.umask, user=self.user, limit=limit, life=life)


def nothing(_place: Place) -> None:
    """Leave the place empty."""


def refused(place: Place) -> None:
    """Create a config that the engine refuses."""
    place.old(cleanup_interval='"2 weeks"')


def same(place: Place) -> None:
    """Create a config that already has the settings of the task, without its directory."""
    place.old(cleanup_interval='"3h"')
    place.cache.rmdir()


def open_to_all(place: Place) -> None:
    """Create a directory that other users may list."""
    place.old()
    place.cache.chmod(0o755)


CHANGE = {"cleanup_interval": "3h"}
OWNED = {
    "owner": str(NOBODY),
    "group": str(NOBODY),
    "mode": "0600",
    "directory_owner": str(NOBODY),
    "directory_group": str(NOBODY),
}
SCENES = [
    Scene("create", nothing, dict(CHANGE, directory_mode="0750")),
    Scene("create-private", nothing, dict(CHANGE, mode="0600", directory_mode="0700"), umask=0),
    Scene("create-owned", nothing, dict(CHANGE, **OWNED, directory_mode="0750")),
    Scene("create-as-user", nothing, CHANGE, user=NOBODY),
    Scene("change", Place.old, CHANGE),
    Scene("change-as-user", Place.old, CHANGE, user=NOBODY),
    Scene("backup", Place.old, dict(CHANGE, backup=True)),
    Scene("link", Place.link, CHANGE),
    Scene("force", refused, dict(CHANGE, force=True)),
    Scene("owned-wider", Place.old, dict(CHANGE, **OWNED, directory_mode="0750")),
    Scene("owned-narrower", open_to_all, dict(CHANGE, **OWNED, directory_mode="0700", backup=True)),
    Scene("directory", same, CHANGE),
    Scene("attributes", Place.old, {"mode": "0600"}),
    Scene("absent", Place.old, {"state": "absent"}),
    Scene("absent-backup", Place.old, {"state": "absent", "backup": True}),
    Scene("absent-link", Place.link, {"state": "absent", "backup": True}),
]


class Story(NamedTuple):
    """The state before a scene, and after it without a fault."""

    scene: Scene
    place: Place
    before: Picture
    after: Picture
    result: dict[str, Any]

    def config(self, seen: Picture) -> Entry | None:
        """Return the config file, the one behind a link."""
        behind = seen.entries.get("srv/wasmtime.toml")
        return behind if behind is not None else seen.entries.get("etc/wasmtime/config.toml")

    def leftovers(self, now: Picture) -> dict[str, Entry]:
        """Return everything that belongs to neither state; of a directory, only the directory."""
        meant = {**self.before.entries, **self.after.entries}
        return {
            name: entry for name, entry in now.entries.items() if name not in meant and str(Path(name).parent) in meant
        }

    def complete(self, now: Picture) -> bool:
        """Return whether everything is as planned, ignoring other files."""
        there = {name: now.entries.get(name) for name in {**self.before.entries, **self.after.entries}}
        return len(now.backups) == len(self.after.backups) and all(
            there[name] == self.after.entries.get(name) for name in there
        )

    def touched(self, now: Picture) -> bool:
        """Return whether anything has changed, ignoring other files."""
        meant = {**self.before.entries, **self.after.entries}
        return any(self.before.entries.get(name) != now.entries.get(name) for name in meant)

    def wrong(self, now: Picture, exact: bool) -> list[str]:
        """Return everything that is neither in the old nor in the planned state.

        Owner and mode of existing files may be between the two if that gives nobody more rights.
        C(exact): new files must have their planned owner and mode.
        """
        found = []
        for name in {**self.before.entries, **self.after.entries}:
            before, after, entry = (seen.entries.get(name) for seen in (self.before, self.after, now))
            if entry in (before, after):
                continue
            words = "%s: %s, before %s, after %s" % (name, entry, before, after)
            if entry is None or (entry.kind, entry.content) not in {(e.kind, e.content) for e in (before, after) if e}:
                found.append("neither old nor new: " + words)
            elif not any(entry.grants_no_more_than(end) for end in (before, after) if end):
                found.append("open wider than asked for: " + words)
            elif exact and not (before and after and entry.mode in (before.mode, after.mode, before.mode & after.mode)):
                found.append("owner or mode neither old nor new: " + words)
        proper = [entry._replace(mode=0, uid=0, gid=0) for entry in self.after.backups.values()]
        for name, entry in now.backups.items():
            if entry not in self.after.backups.values():
                whole = entry._replace(mode=0, uid=0, gid=0) in proper
                found.append("a backup with the wrong %s: %s, %s" % ("owner or mode" if whole else "text", name, entry))
        return found


def tell(program: Program, place: Place, scene: Scene, **more: Any) -> Story:
    """Run a scene without a fault. C(more) are arguments of the module."""
    scene.set_up(place)
    before = picture(place)
    outcome = scene.hold(program, place, **more).end()
    assert outcome.status == 0, outcome
    story = Story(scene, place, before, picture(place), outcome.result)
    assert outcome.result["changed"]
    assert not outcome.errors
    assert story.before != story.after
    assert not list(place.remote.iterdir())
    return story
