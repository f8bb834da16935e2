"""One position from its first share to its last: enter, add, look, close.

Run it as it is: with nothing configured it trades at the bundled simulator.

    python examples/linked_position.py
"""

from __future__ import annotations

import asyncio
from decimal import Decimal

from ibkr_trader import (
    BracketOrderRequest,
    Desk,
    NotClosed,
    Order,
    OrderRequest,
    OrderType,
    OutcomeUnknown,
    Position,
    ScaleInRequest,
    Side,
    TraderError,
    Wait,
    close_contract,
    open_desk,
    protection,
)


def bracket(symbol: str, quantity: int, *, stop: str, target: str) -> BracketOrderRequest:
    """Buy at the market, give up at `stop`, take the gain at `target`."""
    size = Decimal(quantity)
    return BracketOrderRequest(
        parent=OrderRequest(symbol=symbol, side=Side.BUY, quantity=size),
        stop_loss=OrderRequest(
            symbol=symbol,
            side=Side.SELL,
            quantity=size,
            order_type=OrderType.STOP,
            stop_price=Decimal(stop),
        ),
        take_profit=OrderRequest(
            symbol=symbol,
            side=Side.SELL,
            quantity=size,
            order_type=OrderType.LIMIT,
            limit_price=Decimal(target),
        ),
    )


def told(orders: tuple[Order, ...]) -> str:
    """Return what became of orders, each with its size."""
    return ", ".join(f"{one.spec.role} {one.spec.quantity} {one.status}" for one in orders)


def look(desk: Desk, position: Position) -> None:
    """Say what protects a position: whoever placed the stops, only those that work count."""
    portfolio = desk.trader.portfolio
    guard = protection(position, portfolio.orders.values())
    held = abs(position.quantity)
    print(f"  {guard.covered} of {held} are covered; stop {guard.stop}, target {guard.target}")


async def trade(desk: Desk) -> None:
    """Hold ten, then fifteen under the same stop and target, then nothing."""
    request = bracket("AAPL", 10, stop="145", target="155")
    print("enter: ", told(await desk.submit_group(request, wait=Wait.FILLED)))

    await asyncio.sleep(1.1)  # one opening a second is the limit, unless [risk] says more
    more = ScaleInRequest(symbol="AAPL", quantity=Decimal(5))
    print("add:   ", told(await desk.submit_group(more, wait=Wait.FILLED)))

    for position in await desk.get_positions():
        look(desk, position)
        orders = await close_contract(desk.trader, position.contract, timeout=30)
        print("close: ", told(orders))
    print("held:  ", [f"{p.quantity} {p.contract.symbol}" for p in await desk.get_positions()])


async def main() -> None:
    """Trade, and say what went wrong if something did."""
    async with open_desk() as desk:
        try:
            await trade(desk)
        except OutcomeUnknown as unknown:
            print(f"it may be live, never send it again: {', '.join(unknown.order_ids)}")
        except NotClosed as trouble:
            print(f"still held: {trouble}")
        except TraderError as trouble:
            print(f"stopped: {trouble}")


if __name__ == "__main__":
    asyncio.run(main())
