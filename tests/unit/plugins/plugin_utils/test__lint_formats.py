# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each format of the problems as a whole; test__lint.py has what no file may do to it."""

from __future__ import annotations

import json

import pytest

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.problems import Problem
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._lint import CheckedFile
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._lint_formats import (
    FORMATS,
    github,
    junit,
    sarif,
    summary,
    text,
)


def problem(severity: str, line: int | None = None, column: int | None = None, code: str = "some-code") -> Problem:
    return Problem(code, severity, "it is wrong", "mend it", line=line, column=column)


# Ten lines, so that a line has a number of two digits.
LINES = "\n".join(["[cache]", "a = 1", *["# %d" % number for number in range(3, 10)], "\tb = 1\r"])
FILES = [
    CheckedFile("good.toml", "[cache]\n", []),
    CheckedFile("/etc/a b.toml", LINES, [problem("error", 2, 5), problem("danger", 10, 2, "other-code")]),
    CheckedFile("whole.toml", LINES, [problem("error")]),
    CheckedFile("warned.toml", LINES, [problem("warning", 1), problem("warning", 10, 3)]),
]


def test_the_formats_are_those_of_the_documentation() -> None:
    assert list(FORMATS) == ["text", "sarif", "junit", "github"]


@pytest.mark.parametrize(
    ("severities", "said"),
    [
        ([], "0 files: no problems"),
        ([[]], "1 file: no problems"),
        ([[], []], "2 files: no problems"),
        ([["warning"]], "1 file: 1 warning"),
        ([["danger"], ["danger"]], "2 files: 2 dangers"),
        ([["warning", "danger", "error"], ["warning"]], "2 files: 1 error, 1 danger, 2 warnings"),
        ([["error"] * 3, ["warning"] * 11, []], "3 files: 3 errors, 11 warnings"),
    ],
)
def test_the_summary_counts_files_and_problems_by_severity(severities: list[list[str]], said: str) -> None:
    assert summary([CheckedFile("x", "", [problem(name) for name in names]) for names in severities]) == said


def test_text_has_each_problem_with_its_line() -> None:
    assert text(FILES).split("\n") == [
        "/etc/a b.toml:2:5: error[some-code] it is wrong; mend it",
        "  |",
        "2 | a = 1",
        "  |     ^",
        "/etc/a b.toml:10:2: danger[other-code] it is wrong; mend it",
        "   |",
        "10 | \tb = 1",
        "   | \t^",
        "whole.toml: error[some-code] it is wrong; mend it",
        "warned.toml:1:1: warning[some-code] it is wrong; mend it",
        "  |",
        "1 | [cache]",
        "  | ^",
        "warned.toml:10:3: warning[some-code] it is wrong; mend it",
        "   |",
        "10 | \tb = 1",
        "   | \t ^",
        "4 files: 2 errors, 1 danger, 2 warnings",
    ]


LONG = "".join("%-5d" % number for number in range(0, 1000, 5))


@pytest.mark.parametrize(
    ("line", "column", "shown", "caret"),
    [
        # A line of 160 characters is shown as a whole.
        (LONG[:160], 1, LONG[:160], 0),
        (LONG[:160], 160, LONG[:160], 159),
        (LONG[:161], 1, LONG[:160] + "...", 0),
        (LONG[:161], 161, "..." + LONG[80:161], 83),
        # Of a longer one, 160 characters are, with the place in their middle.
        (LONG, 1, LONG[:160] + "...", 0),
        (LONG, 2, LONG[:160] + "...", 1),
        (LONG, 81, LONG[:160] + "...", 80),
        (LONG, 82, "..." + LONG[1:161] + "...", 83),
        (LONG, 500, "..." + LONG[419:579] + "...", 83),
        (LONG, 920, "..." + LONG[839:999] + "...", 83),
        (LONG, 921, "..." + LONG[840:], 83),
        (LONG, 1000, "..." + LONG[919:], 83),
        (LONG, 1001, "..." + LONG[920:], 83),
    ],
)
def test_so_much_is_shown_of_a_line(line: str, column: int, shown: str, caret: int) -> None:
    assert len(LONG) == 1000
    assert text([CheckedFile("x", "\n" + line, [problem("error", 2, column)])]).split("\n")[1:4] == [
        "  |",
        "2 | " + shown,
        "  | " + " " * caret + "^",
    ]


