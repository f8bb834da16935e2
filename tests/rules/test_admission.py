from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.core.enums import Outcome, SignalAction
from ibkr_trader.core.events import SignalEndEvent
from ibkr_trader.core.signals import (
    DUPLICATE,
    FORGED,
    MALFORMED,
    POISON,
    UNSIGNED,
    Claim,
    FlowClaim,
    Malformed,
)
from ibkr_trader.rules.admission import (
    MOST_AHEAD,
    MOST_PER_MINUTE,
    OLDEST,
    REASONS,
    Admission,
    judge,
)
from ibkr_trader.rules.signal_memory import DATED_FOR, SignalMemory
from tests.orders.samples import AT, later
from tests.rules.moments import signal

D = Decimal


def claim(**fields: Any) -> Claim:
    usual: dict[str, Any] = {
        "source": "test",
        "signal_id": "s2",
        "ticker": "AAPL",
        "action": SignalAction.BUY,
        "confidence": D("0.91"),
        "issued_at": AT,
    }
    return Claim(**{**usual, **fields})


def measure(**fields: Any) -> FlowClaim:
    usual: dict[str, Any] = {
        "source": "test",
        "signal_id": "f2",
        "ticker": "AAPL",
        "measure": "trades",
        "value": D(12),
        "threshold": D(10),
        "issued_at": AT,
    }
    return FlowClaim(**{**usual, **fields})


def code(one: Claim | FlowClaim | Malformed, *taken: Any, at: float = 0, **policy: Any) -> str:
    """Return the name of why it is refused; empty if it is taken."""
    memory = SignalMemory()
    for event in taken:
        memory = memory.after(event)
    refusal = judge(one, memory, Admission(**policy), now=later(at))
    assert refusal is None or (refusal.code in REASONS and refusal.message)
    return refusal.code if refusal is not None else ""


def test_a_new_signal_is_taken() -> None:
    assert code(claim()) == ""
    assert code(measure()) == ""


def test_what_was_taken_is_a_duplicate_whatever_else_is_wrong_with_it() -> None:
    assert code(claim(signal_id="s1"), signal()) == "duplicate"
    assert code(claim(signal_id="s1", confidence=D(0)), signal(), at=900) == "duplicate"


def test_what_stands_is_a_duplicate_until_its_wish_changes() -> None:
    stood = signal(issued_at=None, is_standing=True)
    same = claim(signal_id="", issued_at=None, is_standing=True, confidence=stood.confidence)
    assert code(same) == ""
    assert code(same, stood, at=60) == "duplicate"
    assert code(msgspec.structs.replace(same, action=SignalAction.SELL), stood, at=60) == ""


def test_an_exit_that_has_just_failed_rests() -> None:
    stood = signal("SELL", issued_at=None, is_standing=True)
    end = SignalEndEvent(
        at=AT, ticker="AAPL", source="test", signal_id="s1", outcome=Outcome.FAILED
    )
    again = claim(signal_id="", issued_at=None, is_standing=True, action=SignalAction.SELL)
    assert code(again, stood, end, at=59) == "resting"
    assert code(again, stood, end, at=60) == ""


def test_what_only_ends_something_does_not_stand_in_line() -> None:
    taken = [signal(signal_id=f"x{n}") for n in range(3)]
    assert code(claim(), *taken, per_minute=3) == "too_many"
    assert code(claim(action=SignalAction.SELL), *taken, per_minute=3) == ""
    storm = [signal("SELL", signal_id=f"x{n}") for n in range(MOST_PER_MINUTE)]
    assert code(claim(action=SignalAction.SELL), *storm, per_minute=3) == "too_many"
    assert code(claim(), *storm, per_minute=3) == ""


def test_a_name_belongs_to_its_source() -> None:
    assert code(claim(signal_id="s1", source="other"), signal()) == ""


def test_something_that_is_no_signal_is_refused_by_its_own_reason() -> None:
    assert code(Malformed(source="test", message="no JSON")) == "malformed"
    assert code(Malformed(source="test", message="a wrong key", code="forged")) == "forged"


@pytest.mark.parametrize(("is_signed", "why"), [(False, "unsigned"), (True, "")])
def test_with_real_money_it_must_be_signed(is_signed: bool, why: str) -> None:
    assert code(claim(is_signed=is_signed), needs_signature=True) == why
    assert code(measure(is_signed=is_signed), needs_signature=True) == why


def test_only_symbols_that_are_named_are_taken() -> None:
    assert code(claim(ticker="TSLA"), symbols=frozenset({"AAPL"})) == "unknown_symbol"
    assert code(claim(), symbols=frozenset({"AAPL"})) == ""
    assert code(claim(), symbols=frozenset()) == "unknown_symbol"


@pytest.mark.parametrize(
    ("age", "why"), [(0, ""), (30, ""), (30.001, "stale"), (-2, ""), (-2.001, "future")]
)
def test_how_old_and_how_far_ahead_it_may_be(age: float, why: str) -> None:
    assert code(claim(), at=age) == why
    assert code(measure(), at=age) == why


