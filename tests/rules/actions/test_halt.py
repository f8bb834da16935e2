from __future__ import annotations

import pytest

from ibkr_trader.rules.actions.halt import HaltTrading
from ibkr_trader.rules.rule import ACTIONS
from ibkr_trader.rules.wishes import StopTrading
from tests.rules.moments import holding, moment


def test_it_stops_the_symbol_or_everything_whatever_is_known() -> None:
    assert ACTIONS["halt"] is HaltTrading
    here = moment(None, held=holding(0, is_known=False))
    one = HaltTrading(reason="enough")
    assert one.wishes(here) == (StopTrading(reason="enough", symbol="AAPL"),)
    assert one.indicators == frozenset()
    everything = HaltTrading(reason="enough", everything=True)
    assert everything.wishes(here) == (StopTrading(reason="enough", symbol=""),)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_whoever_resumes_must_know_why(reason: str) -> None:
    assert HaltTrading(reason="x" * 500).reason
    with pytest.raises(ValueError, match="reason must say why"):
        HaltTrading(reason=reason)
