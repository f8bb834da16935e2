"""Place a protected order from a program, and watch what becomes of it.

Run it as it is: with nothing configured it trades at the bundled simulator.

    python examples/submit_bracket.py
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

from ibkr_trader import (
    BracketOrderRequest,
    Fill,
    Order,
    OrderRejectedError,
    OrderRequest,
    OrderSpec,
    OrderType,
    OutcomeUnknown,
    RiskCheckError,
    Side,
    open_desk,
)


class Narrator:
    """Prints what happens to orders; any object with these three methods will do."""

    def on_order_status(self, order: Order) -> None:
        """Tell of every change of status."""
        print(f"  {order.order_id}: {order.status}")

    def on_fill(self, fill: Fill) -> None:
        """Tell of every execution."""
        print(f"  {fill.order_id}: {fill.side} {fill.quantity} @ {fill.price}")

    def on_order_rejected(self, order: Order, reason: str) -> None:
        """Tell of a refusal by the broker."""
        print(f"  {order.order_id}: rejected: {reason}")


def only_small(spec: OrderSpec) -> bool:
    """A risk check of our own, beside the built-in ones: True lets the order pass."""
    return spec.quantity <= 50


async def main() -> None:
    """Buy ten shares with a stop and a target, then look at what we hold."""
    entry = OrderRequest(symbol="AAPL", side=Side.BUY, quantity=Decimal(10))
    stop = OrderRequest(
        symbol="AAPL",
        side=Side.SELL,
        quantity=Decimal(10),
        order_type=OrderType.STOP,
        stop_price=Decimal(145),
    )
    target = OrderRequest(
        symbol="AAPL",
        side=Side.SELL,
        quantity=Decimal(10),
        order_type=OrderType.LIMIT,
        limit_price=Decimal(155),
    )
    async with open_desk(handlers=[Narrator()], risk_check=only_small) as desk:
        request = BracketOrderRequest(parent=entry, stop_loss=stop, take_profit=target)
        try:
            await desk.submit_group(request)
        except RiskCheckError as denied:
            print(f"denied, nothing was sent: {denied}")
        except OrderRejectedError as rejected:
            print(f"the broker refused: {rejected.reason}")
        except OutcomeUnknown as unknown:
            print(f"it may be live, never send it again: {', '.join(unknown.order_ids)}")
        for position in await desk.get_positions():
            print(f"we hold {position.quantity} {position.contract.symbol}")


if __name__ == "__main__":
    asyncio.run(main())
