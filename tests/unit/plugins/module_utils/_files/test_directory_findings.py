# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found wrong with a cache directory, all of it and nothing else."""

from __future__ import annotations

import contextlib
import errno
import os

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import directory as _directory
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.access import Reason, user_name
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.directory import (
    UNCOUNTED,
    findings,
    hidden,
    inspect,
    led_by,
    not_dedicated,
    resolve_directory,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.path import ANYONE, UNREACHED, resolve
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.reasons import sentence
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.acls import (
    DEFAULT,
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
    place,
    without_root,
)

ME = os.geteuid()
OTHER = STRANGER + 1
ENTRY = "A" * 43
COMPILER = "modules/wasmtime-1/"


def found(path, user=ME, owner=None, **more):
    """The names of what is wrong, with their paths, users and reasons."""
    state = path if isinstance(path, _directory.State) else inspect(str(path), more.get("chosen_by"))
    return [
        (name, [sentence(value) if isinstance(value, Reason) else value for value in values])
        for name, values in findings(state, user, owner, **more)
    ]


def fill(top, *names):
    """Files of these names; a directory for a name that ends with a slash."""
    for name in names:
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.write_bytes(b"")


def test_what_is_not_there_has_no_owner_and_no_mode(tmp_path):
    there = inspect(str(tmp_path))
    nothing = {"path": str(tmp_path), "exists": False, "owner": None, "group": None, "mode": None}
    assert there._replace(exists=False).as_dict() == nothing
    assert there._replace(mode=0o7).as_dict()["mode"] == "0007"
    # What is to be there can have a mode that nobody knows yet.
    assert there._replace(mode=None).as_dict()["mode"] is None


# Names


@pytest.mark.parametrize(
    ("name", "own"),
    [
        (ENTRY, True),
        ("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ", True),
        ("RSTUVWXYZ0123456789-_0123456789-_0123456789", True),
        (ENTRY + ".stats", True),
        (ENTRY + ".wip-", True),
        (ENTRY + ".wip-1", True),
        (ENTRY[1:], False),
        (ENTRY + "A", False),
        (ENTRY + ".", False),
        (ENTRY + ".stat", False),
        (ENTRY + ".stats.", False),
        (ENTRY + ".wip", False),
        (ENTRY + "x.stats", False),
        (ENTRY[1:] + ".stats", False),
        (ENTRY[2:] + ".wip-1", False),
        *((ENTRY[1:] + letter, False) for letter in "+=.,~ \u00e4"),
        *((letter + ENTRY[1:], False) for letter in "+=.,~ \u00e4"),
    ],
)
def test_a_cached_module_has_a_name_of_43_letters_and_what_belongs_to_it_an_ending(tmp_path, name, own):
    fill(tmp_path, COMPILER + name)
    assert found(tmp_path) == ([] if own else [("stray", [COMPILER + name])])


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ((".cleanup.wip-1", COMPILER + ENTRY), []),
        ((".cleanup.wip-", "modules/"), []),
        (("cleanup.wip-1",), [("foreign", ["cleanup.wip-1"])]),
        (("modules/.cleanup.wip-1",), [("foreign", ["modules/.cleanup.wip-1"])]),
        ((COMPILER + ".cleanup.wip-1",), [("stray", [COMPILER + ".cleanup.wip-1"])]),
        (("other/x/",), [("foreign", ["other/x/y"])]),
        (("x/wasmtime-1/" + ENTRY,), [("foreign", ["x/wasmtime-1/" + ENTRY])]),
        (("modules/wasmtime/" + ENTRY,), [("foreign", ["modules/wasmtime/" + ENTRY])]),
        ((COMPILER + ENTRY + "/",), [("foreign", [COMPILER + ENTRY, UNCOUNTED])]),
        ((COMPILER + "a/b/c",), [("foreign", [COMPILER + "a", UNCOUNTED])]),
        # Empty directories are no files.
        (("other/", "modules/x/"), []),
    ],
)
def test_what_is_not_the_engine_s_is_named_down_to_three_parts(tmp_path, names, wanted):
    fill(tmp_path, *names)
    if names == ("other/x/",):
        fill(tmp_path, "other/x/y")
    assert found(tmp_path) == wanted


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("used", [True, False])
def test_up_to_three_files_are_strays_in_a_cache_in_use(tmp_path, number, used):
    names = [str(n) for n in range(number)]
    fill(tmp_path, *names, COMPILER if used else "modules/")
    ((name, values),) = found(tmp_path)
    assert (name, sorted(values)) == ("stray" if used and number <= 3 else "foreign", names)


