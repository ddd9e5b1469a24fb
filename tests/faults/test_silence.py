# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file system of a user that no longer answers keeps no run of root from its end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import STRANGER, give

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not run here, because it needs root, to mount file systems")

HANGS = 600.0  # seconds: no machine is so busy that a run takes that long
RUN = """
import importlib, json, sys
from ansible.module_utils.testing import patch_module_args
module = importlib.import_module("ansible_collections.wasmops.wasmtime.plugins.modules." + sys.argv[1])
with patch_module_args(json.loads(sys.argv[2])):
    module.main()
"""


class Silent(NamedTuple):
    """A file system that does not answer."""

    folder: Path
    pid: int
    """A process in whose mount namespace it is."""


@pytest.fixture
def silent() -> Iterator[Silent]:
    with tempfile.TemporaryDirectory(prefix="wasmtime-faults-") as name:
        program = [sys.executable, str(Path(__file__).with_name("fuse.py")), name]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(program, text=True, **pipes) as process:
            assert process.stdout is not None
            server = process.stdout.readline()
            if not server:
                _output, error = process.communicate()
                pytest.skip("not run here, because FUSE cannot be mounted: %s" % error.strip().rpartition("\n")[2])
            try:
                yield Silent(Path(name), process.pid)
            finally:
                # All that waits for an answer gets an error then.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(server), signal.SIGKILL)
                process.kill()


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wasmtime-faults-") as name:
        give(Path(name), STRANGER)
        yield Path(name)


def run(module: str, check: bool = True, **options: Any) -> dict[str, Any]:
    """The result of a module, which must end."""
    arguments = json.dumps(dict(options, _ansible_check_mode=check))
    result = subprocess.run(
        [sys.executable, "-c", RUN, module, arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        timeout=HANGS,
    )
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("where", ["directory", "link", "link above", "config"])
@pytest.mark.parametrize("module", ["cache_config", "cache_config_info", "cache_usage_info", "cache_prune"])
def test_no_way_of_a_user_leads_there(silent: Silent, home: Path, module: str, where: str) -> None:
    """The kernel would follow a link in /proc into the mounts of another process."""
    there = "/proc/%d/root%s/x" % (silent.pid, silent.folder)
    config = home / "config.toml"
    if where == "config":
        config.symlink_to(there)
    else:
        (home / "link").symlink_to(there)
        below = {"directory": there, "link": home / "link", "link above": home / "link" / "cache"}[where]
        config.write_text('[cache]\ndirectory = "%s"\n' % below, encoding="utf-8")
    for path in home.iterdir():
        os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
    options = {"cache_config": {"cleanup_interval": "1h"}, "cache_prune": {"remove": ["all"]}}
    result = run(module, path=str(config), **options.get(module, {}))
    if where == "config" and module in ("cache_usage_info", "cache_prune"):
        # Without a config, nothing says which directory.
        assert result.get("directory") is None
    else:
        assert "root does not follow it" in json.dumps(result)


@pytest.mark.parametrize("module", ["cache_usage_info", "cache_prune"])
def test_no_link_in_a_cache_leads_there(silent: Silent, home: Path, module: str) -> None:
    cache = home / "cache"
    cache.mkdir()
    for name in ("modules", "file"):
        (cache / name).symlink_to("/proc/%d/root%s" % (silent.pid, silent.folder))
        os.chown(cache / name, STRANGER, STRANGER, follow_symlinks=False)
    give(cache, STRANGER)
    options: dict[str, Any] = {"remove": ["foreign"]} if module == "cache_prune" else {}
    result = run(module, path=str(home / "none.toml"), directory=str(cache), **options)
    if module == "cache_usage_info":
        assert result["complete"] is False
    else:
        assert "nothing is removed from it" in result["msg"]
