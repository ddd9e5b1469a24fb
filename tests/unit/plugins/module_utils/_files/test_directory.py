# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real directories: their dangers, and their creation."""

from __future__ import annotations

import contextlib
import os

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import shown
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import directory as _directory
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.directory import inspect
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.guards import swappable, unsafe_link
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.path import open_resolved, resolve
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.common import directory_problems as problems
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.reasons import sentence
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.acls import (
    ACCESS,
    ANY,
    DEFAULT,
    GROUP,
    GROUP_OBJ,
    OTHER,
    OWNER,
    USER,
    entries,
    needs_acls,
    set_acl,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    NOBODY,
    ROOT,
    STRANGER,
    as_root,
    give,
    handles,
    new,
    place,
    snapshot,
    without_root,
)

ME = os.geteuid()
ENTRY = "A" * 43


def codes(path, user=ME, owner=None):
    return [problem.code for problem in problems(inspect(str(path)), user, owner)]


def the_problem(path, user=ME, owner=None):
    (problem,) = problems(inspect(str(path)), user, owner)
    return problem


# The path of a directory


def test_the_path_of_an_existing_directory(tmp_path):
    resolved = resolve(str(tmp_path))
    assert (resolved.real, resolved.missing, resolved.error, resolved.links) == (str(tmp_path), [], None, [])
    assert resolved.target == str(tmp_path)
    assert resolved.visited[0][0] == "/"
    assert resolved.visited[-1][0] == str(tmp_path)
    assert resolved.status().st_ino == tmp_path.stat().st_ino


@pytest.mark.parametrize("spelling", ["{0}/d/", "{0}//d", "{0}/./d", "{0}/d/../d", "/..{0}/d", "{0}/no/../d"])
def test_spellings_of_a_path_lead_to_the_same_place(tmp_path, spelling):
    new(tmp_path / "d")
    assert resolve(spelling.format(tmp_path)).target == str(tmp_path / "d")


def test_the_missing_end_of_a_path(tmp_path):
    resolved = resolve("%s/a/b/../c" % tmp_path)
    assert (resolved.real, resolved.missing, resolved.target) == (str(tmp_path), ["a", "c"], str(tmp_path / "a" / "c"))


@pytest.mark.parametrize("target", ["d", "./d", "{0}/d", "other"])
def test_links_are_followed_and_remembered(tmp_path, target):
    new(tmp_path / "d")
    (tmp_path / "other").symlink_to("d")
    (tmp_path / "link").symlink_to(target.format(tmp_path))
    resolved = resolve(str(tmp_path / "link" / "x"))
    assert resolved.target == str(tmp_path / "d" / "x")
    assert resolved.links[0][0] == str(tmp_path / "link")
    assert len(resolved.links) == (2 if target == "other" else 1)
    assert resolved.links[0][2] == ME


def test_a_parent_of_a_link_is_the_parent_of_its_target(tmp_path):
    new(tmp_path / "a")
    new(tmp_path / "a" / "b")
    (tmp_path / "link").symlink_to("a/b")
    assert resolve(str(tmp_path / "link" / ".." / "x")).target == str(tmp_path / "a" / "x")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("dangling", "does not exist"), ("loop", "has too many symbolic links"), ("file", "is not a directory")],
)
def test_what_ends_a_path_makes_the_directory_unusable(tmp_path, name, reason):
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


def test_a_directory_that_may_not_be_entered_ends_the_path():
    with place() as there:
        new(there / "closed", 0)
        with without_root():
            problem = the_problem(there / "closed" / "x", os.geteuid())
        assert problem.code == "directory-unusable"
        assert 'may not enter "%s/closed"' % there in problem.message
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


@pytest.mark.parametrize("name", [ACCESS, DEFAULT])
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
@needs_acls
def test_acls_count_as_what_they_allow(tmp_path, name, found, wanted):
    path = new(tmp_path / "d")
    set_acl(path, name, *found)
    assert codes(path) == (["directory-writable-by-others"] if wanted else [])


