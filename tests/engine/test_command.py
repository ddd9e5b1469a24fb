# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test the real command line program with the cache, its config and its options."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.config import read_config
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import for_version
from ansible_collections.wasmops.wasmtime.tests.engine.agreement import LIBRARY, SURELY_TOO_MUCH
from ansible_collections.wasmops.wasmtime.tests.engine.engines import COMMANDS
from ansible_collections.wasmops.wasmtime.tests.engine.live import configure, installed, look
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
        """Run the WebAssembly module; return the message of the program if it fails."""
        done = self("run", *switches, str(self.module))
        return done.stderr if done.returncode else ""

    def provide(self, text: str) -> None:
        """Write the config at the default path."""
        self.default.parent.mkdir(parents=True, exist_ok=True)
        self.default.write_text(text, encoding="utf-8")

    def cached(self, directory: Path | None = None) -> list[Path]:
        """Return the modules in a cache directory, by default in the default one."""
        return list((directory or self.home / ".cache" / "wasmtime").glob("modules/*/*"))


@pytest.fixture(params=COMMANDS)
def command(request: pytest.FixtureRequest, tmp_path: Path) -> Command:
    return Command(request.param, tmp_path)


@proves(
    "and without a file at the default path, Wasmtime caches with its defaults",
    "keeps compiled code in an on-disk cache",
    "the engine fills it again",
    "the engine fills the cache again",
)
def test_without_a_file_it_caches_in_the_home(command: Command) -> None:
    """And fills the directory again when it was emptied."""
    for _time in range(2):
        assert command.run() == ""
        assert command.cached()
        assert not command.default.exists()
        shutil.rmtree(command.home / ".cache" / "wasmtime" / "modules")


@proves("The engines do not interfere with each other:")
def test_each_version_has_a_directory_of_its_own(tmp_path: Path) -> None:
    commands = [Command(name, tmp_path) for name in COMMANDS]
    for command in commands:
        assert command.run() == ""
    assert len({entry.parent for entry in commands[0].cached()}) == len(commands)


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


@proves("``-C cache-config=FILE`` for ``wasmtime``")
def test_a_file_is_named_on_the_command_line(command: Command) -> None:
    named, directory = command.home / "named.toml", command.home / "elsewhere"
    named.write_text('[cache]\ndirectory = "%s"\n' % directory, encoding="utf-8")
    switches = ("-C", "cache-config=%s" % named)
    assert command.run(*switches) == ""
    assert command.cached(directory)
    assert not command.cached()
    named.unlink()
    assert "failed to read config file" in command.run(*switches)


@proves(
    "Without a path, the config is the one that Wasmtime itself looks for", "the file that Wasmtime itself looks for"
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
    version = command("--version").stdout.split()[1]
    assert version == command.version
    assert for_version(version) == for_version("v" + version)


@proves("enabled-refused", "no file can do that for Wasmtime 33 and later")
def test_a_file_that_had_the_cache_off_has_it_on_without_the_line(command: Command) -> None:
    path, directory = command.default, command.home / "cache"
    command.provide('[cache]\nenabled = false\ndirectory = "%s"\n' % directory)
    assert "unknown field `enabled`" in command.run()
    directory.mkdir(mode=0o700)
    (directory / "notes.txt").touch()
    # Both modules report the dangers that exist once the line is removed.
    for outcome in (
        configure(path, wasmtime_version=command.version),
        look(path=str(path), wasmtime_version=command.version),
    ):
        assert outcome.codes == {"enabled-refused": "error", "directory-foreign-files": "danger"}
    command.provide('[cache]\ndirectory = "%s"\n' % directory)
    assert command.run() == ""
    assert command.cached(directory)


@proves("not-a-cache-config")
def test_a_file_of_options_is_no_cache_config_and_names_it(command: Command) -> None:
    options, path, directory = (command.home / name for name in ("run.toml", "cache.toml", "cache"))
    options.write_text('[codegen]\ncache = true\ncache-config = "%s"\n' % path, encoding="utf-8")
    assert not configure(path, wasmtime_version=command.version, directory=str(directory)).failed
    # The program's own option accepts it, and the file that it names; as a cache config, it is refused.
    assert command.run("--config", str(options)) == ""
    assert command.cached(directory)
    assert "unknown field `codegen`" in command.run("-C", "cache-config=%s" % options)
    assert look(path=str(options), wasmtime_version=command.version).codes == {"not-a-cache-config": "error"}


@pytest.mark.parametrize("group", ["codegen", "debug", "optimize", "wasi", "wasm"])
def test_every_group_of_options_is_known(command: Command, group: str) -> None:
    options = command.home / "run.toml"
    options.write_text("[%s]\n" % group, encoding="utf-8")
    assert command.run("--config", str(options)) == ""
    assert look(path=str(options), wasmtime_version=command.version).codes == {"not-a-cache-config": "error"}


@pytest.mark.parametrize(
    "text", ["spin_manifest_version = 2\n", "[package]\nname = 'x'\n", "cleanup-interval = '1h'\n"]
)
def test_no_other_file_is_taken(command: Command, text: str) -> None:
    command.provide(text)
    assert "unknown field" in command.run()


def test_cache_at_the_top_is_for_neither_of_them(command: Command) -> None:
    command.provide("cache = true\n")
    assert "unknown field `cache`" in command.run("--config", str(command.default))
    assert "invalid type: boolean" in command.run()
    assert look(path=str(command.default), wasmtime_version=command.version).codes == {"cache-not-a-table": "error"}


@proves("directory-placeholder", "which Wasmtime does not expand:")
@pytest.mark.parametrize("name", ["$USER", "${VAR}", "{tenant_id}", "%i", "%h", "{{ x }}", "<name>", "~"])
def test_a_placeholder_becomes_a_directory_of_this_name(command: Command, name: str) -> None:
    directory = command.home / name / "cache"
    # The option of the module would have the host expand a variable.
    command.provide("[cache]\ndirectory = '%s'\n" % directory)
    found = look(path=str(command.default), wasmtime_version=command.version)
    assert found.codes == {"directory-placeholder": "warning"}
    assert command.run() == ""
    assert command.cached(directory)


@proves("Wasmtime no longer has: %(old_keys)s")
def test_a_file_of_2019_is_refused(command: Command) -> None:
    command.provide("[cache]\ncleanup-interval-in-seconds = 3600\nfiles-count-soft-limit = 65536\n")
    assert "unknown field `cleanup-interval-in-seconds`" in command.run()
    found = look(path=str(command.default), wasmtime_version=command.version)
    assert found.codes == {"unknown-key": "error"}
    assert len(found.result["problems"]) == 1
