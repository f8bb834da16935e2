"""Orders through a real socket and the real ib_insync: the sequences of WIRE.md section 6."""

import asyncio
from pathlib import Path

import pytest
from ib_insync import IB, ExecutionFilter, LimitOrder, MarketOrder, Order, StopOrder, Trade
from ib_insync.wrapper import RequestError

from ibkr_trader.sim.exchange import ExchangeConfig
from tests.sim.gateway.desk import AAPL, ACCOUNT, OPENED, Desk, open_desk, raw_messages


async def settled(ib: IB) -> None:
    """Return once everything the server had said before has been read."""
    await ib.reqCurrentTimeAsync()


def order_talk(seen: list[tuple[str, ...]]) -> list[str]:
    """Return message ids, with the status of each orderStatus."""
    kept = [fields for fields in seen if fields[0] in ("3", "5", "11", "59", "4")]
    return [f"3:{f[2]}" if f[0] == "3" else f"4:{f[3]}" if f[0] == "4" else f[0] for f in kept]


def status(trade: Trade) -> str:
    return str(trade.orderStatus.status)


async def test_a_resting_limit_order(desk: Desk) -> None:
    ib = await desk.connect()
    seen = raw_messages(ib)
    trade = ib.placeOrder(AAPL, LimitOrder("BUY", 10, 140))
    await settled(ib)
    assert order_talk(seen) == ["4:10349", "5", "3:PreSubmitted", "5", "3:Submitted"]
    assert status(trade) == "Submitted"
    assert trade.orderStatus.remaining == 10
    assert trade.order.permId > 0


async def test_a_market_order_fills_and_is_paid_for(desk: Desk) -> None:
    ib = await desk.connect()
    seen = raw_messages(ib)
    trade = ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    await settled(ib)
    assert status(trade) == "Filled"
    assert trade.orderStatus.avgFillPrice == 150.01
    [fill] = trade.fills
    assert fill.execution.shares == 10
    assert fill.execution.acctNumber == ACCOUNT
    assert fill.commissionReport.commission > 0
    talk = order_talk(seen)
    assert talk.index("11") < talk.index("59")
    [position] = ib.positions()
    assert (position.contract.conId, position.position) == (AAPL.conId, 10)
    desk.wait()
    await settled(ib)
    [item] = ib.portfolio()
    assert item.position == 10


async def test_a_bracket_is_silent_until_its_last_leg_and_then_protects(desk: Desk) -> None:
    ib = await desk.connect()
    seen = raw_messages(ib)
    parent, target, stop = ib.bracketOrder("BUY", 10, 150.01, 155, 145)
    trades = [ib.placeOrder(AAPL, parent), ib.placeOrder(AAPL, target)]
    await settled(ib)
    assert order_talk(seen) == []
    trades.append(ib.placeOrder(AAPL, stop))
    await settled(ib)
    assert status(trades[0]) == "Filled"
    assert [status(trade) for trade in trades[1:]] == ["Submitted", "PreSubmitted"]
    assert trades[2].orderStatus.whyHeld == "trigger"
    assert trades[1].orderStatus.parentId == parent.orderId
    desk.quote("155.10", "155.12")
    await settled(ib)
    assert [status(trade) for trade in trades] == ["Filled", "Filled", "Cancelled"]
    assert ib.positions() == [] or ib.positions()[0].position == 0


async def test_a_bracket_whose_parent_is_cancelled_leaves_nothing(desk: Desk) -> None:
    ib = await desk.connect()
    errors: list[tuple[int, int]] = []
    ib.errorEvent += lambda req_id, code, *_: errors.append((req_id, code))
    trades = [ib.placeOrder(AAPL, o) for o in ib.bracketOrder("BUY", 10, 140, 155, 135)]
    await settled(ib)
    assert [status(trade) for trade in trades] == ["Submitted", "PreSubmitted", "PreSubmitted"]
    ib.cancelOrder(trades[0].order)
    await settled(ib)
    assert [status(trade) for trade in trades] == ["Cancelled"] * 3
    cancelled = sorted(req_id for req_id, code in errors if code == 202)
    assert cancelled == [trade.order.orderId for trade in trades]


async def test_modify_keeps_the_perm_id_and_takes_the_new_terms(desk: Desk) -> None:
    ib = await desk.connect()
    trade = ib.placeOrder(AAPL, LimitOrder("BUY", 10, 140))
    await settled(ib)
    perm_id = trade.order.permId
    trade.order.lmtPrice = 141
    trade.order.totalQuantity = 20
    seen = raw_messages(ib)
    ib.placeOrder(AAPL, trade.order)
    await settled(ib)
    assert "5" in order_talk(seen)
    assert "3:Submitted" in order_talk(seen)
    [shown] = await ib.reqAllOpenOrdersAsync()
    assert (shown.order.permId, shown.order.lmtPrice) == (perm_id, 141)
    assert trade.orderStatus.remaining == 20


