"""The shipped strategies over a week of bars that is the same each time: what they decide.

The numbers are pinned, so that a change of a rule, an indicator or the model that moves them is
seen. They lie well within the envelopes: whether a rehearsal minds those changes nothing here.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import pytest

from docs.run_transcripts import ROOT
from ibkr_trader.adapters.strategy_file import StrategyFile
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Side, SignalAction, WouldBe
from ibkr_trader.core.signals import Claim
from ibkr_trader.rules.rehearsal import Happening, Rehearsal, Setting, hours_of, in_order
from ibkr_trader.sim.calendar import NEW_YORK
from tests.scenarios.example_bars import MINUTE, OPENS, example_bars

STRATEGIES = ROOT / "examples" / "strategies"
SEED = 2
DAY = timedelta(days=1)


class Week(NamedTuple):
    """What a strategy did."""

    decisions: list[ev.DecisionEvent]
    fills: list[ev.WouldFillEvent]
    trips: int
    gain: Decimal
    held: list[str]

    @property
    def rules(self) -> dict[str, int]:
        """How often each rule decided."""
        return dict(Counter(one.rule for one in self.decisions))

    def of(self, rule: str) -> list[ev.DecisionEvent]:
        """The decisions of a rule."""
        return [one for one in self.decisions if one.rule == rule]


@cache  # some are asked for twice, and none is changed
def week(name: str, *signals: Happening) -> Week:
    strategy = StrategyFile(STRATEGIES / name).load().strategy
    bars = list(example_bars(SEED))
    setting = Setting(
        part=MINUTE,
        zone=NEW_YORK,
        sessions=hours_of((one.at for one in bars), MINUTE),
        equity=Decimal(20_000),
    )
    on, found = Rehearsal.of(strategy, setting), list[ev.BaseEvent]()
    for happening in in_order([bars], MINUTE, signals):
        on, events = on.after(happening)
        found += events
    kinds = {type(one) for one in found}
    assert kinds == {ev.DecisionEvent, ev.WouldFillEvent}  # no fault, and no signal refused
    assert on.book.modelled == on.book.decisions > 0  # so each can be tried in the shadow
    return Week(
        [one for one in found if isinstance(one, ev.DecisionEvent)],
        [one for one in found if isinstance(one, ev.WouldFillEvent)],
        on.book.trips,
        round(on.book.gain, 2),
        list(on.book.opened),
    )


def signal(action: str, days: int, minutes: float, confidence: str = "0.9") -> Happening:
    at = OPENS + days * DAY + minutes * MINUTE
    claim = Claim(
        source="test",
        signal_id=f"{days}-{minutes}",
        ticker="AAPL",
        action=SignalAction(action),
        confidence=Decimal(confidence),
        issued_at=at,
    )
    return Happening(at, claim)


@pytest.mark.parametrize(
    ("name", "rules", "trips", "gain"),
    [
        ("sma_cross.toml", {"Up": 9, "Down": 1}, 9, "708.57"),
        ("sma_cross.py", {"on_bar": 10}, 9, "708.57"),
        (
            "atr_breakout.toml",
            {"BreakUp": 6, "BreakDown": 8, "Follow": 12, "EndOfDay": 1},
            14,
            "3946.53",
        ),
        ("mean_reversion.toml", {"TooLow": 5, "BackAtTheMiddle": 2, "EndOfDay": 1}, 5, "-211.31"),
        (
            "opening_range.toml",
            {"Above": 1, "Below": 4, "NoLossAnyMore": 3, "EndOfDay": 2},
            5,
            "244.10",
        ),
    ],
)
def test_what_it_decides_in_a_week_and_what_that_brings(
    name: str, rules: dict[str, int], trips: int, gain: str
) -> None:
    found = week(name)
    assert not found.held
    assert (found.rules, found.trips, found.gain) == (rules, trips, Decimal(gain))


def test_a_prediction_is_followed_in_and_out_and_its_stop_follows_the_gain() -> None:
    found = week(
        "prediction.toml",
        signal("BUY", 1, 30.5, "0.8"),  # not confident enough
        signal("BUY", 1, 40.5),
        signal("BUY", 1, 50.5),  # held already
        signal("SELL", 1, 60.5),
        signal("SHORT", 1, 70.5),
        signal("SELL", 1, 80.5),  # no long is held
    )
    assert found.rules == {
        "PredictionEntry": 2,
        "PredictionExit": 1,
        "PredictionShort": 1,
        "TrailingStopAdjustment": 23,
    }
    kinds = [(one.kind, one.side, int(one.quantity)) for one in found.fills]
    assert kinds == [
        (WouldBe.ENTRY, Side.BUY, 44),
        (WouldBe.EXIT, Side.SELL, 44),
        (WouldBe.ENTRY, Side.SELL, 45),
    ]
    assert (found.trips, found.gain, found.held) == (1, Decimal("-27.05"), ["AAPL"])
    levels = [Decimal(one.terms["level"]) for one in found.of("TrailingStopAdjustment")]
    assert levels == sorted(levels, reverse=True)


def test_the_average_in_python_and_in_toml_decide_the_same() -> None:
    one, other = week("sma_cross.py"), week("sma_cross.toml")
    assert [_but_for_names(decision) for decision in one.decisions] == [
        _but_for_names(decision) for decision in other.decisions
    ]
    assert one.gain == other.gain


def _but_for_names(decision: ev.DecisionEvent) -> tuple[object, ...]:
    return decision.at, decision.wish, decision.terms, decision.words, decision.price


def test_each_breakout_is_followed_by_its_stop_once_it_has_gained_what_was_risked() -> None:
    found = week("atr_breakout.toml")
    entries = [one for one in found.decisions if one.wish == "open"]
    assert all(Decimal(one.terms["stop"]) for one in entries)
    lost = [one for one in found.fills if one.gain is not None and one.gain < 0]
    followed = {one.at.date() for one in found.of("Follow")}
    assert max(Counter(one.at.date() for one in found.of("Follow")).values()) > 1
    assert len(found.of("Follow")) == found.trips - len(lost)
    assert followed == {one.at.date() for one in entries}


def test_out_of_the_opening_range_once_a_day_on_each_side_and_each_is_protected() -> None:
    found = week("opening_range.toml")
    sides = [(one.rule, one.at) for one in found.decisions if one.wish == "open"]
    assert len({(rule, at.date()) for rule, at in sides}) == len(sides)
    below = [at for rule, at in sides if rule == "Below"]
    gaps = [later - at for at, later in pairwise(below)]
    assert min(gaps) < DAY  # earlier than the day before: a rest of a day would miss it
    gained = [one for one in found.fills if one.kind is WouldBe.TARGET and one.gain is None]
    assert len(found.of("NoLossAnyMore")) == len(gained)
