from __future__ import annotations

import pytest

from ibkr_trader.core.models import AccountValues
from ibkr_trader.risk.check import CHECKS, Gauge, Unit
from ibkr_trader.risk.loss_levels import below_peak
from ibkr_trader.risk.view import FactMissing, RiskView
from tests.orders.samples import values
from tests.risk.world import (
    ACCOUNT,
    D,
    bracket,
    held,
    judge,
    limit,
    limits,
    portfolio,
    reasons,
    review,
    submit,
    view,
)

LIMITS = limits(max_drawdown=D("0.05"))


def world(equity: str | None, peak: str | None = "1000000") -> RiskView:
    values = AccountValues(
        account=ACCOUNT,
        net_liquidation=D(equity) if equity else None,
        available_funds=D(1_000_000),
    )
    return view(
        portfolio=portfolio(held(10), values=values),
        limits=LIMITS,
        equity_peak=D(peak) if peak else None,
    )


@pytest.mark.parametrize(
    ("equity", "expected"),
    [
        ("1000000", None),
        ("1100000", None),  # a new peak that is not on record yet
        ("975001", None),
        ("975000", True),  # half of 5 %
        ("960001", True),
        ("960000", False),  # 80 % of it
        ("900000", False),
    ],
)
def test_near_the_limit_nothing_is_opened(equity: str, expected: bool | None) -> None:
    found = judge("drawdown", bracket(), world(equity))
    assert [breach.is_warning for breach in found] == ([] if expected is None else [expected])


def test_what_lowers_risk_is_not_asked() -> None:
    assert judge("drawdown", submit(limit("SELL", 10, "150")), world("1")) == []
    assert "drawdown" in reasons(review(bracket(), world("900000")))


def test_before_the_first_peak_there_is_no_drawdown() -> None:
    assert judge("drawdown", bracket(), world("1", None)) == []
    assert below_peak(D(1), D(0)) == 0


def test_an_unknown_worth_opens_nothing() -> None:
    with pytest.raises(FactMissing):
        judge("drawdown", bracket(), world(None))


def test_the_message() -> None:
    (breach,) = judge("drawdown", bracket(), world("958000"))
    assert breach.message == (
        "The account is 4.2 % below its peak of 1,000,000.00, 84 % of the 5 % allowed; "
        "from 80 % on nothing more is opened."
    )
    assert values(breach.limit, breach.actual) == ("0.05", "0.042")
    (warning,) = judge("drawdown", bracket(), world("970000"))
    assert warning.message == (
        "The account is 3 % below its peak of 1,000,000.00, 60 % of the 5 % allowed."
    )
    assert values(warning.headroom, warning.hint) == ("0.01", "")


def gauge(world: RiskView) -> Gauge:
    read = CHECKS["drawdown"].gauge
    assert read is not None
    (found,) = read(world)
    assert found.unit is Unit.PERCENT
    return found


def test_the_gauge() -> None:
    found = gauge(world("990000"))
    assert values(found.used, found.limit, found.note) == (
        D("0.01"),
        D("0.05"),
        "peak 1,000,000.00",
    )
    assert gauge(world(None)).used is None
    assert gauge(view(portfolio=portfolio(values=None))).used is None
    assert gauge(world("1", None)).note == "no peak is known yet"
