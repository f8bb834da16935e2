from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given

from ibkr_trader.core.enums import Side, TradingState
from ibkr_trader.core.models import Session
from ibkr_trader.portfolio.positions import Book
from ibkr_trader.rules.expression_kinds import CLASSES, UNKNOWN, Kind, Scope
from ibkr_trader.rules.indicator import indicator_names
from ibkr_trader.rules.moment import Account, Holding
from ibkr_trader.rules.study import Study
from ibkr_trader.rules.words import WORDS, Looking, LookingBack, vocabulary
from tests.orders.samples import AAPL, ACCOUNT, AT, fill, later
from tests.rules.moments import (
    ATR,
    HOURS,
    D,
    bars,
    flow,
    holding,
    moment,
    quote,
    ranging,
    signal,
    study,
)
from tests.rules.test_engine_laws import ODD, moments

if TYPE_CHECKING:
    from ibkr_trader.rules.moment import Moment

SMA = ("sma", (D(2),))


def word(name: str, where: Moment) -> object:
    return WORDS[name].get(where)


def seen(name: str, **more: Any) -> object:
    last = more.pop("last", "150")
    return word(name, moment(last, **more))


@given(moments(ODD))
def test_every_word_is_of_its_kind_or_unknown_whatever_the_moment_is_like(where: Moment) -> None:
    for name, one in WORDS.items():
        try:
            value = one.get(where)
        except ArithmeticError:
            continue  # of a figure that no market has: the engine fences its rule off
        assert value is None or type(value) is CLASSES[one.kind], name
        assert not one.values or value is None or value in one.values or name == "signal.action"


def test_every_word_says_what_it_means() -> None:
    assert all(one.doc for one in WORDS.values())
    assert all(one.kind is Kind.TEXT for one in WORDS.values() if one.values)


@pytest.mark.parametrize("name", sorted(WORDS))
def test_of_an_empty_moment_only_what_is_always_known_is_known(name: str) -> None:
    always = {
        "market.state": "ACTIVE", "time.now": time(10), "time.weekday": "fri", "symbol": "AAPL",
    }  # fmt: skip
    assert seen(name, last=None, held=Holding(is_known=False)) == always.get(name)


SIGNAL = signal("SHORT", "0.9", price=D(149), issued_at=later(-2.5))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("signal.action", "SHORT"),
        ("signal.confidence", D("0.9")),
        ("signal.price", D(149)),
        ("signal.age", D("2.5")),
        ("signal.source", "test"),
        ("flow.measure", None),
        ("flow.value", None),
        ("flow.threshold", None),
    ],
)
def test_what_a_signal_says(name: str, value: object) -> None:
    assert seen(name, signal=SIGNAL) == value


def test_the_age_of_one_that_does_not_say_counts_from_when_it_came() -> None:
    assert seen("signal.age", signal=signal(at=later(-7))) == 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flow.measure", "trades"),
        ("flow.value", D(12)),
        ("flow.threshold", D(10)),
        ("signal.action", None),
        ("signal.age", None),
        ("signal.source", None),
    ],
)
def test_what_the_flow_says(name: str, value: object) -> None:
    assert seen(name, flow=flow()) == value


@pytest.mark.parametrize(
    ("name", "long", "short", "flat"),
    [
        ("position.quantity", D(10), D(-10), D(0)),
        ("position.side", "long", "short", "flat"),
        ("position.is_long", True, False, False),
        ("position.is_short", False, True, False),
        ("position.is_flat", False, False, True),
        ("position.is_entering", True, True, True),
        ("position.profit", D(90), D(-90), None),
        ("position.profit_pct", D(6), D(-6), None),
        ("position.unrealized_profit_pct", D("0.06"), D("-0.06"), None),
        ("position.r", D(2), D(2), None),
        ("position.cost", D(150), D(150), None),
        ("position.stop", D(145), D(145), None),
    ],
)
def test_what_is_held(name: str, long: object, short: object, flat: object) -> None:
    """At 159, for which 150 was paid."""
    held = [holding(q, stop="145", r=D(2), is_entering=True) for q in (10, -10, 0)]
    assert [seen(name, last="159", held=one) for one in held] == [long, short, flat]
    unknown = [holding(q, stop="145", r=D(2), is_known=False, book=BOOK) for q in (10, -10, 0)]
    assert [seen(name, last="159", held=one) for one in unknown] == [None] * 3


