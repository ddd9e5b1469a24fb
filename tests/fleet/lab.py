# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of Debian hosts on this machine: real SSH, real package managers, no container engine.

    with Lab() as lab:
        old, new = lab.start_all([Spec("bullseye"), Spec("forky", libraries=False, packages=True)])
        inventory = lab.inventory()

A host is a set of namespaces (mount, pid, uts, ipc, net) around an overlay of a read-only root. What it
writes goes to a tmpfs that only it can see, so nothing of it outlives its processes. Its pid 1 is sshd.
All hosts of a lab sit on one bridge, from where they reach this machine and each other and nothing else.

A lab is gone when its `with` block ends, or the process that it belongs to, however that dies: a process of
its own waits for it. What even that one could not remove is removed by `lab.py down`.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import functools
import hashlib
import itertools
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

NAME = "wasmops-wasmtime-fleet"
STATE = Path("/run", NAME)
CACHE = Path("~/.cache").expanduser() / NAME
# Interfaces of this machine: bridge and, after a dash and a number, the ends of its hosts' cables. Linux
# allows for 15 characters.
BRIDGE = "wwfleet"
# Addresses that were set aside for tests of networks: no network in use has them. Each lab has 254.
NETWORK = "198.18"
MOST_LABS = 256
HANG = 600.0  # seconds after which a process or a host counts as hung


class Release(NamedTuple):
    """A Debian release: its Python, its packages besides PACKAGES, and whether it has packages of the libraries."""

    python: str
    more: tuple[str, ...] = ()
    packaged: bool = True


# openssh-server would bring all of systemd along from trixie on.
RELEASES = {
    "bullseye": Release("3.9", packaged=False),
    "bookworm": Release("3.11"),
    "trixie": Release("3.13", ("systemd-standalone-sysusers",)),
    "forky": Release("3.14", ("systemd-standalone-sysusers",)),
}
# The packages of any server; and for the tests acl, e2fsprogs (chattr, mkfs), libfaketime and strace (faults).
PACKAGES = "python3,python3-apt,openssh-server,passwd,sudo,mount,acl,e2fsprogs,libfaketime,strace"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
LIBRARIES = ("platformdirs", "tomli", "tomli-w")
# Debian's own settings, apart from those that make a root small and quick to build.
APT_OPTIONS = (
    'Acquire::Check-Valid-Until "false"',  # of releases that nobody signs any more, and of mirrors that lag
    'Acquire::Languages "none"',
    'APT::Install-Recommends "false"',
)
DPKG_OPTIONS = ("force-unsafe-io", *("path-exclude=/usr/share/%s/*" % name for name in ("doc", "locale", "man")))

