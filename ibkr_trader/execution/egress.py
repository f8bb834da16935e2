"""Telling others what happens: orders, executions, positions, the day's result, decisions.

It stands beside the order path. Hearing an event is laying it aside with the picture of that
moment; it is turned into payloads a moment later, a few at a time, and each sink is told in a lane
of its own. Nothing waits for a sink: one that is slow, dead or wrong costs what it misses.

What is told is no record: after a crash, what nobody had been told of by then is in the journal
only.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.execution.egress_lane import EgressRules, Lane, SinkStanding
from ibkr_trader.portfolio.payload_figures import pnl_snapshot, position_snapshot
from ibkr_trader.portfolio.payloads import PnLSnapshot, PositionSnapshot
from ibkr_trader.portfolio.telling import NOBODY, TOLD, Source, payloads_of, source_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ibkr_trader.core.models import OrderId
    from ibkr_trader.execution.ports import PayloadSink
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.portfolio.payloads import Payload
    from ibkr_trader.portfolio.state import PortfolioState

logger = logging.getLogger(__name__)
_NEVER = datetime.min.replace(tzinfo=UTC)
_BEAT = 1.0  # seconds between two looks at whether the figures are due
_SLICE = 20  # events turned into payloads at a time: less than a millisecond of the loop's
_MOST_HEARD = 5_000  # events that wait for that; each keeps a picture of the account alive
_MOST_KNOWN = 5_000  # orders whose origin is remembered


class Egress:
    """Tells every sink what happens on a trader's bus, as long as the trader runs.

    To be made before the trader runs: the tasks are the trader's own.
    """

    def __init__(
        self,
        trader: Trader,
        sinks: Iterable[PayloadSink],
        rules: EgressRules = EgressRules(),  # noqa: B008 - a frozen value
    ) -> None:
        self._trader, self._rules = trader, rules
        self._heard: deque[tuple[ev.BaseEvent, PortfolioState]] = deque()
        self._wake = asyncio.Event()
        self._sources: dict[OrderId, Source] = {}
        self._positions: dict[int, PositionSnapshot] = {}
        self._pnl: PnLSnapshot | None = None
        self._looked_at: float | None = None
        self._has_traded = False
        self._lanes = tuple(
            Lane(sink, rules, clock=trader.clock, say=self._say, settle=self._settle)
            for sink in sinks
        )
        for kind in TOLD:
            trader.bus.subscribe(kind, self._hear)
        for work in (self._work, self._beat, *(lane.work for lane in self._lanes)):
            trader.own(work)

    def standing(self) -> tuple[SinkStanding, ...]:
        """Return how each sink stands now."""
        return tuple(lane.standing for lane in self._lanes)

    def _hear(self, event: ev.BaseEvent) -> None:
        """Lay an event aside: this runs within its delivery, so it does nothing else."""
        if len(self._heard) >= _MOST_HEARD:
            self._heard.popleft()
            for lane in self._lanes:
                lane.miss(1)
        self._heard.append((event, self._trader.outlook.portfolio))
        self._wake.set()

    async def _work(self) -> None:
        """Turn what was heard into payloads, a few at a time; never returns."""
        self._remember()
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._heard:
                self._turn(_SLICE)
                await asyncio.sleep(0)
            if self._has_traded:
                await self._look()

    async def _beat(self) -> None:
        """Look at the figures again and again; never returns."""
        while True:
            await asyncio.sleep(_BEAT)
            await self._look()

    def _turn(self, most: int) -> None:
        while self._heard and most:
            most -= 1
            event, portfolio = self._heard.popleft()
            try:
                self._tell(event, portfolio)
            except Exception:  # what cannot be told is no reason to stop a trader
                logger.exception("a %s could not be told", type(event).__name__)
                for lane in self._lanes:
                    lane.miss(1)

    def _tell(self, event: ev.BaseEvent, portfolio: PortfolioState) -> None:
        if isinstance(event, ev.NewOrderEvent):
            self._learn(event.order_id, source_of(event))
        elif isinstance(event, ev.FillEvent | ev.CommissionEvent):
            self._has_traded = True
        for payload in payloads_of(event, portfolio, sources=self._sources):
            self._put(payload)

    def _put(self, payload: Payload) -> None:
        if isinstance(payload, PositionSnapshot):
            self._positions[payload.con_id] = payload
        for lane in self._lanes:
            lane.put(payload)

    def _settle(self) -> None:
        """Turn all that was heard, and tell the figures if something was traded since.

        Each lane asks for it before its last words.
        """
        self._turn(_MOST_HEARD)
        if self._has_traded:
            self._tell_pnl()

    async def _look(self) -> None:
        """Tell the figures that have changed, unless they were told just now."""
        now = self._trader.clock.monotonic()
        if self._looked_at is not None and now - self._looked_at < self._rules.snapshot_every:
            return
        self._looked_at = now
        self._tell_pnl()
        portfolio, at = self._trader.outlook.portfolio, self._trader.clock.now()
        for con_id in self._positions.keys() - portfolio.positions.keys():
            del self._positions[con_id]
        for con_id in portfolio.positions:
            self._tell_position(portfolio, con_id, at)
            await asyncio.sleep(0)  # how stops add up takes a while: an order may go first

    def _tell_pnl(self) -> None:
        self._has_traded = False
        trader = self._trader
        try:
            fresh = pnl_snapshot(
                trader.outlook.pnl,
                trader.outlook.portfolio,
                account=trader.account,
                at=trader.clock.now(),
            )
        except Exception:  # as in `_turn`
            logger.exception("the day's result could not be told")
            return
        if self._pnl is None or _figures(fresh) != _figures(self._pnl):
            self._pnl = fresh
            self._put(fresh)

    def _tell_position(self, portfolio: PortfolioState, con_id: int, at: datetime) -> None:
        try:
            fresh = position_snapshot(portfolio.positions[con_id], portfolio.orders.values(), at=at)
        except Exception:  # as in `_turn`
            logger.exception("a position could not be told")
            return
        known = self._positions.get(con_id)
        if known is None or _figures(fresh) != _figures(known):
            self._put(fresh)

    def _remember(self) -> None:
        """Learn from the journal who asked for the orders that live on."""
        for event in self._trader.journal.resume():  # of a bounded length: see the port
            if isinstance(event, ev.NewOrderEvent):
                self._learn(event.order_id, source_of(event))

    def _learn(self, order_id: OrderId, source: Source) -> None:
        if source == NOBODY:
            return
        if len(self._sources) >= _MOST_KNOWN:
            live = self._trader.portfolio.orders
            self._sources = {key: one for key, one in self._sources.items() if key in live}
        self._sources[order_id] = source

    def _say(self, words: str) -> None:
        """Tell people how a sink is, on record: so it reaches the log and every screen."""
        now = self._trader.clock.now()
        self._trader.record.witness([ev.ErrorEvent(at=now, code=0, message=words)])


def _figures(payload: PnLSnapshot | PositionSnapshot) -> Payload:
    """A snapshot without its name, moment and cause: what is left tells whether it is news."""
    if isinstance(payload, PositionSnapshot):
        return msgspec.structs.replace(payload, event_id="", at=_NEVER, cause="")
    return msgspec.structs.replace(payload, event_id="", at=_NEVER)
