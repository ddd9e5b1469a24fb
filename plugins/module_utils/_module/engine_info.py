# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module engine_info: find the Wasmtimes of a host, and check a config against each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._config.check import Finding
from .._config.config import Config, to_problems
from .._config.settings import KINDS, BadValue
from .._config.toml import Library
from .._config.values import parse_text
from .._engines.inventory import Inventory, leads_to_directory, usual_places
from .._files.config_file import Unreadable, read, resolve_file
from . import common as _common
from . import refused as _refused
from .reasons import NOTE_TEXTS, failure, finding_of, sentence

if TYPE_CHECKING:
    from .._files.access import Reason
    from .ansible_module import Module


# Programs are not in deeper directories, and each level is a nested call of Python.
_MOST_DEPTH = 100


def inventory_for(module: Module) -> Inventory:
    """Return an inventory with the limits of the options. Raises Refused."""
    _common.refuse_outside(module, "time_limit", 1, _common.TIME_MAX)
    _common.refuse_outside(module, "depth", 0, _MOST_DEPTH)
    try:
        size = parse_text(KINDS["size"], module.params["size_limit"])
    except BadValue as error:
        from .._config.problems import sentence_on

        raise _refused.Refused(sentence_on("size_limit", module.params["size_limit"], error)) from error
    _common.refuse_relative("paths", module.params["paths"] or ())
    return Inventory(size, module.params["time_limit"])


def config_at(path: str) -> bytes | Finding:
    """Return the bytes of the config, or why they cannot be read."""
    try:
        found = read(resolve_file(path))
    except Unreadable as error:
        return finding_of(error)
    return found[0] if found else Finding("missing")


def judged(data: bytes | Finding, dialects: Any) -> Config:
    """Check the config by the rules of these dialects. Raises Refused."""
    if isinstance(data, bytes):
        return _common.config_from(data, dialects, _common.host(), Library())
    config = Config("", False)
    config.problems = to_problems([data])
    return config


def gather(module: Module) -> dict[str, Any]:
    """Return the result of the module. Raises Refused and OSError."""
    inventory = inventory_for(module)
    data = None
    if module.params["path"] is not None:
        data = config_at(_common.config_path(module.params["path"]))
    if module.params["running"]:
        inventory.look_at_processes()
    for path in module.params["paths"] or usual_places():
        if leads_to_directory(path):
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
                "message": text,
                "count": inventory.notes[code][0],
                "examples": [_example(*example) for example in inventory.notes[code][1]],
            }
            for code, text in NOTE_TEXTS.items()
            if code in inventory.notes
        ],
        "complete": not {"time-limit", "not-listed"}.intersection(inventory.notes),
    }


def _example(name: str, detail: Reason | None) -> str:
    return "%s (%s)" % (name, sentence(detail)) if detail else name


def run(module: Module) -> None:
    """Run the module and end the process with the result."""
    try:
        result = gather(module)
    except _refused.Refused as error:
        module.fail_json(msg=str(error), **error.result)
    except OSError as error:
        module.fail_json(msg=failure(module.params["path"] or "paths", error))
    module.exit_json(changed=False, **result)
