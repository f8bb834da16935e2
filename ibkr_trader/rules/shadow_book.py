"""The account that a shadow would have: what it would hold, by a model of how orders trade.

Its decisions, quotes or bars, and the executions that were on record before a restart are given
to it one after the other. Executions of the model come back as events: with the decisions they
are all that the journal needs, and reading both again comes to the same book.

What is assumed, beside `fill_model`: an entry at a limit waits until the day is over (by UTC),
its exits until they trade. The stop and the targets exclude each other, and a bar that touches
both has touched the stop. An entry at a limit within a bar takes no gain in that same bar. Where
a trail stood is not kept over a restart: it begins anew at the stop's last decided level.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.core.events import DecisionEvent, WouldFillEvent
from ibkr_trader.core.models import ZERO, Bar, Contract, Fill, FillId, OrderId, Position, Quote
from ibkr_trader.portfolio.positions import Book
from ibkr_trader.rules.fill_model import FillModel
from ibkr_trader.rules.moment import Holding
from ibkr_trader.rules.shadow_market import Teller, met
from ibkr_trader.rules.shadow_place import Place
from ibkr_trader.rules.shadow_terms import is_modelled

if TYPE_CHECKING:
    from ibkr_trader.rules.fill_model import Look

_LATELY = timedelta(days=2)  # a day of the account, wherever it begins, is within
News = DecisionEvent | WouldFillEvent | Quote | Bar


class ShadowBook(msgspec.Struct, frozen=True, kw_only=True):
    """What one version of a strategy would hold, and what its trips would have brought.

    Attributes:
        places: Each symbol in which it holds something or waits for something.
        opened: Since when it would have held what it holds, by symbol.
        decisions: How many it has made.
        modelled: How many of these can be judged: see `is_modelled`.
        trips: How many trips are over.
        gain: What these have brought, fees taken off.
        entered: When it placed its entries, additions included, of the last two days.
        ended: When trips ended in these days, and what each has brought.
    """

    strategy: str
    version: str
    model: FillModel = FillModel()
    places: Mapping[str, Place] = MappingProxyType({})
    opened: Mapping[str, datetime] = MappingProxyType({})
    decisions: int = 0
    modelled: int = 0
    trips: int = 0
    gain: Decimal = ZERO
    entered: tuple[datetime, ...] = ()
    ended: tuple[tuple[datetime, Decimal], ...] = ()

    def after(self, news: News, now: datetime) -> tuple[ShadowBook, tuple[WouldFillEvent, ...]]:
        """Return the book after a decision, an execution on record, a quote or a bar.

        Args:
            news: What happened; decisions and executions of others change nothing.
            now: The moment of it; of a bar, that at which it is complete.

        Returns:
            The next book, and the executions that the market has brought about.
        """
        match news:
            case DecisionEvent():
                return self._decided(news), ()
            case WouldFillEvent():
                return self._filled(news), ()
            case Quote():
                look = self.model.of_quote(news, now)
            case _:
                look = self.model.of_bar(news)
        return self._seen(news.contract.symbol, look, now)

    def holding(self, contract: Contract, mark: Decimal | None) -> Holding:
        """Return what the strategy would hold of a contract, for its moments."""
        place = self.places.get(contract.symbol)
        if place is None:
            return Holding(owner=self.strategy)
        return Holding(
            position=_position(place, contract, mark),
            stop=place.stop,
            r=_reward(place, mark),
            book=_ledger(place, contract, self.opened.get(contract.symbol)),
            is_entering=bool(place.entering),
            is_leaving=len(place.entering) < len(place.waiting),
            owner=self.strategy,
        )

    # -- what happens ------------------------------------------------------------------------

    def _is_mine(self, event: DecisionEvent | WouldFillEvent) -> bool:
        return (event.strategy, event.version) == (self.strategy, self.version)

    def _decided(self, event: DecisionEvent) -> ShadowBook:
        if not (self._is_mine(event) and event.is_shadow):
            return self
        place = self.places.get(event.ticker, Place()).decided(event)
        places = _kept(self.places, event.ticker, place)
        oldest = event.at - _LATELY
        entered = tuple(one for one in self.entered if one >= oldest)
        if any(one.decision_id == event.decision_id for one in place.entering):
            entered = (*entered, event.at)
        return msgspec.structs.replace(
            self,
            decisions=self.decisions + 1,
            modelled=self.modelled + is_modelled(event),
            places=places,
            entered=entered,
        )

    def _filled(self, event: WouldFillEvent) -> ShadowBook:
        if not self._is_mine(event):
            return self
        place = self.places.get(event.ticker, Place()).filled(event)
        opened = {**self.opened}
        opened.setdefault(event.ticker, event.at)
        if not place.quantity:
            del opened[event.ticker]
        is_over, oldest = event.gain is not None, event.at - _LATELY
        ended = tuple(one for one in self.ended if one[0] >= oldest)
        if event.gain is not None:
            ended = (*ended, (event.at, event.gain))
        return msgspec.structs.replace(
            self,
            places=_kept(self.places, event.ticker, place),
            opened=opened,
            trips=self.trips + is_over,
            gain=self.gain + (event.gain or ZERO),
            ended=ended,
        )

    def _seen(
        self, symbol: str, look: Look | None, now: datetime
    ) -> tuple[ShadowBook, tuple[WouldFillEvent, ...]]:
        place = self.places.get(symbol)
        if place is None or look is None:
            return self, ()
        teller = Teller(self.strategy, self.version, symbol, self.model, now)
        after, fills = met(place, look, teller)
        book = self
        for fill in fills:
            book = book._filled(fill)
        places = _kept(book.places, symbol, after)
        return msgspec.structs.replace(book, places=places), fills


def _kept(places: Mapping[str, Place], symbol: str, place: Place) -> Mapping[str, Place]:
    """The places with one as it is now; one that holds and awaits nothing is none."""
    if place is places.get(symbol):
        return places
    rest = {name: one for name, one in places.items() if name != symbol}
    return {**rest, symbol: place} if place.quantity or place.waiting else rest


def _position(place: Place, contract: Contract, mark: Decimal | None) -> Position | None:
    if not place.quantity:
        return None
    return Position(
        account="",
        contract=contract,
        quantity=place.quantity,
        average_cost=place.average,
        market_price=mark,
    )


def _reward(place: Place, mark: Decimal | None) -> Decimal | None:
    """The open gain in units of what the stop would cost; None where that is nothing."""
    if not place.quantity or place.stop is None or mark is None:
        return None
    sign, cost = (1 if place.quantity > 0 else -1), place.average
    risk = (cost - place.stop) * sign
    return (mark - cost) * sign / risk if risk > 0 else None


def _ledger(place: Place, contract: Contract, since: datetime | None) -> Book | None:
    """What would be held as a ledger of one execution: that says since when."""
    if not place.quantity or since is None:
        return None
    name = "would-be"
    fill = Fill(
        fill_id=FillId(name),
        revision=1,
        order_id=OrderId(name),
        contract=contract,
        account="",
        side=place.closing.opposite,
        quantity=abs(place.quantity),
        price=place.average,
        at=since,
    )
    return Book.open("", contract).after(fill)