def test_a_gain_needs_a_price_and_a_cost() -> None:
    for name in ("position.profit", "position.profit_pct"):
        assert seen(name, last=None, held=10) is None
    assert seen("position.profit_pct", held=holding(10, "0")) is None
    assert seen("position.profit", held=holding(10, "0")) == 1500


def test_a_position_of_nothing_is_flat() -> None:
    held = Holding(position=holding(10).position, is_known=True)
    assert held.position is not None
    nothing = Holding(position=type(held.position)(
        account=ACCOUNT, contract=AAPL, quantity=D(0), average_cost=D(1)
    ))  # fmt: skip
    assert seen("position.side", held=nothing) == "flat"
    assert seen("position.profit_pct", held=nothing) is None


def book(*fills: Any, base: int = 0) -> Book:
    found = Book.open(ACCOUNT, AAPL)
    if base:
        held = holding(base).position
        assert held is not None
        found = Book.on(held, ())
    for one in fills:
        found = found.after(one)
    return found


BOOK = book(fill(10, key="a", at=later(-600)))


def minutes(ledger: Book | None, quantity: int = 10, **more: Any) -> object:
    return seen("position.minutes", held=holding(quantity, book=ledger), **more)


def test_how_long_it_has_been_held() -> None:
    assert minutes(BOOK) == 10
    assert minutes(BOOK, now=later(45)) == D("10.75")
    added = BOOK.after(fill(5, key="b", at=later(-60)))
    assert minutes(added) == 10


def test_after_a_flat_it_counts_anew_and_a_correction_is_no_opening() -> None:
    out = fill(10, key="b", side=Side.SELL, at=later(-300))
    again = BOOK.after(out).after(fill(10, key="c", at=later(-120)))
    assert minutes(again) == 2
    corrected = again.after(fill(12, key="c", revision=2, at=later(-120)))
    assert minutes(corrected) == 2
    # The exit turns out to have been smaller: it was never flat.
    assert minutes(again.after(fill(4, key="b", revision=2, side=Side.SELL, at=later(-300)))) == 10
    flipped = BOOK.after(fill(15, key="b", side=Side.SELL, at=later(-60)))
    assert minutes(flipped, -5) == 1


def test_how_long_is_unknown_for_what_was_held_before_the_ledger() -> None:
    assert minutes(book(base=10)) is None
    assert minutes(None) is None
    assert minutes(BOOK, 0) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("price.last", D("150.10")),
        ("price.bid", D("150.00")),
        ("price.ask", D("150.30")),
        ("price.mark", D("150.10")),
        ("price.spread", D("0.30")),
        ("price.change_pct", D("20.08")),
    ],
)
def test_what_is_quoted(name: str, value: Decimal) -> None:
    both = quote("150.10", bid="150.00", ask="150.30", close="125")
    assert seen(name, quote=both) == value


@pytest.mark.parametrize(
    ("name", "prices"),
    [
        ("price.spread", {"bid": "151", "ask": "150"}),
        ("price.spread", {"bid": "151"}),
        ("price.spread", {"bid": "0", "ask": "150"}),
        ("price.change_pct", {}),
        ("price.change_pct", {"close": "0"}),
    ],
)
def test_what_cannot_be_counted_is_unknown(name: str, prices: dict[str, str]) -> None:
    assert seen(name, quote=quote("150", **prices)) is None


def test_before_anything_has_traded_nothing_has_changed_as_far_as_anybody_knows() -> None:
    assert seen("price.change_pct", quote=quote(None, close="150")) is None
    assert seen("price.mark", quote=quote(None, close="150")) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("open", 151), ("high", 152), ("low", 150), ("close", 151), ("volume", 100)],
)
def test_the_last_bar(name: str, value: int) -> None:
    assert seen(f"bar.{name}", study=study(["150", "151"])) == value
    assert seen(f"bar.{name}", study=study([])) is None


