# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""engine_info, run as Ansible runs it."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import KINDS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.values import parse_text
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import DIALECTS, MAJOR_MAX, for_version
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines import inventory as _inventory
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.binary import PROGRAMS, RULES
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.inventory import SIZE_LIMIT
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.processes import SOURCES, VARIABLES
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.access import Reason
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import engine_info as gathering
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import programs as _programs
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import prune as _prune
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import refused as _refused
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.reasons import sentence
from ansible_collections.wasmops.wasmtime.plugins.modules import cache_usage_info, engine_info
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.binaries import (
    BUG,
    WITH_ENABLED,
    WITHOUT_ENABLED,
    crates,
    elf,
    mapping,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    STRANGER,
    as_root,
    give,
    new,
    place,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import World

OLD = elf(WITH_ENABLED + crates(b"30.0.2", toml=b"0.8.10", cache=b"wasmtime-cache"))
EMBEDDED = elf(WITHOUT_ENABLED + crates(b"48.0.5", toml=b"0.9.12", parser=b"1.1.4"))
NEW = elf(WITHOUT_ENABLED + BUG % b"50.0.0")
NONE = elf(BUG % b"50.0.0")


def run(**options):
    options.setdefault("running", False)
    return World.execute(engine_info, options.pop("check", False), options)


@pytest.fixture
def programs(world):
    for name, data in (("embedded", EMBEDDED), ("new", NEW), ("none", NONE), ("old", OLD)):
        (world.bin / name).write_bytes(data)
        (world.bin / name).chmod(0o755)
    return world


def test_the_usual_limits_of_a_search_are_the_defaults_of_engine_info():
    options = yaml.safe_load(engine_info.DOCUMENTATION)["options"]
    assert parse_text(KINDS["size"], options["size_limit"]["default"]) == SIZE_LIMIT
    assert (options["depth"]["default"], options["time_limit"]["default"]) == (_programs.DEPTH, _programs.TIME_LIMIT)
    assert "V(0) to V(%d)" % gathering._MOST_DEPTH in " ".join(options["depth"]["description"])
    said = "more than %d GiB" % (SIZE_LIMIT >> 30)
    assert said in _programs.REASONS["too-large"]
    assert said in _prune._NOTE_TEXTS["too-large"]


def test_every_wasmtime_is_returned_as_documented(programs):
    before = programs.snapshot()
    result = run(paths=[str(programs.bin)])
    assert programs.snapshot() == before
    assert result["changed"] is False
    assert result["complete"] is True
    assert [(Path(e["path"]).name, e["version"]) for e in result["engines"]] == [
        ("embedded", "48.0.5"),
        ("new", "50.0.0"),
        ("none", "50.0.0"),
        ("old", "30.0.2"),
    ]
    documented = yaml.safe_load(engine_info.RETURN)
    fields = set(documented["engines"]["contains"]) - {"accepts", "problems"}
    assert all(set(engine) == fields for engine in result["engines"])
    assert set(documented) | {"changed"} == set(result) - {"invocation"}  # which older releases of Ansible add
    assert run(paths=[str(programs.bin)], check=True)["engines"] == result["engines"]


@pytest.mark.parametrize(
    ("text", "accepts"),
    [
        ("[cache]\n", [True, True, None, False]),
        ("[cache]\nenabled = true\n", [False, False, None, True]),
        ("[cache]\ncleanup-interval = '307445734561825861m'\n", [False, False, None, False]),
        ("[cache\n", [False, False, None, False]),
    ],
)
def test_a_config_is_held_against_the_rules_of_each(programs, text, accepts):
    programs.write(text + "directory = '%s'\n" % programs.cache)
    result = run(paths=[str(programs.bin)], path=str(programs.config))
    assert [engine["accepts"] for engine in result["engines"]] == accepts
    for engine in result["engines"]:
        errors = [problem for problem in engine["problems"] if problem["severity"] == "error"]
        assert bool(errors) is (engine["accepts"] is False)
        assert all(set(problem) >= {"code", "message", "remedy", "line"} for problem in errors)


def test_a_config_that_is_not_there_is_taken_by_none(programs):
    result = run(paths=[str(programs.bin / "new")], path=str(programs.config))
    assert result["engines"][0]["accepts"] is False
    assert result["engines"][0]["problems"][0]["code"] == "missing"


@pytest.mark.parametrize(("name", "code"), [("etc", "not-a-file"), ("dangling", "dangling-link")])
def test_what_is_no_config_is_taken_by_none(programs, name, code):
    (programs.tree / "dangling").symlink_to("nothing")
    result = run(paths=[str(programs.bin)], path=str(programs.tree / name))
    assert [engine["accepts"] for engine in result["engines"]] == [False, False, None, False]
    assert [[problem["code"] for problem in engine["problems"]] for engine in result["engines"]] == [
        [code],
        [code],
        [],
        [code],
    ]


@pytest.mark.parametrize("path", ["/etc/x.toml", None])
def test_an_error_of_the_system_names_the_config_or_the_paths(programs, monkeypatch, path):
    def fails(_inventory):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(_inventory.Inventory, "results", fails)
    result = run(paths=[str(programs.bin)], path=path)
    assert result["failed"] is True
    assert result["msg"] == "%s: system error: Input/output error; correct that first" % (path or "paths")


def test_a_wasmtime_of_several_possible_versions_takes_what_all_take(world):
    (world.bin / "some").write_bytes(elf(WITHOUT_ENABLED))
    world.write("[cache]\ncleanup-interval = '307445734561825861m'\ndirectory = '%s'\n" % world.cache)
    (engine,) = run(paths=[str(world.bin / "some")], path=str(world.config))["engines"]
    last = [dialect.last for dialect in DIALECTS if dialect.fields == for_version("33").fields][-1]
    versions = [">=33" if last == MAJOR_MAX else "33-%d" % last]
    assert (engine["version"], engine["dialect"], engine["toml"], engine["versions"]) == (None, None, None, versions)
    assert engine["accepts"] is False


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"paths": ["bin"]}, 'paths has "bin", which is not an absolute path; write an absolute path'),
        ({"paths": ["/a\0b"]}, "which is not an absolute path"),
        ({"time_limit": 0}, "time_limit is 0; write 1 to 86400"),
        ({"time_limit": 86401}, "time_limit is 86401; write 1 to 86400"),
        ({"depth": 101}, "depth is 101; write 0 to 100"),
        ({"depth": -1}, "depth is -1; write 0 to 100"),
        ({"size_limit": "1GB"}, 'size_limit: "1GB" has the unknown unit'),
        ({"path": "a/b"}, "not absolute"),
    ],
)
def test_bad_options_end_in_one_sentence(world, options, words):
    result = run(**options)
    assert result["failed"] is True
    assert words in result["msg"]