SSHD_CONFIG = """\
HostKey /etc/ssh/fleet_host_key
AuthorizedKeysFile /etc/ssh/fleet_authorized_keys
AuthenticationMethods publickey
PermitRootLogin prohibit-password
AcceptEnv LANG LC_*
UsePAM no
UseDNS no
MaxStartups 200
MaxSessions 200
Subsystem sftp internal-sftp
"""
# Runs in a new root. Removes the mirror's address and the host keys, which must not be shared.
PREPARE = """\
: >/etc/apt/sources.list
rm -f /etc/ssh/ssh_host_*
cat >/etc/ssh/fleet_config
! /usr/sbin/sshd -T -h /dev/null -f /dev/null 2>/dev/null | grep -q '^persourcepenalties' ||
    echo 'PerSourcePenalties no' >>/etc/ssh/fleet_config
useradd --create-home --shell /bin/bash deploy
echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/deploy
chmod 440 /etc/sudoers.d/deploy
useradd --system --create-home --home-dir /var/lib/wasm --shell /usr/sbin/nologin wasm
useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin nohome
# Without PAM sshd takes an account for locked whose password begins with an exclamation mark.
for user in root deploy wasm nohome; do usermod --password '*' "$user"; done
"""
# To be increased with each change of the result of build() or build_layers().
RECIPE = 1
# $1: layers, $2: where what has changed shall go, $3: any folder, $4: script that makes the changes.
IN_OVERLAY = """\
mount -t tmpfs tmpfs "$3"
mkdir "$3/upper" "$3/work" "$3/root"
mount -t overlay -o "lowerdir=$1,upperdir=$3/upper,workdir=$3/work" overlay "$3/root"
mount -t proc proc "$3/root/proc"
mount --bind /dev "$3/root/dev"
chroot "$3/root" /bin/sh -ec "$4"
cp -a "$3/upper/." "$2"
"""
# A host's life, as pid 1 of its namespaces. $1: overlay's name, $2: lower layers, $3: any folder, $4: options of
# the tmpfs, $5: host's name, $6: its address. It tells its pid outside, waits for its cable, and ends as sshd.
HOST = """\
read -r pid rest </proc/self/stat
echo "$pid"
exec >&2
read -r ready
ip link set lo up
ip address add "$6/24" dev eth0
ip link set eth0 up
mount -t tmpfs -o "$4" "$1" "$3"
cd "$3"
mkdir upper work root
mount -t overlay -o "lowerdir=$2,upperdir=upper,workdir=work" "$1" root
cd root
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
ln -s /proc/self/fd dev/fd
ln -s pts/ptmx dev/ptmx
mkdir -p dev/pts dev/shm run/sshd run/lock
chmod 1777 run/lock
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
echo "$5" >/proc/sys/kernel/hostname
echo "$5" >etc/hostname
printf '127.0.0.1 localhost\\n%s %s\\n' "$6" "$5" >etc/hosts
mkdir run/old
pivot_root . run/old
cd /
umount -l /run/old
rmdir /run/old
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/sbin/sshd -D -e -f /etc/ssh/fleet_config </dev/null
"""
NAMESPACES = ("--mount", "--pid", "--uts", "--ipc", "--net")


class LabError(Exception):
    """The lab cannot fulfil a request."""


def command(*argv: str | Path, **options: Any) -> str:
    """Run a command on this machine; return its output, and show it if the command fails."""
    if "input" not in options:
        options["stdin"] = subprocess.DEVNULL
    result = subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False, **options
    )
    if result.returncode:
        raise LabError("%s ended with status %d:\n%s" % (argv[0], result.returncode, result.stdout))
    return str(result.stdout)


@functools.lru_cache(maxsize=None)
def impossible() -> str | None:
    """Return why there can be no lab on this machine, as half a sentence; None if there can."""
    if os.geteuid() != 0:
        return "it needs root"
    for tool in ("apt-get", "dpkg-deb", "ip", "mmdebstrap", "nsenter", "pivot_root", "ssh", "ssh-keygen", "unshare"):
        if not shutil.which(tool):
            return "there is no %s" % tool
    if not mirrors():
        return "apt knows no Debian mirror"
    CACHE.mkdir(parents=True, exist_ok=True)
    attempt = """\
        mount -t tmpfs tmpfs /mnt
        mkdir /mnt/upper /mnt/work /mnt/root
        mount -t overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" overlay /mnt/root
        mount -t proc proc /mnt/root
        mknod /mnt/null c 1 3
        : >/mnt/null
        ip link add bridge type bridge
        ip link add cable type veth peer name other
        ip link set cable master bridge
        """
    try:
        isolated("-ec", attempt, "sh", str(CACHE), network=True)
    except LabError as error:
        return "namespaces, overlays or bridges are refused (%s)" % str(error).splitlines()[-1]
    return None


def isolated(*arguments: str | Path, network: bool = False) -> str:
    """Run a shell whose mounts and processes disappear when it ends, or when this process ends."""
    return command(
        "setpriv", "--pdeathsig", "KILL",
        "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", *(["--net"] if network else []),
        "sh", *arguments,
    )  # fmt: skip


# --- Roots ---


