"""Tells a file, or standard output: a payload a line.

A file is private, and begins anew once it is full: `told.jsonl` becomes `told.jsonl.1`, that
`told.jsonl.2`, and the oldest goes. Whole lines only: what a full disk took the half of is taken
back.

Writing may hang, on a pipe that nobody reads or a disk that is gone, so a thread of its own does
it; one that hangs is left alone with what it has.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from ibkr_trader.adapters.private_files import open_private, private_folder
from ibkr_trader.adapters.settings import Text, read_settings
from ibkr_trader.adapters.sinks import SINKS
from ibkr_trader.core.errors import ConfigError, SinkUnavailable
from ibkr_trader.portfolio.payloads import encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ibkr_trader.portfolio.payloads import Payload

PATH = "sinks.json_lines"
STDOUT = "-"
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND


class JsonLinesSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which file.

    Attributes:
        path: The file, or `-` for standard output.
        most_bytes: It begins anew before it would grow beyond that.
        files: How many there are in all.
    """

    path: Text
    most_bytes: Annotated[int, msgspec.Meta(ge=1)] = 50_000_000
    files: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 5


class JsonLines:
    """A file of lines, or standard output."""

    def __init__(self, settings: JsonLinesSettings) -> None:
        self._file = _File(settings)
        self._work: queue.SimpleQueue[tuple[bytes | None, Future[None]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._payloads: Sequence[Payload] = ()
        self._written: Future[None] | None = None  # of `_payloads`, still under way

    @property
    def name(self) -> str:
        """What a person calls it."""
        return "standard output" if self._file.is_stdout else self._file.path.name

    async def emit(self, payloads: Sequence[Payload]) -> None:
        """Write a line for each payload.

        Raises:
            SinkUnavailable: If they could not be written; then no part of them is in a file.
        """
        if self._written is not None:  # an attempt that nobody waited for any longer
            is_same = self._payloads is payloads
            await self._end(self._written)
            if is_same:
                return
        self._payloads, self._written = payloads, self._hand_over(_lines(payloads))
        await self._end(self._written)

    async def close(self) -> None:
        """Close the file, unless a write hangs in it: that one is left alone."""
        if self._thread is not None:
            closed, self._thread = self._hand_over(None), None
            if self._written is None:
                await _finished(closed)

    async def _end(self, written: Future[None]) -> None:
        """Wait until what was handed over is written; if nobody waits, it goes on all the same."""
        await _finished(written)
        self._written = None
        try:
            written.result()
        except (OSError, ConfigError) as error:
            words = error.strerror if isinstance(error, OSError) else error.message
            raise SinkUnavailable(f"{self.name}: {words or error}") from None

    def _hand_over(self, lines: bytes | None) -> Future[None]:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="json-lines", daemon=True)
            self._thread.start()
        done: Future[None] = Future()
        self._work.put((lines, done))
        return done

    def _run(self) -> None:
        while True:
            lines, done = self._work.get()
            try:
                self._file.close() if lines is None else self._file.append(lines)
            except Exception as error:  # noqa: BLE001 - whoever waits for it is told
                done.set_exception(error)
            else:
                done.set_result(None)
            if lines is None:
                return


def _lines(payloads: Sequence[Payload]) -> bytes:
    return b"".join(encode(one) + b"\n" for one in payloads)


async def _finished(work: Future[None]) -> None:
    """Wait until the thread is done with `work`, however it ended."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def tell(_: Future[None]) -> None:
        with contextlib.suppress(RuntimeError):  # nobody waits any more: the loop has ended
            loop.call_soon_threadsafe(done.set)

    work.add_done_callback(tell)
    await done.wait()


class _File:
    """The file of a moment, for the one thread that writes it."""

    def __init__(self, settings: JsonLinesSettings) -> None:
        self.is_stdout = settings.path == STDOUT
        self.path = Path(settings.path).expanduser()
        self._most, self._files = settings.most_bytes, settings.files
        self._descriptor: int | None = None

    def append(self, lines: bytes) -> None:
        """Write whole lines; after an error the file is as it was before.

        Raises:
            OSError: If they could not be written.
            ConfigError: If the file is somebody else's, or none.
        """
        if self.is_stdout:
            _write_all(sys.stdout.fileno(), lines)
            return
        descriptor = self._open()
        size = os.fstat(descriptor).st_size
        if size and size + len(lines) > self._most:
            self._turn()
            descriptor, size = self._open(), 0
        try:
            _write_all(descriptor, lines)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, size)
            self.close()
            raise

    def close(self) -> None:
        """Close it, if it is open."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _open(self) -> int:
        """The file of that name; it may have been moved or removed by somebody since."""
        if self._descriptor is not None and not _is_at(self.path, self._descriptor):
            self.close()
        if self._descriptor is None:
            private_folder(self.path.parent)
            self._descriptor = open_private(self.path, _FLAGS)
        return self._descriptor

    def _turn(self) -> None:
        self.close()
        names = [self.path, *(self.path.with_name(f"{self.path.name}.{n}") for n in self._numbers)]
        names[-1].unlink(missing_ok=True)
        for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
            with contextlib.suppress(FileNotFoundError):
                newer.replace(older)

    @property
    def _numbers(self) -> range:
        return range(1, self._files)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _is_at(path: Path, descriptor: int) -> bool:
    ours = os.fstat(descriptor)
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


@SINKS.register("json_lines")
def json_lines(values: Mapping[str, Any]) -> JsonLines:
    """Make the sink from its settings.

    Raises:
        ValueError: For a setting that is wrong; the message begins with its key.
    """
    return JsonLines(read_settings(values, JsonLinesSettings, path=PATH))
