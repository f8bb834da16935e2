"""Managed trails on the stage: quotes and news in, changes and words out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from ibkr_trader.core import events as ev
from ibkr_trader.core.commands import Command, ModifyOrder
from ibkr_trader.core.enums import Side
from ibkr_trader.core.models import OrderId, Quote
from ibkr_trader.orders.group import Setting
from ibkr_trader.orders.managed_trails import ManagedTrail
from ibkr_trader.orders.trailing_stops import TrailingStopConfig
from ibkr_trader.risk.proposal import changed_spec
from tests.orders.samples import AAPL, ACCOUNT, GROUP, accepted, later, written

STOP = OrderId("memo-1-stop")
CENT = Decimal("0.01")


def config(**terms: Any) -> TrailingStopConfig:
    """Ask for a trail of three dollars behind ten AAPL."""
    known: dict[str, Any] = {"symbol": "AAPL", "quantity": Decimal(10)}
    if "trail_percent" not in terms:
        known["trail_amount"] = Decimal(3)
    return TrailingStopConfig(**(known | terms))


def setting(held: int = 10, mark: str | None = "150") -> Setting:
    at = None if mark is None else Decimal(mark)
    return Setting(GROUP, AAPL, ACCOUNT, mark=at, held=Decimal(held))


def quote(bid: str | None, ask: str | None = None, **more: Any) -> Quote:
    """Return a quote; the ask is a cent above the bid unless it is given."""
    low = None if bid is None else Decimal(bid)
    high = low + CENT if ask is None and low is not None else Decimal(ask or 0) or None
    return Quote(contract=AAPL, at=later(0), bid=low, ask=high, **more)


class Play:
    """A managed trail whose stop rests; the broker answers when it is told to."""

    def __init__(self, held: int = 10, **terms: Any) -> None:
        group = config(is_managed=True, **terms).group(setting(held))
        assert isinstance(group, ManagedTrail)
        self.group = group
        self.said: list[ev.GroupEvent] = []
        self.seconds = 0.0
        (spec,) = group.open().orders
        self.hear(written(spec, kind="managed-trail"), accepted(spec))
        self.hear(self.held())

    @property
    def at(self) -> Decimal:
        """Where the stop works, by the broker's word."""
        price = self.group.stop.spec.stop_price
        assert price is not None
        return price

    @property
    def messages(self) -> list[str]:
        return [word.message for word in self.said]

    def held(self) -> ev.StatusEvent:
        return ev.StatusEvent(
            at=later(self.seconds), order_id=STOP, is_working=False, held_for="trigger"
        )

    def hear(self, *events: ev.BaseEvent) -> list[Command]:
        asked: list[Command] = []
        for event in events:
            step = self.group.react(event)
            assert isinstance(step.group, ManagedTrail)
            self.group = step.group
            asked += step.commands
            self.said += [word for word in step.events if isinstance(word, ev.GroupEvent)]
        return asked

    def tick(self, bid: str, ask: str | None = None, *, after: float = 1.0, **more: Any) -> Any:
        """Let the market be there `after` seconds later; return the new stop, if one is asked."""
        self.seconds += after
        told = quote(bid, ask, **more)
        return self._price(
            self.hear(ev.PriceEvent(at=later(self.seconds), contract=AAPL, quote=told))
        )

    def stand(self, bid: str, ask: str | None = None) -> Any:
        """Let the market be there, twice, so that it is believed; answer what it asks for."""
        self.tick(bid, ask)
        first = self.answer()
        self.tick(bid, ask)
        return self.answer() or first

    def wait(self, seconds: float) -> Any:
        self.seconds += seconds
        return self._price(self.hear(ev.TimeEvent(at=later(self.seconds))))

    def answer(self) -> Decimal | None:
        """Let the broker take the change that was asked for last, if one was."""
        if self.last is None:
            return None
        spec = changed_spec(self.group.stop, self.last)
        self.last = None
        moment = later(self.seconds)
        self.hear(
            ev.ModifyEvent(at=moment, order_id=STOP, spec=spec, origin="trail"),
            accepted(spec, at=moment),
            self.held(),
        )
        return spec.stop_price

    last: ModifyOrder | None = None

    def _price(self, asked: list[Command]) -> Decimal | None:
        if not asked:
            return None
        (command,) = asked
        assert isinstance(command, ModifyOrder)
        assert command.order_id == STOP
        assert msgspec.structs.replace(command, stop_price=None) == ModifyOrder(
            order_id=STOP, origin="trail", is_cosmetic=True
        )
        self.last = command
        return command.stop_price


def side_of(held: int) -> Side:
    return Side.SELL if held > 0 else Side.BUY
