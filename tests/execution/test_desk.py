"""The library's face: what each call returns, and what it raises when it must."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import SubmitOrders
from ibkr_trader.core.enums import OrderStatus, OrderType, Side
from ibkr_trader.core.errors import (
    BrokerUnavailable,
    JournalError,
    OrderRejectedError,
    OutcomeUnknown,
    RiskCheckError,
)
from ibkr_trader.core.models import OrderId, OrderRequest
from ibkr_trader.execution import placing
from ibkr_trader.execution.desk import Desk, UnknownOrder
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.scaling import NothingToScale
from ibkr_trader.orders.linked_orders import ScaleInRequest
from ibkr_trader.orders.oco_orders import OCOOrderRequest
from ibkr_trader.orders.trailing_stops import TrailingStopConfig
from ibkr_trader.risk.guard import RiskGuard
from ibkr_trader.sim.market_data import SimulatedMarketData
from tests.execution.parts import AAPL, DeafBroker, FallibleBroker, Floor, FullDisk, request
from tests.orders.samples import fill, filled
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ibkr_trader.core.models import Fill, Order, Quote
    from ibkr_trader.risk.verdict import Approved


def leg(quantity: int, *, limit: str = "", stop: str = "") -> OrderRequest:
    """A way out of AAPL, at a gain or at a loss."""
    return OrderRequest(
        symbol="AAPL",
        side=Side.SELL,
        quantity=Decimal(quantity),
        order_type=OrderType.LIMIT if limit else OrderType.STOP,
        limit_price=Decimal(limit) if limit else None,
        stop_price=Decimal(stop) if stop else None,
    )


async def test_of_what_was_never_written_down_no_group_stays() -> None:
    floor, disk = Floor(), FullDisk("k7qav")
    async with floor.trader(journal=disk) as trader:
        disk.is_full = True
        with pytest.raises(JournalError):
            await Desk(trader).submit_group(bracket())
        assert trader.groups.open_ids == ()
        disk.is_full = False
        await Desk(trader).submit_group(bracket())
        assert len(trader.groups.open_ids) == 1


async def test_what_could_not_be_sent_is_followed_to_its_end() -> None:
    async with Floor().trader() as trader:
        assert isinstance(trader.broker, FallibleBroker)
        trader.broker.is_gone = True
        with pytest.raises(BrokerUnavailable):
            await Desk(trader).submit_group(bracket())
        states = {order.status for order in trader.portfolio.closed.values()}
        assert states == {OrderStatus.NOT_SENT}


async def test_an_order_is_returned_once_the_broker_has_it() -> None:
    async with Floor().trader() as trader:
        order = await Desk(trader).submit_order(request(limit="149.00"))
        assert (order.status, order.order_id) == (OrderStatus.SUBMITTED, "k7qav-1-single")
        assert order.perm_id > 0


async def test_a_bracket_an_oco_order_and_a_trail_are_groups_alike() -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        orders = await desk.submit_group(bracket(), wait=Wait.FILLED)
        assert [order.spec.role for order in orders] == ["entry", "target", "stop"]
        for order in orders[1:]:
            await desk.cancel_order(order.order_id)
        stop, target = await desk.submit_group(
            OCOOrderRequest(order_a=leg(5, limit="160"), order_b=leg(5, stop="140"))
        )
        assert [stop.spec.role, target.spec.role] == ["stop", "target"]
        assert target.spec.oca_group == stop.spec.oca_group != ""
        trail = TrailingStopConfig(
            symbol="AAPL", quantity=Decimal(5), trail_percent=Decimal(2), is_managed=True
        )
        (resting,) = await desk.submit_group(trail)
        assert (resting.spec.order_type, resting.spec.side) == (OrderType.STOP, Side.SELL)


async def test_a_scale_in_is_returned_with_the_exits_that_followed_it() -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        more = ScaleInRequest(symbol="AAPL", quantity=Decimal(5))
        with pytest.raises(NothingToScale, match="nothing is held"):
            await desk.submit_group(more)
        await desk.submit_group(bracket(), wait=Wait.FILLED)
        entry, *exits = await desk.submit_group(more, wait=Wait.FILLED)
        assert (entry.status, int(entry.filled)) == (OrderStatus.FILLED, 5)
        assert [int(order.spec.quantity) for order in exits] == [15, 15]


async def test_bad_parameters_raise_at_once() -> None:
    async with Floor().trader() as trader:
        with pytest.raises(ValueError, match="limit"):
            await Desk(trader).submit_order(
                OrderRequest(
                    symbol="AAPL", side=Side.BUY, quantity=Decimal(1), order_type=OrderType.LIMIT
                )
            )
        assert not trader.portfolio.closed


async def test_a_denial_has_every_reason_and_sends_nothing() -> None:
    async with Floor().trader() as trader:
        with pytest.raises(RiskCheckError) as denied:
            await Desk(trader).submit_order(request(5000))
        assert isinstance(trader.broker, FallibleBroker)
        assert trader.broker.sent == 0
        checks = {breach.check for breach in denied.value.breaches}
        assert {"order_quantity", "position_size", "order_exposure"} <= checks
        (order,) = trader.portfolio.closed.values()
        assert order.status is OrderStatus.DENIED


@pytest.mark.parametrize("answer", [False, "not on Fridays"])
async def test_a_check_of_the_callers_own_can_deny(answer: bool | str) -> None:
    guard = RiskGuard(extra=(lambda _: answer,))
    async with Floor().trader(guard=guard) as trader:
        with pytest.raises(RiskCheckError, match="Your own check"):
            await Desk(trader).submit_order(request())


async def test_the_brokers_refusal_comes_in_its_own_words() -> None:
    guard = RiskGuard(["account", "command_form", "knowledge"])
    async with Floor().trader(guard=guard) as trader:
        with pytest.raises(OrderRejectedError) as refused:
            await Desk(trader).submit_order(request(1_000_000))  # more than can be paid
        assert refused.value.code == 201
        assert refused.value.order_id == "k7qav-1-single"
        assert "rejected by the broker" in str(refused.value)


async def test_silence_is_an_unknown_outcome_with_the_orders_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(placing, "SETTLE_TIMEOUT", 0.05)
    floor = Floor()
    async with floor.trader(deaf=True, ack_timeout=0.0) as trader:
        with pytest.raises(OutcomeUnknown) as unknown:
            await Desk(trader, timeout=2).submit_order(request())
        assert unknown.value.order_ids == ("k7qav-1-single",)
        assert trader.portfolio.orders[OrderId("k7qav-1-single")].status is OrderStatus.UNKNOWN
        assert isinstance(trader.broker, DeafBroker)
        assert trader.broker.sent == 1
        # It counts at its worst, and its symbol is closed to openings until it is settled.
        with pytest.raises(RiskCheckError, match="Nobody knows"):
            await Desk(trader, timeout=2).submit_order(request(20))


async def test_a_broker_that_is_gone_was_sent_nothing_and_that_is_on_record() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        desk = Desk(trader)
        await desk.submit_order(request(limit="149.00"))
        assert isinstance(trader.broker, FallibleBroker)
        trader.broker.is_gone = True
        with pytest.raises(BrokerUnavailable):
            await desk.submit_order(request(20, limit="148.00"))
        assert trader.portfolio.closed[OrderId("k7qav-2-single")].status is OrderStatus.NOT_SENT


async def test_modify_returns_the_confirmed_terms() -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        order = await desk.submit_order(request(limit="149.00"))
        changed = await desk.modify_order("1", limit_price=Decimal("149.50"), quantity=Decimal(8))
        assert (changed.spec.limit_price, int(changed.spec.quantity)) == (Decimal("149.50"), 8)
        assert changed.perm_id == order.perm_id


async def test_cancel_returns_a_closed_order_and_twice_is_harmless() -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        order = await desk.submit_order(request(limit="149.00"))
        assert (await desk.cancel_order(order.order_id)).status is OrderStatus.CANCELLED
        assert (await desk.cancel_order(order.order_id)).status is OrderStatus.CANCELLED


async def test_unknown_and_ambiguous_ids_are_told_apart() -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        with pytest.raises(UnknownOrder, match="is unknown"):
            await desk.get_order_status("99-stop")


async def test_open_orders_and_positions_are_those_of_the_account() -> None:
    async with Floor().trader() as trader:
        desk = Desk(trader)
        await desk.submit_order(request(), wait=Wait.FILLED)
        await desk.submit_order(request(limit="149.00"))
        assert [order.order_id for order in await desk.get_open_orders()] == ["k7qav-2-single"]
        assert [int(position.quantity) for position in await desk.get_positions()] == [10]
        assert trader.portfolio.positions[AAPL].average_cost == Decimal("150.01")


class Listener:
    """Hears of orders and of the link, and raises when told to."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.is_broken = False

    def on_order_status(self, order: Order) -> None:
        if self.is_broken:
            message = "a handler's own bug"
            raise RuntimeError(message)
        self.heard.append(str(order.status))

    def on_fill(self, fill: Fill) -> None:
        self.heard.append(f"{fill.side} {fill.quantity}")

    def on_order_rejected(self, order: Order, reason: str) -> None:
        self.heard.append(f"rejected {order.order_id} {reason}")

    def on_connected(self) -> None:
        self.heard.append("connected")

    def on_disconnected(self) -> None:
        self.heard.append("disconnected")


