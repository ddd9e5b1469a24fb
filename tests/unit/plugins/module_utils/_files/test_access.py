# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: compared with what the kernel allows, where it can be asked."""

from __future__ import annotations

import errno
import itertools
import os
import pwd
import stat

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import access as _access
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.access import (
    ENTER,
    READ,
    WRITE,
    Reason,
    certainly_may,
    everybody_may,
    group_name,
    has_acl,
    may,
    may_by_mode,
    others_may,
    planned_status,
    system_error,
    umask,
    user_name,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.acls import (
    ACCESS,
    DEFAULT,
    GROUP,
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
    handles,
    place,
    without_root,
)

ME = os.geteuid()
RIGHTS = (READ, WRITE, ENTER)
EFFECTIVE = os.access in os.supports_effective_ids


def allowed(path, right):
    """What the kernel says; its letters have the same numbers."""
    return os.access(str(path), right, effective_ids=EFFECTIVE)


# Names


def test_names_of_users_and_groups():
    assert (user_name(0), user_name(STRANGER), user_name(None)) == ("root", str(STRANGER), None)
    assert group_name(0) in ("root", "wheel")
    assert (group_name(STRANGER), group_name(None)) == (str(STRANGER), None)


@pytest.mark.parametrize("mask", [0o022, 0o077, 0, 0o027])
def test_the_umask_is_told_and_stays(mask):
    before = os.umask(mask)
    try:
        assert umask() == mask
        assert umask() == mask
    finally:
        assert os.umask(before) == mask


def test_nothing_that_is_made_while_the_umask_is_looked_at_is_open_to_others(monkeypatch):
    masks = [0o022]

    def change(mask):
        masks.append(mask)
        return masks[-2]

    monkeypatch.setattr(os, "umask", change)
    assert umask() == 0o022
    assert masks == [0o022, 0o077, 0o022]


def test_a_reason_has_its_values_and_its_cause():
    cause = system_error(OSError(errno.EIO, "broken"))
    assert repr(cause) == "system-error {'text': 'broken'}"
    assert repr(system_error(OSError("no number"))) == "system-error {'text': 'no number'}"
    found = Reason("at", path="/x").because(cause)
    assert (found.code, found.values) == ("at", {"path": "/x", "reason": cause})


# One user


@pytest.mark.parametrize("right", RIGHTS)
def test_root_may_everything(right):
    assert may("/no", 0, STRANGER, STRANGER, 0, right) is True
    assert may("/no", 0, STRANGER, None, 0, right) is True
    assert may_by_mode(0, STRANGER, STRANGER, 0, right) is True


@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize(
    ("uid", "gid", "shift"),
    [(STRANGER, STRANGER, 6), (STRANGER, NOBODY, 6), (0, 0, 0), (None, 0, 0)],
    ids=["owner", "owner in another group", "other", "owner to be created"],
)
def test_the_bits_of_one_class_count_and_no_others(right, uid, gid, shift):
    user = int(str(STRANGER))
    assert may("/no", right << shift, uid, gid, user, right)
    assert not may("/no", 0o777 & ~(right << shift), uid, gid, user, right)


@pytest.mark.parametrize("right", RIGHTS)
def test_the_groups_of_a_user_are_those_of_the_system(monkeypatch, right):
    class Entry:
        pw_name, pw_gid = "app", 7

    asked = []

    def groups(name, gid):
        asked.append((name, gid))
        return [7, 8]

    monkeypatch.setattr(pwd, "getpwuid", lambda uid: Entry)
    monkeypatch.setattr(os, "getgrouplist", groups)
    _access._groups_in_database.cache_clear()
    for gid in (7, 8):
        assert may("/no", right << 3, 0, gid, STRANGER, right)
        assert not may("/no", 0o777 & ~(right << 3), 0, gid, STRANGER, right)
    assert may("/no", right, 0, 9, STRANGER, right)
    # A directory service may take long to answer.
    assert asked == [("app", 7)]
    _access._groups_in_database.cache_clear()


@as_root
def test_the_groups_of_this_process_are_its_own():
    """A container's user is in no passwd, and sg gives a group that passwd does not know."""
    with without_root(STRANGER):
        assert may("/no", 0o040, 0, STRANGER, STRANGER, READ)
        assert not may("/no", 0o004, 0, STRANGER, STRANGER, READ)
    assert not may("/no", 0o040, 0, STRANGER, STRANGER, READ)
    groups = os.getgroups()
    os.setgroups([STRANGER + 1])
    try:
        os.seteuid(NOBODY)
        try:
            assert may("/no", 0o040, 0, STRANGER + 1, NOBODY, READ)
        finally:
            os.seteuid(0)
    finally:
        os.setgroups(groups)


def test_the_groups_of_this_process_count_for_itself(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    monkeypatch.setattr(os, "getgroups", lambda: [STRANGER + 1])
    for gid in (os.getegid(), STRANGER + 1):
        assert may("/no", 0o040, 0, gid, STRANGER, READ)
    assert not may("/no", 0o040, 0, STRANGER + 2, STRANGER, READ)
    # They are not those of others, whose numbers are smaller or larger.
    for other in (1, STRANGER + 3):
        assert not may("/no", 0o040, 0, STRANGER + 1, other, READ)


@pytest.mark.parametrize(("mode", "wanted"), [(0o040, True), (0o004, True), (0o400, False), (0, False)])
def test_a_group_to_be_created_may_be_one_of_the_user(mode, wanted):
    assert may("/no", mode, 0, None, STRANGER, READ) is wanted
    assert may("/no", mode, STRANGER, None, STRANGER, READ) is (mode == 0o400)


MODES = sorted(
    {a << 6 | b << 3 | c for a, b, c in itertools.product((0, 1, 2, 3, 4, 5, 6, 7), (0, 3, 5, 7), (0, 2, 5))}
)


@pytest.mark.parametrize("kind", ["file", "directory"])
@pytest.mark.parametrize(
    ("uid", "gid"),
    [(NOBODY, NOBODY), (NOBODY, 0), (0, NOBODY), (0, 0), (STRANGER, STRANGER)] if ROOT else [(ME, os.getegid())],
    ids=str,
)
def test_the_kernel_says_the_same(kind, uid, gid):
    user = NOBODY if ROOT else ME
    with place(ME) as there:
        path = there / "x"
        if kind == "file":
            path.write_bytes(b"")
        else:
            path.mkdir()
        if ROOT:
            os.chown(str(path), uid, gid)
        different = []
        for mode in MODES:
            path.chmod(mode)
            ours = [may(str(path), mode, uid, gid, user, right) for right in RIGHTS]
            with without_root():
                theirs = [allowed(path, right) for right in RIGHTS]
            if ours != theirs:
                different.append((oct(mode), ours, theirs))
        assert not different


@needs_acls
@as_root
@pytest.mark.parametrize(
    "extra",
    [[(USER, 7, NOBODY)], [(USER, 0, NOBODY)], [(GROUP, 5, NOBODY)], [(GROUP, 0, NOBODY)], [(USER, 7, STRANGER)]],
    ids=str,
)
def test_what_an_acl_may_give_is_not_ruled_out(extra):
    with place(0) as there:
        path = there / "x"
        path.write_bytes(b"")
        for mask, group, other in itertools.product((0, 4, 6, 7), (0, 7), (0, 4)):
            set_acl(path, ACCESS, *entries(mask, *extra, owner=6, group=group, other=other))
            mode = stat.S_IMODE(path.stat().st_mode)
            for right in RIGHTS:
                with without_root():
                    given = allowed(path, right)
                ours = may(str(path), mode, 0, 0, NOBODY, right)
                assert ours or not given
                # The mask is a limit for all but the owner and others.
                assert ours == bool((mask | other) & right)


@needs_acls
def test_an_acl_is_nothing_to_the_owner_and_to_root(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"")
    set_acl(path, ACCESS, *entries(7, (USER, 7, STRANGER)))
    assert not may(str(path), 0o470, NOBODY, 0, NOBODY, WRITE)
    assert may(str(path), 0o470, NOBODY, 0, NOBODY, READ)
    assert may(str(path), 0o070, NOBODY, 0, 0, WRITE)
    assert may(str(path), 0, NOBODY, 0, 0, WRITE)


def test_what_will_be_is_judged_like_what_is(tmp_path):
    path = str(tmp_path / "f")
    for mode, given in ((0o644, True), (0o640, False)):
        planned = planned_status(stat.S_IFREG | mode, ME, STRANGER)
        assert (stat.S_IMODE(planned.st_mode), planned.st_uid, planned.st_gid) == (mode, ME, STRANGER)
        assert told(path, planned) == (given, given, False)


@needs_acls
def test_a_file_keeps_its_acl_whatever_its_owner_and_mode_will_be(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"")
    set_acl(path, ACCESS, *entries(7, (USER, 0, STRANGER), group=4, other=4))
    assert told(path, planned_status(stat.S_IFREG | 0o644, NOBODY, 0, path.stat())) == (False, False, True)
    assert told(path, planned_status(stat.S_IFREG | 0o644, NOBODY, 0)) == (True, True, False)


# Others


@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize("mode", [0, 0o700, 0o070, 0o007, 0o077, 0o755, 0o711, 0o022, 0o1777])
def test_others_are_the_group_and_everybody(mode, right):
    assert others_may("/no", mode, ME, right) is bool((mode >> 3 | mode) & right)


def test_a_system_without_extended_attributes_has_no_acls(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "getxattr", raising=False)
    assert others_may(str(tmp_path), 0o722, ME, WRITE) is True
    assert others_may(str(tmp_path), 0o755, ME, WRITE) is False
    assert may(str(tmp_path), 0o700, ME, 0, STRANGER, WRITE) is False


@needs_acls
@pytest.mark.parametrize("right", RIGHTS)
@pytest.mark.parametrize("name", [ACCESS, DEFAULT])
def test_an_acl_gives_each_right_by_itself(tmp_path, name, right):
    path = tmp_path / "d"
    path.mkdir(0o700)
    set_acl(path, name, *entries(7, (USER, right, STRANGER)))
    for asked in RIGHTS:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert others_may(str(path), mode, ME, asked, below=True) is (asked == right)
        assert others_may(str(path), mode, ME, asked) is (asked == right and name == ACCESS)
        # The mode to be is the mask to be.
        assert others_may(str(path), 0o700, ME, asked, below=True) is (asked == right and name == DEFAULT)
    # What it gives to the owner, it gives to nobody else.
    assert others_may(str(path), 0o770 if name == ACCESS else 0o700, STRANGER, right, below=True) is False


@needs_acls
def test_the_acl_of_a_link_s_target_is_not_the_link_s(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "link").symlink_to("d")
    set_acl(tmp_path / "d", ACCESS, *entries(7, (USER, 7, STRANGER)))
    assert _access._acl(str(tmp_path / "d"), ACCESS) is not None
    assert _access._acl(str(tmp_path / "link"), ACCESS) is None


@as_root
@needs_acls
@pytest.mark.parametrize("mask", [0, 4, 7])
@pytest.mark.parametrize(
    "extra",
    [
        (),
        ((USER, 4, NOBODY),),
        ((USER, 0, NOBODY), (GROUP, 7, NOBODY)),
        ((USER, 7, STRANGER),),
        ((GROUP, 2, NOBODY), (GROUP, 4, 0)),
    ],
)
@pytest.mark.parametrize("gid", [0, NOBODY])
@pytest.mark.parametrize("other", [0, 5])
def test_what_a_user_certainly_may_is_what_the_kernel_allows(mask, extra, gid, other):
    with place(0) as there:
        path = there / "f"
        path.write_bytes(b"")
        os.chown(path, 0, gid)
        set_acl(path, ACCESS, *entries(mask, *extra, group=6, other=other))
        status = path.stat()
        found = [certainly_may(str(path), status, NOBODY, right) for right in RIGHTS]
        with without_root():
            real = [allowed(path, right) for right in RIGHTS]
        # Linux ignores an ACL whose mask is empty.
        assert found == real or (mask == 0 and not any(found))
        assert certainly_may(str(path), status, 0, WRITE)
        # Another file has the name by now.
        path.rename(there / "g")
        path.write_bytes(b"")
        assert not any(certainly_may(str(path), status, NOBODY, right) for right in RIGHTS)


# Certain rights of users and of everybody


def told(path, status, right=READ):
    """What is certain of a right to it: of a user who is not the owner, of everybody, and whether it may have an ACL."""
    return (
        certainly_may(str(path), status, STRANGER, right),
        everybody_may(str(path), status, right),
        has_acl(str(path), status),
    )


@pytest.mark.parametrize(
    ("mode", "given"),
    [
        (0o777, RIGHTS),
        (0o755, (READ, ENTER)),
        (0o077, RIGHTS),
        (0o745, (READ,)),
        (0o744, (READ,)),
        (0o766, (READ, WRITE)),
        (0o711, (ENTER,)),
        (0o770, ()),
        (0o707, ()),
    ],
)
def test_everybody_may_what_the_group_and_all_others_may(tmp_path, mode, given):
    path = tmp_path / "d"
    path.mkdir()
    path.chmod(mode)
    status = path.lstat()
    assert tuple(right for right in RIGHTS if everybody_may(str(path), status, right)) == given
    assert everybody_may(str(path), status, READ | ENTER) is ({READ, ENTER} <= set(given))


@pytest.mark.parametrize("error", [errno.ENODATA, errno.ENOTSUP])
def test_what_has_no_acl_is_judged_by_its_mode(tmp_path, monkeypatch, error):
    def refuse(*_arguments, **_options):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "getxattr", refuse, raising=False)
    path = tmp_path / "f"
    path.write_bytes(b"")
    path.chmod(0o644)
    assert told(path, path.lstat()) == (True, True, False)
    assert told(path, path.lstat(), WRITE) == (False, False, False)


def test_a_system_without_extended_attributes_judges_by_modes(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "getxattr", raising=False)
    path = tmp_path / "f"
    path.write_bytes(b"")
    path.chmod(0o644)
    assert told(path, path.lstat()) == (True, True, False)


@needs_acls
@pytest.mark.parametrize("error", [errno.EIO, errno.EACCES, errno.EPERM])
def test_nothing_is_certain_of_what_has_an_acl_that_cannot_be_read(tmp_path, monkeypatch, error):
    def refuse(*_arguments, **_options):
        raise OSError(error, os.strerror(error))

    path = tmp_path / "f"
    path.write_bytes(b"")
    path.chmod(0o666)
    status = path.lstat()
    before = handles()
    with monkeypatch.context() as patch:
        patch.setattr(os, "getxattr", refuse)
        assert told(path, status) == (False, False, True)
        # The owner and root need no ACL.
        assert certainly_may(str(path), status, ME, READ) is True
        of_another = os.stat_result([*status[:4], STRANGER, *status[5:10]])
        assert certainly_may(str(path), of_another, 0, ENTER) is True
        assert certainly_may(str(path), of_another, STRANGER, READ) is True
        assert certainly_may(str(path), of_another, STRANGER, ENTER) is False
    assert told(path, status) == (True, True, False)
    assert handles() == before


@needs_acls
def test_nothing_is_certain_of_what_has_another_name_by_now(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"")
    path.chmod(0o666)
    status = path.lstat()
    path.rename(tmp_path / "g")
    assert told(path, status) == (False, False, True)
    path.write_bytes(b"")
    path.chmod(0o666)
    assert told(path, status) == (False, False, True)
    path.unlink()
    path.symlink_to("g")
    assert told(path, status) == (False, False, True)
    assert has_acl(str(path), path.lstat()) is False
    assert told(tmp_path / "g", status) == (True, True, False)


@needs_acls
def test_what_nobody_may_open_has_an_acl_that_can_be_read():
    with place() as there:
        path = there / "f"
        path.write_bytes(b"")
        for mode in (0, 0o044):
            path.chmod(mode)
            with without_root():
                assert told(path, path.lstat()) == (bool(mode), bool(mode), False)
        os.mkfifo(str(there / "pipe"))
        assert has_acl(str(there / "pipe"), (there / "pipe").lstat()) is False
        set_acl(there / "pipe", ACCESS, *entries(7, (USER, 7, STRANGER)))
        assert told(there / "pipe", (there / "pipe").lstat()) == (True, False, True)


@needs_acls
@pytest.mark.parametrize("right", RIGHTS)
def test_everybody_may_what_an_acl_keeps_from_nobody(tmp_path, right):
    path = tmp_path / "f"
    path.write_bytes(b"")
    for user, group, mask, wanted in ((7, 7, 7, True), (7 - right, 7, 7, False), (7, 7 - right, 7, False)):
        set_acl(path, ACCESS, *entries(mask, (USER, user, STRANGER), group=group, other=right))
        assert everybody_may(str(path), path.stat(), right) is wanted
