# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check and apply the planned changes; a run that changes nothing never loads this."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
from typing import TYPE_CHECKING, Any, Iterator, Mapping

from .._config.check import DANGER
from .._config.printable import quoted
from .._files import write as _write
from .._files.access import READ, Reason, everybody_may, own_groups, planned_status
from .._files.config_file import ChangedMeanwhile
from .._files.guards import moved, other_names, swappable, unsafe_link
from .._files.obstacles import denied, too_long, unwritable
from .._files.rights import CHOWN, DAC_OVERRIDE, capable, forbidden, uncopyable, unkept
from .common import ENTRIES, directory_chooser, directory_of, directory_problems, file_problems, severe, spoken
from .plan import group_of_new
from .refused import Refused

if TYPE_CHECKING:
    from .._config.problems import Problem
    from .._files.path import ResolvedPath
    from .plan import Owners, Plan
    from .task import Task


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Delay the signals of a lost connection or a person until no change is half done."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGHUP, signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def text_diff(path: str, before: bytes, after: bytes) -> dict[str, str]:
    """Return the change of the text of a file in the form of Ansible."""
    return {
        "before_header": path,
        "after_header": path,
        "before": before.decode("utf-8", "replace"),
        "after": after.decode("utf-8", "replace"),
    }


def _facts_diff(header: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    keys = [key for key in after if before[key] != after[key]]
    return {
        "before_header": header,
        "after_header": header,
        "before": {key: before[key] for key in keys},
        "after": {key: after[key] for key in keys},
    }


def _sentence(reason: Reason) -> str:
    # Late: most changes succeed.
    from .reasons import sentence

    return sentence(reason)


def _advice(reason: Reason) -> str:
    from .reasons import advice

    return advice(reason)


def _unread(path: str, resolved: ResolvedPath, status: os.stat_result) -> Reason | None:
    """Return why root would not read a file of this status, by the rule of C(config_file.read)."""
    if everybody_may(path, status, READ) and resolved.public():
        return None
    from .._files.private import secret

    return secret(path, resolved, status)


class Change:
    """The change from the present state to the plan."""

    def __init__(self, task: Task, plan: Plan) -> None:
        self.task = task
        self.params = task.params
        self.plan = plan
        self.place = plan.place
        """The place of the file, resolved again after directories were made for it."""

    def refuse(self) -> None:
        """Check before any change whether all of them are possible and safe. Raises Refused."""
        self._refuse_directory()
        self._refuse_new_dangers()
        self._refuse_file()

    def _refuse_directory(self) -> None:
        plan = self.plan
        now, planned = plan.directory, plan.new_directory
        if not plan.changes_directory:
            return
        unsafe = unsafe_link(now.resolved)
        if (
            unsafe is None
            and plan.chooser is not None
            and (plan.after.names_directory or self.task.gives("directory_"))
        ):
            from .._files.chooser import chosen

            unsafe = chosen(now.resolved, now.path, plan.chooser)
        if unsafe:
            raise self.task.refused_for("nothing was changed: %s" % _advice(unsafe))
        if now.exists:
            reason = moved(now.resolved) or self._unchangeable()
            if reason:
                text = "nothing was changed: the directory %s cannot be given another owner, group or mode: %s"
                raise self.task.refused_for(text % (quoted(now.path), _advice(reason)))
            return
        resolved = now.resolved
        reason = (
            too_long(resolved)
            or unwritable(resolved.target)
            or self._ungivable("directory_", (planned.uid, planned.gid, planned.mode or 0))
        )
        if reason:
            # A user without a home can use neither default.
            by_default = self.params["path"] is None and self.params["directory"] is None
            options = "directory and path" if by_default else "directory"
            text = "the directory %s cannot be created: %s; set %s to where that is possible"
            raise self.task.refused_for(text % (quoted(now.path), _sentence(reason), options))

    def _unchangeable(self) -> Reason | None:
        """Return why the existing directory cannot get another owner, group or mode."""
        now, planned = self.plan.directory, self.plan.new_directory
        if not os.access(now.resolved.real, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
            return Reason("no-right-to-read", user=os.geteuid())
        if os.statvfs(now.resolved.real).f_flag & os.ST_RDONLY:
            return Reason("read-only", path=now.resolved.real)
        reason = forbidden((now.uid or 0, now.gid or 0, now.mode or 0), (planned.uid, planned.gid, planned.mode or 0))
        # Root with all capabilities is only denied by immutable files and by shares with root_squash.
        return reason or (denied(now.resolved.real) if capable(DAC_OVERRIDE) else None)

    def _ungivable(self, prefix: str, planned: Owners) -> Reason | None:
        """Return why a new file or directory cannot get the owner, group and setgid bit of the options with this prefix."""
        uid, gid, mode = planned
        own = os.geteuid()
        group = os.getegid() if gid is None or self.params[prefix + "group"] is not None else gid
        if self.params[prefix + "owner"] is None:
            uid = own
        return forbidden((own, group, 0), (uid, gid, mode & stat.S_ISGID))

    def _refuse_new_dangers(self) -> None:
        dangers = [p for p in severe(self.plan.problems, DANGER) if p.code not in self.params["ignore_dangers"]]
        if not dangers:
            return
        plan, task = self.plan, self.task
        place, seen, before = plan.place, plan.seen, plan.before
        there: list[Problem] = []
        if seen is not None:
            there = file_problems(place, seen.st_mode, seen.st_uid, seen.st_gid, plan.reader)
        if before is not None:
            led_by = directory_chooser(before, place, seen)
            state = directory_of(before, led_by)
            if state is not None:
                there += directory_problems(state, os.geteuid(), plan.cache_owner, ENTRIES, led_by, place.names())
            there = before.problems + before.relevant(there)
            if plan.changes_directory:
                from .._files.chooser import chooser

                if chooser(place, seen) is not None:
                    # Root would act on a config that other users have written.
                    there = [problem for problem in there if not problem.code.startswith("directory-")]
        known = {_subject(problem) for problem in there}
        new = [problem for problem in dangers if _subject(problem) not in known]
        if new:
            codes = ", ".join(sorted({problem.code for problem in spoken(new, self.params["ignore_dangers"])}))
            raise task.refused(
                "nothing was changed: the change would be dangerous (ignore_dangers: [%s] allows it)" % codes, new
            )

    def _refuse_file(self) -> None:
        plan, place = self.plan, self.place
        reason = None
        if plan.writes:
            failure = "written"
            reason = too_long(place.resolved, place.name) or self._unwritable_file() or unsafe_link(place.resolved)
        elif plan.changes_ownership and plan.seen is not None:
            failure = "given another owner, group or mode"
            reason = denied(place.path) or unsafe_link(place.resolved) or other_names(place.resolved, plan.seen)
            # A new owner or group costs a file the bits that a change of its mode alone would keep.
            reason = reason or forbidden(plan.owners, plan.new_owners) or unkept(*plan.new_owners[::2])
        if reason is None and self.params["attributes"] is not None:
            from .labels import unlabelled

            failure = "given attributes"
            reason = swappable(place.resolved) or unlabelled(self.task, plan, self._ids("", *plan.new_owners[:2]))
        if reason and plan.writes and self.params["path"] is None and plan.seen is None:
            raise self.task.refused_for(
                "it cannot be %s: %s; set path to where that is possible" % (failure, _sentence(reason))
            )
        if reason:
            raise self.task.refused_for("it cannot be %s: %s" % (failure, _advice(reason)))
        unread = self._unread_later()
        if unread:
            raise self.task.refused_for("nothing was changed: root could not read it in the next run: %s" % unread)

    def _unwritable_file(self) -> Reason | None:
        """Return why the file can neither be replaced or created, nor overwritten if that is allowed."""
        path, seen = self.place.path, self.plan.seen
        if seen is not None and self._keeps():
            reason = unwritable(path + "~") or uncopyable(seen.st_uid, seen.st_gid, seen.st_mode)
            if reason:
                return _write.NO_BACKUP.because(reason)
        reason = unwritable(path) or self._unreplaceable()
        in_place = reason is not None and seen is not None and self.params["unsafe_writes"]
        if in_place and os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            return forbidden(self.plan.owners, self.plan.new_owners) or unkept(*self.plan.new_owners[::2])
        return reason

    def _unreplaceable(self) -> Reason | None:
        """Return why a new file cannot get the owner and group of the old file, or of the options."""
        if self.plan.seen is not None and os.geteuid() == 0:
            return uncopyable(*self.plan.new_owners)
        uid, gid, mode = self.plan.new_owners
        given = self._ids("", uid, gid)[0]
        kept = None if given == -1 else unkept(given, mode)
        if self.plan.seen is not None:
            if self.params["group"] is None and gid not in own_groups() and not capable(CHOWN):
                gid = group_of_new(self.place)
            if not self._names_special_bits():
                # The new file loses these bits of the old one if it has another owner or group.
                mode &= ~_write.SPECIAL
        return kept or self._ungivable("", (uid, gid, mode))

    def _names_special_bits(self) -> bool:
        """Return whether the mode of the task names the setuid and setgid bits: by a number, or by the letter s."""
        mode = self.params["mode"]
        return mode is not None and ("s" in str(mode) or not set("+-=").intersection(str(mode)))

    def _unread_later(self) -> str | None:
        """Return why the next run of root would refuse to read the planned file, as C(config_file.read) does."""
        plan, path, resolved = self.plan, self.place.path, self.place.resolved
        uid, gid, mode = plan.new_owners
        unchanged = plan.seen is not None and not plan.changes_ownership
        if os.geteuid() != 0 or uid is None or gid is None or unchanged:
            return None
        if resolved.missing:
            from .._files.make_directory import parent_mode

            above = resolved.status()
            made = planned_status(stat.S_IFDIR | parent_mode(above.st_mode), above.st_uid, above.st_gid)
            visited = [*resolved.visited, (resolved.target, made)]
            resolved = resolved._replace(real=resolved.target, visited=visited, missing=[])
        reason, with_public_mode = [
            _unread(path, resolved, planned_status(stat.S_IFREG | bits, uid, gid, plan.seen))
            for bits in (mode, mode | 0o044)
        ]
        if reason is None:
            return None
        remedy = "choose another path" if with_public_mode else "set mode to 0644"
        if dict(resolved.visited)[reason.values["path"]].st_uid != 0:
            remedy += ", or become the owner of that directory with become_user"
        return "%s; %s" % (_sentence(reason), remedy)

    def _keeps(self) -> bool:
        """Return whether a backup is made of an existing file."""
        return bool(self.params["backup"]) or self.plan.before is None

    def lock(self) -> None:
        """Lock the directory of the file, except in check mode. Raises Refused, and ChangedMeanwhile if it was not locked before."""
        progress = self.task.progress
        if not self.task.module.check_mode:
            from .._files.lock import Lock

            progress.lock = progress.lock or Lock()
            try:
                new = progress.lock.take(self.place.resolved)
            except _write.CannotWrite as error:
                raise self._failed(error) from error
            if new:
                raise ChangedMeanwhile

    def _failed(self, error: _write.CannotWrite) -> Refused:
        result = {} if error.backup is None else {"backup_file": error.backup}
        return Refused(
            "%s: %s" % (self.task.path, _advice(error.reason)),
            path=self.task.path,
            problems=[],
            changed=error.changed,
            **result,
        )

    def carry_out(self) -> dict[str, Any]:
        """Make or change the directory, then the file, except in check mode; return the part of the result about it.

        Raises Refused, and ChangedMeanwhile if another process has written the file.
        """
        task, plan, diff = self.task, self.plan, self.task.progress.diff
        if plan.writes:
            diff.append(text_diff(task.path, plan.old or b"", plan.new))
        if plan.changes_directory:
            after = dict(plan.new_directory.as_dict(), **self.names())
            header = "%s (cache directory)" % plan.new_directory.path
            diff.append(_facts_diff(header, plan.directory.as_dict(), after))
        result: dict[str, Any] = {}
        if not task.module.check_mode:
            try:
                with undisturbed():
                    kept = self._write()
            except _write.CannotWrite as error:
                raise self._failed(error) from error
            if kept:
                result["backup_file"] = kept
        attributes = self._owners_diff()
        changed = bool(plan.writes or plan.changes_ownership or plan.changes_directory or task.progress.done)
        task.progress.complete = changed and not task.module.check_mode
        if task.labels() and not (plan.seen is None and task.module.check_mode):
            from .labels import set_labels

            changed = set_labels(task, self.place, plan.seen is None, attributes, changed, result)
        result["changed"] = changed
        if attributes["after"]:
            diff.append(attributes)
        return result

    def _write(self) -> str | None:
        """Apply the plan; return the path of the backup."""
        plan, progress = self.plan, self.task.progress
        ids = self._ids("", *plan.new_owners[:2])
        mode = plan.new_owners[2]
        if plan.changes_directory:
            planned = plan.new_directory
            owners = self._ids("directory_", planned.uid, planned.gid)
            from .._files.make_directory import make

            make(plan.directory, *owners, planned.mode or 0)
            progress.done += progress.diff[-1:]
        if plan.writes:
            if self.place.resolved.missing:
                from .._files.make_directory import make_with_file

                self.place = make_with_file(self.place, plan.new, *ids, mode)
                return None
            in_place = self.params["unsafe_writes"]
            return _write.write(
                self.place,
                plan.seen,
                plan.old,
                plan.new,
                *ids,
                mode,
                in_place=in_place,
                keep=self._keeps(),
                exact=self._names_special_bits(),
            )
        if plan.changes_ownership and plan.seen is not None:
            _write.apply_ownership(self.place, plan.seen, *ids, mode)
        return None

    def _ids(self, prefix: str, uid: int | None, gid: int | None) -> tuple[int, int]:
        """Return the owner and group to set; -1 to keep the present one."""
        return (
            -1 if self.params[prefix + "owner"] is None or uid is None else uid,
            -1 if self.params[prefix + "group"] is None or gid is None else gid,
        )

    def names(self) -> dict[str, str]:
        """Return the owner and group of the directory that do not exist yet."""
        names, planned = {}, self.plan.new_directory
        if planned.exists and planned.uid is None:
            names["owner"] = self.params["directory_owner"]
        if planned.exists and planned.gid is None:
            names["group"] = self.params["directory_group"]
        return names

    def _owners_diff(self) -> dict[str, Any]:
        """Return the change of owner, group and mode; for a new file they are part of its creation."""
        uid, gid, mode = self.plan.new_owners
        after = {
            "owner": self.params["owner"] if uid is None else uid,
            "group": self.params["group"] if gid is None else gid,
            "mode": "%04o" % mode,
        }
        before = (
            dict(zip(after, self.plan.owners), mode="%04o" % self.plan.owners[2])
            if self.plan.changes_ownership
            else after
        )
        return _facts_diff("%s (file attributes)" % self.task.path, before, after)


def _subject(problem: Problem) -> tuple[str, str | None]:
    return problem.code, problem.value if problem.code.startswith("directory-") else problem.setting
