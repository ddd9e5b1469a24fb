# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wasmtimes in files: what is opened, what is searched, and what is said of the rest."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import for_version
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines import inventory as _inventory
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines import processes as _processes
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.binary import TimeOver
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.inventory import (
    NOTE_CODES,
    Inventory,
    NoEngine,
    program_at,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.reasons import sentence
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.binaries import (
    BUG,
    WITHOUT_ENABLED,
    elf,
    mapping,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    NOBODY,
    STRANGER,
    place,
    without_root,
)

PROGRAM = elf(WITHOUT_ENABLED + BUG % b"50.0.0")
RANGE = for_version("50").name
LIMIT = 2**24
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="processes can only be looked at on Linux")
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def put(path, data=PROGRAM, mode=0o755):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)
    return path


def at(path, limit=LIMIT):
    return program_at(str(path), limit, time.monotonic() + 60)


def refusal(path, **options):
    with pytest.raises(NoEngine) as caught:
        at(path, **options)
    return caught.value.code


def searched(path, depth=8, seconds=60.0, limit=LIMIT):
    inventory = Inventory(limit, seconds)
    inventory.search(str(path), depth)
    return inventory


def names(inventory, top):
    return sorted(os.path.relpath(program.path, str(top)) for program in inventory.programs.values())


def test_a_program_and_links_to_it(tmp_path):
    put(tmp_path / "program")
    (tmp_path / "link").symlink_to("program")
    for name in ("program", "link"):
        found = at(tmp_path / name)
        assert found.engine.version == "50.0.0"
        assert found.modified == (tmp_path / "program").stat().st_mtime_ns


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"#!/bin/sh\n", "script"),
        (b"", "not-a-program"),
        (b"PK\3\4" + PROGRAM, "not-a-program"),
        (elf(), "no-engine"),
        (elf(b"UPX!" * 9, code=b"UPX!"), "packed"),
    ],
)
def test_a_file_without_a_wasmtime_that_can_be_seen(tmp_path, data, code):
    assert refusal(put(tmp_path / "file", data)) == code


def test_what_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(str(tmp_path / "fifo"))
    (tmp_path / "link").symlink_to("fifo")
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "dangling").symlink_to("nothing")
    (tmp_path / "loop").symlink_to("loop")
    codes = {name: refusal(tmp_path / name) for name in ("fifo", "link", "device", "dangling", "loop", "no/thing", "")}
    assert codes == {
        "fifo": "special-file",
        "link": "special-file",
        "device": "special-file",
        "dangling": "missing",
        "loop": codes["loop"],
        "no/thing": "missing",
        "": "special-file",
    }
    assert codes["loop"] in ("missing", "unreadable")


def test_large_files_and_time(tmp_path):
    path = put(tmp_path / "file")
    os.truncate(str(path), 2**32)
    assert refusal(path) == "too-large"
    os.truncate(str(path), LIMIT)
    assert at(path).engine.version == "50.0.0"
    with pytest.raises(TimeOver):
        program_at(str(path), LIMIT, time.monotonic() - 1)
    inventory = searched(tmp_path, seconds=-1)
    assert not inventory.programs
    assert list(inventory.notes) == ["time-limit"]


def test_a_file_that_may_not_be_read(tmp_path):
    with place() as there:
        path = put(there / "file", mode=0o000)
        with without_root():
            assert refusal(path) == "unreadable"


@root_only
def test_root_reads_no_secret_behind_a_link_of_a_user():
    with place(STRANGER) as there, place(0) as private:
        secret = put(private / "program", mode=0o700)
        (there / "link").symlink_to(secret)
        os.lchown(str(there / "link"), STRANGER, STRANGER)
        assert refusal(there / "link") == "unreadable"
        assert searched(there).programs == {}
        secret.chmod(0o755)
        assert at(there / "link").engine.version == "50.0.0"
        private.chmod(0o700)
        assert refusal(there / "link") == "unreadable"


