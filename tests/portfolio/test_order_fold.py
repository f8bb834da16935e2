"""Orders and their executions in the account's picture: each counted once."""

from __future__ import annotations

import random
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus, Side
from ibkr_trader.core.errors import InvariantBroken
from ibkr_trader.core.models import (
    FillId,
    Order,
    OrderId,
    Position,
)
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import (
    AAPL,
    ACCOUNT,
    AT,
    GROUP,
    accepted,
    bracket_specs,
    fill,
    filled,
    later,
    spec,
    values,
    working,
    written,
)

ID = OrderId("memo-1-single")
E1 = FillId("e1")
BREACH = ev.Breach(check="size", message="too large")


def only(state: PortfolioState) -> Order:
    (order,) = [*state.orders.values(), *state.closed.values()]
    return order


def cost(amount: str, key: str = "e1", realized: str | None = None) -> ev.CommissionEvent:
    return ev.CommissionEvent(
        at=AT,
        order_id=ID,
        fill_id=key,
        commission=Decimal(amount),
        realized_pnl=Decimal(realized) if realized else None,
    )


def synced(*quantities: int) -> ev.SyncEvent:
    positions = tuple(report(quantity).position for quantity in quantities)
    return ev.SyncEvent(at=AT, epoch=1, positions=positions)


def report(quantity: int, at: float = 0) -> ev.PositionReportEvent:
    position = Position(
        account=ACCOUNT, contract=AAPL, quantity=Decimal(quantity), average_cost=Decimal(150)
    )
    return ev.PositionReportEvent(at=later(at), position=position)


def test_an_order_lives_among_the_living_and_then_among_the_past() -> None:
    state = fold([written(spec())])
    assert state.orders.keys() == {ID}
    assert state.order(ID) is state.orders[ID]
    before = state
    state = fold([accepted(spec()), working(ID), filled(fill(10))], state)
    assert not state.orders
    assert state.closed.keys() == {ID}
    assert state.order(ID) == only(state)
    assert only(state).status is OrderStatus.FILLED
    assert before.orders.keys() == {ID}  # the older picture is as it was
    assert state.order(OrderId("nobody")) is None


def test_a_bracket_is_a_group_with_children() -> None:
    entry, target, stop = bracket_specs()
    state = fold([written(one, kind="bracket") for one in (entry, target, stop)])
    assert state.groups[GROUP] == (entry.order_id, target.order_id, stop.order_id)
    assert state.children[entry.order_id] == (target.order_id, stop.order_id)


def test_a_parent_may_be_named_later() -> None:
    entry, target, _ = bracket_specs()
    orphan = msgspec.structs.replace(target, parent_id=None)
    state = fold([accepted(orphan), accepted(target), accepted(target)])
    assert state.children[entry.order_id] == (target.order_id,)


def test_a_closed_order_that_lives_again_is_drift() -> None:
    cancelled = ev.CancelEvent(at=AT, order_id=ID)
    state = fold([written(spec()), accepted(spec()), cancelled])
    assert not state.orders
    state = state.apply(accepted(spec(), from_snapshot=True))
    assert state.orders.keys() == {ID}
    assert not state.closed
    (drift,) = state.drift.values()
    assert (drift.subject, drift.ours, drift.theirs) == (f"order {ID}", "CANCELLED", "PRESUBMITTED")
    assert not state.apply(synced()).drift


def test_a_correction_that_reopens_an_order_is_no_drift() -> None:
    state = fold([written(spec()), filled(fill(10)), filled(fill(8, revision=2))])
    assert state.orders[ID].filled == 8
    assert not state.drift


def test_illegal_news_from_the_broker_is_drift_and_changes_nothing() -> None:
    denied = ev.DenyEvent(at=AT, order_id=ID, breaches=(BREACH,), spec=spec())
    state = fold([denied, working(ID)])
    assert only(state).status is OrderStatus.DENIED
    (drift,) = state.drift.values()
    assert (drift.ours, drift.theirs) == ("DENIED", "StatusEvent")
    assert state.apply(working(ID)) is state


def test_our_own_illegal_steps_are_bugs() -> None:
    state = fold([written(spec())])
    with pytest.raises(InvariantBroken, match="a second time"):
        state.apply(written(spec()))
    state = state.apply(filled(fill(10)))
    with pytest.raises(InvariantBroken, match="ModifyEvent of memo-1-single, which is FILLED"):
        state.apply(ev.ModifyEvent(at=AT, order_id=ID, spec=spec()))


def test_each_execution_counts_once() -> None:
    state = fold([written(spec()), filled(fill(4)), filled(fill(4)), filled(fill(4))])
    assert only(state).filled == 4
    assert state.positions[AAPL.con_id].quantity == 4


def test_a_correction_replaces_and_an_older_revision_is_ignored() -> None:
    state = fold([written(spec()), filled(fill(8, "151", revision=2)), filled(fill(10))])
    assert only(state).filled == 8
    assert only(state).filled_value == 8 * 151
    assert state.positions[AAPL.con_id].quantity == 8
    busted = state.apply(filled(fill(0, revision=3)))
    assert not busted.positions
    assert only(busted).filled == 0


