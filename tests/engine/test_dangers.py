# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real engine shows every danger that the collection knows, and that similar harmless cases are harmless."""

from __future__ import annotations

import contextlib
import os
import pwd
import struct
import time
from typing import TYPE_CHECKING, Any, Dict, NamedTuple

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import CLOCK_MAX
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import common as _common
from ansible_collections.wasmops.wasmtime.tests.engine.engines import VERSIONS
from ansible_collections.wasmops.wasmtime.tests.engine.live import (
    ENDS,
    Died,
    Process,
    configure,
    date,
    entries,
    look,
    public_place,
    stats,
    until,
)
from ansible_collections.wasmops.wasmtime.tests.engine.statements import proves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

U64_MAX = 2**64 - 1
# Users that need no account.
VICTIM, ATTACKER = 54321, 54322
every_version = pytest.mark.parametrize("version", VERSIONS)
both_ends = pytest.mark.parametrize("version", ENDS)


@pytest.fixture
def place() -> Iterator[Path]:
    with public_place() as path:
        yield path


def provide(place: Path, version: str, code: str | None, **options: Any) -> Path:
    """Write a config that both modules find to have exactly this danger, or none."""
    path = place / "config.toml"
    options = dict({"directory": str(place / "cache")}, wasmtime_version=version, **options)
    outcome = configure(path, **options)
    if code is not None:
        assert outcome.failed
        assert outcome.dangers == [code]
        assert not path.exists()
        outcome = configure(path, ignore_dangers=[code], **options)
    assert not outcome.failed, outcome.result["msg"]
    assert outcome.dangers == ([] if code is None else [code])
    found = look(path=str(path), wasmtime_version=version, directory_owner=options.get("directory_owner")).result
    assert found["valid"]
    assert {p["code"] for p in found["problems"] if p["severity"] == "danger"} == ({code} - {None})
    assert found["safe"] == (code is None)
    return path


def works(process: Process, path: Path, directory: Path) -> None:
    """Check that the engine accepts the file, compiles and cleans up."""
    assert process.load(path=str(path)) is None
    process.settle(directory, first=1000 + len(entries(directory)))


# --- Aborts ---


