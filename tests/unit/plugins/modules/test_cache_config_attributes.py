# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cache_config: The owner, group, mode and attributes of the config."""

from __future__ import annotations

import os
import subprocess

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.edit import HEADER
from ansible_collections.wasmops.wasmtime.plugins.modules import cache_config
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    NOBODY,
    ROOT,
    STRANGER,
    as_root,
    give,
    mode_of,
    place,
    without_root,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import (
    World,
    execute_without_root,
    run_without_root,
    warnings_of,
)


@pytest.mark.parametrize("mode", ["0600", "u=rw,go=", 0o600])
def test_the_mode_of_the_file_is_set_and_shown(world, mode):
    world.write("[cache]\n")
    world.cache.mkdir(0o700)
    world.run()
    result = world.both(mode=mode)
    assert result["changed"] is True
    assert mode_of(world.config) == 0o600
    (attributes,) = result["diff"]
    assert attributes["before_header"] == "%s (file attributes)" % world.config
    assert (attributes["before"]["mode"], attributes["after"]["mode"]) == ("0644", "0600")


@as_root
def test_the_owners_of_the_file_are_set_and_shown(world):
    world.cache.mkdir(0o700)
    world.run()
    result = world.both(owner=str(STRANGER), group=str(STRANGER + 1))
    status = world.config.stat()
    assert (status.st_uid, status.st_gid) == (STRANGER, STRANGER + 1)
    (attributes,) = result["diff"]
    assert (attributes["before"], attributes["after"]) == (
        {"owner": 0, "group": 0},
        {"owner": STRANGER, "group": STRANGER + 1},
    )
    world.both(owner="0", group="0", mode="0600", cleanup_interval="2h")
    status = world.config.stat()
    assert (status.st_uid, status.st_gid, mode_of(world.config)) == (0, 0, 0o600)


@as_root
def test_only_the_owner_changes_the_mode(monkeypatch):
    with place() as there:
        monkeypatch.setenv("HOME", str(there))
        config = there / "config.toml"
        config.write_text("[cache]\n")
        options = {"path": str(config), "directory": None, "create_directory": False, "mode": "0604"}
        for check in (True, False):
            result = run_without_root(there, check=check, **options)
            assert result["msg"].endswith(
                "it cannot be given another owner, group or mode: only its owner root may do that; become that"
                " owner with become_user"
            )


@as_root
def test_root_sets_no_attributes_where_users_can_swap_files(world):
    world.write("[cache]\n")
    os.chown(str(world.config.parent), STRANGER, STRANGER)
    message = world.refused(attributes="+d", directory=..., create_directory=False)
    assert "it cannot be given attributes: other users can replace what is in" in message


@pytest.mark.parametrize("attributes", ["+dA", "=dA"])
def test_attributes_are_set_once(world, attributes):
    world.write("[cache]\n")
    if subprocess.run(["chattr", "+d", world.config], check=False, capture_output=True).returncode:
        pytest.skip("there is no chattr, or the file system has no attributes")
    options = {"attributes": attributes, "directory": ..., "create_directory": False}
    result = world.both(**options)
    assert result["changed"] is True
    assert "d" in result["diff"][0]["before"]["attributes"]


LSATTR = """#!/bin/sh
echo "----$(cat '%(state)s')---- $2"
"""
CHATTR = """#!/bin/sh
echo "$1 $(realpath "$2")" >> '%(calls)s'
case "$1" in
    =*) printf %%s "${1#=}" ;;
    +*) printf %%s "$(cat '%(state)s')${1#+}" ;;
    -*) tr -d "${1#-}" < '%(state)s' ;;
esac > '%(state)s.new'
mv '%(state)s.new' '%(state)s'
"""


class Attributes:
    """The attributes of the one file that programs called lsattr and chattr know."""

    def __init__(self, world, there):
        place_of_both = world.root / "known"
        self.state, self.calls = place_of_both / "attributes", place_of_both / "calls"
        place_of_both.mkdir()
        self.state.write_text(there)
        self.calls.write_text("")
        for path in (place_of_both, self.state, self.calls):
            path.chmod(0o777)
        names = {"state": self.state, "calls": self.calls}
        world.program("lsattr", (LSATTR % names).encode())
        world.program("chattr", (CHATTR % names).encode())


