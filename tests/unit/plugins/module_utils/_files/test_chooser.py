# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who chooses the cache directory by writing the config, and on which of these choices root acts."""

from __future__ import annotations

import os

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.chooser import chooser, chosen, not_theirs
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.config_file import resolve_file
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.path import ANYONE, UNREACHED, resolve
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.reasons import sentence
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.acls import (
    ACCESS,
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
    new,
    without_root,
)

OTHER = STRANGER + 1


def writer(path):
    """Who besides root can write this config."""
    return chooser(resolve_file(str(path)), path.stat() if path.exists() else None)


@as_root
@pytest.mark.parametrize(
    ("modes", "owners", "exists", "wanted"),
    [
        # The modes and owners of two directories and the file.
        ((0o755, 0o755, 0o644), (0, 0, 0), True, None),
        ((0o755, 0o755, 0o644), (0, 0, 0), False, None),
        ((0o755, 0o755, 0o644), (0, 0, STRANGER), True, STRANGER),
        ((0o755, 0o755, 0o644), (0, STRANGER, 0), True, STRANGER),
        ((0o755, 0o755, 0o644), (STRANGER, 0, 0), False, STRANGER),
        ((0o755, 0o755, 0o644), (STRANGER, STRANGER, STRANGER), True, STRANGER),
        ((0o755, 0o755, 0o644), (0, OTHER, STRANGER), True, ANYONE),
        ((0o755, 0o755, 0o664), (0, 0, 0), True, ANYONE),
        ((0o755, 0o755, 0o646), (STRANGER, STRANGER, STRANGER), True, ANYONE),
        ((0o755, 0o777, 0o644), (0, 0, 0), True, ANYONE),
        ((0o755, 0o770, 0o644), (0, STRANGER, STRANGER), True, ANYONE),
        ((0o777, 0o755, 0o644), (0, 0, 0), True, ANYONE),
        # In a sticky directory, others can only make what is not there, and may have moved the file there.
        ((0o755, 0o1777, 0o644), (0, 0, 0), True, ANYONE),
        ((0o755, 0o1777, 0o644), (0, 0, STRANGER), True, ANYONE),
        ((0o755, 0o1777, 0o644), (0, 0, 0), False, ANYONE),
        ((0o1777, 0o755, 0o644), (0, 0, 0), True, None),
        ((0o1777, 0o755, 0o644), (0, 0, 0), False, None),
        # A user who cannot reach the directory can do none of this.
        ((0o700, 0o777, 0o644), (0, 0, 0), True, UNREACHED),
        ((0o700, 0o1777, 0o644), (0, 0, 0), False, UNREACHED),
        ((0o755, 0o700, 0o666), (0, 0, 0), True, UNREACHED),
        ((0o700, 0o755, 0o666), (0, 0, 0), True, UNREACHED),
        ((0o700, 0o777, 0o666), (0, 0, 0), True, UNREACHED),
        ((0o700, 0o777, 0o644), (0, 0, STRANGER), True, ANYONE),
        ((0o700, 0o755, 0o666), (0, 0, STRANGER), True, ANYONE),
    ],
)
def test_who_can_write_a_config_by_modes_and_owners(public, modes, owners, exists, wanted):
    above = new(public / "above")
    below = new(above / "below")
    config = below / "config.toml"
    config.write_bytes(b"")
    for path, mode, owner in zip((above, below, config), modes, owners):
        give(path, owner)
        path.chmod(mode)
    if not exists:
        config.unlink()
    seen = config.stat() if exists else None
    # However the directory is spelled.
    for spelled in (str(config), "%s/../below/config.toml" % below):
        found = resolve_file(spelled)
        assert chooser(found, seen) == wanted
        with without_root():
            assert chooser(found, seen) is None


@as_root
def test_a_file_that_others_may_write_can_be_reached_by_another_name(public):
    above = new(public / "above", 0o700)
    config = above / "config.toml"
    for mode, alone, linked in ((0o644, None, None), (0o646, UNREACHED, ANYONE)):
        config.write_bytes(b"")
        config.chmod(mode)
        assert writer(config) == alone
        os.link(str(config), str(public / "other"))
        assert writer(config) == linked
        (public / "other").unlink()


@as_root
def test_a_user_who_moves_a_file_of_root_to_a_sticky_directory_chooses_by_it(public):
    theirs = new(public / "theirs")
    (theirs / "config.toml").write_bytes(b"")
    give(theirs, STRANGER)
    sticky = new(public / "sticky", 0o1777)
    assert writer(theirs / "config.toml") == STRANGER
    with without_root(STRANGER):
        (theirs / "config.toml").rename(sticky / "config.toml")
    assert (sticky / "config.toml").stat().st_uid == 0
    assert writer(sticky / "config.toml") == ANYONE


