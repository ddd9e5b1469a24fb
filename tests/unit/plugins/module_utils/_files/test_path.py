# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a path is resolved, link by link, and handles to exactly what is at its end."""

from __future__ import annotations

import errno
import importlib.util
import os
import sys
from pathlib import Path

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import path as _path
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.path import (
    ANYONE,
    OPEN_TO_LIST,
    UNREACHED,
    barred_by,
    is_below,
    link_barred,
    of_system,
    open_resolved,
    open_to_judge,
    reopen,
    resolve,
    users_of_links,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.reasons import sentence
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    NOBODY,
    STRANGER,
    as_root,
    give,
    handles,
    new,
    place,
    without_root,
)

OTHER = STRANGER + 1


# Resolution


@pytest.mark.parametrize(("links", "followed"), [(39, True), (40, True), (41, False)])
def test_as_many_links_are_followed_as_the_kernel_follows(tmp_path, links, followed):
    new(tmp_path / "0")
    for number in range(links):
        (tmp_path / str(number + 1)).symlink_to(str(number))
    path = str(tmp_path / str(links))
    resolved = resolve(path)
    assert sentence(resolved.error) == ("" if followed else '"%s" has too many symbolic links' % path)
    assert (resolved.denied, len(resolved.links)) == (False, links)
    if sys.platform == "linux":
        assert os.path.isdir(path) is followed  # noqa: PTH112


@pytest.mark.parametrize(
    ("name", "link"),
    [
        ("gone", "gone"),
        ("gone/x", "gone"),
        ("to-gone", "to-gone"),
        ("to-d/gone", "to-d/gone"),
        ("to-d/../gone", "gone"),
        ("inside", "inside"),
        ("inside/..", "inside"),
        ("to-d/to-to-gone", "to-d/to-to-gone"),
        # What is missing after the target of a link is missing, and no more.
        ("to-d/missing", None),
        ("to-d/missing/x", None),
        ("to-d/e/missing", None),
        ("to-e/missing", None),
    ],
)
def test_a_link_that_leads_nowhere_is_named_as_it_is_in_the_path(tmp_path, name, link):
    new(new(tmp_path / "d") / "e")
    for where, target in (
        ("gone", "no"),
        ("to-gone", "gone"),
        ("to-d", "d"),
        ("to-e", "to-d/e"),
        ("d/gone", "e/no"),
        ("d/to-to-gone", "../to-gone"),
        ("inside", "d/no/../../d"),
    ):
        (tmp_path / where).symlink_to(target)
    resolved = resolve("%s/%s" % (tmp_path, name))
    if link is None:
        assert (resolved.error, bool(resolved.missing)) == (None, True)
    else:
        real = tmp_path / link.replace("to-d", "d")
        assert sentence(resolved.error) == '"%s" is a symbolic link whose target does not exist' % real
    assert resolved.denied is False


def test_nothing_is_looked_at_behind_what_ends_a_path(tmp_path):
    (tmp_path / "f").write_bytes(b"")
    new(tmp_path / "d")
    resolved = resolve("%s/f/../d" % tmp_path)
    assert (resolved.real, resolved.missing, resolved.denied) == (str(tmp_path), [], False)
    assert sentence(resolved.error) == '"%s" is not a directory' % (tmp_path / "f")


def test_what_the_system_says_of_a_name_ends_a_path(tmp_path, monkeypatch):
    path = str(tmp_path / ("x" * 300))
    resolved = resolve(path)
    assert (sentence(resolved.error), resolved.denied) == (
        '"%s": %s' % (path, os.strerror(errno.ENAMETOOLONG)),
        False,
    )

    link = tmp_path / "link"
    link.symlink_to("d")
    for number, text in (
        (errno.EINVAL, "it changed while it was examined"),
        (errno.EIO, os.strerror(errno.EIO)),
        (errno.ENOTDIR, os.strerror(errno.ENOTDIR)),
    ):

        def fail(_path, number=number):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "readlink", fail)
        resolved = resolve(str(link))
        assert (sentence(resolved.error), resolved.denied) == ('"%s": %s' % (link, text), False)


def test_a_closed_directory_ends_a_path_and_is_named_with_its_owner():
    with place() as there:
        closed = new(there / "closed", 0)
        with without_root():
            resolved = resolve(str(closed / "x" / "y"))
            me = os.geteuid()
        owner = closed.stat().st_uid
        closed.chmod(0o700)
        assert (resolved.real, resolved.missing, resolved.denied) == (str(closed), [], True)
        assert resolved.error is not None
        assert (resolved.error.code, resolved.error.values["path"]) == ("at", str(closed / "x"))
        cause = resolved.error.values["reason"]
        assert (cause.code, cause.values) == (
            "not-entered",
            {"user": me, "path": str(closed), "owner": owner, "limit": None},
        )


