from __future__ import annotations

import pytest

from ibkr_trader.rules.actions.notify import Notify
from ibkr_trader.rules.rule import ACTIONS
from ibkr_trader.rules.wishes import Tell
from tests.rules.moments import holding, moment


def test_it_says_its_message_with_the_symbol_whatever_is_held() -> None:
    assert ACTIONS["notify"] is Notify
    one = Notify(message="{symbol} {x}, {symbol}")
    for held in (holding(0), holding(10), holding(10, is_known=False)):
        assert one.wishes(moment(None, held=held)) == (Tell(message="AAPL {x}, AAPL"),)
    assert one.indicators == frozenset()


def test_it_may_be_serious() -> None:
    (wish,) = Notify(message="x", serious=True).wishes(moment())
    assert wish.is_serious


@pytest.mark.parametrize("message", ["", " \n", "x" * 501])
def test_it_must_have_something_to_say_and_not_too_much(message: str) -> None:
    assert Notify(message="x" * 500).message
    with pytest.raises(ValueError, match="between 1 and 500 characters"):
        Notify(message=message)
