"""Predictions and measures of the options flow, polled from an HTTP API.

One task a question: what fails is asked less and less often, and no other ticker waits for it.
Polling goes on for ever; that it fails is logged once, and again when it works.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.adapters.secret_text import NO_SECRET, secret_if_named
from ibkr_trader.adapters.settings import read_settings
from ibkr_trader.adapters.signals.flow_feeds import Answers, MeasureFeed, PredictionFeed
from ibkr_trader.adapters.signals.flow_settings import ApiSettings, path_for
from ibkr_trader.adapters.signals.health import Health, nobody
from ibkr_trader.adapters.signals.http_fetch import FetchFailed, fetching
from ibkr_trader.adapters.signals.registry import SOURCES
from ibkr_trader.core.pauses import growing
from ibkr_trader.core.signals import Malformed
from ibkr_trader.execution.tasks import alongside
from ibkr_trader.rules.admission import TOO_MANY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ibkr_trader.adapters.secret_text import Secret
    from ibkr_trader.adapters.signals.flow_feeds import Feed
    from ibkr_trader.core.signals import Incoming, SignalReply

logger = logging.getLogger(__name__)
PATH = "signals.api"
_JITTER = (1, 1.5)  # times a pause after a failure: many that failed together come apart


class OptionsFlowMonitor:
    """Monitors the options flow, and hands over what is news.

    Args:
        settings: Whom to ask, for what, and how often.
        token: What the API wants to see, if anything.
        chance: Spreads what failed at the same time.
        sleep: Waits for so many seconds.

    Attributes:
        thresholds: `prediction_confidence_min`, below which nothing is handed over.
    """

    def __init__(
        self,
        settings: ApiSettings,
        *,
        token: Secret = NO_SECRET,
        chance: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.thresholds = {"prediction_confidence_min": settings.prediction_confidence_min}
        self._settings = settings
        self._token = token
        self._chance = chance or random.Random()  # noqa: S311 - it guards nothing
        self._sleep = sleep
        self._counts: Counter[str] = Counter()
        self._one_at_a_time = asyncio.Lock()
        self._health = Health(settings.name, say=nobody)

    @property
    def name(self) -> str:
        """What its signals are called by."""
        return self._settings.name

    @property
    def trouble(self) -> str:
        """Why nothing comes of it; empty while it is well."""
        return self._health.trouble

    @property
    def counts(self) -> Mapping[str, int]:
        """How often what happened.

        `answers` and `failures` of the API; `handed_over`, `below_floor`, `repeated` and
        `malformed` of what it said.
        """
        return dict(self._counts)

    async def run(
        self,
        take: Callable[[Incoming], Awaitable[SignalReply]],
        *,
        say: Callable[[str], None] = nobody,
    ) -> None:
        """Poll for ever; see `SignalSource`."""
        settings = self._settings
        self._health = Health(self.name, say=say)
        questions = self._questions()
        async with fetching(
            settings.url,
            seconds=settings.timeout_seconds,
            most_bytes=settings.max_body_bytes,
            token=self._token,
        ) as fetch:
            polls = (
                self._poll(feed, fetch, take, first=settings.poll_seconds * n / len(questions))
                for n, feed in enumerate(questions)
            )
            async with alongside(*polls):
                await asyncio.Event().wait()

    async def _poll(
        self,
        feed: Feed,
        fetch: Callable[[str], Awaitable[bytes]],
        take: Callable[[Incoming], Awaitable[SignalReply]],
        *,
        first: float,
    ) -> None:
        """Ask one question for ever, beginning after `first` seconds."""
        failures = 0
        await self._sleep(first)
        while True:
            try:
                data = await fetch(feed.path)
            except FetchFailed as error:
                self._counts["failures"] += 1
                failures += 1
                self._health.worsen(f"{feed.what}: {error.reason}", of=feed.what)
                if failures == 1:
                    told = "Error polling %s: %s; it is tried again with growing pauses"
                    logger.error(told, feed.what, error.reason)  # noqa: TRY400 - the reason says it
            else:
                if failures:
                    logger.info("polling %s works again, after %s failures", feed.what, failures)
                self._counts["answers"] += 1
                failures = 0
                self._health.mend(of=feed.what)
                await self._hand_over(feed, data, take)
            await self._sleep(self._pause(failures))

    async def _hand_over(
        self, feed: Feed, data: bytes, take: Callable[[Incoming], Awaitable[SignalReply]]
    ) -> None:
        if (incoming := feed.news(data)) is None:
            return
        async with self._one_at_a_time:
            reply = await take(self._late(incoming))
        self._counts["handed_over"] += 1
        if reply.is_final and reply.code != TOO_MANY:  # that passes, and the next poll asks again
            feed.settle(incoming)

    def _late(self, incoming: Incoming) -> Incoming:
        """Whoever asks now and then hears of everything that much later."""
        if isinstance(incoming, Malformed):
            return incoming
        grace = timedelta(seconds=self._settings.poll_seconds)
        return msgspec.structs.replace(incoming, grace=grace)

    def _pause(self, failures: int) -> float:
        """Seconds until the next poll."""
        usual, most = self._settings.poll_seconds, self._settings.max_backoff_seconds
        if not failures:
            return usual
        return growing(failures, first=usual, most=most) * self._chance.uniform(*_JITTER)

    def _questions(self) -> list[Feed]:
        """Return all that is asked, the predictions of every ticker first."""
        settings = self._settings
        feeds: list[Feed] = [
            PredictionFeed(
                ticker,
                source=self.name,
                path=path_for(settings.predictions, spelled),
                paths=settings.fields,
                floor=self.thresholds["prediction_confidence_min"],
                answers=self._answers(settings.fields.id),
            )
            for spelled, ticker in settings.asked()
        ]
        for measure, wanted in (("trades", settings.trades), ("divergence", settings.divergence)):
            if wanted is not None:
                feeds += [
                    MeasureFeed(
                        ticker,
                        source=self.name,
                        path=path_for(wanted.path, spelled),
                        paths=wanted.paths(),
                        measure=measure,
                        threshold=wanted.threshold,
                        crossing=wanted.crossing,
                        answers=self._answers(wanted.id),
                    )
                    for spelled, ticker in settings.asked()
                ]
        return feeds

    def _answers(self, id_path: str) -> Answers:
        return Answers(
            self.name,
            id_path=id_path,
            most_bytes=self._settings.max_body_bytes,
            depth=self._settings.max_depth,
            counts=self._counts,
        )


@SOURCES.register("api")
def api(values: Mapping[str, Any]) -> OptionsFlowMonitor:
    """Make the monitor from its settings.

    Raises:
        ValueError: For a setting that is wrong; the message begins with its key.
    """
    settings = read_settings(values, ApiSettings, path=PATH)
    token = secret_if_named(settings.token_env, key=f"{PATH}.token_env")
    return OptionsFlowMonitor(settings, token=token)
