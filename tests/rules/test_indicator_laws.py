"""What holds for every indicator there is, those that are added later among them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal, Inexact, localcontext

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ibkr_trader.core.models import Bar
from ibkr_trader.rules.indicator import Indicator, family_of, indicator_names, make
from ibkr_trader.rules.market_days import Feed
from tests.rules.bar_samples import AAPL, FIVE, OPEN, SESSIONS, fed, walk

KNOWN = Feed(size=FIVE, opens=tuple(one.opens for one in SESSIONS))
NAMES = indicator_names()
OF_THE_DAY = {"opening_high", "opening_low", "previous_close", "vwap"}  # each day anew
# A thousandth of how far the first value may be off, for those that never forget.
FORGETTING = {
    "atr": Decimal("0.001"),
    "ema": Decimal("0.02"),
    "macd_histogram": Decimal("0.005"),
    "macd_line": Decimal("0.005"),
    "macd_signal": Decimal("0.005"),
    "rsi": Decimal("0.05"),
}
TINY, HUGE = Decimal("1e-9"), Decimal("1e12")


def new(name: str, feed: Feed = KNOWN) -> Indicator:
    """Return an indicator with its defaults, of five bars if it has none."""
    first, _ = family_of(name)
    lacking = [Decimal(5) for one in first.parameters if one.default is None]
    return make(name, lacking, feed=feed)


def after(one: Indicator, bars: list[Bar]) -> Indicator:
    for bar in bars:
        one = one.after(bar)
    return one


@pytest.mark.parametrize("name", NAMES)
def test_it_is_unknown_until_it_has_what_it_needs_and_known_then(name: str) -> None:
    one = new(name)
    said = fed(one, walk(3, 200))
    first = next(n for n, value in enumerate(said) if value is not None)
    assert first + 1 >= one.needed
    if name not in OF_THE_DAY:
        assert first + 1 == one.needed
        assert None not in said[first:]


@pytest.mark.parametrize("name", NAMES)
def test_it_counts_what_it_saw(name: str) -> None:
    one = new(name)
    assert (one.seen, one.value) == (0, None)
    assert after(one, walk(1, 37)).seen == 37
    assert one.needed <= one.warm_up


@pytest.mark.parametrize("name", NAMES)
def test_a_bar_makes_a_new_one_and_leaves_the_old(name: str) -> None:
    path = walk(2, 120)
    one = after(new(name), path[:100])
    before, value = msgspec.json.encode(one), one.value
    assert after(one, path[100:]) != one
    assert (msgspec.json.encode(one), one.value) == (before, value)
    assert after(one, path[100:]) == after(one, path[100:])
    with pytest.raises(AttributeError):
        one.seen = 5  # type: ignore[misc]  # that it cannot be set is what is tested


@pytest.mark.parametrize("name", NAMES)
def test_it_keeps_no_more_than_it_needs(name: str) -> None:
    """As much after a thousand bars as after the first two hundred, to the digit or so."""
    path = walk(4, 1000)
    early, late = (len(msgspec.json.encode(after(new(name), path[:n]))) for n in (200, 1000))
    assert late <= early * 1.1 + 40


@pytest.mark.parametrize("name", NAMES)
def test_it_does_not_depend_on_the_decimal_context(name: str) -> None:
    path = walk(5, 200)
    usual = fed(new(name), path)
    with localcontext() as context:
        context.prec = 3
        context.traps[Inexact] = True
        assert fed(new(name), path) == usual


@pytest.mark.parametrize("name", NAMES)
def test_it_has_no_more_than_34_digits(name: str) -> None:
    said = [one for one in fed(new(name), walk(6, 400)) if one is not None]
    assert max(len(one.as_tuple().digits) for one in said) <= 34


@pytest.mark.parametrize("name", NAMES)
def test_it_follows_the_bars_alone(name: str) -> None:
    """Where it was saved and read again, or fed in two parts, it says the same."""
    path = walk(7, 200)
    assert fed(after(new(name), path[:90]), path[90:]) == fed(new(name), path)[90:]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_begun_later_it_says_the_same_after_its_warm_up(name: str, seed: int) -> None:
    """Exactly what looks at a window or a day; to a thousandth what never forgets."""
    path = walk(seed, 700)
    one = new(name)
    late = fed(one, path[700 - one.warm_up - 78 :])[-78:]
    for mine, other in zip(fed(one, path)[-78:], late, strict=True):
        assert (mine is None) == (other is None)
        if mine is not None and other is not None:
            assert abs(mine - other) <= FORGETTING.get(name, 0)


prices = st.decimals(
    min_value=-HUGE, max_value=HUGE, places=9, allow_nan=False, allow_infinity=False
)
volumes = st.sampled_from([Decimal(0), Decimal(1), HUGE, TINY])
gaps = st.sampled_from([timedelta(0), FIVE, timedelta(hours=11), timedelta(days=4)])


@st.composite
def wild_bars(draw: st.DrawFn) -> list[Bar]:
    """Return bars that are legal, and otherwise anything: spreads have prices below zero."""
    at, bars = OPEN, list[Bar]()
    for _ in range(draw(st.integers(1, 45))):
        at += draw(gaps)
        four = draw(st.tuples(prices, prices, prices, prices))
        bars.append(
            Bar(
                contract=AAPL,
                at=at,
                open=four[0],
                high=max(four),
                low=min(four),
                close=four[1],
                volume=draw(volumes),
            )
        )
    return bars


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(bars=wild_bars())
def test_no_legal_bar_raises_or_makes_it_less_than_a_number(bars: list[Bar]) -> None:
    """All of them by the same bars: to draw these costs more than to count them."""
    for name in NAMES:
        for feed in (KNOWN, Feed()):
            for value in fed(new(name, feed), bars):
                assert value is None or value.is_finite(), name
