"""Quotes, built from ticks: one figure at a time arrives, a whole quote goes out."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from ibkr_trader.core.enums import DataType
from ibkr_trader.core.models import ZERO, Quote

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ibkr_trader.adapters.ibkr.messages import Tick

# TWS's tick type -> the field of a quote; from 66 on they are the delayed ones.
_PRICES: Mapping[int, str] = MappingProxyType(
    {1: "bid", 2: "ask", 4: "last", 9: "close", 66: "bid", 67: "ask", 68: "last", 75: "close"}
)
_SIZES: Mapping[int, str] = MappingProxyType(
    {0: "bid_size", 3: "ask_size", 69: "bid_size", 70: "ask_size"}
)
_SIZE_OF = MappingProxyType({"bid": "bid_size", "ask": "ask_size"})
# In shares, as bars of the past are, or in whatever unit the user has TWS send both
# (docs/live.md); so it is taken as it comes.
VOLUME = frozenset({8, 74})
_SHORTABLE = 46  # comes where generic tick 236 was asked for
_HALTED = 49
DELAYED_FROM = 66
DATA_TYPES: Mapping[int, DataType] = MappingProxyType(
    {1: DataType.LIVE, 2: DataType.FROZEN, 3: DataType.DELAYED, 4: DataType.DELAYED_FROZEN}
)


def with_tick(quote: Quote, tick: Tick, *, at: datetime) -> Quote | None:
    """Return `quote` after `tick`, or None if that says nothing of a quote."""
    changes: dict[str, Any] = {}
    if tick.tick_type in _PRICES:
        field = _PRICES[tick.tick_type]
        changes[field] = tick.value
        if field in _SIZE_OF:
            changes[_SIZE_OF[field]] = tick.size if tick.value is not None else None
    elif tick.tick_type in _SIZES:
        changes[_SIZES[tick.tick_type]] = tick.value
    elif tick.tick_type in VOLUME:  # no news of a price: the quote gets no younger by it
        is_told = tick.value is not None and tick.value >= ZERO  # -1: nobody says
        changes["at"] = quote.at
        changes["volume"] = tick.value if is_told else None
    elif tick.tick_type == _SHORTABLE:
        changes["shortable"] = tick.value
    elif tick.tick_type == _HALTED:
        changes["halted"] = tick.value is not None and tick.value > 0  # -1: nobody says
    else:
        return None
    if tick.tick_type >= DELAYED_FROM and quote.data_type is DataType.LIVE:
        changes["data_type"] = DataType.DELAYED
    return msgspec.structs.replace(quote, **{"at": at, **changes})
