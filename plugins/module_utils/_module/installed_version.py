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


def _ask_wasmtime(module: Any) -> str:
    import subprocess

    binary = module.get_bin_path("wasmtime", opt_dirs=["/usr/local/bin"])
    if binary is None:
        raise Refused("wasmtime_version: auto: there is no wasmtime on PATH; %s" % VERSION_HELP.split(",")[0])
    told = 'wasmtime_version: auto: "%s --version"' % binary
    try:
        done = subprocess.run(
            [binary, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=VERSION_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Refused(
            "%s gave no answer in %d seconds; %s" % (told, VERSION_TIMEOUT, VERSION_HELP.split(",")[0])
        ) from None
    except OSError as error:
        raise Refused("%s does not run: %s" % (told, error.strerror)) from None
    output, errors = (part.decode("utf-8", "replace") for part in (done.stdout, done.stderr))
    if done.returncode != 0:
        raise Refused("%s ended with status %d: %s" % (told, done.returncode, (errors or output).strip()[:200]))
    return output