@pytest.mark.parametrize(("most", "values"), [(1, 1), (2, 2), (3, 3), (4, 3), (None, 3)], ids=str)
def test_what_is_not_looked_at_is_not_counted(tmp_path, most, values):
    fill(tmp_path, "a", "b", "c")
    (tmp_path / "a").chmod(0o666)
    tmp_path.chmod(0o755)
    more = [UNCOUNTED] if most in (1, 2) else []
    ((name, foreign), *exposed) = found(tmp_path, most=most)
    assert (name, len(foreign), foreign[values:]) == ("foreign", values + len(more), more)
    if most is None or most > 2:
        assert exposed == [("exposed", ["a", *more])]
    # A part of what is in a cache in use is no proof that the rest is the engine's.
    fill(tmp_path, COMPILER + "x")
    assert {name for name, _values in found(tmp_path, most=4)} == {"foreign", "exposed"}


@pytest.mark.parametrize(("most", "values", "more"), [(299, 299, 1), (300, 300, 0), (301, 300, 0)])
def test_as_many_files_are_looked_at_as_are_asked_for(tmp_path, most, values, more):
    fill(tmp_path, *map(str, range(300)))
    ((name, foreign),) = found(tmp_path, most=most)
    assert (name, len(foreign), foreign[values:]) == ("foreign", values + more, [UNCOUNTED] * more)


@pytest.mark.parametrize(("most", "values", "more"), [(3, 20, 1), (4, 27, 0)])
def test_of_ten_full_directories_all_is_looked_at(tmp_path, most, values, more):
    fill(tmp_path, *("%d/%d/%d" % (top, below, last) for top in range(3) for below in range(3) for last in range(3)))
    ((name, foreign),) = found(tmp_path, most=most)
    assert (name, len(foreign), foreign[values:]) == ("foreign", values + more, [UNCOUNTED] * more)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("config.toml", True),
        ("a/config.toml", True),
        ("a/b/config.toml", True),
        ("a/b/c/config.toml", True),
        ("a/b/c/d/config.toml", True),
        ("a/b", False),
    ],
)
@pytest.mark.parametrize("folder", ["d", "dx"])
def test_the_config_in_the_cache_is_told_once(tmp_path, folder, name, known):
    top = new(tmp_path / folder)
    config = top / (name if known else name + "/config.toml")
    fill(top, str(config.relative_to(top)))
    # Not the one beside it, nor in another of a similar name.
    names = [str(tmp_path / "beside.toml"), str(tmp_path / "dd" / "f"), str(tmp_path / "link"), str(config)]
    assert found(top, config=names) == [("config", [str(config)])]
    assert found(top, config=names[:3]) != []
    # A link to it in the cache is another name of the same file, which is not reported again.
    assert found(top, config=[str(top / "gone"), *names]) == [("config", [str(config)])]
    assert found(top, config=[]) == found(top, config=names[:3])
    (config.parent / "other").write_bytes(b"")
    parts = str((config.parent / "other").relative_to(top)).split("/")
    wanted = [] if len(parts) > 3 else [("foreign", ["/".join(parts)])]
    assert found(top, config=names) == [("config", [str(config)]), *wanted]


def test_a_cache_in_the_place_of_the_config_is_not_hidden_by_it(tmp_path):
    fill(tmp_path, "d/config.toml/x")
    config = str(tmp_path / "d" / "config.toml")
    assert found(tmp_path / "d", config=[config]) == [
        ("config", [config]),
        ("foreign", ["config.toml/x"]),
    ]


@pytest.mark.parametrize(
    ("mode", "told"), [(0o755, False), (0o711, False), (0o745, False), (0o644, False), (0o620, True), (0o602, True)]
)
def test_a_file_that_others_can_write_is_exposed(tmp_path, mode, told):
    fill(tmp_path, COMPILER + ENTRY)
    tmp_path.chmod(0o755)
    (tmp_path / COMPILER / ENTRY).chmod(mode)
    assert found(tmp_path) == ([("exposed", [COMPILER + ENTRY])] if told else [])


