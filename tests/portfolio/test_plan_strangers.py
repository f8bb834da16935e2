"""What is not of this desk's making is told, and a lost journal's orders are known as such."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import OrderId
from ibkr_trader.portfolio.plan_steps import StepKind, TakeOver
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import AT, MSFT, accepted, spec
from tests.portfolio.plan_stage import CLIENT, bracket, only, plan
from tests.portfolio.stage import held

OTHERS = OrderId("foreign-77")


def stranger(*, client_id: int, reference: str = "") -> PortfolioState:
    terms = spec(order_id=OTHERS, reference=reference, contract=MSFT)
    told = accepted(terms, is_foreign=True, client_id=client_id)
    return fold([ev.SyncEvent(at=AT, epoch=1), told])


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"client_id": 0}, "foreign order foreign-77  BUY 10 LIMIT 150.00, of TWS"),
        ({"client_id": 9}, "foreign order foreign-77  BUY 10 LIMIT 150.00, of client 9"),
        (
            {"client_id": 9, "reference": "k7qav-3-stop"},
            "foreign order foreign-77  BUY 10 LIMIT 150.00, of client 9",
        ),
    ],
)
def test_an_order_of_somebody_else_is_told_and_no_difference(
    order: dict[str, Any], words: str
) -> None:
    found = plan(stranger(**order))
    step = only(found)
    assert (step.words, step.sign, step.action) == (words, "f", None)
    assert (found.differing, found.fine) == ((), 0)


def test_an_order_of_a_lost_journal_is_one_of_our_client_and_form() -> None:
    step = only(plan(stranger(client_id=CLIENT, reference="k7qav-3-stop")))
    assert (step.kind, step.sign, step.differs) == (StepKind.LOST, "o", True)
    assert step.words.startswith(
        "take over order of a lost journal k7qav-3-stop  BUY 10 LIMIT 150.00, as it stands; "
    )
    assert step.action == TakeOver(order_id=OTHERS, perm_id=9001)
    assert (step.id, step.next) == ("lost-foreign-77", "")
    other = only(plan(stranger(client_id=CLIENT, reference="icli-42")))
    assert other.kind is StepKind.FOREIGN


def test_one_that_cannot_be_told_apart_is_for_a_person() -> None:
    state = stranger(client_id=CLIENT, reference="k7qav-3-stop")
    state = state.apply(ev.CancelRequestEvent(at=AT, order_id=OTHERS))
    step = only(plan(state))
    assert (step.kind, step.action) == (StepKind.LOST, None)
    assert step.words.endswith("the broker calls it PENDING_CANCEL, so it cannot be taken over")
    assert step.next == "use TWS to change or cancel it"


def test_a_position_that_was_not_opened_here_is_told() -> None:
    state = fold([ev.SyncEvent(at=AT, epoch=1, positions=(held(-7, MSFT),))])
    step = only(plan(state))
    assert (step.id, step.symbol) == ("foreign-MSFT", "MSFT")
    assert step.words == "foreign position -7: not opened here, as far as is known"
    assert step.next == "ibkr-trader adopt MSFT --stop 3%"


def test_one_that_exits_of_ours_look_after_is_no_stranger() -> None:
    state = bracket()
    assert plan(state).steps == ()
    assert Decimal(state.positions[next(iter(state.positions))].quantity) == 10
