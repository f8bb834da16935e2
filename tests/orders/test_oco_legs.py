"""Which legs go together, and how they are linked."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core.enums import OcaType, OrderRole, OrderType, Side, TimeInForce
from ibkr_trader.core.models import OrderRequest, OrderSpec, PriceBand
from ibkr_trader.orders.oco_legs import MOST_LEGS, Legs
from ibkr_trader.orders.oco_orders import OCOOrderRequest
from tests.orders.oco_stage import entries, exits, leg, setting, stop_leg


def request(*legs: OrderRequest, **terms: object) -> OCOOrderRequest:
    first, second, *more = legs
    return msgspec.structs.replace(
        OCOOrderRequest(order_a=first, order_b=second, more=tuple(more)), **terms
    )


def specs(asked: OCOOrderRequest, held: int = 0) -> tuple[OrderSpec, ...]:
    return asked.group(setting(held)).open().orders


def links(orders: tuple[OrderSpec, ...]) -> list[tuple[str, int, str]]:
    """Return id, size and OCA group of each, without the group's stem."""
    stem = orders[0].group_id
    return [
        (o.order_id.removeprefix(f"{stem}-"), int(o.quantity), o.oca_group.removeprefix(stem))
        for o in orders
    ]


# -- entries ---------------------------------------------------------------------------------


def test_entries_cancel_each_other_and_last_for_the_day() -> None:
    group = entries().group(setting())
    orders = group.open().orders
    assert (group.legs, group.oca_type) == (Legs.ENTRIES, OcaType.CANCEL)
    assert links(orders) == [("entry", 10, "-x1"), ("entry.2", 10, "-x1")]
    assert {(o.oca_type, o.time_in_force) for o in orders} == {(OcaType.CANCEL, TimeInForce.DAY)}


def test_what_is_held_on_the_same_side_is_added_to() -> None:
    asked = request(leg(Side.BUY, "145"), stop_leg(Side.BUY, "155"))
    assert asked.group(setting(10)).legs is Legs.ENTRIES


def test_entries_may_reduce_each_other_if_that_means_something() -> None:
    one_side = request(leg(Side.BUY, "145"), stop_leg(Side.BUY, "155"), oca_type=OcaType.REDUCE)
    assert {o.oca_type for o in specs(one_side)} == {OcaType.REDUCE}
    with pytest.raises(ValueError, match="a buy and a sell cannot reduce each other"):
        specs(entries(oca_type=OcaType.REDUCE))
    uneven = request(leg(Side.BUY, "145"), leg(Side.BUY, "144", 5), oca_type=OcaType.REDUCE)
    with pytest.raises(ValueError, match="of one quantity"):
        specs(uneven)


# -- exits -----------------------------------------------------------------------------------


def test_exits_reduce_each_other_and_outlast_the_night() -> None:
    group = exits().group(setting(10))
    orders = group.open().orders
    assert (group.legs, group.oca_type) == (Legs.EXITS, OcaType.REDUCE)
    # The stop goes first: should the rest not arrive, the position is protected.
    assert links(orders) == [("stop", 10, "-x1"), ("target", 10, "-x1")]
    assert {o.time_in_force for o in orders} == {TimeInForce.GTC}
    assert {o.oca_type for o in orders} == {OcaType.REDUCE}


def test_exits_of_a_short_position_buy() -> None:
    asked = request(leg(Side.BUY, "145"), stop_leg(Side.BUY, "155"))
    group = asked.group(setting(-10))
    assert group.legs is Legs.EXITS
    assert {o.side for o in group.open().orders} == {Side.BUY}


def test_each_target_has_as_much_of_a_stop_beside_it() -> None:
    asked = request(
        leg(Side.SELL, "155", 5), leg(Side.SELL, "160", 3), stop_leg(Side.SELL, "145", 10)
    )
    assert links(specs(asked, 10)) == [
        ("stop", 5, "-x1"),
        ("stop.2", 3, "-x2"),
        ("stop.3", 2, ""),
        ("target", 5, "-x1"),
        ("target.2", 3, "-x2"),
    ]
    alone = [o for o in specs(asked, 10) if not o.oca_group]
    assert [o.oca_type for o in alone] == [None]


def test_more_targets_than_stops_is_allowed_and_said() -> None:
    asked = request(leg(Side.SELL, "155", 8), stop_leg(Side.SELL, "145", 5))
    group = asked.group(setting(10))
    assert links(group.open().orders) == [
        ("stop", 5, "-x1"),
        ("target", 5, "-x1"),
        ("target.2", 3, ""),
    ]
    assert "3 of the target stand alone: nothing is beside them." in group.notes


