"""A pause doubles with each failure, to a limit, and is never shorter than the first."""

from __future__ import annotations

from ibkr_trader.core.pauses import growing


def test_a_pause_doubles_to_its_limit() -> None:
    found = [growing(failures, first=60, most=900) for failures in range(8)]
    assert found == [60, 60, 120, 240, 480, 900, 900, 900]
    assert growing(1_000_000, first=60, most=900) == 900


def test_a_limit_below_the_first_is_none() -> None:
    assert growing(5, first=60, most=1) == 60
