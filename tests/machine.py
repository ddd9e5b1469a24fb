# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts about ansible-core and this machine for the nox sessions: its Pythons, and the files that it can download."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
NOX_DIR = ROOT / ".nox"
PYTHONS_DIR = NOX_DIR / "pythons"
SYSTEM_DIRS = {"/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"}


class Core(NamedTuple):
    """A release of ansible-core: the Pythons of controllers and targets, and how its ansible-test gets pip."""

    controllers: range  # minor versions of Python 3
    targets: range
    get_pip: str
    before_release: str = ""  # the version to install before the release


CORES = {
    "2.19": Core(range(11, 14), range(8, 14), "24_2"),
    "2.20": Core(range(12, 15), range(9, 15), "25_2"),
    "2.21": Core(range(12, 15), range(9, 15), "25_2"),
    "2.22": Core(range(13, 15), range(9, 15), "25_2", "rc1"),
}
OLDEST_TARGET, NEWEST_TARGET = 8, 14  # as README.md and tests/config.yml promise


def requirement(core: str) -> str:
    """Return the requirement for an ansible-core: its newest release, or one before the first release."""
    return f"ansible-core >= {core}.0{CORES[core].before_release}, == {core}.*"


# --- Pythons ---


def working(python: Path) -> str | None:
    """Return the real path of an interpreter that can create virtual environments, otherwise None.

    Version managers put shims for all versions on PATH, few of which work.
    """
    code = "import ensurepip, sys, venv; print(getattr(sys, '_base_executable', sys.executable))"
    try:
        result = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return os.path.realpath(result.stdout.strip())


def find_pythons() -> set[int]:
    """Find a working interpreter for each Python 3 minor version, and put all first on PATH.

    ansible-test and nox both use any python3.X on PATH, working or not. Folders whose
    interpreters do not run are removed from PATH, except those of the system.
    """
    folders = os.environ["PATH"].split(os.pathsep)
    if folders[0] != str(PYTHONS_DIR):  # otherwise the nox that started this one has done it
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


# --- Downloads that ansible-test makes from elsewhere than the package index ---


@contextlib.contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Lock a cache, so that one session at a time fills it."""
    with (NOX_DIR / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def download(address: str) -> bytes | None:
    """Return the content at an address; None if this machine cannot reach it."""
    try:
        return bytes(urllib.request.urlopen(address, timeout=60).read())
    except OSError:
        return None


def ansible_test_file(environment: str, name: str) -> Path:
    """Return a file of the ansible-test in a virtual environment."""
    return next(Path(environment).glob(f"lib/python3.*/site-packages/ansible_test/{name}"))


def provide_get_pip(environment: str, core: str) -> None:
    """Put get-pip, or a replacement if it cannot be downloaded, into the cache of ansible-test."""
    version = CORES[core].get_pip
    cached = Path(f"~/.ansible/test/cache/get_pip_{version}.py").expanduser()
    with one_at_a_time("get-pip"):
        if cached.exists():
            return
        text = ansible_test_file(environment, "_util/target/setup/requirements.py").read_text(encoding="utf-8")
        url = re.search(r"'(https://\S+get-pip-%s\.py)'", text)
        content = download(url[1] % version.replace("_", ".")) if url else None
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.write_bytes(content or Path(__file__).with_name("get_pip.py").read_bytes())


def missing_for_pylint(environment: str) -> str | None:
    """Return the address of an archive that this ansible-test installs for pylint and that cannot be downloaded here."""
    text = ansible_test_file(environment, "_data/requirements/sanity.pylint.txt").read_text(encoding="utf-8")
    return next((url for url in re.findall(r"https://[^\s#]+", text) if download(url) is None), None)
