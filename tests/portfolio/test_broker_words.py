"""What a snapshot says of one order, as the events that it would have been."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ibkr_trader.core.enums import TimeInForce
from ibkr_trader.portfolio.broker_words import is_same_day
from ibkr_trader.portfolio.state import fold
from tests.orders.samples import (
    accepted,
    later,
    spec,
)
from tests.portfolio.stage import (
    S,
    sent,
    settle,
    snapshot,
    status,
    theirs,
)


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        (S.PRESUBMITTED, S.PRESUBMITTED),
        (S.INACTIVE, S.INACTIVE),
        (S.UNKNOWN, S.SUBMITTED),
        (S.PENDING_CANCEL, S.PENDING_CANCEL),
    ],
)
def test_its_state_is_taken_over(stated: S, found: S) -> None:
    after, _ = settle(sent(spec()), snapshot(theirs(spec(), stated)))
    assert status(after) is found


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        (S.FILLED, S.FILLED),
        (S.CANCELLED, S.CANCELLED),
        (S.EXPIRED, S.EXPIRED),
        (S.REJECTED, S.REJECTED),
    ],
)
def test_what_was_closed_while_nobody_listened_is_closed(stated: S, found: S) -> None:
    done = theirs(spec(), stated, reason="so it went", reported_filled=Decimal(10))
    after, _ = settle(sent(spec()), snapshot(completed_orders=(done,)))
    assert status(after) is found
    assert not after.orders


def test_a_day_order_of_yesterday_has_expired() -> None:
    before = fold([accepted(spec())], sent(spec()))
    after, _ = settle(before, snapshot(at=later(86_400)))
    assert status(after) is S.EXPIRED
    lasting = spec(time_in_force=TimeInForce.GTC)
    before = fold([accepted(lasting)], sent(lasting))
    after, _ = settle(before, snapshot(at=later(86_400)))
    assert status(after) is S.CANCELLED


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((20, 15), (20, 20), True),
        ((20, 15), (21, 15), False),
        ((20, 4), (20, 6), False),  # 4 h UTC may still be the day before
        ((20, 5), (21, 3), True),  # 23 h in New York
        ((20, 5), (21, 5), False),
    ],
)
def test_a_day_is_new_yorks(one: tuple[int, int], other: tuple[int, int], same: bool) -> None:
    moments = [datetime(2026, 11, day, hour, tzinfo=UTC) for day, hour in (one, other)]
    assert is_same_day(*moments) is same
