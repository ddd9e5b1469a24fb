# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found below _module has codes and values; the words for them are in tables, and each one fits."""

from __future__ import annotations

import ast
import errno
import os
import re
from pathlib import Path
from typing import Iterator, NamedTuple

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._engines import inventory as _inventory
from ansible_collections.wasmops.wasmtime.plugins.module_utils._files.access import Reason
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import programs as _programs
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module import prune as _prune
from ansible_collections.wasmops.wasmtime.plugins.module_utils._module.reasons import (
    NOTE_TEXTS,
    REASON_TEXTS,
    REMEDIES,
    advice,
    failure,
    sentence,
)

ROOMS = Path(__file__).parents[4] / "plugins" / "module_utils"
# Three words in a row, of which a text that is filled in may be one.
SENTENCE = re.compile(r"""(?<![\w/.-])(?:[A-Za-z][a-z'-]*|%s)[,;:]? (?:[a-z][a-z'-]*|%s)[,;:]? (?:[a-z]|%s)""")
# Files of _config that are tables of words, or helpers of these.
TABLES = {"problems.py", "programs.py", "settings.py", "words.py"}
# Other texts of _config, by their beginnings.
TEXTS_OF_CONFIG = {
    "# Wasmtime compilation cache": "the comment at the top of a new config",
    "a number of": "a value that Python does not print",
    "nested too": "takes the place of a message of a TOML library",
    "too many dots": "takes the place of a message of a TOML library",
    r" \(at": "reads the messages of the TOML libraries",
}


