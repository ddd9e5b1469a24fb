# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing that the modules return acts on a terminal, whatever files and what is in them are called."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wasmops.wasmtime.plugins.modules import cache_config, cache_config_info, cache_usage_info
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.binaries import WITHOUT_ENABLED, elf
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import (
    World,
    execute_without_root,
    warnings_of,
)

# A file can have all of these in its name: escapes of both kinds, line ends, marks of direction, bytes that are no text.
HOSTILE = "x\x1b[2J\x9b31m\r\n\x7f\x85\u2028\u202e\u2066\u200f\udc9b"
SHOWN = r"x\x1b[2J\x9b31m\r\n\x7f\x85\u2028\u202e\u2066\u200f\udc9b"


def texts_of(value: Any, name: str = "") -> list[str]:
    """All texts in a result, without the lines of those that have some."""
    if isinstance(value, dict):
        return [text for key, part in value.items() if key != "invocation" for text in (key, *texts_of(part, key))]
    if isinstance(value, list):
        return [text for part in value for text in texts_of(part)]
    if not isinstance(value, str):
        return []
    if name not in ("msg", "before", "after"):
        return [value]
    return value.lstrip("\ufeff").replace("\r\n", "\n").replace("\t", "").split("\n")


def plain(result: dict[str, Any]) -> dict[str, Any]:
    """The result, all of which is printable."""
    for text in (*texts_of(result), *warnings_of(result)):
        assert text.isprintable(), ascii(text)
    return result


def looked(world: World, **options: Any) -> dict[str, Any]:
    """What cache_usage_info says."""
    return plain(world.execute(cache_usage_info, False, options))


def test_the_path_of_the_config(world: World) -> None:
    path = world.config.parent / HOSTILE / HOSTILE
    path.parent.mkdir()
    result = plain(world.run(path=str(path)))
    assert result["path"].endswith("/%s/%s" % (SHOWN, SHOWN))
    assert result["diff"][0]["before_header"] == result["path"]
    # What Ansible adds is that of the file, and not of one that is called like what is shown.
    assert result["state"] == "file"
    assert plain(world.info(path=str(path)))["path"] == result["path"]
    assert plain(world.run(path=str(path), state="absent", backup=True))["backup_file"].count(SHOWN) == 2
    assert SHOWN in plain(world.run(path=str(path), create=False))["msg"]


@pytest.mark.parametrize("module", [cache_config, cache_config_info], ids=["cache_config", "cache_config_info"])
def test_the_target_of_a_dangling_link(world: World, module: Any) -> None:
    world.config.symlink_to(os.fsencode("/nowhere/" + HOSTILE))
    result = plain(world.execute(module, False, {"path": str(world.config)}))
    assert SHOWN in str(result["problems"]).replace("\\\\", "\\")


def test_a_message_with_several_problems_has_no_lines_but_those_of_the_problems(world: World) -> None:
    hostile = '"a\\u001B[2J\\r\\n- b"'
    world.write("[cache]\n%s = 1\ncleanup-interval = %s\n[%s]\n" % (hostile, hostile, hostile))
    result = plain(world.run(cleanup_interval="1h", unset=["directory"], directory=...))
    assert result["failed"]
    lines = result["msg"].split("\n")
    # The last one is the way out.
    assert len(lines) == 1 + len(result["problems"]) + 1
    assert all(line.startswith("- ") for line in lines[1:])
    plain(world.info(path=str(world.config)))


def test_settings_and_the_directory_that_they_name(world: World) -> None:
    directory = str(world.cache) + "\x1b[2J\x85\u202e\n"
    world.write(
        '[cache]\ndirectory = "%s"\n' % "".join(c if c.isprintable() else "\\u%04x" % ord(c) for c in directory)
    )
    for result in (world.info(path=str(world.config)), world.run(directory=..., cleanup_interval="1h")):
        shown = str(world.cache) + r"\x1b[2J\x85\u202e\n"
        assert plain(result)["settings"]["directory"] == shown
        assert result["effective"]["directory"] == result["directory"]["path"] == shown
    assert os.path.isdir(directory)  # noqa: PTH112
    assert looked(world, path=str(world.config))["directory"] == shown


def test_values_that_are_printable_are_exact(world: World) -> None:
    world.write("[cache]\ndirectory = '%s/größe \"x\" \\n 全 {{ x }}'\n" % world.cache)
    result = plain(world.info(path=str(world.config)))
    assert result["effective"]["directory"] == str(world.cache) + '/größe "x" \\n 全 {{ x }}'


