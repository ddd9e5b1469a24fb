# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cache_config: Any options at all, and what a dry run must not do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import MAX_BYTES
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import SETTINGS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import DIALECTS, MAJOR_MAX
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.words import format_value, versions_of
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import directory as _directory
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import plan as _plan
from ansible_collections.wasmops.wasmtime.plugins.modules import cache_config
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import (
    MESSY,
)

TEXT = st.text(max_size=8) | st.sampled_from(
    ["1h", "70%", "16", "1Gi", "auto", "42", "0700", "/x", "present", "absent"]
)
ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT | st.lists(TEXT)
)
OPTIONS = sorted(set(cache_config.argument_spec()) - {"path", "directory", "create_directory", "wasmtime_version"})


@given(
    st.dictionaries(st.sampled_from(OPTIONS), ANYTHING, max_size=4),
    st.sampled_from([None, "[cache]\n", MESSY, "[cache]\nenabled = true\n", "", "[cache"]),
)
@settings(max_examples=80)
def test_no_options_raise_or_touch_what_a_dry_run_must_not(world, options, content):
    if content is None:
        if world.config.exists():
            world.config.unlink()
    else:
        world.write(content)
    before = world.snapshot()
    result = world.run(check=True, **options)
    assert world.snapshot() == before
    assert result.get("failed") or result["changed"] in (True, False)


def test_the_limit_of_size_is_the_engine_s_reader_s(world):
    world.write(b"[cache]\n#" + b"x" * (MAX_BYTES - 9))
    assert world.both(create_directory=False, directory=...)["changed"] is False


def test_a_cause_that_is_ignored_hides_nothing(world, monkeypatch):
    monkeypatch.setattr(_directory, "SYSTEM", frozenset([str(world.cache)]))
    world.cache.mkdir(0o700)
    (world.cache / "notes.txt").touch()
    (world.cache / "link").symlink_to("nowhere")
    result = world.both()
    assert [problem["code"] for problem in result["problems"]] == ["directory-not-dedicated"]
    assert "ignore_dangers: [directory-not-dedicated]" in result["msg"]
    result = world.both(ignore_dangers=["directory-not-dedicated"])
    assert {problem["code"] for problem in result["problems"]} == {"directory-foreign-files", "directory-symbolic-link"}
    # A danger that is new is refused although its cause was there before.
    codes = ["directory-not-dedicated", "directory-foreign-files", "directory-symbolic-link"]
    assert world.both(ignore_dangers=codes)["changed"]
    result = world.both(directory_mode="0777")
    assert [problem["code"] for problem in result["problems"]] == ["directory-writable-by-others"]


@pytest.mark.parametrize("below", ["config.toml", "modules/x/config", "modules/x/y/config.toml"])
def test_a_config_in_its_own_cache_is_refused(world, below):
    path = str(world.cache / below)
    result = world.both(path=path)
    assert [problem["code"] for problem in result["problems"]] == ["config-in-cache"]
    assert not world.cache.exists()
    (world.cache / below).parent.mkdir(0o700, parents=True)
    world.cache.chmod(0o700)
    assert world.both(path=path, ignore_dangers=["config-in-cache"])["changed"]
    # It is known then, and named by nothing else.
    result = world.both(path=path, cleanup_interval="2h")
    assert [problem["code"] for problem in result["problems"]] == ["config-in-cache"]


# One that every version knows, and all that only some versions know.
SOME = [SETTINGS["cleanup-interval"], *(s for s in SETTINGS.values() if not s.known_to(0, MAJOR_MAX))]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("setting", SOME, ids=lambda setting: setting.name)
def test_a_setting_is_for_the_versions_that_know_it(world, setting, dialect):
    option, value, version = setting.option, format_value(setting.kind, setting.default), str(dialect.first)
    if not setting.known_to(dialect.first, dialect.last):
        refuses_the_setting(world, setting, value, version)
        return
    result = world.both(**{option: value}, wasmtime_version=version)
    assert result["changed_settings"][option] == {"before": None, "after": value}
    assert "%s = " % setting.name in world.config.read_text()
    assert result["effective"][option] == setting.default
    result = world.both(unset=[option], wasmtime_version=version)
    assert result["removed"] == [option]
    assert setting.name not in world.config.read_text()
    assert result["effective"][option] == setting.default


@pytest.mark.parametrize(
    ("since", "until", "known", "unknown"),
    [(48, None, ["48", "50"], ["32", "47"]), (0, 47, ["32", "47"], ["48", "50"])],
    ids=["new", "gone"],
)
def test_a_setting_may_be_new_or_gone_in_some_versions(world, monkeypatch, since, until, known, unknown):
    setting = SETTINGS["file-count-soft-limit"]._replace(since=since, until=until)
    monkeypatch.setitem(SETTINGS, setting.name, setting)
    monkeypatch.setitem(_plan.OPTIONS, setting.option, setting)
    for version in known:
        result = world.both(file_count_soft_limit="7", wasmtime_version=version)
        assert result["changed_settings"]["file_count_soft_limit"] == {"before": None, "after": "7"}
        world.config.unlink()
    for version in unknown:
        refuses_the_setting(world, setting, "7", version)
        # Other versions know it, but what else they refuse is not removed on the way.
        world.write("[cache]\nfile-count-soft-limit = '7'\nzzz = 1\n")
        for options in ({"unset": ["file_count_soft_limit"]}, {"exclusive": True}):
            assert "zzz" in world.refused(wasmtime_version=version, **options)
        world.config.unlink()
    # Several versions must all know it.
    assert world.refused(file_count_soft_limit="7", wasmtime_version=["47", "48"]).startswith(
        "file_count_soft_limit: only Wasmtime "
    )


def refuses_the_setting(world, setting, value, version):
    """It is no value for this file, ends the run where it is there, and can be removed."""
    message = "%s: only Wasmtime %s knows this setting; leave it out, or set wasmtime_version to the version that reads the file"
    option, known = setting.option, versions_of(setting)
    before = world.snapshot()
    assert world.refused(**{option: value}, wasmtime_version=version) == message % (option, known)
    assert world.snapshot() == before
    assert option not in world.both(wasmtime_version=version)["effective"]
    good = world.config.read_text()
    bad = good + "%s = '%s'\n" % (setting.name, value)
    line = len(bad.splitlines())
    world.write(bad)
    refused = world.refused(wasmtime_version=version)
    assert "line %d, column 1: only Wasmtime %s knows %s; remove it" % (line, known, setting.name) in refused
    for removing in ({"unset": [option]}, {"exclusive": True}):
        world.write(bad)
        result = world.both(**removing, wasmtime_version=version)
        assert result["removed"] == [option]
        assert option not in result["effective"]
        assert world.config.read_text() == good
    # Without a version all have to know it.
    world.write(bad)
    assert setting.name in world.refused()


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda setting: setting.name)
def test_an_option_is_taken_without_a_version_if_all_from_33_on_know_it(world, setting):
    value = "/d" if setting.kind.name == "path" else format_value(setting.kind, setting.default)
    result = world.run(check=True, **{setting.option: value})
    assert result.get("failed", False) is not setting.known_to(33, MAJOR_MAX)
