"""One terminal, taken for the length of a block and given back whatever happens in it.

It is the dashboard's `Surface`, and the source of its keys. A frame is left with the pump and
never waited for; a key is read when the loop says that there is one.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from ibkr_trader.dashboard.inputs import Interrupted, Refused
from ibkr_trader.dashboard.terminal.keyboard import Keyboard
from ibkr_trader.dashboard.terminal.modes import TerminalModes, size_of
from ibkr_trader.dashboard.terminal.pump import Pump
from ibkr_trader.dashboard.terminal.screen import Screen
from ibkr_trader.dashboard.terminal.signals import Hearers, TerminalSignals

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from ibkr_trader.dashboard.inputs import FromTerminal
    from ibkr_trader.dashboard.palette import Palette
    from ibkr_trader.dashboard.spans import Line
    from ibkr_trader.dashboard.terminal.screen import ColorName

_PAUSE = 0.05  # seconds without a byte, after which a lone ESC is the Escape key
_LATE = 2.0  # seconds after which a paste should have ended
_READ = 4096
_CLOSE = 0.5  # seconds for the writing thread to end
_NO_END = "a paste has begun and does not end: no key is taken; Ctrl-C leaves"
_NO_STOP = "Ctrl-Z would stop the trader itself: q leaves, or use another terminal"


class Listener(Protocol):
    """Who the terminal belongs to meanwhile."""

    def hear(self, given: FromTerminal) -> None:
        """Take a key, or what else was done at the terminal."""
        ...

    def refresh(self) -> None:
        """Draw a frame, though nothing has changed."""
        ...


class Terminal:
    """A terminal to draw on.

    Args:
        in_fd, out_fd: Where keys come from, and where frames go; both are the terminal.
        look: What a role looks like on it.
        colours: How many it has; None for none.
    """

    def __init__(
        self, in_fd: int, out_fd: int, *, look: Palette, colours: ColorName | None
    ) -> None:
        self._in, self._out = in_fd, out_fd
        self._pump = Pump(out_fd, on_broken=self._broken)
        self._modes = TerminalModes(in_fd, self._pump)
        self._screen = Screen(self._pump, look, size_of(out_fd), colors=colours)
        self._keyboard = Keyboard()
        self._pause: asyncio.TimerHandle | None = None
        self._gone: Callable[[], object] = int  # what to do when the terminal is gone

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return self._screen.size

    @property
    def dropped(self) -> int:
        """How many frames it was too slow for."""
        return self._pump.dropped

    def show(self, lines: Sequence[Line]) -> None:
        """Draw a frame, without ever waiting."""
        self._screen.show(lines)

    def repaint(self) -> None:
        """Draw everything with the next frame."""
        self._pump.repaint()

    @asynccontextmanager
    async def taken(
        self,
        listener: Listener,
        *,
        on_end: Callable[[int], None],
        may_stop: bool,
        aside: Callable[[], None] | None = None,
    ) -> AsyncIterator[None]:
        """Take the terminal, its keys and its signals, and give all of them back.

        A terminal that stands still is waited for in another thread: not even leaving it may
        hold up the loop. The signals are given back last, so that none finds nobody.

        Args:
            listener: Hears of keys.
            on_end: Called with the signal's number when the process is to end.
            may_stop: Whether Ctrl-Z may stop this process.
            aside: Called by the signal itself then, though the loop be stuck.

        Raises:
            OSError: If it is no terminal.
        """
        loop = asyncio.get_running_loop()

        def stop() -> None:
            if not may_stop:
                listener.hear(Refused(_NO_STOP))
                return
            loop.remove_reader(self._in)  # in the background, to read would stop us again
            signals.suspend()
            shown()

        def shown() -> None:
            if self._modes.is_entered:
                loop.add_reader(self._in, self._read, listener)
            self._resize()
            listener.refresh()

        hearers = Hearers(
            on_interrupt=lambda: listener.hear(Interrupted()),
            on_end=on_end,
            on_suspend=stop,
            on_continue=shown,
            on_resize=shown,
            aside=aside,
        )
        self._gone = lambda: loop.call_soon_threadsafe(on_end, signal.SIGHUP)
        signals = TerminalSignals(loop, self._modes, hearers)
        with signals:
            try:
                self._modes.enter()
                shown()
                yield
            finally:
                loop.remove_reader(self._in)
                if self._pause is not None:
                    self._pause.cancel()
                self._gone = int
                self._screen.close()
                await asyncio.to_thread(self._give_back)

    def _give_back(self) -> None:
        self._modes.leave()
        self._pump.close(_CLOSE)

    def _resize(self) -> None:
        self._screen.resize(size_of(self._out))

    def _broken(self) -> None:
        """The writing thread has found the terminal gone."""
        self._gone()

    def _read(self, listener: Listener) -> None:
        loop = asyncio.get_running_loop()
        try:
            data = os.read(self._in, _READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:  # hung up: it would be ready to read for ever
            loop.remove_reader(self._in)
            self._gone()
            return
        if self._pause is not None:
            self._pause.cancel()
        self._pause = loop.call_later(_PAUSE, self._flush, listener)
        for given in self._keyboard.feed(data):
            listener.hear(given)

    def _flush(self, listener: Listener) -> None:
        self._pause = None
        for given in self._keyboard.flush():
            listener.hear(given)
        if self._keyboard.is_in_paste:
            loop = asyncio.get_running_loop()
            self._pause = loop.call_later(_LATE, listener.hear, Refused(_NO_END))
