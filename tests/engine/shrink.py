# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the smallest document that still shows a difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_TRIALS = 3000


def _without(pieces: list[bytes], keeps: Callable[[bytes], bool]) -> list[bytes]:
    """Leave out runs of pieces, long ones first, as long as the difference is kept."""
    size = max(1, len(pieces) // 2)
    while True:
        start = 0
        while start < len(pieces):
            rest = pieces[:start] + pieces[start + size :]
            if keeps(b"".join(rest)):
                pieces = rest
            else:
                start += size
        if size == 1:
            return pieces
        size //= 2


def _characters(document: bytes) -> Sequence[bytes]:
    try:
        return [character.encode("utf-8") for character in document.decode("utf-8")]
    except UnicodeDecodeError:
        return [document[at : at + 1] for at in range(len(document))]


def shrink(document: bytes, keeps: Callable[[bytes], bool]) -> bytes:
    """Make a document smaller, by lines and then by characters, while it C(keeps) its property."""
    seen = {document: True}

    def tried(candidate: bytes) -> bool:
        if candidate not in seen:
            seen[candidate] = len(seen) < MOST_TRIALS and keeps(candidate)
        return seen[candidate]

    while True:
        smaller = b"".join(_without(document.splitlines(True), tried))
        smaller = b"".join(_without(list(_characters(smaller)), tried))
        if smaller == document:
            return document
        document = smaller
