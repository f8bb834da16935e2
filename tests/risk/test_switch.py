from __future__ import annotations

from typing import Any

import pytest

from ibkr_trader.core.enums import SecType, TradingState
from ibkr_trader.core.events import StateEvent
from ibkr_trader.core.models import Contract
from ibkr_trader.risk.switch import EVERYTHING, TradingSwitch
from tests.risk.world import AAPL, MSFT, NOW, D

ACTIVE, REDUCING, HALTED = TradingState.ACTIVE, TradingState.REDUCING, TradingState.HALTED


def event(state: TradingState = HALTED, symbol: str = EVERYTHING, **more: Any) -> StateEvent:
    terms: dict[str, Any] = {"at": NOW, "state": state, "reason": "because", "symbol": symbol}
    return StateEvent(**terms | more)


def after(*events: StateEvent) -> TradingSwitch:
    switch = TradingSwitch()
    for one in events:
        switch = switch.after(one)
    return switch


def test_nothing_is_halted_at_first() -> None:
    switch = TradingSwitch()
    assert (switch.everything, switch.of(AAPL)) == (None, None)


def test_a_symbol_has_a_halt_of_its_own_beside_that_of_everything() -> None:
    halted, reducing = event(HALTED, "AAPL"), event(REDUCING)
    switch = after(reducing, halted)
    assert (switch.of(AAPL), switch.of(MSFT)) == (halted, None)
    assert switch.everything is reducing


@pytest.mark.parametrize(
    ("first", "then", "changes"),
    [
        (event(), event(reason="again"), False),
        (event(keeps_entries=True), event(), True),  # now they are cancelled
        (event(), event(keeps_entries=True), False),
        (event(keeps_entries=True), event(keeps_entries=True), False),
        (event(), event(flattens=True), True),  # and now it is closed
        (event(flattens=True), event(flattens=True, reason="again"), False),
        (event(flattens=True), event(reason="again"), False),
        (event(REDUCING), event(flattens=True), True),
        (event(), event(REDUCING), False),
        (event(REDUCING), event(), True),
        (event(), event(HALTED, "AAPL"), True),
    ],
)
def test_only_what_is_stricter_changes_it(
    first: StateEvent, then: StateEvent, *, changes: bool
) -> None:
    before = after(first)
    assert (before.after(then) is not before) is changes
    if changes:
        assert before.after(then).held[then.symbol] == then
    else:
        assert before.everything is first


def test_what_was_promised_and_what_is_to_be_cancelled_add_up() -> None:
    soft = event(keeps_entries=True, flattens=True)
    hard = after(soft, event(reason="again")).everything
    assert hard == event(reason="again", flattens=True)
    assert after(event(), event(flattens=True, keeps_entries=True)).everything == event(
        flattens=True
    )


def test_a_promise_ends_when_its_own_halt_is_told_without_it() -> None:
    promised = after(event(flattens=True), event(flattens=True, symbol="AAPL"))
    kept = promised.after(event())
    assert kept.everything == event()
    assert kept.of(AAPL) == event(flattens=True, symbol="AAPL")
    assert kept.after(event()) is kept
    assert promised.after(event(ACTIVE)).everything is None


def test_who_resumes_everything_leaves_the_symbols_halted_and_the_other_way_round() -> None:
    both = after(event(), event(HALTED, "AAPL"))
    assert set(both.after(event(ACTIVE)).held) == {"AAPL"}
    assert set(both.after(event(ACTIVE, "AAPL")).held) == {EVERYTHING}


def test_resuming_what_is_not_halted_changes_nothing() -> None:
    switch = after(event())
    assert switch.after(event(ACTIVE, "AAPL")) is switch


def test_a_checkpoint_has_all_of_it() -> None:
    switch = after(event(keeps_entries=True), event(REDUCING, "AAPL"))
    assert TradingSwitch.restored(switch.held.values()) == switch


def test_an_option_is_halted_with_its_stock_and_alone() -> None:
    option: dict[str, Any] = {"sec_type": SecType.OPTION, "expiry": "20261218", "right": "C"}
    call = Contract(symbol="AAPL", con_id=9, strike=D(150), **option)
    assert after(event(HALTED, "AAPL")).of(call) is not None
    alone = after(event(HALTED, "AAPL261218C00150000"))
    assert alone.of(call) is not None
    assert alone.of(AAPL) is None


def test_a_symbol_of_two_words_is_written_with_a_dot() -> None:
    switch = after(event(HALTED, "BRK.B"))
    assert switch.of(Contract(symbol="BRK B", con_id=3)) is not None
    assert switch.of(MSFT) is None
