# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that read a config, for cache_config and cache_config_info: read, not executed, and suited by the file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.programs import KNOWN
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import for_version
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.binary import PROGRAMS, Engine
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.inventory import Program
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import programs as _programs
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.common import Readers
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.binaries import (
    BUG,
    WITH_ENABLED,
    WITHOUT_ENABLED,
    crates,
    elf,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import STRANGER, place
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import absent, run_without_root

OLD = elf(WITH_ENABLED + crates(b"30.0.2", toml=b"0.8.10", cache=b"wasmtime-cache"))
OFFICIAL = elf(WITHOUT_ENABLED + BUG % b"48.0.0" + b"/toml-0.9.8/toml_parser-1.0.4/")
EMBEDDED = elf(WITHOUT_ENABLED + crates(b"48.0.5", toml=b"0.9.12", parser=b"1.1.4") + b"EXTISM_CACHE_CONFIG")
NEW = elf(WITHOUT_ENABLED + BUG % b"50.0.0")
ANY = elf(b"\0optimized-compression-usage-counter-threshold\0struct CacheConfig with 99 elements\0")
READS_NONE = elf(BUG % b"50.0.0")
LONG = {"cleanup_interval": "307445734561825861m"}
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def names(result):
    """The programs in a result, without their directory."""
    return [Path(program["path"]).name for program in result["programs"]]


@pytest.fixture
def auto(world, monkeypatch):
    """A world in whose programs all those in the usual places are."""
    monkeypatch.setattr(_programs, "usual_places", lambda: [str(world.bin), str(world.home / "no")])
    return world


def test_the_file_follows_the_rules_of_the_program(world):
    result = world.both(programs=[world.program("old", OLD)])
    assert "[cache]\nenabled = true\n" in world.config.read_text()
    assert result["wasmtime_version"] == "30.0.2"
    assert result["programs"] == [
        {
            "path": str(world.bin / "old"),
            "version": "30.0.2",
            "versions": ["30.0.2"],
            "program": None,
            "toml": "1.0",
            "dialect": "<=32",
        }
    ]
    result = world.both(programs=[world.program("old", NEW)])
    assert "enabled" not in world.config.read_text()
    assert result["wasmtime_version"] == "50.0.0"


def test_the_file_must_suit_all_of_them(world):
    old, new = world.program("a", elf(WITHOUT_ENABLED + BUG % b"43.0.0")), world.program("b", NEW)
    assert "is more than 2^64-1 seconds" in world.refused(programs=[old, new], **LONG)
    result = world.both(programs=[old, new, old])
    assert (result["wasmtime_version"], len(result["programs"])) == ("43.0.0, 50.0.0", 2)


def test_versions_that_are_named_count_as_well(world):
    new = world.program("new", NEW)
    assert world.both(programs=[new], wasmtime_version=["42.0.2"])["wasmtime_version"] == "42.0.2, 50.0.0"
    text = world.refused(programs=[new], wasmtime_version=["32"])
    assert 'enabled is required by Wasmtime 32 and refused by "%s" (Wasmtime 50.0.0)' % new in text


def test_the_grammar_of_toml_is_that_of_the_program(world):
    world.write('[cache]\ncleanup-interval = "1\\x68"\n')
    embedded, official = world.program("embedded", EMBEDDED), world.program("official", OFFICIAL)
    assert world.both(directory=..., programs=[embedded], create_directory=False)["changed"] is False
    # Before Python 3.11 no parser there can tell.
    reason = "valid TOML 1.1, but not TOML 1.0" if sys.version_info >= (3, 11) else "no parser for TOML 1.0"
    assert reason in world.refused(directory=..., programs=[official])
    assert reason in world.refused(directory=..., programs=[embedded, official])
    result = world.info(path=str(world.config), programs=[embedded, official])
    assert [program["accepts"] for program in result["programs"]] == [True, False]
    assert [program["toml"] for program in result["programs"]] == ["1.1", "1.0"]
    assert result["valid"] is False


def test_where_no_file_suits_all_each_is_named_with_its_version_and_what_to_do(world):
    old, embedded = world.program("old", OLD), world.program("embedded", EMBEDDED)
    new = world.program("new", NEW + b"EXTISM_CACHE_CONFIG")
    sentence = (
        'no file suits all that read it: enabled is required by "%s" (Wasmtime 30.0.2) and refused by "%s" (Wasmtime 48.0.5);'
        " give each side a file of its own: set EXTISM_CACHE_CONFIG=FILE for Extism; see the documentation of any other"
        " program" % (old, embedded)
    )
    assert world.refused(programs=[embedded, old]) == sentence
    assert "see the documentation" in world.refused(programs=[new, old])
    known = world.program("known", OLD + b"EXTISM_CACHE_CONFIG")
    assert world.refused(programs=[embedded, known]).endswith("set EXTISM_CACHE_CONFIG=FILE for Extism")
    for text, code in (("[cache]\n", "enabled-missing"), ("[cache]\nenabled = true\n", "enabled-refused")):
        world.write(text)
        result = world.info(path=str(world.config), programs=[embedded, old])
        assert [(problem["code"], problem["remedy"]) for problem in result["problems"]] == [(code, sentence)]
        assert [program["accepts"] for program in result["programs"]] == [
            code == "enabled-missing",
            code != "enabled-missing",
        ]


def test_very_many_programs_are_not_all_named_in_a_sentence(world):
    old = [world.program("old%02d" % number, OLD) for number in range(12)]
    text = world.refused(programs=[*old, world.program("new", NEW)])
    assert '/old09" (Wasmtime 30.0.2) and 2 more and refused by "' in text
    assert "programs has 101 paths; name 100 at most" in world.refused(programs=["/%d" % n for n in range(101)])
    assert world.refused(programs=["/no/%d" % n for n in range(100)]) == (
        'programs: "/no/0": there is no such file; correct the path, or install the program first'
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "n0"),
        (2, "n0, n1"),
        (10, "n0, n1, n2, n3, n4, n5, n6, n7, n8, n9"),
        (11, "n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 1 more"),
        (12, "n0, n1, n2, n3, n4, n5, n6, n7, n8, n9 and 2 more"),
    ],
)
def test_ten_names_are_in_a_sentence(number, text):
    assert _programs._some(["n%d" % at for at in range(number)]) == text


