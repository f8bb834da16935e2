"""What a rule sees is the picture as it stands, and nothing that nobody vouches for."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import TradingState
from ibkr_trader.execution.caring import release
from ibkr_trader.execution.moments import Moments
from ibkr_trader.execution.strategist import Strategist
from ibkr_trader.rules.moment import Account, Moment, Trigger
from tests.execution.parts import AAPL, START, Floor
from tests.execution.strategy_stage import ENTRY, StrategyFloor


def seen(desk: Strategist, owner: str = "") -> Moment:
    details = desk.trader.outlook.details(AAPL)
    assert details is not None
    moments = Moments(desk.trader, owner=lambda con_id: owner if con_id == AAPL else "?")
    return moments.at(details, Trigger.TIME)


async def test_a_flat_moment_has_its_price_its_hours_and_its_account() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        found = seen(desk)
        assert (found.symbol, found.now, found.trigger) == ("AAPL", START, Trigger.TIME)
        assert found.mark == Decimal("149.99")
        assert found.state is TradingState.ACTIVE
        assert found.session is not None
        assert found.session.opens <= START < found.session.closes
        assert found.zone is desk.trader.outlook.zone
        assert found.account.equity is not None
        assert found.account.positions == 0
        assert not found.holding.quantity
        assert found.holding.is_known
        assert not found.holding.is_entering
        assert (found.signal, found.flow, found.study) == (None, None, None)


@pytest.mark.parametrize(
    ("action", "held", "stop"), [("BUY", 10, "145.50"), ("SHORT", -10, "154.48")]
)
async def test_what_is_held_comes_with_its_stop_and_its_owner(
    action: str, held: int, stop: str
) -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        await desk.signals.take(floor.claim(action))
        entering = seen(desk)
        await floor.filled(desk, held)
        found = seen(desk, owner="mine")
        assert found.holding.quantity == held
        assert (found.holding.stop, found.holding.owner) == (Decimal(stop), "mine")
        assert found.holding.r is not None
        assert found.holding.book is not None
        assert not found.holding.is_entering
        assert not found.holding.is_leaving
        await release(desk.trader, "AAPL")
        assert seen(desk).holding.is_leaving
        assert found.account.positions == 1
        assert entering.holding.is_entering or entering.holding.quantity == held


async def test_without_a_link_nothing_of_the_market_or_the_account_is_told() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        await desk.signals.take(floor.claim())
        await floor.filled(desk, 10)
        desk.trader.bus.publish(ev.DisconnectEvent(at=floor.clock.now(), epoch=1, reason="gone"))
        found = seen(desk)
        assert (found.quote, found.account) == (None, Account())
        assert not found.holding.is_known


async def test_news_stand_under_their_kind() -> None:
    floor = StrategyFloor()
    signal = ev.PredictionSignalEvent(
        at=START, ticker="AAPL", source="t", signal_id="1", signal="BUY", confidence=Decimal(1)
    )
    flow = ev.FlowThresholdEvent(
        at=START, ticker="AAPL", source="t", signal_id="2", measure="m", value=Decimal(2),
        threshold=Decimal(1),
    )  # fmt: skip
    async with floor.strategist(ENTRY) as desk:
        details = desk.trader.outlook.details(AAPL)
        assert details is not None
        moments = Moments(desk.trader)
        one = moments.at(details, Trigger.SIGNAL, news=signal)
        other = moments.at(details, Trigger.FLOW, news=flow)
        assert (one.signal, one.flow) == (signal, None)
        assert (other.signal, other.flow) == (None, flow)
        assert one.holding.owner == ""


async def test_hours_are_found_in_any_order() -> None:
    async with Floor().trader() as trader:
        details = await trader.learn("AAPL")
        turned = details.liquid_sessions[::-1]
        assert len(turned) > 1
        mixed = msgspec.structs.replace(details, liquid_sessions=turned)
        found = [Moments(trader).at(one, Trigger.TIME).session for one in (details, mixed)]
        assert found[0] is not None
        assert found[0] == found[1]