@pytest.mark.parametrize(("fails", "left"), [("", []), ("a", ["b/x"]), ("b", ["a/x"])])
def test_what_cannot_be_listed_is_no_reason_to_stop_looking(tmp_path, monkeypatch, fails, left):
    fill(tmp_path, "a/x", "b/x")
    inode = (tmp_path / fails).stat().st_ino
    real = os.scandir

    def fail(handle):
        if os.fstat(handle).st_ino == inode:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(handle)

    monkeypatch.setattr(os, "scandir", fail)
    assert found(tmp_path) == ([("foreign", left)] if left else [])


def test_what_is_in_another_directory_of_the_same_name_is_not_told(tmp_path):
    path = new(tmp_path / "d")
    fill(path, "foreign")
    state = inspect(str(path))
    assert found(state) == [("foreign", ["foreign"])]
    path.rename(tmp_path / "old")
    fill(path, "other")
    assert found(state) == []


# Places


@pytest.mark.parametrize(
    ("path", "dedicated"),
    [
        ("/", False),
        ("/var/cache", False),
        ("/dev/shm", False),
        ("/run/user", False),
        ("/private/tmp", False),
        ("/home/app", False),
        ("/Users/app", False),
        ("/home/app/cache", True),
        ("/Users/app/cache", True),
        ("/srv/home/app", True),
        ("/var/cache/wasmtime", True),
        ("/tmp/x", True),
    ],
)
def test_directories_of_the_system_and_homes_are_not_dedicated(path, dedicated):
    assert not_dedicated(path, set()) is not dedicated
    assert not_dedicated(path, {None, STRANGER}) is not dedicated


def test_the_home_of_each_user_is_one_whatever_passwd_lacks(monkeypatch):
    class Entry:
        pw_dir = "/srv/app/"

    def entry(uid):
        if uid != 7:
            raise KeyError(uid)
        return Entry

    monkeypatch.setattr("pwd.getpwuid", entry)
    homes: list[set[int | None]] = [{7}, {7, 8}, {8, 9, 7, None}, set(range(20))]
    for users in homes:
        assert not_dedicated("/srv/app", users) is True
        for other in ("/srv/app/cache", "/srv/aa", "/srv/b"):
            assert not_dedicated(other, users) is False
    assert not_dedicated("/srv/app", {8, None}) is False


@as_root
@pytest.mark.parametrize(
    ("mode", "uid", "kept"),
    [
        (0o700, 0, True),
        (0o1700, 0, True),
        (0o710, 0, False),
        (0o701, 0, False),
        (0o755, 0, False),
        (0o700, NOBODY, False),
    ],
)
def test_the_private_directories_of_systemd_are_known_where_only_root_can_enter(public, monkeypatch, mode, uid, kept):
    private = new(public / "private")
    cache = new(private / "app", 0o755)
    give(cache, STRANGER)
    give(private, uid)
    private.chmod(mode)
    monkeypatch.setattr(_directory, "_UNITS", ("/no", str(private)))
    (public / "link").symlink_to("private/app")
    for name in ("link", "private/app", "private/new"):
        assert (("dynamic-user", [str(private)]) in found(public / name, 0, NOBODY)) is kept
    if kept:
        # Nothing else is wrong with a directory of other users.
        assert found(public / "link", 0, STRANGER) == [("dynamic-user", [str(private)])]
        assert found(public / "link", 0, NOBODY) == [("dynamic-user", [str(private)])]
        for path in (public / "link", "%s/../private/app" % private):
            with without_root():
                assert found(path, NOBODY) == [("dynamic-user", [str(private)])]
    else:
        monkeypatch.setattr(_directory, "_UNITS", ())
        with_nothing_known = found(public / "link", 0, NOBODY)
        monkeypatch.setattr(_directory, "_UNITS", (str(private),))
        assert found(public / "link", 0, NOBODY) == with_nothing_known


# Who may do what