async def test_modifying_a_filled_order_is_104(desk: Desk) -> None:
    ib = await desk.connect()
    trade = ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    await settled(ib)
    seen = raw_messages(ib)
    ib.client.placeOrder(trade.order.orderId, AAPL, trade.order)
    await settled(ib)
    assert order_talk(seen) == ["4:104"]


async def test_cancelling(desk: Desk) -> None:
    ib = await desk.connect()
    trade = ib.placeOrder(AAPL, LimitOrder("BUY", 10, 140))
    await settled(ib)
    seen = raw_messages(ib)
    ib.cancelOrder(trade.order)
    await settled(ib)
    talk = order_talk(seen)
    assert talk[-2:] == ["3:Cancelled", "4:202"]
    ib.client.cancelOrder(trade.order.orderId)
    ib.client.cancelOrder(99999)
    await settled(ib)
    assert order_talk(seen)[-1] == "4:10147"


async def test_a_what_if_answers_with_margins_and_leaves_nothing(desk: Desk) -> None:
    ib = await desk.connect()
    state = await asyncio.wait_for(ib.whatIfOrderAsync(AAPL, LimitOrder("BUY", 10, 140)), 5)
    assert state.status == "PreSubmitted"
    assert float(state.initMarginChange) > 0
    change = float(state.equityWithLoanAfter) - float(state.equityWithLoanBefore)
    assert float(state.equityWithLoanChange) == pytest.approx(change)
    assert state.commission > 0
    assert await ib.reqAllOpenOrdersAsync() == []


async def test_a_what_if_of_nonsense_is_an_error(desk: Desk) -> None:
    ib = await desk.connect()
    with pytest.raises(RequestError):
        await asyncio.wait_for(
            ib.whatIfOrderAsync(AAPL, Order(action="BUY", totalQuantity=1, orderType="?")), 5
        )


async def test_global_cancel(desk: Desk) -> None:
    ib = await desk.connect(1)
    other = await desk.connect(2)
    trades = [
        ib.placeOrder(AAPL, LimitOrder("BUY", 10, 140)),
        other.placeOrder(AAPL, LimitOrder("BUY", 5, 141)),
    ]
    await settled(ib)
    await settled(other)
    ib.reqGlobalCancel()
    await settled(ib)
    await settled(other)
    assert [status(trade) for trade in trades] == ["Cancelled"] * 2


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (Order(action="BUY", totalQuantity=10, orderType="VOL", volatility=0.3), 387),
        (Order(action="BUY", totalQuantity=10, orderType="LMT", lmtPrice=140, hidden=True), 387),
        (Order(action="BUY", totalQuantity=10, orderType="NONSENSE"), 321),
        (Order(action="BUY", totalQuantity=10, orderType="LMT", lmtPrice=140.001), 110),
        (Order(action="BUY", totalQuantity=0, orderType="MKT"), 434),
        (Order(action="BUY", totalQuantity=1, orderType="MKT", account="DU1"), 321),
    ],
)
async def test_what_is_not_simulated_is_refused_by_name(
    desk: Desk, order: Order, code: int
) -> None:
    ib = await desk.connect()
    errors: list[int] = []
    ib.errorEvent += lambda _, number, *__: errors.append(number)
    ib.placeOrder(AAPL, order)
    await settled(ib)
    assert errors == [code]
    assert await ib.reqAllOpenOrdersAsync() == []


async def test_client_zero_hears_of_every_order_and_others_only_their_own(desk: Desk) -> None:
    zero, one, two = await desk.connect(0), await desk.connect(1), await desk.connect(2)
    trade = one.placeOrder(AAPL, LimitOrder("BUY", 10, 140, orderRef="mine"))
    for ib in (one, zero, two):
        await settled(ib)
    assert [t.order.orderRef for t in zero.openTrades()] == ["mine"]
    assert two.openTrades() == []
    [seen] = await two.reqAllOpenOrdersAsync()
    assert (seen.order.clientId, seen.order.permId) == (1, trade.order.permId)
    two.client.cancelOrder(trade.order.orderId)
    await settled(two)
    await settled(one)
    assert status(trade) in ("Cancelled", "Submitted")


