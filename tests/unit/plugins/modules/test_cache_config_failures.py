# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cache_config: What fails while something is written."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import socket
import stat
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import MAX_BYTES
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import lock as _lock
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import make_directory as _make_directory
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import write as _write
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.access import Reason
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import config_info, labels
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import plan as _plan
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import remove as _remove
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.change import undisturbed
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    ROOT,
    STRANGER,
    as_root,
    mode_of,
    place,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import absent, run_without_root


def full(*_arguments, **_options):
    raise OSError(28, "No space left on device")


def test_a_failure_while_writing_is_told_and_leaves_the_old_file(world, monkeypatch):
    world.write("[cache]\n")
    world.cache.mkdir(0o700)
    before = {path: entry[:4] + entry[6:] for path, entry in world.snapshot().items()}
    monkeypatch.setattr(os, "fsync", full)
    result = world.run(cleanup_interval="2h")
    assert result["msg"] == "%s: it cannot be written: No space left on device" % world.config
    assert (result["failed"], result["changed"]) == (True, False)
    assert {path: entry[:4] + entry[6:] for path, entry in world.snapshot().items()} == before


def test_a_failure_after_the_directory_was_made_says_so(world, monkeypatch):
    monkeypatch.setattr(os, "write", full)
    result = world.run()
    assert result["msg"].endswith("No space left on device; the cache directory was made or changed before that")
    assert (result["failed"], result["changed"]) == (True, True)
    assert world.cache.is_dir()
    assert not world.config.exists()


def test_a_file_that_cannot_be_removed_is_told(world, monkeypatch):
    world.write("[cache]\n")
    monkeypatch.setattr(os, "unlink", full)
    result = world.run(state="absent")
    assert result["msg"] == "%s: it cannot be removed: No space left on device" % world.config
    assert world.config.exists()


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("backup", [False, True])
def test_what_was_done_and_may_not_last_is_a_failure_that_has_changed_something(world, monkeypatch, state, backup):
    world.write("[cache]\n")
    world.cache.mkdir(0o700)
    fsync = os.fsync

    def lost(handle):
        names = {name for name in os.listdir(world.config.parent) if not name.startswith(".")}  # noqa: PTH208
        done = world.config.name not in names or world.config.stat().st_size > 10
        if done and os.path.samestat(os.fstat(handle), world.config.parent.stat()):
            raise OSError(5, "Input/output error")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", lost)
    result = world.run(state=state, backup=backup, **({"cleanup_interval": "2h"} if state == "present" else {}))
    done = "written" if state == "present" else "removed"
    assert result["msg"] == (
        "%s: it was %s, but may not survive a power cut: Input/output error" % (world.config, done)
    )
    assert (result["failed"], result["changed"], result["problems"]) == (True, True, [])
    assert result["path"] == str(world.config)
    assert ("backup_file" in result) is backup
    if backup:
        assert Path(result["backup_file"]).read_text() == "[cache]\n"


