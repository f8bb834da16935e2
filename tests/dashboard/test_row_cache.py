from __future__ import annotations

from typing import Any

import msgspec

from ibkr_trader.dashboard.model import Model, Panel, Sorting
from ibkr_trader.dashboard.row_cache import RowCache
from ibkr_trader.dashboard.rows import source_of
from ibkr_trader.dashboard.spans import Span
from tests.dashboard.scenes import model, order, scene


class Counter:
    """Makes cells, and counts how often."""

    def __init__(self) -> None:
        self.made = 0

    def make(self, row: Any, extra: Any) -> tuple[Span, ...]:
        self.made += 1
        return (Span(row.symbol), Span(str(extra)))


def test_a_row_that_has_not_changed_is_not_made_again() -> None:
    cache, counter = RowCache(), Counter()
    entry = cache.entry("k", order(1), extra="1m", make=counter.make)
    again = cache.entry("k", order(1), extra="1m", make=counter.make)  # equal, not the same
    assert again is entry
    assert counter.made == 1
    assert entry.needs == (4, 2)


def test_a_changed_row_or_age_is_made_again() -> None:
    cache, counter = RowCache(), Counter()
    cache.entry("k", order(1), extra="1m", make=counter.make)
    cache.entry("k", order(1), extra="2m", make=counter.make)
    entry = cache.entry("k", order(1, symbol="XYZ"), extra="2m", make=counter.make)
    assert counter.made == 3
    assert entry.cells[0].text == "XYZ"


def test_it_is_bounded() -> None:
    cache, counter = RowCache(most=10), Counter()
    for number in range(100):
        cache.entry(number, order(1), extra="", make=counter.make)
        assert len(cache) <= 10


def test_what_is_kept_is_made_again_for_other_inputs() -> None:
    cache, made = RowCache(), []
    for inputs in ((1,), (1,), (2,), (1,)):
        cache.kept("name", inputs, lambda: made.append(1))
    assert len(made) == 3


def test_rows_are_filtered_once_and_again_when_the_wish_changes() -> None:
    cache, shown = RowCache(), model(scene(20, 2))
    first = cache.rows(shown, Panel.ORDERS)
    assert cache.rows(shown, Panel.ORDERS) is first
    found = cache.rows(msgspec.structs.replace(shown, filter="aapl"), Panel.ORDERS)
    assert {row.symbol for row in found} == {"AAPL"}
    sorting = {Panel.ORDERS: Sorting("Symbol", is_descending=True)}
    rows = cache.rows(msgspec.structs.replace(shown, sorting=sorting), Panel.ORDERS)
    assert rows[0].symbol == "TSLA"
    other = msgspec.structs.replace(shown, scene=scene(3, 2))
    assert len(cache.rows(other, Panel.ORDERS)) == 3


def test_the_place_follows_the_chosen_row() -> None:
    cache, shown = RowCache(), model(scene(20, 2))
    rows = cache.rows(shown, Panel.ORDERS)
    assert cache.place(shown, Panel.ORDERS, rows) == 0
    chosen = msgspec.structs.replace(shown, selected={Panel.ORDERS: "k7qav-7-stop"})
    assert cache.place(chosen, Panel.ORDERS, rows) == 6
    assert cache.place(chosen, Panel.ORDERS, rows) == 6


def test_without_a_scene_there_are_no_rows() -> None:
    for panel in Panel:
        assert len(source_of(Model(), panel)) == 0
        assert len(RowCache().rows(Model(), panel)) == 0
