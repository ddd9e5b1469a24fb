# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No message passes for a line of Ansible, and none acts on a terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from ansible.plugins.callback.default import CallbackModule as Default

from ansible_collections.wasmops.wasmtime.plugins.callback.concise import CallbackModule, _lines, _text

if TYPE_CHECKING:
    from pathlib import Path

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


@pytest.mark.parametrize(
    ("message", "text"),
    [("a\nb", "a\nb"), (["a", "b\nc"], "a\nb\nc"), ([], ""), ("", ""), (["a", 1], None), ({"a": "b"}, None), (5, None), (None, None)],
    ids=str,
)  # fmt: skip
def test_texts_and_lists_of_texts_are_shown_as_text(message: Any, text: str | None) -> None:
    assert _text(message) == text


PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Say something
      debug: {msg: "{{ inventory_hostname }} is\\nfatal: [b]: gone"}
    - name: Say something once
      debug: {msg: [one, two]}
      run_once: true
    - name: Nothing to say
      debug: {var: inventory_hostname}
    - name: Nothing to do
      debug: {msg: never}
      when: false
    - name: Include
      include_tasks: more.yml
    - name: Fail
      fail: {msg: "quite\\nwrong"}
      when: inventory_hostname == 'b'
"""
MORE = """
- name: Change
  command: echo changed
  when: inventory_hostname == 'a'
"""
SHOWN = """
PLAY [all]

TASK [Say something]
ok: [a]: a is
  fatal: [b]: gone
ok: [b]: b is
  fatal: [b]: gone

TASK [Say something once]
one
two

TASK [Change]
changed: [a]

TASK [Fail]
fatal: [b]: quite
wrong

