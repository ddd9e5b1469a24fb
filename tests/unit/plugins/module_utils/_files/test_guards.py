# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where users can replace names, and what root leaves alone there."""

from __future__ import annotations

import os

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.guards import (
    moved,
    other_names,
    swappable,
    unsafe_link,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.path import resolve
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.reasons import sentence
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    STRANGER,
    as_root,
    give,
    new,
    without_root,
)

OTHER = STRANGER + 1
NOTHING = ""


@as_root
@pytest.mark.parametrize(
    ("link", "parent", "end", "user"),
    [
        (0, 0, 0, None),
        (0, 0, STRANGER, None),
        (STRANGER, 0, STRANGER, None),
        (0, STRANGER, STRANGER, None),
        (STRANGER, STRANGER, STRANGER, None),
        (STRANGER, 0, 0, STRANGER),
        (0, STRANGER, 0, STRANGER),
        (STRANGER, 0, OTHER, STRANGER),
        (0, STRANGER, OTHER, STRANGER),
        (STRANGER, OTHER, OTHER, STRANGER),
        (STRANGER, OTHER, STRANGER, OTHER),
    ],
)
def test_root_follows_links_of_a_user_only_into_directories_of_the_same_one(public, link, parent, end, user):
    links, target = new(public / "links", 0o755), new(public / "target", 0o755)
    (links / "link").symlink_to("../target")
    for path, uid in ((target, end), (links / "link", link), (links, parent)):
        give(path, uid)
    resolved = resolve(str(links / "link" / "missing"))
    wanted = NOTHING
    if user is not None:
        whose = "root" if end == 0 else str(end)
        wanted = '"%s" is a symbolic link of %d into "%s", which belongs to %s: root does not follow it' % (
            (links / "link", user, target, whose)
        )
    assert sentence(unsafe_link(resolved)) == wanted
    with without_root():
        assert unsafe_link(resolved) is None


@as_root
@pytest.mark.parametrize(
    ("mode", "names", "followed"),
    [(0o755, 1, True), (0o755, 2, True), (0o1777, 1, False), (0o1777, 2, False), (0o770, 1, True), (0o770, 2, False)],
)
def test_a_link_of_root_has_one_name_where_others_can_make_names(public, mode, names, followed):
    links = new(public / "links", mode)
    (links / "link").symlink_to(new(public / "target"))
    if names == 2:
        os.link(str(links / "link"), str(public / "other"), follow_symlinks=False)
    wanted = (
        '"%s" is a symbolic link with other names (hard links), and other users can create names in "%s": root does not'
        " follow it" % (links / "link", links)
    )
    if names == 1:
        wanted = '"%s" is a symbolic link that a user may have moved to "%s": root does not follow it' % (
            links / "link",
            links,
        )
    assert sentence(unsafe_link(resolve(str(links / "link")))) == (NOTHING if followed else wanted)


@as_root
@pytest.mark.parametrize(
    ("modes", "owners", "by_all", "by_others"),
    [
        # Of the directory above, and of the last one.
        ((0o755, 0o755), (0, 0), None, None),
        ((0o755, 0o755), (0, STRANGER), "above/below", None),
        ((0o755, 0o755), (STRANGER, STRANGER), "above", None),
        ((0o755, 0o755), (0, OTHER), "above/below", "above/below"),
        ((0o755, 0o755), (OTHER, STRANGER), "above", "above"),
        ((0o775, 0o755), (0, 0), "above", "above"),
        ((0o755, 0o775), (0, 0), "above/below", "above/below"),
        ((0o757, 0o755), (STRANGER, STRANGER), "above", "above"),
        ((0o755, 0o757), (STRANGER, STRANGER), "above", "above/below"),
        # What is in a sticky directory stays, but others can add a name to the last one.
        ((0o1777, 0o755), (0, 0), None, None),
        ((0o755, 0o1777), (0, 0), "above/below", "above/below"),
        ((0o1777, 0o755), (OTHER, 0), "above", "above"),
        ((0o755, 0o755), (1, 0), "above", "above"),
    ],
)
def test_where_others_than_root_or_than_an_owner_too_can_replace_names(public, modes, owners, by_all, by_others):
    above = new(public / "above")
    below = new(above / "below")
    file = below / "f"
    file.write_bytes(b"")
    for path, mode, uid in zip((above, below), modes, owners):
        give(path, uid)
        path.chmod(mode)

    def replaced_in(where):
        return 'other users can replace what is in "%s"' % (public / where) if where else NOTHING

    # However the directory is spelled.
    for spelled in (str(below), "%s/../below" % below):
        resolved = resolve(spelled)
        assert sentence(swappable(resolved, STRANGER)) == replaced_in(by_others)
        assert sentence(swappable(resolved)) == replaced_in(by_all)
    one = file.stat()
    assert other_names(resolved, one) is None
    os.link(str(file), str(public / "other"))
    two = file.stat()
    assert sentence(other_names(resolved, two)) == (
        replaced_in(by_all)
        and "it has other names (hard links), and %s; remove the other names, or become the owner of that directory with"
        " become_user"
        % replaced_in(by_all)
    )
    with without_root():
        assert swappable(resolved, STRANGER) is None
        assert other_names(resolved, two) is None
    # A file without a name has no other name either.
    with file.open("rb") as opened:
        file.unlink()
        (public / "other").unlink()
        assert other_names(resolved, os.fstat(opened.fileno())) is None


@as_root
@pytest.mark.parametrize("name", ["a", "z"])
def test_names_in_a_sticky_directory_that_the_path_leaves_again_stay(public, name):
    new(public / "d", 0o755)
    new(public / name, 0o1777)
    assert swappable(resolve("%s/%s/../d" % (public, name))) is None
    wanted = 'other users can replace what is in "%s"' % (public / name)
    assert sentence(swappable(resolve("%s/d/../%s" % (public, name)))) == wanted


@as_root
@pytest.mark.parametrize(
    ("mode", "above", "owner", "wanted"),
    [
        (0o755, 0, 0, True),
        (0o755, 0, STRANGER, True),
        (0o755, STRANGER, STRANGER, True),
        (0o755, STRANGER, 0, False),
        (0o755, OTHER, STRANGER, False),
        (0o1777, 0, STRANGER, True),
        (0o1777, OTHER, STRANGER, False),
        (0o775, 0, 0, False),
        (0o757, STRANGER, STRANGER, False),
    ],
)
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("own", [0o755, 0o777])
def test_a_directory_stays_where_only_root_and_its_owner_can_move_it(public, mode, above, owner, wanted, deep, own):
    folder = new(public / "above")
    path = folder
    if deep:
        path = new(path / "between", 0o755)
    path = new(path / "d", 0o777)
    give(path, owner)
    path.chmod(own)
    # Who may write in a directory can move it to another one, such as a sticky one.
    wanted = wanted and not (mode == 0o1777 and own == 0o777 and not deep)
    give(folder, above)
    folder.chmod(mode)
    reason = (
        "it belongs to %s and may have been moved there, as other users can replace what is in %s; find out who owned it"
        " before, or become its owner with become_user" % ("root" if owner == 0 else owner, '"%s"' % folder)
    )
    resolved = resolve(str(path))
    assert sentence(moved(resolved)) == (NOTHING if wanted else reason)
    with without_root():
        assert moved(resolved) is None