@as_root
@pytest.mark.parametrize(
    ("modes", "owners", "exists", "wanted"),
    [
        # Of a directory above and of the one above the cache, which is to be the stranger's.
        ((0o755, 0o755), (0, 0), True, []),
        ((0o755, 0o755), (STRANGER, STRANGER), True, []),
        ((0o755, 0o755), (STRANGER, OTHER), True, ['"{1}" belongs to %d' % OTHER]),
        ((0o755, 0o755), (OTHER, OTHER), True, ['"{0}" belongs to %d' % OTHER, '"{1}" belongs to %d' % OTHER]),
        ((0o777, 0o755), (0, 0), True, ['other users can write to "{0}"']),
        ((0o777, 0o775), (0, 0), True, ['other users can write to "{0}"', 'other users can write to "{1}"']),
        # A directory of another user is named once.
        ((0o777, 0o755), (OTHER, 0), True, ['"{0}" belongs to %d' % OTHER]),
        ((0o1777, 0o1777), (0, 0), True, []),
        ((0o1777, 0o755), (0, STRANGER), False, []),
        ((0o1777, 0o1777), (0, 0), False, ['any user can create it first in "{1}"']),
        ((0o777, 0o1777), (0, 0), False, ['other users can write to "{0}"', 'any user can create it first in "{1}"']),
        ((0o755, 0o777), (0, 0), False, ['other users can write to "{1}"']),
    ],
)
def test_who_can_replace_the_directory(public, modes, owners, exists, wanted):
    above = new(public / "above")
    below = new(above / "below")
    if exists:
        give(new(below / "d"), STRANGER)
    for path, mode, uid in zip((above, below), modes, owners):
        give(path, uid)
        path.chmod(mode)
    reasons = [text.format(above, below) for text in wanted]
    replaceable = [("replaceable", reasons)] if reasons else []
    assert [entry for entry in found(below / "d", 0, STRANGER) if entry[0] == "replaceable"] == replaceable
    # However it is spelled.
    state = inspect("%s/../below/d/." % below)
    assert [entry for entry in found(state, 0, STRANGER) if entry[0] == "replaceable"] == replaceable
    # The last directory above it that is there counts, and not one that is still to be made.
    if not exists:
        deep = [entry for entry in found(below / "d" / "e", 0, STRANGER) if entry[0] == "replaceable"]
        assert deep == replaceable


@pytest.mark.parametrize("name", ["a", "z"])
def test_a_sticky_directory_that_the_path_leaves_again_lets_nobody_create_it(public, name):
    new(public / "d", 0o755)
    new(public / name, 0o1777)
    assert found("%s/%s/../d/missing" % (public, name)) == []
    created = [("replaceable", ['any user can create it first in "%s"' % (public / name)])]
    assert found("%s/d/../%s/missing" % (public, name)) == created


@as_root
@pytest.mark.parametrize(("uid", "wanted"), [(0, False), (STRANGER, False), (OTHER, True)])
def test_who_can_replace_a_link_can_replace_the_directory(public, uid, wanted):
    give(new(public / "d"), STRANGER)
    (public / "link").symlink_to("d")
    give(public / "link", uid)
    reason = 'the symbolic link "%s" belongs to %d' % (public / "link", uid)
    state = inspect(str(public / "link"))
    assert [entry for entry in found(state, 0, STRANGER) if entry[0] == "replaceable"] == (
        [("replaceable", [reason])] if wanted else []
    )


@as_root
@pytest.mark.parametrize(
    ("uid", "user", "owner", "wanted"),
    [
        (0, 0, None, None),
        (0, 0, STRANGER, None),
        (0, STRANGER, None, None),
        (1, STRANGER, None, "owned"),
        (STRANGER, 0, STRANGER, None),
        (STRANGER, STRANGER, None, None),
        (STRANGER, 0, None, "owner"),
        (OTHER, 0, STRANGER, "owned"),
        (OTHER, STRANGER, None, "owned"),
        (STRANGER, STRANGER, OTHER, None),
    ],
)
def test_whose_directory_it_is(public, uid, user, owner, wanted):
    path = new(public / "d", 0o755)
    give(path, uid)
    told = [entry for entry in found(path, user, owner) if entry[0] in ("owner", "owned")]
    assert told == ([(wanted, [user_name(uid)])] if wanted else [])


def test_nobody_can_write_where_no_mode_is_known_or_given(tmp_path):
    path = new(tmp_path / "d", 0)
    state = inspect(str(path))
    path.chmod(0o700)
    fill(path, "f")
    (path / "f").chmod(0o666)
    for mode in (0, None):
        names = [name for name, _values in found(state._replace(mode=mode))]
        assert not {"writable", "exposed"} & set(names)
        assert "foreign" in names
        assert ("unwritable", []) in found(state._replace(mode=mode, uid=STRANGER), STRANGER)


