# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be so before a version is released, beside what tests can say."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import semantic_version
import yaml

if TYPE_CHECKING:
    from pathlib import Path


class NotReady(Exception):
    """Why this cannot be released, as a sentence."""


def version_of(root: Path) -> str:
    """The version in galaxy.yml."""
    return str(_read(root / "galaxy.yml")["version"])


def check_version(root: Path) -> str:
    """The version is a semantic one, and that of the tag if there is one."""
    version = version_of(root)
    if not semantic_version.validate(version):
        raise NotReady(f"galaxy.yml has version {version}, which is not semantic; write one like 1.2.3")
    tags = _git(root, "tag", "--points-at", "HEAD").split()
    if tags and f"v{version}" not in tags:
        raise NotReady(f"galaxy.yml has version {version}, but HEAD has the tag {', '.join(tags)}; make them the same")
    if tags and _git(root, "status", "--porcelain"):
        raise NotReady(f"there are changes that the tag v{version} does not have; commit them and tag anew")
    return f"{version}, {'tagged' if tags else 'not tagged yet'}"


def check_changelog(root: Path) -> str:
    """The version is the newest one in the changelog, with a date, and nothing waits to get in."""
    version = version_of(root)
    releases = _read(root / "changelogs" / "changelog.yaml")["releases"]
    newest = max(releases, key=semantic_version.Version)
    if newest != version:
        raise NotReady(
            f"galaxy.yml has version {version}, but the newest in the changelog is {newest}; run antsibull-changelog release"
        )
    date = releases[version].get("release_date")
    if not date:
        raise NotReady(f"version {version} has no date in changelogs/changelog.yaml; run antsibull-changelog release")
    fragments = sorted(path.name for path in (root / "changelogs" / "fragments").glob("[!.]*"))
    if fragments:
        raise NotReady(f"changelogs/fragments still has {', '.join(fragments)}; run antsibull-changelog release")
    return f"{version} of {date}, no fragment left"


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _git(root: Path, *command: str) -> str:
    return subprocess.run(["git", *command], cwd=root, stdout=subprocess.PIPE, text=True, check=True).stdout
