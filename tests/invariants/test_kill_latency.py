"""S13: a halt behind a thousand queued requests, through the whole desk and over TCP.

Time is the loop's, so it does not depend on the machine; what counts is when bytes go to the
socket, and how many in any second.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from ibkr_trader.adapters.ibkr.lanes import Lane, Lanes
from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.core.errors import RiskCheckError
from tests.invariants import deeds, world
from tests.invariants.kill_judges import s13_latency
from tests.invariants.planted import connection_of, queue_data
from tests.invariants.world import AAPL, LIMITS, WiredWorld

if TYPE_CHECKING:
    from collections.abc import Iterator


ORDERS = 50
QUEUED = 1_000
CANCEL, PLACE = "4", "3"  # how TWS numbers the requests


class Wire:
    """When what went to the socket, by the loop's time."""

    def __init__(self, wired: WiredWorld) -> None:
        self.connection = connection_of(wired)
        self.frames: list[tuple[float, str]] = []
        lanes = self.connection.lanes
        write = lanes._write

        def noted(frame: str) -> None:
            self.frames.append((wired.loop.time(), frame))
            write(frame)

        lanes._write = noted

    def times(self, kind: str, since: float) -> list[float]:
        """Return how long after `since` each request of a kind left."""
        return [
            at - since
            for at, frame in self.frames
            if at >= since and frame.split("\0", 1)[0] == kind
        ]

    def most_in_a_second(self) -> int:
        times = [at for at, _ in self.frames]
        return max(sum(at <= other < at + 1 for other in times) for at in times)


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> Iterator[WiredWorld]:
    room = {
        "max_working_per_side": 1_000,
        "max_working": 1_000,
        "max_position_size": Decimal(100_000),
    }
    monkeypatch.setattr(WiredWorld, "limits", msgspec.structs.replace(LIMITS, **room))
    one = WiredWorld()
    yield one
    one.end()


def place(wired: WiredWorld) -> None:
    """Ask for fifty entries that will rest."""
    for number in range(ORDERS):
        price = Decimal(140) - Decimal(number) / 100
        wanted = deeds.request(AAPL, Side.BUY, 1, kind=OrderType.LIMIT, price=price)
        wired.do(wired.desk.submit_order(wanted))


def halted(wired: WiredWorld) -> tuple[Wire, list[float]]:
    """Halt with fifty entries at the exchange and a thousand requests waiting."""
    wired.boot()
    wire = Wire(wired)
    place(wired)
    wired.run(10)
    assert wired.trader is not None
    assert not wired.failures, wired.failures[0]
    assert len(wired.trader.portfolio.orders) == ORDERS

    queue_data(wire.connection, QUEUED)
    wired.run(0.9)  # its second is used up as far as may be
    waiting = len(wire.connection.lanes)
    assert waiting > QUEUED - 100
    began = wired.loop.time()
    wired.trader.halter.stop("odd fills", origin="cli")
    wired.run(3)
    return wire, wire.times(CANCEL, began)


def test_s13_the_first_cancels_overtake_everything(wired: WiredWorld) -> None:
    wire, waits = halted(wired)
    assert len(waits) == ORDERS
    assert s13_latency(waits, asked=ORDERS) == []
    assert wire.most_in_a_second() <= 45
    wired.run(5)
    assert not [o for o in wired.exchange.orders.working() if o.key.client_id == world.US]


def one_queue_for_all(patch: pytest.MonkeyPatch) -> None:
    """A cancel waits its turn behind whatever was asked before it."""
    put = Lanes.put
    patch.setattr(Lanes, "put", lambda self, parcel: put(self, replace(parcel, lane=Lane.DATA)))


def test_s13_catches_cancels_that_wait_their_turn(
    wired: WiredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_queue_for_all(monkeypatch)
    _, waits = halted(wired)
    assert s13_latency(waits, asked=ORDERS)


def test_s12_openings_that_wait_in_the_queue_never_leave(wired: WiredWorld) -> None:
    wired.boot()
    wire = Wire(wired)
    place(wired)
    wired.run(0.5)
    placed = len(wire.times(PLACE, 0))
    assert 0 < placed < ORDERS  # the others are approved, on record, and wait their turn
    assert wired.trader is not None
    began = wired.loop.time()
    wired.trader.halter.stop("odd fills", origin="cli", keeps_entries=True)
    wired.run(5)
    assert wire.times(PLACE, began) == []
    assert len(wire.times(PLACE, 0)) == placed
    states = [o.status.value for o in wired.trader.portfolio.closed.values()]
    assert states.count("NOT_SENT") == ORDERS - placed
    refused = [error for error in wired.failures if isinstance(error, RiskCheckError)]
    assert len(refused) == len(wired.failures) == ORDERS - placed
    assert "was not sent: HALTED: odd fills" in str(refused[0])
