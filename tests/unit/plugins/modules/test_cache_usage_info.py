# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that looks at the cache, run in process on real directories."""

from __future__ import annotations

import errno
import re
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
import zstandard

from ansible_collections.wasmops.wasmtime.plugins.doc_fragments._settings import ModuleDocFragment
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.settings import LEVEL_MAX, LEVEL_MIN
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import usage_info
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage import scan as _scan
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage import suggest as _suggest
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage import zstd as _zstd
from ansible_collections.wasmops.wasmtime.plugins.module_utils._usage.scan import Budget
from ansible_collections.wasmops.wasmtime.plugins.modules import cache_usage_info
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.caches import (
    COMPILER,
    DAY,
    Cache,
    name_of,
    put,
    relative,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import (
    handles,
    needs_handles,
    place,
    snapshot,
)
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.modules.world import execute_without_root

OWN = {"changed", "invocation", "warnings", "deprecations", "exception"}


def execute(world, check=False, **options):
    return world.execute(cache_usage_info, check, options)


def look(world, **options):
    """The result for the config, which is the same in check mode but for what is measured, and nothing has changed."""
    options.setdefault("path", str(world.config))
    before = world.snapshot()
    result = execute(world, **options)
    again = execute(world, check=True, **options)
    assert "failed" not in result, result["msg"]
    assert world.snapshot() == before
    assert result["changed"] is False
    if "levels" not in options:
        # Ages, and the free space that a reason may name, change by themselves.
        changing = {"locks", "suggested"}
        assert {k: v for k, v in result.items() if k not in changing} == {
            k: v for k, v in again.items() if k not in changing
        }
        assert [row["setting"] for row in result["suggested"]] == [row["setting"] for row in again["suggested"]]
    return result


def fill(world):
    """A cache of three modules, with a config."""
    cache = Cache(world.cache)
    good = zstandard.ZstdCompressor().compress(b"123" * 1000)
    cache.module(1, data=good, age=DAY)
    cache.module(2, data=good, stats=b"usages = 5\noptimized-compression = 20\n", age=2 * DAY)
    cache.module(3, data=b"broken", stats=None, age=3 * DAY)
    world.write("[cache]\ndirectory = '%s'\nfile-count-soft-limit = '2'\n" % world.cache)
    return cache


def test_all_there_is_to_tell(world):
    cache = fill(world)
    put(cache.top / "junk", b"12345")
    put(cache.top / ".cleanup.wip-1", age=60)
    put(cache.top / ".cleanup.wip-2", age=DAY)
    (cache.top / "link").symlink_to(world.home)
    result = look(world, verify=True, levels=[1, 19])
    assert (result["path"], result["directory"]) == (str(world.config), str(world.cache))
    assert (result["exists"], result["complete"], result["stopped_by"], result["unreadable"]) == (True, True, None, [])
    assert result["wasmtime_version"] is None
    size = sum((cache.folder / name_of(number)).stat().st_size for number in (1, 2, 3))
    assert (result["entries"], result["size"]) == (3, size)
    assert result["limits"]["file_count_soft_limit"] == {"limit": 2, "used": 3, "percent": 150.0}
    assert result["limits"]["files_total_size_soft_limit"]["limit"] == 2**29
    ((compiler,)) = result["compilers"]
    assert (compiler["name"], compiler["entries"], compiler["size"], compiler["usages"]) == (COMPILER, 3, size, 6)
    assert compiler["size_on_disk"] < result["size_on_disk"]
    cleanup = result["next_cleanup"]
    assert (cleanup["limit_exceeded"], cleanup["entries_deleted"], cleanup["entries_left"]) == (True, 2, 1)
    assert (cleanup["foreign_deleted"], cleanup["leftovers_deleted"]) == (1, 1)
    assert cleanup["deleted"][:2] == [relative(name_of(2)), relative(name_of(3))]
    assert sorted(cleanup["deleted"][2:]) == [".cleanup.wip-2", "junk"]
    assert (result["newest"]["name"], result["oldest"]["name"]) == (relative(name_of(1)), relative(name_of(3)))
    assert result["usages"] == {"total": 6, "least": 1, "most": 5, "unknown": 1}
    assert result["recorded_levels"] == {"3": 1, "20": 1}
    assert sorted((lock["name"], lock["stale"]) for lock in result["locks"]) == [
        (".cleanup.wip-1", False),
        (".cleanup.wip-2", True),
    ]
    assert result["foreign"] == {"count": 1, "size": 5, "names": ["junk"]}
    assert result["links"] == ["link"]
    verified = result["verified"]
    assert (verified["entries"], verified["broken_count"], verified["uncompressed"]) == (3, 1, 6000)
    assert verified["broken"][0]["name"] == relative(name_of(3))
    assert result["sample"] == {"entries": 2, "size": 6000}
    assert [row["level"] for row in result["levels"]] == [1, 19]
    assert all(row["ratio"] > 10 for row in result["levels"])
    reason = "3 modules were used in the last 7 days, and a cleanup leaves 70% of the limit 2"
    assert result["suggested"] == [{"setting": "file_count_soft_limit", "value": "5", "reason": reason}]


def test_what_is_not_asked_for_is_not_done(world):
    fill(world)
    result = look(world)
    assert (result["verified"], result["levels"], result["sample"]) == (None, None, None)


def test_either_of_two_measurements_can_be_asked_for(world):
    fill(world)
    result = look(world, verify=True)
    assert (result["verified"]["entries"], result["levels"], result["sample"]) == (3, None, None)
    result = look(world, levels=[1])
    assert result["verified"] is None
    assert [row["level"] for row in result["levels"]] == [1]


@pytest.mark.parametrize("directory", ["/no/such/directory", None])
def test_an_error_of_the_system_names_the_directory_or_the_config(world, monkeypatch, directory):
    def fails(*_arguments, **_options):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(usage_info, "look_into", fails)
    result = execute(world, path=str(world.config), directory=directory)
    assert result["failed"] is True
    assert result["msg"] == "%s: system error: Input/output error; correct that first" % (directory or world.config)


def held(values, described, path=""):
    """Hold a dictionary against the part of RETURN that describes it, and what is in it too."""
    kinds: dict[str, Any] = {
        "str": str,
        "int": int,
        "float": (int, float),
        "bool": bool,
        "list": list,
        "dict": dict,
        "raw": (str, int),
    }
    assert set(values) == set(described), path
    for name, value in values.items():
        where, part = path + "/" + name, described[name]
        assert part["description"], where
        if value is None:
            assert re.search("null|Null", str(part["description"])), where
            continue
        assert isinstance(value, kinds[part["type"]]), where
        assert isinstance(value, bool) == (part["type"] == "bool"), where
        if part["type"] == "list" and part["elements"] == "dict":
            for item in value:
                held(item, part["contains"], where)
        elif part["type"] == "list":
            assert all(isinstance(item, kinds[part["elements"]]) for item in value), where
        elif "contains" in part:
            held(value, part["contains"], where)


def test_what_is_returned_is_what_is_documented(world):
    cache = fill(world)
    put(cache.top / "junk")
    put(cache.top / ".cleanup.wip-1", age=60)
    described = yaml.safe_load(cache_usage_info.RETURN)
    everything = {"verify": True, "levels": [1]}
    nothing = str(Cache(world.tree / "empty").top)
    for options in (
        everything,
        {},
        dict(everything, memory_limit="1Mi"),
        dict(everything, path=str(world.tree / "none")),
        dict(everything, path=str(world.tree / "none"), directory=str(cache.top)),
        dict(everything, directory=nothing),
    ):
        result = look(world, **options)
        held({name: value for name, value in result.items() if name not in OWN}, described)
    for name, part in described.items():
        assert part["returned"] == "always"
        # What has no sample of its own has one for each part.
        assert "sample" in part or all("sample" in inner for inner in part["contains"].values()), name


def argument_spec():
    """As AnsibleModule gets it."""
    seen = {}

    class Seen(Exception):
        pass

    def keep(**arguments):
        seen.update(arguments["argument_spec"])
        raise Seen

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache_usage_info, "Module", keep)
        with pytest.raises(Seen):
            cache_usage_info.main()
    return seen


