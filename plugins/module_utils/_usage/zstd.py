# Copyright (c) 2026 wasmops contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-FileCopyrightText: 2026 wasmops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read cached modules with zstd: find broken ones, and measure other compression levels."""

from __future__ import annotations

import heapq
import os
import stat
import sys
import threading
import time
from typing import Any, Callable, Iterator, Sequence

from .._files.access import Reason, system_error
from .scan import GONE, LISTED, Budget, Entry, Look, Stopped, open_file, open_folder, shown_path

try:
    import zstandard
except ImportError as error:
    MISSING: ImportError | None = error
else:
    MISSING = None

# The engine does not read files that need more either.
WINDOW_MAX = 2**27

_READ = 2**18
# 4 bytes can decompress to 128 KiB: with this input, the output stays below 8 MiB.
_FED = 256
# The growing output and the input.
_PIECES = 16 * 2**20
# The longest header of a frame.
_FRAME_HEADER_MAX = 18
# The size of the buffer for decompressed bytes.
_BUFFER = 2**17

SAMPLE_BYTES = 16 * 2**20
SAMPLE_ENTRIES = 64
# The entries that are tried to find those.
_CANDIDATES = 1024
# A level is measured again until these seconds have passed, at most so many times.
_ENOUGH = 0.3
_RUNS = 5

# The level that zstd uses for 0.
_DEFAULT_LEVEL = 3


class Broken(Exception):
    """A file cannot be decompressed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def new_enough() -> bool:
    """Return whether zstandard returns the data after a frame, as it does from 0.18 on."""
    return hasattr(zstandard.ZstdDecompressor().decompressobj(), "unused_data")


def decompress(file: int, budget: Budget) -> Iterator[bytes]:
    """Decompress an open file piece by piece; it may have several zstd frames, as for the engine.

    Raises Broken, Stopped and OSError.
    """
    decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW_MAX)
    budget.need(_PIECES)
    stream = None
    reserved = position = 0
    data = os.read(file, _READ)
    if not data:
        raise Broken(Reason("empty-file"))
    while data:
        budget.check()
        if stream is None:
            if len(data) - position < _FRAME_HEADER_MAX:
                data = data[position:] + os.read(file, _READ)
                position = 0
            window = _window(data[position : position + _FRAME_HEADER_MAX])
            if window > reserved:
                budget.need(window + _PIECES)
                reserved = window
            stream = decompressor.decompressobj()
        piece = data[position : position + _FED]
        try:
            content = stream.decompress(piece)
        except zstandard.ZstdError as error:
            raise Broken(Reason("zstd-error", text=str(error).rpartition("error: ")[2])) from None
        if content:
            yield content
        position += len(piece)
        if stream.eof:
            position -= len(stream.unused_data)
            stream = None
        if position == len(data):
            data = os.read(file, _READ)
            position = 0
    if stream is not None:
        raise Broken(Reason("truncated-file"))


def _window(header: bytes) -> int:
    """Return the bytes of memory that zstd needs for a frame, without the pieces; 0 if zstd will refuse it."""
    try:
        window = int(zstandard.get_frame_parameters(header).window_size)
    except zstandard.ZstdError:
        return 0
    return window if window <= WINDOW_MAX else 0


class EntryReader:
    """Opens entries; consecutive entries of one folder share its handle."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self._folder = -1
        self._handle = -1

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def folder(self, entry: Entry) -> int:
        """Open the folder of an entry, unless it is open. Raises OSError."""
        if self._folder != entry.folder or self._handle < 0:
            self.close()
            self._handle = open_folder(self.look.top, self.look.folders[entry.folder].path)
            self._folder = entry.folder
        return self._handle

    def open(self, entry: Entry) -> int:
        """Open the file of an entry. Raises OSError and Broken."""
        folder = self.folder(entry)
        status = os.stat(entry.name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            raise Broken(Reason("not-a-regular-file"))
        return open_file(entry.name, folder)

    def replaced(self, entry: Entry, before: os.stat_result) -> bool:
        """Return whether the file of an entry was replaced or removed since."""
        try:
            now = os.stat(entry.name, dir_fd=self.folder(entry), follow_symlinks=False)
        except OSError:
            return True
        return _identity(now) != _identity(before)


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _reachable(look: Look) -> list[Entry]:
    """Return the entries that may be opened, folder by folder. Raises Stopped."""
    look.budget.check()
    # The list, and what sort() needs for it.
    look.budget.need(3 * sys.getsizeof(look.entries))
    found = [entry for entry in look.entries if not look.folders[entry.folder].behind_link]
    found.sort(key=lambda entry: entry.folder)
    return found


def verify(look: Look) -> tuple[dict[str, Any], str | None]:
    """Decompress every entry; return the figures, with a C(Reason) for each broken one, and the limit that was reached."""
    broken: list[dict[str, Any]] = []
    read = count = compressed = uncompressed = 0
    reachable = len(look.entries)
    stopped = None
    reader = EntryReader(look)
    try:
        entries = _reachable(look)
        reachable = len(entries)
        for entry in entries:
            look.budget.check()
            try:
                sizes = _sizes(reader, entry)
                if sizes is None:
                    continue
                compressed += sizes[0]
                uncompressed += sizes[1]
            except Broken as error:
                count += 1
                if len(broken) < LISTED:
                    broken.append({"name": shown_path(look.path(entry)), "reason": error.reason})
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
        "complete": stopped is None and look.complete and reachable == len(look.entries),
    }, stopped


