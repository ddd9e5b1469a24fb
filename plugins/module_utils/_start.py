# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a module faster: a task that changes nothing spends most of its time on loading Python code."""

from __future__ import annotations

import gc
import sys
import zipimport
from importlib.util import spec_from_file_location
from pkgutil import get_importer
from typing import Any


class OneCompilation:
    """Finds the files and packages below this package in the zip of sources that Ansible sends to the host.

    The finder of zipimport compiles each file once to find its name, and again to load it, which doubles the time
    (https://github.com/python/cpython/issues/141276). This one does not. Delete it when all Pythons that targets may
    have are fixed.
    """

    def find_spec(self, name: str, path: Any = None, _target: Any = None) -> Any:
        """Return the importlib.machinery.ModuleSpec of a file or a package below this package; None for all others."""
        if not name.startswith("%s." % __package__):
            return None
        loader: Any = get_importer(path[0])
        try:
            package = loader.is_package(name)
        except ImportError:
            return None
        file = "%s/%s" % (path[0], name.rpartition(".")[2])
        return spec_from_file_location(name, file + ("/__init__.py" if package else ".py"), loader=loader)


def speed_up_imports() -> None:
    """Let a module load faster. Call this before other files of the collection are imported."""
    loader: Any = getattr(__spec__, "loader", None)  # some strategy plugins import without a spec
    if isinstance(loader, zipimport.zipimporter):
        # The process ends before garbage collection would pay.
        gc.disable()
        sys.meta_path.insert(0, OneCompilation())


def all_imported() -> None:
    """Let the process of a module end faster. Call this after the imports that every run needs."""
    # At its end, Python searches all objects for garbage, even if collection is disabled; these are exempt then.
    gc.freeze()
