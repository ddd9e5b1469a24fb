# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What prevents writing, as far as the system tells it beforehand."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import sys

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import rights as _rights
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.obstacles import denied, one_owner, unwritable
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.reasons import sentence
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    NOBODY,
    ROOT,
    STRANGER,
    as_root,
    give,
    handles,
    new,
    place,
    without_root,
)

NOTHING = ""


@pytest.fixture
def mounts(monkeypatch):
    """Let the system tell of these mounts."""
    real = open

    def are(*lines):
        text = "".join("%s\n" % line for line in lines)

        def mounted(file, *arguments, **options):
            if file == "/proc/self/mountinfo":
                return io.StringIO(text) if options.get("encoding") else io.BytesIO(os.fsencode(text))
            return real(file, *arguments, **options)

        monkeypatch.setattr("builtins.open", mounted)

    return are


@pytest.fixture
def no_capabilities(monkeypatch):
    """This process has none."""
    files = {"status": b"CapEff:\t0000000000000000\n", "uid_map": b"0 0 99999\n", "gid_map": b"0 0 99999\n"}
    monkeypatch.setattr(_rights, "open", lambda name, _mode: io.BytesIO(files[name.split("/")[-1]]), raising=False)


@pytest.fixture
def refusing(monkeypatch):
    """A system that lets nobody write."""
    monkeypatch.setattr(os, "access", lambda *_arguments, **_options: False)
    monkeypatch.setattr(os, "supports_effective_ids", {os.access})


# Mounts


@pytest.mark.parametrize(
    ("name", "told"),
    [("f", "f"), ("a b", "a\\040b"), ("back\\slash", "back\\134slash"), ("\u00fc\u4e16", "\u00fc\u4e16")],
)
def test_a_mount_point_is_neither_replaced_nor_made(tmp_path, mounts, name, told):
    mounts(
        "21 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw",
        "22 21 8:1 /mnt/g %s/%s ro - ext4 /dev/sda1 rw" % (tmp_path, told),
        "23 21 8:1 %s/g /mnt rw - ext4 /dev/sda1 rw" % tmp_path,
    )
    wanted = "it is a mount point, which cannot be replaced or removed"
    assert sentence(unwritable(str(tmp_path / name))) == wanted
    assert unwritable(str(tmp_path / "g")) is None
    (tmp_path / name).write_bytes(b"")
    assert sentence(unwritable(str(tmp_path / name))) == wanted


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o701, 0o700])
@pytest.mark.parametrize("kind", ["vfat", "msdos", "exfat", "ext4", "fuse.vfat", "tmpfs"])
def test_a_file_system_that_knows_one_owner_and_mode_is_told_unless_it_suits(tmp_path, mounts, kind, mode):
    path = new(tmp_path / "d", mode)
    status = path.stat()
    device = "%d:%d" % (os.major(status.st_dev), os.minor(status.st_dev))
    elsewhere = "%d:%d" % (os.major(status.st_dev) + 1, os.minor(status.st_dev))
    mounts(
        "21 1 %s / / rw shared:1 - %s /dev/x rw" % (device, kind),
        "22 21 %s / /mnt rw - vfat /dev/y rw" % elsewhere,
        "23 21 0:0 / /mnt/x rw - msdos /dev/z rw",
    )
    wanted = '"%s" is on a file system of type %s, where all files have one owner and mode; use another file system' % (
        path,
        kind,
    )
    if mode == 0o700 or kind not in ("vfat", "msdos", "exfat"):
        wanted = NOTHING
    assert sentence(one_owner(str(path), status)) == sentence(unwritable(str(path / "f"))) == wanted
    if mode != 0o700:
        return
    # What is private belongs to this user, or is not meant to be private.
    other = os.stat_result([0o40700, 1, status.st_dev, 1, os.geteuid() + 1, 0, *[0] * 4])
    assert bool(one_owner(str(path), other)) is (kind in ("vfat", "msdos", "exfat"))


