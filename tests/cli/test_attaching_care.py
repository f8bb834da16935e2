"""`d` and `n` of a dashboard at a real trader: what is shown first is what is then done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from ibkr_trader.cli.attaching import TraderLink
from ibkr_trader.cli.screen_rows import ScreenRows
from ibkr_trader.cli.serving import Clerk
from ibkr_trader.cli.trader_card import TraderCard
from ibkr_trader.core.enums import Care, TradingState
from ibkr_trader.core.events import AlarmEvent, StateEvent
from ibkr_trader.core.models import OrderId
from ibkr_trader.dashboard.effects import Act
from ibkr_trader.dashboard.inputs import Answered
from ibkr_trader.dashboard.model import Model
from ibkr_trader.dashboard.steps import READ
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.trader import Trader
from ibkr_trader.sim.orders import OrderTerms
from tests.adapters.control_parts import door
from tests.cli.serving_parts import own_commands, settings_in
from tests.dashboard.play import asking, desk, play, press, the_act, wait
from tests.execution.parts import AAPL, Floor
from tests.execution.test_guardian import Stranger, soon

LOST = OrderId("lost2-3-stop")


@pytest.fixture(autouse=True)
def entered() -> Iterator[None]:
    with own_commands():
        yield


async def nobody(question: str, is_typed: bool) -> str | None:
    raise AssertionError(question)


async def through(folder: Path, model: Model, key: str) -> Model:
    """Press a key, and have the trader answer what it asks."""
    model, effects = play(model, key)
    outcome = await TraderLink(folder, operator="anna").act(the_act(effects), answer=nobody)
    assert outcome.is_done, outcome
    model, _ = play(model, Answered(_call(effects), outcome))
    return wait(model, READ)[0]


def _call(effects: Sequence[object]) -> int:
    (act,) = effects
    assert isinstance(act, Act)
    return act.call


def seen(trader: Trader) -> Model:
    """The screen as it shows what the trader has."""
    rows = ScreenRows(lambda _: "")
    rows.follow(trader.portfolio, trader.outlook.details)
    return desk(*rows.orders.values(), positions=tuple(rows.positions.values()))


def place_lost_stop(floor: Floor) -> None:
    terms = OrderTerms(
        con_id=AAPL, action="SELL", quantity=Decimal(10), order_type="STP",
        aux_price=Decimal(140), tif="GTC", order_ref=LOST,
    )  # fmt: skip
    floor.exchange.place(1, 50, terms=terms, now=floor.clock.now())


async def test_alarms_are_noted_by_whoever_sits_there(tmp_path: Path) -> None:
    floor = Floor()
    with settings_in(tmp_path) as settings:
        async with floor.trader() as trader:
            clerk = Clerk(Desk(trader), settings, TraderCard(trader))
            halt = StateEvent(at=floor.clock.now(), state=TradingState.HALTED, reason="odd fills")
            trader.record.write([halt])
            await trader.until(lambda _: trader.alarming.standing or None, timeout=5)
            async with door(clerk.serve, watches=clerk.watches) as folder:
                model = await through(folder, seen(trader), "n")
                assert asking(model).title == "Take note of 1 alarm?"
                assert "odd fills" in asking(model).lines[0]
                assert trader.alarming.standing, "it is only shown"
                await through(folder, model, "y")
            assert trader.alarming.standing == ()
            noted = [m for _, m in trader.journal.messages() if isinstance(m, AlarmEvent)][-1]
            assert noted.seen_by == "anna"


async def test_a_lost_order_and_then_its_position_are_adopted(tmp_path: Path) -> None:
    floor = Floor()
    with settings_in(tmp_path) as settings:
        async with floor.trader() as trader:
            clerk = Clerk(Desk(trader), settings, TraderCard(trader))
            trader.client_id = 1  # as the exchange knows it
            Stranger(floor, trader).trade("BUY", 10)
            await soon(floor, trader, lambda now: AAPL in now.positions, seconds=0)
            place_lost_stop(floor)
            await trader.recovery.synchronize()
            async with door(clerk.serve, watches=clerk.watches) as folder:
                model = await through(folder, seen(trader), "d")
                assert (
                    asking(model).lines[1] == f"{LOST}: lost2-3-entry is not at the broker any more"
                )
                assert LOST not in trader.portfolio.orders, "it is only shown"
                await through(folder, model, "y")
                assert list(trader.portfolio.orders) == [LOST]
                model = await through(folder, press(seen(trader), "backtab"), "d")
                assert "would adopt +10 AAPL" in asking(model).lines[0]
                await through(folder, model, "y")
            assert trader.portfolio.cares[AAPL].care is Care.ADOPTED
            assert list(trader.portfolio.orders) == [LOST]
