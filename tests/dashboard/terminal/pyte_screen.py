"""What a person would see: the bytes that come out of a pty, on a screen made by pyte.

pyte knows neither the alternate screen nor synchronized output; what was sent for them is in `raw`.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios
import time
from collections.abc import Callable

import pyte
import pytest


class PyteScreen:
    """The screen behind the master of a pty; `wait_for` reads until it shows something."""

    def __init__(self, master: int, *, columns: int = 80, rows: int = 24) -> None:
        self.master = master
        self.raw = bytearray()
        self.is_over = False  # the other side is closed
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._tell_size(columns, rows)

    @property
    def lines(self) -> list[str]:
        """The rows as they are shown, without the blanks at their ends."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """The whole screen."""
        return "\n".join(self.lines).rstrip()

    def type(self, text: str | bytes) -> None:
        """Press keys, or send what a terminal sends."""
        os.write(self.master, text.encode() if isinstance(text, str) else text)

    def hang_up(self) -> None:
        """Close the terminal's window."""
        if self.master >= 0:
            os.close(self.master)
        self.master, self.is_over = -1, True

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size; whoever is in its foreground gets a SIGWINCH."""
        self._screen.resize(rows, columns)
        self._tell_size(columns, rows)

    def wait_for(self, text: str, *, timeout: float = 15) -> None:
        """Read until the screen shows `text`; fail with what it shows instead."""
        self.wait_until(lambda: text in self.text, repr(text), timeout=timeout)

    def wait_raw(self, data: bytes, *, after: int = 0, timeout: float = 15) -> None:
        """Read until `data` has come, behind the first `after` bytes."""
        self.wait_until(lambda: data in self.raw[after:], repr(data), timeout=timeout)

    def wait_until(self, holds: Callable[[], bool], what: str, *, timeout: float = 15) -> None:
        """Read until `holds`; fail with what the screen shows instead."""
        deadline = time.monotonic() + timeout
        while not holds():
            left = deadline - time.monotonic()
            if self.is_over or left <= 0:
                end = "the terminal was closed" if self.is_over else f"{timeout} s are over"
                tail = bytes(self.raw[-300:])
                pytest.fail(f"{end} without {what}; on the screen:\n{self.text}\n\n{tail!r}")
            self.read(left)

    def read_to_end(self, *, timeout: float = 15) -> None:
        """Read until the other side is closed."""
        self.wait_until(lambda: self.is_over, "its end", timeout=timeout)

    def read(self, timeout: float) -> None:
        """Read once what there is, or comes within the time."""
        if not select.select([self.master], [], [], timeout)[0]:
            return
        try:
            data = os.read(self.master, 65_536)
        except OSError:  # EIO: nobody has the other side open
            data = b""
        self.is_over = not data
        self.raw += data
        self._stream.feed(data)

    def _tell_size(self, columns: int, rows: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)
