"""What there is to say of a running trader: who it is, since when, and how it is connected."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ibkr_trader.cli.lights import LinkWatch
from ibkr_trader.cli.wording import when
from ibkr_trader.core.events import ConnectEvent, DisconnectEvent, ErrorEvent
from ibkr_trader.risk.gauges import at_stake

if TYPE_CHECKING:
    from datetime import datetime

    from ibkr_trader.cli.board import Board
    from ibkr_trader.cli.lights import Lights, Lit
    from ibkr_trader.cli.strategies import StrategyShelf
    from ibkr_trader.execution.ports import SignalSource
    from ibkr_trader.execution.trader import Trader
    from ibkr_trader.risk.view import RiskView


class TraderCard:
    """The trader as `status` tells of it.

    Attributes:
        since: When it was ready, by the desk's clock.
        connections: How many links it has had.
        board: What it keeps for screens; None where nobody may watch.
        shelf: Moves its strategies between market and shadow; None where there are none.
        sources: Where its signals come from.
    """

    board: Board | None = None
    shelf: StrategyShelf | None = None
    sources: tuple[SignalSource, ...] = ()

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self.since: datetime = trader.clock.now()
        self.connections = 1
        self._links = LinkWatch()
        trader.bus.subscribe(ConnectEvent, self._connected)
        trader.bus.subscribe(DisconnectEvent, self._links.hear)
        trader.bus.subscribe(ErrorEvent, self._links.hear)

    @property
    def groups(self) -> int:
        """How many groups it looks after."""
        return len(self._trader.groups.open_ids)

    @property
    def connection(self) -> str:
        """How it is connected, in words."""
        outlook = self._trader.outlook
        return self._links.words(outlook.portfolio.link, is_synced=outlook.is_synced)

    def lights(self, view: RiskView) -> Lights:
        """Return how the lines to the gateway and to IBKR stand, and the prices."""
        outlook = self._trader.outlook
        return self._links.three(
            view, is_synced=outlook.is_synced, restarting=outlook.book.restarting
        )

    def light_rows(self) -> list[tuple[str, str]]:
        """Return the three lights, for people."""
        view = self._trader.outlook.view()
        lights = self.lights(view)
        prices = _told(lights.data) if at_stake(view) else "none is needed"
        return [
            ("gateway", _told(lights.gateway)),
            ("IBKR", _told(lights.ibkr)),
            ("prices", prices),
        ]

    def words(self, *, utc: bool) -> str:
        """Return all of it, on one line for people."""
        groups = "1 group" if self.groups == 1 else f"{self.groups} groups"
        since = when(self.since, utc=utc)
        return f"process {os.getpid()} since {since}, {groups}, {self.connection}"

    def document(self) -> dict[str, Any]:
        """Return all of it, for scripts."""
        return {
            "pid": os.getpid(),
            "since": self.since,
            "groups": self.groups,
            "connection": self.connection,
            "connections": self.connections,
            "lights": {
                name: {"state": lit.light.value, "trouble": lit.trouble}
                for name, lit in self.lights(self._trader.outlook.view())._asdict().items()
            },
            "sources": [
                {
                    "name": one.name,
                    "trouble": one.trouble,
                    "counts": dict(one.counts),
                }
                for one in self.sources
            ],
        }

    def signal_rows(self) -> list[tuple[str, str]]:
        """Return where signals come from, for people, and which source is in trouble."""
        well = ", ".join(one.name for one in self.sources if not one.trouble)
        rows = [("signals", f"from {well}")] if well else []
        ill = [(one.name, one.trouble) for one in self.sources if one.trouble]
        return rows + [("NO SIGNALS", f"from {name}: {why}") for name, why in ill]

    def _connected(self, _: ConnectEvent) -> None:
        self.connections += 1


def _told(lit: Lit) -> str:
    return f"{lit.light.value}: {lit.trouble}" if lit.trouble else lit.light.value
