# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One table of settings: everything that repeats a part of it says the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.wasmops.wasmtime.plugins.doc_fragments._settings import ModuleDocFragment
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import DANGERS, MAX_BYTES
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.problems import Problem
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.words import format_value
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.directory import inspect
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.common import ENTRIES
from ansible_collections.wasmops.wasmtime.plugins.modules import (
    cache_config,
    cache_config_info,
    cache_prune,
    cache_usage_info,
    engine_info,
)
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._variables import OF_PROVISION
from ansible_collections.wasmops.wasmtime.tests.generate import stale

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "roles" / "wasmtime_cache"
PREFIX = "wasmtime_cache_"
DEFAULT_DIRECTORY = "~/.cache/wasmtime"
# The common file arguments that the role passes on.
FILE_OPTIONS = {"owner", "group", "mode", "unsafe_writes"}


def variable_of(option, entry_point):
    """The name of the role's variable for an option of a module."""
    if option == "remove":
        return PREFIX + "prune"
    own = entry_point in ("usage", "prune") and option not in ("path", "wasmtime_version")
    return PREFIX + (entry_point + "_" if own else "") + option


def default_of(setting):
    return DEFAULT_DIRECTORY if setting.default is None else format_value(setting.kind, setting.default)


def type_of(setting):
    return {"path": "path", "level": "int"}.get(setting.kind.name, "raw")


def text_of(option):
    description = option["description"]
    return description if isinstance(description, str) else " ".join(description)


def documented(module):
    """The options of a module, those of the collection's fragments included."""
    documentation = yaml.safe_load(module.DOCUMENTATION)
    options = dict(documentation.get("options", {}))
    for name in documentation["extends_documentation_fragment"]:
        if name == "wasmops.wasmtime._settings":
            options.update(yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"])
        elif name == "wasmops.wasmtime._settings.programs":
            options.update(yaml.safe_load(ModuleDocFragment.PROGRAMS)["options"])
        elif name == "wasmops.wasmtime._settings.settings":
            options.update(yaml.safe_load(ModuleDocFragment.SETTINGS)["options"])
    return options


def role_options(entry_point):
    spec = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    return spec["argument_specs"][entry_point]["options"]


def role_arguments(tasks, module):
    """The arguments of every task of the role that runs a module."""
    found = []

    def visit(node):
        if isinstance(node, list):
            for item in node:
                visit(item)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key == "wasmops.wasmtime." + module:
                    found.append(value)
                else:
                    visit(value)

    visit(yaml.safe_load((ROLE / "tasks" / tasks).read_text(encoding="utf-8")))
    return found


def given_by(module):
    """What a module gives to its Module: the argument_spec, and how it runs."""
    seen = {}

    class Seen(Exception):
        pass

    def keep(**arguments):
        seen.update(arguments)
        raise Seen

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "Module", keep)
        with pytest.raises(Seen):
            module.main()
    return seen


MODULES = [cache_config, cache_config_info, cache_prune, cache_usage_info, engine_info]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_the_documentation_is_the_argument_spec(module):
    options = documented(module)
    given = given_by(module)
    spec = given.pop("argument_spec")
    # The owner and the size of the config are a part of what these return, and not of what others do.
    assert given == {
        "supports_check_mode": True,
        **({"add_file_common_args": True} if module is cache_config else {}),
        **({} if module in (cache_config, cache_config_info) else {"path_info": False}),
        **({"mutually_exclusive": [("path", "content")]} if module is cache_config_info else {}),
        **({"required_one_of": [("remove", "unused_for")]} if module is cache_prune else {}),
    }
    assert set(options) == set(spec)
    for name, option in options.items():
        for key in ("type", "elements", "choices", "default", "aliases"):
            assert (name, key, option.get(key)) == (name, key, spec[name].get(key))


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda setting: setting.name)
def test_each_setting_is_an_option_with_its_type_and_default(setting):
    option = documented(cache_config)[setting.option]
    assert option["type"] == type_of(setting) == cache_config.argument_spec()[setting.option]["type"]
    # The engine's defaults hold where a setting is not in the file: the module has none of its own.
    assert "default" not in option
    letter = "C" if setting.kind.name == "path" else "V"
    assert "Wasmtime's default: %s(%s)" % (letter, default_of(setting)) in text_of(option)


