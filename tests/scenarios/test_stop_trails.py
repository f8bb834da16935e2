"""A bracket's stop that is let follow the market: a desk, the gateway over TCP, virtual time.

What is judged is the stop that works at the exchange; its target and its group stay what they are.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core.events import CheckpointEvent, TrailEvent
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.stop_trails import CannotTrail
from ibkr_trader.orders.linked_orders import ScaleInRequest
from ibkr_trader.orders.managed_trails import Trail
from tests.bad_days.requests import bracket
from tests.bad_days.stage import AAPL, Day, a_day
from tests.scenarios.trails import move

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ibkr_trader.core.models import Order, OrderId

BY_THREE = Trail(amount=Decimal(3))


@pytest.fixture
async def day(tmp_path: Path) -> AsyncIterator[Day]:
    async with a_day(tmp_path) as opened, opened.open_desk():
        yield opened


async def held(day: Day) -> None:
    """Hold ten AAPL between a stop at 145 and a target."""
    await day.accepted(bracket(target="170"))
    await day.quiet()


def the_stop(day: Day) -> Order:
    (order,) = [
        one
        for one in day.trader.portfolio.orders.values()
        if one.spec.stop_price is not None and not one.status.is_closed
    ]
    return order


def the_stop_of_ten(day: Day) -> OrderId:
    (order,) = [
        one
        for one in day.trader.portfolio.orders.values()
        if one.spec.stop_price == Decimal(145) and not one.status.is_closed
    ]
    return order.order_id


async def test_a_brackets_stop_follows_and_its_target_stays(day: Day) -> None:
    await held(day)
    assert await move(day, "152") == [145]
    day.trader.trails.let(the_stop(day), BY_THREE, origin="cli")
    assert await move(day, "152", "154", "151.5", "156") == [149, 151, 151, 153]
    assert len(day.ledger.live(AAPL)) == 2
    await day.quote("152.90", "152.92")
    await day.wait(2)
    assert day.ledger.held(AAPL) == 0
    assert day.ledger.live(AAPL) == (), "the target went with it, as in any bracket"
    assert day.trader.trails.kept() == ()


async def test_it_stays_where_it_is_once_that_is_ended(day: Day) -> None:
    await held(day)
    day.trader.trails.let(the_stop(day), BY_THREE, origin="cli")
    assert await move(day, "154") == [151]
    day.trader.trails.end(the_stop(day), origin="cli")
    assert await move(day, "158", "160") == [151, 151]
    assert day.trader.trails.kept() == ()
    with pytest.raises(CannotTrail, match="does not trail"):
        day.trader.trails.end(the_stop(day), origin="cli")
    day.trader.trails.let(the_stop(day), Trail(percent=Decimal(5)), origin="cli")
    assert await move(day, "161") == [Decimal("152.95")]
    day.trader.trails.end(the_stop(day), origin="cli")
    async with day.meanwhile():
        await day.desk.modify_order(the_stop(day).order_id, stop_price=Decimal(150))
    await day.wait(1)
    assert not day.said("moved by hand"), "nobody follows it any more: a hand is no news"


async def test_what_a_hand_has_moved_is_left_to_the_hand(day: Day) -> None:
    await held(day)
    day.trader.trails.let(the_stop(day), BY_THREE, origin="cli")
    assert await move(day, "154") == [151]
    await day.hand_modify("stop", stop_price=Decimal(148))
    assert await move(day, "156", "158") == [148, 148]
    assert day.said("moved by hand")


@pytest.mark.parametrize("by", ["checkpoint", "journal"])
async def test_a_restart_goes_on_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk() as desk:
            await held(day)
            day.trader.trails.let(the_stop(day), BY_THREE, origin="cli")
            assert await move(day, "154") == [151]
            if by == "checkpoint":
                desk.trader.recovery.checkpoint()
                (kept,) = [
                    one
                    for one in (m for m in desk.trader.journal.resume())
                    if isinstance(one, CheckpointEvent)
                ][-1].trails
                assert kept.plan["trail_amount"] == "3"
            else:
                monkeypatch.setattr(desk.trader.recovery, "checkpoint", lambda: None)
        await day.quote("153", "153.02")
        async with day.open_desk() as desk:
            contract = the_stop(day).spec.contract
            async with day.meanwhile():
                await desk.trader.price(contract, timeout=5)
            assert await move(day, "152.5", "155") == [151, 152]


@pytest.mark.parametrize("by", ["checkpoint", "journal"])
async def test_a_stop_that_a_person_has_loosened_does_not_trail_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk() as desk:
            await held(day)
            day.trader.trails.let(the_stop(day), BY_THREE, origin="cli")
            assert await move(day, "154") == [151]
            async with day.meanwhile():
                await desk.modify_order(the_stop(day).order_id, stop_price=Decimal(147))
            assert await move(day, "156") == [147]
            if by == "journal":
                monkeypatch.setattr(desk.trader.recovery, "checkpoint", lambda: None)
        async with day.open_desk() as desk:
            contract = the_stop(day).spec.contract
            async with day.meanwhile():
                await desk.trader.price(contract, timeout=5)
            assert await move(day, "156", "158") == [147, 147]
            assert desk.trader.trails.kept() == ()


async def test_its_group_goes_on_with_the_size(day: Day) -> None:
    await held(day)
    day.trader.trails.let(the_stop(day), BY_THREE, origin="cli")
    assert await move(day, "154") == [151]
    async with day.meanwhile():
        await day.desk.submit_group(
            ScaleInRequest(symbol="AAPL", quantity=Decimal(5)), wait=Wait.FILLED
        )
    await day.quiet()
    assert the_stop(day).spec.quantity == 15
    assert await move(day, "156") == [153]


async def test_only_a_plain_stop_of_ours_for_what_is_held_can_trail(day: Day) -> None:
    trails = day.trader.trails
    await held(day)
    target = next(one for one in day.trader.portfolio.orders.values() if one.spec.limit_price)
    with pytest.raises(CannotTrail, match="is a LIMIT order, and no plain stop"):
        trails.let(target, BY_THREE, origin="cli")
    entry, *exits = await day.accepted(bracket(5, limit="140", stop="130", target="175"))
    (waiting,) = [one for one in exits if one.spec.stop_price is not None]
    with pytest.raises(CannotTrail, match="once its entry has filled"):
        trails.let(waiting, BY_THREE, origin="cli")
    with pytest.raises(CannotTrail, match="no plain stop"):
        trails.let(entry, BY_THREE, origin="cli")
    own = the_stop_of_ten(day)
    async with day.meanwhile():
        await day.desk.cancel_order(own)
    with pytest.raises(CannotTrail, match="is CANCELLED"):
        trails.let(day.trader.portfolio.order(own) or entry, BY_THREE, origin="cli")
    assert not day.news(TrailEvent)
