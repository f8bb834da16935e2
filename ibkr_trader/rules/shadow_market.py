"""A shadow's orders in the market: which of them would trade, in which order, at what price."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.enums import WouldBe
from ibkr_trader.core.events import WouldFillEvent
from ibkr_trader.rules.fill_model import FillModel, at_limit, at_market, at_stop

if TYPE_CHECKING:
    from decimal import Decimal

    from ibkr_trader.core.enums import Side
    from ibkr_trader.rules.fill_model import Look
    from ibkr_trader.rules.shadow_place import Place, Waiting


class Teller(NamedTuple):
    """Whose orders they are, by which model, and when."""

    strategy: str
    version: str
    ticker: str
    model: FillModel
    now: datetime

    def fill(
        self, place: Place, kind: WouldBe, *, side: Side, quantity: Decimal, price: Decimal, by: str
    ) -> WouldFillEvent:
        """Return an execution, with what the trip brings if it ends that."""
        fee = self.model.fee(quantity, price, multiplier=place.multiplier)
        gain = place.gain_of(side, quantity, price)
        return WouldFillEvent(
            at=self.now,
            strategy=self.strategy,
            version=self.version,
            ticker=self.ticker,
            decision_id=by,
            kind=kind,
            side=side,
            quantity=quantity,
            price=price,
            commission=fee,
            multiplier=place.multiplier,
            gain=gain - fee if gain is not None else None,
        )


def met(place: Place, look: Look, teller: Teller) -> tuple[Place, tuple[WouldFillEvent, ...]]:
    """Return the place once its orders have met the market, and what traded.

    What waited comes first, then the stop, then the targets; what is not sure to have traded
    before the stop has not.
    """
    place = place.on(teller.now)
    place, fills, is_late = _waited(place, look, teller)
    stopped = _stopped(place, look, teller)
    if stopped is not None:
        return place.filled(stopped), (*fills, stopped)
    if not is_late:
        for target in place.targets:
            if at_limit(look, place.closing, target.price) is None:
                break
            fill = teller.fill(
                place,
                WouldBe.TARGET,
                side=place.closing,
                quantity=target.quantity,
                price=target.price,
                by=place.entered_by,
            )
            place, fills = place.filled(fill), (*fills, fill)
    return place.followed(look), fills


def _waited(
    place: Place, look: Look, teller: Teller
) -> tuple[Place, tuple[WouldFillEvent, ...], bool]:
    """What waited and trades; and whether an entry did so only somewhere within a bar."""
    fills: list[WouldFillEvent] = []
    is_late = False
    for order in place.waiting:
        price = _price(order, look)
        if price is None:
            continue
        is_exit = order.kind is WouldBe.EXIT
        fill = teller.fill(
            place,
            order.kind,
            side=order.side,
            quantity=abs(place.quantity) if is_exit else order.quantity,
            price=price,
            by=order.decision_id,
        )
        place = place.filled(fill)
        fills.append(fill)
        is_late = is_late or order.limit is not None
    return place, tuple(fills), is_late


def _price(order: Waiting, look: Look) -> Decimal | None:
    if order.since > look.at:
        return None
    if order.limit is None:
        return at_market(look, order.side)
    return at_limit(look, order.side, order.limit)


def _stopped(place: Place, look: Look, teller: Teller) -> WouldFillEvent | None:
    if not place.quantity or place.stop is None:
        return None
    price = at_stop(look, place.closing, place.stop)
    if price is None:
        return None
    return teller.fill(
        place,
        WouldBe.STOP,
        side=place.closing,
        quantity=abs(place.quantity),
        price=price,
        by=place.entered_by,
    )
