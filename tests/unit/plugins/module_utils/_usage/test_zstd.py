# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries decompressed and compressed again."""

from __future__ import annotations

import errno
import os
import random
import struct
import sys
import threading
import time
from typing import Any, Callable, Iterator

import pytest
import zstandard

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml import Library
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.access import Reason
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.reasons import sentence
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage import zstd as _zstd
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage.scan import (
    Budget,
    Stopped,
    look_into,
    open_directory,
    resident,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage.zstd import (
    WINDOW_MAX,
    levels,
    new_enough,
    sample,
    verify,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.caches import (
    DEFAULTS,
    PLENTY,
    Cache,
    Clock,
    name_of,
    put,
    relative,
    use_memory,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    HANDLES,
    handles,
    needs_handles,
    place,
    without_root,
)

MIB = 2**20


def noise(size, seed=0):
    """Bytes that do not compress."""
    return random.Random(seed).getrandbits(8 * size).to_bytes(size, "little")


def compressed(content, level=3):
    """As the engine does it."""
    stream = zstandard.ZstdCompressor(level=level).compressobj()
    return stream.compress(content) + stream.flush()


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


class Open:
    """A look at a cache whose handle is open."""

    def __init__(self, cache, seconds=60.0, memory=PLENTY, clock=time.monotonic):
        self.handle = open_directory(str(cache.top))
        self.look = look_into(self.handle, DEFAULTS, 10**18, Budget(60.0, PLENTY), Library().any)
        self.look.budget = Budget(seconds, memory, clock)

    def __enter__(self):
        return self.look

    def __exit__(self, *_exception):
        os.close(self.handle)


def test_this_zstandard_is_new_enough():
    assert new_enough()


def test_good_entries(cache):
    contents = [b"", b"a", bytes(3 * 2**20), noise(300_000)]
    for number, content in enumerate(contents):
        cache.module(number, data=compressed(content, 3 + number))
    with Open(cache) as look:
        result, stopped = verify(look)
    assert stopped is None
    size = sum(map(len, contents))
    assert result == {
        "entries": 4,
        "broken": [],
        "broken_count": 0,
        "compressed": look.all.size,
        "uncompressed": size,
        "ratio": round(size / look.all.size, 2),
        "complete": True,
    }


GOOD = compressed(noise(5000) + bytes(5000))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (GOOD[:-1], "the file ends too early"),
        (GOOD[:3], "the file ends too early"),
        (GOOD[: len(GOOD) // 2], "the file ends too early"),
        (b"\x7fELF" + GOOD, "Unknown frame descriptor"),
        (GOOD + b"more and more", "Unknown frame descriptor"),
        (GOOD + GOOD[:-1], "the file ends too early"),
        (GOOD[:6] + b"\xff\xff\xff\xff" + GOOD[10:], "orrupt"),
    ],
)
def test_broken_entries_are_named_with_a_reason(cache, data, reason):
    cache.module(1, data=data)
    cache.module(2, data=GOOD)
    with Open(cache) as look:
        result, _stopped = verify(look)
    ((broken,)) = result["broken"]
    assert broken["name"] == relative(name_of(1))
    assert reason in sentence(broken["reason"])
    assert (result["entries"], result["broken_count"], result["complete"]) == (2, 1, True)
    assert (result["compressed"], result["uncompressed"]) == (len(GOOD), 10_000)


def test_frames_in_a_row_are_one_content(cache):
    cache.module(1, data=GOOD + compressed(b"123"))
    with Open(cache) as look:
        assert verify(look)[0]["uncompressed"] == 10_003


def test_what_the_engine_s_zstd_does_not_read_is_broken(cache):
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=28)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    cache.module(1, data=stream.compress(b"1") + stream.flush())
    with Open(cache) as look:
        ((broken,)) = verify(look)[0]["broken"]
    assert WINDOW_MAX < 2**28
    assert "too much memory" in sentence(broken["reason"])


def test_what_is_no_file_is_broken(cache):
    cache.module(1)
    path = cache.folder / name_of(1)
    path.unlink()
    path.symlink_to("/etc/passwd")
    os.mkfifo(str(cache.folder / name_of(2)))
    with Open(cache) as look:
        result, _stopped = verify(look)
    assert [broken["reason"].code for broken in result["broken"]] == ["not-a-regular-file"] * 2


def test_the_list_of_broken_ones_is_cut(cache):
    for number in range(300):
        cache.module(number, data=b"")
    with Open(cache) as look:
        result, _stopped = verify(look)
    assert (len(result["broken"]), result["broken_count"], result["complete"]) == (100, 300, True)


def test_what_is_gone_by_then_is_left_out(cache):
    for number in (1, 2):
        cache.module(number, data=GOOD)
    with Open(cache) as look:
        (cache.folder / name_of(1)).unlink()
        result, _stopped = verify(look)
        assert (result["entries"], result["broken_count"]) == (1, 0)
        for path in cache.folder.iterdir():
            path.unlink()
        cache.folder.rmdir()
        result, _stopped = verify(look)
        assert (result["entries"], result["broken_count"], result["ratio"]) == (0, 0, None)
        assert sample(look) == []


def test_what_is_replaced_meanwhile_is_read_again(cache: Cache) -> None:
    path = cache.module(1, data=GOOD[:-1])

    def replace() -> float:
        """A clock: something happens while the time passes."""
        if any(handle.exists() and handle.samefile(path) for handle in HANDLES.iterdir()):
            new = path.with_name("new")
            new.write_bytes(GOOD)
            new.rename(path)
        return 0.0

    with Open(cache, clock=replace) as look:
        result, _stopped = verify(look)
    assert (result["entries"], result["broken_count"], result["compressed"]) == (1, 0, len(GOOD))


def test_a_bomb_fills_no_memory_and_not_the_time_either(cache):
    content = bytes(2**20)
    stream = zstandard.ZstdCompressor(level=3).compressobj()
    bomb = b"".join(stream.compress(content) for _part in range(512)) + stream.flush()
    assert len(bomb) < 2**17
    cache.module(1, data=bomb)
    before = resident()
    with Open(cache, memory=before + 64 * 2**20) as look:
        result, stopped = verify(look)
    assert (result["uncompressed"], stopped) == (2**29, None)
    with Open(cache, seconds=0.02) as look:
        result, stopped = verify(look)
    assert (result["entries"], result["complete"], stopped) == (0, False, "time_limit")


def test_a_large_window_is_not_taken_from_a_small_memory(cache):
    cache.module(1, data=compressed(noise(1000), 21))
    with Open(cache, memory=resident() + 8 * 2**20) as look:
        result, stopped = verify(look)
    assert (result["entries"], result["complete"], stopped) == (0, False, "memory_limit")


def skippable(size: int) -> bytes:
    """A frame that zstd skips."""
    return struct.pack("<II", 0x184D2A50, size) + bytes(size)


def windowed(log: int) -> bytes:
    """A small frame for which zstd takes 2**log bytes of memory."""
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=log)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return stream.compress(b"1") + stream.flush()


