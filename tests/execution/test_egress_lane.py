"""One sink's lane: order, retries, what is dropped, and what is said of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ibkr_trader.adapters.clock import ManualClock
from ibkr_trader.core.errors import ConfigError, SinkRefused
from ibkr_trader.execution.egress_lane import EgressRules, Lane
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.portfolio.payloads import Payload, SignalDecision, SignalKind
from tests.execution.sinks import HangingSink, ListSink, down
from tests.orders.samples import AT

QUICK = EgressRules(first_pause=0.001, longest_pause=0.004, emit_timeout=2.0, batch=3)


def payload(number: int) -> SignalDecision:
    return SignalDecision(event_id=str(number), at=AT, kind=SignalKind.SIGNAL)


class Play:
    """A lane, its clock, and what was said."""

    def __init__(self, sink: ListSink, rules: EgressRules = QUICK, **more: Any) -> None:
        self.sink, self.said = sink, list[str]()
        self.clock = ManualClock(AT)
        self.lane = Lane(sink, rules, clock=self.clock, say=self._say, **more)

    def _say(self, words: str) -> None:
        self.said.append(words)
        self.sink.changed.set()

    def put(self, *numbers: int) -> None:
        for number in numbers:
            self.lane.put(payload(number))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with alongside(self.lane.work()):
            yield

    async def taken(self, count: int) -> None:
        await self.sink.until(lambda: len(self.sink.taken) >= count)


async def test_all_is_told_in_order_and_in_batches() -> None:
    play = Play(ListSink())
    play.put(*range(7))
    assert play.lane.standing.is_up is None
    async with play.running():
        await play.taken(7)
        play.put(7)
        await play.taken(8)
    assert play.sink.ids == [str(number) for number in range(8)]
    assert play.sink.batches == [3, 3, 1, 1]
    standing = play.lane.standing
    assert (standing.is_up, standing.sent, standing.waiting, standing.dropped) == (True, 8, 0, 0)
    assert play.said == []
    assert play.sink.is_closed


async def test_what_failed_is_told_again_before_everything_else() -> None:
    play = Play(ListSink())
    play.sink.faults = down(4, "nobody\nthere")
    play.put(*range(5))
    async with play.running():
        await play.taken(5)
    assert play.sink.ids == ["0", "1", "2", "3", "4"]
    assert play.sink.attempts == 6
    assert play.said == [
        "list is down: nobody there; trading goes on without it",
        "list is told again what happens",
    ]
    assert play.lane.standing.last_error == "nobody there"


async def test_the_pauses_grow_up_to_a_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    play = Play(ListSink())
    play.sink.faults = down(4)
    play.put(1)
    monkeypatch.setattr("ibkr_trader.execution.egress_lane.asyncio.sleep", note)
    async with play.running():
        await play.taken(1)
        play.sink.faults = down(1)
        play.put(2)
        await play.taken(2)
    assert [one for one in pauses if one] == [0.001, 0.002, 0.004, 0.004, 0.001]


async def test_a_sink_that_hangs_is_cancelled_and_told_again() -> None:
    rules = EgressRules(first_pause=0.001, longest_pause=0.001, emit_timeout=0.01)
    sink = HangingSink()
    play = Play(sink, rules)
    play.put(1, 2)
    async with play.running():
        await sink.until(lambda: len(play.said) == 1)
        sink.gate.set()
        await play.taken(2)
    assert sink.ids == ["1", "2"]
    assert play.said[0] == "hanging is down: no answer within 0.01 s; trading goes on without it"


async def test_the_oldest_are_dropped_and_counted() -> None:
    sink = HangingSink()
    play = Play(sink, EgressRules(limit=4, batch=2, emit_timeout=5))
    play.put(0, 1, 2)
    async with play.running():
        await sink.until(lambda: sink.begun == 1)  # 0 and 1 are handed over
        play.put(3, 4, 5, 6, 7)
        standing = play.lane.standing
        assert (standing.waiting, standing.dropped) == (6, 2)
        sink.gate.set()
        await play.taken(6)
        assert sink.ids == ["0", "1", "4", "5", "6", "7"]
        assert play.said == ["hanging is too slow: 2 of the oldest were dropped"]
        # Not again so soon, and then all of it together.
        sink.gate.clear()
        play.put(*range(10, 20))
        sink.gate.set()
        await play.taken(10)
        assert len(play.said) == 1
        play.clock.advance(60)
        play.put(20)
        await play.taken(11)
    assert play.said[1:] == ["hanging is too slow: 6 of the oldest were dropped"]
    assert play.lane.standing.dropped == 8
    assert play.lane.standing.sent + play.lane.standing.dropped == 3 + 5 + 10 + 1


async def test_what_it_missed_is_said_when_it_is_back() -> None:
    play = Play(ListSink(), EgressRules(limit=2, batch=1, first_pause=0.01, longest_pause=0.01))
    play.sink.faults = down(1)
    play.put(0)
    async with play.running():
        await play.sink.until(lambda: play.sink.attempts == 1)
        play.put(1, 2, 3, 4)
        await play.taken(3)
    assert play.sink.ids == ["0", "3", "4"]
    assert play.said[-1] == "list is told again what happens; 2 of the oldest were dropped"


async def test_one_that_comes_and_goes_is_spoken_of_once_in_a_while() -> None:
    play = Play(ListSink())
    async with play.running():
        for number in range(5):
            play.sink.faults = down(1)
            play.put(number)
            await play.taken(number + 1)
        assert len(play.said) == 2
        play.clock.advance(QUICK.quiet)
        play.sink.faults = down(1)
        play.put(5)
        await play.taken(6)
    assert len(play.said) == 4


async def test_what_is_refused_is_left_out_and_the_rest_goes_on() -> None:
    play = Play(ListSink())
    play.sink.faults = [SinkRefused("answers 400"), SinkRefused("answers 413")]
    play.put(*range(7))
    async with play.running():
        await play.taken(1)
    assert play.sink.ids == ["6"]
    standing = play.lane.standing
    assert (standing.is_up, standing.refused, standing.sent) == (True, 6, 1)
    assert play.said == ["list does not take what it is told: answers 400"]


async def test_a_sink_that_fails_is_given_up_and_its_words_are_not_repeated(
    caplog: pytest.LogCaptureFixture,
) -> None:
    play = Play(ListSink())
    play.sink.faults = [ValueError("password=hunter2")]
    play.put(*range(5))
    with caplog.at_level(logging.DEBUG):
        async with play.running():
            await play.sink.until(lambda: play.lane.standing.is_fenced)
            play.put(5)
            await asyncio.sleep(0)
    standing = play.lane.standing
    assert (standing.is_up, standing.waiting, standing.dropped) == (False, 0, 5)
    assert standing.last_error == "it failed with ValueError"
    assert play.said == ["list is told nothing any more: it failed with ValueError; see the log"]
    assert play.sink.attempts == 1
    assert play.sink.is_closed
    assert "hunter2" not in caplog.text
    assert "in emit" in caplog.text  # where it failed is there


async def test_a_fault_of_our_own_is_told_in_its_words() -> None:
    play = Play(ListSink())
    play.sink.faults = [ConfigError("the file is a link")]
    play.put(1)
    async with play.running():
        await play.sink.until(lambda: play.lane.standing.is_fenced)
    assert play.lane.standing.last_error == "it failed with ConfigError: the file is a link"


# -- the end ----------------------------------------------------------------------------------


async def test_at_the_end_what_waits_is_told() -> None:
    late = [100]
    play: Play = Play(ListSink(), settle=lambda: play.put(late.pop()) if late else None)
    async with play.running():
        await asyncio.sleep(0)
        play.put(*range(8))
    assert play.sink.ids == [*map(str, range(8)), "100"]
    assert play.sink.is_closed


async def test_a_sink_that_is_down_gets_one_more_try_at_the_end() -> None:
    rules = EgressRules(first_pause=60, longest_pause=60)
    play = Play(ListSink(), rules)
    play.sink.faults = down(1)
    play.put(1)
    async with play.running():
        await play.sink.until(lambda: play.sink.attempts == 1)
        await asyncio.sleep(0)
    assert play.sink.ids == ["1"]
    play = Play(ListSink(), rules)
    play.sink.faults = down(5)
    play.put(1)
    async with play.running():
        await play.sink.until(lambda: play.sink.attempts == 1)
        await asyncio.sleep(0)
    assert (play.sink.ids, play.sink.attempts) == ([], 2)


async def test_the_end_waits_for_no_sink_for_long(caplog: pytest.LogCaptureFixture) -> None:
    play = Play(HangingSink(), EgressRules(farewell=0.02))
    play.put(1, 2)
    started = asyncio.get_running_loop().time()
    async with play.running():
        await asyncio.sleep(0)
    assert asyncio.get_running_loop().time() - started < 1
    assert "hanging was never told of the last 2" in caplog.text


async def test_a_sink_that_swallows_the_end_does_not_live_on() -> None:
    class Deaf(ListSink):
        async def emit(self, payloads: Sequence[Payload]) -> None:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.01)
            await super().emit(payloads)

    play = Play(Deaf(), EgressRules(batch=1))
    play.put(1, 2)
    async with asyncio.timeout(10), play.running():
        await asyncio.sleep(0)
    assert (play.sink.ids, play.sink.is_closed) == (["1", "2"], True)


async def test_what_goes_wrong_with_closing_is_only_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clinging(ListSink):
        async def close(self) -> None:
            await asyncio.Event().wait()

    class Breaking(ListSink):
        async def close(self) -> None:
            raise OSError("token=hunter2")

    monkeypatch.setattr("ibkr_trader.execution.egress_lane._CLOSING", 0.01)
    for sink in (Clinging(), Breaking()):
        async with Play(sink).running():
            await asyncio.sleep(0)
    assert "list does not let go" in caplog.text
    assert "list could not be closed: OSError" in caplog.text
    assert "hunter2" not in caplog.text


async def test_a_failure_of_the_desk_comes_out_as_itself() -> None:
    """What `say` raises is a bug in a projection, and must end the trader."""

    def say(words: str) -> None:
        raise ZeroDivisionError(words)

    sink = ListSink()
    sink.faults = down(1)
    lane = Lane(sink, QUICK, clock=ManualClock(AT), say=say)
    lane.put(payload(1))
    with pytest.raises(ZeroDivisionError):
        async with alongside(lane.work()):
            await asyncio.Event().wait()
