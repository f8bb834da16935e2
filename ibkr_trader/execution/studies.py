"""The bars and indicators of what strategies look at: warmed up from history, then kept by ticks.

For each symbol and bar size there is one study with every indicator that any strategy needs of
it. Bars of the past come from the broker; from then on they are made of ticks, as the market
brings them.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.rules.bar_sizes import SLACK, bar_size_words, duration_for
from ibkr_trader.rules.bar_slots import slot_at
from ibkr_trader.rules.bars import BarBuilder
from ibkr_trader.rules.market_days import Feed, openings
from ibkr_trader.rules.study import Study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta

    from ibkr_trader.core.models import Bar, ContractDetails, Session
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.rules.condition import Key

logger = logging.getLogger(__name__)
_HISTORY = 30.0  # seconds for the broker's answer
Place = tuple[str, "timedelta"]  # a symbol, and a bar size


class Line(msgspec.Struct, kw_only=True):
    """What is kept of one symbol at one bar size."""

    details: ContractDetails
    study: Study
    builder: BarBuilder


class Studies:
    """The studies of one trader.

    Args:
        trader: Whose market it is.

    Attributes:
        on_bar: Called with a contract, a bar size and each bar that ticks complete.
    """

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._lines: dict[Place, Line] = {}
        self._by_contract: dict[int, list[Place]] = {}
        self._torn: dict[Place, bool] = {}  # by a lost link; whether the market was heard since
        self._losses = 0
        self._one_by_one = asyncio.Lock()  # what one warm-up adds, another must not lose
        self.on_bar: Callable[[ContractDetails, timedelta, Bar], None] = lambda *_: None
        trader.bus.subscribe(ev.PriceEvent, self._hear)
        trader.bus.subscribe(ev.VolumeEvent, self._count)
        trader.bus.subscribe(ev.DisconnectEvent, self._tear)

    def study(self, symbol: str, size: timedelta) -> Study | None:
        """Return the bars and indicators of a symbol; None if nobody asked for them."""
        line = self._lines.get((symbol, size))
        return line.study if line is not None else None

    async def warm_up(
        self, details: ContractDetails, size: timedelta, keys: Iterable[Key]
    ) -> Study:
        """Begin the study of a contract with bars of the past, and return it.

        What the broker does not give is made up for by the market, and until then unknown; what
        is known already stays then.
        """
        place = (details.contract.symbol, size)
        async with self._one_by_one:
            known = self._lines.get(place)
            wanted = (*(known.study.keys if known is not None else ()), *keys)
            opens = openings(details.liquid_sessions, self._trader.outlook.zone)
            study = Study.of(wanted, feed=Feed(size=size, opens=opens))
            losses = self._losses
            bars, under_way = await self._history(details, size, study.warm_up)
            if known is not None and not bars and known.study.keys == study.keys:
                study = known.study
            for bar in bars:
                study = study.after(bar)
            builder = (
                msgspec.structs.replace(known.builder, sessions=details.liquid_sessions)
                if known is not None and place not in self._torn
                else self._builder(details, size, under_way)
            )
            self._lines[place] = Line(details=details, study=study, builder=builder)
            if self._losses != losses:  # the link was lost meanwhile
                self._torn[place] = False
            elif self._torn.get(place):
                del self._torn[place]
        places = self._by_contract.setdefault(details.contract.con_id, [])
        if place not in places:
            places.append(place)
        return study

    async def renew(self, details: ContractDetails) -> None:
        """Take up a contract's hours of a new day; its bars under way stay."""
        for place in self._by_contract.get(details.contract.con_id, ()):
            line = self._lines[place]
            if line.details.liquid_sessions != details.liquid_sessions:
                await self.warm_up(details, place[1], ())

    async def mend(self) -> None:
        """Ask what happened while the link was lost, of all that is heard of again."""
        for place, is_heard in tuple(self._torn.items()):
            if is_heard:
                await self.warm_up(self._lines[place].details, place[1], ())

    def complete(self) -> None:
        """Complete the bars whose time is over though no tick has come since."""
        now = self._trader.clock.now()
        for place, line in self._lines.items():
            if place in self._torn:  # it lacks what happened meanwhile
                continue
            line.builder, bars = line.builder.until(now)
            self._take(line, bars)

    async def _history(
        self, details: ContractDetails, size: timedelta, count: int
    ) -> tuple[list[Bar], Bar | None]:
        """Return the complete bars of the past, and the one under way if the broker has it."""
        if not count:
            return [], None
        try:
            bars = await self._trader.market.bars(
                details.contract,
                duration=duration_for(count + SLACK, size),
                bar_size=bar_size_words(size),
                timeout=_HISTORY,
            )
        except BrokerUnavailable as error:
            logger.warning("no history of %s: %s", details.contract.symbol, error.message)
            return [], None
        now, sessions = self._trader.clock.now(), details.liquid_sessions
        over = [bar for bar in bars if _ends(bar, size, sessions) <= now]
        return over, bars[-1] if len(bars) > len(over) else None

    def _builder(
        self, details: ContractDetails, size: timedelta, under_way: Bar | None
    ) -> BarBuilder:
        """Return what makes bars of ticks from now on, which may be amid one."""
        contract = details.contract
        quote = self._trader.market.last_quote(contract.con_id)
        return BarBuilder(contract=contract, size=size, sessions=details.liquid_sessions).joining(
            self._trader.clock.now(),
            under_way=under_way,
            day_volume=quote.volume if quote is not None else None,
        )

    def _hear(self, event: ev.PriceEvent) -> None:
        quote = event.quote
        price = quote.last if quote.last is not None else quote.mid
        if price is None:
            return
        for place in self._by_contract.get(event.contract.con_id, ()):
            if place in self._torn:
                self._torn[place] = True
                continue
            line = self._lines[place]
            line.builder, bars = line.builder.after(
                price=price, at=event.at, day_volume=quote.volume
            )
            self._take(line, bars)

    def _count(self, event: ev.VolumeEvent) -> None:
        """Take what was traded at an unchanged price: of that no price is told."""
        quote = self._trader.market.last_quote(event.contract.con_id)
        if quote is None or quote.last is None:
            return
        for place in self._by_contract.get(event.contract.con_id, ()):
            line = self._lines[place]
            known = line.builder.day_volume
            # A sum that is the first, or has begun anew, waits for the next price.
            if place in self._torn or known is None or event.volume <= known:
                continue
            line.builder, bars = line.builder.after(
                price=quote.last, at=event.at, day_volume=event.volume
            )
            self._take(line, bars)

    def _tear(self, _: ev.DisconnectEvent) -> None:
        """Trust no bar under way any more: ticks are lost with the link."""
        self._losses += 1
        self._torn = dict.fromkeys(self._lines, False)

    def _take(self, line: Line, bars: Iterable[Bar]) -> None:
        for bar in bars:
            before, line.study = line.study, line.study.after(bar)
            if line.study is not before:  # else history had it already: it is no news
                self.on_bar(line.details, line.builder.size, bar)


def _ends(bar: Bar, size: timedelta, sessions: tuple[Session, ...]) -> datetime:
    """Return when a bar of the past is over: the last of a session may be shorter."""
    slot = slot_at(bar.at, size, sessions)
    return slot.ends if slot is not None and slot.starts == bar.at else bar.at + size
