# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unusual places and environments: file systems, links, flags, umasks, locales, the clock."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any, Mapping, NamedTuple

from ansible_collections.wasmops.wasmtime.tests.fleet.lab import RELEASES, Lab, Spec
from ansible_collections.wasmops.wasmtime.tests.fleet.parts import PIPELINING, inventory_of, touched, unlike
from ansible_collections.wasmops.wasmtime.tests.fleet.runner import Ansible, snapshot


class Place(NamedTuple):
    """A folder of its own for each case; @ stands for it."""

    prepare: str = ""
    variables: Mapping[str, Any] = MappingProxyType({})
    refused: str = ""  # what the message says; nothing where it works
    foretold: bool = True  # by the dry run
    written: tuple[str, ...] = ("@", "@/config.toml")  # in the end; nothing else is
    modes: Mapping[str, str] = MappingProxyType({})


# The state before the preparation of each case.
FOLDER = """
install -d -m 755 @
install -d -m 700 @/cache
printf '[cache]\\ndirectory = "@/cache"\\n' >@/config.toml
"""
# Users whose umask is not the usual one, also when they become root; and at last /etc, for all.
HOST = """
printf '[cache]\\n' >/etc/config.toml
for user in strict loose; do
    useradd --create-home --shell /bin/bash --password '*' "$user"
    echo "$user ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/"$user"
done
echo 'umask 077' >/home/strict/.bashrc
echo 'umask 000' >/home/loose/.bashrc
echo 'Defaults:loose umask=0777' >>/etc/sudoers.d/loose  # which means to leave it as it is
"""
READ_ONLY_ETC = "mount --bind /etc /etc; mount -o remount,bind,ro /etc"
NEW = {"fleet_path": "@/new/config.toml", "fleet_directory": "@/more/cache"}
ALL_NEW = ("@", "@/more", "@/more/cache", "@/new", "@/new/config.toml")
NON_ASCII = {"fleet_path": "@/größe/config.toml", "fleet_directory": "@/日本"}
ALL_NON_ASCII = ("@", "@/größe", "@/größe/config.toml", "@/日本")
FAKETIME = {"LD_PRELOAD": "/usr/$LIB/faketime/libfaketime.so.1", "FAKETIME": "+20y"}

PLACES = {
    # File systems
    "no-acls": Place("mount -t ramfs -o mode=755 none @" + FOLDER),
    "read-only-etc": Place(
        variables={"fleet_path": "/etc/config.toml"}, refused='"/etc" is on a read-only file system', written=()
    ),
    "read-only-etc-new": Place(
        variables={"fleet_path": "/etc/new/config.toml"}, refused='"/etc" is on a read-only file system', written=()
    ),
    # A dry run does not try how much there is room for.
    "full": Place(
        "mkdir @/full; mount -t tmpfs -o size=4k,mode=755 tmpfs @/full; mv @/config.toml @/full",
        {"fleet_path": "@/full/config.toml"},
        refused="it cannot be written: No space left on device",
        foretold=False,
        written=("@/full",),
    ),
    "full-cache": Place(
        "mkdir @/full; mount -t tmpfs -o size=4k,mode=755 tmpfs @/full; head -c 4k /dev/zero >@/full/filler",
        {"fleet_directory": "@/full/cache"},
        written=("@", "@/config.toml", "@/full", "@/full/cache"),  # a directory takes no room there
    ),
    "inodes": Place(
        "mkdir @/full; mount -t tmpfs -o nr_inodes=2,mode=755 tmpfs @/full; mv @/config.toml @/full",
        {"fleet_path": "@/full/config.toml"},
        refused="it cannot be written: No space left on device",
        foretold=False,
        written=(),
    ),
    "inodes-cache": Place(
        "mkdir @/full; mount -t tmpfs -o nr_inodes=1,mode=755 tmpfs @/full",
        {"fleet_directory": "@/full/cache"},
        refused='the directory "@/full/cache" cannot be created or changed: No space left on device',
        foretold=False,
        written=(),
    ),
    "inodes-after-cache": Place(
        "mkdir @/full; mount -t tmpfs -o nr_inodes=2,mode=755 tmpfs @/full; mv @/config.toml @/full",
        {"fleet_path": "@/full/config.toml", "fleet_directory": "@/more"},
        refused="No space left on device; the cache directory was made or changed before that",
        foretold=False,
        written=("@", "@/more"),
    ),
    "bound": Place(
        "cp @/config.toml @/other; mount --bind @/other @/config.toml",
        refused="it is a mount point, which cannot be replaced or removed",
        written=(),
    ),
    "bound-overwritten": Place(
        "cp @/config.toml @/other; mount --bind @/other @/config.toml",
        {"fleet_unsafe_writes": True},
        written=("@", "@/config.toml", "@/other"),
    ),
    # Links
    # Relative to absolute, through one to a folder
    "links": Place(
        "mkdir @/far; mv @/config.toml @/far; ln -s far @/on; ln -s @/on/config.toml @/up; ln -s up @/config.toml",
        written=("@/far", "@/far/config.toml"),
    ),
    "link-of-user": Place(
        "install -d -o deploy @/home; ln -s ../config.toml @/home; chown -h deploy @/home/config.toml",
        {"fleet_path": "@/home/config.toml"},
        refused='is a symbolic link of deploy into "@", which belongs to root: root does not follow it',
        written=(),
    ),
    # Flags
    "immutable": Place(
        "chattr +i @/config.toml",
        refused='the system denies writing to "@/config.toml" although its mode allows it',
        written=(),
    ),
    "immutable-folder": Place(
        "chattr +i @", refused='the system denies writing to "@" although its mode allows it', written=()
    ),
    "immutable-for-cache": Place(
        "mkdir @/fixed; chattr +i @/fixed",
        {"fleet_directory": "@/fixed/cache"},
        refused='the directory "@/fixed/cache" cannot be created: the system denies writing to "@/fixed"',
        written=(),
    ),
    "append-only": Place(
        "chattr +a @/config.toml",
        refused='it cannot be written: "@/config.toml" is append-only; see lsattr',
        written=(),
    ),
    "append-only-folder": Place(
        "chattr +a @", refused='it cannot be written: "@" is append-only; see lsattr', written=()
    ),
    # A parent that a user can swap
    "swappable": Place(
        "install -d -o deploy @/home; mkdir -m 700 @/home/cache",
        {"fleet_directory": "@/home/cache"},
        refused="the change would be dangerous (ignore_dangers: [directory-replaceable] allows it): users other than root and its owner can put"
        ' another directory in the place of "@/home/cache": "@/home" belongs to deploy',
        written=(),
    ),
    "swappable-allowed": Place(
        "install -d -o deploy @/home; mkdir -m 700 @/home/cache",
        {"fleet_directory": "@/home/cache", "fleet_ignore_dangers": ["directory-replaceable"]},
    ),
    # Umasks
    "umask-077": Place(
        variables={"ansible_user": "strict", **NEW},
        written=ALL_NEW,
        modes={"new": "755", "new/config.toml": "600", "more": "755", "more/cache": "700"},
    ),
    "umask-000": Place(
        variables={"ansible_user": "loose", **NEW},
        written=ALL_NEW,
        modes={"new": "755", "new/config.toml": "644", "more": "755", "more/cache": "700"},
    ),
    "umask-077-for-others": Place(
        variables={"ansible_user": "strict", "fleet_directory_owner": "wasm", **NEW},
        refused="wasm may not read the file; set mode to 0644",
        written=(),
    ),
    "umask-077-with-mode": Place(
        variables={"ansible_user": "strict", "fleet_directory_owner": "wasm", "fleet_mode": "0644", **NEW},
        written=ALL_NEW,
        modes={"new": "755", "new/config.toml": "644", "more": "755", "more/cache": "700"},
    ),
    "umask-077-own": Place(
        "chown -R strict @",
        {"ansible_user": "strict", "ansible_become": False, **NEW},
        written=ALL_NEW,
        modes={"new": "700", "new/config.toml": "600", "more": "700", "more/cache": "700"},
    ),
    # Locales
    "locale-c": Place(variables={"fleet_environment": {"LC_ALL": "C"}, **NON_ASCII}, written=ALL_NON_ASCII),
    "locale-utf-8": Place(variables={"fleet_environment": {"LC_ALL": "C.UTF-8"}, **NON_ASCII}, written=ALL_NON_ASCII),
    # After 2038
    "clock": Place(variables={"fleet_environment": FAKETIME, "fleet_backup": True, **NEW}, written=ALL_NEW),
}


