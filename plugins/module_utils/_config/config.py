# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the bytes of a config, and return its settings, effective values and problems.

The texts of problems are in C(problems), and C(locate) finds their places: a run without problems loads neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from .check import ERROR, MAX_BYTES, Effective, Finding, Host, check, common_rules, has_line_break
from .printable import BOM
from .settings import SETTINGS
from .toml_error import TomlError
from .versions import DIALECTS, TOML_1_0, TOML_1_1, Dialect

if TYPE_CHECKING:
    from .problems import Problem
    from .toml import Library


class Config:
    """A config that was read: the text, its data, and what the engine refuses or accepts."""

    def __init__(self, text: str, bom: bool) -> None:
        self.text = text
        self.bom = bom
        self.table: dict[str, Any] | None = None
        """The table C([cache]) as the TOML library returns it; None if there is none."""
        self.problems: list[Problem] = []
        self.effective: Effective = {}
        self.accepted_by: list[str] = []
        self.off = False
        """Whether the config disables the cache, which is possible only up to Wasmtime 32."""

    @property
    def valid(self) -> bool:
        """Whether the engine accepts the file."""
        return not any(p.severity == ERROR for p in self.problems)

    def relevant(self, problems: Sequence[Problem]) -> list[Problem]:
        """Return these problems, without those of a cache in use if this config disables the cache.

        Wasmtime up to 32 still validates such a config, creates the directory, and does no more.
        """
        return [problem for problem in problems if not self.off or problem.severity == ERROR]

    @property
    def names_directory(self) -> bool:
        """Whether the file names the cache directory; otherwise it is the default of the user who loads the file."""
        return "directory" in (self.table or {})

    @property
    def settings(self) -> dict[str, Any]:
        """The known settings in the file, as it spells them."""
        return {k: v for k, v in (self.table or {}).items() if k in SETTINGS}


def to_problems(findings: Sequence[Finding]) -> list[Problem]:
    """Return findings as problems with texts. Without findings, the table of problems is not loaded."""
    if not findings:
        return []
    from .problems import to_problem

    return [to_problem(finding) for finding in findings]


def read_config(data: bytes, dialects: Sequence[Dialect], host: Host, library: Library) -> Config:
    """Check a config by the rules of all given dialects at once.

    Raises no error for any C(data), but NoLibrary if the host cannot read TOML.
    """
    config = Config("", False)
    if len(data) > MAX_BYTES:
        config.problems = to_problems([Finding("too-large", facts={"size": len(data)})])
        return config
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        from .locate import not_utf_8

        config.problems = to_problems([not_utf_8(data, error.start)])
        return config
    config.bom = text.startswith(BOM)
    config.text = text[1:] if config.bom else text
    _read_text(config, dialects, host, library)
    return config


def no_config(dialects: Sequence[Dialect], host: Host) -> Config:
    """Return the config for a missing file: every setting has its default."""
    config = Config("", False)
    # Every version of the engine treats a missing default file as an empty table.
    rules = common_rules([dialect._replace(enabled=False) for dialect in dialects])
    config.effective, findings = check({"cache": {}}, rules, host)
    config.problems = to_problems(findings)
    config.accepted_by = [dialect.name for dialect in DIALECTS] if config.valid else []
    return config


def _read_text(config: Config, dialects: Sequence[Dialect], host: Host, library: Library) -> None:
    """Set the data, problems, effective settings and C(accepted_by) for the text of a config."""
    parsed: dict[str, Any] = {}
    for grammar in (TOML_1_0, TOML_1_1):
        # Every TOML 1.0 text is TOML 1.1 with the same meaning.
        if _proven(parsed.get(TOML_1_0)):
            parsed[grammar] = parsed[TOML_1_0]
            continue
        try:
            parsed[grammar] = library.read(config.text, grammar)
        except TomlError as error:
            parsed[grammar] = error
    rules = common_rules(dialects)
    readable = [r[0] for r in parsed.values() if not isinstance(r, TomlError)]
    if not all(_proven(parsed[grammar]) for grammar in rules.grammars):
        from .locate import not_toml

        config.problems = to_problems([not_toml(parsed, rules.grammars, config.text)])
    if not readable:
        return
    document = readable[0]
    cache = document.get("cache")
    if isinstance(cache, dict):
        config.table = cache
        # Later versions refuse the file, and use its directory once the line is removed.
        config.off = cache.get("enabled") is False and not rules.enabled_refused
    checked = check(document, rules, host)
    # A grammar problem comes first: the engine finds it before it reads any setting.
    if checked.findings or has_line_break(checked.effective, config.text):
        from .locate import located

        checked = located(checked, rules, config.text, library)
        config.problems += config.relevant(to_problems(checked.findings))
    config.effective = checked.effective
    for dialect in DIALECTS:
        taken = [grammar for grammar in dialect.grammars if _proven(parsed[grammar])]
        if taken and not check(document, common_rules([dialect]), host).refused:
            every = len(taken) == len(dialect.grammars)
            config.accepted_by.append(dialect.name if every else dialect.with_1_1)


def _proven(result: Any) -> bool:
    """Return whether the result of reading a text by a grammar proves that it is TOML."""
    return isinstance(result, tuple) and bool(result[1])