@as_root
def test_what_suits_one_who_is_not_root_is_the_own_private_directory(mounts):
    with place(STRANGER) as there:
        private = new(there / "d")
        status = private.stat()
        mounts("21 1 %d:%d / / rw - vfat /dev/x rw" % (os.major(status.st_dev), os.minor(status.st_dev)))
        for owner, told in ((STRANGER, False), (0, True), (NOBODY, True)):
            give(private, owner)
            with without_root(STRANGER):
                assert bool(one_owner(str(private), private.stat())) is told


# Rights


@pytest.mark.parametrize(
    ("mode", "writable"), [(0o700, True), (0o300, True), (0o500, False), (0o600, False), (0, False)]
)
def test_a_file_is_made_where_this_user_may_write_and_enter(mode, writable):
    with place() as there:
        folder = new(there / "d", mode)
        if ROOT:
            give(folder, NOBODY)
        folder.chmod(mode)
        with without_root():
            found = unwritable(str(folder / "f"))
            me = os.geteuid()
        folder.chmod(0o700)
        values = found and (found.code, found.values)
        assert values == (None if writable else ("no-right-to-write", {"user": me, "path": str(folder), "limit": None}))


@as_root
@pytest.mark.parametrize(
    ("folder", "file", "user", "replaced"),
    [
        (0, 0, STRANGER, False),
        (STRANGER, 0, STRANGER, True),
        (0, STRANGER, STRANGER, True),
        (NOBODY, NOBODY, STRANGER, False),
        # Root may, with CAP_FOWNER.
        (NOBODY, STRANGER, 0, True),
    ],
)
@pytest.mark.parametrize("sticky", [0o1000, 0])
def test_who_may_replace_a_file_in_a_sticky_directory(folder, file, user, replaced, sticky):
    with place(0) as there:
        above = new(there / "d")
        (above / "f").write_bytes(b"")
        give(above / "f", file)
        give(above, folder)
        above.chmod(0o777 | sticky)
        with without_root(user):
            found = [unwritable(str(above / name)) for name in ("f", "new")]
        wanted = 'only its owner may replace or remove it in "%s", which is sticky' % above
        assert [sentence(reason) for reason in found] == [NOTHING if replaced or not sticky else wanted, NOTHING]


@as_root
def test_root_without_capabilities_is_bound_by_a_sticky_directory(no_capabilities):
    with place(0) as there:
        above = new(there / "d", 0o1777)
        (above / "f").write_bytes(b"")
        assert unwritable(str(above / "f")) is None
        give(above / "f", STRANGER)
        assert unwritable(str(above / "f")) is None
        give(above, STRANGER)
        above.chmod(0o1777)
        assert sentence(unwritable(str(above / "f"))).startswith("only its owner may replace")
        assert unwritable(str(above / "new")) is None


@as_root
@pytest.mark.parametrize(
    ("user", "owner", "mode", "code"),
    [
        (0, 0, 0o644, "denied"),
        (0, 0, 0o444, "denied"),
        (0, STRANGER, 0o644, "denied-to-root"),
        (STRANGER, STRANGER, 0o644, "denied"),
        (STRANGER, STRANGER, 0o444, None),
        (STRANGER, 0, 0o644, None),
        (STRANGER, 0, 0o646, "denied"),
        (STRANGER, NOBODY, 0o646, "denied"),
    ],
)
def test_what_the_system_denies_although_the_mode_allows_it(refusing, user, owner, mode, code):
    with place(0) as there:
        path = there / "f"
        path.write_bytes(b"")
        give(path, owner)
        path.chmod(mode)
        with without_root(user):
            found = denied(str(path))
        values = {"path": str(path)} if code != "denied-to-root" else {"path": str(path), "owner": owner}
        assert (found and (found.code, found.values)) == (code and (code, values))
        (there / "link").symlink_to("f")
        with without_root(user):
            assert [denied(str(there / name)) for name in ("link", "gone")] == [None, None]