def is_free(directory):
    """Whether no run has locked a directory."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


@pytest.mark.parametrize("options", [{"cleanup_interval": "2h"}, {"state": "absent"}], ids=["present", "absent"])
def test_a_run_waits_for_another_one_and_a_dry_run_does_not(world, monkeypatch, options):
    world.write("[cache]\n")
    world.cache.mkdir(0o700)
    monkeypatch.setattr(_lock, "WAIT", 0.0)
    other = os.open(world.config.parent, os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX)
        before = world.snapshot()
        result = world.run(**options)
        assert result["msg"] == (
            '%s: nothing was changed: another process has held the lock on "%s" for 0 seconds; run again when it has ended'
            " (lslocks names it)" % (world.config, world.config.parent)
        )
        assert (result["failed"], result["changed"], result["problems"]) == (True, False, [])
        assert world.run(check=True, **options)["changed"] is True
        assert world.snapshot() == before
    finally:
        os.close(other)
    assert world.run(**options)["changed"] is True
    assert is_free(world.config.parent)


@pytest.mark.parametrize("options", [{"cleanup_interval": "2h"}, {"state": "absent"}], ids=["present", "absent"])
def test_a_run_that_fails_holds_no_lock_any_more(world, monkeypatch, options):
    world.write("[cache]\n")
    world.cache.mkdir(0o700)
    monkeypatch.setattr(os, "unlink" if "state" in options else "rename", full)
    assert "No space left on device" in world.run(**options)["msg"]
    assert is_free(world.config.parent)


def test_signals_wait_until_a_change_is_done():
    signals = {signal.SIGHUP, signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    for usual in (before, before | {signal.SIGHUP}):
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)
        try:
            with contextlib.suppress(OSError), undisturbed():
                assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == usual | signals
                full()
            assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == usual
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def raced(monkeypatch, act):
    """Have something done right before each write of the file."""
    write = _write.write

    def other_first(*arguments, **options):
        act()
        return write(*arguments, **options)

    monkeypatch.setattr(_write, "write", other_first)


@pytest.mark.parametrize("exists", [True, False])
def test_what_another_process_writes_meanwhile_is_merged_into(world, monkeypatch, exists):
    if exists:
        world.write("[cache]\n")
    theirs = iter(["[cache]\nbaseline-compression-level = 1\n", None])

    def other():
        text = next(theirs)
        if text:
            world.write(text)

    raced(monkeypatch, other)
    result = world.run(cleanup_interval="2h", backup=True)
    assert result["changed"] is True
    text = world.config.read_text()
    assert "baseline-compression-level = 1\n" in text
    assert 'cleanup-interval = "2h"' in text
    # What was done in vain has left nothing, and what was done is told.
    assert len(list(world.config.parent.iterdir())) == 2
    assert [part["after_header"] for part in result["diff"]] == [
        "%s (cache directory)" % world.cache,
        str(world.config),
    ]


def test_a_run_that_finds_its_work_done_by_another_has_still_made_the_directory(world, monkeypatch):
    world.write("[cache]\n")
    text = '[cache]\ndirectory = "%s"\n' % world.cache
    raced(monkeypatch, lambda: world.write(text))
    result = world.run()
    assert result["changed"] is True
    assert result["changed_settings"] == {}
    assert world.config.read_text() == text


ALSO = "; the cache directory was made or changed before that"


@pytest.mark.parametrize("there", [False, True])
def test_a_run_that_fails_when_it_starts_again_tells_whether_the_directory_was_made(world, monkeypatch, there):
    world.write("[cache]\n")
    if there:
        world.cache.mkdir(0o700)
    raced(monkeypatch, lambda: (world.write("[cache]\n#\n"), monkeypatch.setattr(_plan, "resolve_file", full)))
    result = world.run(cleanup_interval="2h")
    also = "" if there else ALSO
    assert result["msg"] == "%s: system error: No space left on device; correct that first%s" % (world.config, also)
    assert (result["failed"], result["changed"], result["problems"]) == (True, not there, [])
    assert result["path"] == str(world.config)
    assert world.cache.exists()


def test_a_file_that_never_rests_is_given_up(world, monkeypatch):
    count = iter(range(10**6))
    raced(monkeypatch, lambda: world.write("[cache]\n# %d\n" % next(count)))
    result = world.run(cleanup_interval="2h")
    assert result["msg"] == (
        "%s: another process keeps writing to it; run again when that has ended%s" % (world.config, ALSO)
    )
    assert (result["failed"], result["changed"], result["problems"]) == (True, True, [])


@pytest.mark.parametrize("made", ["made", "changed", "there"])
@pytest.mark.parametrize("problems", [1, 2])
def test_a_run_that_is_refused_when_it_starts_again_tells_whether_the_directory_was_made(
    world, monkeypatch, made, problems
):
    world.write("[cache]\n")
    if made != "made":
        world.cache.mkdir(0o750 if made == "changed" else 0o700)
    theirs = "[cache]\n" + "".join("unknown-%d = 1\n" % number for number in range(problems))
    raced(monkeypatch, lambda: world.write(theirs))
    result = world.run(cleanup_interval="2h", directory_mode="0700")
    assert (result["failed"], result.get("changed", False)) == (True, made != "there")
    assert [problem["code"] for problem in result["problems"]] == ["unknown-key"] * problems
    summary, *points = result["msg"].split("\n- ")
    if made == "there":
        assert "Wasmtime refuses this file, so nothing was changed:" in summary
        assert ALSO[2:] not in result["msg"]
    else:
        assert "Wasmtime refuses this file, so nothing else was changed:" in summary
        assert (points[-1] if points else summary).endswith(ALSO[2:])
    assert len(points) == (0 if problems == 1 else problems + 1 + (made != "there"))
    assert world.config.read_text() == theirs
    assert mode_of(world.cache) == 0o700


def test_a_lock_that_is_taken_between_two_attempts_is_told_with_the_directory(world, monkeypatch):
    world.write("[cache]\n")
    raced(monkeypatch, lambda: (world.write("[cache]\n#\n"), monkeypatch.setattr(_lock.Lock, "take", held)))
    result = world.run(cleanup_interval="2h")
    assert result["msg"] == "%s: nothing else was changed: held%s" % (world.config, ALSO)
    assert (result["failed"], result["changed"], result["problems"]) == (True, True, [])


def held(_lock, _resolved):
    raise _write.CannotWrite(Reason("system-error", text="nothing was changed: held"))


@pytest.mark.parametrize("there", [False, True])
def test_a_run_whose_file_is_moved_after_it_was_written_has_changed_something(world, monkeypatch, there):
    def moved(_resolved):
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    world.cache.mkdir(0o700)
    if there:
        world.run()
    monkeypatch.setattr(labels, "open_resolved", moved)
    result = world.run(attributes="+A")
    assert "another process is changing it or a directory above it" in result["msg"]
    assert (result["failed"], result["changed"], result["problems"]) == (True, not there, [])


def test_a_file_that_changes_before_it_is_removed_is_kept_if_a_backup_is_asked_for(world, monkeypatch):
    world.write("[cache]\n")
    unlink = _remove.unlink

    theirs = iter(["[cache]\n# theirs\n"])

    def other_first(*arguments):
        for text in theirs:
            world.write(text)
        return unlink(*arguments)

    monkeypatch.setattr(_remove, "unlink", other_first)
    result = world.run(state="absent", backup=True)
    assert result["changed"] is True
    assert Path(result["backup_file"]).read_text() == "[cache]\n# theirs\n"
    assert not world.config.exists()
    assert [part["before"] for part in result["diff"]] == ["[cache]\n# theirs\n"]


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            FileNotFoundError(2, "No such file or directory", "/x"),
            "another process is changing it or a directory above it; run again when that has ended",
        ),
        (OSError(5, "Input/output error"), "system error: Input/output error; correct that first"),
        (OSError(5, "Input/output error", b"/x"), "system error: Input/output error (/x); correct that first"),
    ],
    ids=["gone", "no-name", "name"],
)
def test_what_fails_between_two_looks_is_told(world, monkeypatch, state, error, words):
    def gone(_path):
        raise error

    world.write("[cache]\n")
    monkeypatch.setattr(_plan if state == "present" else _remove, "resolve_file", gone)
    results = [world.run(state=state, cleanup_interval="2h" if state == "present" else None)]
    if state == "present":
        monkeypatch.setattr(config_info, "resolve_file", gone)
        results.append(world.info(path=str(world.config)))
    for result in results:
        assert result["failed"] is True
        assert result["msg"] == ("%s: %s" % (world.config, words))


def test_a_file_that_goes_before_ansible_looks_at_it_once_more_is_no_failure(world, monkeypatch):
    add_path_info = AnsibleModule.add_path_info

    def late(module, result):
        if result.get("path"):
            raise FileNotFoundError(2, "No such file or directory")
        return add_path_info(module, result)

    monkeypatch.setattr(AnsibleModule, "add_path_info", late)
    result = world.run()
    assert (result["changed"], result["path"]) == (True, str(world.config))
    assert world.run(mode="9")["failed"] is True
    assert world.info(path=str(world.config))["valid"] is True


@pytest.mark.parametrize("backup", [True, False])
@pytest.mark.parametrize("kind", ["fifo", "socket", "device"])
def test_what_is_no_file_is_not_removed(world, monkeypatch, kind, backup):
    if kind == "fifo":
        os.mkfifo(str(world.config))
    elif kind == "device":
        if not ROOT:
            pytest.skip("only root can make a device")
        os.mknod(str(world.config), 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    else:
        monkeypatch.chdir(world.config.parent)  # no path is short enough
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(world.config.name)
    message = world.refused(state="absent", backup=backup)
    assert message.endswith("it is not a regular file, and so not a config; remove it by hand if nothing needs it")


def test_what_cannot_be_read_is_not_removed_if_a_backup_is_asked_for(world):
    world.write(b"#" * (MAX_BYTES + 1))
    assert "no backup can be made, so nothing was changed" in world.refused(state="absent", backup=True)
    absent(world)


@as_root
def test_root_creates_no_file_behind_a_user_s_link(world):
    link = world.tree / "link"
    link.symlink_to(world.config.parent)
    os.chown(str(link), STRANGER, STRANGER, follow_symlinks=False)
    assert "root does not follow it" in world.refused(path=str(link / "config.toml"))


@as_root
def test_root_creates_no_directory_behind_a_user_s_link(world):
    link = world.tree / "link"
    (world.tree / "real").mkdir()
    link.symlink_to(world.tree / "real")
    os.chown(str(link), STRANGER, STRANGER, follow_symlinks=False)
    message = world.refused(directory=str(link / "cache"), ignore_dangers=["directory-replaceable"])
    assert "root does not follow it" in message


def test_a_directory_that_another_process_makes_meanwhile_is_taken_as_it_is(world, monkeypatch):
    make = _make_directory.make

    def other_first(*arguments):
        if not world.cache.exists():
            world.cache.mkdir(0o750)
        make(*arguments)

    monkeypatch.setattr(_make_directory, "make", other_first)
    result = world.run()
    assert result["changed"] is True
    assert mode_of(world.cache) == 0o750
    assert world.config.exists()
    assert [part["after_header"] for part in result["diff"]] == [str(world.config)]


def test_what_may_not_be_looked_at_is_not_taken_for_absent():
    with place() as there:
        (there / "etc").mkdir()
        (there / "etc" / "config.toml").write_text("[cache]\n")
        (there / "etc").chmod(0o000)
        if os.geteuid() == 0:
            os.chown(str(there / "etc"), 0, 0)
        for check in (True, False):
            result = run_without_root(
                there, path=str(there / "etc" / "config.toml"), directory=None, state="absent", check=check
            )
            assert result["msg"].endswith("config.toml: it cannot be removed: Permission denied")
