# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real directories: their dangers, and their creation."""

from __future__ import annotations

import os
import stat
import struct

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils import _directory
from ansible_collections.wasmops.wasmtime.plugins.module_utils._directory import (
    CannotCreate,
    inspect,
    make,
    problems,
    unsafe_link,
    walk,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._settings import shown
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    NOBODY,
    STRANGER,
    place,
    snapshot,
    without_root,
)

ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not ROOT, reason="only root can give files to others")
ME = os.geteuid()
ENTRY = "A" * 43


@pytest.fixture(autouse=True)
def _usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def codes(path, user=ME, owner=None):
    return [problem.code for problem in problems(inspect(str(path)), user, owner)]


def the_problem(path, user=ME, owner=None):
    (problem,) = problems(inspect(str(path)), user, owner)
    return problem


def new(path, mode=0o700):
    path.mkdir()
    path.chmod(mode)
    return path


def give(path, uid):
    os.chown(str(path), uid, uid, follow_symlinks=False)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


# The way to a directory


def test_the_way_to_an_existing_directory(tmp_path):
    way = walk(str(tmp_path))
    assert (way.real, way.missing, way.error, way.links) == (str(tmp_path), [], None, [])
    assert way.target == str(tmp_path)
    assert way.visited[0][0] == "/"
    assert way.visited[-1][0] == str(tmp_path)
    assert way.status().st_ino == tmp_path.stat().st_ino


@pytest.mark.parametrize("spelling", ["{0}/d/", "{0}//d", "{0}/./d", "{0}/d/../d", "/..{0}/d", "{0}/no/../d"])
def test_spellings_of_a_path_lead_to_the_same_place(tmp_path, spelling):
    new(tmp_path / "d")
    assert walk(spelling.format(tmp_path)).target == str(tmp_path / "d")


def test_the_missing_end_of_a_way(tmp_path):
    way = walk("%s/a/b/../c" % tmp_path)
    assert (way.real, way.missing, way.target) == (str(tmp_path), ["a", "c"], str(tmp_path / "a" / "c"))


@pytest.mark.parametrize("target", ["d", "./d", "{0}/d", "other"])
def test_links_are_followed_and_remembered(tmp_path, target):
    new(tmp_path / "d")
    (tmp_path / "other").symlink_to("d")
    (tmp_path / "link").symlink_to(target.format(tmp_path))
    way = walk(str(tmp_path / "link" / "x"))
    assert way.target == str(tmp_path / "d" / "x")
    assert way.links[0][0] == str(tmp_path / "link")
    assert len(way.links) == (2 if target == "other" else 1)
    assert way.links[0][2] == ME


def test_a_parent_of_a_link_is_the_parent_of_its_target(tmp_path):
    new(tmp_path / "a")
    new(tmp_path / "a" / "b")
    (tmp_path / "link").symlink_to("a/b")
    assert walk(str(tmp_path / "link" / ".." / "x")).target == str(tmp_path / "a" / "x")


@pytest.mark.parametrize(
    ("name", "reason"), [("dangling", "nowhere"), ("loop", "nowhere"), ("file", "is not a directory")]
)
def test_what_ends_a_way_makes_the_directory_unusable(tmp_path, name, reason):
    (tmp_path / "dangling").symlink_to("no")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / name, tmp_path / name / "below"):
        problem = the_problem(path)
        assert (problem.code, problem.severity, problem.setting) == ("directory-unusable", "error", "directory")
        assert reason in problem.message
        assert inspect(str(path)).exists is False


