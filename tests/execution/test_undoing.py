"""An undone cancel brings back what it took away, once, if today allows it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder
from ibkr_trader.core.enums import OrderRole, OrderType, Side
from ibkr_trader.core.errors import OutcomeUnknown, RiskCheckError
from ibkr_trader.core.models import OrderRequest
from ibkr_trader.execution import undoing
from ibkr_trader.execution.desk import Desk, cancel
from ibkr_trader.execution.placing import Wait, route
from ibkr_trader.execution.undoing import (
    AlreadyUndone,
    CannotUndo,
    NothingToUndo,
    carry_out,
    plan,
)
from ibkr_trader.orders.bracket_orders import BracketOrderRequest
from ibkr_trader.orders.joining import JoinRequest
from ibkr_trader.orders.oco_orders import OCOOrderRequest
from ibkr_trader.risk.guard import RiskGuard
from tests.execution import parts
from tests.execution.parts import AAPL, Floor, request
from tests.limits import roomy
from tests.orders.samples import values
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.core.commands import Command
    from ibkr_trader.core.events import BaseEvent
    from ibkr_trader.execution.trader import Trader


async def protected(trader: Trader) -> None:
    """Hold ten under a bracket, then take its exits back."""
    orders = await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
    for order in orders[1:]:
        await Desk(trader).cancel_order(order.order_id)
    assert not trader.portfolio.orders


async def undo(trader: Trader) -> None:
    found = await plan(trader)
    for piece in found.pieces:
        await carry_out(trader, found, piece, timeout=5)


async def test_exits_come_back_linked_and_only_once() -> None:
    async with Floor().trader() as trader:
        await protected(trader)
        await undo(trader)
        roles = {o.spec.role: o.spec for o in trader.portfolio.orders.values()}
        assert values(roles[OrderRole.STOP].stop_price, roles[OrderRole.TARGET].limit_price) == (
            145, 155,
        )  # fmt: skip
        assert roles[OrderRole.STOP].oca_group == roles[OrderRole.TARGET].oca_group != ""
        with pytest.raises(AlreadyUndone, match="already undone: k7qav-2") as again:
            await plan(trader)
        assert {o.order_id for o in again.value.orders} == trader.portfolio.orders.keys()


async def test_they_come_back_smaller_if_less_is_held() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await protected(trader)
        await Desk(trader).submit_order(request(4, side=Side.SELL), wait=Wait.FILLED)
        (piece,) = (await plan(trader)).pieces
        assert isinstance(piece.request, OCOOrderRequest)
        assert {leg.quantity for leg in piece.request.legs} == {Decimal(6)}


async def test_a_stop_that_the_market_has_passed_does_not_come_back() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await protected(trader)
        floor.move(trader, "143.99", "144.01")
        found = await plan(trader)
        assert not found.is_possible
        assert found.pieces[0].trouble == (
            "the stop at 145.00 would trade at once: the market is at 143.99"
        )


async def test_nothing_was_cancelled_today() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        with pytest.raises(NothingToUndo):
            await plan(trader)
        order = await Desk(trader).submit_order(request(limit="149.00"))
        await Desk(trader).cancel_order(order.order_id)
        floor.clock.advance(24 * 3600)
        with pytest.raises(NothingToUndo, match="no order was cancelled on request today"):
            await plan(trader)


class Shelf(MemoryJournal):
    """A journal that knows how far back it was read."""

    furthest: int | None = None

    def messages(self, *, since: int = 0) -> Iterator[tuple[int, Command | BaseEvent]]:
        self.furthest = since if self.furthest is None else min(since, self.furthest)
        return super().messages(since=since)


@pytest.mark.parametrize("old", [True, False])
async def test_the_past_is_read_no_further_than_it_has_to_be(
    monkeypatch: pytest.MonkeyPatch, *, old: bool
) -> None:
    """A running trader reads it between two orders: a journal of a year would take seconds."""
    monkeypatch.setattr(undoing, "_RECENT", 10)
    floor, journal = Floor(), Shelf("k7qav")
    note = ev.ErrorEvent(at=floor.clock.now(), code=0, message="a note of long ago")
    journal.append([note] * 200)
    floor.clock.advance(72 * 3600)
    note = msgspec.structs.replace(note, at=floor.clock.now())
    async with floor.trader(journal=journal) as trader:
        if old:
            trader.record.write([note] * 20)
            with pytest.raises(NothingToUndo):
                await plan(trader)
            assert journal.furthest is not None
            assert journal.furthest > 150
        else:
            await protected(trader)
            trader.record.write([note] * 50)
            assert len((await plan(trader)).pieces) == 1


async def test_what_may_still_be_live_is_not_placed_a_second_time() -> None:
    async with Floor().trader(deaf=True, ack_timeout=0.2) as trader:
        with pytest.raises(OutcomeUnknown):
            await Desk(trader, timeout=0.5).submit_order(request(limit="149.00"))
        (order_id,) = trader.portfolio.orders
        with pytest.raises(OutcomeUnknown):
            await cancel(trader, order_id, timeout=0.1)
        with pytest.raises(CannotUndo, match="may still be live"):
            await plan(trader)


async def test_what_had_filled_before_the_cancel_is_not_bought_again() -> None:
    async with Floor().trader() as trader:
        order = await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        await route(trader, CancelOrder(order_id=order.order_id))
        with pytest.raises(CannotUndo, match=r"nothing of .* was left"):
            await plan(trader)


async def test_what_comes_back_is_reviewed_again() -> None:
    is_shut = [False]
    guard = RiskGuard(extra=(lambda _: not is_shut[0],))
    async with Floor().trader(guard=guard) as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        await Desk(trader).cancel_order(order.order_id)
        is_shut[0] = True
        with pytest.raises(RiskCheckError, match="Your own check refuses"):
            await undo(trader)
        is_shut[0] = False
        await undo(trader)  # what was denied has not come back
        (again,) = trader.portfolio.orders.values()
        assert values(again.spec.limit_price, again.spec.quantity) == (149, 10)


async def test_a_stop_alone_comes_back_alone() -> None:
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
        placed = await desk.submit_order(stop)
        await desk.cancel_order(placed.order_id)
        found = await plan(trader)
        (piece,) = found.pieces
        assert isinstance(piece.request, OrderRequest)
        await carry_out(trader, found, piece, timeout=5)
        assert trader.portfolio.positions[AAPL].quantity == 10
        assert len(trader.portfolio.orders) == 1


async def test_what_does_not_fit_together_any_more_is_refused_before_anything_goes() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        await protected(trader)
        floor.move(trader, "155.99", "156.01")
        floor.clock.advance(6.5 * 3600)  # 16:30 in New York: nobody says what the market is
        found = await plan(trader)
        with pytest.raises(CannotUndo, match="would trade at once"):
            await carry_out(trader, found, found.pieces[0], timeout=5)
        assert not trader.portfolio.orders


async def test_what_has_to_go_along_goes_first() -> None:
    async with Floor().trader() as trader:
        orders = await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        target, stop = orders[1], orders[2]
        await Desk(trader).cancel_order(stop.order_id)
        found = await plan(trader)
        (piece,) = found.pieces
        assert isinstance(piece.request, JoinRequest)
        pair = OCOOrderRequest(
            order_a=piece.request.order,
            order_b=msgspec.structs.replace(
                piece.request.order,
                order_type=OrderType.LIMIT,
                stop_price=None,
                limit_price=target.spec.limit_price,
            ),
        )
        both = msgspec.structs.replace(piece, request=pair, takes=(target.order_id,))
        placed = await carry_out(trader, found, both, timeout=5)
        assert trader.portfolio.orders.keys() == {order.order_id for order in placed}
        assert len(placed) == 2


# -- what opens ---------------------------------------------------------------------------------


async def test_what_was_placed_without_a_stop_comes_back_without_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was meant so when it was placed; nobody is asked for the word again."""
    monkeypatch.setattr(parts, "LIMITS", roomy(require_stop=True))
    async with Floor().trader() as trader:
        with pytest.raises(RiskCheckError, match="opens without a stop"):
            await Desk(trader).submit_order(request(limit="149"))
        order = await Desk(trader).submit_order(request(limit="149"), without_stop=True)
        await Desk(trader).cancel_order(order.order_id)
        await undo(trader)
        assert [o.spec.role for o in trader.portfolio.orders.values()] == [OrderRole.SINGLE]


async def test_an_entry_that_had_stops_does_not_come_back_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of one that had several, nothing says which of them would be meant."""
    monkeypatch.setattr(parts, "LIMITS", roomy(require_stop=True))

    def exit_(quantity: int, **terms: Any) -> OrderRequest:
        return msgspec.structs.replace(request(quantity, side=Side.SELL), **terms)

    targets = tuple(
        exit_(5, order_type=OrderType.LIMIT, limit_price=Decimal(price)) for price in (155, 160)
    )
    two = BracketOrderRequest(
        parent=request(10, limit="149"),
        stop_loss=exit_(10, order_type=OrderType.STOP, stop_price=Decimal(145)),
        take_profit=targets,
    )
    async with Floor().trader() as trader:
        entry, *_ = await Desk(trader).submit_group(two)
        await Desk(trader).cancel_order(entry.order_id)
        found = await plan(trader)
        (piece,) = found.pieces
        assert isinstance(piece.request, OrderRequest)
        with pytest.raises(RiskCheckError, match="opens without a stop"):
            await carry_out(trader, found, piece, timeout=5)
