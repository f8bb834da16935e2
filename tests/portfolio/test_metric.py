"""Counting makes a new value, and never more of them than are wanted."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.portfolio.metric import OTHER, Histogram, Sample, Tally

D = Decimal


def test_a_figure_falls_into_the_first_bucket_that_reaches_it() -> None:
    empty = Histogram.of("-1", "0", "2.5")
    found = empty
    for value in ("-3", "-1", "0", "2.5", "2.51"):
        found = found.plus(D(value))
    assert (found.counts, found.count) == ((2, 1, 1, 1), 5)
    assert found.total == D("1.01")
    assert empty == Histogram.of("-1", "0", "2.5")


@given(st.lists(st.decimals(-100, 100, places=2)))
def test_every_figure_is_in_one_bucket(values: list[Decimal]) -> None:
    found = Histogram.of("-10", "0", "10")
    for value in values:
        found = found.plus(value)
    assert found.count == len(values)
    assert found.total == sum(values)
    for place, bound in enumerate(found.bounds):
        assert sum(found.counts[: place + 1]) == sum(value <= bound for value in values)


def test_amounts_add_up_by_their_labels() -> None:
    empty = Tally()
    found = empty.plus(a="1", b="x").plus(a="2", b="x").plus(D("1.5"), a="1", b="x")
    assert found.samples == (
        Sample(D("2.5"), (("a", "1"), ("b", "x"))),
        Sample(D(1), (("a", "2"), ("b", "x"))),
    )
    assert empty.samples == ()


def test_names_from_outside_are_bounded_and_no_amount_is_lost() -> None:
    found = Tally(most=3)
    for number in range(1_000):
        found = found.plus(source=str(number % 500), outcome="acted")
    assert len(found.samples) == 4
    assert found.amounts[("source", OTHER), ("outcome", OTHER)] == 1_000 - 3 * 2
    assert sum(found.amounts.values()) == 1_000
