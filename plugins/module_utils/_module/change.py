# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run does when something is not as it is to be: a run that changes nothing never loads this."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from .._config.check import DANGER, ERROR, Problem
from .._config.config import BOM, Config
from .._config.edit import CannotEdit, edit, merge, new_text, same
from .._config.printable import quoted
from .._files import write as _write
from .._files.access import user_name
from .._files.config_file import Changed
from .._files.config_file import chooser as file_chooser
from .._files.config_file import problems as file_problems
from .._files.guards import chosen, denied, moved, other_names, swappable, too_long, unsafe_link, unwritable
from .._files.path import hold
from .._files.rights import DAC_OVERRIDE, capable, forbidden, labelled, uncopyable, unkept, unlabelled
from .common import ENTRIES, directory_of, judge, severe, spoken
from .common import directory_problems as problems
from .refused import Refused, refuse_library

if TYPE_CHECKING:
    from .._files.directory import State

Owners = Tuple[Optional[int], Optional[int], int]
"""Owner, group and mode; None for a user or a group that does not exist yet."""


def edited(run: Any, before: Optional[Config], changes: Mapping[str, Any]) -> Tuple[bytes, Config]:
    """The new bytes and the config in them, which must be the intended one and valid. Raises Refused."""
    try:
        text = new_text(changes) if before is None else edit(before.text, changes, run.library.reader(before.text))
    except ImportError as error:
        refuse_library("tomli-w", "writing TOML", error)
    except CannotEdit as error:
        raise run.refused_for("%s; change it by hand" % error) from error
    bom = BOM if before is not None and before.bom else ""
    data = (bom + text).encode("utf-8", "surrogateescape")
    after = judge(data, run.dialects, run.host, run.library)
    if not after.valid:
        raise run.refused("Wasmtime would refuse the result, so nothing was changed", severe(after.problems, ERROR))
    if not same(after.table, merge(before.table or {} if before else {}, changes)):
        raise run.refused_for("its layout does not allow this change in place; change it by hand")
    return data, after


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Have the end that a lost connection or a person brings wait until nothing is half done."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGHUP, signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def text_diff(path: str, before: bytes, after: bytes) -> Dict[str, str]:
    """What changes in the text of a file, as Ansible shows it."""
    return {
        "before_header": path,
        "after_header": path,
        "before": before.decode("utf-8", "replace"),
        "after": after.decode("utf-8", "replace"),
    }


