# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""If root lacks some rights, check mode predicts the run, and a failed run has changed nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Callable

import pytest

from ansible_collections.wasmops.wasmtime.tests.faults.scenes import Place, picture, place
from ansible_collections.wasmops.wasmtime.tests.unit.plugins.module_utils.places import NOBODY, STRANGER, give

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="not run here, because it needs root, which gives up rights")

# Runs the module once for each line of options, in processes of their own, and prints what came of each.
RUNNER = """
import json, os, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.wasmops.wasmtime.plugins.modules import cache_config
from ansible_collections.wasmops.wasmtime.tests.faults.program import warm_up
warm_up()
print(flush=True)
for line in sys.stdin:
    if os.fork() == 0:
        with patch_module_args(json.loads(line)):
            cache_config.main()
    os.wait()
"""
LESS: dict[str, list[str]] = {
    "all": [],
    "no CHOWN": ["setpriv", "--bounding-set", "-chown"],
    "no FOWNER": ["setpriv", "--bounding-set", "-fowner"],
    "no DAC_OVERRIDE": ["setpriv", "--bounding-set", "-dac_override"],
    "no DAC_READ_SEARCH": ["setpriv", "--bounding-set", "-dac_read_search"],
    "no DAC": ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"],
    "no FSETID": ["setpriv", "--bounding-set", "-fsetid"],
    "none of them": ["setpriv", "--bounding-set", "-chown,-fowner,-dac_override,-dac_read_search,-fsetid"],
    "user namespace": ["unshare", "--user", "--map-root-user"],
}
IMMUTABLE = {"no LINUX_IMMUTABLE": ["setpriv", "--bounding-set", "-linux_immutable"]}
CHANGE = {"cleanup_interval": "3h"}
Prepare = Callable[[Place], None]


