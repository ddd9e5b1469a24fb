# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the statements of the collection about Wasmtime, and the tests that prove them with a real one.

A test is marked with C(proves) and the codes of problems, or the words of sentences, that it proves.
test_statements.py fails for a code or a sentence about Wasmtime that has neither a test nor a place in the lists below.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
# Words with at most this number of characters could be in any sentence.
FEW = 21
# At the end of statements that no test can prove.
FROM_SOURCE = "(read from the source)"

# Words of sentences that name Wasmtime but state nothing about its behaviour.
OURS = (
    # titles, links, commands
    "| Wasmtime",
    "[from Wasmtime 32 to 33]",
    "what Wasmtime does, and the remedy.",
    "Needs root, but no container engine.",
    "`make engine-test N=10000`",
    "From what Wasmtime says ---",
    "* - Message of Wasmtime",
    "From Wasmtime 32 to 33 and later ===",
    "Change the engine and the file in the same play",
    "The same files are valid for the current engine",
    # of settings that the table gives to some versions, when there are any
    # about settings that only some versions know
    "only Wasmtime %(versions)s knows",
    "only Wasmtime %s knows this setting",
    # what the collection does with a config or a cache
    "of Wasmtime's compilation cache",
    "configures Wasmtime's compilation cache",
    "Examine Wasmtime's compilation cache",
    "the contents of Wasmtime's cache",
    "Fail where Wasmtime's cache config",
    "config Wasmtime refuses or that",
    "if Wasmtime would refuse the file",
    "A file that Wasmtime refuses is never",
    "replace an existing file that Wasmtime would refuse",
    "Wasmtime would refuse the result",
    "if Wasmtime refuses the config",
    "%s is not a Wasmtime version;",
    "there is no Wasmtime cache config in",
    "Check a Wasmtime cache config and return",
    "Wasmtime cache config",
    "because Wasmtime refuses the config",
    "if Wasmtime refuses the file",
    "Wasmtime refuses it, so no cache directory is known",
    "refused by Wasmtime",
    "also shows what the cache holds",
    "compare the contents of the cache with its limits",
    "prints its contents, how much of the limits is used",
    "the lines show the contents of the cache",
    "a worker on the controller",
    "The effect of a cleanup of the directory in its present state.",
    "the next cleanup deletes nothing",
    "the next cleanup deletes %s and leaves",
    "takes this file, so nothing was changed",
    "Wasmtime refuses this file, so nothing was changed",
    "Whether no danger is known that later makes Wasmtime",
    "if it accepts the file and later crashes",
    "The number of cached modules, as Wasmtime counts them.",
    "Their number, as Wasmtime counts them.",
    "by their settings that differ from Wasmtime's defaults",
    "Wasmtime's defaults",
    # what is removed from a cache
    "That `broken` includes every module that an engine cannot use",
    "`tests/engine/test_prune.py` against running engines",
    "named kinds of files from Wasmtime's compilation cache",
    "it removes everything that Wasmtime uses",
    "those of Wasmtime's own files that other users can write to",
    "of compiler versions that no Wasmtime on this host uses",
    "does not have the name of one of Wasmtime's own files",
    "is not Wasmtime's and prevents the removal of its directory",
    "whose names are not those of Wasmtime's own files",
    "so that a Wasmtime may be using the directory",
    "has a Wasmtime of an unknown version",
    "holds files but nothing that only Wasmtime makes",
    "Wasmtime refuses the config, so that its cache directory is not known",
    "Wasmtime refuses the config, which says what is stale and over the limits",
    # which Wasmtime
    "version of the Wasmtime that reads the file",
    "every Wasmtime from 33 on",
    "every Wasmtime whose rules were used",
    "range of Wasmtime versions",
    "ranges of Wasmtime versions",
    "the user that runs Wasmtime",
    "the user who runs Wasmtime",
    "Root does not know who runs Wasmtime",
    "not every Wasmtime of this host is known",
    "A program that embeds Wasmtime has its own engine",
    "every Wasmtime in programs, libraries and running processes",
    "there is no Wasmtime in this file;",
    "Find every Wasmtime on a host",
    "the rules of each Wasmtime that is found",
    "Every file that contains a Wasmtime",
    "every file with a Wasmtime is listed",
    "more files contain a Wasmtime than can be listed",
    "The version of its Wasmtime",
    "They keep this Wasmtime until they are restarted.",
    "The problems of the config at O(path) for this Wasmtime.",
    "it only uses the options that name a cache config, and the variables",
    "Which Wasmtime is in there?",
    "The rules for a config depend on the version of Wasmtime that reads it",
    "A program that loads Wasmtime from a",
    "for a program that loads Wasmtime from a library",
    "A file can be forged to look as if it had another Wasmtime.",
    "With ``path`` each engine has ``accepts``",
    "the rules of the Wasmtime in each of them",
    "pass the path of the file when you set up the engine",
    "The file must suit the Wasmtime in each of them,",
    "finds out which Wasmtime is in each",
    "finds out itself which Wasmtime your tasks have installed",
    "or has no Wasmtime that reads a config, is an error.",
    "V(auto) stands for every Wasmtime that reads a config",
    "Each C(version) of Wasmtime in the programs that read the configs",
    "has a Wasmtime that reads a cache config;",
    "the Wasmtime in this file cannot read a cache config;",
    "see RV(wasmops.wasmtime.engine_info#module:engines[]",
    "%s (Wasmtime %s)",
    "accepts it, Wasmtime %d and later refuse it",
)
# Words of sentences whose truth is read from a source, and which.
SOURCE = {
    "Wasmtime itself has no order": "wasmtime: crates/cache/src/worker.rs sorts by time alone, and not stably",
    "set DISABLE_WASMTIME_CACHE=1 for Spin": "spin: crates/trigger/src/cli.rs",
    "E(DISABLE_WASMTIME_CACHE) of Spin": "spin: crates/trigger/src/cli.rs",
    "``DISABLE_WASMTIME_CACHE=1`` in the environment": "spin: crates/trigger/src/cli.rs",
    "``--disable-cache``, ``DISABLE_WASMTIME_CACHE=1``": "spin: crates/trigger/src/cli.rs",
}