def filled(value: Any, folder: str) -> Any:
    """Put the name of the folder into all texts."""
    return json.loads(json.dumps(value).replace("@", folder))


def test_places(newest_ansible: Ansible, lab: Lab) -> None:
    """Each case works or reports clearly why not; check mode predicts this; a failure changes nothing.

    With one ansible-core only: all of this happens on the hosts.
    """
    hosts = lab.start_all(Spec(release, name=release) for release in RELEASES)
    folders = {name: "/srv/" + name for name in PLACES}
    prepare = [HOST]
    for name, place in PLACES.items():
        prepare += filled([FOLDER, place.prepare], folders[name])
    for host in hosts:
        host.sh("\n".join([*prepare, READ_ONLY_ETC]))
    parts = {
        name: {"fleet_path": folders[name] + "/config.toml", **filled({**place.variables}, folders[name])}
        for name, place in PLACES.items()
    }
    inventory = inventory_of(lab, parts, variables={"all": {"ansible_user": "deploy", "ansible_become": True}})

    before = snapshot(lab)
    predicted = newest_ansible.playbook("provide.yml", inventory, "--check", "--diff", settings=PIPELINING)
    assert touched(before, snapshot(lab)) == []
    done = newest_ansible.playbook("provide.yml", inventory, "--diff", settings=PIPELINING)
    after = snapshot(lab)

    assert {name.partition(".")[2] for name in unlike(done, predicted)} == {
        name for name, place in PLACES.items() if not place.foretold
    }
    new = []
    for host in hosts:
        for name, place in PLACES.items():
            folder = folders[name]
            result = done.module("%s.%s" % (host.name, name))
            assert predicted.module(result.host).status == ("failed" if place.refused and place.foretold else "changed")
            assert result.status == ("failed" if place.refused else "changed")
            assert filled(place.refused, folder) in result.message
            new += ["%s:%s" % (host.name, path) for path in filled(place.written, folder)]
            for path, mode in place.modes.items():
                assert after["%s:%s/%s" % (host.name, folder, path)][0][-3:] == mode
            if not place.refused:
                text = host.sh("cat %s" % result.data["path"])
                assert 'cleanup-interval = "2h"' in text
                assert 'directory = "%s"' % result.data["directory"]["path"] in text
    assert touched(before, after) == sorted(new)
