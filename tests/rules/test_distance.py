from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.rules.distance import Distance, Unit
from ibkr_trader.rules.wishes import CannotWish

if TYPE_CHECKING:
    from ibkr_trader.rules.condition import Key

D = Decimal


def atr(value: str | None) -> object:
    return lambda *_: D(value) if value is not None else None


@pytest.mark.parametrize(
    ("written", "value", "unit", "text"),
    [
        ("3%", "3", Unit.PERCENT, "3%"),
        (" 0.5 % ", "0.5", Unit.PERCENT, "0.5%"),
        ("99.99%", "99.99", Unit.PERCENT, "99.99%"),
        ("1.50", "1.50", Unit.AMOUNT, "1.50"),
        (D("1.50"), "1.50", Unit.AMOUNT, "1.50"),
        (D("1E+2"), "100", Unit.AMOUNT, "100"),
        (2, "2", Unit.AMOUNT, "2"),
        ("2atr", "2", Unit.ATR, "2atr"),
        ("1.5 ATR", "1.5", Unit.ATR, "1.5atr"),
        ("3R", "3", Unit.RISK, "3R"),
        ("3 r", "3", Unit.RISK, "3R"),
    ],
)
def test_a_distance_is_read_as_people_write_it(
    written: object, value: str, unit: Unit, text: str
) -> None:
    one = Distance.of(written)
    assert one == Distance(D(value), unit)
    assert str(one) == text
    assert Distance.of(str(one)) == one


@pytest.mark.parametrize(
    "written",
    [
        "", "0", "0%", "0.0atr", "-1", "+1", "-3%", "3 %%", "%", "atr", "R", "1e3", "1,50", ".5",
        "3percent", "٣%", "3٪", "NaN", "inf", "1234567890", "1.1234567",
        True, False, None, [], {}, D("NaN"), D("Infinity"), D(0), D(-1), 0, 10**400, 1.5,
        D("1E+999999999"), D("1E-999999999"),
    ],
)  # fmt: skip
def test_what_is_no_distance_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"is no (distance|number)"):
        Distance.of(written)


def test_all_of_the_price_is_no_distance() -> None:
    with pytest.raises(ValueError, match="'100%' is all of the price or more"):
        Distance.of("100%")


def test_only_what_is_counted_in_ranges_needs_an_indicator() -> None:
    assert Distance.of("2atr").indicator == ("atr", (D(14),))
    assert [Distance.of(text).indicator for text in ("3%", "1", "3R")] == [None] * 3


@pytest.mark.parametrize(
    ("text", "away"), [("3%", "4.5"), ("1.50", "1.50"), ("2atr", "2.4"), ("3R", "15")]
)
def test_how_far_away_it_is(text: str, away: str) -> None:
    asked: list[Key] = []

    def indicator(name: str, arguments: tuple[Decimal, ...]) -> Decimal:
        asked.append((name, arguments))
        return D("1.2")

    one = Distance.of(text)
    assert one.away(D(150), indicator=indicator, risk=D(5)) == D(away)
    assert asked == ([one.indicator] if one.indicator else [])


@pytest.mark.parametrize(("range_", "why"), [(None, "not known yet"), ("0", "is 0")])
def test_without_a_range_nothing_is_counted_in_it(range_: str | None, why: str) -> None:
    with pytest.raises(CannotWish, match=why):
        Distance.of("2atr").away(D(150), indicator=atr(range_))  # type: ignore[arg-type] # a plain function


def test_without_a_stop_nothing_is_counted_in_what_is_risked() -> None:
    with pytest.raises(CannotWish, match="3R is counted in what is risked") as caught:
        Distance.of("3R").away(D(150), indicator=atr("1"))  # type: ignore[arg-type] # a plain function
    assert "stop_loss" in caught.value.hint


@given(st.one_of(st.text(max_size=12), st.from_regex(r"[0-9.]{1,5} ?(%|atr|r)?", fullmatch=True)))
def test_any_text_is_a_distance_above_zero_or_refused(text: str) -> None:
    try:
        one = Distance.of(text)
    except ValueError:
        return
    assert one.value > 0
    assert one.away(D(100), indicator=lambda *_: D(1), risk=D(1)) > 0
