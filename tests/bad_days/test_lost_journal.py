"""Days on which the journal is gone, or older than the broker: what was ours is taken over, once.

Nothing is ever sent for it; afterwards the orders are cancelled, changed and counted as ever.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core.enums import OrderRole, OrderStatus, Side
from ibkr_trader.core.errors import RiskCheckError
from ibkr_trader.core.events import AdoptEvent
from ibkr_trader.execution import caring
from ibkr_trader.execution.closing import close_contract
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.reconciling import keep, moved_since
from ibkr_trader.execution.taking_over import CannotTakeOver, take_over
from ibkr_trader.orders.cover_orders import Policy
from ibkr_trader.orders.exit_levels import Wanted
from ibkr_trader.portfolio.plan_steps import StepKind
from tests.bad_days.judges import nakedness
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL, Day, a_day
from tests.bad_days.test_reconciling import NOW, applied, kinds, seen

if TYPE_CHECKING:
    from pathlib import Path

    from ibkr_trader.core.models import Order


def lose_journal(folder: Path) -> None:
    for path in folder.glob("journal*"):
        path.unlink()


def ours(day: Day, role: str) -> Order:
    """The order of ours that plays a role, whoever's journal it came from."""
    found = [o for o in day.trader.portfolio.orders.values() if o.spec.role == role]
    (order,) = [one for one in found if not one.is_foreign]
    return order


