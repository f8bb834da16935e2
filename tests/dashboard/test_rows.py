from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.dashboard.model import Model, Panel, Sorting
from ibkr_trader.dashboard.rows import SORTS, chosen, key_of, name_of, place_of, rows_of
from ibkr_trader.dashboard.scene import Came, Decision, FeedKind, FeedLine, GaugeRow
from tests.dashboard.play import at, desk, entry, guarded, held, stop
from tests.dashboard.scenes import decisions, feed

GAUGE = GaugeRow(name="heat", used="1", limit="2")
DECISION = Decision(at=at(1), source="guard", text="refused")
LINE = FeedLine(number=7, at=at(2), kind=FeedKind.NOTE, text="hello")


def sorted_by(model: Model, panel: Panel, column: str, *, down: bool = False) -> list[str]:
    order = {panel: Sorting(column, is_descending=down)}
    shown = Model(scene=model.scene, filter=model.filter, sorting=order)
    return [name_of(row) for row in rows_of(shown, panel)]


def test_every_row_has_a_key_of_its_own() -> None:
    rows = (stop(), entry(), held(), GAUGE, DECISION, LINE)
    assert [name_of(row) for row in rows[:3]] == ["17-stop", "18-entry", "AAPL"]
    assert [name_of(row) for row in rows[3:]] == [key_of(row) for row in rows[3:]]
    assert len({key_of(row) for row in rows}) == len(rows)
    assert all(key_of(row) for row in rows)


@pytest.mark.parametrize("panel", Panel)
def test_without_a_picture_there_is_nothing(panel: Panel) -> None:
    assert list(rows_of(Model(), panel)) == []
    assert chosen(Model(), panel) is None


@pytest.mark.parametrize(
    ("panel", "count"),
    [
        (Panel.POSITIONS, 1),
        (Panel.ORDERS, 2),
        (Panel.RISK, 1),
        (Panel.SIGNALS, 1),
        (Panel.FEED, 1),
    ],
)
def test_each_panel_has_its_rows(panel: Panel, count: int) -> None:
    model = desk(
        stop(), entry(), positions=(held(),), gauges=(GAUGE,), decisions=(DECISION,), feed=(LINE,)
    )
    assert len(rows_of(model, panel)) == count


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", ["17-stop", "18-entry"]),
        ("msft", ["18-entry"]),
        ("SELL", ["17-stop"]),
        ("17-", ["17-stop"]),
        ("limit", ["18-entry"]),
        ("submitted", ["17-stop", "18-entry"]),
        ("zzz", []),
    ],
)
def test_the_filter_looks_at_what_one_reads(wanted: str, found: list[str]) -> None:
    model = desk(stop(), entry())
    shown = Model(scene=model.scene, filter=wanted)
    assert [name_of(row) for row in rows_of(shown, Panel.ORDERS)] == found


def test_orders_are_sorted() -> None:
    model = desk(
        stop(17, "NVDA", status="B"), entry(18, "AAPL", status="A", created_at=at(5)), stop(19)
    )
    assert sorted_by(model, Panel.ORDERS, "") == ["17-stop", "18-entry", "19-stop"]
    assert sorted_by(model, Panel.ORDERS, "Symbol")[-1] == "17-stop"
    assert sorted_by(model, Panel.ORDERS, "Symbol", down=True)[0] == "17-stop"
    assert sorted_by(model, Panel.ORDERS, "Status")[0] == "18-entry"
    assert sorted_by(model, Panel.ORDERS, "Age")[-1] == "18-entry"


def test_positions_are_sorted_with_the_unknown_first() -> None:
    positions = (
        held("NVDA", pnl=Decimal(5)),
        held("MSFT"),
        guarded(pnl=Decimal(-5)),
    )
    model = desk(positions=positions)
    assert sorted_by(model, Panel.POSITIONS, "P&L") == ["MSFT", "AAPL", "NVDA"]
    assert sorted_by(model, Panel.POSITIONS, "Cover") == ["NVDA", "MSFT", "AAPL"]
    assert sorted_by(model, Panel.POSITIONS, "Symbol") == ["AAPL", "MSFT", "NVDA"]


def test_every_column_sorts_every_row() -> None:
    for panel, columns in SORTS.items():
        for name, _ in columns:
            assert sorted_by(desk(stop(), entry(), positions=(held(),)), panel, name)


def test_the_cursor_is_where_its_key_is() -> None:
    model = desk(stop(), entry())
    at_entry = Model(scene=model.scene, selected={Panel.ORDERS: entry().order_id})
    assert place_of(at_entry, Panel.ORDERS, rows_of(at_entry, Panel.ORDERS)) == 1
    assert chosen(at_entry, Panel.ORDERS) == entry()
    lost = Model(scene=model.scene, selected={Panel.ORDERS: "nobody"})
    assert place_of(lost, Panel.ORDERS, rows_of(lost, Panel.ORDERS)) == 0


def test_what_happens_is_read_from_the_newest_on() -> None:
    model = desk(feed=feed(20), decisions=decisions(6))
    newest = chosen(model, Panel.FEED)
    assert isinstance(newest, FeedLine)
    assert newest.number == 20
    assert chosen(model, Panel.SIGNALS) == decisions(6)[-1]
    backwards = desk(decisions=decisions(6)[::-1])
    assert chosen(backwards, Panel.SIGNALS) == decisions(6)[-1]


def test_decisions_are_found_by_what_came_of_them() -> None:
    model = desk(decisions=decisions(6))
    model = Model(scene=model.scene, filter="refused")
    refused = [row for row in decisions(6) if row.came is Came.REFUSED]
    assert list(rows_of(model, Panel.SIGNALS)) == refused
