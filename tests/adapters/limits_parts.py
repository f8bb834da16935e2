"""Limits files as they may be, for the tests that read, write and damage them."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from hypothesis import strategies as st

from ibkr_trader.risk.limits import LIMIT_KEYS, SymbolLimitRegistry, SymbolLimits

NAMES = ("AAPL", "MSFT", "BRK B", "V")


def _amounts(key: str) -> st.SearchStrategy[Decimal | None]:
    places = 0 if key == "max_position_size" else 4
    return st.none() | st.decimals(
        min_value=Decimal(1).scaleb(-places),
        max_value=Decimal(20_000),
        places=places,
        allow_nan=False,
        allow_infinity=False,
    )


@cache  # one is made of a dozen parts, and asked for five times a registry
def _entries(symbol: str) -> st.SearchStrategy[SymbolLimits]:
    amounts = {key: _amounts(key) for key in LIMIT_KEYS}
    return st.builds(SymbolLimits, symbol=st.just(symbol), **amounts)


@st.composite
def registries(draw: st.DrawFn) -> SymbolLimitRegistry:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    return SymbolLimitRegistry(
        symbols={name: draw(_entries(name)) for name in names}, default=draw(_entries("*"))
    )