@as_root
@pytest.mark.parametrize(
    ("link", "parent", "mode", "barred"),
    [
        (0, 0, 0o700, None),
        (STRANGER, 0, 0o711, None),
        (STRANGER, 0, 0o710, STRANGER),
        (0, STRANGER, 0o700, STRANGER),
        (OTHER, STRANGER, 0o700, STRANGER),
    ],
)
def test_root_follows_a_link_only_where_those_who_can_replace_it_may_go(public, link, parent, mode, barred):
    above = new(public / "links", 0o755)
    closed = new(public / "closed", mode)
    new(closed / "d", 0o755)
    (above / "link").symlink_to("../closed")
    give(above / "link", link)
    give(above, parent)
    path = str(above / "link" / "d" / "missing")
    resolved = resolve(path)
    assert users_of_links(resolved.links) == {link, parent}
    if barred is None:
        assert (resolved.error, resolved.denied, resolved.missing) == (None, False, ["missing"])
    else:
        wanted = '"%s" is a symbolic link of %d, who may not enter where it leads: root does not follow it'
        assert sentence(resolved.error) == wanted % (above / "link", barred)
        assert (resolved.denied, resolved.real) == (True, str(closed))
    with without_root():
        # The kernel tells others.
        assert getattr(resolve(path).error, "code", None) == (None if mode == 0o711 else "at")
    # Those whose links have led to this path are barred by all of it.
    led = resolve(str(closed / "d"), {STRANGER, 0})
    assert (led.error and led.error.values) == (
        None if mode == 0o711 else {"path": str(closed / "d"), "user": STRANGER}
    )


@as_root
def test_who_is_barred_from_a_directory_is_named_with_an_own_link(public):
    closed = (str(public), new(public / "closed").stat())
    of_root = new(public / "0").stat()
    give(new(public / "1"), STRANGER)
    one, two, three = (("/one", of_root, 0), ("/two", (public / "1").stat(), 0), ("/three", of_root, STRANGER))
    named = [
        ([one], {0}, None),
        ([one, two], {0, STRANGER}, ("/two", STRANGER)),
        ([one, three, two], {STRANGER}, ("/three", STRANGER)),
        ([one], {STRANGER, OTHER}, ("/path", STRANGER)),
        ([], {OTHER, STRANGER}, ("/path", STRANGER)),
        ([], set(), None),
    ]
    for links, users, wanted in named:
        found = link_barred("/path", links, closed, users)
        assert (found and (found.code, found.values["path"], found.values["user"])) == (
            wanted and ("link-barred", *wanted)
        )
    assert users_of_links([one, two, three]) == {0, STRANGER}


@pytest.mark.parametrize("target", ["x", "/", "\u00e4\u4e16", "a" * 300 + "/b"])
def test_a_link_of_a_file_system_has_the_size_of_its_text(tmp_path, target):
    link = tmp_path / "link"
    link.symlink_to(target)
    assert of_system(link.lstat(), target) is False
    assert of_system(link.lstat(), target + "x") is True
    assert of_system(link.lstat(), target[:-1]) is True


@pytest.mark.parametrize(
    ("mode", "size", "wanted"),
    [
        (0o777, 64, False),
        (0o744, 64, False),
        (0o711, 64, False),
        (0o500, 64, True),
        (0o700, 64, True),
        (0o700, 63, False),
        (0o700, 65, False),
        (0o701, 64, False),
    ],
)
def test_a_link_to_an_open_file_is_known_where_its_text_has_the_size_of_all_of_them(mode, size, wanted):
    assert of_system(os.stat_result([0o120000 | mode, 1, 1, 1, 0, 0, size, 0, 0, 0]), "x" * size) is wanted


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="needs links of the system: /proc")
def test_root_follows_no_link_of_the_system():
    link = "/proc/%d/cwd" % os.getpid()
    assert of_system(os.lstat(link), os.readlink(link)) is True
    resolved = resolve(link)
    if os.geteuid() == 0:
        assert sentence(resolved.error) == '"%s" is a link of the system, as in /proc: root does not follow it' % link
        assert (resolved.denied, resolved.links) == (True, [])
    else:
        assert (resolved.error, [entry[0] for entry in resolved.links]) == (None, [link])


# What is known of a resolved path


def test_no_user_has_the_numbers_of_several_users():
    assert (ANYONE, UNREACHED) == (-1, -2)


