"""Each value has one form. What else Python would take for it is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ibkr_trader.adapters.json_places import Number
from ibkr_trader.adapters.signals import claim_values as values
from ibkr_trader.adapters.signals.json_reading import Unreadable
from ibkr_trader.core.enums import SignalAction

if TYPE_CHECKING:
    from collections.abc import Callable

    from ibkr_trader.adapters.signals.json_reading import Json

N = Number
NO_NUMBERS: list[Json] = [
    None, True, False, [], {}, "", " 1", "1 ", "1\n", "+1", "1_000", "1,5", ".5", "5.", "0x10",
    "1e9", "1E9", N("1e9"), N("1e0"), "NaN", "nan", "inf", "Infinity", "-Infinity", "sNaN",
    "٣", "\uff13", "1٣", "½", "1" * 16, "0." + "1" * 21, N("1e-100"), "--1", "1" * 10_000,
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (N("0.10"), "0.10"), ("0.10", "0.10"), (N("-3"), "-3"), (N("0"), "0"), (N("-0.0"), "0"),
        (N("1e-05"), "0.00001"), ("999999999999999", "999999999999999"),
        (N("187.32000000000002"), "187.32000000000002"),
    ],
)  # fmt: skip
def test_a_number_is_taken_from_text_and_never_rounded(value: Json, expected: str) -> None:
    found = values.number(value)
    assert found == Decimal(expected)
    assert not (found.is_zero() and found.is_signed())


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("read", [values.number, values.confidence, values.price, values.moment])
def test_what_is_no_number_is_none(read: Callable[[Json], object], value: Json) -> None:
    with pytest.raises(Unreadable) as caught:
        read(value)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 120


def test_a_confidence_is_from_0_to_1() -> None:
    assert [values.confidence(N(one)) for one in ("0", "0.75", "1.000")] == [
        0, Decimal("0.75"), 1,
    ]  # fmt: skip
    for wrong in ("1.00000000000000000001", "-0.1", "82"):
        with pytest.raises(Unreadable, match="is not from 0 to 1"):
            values.confidence(N(wrong))


def test_a_price_is_above_zero() -> None:
    assert values.price(N("0.0001")) == Decimal("0.0001")
    for wrong in ("0", "-0", "0.00", "-1"):
        with pytest.raises(Unreadable, match="is not above 0"):
            values.price(N(wrong))


def test_a_count_is_whole() -> None:
    assert values.count(N("0")) == 0
    assert values.count("123456789012345678") == 123456789012345678
    wrong: list[Json] = ["", "01", "-1", N("1.0"), N("1e-1"), True, None, "٣", "1" * 19, [N("1")]]
    for value in wrong:
        with pytest.raises(Unreadable, match="is no whole number"):
            values.count(value)


def test_an_id_is_visible_ascii_or_a_whole_number() -> None:
    assert [values.name(one) for one in ("a-1_~!", N("12"), "x" * 128)] == [
        "a-1_~!", "12", "x" * 128,
    ]  # fmt: skip
    wrong: list[Json] = [None, True, "", " ", "a b", "a\n", "é", "a\u200b", "x" * 129, [], N("1.5")]
    for value in wrong:
        with pytest.raises(Unreadable):
            values.name(value)


@pytest.mark.parametrize(
    ("value", "expected"), [("AAPL", "AAPL"), ("aapl", "AAPL"), ("BRK.B", "BRK B"), ("A", "A")]
)
def test_a_ticker_is_written_as_ibkr_writes_it(value: str, expected: str) -> None:
    assert values.ticker(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        None, True, N("1"), "", " AAPL", "AAPL\n", "9A", "A..B", "A.", "\uff21\uff21PL", "\u0131BM",
        "\u017fPY",        "AAPL'--", "../../x", "A" * 13, "AAPL\u200b", "\u0410", ["AAPL"],
    ],
    ids=repr,
)  # fmt: skip
def test_what_only_looks_like_a_ticker_is_none(value: Json) -> None:
    with pytest.raises(Unreadable, match="is no ticker"):
        values.ticker(value)


@pytest.mark.parametrize("word", ["BUY", "buy", "Sell", "sHORT"])
def test_an_action_is_one_of_three_words(word: str) -> None:
    assert values.action(word) is SignalAction(word.upper())


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        "",
        "HOLD",
        "BUY ",
        " BUY",
        "\u017fell",
        "\u017fhort",
        "BUY\n",
        "LONG",
        "B",
        N("1"),
    ],
)
def test_another_word_is_no_action(value: Json) -> None:
    with pytest.raises(Unreadable, match="is none of BUY, SELL, SHORT"):
        values.action(value)


HALF_PAST = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-23T14:30:00Z", HALF_PAST),
        ("2026-11-23t14:30:00z", HALF_PAST),
        ("2026-11-23 09:30:00-05:00", HALF_PAST),
        ("2026-11-23T14:30:00.123456789+00:00", HALF_PAST.replace(microsecond=123456)),
        ("2026-11-23T14:30:00.5Z", HALF_PAST.replace(microsecond=500_000)),
        (N("1795444200"), HALF_PAST),
        ("1795444200", HALF_PAST),
        (N("1795444200.25"), HALF_PAST.replace(microsecond=250_000)),
        (N("1795444200123"), HALF_PAST.replace(microsecond=123_000)),
    ],
)
def test_a_time_is_told_in_utc(value: Json, expected: datetime) -> None:
    found = values.moment(value)
    assert found == expected
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T14:30:00", "2026-11-23", "2026-11-23T14:30Z", "2026-02-30T14:30:00Z",
        "2026-11-23T25:30:00Z", "2026-11-23T14:30:60Z", "٢٠٢٦-11-23T14:30:00Z", "now",
        "2026-11-23T14:30:00+99:00", "9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00",
        "1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z", N("0"), N("-1795444200"), N("17954442"),
        N("1795444200123456"), "2026-11-23T14:30:00.1234567890Z", " 2026-11-23T14:30:00Z",
    ],
)  # fmt: skip
def test_what_is_no_time_of_this_century_is_none(value: Json) -> None:
    with pytest.raises(Unreadable, match="is no time"):
        values.moment(value)