def mirrors() -> list[str]:
    """Ask apt for the mirrors of Debian that this machine is configured with."""
    try:
        told = command("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages")
    except LabError:
        return []
    # Updates and security fixes lie in archives of their own, or in suites of their own.
    names = {*RELEASES, "oldoldstable", "oldstable", "stable", "testing", "sid", "unstable"}
    return [address for address, release in (line.split() for line in told.splitlines()) if release in names]


class Root(NamedTuple):
    """The layers of a release."""

    folder: Path

    @property
    def base(self) -> Path:
        """A host that has Python, sshd and the users, and no libraries."""
        return self.folder / "base"

    @property
    def packages(self) -> Path:
        """The libraries' packages, and the configuration and lists of apt that offer them."""
        return self.folder / "packages"

    @property
    def libraries(self) -> Path:
        """The libraries, installed."""
        return self.folder / "libraries"

    @property
    def scratch(self) -> Path:
        """Files that exist only while the root is built."""
        return self.folder / "scratch"


def root_of(release: str) -> Root:
    """Return the path of the root of a release, which depends on its recipe."""
    recipe = (RELEASES[release], PACKAGES, LIBRARIES, APT_OPTIONS, DPKG_OPTIONS, SSHD_CONFIG, PREPARE, RECIPE)
    return Root(CACHE / ("%s-%s" % (release, hashlib.sha256(repr(recipe).encode()).hexdigest()[:12])))


def build(release: str, folder: Path) -> None:
    """Make the root of a release."""
    root = Root(folder)
    for layer in root.base, root.packages, root.libraries, root.scratch:
        layer.mkdir()
        layer.chmod(0o755)
    archive = root.packages / "srv" / "packages"
    archive.mkdir(parents=True)
    known = RELEASES[release]
    options = [
        "--mode=root",
        "--variant=apt",
        "--quiet",
        "--include=" + ",".join((PACKAGES, *known.more)),
        *("--aptopt=" + option for option in APT_OPTIONS),
        *("--dpkgopt=" + option for option in DPKG_OPTIONS),
    ]
    if known.packaged:
        names = " ".join("python3-" + name for name in LIBRARIES)
        options.append(
            '--customize-hook=cd %s; APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get download %s'
            % (shlex.quote(str(archive)), names)
        )
    options.append("--customize-hook=chroot \"$1\" /bin/sh -ec %s <<'END'\n%sEND" % (shlex.quote(PREPARE), SSHD_CONFIG))
    source = "deb [signed-by=%s] %s %s main" % (KEYRING, mirrors()[0], release)
    isolated("-ec", 'exec "$@"', "sh", "mmdebstrap", *options, release, root.base, source)
    build_layers(release, root)


def build_layers(release: str, root: Root) -> None:
    """Make the layers with the libraries, and with their packages, on top of the base."""
    archive = root.packages / "srv" / "packages"
    if RELEASES[release].packaged:
        with (archive / "Packages").open("w") as index:
            for path in sorted(archive.glob("*.deb")):
                content = path.read_bytes()
                index.write(command("dpkg-deb", "--field", path))
                index.write("Filename: ./%s\nSize: %d\n" % (path.name, len(content)))
                index.write("SHA256: %s\n\n" % hashlib.sha256(content).hexdigest())
        sources = root.packages / "etc" / "apt" / "sources.list"
        sources.parent.mkdir(parents=True)
        sources.write_text("deb [trusted=yes] file:/srv/packages ./\n")
        change(root, [root.packages, root.base], root.packages, "apt-get --quiet update")
        names = " ".join("python3-" + name for name in LIBRARIES)
        change(root, [root.packages, root.base], root.libraries, "apt-get --quiet --yes install " + names)
    else:
        # With pip, like an administrator; pip itself is not installed there.
        python = RELEASES[release].python
        place = root.libraries / "usr" / "local" / "lib" / ("python" + python) / "dist-packages"
        place.mkdir(parents=True)
        command(
            sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps",
            "--only-binary", ":all:", "--python-version", python, "--dest", root.scratch, *LIBRARIES,
        )  # fmt: skip
        for wheel in root.scratch.glob("*.whl"):
            zipfile.ZipFile(wheel).extractall(place)
        change(root, [root.libraries, root.base], root.libraries, "python3 -m compileall -q /usr/local/lib")
    shutil.rmtree(root.scratch)


