from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core.enums import Side, TimeInForce
from ibkr_trader.risk.sizing import AtrRisk, FixedQuantity, FixedRisk
from ibkr_trader.rules.actions.open_position import ONE_PERCENT, OpenPosition
from ibkr_trader.rules.distance import Distance
from ibkr_trader.rules.moment import Trigger
from ibkr_trader.rules.rule import ACTIONS
from ibkr_trader.rules.wishes import CannotWish, Enter
from tests.rules.moments import ATR, D, holding, moment, ranging

BY_RANGE = AtrRisk(multiple=D(2), risk=FixedRisk(fraction=D("0.01")))


def action(side: Any = "long", stop: str | None = "3%", *targets: str, **more: Any) -> OpenPosition:
    limit = more.pop("limit", None)
    return OpenPosition(
        side=side,
        stop_loss=Distance.of(stop) if stop is not None else None,
        take_profit=tuple(Distance.of(one) for one in targets),
        limit=Distance.of(limit) if limit is not None else None,
        **more,
    )


def entry(one: OpenPosition, **more: Any) -> Enter:
    (wish,) = one.wishes(moment(study=ranging(), **more))
    return wish


def test_it_is_called_open() -> None:
    assert ACTIONS["open"] is OpenPosition


def test_what_is_left_out_is_as_usual() -> None:
    assert entry(action()) == Enter(
        symbol="AAPL", side=Side.BUY, size=ONE_PERCENT, stop=D("145.50"), exit_tif=TimeInForce.GTC
    )


@pytest.mark.parametrize(
    ("written", "long", "short"),
    [
        ("3%", "145.5", "154.5"),
        ("1.50", "148.50", "151.50"),
        ("2atr", "146", "154"),
    ],
)
def test_the_stop_is_behind_the_entry_on_either_side(written: str, long: str, short: str) -> None:
    assert entry(action("long", written)).stop == D(long)
    assert entry(action("short", written)).stop == D(short)


@pytest.mark.parametrize(
    ("written", "long", "short"),
    [("9%", "163.5", "136.5"), ("5", "155", "145"), ("3atr", "156", "144"), ("2R", "159", "141")],
)
def test_targets_are_beyond_the_entry_on_either_side(written: str, long: str, short: str) -> None:
    assert entry(action("long", "3%", written)).targets == (D(long),)
    assert entry(action("short", "3%", written)).targets == (D(short),)


def test_targets_come_nearest_first() -> None:
    assert entry(action("long", "3%", "9%", "1R")).targets == (D("154.5"), D("163.5"))
    assert entry(action("short", "3%", "9%", "1R")).targets == (D("145.5"), D("136.5"))


def test_a_limit_waits_behind_the_market_and_everything_counts_from_it() -> None:
    long = entry(action("long", "10%", "2R", limit="50"))
    assert (long.side, long.limit, long.stop, long.targets) == (Side.BUY, D(100), D(90), (D(120),))
    short = entry(action("short", "10%", "2R", limit="50"))
    assert (short.side, short.limit, short.stop, short.targets) == (
        Side.SELL,
        D(200),
        D(220),
        (D(160),),
    )
    assert entry(action()).limit is None


def test_the_rest_is_handed_on() -> None:
    one = entry(action(size=FixedQuantity(D(5)), exit_tif="DAY", reversal="close_first"))
    assert (one.size, one.exit_tif, one.reverses) == (FixedQuantity(D(5)), TimeInForce.DAY, True)
    assert entry(action(reversal="refuse")).reverses is False


def test_a_size_that_says_where_the_stop_is_needs_none() -> None:
    one = entry(action("long", None, "9%", size=BY_RANGE))
    assert (one.stop, one.targets, one.size) == (None, (D("163.5"),), BY_RANGE)


