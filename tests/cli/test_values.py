"""What people type is read strictly, and what they probably meant is one copy away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.cli import values
from ibkr_trader.cli.exits import UsageFault
from ibkr_trader.core.enums import OrderType, Side


@pytest.mark.parametrize("text", ["1", "10", "0010", " 7 ", "9999999"])
def test_whole_quantities_are_read(text: str) -> None:
    assert values.quantity(text) == Decimal(text.strip())


@pytest.mark.parametrize(
    ("text", "why", "better"),
    [
        ("0", "1 or more", "1"),
        ("00", "1 or more", "1"),
        ("0.0", "1 or more", "1"),
        ("-1", "must be positive", "1"),
        ("-0", "must be positive", "1"),
        ("1.5", "must be whole", "1"),
        ("0.5", "must be whole", "1"),
        ("10.0", "without decimals", "10"),
        ("1,000", "without separators", "1000"),
        ("1e9", "whole number", "1"),
        ("NaN", "whole number", "1"),
        ("inf", "whole number", "1"),
        ("", "whole number", "1"),
        ("ten", "whole number", "1"),
        ("0x10", "whole number", "1"),
        ("1_0", "whole number", "1"),
        ("+5", "whole number", "1"),
        ("٣", "whole number", "1"),
        ("100000000", "whole number", "1"),
    ],
)
def test_other_quantities_are_refused(text: str, why: str, better: str) -> None:
    with pytest.raises(UsageFault, match=why) as caught:
        values.quantity(text)
    assert (caught.value.option, caught.value.typed) == ("--quantity", text)
    assert caught.value.better == better
    values.quantity(caught.value.better)


@pytest.mark.parametrize("text", ["145", "145.00", "0.0001", " 155.5 ", "999999999.999999"])
def test_prices_are_read_to_the_digit(text: str) -> None:
    assert values.price(text, "--limit") == Decimal(text.strip())


@pytest.mark.parametrize(
    ("text", "why", "better"),
    [
        ("145,00", "a point, not a comma", "145.00"),
        ("145,5", "a point, not a comma", "145.5"),
        ("1,234.50", "without separators", "1234.50"),
        ("1,234", "without separators", "1234"),
        ("$145", "without a sign", "145"),
        ("145$", "without a sign", "145"),
        ("0", "above zero", "145.00"),
        ("0.00", "above zero", "145.00"),
        ("-3", "above zero", "3"),
        ("nan", "a price such as", "145.00"),
        ("1e3", "a price such as", "145.00"),
        ("", "a price such as", "145.00"),
        ("1.2.3", "a price such as", "145.00"),
        (".5", "price", "145.00"),
        ("1.1234567", "too many decimals", "1.123456"),
        ("145.0000000001", "too many decimals: 6 at most", "145.00"),
        ("0.0000001", "too many decimals", "145.00"),
        ("99999999999999999999", "too large", "145.00"),
        ("9999999999.5", "too large", "145.00"),
        ("$99999999999", "without a sign", "145.00"),
        ("٣", "a price such as", "145.00"),
    ],
)
def test_other_prices_are_refused(text: str, why: str, better: str) -> None:
    with pytest.raises(UsageFault, match=why) as caught:
        values.price(text, "--limit")
    assert caught.value.better == better
    values.price(caught.value.better, "--limit")


@given(st.text(max_size=12))
def test_whatever_is_typed_is_a_number_above_zero_or_a_usage_fault(text: str) -> None:
    for read in (values.quantity, lambda it: values.price(it, "--limit")):
        try:
            number = read(text)
        except UsageFault as fault:
            number = read(fault.better)
        assert number > 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AAPL", "AAPL"),
        ("aapl", "AAPL"),
        (" msft ", "MSFT"),
        ("BRK.B", "BRK.B"),
        ("BRK B", "BRK B"),
    ],
)
def test_symbols_are_read_in_capitals(text: str, expected: str) -> None:
    assert values.symbol(text) == expected


def test_option_symbols_are_symbols() -> None:
    assert values.symbol("AAPL240119C00150000") == "AAPL240119C00150000"


@pytest.mark.parametrize(
    ("text", "better"),
    [("$AAPL", "AAPL"), ("", "AAPL"), ("A/B", "AB"), ("ÄAPL", "AAPL"), ("1", "AAPL")],
)
def test_other_symbols_are_refused(text: str, better: str) -> None:
    with pytest.raises(UsageFault) as caught:
        values.symbol(text)
    assert caught.value.better == better


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("limit", OrderType.LIMIT),
        ("LMT", OrderType.LIMIT),
        ("stop-limit", OrderType.STOP_LIMIT),
        ("STOP_LIMIT", OrderType.STOP_LIMIT),
        ("moc", OrderType.MARKET_ON_CLOSE),
        ("trail", OrderType.TRAIL),
    ],
)
def test_order_types_have_long_and_short_names(text: str, expected: OrderType) -> None:
    assert values.order_type(text) is expected


def test_an_unknown_choice_lists_the_known() -> None:
    with pytest.raises(UsageFault, match="none of: buy, sell") as caught:
        values.choice("long", "--side", Side)
    assert caught.value.better == "buy"


@pytest.mark.parametrize(("text", "expected"), [("3", 3.0), ("0.5", 0.5), ("600", 600.0)])
def test_seconds_are_read(text: str, expected: float) -> None:
    assert values.seconds(text) == expected


@pytest.mark.parametrize("text", ["0", "601", "-1", "nan", "inf", "soon", ""])
def test_other_seconds_are_refused(text: str) -> None:
    with pytest.raises(UsageFault):
        values.seconds(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("5", 300), ("10m", 600), ("90s", 90), ("1h", 3600), ("0.5", 30)]
)
def test_a_length_of_time(text: str, seconds: int) -> None:
    assert values.duration(text, "--window").total_seconds() == seconds


@pytest.mark.parametrize("text", ["0", "0m", "-5", "5 m", "1d", "25h", "", "\uff15"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(UsageFault, match="must be a length of time"):
        values.duration(text, "--window")


NOW = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)  # a Friday evening in New York


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("today", datetime(2026, 11, 20, 5, tzinfo=UTC)),
        (" Today ", datetime(2026, 11, 20, 5, tzinfo=UTC)),
        ("1d", datetime(2026, 11, 20, 3, 30, tzinfo=UTC)),
        ("30D", datetime(2026, 10, 22, 3, 30, tzinfo=UTC)),
        ("9999d", NOW - timedelta(days=9999)),
        ("2026-11-20", datetime(2026, 11, 20, 5, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 7, 1, 4, tzinfo=UTC)),  # in summer time
    ],
)
def test_a_moment_in_the_past(text: str, since: datetime) -> None:
    assert values.since(text, NOW) == since


@pytest.mark.parametrize(
    "text",
    [
        *("", "0d", "-1d", "1.5d", "10000d", "d", "7 d", "7h", "\uff17d", "yesterday", "20261120"),
        *("2026-11-31", "2026-1-1", "2026-W47-5", "----------", "2026/11/20", "2026-11-20T10:00"),
    ],
)
def test_what_is_no_such_moment(text: str) -> None:
    with pytest.raises(UsageFault) as caught:
        values.since(text, NOW)
    assert (caught.value.option, caught.value.better) == ("--since", "7d")


@pytest.mark.parametrize("text", ["1_000", "+3", "0", "-1", "1.5", "", "99999999999999999999", "٣"])
def test_a_count_is_digits_and_no_more_than_there_can_be(text: str) -> None:
    assert values.count(" 30 ", "-n") == 30
    with pytest.raises(UsageFault, match="must be a whole number from 1 to 9999999") as caught:
        values.count(text, "-n")
    assert values.count(caught.value.better, "-n") == 20


def test_what_is_endless_is_not_repeated_whole() -> None:
    for read in (values.symbol, values.quantity, lambda it: values.choice(it, "--side", Side)):
        with pytest.raises(UsageFault, match="X…'") as caught:
            read("X" * 5_000)
        assert len(caught.value.message) < 200
    with pytest.raises(UsageFault, match="9…' is not an OCC") as caught:
        values.symbol("A" + "9" * 5_000)
    assert len(caught.value.message) < 200
