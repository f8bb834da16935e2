from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.adapters.ibkr.lanes import BULK_RATE, KILL_RESERVE, RATE, Lane, Lanes, Parcel


class Wire:
    """Virtual time, and what was written at which moment."""

    def __init__(self) -> None:
        self.now = 100.0
        self.log: list[tuple[float, str]] = []
        self.lanes = Lanes(write=lambda frame: self.log.append((self.now, frame)))
        self.lanes.is_open = True

    def put(self, lane: Lane, *frames: str, key: str = "", spaced_by: str = "") -> None:
        self.put_parcel(Parcel(lane, frames, key=key, spaced_by=spaced_by))

    def put_parcel(self, parcel: Parcel) -> None:
        self.lanes.put(parcel)
        self.lanes.pump(self.now)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            delay = self.lanes.pump(self.now)
            if delay is None or self.now + delay > end:
                self.now = end
                return
            self.now += delay

    def times(self, prefix: str) -> list[float]:
        return [at for at, frame in self.log if frame.startswith(prefix)]


def noting(dropped: list[str], n: int) -> Callable[[str], None]:
    return lambda why: dropped.append(f"{n} {why}")


def most_in_a_second(times: list[float]) -> int:
    return max(sum(1 for other in times if at <= other < at + 1) for at in times)


def test_a_cancel_leaves_at_once_behind_a_thousand_data_requests() -> None:
    wire = Wire()
    for n in range(1000):
        wire.put(Lane.DATA, f"data{n}")
    wire.run(3.0)
    asked = wire.now
    for n in range(50):
        wire.put(Lane.CANCEL, f"cancel{n}")
    wire.run(2.0)
    waits = [at - asked for at in wire.times("cancel")]
    assert waits[0] <= 0.05
    assert waits[9] <= 0.25
    assert waits[49] <= 1.5


@pytest.mark.parametrize("before", [Lane.DATA, Lane.OPEN, Lane.ASK, Lane.MODIFY, Lane.CANCEL])
def test_s13_a_halt_behind_a_thousand_requests_of_any_lane(before: Lane) -> None:
    wire = Wire()
    for n in range(1000):
        wire.put(before, f"{before.name}{n}")
    wire.run(2.95)
    asked = wire.now
    for n in range(50):
        wire.put(Lane.KILL, f"KILL{n}")
    wire.run(2.0)
    waits = [at - asked for at in wire.times("KILL")]
    assert waits[0] <= 0.05
    assert waits[9] <= (0.25 if before in {Lane.DATA, Lane.OPEN} else 1.0)
    assert waits[49] <= 1.5
    assert most_in_a_second([at for at, _ in wire.log]) <= 45


def test_what_a_halt_has_overtaken_does_not_leave() -> None:
    wire = Wire()
    dropped: list[str] = []
    halted = ""
    for lane in (Lane.DATA, Lane.OPEN):
        for n in range(BULK_RATE):
            parcel = Parcel(lane, (f"{lane.name}{n}",), on_dropped=dropped.append)
            if lane is Lane.OPEN:
                parcel.objection = lambda: halted
            wire.put_parcel(parcel)
    wire.put_parcel(Parcel(Lane.CLOSE, ("close",)))
    halted = "HALTED: by hand"
    wire.run(3.0)
    assert not wire.times("OPEN")
    assert dropped == [halted] * BULK_RATE
    assert len(wire.times("DATA")) == BULK_RATE
    assert wire.times("close")


def test_no_second_has_more_than_forty_frames_and_bulk_no_more_than_thirty() -> None:
    wire = Wire()
    for n in range(200):
        wire.put(Lane.DATA, f"data{n}")
        wire.put(Lane.OPEN, f"open{n}")
        wire.put(Lane.CANCEL, f"cancel{n}")
        wire.run(0.01)
    wire.run(30.0)
    assert len(wire.log) == 600
    assert most_in_a_second([at for at, _ in wire.log]) <= RATE
    assert most_in_a_second(sorted(wire.times("data") + wire.times("open"))) <= BULK_RATE


def test_a_second_of_the_gateways_has_no_more_though_messages_travel_unevenly() -> None:
    wire = Wire()
    for n in range(200):
        wire.put(Lane.CANCEL, f"cancel{n}")
    wire.run(30.0)
    late = iter([0.05, 0.0] * len(wire.log))  # one burst is held up on its way, the next is not
    delays = {at: next(late) for at in dict.fromkeys(at for at, _ in wire.log)}
    arrivals = sorted(at + delays[at] for at, _ in wire.log)
    assert most_in_a_second(arrivals) <= RATE


