"""What is held, by executions alone."""

from __future__ import annotations

import itertools
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import SecType, Side
from ibkr_trader.core.models import Contract, Fill, Position, Quote
from ibkr_trader.portfolio.positions import Book, opened_at, position_events, traded
from ibkr_trader.portfolio.state import PortfolioState
from tests.orders.samples import AAPL, ACCOUNT, MSFT, fill, filled, later, values

B, S = Side.BUY, Side.SELL


def held(quantity: int, cost: str = "0", contract: Contract = AAPL) -> Position:
    return Position(
        account=ACCOUNT,
        contract=contract,
        quantity=Decimal(quantity),
        average_cost=Decimal(cost),
    )


TRADES: dict[str, tuple[Position, int, str, tuple[int, str, str]]] = {
    # name: (held, traded quantity, price, (quantity, average cost, realised))
    "open long": (held(0), 10, "150", (10, "150", "0")),
    "open short": (held(0), -10, "150", (-10, "150", "0")),
    "add to a long": (held(10, "150"), 10, "160", (20, "155", "0")),
    "add to a short": (held(-10, "150"), -30, "160", (-40, "157.5", "0")),
    "reduce a long": (held(10, "150"), -4, "160", (6, "150", "40")),
    "reduce a short": (held(-10, "150"), 4, "160", (-6, "150", "-40")),
    "close a long": (held(10, "150"), -10, "145", (0, "0", "-50")),
    "close a short": (held(-10, "150"), 10, "145", (0, "0", "50")),
    "turn a long": (held(10, "150"), -15, "160", (-5, "160", "100")),
    "turn a short": (held(-10, "150"), 15, "160", (5, "160", "-100")),
    "nothing": (held(10, "150"), 0, "160", (10, "150", "0")),
}


@pytest.mark.parametrize("name", TRADES)
def test_trading(name: str) -> None:
    before, quantity, price, (left, cost, realized) = TRADES[name]
    after = traded(before, Decimal(quantity), Decimal(price))
    assert after.quantity == left
    assert after.average_cost == Decimal(cost)
    assert after.realized_pnl == Decimal(realized)


def test_options_gain_by_their_multiplier() -> None:
    option = Contract(symbol="AAPL", con_id=7, sec_type=SecType.OPTION, multiplier=Decimal(100))
    after = traded(held(2, "3.50", option), Decimal(-1), Decimal("4.25"))
    assert after.realized_pnl == Decimal("75.00")


DAY = [
    fill(10, "150", key="a", at=later(1)),
    fill(5, "153", key="b", at=later(2)),
    fill(12, "156", key="c", side=S, at=later(3)),
    fill(8, "151", key="d", side=S, at=later(4)),
    fill(2, "149", key="e", at=later(4)),
    fill(9, "150", key="a", revision=2, at=later(1)),
]


def test_the_order_of_hearing_does_not_matter() -> None:
    """A correction counts in the place of what it corrects, whichever was heard first."""
    outcomes = set()
    for order in itertools.permutations(DAY[:3] + DAY[5:]):
        book = Book.open(ACCOUNT, AAPL)
        seen: dict[str, int] = {}
        for told in (*order, *order):
            if seen.get(told.fill_id, 0) < told.revision:
                seen[told.fill_id] = told.revision
                book = book.after(told)
        outcomes.add((book.position.quantity, book.position.average_cost,
                      book.position.realized_pnl, book.newest))  # fmt: skip
    assert len(outcomes) == 1
    ((quantity, cost, realized, newest),) = outcomes
    assert quantity == 2
    assert cost == Decimal(2115) / 14
    assert realized == 12 * (156 - Decimal(2115) / 14)
    assert newest == (later(3), "c")


@given(st.permutations(DAY))
def test_a_day_in_any_order_is_one_day(order: list[Fill]) -> None:
    expected = Book.open(ACCOUNT, AAPL)
    for told in DAY:
        expected = expected.after(told)
    book = Book.open(ACCOUNT, AAPL)
    seen: dict[str, int] = {}
    for told in order:
        if seen.get(told.fill_id, 0) < told.revision:
            seen[told.fill_id] = told.revision
            book = book.after(told)
    assert book.position == expected.position