def test_the_status_of_a_resolved_path_is_that_of_its_last_visit(tmp_path):
    first, second = (new(tmp_path / name).stat() for name in "ab")
    for spelled in (str(tmp_path), "%s/a/.." % tmp_path, "%s/b/../a/.." % tmp_path):
        resolved = resolve(spelled)
        assert resolved.status().st_ino == tmp_path.stat().st_ino
        visited = [(str(tmp_path), first), (str(tmp_path), second), (str(tmp_path / "a"), first)]
        assert resolved._replace(visited=visited).status() is second
    for spelled in ("b/../a/../b", "a/../b/../a"):
        assert os.path.samestat(resolve("%s/%s" % (tmp_path, spelled)).status(), (tmp_path / spelled[-1]).stat())


@pytest.mark.parametrize(
    ("name", "above"),
    [
        ("b", [""]),
        ("b/.", [""]),
        ("b/../b", [""]),
        ("a/../b", ["", "a"]),
        ("c/../b", ["", "c"]),
        ("b/d/..", ["", "b/d"]),
        ("b/missing", ["", "b"]),
        ("a/../b/missing/deep", ["", "a", "b"]),
    ],
)
def test_the_directories_above_one_are_all_that_the_path_leads_through(tmp_path, name, above):
    for folder in ("a", "b", "b/d", "c"):
        new(tmp_path / folder)
    wanted = [str(tmp_path / each) for each in above]
    parents = [str(parent) for parent in reversed(tmp_path.parents)]
    assert [path for path, _status in resolve("%s/%s" % (tmp_path, name)).above()] == [*parents, *wanted]


@pytest.mark.parametrize(
    ("modes", "reached", "public"),
    [
        ((0o755, 0o755), ["", "a", "a/b"], True),
        ((0o711, 0o711), ["", "a", "a/b"], True),
        ((0o755, 0o710), ["", "a", "a/b"], False),
        ((0o701, 0o755), ["", "a", "a/b"], False),
        ((0o755, 0o766), ["", "a"], False),
        ((0o700, 0o755), [""], False),
    ],
)
def test_how_far_others_get_on_a_path(modes, reached, public):
    with place(os.geteuid()) as there:
        new(new(there / "a") / "b", modes[1])
        (there / "a").chmod(modes[0])
        for name in ("ab", "c"):
            new(there / name)
        resolved = resolve("%s/a/b" % there)
        assert [name for name in ("", "a", "a/b") if resolved.reached(str(there / name))] == reached
        assert resolved.public() is public
        # Other directories that the path has led through do not count, whatever their names are.
        through = resolve("%s/c/../ab/../a/b" % there)
        assert [name for name in ("", "a", "a/b") if through.reached(str(there / name))] == reached
        assert through.public() is False


@as_root
def test_the_first_directory_that_a_user_may_not_enter(public):
    for name, mode in (("a", 0o711), ("a/b", 0o700), ("a/b/c", 0o700)):
        new(public / name, mode)
    visited = resolve(str(public / "a" / "b" / "c")).visited
    assert barred_by(visited, STRANGER) == str(public / "a" / "b")
    assert barred_by(visited, 0) is None
    give(public / "a" / "b", STRANGER)
    visited = resolve(str(public / "a" / "b" / "c")).visited
    assert barred_by(visited, STRANGER) == str(public / "a" / "b" / "c")
    give(public / "a" / "b" / "c", STRANGER)
    visited = resolve(str(public / "a" / "b" / "c")).visited
    assert barred_by(visited, STRANGER) is None
    # What this user may do, the kernel says.
    with without_root(NOBODY):
        assert barred_by(visited, NOBODY) is None
        assert barred_by(visited, OTHER) == str(public / "a" / "b")


@pytest.mark.parametrize(
    ("path", "directory", "below"),
    [
        ("/a/b", "/a", True),
        ("/a/b/c", "/a", True),
        ("/a/b", "/a/", True),
        ("/a", "/", True),
        ("/a", "/a", False),
        ("/ab", "/a", False),
        ("/b/a", "/a", False),
    ],
)
def test_what_is_below_a_directory_by_its_name(path, directory, below):
    assert is_below(path, directory) is below


# Handles


@pytest.mark.parametrize("name", ["", "d", "d/..", "link"])
def test_a_directory_is_held_as_it_was_resolved(tmp_path, name):
    new(tmp_path / "d")
    (tmp_path / "link").symlink_to("d")
    path = "%s/%s" % (tmp_path, name)
    before = handles()
    held = open_resolved(resolve(path))
    try:
        assert os.path.samestat(os.fstat(held), Path(path).stat())
    finally:
        os.close(held)
    assert handles() == before


def test_another_directory_of_the_same_name_is_not_held(tmp_path):
    for name in ("d", "other"):
        new(tmp_path / name)
    resolved = resolve(str(tmp_path / "d"))
    (tmp_path / "d").rename(tmp_path / "old")
    (tmp_path / "other").rename(tmp_path / "d")
    before = handles()
    with pytest.raises(OSError, match=os.strerror(errno.ESTALE)) as caught:
        open_resolved(resolved)
    assert caught.value.errno == errno.ESTALE
    assert handles() == before


