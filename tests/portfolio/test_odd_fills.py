"""Executions that a person has to look at: busts, liquidations, more than was asked for."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core.enums import OrderStatus, Side
from ibkr_trader.core.models import Order, OrderId
from ibkr_trader.portfolio.odd_fills import bust_words, in_words, is_bust, oddity, overfilled
from tests.orders.samples import fill, filled, spec

SINGLE = spec()


def after(done: int, *, wanted: int | None = None, **terms: object) -> Order:
    what = msgspec.structs.replace(SINGLE, **terms)
    desired = None
    if wanted is not None:
        desired = msgspec.structs.replace(what, quantity=Decimal(wanted))
    return Order(spec=what, status=OrderStatus.FILLED, filled=Decimal(done), desired=desired)


def test_an_execution_as_executions_are_is_no_oddity() -> None:
    assert oddity(filled(fill(10)), after(10)) == ""
    assert oddity(filled(fill(10)), None) == "", "an order of somebody else"


def test_what_is_taken_back_whole_is_told_by_symbol_and_execution() -> None:
    event = filled(fill(0, revision=2), replaces=fill(10, "150.26"))
    assert is_bust(event)
    words = "execution e1 of BUY 10 @ 150.26 was taken back (bust)"
    assert bust_words(event) == words
    assert oddity(event, after(0)) == oddity(event, None) == f"AAPL: {words}"


@pytest.mark.parametrize("left", [6, 12])
def test_a_correction_to_another_size_is_no_bust(left: int) -> None:
    event = filled(fill(left, revision=2), replaces=fill(10))
    assert not is_bust(event)
    assert oddity(event, None) == ""


def test_what_was_gone_before_it_was_heard_of_moves_nothing() -> None:
    never = filled(fill(0, "150.26", revision=2))
    assert not is_bust(never)
    assert oddity(never, None) == ""
    assert bust_words(never) == "execution e1 of BUY 0 @ 150.26 was taken back (bust)"
    again = filled(fill(0, revision=3), replaces=fill(0, revision=2))
    assert not is_bust(again)


def test_a_liquidation_is_told_once() -> None:
    sold = fill(10, "149.99", side=Side.SELL, is_liquidation=True)
    assert in_words(sold) == "SELL 10 @ 149.99"
    assert oddity(filled(sold), None) == (
        "AAPL: liquidated by the broker, SELL 10 @ 149.99 (execution e1): look at the margin"
    )
    corrected = msgspec.structs.replace(sold, revision=2, price=Decimal(150))
    assert oddity(filled(corrected, replaces=sold), None) == ""
    gone = msgspec.structs.replace(sold, quantity=Decimal(0))
    assert oddity(filled(gone), None) == ""


def test_more_than_was_asked_for_is_told() -> None:
    event = filled(fill(12, revision=2), replaces=fill(10))
    assert oddity(event, after(12)) == (
        "AAPL: 1-single has traded 12, 2 more than was asked for (execution e1)"
    )
    assert overfilled(after(12)) == 2
    less = filled(fill(11, revision=3), replaces=fill(12))
    assert oddity(less, after(11)) == "", "it becomes less"


def test_what_may_have_been_enlarged_or_is_sized_by_others_is_not_judged() -> None:
    assert overfilled(after(12, wanted=12)) == 0
    assert overfilled(after(12, wanted=8)) == 2
    assert overfilled(after(12, oca_group="one")) == 0
    assert overfilled(after(12, parent_id=OrderId("memo-1-entry"))) == 0
    assert overfilled(msgspec.structs.replace(after(12), is_foreign=True)) == 0
