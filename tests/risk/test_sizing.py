from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.portfolio.results import Record
from ibkr_trader.risk.limits import EffectiveLimits, RiskLimits
from ibkr_trader.risk.sizing import (
    FEWEST_TRIPS,
    AtrRisk,
    CannotSize,
    FixedQuantity,
    FixedRisk,
    Kelly,
    Odds,
    Sized,
    Stakes,
    capped,
)
from tests.risk.world import D

WIDE = RiskLimits(max_order_quantity=D(10**6))
ROOM = D(10**9)


def stakes(**changes: Any) -> Stakes:
    """An entry at 150 with its stop at 145, for an account of 100,000."""
    known = Stakes(entry=D(150), sign=1, stop=D(145), equity=D(100_000))
    return msgspec.structs.replace(known, **changes)


def symbol(**changes: Any) -> EffectiveLimits:
    room = D(10**9)
    known = EffectiveLimits(
        symbol="AAPL",
        max_position_size=room,
        max_order_exposure=room,
        max_daily_loss=room,
        max_correlation_exposure=None,
    )
    return msgspec.structs.replace(known, **changes)


def cut_to(
    found: Sized,
    world: Stakes,
    *,
    own: dict[str, Any] | None = None,
    most_lost: Decimal = ROOM,
    **limits: Any,
) -> Sized:
    return capped(
        found,
        world,
        limits=msgspec.structs.replace(WIDE, **limits),
        symbol=symbol(**(own or {})),
        most_lost=most_lost,
    )


def test_a_fixed_quantity_is_that_many() -> None:
    found = FixedQuantity(D(7)).size(stakes(stop=None))
    assert (found.quantity, found.reasons) == (D(7), ("fixed at 7",))


def test_a_fixed_risk_is_lost_at_the_stop_and_not_more() -> None:
    found = FixedRisk(amount=D(99)).size(stakes())
    assert found.quantity == 19  # 19.8, rounded down
    assert found.reasons == ("risks 99.00 over 5.00 to the stop",)
    assert FixedRisk(fraction=D("0.01")).size(stakes()).quantity == 200
    assert FixedRisk(amount=D(100)).size(stakes(multiplier=D(10))).quantity == 2
    assert FixedRisk(amount=D(100)).size(stakes(lot=D(15))).quantity == 15
    assert FixedRisk(amount=D(100)).size(stakes(sign=-1, stop=D(160))).quantity == 10


def test_its_reason_names_the_account() -> None:
    (reason,) = FixedRisk(fraction=D("0.01")).size(stakes()).reasons
    assert reason == "risks 1,000.00 (1 % of 100,000.00) over 5.00 to the stop"


@pytest.mark.parametrize(
    ("world", "words"),
    [
        (stakes(stop=None), "a size by risk needs a stop"),
        (stakes(stop=D(150)), "the stop 150.00 is not below 150.00"),
        (stakes(stop=D(155)), "the stop 155.00 is not below 150.00"),
        (stakes(sign=-1), "the stop 145.00 is not above 150.00"),
        (stakes(stop=D(1)), "that comes to 0.67, less than one lot of 1"),
        (stakes(equity=D(0)), "less than one lot"),
        (stakes(equity=D(-5)), "less than one lot"),
    ],
)
def test_what_cannot_be_sized_by_risk(world: Stakes, words: str) -> None:
    with pytest.raises(CannotSize, match=words):
        FixedRisk(fraction=D("0.001")).size(world)


def test_the_average_range_sets_the_stop_where_none_is_given() -> None:
    rule = AtrRisk(multiple=D(2), risk=FixedRisk(amount=D(100)))
    found = rule.size(stakes(stop=None, daily_range=D("2.50")))
    assert (found.stop, found.quantity) == (D(145), D(20))
    assert found.reasons[0] == "stop 145.00: 2 average daily ranges of 2.50"
    assert rule.size(stakes(stop=None, sign=-1, daily_range=D("2.50"))).stop == 155


