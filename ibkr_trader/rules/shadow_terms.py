"""A shadow's decision as the journal has it: the wish with its size, and back again.

What a shadow would hold after a restart is worked out from the journal alone, so its decisions
carry all that its would-be orders need, as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import ZERO
from ibkr_trader.core.text import price, quantity
from ibkr_trader.orders.managed_trails import Trail
from ibkr_trader.risk.sizing import AtrRisk, CannotSize, FixedQuantity, FixedRisk, Kelly, Stakes
from ibkr_trader.rules import wishes
from ibkr_trader.rules.wish_text import terms_of

if TYPE_CHECKING:
    from ibkr_trader.core.events import DecisionEvent
    from ibkr_trader.risk.sizing import Size
    from ibkr_trader.rules.wishes import Wish

QUANTITY, SIZED, MULTIPLIER = "quantity", "sized", "multiplier"
ONE = Decimal(1)
_TRAIL = ("trail_amount", "trail_percent", "activation_price", "bands")


class Purse(NamedTuple):
    """What there is to size from; None is not known."""

    mark: Decimal | None = None
    equity: Decimal | None = None
    multiplier: Decimal = ONE
    lot: Decimal = ONE


def shadow_terms(wish: Wish, purse: Purse) -> Mapping[str, str]:
    """Return a wish in full, with how many it would be and why."""
    terms = dict(terms_of(wish))
    if purse.multiplier != ONE:
        terms[MULTIPLIER] = f"{purse.multiplier:f}"
    if isinstance(wish, wishes.Enter):
        count, why = _sized(wish, purse)
        return {**terms, QUANTITY: f"{count:f}", SIZED: why}
    if isinstance(wish, wishes.LetTrail):
        return {**terms, **wish.trail.plan()}
    return terms


def wish_of(event: DecisionEvent) -> Wish | None:
    """Return what a shadow wished; None if it would have moved no order."""
    terms, symbol = event.terms, event.ticker
    match event.wish:
        case "open" if is_modelled(event):
            return wishes.Enter(
                symbol=symbol,
                side=Side(terms["side"]),
                size=FixedQuantity(Decimal(terms[QUANTITY])),
                stop=_price(terms, "stop"),
                targets=tuple(Decimal(one) for one in terms.get("targets", "").split()),
                limit=_price(terms, "limit"),
                reverses="reverses" in terms,
            )
        case "scale_in" if terms[QUANTITY] != "0":
            added = Decimal(terms[QUANTITY])
            return wishes.Add(symbol=symbol, quantity=added, limit=_price(terms, "limit"))
        case "close":
            only = Side(terms["only"]) if "only" in terms else None
            return wishes.Exit(symbol=symbol, only=only)
        case "move_stop":
            return wishes.MoveStop(symbol=symbol, level=Decimal(terms["level"]))
        case "trail":
            plan = {name: terms[name] for name in _TRAIL if name in terms}
            return wishes.LetTrail(symbol=symbol, trail=Trail.planned(plan))
        case _:
            return None


def is_modelled(event: DecisionEvent) -> bool:
    """Return whether anything can be said of what came of a shadow's decision.

    An entry that is not modelled trades nothing there: it says nothing for its strategy.
    """
    return event.wish != "open" or event.terms.get(QUANTITY, "0") != "0"


def multiplier_of(event: DecisionEvent) -> Decimal:
    """Return the multiplier of what a shadow's decision is about."""
    return Decimal(event.terms.get(MULTIPLIER, "1"))


def _sized(wish: wishes.Enter, purse: Purse) -> tuple[Decimal, str]:
    """How many it would be, and why; none where the real thing would not be sent either."""
    paid = wish.limit if wish.limit is not None else purse.mark
    if wish.stop is None:
        return ZERO, "not modelled: its stop is counted in daily ranges, which nobody asks for here"
    if paid is None:
        return ZERO, "not modelled: nobody knew a price"
    if (paid - wish.stop) * wish.side.sign <= 0:
        return ZERO, f"not modelled: the stop {price(wish.stop)} is on the wrong side"
    rule = wish.size.risk if isinstance(wish.size, AtrRisk) else wish.size
    stakes = Stakes(
        entry=paid,
        sign=wish.side.sign,
        stop=wish.stop,
        equity=purse.equity if purse.equity is not None else ZERO,
        multiplier=purse.multiplier,
        lot=purse.lot,
    )
    if unknown := _unknown(rule, purse):
        return purse.lot, f"{quantity(purse.lot)}: {unknown}"
    try:
        found = rule.size(stakes)
    except CannotSize as error:
        return ZERO, f"not modelled: {error.message}"
    return found.quantity, "; ".join(found.reasons)


def _unknown(rule: Size, purse: Purse) -> str:
    """What a size lacks here; then the smallest lot is taken for it."""
    if isinstance(rule, Kelly) and rule.odds is None:
        return "Kelly's rule needs a record, and a shadow has none"
    is_absolute = isinstance(rule, FixedQuantity) or (
        isinstance(rule, FixedRisk) and rule.amount is not None
    )
    return "" if is_absolute or purse.equity is not None else "nobody knows the account's worth"


def _price(terms: Mapping[str, str], name: str) -> Decimal | None:
    return Decimal(terms[name]) if name in terms else None
