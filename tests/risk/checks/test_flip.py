from __future__ import annotations

from typing import Any

import pytest

from ibkr_trader.core.enums import OrderRole
from ibkr_trader.core.models import OrderSpec
from tests.risk.world import MSFT, held, judge, limit, modify, spec, stop, submit, view, working

STOP = working(stop("BUY", 10, "155", "o-1-stop", role=OrderRole.STOP))


@pytest.mark.parametrize(
    ("order", "denied"),
    [
        (spec("BUY", 25), True),  # the stop of the short would be left to buy once more
        (spec("BUY", 10), True),  # beside a working exit even closing may be too much
        (spec("SELL", 5), False),  # adds to the short
        (spec("BUY", 25, contract=MSFT), False),
    ],
)
def test_a_position_is_not_turned_round_under_its_exits(order: OrderSpec, denied: bool) -> None:
    found = judge("flip", submit(order), view(held(-10), STOP))
    assert [breach.hint for breach in found] == ["ibkr-trader close AAPL"] * denied


@pytest.mark.parametrize(
    "world",
    [
        (held(-10),),  # nothing works beside it
        (STOP,),  # nothing is held
        (held(10), STOP),  # it adds to what is held
        (held(-10), working(limit("BUY", 10, "140", "o-1-single"))),  # no exit, but an order
    ],
)
def test_otherwise_the_other_checks_decide(world: tuple[Any, ...]) -> None:
    assert judge("flip", submit(spec("BUY", 25)), view(*world)) == []


def test_an_exit_may_be_changed_itself() -> None:
    assert judge("flip", modify("o-1-stop", quantity=20), view(held(-10), STOP)) == []
