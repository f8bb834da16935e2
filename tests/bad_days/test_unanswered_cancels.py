"""1.C: outside regular hours a cancel is acknowledged at the next opening only, or got lost."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ibkr_trader.adapters.calendar import ExchangeCalendar
from ibkr_trader.core.enums import OrderStatus, TimeInForce
from ibkr_trader.core.errors import OutcomeUnknown, RiskCheckError
from ibkr_trader.core.events import CloseEndEvent
from ibkr_trader.execution.closing import NotClosed, close_contract
from ibkr_trader.execution.day_end import DayEndPlan, end_day, look_again, survey
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.sim.exchange import ExchangeConfig
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_rules import Cut, Fault, When
from tests.bad_days.bad_lines import break_off, inject
from tests.bad_days.judges import assert_over, assert_sound, nakedness
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL, Day, a_day

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from ibkr_trader.core.models import Contract

NEW_YORK = ZoneInfo("America/New_York")
AFTERNOON = datetime(2026, 11, 19, 15, 50, tzinfo=NEW_YORK)  # a Thursday
LAST_MINUTE = datetime(2026, 11, 19, 15, 59, tzinfo=NEW_YORK)
EVENING = datetime(2026, 11, 19, 16, 10, tzinfo=NEW_YORK)
OPENING = datetime(2026, 11, 20, 9, 30, tzinfo=NEW_YORK)
TOLD = 90.0  # seconds within which a person is told


@asynccontextmanager
async def an_evening(folder: Path) -> AsyncIterator[Day]:
    """Serve an exchange that is about to close."""
    async with a_day(folder, config=ExchangeConfig(opened_at=AFTERNOON)) as day:
        yield day


@asynccontextmanager
async def holding(folder: Path, *, until: datetime) -> AsyncIterator[Day]:
    """Hold AAPL under a bracket until that hour, with a desk on it."""
    async with an_evening(folder) as day, a_desk(day):
        await hold(day)
        await day.wait_until(until, step=60)
        yield day


@asynccontextmanager
async def a_desk(day: Day) -> AsyncIterator[None]:
    """Open a desk; as it ends, time passes: a closing that is not over takes some to leave."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(day.open_desk())
        try:
            yield
        finally:
            async with alongside(day.pass_if_stuck()):
                await stack.aclose()


async def hold(day: Day) -> None:
    """Buy AAPL under a bracket."""
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await day.quiet()
    assert_sound(day, AAPL)


async def hold_up(day: Day, *roles: str) -> None:
    """Have the next cancel of each of these orders acknowledged at the opening."""
    for role in roles:
        await inject(day, f"cancel-ack-only-at-open --order {role}")


async def ask_away(day: Day, role: str) -> str:
    """Ask for the end of an order by hand, in vain; return its name."""
    name = day.order(role).terms.order_ref
    with pytest.raises(OutcomeUnknown):
        async with day.meanwhile():
            await day.desk.cancel_order(name)
    return name


async def close(day: Day) -> None:
    """Ask for the end of the position, in vain."""
    with pytest.raises(OutcomeUnknown):
        async with day.meanwhile():
            await close_contract(day.trader, await held_in(day), timeout=10)


async def held_in(day: Day) -> Contract:
    (position,) = await day.desk.get_positions()
    return position.contract


def cancels(day: Day) -> list[str]:
    """Return the roles of the orders whose cancel went out, in order."""
    return [entry.order_ref.rpartition("-")[2] for entry in day.wire.sent("cancelOrder")]


async def assert_works(day: Day, role: str) -> None:
    """Judge that an order counts as working, here and at the exchange, and a person is told."""
    await day.wait(TOLD, step=5)
    order = day.order(role)
    known = await day.desk.get_order_status(order.terms.order_ref)
    assert known.status is OrderStatus.PENDING_CANCEL
    assert known.remaining == order.remaining == 10
    alarms = [one for one in day.trader.alarming.standing if one.key == "cancel"]
    assert [role in one.message for one in alarms] == [True]
    assert_sound(day, AAPL, is_protected=day.ledger.held(AAPL) != 0)


