"""The figures of a trader that stays, told at a door of their own if the file asks for it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ibkr_trader.adapters.metrics.metrics_door import MetricsDoor
from ibkr_trader.cli.desk_figures import DeskFigures
from ibkr_trader.execution.metering import Metering
from ibkr_trader.execution.tasks import alongside

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ibkr_trader.cli.event_lines import EventLines
    from ibkr_trader.cli.face import Face
    from ibkr_trader.cli.trader_card import TraderCard
    from ibkr_trader.execution.desk import Desk


@asynccontextmanager
async def metered(
    face: Face, desk: Desk, lines: EventLines, *, card: TraderCard
) -> AsyncIterator[None]:
    """Tell figures for the length of the block, to whoever asks; nothing without `[metrics]`."""
    settings = face.settings()
    if settings.metrics is None:
        yield
        return
    metering = Metering(desk.trader)
    figures = DeskFigures(desk.trader, metering, card=card, profile=settings.profile.value)
    door = MetricsDoor(settings.metrics.port, families=figures.families)

    async def say() -> None:
        port = await door.opened()
        lines.say("Metrics", f"figures are told at http://127.0.0.1:{port}/metrics", port=port)

    async with alongside(metering.work(), door.run(), say()):
        yield
