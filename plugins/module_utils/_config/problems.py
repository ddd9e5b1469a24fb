# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of problems: everything that can be wrong with a config, its file or its directory, and the texts for it.

A C(Finding) names a text of this table and has the values for it. A run without problems never loads this.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, NamedTuple

from .check import DANGER, ERROR, KEYS_OF_2019, MAX_BYTES, NAME_MAX, PATH_MAX, WARNING, Finding
from .printable import printable, shown
from .programs import SWITCH_OFF
from .settings import LEVEL_MAX, LEVEL_MIN, PERCENT_MAX, SETTINGS, U64_MAX, BadValue, Kind
from .toml import DOTS_MAX
from .values import parse_text
from .words import format_value, type_name, versions_of

# How the behaviour of Wasmtime is known: from a test with a real one, from its source, or it does not matter.
PROVEN = "test"
FROM_SOURCE = "source"
OURS = "none"


class Problem:
    """Something wrong with a config; its fields are the keys that the modules return."""

    def __init__(
        self,
        code: str,
        severity: str,
        message: str,
        remedy: str,
        setting: str | None = None,
        value: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        self.code = code
        self.severity = severity
        self.setting = setting
        self.value = value
        self.line = line
        self.column = column
        self.message = message
        self.remedy = remedy

    def as_dict(self) -> dict[str, Any]:
        """Return the problem as the modules return it."""
        return dict(vars(self))

    def sentence(self) -> str:
        """Return the problem in one sentence: the line, what is wrong, and the remedy."""
        place = "" if self.line is None else "line %d, column %d: " % (self.line, self.column or 1)
        return "%s%s; %s" % (place, self.message, self.remedy)


class Text(NamedTuple):
    """The text for a finding; its fields are filled from C(_WORDS) and the facts."""

    message: str
    remedy: str
    name: str = ""
    """The name of the finding; empty for the code."""
    at_key: bool = False
    """Whether it concerns the key and not its value."""


class ProblemCode(NamedTuple):
    """One code."""

    code: str
    severity: str
    engine: str
    """What Wasmtime does, for docs/problems.md."""
    helps: str
    """What to do, for docs/problems.md."""
    texts: tuple[Text, ...]
    source: str = PROVEN


_ABSOLUTE = 'write an absolute path, like "/var/cache/wasmtime"'
_BOTH_LEVELS = "set both, with optimized-compression-level not below baseline-compression-level"
_RULE = 'write %(rule)s, like "%(example)s"'
_STAYS_ON = SWITCH_OFF + ", and removing this line, or the file at the default path, switches the cache on"
_ENABLED_MISSING = "enabled is missing, which Wasmtime up to 32 requires"
_ENABLED_REFUSED = "enabled is refused by Wasmtime 33 and later"
_NO_COMMON_FILE = "no file suits both Wasmtime up to 32 and later ones: give each a file of its own"
_IN_1_0 = (
    "write it in TOML 1.0: Wasmtime up to 38 and official builds up to 48 read no other; of other programs with 39 to 48,"
    " those built with toml_parser 1.0.6 or later read TOML 1.1"
)
_NOT_A_CONFIG = "the file is not a cache config but %s"
_NAME_IT = "set path to the cache config"
_IN_SPIN = _NAME_IT + "; Spin takes it from spin up --cache FILE"
_BECOME = "become the user of the cache with become_user"
_RUN = "these users can run native code in every process that loads the cache"

TABLE: tuple[ProblemCode, ...] = (
    ProblemCode(
        "cache-missing",
        ERROR,
        engine="refuses a file without the table `[cache]`, an empty one too",
        helps="add a line `[cache]`",
        texts=(Text("the table [cache] is missing", "add a line [cache]"),),
    ),
    ProblemCode(
        "cache-not-a-table",
        ERROR,
        engine="refuses it, or takes a list by positions that differ between versions",
        helps="write a line `[cache]` and each setting on a line of its own below it",
        texts=(
            Text(
                "cache is %(found_type)s, not a table",
                "write a line [cache] and each setting on a line of its own below it",
            ),
            Text(
                "cache is a boolean, not a table",
                "write a line [cache] and each setting on a line of its own below it; cache = true is for [codegen] of a"
                " file for wasmtime run --config",
                name="cache-boolean",
            ),
        ),
    ),
    ProblemCode(
        "changing",
        ERROR,
        engine="may read half of a file that something else is writing",
        helps="run again when nothing else writes it",
        texts=(Text("the file changed while it was read", "run again when nothing else writes it"),),
        source=FROM_SOURCE,
    ),
    ProblemCode(
        "dangling-link",
        ERROR,
        engine="refuses a file that cannot be read; at the default path it takes it for none and uses the defaults",
        helps="name the file itself, or remove the link if nothing needs it",
        texts=(
            Text(
                "it is a symbolic link to %(target)s, which does not exist",
                "name the file itself, or remove the link if nothing needs it",
            ),
        ),
    ),
    ProblemCode(
        "directory-nul",
        ERROR,
        engine="cannot create a directory with a NUL character in its path, and refuses the file",
        helps="write an absolute path without it",
        texts=(Text("%(subject)s has a NUL character", _ABSOLUTE),),
    ),
    ProblemCode(
        "directory-relative",
        ERROR,
        engine="refuses a path that is not absolute; it expands neither `~` nor variables",
        helps="write an absolute path",
        texts=(
            Text("%(subject)s is not absolute", _ABSOLUTE),
            Text(
                "%(subject)s is not absolute: the engine expands neither ~ nor variables",
                _ABSOLUTE,
                name="directory-unexpanded",
            ),
        ),
    ),
    ProblemCode(
        "directory-too-long",
        ERROR,
        engine="cannot create a directory whose path has more than 4095 bytes, or a name in it more than 255",
        helps="use a shorter path",
        texts=(
            Text(
                "%(subject)s is too long",
                "use a path of at most %d bytes in which no name has more than %d" % (PATH_MAX, NAME_MAX),
            ),
        ),
    ),
    ProblemCode(
        "directory-unusable",
        ERROR,
        engine="cannot create the directory: a file or a dead link is in the way, or the right is missing",
        helps="use a path that can be created, or create it beforehand",
        texts=(
            Text(
                'the directory "%(directory)s" cannot be used: %(reasons)s',
                "set directory to a path that can be created",
                name="in-the-way",
            ),
            Text(
                'the directory "%(directory)s" cannot be used: %(reasons)s',
                _BECOME + ", or set directory to another path",
                name="not-entered",
            ),
            Text(
                '%(user)s may not enter "%(first)s" and so cannot use the directory "%(directory)s"',
                "use a directory that this user can reach",
                name="barred",
            ),
            Text(
                'the directory "%(directory)s" does not exist and %(user)s cannot create it in "%(first)s"',
                "set directory to a path that can be created, or create it beforehand for that user",
                name="cannot-create",
            ),
            Text(
                'the directory "%(directory)s" does not exist and root cannot create it in "%(first)s", probably'
                " because that is on a share with root_squash",
                _BECOME + ", or name that user in directory_owner",
                name="cannot-create-by-root",
            ),
            Text(
                'the directory "%(directory)s" does not exist and cannot be created: "%(first)s" is on a read-only file'
                " system",
                "use a directory on another file system, or mount this one writable",
                name="cannot-create-read-only",
            ),
        ),
    ),
    ProblemCode(
        "enabled-missing",
        ERROR,
        engine="up to 32, refuses a file without `enabled`",
        helps="add `enabled = true`, or let `cache_config` do so",
        texts=(
            Text(_ENABLED_MISSING, "add enabled = true"),
            Text(_ENABLED_MISSING, _NO_COMMON_FILE, name="enabled-missing-for-some"),
        ),
    ),
    ProblemCode(
        "enabled-refused",
        ERROR,
        engine="from 33 on, refuses a file with `enabled`; no file switches its cache off, and without this line, or"
        " without a file at the default path, the cache is on",
        helps="remove `enabled = true`; instead of `enabled = false` switch the cache off in the program: `-C cache=n`"
        " of `wasmtime`, `DISABLE_WASMTIME_CACHE` of Spin (read from its source), an empty `EXTISM_CACHE_CONFIG` of"
        " Extism",
        texts=(
            Text(_ENABLED_REFUSED, "remove the line: the cache is on without it", at_key=True),
            Text(_ENABLED_REFUSED, _STAYS_ON, name="enabled-false-refused", at_key=True),
            Text(_ENABLED_REFUSED, _NO_COMMON_FILE, name="enabled-refused-by-some", at_key=True),
        ),
    ),
    ProblemCode(
        "invalid-value",
        ERROR,
        engine="refuses a text that is not a number with a unit of that setting",
        helps='write a whole number and one of the setting\'s units, like `"512Mi"` or `"1h"`',
        texts=(
            Text("%(subject)s is empty", _RULE, name="empty"),
            Text("%(subject)s does not start with a digit", _RULE, name="no-digit"),
            Text("%(subject)s has no unit", "write %(with_unit)s", name="no-unit"),
            Text("%(subject)s is not a whole number", _RULE, name="not-whole"),
            Text(
                "%(subject)s is not a whole number with a unit",
                'write one number and one unit, like "%(example)s"',
                name="not-whole-with-unit",
            ),
            Text('%(subject)s has the unknown unit "%(unit)s"', "write %(known_unit)s", name="unknown-unit"),
            Text("%(subject)s is negative", _RULE, name="negative"),
        ),
    ),
    ProblemCode(
        "missing",
        ERROR,
        engine="refuses an explicit path at which there is no file",
        helps="create the file, or correct the path",
        texts=(
            Text("there is no such file", "create it, or correct the path"),
            Text('a directory from which ".." leads back does not exist', 'write the path without ".."', name="detour"),
        ),
    ),
    ProblemCode(
        "no-home",
        ERROR,
        engine="finds no cache directory for a user without a home",
        helps="set `directory` to an absolute path",
        texts=(
            Text(
                "directory is not set and the user has no home directory to derive it from",
                "set directory to an absolute path",
                at_key=True,
            ),
        ),
    ),
    ProblemCode(
        "not-a-cache-config",
        ERROR,
        engine="refuses a file that has other keys than `cache`: the options of `wasmtime run --config`, or the manifest of"
        " a program",
        helps='name the cache config: `-C cache-config=FILE` of `wasmtime`, or `cache-config = "FILE"` in `[codegen]` of'
        " the file for `--config`",
        texts=(
            Text(
                "the file is not a cache config: it has options of wasmtime run --config (%(tables)s)",
                "put the settings of the cache under [cache] into a file of their own, and name that one: with"
                ' cache-config = "FILE" in [codegen], or with -C cache-config=FILE',
                name="run-options",
                at_key=True,
            ),
            Text(_NOT_A_CONFIG % "a Spin manifest (spin.toml)", _IN_SPIN, name="spin-manifest", at_key=True),
            Text(_NOT_A_CONFIG % "a runtime config of Spin", _IN_SPIN, name="spin-runtime-config", at_key=True),
            Text(_NOT_A_CONFIG % "a Cargo manifest (Cargo.toml)", _NAME_IT, name="cargo-manifest", at_key=True),
            Text(_NOT_A_CONFIG % "a Python project (pyproject.toml)", _NAME_IT, name="python-project", at_key=True),
            Text(_NOT_A_CONFIG % "a config of containerd", _NAME_IT, name="containerd-config", at_key=True),
        ),
    ),
    ProblemCode(
        "not-a-file",
        ERROR,
        engine="refuses a directory; what else is no regular file is not read here",
        helps="name a regular file",
        texts=(
            Text("it is not a regular file", "name a regular file"),
            Text("it is a directory", "name the config file in it, like config.toml", name="is-a-directory"),
        ),
    ),
    ProblemCode(
        "not-utf-8",
        ERROR,
        engine="refuses a file with a byte that is not UTF-8",
        helps="save the file as UTF-8",
        texts=(Text("byte 0x%(byte)02x is not valid UTF-8", "save the file as UTF-8"),),
    ),
    ProblemCode(
        "optimized-below-baseline",
        ERROR,
        engine="refuses an optimized compression level below the baseline, even if one of them is the default",
        helps="set both levels, the optimized one at least as high as the baseline",
        texts=(
            Text(
                "optimized-compression-level (%(optimized)d) is lower than baseline-compression-level (%(baseline)d)",
                _BOTH_LEVELS,
                name="levels",
            ),
            Text(
                "optimized-compression-level (%(optimized)d) is lower than baseline-compression-level (%(baseline)d), which"
                " is the default",
                _BOTH_LEVELS,
                name="optimized-below-default",
            ),
            Text(
                "baseline-compression-level (%(baseline)d) is higher than optimized-compression-level (%(optimized)d), the"
                " default",
                _BOTH_LEVELS,
                name="baseline-above-default",
            ),
        ),
    ),
    ProblemCode(
        "out-of-range",
        ERROR,
        engine="refuses a level outside of 0 to 21, or a percentage above 100%",
        helps="write a number within the range",
        texts=(
            Text(
                "%%(subject)s is outside %d..%d" % (LEVEL_MIN, LEVEL_MAX),
                "write a number from %d to %d" % (LEVEL_MIN, LEVEL_MAX),
                name="level-range",
            ),
            Text("%(subject)s is more than 100%%", 'write 0%% to 100%%, like "70%%"', name="percent-range"),
        ),
    ),
    ProblemCode(
        "overflow",
        ERROR,
        engine="refuses a number that does not fit: 2^64-1 in the base unit, 2^31-1 for a level, 255 for a percentage; a"
        " duration from 48 on",
        helps="write a smaller value",
        texts=(
            Text("%(subject)s is more than 2^64-1", _RULE, name="more-than-u64"),
            Text("%(subject)s is more than 255", _RULE, name="more-than-255"),
            Text("%(subject)s is out of range", "write %(rule)s, like %(example)s", name="level-overflow"),
            Text("%(subject)s is more than 2^64-1 seconds", "write a shorter duration", name="duration-overflow"),
        ),
    ),
    ProblemCode(
        "toml-grammar",
        ERROR,
        engine="from 39 to 48, refuses TOML 1.1 in official builds, and takes it in programs built with toml_parser 1.0.6"
        " or later",
        helps="write it in TOML 1.0",
        texts=(Text("valid TOML 1.1, but not TOML 1.0: %(reason)s", _IN_1_0),),
    ),
    ProblemCode(
        "toml-syntax",
        ERROR,
        engine="refuses what is not TOML: 1.0 up to 38, 1.1 from 49 on, and between them one or the other",
        helps="correct the TOML at the place named",
        texts=(
            Text("not valid TOML: %(reason)s", "correct the TOML there"),
            Text(
                "not valid TOML: %(reason)s (this host has no tomli 2.4 or newer to find out whether TOML 1.1 allows"
                " it)",
                "correct the TOML there",
                name="toml-syntax-unsure",
            ),
            Text("valid TOML 1.1, but not TOML 1.0: %(reason)s", _IN_1_0, name="toml-1-0"),
            Text(
                "not valid TOML: %(reason)s",
                "write the number without the underscore after its sign, which only some builds of Wasmtime 39 to 48 take",
                name="toml-underscore",
            ),
        ),
    ),
    ProblemCode(
        "toml-unproven",
        ERROR,
        engine="unknown: the host has only a parser for TOML 1.1, and the file may not be TOML 1.0",
        helps="write it without inline tables and without the escapes `\\e` and `\\x`, or use Python 3.11 or newer there",
        texts=(
            Text(
                "the file has syntax that may be TOML 1.1 only, and this host has no parser for TOML 1.0 to check it",
                "write it without inline tables and without the escapes \\e and \\x, or use Python 3.11 or newer there",
            ),
        ),
        source=OURS,
    ),
    ProblemCode(
        "too-large",
        ERROR,
        engine="reads a file of any size; here none of more than %d KiB or with more than %d dots in a line is read"
        % (MAX_BYTES // 2**10, DOTS_MAX),
        helps="name the cache config, which has a few hundred bytes",
        texts=(
            Text(
                "the file has %%(size)d bytes, and at most %d are read" % MAX_BYTES,
                "name the cache config, which has a few hundred bytes",
            ),
            Text(
                "the line has more than %d dots and is not read" % DOTS_MAX,
                "shorten the path or the key in it",
                name="too-many-dots",
            ),
        ),
    ),
    ProblemCode(
        "unknown-key",
        ERROR,
        engine="refuses the whole file for one key that it does not know, such as `file_count_soft_limit` with underscores,"
        " or a setting without the line `[cache]` above it",
        helps="write the key as Wasmtime spells it, below `[cache]`, or remove it",
        texts=(
            Text("%(key)s is not known at the top level", "%(table)s", name="unknown-table", at_key=True),
            Text("%(key)s is not a setting of [cache]", "%(better)s", name="unknown-setting", at_key=True),
            Text(
                "the file has settings of 2019 that Wasmtime no longer has: %(old_keys)s",
                "%(replace)s",
                name="keys-of-2019",
                at_key=True,
            ),
            Text(
                "only Wasmtime %(versions)s knows %(name)s",
                "remove it, or set wasmtime_version to the version that reads the file",
                name="setting-of-others",
                at_key=True,
            ),
            Text("%(number)d more unknown key%(plural)s", "remove every key that is not a setting", name="unlisted"),
        ),
    ),
    ProblemCode(
        "unreadable",
        ERROR,
        engine="refuses a file that it, or the user named in `directory_owner`, has no right to read",
        helps="give the right to read it",
        texts=(
            Text("it cannot be read: %(reason)s", "correct that first"),
            Text("it cannot be read: too many symbolic links", "correct that first", name="too-many-links"),
            Text("it cannot be read: %(reason)s", "become a user who may, with become_user", name="denied"),
            Text("it cannot be read: %(reason)s", "become the owner of the file with become_user", name="secret"),
            Text(
                '%(user)s may not enter "%(above)s" and so cannot read the file',
                "use a path that this user can reach",
                name="file-barred",
            ),
            Text(
                "%(user)s may not read the file",
                "set mode to 0644, or group to a group of %(user)s",
                name="file-unreadable",
            ),
        ),
    ),
    ProblemCode(
        "wrong-type",
        ERROR,
        engine="refuses a number where it wants a string, or the reverse",
        helps="put quotes around all but `enabled` and the two compression levels; durations and percentages need a unit",
        texts=(
            Text("%(name)s must be a string", "write %(with_unit)s with quotes", name="not-quoted"),
            Text("%(subject)s is %(type)s, not a string", _RULE + " with the quotes", name="not-a-string"),
            Text(
                "%(subject)s is %(type)s, not a string",
                'write an absolute path in quotes, like "%(example)s"',
                name="path-not-a-string",
            ),
            Text("%(subject)s is %(type)s, not an integer", "write %(rule)s, like %(example)s", name="not-an-integer"),
            Text("enabled is %(type)s, not a boolean", "write true or false without quotes", name="enabled-type"),
        ),
    ),
    ProblemCode(
        "clock-overflow",
        DANGER,
        engine="from 15 on, aborts at its first cleanup, when the allowed clock drift added to the time leaves the range of the clock",
        helps='write a shorter duration, like `"1d"`',
        texts=(
            Text(
                "%(subject)s reaches beyond the system clock's range: from Wasmtime 15 on, the process aborts at its first cleanup",
                'write a shorter duration, like "1d"',
            ),
        ),
    ),
    ProblemCode(
        "config-in-cache",
        DANGER,
        engine="deletes a config in its own cache directory or below it, at its first cleanup; a config without an"
        " extension two levels down, such as `modules/x/config`, counts as a cached module and goes when the limits are"
        " reached",
        helps="move the config out of the cache directory, or set `directory` to another one",
        texts=(
            Text(
                'the config "%(first)s" is in its own cache directory "%(directory)s", where a cleanup deletes it',
                "move the config out of the cache directory, or set directory to another one",
                name="config",
            ),
        ),
    ),
    ProblemCode(
        "directory-foreign-files",
        DANGER,
        engine="deletes the files in the directory that are not its own, at its first cleanup or when the limits are"
        " reached",
        helps="set `directory` to an empty directory that nothing else uses; move a stray file out of a cache that is in use",
        texts=(
            Text(
                '"%(directory)s" holds files that are not the engine\'s (%(some)s): a cleanup deletes them',
                "set directory to an empty directory that nothing else uses",
                name="foreign",
            ),
            Text(
                '"%(directory)s" holds files that are not the engine\'s (%(some)s): a cleanup deletes them',
                "move them out of the cache directory, as cache_prune does with remove=foreign and backup",
                name="stray",
            ),
        ),
    ),
    ProblemCode(
        "directory-not-dedicated",
        DANGER,
        engine="deletes files in a home or a directory of the system, those saved later included",
        helps="set `directory` to one that nothing else uses, like `/var/cache/wasmtime`",
        texts=(
            Text(
                '"%(directory)s" is a directory of the system or a home: the engine deletes the files in it',
                "set directory to one that nothing else uses, like /var/cache/wasmtime",
                name="not-dedicated",
            ),
        ),
    ),
    ProblemCode(
        "directory-replaceable",
        DANGER,
        engine="runs the native code of whoever puts another directory in the place of this one, through a directory or a"
        " symbolic link on its path",
        helps="use a path on which every directory belongs to root or to the owner, and to which nobody else can write",
        texts=(
            Text(
                'users other than root and its owner can put another directory in the place of "%(directory)s":'
                " %(reasons)s",
                "use a path on which every directory belongs to root or to the owner, and to which nobody else can write",
                name="replaceable",
            ),
        ),
    ),
    ProblemCode(
        "directory-symbolic-link",
        DANGER,
        engine="follows links in the directory to other directories, and deletes the files there",
        helps="remove the links",
        texts=(
            Text(
                '"%(directory)s" holds symbolic links (%(some)s): a cleanup deletes them, and the files in the directories'
                " behind them",
                "remove the links, as cache_prune does with remove=foreign",
                name="links",
            ),
        ),
    ),
    ProblemCode(
        "directory-writable-by-others",
        DANGER,
        engine="runs the native code of whoever writes to the directory or to those in it: its owner, unless that is root"
        " or the user who runs Wasmtime, and anyone whom its mode or an ACL allows to write",
        helps="set `directory_mode` to 0700, and remove ACLs; or use a directory of the user who runs Wasmtime, whom"
        " `directory_owner` names",
        texts=(
            Text(
                'users other than the owner can write to "%(directory)s": ' + _RUN,
                "set directory_mode to 0700, and remove ACLs",
                name="writable",
            ),
            Text(
                '"%(directory)s" holds files of other users (%(some)s): ' + _RUN,
                "remove them with cache_prune, remove=untrusted; the engine fills the cache again",
                name="planted",
            ),
            Text(
                'users other than the owner can write to files in "%(directory)s" (%(some)s): ' + _RUN,
                "set directory_mode to 0700, or take the right to write from group and others there",
                name="exposed",
            ),
            Text(
                'users other than the owner can write to "%(directory)s" once the engine creates it, by the default ACL of'
                ' "%(first)s"',
                "create it beforehand without this ACL, as cache_config does",
                name="inherits",
            ),
            Text(
                'the directory "%(directory)s" belongs to %(reasons)s, who can run native code in every process of'
                " %(user)s that loads the cache",
                "use a directory of %(user)s, or name the user that runs Wasmtime in directory_owner",
                name="owned",
            ),
        ),
    ),
    ProblemCode(
        "duration-wraps",
        DANGER,
        engine="before 48, takes a duration modulo 2^64 seconds: `307445734561825861m` is 44 s",
        helps="write a shorter duration",
        texts=(
            Text(
                "%(subject)s is more than 2^64-1 seconds, and Wasmtime before 48 uses %(made)s instead",
                "write a shorter duration",
            ),
        ),
    ),
    ProblemCode(
        "file-writable-by-others",
        DANGER,
        engine="uses the cache directory that the file names, and runs the native code in it; this choice is that of anyone who"
        " can write to the file (by mode, by ACL, or as its owner) or replace it through a directory on its path",
        helps="set `mode` to 0644, and remove ACLs, those of the directories above it, too; or use a file of root or of the"
        " user who runs Wasmtime",
        texts=(
            Text(
                "users other than the owner can write to this file and so choose whose code Wasmtime runs",
                "set mode to 0644, and remove ACLs",
                name="file-writable",
            ),
            Text(
                '%(owner)s owns "%(owned)s", and so can write to or replace this file and choose whose code Wasmtime runs',
                "use a file that belongs to %(user)s or root, in directories that all belong to %(user)s or root",
                name="file-owned",
            ),
            Text(
                'users other than the owner can replace this file, as they can write to "%(above)s", and so choose whose'
                " code Wasmtime runs",
                "take the right to write there from group and others, and remove ACLs, or use another path",
                name="file-replaceable",
            ),
        ),
    ),
    ProblemCode(
        "limit-overflow",
        DANGER,
        engine="from 15 on, aborts at its first cleanup, when a soft limit times its percentage is more than 2^64-1",
        helps='write a smaller limit: at 70% at most `"234Pi"`',
        texts=(
            Text(
                "%(limit)s times %(percent_name)s is more than 2^64-1: from Wasmtime 15 on, the process aborts at its first cleanup",
                "write a smaller limit: at %(percent)d%% at most %(most)s",
            ),
        ),
    ),
    ProblemCode(
        "queue-memory",
        DANGER,
        engine="allocates 40 bytes for each place in the event queue when it loads the file, and aborts if the host has"
        " less memory",
        helps='write a smaller size, like `"1K"`',
        texts=(
            Text(
                "%(subject)s makes the process allocate %(bytes)d bytes at load and abort: the host has %(memory)d bytes",
                'write a smaller size, like "1K"',
            ),
        ),
    ),
    ProblemCode(
        "directory-dynamic-user",
        WARNING,
        engine="works in the systemd unit with `DynamicUser=` and `CacheDirectory=` (or the like) that the directory belongs"
        " to, and for no other process",
        helps="leave it as it is if Wasmtime runs in that unit, or else use another directory",
        texts=(
            Text(
                'the directory "%(directory)s" is in "%(first)s": only the systemd unit with DynamicUser= that it belongs to'
                " can use it",
                "leave it as it is if Wasmtime runs in that unit, or else use another directory",
                name="dynamic-user",
            ),
        ),
    ),
    ProblemCode(
        "directory-line-break",
        WARNING,
        engine="keeps a CRLF in a multi-line string from 39 on, and reads it as LF before: another directory",
        helps="write the path without line breaks",
        texts=(
            Text(
                "directory has a line break, which Wasmtime up to 38 reads as LF and later ones as CRLF",
                "write the path without line breaks",
            ),
        ),
    ),
    ProblemCode(
        "directory-not-looked-at",
        WARNING,
        engine="nothing: as root the modules do not say what is in a directory to a user who cannot list it but chooses it,"
        " by a link or in the config",
        helps="become the user of the cache with `become_user`, or name the directory in `directory`",
        texts=(
            Text(
                'root does not look into the directory "%(directory)s", which not everybody may list: %(reasons)s',
                _BECOME + ", or name the directory in directory",
                name="hidden",
            ),
            Text(
                'root does not look into "%(first)s", which not everybody may list: other users have led it to'
                ' "%(directory)s", by a link or in the config',
                _BECOME + ", or name the directory in directory",
                name="closed",
            ),
        ),
        source=OURS,
    ),
    ProblemCode(
        "directory-owner",
        WARNING,
        engine="works with a directory of another user, who can change what is in it",
        helps="if that is meant, name the owner in `directory_owner`",
        texts=(
            Text(
                'the directory "%(directory)s" belongs to %(reasons)s',
                "if that is meant, name the owner in directory_owner",
                name="owner",
            ),
        ),
    ),
    ProblemCode(
        "directory-placeholder",
        WARNING,
        engine="creates a directory whose name has `$USER`, `${VAR}`, `{tenant}`, `{{ x }}`, `%h`, `<name>` or `~` in it: it"
        " expands nothing",
        helps="write the path that is meant",
        texts=(
            Text(
                '%(subject)s has the placeholder "%(placeholder)s", which Wasmtime does not expand: it creates a directory'
                " of this name",
                "write the path that is meant",
            ),
        ),
    ),
    ProblemCode(
        "directory-unwritable",
        WARNING,
        engine="does without a cache that it cannot write, on a read-only or full file system, too, and says nothing",
        helps="give the user who runs Wasmtime the right to write there, mount the file system writable, or free space",
        texts=(
            Text(
                'the directory "%(directory)s" cannot be written by %(user)s, so nothing is cached',
                "give %(user)s the right to write there",
                name="unwritable",
            ),
            Text(
                'the directory "%(directory)s" cannot be written by root, probably because it is on a share with'
                " root_squash, so nothing is cached",
                _BECOME + ", or name that user in directory_owner",
                name="unwritable-by-root",
            ),
            Text(
                'the directory "%(directory)s" is on a read-only file system, so nothing new is cached',
                "mount the file system writable, or use a directory on another one",
                name="read-only",
            ),
            Text(
                'the directory "%(directory)s" is on a full file system, so nothing new is cached',
                "free space there, or use a directory on another file system",
                name="full",
            ),
        ),
    ),
    ProblemCode(
        "empties-itself",
        WARNING,
        engine="deletes the whole cache at every cleanup that a limit of 0 or a percentage of 0 leads to",
        helps="write more than 0",
        texts=(Text("%(subject)s makes every cleanup delete the whole cache", "write more than 0"),),
    ),
    ProblemCode(
        "limit-beyond-file-system",
        WARNING,
        engine="begins no cleanup by size while the cache is smaller than `files-total-size-soft-limit`, so that a file"
        " system that holds less gets full first",
        helps="write a smaller limit",
        texts=(
            Text(
                "%(name)s (%(limit)d bytes) is more than the file system of the cache directory can hold (%(capacity)d"
                " bytes): the file system is full before a cleanup begins",
                'write a smaller limit, like "%(half)s"',
            ),
        ),
    ),
    ProblemCode(
        "small-queue",
        WARNING,
        engine="drops events when the queue is full, and with them usage counts",
        helps="write 3 or more",
        texts=(Text("%(subject)s is small: events, and with them usage counts, get lost", "write 3 or more"),),
    ),
)

PROBLEMS = {entry.code: entry for entry in TABLE}
TEXTS = {text.name or entry.code: text for entry in TABLE for text in entry.texts}
CODES = {text.name or entry.code: entry.code for entry in TABLE for text in entry.texts}


def to_problem(finding: Finding) -> Problem:
    """Return a finding as a problem with its texts."""
    entry, text, value = PROBLEMS[CODES[finding.name]], TEXTS[finding.name], finding.value
    words = _Words(finding.facts, name=finding.path[-1] if finding.path else "", value=value)
    return Problem(
        entry.code,
        entry.severity,
        text.message % words,
        text.remedy % words,
        finding.path[1] if len(finding.path) > 1 else None,
        value if value is None or isinstance(value, str) else shown(value),
        finding.facts.get("line"),
        finding.facts.get("column"),
    )


def sentence_on(option: str, value: Any, bad: BadValue) -> str:
    """Return what is wrong with the value of an option, and the remedy, in one sentence."""
    text = TEXTS[bad.name]
    words = _Words(bad.facts, name=option, value=value, subject="%s: %s" % (option, shown(value)))
    return "%s; %s" % (text.message % words, text.remedy % words)


class _Words(Dict[str, Any]):
    """The values for the fields of texts: the facts, in one line each, and the results of C(_WORDS)."""

    def __init__(self, facts: Any, **more: Any) -> None:
        super().__init__(facts, **more)
        for name, fact in facts.items():
            if isinstance(fact, str):
                self[name] = printable(fact)

    def __missing__(self, word: str) -> Any:
        return _WORDS[word](self)


def _table(words: _Words) -> str:
    """Return the remedy for an unknown key at the top level."""
    if words["name"] not in words["known"]:
        return "remove it: the only table is [cache]"
    return "write the line [cache] above it" if words["found"] is None else "move it into the table [cache]"


def _better(words: _Words) -> str:
    """Return the remedy for an unknown setting."""
    key, known, found = words["name"], words["known"], words["found"]
    right = key.replace("_", "-").lower()
    if right in known:
        return "remove it: %s is set, too" % right if right in found else "write %s" % right
    import difflib

    near = difflib.get_close_matches(key, [name for name in known if name not in found], 1, 0.75)
    return "did you mean %s?" % near[0] if near else "remove it"


def _replace(words: _Words) -> str:
    """Return the remedy for settings of 2019."""
    new = [KEYS_OF_2019[key] for key in words["old"]]
    missing = [key for key in new if key not in words["found"]]
    if not missing:
        return "remove them: the settings of today are there, too"
    remedy = (
        'replace them with %s, whose values are strings, with a unit for durations and percentages, like "1h" or "70%%"'
        % ", ".join(missing)
    )
    return remedy if len(missing) == len(new) else "%s, and remove those whose new name is there, too" % remedy


def _half(words: _Words) -> str:
    """Return at least half of the size of a file system, in a whole number of the largest binary unit."""
    half = words["capacity"] // 2
    for unit, factor in (("Ti", 2**40), ("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
        if half >= factor:
            return "%d%s" % (half // factor, unit)
    return str(half)


def _most(words: _Words) -> str:
    """Return the largest limit that is not too large times the percent, in quotes; a size in binary units, too."""
    most = U64_MAX // words["percent"]
    size = SETTINGS[words["limit"]].kind.name == "size"
    return '"%d" ("%dPi")' % (most, most >> 50) if size else '"%d"' % most


def _with_unit(words: _Words) -> str:
    """Return the number as a text of its kind, in quotes: as it is, and shorter if that is possible."""
    kind, number = words["kind"], str(words["number"])
    unit = next(iter(kind.units))  # the base unit
    if not _taken(kind, number + unit):
        return _rule(kind)
    texts = [number + unit]
    if kind.name == "duration":
        texts.append(format_value(kind, int(number)))
    return " or ".join('"%s"' % text for text in dict.fromkeys(texts))


def _taken(kind: Kind, text: str) -> bool:
    """Return whether every Wasmtime takes a text as a value of this kind."""
    try:
        return parse_text(kind, text) <= (PERCENT_MAX if kind.name == "percent" else U64_MAX)
    except BadValue:
        return False


def _rule(kind: Kind) -> str:
    return '%s, like "%s"' % (kind.rule, kind.example)


def _known_unit(words: _Words) -> str:
    """Return the number with the unit that was probably meant, if it is clear; otherwise the rule."""
    kind, number = words["kind"], words["number"]
    match = re.match(r"([kmgtp])(i?)b?\Z", words["unit"], re.IGNORECASE)
    if match is None or match.group(1).upper() not in kind.units:
        return _rule(kind)
    letter = match.group(1).upper()
    power = "KMGTP".index(letter) + 1
    # The binary unit is the larger one.
    unit = letter + ("i" if "Ki" in kind.units else "")
    if not _taken(kind, number + unit):
        return _rule(kind)
    if unit == letter:
        return '"%s%s"' % (number, letter)
    binary = '"%s%s" (2^%d bytes)' % (number, unit, 10 * power)
    return binary if match.group(2) else '"%s%s" (10^%d bytes) or %s' % (number, letter, 3 * power, binary)


_WORDS: dict[str, Callable[[_Words], Any]] = {
    "subject": lambda words: "%s = %s" % (words["name"], shown(words["value"])),
    "type": lambda words: type_name(words["value"]),
    "found_type": lambda words: type_name(words["found"]),
    "key": lambda words: shown(words["name"]),
    "rule": lambda words: words["kind"].rule,
    "example": lambda words: words["kind"].example,
    "with_unit": _with_unit,
    "known_unit": _known_unit,
    "table": _table,
    "better": _better,
    "half": _half,
    "most": _most,
    "versions": lambda words: versions_of(SETTINGS[words["name"]]),
    "made": lambda words: format_value(SETTINGS[words["name"]].kind, words["wrapped"]),
    "plural": lambda words: "" if words["number"] == 1 else "s",
    "old_keys": lambda words: ", ".join(words["old"]),
    "replace": _replace,
}
