# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The common parts of the nox sessions: a copy of the collection, results, environments, and ansible-test."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import nox

from tests.machine import (
    CORES,
    NOX_DIR,
    PYTHONS_DIR,
    ROOT,
    ansible_test_file,
    controllers,
    missing_for_pylint,
    one_at_a_time,
    provide_get_pip,
    requirement,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAMESPACE, NAME = "wasmops", "wasmtime"
COLLECTION = f"ansible_collections.{NAMESPACE}.{NAME}"
RESULTS = ROOT / "tests" / "output"
LIBRARIES = ("pytest", "-r", "tests/unit/requirements.txt")

RELEASED = [core for core in CORES if controllers(core) and not CORES[core].before_release]
if not RELEASED:
    sys.exit("No Python 3.11 to 3.14 with venv was found (Debian: apt-get install python3-venv).")
# The newest ansible-core that runs here, and the oldest one, which supports older targets.
NEW_CORE, OLD_CORE = RELEASED[-1], RELEASED[0]
on_new_python = functools.partial(nox.session, python=f"3.{controllers(NEW_CORE)[-1]}")
ORDER: list[str] = []  # `nox` and `make test` start sessions in this order


def results_folder(session: nox.Session) -> Path:
    """Return the session's own, empty folder for results."""
    folder = RESULTS / session.name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "junit").mkdir(parents=True)
    return folder