async def test_a_bracket_comes_back_with_its_links_and_is_counted_once(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk() as desk:
            await desk.submit_group(bracket(limit="149"), wait=Wait.ACCEPTED)
            names = set(day.trader.portfolio.orders)
        lose_journal(tmp_path)
        sent = len(day.wire.sent("placeOrder", "cancelOrder"))
        async with day.open_desk():
            found = await seen(day)
            assert kinds(found) == {StepKind.LOST}
            assert len(await applied(day, found)) == 3
            portfolio = day.trader.portfolio
            assert set(portfolio.orders) == names
            entry, stop, target = (ours(day, one) for one in ("entry", "stop", "target"))
            assert stop.spec.parent_id == target.spec.parent_id == entry.order_id
            assert set(portfolio.groups[entry.spec.group_id]) == names
            assert set(portfolio.children[entry.order_id]) == {stop.order_id, target.order_id}
            assert (await seen(day)).plan.steps == ()
            assert len(day.wire.sent("placeOrder", "cancelOrder")) == sent
            await day.trade("entry", 10)
            assert portfolio_held(day) == 10
            assert nakedness(day, AAPL) == ""
        async with day.open_desk():  # a restart: what was taken over stays so
            assert (await seen(day)).plan.steps == ()
            assert ours(day, "stop").order_id == stop.order_id
            await day.gap("140")
            await day.wait(2)
            assert day.ledger.held(AAPL) == portfolio_held(day) == 0
            assert day.ledger.live(AAPL) == ()
            assert len(day.trader.portfolio.fills) == 2
            done = day.trader.portfolio.closed[stop.order_id]
            assert (done.status, done.filled) == (OrderStatus.FILLED, Decimal(10))


def portfolio_held(day: Day) -> Decimal:
    position = day.trader.portfolio.positions.get(AAPL)
    return position.quantity if position is not None else Decimal(0)


async def test_what_traded_before_it_was_taken_over_counts_once(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk() as desk:
            await desk.submit_order(single(10, limit="149"))
            await day.trade("single", 3)
        lose_journal(tmp_path)
        async with day.open_desk():
            await day.trade("single", 2)  # while nobody here calls it ours
            await applied(day, await seen(day))
            order = ours(day, "single")
            assert (order.filled, order.remaining) == (Decimal(5), Decimal(5))
            assert order.status is OrderStatus.PARTIALLY_FILLED
            await day.trade("single", 4)
            assert ours(day, "single").filled == 9
            assert portfolio_held(day) == day.ledger.held(AAPL) == 9
        async with day.open_desk():
            await day.lose_link()
            await day.wait(10)
            assert ours(day, "single").filled == 9
            assert portfolio_held(day) == 9
            assert {fill.order_id for fill in day.trader.portfolio.fills.values()} == {
                ours(day, "single").order_id
            }
            await day.trade("single", 1)
            assert portfolio_held(day) == 10
            assert not day.trader.portfolio.orders


async def test_what_was_taken_over_is_changed_and_cancelled_like_any_other(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk() as desk:
            await desk.submit_group(bracket(), wait=Wait.FILLED)
        lose_journal(tmp_path)
        async with day.open_desk() as desk:
            foreign = next(iter(day.trader.portfolio.orders))
            with pytest.raises(RiskCheckError, match="not placed here"):
                await desk.modify_order(foreign, quantity=Decimal(4))
            found = await seen(day)
            said = [step.words for step in found.plan.steps if step.kind is StepKind.LOST]
            assert all("-1-entry is not at the broker any more" in one for one in said)
            assert all("the rules of its group are lost" in one for one in said)
            await applied(day, found)
            stop, target = ours(day, "stop"), ours(day, "target")
            await desk.modify_order(stop.order_id, stop_price=Decimal(146))
            assert ours(day, "stop").spec.stop_price == 146
            await desk.cancel_order(target.order_id)
        assert [order.stop_price for order in day.ledger.live(AAPL)] == [Decimal(146)]
        async with day.open_desk() as desk:
            assert set(day.trader.portfolio.orders) == {stop.order_id}
            await desk.cancel_order(stop.order_id)
        assert day.ledger.live(AAPL) == ()


async def test_a_close_ends_what_a_lost_journal_had_in_it_and_no_strangers_order(
    tmp_path: Path,
) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk() as desk:
            await desk.submit_group(bracket(), wait=Wait.FILLED)
            await desk.submit_order(single(5, limit="140"))
        await day.hand_order(Side.BUY, 2, limit="130")
        lose_journal(tmp_path)
        async with day.open_desk():
            contract = day.trader.portfolio.positions[AAPL].contract
            assert all(o.is_foreign for o in day.trader.portfolio.orders.values())
            await close_contract(day.trader, contract, timeout=10)
            assert len(day.news(AdoptEvent)) == 3
            assert day.ledger.held(AAPL) == portfolio_held(day) == 0
            assert [order.terms.limit_price for order in day.ledger.live(AAPL)] == [Decimal(130)]


async def test_exits_that_were_taken_over_follow_what_is_held(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk() as desk:
            await desk.submit_group(bracket(), wait=Wait.FILLED)
        lose_journal(tmp_path)
        async with day.open_desk(policy=Policy.ATTACH):
            found = await caring.prepare_adoption(day.trader, "AAPL", Wanted())
            assert (found.request, len(found.lost)) == (None, 2)
            await caring.adopt(day.trader, found, timeout=10)
            await day.hand_order(Side.SELL, 4)
            await day.until(lambda: nakedness(day, AAPL) == "", within=5)
            assert {order.remaining for order in day.ledger.live(AAPL)} == {Decimal(6)}
            await day.broker_cancel("stop")  # it takes the target along
            await day.until(lambda: nakedness(day, AAPL) == "", within=15)
            await day.hand_close()
            await day.until(lambda: day.ledger.live(AAPL) == (), within=5)


async def test_an_older_journal_has_its_later_orders_back_and_opens_nothing(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk() as desk:
            await desk.submit_order(single(1, limit="140"))
        kept = {path: path.read_bytes() for path in tmp_path.glob("journal*")}
        async with day.open_desk() as desk:
            await desk.submit_group(bracket(), wait=Wait.FILLED)
        lose_journal(tmp_path)
        for path, content in kept.items():
            path.write_bytes(content)
        async with day.open_desk() as desk:
            # Of our own prefix: they are ours without a word, and the doubt holds openings back.
            stop, target = ours(day, "stop"), ours(day, "target")
            assert stop.spec.parent_id == target.spec.parent_id
            with pytest.raises(RiskCheckError):
                await desk.submit_order(single(1))
            await desk.cancel_order(stop.order_id)
            live = {order.spec.role for order in day.trader.portfolio.orders.values()}
            assert live == {OrderRole.SINGLE, OrderRole.TARGET}


async def test_a_plan_over_lost_orders_holds_only_while_they_stand_as_shown(tmp_path: Path) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk() as desk:
            await desk.submit_order(single(10, limit="149"))
        lose_journal(tmp_path)
        async with day.open_desk():
            found = await seen(day)
            kept = keep(day.trader, found, now=NOW)
            assert list(moved_since(kept, day.trader, await seen(day))) == []
            await day.hand_modify("single", quantity=Decimal(7))
            moved = list(moved_since(kept, day.trader, await seen(day)))
            assert any("was BUY 10 LIMIT 149.00 and is BUY 7" in one for one in moved)
            assert await applied(day, found) == []
            assert day.news(AdoptEvent) == []
            lost = next(iter(day.trader.portfolio.orders))
            await day.hand_cancel("single")
            with pytest.raises(CannotTakeOver, match="does not work any more"):
                take_over(day.trader, [lost], origin="test")


async def test_an_entry_that_was_taken_over_and_fills_in_part_leaves_exits_that_fit(
    tmp_path: Path,
) -> None:
    async with a_day(tmp_path) as day:
        async with day.open_desk() as desk:
            await desk.submit_group(bracket(limit="149"), wait=Wait.ACCEPTED)
        lose_journal(tmp_path)
        async with day.open_desk(policy=Policy.ATTACH) as desk:
            await applied(day, await seen(day))
            await day.trade("entry", 4)
            await desk.cancel_order(ours(day, "entry").order_id)
            await day.until(lambda: nakedness(day, AAPL) == "", within=15)
            await day.wait(5)
            assert nakedness(day, AAPL) == ""
            assert {order.remaining for order in day.ledger.live(AAPL)} <= {Decimal(4)}
            assert portfolio_held(day) == day.ledger.held(AAPL) == 4