def test_a_book_can_begin_at_its_end() -> None:
    """The broker says what is held; the day's executions say what it was before."""
    added = Book.of(held(20, "155"), [fill(10, "160", key="a")])
    assert values(added.base.quantity, added.base.average_cost) == (10, 150)
    assert added.position.quantity == 20
    assert added.position.average_cost == 155
    reduced = Book.of(held(6, "150"), [fill(4, "160", key="a", side=S)])
    assert values(reduced.base.quantity, reduced.base.average_cost) == (10, 150)
    assert reduced.position.realized_pnl == 40
    fresh = Book.of(held(10, "150.10"), [fill(10, "150", key="a")])
    assert fresh.base.quantity == 0
    assert fresh.position.average_cost == 150  # commissions are not part of our cost
    assert Book.of(held(10, "150")).position == held(10, "150")
    turned = Book.of(held(-5, "160"), [fill(15, "160", key="a", side=S)])
    assert values(turned.base.quantity, turned.base.average_cost) == (10, 160)


def test_a_book_can_begin_later() -> None:
    book = Book.open(ACCOUNT, AAPL)
    for told in DAY[:4]:
        book = book.after(told)
    today = book.since(later(3))
    assert today.base.quantity == 15
    assert today.base.realized_pnl == 0
    assert set(today.fills) == {"c", "d"}
    assert today.position.quantity == book.position.quantity
    assert today.position.realized_pnl == book.position.realized_pnl


def test_a_book_that_begins_later_knows_whose_it_was() -> None:
    by_hand = fill(4, key="e2", at=later(2), order_id="foreign-9")
    book = Book.open(ACCOUNT, AAPL).after(fill(6, key="e1", at=later(1))).after(by_hand)
    assert book.opened == 0, "its executions tell"
    next_day = book.since(later(3))
    assert values(next_day.base.quantity, next_day.opened) == (10, 6)
    more = next_day.after(fill(2, key="e4", at=later(4))).after(fill(1, key="e3", at=later(3.5)))
    assert values(more.position.quantity, more.opened) == (13, 6)
    sold = next_day.after(fill(5, side=Side.SELL, key="e5", at=later(5), order_id="foreign-9"))
    assert values(sold.since(later(6)).base.quantity, sold.since(later(6)).opened) == (5, 5)


@pytest.mark.parametrize(("stated", "ours"), [(10, 6), (40, 6), (4, 4), (0, 0), (-3, 0)])
def test_what_was_ours_of_a_restated_book_is_ours_as_far_as_it_goes(stated: int, ours: int) -> None:
    before = Book.open(ACCOUNT, AAPL).after(fill(6, key="e1", at=later(1))).since(later(2))
    assert Book.of(held(stated), instead=before).opened == ours
    assert Book.of(held(stated)).opened == 0


def changes(*fills: Fill) -> list[ev.PositionEvent]:
    state = PortfolioState()
    found: list[ev.PositionEvent] = []
    for told in fills:
        event = filled(told)
        after = state.apply(event)
        found += position_events(state, after, event)
        state = after
    return found


def test_a_position_opens_changes_and_closes() -> None:
    found = changes(*DAY[:2], fill(15, "156", key="c", side=S))
    assert [type(event) for event in found] == [
        ev.PositionOpenEvent, ev.PositionUpdateEvent, ev.PositionCloseEvent,
    ]  # fmt: skip
    assert [event.position.quantity for event in found] == [10, 15, 0]
    assert [event.realized_pnl for event in found] == [0, 0, 75]
    assert {event.cause for event in found} == {"memo-1-single"}


def test_turning_round_is_closing_and_opening() -> None:
    closed, opened = changes(DAY[0], fill(15, "156", key="c", side=S))[1:]
    assert isinstance(closed, ev.PositionCloseEvent)
    assert isinstance(opened, ev.PositionOpenEvent)
    assert values(closed.position.quantity, closed.realized_pnl) == (0, 60)
    assert values(opened.position.quantity, opened.realized_pnl) == (-5, 0)


def test_nothing_new_is_no_event() -> None:
    repeated = changes(DAY[0], DAY[0])
    assert len(repeated) == 1
    assert changes(fill(0, "150", key="z")) == []
    same = changes(DAY[0], fill(10, "150", key="a", revision=2, at=later(1)))
    assert len(same) == 1


def test_only_the_contract_that_moved_is_told() -> None:
    other = fill(3, "400", key="m", contract=MSFT)
    found = changes(DAY[0], other)
    assert [event.position.contract.symbol for event in found] == ["AAPL", "MSFT"]


def test_every_change_has_its_profits() -> None:
    """Realised by this change alone, and open at the price just traded, long and short."""
    long = changes(DAY[0], fill(4, "156", key="c", side=S), fill(6, "148", key="d", side=S))
    assert [told.realized_pnl for told in long] == [0, 24, -12]
    assert [told.position.unrealized_pnl for told in long] == [0, 36, 0]
    assert [told.position.realized_pnl for told in long] == [0, 24, 12]
    short = changes(fill(10, "150", key="a", side=S), fill(4, "156", key="c"))
    assert [told.realized_pnl for told in short] == [0, -24]
    assert [told.position.unrealized_pnl for told in short] == [0, -36]