async def test_who_was_told_of_everybodys_orders_needs_ids_above_theirs(desk: Desk) -> None:
    """TWS says so of `reqAllOpenOrders`; ids that a client has not heard of are not in its way."""
    one, two = await desk.connect(1), await desk.connect(2)
    errors: list[int] = []

    def limit(price: float, number: int) -> LimitOrder:
        return LimitOrder("BUY", 10, price, orderId=number, tif="DAY")

    two.errorEvent += lambda _, number, *__: errors.append(number)
    one.placeOrder(AAPL, limit(140, 50))
    await settled(one)
    two.placeOrder(AAPL, limit(141, 20))
    await settled(two)
    assert errors == []
    await two.reqAllOpenOrdersAsync()
    two.placeOrder(AAPL, limit(141, 50))
    await settled(two)
    assert errors == [103]
    two.placeOrder(AAPL, limit(141, 51))
    two.placeOrder(AAPL, limit(141.5, 20))  # a change of what is there
    await settled(two)
    assert errors == [103]
    assert {order.order_id for order in desk.exchange.orders.working(2)} == {20, 51}


async def test_orders_outlive_their_client_and_its_ids_go_on(desk: Desk) -> None:
    ib = await desk.connect(1)
    trade = ib.placeOrder(AAPL, LimitOrder("BUY", 10, 140, orderRef="keep"))
    filled = ib.placeOrder(AAPL, MarketOrder("BUY", 3))
    await settled(ib)
    used = filled.order.orderId
    assert status(filled) == "Filled"
    await desk.leave(ib)
    again = await desk.connect(1)
    assert again.client.getReqId() > used
    [open_trade] = again.openTrades()
    assert open_trade.order.orderRef == "keep"
    assert open_trade.order.permId == trade.order.permId
    assert [fill.execution.shares for fill in again.fills()] == [3]
    assert again.fills()[0].commissionReport.commission > 0
    [done] = await again.reqCompletedOrdersAsync(False)
    assert (done.orderStatus.status, done.order.filledQuantity) == ("Filled", 3)


async def test_everything_outlives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "exchange.sqlite3"
    async with open_desk(store=path) as first:
        first.quote("149.99", "150.01")
        ib = await first.connect(1)
        trades = [ib.placeOrder(AAPL, o) for o in ib.bracketOrder("BUY", 10, 150.01, 155, 145)]
        untransmitted = LimitOrder("BUY", 1, 100, transmit=False)
        ib.placeOrder(AAPL, untransmitted)
        await settled(ib)
        perm_ids = {trade.order.permId for trade in trades[1:]}
        net = {v.tag: v.value for v in ib.accountValues()}["NetLiquidation"]
        assert net
        last_id = untransmitted.orderId
    async with open_desk(store=path) as second:
        ib = await second.connect(1)
        assert {t.order.permId for t in ib.openTrades()} == perm_ids
        assert {t.order.parentId for t in ib.openTrades()} == {trades[0].order.orderId}
        assert [p.position for p in ib.positions()] == [10]
        assert [f.execution.shares for f in ib.fills()] == [10]
        assert ib.client.getReqId() > last_id
        second.quote("155.10", "155.12")
        await settled(ib)
        assert ib.openTrades() == []
        assert [p for p in ib.positions() if p.position] == []


async def test_executions_can_be_filtered(desk: Desk) -> None:
    ib = await desk.connect(1)
    ib.placeOrder(AAPL, MarketOrder("BUY", 10))
    ib.placeOrder(AAPL, MarketOrder("SELL", 4))
    await settled(ib)
    assert len(await ib.reqExecutionsAsync()) == 2
    sells = await ib.reqExecutionsAsync(ExecutionFilter(side="SELL"))
    assert [fill.execution.shares for fill in sells] == [4]
    assert await ib.reqExecutionsAsync(ExecutionFilter(symbol="MSFT")) == []
    assert await ib.reqExecutionsAsync(ExecutionFilter(clientId=7)) == []
    assert len(await ib.reqExecutionsAsync(ExecutionFilter(clientId=1))) == 2
    late = ExecutionFilter(time="20261120 23:00:00 US/Eastern")
    assert await ib.reqExecutionsAsync(late) == []


async def test_a_stop_waits_for_its_trigger(desk: Desk) -> None:
    ib = await desk.connect()
    trade = ib.placeOrder(AAPL, StopOrder("SELL", 10, 145))
    await settled(ib)
    assert (status(trade), trade.orderStatus.whyHeld) == ("PreSubmitted", "trigger")
    desk.quote("144.90", "144.92")
    await settled(ib)
    assert status(trade) == "Filled"


async def test_strict_clients_may_not_touch_each_others_orders() -> None:
    config = ExchangeConfig(opened_at=OPENED, strict_clients=True)
    async with open_desk(config=config) as desk:
        desk.quote("149.99", "150.01")
        one, two = await desk.connect(1), await desk.connect(2)
        trade = one.placeOrder(AAPL, LimitOrder("BUY", 10, 140))
        await settled(one)
        two.client.cancelOrder(trade.order.orderId)
        await settled(two)
        await settled(one)
        assert status(trade) == "Submitted"