def test_the_text_of_a_diff_keeps_its_lines_and_nothing_else(world: World) -> None:
    before = "\ufeff# kept \x1b[2J\u202e\x85\r\n\t[cache]\r\n# \x9b\n"
    world.write(before.replace("\x1b", "").replace("\x85", "\u2066").replace("\x9b", "\u2067"))
    (diff,) = plain(world.run(directory=..., create_directory=False, cleanup_interval="1h"))["diff"][:1]
    assert diff["before"] == "\ufeff# kept [2J\\u202e\\u2066\r\n\t[cache]\r\n# \\u2067\n"


def test_the_names_of_files_in_a_cache(world: World) -> None:
    world.write('[cache]\ndirectory = "%s"\n' % world.cache)
    compiler = world.cache / "modules" / HOSTILE
    compiler.mkdir(parents=True)
    (compiler / "a").write_bytes(b"no module")
    (compiler / ("%s.x" % HOSTILE)).touch()
    (world.cache / HOSTILE).symlink_to("/" + HOSTILE)
    (world.cache / (".cleanup.wip-" + "1")).touch()
    result = looked(world, path=str(world.config), verify=True)
    assert SHOWN[:20] in result["compilers"][0]["name"]
    assert SHOWN[:20] in str(result["foreign"]["names"]).replace("\\\\", "\\")
    assert result["verified"]["broken"]
    problems = plain(world.info(path=str(world.config)))["problems"]
    assert "directory-foreign-files" in [problem["code"] for problem in problems]
    plain(world.run(cleanup_interval="1h", file_count_soft_limit="1"))


def test_what_cannot_be_written(public_world: World) -> None:
    folder = public_world.config.parent / HOSTILE
    folder.mkdir()
    folder.chmod(0o555)
    result = plain(execute_without_root(cache_config, path=str(folder / "c.toml"), create_directory=False))
    assert result["failed"]
    assert SHOWN in result["msg"]
    folder.chmod(0o755)
    path = folder / "d"
    path.mkdir()
    assert SHOWN in plain(public_world.run(path=str(path)))["msg"]


def test_what_the_system_fails_at(world: World) -> None:
    name = "x\x1b[2J\n\u202e" * 60
    for module in (cache_config, cache_config_info, cache_usage_info):
        result = plain(world.execute(module, False, {"path": str(world.config.parent / name)}))
        assert r"\x1b[2J\n\u202e" in result.get("msg", result["path"])
        plain(world.execute(module, False, {"path": "/proc/self/fd/\x1b[2J\u202e/" + name}))


def test_options_of_a_task(world: World) -> None:
    for options in (
        {"unset": ["\x1b[2J\u202e"]},
        {"cleanup_interval": "\x1b[2J\u202e"},
        {"directory_owner": "no\x1b[2J\u202e"},
        {"owner": "no\x1b[2J\u202e"},
        {"wasmtime_version": ["\x1b[2J\u202e"]},
        {"directory": "\x1b[2J\u202e"},
        {"state": "\x1b[2J\u202e"},
    ):
        plain(world.run(**options))


def test_a_program(world: World) -> None:
    assert r"no\x1b[2J\u202e" in plain(world.run(programs=["/no\x1b[2J\u202e"]))["msg"]
    path = world.bin / "\x1b[2J\u202e"
    path.write_bytes(elf(WITHOUT_ENABLED))
    assert plain(world.run(programs=[str(path)]))["programs"][0]["path"].endswith(r"/\x1b[2J\u202e")


def test_a_warning(world: World) -> None:
    path = world.config.parent / "\x1b[2J\u202e\n.toml"
    path.write_text('[cache]\nfile-count-soft-limit = "10000000T"\n')
    result = plain(world.run(path=str(path), directory=..., create_directory=False, cleanup_interval="1h"))
    assert [text for text in warnings_of(result) if r"\x1b[2J\u202e\n.toml" in text]


def test_what_is_added_about_a_file_is_not_that_of_a_file_with_the_escaped_name(world: World) -> None:
    path = world.config.parent / "a\n"
    path.write_text("[cache]\n")
    Path(str(path).replace("\n", "\\n")).write_text("")
    assert plain(world.info(path=str(path)))["size"] == len("[cache]\n")
