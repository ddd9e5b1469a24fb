# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Mapping

import pytest
import yaml

from ansible_collections.wasmops.wasmtime.plugins.modules import cache_usage_info
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._usage_lines import usage_lines


def sampled(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A result made of the samples in the documentation."""
    return {
        name: field["sample"] if "sample" in field else sampled(field["contains"])
        for name, field in fields.items()
        if "sample" in field or field.get("type") == "dict"
    }


def result(**changes: Any) -> dict[str, Any]:
    documented = sampled(yaml.safe_load(cache_usage_info.RETURN))
    plain: dict[str, Any] = {
        "directory": "/var/cache/wasmtime",
        "locks": [],
        "verified": None,
        "levels": None,
        "suggested": [],
        "compilers": [],
    }
    nothing = {"entries_deleted": 0, "leftovers_deleted": 0, "foreign_deleted": 0}
    cleanup = {**documented["next_cleanup"], **nothing}
    foreign = {"count": 0, "size": 0, "names": []}
    return {**documented, **plain, "next_cleanup": cleanup, "foreign": foreign, **changes}


def test_what_there_is() -> None:
    assert usage_lines(result()) == [
        "/var/cache/wasmtime: 120 modules, 30.0 MiB, 31.1 MiB on disk",
        "file-count-soft-limit: 120 of 65536 (0.2%)",
        "files-total-size-soft-limit: 30.0 MiB of 512Mi (5.9%)",
        "the next cleanup deletes nothing",
    ]


def test_what_is_special() -> None:
    compiler = {"name": "wasmtime-42.0.2", "entries": 1, "size": 1023, "usages": 7}
    cleanup = {
        "entries_deleted": 3,
        "bytes_deleted": 1536,
        "entries_left": 1,
        "bytes_left": 2**40,
        "leftovers_deleted": 2,
        "foreign_deleted": 5,
    }
    broken = [{"name": "modules/wasmtime-42.0.2/x", "reason": "the file ends too early"}]
    level = {"level": 19, "ratio": 3.614, "compress_mb_per_s": 2.44, "decompress_mb_per_s": 700.0}
    lines = usage_lines(
        result(
            complete=False,
            stopped_by="time_limit",
            compilers=[compiler],
            next_cleanup=cleanup,
            foreign={"count": 5, "size": 9, "names": ["a", "b", "c", "d", "e"]},
            locks=[{"stale": True}, {"stale": False}, {"stale": None}],
            verified={"entries": 4, "broken": broken, "broken_count": 1, "ratio": 3.0, "complete": False},
            levels=[level, {**level, "ratio": None}, {**level, "compress_mb_per_s": None}],
        )
    )
    assert lines[1] == "time_limit was reached; the figures are incomplete"
    assert lines[4:] == [
        "wasmtime-42.0.2: 1 module, 1023 Bytes, used 7 times",
        "the next cleanup deletes 3 modules (1.5 KiB), 2 leftover files and 5 foreign files and leaves 1 module (1.0 TiB)",
        "foreign files, which Wasmtime deletes: 5 (a, b, c); cache_prune with remove=foreign and backup moves them away",
        "locks left behind: 1; cache_prune with remove=stale_locks removes them",
        "decompressed: 4 modules, not all, compressed 3.00 to 1; broken: 1; cache_prune with remove=broken removes them",
        "broken: modules/wasmtime-42.0.2/x: the file ends too early",
        "level 19: 3.61 to 1, compresses 2.4 MB/s, decompresses 700.0 MB/s",
    ]


def test_one_file_is_one_file() -> None:
    cleanup = {**result()["next_cleanup"], "foreign_deleted": 1, "entries_left": 2, "bytes_left": 2048}
    assert usage_lines(result(next_cleanup=cleanup))[-1] == (
        "the next cleanup deletes 1 foreign file and leaves 2 modules (2.0 KiB)"
    )


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((0, 0, 0), "nothing"),
        ((1, 0, 0), "1 module (1.0 KiB) and leaves 0 modules (0 Bytes)"),
        ((2, 1, 0), "2 modules (1.0 KiB) and 1 leftover file and leaves 0 modules (0 Bytes)"),
        ((0, 2, 0), "2 leftover files and leaves 0 modules (0 Bytes)"),
        ((0, 1, 2), "1 leftover file and 2 foreign files and leaves 0 modules (0 Bytes)"),
        ((3, 0, 1), "3 modules (1.0 KiB) and 1 foreign file and leaves 0 modules (0 Bytes)"),
        ((1, 1, 1), "1 module (1.0 KiB), 1 leftover file and 1 foreign file and leaves 0 modules (0 Bytes)"),
    ],
)
def test_what_the_next_cleanup_deletes_is_said_in_one_sentence(numbers: tuple[int, int, int], said: str) -> None:
    names = ("entries_deleted", "leftovers_deleted", "foreign_deleted")
    cleanup = {**dict(zip(names, numbers)), "bytes_deleted": 1024, "entries_left": 0, "bytes_left": 0}
    assert usage_lines(result(next_cleanup=cleanup))[3:] == ["the next cleanup deletes " + said]


@pytest.mark.parametrize(
    ("number", "modules", "times"),
    [(0, "0 modules", "0 times"), (1, "1 module", "once"), (2, "2 modules", "2 times")],
)
def test_each_compiler_has_its_modules_and_their_uses(number: int, modules: str, times: str) -> None:
    compilers = [
        {"name": "wasmtime-42.0.2", "entries": number, "size": 2**20, "usages": number},
        {"name": "wasmtime-43.0.0", "entries": 9, "size": 1, "usages": 12},
    ]
    assert usage_lines(result(compilers=compilers, entries=number, next_cleanup=None)) == [
        "/var/cache/wasmtime: %s, 30.0 MiB, 31.1 MiB on disk" % modules,
        "file-count-soft-limit: 120 of 65536 (0.2%)",
        "files-total-size-soft-limit: 30.0 MiB of 512Mi (5.9%)",
        "wasmtime-42.0.2: %s, 1.0 MiB, used %s" % (modules, times),
        "wasmtime-43.0.0: 9 modules, 1 Byte, used 12 times",
    ]


def test_what_is_whole_is_not_mentioned() -> None:
    verified = {"entries": 4, "broken": [], "broken_count": 0, "ratio": None, "complete": True}
    level = {"level": 3, "ratio": 2.0, "compress_mb_per_s": 0.0, "decompress_mb_per_s": 0.04}
    lines = usage_lines(
        result(
            verified=verified,
            levels=[{**level, "decompress_mb_per_s": None}, level, {**level, "level": 0}],
            locks=[{"stale": False}, {"stale": None}],
            foreign={"count": 1, "size": 0, "names": ["a"]},
        )
    )
    assert lines[4:] == [
        "foreign files, which Wasmtime deletes: 1 (a); cache_prune with remove=foreign and backup moves them away",
        "decompressed: 4 modules; broken: 0",
        "level 3: 2.00 to 1, compresses 0.0 MB/s, decompresses 0.0 MB/s",
        "level 0: 2.00 to 1, compresses 0.0 MB/s, decompresses 0.0 MB/s",
    ]
    assert usage_lines(result(verified=verified, locks=[{"stale": True}, {"stale": True}]))[4:] == [
        "locks left behind: 2; cache_prune with remove=stale_locks removes them",
        "decompressed: 4 modules; broken: 0",
    ]


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        (
            {"directory": None},
            "/etc/wasmtime/config.toml: there is no such file, or Wasmtime refuses it, so no cache directory is known",
        ),
        ({"exists": False}, "/var/cache/wasmtime: does not exist yet"),
    ],
)
def test_nothing_to_look_at(changes: dict[str, Any], wanted: str) -> None:
    assert usage_lines(result(**changes)) == [wanted]


def test_limits_that_are_not_known() -> None:
    unknown = {name: {"limit": None, "used": 5, "percent": None} for name in result()["limits"]}
    lines = usage_lines(result(limits=unknown, next_cleanup=None, complete=False, stopped_by=None))
    assert lines[1:] == [
        "not everything could be read; the figures are incomplete",
        "file-count-soft-limit: 5 of an unknown limit",
        "files-total-size-soft-limit: 5 Bytes of an unknown limit",
    ]


def test_suggestions_are_lines_of_a_file_of_variables() -> None:
    suggested = [
        {"setting": "optimized_compression_level", "value": 9, "reason": "measured: so and so"},
        {"setting": "files_total_size_soft_limit", "value": "2Gi", "reason": "it is #1"},
    ]
    *_lines, title, one, two = usage_lines(result(suggested=suggested))
    assert title == "suggested, as variables of the role:"
    assert one == "wasmtime_cache_optimized_compression_level: 9  # measured: so and so"
    assert two == "wasmtime_cache_files_total_size_soft_limit: 2Gi  # it is #1"
    assert yaml.safe_load("%s\n%s\n" % (one, two)) == {
        "wasmtime_cache_optimized_compression_level": 9,
        "wasmtime_cache_files_total_size_soft_limit": "2Gi",
    }


def test_a_limit_of_zero_has_no_percentage() -> None:
    limits = {**result()["limits"], "file_count_soft_limit": {"limit": 0, "used": 5, "percent": None}}
    assert usage_lines(result(limits=limits))[1] == "file-count-soft-limit: 5 of 0"
