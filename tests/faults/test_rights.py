# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Root without some of root's rights: check mode and the run say the same, and what fails has changed nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Tuple

import pytest

from ansible_collections.wasmops.wasmtime.tests.faults.scenes import Place, picture, place
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import NOBODY, STRANGER, give

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not run here, because it needs root, which gives up rights")

# Runs the module once for each of the options, in processes of their own, and says what came of each.
RUNNER = """
import json, os, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.wasmops.wasmtime.plugins.modules import cache_config
for options in json.loads(sys.argv[1]):
    if os.fork() == 0:
        with patch_module_args(options):
            cache_config.main()
    os.wait()
"""
LESS: Dict[str, List[str]] = {
    "all": [],
    "no CHOWN": ["setpriv", "--bounding-set", "-chown"],
    "no FOWNER": ["setpriv", "--bounding-set", "-fowner"],
    "no DAC_OVERRIDE": ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"],
    "none of them": ["setpriv", "--bounding-set", "-chown,-fowner,-dac_override,-dac_read_search"],
    "user namespace": ["unshare", "--user", "--map-root-user"],
}
CHANGE = {"cleanup_interval": "3h"}
Prepare = Callable[[Place], None]


@pytest.fixture
def there() -> Iterator[Place]:
    with place() as made:
        made.clear()
        yield made


def old(there: Place, file: int = 0, directory: int = 0, above: int = 0, mode: int = 0o755, cache: int = 0) -> None:
    """A config and a cache of these owners."""
    there.old()
    give(there.config, file)
    give(there.cache, cache)
    there.config.parent.chmod(mode)
    give(there.config.parent, directory)
    give(there.cache.parent, above)


def nothing(owner: int, mode: int) -> Prepare:
    """Directories of this owner and mode, with nothing in them."""

    def prepare(there: Place) -> None:
        for path in (there.config.parent, there.cache.parent):
            path.mkdir(parents=True)
            path.chmod(mode)
            give(path, owner)

    return prepare


OWN = {"directory_owner": str(NOBODY), "directory_group": str(NOBODY)}
CASES: Dict[str, Tuple[Prepare, Dict[str, Any]]] = {
    "create": (nothing(0, 0o755), CHANGE),
    "create in the directory of another": (nothing(NOBODY, 0o755), CHANGE),
    "create where all may write": (nothing(NOBODY, 0o1777), dict(CHANGE, ignore_dangers=["directory-replaceable"])),
    "create for another": (nothing(0, 0o755), dict(CHANGE, mode="0644", **OWN)),
    "create a file for another": (nothing(0, 0o755), dict(CHANGE, owner=str(NOBODY), group=str(NOBODY), mode="0644")),
    "create a directory that cannot be written": (nothing(0, 0o755), dict(CHANGE, directory_mode="0500", **OWN)),
    "edit": (old, CHANGE),
    "edit the file of another": (lambda there: old(there, file=NOBODY), CHANGE),
    "edit the file of another in its directory": (lambda there: old(there, file=NOBODY, directory=NOBODY), CHANGE),
    "edit a file in the directory of another": (
        lambda there: old(there, directory=NOBODY, mode=0o777),
        dict(CHANGE, ignore_dangers=["directory-replaceable"]),
    ),
    "overwrite": (lambda there: old(there, file=NOBODY), dict(CHANGE, unsafe_writes=True)),
    "overwrite and set the mode": (
        lambda there: old(there, file=NOBODY),
        dict(CHANGE, unsafe_writes=True, mode="0600"),
    ),
    "back up": (lambda there: old(there, file=NOBODY), dict(CHANGE, backup=True)),
    "set the mode": (old, {"mode": "0600"}),
    "set the mode of the file of another": (lambda there: old(there, file=NOBODY), {"mode": "0600"}),
    "give away": (old, {"owner": str(NOBODY), "mode": "0640"}),
    "give to an unknown one": (old, {"owner": str(STRANGER)}),
    "give back": (lambda there: old(there, file=NOBODY), {"owner": "0", "group": "0"}),
    "give the directory": (old, OWN),
    "set the mode of the directory of another": (
        lambda there: old(there, cache=NOBODY),
        {"directory_mode": "0750", "directory_owner": str(NOBODY)},
    ),
    "sticky": (lambda there: old(there, file=NOBODY, directory=STRANGER, mode=0o1777), CHANGE),
    "remove": (old, {"state": "absent"}),
    "remove with a backup": (lambda there: old(there, file=NOBODY), {"state": "absent", "backup": True}),
    "remove from a sticky directory": (
        lambda there: old(there, file=NOBODY, directory=STRANGER, mode=0o1777),
        {"state": "absent"},
    ),
}
# What root can do without owners: these fail under no circumstances.
ALWAYS = ("create", "edit", "set the mode", "remove")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("less", LESS)
def test_check_mode_and_the_run_agree(there: Place, less: str, case: str) -> None:
    prepare, options = CASES[case]
    if LESS[less] and shutil.which(LESS[less][0]) is None:
        pytest.skip("not run here, because there is no %s" % LESS[less][0])
    prepare(there)
    before = picture(there)
    common = {"path": str(there.config), "_ansible_tmpdir": str(there.remote)}
    if options.get("state") != "absent":
        common["directory"] = str(there.cache)
    runs = [dict(common, **options, _ansible_check_mode=check) for check in (True, False)]
    command = [*LESS[less], sys.executable, "-B", "-c", RUNNER, json.dumps(runs)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if less == "user namespace" and "unshare" in done.stderr:
        pytest.skip("not run here, because of unshare: %s" % done.stderr.strip())
    assert not done.stderr
    dry, real = (json.loads(line) for line in done.stdout.splitlines() if line)
    assert [dry.get(key) for key in ("failed", "changed", "msg")] == [
        real.get(key) for key in ("failed", "changed", "msg")
    ]
    if real.get("failed"):
        assert picture(there) == before
        assert "although its mode allows it" not in real["msg"]
        assert not there.unclear(real["msg"])
        assert less != "all"
        assert case not in ALWAYS
    else:
        assert real["changed"] is True
        kept = before.entries.get("etc/wasmtime/config.toml")
        now = picture(there).entries.get("etc/wasmtime/config.toml")
        if kept is not None and now is not None and "owner" not in options:
            assert now.uid == kept.uid


def test_a_plain_edit_needs_no_more_than_the_right_to_give_away(there: Place) -> None:
    """Once a file is given away, only some may set its mode."""
    test_check_mode_and_the_run_agree(there, "no FOWNER", "edit the file of another")
    assert 'cleanup-interval = "3h"' in there.config.read_text(encoding="utf-8")
