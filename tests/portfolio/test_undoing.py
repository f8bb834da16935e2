"""Which cancels belong together, what they took away, and whether that is back already."""

from __future__ import annotations

from typing import Any

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, Command
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.models import GroupId, OrderId, OrderSpec
from ibkr_trader.portfolio.undoing import Story, last_act, left_of, story_of
from tests.orders.samples import (
    AT,
    GROUP,
    accepted,
    bracket_specs,
    fill,
    filled,
    later,
    order,
    spec,
    working,
    written,
)

Messages = list[Command | ev.BaseEvent]
OTHER = GroupId("memo-2")
ENTRY, TARGET, STOP = bracket_specs()
SINGLE = spec(group=OTHER)


def asked(what: OrderSpec, seconds: float, *, tag: str = "", origin: str = "cli") -> Messages:
    """Return a cancel as the journal has it."""
    return [
        CancelOrder(order_id=what.order_id, origin=origin, correlation_id=tag),
        ev.CancelRequestEvent(at=later(seconds), order_id=what.order_id, origin=origin),
    ]


def gone(*specs: OrderSpec, at: float = 10) -> Messages:
    return [ev.CancelEvent(at=later(at), order_id=one.order_id) for one in specs]


def opened(*specs: OrderSpec, **more: Any) -> Messages:
    news = [msgspec.structs.replace(written(one), **more) for one in specs]
    return [*news, *(accepted(one) for one in specs), *(working(one.order_id) for one in specs)]


def story(messages: Messages) -> Story:
    act = last_act(messages)
    assert act is not None
    return story_of(act, messages)


def ids(*specs: OrderSpec) -> tuple[OrderId, ...]:
    return tuple(one.order_id for one in specs)


def test_nobody_has_cancelled_anything() -> None:
    assert last_act([]) is None
    machines = ("broker", "recovery", "bracket", "close", "cover", "undo")
    assert last_act([m for who in machines for m in asked(STOP, 0, origin=who)]) is None


def test_cancels_of_one_moment_are_one_act() -> None:
    act = last_act([*asked(TARGET, 0), *asked(STOP, 1.5), *asked(STOP, 1.6)])
    assert act is not None
    assert (act.orders, act.at, act.last_at) == (ids(TARGET, STOP), AT, later(1.6))
    assert act.groups == {GROUP}


def test_what_came_later_is_another_act() -> None:
    for second in (asked(SINGLE, 9), asked(SINGLE, 1, origin="library")):
        act = last_act([*asked(STOP, 0), *second])
        assert act is not None
        assert act.orders == ids(SINGLE)


def test_what_is_placed_in_between_ends_an_act() -> None:
    again = written(spec(group=GroupId("memo-3")))
    for origin, count in (("undo", 1), ("cli", 1), ("bracket", 2)):
        between = msgspec.structs.replace(again, origin=origin)
        act = last_act([*asked(STOP, 0), between, *asked(TARGET, 1)])
        assert act is not None
        assert len(act.orders) == count


def test_a_common_tag_ties_an_act_whatever_the_time() -> None:
    both = last_act([*asked(TARGET, 0, tag="a"), *asked(STOP, 60, tag="a")])
    assert both is not None
    assert both.orders == ids(TARGET, STOP)
    apart = last_act([*asked(TARGET, 0, tag="a"), *asked(STOP, 1, tag="b")])
    assert apart is not None
    assert apart.orders == ids(STOP)


def test_what_was_cancelled_is_told_with_what_was_left() -> None:
    part = filled(fill(4, order_id=SINGLE.order_id))
    found = story([*opened(SINGLE), part, *asked(SINGLE, 5), *gone(SINGLE)])
    assert found.is_whole
    assert {one.order_id: int(left_of(one)) for one in found.gone()} == {SINGLE.order_id: 6}


def test_what_filled_or_still_lives_was_not_taken_away() -> None:
    full = filled(fill(10, order_id=SINGLE.order_id))
    assert story([*opened(SINGLE), *asked(SINGLE, 5), full]).gone() == ()
    assert story([*opened(SINGLE), *asked(SINGLE, 5)]).gone() == ()


def test_exits_that_went_with_their_entry_belong_to_the_act() -> None:
    specs = (ENTRY, TARGET, STOP)
    found = story([*opened(*specs), *asked(ENTRY, 5), *gone(*specs)])
    assert [one.order_id for one in found.gone()] == list(ids(*specs))


def test_exits_that_still_work_are_siblings() -> None:
    specs = (ENTRY, TARGET, STOP)
    done = filled(fill(10, order_id=ENTRY.order_id))
    found = story([*opened(*specs), done, *asked(STOP, 5), *gone(STOP)])
    assert [one.order_id for one in found.gone()] == [STOP.order_id]
    assert [one.order_id for one in found.siblings(GROUP)] == [TARGET.order_id]
    assert found.siblings(OTHER) == ()


def test_an_act_whose_orders_are_not_all_known_is_not_whole() -> None:
    assert not story([*asked(STOP, 5), *gone(STOP)]).is_whole


def test_what_has_been_placed_for_it_is_known_by_its_tag() -> None:
    messages = [*opened(SINGLE), *asked(SINGLE, 5), *gone(SINGLE)]
    act = last_act(messages)
    assert act is not None
    again = spec(group=GroupId("memo-3"))
    placed = opened(again, correlation_id=act.key)
    assert story([*messages, *placed]).again == ids(again)
    refused = ev.RejectEvent(at=later(20), order_id=again.order_id, code=201, reason="no")
    failed: Messages = [msgspec.structs.replace(written(again), correlation_id=act.key), refused]
    assert story([*messages, *failed]).again == ()
    assert story([*messages, *opened(again)]).again == ()


def test_what_could_only_reduce_is_remembered_as_an_exit() -> None:
    found = story([*opened(SINGLE, reduces=True), *asked(SINGLE, 5), *gone(SINGLE)])
    assert found.exits == {SINGLE.order_id}


def test_news_that_nobody_can_place_changes_nothing() -> None:
    late = ev.NotSentEvent(at=later(30), order_id=SINGLE.order_id, reason="x")
    stranger = ev.CancelEvent(at=later(30), order_id=OrderId("foreign-7"))
    heard: Messages = [ev.TimeEvent(at=AT), *opened(SINGLE), *asked(SINGLE, 5), *gone(SINGLE)]
    found = story([*heard, late, stranger])
    assert found.orders[SINGLE.order_id].status is OrderStatus.CANCELLED
    assert found.orders.keys() == {SINGLE.order_id}


def test_what_is_left_goes_by_the_larger_figure() -> None:
    assert left_of(order(reported_filled=SINGLE.quantity)) == 0
