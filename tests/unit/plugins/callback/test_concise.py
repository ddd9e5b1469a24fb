# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No message passes for a line of Ansible, and none acts on a terminal."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.wasmops.wasmtime.plugins.callback.concise import _lines, _text

FORGED = (
    "fatal: [other]: gone",
    "ok: [other]: fine",
    " ok: [other]: fine",
    "failed: [other] (item=1): gone",
    "FAILED - RETRYING: [other]: x",
    "PLAY RECAP *****",
    "TASK [x] *****",
    "RUNNING HANDLER [x] ***",
    "NO MORE HOSTS LEFT ***",
    "[WARNING]: x",
    "...ignoring",
    "other : changed=1",
    "other                      : ok=1    changed=0",
)
OURS = (
    "2 of 4 hosts failed",
    "refused by Wasmtime, 1 host: broken",
    "  /etc/wasmtime/config.toml: enabled is refused [enabled-refused]",
    "app1, app3: removed orphans: 121 (31.0 MiB)",
    "DB1, DB2: nothing to remove",
    "4 hosts: 1 good, 1 refused by Wasmtime",
    "config.toml:2:2: error[enabled-refused] enabled is refused",
    "  | \t^",
)


def show(message: Any, label: str = "fatal: [app1]: ") -> list[str]:
    """The lines that are shown of a task's message."""
    text = _text(message)
    assert text is not None
    return _lines(text, label).split("\n")


@pytest.mark.parametrize("forged", FORGED)
def test_no_line_of_a_message_passes_for_one_of_ansible(forged: str) -> None:
    assert show("x\n" + forged) == ["fatal: [app1]: x", "  " + forged]
    assert show(["x", forged], "ok: [app1]: ") == ["ok: [app1]: x", "  " + forged]
    # The messages of a task that is run once have no label.
    assert show([forged, "x\n" + forged], "") == ["  " + forged, "x", "  " + forged]


def test_a_summary_stays_as_it_is() -> None:
    assert show("\n".join(OURS)) == ["fatal: [app1]: " + OURS[0], *OURS[1:]]
    assert show(list(OURS), "") == list(OURS)


@pytest.mark.parametrize("label", ["fatal: [app1]: ", ""])
def test_a_message_does_not_act_on_a_terminal(label: str) -> None:
    shown = show("a\x1b[2J\r\n\u202eb\rc\td\x0be\u2028f", label)
    assert shown == [label + "a\\x1b[2J", "\\u202eb\\rc\td\\x0be\\u2028f"]
