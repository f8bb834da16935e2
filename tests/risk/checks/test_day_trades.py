from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import AccountValues, Fill, FillId, OrderId
from ibkr_trader.core.trading_day import NEW_YORK
from ibkr_trader.portfolio.positions import Book
from ibkr_trader.risk.check import CHECKS
from ibkr_trader.risk.verdict import Approved
from ibkr_trader.risk.view import RiskView
from tests.risk.world import (
    AAPL,
    ACCOUNT,
    NOW,
    D,
    bracket,
    held,
    judge,
    modify,
    portfolio,
    review,
    spec,
    stop,
    submit,
    view,
    working,
)

CLOSE = submit(spec("SELL", 10))


def left(
    count: str | None, *parts: Any, equity: str | None = "24000", ago: int | None = None,
    **changes: Any,
) -> RiskView:  # fmt: skip
    """An account with so many day trades left; AAPL was traded so many minutes ago, or not."""
    values = AccountValues(
        account=ACCOUNT,
        net_liquidation=D(equity) if equity is not None else None,
        available_funds=D(20_000),
        day_trades_left=D(count) if count is not None else None,
    )
    state = portfolio(*parts, values=values)
    book = Book.open(ACCOUNT, AAPL)
    if ago is not None:
        fill = Fill(
            fill_id=FillId("f"), revision=1, order_id=OrderId("t-0-entry"), contract=AAPL,
            account=ACCOUNT, side=Side.BUY, quantity=D(10), price=D(150),
            at=NOW - timedelta(minutes=ago),
        )  # fmt: skip
        book = book.after(fill)
    return view(portfolio=msgspec.structs.replace(state, books={1: book}), **changes)


@pytest.mark.parametrize(
    ("count", "equity", "told"),
    [
        ("0", "24000", "denied"),
        ("1", "24000", "warned"),
        ("2", "24000", ""),
        ("-1", "24000", ""),  # as many as one likes
        (None, "24000", ""),
        ("0", "25000", ""),
        ("0", "24999.99", "denied"),
        ("0", None, ""),
    ],
)
def test_opening_needs_one_to_get_out_again(
    count: str | None, equity: str | None, told: str
) -> None:
    found = judge("day_trades", bracket(), left(count, equity=equity))
    assert [("warned" if one.is_warning else "denied") for one in found] == ([told] if told else [])


def test_the_words() -> None:
    (denied,) = judge("day_trades", bracket(), left("0"))
    assert denied.message == (
        "This account has no day trade left: what is opened could not be closed today."
    )
    assert denied.hint == "wait until TWS counts one again; from 25,000.00 there is no limit"
    (warned,) = judge("day_trades", bracket(), left("1"))
    assert warned.message == (
        "This account has one day trade left: closing today what is opened uses it."
    )


def test_nobody_states_an_account() -> None:
    assert judge("day_trades", bracket(), view(portfolio=portfolio(values=None))) == []


def test_closing_is_told_and_never_denied() -> None:
    verdict = review(CLOSE, left("0", held(10), ago=30))
    assert isinstance(verdict, Approved)
    assert [one.message for one in verdict.warnings] == [
        "Closing AAPL today is a day trade, and none is left."
    ]


@pytest.mark.parametrize("world", [
    left("0", held(10)),  # nothing of it was traded today
    left("1", held(10), ago=30),  # there is one left for it
    left("0", held(10), ago=11 * 60, zone=ZoneInfo(NEW_YORK)),  # that was yesterday, there
])  # fmt: skip
def test_a_close_that_is_none_is_not_told(world: RiskView) -> None:
    assert judge("day_trades", CLOSE, world) == []


def test_nothing_is_known_of_a_contract() -> None:
    bare = left("0", held(10))
    nobody = view(portfolio=msgspec.structs.replace(bare.portfolio, books={}))
    assert judge("day_trades", CLOSE, nobody) == []


def test_changes_are_not_asked() -> None:
    there = working(stop("SELL", 10, "145"))
    assert (
        judge("day_trades", modify(there, stop_price="146"), left("0", held(10), there, ago=9))
        == []
    )


@pytest.mark.parametrize(
    ("world", "note"),
    [
        (left("2"), "2 left (below 25,000.00 of net liquidation)"),
        (left("-1"), "not limited, or not stated (below 25,000.00 of net liquidation)"),
    ],
)
def test_its_gauge(world: RiskView, note: str) -> None:
    gauge = CHECKS["day_trades"].gauge
    assert gauge is not None
    assert [one.note for one in gauge(world)] == [note]
