# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module engine_info does: find the Wasmtimes of a host, and judge a config for each."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .._config.check import ERROR, Problem
from .._config.config import Config
from .._config.settings import KINDS, BadValue
from .._config.toml import Library
from .._config.values import parse_text
from .._engines.inventory import NOTES, Inventory, usual_places
from .._files.config_file import Unreadable, failure, read, resolve_file
from . import common as _common
from . import refused as _refused

if TYPE_CHECKING:
    from .ansible_module import Module


# Deeper trees are no places for programs; each level is one of Python's, too.
DEPTH_MAX = 100


def inventory_for(module: Module) -> Inventory:
    """An inventory with the limits that the options give. Raises Refused."""
    _common.refuse_outside(module, "time_limit", 1, _common.TIME_MAX)
    _common.refuse_outside(module, "depth", 0, DEPTH_MAX)
    try:
        size = parse_text(KINDS["size"], module.params["size_limit"])
    except BadValue as error:
        raise _refused.Refused(
            'size_limit "%s" %s; %s' % (module.params["size_limit"], error.message, error.remedy)
        ) from error
    _common.refuse_relative("paths", module.params["paths"] or ())
    return Inventory(size, module.params["time_limit"])


def config_at(path: str) -> bytes | Problem:
    """The bytes of the config, or why there are none."""
    try:
        found = read(resolve_file(path))
    except Unreadable as error:
        return error.problem
    return found[0] if found else Problem("missing", ERROR, "there is no such file", "create it, or correct path")


def judged(data: bytes | Problem, dialects: Any) -> Config:
    """How Wasmtimes of these dialects take the config. Raises Refused."""
    if isinstance(data, bytes):
        return _common.config_from(data, dialects, _common.host(), Library())
    config = Config("", False)
    config.problems.append(data)
    return config


def gather(module: Module) -> dict[str, Any]:
    """The result of the module. Raises Refused and OSError."""
    inventory = inventory_for(module)
    data = None
    if module.params["path"] is not None:
        data = config_at(_common.config_path(module.params["path"]))
    if module.params["running"]:
        inventory.look_at_processes()
    for path in module.params["paths"] or usual_places():
        if os.path.isdir(path):
            inventory.search(path, module.params["depth"])
        elif module.params["paths"]:
            inventory.look_at(path)
    engines = inventory.results()
    verdicts: dict[Any, Config] = {}
    for engine in engines:
        dialects = engine.pop("dialects")
        if data is not None:
            if dialects and dialects not in verdicts:
                verdicts[dialects] = judged(data, dialects)
            config = verdicts.get(dialects)
            engine["accepts"] = config.valid if config else None
            engine["problems"] = [problem.as_dict() for problem in _common.spoken(config.problems)] if config else []
    return {
        "engines": engines,
        "notes": [
            {
                "code": code,
                "message": NOTES[code],
                "count": inventory.notes[code][0],
                "examples": inventory.notes[code][1],
            }
            for code in NOTES
            if code in inventory.notes
        ],
        "complete": not {"time-limit", "not-listed"}.intersection(inventory.notes),
    }


def run(module: Module) -> None:
    """Do what the task asks for and end the process with the result."""
    try:
        result = gather(module)
    except _refused.Refused as error:
        module.fail_json(msg=str(error), **error.result)
    except OSError as error:
        module.fail_json(msg=failure(module.params["path"] or "paths", error))
    module.exit_json(changed=False, **result)