def test_the_open_profit_is_that_of_the_last_quote() -> None:
    quote = Quote(contract=AAPL, at=later(0), last=Decimal(152))
    state = PortfolioState().apply(ev.PriceEvent(at=later(0), contract=AAPL, quote=quote))
    event = filled(DAY[0])
    (told,) = position_events(state, state.apply(event), event)
    assert told.position.market_price == 152
    assert told.position.unrealized_pnl == 20


def test_a_flip_by_a_stranger_realises_what_was_held_and_no_more() -> None:
    theirs = fill(15, "156", key="c", side=S, order_id="foreign-77-1")
    closed, opened = changes(DAY[0], theirs)[1:]
    assert isinstance(closed, ev.PositionCloseEvent)
    assert values(closed.realized_pnl, closed.position.unrealized_pnl) == (60, 0)
    assert values(opened.realized_pnl, opened.position.quantity) == (0, -5)
    assert opened.cause == "foreign-77-1"


def test_what_is_corrected_after_the_end_is_told() -> None:
    sold = fill(10, "156", key="c", side=S, at=later(2))
    cheaper = fill(10, "155", key="c", side=S, revision=2, at=later(2))
    closed, corrected = changes(DAY[0], sold, cheaper)[1:]
    assert isinstance(corrected, ev.PositionCloseEvent)
    assert values(closed.realized_pnl, corrected.realized_pnl) == (60, -10)
    assert corrected.position.quantity == 0


EXECUTIONS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(140, 160), st.sampled_from([B, S])),
    max_size=12,
)


@given(EXECUTIONS)
def test_what_the_events_realise_adds_up_to_the_ledger(
    executions: list[tuple[int, int, int, Side]],
) -> None:
    """Opened, added, cut, turned, corrected, busted: no profit is lost or told twice."""
    state, realized, revisions = PortfolioState(), Decimal(0), Counter[int]()
    for key, quantity, price, side in executions:
        revisions[key] += 1
        told = fill(
            quantity, str(price), key=str(key), side=side, revision=revisions[key], at=later(key)
        )
        event = filled(told)
        after = state.apply(event)
        for change in position_events(state, after, event):
            realized += change.realized_pnl
            if not isinstance(change, ev.PositionCloseEvent):
                assert change.position.quantity
                assert change.position.unrealized_pnl is not None
        state = after
        assert abs(realized - state.books[AAPL.con_id].position.realized_pnl) < Decimal("1e-15")


def ledger(*fills: Fill, base: int = 0) -> Book:
    return Book.on(held(base, "150"), fills)


def bought(quantity: int, at: float, key: str = "", revision: int = 1) -> Fill:
    return fill(quantity, key=key or f"b{at}", at=later(at), side=Side.BUY, revision=revision)


def sold(quantity: int, at: float, key: str = "", revision: int = 1) -> Fill:
    return fill(quantity, key=key or f"s{at}", at=later(at), side=Side.SELL, revision=revision)


@pytest.mark.parametrize(
    ("book", "since"),
    [
        (ledger(), None),
        (ledger(bought(10, 1)), 1),
        (ledger(bought(10, 1), bought(5, 2)), 1),
        (ledger(bought(10, 1), sold(4, 2)), 1),
        (ledger(bought(10, 1), sold(10, 2)), None),
        (ledger(bought(10, 1), sold(10, 2), sold(5, 3)), 3),
        (ledger(bought(10, 1), sold(15, 2)), 2),
        (ledger(sold(10, 1), bought(15, 2), bought(1, 3)), 2),
        (ledger(sold(5, 3), bought(10, 1), sold(10, 2)), 3),
        (ledger(base=10), None),
        (ledger(bought(5, 1), base=10), None),
        (ledger(sold(10, 1), bought(5, 2), base=10), 2),
        (ledger(sold(15, 1), base=10), 1),
        (ledger(bought(15, 1), base=-10), 1),
    ],
)
def test_since_when_it_is_held_without_a_break(book: Book, since: float | None) -> None:
    assert opened_at(book) == (later(since) if since is not None else None)


def test_a_correction_may_join_what_was_two_positions() -> None:
    book = ledger(bought(10, 1), sold(10, 2, key="x"), bought(5, 3))
    assert opened_at(book) == later(3)
    assert opened_at(book.after(sold(9, 2, key="x", revision=2))) == later(1)
