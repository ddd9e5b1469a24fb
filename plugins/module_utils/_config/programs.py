# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the known programs that read a cache config get another file, and how their cache is disabled."""

from __future__ import annotations

from typing import NamedTuple


class Known(NamedTuple):
    """A program, or a library that many programs contain."""

    file: str
    """How to give it a file other than the one at the default path."""
    off: str | None
    """How to disable its cache; None if that is impossible."""


KNOWN = {
    "wasmtime": Known("pass -C cache-config=FILE to wasmtime", "pass -C cache=n to wasmtime"),
    "spin": Known("set WASMTIME_CACHE_FILE=FILE for Spin", "set DISABLE_WASMTIME_CACHE=1 for Spin"),
    "extism": Known("set EXTISM_CACHE_CONFIG=FILE for Extism", "EXTISM_CACHE_CONFIG= (empty) for Extism"),
    "wizer": Known("leave Wizer the default path, it reads no other", None),
}
"""By the names that C(_engines) gives them."""

OTHERS = "see the documentation of any other program"
"""What to do for unknown programs."""

SWITCH_OFF = "switch the cache off in the program: %s, %s or %s; no file can do that for Wasmtime 33 and later" % tuple(
    known.off for known in KNOWN.values() if known.off
)