def _facts_diff(header: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Dict[str, Any]:
    keys = [key for key in after if before[key] != after[key]]
    return {
        "before_header": header,
        "after_header": header,
        "before": {key: before[key] for key in keys},
        "after": {key: after[key] for key in keys},
    }


class Change:
    """The change from what is there to what is planned."""

    def __init__(
        self,
        run: Any,
        before: Optional[Config],
        after: Config,
        data: Tuple[Optional[bytes], bytes],
        directory: Tuple[State, State],
        owners: Tuple[Tuple[int, int, int], Owners],
    ) -> None:
        """C(data), C(directory), C(owners): what they are and what they are to be. C(before), C(after): the configs."""
        self.run = run
        self.params = run.params
        self.before = before
        self.old, self.new = data
        self.now, self.planned = directory
        self.named = after.names_directory
        self.owners, self.planned_owners = owners
        self.writes = self.new != self.old
        self.settles = run.seen is not None and self.owners != self.planned_owners

    def refuse(self, found: Sequence[Problem]) -> None:
        """End the run for what speaks against the change, before anything is changed. Raises Refused.

        C(found): what will be wrong with the config, the file and the directory.
        """
        self._refuse_directory()
        self._refuse_new_dangers(found)
        self._refuse_file()

    def _refuse_directory(self) -> None:
        if self.planned == self.now:
            return
        unsafe = unsafe_link(self.now.way)
        if unsafe is None and self.run.chooser is not None and (self.named or self._gives("directory_")):
            unsafe = chosen(self.now.way, self.now.path, self.run.chooser)
        if unsafe:
            raise self.run.refused_for("nothing was changed: %s" % unsafe)
        if self.now.exists:
            reason = moved(self.now.way) or self._unchangeable()
            if reason:
                text = "nothing was changed: the directory %s cannot be given another owner, group or mode: %s"
                raise self.run.refused_for(text % (quoted(self.now.path), reason))
            return
        way = self.now.way
        reason = (
            too_long(way)
            or unwritable(way.target)
            or self._ungivable("directory_", (self.planned.uid, self.planned.gid, self.planned.mode or 0))
        )
        if reason:
            # A user without a home has no place for either.
            by_default = self.params["path"] is None and self.params["directory"] is None
            options = "directory and path" if by_default else "directory"
            text = "the directory %s cannot be created: %s; set %s to where that is possible"
            raise self.run.refused_for(text % (quoted(self.now.path), reason, options))

    def _unchangeable(self) -> Optional[str]:
        """Why the directory that is there cannot get another owner, group or mode."""
        now, planned = self.now, self.planned
        if not os.access(now.way.real, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
            return "%s may not read it" % user_name(os.geteuid())
        if os.statvfs(now.way.real).f_flag & os.ST_RDONLY:
            return "it is on a read-only file system"
        reason = forbidden((now.uid or 0, now.gid or 0, now.mode or 0), (planned.uid, planned.gid, planned.mode or 0))
        # What is denied to root with all of its rights is immutable, or on a share that knows no root.
        return reason or (denied(now.way.real) if capable(DAC_OVERRIDE) else None)

    def _ungivable(self, prefix: str, planned: Owners) -> Optional[str]:
        """Why something new cannot get the owner and group that the options with this prefix name."""
        new = (os.geteuid(), os.getegid(), 0)
        uid = new[0] if self.params[prefix + "owner"] is None else planned[0]
        gid = new[1] if self.params[prefix + "group"] is None else planned[1]
        return forbidden(new, (uid, gid, planned[2] & stat.S_ISGID))

    def _refuse_new_dangers(self, found: Sequence[Problem]) -> None:
        dangers = [p for p in severe(found, DANGER) if p.code not in self.params["ignore_dangers"]]
        if not dangers:
            return
        run, seen = self.run, self.run.seen
        there: List[Problem] = []
        if seen is not None:
            there = file_problems(run.place, seen.st_mode, seen.st_uid, seen.st_gid, run.reader())
        if self.before is not None:
            state = directory_of(self.before)
            chosen_by = file_chooser(run.place, seen)
            if state is not None:
                led_by = chosen_by if self.before.names_directory else None
                there += problems(state, os.geteuid(), run.owner, ENTRIES, led_by, run.place.names())
            there = self.before.problems + self.before.that_matter(there)
            if chosen_by is not None and self.planned != self.now:
                # Root would act on what others have written there.
                there = [problem for problem in there if not problem.code.startswith("directory-")]
        known = {_subject(problem) for problem in there}
        new = [problem for problem in dangers if _subject(problem) not in known]
        if new:
            codes = ", ".join(sorted({problem.code for problem in spoken(new, self.params["ignore_dangers"])}))
            raise run.refused(
                "nothing was changed: the change would be dangerous (ignore_dangers: [%s] allows it)" % codes, new
            )

    def _refuse_file(self) -> None:
        run = self.run
        reason = None
        remedy = ""
        if self.writes:
            failure = "written"
            if self.params["path"] is None and run.seen is None:
                remedy = "; set path to where that is possible"
            reason = too_long(run.place.way, run.place.name) or self._unwritable() or unsafe_link(run.place.way)
        elif self.settles:
            failure = "given another owner, group or mode"
            reason = denied(run.place.path) or unsafe_link(run.place.way) or other_names(run.place.way, run.seen)
            reason = reason or forbidden(self.owners, self.planned_owners)
            if reason is None and self.planned_owners[0] != self.owners[0]:
                reason = unkept(self.planned_owners[0], self.planned_owners[2])
        if reason is None and self.params["attributes"] is not None:
            failure = "given attributes"
            reason = swappable(run.place.way) or self._unlabelled()
        if reason:
            raise run.refused_for("it cannot be %s: %s%s" % (failure, reason, remedy))

    def _unlabelled(self) -> Optional[str]:
        """Why the file, as it will be, cannot get the attributes; None where it has them."""
        run, attributes = self.run, self.params["attributes"]
        uid, gid = self.planned_owners[:2]
        if self.writes and (run.seen is None or os.geteuid() != 0):
            uid, gid = (
                new if given == -1 else given
                for new, given in zip((os.geteuid(), os.getegid()), self._ids("", uid, gid))
            )
        reason = unlabelled(-1 if uid is None else uid, -1 if gid is None else gid, attributes)
        return None if reason and not self.writes and self._labelled(run.place.path) else reason

    def _labelled(self, path: str) -> bool:
        """Whether the file has the attributes asked for."""
        there = self.run.module.get_file_attributes(path, include_version=False).get("attr_flags")
        return labelled(there, self.params["attributes"])

    def _unwritable(self) -> Optional[str]:
        """Why the file can neither be replaced or created, nor overwritten if that is allowed."""
        path, seen = self.run.place.path, self.run.seen
        if seen is not None and self._keeps():
            reason = unwritable(path + "~") or uncopyable(seen.st_uid, seen.st_gid, seen.st_mode)
            if reason:
                return "no backup can be made: %s" % reason
        reason = unwritable(path) or self._unreplaceable()
        in_place = reason is not None and seen is not None and self.params["unsafe_writes"]
        if in_place and os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            return forbidden(self.owners, self.planned_owners) or unkept(*self.planned_owners[::2])
        return reason

    def _unreplaceable(self) -> Optional[str]:
        """Why a new file cannot get the owner and group of the old one, or those of the options."""
        if self.run.seen is not None and os.geteuid() == 0:
            return uncopyable(*self.planned_owners)
        given = self._ids("", *self.planned_owners[:2])[0]
        kept = None if given == -1 else unkept(given, self.planned_owners[2])
        return kept or self._ungivable("", self.planned_owners)

    def _keeps(self) -> bool:
        """Whether a backup is made of a file that is there."""
        return bool(self.params["backup"]) or self.before is None

    def lock(self) -> None:
        """Keep other runs out, but in check mode. Raises Refused, and Changed if nobody was kept out until now."""
        run = self.run
        if not run.module.check_mode:
            from .._files.lock import Lock

            run.lock = run.lock or Lock()
            try:
                new = run.lock.take(run.place.way)
            except _write.CannotWrite as error:
                raise self._failed(error) from error
            if new:
                raise Changed

    def _failed(self, error: _write.CannotWrite) -> Refused:
        done = bool(self.run.done)
        also = "; the cache directory was made or changed before that" if done else ""
        result = {} if error.backup is None else {"backup_file": error.backup}
        return Refused(
            "%s: %s%s" % (self.run.path, error, also),
            path=self.run.path,
            problems=[],
            changed=done or error.changed,
            **result,
        )

    def carry_out(self) -> Dict[str, Any]:
        """Provide the directory, then the file, but in check mode; return what to say of it.

        Raises Refused, and Changed if another process has written the file.
        """
        run = self.run
        if self.writes:
            run.diff.append(text_diff(run.path, self.old or b"", self.new))
        if self.planned != self.now:
            after = dict(self.planned.as_dict(), **self.names())
            run.diff.append(_facts_diff("%s (cache directory)" % self.planned.path, self.now.as_dict(), after))
        result: Dict[str, Any] = {}
        if not run.module.check_mode:
            try:
                with undisturbed():
                    kept = self._write()
            except _write.CannotWrite as error:
                raise self._failed(error) from error
            if kept:
                result["backup_file"] = kept
        attributes = self._owners_diff()
        changed = bool(self.writes or self.settles or self.planned != self.now or run.done)
        with self._labels_told(changed, result):
            result["changed"] = self._set_labels(attributes, changed)
        if attributes["after"]:
            run.diff.append(attributes)
        return result

    def _write(self) -> Optional[str]:
        """Write what is to be written; return the path of the backup."""
        run = self.run
        ids = self._ids("", *self.planned_owners[:2])
        mode = self.planned_owners[2]
        if self.planned != self.now:
            owners = self._ids("directory_", self.planned.uid, self.planned.gid)
            from .._files.make_directory import make

            make(self.now, *owners, self.planned.mode or 0)
            run.done += run.diff[-1:]
        if self.writes:
            if run.place.way.missing:
                from .._files.make_directory import make_with_file

                run.place = make_with_file(run.place, self.new, *ids, mode)
                return None
            in_place = self.params["unsafe_writes"]
            return _write.write(
                run.place, run.seen, self.old, self.new, *ids, mode, in_place=in_place, keep=self._keeps()
            )
        if self.settles:
            _write.settle(run.place, run.seen, *ids, mode)
        return None

    def _ids(self, prefix: str, uid: Optional[int], gid: Optional[int]) -> Tuple[int, int]:
        """The owner and group to give; -1 to leave what is there."""
        return (
            -1 if self.params[prefix + "owner"] is None or uid is None else uid,
            -1 if self.params[prefix + "group"] is None or gid is None else gid,
        )

    def _gives(self, prefix: str) -> bool:
        return any(self.params[prefix + name] is not None for name in ("owner", "group", "mode"))

    def names(self) -> Dict[str, str]:
        """The owner and group of the directory that do not exist yet."""
        names = {}
        if self.planned.exists and self.planned.uid is None:
            names["owner"] = self.params["directory_owner"]
        if self.planned.exists and self.planned.gid is None:
            names["group"] = self.params["directory_group"]
        return names

    def _owners_diff(self) -> Dict[str, Any]:
        """What of owner, group and mode changes; those of a file that is created are part of its creation."""
        uid, gid, mode = self.planned_owners
        after = {
            "owner": self.params["owner"] if uid is None else uid,
            "group": self.params["group"] if gid is None else gid,
            "mode": "%04o" % mode,
        }
        before = dict(zip(after, self.owners), mode="%04o" % self.owners[2]) if self.settles else after
        return _facts_diff("%s (file attributes)" % self.run.path, before, after)

    @contextlib.contextmanager
    def _labels_told(self, changed: bool, result: Mapping[str, Any]) -> Iterator[None]:
        """Have Ansible's own failures name the file and say what was changed before them. Raises Refused."""
        run = self.run

        def failed(msg: str = "", details: str = "", **_more: Any) -> None:
            reason = " ".join(str(details or msg).split())
            done = "everything else was done, but " if changed else ""
            raise Refused(
                "%s: %sits attributes or SELinux context cannot be set: %s" % (run.path, done, reason),
                **dict(result, path=run.path, problems=[], changed=changed),
            )

        run.module.fail_json = failed
        try:
            yield
        finally:
            del run.module.fail_json

    def _set_labels(self, diff: Dict[str, Any], changed: bool) -> bool:
        """Set the SELinux context and the file system's attributes; return whether the run changes anything.

        Ansible sets them by path.
        """
        run, module = self.run, self.run.module
        if not run.labels() or (run.seen is None and module.check_mode):
            return changed
        args = module.load_file_common_arguments(self.params, path=run.place.path)
        directory = hold(run.place.way)
        # Whatever becomes of the way to it, this leads into the directory that was judged.
        path = "/proc/%d/fd/%d/%s" % (os.getpid(), directory, run.place.name)
        try:
            if run.seen is None:
                module.set_context_if_different(path, module.selinux_default_context(run.place.path), changed)
            changed = module.set_context_if_different(path, args["secontext"], changed, diff)
            # Ansible would set those again that are there among others.
            if args["attributes"] is None or self._labelled(path):
                return bool(changed)
            # It adds the sign itself.
            return bool(module.set_attributes_if_different(path, args["attributes"].lstrip("="), changed, diff))
        finally:
            os.close(directory)


def _subject(problem: Problem) -> Tuple[str, Optional[str]]:
    return problem.code, problem.value if problem.code.startswith("directory-") else problem.setting