@proves("makes the process allocate %(bytes)d bytes at load and abort", "The process aborts when it loads the config:")
@proves("Some files that Wasmtime accepts make it abort later.")
@proves("queue-memory")
@every_version
@pytest.mark.parametrize(
    ("size", "code"), [("6M", None), ("20M", "queue-memory"), ("18446744073709551615", "queue-memory")]
)
def test_a_queue_beyond_the_memory_aborts_at_load(
    place: Path, version: str, size: str, code: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = 2**28
    monkeypatch.setattr(_common, "_memory", lambda: memory)
    path = provide(place, version, code, worker_event_queue_size=size)
    with Process(version) as process:
        process.bound_memory(more=memory + 2**27)  # some is needed for stacks and heaps
        if code is None:
            assert process.load(path=str(path)) is None
        else:
            with pytest.raises(Died) as died:
                process.load(path=str(path))
            assert died.value.aborted
            assert "memory allocation of " in died.value.words or "capacity overflow" in died.value.words


def dies_at_cleanup(version: str, path: Path) -> Died:
    """Return how a process ends that compiles something."""
    with Process(version) as process:
        assert process.load(path=str(path)) is None
        try:
            process.compile(number=1)
        except Died as died:
            return died
        return process.dies()


COUNT, SIZE = "file_count_soft_limit", "files_total_size_soft_limit"
PERCENTS = {COUNT: "file_count_limit_percent_if_deleting", SIZE: "files_total_size_limit_percent_if_deleting"}


@proves("the process aborts at its first cleanup")
@proves("with these settings the process aborts at its first cleanup")
@proves("limit-overflow")
@pytest.mark.parametrize("version", ["15.0.0", *VERSIONS])
@pytest.mark.parametrize(
    ("limit", "harmful", "harmless", "percent"),
    [
        (SIZE, "235Pi", "234Pi", None),
        (SIZE, str(U64_MAX // 100 + 1), str(U64_MAX // 100), 100),
        (COUNT, str(U64_MAX // 70 + 1), str(U64_MAX // 70), None),
        (COUNT, str(U64_MAX // 2 + 1), str(U64_MAX // 2), 2),
    ],
)
def test_a_limit_whose_part_overflows_aborts_at_cleanup(
    place: Path, version: str, limit: str, harmful: str, harmless: str, percent: int | None
) -> None:
    options = {} if percent is None else {PERCENTS[limit]: percent}
    path = provide(place, version, "limit-overflow", **{limit: harmful}, **options)
    died = dies_at_cleanup(version, path)
    assert died.aborted
    assert "called `Option::unwrap()` on a `None` value" in died.words
    path.unlink()
    path = provide(place, version, None, **{limit: harmless}, **options)
    with Process(version) as process:
        works(process, path, place / "cache")


@both_ends
@pytest.mark.parametrize("limit", [COUNT, SIZE])
@pytest.mark.parametrize("percent", [0, 1])
def test_no_limit_overflows_at_one_percent(place: Path, version: str, limit: str, percent: int) -> None:
    path = provide(place, version, None, **{limit: U64_MAX, PERCENTS[limit]: percent})
    with Process(version) as process:
        works(process, path, place / "cache")


@proves("the process aborts at its first cleanup", "The process aborts some time later:")
@proves("clock-overflow")
@pytest.mark.parametrize("version", ["15.0.0", *VERSIONS])
def test_a_drift_beyond_the_clock_aborts_at_cleanup(place: Path, version: str) -> None:
    name = "allowed_clock_drift_for_files_from_future"
    last = CLOCK_MAX - int(time.time())
    path = provide(place, version, "clock-overflow", **{name: "%ds" % (last + 1)})
    died = dies_at_cleanup(version, path)
    assert died.aborted
    assert "time overflow" in died.words
    path.unlink()
    # Time goes on while the test runs.
    path = provide(place, version, None, **{name: "%ds" % (last - 600)})
    with Process(version) as process:
        works(process, path, place / "cache")


# --- Values that mean something else ---


@proves("and Wasmtime before 48 uses")
@proves("duration-wraps")
@every_version
@pytest.mark.parametrize(("spelled", "meant"), [("307445734561825861m", 44), ("5124095576030432h", 3584)])
def test_a_duration_that_wraps_is_short_or_refused(place: Path, version: str, spelled: str, meant: int) -> None:
    directory = place / "cache"
    if int(version.partition(".")[0]) >= 48:
        outcome = configure(
            place / "config.toml", wasmtime_version=version, cleanup_interval=spelled, directory=str(directory)
        )
        assert outcome.failed
        assert outcome.codes == {"overflow": "error"}
        path = place / "by-hand.toml"
        path.write_text('[cache]\ndirectory = "%s"\ncleanup-interval = "%s"\n' % (directory, spelled))
        assert look(path=str(path), wasmtime_version=version).codes == {"overflow": "error"}
        with Process(version) as process:
            assert "Invalid value" in process.load(path=str(path))
        return
    path = provide(place, version, "duration-wraps", cleanup_interval=spelled)
    assert look(path=str(path), wasmtime_version=version).result["effective"]["cleanup_interval"] == meant
    # The lock of an earlier cleanup is valid for the interval, which should have no end.
    for age, cleans in ((meant - 30, False), (meant + 1, True)):
        for lock in directory.glob(".cleanup.*"):
            lock.unlink()
        date(directory / ".cleanup.wip-1", -age)
        (directory / "junk").touch()
        with Process(version) as process:
            works(process, path, directory)
        assert (directory / "junk").exists() != cleans


@every_version
def test_the_longest_duration_is_as_long_as_it_says(place: Path, version: str) -> None:
    directory = place / "cache"
    path = provide(place, version, None, cleanup_interval="307445734561825860m")
    date(directory / ".cleanup.wip-1", -100_000_000)
    (directory / "junk").touch()
    with Process(version) as process:
        works(process, path, directory)
    assert (directory / "junk").exists()


# --- Data loss ---

FOREIGN, LINK = "directory-foreign-files", "directory-symbolic-link"
ENTRY = "modules/wasmtime-0/" + 43 * "a"


class Find(NamedTuple):
    """Something in the cache directory, and whether the engine deletes it."""

    path: str
    lost: bool
    code: str | None


@proves("a cleanup deletes them", "a cleanup deletes them")
@proves(
    "the engine deletes every file there that it does not know",
    "Wasmtime deletes every file there that it does not know",
    "files that are not the engine's",
    "Files are in the directory that Wasmtime deletes although they are not its own",
    "foreign files, which Wasmtime deletes",
)
@proves("directory-foreign-files")
@both_ends
@pytest.mark.parametrize(
    "find",
    [
        Find("notes.txt", True, FOREIGN),
        Find(".hidden", True, FOREIGN),
        Find("README", True, FOREIGN),
        Find("modules/notes.txt", True, FOREIGN),
        Find("modules/.cleanup.wip-1", True, FOREIGN),
        Find("photos/a.jpg", True, FOREIGN),
        Find("photos/2026/a.jpg", True, FOREIGN),
        Find("photos/2026/README", True, FOREIGN),
        Find("photos/2026/album/a", True, FOREIGN),
        Find("modules/wasmtime-0/a.jpg", True, FOREIGN),
        Find("modules/wasmtime-0/backup/a", True, FOREIGN),
        Find("photos/", False, None),
        Find("photos/2026/", False, None),
        Find(".cleanup.wip-1", False, None),
        Find(ENTRY, False, None),
    ],
    ids=lambda find: find.path,
)
def test_foreign_files_are_deleted(place: Path, version: str, find: Find) -> None:
    directory = place / "cache"
    path = directory / find.path
    (path if find.path.endswith("/") else path.parent).mkdir(parents=True)
    if not find.path.endswith("/"):
        path.touch()
        if find.path == "photos/2026/README":
            # Without an extension, it counts as an entry, and is the oldest of too many.
            date(path, -1000)
    limit = 2 if path.name == "README" else 1000
    interval = "1h" if find.path.startswith(".cleanup") else "0s"
    config = provide(place, version, find.code, file_count_soft_limit=limit, cleanup_interval=interval)
    with Process(version) as process:
        works(process, config, directory)
        if find.lost:
            until(lambda: not path.exists(), "it is deleted")
    assert path.exists() != find.lost


@proves("a cleanup deletes them, and the files in the directories behind")
@proves(
    "Wasmtime follows symbolic links to directories on the first two levels",
    "symbolic links in the directory that Wasmtime follows",
)
@proves("directory-symbolic-link")
@both_ends
@pytest.mark.parametrize("link", ["link", "modules/link"])
def test_files_behind_links_are_deleted(place: Path, version: str, link: str) -> None:
    directory, archive = place / "cache", place / "archive"
    (directory / link).parent.mkdir(parents=True)
    archive.mkdir()
    (archive / "thesis.txt").touch()
    (directory / link).symlink_to(archive)
    config = provide(place, version, LINK, cleanup_interval="0s")
    with Process(version) as process:
        works(process, config, directory)
    assert archive.is_dir()
    assert not (archive / "thesis.txt").exists()


@both_ends
def test_a_link_to_the_directory_itself_is_harmless(place: Path, version: str) -> None:
    real = place / "real"
    real.mkdir(mode=0o700)
    (place / "real.txt").touch()
    (place / "cache").symlink_to(real)
    config = provide(place, version, None, cleanup_interval="0s")
    with Process(version) as process:
        works(process, config, place / "cache")
    assert entries(real)
    assert (place / "cache").is_symlink()
    assert (place / "real.txt").exists()


IN_CACHE = "config-in-cache"


class Inside(NamedTuple):
    """The place of a config in its own cache directory, and the directories above it that the engine keeps."""

    path: str
    left: str
    limit: int = 1000


@proves("config-in-cache", "is in its own cache directory")
@pytest.mark.parametrize("version", ["32.0.0", "50.0.1"])
@pytest.mark.parametrize(
    "inside",
    [
        Inside("config.toml", "."),
        Inside("config", "."),
        Inside("modules/config.toml", "modules"),
        Inside("conf/config", "conf"),
        Inside("modules/app/config.toml", "modules/app"),
        # Without an extension, it counts as a cached module, and is the oldest of too many.
        Inside("modules/app/config", "modules/app", limit=2),
        Inside("modules/app/conf/config.toml", "modules/app"),
        Inside("modules/app/conf/deeper/config", "modules/app"),
    ],
    ids=lambda inside: inside.path,
)
def test_a_config_in_its_own_cache_is_deleted(place: Path, version: str, inside: Inside) -> None:
    directory = place / "cache"
    path = directory / inside.path
    path.parent.mkdir(parents=True)
    for made in [directory, *path.parents[: len(path.parents) - len(directory.parents) - 1]]:
        made.chmod(0o700)
    options = {
        "directory": str(directory),
        "wasmtime_version": version,
        "file_count_soft_limit": inside.limit,
        "cleanup_interval": "0s",
    }
    for check in (True, False):
        outcome = configure(path, _ansible_check_mode=check, **options)
        assert outcome.failed
        assert outcome.dangers == [IN_CACHE]
        assert not path.exists()
    assert not configure(path, ignore_dangers=[IN_CACHE], **options).failed
    found = look(path=str(path), wasmtime_version=version)
    assert found.codes == {IN_CACHE: "danger"}
    assert str(path) in found.result["problems"][0]["message"]
    date(path, -1000)
    with Process(version) as process:
        works(process, path, directory)
        until(lambda: not path.exists(), "it is deleted")
    assert (directory / inside.left).is_dir()


@pytest.mark.parametrize("version", ["32.0.0", "50.0.1"])
def test_a_config_in_its_own_cache_by_the_environment_is_deleted(place: Path, version: str) -> None:
    home = place / "home"
    home.mkdir()
    both = {"HOME": str(home), "XDG_CONFIG_HOME": str(place / "xdg"), "XDG_CACHE_HOME": str(place / "xdg")}
    path = place / "xdg" / "wasmtime" / "config.toml"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in both.items():
            patch.setenv(name, value)
        outcome = configure(path, wasmtime_version=version)
        assert outcome.failed
        assert outcome.dangers == [IN_CACHE]
        assert not configure(path, wasmtime_version=version, ignore_dangers=[IN_CACHE]).failed
        assert look(wasmtime_version=version).codes == {IN_CACHE: "danger"}
    with Process(version, both) as process:
        assert process.load(path=None) is None
        process.settle(path.parent)
    assert not path.exists()
    # From then on the defaults apply, without a message.
    with Process(version, both) as process:
        assert process.load(path=None) is None


@pytest.mark.parametrize("version", ["32.0.0", "50.0.1"])
def test_links_between_a_config_and_its_cache_make_no_difference(place: Path, version: str) -> None:
    directory, etc = place / "cache", place / "etc"
    directory.mkdir(mode=0o700)
    etc.mkdir()
    (place / "same").symlink_to(directory)
    (etc / "into").symlink_to(directory / "config.toml")
    options = {"directory": str(place / "same"), "wasmtime_version": version, "cleanup_interval": "0s"}
    # The directory by a link; then the file by one.
    assert configure(directory / "config.toml", **options).dangers == [IN_CACHE]
    assert not configure(directory / "config.toml", ignore_dangers=[IN_CACHE], **options).failed
    assert look(path=str(etc / "into"), wasmtime_version=version).codes == {IN_CACHE: "danger"}
    # A link in the cache to a file outside: the link goes, the file stays.
    (directory / "config.toml").rename(etc / "real.toml")
    (directory / "config.toml").symlink_to(etc / "real.toml")
    found = look(path=str(directory / "config.toml"), wasmtime_version=version)
    assert found.codes == {IN_CACHE: "danger"}
    with Process(version) as process:
        works(process, directory / "config.toml", directory)
    assert not (directory / "config.toml").is_symlink()
    assert (etc / "real.toml").exists()
    # Outside it is safe, even with a common prefix.
    for name in ("cache.toml", "cache-2/config.toml"):
        assert configure(place / name, **options).dangers == []
        assert look(path=str(place / name), wasmtime_version=version).dangers == []


@proves("the engine deletes the files in it")
@proves("directory-not-dedicated")
@both_ends
def test_a_home_loses_what_is_saved_there(place: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    home = place / "jo"
    home.mkdir(mode=0o700)
    account = pwd.struct_passwd(("jo", "x", os.getuid(), os.getgid(), "", str(home), "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwuid", lambda _uid: account)
    # Empty, it has no file to warn of; its files come later.
    path = provide(place, version, "directory-not-dedicated", directory=str(home), cleanup_interval="0s")
    (home / ".profile").touch()
    (home / "Desktop").mkdir()
    (home / "Desktop" / "thesis.txt").touch()
    with Process(version) as process:
        works(process, path, home)
    assert not (home / ".profile").exists()
    assert not (home / "Desktop" / "thesis.txt").exists()
    path.unlink()
    own = home / ".cache" / "wasmtime"
    path = provide(place, version, None, directory=str(own), cleanup_interval="0s")
    (home / ".profile").touch()
    with Process(version) as process:
        works(process, path, own)
    assert (home / ".profile").exists()


@pytest.mark.parametrize("path", ["/", "/tmp", "/etc", "/usr/../var/lib/", "/home/jo", "/var/cache/.", "/root"])
def test_directories_of_the_system_are_known(path: str) -> None:
    # Not for an engine's eyes.
    assert "directory-not-dedicated" in look(content='[cache]\ndirectory = "%s"\n' % path).dangers


# --- Native code ---

Tree = Dict[str, bytes]


@pytest.fixture(scope="module")
def evil() -> Callable[[str], Tree]:
    """Makes, for a version, a cache in which the entry of module 1 is that of module 2."""
    made: dict[str, Tree] = {}

    def make(version: str) -> Tree:
        if version not in made:
            with public_place() as place, Process(version) as process:
                directory = place / "cache"
                directory.mkdir()
                path = configure(place / "config.toml", wasmtime_version=version, directory=str(directory))
                if os.geteuid() == 0:
                    os.chown(directory, ATTACKER, ATTACKER)
                    process.become(uid=ATTACKER)
                assert process.load(path=path.result["path"]) is None
                one, two = process.compiled(directory, 1), process.compiled(directory, 2)
                made[version] = {str(one.relative_to(directory)): two.read_bytes()}
        return made[version]

    return make


def as_attacker(action: Callable[[], bool]) -> bool:
    """Return whether another user succeeds in something."""
    child = os.fork()
    if child == 0:
        done = False
        with contextlib.suppress(BaseException):
            os.setgroups([])
            os.setgid(ATTACKER)
            os.setuid(ATTACKER)
            done = action()
        os._exit(not done)
    return os.waitpid(child, 0)[1] == 0


def attack(directory: Path, place: Path, tree: Tree) -> bool:
    """Try all ways to put an entry into the cache as another user; return whether one succeeded."""
    return as_attacker(lambda: _attack(directory, place, tree))


def _attack(directory: Path, place: Path, tree: Tree) -> bool:
    ((name, data),) = tree.items()
    target = directory / name
    with contextlib.suppress(OSError):
        target.open("r+b").write(data)
        return True
    for victim in [target, *target.parents]:
        if victim == place:
            return False
        try:
            # Removes obstacles, and creates missing directories.
            with contextlib.suppress(FileNotFoundError):
                victim.rename(victim.with_name(victim.name + ".old"))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            target.chmod(0o644)
        except OSError:
            continue
        return True
    return False


def result_of_module_1(version: str, path: Path) -> int:
    """Return the result for a victim who compiles and runs module 1."""
    with Process(version) as process:
        process.become(uid=VICTIM)
        assert process.load(path=str(path)) is None
        return int(process.compile(number=1))


def directory_of_victim(path: Path, mode: int = 0o700) -> None:
    path.mkdir(mode=0o700)
    path.chmod(mode)
    os.chown(path, VICTIM, VICTIM)


def acl(path: Path, name: str, mask: int, other: int = 0) -> None:
    """Give the attacker rwx on a directory, as far as the mask allows."""
    nobody = 0xFFFFFFFF
    parts = [(1, 7, nobody), (2, 7, ATTACKER), (4, 0, nobody), (0x10, mask, nobody), (0x20, other, nobody)]
    value = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *part) for part in parts)
    try:
        os.setxattr(path, "system.posix_acl_" + name, value)
    except OSError as error:
        pytest.skip("no ACLs in %s: %s" % (path, error.strerror))


WRITABLE, REPLACEABLE = "directory-writable-by-others", "directory-replaceable"


class Case(NamedTuple):
    """A way to set up the directory, and the options of cache_config for it."""

    prepare: Callable[[Path], dict[str, Any]]
    code: str | None


def with_mode(mode: str, group: int = VICTIM) -> Callable[[Path], dict[str, Any]]:
    return lambda _place: {"directory_mode": mode, "directory_group": str(group)}


def with_acl(name: str, mask: int) -> Callable[[Path], dict[str, Any]]:
    def prepare(place: Path) -> dict[str, Any]:
        directory_of_victim(place / "cache", 0o711 if name == "default" else 0o700)
        acl(place / "cache", name, mask, other=1)
        return {}

    return prepare


def with_modules(mode: int, above: int = 0o755, owner: int = VICTIM) -> Callable[[Path], dict[str, Any]]:
    def prepare(place: Path) -> dict[str, Any]:
        directory_of_victim(place / "cache", above)
        directory_of_victim(place / "cache" / "modules", mode)
        os.chown(place / "cache" / "modules", owner, owner)
        return {}

    return prepare


def below(mode: int, owner: int = 0) -> Callable[[Path], dict[str, Any]]:
    def prepare(place: Path) -> dict[str, Any]:
        above = place / "above"
        above.mkdir()
        (above / "between").mkdir()
        os.chown(above, owner, owner)
        above.chmod(mode)
        return {"directory": str(above / "between" / "cache")}

    return prepare


def behind_link(owner: int) -> Callable[[Path], dict[str, Any]]:
    def prepare(place: Path) -> dict[str, Any]:
        common = place / "common"
        common.mkdir()
        common.chmod(0o1777)
        directory_of_victim(place / "real", 0o755)
        (common / "link").symlink_to(place / "real")
        os.chown(common / "link", owner, owner, follow_symlinks=False)
        return {"directory": str(common / "link")}

    return prepare


CASES = {
    "0700": Case(with_mode("0700"), None),
    "0755": Case(with_mode("0755"), None),
    "0777": Case(with_mode("0777"), WRITABLE),
    "0707": Case(with_mode("0707"), WRITABLE),
    "0770 of a group": Case(with_mode("0770", ATTACKER), WRITABLE),
    "0750 of a group": Case(with_mode("0750", ATTACKER), None),
    "ACL": Case(with_acl("access", 7), WRITABLE),
    "ACL with a mask": Case(with_acl("access", 5), None),
    "default ACL": Case(with_acl("default", 7), WRITABLE),
    "modules 0777": Case(with_modules(0o777), WRITABLE),
    "modules 0755": Case(with_modules(0o755), None),
    "modules 0775 in 0700": Case(with_modules(0o775, 0o700), None),
    "modules 0777 in 0700": Case(with_modules(0o777, 0o700), None),
    "another's modules": Case(with_modules(0o755, owner=ATTACKER), WRITABLE),
    "below 0777": Case(below(0o777), REPLACEABLE),
    "below 1777": Case(below(0o1777), None),
    "below 0755": Case(below(0o755), None),
    "below another's 0755": Case(below(0o755, ATTACKER), REPLACEABLE),
    "below the victim's 0755": Case(below(0o755, VICTIM), None),
    "link of another": Case(behind_link(ATTACKER), REPLACEABLE),
    "link of root": Case(behind_link(0), None),
}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act as two other users")


@proves(
    "runs native code in every process that loads the cache",
    "The cache holds native code.",
    "anyone who can write to the directory runs code in every process",
    "can run native code in every process",
)
@proves(
    "Anyone who can write to the cache directory can run code in every Wasmtime process.",
    "Wasmtime does not check where it came from:",
    "Whoever can write there runs native code",
)
@proves("directory-writable-by-others")
@proves("directory-replaceable")
@needs_root
@both_ends
@pytest.mark.parametrize("name", CASES)
def test_who_can_write_there_runs_code(place: Path, version: str, name: str, evil: Callable[[str], Tree]) -> None:
    case = CASES[name]
    options = case.prepare(place)
    path = provide(place, version, case.code, directory_owner=str(VICTIM), **options)
    assert result_of_module_1(version, path) == 1
    directory = place / "cache" if "directory" not in options else place / options["directory"]
    succeeded = attack(directory, place, evil(version))
    assert succeeded == (case.code is not None)
    assert result_of_module_1(version, path) == (2 if succeeded else 1)


@proves("once the engine creates it, by the default ACL of")
@needs_root
@both_ends
@pytest.mark.parametrize("mask", [7, 5])
def test_a_default_acl_above_lets_others_write_to_what_the_engine_creates(
    place: Path, version: str, mask: int, evil: Callable[[str], Tree]
) -> None:
    path, above = place / "config.toml", place / "above"
    directory_of_victim(above, 0o755)
    acl(above, "default", mask, other=5)
    enabled = "enabled = true\n" if version == ENDS[0] else ""
    path.write_text('[cache]\n%sdirectory = "%s"\n' % (enabled, above / "cache"), encoding="utf-8")
    found = look(path=str(path), wasmtime_version=version, directory_owner=str(VICTIM)).dangers
    assert found == ([WRITABLE] if mask == 7 else [])
    assert result_of_module_1(version, path) == 1
    assert attack(above / "cache", place, evil(version)) == (mask == 7)
    assert result_of_module_1(version, path) == (2 if mask == 7 else 1)


@needs_root
@both_ends
@pytest.mark.parametrize(
    ("owner", "mode", "code"), [(ATTACKER, 0o644, WRITABLE), (VICTIM, 0o646, WRITABLE), (VICTIM, 0o644, None)]
)
def test_who_can_write_an_entry_runs_code(
    place: Path, version: str, owner: int, mode: int, code: str | None, evil: Callable[[str], Tree]
) -> None:
    directory_of_victim(place / "cache", 0o755)
    path = provide(place, version, None, directory_owner=str(VICTIM))
    with Process(version) as process:
        process.become(uid=VICTIM)
        assert process.load(path=str(path)) is None
        entry = process.compiled(place / "cache", 1)
    os.chown(entry, owner, owner)
    entry.chmod(mode)
    assert attack(place / "cache", place, evil(version)) == (code is not None)
    assert result_of_module_1(version, path) == (2 if code else 1)
    assert look(path=str(path), wasmtime_version=version, directory_owner=str(VICTIM)).dangers == (
        [code] if code else []
    )


@proves("file-writable-by-others", "choose whose code Wasmtime runs")
@needs_root
@both_ends
@pytest.mark.parametrize(("mode", "code"), [("0646", "file-writable-by-others"), ("0644", None)])
def test_who_can_write_the_config_runs_code(
    place: Path, version: str, mode: str, code: str | None, evil: Callable[[str], Tree]
) -> None:
    path = provide(place, version, code, directory_owner=str(VICTIM), mode=mode)
    assert result_of_module_1(version, path) == 1
    ((name, data),) = evil(version).items()
    entry = place / "of attacker" / name
    entry.parent.mkdir(parents=True)
    entry.write_bytes(data)

    def name_another_directory() -> bool:
        text = path.read_text().replace(str(place / "cache"), str(place / "of attacker"))
        return path.write_text(text) > 0

    assert as_attacker(name_another_directory) == (code is not None)
    assert result_of_module_1(version, path) == (2 if code else 1)


@needs_root
@both_ends
@pytest.mark.parametrize("mode", ["0700", "0755"])
def test_what_was_planted_stays_when_the_door_is_shut(
    place: Path, version: str, mode: str, evil: Callable[[str], Tree]
) -> None:
    directory_of_victim(place / "cache", 0o777)
    assert attack(place / "cache", place, evil(version))
    path = place / "config.toml"
    options = {"directory": str(place / "cache"), "directory_owner": str(VICTIM), "wasmtime_version": version}
    outcome = configure(path, directory_mode=mode, ignore_dangers=[WRITABLE], **options)
    assert not outcome.failed
    assert result_of_module_1(version, path) == 2
    assert outcome.dangers == [WRITABLE]
    assert look(path=str(path), wasmtime_version=version, directory_owner=str(VICTIM)).dangers == [WRITABLE]


@needs_root
@both_ends
@pytest.mark.parametrize("created", [False, True])
def test_who_creates_the_directory_first_runs_code(
    place: Path, version: str, created: bool, evil: Callable[[str], Tree]
) -> None:
    """cache_config prevents this if it may create the directory."""
    common = place / "common"
    common.mkdir()
    common.chmod(0o1777)
    path = provide(
        place,
        version,
        None if created else REPLACEABLE,
        directory=str(common / "cache"),
        directory_owner=str(VICTIM),
        create_directory=created,
    )
    assert attack(common / "cache", place, evil(version)) != created
    assert result_of_module_1(version, path) == (1 if created else 2)


# --- Works, but is not meant ---


def warnings(path: Path, version: str, **options: Any) -> list[str]:
    """Return the codes of the warnings about a config without errors and dangers."""
    codes = look(path=str(path), wasmtime_version=version, **options).codes
    assert set(codes.values()) <= {"warning"}
    return list(codes)


@proves("makes every cleanup delete the whole cache")
@proves("empties-itself")
@both_ends
@pytest.mark.parametrize("limit", [COUNT, SIZE])
def test_a_limit_of_nothing_keeps_nothing(place: Path, version: str, limit: str) -> None:
    directory = place / "cache"
    path = provide(place, version, None, cleanup_interval="0s", **{limit: 0})
    assert warnings(path, version) == ["empties-itself"]
    with Process(version) as process:
        assert process.load(path=str(path)) is None
        for number in range(3):
            process.compile(number=number)
        until(lambda: list(directory.glob("modules/*")) and not entries(directory), "nothing is kept")
    path.unlink()
    path = provide(place, version, None, cleanup_interval="0s", **{limit: 100_000})
    assert not warnings(path, version)
    with Process(version) as process:
        works(process, path, directory)
        assert len(entries(directory)) == 2


@both_ends
@pytest.mark.parametrize("limit", [COUNT, SIZE])
@pytest.mark.parametrize("percent", [0, 50])
def test_zero_percent_leaves_nothing(place: Path, version: str, limit: str, percent: int) -> None:
    directory = place / "cache"
    most = {COUNT: 2, SIZE: "30K"}[limit]
    path = provide(place, version, None, cleanup_interval="0s", **{limit: most, PERCENTS[limit]: percent})
    assert warnings(path, version) == ([] if percent else ["empties-itself"])
    with Process(version) as process:
        assert process.load(path=str(path)) is None
        for number in range(2):
            process.compiled(directory, number, 10_000)
        process.compile(number=2, size=10_000)
        until(lambda: len(entries(directory)) == bool(percent), "it is cleaned up")


def is_used(version: str, path: Path, directory: Path) -> bool:
    """Return whether a process of the owner finds what an earlier one has cached."""
    with Process(version) as process:
        if os.geteuid() == 0:
            process.become(uid=VICTIM)
        assert process.load(path=str(path)) is None
        assert process.compile(number=1) == 1
    # A module is written before it is used, its usage is counted later.
    return bool(entries(directory))


@proves("directory-dynamic-user", "leave it as it is if Wasmtime runs in that unit")
@needs_root
@both_ends
@pytest.mark.parametrize("unit", [True, False])
def test_the_directory_of_a_dynamic_user_works_in_its_unit(place: Path, version: str, unit: bool) -> None:
    """systemd mounts it there in a place of its own; on the host it is in one that only root may enter."""
    private, scratch, path = place / "private", place / "scratch", place / "config.toml"
    private.mkdir(mode=0o700)
    scratch.mkdir()
    directory_of_victim(private / "app", 0o755)
    (place / "app").symlink_to("private/app")
    enabled = "enabled = true\n" if version == ENDS[0] else ""
    path.write_text('[cache]\n%sdirectory = "%s"\n' % (enabled, place / "app"), encoding="utf-8")
    with Process(version) as process:
        if unit:
            reason = process.enter_unit(private=str(private), name="app", scratch=str(scratch))
            if reason:
                pytest.skip("no mounts of its own: %s" % reason)
        process.become(uid=VICTIM)
        words = process.load(path=str(path))
        assert (words is None) == unit
        if unit:
            assert process.compile(number=1) == 1
    assert bool(entries(private / "app")) == unit


@proves("directory-unwritable")
@every_version
@pytest.mark.parametrize("mode", ["0500", "0700"])
def test_a_directory_that_cannot_be_written_is_not_used(place: Path, version: str, mode: str) -> None:
    owner = str(VICTIM if os.geteuid() == 0 else os.geteuid())
    path = provide(place, version, None, directory_mode=mode, directory_owner=owner)
    used = mode == "0700"
    assert warnings(path, version, directory_owner=owner) == ([] if used else ["directory-unwritable"])
    assert is_used(version, path, place / "cache") == used


@needs_root
@both_ends
def test_a_directory_of_root_is_not_used_by_others(place: Path, version: str) -> None:
    (place / "cache").mkdir(mode=0o755)
    path = place / "config.toml"
    enabled = "enabled = true\n" if version == ENDS[0] else ""
    path.write_text('[cache]\n%sdirectory = "%s"\n' % (enabled, place / "cache"))
    assert not is_used(version, path, place / "cache")
    assert warnings(path, version, directory_owner=str(VICTIM)) == ["directory-unwritable"]


@proves("small-queue")
@both_ends
@pytest.mark.parametrize("size", [0, 64])
def test_a_small_queue_loses_events(place: Path, version: str, size: int) -> None:
    directory = place / "cache"
    path = provide(place, version, None, cleanup_interval="0s", worker_event_queue_size=size)
    assert warnings(path, version) == ([] if size else ["small-queue"])
    # Many entries keep the worker busy while the next events come in.
    version_of = directory / "modules" / "wasmtime-0"
    version_of.mkdir(parents=True)
    for number in range(1000):
        (version_of / ("%043d" % number)).touch()
    with Process(version) as process:
        assert process.load(path=str(path)) is None
        process.burst(first=0, count=30)
        burst = set(entries(directory))

        # Events are handled in turn: when a later one is, the rest of the burst is lost.
        later = iter(range(1000, 10_000))

        def is_over() -> bool:
            process.compile(number=next(later))
            return any(stats(entry) for entry in set(entries(directory)) - burst)

        until(is_over, "it takes a later event")
        counted = sum(1 for entry in burst if stats(entry))
    assert (counted == 30) == (size == 64)


# --- A limit without effect ---


@proves("limit-beyond-file-system", "the file system is full before a cleanup begins")
@both_ends
def test_a_limit_beyond_the_file_system_leads_to_no_cleanup(place: Path, version: str) -> None:
    status = os.statvfs(str(place))
    capacity = status.f_blocks * status.f_frsize
    # With a limit that is reached, old modules go.
    for limit, code in ((capacity + 1, {"limit-beyond-file-system": "warning"}), (150_000, {})):
        directory, path = place / str(limit), place / ("%d.toml" % limit)
        options = {"files_total_size_soft_limit": limit, "cleanup_interval": "0s", "wasmtime_version": version}
        assert configure(path, directory=str(directory), **options).codes == code
        with Process(version) as process:
            assert process.load(path=str(path)) is None
            made = [process.compiled(directory, number, size=60_000) for number in range(4)]
            process.settle(directory)
        assert all(entry.exists() for entry in made) == bool(code)
