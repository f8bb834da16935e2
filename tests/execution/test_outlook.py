"""The present picture: what it lets go of, and what it no longer trusts."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.models import Contract, Quote
from ibkr_trader.execution.bus import EventBus
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.outlook import Outlook, RiskSettings
from ibkr_trader.execution.placing import Wait
from tests.execution.parts import AAPL, Floor, request
from tests.orders.samples import values

DAY = 24 * 3600


@pytest.mark.parametrize(("age", "remembered"), [(DAY - 1, 1), (DAY + 1, 0)])
async def test_a_day_later_the_past_is_let_go_and_what_is_held_or_works_stays(
    age: int, remembered: int
) -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        desk = Desk(trader)
        await desk.submit_order(request(), wait=Wait.FILLED)
        resting = await desk.submit_order(request(limit="149.00"))
    floor.clock.advance(age)
    outlook = Outlook(
        bus=EventBus(),
        clock=floor.clock,
        account=trader.account,
        settings=RiskSettings(),
        market=trader.market,
    )
    outlook.replay(m for _, m in journal.messages() if isinstance(m, ev.BaseEvent))
    known = outlook.portfolio
    assert (len(known.fills), len(known.closed)) == (1, remembered), "it may be told again"
    held = tuple(known.positions.values())
    outlook.replay([ev.SyncEvent(at=floor.clock.now(), epoch=2, positions=held)])
    known = outlook.portfolio
    assert (len(known.fills), len(known.closed)) == (remembered, remembered)
    assert known.positions[AAPL].quantity == 10
    assert list(known.orders) == [resting.order_id]


async def test_checkpoints_do_not_grow_for_ever() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
    floor.clock.advance(5 * DAY)
    async with floor.trader(journal=journal):
        pass
    first, last = [m for _, m in journal.messages() if isinstance(m, ev.CheckpointEvent)]
    assert (len(first.fills), len(last.fills)) == (1, 0)
    assert [int(position.quantity) for position in last.positions or ()] == [10]


async def test_nor_do_they_in_a_process_that_runs_for_days() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        floor.clock.advance(DAY + 1)
        await trader.recovery.synchronize()
    (mark,) = [m for _, m in journal.messages() if isinstance(m, ev.CheckpointEvent)]
    assert mark.fills == ()
    assert [int(position.quantity) for position in mark.positions or ()] == [10]


async def test_a_quote_grows_older_until_it_is_given_again() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        details = await trader.learn("AAPL")
        await trader.price(details.contract, timeout=1)
        floor.clock.advance(3600)
        assert trader.outlook.view().quotes[AAPL].age == timedelta(hours=1)
        await trader.price(details.contract, timeout=1)
        assert trader.outlook.view().quotes[AAPL].age == timedelta(0)


async def test_a_price_from_before_a_lost_link_says_nothing_of_after_it() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        details = await trader.learn("AAPL")
        await trader.price(details.contract, timeout=1)
        lost = ev.DisconnectEvent(at=floor.clock.now(), epoch=1, reason="test")
        trader.record.witness([lost])
        assert trader.market.last_quote(AAPL) is not None
        assert AAPL not in trader.outlook.view().quotes


async def test_who_waits_for_a_gateway_that_restarts_says_so_until_its_window_ends() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        at, outlook = floor.clock.now(), trader.outlook
        until = at + timedelta(minutes=20)
        trader.record.witness([ev.DisconnectEvent(at=at, epoch=1, reason="EOF", until=until)])
        assert outlook.trading_state is TradingState.REDUCING
        words = f"not in sync with the broker: restart window until {until:%H:%M} UTC"
        assert outlook.view().state_reason == words
        floor.clock.advance(20 * 60)
        assert (outlook.view().state_reason, outlook.book.restarting) == (
            "not in sync with the broker",
            "",
        )
        floor.clock.jump(at)
        assert outlook.book.restarting == f"restart window until {until:%H:%M} UTC"
        trader.record.witness([ev.DisconnectEvent(at=at, epoch=1, reason="1100 lost")])
        assert outlook.book.restarting == ""


async def test_a_desk_that_is_degraded_only_reduces_until_it_is_not() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        trader.outlook.degrade("the disk is full")
        view = trader.outlook.view()
        assert (view.trading_state, view.state_reason) == (
            TradingState.REDUCING, "the disk is full",
        )  # fmt: skip
        trader.outlook.degrade("")
        assert trader.outlook.view().trading_state is TradingState.ACTIVE


async def test_a_desk_that_was_halted_is_not_opened_by_being_degraded() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        halted = ev.StateEvent(at=floor.clock.now(), state=TradingState.HALTED, reason="by hand")
        trader.record.witness([halted])
        trader.outlook.degrade("the disk is full")
        view = trader.outlook.view()
        assert (view.trading_state, view.state_reason) == (TradingState.HALTED, "by hand")


async def test_of_many_quotes_only_those_that_are_asked_for_are_made() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        details = await trader.learn("AAPL")
        await trader.price(details.contract, timeout=1)
        trader.outlook.confirm(999)  # asked for, and nobody has quoted it
        quotes = trader.outlook.view().quotes
        assert (list(quotes), len(quotes)) == ([AAPL], 1)
        assert 999 not in quotes
        assert quotes[AAPL] == dict(quotes)[AAPL]


@pytest.mark.parametrize("how", ["heard", "asked for"])
async def test_the_first_price_of_a_day_is_not_what_it_began_with(how: str) -> None:
    """Whoever asks for the day's result only later: a desk that only looks, say."""
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        outlook = trader.outlook
        now, known = floor.clock.now(), outlook.portfolio.positions[AAPL].contract
        trader.bus.publish(price_of(known, "150", now))
        assert outlook.pnl.since < now
        trader.bus.publish(price_of(known, "149", now))
        floor.clock.advance(DAY)
        later = price_of(known, "147", floor.clock.now())
        if how == "heard":
            trader.bus.publish(later)
        else:
            outlook.confirm(AAPL, later.quote)
        one = outlook.pnl.contracts[AAPL]
        assert values(one.basis, one.net) == (149, -20)


def price_of(contract: Contract, last: str, at: datetime) -> ev.PriceEvent:
    quote = Quote(contract=contract, at=at, last=Decimal(last), close=Decimal(151))
    return ev.PriceEvent(at=at, contract=contract, quote=quote)
