"""What risk remembers beside the portfolio: halts, limits in force, the day's traffic and peak.

A fold over the same events, so a restart knows it from the journal; and the places where
the shell puts what it has read for the checks: limits, correlations, sectors, arming. It
only listens: nothing here sends or writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.tallies import Strikes, Traffic
from ibkr_trader.core.text import percent
from ibkr_trader.core.trading_day import day_start
from ibkr_trader.risk import breaker, traffic
from ibkr_trader.risk.blackouts import restarts
from ibkr_trader.risk.loss_levels import LossLevel, day_loss
from ibkr_trader.risk.loss_memory import LossMemory
from ibkr_trader.risk.switch import EVERYTHING, TradingSwitch

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.core.models import Order, OrderId
    from ibkr_trader.execution.limits_watch import LimitsWatch
    from ibkr_trader.execution.outlook import RiskSettings
    from ibkr_trader.execution.ports import Clock
    from ibkr_trader.portfolio.pnl import DayPnl
    from ibkr_trader.risk.arming import Arming
    from ibkr_trader.risk.correlation import CorrelationMatrix

_SHORTEST_DAY = timedelta(hours=23)  # when summer time begins
_UNSYNCED = "not in sync with the broker"


class RiskBook:
    """Risk's own memory, for one desk.

    Attributes:
        switch: The halts in force.
        traffic: The day's messages; None before the first.
        equity: The account's peak, as it was told last; None since somebody resumed.
        losses: What was said of the day's loss last, and not to be said again.
        limits: The limits in force as they were told last; None if nobody has.
        symbol_limits, limits_fault: What the limits file says, or why it says nothing.
        limits_watch: Follows that file, and looks at it before every review; None without one.
        correlations, sectors: The newest at hand.
        sectors_fault: What is wrong with the user's sectors; empty if nothing is.
        arming: Asked at every look: whether the desk is armed.
        armed: When it was armed or disarmed last, as it was told; None if it never was.
        strikes: What the broker refused or left unanswered lately.
        order: Looks an order up, as it stands after the event that is being told.
        skew: Asked at every look: how far the machine's clock is ahead of the broker's.
        kill_flag: Asked at every look: why the file flag halts everything; empty if it does not.
        lapse: Asked at every look: why the account is not ours to trade; empty if it is.
    """

    def __init__(self, settings: RiskSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._causes: dict[str, str] = {}
        self.switch = TradingSwitch()
        self.traffic: Traffic | None = None
        self.equity: ev.EquityEvent | None = None
        self.losses = LossMemory()
        self.limits: ev.LimitsEvent | None = None
        self.symbol_limits = settings.symbol_limits
        self.limits_fault = ""
        self.limits_watch: LimitsWatch | None = None
        self.correlations: CorrelationMatrix | None = None
        self.sectors: Mapping[str, str] = MappingProxyType({})
        self.sectors_fault = ""
        self._industries: dict[str, str] = {}
        self._named_sectors: Mapping[str, str] = MappingProxyType({})
        self.arming: Callable[[], Arming] = lambda: settings.arming
        self.armed: ev.ArmEvent | None = None
        self.strikes = Strikes()
        self.order: Callable[[OrderId], Order | None] = lambda _: None
        self.skew: Callable[[], timedelta | None] = lambda: None
        self.kill_flag: Callable[[], str] = lambda: ""
        self.lapse: Callable[[], str] = lambda: ""
        self._back_by: datetime | None = None  # the gateway, if it has gone to restart

    @property
    def clock_skew(self) -> timedelta | None:
        """How far the machine's clock is ahead of the broker's; None if nobody knows."""
        return self.skew()

    @property
    def restarting(self) -> str:
        """Until when the gateway is gone because it restarts as every day; empty if it is not."""
        if self._back_by is None or self._back_by <= self._clock.now():
            return ""
        return restarts(self._back_by, self._settings.zone)

    @property
    def unsynced(self) -> str:
        """Why the desk is out of sync, if it is: the gateway restarts, or nobody expected it."""
        return ": ".join(filter(None, (_UNSYNCED, self.restarting)))

    @property
    def traffic_today(self) -> Traffic | None:
        """The messages of the exchange's day as it is now, though nothing was sent yet."""
        now = self._clock.now()
        known = self._counted(now)
        if known is None or now - known.since < _SHORTEST_DAY:
            return known
        return traffic.current(known, self.day_start(now))

    def day_start(self, now: datetime | None = None) -> datetime:
        """Return when the account's day began, at `now` or at present."""
        return day_start(now or self._clock.now(), self._settings.zone)

    def learn_industries(self, industries: Mapping[str, str]) -> None:
        """Take note of what the broker calls the branch of some symbols."""
        news = {s: name for s, name in industries.items() if name and s not in self._industries}
        if news:
            self._industries |= news
            self.name_sectors(self._named_sectors)

    def name_sectors(self, sectors: Mapping[str, str]) -> None:
        """Take the user's word for the sectors of some symbols, and the broker's for the rest."""
        self._named_sectors = sectors
        self.sectors = self._industries | dict(sectors)

    def degrade(self, cause: str, reason: str) -> None:
        """Allow only what reduces risk because of `cause`, until it is called with no reason."""
        if reason:
            self._causes[cause] = reason
        else:
            self._causes.pop(cause, None)

    @property
    def causes(self) -> tuple[str, ...]:
        """Why only what reduces risk goes out at present, for reasons that end by themselves."""
        return tuple(filter(None, (self.lapse(), *self._causes.values())))

    def hear(self, event: ev.BaseEvent, now: datetime) -> None:
        """Take note `now` of an event, live or from the journal."""
        match event:
            case ev.OrderEvent():  # nearly all are
                self._count(event, now)
            case ev.StateEvent():
                self.switch = self.switch.after(event)
                self.strikes = breaker.after(self.strikes, event, None)
                self.losses = self.losses.after(event)
                if event.state is TradingState.ACTIVE and event.symbol == EVERYTHING:
                    self.equity = None  # the peak is counted anew from what is stated next
            case ev.DisconnectEvent():
                self._back_by = event.until
            case ev.LossEvent():
                self.losses = self.losses.after(event)
            case ev.EquityEvent():
                self.equity = event
            case ev.LimitsEvent():
                self.limits = event
            case ev.ArmEvent():
                self.armed = event
            case ev.CheckpointEvent():
                self._restore(event)
            case _:
                pass

    def facts(self, *, is_synced: bool, pnl: DayPnl) -> dict[str, Any]:
        """Return what a `RiskView` has of all this, by its names."""
        state, reason = state_of(self, is_synced=is_synced)
        check = ""
        if state is TradingState.ACTIVE and (reason := self._lost(pnl)):
            state, check = TradingState.REDUCING, "daily_loss"
        if self.limits_watch is not None:
            self.limits_watch.look()
        return {
            "trading_state": state,
            "state_reason": reason,
            "state_check": check,
            "switch": self.switch,
            "symbol_limits": self.symbol_limits,
            "limits_fault": self.limits_fault,
            "arming": self.arming(),
            "equity_peak": self.equity.peak if self.equity is not None else None,
            "traffic": self.traffic_today,
            "strikes": self.strikes,
            "correlations": self.correlations,
            "sectors": self.sectors,
            "sectors_fault": self.sectors_fault,
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
            "strikes": self.strikes,
            "arming": self.armed,
            "losses": tuple(self.losses.told.values()),
        }

    def _restore(self, event: ev.CheckpointEvent) -> None:
        self.switch = TradingSwitch.restored(event.states)
        self.limits, self.equity, self.traffic = event.limits, event.equity, event.traffic
        self.armed, self.strikes = event.arming, event.strikes
        self.losses = LossMemory.restored(event.losses)

    def _count(self, event: ev.OrderEvent, now: datetime) -> None:
        begins, order = self.day_start(event.at), self.order(event.order_id)
        fill = event.fill if isinstance(event, ev.FillEvent) else None
        is_first = fill is not None and order is not None and order.filled == fill.quantity
        so_far = self._counted(now) or Traffic(since=begins)
        self.traffic = traffic.after(so_far, event, day_start=begins, is_first=is_first)
        self.strikes = breaker.after(self.strikes, event, order)

    def _counted(self, now: datetime) -> Traffic | None:
        """The count so far; a day ahead of `now` is of a simulator whose clock was set back."""
        known = self.traffic
        return None if known is not None and known.since > now else known

    def _lost(self, pnl: DayPnl) -> str:
        """Why nothing more is opened today, if too much is lost; it ends with its cause."""
        lost = day_loss(pnl.known, self._settings.limits, self.symbol_limits)
        if lost.level < LossLevel.REDUCING:
            return ""
        return f"{percent(lost.share, digits=0)} of the day's loss limit is used"


def state_of(book: RiskBook, *, is_synced: bool) -> tuple[TradingState, str]:
    """Return what all may do now: the strictest of what is held, flagged and found; and why."""
    held = book.switch.everything
    if held is not None and held.state is TradingState.HALTED:
        return held.state, held.reason
    if flag := book.kill_flag():
        return TradingState.HALTED, flag
    if held is not None:
        return held.state, held.reason
    for reason in book.causes:
        return TradingState.REDUCING, reason
    return (TradingState.ACTIVE, "") if is_synced else (TradingState.REDUCING, book.unsynced)
