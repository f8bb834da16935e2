"""The state machine of an order: the whole table, and what the table cannot show."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus as S
from ibkr_trader.core.enums import OrderType
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.models import Order, OrderId
from ibkr_trader.orders.lifecycle import TRANSITIONS, Trigger, apply, open_order, trigger_of
from tests.orders.samples import AT, accepted, fill, filled, order, spec, working, written

T = Trigger
ID = OrderId("memo-1-single")
LIVE = [status for status in S if not status.is_closed]
CLOSED = [status for status in S if status.is_closed]
BREACH = ev.Breach(check="size", message="too large")

# One event for each kind of evidence, and the order that it is evidence about.
EVENTS: dict[Trigger, tuple[dict[str, Any], ev.OrderEvent]] = {
    T.NOT_SENT: ({}, ev.NotSentEvent(at=AT, order_id=ID, reason="the link was down")),
    T.ACCEPT: ({}, accepted(spec())),
    T.ADOPT: ({}, accepted(spec(), from_snapshot=True)),
    T.RESTATE: ({"desired": spec(quantity=Decimal(20))}, accepted(spec())),
    T.GROW: ({"filled": Decimal(10)}, accepted(spec(quantity=Decimal(15)))),
    T.HOLD: ({}, working(ID, is_working=False, held_for="trigger")),
    T.WORK: ({}, working(ID)),
    T.FILL_PART: ({}, filled(fill(4))),
    T.FILL_ALL: ({}, filled(fill(10))),
    T.BUST: ({"filled": Decimal(10)}, filled(fill(8, revision=2), replaces=fill(10))),
    T.DONE: ({}, ev.DoneEvent(at=AT, order_id=ID, filled=Decimal(10))),
    T.ASK_MODIFY: ({}, ev.ModifyEvent(at=AT, order_id=ID, spec=spec(quantity=Decimal(5)))),
    T.MODIFY_REFUSED: ({}, ev.ModifyRejectEvent(at=AT, order_id=ID, code=201, reason="no")),
    T.ASK_CANCEL: ({}, ev.CancelRequestEvent(at=AT, order_id=ID)),
    T.CANCEL_REFUSED: ({}, ev.CancelRejectEvent(at=AT, order_id=ID, code=161, reason="no")),
    T.CANCEL: ({}, ev.CancelEvent(at=AT, order_id=ID, reason="202", code=202)),
    T.EXPIRE: ({}, ev.ExpireEvent(at=AT, order_id=ID, reason="the day is over")),
    T.REJECT: ({}, ev.RejectEvent(at=AT, order_id=ID, code=201, reason="margin")),
    T.SET_ASIDE: ({}, ev.HoldEvent(at=AT, order_id=ID, code=404, reason="locate")),
    T.LOSE: ({}, ev.UnknownEvent(at=AT, order_id=ID, reason="silence")),
    T.REMARK: ({}, ev.WarningEvent(at=AT, order_id=ID, code=399, reason="at the open")),
}
PAIRS = list(itertools.product(S, Trigger))
ILLEGAL_ALIVE = {T.NOT_SENT}  # proof of absence is no news of an order that was acknowledged
ABSENT = {S.PENDING, S.UNKNOWN, S.PENDING_MODIFY, S.PENDING_CANCEL}


def case(status: S, trigger: Trigger) -> tuple[Order, ev.OrderEvent]:
    changes, event = EVENTS[trigger]
    if status is S.FILLED and trigger in (T.ACCEPT, T.ADOPT, T.RESTATE):
        changes = changes | {"reported_filled": Decimal(10)}  # as the broker had called it
    return order(status, **changes), event


def test_there_is_an_event_for_every_trigger() -> None:
    assert EVENTS.keys() == set(Trigger)
    assert TRANSITIONS.keys() == set(S)


@pytest.mark.parametrize(("status", "trigger"), PAIRS)
def test_every_pair_is_a_transition_or_drift(status: S, trigger: Trigger) -> None:
    """Total and closed: each event either follows the table or changes nothing at all."""
    before, event = case(status, trigger)
    found = trigger_of(before, event)
    if trigger is not T.GROW or status is S.FILLED:
        assert found is trigger
    after = apply(before, event)
    if found not in TRANSITIONS[status]:
        assert after is None
        return
    assert after is not None
    expected = TRANSITIONS[status][found]
    refined = {expected, S.SUBMITTED, S.PRESUBMITTED, S.PARTIALLY_FILLED}
    assert after.status is expected or (after.status in refined and not expected.is_closed)
    assert after.updated_at == event.at


@pytest.mark.parametrize("status", LIVE)
def test_a_live_order_has_an_answer_to_everything(status: S) -> None:
    missing = set(Trigger) - TRANSITIONS[status].keys()
    assert missing == (set() if status in ABSENT else ILLEGAL_ALIVE)


@pytest.mark.parametrize(("status", "trigger"), PAIRS)
def test_nothing_becomes_pending_or_denied_again(status: S, trigger: Trigger) -> None:
    after = TRANSITIONS[status].get(trigger)
    assert after is not S.PENDING or status is S.PENDING
    assert after is not S.DENIED or status is S.DENIED


@pytest.mark.parametrize("status", CLOSED)
def test_only_the_brokers_evidence_brings_an_order_back(status: S) -> None:
    evidence = {T.ACCEPT, T.ADOPT, T.GROW, T.RESTATE, T.HOLD, T.WORK, T.FILL_PART, T.BUST}
    revived = {trigger for trigger, after in TRANSITIONS[status].items() if not after.is_closed}
    assert revived <= evidence


@pytest.mark.parametrize("status", [S.CANCELLED, S.EXPIRED])
def test_only_a_snapshot_reopens_what_a_status_closed(status: S) -> None:
    row = TRANSITIONS[status]
    assert {t for t, after in row.items() if not after.is_closed} == {T.ADOPT}


@pytest.mark.parametrize("status", S)
def test_no_execution_is_refused(status: S) -> None:
    for told in (fill(4), fill(10), fill(25)):
        after = apply(order(status), filled(told))
        assert after is not None
        assert after.filled == told.quantity
        assert after.filled_value == told.quantity * told.price


@pytest.mark.parametrize("status", S)
def test_cancelling_is_always_harmless(status: S) -> None:
    after = apply(order(status), EVENTS[T.ASK_CANCEL][1])
    assert after is not None
    # Asking tells nothing of an order that nobody can account for.
    stays = status.is_closed or status is S.UNKNOWN
    assert after.status is (status if stays else S.PENDING_CANCEL)


@pytest.mark.parametrize("status", CLOSED)
def test_a_closed_order_is_not_modified(status: S) -> None:
    assert apply(order(status), EVENTS[T.ASK_MODIFY][1]) is None


def test_a_denied_order_that_the_broker_has_counts() -> None:
    after = apply(order(S.DENIED), accepted(spec(), from_snapshot=True))
    assert after is not None
    assert after.status is S.PRESUBMITTED
    assert apply(order(S.DENIED), EVENTS[T.CANCEL][1]) is None


def follow(start: Order, *events: ev.OrderEvent) -> Order:
    for event in events:
        after = apply(start, event)
        assert after is not None, event
        start = after
    return start


def test_a_late_status_does_not_reopen_a_filled_order() -> None:
    done = follow(order(), filled(fill(10)), working(ID, 0), accepted(spec()))
    assert done.status is S.FILLED
    assert done.filled == 10


def test_the_claimed_quantity_never_goes_back() -> None:
    after = follow(order(), working(ID, 6), working(ID, 4))
    assert after.reported_filled == 6
    assert after.remaining == 4


def test_a_fill_after_a_cancel_counts_and_stays_cancelled() -> None:
    cancelled = follow(order(), EVENTS[T.CANCEL][1])
    assert follow(cancelled, filled(fill(4))).status is S.CANCELLED
    assert follow(cancelled, filled(fill(10))).status is S.FILLED


def test_a_refusal_and_a_cancel_mean_refused_in_any_order() -> None:
    reject, cancel = EVENTS[T.REJECT][1], EVENTS[T.CANCEL][1]
    for events in ((reject, cancel), (cancel, reject)):
        after = follow(order(S.PENDING), *events)
        assert (after.status, after.code) in {(S.REJECTED, 201), (S.REJECTED, 202)}


def test_a_correction_reopens_what_executions_alone_had_filled() -> None:
    corrected = filled(fill(8, revision=2), replaces=fill(10))
    assert follow(order(), filled(fill(10)), corrected).status is S.PARTIALLY_FILLED
    done = EVENTS[T.DONE][1]
    for events in ((filled(fill(10)), done, corrected), (filled(fill(10)), corrected, done)):
        after = follow(order(), *events)
        assert after.status is S.FILLED
        assert after.filled == 8


def test_a_correction_to_nothing_leaves_it_working() -> None:
    after = follow(order(), filled(fill(4)), filled(fill(0, revision=2), replaces=fill(4)))
    assert after.status is S.SUBMITTED
    assert after.filled == 0


def test_fills_beyond_the_old_quantity_do_not_close_an_order_that_grows() -> None:
    wanted = spec(quantity=Decimal(20))
    ask = ev.ModifyEvent(at=AT, order_id=ID, spec=wanted)
    growing = follow(order(), ask, filled(fill(15)))
    assert growing.status is S.PARTIALLY_FILLED
    assert growing.remaining == 5
    assert follow(growing, accepted(wanted)).remaining == 5
    refused = follow(growing, EVENTS[T.MODIFY_REFUSED][1])
    assert refused.status is S.FILLED


def test_an_order_made_smaller_by_the_broker_is_complete() -> None:
    after = follow(order(), filled(fill(6)), accepted(spec(quantity=Decimal(6))))
    assert after.status is S.FILLED
    assert after.spec.quantity == 6


def test_an_order_made_larger_by_hand_lives_on_after_its_fills() -> None:
    larger = accepted(spec(quantity=Decimal(20)))
    after = follow(order(), filled(fill(10)), larger)
    assert after.status is S.PARTIALLY_FILLED
    assert after.remaining == 10


def test_a_stale_echo_does_not_reopen_what_the_broker_called_filled() -> None:
    done = follow(order(), filled(fill(10)), EVENTS[T.DONE][1])
    stale = msgspec.structs.replace(spec(), quantity=Decimal(20))
    assert follow(done, accepted(stale)).status is S.FILLED
    assert follow(done, accepted(stale)).spec.quantity == 10
    assert follow(done, accepted(stale, from_snapshot=True)).status is S.PARTIALLY_FILLED


def test_an_exit_that_ended_all_of_its_entry_lives_on_when_that_grows() -> None:
    """A status with nothing left is not the broker's `Filled`: more may come."""
    spent = follow(order(), filled(fill(10)), working(spec().order_id, filled=10))
    assert spent.status is S.FILLED
    grown = follow(spent, accepted(spec(quantity=Decimal(15))))
    assert (grown.status, grown.remaining) == (S.PARTIALLY_FILLED, Decimal(5))


