# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told of processes, and with which config they were started."""

from __future__ import annotations

import errno
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines import processes
from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.processes import (
    Mapped,
    Process,
    Taken,
    config_taken,
)

needs_linux = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux has such files")
SLEEPS = "import sys; print('ready', flush=True); sys.stdin.read()"


def process(*arguments, directory="/srv", uid=0, **variables):
    return Process(["program", *arguments], variables, directory, uid, None)


def command_line(*arguments, major=42):
    return config_taken("wasmtime", major, process(*arguments, HOME="/home/u"))


DEFAULT = Taken("default", "/home/u/.config/wasmtime/config.toml")
UNKNOWN = Taken("unknown", None)
OFF = Taken("off", None)


@pytest.mark.parametrize(
    ("arguments", "taken"),
    [
        ("", DEFAULT),
        ("run a.wasm", DEFAULT),
        ("serve --addr 0.0.0.0:80 -C cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run -C cache-config=/c a.wasm", Taken("argument", "/c")),
        ("-Ccache-config=/c a.wasm", Taken("argument", "/c")),
        ("run -C=cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run -C=cache=n a.wasm", OFF),
        ("run -C= -C cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run -C cache-config=/c - -C cache-config=/secret", Taken("argument", "/c")),
        ("run - -C cache-config=/secret", DEFAULT),
        ("run --codegen cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run --codegen=cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run -C parallel-compilation=n,cache-config=/c,cache=y a.wasm", Taken("argument", "/c")),
        ("run -C cache-config=/c -C cache-config=d/e a.wasm", Taken("argument", "/srv/d/e")),
        ("run -C cache=n a.wasm", OFF),
        ("run -C cache-config=/c,cache=no a.wasm", OFF),
        ("run -C cache=n -C cache a.wasm", DEFAULT),
        ("run --dir /x::/y --env A=B -W all-proposals=y -C cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run a.wasm -C cache-config=/secret", DEFAULT),
        ("run -- a.wasm -C cache-config=/secret", DEFAULT),
        ("a.wasm run -C cache-config=/secret", DEFAULT),
        ("run run -C cache-config=/secret", DEFAULT),
        ("run --new-option value -C cache-config=/c a.wasm", UNKNOWN),
        ("run --new-option=value -C cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run --config options.toml a.wasm", UNKNOWN),
        ("run -C", DEFAULT),
        ("run -C cache=false a.wasm", OFF),
        ("run -C cache=y,cache-config=/c -- a.wasm", Taken("argument", "/c")),
        ("-C cache-config=/c run a.wasm", Taken("argument", "/c")),
        ("-C cache-config=/c", Taken("argument", "/c")),
        ("explore -C cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run --new-option -C cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run -C cache-config=/c --new-option", Taken("argument", "/c")),
        ("run -C cache-config=/c --new-option a.wasm", UNKNOWN),
        ("run -C cache-config=/c -x a.wasm", UNKNOWN),
        ("run -xy -C cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run -xy a.wasm", DEFAULT),
        ("run --allow-precompiled a.wasm", DEFAULT),
        ("run --allow-precompiled -Ccache-config=/c a.wasm", Taken("argument", "/c")),
        ("run -W cache-config=/w -Wcache-config=/w --dir cache-config=/d a.wasm", DEFAULT),
        ("run --dir=/d -C cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run --config=options.toml a.wasm", UNKNOWN),
        ("run -C cache-config=/c --config=options.toml a.wasm", UNKNOWN),
        ("run --config=options.toml -C cache-config=/c a.wasm", Taken("argument", "/c")),
        ("run --config=options.toml -C cache=n a.wasm", OFF),
        ("run --disable-cache -C cache-config=/c a.wasm", OFF),
        ("run -C cache-config=a=b a.wasm", Taken("argument", "/srv/a=b")),
    ],
)
def test_the_command_line_program(arguments, taken):
    assert command_line(*arguments.split()) == taken


