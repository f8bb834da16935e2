from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.core.models import Bar, Session
from ibkr_trader.rules.bars import BarBuilder
from tests.rules.bar_samples import AAPL, DAY, FIVE, MINUTE, OPEN, SESSIONS, cents

SECOND = timedelta(seconds=1)
Tick = tuple[datetime, int, int | None]  # when, the price in cents, the day's volume


def builder(size: timedelta = MINUTE, sessions: tuple[Session, ...] = ()) -> BarBuilder:
    return BarBuilder(contract=AAPL, size=size, sessions=sessions)


def told(start: BarBuilder, ticks: Iterable[Tick]) -> tuple[BarBuilder, list[Bar]]:
    """Return what comes of ticks: a builder, and the bars it completed on the way."""
    on, bars = start, list[Bar]()
    for at, price, volume in ticks:
        on, done = on.after(
            price=cents(price), at=at, day_volume=None if volume is None else Decimal(volume)
        )
        bars += done
    return on, bars


def made(start: BarBuilder, ticks: Iterable[Tick]) -> list[Bar]:
    """Return every bar that comes of ticks, the last one too."""
    on, bars = told(start, ticks)
    return [*bars, *on.until(OPEN + 100 * DAY)[1]]


def expected(at: datetime, *prices: int, volume: int | None = None) -> Bar:
    return Bar(
        contract=AAPL,
        at=at,
        open=cents(prices[0]),
        high=cents(max(prices)),
        low=cents(min(prices)),
        close=cents(prices[-1]),
        volume=None if volume is None else Decimal(volume),
    )


def test_a_tick_of_the_next_interval_completes_a_bar() -> None:
    on, bars = told(
        builder(), [(OPEN, 5, None), (OPEN + SECOND, 9, None), (OPEN + SECOND, 3, None)]
    )
    assert bars == []
    on, done = on.after(price=cents(7), at=OPEN + MINUTE)
    assert done == (expected(OPEN, 5, 9, 3),)
    assert on.forming is not None
    assert on.forming.bar == expected(OPEN + MINUTE, 7)


def test_time_completes_a_bar_too() -> None:
    on, _ = told(builder(), [(OPEN, 5, None)])
    assert on.until(OPEN + MINUTE - SECOND) == (on, ())
    on, done = on.until(OPEN + MINUTE)
    assert done == (expected(OPEN, 5),)
    assert on.until(OPEN + FIVE) == (on, ())


def test_a_silent_interval_has_no_bar() -> None:
    bars = made(builder(), [(OPEN, 5, None), (OPEN + FIVE, 6, None)])
    assert [one.at for one in bars] == [OPEN, OPEN + FIVE]


def test_a_late_tick_changes_no_completed_bar() -> None:
    late = (OPEN + SECOND, 99, 50)
    on, _ = told(builder(), [(OPEN, 5, 10), (OPEN + MINUTE, 6, 20)])
    assert told(on, [late]) == (on, [])
    closed, _ = told(builder(), [(OPEN, 5, 10)])
    closed, _ = closed.until(OPEN + MINUTE)
    assert told(closed, [late]) == (closed, [])


def test_a_late_tick_makes_no_bar_before_the_one_under_way() -> None:
    on, _ = told(builder(), [(OPEN, 5, None), (OPEN + FIVE, 6, None)])
    assert told(on, [(OPEN + 2 * MINUTE, 7, None)]) == (on, [])


def test_within_a_bar_ticks_may_come_in_any_order() -> None:
    ticks = [(OPEN + 2 * SECOND, 5, None), (OPEN + 3 * SECOND, 8, None), (OPEN + SECOND, 6, None)]
    assert made(builder(), ticks) == [expected(OPEN, 6, 5, 8)]


def test_volume_is_the_growth_of_the_days() -> None:
    ticks = [
        (OPEN, 5, 100),  # what of it is this bar's, nobody knows
        (OPEN + SECOND, 5, 130),
        (OPEN + MINUTE, 5, 150),
        (OPEN + MINUTE, 5, None),
        (OPEN + MINUTE, 5, 175),
        (OPEN + 2 * MINUTE, 5, 175),
    ]
    assert [one.volume for one in made(builder(), ticks)] == [None, 45, 0]


def test_without_the_days_volume_a_bars_is_unknown_and_not_zero() -> None:
    bars = made(builder(), [(OPEN, 5, None), (OPEN + SECOND, 6, None), (OPEN + MINUTE, 7, 10)])
    assert [one.volume for one in bars] == [None, None]
    late = [(OPEN, 5, None), (OPEN + 2 * SECOND, 6, 10), (OPEN + SECOND, 7, 9)]
    assert [one.volume for one in made(builder(), late)] == [None]
    older = [(OPEN, 5, None), (OPEN - SECOND, 5, 10), (OPEN + SECOND, 5, 11)]
    assert [one.volume for one in made(builder(DAY), older)] == [None]


