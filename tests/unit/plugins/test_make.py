# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What make is given is data: nothing in it is run, and it arrives as it was given."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[3]
HOSTILE = (
    "a 'b' \"c\" `touch pwned` $(touch pwned) $(shell touch pwned) $$(touch pwned) ;touch pwned; {{ 1 + 1 }} ü $HOME #"
)

# Stands for the environment's Python: notes what it is to run, and does nothing but code that is given with -c.
RECORDER = """#!%s
import json, os, sys
if sys.argv[1] == "-c":
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
with open(os.environ["RECORD"], "a") as file:
    names = "ANSIBLE_STDOUT_CALLBACK", "ANSIBLE_CALLBACK_RESULT_FORMAT", "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"
    chosen = {name: os.environ[name] for name in names if name in os.environ}
    json.dump({"words": sys.argv[1:], "report": os.environ.get("REPORT"), "chosen": chosen}, file)
    file.write("\\n")
"""

# What a make that runs the tests exports: the variables that users give, and its own, which make prints directories for.
(DATA,) = re.findall("^DATA := (.*)", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
EXPORTED = {*DATA.split(), "MAKEFLAGS", "MAKELEVEL"}
# For a make that is not a part of that one.
ALONE = {name: value for name, value in os.environ.items() if name not in EXPORTED}


class Call(NamedTuple):
    """What the environment's Python was to run."""

    words: list[str]
    report: str
    chosen: dict[str, str]


@pytest.fixture(params=["checkout", 'it\'s a `check` "out" $HOME {{ 1 }}'])
def checkout(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A checkout whose environment is ready."""
    folder = tmp_path / str(request.param)
    folder.mkdir()
    for name in ("Makefile", "requirements.txt", "meta/ee-requirements.txt", "requirements-dev.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for environment, programs in ((".venv", ["python"]), (".venv-dev", ["python", "nox"])):
        (folder / environment / "bin").mkdir(parents=True)
        for program in programs:
            path = folder / environment / "bin" / program
            path.write_text(RECORDER % sys.executable)
            path.chmod(0o755)
        (folder / environment / "ready").touch()
    return folder


def make(checkout: Path, *words: str, environment: dict[str, str] | None = None) -> list[Call]:
    """The calls of a run of make that succeeds."""
    record = checkout.parent / "record"
    record.unlink(missing_ok=True)
    result = subprocess.run(
        ["make", *words],
        cwd=checkout,
        env={**ALONE, "RECORD": str(record), **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert not list(checkout.parent.rglob("pwned"))
    return [Call(**json.loads(line)) for line in record.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("given", ["hosts.ini", "it's.ini", HOSTILE, "-x"])
@pytest.mark.parametrize("by", ["argument", "environment"])
def test_an_inventory_is_a_name(checkout: Path, given: str, by: str) -> None:
    calls = make(checkout, "provision", "INVENTORY=" + given) if by == "argument" else make(
        checkout, "check", environment={"INVENTORY": given}
    )  # fmt: skip
    assert calls[-1].words == [
        "-m",
        "ansible",
        "playbook",
        "--inventory=" + given,
        "wasmops.wasmtime." + ("provision" if by == "argument" else "check"),
    ]


def test_without_an_inventory_it_is_this_machine(checkout: Path) -> None:
    install, play = make(checkout, "provision")
    assert install.words[:4] == ["-m", "ansible", "galaxy", "collection"]
    assert play.words[3:] == [
        "-i", "localhost,", "-c", "local", "-e", '{"ansible_python_interpreter": "{{ ansible_playbook_python }}"}',
        "wasmops.wasmtime.provision",
    ]  # fmt: skip


@pytest.mark.parametrize("target", ["provision", "check", "report", "prune"])
def test_output_is_short_and_an_inventory_has_no_error_unless_the_user_has_chosen_otherwise(
    checkout: Path, target: str
) -> None:
    assert make(checkout, target)[-1].chosen == {
        "ANSIBLE_STDOUT_CALLBACK": "wasmops.wasmtime.concise",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
    }
    own = {
        "ANSIBLE_STDOUT_CALLBACK": "default",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "False",
    }
    assert make(checkout, target, environment=own)[-1].chosen == own


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("--check --diff", ["--check", "--diff"]),
        ("-e 'x=a b' -e \"y=it's\"", ["-e", "x=a b", "-e", "y=it's"]),
        ("`touch pwned` $(touch pwned) $(shell touch pwned) * ~ $HOME", None),
        (";touch pwned; '{{ 1 }}' ü #", [";touch", "pwned;", "{{ 1 }}", "ü", "#"]),
    ],
)
@pytest.mark.parametrize("target", ["provision", "report", "prune", "nox", "mutants"])
def test_arguments_are_words(checkout: Path, given: str, words: list[str] | None, target: str) -> None:
    found = make(checkout, target, "ARGS=" + given)[-1].words
    wanted = given.split() if words is None else words
    assert wanted in [found[place : place + len(wanted)] for place in range(len(found))]


def test_an_open_quote_is_one_clear_line(checkout: Path) -> None:
    result = subprocess.run(["make", "provision", "ARGS='x"], cwd=checkout, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert result.stderr.splitlines()[0] == "ARGS has a quote without its other one"


@pytest.mark.parametrize("given", ["cache-report", HOSTILE, '{{ lookup("pipe", "touch pwned") }}'])
def test_the_name_of_the_report_is_no_template(checkout: Path, given: str) -> None:
    call = make(checkout, "report", "REPORT=" + given, "ARGS=-e x=y")[-1]
    assert call.report == given
    # What a lookup gives is no template to Ansible: tests/integration has it write such a name.
    template = '{{ lookup("ansible.builtin.env", "REPORT") }}'
    # What ARGS says comes later, so that it takes precedence.
    *_others, option, variables, x, y, playbook = call.words
    assert (option, x, y, playbook) == ("-e", "-e", "x=y", "wasmops.wasmtime.report")
    assert json.loads(variables) == {
        "wasmtime_cache_report_page": template + ".html",
        "wasmtime_cache_report_data": template + ".json",
    }


@pytest.mark.parametrize("words", [(), ("REPORT=",)])
def test_without_a_name_the_variables_and_defaults_of_the_playbook_name_the_report(
    checkout: Path, words: tuple[str, ...]
) -> None:
    assert make(checkout, "report", "INVENTORY=hosts", *words)[-1].words[3:] == [
        "--inventory=hosts",
        "wasmops.wasmtime.report",
    ]


@pytest.mark.parametrize("given", ["/", "reports/", "a b/"])
def test_a_directory_is_no_name_of_a_report(checkout: Path, given: str) -> None:
    record = {"RECORD": str(checkout.parent / "record")}
    result = subprocess.run(
        ["make", "report", "REPORT=" + given],
        cwd=checkout, env={**ALONE, **record}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode != 0
    assert result.stderr.splitlines()[0] == (
        "REPORT ends with a slash; name a file without its ending, such as REPORT=cache-report"
    )
    assert not (checkout.parent / "record").exists()


@pytest.mark.parametrize("given", ["config.toml", ".", HOSTILE, "-x", "", "$$HOME"])
def test_lint_checks_one_file_by_the_program_alone(checkout: Path, given: str) -> None:
    install, program = make(checkout, "lint", "FILE=" + given, "WASMTIME=" + given, "FORMAT=" + given)
    assert install.words[:4] == ["-m", "ansible", "galaxy", "collection"]
    assert program.words[0].endswith("/ansible_collections/wasmops/wasmtime/playbooks/files/lint.py")
    assert program.words[1:] == ["--wasmtime-version=" + given, "--format=" + given, "--", given]


def test_lint_needs_a_file_alone(checkout: Path) -> None:
    assert make(checkout, "lint", "FILE=x")[-1].words[1:] == ["--wasmtime-version=", "--format=text", "--", "x"]


def test_a_report_on_standard_output_has_nothing_before_it(checkout: Path) -> None:
    """Not even on the first run, which makes the environment: pip and what follows from it is another's affair."""
    (checkout / ".venv" / "ready").unlink()
    python = checkout / "python"
    python.write_text('#!/bin/sh\n[ "$2" = venv ] && exit\nexec "%s" "$@"\n' % sys.executable)
    python.chmod(0o755)
    done = subprocess.run(
        ["make", "lint", "FILE=x", "PYTHON=" + str(python)],
        cwd=checkout,
        env={**ALONE, "RECORD": str(checkout / "record")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Preparing .venv ...\n")


@pytest.mark.parametrize("given", ["`touch pwned`", "$(touch pwned)", "a;touch pwned", "$(shell touch pwned)"])
def test_a_python_is_the_name_of_a_program(checkout: Path, given: str) -> None:
    (checkout / ".venv" / "ready").unlink()
    result = subprocess.run(
        ["make", "provision", "PYTHON=" + given], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert "Needs Python 3.11 or newer" in result.stderr
    assert not list(checkout.parent.rglob("pwned"))


@pytest.mark.parametrize(
    ("target", "name"),
    [("engine-test", "N"), ("engine-test", "SEED"), ("mutants", "N"), ("mutants", "SEED"), ("test", "JOBS")],
)
def test_numbers_are_no_commands(checkout: Path, target: str, name: str) -> None:
    given = "1; touch pwned `touch pwned` $(touch pwned) $(shell touch pwned) \"'"
    if target == "test":
        # What it needs beside the environment is there, or root would install it.
        target = "try"
        with (checkout / "Makefile").open("a", encoding="utf-8") as makefile:
            makefile.write("try:\n" + recipe(checkout, "$(NOX) --allow-parallel"))
    assert given in [word for call in make(checkout, target, name + "=" + given) for word in call.words]


def recipe(checkout: Path, part: str) -> str:
    """The only line of a recipe in the Makefile that has this part."""
    (line,) = [
        line for line in (checkout / "Makefile").read_text("utf-8").splitlines(True) if line[0] == "\t" and part in line
    ]
    return line


def test_what_mutants_is_given_are_words(checkout: Path) -> None:
    words = make(checkout, "mutants", "N=5", "SEED=s", "ARGS=--jobs 1 'a b.py'")[-1].words
    assert words[-7:] == ["--count", "5", "--seed", "s", "--jobs", "1", "a b.py"]
    assert "--count" not in make(checkout, "mutants")[-1].words
