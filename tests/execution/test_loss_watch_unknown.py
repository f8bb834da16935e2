"""What halts while a part of the day's result is unknown, and what is said of that part."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.contracts import contract_of
from ibkr_trader.core.models import Position, Quote
from ibkr_trader.portfolio.ledger_fold import priced, with_books
from ibkr_trader.portfolio.pnl import UNPRICED
from ibkr_trader.portfolio.positions import Book
from tests.bad_days.stage import AAPL
from tests.execution.test_loss_watch import denied, fall_to, floor, halts, hold, limits

if TYPE_CHECKING:
    from tests.bad_days.stage import Day

__all__ = ["floor"]  # a fixture
D = Decimal


def ours(day: Day, con_id: int, *, cost: str = "100", **changes: Any) -> None:
    """Say that something is held as well, which nobody has bought here."""
    portfolio = day.trader.outlook.portfolio
    contract = msgspec.structs.replace(portfolio.positions[AAPL].contract, con_id=con_id, **changes)
    held = Position(account="SIM0000001", contract=contract, quantity=D(1), average_cost=D(cost))
    books = {**portfolio.books, con_id: Book.of(held)}
    day.trader.outlook.portfolio = with_books(portfolio, books)


async def test_the_rest_halts_while_one_contract_has_no_price(floor: Day) -> None:
    async with floor.open_desk(limits=limits()):
        await hold(floor)
        ours(floor, 9999, symbol="NVDA")
        assert floor.trader.outlook.pnl.net is None
        assert "daily_loss" in await denied(floor)  # as long as it is unknown nothing is opened
        await fall_to(floor, "139.90")
        assert halts(floor) == [("HALTED", "", "daily_loss")]
        (loss,) = floor.news(ev.LossEvent)
        assert loss.message.endswith("of its limit of 100.00, without NVDA (" + UNPRICED + ")")


async def test_what_stays_unknown_is_said_once(floor: Day) -> None:
    def said() -> list[str]:
        return [e.message for e in floor.news(ev.ErrorEvent) if "wholly" in e.message]

    async with floor.open_desk(limits=limits()):
        await hold(floor)
        ours(floor, 9999, symbol="NVDA")
        for number in range(7):
            await fall_to(floor, f"149.{60 + number}")
            await floor.wait(8)
        assert said() == []
        for number in range(12):
            await fall_to(floor, f"149.{70 + number}")
            await floor.wait(8)
        (one,) = said()
        assert one == (
            f"the day's result is not wholly known: NVDA ({UNPRICED}); nothing is opened "
            "meanwhile, and its limits go by the rest"
        )
        ours(floor, 9998, symbol="7203", currency="JPY")
        for number in range(12):
            await fall_to(floor, f"149.{60 + number}")
            await floor.wait(8)
        assert len(said()) == 2
        assert "7203 (nothing here converts JPY)" in said()[1]


async def test_a_close_that_comes_behind_the_first_price_halts_nothing(floor: Day) -> None:
    """Held for years at 300: between its price and its close it looks like a great loss."""
    async with floor.open_desk(limits=limits()):
        await hold(floor)
        outlook = floor.trader.outlook
        for con_id, symbol, bid in ((9998, "META", "149.90"), (9999, "NVDA", "149.80")):
            ours(floor, con_id, symbol=symbol, cost="300")
            quote = Quote(contract=contract_of(symbol), at=floor.time.now(), last=D(150))
            outlook.portfolio = priced(outlook.portfolio, con_id, quote, at=floor.time.now())
            assert outlook.pnl.known < -140
            await floor.quote(bid, "149.92")
            await floor.wait(1)
            assert halts(floor) == []
            if symbol == "META":
                closed = msgspec.structs.replace(quote, close=D(150))
                outlook.portfolio = priced(outlook.portfolio, con_id, closed, at=floor.time.now())
                await floor.wait(5)
                assert halts(floor) == []
        await floor.wait(3)  # nobody says a close: then the cost counts
        assert halts(floor) == [("HALTED", "", "daily_loss")]