def test_after_a_night_the_days_volume_has_begun_anew_though_it_is_larger_than_yesterdays() -> None:
    ticks = [(OPEN, 5, 900), (OPEN + MINUTE, 5, 910), (OPEN + DAY, 5, 1200)]
    assert [one.volume for one in made(builder(), ticks)] == [None, 10, 1200]
    noon = OPEN + timedelta(hours=9)
    bars = made(builder(), [(OPEN, 5, 900), (noon, 5, 1200)])
    assert [one.volume for one in bars] == [None, 300]  # a quiet day, and no night


def test_a_fall_of_the_volume_after_a_night_means_a_new_day() -> None:
    ticks = [(OPEN, 5, 900), (OPEN + DAY, 5, 40), (OPEN + DAY, 5, 50)]
    assert [one.volume for one in made(builder(), ticks)] == [None, 50]


def test_a_fall_of_the_volume_within_a_day_has_it_counted_anew_from_there() -> None:
    falls = [(OPEN, 5, 900), (OPEN + MINUTE, 5, 910), (OPEN + MINUTE + SECOND, 5, 0)]
    ticks = [*falls, (OPEN + 2 * MINUTE, 5, 30), (OPEN + 3 * MINUTE, 5, 45)]
    assert [one.volume for one in made(builder(), ticks)] == [None, None, 30, 15]


def test_an_old_tick_does_not_lower_the_volume() -> None:
    start = OPEN + MINUTE
    ticks = [(OPEN, 5, 100), (start + 3 * SECOND, 5, 130), (start + SECOND, 5, 110)]
    on, _ = told(builder(), ticks)
    assert (on.day_volume, on.heard) == (Decimal(130), start + 3 * SECOND)
    assert [one.volume for one in made(builder(), ticks)] == [None, 30]


def test_what_trades_outside_the_session_makes_no_bar_and_counts_for_none() -> None:
    closes = SESSIONS[0].closes
    ticks = [
        (OPEN - SECOND, 1, 10),
        (OPEN, 5, 30),
        (closes - SECOND, 6, 35),
        (closes, 9, 90),
        (SESSIONS[1].opens - SECOND, 8, 40),
        (SESSIONS[1].opens, 7, 45),
    ]
    bars = made(builder(FIVE, SESSIONS), ticks)
    assert bars == [
        expected(OPEN, 5, volume=20),
        expected(closes - FIVE, 6, volume=5),
        expected(SESSIONS[1].opens, 7, volume=5),
    ]


def test_a_tick_after_the_close_completes_the_last_bar() -> None:
    closes = SESSIONS[0].closes
    on, _ = told(builder(timedelta(hours=1), SESSIONS), [(closes - SECOND, 5, None)])
    on, bars = told(on, [(closes, 9, None)])
    assert bars == [expected(closes - 30 * MINUTE, 5)]
    assert on.forming is None


def test_newer_sessions_leave_the_bar_under_way() -> None:
    on, _ = told(builder(FIVE, SESSIONS[:1]), [(OPEN, 5, None)])
    on = msgspec.structs.replace(on, sessions=SESSIONS[1:])
    assert made(on, [(SESSIONS[1].opens, 6, None)]) == [
        expected(OPEN, 5),
        expected(SESSIONS[1].opens, 6),
    ]


def test_who_comes_amid_a_bar_makes_none_of_the_rest() -> None:
    on = builder(FIVE).joining(OPEN + MINUTE)
    bars = made(on, [(OPEN + 2 * MINUTE, 9, None), (OPEN + FIVE, 5, None)])
    assert bars == [expected(OPEN + FIVE, 5)]


def test_who_comes_with_a_bar_or_between_sessions_misses_nothing() -> None:
    assert made(builder().joining(OPEN), [(OPEN, 5, None)]) == [expected(OPEN, 5)]
    early = builder(FIVE, SESSIONS).joining(OPEN - MINUTE)
    assert made(early, [(OPEN, 5, None)]) == [expected(OPEN, 5)]


def test_what_happened_before_one_came_makes_no_bar() -> None:
    assert made(builder().joining(OPEN), [(OPEN - SECOND, 5, None)]) == []


def test_the_bar_under_way_goes_on_as_somebody_else_saw_it() -> None:
    seen = expected(OPEN, 5, 9, 3, 6, volume=100)
    on = builder(FIVE).joining(OPEN + MINUTE, under_way=seen, day_volume=Decimal(1000))
    ticks = [
        (OPEN + 2 * MINUTE, 12, 1030),
        (OPEN + 90 * SECOND, 1, 1020),  # late: neither its open nor its close
        (OPEN + FIVE, 7, 1050),
    ]
    assert made(on, ticks) == [
        expected(OPEN, 5, 12, 1, 12, volume=130),
        expected(OPEN + FIVE, 7, volume=20),
    ]
    blind = builder(FIVE).joining(OPEN + MINUTE, under_way=seen)
    assert [one.volume for one in made(blind, ticks)] == [None, 20]