@pytest.mark.parametrize(
    ("arguments", "taken"),
    [
        ("run --config /c a.wasm", Taken("argument", "/c")),
        ("--config=/c a.wasm", Taken("argument", "/c")),
        ("run --disable-cache a.wasm", OFF),
    ],
)
def test_the_command_line_program_up_to_13(arguments, taken):
    assert command_line(*arguments.split(), major=13) == taken
    # From 14 on it is a file with options.
    assert command_line(*arguments.split(), major=14) == (OFF if taken == OFF else UNKNOWN)


@pytest.mark.parametrize(
    ("arguments", "variables", "taken"),
    [
        ("up", {}, DEFAULT),
        ("up --cache /c", {}, Taken("argument", "/c")),
        ("up --cache=/c", {"WASMTIME_CACHE_FILE": "/d"}, Taken("argument", "/c")),
        ("up", {"WASMTIME_CACHE_FILE": "d"}, Taken("variable", "/srv/d")),
        ("up --disable-cache", {"WASMTIME_CACHE_FILE": "/d"}, OFF),
        ("up --cache /c --disable-cache", {}, Taken("argument", "/c")),
        ("--cache=/c", {}, Taken("argument", "/c")),
        ("--cache /c", {}, Taken("argument", "/c")),
        ("--cache", {}, DEFAULT),
        ("up --quiet --cache /c", {}, Taken("argument", "/c")),
        ("up --quiet", {"WASMTIME_CACHE_FILE": "/d"}, Taken("variable", "/d")),
        ("up", {"WASMTIME_CACHE_FILE": "/d", "DISABLE_WASMTIME_CACHE": "yes"}, OFF),
        ("up", {"WASMTIME_CACHE_FILE": "/d", "DISABLE_WASMTIME_CACHE": "no"}, Taken("variable", "/d")),
        *(("up", {"DISABLE_WASMTIME_CACHE": on}, OFF) for on in ("1", "", "true", "nope", "OF")),
        *(("up", {"DISABLE_WASMTIME_CACHE": no}, DEFAULT) for no in ("false", "FALSE", "n", "No", "f", "off", "0")),
        ("up -- --cache /secret", {}, DEFAULT),
        ("up --cache", {}, DEFAULT),
        ("up --cache", {"WASMTIME_CACHE_FILE": "/d"}, Taken("variable", "/d")),
    ],
)
def test_spin(arguments, variables, taken):
    assert config_taken("spin", 41, process(*arguments.split(), HOME="/home/u", **variables)) == taken


@pytest.mark.parametrize(
    ("variables", "taken"),
    [
        ({}, DEFAULT),
        ({"EXTISM_CACHE_CONFIG": ""}, OFF),
        ({"EXTISM_CACHE_CONFIG": "/c"}, Taken("variable", "/c")),
        ({"XDG_CONFIG_HOME": "/x"}, Taken("default", "/x/wasmtime/config.toml")),
        ({"XDG_CONFIG_HOME": "x"}, DEFAULT),
        ({"HOME": "h"}, Taken("default", "/srv/h/.config/wasmtime/config.toml")),
        ({"HOME": ""}, Taken("default", pwd.getpwuid(0).pw_dir + "/.config/wasmtime/config.toml")),
    ],
)
def test_extism_and_the_default_path(variables, taken):
    assert config_taken("extism", 48, process(**{"HOME": "/home/u", **variables})) == taken
    assert config_taken("wizer", 36, process("--cache", "/c", HOME="/home/u")) == DEFAULT


def test_the_name_of_a_program_is_no_argument():
    for name in ("--disable-cache", "--cache=/c", "-Ccache=n"):
        for program in ("wasmtime", "spin"):
            assert config_taken(program, 42, Process([name], {"HOME": "/home/u"}, "/srv", 0, None)) == DEFAULT


def test_what_is_not_known_is_said_to_be_so():
    assert config_taken(None, 42, process("-C", "cache-config=/c", HOME="/h")) == Taken("program", None)
    # Neither HOME nor a user with one, and a relative path without the directory.
    assert config_taken("extism", 42, process(uid=2**31 - 9)) == UNKNOWN
    assert config_taken("extism", 42, process(EXTISM_CACHE_CONFIG="c", directory=None)) == UNKNOWN
    assert config_taken("extism", 42, process(EXTISM_CACHE_CONFIG="c", directory="(unreachable)/x")) == UNKNOWN


