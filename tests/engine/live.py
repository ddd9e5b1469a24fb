# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run processes with a real engine, and observe them from outside."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Mapping, NamedTuple

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.wasmops.wasmtime.plugins.modules import (
    cache_config,
    cache_config_info,
    cache_prune,
    cache_usage_info,
)
from ansible_collections.wasmops.wasmtime.tests.engine.engines import VERSIONS, NotHere, install

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The oldest and the newest: enough where what happens is the same in all.
ENDS = (VERSIONS[0], VERSIONS[-1])
HANG = 600.0  # seconds: no machine is so busy that an engine takes that long
WORKER = Path(__file__).with_name("worker.py")
# The modules remove what they put there only when this process ends.
TEMPORARY = tempfile.TemporaryDirectory(prefix="wasmtime-engine-")


def installed(version: str) -> Path:
    """Return the folder that the engine's package of this version is installed in."""
    try:
        return install(version)
    except NotHere as error:
        pytest.skip(str(error))


class Died(Exception):
    """The engine has ended its process; C(words) is its output."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__("ended with status %d: %s" % (status, words))
        self.status = status
        self.words = words

    @property
    def aborted(self) -> bool:
        return self.status == -signal.SIGABRT


class Process:
    """A process with an engine of one version. C(env) replaces the variables for the default paths."""

    def __init__(self, version: str, env: Mapping[str, str] | None = None, cwd: str = "/") -> None:
        self.version = version
        environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        # An error here must not affect the cache of the user who runs the tests.
        environment.update({"HOME": "/nonexistent"} if env is None else env)
        environment["PYTHONPATH"] = str(installed(version))
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 # closed by __exit__
        self._process = subprocess.Popen(
            [sys.executable, "-B", str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            env=environment,
            cwd=cwd,
        )

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._words.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _ask(self, do: str, **arguments: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(dict(arguments, do=do)).encode() + b"\n")
            self._process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            assert selector.select(HANG), "the engine hangs: it gives no answer"
        line = self._process.stdout.readline()
        if not line:
            raise self._death()
        return json.loads(line)

    def _death(self) -> Died:
        status = self._process.wait(HANG)
        self._words.seek(0)
        return Died(status, self._words.read().decode(errors="replace"))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda **arguments: self._ask(name, **arguments)

    def dies(self) -> Died:
        """Return how the process ends by itself: its cleanup runs in parallel to the compilation."""
        return self._death()

    def compiled(self, directory: Path, number: int, size: int = 0) -> Path:
        """Compile a module that is not cached yet; return its entry after the engine has counted its first usage."""
        before = set(entries(directory))
        assert self.compile(number=number, size=size) == number
        (new,) = set(entries(directory)) - before
        until(lambda: stats(new), "the engine counts the usage")
        return new

    def settle(self, directory: Path, first: int = 999_999) -> None:
        """Wait until the engine has handled all earlier compilations, including the cleanup.

        It handles events in order: the first one is finished when the second one begins.
        """
        for number in (first, first + 1):
            self.compiled(directory, number)


def entries(directory: Path) -> dict[Path, int]:
    """Return the cached modules below a directory, and their sizes."""
    found = {}
    for path in directory.glob("modules/*/*"):
        if "." not in path.name:
            with contextlib.suppress(FileNotFoundError):
                found[path] = path.stat().st_size
    return found


def stats(entry: Path) -> dict[str, int]:
    """Return the engine's statistics of a cached module; empty before they exist."""
    try:
        text = entry.with_name(entry.name + ".stats").read_text()
    except FileNotFoundError:
        return {}
    pairs = [line.split(" = ") for line in text.splitlines()]
    return {key: int(value) for key, value in pairs}


def until(condition: Callable[[], Any], what: str) -> Any:
    """Wait for the engine's worker thread; a test fails if it does not do C(what)."""
    deadline = time.monotonic() + HANG
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, "the engine hangs: not within %d seconds: %s" % (HANG, what)
        time.sleep(0.005)


def date(path: Path, seconds: int) -> None:
    """Create a file of another process, dated in the past or the future."""
    path.touch()
    then = time.time() + seconds
    os.utime(path, (then, then))


class Outcome(NamedTuple):
    """How a module ended."""

    failed: bool
    result: dict[str, Any]

    @property
    def codes(self) -> dict[str, str]:
        """The problems found: severity by code."""
        return {problem["code"]: problem["severity"] for problem in self.result["problems"]}

    @property
    def dangers(self) -> list[str]:
        return sorted(code for code, severity in self.codes.items() if severity == "danger")


def _run(main: Callable[[], None], options: Mapping[str, Any]) -> Outcome:
    output = io.StringIO()
    arguments = dict(options, _ansible_remote_tmp=TEMPORARY.name)
    status = None
    with patch_module_args(arguments), contextlib.redirect_stdout(output):
        try:
            main()
        except SystemExit as end:
            status = end.code
    return Outcome(status != 0, json.loads(output.getvalue()))


def configure(path: Path, **options: Any) -> Outcome:
    """Run cache_config."""
    return _run(cache_config.main, dict(options, path=str(path)))


def look(**options: Any) -> Outcome:
    """Run cache_config_info."""
    return _run(cache_config_info.main, options)


def usage(**options: Any) -> dict[str, Any]:
    """Run cache_usage_info, which must not fail."""
    outcome = _run(cache_usage_info.main, options)
    assert not outcome.failed, outcome.result["msg"]
    return outcome.result


def prune(**options: Any) -> dict[str, Any]:
    """Run cache_prune, which must not fail."""
    outcome = _run(cache_prune.main, options)
    assert not outcome.failed, outcome.result["msg"]
    return outcome.result


@contextlib.contextmanager
def public_place() -> Iterator[Path]:
    """Provide a folder that other users can enter, unlike those of pytest."""
    folder = tempfile.TemporaryDirectory(prefix="wasmtime-engine-")
    try:
        place = Path(folder.name).resolve()
        place.chmod(0o755)
        yield place
    finally:
        until(lambda: _removed(folder), "the engine stops writing into its cache")


def _removed(folder: tempfile.TemporaryDirectory[str]) -> bool:
    """Remove a folder, into which an engine that still runs may write meanwhile; return whether it is gone."""
    try:
        folder.cleanup()
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise
    return not Path(folder.name).exists()
