"""The signals by which a process is told to end, heard as an event and never in the midst.

A loop that is stuck hears nothing. So whoever wants to know all the same gives an `aside`: it is
called by the signal itself, between any two steps of the main thread.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ibkr_trader.cli.stop_signals import ENDS, ends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@contextmanager
def ends_heard(hear: Callable[[int], None]) -> Iterator[None]:
    """Have the loop call `hear` with each signal that ends a process, for the block's length."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in ends()}
    for number in before:
        loop.add_signal_handler(number, hear, number)
    try:
        yield
    finally:
        _unheard(lambda: _put_back(before))


@contextmanager
def told_to_end(aside: Callable[[], None] | None = None) -> Iterator[asyncio.Event]:
    """Turn the signals that end a process into an event, and then leave them as they were."""
    ending = asyncio.Event()
    before = {number: signal.getsignal(number) for number in ends()}
    _hear(ending, aside)
    try:
        yield ending
    finally:
        _unheard(lambda: _put_back(before))


@contextmanager
def lent_signals(ending: asyncio.Event, aside: Callable[[], None] | None = None) -> Iterator[None]:
    """Leave the signals to a screen for the length of the block: on it, Ctrl-C is a question.

    Before it has them, and after, they end the trader in good order all the same.
    """
    loop = asyncio.get_running_loop()

    def end(_number: int, _frame: object) -> None:
        if aside is not None:
            aside()
        loop.call_soon_threadsafe(ending.set)

    _unheard(lambda: _put_back(dict.fromkeys(ends(), end)))
    try:
        yield
    finally:
        _unheard(lambda: _hear(ending, aside))


def _unheard(change: Callable[[], None]) -> None:
    """Let signals wait while their handlers are changed: in between, one would end the process."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    try:
        change()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _hear(ending: asyncio.Event, aside: Callable[[], None] | None) -> None:
    loop = asyncio.get_running_loop()
    for number in ends():
        loop.add_signal_handler(number, ending.set)
        if aside is not None:  # the loop is woken by its own descriptor, whoever handles it
            signal.signal(number, lambda _number, _frame: aside())
            signal.siginterrupt(number, False)


def _put_back(handlers: Mapping[signal.Signals, Any]) -> None:
    """Take the signals from the loop; a handler that is not Python's (None) cannot be put back."""
    loop = asyncio.get_running_loop()
    for number, handler in handlers.items():
        loop.remove_signal_handler(number)
        if handler is not None:
            signal.signal(number, handler)
