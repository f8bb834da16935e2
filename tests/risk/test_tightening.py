from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.risk.limits import LIMIT_KEYS, RiskLimits, SymbolLimitRegistry, SymbolLimits
from ibkr_trader.risk.tightening import Change, changes, tightened
from tests.risk.world import D

CAP = RiskLimits()
NAMES = ("AAPL", "MSFT", "TSLA")


def made(symbols: dict[str, dict[str, Decimal]], default: object = None) -> SymbolLimitRegistry:
    rest = default if isinstance(default, dict) else {}
    return SymbolLimitRegistry(
        symbols={name: SymbolLimits(symbol=name, **one) for name, one in symbols.items()},
        default=SymbolLimits(symbol="*", **{key: Decimal(value) for key, value in rest.items()}),
    )


def size(*pairs: tuple[str, int], rest: int | None = None) -> SymbolLimitRegistry:
    """Limits of position sizes alone."""
    symbols = {name: {"max_position_size": D(value)} for name, value in pairs}
    return made(symbols, {"max_position_size": rest} if rest is not None else {})


@pytest.mark.parametrize(
    ("before", "after", "holds"),
    [
        (size(("AAPL", 50)), size(("AAPL", 40)), 40),
        (size(("AAPL", 50)), size(("AAPL", 60)), 50),
        (size(("AAPL", 50)), size(), 50),  # taken away: the cap would be looser
        (size(), size(("AAPL", 50)), 50),
        (size(rest=30), size(("AAPL", 50)), 30),  # it had the default
        (size(("AAPL", 50), rest=80), size(rest=40), 40),  # it has the default now
        (size(("AAPL", 50), rest=30), size(("AAPL", 50)), 50),  # its own may be looser than that
        (size(), size(), 100),
    ],
)
def test_the_tighter_holds(
    before: SymbolLimitRegistry, after: SymbolLimitRegistry, holds: int
) -> None:
    assert tightened(before, after).get_limit("AAPL", CAP).max_position_size == holds


def test_a_change_is_told_by_what_is_in_force() -> None:
    before, after = size(("AAPL", 50), rest=80), size(("MSFT", 10), rest=90)
    key = "max_position_size"
    assert changes(before, after, CAP) == (
        Change(symbol="*", key=key, before=D(80), after=D(90)),
        Change(symbol="AAPL", key=key, before=D(50), after=D(90)),
        Change(symbol="MSFT", key=key, before=D(80), after=D(10)),
    )
    assert [one.is_looser for one in changes(before, after, CAP)] == [True, True, False]


def test_beyond_the_cap_nothing_changes() -> None:
    assert changes(size(("AAPL", 500)), size(("AAPL", 600)), CAP) == ()


def test_a_limit_that_had_none_becomes_tighter_and_back() -> None:
    none, some = made({}), made({"AAPL": {"max_correlation_exposure": D(9)}})
    (there,), (back,) = changes(none, some, CAP), changes(some, none, CAP)
    assert (there.is_looser, back.is_looser) == (False, True)


values = st.none() | st.integers(1, 150).map(Decimal)
entries = st.dictionaries(st.sampled_from(LIMIT_KEYS), values)
files = st.builds(
    lambda symbols, default: SymbolLimitRegistry(
        symbols={name: SymbolLimits(symbol=name, **one) for name, one in symbols.items()},
        default=SymbolLimits(symbol="*", **default),
    ),
    st.dictionaries(st.sampled_from(NAMES), entries),
    entries,
)


@given(files, files)
def test_nothing_is_ever_looser_than_either(
    before: SymbolLimitRegistry, after: SymbolLimitRegistry
) -> None:
    both = tightened(before, after)
    for symbol in (*NAMES, "NVDA"):
        held = both.get_limit(symbol, CAP)
        for key in LIMIT_KEYS:
            sides = [getattr(one.get_limit(symbol, CAP), key) for one in (before, after)]
            known = [one for one in sides if one is not None]
            assert getattr(held, key) == (min(known) if known else None)
    assert not [one for one in changes(before, both, CAP) if one.is_looser]
    assert not [one for one in changes(after, both, CAP) if one.is_looser]
