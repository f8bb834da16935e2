"""At what price, and for what fee, an order would have traded: the model of shadows and rehearsals.

It is plain, and rather too dear than too cheap. What is bought at the market pays the ask, or
what one is worth and a stated slippage where nobody quotes; a stop trades at its trigger or
beyond it; a limit at its limit. Every order trades whole. Fees are IBKR's for shares of the
United States, fixed pricing, which the simulator takes, too.
"""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import ZERO
from ibkr_trader.rules.arithmetic import ARITHMETIC

if TYPE_CHECKING:
    from ibkr_trader.core.models import Bar, Quote

_STEP = Decimal("0.0001")


class Look(NamedTuple):
    """The market as an order meets it, for a moment (a quote) or for a while (a bar).

    Attributes:
        at: When it begins: what was ordered later does not meet it.
        first: What one was worth at its beginning.
        high: The most, and
        low: the least that one was worth.
        ask: What it cost to buy at the beginning, and
        bid: what a sale brought then.
        cheapest: For how little it could be bought, and
        dearest: for how much it could be sold.
    """

    at: datetime
    first: Decimal
    high: Decimal
    low: Decimal
    ask: Decimal
    bid: Decimal
    cheapest: Decimal
    dearest: Decimal


class FillModel(msgspec.Struct, frozen=True, kw_only=True):
    """What is assumed.

    Attributes:
        slippage: What the market is away from the last price where nobody quotes, as a fraction.
        per_share: The fee for one, and
        least: for one order at least.
        most: The fee's limit, as a fraction of what was traded.
    """

    slippage: Decimal = Decimal("0.0002")
    per_share: Decimal = Decimal("0.005")
    least: Decimal = Decimal(1)
    most: Decimal = Decimal("0.01")

    def slipped(self, price: Decimal, side: Side) -> Decimal:
        """Return `price` made worse for whoever trades on `side`, in hundredths of a cent."""
        rounding = ROUND_CEILING if side is Side.BUY else ROUND_FLOOR
        with localcontext(ARITHMETIC):
            return (price * (1 + self.slippage * side.sign)).quantize(_STEP, rounding)

    def fee(self, quantity: Decimal, price: Decimal, *, multiplier: Decimal) -> Decimal:
        """Return what an order costs that trades `quantity` at `price`."""
        with localcontext(ARITHMETIC):
            fee = max(self.least, quantity * self.per_share)
            return min(fee, quantity * price * multiplier * self.most).quantize(_STEP)

    def of_quote(self, quote: Quote, now: datetime) -> Look | None:
        """Return what an order meets now; None if it would meet nobody."""
        mark = quote.mark
        if mark is None or mark <= 0 or quote.halted:
            return None
        ask = quote.ask if quote.is_two_sided and quote.ask else self.slipped(mark, Side.BUY)
        bid = quote.bid if quote.is_two_sided and quote.bid else self.slipped(mark, Side.SELL)
        return Look(now, mark, mark, mark, ask=ask, bid=bid, cheapest=ask, dearest=bid)

    def of_bar(self, bar: Bar) -> Look:
        """Return what an order meets within a bar that is complete."""
        return Look(
            bar.at,
            bar.open,
            bar.high,
            bar.low,
            ask=self.slipped(bar.open, Side.BUY),
            bid=self.slipped(bar.open, Side.SELL),
            cheapest=bar.low,
            dearest=bar.high,
        )


def at_market(look: Look, side: Side) -> Decimal:
    """Return what a market order trades at."""
    return look.ask if side is Side.BUY else look.bid


def at_limit(look: Look, side: Side, limit: Decimal) -> Decimal | None:
    """Return what a limit order trades at: never worse than its limit; None if not touched."""
    if side is Side.BUY:
        return min(limit, look.ask) if look.cheapest <= limit else None
    return max(limit, look.bid) if look.dearest >= limit else None


def at_stop(look: Look, side: Side, trigger: Decimal) -> Decimal | None:
    """Return what a stop trades at: its trigger, or beyond a gap; None if not touched."""
    if side is Side.SELL:
        if look.low > trigger:
            return None
        return trigger if look.first > trigger else min(trigger, look.bid)
    if look.high < trigger:
        return None
    return trigger if look.first < trigger else max(trigger, look.ask)


def flow(side: Side, quantity: Decimal, price: Decimal, *, multiplier: Decimal) -> Decimal:
    """Return the money that comes in by a trade, its fee apart; negative goes out."""
    with localcontext(ARITHMETIC):
        return ZERO - quantity * price * multiplier * side.sign
