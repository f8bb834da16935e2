"""The broker closes a position by itself, and says so in the execution."""

import pytest

from ibkr_trader.sim import events as sim
from ibkr_trader.sim.door import NotThere
from tests.sim.pit_desk import AAPL, MSFT, Pit, codes, d, terms


@pytest.mark.parametrize(("action", "back"), [("BUY", "SELL"), ("SELL", "BUY")])
def test_what_works_is_cancelled_and_what_is_held_is_closed(action: str, back: str) -> None:
    pit = Pit()
    pit.place(terms(action, 10, "MKT"))
    away = "200" if back == "SELL" else "100"
    pit.place(terms(back, 10, "LMT", limit_price=away))
    pit.place(terms("BUY", 1, "LMT", limit_price="1", con_id=MSFT))
    found = pit.exchange.liquidator.liquidate(AAPL, now=pit.now)
    assert codes(found) == [202]
    assert pit.position() == 0
    assert [one.terms.con_id for one in pit.exchange.orders.working()] == [MSFT]
    (told,) = [event.execution for event in found if isinstance(event, sim.Executed)]
    assert (told.is_liquidation, told.side, told.shares) == (True, back, d(10))
    assert (told.client_id, told.order_ref) == (0, "")
    first, last = pit.restarted().exchange.orders.executions()
    assert (first.is_liquidation, last.is_liquidation) == (False, True)


def test_nothing_is_liquidated_where_nothing_is_held() -> None:
    pit = Pit()
    with pytest.raises(NotThere, match="nothing is held"):
        pit.exchange.liquidator.liquidate(AAPL, now=pit.now)
    pit.place(terms("BUY", 10, "MKT"))
    pit.exchange.liquidator.liquidate(AAPL, now=pit.now)
    with pytest.raises(NotThere, match="nothing is held"):
        pit.exchange.liquidator.liquidate(AAPL, now=pit.now)
