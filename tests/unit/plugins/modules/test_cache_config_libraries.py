# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cache_config: Python libraries that are missing."""

from __future__ import annotations

import sys

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import common as _common
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import refused as _refused
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import (
    absent,
)


def without(monkeypatch, *names):
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)


PLATFORMDIRS = ("platformdirs", "platformdirs.unix", "platformdirs.macos")
PARSERS = ("tomllib", "tomli")


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        (("tomli_w",), ["tomli-w"]),
        (PARSERS, ["tomli"]),
        ((*PARSERS, "tomli_w"), ["tomli", "tomli-w"]),
        (PLATFORMDIRS, ["platformdirs"]),
        ((*PARSERS, "tomli_w", *PLATFORMDIRS), ["platformdirs", "tomli", "tomli-w"]),
    ],
    ids=str,
)
def test_missing_libraries_are_named_in_ansible_s_words(world, monkeypatch, missing, named):
    world.write("[cache]\n")
    without(monkeypatch, *missing)
    before = world.snapshot()
    path = ... if "platformdirs" in named else str(world.config)
    result = world.run(path=path, cleanup_interval="2h")
    assert result["missing_libraries"] == named
    assert "Failed to import the required Python library (%s)" % ", ".join(named) in result["msg"]
    assert world.snapshot() == before


@pytest.mark.skipif(sys.version_info < (3, 11), reason="takes a Python that reads TOML by itself")
@pytest.mark.parametrize("before", [None, "# mine\n[cache]\ncleanup-interval = '1h' # often\n"], ids=str)
def test_a_dry_run_says_what_would_be_written_once_the_libraries_are_there(world, monkeypatch, before):
    monkeypatch.setenv("HOME", str(world.home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    config = world.home / ".config" / "wasmtime" / "config.toml"
    if before is not None:
        config.parent.mkdir(parents=True)
        config.write_text(before, encoding="utf-8")
    untouched = world.snapshot()
    options = {"path": ..., "directory": ..., "cleanup_interval": "2h", "baseline_compression_level": 4}
    with monkeypatch.context() as context:
        without(context, "tomli_w", *PLATFORMDIRS)
        predicted = world.run(check=True, **options)
    assert predicted["failed"] is True
    assert predicted["missing_libraries"] == ["platformdirs", "tomli-w"]
    assert "Failed to import the required Python library (platformdirs, tomli-w)" in predicted["msg"]
    assert "the engine's default paths, unless path and directory are given" in predicted["msg"]
    assert world.snapshot() == untouched
    done = world.run(**options)
    for key in ("path", "created", "changed", "changed_settings", "effective", "problems", "diff"):
        assert predicted[key] == done[key], key


def test_what_needs_no_library_does_without(world, monkeypatch):
    world.run()
    without(monkeypatch, "tomli_w", *PLATFORMDIRS)
    assert world.both()["changed"] is False
    without(monkeypatch, *PARSERS)
    assert absent(world)["changed"] is True


@pytest.mark.parametrize(("platform", "lacking"), [("linux", None), ("darwin", []), ("linux", [])])
def test_only_a_dry_run_on_linux_does_without_the_library_for_default_paths(monkeypatch, platform, lacking):
    without(monkeypatch, *PLATFORMDIRS)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv("HOME", "/home/one")
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    if platform == "linux" and lacking is not None:
        paths = _common.user_default_paths(lacking)
        assert paths == ("/home/one/.config/wasmtime/config.toml", "/home/one/.cache/wasmtime")
        (missing,) = lacking
        assert missing.result == {"missing_libraries": ["platformdirs"]}
    else:
        with pytest.raises(_refused.Refused, match="platformdirs") as caught:
            _common.user_default_paths(lacking)
        assert caught.value.result["missing_libraries"][0] == "platformdirs"
        assert not lacking
