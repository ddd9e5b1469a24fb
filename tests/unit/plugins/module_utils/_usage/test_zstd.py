# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries decompressed and compressed again."""

from __future__ import annotations

import os
import random
import struct
import threading
import time
from pathlib import Path
from typing import Any, Callable

import pytest
import zstandard

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml import Library
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
    relative,
)


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
    for number in range(105):
        cache.module(number, data=b"")
    with Open(cache) as look:
        result, _stopped = verify(look)
    assert (len(result["broken"]), result["broken_count"]) == (100, 105)


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
        if any(handle.exists() and handle.samefile(path) for handle in Path("/proc/self/fd").iterdir()):
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


@pytest.mark.parametrize("before", [GOOD, skippable(300), skippable(2**18 - 9), skippable(2**18 - 4), GOOD * 40])
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

    try:
        with Open(cache, seconds=0.01, clock=clock) as look:
            _of, rows, stopped = levels(look, [3, 4])
    finally:
        over.set()
    assert stopped == "time_limit"
    assert rows == [dict(NOT_KNOWN, level=3), dict(NOT_KNOWN, level=4)]


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
