from __future__ import annotations

import pytest

from ibkr_trader.core.models import AccountValues, Order, Position
from ibkr_trader.risk.view import FactMissing, RiskView
from tests.risk.world import (
    ACCOUNT,
    MSFT,
    D,
    held,
    judge,
    limit,
    limits,
    portfolio,
    spec,
    submit,
    view,
    working,
)


def with_funds(funds: str, *parts: Order | Position, share: str = "0.95") -> RiskView:
    values = AccountValues(account=ACCOUNT, available_funds=D(funds))
    return view(portfolio=portfolio(*parts, values=values), limits=limits(max_funds_used=D(share)))


@pytest.mark.parametrize(("funds", "denied"), [("1579.06", False), ("1579.05", True), ("-1", True)])
def test_an_order_may_tie_up_95_percent(funds: str, *, denied: bool) -> None:
    assert bool(judge("buying_power", submit(spec("BUY", 10)), with_funds(funds))) is denied


@pytest.mark.parametrize(("funds", "denied"), [("4736.95", False), ("4736.94", True)])
def test_orders_that_work_already_have_their_part(funds: str, *, denied: bool) -> None:
    resting = working(limit("BUY", 10, "300", "t-0-single", contract=MSFT))
    world = with_funds(funds, resting)  # 3,000 there, 1,500.10 + here
    found = judge("buying_power", submit(spec("BUY", 10)), world)
    assert bool(found) is denied
    assert [breach.headroom for breach in found] == (["1500.093"] if denied else [])


def test_what_is_held_is_paid_for() -> None:
    assert not judge("buying_power", submit(spec("BUY", 10)), with_funds("1579.06", held(90)))


def test_a_close_needs_no_funds_and_no_figures() -> None:
    blind = view(portfolio=portfolio(held(10), values=None))
    assert judge("buying_power", submit(spec("SELL", 10)), blind) == []
    with pytest.raises(FactMissing, match="available funds"):
        judge("buying_power", submit(spec("BUY", 10)), blind)


def test_all_that_is_allowed_may_be_tied_up() -> None:
    order = submit(limit("BUY", 1, "150"))  # counts at the ask of 150.01
    assert judge("buying_power", order, with_funds("300.02", share="0.5")) == []
    assert judge("buying_power", order, with_funds("300.01", share="0.5"))