@needs_acls
def test_what_new_directories_inherit_is_told_for_a_missing_one(tmp_path):
    assert found(tmp_path / "missing") == []
    set_acl(tmp_path, DEFAULT, *entries(7, (USER, 7, STRANGER)))
    for name in ("missing", "missing/deep"):
        assert found(tmp_path / name) == [("inherits", [str(tmp_path)])]
    assert found(tmp_path) == [("writable", [])]


@as_root
@pytest.mark.parametrize(
    ("path", "barred"), [("closed/d", True), ("closed/missing", True), ("open/d", False), ("open/missing", None)]
)
def test_who_cannot_come_to_the_directory(public, path, barred):
    for name, mode in (("closed", 0o750), ("open", 0o755)):
        give(new(new(public / name, mode) / "d"), NOBODY)
    told = found(public / path, 0, NOBODY)
    if barred:
        assert told == [("barred", [str(public / "closed")])]
    elif barred is None:
        assert told == [("cannot-create", [str(public / "open")])]
        assert found(public / path) == []
    else:
        assert told == []


@pytest.mark.parametrize(
    ("mode", "gives"), [(0o700, True), (0o300, True), (0o500, False), (0o600, False), (0o400, False)]
)
def test_what_the_kernel_says_of_this_user_counts_for_what_is_there(mode, gives):
    with place() as there:
        path = new(there / "d", 0o700)
        if ROOT:
            give(path, NOBODY)
        path.chmod(mode)
        with without_root():
            me = os.geteuid()
            told = found(path, me)
            missing = found(path / "missing", me)
            planned = found(inspect(str(path))._replace(mode=0o700), me)
            other = found(inspect(str(path))._replace(uid=STRANGER, mode=0o700), me)
        assert told == ([] if gives else [("unwritable", [])])
        if mode == 0o500:
            assert missing == [("cannot-create", [str(path)])]
        assert planned == []
        # What is to be given to another user is written by that one.
        assert ("unwritable", []) in other
        path.chmod(0o700)


@pytest.mark.parametrize("me", [0, STRANGER])
def test_the_kernel_is_asked_for_this_user_alone_and_for_what_is_there(monkeypatch, me):
    """It knows more than modes: read-only mounts, capabilities and security modules."""
    me = me if ROOT else ME
    with place(me) as there:
        path = new(there / "d", 0o777)
        if ROOT:
            give(path, me)
        with without_root(me) if me else contextlib.nullcontext():
            monkeypatch.setattr(os, "access", lambda *_arguments, **_options: False)
            monkeypatch.setattr(os, "supports_effective_ids", {os.access})
            state, missing = inspect(str(path)), inspect(str(path / "missing"))
            planned = missing._replace(exists=True, uid=me, gid=os.getegid(), mode=0o700)
            named = ["unwritable", "unwritable-by-root", "cannot-create", "cannot-create-by-root"]
            told = [
                [name for name, _values in found(each, user) if name in named]
                for each, user in (
                    (state, me),
                    (missing, me),
                    # The kernel can neither say what a planned mode allows nor what another user may do.
                    (state._replace(mode=0o700), me),
                    (planned, me),
                    (state, 1),
                    (state, OTHER),
                )
            ]
    by_root = "-by-root" if me == 0 else ""
    assert told == [["unwritable" + by_root], ["cannot-create" + by_root], [], [], [], []]


def test_root_without_rights_is_told_in_other_words(tmp_path, monkeypatch):
    path = new(tmp_path / "d")
    state = inspect(str(path))._replace(uid=0)
    monkeypatch.setattr(_directory, "_may", lambda _state, _user: False)
    assert ("unwritable-by-root", []) in found(state, 0)
    assert ("unwritable", []) in found(state._replace(uid=STRANGER), STRANGER)
    missing = inspect(str(tmp_path / "missing"))
    assert ("cannot-create-by-root", [str(tmp_path)]) in found(missing, 0)


# File systems