def proves(*_what: str) -> Callable[[Any], Any]:
    """Mark what a test proves: codes, or words of sentences as they stand."""
    return lambda test: test


def proven() -> dict[str, str]:
    """Return the marks of all tests, each with its test."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for test in tree.body:
            if not isinstance(test, ast.FunctionDef) or not test.name.startswith("test_"):
                continue
            for mark in test.decorator_list:
                if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "proves":
                    for what in mark.args:
                        found[ast.literal_eval(what)] = f"{path.name}::{test.name}"
    return found


class Statement(NamedTuple):
    """A sentence about Wasmtime, and its file."""

    place: str
    text: str


# The name of Wasmtime, or words for its actions.
_ABOUT = re.compile(
    r"\bWasmtime\b|\b[Ee]ngines?\b|\bcleanups?\b|native code|(runs?|running) code|\bworker\b|\b[Aa] lock\b|compiled again|is compressed|\baborts?\b"
    r"|\bEXTISM_CACHE_CONFIG\b|\bDISABLE_WASMTIME_CACHE\b"
)
_SENTENCE = re.compile(r"(?<=[.:!?;])\s+(?=[\"'`*A-Z0-9:(]|[a-z])")


def _prose(path: Path) -> Iterator[str]:
    """Yield the paragraphs, items and cells of a page, without its blocks of code."""
    text = re.sub(r"<!--.*?-->|^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    if path.suffix == ".rst":
        # A block of code or a comment goes on as long as lines are indented deeper than its opening.
        text = re.sub(r"^( *)\.\.(?: code-block.*)?\n(?:(?:\1 +.*)?\n)*", "\n", text, flags=re.MULTILINE)
        text = re.sub(r"^ *\.\. .*$", "", text, flags=re.MULTILINE)
    yield from re.split(r"\n\s*\n|\n(?=\s*(?:[-*#|]|\d+\.) )|(?<=[^|]) \| ", text)


def _documentation(node: Any) -> Iterator[str]:
    """Yield all texts in the documentation of a plugin or of the role's options."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("description", "short_description", "notes", "details"):
                yield from [value] if isinstance(value, str) else [item for item in value if isinstance(item, str)]
            else:
                yield from _documentation(value)
    elif isinstance(node, list):
        for item in node:
            yield from _documentation(item)


def _texts() -> Iterator[tuple[Path, str]]:
    pages = [ROOT / "README.md", ROOT / "docs" / "security.md", ROOT / "roles" / "wasmtime_cache" / "README.md"]
    for path in [*pages, *sorted((ROOT / "docs" / "docsite" / "rst").glob("*.rst"))]:
        for part in _prose(path):
            yield path, part
    for path in sorted((ROOT / "roles").glob("*/meta/argument_specs.yml")):
        for text in _documentation(yaml.safe_load(path.read_text(encoding="utf-8"))):
            yield path, text
    for path in sorted((ROOT / "plugins").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documentation = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id in ("DOCUMENTATION", "RETURN", "EXAMPLES", "PROGRAMS", "SETTINGS")
        }
        skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        # The test of a code also proves its texts in docs/problems.md.
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg in ("engine", "helps"):
                skipped.update(map(id, ast.walk(node.value)))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in skipped:
                continue
            if id(node) in documentation:
                for text in _documentation(yaml.safe_load(node.value)):
                    yield path, text
            else:
                yield path, node.value


def about(words: str, text: str) -> bool:
    """Return whether these are words of the sentence; very short ones must be the whole sentence."""
    return words in text if len(words) > FEW else words == text


def statements() -> list[Statement]:
    """Return every sentence about Wasmtime or the engine in pages, documentation and messages."""
    return [
        Statement(str(path.relative_to(ROOT)), sentence)
        for path, text in _texts()
        for sentence in _SENTENCE.split(" ".join(text.split()))
        if _ABOUT.search(sentence) and " " in sentence
    ]
