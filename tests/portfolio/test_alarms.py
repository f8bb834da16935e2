"""What becomes an alarm, how long it stands, and what ends it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus, TradingState
from ibkr_trader.core.models import GroupId
from ibkr_trader.portfolio.alarms import (
    APART_FOR,
    GONE_FOR,
    LEAVING_FOR,
    UNKNOWN_FOR,
    Alarms,
    Standing,
    Trouble,
    heard,
    leaving,
    looked,
)
from ibkr_trader.portfolio.state import PortfolioState
from tests.orders.samples import order, spec

AT = datetime(2026, 11, 20, 15, tzinfo=UTC)
GROUP = GroupId("k7qav-1")
AAPL = spec().contract
ONE = Trouble("halt", "the desk is HALTED: enough")
PASSING = Trouble("link", "no link", must_be_seen=False)


def struck(alarms: Alarms, trouble: Trouble, *, after: int = 0) -> Alarms:
    """Return the alarms once a trouble has shown."""
    event = alarms.struck(trouble, AT + timedelta(seconds=after))
    return alarms if event is None else alarms.after(event)


def over(trouble: Trouble) -> Trouble:
    return trouble._replace(is_over=True)


def cover(**more: Any) -> ev.CoverEvent:
    base: dict[str, Any] = {"at": AT, "contract": AAPL, "message": "m"}
    base |= {"held": Decimal(10), "covered": Decimal(0)}
    return ev.CoverEvent(**base | more)


def test_a_state_is_news_where_its_alarm_says_another() -> None:
    assert Alarms().is_news(ONE)
    assert not Alarms().is_news(over(ONE))
    alarms = struck(Alarms(), ONE)
    assert not alarms.is_news(ONE)
    assert alarms.is_news(ONE._replace(message="more of it"))
    assert alarms.is_news(over(ONE))
    ended = struck(alarms, over(ONE))
    assert ended.is_news(ONE)
    assert not ended.is_news(over(ONE))


def test_a_trouble_that_shows_again_is_the_same_alarm() -> None:
    alarms = struck(struck(Alarms(), ONE), ONE._replace(message="still"), after=9)
    (alarm,) = alarms.kept
    assert (alarm.since, alarm.at, alarm.count) == (AT, AT + timedelta(seconds=9), 2)
    assert alarm.message == "still"


def test_what_touches_money_stands_after_its_end_until_somebody_knows() -> None:
    alarms = struck(struck(Alarms(), ONE), over(ONE))
    assert alarms.standing[ONE.key].is_over
    assert alarms.struck(over(ONE), AT) is None, "its end is told once"
    again = struck(alarms, ONE)
    assert not again.standing[ONE.key].is_over
    seen = msgspec.structs.replace(again.standing[ONE.key], seen_by="me")
    assert not again.after(seen).standing


def test_what_costs_nothing_is_over_when_it_is_over() -> None:
    assert not struck(struck(Alarms(), PASSING), over(PASSING)).standing


def test_the_end_of_what_nobody_heard_of_is_no_alarm() -> None:
    assert Alarms().struck(over(ONE), AT) is None


def test_a_checkpoint_keeps_them() -> None:
    alarms = struck(Alarms(), ONE)
    checkpoint = ev.CheckpointEvent(at=AT, alarms=alarms.kept)
    assert Alarms().after(checkpoint) == alarms
    assert alarms.after(ev.TimeEvent(at=AT)) is alarms


def test_there_are_never_too_many() -> None:
    alarms = Alarms()
    for n in range(205):
        alarms = struck(alarms, Trouble(f"error:{n}", "x"))
    assert len(alarms.standing) == 200
    assert "error:4" not in alarms.standing


@pytest.mark.parametrize(
    ("event", "key", "is_over"),
    [
        (cover(is_serious=True, since=AT), "cover:AAPL", False),
        (cover(is_serious=True, message="a stop was denied"), "cover:AAPL", False),
        (cover(), "cover:AAPL", True),
        (ev.StateEvent(at=AT, state=TradingState.HALTED, reason="enough"), "state:", False),
        (
            ev.StateEvent(at=AT, state=TradingState.ACTIVE, reason="", symbol="KO"),
            "state:KO",
            True,
        ),
        (
            ev.LossEvent(
                at=AT, loss=Decimal(9), limit=Decimal(9), message="m", symbol="KO", is_serious=True
            ),
            "loss:KO",
            False,
        ),
        (ev.CloseEndEvent(at=AT, group_id=GROUP, message="still open"), "close:1", False),
        (ev.GroupEvent(at=AT, group_id=GROUP, message="m", is_serious=True), "group:1", False),
        (ev.NoticeEvent(at=AT, origin="r", message="m", is_serious=True), "notice:r", False),
        (ev.ErrorEvent(at=AT, code=502, message="m", is_serious=True), "error:502", False),
        (
            ev.ErrorEvent(at=AT, code=0, message="m" * 90, is_serious=True),
            "error:" + "m" * 60,
            False,
        ),
    ],
)
def test_what_is_heard(event: ev.BaseEvent, key: str, *, is_over: bool) -> None:
    trouble = heard(event)
    assert trouble is not None
    assert (trouble.key, trouble.is_over) == (key, is_over)


def test_an_alarm_of_a_group_says_whose_it_is() -> None:
    event = ev.GroupEvent(at=AT, group_id=GROUP, message="it was denied", is_serious=True)
    trouble = heard(event)
    assert trouble is not None
    assert trouble.message == "group 1: it was denied"


@pytest.mark.parametrize(
    "event",
    [
        cover(since=AT),
        ev.LossEvent(at=AT, loss=Decimal(1), limit=Decimal(9), message="m"),
        ev.CloseEndEvent(at=AT, group_id=GROUP),
        ev.GroupEvent(at=AT, group_id=GROUP, message="m"),
        ev.NoticeEvent(at=AT, origin="r", message="m"),
        ev.ErrorEvent(at=AT, code=0, message="m"),
        ev.TimeEvent(at=AT),
    ],
)
def test_other_news_is_no_trouble(event: ev.BaseEvent) -> None:
    assert heard(event) is None


def standing(**parts: Any) -> dict[str, bool]:
    """Return which troubles there are, by key."""
    base: dict[str, Any] = {"portfolio": PortfolioState(), "now": AT}
    return {one.key: not one.is_over for one in looked(Standing(**base | parts))}


def test_nothing_is_wrong_with_nothing() -> None:
    assert not any(standing().values())


@pytest.mark.parametrize(("ago", "is_one"), [(UNKNOWN_FOR, True), (timedelta(seconds=1), False)])
def test_an_order_of_unknown_fate_is_an_alarm_in_time(ago: timedelta, *, is_one: bool) -> None:
    lost = order(OrderStatus.UNKNOWN, updated_at=AT - ago)
    known = order(OrderStatus.SUBMITTED, updated_at=AT - ago)
    orders = MappingProxyType({lost.order_id: lost})
    found = standing(portfolio=PortfolioState(orders=orders))
    assert found["unknown"] is is_one
    orders = MappingProxyType({known.order_id: known})
    assert not standing(portfolio=PortfolioState(orders=orders))["unknown"]


@pytest.mark.parametrize(("ago", "is_one"), [(LEAVING_FOR, True), (timedelta(seconds=9), False)])
def test_a_cancel_that_nobody_confirms_is_an_alarm_in_time(ago: timedelta, *, is_one: bool) -> None:
    gone = order(OrderStatus.PENDING_CANCEL)
    portfolio = PortfolioState(orders=MappingProxyType({gone.order_id: gone}))
    since = leaving(portfolio, {}, AT - ago)
    assert leaving(portfolio, since, AT) == {gone.order_id: AT - ago}, "it is no news each time"
    assert standing(leaving_since=since)["cancel"] is is_one
    assert leaving(PortfolioState(), since, AT) == {}


def test_a_difference_that_lasts_is_an_alarm() -> None:
    assert standing(apart_since=AT - APART_FOR)["drift"]
    assert not standing(apart_since=AT - APART_FOR / 2)["drift"]


def test_a_lost_link_matters_while_something_is_at_stake() -> None:
    assert not standing(gone_since=AT - GONE_FOR)["link"]
    working = order(OrderStatus.SUBMITTED)
    portfolio = PortfolioState(orders=MappingProxyType({working.order_id: working}))
    assert standing(gone_since=AT - GONE_FOR, portfolio=portfolio)["link"]
    assert not standing(gone_since=AT - GONE_FOR / 2, portfolio=portfolio)["link"]


def test_a_journal_that_is_behind_is_an_alarm() -> None:
    assert standing(unwritten="the disk is full")["journal"]