@pytest.mark.parametrize(
    ("there", "attributes", "call", "then"),
    [
        ("", "+d", "+d", "d"),
        ("A", "+d", "+d", "Ad"),
        ("", "=dA", "=dA", "dA"),
        ("", "dA", "=dA", "dA"),
        ("dA", "-d", "-d", "A"),
        ("dA", "+d", None, "dA"),
        ("Ad", "=dA", None, "Ad"),
        ("A", "-d", None, "A"),
    ],
)
def test_attributes_are_changed_unless_the_file_has_them(world, there, attributes, call, then):
    world.write("[cache]\n")
    known = Attributes(world, there)
    options = {"attributes": attributes, "directory": ..., "create_directory": False}
    dry = world.run(check=True, **options)
    assert (known.state.read_text(), known.calls.read_text()) == (there, "")
    result = world.run(**options)
    assert dry["changed"] is result["changed"] is (call is not None)
    assert known.state.read_text() == then
    if call:
        assert known.calls.read_text() == "%s %s\n" % (call, world.config)
        (diff,) = result["diff"]
        assert diff["before_header"] == "%s (file attributes)" % world.config
        assert (diff["before"], diff["after"]) == ({"attributes": there}, {"attributes": call})
    else:
        assert known.calls.read_text() == ""
        assert result["diff"] == []


@pytest.mark.parametrize("exists", [True, False])
def test_attributes_that_cannot_be_set_are_told_with_all_that_was_done_before(world, exists):
    if exists:
        world.write("[cache]\n")
    Attributes(world, "")
    world.program("chattr", b"#!/bin/sh\necho 'chattr: No\n  such attribute' >&2\nexit 1\n")
    told = "its attributes or SELinux context cannot be set: Error while setting attributes: chattr: No such attribute"
    options = {"attributes": "+d", "directory": ..., "create_directory": False, "backup": True}
    result = world.run(cleanup_interval="2h", **options)
    assert result["msg"] == "%s: everything else was done, but %s" % (world.config, told)
    assert (result["failed"], result["changed"], result["problems"]) == (True, True, [])
    assert result["path"] == str(world.config)
    assert ("backup_file" in result) is exists
    assert 'cleanup-interval = "2h"' in world.config.read_text()
    result = world.run(cleanup_interval="2h", **options)
    assert result["msg"] == "%s: %s" % (world.config, told)
    assert (result["failed"], result["changed"], result["problems"]) == (True, False, [])


