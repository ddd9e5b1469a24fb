# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each module's task has a border on the controller."""

from __future__ import annotations

import importlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase
from ansible.plugins.action.normal import ActionModule as Normal
from ansible.template import Templar, trust_as_template

from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._border import Border, bare
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._results import (
    MOST_ANSWER,
    MOST_SAID,
    Record,
    anything,
    received,
)
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._variables import AS_ROLE, ROLE

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
COLLECTION = "ansible_collections.wasmops.wasmtime.plugins"
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))


@pytest.mark.parametrize("name", MODULES)
def test_every_module_has_one_with_the_schema_of_its_own_result(name: str) -> None:
    action = importlib.import_module("%s.action.%s" % (COLLECTION, name)).ActionModule
    module = importlib.import_module("%s.modules.%s" % (COLLECTION, name))
    assert issubclass(action, Border)
    documented = set(yaml.safe_load(module.RETURN)) - {"changed", "diff"}
    assert documented <= set(action.schema.readers)


@pytest.mark.parametrize("name", MODULES)
def test_what_a_host_answers_goes_through_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: dict[str, Any] = {"ansible_facts": {"wasmtime_cache_path": "/evil"}, "failed": True, "msg": "a\x1b[2J"}
    # Of Ansible's own code, what runs the module on the host.
    monkeypatch.setattr(Normal, "run", lambda self, tmp=None, task_vars=None: dict(answers))
    action = importlib.import_module("%s.action.%s" % (COLLECTION, name)).ActionModule
    task = action.__new__(action)
    task._task = Task()
    assert task.run(None, {}) == {"failed": True, "msg": "a\\x1b[2J"}
    answers = {"changed": False, "path": 5}
    assert task.run(None, {})["msg"].startswith("malformed result: ")
    # What runs in the background does not come back through it.
    task._task.async_val = 30
    answers = {}
    assert task.run(None, {}) == {
        "failed": True,
        "changed": False,
        "msg": "this module does not run in the background; remove async from the task",
    }


ESCAPE = "\x1b]0;root\x07"


def typed(message: str, kind: str = "ErrorSummary") -> dict[str, Any]:
    """A message as a module of Ansible writes it."""
    return {"__ansible_type": kind, "event": {"__ansible_type": "Event", "msg": message}}


ANY = Record({}, dict.fromkeys(("a", "k", "path", "x"), anything))


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ('{"changed": false}\n', '{"changed": false}'),
        # Ansible shows these before it has the answer.
        ('%s\n {"a": 1}\njunk %s' % (ESCAPE, ESCAPE), '{"a": 1}'),
        ('{"warnings": ["\\u001b[2J\\u202e"]}', json.dumps({"warnings": ["\\x1b[2J\\u202e"]})),
        # Ansible shows these before the result, and no line of them may look like one of its own.
        ('{"warnings": ["x\\nfatal: [good]"]}', json.dumps({"warnings": ["x\\nfatal: [good]"]})),
        *(
            (
                json.dumps({name: [typed("x\nfatal: [good]", kind)]}),
                json.dumps({name: [typed("x\\nfatal: [good]", kind)]}),
            )
            for name, kind in (("warnings", "WarningSummary"), ("deprecations", "DeprecationSummary"))
        ),
        (json.dumps({"exception": typed("x\nfatal: [good]")}), json.dumps({"exception": typed("x\n  fatal: [good]")})),
        ('{"msg": "one\\ntwo\\u001b"}', json.dumps({"msg": "one\ntwo\\x1b"})),
        ("no JSON %s\n" % ESCAPE, "no JSON \\x1b]0;root\\x07\n"),
        # Ansible shows these or acts on them.
        ('{"ansible_facts": [], "_ansible_x": "fatal", "skipped": true, "finished": "fatal", "a": 1}', '{"a": 1}'),
    ],
)
def test_what_ansible_reads_of_an_answer_shows_no_escapes(written: str, taken: str) -> None:
    assert bare(written, ANY) == taken


