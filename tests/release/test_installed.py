# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do with the collection once it is installed, where nothing else is."""

from __future__ import annotations

import getpass
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from ansible_collections.wasmops.wasmtime.tests.release.built import Artifact, Installed

TREE = Path(__file__).parents[2]


def test_every_file_arrives(artifact: Artifact, installed: Installed) -> None:
    assert sorted(
        str(path.relative_to(installed.path)) for path in installed.path.rglob("*") if path.is_file()
    ) == sorted(artifact.names())
    installed.run("ansible-galaxy", "collection", "verify", "--offline", "wasmops.wasmtime")


def test_an_execution_environment_gets_what_the_modules_import(installed: Installed) -> None:
    names = {requirement.split()[0] for requirement in installed.introspected["python"]}
    modules = {"platformdirs": "platformdirs", "tomli": "tomli", "tomli-w": "tomli_w", "zstandard": "zstandard"}
    assert names == set(modules)
    installed.run("python", "-c", "import " + ", ".join(modules.values()))
    # The system's packages for hosts have another profile, which no execution environment installs.
    system = installed.introspected["system"]
    of_targets = {line.partition(" [target]")[0] for line in system if "[target]" in line}
    assert of_targets == {f"python3-{name}" for name in modules}
    assert {line.split()[0] for line in system if "[target]" not in line} == {"openssh-client", "openssh-clients"}


def test_the_playbooks_run_by_their_names(installed: Installed) -> None:
    config = installed.home / ".config" / "wasmtime" / "config.toml"
    installed.play("wasmops.wasmtime.provision", "--check", "--diff")
    assert not config.exists()
    assert "changed=1 " in installed.play("wasmops.wasmtime.provision")
    assert config.exists()
    assert "changed=0 " in installed.play("wasmops.wasmtime.provision")
    assert "1 host: 1 good" in installed.play("wasmops.wasmtime.check")
    installed.play("wasmops.wasmtime.report", "-e", "wasmtime_cache_usage_verify=true")
    assert "localhost" in (installed.home / "cache-report.html").read_text(encoding="utf-8")
    assert "localhost" in (installed.home / "cache-report.json").read_text(encoding="utf-8")
    assert "1 file: no problems" in installed.play(
        "wasmops.wasmtime.lint", "-e", "wasmtime_cache_lint_path=%s" % config
    )


def test_the_play_of_the_readme_runs(installed: Installed, tmp_path: Path) -> None:
    readme = (installed.path / "README.md").read_text(encoding="utf-8")
    example = re.search(r"^```yaml\n(- hosts: .*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert example is not None
    (play,) = yaml.safe_load(example[1])
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(example[1], encoding="utf-8")
    # Its places and users are others than here.
    config, cache = tmp_path / "config.toml", tmp_path / "cache"
    here = {
        "wasmtime_cache_path": config,
        "wasmtime_cache_directory": cache,
        "wasmtime_cache_directory_owner": getpass.getuser(),
        "ansible_become": "false",
    }
    (tmp_path / "hosts.ini").write_text(f"[{play['hosts']}]\nlocalhost\n", encoding="utf-8")
    options = [option for name, value in here.items() for option in ("-e", f"{name}={value}")]
    assert "changed=1 " in installed.play(str(playbook), "-i", str(tmp_path / "hosts.ini"), *options)
    assert 'files-total-size-soft-limit = "2Gi"\n' in config.read_text(encoding="utf-8")
    assert cache.is_dir()


@pytest.mark.parametrize("command", re.findall("`(ansible-doc [^`]+)`", (TREE / "README.md").read_text("utf-8")))
def test_the_documentation_that_the_readme_names_is_there(installed: Installed, command: str) -> None:
    assert re.search("^(OPTIONS|ENTRY POINT)", installed.run(*command.split()), re.MULTILINE)
