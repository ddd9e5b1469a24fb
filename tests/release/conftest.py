# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests share: the built collection, and a place where nothing but it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.wasmops.wasmtime.tests.release.built import Artifact, Installed

# From the nox session: the built file, and the ansible-core to install it into.
GIVEN: dict[str, str] = json.loads(os.environ["RELEASE"])


@pytest.fixture(scope="session")
def artifact() -> Artifact:
    """The file that would be published."""
    return Artifact(Path(GIVEN["artifact"]))


@pytest.fixture(scope="session")
def installed(artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The collection where nothing else of it is: a new virtual environment, an empty home.

    Beside ansible-core there are the Python packages that ansible-builder would put into an
    execution environment for the collection, so these have to suffice.
    """
    home = tmp_path_factory.mktemp("home")
    programs = home / "environment" / "bin"
    subprocess.run([sys.executable, "-m", "venv", str(programs.parent)], check=True)
    pip = [programs / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, GIVEN["core"]], check=True)
    collections = home / ".ansible" / "collections"
    place = collections / "ansible_collections" / "wasmops" / "wasmtime"
    Installed(home, programs, place, {}).run("ansible-galaxy", "collection", "install", "--offline", str(artifact.path))
    found = subprocess.run(
        [Path(sys.executable).with_name("ansible-builder"), "introspect", str(collections)],
        check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    # Each ends in a comment that tells which collection wants it.
    introspected = {
        kind: [line.partition("  #")[0] for line in lines] for kind, lines in yaml.safe_load(found.stdout).items()
    }
    subprocess.run([*pip, *introspected["python"]], check=True)
    return Installed(home, programs, place, introspected)
