"""`open`: be in a position, with its stop and targets on the right sides of the entry."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from ibkr_trader.core.enums import Side, TimeInForce
from ibkr_trader.risk.sizing import AtrRisk, FixedRisk, Size
from ibkr_trader.rules.distance import Distance, Unit
from ibkr_trader.rules.moment import NEWS
from ibkr_trader.rules.rule import ACTIONS
from ibkr_trader.rules.wishes import CannotWish, Enter

if TYPE_CHECKING:
    from ibkr_trader.rules.condition import Key
    from ibkr_trader.rules.moment import Moment

ONE_PERCENT = FixedRisk(fraction=Decimal("0.01"))


@ACTIONS.register("open")
class OpenPosition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Enter on a side that is always said, with a bracket around what is entered.

    Attributes:
        side: `long` or `short`: nothing is inferred.
        size: How many; see `risk/size_text.py`.
        stop_loss: How far behind the entry it is given up; None leaves it to a size that says
            so (`atr:2`).
        take_profit: How far beyond the entry gain is taken: one distance, or several, which
            share what is held.
        limit: How far behind the market the entry waits, as a limit order; None is a market
            order.
        exit_tif: How long the exits may wait.
        reversal: What to do about a position on the other side: `refuse`, or `close_first`.
    """

    side: Literal["long", "short"]
    size: Size = ONE_PERCENT
    stop_loss: Distance | None = None
    take_profit: tuple[Distance, ...] = ()
    limit: Distance | None = None
    exit_tif: Literal["DAY", "GTC"] = "GTC"
    reversal: Literal["refuse", "close_first"] = "refuse"

    def __post_init__(self) -> None:
        if self.stop_loss is None and not isinstance(self.size, AtrRisk):
            raise ValueError('stop_loss is missing: give it, or a size such as "atr:2"')
        for name, one in (("stop_loss", self.stop_loss), ("limit", self.limit)):
            if one is not None and one.unit is Unit.RISK:
                raise ValueError(f"{name} cannot be counted in R: R is the way to the stop")
        if self.stop_loss is None and any(one.unit is Unit.RISK for one in self.take_profit):
            raise ValueError('take_profit is counted in R: give stop_loss, too, such as "3%"')

    @property
    def indicators(self) -> frozenset[Key]:
        """Those that its distances are counted in."""
        distances = (self.stop_loss, self.limit, *self.take_profit)
        found = (one.indicator for one in distances if one is not None)
        return frozenset(one for one in found if one is not None)

    def wishes(self, moment: Moment) -> tuple[Enter, ...]:
        """Return the entry with its prices; the exact grid is the order path's business.

        Who sends a signal is told that it is so already, when it is carried out. At a price
        or a bar there is nobody to tell, and nothing to put on record each time.

        Raises:
            CannotWish: If no price is known, or a distance is counted in what is not known.
        """
        side = Side.BUY if self.side == "long" else Side.SELL
        holding, mark = moment.holding, moment.mark
        is_so = holding.is_known and (holding.is_entering or holding.quantity * side.sign > 0)
        if is_so and moment.trigger not in NEWS:
            return ()
        if mark is None or mark <= 0:
            raise CannotWish(f"there is no price of {moment.symbol} to enter at")
        entry, limit = mark, None
        if self.limit is not None:
            entry = limit = mark - side.sign * self._away(self.limit, mark, moment)
        stop = risk = None
        if self.stop_loss is not None:
            risk = self._away(self.stop_loss, entry, moment)
            stop = entry - side.sign * risk
        targets = tuple(
            entry + side.sign * self._away(one, entry, moment, risk=risk)
            for one in self.take_profit
        )
        below = [price for price in (limit, stop, *targets) if price is not None and price <= 0]
        if below:
            raise CannotWish(f"a price of {min(below):.2f} is below zero: its distance is too far")
        return (
            Enter(
                symbol=moment.symbol,
                side=side,
                size=self.size,
                stop=stop,
                targets=tuple(sorted(targets, reverse=side is Side.SELL)),
                limit=limit,
                exit_tif=TimeInForce(self.exit_tif),
                reverses=self.reversal == "close_first",
            ),
        )

    def _away(
        self, distance: Distance, entry: Decimal, moment: Moment, *, risk: Decimal | None = None
    ) -> Decimal:
        return distance.away(entry, indicator=moment.indicator, risk=risk)