def ask(**terms: Any) -> ev.ModifyEvent:
    return ev.ModifyEvent(at=AT, order_id=ID, spec=spec(**terms))


def test_a_change_is_confirmed_by_other_terms_only() -> None:
    changing = follow(order(), ask(limit_price=Decimal(149)))
    assert changing.status is S.PENDING_MODIFY
    echoed = follow(changing, accepted(spec()))
    assert echoed.status is S.PENDING_MODIFY
    assert echoed.desired is not None
    confirmed = follow(echoed, accepted(spec(limit_price=Decimal(149))))
    assert confirmed.status is S.SUBMITTED
    assert confirmed.desired is None
    assert confirmed.spec.limit_price == 149


def test_a_snapshot_with_the_old_terms_ends_a_change() -> None:
    after = follow(order(), ask(limit_price=Decimal(149)), accepted(spec(), from_snapshot=True))
    assert after.status is S.SUBMITTED
    assert after.desired is None
    assert after.spec.limit_price == 150


def test_the_trigger_of_a_trail_moves_by_itself() -> None:
    terms: dict[str, Any] = {
        "order_type": OrderType.TRAIL,
        "limit_price": None,
        "trail_amount": Decimal(3),
    }
    start = order(**terms, stop_price=Decimal(145))
    changing = follow(start, ask(**(terms | {"trail_amount": Decimal(2)})))
    moved = accepted(spec(**terms, stop_price=Decimal(146)))
    assert follow(changing, moved).desired is not None


