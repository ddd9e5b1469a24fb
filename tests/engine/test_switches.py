# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What switches the cache of the command line program on and off, as our messages and docs say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ansible_collections.wasmops.wasmtime.tests.engine.live import configure, look
from ansible_collections.wasmops.wasmtime.tests.engine.program import VERSIONS, cached, run

if TYPE_CHECKING:
    from pathlib import Path

every_program = pytest.mark.parametrize("version", VERSIONS)


@every_program
def test_no_file_at_the_default_path_has_the_cache_on(tmp_path: Path, version: str) -> None:
    assert run(version, tmp_path) == ""
    assert cached(tmp_path / ".cache" / "wasmtime")


@every_program
def test_the_option_cache_n_has_the_cache_off(tmp_path: Path, version: str) -> None:
    assert run(version, tmp_path, "-C", "cache=n") == ""
    assert not (tmp_path / ".cache").exists()


@every_program
def test_the_option_has_the_cache_off_even_where_the_file_says_enabled(tmp_path: Path, version: str) -> None:
    path = tmp_path / ".config" / "wasmtime" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("[cache]\nenabled = false\n", encoding="utf-8")
    assert "unknown field `enabled`" in run(version, tmp_path)
    assert run(version, tmp_path, "-C", "cache=n") == ""
    assert not (tmp_path / ".cache").exists()


@every_program
def test_an_explicit_path_without_a_file_is_an_error(tmp_path: Path, version: str) -> None:
    missing = tmp_path / "missing.toml"
    assert "failed to read config file" in run(version, tmp_path, "-C", "cache-config=%s" % missing)
    assert look(path=str(missing), wasmtime_version=version).codes == {"missing": "error"}


@every_program
def test_a_file_that_had_the_cache_off_has_it_on_without_the_line(tmp_path: Path, version: str) -> None:
    path, directory = tmp_path / "config.toml", tmp_path / "cache"
    path.write_text('[cache]\nenabled = false\ndirectory = "%s"\n' % directory, encoding="utf-8")
    options = ("-C", "cache-config=%s" % path)
    assert "unknown field `enabled`" in run(version, tmp_path, *options)
    directory.mkdir(mode=0o700)
    (directory / "notes.txt").touch()
    # What is dangerous once the line is gone is reported while it is there, by both modules.
    for outcome in (configure(path, wasmtime_version=version), look(path=str(path), wasmtime_version=version)):
        assert outcome.codes == {"enabled-refused": "error", "directory-foreign-files": "danger"}
    path.write_text('[cache]\ndirectory = "%s"\n' % directory, encoding="utf-8")
    assert run(version, tmp_path, *options) == ""
    assert cached(directory)


@every_program
def test_a_file_of_options_is_no_cache_config_and_names_it(tmp_path: Path, version: str) -> None:
    options, path, directory = tmp_path / "run.toml", tmp_path / "cache.toml", tmp_path / "cache"
    options.write_text('[codegen]\ncache = true\ncache-config = "%s"\n' % path, encoding="utf-8")
    assert not configure(path, wasmtime_version=version, directory=str(directory)).failed
    # Its own option takes it, and the file that it names; as a cache config it is refused.
    assert run(version, tmp_path, "--config", str(options)) == ""
    assert cached(directory)
    assert "unknown field `codegen`" in run(version, tmp_path, "-C", "cache-config=%s" % options)
    assert look(path=str(options), wasmtime_version=version).codes == {"not-a-cache-config": "error"}


@every_program
@pytest.mark.parametrize("group", ["codegen", "debug", "optimize", "wasi", "wasm"])
def test_every_group_of_options_is_known(tmp_path: Path, version: str, group: str) -> None:
    options = tmp_path / "run.toml"
    options.write_text("[%s]\n" % group, encoding="utf-8")
    assert run(version, tmp_path, "--config", str(options)) == ""
    assert look(path=str(options), wasmtime_version=version).codes == {"not-a-cache-config": "error"}


@every_program
def test_cache_at_the_top_is_for_neither_of_them(tmp_path: Path, version: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text("cache = true\n", encoding="utf-8")
    assert "unknown field `cache`" in run(version, tmp_path, "--config", str(path))
    assert "invalid type: boolean" in run(version, tmp_path, "-C", "cache-config=%s" % path)
    assert look(path=str(path), wasmtime_version=version).codes == {"cache-not-a-table": "error"}


@every_program
@pytest.mark.parametrize("name", ["$USER", "${VAR}", "{tenant_id}", "%i", "%h", "{{ x }}", "<name>", "~"])
def test_a_placeholder_becomes_a_directory_of_this_name(tmp_path: Path, version: str, name: str) -> None:
    path, directory = tmp_path / "config.toml", tmp_path / name / "cache"
    # The option of the module would have the host expand a variable.
    path.write_text("[cache]\ndirectory = '%s'\n" % directory, encoding="utf-8")
    assert look(path=str(path), wasmtime_version=version).codes == {"directory-placeholder": "warning"}
    assert run(version, tmp_path, "-C", "cache-config=%s" % path) == ""
    assert cached(directory)


@every_program
def test_a_file_of_2019_is_refused(tmp_path: Path, version: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[cache]\ncleanup-interval-in-seconds = 3600\nfiles-count-soft-limit = 65536\n", encoding="utf-8")
    assert "unknown field `cleanup-interval-in-seconds`" in run(version, tmp_path, "-C", "cache-config=%s" % path)
    found = look(path=str(path), wasmtime_version=version)
    assert found.codes == {"unknown-key": "error"}
    assert len(found.result["problems"]) == 1