@as_root
@pytest.mark.parametrize(
    ("owner", "mode", "code"),
    [
        (0, 0o600, "denied"),
        (0, 0o477, None),
        (STRANGER, 0o602, "denied-to-root"),
        (STRANGER, 0o660, None),
        (STRANGER, 0o675, None),
    ],
)
def test_root_without_capabilities_is_denied_what_the_mode_gives_it(refusing, no_capabilities, owner, mode, code):
    with place(0) as there:
        path = there / "f"
        path.write_bytes(b"")
        give(path, owner)
        path.chmod(mode)
        found = denied(str(path))
        assert (found and found.code) == code


def test_a_read_only_file_system_is_told_first(tmp_path, monkeypatch, refusing):
    path = tmp_path / "f"
    path.write_bytes(b"")
    real = os.statvfs(str(tmp_path))
    for flags, code in ((0, "denied"), (os.ST_RDONLY, "read-only"), (os.ST_RDONLY | os.ST_NOSUID, "read-only")):
        monkeypatch.setattr(os, "statvfs", lambda _path, flags=flags: os.statvfs_result([*real[:8], flags, real[9]]))
        found = denied(str(path))
        assert found is not None
        assert (found.code, found.values["path"]) == (code, str(path))


# Attributes of the file system


@pytest.mark.parametrize(
    ("low", "high", "only"),
    [
        (0x20, 0, True),
        (0x80030, 0, True),
        (0xFFFFFFFF, 0, True),
        (0x10, 0, False),
        (0xFFFFFFDF, 0, False),
        (0, 0x20, False),
    ],
)
@pytest.mark.parametrize("kind", ["file", "directory"])
def test_what_can_only_be_appended_to_is_told_by_its_flags(tmp_path, monkeypatch, kind, low, high, only):
    path = tmp_path / "x"
    path.mkdir() if kind == "directory" else path.write_bytes(b"")
    asked = []

    def flags(handle, request, data):
        asked.append((os.path.samestat(os.fstat(handle), path.stat()), request, data))
        return low.to_bytes(4, sys.byteorder) + high.to_bytes(4, sys.byteorder)

    before = handles()
    monkeypatch.setattr(fcntl, "ioctl", flags)
    assert sentence(denied(str(path))) == ('"%s" is append-only; see lsattr' % path if only else NOTHING)
    # FS_IOC_GETFLAGS
    assert asked == [(True, 0x80086601, bytes(8))]
    assert handles() == before


@pytest.mark.parametrize("only", ["f", ""])
def test_a_file_is_not_replaced_if_it_or_its_directory_can_only_be_appended_to(tmp_path, monkeypatch, only):
    (tmp_path / "f").write_bytes(b"")
    marked = (tmp_path / only).stat().st_ino

    def flags(handle, _request, _data):
        return (0x20 if os.fstat(handle).st_ino == marked else 0).to_bytes(4, sys.byteorder) + bytes(4)

    monkeypatch.setattr(fcntl, "ioctl", flags)
    assert sentence(unwritable(str(tmp_path / "f"))) == '"%s" is append-only; see lsattr' % (tmp_path / only)


def test_only_files_and_directories_are_asked_for_flags_and_not_all_have_some(tmp_path, monkeypatch):
    asked = []

    def refuse(handle, _request, _data):
        asked.append(os.fstat(handle).st_ino)
        raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))

    monkeypatch.setattr(fcntl, "ioctl", refuse)
    os.mkfifo(str(tmp_path / "pipe"))
    (tmp_path / "f").write_bytes(b"")
    before = handles()
    assert [denied(str(tmp_path / name)) for name in ("pipe", "f")] == [None, None]
    assert denied("/dev/null") is None
    assert asked == [(tmp_path / "f").stat().st_ino]
    assert handles() == before


def test_a_system_that_tells_of_no_mounts_has_none_that_matter(tmp_path, monkeypatch):
    path = new(tmp_path / "d", 0o755)

    def missing(*_arguments, **_options):
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", missing)
    assert one_owner(str(path), path.stat()) is None
    assert unwritable(str(path / "f")) is None
