"""The guardian keeps positions covered, and takes away what could turn them round."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderRole, OrderStatus, OrderType, Side, TimeInForce
from ibkr_trader.core.models import Order
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.guardian import Duty, open_markets
from ibkr_trader.execution.placing import Wait
from ibkr_trader.orders.cover_orders import CoverRules, Policy
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.sim.orders import OrderTerms
from tests.execution.parts import AAPL, FallibleBroker, Floor, request
from tests.orders.samples import values
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.models import Contract
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.portfolio.state import PortfolioState

QUICK = CoverRules(policy=Policy.ATTACH, grace=timedelta(seconds=5))


class Stranger:
    """A person at TWS: trades on the same account, at another desk."""

    def __init__(self, floor: Floor, trader: Trader) -> None:
        self.floor, self.trader, self.number = floor, trader, 0

    def rest(self, action: str, quantity: int, **terms: object) -> None:
        """Place an order that is not ours, and have it reported."""
        self.number += 1
        what = OrderTerms(con_id=AAPL, action=action, quantity=Decimal(quantity), **terms)  # type: ignore[arg-type]  # terms of every kind
        self.floor.exchange.place(7, self.number, terms=what, now=self.floor.clock.now())

    def trade(self, action: str, quantity: int) -> None:
        """Trade at a limit that the market comes to, and goes away from again."""
        sign = 1 if action == "SELL" else -1
        limit = Decimal("150.00") + sign * Decimal("0.02")
        self.rest(action, quantity, order_type="LMT", limit_price=limit)
        low, high = sorted((limit, limit + sign * Decimal("0.02")))
        self.floor.move(self.trader, str(low), str(high))
        self.floor.move(self.trader, "149.99", "150.01")


@asynccontextmanager
async def guarded(
    floor: Floor,
    rules: CoverRules = QUICK,
    duty: Duty = Duty.FULL,
    journal: MemoryJournal | None = None,
) -> AsyncIterator[tuple[Trader, Stranger]]:
    async with floor.trader(protection=rules, duty=duty, journal=journal) as trader:
        yield trader, Stranger(floor, trader)


async def soon(
    floor: Floor, trader: Trader, is_so: Callable[[PortfolioState], bool], *, seconds: float
) -> None:
    """Let exchange time pass in steps until `is_so`, for `seconds` at most."""
    steps = min(10, round(seconds * 10))
    for _ in range(steps):
        if await trader.until(lambda portfolio: is_so(portfolio) or None, timeout=0.02):
            return
        floor.clock.advance(seconds / steps)
        await trader.guardian.look()
    assert await trader.until(lambda portfolio: is_so(portfolio) or None, timeout=0.5)


def stops(trader: Trader) -> list[Order]:
    return [o for o in trader.portfolio.orders.values() if o.spec.role is OrderRole.STOP]


async def test_exits_of_a_position_closed_by_hand_are_gone_within_a_second() -> None:
    floor = Floor()
    said: list[str] = []
    async with guarded(floor) as (trader, stranger):
        trader.bus.subscribe(ev.GroupEvent, lambda event: said.append(event.message))
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        stranger.trade("SELL", 10)
        await soon(floor, trader, lambda p: not p.positions, seconds=0)
        await soon(floor, trader, lambda p: not p.orders, seconds=0.9)
        assert not trader.portfolio.positions
        await soon(floor, trader, lambda _: not trader.groups.open_ids, seconds=20)
        assert not [word for word in said if "without a stop" in word]


async def test_a_stop_that_triggers_later_finds_nothing_to_turn_round() -> None:
    """F-D09: half a second after the close by hand the stop's price comes."""
    floor = Floor()
    async with guarded(floor) as (trader, stranger):
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        stranger.trade("SELL", 10)
        await soon(floor, trader, lambda p: not p.positions, seconds=0)
        await soon(floor, trader, lambda p: not p.orders, seconds=0.5)
        floor.move(trader, "139.99", "140.01")
        await trader.recovery.synchronize()
        assert not trader.portfolio.positions


