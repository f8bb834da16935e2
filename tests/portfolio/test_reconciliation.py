"""Who is right, broker or journal: the recovery table of the design, row by row."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import AccountValues, Fill, GroupId, OrderId
from ibkr_trader.portfolio.evidence import Evidence
from ibkr_trader.portfolio.reconciliation import GRACE, reconcile
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import (
    AAPL,
    ACCOUNT,
    AT,
    MSFT,
    accepted,
    bracket_specs,
    fill,
    filled,
    later,
    spec,
    values,
    written,
)
from tests.portfolio.stage import (
    ENTRY,
    ID,
    STOP,
    TARGET,
    S,
    drift,
    held,
    missed,
    sent,
    settle,
    snapshot,
    status,
    theirs,
)

# -- sent, and present -----------------------------------------------------------------------


def test_what_is_open_is_adopted() -> None:
    after, outcome = settle(sent(spec()), snapshot(theirs(spec())))
    assert status(after) is S.SUBMITTED
    assert after.orders[ID].perm_id == 9001
    assert values(outcome.cancels, outcome.unresolved, drift(outcome)) == ((), (), [])


def test_executions_while_offline_count_exactly_once() -> None:
    told = fill(4, key="off", commission=Decimal("1.00"))
    before = fold([filled(fill(3, key="seen"))], sent(spec()))
    stated = snapshot(
        theirs(spec(), S.PARTIALLY_FILLED, reported_filled=Decimal(7)),
        fills=(fill(3, key="seen"), told),
        positions=(held(7),),
    )
    after, outcome = settle(before, stated)
    assert after.orders[ID].filled == 7
    assert after.orders[ID].commission == 1
    assert after.positions[AAPL.con_id].quantity == 7
    assert drift(outcome) == []


def test_who_hears_that_an_order_ended_knows_what_it_traded() -> None:
    """A group that hears of a cancel first would cancel the stop of what has filled."""
    done = theirs(spec(), S.CANCELLED)
    told = fill(4)
    _, outcome = settle(
        sent(spec()), snapshot(completed_orders=(done,), fills=(told,), positions=(held(4),))
    )
    kinds = [type(event) for event in outcome.events]
    assert kinds.index(ev.FillEvent) < kinds.index(ev.CancelEvent)


def test_an_order_listed_nowhere_has_ended_if_it_traded() -> None:
    part = snapshot(fills=(fill(4),), positions=(held(4),))
    after, _ = settle(sent(spec()), part)
    assert status(after) is S.CANCELLED
    whole = snapshot(fills=(fill(10),), positions=(held(10),))
    after, _ = settle(sent(spec()), whole)
    assert status(after) is S.FILLED


def test_an_order_sent_while_the_broker_was_asked_is_left_alone() -> None:
    """Its execution may be listed although it came too late for the list of open orders."""
    just = Evidence(just_sent=frozenset({ID}))
    stated = snapshot(fills=(fill(4),), positions=(held(4),))
    after, outcome = settle(sent(spec()), stated, just)
    assert status(after) is S.PARTIALLY_FILLED
    assert outcome.unresolved == ()
    after, outcome = settle(sent(spec()), snapshot(), just)
    assert values(status(after), outcome.unresolved) == (S.PENDING, ())


# -- sent, and absent ------------------------------------------------------------------------


def test_absent_once_is_unknown() -> None:
    after, outcome = settle(sent(spec()), snapshot())
    assert status(after) is S.UNKNOWN
    assert outcome.unresolved == (ID,)
    assert outcome.cancels == ()  # alone, it is no half of anything


def test_absent_twice_on_a_new_link_was_never_sent() -> None:
    once, _ = settle(sent(spec()), snapshot())
    after, outcome = settle(once, snapshot(), missed(ID))
    assert status(after) is S.NOT_SENT
    assert outcome.unresolved == ()


NOT_PROVEN: dict[str, tuple[dict[str, Any], Evidence]] = {
    "too early": ({}, missed(ID, by=GRACE - timedelta(seconds=1))),
    "on the link it was sent on": ({}, missed(ID, sent_in={ID: 2})),
    "asked anew on that link": ({"epoch": 3, "dialled": 2}, missed(ID, sent_in={ID: 2})),
    "on another day": ({"at": later(86_400)}, missed(ID)),
    "the position has moved": ({"positions": (held(10),)}, missed(ID)),
}


@pytest.mark.parametrize("name", NOT_PROVEN)
def test_anything_less_than_proof_is_unknown(name: str) -> None:
    parts, evidence = NOT_PROVEN[name]
    outcome = reconcile(sent(spec()), snapshot(**parts), evidence)
    assert status(fold(outcome.events, sent(spec()))) is S.UNKNOWN
    assert outcome.unresolved == (ID,)


def test_a_picture_without_any_position_yet_cannot_contradict() -> None:
    before = fold([written(spec())])
    after, outcome = settle(before, snapshot(positions=(held(10),)), missed(ID))
    assert status(after) is S.NOT_SENT
    assert drift(outcome) == []
    assert after.positions[AAPL.con_id].quantity == 10


def test_an_acknowledged_order_that_is_gone_has_ended() -> None:
    after, outcome = settle(fold([accepted(spec())], sent(spec())), snapshot())
    assert status(after) is S.CANCELLED
    assert drift(outcome) == [(ID, "PRESUBMITTED", "no longer at the broker")]


def test_an_unknown_order_that_the_broker_once_had_is_looked_at_twice() -> None:
    lost = ev.UnknownEvent(at=AT, order_id=ID, reason="161")
    before = fold([accepted(spec()), lost], sent(spec()))
    once, outcome = settle(before, snapshot())
    assert values(status(once), outcome.unresolved) == (S.UNKNOWN, (ID,))
    after, _ = settle(once, snapshot(), missed(ID, sent_in={ID: 2}))
    assert status(after) is S.CANCELLED


def test_a_late_answer_revives_what_was_never_sent() -> None:
    gone = ev.NotSentEvent(at=AT, order_id=ID, reason="absent twice")
    after, _ = settle(fold([gone], sent(spec())), snapshot(theirs(spec())))
    assert status(after) is S.SUBMITTED
    done = theirs(spec(), S.FILLED, reported_filled=Decimal(10))
    after, _ = settle(fold([gone], sent(spec())), snapshot(completed_orders=(done,)))
    assert status(after) is S.FILLED


# -- halves of groups ------------------------------------------------------------------------


def test_a_lost_bracket_is_cancelled_by_every_id_once() -> None:
    specs = bracket_specs()
    once, outcome = settle(sent(*specs), snapshot())
    assert set(outcome.cancels) == {ENTRY, TARGET, STOP}
    _, outcome = settle(once, snapshot(), missed(*outcome.unresolved, by=timedelta(seconds=1)))
    assert outcome.cancels == ()
    after, outcome = settle(once, snapshot(), missed(ENTRY, TARGET, STOP))
    assert {order.status for order in after.closed.values()} == {S.NOT_SENT}
    assert outcome.cancels == ()


def test_a_cancel_already_asked_for_is_not_repeated() -> None:
    asked = [ev.CancelRequestEvent(at=AT, order_id=one) for one in (ENTRY, TARGET, STOP)]
    _, outcome = settle(fold(asked, sent(*bracket_specs())), snapshot())
    assert outcome.cancels == ()
    assert outcome.unresolved == (ENTRY, STOP, TARGET)


def test_exits_without_their_entry_are_cancelled() -> None:
    """What was to end a position would open one."""
    entry, target, stop = bracket_specs()
    _, outcome = settle(
        sent(entry, target, stop), snapshot(theirs(target), theirs(stop, S.PRESUBMITTED))
    )
    assert set(outcome.cancels) == {ENTRY, TARGET, STOP}


def test_an_entry_without_its_stop_is_cancelled() -> None:
    entry, target, stop = bracket_specs()
    after, outcome = settle(sent(entry, target, stop), snapshot(theirs(entry), theirs(target)))
    assert set(outcome.cancels) == {STOP, ENTRY}
    assert status(after, STOP) is S.UNKNOWN
    assert not [event for event in outcome.events if isinstance(event, ev.GroupEvent)]


def test_an_entry_that_traded_without_its_stop_is_told_loudly() -> None:
    entry, target, stop = bracket_specs()
    stated = snapshot(
        theirs(entry, S.PARTIALLY_FILLED), theirs(target),
        fills=(fill(4, order_id=ENTRY),), positions=(held(4),),
    )  # fmt: skip
    _, outcome = settle(sent(entry, target, stop), stated)
    (word,) = [event for event in outcome.events if isinstance(event, ev.GroupEvent)]
    assert word.is_serious
    assert "unprotected" in word.message


def test_a_missing_target_is_no_danger() -> None:
    entry, target, stop = bracket_specs()
    stated = snapshot(theirs(entry), theirs(stop, S.PRESUBMITTED))
    _, outcome = settle(sent(entry, target, stop), stated)
    assert outcome.cancels == (TARGET,)


def test_an_exit_lost_after_its_entry_is_over_is_cancelled_alone() -> None:
    entry, target, stop = bracket_specs()
    before = fold([filled(fill(10, order_id=ENTRY))], sent(entry, target, stop))
    stated = snapshot(theirs(target), fills=(fill(10, order_id=ENTRY),), positions=(held(10),))
    _, outcome = settle(before, stated)
    assert outcome.cancels == (STOP,)


def test_the_last_order_of_a_group_is_still_part_of_it() -> None:
    *_, stop = bracket_specs()
    _, outcome = settle(sent(stop), snapshot())
    assert outcome.cancels == (STOP,)


# -- cancels and changes under way -----------------------------------------------------------


def test_a_cancel_that_may_be_lost_is_sent_again() -> None:
    asked = ev.CancelRequestEvent(at=AT, order_id=ID)
    _, outcome = settle(fold([asked], sent(spec())), snapshot(theirs(spec())))
    assert outcome.cancels == (ID,)


def test_a_change_that_did_not_arrive_is_dropped() -> None:
    wanted = spec(limit_price=Decimal(149))
    change = ev.ModifyEvent(at=AT, order_id=ID, spec=wanted)
    before = fold([accepted(spec()), change], sent(spec()))
    after, _ = settle(before, snapshot(theirs(spec())))
    assert values(after.orders[ID].desired, after.orders[ID].spec.limit_price) == (None, 150)
    after, _ = settle(before, snapshot(theirs(wanted)))
    assert after.orders[ID].spec.limit_price == 149


# -- what the journal knows nothing of -------------------------------------------------------


def test_an_order_of_ours_without_a_record_is_adopted_as_drift() -> None:
    after, outcome = settle(PortfolioState(), snapshot(theirs(spec())), Evidence(install="memo"))
    assert after.orders.keys() == {ID}
    assert drift(outcome) == [(ID, "not in the journal", "open as SUBMITTED")]


def test_what_another_host_of_the_lease_sent_is_adopted_and_no_drift() -> None:
    after, outcome = settle(PortfolioState(), snapshot(theirs(spec())), Evidence(install="memo2"))
    assert after.orders.keys() == {ID}
    assert not after.orders[ID].is_foreign
    assert drift(outcome) == []


def test_a_strangers_order_is_counted_and_never_touched() -> None:
    name = OrderId("foreign-9")
    foreign = theirs(spec(order_id=name, group=GroupId("foreign-9")), is_foreign=True)
    after, outcome = settle(PortfolioState(), snapshot(foreign))
    assert after.orders[name].is_foreign
    assert values(outcome.cancels, drift(outcome)) == ((), [])
    gone, _ = settle(after, snapshot())
    assert not gone.orders


def test_a_closed_order_that_nobody_knows_is_left_in_the_past() -> None:
    after, _ = settle(PortfolioState(), snapshot(completed_orders=(theirs(spec(), S.FILLED),)))
    assert after.order(ID) is None


def test_an_order_that_is_open_and_closed_is_open() -> None:
    stated = snapshot(theirs(spec()), completed_orders=(theirs(spec(), S.CANCELLED),))
    after, _ = settle(sent(spec()), stated)
    assert status(after) is S.SUBMITTED


def test_what_we_closed_ourselves_is_not_closed_again() -> None:
    before = fold([ev.CancelEvent(at=AT, order_id=ID)], sent(spec()))
    _, outcome = settle(before, snapshot(completed_orders=(theirs(spec(), S.CANCELLED),)))
    assert not [event for event in outcome.events if isinstance(event, ev.OrderEvent)]


# -- positions and money ---------------------------------------------------------------------


def test_a_difference_that_no_execution_explains_is_drift_in_the_brokers_favour() -> None:
    after, outcome = settle(sent(ledger=(10,)), snapshot(positions=(held(4), held(3, MSFT))))
    assert sorted(drift(outcome)) == [
        ("position AAPL", "10", "4"),
        ("position MSFT", "0", "3"),
    ]
    assert {p.contract.symbol: p.quantity for p in after.positions.values()} == {
        "AAPL": 4, "MSFT": 3,
    }  # fmt: skip
    gone, outcome = settle(after, snapshot(positions=(held(3, MSFT),)))
    assert drift(outcome) == [("position AAPL", "4", "0")]
    assert gone.positions.keys() == {MSFT.con_id}


def test_an_execution_of_a_new_contract_that_left_no_position_is_drift() -> None:
    told = fill(3, key="m", order_id="foreign-1", contract=MSFT)
    _, outcome = settle(sent(), snapshot(fills=(told,)))
    assert drift(outcome) == [("position MSFT", "3", "0")]


def test_a_corrected_execution_moves_the_ledger_by_the_difference() -> None:
    before = fold([filled(fill(10))], sent(spec()))
    stated = snapshot(
        completed_orders=(theirs(spec(), S.FILLED),),
        fills=(fill(8, revision=2),),
        positions=(held(8),),
    )
    after, outcome = settle(before, stated)
    assert drift(outcome) == []
    assert after.positions[AAPL.con_id].quantity == 8


def crossed() -> tuple[PortfolioState, Fill]:
    told = fill(5, key="crossing", order_id="foreign-1", side=Side.BUY, at=later(59))
    return fold([filled(told)], sent(ledger=(10,))), told


def test_an_execution_between_the_answer_and_the_look_is_not_lost() -> None:
    """Positions were stated before it, and we heard of it before we looked."""
    before, told = crossed()
    just = Evidence(just_filled=frozenset({told.fill_id}))
    outcome = reconcile(before, snapshot(positions=(held(10),)), just)
    assert drift(outcome) == []
    assert fold(outcome.events, before).positions[AAPL.con_id].quantity == 15


def test_an_execution_that_the_position_already_has_is_no_drift() -> None:
    before, told = crossed()
    just = Evidence(just_filled=frozenset({told.fill_id}))
    after, outcome = settle(before, snapshot(positions=(held(15),)), just)
    assert drift(outcome) == []
    assert after.positions[AAPL.con_id].quantity == 15


def test_an_execution_that_ends_the_position_meanwhile_leaves_nothing() -> None:
    told = fill(10, key="out", order_id="foreign-1", side=Side.SELL, at=later(59))
    before = fold([filled(told)], sent(ledger=(10,)))
    just = Evidence(just_filled=frozenset({told.fill_id}))
    outcome = reconcile(before, snapshot(positions=(held(10),)), just)
    assert drift(outcome) == []
    assert not fold(outcome.events, before).positions


def test_the_last_word_is_that_everything_was_asked() -> None:
    account = AccountValues(account=ACCOUNT, net_liquidation=Decimal(100_000))
    after, outcome = settle(PortfolioState(), snapshot(values=account))
    assert isinstance(outcome.events[-1], ev.SyncEvent)
    assert outcome.events[-1].epoch == 2
    assert after.values == account
    assert after.has_synced


def test_an_order_of_unknown_age_proves_nothing() -> None:
    ageless = msgspec.structs.replace(sent(spec()).orders[ID], created_at=None)
    before = msgspec.structs.replace(sent(spec()), orders={ID: ageless})
    outcome = reconcile(before, snapshot(), missed(ID))
    assert outcome.unresolved == (ID,)
    acknowledged = msgspec.structs.replace(ageless, perm_id=9001, status=S.SUBMITTED)
    before = msgspec.structs.replace(before, orders={ID: acknowledged})
    assert status(fold(reconcile(before, snapshot(), Evidence()).events, before)) is S.CANCELLED


def test_an_old_execution_that_the_broker_has_forgotten_is_drift() -> None:
    before, _ = crossed()
    after, outcome = settle(before, snapshot(positions=(held(10),)))
    assert drift(outcome) == [("position AAPL", "15", "10")]
    assert after.positions[AAPL.con_id].quantity == 10
