"""Flat, whatever fills on the way, and nothing that could open."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, Side, TradingState
from ibkr_trader.execution import halter
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.killing import await_no_openers, flatten, holding, opening
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.trader import Trader
from tests.execution.parts import INSTALL, FallibleBroker, Floor, request
from tests.scenarios.crash_child import bracket


async def test_what_could_open_and_what_is_held_by_symbol() -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        await desk.submit_group(bracket(), wait=Wait.FILLED)
        order = await desk.submit_order(
            msgspec.structs.replace(request(3, limit="380.00"), symbol="MSFT")
        )
        portfolio = trader.portfolio
        assert [one.order_id for one in opening(portfolio)] == [order.order_id]
        assert [len(opening(portfolio, name)) for name in ("MSFT", "AAPL")] == [1, 0]
        assert [len(holding(portfolio, name)) for name in ("", "MSFT", "AAPL")] == [1, 0, 1]


async def test_waiting_for_what_does_not_go_ends() -> None:
    async with Floor().trader() as trader:
        await Desk(trader).submit_order(request(3, limit="149.00"))
        await await_no_openers(trader, timeout=0.05)
        assert opening(trader.portfolio)


async def fill_another(trader: Trader) -> None:
    other = msgspec.structs.replace(request(4, side=Side.SELL), symbol="MSFT")
    await Desk(trader).submit_order(other, wait=Wait.FILLED)


async def test_what_fills_while_another_is_closed_is_closed_too() -> None:
    async with Floor().trader() as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        study, is_late = trader.study, [True]

        async def late(*given: object, **more: object) -> object:
            if is_late.pop() if is_late else False:
                await fill_another(trader)
            return await study(*given, **more)  # type: ignore[arg-type] # passed on as it came

        trader.study = late  # type: ignore[method-assign,assignment] # an entry fills in this very moment
        closed = await flatten(trader, timeout=5)
        assert sorted(one.contract.symbol for one in closed) == ["AAPL", "MSFT"]
        assert not trader.portfolio.positions


async def test_one_that_cannot_be_closed_is_not_tried_for_ever() -> None:
    floor = Floor()
    told: list[str] = []
    async with floor.trader() as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        floor.clock.advance(6.5 * 3600)  # 16:30 in New York
        (one,) = await flatten(trader, timeout=5, tell=told.append)
        assert one.trouble is not None
        assert "is closed" in one.trouble.message
        assert len(told) == 2  # once begun, once refused
        assert holding(trader.portfolio) == (one.contract,)


# -- a promise outlives the process ----------------------------------------------------------------


async def promised(floor: Floor, journal: MemoryJournal, *, symbol: str = "") -> None:
    """Leave a halt on record that is to end flat, by a process that was killed right after it."""
    async with floor.trader(journal=journal) as trader:
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
    at = floor.clock.now()
    event = ev.StateEvent(
        at=at, state=TradingState.HALTED, reason="odd", symbol=symbol, flattens=True
    )
    journal.append([event])


def halts(journal: MemoryJournal) -> list[tuple[str, bool]]:
    found = (message for _, message in journal.messages())
    return [(e.symbol, e.flattens) for e in found if isinstance(e, ev.StateEvent)]


async def flat(trader: Trader) -> bool:
    return bool(
        await trader.until(lambda p: not (p.positions or p.orders) or None, timeout=3)
        and await trader.until(lambda _: not promises(trader) or None, timeout=3)
    )


def promises(trader: Trader) -> list[str]:
    return [key for key, one in trader.outlook.book.switch.held.items() if one.flattens]


@pytest.mark.parametrize("symbol", ["", "AAPL"])
async def test_the_next_process_keeps_a_promise_once(symbol: str) -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    await promised(floor, journal, symbol=symbol)
    async with floor.trader(journal=journal) as trader:
        assert await flat(trader)
        assert trader.outlook.book.switch.held[symbol].reason == "odd", "it is halted still"
    assert halts(journal) == [(symbol, True), (symbol, False)]
    floor.clock.advance(60)
    floor.sell_as_another_client(7, limit="149.00")  # somebody trades by hand: that is his
    for _ in range(2):
        async with floor.trader(journal=journal) as trader:
            await asyncio.sleep(2 * halter.LOOK)
            assert [int(p.quantity) for p in trader.portfolio.positions.values()] == [-7]


async def test_a_promise_survives_a_mark_and_who_only_looks() -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    await promised(floor, journal)
    for _ in range(2):
        async with floor.trader(journal=journal, duty=Duty.NONE) as trader:
            await asyncio.sleep(2 * halter.LOOK)
            assert holding(trader.portfolio)
            assert promises(trader) == [""]
    async with floor.trader(journal=journal) as trader:
        assert await flat(trader)


async def test_a_readonly_desk_closes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    await promised(floor, journal)
    async with floor.trader(journal=journal, duty=Duty.NONE) as trader:
        trader.guardian.duty = Duty.TRIM
        monkeypatch.setattr(type(trader.outlook), "is_readonly", property(lambda _: True))
        assert trader.halter.flattener.take() == []
        monkeypatch.undo()
        assert trader.halter.flattener.take() == [""]
        assert trader.halter.flattener.take() == []


async def test_a_promise_ends_with_its_halt() -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    await promised(floor, journal)
    async with floor.trader(journal=journal, duty=Duty.NONE) as trader:
        trader.halter.resume("on", origin="cli")
    async with floor.trader(journal=journal) as trader:
        await asyncio.sleep(2 * halter.LOOK)
        assert holding(trader.portfolio)


async def test_a_short_command_ends_after_what_it_has_begun() -> None:
    """Whatever it was about: it takes the promise up, and sees it through."""
    floor, journal = Floor(), MemoryJournal(INSTALL)
    await promised(floor, journal)
    begun = asyncio.Event()

    def slow(trader: Trader) -> None:
        study = trader.study

        async def studied(*given: object, **more: object) -> object:
            begun.set()
            for _ in range(100):  # the broker takes a while to answer
                await asyncio.sleep(0)
            return await study(*given, **more)  # type: ignore[arg-type] # passed on as it came

        trader.study = studied  # type: ignore[method-assign,assignment] # as above

    async with floor.trader(journal=journal, equip=slow) as trader:
        await begun.wait()
        trader.broker.close = lambda: None  # type: ignore[attr-defined] # the broker stays on
    assert not trader.portfolio.positions
    assert halts(journal)[-1] == ("", False)


async def test_who_halts_once_more_in_the_same_words_ends_no_promise() -> None:
    async with Floor().trader(duty=Duty.NONE) as trader:
        for flatten_too in (True, False):
            trader.halter.stop("odd", origin="cli", flatten=flatten_too)
        assert promises(trader) == [""]


async def test_what_cannot_be_closed_stays_promised_until_a_new_link() -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    await promised(floor, journal)
    floor.clock.advance(6.5 * 3600)  # 16:30 in New York
    async with floor.trader(journal=journal) as trader:
        troubles = await trader.until(lambda _: told(journal) or None, timeout=3)
        assert troubles == 1
        await asyncio.sleep(2 * halter.LOOK)
        assert told(journal) == 1, "it is told once"
        assert promises(trader) == [""]
        assert {o.spec.role for o in trader.portfolio.orders.values()} == {
            OrderRole.STOP, OrderRole.TARGET,
        }  # fmt: skip
        floor.clock.advance(3 * 86_400 - 6 * 3600)  # Monday, in the morning
        floor.move(trader, "149.99", "150.01")
        assert isinstance(trader.broker, FallibleBroker)
        trader.broker.open()  # a second epoch on the same broker
        assert await flat(trader)


async def test_whoever_asks_again_is_heard_again() -> None:
    floor, journal = Floor(), MemoryJournal(INSTALL)
    await promised(floor, journal)
    floor.clock.advance(6.5 * 3600)
    async with floor.trader(journal=journal) as trader:
        assert await trader.until(lambda _: told(journal) or None, timeout=3)
        for count in (2, 3):
            trader.halter.stop("again", origin="daily_loss", flatten=True)
            await trader.until(lambda _: told(journal) == count or None, timeout=3)  # noqa: B023 - waited for here
            assert told(journal) == count
    assert halts(journal) == [("", True)]


def told(journal: MemoryJournal) -> int:
    return sum(isinstance(message, ev.ErrorEvent) for _, message in journal.messages())