@needs_acls
def test_a_default_acl_without_a_mask_counts_too(tmp_path):
    path = new(tmp_path / "d")
    set_acl(path, DEFAULT, (OWNER, 7, ANY), (GROUP_OBJ, 7, ANY), (OTHER, 0, ANY))
    assert codes(path) == ["directory-writable-by-others"]
    set_acl(path, DEFAULT, (OWNER, 7, ANY), (GROUP_OBJ, 5, ANY), (OTHER, 5, ANY))
    assert codes(path) == []


@needs_acls
def test_an_acl_on_a_directory_above_lets_others_replace_what_is_below(tmp_path):
    above = new(tmp_path / "above")
    path = new(above / "d")
    set_acl(above, ACCESS, *entries(7, (USER, 7, STRANGER)))
    assert codes(path) == ["directory-replaceable"]


@as_root
@needs_acls
@pytest.mark.parametrize(("user", "wanted"), [(STRANGER, []), (STRANGER + 1, ["directory-writable-by-others"])])
def test_an_acl_for_the_owner_gives_nothing_to_others(public, user, wanted):
    path = new(public / "d")
    give(path, STRANGER)
    set_acl(path, ACCESS, *entries(7, (USER, 7, user)))
    assert codes(path, ME, STRANGER) == wanted


# Replaceable by others


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_directory_above_that_others_can_write_is_a_danger(tmp_path, mode):
    above = new(tmp_path / "above", mode)
    for path in (new(above / "d"), above / "missing", above / "missing" / "deep"):
        problem = the_problem(path)
        assert (problem.code, problem.severity) == ("directory-replaceable", "danger")
        assert '"%s"' % above in problem.message


def test_a_sticky_directory_above_protects_what_exists_and_not_what_does_not(tmp_path):
    above = new(tmp_path / "above", 0o1777)
    assert codes(new(above / "d")) == []
    assert codes(above / "d" / "missing") == []
    problem = the_problem(above / "missing")
    assert problem.code == "directory-replaceable"
    assert "any user can create it first in" in problem.message


def test_what_appears_in_a_sticky_directory_as_it_is_to_be_is_created_by_nobody_else(tmp_path):
    above = new(tmp_path / "above", 0o1777)
    planned = inspect(str(above / "missing"))._replace(exists=True, uid=ME, gid=os.getegid(), mode=0o700)
    assert problems(planned, ME) == []


@as_root
def test_the_owner_who_is_meant_may_own_what_is_above(public):
    above = new(public / "above", 0o755)
    give(above, STRANGER)
    # To be created by the engine, by this collection for a user, and for one who does not exist yet.
    missing = inspect(str(above / "missing"))
    for state in (
        missing,
        missing._replace(exists=True, uid=STRANGER, gid=0, mode=0o700),
        missing._replace(exists=True, uid=None, gid=None, mode=0o700),
    ):
        assert problems(state, 0, STRANGER) == []
        assert "directory-replaceable" in [p.code for p in problems(state._replace(uid=None), 0, STRANGER + 1)]
    there = inspect(str(new(above / "there")))
    assert [p.code for p in problems(there._replace(uid=STRANGER), 0, STRANGER + 1)] == [
        "directory-writable-by-others",
        # It is one of root that its user can rename.
        "directory-not-looked-at",
        "directory-unwritable",
    ]


def test_a_directory_for_an_owner_who_does_not_exist_yet_is_not_unwritable():
    with place() as there:
        state = inspect(str(new(there / "d")))._replace(uid=None, gid=None)
        with without_root():
            assert problems(state, os.geteuid()) == []


def test_tmp_itself_is_no_place_for_a_new_cache():
    assert codes("/tmp/wasmtime-cache-that-nobody-has") == ["directory-replaceable"]


@as_root
def test_a_directory_above_of_another_user_is_a_danger(public):
    above = new(public / "above", 0o755)
    path = new(above / "d", 0o755)
    give(above, STRANGER)
    problem = the_problem(path)
    assert problem.code == "directory-replaceable"
    assert "belongs to %d" % STRANGER in problem.message
    give(path, STRANGER)
    assert codes(path, STRANGER) == []
    assert codes(path, 0) == ["directory-owner"]
    assert codes(path, 0, STRANGER) == []


