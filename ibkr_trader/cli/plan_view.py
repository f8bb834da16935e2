"""A plan as people read it, one line a step by symbol, and as a script does."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from ibkr_trader.cli.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.portfolio.plan_steps import Plan, PlanStep


def plan_lines(plan: Plan) -> Iterator[str]:
    """Yield a plan's lines: the symbol, then what is to become of it, then what is fine."""
    for symbol, steps in groupby(plan.steps, key=lambda step: step.symbol):
        if symbol:
            yield symbol
        for step in steps:
            yield f"  {step.sign} {step.words}"
            if step.action is not None:
                yield f"      step {step.id}"
            elif step.next:
                yield f"      next: {step.next}"
    if plan.fine or plan.steps:
        yield f"= {plan.fine} ok"


def headline(plan: Plan) -> str:
    """Return in few words how the account stands."""
    if not plan.differing:
        return "broker and intent agree"
    doable = len(plan.doable)
    what = f"{counted(len(plan.differing), 'thing')} differ{'' if len(plan.differing) > 1 else 's'}"
    return f"{what}, {doable or 'none'} of them can be applied"


def step_document(step: PlanStep) -> dict[str, Any]:
    """Return everything there is to say of a step; `command` is None where it is only told."""
    return {
        "id": step.id,
        "kind": step.kind,
        "sign": step.sign,
        "symbol": step.symbol,
        "words": step.words,
        "differs": step.differs,
        "orders": step.orders,
        "command": type(step.action).__name__ if step.action is not None else None,
        "next": step.next,
    }
