"""The door on this machine at which Prometheus asks for figures: `GET /metrics`, and no more.

    curl http://127.0.0.1:8752/metrics

It is the webhook's door with nothing to hand in: the same limits, and the same care about who
asks. Whatever goes wrong with an answer is told to who asked, and harms nobody else.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ibkr_trader.adapters.metrics.exposition import CONTENT_TYPE, exposition
from ibkr_trader.adapters.signals.http_door import Answer, Door, refused
from ibkr_trader.adapters.signals.http_exchange import HungUp, Refusal
from ibkr_trader.adapters.signals.webhook_requests import check_sender

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from ibkr_trader.adapters.signals.http_exchange import Exchange
    from ibkr_trader.portfolio.metric import Family

logger = logging.getLogger(__name__)
_LINES = 4
_SECONDS = 5.0


class MetricsDoor:
    """Tells figures to whoever asks from this machine, as long as `run` runs.

    Args:
        port: Where; 0 takes any that is free.
        families: Returns the figures as they are.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        port: int,
        *,
        families: Callable[[], Awaitable[Iterable[Family]]],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._door = Door(port=port, lines=_LINES, seconds=_SECONDS, sleep=sleep)
        self._families = families

    async def opened(self) -> int:
        """Wait until requests can come in, and return the port."""
        return await self._door.opened()

    async def run(self) -> None:
        """Answer requests for ever; a port that cannot be had is tried again."""
        await self._door.run(self._respond)

    async def _respond(self, exchange: Exchange) -> Answer:
        try:
            return await self._figures(exchange)
        except (Refusal, HungUp):
            raise
        except Exception:  # the edge of a face: figures are no reason to stop a trader
            logger.exception("the figures could not be told")
            return refused(500, "the figures could not be told; see the trader's log")

    async def _figures(self, exchange: Exchange) -> Answer:
        request = await exchange.head()
        check_sender(request, self._door.port)
        if request.target.partition(b"?")[0] != b"/metrics":
            raise Refusal(404, "there is GET /metrics")
        if request.method not in {b"GET", b"HEAD"}:
            raise Refusal(405, "GET is what is answered here")
        body = exposition(await self._families()).encode()
        return Answer(status=200, body=body, headers={"Content-Type": CONTENT_TYPE})
