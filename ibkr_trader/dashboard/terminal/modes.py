"""The modes of the terminal: how it is taken, and how it is given back.

Keys come one by one and without echo, but Ctrl-C and Ctrl-Z stay signals: a byte would only be
read by a loop that runs, and the signal is there for the one that does not. The side effect that
INTR throws typed-ahead keys away is welcome; it throws away unread output as well, so after an
interrupt the screen has to be painted anew.

Rows are cut at the right edge and never wrap: a character that this terminal draws wider than
we think would otherwise shift every row below it.
"""

from __future__ import annotations

import os
import termios
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ibkr_trader.dashboard.terminal.pump import Pump

# Alternate screen, cleared; no cursor; no wrapping; pastes in brackets.
ENTER = "\x1b[?1049h\x1b[2J\x1b[H\x1b[?25l\x1b[?7l\x1b[?2004h"
# What a frame that was cut short may have left on goes first, then the reverse of ENTER.
LEAVE = "\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l"

_DRAIN = 1.0  # seconds that a terminal has to read what was written to it
_LAST_DRAIN = 0.2  # seconds, after what it did not read was thrown away
_IFLAG, _LFLAG, _CC = 0, 3, 6


class TerminalModes:
    """The modes of the terminal that keys come from and that the pump writes to."""

    def __init__(self, in_fd: int, pump: Pump) -> None:
        self.pump = pump
        self._in = in_fd
        self._found: list[Any] | None = None  # as it was before

    @property
    def is_entered(self) -> bool:
        """Whether the terminal is ours."""
        return self._found is not None

    @property
    def is_in_front(self) -> bool:
        """Whether a shell lets us have the terminal; in the background it has its own modes."""
        try:
            return os.tcgetpgrp(self._in) == os.getpgrp()
        except OSError:  # not the one that jobs take turns at, or gone
            return True

    def enter(self) -> None:
        """Take the terminal. If it is ours already, set everything again: others may have not.

        Raises:
            OSError: It is no terminal, or gone.
        """
        try:
            if self._found is None:
                self._found = termios.tcgetattr(self._in)
            termios.tcsetattr(self._in, termios.TCSANOW, _for_keys(self._found))
        except termios.error as error:
            raise OSError(*error.args) from error
        self.pump.control(ENTER)
        self.pump.takes_frames = True

    def leave(self) -> None:
        """Give the terminal back, whatever state it is in; a second call does nothing.

        A terminal that does not read is given up after a second: what it has not read is thrown
        away, so that the sequences that restore it are the next it reads when it comes back.
        """
        found, self._found = self._found, None
        if found is None:
            return
        try:
            self.pump.takes_frames = False
            self.pump.control(LEAVE)
            if not self.pump.drain(_DRAIN):
                self.pump.discard()
                self.pump.drain(_LAST_DRAIN)
        finally:
            # It may be gone (hung up), and then there is nothing to restore. Typed-ahead keys
            # were meant for us and not for the shell. No TCSADRAIN: it waits without an end.
            with suppress(termios.error):
                if self.is_in_front:
                    termios.tcflush(self._in, termios.TCIFLUSH)
                    termios.tcsetattr(self._in, termios.TCSANOW, found)


def _for_keys(found: list[Any]) -> list[Any]:
    """Return attributes for single keys, with signals."""
    attributes = list(found)
    attributes[_IFLAG] &= ~(
        termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON | termios.ISTRIP
    )
    attributes[_LFLAG] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN)
    attributes[_LFLAG] |= termios.ISIG
    attributes[_CC] = list(found[_CC])
    attributes[_CC][termios.VMIN], attributes[_CC][termios.VTIME] = 1, 0
    return attributes


def size_of(fd: int) -> tuple[int, int]:
    """Return columns and rows of a terminal; 80 by 24 if it does not say."""
    try:
        columns, rows = os.get_terminal_size(fd)
    except OSError:
        columns, rows = 0, 0
    return columns or 80, rows or 24
