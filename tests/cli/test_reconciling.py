"""`reconcile`, `adopt` and `release` carried out by a running trader, for whoever asks it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.failure import Failure
from ibkr_trader.cli.remote import Sent
from ibkr_trader.config import Settings
from ibkr_trader.core.events import CloseRequestEvent, SyncEvent
from ibkr_trader.core.models import Position
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.placing import Wait
from tests.cli.serving_parts import Counter, counter, gone_after
from tests.execution.parts import AAPL, Floor
from tests.execution.test_guardian import Stranger, soon
from tests.scenarios.crash_child import bracket


def data(answer: Sent | Failure) -> dict[str, Any]:
    assert isinstance(answer, Sent), answer
    found: dict[str, Any] = msgspec.json.decode(answer.data)
    return found


async def bought(at: Counter, floor: Floor) -> None:
    """Buy by a bracket, and have a person sell all of it while nobody clears up."""
    at.desk.trader.guardian.duty = Duty.NONE
    await Desk(at.desk.trader).submit_group(bracket(), wait=Wait.FILLED)
    Stranger(floor, at.desk.trader).trade("SELL", 10)
    await soon(floor, at.desk.trader, lambda now: AAPL not in now.positions, seconds=0)


async def test_a_trader_plans_and_applies_for_whoever_asks(settings: Settings) -> None:
    floor = Floor()
    async with counter(settings, floor=floor) as at:
        await bought(at, floor)
        plan = await at("recover.reconcile", json=True)
        assert isinstance(plan, Sent)
        assert plan.exit is Exit.INCOMPLETE
        token = data(plan)["token"]
        done = await at("recover.reconcile", json=True, options={"apply": token})
        assert isinstance(done, Sent)
        assert (done.exit, data(done)["failed"]) == (Exit.DONE, [])
        assert not at.desk.trader.portfolio.orders
        told = [line for line in at.terminal.told if "- cancel orphan" in line]
        assert told
        again = await at("recover.reconcile", json=True, options={"apply": token})
        assert isinstance(again, Failure)
        assert again.code == "ticket"


async def test_a_trader_adopts_and_releases(settings: Settings) -> None:
    floor = Floor()
    async with counter(settings, floor=floor) as at:
        trader = at.desk.trader
        Stranger(floor, trader).trade("BUY", 10)
        await soon(floor, trader, lambda now: AAPL in now.positions, seconds=0)
        taken = await at("recover.adopt", json=True, options={"symbol": "AAPL", "stop": "3%"})
        assert (data(taken)["care"], data(taken)["is_covered"]) == ("adopted", True)
        left = await at("recover.release", json=True, options={"symbol": "AAPL"})
        assert (data(left)["released"], len(data(left)["orders"])) == (True, 1)


async def test_a_dry_run_releases_nothing_however_the_position_is_named(
    settings: Settings,
) -> None:
    async with counter(settings) as at:
        trader = at.desk.trader
        details = await trader.learn("AAPL261218C00150000")
        held = Position(
            account=trader.account,
            contract=details.contract,
            quantity=Decimal(2),
            average_cost=Decimal(5),
        )
        trader.record.witness([SyncEvent(at=trader.clock.now(), epoch=1, positions=(held,))])
        padded = {"symbol": "AAPL  261218C00150000"}
        dry = await at("recover.release", json=True, dry_run=True, options=padded)
        assert (data(dry)["released"], trader.portfolio.cares) == (False, {})
        stock = await at("recover.release", json=True, dry_run=True, options={"symbol": "AAPL"})
        assert isinstance(stock, Failure)
        assert "no AAPL is held" in stock.message
        done = await at("recover.release", json=True, options=padded)
        assert data(done)["released"] is True


@pytest.mark.parametrize("command", ["recover.release", "recover.adopt"])
async def test_what_is_being_closed_is_not_handed_over(settings: Settings, command: str) -> None:
    floor = Floor()
    async with counter(settings, floor=floor) as at:
        trader = at.desk.trader
        Stranger(floor, trader).trade("BUY", 10)
        await soon(floor, trader, lambda now: AAPL in now.positions, seconds=0)
        closing = CloseRequestEvent(
            at=trader.clock.now(),
            group_id=trader.new_group_id(),
            contract=trader.portfolio.positions[AAPL].contract,
            account=trader.account,
        )
        trader.record.write([closing])
        for dry_run in (True, False):
            refused = await at(command, json=True, dry_run=dry_run, options={"symbol": "AAPL"})
            assert isinstance(refused, Failure)
            assert (refused.code, refused.exit_code) == ("usage", Exit.USAGE)
            assert "AAPL is being closed" in refused.message


async def test_a_broker_who_goes_away_after_a_step_leaves_the_outcome_unknown(
    settings: Settings,
) -> None:
    floor = Floor()
    async with counter(settings, floor=floor) as at:
        await bought(at, floor)
        token = data(await at("recover.reconcile", json=True))["token"]
        gone_after(at, 1)
        said = await at("recover.reconcile", json=True, options={"apply": token})
        assert isinstance(said, Failure)
        assert (said.exit_code, said.code) == (Exit.UNKNOWN, "outcome_unknown"), said
        assert "cancel-" in said.message
        assert said.hint == "ibkr-trader reconcile"


async def test_a_broker_who_went_away_before_any_step_is_unreachable(settings: Settings) -> None:
    floor = Floor()
    async with counter(settings, floor=floor) as at:
        await bought(at, floor)
        token = data(await at("recover.reconcile", json=True))["token"]
        gone_after(at, 0)
        said = await at("recover.reconcile", json=True, options={"apply": token})
        assert isinstance(said, Failure)
        assert said.exit_code == Exit.UNREACHABLE
