"""Triggers in words: the options that make any act wait for its hour (`--at 10:30`)."""

from collections.abc import Callable
from datetime import time
from typing import Any

from ibkr_trader.sim.gateway.fault_rules import When
from ibkr_trader.sim.gateway.triggers import (
    Byte,
    Connected,
    Filled,
    Halted,
    Moment,
    Passing,
    Trigger,
)
from ibkr_trader.sim.gateway.words import (
    BadWords,
    Words,
    chosen,
    client_of,
    count_in,
    number_in,
    seconds_in,
    time_in,
)

TRIGGERS = (
    ("--at TIME", "at a moment: 10:30, 23:45:30 or 2026-11-20T15:59, New York's time"),
    ("--after TIME", "so much later: 30, 5m, 2h, 1d"),
    ("--on MESSAGE [--order NAME] [--nth N]", "just before the message goes on"),
    ("--when-filled PERCENT [--order NAME]", "once so much of the order has traded"),
    ("--connection N [--client N]", "when the API is started for the n-th time"),
    ("--on-halt SYMBOL, --on-unhalt SYMBOL", "when trading stops, or goes on"),
    ("--byte N [--way c2s|s2c] [--client N]", "once so many bytes have arrived"),
)


def trigger_in(words: Words, *, has_phases: bool = False) -> Trigger | None:
    """Take the options that say what an act waits for; None is nothing.

    With `has_phases`, `--at` is the act's own, unless it is a time.

    Raises:
        BadWords: They say nothing, or two things at once.
    """
    named = [name for name in _READERS if words.peek(name)]
    if has_phases and not words.peek("at")[:1].isdigit():
        named = [name for name in named if name != "at"]
    if len(named) > 1:
        message = f"an act waits for one thing, not for --{' and --'.join(named)}"
        raise BadWords(message)
    return _READERS[named[0]](words) if named else None


def _at(words: Words) -> Trigger:
    at = time_in(words.option("at"), "--at is like 10:30 or 2026-11-20T15:59")
    return Moment(clock=at) if isinstance(at, time) else Moment(at=at)


def _on(words: Words) -> Trigger:
    names = tuple(words.option("on").split(","))
    nth = count_in(words.option("nth", "1"), "--nth")
    return Passing(when=When(names=names, order=words.peek("order") or "*", nth=nth, answers=True))


def _filled(words: Words) -> Trigger:
    percent = number_in(words.option("when-filled"), "--when-filled")
    if not 0 < percent <= 100:  # noqa: PLR2004 - percent
        message = f"--when-filled is a part of the order, up to 100%, not {percent}%"
        raise BadWords(message)
    return Filled(percent=percent, order=words.peek("order") or "*")


def _byte(words: Words) -> Trigger:
    at = count_in(words.option("byte"), "--byte", least=0)
    way: Any = chosen(words.option("way", "s2c"), "--way", ("c2s", "s2c"))
    return Byte(at=at, way=way, client=client_of(words))


_READERS: dict[str, Callable[[Words], Trigger]] = {
    "at": _at,
    "after": lambda w: Moment(after=seconds_in(w.option("after"))),
    "on": _on,
    "when-filled": _filled,
    "connection": lambda w: Connected(
        number=count_in(w.option("connection"), "--connection"), client=client_of(w)
    ),
    "on-halt": lambda w: Halted(symbol=w.option("on-halt").upper()),
    "on-unhalt": lambda w: Halted(symbol=w.option("on-unhalt").upper(), halted=False),
    "byte": _byte,
}
SHARED = ("order", "client")  # options that a trigger and its act may both want
