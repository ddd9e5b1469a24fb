# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cached modules read with zstd: which are broken, and what other levels would make of them."""

from __future__ import annotations

import os
import random
import stat
import time
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from ._entries import GONE, LISTED, Budget, Entry, Look, Stopped, open_file, open_folder, shown

try:
    import zstandard
except ImportError as error:
    MISSING: Optional[ImportError] = error
else:
    MISSING = None

# The engine's own bound: what asks for more it does not read either.
WINDOW_MAX = 2**27

_READ = 2**18
# zstd makes up to 128 KiB of 4 bytes; so much is fed at a time that the outcome stays below 16 MiB.
_FED = 512

SAMPLE_BYTES = 16 * 2**20
SAMPLE_ENTRIES = 64
# A level is measured again until it has taken so many seconds, but not more often than so.
_ENOUGH = 0.3
_RUNS = 5

# With this level zstd takes its own.
_DEFAULT_LEVEL = 3


class Broken(Exception):
    """What is in a file cannot be decompressed; its text is the reason."""


def new_enough() -> bool:
    """Whether zstandard tells where a frame ends; it does from 0.18 on."""
    return hasattr(zstandard.ZstdDecompressor().decompressobj(), "unused_data")


def decompress(file: int, budget: Budget) -> Iterator[bytes]:
    """The content of an open file, piece by piece; zstd frames one after the other, as the engine reads them.

    Raises Broken, Stopped and OSError.
    """
    decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW_MAX)
    stream = None
    empty = True
    data = os.read(file, _READ)
    while data:
        empty = False
        for start in range(0, len(data), _FED):
            piece = data[start : start + _FED]
            budget.check()
            while piece:
                if stream is None:
                    stream = decompressor.decompressobj()
                try:
                    content = stream.decompress(piece)
                except zstandard.ZstdError as error:
                    raise Broken(str(error).rpartition("error: ")[2]) from None
                if content:
                    yield content
                piece = b""
                if stream.eof:
                    piece = stream.unused_data
                    stream = None
        data = os.read(file, _READ)
    if empty:
        raise Broken("the file is empty")
    if stream is not None:
        raise Broken("the file ends too early")


def needs(file: int) -> int:
    """Bytes of memory for decompressing an open file, beside the pieces; its position stays."""
    try:
        window = zstandard.get_frame_parameters(os.pread(file, 18, 0)).window_size
    except zstandard.ZstdError:
        return 0  # it will not come that far
    return int(min(window, WINDOW_MAX))


