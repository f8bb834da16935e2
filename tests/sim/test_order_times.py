from datetime import UTC, datetime

import pytest

from ibkr_trader.sim.order_times import parse_moment


@pytest.mark.parametrize(
    "text", ["", "soon", "20261120 25:00:00", "20261120 10:00:00 Mars/Base", "20261120 1 2 3",
             "20261341", "20261120-99:00:00"]
)  # fmt: skip
def test_times_that_cannot_be_read(text: str) -> None:
    assert parse_moment(text) is None


def test_times_in_short_zones() -> None:
    assert parse_moment("20261120 10:00:00 EST") == datetime(2026, 11, 20, 15, tzinfo=UTC)
    assert parse_moment("20261120 15:00:00 GMT") == datetime(2026, 11, 20, 15, tzinfo=UTC)
