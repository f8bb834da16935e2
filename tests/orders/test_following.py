"""What a trail believes of the market."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ibkr_trader.core.enums import DataType, Side
from ibkr_trader.orders.following import CONFIRMED_AFTER, Following
from tests.orders.samples import later, values
from tests.orders.trail_stage import quote

SURE = CONFIRMED_AFTER.total_seconds()
LEEWAY = Decimal(1)


def seen(*quotes: Any, side: Side = Side.SELL, every: float = 1.0) -> Following:
    following = Following()
    for number, one in enumerate(quotes):
        at = later(number * every)
        following = following.after(one, at, side=side, leeway=LEEWAY)
    return following


def test_a_first_price_is_believed_when_another_agrees() -> None:
    assert seen(quote("150")).best is None
    assert seen(quote("150"), quote("150.5")).best == 150
    assert seen(quote("150"), quote("149.5")).best == Decimal("149.5")


def test_it_looks_where_it_would_be_filled() -> None:
    assert seen(*[quote("150", "150.40")] * 2).best == 150
    assert seen(*[quote("150", "150.40")] * 2, side=Side.BUY).best == Decimal("150.40")


def test_a_small_step_is_believed_at_once_and_none_is_taken_back() -> None:
    begun = [quote("150")] * 2
    assert seen(*begun, quote("151")).best == 151
    assert seen(*begun, quote("151"), quote("140")).best == 151
    down = [quote("149.99", "150")] * 2
    assert seen(*down, quote("148.99", "149"), side=Side.BUY).best == 149


def test_one_bad_print_moves_nothing() -> None:
    begun = [quote("150")] * 2
    wild = seen(*begun, quote("1500", "1500.10"))
    assert values(wild.best, wild.doubtful) == (150, 1500)
    after = seen(*begun, quote("1500", "1500.10"), quote("150.01"))
    assert (after.best, after.doubtful) == (Decimal("150.01"), None)


def test_the_ticks_of_one_bad_print_are_one_tick() -> None:
    """Price and size of each side arrive one by one, all at once."""
    following = seen(*[quote("150")] * 2)
    for late in (1.0, 1.0, 1.0 + SURE / 2):
        told = quote("1500", "1500.10")
        following = following.after(told, later(5 + late), side=Side.SELL, leeway=LEEWAY)
        assert following.best == 150


def test_a_jump_that_stays_is_believed_at_its_worst() -> None:
    following = seen(*[quote("150")] * 2)
    for late, bid in ((0.0, "160"), (0.1, "158"), (SURE, "163")):
        following = following.after(quote(bid), later(5 + late), side=Side.SELL, leeway=LEEWAY)
    assert values(following.best, following.doubtful) == (158, None)


@pytest.mark.parametrize(
    "told",
    [
        quote("155", "150"),  # crossed
        quote(None, "156"),
        quote("155", "0"),
        quote("-1", "155"),
        quote("155", halted=True),
        *(quote("155", data_type=kind) for kind in DataType if kind is not DataType.LIVE),
    ],
)
def test_a_quote_that_is_none_moves_nothing(told: Any) -> None:
    begun = seen(*[quote("154")] * 2)
    after = begun.after(told, later(5), side=Side.SELL, leeway=LEEWAY)
    assert values(after.best, after.market) == (154, None)
    assert after.after(told, later(6), side=Side.SELL, leeway=LEEWAY) is after


@pytest.mark.parametrize(("side", "better", "worse"), [(Side.SELL, 160, 158), (Side.BUY, 140, 142)])
def test_a_quote_that_stands_is_believed_in_time(side: Side, better: int, worse: int) -> None:
    following = Following()
    for late, price in ((0.0, 150), (1.0, 150), (5.0, better), (5.1, worse)):
        told = quote(str(price), str(price))
        following = following.after(told, later(late), side=side, leeway=LEEWAY)
    assert following.standing(later(5.9), side=side) is following
    stood = following.standing(later(6.0), side=side)
    assert values(stood.best, stood.doubtful) == (worse, None)
    assert stood.standing(later(9), side=side) is stood


def test_a_bad_print_that_stands_is_not_believed() -> None:
    wild = seen(*[quote("150")] * 2, quote("1500", "1500.10"))
    assert wild.standing(later(60), side=Side.SELL) is wild
    first = seen(quote("150"))  # nothing to compare it with
    assert first.standing(later(60), side=Side.SELL) is first