class Reader:
    """Opens the entries of a look, those of one folder after the other without a new way to it."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self._folder = -1
        self._handle = -1

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def folder(self, entry: Entry) -> int:
        """A handle to the folder of an entry. Raises OSError."""
        if self._folder != entry.folder or self._handle < 0:
            self.close()
            self._handle = open_folder(self.look.top, self.look.folders[entry.folder].path)
            self._folder = entry.folder
        return self._handle

    def open(self, entry: Entry) -> int:
        """A handle to the file of an entry. Raises OSError and Broken."""
        folder = self.folder(entry)
        status = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            raise Broken("not a regular file")
        return open_file(entry.name, folder)

    def replaced(self, entry: Entry, before: os.stat_result) -> bool:
        """Whether the name of an entry stands for something else by now, or for nothing."""
        try:
            now = os.stat(entry.name, dir_fd=self.folder(entry), follow_symlinks=False)
        except OSError:
            return True
        return _identity(now) != _identity(before)


def _identity(status: os.stat_result) -> Tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _reachable(look: Look) -> List[Entry]:
    """The entries that may be opened, folder by folder."""
    found = [entry for entry in look.entries if not look.folders[entry.folder].behind_link]
    found.sort(key=lambda entry: entry.folder)
    return found


def verify(look: Look) -> Tuple[Dict[str, Any], Optional[str]]:
    """Decompress every entry; the figures as the module returns them, and what stopped it before the end."""
    entries = _reachable(look)
    broken: List[Dict[str, str]] = []
    read = count = compressed = uncompressed = 0
    stopped = None
    reader = Reader(look)
    try:
        for entry in entries:
            try:
                sizes = _sizes(reader, entry)
                if sizes is None:
                    continue
                compressed += sizes[0]
                uncompressed += sizes[1]
            except Broken as reason:
                count += 1
                if len(broken) < LISTED:
                    broken.append({"name": shown(look.path(entry)), "reason": str(reason)})
            read += 1
    except Stopped as stop:
        stopped = stop.reason
    finally:
        reader.close()
    return {
        "entries": read,
        "broken": broken,
        "broken_count": count,
        "compressed": compressed,
        "uncompressed": uncompressed,
        "ratio": _ratio(uncompressed, compressed),
        "complete": stopped is None and look.complete and len(entries) == len(look.entries),
    }, stopped


def _sizes(reader: Reader, entry: Entry) -> Optional[Tuple[int, int]]:
    """Compressed and uncompressed bytes of a whole entry; None if it is gone. Raises Broken and Stopped."""
    for last in (False, True):
        try:
            file = reader.open(entry)
        except OSError as error:
            if error.errno in GONE:
                return None
            raise Broken("cannot be read: %s" % error.strerror) from None
        try:
            before = os.fstat(file)
            reader.look.budget.need(needs(file))
            return before.st_size, sum(map(len, decompress(file, reader.look.budget)))
        except (Broken, OSError) as error:
            # The engine replaces files while it runs.
            if last or not reader.replaced(entry, before):
                raise Broken(getattr(error, "strerror", None) or str(error)) from None
        finally:
            os.close(file)
    return None


def _ratio(uncompressed: int, compressed: int) -> Optional[float]:
    return round(uncompressed / compressed, 2) if compressed else None


def sample(look: Look) -> List[bytes]:
    """Modules of the host, chosen at random and always the same ones; the last may be cut off. Raises Stopped."""
    entries = _reachable(look)
    # The choice does not depend on the order in which the file system lists them.
    entries.sort(key=lambda entry: (entry.name, look.folders[entry.folder].path))
    chosen: List[bytes] = []
    left = SAMPLE_BYTES
    reader = Reader(look)
    try:
        for entry in random.Random(0).sample(entries, len(entries)):
            if left <= 0 or len(chosen) >= SAMPLE_ENTRIES:
                break
            try:
                content = _content(reader, entry, left)
            except (Broken, OSError):
                continue
            left -= len(content)
            if content:
                chosen.append(content)
    finally:
        reader.close()
    return chosen


def _content(reader: Reader, entry: Entry, most: int) -> bytes:
    file = reader.open(entry)
    try:
        # The pieces, and they joined.
        reader.look.budget.need(needs(file) + 2 * most)
        pieces: List[bytes] = []
        size = 0
        for piece in decompress(file, reader.look.budget):
            pieces.append(piece[: most - size])
            size += len(pieces[-1])
            if size >= most:
                break
        return b"".join(pieces)
    finally:
        os.close(file)


def measure(contents: Sequence[bytes], level: int, budget: Budget) -> Dict[str, Any]:
    """Ratio and speed of a level on this host, in millions of uncompressed bytes per second of one processor.

    Raises Stopped.
    """
    parameters = zstandard.ZstdCompressionParameters.from_level(level or _DEFAULT_LEVEL)
    size = sum(map(len, contents))
    budget.need(parameters.estimated_compression_context_size() + size)
    compressed: List[List[bytes]] = []

    def compress() -> None:
        compressed[:] = [list(_compress(content, level, budget)) for content in contents]

    def expand() -> None:
        for pieces in compressed:
            stream = zstandard.ZstdDecompressor(max_window_size=WINDOW_MAX).decompressobj()
            for piece in pieces:
                budget.check()
                stream.decompress(piece)

    to_compress = _seconds(compress)
    return {
        "level": level,
        "ratio": _ratio(size, sum(len(piece) for pieces in compressed for piece in pieces)),
        "compress_mb_per_s": _speed(size, to_compress),
        "decompress_mb_per_s": _speed(size, _seconds(expand)),
    }


def _compress(content: bytes, level: int, budget: Budget) -> Iterator[bytes]:
    """As the engine does it: it does not tell zstd how much is to come."""
    stream = zstandard.ZstdCompressor(level=level).compressobj()
    for start in range(0, len(content), _READ):
        budget.check()
        yield stream.compress(content[start : start + _READ])
    yield stream.flush()


def _seconds(work: Callable[[], None]) -> float:
    """The median of what the work takes on the processor, without what others do there."""
    times: List[float] = []
    while len(times) < _RUNS and sum(times) < _ENOUGH:
        start = time.thread_time()
        work()
        times.append(time.thread_time() - start)
    return sorted(times)[len(times) // 2]


def _speed(size: int, seconds: float) -> Optional[float]:
    return round(size / seconds / 1e6, 1) if seconds else None


def levels(look: Look, wanted: Sequence[int]) -> Tuple[Optional[Dict[str, int]], List[Dict[str, Any]], Optional[str]]:
    """The sample, a row for each level, and what stopped it before the end: values that are not known are None."""
    rows: List[Dict[str, Any]] = []
    stopped = None
    contents: List[bytes] = []
    try:
        contents = sample(look)
    except Stopped as stop:
        stopped = stop.reason
    for level in wanted:
        row = {"level": level, "ratio": None, "compress_mb_per_s": None, "decompress_mb_per_s": None}
        if contents:
            try:
                row = measure(contents, level, look.budget)
            except Stopped as stop:
                # A lower level may still fit the memory.
                stopped = stopped or stop.reason
        rows.append(row)
    of = {"entries": len(contents), "size": sum(map(len, contents))} if contents else None
    return of, rows, stopped
