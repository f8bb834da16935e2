from __future__ import annotations

from datetime import timedelta

from ibkr_trader.core.enums import TradingState
from ibkr_trader.core.events import StateEvent
from ibkr_trader.core.tallies import Refusal, Strikes
from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.switch import TradingSwitch
from tests.risk.world import (
    MSFT,
    NOW,
    bracket,
    held,
    judge,
    reasons,
    review,
    spec,
    submit,
    view,
)


def refused(*symbols: str) -> Strikes:
    return Strikes(refusals=tuple(Refusal(NOW, symbol) for symbol in symbols))


SILENT = Strikes(unanswered=("t-8 now", "t-9 now"))
THREE, FIVE = refused("AAPL", "AAPL", "AAPL"), refused("A", "B", "C", "D", "E")


def test_a_symbol_that_is_refused_again_and_again() -> None:
    (breach,) = judge("breaker", bracket(), view(strikes=THREE))
    assert breach.message == (
        "3 orders in AAPL were refused by the broker within 60 s: nothing more is opened in AAPL."
    )
    assert (breach.limit, breach.actual) == ("3", "3")
    assert breach.hint == (
        'ibkr-trader orders: see why; then ibkr-trader resume --symbol AAPL --reason "…"'
    )
    assert judge("breaker", submit(spec("BUY", 1, contract=MSFT)), view(strikes=THREE)) == []
    later = view(strikes=THREE, now=NOW + timedelta(seconds=60))
    assert judge("breaker", bracket(), later) == []


def test_refusals_everywhere_and_silence_bind_everything() -> None:
    (breach,) = judge("breaker", bracket(), view(strikes=FIVE))
    assert breach.message == (
        "5 orders were refused by the broker within 60 s: nothing more is opened."
    )
    (breach,) = judge("breaker", bracket(), view(strikes=SILENT))
    assert breach.message == (
        "2 commands in a row were not answered by the broker: nothing more is opened."
    )
    assert breach.hint.startswith(
        "ibkr-trader reconcile --plan: see what has become of them; "
        "then ibkr-trader resume --reason"
    )


def test_once_it_is_a_halt_that_is_the_reason() -> None:
    off = StateEvent(at=NOW, state=TradingState.HALTED, reason="refused", symbol="AAPL")
    world = view(strikes=THREE, switch=TradingSwitch(held={"AAPL": off}))
    assert judge("breaker", bracket(), world) == []
    assert len(judge("breaker", bracket(), view(strikes=THREE))) == 1


def test_few_strikes_are_none_and_no_exit_is_held() -> None:
    assert judge("breaker", bracket(), view(strikes=refused("AAPL", "AAPL"))) == []
    assert judge("breaker", bracket(), view()) == []
    assert "breaker" in reasons(review(bracket(), view(strikes=SILENT)))
    exit_ = submit(spec("SELL", 5))
    assert reasons(review(exit_, view(held(5), strikes=SILENT))) == set()


def test_its_gauge_counts_them() -> None:
    gauge = CHECKS["breaker"].gauge
    assert gauge is not None
    world = view(strikes=Strikes(refusals=THREE.refusals[:2], unanswered=("t-8 now",)))
    assert [(one.subject, f"{one.used}", f"{one.limit}") for one in gauge(world)] == [
        ("refused", "2", "5"),
        ("AAPL", "2", "3"),
        ("unanswered", "1", "2"),
    ]
