"""Executions and the trips they make, held against what the broker says is held."""

from __future__ import annotations

from decimal import Decimal

from ibkr_trader.core.enums import Side
from ibkr_trader.portfolio.execution_ledger import Charge, ExecutionLedger
from tests.orders.samples import AAPL, MSFT, fill, filled, later, values
from tests.portfolio.way import synced


def after(*trades: tuple[int, str, float], start: ExecutionLedger | None = None) -> ExecutionLedger:
    """Return the ledger after these (signed quantity, price, time)."""
    ledger = start or ExecutionLedger()
    for quantity, price, at in trades:
        side = Side.BUY if quantity > 0 else Side.SELL
        told = fill(abs(quantity), price, key=f"e{at}", side=side, at=later(at))
        ledger = ledger.filled(filled(told))
    return ledger


def gains(ledger: ExecutionLedger) -> list[Decimal]:
    return [trip.gain for trip in ledger.trips]


def test_trips_are_made_with_what_they_cost() -> None:
    ledger = after((10, "100", 1), (-10, "101", 2)).charged("e1", Charge(later(3), Decimal(2)))
    (trip,) = ledger.trips
    assert values(trip.gain, trip.commission) == (8, 2)
    assert (trip.opened_at, trip.closed_at) == (later(1), later(2))


def test_what_agrees_changes_nothing() -> None:
    for quantity, trades in ((0, ()), (10, ((10, "100", 1.0),))):
        ledger = after(*trades)
        assert ledger.synced(synced(quantity, at=5)) == ledger


def test_a_correction_changes_what_is_held_by_the_difference() -> None:
    told = fill(10, "100", key="e1", at=later(1))
    smaller = fill(9, "100", key="e1", revision=2, at=later(1))
    ledger = ExecutionLedger().filled(filled(told)).filled(filled(smaller))
    assert ledger.held == {AAPL.con_id: 9}
    assert ledger.filled(filled(told)) == ledger
    assert ledger.synced(synced(9, at=5)).strays == {}


def test_what_no_execution_explains_is_no_trip() -> None:
    ledger = after((10, "100", 1)).synced(synced(15, at=5))
    assert values(ledger.strays, ledger.held) == ({AAPL.con_id: AAPL}, {AAPL.con_id: 15})
    assert gains(after((-10, "101", 6), start=ledger)) == []
    same = after((-5, "101", 6), start=ledger).synced(synced(10, at=7))
    assert same.strays == {AAPL.con_id: AAPL}


def test_a_stray_counts_again_once_it_is_known_to_be_flat() -> None:
    """It was ended by executions that we know, or by others: either way the broker says so."""
    ledger = ExecutionLedger().synced(synced(5, at=0))
    known, unknown = after((-5, "90", 6), start=ledger), ledger
    for one in (known, unknown):
        flat = one.synced(synced(0, at=7))
        assert flat.strays == {}
        assert gains(after((10, "100", 8), (-10, "101", 9), start=flat)) == [10]


def test_a_sale_that_nobody_told_us_of_ends_no_trip() -> None:
    ledger = after((10, "100", 1)).synced(synced(0, at=5))
    assert ledger.strays == {}
    assert gains(after((3, "50", 5), (-3, "51", 7), start=ledger)) == [3]


def test_one_contract_is_left_out_and_others_are_not() -> None:
    ledger = after((10, "100", 1)).filled(filled(fill(4, "9", key="m", contract=MSFT)))
    assert ledger.orders(AAPL.con_id) == {"memo-1-single"}
    left = ledger.charged("m", Charge(later(2), Decimal(1))).without(AAPL.con_id)
    assert (list(left.fills), list(left.costs)) == (["m"], ["m"])
    assert left.charged("e1.0", Charge(later(2), Decimal(1))).without(AAPL.con_id) == left


def test_the_later_word_on_a_cost_counts() -> None:
    one, two = Charge(later(1), Decimal(1)), Charge(later(2), Decimal("0.5"))
    ledger = after((10, "100", 1))
    (told,) = ledger.fills.values()
    assert ledger.cost(told.fill) is None
    for words in ((one, two), (two, one), (two, two)):
        found = ledger
        for word in words:
            found = found.charged(told.fill.fill_id, word)
        assert found.cost(told.fill) == Decimal("0.5")
    foreign = ledger.charged(told.fill.fill_id, Charge(later(3), Decimal(1), "EUR"))
    assert foreign.cost(told.fill) is None
