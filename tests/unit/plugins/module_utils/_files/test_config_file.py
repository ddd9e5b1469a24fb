# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading real files, and telling beforehand whether they can be written."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import MAX_BYTES
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.config import to_problems
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.access import user_name
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.config_file import (
    Unreadable,
    read,
    resolve_file,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.obstacles import denied, unwritable
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.common import file_problems
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.reasons import finding_of, sentence
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.acls import (
    ACCESS,
    USER,
    entries,
    needs_acls,
    set_acl,
)
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


def read_file(path):
    found = read(resolve_file(str(path)))
    return found[0] if found else None


def refusal(path):
    with pytest.raises(Unreadable) as caught:
        read_file(path)
    (problem,) = to_problems([finding_of(caught.value)])
    assert problem.sentence() == "%s; %s" % (problem.message, problem.remedy)
    assert problem.severity == "error"
    return problem


@pytest.mark.parametrize("data", [b"", b"[cache]\n", b"\xff\x00", b"x" * MAX_BYTES], ids=len)
def test_a_file_is_read_as_it_is(tmp_path, data):
    (tmp_path / "f").write_bytes(data)
    assert read_file(tmp_path / "f") == data


def test_a_link_is_followed(tmp_path):
    (tmp_path / "f").write_bytes(b"x")
    (tmp_path / "link").symlink_to("f")
    assert read_file(tmp_path / "link") == b"x"


def test_no_file_is_none(tmp_path):
    assert read_file(tmp_path / "f") is None
    assert read_file(tmp_path / "no" / "f") is None


def test_a_dangling_link_is_named_with_its_target(tmp_path):
    (tmp_path / "link").symlink_to("nowhere/f")
    problem = refusal(tmp_path / "link")
    assert problem.code == "dangling-link"
    assert problem.message == "it is a symbolic link to nowhere/f, which does not exist"


def test_a_loop_of_links_is_unreadable(tmp_path):
    (tmp_path / "link").symlink_to("link")
    assert refusal(tmp_path / "link").code == "unreadable"


def test_a_file_as_parent_is_unreadable(tmp_path):
    (tmp_path / "f").write_bytes(b"")
    problem = refusal(tmp_path / "f" / "config.toml")
    assert (problem.code, problem.message) == (
        "unreadable",
        'it cannot be read: "%s" is not a directory' % (tmp_path / "f"),
    )


def test_a_directory_is_no_file(tmp_path):
    problem = refusal(tmp_path)
    assert (problem.code, problem.message) == ("not-a-file", "it is a directory")


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(str(tmp_path / "pipe"))
    problem = refusal(tmp_path / "pipe")
    assert (problem.code, problem.message) == ("not-a-file", "it is not a regular file")


def test_a_device_is_refused():
    assert refusal("/dev/null").code == "not-a-file"


def test_a_huge_file_is_refused_by_its_size(tmp_path):
    with (tmp_path / "f").open("wb") as file:
        file.truncate(10 * 2**20)
    problem = refusal(tmp_path / "f")
    assert (problem.code, problem.message) == (
        "too-large",
        "the file has 10485760 bytes, and at most 65536 are read",
    )


def test_the_first_byte_too_much_is_refused(tmp_path):
    (tmp_path / "f").write_bytes(b"x" * (MAX_BYTES + 1))
    assert refusal(tmp_path / "f").code == "too-large"


def test_a_file_without_the_right_to_read_is_unreadable():
    with place() as there:
        (there / "f").write_bytes(b"x")
        (there / "f").chmod(0)
        with without_root():
            problem = refusal(there / "f")
    assert (problem.code, problem.message) == ("unreadable", "it cannot be read: Permission denied")


@pytest.mark.skipif(
    not Path("/proc/self/mem").exists(), reason="needs a file that fails while it is read: Linux's /proc"
)
def test_an_error_while_reading_is_unreadable():
    problem = refusal("/proc/self/mem")
    assert problem.code == "unreadable"
    assert problem.message.startswith("it cannot be read: ")


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs a file with another size than it says: /proc")
def test_a_file_that_has_more_than_its_size_is_not_taken_in_part():
    assert refusal("/proc/version").code == "changing"


def test_a_file_that_changes_while_it_is_read_is_never_taken(tmp_path):
    path = tmp_path / "f"
    contents = [bytes([letter]) * (MAX_BYTES - 7 * letter) for letter in b"abc"]
    path.write_bytes(contents[0])
    stop = threading.Event()

    def write():
        while not stop.is_set():
            for content in contents:
                with path.open("r+b") as file:
                    file.write(content)
                    file.truncate()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    deadline = time.monotonic() + 600
    try:
        while "changing" not in seen:
            assert time.monotonic() < deadline, "this hangs: no change is seen"
            try:
                read_file(path)
            except Unreadable as error:
                seen.add(error.finding.name)
    finally:
        stop.set()
        writer.join()
    assert seen == {"changing"}


@pytest.mark.parametrize("changed", ["time", "earlier", "size", "size and time back", "less", "nothing"])
def test_a_file_that_was_written_while_it_was_read_is_not_taken(tmp_path, monkeypatch, changed):
    path = tmp_path / "f"
    path.write_bytes(b"[cache]\n")
    place_of_file = resolve_file(str(path))
    status = path.stat()
    real = os.read

    def raced(handle, size):
        data = real(handle, size)
        if not data:
            if changed == "less":
                os.truncate(str(path), 3)
                os.utime(str(path), ns=(status.st_atime_ns, status.st_mtime_ns))
            if changed == "earlier":
                os.utime(str(path), ns=(status.st_atime_ns, status.st_mtime_ns - 1000000))
            if changed.startswith("size"):
                with path.open("ab") as file:
                    file.write(b"# more\n")
            if changed == "time":
                os.utime(str(path), ns=(status.st_atime_ns, status.st_mtime_ns + 1000000))
            elif changed == "size and time back":
                os.utime(str(path), ns=(status.st_atime_ns, status.st_mtime_ns))
        return data

    monkeypatch.setattr(os, "read", raced)
    if changed == "nothing":
        found = read(place_of_file)
        assert found is not None
        assert found[0] == b"[cache]\n"
        assert (found[1].st_ino, found[1].st_size) == (status.st_ino, status.st_size)
        return
    with pytest.raises(Unreadable) as caught:
        read(place_of_file)
    assert (caught.value.finding.name, caught.value.finding.facts) == ("changing", {})


def test_a_file_that_ends_before_its_size_is_not_taken_in_part(tmp_path, monkeypatch):
    (tmp_path / "f").write_bytes(b"[cache]\n")
    monkeypatch.setattr(os, "read", lambda _handle, _size: b"")
    with pytest.raises(Unreadable) as caught:
        read(resolve_file(str(tmp_path / "f")))
    assert caught.value.finding.name == "changing"


@pytest.mark.parametrize("most", [1, 1000, MAX_BYTES])
def test_a_file_that_comes_in_pieces_is_read_as_a_whole(tmp_path, monkeypatch, most):
    data = b"0123456789" * 300
    (tmp_path / "f").write_bytes(data)
    real = os.read
    asked = []

    def short(handle, size):
        asked.append(size)
        return real(handle, min(size, most))

    monkeypatch.setattr(os, "read", short)
    assert read_file(tmp_path / "f") == data
    # Never more than one byte too much.
    assert asked == [MAX_BYTES + 1 - n for n in (*range(0, len(data), most), len(data))]


@pytest.mark.parametrize(
    ("becomes", "wanted"),
    [
        ("link", "changing"),
        ("link to itself", "changing"),
        ("directory", "is-a-directory"),
        ("pipe", "not-a-file"),
        ("nothing", None),
        ("nothing above", None),
        ("another directory above", "changing"),
    ],
)
def test_what_a_name_becomes_before_it_is_read_is_seen(tmp_path, becomes, wanted):
    folder = tmp_path / "d"
    folder.mkdir()
    path = folder / "f"
    path.write_bytes(b"")
    (tmp_path / "g").write_bytes(b"")
    place_of_file = resolve_file(str(path))
    path.unlink()
    if becomes.startswith("link"):
        path.symlink_to("f" if becomes.endswith("itself") else "../g")
    elif becomes == "directory":
        path.mkdir()
    elif becomes == "pipe":
        os.mkfifo(str(path))
    elif becomes.endswith("above"):
        folder.rename(tmp_path / "old")
        if becomes != "nothing above":
            folder.mkdir()
            path.write_bytes(b"")
    before = handles()
    if wanted is None:
        assert read(place_of_file) is None
    else:
        with pytest.raises(Unreadable) as caught:
            read(place_of_file)
        assert (caught.value.finding.name, str(caught.value)) == (wanted, wanted)
    assert handles() == before


@pytest.mark.parametrize("name", ["", "/", "/.", "/..", "/d/", "/d/.", "/d/.."])
def test_a_path_that_ends_with_a_directory_is_none_of_a_file(tmp_path, name):
    (tmp_path / "d").mkdir()
    with pytest.raises(Unreadable) as caught:
        read(resolve_file("%s%s" % (tmp_path, name)))
    assert (caught.value.finding.name, caught.value.finding.facts) == ("is-a-directory", {})


def test_a_name_that_the_system_does_not_take_is_told(tmp_path):
    with pytest.raises(Unreadable) as caught:
        resolve_file(str(tmp_path / ("x" * 300)))
    assert caught.value.finding.name == "unreadable"
    assert sentence(caught.value.finding.facts["reason"]) == os.strerror(errno.ENAMETOOLONG)


def test_a_file_beyond_a_missing_directory_is_missing(tmp_path):
    (tmp_path / "c.toml").write_bytes(b"")
    path = tmp_path / "missing" / ".." / "c.toml"
    assert not path.exists()
    with pytest.raises(Unreadable) as caught:
        resolve_file(str(path))
    assert caught.value.finding.name == "detour"


@pytest.mark.parametrize("number", [1, 2, 39, 40, 41, 60])
def test_as_many_links_to_a_file_are_followed_as_the_kernel_follows(tmp_path, number):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "0").write_bytes(b"x")
    (tmp_path / "0").symlink_to("d/0")
    for link in range(1, number):
        (tmp_path / str(link)).symlink_to(str(link - 1))
    last = tmp_path / str(number - 1)
    if not last.exists():
        with pytest.raises(Unreadable) as caught:
            resolve_file(str(last))
        assert (caught.value.finding.name, caught.value.finding.facts) == ("too-many-links", {})
        return
    found = resolve_file(str(last))
    assert (found.path, found.name) == (str(tmp_path / "d" / "0"), "0")
    # The last one is that of the directory.
    names = [str(tmp_path / str(link)) for link in reversed(range(number))]
    assert found.names() == [*names, str(tmp_path / "d" / "0")]
    assert [owner for _link, _status, owner in found.resolved.links] == [os.geteuid()] * number
    assert [path for path, _status in found.resolved.visited][-1] == str(tmp_path / "d")
    assert str(tmp_path) in [path for path, _status in found.resolved.visited]
    (tmp_path / "d" / "0").unlink()
    with pytest.raises(Unreadable) as caught:
        resolve_file(str(last))
    assert (caught.value.finding.name, caught.value.finding.facts) == ("dangling-link", {"target": "d/0"})


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs links of the system: /proc")
@pytest.mark.parametrize("size", [40, 63, 64, 65, 200])
def test_a_link_of_the_system_leads_only_others_than_root_to_a_file(size):
    """Linux says that the text of each link to an open file has 64 bytes."""
    with place(os.geteuid()) as there:
        path = there / ("x" * (size - len(str(there)) - 1))
        path.write_bytes(b"x")
        with path.open("rb") as file:
            link = "/proc/%d/fd/%d" % (os.getpid(), file.fileno())
            assert len(os.readlink(link)) == size
            if os.geteuid() != 0:
                assert read_file(link) == b"x"
                return
            with pytest.raises(Unreadable) as caught:
                resolve_file(link)
    found = caught.value.finding
    assert (found.name, found.facts["reason"].code, found.facts["reason"].values) == (
        "denied",
        "link-of-system",
        {"path": link},
    )


