from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core.enums import Side, WouldBe
from ibkr_trader.core.events import DecisionEvent, WouldFillEvent
from ibkr_trader.core.models import Bar, Quote
from ibkr_trader.portfolio.positions import opened_at
from ibkr_trader.risk.sizing import AtrRisk, FixedRisk
from ibkr_trader.rules.shadow_book import ShadowBook
from ibkr_trader.rules.shadow_terms import Purse
from ibkr_trader.rules.wishes import Tell
from tests.rules.shadow_samples import (
    AAPL,
    MINUTE,
    NAME,
    NOON,
    VERSION,
    D,
    add,
    bar,
    decision,
    enter,
    leave,
    move,
    quote,
    trail,
)

BUY, SELL = Side.BUY, Side.SELL
Kinds = list[tuple[WouldBe, Decimal]]


class Play:
    """A book that is given one thing after the other, a minute apart."""

    def __init__(self) -> None:
        self.book = ShadowBook(strategy=NAME, version=VERSION)
        self.now = NOON
        self.fills: list[WouldFillEvent] = []
        self.record: list[DecisionEvent | WouldFillEvent] = []
        self.number = 0

    def decide(self, wish: object, **fields: object) -> None:
        self.number += 1
        event = decision(wish, name=f"d{self.number}", at=self.now, **fields)  # type: ignore[arg-type] # whatever it is
        self.record.append(event)
        self.book, fills = self.book.after(event, self.now)
        assert not fills

    def see(self, news: Quote | Bar) -> Kinds:
        """Let it meet a quote now, or the bar of the next minute."""
        if isinstance(news, Bar):
            news = msgspec.structs.replace(news, at=self.now)
            self.now += MINUTE
        self.book, fills = self.book.after(news, self.now)
        self.fills += fills
        self.record += fills
        return [(one.kind, one.price) for one in fills]

    @property
    def held(self) -> Decimal:
        return self.book.holding(AAPL, D(100)).quantity


@pytest.fixture
def play() -> Play:
    return Play()


@pytest.fixture
def long(play: Play) -> Play:
    """Ten long at 100, given up at 95, with targets of five each at 110 and 120."""
    play.decide(enter(targets=(D(110), D(120))))
    assert play.see(quote("99.98", "100.00")) == [(WouldBe.ENTRY, D(100))]
    return play


# -- entries -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "price", "held"), [(BUY, "100.00", 10), (SELL, "99.98", -10)])
def test_an_entry_at_the_market_takes_the_far_side(
    play: Play, side: Side, price: str, held: int
) -> None:
    play.decide(enter(side))
    assert play.book.holding(AAPL, D(100)).is_entering
    assert play.see(quote("99.98", "100.00")) == [(WouldBe.ENTRY, D(price))]
    assert play.held == held
    assert not play.book.holding(AAPL, D(100)).is_entering


def test_an_entry_waits_for_a_bar_that_begins_after_it(play: Play) -> None:
    play.decide(enter())
    play.now -= timedelta(seconds=30)
    assert play.see(bar("100", "101", "99", "100")) == []
    play.now = NOON
    assert play.see(bar("100", "101", "99", "100")) == [(WouldBe.ENTRY, D("100.02"))]


def test_an_entry_at_a_limit_waits_until_it_is_touched_and_for_that_day_alone(play: Play) -> None:
    play.decide(enter(limit=D(98), stop=D(93)))
    assert play.see(quote("99", "99.02")) == []
    assert play.see(quote("97.99", "98.00")) == [(WouldBe.ENTRY, D(98))]
    play.decide(leave())
    play.see(quote("98", "98.02"))
    play.decide(enter(limit=D(97), stop=D(93)))
    play.now += timedelta(days=1)
    assert play.see(quote("90", "90.02")) == []
    assert not play.book.places


def test_one_entry_at_a_time_and_none_on_top_of_a_position(play: Play) -> None:
    play.decide(enter(limit=D(98)))
    play.decide(enter())
    assert play.see(quote("99.98", "100.00")) == []
    play.see(quote("97.98", "98"))
    play.decide(enter())
    assert play.see(quote("97.98", "98")) == []


