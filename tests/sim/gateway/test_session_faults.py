"""Faults of the session: the broker out of reach, restarts, answers that never end."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from ib_insync import IB, LimitOrder, MarketOrder, Stock, StopOrder

from ibkr_trader.sim.gateway import session_faults as faults
from ibkr_trader.sim.gateway.acts import CannotDo
from ibkr_trader.sim.gateway.framing import frame
from ibkr_trader.sim.gateway.session_faults import SessionFault
from tests.sim.gateway.desk import (
    AAPL,
    EXEC,
    OPEN,
    PRICE,
    STATUS,
    Desk,
    Do,
    codes,
    held,
    ids,
    order,
    raw_messages,
    settle,
)
from tests.sim.gateway.raw_client import connected

MSFT = Stock("MSFT", "SMART", "USD", conId=272093)


@pytest.mark.parametrize("code", ["1100", "2110"])
async def test_orders_live_on_while_the_broker_is_out_of_reach(
    desk: Desk, ib: IB, do: Do, code: str
) -> None:
    said = raw_messages(ib)
    do(code)
    ib.placeOrder(AAPL, order(MarketOrder))
    await settle(desk, ib)
    assert codes(said) == [code]
    assert ids(said, STATUS, OPEN, EXEC) == [], "nobody is told"
    assert held(desk) == 10
    said.clear()
    do("1102")
    await settle(desk, ib)
    assert codes(said) == ["1102"]
    assert ids(said, STATUS, OPEN, EXEC) == [], "and it is not told later"
    assert len(await ib.reqExecutionsAsync()) == 1, "who asks is told"


async def test_orders_can_sit_until_the_broker_is_back(desk: Desk, ib: IB, do: Do) -> None:
    do("1100 sit")
    ib.placeOrder(AAPL, order(LimitOrder, 100))
    await settle(desk, ib)
    assert desk.exchange.orders.working() == ()
    do("1101")
    assert len(desk.exchange.orders.working()) == 1


async def test_questions_wait_for_the_broker(desk: Desk, do: Do) -> None:
    async with connected(desk, 1) as client:
        do("1100")
        await client.settle()
        assert await client.asked(frame(("5", "1"))) == b""
        do("lift")
        await client.settle()
        assert client.heard.endswith(b"53\x001\0")
    assert not desk.server.uplink.armed


async def test_who_connects_in_an_outage_is_told_of_it(desk: Desk, do: Do) -> None:
    do("1100")
    async with connected(desk, None) as client:
        heard = await client.asked(frame(("71", "2", "1", "")))
        assert b"\x002110\0Connectivity between" in heard
    do("1102")
    async with connected(desk, None) as client:
        assert b"2110" not in await client.asked(frame(("71", "2", "1", "")))


async def test_an_order_that_sits_outlives_its_client_and_a_question_does_not(
    desk: Desk, ib: IB, do: Do
) -> None:
    do("1100 sit")
    ib.placeOrder(AAPL, order(LimitOrder, 100))
    ib.reqMktData(AAPL)
    await settle(desk, ib)
    await desk.leave(ib)
    desk.wait(1)
    do("1102")
    assert len(desk.exchange.orders.working()) == 1
    assert not desk.exchange.market.watched, "nobody is there to be told"


@pytest.mark.parametrize(("code", "prices"), [("1101", 0), ("1102", 1)])
async def test_subscriptions_are_lost_or_kept(
    desk: Desk, ib: IB, do: Do, code: str, prices: int
) -> None:
    ib.reqMktData(AAPL)
    await settle(desk, ib)
    do("1100")
    said = raw_messages(ib)
    desk.quote("151.00", "151.02")
    await settle(desk, ib)
    assert ids(said, PRICE) == [], "prices stand still"
    do(code)
    await settle(desk, ib)
    assert bool(ids(said, PRICE)) is bool(prices), "what is kept is told as it now stands"
    said.clear()
    desk.quote("152.00", "152.02")
    await settle(desk, ib)
    assert bool(ids(said, PRICE)) is bool(prices)
    ib.reqMktData(AAPL)
    await settle(desk, ib)
    assert ids(said, PRICE), "a new subscription works"


async def test_somebody_else_has_the_data_for_a_while(desk: Desk, ib: IB, do: Do) -> None:
    ib.reqMktData(AAPL)
    await settle(desk, ib)
    said = raw_messages(ib)
    do("competing-session 60")
    desk.quote("151.00", "151.02")
    await settle(desk, ib)
    assert (codes(said), ids(said, PRICE)) == (["10197"], [])
    ib.reqMktData(MSFT)
    await settle(desk, ib)
    assert codes(said) == ["10197", "10197"], "a new subscription has none either"
    desk.wait(60)
    await settle(desk, ib)
    assert ids(said, PRICE), "and it comes back"


async def test_prices_stand_still_and_nobody_says_so(desk: Desk, ib: IB, do: Do) -> None:
    ib.reqMktData(AAPL)
    await settle(desk, ib)
    said = raw_messages(ib)
    do("stale 10")
    desk.quote("151.00", "151.02")
    ib.placeOrder(AAPL, order(MarketOrder))
    await settle(desk, ib)
    assert ids(said, PRICE) == []
    assert ids(said, EXEC) == [EXEC], "orders are told of"
    desk.wait(10)
    await settle(desk, ib)
    assert ids(said, PRICE)


async def test_data_turns_delayed_and_live_again(desk: Desk, ib: IB, do: Do) -> None:
    ib.reqMktData(AAPL)
    await settle(desk, ib)
    said = raw_messages(ib)
    do("delayed-data")
    desk.quote("151.00", "151.02")
    await settle(desk, ib)
    assert codes(said) == ["10167"]
    assert [fields[3] for fields in said if fields[0] == "58"] == ["3"]
    kinds = {fields[3] for fields in said if fields[0] == PRICE}
    assert {"66", "67"} <= kinds
    assert not {"1", "2"} & kinds
    said.clear()
    do("lift")
    await settle(desk, ib)
    assert [fields[3] for fields in said if fields[0] == "58"] == ["1"]
    assert {"1", "2"} <= {fields[3] for fields in said if fields[0] == PRICE}


@pytest.mark.parametrize("kept_back", ["stale", "competing-session", "1100"])
@pytest.mark.parametrize("other", ["delayed-data", "stale 1", "1102"])
async def test_what_keeps_prices_back_does_so_whatever_else_begins_or_ends(
    desk: Desk, ib: IB, do: Do, kept_back: str, other: str
) -> None:
    ib.reqMktData(AAPL)
    await settle(desk, ib)
    said = raw_messages(ib)
    do(kept_back)
    desk.quote("151.00", "151.02")
    if other != "1102":
        do(other)
        desk.wait(1)
    elif kept_back != "1100":
        do("1100")
        do("1102")
    await settle(desk, ib)
    assert ids(said, PRICE) == []
    do("lift")
    await settle(desk, ib)
    assert ids(said, PRICE)


async def test_a_client_id_is_said_to_be_taken(desk: Desk, do: Do) -> None:
    do("326-then-close 2")
    for _ in range(2):
        async with connected(desk, None) as client:
            heard = await client.asked(frame(("71", "2", "1", "")))
            assert heard.split(b"\0")[6] == b"326"
            await asyncio.wait_for(client.ended.wait(), 5)
    assert (await desk.connect(1)).isConnected()


async def test_the_port_moves(desk: Desk, do: Do) -> None:
    before = desk.server.port
    moved: list[int] = []
    desk.server.listening.moved = moved.append
    async with connected(desk, 1) as client:
        answer = do("1300")
        await asyncio.wait_for(client.ended.wait(), 5)
        assert b"1300\0TWS socket port has been reset" in client.heard
        assert f"new port - {desk.server.port}".encode() in client.heard
    assert moved == [desk.server.port] == [answer.data["port"]] != [before]
    assert (await desk.connect(1)).isConnected()
    for words, complaint in [
        (f"1300 {desk.server.port}", "cannot be listened at"),
        ("1300 4002", "of TWS or IB Gateway"),
    ]:
        with pytest.raises(CannotDo, match=complaint):
            do(words)
    assert (await desk.connect(2)).isConnected(), "it listens where it did"


@pytest.mark.parametrize(("what", "left"), [("keep", 1), ("lose", 0)])
async def test_it_restarts(desk: Desk, ib: IB, do: Do, what: str, left: int) -> None:
    lost = asyncio.Event()
    ib.disconnectedEvent += lost.set
    ib.placeOrder(AAPL, order(LimitOrder, 100))
    ib.placeOrder(AAPL, order(LimitOrder, 90, ref="k7qav-2-entry", transmit=False))
    await settle(desk, ib)
    do("1100")
    do(f"restart {what} 60")
    await asyncio.wait_for(lost.wait(), 5)
    with pytest.raises(ConnectionRefusedError):
        async with connected(desk, 1):
            pass
    desk.wait(60)
    again = await desk.connect(1)
    assert len(await again.reqOpenOrdersAsync()) == 1, "and it has its broker again"
    hidden = [o for o in desk.exchange._pit.ledger.orders.values() if not o.is_visible]
    assert len(hidden) == left


@pytest.mark.parametrize(("how", "told"), [("lower", "1"), ("same", "1"), ("huge", "2147483647")])
async def test_the_next_order_id_is_wrong_once(
    desk: Desk, ib: IB, do: Do, how: str, told: str
) -> None:
    ib.placeOrder(AAPL, order(LimitOrder, 100))
    await settle(desk, ib)
    (working,) = desk.exchange.orders.working()
    do(f"next-valid-id {how}")
    said = raw_messages(ib)
    ib.client.reqIds(1)
    ib.client.reqIds(1)
    await settle(desk, ib)
    wrong = str(working.order_id) if how == "same" else told
    free = str(working.order_id + 1)
    assert [fields[2] for fields in said if fields[0] == "9"] == [wrong, free]


async def test_midnight_takes_the_days_books(desk: Desk, ib: IB, do: Do) -> None:
    ib.placeOrder(AAPL, order(MarketOrder))
    await settle(desk, ib)
    assert len(await ib.reqExecutionsAsync()) == 1
    do("midnight-rollover")
    assert await ib.reqExecutionsAsync() == []
    assert await ib.reqCompletedOrdersAsync(apiOnly=False) == []
    assert held(desk) == 10, "what is held stays"


async def test_a_trade_log_of_days_tells_the_executions_of_days_ago(
    desk: Desk, ib: IB, do: Do
) -> None:
    ib.placeOrder(AAPL, order(MarketOrder))
    await settle(desk, ib)
    first = [fill.execution.execId for fill in await ib.reqExecutionsAsync()]
    do("midnight-rollover")
    ib.placeOrder(AAPL, order(MarketOrder))
    await settle(desk, ib)
    today = [fill.execution.execId for fill in await ib.reqExecutionsAsync()]
    assert len(today) == 1
    do("trade-log 2")
    assert [fill.execution.execId for fill in await ib.reqExecutionsAsync()] == first + today
    do("advance 2d")
    assert await ib.reqExecutionsAsync() == [], "of today there are none, and none of yesterday"
    do("trade-log 7")
    assert [fill.execution.execId for fill in await ib.reqExecutionsAsync()] == first + today
    do("trade-log 1")
    assert await ib.reqExecutionsAsync() == []


async def test_a_client_may_be_told_its_own_executions_alone(desk: Desk, ib: IB, do: Do) -> None:
    ib.placeOrder(AAPL, order(MarketOrder))
    await settle(desk, ib)
    do("hand buy AAPL 3")
    await settle(desk, ib)
    whole = {fill.execution.clientId for fill in await ib.reqExecutionsAsync()}
    do("executions own")
    own = {fill.execution.clientId for fill in await ib.reqExecutionsAsync()}
    assert own == {ib.client.clientId}
    assert whole == {ib.client.clientId, 0}
    do("executions all")
    assert len(await ib.reqExecutionsAsync()) == len(whole)


@pytest.mark.parametrize(
    ("name", "request_frame", "end"),
    [
        ("openOrderEnd", ("5", "1"), b"53\0"),
        ("positionEnd", ("61", "1"), b"62\0"),
        ("execDetailsEnd", ("7", "3", "1", "", "", "", "", "", "", ""), b"55\0"),
        ("completedOrdersEnd", ("99", "0"), b"102\0"),
        ("accountDownloadEnd", ("6", "2", "1", ""), b"54\0"),
    ],
)
async def test_answers_do_not_end(
    desk: Desk, do: Do, name: str, request_frame: tuple[str, ...], end: bytes
) -> None:
    async with connected(desk, 1) as client:
        do(f"never-end {name}")
        assert b"\0" + end not in await client.asked(frame(request_frame))
        await client.asked(frame(request_frame))
        do("lift")
        heard = await client.asked(frame(request_frame))
        assert end in heard[-60:], "and then they do"


@pytest.mark.parametrize(
    ("which", "told"),
    [
        ("several", b"SIM0000001,SIM0000002"),
        ("other", b"SIM0000002"),
        ("live", b"U0000000"),
        ("none", b""),
        ("SIM0000007", b"SIM0000007"),
    ],
)
async def test_other_accounts_are_told(desk: Desk, do: Do, which: str, told: bytes) -> None:
    do(f"accounts {which}")
    async with connected(desk, None) as client:
        heard = await client.asked(frame(("71", "2", "1", "")))
        assert heard[4:].startswith(b"15\x001\0" + told + b"\0")


@pytest.mark.parametrize(("mode", "size"), [("full-size", 10), ("resized", 4), ("held", None)])
async def test_brackets_behave_as_chosen(
    desk: Desk, ib: IB, do: Do, mode: str, size: int | None
) -> None:
    do(f"bracket-mode {mode}")
    parent = order(LimitOrder, 100)
    parent.orderId, parent.transmit = ib.client.getReqId(), False
    ib.placeOrder(AAPL, parent)
    stop = StopOrder("SELL", 10, 90, tif="GTC", orderRef="k7qav-1-stop", parentId=parent.orderId)
    ib.placeOrder(AAPL, stop)
    await settle(desk, ib)
    do("trade entry 4")
    (child,) = [o for o in desk.exchange.orders.working() if o.terms.order_ref.endswith("stop")]
    assert (None if child.is_held and child.why_held == "child" else child.quantity) == size


@pytest.mark.parametrize(
    "fault",
    [
        faults.Outage(code=2110, orders="sit"),
        faults.CompetingSession(seconds=3),
        faults.Stale(),
        faults.DelayedData(),
    ],
)
def test_a_fault_travels_as_it_is(fault: SessionFault) -> None:
    assert msgspec.json.decode(msgspec.json.encode(fault), type=SessionFault) == fault


async def test_what_is_in_force_is_told(desk: Desk, do: Do) -> None:
    do("1100")
    do("2110 sit")
    do("stale")
    assert do("look").text.splitlines() == [
        "fault 2: outage (code 2110, orders sit)",
        "fault 3: stale",
    ], "an outage takes the other's place"
    do("lift 3")
    assert [one.number for one in desk.server.uplink.armed] == [2]