@as_root
@pytest.mark.parametrize("of", ["file", "directory", "both"])
def test_root_follows_links_to_a_file_only_where_their_owners_may_go(of):
    with place(0) as there:
        there.chmod(0o755)
        closed = new(there / "closed", 0o700)
        (closed / "f").write_bytes(b"x")
        (there / "to-file").symlink_to("closed/f" if of == "file" else "to-directory/f")
        (there / "to-directory").symlink_to("closed")
        start = there / ("to-directory/f" if of == "directory" else "to-file")
        assert read_file(start) == b"x"
        give(there / ("to-directory" if of == "directory" else "to-file"), STRANGER)
        with pytest.raises(Unreadable) as caught:
            resolve_file(str(start))
        found = caught.value.finding
        assert (found.name, found.facts["reason"].code, found.facts["reason"].values["user"]) == (
            "denied",
            "link-barred",
            STRANGER,
        )
        # The kernel says what others than root may.
        give(closed, NOBODY)
        with without_root():
            assert resolve_file(str(start)).path == str(closed / "f")
        closed.chmod(0o711)
        assert resolve_file(str(start)).path == str(closed / "f")


def test_every_link_that_leads_to_a_file_is_one_of_its_names(tmp_path):
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "e" / "f").write_bytes(b"")
    for name, target in (("1", "2/3"), ("2", "d"), ("d/3", "../4/5/f"), ("4", "2"), ("d/5", "e")):
        (tmp_path / name).symlink_to(target)
    # Those of directories come before what is found in them.
    names = [str(tmp_path / name) for name in ("1", "2", "d/3", "4", "2", "d/5", "d/e/f")]
    assert sorted(resolve_file(str(tmp_path / "1")).names()) == sorted(names)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs links of the system: /proc")
