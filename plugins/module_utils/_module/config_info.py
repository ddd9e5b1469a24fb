# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module cache_config_info: read a config and check it and its directory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Sequence

from .._config.check import DANGER, ERROR, Finding
from .._config.config import Config, to_problems
from .._config.toml import Library
from .._files.config_file import (
    Unreadable,
    read,
    resolve_file,
)
from . import common as _common
from . import refused as _refused
from .common import directory_problems, file_problems
from .readers import readers_for

if TYPE_CHECKING:
    from .._config.problems import Problem
    from .._config.versions import Dialect
    from .ansible_module import Module


def gather(module: Module, path: str | None) -> dict[str, Any]:
    """Return the result of the module for this file, or for the content given. Raises Refused."""
    readers = readers_for(module)
    on = _common.host()
    place, exists, data, status, trouble = None, False, None, None, None
    if path is None:
        data = module.params["content"].encode("utf-8", "surrogateescape")
    else:
        try:
            place = resolve_file(path)
            found = read(place)
            exists = found is not None
            if found:
                data, status = found
            else:
                trouble = Finding("missing")
        except Unreadable as error:
            from .reasons import finding_of

            trouble = finding_of(error)
            exists = trouble.name != "dangling-link"
        if trouble is not None and not exists and module.params["path"] is None:
            # The engine needs no file at its default path, and ignores a dangling link there.
            trouble = None
    if trouble is None:
        config = _common.config_from(data, readers.dialects, on, Library())
    else:
        config = Config("", False)
        config.problems = to_problems([trouble])
    user, owner = os.geteuid(), None
    if module.params["directory_owner"] is not None:
        from .owners import user_id

        owner = user_id(module.params["directory_owner"])
    problems = list(config.problems)
    if place is not None and status is not None:
        reader = user if owner is None else owner
        of_file = file_problems(place, status.st_mode, status.st_uid, status.st_gid, reader)
        problems += config.relevant(of_file)
    chosen_by = None if place is None else _common.directory_chooser(config, place, status)
    state = _common.directory_of(config, chosen_by)
    if state is not None:
        names = [] if place is None or status is None else place.names()
        problems += config.relevant(directory_problems(state, user, owner, None, chosen_by, names))
    problems = _common.spoken(problems)

    def accepts(dialects: Sequence[Dialect]) -> bool:
        return trouble is None and _common.config_from(data, dialects, on, Library()).valid

    programs = _programs(readers, problems, accepts) if readers.programs else []
    return dict(
        _common.config_result(config, state, problems),
        path=path,
        exists=exists,
        valid=not _common.severe(problems, ERROR),
        safe=not _common.severe(problems, DANGER),
        defaults=[name for name in _common.options(config.effective) if name not in _common.options(config.settings)],
        accepted_by=config.accepted_by,
        wasmtime_version=readers.versions,
        programs=programs,
    )


def _programs(
    readers: _common.Readers, problems: Sequence[Problem], accepts: Callable[[Sequence[Dialect]], bool]
) -> list[dict[str, Any]]:
    """Return the programs that read the config, each with its verdict; if no file suits them all, the remedy for enabled names them."""
    from .programs import apart, as_results

    if readers.apart:
        for problem in problems:
            if problem.code in ("enabled-missing", "enabled-refused"):
                problem.remedy = apart(readers)
    verdicts: dict[tuple[Dialect, ...], bool] = {}
    results = as_results(readers)
    for result, program in zip(results, readers.programs):
        dialects = program.engine.dialects()
        if dialects not in verdicts:
            verdicts[dialects] = accepts(dialects)
        result["accepts"] = verdicts[dialects]
    return results


def run(module: Module) -> None:
    """Run the module and end the process with the result."""
    path = None
    try:
        if module.params["content"] is None:
            path = _common.config_path(module.params["path"])
        result = gather(module, path)
    except _refused.Refused as error:
        module.fail_json(msg=str(error), **error.result)
    except OSError as error:
        from .reasons import failure

        module.fail_json(msg=failure(path or "content", error))
    module.exit_json(changed=False, **result)
