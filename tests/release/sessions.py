# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nox sessions of a release: the changelog, and the collection as it is built and installed."""

from __future__ import annotations

import json
import re
import shutil

import nox

from tests.machine import ROOT, requirement
from tests.sessions import NEW_CORE, RESULTS, collection_copy, on_new_python, results_folder, run_pytest

ANY_CORE = "ansible-core >= 2.19, < 2.23"


@nox.session
def changelog(session: nox.Session) -> None:
    """Check the changelog and its fragments, and that CHANGELOG.md is up to date (`-- release` writes that of a release)."""
    session.install("antsibull-changelog >= 0.36, < 1", ANY_CORE)
    with collection_copy() as tree, session.chdir(tree):
        if session.posargs:
            # Outside of such a copy, it does not find new modules.
            session.run("antsibull-changelog", *session.posargs)
            shutil.rmtree(ROOT / "changelogs")
            shutil.copytree("changelogs", ROOT / "changelogs", ignore=shutil.ignore_patterns(".plugin-cache.yaml"))
            shutil.copy("CHANGELOG.md", ROOT)
            return
        session.run("antsibull-changelog", "lint")
        session.run("antsibull-changelog", "lint-changelog-yaml", "changelogs/changelog.yaml")
        session.run("antsibull-changelog", "generate")
        if (tree / "CHANGELOG.md").read_bytes() != (ROOT / "CHANGELOG.md").read_bytes():
            session.error("CHANGELOG.md is out of date: run antsibull-changelog generate")


@nox.session(name="galaxy-importer")
def galaxy_importer(session: nox.Session) -> None:
    """Build the collection and import it as Galaxy does; warnings fail."""
    results = results_folder(session)
    session.install("galaxy-importer >= 0.4", ANY_CORE)
    with collection_copy() as tree:
        session.run(
            "ansible-galaxy", "collection", "build", "--output-path", str(results), str(tree),
            silent=True,
        )  # fmt: skip
    (artifact,) = results.glob("*.tar.gz")
    with session.chdir(results):
        log = str(session.run("python", "-m", "galaxy_importer.main", artifact.name, silent=True))
    print(log)
    if re.search(r"^(WARNING|ERROR|CRITICAL)\b", log, re.MULTILINE):
        session.error("galaxy-importer complained")


@on_new_python(requires=["galaxy-importer"])
def artifact(session: nox.Session) -> None:
    """Check the collection that galaxy-importer has built, install it in an empty environment, and use it there."""
    core = requirement(NEW_CORE)
    session.install(core, "ansible-builder >= 3.1, < 4", "pytest", "semantic-version >= 2.10, < 3")
    (built,) = RESULTS.glob("galaxy-importer/*.tar.gz")
    given = {"artifact": str(built), "checkout": str(ROOT), "core": core}
    run_pytest(session, "tests/release", RELEASE=json.dumps(given))