@as_root
def test_a_link_of_another_user_on_the_path_is_a_danger(public):
    path = new(public / "d")
    link = public / "link"
    link.symlink_to("d")
    assert codes(link) == []
    give(link, STRANGER)
    problem, hidden = problems(inspect(str(link)), ME)
    assert problem.code == "directory-replaceable"
    assert "the symbolic link %s belongs" % shown(str(link)) in problem.message
    assert hidden.code == "directory-not-looked-at"
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
        e for e in pwd.getpwall() if e.pw_uid != 0 and e.pw_dir.count("/") > 2 and e.pw_dir not in _directory.SYSTEM
    )
    assert "directory-not-dedicated" in codes(entry.pw_dir, 0, entry.pw_uid)
    assert "directory-not-dedicated" not in codes(entry.pw_dir + "/.cache/wasmtime", 0, entry.pw_uid)


def test_users_without_a_passwd_entry_have_no_home_to_guard(tmp_path):
    state = inspect(str(new(tmp_path / "d")))._replace(uid=STRANGER)
    assert "directory-not-dedicated" not in [p.code for p in problems(state, STRANGER)]


# Owner and permissions


def test_a_directory_of_nobody_knows_whom_is_a_warning(tmp_path):
    state = inspect(str(new(tmp_path / "d")))._replace(uid=STRANGER, mode=0o700)
    found = [p for p in problems(state, 0) if p.code == "directory-owner"]
    assert [p.severity for p in found] == ["warning"]
    assert [p.code for p in problems(state, ME, STRANGER) if p.code == "directory-owner"] == []


def test_a_directory_for_a_user_to_be_created_belongs_to_nobody_yet(tmp_path):
    state = inspect(str(new(tmp_path / "d")))._replace(uid=None)
    assert [p.code for p in problems(state, ME)] == []
    planned = inspect(str(tmp_path / "new" / "d"))._replace(exists=True, uid=None, gid=None, mode=0o700)
    assert [p.code for p in problems(planned, ME)] == []


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
        assert "cannot create it in %s" % shown(str(there / "d")) in problem.message


@pytest.mark.parametrize("name", ["d", "d/..", "d/../d", "d/inner/.."])
def test_a_directory_is_not_above_itself(tmp_path, name):
    new(tmp_path / "d")
    new(tmp_path / "d" / "inner")
    resolved = resolve("%s/%s" % (tmp_path, name))
    assert resolved.real not in [path for path, _status in resolved.above()]
    assert str(tmp_path.parent) in [path for path, _status in resolved.above()]
    missing = resolve("%s/%s/missing" % (tmp_path, name))
    assert missing.real in [path for path, _status in missing.above()]


def test_a_directory_reached_from_below_is_judged_as_any_other(tmp_path):
    path = new(tmp_path / "d", 0o1777)
    new(path / "modules", 0o755)
    assert codes("%s/modules/.." % path) == codes(path) == ["directory-writable-by-others"]


@pytest.mark.parametrize(
    ("mode", "planned", "wanted"),
    [(0o500, 0o500, True), (0o500, 0o700, False), (0o700, 0o500, True), (0o700, 0o300, False), (0o700, 0o600, True)],
)
def test_the_mode_that_a_directory_is_to_have_counts(mode, planned, wanted):
    with place() as there:
        path = new(there / "d", mode)
        if ROOT:
            give(path, NOBODY)
        state = inspect(str(path))._replace(mode=planned)
        with without_root():
            found = [p.code for p in problems(state, os.geteuid())]
        assert found == (["directory-unwritable"] if wanted else [])


@pytest.mark.parametrize(("mode", "wanted"), [(0o700, False), (0o500, True), (0o600, True)])
def test_the_mode_that_a_new_directory_is_to_have_counts(mode, wanted):
    with place() as there:
        with without_root():
            state = inspect(str(there / "a" / "d"))
            planned = state._replace(exists=True, uid=os.geteuid(), gid=os.getegid(), mode=mode)
            found = [p.code for p in problems(planned, os.geteuid())]
        assert found == (["directory-unwritable"] if wanted else [])


