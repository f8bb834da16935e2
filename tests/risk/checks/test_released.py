from __future__ import annotations

import pytest
from msgspec.structs import replace

from ibkr_trader.core.enums import Care
from ibkr_trader.core.events import CareEvent
from ibkr_trader.core.models import OrderSpec
from ibkr_trader.risk.checks import released
from ibkr_trader.risk.view import RiskView
from tests.risk.world import AAPL, MSFT, NOW, held, judge, limit, portfolio, spec, submit, view


def said_of_aapl(care: Care) -> RiskView:
    """Return a world in which a person has said something of ten AAPL."""
    event = CareEvent(at=NOW, contract=AAPL, care=care, held=held(10).quantity)
    return view(portfolio=replace(portfolio(held(10)), cares={AAPL.con_id: event}))


@pytest.mark.parametrize(
    ("order", "denied"),
    [
        (limit("BUY", 1, "149"), True),
        (spec("SELL", 11), True),  # a part of it would open the other side
        (spec("SELL", 10), False),
        (limit("BUY", 1, "400", contract=MSFT), False),
    ],
)
def test_what_is_released_is_not_opened(order: OrderSpec, *, denied: bool) -> None:
    found = judge("released", submit(order), said_of_aapl(Care.RELEASED))
    assert [breach.hint for breach in found] == ["ibkr-trader adopt AAPL"] * denied
    assert judge("released", submit(order), said_of_aapl(Care.ADOPTED)) == []


def test_the_gauge_names_what_is_released() -> None:
    (one,) = released._gauge(said_of_aapl(Care.RELEASED))
    assert (one.subject, one.note) == ("AAPL", "released: nothing is opened")
    (none,) = released._gauge(said_of_aapl(Care.ADOPTED))
    assert none.note == "nothing is released"