def test_the_documentation_is_the_argument_spec():
    documentation = yaml.safe_load(cache_usage_info.DOCUMENTATION)
    options = dict(documentation["options"], **yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"])
    spec = argument_spec()
    assert set(options) == set(spec)
    for name, option in options.items():
        for key in ("type", "elements", "choices", "default", "aliases"):
            assert (name, key, option.get(key)) == (name, key, spec[name].get(key))


def test_limits_are_documented_as_they_are():
    text = " ".join(cache_usage_info.DOCUMENTATION.split())
    assert "V(%d) to V(%d)" % (LEVEL_MIN, LEVEL_MAX) in text
    assert "at most %d cached modules, %d MiB" % (_zstd.SAMPLE_ENTRIES, _zstd.SAMPLE_BYTES >> 20) in text
    for level in (3, 20, 21):
        window = 2 ** zstandard.ZstdCompressionParameters.from_level(level).window_log >> 20
        assert "%d MiB %s level %d" % (window, "for modules compressed at" if level == 3 else "at", level) in text
    for level in (19, 20, 21):
        context = zstandard.ZstdCompressionParameters.from_level(level).estimated_compression_context_size()
        assert "%d MiB for level %d" % (-(-context // 2**20), level) in text
    assert "takes %d MiB more" % (_zstd._PIECES >> 20) in text
    assert cache_usage_info.RETURN.lower().count("the first %d" % _scan.LISTED) >= 3
    assert "more than %d deep" % _scan.DEPTH_MAX in cache_usage_info.RETURN


def test_the_bounds_of_suggestions_are_documented_as_they_are():
    described = " ".join(yaml.safe_load(cache_usage_info.RETURN)["suggested"]["description"])
    for words in (
        "in the last %d days" % _scan.RECENT_DAYS,
        "a sample of %d MiB or more" % (_suggest.SAMPLE_LEAST >> 20),
        "within %d percent of the best" % _suggest.RATIO_PERCENT,
        "at %d MB/s or more for new modules and at %d MB/s or more"
        % (_suggest.BASELINE_SPEED, _suggest.OPTIMIZED_SPEED),
    ):
        assert words in described


def test_the_user_s_own_paths_are_looked_at_without_options(world):
    cache = Cache(world.home / ".cache" / "wasmtime")
    cache.module(1)
    result = look(world, path=None)
    assert result["path"] == str(world.home / ".config" / "wasmtime" / "config.toml")
    assert result["directory"] == str(cache.top)
    # The engine does without a file there.
    assert (result["entries"], result["limits"]["file_count_soft_limit"]["limit"]) == (1, 65536)


def test_a_dangling_link_at_the_default_path_is_taken_for_no_file(world):
    (world.home / ".config" / "wasmtime").mkdir(parents=True)
    (world.home / ".config" / "wasmtime" / "config.toml").symlink_to("no")
    assert look(world, path=None)["limits"]["file_count_soft_limit"]["limit"] == 65536


def test_a_directory_that_does_not_exist_holds_nothing(world):
    world.write("[cache]\ndirectory = '%s'\n" % world.cache)
    result = look(world)
    assert (result["exists"], result["complete"], result["entries"]) == (False, True, 0)
    assert result["next_cleanup"]["entries_left"] == 0


@pytest.mark.parametrize("what", ["file", "loop", "dangling"])
def test_what_is_no_directory_holds_nothing(world, what):
    if what == "file":
        world.cache.write_bytes(b"")
    else:
        world.cache.symlink_to(world.cache if what == "loop" else "nothing")
    result = look(world, directory=str(world.cache))
    assert (result["exists"], result["complete"], result["entries"]) == (False, True, 0)


@pytest.mark.parametrize("text", [None, "", "[cache", "[cache]\nx = 1\n", "[cache]\ndirectory = 'relative'\n", b"\xff"])
def test_a_config_that_is_refused_has_no_limits_and_no_directory(world, text):
    cache = fill(world)
    world.config.unlink()
    if text is not None:
        world.write(text)
    result = look(world)
    assert (result["directory"], result["exists"], result["entries"]) == (None, False, 0)
    nothing = {"limit": None, "used": 0, "percent": None}
    assert result["limits"] == {"file_count_soft_limit": nothing, "files_total_size_soft_limit": nothing}
    assert result["next_cleanup"] is None
    result = look(world, directory=str(cache.top))
    assert (result["directory"], result["exists"], result["entries"]) == (str(cache.top), True, 3)
    assert result["limits"]["file_count_soft_limit"] == dict(nothing, used=3)
    assert result["next_cleanup"] is None


def test_another_directory_has_the_limits_of_the_config(world):
    fill(world)
    other = Cache(world.tree / "other")
    other.module(1)
    result = look(world, directory=str(other.top))
    assert (result["directory"], result["entries"]) == (str(other.top), 1)
    assert result["limits"]["file_count_soft_limit"] == {"limit": 2, "used": 1, "percent": 50.0}


def test_links_lead_to_the_directory(world):
    fill(world)
    (world.tree / "link").symlink_to(world.cache)
    assert look(world, directory=str(world.tree / "link"))["entries"] == 3


@pytest.mark.parametrize(("enabled", "foretold"), [("true", True), ("false", False)])
def test_a_cache_that_is_switched_off_is_not_cleaned_up(world, enabled, foretold):
    fill(world)
    world.write("[cache]\nenabled = %s\ndirectory = '%s'\n" % (enabled, world.cache))
    result = look(world, wasmtime_version="32")
    assert result["entries"] == 3
    assert (result["next_cleanup"] is not None) is foretold
    assert result["wasmtime_version"] == "32"
    assert look(world, wasmtime_version="33")["directory"] is None


def test_a_cleanup_that_crashes_deletes_nothing(world):
    fill(world)
    world.write("[cache]\ndirectory = '%s'\nfiles-total-size-soft-limit = '235Pi'\n" % world.cache)
    result = look(world)
    assert (result["entries"], result["next_cleanup"]) == (3, None)


def test_too_little_memory_is_told(world):
    fill(world)
    result = look(world, memory_limit="1Mi", verify=True, levels=[3])
    assert (result["complete"], result["stopped_by"], result["next_cleanup"]) == (False, "memory_limit", None)
    assert result["verified"]["complete"] is False
    assert result["levels"][0]["ratio"] is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time_limit": 0}, "time_limit is 0; write 1 to 86400"),
        ({"memory_limit": "1X"}, 'memory_limit: "1X" has the unknown unit "X"; write a whole number'),
        ({"memory_limit": ""}, 'memory_limit: "" is empty; write a whole number'),
        ({"levels": [3, 22]}, "levels: 22 is not a level; write 0 to 21"),
        ({"levels": [-1]}, "levels: -1 is not a level; write 0 to 21"),
        ({"directory": "x"}, 'directory is "x", which is not an absolute path'),
        ({"directory": "/x\0"}, "which is not an absolute path"),
        ({"path": "x"}, 'path is "x", which is not absolute'),
        ({"wasmtime_version": "newest"}, '"newest" is not a Wasmtime version'),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_options_that_cannot_be_are_a_failure(world, options, message):
    result = execute(world, **dict({"path": str(world.config)}, **options))
    assert result["failed"] is True
    assert message in result["msg"]


@pytest.mark.parametrize(
    "options",
    [
        {"time_limit": 1, "levels": [LEVEL_MIN], "directory": "/"},
        {"time_limit": 86400, "levels": [LEVEL_MAX, LEVEL_MIN], "directory": None},
        {"time_limit": 60, "levels": None, "directory": "/a"},
    ],
)
def test_the_least_and_the_most_of_an_option_are_taken(options):
    module: Any = SimpleNamespace(params=dict(options, memory_limit="1Mi"))
    assert isinstance(usage_info.budget_for(module), Budget)


def test_zstandard_before_0_18_is_too_old(world, monkeypatch):
    fill(world)
    monkeypatch.setattr(_zstd, "new_enough", lambda: False)
    for options in ({"verify": True}, {"levels": [3]}):
        result = execute(world, path=str(world.config), **options)
        assert (result["failed"], result["missing_libraries"]) == (True, ["zstandard"])
        assert result["msg"] == (
            "zstandard 0.18 or newer is needed for verify and levels; install that version for the Python of the host"
        )
    assert look(world)["entries"] == 3


@pytest.mark.parametrize("what", ["dangling", "directory", "loop", "missing"])
def test_a_config_that_cannot_be_read_has_no_limits_and_no_directory(world, what):
    """A path that the task names must lead to a file."""
    path = world.tree / "other"
    if what == "directory":
        path.mkdir()
    elif what != "missing":
        path.symlink_to("other" if what == "loop" else "nothing")
    result = look(world, path=str(path), wasmtime_version="42")
    assert (result["directory"], result["exists"], result["wasmtime_version"]) == (None, False, "42")
    assert result["limits"]["file_count_soft_limit"]["limit"] is None


@pytest.mark.parametrize("what", ["directory", "loop"])
def test_what_stands_at_the_default_path_and_is_no_file_has_no_limits(world, what):
    path = world.home / ".config" / "wasmtime" / "config.toml"
    path.parent.mkdir(parents=True)
    if what == "directory":
        path.mkdir()
    else:
        path.symlink_to("config.toml")
    result = look(world, path=None)
    assert (result["directory"], result["limits"]["file_count_soft_limit"]["limit"]) == (None, None)


def test_zstandard_is_asked_for_where_it_is_needed_and_nowhere_else(world, monkeypatch):
    fill(world)
    name = "ansible_collections.wasmops.wasmtime.plugins.module_utils._usage.zstd"
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delattr(sys.modules[name.rpartition(".")[0]], "zstd", raising=False)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    assert look(world)["entries"] == 3
    for options in ({"verify": True}, {"levels": [3]}):
        result = execute(world, path=str(world.config), **options)
        assert result["missing_libraries"][0] == "zstandard"
        assert "Failed to import the required Python library (zstandard" in result["msg"]
        assert "verify and levels" in result["msg"]


def test_without_a_toml_library_ansible_s_words_are_used(world, monkeypatch):
    cache = Cache(world.cache)
    cache.module(1)
    for name in ("tomllib", "tomli"):
        monkeypatch.setitem(sys.modules, name, None)
    # Neither a config nor statistics to read, and nothing is missing.
    assert execute(world)["entries"] == 0
    result = execute(world, directory=str(cache.top))
    assert result["missing_libraries"][0] == "tomli"
    assert "Failed to import the required Python library (tomli" in result["msg"]


def test_a_directory_that_the_user_may_not_see_is_a_result():
    with place() as there:
        cache = Cache(there / "closed" / "cache")
        cache.module(1)
        (there / "config.toml").write_text("[cache]\ndirectory = '%s'\n" % cache.top)
        before = snapshot(there)
        (there / "closed").chmod(0)
        result = execute_without_root(cache_usage_info, path=str(there / "config.toml"))
        (there / "closed").chmod(0o755)
        assert before.keys() == snapshot(there).keys()
    assert (result["complete"], result["stopped_by"], result["unreadable"]) == (False, None, ["."])
    assert (result["entries"], result["next_cleanup"]) == (0, None)


def test_a_file_where_the_engine_s_own_sizes_stand_is_not_described(world):
    """Ansible adds the size of a file named path to a result."""
    fill(world)
    result = look(world)
    assert result["size"] == result["compilers"][0]["size"]
    assert not {"owner", "group", "mode", "uid", "gid", "state"} & set(result)


@needs_handles
def test_handles_are_closed(world):
    fill(world)
    before = handles()
    look(world, verify=True, levels=[1])
    assert handles() == before
