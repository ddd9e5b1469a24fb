# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An upgrade of Wasmtime on a mixed fleet, and the downgrade; and hosts with two Wasmtimes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from ansible_collections.wasmops.wasmtime.tests.engine.engines import ACCEPT, DATA, Engine, NotHere
from ansible_collections.wasmops.wasmtime.tests.fleet.conftest import CORES
from ansible_collections.wasmops.wasmtime.tests.fleet.lab import RELEASES, Lab, Spec
from ansible_collections.wasmops.wasmtime.tests.fleet.parts import PIPELINING, inventory_of, touched, unlike
from ansible_collections.wasmops.wasmtime.tests.fleet.runner import Ansible, snapshot

if TYPE_CHECKING:
    from ansible_collections.wasmops.wasmtime.tests.fleet.lab import Host

PROVISION = "wasmops.wasmtime.provision"


class Story(NamedTuple):
    """A config with Wasmtime 32, then with a later one, and after the way back; None: as it was."""

    old: str
    new: str | None = None
    back: str | None = None


STORIES = {
    "plain": Story(
        '# ours\n[cache]\nenabled = true\ndirectory = "/var/cache/plain"\n',
        '# ours\n[cache]\ndirectory = "/var/cache/plain"\n',
        '# ours\n[cache]\ndirectory = "/var/cache/plain"\nenabled = true\n',
    ),
    "commented": Story(
        '# ours\r\n\r\n[ cache ] # one\r\nenabled = true\r\n# kept\r\n\tdirectory="/var/cache/commented"\r\ncleanup-interval = "60 m" # an hour',
        '# ours\r\n\r\n[ cache ] # one\r\n# kept\r\n\tdirectory="/var/cache/commented"\r\ncleanup-interval = "60 m" # an hour',
        '# ours\r\n\r\n[ cache ] # one\r\n# kept\r\n\tdirectory="/var/cache/commented"\r\ncleanup-interval = "60 m" # an hour\r\nenabled = true',
    ),
    "dotted": Story(
        "cache.enabled = true\n# kept\ncache.directory = '/var/cache/dotted'\n\ncache.cleanup-interval = \"60m\" # an hour\n",
        "# kept\ncache.directory = '/var/cache/dotted'\n\ncache.cleanup-interval = \"60m\" # an hour\n",
        "# kept\ncache.directory = '/var/cache/dotted'\n\ncache.cleanup-interval = \"60m\" # an hour\ncache.enabled = true\n",
    ),
    "inline": Story(
        'cache = { enabled = true, directory = "/var/cache/inline" } # ours\n',
        'cache = { directory = "/var/cache/inline" } # ours\n',
        'cache = { directory = "/var/cache/inline", enabled = true } # ours\n',
    ),
    "off": Story('[cache]\nenabled = false # for now\ndirectory = "/var/cache/off"\n'),
    # These do not take part in the upgrade.
    "stays": Story('[cache]\nenabled = true\ndirectory = "/var/cache/stays"\n'),
    "early": Story('[cache]\nbaseline-compression-level = 5 # fast\ndirectory = "/var/cache/early"\n'),
}
MOVED = ("plain", "commented", "dotted", "inline")
# Each release gets another version.
UPGRADE = {"bullseye": "33", "bookworm": "38.0.1", "trixie": "42.0.2", "forky": "48"}


@pytest.mark.parametrize("name", STORIES)
def test_real_engines_take_what_is_written(name: str) -> None:
    """The expected texts of the test below: each is accepted by its versions, and by no other."""
    story = STORIES[name]
    try:
        with Engine("32.0.0") as old, Engine("42.0.0") as new, Engine("48.0.0") as newest:

            def verdicts(text: str) -> list[str]:
                return [engine.ask(text.encode()).verdict for engine in (old, new, newest)]

            if name == "early":
                assert verdicts(story.old) == [DATA, ACCEPT, ACCEPT]
                return
            assert verdicts(story.old) == [ACCEPT, DATA, DATA]
            if name in MOVED:
                assert verdicts(story.new or "") == [DATA, ACCEPT, ACCEPT]
                assert verdicts(story.back or "") == [ACCEPT, DATA, DATA]
    except NotHere as reason:
        pytest.skip("not run here, because %s" % reason)


def path_of(part: str) -> str:
    return "/etc/wasmtime/%s.toml" % part


def texts(hosts: list[Host]) -> dict[str, Any]:
    """Return the bytes of all configs, by host and part."""
    return {
        "%s.%s" % (host.name, part): host.run("cat", path_of(part), text=False).stdout
        for host in hosts
        for part in STORIES
    }


