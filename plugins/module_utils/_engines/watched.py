# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do work that may never end, in a process of its own.

Reading what another process shows of itself can take for ever, and then no signal ends it: its files may be on a file system
that its user serves (FUSE, also below an overlay), and so may be the memory that its arguments are in.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import struct
from typing import Any, Callable, Generator, NoReturn

_LENGTH = struct.Struct("=Q")

Tell = Callable[[Any], None]


class Stalled(Exception):
    """The work was given up, or its process has ended early."""


def watched(work: Callable[[Tell], None], patience: Callable[[], float]) -> Generator[Any, None, None]:
    """Call C(work) in a new process; yield what it passes to its argument.

    C(patience) returns the seconds to wait for the next of these. Raises Stalled if it does not come.
    """
    source, target = os.pipe()
    pid = os.fork()
    if pid == 0:
        _work(work, target)
    os.close(target)
    ended = 0
    try:
        waits = select.poll()
        waits.register(source, select.POLLIN)
        data = b""
        while True:
            if not waits.poll(1000 * max(patience(), 0)):
                raise Stalled
            more = os.read(source, 2**16)
            if not more:
                break
            data += more
            while len(data) >= _LENGTH.size:
                end = _LENGTH.size + _LENGTH.unpack_from(data)[0]
                if len(data) < end:
                    break
                item, data = pickle.loads(data[_LENGTH.size : end]), data[end:]
                yield item
        ended, status = os.waitpid(pid, 0)
        if status:
            raise Stalled
    finally:
        os.close(source)
        if not ended:
            os.kill(pid, signal.SIGKILL)
            # It ends when the file system answers, which nobody must wait for.
            os.waitpid(pid, os.WNOHANG)


def _work(work: Callable[[Tell], None], target: int) -> NoReturn:
    status = 1
    try:
        # Who waits until the output of the module is closed must not wait for this process.
        null = os.open(os.devnull, os.O_RDWR)
        for handle in (0, 1, 2):
            os.dup2(null, handle)

        def tell(item: Any) -> None:
            data = pickle.dumps(item)
            data = _LENGTH.pack(len(data)) + data
            while data:
                data = data[os.write(target, data) :]

        with contextlib.suppress(BrokenPipeError):
            work(tell)
            status = 0
    finally:
        os._exit(status)
