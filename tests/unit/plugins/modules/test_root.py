# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules do not do as root for users who write the config, or put links, pipes or names in the way."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import DANGERS
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import rights as _rights
from ansible_collections.wasmops.wasmtime.plugins.modules import (
    cache_config,
    cache_config_info,
    cache_prune,
    cache_usage_info,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.acls import (
    ACCESS,
    DEFAULT,
    USER,
    entries,
    needs_acls,
    set_acl,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    NOBODY,
    STRANGER,
    Opened,
    give,
    mode_of,
    new,
    snapshot,
    without_capabilities,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import World, warnings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        path: Path = self.world.config
        return path

    def names(self, directory: object) -> None:
        """Have the user's config name a directory."""
        self.world.write('[cache]\ndirectory = "%s"\n' % directory)
        give(self.config, STRANGER)

    def run(self, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run cache_config without naming a directory."""
        result: dict[str, Any] = self.world.run(check=check, **dict({"directory": ...}, **options))
        return result

    def refused(self, **options: Any) -> str:
        """Both a check and a run are refused alike, and nothing at all is changed; the message."""
        options = dict({"directory": ..., "cleanup_interval": "3h"}, **options)
        before = snapshot(self.world.root)
        message: str = self.world.refused(**options)
        assert snapshot(self.world.root) == before
        return message


def made(path: Path, mode: int = 0o700) -> Path:
    """A new directory of this mode."""
    new(path, mode)
    return path


@pytest.fixture
def home(public_world: World) -> Home:
    path = made(public_world.root / "user", 0o755)
    public_world.config = made(path / "etc", 0o755) / "config.toml"
    for below in (path, path / "etc"):
        give(below, STRANGER)
    return Home(public_world, path)


# Who names the directory


def system(home: Home) -> Path:
    return made(home.world.root / "system", 0o755)


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
    path = made(of_another(home) / "mine", 0o755)
    give(path, STRANGER)
    give(made(path / "x", 0o755), STRANGER)
    return path / "x"


def below_root_s_in_the_home(home: Home) -> Path:
    return made(home.path / "root", 0o755) / "x"


def behind_a_link(home: Home) -> Path:
    (home.path / "link").symlink_to(system(home))
    give(home.path / "link", STRANGER)
    return home.path / "link" / "x"


def behind_dots(home: Home) -> Path:
    return Path("%s/../%s/x" % (home.path, system(home).name))


def behind_proc(home: Home) -> Path:
    return Path("/proc/self/root%s/x" % system(home))


def sticky(home: Home) -> Path:
    return made(home.world.root / "tmp", 0o1777) / "x"


def the_home_itself(home: Home) -> Path:
    return home.path


def alone_among_root_s(home: Home) -> Path:
    path = made(system(home) / "mine", 0o755)
    give(path, STRANGER)
    return path


def where_others_can_swap(home: Home) -> Path:
    mine = made(made(home.world.root / "shared", 0o777) / "mine", 0o755)
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
# What a task may allow where root must not follow: nothing of that.
ALL_DANGERS = list(DANGERS)


@pytest.mark.parametrize("where", ELSEWHERE, ids=lambda value: value.__name__)
@pytest.mark.parametrize(
    "options",
    [{"directory_owner": NEW}, {"directory_group": NEW}, {"directory_mode": "0711"}],
    ids=lambda value: next(iter(value)),
)
def test_a_user_s_config_does_not_choose_what_root_creates_or_gives_away(
    home: Home, where: Callable[[Home], Path], options: dict[str, str]
) -> None:
    path = where(home)
    home.names(path)
    message = home.refused(ignore_dangers=ALL_DANGERS, **options)
    if where in (behind_a_link, behind_proc):
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
    real = made(home.world.root / "real", 0o755) / "config.toml"
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
    give(made(home.path / "real", 0o755), STRANGER)
    (home.path / "link").symlink_to("real")
    give(home.path / "link", STRANGER)
    target = home.path / name
    home.names(target)
    if exists:
        target.mkdir(parents=True)
        for path in sorted({target.resolve(), target.resolve().parent}):
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
    target = made(home.path / "cache", 0o777)
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
MODULES: dict[str, dict[str, Any]] = {
    "present": {"cleanup_interval": "3h"},
    "forced": {"cleanup_interval": "3h", "force": True, "owner": ME, "mode": "0644"},
    "in place": {"cleanup_interval": "3h", "force": True, "unsafe_writes": True},
    "owner": {"owner": ME},
    "mode": {"mode": "0666", "ignore_dangers": ["file-writable-by-others"]},
    "backup": {"state": "absent", "backup": True},
    "info": {"module": cache_config_info},
    "usage": {"module": cache_usage_info},
}


def outcome(home: Home, check: bool, options: dict[str, Any]) -> str:
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
    victim = made(home.world.root / "private") / "config.toml"
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


def test_no_name_in_a_directory_of_root_is_told_that_a_user_may_have_renamed(home: Home) -> None:
    private = made(home.path / "cache")
    (private / SECRET).write_bytes(b"")
    home.world.write("[cache]\n")
    result = World.execute(cache_usage_info, True, {"directory": str(private), "path": str(home.config)})
    assert SECRET not in str(result)
    assert "it belongs to root and may have been moved there" in warnings_of(result)[0]
    private.chmod(0o755)
    assert SECRET in str(World.execute(cache_usage_info, True, {"directory": str(private), "path": str(home.config)}))


def test_a_file_of_root_that_a_user_has_moved_to_a_sticky_directory_gives_nothing_away(home: Home) -> None:
    victim = made(home.world.root / "victim")
    home.world.write('[cache]\ndirectory = "%s"\n' % victim)
    sticky = made(home.world.root / "sticky", 0o1777)
    # The user may do so: it is in a directory of the user.
    home.config.rename(sticky / "config.toml")
    home.world.config = sticky / "config.toml"
    assert "can write to the config" in home.refused(directory_owner=ME)


def test_nothing_is_given_away_behind_a_link_of_root_that_a_user_has_moved_to_a_sticky_directory(home: Home) -> None:
    victim = made(home.world.root / "victim")
    sticky = made(home.world.root / "sticky", 0o1777)
    (home.path / "link").symlink_to(victim)
    (home.path / "link").rename(sticky / "cache")
    assert "may have moved to" in home.refused(directory=str(sticky / "cache"), directory_owner=ME)
    home.world.write('[cache]\ndirectory = "%s"\n' % victim)
    (sticky / "config.toml").symlink_to(home.config)
    home.world.config = sticky / "config.toml"
    assert "can write to the config" in home.refused(directory_owner=ME)


def test_a_directory_that_others_may_write_may_have_been_moved_to_a_sticky_one(home: Home) -> None:
    sticky = made(home.world.root / "sticky", 0o1777)
    theirs = made(sticky / "cache", 0o777)
    give(theirs, OTHER)
    theirs.chmod(0o777)
    dangers = ["directory-writable-by-others", "directory-replaceable"]
    message = home.refused(directory=str(theirs), directory_owner=ME, directory_mode="0700", ignore_dangers=dangers)
    assert "may have been moved there" in message


@pytest.mark.parametrize("mode", [0o700, 0o711])
@pytest.mark.parametrize("uid", [0, OTHER])
@pytest.mark.parametrize(
    "led", [by_link_to_it, by_link_above_it, by_root_s_link_in_the_home, by_its_name], ids=lambda value: value.__name__
)
@pytest.mark.parametrize("what", ["present", "info", "usage"])
def test_names_in_private_directories_are_told_to_nobody_who_cannot_list_them(
    home: Home, what: str, led: Callable[[Home, Path], Path], uid: int, mode: int
) -> None:
    victim = made(made(home.world.root / "private", mode) / "cache", 0o755)
    (victim / SECRET).write_bytes(b"")
    for path in (victim, victim.parent):
        give(path, uid)
    if mode == 0o711:
        victim.chmod(0o711)
    home.names(led(home, victim))
    options = dict(MODULES[what], path=str(home.config))
    module = options.pop("module", cache_config)
    result = World.execute(module, True, options)
    assert SECRET not in str(result)
    if what == "info":
        assert "directory-not-looked-at" in [problem["code"] for problem in result["problems"]]
    elif what == "usage":
        assert result["complete"] is False
        assert "root does not look into" in warnings_of(result)[0]
    # What everybody may list is no secret, and what the user owns is not one to the user.
    victim.chmod(0o755)
    victim.parent.chmod(0o755)
    below = made(made(victim / "modules", 0o755) / "wasmtime-1", mode)
    (below / "name_of_root.x").write_bytes(b"")
    result = World.execute(module, True, options)
    assert "name_of_root" not in str(result)
    assert what != "usage" or (result["complete"], result["unreadable"]) == (False, ["modules/wasmtime-1"])
    assert SECRET in str(World.execute(cache_config_info, True, {"path": str(home.config)}))
    assert SECRET in str(World.execute(cache_usage_info, True, {"path": str(home.config)}))


def test_root_looks_into_its_own_default_directory_whoever_writes_the_config(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = made(home.world.root / "private", 0o700)
    monkeypatch.setenv("XDG_CACHE_HOME", str(private))
    home.world.write("[cache]\n")
    give(home.config, STRANGER)
    first = home.run(owner=ME, cleanup_interval="3h")
    again = home.run(owner=ME, cleanup_interval="3h")
    assert (first["changed"], again["changed"]) == (True, False)
    assert first["problems"] == again["problems"] == []
    (private / "wasmtime" / "stray").write_bytes(b"")
    for module in (cache_config, cache_config_info, cache_usage_info):
        assert "stray" in str(World.execute(module, True, {"path": str(home.config)})), module


def test_a_private_cache_of_the_user_is_looked_at(home: Home) -> None:
    cache = made(home.path / "cache")
    (cache / SECRET).write_bytes(b"")
    for path in (cache, cache / SECRET):
        give(path, STRANGER)
    home.names(cache)
    assert SECRET in str(World.execute(cache_config_info, True, {"path": str(home.config)}))
    assert SECRET in str(World.execute(cache_usage_info, True, {"path": str(home.config)}))


def test_a_private_cache_that_the_task_names_is_looked_at(home: Home) -> None:
    cache = made(home.world.root / "cache")
    (cache / SECRET).write_bytes(b"")
    home.names(cache)
    options = {"path": str(home.config), "directory": str(cache)}
    assert SECRET in str(World.execute(cache_config, True, options))
    assert SECRET in str(World.execute(cache_usage_info, True, options))


@pytest.mark.parametrize("name", ["modules", "modules/wasmtime-1"])
@pytest.mark.parametrize("mode", [0o700, 0o711])
def test_what_is_behind_a_user_s_link_in_the_cache_is_not_told(home: Home, name: str, mode: int) -> None:
    private = made(home.world.root / "private", mode)
    (private / SECRET).write_bytes(b"")
    cache = made(home.path / "cache", 0o755)
    (cache / name).parent.mkdir(exist_ok=True)
    (cache / name).symlink_to(private)
    for path in sorted({cache, (cache / name).parent, cache / name}):
        give(path, STRANGER)
    home.names(cache)
    result = World.execute(cache_usage_info, True, {"path": str(home.config)})
    assert SECRET not in str(result)
    assert (result["links"], result["complete"]) == ([name], False)
    for public, uid in ((0o755, 0), (0o700, STRANGER)):
        private.chmod(public)
        give(private, uid)
        assert SECRET in str(World.execute(cache_usage_info, True, {"path": str(home.config)}))


# Names that only look like a file's own


@pytest.mark.parametrize("led", [by_hard_link, by_hard_link_in_sticky, by_hard_link_of_a_group])
@pytest.mark.parametrize("options", [{"owner": ME}, {"group": ME}, {"mode": "0600"}], ids=str)
def test_a_public_file_with_other_names_is_read_and_not_given_away(
    home: Home, led: Callable[[Home, Path], None], options: dict[str, str]
) -> None:
    victim = home.world.root / "config.toml"
    victim.write_text('[cache]\ndirectory = "%s"\n' % home.world.cache)
    victim.chmod(0o644)
    led(home, victim)
    home.world.cache.mkdir(mode=0o700)
    assert "it has other names" in home.refused(cleanup_interval=..., directory=str(home.world.cache), **options)


def test_a_user_s_own_secret_with_two_names_is_read(home: Home) -> None:
    home.names(home.path / "cache")
    home.config.chmod(0o600)
    os.link(str(home.config), str(home.path / "other"))
    assert World.execute(cache_config_info, True, {"path": str(home.config)})["settings"]


def test_a_config_that_its_group_shares_is_read_where_the_group_may_rename_it(home: Home) -> None:
    home.names(home.path / "cache")
    for path, mode in ((home.path, 0o755), (home.config.parent, 0o775), (home.config, 0o640)):
        os.chown(str(path), 0, STRANGER)
        path.chmod(mode)
    assert World.execute(cache_config_info, True, {"path": str(home.config)})["settings"]
    os.chown(str(home.config), 0, 0)
    message = World.execute(cache_config_info, True, {"path": str(home.config)})["problems"][0]["message"]
    assert "other users may not read" in message


# Where root is not almighty


@contextlib.contextmanager
def squashed() -> Iterator[None]:
    """Root who takes itself for root, but is none on a file system: as on a share with root_squash."""

    def unknown(path: Any, *arguments: Any, **options: Any) -> Any:
        if path == "/proc/self/status":
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return open(path, *arguments, **options)  # noqa: PTH123 # what it stands for

    # CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID
    with without_capabilities(0, 1, 2, 3, 4), pytest.MonkeyPatch.context() as patch:
        patch.setattr(_rights, "open", unknown, raising=False)
        yield


def squashed_run(home: Home, **options: Any) -> str:
    """The message of a refusal of check and run."""
    World.execute(cache_config, True, {"path": str(home.world.root / "no.toml"), "directory": str(home.world.cache)})
    before = snapshot(home.world.root)
    messages: list[str] = []
    for check in (True, False):
        with squashed():
            result = World.execute(cache_config, check, dict({"path": str(home.config)}, **options))
        assert snapshot(home.world.root) == before
        messages.append(result["msg"])
    assert messages[0] == messages[1]
    return messages[0]


def test_a_home_that_root_may_not_enter_is_named_with_its_owner(home: Home) -> None:
    home.path.chmod(0o700)
    message = squashed_run(home)
    assert 'root may not enter "%s", which belongs to %d' % (home.path, STRANGER) in message
    assert "root_squash" in message
    assert "become_user" in message
    other = home.world.root / "config.toml"
    message = squashed_run(home, path=str(other), directory=str(home.path / "cache"))
    assert "root_squash" in message
    assert "become_user" in message


def test_a_home_in_which_root_may_not_write_is_named_with_its_owner(home: Home) -> None:
    for options in (
        {"directory": str(home.world.cache)},
        {"path": str(home.world.root / "config.toml"), "directory": str(home.path / "cache")},
    ):
        assert "root_squash become its owner %d with become_user" % STRANGER in squashed_run(home, **options)


def test_a_cache_in_which_root_may_not_write_is_told(home: Home) -> None:
    give(made(home.path / "cache", 0o755), STRANGER)
    home.names(home.path / "cache")
    World.execute(cache_config_info, True, {"path": str(home.config)})
    with squashed():
        problems = World.execute(cache_config_info, True, {"path": str(home.config)})["problems"]
    found = {problem["code"]: problem for problem in problems}["directory-unwritable"]
    assert "root_squash" in found["message"]
    assert "directory_owner" in found["remedy"]


def test_a_directory_that_is_denied_to_root_is_told_beforehand(home: Home) -> None:
    home.world.cache.mkdir(0o700)
    marked = subprocess.run(["chattr", "+i", str(home.world.cache)], check=False, capture_output=True, text=True)
    if marked.returncode:
        pytest.skip("the file system has no immutable files: %s" % marked.stderr.strip())
    try:
        message = home.refused(directory=str(home.world.cache), directory_mode="0711")
    finally:
        subprocess.run(["chattr", "-i", str(home.world.cache)], check=True)
    assert "see lsattr" in message


def test_a_cache_that_root_may_not_enter_is_told_with_its_owner(home: Home) -> None:
    cache = made(home.path / "cache", 0o755)
    home.path.chmod(0o700)
    options = {"path": str(home.world.root / "no.toml"), "directory": str(cache)}
    World.execute(cache_usage_info, True, options)
    with squashed():
        result = World.execute(cache_usage_info, True, options)
    assert result["complete"] is False
    assert "root_squash); become its owner %d with become_user" % STRANGER in warnings_of(result)[0]


def test_a_file_system_with_an_owner_of_its_own_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    mkdir = os.mkdir

    def given(path: Any, mode: int = 0o777, **where: Any) -> None:
        mkdir(path, mode, **where)
        os.chown(path, STRANGER, STRANGER, **where)

    home.world.cache.mkdir(0o700)
    monkeypatch.setattr(os, "mkdir", given)
    result = World.execute(cache_config, False, {"path": str(home.config), "directory": str(home.world.cache)})
    assert "belongs to %d and has the mode 0700: either the file system" % STRANGER in result["msg"]
    assert "become_user" in result["msg"]


def test_a_file_system_without_owners_is_known_beforehand(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    status = home.config.parent.stat()
    line = "1 1 %d:%d / /x rw - vfat /dev/x rw\n" % (os.major(status.st_dev), os.minor(status.st_dev))
    real = open

    def mounted(file: Any, *arguments: Any, **options: Any) -> Any:
        if file == "/proc/self/mountinfo":
            text = options.get("encoding")
            return io.StringIO(line) if text else io.BytesIO(line.encode())
        return real(file, *arguments, **options)

    monkeypatch.setattr("builtins.open", mounted)
    assert "of type vfat, where all files have one owner" in home.refused(directory=str(home.world.cache))


# In a mount namespace of its own


def namespace(commands: str, code: str, *arguments: object) -> list[Any]:
    """What Python code prints, as JSON, after shell commands that may mount; the arguments are those of both."""
    imports = """
import json, os, sys
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.directory import inspect
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.common import directory_problems as problems
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.path import resolve


from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import chooser as _chooser
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import NOBODY, STRANGER, without_root
def codes(path, user=0, owner=None):
    return [(p.code, p.message) for p in problems(inspect(path), user, owner)]
def tell(what):
    print(json.dumps(what))
"""
    root = __file__[: __file__.index("/ansible_collections/")]
    script = 'mount --make-rprivate / && %s || exit 77; exec "$0" -c "$CODE" "$@"' % commands
    result = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=dict(os.environ, PYTHONPATH=root, PYTHONUTF8="1", CODE=imports + code),
        check=False,
    )
    if result.returncode == 77:
        pytest.skip("may not mount here: %s" % result.stderr.strip())
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


LOOK = "tell(codes(sys.argv[1])); tell(codes(sys.argv[1], 0, NOBODY))"


@pytest.mark.parametrize("name", ["", "/missing"])
def test_a_read_only_cache_is_told_whoever_looks(home: Home, name: str) -> None:
    found = namespace("mount -t tmpfs -o ro,mode=755,uid=65534 none $1", LOOK, made(home.world.root / "cache"))
    for seen in found:
        assert ["directory-unwritable", 'the directory "%s"' % (home.world.root / "cache")] in [
            [code, message.partition(" is on a read-only file system")[0]] for code, message in seen
        ]
    if name:
        code = LOOK.replace("sys.argv[1]", "sys.argv[1] + '/missing'")
        for seen in namespace("mount -t tmpfs -o ro,mode=755,uid=65534 none $1", code, home.world.root / "cache"):
            assert [code for code, message in seen if "read-only" in message] == ["directory-unusable"]


@pytest.mark.parametrize("options", ["size=4k", "nr_inodes=2"])
def test_a_full_cache_is_told_whoever_looks(home: Home, options: str) -> None:
    commands = "mount -t tmpfs -o %s,mode=755,uid=65534 none $1 && head -c 4096 /dev/zero >$1/data" % options
    for seen in namespace(commands, LOOK, made(home.world.root / "cache")):
        assert [code for code, message in seen if "on a full file system" in message] == ["directory-unwritable"]


UNIT = """mount -t tmpfs -o mode=755 none /var/cache && mkdir -m 700 /var/cache/private &&
mkdir -m 755 /var/cache/private/app && chown 61234:61234 /var/cache/private/app &&
ln -s private/app /var/cache/app"""


def test_the_cache_of_a_systemd_unit_with_a_dynamic_user_is_valid() -> None:
    code = LOOK + "\nwith without_root(): tell(codes(sys.argv[1], NOBODY)); tell(codes(sys.argv[1] + '/x', NOBODY))"
    for seen in namespace(UNIT, code, "/var/cache/app"):
        assert [code for code, _message in seen] == ["directory-dynamic-user"]
        assert '"/var/cache/private"' in seen[0][1]
    # Only where systemd keeps it from others.
    for seen in namespace(UNIT + " && chmod 755 /var/cache/private", LOOK, "/var/cache/app"):
        assert "directory-dynamic-user" not in [code for code, _message in seen]


@pytest.mark.parametrize("uid", [0, OTHER])
def test_a_bind_mount_in_the_user_s_own_is_not_the_user_s(home: Home, uid: int) -> None:
    real = made(home.world.root / "real", 0o755)
    give(real, uid)
    for name in ("cache", "below"):
        give(made(home.path / name, 0o755), STRANGER)
    code = "tell([_chooser.not_theirs(resolve(path), %d) is None for path in sys.argv[1:]])" % STRANGER
    paths = (home.path / "cache", home.path / "cache" / "x", home.path / "below" / "x")
    assert namespace("mount --bind %s $1" % real, code, *paths) == [[False, False, True]]


# ACLs that new directories get


@needs_acls
def test_a_default_acl_counts_for_what_the_engine_creates_and_not_for_what_is_there(home: Home) -> None:
    above = made(home.world.root / "above", 0o755)
    there = made(above / "there")
    set_acl(above, DEFAULT, *entries(7, (USER, 7, STRANGER), group=5, other=5))
    for path, wanted in ((there, []), (above / "missing", ["directory-writable-by-others"])):
        result = World.execute(cache_config_info, True, {"content": '[cache]\ndirectory = "%s"\n' % path})
        assert [problem["code"] for problem in result["problems"]] == wanted
    set_acl(above, DEFAULT, *entries(5, (USER, 5, STRANGER), group=5, other=5))
    result = World.execute(cache_config_info, True, {"content": '[cache]\ndirectory = "%s"\n' % (above / "missing")})
    assert result["problems"] == []


@pytest.mark.parametrize("options", [{"directory_owner": ME}, {"directory_mode": "0755"}], ids=str)
@pytest.mark.parametrize("owner", [0, NOBODY])
def test_a_directory_of_others_that_was_moved_to_the_name_in_the_task_is_left_alone(
    home: Home, owner: int, options: dict[str, str]
) -> None:
    entry = new(home.path / "cache") / "modules"
    entry.mkdir()
    for path in (entry, entry.parent):
        give(path, owner)
    message = home.world.refused(directory=str(entry.parent), ignore_dangers=["directory-replaceable"], **options)
    assert "may have been moved there, as other users can replace what is in" in message
    give(entry.parent, STRANGER)
    give(entry, STRANGER)
    ignored = ["directory-replaceable", "directory-writable-by-others"]
    assert home.world.run(directory=str(entry.parent), ignore_dangers=ignored, **options).get("failed") is None


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_link_of_root_with_another_name_is_not_followed_where_others_can_make_names(home: Home, state: str) -> None:
    victim = home.world.root / "prog"
    victim.write_text("[cache]\n")
    link = home.world.root / "link"
    link.symlink_to(victim)
    sticky = made(home.world.root / "sticky", 0o1777)
    os.link(str(link), str(sticky / "config.toml"), follow_symlinks=False)
    options = {"backup": True} if state == "absent" else {"directory": str(home.world.cache), "owner": ME}
    before = snapshot(home.world.root)
    for check in (True, False):
        result = home.world.run(check=check, path=str(sticky / "config.toml"), state=state, **options)
        assert "root does not follow it" in result["msg"]
    assert snapshot(home.world.root) == before


def test_a_link_of_a_user_is_removed_whatever_it_leads_to(home: Home) -> None:
    """Only a backup would be made where it leads: that root refuses, in check mode, too."""
    sticky = made(home.world.root / "sticky", 0o1777)
    give(sticky, NOBODY)
    victim = made(home.world.root / "r", 0o755) / "c.toml"
    victim.write_text("[cache]\n")
    link = sticky / "link"
    link.symlink_to("../r/c.toml")
    give(link, STRANGER)
    before = snapshot(victim.parent)
    options: dict[str, Any] = {"path": str(link), "state": "absent"}
    for check in (True, False):
        result = home.world.run(check=check, backup=True, **options)
        assert '"%s" is a symbolic link of %s into' % (link, ME) in result["msg"]
    assert link.is_symlink()
    for check in (True, False):
        assert home.world.run(check=check, **options)["changed"] is True
    assert not link.is_symlink()
    assert snapshot(victim.parent) == before


def test_a_config_of_root_with_another_name_does_not_choose_the_directory(home: Home) -> None:
    victim = new(home.world.root / "victim")
    config = home.world.root / "other.toml"
    config.write_text('[cache]\ndirectory = "%s"\n' % victim)
    sticky = made(home.world.root / "sticky", 0o1777)
    os.link(str(config), str(sticky / "config.toml"))
    for check in (True, False):
        result = home.world.run(check=check, path=str(sticky / "config.toml"), directory=..., directory_owner=ME)
        assert "on which root does not act" in result["msg"]
    assert victim.stat().st_uid == 0


def test_a_secret_is_not_read_in_a_sticky_directory_even_if_it_has_one_name_left(home: Home) -> None:
    sticky = made(home.world.root / "sticky", 0o1777)
    config = sticky / "config.toml"
    secret_file(config)
    for check in (True, False):
        result = home.world.run(check=check, path=str(config), directory=str(home.world.cache), owner=ME)
        assert SECRET not in str(result)
        assert "that other users may not read" in result["msg"]
    assert config.stat().st_uid == 0


# Names and rights where users may not look


def private_things(home: Home) -> Path:
    """A directory of root that nobody else may enter, with links that lead to names that nobody else knows."""
    folder = made(home.world.root / "private", 0o700)
    (folder / ("file-" + SECRET)).write_text("x")
    (folder / "to-file").symlink_to("file-" + SECRET)
    (folder / "to-nothing").symlink_to("nothing-" + SECRET)
    return folder


@pytest.mark.parametrize("name", ["to-file", "to-file/x", "to-nothing", "to-nothing/x"])
@pytest.mark.parametrize("by", ["config", "directory", "link"])
def test_where_links_of_root_lead_is_told_to_nobody_who_cannot_see_them(home: Home, by: str, name: str) -> None:
    victim = private_things(home) / name
    home.names(home.path / "cache")
    options: dict[str, Any] = {"path": str(home.config)}
    if by == "config":
        home.config.unlink()
        home.config.symlink_to(victim)
    elif by == "directory":
        home.names(victim)
    else:
        (home.path / "link").symlink_to(victim)
        home.names(home.path / "link")
    for path in home.path.rglob("*"):
        os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
    for module in (cache_config_info, cache_usage_info, cache_prune):
        assert SECRET not in json.dumps(World.execute(module, False, options))
    for more in ({"directory_mode": "0711"}, {"cleanup_interval": "2h"}, {"state": "absent", "backup": True}):
        assert SECRET not in json.dumps(World.execute(cache_config, True, {**options, **more}))


def test_a_link_of_the_system_is_not_followed(home: Home) -> None:
    """Not even its text is told: it is that of another process."""
    secret = private_things(home) / ("file-" + SECRET)
    handle = os.open(secret, os.O_RDONLY)
    try:
        for link in ("/proc/%d/fd/%d" % (os.getpid(), handle), "/proc/%d/root/etc" % os.getpid()):
            home.names(link)
            result = World.execute(cache_config_info, False, {"path": str(home.config)})
            (problem,) = [found for found in result["problems"] if found["code"] == "directory-not-looked-at"]
            assert SECRET not in json.dumps(result)
            # The directory in which the first one is can only be entered by its owner.
            said = "is a link of the system" if link.endswith("etc") else "may not enter a directory on this path"
            assert said in problem["message"]
            assert said in home.refused(cleanup_interval="2h")
            (home.path / "link").symlink_to(link)
            give(home.path / "link", STRANGER)
            result = World.execute(cache_config_info, False, {"path": str(home.path / "link")})
            assert (result["valid"], SECRET in json.dumps(result)) == (False, False)
            result = home.world.run(path=str(home.path / "link"), state="absent", directory=...)
            assert result["changed"] is True  # the link itself is the user's
    finally:
        os.close(handle)


@pytest.mark.parametrize("inside", [False, True])
def test_a_link_leads_only_where_its_owner_may_go(home: Home, inside: bool) -> None:
    """Also to what belongs to its owner: in a place that is closed, it may be a copy that the owner must not see."""
    copy = made(private_things(home) / "copy", 0o755)
    (copy / SECRET).write_text("x")
    give(copy, STRANGER)
    link = made(home.path / "cache", 0o755) / "modules" if inside else home.path / "link"
    link.symlink_to(copy)
    give(link, STRANGER)
    if inside:
        give(link.parent, STRANGER)
    for module in (cache_usage_info, cache_prune):
        options = {"path": str(home.config), "directory": str(link.parent if inside else link)}
        result = World.execute(module, True, options)
        assert SECRET not in json.dumps(result)
    if not inside:
        before = snapshot(copy)
        message = home.refused(path=str(link / "new" / "config.toml"), directory=str(home.world.root / "cache"))
        assert "may not enter where it leads" in message
        assert snapshot(copy) == before


@needs_acls
@pytest.mark.parametrize("of", ["file", "directory"])
def test_an_acl_is_that_of_what_was_examined(home: Home, monkeypatch: pytest.MonkeyPatch, of: str) -> None:
    """The user can exchange the file for another one while root looks for the ACL."""
    folder = made(home.path / "folder", 0o755)
    secret = folder / "secret.toml"
    secret.write_text('[cache]\n"%s" = 1\n' % SECRET)
    closed = secret if of == "file" else folder
    own = home.path / "own"
    if of == "file":
        own.write_text("[cache]\n")
    else:
        (made(own, 0o755) / "secret.toml").write_text("[cache]\n")
    set_acl(closed, ACCESS, *entries(5, (USER, 0, STRANGER), owner=7, group=5, other=5))
    give(home.path, STRANGER)
    give(own, STRANGER)
    if of == "file":
        give(folder, STRANGER)
    real = os.getxattr
    exchanged: list[str] = []

    def exchange() -> None:
        for old, new_name in ((closed, closed.with_name("x")), (own, closed), (closed.with_name("x"), own)):
            old.rename(new_name)

    def raced(path: Any, name: str, **options: Any) -> bytes:
        exchanged.append(name)
        exchange()
        try:
            return real(path, name, **options)
        finally:
            exchange()

    options = {"path": str(secret)}
    assert SECRET not in json.dumps(World.execute(cache_config_info, False, options))
    monkeypatch.setattr(os, "getxattr", raced)
    result = World.execute(cache_config_info, False, options)
    assert exchanged
    assert SECRET not in json.dumps(result["problems"])
    assert [problem["code"] for problem in result["problems"]] == ["unreadable"]


@pytest.mark.parametrize(("mode", "read"), [(0o777, False), (0o1777, True), (0o755, True)])
def test_a_private_file_is_read_unless_others_can_rename_what_is_above_it(home: Home, mode: int, read: bool) -> None:
    above = made(home.world.root / "above", mode)
    above.chmod(mode)
    config = made(above / "etc", 0o755) / "config.toml"
    config.write_text("[cache]\n")
    config.chmod(0o600)
    result = World.execute(cache_config_info, False, {"path": str(config)})
    assert [problem["code"] for problem in result["problems"] if problem["severity"] == "error"] == (
        [] if read else ["unreadable"]
    )
