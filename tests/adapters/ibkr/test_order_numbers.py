"""Which number is given out, and which may still leave: they do not leave as they were given."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.adapters.ibkr.lanes import Lane, Lanes, Parcel
from ibkr_trader.adapters.ibkr.order_numbers import OrderNumbers
from ibkr_trader.core.errors import BrokerUnavailable

NOTHING_KNOWN = {"next_valid": 1, "floor": 1, "seen": 0}


def test_what_is_given_out_is_above_all_that_is_known_and_all_that_was_given_out() -> None:
    numbers = OrderNumbers()
    assert numbers.reserve(2, **NOTHING_KNOWN) == (1, 2)
    assert numbers.reserve(1, next_valid=9, floor=4, seen=5) == (9,)
    assert numbers.reserve(1, next_valid=9, floor=40, seen=5) == (40,)
    assert numbers.reserve(1, next_valid=9, floor=4, seen=90) == (91,)
    assert numbers.reserve(3, **NOTHING_KNOWN) == (92, 93, 94), "one that was denied is used, too"


def test_what_cannot_be_given_out_takes_nothing() -> None:
    numbers = OrderNumbers()
    with pytest.raises(BrokerUnavailable, match="have reached"):
        numbers.reserve(1, next_valid=2**31, floor=1, seen=0)
    assert numbers.reserve(1, **NOTHING_KNOWN) == (1,)


def test_a_number_at_or_below_one_that_left_is_overtaken_and_says_by_which() -> None:
    numbers = OrderNumbers()
    assert numbers.overtaken(1) == ""
    numbers.leave(7)
    numbers.leave(5)
    assert numbers.overtaken(8) == ""
    for late in (7, 6):
        assert numbers.overtaken(late).startswith(f"order number 7 has left before number {late},")


@dataclass
class Port:
    """Lanes whose parcels are orders, as the broker packs them: those that open may stay here."""

    now: float = 100.0
    left: list[int] = field(default_factory=list)
    stayed: list[int] = field(default_factory=list)
    closings: list[int] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.numbers = OrderNumbers()
        self.lanes = Lanes(write=lambda frame: self.left.append(int(frame)))
        self.lanes.is_open = True

    def send(self, lane: Lane, size: int) -> None:
        found = self.numbers.reserve(size, **NOTHING_KNOWN)
        closes = lane is Lane.CLOSE
        self.closings += found if closes else ()
        self.entries += found if lane is Lane.OPEN else ()
        self.lanes.put(
            Parcel(
                lane,
                tuple(str(number) for number in found),
                objection=str if closes else lambda: self.numbers.overtaken(found[0]),
                on_sent=lambda: self.numbers.leave(found[-1]),
                on_dropped=lambda _: self.stayed.extend(found),
            )
        )

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while (delay := self.lanes.pump(self.now)) is not None and self.now + delay <= end:
            self.now += delay
        self.now = end


def traffic(*lanes: Lane) -> st.SearchStrategy[list[tuple[Lane, int, float]]]:
    """Orders of so many frames, each with the seconds that pass after it."""
    pauses = st.sampled_from([0.0, 0.0, 0.02, 0.3])
    return st.lists(st.tuples(st.sampled_from(lanes), st.integers(1, 4), pauses), max_size=120)


def sent(orders: list[tuple[Lane, int, float]]) -> Port:
    port = Port()
    for lane, size, pause in orders:
        port.send(lane, 1 if lane is Lane.DATA else size)
        port.run(pause)
    port.run(60.0)
    assert port.left == sorted(set(port.left))
    return port


@given(traffic(Lane.CLOSE, Lane.OPEN, Lane.OPEN, Lane.DATA))
def test_numbers_leave_in_ascending_order_and_what_closes_always_leaves(
    orders: list[tuple[Lane, int, float]],
) -> None:
    port = sent(orders)
    assert set(port.closings) <= set(port.left)
    assert sorted(port.left + port.stayed) == list(range(1, len(port.left + port.stayed) + 1))


@given(traffic(Lane.OPEN, Lane.OPEN, Lane.DATA))
def test_an_entry_is_overtaken_by_nothing_but_a_close(
    orders: list[tuple[Lane, int, float]],
) -> None:
    port = sent(orders)
    assert set(port.entries) <= set(port.left), "a question may stay here: it is asked again"
