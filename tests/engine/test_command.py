# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the real command line program does with the cache, its config and its switches."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config import read_config
from ansible_collections.wasmops.wasmtime.plugins.module_utils._dialect import for_version, version_from_output
from ansible_collections.wasmops.wasmtime.tests.engine.agreement import LIBRARY, SURELY_TOO_MUCH
from ansible_collections.wasmops.wasmtime.tests.engine.engines import COMMANDS
from ansible_collections.wasmops.wasmtime.tests.engine.live import installed
from ansible_collections.wasmops.wasmtime.tests.engine.statements import proves

if TYPE_CHECKING:
    from pathlib import Path

MODULE = '(module (func (export "_start")))'


class Command:
    """The program of one version, for a user whose home is empty at first."""

    def __init__(self, name: str, home: Path) -> None:
        self.version = COMMANDS[name]
        self.program = installed(name) / "wasmtime_cli" / "wasmtime"
        self.program.chmod(0o755)
        self.home = home
        self.default = home / ".config" / "wasmtime" / "config.toml"
        self.module = home / "module.wat"
        self.module.write_text(MODULE, encoding="utf-8")

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.program), *arguments],
            env={"HOME": str(self.home)},
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *switches: str) -> str:
        """Run the module; what the program says if it fails."""
        done = self("run", *switches, str(self.module))
        return done.stderr if done.returncode else ""

    def provide(self, text: str) -> None:
        """Write the config at the default path."""
        self.default.parent.mkdir(parents=True, exist_ok=True)
        self.default.write_text(text, encoding="utf-8")

    def cached(self, directory: Path | None = None) -> list[Path]:
        """The modules in a cache directory, that of the default path without one."""
        return list((directory or self.home / ".cache" / "wasmtime").glob("modules/*/*"))


@pytest.fixture(params=COMMANDS)
def command(request: pytest.FixtureRequest, tmp_path: Path) -> Command:
    return Command(request.param, tmp_path)


@proves("keeps compiled code in an on-disk cache", "the engine fills it again")
def test_without_a_file_it_caches_in_the_home(command: Command) -> None:
    """And fills the directory again when it was emptied."""
    for _time in range(2):
        assert command.run() == ""
        assert command.cached()
        assert not command.default.exists()
        shutil.rmtree(command.home / ".cache" / "wasmtime" / "modules")


@proves("The engines do not get in each other's way:")
def test_each_version_has_a_directory_of_its_own(tmp_path: Path) -> None:
    commands = [Command(name, tmp_path) for name in COMMANDS]
    for command in commands:
        assert command.run() == ""
    assert len({entry.parent for entry in commands[0].cached()}) == len(commands)


@proves("start Wasmtime without a cache:")
@pytest.mark.parametrize("refused", [False, True])
def test_a_switch_turns_the_cache_off(command: Command, refused: bool) -> None:
    """And the config is not even read."""
    if refused:
        command.provide("[cache]\nenabled = false\n")
    assert command.run("-C", "cache=n") == ""
    assert not (command.home / ".cache").exists()


@proves("the engine refuses the whole file for it, and every program that loads the file fails to start.")
@pytest.mark.parametrize("enabled", ["true", "false"])
def test_no_file_turns_the_cache_off(command: Command, enabled: str) -> None:
    command.provide("[cache]\nenabled = %s\n" % enabled)
    assert "unknown field `enabled`" in command.run()
    command.provide("[cache]\n")
    assert command.run() == ""
    assert command.cached()
    command.default.unlink()
    assert command.run() == ""


@proves("the command line takes ``-C cache=y -C cache-config=FILE``")
def test_a_file_is_named_on_the_command_line(command: Command) -> None:
    named, directory = command.home / "named.toml", command.home / "elsewhere"
    named.write_text('[cache]\ndirectory = "%s"\n' % directory, encoding="utf-8")
    switches = ("-C", "cache=y", "-C", "cache-config=%s" % named)
    assert command.run(*switches) == ""
    assert command.cached(directory)
    assert not command.cached()
    named.unlink()
    assert "failed to read config file" in command.run(*switches)


@proves(
    "Without a path the config is the one that Wasmtime itself looks for", "the file that Wasmtime itself looks for"
)
def test_the_file_at_the_default_path_is_read(command: Command) -> None:
    directory = command.home / "elsewhere"
    command.provide('[cache]\ndirectory = "%s"\n' % directory)
    assert command.run() == ""
    assert command.cached(directory)


def test_a_new_config_is_valid_and_never_overwrites(command: Command) -> None:
    assert command("config", "new").returncode == 0
    text = command.default.read_bytes()
    assert text.rstrip().splitlines()[-1] == b"[cache]"
    assert not read_config(text, [for_version(command.version)], SURELY_TOO_MUCH, LIBRARY).problems
    assert command("config", "new").returncode != 0
    assert command.default.read_bytes() == text
    assert command.run() == ""


@proves("is not a Wasmtime version; %s")
def test_it_says_which_version_it_is(command: Command) -> None:
    assert version_from_output(command("--version").stdout) == command.version
