from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import pytest

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.ibkr.broker import IBKRBroker
from ibkr_trader.adapters.ibkr.connection import IBKRConnection, LinkSettings
from ibkr_trader.adapters.ibkr.market_data import IBKRMarketData
from ibkr_trader.core.events import BaseEvent
from tests.adapters.ibkr.stub_gateway import StubGateway

if TYPE_CHECKING:
    from collections.abc import Callable

E = TypeVar("E", bound=BaseEvent)


class Rig:
    """The adapter on a stub gateway, with everything that it has said so far."""

    def __init__(self, gateway: StubGateway, settings: LinkSettings) -> None:
        self.gateway = gateway
        self.connection = IBKRConnection(settings, clock=SystemClock(), jitter=lambda: 0.5)
        self.steps: list[str] = []
        self.broker = IBKRBroker(
            self.connection, install="k7qav", snapshot_timeout=0.5, on_frame=self.steps.append
        )
        self.market = IBKRMarketData(self.connection, timeout=1.0)
        self.events: list[BaseEvent] = []
        self._news = asyncio.Condition()

    async def listen(self) -> None:
        async for event in self.broker.events():
            async with self._news:
                self.events.append(event)
                self._news.notify_all()

    async def until(
        self, kind: type[E], is_it: Callable[[E], bool] = lambda _: True, *, after: int = 0
    ) -> E:
        """Wait for the first event of `kind` that `is_it`, beyond the first `after` events."""

        def found() -> E | None:
            matches = (e for e in self.events[after:] if isinstance(e, kind) and is_it(e))
            return next(matches, None)

        async with asyncio.timeout(5), self._news:
            await self._news.wait_for(lambda: found() is not None)
        event = found()
        assert event is not None
        return event

    def seen(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    async def settle(self) -> None:
        """Wait until everything that the gateway has written so far is read and told."""
        self.gateway.send(4, 2, -1, 9_999_999, f"mark {len(self.events)}", "")
        text = f"mark {len(self.events)}"
        await self.until(BaseEvent, lambda event: getattr(event, "message", "") == text)


@pytest.fixture
async def gateway() -> AsyncIterator[StubGateway]:
    """Return a stub that serves on a free port."""
    async with StubGateway().serving() as stub:
        yield stub


def settings_for(gateway: StubGateway, client_library: str, **changes: object) -> LinkSettings:
    """Return settings with short patience, so that a fault is seen within a test's time."""
    values: dict[str, object] = {
        "port": gateway.port, "client_library": client_library, "connect_timeout": 1.0,
        "max_attempts": 1, "backoff": 0.01, "backoff_max": 0.05, "heartbeat_every": 0.2,
        "heartbeat_timeout": 0.3,
    }  # fmt: skip
    return LinkSettings(**(values | changes))  # type: ignore[arg-type] # a table of settings


@asynccontextmanager
async def running(rig: Rig) -> AsyncIterator[Rig]:
    """Run the adapter until the block ends."""
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        await rig.connection.open()
        group.create_task(rig.connection.run())
        group.create_task(rig.listen())
        try:
            yield rig
        finally:
            rig.connection.close()


@pytest.fixture
async def rig(gateway: StubGateway, client_library: str) -> AsyncIterator[Rig]:
    """Return a connected adapter."""
    async with running(Rig(gateway, settings_for(gateway, client_library))) as built:
        yield built
