# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The refusal of a run."""

from __future__ import annotations

from typing import Any

from .._config.printable import printable


class Refused(Exception):
    """End the run with this message, a list of C(points), and C(result) beside it.

    Only the list has several lines: line breaks in names are escaped.
    """

    def __init__(self, message: str, *points: str, **result: Any) -> None:
        super().__init__("\n- ".join(map(printable, (message, *points))))
        self.result = result
