"""Signals while a screen is up: what they mean to it, and how a stuck one is left.

A Ctrl-C is a wish that the reducer hears like a key. If the loop has not even taken the first
when the second comes, nobody hears wishes: then the terminal is restored and the process is
interrupted, from the handler itself. That reaches Python code that does not return, not a call
into C that does not.
"""

from __future__ import annotations

import os
import signal
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import msgspec

from ibkr_trader.core.errors import InvariantBroken

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from ibkr_trader.dashboard.terminal.modes import TerminalModes

_ENDS = (signal.SIGTERM, signal.SIGHUP)
_ALL = (signal.SIGINT, *_ENDS, signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH)

_Calls: TypeAlias = Callable[[], None]


class Hearers(msgspec.Struct, frozen=True, kw_only=True):
    """Who hears of which signal; all of them but `aside` are called by the loop.

    Attributes:
        on_interrupt: Ctrl-C. What was written to the terminal may be lost: show a frame.
        on_end: The process is asked to end, with the signal's number.
        on_suspend: Ctrl-Z: stop reading keys and call `TerminalSignals.suspend`.
        on_continue: We were continued. If `modes.is_entered` the terminal has been taken again:
            show a frame and read keys; if not, we run in the background, and reading would stop us.
        on_resize: It has another size.
        aside: Called by the signal itself when the process is asked to end: a loop that is stuck
            hears nothing.
    """

    on_interrupt: _Calls
    on_end: Callable[[int], None]
    on_suspend: _Calls
    on_continue: _Calls
    on_resize: _Calls
    aside: _Calls | None = None


class TerminalSignals:
    """The signals of a process with a screen, for the length of a `with` block.

    Nothing else may handle them on the same loop meanwhile: asyncio keeps one handler a signal,
    and would call the other one for our Ctrl-C too.
    """

    def __init__(self, loop: AbstractEventLoop, modes: TerminalModes, hearers: Hearers) -> None:
        self._loop = loop
        self._modes = modes
        self._hearers = hearers
        self._is_asked = False  # a Ctrl-C that the loop has not taken
        self._is_suspended = False
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            raise InvariantBroken("signals can be handled in the main thread only")
        for number in _ALL:
            if getattr(signal.getsignal(number), "__module__", "") == "asyncio.unix_events":
                name = signal.Signals(number).name
                raise InvariantBroken(f"the loop handles {name} already")
        hearers = self._hearers
        with ExitStack() as undo:
            for number in _ENDS:
                self._hear(undo, number, hearers.on_end, number)
                self._hear_aside(number)
            self._hear(undo, signal.SIGTSTP, hearers.on_suspend)
            self._hear(undo, signal.SIGCONT, self._continue)
            self._hear(undo, signal.SIGWINCH, hearers.on_resize)
            _put_back(undo, signal.SIGINT)
            signal.signal(signal.SIGINT, self._interrupt)
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._undo.close()

    def suspend(self) -> None:
        """Give the terminal back and stop, as Ctrl-Z asks; go on when the process is continued.

        Continued in the background it leaves the terminal alone: to take it would stop us again,
        with a SIGTERM unheard that a shell sends together with the SIGCONT.

        It stops by SIGTSTP and not by SIGSTOP: that one the system ignores where no shell is
        left that could continue us, and a desk must not freeze there for good.
        """
        self._modes.leave()
        self._is_suspended = True
        ours = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        try:
            os.kill(os.getpid(), signal.SIGTSTP)
        finally:
            signal.signal(signal.SIGTSTP, ours)
            signal.siginterrupt(signal.SIGTSTP, False)  # noqa: FBT003 - as asyncio had it; positional only
        self._take()

    def _hear(
        self, undo: ExitStack, number: signal.Signals, hearer: Callable[..., None], *said: int
    ) -> None:
        _put_back(undo, number)
        self._loop.add_signal_handler(number, hearer, *said)
        undo.callback(self._loop.remove_signal_handler, number)

    def _hear_aside(self, number: signal.Signals) -> None:
        """Have somebody called by the signal, too: the loop is woken by its own descriptor."""
        aside = self._hearers.aside
        if aside is not None:
            signal.signal(number, lambda _number, _frame: aside())
            signal.siginterrupt(number, False)  # noqa: FBT003 - as asyncio had it; positional only

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        """Tell the loop; run by Python between two instructions of the main thread."""
        if self._is_asked:
            self._modes.leave()
            raise KeyboardInterrupt
        self._is_asked = True
        self._loop.call_soon_threadsafe(self._taken)

    def _taken(self) -> None:
        self._is_asked = False
        self._modes.pump.repaint()
        self._hearers.on_interrupt()

    def _continue(self) -> None:
        """Go on, also where nobody has asked us before we were stopped (SIGSTOP).

        A terminal that is closed sends this, too, beside the SIGHUP that ends us: it is gone.
        """
        with suppress(OSError):
            self._take()
            self._hearers.on_continue()

    def _take(self) -> None:
        """Take the terminal again, unless it is the shell's, or we have left it for good."""
        if not self._modes.is_in_front:
            self._modes.pump.takes_frames = False
        elif self._is_suspended or self._modes.is_entered:
            self._is_suspended = False
            self._modes.enter()


def _put_back(undo: ExitStack, number: signal.Signals) -> None:
    """Let `undo` end with the handler of now; one that is not Python's cannot be put back."""
    before: Any = signal.getsignal(number)
    if before is not None:
        undo.callback(signal.signal, number, before)