@root_only
def test_root_tells_no_names_behind_a_link_of_a_user():
    with place(STRANGER) as there, place(0) as private:
        put(private / "key-of-acme.sh", b"#!/bin/sh\n", 0o700)
        put(private / "deep" / "program")
        (there / "bin").symlink_to(private)
        os.lchown(str(there / "bin"), STRANGER, STRANGER)
        private.chmod(0o700)
        inventory = searched(there / "bin", depth=0)
        assert inventory.programs == {}
        assert set(inventory.notes) == {"unreadable"}
        assert "acme" not in str(inventory.notes)
        assert "deep" not in str(inventory.notes)
        private.chmod(0o755)
        assert names(searched(there / "bin"), there) == ["bin/deep/program"]


def test_too_many_engines_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(_inventory, "ENGINES_MAX", 3)
    for number in range(5):
        put(tmp_path / ("p%d" % number))
    inventory = searched(tmp_path)
    assert [engine["path"] for engine in inventory.results()] == [str(tmp_path / name) for name in ("p0", "p1", "p2")]
    assert inventory.notes["not-listed"] == (2, [(str(tmp_path / "p3"), None), (str(tmp_path / "p4"), None)])


def test_a_search(tmp_path):
    for name in ("program", "a/b/program", "a/lib.so.1"):
        put(tmp_path / name)
    put(tmp_path / "a" / "lib.so.1", mode=0o644)
    put(tmp_path / "data", mode=0o644)
    put(tmp_path / "script", b"#!/bin/sh\n")
    put(tmp_path / "text", b"hello")
    put(tmp_path / "nothing", elf())
    os.mkfifo(str(tmp_path / "fifo"))
    (tmp_path / "a" / "up").symlink_to("..")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.link(str(tmp_path / "program"), str(tmp_path / "second"))
    (tmp_path / "third").symlink_to("program")
    inventory = searched(tmp_path)
    assert names(inventory, tmp_path) == ["a/b/program", "a/lib.so.1", "program"]
    assert inventory.notes == {"script": (1, [(str(tmp_path / "script"), None)])}
    inventory = searched(tmp_path, depth=1)
    assert names(inventory, tmp_path) == ["a/lib.so.1", "program"]
    assert inventory.notes["depth"] == (1, [(str(tmp_path / "a" / "b"), None)])
    # For a file that the task names, every reason is noted.
    inventory.look_at(str(tmp_path / "nothing"))
    inventory.look_at(str(tmp_path / "text"))
    assert {"no-engine", "not-a-program"} < set(inventory.notes)
    assert set(inventory.notes) <= set(NOTE_CODES)


def test_a_directory_that_may_not_be_listed(tmp_path):
    with place() as there:
        (there / "closed").mkdir(mode=0o000)
        put(there / "program")
        with without_root():
            inventory = searched(there)
            closed = searched(there / "closed")
    assert names(inventory, there) == ["program"]
    assert inventory.notes["unreadable"][0] == closed.notes["unreadable"][0] == 1


def test_many_notes_have_ten_examples(tmp_path):
    for number in range(25):
        put(tmp_path / ("s%d" % number), b"#!/bin/sh\n")
    number, examples = searched(tmp_path).notes["script"]
    assert (number, len(examples)) == (25, 10)


def test_what_an_engine_comes_to(tmp_path):
    program = put(tmp_path / "program")
    (found,) = searched(tmp_path).results()
    dialects = found.pop("dialects")
    assert [dialect.name for dialect in dialects] == [RANGE]
    assert found == {
        "path": str(program),
        "version": "50.0.0",
        "versions": ["50.0.0"],
        "rule": "panic-text",
        "program": None,
        "reads_config": True,
        "toml": "1.1",
        "dialect": RANGE,
        "compiler_directory": None,
        "deleted": False,
        "pids": [],
        "configs": [],
    }


def test_the_usual_places(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "/x/bin:relative::/x/bin/")
    monkeypatch.setenv("HOME", "/home/u")
    monkeypatch.setenv("WASMTIME_HOME", "/w")
    places = _inventory.usual_places()
    assert places[0] == "/x/bin"
    assert {"/usr/bin", "/w/bin", "/home/u/.wasmtime/bin", "/home/u/.cargo/bin", "/usr/local/lib", "/opt"} < set(places)
    assert len(places) == len(set(places))
    assert all(name.startswith("/") for name in places)
    monkeypatch.delenv("HOME")
    monkeypatch.delenv("WASMTIME_HOME")
    assert "/bin" in _inventory.usual_places()
    assert "/w/bin" not in _inventory.usual_places()


