from __future__ import annotations

import pytest

from ibkr_trader.rules.decided import Occasion
from ibkr_trader.rules.engine import Decided, Verdict
from ibkr_trader.rules.strategy_text import read_strategy
from ibkr_trader.rules.wishes import Exit
from tests.rules.moments import moment

STRATEGY = read_strategy(
    'name = "one"\nsymbols = ["AAPL"]\n[[rule]]\nname = "R"\nwhen = "bar.close > 1"\n'
    '[rule.notify]\nmessage = "m"\n'
)


@pytest.mark.parametrize("is_shadow", [True, False])
def test_what_goes_on_record_says_whose_it_is_and_what_it_is_about(*, is_shadow: bool) -> None:
    here = moment("150")
    occasion = Occasion(STRATEGY, here, "s/1", is_shadow=is_shadow)
    one = Decided(rule="R", wish=Exit(symbol="AAPL"), facts={"bar.close": "2"})
    made = occasion.decision(one, name="d1", terms={"a": "b"})
    assert (made.at, made.price, made.ticker) == (here.now, here.mark, "AAPL")
    assert (made.strategy, made.version, made.rule) == ("one", STRATEGY.version, "R")
    assert (made.cause, made.decision_id, made.terms) == ("s/1", "d1", {"a": "b"})
    assert (made.wish, made.words, made.facts) == ("close", "close AAPL", one.facts)
    assert made.is_shadow is is_shadow
    (fault,) = occasion.faults(Verdict(faults={"R": "oh"}))
    assert (fault.at, fault.strategy, fault.rule, fault.message) == (here.now, "one", "R", "oh")
    assert fault.is_shadow is is_shadow
