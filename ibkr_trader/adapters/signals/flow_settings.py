"""The settings of the options flow: whom to ask, for what, how often, and what is news."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated
from urllib.parse import quote

import msgspec

from ibkr_trader.adapters.settings import Seconds, SourceName, Text
from ibkr_trader.adapters.signals import claim_values
from ibkr_trader.adapters.signals.flow_feeds import Crossing
from ibkr_trader.adapters.signals.flow_payloads import MeasurePaths, PredictionPaths
from ibkr_trader.adapters.signals.json_reading import MAX_BYTES, MAX_DEPTH, Unreadable
from ibkr_trader.adapters.web_address import check_web_address

_TICKER = "{ticker}"


class MeasureSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A measure of the flow, and the threshold that it may cross.

    Attributes:
        threshold: In the measure's own unit.
        path: Where it is asked for; `{ticker}` stands for the ticker.
        value: Where in the answer it stands, as a dotted path.
        id: Likewise its name; may be empty.
        timestamp: Likewise when it was made; may be empty.
        ticker: Likewise whose it is; may be empty.
        crossing: Which way is news: `up` (reaching the threshold counts), `down` or `both`.
    """

    threshold: Decimal
    path: str
    value: str
    id: str = ""
    timestamp: str = ""
    ticker: str = "ticker"
    crossing: Crossing = Crossing.UP

    def __post_init__(self) -> None:
        if not self.threshold.is_finite():
            raise ValueError(f"threshold: {self.threshold} is no number")
        _check_path("path", self.path)
        self.paths()

    def paths(self) -> MeasurePaths:
        """Return where the values stand."""
        return MeasurePaths(
            value=self.value, id=self.id, timestamp=self.timestamp, ticker=self.ticker
        )


class TradesSettings(MeasureSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Unusual options trades: the premium that was paid."""

    path: str = "/trades/{ticker}/latest"
    value: str = "trades.premium"
    id: str = "trades.id"
    timestamp: str = "trades.timestamp"


class DivergenceSettings(MeasureSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far the options' delta has left the stock's price behind."""

    path: str = "/divergence/{ticker}/latest"
    value: str = "divergence.delta_divergence"
    id: str = "divergence.id"
    timestamp: str = "divergence.timestamp"


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to ask for predictions, for what, and how often.

    Attributes:
        url: Where the API is: https, unless it is on this machine.
        tickers: What is asked about, spelled as the API spells it.
        name: What the source is called.
        predictions: Where the latest prediction is asked for; `{ticker}` stands for the ticker.
        fields: Where in the answer its values stand.
        prediction_confidence_min: Below it, a prediction is counted and no more.
        trades: Unusual trades, if asked for.
        divergence: Options' delta against the stock's price, if asked for.
        poll_seconds: The pause between two questions about a ticker.
        timeout_seconds: How long a whole answer may take.
        max_backoff_seconds: The longest pause before what fails is asked again.
        max_body_bytes: How long an answer may be.
        max_depth: How deep it may be nested.
        token_env: The environment's variable that holds a bearer token, if one is needed.
    """

    url: Text
    tickers: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1, max_length=500)]
    name: SourceName = "api"
    predictions: str = "/predictions/{ticker}/latest"
    fields: PredictionPaths = PredictionPaths()
    prediction_confidence_min: Decimal = Decimal("0.75")
    trades: TradesSettings | None = None
    divergence: DivergenceSettings | None = None
    poll_seconds: Seconds = 60
    timeout_seconds: Seconds = 10
    max_backoff_seconds: Seconds = 900
    max_body_bytes: Annotated[int, msgspec.Meta(ge=1, le=1_048_576)] = MAX_BYTES
    max_depth: Annotated[int, msgspec.Meta(ge=1, le=16)] = MAX_DEPTH
    token_env: str = ""

    def __post_init__(self) -> None:
        try:
            check_web_address(self.url, is_base=True)
        except ValueError as error:
            raise ValueError(f"url: {error}") from None
        _check_path("predictions", self.predictions)
        floor = self.prediction_confidence_min
        if not (floor.is_finite() and 0 <= floor <= 1):
            raise ValueError(f"prediction_confidence_min: {floor} is not from 0 to 1")
        spelled = [_ticker(one) for one in self.tickers]
        if twice := {one for one in spelled if spelled.count(one) > 1}:
            raise ValueError(f"tickers: {min(twice)} stands there twice")

    def asked(self) -> list[tuple[str, str]]:
        """Return each ticker as the API spells it, with its name here."""
        return [(one, _ticker(one)) for one in self.tickers]


def path_for(template: str, ticker: str) -> str:
    """Return the path that asks about a ticker."""
    return template.replace(_TICKER, quote(ticker, safe=""))


def _ticker(text: str) -> str:
    try:
        return claim_values.ticker(text)
    except Unreadable as error:
        raise ValueError(f"tickers: {error.message}") from None


def _check_path(key: str, template: str) -> None:
    rest = template.replace(_TICKER, "", 1)
    fits = template.startswith("/") and rest != template and not set(rest) & set("{}#\\")
    if not fits or not template.isascii() or any(mark.isspace() for mark in template):
        raise ValueError(f"{key}: want a path with one {_TICKER} in it, such as /latest/{_TICKER}")
