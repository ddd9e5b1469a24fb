# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a version from being released."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from ansible_collections.wasmops.wasmtime.tests.release.ready import NotReady, check_changelog, check_version

if TYPE_CHECKING:
    from pathlib import Path

GALAXY = "namespace: a\nname: b\nversion: 1.2.0\n"
CHANGELOG = "releases:\n  1.2.0:\n    release_date: '2026-11-22'\n  1.1.0:\n    release_date: '2026-10-22'\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A committed collection that can be released."""
    (tmp_path / "galaxy.yml").write_text(GALAXY, encoding="utf-8")
    (tmp_path / "changelogs" / "fragments").mkdir(parents=True)
    (tmp_path / "changelogs" / "fragments" / ".keep").touch()
    (tmp_path / "changelogs" / "changelog.yaml").write_text(CHANGELOG, encoding="utf-8")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    git(tmp_path, *who, "commit", "--quiet", "--message", "all")
    return tmp_path


def git(root: Path, *command: str) -> None:
    subprocess.run(["git", "-c", "tag.gpgSign=false", "-c", "commit.gpgSign=false", *command], cwd=root, check=True)


def test_a_version_before_and_after_its_tag(root: Path) -> None:
    assert check_version(root) == "1.2.0, not tagged yet"
    git(root, "tag", "v1.2.0")
    git(root, "tag", "latest")
    assert check_version(root) == "1.2.0, tagged"
    assert check_changelog(root) == "1.2.0 of 2026-11-22, no fragment left"


@pytest.mark.parametrize("version", ["1.2", "v1.2.0", "1.2.0.dev1", "1.02.0"])
def test_a_version_that_is_not_semantic(root: Path, version: str) -> None:
    (root / "galaxy.yml").write_text(GALAXY.replace("1.2.0", version), encoding="utf-8")
    with pytest.raises(NotReady, match=f"^galaxy.yml has version {version}, which is not semantic; "):
        check_version(root)


def test_another_tag(root: Path) -> None:
    git(root, "tag", "v1.3.0")
    with pytest.raises(NotReady, match=r"^galaxy.yml has version 1.2.0, but HEAD has the tag v1.3.0; "):
        check_version(root)


def test_changes_after_the_tag(root: Path) -> None:
    git(root, "tag", "v1.2.0")
    (root / "new").touch()
    with pytest.raises(NotReady, match=r"^there are changes that the tag v1.2.0 does not have; "):
        check_version(root)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("  1.2.0:", "  1.10.0:", "galaxy.yml has version 1.2.0, but the newest in the changelog is 1.10.0; "),
        ("release_date: '2026-11-22'", "changes: {}", "version 1.2.0 has no date in changelogs/changelog.yaml; "),
    ],
)
def test_a_changelog_without_the_version_or_its_date(root: Path, old: str, new: str, reason: str) -> None:
    (root / "changelogs" / "changelog.yaml").write_text(CHANGELOG.replace(old, new), encoding="utf-8")
    with pytest.raises(NotReady, match="^" + reason):
        check_changelog(root)


def test_a_fragment_that_waits(root: Path) -> None:
    (root / "changelogs" / "fragments" / "7-more.yml").touch()
    with pytest.raises(NotReady, match=r"^changelogs/fragments still has 7-more.yml; "):
        check_changelog(root)