@pytest.mark.parametrize(
    ("stop", "targets", "more", "why"),
    [
        (None, [], {}, "stop_loss is missing"),
        ("3R", [], {}, "stop_loss cannot be counted in R"),
        ("3%", [], {"limit": "1R"}, "limit cannot be counted in R"),
        (None, ["9%", "2R"], {"size": BY_RANGE}, "take_profit is counted in R: give stop_loss"),
    ],
)
def test_what_could_never_be_counted_is_refused(
    stop: str | None, targets: list[str], more: dict[str, Any], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        action("long", stop, *targets, **more)


def test_it_needs_the_indicators_of_all_its_distances() -> None:
    assert action().indicators == frozenset()
    for one in (action("long", "2atr"), action("long", "3%", "5atr"), action(limit="1atr")):
        assert one.indicators == {ATR}


def test_a_price_of_cents_is_a_price() -> None:
    (wish,) = action("long", "10%").wishes(moment("0.50"))
    assert wish.stop == D("0.45")


def test_without_a_price_there_is_no_entry() -> None:
    with pytest.raises(CannotWish, match="no price of AAPL"):
        action().wishes(moment(None))
    with pytest.raises(CannotWish, match="no price of AAPL"):
        action().wishes(moment("-1"))


@pytest.mark.parametrize(
    ("one", "price"),
    [
        (action("long", "150"), "0.00"),
        (action("long", "200"), "-50.00"),
        (action("short", "3%", "150"), "0.00"),
        (action("long", "3%", limit="160"), "-10.00"),
    ],
)
def test_no_price_is_at_zero_or_below(one: OpenPosition, price: str) -> None:
    with pytest.raises(CannotWish, match=f"a price of {price} is below zero"):
        one.wishes(moment())


@pytest.mark.parametrize("trigger", Trigger)
def test_what_is_so_already_is_told_to_whoever_sent_a_signal_and_to_nobody_else(
    trigger: Trigger,
) -> None:
    is_told = trigger in {Trigger.SIGNAL, Trigger.FLOW}
    for one, held in (
        (action("long"), holding(10)),
        (action("short"), holding(-10)),
        (action("long"), holding(0, is_entering=True)),
        (action("long"), holding(-10, is_entering=True)),
    ):
        assert bool(one.wishes(moment(held=held, trigger=trigger))) is is_told


@pytest.mark.parametrize(
    ("one", "held"),
    [
        (action("long"), holding(0)),
        (action("long"), holding(-10)),
        (action("short"), holding(10)),
        (action("long"), holding(10, is_known=False)),
    ],
)
def test_what_is_not_so_or_not_known_to_be_is_wished(one: OpenPosition, held: Any) -> None:
    assert one.wishes(moment(held=held))


DISTANCES = st.one_of(
    st.decimals(min_value="0.01", max_value="99", places=2).map(lambda d: f"{d}%"),
    st.decimals(min_value="0.01", max_value="300", places=2).map(str),
    st.decimals(min_value="0.01", max_value="30", places=2).map(lambda d: f"{d}atr"),
)
TARGETS = DISTANCES | st.decimals(min_value="0.01", max_value="9", places=2).map(lambda d: f"{d}R")


@given(
    st.sampled_from(["long", "short"]),
    DISTANCES,
    st.lists(TARGETS, max_size=3),
    st.none() | DISTANCES,
    st.decimals(min_value="0.01", max_value=500, places=2),
    st.decimals(min_value=0, max_value=20, places=2),
)
def test_stop_and_targets_are_always_on_their_own_sides(
    side: str, stop: str, targets: list[str], limit: str | None, mark: Any, spread: Any
) -> None:
    here = moment(str(mark), study=ranging(str(spread)))
    try:
        (wish,) = action(side, stop, *targets, limit=limit).wishes(here)
    except CannotWish:
        return
    sign = 1 if side == "long" else -1
    at = wish.limit if wish.limit is not None else mark
    assert wish.side.sign == sign
    assert (mark - at) * sign >= 0
    assert wish.stop is not None
    assert (at - wish.stop) * sign > 0
    away = [(one - at) * sign for one in wish.targets]
    assert away == sorted(away)
    assert len(away) == len(targets)
    assert all(one > 0 for one in away)
    assert min(at, wish.stop, *wish.targets) > 0