def test_a_file_behind_a_link_makes_the_directory_unusable(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to("file")
    assert codes(tmp_path / "link") == ["directory-unusable"]


def test_too_many_links_make_the_directory_unusable(tmp_path):
    new(tmp_path / "link0")
    for number in range(1, 60):
        (tmp_path / ("link%d" % number)).symlink_to(tmp_path / ("link%d" % (number - 1)))
    assert codes(tmp_path / "link30") == []
    assert codes(tmp_path / "link59") == ["directory-unusable"]
    # Each part of a path may have a few links: the kernel counts them together, and so does this.
    assert codes("%s/link30/../link30" % tmp_path) == ["directory-unusable"]


def test_a_directory_that_may_not_be_entered_ends_the_way():
    with place() as there:
        new(there / "closed", 0)
        with without_root():
            problem = the_problem(there / "closed" / "x", os.geteuid())
        assert problem.code == "directory-unusable"
        assert "Permission denied" in problem.message
        (there / "closed").chmod(0o700)


# The state of a directory


def test_the_state_of_a_missing_directory(tmp_path):
    state = inspect(str(tmp_path / "d"))
    assert state.as_dict() == {
        "path": str(tmp_path / "d"),
        "exists": False,
        "owner": None,
        "group": None,
        "mode": None,
    }


def test_the_state_of_a_directory(tmp_path):
    new(tmp_path / "d", 0o1750)
    state = inspect(str(tmp_path / "d"))
    assert (state.exists, state.uid, state.mode) == (True, ME, 0o1750)
    assert state.as_dict()["mode"] == "1750"
    assert state.as_dict()["owner"]


def test_an_owner_without_a_name_is_a_number(tmp_path):
    state = inspect(str(new(tmp_path / "d")))._replace(uid=STRANGER, gid=STRANGER)
    assert (state.as_dict()["owner"], state.as_dict()["group"]) == (str(STRANGER), str(STRANGER))
    assert state._replace(uid=None, gid=None).as_dict()["owner"] is None
    assert state._replace(uid=None, gid=None).as_dict()["group"] is None


def test_a_private_directory_has_no_problem(tmp_path):
    assert codes(new(tmp_path / "d")) == []
    assert codes(tmp_path / "missing") == []
    assert codes(tmp_path / "missing" / "deep") == []


# Writable by others


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [(0o700, []), (0o755, []), (0o770, 1), (0o707, 1), (0o777, 1), (0o1777, 1), (0o720, 1), (0o702, 1)],
)
def test_a_directory_that_others_can_write_is_a_danger(tmp_path, mode, wanted):
    assert codes(new(tmp_path / "d", mode)) == (["directory-writable-by-others"] if wanted else [])


def acl(*entries):
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


OWNER, USER, GROUP_OBJ, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
ANY = 0xFFFFFFFF


def set_acl(path, name, *entries):
    try:
        os.setxattr(str(path), name, acl(*entries))
    except OSError as error:
        pytest.skip("the file system of %s takes no ACLs: %s" % (path, error.strerror))


def entries(mask, *extra, group=0, other=0):
    return [(OWNER, 7, ANY), *(e for e in extra if e[0] == USER), (GROUP_OBJ, group, ANY)] + [
        *(e for e in extra if e[0] == GROUP),
        (MASK, mask, ANY),
        (OTHER, other, ANY),
    ]


@pytest.mark.parametrize("name", ["system.posix_acl_access", "system.posix_acl_default"])
@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (entries(7, (USER, 7, STRANGER)), True),
        (entries(5, (USER, 7, STRANGER)), False),
        (entries(7, (USER, 5, STRANGER)), False),
        (entries(7, (USER, 7, 0)), False),
        (entries(7, (USER, 7, ME)), False),
        (entries(7, (GROUP, 2, STRANGER)), True),
        (entries(7, (GROUP, 2, 0)), True),
        (entries(7, (USER, 5, STRANGER), group=7), True),
        (entries(5, (USER, 5, STRANGER), group=7), False),
        (entries(5, (USER, 5, STRANGER), other=2), True),
    ],
)
@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="this system has no extended attributes")
def test_acls_count_as_what_they_allow(tmp_path, name, found, wanted):
    path = new(tmp_path / "d")
    set_acl(path, name, *found)
    assert codes(path) == (["directory-writable-by-others"] if wanted else [])


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="this system has no extended attributes")
def test_a_default_acl_without_a_mask_counts_too(tmp_path):
    path = new(tmp_path / "d")
    set_acl(path, "system.posix_acl_default", (OWNER, 7, ANY), (GROUP_OBJ, 7, ANY), (OTHER, 0, ANY))
    assert codes(path) == ["directory-writable-by-others"]
    set_acl(path, "system.posix_acl_default", (OWNER, 7, ANY), (GROUP_OBJ, 5, ANY), (OTHER, 5, ANY))
    assert codes(path) == []


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="this system has no extended attributes")
def test_an_acl_on_a_directory_above_lets_others_replace_what_is_below(tmp_path):
    above = new(tmp_path / "above")
    path = new(above / "d")
    set_acl(above, "system.posix_acl_access", *entries(7, (USER, 7, STRANGER)))
    assert codes(path) == ["directory-replaceable"]


