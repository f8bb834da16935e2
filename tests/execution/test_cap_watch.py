"""A cap on what ends a position is told to a person; one on what opens it is only noted."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.core import events as ev
from ibkr_trader.core.models import OrderId
from ibkr_trader.execution.cap_watch import PRICE_CAPPED
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from tests.execution.parts import Floor
from tests.scenarios.crash_child import bracket

if TYPE_CHECKING:
    from ibkr_trader.execution.trader import Trader


def warn(trader: Trader, order_id: str, *, code: int = PRICE_CAPPED, reason: str = "") -> list[str]:
    """Let the broker remark on an order; return what is told of it."""
    told: list[str] = []
    trader.bus.subscribe(ev.ErrorEvent, lambda event: told.append(event.message))
    now = trader.clock.now()
    event = ev.WarningEvent(at=now, order_id=OrderId(order_id), code=code, reason=reason)
    trader.record.witness([event])
    return told


@pytest.mark.parametrize(
    ("exit_", "reason", "words"),
    [
        (1, "", "AAPL: 1-target may never fill, the broker holds it to a price of its own: its "),
        (2, "capped at 140", "AAPL: 1-stop may never fill, the broker holds it to a price of its "),
    ],
)
async def test_an_exit_is_told(exit_: int, reason: str, words: str) -> None:
    async with Floor().trader() as trader:
        orders = await Desk(trader).submit_group(bracket(), wait=Wait.FILLED)
        (told,) = warn(trader, orders[exit_].order_id, reason=reason)
        assert told.startswith(words)
        assert told.endswith(reason or "its price is capped")


async def test_what_opens_and_what_nobody_knows_and_other_words_are_not() -> None:
    async with Floor().trader() as trader:
        entry, _, stop = await Desk(trader).submit_group(bracket(limit=Decimal(148)))
        assert warn(trader, entry.order_id) == []
        assert warn(trader, "k7qav-9-stop") == []
        assert warn(trader, stop.order_id, code=399) == []