@pytest.fixture
def sleeper(tmp_path):
    """A process with secrets in its arguments and its environment."""
    environment = {"HOME": "/home/s", "TOKEN": "hunter2", "XDG_CONFIG_HOME": "/x", "HOME2": "hunter2"}
    command = [sys.executable, "-c", SLEEPS, "--password", "hunter2"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=str(tmp_path)
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


@needs_linux
def test_a_real_process(sleeper, tmp_path):
    assert sleeper.pid in set(processes.processes())
    assert os.getpid() not in set(processes.processes())
    python = os.path.realpath(sys.executable)
    ((key, file),) = ((k, f) for k, f in processes.mapped(sleeper.pid).items() if f.path == python)
    assert not file.deleted
    handle = processes.open_mapped(sleeper.pid, file)
    assert handle is not None
    try:
        assert os.path.sameopenfile(handle, os.open(python, os.O_RDONLY))
    finally:
        os.close(handle)
    found = processes.started(sleeper.pid, key)
    assert found.variables == {"HOME": "/home/s", "XDG_CONFIG_HOME": "/x"}
    assert (found.directory, found.uid) == (str(tmp_path), os.getuid())
    assert found.modified == Path(python).stat().st_mtime_ns
    with pytest.raises(ProcessLookupError):
        processes.started(sleeper.pid, (b"00:00", b"1", "/"))


@needs_linux
def test_another_file_at_the_path_is_not_taken_for_the_mapped_one(sleeper, tmp_path):
    file = next(iter(processes.mapped(sleeper.pid).values()))
    other = tmp_path / "other"
    other.write_bytes(b"")
    gone = file._replace(path=str(other), range="1-2", inode=file.inode + 10**9)
    assert processes.open_mapped(sleeper.pid, gone) is None
    os.mkfifo(str(tmp_path / "fifo"))
    # Would wait for a writer if it were opened.
    assert processes.open_mapped(sleeper.pid, gone._replace(path=str(tmp_path / "fifo"))) is None


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture
def proc(monkeypatch, tmp_path):
    """A directory in place of /proc."""
    (tmp_path / "proc").mkdir()
    monkeypatch.setattr(processes, "PROC", str(tmp_path / "proc"))
    return tmp_path / "proc"


def test_the_numbers_of_all_other_processes(proc):
    for name in ("1", "27", str(os.getpid()), "self", "3x", "-4"):
        (proc / name).mkdir()
    assert sorted(processes.processes()) == [1, 27]


def test_without_proc_there_are_no_processes(proc):
    proc.rmdir()
    assert list(processes.processes()) == []


MAPS = b"""00400000-0045b000 r-xp 00000000 fe:01 12    /usr/bin/a program
00600000-0065b000 rwxp 00000000 fe:01 12    /usr/bin/a program
0065b000-0065c000 rw-p 00000000 fe:01 13    /usr/lib/data
7f0000000000-7f0000001000 --xs 00001000 fe:01 14                       /lib/with\\012line
7f0000001000-7f0000002000 r-xp 00000000 fe:01 15    /lib/gone (deleted)
7f0000002000-7f0000003000 r-xp 00000000 00:00 0     [vdso]
7f0000003000-7f0000004000 r-xp 00000000 00:00 0
7f0000004000-7f0000005000 r-xp 00000000 fe:02 12    /usr/bin/a program
7f0000005000-7f0000006000 r-xp 00000000 fe:02 16"""  # cut


def test_the_files_whose_code_a_process_has_mapped(proc):
    put(proc / "7" / "maps", MAPS)
    assert processes.mapped(7) == {
        (b"fe:01", b"12", "/usr/bin/a program"): Mapped("/usr/bin/a program", False, "400000-45b000", 12),
        (b"fe:01", b"14", "/lib/with\nline"): Mapped("/lib/with\nline", False, "7f0000000000-7f0000001000", 14),
        (b"fe:01", b"15", "/lib/gone"): Mapped("/lib/gone", True, "7f0000001000-7f0000002000", 15),
        (b"fe:02", b"12", "/usr/bin/a program"): Mapped("/usr/bin/a program", False, "7f0000004000-7f0000005000", 12),
    }
    with pytest.raises(FileNotFoundError):
        processes.mapped(8)


def opened(file):
    handle = processes.open_mapped(7, file)
    if handle is None:
        return None
    try:
        return os.read(handle, 99)
    finally:
        os.close(handle)


@needs_linux
def test_the_file_behind_a_link_of_the_kernel_is_opened_if_it_is_the_one(proc, tmp_path):
    right, wrong = put(tmp_path / "right", b"right"), put(tmp_path / "wrong", b"wrong")
    os.mkfifo(str(tmp_path / "fifo"))
    (proc / "7" / "map_files").mkdir(parents=True)
    link, program = proc / "7" / "map_files" / "1-2", proc / "7" / "exe"
    file = Mapped("/anything", True, "1-2", right.stat().st_ino)
    assert opened(file) is None
    for first, second, content in (
        (right, None, b"right"),
        (None, right, b"right"),
        (wrong, right, b"right"),
        (right, wrong, b"right"),
        (wrong, wrong, None),
    ):
        for place, target in ((link, first), (program, second)):
            if target:
                place.symlink_to(target)
        assert opened(file) == content
        for place in (link, program):
            if place.is_symlink():
                place.unlink()
    # What waits for a writer is not opened.
    link.symlink_to(tmp_path / "fifo")
    assert opened(file._replace(inode=(tmp_path / "fifo").stat().st_ino)) is None


@needs_linux
def test_how_a_process_was_started(proc, tmp_path, monkeypatch):
    key = (b"fe:01", b"12", "/usr/bin/a program")
    put(proc / "7" / "maps", MAPS)
    put(proc / "7" / "cmdline", b"program\0--option\0\0\xff\0")
    put(proc / "7" / "environ", b"HOME=/a\0TOKEN=hunter2\0XDG_CONFIG_HOME=b=c\0HOME=/d\0\xff=1\0HOME2=/e\0")
    put(proc / "7" / "status", b"Name:\tprogram\nPpid:\t1\nUid:\t11\t12\t13\t14\nGid:\t21\t22\t23\t24\n")
    arguments = ["program", "--option", "", "\udcff"]
    variables = {"HOME": "/a", "XDG_CONFIG_HOME": "b=c"}
    assert processes.started(7, key) == Process(arguments, variables, None, 11, None)
    (proc / "7" / "cwd").symlink_to("/x y (deleted)")
    program = put(tmp_path / "program", b"")
    os.utime(str(program), ns=(0, 1234567890123456789))
    (proc / "7" / "exe").symlink_to(program)
    found = Process(arguments, variables, "/x y (deleted)", 11, 1234567890123456789)
    assert processes.started(7, key) == found
    assert processes.users_of(7) == [11, 12, 13, 14]
    with pytest.raises(ProcessLookupError) as caught:
        processes.started(7, (b"fe:01", b"13", "/usr/lib/data"))
    assert caught.value.errno == errno.ESRCH

    def forbidden(pid, name):
        if name == "environ":
            raise PermissionError(errno.EACCES, name)
        return real(pid, name)

    real = processes._read_proc
    monkeypatch.setattr(processes, "_read_proc", forbidden)
    assert processes.started(7, key) == found._replace(variables={})
    (proc / "7" / "cmdline").unlink()
    with pytest.raises(FileNotFoundError):
        processes.started(7, key)


def test_a_process_without_a_line_for_its_users_has_the_owner_of_its_directory(proc):
    put(proc / "7" / "status", b"Name:\tprogram\n")
    assert processes.users_of(7) == [os.getuid()]


def test_of_a_file_of_a_process_16_mib_are_read(proc):
    for size, read in ((0, 0), (9, 9), (2**16 + 9, 2**16 + 9), (2**24 - 1, 2**24 - 1), (2**24 + 9, 2**24)):
        os.truncate(str(put(proc / "7" / "cmdline", b"")), size)
        assert len(processes._read_proc(7, "cmdline")) == read
    put(proc / "7" / "cmdline", b"ab" * 2**16)
    assert processes._read_proc(7, "cmdline") == b"ab" * 2**16