FAKE = '"path": "\\u001b[2J\\nPLAY RECAP"'


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    ("written", "wrong", "changed"),
    [
        ('{"changed": true, %s, "x": %s}' % (FAKE, deep(100_000)), "has too many levels", True),
        ('{"a": ' + "[" * 100_000, "has too many levels", False),
        # Without its escape, this would be JSON.
        ('{%s, "k": "\\\x1b"}' % FAKE, "is not JSON", False),
        ('{%s, "half": "%s' % (FAKE, ESCAPE), "is not JSON", False),
        ('{%s, "x": %s' % (FAKE, " " * MOST_ANSWER), "has more than %d characters" % MOST_ANSWER, False),
    ],
    ids=["deep", "open", "escaped", "half", "long"],
)
def test_what_cannot_be_read_is_the_answer_of_a_failure(written: str, wrong: str, changed: bool) -> None:
    answer = json.loads(bare(written, ANY))
    if wrong == "is not JSON":
        assert answer.pop("module_stdout") == written.replace("\x1b", "\\x1b").replace("\x07", "\\x07")
    said = "malformed result: it " + wrong + ("; the host may have been changed" if changed else "")
    assert answer == {"failed": True, "changed": changed, "msg": said}


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ({"changed": "fatal: [good]"}, "changed is not true or false"),
        ({"failed": 1}, "failed is not true or false"),
        ({"rc": "fatal: [good]"}, "rc is not a whole number within 2^80"),
        ({"warnings": "fatal: [good]"}, "warnings is not a list of at most 1000 entries"),
        ({"warnings": [5]}, "warnings.0 is no WarningSummary"),
        ({"warnings": ["a", {"a": "b"}]}, "warnings.1 is no WarningSummary"),
        ({"deprecations": ["a"]}, "deprecations.0 is no DeprecationSummary"),
        ({"deprecations": [typed("a", "WarningSummary")]}, "deprecations.0 is no DeprecationSummary"),
    ],
    ids=str,
)
def test_ansible_reads_no_value_that_it_would_show_for_its_type(answer: dict[str, Any], wrong: str) -> None:
    """Of others, it shows the value itself in lines of their own, or fails to show the result."""
    found = {"failed": True, "changed": False, "msg": "malformed result: " + wrong}
    assert json.loads(bare(json.dumps(answer), ANY)) == found


def test_an_answer_of_any_depth_is_printable_or_a_failure() -> None:
    for levels in range(300, 1500, 100):
        answer = json.loads(bare('{%s, "x": %s}' % (FAKE, deep(levels)), ANY))
        assert "\x1b" not in str(answer.get("path", ""))
        assert answer.get("failed") or answer["path"] == "\\x1b[2J\\nPLAY RECAP"


def test_of_an_output_without_an_answer_there_is_the_end() -> None:
    # Whatever is cut off, the rest is no answer.
    assert bare("x" + '{"a": 1}'.rjust(MOST_SAID), ANY) == "..." + '{"a": 1}'.rjust(MOST_SAID)
    assert bare('x{"a": "%s"}' % ("b" * (MOST_SAID - 9)), ANY) == '...{"a": "%s"}' % ("b" * (MOST_SAID - 9))
    assert bare("x" * MOST_SAID, ANY) == "x" * MOST_SAID


@pytest.mark.parametrize("output", ["\n" * 10**6, " \n" * 10**6, " " * 10**6, "\r" * 10**6], ids=repr)
def test_the_time_is_in_proportion_to_the_output(output: str) -> None:
    start = time.process_time()
    bare(output, ANY)
    assert time.process_time() - start < 5  # it was more than a minute for a tenth


