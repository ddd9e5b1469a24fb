# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions of Wasmtime that a task names, and the one that is installed."""

from __future__ import annotations

from typing import Any, Sequence

from .._config.versions import VERSION_HELP, BadVersion, Dialect, for_version, version_from_output
from .refused import Refused

# A healthy wasmtime prints its version in milliseconds.
VERSION_TIMEOUT = 10


def dialects_of(module: Any, versions: Sequence[str]) -> tuple[tuple[Dialect, ...], str]:
    """The dialects of these versions, oldest first, and the versions without C(auto). Raises Refused."""
    try:
        versions = [version_from_output(_ask_wasmtime(module)) if v == "auto" else v.strip() for v in versions]
        dialects = {for_version(version) for version in versions}
    except BadVersion as error:
        raise Refused(str(error)) from error
    return tuple(sorted(dialects, key=lambda dialect: (dialect.first, dialect.reader))), ", ".join(versions)


class _TimedOut(Exception):
    pass


def _ask_wasmtime(module: Any) -> str:
    import signal

    binary = module.get_bin_path("wasmtime", opt_dirs=["/usr/local/bin"])
    if binary is None:
        raise Refused("wasmtime_version: auto: there is no wasmtime on PATH; %s" % VERSION_HELP.split(",")[0])
    started: list[Any] = []

    def stop(_signal: int, _frame: Any) -> None:
        raise _TimedOut

    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(VERSION_TIMEOUT)
    try:
        code, output, errors = module.run_command(
            [binary, "--version"], handle_exceptions=False, before_communicate_callback=started.append
        )
    except _TimedOut:
        for process in started:
            process.kill()
        raise Refused(
            'wasmtime_version: auto: "%s --version" gave no answer in %d seconds; %s'
            % (binary, VERSION_TIMEOUT, VERSION_HELP.split(",")[0])
        ) from None
    except OSError as error:
        raise Refused('wasmtime_version: auto: "%s --version" does not run: %s' % (binary, error.strerror)) from None
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    if code != 0:
        raise Refused(
            'wasmtime_version: auto: "%s --version" ended with status %d: %s'
            % (binary, code, (errors or output).strip()[:200])
        )
    return str(output)