def test_an_expired_entry_makes_room_for_a_new_one(play: Play) -> None:
    play.decide(enter(limit=D(98)))
    play.now += timedelta(days=1)
    play.decide(enter())
    assert play.see(quote("99.98", "100.00")) == [(WouldBe.ENTRY, D(100))]
    assert play.book.holding(AAPL, None).stop == 95


def test_a_position_on_the_other_side_refuses_or_is_closed_first(long: Play) -> None:
    long.decide(enter(SELL))
    assert long.see(quote("99.98", "100.00")) == []
    long.decide(enter(SELL, reverses=True))
    expected = [(WouldBe.EXIT, D("99.98")), (WouldBe.ENTRY, D("99.98"))]
    assert long.see(quote("99.98", "100.00")) == expected
    assert (long.held, long.book.trips) == (D(-10), 1)
    assert long.book.holding(AAPL, None).stop == 105


def test_what_is_not_modelled_or_moves_no_order_only_counts(play: Play) -> None:
    play.decide(Tell(message="m"))
    play.decide(enter(stop=None))
    play.decide(add())
    play.decide(leave())
    play.decide(move("99"))
    play.decide(trail("1"))
    assert (play.book.decisions, dict(play.book.places)) == (6, {})


def test_an_entry_that_waits_is_taken_back_by_an_exit_of_its_side(play: Play) -> None:
    play.decide(enter(limit=D(98)))
    play.decide(leave(SELL))
    assert play.book.holding(AAPL, None).is_entering
    play.decide(leave(BUY))
    assert not play.book.places
    play.decide(enter(limit=D(98)))
    play.decide(leave())
    assert not play.book.places


# -- exits ---------------------------------------------------------------------------------------


def test_targets_take_their_parts_one_after_the_other(long: Play) -> None:
    assert long.see(bar("105", "111", "104", "108")) == [(WouldBe.TARGET, D(110))]
    assert long.held == 5
    assert long.see(bar("108", "125", "107", "121")) == [(WouldBe.TARGET, D(120))]
    (last,) = [one for one in long.fills if one.gain is not None]
    assert last.gain == 5 * 10 + 5 * 20 - 3
    assert (long.book.gain, long.book.trips, dict(long.book.places)) == (last.gain, 1, {})
    assert not long.book.opened


def test_both_targets_in_one_bar(long: Play) -> None:
    assert long.see(bar("105", "121", "104", "108")) == [
        (WouldBe.TARGET, D(110)),
        (WouldBe.TARGET, D(120)),
    ]


def test_of_a_bar_that_touches_both_the_stop_counts(long: Play) -> None:
    assert long.see(bar("105", "130", "94", "108")) == [(WouldBe.STOP, D(95))]
    assert long.book.gain == 10 * -5 - 2


def test_a_gap_beyond_the_stop_is_paid(long: Play) -> None:
    assert long.see(bar("90", "91", "89", "90")) == [(WouldBe.STOP, D("89.982"))]


def test_a_short_is_stopped_above_and_gains_below(play: Play) -> None:
    play.decide(enter(SELL, targets=(D(90),)))
    play.see(quote("100", "100.02"))
    assert play.see(bar("101", "104.99", "99", "100")) == []
    assert play.see(bar("101", "102", "89", "100")) == [(WouldBe.TARGET, D(90))]
    play.decide(enter(SELL))
    play.see(quote("100", "100.02"))
    assert play.see(bar("101", "105", "99", "100")) == [(WouldBe.STOP, D(105))]


def test_an_entry_at_a_limit_takes_no_gain_in_the_bar_that_fills_it(play: Play) -> None:
    play.decide(enter(limit=D(98), stop=D(93), targets=(D(101),)))
    assert play.see(bar("100", "102", "97", "100")) == [(WouldBe.ENTRY, D(98))]
    assert play.see(bar("100", "102", "97", "100")) == [(WouldBe.TARGET, D(101))]