@pytest.mark.parametrize(
    ("before", "width"),
    [("a", 1), ("é", 1), ("漢", 2), ("\uff21", 2), ("\uff71", 1), ("α", 1), ("\x1b", 4), ("漢\x07a", 7)],
)
def test_the_caret_stands_below_wide_and_escaped_characters(before: str, width: int) -> None:
    file = CheckedFile("x", before + "y", [problem("error", 1, len(before) + 1)])
    assert text([file]).split("\n")[3] == "  | " + " " * width + "^"


def test_sarif_as_a_whole() -> None:
    def result(code: str, level: str, uri: str, line: int, column: int) -> dict[str, object]:
        return {
            "ruleId": code,
            "ruleIndex": ["other-code", "some-code"].index(code),
            "level": level,
            "message": {"text": "it is wrong; mend it"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": uri},
                        "region": {"startLine": line, "startColumn": column},
                    }
                }
            ],
        }

    page = "https://github.com/wasmops/wasmtime/blob/main/docs/problems.md"
    written = sarif(FILES)
    assert written.startswith('{\n "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/')
    document = json.loads(written)
    assert document.pop("$schema").endswith("/schemas/sarif-schema-2.1.0.json")
    assert document == {
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "wasmops.wasmtime",
                        "informationUri": "https://github.com/wasmops/wasmtime",
                        "rules": [
                            {"id": "other-code", "shortDescription": {"text": "other code"}, "helpUri": page},
                            {"id": "some-code", "shortDescription": {"text": "some code"}, "helpUri": page},
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [
                    result("some-code", "error", "file:///etc/a%20b.toml", 2, 5),
                    result("other-code", "error", "file:///etc/a%20b.toml", 10, 2),
                    result("some-code", "error", "whole.toml", 1, 1),
                    result("some-code", "warning", "warned.toml", 1, 1),
                    result("some-code", "warning", "warned.toml", 10, 3),
                ],
            }
        ],
    }


JUNIT = """\
<testsuites tests="4" failures="2" errors="0" skipped="0">
  <testsuite name="wasmops.wasmtime.lint" tests="4" failures="2" errors="0" skipped="0">
    <testcase classname="Wasmtime cache config" name="good.toml" file="good.toml" />
    <testcase classname="Wasmtime cache config" name="/etc/a b.toml" file="/etc/a b.toml">
      <failure type="lint" message="1 file: 1 error, 1 danger">/etc/a b.toml:2:5: error[some-code] it is wrong; mend it
  |
2 | a = 1
  |     ^
/etc/a b.toml:10:2: danger[other-code] it is wrong; mend it
   |
10 | \tb = 1
   | \t^</failure>
    </testcase>
    <testcase classname="Wasmtime cache config" name="whole.toml" file="whole.toml">
      <failure type="lint" message="1 file: 1 error">whole.toml: error[some-code] it is wrong; mend it</failure>
    </testcase>
    <testcase classname="Wasmtime cache config" name="warned.toml" file="warned.toml">
      <system-out>warned.toml:1:1: warning[some-code] it is wrong; mend it
  |
1 | [cache]
  | ^
warned.toml:10:3: warning[some-code] it is wrong; mend it
   |
10 | \tb = 1
   | \t ^</system-out>
    </testcase>
  </testsuite>
</testsuites>"""


def test_junit_as_a_whole() -> None:
    assert junit(FILES) == JUNIT


def test_github_has_a_line_for_each_problem() -> None:
    assert github(FILES).split("\n") == [
        "::error file=/etc/a b.toml,line=2,col=5,title=some-code::it is wrong; mend it",
        "::error file=/etc/a b.toml,line=10,col=2,title=other-code::it is wrong; mend it",
        "::error file=whole.toml,title=some-code::it is wrong; mend it",
        "::warning file=warned.toml,line=1,title=some-code::it is wrong; mend it",
        "::warning file=warned.toml,line=10,col=3,title=some-code::it is wrong; mend it",
    ]
    assert github(FILES[:1]) == ""


def test_github_reads_what_was_escaped() -> None:
    """Properties and messages with other rules: a comma and a colon end only a property."""
    odd = Problem("x", "error", "50%, a: b", "c\rd\ne", line=1, column=1)
    assert github([CheckedFile("50%,:x", "", [odd])]) == (
        "::error file=50%25%2C%3Ax,line=1,col=1,title=x::50%25, a: b; c\\rd\\ne"
    )
