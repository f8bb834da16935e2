"""The day's result in words."""

from __future__ import annotations

from decimal import Decimal

from ibkr_trader.cli.day_view import day_document, day_rows, price_held
from ibkr_trader.core import events as ev
from ibkr_trader.core.models import Contract, Position, Quote
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.trader import Trader
from tests.execution.parts import AAPL, START, Floor

CONTRACT = Contract(symbol="AAPL", con_id=AAPL)


def hold(trader: Trader, quantity: int) -> None:
    held = Position(
        account="SIM0000001",
        contract=CONTRACT,
        quantity=Decimal(quantity),
        average_cost=Decimal(150),
    )
    trader.record.witness([ev.SyncEvent(at=START, epoch=1, positions=(held,))])


async def test_what_has_no_price_is_unknown_and_named() -> None:
    async with Floor().trader() as trader:
        hold(trader, 10)
        desk = Desk(trader, timeout=5)
        assert day_rows(desk) == [
            ("day", "unknown: realised 0.00, open 0.00, commission 0.00"),
            ("day", "AAPL: no price for what is held"),
        ]
        document = day_document(desk)
        assert (document["net"], document["symbols"]) == (None, {"AAPL": None})
        await price_held(desk)
        assert day_document(desk)["net"] is not None


async def test_a_loss_is_shown_against_its_limit() -> None:
    async with Floor().trader() as trader:
        hold(trader, 10)
        quote = Quote(contract=CONTRACT, at=START, last=Decimal(140), close=Decimal(141))
        trader.outlook.confirm(AAPL, quote)
        assert day_rows(Desk(trader, timeout=5)) == [
            ("day", "-10.00: realised 0.00, open -10.00, commission 0.00"),
            ("day's loss", "10.00 of 1,000,000.00, 0 %"),
        ]
