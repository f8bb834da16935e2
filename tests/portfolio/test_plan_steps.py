"""Every kind of step has its sign, and is known again by its line."""

from __future__ import annotations

from ibkr_trader.portfolio.plan_steps import SIGNS, Plan, PlanStep, StepKind


def test_every_kind_has_a_sign() -> None:
    assert SIGNS.keys() == set(StepKind)


def test_a_step_is_known_again_by_its_line() -> None:
    told = PlanStep(id="foreign-MSFT", kind=StepKind.FOREIGN, symbol="MSFT", words="7 MSFT")
    lost = PlanStep(id="lost-3", kind=StepKind.LOST, symbol="MSFT", words="an order")
    assert (told.line, told.sign, lost.sign) == ("foreign-MSFT: 7 MSFT", "f", "o")
    plan = Plan(steps=(told, lost))
    assert (plan.differing, plan.doable) == ((lost,), ())