@pytest.mark.parametrize(
    "written",
    [
        {"msg": {"__ansible_type": "Unknown"}},
        {"msg": "x", "exception": {"__ansible_type": "ErrorSummary", "event": 5}},
        {"warnings": [{"__ansible_type": "WarningSummary"}]},
        {"msg": {"__ansible_type": ["x"]}},
        {"msg": {"__ansible_type": "_AnsibleTaggedStr", "value": 5, "tags": 5}},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", MODULES)
def test_what_ansible_itself_cannot_read_is_malformed(name: str, written: dict[str, Any]) -> None:
    action = importlib.import_module("%s.action.%s" % (COLLECTION, name)).ActionModule
    task = action.__new__(action)
    task._used_interpreter = None
    output = {"stdout": json.dumps({"changed": True, **written}), "stderr": "", "rc": 0}
    taken = task._parse_returned_data(output, "legacy")
    # A dictionary in older versions of Ansible.
    found = taken if isinstance(taken, dict) else taken.as_result_dict(for_round_trip=True)
    assert found["failed"] is True
    answer = received(found, action.schema)
    assert (answer["failed"], "\n" in answer["msg"]) == (True, False)


def test_of_the_errors_of_a_module_there_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(ActionBase, "_parse_returned_data", lambda self, res: seen.append(res["stderr"]))
    action = importlib.import_module(COLLECTION + ".action.cache_prune").ActionModule
    action.__new__(action)._parse_returned_data({"stdout": "{}", "stderr": "x" * MOST_SAID + "\x1b", "rc": 0})
    assert seen == ["..." + "x" * (MOST_SAID - 1) + "\\x1b"]


@pytest.mark.parametrize("name", MODULES)
def test_ansible_reads_no_answer_but_a_printable_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(ActionBase, "_parse_returned_data", lambda self, res, *more: seen.append((res["stdout"], more)))
    action = importlib.import_module("%s.action.%s" % (COLLECTION, name)).ActionModule
    action.__new__(action)._parse_returned_data(
        {"stdout": '{"warnings": ["\\u001b"]}', "stderr": "", "rc": 0}, "legacy"
    )
    assert seen == [(json.dumps({"warnings": ["\\x1b"]}), ("legacy",))]


class Role:
    """Of Ansible's roles, the name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def get_name(self) -> str:
        # Ansible puts it together as well.
        return ".".join(self.name.split("."))


def of_role(module: str, role: str, arguments: dict[str, Any]) -> Any:
    """A task of a role."""
    action = importlib.import_module("%s.action.%s" % (COLLECTION, module)).ActionModule
    task = action.__new__(action)
    task._task = Task()
    task._task._role = Role(role)
    task._task.args = arguments
    return task


@pytest.mark.parametrize("name", MODULES)
def test_a_variable_that_the_role_does_not_have_fails_its_tasks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Normal, "run", lambda self, tmp=None, task_vars=None: {"failed": True, "msg": "was run"})
    variables = {"wasmtime_cache_pth": "/c"}
    assert of_role(name, ROLE, {}).run(None, variables) == {
        "failed": True,
        "changed": False,
        "msg": "wasmtime_cache_pth is not a variable of this role; the nearest name is wasmtime_cache_path",
    }
    assert of_role(name, ROLE, {}).run(None, {"wasmtime_cache_path": "/c"})["msg"] == "was run"
    assert of_role(name, "other.wasmtime_cache", {}).run(None, variables)["msg"] == "was run"


def test_a_role_with_another_name_is_not_ours() -> None:
    names = {"wasmops.wasmtime.other": False, ROLE: True, "zoo.wasmtime.wasmtime_cache": False, "wasmtime_cache": False}
    assert {name: of_role("cache_config", name, {}).is_ours for name in names} == names


def test_the_tasks_of_the_collection_s_playbooks_are_ours(tmp_path: Path) -> None:
    playbook = PLUGINS.parent / "playbooks" / "prune.yml"
    copied = tmp_path / "playbooks" / "prune.yml"
    copied.parent.mkdir()
    copied.write_text(playbook.read_text(encoding="utf-8"), encoding="utf-8")
    action = importlib.import_module(COLLECTION + ".action.cache_prune").ActionModule
    task = action.__new__(action)
    for path, ours in ((playbook, True), (copied, False)):
        play = DataLoader().load_from_file(str(path))[0]
        task._task = Task.load(next(found for section in ("pre_tasks", "tasks") for found in play.get(section, [])))
        assert str(path) in task._task.get_path()
        assert task.is_ours is ours
    # One that is in no file, such as that of an ad-hoc command.
    task._task = Task()
    assert task.is_ours is False


def test_an_empty_text_is_not_given_to_a_task_of_the_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Normal, "run", lambda self, tmp=None, task_vars=None: {"failed": True, "msg": str(self._task.args)}
    )
    given: dict[str, Any] = {
        "cleanup_interval": "",
        "level": None,
        "mode": 0,
        "force": False,
        "unset": [],
        "path": "/c",
    }
    kept = {name: value for name, value in given.items() if value not in ("", None)}
    assert of_role("cache_config", ROLE, given).run(None, {})["msg"] == str(kept)
    assert of_role("cache_config", "mine", given).run(None, {})["msg"] == str(given)
    # Files that are to be moved would be deleted without it.
    for nothing in ("", None):
        assert of_role("cache_prune", ROLE, {"backup": nothing}).run(None, {})["msg"] == str({"backup": ""})
    assert of_role("cache_config", ROLE, {"backup": ""}).run(None, {})["msg"] == str({})


def test_the_options_of_the_role_s_task_come_from_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Normal, "run", lambda self, tmp=None, task_vars=None: {"failed": True, "msg": json.dumps(self._task.args)}
    )
    variables: dict[str, Any] = {
        "wasmtime_cache_path": trust_as_template("{{ home }}/config.toml"),
        "wasmtime_cache_unset": [trust_as_template("{{ 'cleanup' ~ '_interval' }}")],
        "wasmtime_cache_force": False,
        "wasmtime_cache_optimized_compression_level": trust_as_template("{{ 3 + 4 }}"),
        # Not given.
        "wasmtime_cache_directory": trust_as_template("{{ omit }}"),
        "wasmtime_cache_mode": "",
        "wasmtime_cache_owner": None,
        # What comes from a host is no template.
        "wasmtime_cache_group": "{{ home }}",
        # Of others.
        "wasmtime_cache_prune_keep": 1,
        "wasmtime_cache_hosts": "all",
        "path": "/other",
        "home": "/home/ci",
    }
    given = {
        "path": "/home/ci/config.toml",
        "unset": ["cleanup_interval"],
        "force": False,
        "optimized_compression_level": 7,
        "group": "{{ home }}",
    }
    assert json.loads(as_role(variables).run(None, variables)["msg"]) == given
    # Wherever the task is: the role may be found by a path, or be a copy.
    task = as_role(variables, role="mine")
    assert json.loads(task.run(None, variables)["msg"]) == {**given, "mode": "", "owner": None}
    # Those of module_defaults are for what the role has no variables for.
    task = as_role(variables)
    task._task.args = {"force": True, "directory": "/d", "cleanup_interval": "1d", "create": False}
    assert json.loads(task.run(None, variables)["msg"]) == {**given, "create": False}
    # A host may say that a task is the role's.
    variables[AS_ROLE] = True
    for role in ("mine", ROLE):
        task = of_role("cache_config", role, {"path": "/c"})
        task._templar = Templar(variables=variables)
        assert json.loads(task.run(None, variables)["msg"]) == {"path": "/c"}


def as_role(variables: dict[str, Any], role: str = ROLE) -> Any:
    """The task whose options come from the variables of the role."""
    task = of_role("cache_config", role, {})
    (loaded,) = yaml.safe_load((PLUGINS.parent / "roles/wasmtime_cache/tasks/provide.yml").read_text(encoding="utf-8"))
    task._task.vars = loaded["vars"]
    task._templar = Templar(variables=variables)
    return task


def test_a_variable_of_the_role_that_needs_an_undefined_one_fails_its_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Normal, "run", lambda self, tmp=None, task_vars=None: {"changed": False})
    variables = {"wasmtime_cache_directory": trust_as_template("{{ nowhere }}/cache")}
    with pytest.raises(AnsibleActionFail, match=r"wasmtime_cache_directory cannot be rendered.*'nowhere' is undefined"):
        as_role(variables).run(None, variables)


def test_in_the_role_missing_libraries_are_no_failure_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"failed": True, "msg": "no", "missing_libraries": ["tomli-w"], "changed": True, "exception": "x"}
    monkeypatch.setattr(Normal, "run", lambda self, tmp=None, task_vars=None: dict(answer))
    expected = {"failed": False, "msg": "no", "missing_libraries": ["tomli-w"], "changed": True}
    assert of_role("cache_config", ROLE, {}).run(None, {}) == expected
    assert of_role("cache_config", "mine", {}).run(None, {})["failed"] is True
    assert of_role("cache_usage_info", ROLE, {}).run(None, {})["failed"] is True
