# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process may do, by what the system says of its user, its capabilities and its user namespace."""

from __future__ import annotations

import ast
import io
import os
import re
from pathlib import Path
from typing import Callable, Optional, Tuple

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._files import rights as _rights
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.attributes import (
    forbidden_attributes,
    has_attributes,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.obstacles import too_long
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.path import resolve
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.rights import (
    CHOWN,
    DAC_OVERRIDE,
    FOWNER,
    FSETID,
    LINUX_IMMUTABLE,
    capable,
    forbidden,
    known,
    not_entered,
    overrides,
    owner_of_new,
    root_denied,
    root_may,
    uncopyable,
    unkept,
)
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.reasons import sentence

OWN, OTHER, GROUP, OTHER_GROUP, MORE = 70001, 70002, 70003, 70004, 70005
# Not known in the user namespace that System describes.
OUTSIDE = 65534

System = Callable[..., None]


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    """Let the system say that this process has a user, these capabilities and these ids; its group is GROUP, and MORE."""

    def says(user: int = OWN, capabilities: tuple[int, ...] = (), ids: str = "0 0 1\n70000 170000 10\n") -> None:
        files: dict[str, str] = {
            "/proc/self/status": "Name:\tx\nCapEff:\t%016x\nSeccomp:\t0\n" % sum(1 << bit for bit in capabilities),
            "/proc/self/uid_map": ids,
            "/proc/self/gid_map": ids,
        }
        monkeypatch.setattr(_rights, "open", lambda name, _mode: io.BytesIO(files[name].encode()), raising=False)
        # As the system does, a new number each time.
        monkeypatch.setattr(os, "geteuid", lambda: int(str(user)))
        monkeypatch.setattr(os, "getegid", lambda: int(str(GROUP)))
        monkeypatch.setattr(os, "getgroups", lambda: [int(str(MORE))])

    return says


@pytest.mark.parametrize("given", [(), (0,), (1,), (3,), (0, 3), (2,), (0, 1, 2, 3), (4, 40)])
def test_capabilities_are_those_that_are_in_effect(system: System, given: tuple[int, ...]) -> None:
    system(0, given)
    assert [capable(each) for each in (CHOWN, DAC_OVERRIDE, FOWNER)] == [each in given for each in (0, 1, 3)]


def test_root_can_do_everything_where_the_system_tells_of_no_capabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_file(*_arguments: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(_rights, "open", no_file, raising=False)
    for user in (0, OWN):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        assert capable(CHOWN) is (user == 0)
        assert known(OUTSIDE, OUTSIDE)


@pytest.mark.parametrize(
    ("number", "wanted"), [(0, True), (1, False), (69999, False), (70000, True), (70009, True), (70010, False)]
)
def test_a_number_is_known_within_the_ranges_of_the_user_namespace(system: System, number: int, wanted: bool) -> None:
    system()
    assert (known(number, 0), known(0, number), known(number, number)) == (wanted, wanted, wanted)


def test_a_range_of_a_user_namespace_has_as_many_numbers_as_it_says(system: System) -> None:
    system(ids="0 0 1\n3 100 5\n70 200 70\n")
    assert [number for number in range(200) if known(number, 0)] == [0, *range(3, 8), *range(70, 140)]


@pytest.mark.parametrize(
    ("mode", "owners", "wanted"),
    [
        (0o277, (0, GROUP), 2),
        (0o400, (0, OTHER_GROUP), 4),
        (0o427, (OTHER, GROUP), 2),
        (0o452, (OTHER, MORE), 5),
        (0o461, (OTHER, OTHER_GROUP), 1),
        (0o077, (0, GROUP), 0),
        (0o707, (OTHER, GROUP), 0),
        (0o770, (OTHER, OTHER_GROUP), 0),
    ],
)
def test_root_without_its_rights_has_those_of_the_mode(
    system: System, mode: int, owners: tuple[int, int], wanted: int
) -> None:
    system(0)
    status = os.stat_result([0o100000 | mode, 1, 1, 1, *owners, *[0] * 4])
    assert [root_may(status, right) for right in (1, 2, 4)] == [bool(wanted & right) for right in (1, 2, 4)]


@pytest.mark.parametrize(
    ("user", "capabilities", "owners", "gives"),
    [
        (0, (CHOWN, DAC_OVERRIDE, FOWNER), (OWN, GROUP), True),
        (0, (CHOWN, DAC_OVERRIDE), (OWN, GROUP), False),
        (0, (CHOWN, FOWNER), (OWN, GROUP), False),
        (0, (DAC_OVERRIDE, FOWNER), (OWN, GROUP), False),
        (0, (CHOWN, DAC_OVERRIDE, FOWNER), (OUTSIDE, GROUP), False),
        (0, (CHOWN, DAC_OVERRIDE, FOWNER), (OWN, OUTSIDE), False),
        (OWN, (CHOWN, DAC_OVERRIDE, FOWNER), (OTHER, GROUP), False),
    ],
)
def test_only_root_with_all_its_rights_gives_new_directories_away(
    system: System, user: int, capabilities: tuple[int, ...], owners: tuple[int, int], gives: bool
) -> None:
    system(user, capabilities)
    assert owner_of_new(os.stat_result([0o40755, 1, 1, 1, *owners, *[0] * 4])) == (owners if gives else (-1, -1))


Wanted = Tuple[Optional[int], Optional[int], int]


@pytest.mark.parametrize(
    ("user", "capabilities", "owners", "wanted", "reason"),
    [
        # Nothing to change.
        (OWN, (), (OTHER, GROUP, 0o644), (OTHER, GROUP, 0o644), None),
        # Its owner: the mode, and the groups that it is in.
        (OWN, (), (OWN, GROUP, 0o644), (OWN, GROUP, 0o600), None),
        (OWN, (), (OWN, GROUP, 0o644), (OWN, MORE, 0o644), None),
        (OWN, (), (OWN, MORE, 0o644), (OWN, GROUP, 0o644), None),
        (OWN, (), (OWN, GROUP, 0o644), (OWN, OTHER_GROUP, 0o644), "70001 may not give it to the group 70004 without"),
        (OWN, (), (OWN, GROUP, 0o644), (OTHER, GROUP, 0o644), "70001 may not give it to 70002 without CAP_CHOWN"),
        (OWN, (CHOWN,), (OWN, GROUP, 0o644), (OTHER, OTHER_GROUP, 0o644), None),
        # Neither its owner nor root.
        (OWN, (), (OTHER, GROUP, 0o644), (OTHER, GROUP, 0o600), "only its owner 70002 may do that"),
        (OWN, (CHOWN,), (OTHER, GROUP, 0o644), (OWN, GROUP, 0o644), "only its owner 70002 may do that"),
        (OWN, (), (0, GROUP, 0o644), (0, GROUP, 0o600), "only its owner root may do that"),
        (OWN, (FOWNER,), (OTHER, GROUP, 0o644), (OTHER, GROUP, 0o600), None),
        (OWN, (FOWNER,), (OTHER, GROUP, 0o644), (OTHER, MORE, 0o600), "70001 may not give it to the group 70005"),
        # Root without some of its rights.
        (0, (CHOWN,), (OTHER, GROUP, 0o644), (OWN, GROUP, 0o644), None),
        (0, (CHOWN,), (OTHER, GROUP, 0o644), (OTHER, GROUP, 0o600), "only its owner 70002 may do that"),
        (0, (CHOWN,), (OTHER, GROUP, 0o600), (OTHER, GROUP, 0o644), "only its owner 70002 may do that"),
        (0, (CHOWN,), (OTHER, GROUP, 0o644), (OWN, GROUP, 0o600), "only its owner 70002 may do that"),
        (0, (FOWNER,), (OTHER, GROUP, 0o644), (OTHER, GROUP, 0o600), None),
        (0, (FOWNER,), (OTHER, GROUP, 0o644), (OWN, GROUP, 0o600), "root may not give it to 70001 without CAP_CHOWN"),
        # A user namespace.
        (0, (CHOWN, FOWNER), (OTHER, GROUP, 0o644), (OUTSIDE, GROUP, 0o644), "its new owner or group is unknown"),
        (0, (CHOWN, FOWNER), (OTHER, GROUP, 0o644), (OTHER, OUTSIDE, 0o644), "its new owner or group is unknown"),
        (0, (CHOWN, FOWNER), (OUTSIDE, GROUP, 0o644), (OUTSIDE, GROUP, 0o600), "its owner or group is unknown"),
        (0, (CHOWN, FOWNER), (OTHER, OUTSIDE, 0o644), (OTHER, OUTSIDE, 0o600), "its owner or group is unknown"),
        (0, (CHOWN, FOWNER), (OUTSIDE, GROUP, 0o644), (OWN, GROUP, 0o644), "its owner or group is unknown"),
        (OWN, (), (OWN, GROUP, 0o644), (None, GROUP, 0o644), "70001 may not give it to a user that does not exist yet"),
        (OWN, (), (OWN, GROUP, 0o644), (OWN, None, 0o644), "70001 may not give it to a group that does not exist yet"),
        # A user or a group that does not exist yet.
        (0, (CHOWN, FOWNER), (OTHER, GROUP, 0o644), (None, GROUP, 0o644), None),
        (0, (CHOWN, FOWNER), (OTHER, GROUP, 0o644), (OTHER, None, 0o644), None),
    ],
)
def test_what_cannot_be_given_is_known_beforehand(
    system: System,
    user: int,
    capabilities: tuple[int, ...],
    owners: tuple[int, int, int],
    wanted: Wanted,
    reason: str | None,
) -> None:
    system(user, capabilities)
    uid, gid, mode = (None if number is None else int(str(number)) for number in wanted)
    found = forbidden(owners, (uid, gid, mode or 0))
    assert (found is None) is (reason is None), found
    assert sentence(found).startswith(reason or "")


@pytest.mark.parametrize("letter", ["x", "ä"])
def test_a_path_is_too_long_by_its_bytes(tmp_path: Path, letter: str) -> None:
    size = len(letter.encode())
    part = letter * (200 // size)
    above = tmp_path
    while len(os.fsencode(str(above / part))) < 4000:
        above /= part
    left = 4095 - len(os.fsencode(str(above))) - 2
    fits = above / ("x" * (left // 2)) / ("x" * (left - left // 2))
    assert len(os.fsencode(str(fits))) == 4095
    assert too_long(resolve(str(fits))) is None
    assert too_long(resolve(str(fits.parent)), fits.name) is None
    for resolved, name in ((resolve(str(fits) + "x"), ""), (resolve(str(fits.parent)), fits.name + "x")):
        assert sentence(too_long(resolved, name)) == "its path has 4096 bytes, and the system takes at most 4095"


@pytest.mark.parametrize("name", ["x" * 255, "ä" * 127])
def test_a_name_is_too_long_by_its_bytes(tmp_path: Path, name: str) -> None:
    assert too_long(resolve(str(tmp_path)), name) is None
    assert too_long(resolve(str(tmp_path / "new" / name))) is None
    longer = name + name[0]
    for resolved, last in ((resolve(str(tmp_path)), longer), (resolve(str(tmp_path / "new" / longer)), "f")):
        assert sentence(too_long(resolved, last)) == 'the name "%s" has more than 255 bytes' % longer


@pytest.mark.parametrize(
    ("uid", "mode", "capabilities", "kept"),
    [
        (OTHER, 0o4755, (), False),
        (OTHER, 0o2755, (), False),
        (OTHER, 0o4755, (FOWNER,), True),
        (OTHER, 0o1755, (), True),
        (OWN, 0o6755, (), True),
        (None, 0o6755, (), True),
    ],
)
def test_only_the_owner_keeps_the_bits_that_the_system_removes(
    system: System, uid: int | None, mode: int, capabilities: tuple[int, ...], kept: bool
) -> None:
    system(OWN, capabilities)
    assert (unkept(uid, mode) is None) is kept


@pytest.mark.parametrize(
    ("gid", "capabilities", "reason"),
    [
        (GROUP, (), None),
        (MORE, (), None),
        (OTHER_GROUP, (CHOWN, FSETID), None),
        (OTHER_GROUP, (CHOWN,), "without CAP_FSETID"),
    ],
)
def test_the_setgid_bit_takes_a_group_of_this_process_or_the_right_to_it(
    system: System, gid: int, capabilities: tuple[int, ...], reason: str | None
) -> None:
    system(OWN, capabilities)
    found = forbidden((OWN, GROUP, 0), (OWN, gid, 0o2000))
    assert found is None if reason is None else sentence(found).endswith(reason)
    assert forbidden((OWN, OTHER_GROUP, 0), (OWN, OTHER_GROUP, 0o755)) is None


@pytest.mark.parametrize(
    ("owners", "attributes", "capabilities", "reason"),
    [
        ((OWN, OUTSIDE), "+A", (), None),
        ((OTHER, GROUP), "+A", (FOWNER,), None),
        ((OTHER, GROUP), "+A", (LINUX_IMMUTABLE,), "may do that"),
        ((OUTSIDE, GROUP), "+A", (FOWNER,), "unknown in this user namespace"),
        ((OTHER, OUTSIDE), "+A", (FOWNER,), "unknown in this user namespace"),
        ((OWN, GROUP), "+Ai", (FOWNER,), "without CAP_LINUX_IMMUTABLE"),
        ((OWN, GROUP), "=a", (), "without CAP_LINUX_IMMUTABLE"),
        ((OWN, GROUP), "-i", (LINUX_IMMUTABLE,), None),
    ],
)
def test_attributes_take_the_owner_and_some_a_capability(
    system: System, owners: tuple[int, int], attributes: str, capabilities: tuple[int, ...], reason: str | None
) -> None:
    system(OWN, capabilities)
    found = forbidden_attributes(*owners, attributes)
    assert found is None if reason is None else sentence(found).endswith(reason)


@pytest.mark.parametrize(
    ("there", "attributes", "same"),
    [
        ("de", "+d", True),
        ("de", "+de", True),
        ("de", "+", True),
        ("e", "+d", False),
        ("deA", "+Ad", True),
        ("de", "+Ad", False),
        ("e", "-d", True),
        ("de", "-d", False),
        ("A", "-dA", False),
        ("de", "=d", True),
        ("d", "d", True),
        ("de", "=de", True),
        ("deA", "=d", False),
        ("e", "d", False),
        ("e", "=", True),
        (None, "-d", False),
    ],
)
def test_attributes_that_are_there_are_not_set_again(there: str | None, attributes: str, same: bool) -> None:
    assert has_attributes(there, attributes) is same


@pytest.mark.parametrize("name", ["chooser", "guards", "private", "rights"])
def test_what_root_must_not_do_does_not_depend_on_dangers(name: str) -> None:
    """A danger that is no longer reported, or is ignored, opens no way for root."""
    source = Path(str(_rights.__file__)).with_name(name + ".py").read_text(encoding="utf-8")
    imported = {
        alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module in ("directory", "config_file", "_config.problems")
        for alias in node.names
    }
    assert imported <= {"ResolvedFile"}
    assert not re.search("(?i)danger", source)


def test_the_group_that_would_get_the_bit_is_named(system: System) -> None:
    for given, named in ((OTHER_GROUP, OTHER_GROUP), (None, GROUP)):
        system(OWN, (CHOWN,))
        found = forbidden((OWN, GROUP, 0o755), (OWN, given, 0o2755))
        assert found is not None
        assert (found.code, found.values["group"]) == ("needs-fsetid", named)


@pytest.mark.parametrize(
    ("user", "capabilities", "wanted", "code"),
    [
        # Others than root make their own file.
        (OWN, (), (OTHER, OTHER_GROUP, 0o6755), None),
        (0, (), (0, GROUP, 0o755), None),
        (0, (), (0, GROUP, 0o4755), None),
        (0, (), (0, MORE, 0o2755), None),
        (0, (), (OWN, GROUP, 0o755), "needs-chown"),
        (0, (), (0, OTHER_GROUP, 0o755), "needs-chown-for-group"),
        (0, (CHOWN,), (OWN, OTHER_GROUP, 0o755), None),
        (0, (CHOWN,), (OUTSIDE, GROUP, 0o755), "new-owner-unknown"),
        (0, (CHOWN,), (0, OTHER_GROUP, 0o2755), "needs-fsetid"),
        (0, (CHOWN, FSETID), (0, OTHER_GROUP, 0o2755), None),
        (0, (CHOWN, FSETID), (OWN, GROUP, 0o4755), "only-owner-sets-special-bits"),
        (0, (CHOWN, FSETID), (OWN, GROUP, 0o2755), "only-owner-sets-special-bits"),
        (0, (CHOWN, FSETID), (OWN, GROUP, 0o1777), None),
        (0, (CHOWN, FSETID, FOWNER), (OWN, OTHER_GROUP, 0o6755), None),
        # A user or a group that does not exist yet.
        (0, (CHOWN,), (None, None, 0o755), None),
        (0, (), (None, GROUP, 0o755), "needs-chown"),
    ],
)
def test_what_root_cannot_make_again_elsewhere(
    system: System, user: int, capabilities: tuple[int, ...], wanted: Wanted, code: str | None
) -> None:
    system(user, capabilities)
    found = uncopyable(*wanted)
    assert (found and found.code) == code


def test_who_would_lose_the_special_bits_is_named(system: System) -> None:
    system(OWN)
    found = unkept(OTHER, 0o4755)
    assert found is not None
    assert (found.code, found.values) == ("only-owner-sets-special-bits", {"owner": OTHER})


@pytest.mark.parametrize(
    ("user", "capabilities", "owner", "limit"),
    [
        (OWN, (), OTHER, None),
        (0, (), OTHER, "root-without-override"),
        (0, (CHOWN, FOWNER), OTHER, "root-without-override"),
        (0, (DAC_OVERRIDE,), OTHER, "root-squash"),
        (0, (DAC_OVERRIDE,), OUTSIDE, "root-owner-unknown"),
        (0, (), OUTSIDE, "root-owner-unknown"),
    ],
)
def test_what_denies_something_to_root(
    system: System, user: int, capabilities: tuple[int, ...], owner: int, limit: str | None
) -> None:
    system(user, capabilities)
    denied = root_denied(owner)
    assert (denied and denied.code) == limit
    if denied is not None and limit != "root-owner-unknown":
        assert denied.values == {"owner": owner}
    found = not_entered("/x", owner)
    cause = found.values.pop("limit")
    assert (found.code, found.values) == ("not-entered", {"user": user, "path": "/x", "owner": owner})
    assert (cause and cause.code) == limit


@pytest.mark.parametrize(
    ("capabilities", "owners", "wanted"),
    [
        ((FOWNER,), (OTHER, GROUP), True),
        ((DAC_OVERRIDE,), (OTHER, GROUP), False),
        ((FOWNER,), (OUTSIDE, GROUP), False),
        ((FOWNER,), (OTHER, OUTSIDE), False),
    ],
)
def test_a_capability_is_one_for_files_of_known_owners_and_groups(
    system: System, capabilities: tuple[int, ...], owners: tuple[int, int], wanted: bool
) -> None:
    system(0, capabilities)
    assert overrides(FOWNER, os.stat_result([0o100644, 1, 1, 1, *owners, *[0] * 4])) is wanted


@pytest.mark.parametrize("bit", [0, 1, 3, 4, 9])
def test_capabilities_have_the_numbers_of_linux(system: System, bit: int) -> None:
    system(0, (bit,))
    numbers = (CHOWN, DAC_OVERRIDE, FOWNER, FSETID, LINUX_IMMUTABLE)
    assert [capable(each) for each in numbers] == [each == bit for each in (0, 1, 3, 4, 9)]
