# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory made and the file put in place, in real trees that others change at the worst moment."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import path as _path
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import rename as _rename
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import write as _write
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.config_file import (
    ChangedMeanwhile,
    ResolvedFile,
    read,
    resolve_file,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.directory import inspect
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.make_directory import (
    make,
    make_with_file,
    parent_mode,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.path import resolve
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.write import CannotWrite, apply_ownership, write
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.common import directory_problems as problems
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.reasons import sentence
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.remove import Old, unlink
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
    ROOT,
    STRANGER,
    as_root,
    cannot_write,
    give,
    handles,
    mode_of,
    needs_handles,
    new,
    place,
    snapshot,
    without_capabilities,
    without_root,
)


def file_at(there):
    """The bytes and the status of the file in its place."""
    found = read(there)
    assert found is not None
    return found


def names(path):
    return sorted(entry.name for entry in path.iterdir())


def refused_by_the_system(*_arguments, **_options):
    raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))


# The cache directory


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000, 0o027])
@pytest.mark.parametrize("mode", [0o700, 0o750, 0o2770, 0o1777])
@pytest.mark.parametrize(
    ("above", "inherited"),
    [(0o700, 0o700), (0o755, 0o755), (0o750, 0o750), (0o711, 0o711), (0o777, 0o755), (0o1777, 0o755), (0o2775, 0o755)],
)
def test_a_directory_gets_its_mode_and_its_parents_that_of_the_directory_above(tmp_path, umask, mode, above, inherited):
    os.umask(umask)
    new(tmp_path / "above", above)
    path = tmp_path / "above" / "a" / "b" / "d"
    make(inspect(str(path)), -1, -1, mode)
    assert mode_of(path) == mode
    assert mode_of(tmp_path / "above") == above
    # The umask of root is not meant for directories that others must pass.
    expected = inherited if ROOT else inherited & ~umask
    assert mode_of(path.parent) == mode_of(path.parent.parent) == expected


@as_root
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000, 0o027])
@pytest.mark.parametrize("above", [0o700, 0o755, 0o777])
def test_the_umask_counts_for_parents_that_others_than_root_make(umask, above):
    with place() as there, without_root():
        os.umask(umask)
        new(there / "above", above)
        make(inspect(str(there / "above" / "a" / "d")), -1, -1, 0o700)
        assert mode_of(there / "above" / "a") == above & 0o755 & ~umask


def test_the_mode_of_parents_leaves_their_owner_all_rights(monkeypatch):
    os.umask(0o077)
    for uid, above, wanted in [(0, 0o055, 0o755), (0, 0, 0o700), (1, 0o055, 0o700), (1, 0o777, 0o700)]:
        monkeypatch.setattr(os, "geteuid", lambda uid=uid: uid)
        assert parent_mode(above) == wanted


@as_root
def test_root_makes_no_parents_that_a_directory_s_owner_cannot_pass():
    os.umask(0o077)
    with place(0) as there:
        path = there / "a" / "b" / "d"
        state = inspect(str(path))
        planned = state._replace(exists=True, uid=NOBODY, gid=NOBODY, mode=0o700)
        assert problems(planned, 0, NOBODY) == []
        make(state, NOBODY, NOBODY, 0o700)
        assert problems(inspect(str(path)), 0, NOBODY) == []
        with without_root():
            (path / "modules").mkdir()


def test_an_existing_directory_gets_its_mode(tmp_path):
    path = new(tmp_path / "d", 0o777)
    (path / "f").write_bytes(b"")
    make(inspect(str(path)), -1, -1, 0o700)
    assert mode_of(path) == 0o700
    assert (path / "f").exists()


@as_root
@pytest.mark.parametrize("changed", [(0, -1, 0o700), (-1, 0, 0o700), (-1, -1, 0o701)])
def test_an_existing_directory_that_others_have_changed_is_looked_at_again(tmp_path, changed):
    path = new(tmp_path / "d")
    give(path, STRANGER)
    state = inspect(str(path))
    os.chown(path, *changed[:2])
    path.chmod(changed[2])
    before = snapshot(tmp_path)
    with pytest.raises(ChangedMeanwhile):
        make(state, STRANGER, STRANGER, 0o750)
    assert snapshot(tmp_path) == before


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
@pytest.mark.parametrize(("uid", "gid"), [(STRANGER, STRANGER), (STRANGER, -1), (-1, STRANGER), (0, STRANGER)])
def test_rights_of_the_old_group_are_gone_before_a_directory_gets_its_new_one(tmp_path, monkeypatch, uid, gid):
    path = new(tmp_path / "d", 0o777)
    seen = []
    chown = os.fchown

    def watched(handle, uid, gid):
        seen.append(stat.S_IMODE(os.fstat(handle).st_mode))
        chown(handle, uid, gid)

    monkeypatch.setattr(os, "fchown", watched)
    make(inspect(str(path)), uid, gid, 0o2770)
    # At once with its owner, who must not be able to do more before that either.
    assert seen == [0o770]
    assert mode_of(path) == 0o2770


def test_a_new_directory_is_never_open_to_others_while_it_is_made(tmp_path, monkeypatch):
    os.umask(0)
    seen = []
    mkdir = os.mkdir

    def watched(name, mode=0o777, *, dir_fd=None):
        mkdir(name, mode, dir_fd=dir_fd)
        seen.append(stat.S_IMODE(os.stat(name, dir_fd=dir_fd).st_mode))

    monkeypatch.setattr(os, "mkdir", watched)
    make(inspect(str(tmp_path / "a" / "d")), -1, -1, 0o755)
    assert seen == [0o700, 0o700, 0o700]


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
    before = {path: entry[:4] + entry[6:] for path, entry in snapshot(tmp_path).items()}
    # What takes the place of the new directory is looked at again.
    changed = victim == path and not exists
    with (
        pytest.raises(ChangedMeanwhile) if changed else cannot_write("another process has replaced a part of the path")
    ):
        make(state, -1, -1, 0o777)
    assert {path: entry[:4] + entry[6:] for path, entry in snapshot(tmp_path).items()} == before


@pytest.mark.parametrize("exists", [True, False])
def test_a_part_that_was_replaced_by_another_directory_is_refused(tmp_path, exists):
    path = tmp_path / "a" / "d"
    (path if exists else path.parent).mkdir(parents=True)
    state = inspect(str(path))
    (tmp_path / "a").rename(tmp_path / "moved")
    (tmp_path / "a" / "d" if exists else tmp_path / "a").mkdir(parents=True)
    before = snapshot(tmp_path)
    with cannot_write("another process has replaced"):
        make(state, -1, -1, 0o777)
    assert snapshot(tmp_path) == before


def test_a_directory_that_somebody_else_made_first_is_seen(tmp_path):
    state = inspect(str(tmp_path / "d" / "e"))
    new(tmp_path / "d")
    before = [entry[:4] for entry in snapshot(tmp_path / "d").values()]
    with pytest.raises(ChangedMeanwhile):
        make(state, -1, -1, 0o777)
    assert names(tmp_path) == ["d"]
    assert [entry[:4] for entry in snapshot(tmp_path / "d").values()] == before


