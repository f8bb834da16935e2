"""Halting the desk: on record at once, so that nothing more is opened from this moment on.

Who may halt: a person, a limit that was passed, a signal. Nobody resumes but a person. What
goes with it (cancelling what could still open, closing what is held) is carried out
afterwards, by `work`, and never delays the halt itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import TradingState

if TYPE_CHECKING:
    from ibkr_trader.execution.trader import Trader


class Halter:
    """Halts one trader's desk, or single symbols of it."""

    def __init__(self, trader: Trader) -> None:
        self._trader = trader

    def stop(
        self, reason: str, *, origin: str, symbol: str = "", keeps_entries: bool = False
    ) -> None:
        """Halt everything, or `symbol` alone: from here on nothing is opened there.

        Halting what is halted already changes nothing. It holds even when the disk refuses to
        record it.
        """
        self._state(TradingState.HALTED, reason, origin, symbol=symbol, keeps=keeps_entries)

    def reduce(self, reason: str, *, origin: str, symbol: str = "") -> None:
        """Let only what reduces risk go out, until somebody resumes."""
        self._state(TradingState.REDUCING, reason, origin, symbol=symbol, keeps=True)

    def _state(
        self, state: TradingState, reason: str, origin: str, *, symbol: str, keeps: bool
    ) -> None:
        trader = self._trader
        event = ev.StateEvent(
            at=trader.clock.now(),
            state=state,
            reason=reason,
            symbol=symbol,
            origin=origin,
            keeps_entries=keeps,
        )
        switch = trader.outlook.book.switch
        if switch.after(event) is not switch:
            trader.record.attempt([event], is_vital=True)
