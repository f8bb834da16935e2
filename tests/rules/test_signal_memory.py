from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.core import codec
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome, SignalAction
from ibkr_trader.core.signals import Claim, SeenSignal
from ibkr_trader.rules import signal_memory
from ibkr_trader.rules.admission import OLDEST, Admission, judge
from ibkr_trader.rules.signal_memory import DATED_FOR, UNDATED_FOR, SignalMemory, key_of
from tests.orders.samples import AT, later
from tests.rules.moments import flow, signal

if TYPE_CHECKING:
    from datetime import datetime


def told(*events: ev.BaseEvent) -> SignalMemory:
    memory = SignalMemory()
    for event in events:
        memory = memory.after(event)
    return memory


def ended(signal_id: str = "s1") -> ev.SignalEndEvent:
    return ev.SignalEndEvent(
        at=AT, ticker="AAPL", source="test", signal_id=signal_id, outcome=Outcome.ACTED
    )


def restarted(memory: SignalMemory, now: datetime) -> SignalMemory:
    """Return what is known after a restart: through a checkpoint, as the journal has it."""
    checkpoint = ev.CheckpointEvent(
        at=now,
        signals=memory.kept(now),
        sequences=dict(memory.sequences),
        open_signals=tuple(memory.open.values()),
        standing=tuple(memory.standing.values()),
    )
    return SignalMemory().after(codec.decode_event(codec.encode(checkpoint)))


def test_what_was_taken_is_known_until_its_end_and_after() -> None:
    memory = told(signal(), flow())
    assert memory.knows("test", "s1")
    assert memory.knows("test", "f1")
    assert not memory.knows("other", "s1")
    assert set(memory.open) == {("test", "s1"), ("test", "f1")}
    memory = memory.after(ended())
    assert memory.knows("test", "s1")
    assert set(memory.open) == {("test", "f1")}


def test_what_was_refused_and_what_is_no_signal_changes_nothing() -> None:
    memory = told(signal())
    refused = ev.SignalRefusedEvent(
        at=AT, ticker="AAPL", source="test", signal_id="s2", code="stale", message="old"
    )
    assert memory.after(refused) is memory
    assert memory.after(ev.TimeEvent(at=AT)) is memory


@pytest.mark.parametrize(
    ("issued", "until"),
    [
        (None, AT + UNDATED_FOR),
        (AT, AT + DATED_FOR),
        (later(-20), AT + DATED_FOR),
        (later(2), later(2) + DATED_FOR),
    ],
)
def test_how_long_it_is_remembered(issued: datetime | None, until: datetime) -> None:
    memory = told(signal(issued_at=issued))
    assert memory.kept(AT) == (SeenSignal(source="test", signal_id="s1", until=until),)
    assert memory.kept(until - timedelta(seconds=1))
    assert memory.kept(until) == ()
    assert memory.after(signal(signal_id="x", at=until)).knows("test", "s1") is False
    just_before = until - timedelta(seconds=1)
    assert memory.after(signal(signal_id="x", at=just_before)).knows("test", "s1") is True


def test_the_highest_number_of_each_source_counts() -> None:
    memory = told(
        signal(sequence=7), signal(signal_id="s2", sequence=5), signal(signal_id="s3"),
        signal(signal_id="s4", source="other", sequence=2),
    )  # fmt: skip
    assert memory.sequences == {"test": 7, "other": 2}


def test_how_many_were_taken_within_a_minute() -> None:
    memory = told(*(signal(signal_id=f"s{n}", at=later(20 * n)) for n in range(5)))
    assert memory.taken_lately("test", later(80)) == 3
    assert memory.taken_lately("test", later(139)) == 1
    assert memory.taken_lately("test", later(140)) == 0
    assert memory.taken_lately("other", later(80)) == 0
    assert len(memory.lately["test", False]) == 3  # what is older has gone


def test_wishes_to_be_out_are_counted_by_themselves() -> None:
    memory = told(signal(), signal("SELL", signal_id="s2"), flow(), signal("SHORT", signal_id="s3"))
    assert memory.taken_lately("test", AT, exits=True) == 1
    assert memory.taken_lately("test", AT) == 3


def standing(action: str = "BUY", confidence: str = "0.8", **more: Any) -> Claim:
    usual = {"source": "test", "signal_id": "", "ticker": "AAPL"}
    return Claim(
        action=SignalAction(action), confidence=Decimal(confidence), is_standing=True,
        **{**usual, **more},
    )  # fmt: skip


def thought(action: str = "BUY", confidence: str = "0.8", **more: Any) -> ev.PredictionSignalEvent:
    return signal(action, confidence, issued_at=None, is_standing=True, **more)


def came(outcome: Outcome, signal_id: str = "s1") -> ev.SignalEndEvent:
    return msgspec.structs.replace(ended(signal_id), outcome=outcome)


def test_what_stands_is_one_signal_while_its_wish_stays() -> None:
    memory = told(thought(), came(Outcome.ACTED))
    assert memory.stands(standing(), later(60))
    assert memory.stands(standing(confidence="0.99"), later(60)), "it was acted upon"
    assert not memory.stands(standing("SELL"), later(60))
    assert not memory.stands(standing(ticker="MSFT"), later(60))
    assert not memory.stands(standing(source="other"), later(60))


@pytest.mark.parametrize("outcome", [Outcome.NOTHING, Outcome.REFUSED])
def test_before_anything_was_done_more_confidence_is_news(outcome: Outcome) -> None:
    memory = told(thought(), came(outcome))
    assert memory.stands(standing(), later(60))
    assert memory.stands(standing(confidence="0.79"), later(60))
    assert not memory.stands(standing(confidence="0.81"), later(60))


