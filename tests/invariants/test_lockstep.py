"""S33 over real TCP: a schedule writes what it writes in memory, on the wire and in the journal."""

from __future__ import annotations

import time
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from ibkr_trader.adapters.ibkr import connection, requests
from ibkr_trader.adapters.ibkr.broker import IBKRBroker
from ibkr_trader.core.events import ConnectEvent
from tests.invariants.canonical import Written, exact, timeless
from tests.invariants.clock_judges import s33_same_writing
from tests.invariants.lockstep import IN_TURN, KILLED, QUIET, InstantWorld, TcpWorld, live
from tests.invariants.whole_world import WholeWorld

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.adapters.ibkr.requests import Question

    Patch = pytest.MonkeyPatch

SHORT = KILLED[:5]  # up and killed, and up again
DELAYS = (1, 2)  # seeds that they are drawn from


@cache
def over_tcp(name: str) -> WholeWorld:
    """Live a quiet day through the kernel, once for all tests."""
    return live(TcpWorld, QUIET[name])


@pytest.mark.parametrize("name", QUIET)
def test_s33_tcp_writes_what_memory_writes(name: str) -> None:
    days = [exact(over_tcp(name)), exact(live(InstantWorld, QUIET[name]))]
    assert s33_same_writing(days) == []


def test_s33_tcp_writes_the_same_again() -> None:
    days = [exact(over_tcp("killed")), exact(live(TcpWorld, QUIET["killed"]))]
    assert s33_same_writing(days) == []


@pytest.mark.parametrize("name", IN_TURN)
def test_s33_delays_change_no_order_and_no_record(name: str) -> None:
    delayed = [timeless(live(WholeWorld, QUIET[name], seed=seed)) for seed in DELAYS]
    days = [timeless(over_tcp(name)), *delayed]
    assert min(map(len, days[0])) > 3
    assert s33_same_writing(days) == []


def by_clock(patch: Patch) -> None:
    """What is asked at once leaves in an order that the machine's clock decides."""
    answered = IBKRBroker._answered

    async def shuffled(self: IBKRBroker, question: Question, frames: tuple[str, ...]) -> None:
        drawn = sorted(frames, key=lambda frame: hash((frame, time.perf_counter_ns())))
        await answered(self, question, tuple(drawn))

    patch.setattr(IBKRBroker, "_answered", shuffled)


def numbered_on(patch: Patch) -> None:
    """Questions are numbered on from whatever else this process has asked."""
    begun = requests.Requests.__init__
    numbers = count(requests.Requests().lease())

    def begin(self: requests.Requests) -> None:
        begun(self)
        patch.setattr(self, "lease", lambda: next(numbers))

    patch.setattr(requests.Requests, "__init__", begin)


@pytest.mark.parametrize("bug", [by_clock, numbered_on])
def test_s33_catches_what_is_not_of_the_schedule(
    bug: Callable[[Patch], None], monkeypatch: Patch
) -> None:
    bug(monkeypatch)
    assert s33_same_writing([exact(live(kind, SHORT)) for kind in (TcpWorld, InstantWorld)])


def counted_in_moments(patch: Patch) -> None:
    """The record of a connection says how long it took to come about."""

    def told(**facts: Any) -> ConnectEvent:
        return ConnectEvent(**facts | {"server_version": facts["at"].microsecond})

    patch.setattr(connection, "ConnectEvent", told)


def test_s33_catches_a_moment_that_is_told_as_something_else(monkeypatch: Patch) -> None:
    counted_in_moments(monkeypatch)
    assert s33_same_writing([timeless(live(kind, SHORT)) for kind in (InstantWorld, WholeWorld)])


def test_s33_a_day_that_ends_sooner_is_noticed() -> None:
    whole, short = Written(("a", "b"), ("c",)), Written(("a",), ("c",))
    assert s33_same_writing([whole, short]) == ["S33 day 2, wire: nothing more, and first: b"]