async def opening(day: Day, *, placed: int) -> None:
    """Let the night pass, and the opening; until then so many orders went out, and no more."""
    await day.wait_until(OPENING - timedelta(seconds=1))
    assert len(day.wire.sent("placeOrder")) == placed, "nothing takes its place before it is gone"
    assert_sound(day, AAPL, is_protected=day.ledger.held(AAPL) != 0)
    await day.wait(1)


def is_over(day: Day, key: str) -> bool:
    """Whether the alarm of that name is over, or was never raised."""
    return all(one.is_over for one in day.trader.alarming.standing if one.key == key)


# -- acknowledged at the opening ----------------------------------------------------------------


async def test_f_c02_a_stop_cancelled_in_the_evening_protects_until_the_opening(
    tmp_path: Path,
) -> None:
    """A person took it away, so it is not put back; that it is gone is told within seconds."""
    async with holding(tmp_path, until=EVENING) as day:
        await hold_up(day, "stop")
        await ask_away(day, "stop")
        await assert_works(day, "stop")
        with pytest.raises(RiskCheckError):  # an exit beside it could sell the shares twice
            await day.desk.submit_order(single(10, side=day.order("stop").side, stop="144"))
        await opening(day, placed=3)
        assert day.order("stop").status.is_closed
        await day.wait(10)
        assert cancels(day) == ["stop"], "it was under way all night"
        assert any("cancelled on request" in one.message for one in day.trader.alarming.standing)
        assert is_over(day, "cancel")
        assert nakedness(day, AAPL)
        assert_sound(day, AAPL, is_protected=False)


async def test_f_c02_a_close_that_waits_for_its_target_overnight_leaves_the_stop(
    tmp_path: Path,
) -> None:
    async with holding(tmp_path, until=LAST_MINUTE) as day:
        await hold_up(day, "target")
        await close(day)
        await assert_works(day, "target")
        (ended,) = day.news(CloseEndEvent)
        assert "its market is closed now" in ended.message
        await opening(day, placed=3)
        await day.wait(10)
        assert day.order("target").status.is_closed
        assert cancels(day) == ["target"]
        assert is_over(day, "cancel")
        assert_sound(day, AAPL)


async def test_f_c02_a_close_whose_stop_goes_at_the_opening_puts_it_back(tmp_path: Path) -> None:
    """It was asked for yesterday, so it is not sold at the opening: naked for a round trip."""
    async with holding(tmp_path, until=LAST_MINUTE) as day:
        await hold_up(day, "stop")
        await close(day)
        await assert_works(day, "stop")
        await opening(day, placed=3)
        assert_sound(day, AAPL)
        assert len(day.wire.sent("placeOrder")) == 4
        assert cancels(day) == ["target", "stop"]
        (ended,) = day.news(CloseEndEvent)
        assert "its stop is put back" in ended.message
        await day.wait(10)
        assert is_over(day, "cancel")
        (stop,) = day.ledger.live(AAPL)
        assert stop.stop_price == 145
        assert stop.remaining == 10
        await day.quote("144.00", "144.02")
        assert_over(day)


async def test_f_c02_a_close_in_the_evening_takes_nothing_away(tmp_path: Path) -> None:
    async with holding(tmp_path, until=EVENING) as day:
        await hold_up(day, "stop", "target")
        with pytest.raises(NotClosed, match="its exits stay as they are"):
            async with day.meanwhile():
                await close_contract(day.trader, await held_in(day), timeout=10)
        await day.wait(60, step=5)
        assert cancels(day) == []
        assert_sound(day, AAPL)


