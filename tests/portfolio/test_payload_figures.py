"""Snapshots: one position, or the day's result, in figures that anybody can read."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import OrderStatus, SecType, Side
from ibkr_trader.core.models import AccountValues, Contract, Position
from ibkr_trader.portfolio.payload_figures import (
    figure,
    maybe,
    named,
    pnl_snapshot,
    position_snapshot,
)
from ibkr_trader.portfolio.pnl import UNPRICED, DayPnl
from ibkr_trader.portfolio.state import PortfolioState, fold
from tests.orders.samples import AAPL, AT, MSFT, bracket_specs, fill, filled, later, order
from tests.portfolio.test_pnl import DAY, price

D = Decimal
REAL = "U1234567"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("150.00", "150.00"), ("1E+3", "1000"), ("0E-9", "0.000000"), ("1E-7", "0.000000"),
        ("-0.00001", "-0.00001"), ("150.003333333333333333", "150.00333333"), ("10", "10"),
        ("0.123456785", "0.12345678"), ("12345678901234567890.5", "12345678901234567890.5"),
    ],
)  # fmt: skip
def test_a_figure_has_no_exponent_and_no_endless_tail(value: str, text: str) -> None:
    assert str(figure(D(value))) == text
    assert maybe(D(value)) == figure(D(value))


def test_what_is_unknown_stays_so_and_what_is_no_number_is_an_error() -> None:
    assert maybe(None) is None
    with pytest.raises(ValueError, match="no number"):
        figure(D("NaN"))


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
def test_every_figure_is_plain_and_near(value: Decimal) -> None:
    text = str(figure(value))
    assert "E" not in text
    assert abs(D(text) - value) <= D("0.000001")


def test_a_moment_in_a_name_is_exact() -> None:
    assert named(later(1.000002)) == "20261120T150001.000002"


def held(quantity: int = 10, *, mark: str | None = "151", contract: Contract = AAPL) -> Position:
    return Position(
        account=REAL,
        contract=contract,
        quantity=D(quantity),
        average_cost=D(150),
        realized_pnl=D(7),
        market_price=None if mark is None else D(mark),
    )


def test_a_position_is_told_with_its_worth_and_its_stop() -> None:
    _, target, stop = bracket_specs(quantity=8)
    orders = [order(spec=target), order(spec=stop, status=OrderStatus.PRESUBMITTED)]
    told = position_snapshot(held(), orders, at=AT, cause="memo-1-entry")
    assert (told.symbol, told.quantity, told.average_cost) == ("AAPL", D(10), D(150))
    assert (told.market_price, told.market_value, told.unrealized_pnl) == (D(151), D(1510), D(10))
    assert (told.realized_pnl, told.stop_price, told.covered) == (D(7), D(145), D(8))
    assert (told.event_id, told.at) == ("position.265598.20261120T150000.000000", AT)
    assert (told.account, told.cause) == ("U***567", "memo-1-entry")


def test_without_a_price_its_worth_is_unknown() -> None:
    told = position_snapshot(held(-10, mark=None), (), at=AT, event_id="mine")
    assert (told.market_price, told.market_value, told.unrealized_pnl) == (None, None, None)
    assert (told.stop_price, told.covered, told.event_id) == (None, D(0), "mine")


def test_an_option_is_named_as_one_types_it() -> None:
    option = Contract(
        symbol="AAPL", con_id=9, sec_type=SecType.OPTION, expiry="20261218", strike=D(150),
        right="C", multiplier=D(100),
    )  # fmt: skip
    told = position_snapshot(held(1, contract=option), (), at=AT)
    assert (told.symbol, told.multiplier, told.market_value) == (
        "AAPL261218C00150000", D(100), D(15100),
    )  # fmt: skip


def day(*events: ev.BaseEvent) -> tuple[DayPnl, PortfolioState]:
    portfolio = fold(events)
    return DayPnl().follow(portfolio, DAY), portfolio


def test_the_days_result_is_told_by_symbol_and_in_all() -> None:
    option = msgspec.structs.replace(AAPL, con_id=9, multiplier=D(100))
    worth = AccountValues(account=REAL, net_liquidation=D("100000.50"))
    pnl, portfolio = day(
        ev.AccountEvent(at=AT, values=worth),
        filled(fill(10, "150", key="a", commission=D(1))),
        filled(fill(5, "152", key="b", side=Side.SELL, commission=D(1), at=later(1))),
        filled(fill(1, "3", key="c", contract=option, commission=D(2))),
        filled(fill(4, "300", key="d", contract=MSFT, commission=D(1))),
        price("151"),
        price("2", contract=option),
    )
    told = pnl_snapshot(pnl, portfolio, account=REAL, at=AT)
    aapl, msft = told.by_symbol
    assert (aapl.symbol, aapl.realized, aapl.unrealized) == ("AAPL", D(10), D(5 - 100))
    assert (aapl.commission, aapl.net) == (D(4), D(10 + 5 - 100 - 4))
    assert (msft.symbol, msft.unrealized, msft.net) == ("MSFT", None, None)
    assert (told.realized, told.unrealized, told.commission) == (D(10), D(-95), D(5))
    assert (told.net, told.notes) == (None, (f"MSFT: {UNPRICED}",))
    assert (told.net_liquidation, told.currency, told.since) == (D("100000.50"), "USD", DAY)
    assert (told.account, told.event_id) == ("U***567", "pnl.20261120T150000.000000")


def test_what_is_in_other_money_is_not_known() -> None:
    euro = msgspec.structs.replace(MSFT, symbol="BRK B", currency="EUR")
    pnl, portfolio = day(
        ev.AccountEvent(at=AT, values=AccountValues(account=REAL)),
        filled(fill(10, "150", contract=euro)),
    )
    told = pnl_snapshot(pnl, portfolio, account=REAL, at=AT)
    assert [(one.symbol, one.realized, one.net) for one in told.by_symbol] == [
        ("BRK.B", None, None)
    ]


def test_nothing_at_all_is_a_day_of_nothing() -> None:
    told = pnl_snapshot(*day(), account=REAL, at=AT)
    assert (told.net, told.by_symbol, told.net_liquidation, told.currency) == (D(0), (), None, "")
