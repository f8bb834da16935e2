"""The broker is asked again where a position report stays unexplained, and once in a while."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.errors import BrokerUnavailable
from ibkr_trader.core.models import Position
from ibkr_trader.execution.bus import EventBus
from ibkr_trader.execution.drift_watch import AGAIN, ROUND, DriftWatch
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.outlook import Outlook, RiskSettings
from ibkr_trader.sim.market_data import SimulatedMarketData
from tests.execution.parts import AAPL, Floor
from tests.execution.test_guardian import Stranger
from tests.orders.samples import AAPL as CONTRACT
from tests.orders.samples import spec

ACCOUNT = "SIM0000001"


class Inquiry:
    """A watch on a picture that knows of nothing held, and a broker that may not answer."""

    def __init__(self) -> None:
        self.bus, floor = EventBus(), Floor()
        self.clock, self.count, self.is_vain = floor.clock, 0, False
        self.outlook = Outlook(
            bus=self.bus,
            clock=self.clock,
            account=ACCOUNT,
            settings=RiskSettings(),
            market=SimulatedMarketData(floor.exchange, clock=self.clock),
        )
        self.watch = DriftWatch(
            bus=self.bus, clock=self.clock, outlook=self.outlook, look_up=self.ask
        )
        self.tell()

    def tell(self) -> None:
        """Let the broker tell everything, as it does at each snapshot."""
        self.bus.publish(ev.SyncEvent(at=self.clock.now(), epoch=1))

    async def ask(self) -> None:
        self.count += 1
        if self.is_vain:
            message = "the answer did not end"
            raise BrokerUnavailable(message)
        self.tell()

    async def after(self, seconds: float) -> int:
        """Return how often the broker has been asked once `seconds` have passed."""
        self.clock.advance(seconds)
        await self.watch.look()
        return self.count

    def differ(self) -> None:
        """Let the broker report a position that the picture knows nothing of."""
        position = Position(
            account=ACCOUNT, contract=CONTRACT, quantity=Decimal(4), average_cost=Decimal(150)
        )
        self.bus.publish(ev.PositionReportEvent(at=self.clock.now(), position=position))


@pytest.mark.parametrize("duty", list(Duty))
async def test_a_trade_by_hand_is_found_whatever_the_guardian_may_do(duty: Duty) -> None:
    floor = Floor()
    async with floor.trader(duty=duty) as trader:
        Stranger(floor, trader).trade("BUY", 10)
        found = await trader.until(lambda now: now.positions.get(AAPL), timeout=5)
        assert found is not None
        assert found.quantity == 10
        assert not trader.portfolio.drift


async def test_what_differs_is_asked_about_until_there_is_an_answer() -> None:
    inquiry = Inquiry()
    assert await inquiry.after(0) == 0
    inquiry.is_vain = True
    inquiry.differ()
    assert await inquiry.after(0) == 1
    assert await inquiry.after(AGAIN - 1) == 1, "with patience"
    assert await inquiry.after(1) == 2
    inquiry.is_vain = False
    assert await inquiry.after(AGAIN) == 3
    assert not inquiry.outlook.portfolio.drift
    inquiry.differ()
    assert await inquiry.after(0) == 4, "another difference does not wait for the last one"


async def test_what_is_called_filled_and_told_by_nothing_is_asked_about() -> None:
    inquiry = Inquiry()
    now, terms = inquiry.clock.now(), spec()
    for event in (
        ev.NewOrderEvent(at=now, order_id=terms.order_id, spec=terms),
        ev.DoneEvent(at=now, order_id=terms.order_id, filled=terms.quantity),
    ):
        inquiry.bus.publish(event)
    inquiry.is_vain = True
    assert await inquiry.after(0) == 1
    assert await inquiry.after(AGAIN - 0.1) == 1
    inquiry.is_vain = False
    assert await inquiry.after(0.1) == 2
    assert await inquiry.after(ROUND - 0.1) == 2, "positions have it"


async def test_the_broker_is_asked_now_and_then_in_case_its_news_has_stopped() -> None:
    inquiry = Inquiry()
    assert await inquiry.after(ROUND - 1) == 0
    inquiry.tell()  # because somebody else has asked
    assert await inquiry.after(ROUND - 1) == 0
    assert await inquiry.after(1) == 1
    inquiry.is_vain = True
    assert await inquiry.after(ROUND) == 2
    assert await inquiry.after(1) == 2, "not at every beat, though nobody answered"


async def test_a_running_trader_asks_by_itself() -> None:
    floor = Floor()
    async with floor.trader(duty=Duty.NONE) as trader:
        synced: list[ev.SyncEvent] = []
        trader.bus.subscribe(ev.SyncEvent, synced.append)
        floor.clock.advance(ROUND)
        assert await trader.until(lambda _: bool(synced) or None, timeout=10)


async def test_without_a_link_recovery_asks_and_nobody_else() -> None:
    inquiry = Inquiry()
    inquiry.bus.publish(ev.DisconnectEvent(at=inquiry.clock.now(), epoch=1, reason="gone"))
    inquiry.differ()
    assert await inquiry.after(2 * ROUND) == 0


async def test_who_is_about_to_look_asks_unless_the_broker_has_just_told() -> None:
    inquiry = Inquiry()
    inquiry.clock.advance(1.5)
    await inquiry.watch.freshen(2.0)
    assert inquiry.count == 0
    inquiry.clock.advance(1)
    await inquiry.watch.freshen(2.0)
    await inquiry.watch.freshen(2.0)
    assert inquiry.count == 1
