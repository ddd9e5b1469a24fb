# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of the config after a change; a run that leaves it as it is never loads this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Mapping

from .._config.check import ERROR
from .._config.edit import CannotEdit, as_json, edit, merge, new_text, same, toml
from .._config.printable import BOM
from .common import config_from, severe

if TYPE_CHECKING:
    from .._config.config import Config
    from .._config.versions import Dialect
    from .task import Task


def edited(
    task: Task, dialects: tuple[Dialect, ...], before: Config | None, changes: Mapping[str, Any]
) -> tuple[bytes, Config]:
    """Return the new bytes and the config in them, which must be as intended and valid. Raises Refused.

    C(before): the present config, None for a new file. C(changes): the keys that change, None to remove one.
    """

    def changed(write: Callable[[Any], str]) -> str:
        if before is None:
            return new_text(changes, write)
        return edit(before.text, changes, task.library.reader(before.text), write)

    try:
        try:
            text = changed(toml)
        except ImportError as error:
            from .libraries import refuse_library, without_library

            if task.lacking is None:
                refuse_library("tomli-w", "writing TOML", error)
            task.lacking.append(without_library("tomli-w", "writing TOML"))
            # Whether this is TOML, and means the same, is seen below.
            text = changed(as_json)
    except CannotEdit as error:
        raise task.refused_for("the layout of the file is too unusual to edit in place; change it by hand") from error
    bom = BOM if before is not None and before.bom else ""
    data = (bom + text).encode("utf-8", "surrogateescape")
    after = config_from(data, dialects, task.host, task.library)
    if not after.valid:
        raise task.refused("Wasmtime would refuse the result, so nothing was changed", severe(after.problems, ERROR))
    if not same(after.table, merge(before.table or {} if before else {}, changes)):
        raise task.refused_for("its layout does not allow this change in place; change it by hand")
    return data, after
