# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules do not do as root for users who write the config, or put links, pipes or names in the way."""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
from pathlib import Path
from typing import Any, Callable, Dict, NamedTuple

import pytest

from ansible_collections.wasmops.wasmtime.plugins.modules import cache_config, cache_config_info, cache_usage_info
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.acls import (
    ACCESS,
    USER,
    entries,
    needs_acls,
    set_acl,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    STRANGER,
    give,
    mode_of,
    new,
    snapshot,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import World, warnings_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be led astray")

OTHER = STRANGER + 1
NEW = str(STRANGER + 2)
ME = str(STRANGER)
SECRET = "id_of_root"


class Home(NamedTuple):
    """A user's home, and beside it what is not that user's."""

    world: World
    path: Path

    @property
    def config(self) -> Path:
        return self.world.config

    def names(self, directory: object) -> None:
        """Have the user's config name a directory."""
        self.world.write('[cache]\ndirectory = "%s"\n' % directory)
        give(self.config, STRANGER)

    def run(self, check: bool = False, **options: Any) -> Dict[str, Any]:
        """Run cache_config without naming a directory."""
        return self.world.run(check=check, **dict({"directory": ...}, **options))

    def refused(self, **options: Any) -> str:
        """Both a check and a run are refused alike, and nothing at all is changed; the message."""
        options = dict({"directory": ..., "cleanup_interval": "3h"}, **options)
        before = snapshot(self.world.root)
        message = self.world.refused(**options)
        assert snapshot(self.world.root) == before
        return message


@pytest.fixture
def home(public_world: World) -> Home:
    path = new(public_world.root / "user", 0o755)
    public_world.config = new(path / "etc", 0o755) / "config.toml"
    for below in (path, path / "etc"):
        give(below, STRANGER)
    return Home(public_world, path)


# Who names the directory


def system(home: Home) -> Path:
    return new(home.world.root / "system", 0o755)


def below_the_system(home: Home) -> Path:
    return system(home) / "x.d"


def deep_below_the_system(home: Home) -> Path:
    return system(home) / "x" / "y"


def of_another(home: Home) -> Path:
    path = system(home)
    give(path, OTHER)
    return path


def below_another(home: Home) -> Path:
    return of_another(home) / "x"


def below_another_and_the_user_s(home: Home) -> Path:
    path = new(of_another(home) / "mine", 0o755)
    give(path, STRANGER)
    give(new(path / "x", 0o755), STRANGER)
    return path / "x"


def below_root_s_in_the_home(home: Home) -> Path:
    return new(home.path / "root", 0o755) / "x"


def behind_a_link(home: Home) -> Path:
    (home.path / "link").symlink_to(system(home))
    give(home.path / "link", STRANGER)
    return home.path / "link" / "x"


def behind_dots(home: Home) -> Path:
    return Path("%s/../%s/x" % (home.path, system(home).name))


def behind_proc(home: Home) -> Path:
    return Path("/proc/self/root%s/x" % system(home))


def sticky(home: Home) -> Path:
    return new(home.world.root / "tmp", 0o1777) / "x"


def the_home_itself(home: Home) -> Path:
    return home.path


def alone_among_root_s(home: Home) -> Path:
    path = new(system(home) / "mine", 0o755)
    give(path, STRANGER)
    return path


def where_others_can_swap(home: Home) -> Path:
    mine = new(new(home.world.root / "shared", 0o777) / "mine", 0o755)
    give(mine, STRANGER)
    return mine / "x"


ELSEWHERE = [
    system,
    below_the_system,
    deep_below_the_system,
    of_another,
    below_another,
    below_another_and_the_user_s,
    below_root_s_in_the_home,
    behind_a_link,
    behind_dots,
    behind_proc,
    sticky,
    the_home_itself,
    alone_among_root_s,
    where_others_can_swap,
]
ALL_DANGERS = ["directory-replaceable", "directory-not-dedicated", "directory-writable-by-others"]


@pytest.mark.parametrize("where", ELSEWHERE, ids=lambda value: value.__name__)
@pytest.mark.parametrize(
    "options",
    [{"directory_owner": NEW}, {"directory_group": NEW}, {"directory_mode": "0711"}],
    ids=lambda value: next(iter(value)),
)
def test_a_user_s_config_does_not_choose_what_root_creates_or_gives_away(
    home: Home, where: Callable[[Home], Path], options: Dict[str, str]
) -> None:
    path = where(home)
    home.names(path)
    message = home.refused(ignore_dangers=ALL_DANGERS, **options)
    if where is behind_a_link:
        assert "root does not follow it" in message
    else:
        assert "%d can write to the config" % STRANGER in message
        assert "name it in directory" in message
        assert "become_user" in message


def test_root_makes_no_directory_for_a_user_s_config_even_if_it_keeps_it(home: Home) -> None:
    home.names(below_the_system(home))
    assert "become_user" in home.refused()
    assert "become_user" in home.refused(cleanup_interval=...)


def owner(home: Home) -> None:
    give(home.config, STRANGER)


def mode_of_all(home: Home) -> None:
    home.config.chmod(0o666)


def mode_of_group(home: Home) -> None:
    home.config.chmod(0o664)


def acl(home: Home) -> None:
    set_acl(home.config, ACCESS, *entries(6, (USER, 6, STRANGER), owner=6, group=4, other=4))


def parent(home: Home) -> None:
    give(home.config.parent, STRANGER)


def parent_of_parent(home: Home) -> None:
    give(home.path, STRANGER)


def mode_of_parent(home: Home) -> None:
    home.config.parent.chmod(0o777)


def acl_of_parent(home: Home) -> None:
    set_acl(home.config.parent, ACCESS, *entries(7, (USER, 7, STRANGER), group=5, other=5))


def link(home: Home) -> None:
    """The path is a link of the user to a config of root."""
    real = new(home.world.root / "real", 0o755) / "config.toml"
    home.config.rename(real)
    home.config.symlink_to(real)
    give(home.config, STRANGER)


def parent_of_link(home: Home) -> None:
    link(home)
    give(home.config, 0)
    give(home.config.parent, STRANGER)


def mode_of_parent_of_link(home: Home) -> None:
    link(home)
    give(home.config, 0)
    home.config.parent.chmod(0o777)


WRITERS = [
    owner,
    mode_of_all,
    mode_of_group,
    acl,
    parent,
    parent_of_parent,
    mode_of_parent,
    acl_of_parent,
    link,
    parent_of_link,
    mode_of_parent_of_link,
]


@needs_acls
@pytest.mark.parametrize("writes", WRITERS, ids=lambda value: value.__name__)
def test_it_matters_who_can_write_the_config_in_whatever_way(home: Home, writes: Callable[[Home], None]) -> None:
    target = system(home)
    home.names(target)
    for path in (home.path, home.config.parent, home.config):
        give(path, 0)
    options = {"directory_owner": str(OTHER), "ignore_dangers": ["file-writable-by-others"]}
    assert home.run(check=True, **options)["changed"] is True
    writes(home)
    message = home.refused(cleanup_interval=..., **options)
    assert "can write to the config and so choose the directory" in message
    assert target.stat().st_uid == 0


def test_a_directory_that_root_s_config_names_is_given(home: Home) -> None:
    target = system(home)
    home.names(target)
    for path in (home.path, home.config.parent, home.config):
        give(path, 0)
    home.run(directory_owner=ME)
    assert target.stat().st_uid == STRANGER


def test_a_directory_that_the_task_names_is_given(home: Home) -> None:
    target = system(home)
    home.names(target)
    assert home.world.run(directory=str(target), directory_owner=ME)["changed"] is True
    assert target.stat().st_uid == STRANGER


@pytest.mark.parametrize("name", ["cache", ".cache/wasmtime", "link/wasmtime"])
@pytest.mark.parametrize("exists", [False, True])
def test_a_directory_in_the_user_s_own_is_made_and_changed(home: Home, name: str, exists: bool) -> None:
    give(new(home.path / "real", 0o755), STRANGER)
    (home.path / "link").symlink_to("real")
    give(home.path / "link", STRANGER)
    target = home.path / name
    home.names(target)
    if exists:
        target.mkdir(parents=True)
        for path in {target.resolve(), target.resolve().parent}:
            give(path, STRANGER)
    result = home.world.both(directory=..., directory_owner=ME, directory_mode="0711")
    assert result["changed"] is True
    assert (target.stat().st_uid, mode_of(target)) == (STRANGER, 0o711)


def test_the_default_directory_is_made_but_not_given_for_a_user_s_config(home: Home) -> None:
    default = home.world.home / ".cache" / "wasmtime"
    for exists in (False, True):
        if exists:
            home.config.write_text("[cache]\n")
            give(home.config, STRANGER)
        for options in ({"directory_owner": ME}, {"directory_mode": "0711"}):
            assert "become_user" in home.refused(**options)
    assert home.run()["changed"] is True
    assert (default.stat().st_uid, mode_of(default)) == (0, 0o700)


def test_a_danger_that_a_user_has_written_is_new_where_root_acts_on_it(home: Home) -> None:
    target = new(home.path / "cache", 0o777)
    give(target, STRANGER)
    home.names(target)
    for options in ({"directory": ...}, {"directory": str(target)}):
        assert "directory-writable-by-others" in home.refused(directory_mode="0770", **options)
        # Where root leaves it, it is reported.
        result = home.world.run(check=True, cleanup_interval="3h", **options)
        assert "directory-writable-by-others" in result["directory"]["dangers"]
        assert result["changed"] is True
    assert home.run(directory_mode="0770", ignore_dangers=["directory-writable-by-others"])["changed"] is True


# What is opened

IN_OPEN = 0x20  # of linux/inotify.h


class Opened:
    """Notices each time that a file is opened: what O_PATH does, which opens nothing, is not noticed."""

    def __init__(self, path: Path) -> None:
        library = ctypes.CDLL(None)
        self.handle = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert library.inotify_add_watch(self.handle, os.fsencode(path), IN_OPEN) >= 0

    def times(self) -> int:
        """How many times since it was asked last."""
        try:
            return len(os.read(self.handle, 4096)) // 16
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """Notice nothing any more."""
        os.close(self.handle)


def fifo(path: Path) -> None:
    os.mkfifo(str(path), 0o600)


def device(path: Path) -> None:
    os.mknod(str(path), 0o600 | stat.S_IFCHR, os.makedev(1, 3))


def secret_file(path: Path) -> None:
    path.write_text("[cache]\n# %s\n" % SECRET)
    path.chmod(0o600)


def by_link(home: Home, victim: Path) -> None:
    home.config.symlink_to(victim)
    give(home.config, STRANGER)


def by_link_above(home: Home, victim: Path) -> None:
    home.config.parent.rmdir()
    home.config.parent.symlink_to(victim.parent)
    give(home.config.parent, STRANGER)


def by_links(home: Home, victim: Path) -> None:
    (home.path / "second").symlink_to(victim)
    give(home.path / "second", STRANGER)
    home.config.symlink_to("../second")
    give(home.config, STRANGER)


def by_hard_link(home: Home, victim: Path) -> None:
    os.link(str(victim), str(home.config))


def by_hard_link_in_sticky(home: Home, victim: Path) -> None:
    give(home.path, 0)
    give(home.config.parent, 0)
    home.config.parent.chmod(0o1777)
    by_hard_link(home, victim)


def by_hard_link_of_a_group(home: Home, victim: Path) -> None:
    give(home.path, 0)
    os.chown(str(home.config.parent), 0, STRANGER)
    home.config.parent.chmod(0o775)
    by_hard_link(home, victim)


def by_hard_link_with_an_acl(home: Home, victim: Path) -> None:
    give(home.path, 0)
    give(home.config.parent, 0)
    set_acl(home.config.parent, ACCESS, *entries(7, (USER, 7, STRANGER), group=5, other=5))
    by_hard_link(home, victim)


def by_name(home: Home, victim: Path) -> None:
    """Moved there, as its owner has left it in a directory of the user."""
    victim.rename(home.config)


LED = [
    by_link,
    by_link_above,
    by_links,
    by_hard_link,
    by_hard_link_in_sticky,
    by_hard_link_of_a_group,
    by_hard_link_with_an_acl,
    by_name,
]
MODULES: Dict[str, Dict[str, Any]] = {
    "present": {"cleanup_interval": "3h"},
    "forced": {"cleanup_interval": "3h", "force": True, "owner": ME, "mode": "0644"},
    "in place": {"cleanup_interval": "3h", "force": True, "unsafe_writes": True},
    "owner": {"owner": ME},
    "mode": {"mode": "0666", "ignore_dangers": ["file-writable-by-others"]},
    "backup": {"state": "absent", "backup": True},
    "info": {"module": cache_config_info},
    "usage": {"module": cache_usage_info},
}


def outcome(home: Home, check: bool, options: Dict[str, Any]) -> str:
    """All that a run of a module says."""
    options = dict(options, path=str(home.config))
    module = options.pop("module", cache_config)
    if module is cache_config and "state" not in options:
        options["directory"] = str(home.world.cache)
    return str(World.execute(module, check, options))


@needs_acls
@pytest.mark.parametrize("led", LED, ids=lambda value: value.__name__)
@pytest.mark.parametrize("kind", [fifo, device, secret_file], ids=lambda value: value.__name__)
@pytest.mark.parametrize("what", MODULES)
def test_root_opens_nothing_of_its_own_for_a_user(
    home: Home, what: str, kind: Callable[[Path], None], led: Callable[[Home, Path], None]
) -> None:
    victim = new(home.world.root / "private") / "config.toml"
    kind(victim)
    with contextlib.closing(Opened(victim)) as opened:
        led(home, victim)
        before = snapshot(home.world.root)
        for check in (True, False):
            opened.times()
            said = outcome(home, check, MODULES[what])
            assert opened.times() == 0
            assert SECRET not in said
            assert snapshot(home.world.root) == before
            assert MODULES[what].get("module") or "'failed': True" in said


def test_what_is_opened_is_noticed(home: Home) -> None:
    give(home.path, 0)
    give(home.config.parent, 0)
    secret_file(home.config)
    with contextlib.closing(Opened(home.config)) as opened:
        assert SECRET in outcome(home, True, MODULES["present"])
        assert opened.times() == 1


# What is told


def by_link_to_it(home: Home, victim: Path) -> Path:
    (home.path / "link").symlink_to(victim)
    give(home.path / "link", STRANGER)
    return home.path / "link"


def by_link_above_it(home: Home, victim: Path) -> Path:
    (home.path / "link").symlink_to(victim.parent)
    give(home.path / "link", STRANGER)
    return home.path / "link" / victim.name


def by_root_s_link_in_the_home(home: Home, victim: Path) -> Path:
    (home.path / "link").symlink_to(victim)
    return home.path / "link"


def by_its_name(home: Home, victim: Path) -> Path:
    return victim


@pytest.mark.parametrize("mode", [0o700, 0o711])
@pytest.mark.parametrize("uid", [0, OTHER])
@pytest.mark.parametrize(
    "led", [by_link_to_it, by_link_above_it, by_root_s_link_in_the_home, by_its_name], ids=lambda value: value.__name__
)
@pytest.mark.parametrize("what", ["present", "info", "usage"])
def test_names_in_private_directories_are_told_to_nobody_who_cannot_list_them(
    home: Home, what: str, led: Callable[[Home, Path], Path], uid: int, mode: int
) -> None:
    victim = new(new(home.world.root / "private", mode) / "cache", 0o755)
    (victim / SECRET).write_bytes(b"")
    for path in (victim, victim.parent):
        give(path, uid)
    if mode == 0o711:
        victim.chmod(0o711)
    home.names(led(home, victim))
    options = dict(MODULES[what], path=str(home.config))
    result = World.execute(options.pop("module", cache_config), True, options)
    assert SECRET not in str(result)
    if what == "info":
        assert "directory-not-looked-at" in [problem["code"] for problem in result["problems"]]
    elif what == "usage":
        assert result["complete"] is False
        assert "root does not look into" in warnings_of(result)[0]
    # What everybody may list is no secret, and what the user owns is not one to the user.
    victim.chmod(0o755)
    victim.parent.chmod(0o755)
    assert SECRET in str(World.execute(cache_config_info, True, {"path": str(home.config)}))
    assert SECRET in str(World.execute(cache_usage_info, True, {"path": str(home.config)}))


def test_a_private_cache_of_the_user_is_looked_at(home: Home) -> None:
    cache = new(home.path / "cache")
    (cache / SECRET).write_bytes(b"")
    for path in (cache, cache / SECRET):
        give(path, STRANGER)
    home.names(cache)
    assert SECRET in str(World.execute(cache_config_info, True, {"path": str(home.config)}))
    assert SECRET in str(World.execute(cache_usage_info, True, {"path": str(home.config)}))


def test_a_private_cache_that_the_task_names_is_looked_at(home: Home) -> None:
    cache = new(home.world.root / "cache")
    (cache / SECRET).write_bytes(b"")
    home.names(cache)
    options = {"path": str(home.config), "directory": str(cache)}
    assert SECRET in str(World.execute(cache_config, True, options))
    assert SECRET in str(World.execute(cache_usage_info, True, options))