def test_there_and_back(lab: Lab, tmp_path: Path) -> None:
    """Configs are migrated without other changes; one that cannot be migrated is reported and does not stop other hosts.

    One ansible-core runs check mode and the other one the real run, and the reverse for the downgrade.
    """
    programs = [Path(folder) for folder in CORES.values()]
    old_core, new_core = Ansible(programs[0], tmp_path / "old"), Ansible(programs[-1], tmp_path / "new")
    for ansible in old_core, new_core:
        ansible.folder.mkdir()
    hosts = lab.start_all(Spec(release, name=release) for release in RELEASES)
    for host in hosts:
        host.sh("mkdir /etc/wasmtime")
        for part, story in STORIES.items():
            host.run("tee", path_of(part), input=story.old.encode(), text=False)
            host.sh("install -d -m 700 /var/cache/%s" % part)
    names = {"%s.%s" % (host.name, part): part for host in hosts for part in STORIES}
    common = {part: {"wasmtime_cache_path": path_of(part)} for part in STORIES}
    common["stays"]["wasmtime_cache_wasmtime_version"] = "32.0.0"
    common["early"]["wasmtime_cache_wasmtime_version"] = "42.0.2"
    there = {release: {"wasmtime_cache_wasmtime_version": version} for release, version in UPGRADE.items()}
    newest = {release: {"wasmtime_cache_wasmtime_version": "48.0.0"} for release in UPGRADE}
    back = {release: {"wasmtime_cache_wasmtime_version": "32"} for release in UPGRADE}

    inventory = inventory_of(lab, common, variables=there)
    before = snapshot(lab)
    predicted = old_core.playbook(PROVISION, inventory, "--check", "--diff", settings=PIPELINING)
    assert touched(before, snapshot(lab)) == []
    done = new_core.playbook(PROVISION, inventory, "--diff", settings=PIPELINING)
    assert done.status == 2
    assert unlike(done, predicted) == {}
    for name, part in names.items():
        result = done.module(name)
        assert result.status == {**dict.fromkeys(MOVED, "changed"), "off": "failed"}.get(part, "ok")
        if part in MOVED:
            assert result.data["changed_settings"] == {"enabled": {"before": True, "after": None}}
        if part == "off":
            (problem,) = result.data["problems"]
            assert (problem["code"], problem["line"]) == ("enabled-refused", 2)
            assert "switch the cache off in the program" in result.message
    upgraded = snapshot(lab)
    assert texts(hosts) == {name: (STORIES[part].new or STORIES[part].old).encode() for name, part in names.items()}
    moved = [name for name, part in names.items() if part in MOVED]
    files = ["%s:%s" % (host.name, path_of(part)) for host in hosts for part in MOVED]
    assert touched(before, upgraded) == sorted([*files, *("%s:/etc/wasmtime" % host.name for host in hosts)])

    inventory = inventory_of(lab, common, variables=newest)
    onward = old_core.playbook(PROVISION, inventory, "--limit", "*.commented,*.dotted,*.off", settings=PIPELINING)
    assert sorted(name for name, changes in onward.changes.items() if changes) == []
    assert touched(upgraded, snapshot(lab)) == []

    inventory = inventory_of(lab, common, variables=back)
    predicted = new_core.playbook(PROVISION, inventory, "--check", "--diff", settings=PIPELINING)
    assert touched(upgraded, snapshot(lab)) == []
    done = old_core.playbook(PROVISION, inventory, "--diff", settings=PIPELINING)
    assert done.status == 0
    assert unlike(done, predicted) == {}
    assert sorted(name for name, changes in done.changes.items() if changes) == sorted(moved)
    assert texts(hosts) == {name: (STORIES[part].back or STORIES[part].old).encode() for name, part in names.items()}


WASMTIME = """\
{
printf '\\177ELF'; head -c 100 /dev/zero
printf 'optimized-compression-usage-counter-threshold /wasmtime-cache-%s/src/lib.rs'
} >/usr/local/bin/wasmtime
chmod 755 /usr/local/bin/wasmtime
"""


def test_two_wasmtimes_on_a_host(newest_ansible: Ansible, lab: Lab) -> None:
    """No file suits 32 and 42, a file for each does, and `auto` follows the program that is installed.

    All of them are provided at once, so several processes create /etc/wasmtime at the same time. With one
    ansible-core only: it passes the versions on and does not interpret them.
    """
    installed = {"bullseye": "32.0.0", "bookworm": "42.0.2", "trixie": "33.0.0"}
    hosts = lab.start_all(Spec(release, name=release) for release in RELEASES)
    for host in hosts:
        if host.release in installed:
            host.sh(WASMTIME % installed[host.release])
    parts: dict[str, dict[str, Any]] = {
        "both": {"wasmtime_cache_wasmtime_version": ["32", "42"]},
        "old": {"wasmtime_cache_wasmtime_version": "32"},
        "late": {"wasmtime_cache_wasmtime_version": ["42", "48"]},
        "auto": {"wasmtime_cache_wasmtime_version": "auto"},
    }
    for part, variables in parts.items():
        variables.update(wasmtime_cache_path=path_of(part), wasmtime_cache_directory="/var/cache/" + part)
    run = newest_ansible.playbook(PROVISION, inventory_of(lab, parts), settings=PIPELINING)
    assert run.status == 2
    for host in hosts:
        # The first host also has the summary of all.
        both, old, late, auto = (
            [result for result in run.of("%s.%s" % (host.name, part)) if result.action != "ansible.builtin.debug"]
            for part in parts
        )
        assert both[-1].status == "failed"
        assert "up to 32 requires enabled and later ones refuse it, so no file suits both" in both[-1].message
        assert host.run("test", "-e", path_of("both"), check=False).returncode == 1
        assert old[0].data["changed_settings"]["enabled"] == {"before": None, "after": True}
        assert "enabled" not in late[0].data["changed_settings"]
        if host.release in installed:
            assert auto[0].data["wasmtime_version"] == installed[host.release]
            assert ("enabled" in auto[0].data["changed_settings"]) == (host.release == "bullseye")
        else:
            assert "no program in the usual places has a Wasmtime" in auto[-1].message
            assert host.run("test", "-e", path_of("auto"), check=False).returncode == 1