class Runner:
    """A process without some rights, which runs the module."""

    def __init__(self, less: str) -> None:
        self.less = less
        command = dict(LESS, **IMMUTABLE)[less]
        if command and shutil.which(command[0]) is None:
            pytest.skip("not run here, because there is no %s" % command[0])
        self.process = subprocess.Popen(
            [*command, sys.executable, "-B", "-c", RUNNER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if self._answer() != "\n":
            errors = self.close()
            if command and "%s: " % command[0] in errors:
                pytest.skip("not run here, because of %s" % errors.strip())
            pytest.fail(errors)

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the result of the module."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(options) + "\n")
        self.process.stdin.flush()
        answer = self._answer().strip() or self._answer()
        assert answer, self.close()
        result: dict[str, Any] = json.loads(answer)
        return result

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def close(self) -> str:
        """End it, and return its standard error."""
        return self.process.communicate()[1]


@pytest.fixture(scope="module")
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    made = Runner(request.param)
    yield made
    assert made.close() == ""


@pytest.fixture
def there() -> Iterator[Place]:
    with place() as made:
        made.clear()
        yield made


def old(
    there: Place,
    file: int = 0,
    directory: int = 0,
    above: int = 0,
    mode: int = 0o755,
    cache: int = 0,
    bits: int = 0o644,
) -> None:
    """A config and a cache of these owners; C(bits): the mode of the config, C(mode): that of its directory."""
    there.old()
    give(there.config, file)
    there.config.chmod(bits)
    give(there.cache, cache)
    there.config.parent.chmod(mode)
    give(there.config.parent, directory)
    give(there.cache.parent, above)


def private(there: Place) -> None:
    """A config that only another user may read."""
    old(there, file=NOBODY, bits=0o600)


def linked(there: Place) -> None:
    """A link of root to the config of another user in its directory."""
    there.link()
    give(there.behind, NOBODY)
    give(there.behind.parent, NOBODY)


def nothing(owner: int, mode: int) -> Prepare:
    """Directories of this owner and mode, with nothing in them."""

    def prepare(there: Place) -> None:
        for path in (there.config.parent, there.cache.parent):
            path.mkdir(parents=True)
            path.chmod(mode)
            give(path, owner)

    return prepare


OWN = {"directory_owner": str(NOBODY), "directory_group": str(NOBODY)}
CASES: dict[str, tuple[Prepare, dict[str, Any]]] = {
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
        dict(CHANGE, unsafe_writes=True, mode="0604"),
    ),
    "back up": (lambda there: old(there, file=NOBODY), dict(CHANGE, backup=True)),
    "set the mode": (old, {"mode": "0600"}),
    "set the mode of the file of another": (lambda there: old(there, file=NOBODY), {"mode": "0604"}),
    "give away": (old, {"owner": str(NOBODY), "mode": "0640"}),
    "give to an unknown one": (old, {"owner": str(STRANGER)}),
    "give back": (lambda there: old(there, file=NOBODY), {"owner": "0", "group": "0"}),
    "give to another group, with a setuid bit": (
        lambda there: old(there, file=NOBODY, bits=0o4644),
        {"group": "0", "mode": "04644"},
    ),
    "give the directory": (old, OWN),
    "set the mode of the directory of another": (
        lambda there: old(there, cache=NOBODY),
        {"directory_mode": "0750", "directory_owner": str(NOBODY)},
    ),
    "sticky": (lambda there: old(there, file=NOBODY, directory=STRANGER, mode=0o1777), CHANGE),
    "edit what cannot be read": (private, CHANGE),
    "edit a link": (Place.link, CHANGE),
    "edit a link to the file of another": (linked, CHANGE),
    "overwrite in the directory of another": (
        lambda there: old(there, directory=NOBODY),
        dict(CHANGE, unsafe_writes=True),
    ),
    "overwrite the file of another in its directory, with a backup": (
        lambda there: old(there, file=NOBODY, directory=NOBODY),
        dict(CHANGE, unsafe_writes=True, backup=True),
    ),
    "overwrite in a sticky directory": (
        lambda there: old(there, file=NOBODY, directory=STRANGER, mode=0o1777),
        dict(CHANGE, unsafe_writes=True),
    ),
    "set attributes": (old, {"attributes": "+A"}),
    "set attributes of the file of another": (lambda there: old(there, file=NOBODY), {"attributes": "+A"}),
    "edit and set attributes": (old, dict(CHANGE, attributes="+A")),
    "edit the file of another and set attributes": (
        lambda there: old(there, file=NOBODY),
        dict(CHANGE, attributes="+A"),
    ),
    "give away and set attributes": (old, {"owner": str(NOBODY), "mode": "0640", "attributes": "+A"}),
    "create for another with attributes": (
        nothing(0, 0o755),
        dict(CHANGE, owner=str(NOBODY), mode="0644", attributes="+A"),
    ),
    "create with attributes": (nothing(0, 0o755), dict(CHANGE, attributes="+A")),
    "setgid": (old, {"mode": "2644", "group": str(NOBODY)}),
    "setgid of the file of another": (lambda there: old(there, file=NOBODY), {"mode": "2644"}),
    "edit a setgid file of another": (
        lambda there: old(there, file=NOBODY, bits=0o2754),
        CHANGE,
    ),
    "overwrite a setgid file of another": (
        lambda there: old(there, file=NOBODY, directory=NOBODY, bits=0o2754),
        dict(CHANGE, unsafe_writes=True),
    ),
    "create a setgid directory": (nothing(0, 0o755), dict(CHANGE, directory_mode="2750", directory_group=str(NOBODY))),
    "make the directory setgid": (old, {"directory_mode": "2750", "directory_group": str(NOBODY)}),
    "make the directory of another setgid": (
        lambda there: old(there, cache=NOBODY),
        {"directory_mode": "2750", "directory_owner": str(NOBODY)},
    ),
    "set the group": (old, {"group": str(NOBODY)}),
    "set the group of the file of another": (lambda there: old(there, file=NOBODY), {"group": "0"}),
    "set the group of the directory": (old, {"directory_group": str(NOBODY)}),
    "set the mode of the directory": (old, {"directory_mode": "0750"}),
    "remove": (old, {"state": "absent"}),
    "remove with a backup of its own": (old, {"state": "absent", "backup": True}),
    "remove with a backup": (lambda there: old(there, file=NOBODY), {"state": "absent", "backup": True}),
    "remove from the directory of another": (lambda there: old(there, directory=NOBODY), {"state": "absent"}),
    "remove what cannot be read": (private, {"state": "absent"}),
    "remove what cannot be read, with a backup": (
        private,
        {"state": "absent", "backup": True},
    ),
    "remove with a backup from the directory of another": (
        lambda there: old(there, file=NOBODY, directory=NOBODY),
        {"state": "absent", "backup": True},
    ),
    "remove a link": (Place.link, {"state": "absent"}),
    "remove a link to the file of another, with a backup": (
        linked,
        {"state": "absent", "backup": True},
    ),
    "remove from a sticky directory, with a backup": (
        lambda there: old(there, file=NOBODY, directory=STRANGER, mode=0o1777),
        {"state": "absent", "backup": True},
    ),
    "remove from a sticky directory": (
        lambda there: old(there, file=NOBODY, directory=STRANGER, mode=0o1777),
        {"state": "absent"},
    ),
}
# What root can do without owners: these fail under no circumstances.
ALWAYS = ("create", "edit", "set the mode", "remove")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("runner", LESS, indirect=True)
def test_check_mode_and_the_run_agree(there: Place, runner: Runner, case: str) -> None:
    prepare, options = CASES[case]
    prepare(there)
    before = picture(there)
    common = {"path": str(there.config), "_ansible_tmpdir": str(there.remote)}
    if options.get("state") != "absent":
        common["directory"] = str(there.cache)
    dry = runner.run(dict(common, **options, _ansible_check_mode=True))
    assert picture(there) == before
    real = runner.run(dict(common, **options))
    assert [dry.get(key) for key in ("failed", "changed", "msg")] == [
        real.get(key) for key in ("failed", "changed", "msg")
    ]
    if real.get("failed"):
        assert picture(there) == before
        assert "although its mode allows it" not in real["msg"]
        assert not there.unclear(real["msg"])
        assert runner.less != "all"
        assert case not in ALWAYS
    else:
        assert real["changed"] is True
        kept = before.entries.get("etc/wasmtime/config.toml")
        now = picture(there).entries.get("etc/wasmtime/config.toml")
        if kept is not None and now is not None and "owner" not in options:
            assert now.uid == kept.uid
        if options.get("state") != "absent":
            assert runner.run(dict(common, **dict(options, backup=False)))["changed"] is False


@pytest.mark.parametrize("runner", ["no FOWNER"], indirect=True)
def test_a_plain_edit_needs_no_more_than_the_right_to_give_away(there: Place, runner: Runner) -> None:
    """Once a file is given away, only some may set its mode."""
    test_check_mode_and_the_run_agree(there, runner, "edit the file of another")
    assert 'cleanup-interval = "3h"' in there.config.read_text(encoding="utf-8")


@pytest.mark.parametrize("runner", IMMUTABLE, indirect=True)
@pytest.mark.parametrize("attributes", ["+i", "=a"])
def test_attributes_that_root_cannot_set_are_refused_before_anything_changes(
    there: Place, runner: Runner, attributes: str
) -> None:
    old(there)
    before = picture(there)
    options = dict(CHANGE, path=str(there.config), attributes=attributes, _ansible_tmpdir=str(there.remote))
    dry, real = (runner.run(dict(options, _ansible_check_mode=check)) for check in (True, False))
    assert dry["msg"] == real["msg"]
    assert real["msg"].endswith("it cannot be given attributes: root may not do that without CAP_LINUX_IMMUTABLE")
    assert not real.get("changed")
    assert picture(there) == before