def constants(path: Path) -> Iterator[str]:
    """Every text in a file but documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def sentences(path: Path) -> list[str]:
    return [text for text in constants(path) if SENTENCE.search(text)]


@pytest.mark.parametrize("room", ["_files", "_usage", "_engines"])
def test_no_sentence_is_below_module(room: str) -> None:
    paths = sorted((ROOMS / room).glob("*.py"))
    assert paths
    assert {path.name: found for path in paths for found in [sentences(path)] if found} == {}


def test_the_sentences_of_config_are_in_its_tables() -> None:
    paths = {path.name: path for path in (ROOMS / "_config").glob("*.py")}
    for name in TABLES:
        assert sentences(paths.pop(name)), name
    found = [text for path in paths.values() for text in sentences(path)]
    beginnings = {next((words for words in TEXTS_OF_CONFIG if text.startswith(words)), text) for text in found}
    assert beginnings == set(TEXTS_OF_CONFIG)


class Use(NamedTuple):
    """A call that makes a reason."""

    code: str
    values: frozenset[str]
    place: str


def uses() -> Iterator[Use]:
    for path in sorted(ROOMS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Reason" and node.args:
                # Starred ones are those of another reason.
                values = frozenset(keyword.arg for keyword in node.keywords if keyword.arg is not None)
                for code in ast.walk(node.args[0]):
                    if isinstance(code, ast.Constant):
                        yield Use(str(code.value), values, "%s:%d" % (path.name, node.lineno))


@pytest.mark.parametrize("use", list(uses()), ids=lambda use: "%s-%s" % (use.place, use.code))
def test_every_reason_has_a_text_and_its_values(use: Use) -> None:
    wanted = set(re.findall(r"%\((\w+)\)", REASON_TEXTS[use.code] + REMEDIES.get(use.code, "")))
    # because() adds the cause.
    assert use.values <= wanted <= use.values | {"reason"}


def test_what_to_do_is_said_once_and_last() -> None:
    limit = Reason("root-squash", owner=10**9)
    entering = Reason("not-entered", user=0, path="/a", owner=10**9, limit=limit)
    said = 'the user root may not enter "/a", which belongs to 1000000000 (probably a share with root_squash)'
    assert sentence(entering) == said
    assert advice(entering) == said + "; become its owner 1000000000 with become_user"
    writing = Reason("no-right-to-write", user=10**9, path="/a", limit=None)
    assert advice(Reason("not-written", reason=writing)) == (
        'it cannot be written: the user 1000000000 may not write in "/a"; become a user who may, with become_user, or choose'
        " another path"
    )
    assert advice(Reason("append-only", path="/a")) == sentence(Reason("append-only", path="/a"))
    assert set(REMEDIES) <= set(REASON_TEXTS)


def test_every_text_is_used() -> None:
    assert {use.code for use in uses()} == set(REASON_TEXTS)
    assert set(NOTE_TEXTS) == set(_inventory.NOTE_CODES)


def test_every_reason_why_a_file_tells_nothing_has_a_text_for_programs() -> None:
    assert set(_programs.REASONS) == set(_inventory.NOTE_CODES[: _inventory.NOTE_CODES.index("depth")])


def test_a_note_that_can_hide_a_wasmtime_leaves_no_orphans() -> None:
    """A new one must be in one of these sets."""
    harmless = {"missing", "not-a-program", "no-engine", "script", "special-file", "not-listed"}
    assert {*_prune._UNSEEN, *_prune._OF_OTHERS, *harmless} == set(_inventory.NOTE_CODES)
    assert harmless.isdisjoint({*_prune._UNSEEN, *_prune._OF_OTHERS})
    for code in _prune._UNSEEN:
        assert not re.search("size_limit|depth(?!s)|paths", _prune._NOTE_TEXTS[code]), "not an option of cache_prune"


def test_values_are_written_for_people() -> None:
    assert sentence(None) == ""
    link = Reason("link-into-other-directory", path="/a\nb", user=0, where="/c", owner=10**9)
    assert sentence(link) == (
        '"/a\\nb" is a symbolic link of root into "/c", which belongs to 1000000000: root does not follow it'
    )
    assert sentence(Reason("chosen-by-user-who-cannot-list", user=-1)).startswith("users other than root can write")
    for missing in (None, -1):
        assert sentence(Reason("only-owner", owner=missing)).startswith("only its owner a user that does not exist yet")
        given = sentence(Reason("needs-chown-for-group", user=10**9, group=missing))
        assert given == "1000000000 may not give it to a group that does not exist yet without CAP_CHOWN"
    for number, name in ((0, "root"), (10**9, "1000000000")):
        assert sentence(Reason("needs-fsetid", user=number, group=10**9)) == (
            "%s may not set the setgid bit for the group 1000000000 without CAP_FSETID" % name
        )
        assert sentence(Reason("only-owner", owner=number)) == "only its owner %s may do that" % name
    cause = Reason("system-error", text="No space left on device")
    failed = Reason("directory-not-made", path="/d")
    assert sentence(failed.because(cause)) == (
        'the directory "/d" cannot be created or changed: No space left on device'
    )
    assert repr(failed) == "directory-not-made {'path': '/d'}"


@pytest.mark.parametrize(
    ("number", "changing"),
    [
        (errno.ENOENT, True),
        (errno.ENOTDIR, True),
        (errno.ELOOP, True),
        (errno.ESTALE, True),
        (errno.EINVAL, True),
        (errno.EIO, False),
        (errno.EACCES, False),
        (errno.ENOSPC, False),
    ],
)
def test_a_failure_of_the_system_is_that_of_another_process_or_is_told_with_its_place(
    number: int, changing: bool
) -> None:
    name = os.strerror(number)
    for file, where in ((None, ""), ("/a", ""), ("/b", " (/b)"), (b"/b", " (/b)")):
        said = "/a: system error: %s%s; correct that first" % (name, where)
        if changing:
            said = "/a: another process is changing it or a directory above it; run again when that has ended"
        assert failure("/a", OSError(number, name, file)) == said


def test_a_failure_of_the_system_is_one_line() -> None:
    for number in (errno.EIO, errno.ENOENT):
        text = failure("/a\nok: [other]", OSError(number, os.strerror(number), "/b\nc"))
        assert text.isprintable()
        assert text.startswith(r"/a\nok: [other]: ")