@pytest.mark.parametrize("error", [errno.EPERM, errno.ENOTSUP, errno.EMLINK])
def test_without_renameat2_and_hard_links_a_file_is_renamed_to_a_name_that_is_free(tmp_path, monkeypatch, error):
    def refuse(*_arguments, **_options):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr("ctypes.CDLL", lambda *_arguments, **_options: None)
    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "one").write_bytes(b"1")
    directory = os.open(tmp_path, os.O_RDONLY)
    try:
        _rename.rename_new(directory, "one", directory, "two")
        assert (tmp_path / "two").read_bytes() == b"1"
        (tmp_path / "three").write_bytes(b"3")
        with pytest.raises(FileExistsError):
            _rename.rename_new(directory, "two", directory, "three")
        assert (tmp_path / "three").read_bytes() == b"3"
        error = errno.EIO
        with pytest.raises(OSError, match="Input/output"):
            _rename.rename_new(directory, "two", directory, "four")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["three", "two"]
    finally:
        os.close(directory)


def test_a_link_is_no_directory(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "file").write_bytes(b"")
    os.close(os.open(tmp_path / "real", _path.OPEN_TO_LIST))
    for name in ("link", "file"):
        with pytest.raises(NotADirectoryError):
            os.open(tmp_path / name, _path.OPEN_TO_LIST)


@pytest.mark.parametrize("missing", [0, errno.ENOSYS, errno.EINVAL])
@pytest.mark.parametrize("kind", ["directory", "file", "link"])
def test_what_somebody_else_makes_at_the_last_moment_is_seen(tmp_path, monkeypatch, kind, missing):
    rename = _rename._renameat2

    def raced(*arguments):
        if kind == "directory":
            (tmp_path / "d").mkdir()
        elif kind == "file":
            (tmp_path / "d").write_bytes(b"")
        else:
            (tmp_path / "d").symlink_to("nowhere")
        return missing or rename(*arguments)

    monkeypatch.setattr(_rename, "_renameat2", raced)
    with pytest.raises(ChangedMeanwhile):
        make(inspect(str(tmp_path / "d" / "e")), -1, -1, 0o700)
    assert names(tmp_path) == ["d"]


def test_a_private_directory_that_is_filled_before_it_is_opened_is_not_used(tmp_path, monkeypatch):
    mkdir = os.mkdir

    def raced(name, mode=0o777, *, dir_fd=None):
        mkdir(name, mode, dir_fd=dir_fd)
        (tmp_path / name / "planted").write_bytes(b"")

    monkeypatch.setattr(os, "mkdir", raced)
    with cannot_write("another process has replaced"):
        make(inspect(str(tmp_path / "d")), -1, -1, 0o755)
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("call", ["mkdir", "fchmod", "rename"])
def test_what_fails_while_directories_are_made_leaves_none_of_them(tmp_path, monkeypatch, call):
    real, count = getattr(os, call), iter(range(100))

    def full(*arguments, **options):
        if next(count) >= (2 if call == "mkdir" else 0):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(*arguments, **options)

    if call == "rename":
        monkeypatch.setattr(_rename, "_renameat2", lambda *_arguments: errno.ENOSPC)
    else:
        monkeypatch.setattr(os, call, full)
    with cannot_write("cannot be created or changed: No space left on device"):
        make(inspect(str(tmp_path / "a" / "b" / "d")), -1, -1, 0o755)
    assert names(tmp_path) == []


def test_new_directories_appear_as_they_are_to_be(tmp_path, monkeypatch):
    seen: list[int] = []
    rename = _rename._renameat2

    def watched(source, *arguments):
        assert names(tmp_path) == [os.readlink("/proc/self/fd/%d" % source).split("/")[-1]]
        private = tmp_path / names(tmp_path)[0]
        seen.extend(mode_of(path) for path in (private, private / "a", private / "a" / "d"))
        return rename(source, *arguments)

    monkeypatch.setattr(_rename, "_renameat2", watched)
    tmp_path.chmod(0o755)
    make(inspect(str(tmp_path / "a" / "d")), -1, -1, 0o750)
    assert seen == [0o700, 0o755, 0o750]


@pytest.mark.parametrize("mode", [0o500, 0o400, 0o000, 0o2577, 0o750, 0o2700])
def test_a_directory_that_its_owner_may_not_write_in_is_made(monkeypatch, mode):
    seen = []
    rename = _rename._renameat2

    def watched(source, name, *arguments):
        for path in (name, name + "/d"):
            with contextlib.suppress(FileNotFoundError):
                seen.append(stat.S_IMODE(os.stat(path, dir_fd=source).st_mode))
        return rename(source, name, *arguments)

    monkeypatch.setattr(_rename, "_renameat2", watched)
    with place() as there, without_root():
        there.chmod(0o2755)
        make(inspect(str(there / "d")), -1, -1, mode)
        assert mode_of(there / "d") == mode
        make(inspect(str(there / "a" / "d")), -1, -1, mode)
        assert mode_of(there / "a" / "d") == mode
    # To move it, its owner needs the right to write in it, and nobody else any; what is moved with another needs none.
    assert seen == [mode if mode & stat.S_IWUSR else 0o700, 0o755, mode]


@as_root
@pytest.mark.parametrize("deep", [False, True])
def test_root_that_may_not_write_everywhere_gives_a_directory_away_when_it_is_in_place(tmp_path, deep):
    path = tmp_path / "a" / "d" if deep else tmp_path / "d"
    with without_capabilities(1):  # CAP_DAC_OVERRIDE
        make(inspect(str(path)), STRANGER, STRANGER, 0o750)
    assert (path.stat().st_uid, path.stat().st_gid, mode_of(path)) == (STRANGER, STRANGER, 0o750)
    assert path.parent.stat().st_uid == 0


@pytest.mark.parametrize("stays", [False, True])
def test_a_directory_that_does_not_get_its_mode_in_place_is_removed_or_told(monkeypatch, stays):
    fchmod = os.fchmod

    def failing(handle, mode):
        if mode == 0o500:
            if stays:
                (there / "d" / "theirs").write_bytes(b"")
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fchmod(handle, mode)

    with place() as there, without_root():
        state = inspect(str(there / "d"))
        monkeypatch.setattr(os, "fchmod", failing)
        said = "^the directory .* cannot be created or changed: Input/output error$"
        if stays:
            said = "^the directory .* was created, but without its owner and mode: Input/output error$"
        with cannot_write(said, changed=stays):
            make(state, -1, -1, 0o500)
        monkeypatch.undo()
        assert names(there) == (["d"] if stays else [])


@pytest.mark.parametrize("error", [errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EIO])
def test_a_directory_whose_name_is_taken_at_last_is_looked_at_again(tmp_path, monkeypatch, error):
    monkeypatch.setattr(_rename, "_renameat2", lambda *_arguments: error)
    with cannot_write("Input/output error") if error == errno.EIO else pytest.raises(ChangedMeanwhile):
        make(inspect(str(tmp_path / "a" / "d")), -1, -1, 0o700)
    assert names(tmp_path) == []