@pytest.mark.parametrize("options", [{"time_limit": 1, "depth": 0}, {"time_limit": 86400, "depth": 100}])
def test_the_least_and_the_most_of_an_option_are_taken(programs, options):
    result = run(paths=[str(programs.bin)], **options)
    assert (len(result["engines"]), result["notes"], result["complete"]) == (4, [], True)


def test_what_is_too_large_is_said_with_its_size(world):
    path = world.bin / "large"
    path.write_bytes(NEW)
    path.chmod(0o755)
    result = run(paths=[str(path)], size_limit=str(len(NEW) - 1))
    text = sentence(Reason("size", size=len(NEW)))
    assert [(note["code"], note["count"], note["examples"]) for note in result["notes"]] == [
        ("too-large", 1, ["%s (%s)" % (path, text)])
    ]
    assert str(len(NEW)) in text
    assert result["complete"] is True
    assert len(run(paths=[str(path)], size_limit=str(len(NEW)))["engines"]) == 1


def test_a_result_without_all_engines_is_not_complete(programs, monkeypatch):
    monkeypatch.setattr(_inventory, "ENGINES_MAX", 3)
    result = run(paths=[str(programs.bin)])
    assert [Path(engine["path"]).name for engine in result["engines"]] == ["embedded", "new", "none"]
    assert [(note["code"], note["examples"]) for note in result["notes"]] == [
        ("not-listed", [str(programs.bin / "old")])
    ]
    assert result["complete"] is False


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux has such files")
def test_processes_are_looked_at_if_the_task_says_so(programs):
    path = programs.bin / "new"
    with mapping(path) as process:
        for running in (True, False):
            engines = run(running=running, paths=[str(path)])["engines"]
            assert [engine["pids"] for engine in engines if engine["path"] == str(path)] == [
                [process.pid] if running else []
            ]


def test_what_cannot_be_seen_is_said(world):
    script = world.bin / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    result = run(paths=[str(script), str(world.bin / "no"), str(world.bin)])
    assert [(note["code"], note["count"]) for note in result["notes"]] == [("missing", 1), ("script", 2)]
    assert result["notes"][1]["examples"] == [str(script)] * 2
    assert result["engines"] == []


def test_names_of_any_bytes(world):
    name = os.fsdecode(b"\xff\x1b[31m\xe2\x80\xae\n")
    for path, data in ((world.bin / name, NEW), (world.bin / (name + "2"), b"#!")):
        path.write_bytes(data)
        path.chmod(0o755)
    result = run(paths=[str(world.bin)])
    shown = str(world.bin) + r"/\udcff\x1b[31m\u202e\n"
    assert [engine["path"] for engine in result["engines"]] == [shown]
    assert [note["examples"] for note in result["notes"]] == [[shown + "2"]]


def test_the_usual_places_are_searched(programs, monkeypatch):
    monkeypatch.setattr("os.environ", {"PATH": str(programs.bin), "HOME": str(programs.home)})
    monkeypatch.setattr(gathering, "usual_places", lambda: [str(programs.bin), str(programs.home / "no")])
    result = run()
    assert len(result["engines"]) == 4
    assert result["notes"] == []


