# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run does that is to remove the file."""

from __future__ import annotations

import os
from typing import Any, Dict

from . import _write
from ._change import text_diff, undisturbed
from ._directory import walk
from ._files import Changed, Place, Unreadable, find, read
from ._obstacles import unsafe_link, unwritable


def remove(run: Any) -> Dict[str, Any]:
    """Remove the file or the link; return the result. Raises Refused."""
    place = Place(walk(os.path.dirname(run.path)), os.path.basename(run.path))
    result: Dict[str, Any] = {"changed": True, "path": run.path, "problems": []}
    try:
        os.lstat(run.path)
    except (FileNotFoundError, NotADirectoryError):
        return dict(result, changed=False)
    except OSError as error:
        raise run.refused_for("it cannot be removed: %s" % error.strerror) from error
    if os.path.isdir(run.path) and not os.path.islink(run.path):
        raise run.refused_for("it is a directory, not a config file; name the file in it")
    reason = unwritable(run.path, in_place=False) or unsafe_link(place.way)
    if reason:
        raise run.refused_for("it cannot be removed: %s" % reason)
    found = real = None
    try:
        real = find(run.path)
        found = read(real)
    except Unreadable as error:
        if run.params["backup"] and error.problem.code != "dangling-link":
            raise run.refused("no backup can be made, so nothing was changed", [error.problem]) from error
    run.diff.append(text_diff(run.path, found[0] if found else b"", b""))
    if not run.module.check_mode:
        try:
            backup = (real, found[1], found[0]) if run.params["backup"] and found and real else None
            with undisturbed():
                kept = _write.remove(place, backup)
        except (_write.CannotWrite, Changed) as error:
            raise run.refused_for(str(error)) from error
        if kept:
            result["backup_file"] = kept
    return result
