from __future__ import annotations

import pytest

from ibkr_trader.core.enums import TradingState
from ibkr_trader.risk.verdict import Approved
from tests.risk.world import (
    bracket,
    cancel,
    held,
    judge,
    modify,
    reasons,
    review,
    spec,
    stop,
    submit,
    view,
    working,
)

CALM = [TradingState.REDUCING, TradingState.HALTED]


def test_active_denies_nothing() -> None:
    assert judge("trading_state", bracket(), view()) == []


@pytest.mark.parametrize("state", CALM)
def test_openings_are_denied_with_the_reason_of_the_state(state: TradingState) -> None:
    world = view(trading_state=state, state_reason="loss at 100 %")
    (breach,) = judge("trading_state", bracket(), world)
    assert "loss at 100 %" in breach.message
    assert reasons(review(bracket(), world)) == {"trading_state"}


@pytest.mark.parametrize("state", CALM)
def test_no_state_blocks_a_cancel_a_close_or_a_tightening(state: TradingState) -> None:
    protection = working(stop("SELL", 10, "145", oca_group="x", oca_type="REDUCE"))
    world = view(held(10), protection, trading_state=state)
    close = spec("SELL", 10, "t-2-close", oca_group="x", oca_type="REDUCE")
    for command in (submit(close), modify(protection, stop_price="147"), cancel("t-1-single")):
        verdict = review(command, world)
        assert isinstance(verdict, Approved), verdict
        assert verdict.reduces


@pytest.mark.parametrize("state", CALM)
def test_a_stop_is_not_widened(state: TradingState) -> None:
    protection = working(stop("SELL", 10, "145"))
    world = view(held(10), protection, trading_state=state)
    assert reasons(review(modify(protection, stop_price="140"), world)) == {"trading_state"}