async def test_handlers_hear_of_orders_and_of_the_link() -> None:
    listener = Listener()
    async with Floor().trader(handlers=[listener]) as trader:
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        trader.record.witness([ev.DisconnectEvent(at=trader.clock.now(), epoch=1, reason="test")])
    assert listener.heard[:2] == ["connected", "PENDING"]
    assert "BUY 10" in listener.heard
    assert listener.heard[-1] == "disconnected"


async def test_a_handler_that_raises_is_fenced_off_and_trading_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listener = Listener()
    async with Floor().trader(handlers=[listener]) as trader:
        listener.is_broken = True
        order = await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        assert order.status is OrderStatus.FILLED
    assert listener.heard == ["connected"]
    assert "on_order_status raised" in caplog.text


async def test_what_is_no_handler_is_refused() -> None:
    with pytest.raises(TypeError, match="no event handler"):
        async with Floor().trader(handlers=[object()]):
            await asyncio.sleep(0)


async def test_a_changed_order_that_fills_first_is_returned_and_not_refused() -> None:
    floor = Floor()
    async with floor.trader() as trader:
        desk = Desk(trader)
        order = await desk.submit_order(request(limit="149.00"))

        async def fill_first(approved: Approved) -> None:
            done = fill(10, "149.00", order_id=order.order_id, at=floor.clock.now())
            trader.intake.admit([filled(done)])

        trader.broker.send = fill_first  # type: ignore[method-assign]
        got = await desk.modify_order(order.order_id, limit_price=Decimal("149.10"))
        assert (got.status, got.spec.limit_price) == (OrderStatus.FILLED, Decimal("149.00"))


