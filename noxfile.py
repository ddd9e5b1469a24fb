# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every check of this collection, as nox sessions.

`make test` runs all of them, `nox -l` lists them, `nox -s NAME -- ARGS` runs one. The sessions
that need neither ansible-test nor care of their own come ready-made from antsibull-nox
(antsibull-nox.toml).

A session leaves what it found (JUnit XML, coverage data) in tests/output/<session>/, where
tests/summary.py reads it.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

import antsibull_nox
import nox
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

nox.needs_version = ">=2026.8.10"
# Hundreds of lines of downloads would hide what matters; errors are shown all the same.
os.environ.update(PIP_QUIET="2", PIP_PROGRESS_BAR="off", PIP_DISABLE_PIP_VERSION_CHECK="1")
if not sys.stdout.isatty():
    os.environ["NO_COLOR"] = "1"
nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"
nox.options.reuse_venv = "yes"

ROOT = Path(__file__).resolve().parent
NAMESPACE, NAME = "wasmops", "wasmtime"
RESULTS = ROOT / "tests" / "output"
NOX_DIR = ROOT / ".nox"
PYTHONS_DIR = NOX_DIR / "pythons"
SYSTEM_DIRS = {"/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"}


class Core(NamedTuple):
    """A release of ansible-core: where it runs, what it manages, how its ansible-test gets pip."""

    controllers: range  # minor versions of Python 3
    targets: range
    get_pip: str


CORES = {
    "2.18": Core(range(11, 14), range(8, 14), "24_2"),
    "2.19": Core(range(11, 14), range(8, 14), "24_2"),
    "2.20": Core(range(12, 15), range(9, 15), "25_2"),
    "2.21": Core(range(12, 15), range(9, 15), "25_2"),
}
NEWEST_CORE = "2.21"
OLDEST_TARGET, NEWEST_TARGET = 8, 14  # what README.md and tests/config.yml promise


# --- The Pythons of this machine ---


def working(python: Path) -> str | None:
    """Return the real path of an interpreter that can make virtual environments, else None.

    Version managers put shims on PATH that exist for every version and run for few.
    """
    code = "import ensurepip, sys, venv; print(getattr(sys, '_base_executable', sys.executable))"
    try:
        result = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return os.path.realpath(result.stdout.strip())


def find_pythons() -> set[int]:
    """Find a working interpreter for each Python 3 minor version, and put all first on PATH.

    ansible-test and nox both take any python3.X they see on PATH, working or not. Folders whose
    interpreters do not run are dropped from it, except those of the system.
    """
    folders = os.environ["PATH"].split(os.pathsep)
    if folders[0] != str(PYTHONS_DIR):  # else the nox that started this one has done it
        managed = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
        extra = sorted(glob.glob(f"{managed}/versions/3.*/bin"), reverse=True)  # noqa: PTH207 # forgives
        found: dict[int, str] = {}
        broken = set()
        for folder in dict.fromkeys(folders + extra):
            for minor in range(OLDEST_TARGET, NEWEST_TARGET + 1):
                python = Path(folder, f"python3.{minor}")
                if not python.exists() or (minor in found and folder in extra):
                    continue
                real = working(python)
                if real:
                    found.setdefault(minor, real)
                elif folder not in SYSTEM_DIRS:
                    broken.add(folder)
        shutil.rmtree(PYTHONS_DIR, ignore_errors=True)
        PYTHONS_DIR.mkdir(parents=True)
        for minor, real in found.items():
            (PYTHONS_DIR / f"python3.{minor}").symlink_to(real)
        kept = [folder for folder in folders if folder not in broken]
        os.environ["PATH"] = os.pathsep.join([str(PYTHONS_DIR), *kept])
    return {int(path.name.partition(".")[2]) for path in PYTHONS_DIR.iterdir()}


PYTHONS = find_pythons()


def controllers(core: str) -> list[int]:
    """Return the Pythons of this machine that this ansible-core runs on, oldest first."""
    return sorted(PYTHONS.intersection(CORES[core].controllers))