def change(root: Root, layers: Sequence[Path], target: Path, script: str) -> None:
    """Run a script in layers of a root, topmost first; keep its changes in one of them."""
    isolated("-ec", IN_OVERLAY, "sh", ":".join(map(str, layers)), target, root.scratch, script)


def provide_roots(releases: Iterable[str]) -> None:
    """Build the missing roots, two at a time."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(Lock(CACHE)) as lock:
        lock.acquire()
        for folder in CACHE.glob("*.part"):  # of somebody who was killed
            shutil.rmtree(folder)
        missing = [release for release in dict.fromkeys(releases) if not root_of(release).folder.exists()]

        def make(release: str) -> None:
            folder = root_of(release).folder
            part = folder.with_name(folder.name + ".part")
            part.mkdir()
            build(release, part)
            part.rename(folder)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(make, missing))


# --- Labs ---


class Lock:
    """A lock on a folder, which is released when its owner dies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

    def acquire(self, wait: bool = True) -> bool:
        """Return whether the folder still exists and is now locked."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            return os.path.samestat(os.fstat(self._descriptor), self.folder.stat())
        except (BlockingIOError, FileNotFoundError):
            return False

    def close(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)


def new_state(numbers: Iterable[int]) -> Lock:
    """Create the state folder of the first of these labs that does not exist; return it locked."""
    STATE.mkdir(mode=0o700, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".new-", dir=STATE))
    lock = Lock(folder)
    lock.acquire()
    for name in "control", "mnt":  # a folder that is not empty is never replaced
        (folder / name).mkdir()
    for number in numbers:
        with contextlib.suppress(OSError):
            folder.rename(STATE / str(number))
            lock.folder = STATE / str(number)
            return lock
    lock.close()
    shutil.rmtree(folder)
    raise LabError("there are too many labs")


def processes(number: int) -> Iterator[int]:
    """Return the processes of a lab's hosts, which have its name in their root."""
    name = "%s/%d/" % (NAME, number)
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if any(line.startswith(name) for line in (folder / "mounts").read_text().splitlines()):
                yield int(folder.name)


def interfaces() -> list[str]:
    """Return the interfaces of all labs: each bridge before its cables."""
    return sorted(path.name for path in Path("/sys/class/net").glob(BRIDGE + "[0-9]*"))


def destroy(lock: Lock) -> None:
    """Remove a lab from this machine, using only the information of the kernel. The order matters."""
    number = int(lock.folder.name)
    # ssh hangs on when the host behind its connection is gone without a word.
    for control in (lock.folder / "control").iterdir():
        subprocess.run(["ssh", "-S", control, "-O", "exit", "host"], capture_output=True, check=False)
    deadline = time.monotonic() + HANG
    here = Path("/proc/self/ns/pid").stat()
    while pids := list(processes(number)):
        for pid in pids:
            with contextlib.suppress(OSError):
                # The parent of a host's pid 1 lives in this namespace. It ends by itself, after its child.
                if not os.path.samestat(Path("/proc", str(pid), "ns", "pid").stat(), here):
                    os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise LabError("these processes hang: %s" % pids)
        time.sleep(0.02)
    bridge = "%s%d" % (BRIDGE, number)
    for interface in interfaces():
        if interface == bridge or interface.startswith(bridge + "-"):
            # A cable goes with its host, a moment after it.
            subprocess.run(["ip", "link", "delete", interface], capture_output=True, check=False)
    shutil.rmtree(lock.folder)
    lock.close()
    with contextlib.suppress(OSError):  # other labs
        STATE.rmdir()


