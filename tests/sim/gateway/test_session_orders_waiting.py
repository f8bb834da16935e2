"""Orders that wait, follow, adjust and cancel each other, through a socket and ib_insync."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ib_insync import LimitOrder, MarketOrder, Order, StopOrder, Trade

from ibkr_trader.sim.orders import OrderTerms
from tests.sim.gateway.desk import AAPL, AAPL_ID, Desk, open_desk, raw_messages
from tests.sim.gateway.test_session_orders import order_talk, settled, status


async def shown(desk: Desk) -> dict[int, Trade]:
    """Every open order by its id, as a client hears of it that has never heard of it before."""
    other = await desk.connect(90 + len(desk.clients))
    found = {trade.order.orderId: trade for trade in await other.reqAllOpenOrdersAsync()}
    await desk.leave(other)
    return found


def sell(order_type: str, **fields: Any) -> Order:
    return Order(action="SELL", totalQuantity=10, orderType=order_type, tif="GTC", **fields)


ADJUSTABLE: dict[str, Any] = {
    "auxPrice": 145,
    "adjustedOrderType": "TRAIL",
    "triggerPrice": 155,
    "adjustedStopPrice": 150,
    "adjustedTrailingAmount": 4,
}


async def test_an_adjustable_stop_is_told_back_and_turns_into_a_trail(desk: Desk) -> None:
    ib = await desk.connect()
    ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    trade = ib.placeOrder(AAPL, sell("STP", **ADJUSTABLE))
    await settled(ib)
    told = (await shown(desk))[trade.order.orderId].order
    assert (told.orderType, told.auxPrice, told.adjustedOrderType) == ("STP", 145, "TRAIL")
    assert (told.triggerPrice, told.adjustedStopPrice, told.adjustedTrailingAmount) == (155, 150, 4)
    await desk.leave(ib)
    desk.quote("155.00", "155.02")
    after = (await shown(desk))[trade.order.orderId]
    assert (after.order.orderType, after.order.auxPrice, after.order.trailStopPrice) == (
        "TRAIL", 4, 151,
    )  # fmt: skip
    assert after.order.adjustedOrderType in {"", "None"}
    assert (status(after), after.orderStatus.whyHeld) == ("PreSubmitted", "trigger")


async def test_an_adjusted_order_that_was_told_back_can_be_sent_again(desk: Desk) -> None:
    """ib_insync modifies the order that it was told of, `None` for a type and all."""
    ib = await desk.connect()
    trade = ib.placeOrder(AAPL, LimitOrder("BUY", 10, 140, tif="GTC"))
    await settled(ib)
    told = (await shown(desk))[trade.order.orderId].order
    told.adjustedOrderType = "None"
    told.lmtPrice = 141
    ib.placeOrder(AAPL, told)
    await settled(ib)
    assert (await shown(desk))[trade.order.orderId].order.lmtPrice == 141


@pytest.mark.parametrize(
    ("order", "prices"),
    [
        (sell("TRAIL LIMIT", auxPrice=3, lmtPriceOffset=0.1), (147, 146.9, 3)),
        (sell("TRAIL LIMIT", auxPrice=3, trailStopPrice=147, lmtPrice=146.8), (147, 146.8, 3)),
        (sell("TRAIL LIMIT", trailingPercent=2, lmtPriceOffset=0.1), (147, 146.9, 0)),
    ],
)
async def test_a_trail_limit_is_told_back_with_what_it_has_reached(
    desk: Desk, order: Order, prices: tuple[float, float, float]
) -> None:
    desk.quote("150.00", "150.02")
    ib = await desk.connect()
    trade = ib.placeOrder(AAPL, order)
    await settled(ib)
    told = (await shown(desk))[trade.order.orderId].order
    assert (told.trailStopPrice, told.lmtPrice, told.auxPrice) == prices
    desk.quote("160.00", "160.02")
    told = (await shown(desk))[trade.order.orderId].order
    moved = 156.8 if order.trailingPercent < 1e9 else 157
    assert told.trailStopPrice == moved
    assert told.lmtPrice == pytest.approx(moved - (prices[0] - prices[1]))


async def test_touched_orders_wait_for_their_trigger(desk: Desk) -> None:
    ib = await desk.connect()
    market = ib.placeOrder(AAPL, Order(action="BUY", totalQuantity=5, orderType="MIT",
                                       auxPrice=148, tif="DAY"))  # fmt: skip
    limit = ib.placeOrder(AAPL, Order(action="BUY", totalQuantity=5, orderType="LIT",
                                      auxPrice=148, lmtPrice=147, tif="DAY"))  # fmt: skip
    await settled(ib)
    assert [(status(t), t.orderStatus.whyHeld) for t in (market, limit)] == [
        ("PreSubmitted", "trigger")
    ] * 2
    desk.quote("147.90", "147.92")
    await settled(ib)
    assert [status(t) for t in (market, limit)] == ["Filled", "Submitted"]


async def test_a_group_of_ones_own_is_reduced_and_cancelled(desk: Desk) -> None:
    ib = await desk.connect()
    ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    group: dict[str, Any] = {"ocaGroup": "k7qav-1", "ocaType": 2}
    target = ib.placeOrder(AAPL, sell("LMT", lmtPrice=155, **group))
    stop = ib.placeOrder(AAPL, sell("STP", auxPrice=145, **group))
    timed = ib.placeOrder(AAPL, sell("MKT", goodAfterTime="20261120-20:55:00", **group))
    await settled(ib)
    assert (status(timed), timed.orderStatus.whyHeld) == ("PreSubmitted", "")
    told = (await shown(desk))[timed.order.orderId].order
    assert (told.ocaGroup, told.ocaType, told.goodAfterTime) == (
        "k7qav-1", 2, "20261120-20:55:00",
    )  # fmt: skip
    seen = raw_messages(ib)
    desk.quote("155.00", "155.02", size=4)
    await settled(ib)
    assert [t.order.totalQuantity for t in (target, stop, timed)] == [10, 6, 6]
    assert order_talk(seen)[-5:] == ["59", "5", "3:PreSubmitted", "5", "3:PreSubmitted"]
    desk.quote("155.00", "155.02", size=6)
    await settled(ib)
    assert [status(t) for t in (target, stop, timed)] == ["Filled", "Cancelled", "Cancelled"]
    assert order_talk(seen)[-4:] == ["3:Cancelled", "4:202", "3:Cancelled", "4:202"]


async def test_a_group_cannot_be_revised(desk: Desk) -> None:
    ib = await desk.connect()
    errors: list[int] = []
    ib.errorEvent += lambda _, code, *__: errors.append(code)
    trade = ib.placeOrder(AAPL, LimitOrder("BUY", 10, 140, tif="GTC", ocaGroup="a", ocaType=1))
    await settled(ib)
    for change in ({"ocaGroup": "b"}, {"ocaGroup": ""}, {"ocaType": 3}):
        changed = LimitOrder(
            "BUY", 10, 141, tif="GTC", **({"ocaGroup": "a", "ocaType": 1} | change)
        )
        ib.client.placeOrder(trade.order.orderId, AAPL, changed)
        await settled(ib)
    assert errors == [10326, 10326, 10327]
    assert (await shown(desk))[trade.order.orderId].order.lmtPrice == 140


async def test_a_price_cap_is_in_the_status(desk: Desk) -> None:
    ib = await desk.connect()
    desk.server.act(
        lambda exchange, now: exchange.floor_acts.cap(AAPL_ID, buy=Decimal(149), now=now)
    )
    trade = ib.placeOrder(AAPL, LimitOrder("BUY", 10, 160, tif="DAY"))
    seen = raw_messages(ib)
    await settled(ib)
    assert (status(trade), trade.orderStatus.mktCapPrice) == ("Submitted", 149)
    assert "4:2161" in order_talk(seen)


async def test_orders_by_hand_are_heard_by_client_zero_and_seen_by_all(desk: Desk) -> None:
    zero, one = await desk.connect(0), await desk.connect(1)
    wanted = OrderTerms(
        con_id=AAPL_ID,
        action="BUY",
        quantity=Decimal(7),
        order_type="LMT",
        limit_price=Decimal(149),
    )
    desk.server.act(lambda exchange, now: exchange.hand.place(wanted, now=now))
    await settled(zero)
    await settled(one)
    [heard] = zero.openTrades()
    assert (heard.order.totalQuantity, heard.order.lmtPrice, heard.contract.symbol) == (
        7, 149, "AAPL",
    )  # fmt: skip
    assert heard.order.permId > 0
    assert one.openTrades() == []
    [seen] = await one.reqAllOpenOrdersAsync()
    assert (seen.order.clientId, seen.order.orderRef, seen.order.permId) == (
        0, "", heard.order.permId,
    )  # fmt: skip
    assert seen.order.orderId <= 0
    assert seen.contract.conId == AAPL_ID
    desk.quote("148.98", "149.00")
    await settled(one)
    assert [p.position for p in one.positions()] == [7], "positions are everybody's"
    assert one.fills() == []
    assert [f.execution.shares for f in await one.reqExecutionsAsync()] == [7]
    [done] = await one.reqCompletedOrdersAsync(False)
    assert (done.contract.symbol, done.orderStatus.status) == ("AAPL", "Filled")


async def test_a_change_by_hand_reaches_the_client_that_placed_the_order(desk: Desk) -> None:
    ib = await desk.connect()
    trade = ib.placeOrder(AAPL, StopOrder("SELL", 10, 145, tif="GTC"))
    await settled(ib)
    perm_id = trade.order.permId
    desk.server.act(
        lambda exchange, now: exchange.hand.modify(
            perm_id, stop_price=Decimal(140), quantity=Decimal(20), tif="DAY", now=now
        )
    )
    await settled(ib)
    told = (await shown(desk))[trade.order.orderId].order
    assert (told.auxPrice, told.totalQuantity, told.tif) == (140, 20, "DAY")
    assert (told.permId, told.clientId) == (perm_id, 1)
    desk.server.act(lambda exchange, now: exchange.hand.cancel(perm_id, now=now))
    await settled(ib)
    assert status(trade) == "Cancelled"


async def test_a_corrected_execution_comes_with_the_next_revision(desk: Desk) -> None:
    ib = await desk.connect()
    trade = ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    await settled(ib)
    name = trade.fills[0].execution.execId
    seen = raw_messages(ib)
    desk.server.act(
        lambda exchange, now: exchange.broker_acts.correct(name, quantity=Decimal(9), now=now)
    )
    await settled(ib)
    assert name.endswith(".01")
    told = next(fields for fields in seen if fields[0] == "11")
    assert f"{name[:-2]}02" in told
    assert [p.position for p in ib.positions()] == [9]


async def test_what_waits_outlives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "exchange.sqlite3"
    async with open_desk(store=path) as first:
        first.quote("149.99", "150.01")
        ib = await first.connect()
        ib.placeOrder(AAPL, MarketOrder("BUY", 10))
        group: dict[str, Any] = {"ocaGroup": "pair", "ocaType": 1}
        ib.placeOrder(AAPL, sell("STP", **ADJUSTABLE, **group))
        ib.placeOrder(AAPL, sell("TRAIL LIMIT", auxPrice=9, lmtPriceOffset=0.5, **group))
        await settled(ib)
        first.server.act(
            lambda exchange, now: exchange.floor_acts.halt(
                AAPL_ID, halted=True, refuses=True, now=now
            )
        )
        before = {n: str(trade.order) for n, trade in (await shown(first)).items()}
    async with open_desk(store=path) as second:
        ib = await second.connect()
        errors: list[int] = []
        ib.errorEvent += lambda _, code, *__: errors.append(code)
        assert {n: str(trade.order) for n, trade in (await shown(second)).items()} == before
        assert len(before) == 2
        ib.placeOrder(AAPL, LimitOrder("BUY", 1, 100, tif="DAY"))
        await settled(ib)
        assert errors == [154]
        second.server.act(
            lambda exchange, now: exchange.floor_acts.halt(AAPL_ID, halted=False, now=now)
        )
        second.quote("155.00", "155.02")
        await settled(ib)
        kinds = [trade.order.orderType for trade in (await shown(second)).values()]
        assert kinds == ["TRAIL", "TRAIL LIMIT"]
        second.quote("150.00", "150.02")
        await settled(ib)
        assert ib.openTrades() == []
        assert [p for p in ib.positions() if p.position] == []
