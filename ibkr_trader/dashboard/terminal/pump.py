"""The one writer of the terminal: a thread with room for a single frame.

A terminal may stop reading for minutes (a lost line, a closed lid), and whoever writes to it then
waits. The trader's loop must not, so it only leaves its newest frame here. A frame that nobody
saw is replaced and counted; nothing queues up.

What has changed is found here and not by whoever draws: only this thread knows what has really
been written, and a difference to a frame that was dropped would spoil the screen.

The terminal is opened once more, for this thread alone: whether a file blocks is a property that
all who share it would share, our parent's shell among them. So a stalled terminal can still be
left (`discard`). Where that cannot be done (a pipe) the thread simply waits in its write, and as
a daemon it keeps no process from ending.
"""

from __future__ import annotations

import os
import select
import signal
import termios
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

HOME = "\x1b[H"
MOST_CONTROLS = 64  # a terminal that leaves so many unread is gone

_SYNC_BEGINS, _SYNC_ENDS = "\x1b[?2026h", "\x1b[?2026l"
_WIPE = "\x1b[0m\x1b[2J"
_CHUNK = 4096  # bytes between two looks at whether the rest is still wanted
_PATIENCE = 500  # milliseconds until a terminal that has no room is tried again in any case


class _Item(NamedTuple):
    text: str
    is_frame: bool


class _GivenUpError(OSError):
    """The pump is closed, and the terminal has no room for what is left."""


def _own(fd: int) -> int:
    """Open the terminal behind `fd` once more, not to block; anything else is just shared."""
    try:
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return os.dup(fd)


class Pump:
    """Writes frames and control sequences to a terminal, from a thread of its own.

    Args:
        fd: The terminal; it stays the caller's.
        on_broken: Called once, from the thread, when the terminal is gone.
    """

    def __init__(self, fd: int, *, on_broken: Callable[[], None] | None = None) -> None:
        self.dropped = 0  # frames that were replaced before they were written
        self.is_broken = False
        self.takes_frames = True  # False: nobody draws on a terminal that is not ours just now
        self._fd = _own(fd)
        self._wakes, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        self._on_broken = on_broken
        # Reentrant, as a signal's handler may come here from the midst of these very methods.
        self._changed = threading.Condition(threading.RLock())
        self._queue: deque[_Item] = deque()
        self._is_busy = False
        self._is_closing = False
        self._is_given_up = False
        self._is_unwanted = False  # what is left of the frame that is being written
        self._is_stale = True
        self._shown: list[str] | None = None  # the rows on the terminal; the thread's own
        self._thread = threading.Thread(target=self._run, name="terminal", daemon=True)
        self._thread.start()

    def offer(self, frame: str) -> None:
        """Leave a frame: all rows, as wide as the screen, with a line feed between them."""
        with self._changed:
            if self._is_closing or self.is_broken or not self.takes_frames:
                return
            self._forget_frame()
            self._queue.append(_Item(frame.removeprefix(HOME), is_frame=True))
            self._changed.notify_all()

    def control(self, text: str) -> None:
        """Write a sequence that must not be lost, after all that was offered before it.

        The frame after it is written whole: nobody here knows what the sequence did.
        """
        with self._changed:
            if self._is_closing or self.is_broken:
                return
            if len(self._queue) > MOST_CONTROLS:
                self._is_given_up = True
            self._queue.append(_Item(text, is_frame=False))
            self._changed.notify_all()

    def repaint(self) -> None:
        """Write the next frame whole: something else has written on the terminal."""
        with self._changed:
            self._is_stale = True

    def discard(self) -> None:
        """Forget the frames, and what the terminal has not read: controls must get through."""
        with self._changed:
            if self._fd >= 0:
                self._forget_frame()
                self._is_unwanted = self._is_stale = True
                with suppress(OSError, termios.error):
                    termios.tcflush(self._fd, termios.TCOFLUSH)
                self._rouse()

    def drain(self, timeout: float) -> bool:
        """Wait until all is written; False if it is not, for the time or for good."""
        with self._changed:
            self._changed.wait_for(self._is_done, timeout)
            return not self.is_broken and not self._queue and not self._is_busy

    def close(self, timeout: float) -> bool:
        """Write what there is, and end the thread; False if it still waits for the terminal."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join(timeout)
        with self._changed:
            self._is_given_up = True
            if self._fd >= 0:
                self._rouse()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _is_done(self) -> bool:
        return self.is_broken or not (self._queue or self._is_busy)

    def _forget_frame(self) -> None:
        """Drop the frame that waits; there is never more than one."""
        waiting = [item for item in self._queue if item.is_frame]
        for item in waiting:
            self._queue.remove(item)
        self.dropped += len(waiting)

    def _rouse(self) -> None:
        """Let the thread look up from a terminal that has no room."""
        with suppress(OSError):  # it has been told often enough, or it is ending
            os.write(self._wake, b"!")

    # -- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        # Signals are for the main thread, whose waiting they are meant to interrupt.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            while item := self._next():
                self._put(item)
        except OSError:
            self._break()
        finally:
            with self._changed:
                self.is_broken = self.is_broken or bool(self._queue)
                self._is_closing, self._is_busy = True, False
                self._changed.notify_all()
                for fd in (self._fd, self._wakes, self._wake):
                    os.close(fd)
                self._wake = self._wakes = self._fd = -1

    def _break(self) -> None:
        with self._changed:
            self.is_broken = True
            self._queue.clear()
        if self._on_broken is not None and not self._is_closing:
            self._on_broken()

    def _next(self) -> _Item | None:
        """Return what is to be written next; None at the end."""
        with self._changed:
            self._is_busy = False
            self._changed.notify_all()
            while not self._queue and not self._is_closing:
                self._changed.wait(60)
            if not self._queue:
                return None
            self._is_busy, self._is_unwanted = True, False
            item = self._queue.popleft()
            if item.is_frame and self._is_stale:
                self._shown, self._is_stale = None, False
            return item

    def _put(self, item: _Item) -> None:
        if not item.is_frame:
            self._write(item)
            self._shown = None
            return
        rows = item.text.split("\n")
        if rows == self._shown:
            return
        self._write(item._replace(text=difference(self._shown, rows)))
        self._shown = rows

    def _write(self, item: _Item) -> None:
        """Write all of an item, or of a frame as much as is wanted."""
        left = memoryview(item.text.encode("utf-8", "replace"))
        while left:
            if self._is_given_up:
                raise _GivenUpError
            if self._is_unwanted and item.is_frame:
                return
            try:
                left = left[os.write(self._fd, left[:_CHUNK]) :]
            except BlockingIOError:
                self._wait_for_room()

    def _wait_for_room(self) -> None:
        waiting = select.poll()
        waiting.register(self._wakes, select.POLLIN)
        waiting.register(self._fd, select.POLLOUT)
        if any(fd == self._wakes for fd, _ in waiting.poll(_PATIENCE)):
            os.read(self._wakes, 64)


def difference(before: list[str] | None, rows: list[str]) -> str:
    """Return what turns the rows on a terminal into others; None is a terminal nobody knows."""
    is_known = before is not None and len(before) == len(rows)
    parts = [_SYNC_BEGINS] if is_known else [_SYNC_BEGINS, _WIPE]
    known = before if before is not None and is_known else [None] * len(rows)
    parts += [
        f"\x1b[{number};1H{row}"
        for number, (row, old) in enumerate(zip(rows, known, strict=True), start=1)
        if row != old
    ]
    return "".join([*parts, _SYNC_ENDS])