def test_a_hundred_programs_are_in_a_result():
    engine = Engine(("50.0.0",), "sbom", 50, 50, True, ("1.1",), None, False, "spin")
    found = [Program("/p%d" % number, engine, 0) for number in range(101)]
    results = _programs.as_results(Readers((), None, (), tuple(found)))
    facts = {
        "version": "50.0.0",
        "versions": ["50.0.0"],
        "program": "spin",
        "toml": "1.1",
        "dialect": for_version("50").name,
    }
    assert results == [{"path": "/p%d" % number, **facts} for number in range(100)]


def test_every_program_whose_way_is_known_has_one():
    assert set(KNOWN) == set(PROGRAMS)


def test_a_version_that_cannot_be_told_needs_a_name_unless_all_that_are_possible_agree(world):
    some = world.program("some", elf(WITHOUT_ENABLED + b"/toml-0.9.8/"))
    assert world.both(programs=[some])["programs"][0]["versions"] == ["39-42"]
    text = world.refused(programs=[world.program("any", ANY)])
    assert "(Wasmtime of an unknown version): its version is not known, and no file suits both" in text
    assert text.endswith("name the version in wasmtime_version instead")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"#!/bin/sh\n", "this is a script; name the program that it starts"),
        (b"hello", "this is no executable and no shared library; name the program that reads the config"),
        (elf(), "there is no Wasmtime in this file; if it loads one from another file, name that file"),
        (elf(b"UPX!" * 9, code=b"UPX!"), "this is packed by UPX and cannot be read"),
        (READS_NONE, "the Wasmtime in this file cannot read a cache config; leave it out"),
    ],
)
def test_a_file_that_is_no_engine_is_named_in_one_sentence(world, data, words):
    path = world.program("x", data)
    text = world.refused(programs=[world.program("new", NEW), path])
    assert text.startswith('programs: "%s": %s' % (path, words))
    assert "\n" not in text
    assert world.info(path=str(world.config), programs=[path])["msg"] == text


def test_what_is_no_file_or_far_too_large_is_named_and_never_waited_for(world):
    os.mkfifo(str(world.bin / "fifo"))
    (world.bin / "device").symlink_to("/dev/zero")
    os.truncate(world.program("sparse", NEW), 2**32)
    os.truncate(world.program("larger", NEW), 2**30 + 1)
    os.truncate(world.program("large", b"hello"), 2**30)
    (world.bin / "loop").symlink_to("loop")
    special = "this is a directory, a device, a FIFO or a socket; name the program itself"
    for name, words in (
        ("fifo", special),
        ("device", special),
        ("../bin", special),
        ("sparse", "this has more than 1 GiB and is not read"),
        (
            "larger",
            "this has more than 1 GiB and is not read; name the version in wasmtime_version instead (1073741825 bytes)",
        ),
        ("large", "this is no executable and no shared library"),
        ("loop", ""),
        ("missing", "there is no such file; correct the path, or install the program first"),
    ):
        path = "%s/%s" % (world.bin, name)
        assert world.refused(programs=[path]).startswith('programs: "%s": %s' % (path, words))