@as_root
@pytest.mark.parametrize(
    ("uid", "gid", "mode", "wanted"),
    [
        (NOBODY, 0, 0o700, False),
        (NOBODY, 0, 0o300, False),
        (NOBODY, 0, 0o500, True),
        (NOBODY, 0, 0o677, True),
        (0, NOBODY, 0o770, False),
        (0, NOBODY, 0o730, False),
        (0, NOBODY, 0o757, True),
        (0, NOBODY, 0o760, True),
        (0, 0, 0o777, False),
        (0, 0, 0o775, True),
        (0, 0, 0o776, True),
    ],
)
def test_the_rights_of_the_cache_s_user_are_those_that_the_kernel_gives(public, uid, gid, mode, wanted):
    path = new(public / "d")
    os.chown(str(path), uid, gid)
    path.chmod(mode)
    found = [p for p in problems(inspect(str(path)), 0, NOBODY) if p.severity != "danger"]
    assert [(p.code, p.severity) for p in found] == ([("directory-unwritable", "warning")] if wanted else [])
    assert all("cannot be written by nobody, so nothing is cached" in p.message for p in found)
    with without_root():
        assert os.access(str(path), os.W_OK | os.X_OK, effective_ids=True) is not wanted
    # Root can.
    assert "directory-unwritable" not in codes(path)


@as_root
@pytest.mark.parametrize(
    ("uid", "gid", "mode", "reached"),
    [
        (0, 0, 0o755, True),
        (0, 0, 0o711, True),
        (0, 0, 0o754, False),
        (0, 0, 0o700, False),
        (0, NOBODY, 0o710, True),
        (0, NOBODY, 0o701, False),
        (NOBODY, 0, 0o700, True),
        (NOBODY, 0, 0o611, False),
    ],
)
def test_every_directory_above_must_let_the_cache_s_user_pass(public, uid, gid, mode, reached):
    above = new(public / "above")
    path = new(above / "d")
    give(path, NOBODY)
    os.chown(str(above), uid, gid)
    above.chmod(mode)
    with without_root():
        assert os.access(str(path), os.W_OK | os.X_OK, effective_ids=True) is reached
    # Root passes everywhere.
    assert codes(path) == ["directory-owner"]
    if reached:
        assert codes(path, 0, NOBODY) == []
        return
    problem = the_problem(path, 0, NOBODY)
    assert (problem.code, problem.severity) == ("directory-unusable", "error")
    assert problem.message == "nobody may not enter %s and so cannot use the directory %s" % (
        shown(str(above)),
        shown(str(path)),
    )
    assert problem.remedy == "use a directory that this user can reach"
    # So must those above a directory that is to be created.
    for missing in (above / "missing", path / "missing"):
        assert codes(missing, 0, NOBODY) == ["directory-unusable"]
        planned = inspect(str(missing))._replace(exists=True, uid=NOBODY, gid=NOBODY, mode=0o700)
        assert [p.code for p in problems(planned, 0, NOBODY)] == ["directory-unusable"]


@as_root
def test_a_directory_on_the_path_of_a_link_must_let_the_cache_s_user_pass(public):
    closed = new(public / "closed")
    give(new(closed / "d", 0o755), NOBODY)
    (public / "link").symlink_to("closed/d")
    assert codes(public / "link", 0, NOBODY) == ["directory-unusable"]
    closed.chmod(0o711)
    assert codes(public / "link", 0, NOBODY) == []


@as_root
def test_a_closed_directory_that_the_path_leaves_again_must_be_passed_too(public):
    give(new(public / "d"), NOBODY)
    new(public / "closed")
    assert codes("%s/closed/../d" % public, 0, NOBODY) == ["directory-unusable"]
    with without_root():
        assert not os.access("%s/closed/../d" % public, os.F_OK, effective_ids=True)


