# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that begin like those of the role and are none of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._variables import (
    OF_THE_PLAYBOOKS,
    OF_THE_ROLE,
    unknown_names,
    unknown_variables,
)

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("wasmtime_cache_files_total_size_softlimit", "wasmtime_cache_files_total_size_soft_limit"),
        ("wasmtime_cache_directry", "wasmtime_cache_directory"),
        ("wasmtime_cache_report_dat", "wasmtime_cache_report_data"),
        ("wasmtime_cache_usage_level", "wasmtime_cache_usage_levels"),
    ],
)
@pytest.mark.parametrize("value", ["2Gi", "", None, 0, [], "{{ undefined }}"], ids=str)
def test_the_nearest_name_is_named(name: str, nearest: str, value: object) -> None:
    assert unknown_variables({"a": 1, name: value, "wasmtime_cache_path": "/c"}) == [
        "%s is not a variable of this role; the nearest name is %s" % (name, nearest)
    ]


def test_a_name_does_not_act_on_a_terminal() -> None:
    (sentence,) = unknown_variables({"wasmtime_cache_\x1b[2J\nPLAY": 1})
    assert sentence.startswith("wasmtime_cache_\\x1b[2J\\nPLAY is not a variable of this role; ")


def test_names_of_others_and_what_tasks_register_are_no_variables_of_the_role() -> None:
    known = dict.fromkeys((*OF_THE_ROLE, *OF_THE_PLAYBOOKS), "x")
    result = {"changed": False, "failed": False}
    others = {"wasmtime_cache": 1, "wasmtime_cache_result": result, "wasmtime_cache_mine": result, "cache_path": "/c"}
    assert unknown_variables({**known, **others}) == []


def test_names_alone_are_enough() -> None:
    """lint.yml cannot give the values: to do so, Ansible would have to template them."""
    assert unknown_names(["", "a", "wasmtime_cache_lint_path", "wasmtime_cache_result"]) == []
    assert unknown_names(["wasmtime_cache_lint_fromat"]) == [
        "wasmtime_cache_lint_fromat is not a variable of this role; the nearest name is wasmtime_cache_lint_format"
    ]


def test_what_the_role_and_the_playbooks_set_is_known() -> None:
    known = (*unknown_variables.__globals__["_INTERNAL"], *unknown_variables.__globals__["_DICTIONARIES"])
    paths = [*ROOT.glob("roles/wasmtime_cache/*/*.yml"), *ROOT.glob("playbooks/*.yml")]
    text = "".join(path.read_text(encoding="utf-8") for path in paths)
    mentioned = set(re.findall(r"\bwasmtime_cache_\w+", text))
    assert set(known) <= mentioned
    # Role variables and those of a play are there when the role's modules run; facts are when they run again.
    variables = yaml.safe_load((ROOT / "roles/wasmtime_cache/vars/main.yml").read_text(encoding="utf-8"))
    for path in ROOT.glob("playbooks/*.yml"):
        for play in yaml.safe_load(path.read_text(encoding="utf-8")):
            variables.update(play.get("vars", {}))
    for task in yaml.safe_load((ROOT / "roles/wasmtime_cache/tasks/check.yml").read_text(encoding="utf-8")):
        variables.update(task.get("ansible.builtin.set_fact", {}))
    assert unknown_variables(variables) == []
    assert unknown_names({*variables, *re.findall(r"^ +register: (\w+)$", text, re.MULTILINE)}) == []


def test_the_variables_of_the_playbooks_are_those_of_their_page() -> None:
    page = (ROOT / "docs/docsite/rst/playbooks.rst").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^   \* - ``(wasmtime_cache_\w+)``$", page, re.MULTILINE)) == sorted(OF_THE_PLAYBOOKS)