def test_a_link_of_the_system_is_one_to_others_than_root():
    if os.geteuid() == 0:
        with pytest.raises(Unreadable) as caught:
            resolve_file("/proc/self")
        assert caught.value.finding.name == "denied"
    with without_root():
        assert resolve_file("/proc/self").names() == ["/proc/self", "/proc/%d" % os.getpid()]


def test_a_directory_above_that_may_not_be_entered_is_denied():
    with place() as there:
        new(new(there / "closed", 0o755) / "d", 0)
        with without_root():
            with pytest.raises(Unreadable) as caught:
                resolve_file(str(there / "closed" / "d" / "x" / "f"))
            assert caught.value.finding.name == "denied"
            with pytest.raises(Unreadable) as caught:
                resolve_file(str(there / ("x" * 300) / "f"))
            assert caught.value.finding.name == "unreadable"
        (there / "closed" / "d").chmod(0o700)


def test_what_can_be_written_has_no_reason_against_it(tmp_path):
    (tmp_path / "f").write_bytes(b"")
    assert unwritable(str(tmp_path / "f")) is None
    assert unwritable(str(tmp_path / "new" / "deep" / "f")) is None


def test_a_file_as_parent_is_the_reason(tmp_path):
    (tmp_path / "f").write_bytes(b"")
    reason = '"%s" is not a directory' % (tmp_path / "f")
    assert sentence(unwritable(str(tmp_path / "f" / "new"))) == reason
    assert sentence(unwritable(str(tmp_path / "f" / "new" / "deeper"))) == reason


