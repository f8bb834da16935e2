"""A desk serves one family of requests within a session."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from ibkr_trader.sim.events import SimEvent
from ibkr_trader.sim.gateway.talk import Talk

Handlers = Mapping[type[msgspec.Struct], Callable[[Any], None]]


class Desk:
    """What every desk has; the defaults are of one that only answers questions."""

    handlers: Handlers

    def __init__(self, talk: Talk) -> None:
        self.talk = talk

    def hear(self, event: SimEvent) -> None:
        """Take news from the exchange."""

    def tick(self, now: datetime) -> None:
        """Send what is due at `now` to subscribers."""

    def close(self) -> None:
        """Give up every subscription."""