async def test_what_a_lost_link_may_have_lost_is_taken_away_on_the_next_at_once() -> None:
    floor, lost = Floor(), []

    async def lose(command: Command) -> None:
        lost.append(command)

    async with guarded(floor) as (trader, stranger):
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        vars(trader.router)["route"] = lose
        stranger.trade("SELL", 10)
        await soon(floor, trader, lambda p: not p.positions, seconds=0)
        await soon(floor, trader, lambda _: len(lost) == 2, seconds=0.9)
        await soon(floor, trader, lambda _: True, seconds=0.9)
        assert len(lost) == 2  # it is patient while the link stands
        at = floor.clock.now()
        for event in (
            ev.DisconnectEvent(at=at, epoch=1, reason="gone"),
            ev.ConnectEvent(at=at, epoch=2),
            ev.SyncEvent(at=at, epoch=2),
        ):
            trader.bus.publish(event)
        await trader.guardian.look()
        assert lost[2:] == lost[:2]


async def test_exits_of_a_position_reduced_by_hand_are_cut_and_stay() -> None:
    floor = Floor()
    async with guarded(floor) as (trader, stranger):
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        stranger.trade("SELL", 4)
        await soon(floor, trader, lambda p: p.positions[AAPL].quantity == 6, seconds=0)
        await soon(floor, trader, lambda p: sizes(p) == {6}, seconds=0.9)
        await soon(floor, trader, lambda p: len(p.orders) == 2, seconds=0)
        for _ in range(30):
            floor.clock.advance(1)
            await trader.guardian.look()
        assert sizes(trader.portfolio) == {6}


async def test_a_position_turned_round_by_hand_keeps_no_exit_and_is_called_naked() -> None:
    floor = Floor()
    said: list[str] = []
    async with guarded(floor) as (trader, stranger):
        trader.bus.subscribe(ev.CoverEvent, lambda event: said.append(event.message))
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        stranger.trade("SELL", 15)
        await soon(floor, trader, lambda p: p.positions[AAPL].quantity == -5, seconds=0)
        await soon(floor, trader, lambda p: not p.orders, seconds=0.9)
        await soon(floor, trader, lambda _: len(said) == 3, seconds=6)
        assert "5 of 5 AAPL are held without a stop" in said[-1]
        assert "not all was opened here" in said[-1]
        assert not trader.portfolio.orders


async def test_what_we_bought_without_a_stop_gets_one_after_the_grace() -> None:
    floor = Floor()
    async with guarded(floor) as (trader, _):
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        await soon(floor, trader, lambda p: bool(p.orders), seconds=8)
        (stop,) = stops(trader)
        assert values(stop.spec.quantity, stop.spec.stop_price) == (10, Decimal("142.51"))
        assert stop.spec.time_in_force is TimeInForce.GTC
        await soon(floor, trader, lambda p: next(iter(p.orders.values())).status.is_open, seconds=1)
        await trader.guardian.look()
        assert trader.guardian.policy.watches == {}


async def test_a_stop_that_grows_covers_what_was_added() -> None:
    floor = Floor()
    async with guarded(floor) as (trader, _):
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        await soon(floor, trader, lambda p: bool(p.orders), seconds=8)
        await Desk(trader).submit_order(request(5), wait=Wait.FILLED)
        await soon(floor, trader, lambda p: sizes(p) == {15}, seconds=8)
        assert len(stops(trader)) == 1


async def test_a_stop_that_a_person_cancels_is_only_called_out() -> None:
    floor = Floor()
    said: list[str] = []
    async with guarded(floor) as (trader, _):
        trader.bus.subscribe(ev.CoverEvent, lambda event: said.append(event.message))
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        for order in stops(trader):
            await Desk(trader).cancel_order(order.order_id)
        await soon(floor, trader, lambda _: len(said) >= 2, seconds=12)
        assert "was cancelled on request" in said[-1]
        assert stops(trader) == []


async def test_flatten_ends_what_no_stop_covers() -> None:
    floor = Floor()
    rules = CoverRules(policy=Policy.FLATTEN)
    async with guarded(floor, rules) as (trader, _):
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        await soon(floor, trader, lambda p: not p.positions, seconds=8)