def collection_files() -> list[str]:
    """List the files that git tracks, and new ones that it does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    listing = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    names = filter(None, os.fsdecode(listing.stdout).split("\0"))
    # git lists deleted files, too, until the deletion is staged.
    return [name for name in names if (ROOT / name).is_symlink() or (ROOT / name).is_file()]


@contextlib.contextmanager
def collection_copy() -> Iterator[Path]:
    """Copy the collection's files to a temporary .../ansible_collections/NAMESPACE/NAME.

    ansible-test refuses any other path, also a symbolic link to the checkout. In a folder inside of
    the checkout it would use the checkout's git, which ignores that folder.
    """
    with tempfile.TemporaryDirectory(prefix=f"{NAME}-tests-") as root:
        Path(root).chmod(0o755)  # for integration tests that become another user
        tree = Path(root, "ansible_collections", NAMESPACE, NAME)
        for name in collection_files():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name, follow_symlinks=False)
        yield tree


def run_in_copy(session: nox.Session, *command: str, **env: str) -> None:
    """Run a command in a copy of the collection that Python can import."""
    with collection_copy() as tree, session.chdir(tree):
        session.run(*command, env={"PYTHONPATH": str(tree.parents[2]), **env})


def run_pytest(session: nox.Session, *words: str, **env: str) -> None:
    """Run pytest in a copy of the collection; the last arguments are the tests."""
    results = results_folder(session)
    run_in_copy(
        session, "pytest", "-q", "-p", "no:cacheprovider", "--import-mode", "importlib", "--rootdir", ".",
        f"--junit-xml={results}/junit/pytest.xml", *session.posargs, *words, **env,
    )  # fmt: skip


def environment(session: nox.Session, name: str, minor: int, *requirements: str) -> Path:
    """Return the folder of programs of an additional environment of the session, which is kept."""
    programs = NOX_DIR / name / "bin"
    if not (programs / "python").exists():
        interpreter = str(PYTHONS_DIR / f"python3.{minor}")
        session.run(interpreter, "-m", "venv", "--clear", str(programs.parent), external=True)
    session.run(str(programs / "python"), "-m", "pip", "install", *requirements, external=True)
    return programs


def minor_for(core: str) -> int:
    """Choose a Python for an ansible-core: the newest for the newest, the oldest for others."""
    return controllers(core)[-1 if core == NEW_CORE else 0]


def both_cores(session: nox.Session) -> dict[str, str]:
    """Install the newest and the oldest ansible-core; return the folders of their programs."""
    return {
        core: str(environment(session, f"fleet-{core}", minor_for(core), requirement(core)))
        for core in dict.fromkeys((OLD_CORE, NEW_CORE))
    }


def add(name: str, core: str, doc: str, run: Callable[[nox.Session], None], *, default: bool = True) -> None:
    """Add a session in an environment whose Python suits this ansible-core.

    Sessions that are not default are for a matrix or for single runs.
    """
    minor = minor_for(core)
    run.__doc__ = f"{doc} (ansible-core {core}, Python 3.{minor})"
    nox.session(run, name=name, python=f"3.{minor}")
    if default:
        ORDER.append(name)


def add_not_here(name: str, reason: str) -> None:
    """Add a session that only reports why it cannot run on this machine."""

    def run(session: nox.Session) -> None:
        session.skip(f"not run here, because {reason}")

    run.__doc__ = f"(not here: {reason})"
    nox.session(run, name=name, python=False)
    ORDER.append(name)


def note_skipped(results: Path, name: str, reason: str) -> None:
    """Write a JUnit file for a test that ansible-test does not run."""
    suite = ET.Element("testsuite")
    case = ET.SubElement(suite, "testcase", classname="ansible-test", name=name)
    ET.SubElement(case, "skipped", message=f"not run here, because {reason}")
    ET.ElementTree(suite).write(results / "junit" / f"{name}-not-here.xml")


# --- ansible-test ---


def ansible_test(session: nox.Session, core: str, results: Path, *command: str) -> None:
    """Run ansible-test in a copy of the collection; keep its JUnit files."""
    provide_get_pip(session.virtualenv.location, core)
    with collection_copy() as tree, session.chdir(tree):
        try:
            session.run("ansible-test", *command, "--color", "no", *session.posargs)
        finally:
            if Path("tests/output/junit").is_dir():
                shutil.copytree("tests/output/junit", results / "junit", dirs_exist_ok=True)


def add_sanity(core: str, *, default: bool = True) -> None:
    """Add the sanity tests of one ansible-core, for every target Python that is present."""

    def run(session: nox.Session) -> None:
        results = results_folder(session)
        session.install(requirement(core))
        archive = missing_for_pylint(session.virtualenv.location)
        if archive:
            note_skipped(results, "pylint", f"ansible-core {core} has pylint install {archive}, out of reach")
        with one_at_a_time("sanity"):
            ansible_test(session, core, results, "sanity", "--junit", *(["--skip-test", "pylint"] if archive else []))

    add(f"sanity-{core}", core, "ansible-test sanity", run, default=default)


def add_units(name: str, core: str, target: int | None = None, *, default: bool = True) -> None:
    """Add the unit tests with one ansible-core, on one target Python or on the controller's own."""

    def run(session: nox.Session) -> None:
        results = results_folder(session)
        session.install(requirement(core))
        minor = int(str(session.python).partition(".")[2]) if target is None else target
        # Without the tests of controller plugins on a Python that no controller supports.
        names = ("units", "ansible") if minor in CORES[core].controllers else ("units",)
        files = [ansible_test_file(session.virtualenv.location, f"_data/requirements/{name}.txt") for name in names]
        needs = [word for file in files for word in ("-r", str(file))]
        python = environment(session, f"{name}-on-3.{minor}", minor, *needs, *LIBRARIES) / "python"
        where = ("--controller", f"origin:python={session.python}", "--target-python", f"3.{minor}@{python}")
        ansible_test(session, core, results, "units", *where)

    place = "the controller's Python" if target is None else f"Python 3.{target}"
    add(name, core, f"Unit tests on {place}", run, default=default)


def add_integration(name: str, core: str, *, default: bool = True) -> None:
    """Add the integration tests with one ansible-core."""

    def run(session: nox.Session) -> None:
        results = results_folder(session)
        session.install(requirement(core))
        root = ["--allow-root"] if os.geteuid() == 0 else []
        # ansible-test only warns when it leaves such targets out.
        for aliases in ROOT.glob("tests/integration/targets/*/aliases"):
            if not root and "needs/root" in aliases.read_text().split():
                note_skipped(results, aliases.parent.name, "it needs root")
        ansible_test(session, core, results, "integration", "--venv", *root)

    add(name, core, "Integration tests on this machine", run, default=default)