@as_root
@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="this system has no extended attributes")
@pytest.mark.parametrize(("user", "wanted"), [(STRANGER, []), (STRANGER + 1, ["directory-writable-by-others"])])
def test_an_acl_for_the_owner_gives_nothing_to_others(tmp_path, user, wanted):
    path = new(tmp_path / "d")
    give(path, STRANGER)
    set_acl(path, "system.posix_acl_access", *entries(7, (USER, 7, user)))
    assert codes(path, ME, STRANGER) == wanted


# Replaceable by others


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_directory_above_that_others_can_write_is_a_danger(tmp_path, mode):
    above = new(tmp_path / "above", mode)
    for path in (new(above / "d"), above / "missing", above / "missing" / "deep"):
        problem = the_problem(path)
        assert (problem.code, problem.severity) == ("directory-replaceable", "danger")
        assert shown(str(above)) in problem.message


def test_a_sticky_directory_above_protects_what_exists_and_not_what_does_not(tmp_path):
    above = new(tmp_path / "above", 0o1777)
    assert codes(new(above / "d")) == []
    assert codes(above / "d" / "missing") == []
    problem = the_problem(above / "missing")
    assert problem.code == "directory-replaceable"
    assert "anyone can create it first in" in problem.message


def test_tmp_itself_is_no_place_for_a_new_cache():
    assert codes("/tmp/wasmtime-cache-that-nobody-has") == ["directory-replaceable"]


@as_root
def test_a_directory_above_of_another_user_is_a_danger(tmp_path):
    above = new(tmp_path / "above", 0o755)
    path = new(above / "d")
    give(above, STRANGER)
    problem = the_problem(path)
    assert problem.code == "directory-replaceable"
    assert "belongs to %d" % STRANGER in problem.message
    give(path, STRANGER)
    assert codes(path, STRANGER) == []
    assert codes(path, 0) == ["directory-owner"]
    assert codes(path, 0, STRANGER) == []


@as_root
def test_a_link_of_another_user_on_the_way_is_a_danger(tmp_path):
    path = new(tmp_path / "d")
    link = tmp_path / "link"
    link.symlink_to("d")
    assert codes(link) == []
    give(link, STRANGER)
    problem = the_problem(link)
    assert problem.code == "directory-replaceable"
    assert "the symbolic link %s belongs" % shown(str(link)) in problem.message
    assert codes(path) == []


# Not dedicated


@pytest.mark.parametrize(
    "path", ["/", "/tmp", "/var/cache", "/usr", "/var/../etc/", "/home/somebody", "/Users/somebody"]
)
def test_directories_of_the_system_are_a_danger(path):
    assert "directory-not-dedicated" in codes(path)


def test_the_own_home_is_a_danger():
    import pwd

    assert "directory-not-dedicated" in codes(pwd.getpwuid(ME).pw_dir)


@as_root
def test_the_home_of_the_cache_s_user_is_a_danger():
    import pwd

    entry = next(
        e for e in pwd.getpwall() if e.pw_uid != 0 and e.pw_dir.count("/") > 2 and e.pw_dir not in _directory._SYSTEM
    )
    assert "directory-not-dedicated" in codes(entry.pw_dir, 0, entry.pw_uid)
    assert "directory-not-dedicated" not in codes(entry.pw_dir + "/.cache/wasmtime", 0, entry.pw_uid)


def test_users_without_a_passwd_entry_have_no_home_to_guard(tmp_path):
    state = inspect(str(new(tmp_path / "d")))._replace(uid=STRANGER)
    assert "directory-not-dedicated" not in [p.code for p in problems(state, STRANGER)]


# Owner and permissions


def test_a_directory_of_nobody_knows_whom_is_a_warning(tmp_path):
    state = inspect(str(new(tmp_path / "d")))._replace(uid=STRANGER, mode=0o700)
    found = [p for p in problems(state, ME) if p.code == "directory-owner"]
    assert [p.severity for p in found] == ["warning"]
    assert [p.code for p in problems(state, ME, STRANGER) if p.code == "directory-owner"] == []


def test_a_directory_for_a_user_to_be_created_belongs_to_nobody_yet(tmp_path):
    state = inspect(str(new(tmp_path / "d")))._replace(uid=None)
    assert [p.code for p in problems(state, ME)] == []


def test_a_directory_that_its_user_cannot_write_is_a_warning():
    with place() as there:
        path = new(there / "d", 0o500)
        if ROOT:
            give(path, NOBODY)
            assert "directory-unwritable" in codes(path, 0, NOBODY)
            path.chmod(0o300)
            assert "directory-unwritable" not in codes(path, 0, NOBODY)
            path.chmod(0o500)
        with without_root():
            problem = the_problem(path, os.geteuid())
            assert (problem.code, problem.severity) == ("directory-unwritable", "warning")


