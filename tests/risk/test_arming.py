from __future__ import annotations

from datetime import timedelta

import pytest

from ibkr_trader.risk.arming import Arming, Lack
from tests.risk.world import NOW

SOON = NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("arming", "is_armed"),
    [
        (Arming(), True),
        (Arming(until=NOW), True),
        (Arming(is_disarmed=True), False),
        (Arming(is_live=True), False),
        (Arming(is_live=True, until=SOON), True),
        (Arming(is_live=True, until=NOW), False),
        (Arming(is_live=True, until=SOON, is_disarmed=True), False),
        (Arming(is_live=True, until=SOON, lacks=(Lack("no account"),)), False),
    ],
)
def test_only_a_live_desk_has_to_be_armed_and_any_can_be_disarmed(
    arming: Arming, *, is_armed: bool
) -> None:
    assert arming.is_armed(NOW) is is_armed
