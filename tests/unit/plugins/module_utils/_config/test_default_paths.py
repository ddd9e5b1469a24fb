# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's default paths, in ordinary and in odd environments."""

from __future__ import annotations

import itertools
import os
import posixpath
import pwd

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.default_paths import (
    default_paths,
    usual_paths,
)

HOMES = [None, "", "/home/u", "/home/u/", "/", "relative/home", "~", " /home/u"]
XDG = [None, "", "/abs", "/abs/", "relative", "~/x", "$HOME/x", " /lead"]


def set_environment(monkeypatch, **variables):
    for name, value in variables.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)


def passwd_home():
    return pwd.getpwuid(os.getuid()).pw_dir


def normal(path):
    return posixpath.normpath(path).replace("//", "/")


@pytest.mark.parametrize("platform", ["aix7", "linux"])
@pytest.mark.parametrize("home", HOMES, ids=str)
def test_paths_are_those_of_the_engine_on_all_systems_but_macos(monkeypatch, home, platform):
    for config, cache in itertools.product(XDG, XDG):
        set_environment(monkeypatch, HOME=home, XDG_CONFIG_HOME=config, XDG_CACHE_HOME=cache)
        before = dict(os.environ)
        paths = default_paths(platform)
        base = home or passwd_home()
        config_home = config if config and config.startswith("/") else base + "/.config"
        cache_home = cache if cache and cache.startswith("/") else base + "/.cache"
        assert paths is not None
        assert normal(paths.config) == normal(config_home + "/wasmtime/config.toml")
        assert normal(paths.directory) == normal(cache_home + "/wasmtime")
        assert dict(os.environ) == before


@pytest.mark.parametrize("home", HOMES, ids=str)
@pytest.mark.parametrize("xdg", XDG, ids=str)
def test_macos_paths_ignore_xdg(monkeypatch, home, xdg):
    set_environment(monkeypatch, HOME=home, XDG_CONFIG_HOME=xdg, XDG_CACHE_HOME=xdg)
    before = dict(os.environ)
    paths = default_paths("darwin")
    library = (home or passwd_home()) + "/Library"
    assert paths is not None
    assert normal(paths.config) == normal(library + "/Application Support/BytecodeAlliance.wasmtime/config.toml")
    assert normal(paths.directory) == normal(library + "/Caches/BytecodeAlliance.wasmtime")
    assert dict(os.environ) == before


@pytest.mark.parametrize("home", HOMES, ids=str)
def test_without_a_library_the_paths_are_the_same(monkeypatch, home):
    for config, cache in itertools.product(XDG, XDG):
        set_environment(monkeypatch, HOME=home, XDG_CONFIG_HOME=config, XDG_CACHE_HOME=cache)
        before = dict(os.environ)
        paths, usual = default_paths("linux"), default_paths("linux", usual_paths)
        assert paths is not None
        assert usual is not None
        assert (normal(usual.config), normal(usual.directory)) == (normal(paths.config), normal(paths.directory))
        assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("home", "config", "cache", "paths"),
    [
        ("/home/u", None, None, ("/home/u/.config/wasmtime/config.toml", "/home/u/.cache/wasmtime")),
        ("h", None, None, ("h/.config/wasmtime/config.toml", "h/.cache/wasmtime")),
        ("h", "/c", None, ("/c/wasmtime/config.toml", "h/.cache/wasmtime")),
        ("h", None, "/c", ("h/.config/wasmtime/config.toml", "/c/wasmtime")),
        ("/home/u", "c", "/c", ("/home/u/.config/wasmtime/config.toml", "/c/wasmtime")),
    ],
)
def test_a_relative_home_is_kept_and_a_relative_xdg_is_not(monkeypatch, home, config, cache, paths):
    set_environment(monkeypatch, HOME=home, XDG_CONFIG_HOME=config, XDG_CACHE_HOME=cache)
    assert default_paths("linux") == default_paths("linux", usual_paths) == paths


def test_the_environment_is_as_before_a_failure(monkeypatch):
    set_environment(monkeypatch, HOME="h", XDG_CONFIG_HOME="c", XDG_CACHE_HOME=None)
    before = dict(os.environ)
    seen = []

    def fail(platform):
        seen.append((platform, os.environ["HOME"], "XDG_CONFIG_HOME" in os.environ))
        raise ImportError("platformdirs")

    with pytest.raises(ImportError, match="platformdirs"):
        default_paths("linux", fail)
    assert seen == [("linux", "/h", False)]
    assert dict(os.environ) == before


def test_xdg_config_dirs_are_ignored(monkeypatch):
    set_environment(
        monkeypatch, HOME="/home/u", XDG_CONFIG_HOME=None, XDG_CACHE_HOME=None, XDG_CONFIG_DIRS="/etc/xdg/x"
    )
    paths = default_paths("linux")
    assert paths == ("/home/u/.config/wasmtime/config.toml", "/home/u/.cache/wasmtime")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user whom passwd does not know")
@pytest.mark.parametrize("home", [None, ""], ids=str)
def test_a_user_without_home_has_no_paths_even_with_xdg(monkeypatch, home):
    set_environment(monkeypatch, HOME=home, XDG_CONFIG_HOME="/abs", XDG_CACHE_HOME="/abs")
    default_paths("linux")  # what is imported late may be out of that user's reach
    os.setresuid(54321, 54321, 0)
    try:
        assert default_paths("linux") is None
        assert default_paths("darwin") is None
        monkeypatch.setenv("HOME", "/home/u")
        assert default_paths("linux") == ("/abs/wasmtime/config.toml", "/abs/wasmtime")
    finally:
        os.setresuid(0, 0, 0)


def test_an_empty_home_in_passwd_is_none(monkeypatch):
    set_environment(monkeypatch, HOME=None)
    entry = pwd.struct_passwd(("u", "x", 1, 1, "", "", "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda _uid: entry)
    assert default_paths("linux") is None


def test_the_running_system_is_the_default(monkeypatch):
    set_environment(monkeypatch, HOME="/home/u", XDG_CONFIG_HOME=None, XDG_CACHE_HOME=None)
    assert default_paths() in (default_paths("linux"), default_paths("darwin"))
