from __future__ import annotations

import pytest
from msgspec.structs import replace

from ibkr_trader.core.events import CloseRequestEvent
from ibkr_trader.core.models import GroupId, OrderSpec
from ibkr_trader.risk.view import RiskView
from tests.risk.world import (
    AAPL,
    ACCOUNT,
    MSFT,
    NOW,
    held,
    judge,
    limit,
    portfolio,
    spec,
    submit,
    view,
)


def closing_aapl() -> RiskView:
    """Return a world in which ten AAPL are on their way to flat."""
    request = CloseRequestEvent(at=NOW, group_id=GroupId("t-9"), contract=AAPL, account=ACCOUNT)
    return view(portfolio=replace(portfolio(held(10)), closings={AAPL.con_id: request}))


@pytest.mark.parametrize(
    ("order", "denied"),
    [
        (limit("BUY", 1, "149"), True),
        (spec("SELL", 11), True),  # a part of it would open the other side
        (spec("SELL", 10), False),
        (limit("BUY", 1, "400", contract=MSFT), False),
    ],
)
def test_what_is_being_closed_is_not_opened(order: OrderSpec, *, denied: bool) -> None:
    found = judge("closing", submit(order), closing_aapl())
    assert [breach.hint for breach in found] == (
        ["wait until it is flat: ibkr-trader close AAPL"] * denied
    )


def test_what_nobody_closes_may_be_opened() -> None:
    assert judge("closing", submit(limit("BUY", 1, "149")), view(held(10))) == []
