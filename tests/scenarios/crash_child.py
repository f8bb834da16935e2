"""A process that places one bracket and is killed at a checkpoint of the order path.

    python -m tests.scenarios.crash_child DATA_DIR CHECKPOINT

`SIGKILL` to itself: nothing is flushed, closed or said. Prints the checkpoints it passed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from decimal import Decimal

from ibkr_trader import BracketOrderRequest, OrderRequest, OrderType, Side, open_desk
from ibkr_trader.config import load
from ibkr_trader.execution.placing import Wait


def bracket(*, limit: Decimal | None = None) -> BracketOrderRequest:
    """The README's bracket; with a limit far below the market it rests instead of filling."""
    quantity = Decimal(10)
    return BracketOrderRequest(
        parent=OrderRequest(
            symbol="AAPL",
            side=Side.BUY,
            quantity=quantity,
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            limit_price=limit,
        ),
        stop_loss=OrderRequest(
            symbol="AAPL",
            side=Side.SELL,
            quantity=quantity,
            order_type=OrderType.STOP,
            stop_price=Decimal(145),
        ),
        take_profit=OrderRequest(
            symbol="AAPL",
            side=Side.SELL,
            quantity=quantity,
            order_type=OrderType.LIMIT,
            limit_price=Decimal(155),
        ),
    )


async def main(data_dir: str, checkpoint: str) -> None:
    """Place the bracket, dying at `checkpoint`."""
    passed: set[str] = set()

    def reach(name: str) -> None:
        os.write(1, f"{name}\n".encode())
        passed.add(name)
        # Answers (CP9 on) also come before anything is sent: those of the start do not count.
        if name == checkpoint and (name in {"CP1", "CP2"} or "CP2" in passed):
            os.kill(os.getpid(), signal.SIGKILL)

    settings = load({"profile": "sim", "data_dir": data_dir})
    async with open_desk(settings=settings, reach=reach) as desk:
        await desk.submit_group(bracket(), wait=Wait.FILLED)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