def destroy_all() -> list[str]:
    """Remove all labs without an owner, including those that were left running on purpose; return those in use."""
    numbers = {path.name for path in STATE.glob("[0-9]*")}
    numbers.update(name[len(BRIDGE) :].partition("-")[0] for name in interfaces())
    in_use = []
    for folder in STATE.glob(".new-*"):  # of somebody who was killed
        with contextlib.closing(Lock(folder)) as lock:
            if lock.acquire(wait=False):
                shutil.rmtree(folder)
    for number in sorted(numbers, key=int):
        try:
            lock = Lock(STATE / number)
        except FileNotFoundError:
            lock = new_state([int(number)])
        if lock.acquire(wait=False):
            destroy(lock)
        else:
            lock.close()
            in_use.append(number)
    with contextlib.suppress(OSError):
        STATE.rmdir()
    return in_use


def outlive(state: Path) -> None:
    """Wait for the owner of a lab to end, and remove the rest of the lab."""
    with contextlib.suppress(FileNotFoundError):  # it was quick
        lock = Lock(state)
        if lock.acquire():
            destroy(lock)


class Spec(NamedTuple):
    """The specification of a host."""

    release: str
    name: str = ""  # else the release and a number
    libraries: bool = True  # the Python libraries are installed
    packages: bool = False  # its package manager can install them
    tmpfs: str = "mode=755"  # mount options of what it writes to: size=..., nr_inodes=...