@as_root
@pytest.mark.parametrize("named", [True, False])
def test_a_link_that_root_must_not_follow_is_noted(monkeypatch, named):
    """What is behind it is not looked up: that can take for ever."""
    with place(STRANGER) as there:
        link, system = there / "bin", "/proc/%d/root" % os.getpid()
        link.symlink_to("%s%s/no-such-directory" % (system, there))
        give(link, STRANGER)
        monkeypatch.setattr(gathering, "usual_places", lambda: [str(link)])
        result = run(paths=[str(link)] if named else None)
    (note,) = result["notes"]
    assert (note["code"], note["count"]) == ("unreadable", 1)
    assert note["examples"] == [
        '%s ("%s" is a link of the system, as in /proc: root does not follow it)' % (link, system)
    ]


@as_root
def test_no_program_is_sought_where_root_must_not_follow_a_link(monkeypatch):
    real = os.stat
    with place(STRANGER) as there:
        (there / "bin").symlink_to("/proc/%d/root/tmp" % os.getpid())
        give(there / "bin", STRANGER)

        def stat_of(path, **options):
            assert path != str(there / "bin") or options.get("follow_symlinks") is False
            return real(path, **options)

        for module in (gathering, _programs, _inventory):
            monkeypatch.setattr(module, "usual_places", lambda: [str(there / "bin")])
        monkeypatch.setattr(os, "stat", stat_of)
        assert [note["code"] for note in run()["notes"]] == ["unreadable"]
        with pytest.raises(_refused.Refused, match="no program in the usual places has a Wasmtime"):
            _programs.programs_of([], True)
        cache = there / "cache"
        cache.mkdir()
        used, reason = _prune.engines_of(cache.lstat(), str(cache), 600.0)
    assert used is None
    assert str(there / "bin") in reason


@as_root
def test_below_a_link_of_a_user_root_names_only_what_everybody_may_list():
    with place(STRANGER) as there, place(0) as public:
        for name, mode in (("secret", 0o700), ("open", 0o755)):
            (new(public / name, mode) / "key-of-acme").write_text("#!/bin/sh\n")
            (public / name / "key-of-acme").chmod(0o755)
        (there / "bin").symlink_to(public)
        give(there / "bin", STRANGER)
        result = run(paths=[str(there / "bin")])
        assert {note["code"]: note["examples"] for note in result["notes"]} == {
            "script": [str(there / "bin" / "open" / "key-of-acme")],
            "unreadable": [
                '%s ("%s" is a symbolic link of %d into "%s", which belongs to root: root does not follow it)'
                % (there / "bin" / "secret", there / "bin", STRANGER, there / "bin" / "secret")
            ],
        }


def test_the_documentation_says_what_there_is():
    documented = yaml.safe_load(engine_info.DOCUMENTATION)
    text = " ".join(documented["description"])
    assert all("E(%s)" % name in text for name in VARIABLES)
    engine = yaml.safe_load(engine_info.RETURN)["engines"]["contains"]
    assert all("V(%s)" % rule in " ".join(engine["rule"]["description"]) for rule in RULES)
    assert all("V(%s)" % name in " ".join(engine["program"]["description"]) for name in PROGRAMS)
    sources = " ".join(engine["configs"]["contains"]["source"]["description"])
    assert all("V(%s)" % name in sources for name in SOURCES)


def test_the_documentation_is_the_argument_spec(monkeypatch):
    seen = {}

    class Seen(Exception):
        pass

    def keep(**arguments):
        seen.update(arguments["argument_spec"])
        raise Seen

    monkeypatch.setattr(engine_info, "Module", keep)
    with pytest.raises(Seen):
        engine_info.main()
    options = yaml.safe_load(engine_info.DOCUMENTATION)["options"]
    assert set(options) == set(seen)
    for name, option in options.items():
        for key in ("type", "elements", "default"):
            assert (name, key, option.get(key)) == (name, key, seen[name].get(key))


def test_nothing_of_the_environment_or_of_arguments_is_returned(world, monkeypatch):
    monkeypatch.setenv("TOKEN", "hunter2")
    result = run(running=True, paths=[str(world.bin)])
    assert "hunter2" not in json.dumps(result)


@pytest.mark.parametrize("number", [float("inf"), float("-inf")])
@pytest.mark.parametrize("option", ["depth", "time_limit"])
def test_a_number_that_ansible_cannot_read_is_named(programs, option, number):
    usual = World.execute(cache_usage_info, False, {"path": "/x", "levels": [3, number]})
    for name, result in ((option, run(paths=[str(programs.bin)], **{option: number})), ("levels", usual)):
        assert name in result["msg"]
        # From 2.22 on, Ansible itself says so.
        assert re.search(
            "is not a whole number of a usual size; write one|cannot be converted to an int", result["msg"]
        )