@pytest.mark.parametrize(
    ("blocks", "files", "flags", "of_root", "of_others"),
    [
        # The numbers of all, of the free ones, and of those that are free for others than root.
        ((10, 5, 5), (10, 5, 5), 0, None, None),
        ((10, 1, 1), (10, 1, 1), 0, None, None),
        ((10, 5, 0), (10, 5, 5), 0, None, "full"),
        ((10, 0, 0), (10, 5, 5), 0, "full", "full"),
        ((10, 5, 5), (10, 5, 0), 0, None, "full"),
        ((10, 5, 5), (10, 0, 0), 0, "full", "full"),
        ((1, 0, 0), (0, 0, 0), 0, "full", "full"),
        ((0, 0, 0), (1, 0, 0), 0, "full", "full"),
        # Some do not count blocks or files.
        ((0, 0, 0), (10, 5, 5), 0, None, None),
        ((10, 5, 5), (0, 0, 0), 0, None, None),
        ((10, 5, 5), (10, 5, 5), os.ST_NOSUID, None, None),
        ((10, 5, 5), (10, 5, 5), os.ST_RDONLY, "read-only", "read-only"),
        ((10, 0, 0), (10, 5, 5), os.ST_RDONLY | os.ST_NOSUID, "read-only", "read-only"),
    ],
)
def test_a_file_system_that_takes_nothing_is_told(public, monkeypatch, blocks, files, flags, of_root, of_others):
    path = new(public / "d", 0o755)
    if ROOT:
        give(path, STRANGER)
    status = os.statvfs_result((4096, 4096, *blocks, *files, flags, 255))
    monkeypatch.setattr(os, "statvfs", lambda _path: status)
    state = inspect(str(path))
    names = ("full", "read-only")
    for user, wanted in ((0, of_root), (STRANGER, of_others)):
        told = [entry for entry in found(state, user, STRANGER if user else None) if entry[0] in names]
        assert told == ([(wanted, [])] if wanted else [])
        # It is the reason why nothing else can be written there.
        if wanted:
            assert not {"unwritable", "unwritable-by-root"} & {name for name, _values in found(state, user)}
    missing = inspect(str(path / "missing"))
    assert (("cannot-create-read-only", [str(path)]) in found(missing, STRANGER)) is (of_others == "read-only")

    def fail(_path):
        raise OSError

    monkeypatch.setattr(os, "statvfs", fail)
    assert not {"full", "read-only"} & {name for name, _values in found(state, STRANGER)}


# What root does not look at


@as_root
@pytest.mark.parametrize(
    ("chosen_by", "above", "mode", "listed"),
    [
        (None, 0o700, 0o700, True),
        (UNREACHED, 0o700, 0o700, True),
        (STRANGER, 0o755, 0o755, True),
        (STRANGER, 0o755, 0o700, False),
        (STRANGER, 0o700, 0o755, False),
        (STRANGER, 0o755, 0o750, False),
        (STRANGER, 0o750, 0o755, False),
        (ANYONE, 0o711, 0o755, True),
        (ANYONE, 0o755, 0o711, False),
    ],
)
def test_root_lists_for_who_chose_it_what_everybody_may_list(public, chosen_by, above, mode, listed):
    folder = new(public / "above", above)
    path = new(folder / "d", mode)
    fill(path, "foreign")
    reason = hidden(resolve(str(path)), chosen_by)
    told = [entry for entry in found(path, 0, chosen_by=chosen_by) if entry[0] in ("hidden", "foreign")]
    if listed:
        assert (reason, told) == (None, [("foreign", ["foreign"])])
    else:
        whom = "users other than root" if chosen_by == ANYONE else chosen_by
        wanted = "%s can write to the config that names it but cannot list it" % whom
        assert (sentence(reason), told) == (wanted, [("hidden", [wanted])])
    # The kernel limits what others than root see.
    mine = new(public / "mine")
    give(mine, NOBODY)
    with without_root():
        assert hidden(resolve(str(mine)), STRANGER) is None


@as_root
@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("above", ["missing/..", "missing/x/../..", "there/../missing/.."])
def test_a_missing_directory_that_the_path_leaves_again_must_be_made_by_the_engine_too(public, above, exists):
    """create_dir_all makes every directory that the path names."""
    (public / "there").mkdir()
    (public / "d").mkdir()
    give(public / "d", STRANGER)
    path = "%s/%s/d" % (public, above)
    if not exists:
        (public / "d").rmdir()
    assert dict(found(path, STRANGER)).get("cannot-create") == [str(public)]
    assert "cannot-create" not in dict(found(path, 0))
    give(public, STRANGER)
    assert "cannot-create" not in dict(found(path, STRANGER))


