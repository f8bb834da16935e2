"""One question that is asked again and again, and which of its answers is news.

What was handed over and settled is not handed over again while it stays the same: a source
that repeats itself each minute would use up what it may say. Whether a signal was seen before
is judged behind `take` all the same; nothing here outlives a restart.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol, TypeVar
from zoneinfo import ZoneInfo

from ibkr_trader.adapters.clock import SystemClock
from ibkr_trader.adapters.signals.flow_payloads import id_in, read_measure, read_prediction
from ibkr_trader.adapters.signals.json_reading import Unreadable, excerpt, read_object
from ibkr_trader.core.signals import Claim, Malformed
from ibkr_trader.core.trading_day import NEW_YORK

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from datetime import date
    from decimal import Decimal

    from ibkr_trader.adapters.signals.flow_payloads import MeasurePaths, PredictionPaths
    from ibkr_trader.adapters.signals.json_reading import Json
    from ibkr_trader.core.enums import SignalAction
    from ibkr_trader.core.signals import FlowClaim, Incoming

    _Same = tuple[str, SignalAction, Decimal, date]

T = TypeVar("T")


_ZONE = ZoneInfo(NEW_YORK)


class Crossing(Enum):
    """Which way a measure crosses its threshold, when that is news."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


class Feed(Protocol):
    """One question about one ticker."""

    @property
    def what(self) -> str:
        """What is asked for: `predictions of AAPL`."""

    @property
    def path(self) -> str:
        """Where it is asked for."""

    def news(self, data: bytes) -> Incoming | None:
        """Return what an answer has to be handed over, or None; the same until `settle`."""

    def settle(self, incoming: Incoming) -> None:
        """Take note that it was handed over, and that the reply is final."""


class Answers:
    """How the answers to one question are read.

    Args:
        source: The source's name.
        id_path: Where an answer has its id, for the case that nothing else can be read.
        most_bytes: How long an answer may be.
        depth: How deep it may be nested.
        counts: Where `malformed` and `repeated` are counted.
    """

    def __init__(
        self, source: str, *, id_path: str, most_bytes: int, depth: int, counts: Counter[str]
    ) -> None:
        self.counts = counts
        self._source = source
        self._id_path = id_path
        self._most_bytes = most_bytes
        self._depth = depth
        self._malformed: Malformed | None = None

    def read(self, data: bytes, translate: Callable[[dict[str, Json]], T]) -> T | Malformed | None:
        """Return an answer's claim; or why it is none, unless that is settled already."""
        payload: dict[str, Json] = {}
        try:
            payload = read_object(data, most_bytes=self._most_bytes, depth=self._depth)
            return translate(payload)
        except Unreadable as error:
            found = Malformed(
                source=self._source,
                message=error.message,
                excerpt=excerpt(data),
                signal_id=id_in(payload, self._id_path),
            )
        self.counts["malformed"] += 1
        return found if found != self._malformed else None

    def settle(self, incoming: Incoming) -> None:
        """Take note of what is settled."""
        self._malformed = incoming if isinstance(incoming, Malformed) else None


def new_york_today() -> date:
    """Return the date at the exchange, by this machine's clock."""
    return SystemClock().now().astimezone(_ZONE).date()


class PredictionFeed:
    """The latest prediction for a ticker, if it is confident enough, and another than before."""

    def __init__(
        self,
        ticker: str,
        *,
        source: str,
        path: str,
        paths: PredictionPaths,
        floor: Decimal,
        answers: Answers,
        today: Callable[[], date] = new_york_today,
    ) -> None:
        self.what = f"predictions of {ticker}"
        self.path = path
        self._ticker = ticker
        self._source = source
        self._paths = paths
        self._floor = floor
        self._answers = answers
        self._today = today
        self._settled: _Same | None = None

    def news(self, data: bytes) -> Incoming | None:
        """Return what an answer has to be handed over, or None; the same until `settle`."""
        found = self._answers.read(data, self._claim)
        if found is None or isinstance(found, Malformed):
            return found
        if found.confidence < self._floor:
            self._answers.counts["below_floor"] += 1
            return None
        if self._same(found) == self._settled:
            self._answers.counts["repeated"] += 1
            return None
        return found

    def settle(self, incoming: Incoming) -> None:
        """Take note that it was handed over, and that the reply is final."""
        self._answers.settle(incoming)
        if isinstance(incoming, Claim):
            self._settled = self._same(incoming)

    def _same(self, claim: Claim) -> _Same:
        """What makes a prediction another one than before; on another day one that stands is."""
        return (claim.signal_id, claim.action, claim.confidence, self._today())

    def _claim(self, payload: dict[str, Json]) -> Claim:
        return read_prediction(payload, self._paths, ticker=self._ticker, source=self._source)


class MeasureFeed:
    """A measure of the flow for a ticker: news when it crosses its threshold, and only then.

    On which side it stood before the first answer is not known, so that is no crossing.
    """

    def __init__(
        self,
        ticker: str,
        *,
        source: str,
        path: str,
        paths: MeasurePaths,
        measure: str,
        threshold: Decimal,
        crossing: Crossing,
        answers: Answers,
    ) -> None:
        self.what = f"{measure} of {ticker}"
        self.path = path
        self._measure = measure
        self._ticker = ticker
        self._source = source
        self._paths = paths
        self._threshold = threshold
        self._crossing = crossing
        self._answers = answers
        self._is_above: bool | None = None

    def news(self, data: bytes) -> Incoming | None:
        """Return what an answer has to be handed over, or None; the same until `settle`."""
        found = self._answers.read(data, self._claim)
        if found is None or isinstance(found, Malformed):
            return found
        is_above = found.value >= self._threshold
        unwanted = Crossing.DOWN if is_above else Crossing.UP
        if self._is_above in {None, is_above} or self._crossing is unwanted:
            self._is_above = is_above
            return None
        return found

    def settle(self, incoming: Incoming) -> None:
        """Take note that it was handed over, and that the reply is final."""
        self._answers.settle(incoming)
        if not isinstance(incoming, Malformed) and self._is_above is not None:
            self._is_above = not self._is_above

    def _claim(self, payload: dict[str, Json]) -> FlowClaim:
        return read_measure(
            payload,
            self._paths,
            ticker=self._ticker,
            source=self._source,
            measure=self._measure,
            threshold=self._threshold,
        )