def test_a_directory_that_cannot_be_created_is_unusable():
    with place() as there:
        new(there / "d", 0o555)
        if ROOT:
            give(there / "d", NOBODY)
        with without_root():
            problem = the_problem(there / "d" / "missing", os.geteuid())
        assert (problem.code, problem.severity) == ("directory-unusable", "error")
        assert "cannot create it in %s" % (there / "d") in problem.message


# Contents


def test_what_the_engine_made_is_not_foreign(tmp_path):
    path = new(tmp_path / "d")
    (path / ".cleanup.wip-123").write_bytes(b"")
    modules = path / "modules"
    below = modules / "wasmtime-42.0.2"
    below.mkdir(parents=True)
    for name in (ENTRY, ENTRY + ".stats", ENTRY + ".wip-4", ENTRY + ".wip-atomic-write-mod"):
        (below / name).write_bytes(b"")
    (modules / "wasmtime-42.0.2-1234567890").mkdir()
    assert codes(path) == []


@pytest.mark.parametrize(
    "name",
    [
        "data.db",
        ".hidden",
        ".cleanup",
        "modules/file",
        "modules/.cleanup.wip-1",
        "modules/wasmtime-1/notes.txt",
        "modules/wasmtime-1/" + ENTRY + ".bak",
        "modules/wasmtime-1/" + ENTRY[1:],
        "modules/wasmtime-1/sub/file",
        "modules/other/" + ENTRY,
        "app/releases/" + ENTRY,
        "other/x/y",
        "modules/wasmtime-1/" + ENTRY + "/x",
    ],
)
def test_what_the_engine_did_not_make_is_a_danger(tmp_path, name):
    path = new(tmp_path / "d")
    (path / name).parent.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(b"")
    problem = the_problem(path)
    assert (problem.code, problem.severity) == ("directory-foreign-files", "danger")
    assert '("%s' % "/".join(name.split("/")[:3]) in problem.message


def test_only_some_of_many_foreign_files_are_named(tmp_path):
    path = new(tmp_path / "d")
    for number in range(9):
        (path / ("f%d" % number)).write_bytes(b"")
    assert '("f0", "f1", "f2" and 6 more)' in the_problem(path).message


@pytest.mark.parametrize(
    ("name", "wanted"), [("link", True), ("modules/link", True), ("modules/wasmtime-1/" + ENTRY, False)]
)
def test_links_that_the_engine_follows_are_a_danger(tmp_path, name, wanted):
    path = new(tmp_path / "d")
    outside = new(tmp_path / "outside")
    (outside / "precious").write_bytes(b"")
    (path / name).parent.mkdir(parents=True, exist_ok=True)
    (path / name).symlink_to(outside)
    assert codes(path) == (["directory-symbolic-link"] if wanted else [])


def test_directories_inside_that_others_can_write_are_a_danger(tmp_path):
    path = new(tmp_path / "d")
    new(path / "modules", 0o777)
    problem = the_problem(path)
    assert problem.code == "directory-writable-by-others"
    assert '"modules"' in problem.message


def test_contents_that_may_not_be_listed_are_left_alone():
    with place() as there:
        path = new(there / "d", 0o300)
        (path / "foreign").write_bytes(b"")
        if ROOT:
            give(path, NOBODY)
        with without_root():
            assert codes(path, os.geteuid()) == []
        path.chmod(0o700)


@pytest.mark.parametrize("name", [ENTRY, "modules", "modules/wasmtime-1/" + ENTRY])
def test_a_link_to_itself_is_no_reason_to_stop_looking(tmp_path, name):
    path = new(tmp_path / "d")
    (path / name).parent.mkdir(parents=True, exist_ok=True)
    (path / name).symlink_to(ENTRY)
    (path / "foreign").write_bytes(b"")
    assert "directory-foreign-files" in codes(path)


def test_a_directory_that_vanishes_meanwhile_is_no_reason_to_stop_looking(tmp_path, monkeypatch):
    path = new(tmp_path / "d")
    new(path / "modules", 0o777)
    (path / "foreign").write_bytes(b"")
    scandir = os.scandir

    def raced(directory):
        found = list(scandir(directory))
        if (path / "modules").exists():
            (path / "modules").rmdir()
        return found

    monkeypatch.setattr(os, "scandir", raced)
    assert codes(path) == ["directory-foreign-files"]


