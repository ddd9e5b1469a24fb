# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reader of the pages: a new user with an empty home, who has nothing but what the page says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ansible_collections.wasmops.wasmtime.tests.docs.blocks import ROOT
from ansible_collections.wasmops.wasmtime.tests.engine.engines import NotHere, install

REPOSITORY = "https://github.com/wasmops/wasmtime"
# Who has written the pages.
HOME = "/home/ann"
HANG = 1800  # seconds after which a command is taken to hang: none takes a minute on a machine of its own
VERSION = "42.0.0"  # of the Wasmtime that has filled caches


def packages() -> dict[str, str]:
    """Where pip finds packages, and those that it has: an affair of the machine, which no page is about."""
    names = {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}
    given = {
        name: value
        for name, value in os.environ.items()
        if name in names or name.startswith("PIP_") or name.lower().endswith("_proxy")
    }
    config = Path("~/.config/pip/pip.conf").expanduser()
    kept = {"PIP_CACHE_DIR": str(Path("~/.cache/pip").expanduser())}
    return {**kept, **({"PIP_CONFIG_FILE": str(config)} if config.exists() else {}), **given}


class Reader:
    """Runs commands one after the other, like somebody at a terminal."""

    def __init__(self, home: Path, repository: Path, programs: Path) -> None:
        home.mkdir()
        self.home = home
        self.repository = repository
        self.folder = home  # where the reader is now
        # The tests' own programs are not the reader's.
        folders = [folder for folder in os.environ["PATH"].split(os.pathsep) if Path(folder) != Path(sys.prefix, "bin")]
        self.environment = {
            **packages(),
            "PATH": os.pathsep.join([str(programs), *folders]),
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "TERM": "dumb",
            # With more, hosts answer in any order; the pages show them in that of the inventory.
            "ANSIBLE_FORKS": "1",
            # The address on the pages leads to this checkout.
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "url.%s.insteadOf" % repository,
            "GIT_CONFIG_VALUE_0": REPOSITORY,
        }

    def run(self, command: str) -> tuple[int, str]:
        """Run a command; return its exit status, and what it printed."""
        after = self.home / ".folder"
        script = '%s\nstatus=$?\npwd >"$HOME/.folder"\nexit $status' % command
        try:
            done = subprocess.run(
                ["bash", "-c", script],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=HANG,
                check=False,
            )
        except subprocess.TimeoutExpired:
            pytest.fail("this hangs: %s" % command)
        self.folder = Path(after.read_text(encoding="utf-8").rstrip("\n"))
        print("$ %s\n%s[exit status %d]" % (command, done.stdout, done.returncode))
        return done.returncode, done.stdout.replace(str(self.home), HOME)

    def enter(self, name: str) -> None:
        """Make a folder, and go there."""
        self.folder /= name
        self.folder.mkdir()

    def save(self, name: str, text: str) -> None:
        """Save a file in the folder that the reader is in."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repository of the collection as it is here, with what is not committed yet."""
    folder = tmp_path_factory.mktemp("repository") / "wasmtime"
    shutil.copytree(ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    identity = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"]
    for command in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "--message", "As it is"]):
        subprocess.run(["git", *command], cwd=folder, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}, check=True)
    return folder


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """The programs of Ansible, next to which the collection is installed: what a reader has after the first page."""
    home = tmp_path_factory.mktemp("first") / "home"
    found = home / "wasmtime" / ".venv" / "bin"
    status, output = Reader(home, repository, found).run("git clone %s && cd wasmtime && make provision" % REPOSITORY)
    assert status == 0, output
    return found


# Run with a real Wasmtime. Each module is another one, and takes a while to compile, like those of people.
COMPILE = """
import sys, wasmtime
config = wasmtime.Config()
config.cache = sys.argv[1]
engine = wasmtime.Engine(config)
for number in range(int(sys.argv[2])):
    steps = " ".join("i32.const %d i32.add i32.const %d i32.xor" % (number * step, step * 31) for step in range(40))
    function = "(func (param i32) (result i32) local.get 0 %s)" % steps
    wasmtime.Module(engine, "(module %s)" % (function * (30 + number)))
"""


def wasmtime(version: str) -> Path:
    """The folder with a real Wasmtime, for PYTHONPATH."""
    try:
        return install(version)
    except NotHere as reason:
        pytest.skip("not run here, because %s" % reason)


def library() -> Path:
    """The library of the Wasmtime that has filled caches."""
    (found,) = wasmtime(VERSION).rglob("_libwasmtime.so")
    return found


def fill_cache(folder: Path, modules: int) -> None:
    """Let a real Wasmtime compile, with its cache in this folder."""
    engine = wasmtime(VERSION)
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch, "config.toml")
        config.write_text('[cache]\ndirectory = "%s/cache"\n' % scratch, encoding="utf-8")
        subprocess.run(
            [sys.executable, "-c", COMPILE, str(config), str(modules)],
            env={"HOME": scratch, "PYTHONPATH": str(engine)},
            check=True,
        )
        shutil.copytree(Path(scratch, "cache"), folder)


def plain(text: str) -> str:
    """What is on the screen, without what differs between terminals and homes: lengths of asterisks and of blanks."""
    lines = (re.sub(r" ?\*{3,}$", " ***", line).rstrip() for line in text.splitlines())
    return "\n".join(re.sub(r"(?<=\S) {2,}", " ", line) for line in lines).strip("\n")