def test_a_stop_of_its_own_is_in_cents_and_not_nearer_than_it_says() -> None:
    rule = AtrRisk(multiple=D(2), risk=FixedRisk(amount=D(100)))
    long = rule.size(stakes(stop=None, entry=D("150.005"), daily_range=D("3.7046699")))
    assert (long.stop, long.quantity) == (D("142.60"), D(13))
    assert long.reasons[0] == "stop 142.60: 2 average daily ranges of 3.70"
    short = rule.size(stakes(stop=None, entry=D("150.005"), sign=-1, daily_range=D("3.7046699")))
    assert short.stop == D("157.41")


def test_a_stop_that_is_given_stays_and_is_measured() -> None:
    rule = AtrRisk(multiple=D(2), risk=FixedRisk(amount=D(100)))
    found = rule.size(stakes(daily_range=D(2)))
    assert (found.stop, found.quantity) == (None, D(20))
    assert found.reasons[-1] == "the stop is 2.5 average daily ranges of 2.00 away"


@pytest.mark.parametrize("average", [None, D(0), D(80)])
def test_a_range_that_is_unknown_or_too_wide_sets_no_stop(average: Decimal | None) -> None:
    with pytest.raises(CannotSize):
        AtrRisk(multiple=D(2), risk=FixedRisk(amount=D(100))).size(
            stakes(stop=None, daily_range=average)
        )


def test_kelly_risks_a_part_of_its_edge() -> None:
    # Wins 55 % at 2 to 1: the full rule is 0.55 - 0.45 / 2 = 32.5 %; a tenth of it is 3.25 %.
    rule = Kelly(odds=Odds(win_rate=D("0.55"), payoff=D(2)), part=D("0.1"), cap=D(1))
    found = rule.size(stakes())
    assert found.quantity == 650
    assert found.reasons[0] == "Kelly 32.5 % from 55 % wins at a payoff of 2.00 as given, 0.1 of it"


def test_kelly_never_risks_more_than_its_cap() -> None:
    found = Kelly(odds=Odds(win_rate=D("0.55"), payoff=D(2)), cap=D("0.01")).size(stakes())
    assert found.quantity == 200
    assert found.reasons[0].endswith("(the cap)")


def test_kelly_takes_its_odds_from_the_record() -> None:
    record = Record(wins=20, losses=20, average_win=D(30), average_loss=D(20))
    found = Kelly(part=D(1), cap=D(1)).size(stakes(record=record))
    # 0.5 - 0.5 / 1.5 is a sixth.
    assert found.quantity == 3333
    assert "in 40 trips" in found.reasons[0]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (None, "0 trips are on record"),
        (Record(wins=FEWEST_TRIPS - 1, average_win=D(5)), "29 trips are on record"),
        (Record(wins=FEWEST_TRIPS, average_win=D(5)), "30 of 30 trips won"),
        (Record(losses=FEWEST_TRIPS, average_loss=D(5)), "0 of 30 trips won"),
        (Record(wins=15, losses=15, average_win=D(5), average_loss=D(5)), "there is no edge"),
        (Record(wins=15, losses=15, average_win=D(4), average_loss=D(5)), "there is no edge"),
    ],
)
def test_a_record_that_says_too_little(record: Record | None, words: str) -> None:
    with pytest.raises(CannotSize, match=words):
        Kelly().size(stakes(record=record))


@pytest.mark.parametrize(
    "made",
    [
        FixedRisk,
        lambda: FixedRisk(amount=D(5), fraction=D("0.1")),
        lambda: FixedRisk(amount=D(0)),
        lambda: FixedRisk(amount=Decimal("NaN")),
        lambda: FixedRisk(fraction=D("1.01")),
        lambda: FixedRisk(fraction=Decimal("Infinity")),
        lambda: AtrRisk(multiple=D(0), risk=FixedRisk(amount=D(5))),
        lambda: Odds(win_rate=D(0), payoff=D(1)),
        lambda: Odds(win_rate=D("0.5"), payoff=D(0)),
        lambda: Kelly(part=D(0)),
        lambda: Kelly(cap=D(2)),
    ],
)
def test_figures_out_of_range_are_refused(made: Any) -> None:
    with pytest.raises(ValueError, match="needs"):
        made()


