"""Chaos: a seed draws the faults, the same requests the same ones, and all is told."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal

import pytest
from ib_insync import IB, LimitOrder

from ibkr_trader.sim.gateway.act_words import read_act
from ibkr_trader.sim.gateway.chaos import Chaos
from ibkr_trader.sim.gateway.doing import Doer
from ibkr_trader.sim.gateway.naming import Subject
from ibkr_trader.sim.orders import OrderKey
from tests.sim.gateway.desk import AAPL, Desk, open_desk

ALL = Decimal(100)


def asked(number: int, name: str = "placeOrder") -> Subject:
    return Subject(name, OrderKey(1, number), f"k7qav-{number}-entry")


def draws(seed: int, *, percent: Decimal = ALL, count: int = 300) -> list[str]:
    chaos = Chaos(seed, percent)
    for number in range(count):
        chaos.draw(asked(number), 1)
    return list(chaos.drawn)


def test_a_seed_draws_the_same_and_another_does_not() -> None:
    assert draws(7) == draws(7)
    assert draws(7) != draws(8)


def test_what_comes_in_between_changes_nothing() -> None:
    mixed = Chaos(7, ALL)
    for number in range(200):
        mixed.draw(asked(number, "reqCurrentTime"), 1)
        mixed.draw(asked(number, "cancelOrder"), 1)
        mixed.draw(asked(number), 2)
        mixed.draw(asked(number), 1)
    of_one = [told for told in mixed.drawn if told.startswith("placeOrder")]
    assert [told for told in of_one if "client 1" in told][-50:] == draws(7, count=200)[-50:]


@pytest.mark.parametrize(("percent", "least", "most"), [("5", 1, 30), ("50", 110, 190)])
def test_as_many_are_drawn_as_wanted(percent: str, least: int, most: int) -> None:
    chaos = Chaos(3, Decimal(percent))
    drawn = [chaos.draw(asked(number), 1) for number in range(300)]
    assert least <= sum(one is not None for one in drawn) <= most


@pytest.mark.parametrize("name", ["placeOrder", "modifyOrder", "cancelOrder"])
def test_every_lot_is_drawn_and_strikes_that_order_alone(name: str) -> None:
    chaos = Chaos(1, ALL)
    drawn = [chaos.draw(asked(number, name), 1) for number in range(400)]
    kinds = Counter(type(fault.act).__name__ for fault in drawn if fault is not None)
    assert len(kinds) >= 4
    fault = drawn[9]
    assert fault is not None
    assert (fault.when.order, fault.when.client, fault.when.times) == ("k7qav-9-entry", 1, 1)


async def play(seed: int) -> tuple[list[str], list[str]]:
    """Send thirty orders through chaos; return what was drawn, and what became of them."""
    async with open_desk() as desk:
        do = Doer(desk.server)
        do(read_act(["chaos", str(seed), "60"]))
        ib: IB | None = None
        for number in range(30):
            if ib is None or not ib.isConnected():
                ib = await desk.connect()
            order = LimitOrder("BUY", 1, 100, tif="GTC", orderRef=f"k7qav-{number}-entry")
            ib.placeOrder(AAPL, order)
            for _ in range(40):  # an order's bytes, and a connection that may end
                await asyncio.sleep(0)
        desk.wait(30)
        found = [order.terms.order_ref for order in desk.exchange.orders.working()]
        chaos = desk.server.faults.chaos
        assert chaos is not None
        return list(chaos.drawn), found


async def test_the_same_requests_have_the_same_day(caplog: pytest.LogCaptureFixture) -> None:
    drawn, found = await play(11)
    assert (drawn, found) == await play(11)
    assert 5 < len(drawn) < 30
    assert len(found) < 30, "some never were"
    assert f"chaos 11: {drawn[0]}" in caplog.text


async def test_it_is_told_and_ended(desk: Desk) -> None:
    do = Doer(desk.server)
    assert do(read_act(["chaos", "7", "100"])).text == "chaos 7: 100 of 100 requests"
    desk.server.faults.chaos = chaos = Chaos(7, ALL)
    chaos.draw(asked(1), 1)
    told = do(read_act(["look"])).text.splitlines()
    assert told[0] == "chaos 7: 100 of 100 requests meet a fault"
    assert told[1].startswith("chaos drew placeOrder 1 of client 1: ")
    assert do(read_act(["chaos", "off"])).text == "no chaos"
    assert desk.server.faults.is_idle
    do(read_act(["chaos", "7"]))
    do(read_act(["lift"]))
    assert desk.server.faults.is_idle