def test_a_directory_swapped_for_a_link_is_not_searched(tmp_path):
    put(tmp_path / "top" / "a" / "program")
    put(tmp_path / "other" / "program")
    with contextlib.closing(os.scandir(str(tmp_path / "top"))) as listed:
        (entry,) = listed
    entry.stat(follow_symlinks=False)
    shutil.rmtree(str(tmp_path / "top" / "a"))
    (tmp_path / "top" / "a").symlink_to("../other")
    inventory = Inventory(LIMIT, 60)
    handle = os.open(str(tmp_path / "top"), os.O_RDONLY)
    try:
        inventory._entry(str(tmp_path / "top" / "a"), entry, handle, 8)
    finally:
        os.close(handle)
    assert not inventory.programs
    assert "unreadable" in inventory.notes


def running(monkeypatch, *found, ends=None, users=None):
    """What is found in these processes; C(ends): the one that ends once it was seen what it has mapped."""

    def mapped(pid):
        files = _processes.mapped(pid)
        if ends is not None and pid == ends.pid:
            # It is the child of another process, which waits for it.
            os.kill(pid, signal.SIGKILL)
            while _processes.mapped(pid):
                time.sleep(0.01)
        return files

    monkeypatch.setattr(_inventory, "processes", lambda: iter([process.pid for process in found]))
    monkeypatch.setattr(_inventory, "mapped", mapped)
    inventory = Inventory(LIMIT, 60)
    inventory.look_at_processes(users)
    return inventory


@linux_only
@root_only
def test_a_process_that_ends_hides_no_engine_of_another(monkeypatch, tmp_path):
    program = put(tmp_path / "program")
    with mapping(program) as first, mapping(program) as second:
        program.unlink()
        inventory = running(monkeypatch, first, second, ends=first)
        assert [(found.path, found.deleted) for found in inventory.programs.values()] == [(str(program), True)]
        assert [list(pids) for pids in inventory.processes.values()] == [[second.pid]]


@linux_only
def test_a_file_that_cannot_be_opened_is_noted_once_while_it_is_mapped(monkeypatch, tmp_path):
    program = put(tmp_path / "program")
    monkeypatch.setattr(_inventory, "open_mapped", lambda _pid, _file: None)
    monkeypatch.setattr(_inventory, "_same_at_path", lambda _file: None)
    with mapping(program) as first, mapping(program) as second:
        _number, examples = running(monkeypatch, first, second).notes["unreadable"]
        assert [name for name, _detail in examples].count(str(program)) <= 1
        noted = {name for code, (_device, _inode, name) in running(monkeypatch, first)._noted if code == "unreadable"}
        assert str(program) in noted
        assert "unreadable" not in running(monkeypatch, first, ends=first).notes


@linux_only
def test_files_with_the_same_device_and_inode_are_told_apart(monkeypatch, tmp_path):
    """As on btrfs, where the kernel writes the device of the whole file system in maps."""
    library, program = put(tmp_path / "library", elf()), put(tmp_path / "program")
    for pid, files in (("1", (library, program)), ("2", (program,)), ("3", (library,))):
        put(tmp_path / "proc" / pid / "status", b"Uid:\t1\t1\t1\t1\n")
        put(tmp_path / "proc" / pid / "cmdline", b"")
        put(tmp_path / "proc" / pid / "environ", b"")
        lines = ["%d000-%d999 r-xp 00000000 00:1f 257    %s\n" % (n, n, path) for n, path in enumerate(files, 1)]
        put(tmp_path / "proc" / pid / "maps", "".join(lines).encode())
    monkeypatch.setattr(_processes, "PROC", str(tmp_path / "proc"))
    monkeypatch.setattr(_inventory, "open_mapped", lambda _pid, file: os.open(file.path, os.O_RDONLY))
    inventory = Inventory(LIMIT, 60)
    inventory.look_at_processes()
    assert names(inventory, tmp_path) == ["program"]
    assert [sorted(pids) for pids in inventory.processes.values()] == [[1, 2]]


