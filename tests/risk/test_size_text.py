from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibkr_trader.risk.size_text import FORMS, size_of, text_of
from ibkr_trader.risk.sizing import AtrRisk, FixedQuantity, FixedRisk, Kelly, Odds, Size

D = Decimal
ONE_PERCENT = FixedRisk(fraction=D("0.01"))
ODDS = Odds(win_rate=D("0.55"), payoff=D("1.8"))


@pytest.mark.parametrize(
    ("text", "rule", "written"),
    [
        ("10", FixedQuantity(D(10)), "10"),
        ("1", FixedQuantity(D(1)), "1"),
        ("10.0", FixedQuantity(D("10.0")), "10.0"),
        (" RISK:1% ", ONE_PERCENT, "risk:1%"),
        ("risk:0.5%", FixedRisk(fraction=D("0.005")), "risk:0.5%"),
        ("risk:100%", FixedRisk(fraction=D(1)), "risk:100%"),
        ("risk:250", FixedRisk(amount=D(250)), "risk:250"),
        ("atr:2", AtrRisk(multiple=D(2), risk=ONE_PERCENT), "atr:2:1%"),
        ("atr:1.5:250", AtrRisk(multiple=D("1.5"), risk=FixedRisk(amount=D(250))), "atr:1.5:250"),
        ("kelly", Kelly(), "kelly"),
        ("kelly:0.55:1.8", Kelly(odds=ODDS), "kelly:0.55:1.8:0.25"),
        ("kelly:0.55:1.8:0.5", Kelly(odds=ODDS, part=D("0.5")), "kelly:0.55:1.8:0.5"),
    ],
)
def test_a_size_is_read_as_its_rule_and_written_so_that_it_is_the_same(
    text: str, rule: Size, written: str
) -> None:
    assert size_of(text) == rule
    assert text_of(rule) == written
    assert size_of(written) == rule


@pytest.mark.parametrize(
    "rule",
    [
        Kelly(part=D("0.5")),
        Kelly(odds=ODDS, cap=D("0.01")),
        FixedRisk(fraction=D(1) / 3),
        FixedQuantity(D("1.5")),
    ],
)
def test_a_rule_that_cannot_be_written_is_shown_as_it_is(rule: Size) -> None:
    assert text_of(rule) == str(rule)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *((text, "is no size") for text in (
            "", "0", "-5", "10.5", "1e3", "NaN", "٣", "half", "10:1", "risk", "risk:1%:2", "atr",
            "atr:1:2:3", "kelly:0.55", "kelly:1:2:3:4",
        )),
        ("risk:", "has '', which is no number"),
        ("risk:-1%", "has '-1', which is no number"),
        ("risk:٣%", "which is no number"),
        ("atr:x", "has 'x', which is no number"),
        ("kelly:0.5:y", "has 'y', which is no number"),
        ("risk:0", "above 0"),
        ("risk:101%", "between 0 and 1"),
        ("atr:0", "above 0"),
        ("atr:2:0", "above 0"),
        ("kelly:1.5:2", "a win rate between 0 and 1"),
        ("kelly:0.5:0", "a payoff above 0"),
        ("kelly:0.5:2:0", "between 0 and 1"),
    ],
)  # fmt: skip
def test_what_is_no_size_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        size_of(text)


def test_every_form_that_is_named_is_one() -> None:
    forms = [one for part in FORMS.split(", ") for one in part.split(" or ")]
    assert len(forms) == 8
    for one in forms:
        size_of(one)


@given(
    st.text(max_size=20) | st.from_regex(r"(risk|atr|kelly)(:[0-9.]{1,4}%?){0,4}", fullmatch=True)
)
def test_any_text_is_a_size_or_refused(text: str) -> None:
    try:
        size = size_of(text)
    except ValueError:
        return
    assert size_of(text_of(size)) == size
