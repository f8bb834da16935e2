"""A stop that rests already and is let follow, and what says how far it has come."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.core.enums import OrderRole, OrderType, Side
from ibkr_trader.core.models import GroupId
from ibkr_trader.orders.managed_trails import ManagedTrail, Trail, gained
from tests.orders.samples import order, spec


def test_a_stop_that_rests_keeps_its_group_and_trails_under_its_own_name() -> None:
    terms = spec(OrderRole.STOP, side=Side.SELL, order_type=OrderType.STOP, stop_price=Decimal(145))
    resting = order(spec=terms)
    trail = ManagedTrail.following(resting, Trail(amount=Decimal(3)), GroupId("its own"))
    assert (trail.stop, trail.group_id, trail.is_active) == (resting, "its own", True)
    assert trail.stop.spec.group_id == terms.group_id
    later = Trail(percent=Decimal(2), activation=Decimal(152))
    assert not ManagedTrail.following(resting, later, GroupId("its own")).is_active


def test_how_far_behind_is_said_as_it_was_asked() -> None:
    assert Trail(percent=Decimal("2.5")).words == "2.5%"
    assert Trail(amount=Decimal(3)).words == "3.00"


@pytest.mark.parametrize(
    ("before", "after", "side", "gain"),
    [
        ("145", "147", Side.SELL, "2"),
        ("145", "144", Side.SELL, "-1"),
        ("155", "153", Side.BUY, "2"),
        ("155", "156", Side.BUY, "-1"),
        (None, "156", Side.BUY, "0"),
        ("155", None, Side.BUY, "0"),
    ],
)
def test_nearer_to_the_market_is_a_gain(
    before: str | None, after: str | None, side: Side, gain: str
) -> None:
    old, new = (None if one is None else Decimal(one) for one in (before, after))
    assert gained(old, new, side) == Decimal(gain)
