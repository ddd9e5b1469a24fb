# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a module gets going: a task on a host that needs no change is little else but Python that loads."""

from __future__ import annotations

import gc
import sys
import zipimport
from importlib.util import spec_from_file_location
from typing import Any


class OneCompilation:
    """Finds the files next to this one, in the zip of sources that Ansible sends to the host.

    The finder of zipimport compiles a file to know its name, and once more to load it: half the time that these files
    take (https://github.com/python/cpython/issues/141276). The name is no secret.
    """

    def __init__(self, loader: zipimport.zipimporter) -> None:
        self.loader = loader

    def find_spec(self, name: str, path: Any = None, _target: Any = None) -> Any:
        """The importlib.machinery.ModuleSpec of a file of this package; None for all others."""
        package, _dot, file = name.rpartition(".")
        if package != __package__:
            return None
        return spec_from_file_location(name, "%s/%s.py" % (path[0], file), loader=self.loader)


def hasten() -> None:
    """Let a module load faster. To be called before other files of the collection are imported."""
    loader: Any = getattr(__spec__, "loader", None)  # some strategy plugins import without a spec
    if isinstance(loader, zipimport.zipimporter):
        # The process ends before there is garbage worth collecting.
        gc.disable()
        sys.meta_path.insert(0, OneCompilation(loader))


def loaded() -> None:
    """Let the process of a module end faster. To be called when all is imported that every run needs."""
    # Python searches everything for garbage when it ends, whether disabled or not: nothing of this is.
    gc.freeze()