def test_a_volume_that_nobody_told_is_unknown() -> None:
    (bar,) = bars("151")
    found = Study.of(()).after(msgspec.structs.replace(bar, volume=None))
    assert seen("bar.volume", study=found) is None


@pytest.mark.parametrize(
    ("now", "is_open", "since", "left"),
    [
        (AT, True, 60, 360),
        (HOURS.opens, True, 0, 420),
        (HOURS.opens - timedelta(seconds=1), False, None, None),
        (HOURS.closes - timedelta(seconds=30), True, D("419.5"), D("0.5")),
        (HOURS.closes, False, None, None),
    ],
)
def test_the_session(now: datetime, is_open: bool, since: object, left: object) -> None:
    here = moment(now=now, session=HOURS)
    assert word("market.is_open", here) is is_open
    assert word("time.minutes_since_open", here) == since
    assert word("time.minutes_to_close", here) == left


def test_before_the_next_session_nobody_counts_to_its_close() -> None:
    tomorrow = Session(HOURS.opens + timedelta(days=3), HOURS.closes + timedelta(days=3))
    assert seen("time.minutes_to_close", session=tomorrow) is None
    assert seen("market.is_open", session=tomorrow) is False
    assert seen("market.is_open") is None


@pytest.mark.parametrize(
    ("now", "clock", "day"),
    [
        (datetime(2026, 11, 20, 14, 30, 59, tzinfo=UTC), time(9, 30), "fri"),
        (datetime(2026, 10, 30, 13, 30, tzinfo=UTC), time(9, 30), "fri"),  # summer time
        (datetime(2026, 11, 2, 14, 30, tzinfo=UTC), time(9, 30), "mon"),  # winter time
        (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), time(1, 30), "sun"),  # twice that night
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), time(1, 30), "sun"),
        (datetime(2026, 11, 21, 4, 59, tzinfo=UTC), time(23, 59), "fri"),
    ],
)
def test_the_exchanges_clock_and_day(now: datetime, clock: time, day: str) -> None:
    assert seen("time.now", now=now) == clock
    assert seen("time.weekday", now=now) == day


def test_the_account_and_the_desk() -> None:
    account = Account(equity=D(1), available=D(2), day_pnl=D(-3), positions=4)
    here = moment(account=account, state=TradingState.REDUCING)
    found = [
        word(f"account.{one}", here) for one in ("equity", "available", "day_pnl", "positions")
    ]
    assert found == [1, 2, -3, 4]
    assert word("market.state", here) == "REDUCING"


def test_a_moment_is_asked_by_words_and_by_indicators() -> None:
    looking = Looking(moment(study=ranging()))
    assert looking.get("price.last") == 150
    assert looking.get("price.bid") is UNKNOWN
    assert looking.call("atr", (D(14),)) == 2
    assert Looking(moment()).call("atr", (D(14),)) is UNKNOWN


def test_of_the_bar_before_its_figures_and_the_indicators_are_kept() -> None:
    back = Looking(moment(study=study(["150", "152", "160"], SMA))).before()
    assert isinstance(back, LookingBack)
    assert [back.get("bar.close"), back.get("bar.high"), back.get("symbol")] == [152, 153, "AAPL"]
    assert back.call("sma", (D(2),)) == 151
    assert back.get("price.last") is UNKNOWN
    scope: Scope = back
    assert scope.before() is None


def test_of_nothing_nothing_is_kept() -> None:
    for back in (Looking(moment()).before(), Looking(moment(study=study(["150"], SMA))).before()):
        assert back is not None
        assert back.get("bar.close") is UNKNOWN
        assert back.call("sma", (D(2),)) is UNKNOWN


def test_the_vocabulary_has_every_word_and_every_indicator() -> None:
    known = vocabulary()
    assert known is vocabulary()
    assert set(known.names) == set(WORDS)
    assert set(known.functions) == set(indicator_names())
    atr = known.functions["atr"]
    assert (len(atr.parameters), atr.optional) == (1, 1)
    assert atr.fill(()) == atr.fill((D(14),)) == (D(14),)
    with pytest.raises(ValueError, match="atr: bars must be a whole number"):
        atr.fill((D("0.5"),))
    assert ATR[0] in known.functions
