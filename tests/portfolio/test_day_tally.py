"""A day that is added up step by step is the day that is counted at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import ZERO, Fill
from ibkr_trader.portfolio.day_tally import Costs, DayTally, fill_costs
from ibkr_trader.portfolio.positions import Book
from tests.orders.samples import AAPL, AT, fill, later, values

D = Decimal
BEGAN = AT - timedelta(hours=1)
FIRST = fill(10, "150", key="a")
SECOND = fill(4, "155", key="b", side=Side.SELL, at=later(1))
CHARGED = msgspec.structs.replace(FIRST, commission=D("1.00"), realized_pnl=ZERO)


def book_of(*fills: Fill) -> Book:
    book = Book.open("SIM0000001", AAPL)
    for one in fills:
        book = book.charged(one) if one is CHARGED else book.after(one)
    return book


def at_once(book: Book, since: datetime = BEGAN) -> DayTally:
    base = book.since(since).base
    return DayTally.of(book, since=since, base=base, began=base)


def test_one_more_is_added_and_not_counted_again() -> None:
    one = book_of(FIRST)
    found = at_once(one).after(one.after(SECOND))
    assert found == at_once(book_of(FIRST, SECOND))
    assert values(found.held.quantity, found.held.realized_pnl) == (6, 20)
    assert values(found.traded, found.executions) == (14, 2)


def test_a_commission_takes_the_place_of_its_estimate() -> None:
    one = book_of(FIRST, SECOND)
    before, found = at_once(one), at_once(one).after(one.charged(CHARGED))
    assert before.costs.estimated == 2  # a dollar each
    assert found is not None
    assert found.costs == Costs(stated=D(1), charged=D(10), awaited=D(4), usual=D(1))
    assert found.costs.estimated == D("0.4")  # as dear as the first
    assert found.held == before.held


def test_a_commission_of_the_day_before_costs_nothing_today() -> None:
    one, since = book_of(FIRST, SECOND), later(1)
    found = at_once(one, since).after(one.charged(CHARGED))
    assert found is not None
    assert found.costs == at_once(one, since).costs


@pytest.mark.parametrize(
    "later_book",
    [
        book_of(FIRST).after(msgspec.structs.replace(FIRST, revision=2, price=D(151))),
        book_of(FIRST).after(fill(1, "150", key="c", at=AT - timedelta(seconds=1))),
        book_of(SECOND),
        Book.on(msgspec.structs.replace(book_of().base, quantity=D(5)), [FIRST, SECOND]),
    ],
    ids=["corrected", "late", "another", "restated"],
)
def test_anything_else_is_for_a_new_count(later_book: Book) -> None:
    assert at_once(book_of(FIRST)).after(later_book) is None


def test_what_is_older_than_the_day_is_for_a_new_count() -> None:
    empty = book_of()
    assert at_once(empty, later(5)).after(empty.after(FIRST)) is None
    one = book_of(FIRST)
    assert at_once(one, later(5)).after(one.after(SECOND)) is None


def test_nothing_costs_nothing() -> None:
    assert Costs().estimated == 0
    none, many = fill(0, "150", key="n"), fill(1000, "150", key="m")
    assert fill_costs([none, many]) == {none.fill_id: 0, many.fill_id: 5}


def test_each_is_as_dear_as_those_that_were_stated() -> None:
    assert fill_costs([CHARGED, SECOND]) == {FIRST.fill_id: 1, SECOND.fill_id: D("0.4")}


FILLS = st.lists(
    st.tuples(
        st.integers(0, 20), st.integers(-9, 9), st.integers(1, 3), st.none() | st.integers(0, 3)
    ),
    max_size=25,
)


@given(FILLS, st.integers(-5, 20))
def test_step_by_step_is_at_once(steps: list[tuple[int, int, int, int | None]], day: int) -> None:
    since = AT + timedelta(seconds=day)
    book = Book.open("SIM0000001", AAPL)
    rolled = at_once(book, since)
    for second, size, key, commission in steps:
        side = Side.BUY if size >= 0 else Side.SELL
        one = fill(abs(size), "150", key=f"{second}-{key}", side=side, at=later(second))
        if commission is not None and one.fill_id in book.fills:
            known = book.fills[one.fill_id]
            book = book.charged(msgspec.structs.replace(known, commission=D(commission)))
        else:
            book = book.after(one)
        again = at_once(book, since)
        stepped = rolled.after(book)
        rolled = again if stepped is None else stepped
        assert rolled == again
