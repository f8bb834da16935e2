"""A process that closes a position, or resets its account, and is killed on the way.

    python -m tests.scenarios.close_child DATA_DIR CHECKPOINT NTH close|reset

`SIGKILL` to itself at the n-th time that the order path passes the checkpoint: once for each
command, so the first is the cancel of the target, the second that of the stop, the third the
closing order. Prints the checkpoints it passed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from ibkr_trader import open_desk
from ibkr_trader.config import load
from ibkr_trader.execution.closing import close_contract
from ibkr_trader.execution.resetting import clear


async def main(data_dir: str, checkpoint: str, nth: int, *, resets: bool) -> None:
    """Close what is held, dying at the `nth` passage of `checkpoint`."""
    passed = 0

    def reach(name: str) -> None:
        nonlocal passed
        os.write(1, f"{name}\n".encode())
        passed += name == checkpoint
        if passed == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = load({"profile": "sim", "data_dir": data_dir})
    async with open_desk(settings=settings, reach=reach) as desk:
        if resets:
            await clear(desk.trader, timeout=20, tell=lambda _: None)
        (position,) = await desk.get_positions()
        await close_contract(desk.trader, position.contract, timeout=20)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), resets=sys.argv[4] == "reset"))
