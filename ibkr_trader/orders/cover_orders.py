"""The emergency stop: what is put below (or above) a position that nothing covers.

Its trigger is a set distance from the average cost, or from the market where that is
already beyond: a stop must never trade the moment it arrives. It waits until cancelled and
belongs to a group of its own, which promises nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import OrderRole, OrderType, Side, TimeInForce
from ibkr_trader.core.ids import make_order_id
from ibkr_trader.core.models import ZERO, Contract, GroupId, OrderSpec, PriceBand
from ibkr_trader.core.ticks import round_protective_stop
from ibkr_trader.orders.group import ORDER_TYPES
from ibkr_trader.orders.members import written
from ibkr_trader.orders.single_orders import Single

if TYPE_CHECKING:
    from collections.abc import Sequence

KIND = "cover"


class Policy(StrEnum):
    """What to do about a position without a stop, once the grace has passed."""

    ALERT = "alert"  # say so, again and again
    ATTACH = "attach"  # put an emergency stop in place
    FLATTEN = "flatten"  # end the position


class CoverRules(msgspec.Struct, frozen=True, kw_only=True):
    """How positions are to be protected (`[protection]` in the settings).

    Raises:
        ValueError: If a figure makes no sense.

    Attributes:
        policy: What to do about what no stop covers.
        grace: How long it may be so before the policy acts.
        stop_distance: Of the emergency stop from the average cost, as a fraction of it.
        repeat: How long until an alert is repeated.
        auto_reprotect: Whether to act even where a person has cancelled the stop.
        cover_foreign: Whether to act on what orders of ours have not opened.
    """

    policy: Policy = Policy.ALERT
    grace: timedelta = timedelta(seconds=5)
    stop_distance: Decimal = Decimal("0.05")
    repeat: timedelta = timedelta(minutes=15)
    auto_reprotect: bool = False
    cover_foreign: bool = False

    def __post_init__(self) -> None:
        if not ZERO < self.stop_distance < 1:
            raise ValueError(f"stop_distance must be between 0 and 1, not {self.stop_distance}")
        for name in ("grace", "repeat"):
            if getattr(self, name) <= timedelta(0):
                raise ValueError(f"{name} must be more than 0 seconds")


class Market(NamedTuple):
    """A market that is open, and fresh: its price steps and its two sides."""

    bands: Sequence[PriceBand]
    bid: Decimal
    ask: Decimal


class Attach(NamedTuple):
    """Put a stop in place: `side` is the stop's own."""

    contract: Contract
    side: Side
    quantity: Decimal
    stop_price: Decimal

    def order(self, group_id: GroupId, account: str) -> SubmitOrders:
        """Return the command, in a group of its own."""
        spec = OrderSpec(
            order_id=make_order_id(group_id, OrderRole.STOP),
            group_id=group_id,
            role=OrderRole.STOP,
            contract=self.contract,
            account=account,
            side=self.side,
            quantity=self.quantity,
            order_type=OrderType.STOP,
            stop_price=self.stop_price,
            time_in_force=TimeInForce.GTC,
        )
        return SubmitOrders(group_id=group_id, orders=(spec,), kind=KIND, origin=KIND, reduces=True)


def emergency_stop(
    held: Decimal, cost: Decimal, market: Market, *, distance: Decimal
) -> Decimal | None:
    """Return the trigger of a stop for what is held; None if there is no room for one.

    Args:
        held: What is held, signed.
        cost: What a unit has cost on average.
        market: The market now.
        distance: From `cost`, or from the market if that is beyond it, as a fraction.
    """
    side = Side.closing(held)
    near = market.bid if held > 0 else market.ask
    for start in (cost, near):
        stop = round_protective_stop(start * (1 + side.sign * distance), side, market.bands)
        if stop > 0 and (near - stop) * side.sign < 0:
            return stop
    return None


@ORDER_TYPES.register(KIND)
def cover_of(group_id: GroupId, specs: tuple[OrderSpec, ...], _plan: Mapping[str, str]) -> Single:
    """Return the group as it was when it was opened."""
    return Single(group_id=group_id, orders=written(specs))