def test_a_refused_change_leaves_the_old_terms() -> None:
    after = follow(order(), ask(limit_price=Decimal(149)), EVENTS[T.MODIFY_REFUSED][1])
    assert after.status is S.SUBMITTED
    assert (after.desired, after.code, after.reason) == (None, 201, "no")


def test_a_change_of_a_held_order_leaves_it_held() -> None:
    held = follow(order(), working(ID, is_working=False, held_for="trigger"))
    assert held.status is S.PRESUBMITTED
    after = follow(held, ask(limit_price=Decimal(149)), EVENTS[T.MODIFY_REFUSED][1])
    assert after.status is S.PRESUBMITTED
    assert follow(after, working(ID)).status is S.SUBMITTED


def test_closing_ends_a_change_under_way() -> None:
    assert follow(order(), ask(quantity=Decimal(8)), filled(fill(10))).desired is None


def test_a_partial_fill_does_not_stop_a_cancel() -> None:
    after = follow(order(), EVENTS[T.ASK_CANCEL][1], filled(fill(4)))
    assert after.status is S.PENDING_CANCEL
    assert after.remaining == 6
    assert follow(after, EVENTS[T.CANCEL_REFUSED][1]).status is S.UNKNOWN


def test_a_partly_filled_order_is_shown_as_such_however_it_came_back() -> None:
    lost = follow(order(), filled(fill(4)), EVENTS[T.LOSE][1])
    assert follow(lost, accepted(spec())).status is S.PARTIALLY_FILLED
    assert follow(lost, working(ID)).status is S.PARTIALLY_FILLED


