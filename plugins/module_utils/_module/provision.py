# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module cache_config: plan all changes, check them, and apply only those that are needed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .._config.check import DANGER
from .._config.settings import SETTINGS
from .._files.config_file import ChangedMeanwhile
from .common import ATTEMPTS, config_result, severe, spoken
from .plan import ENABLED, OPTIONS, plan
from .readers import readers_for
from .refused import Refused
from .task import Task

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from .common import Readers


def run(module: AnsibleModule) -> None:
    """Run the module and end the process with the result."""
    # New files and directories are never writable by other users, whatever the umask is.
    os.umask(os.umask(0o022) | 0o022)
    try:
        task = Task(module)
        result = _run_task(task)
    except Refused as error:
        module.fail_json(msg=str(error), **error.result)
    if module._diff:
        result["diff"] = task.progress.diff
    if task.lacking:
        # What would be written is known, but a run could not write it.
        module.fail_json(msg=str(task.lacking[0]), **result, **task.lacking[0].result)
    module.exit_json(**result)


def _run_task(task: Task) -> dict[str, Any]:
    """Run the task. Raises Refused."""
    progress = task.progress
    try:
        return _remove(task) if task.params["state"] == "absent" else _provide(task)
    except Refused as error:
        raise task.after_changes(error) from error.__cause__
    except OSError as error:
        from .reasons import failure

        refused = Refused(failure(task.path, error), path=task.path, problems=[], changed=False)
        raise task.after_changes(refused) from error
    finally:
        if progress.lock is not None:
            progress.lock.release()


def _remove(task: Task) -> dict[str, Any]:
    """Remove the file or the link."""
    given = [name for name in list(OPTIONS) + [ENABLED] if task.params[name] is not None]
    given += [name for name in ("unset", "exclusive") if task.params[name]]
    if given:
        raise Refused(
            "%s cannot be combined with state=absent, which removes the whole file; leave one of them out" % given[0]
        )
    from .remove import remove

    return remove(task)


def _provide(task: Task) -> dict[str, Any]:
    """Create or merge the file, and make or change the directory."""
    readers = readers_for(task.module)
    programs: list[dict[str, Any]] = []
    if readers.apart or readers.programs:
        from .programs import apart, as_results

        if readers.apart:
            raise Refused(apart(readers))
        programs = as_results(readers)
    for _number in range(ATTEMPTS):
        try:
            return _attempt(task, readers, programs)
        except ChangedMeanwhile:
            continue
    raise task.refused_for("another process keeps writing to it; run again when that has ended")


def _attempt(task: Task, readers: Readers, programs: list[dict[str, Any]]) -> dict[str, Any]:
    """Plan and apply once. Raises Refused, and ChangedMeanwhile if another process writes the file."""
    progress = task.progress
    progress.diff = list(progress.done)
    planned = plan(task, readers)
    table = {} if planned.before is None else planned.before.table or {}
    result: dict[str, Any] = {
        "changed": bool(progress.done),
        "path": task.path,
        "created": planned.old is None,
        "wasmtime_version": readers.versions,
        "programs": programs,
        "changed_settings": {
            _option(name): {"before": table.get(name), "after": value} for name, value in planned.changes.items()
        },
        "removed": [_option(name) for name, value in planned.changes.items() if value is None],
    }
    names = {}
    if planned.writes or planned.changes_directory or planned.new_owners != planned.owners or task.labels():
        from .change import Change

        change = Change(task, planned)
        change.refuse()
        # From here on, no other run writes the file. A plan that was made without the lock is made again.
        change.lock()
        result.update(change.carry_out())
        names = change.names()
    problems = spoken(planned.problems, task.params["ignore_dangers"])
    for problem in severe(problems, DANGER):
        task.module.warn("%s: %s" % (task.path, problem.sentence()))
    result.update(config_result(planned.after, planned.new_directory, problems))
    result["directory"].update(names)
    return result


def _option(name: str) -> str:
    return name if name == ENABLED else SETTINGS[name].option