@linux_only
@root_only
def test_processes_of_other_users_can_be_left_out(monkeypatch, tmp_path):
    program = put(tmp_path / "program")
    with mapping(program, NOBODY) as process:
        assert not running(monkeypatch, process, users={0}).programs
        assert running(monkeypatch, process, users={0, NOBODY}).programs
        assert running(monkeypatch, process).programs


@linux_only
@root_only
def test_a_process_of_which_nothing_can_be_read_is_given_up(monkeypatch, tmp_path):
    """What examines it ends without a word, as it does if it has to wait too long."""
    silent, program = put(tmp_path / "silent"), put(tmp_path / "program")
    real = _processes.open_mapped

    def opened(pid, file):
        if file.path == str(silent):
            os._exit(1)
        return real(pid, file)

    monkeypatch.setattr(_inventory, "open_mapped", opened)
    with mapping(silent) as first, mapping(program) as second, mapping(silent) as third:
        inventory = running(monkeypatch, first, second, third)
    assert [program.path for program in inventory.programs.values()] == [str(program)]
    number, examples = inventory.notes["unreadable"]
    assert number == 2
    assert [name for name, _detail in examples] == ["process %d" % first.pid, "process %d" % third.pid]
    assert sentence(examples[0][1]) == "nothing of it could be read for 10 seconds"


@linux_only
@root_only
def test_the_time_limit_ends_the_wait_too(monkeypatch, tmp_path):
    program = put(tmp_path / "program")
    monkeypatch.setattr(_inventory, "open_mapped", lambda _pid, _file: time.sleep(60))
    with mapping(program) as process:
        monkeypatch.setattr(_inventory, "processes", lambda: iter([process.pid]))
        inventory = Inventory(LIMIT, 1)
        inventory.look_at_processes()
    assert inventory.notes == {"time-limit": (1, [("process %d" % process.pid, None)])}


@linux_only
@root_only
def test_a_path_of_a_process_gives_no_user_what_only_root_may_read():
    """The path is that in the mounts of the process, which its user may have made."""
    with place(0) as there:
        secret = put(there / "secret", mode=0o700)
        link = there / "link"
        link.symlink_to(secret)
        os.chown(str(link), NOBODY, NOBODY, follow_symlinks=False)
        inode = secret.stat().st_ino
        for path, opened in ((link, False), (secret, True)):
            handle = _inventory._same_at_path(_processes.Mapped(str(path), False, "", inode))
            assert (handle is not None) is opened
            assert _inventory._same_at_path(_processes.Mapped(str(path), False, "", inode + 1)) is None
            assert _inventory._same_at_path(_processes.Mapped(str(path), True, "", inode)) is None
            if handle is not None:
                os.close(handle)
    assert _inventory._same_at_path(_processes.Mapped("[vdso]", False, "", 1)) is None


@pytest.mark.parametrize(("times", "name"), [((10**6, 10**6), "wasmtime-%s-1"), ((10**6, 2 * 10**6), None), ((), None)])
def test_the_directory_of_a_library_is_known_if_its_programs_agree(tmp_path, times, name):
    revision = "6844a83b530f86ad13a65175282fe2dbcd33cad1"
    texts = WITHOUT_ENABLED + b"\xc0)-%s\0" % revision.encode() + BUG % b"46.0.0"
    path = put(tmp_path / "library.so", elf(texts, kind=3, interpreter=False))
    inventory = Inventory(LIMIT, 60)
    inventory.look_at(str(path))
    key = next(iter(inventory.programs))
    inventory.processes[key] = {
        pid: _processes.Process([], {}, None, 0, modified) for pid, modified in enumerate(times, 1)
    }
    (result,) = inventory.results()
    assert result["compiler_directory"] == (name and name % revision)


@linux_only
@root_only
def test_a_process_that_ends_after_its_last_word_has_told_everything(monkeypatch, tmp_path):
    real = Inventory._look_at

    def last(*arguments):
        real(*arguments)
        os._exit(1)

    monkeypatch.setattr(Inventory, "_look_at", last)
    with mapping(put(tmp_path / "program")) as process:
        inventory = running(monkeypatch, process)
    assert len(inventory.programs) == 1
    assert "unreadable" not in inventory.notes
