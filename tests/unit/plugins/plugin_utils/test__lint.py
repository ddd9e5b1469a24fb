# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Config files are found and judged without a host, and nothing in them harms a terminal or a CI system."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.check import MAX_BYTES
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.printable import printable
from ansible_collections.wasmops.wasmtime.plugins.module_utils._config.versions import CURRENT
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._lint import BadInput, CheckedFile, check, parse_versions
from ansible_collections.wasmops.wasmtime.plugins.plugin_utils._lint_formats import FORMATS, github, junit, sarif, text

PROGRAM = Path(__file__).resolve().parents[4] / "playbooks" / "files" / "lint.py"
GOOD = '[cache]\ncleanup-interval = "1h"\n'


def checked(folder: Path, content: str | bytes, name: str = "config.toml", versions: str = "") -> CheckedFile:
    """A file as it is checked when it is named."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    (file,) = check(str(path), parse_versions(versions))
    return file


def lint(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A run of the program in a folder."""
    return subprocess.run(
        [sys.executable, "-B", str(PROGRAM), *words],
        cwd=folder,
        env={**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, "LC_ALL": "C", "PYTHONUTF8": "0"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


# --- Which rules ---


@pytest.mark.parametrize(("versions", "codes"), [
    ("", ["enabled-refused"]),
    ("42", ["enabled-refused"]),
    ("42.0.2", ["enabled-refused"]),
    ("32", []),
    (" 24.0.1 , 32 ", []),
    ("32,42", ["enabled-refused"]),
])  # fmt: skip
def test_the_verdict_is_that_of_the_versions(tmp_path, versions, codes):
    file = checked(tmp_path, "[cache]\nenabled = true\n", versions=versions)
    assert [problem.code for problem in file.problems] == codes
    assert file.failed == bool(codes)


def test_without_a_version_it_is_33_and_later():
    assert parse_versions("") == parse_versions(" , ") == CURRENT
    assert [dialect.first for dialect in parse_versions("49,32")] == [0, 49]
    assert [(dialect.first, dialect.reader) for dialect in parse_versions("49,42,38,39,0,33")] == [
        (0, 0), (33, 0), (33, 39), (49, 39),
    ]  # fmt: skip


@pytest.mark.parametrize("bad", ["x", "auto", "42;43", "42,\x1b[31m", "-1"])
def test_what_is_no_version_is_named(bad):
    with pytest.raises(BadInput) as error:
        parse_versions(bad)
    assert str(error.value).endswith(
        ' is not a Wasmtime version; write one like "42.0.2" or "42", or several like "36,42"'
    )
    assert str(error.value).isprintable()


def test_what_only_a_host_knows_is_not_reported(tmp_path):
    """No home, too little memory, too small a file system: for these there must be a host."""
    file = checked(
        tmp_path, '[cache]\nworker-event-queue-size = "1P"\nfiles-total-size-soft-limit = "100P"\n'
        'files-total-size-limit-percent-if-deleting = "70%"\n',
    )  # fmt: skip
    assert file.problems == []


# --- Which files ---


FOUND: dict[str, str | bytes] = {
    "config.toml": GOOD,
    "deep/er/wasmtime.toml": '[cache]\ndirectory = "/var/cache/wasmtime"\n',
    "deep/.hidden/x.toml": "[cache]\nenabled = true\n",
    "empty-table.TOML": "[cache]\n",
    # by their names
    ".config/wasmtime/config.toml": "",
    "my-wasmtime-cache.toml": "ttl = 1\n",
    # not TOML, and with a setting's name
    "open.toml": '[cache]\nfile-count-soft-limit = "\n',
    "latin.toml": b'[cache]\ncleanup-interval = "1h" # \xe9\n',
    # settings as people write them by mistake, and as they were in 2019
    "snake.toml": '[cache]\nworker_event_queue_size = "16"\n',
    "old.toml": "[cache]\nfiles-count-soft-limit = 1\n",
    "inline.toml": 'cache = {directory = "/d"}\n',
    "both.toml": '[cache]\ndirectory = "/d"\nenabled = true\n',
    "bom.toml": "\ufeff" + GOOD,
}
NOT_FOUND: dict[str, str | bytes] = {
    "other.toml": "[cache]\nttl = 3\n",
    "too.toml": '[cache]\ndirectory = "x"\nttl = 3\n',
    "run.toml": '[codegen]\ncache = true\n[cache]\ndirectory = "/d"\n',
    "Cargo.toml": '[package]\nname = "wasmtime-cache"\n',
    "broken.toml": "[cache\n",
    "list.toml": 'cache = ["/d"]\n',
    "switch.toml": "[cache]\nenabled = true\nttl = 3\n",
    "cache.toml": "[other]\n",
    "wasmtime/wasmtime.toml": "",
    "zoo/config.toml": "",
    "config.yml": GOOD,
    ".git/config.toml": GOOD,
}


@pytest.fixture
def tree(tmp_path):
    """A folder with files of all kinds."""
    for name, content in {**FOUND, **NOT_FOUND}.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return tmp_path / "tree"


def test_the_configs_in_a_folder_are_found(tree):
    found = [os.path.relpath(file.path, tree) for file in check(str(tree), CURRENT)]
    assert found == [
        "bom.toml", "both.toml", "config.toml", "empty-table.TOML", "inline.toml", "latin.toml", "my-wasmtime-cache.toml",
        "old.toml", "open.toml", "snake.toml",
        ".config/wasmtime/config.toml", "deep/.hidden/x.toml", "deep/er/wasmtime.toml",
    ]  # fmt: skip
    assert sorted(found) == sorted(FOUND)


def test_paths_are_as_they_are_named(tree, monkeypatch):
    monkeypatch.chdir(tree)
    assert sorted(file.path for file in check(".", CURRENT)) == sorted(FOUND)
    assert {file.path for file in check("deep", CURRENT)} == {"deep/er/wasmtime.toml", "deep/.hidden/x.toml"}
    Path("+x").mkdir()
    Path("+x/config.toml").write_text(GOOD, encoding="utf-8")
    assert check("+x", CURRENT) == [("+x/config.toml", GOOD, [])]
    # A checkout has any name.
    (tree / "wasmtime" / "Cargo.toml").write_text("[package]\n", encoding="utf-8")
    monkeypatch.chdir("wasmtime")
    with pytest.raises(BadInput):
        check(".", CURRENT)


def test_a_named_file_is_checked_whatever_is_in_it(tree):
    assert [problem.code for problem in check(str(tree / "other.toml"), CURRENT)[0].problems] == ["unknown-key"]


def test_a_folder_without_configs_is_no_success(tmp_path):
    with pytest.raises(BadInput) as error:
        check(str(tmp_path), CURRENT)
    assert str(error.value) == 'there is no Wasmtime cache config in "%s"; name the file itself' % tmp_path


def test_links_fifos_and_large_files_do_no_harm(tree, tmp_path):
    (tmp_path / "outside.toml").write_text(GOOD, encoding="utf-8")
    (tree / "link.toml").symlink_to(tmp_path / "outside.toml")
    (tree / "loop").symlink_to(tree)
    (tree / "dangling.toml").symlink_to("/nowhere")
    os.mkfifo(tree / "fifo.toml")
    (tree / "folder.toml").mkdir()
    for name, start in (("large.toml", GOOD), ("large-too.toml", "x = 1\n")):
        (tree / name).write_text(start, encoding="utf-8")
        os.truncate(tree / name, 2**30)
    files = {os.path.relpath(file.path, tree): file for file in check(str(tree), CURRENT)}
    assert set(files) == {*FOUND, "large.toml"}
    (problem,) = files["large.toml"].problems
    assert (problem.code, problem.line) == ("too-large", None)
    assert str(2**30) in problem.message and str(MAX_BYTES) in problem.message


@pytest.mark.parametrize("kind", ["fifo", "missing", "device", "below a file"])
def test_what_is_no_file_is_one_sentence(tmp_path, kind):
    path = tmp_path / "x"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/null")
    elif kind == "below a file":
        path.touch()
        path /= "y"
    with pytest.raises(BadInput) as error:
        check(str(path), CURRENT)
    assert str(path) in str(error.value)


def test_a_named_link_is_followed(tmp_path):
    (tmp_path / "a.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "b.toml").symlink_to("a.toml")
    assert check(str(tmp_path / "b.toml"), CURRENT) == [(str(tmp_path / "b.toml"), GOOD, [])]


def test_a_link_that_takes_a_file_s_place_in_a_folder_is_not_followed(tree, tmp_path, monkeypatch):
    (tmp_path / "secret").write_text(GOOD, encoding="utf-8")
    lstat = os.lstat

    def swapped(path, *more, **named):
        found = lstat(path, *more, **named)
        if Path(path).name == "config.toml":
            Path(path).unlink()
            Path(path).symlink_to(tmp_path / "secret")
        return found

    monkeypatch.setattr(os, "lstat", swapped)
    with pytest.raises(BadInput, match=r"config\.toml\" cannot be read: Too many levels of symbolic links"):
        check(str(tree), CURRENT)


@pytest.mark.parametrize(("named", "failing"), [(True, "tree/config.toml"), (False, "tree")])
def test_the_file_that_cannot_be_read_is_named_if_it_is_known(tree, monkeypatch, named, failing):
    opened = os.open

    def refused(path, *more, **others):
        if str(path).endswith("tree/config.toml"):
            raise OSError(errno.EIO, "Input/output error", *[path] * named)
        return opened(path, *more, **others)

    monkeypatch.chdir(tree.parent)
    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(BadInput) as error:
        check("tree", CURRENT)
    assert str(error.value) == '"%s" cannot be read: Input/output error' % failing


@pytest.mark.parametrize(("size", "codes"), [(2**16, []), (2**16 + 1, ["too-large"]), (2**17, ["too-large"])])
def test_a_config_has_64_kib_at_most(tmp_path, size, codes):
    file = checked(tmp_path, GOOD + "#" * (size - len(GOOD)))
    assert [problem.code for problem in file.problems] == codes
    assert len(file.text) == (0 if codes else size)
    for problem in file.problems:
        assert "the file has %d bytes, and at most 65536 are read" % size in problem.message


def test_of_a_file_that_grows_one_byte_more_than_a_config_may_have_is_read(tmp_path, monkeypatch):
    path = tmp_path / "config.toml"
    path.write_text(GOOD, encoding="utf-8")
    small = path.stat()
    os.truncate(path, 2**18)
    monkeypatch.setattr(os, "fstat", lambda _handle: small)
    ((problem,),) = [file.problems for file in check(str(path), CURRENT)]
    assert "the file has 65537 bytes, and at most 65536 are read" in problem.message


@pytest.mark.parametrize(
    ("content", "places"),
    [
        # Columns count characters, and a byte order mark at the begin is none of the file's.
        (b"# \xc3\xa9\xff\n[cache]\n", [(1, 4)]),
        (b"\xef\xbb\xbf# \xc3\xa9\xff\n[cache]\n", [(1, 4)]),
        (b"\xef\xbb\xbf[cache]\n# \xc3\xa9\xff\n", [(2, 4)]),
        (b"[cache]\n# \xc3\xa9\n\xef\xbb\xbf\xff\n", [(3, 2)]),
        ("cache = {directory = '/é漢', x = 1}\n", [(1, 29)]),
        # In their order in the file.
        ("[cache]\nx = 1\ny = 1\nenabled = true\na = 1\n", [(2, 1), (3, 1), (4, 1), (5, 1)]),
        ("cache = {y = 1, x = 1}\n", [(1, 10), (1, 17)]),
    ],
)
def test_problems_have_their_places_in_order(tmp_path, content, places):
    found = checked(tmp_path, content)
    assert [(problem.line, problem.column) for problem in found.problems] == places
    lines = found.text.split("\n")
    assert list(map(found.line, found.problems)) == [lines[line - 1] for line, _column in places]


def test_a_line_ends_before_its_line_break_and_a_whole_file_has_none(tmp_path):
    text_of_file = "[cache]\r\nx = 1\r\n"
    file = checked(tmp_path, text_of_file)
    assert file.text == text_of_file
    assert [(problem.code, file.line(problem)) for problem in file.problems] == [("unknown-key", "x = 1")]
    assert file._replace(text="").line(file.problems[0]) is None
    for content, line in (("", 1), (GOOD + "#" * 2**16, None)):
        file = checked(tmp_path, content)
        assert [(problem.line, file.line(problem)) for problem in file.problems] == [(line, None)]


@pytest.mark.skipif(os.geteuid() == 0, reason="not run here, because root may read everything")
def test_what_may_not_be_read_is_not_left_out_in_silence(tree):
    (tree / "config.toml").chmod(0)
    with pytest.raises(BadInput, match=r"config\.toml.* cannot be read"):
        check(str(tree), CURRENT)


# --- What is shown ---


TEXT = r"""
config.toml:2:2: error[enabled-refused] enabled is refused by Wasmtime 33 and later; remove the line: the cache is on without it
  |
2 | 	enabled = true
  | 	^
config.toml:3:20: error[invalid-value] cleanup-interval = "漢" does not start with a digit; write a whole number followed by s, m, h or d, like "1h"
  |
3 | cleanup-interval = "漢" # \u202e
  |                    ^
1 file: 2 errors
""".strip().replace(r"\t", "\t")


def test_text_is_as_the_engine_shows_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("config.toml")
    path.write_text('[cache]\n\tenabled = true\r\ncleanup-interval = "漢" # \u202e\n', encoding="utf-8")
    assert text(check("config.toml", CURRENT)) == TEXT


@pytest.mark.parametrize(("before", "width"), [("é\u202e", 1 + 6), ("漢字", 4), ("\t", 1), ("\x1b", 4), ("", 0)])
def test_the_caret_is_below_the_place(tmp_path, before, width):
    """Also for a byte that is not UTF-8, whose column counts characters."""
    file = checked(tmp_path, b"# " + before.encode("utf-8") + b"\xff\n")
    problem = next(problem for problem in file.problems if problem.code == "not-utf-8")
    assert problem.column == 3 + len(before)
    caret = text([file]).splitlines()[-2]
    assert caret == "  | " + " " * 2 + ("\t" if before == "\t" else " " * width) + "^"


def test_a_long_line_is_shown_around_the_place(tmp_path):
    file = checked(tmp_path, 'cache = {directory = "%s", x = 1} # %s' % ("/d" * 2000, "e" * 5000))
    lines = text([file]).splitlines()
    assert max(map(len, lines[1:4])) < 200
    shown, caret = lines[2], lines[3]
    assert shown.startswith("1 | ...d/d") and shown.endswith("eee...")
    assert shown[caret.index("^")] == "x"


@pytest.mark.parametrize(("content", "said", "failed"), [
    (GOOD, "1 file: no problems", False),
    ('[cache]\nworker-event-queue-size = "2"\n', "1 file: 1 warning", False),
    ('[cache]\nfiles-total-size-soft-limit = "235Pi"\n', "1 file: 1 danger", True),
    ("", "1 file: 1 error", True),
])  # fmt: skip
def test_warnings_do_not_fail(tmp_path, content, said, failed):
    file = checked(tmp_path, content, versions="42")
    assert text([file]).splitlines()[-1] == said
    assert file.failed == failed
    assert lint(tmp_path, "--wasmtime-version=42", "config.toml").returncode == int(failed)
    suites = ET.fromstring(junit([file]))
    assert suites.attrib["failures"] == suites[0].attrib["failures"] == str(int(failed))
    assert [child.tag for child in suites[0][0]] == (["failure"] if failed else ["system-out"] if file.problems else [])


def test_sarif_has_a_rule_a_file_and_a_line_for_each(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checked(tmp_path, "[cache]\nx = 1\nenabled = true\n", "a b%é.toml")
    checked(tmp_path, b"x" * (MAX_BYTES + 1), "large.toml")
    files = [*check("a b%é.toml", CURRENT), *check(str(tmp_path / "large.toml"), CURRENT)]
    (run,) = json.loads(sarif(files))["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    found = []
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        region = place["region"]
        found.append((place["artifactLocation"]["uri"], region["startLine"], region["startColumn"], result["ruleId"]))
    assert found == [
        ("a%20b%25%C3%A9.toml", 2, 1, "unknown-key"),
        ("a%20b%25%C3%A9.toml", 3, 1, "enabled-refused"),
        ("file://%s/large.toml" % tmp_path, 1, 1, "too-large"),
    ]


def test_a_message_is_no_link(tmp_path):
    file = checked(tmp_path, '[cache]\ndirectory = "[free](https://example.org) [x] [y]"\n')
    message = json.loads(sarif([file]))["runs"][0]["results"][0]["message"]["text"]
    assert "\\[free](https://example.org) [x] [y]" in message


def test_github_commands_are_escaped(tmp_path):
    file = checked(tmp_path, '[cache]\n"100%,:\\n::set-output name=x::" = 1\n', "a,b:c%\nd.toml")
    line = github([file])
    assert "\n" not in line
    head, name, rest = line.partition("a%2Cb%3Ac%25\\nd.toml,line=2,col=1,title=unknown-key::")
    assert name and head.startswith("::error file=")
    assert rest.startswith('"100%25,:\\n::set-output name=x::" is not a setting')


@pytest.mark.parametrize(("name", "shown"), [
    ("::stop-commands::x.toml", "./::stop-commands::x.toml"),
    ("  ::add-mask::x.toml", "./  ::add-mask::x.toml"),
    ("##[add-mask]x.toml", "#\\x23[add-mask]x.toml"),
    ("x ##vso[task.setvariable variable=a]y.toml", "x #\\x23vso[task.setvariable variable=a]y.toml"),
    ("##x::.toml", "##x::.toml"),
])  # fmt: skip
@pytest.mark.parametrize("named", [".", None])
def test_no_name_is_a_command_for_a_ci_system(tmp_path, monkeypatch, name, shown, named):
    monkeypatch.chdir(tmp_path)
    Path(name).write_text("[cache]\nworker-event-queue-size = 1\n", encoding="utf-8")
    assert text(check(named or name, CURRENT)).startswith(shown + ":2:")


def test_no_line_of_a_file_is_a_command_for_a_ci_system(tmp_path):
    file = checked(tmp_path, "[cache]\nx = 1 # ##[add-mask]a ##vso[task.complete]b ## [c]\n")
    for written in (text([file]), junit([file])):
        assert "##[" not in written and "##vso[" not in written
        assert "2 | x = 1 # #\\x23[add-mask]a #\\x23vso[task.complete]b ## [c]" in written


@given(
    content=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(lambda value: value.encode("utf-8", "replace"))),
    head=st.sampled_from([b"", b"[cache]\n", b'[cache]\ndirectory = "', b"[cache]\n# ", b"[cache]\n\xef\xbb\xbf"]),
)
def test_no_file_harms_a_terminal_or_a_parser(tmp_path, head, content):
    path = tmp_path / "\u202e\x1b]0;title\x07<&\udcff.toml"
    path.write_bytes(head + content)
    files = check(str(path), CURRENT)
    for name, write in FORMATS.items():
        written = write(files)
        # Line breaks and tabs are the format's own.
        assert printable(written, "\n\t") == written, name
        written.encode("utf-8")
    json.loads(sarif(files))
    ET.fromstring(junit(files))
    assert len(github(files).splitlines()) == len(files[0].problems)


# --- The program ---


def test_the_program_writes_what_is_wrong_and_nothing_else(tree):
    (tree / "\udcff.toml").write_bytes("[cache]\ncleanup-interval = 1 # 漢\n".encode())
    for name in FORMATS:
        done = lint(tree, "--format=" + name, ".")
        assert (done.returncode, done.stderr) == (1, "")
        assert done.stdout == FORMATS[name](check_in(tree)) + "\n"


def check_in(folder: Path) -> list[CheckedFile]:
    """What is found in the folder, by its relative names."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        return check(".", CURRENT)
    finally:
        os.chdir(before)


def test_the_program_writes_to_a_file(tmp_path):
    (tmp_path / "-x.toml").write_text("", encoding="utf-8")
    done = lint(tmp_path, "--format=sarif", "--output=lint.sarif", "--", "-x.toml")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert json.loads((tmp_path / "lint.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    (tmp_path / "-x.toml").write_text(GOOD, encoding="utf-8")
    assert lint(tmp_path, "--format=github", "--output=lint.sarif", "--", "-x.toml").returncode == 0
    assert (tmp_path / "lint.sarif").read_bytes() == b""


@pytest.mark.parametrize("target", ["../victim", "../missing"])
def test_a_link_at_the_name_of_the_output_is_replaced(tmp_path, target):
    (tmp_path / "victim").write_text("victim", encoding="utf-8")
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "config.toml").write_text(GOOD, encoding="utf-8")
    (checkout / "lint.txt").symlink_to(target)
    done = lint(checkout, "--output=lint.txt", "config.toml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (checkout / "lint.txt").is_symlink()
    assert (checkout / "lint.txt").read_text(encoding="utf-8") == "1 file: no problems\n"
    assert (tmp_path / "victim").read_text(encoding="utf-8") == "victim"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkout", "victim"]


def test_others_may_read_the_output_as_far_as_the_umask_lets_them(tmp_path):
    (tmp_path / "config.toml").write_text(GOOD, encoding="utf-8")
    before = os.umask(0o027)
    try:
        assert lint(tmp_path, "--output=lint.txt", "config.toml").returncode == 0
    finally:
        os.umask(before)
    assert (tmp_path / "lint.txt").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(("words", "said"), [
    ([""], "no file is named; name a config file, or a folder with config files"),
    (["nix.toml"], '"nix.toml" cannot be read: No such file or directory'),
    (["."], 'there is no Wasmtime cache config in "."; name the file itself'),
    (["--format=x", "."], 'format "x" is unknown; write one of text, sarif, junit, github'),
    (["--wasmtime-version=x\x1b", "."],
     '"x\\x1b" is not a Wasmtime version; write one like "42.0.2" or "42", or several like "36,42"'),
    (["--output=/nonexistent/x", "/etc/../config.toml"], None),
])  # fmt: skip
def test_bad_input_is_one_sentence(tmp_path, words, said):
    if said is None:
        (tmp_path / "config.toml").write_text(GOOD, encoding="utf-8")
        words, said = [words[0], "config.toml"], '"/nonexistent/x" cannot be written: No such file or directory'
    done = lint(tmp_path, *words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said + "\n")


def test_a_fifo_that_takes_a_file_s_place_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.toml")
    done = []
    thread = threading.Thread(target=lambda: done.append(lint(tmp_path, "x.toml").returncode))
    thread.start()
    thread.join(30)
    assert done == [2]