def test_an_exit_may_trail() -> None:
    trail = leg(
        Side.SELL,
        "145",
        kind=OrderType.TRAIL,
        stop_price=None,
        trail_percent=Decimal(2),
    )
    orders = specs(request(leg(Side.SELL, "155"), trail), 10)
    assert [(o.role, o.order_type) for o in orders] == [
        (OrderRole.STOP, OrderType.TRAIL),
        (OrderRole.TARGET, OrderType.LIMIT),
    ]


def test_prices_are_rounded_for_what_the_leg_is_for() -> None:
    bands = (PriceBand(Decimal(0), Decimal("0.05")),)
    asked = request(leg(Side.SELL, "155.01"), stop_leg(Side.SELL, "145.01"))
    group = asked.group(setting(10)._replace(bands=bands))
    stop, target = group.open().orders
    assert (stop.stop_price, target.limit_price) == (Decimal("145.05"), Decimal("155.05"))


# -- what contradicts itself -----------------------------------------------------------------


def test_an_exit_and_an_entry_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="would end the position") as refusal:
        specs(entries(), 10)
    assert str(refusal.value) == (
        "with 10 AAPL held, SELL 10 LIMIT 155.00 would end the position and BUY 10 LIMIT 145.00 "
        "add to it: give exits alone, entries alone, or close the position first"
    )


def test_a_leg_that_trails_is_named_without_a_price() -> None:
    trail = leg(Side.SELL, "1", kind=OrderType.TRAIL, stop_price=None, trail_amount=Decimal(3))
    with pytest.raises(ValueError, match="with 10 AAPL held, SELL 10 TRAIL would end"):
        specs(request(leg(Side.BUY, "145"), trail), 10)


@pytest.mark.parametrize(
    ("asked", "held", "why"),
    [
        (exits(), 5, "the targets are for 10, with 5 AAPL held: .*; the stops are for 10"),
        (request(leg(Side.SELL, "155", 5), leg(Side.SELL, "160", 5)), 10, "exits need a stop"),
        (request(*[stop_leg(Side.SELL, p, 5) for p in ("145", "140")]), 10, "a target \\(a lim"),
        (request(leg(Side.SELL, "155"), stop_leg(Side.SELL, "145", 11)), 10, "turn it round"),
        (request(leg(Side.SELL, "149"), stop_leg(Side.SELL, "145")), 10, "would trade at once"),
        (request(leg(Side.BUY, "151"), leg(Side.SELL, "155")), 0, "the market is at 150.00"),
    ],
)
def test_what_does_not_go_with_the_position_is_refused(
    asked: OCOOrderRequest, held: int, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        specs(asked, held)


def test_without_a_price_nobody_can_say_what_would_trade_at_once() -> None:
    asked = request(leg(Side.BUY, "151"), leg(Side.SELL, "155"))
    assert asked.group(setting(mark=None)).legs is Legs.ENTRIES


@pytest.mark.parametrize(
    ("legs", "why"),
    [
        ([leg(Side.BUY, "155"), leg(Side.SELL, "145")], "BUY limit 155.00 must be below the SELL"),
        ([leg(Side.BUY, "150"), leg(Side.SELL, "150")], "must be below"),
        ([leg(Side.SELL, "145"), stop_leg(Side.SELL, "150")], "SELL stop 150.00 must be below"),
        ([leg(Side.BUY, "155"), stop_leg(Side.BUY, "150")], "BUY limit 155.00 must be below"),
        ([stop_leg(Side.BUY, "145"), stop_leg(Side.SELL, "155")], "SELL stop 155.00 must be bel"),
        ([leg(Side.BUY, "145"), leg(Side.SELL, "155", symbol="MSFT")], "another for MSFT"),
        ([leg(Side.BUY, "145"), leg(Side.SELL, "155", account="DU1")], "the same account"),
        (
            [leg(Side.BUY, "145"), leg(Side.SELL, "155", time_in_force=TimeInForce.GTC)],
            "wait equally long",
        ),
        ([leg(Side.BUY, "145", 0), leg(Side.SELL, "155")], "BUY leg: the quantity must be 1"),
        (
            [
                leg(s, p, time_in_force=TimeInForce.IOC)
                for s, p in ((Side.BUY, "1"), (Side.SELL, "2"))
            ],
            "a leg must be DAY or GTC, not IOC",
        ),
        (
            [
                leg(Side.BUY, "1", kind=OrderType.MARKET, stop_price=None),
                leg(Side.SELL, "155"),
            ],
            "a MARKET order waits for no price",
        ),
        ([leg(Side.BUY, f"{n}") for n in range(1, MOST_LEGS + 2)], "at most 20 legs, not 21"),
    ],
)
def test_legs_that_contradict_each_other_are_refused(legs: list[OrderRequest], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        request(*legs).validate()


def test_exits_that_would_expire_at_once_are_refused() -> None:
    with pytest.raises(ValueError, match="exits must be DAY or GTC, not IOC"):
        exits(exit_time_in_force=TimeInForce.IOC).validate()
