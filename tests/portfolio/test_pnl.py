"""The day's profit and loss."""

from __future__ import annotations

from decimal import Decimal

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import Quote
from ibkr_trader.portfolio.pnl import day_pnl
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import AAPL, AT, MSFT, fill, filled, later, values


def price(last: str) -> ev.PriceEvent:
    quote = Quote(contract=AAPL, at=AT, last=Decimal(last))
    return ev.PriceEvent(at=AT, contract=AAPL, quote=quote)


BUY = filled(fill(10, "150", key="a", commission=Decimal("1.00")))
SELL = filled(fill(4, "155", key="b", side=Side.SELL, at=later(1)))


def test_realized_unrealized_and_costs() -> None:
    day = day_pnl(fold([BUY, SELL, price("152")]))
    one = day.contracts[AAPL.con_id]
    assert values(one.realized, one.unrealized, one.traded) == (20, 12, 14)
    # The broker has yet to state the second commission: as dear per share as the first.
    assert (one.commission, one.estimated) == (Decimal("1.40"), Decimal("0.40"))
    assert one.net == Decimal("30.60")
    assert values(day.realized, day.unrealized, day.commission) == (20, 12, Decimal("1.40"))
    assert day.net == Decimal("30.60")
    assert day.unpriced == ()


def test_what_has_no_price_is_named_and_left_out() -> None:
    other = filled(fill(2, "400", key="m", contract=MSFT))
    day = day_pnl(fold([BUY, price("151"), other]))
    assert day.unpriced == (MSFT.con_id,)
    assert day.contracts[MSFT.con_id].net is None
    assert day.contracts[MSFT.con_id].estimated == 0  # nothing to estimate it by
    assert day.unrealized == 10


def test_what_is_flat_has_its_realized_gain_alone() -> None:
    out = filled(fill(10, "149", key="c", side=Side.SELL, at=later(2)))
    day = day_pnl(fold([BUY, out]))
    assert day.contracts[AAPL.con_id].net == Decimal("-12.00")
    assert day.unpriced == ()


def test_a_day_without_trading_is_empty() -> None:
    assert day_pnl(PortfolioState()).net == 0
    yesterday = fold([BUY, filled(fill(10, "151", key="c", side=Side.SELL, at=later(2)))])
    assert day_pnl(yesterday.begin_day(later(60))).contracts == {}
