"""Watches what is lost, and halts: the day's loss, of the account and of each symbol; drawdown.

In every desk that may send something, a few times a second at most, whenever executions, costs,
prices or the account's values are news. What the levels are is decided in
`risk/loss_levels.py`, and whether one is new in `risk/loss_memory.py`; both survive a restart.

What is known is judged even while a part of the result is not; that is said, too, once it has
been so for a while.

At the limit the account is halted and its entries are taken back; a symbol alone, if it is the
symbol's limit. Nothing but a person's `resume` ends that: not the next day, nor a gain. The
halt comes first and is written down before its reason is, so that a crash between the two
halts again, rather than never.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.text import money, percent
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.portfolio.pnl import BY_COST
from ibkr_trader.risk.loss_levels import (
    ACCOUNT,
    DayLoss,
    LossLevel,
    below_peak,
    day_losses,
    unknown_parts,
)
from ibkr_trader.risk.loss_memory import LossStep, again_at
from ibkr_trader.risk.switch import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.execution.trader import Trader

PACE = 0.25  # seconds between two looks at least
SETTLE = 2.0  # seconds that a close may take to come behind the first price
PATIENCE = 60.0  # seconds that a part of the result may be unknown before one is told
_DRAWDOWN = "drawdown"
_RISE = Decimal("1.0005")  # a peak that is hardly higher is not worth a record
_NEWS = (
    ev.FillEvent,
    ev.CommissionEvent,
    ev.PriceEvent,
    ev.AccountEvent,
    ev.SyncEvent,
    ev.StateEvent,
    ev.LimitsEvent,
)


class Doubt(NamedTuple):
    """Which part of the result is unknown, since when (monotonic), and whether it was told."""

    parts: str = ""
    since: float = 0.0
    is_told: bool = False


class LossWatch:
    """Tells of losses, and halts at their limits; `work` owns its task."""

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._wake = asyncio.Event()
        self._doubt = Doubt()
        self._by_cost: dict[int, float] = {}  # since when (monotonic)
        for kind in _NEWS:
            trader.bus.subscribe(kind, self._hear)

    async def work(self) -> None:
        """Look whenever there is news; never returns."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self.look()
            if self._is_settling():
                self._wake.set()  # what was put off is looked at again
            await asyncio.sleep(PACE)

    def look(self) -> None:
        """Do what is due now. Who only looks, or does not know how things stand, does nothing."""
        trader = self._trader
        outlook = trader.outlook
        if trader.guardian.duty is Duty.NONE or outlook.is_readonly or not outlook.is_synced:
            return
        if not self._is_settling():
            for lost in self._losses():
                self._act_on(lost)
        self._tell_unknown()
        self._follow_equity()

    def _is_settling(self) -> bool:
        """Whether the close of something is only just on its way.

        A feed's first tick may be a price and the next one the close. What lies between, the gain
        or loss of years over the average cost, must not halt the desk for good.
        """
        now, contracts = self._trader.clock.monotonic(), self._trader.outlook.pnl.contracts
        self._by_cost = {
            con_id: self._by_cost.get(con_id, now)
            for con_id, one in contracts.items()
            if one.doubt == BY_COST and one.net is not None
        }
        return any(now - since < SETTLE for since in self._by_cost.values())

    def _losses(self) -> Iterator[DayLoss]:
        """What is lost; a symbol only where that says more than the account does."""
        outlook = self._trader.outlook
        account = LossLevel.NONE
        for lost in day_losses(outlook.pnl, outlook.limits, outlook.book.symbol_limits):
            if lost.symbol == ACCOUNT:
                account = lost.level
                yield lost
            elif lost.level > account or lost.limit < outlook.limits.max_daily_loss:
                yield lost

    def _act_on(self, lost: DayLoss) -> None:
        trader = self._trader
        outlook, book = trader.outlook, trader.outlook.book
        step = book.losses.step(lost, since=outlook.pnl.since)
        if step is LossStep.NOTHING:
            return
        words = _words(lost)
        if not lost.is_whole:
            words += f", without {unknown_parts(outlook.pnl, lost.symbol)}"
        level = lost.level
        if step is LossStep.HALT:
            self._halt(words, origin="daily_loss", symbol=lost.symbol)
        elif step is LossStep.ACCEPT:
            level = LossLevel.HALTED
            words += f"; trading was resumed, and from {money(again_at(lost))} on it halts again"
        event = ev.LossEvent(
            at=trader.clock.now(),
            symbol=lost.symbol,
            loss=lost.loss,
            limit=lost.limit,
            level=level,
            message=words,
            is_serious=step is not LossStep.ACCEPT and level > LossLevel.WARNING,
        )
        trader.record.witness([event])

    def _tell_unknown(self) -> None:
        """Say once which part of the day's result stays unknown; again if another does."""
        trader = self._trader
        now, parts = trader.clock.monotonic(), unknown_parts(trader.outlook.pnl)
        if not parts:
            self._doubt = Doubt()
        elif parts != self._doubt.parts:
            self._doubt = Doubt(parts, now)
        elif not self._doubt.is_told and now - self._doubt.since >= PATIENCE:
            self._doubt = self._doubt._replace(is_told=True)
            words = (
                f"the day's result is not wholly known: {parts}; nothing is opened meanwhile, "
                "and its limits go by the rest"
            )
            error = ev.ErrorEvent(at=trader.clock.now(), code=0, message=words, is_serious=True)
            trader.record.witness([error])

    def _follow_equity(self) -> None:
        """Put a new peak on record, and halt if the account has fallen too far below it."""
        trader = self._trader
        values, book = trader.portfolio.values, trader.outlook.book
        equity = values.net_liquidation if values is not None else None
        if equity is None:
            return
        peak = book.equity.peak if book.equity is not None else None
        if peak is None or equity >= peak * _RISE:
            at = trader.clock.now()
            trader.record.witness([ev.EquityEvent(at=at, net_liquidation=equity, peak=equity)])
            return
        limit, lost = trader.outlook.limits.max_drawdown, below_peak(equity, peak)
        if lost >= limit and not self._is_done(book.switch.everything):
            words = (
                f"the account is {percent(lost)} below its peak of {money(peak)}; "
                f"the limit is {percent(limit)}"
            )
            self._halt(words, origin=_DRAWDOWN, symbol=EVERYTHING)

    def _is_done(self, held: ev.StateEvent | None) -> bool:
        """Whether a halt that holds asks for all that the drawdown's own would ask for."""
        if held is None or held.state is not TradingState.HALTED or held.keeps_entries:
            return False
        is_flat_enough = held.flattens or not self._trader.outlook.limits.flatten_on_kill
        return is_flat_enough or held.origin == _DRAWDOWN

    def _halt(self, reason: str, *, origin: str, symbol: str) -> None:
        flatten = self._trader.outlook.limits.flatten_on_kill
        self._trader.halter.stop(reason, origin=origin, symbol=symbol, flatten=flatten)

    def _hear(self, _: ev.BaseEvent) -> None:
        self._wake.set()


def _words(lost: DayLoss) -> str:
    what = f"the day's loss in {lost.symbol}" if lost.symbol else "the day's loss"
    return (
        f"{what} is {money(lost.loss)}, {percent(lost.share, digits=0)} of its limit of "
        f"{money(lost.limit)}"
    )