def test_the_brokers_terms_are_believed_and_ours_kept() -> None:
    theirs = msgspec.structs.replace(
        spec(), group_id="other", parent_id=OrderId("memo-1-entry"), limit_price=Decimal(151)
    )
    after = follow(order(), accepted(theirs, warning="held"))
    assert after.spec.group_id == "memo-1"
    assert after.spec.parent_id == "memo-1-entry"
    assert after.spec.limit_price == 151
    assert (after.perm_id, after.client_id, after.reason) == (9001, 7, "held")


def test_a_contract_is_taken_from_the_broker_only_while_unresolved() -> None:
    unresolved = msgspec.structs.replace(spec().contract, con_id=0)
    after = follow(order(contract=unresolved), accepted(spec()))
    assert after.spec.contract.con_id == 265598


def test_a_commission_is_added_and_moves_nothing() -> None:
    event = ev.CommissionEvent(at=AT, order_id=ID, fill_id="e1", commission=Decimal("1.05"))
    after = follow(order(), event, event)
    assert after.commission == Decimal("2.10")
    assert after.status is S.SUBMITTED


def test_words_are_kept_and_nothing_said_leaves_them() -> None:
    lost = follow(order(), ev.UnknownEvent(at=AT, order_id=ID, reason="silence"))
    assert follow(lost, ev.ExpireEvent(at=AT, order_id=ID)).reason == "silence"
    assert follow(lost, ev.CancelEvent(at=AT, order_id=ID)).reason == "silence"
    denied = ev.DenyEvent(at=AT, order_id=ID, breaches=(BREACH,))
    assert follow(order(), denied).status is S.SUBMITTED


def test_a_first_word_opens_an_order() -> None:
    assert open_order(written(spec())).status is S.PENDING
    adopted = open_order(accepted(spec(), is_foreign=True))
    assert (adopted.status, adopted.is_foreign) == (S.PRESUBMITTED, True)
    back = order(S.PARTIALLY_FILLED, filled=adopted.spec.quantity / 2)
    taken = ev.AdoptEvent(at=AT, order_id=ID, order=back, was=OrderId("foreign-9001"))
    assert open_order(taken) is back
    denied = open_order(ev.DenyEvent(at=AT, order_id=ID, breaches=(BREACH,), spec=spec()))
    assert (denied.status, denied.reason) == (S.DENIED, "too large")


@pytest.mark.parametrize(
    "event", [working(ID), ev.DenyEvent(at=AT, order_id=ID, breaches=(BREACH,))]
)
def test_a_word_without_terms_opens_nothing(event: ev.OrderEvent) -> None:
    with pytest.raises(InvariantBroken, match="nobody knows"):
        open_order(event)