def test_new_directories_survive_a_power_cut_before_they_appear(tmp_path, monkeypatch):
    synced = []
    rename = _rename._renameat2
    fsync = os.fsync

    def watched(handle):
        synced.append(os.fstat(handle).st_ino)
        fsync(handle)

    def checked(source, *arguments):
        private = Path(os.readlink("/proc/self/fd/%d" % source))
        made = [private / "a", private / "a" / "b", private / "a" / "b" / "d"]
        assert {path.stat().st_ino for path in made} <= set(synced)
        return rename(source, *arguments)

    monkeypatch.setattr(os, "fsync", watched)
    monkeypatch.setattr(_rename, "_renameat2", checked)
    make(inspect(str(tmp_path / "a" / "b" / "d")), -1, -1, 0o700)
    assert (tmp_path / "a" / "b" / "d").is_dir()


@as_root
@pytest.mark.parametrize(("uid", "gid"), [(-1, STRANGER), (STRANGER, -1), (STRANGER, STRANGER)])
@pytest.mark.parametrize("again", [False, True])
def test_what_cannot_get_its_mode_keeps_its_owner_and_group(tmp_path, monkeypatch, uid, gid, again):
    path = tmp_path / "file"
    path.write_bytes(b"")
    path.chmod(0o600)
    before = path.stat()
    fchmod, modes = os.fchmod, []

    def fail(handle, mode):
        modes.append(mode)
        if mode == 0o644 or not again:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fchmod(handle, mode)

    monkeypatch.setattr(os, "fchmod", fail)
    handle = os.open(path, os.O_RDONLY)
    try:
        with pytest.raises(OSError, match="Input/output"):
            _write.set_owner_and_mode(handle, uid, gid, 0o644)
    finally:
        os.close(handle)
    now = path.stat()
    assert (now.st_uid, now.st_gid, now.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    # Its mode was tried, and given back.
    assert modes == [0o644, 0o600]


def test_what_only_cannot_get_another_mode_is_not_given_to_its_owner_again(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"")
    # The kernel removes this bit whenever a file is given to somebody, even to its owner.
    path.chmod(0o4700)

    def fail(_handle, _mode):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fchmod", fail)
    handle = os.open(path, os.O_RDONLY)
    try:
        with pytest.raises(OSError, match="Input/output"):
            _write.set_owner_and_mode(handle, -1, -1, 0o755)
    finally:
        os.close(handle)
    assert mode_of(path) == 0o4700


def test_a_mode_alone_is_set_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fchmod, modes = os.fchmod, []

    def noted(handle: int, mode: int) -> None:
        modes.append(mode)
        fchmod(handle, mode)

    path = new(tmp_path / "d", 0o770)
    monkeypatch.setattr(os, "fchmod", noted)
    make(inspect(str(path)), -1, -1, 0o705)
    assert (mode_of(path), modes) == (0o705, [0o705])


@as_root
def test_root_without_rights_to_files_of_others_takes_one_over_before_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    path.chmod(0o600)
    give(path, STRANGER)
    there = resolve_file(str(path))
    seen = file_at(there)[1]
    with without_capabilities(3):  # CAP_FOWNER
        apply_ownership(there, seen, 0, -1, 0o640)
    now = path.stat()
    assert (now.st_uid, now.st_gid, mode_of(path)) == (0, STRANGER, 0o640)


@as_root
@pytest.mark.parametrize("kind", ["file", "directory"])
def test_what_is_changed_in_part_and_cannot_be_changed_back_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = tmp_path / "d"
    if kind == "directory":
        path.mkdir(0o700)
    else:
        path.write_bytes(OLD)
        path.chmod(0o700)
    fchown = os.fchown

    def once(handle: int, uid: int, gid: int) -> None:
        if os.fstat(handle).st_uid != 0:
            refused_by_the_system()
        fchown(handle, uid, gid)

    monkeypatch.setattr(os, "fchown", once)
    monkeypatch.setattr(os, "fchmod", refused_by_the_system)
    if kind == "directory":
        said = '^the owner, group and mode of the directory "%s" were changed in part: Operation not permitted$' % path
        with cannot_write(said, changed=True):
            make(inspect(str(path)), STRANGER, -1, 0o755)
    else:
        there = resolve_file(str(path))
        with cannot_write("^its owner, group and mode were changed in part: Operation not permitted$", changed=True):
            apply_ownership(there, file_at(there)[1], STRANGER, -1, 0o755)
    assert (path.stat().st_uid, path.stat().st_gid, mode_of(path)) == (STRANGER, 0, 0o700)


@as_root
@pytest.mark.parametrize("call", ["fchown", "fchmod"])
def test_a_directory_that_cannot_be_changed_as_asked_stays_as_it_was(tmp_path, monkeypatch, call):
    path = new(tmp_path / "d", 0o775)
    real = getattr(os, call)
    asked = STRANGER if call == "fchown" else 0o2700

    def failing(handle, value, *more):
        if value == asked:
            refused_by_the_system()
        real(handle, value, *more)

    monkeypatch.setattr(os, call, failing)
    with cannot_write("Operation not permitted"):
        make(inspect(str(path)), STRANGER, -1, 0o2700)
    assert (mode_of(path), path.stat().st_uid) == (0o775, 0)


def test_what_the_system_refuses_is_told():
    with place() as there:
        path = new(there / "d", 0o500)
        if ROOT:
            give(path, NOBODY)
        with without_root(), cannot_write("Permission denied"):
            make(inspect(str(path / "new")), -1, -1, 0o700)


@needs_handles
def test_handles_are_closed_after_success_and_failure(tmp_path):
    before = handles()
    make(inspect(str(tmp_path / "d")), -1, -1, 0o700)
    state = inspect(str(tmp_path / "d" / "x"))
    new(tmp_path / "d" / "x")
    with pytest.raises(ChangedMeanwhile):
        make(state, -1, -1, 0o700)
    assert handles() == before


@as_root
def test_root_makes_nothing_behind_a_user_s_link_into_a_directory_of_another(tmp_path):
    new(tmp_path / "target")
    (tmp_path / "link").symlink_to("target")
    give(tmp_path / "link", STRANGER)
    before = snapshot(tmp_path)
    with cannot_write("root does not follow it"):
        make(inspect(str(tmp_path / "link" / "d")), -1, -1, 0o700)
    assert snapshot(tmp_path) == before


@as_root
def test_root_makes_a_directory_behind_a_user_s_link_into_a_directory_of_the_same_user(tmp_path):
    home = new(tmp_path / "home", 0o755)
    target = new(home / "target")
    (home / "link").symlink_to("target")
    for path in (home, target, home / "link"):
        give(path, STRANGER)
    make(inspect(str(home / "link" / "d")), -1, -1, 0o700)
    assert (target / "d").stat().st_uid == STRANGER


# The config file

OLD, NEW = b"[cache]\n", b"[cache]\ncleanup-interval = '2h'\n"


def put(path, data=NEW, uid=-1, gid=-1, mode=0o644, in_place=False, keep=False, exact=False):
    """Read the file and write it."""
    there = resolve_file(str(path))
    before, seen = read(there) or (None, None)
    if there.resolved.missing:
        make_with_file(there, data, uid, gid, mode)
        return None
    return write(there, seen, before, data, uid, gid, mode, in_place=in_place, keep=keep, exact=exact)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640, 0o444])
