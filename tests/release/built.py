# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A built collection, and what runs where it is installed."""

from __future__ import annotations

import json
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Artifact(NamedTuple):
    """A built collection."""

    path: Path

    def names(self) -> list[str]:
        """The files in it, those that describe it included."""
        with tarfile.open(self.path) as archive:
            return [member.name for member in archive if not member.isdir()]

    def json(self, name: str) -> Any:
        """One of the files that describe it."""
        with tarfile.open(self.path) as archive:
            file = archive.extractfile(name)
            assert file is not None
            return json.load(file)

    def checksums(self) -> dict[str, str]:
        """The files that it was built from."""
        files = self.json("FILES.json")["files"]
        return {file["name"]: file["chksum_sha256"] for file in files if file["ftype"] == "file"}


class Installed(NamedTuple):
    """A home and a virtual environment that hold ansible-core and the collection."""

    home: Path
    programs: Path
    """The folder of the environment's programs."""
    path: Path
    """The collection."""
    introspected: dict[str, list[str]]
    """What ansible-builder has found in it: Python and system packages."""

    def run(self, *command: str) -> str:
        """What a program of the environment prints; AssertionError with all of it if it fails."""
        env = {"HOME": str(self.home), "PATH": f"{self.programs}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
        result = subprocess.run(
            [str(self.programs / command[0]), *command[1:]],
            env=env, cwd=self.home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stdout
        return result.stdout

    def play(self, playbook: str, *options: str) -> str:
        """Run a playbook on this machine, with the environment's own Python."""
        python = f"ansible_python_interpreter={self.programs}/python"
        return self.run("ansible-playbook", "-i", "localhost,", "-c", "local", "-e", python, *options, playbook)