@as_root
@pytest.mark.parametrize(
    ("uid", "mode", "creates"),
    [(0, 0o755, False), (NOBODY, 0o755, True), (NOBODY, 0o555, False), (0, 0o777, True), (0, 0o1777, True)],
)
def test_the_cache_s_user_must_be_able_to_create_a_missing_directory(public, uid, mode, creates):
    above = new(public / "above")
    give(above, uid)
    above.chmod(mode)
    for name in ("d", "a/d"):
        found = [p for p in problems(inspect(str(above / name)), 0, NOBODY) if p.severity != "danger"]
        assert [p.code for p in found] == ([] if creates else ["directory-unusable"])
        assert all(
            p.message
            == "the directory %s does not exist and nobody cannot create it in %s"
            % (shown(str(above / name)), shown(str(above)))
            for p in found
        )
        # Root creates it for its user.
        planned = inspect(str(above / name))._replace(exists=True, uid=NOBODY, gid=NOBODY, mode=0o700)
        assert [p.code for p in problems(planned, 0, NOBODY) if p.severity != "danger"] == []


@as_root
@needs_acls
def test_an_acl_that_may_let_the_cache_s_user_pass_is_believed(public):
    closed = new(public / "closed")
    give(new(closed / "d"), NOBODY)
    assert codes(closed / "d", 0, NOBODY) == ["directory-unusable"]
    set_acl(closed, ACCESS, *entries(1, (USER, 1, NOBODY)))
    assert codes(closed / "d", 0, NOBODY) == []
    closed.chmod(0o700)
    assert codes(closed / "d", 0, NOBODY) == ["directory-unusable"]


def test_others_than_root_judge_for_another_user_too():
    with place() as there, without_root():
        new(there / "closed")
        new(there / "closed" / "d")
        assert codes(there / "closed" / "d", os.geteuid()) == []
        assert "directory-unusable" in codes(there / "closed" / "d", os.geteuid(), STRANGER)


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


def test_a_stray_file_leaves_a_cache_in_use(tmp_path):
    (tmp_path / "modules" / "wasmtime-42").mkdir(parents=True)
    (tmp_path / "notes").write_bytes(b"")
    (problem,) = [p for p in problems(inspect(str(tmp_path)), ME) if p.code == "directory-foreign-files"]
    assert problem.remedy == "move them out of the cache directory, as cache_prune does with remove=foreign and backup"
    for number in range(3):
        (tmp_path / ("f%d" % number)).write_bytes(b"")
    (problem,) = [p for p in problems(inspect(str(tmp_path)), ME) if p.code == "directory-foreign-files"]
    assert problem.remedy == "set directory to an empty directory that nothing else uses"


def test_what_was_not_counted_is_said_to_be_more(tmp_path):
    for number in range(6):
        (tmp_path / "a" / "b" / str(number)).mkdir(parents=True)
    (problem,) = [p for p in problems(inspect(str(tmp_path)), ME) if p.code == "directory-foreign-files"]
    assert '("a/b/0", "a/b/1", "a/b/2" and at least 3 more)' in problem.message
    for number in range(6):
        (tmp_path / str(number)).write_bytes(b"")
    (problem,) = [p for p in problems(inspect(str(tmp_path)), ME, None, 5) if p.code == "directory-foreign-files"]
    assert "and at least" in problem.message


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


@pytest.mark.parametrize(
    ("name", "mode", "wanted"),
    [
        ("modules", 0o777, True),
        ("modules", 0o1777, True),
        ("modules", 0o770, True),
        ("modules", 0o702, True),
        ("modules", 0o755, False),
        ("modules/wasmtime-1", 0o777, True),
        ("modules/wasmtime-1", 0o755, False),
        (".cleanup.wip-1", 0o666, True),
        (".cleanup.wip-1", 0o644, False),
        ("modules/wasmtime-1/" + ENTRY, 0o666, True),
        ("modules/wasmtime-1/" + ENTRY, 0o620, True),
        ("modules/wasmtime-1/" + ENTRY, 0o602, True),
        ("modules/wasmtime-1/" + ENTRY, 0o604, False),
        ("modules/wasmtime-1/" + ENTRY + ".stats", 0o666, True),
    ],
)
@pytest.mark.parametrize("outer", [0o755, 0o710, 0o701, 0o700, 0o744])
def test_what_others_can_write_inside_is_a_danger_where_they_can_get(tmp_path, outer, name, mode, wanted):
    path = new(tmp_path / "d", outer)
    inside = path / name
    if ENTRY in name or name.startswith(".cleanup"):
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.write_bytes(b"")
    else:
        inside.mkdir(parents=True)
    inside.chmod(mode)
    if not (wanted and outer & 0o011):
        assert codes(path) == []
        return
    problem = the_problem(path)
    assert (problem.code, problem.severity) == ("directory-writable-by-others", "danger")
    assert problem.message.startswith("users other than the owner can write to files in ")
    assert '("%s")' % name in problem.message
    assert "directory_mode" in problem.remedy
    # A mode that keeps them out is enough.
    closed = inspect(str(path))._replace(mode=0o700)
    assert problems(closed, ME) == []