@pytest.mark.parametrize(
    ("grace", "age", "why"),
    [
        (10, 40, ""),
        (10, 40.001, "stale"),
        (-10, 30, ""),
        (9_999, 3_600, ""),
        (9_999, 3_601, "stale"),
    ],
)
def test_what_can_only_be_asked_for_now_and_then_may_be_older(
    grace: float, age: float, why: str
) -> None:
    """But never so old that it might have been forgotten."""
    span = timedelta(seconds=grace)
    assert code(claim(grace=span), at=age) == why
    assert code(measure(grace=span), at=age) == why


def test_how_old_it_is_is_said() -> None:
    found = [
        judge(claim(**fields), SignalMemory(), Admission(), now=later(at))
        for fields, at in (({}, 75), ({"grace": timedelta(seconds=10)}, 75), ({}, -7.55))
    ]
    assert [one.message if one is not None else "" for one in found] == [
        "it is 75.0 s old; 30.0 s is the most",
        "it is 75.0 s old; 40.0 s is the most",
        "its time lies 7.5 s ahead of ours: a clock is wrong",
    ]


def test_without_a_time_it_is_taken_unless_one_is_needed() -> None:
    assert code(claim(issued_at=None), at=999) == ""
    assert code(claim(issued_at=None), needs_time=True) == "undated"
    assert code(claim(), needs_time=True) == ""


@pytest.mark.parametrize(
    ("sequence", "why"), [(6, "out_of_order"), (7, "out_of_order"), (8, ""), (None, "")]
)
def test_a_source_that_counts_never_goes_back(sequence: int | None, why: str) -> None:
    assert code(claim(sequence=sequence), signal(sequence=7)) == why


def test_a_count_is_of_one_source() -> None:
    assert code(claim(sequence=1, source="other"), signal(sequence=7)) == ""


@pytest.mark.parametrize(
    ("confidence", "why"),
    [
        ("0.75", ""),
        ("1", ""),
        ("0.7499", "low_confidence"),
        ("0", "low_confidence"),
        ("-0.1", "malformed"),
        ("1.01", "malformed"),
        ("85", "malformed"),
        ("NaN", "malformed"),
        ("Infinity", "malformed"),
    ],
)
def test_it_must_be_confident_enough_and_no_more_than_certain(confidence: str, why: str) -> None:
    assert code(claim(confidence=D(confidence))) == why


def test_a_flood_is_cut_off_and_the_next_minute_is_a_new_one() -> None:
    first = [signal(signal_id=f"a{n}", at=later(n)) for n in range(3)]
    assert code(claim(issued_at=None), *first, at=3, per_minute=3) == "too_many"
    assert code(claim(issued_at=None), *first, at=3, per_minute=4) == ""
    assert code(claim(issued_at=None), *first, at=59.9, per_minute=3) == "too_many"
    assert code(claim(issued_at=None), *first, at=60, per_minute=3) == ""
    assert code(claim(source="other"), *first, at=3, per_minute=3) == ""


@pytest.mark.parametrize(
    ("name", "legal", "illegal"),
    [
        ("max_age", OLDEST, OLDEST + timedelta(seconds=1)),
        ("max_age", timedelta(microseconds=1), timedelta(0)),
        ("max_ahead", MOST_AHEAD, MOST_AHEAD + timedelta(seconds=1)),
        ("max_ahead", timedelta(0), timedelta(seconds=-1)),
        ("confidence_min", D(1), D("1.01")),
        ("confidence_min", D(0), D("-0.01")),
        ("confidence_min", D("0.5"), D("NaN")),
        ("per_minute", MOST_PER_MINUTE, MOST_PER_MINUTE + 1),
        ("per_minute", 1, 0),
    ],
)
def test_a_policy_that_means_nothing_is_refused(name: str, legal: Any, illegal: Any) -> None:
    assert getattr(Admission(**{name: legal}), name) == legal
    with pytest.raises(ValueError, match=name):
        Admission(**{name: illegal})


def test_whatever_is_young_enough_to_be_taken_is_still_remembered() -> None:
    assert OLDEST + MOST_AHEAD < DATED_FOR


def before_us(one: Claim | FlowClaim, since: float, **policy: Any) -> str:
    refusal = judge(one, SignalMemory(), Admission(**policy), now=later(5), ours_since=later(since))
    assert refusal is None or (refusal.code in REASONS and refusal.message)
    return refusal.code if refusal is not None else ""


@pytest.mark.parametrize(("since", "why"), [(-2, ""), (-1.999, "before_us"), (5, "before_us")])
def test_what_others_may_have_acted_on_is_not_taken(since: float, why: str) -> None:
    assert before_us(claim(), since) == why
    assert before_us(measure(), since) == why
    assert before_us(claim(), since + 2, max_ahead=timedelta(0)) == why


def test_after_others_it_must_say_when_it_was_made() -> None:
    assert before_us(claim(issued_at=None), -100) == "undated"


@pytest.mark.parametrize("code", [MALFORMED, FORGED, UNSIGNED, POISON, DUPLICATE])
def test_what_a_source_says_is_explained_too(code: str) -> None:
    assert REASONS[code]
