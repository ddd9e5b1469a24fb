# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Caches of different users: become for all kinds of service users, a config for the whole system, settings by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ansible_collections.wasmops.wasmtime.tests.fleet.lab import RELEASES, Lab, Spec
from ansible_collections.wasmops.wasmtime.tests.fleet.parts import PIPELINING, inventory_of, outcomes, touched, unlike
from ansible_collections.wasmops.wasmtime.tests.fleet.runner import Ansible, snapshot

if TYPE_CHECKING:
    from ansible_collections.wasmops.wasmtime.tests.fleet.runner import Run

SETTINGS = {
    "ci": {"files_total_size_soft_limit": "2Gi", "cleanup_interval": "1d"},
    "production": {"worker_event_queue_size": "1K", "file_count_limit_percent_if_deleting": "80%"},
}
GROUPS = {"bullseye": "ci", "bookworm": "production", "trixie": "ci", "forky": "production"}


class Cache(NamedTuple):
    """The expected config and cache."""

    path: str
    directory: str
    owner: str  # of the file
    user: str  # of the directory
    new: tuple[str, ...]  # what else is written for it


def become(user: str) -> dict[str, Any]:
    """What an inventory says of hosts on which everything is done as this user."""
    return {"ansible_become": True, "ansible_become_user": user}


PARTS: dict[str, dict[str, Any]] = {
    "login": {"ansible_user": "root", **become("deploy")},
    "service": become("wasm"),
    "homeless": become("nohome"),
    "explicit": {
        **become("nohome"),
        "wasmtime_cache_path": "/srv/nohome/config.toml",
        "wasmtime_cache_directory": "/srv/nohome/cache",
    },
    "system": {
        "ansible_become": True,
        "wasmtime_cache_path": "/etc/wasmtime/config.toml",
        "wasmtime_cache_directory": "/var/cache/wasmtime",
        "wasmtime_cache_directory_owner": "wasm",
        "wasmtime_cache_directory_group": "wasm",
    },
}


def in_home(home: str, user: str) -> Cache:
    parents = tuple(home + "/" + name for name in (".cache", ".config", ".config/wasmtime"))
    return Cache(home + "/.config/wasmtime/config.toml", home + "/.cache/wasmtime", user, user, parents)


CACHES = {
    "login": in_home("/home/deploy", "deploy"),
    "service": in_home("/var/lib/wasm", "wasm"),
    "explicit": Cache("/srv/nohome/config.toml", "/srv/nohome/cache", "nohome", "nohome", ("/srv/nohome",)),
    "system": Cache(
        "/etc/wasmtime/config.toml", "/var/cache/wasmtime", "root", "wasm", ("/etc", "/etc/wasmtime", "/var/cache")
    ),
}
USES = """
cat "$1" >/dev/null
touch "$2/written"
rm "$2/written"
"""


def test_each_user_gets_its_own(ansible: Ansible, lab: Lab) -> None:
    """Check mode predicts the changes for each user, the cache works for that user alone, and a second run changes nothing."""
    hosts = lab.start_all(Spec(release, name=release) for release in RELEASES)
    for host in hosts:
        host.sh("install -d -o nohome -g nohome /srv/nohome")
    groups = {
        release: {"wasmtime_cache_" + name: value for name, value in SETTINGS[group].items()}
        for release, group in GROUPS.items()
    }
    inventory = inventory_of(lab, PARTS, variables={"all": {"ansible_user": "deploy"}, **groups})

    def provision(*options: str, pipelining: bool) -> Run:
        settings = PIPELINING if pipelining else None
        run = ansible.playbook("wasmops.wasmtime.provision", inventory, "--diff", *options, settings=settings)
        assert run.status == 2
        assert set(outcomes(run)) == {"%s.%s" % (host.name, part) for host in hosts for part in PARTS}
        return run

    nothing = snapshot(lab)
    # Without pipelining, the unprivileged user has to be given the module's file.
    predicted = provision("--check", pipelining=False)
    assert touched(nothing, snapshot(lab)) == []

    done = provision(pipelining=True)
    settled = snapshot(lab)
    assert unlike(done, predicted) == {}
    new = []
    for host in hosts:
        name = host.name
        for part, cache in CACHES.items():
            result = done.module("%s.%s" % (name, part))
            assert result.changed
            assert (result.data["path"], result.data["directory"]["path"]) == (cache.path, cache.directory)
            named = {"directory": cache.directory} if part in {"explicit", "system"} else {}
            assert result.data["settings"] == {**named, **SETTINGS[GROUPS[host.release]]}
            modes = host.sh("stat -c '%%U %%a' %s %s" % (cache.path, cache.directory)).splitlines()
            assert modes == ["%s 644" % cache.owner, "%s 700" % cache.user]
            new += ["%s:%s" % (name, path) for path in (cache.path, cache.directory, *cache.new)]
        failed = done.of(name + ".homeless")[-1]
        assert failed.status == "failed"
        assert 'the user nohome may not write in "/"' in failed.message
    assert touched(nothing, settled) == sorted(new)

    assert not any(provision(pipelining=True).changes.values())
    assert touched(settled, snapshot(lab)) == []

    for host in hosts:
        for cache in CACHES.values():
            host.run("runuser", "-u", cache.user, "--", "sh", "-ec", USES, "sh", cache.path, cache.directory)
            for other in {"deploy", "wasm", "nohome"} - {cache.user}:
                assert host.run("runuser", "-u", other, "--", "ls", cache.directory, check=False).returncode != 0
