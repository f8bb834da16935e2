"""A shadow within its strategy's own envelope, by the figures of what it would hold.

Open gains count from a trip's own entry, not from the morning. A price that nobody knows stands
against opening, as at the desk. What the account allows is not known here. There it cuts a size
before the capital is looked at, so here the capital cuts: a size that the desk would have made
smaller is not refused for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_DOWN, Decimal, localcontext
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import quantity
from ibkr_trader.core.trading_day import day_start
from ibkr_trader.risk.envelope import Envelope
from ibkr_trader.risk.envelope_bounds import Bounds
from ibkr_trader.rules import wishes
from ibkr_trader.rules.arithmetic import ARITHMETIC
from ibkr_trader.rules.shadow_terms import MULTIPLIER, ONE, QUANTITY, SIZED

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.rules.moment import Moment
    from ibkr_trader.rules.rule import Strategy
    from ibkr_trader.rules.shadow_book import ShadowBook
    from ibkr_trader.rules.shadow_place import Place
    from ibkr_trader.rules.wishes import Wish

Marks = Callable[[str], Decimal | None]  # what one of a symbol is worth; None if nobody knows


class _Asked(NamedTuple):
    """What is wished, how many, and how the shadow stands."""

    book: ShadowBook
    moment: Moment
    marks: Marks
    wish: wishes.Enter | wishes.Add
    terms: Mapping[str, str]

    def mark(self, symbol: str) -> Decimal | None:
        return self.moment.mark if symbol == self.moment.symbol else self.marks(symbol)


def bounded(
    strategy: Strategy,
    book: ShadowBook,
    moment: Moment,
    *,
    wish: Wish,
    terms: Mapping[str, str],
    marks: Marks,
    lot: Decimal = ONE,
) -> Mapping[str, str]:
    """Return a wish's terms within the envelope: as they are, fewer, or none, and why."""
    if not isinstance(wish, wishes.Enter | wishes.Add) or terms[QUANTITY] == "0":
        return terms
    if strategy.envelope == Envelope():
        return terms
    asked = _Asked(book, moment, marks, wish, terms)
    bounds = Bounds(strategy.name, strategy.envelope)
    with localcontext(ARITHMETIC):
        why = _objection(bounds, asked)
        return _refused(terms, why) if why else _cut(bounds, asked, lot)


def _refused(terms: Mapping[str, str], why: str) -> Mapping[str, str]:
    return {**terms, QUANTITY: "0", SIZED: f"envelope: {why}"}


def _objection(bounds: Bounds, asked: _Asked) -> str:
    """The first thing that is wrong; empty if nothing is."""
    book, symbol = asked.book, asked.moment.symbol
    since = day_start(asked.moment.now, asked.moment.zone)
    sent = sum(1 for one in book.entered if one >= since)
    fresh = () if symbol in book.places else (symbol,)
    found = bounds.entries(sent=sent, more=1)
    found = found or bounds.positions(held=len(book.places), fresh=fresh)
    if found is None and bounds.envelope.max_daily_loss is not None:
        net = _net(asked, since)
        if net is None:
            return "nobody knows what it has lost today"
        found = bounds.loss(lost=max(ZERO, -net))
    return found.message if found is not None else ""


def _cut(bounds: Bounds, asked: _Asked, lot: Decimal) -> Mapping[str, str]:
    """The terms with no more than the capital pays for."""
    most, terms = bounds.envelope.capital, asked.terms
    if most is None:
        return terms
    tied = _tied(asked)
    if tied is None:
        return _refused(terms, "nobody knows what it has tied up")
    more, wanted = _more(asked), Decimal(terms[QUANTITY])
    breach = bounds.capital(tied=tied + more, before=tied)
    if breach is None:
        return terms
    room = (most - tied) * wanted / more
    left = (room / lot).to_integral_value(rounding=ROUND_DOWN) * lot
    if left <= 0:
        return _refused(terms, breach.message)
    words = f"cut from {quantity(wanted)} to {quantity(left)} by the envelope's capital"
    sized = "; ".join(one for one in (terms.get(SIZED, ""), words) if one)
    return {**terms, QUANTITY: f"{left:f}", SIZED: sized}


def _net(asked: _Asked, since: datetime) -> Decimal | None:
    """What trips of the day and those under way have brought; None if nobody knows."""
    net = sum((gain for at, gain in asked.book.ended if at >= since), ZERO)
    for name, place in asked.book.places.items():
        result = _result(place, asked.mark(name))
        if result is None:
            return None
        net += result
    return net


def _result(place: Place, mark: Decimal | None) -> Decimal | None:
    """What a trip under way has brought so far; None if nobody knows."""
    if not place.quantity:
        return ZERO
    if mark is None:
        return None
    return place.money - place.paid + place.quantity * mark * place.multiplier


def _value(place: Place, mark: Decimal | None) -> Decimal | None:
    """What is held and awaited at its worst; None if nobody knows."""
    adding = place.entering
    if mark is None and (place.quantity or any(one.limit is None for one in adding)):
        return None
    worth = mark if mark is not None else ZERO
    more = sum((one.quantity * max(one.limit or ZERO, worth) for one in adding), ZERO)
    return (abs(place.quantity) * worth + more) * place.multiplier


def _tied(asked: _Asked) -> Decimal | None:
    """What is tied up already; None if nobody knows."""
    tied = ZERO
    for name, place in asked.book.places.items():
        if name == asked.moment.symbol and isinstance(asked.wish, wishes.Enter):
            continue  # it is closed first
        value = _value(place, asked.mark(name))
        if value is None:
            return None
        tied += value
    return tied


def _more(asked: _Asked) -> Decimal:
    """What the entry would tie up, at its worst."""
    worth = max(asked.wish.limit or ZERO, asked.moment.mark or ZERO)
    return Decimal(asked.terms[QUANTITY]) * worth * Decimal(asked.terms.get(MULTIPLIER, "1"))