USABLE_CORES = [core for core in CORES if controllers(core)]
if not USABLE_CORES:
    sys.exit("No Python 3.11 to 3.14 with venv was found (Debian: apt-get install python3-venv).")
# Two ends: the newest ansible-core that runs here, and an old one that reaches older targets.
NEW_CORE = USABLE_CORES[-1]
OLD_CORE = "2.18" if NEW_CORE == "2.19" else "2.19"


# --- What the sessions share ---


def results_folder(session: nox.Session) -> Path:
    """Return the session's own, empty folder for results."""
    folder = RESULTS / session.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def collection_files() -> list[str]:
    """List what git tracks, or would track if it were asked to."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    names = filter(None, os.fsdecode(listing.stdout).split("\0"))
    # A file can be deleted without git having been told.
    return [name for name in names if (ROOT / name).is_symlink() or (ROOT / name).is_file()]


@contextlib.contextmanager
def collection_copy() -> Iterator[Path]:
    """Copy the collection's files to .../ansible_collections/NAMESPACE/NAME, for a while.

    ansible-test refuses any other place. A symbolic link to the checkout does not do, nor does a
    folder inside of it: ansible-test would ask the checkout's git, which ignores that folder.
    """
    with tempfile.TemporaryDirectory(prefix=f"{NAME}-tests-") as root:
        Path(root).chmod(0o755)  # for integration tests that become another user
        tree = Path(root, "ansible_collections", NAMESPACE, NAME)
        for name in collection_files():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name, follow_symlinks=False)
        yield tree


@contextlib.contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Keep sessions apart that would fill the same cache at the same moment."""
    with (NOX_DIR / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


GET_PIP_STANDIN = '''\
"""Stand-in for get-pip: start the pip that Python brings along, and let it do the rest."""

import ensurepip
import glob
import os
import sys
import sysconfig

places = [
    os.path.join(os.path.dirname(ensurepip.__file__), "_bundled"),
    sysconfig.get_config_var("WHEEL_PKG_DIR") or "/usr/share/python-wheels",
]
sys.path.insert(0, [w for p in places for w in glob.glob(os.path.join(p, "pip-*.whl"))][0])
options = [arg for arg in sys.argv[1:] if arg not in ("--no-setuptools", "--no-wheel")]

from pip._internal.cli.main import main

sys.exit(main(["install", "--upgrade", "--force-reinstall", *options]))
'''


def provide_get_pip(session: nox.Session, core: str) -> None:
    """Put a stand-in where ansible-test caches get-pip, if it is not there and cannot be had.

    ansible-test loads that script from a server of its own, which not every network reaches.
    """
    cached = Path(f"~/.ansible/test/cache/get_pip_{CORES[core].get_pip}.py").expanduser()
    with one_at_a_time("get-pip"):
        if cached.exists():
            return
        content = GET_PIP_STANDIN.encode()
        for downloader in Path(session.virtualenv.location).glob(
            "lib/python3.*/site-packages/ansible_test/_util/target/setup/requirements.py"
        ):
            url = re.search(r"'(https://\S+get-pip-%s\.py)'", downloader.read_text())
            if url:
                address = url[1] % CORES[core].get_pip.replace("_", ".")
                with contextlib.suppress(OSError):
                    content = urllib.request.urlopen(address, timeout=10).read()
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.write_bytes(content)


def ansible_test(session: nox.Session, core: str, *commands: tuple[str, ...]) -> None:
    """Run ansible-test in a copy of the collection; keep its JUnit files and coverage data."""
    results = results_folder(session)
    session.install(f"ansible-core ~= {core}.0")
    provide_get_pip(session, core)
    with collection_copy() as tree, session.chdir(tree):
        try:
            for command in commands:
                session.run("ansible-test", *command, "--color", "no", *session.posargs)
        finally:
            for kind in ("junit", "coverage"):
                if Path("tests/output", kind).is_dir():
                    shutil.copytree(Path("tests/output", kind), results / kind)


ORDER: list[str] = []  # `nox` and `make test` start sessions in this order


def minor_for(core: str) -> int:
    """Choose a Python for an ansible-core: the oldest for the old one, the newest for the new one."""
    return controllers(core)[-1 if core == NEW_CORE else 0]


def add(name: str, core: str, doc: str, run: Callable[[nox.Session], None], *, default: bool = True) -> None:
    """Add a session in an environment whose Python suits this ansible-core.

    One that is not among the defaults is for a matrix, or for a closer look.
    """
    minor = minor_for(core)
    run.__doc__ = f"{doc} (ansible-core {core}, Python 3.{minor})"
    nox.session(run, name=name, python=f"3.{minor}")
    if default:
        ORDER.append(name)


def add_not_here(name: str, reason: str) -> None:
    """Add a session that only says why it cannot run on this machine."""

    def run(session: nox.Session) -> None:
        session.skip(f"not run here, because {reason}")

    run.__doc__ = f"(not here: {reason})"
    nox.session(run, name=name, python=False)
    ORDER.append(name)


# --- ansible-test ---


def add_sanity(core: str, *, default: bool = True) -> None:
    """Add the sanity tests of one ansible-core, for every target Python that is present."""

    def run(session: nox.Session) -> None:
        with one_at_a_time("sanity"):
            ansible_test(session, core, ("sanity", "--junit"))

    add(f"sanity-{core}", core, "ansible-test sanity", run, default=default)


def add_units(name: str, core: str, target: int | None = None, *, default: bool = True) -> None:
    """Add the unit tests with one ansible-core, on one target Python or on the controller's own."""

    def run(session: nox.Session) -> None:
        controller = f"origin:python={session.python}"
        python = session.python if target is None else f"3.{target}"
        ansible_test(
            session, core, ("units", "--coverage", "--controller", controller, "--target-python", f"venv/{python}")
        )

    where = "the controller's Python" if target is None else f"Python 3.{target}"
    add(name, core, f"Unit tests on {where}", run, default=default)


def add_integration(name: str, core: str, *, default: bool = True) -> None:
    """Add the integration tests with one ansible-core."""

    def run(session: nox.Session) -> None:
        root = ["--allow-root"] if os.geteuid() == 0 else []
        command = ("integration", "--venv", *root)
        # Its modules run as another user, in a Python that has no coverage.
        apart = "privileged"
        if session.posargs:
            commands = [command]
        elif root:
            commands = [(*command, "--coverage", "--exclude", apart), (*command, apart)]
        else:
            commands = [(*command, "--coverage")]
        try:
            ansible_test(session, core, *commands)
        finally:
            # ansible-test leaves such targets out with no more than a warning.
            junit = RESULTS / session.name / "junit"
            junit.mkdir(exist_ok=True)
            for aliases in ROOT.glob("tests/integration/targets/*/aliases"):
                if not root and "needs/root" in aliases.read_text().split():
                    suite = ET.Element("testsuite")
                    case = ET.SubElement(suite, "testcase", name=aliases.parent.name)
                    ET.SubElement(case, "skipped", message="not run here, because it needs root")
                    ET.ElementTree(suite).write(junit / f"{aliases.parent.name}.xml")

    add(name, core, "Integration tests on this machine", run, default=default)


add_sanity(NEW_CORE)
targets = sorted(target for target in PYTHONS if any(target in CORES[core].targets for core in USABLE_CORES))
for target in targets:
    newest = next(core for core in reversed(USABLE_CORES) if target in CORES[core].targets)
    add_units(f"units-3.{target}", newest, target, default=target in (targets[0], targets[-1]))
add_integration("integration", NEW_CORE)
add_sanity(OLD_CORE)
# For a matrix, which names the Python of the controller: nox -s sanity-2.18 --force-python 3.12
for core in USABLE_CORES:
    add_units(f"units-{core}", core, default=False)
    add_integration(f"integration-{core}", core, default=False)
    if core not in (OLD_CORE, NEW_CORE):
        add_sanity(core, default=False)

if NEW_CORE != NEWEST_CORE:
    wanted = CORES[NEWEST_CORE].controllers
    add_not_here(f"sanity-{NEWEST_CORE}", f"it needs Python 3.{wanted[0]} to 3.{wanted[-1]}")
for target in sorted({OLDEST_TARGET, NEWEST_TARGET}.difference(targets)):
    add_not_here(f"units-3.{target}", f"there is no working Python 3.{target}")


@nox.session(python=f"3.{controllers(NEW_CORE)[-1]}")
def coverage(session: nox.Session) -> None:
    """Combine and show the coverage of plugins/ by all sessions that have run before."""
    session.install(f"ansible-core ~= {NEW_CORE}.0")
    with collection_copy() as tree, session.chdir(tree):
        collected = Path("tests/output/coverage")
        collected.mkdir(parents=True)
        for data in RESULTS.glob("*/coverage/*"):
            shutil.copy2(data, collected)
        # Paths on targets, in zips and in copies become those of the collection.
        session.run("ansible-test", "coverage", "combine", "--requirements", "--color", "no")
        # A file that no test has loaded is not in the data, and shall not go unseen.
        sources = [str(path.resolve()) for path in Path("plugins").glob("[!d]*/*.py")]
        touch = (
            "import coverage, sys; data = coverage.CoverageData(sys.argv[1]); data.read();"
            "data.touch_files(sys.argv[2:]); data.write()"
        )
        session.run("python", "-c", touch, str(collected / "coverage"), *sources)
        session.run(
            "coverage", "report", f"--data-file={collected}/coverage", "--include=plugins/*",
            *session.posargs,
        )  # fmt: skip


# --- Checks with needs of their own ---


@nox.session(name="core-alone")
def core_alone(session: nox.Session) -> None:
    """Run the tests of the pure core (module_utils) with plain pytest, no Ansible installed."""
    results = results_folder(session)
    session.install("pytest", "-r", "tests/unit/requirements.txt")
    session.run("python", "-c", "import importlib.util as u, sys; sys.exit(u.find_spec('ansible'))")
    with collection_copy() as tree, session.chdir(tree):
        session.run(
            "pytest", "-q", "-p", "no:cacheprovider", "--import-mode", "importlib",
            "--rootdir", ".", f"--junit-xml={results}/junit/pytest.xml", *session.posargs,
            "tests/unit/plugins/module_utils",
            env={"PYTHONPATH": str(tree.parents[2])},
        )  # fmt: skip


# The real engines stay installed here; whoever needs one first installs it, others wait (tests/engine/engines.py).
ENGINES = {"WASMTIME_ENGINES": str(NOX_DIR / "engines")}


def with_engines(session: nox.Session, *command: str) -> None:
    """Run a Python module next to the real engines."""
    session.install(f"ansible-core ~= {NEW_CORE}.0", "pytest", "-r", "tests/unit/requirements.txt")
    with collection_copy() as tree, session.chdir(tree):
        session.run("python", "-m", *command, *session.posargs, env={"PYTHONPATH": str(tree.parents[2]), **ENGINES})


@nox.session(python=f"3.{controllers(NEW_CORE)[-1]}")
def engine(session: nox.Session) -> None:
    """Compare with seven real engines: thousands of documents, and what we write."""
    with_engines(
        session, "pytest", "-q", "-p", "no:cacheprovider", "--import-mode", "importlib", "--rootdir", ".",
        f"--junit-xml={results_folder(session)}/junit/pytest.xml", "tests/engine",
    )  # fmt: skip


@nox.session(python=f"3.{controllers(NEW_CORE)[-1]}")
def programs(session: nox.Session) -> None:
    """Look into real programs and processes with Wasmtime (`-- --all-files`: into all, 600 MB to download)."""
    with_engines(
        session, "pytest", "-q", "-p", "no:cacheprovider", "--import-mode", "importlib", "--rootdir", ".",
        f"--junit-xml={results_folder(session)}/junit/pytest.xml", "tests/engines",
    )  # fmt: skip


@nox.session(python=f"3.{controllers(NEW_CORE)[-1]}")
def faults(session: nox.Session) -> None:
    """Kill the module at any moment, let every system call of it fail, run many at once (needs strace; root for all)."""
    results = results_folder(session)
    session.install(f"ansible-core ~= {NEW_CORE}.0", "pytest", "-r", "tests/unit/requirements.txt")
    with collection_copy() as tree, session.chdir(tree):
        session.run(
            "pytest", "-q", "-p", "no:cacheprovider", "--import-mode", "importlib", "--rootdir", ".",
            f"--junit-xml={results}/junit/pytest.xml", *session.posargs, "tests/faults",
            env={"PYTHONPATH": str(tree.parents[2])},
        )  # fmt: skip


@nox.session(python=f"3.{controllers(NEW_CORE)[-1]}")
def report(session: nox.Session) -> None:
    """See the report's page in a real browser (`-- screenshots FOLDER` or `-- measure`: of 5,000 hosts)."""
    if not ((shutil.which("chromium") or shutil.which("google-chrome")) and shutil.which("chromedriver")):
        session.skip("not run here, because chromium and chromedriver are not installed")
    session.install(f"ansible-core ~= {NEW_CORE}.0", "axe-selenium-python >= 3, < 4", "pytest", "selenium >= 4.30, < 5")
    with collection_copy() as tree, session.chdir(tree):
        env = {"PYTHONPATH": str(tree.parents[2])}
        if session.posargs:
            session.run(
                "python", "-m", f"ansible_collections.{NAMESPACE}.{NAME}.tests.report", *session.posargs, env=env
            )
            return
        session.run(
            "pytest", "-q", "-p", "no:cacheprovider", "--import-mode", "importlib", "--rootdir", ".",
            f"--junit-xml={results_folder(session)}/junit/pytest.xml", "tests/report",
            env=env,
        )  # fmt: skip


@nox.session(name="engine-test", python=f"3.{controllers(NEW_CORE)[-1]}")
def engine_test(session: nox.Session) -> None:
    """Compare with the real engines for as long as one likes (`-- --count N --seed SEED`)."""
    with_engines(session, f"ansible_collections.{NAMESPACE}.{NAME}.tests.engine")


def environment_of(session: nox.Session, core: str) -> str:
    """Install an ansible-core next to the session's environment; return the folder of its programs."""
    folder = NOX_DIR / f"fleet-{core}"
    python = folder / "bin" / "python"
    if not python.exists():
        interpreter = PYTHONS_DIR / f"python3.{minor_for(core)}"
        session.run(str(interpreter), "-m", "venv", "--clear", str(folder), external=True)
    session.run(str(python), "-m", "pip", "install", f"ansible-core ~= {core}.0", external=True)
    return str(folder / "bin")


@nox.session
def fleet(session: nox.Session) -> None:
    """Two ansible-cores over real SSH against hosts with four releases of Debian (needs root)."""
    results = results_folder(session)
    lab = [sys.executable, str(ROOT / "tests" / "fleet" / "lab.py"), "impossible"]
    reason = subprocess.run(lab, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    if reason:
        session.skip(f"not run here, because {reason}")
    session.install("pytest")
    cores = {core: environment_of(session, core) for core in (OLD_CORE, NEW_CORE)}
    with collection_copy() as tree, session.chdir(tree):
        env = {"PYTHONPATH": str(tree.parents[2]), "FLEET_CORES": json.dumps(cores), **ENGINES}
        session.run(
            "pytest", "-q", "-p", "no:cacheprovider", "--import-mode", "importlib", "--rootdir", ".",
            f"--junit-xml={results}/junit/pytest.xml", *session.posargs, "tests/fleet",
            env=env,
        )  # fmt: skip


@nox.session(python=f"3.{controllers(NEW_CORE)[-1]}")
def docs(session: nox.Session) -> None:
    """Build the documentation site in docs/build; warnings fail, and so does what is loaded from elsewhere."""
    results = results_folder(session)
    session.install(
        f"ansible-core ~= {NEW_CORE}.0", "antsibull-docs >= 2.28, < 3", "furo >= 2025.12", "markdown-it-py",
        "myst-parser >= 5, < 6", "pytest", "selenium >= 4.30, < 5", "sphinx >= 9, < 10",
    )  # fmt: skip
    site = ROOT / "docs" / "build"
    with collection_copy() as tree:
        docsite, source = tree / "docs" / "docsite", tree / "docs" / "build"
        source.mkdir(mode=0o755)
        env = {"ANSIBLE_COLLECTIONS_PATH": str(tree.parents[2]), "PYTHONPATH": str(tree.parents[2])}
        session.run(
            "antsibull-docs", "--config-file", str(docsite / "antsibull-docs.cfg"), "collection", "--use-current",
            "--squash-hierarchy", "--no-indexes", "--fail-on-error", "--dest-dir", str(source), f"{NAMESPACE}.{NAME}",
            env=env,
        )  # fmt: skip
        for page in (docsite / "index.rst", *tree.glob("docs/*.md"), *tree.glob("docs/*.svg")):
            shutil.copy2(page, source)
        shutil.rmtree(site, ignore_errors=True)
        session.run("sphinx-build", "-q", "-W", "--keep-going", "-c", str(docsite), str(source), str(site))
        with session.chdir(tree):
            session.run(
                "pytest", "-q", "-p", "no:cacheprovider", "--import-mode", "importlib", "--rootdir", ".",
                "-W", "ignore::PendingDeprecationWarning", f"--junit-xml={results}/junit/pytest.xml", *session.posargs,
                "tests/docs/test_site.py",
                env={**env, "DOCS_SITE": str(site)},
            )  # fmt: skip
    print(f"The site is at {site}/index.html")


@nox.session(python=f"3.{controllers(NEW_CORE)[-1]}")
def guide(session: nox.Session) -> None:
    """Do what README.md and the guide say, on hosts of its own (needs root for all of it)."""
    results = results_folder(session)
    session.install("antsibull-docutils", "markdown-it-py", "pytest", "pyyaml", "-r", "tests/unit/requirements.txt")
    with collection_copy() as tree, session.chdir(tree):
        session.run(
            "pytest", "-q", "-p", "no:cacheprovider", "--import-mode", "importlib", "--rootdir", ".",
            "-W", "ignore::PendingDeprecationWarning", f"--junit-xml={results}/junit/pytest.xml", *session.posargs,
            "tests/docs/test_guide.py", "tests/docs/test_words.py",
            env={"PYTHONPATH": str(tree.parents[2]), "WASMTIME_ENGINES": str(NOX_DIR / "engines")},
        )  # fmt: skip


# Not among the tests: each time it is another sample, and takes its time.
@nox.session(python=f"3.{controllers(NEW_CORE)[-1]}")
def mutants(session: nox.Session) -> None:
    """Change plugins/ at random places, and list the changes that no unit test notices (`-- --count N --seed SEED`)."""
    session.install(
        f"ansible-core ~= {NEW_CORE}.0",
        "cosmic-ray >= 8.7, < 9",
        "pytest",
        "pytest-timeout",
        "-r",
        "tests/unit/requirements.txt",
    )
    with collection_copy() as tree, session.chdir(tree):
        session.run("python", "tests/mutants.py", *session.posargs, env={"PYTHONPATH": str(tree.parents[2])})


# Not among the tests: on a machine that does other things as well it measures those.
@nox.session(python=f"3.{controllers(NEW_CORE)[-1]}")
def benchmark(session: nox.Session) -> None:
    """Measure what tasks and whole runs cost over real SSH (`-- --quick`: in some minutes; needs root)."""
    session.install("matplotlib >= 3.10, < 4", "platformdirs >= 4.3.6, < 5", "tomli-w >= 1.0, < 2")
    cores = {core: environment_of(session, core) for core in (OLD_CORE, NEW_CORE)}
    pulled, general = (Path(session.virtualenv.location, name) for name in ("pulled", "general"))
    if not pulled.exists():
        # For a host with Debian's stable release, which is to run it itself.
        suitable = ("--python-version", "3.13", "--only-binary", ":all:")
        session.install("--target", str(pulled), *suitable, f"ansible-core ~= {NEW_CORE}.0")
    with tempfile.TemporaryDirectory() as folder:
        # All of this package would be 40,000 files, and one collection is wanted.
        session.run("python", "-m", "pip", "download", "--no-deps", "--dest", folder, "ansible")
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            wanted = [name for name in wheel.namelist() if name.startswith("ansible_collections/community/general/")]
            wheel.extractall(general, wanted)
    given = {"root": str(ROOT), "cores": cores, "general": str(general), "pulled": str(pulled)}
    with collection_copy() as tree:
        module = f"ansible_collections.{NAMESPACE}.{NAME}.tests.benchmark"
        env = {"PYTHONPATH": str(tree.parents[2]), "BENCHMARK": json.dumps(given)}
        session.run("python", "-m", module, *session.posargs, env=env)


antsibull_nox.load_antsibull_nox_toml()


@nox.session
def ruff(session: nox.Session) -> None:
    """Check style and format of the Python code (`-- fix` corrects what can be corrected)."""
    session.install("ruff >= 0.17, < 0.18")
    fix = "fix" in session.posargs
    # Both are run, so that both can be read.
    codes = range(2)
    session.run("ruff", "format", *([] if fix else ["--diff"]), success_codes=codes)
    session.run("ruff", "check", *(["--fix"] if fix else []), success_codes=codes)
    session.run("ruff", "format", "--check", "--quiet")
    session.run("ruff", "check", "--quiet", "--output-format", "concise")


@nox.session
def changelog(session: nox.Session) -> None:
    """Check the changelog and its fragments, and that CHANGELOG.md is what they make (`-- release` makes a release's)."""
    session.install("antsibull-changelog >= 0.36, < 1", "ansible-core >= 2.18, < 2.22")
    with collection_copy() as tree, session.chdir(tree):
        if session.posargs:
            # Outside of such a copy it would not find the modules that are new.
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
    session.install("galaxy-importer >= 0.4", "ansible-core >= 2.18, < 2.22")
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


@nox.session(python=f"3.{controllers(NEW_CORE)[-1]}", requires=["galaxy-importer"])
def artifact(session: nox.Session) -> None:
    """Look into the collection that galaxy-importer has built, install it where nothing else is, and use it there."""
    results = results_folder(session)
    core = f"ansible-core ~= {NEW_CORE}.0"
    session.install(core, "ansible-builder >= 3.1, < 4", "pytest", "semantic-version >= 2.10, < 3")
    (built,) = RESULTS.glob("galaxy-importer/*.tar.gz")
    given = {"artifact": str(built), "checkout": str(ROOT), "core": core}
    with collection_copy() as tree, session.chdir(tree):
        session.run(
            "pytest", "-q", "-p", "no:cacheprovider", "--import-mode", "importlib", "--rootdir", ".",
            f"--junit-xml={results}/junit/pytest.xml", *session.posargs, "tests/release",
            env={"PYTHONPATH": str(tree.parents[2]), "RELEASE": json.dumps(given)},
        )  # fmt: skip


@nox.session
def workflows(session: nox.Session) -> None:
    """Check what a public CI runs: its schema, its security, and that its matrix is that of this file."""
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
    """Check the shell scripts (ansible-test sanity passes over them in silence without it)."""
    if not shutil.which("shellcheck"):
        session.skip("not run here, because shellcheck is not installed")
    scripts = [name for name in collection_files() if name.endswith(".sh") or name == ".ci/run"]
    session.run("shellcheck", *scripts, external=True)


# The longest ones go first.
ORDER[:0] = ["fleet", "guide"]
ORDER += [
    "core-alone",
    "engine",
    "programs",
    "faults",
    "report",
    "typing",
    "ansible-lint",
    "galaxy-importer",
    "artifact",
    "docs",
    "docs-check",
    "license-check",
    "ruff",
    "yamllint",
    "workflows",
    "extra-checks",
    "antsibull-nox-config",
    "changelog",
    "shellcheck",
]
nox.options.sessions = ORDER
