from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core.models import Bar
from ibkr_trader.rules.indicator import Key, key_of, make
from ibkr_trader.rules.market_days import Feed
from ibkr_trader.rules.study import Study
from tests.rules.bar_samples import FIVE, closing, fed, number, walk

FAST: Key = ("sma", number(2))
SLOW: Key = ("sma", number(3))
KEYS = [FAST, SLOW, key_of("atr"), key_of("rsi"), key_of("macd_line"), key_of("vwap")]


def after(study: Study, bars: list[Bar]) -> Study:
    for one in bars:
        study = study.after(one)
    return study


def test_it_knows_its_values_now_and_a_bar_ago() -> None:
    path = closing("1", "3", "5", "1")
    study = after(Study.of([FAST, SLOW]), path)
    assert (study.previous(FAST), study.value(FAST)) == (Decimal(4), Decimal(3))
    assert (study.previous(SLOW), study.value(SLOW)) == (Decimal(3), Decimal(3))
    assert (study.earlier_bar, study.bar) == (path[2], path[3])


def test_before_its_bars_everything_is_unknown() -> None:
    study = Study.of([FAST])
    assert (study.value(FAST), study.previous(FAST), study.bar, study.earlier_bar) == (None,) * 4
    study = after(study, closing("1", "3"))
    assert (study.previous(FAST), study.value(FAST)) == (None, Decimal(2))


def test_it_has_each_once_and_says_what_each_alone_would() -> None:
    path = walk(1, 150)
    study = Study.of([*KEYS, *KEYS])
    assert study.keys == tuple(KEYS)
    last = after(study, path)
    for name, numbers in KEYS:
        said = fed(make(name, numbers), path)
        assert (last.previous((name, numbers)), last.value((name, numbers))) == tuple(said[-2:])


def test_it_needs_what_the_hungriest_needs() -> None:
    study = Study.of([FAST, SLOW, key_of("atr")])
    assert study.warm_up == 14 + 98 + 1
    assert Study.of([]).warm_up == 0


def test_a_bar_that_is_not_newer_changes_nothing() -> None:
    path = walk(2, 60)
    study = after(Study.of(KEYS), path)
    assert after(study, [path[-1], path[10]]) is study
    assert after(Study.of(KEYS), path[:40] + path[20:]) == study


def test_restarted_from_its_warm_up_it_goes_on_as_it_would_have() -> None:
    windows = [FAST, SLOW, key_of("bollinger_upper"), ("highest", number(20)), key_of("vwap")]
    feed = Feed(size=FIVE)
    path = walk(3, 500)
    whole = after(Study.of(windows, feed=feed), path[:450])
    again = after(Study.of(windows, feed=feed), path[450 - whole.warm_up - 1 : 450])
    for one in path[450:]:
        whole, again = whole.after(one), again.after(one)
        assert [again.value(key) for key in windows] == [whole.value(key) for key in windows]
        assert again.earlier == whole.earlier
        assert None not in whole.earlier


def test_the_feed_is_handed_on() -> None:
    with pytest.raises(ValueError, match="no whole number of bars of 0:05:00"):
        Study.of([("opening_high", number(7))], feed=Feed(size=FIVE))


def test_a_key_that_it_was_not_made_of_is_an_error() -> None:
    study = Study.of([FAST])
    for ask in (study.value, study.previous):
        with pytest.raises(LookupError, match=r"nobody declared sma\(3\): name it in"):
            ask(SLOW)


def test_it_is_a_value() -> None:
    path = walk(4, 60)
    study = after(Study.of(KEYS), path[:50])
    before = msgspec.json.encode(study)
    assert after(study, path[50:]) == after(study, path[50:])
    assert msgspec.json.encode(study) == before


def test_a_crossing_is_seen_in_the_bar_it_happens() -> None:
    study, crossed = Study.of([FAST, SLOW]), []
    for one in closing("9", "8", "7", "6", "9", "9"):
        study = study.after(one)
        was, now = study.previous(FAST), study.value(FAST)
        slow_was, slow = study.previous(SLOW), study.value(SLOW)
        known = None not in (was, now, slow_was, slow)
        crossed.append(known and was <= slow_was and now > slow)  # type: ignore[operator]  # all are known
    assert crossed == [False, False, False, False, True, False]