async def test_an_order_that_never_left_is_not_returned_as_placed() -> None:
    """The link was lost while it waited in its lane."""
    floor = Floor()
    async with floor.trader() as trader:

        async def drop(approved: Approved) -> None:
            assert isinstance(approved.command, SubmitOrders)
            lost = [
                ev.NotSentEvent(at=floor.clock.now(), order_id=one.order_id, reason="link lost")
                for one in approved.command.orders
            ]
            trader.intake.admit(lost)

        trader.broker.send = drop  # type: ignore[method-assign]
        with pytest.raises(BrokerUnavailable, match="k7qav-1-single was not sent: link lost"):
            await Desk(trader).submit_order(request())


# -- what may be opened short -----------------------------------------------------------------


class Mute(SimulatedMarketData):
    """Says nothing of what there is to borrow, until `speaks`."""

    speaks = False

    def last_quote(self, con_id: int) -> Quote | None:
        quote = super().last_quote(con_id)
        if quote is None or self.speaks:
            return quote
        return msgspec.structs.replace(quote, shortable=None)


@asynccontextmanager
async def muted() -> AsyncIterator[tuple[Desk, Mute]]:
    floor = Floor()
    async with floor.trader() as trader:
        market = Mute(floor.exchange, clock=floor.clock)
        trader.market = market
        trader.outlook._market = market
        yield Desk(trader), market


async def test_a_short_sale_waits_for_what_there_is_to_borrow() -> None:
    async with muted() as (desk, market), asyncio.TaskGroup() as tasks:
        sale = tasks.create_task(desk.submit_order(request(side=Side.SELL, limit="155")))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not await desk.get_open_orders()
        market.speaks = True
        quote = market.last_quote(AAPL)
        assert quote is not None
        desk.trader.bus.publish(ev.PriceEvent(at=quote.at, contract=quote.contract, quote=quote))
        assert (await sale).status is OrderStatus.SUBMITTED


async def test_but_not_for_ever_and_nothing_else_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float | None] = []
    async with muted() as (desk, _):
        until = desk.trader.until

        async def counted(check: Any, *, timeout: float | None) -> Any:
            if timeout == placing.QUOTE_TIMEOUT:
                waits.append(timeout)
            return await until(check, timeout=timeout)

        monkeypatch.setattr(placing, "QUOTE_TIMEOUT", 0.01)
        monkeypatch.setattr(desk.trader, "until", counted)
        await desk.submit_order(request(30), wait=Wait.FILLED)
        resting = await desk.submit_order(request(10, side=Side.SELL, limit="155"))
        await desk.modify_order(resting.order_id, quantity=Decimal(30))
        await desk.cancel_order(resting.order_id)
        await desk.submit_order(request(30, side=Side.SELL), wait=Wait.FILLED)
        assert waits == []
        short = await desk.submit_order(request(20, side=Side.SELL, limit="156"))
        await desk.modify_order(short.order_id, quantity=Decimal(25))
        assert waits == [0.01, 0.01]
