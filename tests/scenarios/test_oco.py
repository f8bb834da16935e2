"""OCO orders end to end: a desk, the gateway over TCP, and an exchange in time of its own."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core.enums import OcaType, OrderStatus, OrderType, Side
from ibkr_trader.core.models import OrderRequest
from ibkr_trader.execution.placing import Wait
from ibkr_trader.orders.oco_legs import OnRace
from ibkr_trader.orders.oco_orders import OCOOrderRequest
from ibkr_trader.sim.floor_rules import Rejection
from tests.bad_days.stage import AAPL, Day, a_day
from tests.orders.samples import values

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def day(tmp_path: Path) -> AsyncIterator[Day]:
    async with a_day(tmp_path) as opened, opened.open_desk():
        yield opened


def leg(
    side: Side, price: str, quantity: int = 10, *, kind: OrderType = OrderType.LIMIT
) -> OrderRequest:
    at = Decimal(price)
    return OrderRequest(
        symbol="AAPL",
        side=side,
        quantity=Decimal(quantity),
        order_type=kind,
        limit_price=at if kind is OrderType.LIMIT else None,
        stop_price=at if kind is OrderType.STOP else None,
    )


def entries(on_race: OnRace = OnRace.FLATTEN) -> OCOOrderRequest:
    return OCOOrderRequest(
        order_a=leg(Side.BUY, "145"), order_b=leg(Side.SELL, "155"), on_race=on_race
    )


def exits(*more: OrderRequest, target: int = 10) -> OCOOrderRequest:
    return OCOOrderRequest(
        order_a=leg(Side.SELL, "155", target),
        order_b=leg(Side.SELL, "145", kind=OrderType.STOP),
        more=more,
    )


async def hold(day: Day, quantity: int = 10) -> None:
    """Hold AAPL, and nothing that protects it."""
    order = OrderRequest(symbol="AAPL", side=Side.BUY, quantity=Decimal(quantity))
    await day.desk.submit_order(order, wait=Wait.FILLED)
    await day.quiet()


async def slow(day: Day) -> None:
    """Have the exchange be late with what its OCA groups should do."""
    await day.others(lambda now: day.exchange.broker_acts.slow_oca(1, 2, 3, now=now))


def statuses(day: Day) -> dict[str, OrderStatus]:
    orders = (*day.trader.portfolio.orders.values(), *day.trader.portfolio.closed.values())
    return {order.order_id.partition("-")[2]: order.status for order in orders}


def works(day: Day) -> dict[str, int]:
    """What works at the exchange, by role."""
    return {
        order.terms.order_ref.split("-")[-1]: int(order.remaining)
        for order in day.ledger.live(AAPL)
    }


async def test_oco_order_cancellation(day: Day) -> None:
    """The entry that trades ends the other, at the broker."""
    await day.accepted(entries())
    assert works(day) == {"entry": 10, "entry.2": 10}
    await day.quote("154.99", "155.01")
    await day.quote("155.00", "155.02")
    await day.wait(2)
    assert values(day.ledger.held(AAPL), works(day)) == (-10, {})
    assert set(statuses(day).values()) == {OrderStatus.CANCELLED, OrderStatus.FILLED}
    assert not day.wire.sent("cancelOrder")  # the broker did it by itself
    assert day.said("over") == ["AAPL is over: SELL 10"]


async def test_a_leg_that_the_broker_forgets_to_cancel_is_cancelled_from_here(day: Day) -> None:
    await slow(day)
    await day.accepted(entries())
    await day.trade("entry", 4)
    assert works(day) == {"entry": 6}
    assert len(day.wire.sent("cancelOrder")) == 1


@pytest.mark.parametrize("on_race", list(OnRace))
async def test_oco_order_both_fill(day: Day, on_race: OnRace) -> None:
    """What is left of a race is closed once, or kept: as the order says."""
    await slow(day)
    await day.accepted(entries(on_race))
    first, second = (day.order(ref).perm_id for ref in ("entry", "entry.2"))
    forcing = day.exchange.forcing
    await day.others(
        lambda now: [
            *forcing.trade(first, now=now),
            *forcing.trade(second, quantity=Decimal(4), now=now),
        ]
    )
    assert day.ledger.held(AAPL) == 6
    assert day.said("both sides") == ["both sides of AAPL traded: BUY 10, SELL 4"]
    await day.wait(30)
    assert day.ledger.held(AAPL) == (0 if on_race is OnRace.FLATTEN else 6)
    closing = [name for name in statuses(day) if "close" in name]
    assert len(closing) == (on_race is OnRace.FLATTEN)
    assert works(day) == {}


async def test_exits_that_both_trade_are_bought_back_after_a_restart_too(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk():
            await hold(day)
            await slow(day)
            await day.accepted(exits())
        await day.both_trade("target", "stop")
        assert day.ledger.held(AAPL) == -10
        async with day.open_desk():
            await day.wait(5)
            assert day.said("both sides", "too many")
            assert values(day.ledger.held(AAPL), works(day)) == (0, {})


@pytest.mark.parametrize("is_late", [False, True])
async def test_oco_order_partial_fill(day: Day, *, is_late: bool) -> None:
    """The broker reduces the stop with the target, and if it does not, we do."""
    await hold(day)
    if is_late:
        group_is_told = day.exchange.broker_acts.slow_oca
        await day.others(lambda now: group_is_told(1, 2, 3, now=now))
    await day.accepted(exits())
    await day.trade("target", 4)
    await day.wait(3)
    assert day.ledger.held(AAPL) == 6
    assert works(day) == {"target": 6, "stop": 6}
    await day.trade("stop", 6)
    await day.wait(3)
    assert values(day.ledger.held(AAPL), works(day)) == (0, {})
    assert not day.said("both sides")


async def test_exits_at_several_levels_scale_out(day: Day) -> None:
    await hold(day)
    await day.accepted(exits(leg(Side.SELL, "160", 3), target=5))
    assert works(day) == {"stop": 5, "stop.2": 3, "stop.3": 2, "target": 5, "target.2": 3}
    await day.trade("target")
    await day.wait(2)
    assert works(day) == {"stop.2": 3, "stop.3": 2, "target.2": 3}
    await day.quote("144.90", "144.92")
    await day.wait(3)
    assert values(day.ledger.held(AAPL), works(day)) == (0, {})


async def test_oco_order_broker_disconnect(day: Day) -> None:
    """While the link is down the broker's own link is in charge, and nothing is sent twice."""
    await day.accepted(entries())
    placed = len(day.wire.sent("placeOrder"))
    await day.lose_link()
    await day.trade("entry")
    assert values(day.ledger.held(AAPL), works(day)) == (10, {})
    await day.wait(20)
    assert len(day.wire.sent("placeOrder")) == placed
    assert not day.wire.sent("cancelOrder")
    assert statuses(day) == {"1-entry": OrderStatus.FILLED, "1-entry.2": OrderStatus.CANCELLED}
    assert not day.trader.portfolio.orders


async def test_a_refused_leg_leaves_no_lone_entry(day: Day) -> None:
    rejection = Rejection(ref="*.2", times=1)
    await day.others(lambda now: day.exchange.broker_acts.reject(rejection, now=now))
    async with day.trying(day.accepted(entries())):
        await day.wait(5)
    assert works(day) == {}
    assert any("its partner is cancelled" in message for message in day.said("is not there"))


async def test_a_refused_target_leaves_the_stop(day: Day) -> None:
    await hold(day)
    rejection = Rejection(ref="*-target", times=1)
    await day.others(lambda now: day.exchange.broker_acts.reject(rejection, now=now))
    async with day.trying(day.accepted(exits())):
        await day.wait(5)
    assert works(day) == {"stop": 10}
    assert day.said("the stop stays")


async def test_exits_may_cancel_each_other(day: Day) -> None:
    """Whoever wants it has it: the first share of the target ends the stop."""
    await hold(day)
    asked = exits()
    await day.accepted(
        OCOOrderRequest(order_a=asked.order_a, order_b=asked.order_b, oca_type=OcaType.CANCEL)
    )
    await day.trade("target", 4)
    await day.wait(3)
    assert works(day) == {"target": 6}
    assert day.said("held without their stop")