def test_looking_changes_nothing(tmp_path):
    path = new(tmp_path / "d", 0o777)
    (path / "f").write_bytes(b"")
    before = snapshot(tmp_path)
    assert codes(path)
    assert snapshot(tmp_path) == before


# Creation


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000, 0o027])
@pytest.mark.parametrize("mode", [0o700, 0o750, 0o2770, 0o1777])
def test_a_directory_gets_its_mode_and_its_parents_the_umask(tmp_path, umask, mode):
    os.umask(umask)
    make(inspect(str(tmp_path / "a" / "b" / "d")), -1, -1, mode)
    assert mode_of(tmp_path / "a" / "b" / "d") == mode
    expected = 0o755 & ~umask
    assert mode_of(tmp_path / "a") == mode_of(tmp_path / "a" / "b") == expected


def test_an_existing_directory_gets_its_mode(tmp_path):
    path = new(tmp_path / "d", 0o777)
    (path / "f").write_bytes(b"")
    make(inspect(str(path)), -1, -1, 0o700)
    assert mode_of(path) == 0o700
    assert (path / "f").exists()


def test_nothing_to_change_changes_nothing(tmp_path):
    path = new(tmp_path / "d")
    before = snapshot(tmp_path)
    make(inspect(str(path)), path.stat().st_uid, path.stat().st_gid, 0o700)
    assert snapshot(tmp_path) == before


def test_a_directory_is_made_behind_the_user_s_own_link(tmp_path):
    new(tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    make(inspect(str(tmp_path / "link" / "d")), -1, -1, 0o700)
    assert (tmp_path / "real" / "d").is_dir()
    assert (tmp_path / "link").is_symlink()


@as_root
def test_new_directories_belong_to_the_owner_of_the_one_above(tmp_path):
    above = new(tmp_path / "above")
    os.chown(str(above), STRANGER, STRANGER + 1)
    make(inspect(str(above / "a" / "d")), -1, -1, 0o700)
    for path in (above / "a", above / "a" / "d"):
        assert (path.stat().st_uid, path.stat().st_gid) == (STRANGER, STRANGER + 1)


@as_root
def test_a_named_owner_gets_the_directory_and_not_its_parents(tmp_path):
    make(inspect(str(tmp_path / "a" / "d")), STRANGER, STRANGER, 0o2750)
    assert (tmp_path / "a").stat().st_uid == 0
    status = (tmp_path / "a" / "d").stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (STRANGER, STRANGER, 0o2750)


@as_root
def test_an_existing_directory_gets_its_owner(tmp_path):
    path = new(tmp_path / "d", 0o770)
    make(inspect(str(path)), STRANGER, -1, 0o750)
    status = path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (STRANGER, 0, 0o750)


@as_root
def test_rights_of_the_old_group_are_gone_before_a_directory_gets_its_new_one(tmp_path, monkeypatch):
    path = new(tmp_path / "d", 0o777)
    seen = []
    chown = os.fchown

    def watched(handle, uid, gid):
        seen.append(stat.S_IMODE(os.fstat(handle).st_mode))
        chown(handle, uid, gid)

    monkeypatch.setattr(os, "fchown", watched)
    make(inspect(str(path)), STRANGER, STRANGER, 0o2770)
    assert seen == [0o770]
    assert mode_of(path) == 0o2770


def test_a_new_directory_is_never_open_to_others_on_its_way(tmp_path, monkeypatch):
    os.umask(0)
    seen = []
    mkdir = os.mkdir

    def watched(name, mode=0o777, *, dir_fd=None):
        mkdir(name, mode, dir_fd=dir_fd)
        seen.append(stat.S_IMODE(os.stat(name, dir_fd=dir_fd).st_mode))

    monkeypatch.setattr(os, "mkdir", watched)
    make(inspect(str(tmp_path / "a" / "d")), -1, -1, 0o755)
    assert seen == [0o700, 0o700]


@pytest.mark.parametrize("replaced", ["a", "a/b", "a/b/d"])
@pytest.mark.parametrize("exists", [True, False])
def test_a_part_that_was_replaced_by_a_link_is_refused(tmp_path, replaced, exists):
    path = tmp_path / "a" / "b" / "d"
    (path if exists else path.parent).mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "b" / "d").mkdir(parents=True)
    state = inspect(str(path))
    victim = tmp_path / replaced
    if victim.exists():
        victim.rename(tmp_path / "moved")
    victim.symlink_to(elsewhere)
    before = snapshot(tmp_path)
    with pytest.raises(CannotCreate, match="replaced meanwhile"):
        make(state, -1, -1, 0o777)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("exists", [True, False])
