"""Coverage as an invariant: judged by the exchange, while a person at TWS trades beside us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core.enums import Side, TimeInForce
from ibkr_trader.core.events import CoverEvent
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.undoing import AlreadyUndone, carry_out, plan
from ibkr_trader.orders.cover_orders import Policy
from tests.bad_days.judges import ZERO, most_exits, nakedness
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL, Day, a_day
from tests.orders.samples import values

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path

T_COVER = 1.0  # seconds of the exchange's, from the news to the broker having none of it
STEP = 0.1


def surplus(day: Day) -> Decimal:
    """Return what our exits of the long position could sell beyond it."""
    exits = [order for order in day.ledger.live(AAPL) if order.side is Side.SELL]
    return max(ZERO, most_exits(exits) - max(ZERO, day.ledger.held(AAPL)))


async def within_a_second(day: Day) -> None:
    """Let a second pass, or less: then no exit may be left that nothing stands behind."""
    assert surplus(day)
    for _ in range(round(T_COVER / STEP)):
        if not surplus(day):
            return
        await day.wait(STEP, step=STEP)
    assert not surplus(day)


@pytest.mark.parametrize("sold", [4, 10, 15])
async def test_t_cover_exits_follow_what_is_closed_by_hand(day: Day, sold: int) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await day.quiet()
    await day.hand_order(Side.SELL, sold)
    await within_a_second(day)
    held = day.ledger.held(AAPL)
    assert held == 10 - sold
    assert (nakedness(day, AAPL) == "") is (held >= 0)
    await day.gap("140")  # whatever stop is left ends what is held, and no more
    await day.wait(2)
    assert day.ledger.held(AAPL) == min(held, 0)


async def test_exits_left_behind_while_nobody_was_there_go_at_the_start(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk() as desk:
            await desk.submit_group(bracket(), wait=Wait.FILLED)
            await day.quiet()
        await day.hand_close()
        async with day.open_desk():
            await within_a_second(day)
            assert day.ledger.live(AAPL) == ()


@pytest.mark.parametrize("sold", [4, 9])
async def test_what_is_left_of_a_position_gets_its_lost_stop_back_in_its_size(
    tmp_path: Path, sold: int
) -> None:
    """While nobody was there a person took the stop away, and sold a part: the rest is not sold."""
    async with a_day(tmp_path) as day:
        async with day.open_desk() as desk:
            await desk.submit_group(bracket(), wait=Wait.FILLED)
            await day.quiet()
        await day.hand_cancel("stop")
        await day.hand_close(sold)
        async with day.open_desk():
            await day.wait(3, step=0.25)
            assert day.ledger.held(AAPL) == 10 - sold
            assert nakedness(day, AAPL) == ""
            assert surplus(day) == 0
            await day.gap("140")
            await day.wait(12)
            assert day.ledger.held(AAPL) == 0
            assert day.trader.groups.open_ids == ()


async def test_a_lone_stop_that_expires_is_missed_and_replaced(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day, day.open_desk(policy=Policy.ATTACH) as desk:
        await desk.submit_order(single(), wait=Wait.FILLED)
        stop = single(side=Side.SELL, stop="145")
        assert stop.time_in_force is TimeInForce.DAY
        placed = await desk.submit_order(stop)
        await day.quiet()
        assert nakedness(day, AAPL) == ""
        await day.others(
            lambda now: day.exchange.broker_acts.time_out(placed.perm_id, reason="", now=now)
        )
        assert nakedness(day, AAPL)
        await day.until(lambda: nakedness(day, AAPL) == "", within=8)
        told = [event.message for event in day.news(CoverEvent)]
        assert any("without a stop since" in message for message in told)
        await day.until(lambda: "covered again" in day.news(CoverEvent)[-1].message, within=2)


async def test_undo_brings_the_exits_back_once_sized_to_what_is_left(day: Day) -> None:
    orders = await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    for order in orders[1:]:
        await day.desk.cancel_order(order.order_id)
    await day.hand_order(Side.SELL, 3)
    await day.wait(2)
    assert values(day.ledger.held(AAPL), day.ledger.live(AAPL)) == (7, ())
    found = await plan(day.trader)
    for piece in found.pieces:
        await carry_out(day.trader, found, piece, timeout=10)
    await day.quiet()
    assert (nakedness(day, AAPL), int(surplus(day))) == ("", 0)
    with pytest.raises(AlreadyUndone):
        await plan(day.trader)
    assert len(day.ledger.live(AAPL)) == 2
    await day.gap("140")
    await day.wait(1)
    assert values(day.ledger.held(AAPL), day.ledger.live(AAPL)) == (0, ())
