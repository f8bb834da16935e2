"""A gateway that looks live: the simulator under an account id that no simulator has.

    python -m tests.scenarios.live_gateway FOLDER [ACCOUNT]

For tests alone: nothing in the program can start it, and it never listens on a port of TWS's.
Its door takes the acts of `gateway inject`; `port` in the folder says where it listens.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from ibkr_trader.sim.exchange import Exchange, ExchangeConfig
from ibkr_trader.sim.gateway.acts import Wire
from ibkr_trader.sim.gateway.doing import Doer
from ibkr_trader.sim.gateway.door import open_door
from ibkr_trader.sim.gateway.server import machine_time, serve_exchange
from ibkr_trader.sim.universe import load_universe

ACCOUNT = "U0000000"
OPENED = datetime(2026, 11, 20, 15, tzinfo=UTC)  # a Friday, 10:00 in New York
AAPL = 265598


async def main(folder: Path, account: str = ACCOUNT) -> None:
    """Serve until SIGTERM, with every message on record and AAPL at 150."""
    config = ExchangeConfig(opened_at=OPENED, account=account)
    exchange = Exchange(config, load_universe(OPENED.date()))
    exchange.market.set_quote(
        AAPL,
        bid=Decimal("149.99"),
        ask=Decimal("150.01"),
        bid_size=Decimal(1000),
        ask_size=Decimal(1000),
        last=Decimal("150.00"),
    )
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with serve_exchange(exchange) as server:
        doer = Doer(server, folder)
        doer(Wire())
        async with open_door(folder, doer):
            (folder / "port").write_text(str(server.port))
            ahead = server.engine.clock.now() - machine_time()
            (folder / "ahead").write_text(str(ahead.total_seconds()))
            sys.stdout.write("serving\n")
            sys.stdout.flush()
            await ended.wait()
        doer.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