async def test_a_command_takes_away_surplus_at_once_and_never_attaches() -> None:
    floor = Floor()
    async with guarded(floor, duty=Duty.NONE) as (trader, stranger):
        await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        stranger.trade("SELL", 10)
        await soon(floor, trader, lambda p: not p.positions, seconds=0)
        await soon(floor, trader, lambda p: len(p.orders) == 2, seconds=2)
        journal = trader.journal
    assert isinstance(journal, MemoryJournal)
    async with floor.trader(journal=journal, duty=Duty.TRIM) as trader:
        # Before the command's own work begins.
        live = trader.portfolio.orders.values()
        assert {order.status for order in live} <= {OrderStatus.PENDING_CANCEL}
        assert await trader.until(lambda p: not p.orders or None, timeout=2)
    floor.clock.advance(60)
    async with guarded(floor, duty=Duty.TRIM, journal=journal) as (trader, _):
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        await soon(floor, trader, lambda p: len(p.orders) == 0, seconds=0)
        floor.clock.advance(60)
        await trader.guardian.look()
        assert not trader.portfolio.orders


async def test_a_single_exit_is_still_known_as_one_after_a_restart() -> None:
    floor = Floor()
    async with guarded(floor, duty=Duty.NONE) as (trader, stranger):
        desk = Desk(trader)
        await desk.submit_order(request(), wait=Wait.FILLED)
        await desk.submit_order(request(side=Side.SELL, limit="160.00"))
        stranger.trade("SELL", 10)
        await soon(floor, trader, lambda p: not p.positions, seconds=0)
        journal = trader.journal
    assert isinstance(journal, MemoryJournal)
    async with floor.trader(journal=journal) as trader:
        assert await trader.until(lambda p: not p.orders or None, timeout=2)


async def test_one_errand_waits_for_each_contract_however_long_the_first_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A market that tells no price must not fill the line: what comes next would wait for hours."""
    floor, begun, gate = Floor(), list[str](), asyncio.Event()

    async def slow(_: Trader, contract: Contract, *, timeout: float, opens: bool) -> None:
        del timeout, opens
        begun.append(contract.symbol)
        await gate.wait()

    async with guarded(floor) as (trader, _):
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        monkeypatch.setattr(type(trader), "study", slow)
        for _ in range(10):
            floor.clock.advance(6)
            await trader.guardian.look()
            await asyncio.sleep(0)
        assert len(begun) == 1
        trader.guardian.duty = Duty.NONE
        gate.set()
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(begun) == 2, "and not one for each look"


async def test_the_end_is_told_too() -> None:
    floor = Floor()
    said: list[str] = []
    async with guarded(floor, CoverRules()) as (trader, stranger):
        trader.bus.subscribe(ev.CoverEvent, lambda event: said.append(event.message))
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        await soon(floor, trader, lambda _: len(said) == 2, seconds=8)
        stranger.trade("SELL", 10)
        await soon(floor, trader, lambda _: "AAPL is closed after" in said[-1], seconds=2)
        assert trader.guardian.policy.watches == {}


async def test_what_is_denied_or_cannot_be_sent_is_said() -> None:
    floor = Floor()
    said: list[str] = []
    guard = RiskGuard(extra=(lambda spec: spec.order_type is not OrderType.STOP,))
    async with floor.trader(guard=guard, protection=QUICK, duty=Duty.FULL) as trader:
        trader.bus.subscribe(ev.CoverEvent, lambda event: said.append(event.message))
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        await soon(floor, trader, lambda _: any("was denied" in word for word in said), seconds=8)
        assert not trader.portfolio.orders
    async with guarded(floor) as (trader, _):
        trader.bus.subscribe(ev.CoverEvent, lambda event: said.append(event.message))
        assert isinstance(trader.broker, FallibleBroker)
        trader.broker.is_gone = True
        await soon(floor, trader, lambda _: any("could not be" in word for word in said), seconds=8)


async def test_without_a_fresh_price_one_is_fetched_first() -> None:
    floor = Floor()
    async with guarded(floor) as (trader, _):
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        floor.clock.advance(60)
        assert open_markets(trader) == {}
        await soon(floor, trader, lambda p: bool(p.orders), seconds=10)


@pytest.mark.parametrize("hours", [6.5, 24.0])
async def test_nothing_is_placed_while_the_market_is_closed(hours: float) -> None:
    floor = Floor()
    async with guarded(floor) as (trader, _):
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        floor.clock.advance(hours * 3600)
        for _ in range(20):
            floor.clock.advance(1)
            await trader.guardian.look()
        assert not trader.portfolio.orders


def sizes(portfolio: PortfolioState) -> set[int]:
    return {int(o.spec.quantity) for o in portfolio.orders.values() if o.desired is None}