@pytest.mark.parametrize("role", ["target", "stop"])
async def test_f_c02_a_day_that_cannot_be_ended_flat_keeps_a_stop_all_night(
    role: str, tmp_path: Path
) -> None:
    async with holding(tmp_path, until=LAST_MINUTE - timedelta(minutes=3)) as day:
        await hold_up(day, role)
        ends = await survey(day.trader, ExchangeCalendar(), DayEndPlan())
        async with day.meanwhile():
            await end_day(day.trader, ends, timeout=20)
            await look_again(day.trader, ends)
        (end,) = ends
        assert "not confirmed" in end.trouble
        assert not end.is_well
        assert end.held == 10
        await assert_works(day, role)
        await opening(day, placed=3)
        await day.wait(10)
        assert cancels(day) == list(dict.fromkeys(["target", role]))
        assert_sound(day, AAPL)


async def test_f_c02_a_desk_that_is_killed_meanwhile_knows_of_the_cancel(tmp_path: Path) -> None:
    async with an_evening(tmp_path) as day:
        async with day.open_desk() as desk:
            await hold(day)
            await day.wait_until(EVENING, step=60)
            await hold_up(day, "stop")
            async with day.trying(desk.cancel_order(day.order("stop").terms.order_ref)):
                await day.wait(2)
            day.cut()
        async with a_desk(day):
            await assert_works(day, "stop")
            await opening(day, placed=3)
            await day.wait(10)
            assert cancels(day) == ["stop"]
            assert any("cancelled on request" in a.message for a in day.trader.alarming.standing)
            assert_sound(day, AAPL, is_protected=False)


async def test_f_c02_a_close_that_is_killed_meanwhile_puts_the_stop_back(tmp_path: Path) -> None:
    async with an_evening(tmp_path) as day:
        async with a_desk(day):
            await hold(day)
            await day.wait_until(LAST_MINUTE, step=60)
            await hold_up(day, "stop")
            await close(day)
            day.cut()
        await day.wait_until(EVENING, step=60)
        async with a_desk(day):
            await assert_works(day, "stop")
            await opening(day, placed=3)
            await day.wait(10)
            assert cancels(day) == ["target", "stop"]
            assert_sound(day, AAPL)


@pytest.mark.parametrize("bid", ["149.50", "148.50"])
async def test_f_c02_an_entry_cancelled_overnight_goes_with_its_exits_at_the_opening(
    bid: str, tmp_path: Path
) -> None:
    """Whether it trades at the opening or goes: what it has traded keeps its exits."""
    lasting = bracket(limit="149")
    parent = msgspec.structs.replace(lasting.parent, time_in_force=TimeInForce.GTC)
    async with an_evening(tmp_path) as day, day.open_desk() as desk:
        await desk.submit_group(msgspec.structs.replace(lasting, parent=parent))
        await day.wait_until(EVENING, step=60)
        await hold_up(day, "entry")
        await ask_away(day, "entry")
        await assert_works(day, "entry")
        await day.wait_until(OPENING - timedelta(seconds=2))
        await day.quote(bid, f"{Decimal(bid) + Decimal('0.02')}")
        await opening(day, placed=3)
        await day.wait(10)
        assert day.order("entry").status.is_closed
        assert cancels(day) == ["entry"]
        assert day.ledger.held(AAPL) == (10 if bid < "149" else 0)
        assert is_over(day, "cancel")
        assert_sound(day, AAPL)


# -- lost again by the reconnect that has asked for it once more ---------------------------------


async def test_f_c02_a_cancel_that_a_reconnect_loses_is_asked_on_the_next_link(day: Day) -> None:
    """The link breaks as it leaves; on the next one TWS swallows it, and the order works on."""
    (order,) = await day.accepted(single(limit="149"))
    day.faults.arm(Fault(when=When(names=("cancelOrder",)), act=Cut()))
    async with day.trying(day.desk.cancel_order(order.order_id)):
        day.faults.arm(Fault(when=When(names=("cancelOrder",)), act=rules.Drop()))
        await day.wait(40)
    assert len(day.wire.sent("cancelOrder")) == 2
    known = await day.desk.get_order_status(order.order_id)
    assert known.status is OrderStatus.SUBMITTED
    break_off(day)
    await day.wait(10)
    assert len(day.wire.sent("cancelOrder")) == 3
    assert_over(day)
    assert_sound(day, AAPL)