@pytest.mark.parametrize(
    ("limits", "own", "left", "name"),
    [
        ({"max_order_quantity": D(15)}, {}, 15, "max_order_quantity"),
        ({}, {"max_position_size": D(12)}, 12, "max_position_size"),
        ({}, {"max_order_exposure": D(1_600)}, 10, "max_order_exposure"),
        ({"most_lost": D(42)}, {}, 8, "the risk of one trade"),
    ],
)
def test_limits_cut_it_and_say_so(
    limits: dict[str, Any], own: dict[str, Any], left: int, name: str
) -> None:
    found = FixedQuantity(D(20)).size(stakes())
    cut = cut_to(found, stakes(), own=own, **limits)
    assert cut.quantity == left
    assert cut.reasons[-1] == f"cut from 20 to {left} by {name}, which risks {5 * left}.00"


def test_without_a_stop_nobody_says_what_is_left_risks() -> None:
    found = FixedQuantity(D(20)).size(stakes(stop=None))
    cut = cut_to(found, stakes(stop=None), max_order_quantity=D(15))
    assert cut.reasons[-1] == "cut from 20 to 15 by max_order_quantity"


def test_the_stop_that_the_rule_chose_is_what_limits_the_risk() -> None:
    found = Sized(quantity=D(20), reasons=(), stop=D(140))
    assert cut_to(found, stakes(), most_lost=D(100)).quantity == 10
    loose = Sized(quantity=D(20), reasons=())
    assert cut_to(loose, stakes(stop=None), most_lost=D(100)) is loose


def test_nothing_is_left_is_no_size() -> None:
    found = FixedQuantity(D(20)).size(stakes())
    with pytest.raises(CannotSize, match="not even one fits: max_order_exposure"):
        cut_to(found, stakes(), own={"max_order_exposure": D(100)})


WORDS: list[tuple[Any, Stakes, str, str]] = [
    (
        FixedRisk(amount=D(9)),
        stakes(stop=None),
        "a size by risk needs a stop",
        "give --stop-loss, or --size atr:2",
    ),
    (
        FixedRisk(amount=D(9)),
        stakes(sign=-1),
        "the stop 145.00 is not above 150.00",
        "move the stop above 150.00",
    ),
    (
        FixedRisk(amount=D(4)),
        stakes(),
        "that comes to 0.80, less than one lot of 1: risks 4.00 over 5.00 to the stop",
        "risk more, or move the stop nearer",
    ),
    (
        AtrRisk(multiple=D(2), risk=FixedRisk(amount=D(9))),
        stakes(stop=None),
        "the average daily range is unknown: too few daily bars",
        "give --stop-loss, and size by --size risk:1%",
    ),
    (
        AtrRisk(multiple=D(2), risk=FixedRisk(amount=D(9))),
        stakes(stop=None, daily_range=D(75)),
        "2 daily ranges below the entry is below zero",
        "use a smaller multiple, or give --stop-loss",
    ),
    (
        Kelly(odds=Odds(win_rate=D("0.5"), payoff=D(1))),
        stakes(),
        "there is no edge: 50 % wins at a payoff of 1.00 as given lose in the long run",
        "size by --size risk:1%",
    ),
    (
        Kelly(),
        stakes(),
        "0 trips are on record, and Kelly's rule needs 30",
        "give the odds: --size kelly:0.55:1.8",
    ),
    (
        Kelly(),
        stakes(record=Record(wins=30, average_win=D(5))),
        "30 of 30 trips won: that says nothing of the odds",
        "give the odds: --size kelly:0.55:1.8",
    ),
]