def test_the_modules_know_no_other_settings():
    fragment = yaml.safe_load(ModuleDocFragment.SETTINGS)["options"]
    assert list(fragment) == [setting.option for setting in SETTINGS.values()]


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda setting: setting.name)
def test_the_format_of_each_setting_is_described(setting):
    text = text_of(documented(cache_config)[setting.option])
    for unit in setting.kind.units:
        assert re.search(r"(?<!\w)%s(?!\w)" % re.escape(unit), text)
    if setting.kind.name == "level":
        assert "V(0) to V(21)" in text


def test_the_role_takes_what_the_module_takes():
    options = documented(cache_config)
    role = role_options("main")
    assert set(role) == {PREFIX + name for name in set(options) | FILE_OPTIONS} - {PREFIX + "create"}
    for name, option in options.items():
        if name == "create":
            continue
        for key in ("type", "elements", "choices", "default"):
            assert (name, key, role[PREFIX + name].get(key)) == (name, key, option.get(key))


def test_the_role_describes_its_variables_as_the_module_its_options():
    role = role_options("main")
    for name, option in documented(cache_config).items():
        if name != "create":
            described = re.sub(r"\b([OR]V?)\(%s" % PREFIX, r"\1(", text_of(role[PREFIX + name]))
            assert described.split() == text_of(option).split()


def test_the_check_of_the_role_takes_what_the_module_takes():
    options = documented(cache_config_info)
    role = role_options("check")
    assert set(role) == {PREFIX + name for name in set(options)} - {PREFIX + "content"}
    for name in set(options) - {"content"}:
        for key in ("type", "elements", "choices", "default"):
            assert (name, key, role[PREFIX + name].get(key)) == (name, key, options[name].get(key))


@pytest.mark.parametrize(("entry_point", "module"), [("usage", cache_usage_info), ("prune", cache_prune)])
def test_what_takes_a_directory_takes_that_of_the_config_in_the_role(entry_point, module):
    options = documented(module)
    role = role_options(entry_point)
    names = set(options) - {"directory"}
    assert set(role) == {variable_of(name, entry_point) for name in names}
    for name in names:
        for key in ("type", "elements", "choices"):
            assert (name, key, role[variable_of(name, entry_point)].get(key)) == (name, key, options[name].get(key))


def test_the_role_s_defaults_are_those_of_its_specification_and_of_the_module():
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    assert defaults == {name: option["default"] for name, option in role_options("main").items() if "default" in option}
    spec = cache_config.argument_spec()
    assert defaults == {
        PREFIX + name: option["default"] for name, option in spec.items() if "default" in option and name != "create"
    }


def test_the_plugin_of_the_role_s_first_task_reads_every_variable():
    assert set(OF_PROVISION) == set(role_options("main"))
    # The task names no options, so that none is rendered for nothing.
    assert role_arguments("provide.yml", "cache_config") == [None]


@pytest.mark.parametrize(
    ("tasks", "module", "entry_point"),
    [
        ("check.yml", "cache_config_info", "check"),
        ("usage.yml", "cache_usage_info", "usage"),
        ("prune.yml", "cache_prune", "prune"),
    ],
)
def test_tasks_of_the_role_pass_every_variable_on(tasks, module, entry_point):
    variables = role_options(entry_point)
    found = role_arguments(tasks, module)
    assert found
    for arguments in found:
        assert {variable_of(name, entry_point) for name in arguments} == set(variables)
        for name, value in arguments.items():
            variable = variable_of(name, entry_point)
            wanted = variable if "default" in variables[variable] else variable + " | default(omit)"
            assert value == "{{ %s }}" % wanted


def test_the_readme_has_the_table():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _before, table = re.split(r"\| *Setting *\| *Default *\| *Format *\|\n\|[-| ]+\|\n", text)
    rows = re.match(r"(?:\|.*\|\n)+", table)
    assert rows is not None
    found = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| *(\w+)", rows.group(), re.MULTILINE)
    assert [(name, default) for name, default, _format in found] == [
        (setting.option, default_of(setting)) for setting in SETTINGS.values()
    ]
    for (_name, _default, kind), setting in zip(found, SETTINGS.values()):
        assert kind == {"path": "absolute"}.get(setting.kind.name, setting.kind.name)


def test_the_dangers_are_the_choices():
    for choices in (
        documented(cache_config)["ignore_dangers"]["choices"],
        cache_config.argument_spec()["ignore_dangers"]["choices"],
        role_options("main")[PREFIX + "ignore_dangers"]["choices"],
    ):
        assert choices == list(DANGERS)


