"""What nobody can account for is told with what is known, and the next command."""

from __future__ import annotations

from decimal import Decimal

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import GroupId
from ibkr_trader.portfolio.plan_steps import StepKind
from ibkr_trader.portfolio.state import fold
from tests.orders.samples import AAPL, ACCOUNT, AT, accepted, fill, filled, later, spec, written
from tests.portfolio.plan_stage import ENTRY, bracket, only, plan, sold
from tests.portfolio.stage import held

ONE = spec()
UNKNOWN = ev.UnknownEvent(at=later(6), order_id=ONE.order_id, reason="silence")


def test_an_order_that_was_never_acknowledged() -> None:
    step = only(plan(fold([ev.SyncEvent(at=AT, epoch=1), written(ONE), UNKNOWN])))
    assert (step.id, step.sign, step.next) == ("unknown-1-single", "?", "ibkr-trader why 1-single")
    assert step.words == (
        "UNKNOWN order 1-single  BUY 10 LIMIT 150.00: the broker has never acknowledged it; "
        "it may be live, it is never sent again; answer the dialogs in TWS, which may hold it "
        "back; only another connection tells that it never came: end run, and start it again"
    )
    assert step.action is None


def test_an_order_that_has_traded_in_part() -> None:
    part = filled(fill(4, order_id=ONE.order_id))
    state = fold([ev.SyncEvent(at=AT, epoch=1), written(ONE), accepted(ONE), part, UNKNOWN])
    (step,) = [one for one in plan(state).steps if one.kind is StepKind.UNKNOWN]
    assert "4 of it traded, the broker has had it" in step.words
    assert step.words.endswith("never sent again"), "it has been there: no connection need tell"


def test_a_position_that_the_broker_tells_otherwise() -> None:
    report = ev.PositionReportEvent(at=later(6), position=held(50))
    step = only(plan(bracket(report)))
    assert (step.id, step.words) == (
        "drift-position-AAPL",
        "drift position AAPL: ours 10, broker 50",
    )


def test_a_group_of_a_restated_position() -> None:
    step = only(plan(bracket(), misled=(ENTRY.group_id,)))
    assert (step.id, step.next) == ("drift-1", "ibkr-trader adopt AAPL")
    assert "the broker restated the position, now +10, and group 1 was made for another" in (
        step.words
    )
    flat = plan(bracket(sold(10)), misled=(ENTRY.group_id,))
    (step,) = [one for one in flat.steps if one.kind is StepKind.DRIFT]
    assert step.next == "ibkr-trader cancel 1"
    assert plan(bracket(), misled=(GroupId("memo-9"),)).steps == ()


def test_a_closing_that_was_begun() -> None:
    request = ev.CloseRequestEvent(
        at=later(6), group_id=GroupId("memo-2"), contract=AAPL, account=ACCOUNT
    )
    step = only(plan(bracket(request)))
    assert (step.words, step.next) == (
        "closing since 2026-11-20 15:00:06 UTC, and not over",
        "ibkr-trader close AAPL",
    )
    assert Decimal(plan(bracket(request)).fine) == 2
