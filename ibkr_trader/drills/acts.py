"""What others do in a story: a person at TWS, the market of one contract, and the broker.

Each act is done at once, and everybody has heard of it when it returns.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ibkr_trader.sim.floor_rules import Rejection
from ibkr_trader.sim.gateway.act_words import read_act
from ibkr_trader.sim.gateway.doing import Doer
from ibkr_trader.sim.gateway.fault_rules import Cut, Fault, When
from ibkr_trader.sim.orders import OrderTerms

if TYPE_CHECKING:
    from ibkr_trader.core.enums import Side
    from ibkr_trader.drills.still_gateway import StillGateway


class Hand:
    """A person who trades the same account at TWS."""

    def __init__(self, gateway: StillGateway, con_id: int) -> None:
        self._gateway = gateway
        self._hand = gateway.exchange.hand
        self._con_id = con_id

    async def order(self, side: Side, quantity: int, *, limit: str = "") -> None:
        """Place an order, at the market unless it has a limit."""
        terms = OrderTerms(
            con_id=self._con_id,
            action=side.value,
            quantity=Decimal(quantity),
            order_type="LMT" if limit else "MKT",
            limit_price=Decimal(limit) if limit else None,
        )
        await self._gateway.others(lambda now: self._hand.place(terms, now=now))

    async def close(self, quantity: int | None = None) -> None:
        """Close the position, or trade so much against it."""
        size = None if quantity is None else Decimal(quantity)
        await self._gateway.others(
            lambda now: self._hand.close(self._con_id, quantity=size, now=now)
        )

    async def modify(
        self, ref: str, *, quantity: Decimal | None = None, stop_price: Decimal | None = None
    ) -> None:
        """Change one of our orders."""
        perm_id = self._gateway.order(ref).perm_id
        await self._gateway.others(
            lambda now: self._hand.modify(
                perm_id, quantity=quantity, stop_price=stop_price, now=now
            )
        )

    async def cancel(self, ref: str) -> None:
        """Cancel one of our orders."""
        perm_id = self._gateway.order(ref).perm_id
        await self._gateway.others(lambda now: self._hand.cancel(perm_id, now=now))


class Floor:
    """The market of one contract."""

    def __init__(self, gateway: StillGateway, con_id: int) -> None:
        self._gateway = gateway
        self._exchange = gateway.exchange
        self._con_id = con_id

    async def quote(self, bid: str, ask: str, *, size: int = 1000, last: str = "") -> None:
        """Set the market, and let everybody act on it."""
        self._exchange.market.set_quote(
            self._con_id,
            bid=Decimal(bid),
            ask=Decimal(ask),
            bid_size=Decimal(size),
            ask_size=Decimal(size),
            last=Decimal(last or bid),
        )
        self._gateway.server.pulse()
        await self._gateway.quiet()

    async def rise(self, start: str, end: str, *, steps: int = 6) -> None:
        """Move the market from one price to another, a step each second."""
        low, high = Decimal(start), Decimal(end)
        for n in range(1, steps + 1):
            price = low + (high - low) * n / steps
            await self.quote(f"{price:.2f}", f"{price + Decimal('0.02'):.2f}")
            await self._gateway.wait(1)

    async def gap(self, price: str) -> None:
        """Have the market leap."""
        acts = self._exchange.floor_acts
        await self._gateway.others(
            lambda now: acts.gap(self._con_id, price=Decimal(price), now=now)
        )

    async def halt(self, *, on: bool = True) -> None:
        """Halt trading, or let it go on."""
        acts = self._exchange.floor_acts
        await self._gateway.others(lambda now: acts.halt(self._con_id, halted=on, now=now))

    async def trade(self, *refs: str, quantity: int | None = None) -> None:
        """Make working orders trade in one and the same moment; each so much, or whole."""
        forcing, ids = self._exchange.forcing, [self._gateway.order(ref).perm_id for ref in refs]
        size = None if quantity is None else Decimal(quantity)
        await self._gateway.others(
            lambda now: [
                event for name in ids for event in forcing.trade(name, quantity=size, now=now)
            ]
        )


class Broker:
    """What the broker does of itself, and the line to it."""

    def __init__(self, gateway: StillGateway) -> None:
        self._gateway = gateway
        self._acts = gateway.exchange.broker_acts

    async def cancel(self, ref: str, *, reason: str = "by the broker") -> None:
        """Take one of our orders away."""
        perm_id = self._gateway.order(ref).perm_id
        await self._gateway.others(lambda now: self._acts.time_out(perm_id, reason=reason, now=now))

    async def refuse(self, ref: str, *, times: int = 1, of_changes: bool = False) -> None:
        """Refuse the next orders, or changes of orders, of such a name."""
        rejection = Rejection(ref=ref, times=times, of_changes=of_changes)
        await self._gateway.others(lambda now: self._acts.reject(rejection, now=now))

    async def slow_oca(self, *types: int) -> None:
        """Have the links between exits of these OCA types work a second late."""
        await self._gateway.others(lambda now: self._acts.slow_oca(*types, now=now))

    async def correct(self, exec_id: str, *, price: str = "", quantity: str = "") -> None:
        """Correct an execution."""
        await self._gateway.others(
            lambda now: self._acts.correct(
                exec_id,
                price=Decimal(price) if price else None,
                quantity=Decimal(quantity) if quantity else None,
                now=now,
            )
        )

    async def bust(self, exec_id: str) -> None:
        """Take an execution back."""
        await self._gateway.others(lambda now: self._acts.bust(exec_id, now=now))

    async def lose_link(self) -> None:
        """Break the desk's connection off; it may come back within seconds."""
        self._gateway.faults.arm(Fault(when=When(names=("reqCurrentTime",)), act=Cut()))
        await self._gateway.quiet()

    async def befall(self, words: str) -> None:
        """Do to the gateway what `gateway inject` calls by these words."""
        Doer(self._gateway.server)(read_act(words.split()))
        await self._gateway.quiet()