@pytest.mark.parametrize("exists", [True, False])
def test_a_file_gets_its_bytes_and_its_mode_and_nothing_else_stays(tmp_path, exists, mode, umask):
    os.umask(umask)
    path = tmp_path / "config.toml"
    if exists:
        path.write_bytes(OLD)
    assert put(path, mode=mode) is None
    assert path.read_bytes() == NEW
    assert mode_of(path) == mode
    assert names(tmp_path) == ["config.toml"]


def test_a_large_file_is_written_whole(tmp_path, monkeypatch):
    some = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: some(handle, data[:7]))
    put(tmp_path / "f", NEW * 9)
    assert (tmp_path / "f").read_bytes() == NEW * 9


def test_missing_directories_of_the_path_are_made(tmp_path):
    put(tmp_path / "a" / "b" / "f")
    assert (tmp_path / "a" / "b" / "f").read_bytes() == NEW


@as_root
@pytest.mark.parametrize(("uid", "gid"), [(-1, -1), (-1, 0), (-1, NOBODY), (STRANGER, -1), (STRANGER, NOBODY)])
def test_a_file_that_is_made_with_directories_belongs_to_who_is_named_and_to_this_user_otherwise(tmp_path, uid, gid):
    above = new(tmp_path / "above", 0o2755)
    give(above, STRANGER)
    above.chmod(0o2755)
    put(above / "a" / "f", uid=uid, gid=gid, mode=0o640)
    status = (above / "a" / "f").stat()
    assert (status.st_uid, status.st_gid, mode_of(above / "a" / "f")) == (max(uid, 0), max(gid, 0), 0o640)
    status = (above / "a").stat()
    assert (status.st_uid, status.st_gid, mode_of(above / "a")) == (STRANGER, STRANGER, 0o755)


def test_the_file_is_new_and_other_names_keep_the_old_text(tmp_path):
    (tmp_path / "f").write_bytes(OLD)
    os.link(str(tmp_path / "f"), str(tmp_path / "other"))
    put(tmp_path / "f")
    assert ((tmp_path / "f").read_bytes(), (tmp_path / "other").read_bytes()) == (NEW, OLD)


