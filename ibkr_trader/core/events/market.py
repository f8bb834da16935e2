"""What the market does: prices, volumes, bars, and what is computed of them."""

from __future__ import annotations

from decimal import Decimal
from typing import final

from ibkr_trader.core.events.root import BaseEvent
from ibkr_trader.core.models import Bar, Contract, Quote


class MarketEvent(BaseEvent, frozen=True, kw_only=True):
    """News of a contract's market."""

    contract: Contract


@final
class PriceEvent(MarketEvent, frozen=True, kw_only=True):
    """The quote changed; `quote` is all of it as it now stands."""

    quote: Quote


@final
class VolumeEvent(MarketEvent, frozen=True, kw_only=True):
    """The day's volume so far."""

    volume: Decimal


@final
class BarEvent(MarketEvent, frozen=True, kw_only=True):
    """A bar is complete."""

    bar: Bar


@final
class IndicatorEvent(MarketEvent, frozen=True, kw_only=True):
    """An indicator has a new value."""

    name: str
    value: Decimal