def test_lanes_go_by_precedence() -> None:
    wire = Wire()
    wire.lanes.is_open = False
    for lane in reversed(Lane):
        wire.put(lane, lane.name)
    wire.lanes.is_open = True
    wire.run(1.0)
    assert [frame for _, frame in wire.log] == [lane.name for lane in Lane]


def test_a_group_leaves_in_one_turn_or_waits() -> None:
    wire = Wire()
    for n in range(BULK_RATE - 1):
        wire.put(Lane.OPEN, f"single{n}")
    wire.put(Lane.OPEN, "entry", "target", "stop")
    assert not wire.times("entry")
    wire.run(1.5)
    assert wire.times("entry") == wire.times("target") == wire.times("stop")


def test_data_does_not_take_the_room_that_a_group_waits_for() -> None:
    """One frame would fit where three do not: then data would leave for ever, a group never."""
    wire = Wire()
    for n in range(400):
        wire.put(Lane.DATA, f"early{n}")
        wire.run(1.1 / BULK_RATE)
    wire.put(Lane.OPEN, "entry", "target", "stop")
    asked = wire.now
    for n in range(100):
        wire.put(Lane.DATA, f"late{n}")
        wire.run(1.1 / BULK_RATE)
    assert [at - asked < 0.5 for at in wire.times("entry")] == [True]
    assert [frame for _, frame in wire.log].index("stop") < len(wire.times("early")) + 3


def test_the_newest_change_of_an_order_wins_and_changes_of_a_symbol_keep_a_second() -> None:
    wire = Wire()
    wire.put(Lane.MODIFY, "first", key="modify:1", spaced_by="AAPL")
    for price in range(20):
        wire.put(Lane.MODIFY, f"stop{price}", key="modify:1", spaced_by="AAPL")
    wire.put(Lane.MODIFY, "other", key="modify:2", spaced_by="MSFT")
    wire.run(3.0)
    assert [frame for _, frame in wire.log] == ["first", "other", "stop19"]
    first, second = wire.times("first")[0], wire.times("stop19")[0]
    assert 1.0 <= second - first <= 1.01


def test_what_waits_at_a_disconnect_is_dropped_and_says_so() -> None:
    wire = Wire()
    dropped: list[str] = []
    for n in range(80):
        wire.lanes.put(Parcel(Lane.OPEN, (f"open{n}",), on_dropped=noting(dropped, n)))
    wire.lanes.pump(wire.now)
    wire.lanes.clear("link lost")
    assert len(wire.log) == BULK_RATE
    assert dropped == [f"{n} link lost" for n in range(BULK_RATE, 80)]
    wire.lanes.is_open = True
    wire.run(5.0)
    assert len(wire.log) == BULK_RATE, "nothing is sent later"


def test_the_steps_of_a_group_are_those_where_a_crash_is_rehearsed() -> None:
    wire = Wire()
    steps: list[str] = []
    wire.lanes.put(
        Parcel(
            Lane.OPEN,
            ("entry", "target", "stop"),
            on_step=lambda step: steps.append(f"{step}@{len(wire.log)}"),
        )
    )
    wire.lanes.pump(wire.now)
    assert steps == ["CP4@0", "CP5@1", "CP6@1", "CP6@2", "CP7@3"]


def test_withdrawing_takes_a_parcel_back() -> None:
    wire = Wire()
    dropped: list[str] = []
    wire.lanes.is_open = False
    wire.lanes.put(Parcel(Lane.OPEN, ("a",), key="open:g", on_dropped=dropped.append))
    wire.lanes.withdraw("open:g", "cancelled")
    assert dropped == ["cancelled"]
    assert len(wire.lanes) == 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Lane)), st.integers(1, 4), st.sampled_from([0.0, 0.02, 0.3])
        ),
        max_size=120,
    )
)
def test_whatever_is_put_in_all_of_it_leaves_within_the_limits(
    traffic: list[tuple[Lane, int, float]],
) -> None:
    wire = Wire()
    for n, (lane, size, pause) in enumerate(traffic):
        wire.put(lane, *[f"{lane.name}-{n}-{i}" for i in range(size)])
        wire.run(pause)
    wire.run(60.0)
    assert len(wire.log) == sum(size for _, size, _ in traffic)
    if wire.log:
        assert most_in_a_second([at for at, _ in wire.log]) <= RATE + KILL_RESERVE
        rest = [at for at, frame in wire.log if not frame.startswith("KILL")]
        assert not rest or most_in_a_second(rest) <= RATE
