"""Orders that trade when somebody says so, whatever the market does."""

from __future__ import annotations

import pytest

from ibkr_trader.sim import events as sim
from ibkr_trader.sim.door import NotThere
from ibkr_trader.sim.orders import SimOrder
from tests.sim.pit_desk import Pit, d, terms


@pytest.fixture
def pit() -> Pit:
    pit = Pit()
    pit.quote("149.99", "150.01")
    return pit


def force(pit: Pit, order: SimOrder, quantity: int | None = None) -> list[sim.SimEvent]:
    size = None if quantity is None else d(quantity)
    return pit.exchange.forcing.trade(order.perm_id, quantity=size, now=pit.now)


def placed(pit: Pit, kind: str, **prices: str) -> SimOrder:
    order = pit.place(terms("BUY", 10, kind, **prices))
    assert order is not None
    return order


@pytest.mark.parametrize(
    ("kind", "prices", "paid"),
    [
        ("LMT", {"limit_price": "140"}, "140"),
        ("STP", {"aux_price": "160"}, "160"),
        ("STP LMT", {"limit_price": "161", "aux_price": "160"}, "161"),
    ],
)
def test_it_trades_at_its_own_price(pit: Pit, kind: str, prices: dict[str, str], paid: str) -> None:
    order = placed(pit, kind, **prices)
    told = force(pit, order, 4)
    (executed,) = [event for event in told if isinstance(event, sim.Executed)]
    assert executed.execution.shares == 4
    assert executed.execution.price == d(paid)
    assert pit.position() == 4
    force(pit, order)
    assert pit.position() == 10, "without a quantity it is all that is left"


def test_never_more_than_is_left(pit: Pit) -> None:
    order = placed(pit, "LMT", limit_price="140")
    force(pit, order, 99)
    assert pit.position() == 10
    with pytest.raises(NotThere):
        force(pit, order)


def test_what_waits_for_its_parent_does_not_trade(pit: Pit) -> None:
    entry = pit.place(terms("BUY", 10, "LMT", limit_price="140", transmit=False), number=1)
    del entry
    pit.place(terms("SELL", 10, "STP", aux_price="130", parent_id=1), number=2)
    stop = pit.order(2)
    assert stop is not None
    assert stop.is_held
    assert not [e for e in force(pit, stop) if isinstance(e, sim.Executed)]
    assert pit.position() == 0
