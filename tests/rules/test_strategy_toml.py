"""A strategy as a file: written and read again, it is the same."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ibkr_trader.risk.envelope import Envelope
from ibkr_trader.risk.sizing import FixedQuantity, FixedRisk, Kelly
from ibkr_trader.rules.actions.adjust_stop import AdjustStop
from ibkr_trader.rules.actions.close_all import CloseAll
from ibkr_trader.rules.actions.halt import HaltTrading
from ibkr_trader.rules.actions.notify import Notify
from ibkr_trader.rules.actions.open_position import OpenPosition
from ibkr_trader.rules.actions.scale_in import ScaleIn
from ibkr_trader.rules.actions.trail import TrailStop
from ibkr_trader.rules.distance import Distance
from ibkr_trader.rules.moment import NEWS, Trigger
from ibkr_trader.rules.rule import ACTIONS, DAYS, Action, Rule, Schedule, Strategy
from ibkr_trader.rules.strategy_text import read_strategy
from ibkr_trader.rules.strategy_toml import write_strategy
from ibkr_trader.rules.written import Written

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,39}", fullmatch=True)
TRADED = ["AAPL", "MSFT", "BRK B", "A", "F1.X"]
SYMBOLS = st.sampled_from(TRADED)
# What TOML lets stand in no text, or only escaped, comes often.
MARKS = st.characters(exclude_categories=["Cs"]) | st.sampled_from("\x00\t\n\r\x1f\x7f\x85\"'\\#")
TEXTS = st.text(MARKS, max_size=30)
FIGURES = st.decimals("0.01", "99.99", places=2)
LEVELS = st.builds(
    Distance.of, st.builds("{}{}".format, FIGURES, st.sampled_from(["%", "", "atr"]))
)
TARGETS = LEVELS | st.builds(Distance.of, st.builds("{}R".format, FIGURES))
SIZES = (
    st.builds(FixedQuantity, st.integers(1, 10_000).map(Decimal))
    | st.builds(FixedRisk, fraction=st.integers(1, 999).map(lambda n: Decimal(n) / 10_000))
    | st.builds(FixedRisk, amount=FIGURES)
    | st.just(Kelly())
)
LINES = st.text(st.characters(exclude_categories=["C"]), max_size=40).filter(str.strip)
DOES: dict[str, st.SearchStrategy[Any]] = {
    "open": st.builds(
        OpenPosition,
        side=st.sampled_from(["long", "short"]),
        size=SIZES,
        stop_loss=LEVELS,
        take_profit=st.lists(TARGETS, max_size=3).map(tuple),
        limit=st.none() | LEVELS,
        exit_tif=st.sampled_from(["DAY", "GTC"]),
        reversal=st.sampled_from(["refuse", "close_first"]),
    ),
    "scale_in": st.builds(ScaleIn, quantity=FIGURES, up_to=st.none() | FIGURES)
    | st.builds(ScaleIn, fraction=st.decimals("0.01", "1", places=2)),
    "close_all": st.builds(CloseAll, only=st.sampled_from(["long", "short", "both"])),
    "adjust_stop": st.builds(AdjustStop, behind=LEVELS) | st.just(AdjustStop(to="cost")),
    "trail": st.builds(TrailStop, behind=LEVELS),
    "notify": st.builds(Notify, message=LINES, serious=st.booleans()),
    "halt": st.builds(HaltTrading, reason=LINES, everything=st.booleans()),
}
WHENS = st.sampled_from(
    [
        "signal.action == 'BUY' and signal.confidence > 0.85",
        "crosses_above(sma(10), sma(50)) or rsi(14) < 30",
        "not position.is_flat and time.minutes_to_close <= 5",
        "time.now >= '09:45' and symbol == 'AAPL'",
    ]
).map(Written.of)
TIMES = st.times()
SCHEDULES = st.builds(
    Schedule,
    begins=TIMES | st.just(time.min),
    ends=TIMES | st.just(time.max),
    days=st.frozensets(st.sampled_from(DAYS), min_size=1),
)


@st.composite
def rules(draw: st.DrawFn) -> tuple[Rule, ...]:
    made: list[Rule] = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        kinds = draw(st.lists(st.sampled_from(sorted(DOES)), min_size=1, max_size=3, unique=True))
        when = draw(WHENS)
        # What waits for a signal is set off by nothing else, and nothing else by one.
        legal = when.triggers if when.triggers <= NEWS else frozenset(Trigger) - NEWS
        made.append(
            Rule(
                name=name,
                when=when,
                then=tuple(draw(DOES[kind]) for kind in kinds),
                priority=draw(st.integers(0, 1_000_000)),
                cooldown=timedelta(seconds=draw(st.integers(0, 604_800))),
                schedule=draw(st.none() | SCHEDULES),
                on=draw(st.frozensets(st.sampled_from(sorted(legal)))),
                symbols=draw(st.frozensets(SYMBOLS, max_size=2)),
            )
        )
    return tuple(sorted(made, key=lambda rule: rule.priority))


STRATEGIES = st.builds(
    Strategy,
    name=NAMES,
    version=st.just(""),
    symbols=st.permutations(TRADED).map(tuple),
    rules=rules(),
    bar_size=st.sampled_from([30, 60, 300, 3600]).map(lambda n: timedelta(seconds=n)),
    envelope=st.builds(
        Envelope,
        capital=st.none() | FIGURES,
        max_positions=st.none() | st.integers(1, 9),
        max_daily_loss=st.none() | FIGURES,
        max_entries_per_day=st.none() | st.integers(1, 99),
    ),
    description=TEXTS,
)


@settings(max_examples=50)
@given(strategy=STRATEGIES)
def test_any_strategy_is_the_same_when_its_file_is_read(strategy: Strategy) -> None:
    again = read_strategy(write_strategy(strategy))
    assert msgspec.structs.replace(again, version="") == strategy
    assert write_strategy(again) == write_strategy(strategy)


@settings(max_examples=50)
@given(description=TEXTS, schedule=SCHEDULES)
@example(description="\x7f\x1f\r\t", schedule=Schedule(begins=time(9, 30, 0, 1)))
def test_any_text_and_any_hours_are_the_same(description: str, schedule: Schedule) -> None:
    """In a file of little else: of a whole one most of what is drawn is small, or the same."""
    one = msgspec.structs.replace(of(schedule=schedule), description=description)
    again = read_strategy(write_strategy(one))
    assert msgspec.structs.replace(again, version="") == one


def test_every_action_there_is_was_tried() -> None:
    assert set(DOES) == set(ACTIONS)


def of(*then: Action, **more: Any) -> Strategy:
    rule = Rule(name="r", when=Written.of("price.last > 1"), then=then or (CloseAll(),), **more)
    return Strategy(name="s", version="", symbols=("AAPL",), rules=(rule,))


def test_what_is_usual_is_left_out() -> None:
    assert write_strategy(of()) == (
        'name = "s"\nsymbols = ["AAPL"]\nbars = "1 min"\n\n'
        '[[rule]]\nname = "r"\nwhen = "price.last > 1"\n[rule.close_all]\n'
    )


@pytest.mark.parametrize(
    ("cooldown", "words"),
    [(86_400, "1 day"), (7_200, "2 hour"), (900, "15 min"), (61, "61 s")],
)
def test_a_pause_is_written_in_the_largest_unit_that_fits(cooldown: int, words: str) -> None:
    assert f'cooldown = "{words}"' in write_strategy(of(cooldown=timedelta(seconds=cooldown)))


def test_hours_to_the_second_are_kept() -> None:
    begins = time(9, 30, 15)
    text = write_strategy(of(schedule=Schedule(begins=begins)))
    assert "from = 09:30:15\n" in text
    found = read_strategy(text).rules[0].schedule
    assert found is not None
    assert found.begins == begins


class Unnamed(msgspec.Struct, frozen=True):
    """An action that nobody has registered."""

    indicators: frozenset[Any] = frozenset()

    def wishes(self, _moment: object) -> tuple[()]:
        return ()


UNSAYABLE = OpenPosition(side="long", stop_loss=Distance.of("1%"), size=Kelly(part=Decimal("0.3")))


@pytest.mark.parametrize(
    ("strategy", "why"),
    [
        (of(Unnamed()), r"does what has no name \(Unnamed\)"),
        (of(Notify(message="a"), Notify(message="b")), "the rule r does the same twice"),
        (of(cooldown=timedelta(milliseconds=500)), "whole seconds"),
        (of(UNSAYABLE), "cannot be written as a size"),
    ],
)
def test_what_no_file_can_say_is_refused_and_never_left_out(strategy: Strategy, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        write_strategy(strategy)


def test_lists_stay_in_one_order_whatever_the_sets_say() -> None:
    text = write_strategy(of(on=frozenset(Trigger), symbols=frozenset({"MSFT", "AAPL"})))
    listed = text.partition("on = [")[2].partition("]")[0].split(", ")
    assert all(one < other for one, other in pairwise(listed))
    assert 'symbols = ["AAPL", "MSFT"]' in text