def test_only_who_will_own_the_file_sets_its_attributes(public_world):
    world = public_world
    world.write("[cache]\n")
    if ROOT:
        give(world.config.parent, NOBODY)
        give(world.home, NOBODY)
    known = Attributes(world, "")
    options = {"path": str(world.config), "create_directory": False}
    if ROOT:
        # Root's file, until a user replaces it by one of its own.
        said = execute_without_root(cache_config, attributes="+d", **options)["msg"]
        assert said.endswith(
            "it cannot be given attributes: only its owner root may do that; become that owner with become_user"
        )
        known.state.write_text("d")
        assert execute_without_root(cache_config, attributes="+d", **options)["changed"] is False
        known.state.write_text("")
    result = execute_without_root(cache_config, attributes="+d", cleanup_interval="2h", **options)
    assert (result["changed"], known.state.read_text()) == (True, "d")
    said = execute_without_root(cache_config, attributes="+i", **options)["msg"]
    assert said.endswith("may not do that without CAP_LINUX_IMMUTABLE")
    assert known.state.read_text() == "d"
    known.state.write_text("di")
    assert execute_without_root(cache_config, attributes="+i", **options)["changed"] is False
    (world.config).unlink()
    known.state.write_text("")
    result = execute_without_root(cache_config, attributes="+d", **options)
    assert (result["created"], known.state.read_text()) == (True, "d")


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("differs", [True, False])
def test_a_new_file_has_the_context_of_its_path_and_then_what_is_asked_for(world, monkeypatch, exists, differs):
    usual, calls = ["system_u", "object_r", "etc_t", "s0"], []
    if exists:
        world.write("[cache]\n")
        world.config.rename(world.tree / "target.toml")
        world.config.symlink_to(world.tree / "target.toml")

    def default(_module, path, mode=0):
        return usual if path == os.path.realpath(world.config) else ["system_u", "object_r", "other_t", "s0"]

    def noted(_module, path, context, changed, diff=None):
        assert os.path.samefile(path, world.config)  # noqa: PTH121
        assert not os.path.samefile(os.path.dirname(path), "/") and path.startswith("/proc/")  # noqa: PTH120, PTH121
        calls.append((context, changed, diff is not None))
        return changed or differs

    monkeypatch.setattr(AnsibleModule, "selinux_enabled", lambda _module: True)
    monkeypatch.setattr(AnsibleModule, "selinux_mls_enabled", lambda _module: True)
    monkeypatch.setattr(AnsibleModule, "selinux_context", lambda _module, _path: usual)
    monkeypatch.setattr(AnsibleModule, "selinux_default_context", default)
    monkeypatch.setattr(AnsibleModule, "set_context_if_different", noted)
    options = {"directory": ..., "create_directory": False}
    for check in (True, False):
        result = world.run(check=check, **options)
        assert result["changed"] is (differs or not exists)
        if exists:
            assert calls == [([None] * 4, False, True)]
        else:
            # What is not there yet has none.
            assert calls == ([] if check else [(usual, True, False), ([None] * 4, True, True)])
        calls.clear()
    assert world.run(**options)["changed"] is differs


@as_root
def test_a_file_that_the_system_lets_nobody_change_is_told_beforehand(world):
    world.run()
    if subprocess.run(["chattr", "+i", world.config], check=False, capture_output=True).returncode:
        pytest.skip("there is no chattr, or the file system has no immutable files")
    try:
        said = world.refused(mode="0600")
    finally:
        subprocess.run(["chattr", "-i", world.config], check=True)
    assert "it cannot be given another owner, group or mode: the system denies writing to " in said
    assert world.both(mode="0600")["changed"] is True


def test_a_new_file_gets_its_mode(world):
    world.both(mode="0600")
    assert mode_of(world.config) == 0o600


@pytest.mark.parametrize("mode", ["0664", "0646", "0666", "g+w"])
@pytest.mark.parametrize("exists", [True, False])
def test_a_file_that_others_could_write_is_refused_and_taken_if_allowed(world, mode, exists):
    if exists:
        world.run()
    message = world.refused(mode=mode)
    assert "the change would be dangerous (ignore_dangers: [file-writable-by-others] allows it)" in message
    assert "choose whose code Wasmtime runs; set mode to 0644" in message
    result = world.both(mode=mode, ignore_dangers=["file-writable-by-others"])
    assert mode_of(world.config) & 0o022
    assert [(problem["code"], problem["severity"]) for problem in result["problems"]] == [
        ("file-writable-by-others", "danger")
    ]
    assert result["problems"][0]["message"] in str(warnings_of(result))
    # It is no danger of the directory.
    assert result["directory"]["dangers"] == []


def test_a_file_that_others_can_write_is_told_if_old_and_mended_if_asked(world):
    world.run()
    world.config.chmod(0o666)
    result = world.both(cleanup_interval="2h")
    assert result["changed"] is True
    assert [problem["code"] for problem in result["problems"]] == ["file-writable-by-others"]
    assert "users other than the owner can write to this file" in str(warnings_of(result))
    assert mode_of(world.config) == 0o666
    # Another mode with the same danger is no new one.
    assert world.both(mode="0664")["changed"] is True
    result = world.both(mode="0644")
    assert (result["changed"], result["problems"]) == (True, [])
    assert "warnings" not in result


