"""Why the broker states terms: to repeat, to answer, because it moved them, or for somebody."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OcaType, OrderRole, OrderStatus, OrderType, Side, TimeInForce
from ibkr_trader.core.models import Adjustment, Order, OrderSpec
from ibkr_trader.orders import lifecycle
from ibkr_trader.orders.terms import is_answered, is_repeated
from tests.orders.samples import AT, later, spec

D = Decimal
T = OrderType
replace = msgspec.structs.replace
STOP = spec(
    OrderRole.STOP, side=Side.SELL, order_type=T.STOP, limit_price=None, stop_price=D(145)
)  # fmt: skip
TRAIL = replace(STOP, order_type=T.TRAIL, trail_amount=D(3))
TO_TRAIL = Adjustment(
    trigger=D(155), order_type=T.TRAIL, stop_price=D(152), trail_amount=D(3)
)  # fmt: skip
TO_STOP = Adjustment(trigger=D(155), order_type=T.STOP, stop_price=D(150))


def standing(known: OrderSpec = STOP, **state: Any) -> Order:
    values: dict[str, Any] = {"status": OrderStatus.PRESUBMITTED, "perm_id": 9} | state
    return Order(spec=known, **values)


def stated(order: Order, terms: OrderSpec, *, from_snapshot: bool = False) -> Order:
    """Return the order after the broker has stated these terms."""
    event = ev.AcceptEvent(
        at=later(1), order_id=order.order_id, spec=terms, from_snapshot=from_snapshot
    )
    after = lifecycle.apply(order, event)
    assert after is not None
    return after


def asked(order: Order, **terms: Any) -> Order:
    wanted = replace(order.desired or order.spec, **terms)
    after = lifecycle.apply(order, ev.ModifyEvent(at=AT, order_id=order.order_id, spec=wanted))
    assert after is not None
    return after


# -- changes of ours ----------------------------------------------------------------------------


def test_a_repeat_answers_nothing_and_the_wanted_terms_do() -> None:
    wanted = replace(STOP, stop_price=D(147))
    assert is_repeated(STOP, before=STOP, wanted=wanted)
    assert not is_answered(STOP, before=STOP, wanted=wanted)
    assert is_answered(wanted, before=STOP, wanted=wanted)
    assert not is_repeated(STOP, before=STOP, wanted=STOP)
    assert is_answered(STOP, before=STOP, wanted=STOP)


def test_the_first_of_two_changes_leaves_the_second_under_way() -> None:
    order = asked(asked(standing(), stop_price=D(147)), quantity=D(6))
    half = stated(order, replace(STOP, stop_price=D(147)))
    assert (half.status, half.spec.stop_price) == (OrderStatus.PENDING_MODIFY, D(147))
    assert half.desired is not None
    whole = stated(half, replace(STOP, stop_price=D(147), quantity=D(6)))
    assert (whole.status, whole.desired, whole.is_overridden) == (
        OrderStatus.SUBMITTED, None, False,
    )  # fmt: skip


def test_a_snapshot_settles_a_change_whatever_it_says() -> None:
    after = stated(asked(standing(), stop_price=D(147)), STOP, from_snapshot=True)
    assert (after.desired, after.is_overridden) == (None, False)


def test_a_size_that_the_broker_cut_further_is_an_answer() -> None:
    after = stated(asked(standing(), quantity=D(8)), replace(STOP, quantity=D(4)))
    assert (after.desired, after.spec.quantity) == (None, D(4))


def test_a_stop_that_became_a_trail_meanwhile_ends_the_change_of_it() -> None:
    order = asked(standing(replace(STOP, adjustment=TO_TRAIL)), stop_price=D(147))
    after = stated(order, replace(TRAIL, stop_price=D(152)))
    assert (after.desired, after.spec.order_type, after.is_overridden) == (None, T.TRAIL, False)


# -- what the broker moves by itself --------------------------------------------------------------

MOVED: list[tuple[OrderSpec, OrderSpec]] = [
    (STOP, STOP),
    (TRAIL, replace(TRAIL, stop_price=D(148))),
    (
        replace(TRAIL, order_type=T.TRAIL_LIMIT, limit_price=D(144)),
        replace(TRAIL, order_type=T.TRAIL_LIMIT, limit_price=D(147), stop_price=D(148)),
    ),
    (replace(STOP, adjustment=TO_TRAIL), replace(TRAIL, stop_price=D("152.5"))),
    (replace(STOP, adjustment=TO_STOP), replace(STOP, stop_price=D(150))),
    (replace(STOP, parent_id="memo-1-entry"), replace(STOP, quantity=D(4))),
    (replace(STOP, oca_group="memo-1", oca_type=OcaType.REDUCE), replace(STOP, quantity=D(4))),
    (STOP, replace(STOP, outside_rth=True)),
]


@pytest.mark.parametrize(("known", "terms"), MOVED)
def test_what_the_broker_moves_is_adopted_and_nobodys_doing(
    known: OrderSpec, terms: OrderSpec
) -> None:
    after = stated(standing(known), terms)
    assert (after.spec.quantity, after.spec.stop_price) == (terms.quantity, terms.stop_price)
    assert after.spec.adjustment is None
    assert not after.is_overridden


def test_a_size_that_was_cut_with_a_word_is_nobodys_doing() -> None:
    order = standing()
    warned = lifecycle.apply(
        order, ev.WarningEvent(at=AT, order_id=order.order_id, code=481, reason="reduced")
    )
    assert warned is not None
    assert not stated(warned, replace(STOP, quantity=D(4))).is_overridden


# -- by hand ----------------------------------------------------------------------------------

BY_HAND: list[tuple[OrderSpec, OrderSpec]] = [
    (STOP, replace(STOP, stop_price=D(140))),
    (STOP, replace(STOP, quantity=D(20))),
    (STOP, replace(STOP, time_in_force=TimeInForce.GTC)),
    (STOP, replace(STOP, order_type=T.STOP_LIMIT, limit_price=D(144))),
    (TRAIL, replace(TRAIL, trail_amount=D(5))),
    (replace(STOP, adjustment=TO_STOP), replace(STOP, stop_price=D(149))),
    (replace(STOP, adjustment=TO_TRAIL), replace(STOP, stop_price=D(149), adjustment=TO_TRAIL)),
]


@pytest.mark.parametrize("from_snapshot", [False, True])
@pytest.mark.parametrize(("known", "terms"), BY_HAND)
def test_what_somebody_changed_at_the_broker_is_adopted_and_shown(
    known: OrderSpec, terms: OrderSpec, *, from_snapshot: bool
) -> None:
    after = stated(standing(known), terms, from_snapshot=from_snapshot)
    assert after.is_overridden
    assert after.spec.stop_price == terms.stop_price
    assert stated(after, terms).is_overridden, "a repeat takes nothing back"


@pytest.mark.parametrize("status", [OrderStatus.PENDING, OrderStatus.UNKNOWN])
def test_the_first_terms_of_all_are_nobodys_change(status: OrderStatus) -> None:
    after = stated(standing(status=status, perm_id=0), replace(STOP, stop_price=D(144)))
    assert not after.is_overridden


def test_a_price_of_our_own_ends_the_override_and_a_size_does_not() -> None:
    by_hand = replace(STOP, stop_price=D(140))
    order = stated(standing(), by_hand)
    cut = stated(asked(order, quantity=D(4)), replace(by_hand, quantity=D(4)))
    assert (cut.desired, cut.is_overridden) == (None, True)
    ours = stated(asked(cut, stop_price=D(146)), replace(STOP, quantity=D(4), stop_price=D(146)))
    assert (ours.desired, ours.is_overridden) == (None, False)


# -- words --------------------------------------------------------------------------------------


def test_an_end_without_words_leaves_what_was_said_before() -> None:
    """TWS refuses an order with a code and a text, and then says only `Inactive`."""
    order = standing()
    for event in (
        ev.RejectEvent(at=AT, order_id=order.order_id, code=201, reason="no margin"),
        ev.HoldEvent(at=AT, order_id=order.order_id),
        ev.CancelEvent(at=AT, order_id=order.order_id),
    ):
        after = lifecycle.apply(order, event)
        assert after is not None
        order = after
    assert (order.status, order.code, order.reason) == (OrderStatus.REJECTED, 201, "no margin")
