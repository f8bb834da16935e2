"""Alarms are told until somebody takes note, whatever becomes of messenger and process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters.memory_journal import MemoryJournal
from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import NotifyFailed
from ibkr_trader.execution.alarming import Alarming, AlarmRules, message_of
from ibkr_trader.execution.desk import Desk
from ibkr_trader.portfolio.alarms import Trouble
from tests.execution.parts import INSTALL, START, Floor, request

if TYPE_CHECKING:
    from ibkr_trader.core.models import OrderId
    from ibkr_trader.execution.trader import Trader

ONE = Trouble("day-end", "the day is NOT ended flat: AAPL")
RULES = AlarmRules(repeat=300, longest=900, patience=0.05)


class Messenger:
    """Remembers what it was to carry; `fault` is what it does instead."""

    def __init__(self) -> None:
        self.carried: list[str] = []
        self.fault: Callable[[], object] | None = None
        self.has_come = asyncio.Event()

    async def notify(self, title: str, body: str) -> None:
        self.has_come.set()
        if self.fault is not None:
            found = self.fault()
            if asyncio.iscoroutine(found):
                await found
        self.carried.append(f"{title}\n{body}")


def refuse() -> None:
    raise NotifyFailed("not told by DESK_NOTIFY_URL (ntfy)")


def break_down() -> None:
    raise RuntimeError("a plugin's own fault")


async def hang() -> None:
    await asyncio.Event().wait()


async def alarmed(alarming: Alarming) -> None:
    """Let the alarming look and tell, as its tasks would, without waiting for a beat."""
    alarming._look()
    await alarming._send()


def of(trader: Trader, messenger: Messenger) -> Alarming:
    trader.alarming.notifier, trader.alarming.rules = messenger, RULES
    return trader.alarming


@pytest.fixture
def floor() -> Floor:
    return Floor()


async def test_l6_an_alarm_is_told_again_and_again_until_somebody_takes_note(floor: Floor) -> None:
    async with floor.trader() as trader:
        messenger = Messenger()
        alarming = of(trader, messenger)
        alarming.raise_alarm(ONE)
        for seconds, told in (
            (0, 1),
            (299, 1),
            (1, 2),
            (599, 2),
            (1, 3),
            (899, 3),
            (1, 4),
            (900, 5),
        ):
            floor.clock.advance(seconds)
            await alarmed(alarming)
            assert len(messenger.carried) == told, seconds
        assert alarming.acknowledge([ONE.key, "another"], by="me", reason="seen") == (ONE.key,)
        floor.clock.advance(100_000)
        await alarmed(alarming)
        assert len(messenger.carried) == 5
        assert not alarming.standing


async def test_its_end_is_told_at_once_and_it_still_waits_for_somebody(floor: Floor) -> None:
    async with floor.trader() as trader:
        messenger = Messenger()
        alarming = of(trader, messenger)
        alarming.raise_alarm(ONE)
        await alarmed(alarming)
        alarming.raise_alarm(ONE._replace(is_over=True))
        await alarmed(alarming)
        assert "(it is over)" in messenger.carried[-1]
        assert len(messenger.carried) == 2
        floor.clock.advance(1000)
        await alarmed(alarming)
        assert len(messenger.carried) == 3


async def test_one_that_comes_back_after_its_end_is_told_in_the_first_pause(floor: Floor) -> None:
    async with floor.trader() as trader:
        messenger = Messenger()
        alarming = of(trader, messenger)
        for _ in range(3):  # the pauses have grown
            alarming.raise_alarm(ONE)
            await alarmed(alarming)
            floor.clock.advance(900)
        for is_over in (True, False, True, False):  # and it flutters
            alarming.raise_alarm(ONE._replace(is_over=is_over))
            await alarmed(alarming)
            floor.clock.advance(1)
        assert [("(it is over)" in one) for one in messenger.carried] == [False] * 3 + [True]
        floor.clock.advance(300)
        await alarmed(alarming)
        assert len(messenger.carried) == 5
        assert "(it is over)" not in messenger.carried[-1]


@pytest.mark.parametrize("fault", [refuse, break_down, hang])
async def test_a_message_that_does_not_get_through_is_tried_again_soon(
    fault: Callable[[], object], floor: Floor
) -> None:
    async with floor.trader() as trader:
        messenger = Messenger()
        alarming = of(trader, messenger)
        messenger.fault = fault
        alarming.raise_alarm(ONE)
        await alarmed(alarming)
        assert not messenger.carried
        assert alarming.trouble
        assert alarming.told(ONE.key).times == 0
        messenger.fault = None
        floor.clock.advance(31)
        await alarmed(alarming)
        assert len(messenger.carried) == 1
        assert not alarming.trouble


async def test_the_next_trader_goes_on_with_it(floor: Floor) -> None:
    journal = MemoryJournal(INSTALL)
    async with floor.trader(journal=journal) as trader:
        trader.alarming.raise_alarm(ONE)
        trader.alarming._look()
    async with floor.trader(journal=journal) as trader:
        messenger = Messenger()
        alarming = of(trader, messenger)
        await alarmed(alarming)
        assert not messenger.carried, "a command that ends at once repeats nothing"
        alarming.stays = True
        await alarmed(alarming)
        assert len(messenger.carried) == 1
        alarming.acknowledge([ONE.key], by="")
    async with floor.trader(journal=journal) as trader:
        assert not trader.alarming.standing


async def test_what_nobody_was_told_of_is_told_before_the_end(floor: Floor) -> None:
    messenger = Messenger()
    async with floor.trader() as trader:
        of(trader, messenger).raise_alarm(ONE)
    assert len(messenger.carried) == 1


async def test_a_messenger_that_hangs_does_not_hold_up_the_end(floor: Floor) -> None:
    messenger = Messenger()
    messenger.fault = hang
    async with asyncio.timeout(10):
        async with floor.trader() as trader:
            of(trader, messenger).raise_alarm(ONE)
    assert not messenger.carried


async def test_news_makes_alarms_by_itself(floor: Floor) -> None:
    async with floor.trader() as trader:
        messenger = Messenger()
        of(trader, messenger)
        trader.record.witness([ev.ErrorEvent(at=START, code=9, message="odd", is_serious=True)])
        async with asyncio.timeout(10):
            await messenger.has_come.wait()
        assert [one.key for one in trader.alarming.standing] == ["error:9"]


async def test_a_lost_link_with_something_at_stake_is_an_alarm_and_its_end_is_none(
    floor: Floor,
) -> None:
    async with floor.trader() as trader:
        alarming = of(trader, Messenger())
        floor.sell_as_another_client(5, limit="170")
        await trader.recovery.synchronize()
        trader.record.witness([ev.DisconnectEvent(at=floor.clock.now(), epoch=1, reason="gone")])
        alarming._look()
        assert not alarming.standing
        floor.clock.advance(60)
        alarming._look()
        assert [one.key for one in alarming.standing] == ["link"]
        trader.record.witness([ev.SyncEvent(at=floor.clock.now(), epoch=2)])
        alarming._look()
        assert not alarming.standing


async def test_a_gateway_that_restarts_as_every_night_is_none_until_it_is_overdue(
    floor: Floor,
) -> None:
    async with floor.trader() as trader:
        alarming = of(trader, Messenger())
        floor.sell_as_another_client(5, limit="170")
        await trader.recovery.synchronize()
        now = floor.clock.now()
        gone = ev.DisconnectEvent(at=now, epoch=1, reason="FIN", until=now + timedelta(minutes=40))
        trader.record.witness([gone])
        floor.clock.advance(40 * 60)
        alarming._look()
        assert not alarming.standing
        floor.clock.advance(60)
        alarming._look()
        assert [one.key for one in alarming.standing] == ["link"]


async def test_a_second_order_of_unknown_fate_is_told_while_the_first_alarm_waits(
    floor: Floor,
) -> None:
    async with floor.trader() as trader:
        alarming = of(trader, Messenger())
        for limit in ("140", "141"):
            await Desk(trader).submit_order(request(limit=limit))
        one, two = trader.portfolio.orders

        def lose(*order_ids: OrderId) -> ev.AlarmEvent:
            """Let these be unknown for a while; return the alarm that stands then."""
            for order_id in order_ids:
                at = floor.clock.now()
                trader.record.witness([ev.UnknownEvent(at=at, order_id=order_id, reason="silence")])
            floor.clock.advance(31)
            alarming._look()
            alarming._look()
            (alarm,) = alarming.standing
            return alarm

        def find(*order_ids: OrderId) -> ev.AlarmEvent:
            for order_id in order_ids:
                at = floor.clock.now()
                trader.record.witness([ev.StatusEvent(at=at, order_id=order_id, is_working=True)])
            return lose()

        assert (lose(one).message.count("-single"), alarming.standing[0].count) == (1, 1)
        assert (lose(two).message.count("-single"), alarming.standing[0].count) == (2, 2)
        assert find(one, two).is_over
        again = lose(two)
        assert not again.is_over, "nobody has taken note, and it is lost anew"
        assert again.message.count("-single") == 1


async def test_without_a_messenger_alarms_are_kept_all_the_same(floor: Floor) -> None:
    async with floor.trader() as trader:
        trader.alarming.raise_alarm(ONE)
        await alarmed(trader.alarming)
        assert [one.key for one in trader.alarming.standing] == [ONE.key]
        assert not trader.alarming.told(ONE.key).times


def test_a_message_names_no_account_and_not_everything() -> None:
    many = [
        ev.AlarmEvent(at=START, key=f"k{n}", message=f"trouble {n}", since=START) for n in range(12)
    ]
    title, body = message_of(many, account="DU1234567")
    assert "DU***567" in title
    assert "12 alarms" in title
    assert "trouble 9" in body
    assert "trouble 10" not in body
    assert "and 2 more" in body
    assert "ibkr-trader ack" in body
    said = msgspec.structs.replace(many[0], message="no margin in DU1234567, see DU0000321")
    title, body = message_of([said], account="DU1234567")
    assert "no margin in DU***567, see DU***321" in body
