"""The sums that a day's counts carry along."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from ibkr_trader.core.tallies import Strikes, Traffic

DAY = datetime(2026, 3, 2, tzinfo=UTC)


def test_messages_are_all_that_was_sent() -> None:
    assert Traffic(since=DAY, orders=3, changes=5, cancels=2, executions=4).messages == 10


def test_the_ratio_counts_one_more_than_traded() -> None:
    """As IBKR does: a day without a trade has a ratio, too."""
    assert Traffic(since=DAY, orders=3, changes=5, cancels=2, executions=4).ratio == Decimal(2)
    assert Traffic(since=DAY, orders=7).ratio == Decimal(7)


def test_no_strikes_share_nothing() -> None:
    assert Strikes().waiting is not Strikes().waiting
