"""A cancel that came before its order is remembered, until it is asked for again."""

from __future__ import annotations

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus
from ibkr_trader.core.models import Order
from ibkr_trader.orders import lifecycle
from tests.orders.samples import AT, later, spec

SPEC = spec()


def told(order: Order, *events: ev.OrderEvent) -> Order:
    for event in events:
        after = lifecycle.apply(order, event)
        assert after is not None
        order = after
    return order


def refused(code: int) -> ev.CancelRejectEvent:
    return ev.CancelRejectEvent(at=later(1), order_id=SPEC.order_id, code=code, reason="not found")


ASKED = ev.CancelRequestEvent(at=AT, order_id=SPEC.order_id, origin="cli")


@pytest.mark.parametrize(
    ("perm_id", "code", "is_unwanted"),
    [
        (0, 10147, True),  # the broker has never spoken of it: the cancel may have overtaken it
        (9, 10147, False),  # it has: the refusal is an answer
        (0, 0, False),  # the cancel never left
    ],
)
def test_only_what_the_broker_has_not_seen_yet_is_unwanted(
    perm_id: int, code: int, is_unwanted: bool
) -> None:
    order = Order(spec=SPEC, status=OrderStatus.PENDING, perm_id=perm_id)
    assert told(order, ASKED, refused(code)).is_unwanted is is_unwanted


def test_a_second_cancel_is_an_ordinary_one() -> None:
    order = told(Order(spec=SPEC, status=OrderStatus.PENDING), ASKED, refused(10147))
    alive = told(order, ev.AcceptEvent(at=later(2), order_id=SPEC.order_id, spec=SPEC, perm_id=9))
    assert alive.is_unwanted, "it has come alive all the same"
    assert not told(alive, ASKED).is_unwanted


@pytest.mark.parametrize(("perm_id", "is_unwanted"), [(0, True), (9, False)])
def test_a_cancel_that_nobody_answered_is_asked_again_of_what_comes_alive(
    perm_id: int, is_unwanted: bool
) -> None:
    order = Order(spec=SPEC, status=OrderStatus.PENDING, perm_id=perm_id)
    lost = ev.UnknownEvent(at=later(1), order_id=SPEC.order_id, reason="not shown")
    assert told(order, ASKED, lost).is_unwanted is is_unwanted, "first asked, then lost"
    assert told(order, lost, ASKED).is_unwanted is is_unwanted, "first lost, then asked"
    assert not told(order, lost).is_unwanted


def test_a_doubt_that_returns_forgets_no_cancel() -> None:
    lost = ev.UnknownEvent(at=later(1), order_id=SPEC.order_id, reason="not shown")
    order = told(Order(spec=SPEC, status=OrderStatus.PENDING), ASKED, refused(10147), lost)
    assert order.is_unwanted


LOST = ev.UnknownEvent(at=later(1), order_id=SPEC.order_id, reason="not shown")
ALIVE = ev.AcceptEvent(at=later(2), order_id=SPEC.order_id, spec=SPEC, perm_id=9)
NEVER_LEFT = refused(0)


@pytest.mark.parametrize(
    "before",
    [(LOST, ASKED), (ASKED, LOST), (ASKED, refused(10147)), (ASKED,)],
    ids=["lost, then asked", "asked, then lost", "refused", "not answered yet"],
)
@pytest.mark.parametrize("times", [1, 2])
def test_asking_twice_is_not_weaker_than_asking_once(
    before: tuple[ev.OrderEvent, ...], times: int
) -> None:
    order = told(Order(spec=SPEC, status=OrderStatus.PENDING), *before)
    order = told(order, *(ASKED, NEVER_LEFT) * times)
    assert order.is_unwanted, "one of the cancels has left"
    assert told(order, ALIVE).is_unwanted, "it is asked for as soon as the order is there"


def test_a_cancel_that_never_left_wants_nothing_gone_that_was_wanted() -> None:
    """Whoever asked was told that nothing was sent."""
    order = told(Order(spec=SPEC, status=OrderStatus.PENDING), LOST, ASKED, NEVER_LEFT)
    assert not order.is_unwanted
    assert not told(order, ASKED, NEVER_LEFT).is_unwanted


@pytest.mark.parametrize("times", [1, 2])
def test_what_came_alive_stays_unwanted_until_its_next_cancel_has_left(times: int) -> None:
    order = told(Order(spec=SPEC, status=OrderStatus.PENDING), LOST, ASKED, ALIVE)
    waiting = told(order, *(ASKED,) * times)
    assert not waiting.is_unwanted, "it is being asked away"
    assert told(waiting, *(NEVER_LEFT,) * times).is_unwanted


@pytest.mark.parametrize("code", [161, 10147, 10148])
def test_a_refusal_by_the_broker_is_the_answer_to_all_that_was_asked(code: int) -> None:
    order = told(Order(spec=SPEC, status=OrderStatus.PENDING), LOST, ASKED, ALIVE, ASKED, ASKED)
    assert not told(order, refused(code)).is_unwanted
    assert not told(order, refused(code), NEVER_LEFT).is_unwanted, "nor does it come back"
