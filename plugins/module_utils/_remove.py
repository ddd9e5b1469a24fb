# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run does that is to remove the file."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Dict, Optional, Tuple

from ._change import text_diff, undisturbed
from ._directory import walk
from ._files import Changed, Place, Unreadable, find, read
from ._obstacles import unsafe_link, unwritable
from ._write import CannotWrite, back_up, held, opened


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
                kept = unlink(place, backup)
        except (CannotWrite, Changed) as error:
            raise run.refused_for(str(error)) from error
        if kept:
            result["backup_file"] = kept
    return result


def unlink(place: Place, backup: Optional[Tuple[Place, os.stat_result, bytes]] = None) -> Optional[str]:
    """Remove the file or the link of that name, after a backup of what is behind it; return the backup's path.

    Raises CannotWrite, and Changed if the file to keep is no longer the one that was seen.
    """
    kept = None
    with contextlib.ExitStack() as stack, contextlib.ExitStack() as undone:
        if backup is not None:
            real, seen, data = backup
            beside = stack.enter_context(held(real.way, "no backup can be made"))
            old = stack.enter_context(opened(beside, real.name, seen))
            kept = back_up(undone, real, beside, old, seen, data)
        directory = stack.enter_context(held(place.way, "it cannot be removed"))
        os.unlink(place.name, dir_fd=directory)
        undone.pop_all()
    return kept
