from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibkr_trader.core.models import Bar, Session
from ibkr_trader.rules.bar_merging import BarMerger
from tests.rules.bar_samples import DAY, FIVE, MINUTE, OPEN, SESSIONS, bar
from tests.rules.test_bars import builder, in_order, made, steps

HOUR = timedelta(hours=1)


def merger(
    size: timedelta = FIVE, part: timedelta = MINUTE, sessions: tuple[Session, ...] = ()
) -> BarMerger:
    return BarMerger(size=size, part=part, sessions=sessions)


def merged(start: BarMerger, bars: Iterable[Bar]) -> tuple[BarMerger, list[Bar]]:
    """Return what comes of small bars: a merger, and the bars it completed on the way."""
    on, found = start, list[Bar]()
    for one in bars:
        on, done = on.after(one)
        found += done
    return on, found


def minutes(*closes: str, volume: int = 1) -> list[Bar]:
    return [bar(OPEN + n * MINUTE, close, volume=volume) for n, close in enumerate(closes)]


def test_five_make_one_as_soon_as_the_fifth_is_there() -> None:
    small = [
        bar(OPEN, "5", high="6", low="4", volume=1),
        *minutes("5", "9", "2", "7")[1:],
    ]
    on, found = merged(merger(), small)
    assert found == []
    on, found = merged(on, [bar(OPEN + 4 * MINUTE, "3", volume=5)])
    assert found == [
        Bar(
            contract=small[0].contract,
            at=OPEN,
            open=small[0].open,
            high=small[1].high,
            low=small[2].low,
            close=bar(OPEN, "3").close,
            volume=bar(OPEN, volume=9).volume,
        )
    ]
    assert on.forming is None


def test_a_bar_of_the_next_interval_completes_one_that_lacks_some() -> None:
    on, found = merged(merger(), minutes("5", "6"))
    assert found == []
    _, found = merged(on, [bar(OPEN + FIVE + MINUTE, "7")])
    assert [(one.at, one.volume) for one in found] == [(OPEN, Decimal(2))]


def test_one_bar_may_complete_two() -> None:
    on, _ = merged(merger(), minutes("5"))
    _, found = merged(on, [bar(OPEN + 9 * MINUTE, "7")])
    assert [one.at for one in found] == [OPEN, OPEN + FIVE]


def test_time_completes_one_too() -> None:
    on, _ = merged(merger(), minutes("5"))
    assert on.until(OPEN + FIVE - MINUTE) == (on, ())
    on, found = on.until(OPEN + FIVE)
    assert [one.at for one in found] == [OPEN]
    assert merged(on, [bar(OPEN + MINUTE, "99")]) == (on, [])


def test_a_bar_that_was_taken_counts_once() -> None:
    small = minutes("5", "6")
    on, _ = merged(merger(), small)
    assert merged(on, small) == (on, [])


def test_sessions_cut_and_leave_out() -> None:
    closes = SESSIONS[0].closes
    small = [bar(closes - MINUTE, "5"), bar(closes, "99")]
    _, found = merged(merger(HOUR, MINUTE, SESSIONS), small)
    assert found == [bar(closes - 30 * MINUTE, "5")]


def test_a_bar_outside_the_sessions_completes_one() -> None:
    on, _ = merged(merger(HOUR, MINUTE, SESSIONS), [bar(OPEN, "5")])
    on, found = merged(on, [bar(SESSIONS[0].closes, "6")])
    assert found == [bar(OPEN, "5")]
    assert on.forming is None


def test_a_session_that_ends_within_a_small_bar_is_complete_with_it() -> None:
    short = (Session(OPEN, OPEN + 12 * MINUTE),)
    _, found = merged(merger(10 * MINUTE, FIVE, short), [bar(OPEN + 10 * MINUTE, "5")])
    assert [one.at for one in found] == [OPEN + 10 * MINUTE]


def test_the_next_session_may_follow_sooner_than_a_small_bar_lasts() -> None:
    hours = (Session(OPEN, OPEN + 12 * MINUTE), Session(OPEN + 13 * MINUTE, OPEN + HOUR))
    small = [bar(OPEN + 10 * MINUTE, "5"), bar(OPEN + 13 * MINUTE, "6")]
    on, found = merged(merger(10 * MINUTE, FIVE, hours), small)
    assert found == [small[0]]
    assert on.forming == (small[1], OPEN + 23 * MINUTE)


@pytest.mark.parametrize(
    ("size", "part", "fault"),
    [
        (FIVE, 2 * MINUTE, "bars of 0:05:00 cannot be made of bars of 0:02:00"),
        (MINUTE, FIVE, "bars of 0:01:00 cannot be made of bars of 0:05:00"),
        (2 * DAY, DAY, "from one second to one day"),
        (MINUTE, timedelta(milliseconds=100), "from one second to one day"),
    ],
)
def test_sizes_must_fit(size: timedelta, part: timedelta, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        merger(size, part)


def test_volume_does_not_depend_on_the_decimal_context() -> None:
    with localcontext() as context:
        context.prec = 2
        _, found = merged(merger(2 * MINUTE), minutes("5", "5", volume=12345))
    assert [one.volume for one in found] == [24690]


def test_of_a_part_without_a_volume_the_whole_has_none() -> None:
    small = minutes("5", "5", "5", "5", "5")
    small[1] = bar(small[1].at, "5", volume=None)
    _, found = merged(merger(), small)
    assert [one.volume for one in found] == [None]


@settings(deadline=None)
@given(
    steps,
    st.sampled_from([(FIVE, MINUTE), (HOUR, FIVE), (DAY, MINUTE), (MINUTE, timedelta(seconds=5))]),
    st.sampled_from([(), SESSIONS, (Session(OPEN, OPEN + 7 * MINUTE), *SESSIONS[1:])]),
)
def test_merging_is_the_same_as_building(
    parts: list[tuple[int, int, int]],
    sizes: tuple[timedelta, timedelta],
    sessions: tuple[Session, ...],
) -> None:
    size, part = sizes
    ticks = in_order(parts)
    on, found = merged(merger(size, part, sessions), made(builder(part, sessions), ticks))
    found += on.until(OPEN + 100 * DAY)[1]
    assert found == made(builder(size, sessions), ticks)
