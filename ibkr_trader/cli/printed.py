"""What the process prints while a screen is up: line by line to whoever keeps it.

A strategy is a program, and programs print. On a terminal that shows a dashboard that would
stand in the middle of it, so for its length both standard streams lead into a pipe. What leads
to a file already is left alone: it was meant to.
"""

from __future__ import annotations

import asyncio
import logging
import os
import select
import signal
import sys
import threading
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger(__name__)
MOST_WAITING = 100  # lines, until the loop has time for them
_STREAMS = (1, 2)
_CHUNK = 65_536
_LONGEST = 2_000  # bytes of a line: a program that never ends one must not fill the memory
_PATIENCE = 0.5  # seconds for the reader to end


@contextmanager
def kept_off(say: Callable[[str], None]) -> Iterator[int]:
    """Keep what is printed off the terminal for the length of the block; yield the terminal.

    Everything goes into the log. `say` is called on the loop with each line; where more come
    than it has time for, the newest, and how many were left out.
    """
    terminal = os.dup(_STREAMS[0])
    taken = [one for one in _STREAMS if os.isatty(one)]
    before = [os.dup(one) for one in taken]
    reader = _Reader(say)
    try:
        _flush()
        for one in taken:
            os.dup2(reader.entrance, one)
        yield terminal
    finally:
        _flush()  # half a line is said as well, and not left for the shell
        for one, old in zip(taken, before, strict=True):
            os.dup2(old, one)
        for one in (*before, terminal):
            os.close(one)
        reader.close()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


class _Reader:
    """Reads the pipe from a thread of its own, so that nobody who prints has to wait."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._lines: deque[str] = deque(maxlen=MOST_WAITING)
        self._left_out = 0
        self._is_called = False
        self._changing = threading.Lock()
        self._exit, self.entrance = os.pipe()
        self._stopped, self._stop = os.pipe()
        os.set_blocking(self._exit, False)
        self._thread = threading.Thread(target=self._read, name="printed", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Say what there is, and end; a child that has the pipe still does not hold it up."""
        os.close(self.entrance)
        os.close(self._stop)
        self._thread.join(_PATIENCE)
        self._tell()

    def _read(self) -> None:
        # Signals are for the main thread, whose waiting they are meant to interrupt.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        waiting = select.poll()
        waiting.register(self._exit, select.POLLIN)
        waiting.register(self._stopped, select.POLLIN)
        rest, is_ending = b"", False
        while not is_ending:
            is_ending = any(fd == self._stopped for fd, _ in waiting.poll())
            while data := self._some():
                *lines, rest = (rest + data).split(b"\n")
                while len(rest) > _LONGEST:
                    lines.append(rest[:_LONGEST])
                    rest = rest[_LONGEST:]
                for line in lines:
                    self._hear(line)
        if rest:
            self._hear(rest)
        os.close(self._exit)
        os.close(self._stopped)

    def _some(self) -> bytes:
        try:
            return os.read(self._exit, _CHUNK)
        except BlockingIOError:
            return b""

    def _hear(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        if not text:
            return
        logger.info("printed: %s", text)
        with self._changing:
            self._left_out += len(self._lines) == MOST_WAITING
            self._lines.append(text)
            if self._is_called:
                return
            self._is_called = True
        with suppress(RuntimeError):  # the loop has ended: the log has it
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        with self._changing:
            lines, left_out = list(self._lines), self._left_out
            self._lines.clear()
            self._left_out, self._is_called = 0, False
        if left_out:
            self._say(f"… {left_out} lines left out; the log has them")
        for line in lines:
            self._say(line)