@as_root
@pytest.mark.parametrize(("mode", "wanted"), [(0o755, None), (0o1777, ANYONE)])
def test_who_moves_a_link_of_root_to_a_sticky_directory_chooses_by_it(public, mode, wanted):
    (public / "config.toml").write_bytes(b"")
    (new(public / "links", mode) / "link").symlink_to("../config.toml")
    assert writer(public / "links" / "link") == wanted


@as_root
@pytest.mark.parametrize(
    ("link", "parent", "wanted"),
    [(0, 0, None), (STRANGER, 0, STRANGER), (0, STRANGER, STRANGER), (STRANGER, OTHER, ANYONE)],
)
def test_who_owns_a_link_or_its_directory_chooses(public, link, parent, wanted):
    (public / "config.toml").write_bytes(b"")
    above = new(public / "links", 0o755)
    (above / "link").symlink_to("../config.toml")
    give(above / "link", link)
    give(above, parent)
    if parent == 0 or link in (0, parent):
        assert writer(above / "link") == wanted
    else:
        assert chooser(resolve_file(str(above / "link")), None) == wanted


@as_root
@pytest.mark.parametrize("name", ["a", "z"])
def test_a_sticky_directory_that_the_path_leaves_again_does_not_choose(public, name):
    """Others can make a file there, but not the config."""
    new(public / "d", 0o755)
    new(public / name, 0o1777)
    assert chooser(resolve_file("%s/%s/../d/config.toml" % (public, name)), None) is None
    assert chooser(resolve_file("%s/d/../%s/config.toml" % (public, name)), None) == ANYONE


HOME_OF = "it is not in a directory of %d" % STRANGER


@as_root
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("home/cache", ""),
        ("home/cache/deep", ""),
        ("home/missing", ""),
        ("home/missing/deep", ""),
        ("home/cache/missing", ""),
        ("sticky/home/missing", ""),
        ("", HOME_OF),
        ("missing", HOME_OF),
        ("home", HOME_OF),
        ("root", HOME_OF),
        ("open/home/missing", 'other users can replace what is in "{0}/open"'),
        ("shared/home/missing", 'other users can replace what is in "{0}/shared"'),
        ("home/root/missing", '"{0}/home/root" belongs to root'),
        ("home/root/back/missing", '"{0}/home/root" belongs to root'),
        ("home/other", '"{0}/home/other" belongs to %d' % OTHER),
        ("other/home/missing", '"{0}/other" belongs to %d' % OTHER),
    ],
)
def test_root_acts_only_below_a_directory_of_the_user_who_chooses(public, name, reason):
    for made, mode, uid in (
        ("home", 0o755, STRANGER),
        ("home/cache", 0o777, STRANGER),
        ("home/cache/deep", 0o755, STRANGER),
        ("home/other", 0o755, OTHER),
        ("home/root", 0o755, 0),
        ("home/root/back", 0o755, STRANGER),
        ("root", 0o755, 0),
        ("open", 0o777, 0),
        ("open/home", 0o755, STRANGER),
        ("shared", 0o770, 0),
        ("shared/home", 0o755, STRANGER),
        ("sticky", 0o1777, 0),
        ("sticky/home", 0o755, STRANGER),
        ("other", 0o755, OTHER),
        ("other/home", 0o755, STRANGER),
    ):
        give(new(public / made, 0o755), uid)
        (public / made).chmod(mode)
    resolved = resolve(str(public / name))
    wanted = reason.format(public)
    assert sentence(not_theirs(resolved, STRANGER)) == wanted
    whole = (
        '%d can write to the config and so choose the directory "/x", on which root does not act: %s; name it in directory'
        " if it is the right one, or become the user of the cache with become_user" % (STRANGER, wanted)
    )
    assert sentence(chosen(resolved, "/x", STRANGER)) == (whole if reason else "")


def test_several_users_have_no_directory_of_their_own(public):
    resolved = resolve(str(public))
    for several in (ANYONE, UNREACHED):
        found = not_theirs(resolved, several)
        assert found is not None
        if ROOT:
            assert sentence(found) == "it is not in a directory that belongs to one user"


@as_root
@needs_acls
@pytest.mark.parametrize(("user", "reason"), [(1, True), (NOBODY, True), (STRANGER, True), (0, False)])
def test_an_acl_that_lets_anybody_but_root_replace_names_counts(public, user, reason):
    above = new(public / "above", 0o755)
    give(new(above / "home", 0o755), STRANGER)
    set_acl(above, ACCESS, *entries(7, (USER, 7, user), group=5, other=5))
    wanted = 'other users can replace what is in "%s"' % above if reason else ""
    assert sentence(not_theirs(resolve(str(above / "home" / "missing")), STRANGER)) == wanted
