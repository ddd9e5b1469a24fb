# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task of cache_config: its options, and the refusals of its run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from .._config.toml import Library
from .common import Lacking, config_path, host, spoken
from .refused import Refused

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

    from .._config.problems import Problem
    from .._files.lock import Lock


class Progress:
    """What a run has done so far."""

    def __init__(self) -> None:
        self.diff: list[dict[str, Any]] = []
        self.done: list[dict[str, Any]] = []
        """The changes that are already done when a run starts again."""
        self.complete = False
        """Whether the run has changed something, and only an SELinux context and attributes may be left to set."""
        self.lock: Lock | None = None


class Task:
    """The options, the path of the config, and what all steps of the run share. Raises Refused."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params: dict[str, Any] = module.params
        self.lacking: Lacking | None = [] if module.check_mode else None
        self.path = config_path(self.params["path"], self.lacking)
        self.host = host(self.lacking)
        self.library = Library()
        self.progress = Progress()

    def refused(self, summary: str, problems: Sequence[Problem], or_else: str = "") -> Refused:
        """Return the refusal for these problems; C(or_else) replaces the remedy of each."""
        problems = spoken(problems, self.params["ignore_dangers"])
        sentences = [problem.sentence() for problem in problems]
        if len(sentences) == 1:
            summary, sentences = "%s: %s%s" % (summary, sentences[0], or_else and "; " + or_else), []
        else:
            summary += ":"
            sentences += [or_else] if or_else else []
        return Refused(
            "%s: %s" % (self.path, summary),
            *sentences,
            path=self.path,
            problems=[problem.as_dict() for problem in problems],
        )

    def refused_for(self, reason: str) -> Refused:
        """Return the refusal for a reason that is not a problem of the config."""
        return Refused("%s: %s" % (self.path, reason), path=self.path, problems=[])

    def after_changes(self, refused: Refused) -> Refused:
        """Return the refusal of a run with what it has changed before, which a plan that is made again does not know."""
        progress = self.progress
        if not (progress.done or progress.complete):
            return refused
        message, *points = str(refused).split("\n- ")
        if not progress.complete:
            message = message.replace("nothing was changed", "nothing else was changed")
            also = "the cache directory was made or changed before that"
            if points:
                points.append(also)
            else:
                message += "; " + also
        return Refused(message, *points, **dict(refused.result, changed=True))

    def labels(self) -> bool:
        """Return whether Ansible sets an SELinux context or attributes of the file, which it does by path."""
        return self.params["attributes"] is not None or bool(self.module.selinux_enabled())

    def gives(self, prefix: str) -> bool:
        """Return whether the options with this prefix name an owner, a group or a mode."""
        return any(self.params[prefix + name] is not None for name in ("owner", "group", "mode"))
