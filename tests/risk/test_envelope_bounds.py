from __future__ import annotations

from decimal import Decimal

import pytest

from ibkr_trader.core.events import Breach
from ibkr_trader.risk.envelope import Envelope
from ibkr_trader.risk.envelope_bounds import Bounds

D = Decimal
FULL = Bounds(
    "one",
    Envelope(capital=D(1000), max_positions=2, max_daily_loss=D(50), max_entries_per_day=3),
)


def test_up_to_its_bounds_nothing_is_wrong() -> None:
    assert FULL.entries(sent=2, more=1) is None
    assert FULL.positions(held=1, fresh=["AAPL"]) is None
    assert FULL.positions(held=3, fresh=[]) is None
    assert FULL.loss(lost=D("49.99")) is None
    assert FULL.capital(tied=D(1000), before=D(0)) is None


def test_what_is_not_bounded_is_never_beyond() -> None:
    free = Bounds("one", Envelope())
    assert free.entries(sent=99, more=9) is None
    assert free.positions(held=99, fresh=["AAPL"]) is None
    assert free.loss(lost=D(10**9)) is None
    assert free.capital(tied=D(10**9), before=D(0)) is None


@pytest.mark.parametrize(
    ("breach", "figures", "words"),
    [
        (FULL.entries(sent=2, more=2), ("3", "4", "1"), "entry 4 of the strategy one today"),
        (FULL.positions(held=1, fresh=["A", "B"]), ("2", "3", "1"), "A, B would make 3 positions"),
        (FULL.loss(lost=D(50)), ("50", "50", "0"), "has lost 50.00 today"),
        (FULL.capital(tied=D(1001), before=D(900)), ("1000", "1001", "100"), "1,001.00 tied up"),
        (FULL.capital(tied=D(1001), before=D(1200)), ("1000", "1001", "0"), "1,000.00"),
    ],
)
def test_beyond_one_its_figures_say_by_how_much(
    breach: Breach | None, figures: tuple[str, ...], words: str
) -> None:
    assert breach is not None
    assert (breach.limit, breach.actual, breach.headroom) == figures
    assert words in breach.message
