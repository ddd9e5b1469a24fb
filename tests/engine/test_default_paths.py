# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The default paths of the collection are those of the real engine, in ordinary and unusual environments."""

from __future__ import annotations

import itertools
import os
import re
from typing import TYPE_CHECKING

import pytest

from ansible_collections.wasmops.wasmtime.tests.engine.live import (
    ENDS,
    Process,
    entries,
    look,
    public_place,
    until,
)
from ansible_collections.wasmops.wasmtime.tests.engine.statements import proves

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOBODY_KNOWN = 54321  # has no account
NO_HOME = "failed to get the default"
XDG = (None, "", "{place}/xdg", "{place}/xdg/", "relative", "~/x", "$HOME/x", " {place}/lead")
HOMES = ("{place}/home", "{place}/home/", "relative/home", "~", " {place}/home")


@pytest.fixture
def place() -> Iterator[Path]:
    with public_place() as path:
        (path / "cwd").mkdir()
        yield path


class Told:
    """The paths that the engine uses, from its messages and files, compared with those of the collection."""

    def __init__(self, place: Path, process: Process) -> None:
        self.place = place
        self.cwd = place / "cwd"
        self.process = process
        self.found: set[Path] = set()

    def check(self, home: str | None, config: str | None, cache: str | None) -> None:
        """Compare in one environment."""
        names: dict[str, str | None] = {"HOME": home, "XDG_CONFIG_HOME": config, "XDG_CACHE_HOME": cache}
        self.process.set_environment(
            names={name: value and value.format(place=self.place) for name, value in names.items()}
        )
        ours = self.process.paths_of_collection()
        assert ours is not None
        file, directory = (os.path.normpath(path) for path in ours)
        self.config_file(self.cwd / file, file)
        assert self.directory() == directory

    def config_file(self, path: Path, name: str) -> None:
        """Only a file in the right place can be the one that the engine complains of."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("not TOML")
        words = self.process.load(path=None)
        path.unlink()
        assert words is not None, "the engine has not met %s" % path
        found = re.search("failed to parse config file: (.*)", words)
        assert found, words
        assert os.path.normpath(found[1]) == name

    def directory(self) -> str:
        """Return the cache directory of the engine."""
        words = self.process.load(path=None)
        if words is not None:
            found = re.search("has to be absolute, path: (.*)", words)
            assert found, words
            return os.path.normpath(found[1])
        # The cleanup that comes with the first module could delete what the engine of the next environment is about
        # to write to the same directory: it is over when the second module is counted, which brings no other one.
        first, second = self.caches(), self.caches()
        assert first == second
        return str(first)

    def caches(self) -> Path:
        """Return the directory in which a module that was never compiled before gets its entry."""
        number = len(self.found)
        assert self.process.compile(number=number) == number
        (entry,) = until(lambda: set(self.place.glob("**/modules/*/*.stats")) - self.found, "it caches")
        self.found.add(entry)
        directory: Path = entry.parents[2]
        assert entry.with_suffix("") in entries(directory)
        return directory


@proves("the engine's default paths")
@pytest.mark.parametrize("version", ENDS)
@pytest.mark.parametrize("home", HOMES)
def test_with_a_home(place: Path, version: str, home: str) -> None:
    with Process(version, cwd=str(place / "cwd")) as process:
        told = Told(place, process)
        for config, cache in itertools.product(XDG, XDG):
            told.check(home, config, cache)


@pytest.mark.parametrize("version", ENDS)
@pytest.mark.parametrize("home", [None, ""])
def test_with_the_home_of_the_account(place: Path, version: str, home: str | None) -> None:
    with Process(version, cwd=str(place / "cwd")) as process:
        reason = process.give_account(home=str(place / "account"), scratch=str(place / "passwd"))
        if reason is not None:
            pytest.skip("an account with a home of the test's own takes a mount namespace: %s" % reason)
        told = Told(place, process)
        for config, cache in itertools.product(XDG, XDG):
            told.check(home, config, cache)


@proves("no-home")
@pytest.mark.parametrize("version", ENDS)
@pytest.mark.parametrize("home", [None, ""])
@pytest.mark.parametrize("account", [False, True])
def test_without_any_home(place: Path, version: str, home: str | None, account: bool) -> None:
    (place / "xdg").mkdir()
    (place / "xdg").chmod(0o777)
    with Process(version, cwd=str(place / "cwd")) as process:
        if account:
            reason = process.give_account(home="", scratch=str(place / "passwd"))
            if reason is not None:
                pytest.skip("an account without a home takes a mount namespace: %s" % reason)
        elif os.geteuid() == 0:
            process.become(uid=NOBODY_KNOWN)
        else:
            pytest.skip("needs root, to become a user without an account")
        for xdg in (None, str(place / "xdg")):
            process.set_environment(names={"HOME": home, "XDG_CONFIG_HOME": xdg, "XDG_CACHE_HOME": xdg})
            assert process.paths_of_collection() is None
            assert NO_HOME in process.load(path=None)


@pytest.mark.parametrize("version", ENDS)
@pytest.mark.parametrize("what", ["missing", "dangling", "empty", "directory", "device"])
def test_what_a_default_file_may_be(place: Path, version: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing default file is no error, one that is no config is; cache_config_info says so too."""
    home = place / "home"
    path = home / ".config" / "wasmtime" / "config.toml"
    path.parent.mkdir(parents=True)
    if what == "dangling":
        path.symlink_to("nowhere")
    elif what == "empty":
        path.touch()
    elif what == "directory":
        path.mkdir()
    elif what == "device":
        path.symlink_to("/dev/null")
    with Process(version, env={"HOME": str(home)}) as process:
        words = process.load(path=None)
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    info = look(wasmtime_version=version).result
    assert (words is None) == (what in ("missing", "dangling"))
    assert info["valid"] == (words is None)
    if words is None:
        assert info["effective"]["directory"] == str(home / ".cache" / "wasmtime")
        assert (home / ".cache" / "wasmtime").is_dir()