@pytest.mark.parametrize(("rule", "world", "message", "hint"), WORDS)
def test_what_cannot_be_sized_says_why_and_what_to_give(
    rule: Any, world: Stakes, message: str, hint: str
) -> None:
    with pytest.raises(CannotSize) as caught:
        rule.size(world)
    assert (str(caught.value), caught.value.message, caught.value.hint) == (message, message, hint)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (FixedRisk, "needs an amount or a fraction"),
        (lambda: FixedRisk(amount=D(-1)), "needs above 0"),
        (lambda: FixedRisk(fraction=D(0)), "needs a fraction between 0 and 1"),
        (lambda: AtrRisk(multiple=D(0), risk=FixedRisk(amount=D(5))), "needs a multiple above 0"),
        (lambda: Odds(win_rate=D(2), payoff=D(1)), "needs a win rate between 0 and 1"),
        (lambda: Odds(win_rate=D("0.5"), payoff=D(0)), "needs a payoff above 0"),
        (lambda: Kelly(part=D(0)), "needs a part of the rule between 0 and 1"),
        (lambda: Kelly(cap=D(0)), "needs a cap between 0 and 1"),
    ],
)
def test_a_figure_out_of_range_says_what_it_needs(made: Any, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{words}$"):
        made()


def test_the_ends_of_the_ranges_are_taken() -> None:
    whole = Kelly(odds=Odds(win_rate=D(1), payoff=D(2)), part=D(1), cap=D(1))
    assert whole.size(stakes(equity=D(500))).quantity == 100
    assert FixedRisk(fraction=D(1)).size(stakes(equity=D(500))).quantity == 100
    assert FixedRisk(amount=D("0.5")).size(stakes(stop=D("149.9"))).quantity == 5
    edge = AtrRisk(multiple=D("0.5"), risk=FixedRisk(amount=D(10)))
    assert edge.size(stakes(stop=None, daily_range=D(2))).stop == 149
    (reason, *_) = (
        Kelly(odds=Odds(win_rate=D("0.6"), payoff=D(2)), cap=D("0.5")).size(stakes()).reasons
    )
    assert reason == "Kelly 40 % from 60 % wins at a payoff of 2.00 as given, 0.25 of it"


def test_kelly_says_what_is_at_risk_over_which_distance() -> None:
    found = Kelly(odds=Odds(win_rate=D("0.6"), payoff=D(2)), cap=D("0.01")).size(stakes())
    assert found.reasons[1] == "risks 1,000.00 (1 % of the account) over 5.00 to the stop"


def test_an_average_range_keeps_the_reasons_of_its_risk() -> None:
    rule = AtrRisk(multiple=D(2), risk=FixedRisk(amount=D(100)))
    measured = rule.size(stakes(daily_range=D(2)))
    assert measured.reasons[0] == "risks 100.00 over 5.00 to the stop"
    placed = rule.size(stakes(stop=None, daily_range=D("2.50")))
    assert placed.reasons[1] == "risks 100.00 over 5.00 to the stop"


def test_what_fits_exactly_is_not_cut_and_one_is_something() -> None:
    found = FixedQuantity(D(20)).size(stakes())
    assert cut_to(found, stakes(), max_order_quantity=D(20)) is found
    assert cut_to(found, stakes(), max_order_quantity=D(1)).quantity == 1
    at_entry = stakes(stop=D(150))  # no distance: no risk to count
    assert cut_to(found, at_entry) is found
    with pytest.raises(CannotSize) as caught:
        cut_to(found, stakes(), own={"max_order_exposure": D(75)})
    assert caught.value.message == "not even one fits: max_order_exposure leaves room for 0.50"


@given(
    entry=st.decimals("1", "1000", places=2),
    away=st.decimals("0.01", "0.90", places=2),
    risk=st.decimals("1", "100000", places=2),
    sign=st.sampled_from([1, -1]),
)
def test_the_loss_at_the_stop_is_never_more_than_what_was_said(
    entry: Decimal, away: Decimal, risk: Decimal, sign: int
) -> None:
    world = stakes(entry=entry, stop=entry - sign * entry * away, sign=sign)
    try:
        found = FixedRisk(amount=risk).size(world)
    except CannotSize:
        assert entry * away > risk
        return
    assert world.stop is not None
    assert found.quantity * abs(entry - world.stop) <= risk
    assert (found.quantity + 1) * abs(entry - world.stop) > risk