def test_headers_that_lie_cost_nothing(world):
    lying = bytearray(NEW)
    lying[32:64] = b"\xff" * 32
    result = world.both(programs=[world.program("lying", bytes(lying))])
    assert result["programs"][0]["version"] == "50.0.0"


def test_a_program_that_takes_too_long_is_named(world, monkeypatch):
    monkeypatch.setattr(_programs, "TIME_LIMIT", -1)
    path = world.program("new", NEW)
    assert world.refused(programs=[path]).startswith('programs: "%s": this could not be read in' % path)
    monkeypatch.setattr(_programs, "usual_places", lambda: [str(world.bin)])
    assert "the usual places could not be searched in" in world.refused(wasmtime_version="auto")


def test_a_path_must_be_absolute(world):
    assert 'programs has "bin/x", which is not an absolute path' in world.refused(programs=["bin/x"])
    assert "which is not an absolute path" in world.refused(programs=["/a\0b"])


def test_a_file_that_is_removed_is_read_by_nobody(world):
    world.write("[cache]\n")
    assert absent(world, programs=["/no/such/program"], directory=...)["changed"] is True


def test_a_program_that_may_not_be_read():
    with place() as there:
        path = there / "program"
        path.write_bytes(NEW)
        path.chmod(0)
        result = run_without_root(there, programs=[str(path)])
        assert result["msg"].startswith('programs: "%s": this cannot be read; run as a user who may read it' % path)
        assert not (there / "config.toml").exists()


@root_only
def test_root_reads_no_secret_behind_a_link_of_a_user(world):
    with place(STRANGER) as there, place(0) as private:
        (private / "program").write_bytes(NEW)
        (private / "program").chmod(0o700)
        (there / "link").symlink_to(private / "program")
        os.lchown(str(there / "link"), STRANGER, STRANGER)
        assert "this cannot be read" in world.refused(programs=[str(there / "link")])
        (private / "program").chmod(0o755)
        assert world.both(programs=[str(there / "link")])["wasmtime_version"] == "50.0.0"


@root_only
def test_the_program_of_a_user_is_read_as_root_and_never_executed(world):
    with place(STRANGER) as there:
        (there / "program").write_bytes(NEW)
        (there / "program").chmod(0o755)
        os.chown(str(there / "program"), STRANGER, STRANGER)
        assert world.both(programs=[str(there / "program")])["wasmtime_version"] == "50.0.0"


def test_auto_takes_every_wasmtime_in_the_usual_places_that_reads_a_config(auto):
    auto.program("none", READS_NONE)
    text = auto.refused(wasmtime_version="auto")
    assert text == (
        "wasmtime_version: auto: no program in the usual places has a Wasmtime that reads a cache config;"
        ' write a version like "42.0.2" or "42"'
    )
    auto.program("wasmtime", elf(WITHOUT_ENABLED + BUG % b"43.0.0"))
    auto.program("new", NEW)
    result = auto.both(wasmtime_version="auto")
    assert result["wasmtime_version"] == "50.0.0, 43.0.0"
    assert names(result) == ["new", "wasmtime"]
    assert auto.both(wasmtime_version=["auto", "47"])["wasmtime_version"] == "47, 50.0.0, 43.0.0"
    named = [str(auto.bin / "wasmtime")]
    result = auto.both(wasmtime_version="auto", programs=named)
    assert names(result) == ["wasmtime", "new"]
    auto.program("old", OLD)
    assert 'enabled is required by "%s"' % (auto.bin / "old") in auto.refused(wasmtime_version="auto")


def test_auto_executes_nothing(auto):
    made = auto.home / "made"
    path = auto.bin / "wasmtime"
    path.write_text("#!/bin/sh\ntouch '%s'\necho wasmtime 42.0.2\n" % made)
    path.chmod(0o755)
    auto.refused(wasmtime_version="auto")
    assert not made.exists()


def test_each_program_has_its_own_verdict(world):
    world.write("[cache]\nenabled = true\ndirectory = '%s'\n" % world.cache)
    programs = [world.program("old", OLD), world.program("new", NEW)]
    result = world.info(path=str(world.config), programs=programs)
    assert [program["accepts"] for program in result["programs"]] == [True, False]
    result = world.info(path=str(world.tree / "missing"), programs=programs)
    assert [program["accepts"] for program in result["programs"]] == [False, False]
    assert world.info(content="[cache]\n", programs=programs[1:])["programs"][0]["accepts"] is True
    assert world.info(content="[cache]\n")["programs"] == []
    assert world.both(directory=...)["programs"] == []
