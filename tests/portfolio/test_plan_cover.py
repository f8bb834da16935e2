"""Exits that fit no position, and positions without a stop, as steps of a plan."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import CancelOrder, ModifyOrder
from ibkr_trader.core.enums import OrderRole, OrderType, Side
from ibkr_trader.core.models import GroupId, OrderId, OrderSpec
from ibkr_trader.orders.cover_orders import Attach, CoverRules, Policy
from ibkr_trader.orders.cover_scene import Known, Terms
from ibkr_trader.portfolio.plan_cover import cover_steps
from ibkr_trader.portfolio.plan_steps import StepKind
from ibkr_trader.portfolio.protection import scenes
from tests.orders.samples import AAPL, accepted, later, spec, working
from tests.orders.test_cover_policy import QUOTE
from tests.portfolio.plan_stage import (
    ATTACH,
    ENTRY,
    STOP,
    TARGET,
    bracket,
    kinds,
    only,
    plan,
    sold,
)
from tests.portfolio.stage import held


def cancelled(order_id: OrderId, *, asked_by: str = "") -> list[ev.BaseEvent]:
    asked = ev.CancelRequestEvent(at=later(6), order_id=order_id, origin=asked_by)
    return [asked, ev.CancelEvent(at=later(7), order_id=order_id, reason="")]


def test_a_bracket_that_fits_needs_nothing() -> None:
    found = plan(bracket())
    assert (found.steps, found.fine) == ((), 3)


def test_exits_that_nothing_stands_behind_are_cancelled() -> None:
    found = plan(bracket(sold(10)))
    assert kinds(found) == [StepKind.CANCEL, StepKind.CANCEL]
    assert [step.id for step in found.steps] == ["cancel-1-target", "cancel-1-stop"]
    assert found.steps[1].words == "cancel orphan 1-stop  SELL 10 STOP 145.00: nothing is held"
    assert found.steps[1].action == CancelOrder(
        order_id=STOP.order_id, broker_order_id=3, origin="cover"
    )
    assert (found.fine, found.doable) == (0, found.steps)


def test_an_exit_beside_others_that_end_all_says_so() -> None:
    alone = accepted(_another(), perm_id=9009)
    step = only(plan(bracket(alone, working("memo-2-stop"))))
    assert step.words == (
        "cancel orphan 2-stop  SELL 10 STOP 145.00: 10 held, and other exits end that"
    )


def _another(quantity: int = 10) -> OrderSpec:
    return spec(
        OrderRole.STOP,
        group=GroupId("memo-2"),
        side=Side.SELL,
        quantity=Decimal(quantity),
        order_type=OrderType.STOP,
        limit_price=None,
        stop_price=Decimal(145),
        broker_order_id=9,
    )


def test_exits_of_a_reduced_position_are_cut() -> None:
    found = plan(bracket(sold(4)))
    assert {step.words for step in found.steps} == {
        "resize 1-stop 10 -> 6",
        "resize 1-target 10 -> 6",
    }
    assert ModifyOrder(order_id=STOP.order_id, quantity=Decimal(6), origin="cover") in [
        step.action for step in found.steps
    ]


def test_what_the_broker_has_not_confirmed_is_not_resized_yet() -> None:
    lost = ev.UnknownEvent(at=later(6), order_id=STOP.order_id, reason="silence")
    found = plan(bracket(sold(4), lost))
    (step,) = [one for one in found.steps if one.id == "resize-1-stop"]
    assert step.action is None
    assert step.words == "resize 1-stop 10 -> 6: not now, the broker has not confirmed it yet"


@pytest.mark.parametrize(
    ("policy", "next_"),
    [(Policy.ALERT, "ibkr-trader cover --fix"), (Policy.FLATTEN, "ibkr-trader close AAPL")],
)
def test_a_missing_stop_is_told_where_the_settings_place_none(policy: Policy, next_: str) -> None:
    step = only(plan(bracket(without=("stop",)), rules=CoverRules(policy=policy)))
    assert (step.kind, step.action, step.next) == (StepKind.NAKED, None, next_)
    assert step.words == "10 of 10 AAPL without a working stop"


def test_a_missing_stop_is_planned_where_the_settings_place_one() -> None:
    bare = bracket(without=("stop", "target"))
    step = only(plan(bare, rules=ATTACH, markets={AAPL.con_id: QUOTE}))
    assert (step.id, step.words) == ("stop-AAPL", "stop SELL 10 at 142.50")
    assert step.action == Attach(AAPL, Side.SELL, Decimal(10), Decimal("142.50"))


def test_without_a_price_it_is_only_told() -> None:
    step = only(plan(bracket(without=("stop", "target")), rules=ATTACH))
    assert step.kind is StepKind.NAKED
    assert step.words.endswith("no price of an open market is at hand")


def test_a_target_makes_room_first() -> None:
    step = only(plan(bracket(without=("stop",)), rules=ATTACH, markets={AAPL.con_id: QUOTE}))
    assert (step.id, isinstance(step.action, CancelOrder)) == ("cancel-1-target", True)
    assert step.words.startswith("cancel 1-target  SELL 10 LIMIT 155.00: ")


def test_a_stop_that_stands_alone_is_enlarged() -> None:
    loose = accepted(_another(4), perm_id=9009)
    state = bracket(loose, working("memo-2-stop"), without=("stop", "target"))
    step = only(
        plan(
            state,
            rules=ATTACH,
            markets={AAPL.con_id: QUOTE},
            loose=frozenset({_another().order_id}),
        )
    )
    assert (step.id, step.words) == ("resize-2-stop", "resize 2-stop 4 -> 10")
    assert isinstance(step.action, ModifyOrder)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (CoverRules(policy=Policy.ALERT), ""),
        (CoverRules(policy=Policy.FLATTEN), ""),
        (ATTACH, ": it is planned once the exits fit"),
    ],
)
def test_a_missing_stop_is_told_beside_a_target_that_is_too_large(
    rules: CoverRules, words: str
) -> None:
    state = bracket(sold(4), *cancelled(STOP.order_id))
    found = plan(state, rules=rules, markets={AAPL.con_id: QUOTE})
    assert [step.words for step in found.steps] == [
        "resize 1-target 10 -> 6",
        f"6 of 6 AAPL without a working stop{words}",
    ]
    assert [step.id for step in found.doable] == ["resize-1-target"]
    assert found.fine == 0


def test_what_speaks_against_a_stop_is_told_beside_a_target_that_is_too_large() -> None:
    state = bracket(sold(4), *cancelled(STOP.order_id, asked_by="cli"))
    found = plan(state, rules=ATTACH, wishes=frozenset({STOP.order_id}))
    assert kinds(found) == [StepKind.RESIZE, StepKind.NAKED]
    assert "was cancelled on request" in found.steps[1].words


def test_a_stop_that_is_to_go_counts_as_gone() -> None:
    """What stays is the older one, which the market has left behind: it would end nothing."""
    behind = msgspec.structs.replace(
        _another(), order_type=OrderType.STOP_LIMIT, limit_price=Decimal(144)
    )
    state = bracket(accepted(behind, perm_id=9009), working("memo-2-stop"), without=("target",))
    first = msgspec.structs.replace(state.orders[behind.order_id], created_at=later(-60))
    orders = tuple({**state.orders, behind.order_id: first}.values())
    (here,) = scenes(state, {})
    scene = here._replace(orders=orders, mark=Decimal(140))
    steps = list(cover_steps(scene, Terms(CoverRules(), Known(), later(60))))
    assert [step.kind for step in steps] == [StepKind.CANCEL, StepKind.NAKED]
    assert steps[0].orders == (STOP.order_id,)
    assert steps[1].words == "10 of 10 AAPL without a working stop"


def test_what_a_person_has_cancelled_stays_cancelled() -> None:
    gone = [*cancelled(STOP.order_id, asked_by="cli"), *cancelled(TARGET.order_id, asked_by="cli")]
    wishes = frozenset({STOP.order_id, TARGET.order_id})
    found = plan(bracket(*gone), rules=ATTACH, markets={AAPL.con_id: QUOTE}, wishes=wishes)
    step = only(found)
    assert (step.kind, "was cancelled on request" in step.words) == (StepKind.NAKED, True)


def test_what_others_opened_is_theirs_to_protect_unless_the_settings_say_otherwise() -> None:
    short = sold(5, key="other")
    state = bracket(sold(10), short, *cancelled(STOP.order_id), *cancelled(TARGET.order_id))
    assert StepKind.NAKED not in kinds(plan(state))
    all_of_it = CoverRules(cover_foreign=True)
    assert StepKind.NAKED in kinds(plan(state, rules=all_of_it))


def test_what_is_being_closed_or_not_certain_is_left_alone() -> None:
    report = ev.PositionReportEvent(at=later(6), position=held(3))
    assert kinds(plan(bracket(sold(10), report))) == [StepKind.DRIFT]
    ending = ev.CloseRequestEvent(
        at=later(6), group_id=ENTRY.group_id, contract=AAPL, account=ENTRY.account
    )
    assert kinds(plan(bracket(sold(10), ending))) == [StepKind.CLOSING]
