# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the problems of config files in the formats that people and CI systems read.

The files may be anybody's: every text from them is printable before it goes into a format.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Any, Callable, Sequence
from urllib.parse import quote
from xml.etree import ElementTree as ET

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import DANGER, ERROR, WARNING
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import printable

if TYPE_CHECKING:
    from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.problems import Problem
    from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._lint import CheckedFile

NAME = "wasmops.wasmtime"
HOME = "https://github.com/wasmops/wasmtime"
PROBLEMS_PAGE = HOME + "/blob/main/docs/problems.md"
SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# A line of a config that is longer is shown around the place only.
WIDTH = 160


def _sentence(problem: Problem) -> str:
    return printable("%s; %s" % (problem.message, problem.remedy))


def _without_links(text: str) -> str:
    """Escape brackets that SARIF would read as a link."""
    return re.sub(r"\[(?=[^\]]*\]\()", r"\\[", text)


def _level(problem: Problem) -> str:
    """Return the severity as CI systems name it: a danger is an error."""
    return "warning" if problem.severity == WARNING else "error"


def _number(number: int, word: str) -> str:
    return "%d %s%s" % (number, word, "" if number == 1 else "s")


def summary(files: Sequence[CheckedFile]) -> str:
    """Return one line with the number of files and of problems of each severity."""
    severities = Counter(problem.severity for file in files for problem in file.problems)
    counted = [_number(severities[name], name) for name in (ERROR, DANGER, WARNING) if severities[name]]
    return "%s: %s" % (_number(len(files), "file"), ", ".join(counted) or "no problems")


def _blank(text: str) -> str:
    """Return blanks as wide as the text is on a terminal; tabs stay."""
    return "".join("\t" if c == "\t" else "  " if unicodedata.east_asian_width(c) in "WF" else " " for c in text)


def _excerpt(file: CheckedFile, problem: Problem) -> list[str]:
    """Return the line of the file with a caret below the place, in the form of the engine's own messages."""
    line = file.line(problem)
    if line is None:
        return []
    place = (problem.column or 1) - 1
    start = max(0, place - WIDTH // 2) if len(line) > WIDTH else 0
    before = ("..." if start else "") + printable(line[start:place], "\t")
    after = printable(line[place : start + WIDTH], "\t") + ("..." if len(line) > start + WIDTH else "")
    number = str(problem.line)
    margin = " " * len(number)
    return ["%s |" % margin, "%s | %s%s" % (number, before, after), "%s | %s^" % (margin, _blank(before))]


def _no_command(line: str) -> str:
    """Return a line in which no CI system finds a command.

    GitHub reads C(::) at the start of a line, also after spaces, and C(##[) anywhere; Azure reads C(##vso[) anywhere.
    """
    line = re.sub(r"##(?=(?:vso)?\[)", r"#\\x23", line)
    return "./" + line if line.lstrip().startswith("::") else line


def _lines(file: CheckedFile) -> list[str]:
    lines = []
    for problem in file.problems:
        place = "" if problem.line is None else ":%d:%d" % (problem.line, problem.column or 1)
        lines.append(
            "%s%s: %s[%s] %s" % (printable(file.path), place, problem.severity, problem.code, _sentence(problem))
        )
        lines += _excerpt(file, problem)
    return [_no_command(line) for line in lines]


def text(files: Sequence[CheckedFile]) -> str:
    """Return text for people: a line for each problem, the line of the file below it, and a summary at the end."""
    return "\n".join([line for file in files for line in _lines(file)] + [summary(files)])


def _uri(path: str) -> str:
    """Return the path as a URI; a relative path stays relative to the working directory."""
    return ("file://" if os.path.isabs(path) else "") + quote(os.fsencode(path))


def sarif(files: Sequence[CheckedFile]) -> str:
    """Return SARIF 2.1.0 for GitHub's code scanning: every result has a rule, a file and a line."""
    codes = sorted({problem.code for file in files for problem in file.problems})
    rules = [
        {"id": code, "shortDescription": {"text": code.replace("-", " ")}, "helpUri": PROBLEMS_PAGE} for code in codes
    ]
    results = [
        {
            "ruleId": problem.code,
            "ruleIndex": codes.index(problem.code),
            "level": _level(problem),
            "message": {"text": _without_links(_sentence(problem))},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": _uri(file.path)},
                        "region": {"startLine": problem.line or 1, "startColumn": problem.column or 1},
                    }
                }
            ],
        }
        for file in files
        for problem in file.problems
    ]
    run: dict[str, Any] = {
        "tool": {"driver": {"name": NAME, "informationUri": HOME, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1)


def junit(files: Sequence[CheckedFile]) -> str:
    """Return JUnit XML: a test case for each file, which fails for errors and dangers, with the problems as text."""
    failures = str(sum(file.failed for file in files))
    counts = {"tests": str(len(files)), "failures": failures, "errors": "0", "skipped": "0"}
    suites = ET.Element("testsuites", counts)
    suite = ET.SubElement(suites, "testsuite", {"name": NAME + ".lint", **counts})
    for file in files:
        path = printable(file.path)
        case = ET.SubElement(suite, "testcase", classname="Wasmtime cache config", name=path, file=path)
        if file.failed:
            failure = ET.SubElement(case, "failure", type="lint", message=summary([file]))
            failure.text = "\n".join(_lines(file))
        elif file.problems:
            ET.SubElement(case, "system-out").text = "\n".join(_lines(file))
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=False)


def _escaped(value: str, characters: str) -> str:
    return re.sub("[%s]" % characters, lambda found: "%%%02X" % ord(found[0]), value)


def github(files: Sequence[CheckedFile]) -> str:
    """Return workflow commands, which GitHub shows as annotations; an empty text without problems."""
    lines = []
    for file in files:
        for problem in file.problems:
            properties = {"file": file.path, "line": problem.line, "col": problem.column, "title": problem.code}
            named = ",".join(
                "%s=%s" % (name, _escaped(printable(str(value)), "%\r\n:,"))
                for name, value in properties.items()
                if value is not None
            )
            lines.append("::%s %s::%s" % (_level(problem), named, _escaped(_sentence(problem), "%\r\n")))
    return "\n".join(lines)


FORMATS: dict[str, Callable[[Sequence[CheckedFile]], str]] = {
    "text": text,
    "sarif": sarif,
    "junit": junit,
    "github": github,
}
