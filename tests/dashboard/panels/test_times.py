from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from ibkr_trader.dashboard.panels.times import clock, zone_of
from tests.dashboard.scenes import NOW


def test_a_clock_names_its_zone() -> None:
    assert clock(NOW, zone_of("America/New_York")) == "10:01:31 EST"
    assert clock(NOW + timedelta(days=180), zone_of("America/New_York")) == "11:01:31 EDT"


@pytest.mark.parametrize(
    "name", ["Nowhere/At_All", "", "../../etc/passwd", "/etc", "a\x00b", "\ud800"]
)
def test_a_zone_that_is_none_is_utc(name: str) -> None:
    assert zone_of(name) is UTC
