# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Set the SELinux context and the file system's attributes of the config, as Ansible does: by path."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Iterator, Mapping

from .._files.attributes import forbidden_attributes, has_attributes
from .._files.path import open_resolved
from .refused import Refused

if TYPE_CHECKING:
    from .._files.access import Reason
    from .._files.config_file import ResolvedFile
    from .plan import Plan
    from .task import Task


def unlabelled(task: Task, plan: Plan, given: tuple[int, int]) -> Reason | None:
    """Return why the planned file cannot get the attributes; None if it can, or has them.

    C(given): the owner and group that it gets, -1 for those that it has.
    """
    attributes = task.params["attributes"]
    uid, gid = plan.new_owners[:2]
    if plan.writes and (plan.seen is None or os.geteuid() != 0):
        own = os.geteuid(), os.getegid()
        uid, gid = (mine if its == -1 else its for mine, its in zip(own, given))
    reason = forbidden_attributes(-1 if uid is None else uid, -1 if gid is None else gid, attributes)
    return None if reason and not plan.writes and _labelled(task, plan.place.path) else reason


def _labelled(task: Task, path: str) -> bool:
    """Return whether the file has the attributes of the task."""
    there = task.module.get_file_attributes(path, include_version=False).get("attr_flags")
    return has_attributes(there, task.params["attributes"])


@contextlib.contextmanager
def _named_failures(task: Task, changed: bool, result: Mapping[str, Any]) -> Iterator[None]:
    """Let failures of Ansible name the file and what was changed before. Raises Refused."""

    def failed(msg: str = "", details: str = "", **_more: Any) -> None:
        reason = " ".join(str(details or msg).split())
        done = "everything else was done, but " if changed else ""
        raise Refused(
            "%s: %sits attributes or SELinux context cannot be set: %s" % (task.path, done, reason),
            **dict(result, path=task.path, problems=[], changed=changed),
        )

    task.module.fail_json = failed
    try:
        yield
    finally:
        del task.module.fail_json


def set_labels(
    task: Task, place: ResolvedFile, new: bool, diff: dict[str, Any], changed: bool, result: Mapping[str, Any]
) -> bool:
    """Set the context and the attributes; return whether the run changes anything. Raises Refused.

    C(new): whether this run has created the file. C(changed): whether it has changed anything so far. C(result): what it
    returns of that.
    """
    module = task.module
    with _named_failures(task, changed, result):
        args = module.load_file_common_arguments(task.params, path=place.path)
        directory = open_resolved(place.resolved)
        # Whatever happens to its path, this leads into the directory that was examined.
        path = "/proc/%d/fd/%d/%s" % (os.getpid(), directory, place.name)
        try:
            if new:
                module.set_context_if_different(path, module.selinux_default_context(place.path), changed)
            changed = module.set_context_if_different(path, args["secontext"], changed, diff)
            # Ansible would set attributes again if the file has others, too.
            if args["attributes"] is None or _labelled(task, path):
                return bool(changed)
            # Ansible adds the sign itself.
            return bool(module.set_attributes_if_different(path, args["attributes"].lstrip("="), changed, diff))
        finally:
            os.close(directory)