@as_root
def test_a_file_keeps_its_owners_unless_others_are_asked_for(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(OLD)
    give(path, STRANGER)
    put(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (STRANGER, STRANGER)
    put(path, gid=NOBODY)
    assert (path.stat().st_uid, path.stat().st_gid) == (STRANGER, NOBODY)
    for number in (0, 1, 2):
        put(path, uid=number)
        assert (path.stat().st_uid, path.stat().st_gid) == (number, NOBODY)
    put(path, gid=1, mode=0o6755)
    assert (path.stat().st_uid, path.stat().st_gid, mode_of(path)) == (2, 1, 0o6755)


@as_root
@pytest.mark.parametrize(
    ("owner", "group", "mode"),
    [(NOBODY, NOBODY, 0o7755), (0, NOBODY, 0o1755), (NOBODY, 0, 0o1755), (0, 0, 0o1755)],
)
def test_who_cannot_give_a_file_away_gets_it_without_the_bits_that_lend_rights(owner, group, mode):
    with place() as there:
        (there / "f").write_bytes(OLD)
        os.chown(there / "f", owner, group)
        with without_root():
            put(there / "f", mode=0o7755)
        status = (there / "f").stat()
        assert (status.st_uid, status.st_gid, mode_of(there / "f")) == (NOBODY, NOBODY, mode)
        assert (there / "f").read_bytes() == NEW
        os.chown(there / "f", owner, group)
        with without_root():
            put(there / "f", mode=0o7755, exact=True, keep=True)
        assert mode_of(there / "f") == 0o7755


@as_root
@pytest.mark.parametrize("exists", [True, False])
def test_others_than_root_give_a_file_a_group_of_their_own(exists):
    with place() as there:
        there.chmod(0o2755)
        os.chown(there, NOBODY, STRANGER)
        if exists:
            (there / "f").write_bytes(OLD)
            os.chown(there / "f", NOBODY, STRANGER)
        with without_root():
            put(there / "f", gid=NOBODY, mode=0o2750)
        status = (there / "f").stat()
        assert (status.st_uid, status.st_gid, mode_of(there / "f")) == (NOBODY, NOBODY, 0o2750)


def test_a_new_file_has_the_group_of_a_directory_that_says_so():
    with place(NOBODY) as there:
        there.chmod(0o2755)
        put(there / "f")
        assert (there / "f").stat().st_gid == there.stat().st_gid


@needs_acls
def test_the_acl_of_a_file_stays_and_that_of_its_directory_is_not_taken(tmp_path):
    path = tmp_path / "f"
    set_acl(tmp_path, DEFAULT, *entries(6, (USER, 6, STRANGER)))
    put(path)
    assert ACCESS not in os.listxattr(str(path))
    assert mode_of(path) == 0o644
    set_acl(path, ACCESS, *entries(4, (USER, 4, STRANGER), owner=6))
    before = os.getxattr(str(path), ACCESS)
    put(path, mode=mode_of(path))
    assert os.getxattr(str(path), ACCESS) == before


@needs_acls
def test_what_the_user_has_noted_about_a_file_stays(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(OLD)
    try:
        os.setxattr(str(path), "user.note", b"mine")
    except OSError as error:
        pytest.skip("the file system takes no notes: %s" % error)
    put(path)
    assert os.getxattr(str(path), "user.note") == b"mine"


@needs_acls
def test_of_the_attributes_of_a_file_those_of_users_its_acl_and_its_label_stay(tmp_path, monkeypatch):
    path = tmp_path / "f"
    path.write_bytes(OLD)
    there = resolve_file(str(path))
    seen = file_at(there)[1]
    kept, others = [ACCESS, "security.selinux", "user.note"], ["security.capability", "system.other", "trusted.user."]
    given = []
    monkeypatch.setattr(os, "listxattr", lambda _handle: kept + others)
    monkeypatch.setattr(os, "getxattr", lambda _handle, name: name.encode())
    monkeypatch.setattr(os, "setxattr", lambda _handle, name, value: given.append((name, value)))
    write(there, seen, OLD, NEW, -1, -1, 0o644, in_place=False, keep=False)
    assert given == [(name, name.encode()) for name in kept]


@needs_acls
@pytest.mark.parametrize(
    ("call", "name", "error", "matters"),
    [
        ("listxattr", "", errno.ENOTSUP, False),
        ("listxattr", "", errno.EIO, True),
        *(
            ("setxattr", "user.note", error, False)
            for error in (errno.ENOTSUP, errno.EPERM, errno.ENODATA, errno.EINVAL)
        ),
        ("setxattr", "user.note", errno.ENOSPC, True),
        ("setxattr", "security.selinux", errno.EPERM, False),
        *(("setxattr", ACCESS, error, True) for error in (errno.ENOTSUP, errno.EPERM, errno.ENODATA, errno.EINVAL)),
    ],
)
def test_an_acl_that_cannot_be_kept_is_a_failure_and_a_note_is_not(tmp_path, monkeypatch, call, name, error, matters):
    path = tmp_path / "f"
    path.write_bytes(OLD)
    there = resolve_file(str(path))
    seen = file_at(there)[1]

    def failing(*_arguments):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "listxattr", lambda _handle: [name])
    monkeypatch.setattr(os, "getxattr", lambda _handle, _name: b"")
    monkeypatch.setattr(os, call, failing)
    with cannot_write("it cannot be written: " + os.strerror(error)) if matters else contextlib.nullcontext():
        write(there, seen, OLD, NEW, -1, -1, 0o644, in_place=False, keep=False)
    assert path.read_bytes() == (OLD if matters else NEW)
    assert names(tmp_path) == ["f"]


def status_with(fields: dict[str, Any]) -> Any:
    """What os.stat() would return, as far as it is compared."""
    return SimpleNamespace(**fields)


def test_a_file_whose_owner_or_mode_was_changed_and_changed_back_is_looked_at_again(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(OLD)
    there = resolve_file(str(path))
    now = file_at(there)[1]
    # The system notes the time of each change.
    seen = {name: getattr(now, name) for name in dir(now) if name.startswith("st_")}
    seen["st_ctime_ns"] -= 1
    with pytest.raises(ChangedMeanwhile):
        apply_ownership(there, status_with(seen), -1, -1, 0o600)
    assert mode_of(path) == stat.S_IMODE(now.st_mode)


def test_while_it_is_written_nobody_else_can_open_the_new_file(tmp_path, monkeypatch):
    os.umask(0)
    path = tmp_path / "f"
    path.write_bytes(OLD)
    path.chmod(0o666)
    seen = []

    def watched(handle, *data):
        status = os.fstat(handle)
        if stat.S_ISREG(status.st_mode):
            (private,) = tmp_path.glob(".ansible_tmp*")
            seen.append((mode_of(private), names(private), stat.S_IMODE(status.st_mode), path.read_bytes()))
        return sum(map(len, data))

    monkeypatch.setattr(os, "fsync", watched)
    monkeypatch.setattr(os, "write", watched)
    put(path, mode=0o640)
    # Its own mode comes after its text.
    assert seen == [(0o700, ["f"], 0o600, OLD), (0o700, ["f"], 0o640, OLD)]


@pytest.mark.parametrize("kind", ["link", "other name", "file"])
@pytest.mark.parametrize("exists", [True, False])
def test_nothing_that_is_put_into_the_private_directory_is_written_to(tmp_path, monkeypatch, kind, exists):
    (tmp_path / "victim").write_bytes(b"theirs")
    if exists:
        (tmp_path / "f").write_bytes(OLD)
    listdir = os.listdir

    def raced(handle):
        found = listdir(handle)
        planted = Path(os.readlink("/proc/self/fd/%d" % handle)) / "f"
        if kind == "link":
            planted.symlink_to(tmp_path / "victim")
        elif kind == "other name":
            os.link(tmp_path / "victim", planted)
        else:
            planted.write_bytes(b"theirs")
        return found

    monkeypatch.setattr(os, "listdir", raced)
    with cannot_write("it cannot be written: File exists"):
        put(tmp_path / "f")
    assert (tmp_path / "victim").read_bytes() == b"theirs"
    assert (tmp_path / "f").exists() is exists
    assert not exists or (tmp_path / "f").read_bytes() == OLD


def test_a_file_that_was_written_meanwhile_is_not_overwritten(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(OLD)
    there = resolve_file(str(path))
    _data, seen = file_at(there)
    os.utime(str(path), ns=(1, 1))
    for keep in (False, True):
        with pytest.raises(ChangedMeanwhile):
            write(there, seen, OLD, NEW, -1, -1, 0o644, in_place=True, keep=keep)
    with pytest.raises(ChangedMeanwhile):
        apply_ownership(there, seen, -1, -1, 0o600)
    with pytest.raises(ChangedMeanwhile):
        unlink(there, seen, Old(there, seen, OLD), True)
    path.unlink()
    with pytest.raises(ChangedMeanwhile):
        write(there, seen, OLD, NEW, -1, -1, 0o644, in_place=True, keep=False)
    assert names(tmp_path) == []


@pytest.mark.parametrize("change", [-1, 1])
@pytest.mark.parametrize("moved", [True, False])
def test_a_file_is_the_one_that_was_seen_if_all_is_the_same_but_the_change_of_its_name(tmp_path, moved, change):
    (tmp_path / "f").write_bytes(OLD)
    now = (tmp_path / "f").stat()
    seen = {name: getattr(now, name) for name in dir(now) if name.startswith("st_")}
    directory = os.open(tmp_path, os.O_RDONLY)
    different = set()
    try:
        _write.prove_unchanged(directory, "f", status_with(seen), *[True] * moved)
        for name, value in seen.items():
            try:
                _write.prove_unchanged(directory, "f", status_with({**seen, name: value + change}), *[True] * moved)
            except ChangedMeanwhile:
                different.add(name)
    finally:
        os.close(directory)
    expected = {"st_dev", "st_ino", "st_mode", "st_size", "st_mtime_ns"}
    # The system notes that a file is moved.
    assert different == (expected if moved else expected | {"st_ctime_ns"})


@pytest.mark.parametrize(
    ("exists", "becomes"), [(True, "gone"), (True, "other"), (True, "link"), (False, "other"), (False, "link")]
)
def test_what_happens_to_the_name_at_the_last_moment_is_seen(tmp_path, monkeypatch, exists, becomes):
    path = tmp_path / "f"
    if exists:
        path.write_bytes(OLD)
    (tmp_path / "target").write_bytes(b"theirs")

    def raced(_handle):
        if exists:
            path.unlink()
        if becomes == "other":
            path.write_bytes(b"theirs")
        elif becomes == "link":
            path.symlink_to("target")

    monkeypatch.setattr(os, "fsync", raced)
    with pytest.raises(ChangedMeanwhile):
        put(path)
    assert (tmp_path / "target").read_bytes() == b"theirs"
    assert [name for name in names(tmp_path) if name not in ("f", "target")] == []


@pytest.mark.parametrize("call", ["mkdir", "open", "write", "fchmod", "fsync", "rename"])
@pytest.mark.parametrize("exists", [True, False])
def test_what_fails_is_told_and_leaves_everything_as_it_was(tmp_path, monkeypatch, exists, call):
    path = tmp_path / "f"
    if exists:
        path.write_bytes(OLD)
    there = resolve_file(str(path))
    seen = file_at(there)[1] if exists else None
    before = [entry[:4] for entry in snapshot(tmp_path).values()]
    real = getattr(os, call)

    def full(*arguments, **options):
        if call == "open" and arguments[0] != there.name:
            return real(*arguments, **options)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if call == "rename" and not exists:
        monkeypatch.setattr(_rename, "_renameat2", lambda *_arguments: errno.ENOSPC)
    else:
        monkeypatch.setattr(os, call, full)
    with cannot_write("it cannot be written: No space left on device"):
        write(there, seen, OLD, NEW, -1, -1, 0o644, in_place=True, keep=False)
    assert [entry[:4] for entry in snapshot(tmp_path).values()] == before
    assert not exists or path.read_bytes() == OLD


def test_a_private_directory_that_others_fill_is_not_used(tmp_path, monkeypatch):
    mkdir = os.mkdir

    def raced(name, mode=0o777, *, dir_fd=None):
        mkdir(name, mode, dir_fd=dir_fd)
        (tmp_path / name / "planted").write_bytes(b"")

    monkeypatch.setattr(os, "mkdir", raced)
    with cannot_write("another process has replaced"):
        put(tmp_path / "f")
    assert not (tmp_path / "f").exists()


@pytest.mark.parametrize("mode", [0o701, 0o702, 0o704, 0o710, 0o720, 0o740])
def test_a_private_directory_that_others_may_use_is_not_used(tmp_path, monkeypatch, mode):
    mkdir = os.mkdir

    def opened(name, _mode=0o777, *, dir_fd=None):
        mkdir(name, 0o700, dir_fd=dir_fd)
        (tmp_path / name).chmod(mode)

    monkeypatch.setattr(os, "mkdir", opened)
    with cannot_write("a directory that was made there belongs to .* and has the mode %04o" % mode):
        put(tmp_path / "f")
    assert names(tmp_path) == []


@as_root
def test_a_private_directory_of_another_user_is_not_used(tmp_path, monkeypatch):
    mkdir = os.mkdir

    def given(name, mode=0o777, *, dir_fd=None):
        mkdir(name, mode, dir_fd=dir_fd)
        give(tmp_path / name, STRANGER)

    monkeypatch.setattr(os, "mkdir", given)
    with cannot_write("a directory that was made there belongs to %d and has the mode 0700" % STRANGER):
        put(tmp_path / "f")
    assert names(tmp_path) == []


@pytest.mark.parametrize("error", [errno.ENODATA, errno.ENOTSUP, errno.EIO])
def test_a_private_directory_without_acls_is_as_good_as_one_that_loses_them(tmp_path, monkeypatch, error):
    asked = []

    def none(_handle, name):
        asked.append(name)
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "removexattr", none, raising=False)
    if error == errno.EIO:
        with cannot_write("it cannot be written: Input/output error"):
            put(tmp_path / "f")
        assert names(tmp_path) == []
    else:
        put(tmp_path / "f")
        assert (tmp_path / "f").read_bytes() == NEW
        assert asked == [DEFAULT, ACCESS]


@pytest.mark.parametrize("call", ["removexattr", "listxattr"])
def test_a_python_that_knows_no_attributes_writes_without_them(tmp_path, monkeypatch, call):
    (tmp_path / "f").write_bytes(OLD)
    monkeypatch.delattr(os, call, raising=False)
    put(tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == NEW


def test_names_in_a_directory_that_cannot_be_opened_survive_a_power_cut_too(monkeypatch):
    synced = []
    monkeypatch.setattr(os, "sync", lambda: synced.append(True))
    with place() as there:
        path = new(there / "d") / "f"
        if ROOT:
            give(path.parent, NOBODY)
        path.parent.chmod(0o300)
        with without_root():
            put(path)
        assert path.read_bytes() == NEW
        assert synced


# A file that cannot be replaced


@pytest.mark.parametrize("error", [errno.EBUSY, errno.EPERM, errno.EACCES, errno.EROFS])
@pytest.mark.parametrize("keep", [False, True])
def test_a_file_that_cannot_be_replaced_is_overwritten_if_allowed(tmp_path, monkeypatch, error, keep):
    path = tmp_path / "f"
    path.write_bytes(OLD * 20)
    inode = path.stat().st_ino
    rename = os.rename

    def refused(source, target, **options):
        if target == "f":
            raise OSError(error, os.strerror(error))
        rename(source, target, **options)

    monkeypatch.setattr(os, "rename", refused)
    with cannot_write(os.strerror(error)):
        put(path)
    assert path.read_bytes() == OLD * 20
    kept = put(path, mode=0o600, in_place=True, keep=keep)
    assert (path.read_bytes(), mode_of(path), path.stat().st_ino) == (NEW, 0o600, inode)
    assert (kept is None) is not keep
    assert len(names(tmp_path)) == (2 if keep else 1)


def test_a_file_is_overwritten_for_good_when_it_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f"
    path.write_bytes(OLD * 20)
    inode = path.stat().st_ino
    seen = []

    def refused(_source: str, _target: str, **_options: Any) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    def watched(handle: int) -> None:
        if os.fstat(handle).st_ino == inode:
            seen.append((path.read_bytes(), mode_of(path)))

    monkeypatch.setattr(os, "rename", refused)
    monkeypatch.setattr(os, "fsync", watched)
    put(path, mode=0o600, in_place=True)
    assert seen == [(NEW, 0o600)]


@pytest.mark.parametrize("keep", [False, True])
def test_a_file_that_is_overwritten_in_part_keeps_its_backup(tmp_path, monkeypatch, keep):
    path = tmp_path / "f"
    path.write_bytes(OLD)
    rename = os.rename

    def busy(source, target, **options):
        if target == "f":
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        rename(source, target, **options)

    monkeypatch.setattr(os, "rename", busy)
    monkeypatch.setattr(os, "ftruncate", refused_by_the_system)
    with cannot_write(r"it may have been written in part.*: Operation not permitted", changed=True) as caught:
        put(path, in_place=True, keep=keep)
    kept = [name for name in names(tmp_path) if name != "f"]
    assert len(kept) == (1 if keep else 0)
    for name in kept:
        assert (tmp_path / name).read_bytes() == OLD
        assert 'and "%s" has the old text' % (tmp_path / name) in sentence(caught.value.reason)


def test_a_file_in_a_directory_that_cannot_be_written_is_overwritten_if_allowed():
    with place() as there:
        path = new(there / "d", 0o700) / "f"
        path.write_bytes(OLD)
        if ROOT:
            give(path, NOBODY)
            give(path.parent, NOBODY)
        path.parent.chmod(0o500)
        with without_root():
            with cannot_write("Permission denied"):
                put(path)
            put(path, in_place=True)
            assert path.read_bytes() == NEW
            # There is no room for a backup, and without one the file is not touched.
            with cannot_write("no backup can be made: Permission denied"):
                put(path, OLD, in_place=True, keep=True)
            assert path.read_bytes() == NEW


# Owner, group and mode alone


@as_root
def test_a_file_is_given_an_owner_a_group_and_a_mode(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(OLD)
    there = resolve_file(str(path))
    apply_ownership(there, file_at(there)[1], STRANGER, NOBODY, 0o600)
    status = path.stat()
    assert (status.st_uid, status.st_gid, mode_of(path)) == (STRANGER, NOBODY, 0o600)


@as_root
def test_a_file_with_other_names_is_left_alone_where_users_can_give_names(tmp_path):
    home = new(tmp_path / "home")
    (tmp_path / "secret").write_bytes(OLD)
    os.link(str(tmp_path / "secret"), str(home / "f"))
    there = resolve_file(str(home / "f"))
    apply_ownership(there, file_at(there)[1], -1, -1, 0o604)
    assert mode_of(tmp_path / "secret") == 0o604
    give(home, STRANGER)
    there = resolve_file(str(home / "f"))
    with cannot_write("it has other names .*, and other users can replace what is in"):
        apply_ownership(there, (home / "f").stat(), STRANGER, -1, 0o666)
    assert (mode_of(tmp_path / "secret"), (tmp_path / "secret").stat().st_uid) == (0o604, 0)


@as_root
def test_others_than_the_owner_are_told_that_they_may_not(tmp_path):
    with place() as there:
        (there / "f").write_bytes(OLD)
        found = resolve_file(str(there / "f"))
        with without_root(), cannot_write("mode cannot be changed: Operation not permitted$"):
            apply_ownership(found, file_at(found)[1], -1, -1, 0o600)
        give(there / "f", STRANGER)
        found = resolve_file(str(there / "f"))
        with without_capabilities(3), cannot_write(  # CAP_FOWNER
            "mode cannot be changed: Operation not permitted, even for root: a share with root_squash or a missing"
        ):
            apply_ownership(found, file_at(found)[1], -1, -1, 0o600)


@as_root
@pytest.mark.parametrize(("uid", "gid"), [(0, -1), (-1, 0), (0, 0), (1, 1), (2, 2)])
def test_every_number_of_a_user_or_a_group_is_given(tmp_path, uid, gid):
    path = tmp_path / "f"
    path.write_bytes(OLD)
    give(path, STRANGER)
    there = resolve_file(str(path))
    apply_ownership(there, file_at(there)[1], uid, gid, 0o600)
    expected = (STRANGER if uid == -1 else uid, STRANGER if gid == -1 else gid)
    assert (path.stat().st_uid, path.stat().st_gid) == expected


def test_the_bytes_of_a_file_are_compared_to_the_end(tmp_path):
    path = tmp_path / "f"
    for text, now in itertools.product((b"", b"1", b"12", b"123"), repeat=2):
        path.write_bytes(now)
        handle = os.open(path, os.O_RDONLY)
        try:
            with contextlib.nullcontext() if text == now else pytest.raises(ChangedMeanwhile):
                _write.prove_bytes(handle, text)
        finally:
            os.close(handle)


# Backups and removal


def test_a_backup_has_the_bytes_the_mode_and_the_times_of_the_file(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(OLD)
    path.chmod(0o604)
    os.utime(str(path), ns=(10**18, 10**18 + 1))
    kept = Path(put(path, keep=True))
    assert kept.parent == tmp_path
    assert (mode_of(kept), kept.stat().st_mtime_ns, kept.read_bytes()) == (0o604, 10**18 + 1, OLD)
    assert len(names(tmp_path)) == 2


@as_root
def test_a_backup_has_the_owner_and_the_group_of_the_file(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(OLD)
    os.chown(path, STRANGER, STRANGER + 1)
    path.chmod(0o6750)
    kept = Path(put(path, uid=0, gid=0, keep=True))
    assert (kept.stat().st_uid, kept.stat().st_gid, mode_of(kept)) == (STRANGER, STRANGER + 1, 0o6750)


def taken(path, old=None, backup=False):
    """Remove what has a path."""
    return unlink(ResolvedFile(resolve(str(path.parent)), path.name), path.lstat(), old, backup)


def old_at(path):
    """The file at a path, as a run has read it."""
    there = resolve_file(str(path))
    data, seen = file_at(there)
    return Old(there, seen, data)


def test_a_file_is_removed_and_a_link_without_its_target(tmp_path):
    (tmp_path / "f").write_bytes(OLD)
    (tmp_path / "link").symlink_to("f")
    taken(tmp_path / "link", old_at(tmp_path / "link"))
    assert names(tmp_path) == ["f"]
    seen = (tmp_path / "f").lstat()
    taken(tmp_path / "f")
    assert names(tmp_path) == []
    with pytest.raises(ChangedMeanwhile):
        unlink(ResolvedFile(resolve(str(tmp_path)), "f"), seen, None, False)


@pytest.mark.parametrize("act", ["write", "remove"])
def test_no_backup_stays_of_what_is_not_changed(tmp_path, monkeypatch, act):
    path = tmp_path / "f"
    path.write_bytes(OLD)
    there = resolve_file(str(path))
    seen = file_at(there)[1]
    real: Any = {"write": os.rename, "remove": os.unlink}[act]

    def failing(name, *arguments, **options):
        if name == "f" and (act == "write" or name in os.listdir(options["dir_fd"])):  # noqa: PTH208
            return refused_by_the_system()
        return real(name, *arguments, **options)

    monkeypatch.setattr(os, "rename" if act == "write" else "unlink", failing)
    run: Any = {
        "write": lambda: write(there, seen, OLD, NEW, -1, -1, 0o644, in_place=False, keep=True),
        "remove": lambda: unlink(there, seen, Old(there, seen, OLD), True),
    }[act]
    with cannot_write(r"it cannot be (written|removed): Operation not permitted"):
        run()
    assert names(tmp_path) == ["f"]
    assert path.read_bytes() == OLD


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("as_well", ["text", "time", "name"])
def test_a_file_that_changes_while_it_is_removed_is_put_back_or_beside_a_new_one(tmp_path, monkeypatch, again, as_well):
    path = tmp_path / "f"
    path.write_bytes(OLD)
    old = old_at(path)
    rename = os.rename

    def raced(name, new, **options):
        if as_well == "text":
            path.write_bytes(OLD.upper())
            os.utime(path, ns=(old.status.st_atime_ns, old.status.st_mtime_ns))
        elif as_well == "time":
            os.utime(path, ns=(1, 1))
        else:
            path.unlink()
            path.write_bytes(OLD)
            os.utime(path, ns=(1, 1))
        rename(name, new, **options)
        if again:
            path.write_bytes(b"theirs")

    monkeypatch.setattr(os, "rename", raced)
    text = OLD.upper() if as_well == "text" else OLD
    if not again:
        with pytest.raises(ChangedMeanwhile):
            taken(path, old, True)
        assert names(tmp_path) == ["f"]
        assert path.read_bytes() == text
        return
    said = "^it was not removed: another process has made a new one meanwhile; the old one is .* now$"
    with cannot_write(said, changed=True) as caught:
        taken(path, old, True)
    (beside,) = (name for name in names(tmp_path) if name != "f")
    assert '"%s"' % (tmp_path / beside) in sentence(caught.value.reason)
    assert (path.read_bytes(), (tmp_path / beside).read_bytes()) == (b"theirs", text)


@pytest.mark.parametrize(("backup", "said"), [(True, "no backup can be made"), (False, "it cannot be removed")])
def test_what_cannot_be_done_with_the_file_behind_a_link_is_told(tmp_path, backup, said):
    path = new(tmp_path / "d") / "f"
    path.write_bytes(OLD)
    (tmp_path / "link").symlink_to("d/f")
    old = old_at(tmp_path / "link")
    (tmp_path / "d").rename(tmp_path / "moved")
    with cannot_write("^%s: another process has replaced a part of the path$" % said):
        taken(tmp_path / "link", old, backup)
    assert names(tmp_path) == ["link", "moved"]


def test_a_removed_file_is_kept_beside_what_was_behind_the_link(tmp_path):
    path = new(tmp_path / "d") / "f"
    path.write_bytes(OLD)
    (tmp_path / "link").symlink_to("d/f")
    kept = Path(str(taken(tmp_path / "link", old_at(tmp_path / "link"), True)))
    assert (kept.parent, kept.read_bytes()) == (path.parent, OLD)
    assert names(tmp_path) == ["d"]


def test_what_fails_to_close_after_the_work_is_done_is_no_failure(tmp_path, monkeypatch):
    close = os.close

    def failing(handle):
        close(handle)
        if (tmp_path / "f").exists():
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "close", failing)
    there = resolve_file(str(tmp_path / "f"))
    write(there, None, None, NEW, -1, -1, 0o644, in_place=False, keep=False)
    monkeypatch.undo()
    assert (tmp_path / "f").read_bytes() == NEW


@pytest.mark.parametrize("by", ["link", "file", "nothing"])
def test_a_path_that_is_replaced_after_it_was_made_is_told(tmp_path, monkeypatch, by):
    (tmp_path / "elsewhere").mkdir()
    there = resolve_file(str(tmp_path / "a" / "f"))
    fsync = os.fsync

    def replaced(handle):
        fsync(handle)
        if (tmp_path / "a").exists():
            (tmp_path / "a").rename(tmp_path / "moved")
            if by == "link":
                (tmp_path / "a").symlink_to("elsewhere")
            elif by == "file":
                (tmp_path / "a").write_bytes(b"")

    monkeypatch.setattr(os, "fsync", replaced)
    with cannot_write("it was written, but another process has replaced a part of its path", changed=True):
        make_with_file(there, NEW, -1, -1, 0o644)
    assert names(tmp_path / "elsewhere") == []


# Ways that change


@pytest.mark.parametrize("act", ["write", "settle", "backup", "remove"])
def test_a_directory_that_was_replaced_by_a_link_is_not_entered(tmp_path, act):
    path = new(tmp_path / "d") / "f"
    path.write_bytes(OLD)
    (new(tmp_path / "victim") / "f").write_bytes(OLD)
    there = resolve_file(str(path))
    _data, seen = file_at(there)
    (tmp_path / "d").rename(tmp_path / "moved")
    (tmp_path / "d").symlink_to("victim")
    before = snapshot(tmp_path)
    with cannot_write("another process has replaced a part of the path"):
        {
            "write": lambda: write(there, seen, OLD, NEW, -1, -1, 0o644, in_place=True, keep=True),
            "settle": lambda: apply_ownership(there, seen, -1, -1, 0o666),
            "backup": lambda: unlink(ResolvedFile(resolve(str(tmp_path)), "other"), seen, Old(there, seen, OLD), True),
            "remove": lambda: unlink(there, seen, None, False),
        }[act]()
    assert snapshot(tmp_path) == before


@as_root
@pytest.mark.parametrize("act", ["make", "remove"])
def test_root_changes_nothing_behind_a_user_s_link(act):
    with place(0) as there:
        (new(there / "victim", 0o755) / "f").write_bytes(OLD)
        (there / "link").symlink_to("victim")
        give(there / "link", STRANGER)
        before = snapshot(there)
        path = there / "link" / ("f" if act == "remove" else "new/f")
        run: Any = {
            "remove": taken,
            "make": lambda path: make_with_file(resolve_file(str(path)), NEW, -1, -1, 0o644),
        }[act]
        with cannot_write("root does not follow it"):
            run(path)
        assert snapshot(there) == before


@as_root
def test_root_writes_nothing_behind_a_user_s_link():
    with place(0) as there:
        (new(there / "victim", 0o755) / "f").write_bytes(OLD)
        (there / "link").symlink_to("victim")
        give(there / "link", STRANGER)
        before = snapshot(there)
        with cannot_write("root does not follow it"):
            put(there / "link" / "f")
        assert snapshot(there) == before


@needs_handles
def test_the_handles_of_files_are_closed_after_success_and_failure(tmp_path):
    before = handles()
    for _time in range(2):
        put(tmp_path / "f", keep=True)
    there = resolve_file(str(tmp_path / "f"))
    seen = file_at(there)[1]
    put(tmp_path / "f", OLD)
    with pytest.raises(ChangedMeanwhile):
        write(there, seen, OLD, NEW, -1, -1, 0o644, in_place=True, keep=False)
    assert handles() == before


# What was done and may not last

DONE = {
    "directory changed": 'the directory "%s" was changed',
    "directory created": 'the directory "%s" was created',
    "file created": "it was written",
    "file created with its directories": "it was written",
    "file replaced": "it was written",
    "file kept and replaced": "it was written",
    "file settled": "its owner, group or mode was changed",
}


@pytest.mark.parametrize("error", [errno.EIO, errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
@pytest.mark.parametrize("act", DONE)
def test_what_was_done_and_may_not_survive_a_power_cut_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str, error: int
) -> None:
    path = tmp_path / "f"
    if act == "directory changed":
        path.mkdir(0o755)
    elif act == "file created with its directories":
        path = path / "a" / "f"
    elif "created" not in act:
        path.write_bytes(OLD)
    failed = []

    def done() -> bool:
        return (
            path.exists()
            and mode_of(path) == 0o640
            and (path.is_dir() or act == "file settled" or path.read_bytes() == NEW)
        )

    def lost(handle: int) -> None:
        """Fail to write what was done: for names, the directory with them."""
        own = act in ("directory changed", "file settled")
        if done() and os.path.samestat(os.fstat(handle), (path if own else tmp_path).stat()):
            failed.append(handle)
            raise OSError(error, os.strerror(error))

    def run() -> None:
        if act.startswith("directory"):
            make(inspect(str(path)), -1, -1, 0o640)
        elif act == "file settled":
            there = resolve_file(str(path))
            apply_ownership(there, file_at(there)[1], -1, -1, 0o640)
        else:
            put(path, mode=0o640, keep="kept" in act)

    monkeypatch.setattr(os, "fsync", lost)
    if error == errno.EIO:
        with pytest.raises(CannotWrite) as caught:
            run()
        said = DONE[act] % path if "%s" in DONE[act] else DONE[act]
        assert sentence(caught.value.reason) == said + ", but may not survive a power cut: Input/output error"
        assert caught.value.changed
        assert caught.value.backup == next((str(tmp_path / name) for name in names(tmp_path) if name != "f"), None)
    else:
        # A file system that knows no such thing.
        run()
    assert failed
    assert done()


@as_root
@pytest.mark.parametrize(("uid", "gid"), [(STRANGER, -1), (STRANGER, STRANGER + 1)])
def test_who_gives_a_file_away_without_rights_to_others_has_set_its_group_and_mode_before(
    tmp_path, monkeypatch, uid, gid
):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr(_write, "capable", lambda _capability: False)
    calls = []
    real = os.fchown

    def noted(handle, *ids):
        calls.append(ids)
        real(handle, *ids)

    monkeypatch.setattr(os, "fchown", noted)
    handle = os.open(tmp_path / "file", os.O_RDONLY)
    try:
        _write.set_owner_and_mode(handle, uid, gid, 0o640)
    finally:
        os.close(handle)
    now = (tmp_path / "file").stat()
    assert (now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode)) == (uid, max(gid, 0), 0o640)
    # The owner comes last.
    assert calls[-1] == (uid, -1)


def test_two_backups_of_one_second_have_names_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr("time.strftime", lambda _form: "now~")
    for text in (b"1", b"2"):
        (tmp_path / "f").write_bytes(text)
        put(tmp_path / "f", keep=True)
    copies = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.name != "f"}
    first = "f.%d.now~" % os.getpid()
    assert copies.pop(first) == b"1"
    ((second, text),) = copies.items()
    assert re.fullmatch("f\\.%d-[0-9a-f]{16}\\.now~" % os.getpid(), second)
    assert text == b"2"
