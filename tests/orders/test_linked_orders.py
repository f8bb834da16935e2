"""How large the exits of a position must be, and the entry more that makes them grow."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side
from ibkr_trader.core.models import Order, OrderId, PriceBand
from ibkr_trader.orders.group import Setting
from ibkr_trader.orders.linked_orders import (
    Leg,
    Scalable,
    ScaleInRequest,
    claims,
    equal_parts,
    growths,
    split,
)
from ibkr_trader.orders.single_orders import single_of
from tests.orders.bracket_play import (
    AFTER_GRACE,
    AFTER_PATIENCE,
    ENTRY,
    STOP,
    Play,
    bought,
    cancelled,
    sold,
)
from tests.orders.samples import AAPL, ACCOUNT, AT, GROUP, accepted, bracket_specs, order, spec

SIZES = st.integers(1, 50).map(Decimal)


def exit_of(
    number: int,
    quantity: int,
    *,
    role: OrderRole = OrderRole.STOP,
    filled: int = 0,
    status: OrderStatus = OrderStatus.SUBMITTED,
) -> Order:
    """Return an exit of a long position."""
    order_id = OrderId(f"memo-1-{role}" + (f".{number}" if number > 1 else ""))
    return order(
        status,
        order_id=order_id,
        role=role,
        side=Side.SELL,
        quantity=Decimal(quantity),
        filled=Decimal(filled),
    )


def leg(number: int, share: int, *orders: Order) -> Leg:
    return Leg(number, Decimal(share), orders or (exit_of(number, share),))


@pytest.mark.parametrize(
    ("total", "shares", "parts"),
    [
        (10, (1, 1, 1), (4, 3, 3)),
        (10, (6, 4), (6, 4)),
        (4, (6, 4), (3, 1)),
        (1, (6, 4), (1, 0)),
        (0, (6, 4), (0, 0)),
        (7, (5,), (7,)),
        (7, (0,), (0,)),
        (7, (), ()),
    ],
)
def test_splitting(total: int, shares: tuple[int, ...], parts: tuple[int, ...]) -> None:
    assert split(Decimal(total), [Decimal(one) for one in shares]) == parts


@given(st.integers(0, 1000).map(Decimal), st.lists(SIZES, min_size=1, max_size=5))
def test_a_split_is_whole_and_complete(total: Decimal, shares: list[Decimal]) -> None:
    parts = split(total, shares)
    assert sum(parts) == total
    assert all(part >= 0 and part % 1 == 0 for part in parts)
    whole = sum(shares)
    for part, share in zip(parts[1:], shares[1:], strict=True):
        assert 0 <= total * share / whole - part < 1


def test_a_leg_knows_what_it_has_ended() -> None:
    target = exit_of(1, 10, role=OrderRole.TARGET, filled=3)
    stop = exit_of(1, 7, filled=2, status=OrderStatus.CANCELLED)
    one = leg(1, 10, target, stop)
    assert (one.traded, one.working, one.live) == (Decimal(5), Decimal(7), (target,))
    assert one.of(OrderRole.STOP) == (stop,)
    assert not one.is_spent
    assert leg(1, 10, exit_of(1, 3, filled=3, status=OrderStatus.FILLED)).is_spent
    assert leg(1, 10, stop).working == 0


LEGS = {
    # What there is, what is held, and who ends how much of it.
    "as it was made": ((leg(1, 6), leg(2, 4)), 10, {1: 6, 2: 4}),
    "twice as much": ((leg(1, 6), leg(2, 4)), 20, {1: 12, 2: 8}),
    "half of it": ((leg(1, 6), leg(2, 4)), 5, {1: 3, 2: 2}),
    "flat": ((leg(1, 6), leg(2, 4)), 0, {1: 0, 2: 0}),
    "turned round": ((leg(1, 6), leg(2, 4)), -3, {1: 0, 2: 0}),
    "one is spent": (
        (leg(1, 6, exit_of(1, 6, filled=6, status=OrderStatus.FILLED)), leg(2, 4)),
        14,
        {2: 14},
    ),
    "one has traded in part": ((leg(1, 6, exit_of(1, 6, filled=3)), leg(2, 4)), 7, {1: 3, 2: 4}),
    "more was ended than was its part": (
        (leg(1, 6), leg(2, 4, exit_of(2, 4, filled=3))),
        2,
        {1: 2, 2: 0},
    ),
}


@pytest.mark.parametrize("name", LEGS)
def test_claims(name: str) -> None:
    legs, held, expected = LEGS[name]
    assert claims(legs, Decimal(held)) == expected


@given(
    st.lists(st.tuples(st.integers(1, 20), st.integers(0, 20)), min_size=1, max_size=4),
    st.integers(-20, 100),
)
def test_claims_never_exceed_what_is_held(parts: list[tuple[int, int]], held: int) -> None:
    """And while a leg is left, they are all of it."""
    legs = [
        leg(number, share, exit_of(number, share + 1, filled=min(filled, share)))
        for number, (share, filled) in enumerate(parts, start=1)
    ]
    found = claims(legs, Decimal(held))
    assert sum(found.values()) == max(0, held)
    assert all(one >= 0 for one in found.values())


def grown(*legs: Leg, held: int, keep: tuple[str, ...] = ()) -> dict[str, int]:
    asked = growths(legs, Decimal(held), keep=[OrderId(one) for one in keep])
    return {order.order_id: int(quantity) for order, quantity in asked}


def test_exits_grow_to_what_is_held() -> None:
    target = exit_of(1, 6, role=OrderRole.TARGET)
    one = leg(1, 6, target, exit_of(1, 6))
    assert grown(one, leg(2, 4), held=20) == {
        "memo-1-target": 12, "memo-1-stop": 12, "memo-1-stop.2": 8,
    }  # fmt: skip
    assert grown(one, leg(2, 4), held=10) == {}
    assert grown(leg(1, 6, exit_of(1, 6, filled=2)), held=10) == {"memo-1-stop": 12}
    assert grown(leg(1, 6, target, exit_of(1, 9)), held=9) == {"memo-1-target": 9}


def test_what_is_too_large_elsewhere_is_cut_first() -> None:
    """Else both together would be more than is held for as long as the cut is under way."""
    assert grown(leg(1, 6, exit_of(1, 10)), leg(2, 4, exit_of(2, 2)), held=10) == {}
    assert grown(leg(1, 6, exit_of(1, 8)), leg(2, 4, exit_of(2, 2)), held=11) == {}
    assert grown(leg(1, 6, exit_of(1, 6)), leg(2, 4, exit_of(2, 2)), held=10) == {
        "memo-1-stop.2": 4
    }


def test_what_cannot_or_shall_not_be_changed_is_left() -> None:
    for status in (OrderStatus.PENDING, OrderStatus.UNKNOWN, OrderStatus.PENDING_CANCEL):
        assert grown(leg(1, 6, exit_of(1, 6, status=status)), held=10) == {}
    assert grown(leg(1, 6), held=10, keep=("memo-1-stop",)) == {}


# -- the entry more --------------------------------------------------------------------------


def test_an_entry_more_is_the_next_of_its_group() -> None:
    setting = Setting(GROUP, AAPL, ACCOUNT, (PriceBand(Decimal(0), Decimal("0.05")),))
    known = [Order(spec=one, status=OrderStatus.FILLED) for one in bracket_specs()]
    request = ScaleInRequest(
        symbol="AAPL", quantity=Decimal(5), limit_price=Decimal("149.99"), outside_rth=True
    )
    entry = request.entry(known, Side.BUY, setting)
    assert (entry.order_id, entry.group_id, entry.role) == (
        "memo-1-entry.2", GROUP, OrderRole.ENTRY,
    )  # fmt: skip
    assert (entry.order_type, entry.limit_price) == (OrderType.LIMIT, Decimal("149.95"))
    assert (entry.side, entry.parent_id, entry.oca_group) == (Side.BUY, None, "")
    assert entry.outside_rth
    market = ScaleInRequest(symbol="AAPL", quantity=Decimal(5))
    first = market.entry([known[2]], Side.SELL, setting)  # of a group that has no entry
    assert (first.order_id, first.order_type, first.side) == (
        "memo-1-entry", OrderType.MARKET, Side.SELL,
    )  # fmt: skip


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="quantity"):
        ScaleInRequest(symbol="AAPL", quantity=Decimal(0)).validate()
    with pytest.raises(ValueError, match="price above zero"):
        ScaleInRequest(symbol="AAPL", quantity=Decimal(5), limit_price=Decimal(-1)).validate()
    ScaleInRequest(symbol="AAPL", quantity=Decimal(5)).validate()


def test_only_a_group_whose_exits_can_follow_is_scalable() -> None:
    play = Play()
    assert isinstance(play.group, Scalable)
    assert not play.group.is_scalable  # its exits sleep
    play.hear(bought(4))
    assert not play.group.is_scalable  # the broker may size them by their entry alone
    play.hear(cancelled(ENTRY))
    assert play.group.is_scalable
    play.hear(sold(4, STOP))
    assert not play.group.is_scalable
    own = Play()
    own.hear(bought())
    small = msgspec.structs.replace(own.group.orders[STOP].spec, quantity=Decimal(6))
    own.hear(ev.ModifyEvent(at=AT, order_id=STOP, spec=small, origin="cli"))
    assert not own.group.is_scalable  # what somebody has sized is not enlarged
    deaf = Play()
    deaf.hear(bought(), accepted(small))
    assert deaf.tick(AFTER_GRACE)
    for tries in (1, 2):
        assert deaf.group.is_scalable
        assert deaf.tick(AFTER_GRACE + tries * AFTER_PATIENCE)
    assert not deaf.tick(AFTER_GRACE + 3 * AFTER_PATIENCE)
    assert not deaf.group.is_scalable  # what the broker has not enlarged so far stays as it is
    lost = Play()
    lost.hear(bought(), cancelled(STOP))
    assert not lost.group.is_scalable
    assert not isinstance(single_of(GROUP, (spec(),), {}), Scalable)


@pytest.mark.parametrize(
    ("total", "number", "parts"),
    [(10, 3, (4, 3, 3)), (2, 3, (1, 1)), (6, 2, (3, 3)), (5, 0, ()), (0, 3, ())],
)
def test_equal_parts(total: int, number: int, parts: tuple[int, ...]) -> None:
    assert equal_parts(Decimal(total), number) == parts
