"""`demo`: the whole path on a gateway of its own, from nothing to a protected position.

Nothing of the user's is touched: state lives in a temporary folder, the gateway listens on
a free port, and both are gone at the end.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ibkr_trader import config
from ibkr_trader.adapters.private_files import private_folder
from ibkr_trader.app import open_desk
from ibkr_trader.cli import logs, output
from ibkr_trader.cli.bracket_ticket import exit_of
from ibkr_trader.cli.exits import Exit
from ibkr_trader.cli.face import Face
from ibkr_trader.cli.order_view import order_document, orders_table, sentence
from ibkr_trader.cli.position_view import position_document, positions_table
from ibkr_trader.cli.running import stay
from ibkr_trader.cli.screening import require_terminal
from ibkr_trader.cli.trading import title
from ibkr_trader.cli.wording import when
from ibkr_trader.core.contracts import label
from ibkr_trader.core.enums import OrderType, Side
from ibkr_trader.core.models import OrderRequest
from ibkr_trader.core.text import broker_words, price, quantity
from ibkr_trader.execution.placing import Wait
from ibkr_trader.orders.bracket_orders import BracketOrderRequest
from ibkr_trader.sim.gateway import background

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibkr_trader.cli.screening import Look
    from ibkr_trader.config import Place, Settings
    from ibkr_trader.core.models import Fill, Order
    from ibkr_trader.execution.desk import Desk

_PACE = 1.1  # seconds: the rate at which orders may be opened
COMMAND = "ibkr-trader bracket-order --symbol AAPL --quantity 10 --stop-loss 145 --take-profit 155"


class Narrator:
    """Tells what happens to orders, as it happens."""

    def __init__(self, face: Face) -> None:
        self._face = face

    def on_order_status(self, order: Order) -> None:
        """Tell of a new status."""
        words = f"{order.spec.role.value:<7}{sentence(order.spec):<32}{order.status.value}"
        self._face.tell(f"  {when(order.updated_at, utc=self._face.utc)}  {words}")

    def on_fill(self, fill: Fill) -> None:
        """Tell of an execution."""
        words = f"{quantity(fill.quantity)} {label(fill.contract)} @ {price(fill.price)}"
        self._face.tell(f"  {when(fill.at, utc=self._face.utc)}  filled {fill.side.value} {words}")

    def on_order_rejected(self, order: Order, reason: str) -> None:
        """Tell of a refusal."""
        self._face.tell(f"  rejected {order.order_id}: {broker_words(reason)}")


async def demonstrate(face: Face) -> output.Reply:
    """Start a gateway, place the bracket order, and reply with the protected position.

    Raises:
        TraderError: Whatever goes wrong on the way.
    """
    with _private_settings() as settings:
        face.tell("Starting a gateway simulator of its own (no account, no money) …")
        logs.start(private_folder(settings.place.folder), level=settings.log_level)
        async with open_desk(settings=settings, handlers=[Narrator(face)]) as desk:
            face.tell(f"{title(settings, desk)}  {when(desk.trader.clock.now(), utc=face.utc)}")
            face.tell(f"$ {COMMAND}")
            orders = await desk.submit_group(_bracket(), wait=Wait.FILLED)
            return _reply(face, desk, orders)


async def show(face: Face, look: Look) -> None:
    """Show the dashboard at a trader and a gateway of its own, with some orders to try keys on.

    Raises:
        UsageFault: Without a terminal.
        TraderError: Whatever goes wrong on the way.
    """
    require_terminal()
    with _private_settings() as settings:
        face.tell("Starting a gateway simulator and a trader of their own (no account, no money) …")
        logs.start(private_folder(settings.place.folder), level=settings.log_level)
        async with open_desk(settings=settings) as desk:
            await desk.submit_group(_bracket(), wait=Wait.FILLED)
            await asyncio.sleep(_PACE)
            await desk.submit_group(_entry(), wait=Wait.ACCEPTED)
            await stay(_OwnFace(settings, utc=face.utc), desk, look)


class _OwnFace(Face):
    """The face of a command that has made its settings itself."""

    def __init__(self, settings: Settings, *, utc: bool) -> None:
        super().__init__(utc=utc)
        self._settings = settings

    def place(self) -> Place:
        """Return the place of those settings, and nobody else's."""
        return self.settings().place


def _bracket() -> BracketOrderRequest:
    entry = OrderRequest(symbol="AAPL", quantity=Decimal(10), side=Side.BUY)
    return BracketOrderRequest(
        parent=entry,
        stop_loss=exit_of(entry, order_type=OrderType.STOP, price=Decimal(145)),
        take_profit=exit_of(entry, order_type=OrderType.LIMIT, price=Decimal(155)),
    )


def _entry() -> BracketOrderRequest:
    """An entry that waits below the market."""
    entry = OrderRequest(
        symbol="NVDA",
        quantity=Decimal(10),
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        limit_price=Decimal(132),
    )
    return BracketOrderRequest(
        parent=entry,
        stop_loss=exit_of(entry, order_type=OrderType.STOP, price=Decimal(125)),
        take_profit=exit_of(entry, order_type=OrderType.LIMIT, price=Decimal(150)),
    )


def _reply(face: Face, desk: Desk, placed: tuple[Order, ...]) -> output.Reply:
    portfolio = desk.trader.portfolio
    orders = [order for one in placed if (order := portfolio.order(one.order_id)) is not None]
    positions = list(portfolio.positions.values())
    working = list(portfolio.orders.values())
    documents = [position_document(position, working) for position in positions]
    is_good = bool(documents) and all(document["is_covered"] for document in documents)
    last = (
        "The position is protected at the broker: one exit cancels the other, even with us gone."
        if is_good
        else "The position is not protected: that should not happen here."
    )
    return output.Reply(
        schema="demo/1",
        data={"orders": [order_document(one) for one in orders], "positions": documents},
        blocks=[
            "",
            orders_table(orders, utc=face.utc),
            "",
            positions_table(positions, working),
            "",
            last,
            f"Now yours:  {COMMAND}",
        ],
        exit=Exit.DONE if is_good else Exit.INCOMPLETE,
    )


@contextmanager
def _private_settings() -> Iterator[Settings]:
    """Settings of a folder that is removed at the end, its gateway stopped."""
    with tempfile.TemporaryDirectory(prefix="ibkr-trader-demo-") as name:
        folder = Path(name).resolve()
        kept = ("IBKR_CLIENT_LIBRARY",)  # everything else of the user's stays out of it
        environ = {key: os.environ[key] for key in kept if key in os.environ}
        environ["IBKR_CONFIG"] = str(folder / "config.toml")
        (folder / "config.toml").touch(mode=0o600)
        settings = config.load(
            {"profile": "sim", "data_dir": str(folder)}, environ=environ, cwd=folder
        )
        try:
            yield msgspec.structs.replace(settings, is_passing=True)
        finally:
            background.stop(settings.place.simulator)
            logs.stop()
