"""What risk remembers beside the portfolio: halts, limits in force, the day's traffic and peak.

A fold over the same events, so a restart knows it from the journal; and the places where
the shell puts what it has read for the checks: limits, correlations, sectors, arming. It
only listens: nothing here sends or writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.trading_day import day_start
from ibkr_trader.risk import traffic
from ibkr_trader.risk.switch import TradingSwitch

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from ibkr_trader.execution.outlook import RiskSettings
    from ibkr_trader.execution.ports import Clock
    from ibkr_trader.risk.arming import Arming
    from ibkr_trader.risk.correlation import CorrelationMatrix

_UNSYNCED = "not in sync with the broker"


class RiskBook:
    """Risk's own memory, for one desk.

    Attributes:
        switch: The halts in force.
        traffic: The day's messages; None before the first.
        equity: The account's peak, as it was told last.
        limits: The limits in force as they were told last; None if nobody has.
        symbol_limits, limits_fault: What the limits file says, or why it says nothing.
        correlations, sectors: The newest at hand.
        arming: Whether a live desk is armed.
        clock_skew: How far the machine's clock is ahead of the broker's, if known.
        kill_flag: Asked at every look: why the file flag halts everything; empty if it does not.
    """

    def __init__(self, settings: RiskSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._causes: dict[str, str] = {}
        self.switch = TradingSwitch()
        self.traffic: ev.Traffic | None = None
        self.equity: ev.EquityEvent | None = None
        self.limits: ev.LimitsEvent | None = None
        self.symbol_limits = settings.symbol_limits
        self.limits_fault = ""
        self.correlations: CorrelationMatrix | None = None
        self.sectors: Mapping[str, str] = MappingProxyType({})
        self.arming: Arming = settings.arming
        self.clock_skew: timedelta | None = None
        self.kill_flag: Callable[[], str] = lambda: ""

    def day_start(self, now: datetime | None = None) -> datetime:
        """Return when the account's day began, at `now` or at present."""
        return day_start(now or self._clock.now(), self._settings.zone)

    def degrade(self, cause: str, reason: str) -> None:
        """Allow only what reduces risk because of `cause`, until it is called with no reason."""
        if reason:
            self._causes[cause] = reason
        else:
            self._causes.pop(cause, None)

    def hear(self, event: ev.BaseEvent) -> None:
        """Take note of an event, live or from the journal."""
        match event:
            case ev.StateEvent():
                self.switch = self.switch.after(event)
            case ev.EquityEvent():
                self.equity = event
            case ev.LimitsEvent():
                self.limits = event
            case ev.CheckpointEvent():
                self._restore(event)
            case ev.OrderEvent():
                begins = self.day_start(event.at)
                now = self.traffic or ev.Traffic(since=begins)
                self.traffic = traffic.after(now, event, day_start=begins)
            case _:
                pass

    def facts(self, *, is_synced: bool) -> dict[str, Any]:
        """Return what a `RiskView` has of all this, by its names."""
        state, reason = self._state(is_synced=is_synced)
        return {
            "trading_state": state,
            "state_reason": reason,
            "switch": self.switch,
            "symbol_limits": self.symbol_limits,
            "limits_fault": self.limits_fault,
            "arming": self.arming,
            "equity_peak": self.equity.peak if self.equity is not None else None,
            "traffic": self.traffic,
            "correlations": self.correlations,
            "sectors": self.sectors,
            "clock_skew": self.clock_skew,
            "zone": self._settings.zone,
        }

    def kept(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of it, by the names that `CheckpointEvent` has."""
        return {
            "states": tuple(self.switch.held.values()),
            "limits": self.limits,
            "equity": self.equity,
            "traffic": self.traffic,
        }

    def _restore(self, event: ev.CheckpointEvent) -> None:
        self.switch = TradingSwitch.restored(event.states)
        self.limits, self.equity, self.traffic = event.limits, event.equity, event.traffic

    def _state(self, *, is_synced: bool) -> tuple[TradingState, str]:
        """What the whole desk allows now: the strictest of what is held, flagged and found."""
        held = self.switch.everything
        if held is not None and held.state is TradingState.HALTED:
            return held.state, held.reason
        if flag := self.kill_flag():
            return TradingState.HALTED, flag
        if held is not None:
            return held.state, held.reason
        for reason in self._causes.values():
            return TradingState.REDUCING, reason
        return (TradingState.ACTIVE, "") if is_synced else (TradingState.REDUCING, _UNSYNCED)