def test_links_inside_are_written_by_nobody(tmp_path):
    """Their mode is 0777 and says nothing."""
    path = new(tmp_path / "d", 0o755)
    (path / "modules" / "wasmtime-1").mkdir(parents=True)
    (path / "modules" / "wasmtime-1" / ENTRY).symlink_to("/dev/null")
    os.mkfifo(str(path / "modules" / "wasmtime-1" / (ENTRY + ".stats")))
    (path / "modules" / "wasmtime-1" / (ENTRY + ".stats")).chmod(0o666)
    assert codes(path) == []


@needs_acls
@pytest.mark.parametrize("name", [ACCESS, DEFAULT])
@pytest.mark.parametrize("outer", [0o700, 0o755])
def test_acls_inside_count_where_others_can_get(tmp_path, name, outer):
    path = new(tmp_path / "d", outer)
    set_acl(new(path / "modules"), name, *entries(7, (USER, 7, STRANGER)))
    assert codes(path) == ([] if outer == 0o700 else ["directory-writable-by-others"])


@needs_acls
def test_an_acl_lets_others_get_to_what_they_can_write(tmp_path):
    path = new(tmp_path / "d")
    new(path / "modules", 0o777)
    set_acl(path, ACCESS, *entries(5, (USER, 5, STRANGER)))
    assert codes(path) == ["directory-writable-by-others"]


@as_root
@pytest.mark.parametrize("outer", [0o755, 0o700])
@pytest.mark.parametrize(
    "name",
    ["modules", "modules/wasmtime-1", ".cleanup.wip-1", "modules/wasmtime-1/" + ENTRY],
)
def test_what_belongs_to_others_inside_is_a_danger_even_out_of_their_reach(public, outer, name):
    path = new(public / "d", outer)
    (path / "modules" / "wasmtime-1").mkdir(parents=True)
    for file in (path / ".cleanup.wip-1", path / "modules" / "wasmtime-1" / ENTRY):
        file.write_bytes(b"")
    assert codes(path) == []
    give(path / name, STRANGER)
    problem = the_problem(path)
    assert (problem.code, problem.severity) == ("directory-writable-by-others", "danger")
    assert 'files of other users ("%s")' % name in problem.message
    assert problem.remedy == "remove them with cache_prune, remove=untrusted; the engine fills the cache again"
    # The cache's own user plants nothing.
    assert codes(path, ME, STRANGER) == ["directory-unwritable"]


@as_root
def test_a_link_of_another_user_inside_is_planted_too(public):
    path = new(public / "d")
    (path / "modules" / "wasmtime-1").mkdir(parents=True)
    link = path / "modules" / "wasmtime-1" / ENTRY
    link.symlink_to("/dev/null")
    assert codes(path) == []
    give(link, STRANGER)
    assert codes(path) == ["directory-writable-by-others"]


