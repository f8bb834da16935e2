"""1.A: more arrives than anybody can read, and a fill is in the midst of it."""

from __future__ import annotations

from time import thread_time
from typing import TYPE_CHECKING

from ibkr_trader.core.events import DisconnectEvent, FillEvent, PriceEvent
from ibkr_trader.sim.gateway.market_requests import ReqMktData
from tests.adapters.ibkr.stub_gateway import frame
from tests.bad_days.bad_lines import line_of, write_raw
from tests.bad_days.judges import assert_sound
from tests.bad_days.requests import single
from tests.bad_days.stage import AAPL, Day

if TYPE_CHECKING:
    import pytest

BURST = 50_000  # ticks
SOON = 0.050  # seconds of our own work; what other programs take of the machine is not ours
NEAR = 100_000  # bytes, of two million


class Reader:
    """What was read of the socket, and when the fill was in it and when it was in the books."""

    def __init__(self, day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
        self.read = 0
        self.arrived: tuple[float, int] = (0, 0)
        self.applied: tuple[float, int] = (0, 0)
        link = line_of(day).session.link
        self._pass_on = link.data_received
        monkeypatch.setattr(link, "data_received", self._hear)
        day.trader.bus.subscribe(FillEvent, self._filled)

    def _hear(self, data: bytes) -> None:
        if b"\0ISLAND\0" in data or b".01.01\0" in data:
            self.arrived = self.arrived if self.arrived[1] else (thread_time(), self.read)
        self.read += len(data)
        self._pass_on(data)

    def _filled(self, _: FillEvent) -> None:
        self.applied = (thread_time(), self.read)


def ticks(day: Day, count: int) -> bytes:
    """So many prices of AAPL in one piece, the last of them 149.98."""
    asked = [e.message for e in day.wire.sent("reqMktData")]
    (number,) = {one.req_id for one in asked if isinstance(one, ReqMktData)}
    pair = [frame(1, 6, number, 1, price, 100, 0) for price in ("149.97", "149.98")]
    return b"".join(pair) * (count // 2)


async def test_f_a13_a_fill_amid_a_flood_of_prices_is_in_the_books_at_once(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    await day.accepted(single(limit="149"))
    reader = Reader(day, monkeypatch)
    prices, half = len(day.news(PriceEvent)), ticks(day, BURST // 2)
    write_raw(day, half)
    forcing, perm_id = day.exchange.forcing, day.order("single").perm_id
    day.server.act(lambda _, now: forcing.trade(perm_id, now=now))
    write_raw(day, half)
    await day.quiet()
    assert reader.read > len(half) * 2
    assert reader.applied[1] - reader.arrived[1] < NEAR, "it does not wait for the flood to end"
    assert reader.applied[0] - reader.arrived[0] < SOON
    await day.wait(20)
    assert not day.news(DisconnectEvent), "the flood is no silence"
    assert len(day.news(PriceEvent)) - prices < BURST / 10, "of prices the newest count"
    assert_sound(day, AAPL, is_protected=False)
