"""Counting stands beside the order path: it delays nobody, and is bounded."""

from __future__ import annotations

import logging
from decimal import Decimal

import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.models import OrderId
from ibkr_trader.execution import metering as module
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.metering import Metering
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.portfolio.forensics import Latency
from ibkr_trader.portfolio.meters import Meters
from tests.execution.parts import START, Floor, request


def outcomes(meters: Meters) -> dict[str, Decimal]:
    return {labels[0][1]: count for labels, count in meters.orders.amounts.items()}


def warning(number: int) -> ev.WarningEvent:
    return ev.WarningEvent(at=START, order_id=OrderId("x-1-single"), code=number, reason="hm")


async def test_an_order_is_counted_from_its_writing_to_its_end() -> None:
    async with Floor().trader() as trader:
        metering = Metering(trader)
        async with alongside(metering.work()):
            await Desk(trader).submit_order(request(), wait=Wait.FILLED)
            meters = await metering.meters()
    assert outcomes(meters) == {"filled": 1}
    assert meters.stages[Latency.ACCEPT].count == 1
    assert meters.appends.count >= 2
    assert metering.missed == 0


async def test_what_was_alive_at_the_start_is_known_and_not_counted_again() -> None:
    floor, journal = Floor(), MemoryJournal("k7qav")
    async with floor.trader(journal=journal) as trader:
        resting = await Desk(trader).submit_order(request(limit="140.00"))
        done = await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        assert done.status == "FILLED"
        metering = Metering(trader)
        assert outcomes(await metering.meters()) == {}
        await Desk(trader).cancel_order(resting.order_id)
        meters = await metering.meters()
    assert outcomes(meters) == {"cancelled": 1}
    assert meters.stages[Latency.ACCEPT].count == 0


async def test_hearing_is_laying_aside() -> None:
    """An order is announced before it is sent: nothing may be worked out then."""
    async with Floor().trader() as trader:
        metering = Metering(trader)
        before = metering._meters
        for number in range(100):
            trader.bus.publish(warning(number))
        assert metering._meters is before
        assert len(metering._heard) == 100
        await metering.meters()
        assert not metering._heard


async def test_what_is_too_much_is_missed_and_that_is_counted() -> None:
    async with Floor().trader() as trader:
        metering = Metering(trader)
        for number in range(module._MOST_HEARD + 7):
            trader.bus.publish(warning(number))
        assert (len(metering._heard), metering.missed) == (module._MOST_HEARD, 7)
        await metering.meters()
        assert not metering._heard


async def test_what_cannot_be_counted_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Meters, __: ev.BaseEvent) -> Meters:
        raise ValueError("planted")

    async with Floor().trader() as trader:
        metering = Metering(trader)
        with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
            patch.setattr(Meters, "after", broken)
            trader.bus.publish(warning(1))
            await metering.meters()
        assert "a WarningEvent could not be counted" in caplog.text
        assert metering.missed == caplog.text.count("could not be counted")
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        assert outcomes(await metering.meters()) == {"filled": 1}
