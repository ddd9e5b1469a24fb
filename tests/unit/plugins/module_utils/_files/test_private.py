# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What root does not read or list for users who may not."""

from __future__ import annotations

import contextlib
import errno
import os

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.path import ANYONE, UNREACHED, resolve
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.private import (
    behind,
    leads_to_directory,
    open_behind,
    private,
    secret,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.reasons import sentence
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.acls import (
    ACCESS,
    USER,
    entries,
    needs_acls,
    set_acl,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    STRANGER,
    as_root,
    give,
    handles,
    new,
    place,
    without_root,
)

OTHER = STRANGER + 1
TEAM = STRANGER + 2
NOTHING = ""


def kept(path):
    """Why root must not read a file, in words."""
    return sentence(secret(str(path), resolve(str(path.parent)), path.stat()))


def as_given(path, owner, mode):
    os.chown(str(path), *owner)
    path.chmod(mode)


ROOTS, USERS, OF_TEAM = (0, 0), (STRANGER, STRANGER), (0, TEAM)


@as_root
@pytest.mark.parametrize(
    ("above", "below", "file", "where"),
    [
        # Whose the two directories and the file are, and their modes.
        ((ROOTS, 0o755), (ROOTS, 0o755), (ROOTS, 0o600), None),
        # The owner of a directory replaces what is in it, and may read what everybody may.
        ((USERS, 0o755), (ROOTS, 0o755), (ROOTS, 0o600), "above"),
        ((ROOTS, 0o755), (USERS, 0o755), (ROOTS, 0o600), "above/below"),
        ((USERS, 0o755), (USERS, 0o755), (ROOTS, 0o640), "above"),
        ((USERS, 0o755), (ROOTS, 0o755), (ROOTS, 0o604), None),
        ((USERS, 0o755), (ROOTS, 0o755), (USERS, 0o400), None),
        ((USERS, 0o755), (ROOTS, 0o755), (USERS, 0o244), "above"),
        ((USERS, 0o755), (ROOTS, 0o700), (USERS, 0o600), "above"),
        ((USERS, 0o755), (ROOTS, 0o700), (ROOTS, 0o604), "above"),
        ((ROOTS, 0o755), (USERS, 0o755), ((OTHER, OTHER), 0o600), "above/below"),
        # A user who cannot reach the directory replaces nothing in it.
        ((ROOTS, 0o700), (USERS, 0o755), (ROOTS, 0o600), None),
        ((ROOTS, 0o711), (USERS, 0o755), (ROOTS, 0o600), "above/below"),
        # So do others where they may write.
        ((ROOTS, 0o757), (ROOTS, 0o755), (ROOTS, 0o600), "above"),
        ((ROOTS, 0o755), (ROOTS, 0o757), (ROOTS, 0o600), "above/below"),
        ((ROOTS, 0o755), (USERS, 0o757), (USERS, 0o600), "above/below"),
        ((ROOTS, 0o700), (ROOTS, 0o757), (ROOTS, 0o600), None),
        ((ROOTS, 0o755), (ROOTS, 0o756), (ROOTS, 0o600), "above/below"),
        # A sticky directory keeps the names of directories, but a file can have left its other name there.
        ((ROOTS, 0o1777), (ROOTS, 0o755), (ROOTS, 0o600), None),
        ((ROOTS, 0o755), (ROOTS, 0o1777), (ROOTS, 0o600), "above/below"),
        # The group that may read it may replace it, too.
        ((ROOTS, 0o755), (OF_TEAM, 0o775), (OF_TEAM, 0o640), None),
        ((OF_TEAM, 0o775), (ROOTS, 0o755), (OF_TEAM, 0o640), None),
        ((ROOTS, 0o755), (OF_TEAM, 0o1775), (OF_TEAM, 0o640), None),
        ((ROOTS, 0o755), (OF_TEAM, 0o775), (OF_TEAM, 0o600), "above/below"),
        ((ROOTS, 0o755), (OF_TEAM, 0o775), (ROOTS, 0o640), "above/below"),
        ((ROOTS, 0o755), (OF_TEAM, 0o777), (OF_TEAM, 0o640), "above/below"),
        ((ROOTS, 0o755), (OF_TEAM, 0o757), (OF_TEAM, 0o640), "above/below"),
        ((ROOTS, 0o755), (OF_TEAM, 0o772), (OF_TEAM, 0o640), "above/below"),
        ((OF_TEAM, 0o775), (OF_TEAM, 0o777), (OF_TEAM, 0o640), "above/below"),
    ],
)
def test_a_file_is_secret_where_one_who_may_not_read_it_can_replace_it(public, above, below, file, where):
    paths = [new(public / "above"), new(public / "above" / "below"), public / "above" / "below" / "f"]
    paths[2].write_bytes(b"")
    for path, (owner, mode) in zip(paths, (above, below, file)):
        as_given(path, owner, mode)
    whose = "root" if file[0][0] == 0 else file[0][0]
    wanted = "it is a file of %s that other users may not read, and some of them can replace what is in %s" % (
        (whose, '"%s"' % (public / where)) if where else ("", "")
    )
    assert kept(paths[2]) == (wanted if where else NOTHING)
    # However the directory is spelled.
    resolved = resolve("%s/../below" % paths[1])
    assert sentence(secret(str(paths[2]), resolved, paths[2].stat())) == (wanted if where else NOTHING)


@as_root
@needs_acls
@pytest.mark.parametrize("on", ["file", "directory"])
def test_a_group_is_not_all_who_may_where_there_is_an_acl(public, on):
    folder = new(public / "d")
    as_given(folder, OF_TEAM, 0o775)
    path = folder / "f"
    path.write_bytes(b"")
    as_given(path, OF_TEAM, 0o640)
    assert kept(path) == NOTHING
    if on == "file":
        set_acl(path, ACCESS, *entries(4, (USER, 4, STRANGER), owner=6, group=4))
    else:
        set_acl(folder, ACCESS, *entries(7, (USER, 7, STRANGER), group=7, other=5))
    assert kept(path).endswith('some of them can replace what is in "%s"' % folder)


@as_root
def test_a_file_with_other_names_is_secret_where_others_can_give_names(public):
    folder = new(public / "d", 0o755)
    path = folder / "f"
    path.write_bytes(b"")
    os.link(str(path), str(public / "other"))
    for owner, of_directory, wanted in (
        (ROOTS, ROOTS, False),
        (USERS, ROOTS, False),
        (USERS, USERS, False),
        (ROOTS, USERS, True),
        ((OTHER, OTHER), USERS, True),
    ):
        as_given(path, owner, 0o644)
        as_given(folder, of_directory, 0o755)
        whose = "root" if owner[0] == 0 else owner[0]
        reason = 'it is a file of %s with other names (hard links), and other users can replace what is in "%s"'
        assert kept(path) == (reason % (whose, folder) if wanted else NOTHING)
    # A file without a name has no other name either.
    as_given(path, ROOTS, 0o600)
    with path.open("rb") as opened_file:
        path.unlink()
        (public / "other").unlink()
        found = secret(str(path), resolve(str(folder)), os.fstat(opened_file.fileno()))
    assert sentence(found) == (
        'it is a file of root that other users may not read, and some of them can replace what is in "%s"' % folder
    )


@as_root
@pytest.mark.parametrize("name", ["a", "z"])
def test_a_sticky_directory_that_the_path_leaves_again_holds_no_secret(public, name):
    path = new(public / "d", 0o755) / "f"
    path.write_bytes(b"")
    as_given(path, ROOTS, 0o600)
    new(public / name, 0o1777)
    assert secret(str(path), resolve("%s/%s/../d" % (public, name)), path.stat()) is None


@as_root
def test_nothing_is_read_or_listed_behind_the_link_of_another_user(public):
    target = new(public / "d", 0o755)
    (target / "f").write_bytes(b"")
    link = public / "link"
    link.symlink_to("d")
    for uid in (0, STRANGER):
        give(link, uid)
        wanted = '"%s" is a symbolic link of %d into "%s", which belongs to root: root does not follow it' % (
            (link, uid, target)
        )
        assert sentence(secret(str(target / "f"), resolve(str(link)), (target / "f").stat())) == (wanted if uid else "")
        for chosen_by in (None, UNREACHED):
            assert sentence(private(resolve(str(link)), chosen_by)) == (wanted if uid else "")
        assert bool(private(resolve(str(link)), STRANGER)) is True


@as_root
@pytest.mark.parametrize(
    ("above", "mode", "owner", "chosen_by", "listed"),
    [
        (0, 0o755, STRANGER, STRANGER, True),
        (STRANGER, 0o700, STRANGER, STRANGER, True),
        (0, 0o711, STRANGER, STRANGER, True),
        (0, 0o700, STRANGER, STRANGER, False),
        (OTHER, 0o700, STRANGER, STRANGER, False),
        (0, 0o755, 0, STRANGER, False),
        (STRANGER, 0o755, OTHER, STRANGER, False),
        (0, 0o755, 1, STRANGER, False),
        (0, 0o755, STRANGER, ANYONE, False),
        (0, 0o755, 0, ANYONE, False),
        (0, 0o755, 0, None, True),
        (0, 0o755, OTHER, UNREACHED, True),
    ],
)
def test_a_directory_is_listed_for_its_owner_who_chose_it(public, above, mode, owner, chosen_by, listed):
    folder = new(public / "above")
    give(new(folder / "d", 0o711), owner)
    give(folder, above)
    folder.chmod(mode)
    found = private(resolve(str(folder / "d")), chosen_by)
    wanted = NOTHING
    if not listed:
        wanted = "%s can write to the config that names it but cannot list it" % (
            "users other than root" if chosen_by == ANYONE else chosen_by
        )
    assert sentence(found) == wanted


# Behind a link in an open directory


@contextlib.contextmanager
def opened(path):
    handle = os.open(str(path), os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


def outcome(name, directory):
    """Whether a link leads to a directory, and what is listed there, or the error."""
    before = handles()
    leads = leads_to_directory(name, directory)
    try:
        handle = open_behind(name, directory)
    except OSError as error:
        assert handles() == before
        return leads, error.errno
    try:
        assert len(handles()) == len(before) + bool(before)
        return leads, sorted(os.listdir(handle))  # noqa: PTH208
    finally:
        os.close(handle)


@pytest.mark.parametrize(
    ("target", "wanted", "of_root"),
    [
        ("d", (True, ["e"]), None),
        ("d/e", (True, []), None),
        (".", (True, ["d", "f", "link"]), None),
        ("f", (False, errno.ENOTDIR), (False, errno.ENOENT)),
        ("gone", (False, errno.ENOENT), None),
        ("d/gone", (False, errno.ENOENT), None),
        ("link", (False, errno.ELOOP), (False, errno.ENOENT)),
        # Deep below what is missing, the kernel finds nothing; what leads back does not help.
        ("gone/../d", (False, errno.ENOENT), None),
    ],
)
def test_a_link_in_an_open_directory_leads_where_the_kernel_leads(target, wanted, of_root):
    with place(os.geteuid()) as there:
        new(new(there / "d", 0o755) / "e", 0o755)
        (there / "f").write_bytes(b"")
        (there / "link").symlink_to(target)
        with opened(there) as handle:
            assert outcome("link", handle) == (of_root if of_root and os.geteuid() == 0 else wanted)
            with without_root():
                assert outcome("link", handle) == wanted


@as_root
@pytest.mark.parametrize(
    ("owner", "mode", "parent", "link", "shown"),
    [
        # The directory behind it, and who has made the link.
        (0, 0o755, 0o755, STRANGER, True),
        (0, 0o755, 0o711, STRANGER, True),
        (OTHER, 0o755, 0o755, STRANGER, True),
        (0, 0o750, 0o755, STRANGER, False),
        (0, 0o711, 0o755, STRANGER, False),
        (0, 0o754, 0o755, STRANGER, False),
        (0, 0o755, 0o710, STRANGER, False),
        (0, 0o755, 0o700, STRANGER, False),
        (OTHER, 0o700, 0o755, STRANGER, False),
        (STRANGER, 0o700, 0o755, STRANGER, True),
        (STRANGER, 0o700, 0o700, STRANGER, False),
        (STRANGER, 0o700, 0o700, 0, True),
        (0, 0o700, 0o700, 0, True),
    ],
)
def test_what_root_shows_behind_a_link_is_what_its_owner_may_see(public, owner, mode, parent, link, shown):
    target = new(new(public / "parent") / "d")
    (target / "x").write_bytes(b"")
    give(target, owner)
    target.chmod(mode)
    target.parent.chmod(parent)
    links = new(public / "links", 0o755)
    (links / "link").symlink_to(target)
    give(links / "link", link)
    with opened(links) as handle:
        assert outcome("link", handle) == (True, ["x"] if shown else errno.EACCES)
        assert behind("link", handle).links[0][0] == str(links / "link")


@as_root
def test_what_a_user_may_not_see_is_no_directory_to_others_than_root(public):
    closed = new(public / "closed", 0o700)
    new(closed / "d")
    (closed / "f").write_bytes(b"")
    links = new(public / "links", 0o755)
    for name in ("d", "f", "gone"):
        (links / name).symlink_to("../closed/%s" % name)
        give(links / name, STRANGER)
    with opened(links) as handle:
        # Root does not tell what is there.
        assert [outcome(name, handle) for name in ("d", "f", "gone")] == [(True, errno.EACCES)] * 3
        with without_root():
            assert [outcome(name, handle) for name in ("d", "f", "gone")] == [(False, errno.EACCES)] * 3


def test_what_is_asked_of_a_handle_that_is_closed_leads_nowhere(tmp_path):
    handle = os.open(str(tmp_path), os.O_RDONLY)
    os.close(handle)
    assert leads_to_directory("link", handle) is False