@as_root
def test_root_the_owner_and_the_cache_s_user_plant_nothing(public):
    path = new(public / "d", 0o777)
    (path / "modules" / "wasmtime-1").mkdir(parents=True)
    for number, uid in enumerate((0, STRANGER, STRANGER + 1)):
        (path / "modules" / "wasmtime-1" / (ENTRY[1:] + str(number))).write_bytes(b"")
        give(path / "modules" / "wasmtime-1" / (ENTRY[1:] + str(number)), uid)
    give(path, STRANGER)
    path.chmod(0o755)
    found = {p.message for p in problems(inspect(str(path)), 0, STRANGER) if p.severity == "danger"}
    assert len(found) == 1
    assert '("modules/wasmtime-1/%s2")' % ENTRY[1:] in found.pop()
    (other,) = [p for p in problems(inspect(str(path)), 0, STRANGER + 1) if p.severity == "danger"]
    assert "belongs to %d, who can run native code in every process of %d" % (STRANGER, STRANGER + 1) in other.message
    assert other.remedy == "use a directory of %d, or name the user that runs Wasmtime in directory_owner" % (
        STRANGER + 1
    )
    # Root looks at directories for users whom it does not know.
    assert [p.code for p in problems(inspect(str(path)), 0)] == ["directory-owner", "directory-writable-by-others"]
    # The directory's next owner is not the one before.
    later = inspect(str(path))._replace(uid=STRANGER + 1)
    assert [p.code for p in problems(later, 0, STRANGER + 1)] == ["directory-writable-by-others"]


@as_root
def test_planted_foreign_linked_and_writable_files_are_told_one_by_one(public):
    path = new(public / "d", 0o755)
    (path / "foreign").write_bytes(b"")
    give(path / "foreign", STRANGER)
    (path / "link").symlink_to("/")
    new(path / "modules", 0o777)
    assert codes(path) == [
        "directory-foreign-files",
        "directory-symbolic-link",
        "directory-writable-by-others",
        "directory-writable-by-others",
    ]


@as_root
def test_what_is_in_a_planted_directory_is_looked_at(public):
    path = new(public / "d", 0o755)
    new(path / "modules", 0o755)
    give(path / "modules", STRANGER)
    (path / "modules" / "foreign").write_bytes(b"")
    assert codes(path) == ["directory-foreign-files", "directory-writable-by-others"]


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


def test_what_vanishes_before_it_is_looked_at_is_no_reason_to_stop_looking(tmp_path, monkeypatch):
    path = new(tmp_path / "d", 0o755)
    new(path / "modules", 0o777)
    (path / "foreign").write_bytes(b"")
    scandir = os.scandir

    def raced(directory):
        found = list(scandir(directory))
        if (path / "modules").exists():
            (path / "modules").rmdir()
        return contextlib.nullcontext(found)

    monkeypatch.setattr(os, "scandir", raced)
    assert codes(path) == ["directory-foreign-files"]


def test_a_directory_that_vanishes_before_it_is_listed_is_no_reason_to_stop_looking(tmp_path, monkeypatch):
    path = new(tmp_path / "d", 0o755)
    new(path / "modules")
    (path / "foreign").write_bytes(b"")
    scandir = os.scandir

    def raced(directory):
        if os.path.samestat(os.fstat(directory), (path / "modules").stat()):
            (path / "modules").rmdir()
        return scandir(directory)

    monkeypatch.setattr(os, "scandir", raced)
    assert codes(path) == ["directory-foreign-files"]
    assert not (path / "modules").exists()


def test_looking_changes_nothing(tmp_path):
    path = new(tmp_path / "d", 0o777)
    (path / "f").write_bytes(b"")
    before = snapshot(tmp_path)
    assert codes(path)
    assert snapshot(tmp_path) == before


# Links that root must not follow


@as_root
def test_root_does_not_follow_a_user_s_link_into_a_directory_of_another(tmp_path):
    target = new(tmp_path / "target")
    link = tmp_path / "link"
    link.symlink_to(target)
    give(link, STRANGER)
    state = inspect(str(link / "d"))
    assert "is a symbolic link of %d into" % STRANGER in sentence(unsafe_link(state.resolved))


@as_root
def test_root_does_not_follow_its_own_link_in_a_user_s_directory(tmp_path):
    home = new(tmp_path / "home", 0o755)
    (home / "link").symlink_to(new(tmp_path / "target"))
    assert unsafe_link(resolve(str(home / "link"))) is None
    give(home, STRANGER)
    assert unsafe_link(resolve(str(home / "link"))) is not None


@as_root
def test_root_follows_a_user_s_link_into_a_directory_of_the_same_user(tmp_path):
    home = new(tmp_path / "home", 0o755)
    target = new(home / "target")
    (home / "link").symlink_to("target")
    for path in (home, target, home / "link"):
        give(path, STRANGER)
    assert unsafe_link(resolve(str(home / "link"))) is None