def _sizes(reader: EntryReader, entry: Entry) -> tuple[int, int] | None:
    """Return the compressed and uncompressed bytes of an entry; None if it is gone. Raises Broken and Stopped."""
    for last in (False, True):
        try:
            file = reader.open(entry)
        except OSError as error:
            if error.errno in GONE:
                return None
            raise Broken(Reason("unreadable-file", reason=system_error(error))) from None
        try:
            before = os.fstat(file)
            return before.st_size, sum(map(len, decompress(file, reader.look.budget)))
        except (Broken, OSError) as error:
            # The engine replaces files while it runs.
            if last or not reader.replaced(entry, before):
                raise Broken(error.reason if isinstance(error, Broken) else system_error(error)) from None
        finally:
            os.close(file)
    return None


def _ratio(uncompressed: int, compressed: int) -> float | None:
    return round(uncompressed / compressed, 2) if compressed else None


def sample(look: Look) -> list[bytes]:
    """Return the contents of modules of the host; the last one may be cut off. Raises Stopped.

    The modules are the first ones by name: the names are hashes, so this is a random choice that stays the same.
    Unreadable modules are left out, unless there are very many.
    """

    def candidates() -> Iterator[Entry]:
        for entry in look.entries:
            look.budget.check()
            if not look.folders[entry.folder].behind_link:
                yield entry

    # Sorting all entries would take memory for each of them.
    first = heapq.nsmallest(_CANDIDATES, candidates(), key=lambda entry: (entry.name, look.folders[entry.folder].path))
    chosen: list[bytes] = []
    left = SAMPLE_BYTES
    reader = EntryReader(look)
    try:
        for entry in first:
            look.budget.check()
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


def _content(reader: EntryReader, entry: Entry, most: int) -> bytes:
    file = reader.open(entry)
    try:
        # The pieces, and the bytes joined from them.
        reader.look.budget.need(2 * most)
        pieces: list[bytes] = []
        size = 0
        for piece in decompress(file, reader.look.budget):
            pieces.append(piece[: most - size])
            size += len(pieces[-1])
            if size >= most:
                break
        return b"".join(pieces)
    finally:
        os.close(file)


def measure(contents: Sequence[bytes], level: int, budget: Budget) -> dict[str, Any]:
    """Measure ratio and speed of a level on this host, in millions of uncompressed bytes per second of one processor.

    Raises Stopped.
    """
    parameters = zstandard.ZstdCompressionParameters.from_level(level or _DEFAULT_LEVEL)
    size = sum(map(len, contents))
    # The compressed modules stay in memory; zstd and the pieces each need one module more.
    budget.need(parameters.estimated_compression_context_size() + size + 2 * max(map(len, contents)))
    compressed: list[bytes] = []
    buffer = bytearray(_BUFFER)

    def compress() -> None:
        del compressed[:]
        compressed.extend(b"".join(_compress(content, level, budget)) for content in contents)

    def expand() -> None:
        for data in compressed:
            stream = zstandard.ZstdDecompressor(max_window_size=WINDOW_MAX).stream_reader(data)
            while stream.readinto(buffer):
                budget.check()

    to_compress = _median_seconds(compress)
    return {
        "level": level,
        "ratio": _ratio(size, sum(map(len, compressed))),
        "compress_mb_per_s": _speed(size, to_compress),
        "decompress_mb_per_s": _speed(size, _median_seconds(expand)),
    }


def _compress(content: bytes, level: int, budget: Budget) -> Iterator[bytes]:
    """Compress as the engine does: without telling zstd the size in advance."""
    stream = zstandard.ZstdCompressor(level=level).compressobj()
    for start in range(0, len(content), _READ):
        budget.check()
        yield stream.compress(content[start : start + _READ])
    yield stream.flush()


def _median_seconds(work: Callable[[], None], clock: Callable[[], float] = time.thread_time) -> float:
    """Return the median of the processor seconds of this thread for the work."""
    times: list[float] = []
    while len(times) < _RUNS and sum(times) < _ENOUGH:
        start = clock()
        work()
        times.append(clock() - start)
    return sorted(times)[len(times) // 2]


def _speed(size: int, seconds: float) -> float | None:
    return round(size / seconds / 1e6, 1) if seconds else None


def _in_time(contents: Sequence[bytes], level: int, budget: Budget) -> dict[str, Any]:
    """Measure in a thread, which is abandoned at the time limit. Raises Stopped.

    One call of zstd at a high level can take a second and cannot be interrupted.
    """
    rows: list[dict[str, Any]] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            rows.append(measure(contents, level, budget))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    budget.check()
    thread.start()
    thread.join(max(budget.left(), 0))
    if thread.is_alive():
        raise Stopped("time_limit")
    if failures:
        raise failures[0]
    return rows[0]


def levels(look: Look, wanted: Sequence[int]) -> tuple[dict[str, int] | None, list[dict[str, Any]], str | None]:
    """Return the sample, a row for each level, None for unknown values, and the limit that was reached."""
    rows: list[dict[str, Any]] = []
    stopped = None
    contents: list[bytes] = []
    try:
        contents = sample(look)
    except Stopped as stop:
        stopped = stop.reason
    for level in wanted:
        row = {"level": level, "ratio": None, "compress_mb_per_s": None, "decompress_mb_per_s": None}
        if contents:
            try:
                row = _in_time(contents, level, look.budget)
            except Stopped as stop:
                # A lower level may still fit into the memory.
                stopped = stopped or stop.reason
        rows.append(row)
    of = {"entries": len(contents), "size": sum(map(len, contents))} if contents else None
    return of, rows, stopped