def test_only_a_directory_is_opened_to_list_it(tmp_path):
    (tmp_path / "f").write_bytes(b"")
    os.close(os.open(str(tmp_path), OPEN_TO_LIST))
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("f", "link"):
        with pytest.raises(OSError, match=os.strerror(errno.ENOTDIR)):
            os.open(str(tmp_path / name), OPEN_TO_LIST)
    handle = os.open(str(tmp_path), OPEN_TO_LIST)
    try:
        assert sorted(os.listdir(handle)) == ["f", "link"]  # noqa: PTH208
    finally:
        os.close(handle)


def without_handles_of_paths(monkeypatch):
    """The code as it is where the system has no O_PATH."""
    monkeypatch.delattr(os, "O_PATH", raising=False)
    spec = importlib.util.spec_from_file_location(_path.__name__, str(_path.__file__))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_pipe_is_examined_without_waiting_where_the_system_has_no_handles_of_paths(tmp_path, monkeypatch):
    module = without_handles_of_paths(monkeypatch)
    os.mkfifo(str(tmp_path / "pipe"))
    (tmp_path / "link").symlink_to("pipe")
    directory = module.open_resolved(module.resolve(str(tmp_path)))
    try:
        assert sorted(os.listdir(directory)) == ["link", "pipe"]  # noqa: PTH208
        found = module.open_to_judge("pipe", directory)
        assert os.path.samestat(os.fstat(found), (tmp_path / "pipe").stat())
        os.close(found)
        for name in ("link", "link/x"):
            with pytest.raises(OSError):  # noqa: PT011
                module.open_to_judge(name, directory)
        with pytest.raises(OSError):  # noqa: PT011
            module.open_resolved(module.resolve(str(tmp_path))._replace(real=str(tmp_path / "pipe")))
    finally:
        os.close(directory)


@pytest.fixture
def no_proc(monkeypatch):
    """A system without /proc."""
    real = os.open

    def missing(path, *arguments, **options):
        if str(path).startswith("/proc/"):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", missing)


def test_what_was_examined_is_opened_by_its_name_where_there_is_no_proc(tmp_path, no_proc):
    (tmp_path / "f").write_bytes(b"one")
    (tmp_path / "g").write_bytes(b"two")
    directory = os.open(str(tmp_path), os.O_RDONLY)
    found = open_to_judge("f", directory)
    before = handles()
    try:
        for name, where in (("f", directory), (str(tmp_path / "f"), None)):
            again = reopen(found, name, where)
            assert os.read(again, 10) == b"one"
            os.close(again)
        again = reopen(found, "f", directory, os.O_WRONLY)
        assert os.write(again, b"new") == 3
        os.close(again)
        # Another file has the name by now.
        (tmp_path / "g").replace(tmp_path / "f")
        with pytest.raises(OSError, match=os.strerror(errno.ESTALE)) as caught:
            reopen(found, "f", directory)
        assert caught.value.errno == errno.ESTALE
        (tmp_path / "f").unlink()
        (tmp_path / "f").symlink_to("g")
        for _target in range(2):
            with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
                reopen(found, "f", directory)
            (tmp_path / "g").write_bytes(b"")
        (tmp_path / "f").unlink()
        # Nobody is waited for who is to write to a pipe.
        os.mkfifo(str(tmp_path / "f"))
        with pytest.raises(OSError, match=os.strerror(errno.ESTALE)):
            reopen(found, "f", directory)
    finally:
        os.close(found)
        os.close(directory)
    assert len(handles()) == max(len(before) - 2, 0)


@pytest.mark.parametrize("flags", [None, os.O_RDONLY, os.O_WRONLY, os.O_RDWR])
def test_what_was_examined_is_opened_for_the_use_that_is_asked_for(tmp_path, flags):
    path = tmp_path / "f"
    path.write_bytes(b"text")
    found = open_to_judge(str(path))
    # The handle stays with the file, whatever becomes of its name.
    path.unlink()
    try:
        handle = reopen(found, str(path)) if flags is None else reopen(found, str(path), None, flags)
    except FileNotFoundError:
        pytest.skip("this system has no /proc")
    finally:
        os.close(found)
    try:
        if flags != os.O_WRONLY:
            assert os.pread(handle, 10, 0) == b"text"
        if flags in (os.O_WRONLY, os.O_RDWR):
            assert os.pwrite(handle, b"more", 0) == 4
        if flags in (None, os.O_RDONLY):
            with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
                os.write(handle, b"more")
        assert not os.get_blocking(handle)
    finally:
        os.close(handle)
