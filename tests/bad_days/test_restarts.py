"""1.A: the gateway restarts at night, as it does every day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from ibkr_trader.adapters.ibkr.absence import Absence
from ibkr_trader.cli.event_words import EventWords
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.events import (
    BaseEvent,
    DisconnectEvent,
    DriftEvent,
    ErrorEvent,
    MarketEvent,
    UnknownEvent,
)
from ibkr_trader.dashboard.scene import Light
from ibkr_trader.execution.placing import Wait, place, prepare
from ibkr_trader.sim.gateway.transport_faults import Refuse
from tests.bad_days.bad_lines import Lamps, another_link, hang_up, inject, line_of
from tests.bad_days.judges import assert_sound
from tests.bad_days.requests import bracket, exits, single
from tests.bad_days.stage import AAPL, Day

if TYPE_CHECKING:
    from collections.abc import Sequence

NEW_YORK = ZoneInfo("America/New_York")
RESTART = datetime(2026, 11, 20, 23, 45, tzinfo=NEW_YORK)
BACK_BY = datetime(2026, 11, 21, 0, 20, tzinfo=NEW_YORK)
BLINK = timedelta(milliseconds=1)


def lines(events: Sequence[BaseEvent]) -> list[str]:
    """What a running trader would have said of events."""
    words = EventWords(utc=False)
    told = (words.news(event) for event in events if not isinstance(event, MarketEvent))
    return [text for text in told if text is not None]


def goes(day: Day, seconds: float) -> None:
    """Restart the gateway: it is gone at once, and back after so many seconds."""
    day.server.arm(Refuse(seconds=seconds))
    hang_up(day)


async def test_f_a08_a_restart_at_its_hour_is_told_once_and_calmly(day: Day) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    lamps = Lamps(day)
    await day.wait_until(RESTART)
    before = len(day.heard)
    goes(day, 420)
    await day.wait(5)
    (lost,) = day.news(DisconnectEvent)
    assert lost.until == BACK_BY
    assert lamps.lit == (Light.WAITING, Light.WAITING)
    assert lamps.trouble == "the gateway is gone: restart window until 00:20 EST"
    reason = day.trader.outlook.view().state_reason
    assert reason == "not in sync with the broker: restart window until 00:20 EST"
    await day.wait(410, step=10)
    told = lines(day.heard[before:])
    assert len(told) == 1
    assert "it restarts, and is to be back by 2026-11-21 00:20:00 EST" in told[0]
    await day.wait(100, step=5)
    assert lamps.lit == (Light.UP, Light.UP)
    told = lines(day.heard[before:])
    assert len(told) <= 3, "gone, connected, in sync"
    assert not [e for e in day.heard[before:] if getattr(e, "is_serious", False)]
    assert_sound(day, AAPL)


async def test_f_a08_who_is_not_back_when_the_window_ends_is_called_for_once(day: Day) -> None:
    keeper = another_link(day, client_id=9)  # with nobody there, the exchange would go to sleep
    await keeper.open()
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    lamps = Lamps(day)
    await day.wait_until(RESTART)
    before = len(day.heard)
    goes(day, 3600)
    await day.wait(2080, step=20)  # 00:19:40
    assert len(lines(day.heard[before:])) == 1
    await day.wait(200, step=10)
    serious = [e for e in day.news(ErrorEvent) if e.is_serious]
    assert len(serious) == 1
    assert "restart window is over" in serious[0].message
    assert lamps.lit == (Light.DOWN, Light.UNKNOWN)
    await day.wait(1220, step=20)
    assert len(lines(day.heard[before:])) <= 4, "no storm of lines, however long it lasts"
    await day.wait(200, step=10)
    assert lamps.lit == (Light.UP, Light.UP)
    assert_sound(day, AAPL)
    keeper.close()


async def test_f_a08_a_gateway_that_first_loses_ibkr_and_then_goes_is_seen_to_be_gone(
    day: Day,
) -> None:
    lamps = Lamps(day)
    await day.wait_until(RESTART)
    await inject(day, "1100")
    assert lamps.lit == (Light.UP, Light.WAITING)
    before = len(day.heard)
    goes(day, 420)
    await day.wait(300, step=10)
    assert lamps.lit == (Light.WAITING, Light.WAITING)
    (told,) = lines(day.heard[before:])
    assert "now the gateway is gone" in told
    assert not [e for e in day.heard[before:] if getattr(e, "is_serious", False)]


async def test_f_a08_a_loss_outside_of_the_window_is_a_loss(day: Day) -> None:
    lamps = Lamps(day)
    await day.wait_until(BACK_BY)
    goes(day, 60)
    await day.wait(5)
    (lost,) = day.news(DisconnectEvent)
    assert lost.until is None
    assert lamps.lit == (Light.DOWN, Light.UNKNOWN)
    assert day.news(ErrorEvent)


async def test_f_a08_an_order_of_the_same_second_is_sent_or_certainly_not(day: Day) -> None:
    """Exits a millisecond before the gateway goes, and others a millisecond after."""
    await day.desk.submit_order(single(), wait=Wait.FILLED)
    await day.wait_until(RESTART - BLINK)
    early = await day.sent(exits(4))
    await day.wait(0.001)
    late = await prepare(day.trader, exits(6))
    goes(day, 120)
    void = await place(day.trader, late, wait=Wait.NONE, timeout=10)  # nobody has heard of it yet
    await day.wait(0.001)
    with pytest.raises(BrokerUnavailable):
        await day.desk.submit_group(exits(1))
    await day.wait(240, step=5)
    for order in early:
        assert day.order(order.order_id).remaining == 4
        assert not (await day.desk.get_order_status(order.order_id)).status.is_closed
    for order in void:
        ended = await day.desk.get_order_status(order.order_id)
        assert ended.status in {OrderStatus.NOT_SENT, OrderStatus.CANCELLED}
    assert len(day.wire.sent("placeOrder")) == 1 + len(early)
    assert_sound(day, AAPL, is_protected=False)


async def test_f_a08_an_order_that_a_restart_took_over_midnight_stays_unknown(day: Day) -> None:
    keeper = another_link(day, client_id=9)
    await keeper.open()
    await day.desk.submit_order(single(), wait=Wait.FILLED)
    await day.wait_until(RESTART)
    late = await prepare(day.trader, exits(10))
    goes(day, 1500)  # until 00:10
    void = await place(day.trader, late, wait=Wait.NONE, timeout=10)
    await day.wait(1800, step=10)
    assert {event.order_id for event in day.news(UnknownEvent)} == {o.order_id for o in void}
    for order in void:
        known = await day.desk.get_order_status(order.order_id)
        assert known.status in {OrderStatus.UNKNOWN, OrderStatus.PENDING_CANCEL}
    assert len(day.wire.sent("placeOrder")) == 1
    keeper.close()


async def test_f_a08_orders_for_the_day_that_end_meanwhile_are_no_drift(day: Day) -> None:
    line_of(day)._absence = Absence("15:55-16:10")
    (order,) = await day.accepted(single(limit="140"))
    await day.wait_until(datetime(2026, 11, 20, 15, 58, tzinfo=NEW_YORK))
    goes(day, 300)
    await day.wait(400, step=5)
    assert not day.ledger.live()
    assert (await day.desk.get_order_status(order.order_id)).status.is_closed
    assert not day.news(DriftEvent)
    assert_sound(day, AAPL)
