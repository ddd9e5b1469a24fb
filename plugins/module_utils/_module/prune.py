# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module cache_prune: remove named kinds of files from a cache."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from typing import TYPE_CHECKING, Any, Callable, Iterable

from .._config.printable import printable, quoted, shown
from .._config.settings import KINDS, BadValue
from .._config.toml import Library
from .._config.values import parse_text
from .._files.access import WRITE, others_may, user_name
from .._files.chooser import chosen
from .._files.config_file import Unreadable, resolve_file
from .._files.directory import SYSTEM, hidden, not_dedicated, resolve_directory
from .._files.guards import moved, unsafe_link
from .._files.path import ResolvedPath, is_below, open_resolved, resolve
from .._usage.cleanup import rules_of
from .._usage.judge import (
    ALL,
    APART,
    BROKEN,
    CRASHES,
    DENIED,
    FOREIGN,
    LINKS,
    ORPHANS,
    OVER_LIMITS,
    STALE,
    UNTRUSTED,
    Figures,
    Judgement,
    NotToPrune,
    Wanted,
    judge,
    private_to,
)
from .._usage.prune import Backup, Foretelling, Outcome, Removal, carry_out
from .._usage.scan import SECOND, Budget, open_directory
from . import common as _common
from . import refused as _refused
from .reasons import NOTE_TEXTS, advice, failure, sentence
from .usage_info import budget_for, compression, config_of

if TYPE_CHECKING:
    from .._config.config import Config
    from .ansible_module import Module

_EXAMPLES = 3

# The share of the time limit for the search for Wasmtimes, and its depth.
_SEARCH = 0.5
_DEPTH = 100

# Notes of an inventory that may have missed a Wasmtime, and those that do not matter in the cache of a single user.
_UNSEEN = ("time-limit", "too-large", "changing", "packed", "depth", "not-on-this-system")
_OF_OTHERS = ("unreadable", "other-users")

_NOT_DEDICATED = (
    "%s is a directory of the system, or is or contains a home or the directory of the config; nothing is removed from it. Use a"
    " directory of its own for the cache, like /var/cache/wasmtime"
)
_OF_STRANGERS = (
    "nothing is removed from %s: it has directories of users other than its owner, or files of users other than root and its"
    " owner, and a user has led root there by the config or by a link; name the directory itself in directory"
)

# The limits are not options here.
_NOTE_TEXTS = {
    **NOTE_TEXTS,
    "too-large": "this has more than 1 GiB and is not read",
    "depth": "directories below this are nested more than %d deep and were not searched" % _DEPTH,
}

NOTE_MESSAGES = {
    "engines-unknown": "nothing is an orphan, because not every Wasmtime of this host is known: %s",
    "disabled": "over_limits removes nothing: the config has enabled = false, so that Wasmtime never cleans up",
    "limits-"
    + LINKS: "over_limits removes nothing: Wasmtime also counts what is behind the symbolic links; remove them with"
    " foreign",
    "limits-" + CRASHES: "over_limits removes nothing: with these settings the process aborts at its first cleanup;"
    " cache_config_info says which one to correct",
    "limits-not-seen": "over_limits removes nothing, because not everything was seen; complete, unreadable, stopped_by and"
    " kept say why",
    "exposed": "other users can write to the directory and put new files there; set directory_mode to 0700 with cache_config",
    "unread": "modules that stay because this user may not read them to see whether they are broken: %d; become root or the owner"
    " of the cache",
}


def wanted_by(module: Module, now: int) -> Wanted:
    """Return the kinds that the options name. Raises Refused."""
    before = None
    if module.params["unused_for"] is not None:
        try:
            age = parse_text(KINDS["duration"], module.params["unused_for"])
        except BadValue as error:
            from .._config.problems import sentence_on

            raise _refused.Refused(sentence_on("unused_for", module.params["unused_for"], error)) from error
        before = now - age * SECOND
    for name in module.params["keep"]:
        if "/" in name or not name.startswith("wasmtime-"):
            raise _refused.Refused(
                "keep has %s, which is not the name of a directory of a compiler version; write one like wasmtime-42.0.2"
                % quoted(name)
            )
    return Wanted(frozenset(module.params["remove"] or ()), None, before, module.params["backup"] is not None)