@pytest.mark.parametrize("module", [cache_config, cache_config_info], ids=["cache_config", "cache_config_info"])
def test_the_samples_of_effective_settings_are_complete(module):
    sample = yaml.safe_load(module.RETURN)["effective"]["sample"]
    assert list(sample) == [setting.option for setting in SETTINGS.values()]
    for setting in SETTINGS.values():
        if sample[setting.option] != setting.default:
            assert setting.option in ("directory", "cleanup_interval", "files_total_size_soft_limit")


def test_both_modules_describe_the_fields_that_they_return():
    fields = {
        "problems": set(Problem("code", "error", "message", "remedy").as_dict()),
        "directory": set(inspect("/").as_dict()) | {"dangers"},
    }
    for result, names in fields.items():
        both = [yaml.safe_load(module.RETURN)[result]["contains"] for module in (cache_config, cache_config_info)]
        assert set(both[0]) == set(both[1]) == names
        assert [both[0][name]["type"] for name in names] == [both[1][name]["type"] for name in names]
    changed, looked_at = (
        yaml.safe_load(module.RETURN)["programs"]["contains"] for module in (cache_config, cache_config_info)
    )
    # Only where nothing is written is there a verdict on the file as it is.
    assert {**changed, "accepts": looked_at["accepts"]} == looked_at


def test_output_is_text_or_lines_by_one_rule():
    """The playbook report imports no role, and the summary of provision is outside of its."""
    role = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))["wasmtime_cache_as_text"]
    for name in ("provision", "report"):
        text = " ".join((ROOT / "playbooks" / (name + ".yml")).read_text(encoding="utf-8").split())
        assert "wasmtime_cache_as_text: >- %s" % role.strip() in text


def test_every_playbook_over_an_inventory_chooses_its_hosts_alike():
    """YAML has no way to write that once for plays in several files."""
    plays = [yaml.safe_load(path.read_text(encoding="utf-8"))[0] for path in (ROOT / "playbooks").glob("*.yml")]
    chosen = [(play["hosts"], play["vars"]) for play in plays if play["hosts"] != "localhost"]
    assert len(chosen) == len(plays) - 1
    for hosts, variables in chosen:
        assert hosts == chosen[0][0]
        assert {name: variables[name] for name in ("wasmtime_cache_pattern", "wasmtime_cache_found")} == chosen[0][1]


def test_limits_are_documented_as_they_are():
    text = " ".join(yaml.safe_load(cache_config.DOCUMENTATION)["description"])
    assert "the first %d entries" % ENTRIES in text
    table = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    assert "%d KiB" % (MAX_BYTES // 2**10) in table


def test_the_supported_versions_are_the_tested_ones():
    tested: dict[Any, Any] = {}
    for node in ast.parse((ROOT / "tests" / "machine.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
                tested.update(zip((getattr(name, "id", None) for name in names), values))
    cores = [ast.literal_eval(key) for key in tested["CORES"].keys]
    oldest, newest = (ast.literal_eval(tested[name]) for name in ("OLDEST_TARGET", "NEWEST_TARGET"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "\n| ansible-core | %s to %s |\n" % (cores[0], cores[-1]) in readme
    assert "\n| Python on targets | 3.%d to 3.%d," % (oldest, newest) in readme
    major, minor = cores[-1].split(".")
    requirement = "ansible-core >= %s.0, < %s.%d\n" % (cores[0], major, int(minor) + 1)
    assert requirement in (ROOT / "requirements.txt").read_text(encoding="utf-8")
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["requires_ansible"] == ">=%s.0" % cores[0]
    config = yaml.safe_load((ROOT / "tests" / "config.yml").read_text(encoding="utf-8"))
    assert config["modules"]["python_requires"] == ">=3.%d" % oldest


def test_every_module_with_the_common_options_is_in_the_action_group():
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    common, marked = [], []
    for path in sorted((ROOT / "plugins" / "modules").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        fragments = yaml.safe_load(text.split('DOCUMENTATION = r"""')[1].split('"""')[0])[
            "extends_documentation_fragment"
        ]
        if "wasmops.wasmtime._settings" in fragments:
            common.append(path.stem)
        if "wasmops.wasmtime._attributes.action_group" in fragments:
            marked.append(path.stem)
    assert runtime["action_groups"]["wasmtime"] == common == marked


def test_what_is_generated_is_up_to_date():
    assert stale(ROOT) == [], "make generate writes them anew"
