"""What a person has decided about a stop outlives the process that heard of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.journal import SessionHeader, SqliteJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderType, Side, TimeInForce
from ibkr_trader.core.models import OrderRequest
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.placing import Wait
from ibkr_trader.orders.cover_orders import CoverRules, Policy
from tests.execution.parts import AAPL, Floor, request
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from ibkr_trader.execution.trader import Trader

FLATTEN = CoverRules(
    policy=Policy.FLATTEN,
    grace=timedelta(seconds=5),
    cover_foreign=True,  # or yesterday would excuse it
)
HOUR = 3600


def journal_in(folder: Path) -> SqliteJournal:
    """A journal that begins at its last checkpoint when it is read back, as on disk it does."""
    header = SessionHeader(version="1", config_hash="", command="test", user="test")
    return SqliteJournal(folder / "journal.db", clock=SystemClock(), header=header)


async def by_itself(trader: Trader) -> None:
    stop = OrderRequest(
        symbol="AAPL",
        side=Side.SELL,
        quantity=Decimal(10),
        order_type=OrderType.STOP,
        stop_price=Decimal(145),
        time_in_force=TimeInForce.GTC,
    )
    await Desk(trader).submit_order(request(), wait=Wait.FILLED)
    order = await Desk(trader).submit_order(stop)
    await Desk(trader).cancel_order(order.order_id)


async def of_a_bracket(trader: Trader) -> None:
    await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
    for order_id in tuple(trader.portfolio.orders):
        await Desk(trader).cancel_order(order_id)
    assert not trader.portfolio.orders


async def watched(floor: Floor, trader: Trader, seconds: int) -> None:
    for _ in range(seconds):
        floor.clock.advance(1)
        await trader.guardian.look()
        await asyncio.sleep(0)
    await trader.closer.idle()


@pytest.mark.parametrize("how", [by_itself, of_a_bracket])
@pytest.mark.parametrize("hours", [0, 1, 72])
async def test_a_position_left_without_a_stop_on_purpose_is_left_alone_after_a_restart(
    tmp_path: Path, how: Callable[[Trader], Awaitable[None]], hours: int
) -> None:
    """Flattened because the trader was started again: nobody would forgive that."""
    floor, said = Floor(), list[str]()
    with journal_in(tmp_path) as journal:
        async with floor.trader(journal=journal, protection=FLATTEN, duty=Duty.FULL) as trader:
            await how(trader)
            await watched(floor, trader, 20)
            assert AAPL in trader.portfolio.positions
    for _ in range(2):
        floor.clock.advance(hours * HOUR)
        with journal_in(tmp_path) as journal:
            async with floor.trader(journal=journal, protection=FLATTEN, duty=Duty.FULL) as trader:
                trader.bus.subscribe(ev.GroupEvent, lambda event: said.append(event.message))
                trader.bus.subscribe(ev.CloseRequestEvent, lambda event: said.append(event.origin))
                await watched(floor, trader, 20)
                assert AAPL in trader.portfolio.positions
                assert not [word for word in said if "rebuilt" in word or word == "cover"]


async def test_without_such_a_decision_the_next_process_acts(tmp_path: Path) -> None:
    floor = Floor()
    with journal_in(tmp_path) as journal:
        async with floor.trader(journal=journal, duty=Duty.NONE) as trader:
            await Desk(trader).submit_order(request(), wait=Wait.FILLED)
    with journal_in(tmp_path) as journal:
        async with floor.trader(journal=journal, protection=FLATTEN, duty=Duty.FULL) as trader:
            await watched(floor, trader, 20)
            assert await trader.until(lambda now: not now.positions or None, timeout=5)