@pytest.mark.parametrize("exists", [True, False])
def test_a_file_that_others_can_replace_is_refused_if_new_and_told_if_old(public_world, exists):
    if exists:
        public_world.run()
    public_world.config.parent.chmod(0o777)
    if not exists:
        message = public_world.refused()
        assert "the change would be dangerous (ignore_dangers: [file-writable-by-others] allows it)" in message
        assert 'as they can write to "%s"' % public_world.config.parent in message
    ignored = [] if exists else ["file-writable-by-others"]
    result = public_world.both(cleanup_interval="2h", ignore_dangers=ignored)
    assert (result["changed"], [problem["code"] for problem in result["problems"]]) == (
        True,
        ["file-writable-by-others"],
    )


def test_all_that_is_wrong_is_told_together(world):
    world.cache.mkdir()
    world.cache.chmod(0o777)
    codes = ["file-writable-by-others", "directory-writable-by-others"]
    message = world.refused(mode="0666", file_count_soft_limit="0")
    assert "(ignore_dangers: [%s] allows it)" % ", ".join(sorted(codes)) in message
    result = world.both(mode="0666", file_count_soft_limit="0", ignore_dangers=codes)
    assert [problem["code"] for problem in result["problems"]] == ["empties-itself", *codes]
    assert result["directory"]["dangers"] == ["directory-writable-by-others"]


