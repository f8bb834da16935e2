"""What a prediction API answers, as claims. Somebody else's format: it may say more than we read.

    {"prediction": {"confidence": 0.82, "signal": "BUY", "stock_price": 187.32}}

A prediction without an id is named by what it says and when: asking again each minute finds the
same signal, whatever the price has done. One without a time stands: see `Claim.is_standing`.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, TypeVar

import msgspec

from ibkr_trader.adapters.signals import claim_values as values
from ibkr_trader.adapters.signals.json_reading import Unreadable, shown
from ibkr_trader.core.signals import Claim, FlowClaim

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from ibkr_trader.adapters.signals.json_reading import Json

_PATH = re.compile(r"[^.\s]+(?:\.[^.\s]+)*")
T = TypeVar("T")


class _Paths(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where in a payload each value stands: dotted paths; an empty one is not looked for."""

    id: str = ""
    timestamp: str = ""
    ticker: str = "ticker"

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            path = getattr(self, name)
            if not (_PATH.fullmatch(path) or (not path and name not in _NEEDED)):
                raise ValueError(f"{name}: {path!r} is no dotted path, such as prediction.signal")


_NEEDED = frozenset({"confidence", "signal", "value"})


class PredictionPaths(_Paths, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a prediction's values stand, each as a dotted path.

    Attributes:
        confidence: How sure it is, from 0 to 1.
        signal: What is wished.
        price: What the producer saw; an API without a price leaves it empty.
        id: The producer's own name for it; may be empty.
        timestamp: When it was made; may be empty.
        ticker: Whose it is, to be held against what was asked; may be empty.
    """

    confidence: str = "prediction.confidence"
    signal: str = "prediction.signal"
    price: str = "prediction.stock_price"
    id: str = "prediction.id"
    timestamp: str = "prediction.timestamp"


class MeasurePaths(_Paths, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a measure of the flow and what belongs to it stand."""

    value: str


def read_prediction(
    payload: Mapping[str, Json], paths: PredictionPaths, *, ticker: str, source: str
) -> Claim:
    """Return what a payload predicts for the ticker that it was asked about.

    Raises:
        Unreadable: If a value is missing, or is none; the message begins with its path.
    """
    _check_ticker(payload, paths, ticker)
    action = _needed(payload, paths.signal, values.action)
    confidence = _needed(payload, paths.confidence, values.confidence)
    price = _needed(payload, paths.price, values.price) if paths.price else None
    found = _read(payload, paths.id, values.name) or ""
    issued_at = _read(payload, paths.timestamp, values.moment)
    if not found and issued_at is not None:
        found = named_by(ticker, action, issued_at.isoformat())
    return Claim(
        source=source,
        signal_id=found,
        ticker=ticker,
        action=action,
        confidence=confidence,
        price=price,
        issued_at=issued_at,
        is_standing=not found,
    )


def read_measure(
    payload: Mapping[str, Json],
    paths: MeasurePaths,
    *,
    ticker: str,
    source: str,
    measure: str,
    threshold: Decimal,
) -> FlowClaim:
    """Return how a measure of the flow stands for the ticker that it was asked about.

    Raises:
        Unreadable: If a value is missing, or is none; the message begins with its path.
    """
    _check_ticker(payload, paths, ticker)
    value = _needed(payload, paths.value, values.number)
    issued_at = _read(payload, paths.timestamp, values.moment)
    found = _read(payload, paths.id, values.name) or named_by(
        ticker, _plain(value), _plain(threshold), issued_at.isoformat() if issued_at else ""
    )
    return FlowClaim(
        source=source,
        signal_id=f"{measure}:{found}",  # predictions and measures may count alike
        ticker=ticker,
        measure=measure,
        value=value,
        threshold=threshold,
        issued_at=issued_at,
    )


def named_by(*content: str) -> str:
    """Return a name made from the content: equal content, equal name, and no other's."""
    return f"sha256:{hashlib.sha256(chr(10).join(content).encode()).hexdigest()[:40]}"


def id_in(payload: Mapping[str, Json], path: str) -> str:
    """Return the id of a payload that is refused, if that much can be read."""
    try:
        return _read(payload, path, values.name) or ""
    except Unreadable:
        return ""


def _plain(value: Decimal) -> str:
    """A number in one way, however many zeros its producer wrote."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _check_ticker(payload: Mapping[str, Json], paths: _Paths, asked: str) -> None:
    if (found := _read(payload, paths.ticker, values.ticker)) not in {None, asked}:
        raise Unreadable(f"{paths.ticker}: it is about {found}, and {asked} was asked for")


def _needed(payload: Mapping[str, Json], path: str, read: Callable[[Json], T]) -> T:
    found = _read(payload, path, read)
    if found is None:
        raise Unreadable(f"{path}: missing")
    return found


def _read(payload: Mapping[str, Json], path: str, read: Callable[[Json], T]) -> T | None:
    """The value at `path`; None if there is none, or it is not looked for."""
    here: Json = dict(payload)
    steps = path.split(".") if path else []
    for done, step in enumerate(steps):
        if not isinstance(here, dict):
            raise Unreadable(f"{shown('.'.join(steps[:done]))}: it is no object")
        if (here := here.get(step)) is None:
            return None
    try:
        return read(here) if steps else None
    except Unreadable as error:
        raise Unreadable(f"{path}: {error.message}") from None
