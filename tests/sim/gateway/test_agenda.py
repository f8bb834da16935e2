"""What was planned happens at its hour: a moment, a message, a fill, a byte, a halt."""

from __future__ import annotations

import asyncio

import pytest
from ib_insync import IB

from ibkr_trader.sim.gateway.acts import CannotDo
from ibkr_trader.sim.gateway.framing import frame
from ibkr_trader.sim.gateway.ledger_view import LedgerView
from tests.sim.gateway.desk import (
    AAPL,
    AAPL_ID,
    ERROR,
    EXEC,
    STATUS,
    Desk,
    Do,
    Message,
    limited,
    raw_messages,
    settle,
)
from tests.sim.gateway.raw_client import ASK_TIME, connected


def last(desk: Desk) -> float:
    return float(desk.exchange.market.tape(AAPL_ID).last or 0)


def told(messages: list[Message], kind: str) -> int:
    return sum(fields[0] == kind for fields in messages)


@pytest.mark.parametrize(
    ("words", "wait"),
    [
        ("--at 10:30", 1800),
        ("--at 09:30", 84_600),  # it is ten: tomorrow's
        ("--at 2026-11-20T10:00:10", 10),
        ("--at 2026-11-20T15:01:00+00:00", 60),
        ("--after 5m", 300),
    ],
)
def test_a_moment_comes(desk: Desk, do: Do, words: str, wait: float) -> None:
    assert do(f"price AAPL 90 {words}").text == "planned: number 1"
    desk.wait(wait - 1)
    assert last(desk) != 90
    desk.wait(1)
    assert last(desk) == 90
    assert desk.server.engine.floor.wiring.agenda.armed == (), "once"


async def test_a_fault_is_in_force_from_a_moment_on(desk: Desk, ib: IB, do: Do) -> None:
    do("swallow --after 10")
    ib.placeOrder(AAPL, limited("x-1"))
    await settle(desk, ib)
    desk.wait(10)
    ib.placeOrder(AAPL, limited("x-2"))
    await settle(desk, ib)
    assert [o.terms.order_ref for o in desk.exchange.orders.working()] == ["x-1"]


async def test_a_message_sets_it_off_before_it_is_done(desk: Desk, ib: IB, do: Do) -> None:
    do("gap AAPL -50% --on placeOrder --order entry --nth 2")
    ib.placeOrder(AAPL, limited("x-other", limit=1))
    ib.placeOrder(AAPL, limited(limit=1))
    await settle(desk, ib)
    assert last(desk) > 140
    ib.placeOrder(AAPL, limited("y-entry", limit=80))
    await settle(desk, ib)
    (fill,) = desk.exchange.orders.executions()
    assert fill.price < 80, "the market was there already"


async def test_news_sets_it_off_after_it_is_told(desk: Desk, ib: IB, do: Do) -> None:
    do("halt AAPL --on execDetails")
    ib.placeOrder(AAPL, limited(limit=200))
    await settle(desk, ib)
    assert desk.exchange.market.tape(AAPL_ID).halted


async def test_a_part_that_has_filled_sets_it_off(desk: Desk, ib: IB, do: Do) -> None:
    do("drop execDetails orderStatus --times 0 --when-filled 40% --order entry")
    ib.placeOrder(AAPL, limited())
    await settle(desk, ib)
    said = raw_messages(ib)
    do("trade entry 3")
    await settle(desk, ib)
    assert told(said, EXEC) == 1
    said.clear()
    do("trade entry 1")
    do("trade entry 6")
    await settle(desk, ib)
    assert (told(said, EXEC), told(said, STATUS)) == (0, 0), "not even the fill that set it off"


async def test_a_connection_sets_it_off(desk: Desk, do: Do) -> None:
    do("never-end openOrderEnd --connection 2 --client 1")
    ask, end = frame(("5", "1")), b"53\x001\0"
    async with connected(desk, 1) as client:
        assert (await client.asked(ask)).endswith(end)
    async with connected(desk, 2) as other, connected(desk, 1) as again:
        assert (await other.asked(ask)) == b""
        assert (await again.asked(ask)) == b"", "it is in force for all"
        assert "client 1 is at its connection 2" in do("look").text


async def test_a_connection_can_be_cut_as_soon_as_it_stands(desk: Desk, do: Do) -> None:
    do("fin now --connection 1")
    async with connected(desk, 1) as client:
        await asyncio.wait_for(client.ended.wait(), 5)
    async with connected(desk, 1) as client:
        assert await client.asked() != b""


async def test_a_halt_sets_it_off(desk: Desk, ib: IB, do: Do) -> None:
    said = raw_messages(ib)
    do("1100 --on-halt AAPL")
    do("1102 --on-unhalt AAPL")
    do("halt MSFT")
    await settle(desk, ib)
    assert told(said, ERROR) == 0
    for words, count in (("halt AAPL", 1), ("unhalt AAPL", 2)):
        do(words)
        await settle(desk, ib)
        assert told(said, ERROR) == count
    with pytest.raises(CannotDo, match="lists no stock NONE"):
        do("1100 --on-halt NONE")


async def test_a_byte_sets_it_off(desk: Desk, do: Do) -> None:
    async with connected(desk, 1) as client:
        await client.asked()
        client.reads.clear()
        do("fin --byte 27")
        assert len(await client.asked(ASK_TIME + ASK_TIME)) == 27, "of forty"
        await asyncio.wait_for(client.ended.wait(), 5)


async def test_a_byte_of_a_clients_sets_it_off(desk: Desk, do: Do) -> None:
    async with connected(desk, 1) as client:
        do(f"rst --byte {len(ASK_TIME) + 3} --way c2s --client 1")
        assert len(await client.asked()) == 20
        client.say(ASK_TIME)
        await asyncio.wait_for(client.ended.wait(), 5)
        assert isinstance(client.error, ConnectionResetError)
        assert len(client.heard) == 20
    async with connected(desk, 1) as again:
        assert len(await again.asked()) == 20, "it strikes once"


async def test_a_plan_is_told_and_lifted(desk: Desk, ib: IB, do: Do) -> None:
    do("gap AAPL 5 --at 10:30")
    do("gap AAPL 5 --on placeOrder")
    do("gap AAPL 5 --byte 3")
    assert [line for line in do("look").text.splitlines() if "plan" in line] == [
        "plan 1: gap at 2026-11-20 10:30:00 EST",
        "plan 2: gap when passing (names placeOrder, order *, nth 1, times 1, answers True)",
        "plan 4: gap when byte (at 3, way s2c)",
    ]
    assert do("lift 2").data["lifted"] == 1
    assert desk.server.faults.armed == (), "nothing waits for its message any more"
    assert do("lift 4").data["lifted"] == 1
    assert desk.server.network.is_idle, "nor for its byte"
    do("gap AAPL 5 --on placeOrder")
    assert do("lift").data["lifted"] == 2
    before = last(desk)
    ib.placeOrder(AAPL, limited())
    desk.wait(1800)
    await settle(desk, ib)
    assert "plan" not in do("look").text
    assert abs(last(desk) / before - 1) < 0.04


async def test_what_cannot_be_done_then_is_in_the_log(
    desk: Desk, do: Do, caplog: pytest.LogCaptureFixture
) -> None:
    do("hand close AAPL --after 1")
    do("price AAPL 90 --after 2")
    desk.wait(2)
    assert "what was planned cannot be done: nothing is held" in caplog.text
    assert "as planned: AAPL stands at 90.00" in caplog.text
    assert LedgerView(desk.exchange).live() == ()