@as_root
@pytest.mark.parametrize(
    ("umask", "options", "readable"),
    [
        (0o022, {}, True),
        (0o077, {}, False),
        (0o027, {}, False),
        (0o077, {"mode": "0644"}, True),
        (0o022, {"mode": "0600"}, False),
        (0o022, {"mode": "0640"}, False),
        (0o022, {"mode": "0640", "group": str(NOBODY)}, True),
        (0o027, {"group": str(NOBODY)}, True),
        (0o077, {"owner": str(NOBODY)}, True),
        (0o022, {"mode": "0600", "owner": str(NOBODY)}, True),
        (0o022, {"mode": "0200", "owner": str(NOBODY)}, False),
        (0o022, {"mode": "0600", "owner": str(STRANGER)}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("exists", [True, False])
def test_a_file_that_the_directory_s_owner_could_not_read_is_refused(public_world, umask, options, readable, exists):
    world = public_world
    os.umask(umask)
    if exists:
        world.run()
        world.cache.rmdir()
    options = dict(options, directory_owner=str(NOBODY))
    if not readable:
        message = world.refused(**options)
        assert "nothing was changed: nobody may not read the file; set mode to 0644, or group" in message
        return
    assert world.both(**options)["problems"] == []
    with without_root():
        assert world.config.read_text().startswith(HEADER[:10])
        (world.cache / "modules").mkdir()


@as_root
@pytest.mark.parametrize(
    ("mode", "deep", "readable"), [(0o2755, False, True), (0o2755, True, False), (0o755, False, False)]
)
def test_a_new_file_has_the_group_of_a_directory_that_says_so_unless_it_is_made_with_others(
    public_world, mode, deep, readable
):
    world = public_world
    etc = world.config.parent
    os.chown(etc, 0, NOBODY)
    etc.chmod(mode)
    world.config = etc / "deep" / "config.toml" if deep else world.config
    options = {"mode": "0640", "directory_owner": str(NOBODY)}
    if readable:
        assert world.both(**options)["problems"] == []
        assert world.config.stat().st_gid == NOBODY
        with without_root():
            assert world.config.read_text().startswith(HEADER[:10])
    else:
        assert "nobody may not read the file" in world.refused(**options)
        world.run(mode="0640")
        assert world.config.stat().st_gid == os.getegid()


@as_root
@pytest.mark.parametrize(("mode", "group"), [(0o2777, STRANGER), (0o777, NOBODY)])
def test_a_new_directory_of_others_than_root_has_their_group_or_that_of_a_directory_that_says_so(mode, group):
    with place() as there:
        os.chown(there, NOBODY, STRANGER)
        there.chmod(mode)
        ignored = ["directory-replaceable", "file-writable-by-others"]
        dry = run_without_root(there, check=True, ignore_dangers=ignored)
        result = run_without_root(there, ignore_dangers=ignored)
        status = (there / "cache").stat()
        assert (status.st_uid, status.st_gid, mode_of(there / "cache")) == (NOBODY, group, 0o700)
        assert result["directory"] == dry["directory"]
        assert dry["diff"][1]["after"]["group"] == result["diff"][1]["after"]["group"]
        assert run_without_root(there, ignore_dangers=ignored)["directory"]["group"] == result["directory"]["group"]


@as_root
@pytest.mark.parametrize("exists", [True, False])
def test_a_directory_that_its_owner_could_not_reach_is_refused(public_world, exists):
    world = public_world
    world.tree.chmod(0o700)
    world.config = world.root / "config.toml"
    if exists:
        world.cache.mkdir()
    message = world.refused(directory_owner=str(NOBODY))
    assert "nothing was changed: nobody may not enter " in message
    assert "use a directory that this user can reach" in message
    world.tree.chmod(0o711)
    assert world.both(directory_owner=str(NOBODY))["problems"] == []


@as_root
def test_a_directory_that_its_owner_must_create_must_be_one_that_it_can(public_world):
    world = public_world
    options = {"directory_owner": str(NOBODY), "create_directory": False}
    assert "nobody cannot create it in" in world.refused(**options)
    os.chown(str(world.tree), NOBODY, NOBODY)
    result = world.both(**options)
    assert (result["problems"], result["directory"]["exists"]) == ([], False)


@as_root
def test_what_the_old_owner_left_in_a_directory_is_a_danger_to_the_new_one(public_world):
    world = public_world
    (world.cache / "modules").mkdir(parents=True)
    os.chown(str(world.cache), STRANGER, STRANGER)
    os.chown(str(world.cache / "modules"), STRANGER, STRANGER)
    world.cache.chmod(0o700)
    message = world.refused(directory_owner=str(NOBODY))
    assert 'holds files of other users ("modules")' in message
    assert "ignore_dangers: [directory-writable-by-others]" in message
    assert world.both(directory_owner=str(STRANGER))["problems"] == []


@as_root
def test_a_group_to_be_created_by_then_may_be_the_one_that_reads_the_file(public_world):
    world = public_world
    options = {"directory_owner": str(NOBODY), "group": "nobody-has-this-name"}
    assert world.run(check=True, mode="0640", **options)["changed"] is True
    assert "may not read the file" in world.run(check=True, mode="0600", **options)["msg"]


@as_root
def test_a_directory_without_any_rights_gets_some(world):
    world.run()
    world.cache.chmod(0)
    assert world.both(directory_mode="u+rwx")["directory"]["mode"] == "0700"
    world.cache.chmod(0)
    assert world.both(directory_group=str(STRANGER), ignore_dangers=["directory-writable-by-others"])["changed"] is True
    assert (mode_of(world.cache), world.cache.stat().st_gid) == (0, STRANGER)


@as_root
def test_owner_and_group_are_set(public_world):
    world = public_world
    result = world.both(owner=str(STRANGER), group=str(STRANGER), directory_owner=str(STRANGER), directory_group="0")
    assert (world.config.stat().st_uid, world.config.stat().st_gid) == (STRANGER, STRANGER)
    assert (world.cache.stat().st_uid, world.cache.stat().st_gid) == (STRANGER, 0)
    assert result["directory"]["owner"] == str(STRANGER)
    world.config.chmod(0o600)
    assert world.both(owner="0", mode="0644")["changed"] is True


@as_root
@pytest.mark.parametrize("option", ["owner", "group", "directory_owner", "directory_group"])
@pytest.mark.parametrize("exists", [True, False])
def test_an_owner_to_be_created_by_then_is_no_failure_in_a_dry_run(world, option, exists):
    if exists:
        world.run()
    before = world.snapshot()
    dry = world.run(check=True, **{option: "nobody-has-this-name"})
    assert world.snapshot() == before
    assert dry["changed"] is True
    kind = "group" if option.endswith("group") else "user"
    assert "%s: there is no %s nobody-has-this-name yet" % (option, kind) in str(warnings_of(dry))
    real = world.run(**{option: "nobody-has-this-name"})
    assert real["failed"] is True
    assert real["msg"] == "%s: there is no %s nobody-has-this-name; create it first" % (option, kind)
    assert world.snapshot() == before
    of_directory, name = option.startswith("directory_"), option.rpartition("_")[2]
    if of_directory:
        assert dry["directory"][name] == dry["diff"][-1]["after"][name] == "nobody-has-this-name"
    elif exists:
        # Nothing else becomes another one.
        assert dry["diff"][-1]["after"] == {name: "nobody-has-this-name"}
    owners = {"owner": dry["directory"]["owner"], "group": dry["directory"]["group"]}
    assert list(owners.values()).count("nobody-has-this-name") == of_directory
    assert all(owners.values())


@pytest.mark.parametrize("option", ["owner", "group", "directory_owner", "directory_group"])
def test_only_root_gives_files_away(option):
    with place() as there:
        result = run_without_root(there, **{option: "0"})
        whom = "the group 0, as this user is not a member" if "group" in option else "0"
        assert "%s: only root can give a file to %s" % (option, whom) in result["msg"]
        assert not list(there.iterdir())


@pytest.mark.parametrize("option", ["mode", "directory_mode"])
@pytest.mark.parametrize("mode", ["rwxr-xr-x", "9", "77777", "-1", "preserve", 10**6, True, ["0700"], "u=rwq"], ids=str)
def test_what_is_no_mode_is_refused_before_anything_is_written(world, option, mode):
    said = world.refused(**{option: mode})
    assert "%s: " % option in said
    assert said.endswith(' is not a mode; write octal digits in quotes, like "0700"')


@pytest.mark.parametrize("option", ["mode", "directory_mode"])
@pytest.mark.parametrize(
    ("mode", "is_octal"), [(644, "1204"), (700, "1274"), (400, "0620"), (755, "1363"), (777, "1411")]
)
def test_a_mode_without_quotes_is_refused_with_the_one_that_was_meant(
    world: World, option: str, mode: int, is_octal: str
) -> None:
    said = world.refused(**{option: mode})
    assert '%s: %d without quotes is a decimal number, mode %s; write "0%d"' % (option, mode, is_octal, mode) in said


@pytest.mark.parametrize("mode", [0o700, 0o711, 0o750, 0o755, 0o1750, 0o2750])
def test_a_number_that_yaml_made_of_octal_digits_is_a_mode(world: World, mode: int) -> None:
    world.both(directory_mode=mode)
    assert mode_of(world.cache) == mode


NOT_AGAIN = (
    "nothing was changed: root could not read it in the next run: it is a file of %s that other users may not read, and some"
    ' of them can replace what is in "%s"; '
)
BECOME = ", or become the owner of that directory with become_user"


@as_root
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize(
    ("umask", "options"),
    [
        (0o022, {"mode": "0640"}),
        (0o022, {"mode": "0600"}),
        (0o077, {}),
        (0o022, {"mode": "0640", "owner": str(NOBODY), "group": str(NOBODY)}),
    ],
    ids=str,
)
def test_root_writes_no_file_into_a_user_s_directory_that_it_would_not_read_again(
    public_world: World, umask: int, options: dict[str, str], deep: bool
) -> None:
    world = public_world
    etc = world.config.parent
    give(etc, STRANGER)
    world.config = etc / "deep" / "config.toml" if deep else world.config
    os.umask(umask)
    refusal = NOT_AGAIN % ("nobody" if "owner" in options else "root", etc) + "set mode to 0644" + BECOME
    assert world.refused(**options) == "%s: %s" % (world.config, refusal)
    assert world.both(**dict(options, mode="0644"))["changed"] is True
    if "mode" in options:
        assert world.refused(cleanup_interval="2h", **options).startswith("%s: nothing was changed: " % world.config)
    # The owner of the directory may keep a file secret there.
    theirs = {"owner": str(STRANGER), "group": str(STRANGER), "mode": "0600", "directory_owner": str(STRANGER)}
    assert world.both(**theirs)["changed"] is True
    assert mode_of(world.config) == 0o600


@as_root
def test_a_secret_of_root_is_written_in_a_new_directory_of_a_sticky_one(public_world: World) -> None:
    world = public_world
    etc = world.config.parent
    etc.chmod(0o1777)
    options = {"mode": "0640", "ignore_dangers": ["file-writable-by-others"]}
    assert world.refused(**options) == "%s: %sset mode to 0644" % (world.config, NOT_AGAIN % ("root", etc))
    world.config = etc / "deep" / "config.toml"
    assert world.both(**options)["changed"] is True


@as_root
@pytest.mark.parametrize("exists", [False, True])
def test_a_secret_of_root_is_written_where_only_its_group_may_rename_it(public_world: World, exists: bool) -> None:
    world = public_world
    etc = world.config.parent
    if exists:
        world.run(mode="0644")
    os.chown(etc, 0, STRANGER)
    etc.chmod(0o775)
    ignored = {"ignore_dangers": ["file-writable-by-others"]}
    assert world.refused(mode="0640", **ignored) == (
        "%s: %sset mode to 0644" % (world.config, NOT_AGAIN % ("root", etc))
    )
    assert world.both(mode="0640", group=str(STRANGER), **ignored)["changed"] is True


@as_root
def test_another_path_is_advised_where_no_mode_lets_root_read_the_file_again(public_world: World) -> None:
    world = public_world
    etc = world.config.parent
    os.chown(etc, 0, STRANGER)
    etc.chmod(0o770)
    ignored = {"ignore_dangers": ["file-writable-by-others"]}
    for mode in ("0640", "0644"):
        assert world.refused(mode=mode, **ignored) == (
            "%s: %schoose another path" % (world.config, NOT_AGAIN % ("root", etc))
        )


@as_root
@pytest.mark.parametrize("before", [0o644, 0o4644, 0o6755])
@pytest.mark.parametrize(
    ("mode", "wanted"),
    [("4755", 0o4755), ("2755", 0o2755), (0o6755, 0o6755), ("u+s,g-s", None), ("0644", 0o644), ("a+r", None)],
)
@pytest.mark.parametrize(("owner", "group"), [(NOBODY, 0), (STRANGER, STRANGER)])
def test_a_user_sets_the_special_bits_that_the_mode_names_on_a_file_of_a_foreign_group(
    before: int, mode: object, wanted: int | None, owner: int, group: int
) -> None:
    with place() as there:
        config = there / "config.toml"
        config.write_text("[cache]\n")
        os.chown(config, owner, group)
        config.chmod(before)
        options = {"mode": mode, "cleanup_interval": "2h"}
        result = run_without_root(there, **options)
        assert result.get("changed") is True, result["msg"]
        if wanted is None:
            wanted = before & 0o777 | (0o4000 if mode != "a+r" else 0)
        assert (mode_of(config), config.stat().st_uid, config.stat().st_gid) == (wanted, NOBODY, NOBODY)
        assert run_without_root(there, **options)["changed"] is False


@as_root
@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("check", [False, True])
def test_a_setgid_bit_that_the_system_would_drop_is_refused(exists: bool, check: bool) -> None:
    with place() as there:
        config = there / "config.toml"
        if exists:
            config.write_text("[cache]\n")
            os.chown(config, NOBODY, STRANGER)
            config.chmod(0o2644)
        os.chown(there, NOBODY, STRANGER)
        there.chmod(0o2755)
        before = sorted(there.iterdir())
        result = run_without_root(there, check=check, mode="2644", cleanup_interval="2h")
        assert result["msg"] == (
            "%s: it cannot be written: nobody may not set the setgid bit for the group %d without CAP_FSETID"
            % (config, STRANGER)
        )
        assert sorted(there.iterdir()) == before
        # Without a mode, the new file does without.
        for options in ({"mode": "4644"}, {"mode": "0644"}, {}):
            assert "failed" not in run_without_root(there, check=check, cleanup_interval="2h", **options)
