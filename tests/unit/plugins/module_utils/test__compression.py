# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries decompressed and compressed again."""

from __future__ import annotations

import os
import random

import pytest
import zstandard

from ansible_collections.wasmops.wasmtime.plugins.module_utils import _compression
from ansible_collections.wasmops.wasmtime.plugins.module_utils._compression import (
    WINDOW_MAX,
    levels,
    new_enough,
    sample,
    verify,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._entries import Budget, Look, open_directory, resident
from ansible_collections.wasmops.wasmtime.plugins.module_utils._toml import Library
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.caches import (
    DEFAULTS,
    PLENTY,
    Cache,
    name_of,
    relative,
)


def noise(size, seed=0):
    """Bytes that do not compress."""
    return bytes(random.Random(seed).getrandbits(8) for _number in range(size))


def compressed(content, level=3):
    """As the engine does it."""
    stream = zstandard.ZstdCompressor(level=level).compressobj()
    return stream.compress(content) + stream.flush()


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


class Open:
    """A look at a cache whose handle is open."""

    def __init__(self, cache, seconds=60.0, memory=PLENTY):
        self.handle = open_directory(str(cache.top))
        self.look = Look(self.handle, DEFAULTS, 10**18, Budget(60.0, PLENTY), Library().any)
        self.look.budget = Budget(seconds, memory)

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
    assert reason in broken["reason"]
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
    assert "too much memory" in broken["reason"]


def test_what_is_no_file_is_broken(cache):
    cache.module(1)
    path = cache.folder / name_of(1)
    path.unlink()
    path.symlink_to("/etc/passwd")
    os.mkfifo(str(cache.folder / name_of(2)))
    with Open(cache) as look:
        result, _stopped = verify(look)
    assert [broken["reason"] for broken in result["broken"]] == ["not a regular file"] * 2


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


def test_what_is_replaced_meanwhile_is_read_again(cache, monkeypatch):
    path = cache.module(1, data=GOOD[:-1])
    needs = _compression.needs

    def replace(file):
        new = path.with_name("new")
        new.write_bytes(GOOD)
        new.rename(path)
        return needs(file)

    monkeypatch.setattr(_compression, "needs", replace)
    with Open(cache) as look:
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
    monkeypatch.setattr(_compression, "SAMPLE_ENTRIES", 5)
    for number in range(20):
        cache.module(number, data=compressed(b"%d" % number))
    cache.module(21, data=b"broken")
    with Open(cache) as look:
        chosen = sample(look)
        look.entries.reverse()
        assert sample(look) == chosen
    assert len(set(chosen)) == 5


def test_the_sample_is_cut_off(cache, monkeypatch):
    monkeypatch.setattr(_compression, "SAMPLE_BYTES", 2500)
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


NOT_KNOWN = {"ratio": None, "compress_mb_per_s": None, "decompress_mb_per_s": None}


def test_levels_without_a_sample(cache):
    with Open(cache) as look:
        assert levels(look, [3]) == (None, [dict(NOT_KNOWN, level=3)], None)


def test_levels_without_time(cache):
    cache.module(1, data=GOOD)
    with Open(cache, seconds=0) as look:
        assert levels(look, [3]) == (None, [dict(NOT_KNOWN, level=3)], "time_limit")


def test_a_level_that_needs_too_much_memory_leaves_the_others_alone(cache):
    cache.module(1, data=compressed(b"123"))
    with Open(cache, memory=resident() + 100 * 2**20) as look:
        of, rows, stopped = levels(look, [21, 1])
    assert (of, stopped) == ({"entries": 1, "size": 3}, "memory_limit")
    assert rows[0] == dict(NOT_KNOWN, level=21)
    assert rows[1]["ratio"] is not None