@pytest.mark.parametrize(
    "before", [GOOD, skippable(300), skippable(2**18 - 9), skippable(2**18 - 4), skippable(3 * 2**18 - 9), GOOD * 40]
)
def test_a_large_window_behind_other_frames_is_not_taken_from_a_small_memory(cache: Cache, before: bytes) -> None:
    cache.module(1, data=before + windowed(27) + GOOD)
    with Open(cache, memory=resident() + 64 * 2**20) as look:
        result, stopped = verify(look)
    assert (result["entries"], result["complete"], stopped) == (0, False, "memory_limit")
    with Open(cache) as look:
        assert verify(look)[0]["broken_count"] == 0


def test_a_size_that_zstd_refuses_takes_no_memory_and_ends_nothing(cache: Cache) -> None:
    # A frame of one segment: its window is its content, 2**60 bytes.
    cache.module(1, data=b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", 2**60) + b"\1\0\0a")
    cache.module(2, data=windowed(28))
    cache.module(3, data=GOOD)
    with Open(cache, memory=resident() + 32 * 2**20) as look:
        result, stopped = verify(look)
    assert (result["entries"], result["broken_count"], stopped) == (3, 2, None)


def empty(cache: Cache, number: int) -> None:
    cache.module(number, data=b"")


def garbage(cache: Cache, number: int) -> None:
    cache.module(number, data=b"garbage")


def fifo(cache: Cache, number: int) -> None:
    cache.folder.mkdir(parents=True, exist_ok=True)
    os.mkfifo(str(cache.folder / name_of(number)))


def link(cache: Cache, number: int) -> None:
    cache.folder.mkdir(parents=True, exist_ok=True)
    (cache.folder / name_of(number)).symlink_to("/etc/passwd")


def good(cache: Cache, number: int) -> None:
    cache.module(number, data=compressed(b"%d" % number))


@pytest.mark.parametrize("make", [empty, garbage, fifo, link, good])
def test_many_entries_of_any_kind_are_stopped_by_time(cache: Cache, make: Callable[[Cache, int], None]) -> None:
    for number in range(100):
        make(cache, number)
    with Open(cache, seconds=20, clock=Clock(step=1)) as look:
        result, stopped = verify(look)
        assert stopped == "time_limit"
        assert 0 < result["entries"] < 100
        assert result["complete"] is False
    with Open(cache, seconds=20, clock=Clock(step=1)) as look, pytest.raises(Stopped, match="time_limit"):
        sample(look)


def test_a_sample_is_stopped_by_time_where_there_is_nothing_to_decompress(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(100):
        cache.module(number, data=b"")
    with Open(cache, seconds=110, clock=Clock(step=1)) as look, pytest.raises(Stopped, match="time_limit"):
        sample(look)
    monkeypatch.setattr(_zstd, "_CANDIDATES", 1)
    with Open(cache, seconds=50, clock=Clock(step=1)) as look, pytest.raises(Stopped, match="time_limit"):
        sample(look)


@pytest.mark.parametrize("data", [GOOD * 100, skippable(10) * 100, skippable(2**16), compressed(noise(2**16))])
def test_one_entry_of_any_kind_is_stopped_by_time(cache: Cache, data: bytes) -> None:
    cache.module(1, data=data)
    with Open(cache, seconds=20, clock=Clock(step=1)) as look:
        result, stopped = verify(look)
    assert (result["entries"], stopped) == (0, "time_limit")


def test_what_is_behind_links_is_not_opened(cache, tmp_path):
    behind = Cache(tmp_path / "behind")
    behind.module(1, data=b"broken")
    cache.module(2, data=GOOD)
    (cache.top / "modules" / "wasmtime-1").symlink_to(behind.folder)
    with Open(cache) as look:
        result, stopped = verify(look)
        assert len(sample(look)) == 1
    assert (result["entries"], result["broken_count"], result["complete"], stopped) == (1, 0, False, None)


def test_the_sample_is_the_same_every_time(cache, monkeypatch):
    monkeypatch.setattr(_zstd, "SAMPLE_ENTRIES", 5)
    for number in range(20):
        cache.module(number, data=compressed(b"%d" % number))
    cache.module(21, data=b"broken")
    with Open(cache) as look:
        chosen = sample(look)
        look.entries.reverse()
        assert sample(look) == chosen
    assert len(set(chosen)) == 5


def test_the_sample_is_cut_off(cache, monkeypatch):
    monkeypatch.setattr(_zstd, "SAMPLE_BYTES", 2500)
    for number in range(3):
        cache.module(number, data=compressed(bytes(1000)))
    with Open(cache) as look:
        assert [len(content) for content in sample(look)] == [1000, 1000, 500]


def test_levels_are_measured(cache):
    content = b"".join(b"%d," % (number * number) for number in range(20_000))
    cache.module(1, data=compressed(content))
    with Open(cache) as look:
        of, rows, stopped = levels(look, [0, 1, 3, 19])
    assert (of, stopped) == ({"entries": 1, "size": len(content)}, None)
    assert [row["level"] for row in rows] == [0, 1, 3, 19]
    for row in rows:
        assert row["ratio"] == round(len(content) / len(compressed(content, row["level"])), 2)
        assert row["compress_mb_per_s"] > 0
        assert row["decompress_mb_per_s"] > 0
    assert rows[0]["ratio"] == rows[2]["ratio"] < rows[3]["ratio"]
    assert rows[1]["compress_mb_per_s"] > rows[3]["compress_mb_per_s"]


def test_a_speed_is_in_millions_of_bytes_and_tenths():
    assert _zstd._speed(2_690_000, 2.0) == 1.3
    assert _zstd._speed(1, 0.000001) == 1.0
    assert _zstd._speed(1, 0) is None


NOT_KNOWN = {"ratio": None, "compress_mb_per_s": None, "decompress_mb_per_s": None}


def test_levels_without_a_sample(cache):
    with Open(cache) as look:
        assert levels(look, [3]) == (None, [dict(NOT_KNOWN, level=3)], None)


def test_levels_without_time(cache):
    cache.module(1, data=GOOD)
    with Open(cache, seconds=0) as look:
        assert levels(look, [3]) == (None, [dict(NOT_KNOWN, level=3)], "time_limit")


def test_a_level_that_takes_too_long_is_left_behind(cache: Cache) -> None:
    """A call that does not come back, as those of the high levels for some time: here it looks at the clock."""
    cache.module(1, data=GOOD)
    over = threading.Event()
    asking = threading.current_thread()

    def clock() -> float:
        if threading.current_thread() is not asking:
            over.wait()
        return 0.0

    before = threading.enumerate()
    try:
        with Open(cache, seconds=0.01, clock=clock) as look:
            _of, rows, stopped = levels(look, [3, 4])
        left = [thread for thread in threading.enumerate() if thread not in before]
    finally:
        over.set()
    assert stopped == "time_limit"
    assert rows == [dict(NOT_KNOWN, level=3), dict(NOT_KNOWN, level=4)]
    # The process does not wait for it.
    assert [thread.daemon for thread in left] == [True] * 2


def test_work_is_repeated_until_it_has_taken_long_enough() -> None:
    clock = Clock()

    def times(*durations: float) -> tuple[Any, int]:
        left = list(durations)

        def work() -> None:
            clock.now += left.pop(0)

        return _zstd._median_seconds(work, clock), len(durations) - len(left)

    assert times(0.5, 9) == (pytest.approx(0.5), 1)
    assert times(0.2, 0.05, 0.1, 9) == (pytest.approx(0.1), 3)
    assert times(0.03, 0.01, 0.05, 0.02, 0.04, 9) == (pytest.approx(0.03), 5)


def test_a_sample_that_is_hard_to_find_is_smaller(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_zstd, "_CANDIDATES", 4)
    for number in range(3):
        cache.module(number, data=b"broken")
    for number in range(3, 9):
        cache.module(number, data=compressed(b"%d" % number))
    with Open(cache) as look:
        assert sample(look) == [b"3"]


def test_a_level_that_needs_too_much_memory_leaves_the_others_alone(cache):
    cache.module(1, data=compressed(b"123"))
    with Open(cache, memory=resident() + 100 * 2**20) as look:
        of, rows, stopped = levels(look, [21, 1])
    assert (of, stopped) == ({"entries": 1, "size": 3}, "memory_limit")
    assert rows[0] == dict(NOT_KNOWN, level=21)
    assert rows[1]["ratio"] is not None


def test_a_speed_is_exact() -> None:
    assert _zstd._speed(10**12, 1.0) == 10.0**6


@pytest.mark.parametrize(
    ("data", "needed"),
    [
        (b"garbage", 16 * MIB),
        (skippable(300), 16 * MIB),
        (windowed(28), 16 * MIB),
        (windowed(20), 17 * MIB),
        (windowed(20) + windowed(27) + windowed(21), 144 * MIB),
        # The longest header that there is: with a window, a number of a dictionary and the size of the content.
        (b"\x28\xb5\x2f\xfd\xc3\x88" + bytes(4) + struct.pack("<Q", 1) + b"\x09\0\0a", 144 * MIB),
    ],
)
def test_an_entry_is_decompressed_if_there_is_memory_for_its_window_and_16_mib(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, data: bytes, needed: int
) -> None:
    cache.module(1, data=data)
    with Open(cache) as look:
        use_memory(monkeypatch, 0)
        look.budget = Budget(60, needed)
        assert verify(look)[1] is None
        look.budget = Budget(60, needed - 1)
        result, stopped = verify(look)
    assert (result["entries"], result["complete"], stopped) == (0, False, "memory_limit")


def test_the_list_of_entries_is_sorted_if_there_is_memory_for_three(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        cache.module(number, data=GOOD)
    with Open(cache) as look:
        use_memory(monkeypatch, 0)
        needed = 3 * sys.getsizeof(look.entries)
        look.budget = Budget(60, needed)
        assert len(_zstd._reachable(look)) == 50
        look.budget = Budget(60, needed - 1)
        with pytest.raises(Stopped, match="memory_limit"):
            _zstd._reachable(look)


def test_a_sample_is_taken_if_there_is_memory_for_twice_its_size(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.module(1, data=GOOD)
    with Open(cache) as look:
        use_memory(monkeypatch, 0)
        look.budget = Budget(60, 32 * MIB)
        assert [len(content) for content in sample(look)] == [10_000]
        look.budget = Budget(60, 32 * MIB - 1)
        with pytest.raises(Stopped, match="memory_limit"):
            sample(look)


@pytest.mark.parametrize(("level", "same"), [(0, 3), (1, 1), (9, 9)])
def test_a_level_is_measured_if_there_is_memory_for_it_and_the_modules(
    monkeypatch: pytest.MonkeyPatch, level: int, same: int
) -> None:
    """All of them compressed, the largest one as it is and compressed again."""
    contents = [noise(3000), noise(5000), noise(4000)]
    parameters = zstandard.ZstdCompressionParameters.from_level(same)
    needed = parameters.estimated_compression_context_size() + 22_000
    use_memory(monkeypatch, 0)
    assert _zstd.measure(contents, level, Budget(60, needed))["level"] == level
    with pytest.raises(Stopped, match="memory_limit"):
        _zstd.measure(contents, level, Budget(60, needed - 1))


def folders(cache: Cache) -> None:
    """Two folders with modules of the same names."""
    for compiler in (b"2", b"1"):
        for number in (3, 1, 2):
            content = compressed(b"%d of %s" % (number, compiler))
            put(cache.top / "modules" / ("wasmtime-" + compiler.decode()) / name_of(number), content)


def test_entries_are_read_folder_by_folder(cache: Cache) -> None:
    folders(cache)
    with Open(cache) as look:
        look.entries.sort(key=lambda entry: entry.name)
        found = _zstd._reachable(look)
        assert sorted(found) == sorted(look.entries)
        assert [entry.folder for entry in found] == [0, 0, 0, 1, 1, 1]


@needs_handles
def test_consecutive_entries_share_the_handle_of_their_folder(cache: Cache) -> None:
    folders(cache)
    with Open(cache) as look:
        before = handles()
        entries = _zstd._reachable(look)
        reader = _zstd.EntryReader(look)
        shared = [reader.folder(entry) for entry in entries[:3]]
        assert shared == shared[:1] * 3
        assert os.path.samestat(os.fstat(shared[0]), (cache.top / look.folders[0].path).stat())
        assert len(handles()) == len(before) + 1
        other = reader.folder(entries[3])
        assert os.path.samestat(os.fstat(other), (cache.top / look.folders[1].path).stat())
        assert len(handles()) == len(before) + 1
        for _time in range(2):
            reader.close()
            assert handles() == before
        assert os.path.samestat(os.fstat(reader.folder(entries[3])), (cache.top / look.folders[1].path).stat())
        reader.close()
        assert handles() == before


@needs_handles
def test_no_handle_is_left_open_whatever_the_entries_are(cache: Cache) -> None:
    folders(cache)
    for number, make in enumerate((empty, garbage, fifo, link, good)):
        make(cache, number)
    with Open(cache) as look:
        before = handles()
        (cache.folder / name_of(4)).unlink()
        verify(look)
        assert len(sample(look)) == 6
        assert handles() == before
        look.budget = Budget(12, PLENTY, Clock(1))
        assert verify(look)[1] == "time_limit"
        assert handles() == before


def test_a_file_is_known_again_by_its_identity_size_and_time(cache: Cache) -> None:
    path = cache.module(1, data=GOOD)
    with Open(cache) as look:
        (entry,) = look.entries
        reader = _zstd.EntryReader(look)
        before = path.stat()

        def replaced() -> bool:
            os.utime(str(path), ns=(before.st_mtime_ns, before.st_mtime_ns))
            return reader.replaced(entry, before)

        os.utime(str(path), ns=(1, before.st_mtime_ns))
        assert not reader.replaced(entry, before)
        path.write_bytes(bytes(len(GOOD)))
        assert not replaced()
        os.utime(str(path), ns=(before.st_mtime_ns, before.st_mtime_ns + 1))
        assert reader.replaced(entry, before)
        path.write_bytes(GOOD + b"1")
        assert replaced()
        path.write_bytes(GOOD)
        assert not replaced()
        moved = path.rename(path.with_name("moved"))
        assert reader.replaced(entry, before)
        path.symlink_to(moved)
        assert reader.replaced(entry, before)
        path.unlink()
        path.write_bytes(GOOD)
        assert replaced()
        reader.close()


def test_an_entry_that_is_replaced_by_a_broken_one_is_broken(cache: Cache) -> None:
    """It is read twice and no more often."""
    path = cache.module(1, data=GOOD[:-1])
    replaced = []

    def replace() -> float:
        if any(handle.exists() and handle.samefile(path) for handle in HANDLES.iterdir()):
            new = path.with_name("new")
            new.write_bytes(GOOD[:-1])
            new.rename(path)
            replaced.append(1)
        return 0.0

    with Open(cache, clock=replace) as look:
        result, stopped = verify(look)
    assert (result["entries"], result["broken_count"], stopped) == (1, 1, None)
    assert len(replaced) == 2


def test_why_an_entry_is_broken(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.module(1, data=b"\x7fELF" + GOOD)
    with Open(cache) as look:
        ((broken,)) = verify(look)[0]["broken"]
        assert repr(broken["reason"]) == repr(Reason("zstd-error", text="Unknown frame descriptor"))

        def fail(_file: int, _size: int) -> bytes:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(os, "read", fail)
        ((broken,)) = verify(look)[0]["broken"]
        monkeypatch.undo()
        error = Reason("system-error", text=os.strerror(errno.EIO))
        assert repr(broken["reason"]) == repr(error)


def test_an_entry_that_must_not_be_read_is_broken() -> None:
    with place() as there:
        cache = Cache(there / "cache")
        cache.module(1, data=GOOD).chmod(0)
        cache.module(2, data=GOOD).chmod(0o644)
        with without_root(), Open(cache) as look:
            result, _stopped = verify(look)
            assert [len(content) for content in sample(look)] == [10_000]
    ((broken,)) = result["broken"]
    assert broken["name"] == relative(name_of(1))
    denied = Reason("system-error", text=os.strerror(errno.EACCES))
    assert repr(broken["reason"]) == repr(Reason("unreadable-file", reason=denied))
    assert (result["entries"], result["broken_count"], result["uncompressed"]) == (2, 1, 10_000)


def test_a_check_of_half_a_look_is_not_complete(cache: Cache) -> None:
    cache.module(1, data=GOOD)
    with Open(cache) as look:
        assert verify(look)[0]["complete"] is True
        look.unreadable.append("modules/wasmtime-1")
        assert verify(look)[0]["complete"] is False


def test_a_ratio_has_two_digits() -> None:
    assert _zstd._ratio(1000, 3) == 333.33
    assert _zstd._ratio(0, 3) == 0.0
    assert _zstd._ratio(3, 0) is None


def test_the_sample_has_64_modules_of_the_first_1024(cache: Cache) -> None:
    for number in range(1023):
        cache.module(number, data=b"", stats=None)
    for number in range(2000, 2070):
        cache.module(number, data=compressed(b"%d" % number), stats=None)
    with Open(cache) as look:
        assert sample(look) == [b"2000"]
        look.entries[:] = [entry for entry in look.entries if entry.name >= name_of(2000)]
        assert sample(look) == [b"%d" % number for number in range(2000, 2064)]


def test_the_sample_has_16_mib(cache: Cache) -> None:
    """An empty module is none of it."""
    content = noise(MIB)
    for number, part in enumerate((b"", content, bytes(17 * MIB), content)):
        cache.module(number, data=compressed(part))
    with Open(cache) as look:
        chosen = sample(look)
    assert chosen == [content, bytes(15 * MIB)]


def test_the_sample_is_in_the_order_of_names_and_then_folders(cache: Cache) -> None:
    folders(cache)
    with Open(cache) as look:
        assert sample(look) == [b"%d of %d" % (number, compiler) for number in (1, 2, 3) for compiler in (1, 2)]


def test_the_last_module_of_a_sample_is_cut_off(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_zstd, "SAMPLE_BYTES", 400_001)
    content = noise(600_000)
    cache.module(1, data=compressed(content))
    with Open(cache) as look:
        assert sample(look) == [content[:400_001]]


def test_a_level_compresses_as_the_engine_does() -> None:
    content = noise(300_000) + bytes(2**19) + b"the end"
    budget = Budget(60, PLENTY)
    for level in (1, 6):
        assert b"".join(_zstd._compress(content, level, budget)) == compressed(content, level)
    row = _zstd.measure([content, bytes(1000)], 6, budget)
    size = len(compressed(content, 6)) + len(compressed(bytes(1000), 6))
    speeds = [row.pop(name) for name in ("compress_mb_per_s", "decompress_mb_per_s")]
    assert row == {"level": 6, "ratio": round((len(content) + 1000) / size, 2)}
    assert all(isinstance(speed, float) and speed > 0 for speed in speeds)


def test_a_measurement_is_stopped_by_time_wherever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both directions look at the clock for each piece."""
    monkeypatch.setattr(_zstd, "_RUNS", 1)
    contents = [noise(2**20)] * 2
    for seconds in (0, 3, 7, 10, 20):
        with pytest.raises(Stopped, match="time_limit"):
            _zstd.measure(contents, 1, Budget(seconds, PLENTY, Clock(step=1)))
    assert _zstd.measure(contents, 1, Budget(30, PLENTY, Clock(step=1)))["level"] == 1


def test_the_first_limit_that_is_reached_is_told(cache: Cache) -> None:
    cache.module(1, data=compressed(b"123"))
    clock = Clock()

    def wanted() -> Iterator[int]:
        yield 21
        clock.now = 100
        yield 1

    with Open(cache, memory=resident() + 100 * MIB, clock=clock) as look:
        _of, rows, stopped = levels(look, wanted())  # type: ignore[arg-type]
    assert rows == [dict(NOT_KNOWN, level=21), dict(NOT_KNOWN, level=1)]
    assert stopped == "memory_limit"


def test_no_more_of_a_module_is_read_than_the_sample_takes(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_zstd, "SAMPLE_BYTES", 1000)
    content = noise(2**20)
    cache.module(1, data=compressed(content))
    # All of it would take 4096 looks at the clock.
    with Open(cache, seconds=1024, clock=Clock(step=1)) as look:
        assert sample(look) == [content[:1000]]