def directory_for(module: Module, config: Config, path: str, writer: int | None) -> str:
    """Return the directory to prune, from the task or the config. Raises Refused.

    C(path): the config. C(writer): who besides root can write it, see C(chooser.chooser).
    """
    directory = module.params["directory"]
    if directory is None and config.valid:
        directory = config.effective.get("directory")
    if directory is None:
        raise _refused.Refused(
            "Wasmtime refuses the config, so that its cache directory is not known; correct the config, see"
            " cache_config_info, or name the directory in directory"
        )
    if writer is not None and module.params["directory"] is None and not config.names_directory:
        raise _refused.Refused(
            "users other than root can write to the config %s, and it names no directory: nothing is removed from root's own"
            " default cache. Name the directory in directory, or become the user of the config with become_user"
            % quoted(path)
        )
    kinds = _by_config(module)
    if kinds and not config.valid:
        raise _refused.Refused(
            "Wasmtime refuses the config, which says what is stale and over the limits; correct the config, see"
            " cache_config_info, or remove without %s" % " and ".join(sorted(kinds))
        )
    _common.refuse_unnameable(directory)
    return str(directory)


def _by_config(module: Module) -> set[str]:
    """The kinds of which the config says what belongs to them."""
    return {STALE, OVER_LIMITS}.intersection(module.params["remove"] or ())


def refuse_unsafe(module: Module, resolved: ResolvedPath, directory: str, path: str, writer: int | None) -> Wanted:
    """End the run if nothing may be removed from an existing directory. Raises Refused.

    C(path): the config. C(writer): who besides root can write it, see C(chooser.chooser). Returns what of C(Wanted)
    keeps such directories below this one, and files of others where a user has led root here.
    """
    chosen_by = writer if module.params["directory"] is None else None
    status = resolved.status()
    owner = status.st_uid
    target = resolved.target
    this = (status.st_dev, status.st_ino)
    homes = _homes()
    apart = _identities(SYSTEM.union(homes))
    if not_dedicated(target, {os.geteuid(), owner}) or this in apart or any(is_below(home, target) for home in homes):
        raise _refused.Refused(_NOT_DEDICATED % quoted(directory))
    with_config: set[tuple[int, int]] = set()
    with contextlib.suppress(Unreadable):
        with_config = {(above.st_dev, above.st_ino) for _path, above in resolve_file(path).resolved.visited}
    if this in with_config:
        raise _refused.Refused(
            "the config %s is in its own cache directory %s, where Wasmtime deletes it; move it elsewhere first"
            % (quoted(path), quoted(directory))
        )
    reason = unsafe_link(resolved) or moved(resolved) or hidden(resolved, chosen_by)
    if reason:
        raise _refused.Refused("nothing is removed from %s: %s" % (quoted(directory), advice(reason)))
    if chosen_by is not None:
        reason = chosen(resolved, directory, chosen_by)
        if reason:
            raise _refused.Refused("nothing is removed: %s" % sentence(reason))
    kinds = _by_config(module)
    if kinds and writer not in (None, owner):
        raise _refused.Refused(
            "users other than root can write to the config %s, which says what is stale and over the limits, and %s belongs to"
            " %s; remove without %s, or become the owner with become_user"
            % (quoted(path), quoted(directory), user_name(owner), " and ".join(sorted(kinds)))
        )
    led = chosen_by is not None or any({link.st_uid, parent} != {0} for _path, link, parent in resolved.links)
    return Wanted(frozenset(), apart=frozenset(apart | with_config), no_strangers=os.geteuid() == 0 and led)


def _homes() -> set[str]:
    """Return the home directories of all users, without links."""
    import pwd

    homes = {os.environ.get("HOME") or ""}.union(user.pw_dir for user in pwd.getpwall())
    return {resolve(home).target for home in homes if home.startswith("/")}


def _identities(paths: Iterable[str]) -> set[tuple[int, int]]:
    """What these paths lead to, by device and inode: it may be mounted elsewhere, too."""
    found = set()
    for path in paths:
        with contextlib.suppress(OSError):
            status = os.stat(path)
            found.add((status.st_dev, status.st_ino))
    return found