@as_root
@pytest.mark.parametrize(
    ("chosen_by", "owner", "mode", "listed"),
    [
        (None, 0, 0o700, True),
        (UNREACHED, 0, 0o700, True),
        (STRANGER, STRANGER, 0o700, True),
        (STRANGER, 0, 0o755, True),
        (STRANGER, 0, 0o700, False),
        (STRANGER, 0, 0o711, False),
        (STRANGER, 0, 0o744, False),
        (STRANGER, OTHER, 0o700, False),
        (ANYONE, STRANGER, 0o700, False),
    ],
)
@pytest.mark.parametrize("depth", ["modules", "modules/wasmtime-1"])
def test_root_lists_below_it_what_who_chose_it_may_list(public, chosen_by, owner, mode, listed, depth):
    path = new(public / "d", 0o755)
    closed = path
    for name in depth.split("/"):
        closed = new(closed / name, 0o755)
    fill(closed, "foreign.x")
    give(closed, owner)
    closed.chmod(mode)
    names = dict(found(path, 0, chosen_by=chosen_by))
    assert ("closed" in names, "foreign.x" in str(names)) == (not listed, listed)
    assert names.get("closed", [str(closed)]) == [str(closed)]


@as_root
@pytest.mark.parametrize(("link", "parent"), [(STRANGER, STRANGER), (0, STRANGER), (STRANGER, 0), (0, 0)])
def test_root_lists_below_the_end_of_a_link_what_its_owner_may_list(public, link, parent):
    path = new(public / "d", 0o755)
    fill(new(path / "modules", 0o700), "foreign")
    above = new(public / "links", 0o755)
    (above / "link").symlink_to(path)
    give(above / "link", link)
    give(above, parent)
    names = dict(found(above / "link", 0))
    assert ("closed" in names) is ((link, parent) != (0, 0))
    with without_root():
        assert led_by(resolve(str(above / "link")), ANYONE) == frozenset()


@as_root
def test_root_lists_nothing_behind_the_link_of_another_user_whoever_chose_it(public):
    path = new(public / "d", 0o700)
    (public / "link").symlink_to("d")
    assert hidden(resolve(str(public / "link")), None) is None
    resolved = resolve(str(public / "link"))
    _name, status, parent = resolved.links[0]
    strange = os.stat_result([*status[:4], STRANGER, *status[5:10]])
    resolved.links[:] = [(str(public / "link"), strange, parent)]
    assert "root does not follow it" in sentence(hidden(resolved, None))
    path.chmod(0o755)
    assert hidden(resolved._replace(visited=resolve(str(path)).visited), None) is None


@as_root
@pytest.mark.parametrize(
    ("chosen_by", "mode", "told"),
    [
        (None, 0o700, "in-the-way"),
        (UNREACHED, 0o700, "in-the-way"),
        (STRANGER, 0o711, "in-the-way"),
        (STRANGER, 0o700, "hidden"),
        (ANYONE, 0o711, "in-the-way"),
        (ANYONE, 0o700, "hidden"),
    ],
)
def test_what_is_in_the_way_is_told_to_who_may_see_it(public, chosen_by, mode, told):
    folder = new(public / "above", mode)
    fill(folder, "f")
    path = folder / "f" / "x"
    resolved = resolve_directory(str(path), chosen_by)
    assert resolved.denied is (told == "hidden")
    text = '"%s" is not a directory' % (folder / "f")
    if told == "hidden":
        text = '%s can write to the config that names "%s" and may not enter a directory on this path' % (
            "users other than root" if chosen_by == ANYONE else chosen_by,
            path,
        )
    assert sentence(resolved.error) == text
    assert found(path, 0, chosen_by=chosen_by) == [(told, [text])]
    # Without an error, there is nothing to keep.
    assert resolve_directory(str(folder / "g"), chosen_by).error is None
    # The kernel limits what others than root are told.
    mine = new(public / "mine")
    fill(mine, "f")
    give(mine, NOBODY)
    with without_root():
        resolved = resolve_directory(str(mine / "f" / "x"), STRANGER)
    assert (sentence(resolved.error), resolved.denied) == ('"%s" is not a directory' % (mine / "f"), False)


def test_a_path_that_ends_at_a_closed_directory_is_told():
    with place() as there:
        closed = new(there / "closed", 0)
        with without_root():
            ((name, (text,)),) = found(closed / "d", os.geteuid())
        closed.chmod(0o700)
        assert (name, text.startswith('"%s": the user' % (closed / "d"))) == ("not-entered", True)
