from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import Quote
from ibkr_trader.risk.envelope import Envelope
from ibkr_trader.rules.moment import Moment
from ibkr_trader.rules.shadow_book import ShadowBook
from ibkr_trader.rules.shadow_bounds import bounded
from ibkr_trader.rules.shadow_terms import Purse, shadow_terms
from ibkr_trader.rules.strategy_text import read_strategy
from ibkr_trader.rules.wishes import Wish
from tests.rules.moments import moment
from tests.rules.shadow_samples import (
    AAPL,
    NAME,
    NOON,
    VERSION,
    D,
    add,
    decision,
    enter,
    leave,
    quote,
)

DAY = timedelta(days=1)
STRATEGY = read_strategy(
    'name = "one"\nsymbols = ["AAPL", "MSFT"]\n[[rule]]\nname = "R"\n'
    'when = "bar.close > 1"\n[rule.notify]\nmessage = "m"\n'
)
EMPTY = ShadowBook(strategy=NAME, version=VERSION)
TEN = "10"


def at(price: str | None = "100", *, now: datetime = NOON) -> Moment:
    mark = Quote(contract=AAPL, at=now, last=D(price)) if price is not None else None
    return moment(now=now, quote=mark)


def book(*wishes: Wish, symbol: str = "AAPL", on: ShadowBook = EMPTY) -> ShadowBook:
    """Return a book whose orders all met 99 and 100, a trip's two dollars of fees apart."""
    contract = msgspec.structs.replace(AAPL, symbol=symbol)
    seen = msgspec.structs.replace(quote("99", "100"), contract=contract)
    for number, wish in enumerate(wishes):
        made = decision(wish, name=f"{symbol}{number}")
        on, _ = on.after(msgspec.structs.replace(made, ticker=symbol), NOON)
        on, _ = on.after(seen, NOON)
    return on


def count(
    on: ShadowBook,
    wish: Wish | None = None,
    *,
    here: Moment | None = None,
    other: str | None = "100",
    purse: Purse | None = None,
    lot: Decimal = Decimal(1),
    **limits: Any,
) -> tuple[str, str]:
    """Return how many it would be within an envelope, and why; MSFT is worth `other`."""
    strategy = msgspec.structs.replace(STRATEGY, envelope=Envelope(**limits))
    here, wish = here or at(), wish or enter()
    terms = shadow_terms(wish, purse or Purse(mark=here.mark, equity=D(100_000)))
    mark = D(other) if other is not None else None
    found = bounded(strategy, on, here, wish=wish, terms=terms, marks={"MSFT": mark}.get, lot=lot)
    return found.get("quantity", ""), found.get("sized", "")


def test_without_an_envelope_all_of_it_is_wished() -> None:
    assert count(EMPTY)[0] == TEN
    assert count(EMPTY, leave(), capital=D(1)) == ("", "")
    assert count(EMPTY, enter(stop=None), capital=D(1))[1].startswith("not modelled: its stop")


def test_its_capital_pays_for_what_it_holds_awaits_and_asks_for() -> None:
    assert count(EMPTY, capital=D(1000)) == (TEN, "fixed at 10")
    cut = "fixed at 10; cut from 10 to 9 by the envelope's capital"
    assert count(EMPTY, capital=D(999)) == ("9", cut)
    size, why = count(EMPTY, capital=D(99))
    assert size == "0"
    assert why == (
        "envelope: The strategy one would have 1,000.00 tied up, its entries at their worst; "
        "its capital is 99.00."
    )
    held = book(enter(), symbol="MSFT")
    assert count(held, capital=D(2000))[0] == TEN
    assert count(held, other="110", capital=D(2000))[0] == "9"
    assert "2,100.00 tied up" in count(held, other="110", capital=D(1100))[1]
    waits = book(enter(limit=D(90), stop=D(85)), symbol="MSFT")
    assert count(waits, capital=D(1999))[0] == "9", "a better price is no worse"
    assert count(waits, other=None, capital=D(1899))[0] == "9"
    assert count(waits, other=None, capital=D(1900))[0] == TEN


def test_a_limit_above_the_market_and_a_contract_of_a_hundred_tie_up_more() -> None:
    assert count(EMPTY, enter(limit=D(101)), capital=D(1009))[0] == "9"
    hundred = Purse(mark=D(100), equity=D(100_000), multiplier=D(100))
    assert count(EMPTY, capital=D(99_999), purse=hundred)[0] == "9"


def test_what_is_cut_is_whole_lots() -> None:
    assert count(EMPTY, capital=D(999), lot=D(5))[0] == "5"
    assert count(EMPTY, capital=D(499), lot=D(5))[0] == "0"


def test_who_turns_ties_up_the_new_side_and_who_adds_both() -> None:
    held = book(enter())
    turned = enter(Side.SELL, reverses=True)
    assert count(held, turned, capital=D(1000))[0] == TEN
    assert count(held, add(5), capital=D(1500))[0] == "5"
    cut = "cut from 5 to 4 by the envelope's capital"
    assert count(held, add(5), capital=D(1499)) == ("4", cut)


def test_what_nobody_knows_stands_against_opening() -> None:
    held = book(enter(), symbol="MSFT")
    assert "has tied up" in count(held, other=None, capital=D(10**6))[1]
    assert "lost today" in count(held, other=None, max_daily_loss=D(10**6))[1]
    waits = book(enter(limit=D(90), stop=D(85)), symbol="MSFT")
    assert count(waits, other=None, max_daily_loss=D(1))[0] == TEN


def test_it_is_in_so_many_symbols_and_no_more() -> None:
    held = book(enter(), symbol="MSFT")
    assert count(held, max_positions=2)[0] == TEN
    assert "AAPL would make 2 positions" in count(held, max_positions=1)[1]
    assert count(book(enter()), enter(Side.SELL, reverses=True), max_positions=1)[0] == TEN


def test_its_entries_of_a_day_are_counted_and_the_next_day_begins_anew() -> None:
    two = book(enter(), add(5))
    assert count(two, add(5), max_entries_per_day=3)[0] == "5"
    assert "entry 3 of the strategy one today" in count(two, add(5), max_entries_per_day=2)[1]
    assert count(two, add(5), here=at(now=NOON + DAY), max_entries_per_day=1)[0] == "5"
    flat = book(enter(), enter(), leave())  # the second found it in already: nothing was placed
    assert len(flat.entered) == 1


def test_a_days_loss_counts_what_is_over_and_what_is_open() -> None:
    over = book(enter(), leave())  # ten bought at 100, sold at 99, for a dollar each
    assert count(over, max_daily_loss=D("12.01"))[0] == TEN
    assert "has lost 12.00 today" in count(over, max_daily_loss=D(12))[1]
    assert count(over, here=at(now=NOON + DAY), max_daily_loss=D(12))[0] == TEN
    held = book(enter(), symbol="MSFT", on=over)
    assert "has lost 23.00 today" in count(held, other="99", max_daily_loss=D(23))[1]
    assert count(held, other="110", max_daily_loss=D(1))[0] == TEN


@pytest.mark.parametrize(("days", "kept"), [(1, 2), (3, 1)])
def test_what_is_long_over_is_forgotten(days: int, kept: int) -> None:
    over = book(enter(), leave())
    later = NOON + days * DAY
    again, _ = over.after(decision(enter(), name="n", at=later), later)
    again, _ = again.after(msgspec.structs.replace(quote("99", "100"), at=later), later)
    again, _ = again.after(decision(leave(), name="m", at=later), later)
    again, _ = again.after(quote("99", "100"), later)
    assert (len(again.entered), len(again.ended)) == (kept, kept)
