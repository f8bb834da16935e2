"""Adding to a position: which group grows, what is refused, and when it counts as done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import ModifyOrder
from ibkr_trader.core.enums import OrderStatus, OrderType, Side
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.core.models import GroupId, OrderRequest
from ibkr_trader.execution.consent import asked_by
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.scaling import (
    NothingToScale,
    add,
    is_covered,
    may_join,
    prepare_addition,
)
from ibkr_trader.execution.trader import Trader
from ibkr_trader.orders.linked_orders import ScaleInRequest
from ibkr_trader.portfolio.ledger_fold import subject_of
from tests.execution.arming_stage import Person, live
from tests.execution.parts import AAPL, Floor, request
from tests.execution.test_guardian import Stranger, sizes, soon
from tests.scenarios.crash_child import bracket


def more(quantity: int = 5, *, limit: str = "") -> ScaleInRequest:
    return ScaleInRequest(
        symbol="AAPL",
        quantity=Decimal(quantity),
        limit_price=Decimal(limit) if limit else None,
    )


async def held(trader: Trader) -> None:
    """Hold ten under a bracket."""
    await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)


async def test_the_entry_joins_the_group_and_the_exits_follow() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await held(trader)
        addition = await prepare_addition(trader, more())
        assert addition.group is None
        assert addition.held == 10
        assert addition.command.kind == "bracket"
        (spec,) = addition.command.orders
        assert spec.order_id == "k7qav-1-entry.2"
        assert not addition.command.reduces
        entry, *exits = await add(trader, addition, wait=Wait.FILLED, timeout=5)
        assert entry.status is OrderStatus.FILLED
        assert [order.spec.quantity for order in exits] == [Decimal(15), Decimal(15)]
        assert {order.desired for order in exits} == {None}  # the broker has said so
        assert is_covered(trader.portfolio, AAPL)


async def test_beside_exits_whose_size_is_somebody_s_own_it_brings_its_own() -> None:
    """Such exits do not follow: what is added would have no stop."""
    floor = Floor()
    async with floor.trader() as trader:
        await held(trader)
        Stranger(floor, trader).trade("SELL", 4)
        await soon(floor, trader, lambda now: now.positions[AAPL].quantity == 6, seconds=0)
        await soon(floor, trader, lambda now: sizes(now) == {6}, seconds=0.9)
        entry, *_ = await Desk(trader).submit_group(more(7), wait=Wait.FILLED)
        assert entry.spec.group_id == "k7qav-2"
        assert trader.portfolio.positions[AAPL].quantity == 13
        assert is_covered(trader.portfolio, AAPL)


async def test_an_entry_that_waits_changes_no_exit() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await held(trader)
        addition = await prepare_addition(trader, more(limit="149.00"))
        entry, *exits = await add(trader, addition, wait=Wait.ACCEPTED, timeout=5)
        assert entry.status is OrderStatus.SUBMITTED
        assert [order.spec.quantity for order in exits] == [Decimal(10), Decimal(10)]


async def test_a_denial_sends_nothing() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await held(trader)
        addition = await prepare_addition(trader, more(5000))
        with pytest.raises(RiskCheckError):
            await add(trader, addition, wait=Wait.FILLED, timeout=5)
        assert len(trader.portfolio.orders) == 2


async def test_nonsense_is_refused_before_anybody_is_asked() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        with pytest.raises(ValueError, match="quantity"):
            await prepare_addition(trader, more(0))


async def test_nothing_held_is_nothing_to_add_to() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        with pytest.raises(NothingToScale, match="nothing is held in AAPL") as caught:
            await prepare_addition(trader, more())
        assert caught.value.hint.startswith("ibkr-trader bracket-order --symbol AAPL --quantity 5")
        assert is_covered(trader.portfolio, AAPL)


async def test_an_entry_that_has_not_traded_is_changed_and_not_added_to() -> None:
    """Its exits sleep: they would protect nothing of what is added."""
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_group(bracket(limit=Decimal("149.00")))
        with pytest.raises(NothingToScale, match="k7qav-1-entry still waits") as caught:
            await prepare_addition(trader, more())
        assert caught.value.hint == "ibkr-trader modify k7qav-1-entry --quantity N"


async def test_beside_an_entry_that_still_fills_it_brings_its_own() -> None:
    """Until it is complete, its exits may be as large as it has become and no larger."""
    floor = Floor()
    async with floor.trader() as trader:
        floor.quote(bid="148.98", ask="149.00", size=4)
        await Desk(trader).submit_group(bracket(limit=Decimal("149.00")))
        floor.quote(bid="149.98", ask="150.00")
        assert trader.portfolio.positions[AAPL].quantity == 4
        entry, *_ = await Desk(trader).submit_group(more(3), wait=Wait.FILLED)
        assert entry.spec.group_id == "k7qav-2"
        assert is_covered(trader.portfolio, AAPL)


async def test_an_exit_that_was_left_behind_is_no_entry_to_change() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        entry, *_ = await Desk(trader).submit_group(bracket(limit=Decimal("149.00")))
        portfolio = trader.portfolio
        orders = {key: one for key, one in portfolio.orders.items() if key != entry.order_id}
        trader.outlook.portfolio = msgspec.structs.replace(portfolio, orders=orders)
        with pytest.raises(NothingToScale, match="an order still waits") as caught:
            await prepare_addition(trader, more())
        assert caught.value.hint == "ibkr-trader orders"


async def test_what_nothing_protects_is_not_added_to() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        with pytest.raises(NothingToScale, match="10 AAPL are held without a stop") as caught:
            await prepare_addition(trader, more())
        assert caught.value.hint == "ibkr-trader trailing-stop --symbol AAPL"
        assert not is_covered(trader.portfolio, AAPL)


async def test_exits_that_cannot_follow_get_company() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        desk = Desk(trader)
        await desk.submit_order(request(), wait=Wait.FILLED)
        stop = OrderRequest(
            symbol="AAPL",
            side=Side.SELL,
            quantity=Decimal(10),
            order_type=OrderType.STOP,
            stop_price=Decimal(145),
        )
        await desk.submit_order(stop)
        addition = await prepare_addition(trader, more())
        assert addition.group is not None
        assert addition.group.group_id == "k7qav-3"
        assert [spec.quantity for spec in addition.command.orders] == [Decimal(5), Decimal(5)]
        entry, *exits = await add(trader, addition, wait=Wait.FILLED, timeout=5)
        assert entry.status is OrderStatus.FILLED
        assert [order.order_id for order in exits] == ["k7qav-3-stop"]
        assert is_covered(trader.portfolio, AAPL)


# -- between the look and the send -----------------------------------------------------------


async def sell_by_hand(floor: Floor, trader: Trader) -> None:
    """Have a person sell four of ten in TWS: the guardian cuts the exits to what is left."""
    Stranger(floor, trader).trade("SELL", 4)
    await soon(floor, trader, lambda now: now.positions[AAPL].quantity == 6, seconds=0)
    await soon(floor, trader, lambda now: sizes(now) == {6}, seconds=0.9)


async def reach_the_target(floor: Floor, trader: Trader) -> None:
    """Have the position end; its group goes with it."""
    floor.move(trader, "156.00", "156.02")
    assert await trader.until(lambda _: not trader.groups.open_ids or None, timeout=2)


@pytest.mark.parametrize("happens", [sell_by_hand, reach_the_target])
async def test_exits_that_stop_following_before_it_is_sent_keep_it_back(
    happens: Callable[[Floor, Trader], Awaitable[None]],
) -> None:
    """Else it would fill beside them, or into a group that nobody looks after any more."""
    floor = Floor()
    async with floor.trader() as trader:
        await held(trader)
        addition = await prepare_addition(trader, more())
        await happens(floor, trader)
        with pytest.raises(NothingToScale, match="k7qav-1 would not follow any more") as caught:
            await add(trader, addition, wait=Wait.FILLED, timeout=2)
        assert caught.value.hint.startswith("repeat the command")
        assert trader.portfolio.order(addition.command.orders[0].order_id) is None


class Slow(Person):
    """Somebody who has the exits sized, elsewhere, before they agree."""

    def __init__(self, trader: Trader) -> None:
        super().__init__()
        self.trader = trader

    async def ask_typed(self, question: str, expected: str) -> None:
        await super().ask_typed(question, expected)
        for order in tuple(self.trader.portfolio.orders.values()):
            if order.spec.role.is_protective:
                smaller = ModifyOrder(order_id=order.order_id, quantity=Decimal(6), origin="cli")
                await self.trader.router.route(smaller)


async def test_what_happens_while_a_person_is_asked_counts() -> None:
    async with live() as desk:
        trader = desk.trader
        with asked_by(Person()):
            await held(trader)
        addition = await prepare_addition(trader, more())
        assert addition.group is None
        person = Slow(trader)
        with asked_by(person), pytest.raises(NothingToScale, match="nothing was sent"):
            await add(trader, addition, wait=Wait.FILLED, timeout=2)
        assert len(person.asked) == 1
        assert trader.portfolio.positions[AAPL].quantity == 10


async def test_a_person_is_asked_once() -> None:
    async with live() as desk:
        with asked_by(Person()):
            await held(desk.trader)
        person = Person()
        with asked_by(person):
            await Desk(desk.trader).submit_group(more(), wait=Wait.FILLED)
        assert len(person.asked) == 1
        assert desk.trader.portfolio.positions[AAPL].quantity == 15


async def test_a_group_that_is_wrong_about_what_is_held_is_not_joined() -> None:
    """It enlarges nothing any more, though its exits would let it."""
    floor = Floor()
    async with floor.trader() as trader:
        await held(trader)
        assert may_join(trader, GroupId("k7qav-1"))
        subject = subject_of(trader.portfolio.positions[AAPL].contract)
        at = trader.clock.now()
        trader.record.witness([ev.DriftEvent(at=at, subject=subject, ours="10", theirs="40")])
        assert not may_join(trader, GroupId("k7qav-1"))
