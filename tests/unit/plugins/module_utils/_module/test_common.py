# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both modules ask the host, as far as it needs no Ansible; the rest is tested with the modules."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import DANGER, ERROR, WARNING
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.config import read_config
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.problems import Problem
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.toml import Library
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import CURRENT, for_version
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import common as _common
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import refused as _refused
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.common import directory_problems as problems
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import as_root, handles


def test_memory_that_cannot_be_told_is_taken_as_plenty(monkeypatch):
    def fail(_name):
        raise ValueError

    assert 2**26 < _common.host().memory < 2**60
    assert _common.host().memory == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    monkeypatch.setattr(os, "sysconf", fail)
    assert _common.host().memory == sys.maxsize


def test_the_host_knows_the_time_and_looks_the_home_up_once(monkeypatch):
    before = int(time.time())
    host = _common.host()
    assert before <= host.now <= time.time()
    monkeypatch.setenv("HOME", "/home/one")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert host.default_directory() == "/home/one/.cache/wasmtime"
    monkeypatch.setenv("HOME", "/home/two")
    assert host.default_directory() == "/home/one/.cache/wasmtime"


def test_the_host_knows_the_size_of_the_file_system_that_a_directory_is_or_will_be_on(tmp_path, monkeypatch):
    status = os.statvfs(tmp_path)
    size = status.f_blocks * status.f_frsize
    (tmp_path / "file").write_bytes(b"")
    host, before = _common.host(), handles()
    for name in ("", "no", "no/no", "file", "file/no"):
        assert host.capacity(str(tmp_path / name)) == size
    # One of the system, which has none, and what is no path.
    assert host.capacity("/proc") is None
    assert host.capacity("/a\0b") is None
    assert handles() == before

    def fail(_handle):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fstatvfs", fail)
    # It is looked up once.
    assert host.capacity(str(tmp_path)) == size
    assert host.capacity(str(tmp_path / "new")) is None
    assert handles() == before


@as_root
def test_root_follows_no_link_of_the_system_to_a_size(tmp_path):
    assert _common.host().capacity("/proc/self/root%s" % tmp_path) is None


def test_a_number_outside_of_its_bounds_is_refused():
    for value in (2, 3, 4):
        _common.refuse_outside(SimpleNamespace(params={"depth": value}), "depth", 2, 4)
    for value in (1, 5, -3):
        with pytest.raises(_refused.Refused) as caught:
            _common.refuse_outside(SimpleNamespace(params={"depth": value}), "depth", 2, 4)
        assert str(caught.value) == "depth is %d; write 2 to 4" % value


def test_each_path_of_an_option_is_absolute():
    _common.refuse_relative("paths", [])
    _common.refuse_relative("paths", ["/", "/a"])
    for bad in ("a", "", "/a\0"):
        with pytest.raises(_refused.Refused, match=r'paths has ".*", which is not an absolute path; write an absolute'):
            _common.refuse_relative("paths", ["/a", bad])


@pytest.mark.parametrize(
    ("versions", "apart"),
    [(["32"], False), (["33"], False), (["32", "33"], True), (["20", "32"], False), (["33", "48"], False)],
)
def test_wasmtimes_before_and_after_33_have_no_file_in_common(versions, apart):
    dialects = tuple(dict.fromkeys(map(for_version, versions)))
    assert _common.Readers(dialects, None).apart is apart


def test_problems_are_told_by_line_and_column_and_those_of_the_whole_last():
    places = [(None, None), (2, 9), (10, 1), (2, 10), (None, None), (1, 30), (2, 1)]
    told = _common.spoken(
        [Problem("code-%d" % n, ERROR, "", "", line=line, column=column) for n, (line, column) in enumerate(places)]
    )
    assert [problem.code for problem in told] == ["code-%d" % number for number in (5, 6, 1, 3, 2, 0, 4)]


def test_what_follows_from_a_directory_that_is_not_its_own_is_told_if_that_is_ignored():
    cause = Problem("directory-not-dedicated", DANGER, "", "")
    follows = [
        Problem("directory-foreign-files", DANGER, "", ""),
        Problem("directory-small", WARNING, "", ""),
        Problem("config-in-cache", DANGER, "", ""),
    ]
    others = [
        Problem("directory-relative", DANGER, "", "", line=1),
        Problem("directory-unwritable", ERROR, "", ""),
        Problem("file-writable-by-others", DANGER, "", ""),
    ]
    assert _common.spoken([*follows, cause, *others]) == [others[0], cause, *others[1:]]
    assert _common.spoken([*follows, *others]) == [others[0], *follows, *others[1:]]
    everything = _common.spoken([*follows, cause, *others], ["directory-not-dedicated"])
    assert everything == [others[0], *follows, cause, *others[1:]]


@pytest.mark.parametrize("path", ["relative", "", "~/x", "/x\0"])
def test_a_path_that_cannot_be_is_refused(path):
    with pytest.raises(_refused.Refused, match="set path to an absolute path"):
        _common.config_path(path)


@pytest.mark.parametrize("look", ["config_path", "directory_at"])
def test_a_path_that_python_names_by_other_bytes_than_the_engine_is_refused(look):
    module = _common.__name__.rpartition(".")[0]
    program = "from %s import common; common.%s('/e'); common.%s('/\\xe9')" % (module, look, look)
    environment = {"PYTHONPATH": str(Path(_common.__file__).parents[6]), "PYTHONUTF8": "0"}
    environment.update(LC_ALL="C", PYTHONCOERCECLOCALE="0")
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, env=dict(os.environ, **environment), stderr=subprocess.PIPE, check=False)
    assert result.returncode == 1
    last_line = result.stderr.decode("ascii").splitlines()[-1]
    assert (
        'Refused: the path "/\\xe9" is not ASCII, and Python uses ascii for file names here; use a UTF-8 locale'
        in last_line
    )
    environment["LC_ALL"] = "C.UTF-8"
    subprocess.run(command, env=dict(os.environ, **environment), check=True)


def test_the_shape_of_what_both_modules_return(tmp_path):
    directory = tmp_path / "d"
    directory.mkdir()
    directory.chmod(0o777)
    text = "[cache]\ndirectory = '%s'\ncleanup-interval = '2h'\nfile-count-soft-limit = '0'\n" % directory
    config = read_config(text.encode(), CURRENT, _common.host(), Library())
    state = _common.directory_of(config)
    assert state is not None
    file_problem = Problem("file-writable-by-others", DANGER, "message", "remedy")
    every = [*config.problems, file_problem, *problems(state, os.geteuid())]
    result = _common.config_result(config, state, every)
    assert set(result) == {"settings", "effective", "problems", "directory"}
    assert result["settings"] == {
        "directory": str(directory),
        "cleanup_interval": "2h",
        "file_count_soft_limit": "0",
    }
    assert result["effective"]["cleanup_interval"] == 7200
    assert [problem["code"] for problem in result["problems"]] == [
        "empties-itself",
        "file-writable-by-others",
        "directory-writable-by-others",
    ]
    # Those of the directory, and of nothing else.
    assert result["directory"]["dangers"] == ["directory-writable-by-others"]
    assert _common.config_result(config, None, [])["directory"] is None


@pytest.mark.parametrize("directory", ["relative", "/" + "x" * 300])
def test_no_directory_is_looked_at_that_the_engine_refuses(directory):
    config = read_config(("[cache]\ndirectory = '%s'" % directory).encode(), CURRENT, _common.host(), Library())
    assert _common.directory_of(config) is None
