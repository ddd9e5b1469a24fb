# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The blocks of code in README.md and in the guide: what a reader is to type, to save, and to see.

- A line that begins with `$ ` is typed, with the lines after it as long as they end in a backslash; what follows up
  to the next is what the reader sees. `...` stands for anything.
- A block whose first line is a comment with a file name is a file that the reader saves.
- Any other block of YAML is a playbook.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from antsibull_docutils.rst_code_finder import find_code_blocks
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
PROMPT = "$ "
# What a page in reStructuredText may have; others could hide a block of code.
DIRECTIVES = {"code-block", "image", "list-table"}
_NAME = re.compile(r"# ([\w./-]+\.[a-z]+)\n")
# What a failed run of Ansible looks like.
_FAILURE = re.compile(r"\b(failed|unreachable)=[1-9]|FAILED!|^(fatal: |ERROR!|\[ERROR\]|make: \*\*\*)", re.MULTILINE)


class Command(NamedTuple):
    """What a reader types, and sees."""

    text: str
    output: str  # empty if the page does not show it

    @property
    def fails(self) -> bool:
        """Whether what is shown is a failure."""
        return bool(_FAILURE.search(self.output))


class Block(NamedTuple):
    """A block of code on a page."""

    page: str  # path from the root of the collection
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return "%s, line %d" % (self.page, self.line)

    @property
    def file(self) -> str | None:
        """The name under which a reader saves it."""
        found = _NAME.match(self.text)
        return found[1] if found else None

    @property
    def commands(self) -> list[Command]:
        """What is typed one after the other; raises ValueError for a block that does not begin with any."""
        found: list[Command] = []
        for line in self.text.splitlines():
            if found and not found[-1].output and found[-1].text.endswith("\\"):
                found[-1] = Command("%s\n%s" % (found[-1].text, line), "")
            elif line.startswith(PROMPT):
                found.append(Command(line[len(PROMPT) :], ""))
            elif found:
                found[-1] = Command(found[-1].text, "%s%s\n" % (found[-1].output, line))
            else:
                raise ValueError("%s does not begin with a command: %s" % (self, line))
        return found


def pages() -> list[str]:
    """All pages with something for a reader to do, by their paths from the root of the collection."""
    patterns = ("README.md", "docs/*.md", "docs/docsite/rst/*.rst", "roles/*/README.md")
    return [str(path.relative_to(ROOT)) for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def blocks(page: str) -> list[Block]:
    """All blocks of code of a page, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    if page.endswith(".md"):
        tokens = MarkdownIt().parse(text)
        return [
            Block(page, token.map[0] + 1 if token.map else 0, token.info.strip(), token.content)
            for token in tokens
            if token.type in {"fence", "code_block"}
        ]
    strange = sorted(set(re.findall(r"^\s*\.\. ([\w-]+)::", text, re.MULTILINE)) - DIRECTIVES)
    strange += re.findall(r"^[ \t]*>>> .*", text, re.MULTILINE)
    found = find_code_blocks(
        text,
        path=page,
        root_prefix=str(ROOT),
        warn_unknown_block_w_unknown_info=lambda line, _column, text, _unknown: strange.append(
            "%s, line %s: %s" % (page, line, text)
        ),
    )
    result = [Block(page, block.row_offset, block.language or "", block.content) for block in found]
    if strange:
        raise ValueError("neither text nor a code-block: " + "; ".join(strange))
    return result
