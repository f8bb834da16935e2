"""The second one of an order that the broker has twice: told, asked away, and looked after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderRole, OrderStatus, TradingState
from ibkr_trader.core.ids import twin_id
from ibkr_trader.core.models import GroupId
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.portfolio.twins import named
from tests.execution.parts import Floor
from tests.orders.samples import spec

if TYPE_CHECKING:
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.portfolio.state import PortfolioState

STOP = spec(OrderRole.STOP, group=GroupId("k7qav-17"))
TWIN = named(STOP, twin_id(9))


def accept(trader: Trader, *, from_snapshot: bool = False) -> None:
    now = trader.clock.now()
    told = ev.AcceptEvent(
        at=now, order_id=TWIN.order_id, spec=TWIN, perm_id=9, from_snapshot=from_snapshot
    )
    trader.record.witness([told])


async def asked(trader: Trader) -> list[CancelOrder]:
    """Let the watch act, and return the cancels on record."""
    await trader.until(_is_leaving, timeout=0.3)
    journal = (message for _, message in trader.journal.messages())
    return [one for one in journal if isinstance(one, CancelOrder)]


def _is_leaving(portfolio: PortfolioState) -> bool | None:
    order = portfolio.order(TWIN.order_id)
    return True if order is None or order.status is not OrderStatus.PRESUBMITTED else None


async def test_a_twin_that_the_wire_tells_of_is_told_and_asked_away() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        told: list[ev.DriftEvent] = []
        trader.bus.subscribe(ev.DriftEvent, told.append)
        accept(trader)
        accept(trader)
        assert [one.subject for one in told] == [STOP.order_id], "once"
        assert trader.outlook.view().trading_state is TradingState.REDUCING
        (first, *_) = await asked(trader)
        assert first.order_id == TWIN.order_id


async def test_of_a_twin_in_a_snapshot_reconciliation_tells() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        told: list[ev.DriftEvent] = []
        trader.bus.subscribe(ev.DriftEvent, told.append)
        accept(trader, from_snapshot=True)
        assert told == []
        assert await asked(trader)


@pytest.mark.parametrize("how", ["looks only", "is another order", "is another client's"])
async def test_nothing_is_asked_away_by_who_only_looks_nor_what_is_no_twin(how: str) -> None:
    floor = Floor()
    async with floor.trader() as trader:
        if how == "looks only":
            trader.guardian.duty = Duty.NONE
            accept(trader)
        elif how == "is another client's":  # its number may be that of another order of ours
            trader.client_id = 1
            now, theirs = trader.clock.now(), msgspec.structs.replace(TWIN, broker_order_id=900)
            told = ev.AcceptEvent(
                at=now, order_id=TWIN.order_id, spec=theirs, perm_id=9, client_id=7
            )
            trader.record.witness([told])
        else:
            now = trader.clock.now()
            own = ev.AcceptEvent(at=now, order_id=STOP.order_id, spec=STOP, perm_id=5)
            trader.record.witness([own])
        assert await asked(trader) == []
