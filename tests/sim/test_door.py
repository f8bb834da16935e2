"""What doors have in common: they find orders, and say so when there are none."""

import pytest

from ibkr_trader.sim.door import NotThere, Refused
from ibkr_trader.sim.orders import Refusal
from tests.sim.pit_desk import Pit, terms


def test_an_untransmitted_order_is_not_there() -> None:
    pit = Pit()
    pit.place(terms("BUY", 10, "LMT", limit_price="149", transmit=False))
    with pytest.raises(NotThere):
        pit.exchange.broker_acts.time_out(0, now=pit.now)


def test_a_refusal_says_its_code_and_its_words() -> None:
    assert str(Refused(Refusal(code=110, text="off tick"))) == "110: off tick"