def test_a_directory_without_the_right_to_write_is_the_reason():
    with place() as there:
        (there / "d").mkdir()
        (there / "d" / "f").write_bytes(b"")
        (there / "d" / "f").chmod(0o666)
        (there / "d").chmod(0o555)
        with without_root():
            reason = sentence(unwritable(str(there / "d" / "f")))
            assert reason.endswith(' may not write in "%s"' % (there / "d"))
            assert reason.startswith("the user ")
            assert sentence(unwritable(str(there / "d" / "new"))) == reason
        (there / "d").chmod(0o755)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user whom passwd does not know")
def test_a_user_without_a_name_is_named_by_number():
    with place() as there:
        with without_root(STRANGER):
            reason = sentence(unwritable(str(there / "f")))
        assert reason == 'the user %d may not write in "%s"' % (STRANGER, there)


def reason_where_mounted(path, file, commands):
    """What unwritable() says after these commands, in a mount name space that nobody else sees."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("needs unshare to mount a file system that nobody else sees")
    mount = [unshare, "-m"] if os.geteuid() == 0 else [unshare, "-r", "-m"]
    mounted = '%s || exit 77; shift; exec "$@"' % commands
    code = (
        "import sys\n"
        "from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.obstacles import unwritable\n"
        "from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.reasons import sentence\n"
        "print(sentence(unwritable(sys.argv[1])))\n"
    )
    root = __file__[: __file__.index("/ansible_collections/")]
    result = subprocess.run(
        [*mount, "sh", "-c", mounted, str(path), str(path), sys.executable, "-c", code, str(file)],
        capture_output=True,
        text=True,
        env=dict(os.environ, PYTHONPATH=root, PYTHONUTF8="1"),
        check=False,
    )
    if result.returncode == 77 or "unshare" in result.stderr:
        pytest.skip("may not mount here: %s" % result.stderr.strip())
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_a_read_only_file_system_is_the_reason(tmp_path):
    reason = reason_where_mounted(tmp_path, tmp_path / "f", 'mount -t tmpfs -o ro none "$1"')
    assert reason == '"%s" is on a read-only file system' % tmp_path


@pytest.mark.parametrize("name", ["config.toml", "a b.toml", "\u00fc\u4e16.toml", "back\\slash"])
def test_a_mounted_file_can_only_be_overwritten(tmp_path, name):
    """As containers mount single files."""
    path = tmp_path / name
    path.write_bytes(b"")
    reason = reason_where_mounted(path, path, 'mount --bind "$1" "$1"')
    assert reason == "it is a mount point, which cannot be replaced or removed"


def test_a_system_without_mountinfo_has_no_mounted_files(tmp_path, monkeypatch):
    def fail(*_arguments):
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", fail)
    assert unwritable(str(tmp_path / "f")) is None


@as_root
def test_what_root_may_not_write_either_is_the_reason(tmp_path):
    (tmp_path / "f").write_bytes(b"")
    marked = subprocess.run(["chattr", "+i", str(tmp_path / "f")], check=False, capture_output=True, text=True)
    if marked.returncode:
        pytest.skip("the file system has no immutable files: %s" % marked.stderr.strip())
    try:
        reason = 'the system denies writing to "%s" although its mode allows it; see lsattr' % (tmp_path / "f")
        assert sentence(unwritable(str(tmp_path / "f"))) == sentence(denied(str(tmp_path / "f"))) == reason
    finally:
        subprocess.run(["chattr", "-i", str(tmp_path / "f")], check=True)
    assert denied(str(tmp_path / "f")) is None


@as_root
def test_what_can_only_be_appended_to_is_the_reason(tmp_path):
    (tmp_path / "f").write_bytes(b"")
    for marked in (tmp_path / "f", tmp_path):
        done = subprocess.run(["chattr", "+a", str(marked)], check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip("the file system has no append-only files: %s" % done.stderr.strip())
        try:
            reason = '"%s" is append-only; see lsattr' % marked
            assert sentence(unwritable(str(tmp_path / "f"))) == sentence(denied(str(marked))) == reason
        finally:
            subprocess.run(["chattr", "-a", str(marked)], check=True)
    assert unwritable(str(tmp_path / "f")) is None


@as_root
def test_in_a_sticky_directory_only_the_owner_replaces_a_file():
    with place(0) as there:
        there.chmod(0o1777)
        (there / "f").write_bytes(b"")
        with without_root():
            reason = sentence(unwritable(str(there / "f")))
            assert reason == 'only its owner may replace or remove it in "%s", which is sticky' % there
            assert unwritable(str(there / "new")) is None
            (there / "mine").write_bytes(b"")
            assert unwritable(str(there / "mine")) is None


# What root must not read for others


@as_root
def test_root_reads_no_secret_behind_a_user_s_link():
    with place(0) as there:
        home = new(there / "home", 0o755)
        give(home, STRANGER)
        secret = there / "secret"
        secret.write_bytes(b"secret")
        (home / "link").symlink_to(secret)
        give(home / "link", STRANGER)
        assert read_file(home / "link") == b"secret"
        secret.chmod(0o640)
        assert "root does not follow it" in refusal(home / "link").message
        # Its owner's own secrets are the owner's.
        (home / "mine").write_bytes(b"mine")
        (home / "mine").chmod(0o600)
        give(home / "mine", STRANGER)
        (home / "other").symlink_to("mine")
        assert read_file(home / "other") == b"mine"
        # What nobody can get at is a secret, too, whatever its mode.
        (new(there / "d") / "f").write_bytes(b"secret")
        (home / "third").symlink_to(there / "d" / "f")
        assert "root does not follow it" in refusal(home / "third").message


@as_root
def test_others_than_root_read_what_they_may():
    """The kernel keeps them from the rest."""
    with place(STRANGER) as there:
        (there / "f").write_bytes(b"mine")
        (there / "f").chmod(0o600)
        give(there / "f", NOBODY)
        os.link(str(there / "f"), str(there / "g"))
        with without_root():
            assert read_file(there / "f") == b"mine"
        assert "other users can replace" in refusal(there / "f").message
        (there / "g").unlink()
        assert "other users may not read" in refusal(there / "f").message


KEPT_OUT = (USER, 0, STRANGER)
SOMEBODY = (USER, 4, STRANGER + 7)


@as_root
@needs_acls
@pytest.mark.parametrize(
    ("led", "mode", "acl"),
    [
        ("moved", 0o600, None),
        # The mode shows the mask as the group's right.
        ("moved", 0o600, entries(4, SOMEBODY, owner=6)),
        ("moved", 0o644, entries(4, KEPT_OUT, owner=6, group=4, other=4)),
        ("shared", 0o600, None),
        # The members of the group can swap it and may not read it.
        ("shared", 0o604, None),
        ("shared", 0o600, entries(4, SOMEBODY, owner=6)),
        ("shared", 0o644, entries(4, KEPT_OUT, owner=6, group=4, other=4)),
    ],
)
def test_root_reads_no_secret_that_a_mode_or_an_acl_keeps_from_some(led, mode, acl):
    """It was moved to a home, or is in a directory in which a group may swap names."""
    with place(0) as there:
        home = new(there / "home", 0o755 if led == "moved" else 0o775)
        os.chown(str(home), STRANGER if led == "moved" else 0, STRANGER)
        home.chmod(0o755 if led == "moved" else 0o775)
        path = home / "f"
        path.write_bytes(b"secret")
        os.chown(str(path), 0, 0 if led == "moved" else STRANGER)
        path.chmod(mode)
        if acl is not None:
            set_acl(path, ACCESS, *acl)
        assert "other users may not read" in refusal(path).message
        os.chown(str(home), 0, 0)
        home.chmod(0o755)
        assert read_file(path) == b"secret"


@as_root
@needs_acls
@pytest.mark.parametrize(("mode", "acl"), [(0o705, None), (0o755, entries(5, KEPT_OUT, group=5, other=5))])
def test_root_reads_nothing_in_a_directory_that_keeps_some_out(mode, acl):
    with place(0) as there:
        home = new(there / "home", 0o755)
        give(home, STRANGER)
        directory = new(there / "d", mode)
        (directory / "f").write_bytes(b"secret")
        (directory / "f").chmod(0o644)
        (home / "link").symlink_to(directory / "f")
        give(home / "link", STRANGER)
        if acl is not None:
            set_acl(directory, ACCESS, *acl)
        assert "root does not follow it" in refusal(home / "link").message
        directory.chmod(0o755)
        if acl is None:
            assert read_file(home / "link") == b"secret"


@as_root
def test_root_reads_no_secret_that_a_user_has_given_another_name():
    with place(0) as there:
        home = new(there / "home", 0o755)
        secret = there / "secret"
        secret.write_bytes(b"secret")
        secret.chmod(0o600)
        os.link(str(secret), str(home / "f"))
        # Nobody but root gives names there.
        assert read_file(home / "f") == b"secret"
        give(home, STRANGER)
        assert refusal(home / "f").message.startswith(
            "it cannot be read: it is a file of root with other names (hard links), and other users can replace"
        )
        secret.chmod(0o644)
        assert read_file(home / "f") == b"secret"
        # Its own files are no secret from the user.
        secret.chmod(0o600)
        give(secret, STRANGER)
        assert read_file(home / "f") == b"secret"


# Who else can read or write it


def told(path, mode, uid, gid, user):
    return [(p.code, p.severity) for p in file_problems(resolve_file(str(path)), mode, uid, gid, user)]


UNREADABLE = ("unreadable", "error")
WRITABLE = ("file-writable-by-others", "danger")


@pytest.mark.skipif(not hasattr(fcntl, "F_SETLEASE"), reason="this system has no leases")
def test_nobody_is_waited_for_who_holds_a_lease(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(b"[cache]\n")
    # A process is told that its own lease is to end, and that of another one, too.
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    handle = os.open(path, os.O_WRONLY)
    try:
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        with pytest.raises(Unreadable) as caught:
            read_file(path)
    finally:
        os.close(handle)
        signal.signal(signal.SIGIO, before)
    assert caught.value.finding.name == "unreadable"
    assert read_file(path) == b"[cache]\n"


@pytest.mark.parametrize("kind", [0, stat.S_IFREG])
@pytest.mark.parametrize(
    ("mode", "uid", "gid", "wanted"),
    [
        (0o644, 0, 0, []),
        (0o604, 0, 0, []),
        (0o640, 0, 0, [UNREADABLE]),
        (0o600, 0, 0, [UNREADABLE]),
        (0o600, NOBODY, 0, []),
        (0o200, NOBODY, 0, [UNREADABLE]),
        (0o044, NOBODY, 0, [UNREADABLE]),
        (0o640, 0, NOBODY, []),
        (0o604, 0, NOBODY, [UNREADABLE]),
        (0o640, 0, None, []),
        (0o600, 0, None, [UNREADABLE]),
        (0o600, None, 0, [UNREADABLE]),
        (0o664, 0, 0, [WRITABLE]),
        (0o646, 0, 0, [WRITABLE]),
        (0o666, NOBODY, NOBODY, [WRITABLE]),
        (0o620, 0, 0, [UNREADABLE, WRITABLE]),
    ],
)
def test_a_file_is_judged_by_its_mode_and_owners(public, kind, mode, uid, gid, wanted):
    assert told(public / "new", kind | mode, uid, gid, NOBODY) == wanted
    # Root reads what it likes.
    assert told(public / "new", kind | mode, uid, gid, 0) == [found for found in wanted if found != UNREADABLE]


def test_the_problems_of_a_file_say_what_to_do(public):
    found = {p.code: p for p in file_problems(resolve_file(str(public / "new")), 0o020, 0, 0, STRANGER)}
    assert found["unreadable"].sentence() == (
        "%d may not read the file; set mode to 0644, or group to a group of %d" % (STRANGER, STRANGER)
    )
    assert found["file-writable-by-others"].message.startswith("users other than the owner can write to this file")
    assert found["file-writable-by-others"].remedy == "set mode to 0644, and remove ACLs"
    assert {p.setting for p in found.values()} == {None}


def test_who_cannot_come_to_the_file_cannot_read_it(tmp_path):
    tmp_path.chmod(0o700)
    path = resolve_file(str(tmp_path / "new"))
    problem, *owned = file_problems(path, 0o644, os.geteuid(), 0, STRANGER)
    assert (problem.code, problem.severity) == UNREADABLE
    assert [(p.code, p.severity) for p in owned] == ([] if os.geteuid() == 0 else [WRITABLE])
    assert problem.message.startswith("%d may not enter " % STRANGER)
    assert file_problems(path, 0o644, os.geteuid(), 0, os.geteuid()) == []


@needs_acls
def test_the_acl_of_a_file_counts(public):
    path = public / "f"
    path.write_bytes(b"")
    path.chmod(0o600)
    uid = path.stat().st_uid

    def now():
        return told(path, path.stat().st_mode, uid, 0, STRANGER)

    # To the stranger, everybody but root is another user.
    owned = [] if uid == 0 else [WRITABLE]
    set_acl(path, ACCESS, *entries(6, (USER, 6, STRANGER), owner=6))
    assert now() == [*owned, WRITABLE]
    set_acl(path, ACCESS, *entries(4, (USER, 6, STRANGER), owner=6))
    assert now() == owned
    # A mode without rights for the group is a mask without any.
    assert told(path, 0o600, uid, 0, STRANGER) == [UNREADABLE, *owned]
    path.chmod(0o600)
    assert now() == [UNREADABLE, *owned]


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [(0o755, []), (0o777, [WRITABLE]), (0o775, [WRITABLE]), (0o757, [WRITABLE]), (0o1777, [])],
)
@pytest.mark.parametrize("name", ["above/below/file", "link", "above/missing/file"])
def test_who_can_replace_a_file_can_write_it(public, name, mode, wanted):
    (public / "above" / "below").mkdir(parents=True)
    (public / "above" / "below").chmod(0o755)
    (public / "above" / "below" / "file").write_bytes(b"")
    (public / "link").symlink_to("above/below/file")
    (public / "above").chmod(mode)
    uid = os.geteuid()
    assert told(public / name, 0o644, uid, 0, uid) == wanted
    if wanted:
        (problem,) = file_problems(resolve_file(str(public / name)), 0o644, uid, 0, uid)
        assert 'as they can write to "%s"' % (public / "above") in problem.message
    # What others can write does no harm where they cannot get.
    public.chmod(0o700)
    assert told(public / name, 0o644, uid, 0, uid) == []


@as_root
def test_a_file_of_another_user_or_below_one_s_directory_is_in_that_user_s_hands(public):
    (public / "above" / "below").mkdir(parents=True)
    path = public / "above" / "below" / "file"
    assert told(path, 0o644, 0, 0, STRANGER) == []
    assert told(path, 0o644, STRANGER, 0, STRANGER) == []
    (problem,) = file_problems(resolve_file(str(path)), 0o644, NOBODY, 0, STRANGER)
    assert (problem.code, problem.severity) == WRITABLE
    assert problem.sentence().startswith('%s owns "%s", and so can write' % (user_name(NOBODY), path))
    assert problem.remedy.startswith("use a file that belongs to %d or root" % STRANGER)
    os.chown(path.parents[1], NOBODY, 0)
    (problem,) = file_problems(resolve_file(str(path)), 0o644, STRANGER, 0, STRANGER)
    assert '%s owns "%s"' % (user_name(NOBODY), path.parents[1]) in problem.message
    # Of several, the file itself is named first, and then the directories from above.
    os.chown(path.parents[0], STRANGER + 1, 0)
    for owner, named, whose in ((STRANGER + 2, path, STRANGER + 2), (0, path.parents[1], NOBODY)):
        (problem,) = file_problems(resolve_file(str(path)), 0o644, owner, 0, STRANGER)
        assert '%s owns "%s"' % (user_name(whose), named) in problem.message
    os.chown(path.parents[0], 0, 0)
    assert told(path, 0o644, NOBODY, 0, NOBODY) == []
    # One who does not exist yet, and one of whom root knows nothing.
    os.chown(path.parents[1], 0, 0)
    assert told(path, 0o644, None, 0, STRANGER) == []
    assert told(path, 0o644, NOBODY, 0, 0) == []


def test_only_the_first_directory_in_which_it_can_be_replaced_is_named(public):
    for name, mode in (("a", 0o1777), ("a/b", 0o777), ("a/b/c", 0o755), ("a/b/c/d", 0o775)):
        new(public / name, mode)
    path = public / "a" / "b" / "c" / "d" / "f"
    (problem,) = file_problems(resolve_file(str(path)), 0o644, os.geteuid(), 0, os.geteuid())
    assert 'as they can write to "%s"' % (public / "a" / "b") in problem.message
    # If others cannot reach that directory, the next one counts.
    (public / "a" / "b").chmod(0o722)
    (public / "a" / "b" / "c" / "d").chmod(0o700)
    assert [p.code for p in file_problems(resolve_file(str(path)), 0o644, os.geteuid(), 0, os.geteuid())] == []


@needs_acls
def test_the_acl_of_a_directory_above_a_file_counts(public):
    public.chmod(0o755)
    set_acl(public, ACCESS, *entries(7, (USER, 7, STRANGER), group=5, other=5))
    assert told(public / "f", 0o644, os.geteuid(), 0, os.geteuid()) == [WRITABLE]
    set_acl(public, ACCESS, *entries(5, (USER, 7, STRANGER), group=5, other=5))
    assert told(public / "f", 0o644, os.geteuid(), 0, os.geteuid()) == []


def test_what_this_user_has_read_is_not_unreadable(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"")
    for mode in (0o400, 0o440, 0o644):
        path.chmod(mode)
        status = path.stat()
        assert told(path, status.st_mode, status.st_uid, status.st_gid, os.geteuid()) == []


@pytest.mark.parametrize(("number", "followed"), [(19, True), (20, True), (21, False)])
def test_links_to_directories_count_among_those_to_a_file(tmp_path, number, followed):
    (tmp_path / "real").mkdir()
    (tmp_path / "d").symlink_to("real")
    (tmp_path / "real" / "0").write_bytes(b"x")
    for link in range(1, number + 1):
        (tmp_path / "real" / str(link)).symlink_to(str(tmp_path / "d" / str(link - 1)))
    last = tmp_path / "real" / str(number)
    assert last.exists() is followed
    if followed:
        assert resolve_file(str(last)).path == str(tmp_path / "real" / "0")
        return
    with pytest.raises(Unreadable) as caught:
        resolve_file(str(last))
    assert caught.value.finding.name == "too-many-links"
