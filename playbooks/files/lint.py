# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a cache config, or all of them in a folder, without a host.

Usage: lint.py [--wasmtime-version=42,36] [--format=text] [--output=FILE] [--] PATH

The exit status is 0 if there are no problems or only warnings, 1 if there are others, 2 if the check cannot be done.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

# The root of the collections, wherever they are installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[5]))

from ansible_collections.wasmops.wasmtime.playbooks.files.place import place
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import quoted
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._lint import BadInput, check, parse_versions
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._lint_formats import FORMATS
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._variables import unknown_names


def run(words: list[str]) -> int:
    """Check the files, write the problems, and return the exit status. Raises BadInput."""
    parser = argparse.ArgumentParser(description="Check Wasmtime cache configs without a host.", allow_abbrev=False)
    parser.add_argument(
        "--wasmtime-version", default="", help="the versions that read the file (default: 33 and later)"
    )
    parser.add_argument("--format", default="text", help=", ".join(FORMATS))
    parser.add_argument("--output", default="", help="the file to write to (default: standard output)")
    parser.add_argument("--variables", default="", help="names of variables, to find misspelt ones")
    parser.add_argument("path", help="a file or a folder")
    given = parser.parse_args(words)
    unknown = unknown_names(given.variables.split(","))
    if unknown:
        raise BadInput("; ".join(unknown))
    if given.format not in FORMATS:
        raise BadInput("format %s is unknown; write one of %s" % (quoted(given.format), ", ".join(FORMATS)))
    if not given.path:
        raise BadInput("no file is named; name a config file, or a folder with config files")
    files = check(given.path, parse_versions(given.wasmtime_version))
    report = FORMATS[given.format](files)
    if given.output:
        try:
            # A link at this name may be part of what is checked.
            place((report + "\n" if report else "").encode("utf-8"), str(Path.cwd() / given.output), 0o666)
        except OSError as error:
            raise BadInput("%s cannot be written: %s" % (quoted(given.output), error.strerror)) from None
    elif report:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr] # whatever the locale
        print(report)
    return int(any(file.failed for file in files))


if __name__ == "__main__":
    try:
        status = run(sys.argv[1:])
    except BadInput as error:
        print(error, file=sys.stderr)
        status = 2
    sys.exit(status)
