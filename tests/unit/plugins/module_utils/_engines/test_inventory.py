# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Wasmtimes in files: what is opened, what is searched, and what is said of the rest."""

from __future__ import annotations

import contextlib
import errno
import os
import pickle
import pwd
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import for_version
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines import binary
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines import inventory as _inventory
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines import processes as _processes
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.binary import TimeOver
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.inventory import (
    NOTE_CODES,
    Inventory,
    NoEngine,
    Program,
    program_at,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.access import Reason
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
    give,
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


@root_only
def test_root_enters_below_a_link_of_a_user_only_what_everybody_may_list():
    with place(STRANGER) as there, place(0) as public:
        put(public / "open" / "program")
        put(public / "own" / "program", elf(WITHOUT_ENABLED + BUG % b"49.0.0"))
        for name, mode in (("closed", 0o700), ("unlisted", 0o711), ("no-entry", 0o744), ("open/closed", 0o700)):
            put(public / name / "key-of-acme.sh", b"#!/bin/sh\n")
            (public / name).chmod(mode)
        give(public / "own", STRANGER)
        (public / "own").chmod(0o700)
        (there / "bin").symlink_to(public)
        give(there / "bin", STRANGER)
        inventory = searched(there / "bin")
        assert names(inventory, there) == ["bin/open/program", "bin/own/program"]
        where = [there / "bin" / name for name in ("closed", "no-entry", "open/closed", "unlisted")]
        reason = {"path": str(there / "bin"), "user": STRANGER, "owner": 0}
        assert told_by(inventory) == {
            "unreadable": (
                4,
                [(str(path), ("link-into-other-directory", dict(reason, where=str(path)))) for path in where],
            )
        }
        # The next search is not led by anybody.
        inventory.search(str(public), 8)
        assert inventory.notes["script"][0] == 4
        # A link of root hides nothing.
        give(there, 0)
        give(there / "bin", 0)
        assert searched(there / "bin").notes["script"][0] == 4


@root_only
def test_what_a_user_exchanges_below_a_link_is_judged_as_it_was_opened(monkeypatch):
    with place(STRANGER) as there, place(STRANGER) as public:
        put(public / "a" / "program").parent.chmod(0o755)
        put(public / "b" / "key-of-acme.sh", b"#!/bin/sh\n").parent.chmod(0o700)
        (there / "bin").symlink_to(public)
        give(there / "bin", STRANGER)
        real = os.open

        def swapped(path, *arguments, **options):
            if path == "a" and (public / "b").exists():
                (public / "a").rename(public / "c")
                (public / "b").rename(public / "a")
            return real(path, *arguments, **options)

        monkeypatch.setattr(os, "open", swapped)
        assert [name for name, _detail in searched(there / "bin").notes["unreadable"][1]] == [str(there / "bin" / "a")]
        assert (public / "c").exists()


def test_a_large_directory_is_read_in_parts(monkeypatch, tmp_path):
    monkeypatch.setattr(_inventory, "_AT_ONCE", 3)
    for number in range(7):
        put(tmp_path / ("s%d" % number), b"#!")
    assert searched(tmp_path).notes["script"][0] == 7
    (tmp_path / "s6").unlink()
    assert searched(tmp_path).notes["script"][0] == 6


def test_the_time_limit_ends_the_reading_of_a_directory(monkeypatch, tmp_path):
    for number in range(30):
        put(tmp_path / ("p%d" % number))
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(_inventory, "_AT_ONCE", 3, raising=False)
    inventory = Inventory(LIMIT, 5)

    @contextlib.contextmanager
    def slow(handle):
        def entries():
            for entry in listed:
                now[0] += 1
                yield entry

        with real(handle) as listed:
            yield entries()

    real = os.scandir
    monkeypatch.setattr(os, "scandir", slow)
    inventory.search(str(tmp_path), 1)
    monkeypatch.undo()
    assert now == [106.0]
    assert inventory.notes == {"time-limit": (1, [(str(tmp_path), None)])}


@pytest.mark.parametrize(
    ("name", "found"),
    [("d", True), ("link", True), ("f", False), ("f/x", False), ("no", False), ("dangling", False), ("loop", False)],
)
def test_what_leads_to_a_directory(tmp_path, name, found):
    (tmp_path / "d").mkdir()
    (tmp_path / "f").write_bytes(b"")
    for link, target in (("link", "d"), ("dangling", "no"), ("loop", "loop")):
        (tmp_path / link).symlink_to(target)
    assert _inventory.leads_to_directory(str(tmp_path / name)) is found
    assert _inventory.leads_to_directory("%s/no/../%s" % (tmp_path, name)) is False


def test_a_name_behind_a_missing_directory_is_missing(tmp_path):
    put(tmp_path / "program")
    assert refusal(str(tmp_path) + "/no/../program") == "missing"


@root_only
@pytest.mark.parametrize("end", ["", "/no-such-directory"])
def test_where_root_must_not_follow_a_link_may_be_a_directory(end):
    """Whether there is one is not looked up: that can take for ever."""
    with place(STRANGER) as there:
        (there / "bin").symlink_to("/proc/%d/root%s%s" % (os.getpid(), there, end))
        give(there / "bin", STRANGER)
        assert _inventory.leads_to_directory(str(there / "bin")) is True
        inventory = searched(there / "bin")
        assert [detail.code for _name, detail in inventory.notes["unreadable"][1]] == ["link-of-system"]


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
        (there / "closed").chmod(0o700)
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


def test_a_directory_swapped_for_a_fifo_is_not_waited_for(tmp_path):
    (tmp_path / "a").mkdir()
    with contextlib.closing(os.scandir(str(tmp_path))) as listed:
        (entry,) = listed
    entry.stat(follow_symlinks=False)
    (tmp_path / "a").rmdir()
    os.mkfifo(str(tmp_path / "a"))
    inventory = Inventory(LIMIT, 60)
    handle = os.open(str(tmp_path), os.O_RDONLY)
    try:
        inventory._entry(str(tmp_path / "a"), entry, handle, 8)
    finally:
        os.close(handle)
    assert [name for name, _detail in inventory.notes["unreadable"][1]] == [str(tmp_path / "a")]


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
    inventory.processes[key] = {pid: _inventory.Running(modified, None) for pid, modified in enumerate(times, 1)}
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


def told_by(inventory):
    """The notes, with reasons that can be compared."""
    return {
        code: (number, [(name, detail and (detail.code, detail.values)) for name, detail in examples])
        for code, (number, examples) in inventory.notes.items()
    }


def test_a_note_counts_all_and_names_the_first_ten():
    inventory = Inventory(LIMIT, 60)
    for number in range(12):
        inventory.note("script", "s%d" % number, Reason("size", size=number))
    inventory.note("depth", "/deep")
    assert told_by(inventory) == {
        "script": (12, [("s%d" % number, ("size", {"size": number})) for number in range(10)]),
        "depth": (1, [("/deep", None)]),
    }


@pytest.mark.parametrize(
    ("name", "mode", "looked_at"),
    [
        ("program", 0o100, True),
        ("program", 0o010, True),
        ("program", 0o001, True),
        ("program", 0o666, False),
        *((name, 0o600, True) for name in ("a.so", "a.so.1.2", "a.dylib", "a.dll", "a.node", "a.pyd")),
        *((name, 0o600, False) for name in ("so", "a.so1", "a.dll.txt", "a.o")),
    ],
)
def test_programs_can_be_executed_and_libraries_have_their_names(name, mode, looked_at):
    assert _inventory._is_program(name, mode) is looked_at


@pytest.mark.parametrize(
    ("name", "notes"),
    [
        ("no", {"missing": (1, ["no"])}),
        ("dangling", {"unreadable": (1, ["dangling"])}),
        ("file", {"unreadable": (1, ["file"])}),
        ("loop", {"unreadable": (1, ["loop"])}),
        (".", {}),
    ],
)
def test_a_directory_that_cannot_be_searched_is_noted(tmp_path, name, notes):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nothing")
    found = searched(tmp_path / name).notes
    assert {
        code: (count, [os.path.relpath(path, str(tmp_path)) for path, _detail in examples])
        for code, (count, examples) in found.items()
    } == notes
    assert all(
        detail for code, (_count, examples) in found.items() if code == "unreadable" for _name, detail in examples
    )


def test_every_level_counts_and_names_are_in_order(tmp_path):
    for name in ("c/c/program", "b/b/b/program", "a", "d"):
        put(tmp_path / name, b"#!" if len(name) == 1 else PROGRAM)
    for depth, found, deep in (
        (0, [], ["b", "c"]),
        (1, [], ["b/b", "c/c"]),
        (2, ["c/c/program"], ["b/b/b"]),
        (3, ["b/b/b/program", "c/c/program"], []),
    ):
        inventory = searched(tmp_path, depth)
        assert [os.path.relpath(program.path, str(tmp_path)) for program in inventory.programs.values()] == found
        assert inventory.notes == {
            "script": (2, [(str(tmp_path / name), None) for name in ("a", "d")]),
            **({"depth": (len(deep), [(str(tmp_path / name), None) for name in deep])} if deep else {}),
        }


def test_a_file_is_examined_once_and_noted_for_each_of_its_names(tmp_path):
    put(tmp_path / "a", b"#!")
    os.link(str(tmp_path / "a"), str(tmp_path / "b"))
    inventory = searched(tmp_path)
    assert inventory.notes == {"script": (2, [(str(tmp_path / "a"), None), (str(tmp_path / "b"), None)])}
    put(tmp_path / "a")
    # What it was at the first look counts.
    inventory.look_at(str(tmp_path / "a"))
    assert not inventory.programs
    assert inventory.notes["script"][0] == 3


@pytest.mark.parametrize(("size", "code"), [(len(PROGRAM) - 1, "too-large"), (len(PROGRAM), None)])
def test_a_file_may_be_as_large_as_the_limit(tmp_path, size, code):
    program = put(tmp_path / "program")
    inventory = searched(tmp_path, limit=size)
    assert len(inventory.programs) == (0 if code else 1)
    if code:
        assert told_by(inventory) == {code: (1, [(str(program), ("size", {"size": len(PROGRAM)}))])}


def test_an_ordinary_user_reads_own_programs():
    with place() as there:
        put(there / "program", mode=0o700)
        if os.geteuid() == 0:
            os.chown(str(there / "program"), NOBODY, NOBODY)
        there.chmod(0o700)
        with without_root():
            assert at(there / "program").engine.version == "50.0.0"
            (there / "link").symlink_to("program")
            (there / "program").chmod(0o111)
            inventory = searched(there)
    # This is said of the file, and not of the link.
    reason = ("system-error", {"text": os.strerror(errno.EACCES)})
    assert told_by(inventory) == {"unreadable": (1, [(str(there / "program"), reason)])}


def test_the_time_is_over_after_the_last_moment(monkeypatch, tmp_path):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    path = put(tmp_path / "program")
    inventory = Inventory(LIMIT, 5)
    for moment, patience in ((100.0, 6.0), (95.0, 10.0), (96.0, 10.0), (104.5, 1.5), (107.0, -1.0)):
        now[0] = moment
        assert inventory._patience() == patience
    now[0] = 105.0
    inventory.look_at(str(path))
    assert len(inventory.programs) == 1
    assert program_at(str(path), LIMIT, 105.0).engine.version == "50.0.0"
    now[0] = 105.5
    with pytest.raises(TimeOver):
        program_at(str(path), LIMIT, 105.0)
    for name in ("a", "b"):
        inventory.search(str(put(tmp_path / name / "program").parent), 1)
    assert len(inventory.programs) == 1
    assert inventory.notes == {"time-limit": (1, [(str(tmp_path / "a"), None)])}


def has_mapped(top, pid, *files, number=1):
    """A process in a directory in place of /proc."""
    put(top / pid / "status", b"Uid:\t7\t8\t8\t8\n")
    put(top / pid / "cmdline", b"program\0")
    put(top / pid / "environ", b"HOME=/home/u\0")
    lines = ["%d000-%d999 r-xp 00000000 fe:01 %d    %s\n" % (n, n, n, path) for n, path in enumerate(files, number)]
    put(top / pid / "maps", "".join(lines).encode())


@pytest.fixture
def proc(monkeypatch, tmp_path):
    monkeypatch.setattr(_processes, "PROC", str(tmp_path / "proc"))
    monkeypatch.setattr(_inventory, "open_mapped", lambda _pid, file: os.open(file.path, os.O_RDONLY))
    return tmp_path / "proc"


def test_what_the_examination_of_each_process_adds(proc, tmp_path):
    program, script, text = put(tmp_path / "program"), put(tmp_path / "script", b"#!"), put(tmp_path / "text", b"text")
    has_mapped(proc, "1", text, program)
    has_mapped(proc, "2", script)
    has_mapped(proc, "3", text, program, script)
    inventory = Inventory(LIMIT, 60)
    told: list[Any] = []
    inventory._look_at([1, 2, 3, 4], None, told.append)
    first, second, third, fourth = (news for news in told if news is not None)
    assert told.count(None) >= 3
    ids = {path: (path.stat().st_dev, path.stat().st_ino) for path in (program, script, text)}
    process = _inventory.Running(None, _processes.Taken("program", None))
    noted = {"script": (1, [(str(script), None)])}
    assert [list(news.programs) for news in (first, second, third, fourth)] == [[ids[program]], [], [], []]
    assert [news.processes for news in (first, second, third, fourth)] == [
        {ids[program]: process},
        {},
        {ids[program]: process},
        {},
    ]
    assert [list(news.without) for news in (first, second, third, fourth)] == [[ids[text]], [ids[script]], [], []]
    # The same file at another number is another one for the kernel.
    assert second.noted == {("script", (b"fe:01", b"1", str(script)))}
    assert (first.noted, third.noted, fourth.noted) == (set(), {("script", (b"fe:01", b"3", str(script)))}, set())
    assert inventory.notes["script"] == (2, noted["script"][1] * 2)
    assert {news.stopped for news in (first, second, third, fourth)} == {False}
    other = Inventory(LIMIT, 60)
    for pid, news in enumerate((first, second, third, fourth), 1):
        other._add(pid, news)
    for name in ("programs", "processes", "notes", "_without", "_noted", "_stopped"):
        assert getattr(other, name) == getattr(inventory, name), name
    assert inventory.processes == {ids[program]: {1: process, 3: process}}


def test_of_a_process_only_its_config_is_kept(proc, tmp_path):
    """Its arguments can have some MiB, and each user can start many processes."""
    has_mapped(proc, "1", put(tmp_path / "program", PROGRAM + b"EXTISM_CACHE_CONFIG"))
    secret = b"x" * 10**5
    put(proc / "1" / "cmdline", b"program\0%s\0" % secret)
    put(proc / "1" / "environ", b"EXTISM_CACHE_CONFIG=/c\0HOME=%s\0" % secret)
    inventory = Inventory(LIMIT, 60)
    told: list[Any] = []
    inventory._look_at([1], None, told.append)
    assert len(pickle.dumps(told)) < len(secret)
    assert [engine["configs"] for engine in inventory.results()] == [
        [{"path": "/c", "source": "variable", "pids": [1]}]
    ]


def test_nothing_is_examined_after_the_time_limit(proc, tmp_path):
    has_mapped(proc, "1", put(tmp_path / "program"))
    has_mapped(proc, "2", tmp_path / "program")
    inventory = Inventory(LIMIT, -1)
    told: list[Any] = []
    inventory._look_at([1, 2], None, told.append)
    assert [news.stopped for news in told if news is not None] == [True]
    assert (inventory.programs, inventory.notes) == ({}, {"time-limit": (1, [("process 1", None)])})


@pytest.mark.parametrize(("users", "found"), [(None, True), ({7}, True), ({8}, True), ({9}, False), (set(), False)])
def test_a_process_is_of_its_real_and_of_its_effective_user(proc, tmp_path, users, found):
    has_mapped(proc, "1", put(tmp_path / "program"))
    inventory = Inventory(LIMIT, 60)
    inventory._process(1, users)
    assert bool(inventory.programs) is found
    assert inventory.notes == {}


@pytest.mark.parametrize(
    ("error", "notes"),
    [(PermissionError, {"other-users": (1, [("1", None)])}), (ProcessLookupError, {}), (OSError, {})],
)
def test_a_process_of_another_user_is_noted_and_one_that_has_ended_is_not(proc, tmp_path, monkeypatch, error, notes):
    has_mapped(proc, "1", put(tmp_path / "program"))

    def fails(_pid):
        raise error

    monkeypatch.setattr(_inventory, "mapped", fails)
    inventory = Inventory(LIMIT, 60)
    inventory._process(1, None)
    assert inventory.notes == notes


@pytest.mark.parametrize(
    ("names", "found", "noted"),
    [
        # Each time that it is to be opened, the process has mapped it anew.
        (["1-1", "2-2", "3-3"], "1-1", False),
        (["1-1", "2-2", "3-3"], "2-2", False),
        (["1-1", "2-2", "3-3", "4-4"], "3-3", False),
        (["1-1", "2-2", "3-3", "4-4", "5-5"], "4-4", True),
        # It has mapped another file of the same number, another file, none.
        (["1-1", "other"], None, True),
        (["1-1", "else"], None, False),
        (["1-1", None], None, False),
        (["1-1", PermissionError], None, True),
        (["1-1", ProcessLookupError], None, False),
    ],
)
def test_a_file_that_is_mapped_anew_is_tried_three_times(monkeypatch, tmp_path, names, found, noted):
    program = put(tmp_path / "program")
    key = (b"fe:01", b"1", str(program))
    files = {name: _processes.Mapped(str(program), True, str(name), 1) for name in names}
    later = iter(names[1:])

    def mapped(_pid):
        name = next(later)
        if name is None:
            return {}
        if isinstance(name, type):
            raise name
        return {{"other": (b"fe:01", b"1", "/x"), "else": (b"fe:01", b"2", "/x")}.get(name, key): files[name]}

    monkeypatch.setattr(_inventory, "mapped", mapped)
    monkeypatch.setattr(
        _inventory,
        "open_mapped",
        lambda _pid, file: os.open(str(program), os.O_RDONLY) if file.range == found else None,
    )
    inventory = Inventory(LIMIT, 60)
    engine = inventory._mapped_file(1, key, files["1-1"])
    assert (engine is not None) is (found is not None and not noted)
    assert [program.deleted for program in inventory.programs.values()] == [True] * (engine is not None)
    expected: dict[str, Any] = {"unreadable": (1, [(str(program), ("not-through-process", {}))])} if noted else {}
    assert told_by(inventory) == expected
    if noted:
        # Once for all processes, which are not asked again.
        assert inventory._mapped_file(2, key, files["1-1"]) is None
        assert told_by(inventory) == expected


def test_of_very_many_engines_those_in_processes_are_listed_first():
    engine = binary.Engine(("50.0.0",), "sbom", 50, 50, True, ("1.1",), None, False, "extism")
    process = _inventory.Running(None, _processes.Taken("variable", "/c"))
    inventory = Inventory(LIMIT, 60)
    for number in range(503):
        inventory.programs[1, number] = Program("/p%03d" % number, engine, 0)
    # The same path twice, for a file that is there and one that only a process has.
    inventory.programs[0, 9] = Program("/p000", engine, 0, True)
    inventory.processes = {(1, 502): {1: process}, (0, 9): {2: process}}
    results = inventory.results()
    assert [result["path"] for result in results] == ["/p000", *("/p%03d" % number for number in range(498)), "/p502"]
    assert [result["pids"] for result in results] == [[2], *[[]] * 498, [1]]
    assert [result["deleted"] for result in results] == [True, *[False] * 499]
    assert inventory.notes == {"not-listed": (4, [("/p%03d" % number, None) for number in (498, 499, 500, 501)])}


def test_of_very_many_processes_the_first_are_listed():
    engine = binary.Engine(("50.0.0",), "sbom", 50, 50, True, ("1.1",), None, False, "extism")
    inventory = Inventory(LIMIT, 60)
    inventory.programs[1, 1] = Program("/p", engine, 0)

    def started(path):
        process = _processes.Process(["program"], {"EXTISM_CACHE_CONFIG": path}, "/", 0, 9)
        return _inventory._running(engine, process)

    inventory.processes = {(1, 1): {pid: started("/c") for pid in range(150, 0, -1)}}
    (result,) = inventory.results()
    assert result["pids"] == list(range(1, 101))
    assert result["configs"] == [{"path": "/c", "source": "variable", "pids": list(range(1, 101))}]
    inventory.processes = {(1, 1): {pid: started("/c%d" % pid if pid != 3 else "") for pid in range(150, 0, -1)}}
    (result,) = inventory.results()
    assert result["configs"] == [
        {"path": "/c%d" % pid, "source": "variable", "pids": [pid]}
        if pid != 3
        else {"path": None, "source": "off", "pids": [3]}
        for pid in range(1, 101)
    ]
    inventory.processes = {(1, 1): {1: started("/" + "x" * 5000)}}
    (result,) = inventory.results()
    assert result["configs"] == [{"path": "/" + "x" * 4094, "source": "variable", "pids": [1]}]
    assert started("/c").modified == 9
    engine = engine._replace(reads_config=False)
    inventory.processes = {(1, 1): {1: started("/c")}}
    assert inventory.results()[0]["configs"] == []


@pytest.mark.parametrize(("user", "own"), [(0, ["/s"]), (1, ["/u", "/v"]), (1000, ["/u", "/v"])])
def test_the_path_of_a_login_is_read_from_its_files(monkeypatch, tmp_path, user, own):
    (tmp_path / "etc").mkdir()
    defs = tmp_path / "etc" / "login.defs"
    defs.write_text("# ENV_PATH PATH=/x\n\nENV_SUPATH\tPATH=/s\nENV_PATH  PATH=/u:/v\nPATH=/y\nUMASK 022\n")
    (tmp_path / "etc" / "environment").write_text("PATH=\"/c:/d\"\nENV_PATH=/z\nPATH='/e'\nLANG=C\n")
    monkeypatch.setattr(os, "geteuid", lambda: user)

    def there(path, **options):
        return Path(str(tmp_path) + path).open(**options)

    monkeypatch.setattr(_inventory, "open", there, raising=False)
    usual = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    assert _inventory._login_path() == [*usual, *own, "/c", "/d", "/e"]
    defs.unlink()
    assert _inventory._login_path() == [*usual, "/c", "/d", "/e"]


def test_the_usual_places_are_in_the_order_of_a_search(monkeypatch):
    monkeypatch.setattr(_inventory, "_login_path", lambda: ["/usr/bin", "login", "/x"])
    monkeypatch.setattr(os, "environ", {"PATH": "/x/:y:/z/../w", "HOME": "/home/u", "WASMTIME_HOME": "/w"})
    own = [".wasmtime/bin", ".cargo/bin", ".local/bin", ".local/lib", "bin"]
    last = ["/usr/local/bin", "/usr/local/lib", "/opt"]
    places = ["/x", "/w", "/usr/bin", "/w/bin", *("/home/u/" + name for name in own), *last]
    assert _inventory.usual_places() == places
    home = pwd.getpwuid(os.getuid()).pw_dir
    for environment in ({}, {"HOME": ""}):
        monkeypatch.setattr(os, "environ", environment)
        assert _inventory.usual_places() == [
            "/usr/bin",
            "/x",
            *(os.path.normpath(home + "/" + name) for name in own),
            *last,
        ]
    # A user without a home.
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 9)
    assert _inventory.usual_places() == ["/usr/bin", "/x", *last]
