from __future__ import annotations

import pytest

from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.events import StateEvent
from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.switch import TradingSwitch
from ibkr_trader.risk.verdict import Approved
from tests.risk.world import (
    MSFT,
    NOW,
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


def switch(state: TradingState, symbol: str = "", origin: str = "cli") -> TradingSwitch:
    event = StateEvent(at=NOW, state=state, reason="odd fills", symbol=symbol, origin=origin)
    return TradingSwitch().after(event)


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


@pytest.mark.parametrize("state", CALM)
def test_a_halted_symbol_denies_its_openings_and_no_others(state: TradingState) -> None:
    world = view(switch=switch(state, "AAPL"))
    (breach,) = judge("trading_state", bracket(), world)
    assert breach.message == (
        f"AAPL is {state} (odd fills; since 2026-11-20 15:00:00 UTC, by cli): "
        "only what lowers risk goes out."
    )
    assert breach.hint.startswith("ibkr-trader resume --symbol AAPL --reason ")
    assert breach.actual == f"AAPL {state}"
    assert reasons(review(bracket(), world)) == {"trading_state"}
    other = submit(spec("BUY", 1, contract=MSFT))
    assert judge("trading_state", other, world) == []


@pytest.mark.parametrize("state", CALM)
def test_no_halt_of_a_symbol_blocks_what_lowers_its_risk(state: TradingState) -> None:
    protection = working(stop("SELL", 10, "145", oca_group="x", oca_type="REDUCE"))
    world = view(held(10), protection, switch=switch(state, "AAPL"))
    close = spec("SELL", 10, "t-2-close", oca_group="x", oca_type="REDUCE")
    for command in (submit(close), modify(protection, stop_price="147"), cancel("t-1-single")):
        assert isinstance(review(command, world), Approved)
    assert reasons(review(modify(protection, stop_price="140"), world)) == {"trading_state"}


def test_both_halts_are_said_at_once() -> None:
    both = switch(TradingState.HALTED).after(
        StateEvent(at=NOW, state=TradingState.REDUCING, reason="three rejects", symbol="AAPL")
    )
    world = view(trading_state=TradingState.HALTED, state_reason="odd fills", switch=both)
    desk, symbol = judge("trading_state", bracket(), world)
    assert desk.message.startswith("Trading is HALTED (odd fills; since 2026-11-20 15:00:00 UTC")
    assert symbol.message.startswith("AAPL is REDUCING (three rejects; since ")


@pytest.mark.parametrize(
    ("facts", "hint"),
    [
        ({"trading_state": TradingState.HALTED, "state_reason": "the file HALT"}, "resume"),
        ({"trading_state": TradingState.REDUCING, "state_reason": "not in sync"}, "its cause"),
        (
            {
                "trading_state": TradingState.REDUCING,
                "state_reason": "odd fills",
                "switch": switch(TradingState.REDUCING),
            },
            "resume",
        ),
    ],
)
def test_it_says_how_it_ends(facts: dict[str, object], hint: str) -> None:
    (breach,) = judge("trading_state", bracket(), view(**facts))
    assert hint in breach.hint


def test_an_entry_made_keener_is_denied_and_one_made_less_keen_is_too() -> None:
    entry = working(spec("BUY", 10, "t-1-entry", order_type="LIMIT", limit_price="149"))
    world = view(entry, trading_state=TradingState.HALTED, state_reason="x")
    assert "trading_state" in reasons(review(modify(entry, limit_price="149.5"), world))
    assert isinstance(review(modify(entry, limit_price="148"), world), Approved)


def test_the_gauge_says_how_the_desk_stands_and_each_symbol() -> None:
    gauge = CHECKS["trading_state"].gauge
    assert gauge is not None
    assert [one.note for one in gauge(view())] == ["ACTIVE"]
    both = switch(TradingState.HALTED).after(
        StateEvent(at=NOW, state=TradingState.HALTED, reason="rejects", symbol="AAPL")
    )
    world = view(trading_state=TradingState.HALTED, state_reason="odd fills", switch=both)
    assert [(one.subject, one.note) for one in gauge(world)] == [
        ("", "HALTED: odd fills"), ("AAPL", "HALTED: rejects"),
    ]  # fmt: skip


def test_what_another_check_says_better_is_left_to_it() -> None:
    world = view(trading_state=TradingState.REDUCING, state_reason="lost", state_check="daily_loss")
    assert judge("trading_state", bracket(), world) == []
