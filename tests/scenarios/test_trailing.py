"""Trailing stops end to end: a desk, the gateway over TCP, and an exchange in time of its own.

Native ones are moved by the exchange, managed ones by the desk; what is judged is the stop
that works at the exchange, second by second.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from ibkr_trader.core.enums import OrderStatus, Side
from ibkr_trader.core.models import OrderRequest
from ibkr_trader.execution.placing import Wait
from ibkr_trader.orders.managed_trails import ManagedTrail
from ibkr_trader.orders.trailing_stops import TrailingStopConfig
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Fault, When
from tests.bad_days.stage import AAPL, Day, a_day
from tests.scenarios import trails

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ibkr_trader.core.models import GroupId

KINDS = pytest.mark.parametrize("managed", [False, True], ids=["native", "managed"])
stop = partial(trails.stop, alone=True)
move = partial(trails.move, alone=True)


@pytest.fixture
async def day(tmp_path: Path) -> AsyncIterator[Day]:
    async with a_day(tmp_path) as opened, opened.open_desk():
        yield opened


async def hold(day: Day, side: Side = Side.BUY) -> None:
    """Hold ten AAPL, long or short, and nothing that protects them."""
    order = OrderRequest(symbol="AAPL", side=side, quantity=Decimal(10))
    await day.desk.submit_order(order, wait=Wait.FILLED)
    await day.quiet()


async def trail(day: Day, **terms: Any) -> GroupId:
    """Trail what is held by three dollars."""
    if "trail_percent" not in terms:
        terms["trail_amount"] = Decimal(3)
    config = TrailingStopConfig(symbol="AAPL", quantity=Decimal(10), **terms)
    (order,) = await day.accepted(config)
    return order.spec.group_id


@KINDS
async def test_trailing_stop_long_position(day: Day, *, managed: bool) -> None:
    await hold(day)
    await trail(day, is_managed=managed)
    assert stop(day) == 147 or not managed
    assert await move(day, "151", "154", "156") == [148, 151, 153]
    await day.quote("152.90", "152.92")
    await day.wait(2)
    assert day.ledger.held(AAPL) == 0
    assert day.ledger.live(AAPL) == ()
    assert not day.trader.portfolio.orders


@KINDS
async def test_trailing_stop_short_position(day: Day, *, managed: bool) -> None:
    await hold(day, Side.SELL)
    await trail(day, is_managed=managed)
    found = await move(day, "148.98", "145.98", "143.98")
    # A native trail goes by the last trade, a managed one by the ask, at which it would buy.
    assert found == ([152, 149, 147] if managed else [d("151.98"), d("148.98"), d("146.98")])
    await day.quote("147.10", "147.12")
    await day.wait(2)
    assert day.ledger.held(AAPL) == 0
    assert day.ledger.live(AAPL) == ()


def d(text: str) -> Decimal:
    return Decimal(text)


@KINDS
async def test_trailing_stop_does_not_widen(day: Day, *, managed: bool) -> None:
    """The market falls, comes back, is halted and prints nonsense: the stop only ever rises."""
    await hold(day)
    await trail(day, is_managed=managed, trail_percent=Decimal(2))
    seen = await move(day, "154", "152", "153.5", "151.2", "154.5", "151.9")
    assert seen == sorted(seen)
    if managed:
        before = stop(day)
        await day.quote("1540", "1540.02")  # one bad print
        await day.wait(0.1)
        await day.quote("151.90", "151.92")
        await day.wait(2)
        assert stop(day) == before
        await day.quote("154.9", "151.0")  # crossed
        await day.wait(2)
        assert stop(day) == before
        changes = day.wire.sent("modifyOrder")
        prices = [entry.message.order.aux_price for entry in changes]  # type: ignore[union-attr]
        assert prices == sorted(prices)
        assert len(changes) == 2


@KINDS
async def test_trailing_stop_activation_threshold(day: Day, *, managed: bool) -> None:
    await hold(day)
    await trail(day, is_managed=managed, activation_price=Decimal(155))
    assert await move(day, "152", "154.90") == [147, 147]
    assert (await move(day, "155"))[0] >= 152
    later = await move(day, "154", "157")
    assert later[0] >= 152
    assert later[1] == 154


async def test_trailing_stop_persistence(tmp_path: Path) -> None:
    """A restart goes on from where the stop works; while nobody is there, it stays."""
    async with a_day(tmp_path) as day:
        async with day.open_desk():
            await hold(day)
            group_id = await trail(day, is_managed=True, activation_price=Decimal(152))
            assert await move(day, "154") == [151]
        await day.quote("158", "158.02")
        await day.wait(5)
        assert stop(day) == 151
        await day.quote("153", "153.02")
        async with day.open_desk() as desk:
            group = desk.trader.groups.get(group_id)
            assert isinstance(group, ManagedTrail)
            assert group.is_active
            (contract,) = desk.trader.groups.followed
            async with day.meanwhile():
                await desk.trader.price(contract, timeout=5)
            assert await move(day, "152.5", "153.5") == [151, 151]
            assert await move(day, "155", "154") == [152, 152]
        assert len({order.terms.order_ref for order in day.ledger.live(AAPL)}) == 1


async def test_at_most_one_change_a_second_and_the_newest_one(day: Day) -> None:
    """Sixteen ticks in four seconds: a change for each second, and none is missing at rest."""
    await hold(day)
    await trail(day, is_managed=True)
    for tick in range(1, 17):
        bid = Decimal(150) + Decimal("0.2") * tick
        await day.quote(f"{bid:.2f}", f"{bid + Decimal('0.02'):.2f}")
        await day.wait(0.25, step=0.25)
    changes = [entry.at for entry in day.wire.sent("modifyOrder")]
    assert len(changes) in {4, 5}
    assert all((b - a).total_seconds() >= 1 for a, b in pairwise(changes))
    await day.wait(2)
    assert stop(day) == Decimal("150.20")


async def test_a_change_that_is_lost_leaves_the_old_stop_and_is_made_later(day: Day) -> None:
    await hold(day)
    await trail(day, is_managed=True)
    day.faults.arm(Fault(when=When(names=("modifyOrder",), times=1), act=rules.Drop()))
    await move(day, "153")
    assert stop(day) == 147
    (order,) = day.trader.portfolio.orders.values()
    assert order.status is OrderStatus.PENDING_MODIFY
    await day.wait(15)  # until somebody asks what became of it
    assert await move(day, "153.2") == [Decimal("150.2")]


async def test_a_stop_moved_by_hand_is_left_to_the_hand(day: Day) -> None:
    await hold(day)
    await trail(day, is_managed=True)
    await move(day, "153")
    await day.hand_modify("stop", stop_price=Decimal(148))
    assert await move(day, "155", "157") == [148, 148]
    assert day.said("moved by hand")
    assert day.ledger.held(AAPL) == 10


async def test_a_price_of_the_night_does_not_raise_a_stop_that_sleeps(day: Day) -> None:
    await hold(day)
    await trail(day, is_managed=True)
    assert await move(day, "152") == [149]
    await day.wait(6.5 * 3600, step=1800)  # half an hour after the close
    assert await move(day, "160") == [149]
    assert day.ledger.held(AAPL) == 10


async def test_a_position_closed_by_hand_ends_the_trail(day: Day) -> None:
    await hold(day)
    group_id = await trail(day, is_managed=True)
    await day.hand_cancel("stop")
    await day.wait(2)
    assert day.trader.groups.get(group_id) is None
    assert day.trader.groups.followed == frozenset()
    assert day.said("held without their stop")
    await day.quote("160", "160.02")
    await day.wait(2)
    assert day.ledger.live(AAPL) == ()