def test_a_part_that_was_replaced_by_another_directory_is_refused(tmp_path, exists):
    path = tmp_path / "a" / "d"
    (path if exists else path.parent).mkdir(parents=True)
    state = inspect(str(path))
    (tmp_path / "a").rename(tmp_path / "moved")
    (tmp_path / "a" / "d" if exists else tmp_path / "a").mkdir(parents=True)
    before = snapshot(tmp_path)
    with pytest.raises(CannotCreate, match="replaced meanwhile"):
        make(state, -1, -1, 0o777)
    assert snapshot(tmp_path) == before


def test_a_directory_that_somebody_else_made_first_is_refused(tmp_path):
    state = inspect(str(tmp_path / "d"))
    new(tmp_path / "d")
    before = snapshot(tmp_path)
    with pytest.raises(CannotCreate, match="replaced meanwhile"):
        make(state, -1, -1, 0o777)
    assert snapshot(tmp_path) == before


def test_a_new_directory_that_is_filled_before_it_is_opened_is_refused(tmp_path, monkeypatch):
    mkdir = os.mkdir

    def raced(name, mode=0o777, *, dir_fd=None):
        mkdir(name, mode, dir_fd=dir_fd)
        (tmp_path / name / "planted").write_bytes(b"")

    monkeypatch.setattr(os, "mkdir", raced)
    with pytest.raises(CannotCreate, match="replaced meanwhile"):
        make(inspect(str(tmp_path / "d")), -1, -1, 0o755)
    assert mode_of(tmp_path / "d") == 0o700


def test_what_the_system_refuses_is_told():
    with place() as there:
        path = new(there / "d", 0o500)
        if ROOT:
            give(path, NOBODY)
        with without_root(), pytest.raises(CannotCreate, match="Permission denied"):
            make(inspect(str(path / "new")), -1, -1, 0o700)


def test_handles_are_closed_after_success_and_failure(tmp_path):
    handles = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None  # noqa: PTH112, PTH208
    if handles is None:
        pytest.skip("needs /proc to count open files")
    make(inspect(str(tmp_path / "d")), -1, -1, 0o700)
    state = inspect(str(tmp_path / "d" / "x"))
    new(tmp_path / "d" / "x")
    with pytest.raises(CannotCreate):
        make(state, -1, -1, 0o700)
    assert len(os.listdir("/proc/self/fd")) == handles  # noqa: PTH208


# Links that root must not follow


@as_root
def test_root_does_not_follow_a_user_s_link_into_a_directory_of_another(tmp_path):
    target = new(tmp_path / "target")
    link = tmp_path / "link"
    link.symlink_to(target)
    give(link, STRANGER)
    state = inspect(str(link / "d"))
    before = snapshot(tmp_path)
    assert "is a symbolic link of %d into" % STRANGER in str(unsafe_link(state.way))
    with pytest.raises(CannotCreate, match="root does not follow it"):
        make(state, -1, -1, 0o700)
    assert snapshot(tmp_path) == before


@as_root
def test_root_does_not_follow_its_own_link_in_a_user_s_directory(tmp_path):
    home = new(tmp_path / "home", 0o755)
    (home / "link").symlink_to(new(tmp_path / "target"))
    assert unsafe_link(walk(str(home / "link"))) is None
    give(home, STRANGER)
    assert unsafe_link(walk(str(home / "link"))) is not None


@as_root
def test_root_follows_a_user_s_link_into_a_directory_of_the_same_user(tmp_path):
    home = new(tmp_path / "home", 0o755)
    target = new(home / "target")
    (home / "link").symlink_to("target")
    for path in (home, target, home / "link"):
        give(path, STRANGER)
    assert unsafe_link(walk(str(home / "link"))) is None
    make(inspect(str(home / "link" / "d")), -1, -1, 0o700)
    assert (target / "d").stat().st_uid == STRANGER


def test_others_follow_the_links_they_can_follow():
    with place() as there:
        new(there / "target", 0o755)
        (there / "link").symlink_to("target")
        with without_root():
            assert unsafe_link(walk(str(there / "link"))) is None
