"""After a gap: groups that end each other, exits at a time, stops that became something else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OcaType, OrderRole, OrderType, Side
from ibkr_trader.core.ids import make_order_id
from ibkr_trader.core.models import Adjustment, OrderSpec
from ibkr_trader.portfolio.evidence import Evidence
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import GROUP, accepted, later, spec
from tests.portfolio.stage import S, drift, held, sent, settle, snapshot, status, theirs

D = Decimal
T = OrderType
PAIR: dict[str, Any] = {"oca_group": f"{GROUP}-x1", "oca_type": OcaType.CANCEL}
EXITS: dict[str, Any] = {
    "side": Side.SELL, "oca_group": f"{GROUP}-x1", "oca_type": OcaType.REDUCE,
}  # fmt: skip


def stop(**terms: Any) -> OrderSpec:
    known = {"order_type": T.STOP, "limit_price": None, "stop_price": D(145)}
    return spec(OrderRole.STOP, **(EXITS | known | terms))


def target(**terms: Any) -> OrderSpec:
    return spec(OrderRole.TARGET, **(EXITS | {"limit_price": D(155)} | terms))


def either(copy: int, **terms: Any) -> OrderSpec:
    order_id = make_order_id(GROUP, OrderRole.ENTRY, copy=copy)
    return spec(OrderRole.ENTRY, order_id=order_id, **(PAIR | terms))


def known(*specs: OrderSpec, quantity: int = 10) -> PortfolioState:
    """Return what a journal knows of orders that the broker has accepted."""
    return fold([accepted(one) for one in specs], sent(*specs, ledger=(quantity,)))


# -- halves -----------------------------------------------------------------------------------


def test_an_entry_without_its_alternative_is_cancelled() -> None:
    """The first frame left and the second did not: half a bet is another bet."""
    low, high = either(1), either(2, side=Side.SELL, limit_price=D(160))
    for lost, open_one in ((high, low), (low, high)):
        _, outcome = settle(sent(low, high), snapshot(theirs(open_one)))
        assert set(outcome.cancels) == {lost.order_id, open_one.order_id}


def test_a_scale_in_that_never_left_takes_nothing_with_it() -> None:
    """The exits protect what was bought before."""
    more = spec(OrderRole.ENTRY, order_id=make_order_id(GROUP, OrderRole.ENTRY, copy=2))
    before = sent(stop(), target(), more, ledger=(10,))
    _, outcome = settle(before, snapshot(theirs(stop()), theirs(target()), positions=(held(10),)))
    assert outcome.cancels == (more.order_id,)


def test_of_several_entries_the_one_without_its_stop_is_given_up() -> None:
    first = spec(OrderRole.ENTRY)
    more = spec(OrderRole.ENTRY, order_id=make_order_id(GROUP, OrderRole.ENTRY, copy=2))
    its_stop = stop(
        order_id=make_order_id(GROUP, OrderRole.STOP, copy=2), parent_id=more.order_id
    )  # fmt: skip
    _, outcome = settle(sent(first, more, its_stop), snapshot(theirs(first), theirs(more)))
    assert set(outcome.cancels) == {its_stop.order_id, more.order_id}


def test_an_exit_that_never_left_leaves_the_other_at_work() -> None:
    before = sent(stop(), target(), ledger=(10,))
    after, outcome = settle(before, snapshot(theirs(stop()), positions=(held(10),)))
    assert outcome.cancels == (target().order_id,)
    assert status(after, stop().order_id) is S.SUBMITTED


# -- what became of them meanwhile --------------------------------------------------------------


def test_exits_that_the_broker_has_cut_are_adopted_as_they_are() -> None:
    cut = [msgspec.structs.replace(one, quantity=D(6)) for one in (stop(), target())]
    stated = snapshot(*(theirs(one) for one in cut), positions=(held(10),))
    after, outcome = settle(known(stop(), target()), stated)
    for one in cut:
        order = after.orders[one.order_id]
        assert (order.spec.quantity, order.is_overridden) == (D(6), False)
    assert (outcome.cancels, drift(outcome)) == ((), [])


def test_a_stop_that_became_a_trail_while_nobody_listened_is_adopted_as_one() -> None:
    adjustment = Adjustment(
        trigger=D(155), order_type=T.TRAIL, stop_price=D(150), trail_amount=D(4)
    )  # fmt: skip
    sent_as = stop(adjustment=adjustment, parent_id=None)
    stated_as = msgspec.structs.replace(
        sent_as, order_type=T.TRAIL, stop_price=D("151.5"), trail_amount=D(4), adjustment=None,
        role=OrderRole.SINGLE,
    )  # fmt: skip
    after, outcome = settle(
        known(sent_as), snapshot(theirs(stated_as, S.PRESUBMITTED), positions=(held(10),))
    )
    order = after.orders[sent_as.order_id]
    assert (order.spec.order_type, order.spec.stop_price) == (T.TRAIL, D("151.5"))
    assert (order.spec.role, order.spec.adjustment) == (OrderRole.STOP, None)
    assert not order.is_overridden
    assert drift(outcome) == []


def test_a_stop_that_somebody_moved_meanwhile_is_adopted_and_shown() -> None:
    moved = msgspec.structs.replace(stop(), stop_price=D(140))
    after, _ = settle(known(stop()), snapshot(theirs(moved), positions=(held(10),)))
    order = after.orders[stop().order_id]
    assert (order.spec.stop_price, order.is_overridden) == (D(140), True)


def test_an_exit_at_a_time_waits_as_any_order_and_keeps_its_role() -> None:
    timed = spec(
        OrderRole.TIMED, order_type=T.MARKET, limit_price=None, good_after=later(3600), **EXITS
    )  # fmt: skip
    after, outcome = settle(
        known(timed, stop()),
        snapshot(theirs(timed, S.PRESUBMITTED), theirs(stop()), positions=(held(10),)),
    )
    order = after.orders[timed.order_id]
    assert (order.spec.role, order.spec.good_after) == (OrderRole.TIMED, later(3600))
    assert (order.is_overridden, outcome.cancels) == (False, ())


def test_an_order_of_ours_without_a_record_keeps_group_and_role() -> None:
    timed = spec(OrderRole.TIMED, order_type=T.MARKET, limit_price=None, good_after=later(3600))
    after, outcome = settle(sent(), snapshot(theirs(timed)), Evidence(install="memo"))
    assert (after.orders[timed.order_id].spec.role, len(drift(outcome))) == (OrderRole.TIMED, 1)
    assert after.groups[GROUP] == (timed.order_id,)
    assert isinstance(outcome.events[-1], ev.SyncEvent)
