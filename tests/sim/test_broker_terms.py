"""What the in-process broker carries of orders that wait, follow, adjust and cancel each other."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import ModifyOrder
from ibkr_trader.core.enums import OcaType, OrderType, Side, TimeInForce
from ibkr_trader.core.models import Adjustment, OrderSpec
from tests.sim.pit_desk import AAPL, d
from tests.sim.test_broker import Seat, names

GTC = TimeInForce.GTC
ADJUSTMENTS = [
    Adjustment(trigger=d(155), order_type=OrderType.STOP, stop_price=d(150)),
    Adjustment(
        trigger=d(155), order_type=OrderType.STOP_LIMIT, stop_price=d(150), limit_price=d(149)
    ),
    Adjustment(trigger=d(155), order_type=OrderType.TRAIL, stop_price=d(150), trail_amount=d(5)),
    Adjustment(trigger=d(155), order_type=OrderType.TRAIL, stop_price=d(150), trail_percent=d(3)),
    Adjustment(
        trigger=d(155),
        order_type=OrderType.TRAIL_LIMIT,
        stop_price=d(150),
        limit_price=d(149),
        trail_amount=d(5),
    ),
]


def move(seat: Seat, last: str) -> None:
    price = d(last)
    seat.pit.exchange.market.set_quote(
        AAPL, bid=price - d("0.01"), ask=price + d("0.01"), last=price
    )
    seat.broker.advance()


async def specs(seat: Seat) -> list[OrderSpec]:
    """Every spec that was told back, in order; for the end of a test."""
    return [e.spec for e in await seat.heard() if isinstance(e, ev.AcceptEvent)]


@pytest.mark.parametrize("adjustment", ADJUSTMENTS)
async def test_an_adjustment_goes_there_and_comes_back_and_happens(adjustment: Adjustment) -> None:
    seat = Seat()
    asked = seat.spec(
        Side.SELL,
        order_type=OrderType.STOP,
        stop_price=d(145),
        adjustment=adjustment,
        time_in_force=GTC,
    )
    await seat.submit(asked)
    (standing,) = (await seat.broker.snapshot()).open_orders
    assert standing.spec == asked
    move(seat, "155.00")
    told = await specs(seat)
    assert told[0] == asked
    assert told[-1].order_type is adjustment.order_type
    assert told[-1].adjustment is None
    assert (told[-1].trail_amount, told[-1].trail_percent) == (
        adjustment.trail_amount, adjustment.trail_percent,
    )  # fmt: skip


async def test_a_trail_limit_comes_back_with_the_prices_it_has_reached() -> None:
    seat = Seat()
    asked = seat.spec(
        Side.SELL,
        order_type=OrderType.TRAIL_LIMIT,
        stop_price=d(147),
        limit_price=d("146.90"),
        trail_amount=d(3),
    )
    await seat.submit(asked)
    move(seat, "160.00")
    told = await specs(seat)
    assert told[0] == asked
    assert [(s.stop_price, s.limit_price) for s in told] == [
        (d("147.00"), d("146.90")), (d("157.00"), d("156.90")),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("order_type", "limit"), [(OrderType.TRAIL, None), (OrderType.TRAIL_LIMIT, d("146.90"))]
)
async def test_a_change_of_a_trail_does_not_pull_it_back(
    order_type: OrderType, limit: object
) -> None:
    seat = Seat()
    asked = seat.spec(
        Side.SELL, order_type=order_type, stop_price=d(147), limit_price=limit, trail_amount=d(3)
    )
    await seat.submit(asked)
    move(seat, "155.00")
    seat.pit.quote("159.99", "160.01", last="160.00")  # the broker has not told us of it
    seat.pit.quote("157.99", "158.01", last="158.00")
    await seat.send(ModifyOrder(order_id=asked.order_id, trail_amount=d(2)))
    order = seat.pit.order(asked.broker_order_id)
    assert order is not None
    assert order.stop_price == d(157)
    assert order.limit_offset == (None if limit is None else d("0.10"))
    await seat.send(ModifyOrder(order_id=asked.order_id, stop_price=d("157.50")))
    order = seat.pit.order(asked.broker_order_id)
    assert order is not None
    assert order.stop_price == d("157.50")


async def test_touched_orders_have_their_trigger() -> None:
    seat = Seat()
    market = seat.spec(order_type=OrderType.MARKET_IF_TOUCHED, stop_price=d(149))
    limit = seat.spec(
        order_type=OrderType.LIMIT_IF_TOUCHED, stop_price=d(149), limit_price=d("148.90")
    )
    await seat.submit(market)
    await seat.submit(limit)
    assert [order.spec for order in (await seat.broker.snapshot()).open_orders] == [market, limit]


async def test_a_timed_exit_in_a_group_goes_there_and_comes_back() -> None:
    seat = Seat()
    moment = datetime(2026, 11, 20, 20, 55, tzinfo=UTC)
    group: dict[str, Any] = {"oca_group": "k7qav-1", "oca_type": OcaType.REDUCE}
    await seat.submit(seat.spec())
    stop = seat.spec(
        Side.SELL, order_type=OrderType.STOP, stop_price=d(145), time_in_force=GTC, **group
    )
    timed = seat.spec(Side.SELL, good_after=moment, **group)
    await seat.submit(stop)
    await seat.submit(timed)
    open_orders = (await seat.broker.snapshot()).open_orders
    assert [order.spec for order in open_orders] == [stop, timed]
    seat.pit.now = moment
    seat.broker.advance()
    assert (await seat.broker.snapshot()).positions == ()
    ends = [type(e) for e in await seat.heard() if getattr(e, "order_id", "") == stop.order_id]
    assert ends[-1] is ev.CancelEvent


async def test_a_member_made_smaller_is_told_with_its_new_size() -> None:
    seat = Seat()
    group: dict[str, Any] = {"oca_group": "k7qav-1", "oca_type": OcaType.REDUCE}
    await seat.submit(seat.spec())
    target = seat.spec(Side.SELL, order_type=OrderType.LIMIT, limit_price=d(155), **group)
    stop = seat.spec(Side.SELL, order_type=OrderType.STOP, stop_price=d(145), **group)
    await seat.submit(target)
    await seat.submit(stop)
    seat.pit.exchange.market.set_quote(
        AAPL, bid=d(155), ask=d("155.02"), last=d("155.01"), bid_size=d(4)
    )
    seat.broker.advance()
    told = [s for s in await specs(seat) if s.order_id == stop.order_id]
    assert [spec.quantity for spec in told] == [d(10), d(6)]


async def test_a_price_cap_is_a_remark() -> None:
    seat = Seat()
    seat.pit.exchange.floor_acts.cap(AAPL, buy=d(149), now=seat.pit.now)
    await seat.submit(seat.spec())
    heard = await seat.heard()
    assert names(heard)[-1] == "Warning"
    assert [e.code for e in heard if isinstance(e, ev.WarningEvent)] == [2161]


async def test_what_a_person_does_to_our_order_is_told_to_us() -> None:
    seat = Seat()
    stop = seat.spec(Side.SELL, order_type=OrderType.STOP, stop_price=d(145), time_in_force=GTC)
    await seat.submit(stop)
    order = seat.pit.order(stop.broker_order_id)
    assert order is not None
    hand, now = seat.pit.exchange.hand, seat.pit.now
    seat.broker._report(hand.modify(order.perm_id, stop_price=d(140), now=now))
    seat.broker._report(hand.cancel(order.perm_id, now=now))
    heard = await seat.heard()
    told = [e.spec.stop_price for e in heard if isinstance(e, ev.AcceptEvent)]
    assert told == [d(145), d(140)]
    assert [e.code for e in heard if isinstance(e, ev.CancelEvent)] == [0, 202]
