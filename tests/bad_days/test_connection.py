"""1.A: the socket breaks, stands still, or carries what nobody can read."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.ibkr.connection import IBKRConnection, LinkSettings
from ibkr_trader.adapters.ibkr.dialing import pause_before
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.events import DisconnectEvent, ErrorEvent, FillEvent, NotSentEvent
from ibkr_trader.execution.closing import close_contract
from ibkr_trader.execution.placing import Wait, place, prepare
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.sim.gateway import fault_rules as rules
from ibkr_trader.sim.gateway.fault_acts import BadUtf8, HalfFrame
from ibkr_trader.sim.gateway.fault_rules import Cut, Fault, When
from ibkr_trader.sim.gateway.network import Mark
from ibkr_trader.sim.gateway.spoiling import garbage, oversize
from ibkr_trader.sim.gateway.transport_faults import AcceptThenClose, Blackhole, Refuse, Trickle
from tests.bad_days.bad_lines import another_link, break_off, hang_up
from tests.bad_days.judges import assert_over, assert_sound, repeats
from tests.bad_days.requests import bracket, single
from tests.bad_days.stage import AAPL, Day, a_day
from tests.limits import roomy

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from typing import Literal

    from ibkr_trader.sim.gateway.transport_faults import Way


def cut(name: str, at: Literal["before", "after", "answered"], *, nth: int = 1) -> Fault:
    """The connection is broken off at the n-th message of that name."""
    return Fault(when=When(names=(name,), nth=nth), act=Cut(at=at))


async def sent_into_the_void(day: Day, *faults: Fault, limit: str = "") -> str:
    """Send an order while faults are in force; return its id."""
    day.faults.arm(*faults)
    (order,) = await day.sent(single(limit=limit))
    return order.order_id


# -- before it left, and after ----------------------------------------------------------------


@pytest.mark.parametrize("how", ["rst", "fin"])
async def test_f_a01_an_order_that_never_arrived_is_not_sent_once_that_is_proven(
    day: Day, how: Literal["rst", "fin"]
) -> None:
    lost = Fault(when=When(names=("placeOrder",)), act=Cut(how=how))
    name = await sent_into_the_void(day, lost)
    assert (await day.desk.get_order_status(name)).status is not OrderStatus.NOT_SENT
    await day.wait(4)  # connected again and asked: one look in vain proves nothing
    assert (await day.desk.get_order_status(name)).status is OrderStatus.UNKNOWN
    await day.wait(10)
    assert (await day.desk.get_order_status(name)).status is OrderStatus.NOT_SENT
    await day.wait(60, step=5)
    assert len(day.wire.sent("placeOrder")) == 1
    assert_over(day)
    assert_sound(day, AAPL)


async def test_f_a01_a_doubt_does_not_hold_up_the_look_at_all_the_rest(day: Day) -> None:
    """While an order is looked for, a grace apart, the link breaks: the new one is asked soon."""
    await day.desk.submit_group(bracket(limit="149"))
    day.faults.arm(*rules.swallow())
    (lost,) = await day.sent(single(symbol="MSFT"))
    await day.wait(60)
    assert (await day.desk.get_order_status(lost.order_id)).status is OrderStatus.UNKNOWN
    break_off(day)
    await day.quiet()
    await day.trade("entry")
    await day.wait(2.5, step=0.5)  # a second of which nobody dials
    assert day.trader.outlook.is_synced
    assert len(day.news(FillEvent)) == 1
    await day.wait(20)
    assert_sound(day, AAPL)


@pytest.mark.parametrize("size", [1, 5, 150, 400])
async def test_f_a01_an_order_cut_in_half_has_not_arrived(day: Day, size: int) -> None:
    """So many bytes of it reach the gateway: of a bracket, that may be an entry and no exit."""
    prepared = await prepare(day.trader, bracket(limit="149"))
    (session,) = day.server.lines.sessions()
    cut_off = Mark("c2s", size, client=None, then=lambda: session.cut(reset=True, keep=False))
    day.server.network.mark(cut_off)
    orders = await place(day.trader, prepared, wait=Wait.NONE, timeout=10)
    await day.wait(30)
    for order in orders:
        assert (await day.desk.get_order_status(order.order_id)).status.is_closed
    assert len(day.wire.sent("placeOrder")) <= 1
    assert_over(day)
    assert_sound(day, AAPL)


@pytest.mark.parametrize("at", ["before", "after"])
async def test_f_a01_a_close_that_the_link_took_along_ends_flat_all_the_same(
    day: Day, at: Literal["before", "after"]
) -> None:
    """It is planned anew from what is held then, under another name: once, and never twice."""
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    day.faults.arm(Fault(when=When(names=("placeOrder", "modifyOrder")), act=Cut(at=at)))
    (position,) = await day.desk.get_positions()
    async with day.trying(close_contract(day.trader, position.contract, timeout=60)):
        await day.wait(60)
    assert_over(day)
    assert_sound(day, AAPL)


@pytest.mark.parametrize("shares", [0, 4, 10])
async def test_f_a02_an_order_that_arrived_and_was_never_acknowledged_is_adopted(
    day: Day, shares: int
) -> None:
    name = await sent_into_the_void(day, cut("placeOrder", "after"), limit="149")
    if shares:
        await day.trade("single", shares)
    await day.wait(15)
    ours, theirs = await day.desk.get_order_status(name), day.order(name)
    assert ours.perm_id == theirs.perm_id
    assert ours.filled == theirs.filled == shares
    assert ours.status.is_closed is (shares == 10)
    assert len(day.news(FillEvent)) == (1 if shares else 0)
    assert len(day.wire.sent("placeOrder")) == 1
    assert_sound(day, AAPL, is_protected=False)


async def test_f_a03_a_link_that_breaks_in_the_same_moment_leaves_a_doubt(day: Day) -> None:
    """The call returns, and nothing has left: the socket was dead already, and we had not heard."""
    prepared = await prepare(day.trader, single())
    break_off(day)
    (order,) = await place(day.trader, prepared, wait=Wait.NONE, timeout=10)
    assert order.status is OrderStatus.PENDING
    await day.quiet()
    await day.wait(4)
    assert (await day.desk.get_order_status(order.order_id)).status is OrderStatus.UNKNOWN
    await day.wait(10)
    assert (await day.desk.get_order_status(order.order_id)).status is OrderStatus.NOT_SENT
    assert not day.wire.sent("placeOrder")
    assert_over(day)
    assert_sound(day, AAPL)


async def test_f_a04_what_still_waited_is_not_sent_and_the_rest_is_accounted_for(
    tmp_path: Path,
) -> None:
    """Of eighty orders thirty leave at once and thirty soon after; the 38th breaks the link."""
    many = roomy(max_working_per_side=80, max_working=90, max_openings_per_day=80)
    async with a_day(tmp_path) as day, day.open_desk(limits=many):
        await eighty_orders(day)


async def eighty_orders(day: Day) -> None:
    day.faults.arm(cut("placeOrder", "before", nth=38))
    names: list[str] = []
    for cents in range(80):
        prepared = await prepare(day.trader, single(1, limit=f"100.{cents:02}"))
        (order,) = await place(day.trader, prepared, wait=Wait.NONE, timeout=1)
        names.append(order.order_id)
    await day.wait(2)
    waiting = [event.order_id for event in day.news(NotSentEvent)]
    assert len(waiting) >= 20, "they never left, and that is certain at once"
    assert sorted(waiting) == sorted(names[-len(waiting) :])
    await day.wait(30)
    assert len(day.ledger.live()) == 37
    unsent = {event.order_id for event in day.news(NotSentEvent)}
    assert len(unsent) == 43
    assert not {order.terms.order_ref for order in day.ledger.live()} & unsent
    assert [o for o in await day.desk.get_open_orders() if o.status is OrderStatus.UNKNOWN] == []
    assert repeats(day) == ""
    assert_sound(day, AAPL)


# -- it does not come back at once ------------------------------------------------------------


def attempts(day: Day) -> list[datetime]:
    """When the desk has tried in vain to connect."""
    return [e.at for e in day.news(ErrorEvent) if e.message.startswith("still not connected")]


async def test_f_a11_a_gateway_that_refuses_is_dialled_without_end_and_ever_more_rarely(
    day: Day,
) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    day.server.arm(Refuse(seconds=3600))
    break_off(day)
    await day.quiet()
    lost_at = day.news(DisconnectEvent)[-1].at
    await day.wait(120)
    await day.wait(3600 - 120, step=30)
    tried = [(at - lost_at).total_seconds() for at in attempts(day)]
    assert tried[:6] == [1, 3, 7, 15, 31, 63], "each pause is twice the one before"
    assert max(later - sooner for sooner, later in pairwise(tried)) <= 120, "and a minute at most"
    assert len(tried) > 40
    await day.wait(90)
    assert day.trader.outlook.is_synced
    assert len(day.news(FillEvent)) == 1
    assert_sound(day, AAPL)


def test_f_a11_pauses_are_spread_so_that_not_all_come_back_at_once() -> None:
    link = LinkSettings(port=1, backoff=5.0)
    soon, late = (pause_before(0, link, jitter=jitter) for jitter in (0.0, 1.0))
    assert (soon, late) == (2.5, 7.5)
    assert pause_before(40, link, jitter=1.0) == 90
    assert len({IBKRConnection(link, clock=SystemClock())._pause_before(3) for _ in range(5)}) == 5


async def test_f_a11_a_gateway_that_hangs_up_on_everybody_is_dialled_until_it_does_not(
    day: Day,
) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    day.server.arm(AcceptThenClose(times=4))
    hang_up(day)
    await day.wait(40)
    told = [e.message for e in day.news(ErrorEvent)]
    assert sum("closed the connection during the handshake" in words for words in told) == 4
    assert day.trader.outlook.is_synced
    assert_sound(day, AAPL)


async def test_f_a11_the_first_connection_is_tried_so_many_times_and_no_more(day: Day) -> None:
    day.server.arm(Refuse())
    other = another_link(day, client_id=2, max_attempts=3)
    failed: list[str] = []

    async def dial() -> None:
        try:
            await other.open()
        except BrokerUnavailable as error:
            failed.append(error.message)

    async with alongside(dial()):
        await day.wait(2)
        assert not failed
        await day.wait(10)
    assert len(failed) == 1
    assert "nothing answers" in failed[0]
    day.server.lift()


# -- it is silent -------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["c2s", "s2c", "both"])
async def test_f_a12_a_silent_line_is_found_dead_within_ten_seconds(day: Day, way: Way) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    await day.wait(3)
    day.server.arm(Blackhole(way=way, seconds=11, standing=True))
    (order,) = await day.sent(single(1, limit="149"))  # arrives, or does not: nobody says
    began = day.trader.clock.now()
    for _ in range(11):
        await day.quote("150.20", "150.22")  # prices may well go on coming
        await day.wait(1)
    (lost,) = day.news(DisconnectEvent)
    assert "no sign of life" in lost.reason
    assert (lost.at - began).total_seconds() <= 10
    await day.wait(20)
    ours = await day.desk.get_order_status(order.order_id)
    has_arrived = way == "s2c"
    assert ours.status is (OrderStatus.SUBMITTED if has_arrived else OrderStatus.NOT_SENT)
    assert len(day.wire.sent("placeOrder", ref=order.order_id)) <= 1
    assert_sound(day, AAPL)


async def test_f_a12_a_fill_in_the_silence_is_known_once_it_is_over(day: Day) -> None:
    await day.desk.submit_group(bracket(limit="149"))
    day.server.arm(Blackhole(seconds=11, standing=True))
    await day.trade("entry")
    await day.wait(8)
    assert not day.news(FillEvent)
    await day.wait(6)
    assert len(day.news(FillEvent)) == 1
    assert_sound(day, AAPL)


async def test_f_a12_who_dials_into_the_silence_goes_on_dialling(day: Day) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    day.server.arm(Blackhole(seconds=300))
    await day.wait(300)
    assert not day.trader.outlook.is_synced
    assert any("did not answer the handshake" in e.message for e in day.news(ErrorEvent))
    await day.wait(120)
    assert day.trader.outlook.is_synced
    assert_sound(day, AAPL)


async def test_f_a13_a_gateway_is_not_dead_because_we_were_asleep(day: Day) -> None:
    """Its answer came while nobody ran, and both are found at once: the answer, and the time."""
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    for nap in (30.0, 9.0, 600.0):
        day.server.arm(Blackhole(way="s2c", seconds=6))
        await day.wait(5)  # it was asked meanwhile
        await day.wait(nap, step=nap)
        await day.wait(5)
    assert not day.news(DisconnectEvent)
    assert_sound(day, AAPL)


# -- it carries what nobody can read ----------------------------------------------------------

TOLD = ("execDetails", "orderStatus", "openOrder", "position", "commissionReport")


def spoilt(act: HalfFrame | BadUtf8, name: str) -> Fault:
    """The next message of a name arrives, and not as it was sent."""
    return Fault(when=When(names=(name,)), act=act)


@pytest.mark.parametrize("name", TOLD)
@pytest.mark.parametrize(
    "act",
    [HalfFrame(size=12, is_framed=True), HalfFrame(size=28, is_framed=True), BadUtf8()],
    ids=["cut short", "cut later", "no text"],
)
async def test_f_a14_what_could_not_be_read_is_asked_for_again(
    day: Day, act: HalfFrame | BadUtf8, name: str
) -> None:
    await day.desk.submit_group(bracket(limit="149"))
    day.server.arm(spoilt(act, name))
    connected, asked = len(day.wire.sent("startApi")), len(day.wire.sent("reqAllOpenOrders"))
    await day.trade("entry")
    await day.quiet()
    assert len(day.wire.sent("reqAllOpenOrders")) > asked, "at once, and by that message alone"
    await day.wait(5)
    assert day.server.faults.armed == (), "it has struck"
    assert len(day.wire.sent("startApi")) == connected, "the line itself is well"
    assert day.trader.outlook.is_synced
    assert len(day.news(FillEvent)) == 1
    assert_sound(day, AAPL)


@pytest.mark.parametrize("name", ["execDetails", "orderStatus", "openOrder"])
@pytest.mark.parametrize("size", [0, 3, 4, 17])
async def test_f_a14_a_message_cut_off_with_the_line_is_asked_for_again(
    day: Day, size: int, name: str
) -> None:
    await day.desk.submit_group(bracket(limit="149"))
    day.server.arm(spoilt(HalfFrame(size=size), name))
    await day.trade("entry")
    await day.wait(5)
    assert len(day.wire.sent("startApi")) == 2
    assert len(day.news(FillEvent)) == 1
    assert_sound(day, AAPL)


@pytest.mark.parametrize(("what", "again"), [("garbage", False), ("oversize", True)])
async def test_f_a14_garbage_ends_in_the_same_books(day: Day, what: str, again: bool) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    data = garbage(64) if what == "garbage" else oversize(64)
    for session in day.server.lines.sessions():
        session.talk.say_raw(data, name=what)
    day.server.lines.flush()
    asked = len(day.wire.sent("reqPositions"))
    await day.wait(10)
    assert len(day.wire.sent("reqPositions")) > asked, "whatever it was, everything is asked again"
    assert len(day.wire.sent("startApi")) == 1 + again
    assert_sound(day, AAPL)


async def test_f_a14_bytes_that_come_one_by_one_are_the_same_message(day: Day) -> None:
    day.server.arm(Trickle())
    await day.desk.submit_group(bracket(limit="149"))
    await day.trade("entry")
    await day.wait(3)
    assert not day.news(DisconnectEvent)
    assert len(day.wire.sent("placeOrder")) == 3
    assert_sound(day, AAPL)


async def test_f_a14_a_storm_of_nonsense_is_no_storm_of_questions(day: Day) -> None:
    await day.desk.submit_group(bracket(), wait=Wait.FILLED)
    asked = len(day.wire.sent("reqPositions"))
    for _ in range(200):
        for session in day.server.lines.sessions():
            session.talk.say_raw(garbage(64), name="garbage")
        day.server.lines.flush()
    await day.wait(20)
    assert 1 <= len(day.wire.sent("reqPositions")) - asked <= 6
    assert day.trader.outlook.is_synced
    assert_sound(day, AAPL)
