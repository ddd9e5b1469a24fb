# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is dangerous or wrong about a cache directory, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .._config.check import DANGER, ERROR, WARNING, Problem
from .._config.printable import quoted
from .._files.access import user_name
from .._files.directory import UNCOUNTED
from .reasons import sentence

if TYPE_CHECKING:
    from .._files.directory import Found

_EXAMPLES = 3
_REASONS = 10


class DirectoryText(NamedTuple):
    """What to say of a finding; C(_facts) are filled in."""

    code: str
    severity: str
    message: str
    remedy: str


# By the names under which C(directory.findings) gives them.
DIRECTORY_TEXTS = {
    "in-the-way": DirectoryText(
        "directory-unusable",
        ERROR,
        "the directory %(directory)s cannot be used: %(reasons)s",
        "set directory to a path that can be created",
    ),
    "not-entered": DirectoryText(
        "directory-unusable",
        ERROR,
        "the directory %(directory)s cannot be used: %(reasons)s",
        "become the user of the cache with become_user, or set directory to another path",
    ),
    "barred": DirectoryText(
        "directory-unusable",
        ERROR,
        "%(user)s may not enter %(first)s, and so not use the directory %(directory)s",
        "use a directory that it can reach",
    ),
    "cannot-create": DirectoryText(
        "directory-unusable",
        ERROR,
        "the directory %(directory)s does not exist and %(user)s cannot create it in %(first)s",
        "set directory to a path that can be created, or create it beforehand for that user",
    ),
    "cannot-create-by-root": DirectoryText(
        "directory-unusable",
        ERROR,
        "the directory %(directory)s does not exist and root cannot create it in %(first)s, as on a share with root_squash",
        "become the user of the cache with become_user, or name that user in directory_owner",
    ),
    "cannot-create-read-only": DirectoryText(
        "directory-unusable",
        ERROR,
        "the directory %(directory)s does not exist and cannot be created: %(first)s is on a read-only file system",
        "use a directory on another file system, or mount this one writable",
    ),
    "replaceable": DirectoryText(
        "directory-replaceable",
        DANGER,
        "others than root and its owner can put another directory in the place of %(directory)s: %(reasons)s",
        "use a path of which every directory belongs to root or to the owner and nobody else can write to",
    ),
    "config": DirectoryText(
        "config-in-cache",
        DANGER,
        "the config %(first)s is in its own cache directory %(directory)s, where a cleanup deletes it",
        "move the config out of the cache directory, or set directory to another one",
    ),
    "not-dedicated": DirectoryText(
        "directory-not-dedicated",
        DANGER,
        "%(directory)s is a directory of the system or a home: the engine deletes the files in it",
        "use a directory of its own, like /var/cache/wasmtime",
    ),
    "writable": DirectoryText(
        "directory-writable-by-others",
        DANGER,
        "others than its owner can write to %(directory)s: they run native code in every process that loads the cache",
        "set directory_mode to 0700, and remove ACLs",
    ),
    "foreign": DirectoryText(
        "directory-foreign-files",
        DANGER,
        "%(directory)s holds what is not the engine's (%(some)s): its first cleanup deletes it",
        "use an empty directory of its own",
    ),
    "stray": DirectoryText(
        "directory-foreign-files",
        DANGER,
        "%(directory)s holds what is not the engine's (%(some)s): a cleanup deletes it",
        "move it out of the cache directory",
    ),
    "links": DirectoryText(
        "directory-symbolic-link",
        DANGER,
        "%(directory)s holds symbolic links (%(some)s): a cleanup deletes them, and the files in the directories behind"
        " them",
        "remove the links",
    ),
    "planted": DirectoryText(
        "directory-writable-by-others",
        DANGER,
        "%(directory)s holds what belongs to others (%(some)s): they run native code in every process that loads the"
        " cache",
        "empty the directory: the engine fills it again",
    ),
    "exposed": DirectoryText(
        "directory-writable-by-others",
        DANGER,
        "others than its owner can write to what is in %(directory)s (%(some)s): they run native code in every process",
        "set directory_mode to 0700, or take the right to write from group and others there",
    ),
    "inherits": DirectoryText(
        "directory-writable-by-others",
        DANGER,
        "others than its owner can write to %(directory)s once the engine creates it, by the default ACL of %(first)s",
        "create it beforehand without this ACL, as cache_config does",
    ),
    "hidden": DirectoryText(
        "directory-not-looked-at",
        WARNING,
        "root does not look into the directory %(directory)s, which not everybody may list: %(reasons)s",
        "become the user of the cache with become_user, or name the directory in directory",
    ),
    "owner": DirectoryText(
        "directory-owner",
        WARNING,
        "the directory %(directory)s belongs to %(reasons)s",
        "if that is meant, name the owner in directory_owner",
    ),
    "owned": DirectoryText(
        "directory-writable-by-others",
        DANGER,
        "the directory %(directory)s belongs to %(reasons)s: they run native code in every process of %(user)s that loads the"
        " cache",
        "use a directory of %(user)s, or name the user that runs Wasmtime in directory_owner",
    ),
    "unwritable": DirectoryText(
        "directory-unwritable",
        WARNING,
        "the directory %(directory)s cannot be written by %(user)s, so nothing is cached",
        "give its user the right to write there",
    ),
    "unwritable-by-root": DirectoryText(
        "directory-unwritable",
        WARNING,
        "the directory %(directory)s cannot be written by root, as on a share with root_squash, so nothing is cached",
        "become the user of the cache with become_user, or name that user in directory_owner",
    ),
    "read-only": DirectoryText(
        "directory-unwritable",
        WARNING,
        "the directory %(directory)s is on a read-only file system, so nothing new is cached",
        "mount the file system writable, or use a directory on another one",
    ),
    "full": DirectoryText(
        "directory-unwritable",
        WARNING,
        "the directory %(directory)s is on a full file system, so nothing new is cached",
        "free space there, or use a directory on another file system",
    ),
    "dynamic-user": DirectoryText(
        "directory-dynamic-user",
        WARNING,
        "the directory %(directory)s is in %(first)s: only the systemd unit with DynamicUser= that it belongs to can use it",
        "leave it as it is if Wasmtime runs in that unit, or else use another directory",
    ),
}


def directory_to_problems(found: list[Found], path: str, user: int) -> list[Problem]:
    """The findings about the directory at C(path), for processes of C(user), as problems."""
    problems = []
    for name, parts in found:
        said = [part if isinstance(part, str) else sentence(part) for part in parts]
        text = DIRECTORY_TEXTS[name]
        facts = {
            "directory": quoted(path),
            "user": user_name(user),
            "reasons": "; ".join(said[:_REASONS])
            + ("; and %d more" % (len(said) - _REASONS) if said[_REASONS:] else ""),
            "first": quoted(said[0]) if said else "",
            "some": _some(said),
        }
        problems.append(Problem(text.code, text.severity, text.message % facts, text.remedy % facts, "directory", path))
    return problems


def _some(names: list[str]) -> str:
    counted = sorted(name for name in names if name != UNCOUNTED)
    listed = ", ".join(quoted(name) for name in counted[:_EXAMPLES])
    more = len(counted) - _EXAMPLES
    if more <= 0:
        return listed  # the name of a directory stands for what is in it
    return "%s and %s%d more" % (listed, "at least " if UNCOUNTED in names else "", more)