def test_others_follow_the_links_they_can_follow():
    with place() as there:
        new(there / "target", 0o755)
        (there / "link").symlink_to("target")
        with without_root():
            assert unsafe_link(resolve(str(there / "link"))) is None


def test_no_more_entries_are_looked_at_than_asked_for(tmp_path):
    cache = new(tmp_path / "cache")
    for number in range(3):
        (cache / str(number)).write_bytes(b"")

    def told(most):
        (problem,) = problems(inspect(str(cache)), ME, None, most)
        return problem.message.count('"', problem.message.index("("))

    assert [told(1), told(2), told(3), told(None)] == [2, 4, 6, 6]


# Directories held open


def test_the_resolved_directory_is_held(tmp_path):
    new(tmp_path / "d")
    (tmp_path / "link").symlink_to("d")
    handle = open_resolved(resolve(str(tmp_path / "link" / "missing")))
    (tmp_path / "d").rename(tmp_path / "moved")
    try:
        assert os.path.samestat(os.fstat(handle), (tmp_path / "moved").stat())
    finally:
        os.close(handle)


def test_a_directory_that_may_only_be_entered_is_held_too():
    with place() as there:
        new(there / "d", 0o711)
        new(there / "d" / "e", 0o711)
        if ROOT:
            give(there / "d", 0)
        with without_root():
            os.close(open_resolved(resolve(str(there / "d" / "e"))))


@pytest.mark.parametrize("by", ["link", "directory", "file", "nothing"])
@pytest.mark.parametrize("part", ["a", "a/d"])
def test_another_directory_in_its_place_is_not_held(tmp_path, part, by):
    (tmp_path / "a" / "d").mkdir(parents=True)
    (tmp_path / "other" / "d").mkdir(parents=True)
    resolved = resolve(str(tmp_path / "a" / "d"))
    (tmp_path / part).rename(tmp_path / "moved")
    if by == "link":
        (tmp_path / part).symlink_to(tmp_path / "other")
    elif by == "directory":
        (tmp_path / "other").rename(tmp_path / part)
    elif by == "file":
        (tmp_path / part).write_bytes(b"")
    before = handles()
    with pytest.raises(OSError):  # noqa: PT011
        open_resolved(resolved)
    assert handles() == before


@as_root
def test_names_can_be_swapped_where_others_than_root_may_write(tmp_path):
    home = new(tmp_path / "home", 0o755)
    below = new(home / "d", 0o755)
    assert swappable(resolve(str(below))) is None
    home.chmod(0o1777)
    assert swappable(resolve(str(below))) is None
    # Beside a file in a sticky directory anyone may put another name.
    assert sentence(swappable(resolve(str(home)))) == 'other users can replace what is in "%s"' % home
    home.chmod(0o775)
    assert sentence(swappable(resolve(str(below)))) == 'other users can replace what is in "%s"' % home
    home.chmod(0o755)
    give(home, STRANGER)
    assert sentence(swappable(resolve(str(below)))) == 'other users can replace what is in "%s"' % home
    with without_root():
        assert swappable(resolve(str(below))) is None


def test_a_link_that_goes_to_and_fro_is_followed_with_each_directory_once(tmp_path):
    new(tmp_path / "x")
    (tmp_path / "l0").symlink_to("x/../" * 700 + "x")
    for number in range(1, 20):
        (tmp_path / ("l%d" % number)).symlink_to("l%d/../" % (number - 1) + "x/../" * 600 + "x")
    resolved = resolve(str(tmp_path / "l19"))
    assert (resolved.error, resolved.real) == (None, str(tmp_path / "x"))
    paths = [path for path, _status in resolved.visited]
    assert sorted(paths) == sorted(set(paths))
    assert len(paths) == len((tmp_path / "x").parts)


@pytest.mark.parametrize("name", ["+a", "-b", " ", "...", "..c", ".d"])
def test_only_two_dots_lead_above(tmp_path, name):
    (tmp_path / name).mkdir()
    assert resolve(str(tmp_path / name)).target == str(tmp_path / name)
    assert resolve("%s/%s/.." % (tmp_path, name)).target == str(tmp_path)