def test_an_entry_can_be_stopped_in_its_own_bar(play: Play) -> None:
    play.decide(enter())
    assert play.see(bar("100", "102", "95", "100")) == [
        (WouldBe.ENTRY, D("100.02")),
        (WouldBe.STOP, D(95)),
    ]


def test_an_exit_ends_all_of_it_once_there_is_a_price(long: Play) -> None:
    long.decide(leave(SELL))
    assert not long.book.holding(AAPL, None).is_leaving
    long.decide(leave())
    assert long.book.holding(AAPL, None).is_leaving
    assert long.see(quote("101", "101.02")) == [(WouldBe.EXIT, D(101))]
    assert (long.held, long.book.gain) == (D(0), D(10) - 2)


def test_what_is_to_be_added_dies_with_the_position(long: Play) -> None:
    long.decide(add(limit=D(90)))
    assert long.book.holding(AAPL, None).is_entering
    assert long.see(quote("94", "94.02")) == [(WouldBe.STOP, D(94))]
    assert not long.book.places


def test_what_is_added_moves_the_cost_and_the_last_target(long: Play) -> None:
    long.decide(add(5))
    assert long.see(quote("102.98", "103")) == [(WouldBe.ADD, D(103))]
    position = long.book.holding(AAPL, D(103)).position
    assert position is not None
    assert (position.quantity, position.average_cost) == (D(15), D(101))
    long.see(bar("105", "121", "104", "108"))
    assert [one.quantity for one in long.fills[-2:]] == [5, 10]
    assert long.held == 0


def test_without_targets_something_can_be_added_too(play: Play) -> None:
    play.decide(enter())
    play.see(quote("99.98", "100"))
    play.decide(add(5))
    play.decide(add(5))  # one at a time
    play.see(quote("99.98", "100"))
    assert play.held == 15


def test_a_stop_is_moved_nearer_and_never_away(long: Play) -> None:
    long.decide(move("97"))
    long.decide(move("96"))
    assert long.book.holding(AAPL, None).stop == 97
    assert long.see(quote("96.98", "97")) == [(WouldBe.STOP, D("96.98"))]


def test_a_trail_follows_what_was_best_and_counts_from_the_next_look(long: Play) -> None:
    long.decide(trail("3"))
    long.decide(trail("1"))  # it trails already
    assert long.see(bar("100", "108", "99", "104")) == []
    assert long.book.holding(AAPL, None).stop == 105
    assert long.see(bar("106", "107", "105.5", "106")) == []
    assert long.book.holding(AAPL, None).stop == 105
    assert long.see(bar("106", "107", "105", "106")) == [(WouldBe.STOP, D(105))]


def test_a_trail_of_a_short_follows_down(play: Play) -> None:
    play.decide(enter(SELL))
    play.see(quote("100", "100.02"))
    play.decide(trail("3"))
    play.see(bar("99", "100", "92", "93"))
    assert play.book.holding(AAPL, None).stop == 95


def test_a_trail_waits_for_its_activation(long: Play) -> None:
    long.decide(trail("1", activation=D(106)))
    long.see(bar("100", "105", "99", "104"))
    assert long.book.holding(AAPL, None).stop == 95
    long.see(bar("104", "106", "103", "104"))
    assert long.book.holding(AAPL, None).stop == 105


def test_fewer_shares_than_targets_take_the_nearest(play: Play) -> None:
    play.decide(enter(quantity=1, targets=(D(110), D(120))))
    play.see(quote("99.98", "100"))
    assert play.see(bar("100", "111", "99", "104")) == [(WouldBe.TARGET, D(110))]


# -- what a rule sees of it ----------------------------------------------------------------------


def test_a_flat_book_shows_nothing_held(play: Play) -> None:
    holding = play.book.holding(AAPL, D(100))
    assert (holding.position, holding.stop, holding.r, holding.book) == (None, None, None, None)
    assert holding.owner == NAME
    play.decide(enter(limit=D(98)))
    waits = play.book.holding(AAPL, D(100))
    assert (waits.position, waits.r, waits.book, waits.is_entering) == (None, None, None, True)


