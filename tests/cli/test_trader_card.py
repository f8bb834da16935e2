"""What `status` says of a running trader: which of its lines is down, and that it came back."""

from __future__ import annotations

from ibkr_trader.cli.trader_card import TraderCard
from ibkr_trader.core import events as ev
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.placing import Wait
from ibkr_trader.execution.trader import Trader
from tests.execution.parts import START, Floor, request


def lose(trader: Trader, reason: str) -> None:
    epoch = trader.portfolio.link.epoch
    trader.bus.publish(ev.DisconnectEvent(at=START, epoch=epoch, reason=reason))


def states(card: TraderCard) -> dict[str, str]:
    return {name: lit["state"] for name, lit in card.document()["lights"].items()}


async def test_three_lights_are_told_apart() -> None:
    async with Floor().trader() as trader:
        card = TraderCard(trader)
        assert card.connection == "connected, in sync"
        assert card.light_rows() == [
            ("gateway", "up"),
            ("IBKR", "up"),
            ("prices", "none is needed"),
        ]
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        assert states(card) == {"gateway": "up", "ibkr": "up", "data": "up"}
        lose(trader, "1100 Connectivity is lost.")
        words = "IBKR is away (1100 Connectivity is lost); the gateway is up"
        assert card.document()["connection"] == words
        assert words in card.words(utc=True)
        assert states(card) == {"gateway": "up", "ibkr": "down", "data": "down"}
        assert card.light_rows() == [
            ("gateway", "up"),
            ("IBKR", "down: the gateway has lost IBKR: 1100 Connectivity is lost."),
            ("prices", "down"),
        ]


async def test_a_gateway_that_is_gone_is_the_first_light() -> None:
    async with Floor().trader() as trader:
        card = TraderCard(trader)
        await Desk(trader).submit_order(request(), wait=Wait.FILLED)
        lose(trader, "1100 Connectivity is lost.")
        gone = "still not connected: now the gateway is gone, too: EOF"
        trader.bus.publish(ev.ErrorEvent(at=START, code=0, message=gone))
        assert card.connection.startswith("lost: ")
        assert states(card) == {"gateway": "down", "ibkr": "unknown", "data": "down"}
        epoch, before = trader.portfolio.link.epoch + 1, card.connections
        trader.bus.publish(ev.ConnectEvent(at=START, epoch=epoch))
        assert card.connection == "connected, not in sync yet"
        assert card.connections == before + 1
