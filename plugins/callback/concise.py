# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: concise
type: stdout
short_description: Ansible's default output without hosts that did not change
version_added: 0.2.0
author: wasmops contributors (@wasmops)
description:
  - Shows the output of P(ansible.builtin.default#callback) without hosts on which a task changed nothing, and a recap
    without hosts on which nothing changed or failed. Tasks with nothing to show have no heading. Warnings are shown for
    all hosts.
  - Shows messages as text, and each failure once and without its place in the playbook.
  - Escapes control characters in messages, and indents lines that look like those of Ansible.
  - With C(-v) or more, the output is that of P(ansible.builtin.default#callback).
  - C(make provision), C(make check), C(make report) and C(make prune) use it.
requirements:
  - set as stdout callback in configuration
extends_documentation_fragment:
  - default_callback
  - result_format_callback
seealso:
  - plugin: ansible.builtin.default
    plugin_type: callback
"""

import re
from typing import Any

from ansible import constants as C  # noqa: N812
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback.default import CallbackModule as Default
from ansible.utils.color import colorize, hostcolor

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import printable

# How lines begin that Ansible itself writes: headings, results and warnings, "...ignoring", and the recap.
_ANSIBLE = re.compile(r" ?([A-Z]{2,} |[^\[]*: \[|\[|\.\.\.|\S+ *: \w+=\d)")


class CallbackModule(Default):  # type: ignore[misc] # Ansible has no types
    """The default output, shorter."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "wasmops.wasmtime.concise"

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        """Set the options, but never show hosts that are ok or skipped."""
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        if not self._display.verbosity:
            self.set_option("display_ok_hosts", False)
            self.set_option("display_skipped_hosts", False)

    def v2_runner_on_ok(self, result: Any) -> None:
        """Show changes, and the messages of tasks such as C(debug), but no heading for a task that only includes others."""
        if isinstance(result.task, TaskInclude) and not self._display.verbosity:
            return
        message = _text(result.result.get("msg")) if result.result.get("_ansible_verbose_always") else None
        if self._display.verbosity or message is None:
            # Ansible shows no warnings of a host that it does not show.
            if not self._display.verbosity and result.result.get("warnings"):
                self._banner(result.task)
                self._handle_warnings(result.result)
                if not result.is_changed():
                    self._display.display("ok: [%s]" % self.host_label(result), color=C.COLOR_OK)
            super().v2_runner_on_ok(result)
            return
        self._banner(result.task)
        self._handle_warnings_and_exception(result)
        status, color = ("changed", C.COLOR_CHANGED) if result.is_changed() else ("ok", C.COLOR_OK)
        # A task that runs once reports on all hosts.
        label = "" if result.task.run_once else "%s: [%s]: " % (status, self.host_label(result))
        self._display.display(_lines(message, label), color=color)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Show the message of a failure, once."""
        message = _text(result.result.get("msg"))
        if self._display.verbosity or message is None or "results" in result.result:
            super().v2_runner_on_failed(result, ignore_errors)
            return
        self._banner(result.task)
        self._handle_warnings(result.result)
        self._display.display(
            _lines(message, "fatal: [%s]: " % self.host_label(result)),
            color=C.COLOR_ERROR,
            stderr=self.get_option("display_failed_stderr"),
        )
        if ignore_errors:
            self._display.display("...ignoring", color=C.COLOR_SKIP)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Show why a host is unreachable, once."""
        if not self._display.verbosity:
            result.result.pop("exception", None)
        super().v2_runner_on_unreachable(result)

    def v2_playbook_on_include(self, included_file: Any) -> None:
        """Do not show included files."""
        if self._display.verbosity:
            super().v2_playbook_on_include(included_file)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Show the hosts on which something changed or failed."""
        if self._display.verbosity:
            super().v2_playbook_on_stats(stats)
            return
        shown = ("changed", "unreachable", "failures", "rescued", "ignored")
        numbers = {host: stats.summarize(host) for host in sorted(stats.processed)}
        numbers = {host: number for host, number in numbers.items() if any(number[name] for name in shown)}
        if numbers:
            self._display.banner("PLAY RECAP")
        for host, number in numbers.items():
            colors = (C.COLOR_CHANGED, C.COLOR_UNREACHABLE, C.COLOR_ERROR, C.COLOR_OK, C.COLOR_WARN)
            counts = [
                colorize("failed" if name == "failures" else name, number[name], color)
                for name, color in zip(shown, colors)
                if number[name]
            ]
            self._display.display("%s : %s" % (hostcolor(host, number), " ".join(counts)))
        self._display.display("")

    def _banner(self, task: Any) -> None:
        if self._last_task_banner != task._uuid:
            self._print_task_banner(task)


def _text(message: Any) -> str | None:
    """Return a message as text; None for other values."""
    if isinstance(message, list) and all(isinstance(line, str) for line in message):
        return "\n".join(message)
    return message if isinstance(message, str) else None


def _lines(message: str, label: str) -> str:
    """A message after its label, printable; its lines that look like Ansible's own are indented."""
    first, *others = (printable(line.rstrip("\r"), "\t") for line in message.split("\n"))
    return "\n".join([label + first if label else _apart(first), *map(_apart, others)])


def _apart(line: str) -> str:
    return "  " + line if _ANSIBLE.match(line) else line