def test_what_is_held_has_its_gain_in_units_of_its_risk(long: Play) -> None:
    holding = long.book.holding(AAPL, D(110))
    assert holding.r == 2
    assert holding.position is not None
    assert holding.position.unrealized_pnl == 100
    assert long.book.holding(AAPL, None).r is None
    long.decide(move("100"))
    assert long.book.holding(AAPL, D(110)).r is None


def test_a_short_has_its_gain_downwards(play: Play) -> None:
    play.decide(enter(SELL))
    play.see(quote("100", "100.02"))
    assert play.book.holding(AAPL, D(95)).r == 1


def test_it_is_known_since_when_something_is_held(long: Play) -> None:
    began = long.now
    long.decide(add())
    long.see(bar("100", "101", "99", "100"))
    ledger = long.book.holding(AAPL, D(100)).book
    assert ledger is not None
    assert opened_at(ledger) == began


def test_the_multiplier_counts_in_the_gain(play: Play) -> None:
    play.decide(enter(), purse=Purse(mark=D(100), multiplier=D(100)))
    play.see(quote("99.98", "100"))
    play.decide(leave())
    play.see(quote("101", "101.02"))
    assert play.book.gain == 10 * 100 - 2


# -- what does not concern it --------------------------------------------------------------------


@pytest.mark.parametrize("fields", [{"strategy": "other"}, {"version": "v2"}, {"is_shadow": False}])
def test_decisions_of_others_change_nothing(play: Play, fields: dict[str, object]) -> None:
    play.decide(enter(), **fields)
    assert play.book == ShadowBook(strategy=NAME, version=VERSION)


def test_executions_of_others_and_markets_of_others_change_nothing(long: Play) -> None:
    (fill,) = long.fills
    before = long.book
    other = msgspec.structs.replace(fill, version="v2")
    assert before.after(other, NOON) == (before, ())
    elsewhere = msgspec.structs.replace(AAPL, symbol="MSFT")
    assert before.after(Quote(contract=elsewhere, at=NOON, last=D(1)), NOON) == (before, ())
    assert before.after(Quote(contract=AAPL, at=NOON), NOON) == (before, ())


def test_an_execution_whose_decision_is_lost_is_held_without_a_stop(long: Play) -> None:
    (fill,) = long.fills
    book, _ = ShadowBook(strategy=NAME, version=VERSION).after(fill, NOON)
    holding = book.holding(AAPL, D(100))
    assert (holding.quantity, holding.stop) == (D(10), None)
    assert book.after(quote("1", "1.01"), NOON) == (book, ())
    tightened, _ = book.after(decision(move("98")), NOON)
    assert tightened.holding(AAPL, None).stop == 98


def replayed(record: list[DecisionEvent | WouldFillEvent]) -> ShadowBook:
    """Return the book that the journal alone comes to."""
    book = ShadowBook(strategy=NAME, version=VERSION)
    for one in record:
        book, _ = book.after(one, one.at)
    return book


def test_a_restart_reads_the_same_book_from_the_journal(long: Play) -> None:
    long.decide(add())
    long.see(bar("105", "111", "104", "108"))
    long.decide(move("101"))
    long.decide(enter(SELL, reverses=True, limit=D(130), stop=D(140)))
    long.see(quote("108", "108.02"))
    assert replayed(long.record) == long.book


def test_times_are_those_of_the_looks(long: Play) -> None:
    long.see(bar("105", "111", "104", "108"))
    assert [one.at for one in long.fills] == [NOON, NOON + MINUTE]
    assert {one.decision_id for one in long.fills} == {"d1"}
    assert isinstance(long.now, datetime)


def test_an_entry_that_is_not_modelled_is_a_decision_and_nothing_to_judge_by() -> None:
    play = Play()
    play.decide(enter(stop=None, size=AtrRisk(multiple=D(2), risk=FixedRisk(fraction=D("0.01")))))
    play.decide(enter())
    assert (play.book.decisions, play.book.modelled) == (2, 1)