class Host:
    """A host that answers to ssh, until stop()."""

    def __init__(self, lab: Lab, spec: Spec, number: int) -> None:
        self.lab = lab
        self.spec = spec
        self.release = spec.release
        self.name = spec.name or "%s-%d" % (spec.release, number)
        self.address = "%s.%d.%d" % (NETWORK, lab.number, number + 1)
        self.interface = "%s-%d" % (lab.bridge, number)
        self.pid = 0  # of its pid 1, outside
        self.log = lab.state / (self.name + ".log")
        root = root_of(spec.release)
        layers = [lab.state / "layer", root.libraries, root.packages, root.base]
        if not spec.packages:
            layers.remove(root.packages)
        if not spec.libraries:
            layers.remove(root.libraries)
        mount = "%s/%d/%s" % (NAME, lab.number, self.name)
        lower = ":".join(map(str, layers))
        arguments = [mount, lower, str(lab.state / "mnt"), spec.tmpfs, self.name, self.address]
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                ["unshare", *NAMESPACES, "--fork", "--kill-child", "sh", "-ec", HOST, "sh", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C is not for hosts
            )
        try:
            self._start()
        except BaseException as error:
            self.stop()
            if isinstance(error, (LabError, OSError)):
                raise LabError("%s has not started: %s\n%s" % (self.name, error, self.log.read_text())) from error
            raise

    def __repr__(self) -> str:
        return "<host %s at %s>" % (self.name, self.address)

    def _start(self) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None  # noqa: PT018 # for the type checker
        with stdin, stdout:
            self.pid = int(stdout.readline() or 0)
            cable = "link add {0} type veth peer name eth0 netns {1}\nlink set {0} master {2} up\n"
            command("ip", "-batch", "-", input=cable.format(self.interface, self._process.pid, self.lab.bridge))
            stdin.write("ready\n")
        deadline = time.monotonic() + HANG
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection((self.address, 22), timeout=1) as connection:
                if connection.recv(4) == b"SSH-":
                    return
            time.sleep(0.02)
        raise LabError("it hangs: it does not answer" if self._process.poll() is None else "it has ended")

    def run(self, *argv: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command in the host as root, without ssh. Options are those of subprocess.run()."""
        defaults: dict[str, Any] = {
            "capture_output": True,
            "env": {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"},
            "text": True,
            **({} if "input" in options else {"stdin": subprocess.DEVNULL}),
        }
        enter = ["nsenter", "--target", str(self.pid), *NAMESPACES, "--"]
        result = subprocess.run([*enter, *argv], check=False, **{**defaults, **options})
        if check and result.returncode:
            said = "%s%s" % (result.stdout, result.stderr)
            raise LabError("%s: %s: status %d\n%s" % (self.name, shlex.join(argv), result.returncode, said))
        return result

    def sh(self, script: str, **options: Any) -> str:
        """Run a shell script in the host as root, up to the first failure; return what it prints."""
        return self.run("sh", "-ec", script, **options).stdout

    def ssh(self, *words: str, user: str = "root") -> list[str]:
        """Make the command line that runs a command there by ssh."""
        return ["ssh", *self.lab.ssh_options, "%s@%s" % (user, self.address), *words]

    def stop(self) -> None:
        """Stop the host without a warning, and remove it completely."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid or self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.lab.hosts.pop(self.name, None)


class Lab:
    """A bridge and the hosts on it. Use it in a `with` statement; with `keep`, its hosts stay after a success."""

    def __init__(self, keep: bool = False) -> None:
        reason = impossible()
        if reason:
            raise LabError("there can be no lab here: " + reason)
        self.keep = keep
        self.hosts: dict[str, Host] = {}
        self._numbers = itertools.count(1)

    def __enter__(self) -> Lab:
        self._lock = new_state(range(MOST_LABS))
        self.state = self._lock.folder
        self.number = int(self.state.name)
        self.bridge = "%s%d" % (BRIDGE, self.number)
        self.keeper = subprocess.Popen(
            [sys.executable, __file__, "keep", str(self.number)],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # it shall survive what kills this one
        )
        try:
            self._prepare()
        except BaseException:
            self._close()
            raise
        return self

    def _prepare(self) -> None:
        self.key = self.state / "key"
        place = self.state / "layer" / "etc" / "ssh"
        place.mkdir(parents=True)
        for path in (*place.parents[:2], place):
            path.chmod(0o755)
        for key in self.key, place / "fleet_host_key":
            command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", NAME, "-f", key)
        shutil.copy(self.key.with_suffix(".pub"), place / "fleet_authorized_keys")
        host_key = (place / "fleet_host_key.pub").read_text()
        known_hosts = self.state / "known_hosts"
        known_hosts.write_text("%s.%d.* %s" % (NETWORK, self.number, host_key))
        self.ssh_options = [
            "-F", "none",
            "-i", str(self.key),
            "-o", "IdentitiesOnly=yes",
            "-o", "StrictHostKeyChecking=yes",
            "-o", "UserKnownHostsFile=%s" % known_hosts,
            "-o", "GlobalKnownHostsFile=none",
        ]  # fmt: skip
        command("ip", "link", "add", self.bridge, "type", "bridge")
        command("ip", "address", "add", "%s.%d.1/24" % (NETWORK, self.number), "dev", self.bridge)
        command("ip", "link", "set", self.bridge, "up")

    def __exit__(self, kind: type[BaseException] | None, *_others: object) -> None:
        if self.keep and kind is None:
            self.keeper.kill()
            (self.state / "kept").touch()
            self._lock.close()
            self.keeper.wait()
        else:
            self._close()

    def _close(self) -> None:
        destroy(self._lock)
        for host in list(self.hosts.values()):
            host.stop()
        self.keeper.wait()

    def start(self, release: str, **options: Any) -> Host:
        """Start one host; options are those of Spec."""
        return self.start_all([Spec(release, **options)])[0]

    def start_all(self, specs: Iterable[Spec]) -> list[Host]:
        """Start hosts, several at a time; return them when all respond."""
        numbered = [(spec, next(self._numbers)) for spec in specs]
        provide_roots(spec.release for spec, number in numbered)
        with ThreadPoolExecutor(8) as pool:
            hosts = list(pool.map(lambda pair: Host(self, *pair), numbered))
        self.hosts.update((host.name, host) for host in hosts)
        return hosts

    def inventory(
        self,
        groups: Mapping[str, Iterable[Host]] | None = None,
        variables: Mapping[str, Mapping[str, Any]] | None = None,
        name: str = "inventory",
    ) -> Path:
        """Write an inventory of all present hosts, and return its path.

        Each host is in the group of its release, and in the given groups. Variables are given by the
        name of a group, of a host, or "all".
        """
        variables = variables or {}
        grouped = {release: [h for h in self.hosts.values() if h.release == release] for release in RELEASES}
        grouped.update((group, list(hosts)) for group, hosts in (groups or {}).items())
        content = {
            "all": {
                "vars": {
                    "ansible_user": "root",
                    "ansible_ssh_common_args": shlex.join(self.ssh_options),
                    "ansible_control_path_dir": str(self.state / "control"),
                    "ansible_python_interpreter": "/usr/bin/python3",
                    **variables.get("all", {}),
                },
                "hosts": {
                    host.name: {"ansible_host": host.address, **variables.get(host.name, {})}
                    for host in self.hosts.values()
                },
                "children": {
                    group: {"hosts": {host.name: {} for host in hosts}, "vars": variables.get(group, {})}
                    for group, hosts in grouped.items()
                    if hosts
                },
            }
        }
        path = self.state / (name + ".json")
        path.write_text(json.dumps(content, indent=2))
        return path


# --- Command line ---


def up(wishes: Sequence[str], libraries: bool, packages: bool) -> None:
    """Start a lab that keeps running."""
    kept = next(STATE.glob("*/kept"), None)
    if kept:
        inventory = kept.with_name("inventory.json")
        raise LabError("hosts are up already (inventory: %s); make fleet-down removes them" % inventory)
    counts = dict.fromkeys(RELEASES, wishes[0] if wishes else "1")
    if wishes and not wishes[0].isdecimal():
        counts = {release: count or "1" for release, equals, count in (wish.partition("=") for wish in wishes)}
    try:
        specs = [
            Spec(name, libraries=libraries, packages=packages) for name in counts for number in range(int(counts[name]))
        ]
    except ValueError as error:
        raise LabError("what is wanted is a number, or a list such as bookworm=3 forky") from error
    unknown = counts.keys() - RELEASES.keys()
    if unknown:
        raise LabError("there is no %s: it must be one of %s" % (", ".join(sorted(unknown)), ", ".join(RELEASES)))
    with Lab(keep=True) as lab:
        for host in lab.start_all(specs):
            print("%-14s %-15s Python %s" % (host.name, host.address, RELEASES[host.release].python))
        inventory = lab.inventory()
    print("\nInventory: %s" % inventory)
    print("For example: make provision INVENTORY=%s ARGS='--check --diff'" % inventory)


def main(argv: Sequence[str]) -> int:
    """Run the command line program."""
    parser = argparse.ArgumentParser(description="A fleet of Debian hosts on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("up", help="start hosts that stay")
    start.add_argument("hosts", nargs="*", help="a number for each release, or a list such as bookworm=3 forky")
    start.add_argument("--bare", action="store_true", help="hosts without the Python libraries")
    start.add_argument("--packages", action="store_true", help="hosts that can install their packages")
    commands.add_parser("down", help="remove all hosts, and what is left of any that were killed")
    commands.add_parser("impossible", help="say why there can be no hosts on this machine, if so")
    commands.add_parser("keep").add_argument("number", help="(for the lab itself: remove it when its owner has died)")
    arguments = parser.parse_args(argv)
    if arguments.command == "impossible":
        print(impossible() or "")
        return 0
    try:
        if os.geteuid() != 0:
            raise LabError("needs root")
        if arguments.command == "up":
            up(arguments.hosts, not arguments.bare, arguments.packages)
        elif arguments.command == "down":
            for number in destroy_all():
                print("Lab %s is in use by a test, and was left alone." % number)
        else:
            outlive(STATE / arguments.number)
    except LabError as error:
        print("%s: %s" % (Path(__file__).name, error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