PLAY RECAP
a : changed=1
b : failed=1
"""


def played(folder: Path, playbook: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A run of a playbook, in which a host fails."""
    (folder / "play.yml").write_text(playbook)
    interpreter = "ansible_python_interpreter=" + sys.executable
    result = subprocess.run(
        [sys.executable, "-m", "ansible.cli.playbook", "-e", interpreter, *words, "play.yml"],
        cwd=folder,
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": __file__[: __file__.index("/ansible_collections/")],
            "ANSIBLE_STDOUT_CALLBACK": "wasmops.wasmtime.concise",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
            "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
            "ANSIBLE_FORKS": "1",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode in (2, 4), result.stderr
    return result


def run(folder: Path, *words: str) -> str:
    """The output of a run of the playbook for two hosts, without the lines of stars and trailing blanks."""
    (folder / "more.yml").write_text(MORE)
    plain = {"ANSIBLE_DISPLAY_FAILED_STDERR": "false", "ANSIBLE_NOCOLOR": "1"}
    result = played(folder, PLAYBOOK, "-i", "a,b,", "-c", "local", *words, **plain)
    assert result.returncode == 2
    return "\n".join(re.sub(r"(?<=\S) +", " ", line.rstrip("* ")) for line in result.stdout.splitlines()).strip()


def test_a_run_shows_what_was_changed_and_what_failed(tmp_path: Path) -> None:
    assert run(tmp_path).splitlines() == SHOWN.strip().splitlines()


def test_a_verbose_run_shows_all_that_ansible_does(tmp_path: Path) -> None:
    shown = run(tmp_path, "-v")
    for part in ("skipping: [a]", "included: ", 'ok: [a] => {\n    "inventory_hostname": "a"', "TASK [Nothing to do]"):
        assert part in shown
    assert "fatal: [b]: FAILED! => {" in shown
    assert "a : ok=5 changed=1 unreachable=0 failed=0" in shown


INVENTORY = """
a ansible_connection=local
b ansible_connection=local
c ansible_connection=ssh ansible_ssh_executable={folder}/ssh
d ansible_connection=local
"""
TROUBLE = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Reach
      ping:
    - name: Ignore
      fail: {msg: no matter}
      ignore_errors: true
      when: inventory_hostname == 'a'
    - name: Ignore items
      fail: {msg: "{{ item }}"}
      loop: [one]
      ignore_errors: true
      when: inventory_hostname == 'a'
    - block:
        - name: Try
          fail: {msg: once}
          when: inventory_hostname == 'b'
      rescue:
        - name: Rescue
          debug: {msg: saved for now}
          changed_when: true
    - name: Say data
      debug: {msg: {a: 1}}
    - name: Say something
      debug: {msg: all is well}
      when: inventory_hostname == 'a'
    - name: Fail for all items
      fail: {msg: "{{ item }}"}
      loop: [one]
      when: inventory_hostname == 'd'
    - name: Fail with data
      fail: {msg: [1]}
      when: inventory_hostname == 'a'
"""
TROUBLE_SHOWN = """
PLAY [all]

TASK [Reach]

TASK [Ignore]
<0;36>...ignoring

TASK [Ignore items]
<0;36>...ignoring

TASK [Try]

TASK [Rescue]
<0;33>changed: [b]: saved for now

TASK [Say something]
<0;32>ok: [a]: all is well

TASK [Fail for all items]

TASK [Fail with data]

PLAY RECAP
<0;31>a : <0;31>failed=1 <1;35>ignored=2
<0;33>b : <0;33>changed=1 <0;32>rescued=1
<0;31>c : <1;31>unreachable=1
<0;31>d : <0;31>failed=1
"""


def in_color(output: str) -> list[str]:
    """Lines with the begin of a color as C(<0;31>), without its end, stars and further blanks."""
    plain = re.sub(r"\x1b\[([0-9;]+)m", lambda found: "" if found[1] == "0" else "<%s>" % found[1], output)
    return [re.sub(r"(?<=\S) +", " ", line.rstrip("* ")) for line in plain.strip().splitlines()]


def test_trouble_has_its_own_colors_and_goes_where_ansible_writes_it(tmp_path: Path) -> None:
    (tmp_path / "inventory").write_text(INVENTORY.format(folder=tmp_path))
    (tmp_path / "ssh").write_text("#!/bin/sh\necho no route >&2\nexit 255\n")
    (tmp_path / "ssh").chmod(0o700)
    wanted = {"ANSIBLE_DISPLAY_FAILED_STDERR": "true", "ANSIBLE_FORCE_COLOR": "true"}
    result = played(tmp_path, TROUBLE, "-i", "inventory", **wanted)
    assert in_color(result.stdout) == TROUBLE_SHOWN.strip().splitlines()
    lines = in_color(result.stderr)
    (lost,) = (line for line in lines if "no route" in line)
    assert lost.startswith("<1;31>fatal: [c]: UNREACHABLE! => {")
    assert "exception" not in lost
    # A failure is shown once, also one that is ignored; those of items as Ansible does.
    assert [line for line in lines if "no matter" in line] == ["<0;31>fatal: [a]: no matter"]
    assert [line for line in lines if "once" in line] == ["<0;31>fatal: [b]: once"]
    assert [line.partition(" => ")[0] for line in lines if re.search(r": \[[ad]\]", line)] == [
        "<0;31>fatal: [a]: no matter",
        "<0;31>failed: [a] (item=one)",
        "<0;31>failed: [d] (item=one)",
        "<0;31>fatal: [a]: FAILED!",
    ]


WARNING = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Warn
      warn: {about: "{{ inventory_hostname }}"}
    - name: Fail
      fail: {msg: the end}
"""
MODULE = """#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({"about": {"type": "str"}})
if module.params["about"] == "b":
    module.warn("b is odd")
module.exit_json(changed=False)
"""


def test_warnings_of_hosts_that_do_not_change_are_shown(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "warn.py").write_text(MODULE)
    plain = {"ANSIBLE_DISPLAY_FAILED_STDERR": "false", "ANSIBLE_NOCOLOR": "1"}
    result = played(tmp_path, WARNING, "-i", "a,b,", "-c", "local", "-f", "1", **plain)
    lines = [line.rstrip("* ") for line in result.stdout.splitlines() if line]
    assert lines[:4] == ["PLAY [all]", "TASK [Warn]", "ok: [b]", "TASK [Fail]"]
    assert "[WARNING]: b is odd" in result.stderr.replace("\n", " ")
    assert "TASK [Warn]" not in run(tmp_path)


def test_ansible_takes_it_for_a_callback_like_its_own() -> None:
    assert CallbackModule.CALLBACK_VERSION == Default.CALLBACK_VERSION
    assert CallbackModule.CALLBACK_TYPE == Default.CALLBACK_TYPE == "stdout"
