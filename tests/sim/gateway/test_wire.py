"""The wire log: everything that crossed, in memory and as a private file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from ib_insync import LimitOrder, MarketOrder

from ibkr_trader.sim.gateway.act_words import read_act
from ibkr_trader.sim.gateway.doing import Doer
from ibkr_trader.sim.gateway.order_replies import OrderStatusReply
from ibkr_trader.sim.gateway.order_requests import PlaceOrder
from ibkr_trader.sim.gateway.wire import Way, WireEntry, WireFile, WireLog
from tests.sim.gateway.desk import AAPL, OPENED, Desk, open_desk
from tests.sim.gateway.raw_client import connected


async def a_short_talk(desk: Desk) -> None:
    """Place, change and cancel an order, and trade another."""
    ib = await desk.connect()
    trade = ib.placeOrder(AAPL, LimitOrder("BUY", 10, 100, orderRef="k7qav-1-single"))
    await ib.reqCurrentTimeAsync()
    trade.order.totalQuantity = 12
    ib.placeOrder(AAPL, trade.order)
    ib.cancelOrder(trade.order)
    ib.placeOrder(AAPL, MarketOrder("SELL", 5, orderRef="k7qav-2-single"))
    await ib.reqCurrentTimeAsync()


async def test_both_directions_are_logged_in_order() -> None:
    log = WireLog()
    async with open_desk() as desk:
        desk.server.engine.floor.wiring.tap = log
        await a_short_talk(desk)
    sent = [entry.name for entry in log.sent()]
    for name in ("startApi", "placeOrder", "modifyOrder", "cancelOrder", "reqCurrentTime"):
        assert name in sent
    assert [e.name for e in log.sent("placeOrder", "modifyOrder", ref="k7qav-1-single")] == [
        "placeOrder",
        "modifyOrder",
    ]
    (changed,) = log.sent("modifyOrder")
    assert isinstance(changed.message, PlaceOrder)
    assert changed.message.order.quantity == 12
    assert changed.client_id == 1
    assert changed.key == log.sent("placeOrder")[0].key
    statuses = [e.message for e in log.told("orderStatus", ref="k7qav-1-single")]
    assert [m.status for m in statuses if isinstance(m, OrderStatusReply)][-1] == "Cancelled"
    assert [e.name for e in log.told(ref="k7qav-2-single")][-1] == "commissionReport"
    assert all(entry.at >= OPENED for entry in log.entries)
    moments = [entry.at for entry in log.entries]
    assert moments == sorted(moments)


async def test_what_cannot_be_read_is_logged_too() -> None:
    log = WireLog()
    async with open_desk() as desk:
        desk.server.engine.floor.wiring.tap = log
        ib = await desk.connect()
        ib.client.sendMsg("999\0what\0")
        ib.client.sendMsg("4\0what\0")
        await ib.reqCurrentTimeAsync()
    assert [entry.name for entry in log.sent()].count("unreadable") == 2


async def test_a_file_has_what_judges_need(tmp_path: Path) -> None:
    path = tmp_path / "wire.jsonl"
    wire = WireFile(path)
    async with open_desk() as desk:
        desk.server.engine.floor.wiring.tap = wire
        await a_short_talk(desk)
    wire.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    placed = next(line for line in lines if line["name"] == "placeOrder")
    assert placed["way"] == "in"
    assert placed["symbol"] == "AAPL"
    assert (placed["quantity"], placed["limit_price"]) == ("10", "100")
    assert (placed["order_ref"], placed["client_id"]) == ("k7qav-1-single", 1)
    ended = [line for line in lines if line["name"] == "orderStatus" and "filled" in line]
    assert ended[-1]["status"] == "Filled"
    assert next(line for line in lines if line["name"] == "execDetails")["shares"] == "5"
    assert path.stat().st_mode & 0o077 == 0


async def test_a_file_tells_what_did_not_arrive(tmp_path: Path) -> None:
    wire = WireFile(tmp_path / "wire.jsonl")
    async with open_desk() as desk:
        desk.server.engine.floor.wiring.tap = wire
        async with connected(desk) as client:
            Doer(desk.server)(read_act(["half-frame", "7", "currentTime"]))
            await client.asked()
    wire.close()
    lines = [json.loads(line) for line in (tmp_path / "wire.jsonl").read_text().splitlines()]
    (cut,) = [line for line in lines if line["name"] == "currentTime"]
    assert (cut["fate"], cut["bytes"], cut["arrived"]) == ("cut", 20, 7)
    assert cut["at"].startswith("2026-11-20T15:00:00")
    assert all("fate" not in line for line in lines if line["name"] != "currentTime")


def test_a_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "wire.jsonl"
    path.touch(mode=0o644)
    wire = WireFile(path, largest=500)
    entry = WireEntry(at=datetime(2026, 11, 20, tzinfo=UTC), client_id=1, way=Way.IN, name="x")
    for _ in range(50):
        wire(entry)
    wire.close()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["wire.jsonl", "wire.jsonl.1"]
    for one in tmp_path.iterdir():
        assert one.stat().st_size <= 500
        assert one.stat().st_mode & 0o077 == 0, "an old file is made private, too"
