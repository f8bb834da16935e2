from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.cli.deciding import taking, telling
from ibkr_trader.core import events as ev
from ibkr_trader.core.enums import Outcome
from ibkr_trader.core.signals import Malformed
from tests.execution.strategy_stage import ENTRY, StrategyFloor, told


@pytest.mark.parametrize(("age", "code"), [(1, ""), (40, "stale"), (-30, "future")])
async def test_in_the_simulator_a_producers_time_is_turned_into_its_own(
    age: int, code: str
) -> None:
    floor = StrategyFloor()  # whose time stands still, on a day in 2026
    made = SystemClock().now() - timedelta(seconds=age)
    async with floor.strategist(ENTRY) as desk:
        take = taking(desk, is_simulated=True)
        reply = await take(floor.claim(issued_at=made))
        assert reply.code == code


async def test_what_has_no_time_and_what_is_no_signal_is_left_as_it_is() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        take = taking(desk, is_simulated=True)
        assert (await take(floor.claim(issued_at=None))).outcome is Outcome.ACTED
        assert (await take(Malformed(source="test", message="no"))).code == "malformed"


async def test_with_a_real_gateway_times_are_as_they_are() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        take = taking(desk, is_simulated=False)
        made = floor.clock.now() - timedelta(seconds=31)
        assert (await take(floor.claim(issued_at=made))).code == "stale"
        also = await take(floor.claim(signal_id="s2", ticker="MSFT", confidence=Decimal("0.9")))
        assert also.code == "unknown_symbol"
        desk.signals.also = frozenset({"MSFT"})
        also = await take(floor.claim(signal_id="s3", ticker="MSFT", confidence=Decimal("0.9")))
        assert also.outcome is Outcome.NOTHING


async def test_what_is_said_of_a_source_is_on_record() -> None:
    floor = StrategyFloor()
    async with floor.strategist(ENTRY) as desk:
        telling(desk.trader)("no more signals come from file: standard input is read to its end")
        (found,) = told(desk.trader.journal, ev.ErrorEvent)
        assert (found.code, found.at) == (0, floor.clock.now())
        assert found.message.startswith("no more signals come from file")
