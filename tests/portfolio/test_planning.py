"""A plan of a whole account: by symbol, with what is fine, and the same again."""

from __future__ import annotations

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import GroupId, OrderId
from ibkr_trader.portfolio.plan_steps import StepKind
from tests.orders.samples import MSFT, accepted, later, spec, written
from tests.portfolio.plan_stage import bracket, kinds, plan, sold

WAITING = spec(contract=MSFT, group=GroupId("memo-5"), order_id=OrderId("memo-5-single"))
THEIRS = spec(contract=MSFT, order_id=OrderId("foreign-3"))


def test_a_plan_is_by_symbol_and_counts_what_is_fine() -> None:
    lost = ev.UnknownEvent(at=later(6), order_id=WAITING.order_id, reason="")
    foreign = accepted(THEIRS, is_foreign=True, client_id=0)
    found = plan(bracket(sold(10), written(WAITING), lost, foreign))
    assert [step.symbol for step in found.steps] == ["AAPL", "AAPL", "MSFT", "MSFT"]
    assert kinds(found)[2:] == [StepKind.UNKNOWN, StepKind.FOREIGN]
    assert (len(found.differing), len(found.doable), found.fine) == (3, 2, 0)


def test_what_no_step_speaks_of_is_fine() -> None:
    found = plan(bracket(written(WAITING), accepted(WAITING)))
    assert (found.steps, found.fine) == ((), 4)


def test_the_same_account_gives_the_same_plan() -> None:
    state = bracket(sold(4))
    assert plan(state) == plan(state)