@pytest.mark.parametrize("outcome", [Outcome.ACTED, Outcome.FAILED, Outcome.UNKNOWN])
def test_after_something_was_done_nothing_is_until_the_wish_changes(outcome: Outcome) -> None:
    memory = told(thought(), came(outcome))
    assert memory.stands(standing(confidence="1"), later(60))
    memory = told(thought("SELL", signal_id="s2"), came(Outcome.NOTHING, "s2"), thought())
    assert not memory.stands(standing("SELL"), later(60))


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.REFUSED])
def test_an_exit_that_did_not_come_about_may_come_again(outcome: Outcome) -> None:
    memory = restarted(told(thought("SELL"), came(outcome)), AT)
    assert memory.is_wanted(thought("SELL"))
    assert not memory.is_wanted(signal("SELL"))
    assert not memory.is_wanted(flow())
    for at, rests in ((59, True), (60, False)):
        assert memory.rests(standing("SELL", "0.1"), later(at)) is rests
        assert not memory.rests(standing("BUY"), later(at))
        assert not memory.stands(standing("SELL", "0.1"), later(at))
    done = told(thought("SELL"), came(Outcome.ACTED))
    assert done.stands(standing("SELL", "1"), later(60))
    assert not done.rests(standing("SELL", "1"), later(1))
    assert not done.is_wanted(thought("SELL"))


def test_on_another_day_in_new_york_it_is_another() -> None:
    memory = told(thought(), came(Outcome.ACTED))  # at ten in the morning
    assert memory.stands(standing(), later(13.9 * 3600))
    assert not memory.stands(standing(), later(14 * 3600))


def test_the_end_of_another_signal_says_nothing_of_what_stands() -> None:
    memory = told(thought(), signal(signal_id="dated"), came(Outcome.ACTED, "dated"))
    assert not memory.stands(standing(confidence="0.9"), later(60))
    assert told(signal(), came(Outcome.ACTED)).standing == {}


@pytest.mark.parametrize("outcome", [Outcome.ACTED, Outcome.NOTHING])
def test_what_stands_is_known_after_a_restart(outcome: Outcome) -> None:
    memory = restarted(told(thought(), came(outcome)), AT)
    assert memory.stands(standing(), later(60))
    assert memory.stands(standing(confidence="0.9"), later(60)) is (outcome is Outcome.ACTED)
    begun = restarted(told(thought()), AT).after(came(Outcome.UNKNOWN))
    assert begun.stands(standing(confidence="0.9"), later(60)), "nobody knows what came of it"


def test_of_a_flood_the_oldest_names_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal_memory, "MOST", 3)
    memory = told(*(signal(signal_id=f"s{n}", at=later(n)) for n in range(5)))
    assert [key for _, key in memory.seen] == ["s2", "s3", "s4"]


def test_a_checkpoint_takes_the_place_of_all_that_was_known() -> None:
    memory = told(signal(sequence=3), signal(signal_id="s2"), ended())
    again = restarted(memory, AT)
    assert (again.seen, again.sequences, again.open) == (memory.seen, {"test": 3}, memory.open)
    assert key_of(again.open["test", "s2"]) == ("test", "s2")
    stale = told(signal(signal_id="gone")).after(ev.CheckpointEvent(at=AT))
    assert (stale.seen, stale.open) == ({}, {})


STEP = st.fixed_dictionaries(
    {
        "signal_id": st.sampled_from("abc"),
        "source": st.sampled_from(["one", "two"]),
        "wait": st.sampled_from([0, 1, 59, 60, 3_500, 7_199, 7_300]),
        "age": st.sampled_from([None, 0, 1, 3_599, -1]),
        "sequence": st.sampled_from([None, 1, 2, 3, 4]),
        "restarts": st.booleans(),
        "ends": st.booleans(),
    }
)


@given(st.lists(STEP, max_size=30))
def test_no_signal_is_ever_taken_twice(steps: list[dict[str, Any]]) -> None:
    """With repeats, restarts and any pauses within what undated names are kept for."""
    memory, now = SignalMemory(), AT
    policy = Admission(max_age=OLDEST, per_minute=600)
    issued: dict[tuple[str, str], datetime | None] = {}
    taken: list[tuple[str, str]] = []
    counted: dict[str, int] = {}
    for step in steps:
        now += timedelta(seconds=step["wait"])
        if step["restarts"]:
            memory = restarted(memory, now)
        key = (step["source"], step["signal_id"])
        at = now - timedelta(seconds=step["age"]) if step["age"] is not None else None
        claim = Claim(
            source=key[0],
            signal_id=key[1],
            ticker="AAPL",
            action=SignalAction.BUY,
            confidence=Decimal(1),
            issued_at=issued.setdefault(key, at),  # a repeat says what it said before
            sequence=step["sequence"],
        )
        if judge(claim, memory, policy, now=now) is not None:
            continue
        assert key not in taken
        taken.append(key)
        if claim.sequence is not None:
            assert claim.sequence > counted.get(key[0], 0)
            counted[key[0]] = claim.sequence
        event = signal(
            source=key[0],
            signal_id=key[1],
            at=now,
            issued_at=claim.issued_at,
            sequence=claim.sequence,
        )
        memory = memory.after(codec.decode_event(codec.encode(event)))
        if step["ends"]:
            memory = memory.after(msgspec.structs.replace(ended(key[1]), source=key[0]))
            assert key not in memory.open
