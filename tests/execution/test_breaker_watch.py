"""Refusals and silence at the broker become a halt, which a person ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, TradingState
from ibkr_trader.core.models import Contract, GroupId
from tests.execution import parts
from tests.execution.parts import Floor
from tests.limits import roomy
from tests.orders.samples import AAPL, MSFT, spec

if TYPE_CHECKING:
    from ibkr_trader.execution.trader import Trader

BREAKING = roomy(max_rejects_per_symbol=3, max_rejects=5, max_unknown=2)
_NUMBERS = iter(range(100, 10_000))


@pytest.fixture(autouse=True)
def _breaking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "LIMITS", BREAKING)


def order(
    trader: Trader,
    end: type[ev.RejectEvent | ev.UnknownEvent],
    contract: Contract = AAPL,
    role: OrderRole = OrderRole.SINGLE,
) -> None:
    """Write an order down, and let it end so."""
    number, now = next(_NUMBERS), trader.clock.now()
    what = spec(
        role,
        group=GroupId(f"k7qav-{number}"),
        contract=contract,
        broker_order_id=number,
    )
    new = ev.NewOrderEvent(at=now, order_id=what.order_id, spec=what)
    if end is ev.RejectEvent:
        news: ev.OrderEvent = ev.RejectEvent(at=now, order_id=what.order_id, code=201, reason="no")
    else:
        news = ev.UnknownEvent(at=now, order_id=what.order_id, reason="silence")
    trader.record.witness([new, news])


def halts(journal: MemoryJournal) -> list[tuple[str, TradingState, str]]:
    found = [message for _, message in journal.messages() if isinstance(message, ev.StateEvent)]
    return [(event.symbol, event.state, event.origin) for event in found]


OFF = ("AAPL", TradingState.HALTED, "rejects")
SAFE = ("", TradingState.REDUCING, "rejects")


async def test_three_refusals_put_a_symbol_off_and_five_the_desk() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        for _ in range(2):
            order(trader, ev.RejectEvent)
        assert halts(journal) == []
        order(trader, ev.RejectEvent)
        assert halts(journal) == [OFF]
        (event,) = trader.outlook.book.switch.held.values()
        assert event.reason == "3 orders in AAPL were refused by the broker within 60 s"
        assert event.keeps_entries
        assert trader.outlook.view().trading_state is TradingState.ACTIVE
        order(trader, ev.RejectEvent, MSFT)
        order(trader, ev.RejectEvent, MSFT)
        assert halts(journal) == [OFF, SAFE]
        assert trader.outlook.view().trading_state is TradingState.REDUCING
        order(trader, ev.RejectEvent, MSFT)
        assert halts(journal) == [OFF, SAFE, ("MSFT", TradingState.HALTED, "rejects")]


async def test_two_unanswered_commands_put_the_desk_off() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        order(trader, ev.UnknownEvent)
        assert halts(journal) == []
        order(trader, ev.UnknownEvent)
        assert halts(journal) == [("", TradingState.REDUCING, "unknown")]


async def test_refused_exits_halt_nothing() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        for _ in range(6):
            order(trader, ev.RejectEvent, role=OrderRole.STOP)
        assert halts(journal) == []


async def test_slowly_is_no_trouble() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        for _ in range(6):
            order(trader, ev.RejectEvent)
            floor.clock.advance(31)
        assert halts(journal) == []


async def test_the_halt_outlives_the_process_and_the_strikes_its_checkpoint() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    for _ in range(3):  # a command each, as from the shell
        async with floor.trader(journal=journal) as trader:
            order(trader, ev.RejectEvent)
        floor.clock.advance(1)
    assert halts(journal) == [OFF]
    floor.clock.advance(3600)
    async with floor.trader(journal=journal) as trader:
        assert "AAPL" in trader.outlook.book.switch.held


async def test_who_resumes_begins_anew() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        for _ in range(3):
            order(trader, ev.RejectEvent)
        resumed = ev.StateEvent(
            at=floor.clock.now(), state=TradingState.ACTIVE, reason="seen", symbol="AAPL"
        )
        trader.record.write([resumed])
        order(trader, ev.RejectEvent)
        order(trader, ev.RejectEvent)
        assert not trader.outlook.book.switch.held
        order(trader, ev.RejectEvent)
        assert "AAPL" in trader.outlook.book.switch.held
