# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in the file that would be published."""

from __future__ import annotations

import fnmatch
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from ansible_collections.wasmops.wasmtime.tests.release.built import Artifact

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = json.loads(os.environ["RELEASE"])["checkout"]
# The tests run in a copy of what git tracks there.
TREE = Path(__file__).parents[2]
GALAXY = yaml.safe_load((TREE / "galaxy.yml").read_text(encoding="utf-8"))


def published() -> Iterator[str]:
    """What galaxy.yml does not leave out."""
    for path in TREE.rglob("*"):
        name = path.relative_to(TREE)
        places = [str(place) for place in (name, *name.parents)]
        ignored = any(fnmatch.fnmatch(place, pattern) for place in places for pattern in GALAXY["build_ignore"])
        if path.is_file() and not ignored:
            yield str(name)


def test_it_has_the_name_and_the_version_of_galaxy_yml(artifact: Artifact) -> None:
    info = artifact.json("MANIFEST.json")["collection_info"]
    assert {key: info[key] for key in ("namespace", "name", "version")} == {
        key: GALAXY[key] for key in ("namespace", "name", "version")
    }
    assert artifact.path.name == "{namespace}-{name}-{version}.tar.gz".format(**info)


def test_it_holds_what_git_tracks_but_for_what_galaxy_yml_leaves_out(artifact: Artifact) -> None:
    names = set(artifact.names())
    assert names == {"MANIFEST.json", "FILES.json", *published()} - {"galaxy.yml"}
    hidden = {name for name in names if name.startswith(".")}
    assert hidden == {".ansible-lint", ".yamllint"}  # galaxy-importer and ansible-lint look for them
    assert {"README.md", "COPYING", "bindep.txt", "meta/runtime.yml", "meta/execution-environment.yml"} < names


def test_a_build_in_a_used_checkout_is_the_same(artifact: Artifact, tmp_path: Path) -> None:
    # Environments, caches and results of tests are there, and none of them may get in.
    command = ["collection", "build", "--output-path", str(tmp_path), CHECKOUT]
    subprocess.run([Path(sys.executable).with_name("ansible-galaxy"), *command], check=True, stdout=subprocess.PIPE)
    again = Artifact(tmp_path / artifact.path.name)
    assert again.checksums() == artifact.checksums()
    assert sorted(again.names()) == sorted(artifact.names())