def test_a_bar_of_another_time_does_not_go_on() -> None:
    seen = expected(OPEN - 30 * MINUTE, 5)  # by the clock; ours begin with the opening
    hours = builder(timedelta(hours=1), SESSIONS)
    on = hours.joining(OPEN + MINUTE, under_way=seen)
    assert made(on, [(OPEN + 2 * MINUTE, 5, None)]) == []


def test_a_day_that_is_under_way_goes_on_though_it_is_stamped_with_midnight() -> None:
    seen = expected(OPEN.replace(hour=0, minute=0), 5, 9)
    on = builder(DAY, SESSIONS).joining(OPEN + MINUTE, under_way=seen)
    assert made(on, [(OPEN + FIVE, 3, None)]) == [expected(OPEN, 5, 9, 3)]
    yesterday = expected(OPEN.replace(hour=0, minute=0) - DAY, 5, 9)
    on = builder(DAY, SESSIONS).joining(OPEN + MINUTE, under_way=yesterday)
    assert made(on, [(OPEN + FIVE, 3, None)]) == []


def test_a_builder_is_a_value() -> None:
    first, _ = told(builder(), [(OPEN, 5, 10)])
    before = msgspec.json.encode(first)
    told(first, [(OPEN + SECOND, 9, 20), (OPEN + MINUTE, 9, 20)])
    first.until(OPEN + DAY)
    assert msgspec.json.encode(first) == before
    with pytest.raises(AttributeError):
        first.done = OPEN  # type: ignore[misc]  # that it cannot be set is what is tested


def test_an_impossible_size_is_refused() -> None:
    with pytest.raises(ValueError, match="from one second to one day"):
        builder(timedelta(days=2))


def test_volume_does_not_depend_on_the_decimal_context() -> None:
    with localcontext() as context:
        context.prec = 2
        ticks = [(OPEN, 5, 1), (OPEN + MINUTE, 5, 12346), (OPEN + MINUTE, 5, 24691)]
        bars = made(builder(), ticks)
    assert bars == [expected(OPEN, 5), expected(OPEN + MINUTE, 5, volume=24690)]


steps = st.lists(
    st.tuples(st.integers(0, 150), st.integers(1, 10_000), st.integers(0, 500)), min_size=1
)


def in_order(parts: list[tuple[int, int, int]]) -> list[Tick]:
    """Return ticks in order of time, with a volume that only grows."""
    ticks, at, volume = list[Tick](), OPEN, 1000
    for seconds, price, growth in parts:
        at, volume = at + seconds * SECOND, volume + growth
        ticks.append((at, price, volume))
    return ticks


@settings(deadline=None)
@given(steps, st.sampled_from([SECOND, 15 * SECOND, MINUTE, FIVE, DAY]))
def test_bars_are_what_a_plain_account_of_the_ticks_says(
    parts: list[tuple[int, int, int]], size: timedelta
) -> None:
    ticks = in_order(parts)
    groups: dict[int, list[int]] = {}
    for at, price, _ in ticks:
        groups.setdefault(int(at.timestamp() // size.total_seconds()), []).append(price)
    bars = made(builder(size), ticks)
    assert [(one.open, one.high, one.low, one.close) for one in bars] == [
        (cents(one[0]), cents(max(one)), cents(min(one)), cents(one[-1])) for one in groups.values()
    ]
    assert [int(one.at.timestamp() // size.total_seconds()) for one in bars] == list(groups)
    assert [one.volume is None for one in bars] == [True, *[False] * (len(bars) - 1)]
    in_first = len(next(iter(groups.values())))  # ticks: what grew in them is not known
    rest = sum(one.volume for one in bars[1:] if one.volume is not None)
    assert rest == (ticks[-1][2] or 0) - (ticks[in_first - 1][2] or 0)


@settings(deadline=None)
@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=50), st.randoms())
def test_the_order_within_a_bar_does_not_matter(prices: list[int], random: object) -> None:
    ticks: list[Tick] = [(OPEN + n * SECOND, price, None) for n, price in enumerate(prices)]
    mixed = list(ticks)
    random.shuffle(mixed)  # type: ignore[attr-defined]  # hypothesis's own, a random.Random
    assert made(builder(), mixed) == made(builder(), ticks)


@settings(deadline=None)
@given(steps, st.lists(st.integers(0, 100), max_size=10))
def test_late_ticks_never_change_what_was_complete(
    parts: list[tuple[int, int, int]], back: list[int]
) -> None:
    on, bars = told(builder(), in_order(parts))
    start = on.forming.bar.at if on.forming is not None else OPEN
    late: list[Tick] = [(start - SECOND - n * SECOND, 77, 5) for n in back]
    assert told(on, late) == (on, [])
    assert bars == sorted(bars, key=lambda one: one.at)
