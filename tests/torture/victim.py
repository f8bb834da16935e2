"""A trader that does things at random until it is killed.

    python -m tests.torture.victim DATA_DIR SEED [CHECKPOINT NTH]

It recovers first, as every process does, says `synced`, and goes on for ever. With a checkpoint it
kills itself there, at the n-th passage. What it does is drawn from its seed; when it is killed by
somebody else is not, and no seed could repeat that.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader import BracketOrderRequest, OrderRequest, OrderType, Side, open_desk
from ibkr_trader.config import load
from ibkr_trader.core.enums import TimeInForce
from ibkr_trader.core.errors import TraderError
from ibkr_trader.execution import recovery
from ibkr_trader.execution.closing import close_contract
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.placing import Wait
from ibkr_trader.orders.linked_orders import ScaleInRequest
from ibkr_trader.orders.trailing_stops import TrailingStopConfig
from ibkr_trader.portfolio import reconciliation
from tests.limits import roomy

if TYPE_CHECKING:
    from ibkr_trader.config import Settings
    from ibkr_trader.core.models import Order, Position
    from ibkr_trader.execution.desk import Desk

SYMBOLS = ("AAPL", "MSFT", "KO", "XOM")
PATIENCE = 5.0
GRACE = timedelta(milliseconds=50)  # a local gateway has no second thread that still holds an order
_CENT = Decimal("0.01")
_AT_ONCE = 3  # deeds that are under way together


def settings_of(data_dir: Path) -> Settings:
    """Return settings whose limits leave room, and shorten the wait for a proof of absence."""
    for module in (recovery, reconciliation):
        vars(module)["GRACE"] = GRACE  # a seam of tests alone
    found = load({"profile": "sim", "data_dir": str(data_dir)})
    risk = roomy(
        max_openings_per_second=10_000,
        max_openings_per_minute=100_000,
        max_openings_per_day=1_000_000,
        allow_shorts=True,
        duplicate_window=timedelta(microseconds=1),
    )
    return msgspec.structs.replace(found, risk=risk, timeout_seconds=PATIENCE)


class Deeds:
    """What the victim may do; each returns whatever became of it, and none is repeated."""

    def __init__(self, desk: Desk, dice: random.Random) -> None:
        self._desk, self._dice = desk, dice

    async def one(self) -> None:
        """Do something; what is denied or refused is part of the day."""
        dice, symbol = self._dice, self._dice.choice(SYMBOLS)
        held = [p for p in await self._desk.get_positions() if p.contract.symbol == symbol]
        orders = [o for o in await self._desk.get_open_orders() if not o.is_foreign]
        try:
            if held and dice.random() < 0.7:
                await dice.choice((self._add, self._end, self._tighten, self._trail))(held[0])
            elif orders and dice.random() < 0.2:
                await self._withdraw([o for o in orders if o.spec.role == "entry"])
            else:
                await self._enter(symbol)
        except (TraderError, ValueError):
            return

    async def _enter(self, symbol: str) -> None:
        dice, desk = self._dice, self._desk
        details = await desk.trader.learn(symbol)
        quote = await desk.trader.price(details.contract, timeout=1)
        if quote is None or quote.bid is None:
            return
        side, quantity = dice.choice((Side.BUY, Side.BUY, Side.SELL)), Decimal(dice.randint(1, 40))
        limit = None
        if dice.random() < 0.5:
            limit = (quote.bid * (1 + Decimal(dice.randint(-10, 10)) / 1000)).quantize(_CENT)
        base, step = limit or quote.bid, quote.bid * dice.randint(1, 3) / 100

        def leg(kind: OrderType, *, end: Side, price: Decimal | None) -> OrderRequest:
            return OrderRequest(
                symbol=symbol,
                side=end,
                quantity=quantity,
                order_type=kind,
                limit_price=price if kind is OrderType.LIMIT else None,
                stop_price=price if kind is OrderType.STOP else None,
                time_in_force=TimeInForce.DAY if kind is OrderType.MARKET else TimeInForce.GTC,
            )

        stop = (base - side.sign * step).quantize(_CENT)
        target = (base + side.sign * step).quantize(_CENT)
        wanted = BracketOrderRequest(
            parent=leg(OrderType.LIMIT if limit else OrderType.MARKET, end=side, price=limit),
            stop_loss=leg(OrderType.STOP, end=side.opposite, price=stop),
            take_profit=leg(OrderType.LIMIT, end=side.opposite, price=target),
        )
        await desk.submit_group(wanted, wait=dice.choice((Wait.NONE, Wait.ACCEPTED)))

    async def _add(self, held: Position) -> None:
        quantity = Decimal(self._dice.randint(1, 15))
        wanted = ScaleInRequest(symbol=held.contract.symbol, quantity=quantity)
        await self._desk.submit_group(wanted)

    async def _end(self, held: Position) -> None:
        await close_contract(self._desk.trader, held.contract, timeout=PATIENCE)

    async def _tighten(self, held: Position) -> None:
        for order in await self._stops(held):
            price = order.spec.stop_price
            if price is not None:
                nearer = price * (1 - order.spec.side.sign * Decimal("0.002"))
                await self._desk.modify_order(order.order_id, stop_price=nearer.quantize(_CENT))

    async def _trail(self, held: Position) -> None:
        if await self._stops(held):
            return
        wanted = TrailingStopConfig(
            symbol=held.contract.symbol,
            quantity=abs(held.quantity),
            trail_percent=Decimal(self._dice.randint(1, 3)),
        )
        await self._desk.submit_group(wanted)

    async def _withdraw(self, orders: list[Order]) -> None:
        if orders:
            await self._desk.cancel_order(self._dice.choice(orders).order_id)

    async def _stops(self, held: Position) -> list[Order]:
        orders = await self._desk.get_open_orders()
        mine = [o for o in orders if o.spec.contract == held.contract and not o.is_foreign]
        return [o for o in mine if o.spec.role.is_protective and o.spec.stop_price is not None]


async def main(data_dir: str, seed: str, checkpoint: str = "", nth: str = "0") -> None:
    """Live until the end."""
    left = int(nth)

    def reach(name: str) -> None:
        nonlocal left
        left -= name == checkpoint
        if name == checkpoint and left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    dice = random.Random(int(seed))  # noqa: S311 - a day, not a secret
    settings = settings_of(Path(data_dir))
    os.write(1, b"begun\n")
    async with open_desk(settings=settings, duty=Duty.FULL, reach=reach) as desk:
        os.write(1, b"synced\n")
        deeds = Deeds(desk, dice)
        while True:
            count = dice.randint(1, _AT_ONCE)
            await asyncio.gather(*(deeds.one() for _ in range(count)))
            await asyncio.sleep(dice.random() * 0.05)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
