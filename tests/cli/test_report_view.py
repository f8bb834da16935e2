"""A report in lines and tables: figures, widths, and what is left out."""

from __future__ import annotations

from datetime import UTC, timedelta
from decimal import Decimal

import pytest

from ibkr_trader.cli.output import Table, aligned, fitted
from ibkr_trader.cli.report_facts import Report
from ibkr_trader.cli.report_view import blocks, lasted, points
from ibkr_trader.core.events import BaseEvent
from ibkr_trader.core.models import Contract
from ibkr_trader.portfolio.forensic_fold import forensics
from ibkr_trader.portfolio.forensic_summary import By
from tests.cli.report_parts import DAY, trip
from tests.orders.samples import AT, later
from tests.portfolio.way import charged, new, synced, traded


def told(*events: BaseEvent, by: By = By.RULE) -> list[str | Table]:
    report = Report.of(forensics(events), by=by, since=None, until=AT, profile="sim")
    return blocks(report, utc=True)


def tables(*events: BaseEvent, by: By = By.RULE) -> list[Table]:
    return [one for one in told(*events, by=by) if isinstance(one, Table)]


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (None, "–"),
        (timedelta(0), "0"),
        (timedelta(microseconds=371), "0.4"),
        (timedelta(milliseconds=12), "12"),
        (timedelta(milliseconds=9_999), "9,999"),
        (timedelta(seconds=10), "10s"),
        (timedelta(minutes=9, seconds=59), "599s"),
        (timedelta(minutes=10), "10m"),
        (timedelta(hours=10), "10h"),
        (timedelta(days=3), "72h"),
    ],
)
def test_times_are_milliseconds_while_that_says_something(
    length: timedelta | None, words: str
) -> None:
    assert lasted(length) == words


def test_basis_points_have_a_sign_and_a_decimal() -> None:
    shown = [points(Decimal(one)) for one in ("30", "-0.04", "1234.56", "0")]
    assert shown == ["+30.0", "+0.0", "+1,234.6", "+0.0"]
    assert points(None) == "–"


@pytest.mark.parametrize("by", By)
def test_every_table_fits_eighty_columns_on_a_terminal(by: By) -> None:
    option = Contract(
        symbol="GOOGL", con_id=9, currency="USD", multiplier=Decimal(100), local_symbol="GOOGL"
    )
    large = new("memo-1234-entry", contract=option, quantity=Decimal(100), because="d1", at=150)
    events = (*DAY, large, traded(large, 100, "112.34", key="x", at=190), charged("x", "123.45"))
    for table in tables(*events, by=by):
        narrow, _ = fitted(table, 80)
        assert max(map(len, aligned(narrow).splitlines())) <= 80, aligned(narrow)
        assert narrow.headers[0] == table.headers[0]
        whole = max(map(len, aligned(table).splitlines()))
        assert whole <= 120, aligned(table)


def test_stages_that_nobody_has_are_no_columns() -> None:
    order = new(because="", origin="cli")
    (orders, *_) = tables(order)
    assert not {"SIGNAL", "DECIDE", "SEND", "ACCEPT", "FILL"} & set(orders.headers)
    assert set(orders.spare) <= set(orders.headers)


def test_only_the_newest_orders_are_shown() -> None:
    events = [new(f"memo-{n}-entry", at=n) for n in range(1, 31)]
    found = told(*events)
    (orders, *_) = [one for one in found if isinstance(one, Table)]
    assert [row[0] for row in orders.rows] == [f"{n}-entry" for n in range(11, 31)]
    assert "  the newest 20 of 30; --json has all of them" in found
    assert found[0] == "SIM  30 orders, 0 of them traded"
    assert found[1] == "no round trip has ended"


def test_the_sum_is_drawn_from_zero_on() -> None:
    curve = str(told(*DAY)[2]).rpartition("  ")[2]
    assert len(curve) == 4  # zero, and three trips
    assert curve[1] == max(curve)
    assert curve[3] == min(curve)


def test_what_is_left_out_is_named() -> None:
    found = told(synced(5, at=0), *trip(1, "102"))
    why = "its round trips are left out: not every execution of what is held is known"
    assert f"  AAPL: {why}" in found
    assert "no round trip has ended" in found


def test_since_is_told_in_the_zone_that_was_asked_for() -> None:
    known = forensics(DAY, since=later(50))
    report = Report.of(known, by=By.RULE, since=later(50), until=AT, profile="sim")
    assert blocks(report, utc=True)[0] == (
        f"SIM  6 orders since {later(50).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, 6 of them traded"
    )