def test_an_overfill_is_recorded() -> None:
    state = fold([written(spec()), filled(fill(10)), filled(fill(5, key="e2"))])
    assert only(state).filled == 15
    assert state.positions[AAPL.con_id].quantity == 15


def test_a_fill_of_an_order_that_nobody_knows_moves_the_position() -> None:
    """And counts for the order, once its terms come."""
    told = fill(4, order_id="foreign-7", commission=Decimal(1))
    state = fold([filled(told)])
    assert state.positions[AAPL.con_id].quantity == 4
    theirs = spec(order_id=OrderId("foreign-7"))
    state = state.apply(accepted(theirs, is_foreign=True))
    order = state.orders[OrderId("foreign-7")]
    assert values(order.filled, order.commission, order.is_foreign) == (4, 1, True)
    assert order.status is OrderStatus.PARTIALLY_FILLED
    assert not state.drift


def test_news_before_terms_is_kept_until_they_come() -> None:
    done = ev.DoneEvent(at=AT, order_id=ID, filled=Decimal(10))
    state = fold([working(ID, 2), working(ID, 4), done])
    assert not state.orders
    assert len(state.unclaimed[ID]) == 2
    state = state.apply(accepted(spec()))
    assert only(state).status is OrderStatus.FILLED
    assert not state.unclaimed


def test_a_change_that_we_denied_is_no_order() -> None:
    state = fold([ev.DenyEvent(at=AT, order_id=ID, breaches=(BREACH,))])
    assert not state.orders
    assert not state.closed


def test_a_commission_may_come_late_twice_or_first() -> None:
    late = fold([written(spec()), filled(fill(10)), cost("1.05", realized="3"), cost("1.05")])
    early = fold([written(spec()), cost("1.05", realized="3"), filled(fill(10))])
    for state in (late, early):
        assert only(state).commission == Decimal("1.05")
        assert state.fills[E1].commission == Decimal("1.05")
    assert early.fills[E1].realized_pnl == 3
    assert not early.unclaimed_costs


def test_a_commission_of_another_execution_waits_on() -> None:
    state = fold([written(spec()), cost("1", key="e2"), filled(fill(4))])
    assert only(state).commission == 0
    assert state.unclaimed_costs.keys() == {"e2"}


def test_a_commission_may_come_with_the_execution_or_its_repeat() -> None:
    charged = fill(10, commission=Decimal("1.05"), realized_pnl=Decimal(3))
    together = fold([written(spec()), filled(charged)])
    repeated = fold([written(spec()), filled(fill(10)), filled(charged), filled(charged)])
    assert only(together).commission == only(repeated).commission == Decimal("1.05")
    assert together.fills == repeated.fills


def test_a_correction_keeps_the_commission_until_told_otherwise() -> None:
    state = fold([written(spec()), filled(fill(10)), cost("1.05"), filled(fill(8, revision=2))])
    assert only(state).commission == Decimal("1.05")
    dearer = fill(7, revision=3, commission=Decimal("1.20"))
    assert only(state.apply(filled(dearer))).commission == Decimal("1.20")
    older = fill(10, revision=1, commission=Decimal(9))
    assert state.apply(filled(older)) is state


def test_a_commission_of_a_strangers_fill_is_kept_with_it() -> None:
    state = fold([filled(fill(4, order_id="foreign-7")), cost("1.00")])
    assert state.fills[E1].commission == 1


NEWS: list[ev.BaseEvent] = [
    accepted(spec()),
    working(ID, 4),
    filled(fill(4, "150", key="a", at=later(1))),
    filled(fill(5, "151", key="b", at=later(2))),
    filled(fill(6, "152", key="b", revision=2, at=later(2))),
    filled(fill(3, "149", key="x", order_id="foreign-7", side=Side.SELL, at=later(1.5))),
    cost("1.00", key="a"),
    cost("1.10", key="b"),
    cost("0.90", key="x"),
    ev.DoneEvent(at=later(3), order_id=ID, filled=Decimal(10)),
]


def ledger(state: PortfolioState) -> object:
    order = only(state)
    return (
        order.status, order.filled, order.filled_value, order.commission, dict(state.fills),
        state.positions, state.drift, state.unclaimed_costs,
    )  # fmt: skip


@given(st.lists(st.sampled_from(range(len(NEWS))), max_size=25), st.randoms(use_true_random=False))
def test_any_permutation_with_duplicates_gives_the_same_ledger(
    repeats: list[int], chance: random.Random
) -> None:
    """S17: idempotent and commutative."""
    canonical = fold([written(spec()), *NEWS])
    told = [*NEWS, *(NEWS[index] for index in repeats)]
    chance.shuffle(told)
    assert ledger(fold([written(spec()), *told])) == ledger(canonical)
    assert ledger(fold(told)) == ledger(canonical)  # even if nobody knows the order at first
