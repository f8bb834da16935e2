"""A whole desk at a gateway whose time stands still: `app.open_desk` without what is outside.

The parts are the same, and so is the order path. What is left out is what would reach beyond the
sandbox: the lock of the account, the lease, sources, sinks, and arming, for no money is at stake.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader.adapters.ibkr.broker import IBKRBroker
from ibkr_trader.adapters.ibkr.connection import IBKRConnection, LinkSettings
from ibkr_trader.adapters.ibkr.market_data import IBKRMarketData
from ibkr_trader.adapters.journal import SessionHeader, SqliteJournal
from ibkr_trader.core import events as ev
from ibkr_trader.execution.desk import Desk
from ibkr_trader.execution.guardian import Duty
from ibkr_trader.execution.skew_watch import in_step
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.execution.trader import Trader
from ibkr_trader.risk.guard import RiskGuard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from ibkr_trader.drills.still_gateway import StillGateway
    from ibkr_trader.execution.outlook import RiskSettings
    from ibkr_trader.orders.cover_orders import CoverRules


class DeskTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a desk in a sandbox runs by.

    Attributes:
        journal: Its file.
        risk: Its limits.
        protection: What it does about a position of ours that no stop covers.
        link: How it connects; the port is the sandbox's, whatever stands there.
        patience: How long it waits for the broker's answers, in seconds.
        equip: Gives it more parts before it runs.
    """

    journal: Path
    risk: RiskSettings
    protection: CoverRules
    link: LinkSettings
    patience: float
    equip: Callable[[Trader], None]


@asynccontextmanager
async def still_desk(gateway: StillGateway, terms: DeskTerms) -> AsyncIterator[Desk]:
    """Open a desk for the length of the block; the second one on a journal is a restart.

    Raises:
        JournalError: If the journal cannot be used.
        BrokerUnavailable: If the gateway does not tell the whole truth.
    """
    async with AsyncExitStack() as stack:
        header = SessionHeader(version="0", config_hash="", command="drill", user="nobody")
        journal = stack.enter_context(
            SqliteJournal(terms.journal, clock=gateway.time, header=header)
        )
        link = msgspec.structs.replace(terms.link, host="127.0.0.1", port=gateway.server.port)
        connection = IBKRConnection(link, clock=gateway.time, jitter=lambda: 0.5)
        await connection.open()
        await stack.enter_async_context(alongside(connection.run()))
        stack.callback(connection.close)
        broker = IBKRBroker(connection, install=journal.state.install)
        trader = Trader(
            broker=broker,
            market=IBKRMarketData(connection),
            journal=journal,
            clock=gateway.time,
            account=connection.account,
            guard=RiskGuard(),
            settings=terms.risk,
            ack_timeout=terms.patience,
            protection=terms.protection,
            duty=Duty.FULL,  # as a trader that stays running
        )
        trader.client_id = terms.link.client_id
        trader.outlook.book.skew, broker.objection = in_step, trader.halter.objection
        terms.equip(trader)
        trader.bus.subscribe(ev.BaseEvent, gateway.heard.append)
        gateway.attend(connection, trader)
        stack.callback(gateway.attend, None)
        await stack.enter_async_context(trader.running())
        stack.callback(gateway.attend, None)  # one that ends, or has failed, says nothing more
        yield Desk(trader, timeout=terms.patience)