def open_backup(path: str, top: int, target: str) -> int:
    """Return a handle to the directory for foreign files. Raises Refused and OSError."""
    if not path.startswith("/") or "\0" in path:
        raise _refused.Refused("backup is %s, which is not an absolute path; give one" % quoted(path))
    _common.refuse_unnameable(path)
    resolved = resolve(path)
    if resolved.missing or resolved.error:
        raise _refused.Refused(
            "the directory %s for the backup cannot be used: %s; create it first"
            % (quoted(path), sentence(resolved.error) or "it does not exist")
        )
    if resolved.target == target or is_below(resolved.target, target):
        raise _refused.Refused("backup is %s, which is in the cache directory; give one outside of it" % quoted(path))
    for above, status in resolved.visited:
        kept = above != resolved.real and status.st_mode & stat.S_ISVTX
        if status.st_uid not in (0, os.geteuid()) or (
            not kept and others_may(above, status.st_mode, status.st_uid, WRITE)
        ):
            raise _refused.Refused(
                "backup is %s, but users other than root and %s can replace what is in %s; give a directory that they cannot reach"
                % (quoted(path), user_name(os.geteuid()), quoted(above))
            )
    handle = _open(resolved)
    if os.fstat(handle).st_dev != os.fstat(top).st_dev:
        os.close(handle)
        raise _refused.Refused(
            "backup is %s, which is on a different file system from the cache; give one on the same, where moving a file"
            " is one step" % quoted(path)
        )
    return handle


def engines_of(status: os.stat_result, directory: str, seconds: float) -> tuple[Callable[[str], bool] | None, str]:
    """Return a function that shows whether a Wasmtime of this host uses a compiler directory, or None and the reason.

    C(status) and C(directory): the cache directory and its path.
    """
    from .._engines.inventory import SIZE_LIMIT, Inventory, leads_to_directory, usual_places

    # Processes of others cannot use such a cache, and must not keep root from cleaning it up.
    private = private_to(status, directory, os.geteuid())
    inventory = Inventory(SIZE_LIMIT, seconds)
    inventory.look_at_processes({0, os.geteuid()} if private else None)
    for path in usual_places():
        if leads_to_directory(path):
            inventory.search(path, _DEPTH)
    unseen = _UNSEEN if private else _UNSEEN + _OF_OTHERS
    reasons = [
        "%s (%s)" % (_NOTE_TEXTS[code], _some([name for name, _detail in examples], number))
        for code, (number, examples) in inventory.notes.items()
        if code in unseen
    ]
    silent = []
    exact, begins = set(), set()
    for program in inventory.programs.values():
        engine = program.engine
        if not engine.reads_config:
            continue
        if engine.revision is None:
            silent.append(program.path)
            continue
        # The end of the name depends on the program that will load a library, which is not known.
        name = None if engine.library else engine.directory(program.modified)
        if name is None:
            begins.add("wasmtime-" + engine.revision)
        else:
            exact.add(name)
    if silent:
        reasons.append("a program has a Wasmtime of an unknown version (%s)" % _some(sorted(silent), len(silent)))
    if reasons:
        return None, "; ".join(reasons)
    return lambda name: name in exact or any(name == begin or name.startswith(begin + "-") for begin in begins), ""


def _some(names: list[str], number: int) -> str:
    """The first of so many names, short enough for a message, and how many more there are."""
    listed = ", ".join(map(shown, names[:_EXAMPLES]))
    return listed if number <= _EXAMPLES else "%s and %d more" % (listed, number - _EXAMPLES)


def judgement_for(
    module: Module, wanted: Wanted, config: Config, top: int, target: str, now: int, budget: Budget
) -> tuple[Judgement, list[dict[str, str]]]:
    """Examine the open directory; return the judgement and notes for the result. C(target): its path without links."""
    notes = []
    if ORPHANS in wanted.kinds:
        used, reason = engines_of(os.fstat(top), target, budget.left() * _SEARCH)
        if used is None:
            notes.append(_note("engines-unknown", reason))
        else:
            keep, uses = frozenset(module.params["keep"]), used
            wanted = wanted._replace(used=lambda name: name in keep or uses(name))
    if OVER_LIMITS in wanted.kinds and config.off:
        wanted = wanted._replace(kinds=wanted.kinds - {OVER_LIMITS})
        notes.append(_note("disabled"))
    judged = judge(top, wanted, rules_of(config), now, budget)
    if judged.not_limited:
        notes.append(_note("limits-" + judged.not_limited))
    if judged.exposed and UNTRUSTED in wanted.kinds:
        notes.append(_note("exposed"))
    if judged.unread:
        notes.append(_note("unread", judged.unread))
    return judged, notes


def _note(code: str, *values: Any) -> dict[str, str]:
    return {"code": code, "message": NOTE_MESSAGES[code] % values}


