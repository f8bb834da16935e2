from __future__ import annotations

import pytest

from ibkr_trader.core.enums import OrderType
from ibkr_trader.core.models import OrderSpec
from tests.risk.world import (
    aged,
    bracket,
    held,
    judge,
    limit,
    modify,
    quote,
    spec,
    stop,
    submit,
    view,
    working,
)


@pytest.mark.parametrize(
    ("mine", "theirs", "denied"),
    [
        (limit("BUY", 10, "150"), limit("SELL", 10, "150", "o-1-single"), True),
        (limit("BUY", 10, "149.99"), limit("SELL", 10, "150", "o-1-single"), False),
        (limit("SELL", 10, "149"), limit("BUY", 10, "149", "o-1-single"), True),
        (limit("SELL", 10, "149.01"), limit("BUY", 10, "149", "o-1-single"), False),
        (limit("BUY", 10, "151"), limit("BUY", 10, "150", "o-1-single"), False),
        (spec("BUY", 10), limit("SELL", 10, "150.01", "o-1-single"), True),
        (spec("BUY", 10), limit("SELL", 10, "150.02", "o-1-single"), False),
        (limit("BUY", 10, "150"), spec("SELL", 10, "o-1-single"), True),
        (limit("BUY", 10, "149.98"), spec("SELL", 10, "o-1-single"), False),
        # What waits for a trigger trades later, at another price.
        (limit("BUY", 10, "151"), stop("SELL", 10, "145", "o-1-single"), False),
        (stop("BUY", 10, "155"), limit("SELL", 10, "150", "o-1-single"), False),
        (
            limit("BUY", 10, "151"),
            spec(
                "SELL",
                10,
                "o-1-single",
                order_type=OrderType.LIMIT_IF_TOUCHED,
                limit_price="150",
                stop_price="152",
            ),
            True,
        ),
    ],
)
def test_orders_that_could_meet(mine: OrderSpec, theirs: OrderSpec, *, denied: bool) -> None:
    found = judge("opposing", submit(mine), view(working(theirs)))
    assert [breach.actual for breach in found] == (["o-1-single"] if denied else [])
    assert all(breach.hint == "ibkr-trader cancel o-1-single" for breach in found)


def test_exits_do_not_count() -> None:
    exits = working(limit("SELL", 10, "150", "o-1-target"))
    assert judge("opposing", submit(limit("BUY", 10, "151")), view(held(10), exits)) == []


def test_the_members_of_a_group_are_alternatives() -> None:
    pair = submit(limit("BUY", 10, "145", "t-1-a"), limit("SELL", 10, "145", "t-1-b"))
    assert judge("opposing", pair, view()) == []
    first = working(limit("SELL", 10, "145", "t-1-b"))
    assert judge("opposing", submit(limit("BUY", 10, "145", "t-1-a")), view(first)) == []


def test_a_change_under_way_counts_by_its_new_price() -> None:
    other = working(
        limit("SELL", 10, "152", "o-1-single"), desired=limit("SELL", 10, "150", "o-1-single")
    )
    assert judge("opposing", submit(limit("BUY", 10, "150")), view(other))


def test_a_change_is_judged_too() -> None:
    mine, other = working(limit("BUY", 10, "149")), working(limit("SELL", 10, "152", "o-1-single"))
    assert judge("opposing", modify(mine, limit_price="152"), view(mine, other))
    assert not judge("opposing", modify(mine, limit_price="151"), view(mine, other))


def test_a_bracket_beside_an_exit_of_another_is_no_cross() -> None:
    world = view(held(10), working(stop("SELL", 10, "145", "o-1-stop")), quotes={1: aged(quote())})
    assert judge("opposing", bracket(), world) == []


@pytest.mark.parametrize(
    ("mine", "theirs", "words"),
    [("BUY", "SELL", "could buy from your own"), ("SELL", "BUY", "could sell to your own")],
)
def test_the_message_says_who_would_trade_with_whom(mine: str, theirs: str, words: str) -> None:
    world = view(working(limit(theirs, 10, "150", "o-1-single")))
    (breach,) = judge("opposing", submit(limit(mine, 10, "150")), world)
    assert breach.message == f"{mine} 10 AAPL {words} order o-1-single ({theirs} 10 AAPL)."