def gather(module: Module, path: str) -> tuple[dict[str, Any], Outcome | None]:
    """Prune the cache; return the result of the module, and the removed files. Raises Refused and OSError."""
    budget = budget_for(module)
    now = time.time_ns()
    wanted = wanted_by(module, now)
    if BROKEN in wanted.kinds:
        compression("remove: broken")
    config, version, writer = config_of(module, path, Library())
    directory = directory_for(module, config, path, writer)
    result: dict[str, Any] = {
        "path": path,
        "directory": directory,
        "wasmtime_version": version,
        "exists": False,
        "complete": True,
        "stopped_by": None,
        "unreadable": [],
        "notes": [],
        "backup_directory": None,
        "removed": {kind: Figures().as_dict() for kind in wanted.counted()},
        "kept": {},
        "freed": 0,
        "left": {"entries": 0, "size": 0},
    }
    resolved = resolve_directory(directory, writer if module.params["directory"] is None else None)
    if resolved.error:
        raise _refused.Refused("the directory %s cannot be pruned: %s" % (quoted(directory), advice(resolved.error)))
    if resolved.missing:
        return result, None
    limits = refuse_unsafe(module, resolved, directory, path, writer)
    wanted = wanted._replace(apart=limits.apart, no_strangers=limits.no_strangers)
    top = _open(resolved)
    backup = moving = None
    try:
        if module.params["backup"] is not None and wanted.kinds.intersection((FOREIGN, ALL)):
            backup = open_backup(module.params["backup"], top, resolved.target)
        try:
            judged, notes = judgement_for(module, wanted, config, top, resolved.target, now, budget)
        except NotToPrune as error:
            text = _NOT_DEDICATED if str(error) == APART else _OF_STRANGERS
            raise _refused.Refused(text % quoted(directory)) from None
        if next(judged.planned(), None) is not None and not judged.is_cache:
            raise _refused.Refused(
                "%s holds files but nothing that only Wasmtime makes; nothing is removed from it. Name the cache directory"
                " in directory, or delete these files by other means" % quoted(directory)
            )
        if module.check_mode:
            outcome = carry_out(judged, Foretelling(judged))
        else:
            moving = None if backup is None else Backup(backup, now)
            outcome = carry_out(judged, Removal(judged, moving))
    finally:
        for handle in (top, backup):
            if handle is not None:
                os.close(handle)
    result.update(
        exists=True,
        complete=judged.complete,
        stopped_by=judged.stopped_by,
        unreadable=judged.unreadable,
        notes=notes,
        kept={reason: figures.as_dict() for reason, figures in sorted(outcome.kept.items())},
        freed=outcome.freed,
        left={"entries": outcome.left, "size": outcome.left_size},
    )
    result["removed"].update({kind: figures.as_dict() for kind, figures in outcome.removed.items()})
    if moving is not None and moving.name is not None:
        result["backup_directory"] = os.path.join(module.params["backup"], moving.name)
    return result, outcome


def _open(resolved: ResolvedPath) -> int:
    """Open a directory to list it. Raises OSError."""
    held = open_resolved(resolved)
    try:
        return open_directory(".", held)
    finally:
        os.close(held)


def _listed(removed: dict[str, Any]) -> str:
    """Return the lines that a diff shows as removed."""
    lines = []
    for figures in removed.values():
        lines += [printable(name) for name in figures["names"]]
        if figures["names_left_out"]:
            lines.append("and %d more" % figures["names_left_out"])
    return "".join(line + "\n" for line in lines)


def run(module: Module) -> None:
    """Run the module and end the process with the result."""
    path = None
    try:
        path = _common.config_path(module.params["path"])
        result, outcome = gather(module, path)
    except _refused.Refused as error:
        module.fail_json(msg=str(error), **error.result)
    except OSError as error:
        module.fail_json(msg=failure(module.params["directory"] or path or "path", error))
    changed = any(figures["count"] for figures in result["removed"].values())
    if module._diff:
        result["diff"] = {
            "before_header": result["directory"],
            "after_header": result["directory"],
            "before": _listed(result["removed"]),
            "after": "",
        }
    denied = None if outcome is None else outcome.kept.get(DENIED)
    if denied is not None:
        module.fail_json(
            msg="%s may not remove %d of the entries to remove (%s); become the owner of the cache with become_user, or root"
            % (
                user_name(os.geteuid()),
                denied.count,
                ", ".join(shown(name) for name in denied.as_dict()["names"][:_EXAMPLES]),
            ),
            changed=changed,
            **result,
        )
    module.exit_json(changed=changed, **result)
